//! The two-sided proof of every scenario: the healthy lab passes it, its own fault fails it, and each other fault leaves
//! its verdict as it was, except what `also_trips` lists.
//!
//! A scenario is asked of a healthy lab first, which records the faults that its conversations can meet; only these are
//! then tried on it. The others cannot change what it sees. A scenario that needs a browser takes half a minute and meets
//! nearly every fault, so it is tried on its own, and on those that list it in `also_trips`; what the others do to a call is
//! shown by the scenarios that place one without a browser. The same holds for disruptive ones, which place calls too and run
//! alone, since another's load looks like an outage. `RINGFENCE_PROOF=full` tries all pairs and must agree;
//! `RINGFENCE_PROOF_ONLY=area/slug,…` tries these scenarios alone, and leaves the snapshot of the matrix as it is.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use ringfence_client::browser::INSTALL;
use ringfence_judge::{Library, Loaded};
use ringfence_lab::fault::Fault;
use ringfence_model::verdict::{Intrusion, State};
use support::{ask, library};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Labs that run at once: each is mostly waiting (house).
const LABS_AT_ONCE: u32 = 12;
/// Chains with a browser that run at once: a browser takes a core while it starts (house).
const BROWSERS_AT_ONCE: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_is_proved_from_both_sides() {
    let library = Arc::new(library());
    let pages = Pages::of(&library);
    let browser = support::browser().is_some();
    if !browser {
        // Past the capture of the test runner: who runs this should read it.
        let _ = writeln!(std::io::stderr(), "not proved, for want of a browser: {:?}. {INSTALL}", pages.browser);
    }
    let all = library.scenarios().map(|loaded| loaded.scenario().id.clone());
    let only = std::env::var("RINGFENCE_PROOF_ONLY").ok();
    let wanted = |id: &str| only.as_ref().is_none_or(|only| only.split(',').any(|one| one == id));
    let ids: Vec<String> = all.filter(|id| wanted(id) && (browser || !pages.browser.contains(id))).collect();
    let (labs, browsers) =
        (Arc::new(Semaphore::new(LABS_AT_ONCE as usize)), Arc::new(Semaphore::new(BROWSERS_AT_ONCE)));
    let spawn = |tasks: &mut JoinSet<_>, id: String, fault: Option<Fault>| {
        let (gate, places) = match (pages.browser.contains(&id), pages.disruptive.contains(&id)) {
            (true, _) => (browsers.clone(), 1),
            (_, true) => (labs.clone(), LABS_AT_ONCE), // alone, as in a run
            _ => (labs.clone(), 1),
        };
        let library = library.clone();
        tasks.spawn(async move {
            let _turn = gate.acquire_many_owned(places).await.expect("never closed");
            let asked = ask(library, &id, fault).await;
            (id, fault, asked)
        });
    };

    let mut tasks = JoinSet::new();
    ids.iter().for_each(|id| spawn(&mut tasks, id.clone(), None));
    let mut healthy: BTreeMap<String, State> = BTreeMap::new();
    let mut met: BTreeMap<String, BTreeSet<Fault>> = BTreeMap::new();
    while let Some(done) = tasks.join_next().await {
        let (id, _, asked) = done.expect("no scenario panics");
        assert_eq!(asked.verdict.state, State::Pass, "the healthy lab, asked {id}: {:#?}", asked.verdict);
        healthy.insert(id.clone(), asked.verdict.state);
        met.insert(id, asked.met);
    }

    let full = std::env::var("RINGFENCE_PROOF").is_ok_and(|value| value == "full");
    for id in &ids {
        for fault in Fault::ALL.into_iter().filter(|fault| full || met[id].contains(fault) && pages.tells(id, *fault)) {
            spawn(&mut tasks, id.clone(), Some(fault));
        }
    }
    let mut cells: BTreeMap<(Fault, String), State> = BTreeMap::new();
    while let Some(done) = tasks.join_next().await {
        let (id, fault, asked) = done.expect("no scenario panics");
        let fault = fault.expect("only broken labs are left");
        let own =
            library.get(&id).and_then(|loaded| loaded.scenario().proof.as_ref()).map(|proof| proof.fault.as_str());
        if own == Some(fault.name()) {
            assert_eq!(
                asked.verdict.state,
                State::Fail,
                "{id} with its own fault {}: {:#?}",
                fault.name(),
                asked.verdict
            );
        }
        if asked.verdict.state != State::Pass || met[&id].contains(&fault) && pages.tells(&id, fault) {
            cells.insert((fault, id), asked.verdict.state);
        }
    }

    unexplained(&library, &cells, only.is_some());
    if browser && only.is_none() {
        insta::assert_snapshot!("matrix", matrix(&ids, &cells));
    }
}

