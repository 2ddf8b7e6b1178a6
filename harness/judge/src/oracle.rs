//! What a report's word is worth: which oracle showed the far side of a call, and what was proved on the lab only.

use ringfence_model::report::{Basis, Method, OracleUse, ScenarioResult, StepEvidence};
use serde_json::Value;

/// Probes that send media, or bend what carries it.
const MEDIA: [&str; 7] = ["call", "media-attack", "rekey", "ice-attack", "dtls-attack", "receive-call", "flood"];

/// Counts of our own markers that came back.
const ECHOED: [&str; 5] =
    ["/media/echoed", "/media/early_echoed", "/attack_echoed", "/new_keys_echoed", "/old_keys_echoed"];

/// For each scenario that sent media and got an answer to any of it: what showed the far side.
pub(crate) fn oracles(results: &[ScenarioResult]) -> Vec<OracleUse> {
    let mut uses = Vec::new();
    for result in results {
        let mut media =
            result.evidence.iter().filter(|step| MEDIA.contains(&step.probe.as_str()) && was_asked(step)).peekable();
        if media.peek().is_none() {
            continue;
        }
        let best = media.map(oracle).max().unwrap_or(Oracle::None);
        uses.push(OracleUse { scenario: result.verdict.scenario.clone(), oracle: best.word().to_owned() });
    }
    uses
}

/// From the weakest to the one that tells most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Oracle {
    None,
    ReceiverReports,
    Echo,
    Callee,
}

impl Oracle {
    const fn word(self) -> &'static str {
        match self {
            Oracle::None => "none",
            Oracle::ReceiverReports => "receiver-reports",
            Oracle::Echo => "echo",
            Oracle::Callee => "callee",
        }
    }
}

fn was_asked(step: &StepEvidence) -> bool {
    let outcome = step.observation.get("outcome").and_then(Value::as_str);
    outcome.is_some_and(|outcome| !["unreachable", "out-of-scope", "budget"].contains(&outcome))
}

fn oracle(step: &StepEvidence) -> Oracle {
    let seen = Value::Object(step.observation.clone());
    let echoed = ECHOED.iter().any(|count| seen.pointer(count).and_then(Value::as_i64).is_some_and(|count| count > 0));
    // A call that rings the harness itself: what came out was seen at the far end.
    let callee = step.probe == "receive-call" || step.with.get("target").and_then(Value::as_str) == Some("callee");
    match seen["oracle"].as_str() {
        _ if echoed && callee => Oracle::Callee,
        Some("echo") => Oracle::Echo,
        Some("reports") => Oracle::ReceiverReports,
        _ if echoed => Oracle::Echo,
        _ => Oracle::None,
    }
}

/// What was seen on the real product, and what was proved on the lab only.
pub(crate) fn basis(results: &[ScenarioResult], method: &Method) -> Basis {
    let lab = !method.scope.is_empty() && method.scope.iter().all(|scope| scope.owner == "lab");
    let unproved: Vec<String> =
        results.iter().filter(|result| result.proved.is_none()).map(|result| result.verdict.scenario.clone()).collect();
    let proved = results.len().saturating_sub(unproved.len()) as u64;
    let sentence = sentence(lab, proved, unproved.len() as u64);
    Basis { lab, proved, unproved, sentence }
}

fn sentence(lab: bool, proved: u64, unproved: u64) -> String {
    let seen = if lab {
        "Everything here was seen on a lab, a simulator of a deployment: it says nothing about any product."
    } else {
        "Every verdict is what was seen on this target."
    };
    let all = proved + unproved;
    let can_fail = match (proved, unproved) {
        (0, 0) => return seen.to_owned(),
        (0, _) => "That the scenarios can fail has been shown nowhere".to_owned(),
        (_, 0) => "That each scenario fails where what it looks for is there was proved on the lab only, with a fault built in"
            .to_owned(),
        _ => format!(
            "That a scenario fails where what it looks for is there was proved on the lab only, with a fault built in, \
             for {proved} of {all}, and nowhere for the others"
        ),
    };
    format!("{seen} {can_fail}.")
}

#[cfg(test)]
mod tests;
