//! Scenarios, policies and standards as the binary holds them, and scenarios from outside.

use std::path::{Path, PathBuf};

use ringfence_judge::{Bearing, Library, LoadError, Policies, ScenarioSource, Standards, Vocabulary};
use ringfence_lab::fault::Fault;
use ringfence_model::evidence::RunHeader;
use ringfence_model::policy::Policy;
use ringfence_model::standards::{Claim, Claims, Control, Controls};

use crate::problem::Problem;

/// Files of one further folder of scenarios at most, and bytes of each: far above any real one (house).
const MAX_FILES: usize = 10_000;
const MAX_BYTES: u64 = 1024 * 1024;

/// The embedded scenarios and those of the given folders, checked.
pub fn load(folders: &[PathBuf]) -> Result<Library, Problem> {
    let standards = Kept::standards()?;
    let mut outside = vec![];
    for folder in folders {
        read_folder(folder, &mut outside)?;
    }
    let own = ringfence_scenarios::SCENARIOS.iter().map(|(path, text)| ScenarioSource { path, text, own: true });
    let outside = outside.iter().map(|(path, text)| ScenarioSource { path, text, own: false });
    let sources: Vec<ScenarioSource<'_>> = own.chain(outside).collect();
    Library::load(vocabulary(&standards), ringfence_scenarios::WORDS, &sources).map_err(refused)
}

/// The scenarios of a journal, as they were when the run began.
pub fn of_journal(header: &RunHeader) -> Result<Library, Problem> {
    let standards = Kept::standards()?;
    let named: Vec<(String, &str)> =
        header.scenarios.iter().map(|scenario| (format!("{}.toml", scenario.id), scenario.text.as_str())).collect();
    let sources: Vec<ScenarioSource<'_>> =
        named.iter().map(|(path, text)| ScenarioSource { path, text, own: false }).collect();
    Library::load(vocabulary(&standards), &header.words, &sources).map_err(refused)
}

/// What a mistyped name may have meant, one that holds it or one that is near; else where all of them are shown.
pub fn meant<'a>(wrong: &str, known: impl Iterator<Item = &'a str>, all: &str) -> String {
    let known: Vec<&str> = known.collect();
    let near = match known.iter().find(|name| wrong.len() > 2 && name.contains(wrong)) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => ringfence_judge::hint(wrong, known),
    };
    if near.is_empty() { format!("; `{all}` shows them all") } else { near }
}

/// What to say about an id that no scenario has.
pub fn no_such_scenario(library: &Library, id: &str) -> String {
    let ids = library.scenarios().map(|loaded| loaded.scenario().id.as_str());
    format!("no scenario {id:?}{}", meant(id, ids, "ringfence list"))
}

/// The embedded policy of that name.
pub fn policy(name: &str) -> Result<Policy, Problem> {
    let files: Vec<(&str, &str)> = ringfence_scenarios::policies().collect();
    let policies = Policies::load(&files).map_err(refused)?;
    policies.get(name).cloned().ok_or_else(|| {
        Problem::usage(format!("unknown policy {name:?}; one of {}", policies.names().collect::<Vec<_>>().join(", ")))
    })
}

/// The embedded policy of that name, or that of a file, which may extend an embedded one.
pub fn policy_or_file(name: &str) -> Result<Policy, Problem> {
    let path = Path::new(name);
    let own = ringfence_scenarios::policies().any(|(known, _)| known == name);
    if own || !(path.exists() || name.contains(std::path::MAIN_SEPARATOR) || name.ends_with(".toml")) {
        return policy(name);
    }
    let wrong = |error: std::io::Error| Problem::usage(format!("--policy {name}: {error}"));
    if std::fs::metadata(path).map_err(wrong)?.len() > MAX_BYTES {
        return Err(Problem::usage(format!("--policy {name}: too large to be a policy")));
    }
    let text = std::fs::read_to_string(path).map_err(wrong)?;
    let mut files: Vec<(&str, &str)> = ringfence_scenarios::policies().collect();
    files.push((name, &text));
    let policies = Policies::load(&files).map_err(refused)?;
    policies.get(name).cloned().ok_or_else(|| Problem::internal(format!("{name} was read and is not there")))
}

/// Claims and clauses as the binary holds them.
pub struct Kept {
    claims: Vec<Claim>,
    controls: Vec<Control>,
    bearings: Vec<Bearing>,
}

impl Kept {
    /// Reads the embedded files.
    pub fn standards() -> Result<Self, Problem> {
        let claims: Claims = toml::from_str(ringfence_scenarios::CLAIMS).map_err(Problem::internal)?;
        let controls: Controls = toml::from_str(ringfence_scenarios::CONTROLS).map_err(Problem::internal)?;
        let bearings = ringfence_scenarios::SCENARIOS.iter().map(|(_, text)| toml::from_str(text));
        let bearings = bearings.collect::<Result<Vec<Bearing>, _>>().map_err(Problem::internal)?;
        Ok(Self { claims: claims.claim, controls: controls.control, bearings })
    }

    /// As the judge takes them.
    pub fn view(&self) -> Standards<'_> {
        Standards { claims: &self.claims, controls: &self.controls, bearings: &self.bearings }
    }
}

fn vocabulary(kept: &Kept) -> Vocabulary {
    Vocabulary {
        claims: kept.claims.iter().map(|claim| claim.id.clone()).collect(),
        controls: kept.controls.iter().map(|control| control.id.clone()).collect(),
        faults: Fault::ALL.iter().map(|fault| fault.name().to_owned()).collect(),
        ..ringfence_runner::vocabulary()
    }
}

fn refused(errors: Vec<LoadError>) -> Problem {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Problem::usage(lines.join("\n"))
}

/// Reads `area/slug.toml` below a folder.
fn read_folder(folder: &Path, files: &mut Vec<(String, String)>) -> Result<(), Problem> {
    let wrong = |path: &Path, error: std::io::Error| Problem::usage(format!("{}: {error}", path.display()));
    let entries = |path: &Path| -> Result<Vec<PathBuf>, Problem> {
        let listed = std::fs::read_dir(path).and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect());
        let mut paths: Vec<PathBuf> = listed.map_err(|error| wrong(path, error))?;
        paths.sort();
        Ok(paths)
    };
    let before = files.len();
    for area in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        for path in entries(&area)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "toml")) {
            let size = std::fs::metadata(&path).map_err(|error| wrong(&path, error))?.len();
            if size > MAX_BYTES || files.len() >= MAX_FILES {
                return Err(Problem::usage(format!("{}: too large to be a scenario", path.display())));
            }
            let text = std::fs::read_to_string(&path).map_err(|error| wrong(&path, error))?;
            files.push((path.display().to_string(), text));
        }
    }
    if files.len() == before {
        return Err(Problem::usage(format!("{}: holds no scenario; expected <area>/<slug>.toml", folder.display())));
    }
    Ok(())
}
