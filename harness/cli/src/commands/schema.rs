//! `ringfence schema`: the JSON Schemas of all formats, as the binary holds them.

use ringfence_model::Exit;

use crate::args::SchemaArgs;
use crate::library;
use crate::outputs;
use crate::problem::Problem;

/// Runs the command.
pub fn schema(args: &SchemaArgs) -> Result<Exit, Problem> {
    let Some(wanted) = &args.name else {
        let names: Vec<&str> = schemas().map(|(name, _)| name).collect();
        outputs::print(&format!("{}\n", names.join("\n")))?;
        return Ok(Exit::Clean);
    };
    let found = schemas().find(|(name, _)| name == wanted).map(|(_, text)| text);
    let text = found.ok_or_else(|| {
        let hint = library::meant(wanted, schemas().map(|(name, _)| name), "ringfence schema");
        Problem::usage(format!("no schema {wanted:?}{hint}"))
    })?;
    outputs::print(text)?;
    Ok(Exit::Clean)
}

/// Names and texts.
fn schemas() -> impl Iterator<Item = (&'static str, &'static str)> {
    let name = |path: &'static str| path.trim_start_matches("schema/").trim_end_matches(".json");
    ringfence_scenarios::SCHEMAS.iter().map(move |(path, text)| (name(path), *text))
}
