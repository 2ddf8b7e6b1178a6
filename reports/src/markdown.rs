//! Markdown for the summary of a CI job or a comment on a change: the verdict, the numbers, what to fix first, and what
//! was not tested. Always under the MiB that GitHub takes; what does not fit is counted and stands in the other outputs.

use ringfence_model::report::{Report, ScenarioResult, Standing};
use ringfence_model::verdict::Level;

use crate::escape::markdown::{code, line, prose};
use crate::sorted::{Look, Sorted, alike};
use crate::{RenderError, escape, tally};

/// Findings that are shown unfolded.
const TOP: usize = 10;
/// Bytes of the lists; the head and the notes beside them are bounded on their own. GitHub refuses 1024 KiB per step.
const LISTS_BYTES: usize = 900 * 1024;
/// Characters of one piece of a sentence.
const PIECE_CHARS: usize = 300;
/// Characters of one of our own texts.
const PROSE_CHARS: usize = 1000;

/// The report as Markdown.
pub fn render(report: &Report) -> Result<String, RenderError> {
    let sorted = Sorted::of(report);
    let mut page = Page { out: format!("<!-- {} -->\n", slug(&report.format)), left_out: 0 };
    verdict(&mut page, report);
    numbers(&mut page, report);
    let findings: Vec<String> = sorted.findings.iter().map(|result| finding(report, result)).collect();
    if !findings.is_empty() {
        page.text("### What to fix first\n\n");
        let (top, rest) = findings.split_at(findings.len().min(TOP));
        page.list(top);
        page.folded(&format!("{} more", tally::count(rest.len() as u64, "finding")), rest);
    }
    let untested: Vec<String> = alike(&sorted.untested).iter().map(|results| not_tested(results)).collect();
    if !untested.is_empty() {
        page.text(&format!("### Not tested, and why ({})\n\nNo verdict is not a pass.\n\n", sorted.untested.len()));
        page.folded(&untested_word(report), &untested);
    }
    let waived: Vec<String> = sorted.waived.iter().map(|result| finding(report, result)).collect();
    page.folded(&format!("{} accepted by waivers", tally::count(waived.len() as u64, "finding")), &waived);
    foot(&mut page, report);
    Ok(page.out)
}

/// A page in the making.
struct Page {
    out: String,
    left_out: usize,
}

impl Page {
    fn text(&mut self, text: &str) {
        self.out += text;
    }

    /// Items, as many as there is room for.
    fn list(&mut self, items: &[String]) {
        for item in items {
            if self.out.len() + item.len() > LISTS_BYTES {
                self.left_out += 1;
            } else {
                self.out += item;
            }
        }
        self.out += "\n";
    }

    fn folded(&mut self, summary: &str, items: &[String]) {
        if !items.is_empty() {
            // Markdown inside an HTML block is read only behind an empty line.
            self.text(&format!("<details><summary>{summary}</summary>\n\n"));
            self.list(items);
            self.text("</details>\n\n");
        }
    }
}

fn verdict(page: &mut Page, report: &Report) {
    let gate = &report.gate;
    let mark = Look::of_gate(gate.code).mark;
    let name = escape::shortened(&tally::target_name(report), PIECE_CHARS);
    page.text(&format!("## {mark} {}: {}\n\n", prose(&escape::prose(&gate.word)), code(&name)));
    page.text(&format!("**{}**\n\n", short(&gate.sentence)));
    if !report.run.complete {
        page.text("**The run was ended early: what follows is not everything.**\n\n");
    }
    if let Some(not_asked) = tally::not_asked(report) {
        page.text(&format!("**{not_asked}.**\n\n"));
    }
    page.text(&format!(
        "Exit code {}: {}. The gate closes at {} and above. Policy {}.\n\n",
        gate.code,
        gate.exit.meaning(),
        gate.fail_on.word(),
        code(&escape::shortened(&escape::prose(&report.run.policy), PIECE_CHARS))
    ));
}

