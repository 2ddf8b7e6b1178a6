//! `fetch-config`: fetch the call configuration the way the adapter's client does.

use std::sync::Arc;

use ringfence_client::adapters::{self, Ask, CallConfig, FetchError};
use ringfence_client::http::Answer;
use ringfence_model::observation::{HeaderField, Leak, Outcome};
use ringfence_model::{Digest, RunKey, Untrusted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::http_request::{Scheme, header, header_fields};
use crate::cx::unusable;
use crate::origin::OriginVariant;
use crate::{Asked, Cost, Cx, Kept, OwnFault, Probe};

/// Port of STUN and TURN where a URL names none (RFC 7064, section 3.2). Which one it is decides nothing here.
const STUN_PORT: u16 = 3478;

/// See [`Probe::DOES`].
pub struct FetchConfig;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct With {
    /// Number of the participant, from 1: each has credentials of its own.
    pub participant: u32,
    /// Scheme of the request.
    pub scheme: Scheme,
    /// Origin to present; left out: none.
    pub origin: Option<OriginVariant>,
    /// Whose login to present.
    pub login: Login,
    /// User identifier to ask for.
    pub user_id: Option<String>,
    /// Name of the endpoint under `endpoints.sessions`; left out: the main one.
    pub session: Option<String>,
}

impl Default for With {
    fn default() -> Self {
        Self { participant: 1, scheme: Scheme::Https, origin: None, login: Login::Valid, user_id: None, session: None }
    }
}

/// Whose login is presented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Login {
    /// The right one.
    #[default]
    Valid,
    /// None.
    None,
    /// A wrong one of the same shape.
    Wrong,
    /// Another valid one.
    Other,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Header fields of the answer.
    pub headers: Vec<HeaderField>,
    /// TLS of the connection.
    pub tls: TlsSeen,
    /// CORS fields of the answer.
    pub cors: CorsSeen,
    /// What the configuration holds.
    pub config: ConfigSeen,
    /// Required fields that are missing.
    pub missing_fields: Vec<Untrusted>,
    /// `Cache-Control`, in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<Untrusted>,
    /// Secrets of earlier steps that came back.
    pub leaks: Vec<Leak>,
}

/// TLS of a connection.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct TlsSeen {
    /// `1.2` or `1.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// CORS fields of an answer.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct CorsSeen {
    /// `Access-Control-Allow-Origin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_origin: Option<Untrusted>,
    /// `Access-Control-Allow-Credentials: true`.
    pub allow_credentials: bool,
    /// `Vary` names Origin.
    pub vary_origin: bool,
}

/// What a configuration holds; secrets as digests.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ConfigSeen {
    /// `legacy`, `runtime` or `sip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Address of the signalling WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ws_uri: Option<Untrusted>,
    /// Its scheme, in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Untrusted>,
    /// It holds a user or a password (RFC 3986, section 3.2.1).
    pub ws_userinfo: bool,
    /// Addresses of it that lie outside the scope of the target file: signalling and ICE servers.
    pub out_of_scope: Vec<Untrusted>,
    /// Domain of the address-of-record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<Untrusted>,
    /// Digest user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<Digest>,
    /// Digest password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Digest>,
    /// Access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Digest>,
    /// Seconds that pair and token live, as the answer says it, or the user name does by `time:name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_s: Option<i64>,
    /// ICE servers.
    pub ice_servers: Vec<IceServerSeen>,
    /// The call button is switched on.
    pub active: bool,
    /// The page is told to show a privacy notice before a call.
    pub privacy_notice: bool,
}

/// One ICE server of a configuration.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IceServerSeen {
    /// Its URLs.
    pub urls: Vec<Untrusted>,
    /// User name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<Digest>,
    /// Password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<Digest>,
    /// Unix time at which a TURN REST user name expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<i64>,
}

impl Probe for FetchConfig {
    const NAME: &'static str = "fetch-config";
    const DOES: &'static str = "fetch the call configuration the way the adapter's client does";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let visitor = with.login == Login::Valid && with.scheme == Scheme::Https && with.user_id.is_none();
        let from_page = matches!(with.origin, None | Some(OriginVariant::Trusted));
        Cost { mints: 1, ..Cost::ACTIVE }.passive_if(visitor && from_page)
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let ask = Ask {
            participant: with.participant,
            user_id: with.user_id,
            login: match with.login {
                Login::Valid => adapters::LoginKind::Valid,
                Login::None => adapters::LoginKind::None,
                Login::Wrong => adapters::LoginKind::Wrong,
                Login::Other => adapters::LoginKind::Other,
            },
            scheme: Some(with.scheme.into()),
            origin: with.origin.and_then(|variant| variant.value(&cx.target)),
            session: with.session,
        };
        let fetched = match adapters::fetch(&cx.net, &cx.target, &ask).await {
            Ok(fetched) => fetched,
            Err(FetchError::Own(why)) => return Err(OwnFault(why)),
            Err(FetchError::Target(failure)) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        let leaks = cx.ledger.leaks_in("body", &fetched.answer.body);
        cx.learn_answer(&fetched.answer);
        let mut seen = from_answer(&fetched.answer);
        seen.leaks = leaks;
        seen.missing_fields = fetched.missing_fields.iter().map(Untrusted::new).collect();
        let Some(config) = fetched.config else {
            // A refusal is an answer like any other; a success that is no configuration is not what was asked for.
            let success = (200..300).contains(&fetched.answer.status);
            return Ok(if success { Asked::failed(seen, unusable(&fetched)) } else { Asked::answered(seen) });
        };
        cx.learn(&config);
        seen.config = describe(&config, &cx.key);
        dialled(cx, &mut seen.config).await;
        Ok(Asked::answered(seen).keeping(Kept::Config(Arc::new(config))))
    }
}

