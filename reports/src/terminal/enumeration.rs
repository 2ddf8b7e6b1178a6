//! What a TLS or DTLS server accepts, as a table for a terminal of 80 columns.

mod certificate;
#[cfg(test)]
mod tests;

use ringfence_model::enumeration::{Entry, Enumeration, Protocol, SuiteSeen, VersionSeen, VersionState};
use ringfence_model::policy::Rank;

use super::page::{Ink, Page, Style};
use crate::escape;

/// Columns of the page (house): the table has its measure, and lines of prose end with it.
const WIDTH: usize = 80;
/// Of the version that visitors get.
const CHOSEN: &str = ", chosen where all are offered";

/// An enumeration for a terminal. Colour codes stand in it only if `style` asks for them, and none comes from the target.
pub fn terminal_enumeration(enumeration: &Enumeration, style: Style) -> String {
    let mut page = Page::new(Style { width: style.width.min(WIDTH), ..style });
    card(&mut page, enumeration);
    unknown(&mut page, enumeration);
    findings(&mut page, enumeration);
    versions(&mut page, enumeration);
    for version in accepted(enumeration) {
        suites(&mut page, enumeration.protocol, version);
    }
    list(&mut page, "Groups", enumeration, |version| &version.groups);
    list(&mut page, "Signature schemes", enumeration, |version| &version.signature_schemes);
    if enumeration.protocol == Protocol::Dtls {
        list(&mut page, "SRTP profiles", enumeration, |version| &version.srtp_profiles);
    }
    handshake(&mut page, enumeration);
    certificate::certificates(&mut page, enumeration);
    notes(&mut page, enumeration);
    last(&mut page, enumeration);
    page.finish()
}

fn card(page: &mut Page, enumeration: &Enumeration) {
    let (ink, mark) = match enumeration.code {
        0 => (Ink::Good, page.mark("✓", "OK")),
        1 => (Ink::Alarm, page.mark("✗", "X")),
        _ => (Ink::Warning, page.mark("?", "?")),
    };
    let host = match enumeration.host.contains(':') {
        true => format!("[{}]", enumeration.host),
        false => enumeration.host.clone(),
    };
    let of = enumeration.protocol.word();
    match &enumeration.calls {
        None => page.barred(ink, &format!("{mark} {of} of {}:{}", escape::prose(&host), enumeration.port)),
        Some(calls) => {
            page.barred(ink, &format!("{mark} {of} of the media port of {}", escape::prose(&calls.target)));
            let count = counted(usize::try_from(calls.placed).unwrap_or(usize::MAX), "call");
            page.barred(Ink::Plain, &format!("at {}, in {count}", escape::prose(&host)));
        }
    }
    if let Some(name) = enumeration.server_name.as_ref().filter(|name| **name != enumeration.host) {
        page.barred(Ink::Plain, &format!("asked for as {}", escape::prose(name)));
    }
    page.barred(Ink::Plain, &format!("policy: {}", escape::prose(&enumeration.policy)));
    page.barred(Ink::Plain, &format!("exit code {}: {}", enumeration.code, enumeration.exit.meaning()));
}

/// Said loudly, and ahead of all: what is not known is no pass.
fn unknown(page: &mut Page, enumeration: &Enumeration) {
    let all = || enumeration.versions.iter().flat_map(|version| version.unknown.iter().map(move |one| (version, one)));
    if all().next().is_none() {
        return;
    }
    page.heading(&format!("Not known, and why ({})", all().count()), Ink::Warning);
    for (version, one) in all() {
        let what = match (version.state, one.list.as_str()) {
            (VersionState::Accepted, "chosen_version") => "whether it is chosen among others".to_owned(),
            (VersionState::Accepted, list) => format!("there may be more {}", list.replace('_', " ")),
            _ => "whether it is accepted".to_owned(),
        };
        let name = name(enumeration.protocol, &version.version);
        page.text(1, Ink::Warning, &format!("? {name}: {what}: {}", one.reason.visible()));
    }
}

fn findings(page: &mut Page, enumeration: &Enumeration) {
    if enumeration.findings.is_empty() {
        return;
    }
    page.heading(&format!("Findings ({})", enumeration.findings.len()), Ink::Alarm);
    for finding in &enumeration.findings {
        page.labelled(finding.severity.word(), Ink::of_severity(finding.severity), &escape::prose(&finding.message));
    }
}

