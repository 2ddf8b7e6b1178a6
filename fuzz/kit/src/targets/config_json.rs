//! The answer of a configuration endpoint.

use std::path::Path;
use std::sync::LazyLock;
use std::time::UNIX_EPOCH;

use arbitrary::Unstructured;
use ringfence_client::adapters::{CallConfig, MAX_ICE_SERVERS, MAX_ICE_URLS, read_answer};
use ringfence_client::http::Answer;
use ringfence_model::target::Target as TargetFile;
use serde_json::{Value, json};

use crate::generators::{json as drawn, stretch};
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, allocating};
use crate::target::{Seed, Target};

/// A status and a body, or what to draw a body from.
pub const TARGET: Target = Target {
    name: "config_json",
    reads: "a byte of modes (adapter, drawn or not, status), and a JSON document or bytes to draw one from",
    oracles: &[&ALLOCATION, &DOCUMENT, &OVER_TLS, &SERVERS, &UNSAID, &REPEATABLE],
    run,
    accepts: |bytes| Input::of(bytes).is_some_and(|input| input.read().is_some()),
    show: |bytes| match Input::of(bytes) {
        Some(input) => format!("{:?}\n{}\n{:#?}", input.target.adapter, input.text(), input.read()),
        None => "nothing".to_owned(),
    },
    seeds,
    dictionary: None,
    max_len: 32_768,
    covers: &[
        "harness/client/src/adapters/json.rs",
        "harness/client/src/adapters/sip.rs",
        "harness/client/src/adapters/cognigy.rs",
    ],
};

/// Documents above the limits are none.
pub const DOCUMENT: Oracle = Oracle::new(
    "a document is bounded",
    "whoever answers decides how deep and how large a document is; 64 levels and 10,000 values are what is taken (house)",
);
/// Signalling is dialled over TLS.
pub const OVER_TLS: Oracle = Oracle::new(
    "a login goes over TLS",
    "whatever address the target hands out, a login must never go out in the clear (RFC 7118, section 8)",
);
/// The list of ICE servers is bounded.
pub const SERVERS: Oracle =
    Oracle::new("ICE servers are bounded", "each one is asked, with packets, in the name of the operator");
/// No secret is said where values are printed.
pub const UNSAID: Oracle =
    Oracle::new("secrets are not printed", "logs and reports are made of what `Debug` says, and are handed on");
/// The same answer is the same configuration.
pub const REPEATABLE: Oracle = Oracle::new(
    "one answer is one configuration",
    "judging one observation twice has to give one verdict; only the time and a visitor's made-up name may differ",
);

/// Names that the adapters look for.
#[rustfmt::skip]
const NAMES: [&str; 28] = [
    "organisationId", "projectId", "endpointSettings", "endpointName", "endpointId", "sipConnectivityInfo", "applicationSid",
    "username", "password", "realm", "wsUri", "webrtcWidgetConfig", "active", "iceServers", "urls", "url", "credential", "settings",
    "privacyNotice", "enabled", "sip", "ws", "token", "ttl", "user", "pass", "to", "aor",
];

static TARGETS: LazyLock<[TargetFile; 3]> = LazyLock::new(|| {
    let read = |text: &str| TargetFile::parse(text, Path::new("target.toml")).expect("a target file of ours");
    [
        read("name = \"c\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.example/a/0123ab\"\n"),
        read(
            "name = \"s\"\nadapter = \"sip\"\n[endpoints]\nconfig = \"https://c.example/\"\n[sip]\nws_uri = { pointer = \"/sip/ws\" }\n\
             username = { pointer = \"/sip/user\" }\npassword = { pointer = \"/sip/pass\" }\nrealm = { pointer = \"/sip/realm\" }\n\
             token = { pointer = \"/token\" }\nlifetime_s = { pointer = \"/ttl\" }\nice_servers = { pointer = \"/iceServers\" }\n\
             target = { pointer = \"/to\" }\naor = { pointer = \"/aor\" }\n",
        ),
        read(
            "name = \"s\"\nadapter = \"sip\"\n[endpoints]\nconfig = \"https://c.example/\"\n[sip]\nws_uri = { pointer = \"/sip/ws\" }\n\
             username = { pointer = \"/username\" }\npassword = { pointer = \"/password\" }\nice_servers = { pointer = \"/iceServers\" }\n\
             [destinations.call]\nuri = \"sip:echo@example.test\"\n",
        ),
    ]
});

struct Input {
    target: &'static TargetFile,
    answer: Answer,
}

impl Input {
    fn of(bytes: &[u8]) -> Option<Self> {
        let (mode, rest) = bytes.split_first()?;
        let target = TARGETS.get(usize::from(mode & 3))?;
        let status = if mode & 8 != 0 { 100 + u16::from(mode >> 4) * 40 } else { 200 };
        let body =
            if mode & 4 != 0 { document(&mut Unstructured::new(rest)).ok()?.into_bytes() } else { rest.to_vec() };
        Some(Self { target, answer: Answer { status, body, ..Answer::default() } })
    }

