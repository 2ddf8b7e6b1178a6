//! A small vocabulary and the words of the catalogue's heads, for tests.

pub(crate) mod result;
pub(crate) mod run;

use ringfence_model::observation::{CallSeen, Common, HeaderField, Leak};
use ringfence_model::policy::Policy;
use ringfence_model::target::TargetView;
use ringfence_model::{Digest, Untrusted};
use schemars::{JsonSchema, Schema, json_schema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::check::Scope;
use crate::source::Source;
use crate::vocabulary::Known;
use crate::words::Words;
use crate::{Library, LoadError, ProbeWords, ScenarioSource, Variables, Vocabulary};

#[derive(Serialize, JsonSchema)]
struct Whole<S> {
    #[serde(flatten)]
    common: Common,
    #[serde(flatten)]
    seen: S,
}

#[derive(Serialize, JsonSchema)]
struct CallFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    answered: bool,
    ended_by: Option<String>,
    ended_after_ms: Option<i64>,
    #[serde(flatten)]
    media: CallSeen,
}

#[derive(Serialize, JsonSchema)]
struct HttpFields {
    status: Option<u16>,
    location: Option<Untrusted>,
    headers: Vec<HeaderField>,
    leaks: Vec<Leak>,
    config: ConfigFields,
}

#[derive(Serialize, JsonSchema)]
struct ConfigFields {
    password: Option<Digest>,
    tls: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct AttackFields {
    control_before: bool,
    control_after: bool,
    attack_echoed: i64,
}

#[derive(Serialize, JsonSchema)]
struct WaitFields {
    seconds: f64,
    skipped: bool,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct CallWith {
    #[schemars(schema_with = "step")]
    config: Option<String>,
    media_s: u32,
    hold: bool,
    setup: Setup,
    srtp_profiles: Vec<String>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Setup {
    /// Either role.
    #[default]
    Actpass,
    /// Ours is client.
    Active,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct AttackWith {
    #[schemars(schema_with = "step")]
    call: String,
    count: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct HttpWith {
    endpoint: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct WaitWith {
    seconds: Option<i64>,
}

fn step(_: &mut schemars::SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "step" })
}

pub(crate) const WORDS: &str = r#"
[[word]]
name = "media"
args = ["c: call"]
means = "media flows"
cel = "c.answered && c.dtls.completed && c.media.authenticated > 0"
[[word]]
name = "live"
args = ["m: media-attack"]
means = "good packets come back around the attack"
cel = "m.control_before && m.control_after"
[[word]]
name = "refused"
args = ["x: http-request"]
means = "an HTTP refusal"
cel = "x.outcome == 'closed' || x.status in [400, 401, 403]"
[[word]]
name = "refused"
args = ["x: call"]
means = "a SIP refusal"
cel = "x.status >= 400 && x.status < 500 && x.status != 408"
[[word]]
name = "wanted"
args = ["profile: text"]
means = "the policy wants it first, and lists it"
cel = "profile == policy.preferred_srtp_profile && allowed(profile)"
[[word]]
name = "allowed"
args = ["profile: text"]
means = "the policy lists it"
cel = "policy.srtp_profiles.exists(p, p == profile)"
[[word]]
name = "silent"
args = ["x: any"]
means = "nothing answered"
cel = "x.outcome == 'unreachable' || x.outcome == 'timeout'"
[[word]]
name = "rejected_within"
args = ["c: call", "ms: int"]
means = "the target turned us away"
cel = "has(c.dtls.alert) && c.dtls.alert_after_ms <= ms"
[[word]]
name = "loud"
args = ["x: http-request|call"]
means = "answered, and not refused"
cel = "!silent(x) && !refused(x)"
[[word]]
name = "has_field"
args = ["x: http-request", "field: text"]
means = "the answer has the header field"
cel = "x.headers.exists(h, h.name == field)"
"#;

pub(crate) fn vocabulary() -> Vocabulary {
    let probe = |name: &str, with: Schema, seen: Schema| {
        let words = ProbeWords { with: with.to_value(), seen: seen.to_value(), does: format!("asks by {name}") };
        (name.to_owned(), words)
    };
    Vocabulary {
        probes: [
            probe("call", schema_for!(CallWith), schema_for!(Whole<CallFields>)),
            probe("http-request", schema_for!(HttpWith), schema_for!(Whole<HttpFields>)),
            probe("media-attack", schema_for!(AttackWith), schema_for!(Whole<AttackFields>)),
            probe("wait", schema_for!(WaitWith), schema_for!(Whole<WaitFields>)),
        ]
        .into(),
        target: schema_for!(TargetView).to_value(),
        policy: schema_for!(Policy).to_value(),
        adapters: vec!["cognigy".into(), "sip".into()],
        needs: vec!["call-destination".into(), "echo".into()],
        claims: vec!["cognigy/C7".into()],
        controls: vec!["rfc8827/6.5".into()],
        faults: vec!["config-on-http".into()],
    }
}

pub(crate) fn known() -> Known {
    Known::new(vocabulary())
}

pub(crate) fn words(known: &Known) -> Words {
    Words::load(Source { file: "words.toml", text: WORDS }, known).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// Steps `c` (a call), `h` (an HTTP request), `m` (an attack) and `w` (a wait), with target and policy.
pub(crate) fn scope<'a>(known: &Known, words: &'a Words) -> Scope<'a> {
    let steps = [("c", "call"), ("h", "http-request"), ("m", "media-attack"), ("w", "wait")];
    let steps = steps.into_iter().map(|(name, probe)| (name.to_owned(), known.seen[probe].clone()));
    let rest = [("target".to_owned(), known.target.clone()), ("policy".to_owned(), known.policy.clone())];
    Scope { variables: steps.chain(rest).collect(), words: Some(words), ..Scope::default() }
}

pub(crate) fn variables() -> Variables {
    Variables::new(std::sync::Arc::new(known()), &target(), &json!({ "name": "webrtc-mti", "consent_s": 30 }))
}

pub(crate) fn target() -> Value {
    json!({ "name": "front-desk", "adapter": "cognigy", "session_scope": true })
}

/// What a call sees when all is well.
pub(crate) fn good_call() -> Map<String, Value> {
    object(json!({
        "outcome": "answered", "elapsed_ms": 1200, "status": 200, "answered": true,
        "sdp": { "media_accepted": true, "fingerprints": ["sha-256 AA"] },
        "dtls": { "completed": true, "role": "client", "certificate": { "matches": true } },
        "ice": { "connected": true },
        "srtp": { "keys": "digest:00000000:01" },
        "media": { "sent": 100, "received": 90, "authenticated": 90, "echoed": 80, "plain_received": 0, "loss": 0, "ssrcs": [1] },
        "rtcp": { "received": 3, "authenticated": 3, "plain_received": 0 },
    }))
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_else(|| panic!("no object: {value}"))
}

/// A scenario file around some lines.
pub(crate) fn scenario(id: &str, rest: &str) -> String {
    format!(
        r#"id = "{id}"
title = "t"
severity = "high"
level = "must"
intrusion = "active"
adapters = ["any"]
manual = {{ why = "w", how = "h", remedy = "r", limits = "l" }}
proof = {{ fault = "config-on-http" }}
{rest}"#
    )
}

pub(crate) fn load(files: &[(&str, &str)]) -> Result<Library, Vec<LoadError>> {
    let sources: Vec<ScenarioSource<'_>> =
        files.iter().map(|(path, text)| ScenarioSource { path, text, own: true }).collect();
    Library::load(vocabulary(), WORDS, &sources)
}
