//! Scenarios that are sound, ready to be asked and judged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ringfence_model::evidence::ScenarioText;
use ringfence_model::scenario::{Scenario, Step};
use ringfence_model::verdict::{Level, Severity};
use serde_json::{Map, Value};

use crate::check::Checked;
use crate::fingerprint::fingerprint;
use crate::template::Template;
use crate::truth::{Cause, Truth, compute, holds};
use crate::values::{Variables, to_json};
use crate::vocabulary::{Known, Vocabulary};
use crate::words::Words;

/// Scenarios by id, with the words that they use.
pub struct Library {
    pub(crate) known: Arc<Known>,
    pub(crate) words: Arc<Words>,
    pub(crate) words_text: String,
    pub(crate) scenarios: BTreeMap<String, Loaded>,
}

/// One scenario, checked.
pub struct Loaded {
    pub(crate) scenario: Scenario,
    pub(crate) text: String,
    pub(crate) own: bool,
    pub(crate) steps: Vec<LoadedStep>,
    pub(crate) severity_if: Vec<SeverityRule>,
    pub(crate) not_applicable: Vec<Rule>,
    pub(crate) inconclusive: Vec<Rule>,
    pub(crate) note: Vec<Rule>,
    pub(crate) expect: Vec<LoadedExpect>,
    pub(crate) words: BTreeSet<String>,
    pub(crate) policy: BTreeSet<String>,
}

/// What a step computes.
pub(crate) struct LoadedStep {
    pub when: Option<Condition>,
    pub control: Option<Condition>,
    pub computed: BTreeMap<String, Condition>,
    pub inputs: Vec<String>,
}

/// An expression with the text that it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub text: String,
    pub checked: Checked,
}

/// A condition with a sentence.
pub(crate) struct Rule {
    pub when: Condition,
    pub sentence: Template,
}

/// A change of severity or level.
pub(crate) struct SeverityRule {
    pub when: Condition,
    pub severity: Option<Severity>,
    pub level: Option<Level>,
}

/// Something that must hold, once, or once per step of `each`.
pub(crate) struct LoadedExpect {
    pub severity: Option<Severity>,
    pub conditions: Vec<ExpectOne>,
}

/// One condition of an expectation.
pub(crate) struct ExpectOne {
    /// The step that `it` stands for.
    pub step: Option<String>,
    pub that: Condition,
    pub otherwise: Template,
}

impl ExpectOne {
    /// The fingerprint of a finding that this condition makes.
    pub(crate) fn fingerprint(&self, scenario: &str, target: &str) -> String {
        fingerprint(scenario, target, &self.that.text, self.step.as_deref())
    }
}

/// A computed parameter has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parameter `{parameter}` of step `{step}` cannot be computed: {}", crate::reason::say(.causes))]
pub struct WithError {
    /// The step.
    pub step: String,
    /// The parameter.
    pub parameter: String,
    /// What it lacks.
    pub causes: Vec<Cause>,
}

impl Library {
    /// All scenarios, by id.
    pub fn scenarios(&self) -> impl Iterator<Item = &Loaded> {
        self.scenarios.values()
    }

    /// The scenario of that id.
    pub fn get(&self, id: &str) -> Option<&Loaded> {
        self.scenarios.get(id)
    }

    /// What scenarios may speak of.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.known.words
    }

    /// The text of the words, as the journal keeps it.
    pub fn words_text(&self) -> &str {
        &self.words_text
    }

    /// The texts of these scenarios, as the journal keeps them.
    pub fn texts<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Vec<ScenarioText> {
        let text = |id| self.get(id).map(|loaded| ScenarioText { id: String::from(id), text: loaded.text.clone() });
        ids.into_iter().filter_map(text).collect()
    }

    /// The fingerprints of all findings that these scenarios can make on a target of that name.
    pub fn fingerprints(&self, target: &str) -> BTreeSet<String> {
        let of = |loaded: &Loaded| {
            let id = &loaded.scenario.id;
            loaded.conditions().map(|(_, one)| one.fingerprint(id, target)).collect::<Vec<_>>()
        };
        self.scenarios().flat_map(of).collect()
    }

    /// A fresh set of variables for one try of a chain: `target` as the journal's header has it, the policy resolved.
    pub fn variables(&self, target: &Value, policy: &Value) -> Variables {
        Variables::new(self.known.clone(), target, policy)
    }
}