fn versions(page: &mut Page, enumeration: &Enumeration) {
    page.heading("Versions", Ink::Strong);
    for version in enumeration.versions.iter().rev() {
        let (ink, mark, says) = match (version.state, version.rank) {
            (VersionState::Accepted, rank) => {
                let rank = rank.unwrap_or(Rank::Fine);
                let below = if rank == Rank::Forbidden { ", below the policy's least" } else { "" };
                let chosen = if enumeration.chosen_version.as_ref() == Some(&version.version) { CHOSEN } else { "" };
                (ink(rank), mark(page, rank), format!("accepted{chosen}{below}"))
            }
            (VersionState::Refused, _) => {
                let alert = version.alert.as_ref().map(|alert| format!(" ({})", escape::prose(alert)));
                (Ink::Faint, "-", format!("refused{}", alert.as_deref().unwrap_or(", without an alert")))
            }
            (VersionState::Unknown, _) => (Ink::Warning, "?", "not known".to_owned()),
        };
        let name = name(enumeration.protocol, &version.version);
        page.row(ink, &format!("{mark} {name:<9} {says}"));
    }
}

fn suites(page: &mut Page, protocol: Protocol, version: &VersionSeen) {
    let order = match version.server_order {
        Some(true) => ", in the server's order",
        Some(false) => ", the client's order counts",
        None => "",
    };
    let name = name(protocol, &version.version);
    page.heading(&format!("{name}: {}{order}", counted(version.suites.len(), "suite")), Ink::Strong);
    page.row(Ink::Faint, &format!("  {:<45} {:<7} {:<18} {:>4}", "", "key ex.", "group", "bits"));
    let mut suites: Vec<&SuiteSeen> = version.suites.iter().collect();
    if version.server_order != Some(true) {
        // There is no order but that of our hello, which says nothing: the best come first.
        suites.sort_by_key(|suite| std::cmp::Reverse((suite.ranked.rank, suite.bits)));
    }
    for suite in suites {
        let group = group(version, suite);
        let bits = suite.bits.map_or("?".to_owned(), |bits| bits.to_string());
        let mark = mark(page, suite.ranked.rank);
        let (name, exchange) = (escape::prose(&suite.name), escape::prose(&suite.key_exchange));
        page.row(ink(suite.ranked.rank), &format!("{mark} {name:<45} {exchange:<7} {group:<18} {bits:>4}"));
    }
}

/// The group that the server chose first, where the suite takes one; a field of DHE by its bits.
fn group(version: &VersionSeen, suite: &SuiteSeen) -> String {
    let first = || version.groups.first().map_or("?".to_owned(), |group| escape::prose(&group.name));
    match (suite.key_exchange.as_str(), suite.authentication.as_deref()) {
        ("ECDHE" | "(EC)DHE", _) | ("ECDH", Some("anon")) => first(),
        ("DHE", _) | ("DH", Some("anon")) => version.dh_bits.map_or("?".to_owned(), |bits| format!("{bits} bits")),
        _ => "-".to_owned(),
    }
}

/// A list of all versions in one, a line for each rank; which versions, where not all of those that can show the list do.
fn list<'a>(
    page: &mut Page,
    title: &str,
    enumeration: &'a Enumeration,
    of: impl Fn(&'a VersionSeen) -> &'a Vec<Entry>,
) {
    let with: Vec<(&VersionSeen, &Vec<Entry>)> =
        accepted(enumeration).map(|version| (version, of(version))).filter(|(_, list)| !list.is_empty()).collect();
    if with.is_empty() {
        return;
    }
    let mut entries: Vec<&Entry> = Vec::new();
    for entry in with.iter().flat_map(|(_, list)| list.iter()) {
        if entries.iter().all(|known| known.code != entry.code) {
            entries.push(entry);
        }
    }
    // The versions that hold an entry, where that are not all.
    let only = |entry: &Entry| {
        let holds = |list: &[Entry]| list.iter().any(|one| one.code == entry.code);
        let versions = with.iter().filter(|(_, list)| holds(list)).map(|(version, _)| version.version.as_str());
        let versions: Vec<&str> = versions.collect();
        if versions.len() == with.len() { String::new() } else { versions.join(", ") }
    };
    let preferred = |entry: &Entry| {
        title.starts_with("SRTP")
            && with.iter().any(|(version, _)| version.preferred_srtp_profile.as_deref() == Some(entry.name.as_str()))
    };
    page.heading(title, Ink::Strong);
    for rank in [Rank::Fine, Rank::Note, Rank::Discouraged, Rank::Forbidden] {
        let mut parts: Vec<(String, Vec<String>)> = Vec::new();
        for entry in entries.iter().filter(|entry| entry.ranked.rank == rank) {
            let name = format!("{}{}", escape::prose(&entry.name), if preferred(entry) { " (preferred)" } else { "" });
            let only = only(entry);
            match parts.iter_mut().find(|(of, _)| *of == only) {
                Some((_, names)) => names.push(name),
                None => parts.push((only, vec![name])),
            }
        }
        let part = |(only, names): &(String, Vec<String>)| match only.is_empty() {
            true => names.join(", "),
            false => format!("in {} only: {}", escape::prose(only), names.join(", ")),
        };
        if !parts.is_empty() {
            page.labelled(rank.word(), ink(rank), &parts.iter().map(part).collect::<Vec<_>>().join("; "));
        }
    }
}

