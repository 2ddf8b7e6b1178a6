use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ringfence_client::Net;
use ringfence_model::RunKey;
use ringfence_model::target::Target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::Ledger;

/// Files of a server in clear, by path: header fields and body.
type Site = &'static [(&'static str, &'static str, &'static str)];

async fn scanned(site: Site, secret: &str, include: Vec<Include>) -> Asked<Seen> {
    visited(site, secret, include, 1).await
}

async fn visited(site: Site, secret: &str, include: Vec<Include>, visits: u32) -> Asked<Seen> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut asked = 0_u64;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let Ok(length) = stream.read(&mut request).await else { continue };
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let file = site.iter().find(|(known, ..)| *known == path);
            asked += 1;
            let answer = match file {
                Some((_, fields, body)) if fields.starts_with("HTTP") => {
                    format!("{fields}\r\nConnection: close\r\n\r\n{body}")
                }
                Some((_, fields, body)) => format!("HTTP/1.1 200 OK\r\n{fields}Connection: close\r\n\r\n{body}"),
                None => "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n".into(),
            };
            // What a server would mint for each answer.
            let answer =
                answer.replace("MINTED", &format!("{:x}", 0x9f8e_7d6c_5b4a_3928_u64.wrapping_mul(asked * 2 + 1)));
            // The client may have seen enough.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let text = format!(
        "name = \"t\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://127.0.0.1/\"\npage = \"http://{address}/call\"\n\
         [[scope]]\nnetworks = [\"127.0.0.0/8\"]\n"
    );
    let target = Target::parse(&text, Path::new("t.toml")).unwrap();
    let ledger = Ledger::default();
    ledger.add("sip-password", secret);
    let cx = Cx {
        net: Net::new(&target).unwrap(),
        target: Arc::new(target),
        key: RunKey::from_random([1; 32]),
        ledger,
        log_marks: crate::LogMarks::default(),
        kept: BTreeMap::new(),
        observed: BTreeMap::new(),
        control: false,
        seed: 1,
        seconds_left: 60,
        browser: None,
    };
    ScanPage::ask(&cx, With { scheme: Scheme::Http, include, visits, config: None }).await.unwrap()
}

fn raw(list: &[Untrusted]) -> Vec<&str> {
    list.iter().map(Untrusted::raw).collect()
}

const SITE: Site = &[
    ("/call", "HTTP/1.1 302 Found\r\nLocation: /de/call?x=1", ""),
    (
        "/de/call?x=1",
        "Content-Security-Policy: default-src 'self'\r\nPermissions-Policy: camera=()\r\nReferrer-Policy: origin\r\n\
         Strict-Transport-Security: max-age=9\r\n",
        r#"<!doctype html><meta http-equiv="Content-Security-Policy" content="object-src 'none'">
        <meta name=referrer content=no-referrer><base href="/js/">
        <!-- <script src="commented.js"></script> --><script src="main.js?v=1"></script>
        <script src="https://cdn.example.com/lib.js"></script>
        <script src="https://cdn.example.com/held.js" integrity="sha384-x"></script>
        <body data-config="https://c.example.com/?access_token=pass-word-1"><a href="sip:desk@pbx.example.com">Call</a>
        <script type="module">import { a } from "./inner.js"; "<img src=http://x.test/no.png>"</script>"#,
    ),
    ("/js/main.js?v=1", "", "import './part.js'; const s = ['stun:stun.example.com:3478', 'turn:' + host];"),
    ("/js/part.js", "", "const u = 'wss://s.example.com/?t=cGFzcy13b3JkLTE';"),
    ("/js/inner.js", "", "export const a = 'pass-word-1'; import(\"./gone.js\")"),
];

#[tokio::test]
async fn a_page_and_its_scripts_are_read() {
    let asked = scanned(SITE, "pass-word-1", everything()).await;
    let seen = asked.seen;
    assert_eq!((seen.status, seen.scripts), (Some(200), 3));
    assert_eq!(raw(&seen.csp), ["default-src 'self'", "object-src 'none'"]);
    assert_eq!(seen.referrer_policy.as_ref().map(Untrusted::raw), Some("no-referrer"));
    assert_eq!(seen.permissions_policy.as_ref().map(Untrusted::raw), Some("camera=()"));
    assert_eq!(seen.hsts.max_age_s, None, "said in the clear, it means nothing");
    assert!(seen.hsts.for_address, "127.0.0.1");
    assert_eq!(raw(&seen.third_party_scripts), ["https://cdn.example.com/lib.js", "https://cdn.example.com/held.js"]);
    assert_eq!(raw(&seen.scripts_without_integrity), ["https://cdn.example.com/lib.js"]);
    assert_eq!(raw(&seen.sip_uris), ["sip:desk@pbx.example.com"]);
    let servers: Vec<&str> = seen.ice_servers.iter().map(|server| server.url.raw()).collect();
    assert_eq!(servers, ["stun:stun.example.com:3478"]);
    let not_read = raw(&seen.scripts_not_read);
    assert_eq!(not_read.len(), 3, "out of scope twice, and gone: {not_read:?}");
    let secrets: Vec<(&str, &str)> = seen.secrets.iter().map(|s| (s.kind.as_str(), s.place.as_str())).collect();
    assert_eq!(secrets, [("sip-password", "page"), ("sip-password", "script"), ("sip-password", "url")]);
    assert!(seen.mixed_content.is_empty(), "the page itself came in the clear");
}

