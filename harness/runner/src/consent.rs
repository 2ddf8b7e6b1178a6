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
    let urls_here = endpoints.chain(sessions).chain(sockets).all(|url| is_loopback(&url));
    // What a configuration may name is bounded by the scope, and without one by these: all of it has to be loopback.
    let mut hosts = target.scope.iter().flat_map(|entry| &entry.hosts);
    let mut networks = target.scope.iter().flat_map(|entry| &entry.networks).chain(&target.declared.networks);
    urls_here
        && hosts.all(|host| host == "localhost" || network_is_loopback(host))
        && networks.all(|network| network_is_loopback(network))
        && target.turn.urls.iter().all(|url| turn_is_loopback(url))
}

/// Whether a network in CIDR notation, or one address, lies in 127.0.0.0/8 (RFC 1122, section 3.2.1.3) or is ::1 as a whole.
fn network_is_loopback(network: &str) -> bool {
    let (address, prefix) =
        network.split_once('/').map_or((network, None), |(address, prefix)| (address, Some(prefix)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let (width, least) = if address.is_ipv4() { (32, 8) } else { (128, 128) };
    let prefix = prefix.map_or(Some(width), |text| text.trim().parse::<u8>().ok());
    address.is_loopback() && prefix.is_some_and(|prefix| (least..=width).contains(&prefix))
}

/// Whether a TURN URL (RFC 7065) names this machine.
fn turn_is_loopback(url: &str) -> bool {
    let rest = url.split_once(':').map_or(url, |(_, rest)| rest).split('?').next().unwrap_or_default();
    is_loopback(&format!("https://{rest}"))
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
    fn a_scope_that_reaches_beyond_this_machine_needs_an_authorisation() {
        let here = |rest: &str| refusal(&target("https://localhost/t", rest), "2026-01-01").is_none();
        assert!(here(
            "scope = [{ hosts = [\"localhost\", \"127.0.0.2\"], networks = [\"127.0.0.0/8\", \"::1/128\"] }]"
        ));
        assert!(here(
            "declared = { networks = [\"127.3.0.0/16\"] }\nturn = { urls = [\"turn:127.0.0.1:3478?transport=udp\"] }"
        ));
        assert!(!here("scope = [{ networks = [\"127.0.0.0/1\"] }]"));
        assert!(!here("scope = [{ networks = [\"::1/0\"] }]"));
        assert!(!here("scope = [{ networks = [\"10.0.0.0/8\"] }]"));
        assert!(!here("declared = { networks = [\"203.0.113.0/24\"] }"));
        assert!(!here("turn = { urls = [\"turn:turn.example.test:3478\"] }"));
    }

    #[test]
    fn an_authorisation_ends() {
        let rest = "authorization = { statement = \"s\", contact = \"c\", expires = 2026-06-30 }";
        assert_eq!(refusal(&target("https://example.test/t", rest), "2026-06-30"), None);
        assert!(refusal(&target("https://example.test/t", rest), "2026-07-01").unwrap().contains("2026-06-30"));
    }
}
