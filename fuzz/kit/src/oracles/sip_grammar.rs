//! Whether a SIP message is one, by the grammar's own rules.
//!
//! Nothing here calls `ringfence-wire`: a fault there must not excuse itself.

use crate::oracle::Oracle;

/// What the pre-pass lets through, and what our own machines write, is a message of the grammar within the limits that are stated.
pub const GRAMMAR: Oracle = Oracle::new(
    "accepted means grammatical",
    "the next reader takes the plain form for one that RFC 3261, section 25.1 describes; what only our reader understands, \
     another one understands otherwise",
);

/// `ringfence_wire::sip`, "Limits": the plain form keeps to them too.
const MAX_MESSAGE: usize = 64 * 1024;
const MAX_FIELDS: usize = 128;
const MAX_FIELD: usize = 8 * 1024;
/// The controls at which some reader ends a text or a line, or which it trims. The others are left to quoted pairs, and to evidence.
const FORBIDDEN: [char; 3] = ['\0', '\x0b', '\x0c'];

/// Nothing, if these bytes are a message in plain form: one line for each field, long names or unknown ones, one blank behind the
/// colon, and the body that Content-Length states. URIs and values are not looked into.
#[track_caller]
pub fn sip_grammatical(plain: &[u8]) {
    let fault = fault_of(plain);
    GRAMMAR.holds(fault.is_none(), || format!("{}: {:?}", fault.unwrap_or_default(), plain.escape_ascii().to_string()));
}

fn fault_of(plain: &[u8]) -> Option<&'static str> {
    if plain.len() > MAX_MESSAGE {
        return Some("longer than 64 KiB");
    }
    let Some((head, body)) = head_and_body(plain) else {
        return Some("no end of the header, or one that is no UTF-8");
    };
    let lines = || head.split("\r\n");
    if lines().any(|line| has(line, &['\r', '\n'])) {
        return Some("CR or LF alone");
    }
    start_line(lines().next().unwrap_or_default()).or_else(|| fields(lines().skip(1), body.len()))
}

/// What stands before the blank line, and behind it.
fn head_and_body(plain: &[u8]) -> Option<(&str, &[u8])> {
    let valid = std::str::from_utf8(plain).map_or_else(|error| error.valid_up_to(), str::len);
    let text = std::str::from_utf8(plain.get(..valid)?).ok()?;
    let (at, _) =
        text.match_indices('\r').find(|(at, _)| plain.get(*at..).is_some_and(|x| x.starts_with(b"\r\n\r\n")))?;
    Some((text.get(..at)?, plain.get(at + 4..)?))
}

/// Whether one of these is there. A search for each is several times as fast as one for all, and this runs in every execution.
fn has(text: &str, of: &[char]) -> bool {
    of.iter().any(|c| text.contains(*c))
}

fn start_line(line: &str) -> Option<&'static str> {
    if has(line, &FORBIDDEN) {
        return Some("NUL, VT or FF in the first line");
    }
    let words: Vec<&str> = line.splitn(3, ' ').collect();
    match words.as_slice() {
        ["SIP/2.0", status, _reason] => match status.as_bytes() {
            [b'1'..=b'6', b'0'..=b'9', b'0'..=b'9'] => None, // section 7.2
            _ => Some("a status that is none"),
        },
        [method, uri, "SIP/2.0"] if is_token(method) => {
            let sound = !uri.is_empty() && uri.bytes().all(|byte| byte.is_ascii_graphic());
            (!sound).then_some("a Request-URI that is not of visible ASCII, or none")
        }
        _ => Some("a first line that is neither a Request-Line nor a Status-Line"),
    }
}

