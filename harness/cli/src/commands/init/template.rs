//! The text of a new target file: every table that a first run needs, with what to write there.

use std::path::Path;

use ringfence_model::target::Adapter;
use url::Url;

use super::look::Found;

const SCHEMA: &str = "\
# A target file of ringfence: what a deployment is, where it may be touched, and who says so.
# `ringfence explain SCENARIO` tells what each test does; `ringfence plan --target FILE` what a run would ask.
# For completion in editors: `ringfence schema target > target.schema.json`, and `#:schema ./target.schema.json` as line 1.
";

const DESTINATION: &str = "\
[destinations.call]
uri = \"configured\"                        # what the configuration says, or a SIP URI; each call may ring a person
echo = false                              # true where it sends our audio back: then replays and forgeries can be seen

";

const REST: &str = "\
[declared]
# session_end_s = 10                      # seconds after a call until its credentials are dead
# credential_life_s = 60                  # seconds after they were handed out until unused credentials are dead
# session_scope = true                    # credentials are promised for one session
# admission = \"register\"                  # or headers, token, cookie, none: how signalling admits a client

[budget]                                  # of the whole run; `ringfence plan` prints what it would take
calls = 150
minutes = 15

";

const AUTHORIZATION: &str = "\
[authorization]                           # needed unless everything is on this machine; stands in every report
statement = \"\"                            # who allows what: \"test window agreed with operations on …\"
contact = \"\"                              # whom to reach when something breaks
expires = 2000-01-01                      # its last day, a year ahead at most
";

/// The file's text.
pub fn text(url: Option<&Url>, found: &Found, adapter: Option<Adapter>, ca_file: Option<&Path>) -> String {
    // A page may hold its account itself; where a configuration comes from, only its script knows.
    let usual = if found.page { Adapter::Sip } else { Adapter::Cognigy };
    let adapter = adapter.or(found.adapter).unwrap_or(usual);
    let host = url.and_then(Url::host_str).unwrap_or("endpoint.example.test").trim_matches(['[', ']']);
    let mut text = SCHEMA.to_owned();
    text += &format!("name = {:<34} # goes into fingerprints: keep it\n", quoted(&name(host)));
    text += &format!("adapter = {:<31} # cognigy, sip, vonage or avaya\n", quoted(adapter.word()));
    if let Some(path) = ca_file {
        text += &format!("ca_file = {}\n", quoted(&path.display().to_string()));
    }
    let origin = match url.filter(|_| found.page) {
        Some(page) => page.origin().ascii_serialization(),
        None => "https://www.example.test".into(),
    };
    text += &format!(
        "trusted_origins = [{}]  # the pages that may call; the first is the Origin of honest calls\n\n",
        quoted(&origin)
    );
    text += &endpoints(url, found, adapter);
    text += "[page]\nstart = \"#call\"                           # CSS selector of the call button; needs Chromium\n\n";
    if adapter == Adapter::Sip {
        text += &sip(found);
    }
    text += DESTINATION;
    text += REST;
    text += &scope(host, found);
    text += AUTHORIZATION;
    text
}

fn endpoints(url: Option<&Url>, found: &Found, adapter: Adapter) -> String {
    let address = url.map_or("https://endpoint.example.test/url-token", Url::as_str);
    let (config, page) = match found.page {
        true => (
            match adapter {
                Adapter::Sip => "# config = \"https://…\"                    # what its script fetches before a call",
                _ => "config = \"https://endpoint.example.test/url-token\"  # what its script fetches before a call",
            }
            .to_owned(),
            format!("page = {}", quoted(address)),
        ),
        false => (
            format!("config = {}", quoted(address)),
            "# page = \"https://…\"                      # the page with the call button".into(),
        ),
    };
    format!(
        "[endpoints]                               # \"none\" declares that there is no such thing\n{config}\n{page}\n\n"
    )
}

fn sip(found: &Found) -> String {
    let mut text =
        "[sip]                                     # values, or JSON pointers into the answer of endpoints.config\n"
            .to_owned();
    let given = |key: &str| found.pointers.iter().find(|(known, _)| *known == key).map(|(_, pointer)| pointer);
    let typed = [
        ("ws_uri", "\"wss://sip.example.test/ws\""),
        ("username", "\"alice\""),
        ("password", "{ env = \"SIP_PASSWORD\" }                 # or { file = \"…\" }; never the text itself"),
        ("realm", "\"sip.example.test\""),
        ("target", "\"sip:echo@sip.example.test\""),
    ];
    for (key, example) in typed {
        text += &match given(key) {
            Some(pointer) => format!("{key} = {{ pointer = {} }}\n", quoted(pointer)),
            None => format!("{key} = {example}\n"),
        };
    }
    if let Some(pointer) = given("ice_servers") {
        text += &format!("ice_servers = {{ pointer = {} }}\n", quoted(pointer));
    }
    text + "\n"
}

fn scope(host: &str, found: &Found) -> String {
    let mut names: Vec<&str> = vec![host];
    names.extend(found.hosts.iter().map(String::as_str));
    names.sort_unstable();
    names.dedup();
    let (networks, hosts): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| name.parse::<std::net::IpAddr>().is_ok());
    let list = |names: &[&str]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let mut text = "[[scope]]                                 # every dialled address lies in one, also from DNS, SDP, ICE, TURN\n".to_owned();
    if !hosts.is_empty() {
        text += &format!("hosts = [{}]\n", list(&hosts));
    }
    if !networks.is_empty() {
        text += &format!("networks = [{}]\n", list(&networks));
    }
    text + "owner = \"self\"                            # or \"vendor\": then only what a visitor's client does\n\n"
}

/// A name for the deployment, from its host.
fn name(host: &str) -> String {
    let clean: String =
        host.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    clean.trim_matches('-').to_owned()
}

/// A TOML string. What comes from an answer may hold anything.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringfence_model::target::Target;

    #[test]
    fn every_file_that_is_written_can_be_read() {
        let hostile = || "a\"]\nnetworks = [\"0.0.0.0/0".to_owned();
        let found = [
            Found::default(),
            Found { page: true, ..Found::default() },
            Found {
                adapter: Some(Adapter::Sip),
                pointers: vec![("ws_uri", hostile()), ("password", "/p".into())],
                hosts: vec![hostile(), "10.0.0.1".into()],
                ..Found::default()
            },
        ];
        for url in [None, Some("https://user:pw@[2001:db8::1]:8443/a\"b?x=y"), Some("https://x.test/")] {
            let url = url.map(|url| Url::parse(url).unwrap());
            for found in &found {
                for adapter in [None, Some(Adapter::Cognigy), Some(Adapter::Sip)] {
                    let text = text(url.as_ref(), found, adapter, Some(Path::new("a\"b.pem")));
                    let target =
                        Target::parse(&text, Path::new("t.toml")).unwrap_or_else(|error| panic!("{error}\n{text}"));
                    let networks: Vec<&String> = target.scope.iter().flat_map(|entry| &entry.networks).collect();
                    assert!(!networks.iter().any(|network| network.contains("0.0.0.0/0")), "{networks:?}");
                }
            }
        }
    }
}
