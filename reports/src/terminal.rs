//! The terminal: the verdict first, then findings, then what was not tested, as loud, then the rest.

mod enumeration;
mod page;

use std::collections::HashSet;

use ringfence_model::report::{Report, ScenarioResult, Standing};
use ringfence_model::verdict::{Confidence, Level, Severity, State};

pub use enumeration::terminal_enumeration;
pub use page::Style;
use page::{Ink, Page};

use crate::sorted::{self, Sorted};
use crate::{areas, escape, facts, tally};

/// The whole report for a terminal. Colour codes stand in it only if `style` asks for them, and none comes from the
/// target.
pub fn terminal(report: &Report, style: Style) -> String {
    let sorted = Sorted::of(report);
    let mut page = Page::new(style);
    card(&mut page, report);
    if !sorted.findings.is_empty() {
        page.heading(&format!("Findings ({})", sorted.findings.len()), Ink::Alarm);
        sorted.findings.iter().for_each(|result| finding(&mut page, report, result));
    }
    if !sorted.untested.is_empty() {
        page.heading(&format!("Not tested, and why ({})", sorted.untested.len()), Ink::Warning);
        sorted::alike(&sorted.untested).iter().for_each(|results| untested(&mut page, results));
    }
    waived(&mut page, report, &sorted);
    passed(&mut page, &sorted);
    page.gap();
    last_word(&mut page, report);
    run_line(&mut page, report);
    next(&mut page, report, &sorted);
    page.finish()
}

/// The verdict, and what was seen of each finding: for `demo` and `--quiet`.
pub fn terminal_brief(report: &Report, style: Style) -> String {
    let sorted = Sorted::of(report);
    let mut page = Page::new(style);
    card(&mut page, report);
    page.gap();
    for result in &sorted.findings {
        headline(&mut page, result);
        page.text(2, Ink::Strong, &escape::prose(&result.title));
        for finding in &result.verdict.findings {
            page.labelled("saw", Ink::Plain, &escape::line(&finding.message));
        }
        page.verbatim("again", Ink::Calm, &[escape::prose(&result.reproduce)]);
    }
    for result in sorted.untested.iter().filter(|r| r.verdict.required() && r.verdict.state != State::NotApplicable) {
        headline(&mut page, result);
        reasons(&mut page, result);
    }
    page.text(0, Ink::Strong, &tally::tally(report));
    page.finish()
}

fn card(page: &mut Page, report: &Report) {
    let gate = &report.gate;
    let (ink, word) = verdict_word(page, report);
    page.barred(ink, &format!("{word}: {}", tally::target_name(report)));
    page.barred(Ink::Strong, &escape::prose(&gate.sentence));
    let others: Vec<_> =
        gate.conditions.iter().filter(|e| **e != gate.exit).map(|e| format!("{} {}", e.code(), e.meaning())).collect();
    page.barred(Ink::Plain, &format!("exit code {}: {}", gate.code, gate.exit.meaning()));
    if !others.is_empty() {
        page.barred(Ink::Plain, &format!("also: {}", others.join("; ")));
    }
    page.barred(
        Ink::Plain,
        &format!("gate: closes at {} and above; policy: {}", gate.fail_on.word(), escape::prose(&report.run.policy)),
    );
    if !report.run.complete {
        let why = report.run.signal.as_deref().map(|s| format!(" by {}", escape::prose(s))).unwrap_or_default();
        page.barred(Ink::Warning, &format!("the run was ended early{why}: what follows is not everything"));
    }
    if let Some(not_asked) = tally::not_asked(report) {
        page.barred(Ink::Warning, &not_asked);
    }
}

fn verdict_word(page: &Page, report: &Report) -> (Ink, String) {
    let (ink, mark) = match report.gate.code {
        0 => (Ink::Good, page.mark("✓", "OK")),
        1 => (Ink::Alarm, page.mark("✗", "X")),
        _ => (Ink::Warning, page.mark("?", "?")),
    };
    (ink, format!("{mark} {}", escape::prose(&report.gate.word).to_uppercase()))
}

