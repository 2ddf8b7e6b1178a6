//! `ringfence plan`: what a run would ask, how often and how intrusively. Nobody is asked anything.

use ringfence_judge::Loaded;
use ringfence_model::Exit;
use ringfence_model::evidence::{LeftOut, Plan};
use ringfence_model::target::Target;
use ringfence_model::verdict::Intrusion;
use ringfence_reports::Style;
use ringfence_runner::{Estimate, Selection, Sums, consent, estimate, plan as plan_of, today};
use serde_json::{Value, json};

use crate::args::PlanArgs;
use crate::commands::run::check_selection;
use crate::problem::Problem;
use crate::terminal::paragraph;
use crate::{browser, library, outputs};

/// Runs the command.
pub fn plan(args: &PlanArgs, style: Style) -> Result<Exit, Problem> {
    let target = Target::read(&args.target).map_err(Problem::usage)?;
    let library = library::load(&args.library.scenarios)?;
    let policy = library::policy(args.policy.as_deref().unwrap_or(&target.policy))?;
    let selection = Selection { only: args.only.clone(), profile: args.profile };
    check_selection(&library, &selection)?;
    let browser = browser::find(&args.browser)?.is_some();
    let plan = plan_of(library.scenarios().map(Loaded::scenario), &target, &selection, browser);
    let estimate = estimate(&plan, &library, &target, &policy, args.tries);
    let refusal = consent::refusal(&target, &today());
    let text = match args.json {
        true => {
            let json = as_json(&plan, &estimate, &target, refusal.as_deref());
            format!("{}\n", serde_json::to_string_pretty(&json).map_err(Problem::internal)?)
        }
        false => as_text(&plan, &estimate, &target, args.tries, refusal.as_deref(), style),
    };
    outputs::print(&text)?;
    Ok(Exit::Clean)
}

fn as_text(
    plan: &Plan,
    estimate: &Estimate,
    target: &Target,
    tries: u32,
    refusal: Option<&str>,
    style: Style,
) -> String {
    let mut text = format!("{:<38} {:<11} calls  connections  relays  fetches  seconds\n", "asked", "intrusion");
    for one in &estimate.scenarios {
        text.push_str(&row(&one.scenario, intrusion(one.intrusion), one.sums));
    }
    text.push('\n');
    text.push_str(&row("each once", "", estimate.once));
    text.push_str(&row(&format!("each {tries} times, at most"), "", estimate.at_most));
    let budget = target.budget;
    let minutes = format!("{} min", budget.minutes);
    text.push_str(&format!("{:<38} {:<11} {:>5}{minutes:>43}\n", "budget", "", budget.calls));
    if estimate.once.calls > u64::from(budget.calls) {
        text.push_str(
            "\nnot every call fits into the budget: raise budget.calls, or name fewer scenarios with --only\n",
        );
    }
    text.push_str("\nSeconds are those of audio and of waiting; chains overlap, so a run is shorter than their sum.\n");
    let groups = groups(&plan.left_out);
    if !groups.is_empty() {
        text.push_str(&format!(
            "\nnot asked: {} of {}\n",
            plan.left_out.len(),
            plan.left_out.len() + plan.chains.len()
        ));
    }
    for (why, to_enable, ids) in groups {
        text.push_str(&paragraph(&format!("{why}: {}", ids.join(", ")), 4, style.width));
        for line in to_enable.iter().flat_map(|lines| lines.lines()) {
            text.push_str(&format!("        {line}\n"));
        }
    }
    if let Some(why) = refusal {
        text.push_str(&format!("\na run would not begin: {why}\n"));
    }
    text
}

fn row(name: &str, intrusion: &str, sums: Sums) -> String {
    let Sums { calls, connections, allocations, mints, seconds } = sums;
    format!("{name:<38} {intrusion:<11} {calls:>5}  {connections:>11}  {allocations:>6}  {mints:>7}  {seconds:>7}\n")
}

/// What is left out, by reason.
fn groups(left_out: &[LeftOut]) -> Vec<(&str, Option<&str>, Vec<&str>)> {
    let mut groups: Vec<(&str, Option<&str>, Vec<&str>)> = Vec::new();
    for one in left_out {
        let (why, to_enable) = (one.why.as_str(), one.to_enable.as_deref());
        match groups.iter_mut().find(|group| (group.0, group.1) == (why, to_enable)) {
            Some(group) => group.2.push(&one.scenario),
            None => groups.push((why, to_enable, vec![&one.scenario])),
        }
    }
    groups
}

fn as_json(plan: &Plan, estimate: &Estimate, target: &Target, refusal: Option<&str>) -> Value {
    let sums = |sums: Sums| {
        json!({ "calls": sums.calls, "connections": sums.connections, "allocations": sums.allocations,
            "fetches": sums.mints, "seconds": sums.seconds })
    };
    let asked = estimate.scenarios.iter().map(|one| {
        let mut row = sums(one.sums);
        row["scenario"] = one.scenario.as_str().into();
        row["intrusion"] = intrusion(one.intrusion).into();
        row
    });
    json!({
        "asked": asked.collect::<Vec<_>>(),
        "once": sums(estimate.once),
        "at_most": sums(estimate.at_most),
        "budget": target.budget,
        "left_out": plan.left_out,
        "refused": refusal,
    })
}

const fn intrusion(intrusion: Intrusion) -> &'static str {
    match intrusion {
        Intrusion::Passive => "passive",
        Intrusion::Active => "active",
        Intrusion::Disruptive => "disruptive",
    }
}
