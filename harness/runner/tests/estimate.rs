//! What a run would take, told before it begins.

mod support;

use std::path::Path;

use ringfence_model::scenario::Scenario;
use ringfence_model::target::Target;
use ringfence_model::verdict::Intrusion;
use ringfence_runner::{Selection, estimate, plan};

fn target(more: &str) -> Target {
    let text = format!(
        "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.test/t\"\npage = \"https://c.test/\"\n\
         [destinations.call]\nuri = \"configured\"\necho = true\n{more}"
    );
    Target::parse(&text, Path::new("t.toml")).expect("the target file is right")
}

#[test]
fn a_scenario_costs_what_its_steps_cost() {
    let library = support::library();
    let target = target("[declared]\nsession_end_s = 7\ncredential_life_s = 40\n");
    let policy = support::policy("webrtc-mti");
    let only = |id: &str| Selection { only: vec![id.into()], ..Selection::default() };
    let of = |id: &str, tries| {
        let scenarios = library.scenarios().map(|loaded| loaded.scenario());
        let plan = plan(scenarios, &target, &only(id), false);
        assert_eq!(plan.chains, [id], "{:?}", plan.left_out);
        estimate(&plan, &library, &target, &policy, tries)
    };
    let call = of("media/fingerprint-mismatch-as-client", 3);
    let [scenario] = call.scenarios.as_slice() else { panic!("{call:?}") };
    // Two controls of 2 s and the call of 6 s, each with a configuration of its own.
    assert_eq!((scenario.sums.calls, scenario.sums.mints, scenario.sums.seconds), (3, 3, 10), "{scenario:?}");
    assert_eq!((scenario.intrusion, scenario.at_once.calls), (Intrusion::Active, 1));
    assert_eq!((call.once.calls, call.at_most.calls, call.at_most.seconds), (3, 9, 30));
    // The wait is as long as the target file declares.
    let hang_up = of("tokens/credentials-survive-hangup", 1);
    assert!(hang_up.once.calls >= 1 && hang_up.once.seconds >= 7, "{hang_up:?}");
    assert_eq!(hang_up.once, hang_up.at_most);
    // The life that the target file declares, the policy's leeway of a minute, and a second more.
    assert_eq!(of("tokens/expired-accepted", 1).once.seconds, 101);
}

#[test]
fn all_of_them_are_summed() {
    let (library, target, policy) = (support::library(), target(""), support::policy("webrtc-mti"));
    let scenarios: Vec<&Scenario> = library.scenarios().map(|loaded| loaded.scenario()).collect();
    let plan = plan(scenarios.into_iter(), &target, &Selection::default(), true);
    let whole = estimate(&plan, &library, &target, &policy, 3);
    let ids: Vec<&String> = whole.scenarios.iter().map(|scenario| &scenario.scenario).collect();
    assert_eq!(ids, plan.chains.iter().collect::<Vec<_>>());
    assert_eq!(whole.once.calls, whole.scenarios.iter().map(|scenario| scenario.sums.calls).sum::<u64>());
    assert_eq!(whole.at_most.seconds, whole.once.seconds * 3);
    assert!(whole.once.calls > 10 && whole.once.allocations > 0 && whole.once.connections > whole.once.calls);
}
