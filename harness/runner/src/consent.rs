//! Whether a run may begin, and how far it may go: the authorisation, and what of the file's consents still holds.

use std::net::IpAddr;

use jiff::civil::Date;
use ringfence_model::target::{Endpoint, Endpoints, Target, Value};
use toml::value::Datetime;
use url::{Host, Url};

/// An authorisation that runs longer is one that nobody looks at again (house).
const LONGEST_DAYS: i32 = 366;

/// What to write where there is no authorisation.
const AUTHORIZATION: &str = "[authorization]\nstatement = \"who allows what\"\n\
    contact = \"whom to reach when something breaks\"\nexpires = 2027-01-31";

/// Why a run must not begin; `None` when it may. `today` is the day in UTC, `YYYY-MM-DD`.
pub fn refusal(target: &Target, today: &str) -> Option<String> {
    if loopback_only(target) {
        return None;
    }
    let Some(authorization) = &target.authorization else {
        return Some(format!(
            "the target is not on this machine, and its file holds no authorisation; if you may test it, add\n\n{AUTHORIZATION}"
        ));
    };
    let empty = |key: &str, text: &str, line: &str| {
        let why = || format!("authorization.{key} is empty; write\n\n[authorization]\n{key} = \"{line}\"");
        text.trim().is_empty().then(why)
    };
    empty("statement", &authorization.statement, "who allows what")
        .or_else(|| empty("contact", &authorization.contact, "whom to reach when something breaks"))
        .or_else(|| match (last_day(&authorization.expires), today.parse::<Date>()) {
            (Some(last), Ok(today)) if last >= today => None,
            (Some(last), Ok(_)) => {
                Some(format!("the authorisation ended on {last}; renew it, and change authorization.expires"))
            }
            _ => Some("authorization.expires is no day; write\n\n[authorization]\nexpires = 2027-01-31".into()),
        })
}

/// What whoever runs this should know of the file, although it keeps nothing from being asked.
pub fn notes(target: &Target, today: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let today: Option<Date> = today.parse().ok();
    let authorization = target.authorization.as_ref().filter(|_| !loopback_only(target));
    let last = authorization.and_then(|authorization| last_day(&authorization.expires));
    if let (Some(last), Some(today)) = (last, today)
        && today.until(last).is_ok_and(|span| span.get_days() > LONGEST_DAYS)
    {
        notes.push(format!("authorization.expires is {last}: more than a year ahead, which nobody looks at again"));
    }
    let permissions = target.scope.iter().filter_map(|entry| entry.vendor_permission.as_ref());
    for permission in permissions {
        if permission.reference.trim().is_empty() {
            notes.push("vendor_permission.reference is empty; the permission counts as not given".into());
        } else if last_day(&permission.expires).zip(today).is_none_or(|(last, today)| last < today) {
            let last = &permission.expires;
            notes.push(format!("the vendor's permission `{}` ended on {last}", permission.reference));
        }
    }
    notes.extend(target.secret_sources().into_iter().filter_map(|(key, source)| {
        let path = source.file.as_ref().filter(|path| readable_by_all(path))?;
        Some(format!("{key}: everybody on this machine can read {}; chmod 600 it", path.display()))
    }));
    notes
}

/// The target with the permissions that hold on that day, and no others.
pub fn on_day(mut target: Target, today: &str) -> Target {
    let today: Option<Date> = today.parse().ok();
    for entry in &mut target.scope {
        entry.vendor_permission.take_if(|permission| {
            let over = last_day(&permission.expires).zip(today).is_none_or(|(last, today)| last < today);
            over || permission.reference.trim().is_empty()
        });
    }
    target
}

/// The day of a date, with or without a time.
fn last_day(expires: &Datetime) -> Option<Date> {
    let date = expires.date?;
    Date::new(date.year.try_into().ok()?, date.month.try_into().ok()?, date.day.try_into().ok()?).ok()
}

#[cfg(unix)]
fn readable_by_all(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn readable_by_all(_: &std::path::Path) -> bool {
    false
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
        && target.turn.control_peer.iter().all(|peer| is_loopback(&format!("https://{peer}")))
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
        assert!(here("turn = { control_peer = \"127.0.0.4:9\" }"));
        assert!(!here("turn = { control_peer = \"203.0.113.5:9\" }"));
    }

    #[test]
    fn empty_words_authorise_nothing() {
        let with = |statement: &str, contact: &str, expires: &str| {
            let rest = format!(
                "authorization = {{ statement = \"{statement}\", contact = \"{contact}\", expires = {expires} }}"
            );
            refusal(&target("https://example.test/t", &rest), "2026-06-30")
        };
        assert_eq!(with("s", "c", "2026-06-30T10:00:00Z"), None);
        for (statement, contact, expires, line) in [
            ("", "c", "2026-07-01", "statement = \"who"),
            (" \\t\\n", "c", "2026-07-01", "statement = \"who"),
            ("s", "", "2026-07-01", "contact = \"whom"),
            ("s", "\u{a0}\u{2003}", "2026-07-01", "contact = \"whom"),
            ("s", "c", "07:32:00", "expires = 2027"),
            ("s", "c", "2026-06-29", "ended on 2026-06-29"),
        ] {
            let why = with(statement, contact, expires).expect("refused");
            assert!(why.contains(line), "{why}");
        }
    }

    #[test]
    fn a_far_expiry_is_noted_and_so_is_a_permission_that_is_over() {
        let noted = |expires: &str| {
            let rest = format!(
                "authorization = {{ statement = \"s\", contact = \"c\", expires = {expires} }}\n\
                 scope = [{{ hosts = [\"v.test\"], owner = \"vendor\", \
                 vendor_permission = {{ reference = \"letter 7\", expires = {expires} }} }}]"
            );
            let target = target("https://example.test/t", &rest);
            let held = on_day(target.clone(), "2026-06-30").scope[0].vendor_permission.is_some();
            (notes(&target, "2026-06-30"), held)
        };
        assert_eq!(noted("2026-06-30"), (vec![], true));
        assert_eq!(noted("2027-06-30"), (vec![], true));
        let (far, held) = noted("2999-12-31");
        assert!(far.len() == 1 && far[0].contains("more than a year") && held, "{far:?}");
        let (over, held) = noted("2026-06-29");
        assert!(over.len() == 1 && over[0].contains("`letter 7` ended on 2026-06-29") && !held, "{over:?}");
    }

    #[test]
    #[cfg(unix)]
    fn a_secret_that_everybody_can_read_is_noted() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "s").unwrap();
        let target = target("https://localhost/t", &format!("turn = {{ credential = {{ file = {path:?} }} }}"));
        for (mode, noted) in [(0o600, 0), (0o640, 0), (0o644, 1), (0o604, 1)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let notes = notes(&target, "2026-06-30");
            assert_eq!(notes.len(), noted, "{mode:o} {notes:?}");
            assert!(notes.iter().all(|note| note.starts_with("turn.credential: ") && note.contains("chmod 600")));
        }
    }

    #[test]
    fn an_authorisation_ends() {
        let rest = "authorization = { statement = \"s\", contact = \"c\", expires = 2026-06-30 }";
        assert_eq!(refusal(&target("https://example.test/t", rest), "2026-06-30"), None);
        assert!(refusal(&target("https://example.test/t", rest), "2026-07-01").unwrap().contains("2026-06-30"));
    }
}
