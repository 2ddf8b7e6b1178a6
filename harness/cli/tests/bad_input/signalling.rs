//! The WebSocket stands; what comes over it does not make a call.

use ringfence_model::verdict::State;

use crate::fakes::config;
use crate::fakes::sip::{Act, Agent, answered, reply};
use crate::support::{Gate, Outputs, TargetFile};

const CALL: &[&str] = &["media/not-dtls-srtp"];

async fn asked(target: &TargetFile) -> Outputs {
    let outputs = Outputs::of(&Gate::run(target, CALL).ends().await);
    assert_eq!(outputs.state(), State::Inconclusive, "{}", outputs.said());
    assert_eq!(outputs.report.gate.code, 4);
    outputs.stayed_small();
    outputs
}

/// The step and the verdict both say why.
#[track_caller]
fn says(outputs: &Outputs, outcome: &str, why: &str) {
    outputs.ended("c", outcome, why);
    assert!(outputs.said().contains(why), "{}", outputs.said());
}

#[tokio::test]
async fn provisional_answers_for_ever_are_cancelled() {
    let agent = Agent::new(|invite| {
        let provisional = |status, reason| Act::Say(reply(invite, status, reason).build().expect("a message"));
        let mut acts = vec![provisional(100, "Trying")];
        acts.extend((0..200).map(|_| provisional(180, "Ringing")));
        acts
    });
    let target = config::around(agent.clone()).await.limit("ring_s", 1.5).limit("exchange_s", 1.5);
    let outputs = asked(&target).await;
    says(&outputs, "timeout", "final answer");
    assert_eq!(agent.methods(), ["INVITE", "CANCEL"]);
}

#[tokio::test]
async fn no_answer_to_an_invite_at_all() {
    let agent = Agent::new(|_| Vec::new());
    let target = config::around(agent.clone()).await.limit("ring_s", 1.5).limit("exchange_s", 1.5);
    says(&asked(&target).await, "timeout", "final answer");
    // RFC 3261, section 9.1: what was never acknowledged cannot be cancelled.
    assert_eq!(agent.methods(), ["INVITE"]);
}

#[tokio::test]
async fn no_answer_to_a_registration() {
    let agent = Agent::new(|_| Vec::new()).registering(|_| Vec::new());
    let target = config::around(agent.clone()).await.limit("exchange_s", 1.5);
    says(&asked(&target).await, "timeout", "REGISTER");
}

#[tokio::test]
async fn garbage_instead_of_sip() {
    let agent = Agent::new(|_| {
        vec![
            Act::Say(b"SIP/9.9 200 \x1b[2JOK\r\n\r\n".to_vec()),
            Act::Say(vec![0xff, 0, 0xfe, 1]),
            Act::Say(vec![b'a'; 70_000]),
        ]
    });
    let target = config::around(agent).await.limit("ring_s", 1.5).limit("exchange_s", 1.5);
    says(&asked(&target).await, "protocol", "unreadable SIP message");
}

#[tokio::test]
async fn a_message_beyond_every_limit() {
    let agent = Agent::new(|invite| {
        let mut builder = reply(invite, 200, "OK");
        for n in 0..10_000 {
            builder = builder.header("Record-Route", format!("<sip:{n}.invalid;lr>"));
        }
        vec![Act::Say(builder.build().expect("a message"))]
    });
    let target = config::around(agent).await.limit("ring_s", 1.5).limit("exchange_s", 1.5);
    let outputs = asked(&target).await;
    assert!(["protocol", "closed"].contains(&outputs.ending("c").0.as_str()), "{:?}", outputs.ending("c"));
}

#[tokio::test]
async fn the_connection_is_closed_instead_of_an_answer() {
    let agent = Agent::new(|_| vec![Act::Close]);
    let outputs = asked(&config::around(agent).await).await;
    assert_eq!(outputs.ending("c").0, "closed", "{:?}", outputs.ending("c"));
}

#[tokio::test]
async fn nonsense_in_the_place_of_a_description() {
    let long = format!("v=0\r\n{}", "a=x\r\n".repeat(5_000));
    let nonsense: [&[u8]; 5] = [
        b"this is no description",
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n",
        b"v=0\r\ns=-\r\nm=audio 99999999999 UDP/TLS/RTP/SAVPF 0\r\n",
        b"v=0\r\n\xff\xfe\r\n",
        long.as_bytes(),
    ];
    // Each call listens for its five seconds, so all are placed at once.
    futures_util::future::join_all(nonsense.map(nonsense_is_told)).await;
}

async fn nonsense_is_told(sdp: &[u8]) {
    let (body, shown) = (sdp.to_vec(), String::from_utf8_lossy(&sdp[..sdp.len().min(60)]));
    let agent = Agent::new(move |invite| vec![Act::Say(answered(invite, body.clone()))]);
    let outputs = Outputs::of(&Gate::run(&config::around(agent.clone()).await, CALL).ends().await);
    let (outcome, error) = outputs.ending("c");
    // The call itself was answered; what failed is told as its error.
    assert_eq!(outcome, "answered", "{shown:?}: {error}");
    assert!(error.starts_with("answer: "), "{shown:?}: {error}");
    assert_ne!(outputs.state(), State::Pass);
    assert_eq!(agent.methods(), ["INVITE", "ACK", "BYE"], "hung up");
}

#[tokio::test]
async fn an_answer_without_a_description() {
    let agent = Agent::new(|invite| vec![Act::Say(reply(invite, 200, "OK").build().expect("a message"))]);
    let outputs = Outputs::of(&Gate::run(&config::around(agent.clone()).await, CALL).ends().await);
    assert_ne!(outputs.state(), State::Pass, "{}", outputs.said());
    assert_eq!(outputs.ending("c").0, "protocol", "{:?}", outputs.ending("c"));
    assert_eq!(agent.methods(), ["INVITE", "ACK", "BYE"], "hung up");
}