fn headline(page: &mut Page, result: &ScenarioResult) {
    let verdict = &result.verdict;
    let id = escape::prose(&verdict.scenario);
    let (mark, word, ink) = match verdict.state {
        State::Fail if verdict.waived() => (page.mark("‖", "="), "waived", Ink::Middle),
        State::Fail => {
            (severity_mark(page, verdict.severity), verdict.severity.word(), Ink::of_severity(verdict.severity))
        }
        state => (page.mark("?", "?"), state.word(), Ink::of_state(state)),
    };
    page.text(0, ink, &format!("{mark} {word}  {id}"));
}

fn severity_mark(page: &Page, severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => page.mark("◆", "#"),
        Severity::High => page.mark("▲", "^"),
        Severity::Medium => page.mark("●", "*"),
        Severity::Low => page.mark("■", "-"),
    }
}

fn finding(page: &mut Page, report: &Report, result: &ScenarioResult) {
    headline(page, result);
    page.text(2, Ink::Strong, &escape::prose(&result.title));
    circumstances(page, result);
    let mut shown = HashSet::new();
    for finding in &result.verdict.findings {
        if let Some(why) = tally::waived(report, result, finding) {
            page.labelled("saw", Ink::Faint, &format!("{} ({why})", escape::line(&finding.message)));
            continue;
        }
        let own = match finding.severity == result.verdict.severity {
            true => String::new(),
            false => format!("({}) ", finding.severity.word()),
        };
        page.labelled("saw", Ink::Plain, &format!("{own}{}", escape::line(&finding.message)));
        page.labelled("expected", Ink::Plain, &escape::prose(&finding.expected));
        // What an earlier finding of the same scenario has shown is not shown again.
        let decisive = facts::decisive(result, finding).into_iter().filter(|row| shown.insert(row.clone()));
        for (i, (field, value)) in decisive.enumerate() {
            page.labelled(if i == 0 { "evidence" } else { "" }, Ink::Plain, &format!("{field} = {value}"));
        }
    }
    notes(page, result);
    page.labelled("why", Ink::Plain, &escape::prose(&result.manual.why));
    page.labelled("remedy", Ink::Plain, &escape::prose(&result.manual.remedy));
    page.verbatim("again", Ink::Calm, &[escape::prose(&result.reproduce)]);
    page.gap();
}

/// Results that have one reason in common.
fn untested(page: &mut Page, results: &[&ScenarioResult]) {
    let [others @ .., result] = results else { return };
    for other in others {
        headline(page, other);
        page.text(2, Ink::Strong, &escape::prose(&other.title));
    }
    headline(page, result);
    page.text(2, Ink::Strong, &escape::prose(&result.title));
    if others.is_empty() {
        circumstances(page, result);
    }
    reasons(page, result);
    if let Some(text) = &result.verdict.to_enable {
        page.verbatim("to enable", Ink::Calm, &escape::lines(text));
    }
    if matches!(result.verdict.state, State::Inconclusive | State::Error) {
        for step in &result.evidence {
            let seen: Vec<_> = facts::telling(step).iter().map(|(field, value)| format!("{field} = {value}")).collect();
            let seen = match &step.not_asked {
                Some(why) => format!("not asked: {}", escape::prose(why)),
                None => seen.join(", "),
            };
            page.labelled(
                "evidence",
                Ink::Plain,
                &format!("{} ({}): {seen}", escape::prose(&step.step), escape::prose(&step.probe)),
            );
        }
        notes(page, result);
        page.verbatim("again", Ink::Calm, &[escape::prose(&result.reproduce)]);
    }
    page.gap();
}

fn reasons(page: &mut Page, result: &ScenarioResult) {
    for (i, reason) in result.verdict.reasons.iter().enumerate() {
        page.labelled(if i == 0 { "reason" } else { "" }, Ink::Plain, &escape::line(reason));
    }
}

fn notes(page: &mut Page, result: &ScenarioResult) {
    result.verdict.notes.iter().for_each(|note| page.labelled("note", Ink::Plain, &escape::line(note)));
}

/// What tempers a verdict, where something does.
fn circumstances(page: &mut Page, result: &ScenarioResult) {
    let verdict = &result.verdict;
    let mut said = vec![match verdict.level {
        Level::Must => "must".to_owned(),
        Level::Should => "should".to_owned(),
        Level::Info => "for information, does not count for the gate".to_owned(),
    }];
    if verdict.confidence == Confidence::Low {
        said.push(format!("low confidence: {} tries gave different answers", verdict.tries));
    } else if verdict.tries > 1 {
        said.push(format!("{} tries agree", verdict.tries));
    }
    said.extend(verdict.findings.iter().find_map(|finding| finding.standing).map(|standing| match standing {
        Standing::New => "new".to_owned(),
        Standing::Reopened => "reopened: it was fixed before".to_owned(),
        Standing::Unchanged => "in the baseline".to_owned(),
    }));
    page.text(2, Ink::Faint, &said.join(", "));
}

