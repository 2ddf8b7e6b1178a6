//! The lists of an enumeration: one breach for each way in which entries fail, however many do.

use ringfence_model::enumeration::{Entry, Enumeration, VersionSeen};
use ringfence_model::policy::{Policy, Rank, Ranked};
use ringfence_model::verdict::{Level, Severity};

use super::{HIGH, MEDIUM, Said, accepted, name};

/// Names that a message holds; the entries themselves are all marked.
const MAX_NAMES: usize = 4;

pub fn suites(enumeration: &Enumeration, policy: &Policy, said: &mut Said) {
    let all = || accepted(enumeration).flat_map(|version| &version.suites);
    ranked("suite", HIGH, all().map(|suite| (suite.name.as_str(), suite.ranked)), said);
    let below_13 = accepted(enumeration).filter(|version| version.version != "1.3");
    let open = below_13.flat_map(|version| &version.suites).filter(|suite| !suite.forward_secrecy);
    let open = distinct(open.map(|suite| suite.name.as_str()));
    if !open.is_empty() {
        let level = if policy.forward_secrecy == "must" { Level::Must } else { Level::Should };
        let message = format!(
            "{} without forward secrecy: what is recorded can be read once the key leaks",
            counted(open.len(), "suite is", "suites are")
        );
        said.breach("forward-secrecy", (Severity::Medium, level), message);
    }
}

pub fn groups(enumeration: &Enumeration, policy: &Policy, said: &mut Said) {
    ranked("group", HIGH, entries(enumeration, |version| &version.groups), said);
    let one_of = &policy.groups_required_one_of;
    let seen = distinct(entries(enumeration, |version| &version.groups).map(|(name, _)| name));
    let whole = accepted(enumeration).all(|version| version.unknown.iter().all(|unknown| unknown.list != "groups"));
    let held = seen.iter().any(|group| one_of.iter().any(|one| one.eq_ignore_ascii_case(group)));
    if whole && !seen.is_empty() && !one_of.is_empty() && !held {
        let message = format!("no group of {} is accepted, of which the policy requires one", one_of.join(", "));
        said.breach("group", MEDIUM, message);
    }
    // A finite field is about as strong as an RSA modulus of its size: RFC 9325, section 4.5, asks the same of both.
    let weakest = accepted(enumeration).filter_map(|version| version.dh_bits).min();
    if let Some(bits) = weakest.filter(|bits| i64::from(*bits) < policy.min_rsa_bits) {
        let message = format!("DHE with {bits} bits; the policy's least, as for RSA, is {}", policy.min_rsa_bits);
        said.breach("dh-bits", MEDIUM, message);
    }
}

pub fn signature_schemes(enumeration: &Enumeration, said: &mut Said) {
    ranked("signature-scheme", HIGH, entries(enumeration, |version| &version.signature_schemes), said);
}

pub fn srtp_profiles(enumeration: &Enumeration, policy: &Policy, said: &mut Said) {
    let critical = (Severity::Critical, Level::Must);
    ranked("srtp-profile", critical, entries(enumeration, |version| &version.srtp_profiles), said);
    for version in accepted(enumeration) {
        let whole = version.unknown.iter().all(|unknown| unknown.list != "srtp_profiles");
        if version.goes_without_srtp && version.srtp_profiles.is_empty() && whole {
            let version = name(enumeration.protocol, &version.version);
            said.notes.push(format!("{version} goes on without SRTP whatever is offered: this is no media port"));
        }
    }
    let wanted = policy.preferred_srtp_profile.as_str();
    let place = |profile: &str| policy.srtp_profiles.iter().position(|one| one.eq_ignore_ascii_case(profile));
    let worse = |chosen: &&str| match (place(chosen), place(wanted)) {
        (Some(chosen), Some(wanted)) => chosen > wanted, // the policy names the better ones first
        _ => !chosen.eq_ignore_ascii_case(wanted),
    };
    let chosen = accepted(enumeration).filter_map(|version| version.preferred_srtp_profile.as_deref());
    if let Some(chosen) = chosen.filter(|_| !wanted.is_empty()).find(worse) {
        let message = format!("{chosen} is chosen where all profiles are offered; the policy prefers {wanted}");
        said.breach("srtp-profile", MEDIUM, message);
    }
}

fn entries<'a>(
    enumeration: &'a Enumeration,
    list: impl Fn(&'a VersionSeen) -> &'a [Entry],
) -> impl Iterator<Item = (&'a str, Ranked)> {
    accepted(enumeration).flat_map(list).map(|entry| (entry.name.as_str(), entry.ranked))
}

fn ranked<'a>(
    rule: &str,
    forbidden: (Severity, Level),
    entries: impl Iterator<Item = (&'a str, Ranked)>,
    said: &mut Said,
) {
    let entries: Vec<(&str, Ranked)> = entries.collect();
    let kinds = [
        (Rank::Forbidden, true, forbidden, "that the policy forbids"),
        (Rank::Discouraged, true, MEDIUM, "that the policy discourages"),
        (Rank::Discouraged, false, MEDIUM, "that the policy does not list"),
    ];
    for (rank, listed, severity, how) in kinds {
        let of = entries.iter().filter(|(_, ranked)| (ranked.rank, ranked.listed) == (rank, listed));
        let names = distinct(of.map(|(name, _)| *name));
        if names.is_empty() {
            continue;
        }
        let what = rule.replace('-', " ").replace("srtp", "SRTP");
        let many = counted(names.len(), &what, &format!("{what}s"));
        let shown: Vec<&str> = names.iter().copied().take(MAX_NAMES).collect();
        let more = match names.len() - shown.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        said.breach(rule, severity, format!("{many} {how}: {}{more}", shown.join(", ")));
    }
}

/// Each once, in the order in which it came first.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    names.for_each(|name| {
        if !all.contains(&name) {
            all.push(name);
        }
    });
    all
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
