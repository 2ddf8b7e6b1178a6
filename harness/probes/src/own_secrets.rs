//! The secrets of the target file: known before anything is asked, so that not even the first answer can bring one back
//! unnoticed.

use base64::prelude::*;
use ringfence_model::Secret;
use ringfence_model::target::{Endpoint, Endpoints, SecretSource, SecretValue, Target, TargetError};
use url::Url;

use crate::Ledger;

/// Takes them into the ledger.
///
/// # Errors
/// A source that gives nothing: the message names its key, and what to set.
pub fn learn_own(ledger: &Ledger, target: &Target) -> Result<(), TargetError> {
    for (name, login) in &target.logins {
        let read = |key: &str, source: &Option<SecretSource>| -> Result<Option<Secret>, TargetError> {
            source.as_ref().map(|source| source.read(&format!("logins.{name}.{key}"))).transpose()
        };
        let password = read("password", &login.password)?;
        let cookie = read("cookie", &login.cookie)?;
        let whole = [&read("bearer", &login.bearer)?, &read("key", &login.key)?, &password, &cookie];
        whole.into_iter().flatten().for_each(|secret| ledger.add("login", secret.expose()));
        // `name=value; name=value`: a server knows the values.
        let pairs = cookie.iter().flat_map(|cookie| cookie.expose().split(';'));
        pairs.filter_map(|pair| pair.split_once('=')).for_each(|(_, value)| ledger.add("login", value));
        if let (Some(user), Some(password)) = (&login.user, &password) {
            ledger.add("login", &BASE64_STANDARD.encode(format!("{user}:{}", password.expose()))); // RFC 7617, section 2
        }
    }
    if let Some(SecretValue::Source(source)) = &target.sip.password {
        ledger.add("sip-password", source.read("sip.password")?.expose());
    }
    if let Some(SecretValue::Source(source)) = &target.sip.token {
        ledger.add("token", source.read("sip.token")?.expose());
    }
    if let Some(source) = &target.turn.credential {
        ledger.add("turn-credential", source.read("turn.credential")?.expose());
    }
    if let Some(login) = &target.turn.expired_login {
        ledger.add("turn-credential", login.credential.read("turn.expired_login.credential")?.expose());
    }
    let named = Endpoints::NAMES.iter().filter_map(|name| match target.endpoints.get(name) {
        Endpoint::Url(url) => Some(url),
        Endpoint::Absent | Endpoint::DeclaredNone => None,
    });
    named.chain(target.endpoints.sessions.values().map(String::as_str)).for_each(|url| in_address(ledger, url));
    Ok(())
}

/// Password and query of an address. Its path stays: reports have to name the endpoint.
fn in_address(ledger: &Ledger, text: &str) {
    let Ok(url) = Url::parse(text) else { return };
    url.password().into_iter().for_each(|password| ledger.add("url", password));
    for (_, value) in url.query_pairs() {
        // A short value is a switch or a number and stands in many texts.
        if value.len() >= 8 {
            ledger.add("url", &value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_source_is_read() {
        let folder = std::env::temp_dir().join(format!("ringfence-own-secrets-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let source = |name: &str, value: &str| {
            std::fs::write(folder.join(name), value).unwrap();
            format!("{{ file = {:?} }}", folder.join(name))
        };
        let text = format!(
            "name = \"x\"\nadapter = \"sip\"\n[endpoints]\nconfig = \"https://u:url-password@h.test/?k=query-secret&v=1\"\n\
             [sip]\nws_uri = \"wss://h.test\"\npassword = {}\n[turn]\ncredential = {}\n\
             [logins.valid]\nbearer = {}\ncookie = {}\n[logins.other]\nuser = \"me\"\npassword = {}\n",
            source("sip", "sip-secret"),
            source("turn", "turn-secret"),
            source("bearer", "bearer-secret"),
            source("cookie", "sid=cookie-secret; a=b"),
            source("password", "basic-secret"),
        );
        let ledger = Ledger::default();
        let target = Target::parse(&text, Path::new("t.toml")).unwrap();
        learn_own(&ledger, &target).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let basic = BASE64_STANDARD.encode("me:basic-secret");
        let secrets = [
            "url-password",
            "query-secret",
            "sip-secret",
            "turn-secret",
            "bearer-secret",
            "cookie-secret",
            "basic-secret",
            &basic,
        ];
        for secret in secrets {
            assert!(ledger.redact_text(&format!("a {secret} b")).is_some(), "{secret}");
        }
        assert_eq!(ledger.redact_text("https://h.test/?v=1"), None);
        let gone = learn_own(&ledger, &target).unwrap_err().to_string();
        assert!(gone.starts_with("logins.other.password: cannot read"), "{gone}");
    }
}
