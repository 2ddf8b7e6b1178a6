//! Waivers, baseline and comparison, as CI uses them: the real binary, on what it found in a lab.

use std::path::Path;
use std::time::Duration;

use ringfence_lab::fault::Fault;
use ringfence_lab::{Lab, LabOptions};
use ringfence_model::Exit;
use ringfence_model::report::{Report, Standing, WaiverState};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// After this a process hangs, and the test fails. It is no statement about speed.
const HANG: Duration = Duration::from_secs(120);
/// A scenario that one short conversation decides, and the lab's fault that it finds.
const ONLY: &str = "turn/unauthenticated-allocate";
const FAULT: Fault = Fault::TurnOpen;
/// Its findings then, one per way of asking.
const FINDINGS: usize = 3;

/// A folder in which the commands run.
struct Folder(TempDir);

/// What a command left.
struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    async fn ringfence(&self, command: &str) -> Done {
        let mut process = Command::new(env!("CARGO_BIN_EXE_ringfence"));
        process.args(command.split_whitespace()).current_dir(self.0.path()).kill_on_drop(true);
        process.env("TERM", "dumb").env("LC_ALL", "C.UTF-8").env_remove("CLICOLOR_FORCE");
        let output = tokio::time::timeout(HANG, process.output()).await.expect("it ends").expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("outputs are UTF-8");
        Done { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs a command that ends with this code.
    #[track_caller]
    fn ends<'a>(&'a self, exit: Exit, command: &'a str) -> impl Future<Output = Done> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let done = self.ringfence(command).await;
            let Done { code, stdout, stderr } = &done;
            assert_eq!(*code, Some(exit.code().into()), "{place}: {command}\n{stdout}{stderr}");
            done
        }
    }

    /// Asks a lab with that fault, or a healthy one; the journal is `NAME.jsonl`.
    async fn asks(&self, name: &str, fault: Option<Fault>) {
        let place = self.path(name);
        let lab = match fault {
            Some(fault) => LabOptions::broken(fault, &place),
            None => LabOptions::healthy(&place),
        };
        let lab = Lab::start(lab).await.expect("a lab");
        let exit = if fault.is_some() { Exit::Findings } else { Exit::Clean };
        self.ends(exit, &format!("{} --journal {name}.jsonl", run(name))).await;
        lab.stop().await;
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    fn report(&self) -> Report {
        serde_json::from_str(&self.text("report.json")).expect("report.json has its own form")
    }

    /// Fills in what `ringfence waive` leaves to people.
    async fn waivers(&self, journal: &str, expires: &str) -> String {
        let printed = self.ends(Exit::Clean, &format!("waive {journal}")).await.stdout;
        assert_eq!(printed.matches("# critical: ").count(), FINDINGS, "{printed}");
        let filled = printed.lines().map(|line| match line {
            "reason = \"\"" => "reason = \"the relay is going away\"\n".to_owned(),
            "owner = \"\"" => "owner = \"voice team\"\n".to_owned(),
            line if line.starts_with("expires = ") => format!("expires = {expires}\n"),
            line => format!("{line}\n"),
        });
        filled.collect()
    }
}

fn run(name: &str) -> String {
    format!("run --quiet --tries 1 --browser none --only {ONLY} --target {name}/target.toml")
}

