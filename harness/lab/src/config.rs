//! The configuration endpoint: JSON in the form of Cognigy's legacy endpoint, with a fresh SIP pair in each answer, or of its
//! runtime endpoint, which hands out identifiers and no pair.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};
use ringfence_model::Secret;
use ringfence_wire::turn::{TimedUser, timed_password};
use serde_json::{Value, json};

use crate::accounts::{Accounts, Minted};
use crate::fault::{Fault, Faults};
use crate::figures::{MAX_LIMITED_KEYS, MINT_WINDOW, MINTS_PER_SOURCE, SIP_REALM, TURN_CREDENTIALS};
use crate::https::Source;
use crate::limits::{Window, retry_after_s};
use crate::log::{Line, Log};
use crate::random;

/// One address under which a configuration can be fetched.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Name in the target file.
    pub name: &'static str,
    /// The path, 64 hexadecimal digits: who knows it may fetch.
    pub url_token: String,
    /// The application that its visitors may call.
    pub application_sid: String,
    client_sid: String,
    /// What admits its visitors, where the endpoint hands out no pair.
    pub identity: Identity,
    /// Visitors do not log in: their INVITE names [`Endpoint::identity`] and calls it.
    pub runtime: bool,
}

/// Whose an endpoint is, as the header fields of an INVITE name it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `X-Organisation-Id`.
    pub organisation: String,
    /// `X-Project-Id`.
    pub project: String,
    /// `X-Endpoint-Id`.
    pub endpoint: String,
}

impl Endpoint {
    /// An endpoint with identifiers of its own.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            url_token: random::hex::<32>(),
            application_sid: random::uuid(),
            client_sid: random::uuid(),
            identity: Identity {
                organisation: random::hex::<12>(),
                project: random::hex::<12>(),
                endpoint: random::hex::<12>(),
            },
            runtime: false,
        }
    }

    /// One that admits by its identity alone.
    pub fn runtime(name: &'static str) -> Self {
        Self { runtime: true, ..Self::new(name) }
    }

    /// All endpoints of a lab: two that hand out pairs, and two that do not, of a tenant each.
    pub fn all() -> Vec<Self> {
        vec![Self::new("config"), Self::new("second"), Self::runtime("runtime"), Self::runtime("runtime-second")]
    }
}

/// What the handler needs.
pub(crate) struct ConfigService {
    /// The lab's fault.
    pub faults: Arc<Faults>,
    /// The SIP pairs.
    pub accounts: Arc<Accounts>,
    /// The lab's log.
    pub log: Arc<Log>,
    /// All endpoints; the position is what [`Accounts::mint`] takes.
    pub endpoints: Arc<Vec<Endpoint>>,
    /// The one origin whose pages may read the answers.
    pub origin: String,
    /// Signalling address.
    pub ws_uri: String,
    /// Where TURN is.
    pub turn_urls: [String; 3],
    /// The TURN server's shared secret.
    pub turn_secret: Secret<Vec<u8>>,
    /// Fetches of late, by source.
    pub mints: Mutex<Window<IpAddr>>,
}

impl ConfigService {
    /// The limit that [`ConfigService::mints`] keeps.
    pub fn mint_limit() -> Mutex<Window<IpAddr>> {
        Mutex::new(Window::new(MINTS_PER_SOURCE, MINT_WINDOW, MAX_LIMITED_KEYS))
    }
}

/// The routes of the endpoint's listener.
pub(crate) fn router(service: Arc<ConfigService>) -> Router {
    Router::new().route("/{url_token}", any(answer)).fallback(nothing_here).with_state(service)
}

async fn answer(
    State(service): State<Arc<ConfigService>>,
    Extension(Source(source)): Extension<Source>,
    Path(url_token): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let found = service.endpoints.iter().position(|endpoint| endpoint.url_token == url_token);
    let mut response = match (found, &method) {
        (None, _) => error(StatusCode::NOT_FOUND, "Not Found"),
        (Some(_), &Method::OPTIONS) => preflight(),
        (Some(endpoint), &Method::GET) => service.fetch(endpoint, source),
        (Some(_), _) => {
            let mut response = error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
            set(&mut response, header::ALLOW, HeaderValue::from_static("GET, OPTIONS"));
            response
        }
    };
    service.allow_origin(&headers, &mut response);
    let name = found.and_then(|at| service.endpoints.get(at)).map_or("unknown", |endpoint| endpoint.name);
    let status = response.status().as_u16();
    service.log.write(Line { part: "config", method: method.as_str(), status, user: name, source });
    response
}

async fn nothing_here() -> Response {
    error(StatusCode::NOT_FOUND, "Not Found")
}

