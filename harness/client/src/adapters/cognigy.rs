//! Cognigy Click To Call: a URL with a token in it answers with SIP credentials (legacy endpoint) or with identifiers that
//! stand for them (runtime endpoint).

use std::time::SystemTime;

use ringfence_model::Secret;
use ringfence_model::target::Target;
use serde_json::Value;
use url::Url;

use super::login::{look_alike, random_text};
use super::{
    Ask, CallConfig, ConfigKind, FetchError, Fetched, LoginKind, Read, destination, endpoint, get, json, over_tls,
    own_ice_servers, success_json, timed_life, ws_host,
};
use crate::{Net, http};

const SIP_INFO: &str = "/endpointSettings/sipConnectivityInfo";
/// The digits and letters of the SDK's made-up user identifiers.
const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

pub(super) async fn fetch(net: &Net, target: &Target, ask: &Ask) -> Result<Fetched, FetchError> {
    let url = address(target, ask)?;
    let answer = http::request(net, get(url.clone(), ask)).await?;
    let mut read = match success_json(&answer) {
        Ok(document) => read_config(&document, ask.user_id.as_deref()),
        Err(why) => Read::error(why.raw()),
    };
    if let Some(config) = &mut read.config {
        config.ice_servers.extend(own_ice_servers(target)?);
        config.target_uri = destination(target).unwrap_or_else(|| config.target_uri.clone());
    }
    Ok(read.into_fetched(answer, url))
}

/// The login is part of the address: the last part of its path is the endpoint's token.
fn address(target: &Target, ask: &Ask) -> Result<Url, FetchError> {
    let own = |text: &str| Err(FetchError::Own(text.into()));
    let mut url = match ask.login {
        LoginKind::Other => endpoint(target, &Ask { session: Some("second".into()), ..ask.clone() })?,
        _ => endpoint(target, ask)?,
    };
    let replaced = match ask.login {
        LoginKind::Valid | LoginKind::Other => return Ok(url),
        LoginKind::Viewer => return own("adapter `cognigy` has no viewers: whoever has the address is a caller"),
        LoginKind::None => None,
        LoginKind::Wrong => token(&url).map(|token| look_alike(&token)),
    };
    if token(&url).is_none() {
        return own("endpoints.config has no token in its path, so there is none to leave out");
    }
    if let Ok(mut parts) = url.path_segments_mut() {
        parts.pop_if_empty().pop();
        match &replaced {
            Some(token) => parts.push(token),
            None => parts.push(""),
        };
    }
    Ok(url)
}

fn token(url: &Url) -> Option<String> {
    url.path_segments()?.rfind(|part| !part.is_empty()).map(str::to_owned)
}

pub(super) fn read_config(document: &Value, user_id: Option<&str>) -> Read {
    let info = |name: &str| json::text(document, &format!("{SIP_INFO}/{name}"));
    let (realm, application) = (info("realm"), info("applicationSid"));
    let endpoint_id = json::text(document, "/endpointSettings/endpointId");
    // A legacy configuration may carry an endpointId too, which is then neither declared nor dialled.
    let runtime = realm.is_none() && application.is_none() && endpoint_id.is_some();

    let mut missing = Vec::new();
    let mut need = |name: &str, value: Option<String>| {
        value.unwrap_or_else(|| {
            missing.push(name.to_owned());
            String::new()
        })
    };
    let organisation = need("organisationId", json::text(document, "/organisationId"));
    let project = need("projectId", json::text(document, "/projectId"));
    let ws_uri = need("wsUri", info("wsUri"));
    let mut identity_headers = vec![
        ("X-Source".to_owned(), "webrtc".to_owned()),
        ("X-Organisation-Id".to_owned(), organisation),
        ("X-Project-Id".to_owned(), project),
    ];
    let host = ws_host(&ws_uri);
    let (kind, realm, callee, username, password) = if runtime {
        let endpoint_id = endpoint_id.unwrap_or_default();
        identity_headers.push(("X-Endpoint-Id".to_owned(), endpoint_id.clone()));
        (ConfigKind::Runtime, host.clone().unwrap_or_default(), endpoint_id, None, None)
    } else {
        let username = need("username", info("username"));
        let password = Secret::new(need("password", info("password")));
        let realm = need("realm", realm);
        let callee = format!("app-{}", need("applicationSid", application));
        (ConfigKind::Legacy, realm, callee, Some(username), Some(password))
    };
    if !missing.is_empty() {
        return Read { missing, ..Read::default() };
    }
    if host.is_none() {
        return Read::error(format!("wsUri `{ws_uri}` is no WebSocket address"));
    }
    let name = json::text(document, "/endpointSettings/endpointName").unwrap_or_default();
    let read_at = SystemTime::now();
    let config = CallConfig {
        kind,
        token: None,
        read_at,
        lifetime_s: timed_life(username.as_deref(), read_at),
        ws_uri: over_tls(&ws_uri),
        ws_given: ws_uri,
        aor_user: match user_id {
            Some("") => "anonymous".into(),
            Some(user_id) => user_id.to_owned(),
            None => made_up_user_id(&name),
        },
        username,
        password,
        target_uri: format!("sip:{callee}@{realm}"),
        realm,
        identity_headers,
        ice_servers: json::ice_servers(document.get("iceServers")),
        register: kind == ConfigKind::Legacy,
        active: document.pointer("/endpointSettings/webrtcWidgetConfig/active") == Some(&Value::Bool(true)),
        privacy_notice: document.pointer("/settings/privacyNotice/enabled") == Some(&Value::Bool(true)),
    };
    Read { config: Some(config), ..Read::default() }
}

