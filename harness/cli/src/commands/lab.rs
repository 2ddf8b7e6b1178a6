//! `ringfence lab`: serves the embedded lab until Ctrl-C, and prints a target file for it.

use std::io::Write;

use ringfence_judge::Loaded;
use ringfence_lab::fault::Fault;
use ringfence_lab::media::external::Program;
use ringfence_lab::{Lab, LabError, LabOptions};
use ringfence_model::Exit;

use crate::args::LabArgs;
use crate::problem::Problem;
use crate::{library, signals};

/// Runs the command.
pub async fn lab(args: LabArgs) -> Result<Exit, Problem> {
    if args.list_faults {
        return list_faults();
    }
    let fault = args.fault.as_deref().map(named).transpose()?;
    // Made only where it is needed: a lab that is killed cannot take it along.
    let temporary = match &args.folder {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("ringfence-lab-").tempdir().map_err(Problem::output)?),
    };
    let folder = args.folder.clone().or_else(|| temporary.as_ref().map(|folder| folder.path().to_owned()));
    let folder = folder.ok_or_else(|| Problem::internal("no folder for the lab"))?;
    std::fs::create_dir_all(&folder).map_err(|error| Problem::output(format!("{}: {error}", folder.display())))?;
    // Absolute, so that the printed target file works from everywhere.
    let folder = std::path::absolute(&folder).map_err(Problem::output)?;
    let callee = args.callee.map(|command| Program { command });
    let mut stop = signals::listen("ending the lab");
    let LabArgs { phone, relay_only, .. } = args;
    let options = LabOptions { fault, callee, phone, relay_only, ..LabOptions::healthy(&folder) };
    let lab = Lab::start(options).await.map_err(|error| match error {
        LabError::Phone { .. } => Problem::usage(error),
        error => Problem::internal(error),
    })?;

    let mut out = std::io::stdout().lock();
    let printed = write!(out, "{}", lab.target_file()).and_then(|()| out.flush());
    printed.map_err(Problem::output)?;
    drop(out);
    let state = fault.map_or("healthy".to_owned(), |fault| format!("{}: {}", fault.name(), fault.effect()));
    complain!("the lab is up ({state})");
    complain!("target file: {}", lab.target_path().display());
    let target = crate::terminal::quoted(&lab.target_path().display().to_string());
    complain!("in another terminal: {} run --target {target}", crate::terminal::program());
    complain!("Ctrl-C ends it");
    // The sender lives in a task of its own for as long as the process.
    let _ = stop.wait_for(Option::is_some).await;
    lab.stop().await;
    Ok(Exit::Clean)
}

fn named(name: &str) -> Result<Fault, Problem> {
    Fault::from_name(name).ok_or_else(|| {
        let names = Fault::ALL.iter().map(|fault| fault.name());
        Problem::usage(format!("unknown fault {name:?}{}", library::meant(name, names, "ringfence lab --list-faults")))
    })
}

fn list_faults() -> Result<Exit, Problem> {
    let library = library::load(&[])?;
    for fault in Fault::ALL {
        let mut scenarios = library.scenarios().map(Loaded::scenario);
        let proves = scenarios.find(|scenario| scenario.proof.as_ref().is_some_and(|p| p.fault == fault.name()));
        let proves = proves.map_or("no scenario yet", |scenario| scenario.id.as_str());
        tell!("{:<32} {}\n{:<32} proves {proves}", fault.name(), fault.effect(), "");
    }
    Ok(Exit::Clean)
}
