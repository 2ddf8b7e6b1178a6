//! SIP URIs and the addresses of From and To, by the letter of the grammar.
//!
//! This is a second opinion and no reader for use: it takes what RFC 3261, section 25.1 derives and nothing else, so what it takes
//! has one meaning, and every other reader must find that one.

use ringfence_wire::sip::{tag, uri};

use crate::oracle::Oracle;

/// Our tolerant reader finds in an address of the grammar the one URI and tag that the grammar finds.
pub const DERIVED: Oracle = Oracle::new(
    "what the grammar derives is read as derived",
    "who calls and who is called is decided by these texts: RFC 3261, sections 20.10 and 25.1, gives a legal one exactly one reading",
);

/// Nothing, if our reader finds the same in this value of From or To as the grammar, or the grammar does not derive it.
#[track_caller]
pub fn sip_addresses(value: &str) {
    compared(value, uri(value), tag(value).as_deref());
}

#[track_caller]
fn compared(value: &str, uri: Option<&str>, tag: Option<&str>) {
    let Some(strict) = StrictAddress::of(value) else { return };
    DERIVED.same(&(Some(strict.uri), strict.tag), &(uri, tag), value);
}

/// A `sip:` or `sips:` URI that the grammar derives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrictUri<'a> {
    /// The user part as written, with its escapes.
    pub user: Option<&'a str>,
    /// The host as written, with the brackets of an IPv6 address.
    pub host: &'a str,
    /// The port.
    pub port: Option<u16>,
}

impl<'a> StrictUri<'a> {
    /// The URI of this text, if the grammar derives it.
    pub fn of(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
            return None;
        }
        // Neither parameters nor headers may hold an at sign, and neither may host and port: the first one ends the user.
        let (userinfo, rest) = rest.split_once('@').map_or((None, rest), |(userinfo, rest)| (Some(userinfo), rest));
        let user = match userinfo {
            Some(userinfo) => Some(user_of(userinfo)?),
            None => None,
        };
        let (rest, headers) = rest.split_once('?').map_or((rest, None), |(rest, headers)| (rest, Some(headers)));
        let (hostport, params) = rest.split_once(';').map_or((rest, None), |(host, params)| (host, Some(params)));
        let (host, port) = host_and_port(hostport)?;
        let params = params.is_none_or(|params| params.split(';').all(is_uri_parameter));
        let headers = headers.is_none_or(|headers| headers.split('&').all(is_header));
        (params && headers).then_some(Self { user, host, port })
    }
}

/// What From or To holds, if the grammar derives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrictAddress<'a> {
    /// The URI as written.
    pub uri: &'a str,
    /// What the URI says.
    pub parts: StrictUri<'a>,
    /// The first parameter `tag`.
    pub tag: Option<&'a str>,
}

impl<'a> StrictAddress<'a> {
    /// The address of this value of one line, if the grammar derives it: `from-spec`, `to-param`.
    pub fn of(value: &'a str) -> Option<Self> {
        let (uri, params) = match after_display_name(value) {
            Some(bracketed) => bracketed.split_once('>')?,
            // Section 20.10: without brackets a semicolon begins a parameter of the field, and `,` and `?` must not be there.
            None => value.find([';', ' ', '\t']).map_or((value, ""), |at| value.split_at(at)),
        };
        let bare = after_display_name(value).is_none();
        let parts = StrictUri::of(uri).filter(|_| !bare || !uri.contains([',', '?']))?;
        let mut tag = None;
        for (name, given) in parameters(params)? {
            if name.eq_ignore_ascii_case("tag") && tag.replace(given).is_some() {
                return None; // one at most has a meaning
            }
        }
        let tag = tag.map(|given| given.filter(|given| is_token(given)));
        if tag == Some(None) { None } else { Some(Self { uri, parts, tag: tag.flatten() }) }
    }
}

/// What follows `<`, if the display name before it is none, tokens or a quoted string.
fn after_display_name(value: &str) -> Option<&str> {
    if let Some(quoted) = value.strip_prefix('"') {
        return quoted_end(quoted)?.trim_start_matches([' ', '\t']).strip_prefix('<');
    }
    let (name, inner) = value.split_once('<')?;
    name.split([' ', '\t']).all(|word| word.is_empty() || is_token(word)).then_some(inner)
}

/// What follows the closing quote. Section 25.1: `quoted-string`.
fn quoted_end(inner: &str) -> Option<&str> {
    let mut escaped = false;
    for (at, letter) in inner.char_indices() {
        match letter {
            _ if escaped && letter.is_ascii() => escaped = false, // `quoted-pair`: any ASCII but CR and LF
            _ if escaped => return None,
            '\\' => escaped = true,
            '"' => return inner.get(at + 1..),
            '\t' | ' ' => {}
            _ if letter.is_ascii_control() => return None,
            _ => {}
        }
    }
    None
}

