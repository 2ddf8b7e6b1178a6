//! How a vendor's client gets its call configuration.

mod cognigy;
pub mod dialling;
mod json;
mod login;
mod sip;
pub mod token;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringfence_model::target::{Adapter, Destinations, Endpoint, Target};
use ringfence_model::{Secret, Untrusted};
use ringfence_wire::turn::TimedUser;
use serde_json::Value;
use url::Url;

use crate::{Failure, Net, http};

/// Most entries of a list of ICE servers that are read.
pub const MAX_ICE_SERVERS: usize = 16;
/// Most addresses of one ICE server that are read.
pub const MAX_ICE_URLS: usize = 8;

/// A STUN or TURN server in the form of RTCConfiguration.iceServers.
#[derive(Clone, Debug, Default)]
pub struct IceServer {
    /// RFC 7064 and 7065.
    pub urls: Vec<String>,
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub credential: Option<Secret>,
}

/// What kind of configuration it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigKind {
    /// Cognigy, with SIP credentials.
    Legacy,
    /// Cognigy, admitted by identity headers.
    Runtime,
    /// Adapter `sip`.
    Sip,
}

impl ConfigKind {
    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            ConfigKind::Legacy => "legacy",
            ConfigKind::Runtime => "runtime",
            ConfigKind::Sip => "sip",
        }
    }
}

/// Everything that a client needs to place a call. All texts may be the target's.
#[derive(Clone, Debug)]
pub struct CallConfig {
    /// What kind it is.
    pub kind: ConfigKind,
    /// WebSocket address, as it was given.
    pub ws_given: String,
    /// WebSocket address that is dialled: over TLS, since a login never goes out in the clear, whatever was given.
    pub ws_uri: String,
    /// Domain of the address-of-record.
    pub realm: String,
    /// User part of the address-of-record.
    pub aor_user: String,
    /// Digest user name.
    pub username: Option<String>,
    /// Digest password.
    pub password: Option<Secret>,
    /// An access token beside the pair.
    pub token: Option<Secret>,
    /// When it was read: whatever was minted for it is no younger.
    pub read_at: SystemTime,
    /// Seconds from then on that credentials and token live, as far as the answer says it.
    pub lifetime_s: Option<u64>,
    /// Request-URI of the INVITE.
    pub target_uri: String,
    /// Header fields of the INVITE that say who calls.
    pub identity_headers: Vec<(String, String)>,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServer>,
    /// The client registers before it calls.
    pub register: bool,
    /// The vendor's client would place a call with this configuration.
    pub active: bool,
    /// The page is told to show a privacy notice before a call.
    pub privacy_notice: bool,
}

/// Who asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginKind {
    /// As an honest client does.
    #[default]
    Valid,
    /// Without what lets one in.
    None,
    /// With something of the same shape that nobody was given.
    Wrong,
    /// As somebody else, who is let in elsewhere.
    Other,
    /// As somebody with fewer rights.
    Viewer,
}

/// Scheme of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http:`; a port that the address names stays.
    Http,
    /// `https:`.
    Https,
}

/// What to ask for.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Which participant, from 1: each has its own identity.
    pub participant: u32,
    /// User part of the address-of-record, instead of the one that the client would make up.
    pub user_id: Option<String>,
    /// Who asks.
    pub login: LoginKind,
    /// Instead of the scheme that the target file gives.
    pub scheme: Option<Scheme>,
    /// `Origin` header.
    pub origin: Option<String>,
    /// `main`, or a name of `endpoints.sessions`.
    pub session: Option<String>,
}

/// What came back.
#[derive(Clone)]
pub struct Fetched {
    /// The answer; its status is 0 where all values stand in the target file, so that nothing was asked.
    pub answer: http::Answer,
    /// What was asked, or the WebSocket address where nothing was.
    pub url: Url,
    /// The configuration, where the answer is a success and lacks nothing.
    pub config: Option<CallConfig>,
    /// Fields without which the vendor's client refuses the configuration.
    pub missing_fields: Vec<String>,
    /// Why there is no configuration, beside missing fields.
    pub error: Option<Untrusted>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The target file lacks something, or asks for what the adapter cannot do.
    #[error("{0}")]
    Own(String),
    /// The target or the network.
    #[error("{0}")]
    Target(Failure),
}

impl From<Failure> for FetchError {
    fn from(failure: Failure) -> Self {
        Self::Target(failure)
    }
}

/// Fetches the configuration as the adapter's client does.
///
/// # Errors
/// The target file does not say how, or there was no HTTP answer. An answer of any status and form is no error.
pub async fn fetch(net: &Net, target: &Target, ask: &Ask) -> Result<Fetched, FetchError> {
    match target.adapter {
        Adapter::Cognigy => cognigy::fetch(net, target, ask).await,
        Adapter::Sip => sip::fetch(net, target, ask).await,
        other => Err(FetchError::Own(format!("adapter `{}` places no calls yet", other.word()))),
    }
}

/// The configuration that an answer of the endpoint holds, whoever asked for it and however.
pub fn read_answer(target: &Target, answer: &http::Answer) -> Option<CallConfig> {
    let document = success_json(answer).ok()?;
    match target.adapter {
        Adapter::Cognigy => cognigy::read_config(&document, None).config,
        Adapter::Sip => sip::read_config(target, &document, &Ask::default()).ok()?.config,
        Adapter::Vonage | Adapter::Avaya => None,
    }
}

