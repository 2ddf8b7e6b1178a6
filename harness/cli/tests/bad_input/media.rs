//! The call is answered; its media do not come, or end in the middle.

use ringfence_lab::{Lab, LabOptions};
use ringfence_model::verdict::State;
use std::sync::atomic::Ordering;

use crate::fakes::media::{self, MediaPort};
use crate::fakes::sip::{Act, Agent, answered, bye};
use crate::fakes::{config, relay};
use crate::support::{Gate, Outputs, TargetFile};

const CALL: &[&str] = &["media/not-dtls-srtp"];

async fn asked(target: &TargetFile) -> Outputs {
    let outputs = Outputs::of(&Gate::run(target, CALL).ends().await);
    let state = outputs.state();
    assert!([State::Inconclusive, State::Fail].contains(&state), "{state:?}: {}", outputs.said());
    outputs
}

#[tokio::test]
async fn ice_that_never_connects() {
    let port = MediaPort::silent().await;
    let sdp = port.answer();
    let agent = Agent::new(move |invite| vec![Act::Say(answered(invite, sdp.clone()))]);
    let outputs = asked(&config::around(agent.clone()).await.limit("media_s", 1.5)).await;
    assert!(port.stun.load(Ordering::Relaxed) > 0, "checks were sent");
    assert_eq!(outputs.seen("c")["ice"]["connected"], false);
    // The call itself was answered; what failed is told as its error.
    outputs.ended("c", "answered", "ice: no pair of candidates connected");
    assert!(agent.methods().contains(&"BYE".to_owned()), "hung up: {:?}", agent.methods());
}

#[tokio::test]
async fn candidates_out_of_scope_are_never_probed() {
    let sdp = media::answer("192.0.2.7:40000".parse().expect("an address"), "");
    let agent = Agent::new(move |invite| vec![Act::Say(answered(invite, sdp.clone()))]);
    let outputs = asked(&config::around(agent).await.limit("media_s", 1.0)).await;
    outputs.ended("c", "out-of-scope", "192.0.2.7");
    assert_eq!(outputs.report.gate.code, 5, "every address of the answer lies outside");
}

#[tokio::test]
async fn dtls_that_never_completes() {
    let port = MediaPort::ice_lite().await;
    let sdp = port.answer();
    let agent = Agent::new(move |invite| vec![Act::Say(answered(invite, sdp.clone()))]);
    let outputs = asked(&config::around(agent.clone()).await.limit("media_s", 2.0)).await;
    let seen = outputs.seen("c");
    assert_eq!(seen["ice"]["connected"], true, "{:?}", outputs.ending("c"));
    assert_eq!(seen["dtls"]["completed"], false);
    assert!(port.dtls.load(Ordering::Relaxed) > 0, "a handshake was begun");
    outputs.ended("c", "answered", "dtls: no answer");
    assert!(agent.methods().contains(&"BYE".to_owned()), "hung up: {:?}", agent.methods());
}

#[tokio::test]
async fn a_bye_before_any_media() {
    let port = MediaPort::silent().await;
    let sdp = port.answer();
    let agent = Agent::new(move |invite| {
        vec![Act::Say(answered(invite, sdp.clone())), Act::Await("ACK"), Act::Say(bye(invite))]
    });
    let outputs = asked(&config::around(agent).await).await;
    let seen = outputs.seen("c");
    assert_eq!((&seen["answered"], &seen["ended_by"]), (&true.into(), &"target".into()));
    assert_eq!(outputs.state(), State::Inconclusive, "no handshake, for a reason: {}", outputs.said());
    assert!(outputs.said().contains("the target hung up"), "{}", outputs.said());
}

#[tokio::test]
async fn a_bye_in_the_handshake() {
    let port = MediaPort::ice_lite().await;
    let (sdp, came) = (port.answer(), port.dtls_came.clone());
    let agent = Agent::new(move |invite| {
        vec![Act::Say(answered(invite, sdp.clone())), Act::AwaitNotice(came.clone()), Act::Say(bye(invite))]
    });
    let outputs = asked(&config::around(agent).await).await;
    let seen = outputs.seen("c");
    assert_eq!((&seen["ice"]["connected"], &seen["ended_by"]), (&true.into(), &"target".into()));
    assert_eq!(outputs.state(), State::Inconclusive, "{}", outputs.said());
}

#[tokio::test]
async fn a_bye_in_mid_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = Lab::start(LabOptions::healthy(folder.path())).await.expect("a lab");
    let target = relay::hanging_up_in_mid_call(&lab).await;
    let outputs = Outputs::of(&Gate::run(&target, CALL).ends().await);
    let seen = outputs.seen("c");
    assert_eq!(seen["ended_by"], "target", "{}", outputs.said());
    assert!(seen["media"]["authenticated"].as_i64().is_some_and(|packets| packets > 0), "audio flowed");
    assert!(seen["seconds"].as_f64().is_some_and(|seconds| seconds < 5.0), "cut short: {}", seen["seconds"]);
    // Five seconds without a packet in clear were to be seen, and were not.
    assert_eq!(outputs.state(), State::Inconclusive, "a call that was cut short shows no absence");
    assert!(outputs.said().contains("the target hung up"), "{}", outputs.said());
    lab.stop().await;
}
