//! A login is shown to the origins that the target file names for it, and to nobody else.

use std::sync::{Arc, Mutex};

use ringfence_model::verdict::State;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::scenario::{gate, text};
use crate::fakes::https::{Https, Reply};
use crate::fakes::pki::Pki;
use crate::fakes::{answers, tcp};
use crate::support::{Outputs, TargetFile};

const SECRET: &str = "a-login-that-nobody-else-sees";

/// Runs these steps with that login in a file; the outputs.
async fn asked(target: &TargetFile, steps: &str, that: &str) -> Outputs {
    let target = target.clone().table("[logins.valid]\nbearer = { file = \"login\" }\ncookie = { file = \"login\" }\n");
    let gate = gate(&target, &text("active", steps, that));
    std::fs::write(gate.path("login"), SECRET).expect("a file");
    Outputs::of(&gate.ends().await)
}

fn step(probe: &str, with: &str) -> String {
    format!("[[step]]\nname = \"a\"\nprobe = \"{probe}\"\nwith = {{ {with} }}\n")
}

fn shown(server: &Https) -> bool {
    server.heads().iter().any(|head| head.contains(SECRET))
}

async fn token_server(pki: &Pki, ws_uri: &str) -> (Https, TargetFile) {
    let body = json!({ "ws": ws_uri, "user": "fake" }).to_string();
    let server = Https::serve(pki, move |_| Reply::Bytes(answers::json(&body))).await;
    let target = TargetFile::sip(Some(server.url("token"))).trusting(&pki.ca_pem);
    let target =
        target.table("[sip]\nws_uri = { pointer = \"/ws\" }\nusername = { pointer = \"/user\" }\ntarget = \"echo\"\n");
    (server, target)
}

#[tokio::test]
async fn to_the_endpoint_and_not_along_a_redirect() {
    let pki = Pki::new();
    let other = Https::serve(&pki, |_| Reply::Bytes(answers::json("{}"))).await;
    let location = other.url("token");
    let server =
        Https::serve(&pki, move |_| Reply::Bytes(answers::with_headers(307, &[("Location", &location)], b""))).await;
    let target = TargetFile::sip(Some(server.url("token"))).trusting(&pki.ca_pem);
    let target = target.table("[sip]\nws_uri = { pointer = \"/ws\" }\ntarget = \"echo\"\n");
    for (probe, with) in [("fetch-config", ""), ("http-request", "endpoint = \"config\"")] {
        let outputs = asked(&target, &step(probe, with), "a.status == 307").await;
        assert_eq!(outputs.state(), State::Pass, "{}", outputs.said());
    }
    assert_eq!(server.heads().iter().filter(|head| head.matches(SECRET).count() == 2).count(), 2, "bearer and cookie");
    assert_eq!(other.heads(), Vec::<String>::new(), "nobody follows");
}

#[tokio::test]
async fn not_to_a_page_of_another_origin() {
    let pki = Pki::new();
    let page = Https::serve(&pki, |_| Reply::Bytes(answers::json("{}"))).await;
    let (server, target) = token_server(&pki, "wss://127.0.0.1:9").await;
    let target = target.endpoint("page", &page.url("call"));
    let outputs = asked(&target, &step("http-request", "endpoint = \"page\""), "a.status == 200").await;
    assert_eq!(outputs.state(), State::Pass, "{}", outputs.said());
    assert!(page.heads().len() == 1 && !shown(&page), "{:?}", page.heads());
    let outputs = asked(&target, &step("http-request", "endpoint = \"config\""), "a.status == 200").await;
    assert!(outputs.state() == State::Pass && shown(&server));
}

#[tokio::test]
async fn not_to_a_server_that_an_answer_names() {
    let pki = Pki::new();
    let signalling = Https::serve(&pki, |_| Reply::Bytes(answers::head(404, &[]))).await;
    let (server, target) = token_server(&pki, &format!("wss://{}", signalling.address)).await;
    let outputs = asked(&target, &step("open-websocket", ""), "!a.accepted").await;
    assert_eq!(outputs.state(), State::Pass, "{}", outputs.said());
    assert!(shown(&server) && !signalling.heads().is_empty() && !shown(&signalling), "{:?}", signalling.heads());

    // One that the target file itself names is shown it.
    let own = TargetFile::sip(Some(server.url("token"))).trusting(&pki.ca_pem).table(&format!(
        "[sip]\nws_uri = \"wss://{}\"\nusername = {{ pointer = \"/user\" }}\ntarget = \"echo\"\n",
        signalling.address
    ));
    asked(&own, &step("open-websocket", ""), "!a.accepted").await;
    assert!(shown(&signalling), "{:?}", signalling.heads());
}

#[tokio::test]
async fn not_in_clear_where_the_file_says_https() {
    let heard = Arc::new(Mutex::new(String::new()));
    let log = heard.clone();
    let address = tcp::serve(move |mut stream| {
        let log = log.clone();
        async move {
            let mut buffer = [0; 4096];
            while !log.lock().expect("no holder panics").ends_with("\r\n\r\n") {
                let Ok(length @ 1..) = stream.read(&mut buffer).await else { return };
                log.lock().expect("no holder panics").push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
            // The client may have seen enough.
            let _ = stream.write_all(&answers::json("{}")).await;
        }
    })
    .await;
    let table = "[sip]\nws_uri = { pointer = \"/ws\" }\ntarget = \"echo\"\n";
    let plain = step("http-request", "endpoint = \"config\", scheme = \"http\", login = \"valid\"");
    for (scheme, shown) in [("https", false), ("http", true)] {
        heard.lock().expect("no holder panics").clear();
        let target = TargetFile::sip(Some(format!("{scheme}://{address}/token"))).table(table);
        let outputs = asked(&target, &plain, "a.status == 200").await;
        assert_eq!(outputs.state(), State::Pass, "{}", outputs.said());
        assert_eq!(heard.lock().expect("no holder panics").contains(SECRET), shown, "{scheme}");
    }
}