fn handshake(page: &mut Page, enumeration: &Enumeration) {
    let all: Vec<&VersionSeen> = accepted(enumeration).collect();
    if all.is_empty() {
        return;
    }
    page.heading("Handshake", Ink::Strong);
    let below_13 = || all.iter().filter(|version| version.version != "1.3");
    let each = |of: &dyn Fn(&VersionSeen) -> Option<bool>, yes: &str, no: &str| -> Option<(Ink, String)> {
        let told: Vec<(&str, bool)> =
            below_13().filter_map(|version| Some((version.version.as_str(), of(version)?))).collect();
        let without: Vec<&str> = told.iter().filter(|(_, yes)| !yes).map(|(version, _)| *version).collect();
        match (told.is_empty(), without.is_empty()) {
            (true, _) => None,
            (false, true) => Some((Ink::Plain, yes.to_owned())),
            (false, false) => Some((Ink::Middle, format!("{no} in {}", without.join(", ")))),
        }
    };
    let secret = each(&|version| version.extended_master_secret, "extended, RFC 7627", "not extended");
    let renegotiation = each(&|version| version.secure_renegotiation, "secure, RFC 5746", "not secure");
    let compression = each(&|version| Some(!version.compression), "none", "chosen");
    for (label, line) in [("secret", secret), ("renegotiate", renegotiation), ("compression", compression)] {
        if let Some((ink, text)) = line {
            page.labelled(label, ink, &text);
        }
    }
    if all.iter().any(|version| version.certificate_requested) {
        page.labelled("client", Ink::Plain, "is asked for a certificate");
    }
    if enumeration.protocol == Protocol::Tls && below_13().next().is_some() {
        let stapled = all.iter().any(|version| version.ocsp_stapled);
        page.labelled("status", Ink::Plain, if stapled { "stapled (OCSP)" } else { "not stapled (OCSP)" });
    }
    if enumeration.protocol == Protocol::Dtls {
        let cookie = if all.iter().any(|version| version.cookie) { "demanded" } else { "not demanded" };
        let most = all.iter().filter_map(|version| version.before_cookie).max_by_key(|most| most.received);
        let most = most.map(|most| format!("; {} bytes without one drew {} at most", most.sent, most.received));
        page.labelled("cookie", Ink::Plain, &format!("{cookie}{}", most.unwrap_or_default()));
    }
}

fn notes(page: &mut Page, enumeration: &Enumeration) {
    if enumeration.notes.is_empty() {
        return;
    }
    page.heading("Notes", Ink::Strong);
    for note in &enumeration.notes {
        page.text(1, Ink::Plain, &format!("~ {}", escape::prose(note)));
    }
}

fn last(page: &mut Page, enumeration: &Enumeration) {
    page.gap();
    let ranks = [Rank::Fine, Rank::Note, Rank::Discouraged, Rank::Forbidden];
    let legend: Vec<String> = ranks.iter().map(|rank| format!("{} {}", mark(page, *rank), rank.word())).collect();
    if accepted(enumeration).next().is_some() {
        page.row(Ink::Faint, &legend.join("   "));
    }
    let hellos = counted(usize::try_from(enumeration.hellos_sent).unwrap_or(usize::MAX), "hello");
    let seconds = std::time::Duration::from_millis(enumeration.elapsed_ms).as_secs_f64();
    page.row(Ink::Faint, &format!("{hellos} in {seconds:.2} s"));
}

/// Newest first.
fn accepted(enumeration: &Enumeration) -> impl Iterator<Item = &VersionSeen> {
    enumeration.versions.iter().rev().filter(|version| version.state == VersionState::Accepted)
}

fn name(protocol: Protocol, version: &str) -> String {
    if version == "ssl3" { "SSL 3.0".to_owned() } else { format!("{} {}", protocol.word(), escape::prose(version)) }
}

/// A sign for a rank, which colour only repeats.
fn mark(page: &Page, rank: Rank) -> &'static str {
    match rank {
        Rank::Fine => page.mark("✓", "+"),
        Rank::Note => "~",
        Rank::Discouraged => "!",
        Rank::Forbidden => page.mark("✗", "x"),
    }
}

const fn ink(rank: Rank) -> Ink {
    match rank {
        Rank::Fine => Ink::Plain,
        Rank::Note => Ink::Calm,
        Rank::Discouraged => Ink::Middle,
        Rank::Forbidden => Ink::Alarm,
    }
}

fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}
