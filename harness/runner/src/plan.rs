//! The plan: which scenarios are asked of this target, in which order, and why the others are not.

use ringfence_client::browser::INSTALL;
use ringfence_client::net::{Owners, PERMISSION};
use ringfence_model::evidence::{LeftOut, Plan};
use ringfence_model::scenario::{Scenario, Step};
use ringfence_model::target::{Endpoint, Need, Target, Value};
use ringfence_model::verdict::Intrusion;
use url::Url;

use crate::Profile;
use crate::limits::{cost, intrusion};

/// The need that a machine has to meet as well as a target file.
pub(crate) const BROWSER: &str = "browser";

/// What of the library is wanted.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Ids, or areas as `area/*`; empty: what the profile asks for.
    pub only: Vec<String>,
    /// How much is asked for where nothing is named.
    pub profile: Profile,
}

impl Selection {
    fn wants(&self, id: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|pattern| matches(pattern, id))
    }

    /// A scenario that the profile leaves out, unless it was named.
    fn unasked(&self, scenario: &Scenario) -> Option<LeftOut> {
        let profile = Profile::of(scenario);
        (self.only.is_empty() && !self.profile.asks(scenario)).then(|| LeftOut {
            scenario: scenario.id.clone(),
            not_applicable: false,
            why: format!("the profile `{}` does not ask for it", self.profile.word()),
            to_enable: Some(format!("--profile {}", profile.word())),
        })
    }

    /// Patterns that no scenario matches.
    pub fn unmatched<'a>(&'a self, ids: &[&str]) -> Vec<&'a str> {
        self.only.iter().map(String::as_str).filter(|pattern| !ids.iter().any(|id| matches(pattern, id))).collect()
    }
}

fn matches(pattern: &str, id: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => id.starts_with(prefix),
        None => pattern == id,
    }
}

/// Decides what is asked; `browser` says whether there is one. Passive chains come first and disruptive ones last; within that, the order of ids.
pub fn plan<'a>(
    scenarios: impl Iterator<Item = &'a Scenario>,
    target: &Target,
    selection: &Selection,
    browser: bool,
) -> Plan {
    let mut plan = Plan::default();
    let mut chains: Vec<(Intrusion, bool, &str)> = vec![];
    for scenario in scenarios.filter(|scenario| selection.wants(&scenario.id)) {
        let unasked = || selection.unasked(scenario);
        match obstacle(scenario, target, browser).or_else(unasked) {
            None => chains.push((intrusion(scenario), !waits(scenario), &scenario.id)),
            Some(left_out) => plan.left_out.push(left_out),
        }
    }
    chains.sort();
    plan.chains = chains.into_iter().map(|(.., id)| id.to_owned()).collect();
    plan
}

/// Such scenarios begin first, so that the others are asked while they wait.
fn waits(scenario: &Scenario) -> bool {
    scenario.step.iter().any(|step| step.probe == "wait")
}

/// Why a scenario is not asked of this target, if it is not.
fn obstacle(scenario: &Scenario, target: &Target, browser: bool) -> Option<LeftOut> {
    let left_out = |not_applicable, why: String, to_enable: Option<&str>| {
        Some(LeftOut { scenario: scenario.id.clone(), not_applicable, why, to_enable: to_enable.map(str::to_owned) })
    };
    let adapter = target.adapter.word();
    if !scenario.adapters.iter().any(|name| name == "any" || name == adapter) {
        return left_out(true, format!("does not apply to the adapter `{adapter}`"), None);
    }
    let consent = (intrusion(scenario) == Intrusion::Disruptive).then_some("disruptive-consent");
    for word in scenario.needs.iter().map(String::as_str).chain(consent) {
        match target.need(word) {
            Some(Need::Given) if word == BROWSER && !browser => {
                return left_out(false, "there is no browser for it".into(), Some(INSTALL));
            }
            Some(Need::Given) => {}
            Some(Need::DeclaredNone) => {
                return left_out(true, format!("the target declares that it has no {word}"), None);
            }
            Some(Need::Missing(line)) => {
                return left_out(false, format!("the target file gives no {word}"), Some(line));
            }
            None => return left_out(false, format!("this version does not know the need {word}"), None),
        }
    }
    let host = beyond_a_visitor(scenario, target)?;
    left_out(false, format!("{host} is a vendor's and gets only what a visitor's client does"), Some(PERMISSION))
}

/// The vendor's host that a step is certain to ask for more than a visitor's client does. What only a configuration names is
/// seen when the step is asked.
fn beyond_a_visitor(scenario: &Scenario, target: &Target) -> Option<String> {
    let owners = Owners::new(target);
    let given = |step: &&Step| step.needs.iter().all(|word| target.need(word) == Some(Need::Given));
    let more = |step: &&Step| {
        let cost = cost(step);
        cost.intrusion != Intrusion::Passive && (cost.connections > 0 || cost.calls > 0)
    };
    let steps = scenario.step.iter().filter(given).filter(more);
    if owners.withhold_all() && steps.clone().next().is_some() {
        return Some("every host of the scope".into());
    }
    steps.filter_map(|step| host(step, target)).find(|host| owners.withholds(host))
}

/// The host that a step asks, where the target file says which.
fn host(step: &Step, target: &Target) -> Option<String> {
    let named = step.with.get("endpoint").and_then(|name| name.as_str());
    let text = match (named, step.probe.as_str()) {
        (Some(name), _) => url_of(target, name)?,
        (None, "fetch-config") => url_of(target, "config")?,
        (None, "scan-page" | "browse-page") => url_of(target, "page")?,
        (None, "use-token") if step.with.get("at").is_some_and(|at| at == "config") => url_of(target, "config")?,
        (None, "call" | "register" | "sip-request" | "open-websocket" | "use-token") => match &target.sip.ws_uri {
            Some(Value::Text(url)) => url,
            _ => return None,
        },
        _ => return None,
    };
    Url::parse(text).ok()?.host_str().map(str::to_owned)
}

fn url_of<'a>(target: &'a Target, name: &str) -> Option<&'a str> {
    match target.endpoints.get(name) {
        Endpoint::Url(url) => Some(url),
        Endpoint::Absent | Endpoint::DeclaredNone => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn without_a_browser_its_scenarios_are_skipped_with_the_line_that_installs_one() {
        let scenario: Scenario = toml::from_str(
            "id = \"page/x\"\ntitle = \"x\"\nseverity = \"low\"\nlevel = \"must\"\nintrusion = \"active\"\nadapters = [\"any\"]\n\
             needs = [\"browser\"]\nstep = []\n[manual]\nwhy = \"\"\nhow = \"\"\nremedy = \"\"\nlimits = \"\"\n[verdict]\nexpect = []\n",
        )
        .unwrap();
        let target = |page: &str| {
            let text =
                format!("name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.test/t\"\n{page}");
            Target::parse(&text, Path::new("t.toml")).unwrap()
        };
        let planned =
            |page: &str, browser| plan([&scenario].into_iter(), &target(page), &Selection::default(), browser);
        let button = "[page]\nstart = \"#call\"\n";
        assert_eq!(planned(button, true).chains, ["page/x"]);
        let left_out = planned(button, false).left_out;
        assert_eq!(left_out[0].to_enable.as_deref(), Some(INSTALL));
        assert!(!left_out[0].not_applicable && INSTALL.starts_with("apt-get install chromium"));
        // What to click is asked for first: it is the operator's to say.
        assert!(planned("", false).left_out[0].to_enable.as_ref().is_some_and(|line| line.contains("[page]")));
    }
}