/// `*( SEMI generic-param )`, each with its value as written; none if it is anything else.
fn parameters(text: &str) -> Option<Vec<(&str, Option<&str>)>> {
    let mut rest = text.trim_matches([' ', '\t']);
    let mut found = Vec::new();
    while !rest.is_empty() {
        rest = rest.strip_prefix(';')?.trim_start_matches([' ', '\t']);
        let end = rest.find([';', '=', ' ', '\t']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        rest = behind.trim_start_matches([' ', '\t']);
        let mut value = None;
        if let Some(given) = rest.strip_prefix('=') {
            let given = given.trim_start_matches([' ', '\t']);
            let end = match given.strip_prefix('"') {
                Some(quoted) => given.len() - quoted_end(quoted)?.len(),
                None => given.find([';', ' ', '\t']).unwrap_or(given.len()),
            };
            let (word, behind) = given.split_at(end);
            if !word.starts_with('"') && !is_token(word) && host_and_port(word).is_none() {
                return None;
            }
            value = Some(word);
            rest = behind.trim_start_matches([' ', '\t']);
        }
        if !is_token(name) {
            return None;
        }
        found.push((name, value));
    }
    Some(found)
}

fn user_of(userinfo: &str) -> Option<&str> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let sound = !user.is_empty() && is_made_of(user, b"&=+$,;?/") && is_made_of(password, b"&=+$,");
    sound.then_some(user)
}

fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let end = text.strip_prefix('[').map_or(text.find(':'), |inner| Some(inner.find(']')? + 2)).unwrap_or(text.len());
    let (host, port) = (text.get(..end)?, text.get(end..)?);
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
        None if port.is_empty() => None,
        _ => return None,
    };
    is_host(host).then_some((host, port))
}

fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[') {
        return inner.strip_suffix(']').is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let labels: Vec<&str> = text.strip_suffix('.').unwrap_or(text).split('.').collect();
    let sound = |label: &&str| {
        let alphanumeric = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = label.as_bytes();
        let inside = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        alphanumeric(bytes.first()) && alphanumeric(bytes.last()) && inside
    };
    let named = labels.last().is_some_and(|top| top.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    labels.iter().all(sound) && (named || text.parse::<std::net::Ipv4Addr>().is_ok())
}

fn is_uri_parameter(text: &str) -> bool {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let sound = |text: &str| !text.is_empty() && is_made_of(text, b"[]/:&+$");
    sound(name) && value.is_none_or(sound)
}

fn is_header(text: &str) -> bool {
    let Some((name, value)) = text.split_once('=') else { return false };
    !name.is_empty() && is_made_of(name, b"[]/?:+$") && is_made_of(value, b"[]/?:+$")
}

/// `unreserved`, `escaped` and these others. Section 25.1.
fn is_made_of(text: &str, others: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let sound = match byte {
            b'%' => {
                [bytes.next(), bytes.next()].iter().all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
            }
            _ => byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) || others.contains(&byte),
        };
        if !sound {
            return false;
        }
    }
    true
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_reader_of_the_wrong_bracket_is_caught() {
        let value = "\"a <sip:evil@x>\" <sip:b@y>;tag=1";
        sip_addresses(value);
        caught(&DERIVED, || compared(value, Some("sip:evil@x"), Some("1")));
        caught(&DERIVED, || compared(value, Some("sip:b@y"), None));
        caught(&DERIVED, || compared("sip:b@y;tag=1", Some("sip:b@y;tag=1"), Some("1")));
    }

    fn parts(text: &str) -> Option<(Option<&str>, &str, Option<u16>)> {
        StrictUri::of(text).map(|uri| (uri.user, uri.host, uri.port))
    }

    #[test]
    fn what_the_grammar_derives_has_one_reading() {
        assert_eq!(parts("sip:a.b@h.example:5061;lr?x=y"), Some((Some("a.b"), "h.example", Some(5061))));
        assert_eq!(parts("SIPS:user;par=u%40e.net@h"), Some((Some("user;par=u%40e.net"), "h", None)));
        assert_eq!(parts("sip:u?v:pw@[2001:db8::1]:1"), Some((Some("u?v"), "[2001:db8::1]", Some(1))));
        assert_eq!(parts("sip:192.0.2.1;p=[::1]"), Some((None, "192.0.2.1", None)));
    }

    #[test]
    fn what_it_does_not_derive_is_left_alone() {
        for text in [
            "tel:+1",
            "sip:",
            "sip:@h",
            "sip:a@b@c",
            "sip:a@h;",
            "sip:a@h;p=",
            "sip:a%4@h",
            "sip:a@h?x",
            "sip:a b@h",
            "sip:a@1.2.3",
            "sip:a@-h",
            "sip:a@h:",
            "sip:a@h:99999",
            "sip:a@[::1",
            "sip:\u{fc}@h",
            "http://h",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_have_names_and_tags() {
        let read = |value| StrictAddress::of(value).map(|address| (address.uri, address.tag));
        assert_eq!(read("\"a <sip:x@y>\\\"\" <sip:b@h;tag=no>;tag=1"), Some(("sip:b@h;tag=no", Some("1"))));
        assert_eq!(read("A B\t<sip:b@h> ; x=\";tag=2\" ; TAG = t"), Some(("sip:b@h", Some("t"))));
        assert_eq!(read("sip:b@h;tag=1"), Some(("sip:b@h", Some("1"))));
        assert_eq!(read("sip:b@h"), Some(("sip:b@h", None)));
        for value in
            ["", "<sip:b@h", "a, b <sip:b@h>", "<sip:b@h>;tag=1;tag=2", "<sip:b@h>;tag", "sip:b,c@h", "\"a <sip:b@h>"]
        {
            assert_eq!(read(value), None, "{value}");
        }
    }
}
