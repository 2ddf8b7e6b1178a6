//! Whether a run may begin: an authorisation, unless everything that the target names is this machine.

use std::net::IpAddr;

use ringfence_model::target::{Endpoint, Endpoints, Target, Value};
use url::{Host, Url};

/// Why a run must not begin; `None` when it may. `today` is the day in UTC, `YYYY-MM-DD`.
pub fn refusal(target: &Target, today: &str) -> Option<String> {
    if loopback_only(target) {
        return None;
    }
    let Some(authorization) = &target.authorization else {
        return Some(
            "the target is not on this machine, and its file holds no authorisation; if you may test it, add\n\n\
             [authorization]\nstatement = \"who allows what\"\ncontact = \"whom to reach when something breaks\"\n\
             expires = 2027-01-31"
                .into(),
        );
    };
    let expires = authorization.expires.to_string();
    let day = expires.get(..10).unwrap_or(&expires);
    (day < today).then(|| format!("the authorisation ended on {day}; renew it, and change authorization.expires"))
}

/// Whether every address that the target file names is loopback. Names other than `localhost` are not looked up: they
/// count as elsewhere.
pub fn loopback_only(target: &Target) -> bool {
    let endpoints = Endpoints::NAMES.iter().filter_map(|name| match target.endpoints.get(name) {
        Endpoint::Url(url) => Some(url.to_owned()),
        _ => None,
    });
    let sessions = target.endpoints.sessions.values().cloned();
    let sockets = match &target.sip.ws_uri {
        Some(Value::Text(url)) => Some(url.clone()),
        _ => None,
    };
    let here = endpoints.chain(sessions).chain(sockets).all(|url| is_loopback(&url));
    // What a configuration may name is bounded by the scope, so the scope has to be loopback as well.
    let names = target.scope.iter().flat_map(|entry| &entry.hosts).all(|host| host == "localhost");
    let networks = target.scope.iter().flat_map(|entry| &entry.networks).all(|net| {
        let address = net.split('/').next().and_then(|text| text.parse::<IpAddr>().ok());
        address.is_some_and(|ip| ip.is_loopback())
    });
    here && names && networks
}

fn is_loopback(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn target(config: &str, rest: &str) -> Target {
        let text = format!("name = \"t\"\nadapter = \"cognigy\"\n{rest}\n[endpoints]\nconfig = \"{config}\"\n");
        Target::parse(&text, Path::new("t.toml")).unwrap()
    }

    #[test]
    fn this_machine_needs_no_authorisation_and_others_do() {
        assert_eq!(refusal(&target("https://localhost:8443/t", ""), "2026-01-01"), None);
        assert_eq!(refusal(&target("https://127.0.0.9/t", ""), "2026-01-01"), None);
        assert!(refusal(&target("https://example.test/t", ""), "2026-01-01").unwrap().contains("[authorization]"));
        let scope = "scope = [{ hosts = [\"*.example.test\"] }]";
        assert!(refusal(&target("https://localhost/t", scope), "2026-01-01").is_some());
    }

    #[test]
    fn an_authorisation_ends() {
        let rest = "authorization = { statement = \"s\", contact = \"c\", expires = 2026-06-30 }";
        assert_eq!(refusal(&target("https://example.test/t", rest), "2026-06-30"), None);
        assert!(refusal(&target("https://example.test/t", rest), "2026-07-01").unwrap().contains("2026-06-30"));
    }
}
