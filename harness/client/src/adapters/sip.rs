//! Any SIP over WSS: values of the target file, or JSON pointers into the answer of its configuration endpoint.

use std::time::SystemTime;

use ringfence_model::Secret;
use ringfence_model::target::{Endpoint, SecretValue, SipSettings, Target, Value as Setting};
use serde_json::Value;
use url::Url;

use super::{
    Ask, CallConfig, ConfigKind, FetchError, Fetched, LoginKind, Read, destination, endpoint, get, json, login,
    over_tls, own_ice_servers, success_json, timed_life, ws_host,
};
use crate::{Net, http};

pub(super) async fn fetch(net: &Net, target: &Target, ask: &Ask) -> Result<Fetched, FetchError> {
    if !matches!(target.endpoints.get("config"), Endpoint::Url(_)) {
        return by_hand(target, ask);
    }
    let url = endpoint(target, ask)?;
    let mut request = get(url.clone(), ask);
    request.headers.extend(login::headers(target, ask, &url)?);
    let answer = http::request(net, request).await?;
    let read = match success_json(&answer) {
        Ok(document) => read_config(target, &document, ask)?,
        Err(why) => Read::error(why.raw()),
    };
    Ok(read.into_fetched(answer, url))
}

/// All values stand in the target file: nothing is asked, so nobody can ask as somebody else.
fn by_hand(target: &Target, ask: &Ask) -> Result<Fetched, FetchError> {
    if ask.login != LoginKind::Valid || ask.session.as_deref().is_some_and(|name| name != "main") {
        return Err(FetchError::Own("endpoints.config is not in the target file; there is nobody to log in to".into()));
    }
    let read = read_config(target, &Value::Null, ask)?;
    let ws_uri = read.config.as_ref().and_then(|config| Url::parse(&config.ws_uri).ok());
    let url = ws_uri.ok_or_else(|| FetchError::Own("sip.ws_uri is not in the target file".into()))?;
    Ok(read.into_fetched(http::Answer::default(), url))
}

pub(super) fn read_config(target: &Target, document: &Value, ask: &Ask) -> Result<Read, FetchError> {
    let SipSettings {
        ws_uri,
        username,
        password,
        realm,
        aor,
        target: callee,
        ice_servers,
        register,
        token,
        lifetime_s,
    } = &target.sip;
    let mut missing = Vec::new();
    // A pointer promises a value; where there is none, that is the target's doing and is named.
    let mut find = |name: &str, setting: &Option<Setting>| match setting.as_ref()? {
        Setting::Text(text) => Some(text.clone()),
        Setting::Pointer { pointer } => {
            let found = json::text(document, pointer);
            if found.is_none() {
                missing.push(format!("{name} ({pointer})"));
            }
            found
        }
    };
    let ws_uri = find("ws_uri", ws_uri);
    let username = find("username", username);
    let realm = find("realm", realm);
    let aor = find("aor", aor);
    let callee = match destination(target) {
        Some(uri) => Some(uri),
        None => find("target", callee),
    };
    let lifetime = find("lifetime_s", lifetime_s);
    let mut find_secret = |name: &str, value: &Option<SecretValue>| match value {
        None => Ok(None),
        Some(SecretValue::Pointer { pointer }) => {
            Ok(find(name, &Some(Setting::Pointer { pointer: pointer.clone() })).map(Secret::new))
        }
        Some(SecretValue::Source(source)) => {
            let read = source.read(&format!("sip.{name}"));
            read.map(Some).map_err(|error| FetchError::Own(error.to_string()))
        }
    };
    let password = find_secret("password", password)?;
    let token = find_secret("token", token)?;
    if ws_uri.is_none() && missing.is_empty() {
        missing.push("ws_uri".into());
    }
    if !missing.is_empty() {
        return Ok(Read { missing, ..Read::default() });
    }
    let ws_uri = ws_uri.unwrap_or_default();
    let Some(host) = ws_host(&ws_uri) else {
        return Ok(Read::error(format!("ws_uri `{ws_uri}` is no WebSocket address")));
    };
    let realm = realm.unwrap_or(host);
    let aor_user = ask.user_id.clone().or(aor).or_else(|| username.clone()).unwrap_or_else(|| "anonymous".into());
    let mut servers = match ice_servers {
        Some(Setting::Pointer { pointer }) => json::ice_servers(document.pointer(pointer)),
        _ => Vec::new(),
    };
    servers.extend(own_ice_servers(target)?);
    let read_at = SystemTime::now();
    let lifetime_s = match lifetime.as_deref().map(str::parse) {
        Some(Err(_)) => return Ok(Read::error("lifetime_s is no whole number of seconds")),
        Some(Ok(seconds)) => Some(seconds),
        None => timed_life(username.as_deref(), read_at),
    };
    let config = CallConfig {
        kind: ConfigKind::Sip,
        token,
        read_at,
        lifetime_s,
        target_uri: callee.map(|callee| request_uri(&callee, &realm)).unwrap_or_default(),
        register: register.unwrap_or(password.is_some()),
        ws_uri: over_tls(&ws_uri),
        ws_given: ws_uri,
        realm,
        aor_user,
        username,
        password,
        identity_headers: Vec::new(),
        ice_servers: servers,
        active: true,
        privacy_notice: false,
    };
    Ok(Read { config: Some(config), ..Read::default() })
}

