//! What configurations hold: names that say who somebody is, and secrets that can be guessed.

use std::sync::Arc;

use ringfence_client::adapters::CallConfig;
use ringfence_client::adapters::token::{Format, Token};
use ringfence_model::Secret;
use ringfence_model::observation::Leak;

use super::{EntropySeen, WeakSeen, count, leak};
use crate::detect::weak::{self, Sample};
use crate::detect::{entropy, pii};

/// Configurations with different secrets, in the order in which they were fetched: the same pair or token twice is one sample.
pub(super) fn pairs(configs: &[Arc<CallConfig>]) -> Vec<&CallConfig> {
    let secrets = |config: &CallConfig| {
        let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().clone());
        (config.username.clone(), text(&config.password), text(&config.token))
    };
    let mut pairs: Vec<&CallConfig> = Vec::new();
    for config in configs.iter().filter(|config| config.password.is_some() || config.token.is_some()) {
        if !pairs.iter().any(|known| secrets(known) == secrets(config)) {
            pairs.push(config);
        }
    }
    pairs
}

/// One value with the configuration that it comes from.
type Value<'a> = (&'a CallConfig, String);

/// The values that nobody should be able to guess, by field. Of a token that can be read, what makes it one of its kind; else all
/// of it.
fn secrets<'a>(pairs: &[&'a CallConfig]) -> Vec<(&'static str, Vec<Value<'a>>)> {
    let of = |value: &dyn Fn(&CallConfig) -> Option<String>| {
        pairs.iter().filter_map(|config| Some((*config, value(config)?))).collect::<Vec<_>>()
    };
    let claim = |names: &'static [&'static str]| {
        of(&move |config| Token::read(config.token.as_ref()?.expose()).text(names).map(str::to_owned))
    };
    let opaque = of(&|config| {
        let token = config.token.as_ref()?.expose();
        (Token::read(token).format == Format::Opaque).then(|| token.clone())
    });
    let mut sessions = claim(&["session_id"]);
    // Several visitors may meet in one session.
    sessions.dedup_by(|(_, later), (_, earlier)| later == earlier);
    vec![
        ("password", of(&|config| Some(config.password.as_ref()?.expose().clone()))),
        ("token", opaque),
        ("nonce", claim(&["nonce"])),
        ("jti", claim(&["jti"])),
        ("session_id", sessions),
    ]
}

/// How random user names and secrets can be.
pub(super) fn measured(configs: &[Arc<CallConfig>]) -> Vec<EntropySeen> {
    let pairs = pairs(configs);
    let mut names: Vec<Value<'_>> =
        pairs.iter().filter_map(|config| Some((*config, config.username.clone()?))).collect();
    names.dedup_by(|(_, later), (_, earlier)| later == earlier);
    let measure = |(field, values): (&'static str, Vec<Value<'_>>)| {
        let values: Vec<&str> = values.iter().map(|(_, value)| value.as_str()).collect();
        let measured = entropy::measure(&values)?;
        // No value is so long that its bits would not fit.
        let (class, bits) = (measured.class.word().to_owned(), measured.bits as i64);
        Some(EntropySeen { field: field.to_owned(), class, bits, samples: count(values.len()) })
    };
    std::iter::once(("username", names)).chain(secrets(&pairs)).filter_map(measure).collect()
}

/// Secrets that can be guessed. User names are none.
pub(super) fn weak(configs: &[Arc<CallConfig>]) -> Vec<WeakSeen> {
    let of_field = |(field, values): (&'static str, Vec<Value<'_>>)| {
        let sample = |(config, value): &Value<'_>| -> (String, String, [String; 4]) {
            let beside = [&config.aor_user, &config.realm, &config.ws_uri, &config.target_uri].map(String::clone);
            (config.username.clone().unwrap_or_default(), value.clone(), beside)
        };
        let owned: Vec<_> = values.iter().map(sample).collect();
        let samples = owned.iter().map(|(name, value, beside)| Sample {
            name,
            value,
            beside: beside.iter().map(String::as_str).collect(),
        });
        let reasons = weak::reasons(&samples.collect::<Vec<_>>());
        reasons.into_iter().map(move |why| WeakSeen { field: field.to_owned(), why: why.word().to_owned() })
    };
    secrets(&pairs(configs)).into_iter().flat_map(of_field).collect()
}