fn fields<'a>(lines: impl Iterator<Item = &'a str>, body: usize) -> Option<&'static str> {
    let mut stated = None;
    for (number, line) in lines.enumerate() {
        let Some((name, value)) = line.split_once(": ") else { return Some("a line that is no field in plain form") };
        if number >= MAX_FIELDS {
            return Some("more than 128 fields");
        }
        if line.len() > MAX_FIELD {
            return Some("a field of more than 8 KiB");
        }
        if !is_token(name) {
            return Some("a name that is no token");
        }
        if has(value, &FORBIDDEN) {
            return Some("NUL, VT or FF in a value");
        }
        if value.starts_with([' ', '\t']) || value.ends_with([' ', '\t']) {
            return Some("blanks around a value");
        }
        if name.eq_ignore_ascii_case("l") || compact_known(name) {
            return Some("a compact name");
        }
        if name.eq_ignore_ascii_case("Content-Length") && stated.replace(value).is_some() {
            return Some("Content-Length twice");
        }
    }
    let stated = stated?;
    let significant = stated.trim_start_matches('0');
    let digits = !stated.is_empty() && stated.bytes().all(|byte| byte.is_ascii_digit());
    let number = if significant.is_empty() { Some(0) } else { significant.parse().ok() };
    (!digits || number != Some(body)).then_some("a Content-Length that is not the body's")
}

/// RFC 3261, section 25.1.
fn is_token(text: &str) -> bool {
    let sound = |byte: u8| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9') || b"-.!%*_+`'~".contains(&byte);
    !text.is_empty() && text.bytes().all(sound)
}

/// RFC 3261, section 7.3.3: the ten that this document itself shortens.
fn compact_known(name: &str) -> bool {
    ["c", "e", "f", "i", "k", "m", "s", "t", "v"].iter().any(|short| name.eq_ignore_ascii_case(short))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn plain_messages_pass() {
        for message in [
            "OPTIONS sip:example.com SIP/2.0\r\n\r\n",
            "SIP/2.0 200 \r\nVia: SIP/2.0/WSS a.invalid;branch=z9hG4bK1\r\nX-Empty: \r\nContent-Length: 004\r\n\r\nbody",
            "!odd~ any:thing SIP/2.0\r\nSubject: \u{fc}mlaut\r\n\r\n\0body without a length",
        ] {
            sip_grammatical(message.as_bytes());
        }
        sip_grammatical(format!("OPTIONS sip:a SIP/2.0\r\nA: {}\r\n\r\n", "b".repeat(MAX_FIELD - 3)).as_bytes());
    }

    #[test]
    fn a_reader_that_lets_other_things_through_is_caught() {
        let long = format!("OPTIONS sip:a SIP/2.0\r\nA: {}\r\n\r\n", "b".repeat(MAX_FIELD - 2));
        let many = format!("OPTIONS sip:a SIP/2.0\r\n{}\r\n", "A: b\r\n".repeat(MAX_FIELDS + 1));
        let large = format!("OPTIONS sip:a SIP/2.0\r\n\r\n{}", "b".repeat(MAX_MESSAGE));
        for message in [
            "",
            "OPTIONS sip:a SIP/2.0\r\nA: b\r\n",
            "OPTIONS sip:a SIP/3.0\r\n\r\n",
            "OPTIONS  SIP/2.0\r\n\r\n",
            "OPTIONS sip:a\tb SIP/2.0\r\n\r\n",
            "OPTIONS sip:a\u{a0}b SIP/2.0\r\n\r\n",
            "SIP/2.0 200 a\x0bb\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nA: b\x0cc\r\n\r\n",
            "OPT IONS sip:a SIP/2.0\r\n\r\n",
            "OPT(ONS sip:a SIP/2.0\r\n\r\n",
            "SIP/2.0 700 No\r\n\r\n",
            "SIP/2.0 +20 No\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nA : b\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\n: b\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nA: b \r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nA: b\nC: d\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nA: b\rC: d\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nA: b\0\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nA: b\r\n c\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nl: 0\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nContent-Length: 1\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nContent-Length: +0\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nContent-Length: \r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nContent-Length: 99999999999999999999999999\r\n\r\n",
            &long,
            &many,
            &large,
        ] {
            caught(&GRAMMAR, || sip_grammatical(message.as_bytes()));
        }
        caught(&GRAMMAR, || sip_grammatical(b"OPTIONS sip:a SIP/2.0\r\nA: \xff\r\n\r\n"));
    }
}
