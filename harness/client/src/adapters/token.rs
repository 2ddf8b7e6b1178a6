//! Access tokens: what they say of themselves. Nothing here is verified, since nobody but their issuer has the key.
//!
//! Two shapes are read: JSON web tokens (RFC 7519) and the T1 tokens of Vonage Video, `T1==` and the base64 of
//! `partner_id=…&sig=…:` and a query string. Everything else is opaque.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

/// Bytes of a token that are read at most; a longer one is opaque (house): the longest that a header field of a server takes.
pub const MAX_BYTES: usize = 16 * 1024;
/// Claims that are told (house).
pub const MAX_CLAIMS: usize = 64;
/// What a T1 token begins with.
const T1: &str = "T1==";
/// The algorithm of what is not signed. RFC 7518, section 3.6.
const NO_ALGORITHM: &str = "none";
/// Base64 of either alphabet, padded or not: issuers differ.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// How a token is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Vonage Video's older format.
    T1,
    /// RFC 7519.
    Jwt,
    /// No shape that can be read.
    #[default]
    Opaque,
}

/// A token that was read. All texts are the target's.
#[derive(Debug, Default)]
pub struct Token {
    /// How it is written.
    pub format: Format,
    /// How it says that it is signed.
    pub algorithm: Option<String>,
    claims: Map<String, Value>,
}

impl Token {
    /// Reads a token; one that has no known shape is opaque.
    pub fn read(text: &str) -> Self {
        let known = (text.len() <= MAX_BYTES).then(|| t1(text).or_else(|| jwt(text)));
        known.flatten().unwrap_or_default()
    }

    /// Its claims, in the order in which they stand there.
    pub fn claims(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.claims.iter().take(MAX_CLAIMS).map(|(name, value)| (name.as_str(), value))
    }

    /// The first of these claims that is text.
    pub fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.claims.get(*name)?.as_str())
    }

    /// When it was issued, in seconds since 1970: `iat`, RFC 7519, section 4.1.6.
    pub fn issued_at(&self) -> Option<i64> {
        self.time(&["iat", "create_time"])
    }

    /// When it expires, in seconds since 1970: `exp`, RFC 7519, section 4.1.4.
    pub fn expires_at(&self) -> Option<i64> {
        self.time(&["exp", "expire_time"])
    }

    /// A NumericDate, which may have a fraction (RFC 7519, section 2); in a T1 token it is written as text.
    fn time(&self, names: &[&str]) -> Option<i64> {
        let seconds = |value: &Value| match value {
            Value::String(digits) => digits.parse().ok(),
            // Saturating, which no date comes near.
            number => number.as_i64().or_else(|| Some(number.as_f64()?.floor() as i64)),
        };
        names.iter().find_map(|name| seconds(self.claims.get(*name)?))
    }
}

fn t1(text: &str) -> Option<Token> {
    let decoded = String::from_utf8(STANDARD.decode(text.strip_prefix(T1)?).ok()?).ok()?;
    let (signature, data) = decoded.split_once(':')?;
    let query = |text: &str| -> Map<String, Value> {
        let pairs = url::form_urlencoded::parse(text.as_bytes()).take(MAX_CLAIMS);
        pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
    };
    let named = query(signature);
    if !named.contains_key("partner_id") {
        return None;
    }
    let algorithm = named.contains_key("sig").then(|| "HMAC-SHA1".to_owned());
    let mut claims = query(data);
    claims.extend(named.into_iter().filter(|(name, _)| name == "partner_id"));
    Some(Token { format: Format::T1, algorithm, claims })
}

/// The compact forms: signed (RFC 7515, section 7.1), or encrypted, whose claims nobody else reads (RFC 7516, section 7.1).
fn jwt(text: &str) -> Option<Token> {
    let parts: Vec<&str> = text.split('.').collect();
    let object = |part: &str| match serde_json::from_slice(&URL_SAFE.decode(part).ok()?).ok()? {
        Value::Object(fields) => Some(fields),
        _ => None,
    };
    let (header, claims) = match parts.as_slice() {
        [header, claims, _] => (object(header)?, object(claims)?),
        [header, _, _, _, _] => (object(header)?, Map::new()),
        _ => return None,
    };
    let algorithm = header.get("alg")?.as_str()?.to_owned();
    Some(Token { format: Format::Jwt, algorithm: Some(algorithm), claims })
}

/// How a token is bent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// Another signature of the same length.
    BadSignature,
    /// No signature.
    EmptySignature,
    /// `alg` is `none`, and there is no signature. RFC 7518, section 3.6.
    AlgNone,
}

/// A token that its issuer never made; `None` where this token has no such part: it cannot be read, is encrypted, names no
/// algorithm (T1), or is not signed in the first place.
pub fn forged(text: &str, how: Forgery) -> Option<String> {
    match Token::read(text).format {
        Format::Opaque => None,
        Format::T1 => forged_t1(text, how),
        Format::Jwt => {
            let [header, claims, signature] = text.split('.').collect::<Vec<_>>().try_into().ok()?;
            Some(match how {
                Forgery::BadSignature => format!("{header}.{claims}.{}", flipped(signature)?),
                Forgery::EmptySignature if signature.is_empty() => return None,
                Forgery::EmptySignature => format!("{header}.{claims}."),
                Forgery::AlgNone => {
                    let mut fields: Map<String, Value> = serde_json::from_slice(&URL_SAFE.decode(header).ok()?).ok()?;
                    let before = fields.insert("alg".into(), NO_ALGORITHM.into());
                    if signature.is_empty() && before.as_ref().and_then(Value::as_str) == Some(NO_ALGORITHM) {
                        return None;
                    }
                    let header = serde_json::to_vec(&fields).ok()?;
                    format!("{}.{claims}.", base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(header))
                }
            })
        }
    }
}

/// Every `sig` is bent: of two, nobody knows which one its reader takes.
fn forged_t1(text: &str, how: Forgery) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(text.strip_prefix(T1)?).ok()?).ok()?;
    let (head, data) = decoded.split_once(':')?;
    let is_signature = |pair: &str| {
        let named = url::form_urlencoded::parse(pair.as_bytes()).next();
        named.is_some_and(|(name, value)| name == "sig" && !value.is_empty())
    };
    let bend = |pair: &str| match (pair.split_once('='), how) {
        (Some((name, value)), Forgery::BadSignature) => Some(format!("{name}={}", flipped(value)?)),
        (Some((name, _)), Forgery::EmptySignature) => Some(format!("{name}=")),
        (None, _) | (_, Forgery::AlgNone) => None,
    };
    if !head.split('&').any(is_signature) {
        return None;
    }
    let pairs = head.split('&').map(|pair| if is_signature(pair) { bend(pair) } else { Some(pair.to_owned()) });
    let head = pairs.collect::<Option<Vec<String>>>()?.join("&");
    Some(format!("{T1}{}", base64::prelude::BASE64_STANDARD.encode(format!("{head}:{data}"))))
}

/// With another first character, which is whole in base64 as in hexadecimal: the last one may hold bits that nobody reads.
fn flipped(signature: &str) -> Option<String> {
    let first = signature.chars().next()?;
    let rest = signature.get(first.len_utf8()..)?;
    Some(format!("{}{rest}", if first == '0' { '1' } else { '0' }))
}

#[cfg(test)]
mod tests;
