//! `ringfence init`: a commented target file to fill in, from an address where that can tell.

mod look;
mod template;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use ringfence_model::Exit;
use ringfence_model::target::Target;
use url::Url;

use crate::args::InitArgs;
use crate::outputs;
use crate::problem::Problem;
use look::Found;

/// Runs the command.
pub async fn init(args: InitArgs) -> Result<Exit, Problem> {
    let to_stdout = args.file == Path::new("-");
    if !to_stdout && !args.force && std::fs::symlink_metadata(&args.file).is_ok() {
        let path = args.file.display();
        return Err(Problem::output(format!("{path}: is there already; --force replaces it, --file names another")));
    }
    let url = args.url.as_deref().map(read_url).transpose()?;
    let found = match &url {
        Some(url) if !args.offline => look::at(url, args.ca_file.as_deref()).await?,
        Some(_) | None => Found::nothing("nobody was asked"),
    };
    complain!("{}", found.said);
    let text = template::text(url.as_ref(), &found, args.adapter, args.ca_file.as_deref());
    // What is written has to be readable, whatever the answer held.
    Target::parse(&text, &args.file).map_err(Problem::internal)?;
    if to_stdout {
        outputs::print(&text)?;
        return Ok(Exit::Clean);
    }
    write(&args.file, &text, args.force)
        .map_err(|error| Problem::output(format!("{}: {error}", args.file.display())))?;
    let path = args.file.display();
    complain!(
        "written to {path}; fill in what it asks for, then\n    ringfence check {path}\n    ringfence plan --target {path}"
    );
    Ok(Exit::Clean)
}

fn read_url(text: &str) -> Result<Url, Problem> {
    let url = Url::parse(text).map_err(|error| Problem::usage(format!("{text:?} is no address: {error}")))?;
    match url.scheme() {
        "https" if url.has_host() => Ok(url),
        "http" => {
            Err(Problem::usage(format!("{text:?}: a target file holds https addresses; give that of the same place")))
        }
        scheme => Err(Problem::usage(format!("{text:?}: expected https, and not {scheme}"))),
    }
}

fn write(path: &Path, text: &str, force: bool) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    match force {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    options.open(path)?.write_all(text.as_bytes())
}
