//! `ringfence explain`: one scenario for people: why, how, what must hold, what to do.

use ringfence_judge::{Explanation, explain as explanation};
use ringfence_model::{Exit, Untrusted};
use ringfence_reports::Style;

use crate::args::ExplainArgs;
use crate::commands::list::{intrusion, level};
use crate::problem::Problem;
use crate::terminal::paragraph;
use crate::{library, outputs};

/// Runs the command.
pub fn explain(args: &ExplainArgs, style: Style) -> Result<Exit, Problem> {
    let library = library::load(&args.library.scenarios)?;
    let standards = library::Kept::standards()?;
    let Some(explained) = explanation(&library, &args.id, standards.view()) else {
        return Err(Problem::usage(library::no_such_scenario(&library, &args.id)));
    };
    outputs::print(&text(&explained, style.width))?;
    Ok(Exit::Clean)
}

fn text(explained: &Explanation, width: usize) -> String {
    let scenario = &explained.scenario;
    let wrapped = |text: &str, indent: usize| paragraph(&Untrusted::new(text).visible(), indent, width);
    let mut text = format!("{}\n{}\n", scenario.id, wrapped(&scenario.title, 0));
    text.push_str(&format!(
        "severity {}, level {}, {}; adapters: {}; needs: {}\n",
        scenario.severity.word(),
        level(scenario),
        intrusion(scenario),
        scenario.adapters.join(" "),
        if scenario.needs.is_empty() { "nothing".to_owned() } else { scenario.needs.join(" ") },
    ));
    let manual = &scenario.manual;
    for (heading, body) in
        [("Why", &manual.why), ("How", &manual.how), ("Remedy", &manual.remedy), ("Limits", &manual.limits)]
    {
        text.push_str(&format!("\n{heading}\n{}", wrapped(&body.split_whitespace().collect::<Vec<_>>().join(" "), 4)));
    }
    text.push_str("\nSteps\n");
    for step in &scenario.step {
        let with: Vec<String> = step.with.iter().map(|(name, value)| format!("{name}={value}")).collect();
        text.push_str(&format!("    {:<4} {} {}\n", step.name, step.probe, with.join(" ")));
        if let Some(control) = &step.control {
            text.push_str(&format!("         control: {control}\n"));
        }
    }
    text.push_str("\nWhat must hold\n");
    for expect in &scenario.verdict.expect {
        let each =
            if expect.each.is_empty() { String::new() } else { format!("for each of {}: ", expect.each.join(" ")) };
        text.push_str(&format!("    {each}{}\n        else: {}\n", expect.that, expect.otherwise));
    }
    for (heading, rules) in
        [("Not applicable", &scenario.verdict.not_applicable), ("Inconclusive", &scenario.verdict.inconclusive)]
    {
        if !rules.is_empty() {
            text.push_str(&format!("\n{heading}\n"));
            rules.iter().for_each(|rule| text.push_str(&format!("    {}\n        when: {}\n", rule.why, rule.when)));
        }
    }
    if !explained.words.is_empty() {
        text.push_str("\nWords\n");
        explained.words.iter().for_each(|word| text.push_str(&wrapped(&format!("{}: {}", word.form, word.means), 4)));
    }
    if !explained.claims.is_empty() || !explained.controls.is_empty() {
        text.push_str("\nReferences\n");
        let claims = explained.claims.iter().map(|claim| format!("{}: {}", claim.id, claim.statement));
        let controls = explained.controls.iter().map(|control| format!("{}: {}", control.id, control.meaning));
        claims.chain(controls).for_each(|line| text.push_str(&wrapped(&line, 4)));
    }
    if let Some(proof) = &scenario.proof {
        text.push_str(&format!("\nProof\n    ringfence lab --fault {}\n", proof.fault));
    }
    text
}
