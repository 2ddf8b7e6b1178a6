//! Pages in a real browser, and on paper: `harness/beds/browsers/report.mjs` opens them in Chromium.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ringfence_model::report::Report;
use ringfence_reports::{Format, render};

use crate::{poison, samples};

const BROWSERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../harness/beds/browsers");
const CHROMIUM: &str = "/usr/bin/chromium";

#[test]
fn pages_work_for_everybody_and_paper_drops_nothing() {
    if skipped("pages in a browser") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let report = samples::broken();
    let pages = [
        write(folder.path(), "broken", Format::Html, &report),
        write(folder.path(), "flat", Format::HtmlFlat, &report),
    ];
    look(&pages, &["--print", folder.path().to_str().unwrap()]);
    for name in ["broken-A4", "broken-Letter", "flat-A4"] {
        let paper = printed(&folder.path().join(format!("{name}.pdf")));
        for text in texts_that_matter(&report) {
            assert!(paper.contains(&squeezed(&text)), "{name}: {text} is not on paper");
        }
    }
}

#[test]
fn nothing_runs_in_a_poisoned_page() {
    if skipped("poisoned pages in a browser") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // All attacks in each text, then those one by one that need a text's start.
    let all = poison::CORPUS.join(" ");
    let alone = poison::CORPUS.iter().filter(|text| text.contains(['<', '"', '\'', '&', '\\']) || text.contains(':'));
    let pages: Vec<PathBuf> = [all.as_str()]
        .into_iter()
        .chain(alone.copied())
        .enumerate()
        .map(|(i, text)| write(folder.path(), &format!("poison-{i}"), Format::Html, &poison::poisoned(text)))
        .collect();
    assert!(pages.len() > 20, "{} attacks are too few", pages.len());
    look(&pages, &["--hostile"]);
}

fn write(folder: &Path, name: &str, format: Format, report: &Report) -> PathBuf {
    let path = folder.join(format!("{name}.html"));
    fs::write(&path, render(format, report).unwrap()).unwrap();
    path
}

fn look(pages: &[PathBuf], options: &[&str]) {
    let mut node = Command::new("node");
    node.args(["report.mjs", "--chromium", CHROMIUM]).args(options).args(pages).current_dir(BROWSERS);
    let out = node.output().expect("node runs");
    let (said, complained) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{said}{complained}");
    assert!(said.contains(&format!("{} pages keep their promises", pages.len())), "{said}");
}

/// Every id, fingerprint, waiver and reason, every value seen, and what a passed one rests on.
fn texts_that_matter(report: &Report) -> Vec<String> {
    let mut texts = vec![report.run.id.clone(), report.method.classification.clone().unwrap()];
    for result in &report.results {
        texts.extend([result.verdict.scenario.clone(), result.title.clone()]);
        texts.extend(result.verdict.reasons.iter().map(|line| line.visible()));
        texts.extend(
            result
                .verdict
                .findings
                .iter()
                .flat_map(|f| [f.fingerprint.clone(), f.message.visible(), f.expected.clone()]),
        );
        texts.extend(result.evidence.iter().map(|step| format!("Step {}: what was seen", step.step)));
    }
    texts.extend(
        report
            .waivers
            .iter()
            .flat_map(|w| [w.fingerprint.clone(), w.reason.clone(), w.owner.clone(), w.expires.clone()]),
    );
    texts.extend(report.claim_matrix.iter().chain(&report.control_matrix).map(|row| row.id.clone()));
    texts.extend(report.delta.iter().flat_map(|delta| delta.fixed.iter().map(|fixed| fixed.title.clone())));
    // Steps of a result that was not asked are not there.
    texts.retain(|text| !text.is_empty());
    texts
}

/// The text of a PDF, without the white space that lines and columns put into it.
fn printed(pdf: &Path) -> String {
    let out =
        Command::new("pdftotext").args(["-raw", "-enc", "UTF-8"]).arg(pdf).arg("-").output().expect("pdftotext runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    squeezed(&String::from_utf8_lossy(&out.stdout))
}

/// A text without white space, and without the hyphens at which a line may have been broken.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '-' && *c != '\u{ad}').collect()
}

/// Whether something is missing; says so, and fails where nothing may be.
fn skipped(what: &str) -> bool {
    let Some(missing) = missing() else { return false };
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    // Past the capture of the test runner: who runs this should read it.
    drop(writeln!(std::io::stderr(), "skipped: {what}. {missing}"));
    true
}

/// What is not there, and the commands that install it.
fn missing() -> Option<String> {
    let runs = |program: &str, version: &str| {
        Command::new(program).arg(version).output().is_ok_and(|out| out.status.success())
    };
    let packages = [
        ("nodejs", runs("node", "--version")),
        ("npm", runs("npm", "--version")),
        ("chromium", Path::new(CHROMIUM).exists()),
        ("poppler-utils", runs("pdftotext", "-v")),
    ];
    let packages: Vec<&str> = packages.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect();
    if !packages.is_empty() {
        return Some(format!("To have them: apt-get install {}", packages.join(" ")));
    }
    let modules =
        ["playwright-core", "axe-core"].iter().all(|name| Path::new(BROWSERS).join("node_modules").join(name).exists());
    (!modules).then(|| "To have them: cd harness/beds/browsers && npm ci".to_owned())
}
