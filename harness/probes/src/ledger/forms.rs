//! The ways in which a secret is commonly written.

use base64::prelude::*;
use ringfence_model::Secret;
use serde_json::Value;

use super::WHOLE_TEXT_BELOW;
use crate::detect::Form;

/// Characters that a secret in the middle of longer base64 has to leave (house): fewer come by chance.
const MIDDLE_FROM: usize = 10;

/// As it is, in JSON, percent-encoded in part or whole, in base64 alone or in the middle of a longer piece, in hexadecimal.
pub(super) fn forms(value: &str) -> Vec<(Form, Secret)> {
    let bytes = value.as_bytes();
    let json = Value::String(value.to_owned()).to_string();
    let mut forms = vec![
        (Form::Plain, value.to_owned()),
        (Form::Json, json[1..json.len() - 1].to_owned()),
        (Form::Percent, url::form_urlencoded::byte_serialize(bytes).collect()),
        (Form::Percent, percent(bytes, |b| b.is_ascii_alphanumeric())),
        (Form::Percent, percent(bytes, |b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))), // RFC 3986, section 2.3
        (Form::Percent, percent(bytes, |_| false)),
    ];
    if value.len() >= WHOLE_TEXT_BELOW {
        forms.push((Form::Base64, BASE64_STANDARD_NO_PAD.encode(bytes)));
        forms.push((Form::Base64, BASE64_URL_SAFE_NO_PAD.encode(bytes)));
        for middle in (0..3).map(|before| in_the_middle(bytes, before)).filter(|middle| middle.len() >= MIDDLE_FROM) {
            forms.push((Form::Base64, middle.replace('+', "-").replace('/', "_")));
            forms.push((Form::Base64, middle));
        }
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        forms.push((Form::Hex, hex.to_uppercase()));
        forms.push((Form::Hex, hex));
    }
    let mut known: Vec<String> = Vec::new();
    forms.retain(|(_, text)| {
        !known.contains(text) && {
            known.push(text.clone());
            true
        }
    });
    forms.into_iter().map(|(form, text)| (form, Secret::new(text))).collect()
}

/// What does not change in base64, however the text goes on around the secret, of which `before` bytes in front of it, by
/// three, belong to its first group: RFC 4648, section 4.
fn in_the_middle(secret: &[u8], before: usize) -> String {
    let mut bytes = vec![0; before];
    bytes.extend(secret);
    let encoded = BASE64_STANDARD_NO_PAD.encode(&bytes);
    // Characters that hold a bit of what stands around.
    let first = (before * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    encoded.get(first..last).unwrap_or_default().to_owned()
}

fn percent(bytes: &[u8], plain: impl Fn(u8) -> bool) -> String {
    bytes.iter().map(|b| if plain(*b) { char::from(*b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_in_the_middle_of_base64() {
        let known = forms("canary?>one~");
        for before in ["", "a", "ab", "abc", "user:"] {
            for after in ["", "x", "xy", ":more"] {
                let whole = format!("{before}canary?>one~{after}");
                for encoded in [BASE64_STANDARD.encode(&whole), BASE64_URL_SAFE_NO_PAD.encode(&whole)] {
                    let found = known
                        .iter()
                        .any(|(form, text)| *form == Form::Base64 && encoded.contains(text.expose().as_str()));
                    assert!(found, "{whole}");
                }
            }
        }
        assert!(!known.iter().any(|(_, text)| BASE64_STANDARD.encode("canary?>two~").contains(text.expose().as_str())));
    }
}