    fn read(&self) -> Option<CallConfig> {
        read_answer(self.target, &self.answer)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.answer.body).into_owned()
    }
}

/// A sound document with some of its values replaced, or any.
fn document(u: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    if u.ratio(1, 8)? {
        return drawn::text(u);
    }
    let mut document = if u.ratio(1, 2)? { cognigy() } else { sip() };
    for _ in 0..u.int_in_range(0..=4)? {
        replace(&mut document, u, 0)?;
    }
    Ok(document.to_string())
}

/// Another value at some place.
fn replace(value: &mut Value, u: &mut Unstructured<'_>, level: usize) -> arbitrary::Result<()> {
    let deeper = level == 0 || u.ratio(3, 4)?;
    let child = match value {
        Value::Object(map) if deeper && !map.is_empty() => {
            let at = u.choose_index(map.len())?;
            map.values_mut().nth(at)
        }
        Value::Array(list) if deeper && !list.is_empty() => {
            let at = u.choose_index(list.len())?;
            list.get_mut(at)
        }
        _ => None,
    };
    match child {
        Some(child) => replace(child, u, level + 1),
        None => {
            *value = match u.int_in_range(0..=5)? {
                0 => Value::from(*u.choose(&[
                    "ws://h.example:1",
                    "WSS://h.example",
                    " ws://h.example",
                    "ws:h",
                    "https://h",
                    "wss://[::1]:9/x#y",
                ])?),
                1 => Value::Array(vec![
                    json!({ "urls": vec!["stun:s.example"; u.int_in_range(0..=20)?] });
                    u.int_in_range(0..=20)?
                ]),
                _ => serde_json::from_str(&drawn::value(u, 4, &NAMES)?).unwrap_or(Value::Null),
            };
            Ok(())
        }
    }
}

/// One run.
pub fn run(bytes: &[u8]) {
    let Some(input) = Input::of(bytes) else { return };
    // A value of a JSON document takes up to 200 bytes for two of text, in lists that grow by doubling.
    let bound = Bound { per_byte: 512, fixed: 65_536 };
    let Some(config) = allocating(bound, input.answer.body.len(), || input.read()) else { return };
    bounded(&input.answer.body, &config);
    encrypted(&config.ws_given, &config.ws_uri);
    unsaid(&config, &format!("{config:?}"));
    repeatable(&config, || input.read());
}

fn repeatable(once: &CallConfig, read: impl Fn() -> Option<CallConfig>) {
    let again = read();
    let same = again.as_ref().is_some_and(|again| timeless(again) == timeless(once));
    REPEATABLE.holds(same, || format!("{once:#?}\n{again:#?}"));
}

fn bounded(body: &[u8], config: &CallConfig) {
    let document: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let (levels, values) = measured(&document);
    DOCUMENT.holds(levels <= 64 && values <= 10_000, || format!("{levels} levels and {values} values are taken"));
    let urls = config.ice_servers.iter().map(|server| server.urls.len()).max().unwrap_or(0);
    let servers = config.ice_servers.len();
    SERVERS
        .holds(servers <= MAX_ICE_SERVERS && urls <= MAX_ICE_URLS, || format!("{servers} servers, {urls} addresses"));
}

/// Levels of brackets, and values. `serde_json` itself goes no deeper than 128.
fn measured(value: &Value) -> (usize, usize) {
    let of = |values: &mut dyn Iterator<Item = &Value>| {
        values.map(measured).fold((1, 1), |(levels, count), (below, more)| (levels.max(below + 1), count + more))
    };
    match value {
        Value::Array(list) => of(&mut list.iter()),
        Value::Object(map) => of(&mut map.values()),
        _ => (0, 1),
    }
}

/// The address that is dialled is the one that was given, over TLS.
fn encrypted(given: &str, dialled: &str) {
    let both = || format!("{given:?} is dialled as {dialled:?}");
    let (given, dialled) = (url::Url::parse(given), url::Url::parse(dialled));
    OVER_TLS.holds(dialled.as_ref().is_ok_and(|url| url.scheme() == "wss"), both);
    let place =
        |url: &url::Url| (url.host_str().map(str::to_owned), url.port_or_known_default(), url.path().to_owned());
    OVER_TLS.holds(given.as_ref().map(place) == dialled.as_ref().map(place), both);
}

/// A secret that no other value of the configuration holds is not said.
fn unsaid(config: &CallConfig, printed: &str) {
    let servers = &config.ice_servers;
    let credentials = servers.iter().filter_map(|server| server.credential.as_ref());
    for secret in [&config.password, &config.token].into_iter().flatten().chain(credentials) {
        let secret = secret.expose();
        let mut open = vec![&config.ws_given, &config.ws_uri, &config.realm, &config.aor_user, &config.target_uri];
        open.extend(&config.username);
        open.extend(config.identity_headers.iter().map(|(_, value)| value));
        open.extend(servers.iter().flat_map(|server| server.urls.iter().chain(&server.username)));
        // Short ones stand in a number or a field's name by chance.
        if secret.len() >= 12 && !open.iter().any(|text| text.contains(secret.as_str())) {
            UNSAID.holds(!printed.contains(secret.as_str()), || format!("{secret:?} stands in {printed}"));
        }
    }
}