/// The scenarios that need a browser, those that are disruptive, and for each of their faults the scenarios that it trips.
#[derive(Default)]
struct Pages {
    browser: BTreeSet<String>,
    disruptive: BTreeSet<String>,
    trips: BTreeSet<(String, String)>,
}

impl Pages {
    fn of(library: &Library) -> Self {
        let mut pages = Self::default();
        let all = library.scenarios().map(Loaded::scenario);
        for scenario in all {
            if scenario.needs.iter().any(|need| need == "browser") {
                pages.browser.insert(scenario.id.clone());
            } else if scenario.intrusion == Intrusion::Disruptive {
                pages.disruptive.insert(scenario.id.clone());
            } else {
                continue;
            }
            if let Some(proof) = &scenario.proof {
                let tripped = std::iter::once(&scenario.id).chain(&proof.also_trips);
                pages.trips.extend(tripped.map(|id| (proof.fault.clone(), id.clone())));
            }
        }
        pages
    }

    /// Whether this pair is tried without being asked for all of them.
    fn tells(&self, id: &str, fault: Fault) -> bool {
        let few = self.browser.contains(id) || self.disruptive.contains(id);
        !few || self.trips.contains(&(fault.name().to_owned(), id.to_owned()))
    }
}

/// Every fault proves a scenario of ours, and fails no other that its `also_trips` does not list.
fn unexplained(library: &Library, cells: &BTreeMap<(Fault, String), State>, partly: bool) {
    for fault in Fault::ALL.into_iter().filter(|fault| !partly || cells.keys().any(|(cell, _)| cell == fault)) {
        let proves: Vec<_> = library
            .scenarios()
            .map(Loaded::scenario)
            .filter(|scenario| scenario.proof.as_ref().is_some_and(|proof| proof.fault == fault.name()))
            .collect();
        assert_eq!(proves.len(), 1, "the fault {} proves one scenario", fault.name());
        let also = proves[0].proof.as_ref().map(|proof| proof.also_trips.as_slice()).unwrap_or_default();
        for missing in also.iter().filter(|id| library.get(id).is_none()) {
            println!("also_trips of {} names {missing}, which does not exist yet", proves[0].id);
        }
        for ((cell_fault, id), state) in cells.iter().filter(|((cell_fault, _), _)| *cell_fault == fault) {
            let explained = *id == proves[0].id || also.contains(id) || *state == State::Pass;
            assert!(explained, "{} makes {id} {}: a reason in also_trips, or a bug", cell_fault.name(), state.word());
        }
    }
}

/// One line per fault: what it changes, and how many scenarios it was tried on.
fn matrix(ids: &[String], cells: &BTreeMap<(Fault, String), State>) -> String {
    let mut text = format!("healthy lab: all {} pass\n", ids.len());
    for fault in Fault::ALL {
        let of_fault = || cells.iter().filter(move |((cell, _), _)| *cell == fault);
        let changed: Vec<String> = of_fault()
            .filter(|(_, state)| **state != State::Pass)
            .map(|((_, id), state)| format!("{id} {}", state.word()))
            .collect();
        let same: Vec<&str> = of_fault().filter(|(_, s)| **s == State::Pass).map(|((_, id), _)| id.as_str()).collect();
        writeln!(text, "\n{}\n  changes: {}", fault.name(), changed.join(", ")).unwrap();
        writeln!(text, "  met, and still pass: {}", if same.is_empty() { "-".into() } else { same.join(", ") })
            .unwrap();
    }
    text
}
