//! The token that a configuration hands out, and when it ends.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringfence_client::adapters::CallConfig;
use ringfence_client::adapters::token::Token;
use ringfence_model::Secret;

/// The token of a configuration: the one that it names, or else its SIP password. `None` where it hands out neither.
pub(crate) fn of(config: &CallConfig) -> Option<&Secret> {
    config.token.as_ref().or(config.password.as_ref())
}

/// When the credentials of a configuration expire: the first of what a token states, what the configuration states, and the
/// life that the operator promises, in seconds after it was fetched.
pub(crate) fn expiry(config: &CallConfig, promised_s: Option<i64>) -> Option<SystemTime> {
    let stated = [&config.token, &config.password].into_iter().flatten();
    let stated = stated.filter_map(|secret| Token::read(secret.expose()).expires_at());
    let stated = stated.filter_map(|at| UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(at).ok()?)));
    let promised_s = promised_s.and_then(|seconds| u64::try_from(seconds).ok());
    let after = [config.lifetime_s, promised_s].into_iter().flatten();
    let after = after.filter_map(|seconds| config.read_at.checked_add(Duration::from_secs(seconds)));
    stated.chain(after).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7519, section 3.1: `exp` is 1300819380.
    const RFC: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    /// The base64 of `partner_id=123456&sig=0123:expire_time=1800000600`.
    const T1: &str = "T1==cGFydG5lcl9pZD0xMjM0NTYmc2lnPTAxMjM6ZXhwaXJlX3RpbWU9MTgwMDAwMDYwMA==";

    #[test]
    fn the_first_that_says_when_counts() {
        let read_at = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let config = |password: &str, token: Option<&str>, lifetime_s| CallConfig {
            kind: ringfence_client::adapters::ConfigKind::Sip,
            ws_uri: "wss://s.test".into(),
            ws_given: "wss://s.test".into(),
            realm: "s.test".into(),
            aor_user: "a".into(),
            username: Some("u".into()),
            password: Some(password.into()),
            token: token.map(Secret::from),
            read_at,
            lifetime_s,
            target_uri: String::new(),
            identity_headers: Vec::new(),
            ice_servers: Vec::new(),
            register: true,
            active: true,
            privacy_notice: false,
        };
        let after = |config: &CallConfig, promised_s| {
            expiry(config, promised_s).map(|end| end.duration_since(read_at).map_or(0, |left| left.as_secs()))
        };
        assert_eq!(after(&config("opaque", None, None), None), None, "nobody says");
        assert_eq!(after(&config("opaque", None, Some(3600)), None), Some(3600));
        assert_eq!(after(&config("opaque", None, Some(3600)), Some(30)), Some(30), "the promise was shorter");
        assert_eq!(after(&config("opaque", None, Some(20)), Some(30)), Some(20));
        assert_eq!(after(&config("opaque", None, None), Some(-1)), None, "a promise of nothing");
        assert_eq!(after(&config(T1, None, None), None), Some(600));
        assert_eq!(after(&config("opaque", Some(RFC), Some(60)), None), Some(0), "the token ended long ago");
        assert_eq!(after(&config("opaque", None, Some(u64::MAX)), None), None, "beyond all time");
    }
}
