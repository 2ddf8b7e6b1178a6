//! Secrets that a page's text gives by name: `password: "…"` in a script, JSON or an attribute. Pages are full of texts *about*
//! passwords: labels, names of fields, templates. So the value has to look as if somebody, or something, had made it up.

use std::ops::Range;

use super::secrets::Kind;

/// Bytes of a name and of a value that are read (house).
const NAME: usize = 40;
const VALUE: usize = 512;
/// How near the settings of a SIP account or of a TURN server stand to each other, in bytes (house).
const NEAR: usize = 300;
/// Digits behind a word that make no secret of it: `password2` (house).
const NUMBERED: usize = 2;

/// Names, in lower case without what separates words, by their endings. `credentials` is an option of `fetch`.
const NAMES: [(&str, Kind); 18] = [
    ("turnpassword", Kind::TurnPassword),
    ("turncredential", Kind::TurnPassword),
    ("icecredential", Kind::TurnPassword),
    ("credential", Kind::TurnPassword),
    ("password", Kind::SipPassword),
    ("passwd", Kind::SipPassword),
    ("sippass", Kind::SipPassword),
    ("sippwd", Kind::SipPassword),
    ("ha1", Kind::Ha1),
    ("accesstoken", Kind::BearerToken),
    ("authtoken", Kind::BearerToken),
    ("bearertoken", Kind::BearerToken),
    ("siptoken", Kind::BearerToken),
    ("apisecret", Kind::ApiSecret),
    ("clientsecret", Kind::ApiSecret),
    ("signingsecret", Kind::ApiSecret),
    ("encryptionsecret", Kind::E2eeSecret),
    ("e2eesecret", Kind::E2eeSecret),
];

/// What stands beside the password of a telephone account. Near it a plain number is one too.
const ACCOUNT: [&str; 9] =
    ["sip:", "sips:", "wss:", "ws:", "realm", "turn:", "turns:", "authorizationuser", "extension"];

/// Beginnings that issuers give to what is public: Mapbox, Datadog, Stripe.
const PUBLIC: [&str; 3] = ["pk.", "pub", "pk_"];

/// Values that are named a secret and look like one, with the place of each.
pub(super) fn in_plain(text: &str) -> Vec<(Kind, Range<usize>)> {
    let signs = text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b':' | b'=')).map(|(at, _)| at);
    signs
        .filter_map(|at| {
            let kind = kind(text.get(..at)?)?;
            let value = literal(text, at + 1)?;
            is_secret(kind, text.get(value.clone())?, || near(text, at)).then_some((kind, value))
        })
        .collect()
}

/// What the name before a sign says of the value behind it.
fn kind(before: &str) -> Option<Kind> {
    let before = before.trim_end_matches([' ', '\t']);
    let before = before.strip_suffix(['"', '\'', '`']).unwrap_or(before);
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-$".contains(byte);
    let length = before.bytes().rev().take(NAME + 1).take_while(belongs).count();
    let name = before.get(before.len() - length..)?.to_ascii_lowercase().replace(['_', '-', '$'], "");
    NAMES.iter().find(|(ending, _)| length <= NAME && name.ends_with(ending)).map(|(_, kind)| *kind)
}

/// Where the text in quotes behind a sign stands, without its quotes.
fn literal(text: &str, from: usize) -> Option<Range<usize>> {
    let behind = text.get(from..)?;
    let start = from + behind.len() - behind.trim_start_matches([' ', '\t', '\n', '\r']).len();
    let quote = text.as_bytes().get(start).copied().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
    let inside = text.as_bytes().get(start + 1..)?;
    let length = inside.iter().take(VALUE).position(|byte| *byte == quote)?;
    Some(start + 1..start + 1 + length)
}

fn near(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes().get(at.saturating_sub(NEAR)..text.len().min(at + NEAR)).unwrap_or_default();
    let around = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    ACCOUNT.iter().any(|word| around.contains(word))
}

fn is_secret(kind: Kind, value: &str, beside_account: impl Fn() -> bool) -> bool {
    let template = ["${", "{{", "<", "%s", "[redacted"].iter().any(|mark| value.contains(mark));
    let address = value.contains("://") || value.starts_with(['/', '#', '.']);
    let one_character = value.chars().next().is_none_or(|first| value.chars().all(|c| c == first));
    if template
        || address
        || one_character
        || value.contains(char::is_whitespace)
        || value.chars().any(char::is_control)
    {
        return false;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    match kind {
        Kind::Ha1 => matches!(value.len(), 32 | 64) && value.bytes().all(|byte| byte.is_ascii_hexdigit()),
        Kind::BearerToken | Kind::ApiSecret | Kind::E2eeSecret => {
            let public = PUBLIC.iter().any(|start| value.starts_with(start));
            value.len() >= 16 && digits > 0 && !public && is_made_up(value)
        }
        _ => value.len() >= 6 && is_made_up(value) || digits > 0 && value.len() >= 4 && beside_account(),
    }
}

/// No word, nor words with a number behind them: `new-password`, `form.password2`, `Passwort`.
fn is_made_up(value: &str) -> bool {
    let natural = |piece: &str| {
        let word = piece.trim_end_matches(|c: char| c.is_ascii_digit());
        word.chars().all(char::is_alphabetic) && !word.chars().skip(1).any(char::is_uppercase)
    };
    // `currentPassword`: words again, each with a capital.
    let camel = value.bytes().all(|byte| byte.is_ascii_alphabetic());
    let words = value.split(['-', '.', '_', ':', '/', '!', '?', '*', '…']).all(natural);
    let numbered = value.bytes().filter(u8::is_ascii_digit).count() <= NUMBERED;
    !(camel || words && numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Kind, &str)> {
        in_plain(text).into_iter().map(|(kind, span)| (kind, &text[span])).collect()
    }

    #[test]
    fn names_and_values_are_read_as_scripts_write_them() {
        for text in [
            r#"{ username: "frontdesk", sipPassword: "Xk7-pQ2vR9" }"#,
            r#"{"password":"Xk7-pQ2vR9"}"#,
            "const SIP_PASSWORD = 'Xk7-pQ2vR9';",
            "authorizationPassword:`Xk7-pQ2vR9`",
            r#"<body data-sip-password="Xk7-pQ2vR9">"#,
        ] {
            assert_eq!(found(text), [(Kind::SipPassword, "Xk7-pQ2vR9")], "{text}");
        }
        let server = r#"{urls:"turn:t.example.com",username:"u",credential:"4321"}"#;
        assert_eq!(found(server), [(Kind::TurnPassword, "4321")]);
        assert_eq!(found("é password='"), []);
    }
}
