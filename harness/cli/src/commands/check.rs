//! `ringfence check`: target and scenario files, without asking anybody anything.

use std::path::{Path, PathBuf};

use ringfence_client::Net;
use ringfence_model::Exit;
use ringfence_model::target::Target;
use ringfence_probes::{Ledger, learn_own};
use ringfence_runner::{consent, today};

use crate::args::CheckArgs;
use crate::problem::Problem;
use crate::{library, outputs};

/// Runs the command: every file is looked at, whatever is wrong with the others.
pub fn check(args: &CheckArgs) -> Result<Exit, Problem> {
    if args.targets.is_empty() && args.library.scenarios.is_empty() {
        return Err(Problem::usage("nothing to check: name a target file, or --scenarios DIR"));
    }
    let mut wrong = Vec::new();
    let mut said = String::new();
    for path in &args.targets {
        match target(path) {
            Ok(lines) => said.push_str(&format!("{}: well-formed\n{lines}", path.display())),
            Err(problems) => wrong.extend(problems),
        }
    }
    match library::load(&args.library.scenarios) {
        Ok(library) if !args.library.scenarios.is_empty() => {
            let folders: Vec<String> =
                args.library.scenarios.iter().map(|folder| folder.display().to_string()).collect();
            let number = library.scenarios().count() - ringfence_scenarios::SCENARIOS.len();
            said.push_str(&format!("{}: {number} scenarios, well-formed\n", folders.join(", ")));
        }
        Ok(_) => {}
        Err(problem) => wrong.push(problem.message),
    }
    outputs::print(&said)?;
    if wrong.is_empty() { Ok(Exit::Clean) } else { Err(Problem::usage(wrong.join("\n"))) }
}

/// What there is to say about a sound file, or all that is wrong with it.
fn target(path: &Path) -> Result<String, Vec<String>> {
    let target = Target::read(path).map_err(|error| vec![error.to_string()])?;
    let at = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let mut wrong = Vec::new();
    if let Err(problem) = library::policy(&target.policy) {
        wrong.push(at(&problem.message));
    }
    if let Err(error) = Net::new(&target) {
        wrong.push(at(&error));
    }
    // Reads every secret that the file names, and keeps none.
    if let Err(error) = learn_own(&Ledger::default(), &target) {
        wrong.push(at(&error));
    }
    let files = |list: &[PathBuf], name: &str| -> Vec<String> {
        let missing = list.iter().filter(|file| !file.exists());
        missing.map(|file| at(&format!("{name}: {} is not there", file.display()))).collect()
    };
    wrong.extend(files(&target.files.log, "files.log"));
    wrong.extend(files(&target.files.bundle, "files.bundle"));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let today = today();
    let mut said: Vec<String> =
        consent::notes(&target, &today).iter().map(|note| format!("    note: {note}\n")).collect();
    if let Some(why) = consent::refusal(&target, &today) {
        said.push(format!("    a run would not begin: {}\n", why.replace('\n', "\n    ")));
    }
    Ok(said.concat())
}