impl ConfigService {
    fn fetch(&self, endpoint: usize, source: IpAddr) -> Response {
        let now = Instant::now();
        // Released before anything else is done; a poisoned count is still a count.
        let turn = self.mints.lock().unwrap_or_else(PoisonError::into_inner).take(&source, now);
        if let Err(wait) = turn {
            let mut response = error(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
            set(&mut response, header::RETRY_AFTER, HeaderValue::from(retry_after_s(wait)));
            return response;
        }
        let Some(described) = self.endpoints.get(endpoint) else { return error(StatusCode::NOT_FOUND, "Not Found") };
        let pair = (!described.runtime).then(|| self.accounts.mint(endpoint, now));
        let document = self.document(described, pair);
        if self.faults.broken(Fault::LogWritesCredentials) {
            self.log.write_body(&document.to_string());
        }
        let mut response = reply(StatusCode::OK, &document);
        if self.faults.broken(Fault::ConfigCacheable) {
            set(&mut response, header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        }
        response
    }

    /// CORS for simple and preflighted requests alike, on errors too. Without `Origin` no browser is waiting.
    fn allow_origin(&self, headers: &HeaderMap, response: &mut Response) {
        let Some(origin) = headers.get(header::ORIGIN) else { return };
        let reflected = self.faults.broken(Fault::CorsReflectAny);
        let alike = self.faults.broken(Fault::CorsSuffixMatch) && same_ending(origin.as_bytes(), &self.origin);
        if self.faults.broken(Fault::CorsWildcard) {
            set(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else if origin.as_bytes() == self.origin.as_bytes() || reflected || alike {
            set(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
    }

    fn document(&self, endpoint: &Endpoint, pair: Option<Minted>) -> Value {
        let (turn_user, turn_password) = self.turn_credentials();
        let sip = match pair {
            Some(pair) => json!({
                "applicationSid": endpoint.application_sid,
                "clientSid": endpoint.client_sid,
                "username": pair.username,
                "password": pair.password.expose(),
                "realm": SIP_REALM,
                "wsUri": self.ws_uri(),
            }),
            None => json!({ "wsUri": self.ws_uri() }),
        };
        json!({
            "organisationId": endpoint.identity.organisation,
            "projectId": endpoint.identity.project,
            "endpointSettings": {
                "snapshotId": null,
                "endpointUrlToken": endpoint.url_token,
                "endpointName": "Lab Desk",
                "endpointId": endpoint.identity.endpoint,
                "channel": "voiceGateway2",
                "localeReferenceId": endpoint.client_sid,
                "collectAnalytics": false,
                "active": true,
                "sipConnectivityInfo": sip,
                "webrtcWidgetConfig": { "active": true, "label": "", "tagline": "", "theme": "DARK_MODE" },
            },
            "settings": {
                "transcription": { "enabled": false },
                "privacyNotice": { "enabled": false, "text": "" },
            },
            "iceServers": [{
                "urls": self.turn_urls,
                "username": turn_user,
                "credential": turn_password.expose(),
            }],
        })
    }

    fn ws_uri(&self) -> String {
        match self.faults.broken(Fault::ConfigWsScheme) {
            true => self.ws_uri.replace("wss:", "WS:"),
            false => self.ws_uri.clone(),
        }
    }

    fn turn_credentials(&self) -> (String, Secret) {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let expires_unix_s = (since_1970 + TURN_CREDENTIALS).as_secs();
        // The name is nobody's: it only keeps two visitors' quotas apart.
        let username = TimedUser { expires_unix_s, name: random::hex::<6>() }.username();
        let password = timed_password(self.turn_secret.expose(), &username);
        (username, password.into())
    }
}

/// Whether an origin's host ends as the trusted one's does, port and all, without a look at what stands before.
fn same_ending(origin: &[u8], trusted: &str) -> bool {
    let host = trusted.split_once("://").map_or(trusted, |(_, host)| host);
    origin.ends_with(host.as_bytes())
}

/// Allows what a client's fetch needs; whether its origin may, `allow_origin` says.
fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    common(&mut response);
    set(&mut response, header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
    set(&mut response, header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
    set(&mut response, header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

fn error(status: StatusCode, text: &str) -> Response {
    reply(status, &json!({ "error": text }))
}

fn reply(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    set(&mut response, header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    common(&mut response);
    response
}

fn common(response: &mut Response) {
    set(response, header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set(response, header::VARY, HeaderValue::from_static("Origin"));
    set(response, header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

fn set(response: &mut Response, name: HeaderName, value: HeaderValue) {
    response.headers_mut().insert(name, value);
}