/// What is accepted, until when and why; and the waivers that need a hand.
fn waived(page: &mut Page, report: &Report, sorted: &Sorted) {
    let trouble = tally::waiver_trouble(report);
    if sorted.waived.is_empty() && trouble.is_empty() {
        return;
    }
    page.heading(&format!("Waived ({})", sorted.waived.len()), Ink::Middle);
    for result in &sorted.waived {
        headline(page, result);
        page.text(2, Ink::Strong, &escape::prose(&result.title));
        for finding in &result.verdict.findings {
            page.labelled("saw", Ink::Plain, &escape::line(&finding.message));
            tally::waived(report, result, finding).iter().for_each(|why| page.labelled("", Ink::Plain, why));
        }
    }
    trouble.iter().for_each(|text| page.text(0, Ink::Warning, text));
}

fn passed(page: &mut Page, sorted: &Sorted) {
    if sorted.passed.is_empty() {
        return;
    }
    page.heading(&format!("Passed ({})", sorted.passed.len()), Ink::Good);
    for group in sorted.passed.chunk_by(|a, b| areas::area(&a.verdict.scenario) == areas::area(&b.verdict.scenario)) {
        let area = group.first().map_or("", |r| areas::area(&r.verdict.scenario));
        let slugs: Vec<_> = group
            .iter()
            .map(|r| escape::prose(r.verdict.scenario.split_once('/').map_or("", |(_, slug)| slug)))
            .collect();
        page.labelled(&escape::prose(area), Ink::Plain, &slugs.join(", "));
        group.iter().flat_map(|r| r.verdict.notes.iter().map(move |note| (r, note))).for_each(|(r, note)| {
            let id = escape::prose(&r.verdict.scenario);
            page.labelled("", Ink::Faint, &format!("note on {id}: {}", escape::line(note)));
        });
    }
}

/// The last word repeats the first: a long report has pushed that off the screen.
fn last_word(page: &mut Page, report: &Report) {
    let (ink, word) = verdict_word(page, report);
    page.text(0, ink, &format!("{word} (exit code {})", report.gate.code));
    page.text(0, Ink::Strong, &tally::tally(report));
    tally::delta(report).iter().for_each(|delta| page.text(0, Ink::Plain, delta));
}

fn run_line(page: &mut Page, report: &Report) {
    let run = &report.run;
    let mut parts =
        vec![format!("run {}", escape::prose(&run.id)), format!("{} wall", facts::duration(run.duration_ms))];
    parts.extend(run.cpu_ms.map(|ms| format!("{} CPU", facts::duration(ms))));
    parts.extend(run.peak_rss_kib.map(|kib| format!("{} peak memory", facts::memory(kib))));
    parts.push(tally::count(run.steps, "step"));
    parts.push(tally::count(run.conversations, "conversation"));
    page.text(0, Ink::Faint, &parts.join(", "));
}

/// What to do now: the worst thing first. Nothing where all is well.
fn next(page: &mut Page, report: &Report, sorted: &Sorted) {
    let open = sorted.untested.iter().find(|r| matches!(r.verdict.state, State::Inconclusive | State::Error));
    let command = match (sorted.findings.first(), open) {
        (Some(result), _) => explain(report, &result.verdict.scenario),
        (None, Some(_)) if !report.run.complete => report.run.command.clone(),
        (None, Some(result)) => result.reproduce.clone(),
        (None, None) => return,
    };
    page.verbatim("next", Ink::Calm, &[escape::prose(&command)]);
}

/// The command that explains a scenario. One from outside needs the folders that the run had.
fn explain(report: &Report, id: &str) -> String {
    let words: Vec<&str> = report.run.command.split(" --").skip(1).collect();
    let folders = words.iter().filter(|word| word.starts_with("scenarios ")).map(|word| format!(" --{word}"));
    format!("ringfence explain {id}{}", folders.collect::<String>())
}