fn from_answer(answer: &Answer) -> Seen {
    let vary = header(answer, "vary").unwrap_or_default();
    Seen {
        status: Some(answer.status).filter(|status| *status != 0),
        headers: header_fields(answer),
        tls: TlsSeen { version: answer.tls_version.clone() },
        cors: CorsSeen {
            allow_origin: header(answer, "access-control-allow-origin").map(Untrusted::new),
            allow_credentials: header(answer, "access-control-allow-credentials").is_some_and(|v| v == "true"),
            vary_origin: vary.split(',').any(|name| name.trim().eq_ignore_ascii_case("origin")),
        },
        cache_control: cache_control(answer),
        ..Seen::default()
    }
}

/// Every `Cache-Control` field as one list (RFC 9110, section 5.3): a proxy may add its own beside the server's.
fn cache_control(answer: &Answer) -> Option<Untrusted> {
    let fields = answer.headers.iter().filter(|(name, _)| name == "cache-control").map(|(_, value)| value.as_str());
    let joined = fields.collect::<Vec<_>>().join(", ");
    (!joined.is_empty()).then(|| Untrusted::new(joined.to_ascii_lowercase()))
}

fn describe(config: &CallConfig, key: &RunKey) -> ConfigSeen {
    let servers = config.ice_servers.iter().map(|server| IceServerSeen {
        urls: server.urls.iter().map(Untrusted::new).collect(),
        username: server.username.as_ref().map(|name| key.digest(name.as_bytes())),
        credential: server.credential.as_ref().map(|secret| secret.digest(key)),
        expires_s: server.username.as_ref().and_then(|name| name.split(':').next()?.parse().ok()),
    });
    ConfigSeen {
        kind: Some(config.kind.word().into()),
        ws_uri: Some(Untrusted::new(&config.ws_given)),
        scheme: config.ws_given.split_once(':').map(|(scheme, _)| Untrusted::new(scheme.to_ascii_lowercase())),
        ws_userinfo: false,
        out_of_scope: Vec::new(),
        realm: Some(Untrusted::new(&config.realm)),
        username: config.username.as_ref().map(|name| key.digest(name.as_bytes())),
        password: config.password.as_ref().map(|secret| secret.digest(key)),
        token: config.token.as_ref().map(|secret| secret.digest(key)),
        lifetime_s: config.lifetime_s.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
        ice_servers: servers.collect(),
        active: config.active,
        privacy_notice: config.privacy_notice,
    }
}

/// What is asked of the addresses that a client would dial.
async fn dialled(cx: &Cx, config: &mut ConfigSeen) {
    if let Some(url) = config.ws_uri.as_ref().and_then(|uri| Url::parse(uri.raw()).ok()) {
        config.ws_userinfo = !url.username().is_empty() || url.password().is_some();
    }
    let ice = config.ice_servers.iter().flat_map(|server| &server.urls);
    for uri in config.ws_uri.iter().chain(ice) {
        // RFC 7064 and RFC 7065 write no `//`: with it the authority can be read like any other.
        let spelled = if uri.raw().contains("://") { uri.raw().to_owned() } else { uri.raw().replacen(':', "://", 1) };
        let Some(url) = Url::parse(&spelled).ok().filter(Url::has_host) else { continue };
        let host = url.host_str().unwrap_or_default();
        let resolved = cx.net.resolve(host, url.port_or_known_default().unwrap_or(STUN_PORT)).await;
        let foreign = resolved.is_err_and(|failure| failure.outcome == Outcome::OutOfScope);
        if foreign && !config.out_of_scope.contains(uri) {
            config.out_of_scope.push(uri.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_control_in_several_fields_is_one_list() {
        let with = |values: &[&str]| Answer {
            headers: values.iter().map(|value| ("cache-control".to_owned(), (*value).to_owned())).collect(),
            ..Answer::default()
        };
        assert_eq!(cache_control(&with(&["private", "No-Store"])), Some("private, no-store".into()));
        assert_eq!(cache_control(&with(&[])), None);
    }
}
