//! `ringfence demo`: the gate against the embedded lab, healthy and broken. Loopback only.

use std::sync::Arc;
use std::time::Instant;

use ringfence_lab::fault::Fault;
use ringfence_lab::{Lab, LabOptions};
use ringfence_model::Exit;
use ringfence_model::report::Report;
use ringfence_model::target::Target;
use ringfence_model::verdict::{Severity, State};
use ringfence_reports::{Format, Style, render, terminal_brief, write_atomically};
use ringfence_runner::{Journal, Selection};

use crate::against::Against;
use crate::commands::run::Asking;
use crate::problem::Problem;
use crate::{library, outputs, progress, signals};

/// What is wrong with the second lab: it plays audio that anybody can forge.
const FAULT: Fault = Fault::SrtpTagIgnored;

/// Where `ringfence lab --folder lab` puts the target file.
const LAB_TARGET: &str = "lab/target.toml";

/// Runs the command.
pub async fn demo(style: Style) -> Result<Exit, Problem> {
    let begun = Instant::now();
    let folder = std::path::absolute("ringfence-out").map_err(Problem::output)?;
    std::fs::create_dir_all(&folder).map_err(|error| Problem::output(format!("{}: {error}", folder.display())))?;
    let stop = signals::listen("ending calls and writing what was seen");
    let mut reports = vec![];
    for (fault, name) in [(None, "demo-healthy"), (Some(FAULT), "demo-broken")] {
        match fault {
            None => tell!("1. A healthy deployment on loopback: HTTPS, SIP over WSS, ICE, DTLS-SRTP, TURN."),
            Some(fault) => tell!("\n2. The same with one fault: {}.", fault.effect()),
        }
        tell!("   Calling it; this takes some ten seconds.\n");
        let report = ask(fault, stop.clone()).await?;
        outputs::print(&terminal_brief(&report, style))?;
        let path = folder.join(format!("{name}.html"));
        let page = render(Format::Html, &report).map_err(Problem::internal)?;
        write_atomically(&path, &page, true).map_err(Problem::output)?;
        tell!("  html        {}", path.display());
        if let Some(signal) = *stop.borrow() {
            return Ok(if signal == "SIGINT" { Exit::Interrupted } else { Exit::Terminated });
        }
        reports.push(report);
    }
    let [healthy, broken] = reports.as_slice() else { return Err(Problem::internal("the demo lost a report")) };
    tell!(
        "\nThe gate let the healthy one through (exit {}) and blocked the broken one (exit {}), in {:.0} s.",
        healthy.gate.code,
        broken.gate.code,
        begun.elapsed().as_secs_f64()
    );
    let right =
        healthy.gate.exit == Exit::Clean && broken.gate.exit == Exit::Findings && only_own_scenario_fails(broken);
    if !right {
        return Err(Problem::internal("the demo did not come out as it should: green, then red for its own reason"));
    }
    let program = crate::terminal::program();
    tell!("\nTo see all of it yourself, in one terminal, then in another:");
    tell!("  {program} lab --fault {} --folder lab", FAULT.name());
    tell!("  {program} run --target {LAB_TARGET}");
    tell!("For a deployment of your own, write a target file as README.md shows.");
    Ok(Exit::Clean)
}

async fn ask(
    fault: Option<Fault>,
    stop: tokio::sync::watch::Receiver<Option<&'static str>>,
) -> Result<Report, Problem> {
    let folder = tempfile::Builder::new().prefix("ringfence-demo-").tempdir().map_err(Problem::output)?;
    let lab =
        Lab::start(LabOptions { fault, ..LabOptions::healthy(folder.path()) }).await.map_err(Problem::internal)?;
    let target = Target::read(lab.target_path()).map_err(Problem::internal)?;
    let library = Arc::new(library::load(&[])?);
    let journal = Journal::new(Box::new(std::io::sink()));
    let policy = library::policy(&target.policy)?;
    // The demo's own lab is gone when its report is read: what asks again is told for one that stays.
    let command = format!("ringfence run --target {LAB_TARGET}");
    // Calls alone tell the story, in seconds; a browser would take a minute.
    let asking = Asking {
        target,
        library: library.clone(),
        policy,
        selection: Selection::default(),
        tries: 3,
        browser: None,
        command,
    };
    asking.ask(&journal, progress::only_live(), stop).await?;
    lab.stop().await;
    journal
        .read(|journal| outputs::judged(journal, &library, None, Severity::Low, &Against::default(), &[]))
        .ok_or_else(|| Problem::internal("the run left no journal"))?
}

fn only_own_scenario_fails(report: &Report) -> bool {
    let failed: Vec<&str> =
        report.results.iter().filter(|r| r.verdict.state == State::Fail).map(|r| r.verdict.scenario.as_str()).collect();
    failed == ["media/forged-packet-accepted"]
}