/// A callee as it is written in a Request-URI: a bare name belongs to the realm.
fn request_uri(callee: &str, realm: &str) -> String {
    let has_scheme = ["sip:", "sips:", "tel:"]
        .iter()
        .any(|scheme| callee.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    match callee {
        _ if has_scheme => callee.to_owned(),
        _ if callee.contains('@') => format!("sip:{callee}"),
        _ => format!("sip:{callee}@{realm}"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    fn target(sip: &str) -> Target {
        let text = format!("name = \"x\"\nadapter = \"sip\"\n[sip]\n{sip}");
        Target::parse(&text, Path::new("t.toml")).unwrap()
    }

    #[test]
    fn values_by_hand_ask_nothing() {
        let target = target("ws_uri = \"wss://pbx.test:8089/ws\"\nusername = \"desk\"\ntarget = \"echo\"\n");
        let fetched = by_hand(&target, &Ask::default()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((fetched.answer.status, fetched.url.as_str()), (0, "wss://pbx.test:8089/ws"));
        let config = fetched.config.unwrap();
        assert_eq!(config.target_uri, "sip:echo@pbx.test");
        assert_eq!((config.aor_user.as_str(), config.register), ("desk", false));
        assert!(by_hand(&target, &Ask { login: LoginKind::None, ..Ask::default() }).is_err());
    }

    #[test]
    fn pointers_lead_into_the_answer() {
        let target = target(
            "ws_uri = { pointer = \"/sip/0/ws\" }\nusername = { pointer = \"/u\" }\npassword = { pointer = \"/p\" }\n\
             realm = \"pbx.test\"\naor = \"me\"\ntarget = { pointer = \"/to\" }\nice_servers = { pointer = \"/ice\" }\n\
             [endpoints]\nconfig = \"https://c.test/\"\n[destinations.call]\nuri = \"configured\"\n",
        );
        let document = json!({ "sip": [{ "ws": "ws://pbx.test" }], "u": 7, "p": "s", "to": "sip:a@b",
            "ice": [{ "urls": "stun:x" }] });
        let config = read_config(&target, &document, &Ask::default()).ok().and_then(|read| read.config).unwrap();
        assert_eq!((config.username.as_deref(), config.target_uri.as_str()), (Some("7"), "sip:a@b"));
        assert_eq!((config.aor_user.as_str(), config.ice_servers.len(), config.register), ("me", 1, true));

        let read = read_config(&target, &json!({ "u": 7, "p": "", "to": null }), &Ask::default());
        let missing = read.ok().map(|read| read.missing).unwrap();
        assert_eq!(missing, ["ws_uri (/sip/0/ws)", "target (/to)", "password (/p)"]);
    }

    #[test]
    fn a_token_and_how_long_it_lives() {
        let target = target(
            "ws_uri = \"wss://pbx.test\"\ntoken = { pointer = \"/access_token\" }\nlifetime_s = { pointer = \"/expires_in\" }\n\
             [endpoints]\nconfig = \"https://c.test/\"\n",
        );
        let read = |document: Value| read_config(&target, &document, &Ask::default()).ok().unwrap();
        let config = read(json!({ "access_token": "t", "expires_in": 90 })).config.unwrap();
        assert_eq!(config.token.as_ref().map(|token| token.expose().as_str()), Some("t"));
        assert_eq!((config.lifetime_s, config.password.is_none()), (Some(90), true));
        assert_eq!(read(json!({ "expires_in": 90 })).missing, ["token (/access_token)"]);
        let odd = read(json!({ "access_token": "t", "expires_in": 1.5 }));
        assert_eq!(odd.error.unwrap().raw(), "lifetime_s is no whole number of seconds");
    }

    #[test]
    fn the_target_file_says_whom_to_call() {
        let target =
            target("ws_uri = \"wss://pbx.test\"\ntarget = \"echo\"\n[destinations.call]\nuri = \"sip:desk@pbx\"\n");
        let config = read_config(&target, &Value::Null, &Ask::default()).ok().and_then(|read| read.config).unwrap();
        assert_eq!(config.target_uri, "sip:desk@pbx");
        assert_eq!(request_uri("SIP:a@b", "r"), "SIP:a@b");
        assert_eq!(request_uri("a@b", "r"), "sip:a@b");
        assert_eq!(request_uri("é", "r"), "sip:é@r");
    }
}
