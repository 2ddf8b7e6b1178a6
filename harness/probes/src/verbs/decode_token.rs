//! `decode-token`: what the token of a configuration says of itself. It is not sent anywhere.

use std::time::UNIX_EPOCH;

use ringfence_client::Failure;
use ringfence_client::adapters::CallConfig;
use ringfence_client::adapters::token::{Format, Token};
use ringfence_model::observation::Leak;
use ringfence_model::{Digest, RunKey, Untrusted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::detect::{entropy, pii, secrets};
use crate::step_ref::ConfigRef;
use crate::token;
use crate::{Asked, Cost, Cx, Kept, OwnFault, Probe};

/// Claims that name one use of a token.
const NONCE: [&str; 2] = ["nonce", "jti"];
/// The claim for whatever an application wants to send along.
const DATA: &str = "connection_data";

/// See [`Probe::DOES`].
pub struct DecodeToken;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The step whose token is read: the one that its configuration names, else the SIP password.
    pub from: ConfigRef,
    /// Steps whose tokens are compared with it.
    #[serde(default)]
    pub compare: Vec<ConfigRef>,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// How it is written.
    pub format: FormatWord,
    /// How it says that it is signed: `alg` of a JWT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Untrusted>,
    /// Names of its claims.
    pub claims_present: Vec<Untrusted>,
    /// When it was issued, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<i64>,
    /// When it expires, in seconds since 1970: as it says itself, else as its configuration or the user name beside it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// Seconds from the one to the other; from the fetch, where it does not say when it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_s: Option<i64>,
    /// Role of its holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Untrusted>,
    /// What it is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Untrusted>,
    /// Whose session it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Digest>,
    /// What tells it from others: `nonce` or `jti`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Digest>,
    /// The tokens of `compare`, in that order.
    pub compared: Vec<ComparedSeen>,
    /// Personal data in its claims; the place is `connection_data` or `claim`.
    pub data_pii: Vec<Leak>,
    /// Secrets in its claims.
    pub data_secrets: Vec<Leak>,
    /// Upper bound in whole bits of what can be random in it: in its `nonce` or `jti`, or in all of an opaque one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entropy_bits: Option<i64>,
}

/// How a token is written.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FormatWord {
    /// Vonage Video's older format.
    T1,
    /// JSON web token.
    Jwt,
    /// None that can be read.
    #[default]
    Opaque,
}

/// A token that is compared.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ComparedSeen {
    /// Its `nonce` or `jti`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Digest>,
    /// All of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Digest>,
}

impl Probe for DecodeToken {
    const NAME: &'static str = "decode-token";
    const DOES: &'static str = "decode a T1 token, a JWT or an opaque token without sending it";
    type With = With;
    type Seen = Seen;

    fn cost(_: &With) -> Cost {
        Cost { connections: 0, ..Cost::PASSIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let kept = |step: &ConfigRef| match cx.kept.get(&step.0) {
            Some(Kept::Config(config)) => Ok(config.clone()),
            _ => Err(OwnFault(format!("step {} keeps no configuration", step.0))),
        };
        let config = kept(&with.from)?;
        let Some(secret) = token::of(&config) else {
            return Ok(Asked::failed(Seen::default(), Failure::protocol("the configuration holds no token")));
        };
        let mut seen = describe(secret.expose(), &config, cx);
        for step in &with.compare {
            let other = kept(step)?;
            let token = token::of(&other);
            let nonce = token.and_then(|token| nonce(&Token::read(token.expose()), &cx.key));
            seen.compared.push(ComparedSeen { nonce, token: token.map(|token| token.digest(&cx.key)) });
        }
        Ok(Asked::answered(seen))
    }
}

fn nonce(token: &Token, key: &RunKey) -> Option<Digest> {
    token.text(&NONCE).map(|text| key.digest(text.as_bytes()))
}

fn describe(text: &str, config: &CallConfig, cx: &Cx) -> Seen {
    let token = Token::read(text);
    let unix = |at: std::time::SystemTime| i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok();
    let expires_at = token.expires_at().or_else(|| token::expiry(config, None).and_then(unix));
    let issued_at = token.issued_at();
    let random = match token.format {
        Format::Opaque => Some(text),
        _ => token.text(&NONCE),
    };
    let claim = |names: &[&str]| token.text(names).map(Untrusted::new);
    let (data_pii, data_secrets) = in_claims(&token, &cx.target.page.test_user);
    Seen {
        format: match token.format {
            Format::T1 => FormatWord::T1,
            Format::Jwt => FormatWord::Jwt,
            Format::Opaque => FormatWord::Opaque,
        },
        algorithm: token.algorithm.as_ref().map(Untrusted::new),
        claims_present: token.claims().map(|(name, _)| Untrusted::new(name)).collect(),
        lifetime_s: expires_at.and_then(|end| end.checked_sub(issued_at.or_else(|| unix(config.read_at))?)),
        issued_at,
        expires_at,
        role: claim(&["role"]),
        scope: claim(&["scope"]),
        session_id: token.text(&["session_id"]).map(|id| cx.key.digest(id.as_bytes())),
        nonce: nonce(&token, &cx.key),
        compared: Vec::new(),
        data_pii,
        data_secrets,
        // No token is so long that its bits would not fit.
        entropy_bits: random.and_then(|text| entropy::measure(&[text])).map(|measured| measured.bits as i64),
    }
}

/// Personal data and secrets in the texts of the claims. Session and nonce are random by intent, and no text of anybody's.
fn in_claims(token: &Token, test_user: &[String]) -> (Vec<Leak>, Vec<Leak>) {
    let (mut personal, mut secret) = (Vec::new(), Vec::new());
    let random = |name: &str| name == "session_id" || NONCE.contains(&name);
    for (name, value) in token.claims().filter(|(name, _)| !random(name)) {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(_) | Value::Object(_) => value.to_string(),
            _ => continue,
        };
        let leak = |kind: &str| Leak { kind: kind.into(), place: if name == DATA { DATA } else { "claim" }.into() };
        personal.extend(pii::find(&text, test_user).iter().map(|one| leak(one.kind.word())));
        secret.extend(secrets::find(&text).iter().map(|one| leak(one.kind.word())));
    }
    for found in [&mut personal, &mut secret] {
        found.sort();
        found.dedup();
    }
    (personal, secret)
}

#[cfg(test)]
mod tests {
    use base64::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn personal_data_in_claims_is_told_by_its_place() {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "connection_data": "{\"mail\":\"erika@example.test\"}", "sub": "video",
            "user": { "email": "max@example.test" }, "jti": "1c7f", "exp": 1_800_000_000 });
        let token = Token::read(&format!("{}.{}.c2ln", part(&json!({ "alg": "RS256" })), part(&claims)));
        let (personal, secret) = in_claims(&token, &[]);
        let told: Vec<_> = personal.iter().map(|leak| (leak.kind.as_str(), leak.place.as_str())).collect();
        assert_eq!(told, [("email", "claim"), ("email", "connection_data")]);
        assert!(secret.is_empty());
    }
}
