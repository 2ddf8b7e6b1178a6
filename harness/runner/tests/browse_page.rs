//! `browse-page` on the lab's page: what the browser says has to be what our own client and the lab itself say.

mod support;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ringfence_client::Net;
use ringfence_lab::fault::Fault;
use ringfence_lab::{Lab, LabOptions};
use ringfence_model::RunKey;
use ringfence_model::target::Target;
use ringfence_probes::{Cx, Identifier, IdentifierKind, Kept, Ledger, learn_own, verb};
use serde_json::{Value, json};

/// Nothing here takes longer, unless it is broken.
const LIMIT: Duration = Duration::from_secs(300);

/// A lab and what a step needs to ask it.
struct Bench {
    lab: Lab,
    cx: Cx,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// `None` without a browser: the test says so and passes.
    async fn start(fault: Option<Fault>) -> Option<Self> {
        let Some(browser) = support::browser() else {
            // Past the capture of the test runner: who runs this should read it.
            drop(writeln!(std::io::stderr(), "skipped: {}", ringfence_client::browser::INSTALL));
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lab = Lab::start(LabOptions { fault, ..LabOptions::healthy(folder.path()) }).await.expect("the lab starts");
        let target = Target::read(lab.target_path()).expect("the lab's target file is right");
        let cx = context(target, browser);
        Some(Self { lab, cx, _folder: folder })
    }

    /// Asks one step; what it kept is there for later ones under its name.
    async fn ask(&mut self, step: &str, probe: &str, with: Value) -> Value {
        let with = with.as_object().expect("a table").clone();
        let asking = (verb(probe).expect("a verb").ask)(&self.cx, with);
        let raw = tokio::time::timeout(LIMIT, asking).await.expect("a step ends").expect("no fault of ours");
        let mut observation = raw.observation;
        self.cx.ledger.redact(&mut observation);
        if let Some(kept) = raw.kept {
            self.cx.kept.insert(step.to_owned(), kept);
        }
        Value::Object(observation)
    }
}

fn context(target: Target, browser: PathBuf) -> Cx {
    let ledger = Ledger::default();
    learn_own(&ledger, &target).expect("the lab has no secrets of its own");
    Cx {
        net: Net::new(&target).expect("and its scope"),
        target: Arc::new(target),
        key: RunKey::from_random([7; 32]),
        ledger,
        log_marks: ringfence_probes::LogMarks::default(),
        kept: BTreeMap::new(),
        observed: BTreeMap::new(),
        control: true,
        seed: 1,
        seconds_left: 600,
        browser: Some(browser),
    }
}

fn leaks<'a>(seen: &'a Value, list: &str) -> Vec<(&'a str, &'a str)> {
    let text = |leak: &'a Value, key: &str| leak[key].as_str().expect("text");
    seen[list].as_array().expect("a list").iter().map(|leak| (text(leak, "kind"), text(leak, "where"))).collect()
}

