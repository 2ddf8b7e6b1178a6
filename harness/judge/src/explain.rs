//! What a scenario means, for people: data that a command line prints.

use ringfence_model::scenario::Scenario;
use ringfence_model::standards::{Claim, Control};

use crate::library::Library;
use crate::report::Standards;

/// A scenario with everything that it refers to.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The scenario.
    pub scenario: Scenario,
    /// Its steps with what their probes do.
    pub probes: Vec<(String, String)>,
    /// The words that it uses.
    pub words: Vec<WordUsed>,
    /// The claims that it bears on.
    pub claims: Vec<Claim>,
    /// The clauses that it bears on.
    pub controls: Vec<Control>,
    /// The fields of the policy that it reads.
    pub policy: Vec<String>,
}

/// A word of the catalogue, in one of its readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordUsed {
    /// How it is called: `media(c: call)`.
    pub form: String,
    /// What it means, in one line.
    pub means: String,
}

/// Explains a scenario; `None` if there is none of that id.
pub fn explain(library: &Library, id: &str, standards: Standards<'_>) -> Option<Explanation> {
    let loaded = library.get(id)?;
    let scenario = loaded.scenario().clone();
    let does =
        |probe: &str| library.vocabulary().probes.get(probe).map_or_else(String::new, |probe| probe.does.clone());
    let words = loaded.words.iter().flat_map(|name| library.words.readings(name));
    Some(Explanation {
        probes: scenario.step.iter().map(|step| (step.name.clone(), does(&step.probe))).collect(),
        words: words.map(|word| WordUsed { form: word.to_string(), means: word.means.clone() }).collect(),
        claims: standards.claims.iter().filter(|claim| scenario.claims.contains(&claim.id)).cloned().collect(),
        controls: standards
            .controls
            .iter()
            .filter(|control| scenario.controls.contains(&control.id))
            .cloned()
            .collect(),
        policy: loaded.policy.iter().cloned().collect(),
        scenario,
    })
}