impl Loaded {
    /// The scenario as its file says it.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is one of ringfence's own.
    pub fn is_own(&self) -> bool {
        self.own
    }

    /// Names of the earlier steps that a step's parameters name. A held call lives until the last step that names it.
    pub fn inputs(&self, step: &str) -> &[String] {
        self.step(step).map_or(&[], |(_, loaded)| &loaded.inputs)
    }

    /// Whether a step is asked: true where it has no `when`. Not asked unless this is [`Truth::True`].
    pub fn when(&self, step: &str, variables: &Variables) -> Truth {
        let when = self.step(step).and_then(|(_, loaded)| loaded.when.as_ref());
        when.map_or(Truth::True, |condition| holds(&condition.checked, variables))
    }

    /// Whether a control holds; `None` for a step that is none.
    pub fn control(&self, step: &str, variables: &Variables) -> Option<Truth> {
        let condition = self.step(step)?.1.control.as_ref()?;
        Some(holds(&condition.checked, variables))
    }

    /// A step's parameters, the computed ones with their values.
    ///
    /// # Errors
    /// [`WithError`] where a computed one reads what was not seen: the step's input is missing.
    pub fn with(&self, step: &str, variables: &Variables) -> Result<Map<String, Value>, WithError> {
        let Some((given, loaded)) = self.step(step) else { return Ok(Map::new()) };
        let mut with = Map::new();
        for (name, value) in &given.with {
            let value = match loaded.computed.get(name) {
                None => value.clone(),
                Some(condition) => compute(&condition.checked, variables)
                    .and_then(|value| to_json(&value).ok_or_else(|| vec![Cause::Failed(condition.text.clone())]))
                    .map_err(|causes| WithError { step: step.into(), parameter: name.clone(), causes })?,
            };
            with.insert(name.clone(), value);
        }
        Ok(with)
    }

    pub(crate) fn step(&self, name: &str) -> Option<(&Step, &LoadedStep)> {
        self.scenario.step.iter().zip(&self.steps).find(|(step, _)| step.name == name)
    }

    /// The conditions of all expectations.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = (&LoadedExpect, &ExpectOne)> {
        self.expect.iter().flat_map(|expect| expect.conditions.iter().map(move |one| (expect, one)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::{good_call, load, object, scenario, target};

    const STEPS: &str = r#"
[[step]]
name = "a"
probe = "call"
control = "a.answered"
[[step]]
name = "m"
probe = "media-attack"
when = "target.session_scope && a.status == 200"
with = { call = "a", count = { cel = "policy.consent_s + a.status" } }
[[verdict.expect]]
that = "live(m)"
else = "e"
"#;

    #[test]
    fn the_runner_asks_what_to_do_next() {
        let library = load(&[("a/b.toml", &scenario("a/b", STEPS))]).unwrap_or_else(|errors| panic!("{errors:?}"));
        let loaded = library.get("a/b").unwrap_or_else(|| panic!("not there"));
        let mut variables = library.variables(&target(), &json!({ "consent_s": 30 }));
        assert_eq!((loaded.inputs("a"), loaded.inputs("m")), (&[][..], &["a".to_owned()][..]));
        assert_eq!(loaded.when("a", &variables), Truth::True);
        assert_eq!(loaded.when("m", &variables), Truth::Unknown(vec![Cause::NotSeen("a".into())]));
        let missing = loaded.with("m", &variables).map_err(|error| error.to_string());
        assert_eq!(missing, Err("parameter `count` of step `m` cannot be computed: `a` was not seen".into()));
        variables.saw("a", "call", &good_call());
        assert_eq!(loaded.control("a", &variables), Some(Truth::True));
        assert_eq!(loaded.control("m", &variables), None);
        assert_eq!(loaded.when("m", &variables), Truth::True);
        assert_eq!(loaded.with("m", &variables), Ok(object(json!({ "call": "a", "count": 230 }))));
        variables.saw("a", "call", &object(json!({ "outcome": "timeout" })));
        assert_eq!(loaded.control("a", &variables).and_then(|truth| truth.known()), None);
    }
}
