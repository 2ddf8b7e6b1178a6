//! What one answer tells about a deployment. It is the target's: nothing of it is printed or written but names and shapes.

use std::path::Path;

use ringfence_client::Net;
use ringfence_client::adapters::{ConfigKind, read_answer};
use ringfence_client::http::{self, Answer, Request};
use ringfence_model::target::{Adapter, Target};
use serde_json::Value;
use url::Url;

use super::template::quoted;
use crate::problem::Problem;

/// Pointers that are looked at: a configuration has dozens of fields, a flood thousands (house).
const MAX_FIELDS: usize = 4096;

/// What was found out.
#[derive(Debug, Default)]
pub struct Found {
    /// One line for the operator.
    pub said: String,
    /// Whether the address is the page with the call button, in place of the configuration endpoint.
    pub page: bool,
    /// The adapter that fits.
    pub adapter: Option<Adapter>,
    /// Host names that the configuration sends its clients to.
    pub hosts: Vec<String>,
    /// Adapter `sip`: key of the target file and JSON pointer.
    pub pointers: Vec<(&'static str, String)>,
}

impl Found {
    /// Nothing, and why.
    pub fn nothing(why: &str) -> Self {
        Self { said: format!("{why}; what the file says is a guess"), ..Self::default() }
    }
}

/// Fetches an address once, as a browser would, and tells what it looks like.
pub async fn at(url: &Url, ca_file: Option<&Path>) -> Result<Found, Problem> {
    let target = minimal(url, ca_file)?;
    let net = Net::new(&target).map_err(Problem::usage)?;
    match http::request(&net, Request::get(url.clone())).await {
        Ok(answer) => Ok(read(&target, &answer)),
        Err(failure) => Ok(Found::nothing(&format!("the address gave no answer ({failure})"))),
    }
}

/// Just enough of a target file to ask one address.
fn minimal(url: &Url, ca_file: Option<&Path>) -> Result<Target, Problem> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let ca_file =
        ca_file.map(|path| format!("ca_file = {}\n", quoted(&path.display().to_string()))).unwrap_or_default();
    let network = match host.parse::<std::net::IpAddr>() {
        Ok(address) => format!("networks = [\"{address}\"]"),
        Err(_) => format!("hosts = [{}]\nnetworks = [\"127.0.0.0/8\", \"::1\"]", quoted(host)),
    };
    let text = format!(
        "name = \"init\"\nadapter = \"cognigy\"\n{ca_file}[endpoints]\nconfig = {}\n[[scope]]\n{network}\n",
        quoted(url.as_str())
    );
    let here = std::env::current_dir().unwrap_or_default().join("target.toml");
    Target::parse(&text, &here).map_err(Problem::usage)
}

fn read(target: &Target, answer: &Answer) -> Found {
    let status = answer.status;
    if (300..400).contains(&status) {
        return Found::nothing(&format!("the address answers {status}: give the one that it leads to"));
    }
    if status != 200 {
        return Found::nothing(&format!("the address answers {status}"));
    }
    let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if kind.contains("html") {
        let said = "a page: taken for the one with the call button".to_owned();
        return Found { said, page: true, ..Found::default() };
    }
    let Ok(document) = serde_json::from_slice::<Value>(&answer.body) else {
        return Found::nothing("the answer is neither a page nor JSON");
    };
    if let Some(config) = read_answer(target, answer) {
        let said = match config.kind {
            ConfigKind::Runtime => "a configuration of Cognigy's, of a runtime endpoint",
            _ => "a configuration of Cognigy's, of a legacy endpoint",
        };
        let urls = config.ice_servers.iter().flat_map(|server| &server.urls);
        let hosts = std::iter::once(&config.ws_uri).chain(urls).filter_map(|uri| host(uri)).collect();
        return Found { said: said.into(), adapter: Some(Adapter::Cognigy), hosts, ..Found::default() };
    }
    account(&document)
}