#[tokio::test]
async fn a_healthy_call_is_what_our_own_client_and_the_lab_see() {
    let Some(mut bench) = Bench::start(None).await else { return };
    let seen = bench.ask("a", "browse-page", json!({})).await;
    assert_eq!(seen["outcome"], "answered", "{seen:#}");
    for (field, expected) in [
        ("loaded", json!(true)),
        ("call_started", json!(true)),
        ("invites_sent", json!(1)),
        ("microphone_without_click", json!(false)),
        ("notice_before_capture", json!(false)),
        ("auto_answered", json!(false)),
    ] {
        assert_eq!(seen[field], expected, "{field} of {seen:#}");
    }
    let nothing = [
        "console_leaks",
        "storage_leaks",
        "url_leaks",
        "dom_leaks",
        "insecure_requests",
        "service_workers",
        "refused_hosts",
    ];
    for list in nothing {
        assert_eq!(seen[list], json!([]), "{list} of {seen:#}");
    }
    let peer = &seen["peer"];
    assert!(peer["bytes_received"].as_i64() > Some(0) && peer["bytes_sent"].as_i64() > Some(0), "{peer:#}");
    assert_eq!(seen["websocket_urls"], json!([format!("{}/", bench.lab.urls().signalling.trim_end_matches('/'))]));
    let types: Vec<&str> = peer["candidate_types"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(types.contains(&"host") && types.contains(&"relay"), "{types:?}");

    // The same of our own client on the same lab.
    let config = bench.ask("f", "fetch-config", json!({})).await;
    let ours = bench.ask("c", "call", json!({ "config": "f" })).await;
    assert_eq!(peer["dtls_version"], ours["dtls"]["version"], "{ours:#}");
    assert_eq!(peer["dtls_cipher"], ours["dtls"]["suite"]);
    assert_eq!(peer["srtp_cipher"], ours["srtp"]["profile"]);
    let urls = |seen: &Value| -> Vec<Value> {
        seen.as_array().unwrap().iter().flat_map(|server| server["urls"].as_array().unwrap().clone()).collect()
    };
    assert_eq!(urls(&seen["ice_servers"]), urls(&config["config"]["ice_servers"]));

    // What the lab announced in this very call is what came in DTLS, and what the page offered is its own certificate.
    let Some(Kept::Page(page)) = bench.cx.kept.get("a") else { panic!("the page is kept") };
    let announced = |sent: bool, key: &str| {
        let fingerprint = peer[key].as_str().expect("a fingerprint");
        page.visits[0].frames.iter().any(|frame| frame.sent == sent && frame.text.contains(fingerprint))
    };
    assert!(announced(false, "remote_fingerprint") && announced(true, "local_fingerprint"), "{peer:#}");
    let log = std::fs::read_to_string(bench.lab.log_path()).expect("the lab's log");
    assert!(log.contains("method=INVITE status=200") && log.contains("method=BYE"), "{log}");
    let secrets = page.visits[0].frames.iter().filter(|frame| frame.text.contains("response=\""));
    assert!(secrets.count() > 0 && !seen.to_string().contains("response="), "logins are seen and never told");
    bench.lab.stop().await;
}

#[tokio::test]
async fn the_console_and_addresses_are_compared_with_the_browsers_own_secrets() {
    let Some(mut bench) = Bench::start(Some(Fault::ConsoleDump)).await else { return };
    let seen = bench.ask("a", "browse-page", json!({})).await;
    assert!(leaks(&seen, "console_leaks").contains(&("sip-password", "console")), "{seen:#}");
    assert!(seen["url_leaks"] == json!([]) && seen["dom_leaks"] == json!([]), "{seen:#}");
    bench.lab.stop().await;

    let Some(mut bench) = Bench::start(Some(Fault::TokenInUrl)).await else { return };
    let seen = bench.ask("a", "browse-page", json!({})).await;
    assert!(leaks(&seen, "url_leaks").iter().any(|(_, place)| *place == "websocket"), "{seen:#}");
    assert_eq!(seen["console_leaks"], json!([]), "{seen:#}");
    bench.lab.stop().await;
}

#[tokio::test]
async fn the_microphone_is_noticed_before_a_click() {
    for (fault, opened) in [(None, false), (Some(Fault::MicrophoneOnLoad), true)] {
        let Some(mut bench) = Bench::start(fault).await else { return };
        let seen = bench.ask("a", "browse-page", json!({ "start": "none", "seconds": 3 })).await;
        assert_eq!((&seen["microphone_without_click"], &seen["loaded"]), (&json!(opened), &json!(true)), "{seen:#}");
        assert_eq!((&seen["call_started"], &seen["invites_sent"]), (&json!(false), &json!(0)), "{seen:#}");
        bench.lab.stop().await;
    }
}

#[tokio::test]
async fn a_profile_is_used_again_or_new() {
    for (fault, again) in [(None, false), (Some(Fault::PageReusesCertificate), true)] {
        let Some(mut bench) = Bench::start(fault).await else { return };
        let a = bench.ask("a", "browse-page", json!({})).await;
        let b = bench.ask("b", "browse-page", json!({ "profile": "a" })).await;
        let c = bench.ask("c", "browse-page", json!({})).await;
        let own = |seen: &Value| seen["peer"]["local_fingerprint"].as_str().map(str::to_owned).expect("a certificate");
        assert_eq!(own(&a) == own(&b), again, "{fault:?}");
        assert_ne!(own(&a), own(&c), "{fault:?}");
        bench.lab.stop().await;
    }
}

#[tokio::test]
async fn identifiers_are_kept_and_journaled_as_digests() {
    let Some(mut bench) = Bench::start(Some(Fault::PageUserIdEmail)).await else { return };
    let seen = bench.ask("a", "browse-page", json!({ "visits": 2 })).await;
    let Some(Kept::Page(page)) = bench.cx.kept.get("a") else { panic!("the page is kept") };
    let test_user = bench.cx.target.page.test_user.first().expect("the lab names a test user");
    for visit in &page.visits {
        let named = |id: &Identifier| id.kind == IdentifierKind::UserId && id.value.contains(test_user.as_str());
        assert!(visit.identifiers.iter().any(named));
    }
    assert_eq!((page.visits.len(), &seen["visits"], &seen["calls_started"]), (2, &json!(2), &json!(2)));
    assert!(!seen.to_string().contains(test_user.as_str()), "{seen:#}");
    bench.lab.stop().await;
}

#[tokio::test]
async fn what_a_hostile_server_would_send_reaches_the_page() {
    for (fault, answers) in [(None, false), (Some(Fault::PageAutoAnswers), true)] {
        let Some(mut bench) = Bench::start(fault).await else { return };
        for inject in ["incoming-invite", "refer", "replaces"] {
            let seen = bench.ask(inject, "browse-page", json!({ "inject": inject, "seconds": 8 })).await;
            assert_eq!(seen["outcome"], "answered", "{inject} {seen:#}");
            assert!(seen["injected"].as_i64() > Some(0) && seen["injected_answered"] == true, "{inject} {seen:#}");
            // The lab's fault answers any INVITE, and REFER as every lab does.
            assert_eq!(seen["auto_answered"], answers && inject != "refer", "{inject} {seen:#}");
            // Nothing of it left the browser: the lab saw one call and no answer that it did not ask for.
            assert_eq!(seen["invites_sent"], 1, "{inject} {seen:#}");
        }
        bench.lab.stop().await;
    }
}
