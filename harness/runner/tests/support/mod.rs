//! What the tests of the runner share: the embedded library, and asking one scenario of one lab.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use ringfence_client::browser::{INSTALL, find};
use ringfence_judge::{Library, Policies, ScenarioSource, Vocabulary, judge};
use ringfence_lab::fault::Fault;
use ringfence_lab::{Lab, LabOptions};
use ringfence_model::policy::Policy;
use ringfence_model::standards::{Claims, Controls};
use ringfence_model::target::Target;
use ringfence_model::verdict::Verdict;
use ringfence_runner::{Job, Journal, Selection, Watcher, run};
use tokio::sync::watch;

/// The embedded scenarios, checked.
pub fn library() -> Library {
    let sources: Vec<ScenarioSource<'_>> =
        ringfence_scenarios::SCENARIOS.iter().map(|(path, text)| ScenarioSource { path, text, own: true }).collect();
    load(&sources)
}

/// One scenario from outside, checked.
pub fn library_of(path: &str, text: &str) -> Library {
    load(&[ScenarioSource { path, text, own: false }])
}

fn load(sources: &[ScenarioSource<'_>]) -> Library {
    let claims: Claims = toml::from_str(ringfence_scenarios::CLAIMS).expect("claims");
    let controls: Controls = toml::from_str(ringfence_scenarios::CONTROLS).expect("controls");
    let vocabulary = Vocabulary {
        claims: claims.claim.into_iter().map(|claim| claim.id).collect(),
        controls: controls.control.into_iter().map(|control| control.id).collect(),
        faults: Fault::ALL.iter().map(|fault| fault.name().to_owned()).collect(),
        ..ringfence_runner::vocabulary()
    };
    Library::load(vocabulary, ringfence_scenarios::WORDS, sources)
        .unwrap_or_else(|errors| panic!("{}", errors.iter().map(|error| format!("{error}\n")).collect::<String>()))
}

/// The embedded policy of that name.
pub fn policy(name: &str) -> Policy {
    let files: Vec<(&str, &str)> = ringfence_scenarios::policies().collect();
    let policies = Policies::load(&files).expect("the embedded policies load");
    policies.get(name).expect("it exists").clone()
}

/// The browser of this machine. What needs one is skipped without; in CI there has to be one.
pub fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("RINGFENCE_BROWSER");
    let found = find(named.as_deref(), std::env::var_os("PATH").as_deref()).expect("RINGFENCE_BROWSER is a browser");
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "CI has a browser: {INSTALL}");
    found
}

/// What asking gave.
pub struct Asked {
    /// The verdict.
    pub verdict: Verdict,
    /// The faults that the conversations could have met.
    pub met: BTreeSet<Fault>,
    /// The journal's text.
    pub journal: String,
}

/// Asks one scenario of its own lab, once.
pub async fn ask(library: Arc<Library>, id: &str, fault: Option<Fault>) -> Asked {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lab = Lab::start(LabOptions { fault, ..LabOptions::healthy(folder.path()) }).await.expect("the lab starts");
    let target = target(&lab, &library, id);
    let text = Text::default();
    let journal = Journal::new(Box::new(text.clone()));
    let (_go_on, stop) = watch::channel(None);
    let job = Job {
        policy: policy(&target.policy),
        target,
        library: library.clone(),
        selection: Selection { only: vec![id.to_owned()], ..Selection::default() },
        tries: 1,
        command: "proof".into(),
        browser: browser(),
        journal: journal.clone(),
        watcher: Watcher::nobody(),
        stop,
    };
    run(job).await.expect("the run begins");
    let verdict =
        journal.read(|journal| judge(journal, &library, None)).expect("a journal").pop().expect("one verdict");
    let met = lab.faults().met();
    lab.stop().await;
    Asked { verdict, met, journal: text.take() }
}

/// The lab's target. For a scenario that is none of the lab's adapter, the same under the adapter that it is for: what it
/// reads has to be in the lab all the same.
fn target(lab: &Lab, library: &Library, id: &str) -> Target {
    let target = Target::read(lab.target_path()).expect("the lab's target file is right");
    let (own, adapters) = (target.adapter.word(), &library.get(id).expect("it exists").scenario().adapters);
    let [first, ..] = adapters.as_slice() else { return target };
    if adapters.iter().any(|adapter| adapter == "any" || adapter == own) {
        return target;
    }
    let text = lab.target_file().replacen(&format!("adapter = \"{own}\""), &format!("adapter = \"{first}\""), 1);
    let target = Target::parse(&text, lab.target_path()).expect("the adapter is all that differs");
    assert_eq!(target.adapter.word(), first);
    target
}

/// A journal in memory.
#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).expect("a journal is text")
    }
}

impl std::io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