/// Personal data in the names that are minted. A number is the deployment's own, as the realm is.
pub(super) fn personal_data(test_user: &[String], configs: &[Arc<CallConfig>]) -> Vec<Leak> {
    let names =
        configs.iter().flat_map(|config| [("aor", Some(&config.aor_user)), ("username", config.username.as_ref())]);
    let named = names.filter_map(|(place, name)| Some((place, name?)));
    let found =
        named.flat_map(|(place, name)| pii::find(name, test_user).into_iter().map(move |one| (place, one.kind)));
    found.filter(|(_, kind)| *kind != pii::Kind::Phone).map(|(place, kind)| leak(kind.word(), place)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base64::prelude::*;
    use ringfence_client::adapters;
    use ringfence_client::http::Answer;
    use ringfence_model::target::Target;

    use super::*;

    fn config(username: &str, password: Option<&str>, token: Option<String>) -> Arc<CallConfig> {
        let text = "name = \"t\"\nadapter = \"sip\"\n[endpoints]\nconfig = \"https://c.test/\"\n\
                    [sip]\nws_uri = \"wss://s.example.com\"\nusername = \"visitor-7\"\nrealm = \"sip.example.com\"\n\
                    target = \"sip:desk@sip.example.com\"\npassword = { pointer = \"/p\" }\n";
        let target = Target::parse(text, Path::new("t.toml")).unwrap();
        let answer = Answer { status: 200, body: br#"{"p":"x"}"#.to_vec(), ..Answer::default() };
        let read = adapters::read_answer(&target, &answer).unwrap();
        Arc::new(CallConfig {
            username: Some(username.into()),
            password: password.map(Secret::from),
            token: token.map(Secret::new),
            ..read
        })
    }

    fn bits(configs: &[Arc<CallConfig>]) -> Vec<(String, i64, i64)> {
        measured(configs).into_iter().map(|seen| (seen.field, seen.bits, seen.samples)).collect()
    }

    #[test]
    fn a_pair_that_comes_again_is_one_sample() {
        let strong = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";
        let one = config("widget-0f3a9c1d", Some(strong), None);
        let same = [one.clone(), one.clone(), config("x", None, None)];
        assert_eq!(bits(&same), [("username".into(), 84, 1), ("password".into(), 128, 1)]);
        assert!(weak(&same).is_empty() && pairs(&same).len() == 1);
        let shared = [one, config("widget-8b1e77aa", Some(strong), None)];
        assert_eq!(weak(&shared), [WeakSeen { field: "password".into(), why: "same-under-two-names".into() }]);
        let backwards = [config("widget-0f3a9c1d", Some("d1c9a3f0-tegdiw"), None)];
        assert_eq!(weak(&backwards), [WeakSeen { field: "password".into(), why: "derived".into() }]);
        assert!(bits(&[]).is_empty() && weak(&[]).is_empty());
    }

    #[test]
    fn a_token_is_measured_by_what_makes_it_one_of_its_kind() {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let token = |jti: u32| {
            format!(
                "{}.{}.c2ln",
                part(r#"{"alg":"HS256"}"#),
                part(&format!(r#"{{"jti":"call-{jti}","session_id":"s-1"}}"#))
            )
        };
        let counted: Vec<_> = (0..3).map(|at| config("a-user", None, Some(token(4711 + at)))).collect();
        assert!(bits(&counted).contains(&("jti".into(), 0, 3)), "{:?}", bits(&counted));
        assert!(bits(&counted).iter().any(|(field, _, samples)| field == "session_id" && *samples == 1));
        assert!(weak(&counted).contains(&WeakSeen { field: "jti".into(), why: "counter".into() }));
        let opaque = [config("a-user", None, Some("Zk3fQ9xLm2PaB7cD1eFg5H".into()))];
        assert!(bits(&opaque).contains(&("token".into(), 132, 1)), "{:?}", bits(&opaque));
    }
}
