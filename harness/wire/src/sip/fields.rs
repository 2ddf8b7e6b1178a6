//! Inside header values: lists, parameters, addresses. All reading is tolerant; what is not found is `None`.

/// Blanks of a line that is not folded any more (RFC 3261, section 25.1: `WSP`). No other white space of Unicode is one.
pub(crate) const BLANKS: [char; 2] = [' ', '\t'];

/// All that a URI is made of: RFC 3261, section 25.1 has no other characters in one.
pub(crate) fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// RFC 3261, section 25.1: `token`.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| IN_TOKEN[usize::from(byte)])
}

const IN_TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"-.!%*_+`'~";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};

/// Splits at a separator, which is ASCII, that is in neither a quoted string nor angle brackets. Parts are trimmed, empty ones
/// left out.
pub(crate) fn split_outside<'a>(value: &'a str, separator: u8) -> Vec<&'a str> {
    let (mut quoted, mut escaped, mut angled) = (false, false, false);
    let mut parts = Vec::new();
    let mut add = |part: Option<&'a str>| {
        let part = part.unwrap_or_default().trim_matches(BLANKS);
        if !part.is_empty() {
            parts.push(part);
        }
    };
    let mut start = 0;
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => angled = true,
            b'>' if !quoted => angled = false,
            _ if byte == separator && !quoted && !angled => {
                add(value.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    add(value.get(start..));
    parts
}

/// The entries of a list such as Via, Contact or Route. RFC 3261, section 7.3.1. Not for Authorization and its kin, whose
/// commas join parameters.
pub fn split_list(value: &str) -> Vec<&str> {
    split_outside(value, b',')
}

/// A parameter of one entry: those of the header field, never those of a URI in angle brackets. Without a value it is
/// empty; a quoted one comes without quotes and escapes.
pub fn param(entry: &str, name: &str) -> Option<String> {
    split_outside(entry, b';').into_iter().skip(1).find_map(|part| {
        let (known, value) = part.split_once('=').unwrap_or((part, ""));
        known.trim_matches(BLANKS).eq_ignore_ascii_case(name).then(|| unquote(value.trim_matches(BLANKS)))
    })
}

/// `tag` of From or To. RFC 3261, section 19.3.
pub fn tag(entry: &str) -> Option<String> {
    param(entry, "tag")
}

/// `branch` of a Via entry. RFC 3261, section 8.1.1.7.
pub fn branch(entry: &str) -> Option<String> {
    param(entry, "branch")
}

/// The URI of From, To, Contact, Route: what is in angle brackets, or all before the first semicolon. What is no visible ASCII or
/// holds a quote or a bracket is no URI.
pub fn uri(entry: &str) -> Option<&str> {
    let bare = split_outside(entry, b';').into_iter().next()?;
    // A display name may be quoted and hold anything, so the bracket that counts follows the last quote.
    let after_name = bare.rsplit_once('"').map_or(bare, |(_, after)| after);
    let uri = match after_name.split_once('<') {
        Some((_, inner)) => inner.split_once('>').map(|(uri, _)| uri.trim_matches(BLANKS))?,
        None => bare,
    };
    Some(uri).filter(|uri| is_visible(uri) && !uri.contains(['"', '<', '>']))
}

/// The text of a quoted string; any other text as it is.
pub(crate) fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return text.to_owned() };
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    let mut escaped = false;
    let kept = |c: &char| {
        escaped = *c == '\\' && !escaped;
        !escaped
    };
    inner.chars().filter(kept).collect()
}

/// A quoted string with this text.
pub(crate) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_respect_quotes_and_brackets() {
        let value = r#""A, \"B" <sip:a@h;x=1,2>;tag=1, <sip:b@h>, ,sip:c@h"#;
        assert_eq!(split_list(value), [r#""A, \"B" <sip:a@h;x=1,2>;tag=1"#, "<sip:b@h>", "sip:c@h"]);
    }

    #[test]
    fn parameters_are_those_of_the_field() {
        assert_eq!(tag("<sip:a@h;tag=inner>;TAG = outer").as_deref(), Some("outer"));
        assert_eq!(tag("sip:a@h;tag=x").as_deref(), Some("x"));
        assert_eq!(tag("\"x;tag=no\" <sip:a@h>"), None);
        assert_eq!(branch("SIP/2.0/WSS h.invalid;rport;branch=z9hG4bK1").as_deref(), Some("z9hG4bK1"));
        assert_eq!(param("<sip:a@h>;ob;q=\"a\\\"\\\\b\"", "q").as_deref(), Some("a\"\\b"));
        assert_eq!(param("<sip:a@h>;ob", "ob").as_deref(), Some(""));
    }

    #[test]
    fn uris_come_out_of_names_and_brackets() {
        assert_eq!(uri("\"A <x>\" <sip:a@h;p=1>;tag=2"), Some("sip:a@h;p=1"));
        assert_eq!(uri("sip:a@h;tag=2"), Some("sip:a@h"));
        assert_eq!(uri("<sip:a@h"), None);
        assert_eq!(uri(""), None);
        for none in ["<>", "<sip:a<b@h>", "Alice sip:a@h", "\"A\" sip:a@h", "<sip:a@h>\"b\"", "<sip:a\u{a0}@h>"] {
            assert_eq!(uri(none), None, "{none}");
        }
    }

    #[test]
    fn quoting_goes_both_ways() {
        for text in ["", "a", "a\"b", "\\", "\\\"\\", "a\\"] {
            assert_eq!(unquote(&quote(text)), text);
        }
    }
}
