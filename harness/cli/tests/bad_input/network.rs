//! Nothing answers, or what answers is no TLS.

use ringfence_model::verdict::State;

use crate::fakes::config::URL_TOKEN;
use crate::fakes::https::{Https, Reply};
use crate::fakes::pki::Pki;
use crate::fakes::tcp::{self, ClosedPort};
use crate::fakes::{answers, config};
use crate::support::{Gate, Outputs, TargetFile};

const ONLY: &[&str] = &["credentials/answer-cacheable"];

/// Runs the configuration's scenario against this address.
async fn asked(target: TargetFile) -> Outputs {
    let outputs = Outputs::of(&Gate::run(&target, ONLY).ends().await);
    assert_eq!(outputs.state(), State::Inconclusive, "{}", outputs.said());
    outputs.stayed_small();
    outputs
}

fn at(address: impl std::fmt::Display) -> TargetFile {
    TargetFile::cognigy(format!("https://{address}/{URL_TOKEN}"))
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let target = at("nobody.invalid").limit("connect_s", 5.0).table(
        "[authorization]\nstatement = \"a test\"\ncontact = \"the tester\"\nexpires = 2999-12-31\n\
         [[scope]]\nhosts = [\"nobody.invalid\"]\n",
    );
    let outputs = asked(target).await;
    assert_eq!(outputs.report.gate.code, 3, "{}", outputs.report.gate.sentence);
    outputs.ended("a", "unreachable", "DNS");
    assert!(outputs.said().contains("nobody.invalid"), "{}", outputs.said());
}

#[tokio::test]
async fn a_port_that_nobody_listens_on() {
    let port = ClosedPort::new();
    let outputs = asked(at(port.address)).await;
    assert_eq!(outputs.report.gate.code, 3);
    outputs.ended("a", "unreachable", "refused");
}

#[tokio::test]
async fn a_tarpit_that_never_says_a_word() {
    let outputs = asked(at(tcp::silent().await).limit("connect_s", 0.5).limit("tls_s", 0.5)).await;
    assert_eq!(outputs.report.gate.code, 3, "nothing answered at all");
    outputs.ended("a", "timeout", "TLS handshake");
}

#[tokio::test]
async fn a_server_that_hangs_up_at_once() {
    let outputs = asked(at(tcp::closing().await)).await;
    assert_eq!(outputs.report.gate.code, 4, "somebody is there");
    outputs.ended("a", "closed", "");
}

#[tokio::test]
async fn garbage_instead_of_tls() {
    for garbage in [&b"HTTP/1.0 400 Bad Request\r\n\r\n"[..], &[0x16, 3, 3, 0xff, 0xff, 2, 0, 0], &[0xff; 64]] {
        let outputs = asked(at(tcp::saying(garbage).await).limit("tls_s", 2.0)).await;
        let (outcome, error) = outputs.ending("a");
        // A record that promises more than it brings is waited for.
        let expected = if garbage[0] == 0x16 { ["timeout", "tls-failed"] } else { ["tls-failed"; 2] };
        assert!(expected.contains(&outcome.as_str()), "{garbage:?}: {outcome}: {error}");
        assert!(error.contains("TLS"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_nobody_knows() {
    let server = Https::serve(&Pki::new(), |_| Reply::Bytes(answers::json("{}"))).await;
    let outputs = asked(at(server.address)).await;
    assert_eq!(outputs.report.gate.code, 4, "somebody answered");
    outputs.ended("a", "tls-failed", "UnknownIssuer");
    assert_eq!(server.heads(), Vec::<String>::new(), "nothing was said to it");
}

#[tokio::test]
async fn the_wrong_authority_in_the_target_file() {
    let (server, _) = config::answering(|_| Reply::Bytes(answers::json("{}"))).await;
    let outputs = asked(at(server.address).trusting(&Pki::new().ca_pem)).await;
    outputs.ended("a", "tls-failed", "certificate");
}
