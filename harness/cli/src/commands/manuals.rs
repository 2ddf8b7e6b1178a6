//! `ringfence completions` and `ringfence man`: made from the command line's own definition.

use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;
use ringfence_model::Exit;

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::outputs;
use crate::problem::Problem;

/// Prints completions.
pub fn completions(args: &CompletionsArgs) -> Result<Exit, Problem> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ringfence", &mut text);
    outputs::print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Clean)
}

/// Prints the manual page, or writes one for each command.
pub fn man(args: &ManArgs) -> Result<Exit, Problem> {
    let mut whole = Cli::command();
    whole.build();
    let Some(folder) = &args.folder else {
        outputs::print(&page(whole)?)?;
        return Ok(Exit::Clean);
    };
    let failed = |path: &Path, error: std::io::Error| Problem::output(format!("{}: {error}", path.display()));
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let commands = whole.get_subcommands().filter(|command| command.get_name() != "help").cloned();
    let pages: Vec<clap::Command> = std::iter::once(whole.clone()).chain(commands).collect();
    for command in pages {
        // `ringfence run` has the page ringfence-run(1).
        let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
        let path = folder.join(format!("{name}.1"));
        std::fs::write(&path, page(command)?).map_err(|error| failed(&path, error))?;
        complain!("{}", path.display());
    }
    Ok(Exit::Clean)
}

fn page(command: clap::Command) -> Result<String, Problem> {
    let mut text = Vec::new();
    Man::new(command).render(&mut text).map_err(Problem::internal)?;
    String::from_utf8(text).map_err(Problem::internal)
}
