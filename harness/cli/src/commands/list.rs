//! `ringfence list`: the scenarios, and with a target which of them would be asked.

use std::io::IsTerminal;

use ringfence_judge::Loaded;
use ringfence_model::Exit;
use ringfence_model::scenario::Scenario;
use ringfence_model::target::Target;
use ringfence_reports::Style;
use ringfence_runner::consent::on_day;
use ringfence_runner::{Selection, plan, today};
use serde_json::json;

use crate::args::ListArgs;
use crate::problem::Problem;
use crate::terminal::paragraph;
use crate::{browser, library, outputs};

/// Runs the command.
pub fn list(args: &ListArgs, style: Style) -> Result<Exit, Problem> {
    let library = library::load(&args.library.scenarios)?;
    let scenarios: Vec<&Scenario> = library.scenarios().map(Loaded::scenario).collect();
    let target = args.target.as_deref().map(Target::read).transpose().map_err(Problem::usage)?;
    let target = target.map(|target| on_day(target, &today()));
    let browser = browser::find(&args.browser)?.is_some();
    let plan = target.as_ref().map(|target| plan(scenarios.iter().copied(), target, &Selection::default(), browser));
    let left_out = |id: &str| plan.as_ref()?.left_out.iter().find(|left_out| left_out.scenario == id);
    if args.json {
        let rows = scenarios.iter().map(|scenario| {
            let mut row = json!({
                "id": scenario.id, "title": scenario.title, "severity": scenario.severity, "level": scenario.level,
                "intrusion": scenario.intrusion, "needs": scenario.needs,
            });
            if plan.is_some() {
                row["asked"] = left_out(&scenario.id).is_none().into();
                row["why_not"] = json!(left_out(&scenario.id).map(|left_out| &left_out.why));
            }
            row
        });
        let text = serde_json::to_string_pretty(&rows.collect::<Vec<_>>()).map_err(Problem::internal)?;
        outputs::print(&format!("{text}\n"))?;
        return Ok(Exit::Clean);
    }
    let mut text = String::new();
    for scenario in &scenarios {
        let marks = format!("{} {} {}", scenario.severity.word(), level(scenario), intrusion(scenario));
        let head = format!("{:<34} {marks:<22}", scenario.id);
        // One line each for grep and wide terminals; a narrow one would break it in the middle of a word.
        let whole = head.chars().count() + 1 + scenario.title.chars().count();
        if std::io::stdout().is_terminal() && whole > style.width {
            text.push_str(&format!("{}\n{}", head.trim_end(), paragraph(&scenario.title, 4, style.width)));
        } else {
            text.push_str(&format!("{head} {}\n", scenario.title));
        }
        if let Some(left_out) = left_out(&scenario.id) {
            text.push_str(&format!("    not asked: {}\n", left_out.why));
            for line in left_out.to_enable.iter().flat_map(|lines| lines.lines()) {
                text.push_str(&format!("        {line}\n"));
            }
        }
    }
    if let Some(plan) = &plan {
        text.push_str(&format!("\n{} of {} would be asked\n", plan.chains.len(), scenarios.len()));
    }
    outputs::print(&text)?;
    Ok(Exit::Clean)
}

/// The written word of a scenario's level.
pub fn level(scenario: &Scenario) -> &'static str {
    use ringfence_model::verdict::Level;
    match scenario.level {
        Level::Must => "must",
        Level::Should => "should",
        Level::Info => "info",
    }
}

/// The written word of what a scenario does to the target.
pub fn intrusion(scenario: &Scenario) -> &'static str {
    use ringfence_model::verdict::Intrusion;
    match scenario.intrusion {
        Intrusion::Passive => "passive",
        Intrusion::Active => "active",
        Intrusion::Disruptive => "disruptive",
    }
}