/// What the SDK calls a visitor who did not say who they are; two visitors never share it.
fn made_up_user_id(endpoint_name: &str) -> String {
    let kept = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-';
    let name: String = endpoint_name.to_lowercase().chars().filter(kept).take(64).collect();
    format!("webrtc-sdk-{name}-{}", random_text(8, ALPHANUMERIC))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    fn legacy() -> Value {
        json!({
            "organisationId": "org", "projectId": "proj",
            "endpointSettings": {
                "endpointName": "Front Desk 1", "endpointId": "not-dialled",
                "sipConnectivityInfo": { "applicationSid": "4e", "username": "u", "password": "p",
                    "realm": "sip.test", "wsUri": "wss://ws.test:8443/x" },
                "webrtcWidgetConfig": { "active": true }
            },
            "iceServers": [{ "urls": "stun:s.test" }]
        })
    }

    #[test]
    fn a_legacy_endpoint_registers_and_dials_the_application() {
        let config = read_config(&legacy(), None).config.unwrap();
        assert_eq!((config.kind, config.register, config.active), (ConfigKind::Legacy, true, true));
        assert_eq!(config.target_uri, "sip:app-4e@sip.test");
        assert_eq!(config.username.as_deref(), Some("u"));
        assert!(config.aor_user.starts_with("webrtc-sdk-frontdesk1-"));
        assert_eq!(config.aor_user.len(), "webrtc-sdk-frontdesk1-".len() + 8);
        assert_ne!(config.aor_user, read_config(&legacy(), None).config.unwrap().aor_user);
        assert!(!config.identity_headers.iter().any(|(name, _)| name == "X-Endpoint-Id"));
        assert_eq!(config.ice_servers.len(), 1);
        assert_eq!(read_config(&legacy(), Some("canary")).config.unwrap().aor_user, "canary");
        let mut noticed = legacy();
        noticed["settings"] = json!({ "privacyNotice": { "enabled": true } });
        assert!(!config.privacy_notice && read_config(&noticed, None).config.unwrap().privacy_notice);
    }

    #[test]
    fn a_runtime_endpoint_declares_and_dials_its_identifier() {
        let mut document = legacy();
        document["endpointSettings"]["sipConnectivityInfo"] = json!({ "wsUri": "ws://ws.test:8080" });
        document["endpointSettings"]["webrtcWidgetConfig"] = json!({});
        let config = read_config(&document, Some("")).config.unwrap();
        assert_eq!((config.kind, config.register, config.active), (ConfigKind::Runtime, false, false));
        assert_eq!(config.target_uri, "sip:not-dialled@ws.test");
        assert_eq!((config.aor_user.as_str(), config.realm.as_str()), ("anonymous", "ws.test"));
        assert!(config.password.is_none());
        assert!(config.identity_headers.contains(&("X-Endpoint-Id".into(), "not-dialled".into())));
    }

    #[test]
    fn what_the_vendors_client_refuses_is_named() {
        let mut document = legacy();
        document["organisationId"] = json!("");
        document["endpointSettings"]["sipConnectivityInfo"]["password"] = Value::Null;
        document["endpointSettings"]["sipConnectivityInfo"]["applicationSid"] = json!({});
        let read = read_config(&document, None);
        assert!(read.config.is_none());
        assert_eq!(read.missing, ["organisationId", "password", "applicationSid"]);
        assert_eq!(read_config(&json!([]), None).missing.len(), 7);

        let mut document = legacy();
        document["endpointSettings"]["sipConnectivityInfo"]["wsUri"] = json!("https://ws.test");
        assert!(read_config(&document, None).error.unwrap().raw().contains("no WebSocket address"));
    }

    #[test]
    fn the_login_is_in_the_address() {
        let text = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.test/a/0123ab\"\n\
                    sessions.second = \"https://c.test/other\"\n";
        let target = Target::parse(text, Path::new("t.toml")).unwrap();
        let ask = |login| Ask { login, ..Ask::default() };
        let path = |login| address(&target, &ask(login)).unwrap().path().to_owned();
        assert_eq!(path(LoginKind::Valid), "/a/0123ab");
        assert_eq!(path(LoginKind::Other), "/other");
        assert_eq!(path(LoginKind::None), "/a/");
        let wrong = path(LoginKind::Wrong);
        assert!(wrong.starts_with("/a/") && wrong != "/a/0123ab" && wrong.len() == "/a/0123ab".len(), "{wrong}");
        assert!(address(&target, &ask(LoginKind::Viewer)).is_err());
        let plain = Ask { scheme: Some(super::super::Scheme::Http), ..Ask::default() };
        assert_eq!(address(&target, &plain).unwrap().scheme(), "http");
        assert!(address(&target, &Ask { session: Some("third".into()), ..Ask::default() }).is_err());
    }
}