/// The day on which a journal's run began.
fn day(folder: &Folder, journal: &str) -> String {
    let text = folder.text(journal);
    let first: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    first["started"].as_str().and_then(|started| started.get(..10)).expect("a time").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiver_opens_the_gate_until_its_day_and_nobody_forgets_it() {
    let folder = Folder::new();
    folder.asks("broken", Some(FAULT)).await;
    folder.asks("healthy", None).await;
    let judge = "judge broken.jsonl -o json=report.json --waivers waivers.toml";

    // As printed, nobody answers for it yet.
    let printed = folder.ends(Exit::Clean, "waive broken.jsonl").await.stdout;
    folder.write("waivers.toml", &printed);
    folder.ends(Exit::Waiver, judge).await;

    let today = day(&folder, "broken.jsonl");
    let filled = folder.waivers("broken.jsonl", &today).await;
    folder.write("waivers.toml", &filled);
    folder.ends(Exit::Clean, judge).await;
    let report = folder.report();
    assert_eq!((report.counts.fail, report.counts.waived), (0, 1));
    assert_eq!(report.waivers[0].state, WaiverState::Used);
    assert!(report.results[0].verdict.findings.iter().all(|finding| finding.waived.is_some()), "still reported");
    assert!(report.gate.sentence.contains("1 finding waived"), "{}", report.gate.sentence);
    folder.ends(Exit::Clean, &format!("{judge} --strict-waivers")).await;

    // Its day is over: the finding counts, and with --strict-waivers both are conditions.
    folder.write("waivers.toml", &filled.replace(&today, "2001-01-01"));
    let done = folder.ends(Exit::Findings, &format!("{judge} --strict-waivers")).await;
    assert!(done.stdout.contains("ended on 2001-01-01"), "{}", done.stdout);
    let report = folder.report();
    assert_eq!(report.waivers[0].state, WaiverState::Expired);
    assert_eq!(report.gate.conditions, [Exit::Findings, Exit::Waiver]);

    // Nothing to waive any more.
    folder.write("waivers.toml", &filled);
    let judge = "judge healthy.jsonl -o json=report.json --waivers waivers.toml";
    let done = folder.ends(Exit::Clean, judge).await;
    assert!(done.stdout.contains("unused"), "{}", done.stdout);
    folder.ends(Exit::Waiver, &format!("{judge} --strict-waivers")).await;
    assert_eq!(folder.report().waivers[0].state, WaiverState::Unused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_waivers_and_asks_nothing_where_they_are_wrong() {
    let folder = Folder::new();
    folder.asks("broken", Some(FAULT)).await;
    let today = day(&folder, "broken.jsonl");
    let filled = folder.waivers("broken.jsonl", &today).await;

    let year = |text: &str| text.get(..4).and_then(|year| year.parse::<u32>().ok()).expect("a year");
    let two_years = format!("expires = {}-01-15", year(&today) + 2);
    for (text, says) in [
        (filled.replace("owner", "ownr"), "did you mean `owner`?"),
        (filled.replace(&format!("expires = {today}"), &two_years), "for a year at most"),
        ("[[waiver]\n".into(), "waivers.toml:1:"),
    ] {
        folder.write("waivers.toml", &text);
        let command = format!("{} --waivers waivers.toml --journal other.jsonl", run("broken"));
        let done = folder.ends(Exit::Waiver, &command).await;
        assert!(done.stderr.contains(says) && done.stderr.contains("waivers.toml:"), "{}", done.stderr);
        assert!(!Path::exists(&folder.path("other.jsonl")), "nothing was asked");
    }
    let missing = format!("{} --waivers nowhere.toml --journal other.jsonl", run("broken"));
    folder.ends(Exit::Waiver, &missing).await;
    folder.ends(Exit::Usage, &format!("{} --strict-waivers", run("broken"))).await;
    let over_itself = format!("{} --waivers waivers.toml -o json=waivers.toml", run("broken"));
    folder.ends(Exit::Usage, &over_itself).await;

    // The day after today: midnight may pass while the lab is asked.
    let lab = Lab::start(LabOptions::broken(FAULT, folder.path("broken"))).await.expect("a lab");
    let next_year = format!("expires = {}-01-01", year(&today) + 1);
    folder.write("waivers.toml", &filled.replace(&format!("expires = {today}"), &next_year));
    folder.ends(Exit::Clean, &format!("{} --waivers waivers.toml --journal other.jsonl", run("broken"))).await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_tells_new_from_known_and_fixed_from_back() {
    let folder = Folder::new();
    folder.asks("broken", Some(FAULT)).await;
    folder.asks("healthy", None).await;
    folder.ends(Exit::Clean, "baseline create broken.jsonl --baseline b.toml").await;
    folder.ends(Exit::Output, "baseline create broken.jsonl --baseline b.toml").await;
    let judge = "-o json=report.json --baseline b.toml";
    folder.ends(Exit::Findings, &format!("judge broken.jsonl {judge}")).await;
    folder.ends(Exit::Clean, &format!("judge broken.jsonl {judge} --new-only")).await;
    let report = folder.report();
    let delta = report.delta.expect("a comparison");
    assert_eq!((delta.new, delta.unchanged, delta.new_only), (0, FINDINGS as u64, true));
    assert_eq!(report.results[0].verdict.findings[0].standing, Some(Standing::Unchanged));

    folder.ends(Exit::Clean, &format!("judge healthy.jsonl {judge} --new-only")).await;
    assert_eq!(folder.report().delta.expect("a comparison").fixed.len(), FINDINGS);
    // From a JSON report as well as from a journal.
    folder.ends(Exit::Clean, "baseline update report.json --baseline b.toml").await;
    assert!(folder.text("b.toml").contains("fixed = "), "{}", folder.text("b.toml"));

    folder.ends(Exit::Findings, &format!("judge broken.jsonl {judge} --new-only")).await;
    assert_eq!(folder.report().delta.expect("a comparison").reopened, FINDINGS as u64);
    let done = folder.ends(Exit::Findings, "diff healthy.jsonl broken.jsonl --baseline b.toml").await;
    assert!(done.stdout.contains("3 reopened"), "{}", done.stdout);

    folder.ends(Exit::Clean, "baseline prune --baseline b.toml").await;
    assert!(!folder.text("b.toml").contains("[[finding]]"), "{}", folder.text("b.toml"));
    folder.ends(Exit::Findings, &format!("judge broken.jsonl {judge} --new-only")).await;
    assert_eq!(folder.report().delta.expect("a comparison").new, FINDINGS as u64);

    let whole = folder.text("b.toml");
    for (from, to, says) in [
        ("\"lab\"", "\"other\"", "target \"other\", not \"lab\""),
        ("\"v1\"", "\"v9\"", "version of fingerprints"),
        ("target", "tarjet", "did you mean `target`?"),
    ] {
        folder.write("b.toml", &whole.replacen(from, to, 1));
        let done = folder.ends(Exit::Waiver, &format!("judge broken.jsonl {judge}")).await;
        assert!(done.stderr.contains("b.toml:") && done.stderr.contains(says), "{}", done.stderr);
    }
    folder.ends(Exit::Usage, "judge broken.jsonl --new-only").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_are_compared() {
    let folder = Folder::new();
    folder.asks("broken", Some(FAULT)).await;
    folder.asks("healthy", None).await;
    let done = folder.ends(Exit::Clean, "diff broken.jsonl healthy.jsonl").await;
    assert!(done.stdout.contains("3 fixed") && done.stdout.contains(ONLY), "{}", done.stdout);
    folder.ends(Exit::Findings, "judge broken.jsonl -o json=report.json").await;
    let done = folder.ends(Exit::Findings, "diff healthy.jsonl report.json --json").await;
    let diff: Value = serde_json::from_str(&done.stdout).expect("JSON alone");
    assert_eq!(diff["format"], "ringfence.diff/v1");
    assert_eq!(diff["new"][0]["scenario"], ONLY);
    folder.ends(Exit::Clean, "diff report.json broken.jsonl").await;
    for wrong in ["healthy/target.toml", "nowhere.jsonl"] {
        folder.ends(Exit::Usage, &format!("diff {wrong} broken.jsonl")).await;
    }
    folder.write("scalar.json", "7");
    folder.ends(Exit::Usage, "diff scalar.json broken.jsonl").await;
    let other = folder.text("report.json").replace("\"name\": \"lab\"", "\"name\": \"other\"");
    folder.write("other.json", &other);
    let done = folder.ends(Exit::Usage, "diff other.json broken.jsonl").await;
    assert!(done.stderr.contains("two targets"), "{}", done.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_report_neither_moves_a_cursor_nor_leaves_its_place() {
    let folder = Folder::new();
    folder.asks("broken", Some(FAULT)).await;
    folder.asks("healthy", None).await;
    folder.ends(Exit::Findings, "judge broken.jsonl -o json=report.json").await;
    let mut report: Value = serde_json::from_str(&folder.text("report.json")).expect("JSON");
    let poison = "\u{1b}[2J\u{202e}\n[[waiver]]\nscenario = \"x\"\r";
    for name in ["/results/0/scenario", "/results/0/findings/0/fingerprint"] {
        let mut report = report.clone();
        *report.pointer_mut(name).expect("a name") = poison.into();
        folder.write("report.json", &report.to_string());
        let done = folder.ends(Exit::Usage, "waive report.json").await;
        assert!(!done.stderr.contains(['\u{1b}', '\u{202e}', '\r']), "{}", done.stderr);
    }
    report["results"][0]["title"] = poison.into();
    report["results"][0]["findings"][0]["step"] = poison.into();
    report["run"]["policy"] = poison.into();
    folder.write("report.json", &report.to_string());
    let mut said = Vec::new();
    for (exit, command) in [
        (Exit::Findings, "diff healthy.jsonl report.json"),
        (Exit::Findings, "diff healthy.jsonl report.json --json"),
        (Exit::Clean, "waive report.json"),
        (Exit::Clean, "baseline create report.json --baseline b.toml"),
    ] {
        let done = folder.ends(exit, command).await;
        said.extend([done.stdout, done.stderr]);
    }
    said.push(folder.text("b.toml"));
    for text in &said {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text}");
    }
    assert_eq!(said[4].lines().filter(|line| *line == "[[waiver]]").count(), FINDINGS, "{}", said[4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_says_what_it_stands_on() {
    let folder = Folder::new();
    folder.asks("healthy", None).await;
    folder.ends(Exit::Clean, "judge healthy.jsonl -o json=report.json").await;
    let report = folder.report();
    assert!(report.basis.lab, "{:?}", report.basis);
    assert_eq!(report.results[0].proved.as_deref(), Some(FAULT.name()));
    assert_eq!(report.integrity.journal_lines as usize, folder.text("healthy.jsonl").lines().count());
    let (texts, rows): (Vec<_>, Vec<_>) =
        (report.controls.iter().map(|c| &c.id).collect(), report.control_matrix.iter().map(|row| &row.id).collect());
    assert_eq!(texts, rows, "every row has its text");
    let claims = report.claim_matrix.iter().filter(|row| row.id.starts_with("cognigy/")).count();
    let all = ringfence_scenarios::CLAIMS.matches("id = \"cognigy/").count();
    assert_eq!(claims, all, "every claim of the target's vendor has a row");
    assert!(report.control_matrix.iter().chain(&report.claim_matrix).all(|row| !row.why.is_empty()));
}