fn numbers(page: &mut Page, report: &Report) {
    let counts = &report.counts;
    page.text("| ◆ critical | ▲ high | ● medium | ■ low |\n| ---: | ---: | ---: | ---: |\n");
    page.text(&format!("| {} | {} | {} | {} |\n\n", counts.critical, counts.high, counts.medium, counts.low));
    page.text("| ✗ failed | ‖ waived | ? inconclusive | ! error | ○ skipped | – not applicable | ✓ passed |\n");
    page.text("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    page.text(&format!(
        "| {} | {} | {} | {} | {} | {} | {} |\n\n",
        counts.fail,
        counts.waived,
        counts.inconclusive,
        counts.error,
        counts.skipped,
        counts.not_applicable,
        counts.pass
    ));
    let (judged, required) = tally::coverage(report);
    page.text(&format!("{judged} of {} gave a verdict", tally::count(required as u64, "required scenario")));
    page.text(&tally::delta(report).map(|delta| format!("; {}", short(&delta))).unwrap_or_default());
    page.text(".\n\n");
}

fn finding(report: &Report, result: &ScenarioResult) -> String {
    let verdict = &result.verdict;
    let look = Look::of(verdict);
    let new = verdict.findings.iter().find_map(|finding| finding.standing).map(|standing| match standing {
        Standing::New => ", new",
        Standing::Reopened => ", reopened",
        Standing::Unchanged => ", known",
    });
    let info = if verdict.level == Level::Info { ", for information" } else { "" };
    let mut item = format!(
        "- {} **{}**{}{info} {}: {}\n",
        look.mark,
        look.word,
        new.unwrap_or_default(),
        code(&escape::prose(&verdict.scenario)),
        short(&result.title)
    );
    for finding in tally::seen(result) {
        item += &format!("  - Saw: {}\n", line(&finding.message, PIECE_CHARS));
        item += &tally::waived(report, result, finding).map(|why| format!("  - {}\n", short(&why))).unwrap_or_default();
    }
    if !verdict.waived() {
        item += &format!("  - Remedy: {}\n", short(&result.manual.remedy));
    }
    item
}

fn not_tested(results: &[&ScenarioResult]) -> String {
    let Some(first) = results.first() else { return String::new() };
    let look = Look::of(&first.verdict);
    let ids: Vec<_> = results.iter().map(|result| code(&escape::prose(&result.verdict.scenario))).collect();
    let mut item = format!("- {} **{}** {}\n", look.mark, look.word, ids.join(", "));
    for reason in &first.verdict.reasons {
        item += &format!("  - {}\n", line(reason, PIECE_CHARS));
    }
    if let Some(enable) = &first.verdict.to_enable {
        let lines: Vec<_> =
            escape::lines(enable).iter().map(|line| code(&escape::shortened(line, PIECE_CHARS))).collect();
        item += &format!("  - To enable it: {}\n", lines.join(" "));
    }
    item
}

fn untested_word(report: &Report) -> String {
    let counts = &report.counts;
    let parts = [
        (counts.inconclusive, "inconclusive"),
        (counts.error, "in error"),
        (counts.skipped, "skipped"),
        (counts.not_applicable, "not applicable"),
    ];
    let parts: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    parts.join(", ")
}

fn foot(page: &mut Page, report: &Report) {
    for trouble in tally::waiver_trouble(report).iter().take(TOP) {
        page.text(&format!("‖ {}.\n\n", short(trouble)));
    }
    if page.left_out > 0 {
        page.text(&format!("{} left out for their size: the other outputs have them.\n\n", page.left_out));
    }
    page.text(&format!(
        "Run {}, ringfence {}. Everything, with the evidence, stands in the HTML report.\n",
        code(&escape::shortened(&escape::prose(&report.run.id), PIECE_CHARS)),
        code(&escape::shortened(&escape::prose(&report.run.version), PIECE_CHARS))
    ));
}

fn short(text: &str) -> String {
    prose(&escape::shortened(&escape::prose(text), PROSE_CHARS))
}

/// For a comment, which no text may end.
fn slug(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/')).collect()
}
