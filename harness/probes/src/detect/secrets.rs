//! Secrets by their shape, tokens, logins, keys, and by their names in scripts and JSON (`named`). Shapes that public
//! things share (a map's browser key, say) are left out.
//!
//! The secrets of a run itself are known exactly: [`crate::Ledger`] finds those, in every form.

use std::ops::Range;

use base64::prelude::*;
use serde_json::Value;

use super::{Match, begins_word, decode, ends_word, everywhere, runs};
use crate::Ledger;

/// What kind of secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// JSON web token: RFC 7519, signed or not, or encrypted.
    Jwt,
    /// User and password as HTTP carries them: RFC 7617.
    BasicAuth,
    /// A token as HTTP carries it (RFC 6750), or by its name.
    BearerToken,
    /// A `Digest` login with its response, from which passwords can be guessed at leisure: RFC 7616.
    Authorization,
    /// A private key in PEM: RFC 7468, section 10 and 11, and what OpenSSL and OpenSSH write.
    PrivateKey,
    /// Key of a service, whose issuer gave it a shape of its own to be found by.
    ApiKey,
    /// The same, of a provider of computers and storage.
    CloudKey,
    /// The secret half of such a key, by its name.
    ApiSecret,
    /// What media is encrypted with end to end, by its name.
    E2eeSecret,
    /// A password, of an account of a telephone system most likely, by its name.
    SipPassword,
    /// Password of a TURN server, by its name: RFC 8489, section 9.2.
    TurnPassword,
    /// `H(user:realm:password)`, as good as the password, by its name: RFC 7616, section 3.4.2.
    Ha1,
}

impl Kind {
    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Jwt => "jwt",
            Kind::BasicAuth => "basic-auth",
            Kind::BearerToken => "bearer-token",
            Kind::Authorization => "authorization",
            Kind::PrivateKey => "private-key",
            Kind::ApiKey => "api-key",
            Kind::CloudKey => "cloud-key",
            Kind::ApiSecret => "api-secret",
            Kind::E2eeSecret => "e2ee-secret",
            Kind::SipPassword => "sip-password",
            Kind::TurnPassword => "turn-password",
            Kind::Ha1 => "ha1",
        }
    }
}

/// Secrets in a text and in what is encoded in it.
pub fn find(text: &str) -> Vec<Match<Kind>> {
    everywhere(text, in_plain)
}

/// Kinds of the secrets of this run that stand in a text or in what is encoded in it.
pub fn known(text: &str, ledger: &Ledger) -> Vec<String> {
    let views = decode::views(text);
    let leaks = views.iter().flat_map(|view| ledger.leaks_in("", view.text.as_bytes()));
    let mut kinds: Vec<String> = leaks.map(|leak| leak.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// Secrets in a text as it stands.
pub fn in_plain(text: &str) -> Vec<(Kind, Range<usize>)> {
    let mut found: Vec<(Kind, Range<usize>)> = Vec::new();
    for (span, token) in runs(text, |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        if is_jwt(token) {
            found.push((Kind::Jwt, span));
        } else if let Some(key) = api_key(token) {
            let span = span.start + key.start..span.start + key.end;
            let kind = if token.get(key).is_some_and(|key| CLOUD.contains(&key.get(..4).unwrap_or_default())) {
                Kind::CloudKey
            } else {
                Kind::ApiKey
            };
            if begins_word(text, span.start) && ends_word(text, span.end) {
                found.push((kind, span));
            }
        }
    }
    found.extend(super::named::in_plain(text));
    found.extend(logins(text));
    found.extend(private_keys(text).into_iter().map(|span| (Kind::PrivateKey, span)));
    found
}

/// Three or five parts, of which the first is a JSON object with `alg`: RFC 7515, section 7.1, RFC 7516, section 7.1.
fn is_jwt(token: &str) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    let ([header, _, _] | [header, _, _, _, _]) = parts.as_slice() else { return false };
    let header = || serde_json::from_slice::<Value>(&BASE64_URL_SAFE_NO_PAD.decode(header).ok()?).ok();
    token.starts_with("eyJ") && header().is_some_and(|header| header["alg"].is_string())
}

/// Shapes that issuers publish so that their keys can be found: what they begin with, how many characters follow at least, and
/// whether those are capitals and digits, hexadecimal, or letters and digits with `-` and `_`.
const API_KEYS: [(&str, usize, Alphabet); 14] = [
    ("AKIA", 16, Alphabet::Capitals),    // AWS, long-term
    ("ASIA", 16, Alphabet::Capitals),    // AWS, temporary
    ("ghp_", 36, Alphabet::Word),        // GitHub, personal
    ("gho_", 36, Alphabet::Word),        // GitHub, OAuth
    ("ghs_", 36, Alphabet::Word),        // GitHub, server to server
    ("github_pat_", 60, Alphabet::Word), // GitHub, fine-grained
    ("glpat-", 20, Alphabet::Word),      // GitLab
    ("npm_", 36, Alphabet::Word),        // npm
    ("sk_live_", 24, Alphabet::Word),    // Stripe
    ("rk_live_", 24, Alphabet::Word),    // Stripe, restricted
    ("sk-ant-", 24, Alphabet::Word),     // Anthropic
    ("sk-proj-", 24, Alphabet::Word),    // OpenAI
    ("xoxb-", 24, Alphabet::Word),       // Slack, bot
    ("SK", 32, Alphabet::SmallHex),      // Twilio
];

/// Those among them that open computers and storage.
const CLOUD: [&str; 2] = ["AKIA", "ASIA"];

#[derive(Clone, Copy)]
enum Alphabet {
    Capitals,
    SmallHex,
    Word,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Capitals => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::SmallHex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_',
        }
    }

    /// Whether a key of this alphabet is as long as `least` only.
    fn is_exact(self) -> bool {
        !matches!(self, Self::Word)
    }
}

