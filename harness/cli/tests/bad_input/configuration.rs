//! The configuration endpoint speaks TLS, and then misbehaves.

use ringfence_model::verdict::State;

use crate::fakes::https::{Https, Reply};
use crate::fakes::{answers, bomb, config};
use crate::support::{Gate, Outputs, TargetFile};

const CACHEABLE: &[&str] = &["credentials/answer-cacheable"];

/// Asks the configuration's scenario; it stays open, and the harness small.
async fn asked(target: TargetFile) -> Outputs {
    let outputs = Outputs::of(&Gate::run(&target, CACHEABLE).ends().await);
    assert_eq!(outputs.state(), State::Inconclusive, "{}", outputs.said());
    assert_eq!(outputs.report.gate.code, 4, "it answered, and nothing can be said of it");
    outputs.stayed_small();
    outputs
}

async fn answered(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Outputs {
    asked(config::answering(reply).await.1).await
}

/// The step's error and the verdict's reason both say this.
#[track_caller]
fn says(outputs: &Outputs, outcome: &str, why: &str) {
    outputs.ended("a", outcome, why);
    assert!(outputs.said().contains(why), "the verdict's reason is `{}`, expected `{why}`", outputs.said());
}

#[tokio::test]
async fn a_body_without_end() {
    let endless = |_: &str| Reply::Endless(answers::head(200, &[]), vec![b'a'; 64 * 1024]);
    says(&answered(endless).await, "protocol", "body is over 1048576 bytes");
}

#[tokio::test]
async fn a_body_byte_by_byte_for_ever() {
    let (_, target) = config::answering(|_| Reply::Drip(answers::head(200, &[]))).await;
    // Never silent for as long as `idle_s`, so only the deadline of the whole exchange ends it.
    says(&asked(target.limit("exchange_s", 1.5)).await, "timeout", "no whole HTTP answer");
}

#[tokio::test]
async fn an_answer_that_never_begins() {
    let (_, target) = config::answering(|_| Reply::Silence).await;
    let outputs = Outputs::of(&Gate::run(&target.limit("idle_s", 0.8), CACHEABLE).ends().await);
    assert_eq!(outputs.state(), State::Inconclusive, "{}", outputs.said());
    says(&outputs, "timeout", "no HTTP answer within the limit");
}

#[tokio::test]
async fn an_answer_that_breaks_off() {
    let broken = |_: &str| Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"a\"".to_vec());
    says(&answered(broken).await, "closed", "");
}

#[tokio::test]
async fn bytes_that_are_no_http() {
    says(&answered(|_| Reply::Bytes(vec![0xfe; 200])).await, "protocol", "not a valid HTTP answer");
}

#[tokio::test]
async fn a_hundred_thousand_header_lines() {
    let headers = |_: &str| {
        let mut answer = b"HTTP/1.1 200 OK\r\n".to_vec();
        (0..100_000).for_each(|n| answer.extend_from_slice(format!("X-{n}: a\r\n").as_bytes()));
        answer.extend_from_slice(b"\r\n{}");
        Reply::Bytes(answer)
    };
    says(&answered(headers).await, "protocol", "not a valid HTTP answer");
}

#[tokio::test]
async fn a_header_line_without_end() {
    let endless = |_: &str| Reply::Endless(b"HTTP/1.1 200 OK\r\nX-Long: ".to_vec(), vec![b'a'; 64 * 1024]);
    says(&answered(endless).await, "protocol", "not a valid HTTP answer");
}

#[tokio::test]
async fn a_gzip_bomb_is_never_inflated() {
    let bombs = bomb::gzip(900);
    let reply = move |_: &str| {
        let headers = [("Content-Encoding", "gzip"), ("Content-Type", "application/json")];
        Reply::Bytes(answers::with_headers(200, &headers, &bombs))
    };
    says(&answered(reply).await, "protocol", "not usable JSON");
}

#[tokio::test]
async fn a_configuration_that_is_no_json() {
    let page =
        |_: &str| Reply::Bytes(answers::with_headers(200, &[("Content-Type", "text/html")], b"<html>hello</html>"));
    says(&answered(page).await, "protocol", "not usable JSON");
}

#[tokio::test]
async fn json_that_is_too_deep_or_too_large() {
    let deep = |_: &str| Reply::Bytes(answers::json(&"[".repeat(100_000)));
    says(&answered(deep).await, "protocol", "more than 64 levels");
    let wide = |_: &str| Reply::Bytes(answers::json(&format!("[{}1]", "1,".repeat(100_000))));
    says(&answered(wide).await, "protocol", "more than 10000 values");
}

#[tokio::test]
async fn fields_that_are_missing_are_named() {
    let reply = |_: &str| {
        let mut document = config::document("wss://127.0.0.1:1");
        let info = document["endpointSettings"]["sipConnectivityInfo"].as_object_mut().expect("an object");
        info.remove("password");
        info.remove("wsUri");
        Reply::Bytes(answers::json(&document.to_string()))
    };
    let outputs = answered(reply).await;
    assert_eq!(outputs.seen("a")["missing_fields"], serde_json::json!(["wsUri", "password"]));
    says(&outputs, "protocol", "wsUri, password");
}

#[tokio::test]
async fn a_status_that_is_no_success() {
    let outputs = answered(|_| Reply::Bytes(answers::with_headers(503, &[], b"{}"))).await;
    assert_eq!(outputs.seen("a")["status"], 503);
    assert!(outputs.said().contains("control"), "{}", outputs.said());
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed() {
    let elsewhere = Https::plain(|_| Reply::Bytes(answers::json("{}"))).await;
    let location = format!("http://{}/collect", elsewhere.address);
    let (server, target) = config::answering(move |_| {
        Reply::Bytes(answers::with_headers(302, &[("Location", &location), ("Set-Cookie", "a=b")], b""))
    })
    .await;
    let outputs = asked(target).await;
    assert_eq!(outputs.seen("a")["status"], 302);
    assert_eq!(server.heads().len(), 1, "asked once, by one try");
    assert_eq!(elsewhere.heads(), Vec::<String>::new(), "nothing went elsewhere");
}

#[tokio::test]
async fn a_login_goes_to_its_own_origin_only() {
    let elsewhere = Https::plain(|_| Reply::Bytes(answers::json("{}"))).await;
    let location = format!("http://{}/collect", elsewhere.address);
    let pki = crate::fakes::pki::Pki::new();
    let server =
        Https::serve(&pki, move |_| Reply::Bytes(answers::with_headers(307, &[("Location", &location)], b"moved")))
            .await;
    let target = TargetFile::sip(Some(server.url("config")))
        .trusting(&pki.ca_pem)
        .table("[sip]\nws_uri = { pointer = \"/ws\" }\n[logins.valid]\nbearer = { env = \"FAKE_BEARER\" }\n");
    let ended = Gate::run(&target, CACHEABLE).env("FAKE_BEARER", "bearer-canary-5577").ends().await;
    let outputs = Outputs::of(&ended);
    assert_eq!(outputs.state(), State::Inconclusive, "{}", outputs.said());
    assert!(server.heads().iter().all(|head| head.contains("bearer-canary-5577")), "the login was presented");
    assert_eq!(elsewhere.heads(), Vec::<String>::new(), "and nowhere else");
}