#[tokio::test]
async fn a_part_is_read_alone_and_a_loop_ends() {
    let seen = scanned(SITE, "pass-word-1", vec![Include::Page]).await.seen;
    assert!(seen.scripts == 0 && seen.ice_servers.is_empty() && seen.sip_uris.len() == 1);
    let round: Site = &[("/call", "HTTP/1.1 302 Found\r\nLocation: /call", "")];
    let asked = scanned(round, "x", everything()).await;
    assert_eq!((asked.outcome.word(), asked.seen.status), ("protocol", None));
    let gone = scanned(&[], "x", everything()).await;
    assert_eq!((gone.outcome.word(), gone.seen.status), ("answered", Some(404)));
}

#[test]
fn what_a_page_loads_in_the_clear_is_mixed_content() {
    let url = Url::parse("https://www.example.com/call").unwrap();
    let html = br#"<script src="http://a.example.com/x.js?t=1"></script><img src=//b.example.com/i.png><a href="http://c.example.com">"#;
    let mut seen = Seen::default();
    describe(&Document::read(html, &url), &url, &mut seen);
    assert_eq!(raw(&seen.mixed_content), ["http://a.example.com/x.js"]);
}

#[test]
fn what_goes_in_clear_is_mixed_content_unless_browsers_ask_over_tls() {
    let page = Url::parse("https://www.example.com/call").unwrap();
    let mixed = |html: &str| {
        let mut seen = Seen::default();
        describe(&Document::read(html.as_bytes(), &page), &page, &mut seen);
        raw(&seen.mixed_content).join(" ")
    };
    assert_eq!(mixed("<form action=http://f.test/ask?x=1></form><form action=/own></form>"), "http://f.test/ask");
    let upgrading = "<meta http-equiv=Content-Security-Policy content=\"img-src *; Upgrade-Insecure-Requests\">";
    assert_eq!(mixed(&format!("{upgrading}<img src=http://f.test/a.png>")), "");
}

const ACCOUNTS: Site = &[
    (
        "/call",
        "",
        r#"<script src="/main.js"></script><script>const config = { iceServers: [{ urls: "turn:t.example.com:3478",
        username: "web", credential: "relay-8fK2mZ0q" }], password: "MINTED" };</script>"#,
    ),
    ("/main.js", "", "fetch('/settings.json'); fetch('/gone.json');\n//# sourceMappingURL=main.js.map"),
    (
        "/main.js.map",
        "",
        r#"{"version":3,"sourcesContent":["const account = { uri: 'sip:desk@pbx.test', sipPassword: 'Xk7-pQ2vR9' };"]}"#,
    ),
    ("/settings.json", "", r#"{"accessToken":"7f3a9c1d2b4e5f60aa11"}"#),
];

#[tokio::test]
async fn what_is_written_is_told_from_what_is_minted() {
    let all = vec![Include::Page, Include::Scripts, Include::SourceMaps, Include::StorageFiles];
    let seen = visited(ACCOUNTS, "unseen-secret", all.clone(), 2).await.seen;
    assert_eq!((seen.visits, seen.scripts, seen.source_maps, seen.storage_files), (2, 1, 1, 1));
    let told: Vec<_> = seen.secrets.iter().map(|s| (s.kind.as_str(), s.place.as_str(), s.same_in_visits)).collect();
    let expected = [
        ("bearer-token", "storage-file", true),
        ("sip-password", "page", false),
        ("sip-password", "source-map", true),
        ("turn-password", "page", true),
    ];
    assert_eq!(told, expected);
    let server = seen.ice_servers.first().unwrap();
    assert!(server.credential && server.same_in_visits && seen.ice_servers.len() == 1);
    let once = visited(ACCOUNTS, "unseen-secret", all, 1).await.seen;
    assert!(once.secrets.iter().all(|secret| !secret.same_in_visits), "one visit shows nothing of that");
    let plain = visited(ACCOUNTS, "unseen-secret", everything(), 1).await.seen;
    assert_eq!((plain.source_maps, plain.storage_files), (0, 0));
}