/// A configuration without what the clock and chance put into it.
fn timeless(config: &CallConfig) -> String {
    let made_up = config.aor_user.starts_with("webrtc-sdk-");
    let ends = config.username.as_ref().is_some_and(|name| name.contains(':')); // `time:name`: seconds from now
    let aor_user = if made_up { String::new() } else { config.aor_user.clone() };
    let lifetime_s = if ends { None } else { config.lifetime_s };
    let secrets = [&config.password, &config.token].map(|secret| secret.as_ref().map(|secret| secret.expose().clone()));
    format!("{:?}{secrets:?}", CallConfig { read_at: UNIX_EPOCH, lifetime_s, aor_user, ..config.clone() })
}

fn cognigy() -> Value {
    json!({
        "organisationId": "org-5d1f", "projectId": "proj-77",
        "endpointSettings": {
            "endpointName": "Front Desk 1", "endpointId": "not-dialled",
            "sipConnectivityInfo": { "applicationSid": "4e", "username": "1800000060:desk", "password": "correct horse battery",
                "realm": "sip.example", "wsUri": "wss://ws.example:8443/x" },
            "webrtcWidgetConfig": { "active": true }
        },
        "settings": { "privacyNotice": { "enabled": true } },
        "iceServers": [
            { "urls": "stun:s.example" },
            { "urls": ["turn:t.example?transport=udp", "turns:t.example"], "username": "1800000060:a", "credential": "turn-credential" }
        ]
    })
}

fn sip() -> Value {
    json!({
        "sip": { "ws": "ws://pbx.example/ws", "user": 7, "pass": "correct horse battery", "realm": "pbx.example" },
        "username": "desk", "password": "correct horse battery", "token": "opaque-token-0123", "ttl": 3600, "aor": "me",
        "to": "echo", "iceServers": [{ "url": "stun:s.example" }]
    })
}

fn seeds() -> Vec<Seed> {
    let plain = |mode: u8, document: &Value| [&[mode][..], document.to_string().as_bytes()].concat();
    let mut runtime = cognigy();
    runtime["endpointSettings"]["sipConnectivityInfo"] = json!({ "wsUri": "ws://ws.example:8080" });
    let mut seeds = vec![
        Seed::valid("cognigy-legacy", plain(0, &cognigy())),
        Seed::valid("cognigy-runtime", plain(0, &runtime)),
        Seed::valid("sip-pointers", plain(1, &sip())),
        Seed::valid("sip-destination-of-the-file", plain(2, &sip())),
        Seed::other("answered-300", plain(0x58, &cognigy())),
        Seed::other("nothing-in-it", plain(1, &json!({}))),
        Seed::other("no-json", [&[0][..], b"<html>"].concat()),
        Seed::other("deep", [vec![0], vec![b'['; 100]].concat()),
    ];
    let drawn =
        |seed: u64| Seed::other(format!("drawn-{seed}"), [vec![4 + (seed % 3) as u8], stretch(seed, 160)].concat());
    seeds.extend((0..24).map(drawn));
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    fn config() -> CallConfig {
        Input::of(&seeds().swap_remove(2).bytes).and_then(|input| input.read()).expect("a configuration")
    }

    #[test]
    fn enough_of_what_is_drawn_is_a_configuration() {
        let read = |seed| Input::of(&[vec![4 + (seed % 2) as u8], stretch(seed, 160)].concat())?.read();
        assert!((0..400).filter_map(read).count() > 20);
    }

    #[test]
    fn a_reader_of_endless_documents_is_caught() {
        let deep = [vec![b'['; 100], vec![b']'; 100]].concat();
        caught(&DOCUMENT, || bounded(&deep, &config()));
    }

    #[test]
    fn a_login_in_the_clear_or_elsewhere_is_caught() {
        caught(&OVER_TLS, || encrypted("ws://a.example", "ws://a.example"));
        caught(&OVER_TLS, || encrypted("ws://a.example", "wss://a.example"));
    }

    #[test]
    fn a_client_of_a_thousand_servers_is_caught() {
        let mut config = config();
        config.ice_servers = vec![config.ice_servers[0].clone(); MAX_ICE_SERVERS + 1];
        caught(&SERVERS, || bounded(b"{}", &config));
    }

    #[test]
    fn a_printer_of_secrets_is_caught() {
        caught(&UNSAID, || unsaid(&config(), "password: correct horse battery"));
    }

    #[test]
    fn a_reader_that_remembers_is_caught() {
        let other = CallConfig { realm: "b".into(), ..config() };
        caught(&REPEATABLE, || repeatable(&config(), || Some(other.clone())));
    }
}