fn api_key(token: &str) -> Option<Range<usize>> {
    API_KEYS.iter().find_map(|(prefix, least, alphabet)| {
        let at = token.find(prefix)?;
        let rest = token.get(at + prefix.len()..)?;
        let length = rest.bytes().take_while(|byte| alphabet.has(*byte)).count();
        let fits = if alphabet.is_exact() { length == *least } else { length >= *least };
        // A key has digits; a long name in small letters has none.
        let mixed = || rest.bytes().take(length).any(|byte| byte.is_ascii_digit());
        (fits && mixed()).then_some(at..at + prefix.len() + length)
    })
}

/// Bytes of a bearer token from which on it is taken for one: `Bearer token` stands in many a text (house).
const BEARER_FROM: usize = 16;

fn logins(text: &str) -> Vec<(Kind, Range<usize>)> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for (scheme, kind) in
        [("basic ", Kind::BasicAuth), ("bearer ", Kind::BearerToken), ("digest ", Kind::Authorization)]
    {
        for (at, _) in lower.match_indices(scheme).filter(|(at, _)| begins_word(text, *at)) {
            let from = at + scheme.len();
            let Some(rest) = text.get(from..) else { continue };
            let token = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(b)).count();
            let Some(value) = rest.get(..token) else { continue };
            let length = match kind {
                Kind::BasicAuth => is_pair(value).then_some(token),
                Kind::BearerToken => is_token(value).then_some(token),
                _ => digest_response(rest),
            };
            found.extend(length.map(|length| (kind, at..from + length)));
        }
    }
    found
}

/// `user:password` in base64.
fn is_pair(value: &str) -> bool {
    let decoded = BASE64_STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.is_some_and(|pair| pair.contains(':') && !pair.contains(char::is_control))
}

fn is_token(value: &str) -> bool {
    value.len() >= BEARER_FROM && value.bytes().any(|byte| byte.is_ascii_digit())
}

/// Bytes of a header field that are read (house).
const DIGEST: usize = 2048;

/// Where the header field ends that holds `response="…"` with at least 128 bits; RFC 7616, section 3.4.
fn digest_response(rest: &str) -> Option<usize> {
    let line = rest.lines().next()?;
    let line = line.get(..DIGEST.min(line.len())).unwrap_or_default();
    let (before, behind) = line.split_once("response=\"")?;
    let value = behind.split('"').next()?;
    let hex = value.len() >= 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then_some(before.len() + "response=\"".len() + value.len())
}

fn private_keys(text: &str) -> Vec<Range<usize>> {
    let begins = text.match_indices("-----BEGIN ");
    let key = |(at, begin): (usize, &str)| {
        let label = text.get(at + begin.len()..)?.split("-----").next()?;
        let body = at + begin.len() + label.len() + "-----".len();
        // A label alone is what a program compares with; a key has a body.
        let has_body = text.get(body..)?.bytes().filter(u8::is_ascii_alphanumeric).take(32).count() == 32;
        (label.len() <= 32 && label.ends_with("PRIVATE KEY") && has_body).then_some(at..body)
    };
    begins.filter_map(key).collect()
}
