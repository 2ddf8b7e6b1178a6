//! The configuration is sound; the signalling server is not.

use ringfence_model::verdict::State;

use crate::fakes::config;
use crate::fakes::https::{Https, Reply};
use crate::fakes::pki::Pki;
use crate::fakes::tcp::{self, ClosedPort};
use crate::fakes::{answers, sip};
use crate::support::{Gate, Outputs, TargetFile};

const CALL: &[&str] = &["media/not-dtls-srtp"];
const CLEARTEXT: &[&str] = &["transport/ws-cleartext"];

async fn asked(target: &TargetFile, only: &[&str]) -> Outputs {
    let outputs = Outputs::of(&Gate::run(target, only).ends().await);
    assert_eq!(outputs.state(), State::Inconclusive, "{}", outputs.said());
    assert_eq!(outputs.report.gate.code, 4, "the configuration was answered");
    outputs
}

/// A signalling server of one answer, whatever is asked.
async fn answering(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> TargetFile {
    let pki = Pki::new();
    let signalling = Https::serve(&pki, reply).await;
    config::naming(&pki, &format!("wss://{}", signalling.address)).await
}

#[tokio::test]
async fn an_upgrade_that_is_refused() {
    for (status, word) in [(403, "403"), (404, "404")] {
        let target = answering(move |_| Reply::Bytes(answers::with_headers(status, &[], b"go away"))).await;
        let outputs = asked(&target, CALL).await;
        let (outcome, error) = outputs.ending("c");
        assert!(["closed", "protocol"].contains(&outcome.as_str()), "{outcome}: {error}");
        assert!(error.contains(word) && outputs.said().contains(word), "{error} / {}", outputs.said());
        assert_eq!(outputs.seen("c")["answered"], false);
    }
}

#[tokio::test]
async fn an_upgrade_that_is_refused_fails_the_control() {
    let target = answering(|_| Reply::Bytes(answers::with_headers(403, &[], b""))).await;
    let outputs = asked(&target, CLEARTEXT).await;
    assert_eq!(outputs.seen("b")["accepted"], false);
    assert!(outputs.said().contains("control of step `b`"), "{}", outputs.said());
    assert!(outputs.only().evidence.iter().any(|step| step.step == "c" && step.not_asked.is_some()), "c is not asked");
}

#[tokio::test]
async fn garbage_instead_of_an_upgrade() {
    let target = answering(|_| Reply::Bytes(vec![0xfe; 300])).await;
    let outputs = asked(&target, CALL).await;
    outputs.ended("c", "protocol", "");
    assert!(!outputs.ending("c").1.is_empty(), "the reason is told");
}

#[tokio::test]
async fn an_upgrade_with_a_wrong_accept_key() {
    let head = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", "AAAA")];
    let target = answering(move |_| Reply::Bytes(answers::head(101, &head))).await;
    let outputs = asked(&target, CALL).await;
    outputs.ended("c", "protocol", "");
}

#[tokio::test]
async fn an_upgrade_that_never_comes() {
    let target = answering(|_| Reply::Silence).await.limit("exchange_s", 1.5);
    let outputs = asked(&target, CALL).await;
    outputs.ended("c", "timeout", "");
}

#[tokio::test]
async fn nobody_at_the_signalling_address() {
    let (pki, port) = (Pki::new(), ClosedPort::new());
    let target = config::naming(&pki, &format!("wss://{}", port.address)).await;
    let outputs = asked(&target, CALL).await;
    outputs.ended("c", "unreachable", "refused");
}

#[tokio::test]
async fn a_tarpit_at_the_signalling_address() {
    let pki = Pki::new();
    let target = config::naming(&pki, &format!("wss://{}", tcp::silent().await)).await.limit("tls_s", 1.5);
    let outputs = asked(&target, CALL).await;
    outputs.ended("c", "timeout", "TLS handshake");
}

#[tokio::test]
async fn a_signalling_address_out_of_scope_is_never_dialled() {
    let pki = Pki::new();
    let target = config::naming(&pki, "wss://192.0.2.7:8443").await;
    let outputs = Outputs::of(&Gate::run(&target, CALL).ends().await);
    assert_eq!((outputs.state(), outputs.report.gate.code), (State::Inconclusive, 5), "{}", outputs.said());
    outputs.ended("c", "out-of-scope", "192.0.2.7");
}

#[tokio::test]
async fn a_signalling_certificate_of_another_authority() {
    let agent = sip::Agent::new(|_| Vec::new());
    let address = agent.serve(&Pki::new()).await;
    let target = config::naming(&Pki::new(), &format!("wss://{address}")).await;
    let outputs = asked(&target, CALL).await;
    outputs.ended("c", "tls-failed", "");
    assert_eq!(agent.heard(), "", "no credentials went there");
}