/// The header fields that present a login of the target file to this address; none where the adapter's address is itself the
/// secret, and none to an origin that the target file does not name for logins, or names with TLS and this is without.
///
/// # Errors
/// The login is not in the file, or its secret cannot be read.
pub fn login_headers(target: &Target, ask: &Ask, url: &Url) -> Result<Vec<(String, String)>, FetchError> {
    match target.adapter {
        Adapter::Cognigy => Ok(Vec::new()),
        _ => login::headers(target, ask, url),
    }
}

/// What reading a configuration gave.
#[derive(Default)]
struct Read {
    config: Option<CallConfig>,
    missing: Vec<String>,
    error: Option<Untrusted>,
}

impl Read {
    fn error(text: impl AsRef<str>) -> Self {
        Self { error: Some(Untrusted::new(text)), ..Self::default() }
    }

    fn into_fetched(self, answer: http::Answer, url: Url) -> Fetched {
        Fetched { answer, url, config: self.config, missing_fields: self.missing, error: self.error }
    }
}

/// The JSON of a successful answer, or why there is none.
fn success_json(answer: &http::Answer) -> Result<Value, Untrusted> {
    if !(200..300).contains(&answer.status) {
        return Err(Untrusted::new(format!("the configuration endpoint answered {}", answer.status)));
    }
    json::parse(&answer.body).map_err(|why| Untrusted::new(format!("the configuration is not usable JSON: {why}")))
}

/// The address of the configuration endpoint that is asked for.
fn endpoint(target: &Target, ask: &Ask) -> Result<Url, FetchError> {
    let own = |text: String| FetchError::Own(text);
    let text = match ask.session.as_deref() {
        None | Some("main") => match target.endpoints.get("config") {
            Endpoint::Url(url) => url,
            _ => return Err(own("endpoints.config is not in the target file".into())),
        },
        Some(name) => match target.endpoints.sessions.get(name) {
            Some(url) => url,
            None => return Err(own(format!("endpoints.sessions.{name} is not in the target file"))),
        },
    };
    let mut url = Url::parse(text).map_err(|error| own(format!("`{text}` is no URL: {error}")))?;
    if let Some(scheme) = ask.scheme {
        let scheme = if scheme == Scheme::Http { "http" } else { "https" };
        url.set_scheme(scheme).map_err(|()| own(format!("`{text}` cannot be asked over {scheme}")))?;
    }
    Ok(url)
}

/// A GET as a page of `ask.origin` makes it.
fn get(url: Url, ask: &Ask) -> http::Request {
    let request = http::Request::get(url);
    match &ask.origin {
        Some(origin) => request.header("Origin", origin),
        None => request,
    }
}

/// Whom to call: the target file's word, unless that is `configured`.
fn destination(target: &Target) -> Option<String> {
    let Destinations { call, .. } = &target.destinations;
    call.as_ref().map(|call| call.uri.clone()).filter(|uri| uri != "configured")
}

/// `host` or `host:port` of a WebSocket address, as SIP URIs name it.
fn ws_host(ws_uri: &str) -> Option<String> {
    let url = Url::parse(ws_uri).ok().filter(|url| matches!(url.scheme(), "ws" | "wss"))?;
    url.host_str().map(str::to_owned)
}

/// A WebSocket address with TLS in place of none; the port stays.
fn over_tls(ws_uri: &str) -> String {
    match Url::parse(ws_uri) {
        Ok(mut url) if url.scheme() == "ws" => {
            let port = url.port_or_known_default();
            // Neither can fail between the two.
            let _ = url.set_scheme("wss").and_then(|()| url.set_port(port));
            url.into()
        }
        _ => ws_uri.to_owned(),
    }
}

/// Earliest and latest second since 1970 that a user name is believed to speak of: 2001, and 2286 (house). Ten digits.
const TIMES: std::ops::Range<u64> = 1_000_000_000..10_000_000_000;

/// How long a pair lives whose user name tells its end, as `time:name`: what TURN servers with a shared secret take
/// (draft-uberti-behave-turn-rest-00, section 2.2), and SIP servers with the like. A number alone may be anybody's name.
fn timed_life(username: Option<&str>, now: SystemTime) -> Option<u64> {
    let timed = TimedUser::parse(username.filter(|name| name.contains(':'))?).ok()?;
    let end = TIMES.contains(&timed.expires_unix_s).then(|| UNIX_EPOCH + Duration::from_secs(timed.expires_unix_s))?;
    Some(end.duration_since(now).map_or(0, |life| life.as_secs()))
}

/// TURN servers that only the target file names.
fn own_ice_servers(target: &Target) -> Result<Vec<IceServer>, FetchError> {
    let turn = &target.turn;
    if turn.urls.is_empty() {
        return Ok(Vec::new());
    }
    let credential = turn.credential.as_ref().map(|source| source.read("turn.credential")).transpose();
    let credential = credential.map_err(|error| FetchError::Own(error.to_string()))?;
    Ok(vec![IceServer { urls: turn.urls.clone(), username: turn.username.clone(), credential }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_tells_when_its_pair_ends() {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        assert_eq!(timed_life(Some("1800000060:a-1"), now), Some(60));
        assert_eq!(timed_life(Some("1799999999:a-1"), now), Some(0));
        for no_time in ["1800000060", "alice", "1001:desk", "desk:1800000060", "18000000600:x", ":"] {
            assert_eq!(timed_life(Some(no_time), now), None, "{no_time}");
        }
        assert_eq!(timed_life(None, now), None);
    }
}
