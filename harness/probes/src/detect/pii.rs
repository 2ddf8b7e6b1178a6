//! Personal data by its shape: e-mail and IP addresses, phone, account and card numbers; and whatever the operator says that
//! a test user is called.
//!
//! Names, streets and dates of birth have no shape: they are found only where the operator lists them.

mod canaries;
mod national;
mod numbers;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::{Match, begins_word, ends_word, everywhere, runs};

/// What kind of personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `local@domain`, RFC 5322, section 3.4.1. The address in a SIP URI is none: `sip:user@host` names an account.
    Email,
    /// Phone number, E.164 with `+` or written as people write national ones.
    Phone,
    /// IBAN, ISO 13616, whose check digits are right.
    Iban,
    /// Payment card number, ISO/IEC 7812, whose check digit is right.
    Card,
    /// Number by which a state names a person: of Spain, France, Germany, the United States, the United Kingdom or Italy.
    NationalId,
    /// Address of a host, IPv4 or IPv6, that is not reserved for documentation or for the host itself.
    IpAddress,
    /// A value that the operator lists as a test user's.
    TestUser,
}

impl Kind {
    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Email => "email",
            Kind::Phone => "phone",
            Kind::Iban => "iban",
            Kind::Card => "payment-card",
            Kind::NationalId => "national-id",
            Kind::IpAddress => "ip-address",
            Kind::TestUser => "test-user",
        }
    }
}

/// Personal data in a text and in what is encoded in it. `test_user` holds the operator's values.
pub fn find(text: &str, test_user: &[String]) -> Vec<Match<Kind>> {
    everywhere(text, |text| in_plain(text, test_user))
}

/// Personal data in a text as it stands.
pub fn in_plain(text: &str, test_user: &[String]) -> Vec<(Kind, Range<usize>)> {
    let mut found: Vec<(Kind, Range<usize>)> = Vec::new();
    let mut add = |kind, spans: Vec<Range<usize>>| found.extend(spans.into_iter().map(|span| (kind, span)));
    add(Kind::Email, emails(text));
    add(Kind::Iban, numbers::ibans(text));
    add(Kind::Card, numbers::cards(text));
    add(Kind::NationalId, national::find(text));
    add(Kind::Phone, numbers::phones(text));
    add(Kind::IpAddress, addresses(text));
    add(Kind::TestUser, canaries::find(text, test_user));
    found
}

/// Endings of file names: `icon@2x.png` is no address.
const FILES: [&str; 12] = ["css", "gif", "html", "ico", "jpeg", "jpg", "js", "json", "map", "png", "svg", "webp"];
/// Schemes whose URIs hold `user@host`: RFC 3261 and 3966 ff., RFC 7064 and 7065.
const USER_AT_HOST: [&str; 9] = ["sip", "sips", "pres", "im", "xmpp", "turn", "turns", "stun", "ssh"];

fn emails(text: &str) -> Vec<Range<usize>> {
    let local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$&'*+/=?^_`{|}~-%".contains(&byte);
    let host = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    let at_signs = text.bytes().enumerate().filter(|(_, byte)| *byte == b'@').map(|(at, _)| at);
    let address = |at: usize| {
        // RFC 5321, section 4.5.3.1: 64 and 255 bytes at most.
        let before = text.as_bytes().get(at.saturating_sub(65)..at)?;
        let start = at - before.iter().rev().take_while(|byte| local(**byte)).count();
        let behind = text.as_bytes().get(at + 1..text.len().min(at + 257))?;
        let domain = text.get(at + 1..at + 1 + behind.iter().take_while(|byte| host(**byte)).count())?;
        let domain = domain.trim_end_matches(['.', '-']);
        let end = at + 1 + domain.len();
        let user = text.get(start..at)?;
        // What is written in front of an address is no part of it: `?mail=`, `'`.
        let user = user.rsplit(['=', '\'', '/', '?', '&', '{', '|', '`']).next()?;
        let start = at - user.len();
        let second = text.as_bytes().get(end) == Some(&b'@');
        let sound = is_local(user) && is_domain(domain) && (second || !is_userinfo(text.get(..start)?));
        sound.then_some(start..end)
    };
    at_signs.filter_map(address).collect()
}

fn is_local(text: &str) -> bool {
    let dots = text.starts_with('.') || text.ends_with('.') || text.contains("..");
    !dots && (1..=64).contains(&text.len()) && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    let Some((rest, top)) = text.rsplit_once('.') else { return false };
    let top = top.to_ascii_lowercase();
    let is_top = top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic()) || top.starts_with("xn--");
    // RFC 7118 clients have names below `invalid`, RFC 6761.
    rest.split('.').all(label) && is_top && top != "invalid" && !FILES.contains(&top.as_str())
}

/// Whether what stands before `user@host` makes it part of a URI.
fn is_userinfo(before: &str) -> bool {
    let Some(before) = before.strip_suffix(':') else { return before.ends_with("//") };
    let at = before.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    // Anything but ASCII ends before a boundary only by luck; then it is no scheme either.
    let (rest, word) = (before.get(..at).unwrap_or_default(), before.get(at..).unwrap_or_default());
    rest.ends_with("//") || USER_AT_HOST.contains(&word.to_ascii_lowercase().as_str())
}

fn addresses(text: &str) -> Vec<Range<usize>> {
    let token = |byte: u8| byte.is_ascii_hexdigit() || byte == b'.' || byte == b':';
    let mut found = Vec::new();
    for (span, piece) in runs(text, token) {
        // A sentence ends in a dot; a port follows a colon.
        let trimmed = piece.trim_end_matches(['.', ':']);
        let start = span.start;
        let alone = |range: &Range<usize>| {
            let joined = text.get(..range.start).is_some_and(|before| before.ends_with(['/', '-', '_', '.']));
            // Four numbers with dots are a version where a word says so.
            let version = || numbers::named(text, range.start, &VERSION);
            begins_word(text, range.start) && ends_word(text, range.end) && !joined && !version()
        };
        let v4 = trimmed.split(':').next().unwrap_or_default();
        if v4.parse::<Ipv4Addr>().is_ok_and(is_somebodys) && alone(&(start..start + v4.len())) {
            found.push(start..start + v4.len());
        } else if is_v6(trimmed) && alone(&(start..start + trimmed.len())) {
            found.push(start..start + trimmed.len());
        }
    }
    found
}

/// Words before four numbers that make them no address.
const VERSION: [&str; 4] = ["version", "release", "build", "agent"];

fn is_somebodys(address: Ipv4Addr) -> bool {
    !(address.is_loopback() || address.is_unspecified() || address.is_documentation() || address.is_broadcast())
}

fn is_v6(text: &str) -> bool {
    // Eight pairs of digits between colons are a hardware address or a piece of a fingerprint.
    let written = text.contains("::") || text.split(':').any(|group| group.len() > 2);
    // RFC 3849.
    let documentation = |address: &Ipv6Addr| address.segments().starts_with(&[0x2001, 0xdb8]);
    let somebodys = |a: Ipv6Addr| !(a.is_loopback() || a.is_unspecified() || documentation(&a));
    written && text.len() > 4 && text.parse::<Ipv6Addr>().is_ok_and(somebodys)
}
