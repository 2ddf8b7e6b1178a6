//! Inside header values: lists, parameters, addresses. All reading is tolerant; what is not found is `None`.

/// RFC 3261, section 25.1: `token`.
pub(crate) fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

/// Splits at a separator that is in neither a quoted string nor angle brackets. Parts are trimmed, empty ones left out.
pub(crate) fn split_outside(value: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped, mut angled) = (false, false, false);
    let outside = move |c: char| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angled = true,
            '>' if !quoted => angled = false,
            _ => return c == separator && !quoted && !angled,
        }
        false
    };
    value.split(outside).map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// The entries of a list such as Via, Contact or Route. RFC 3261, section 7.3.1. Not for Authorization and its kin, whose
/// commas join parameters.
pub fn split_list(value: &str) -> Vec<&str> {
    split_outside(value, ',')
}

/// A parameter of one entry: those of the header field, never those of a URI in angle brackets. Without a value it is
/// empty; a quoted one comes without quotes and escapes.
pub fn param(entry: &str, name: &str) -> Option<String> {
    split_outside(entry, ';').into_iter().skip(1).find_map(|part| {
        let (known, value) = part.split_once('=').unwrap_or((part, ""));
        known.trim().eq_ignore_ascii_case(name).then(|| unquote(value.trim()))
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

/// The URI of From, To, Contact, Route: what is in angle brackets, or all before the first semicolon.
pub fn uri(entry: &str) -> Option<&str> {
    let bare = split_outside(entry, ';').into_iter().next()?;
    // A display name may be quoted and hold anything, so the bracket that counts follows the last quote.
    let after_name = bare.rsplit_once('"').map_or(bare, |(_, after)| after);
    match after_name.split_once('<') {
        Some((_, inner)) => inner.split_once('>').map(|(uri, _)| uri.trim()),
        None => Some(bare),
    }
}

/// The text of a quoted string; any other text as it is.
pub(crate) fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return text.to_owned() };
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
    }

    #[test]
    fn quoting_goes_both_ways() {
        for text in ["", "a", "a\"b", "\\", "\\\"\\", "a\\"] {
            assert_eq!(unquote(&quote(text)), text);
        }
    }
}
