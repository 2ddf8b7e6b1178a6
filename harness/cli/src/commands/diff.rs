//! `ringfence diff`: compares two runs of one target, finding by finding.

use std::fmt::Write;

use ringfence_judge::{Changed, Diff, diff as compare};
use ringfence_model::untrusted::inert_json;
use ringfence_model::{Exit, Untrusted};

use crate::args::DiffArgs;
use crate::problem::Problem;
use crate::{against, outputs, recorded};

/// Runs the command. Exit 1 where something is new or back.
pub fn diff(args: &DiffArgs) -> Result<Exit, Problem> {
    let (before, after) = (recorded::read(&args.before, None)?, recorded::read(&args.after, None)?);
    let baseline =
        args.baseline.as_deref().map(|path| against::baseline(path, Some(against::target(&after)))).transpose()?;
    let diff = compare(&before, &after, baseline.as_ref()).map_err(|(before, after)| {
        Problem::usage(format!(
            "these are runs of two targets, {before:?} and {after:?}: their findings are not comparable"
        ))
    })?;
    let text = if args.json {
        inert_json(&serde_json::to_string_pretty(&diff).map_err(Problem::internal)?) + "\n"
    } else {
        text(&diff)
    };
    outputs::print(&text)?;
    Ok(if diff.worse() { Exit::Findings } else { Exit::Clean })
}

/// Each list that is not empty, the gravest first, and the numbers of all.
fn text(diff: &Diff) -> String {
    let mut text = String::new();
    let lists = [
        ("new", &diff.new),
        ("reopened", &diff.reopened),
        ("fixed", &diff.fixed),
        ("waived", &diff.waived),
        ("not judged again", &diff.not_judged),
        ("unchanged", &diff.unchanged),
    ];
    for (what, findings) in lists.iter().filter(|(_, findings)| !findings.is_empty()) {
        let _ = writeln!(text, "{what}");
        for Changed { scenario, title, step, severity, fingerprint } in *findings {
            let step = step.as_ref().map(|step| format!(", step {step}")).unwrap_or_default();
            let _ = writeln!(text, "  {:<8}  {}", severity.word(), inert(&format!("{scenario}{step}")));
            let _ = writeln!(text, "            {}\n            {}", inert(title), inert(fingerprint));
        }
        text.push('\n');
    }
    if !diff.states.is_empty() {
        text.push_str("other changes\n");
        for change in &diff.states {
            let _ = writeln!(text, "  {}: {}, before {}", inert(&change.scenario), change.after, change.before);
        }
        text.push('\n');
    }
    for remark in &diff.remarks {
        let _ = writeln!(text, "note: {}", inert(remark));
    }
    let numbers: Vec<String> = lists.iter().map(|(what, findings)| format!("{} {what}", findings.len())).collect();
    let _ = writeln!(text, "{}: {}", inert(&diff.target), numbers.join(", "));
    text
}

/// A report is a file like any other: its texts must not move a cursor.
fn inert(text: &str) -> String {
    Untrusted::from(text).visible()
}