/// A JSON answer that holds a SIP account, by the names and shapes of its fields.
fn account(document: &Value) -> Found {
    let mut fields = Vec::new();
    walk(document, String::new(), &mut fields);
    let named = |names: &[&str]| {
        fields.iter().find(|(pointer, _)| {
            let name = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase().replace(['_', '-'], "");
            names.contains(&name.as_str())
        })
    };
    let socket = |value: &&Value| {
        value
            .as_str()
            .is_some_and(|text| ["ws://", "wss://"].iter().any(|start| text.to_ascii_lowercase().starts_with(start)))
    };
    let Some((ws_uri, value)) = fields.iter().find(|(_, value)| socket(value)) else {
        return Found::nothing("JSON without the address of a WebSocket");
    };
    let wanted: [(&str, &[&str]); 5] = [
        ("username", &["username", "user", "authuser", "authorizationuser", "login"]),
        ("password", &["password", "passwd", "pwd", "secret"]),
        ("realm", &["realm", "domain", "sipdomain"]),
        ("target", &["target", "callee", "destination"]),
        ("ice_servers", &["iceservers"]),
    ];
    let mut pointers = vec![("ws_uri", ws_uri.clone())];
    for (key, names) in wanted {
        pointers.extend(named(names).map(|(pointer, _)| (key, pointer.clone())));
    }
    let said = format!(
        "JSON with a SIP account: found {}",
        pointers.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(", ")
    );
    let hosts = value.as_str().and_then(host).into_iter().collect();
    Found { said, adapter: Some(Adapter::Sip), hosts, pointers, ..Found::default() }
}

/// Every field with its JSON pointer (RFC 6901), outer ones first. serde_json refuses documents deeper than 128.
fn walk<'a>(value: &'a Value, at: String, fields: &mut Vec<(String, &'a Value)>) {
    let Some(object) = value.as_object() else { return };
    for (name, value) in object {
        if fields.len() >= MAX_FIELDS {
            return;
        }
        fields.push((format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), value));
    }
    for (name, value) in object {
        walk(value, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), fields);
    }
}

/// The host of a WebSocket, STUN or TURN address. The latter write no `//` (RFC 7064, RFC 7065).
fn host(uri: &str) -> Option<String> {
    let spelled = if uri.contains("://") { uri.to_owned() } else { uri.replacen(':', "://", 1) };
    Some(Url::parse(&spelled).ok()?.host_str()?.trim_matches(['[', ']']).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str, kind: &str, status: u16) -> Found {
        let url = Url::parse("https://a.example.test/token").unwrap();
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        read(&minimal(&url, None).unwrap(), &Answer { status, headers, body: body.into(), ..Answer::default() })
    }

    #[test]
    fn an_answer_tells_what_it_is() {
        assert!(found("<html>", "text/html; charset=utf-8", 200).page);
        assert!(found("", "", 302).said.contains("leads to"));
        assert!(found("plain", "text/plain", 200).said.contains("neither"));
        assert!(found("{\"a\": 1}", "application/json", 200).said.contains("without the address"));
        let cognigy = r#"{"organisationId":"o","projectId":"p","endpointSettings":{"sipConnectivityInfo":{
            "applicationSid":"a","username":"u","password":"p","realm":"r.test","wsUri":"wss://ws.test:8443"}},
            "iceServers":[{"urls":["turn:t.test:3478"],"username":"u","credential":"c"}]}"#;
        let found = found(cognigy, "application/json", 200);
        assert_eq!((found.adapter, found.hosts), (Some(Adapter::Cognigy), vec!["ws.test".into(), "t.test".into()]));
    }

    #[test]
    fn a_sip_account_is_found_by_its_fields() {
        let account =
            r#"{"sip":{"wsUri":"wss://sip.test/ws","auth_user":"x","Password":"s","sip-domain":"d.test"}, "a/b": 1}"#;
        let found = found(account, "application/json", 200);
        let pointers: Vec<(&str, &str)> = found.pointers.iter().map(|(key, at)| (*key, at.as_str())).collect();
        let expected = [
            ("ws_uri", "/sip/wsUri"),
            ("username", "/sip/auth_user"),
            ("password", "/sip/Password"),
            ("realm", "/sip/sip-domain"),
        ];
        assert_eq!(pointers, expected);
        assert!(
            !found.said.contains('s') || !found.said.contains("sip.test"),
            "nothing of the answer itself: {}",
            found.said
        );
    }
}
