//! `http-request`: one HTTP request to a named endpoint, redirects not followed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ringfence_client::Failure;
use ringfence_client::adapters::{self, Ask, LoginKind};
use ringfence_client::http::{self, Answer, Request};
use ringfence_model::Untrusted;
use ringfence_model::observation::{HeaderField, Leak};
use ringfence_model::target::{Endpoint, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::fetch_config::Login;
use crate::origin::OriginVariant;
use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, OwnFault, Probe};

/// See [`Probe::DOES`].
pub struct HttpRequest;

/// Scheme of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// TLS.
    #[default]
    Https,
    /// In clear.
    Http,
}

impl From<Scheme> for adapters::Scheme {
    fn from(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Https => Self::Https,
            Scheme::Http => Self::Http,
        }
    }
}

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// Which address of the target file.
    pub endpoint: EndpointName,
    /// Scheme of the request.
    #[serde(default)]
    pub scheme: Scheme,
    /// Method.
    #[serde(default = "get")]
    pub method: String,
    /// Further header fields.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Origin to present; left out: none.
    #[serde(default)]
    pub origin: Option<OriginVariant>,
    /// With endpoint `url`: the address, whose host has to lie in the scope.
    #[serde(default)]
    pub url: Option<String>,
    /// Whose login to present; to an address that the target file does not name, none is.
    #[serde(default)]
    pub login: HttpLogin,
    /// With login `sip`: the step whose configuration holds the pair.
    #[serde(default)]
    pub config: Option<ConfigRef>,
    /// Body to send.
    #[serde(default)]
    pub body: Option<String>,
    /// How often to ask.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 20))]
    pub repeat: u32,
}

fn get() -> String {
    "GET".into()
}

fn once() -> u32 {
    1
}

/// A named address of the target file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndpointName {
    /// Configuration or token endpoint.
    Config,
    /// The page.
    Page,
    /// REST interface.
    Api,
    /// Where a user logs in.
    Login,
    /// Archives.
    Archive,
    /// Recordings.
    Recording,
    /// Where events are delivered.
    Webhook,
    /// The address that stands beside it.
    Url,
}

/// Whose login a request presents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HttpLogin {
    /// As an honest client does.
    #[default]
    Valid,
    /// None.
    None,
    /// One of the same shape that nobody was given.
    Wrong,
    /// Somebody else's.
    Other,
    /// The SIP pair of a configuration, as Basic: what was minted for calls must open nothing else.
    Sip,
}

impl EndpointName {
    const fn word(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Page => "page",
            Self::Api => "api",
            Self::Login => "login",
            Self::Archive => "archive",
            Self::Recording => "recording",
            Self::Webhook => "webhook",
            Self::Url => "url",
        }
    }

    /// The address with that scheme. The plain twin of a default port is port 80; of any other port, the same one.
    pub fn url(self, target: &Target, scheme: Scheme) -> Option<Url> {
        let Endpoint::Url(text) = target.endpoints.get(self.word()) else { return None };
        let mut url = Url::parse(text).ok()?;
        // Neither can fail between http and https.
        let _ = url.set_scheme(if scheme == Scheme::Https { "https" } else { "http" });
        Some(url)
    }
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// HTTP status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Header fields of the last answer.
    pub headers: Vec<HeaderField>,
    /// `Location` of the last answer, resolved against the address that was asked (RFC 9110, section 10.2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Untrusted>,
    /// Secrets that this location holds. Kind `url` is part of the address that was asked.
    pub location_leaks: Vec<Leak>,
    /// The last body holds a script.
    pub body_has_script: bool,
    /// Bytes of the last body.
    pub body_bytes: usize,
    /// `json`, `html`, `text` or `empty`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_kind: Option<String>,
    /// Secrets that the last answer holds.
    pub leaks: Vec<Leak>,
    /// Names of cookies that were set.
    pub set_cookies: Vec<Untrusted>,
    /// Status of every answer.
    pub statuses: Vec<u16>,
    /// What came back last is no HTTP at all: a TLS alert, say.
    pub not_http: bool,
}

impl Probe for HttpRequest {
    const NAME: &'static str = "http-request";
    const DOES: &'static str = "one HTTP request to a named endpoint of the target, redirects not followed";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        // Whoever types an address asks over http, and without a login.
        let plain_get = with.method == "GET" && with.repeat == 1 && with.headers.is_empty() && with.body.is_none();
        let from_page = matches!(with.origin, None | Some(OriginVariant::Trusted));
        let visitor = plain_get && from_page && matches!(with.login, HttpLogin::Valid | HttpLogin::None);
        let fetches = with.login == HttpLogin::Sip && with.config.is_none();
        let mints = u32::from(with.endpoint == EndpointName::Config) * with.repeat + u32::from(fetches);
        Cost { mints, ..Cost::ACTIVE }.passive_if(visitor)
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let url = address(cx, &with)?;
        let login = match present(cx, &with, &url).await? {
            Ok(login) => login,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        let mut headers: Vec<(String, String)> = with.headers.into_iter().collect();
        headers.extend(with.origin.and_then(|variant| variant.value(&cx.target)).map(|o| ("origin".into(), o)));
        headers.extend(login);
        let mut seen = Seen::default();
        for _ in 0..with.repeat.clamp(1, 20) {
            let request = Request {
                method: with.method.clone(),
                url: url.clone(),
                headers: headers.clone(),
                body: with.body.clone().map(String::into_bytes),
            };
            let (answer, broken) = match http::whole_or_broken(&cx.net, request).await {
                Ok(answer) => (answer, None),
                Err(broken) => (broken.answer, Some((broken.failure, broken.not_http))),
            };
            // An answer that breaks off is an answer: what had come by then was given away.
            if answer.status != 0 {
                seen.statuses.push(answer.status);
                cx.learn_answer(&answer);
                describe(cx, &url, &answer, &mut seen);
            }
            if let Some((failure, not_http)) = broken {
                seen.not_http = not_http;
                return Ok(Asked::failed(seen, failure));
            }
        }
        Ok(Asked::answered(seen))
    }
}

/// What is asked.
fn address(cx: &Cx, with: &With) -> Result<Url, OwnFault> {
    match (with.endpoint, &with.url) {
        (EndpointName::Url, Some(text)) => Url::parse(text).map_err(OwnFault::new),
        (EndpointName::Url, None) => Err(OwnFault("endpoint `url` wants the parameter `url`".into())),
        (name, _) => name.url(&cx.target, with.scheme).ok_or_else(|| OwnFault("endpoint is not given".into())),
    }
}

/// The header fields of the login. The inner failure is the target's.
async fn present(cx: &Cx, with: &With, url: &Url) -> Result<Result<Vec<(String, String)>, Failure>, OwnFault> {
    let login = match with.login {
        HttpLogin::Valid => Login::Valid,
        HttpLogin::None => Login::None,
        HttpLogin::Wrong => Login::Wrong,
        HttpLogin::Other => Login::Other,
        // Nobody's pair goes to an address that only an answer names.
        HttpLogin::Sip if with.endpoint == EndpointName::Url => {
            return Err(OwnFault("login `sip` goes to addresses of the target file only".into()));
        }
        HttpLogin::Sip => {
            let config = match cx.config(with.config.as_ref()).await? {
                Ok(config) => config,
                Err(failure) => return Ok(Err(failure)),
            };
            let pair = config.username.as_ref().zip(config.password.as_ref());
            let basic = pair.map(|(user, password)| BASE64.encode(format!("{user}:{}", password.expose())));
            let basic = basic.inspect(|basic| cx.ledger.add("sip-password", basic));
            return Ok(basic.map_or_else(
                || Err(Failure::protocol("the configuration holds no SIP pair")),
                |basic| Ok(vec![("authorization".into(), format!("Basic {basic}"))]),
            ));
        }
    };
    login_headers(cx, login, url).map(Ok)
}

fn describe(cx: &Cx, url: &Url, answer: &Answer, seen: &mut Seen) {
    seen.status = Some(answer.status);
    seen.headers = header_fields(answer);
    let location = header(answer, "location").map(|text| url.join(text).map_or_else(|_| text.to_owned(), String::from));
    seen.location_leaks = location.iter().flat_map(|text| cx.ledger.leaks_in("location", text.as_bytes())).collect();
    seen.location = location.map(Untrusted::new);
    seen.body_has_script = answer.body.to_ascii_lowercase().windows(7).any(|part| part == b"<script");
    seen.body_bytes = answer.body.len();
    seen.body_kind = Some(body_kind(answer).into());
    seen.leaks = cx.ledger.leaks_in("body", &answer.body);
    seen.set_cookies = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| cookie_name(cx, value))
        .collect();
}

/// What stands before the first `=`. Secrets go first: half of one would no longer be known for what it is.
fn cookie_name(cx: &Cx, set_cookie: &str) -> Untrusted {
    let redacted = cx.ledger.redact_text(set_cookie);
    Untrusted::new(redacted.as_deref().unwrap_or(set_cookie).split('=').next().unwrap_or_default())
}

fn body_kind(answer: &Answer) -> &'static str {
    let kind = header(answer, "content-type").unwrap_or_default().to_ascii_lowercase();
    match () {
        () if answer.body.is_empty() => "empty",
        () if kind.contains("json") => "json",
        () if kind.contains("html") => "html",
        () => "text",
    }
}

/// The header fields that present a login of the target file to this address, if it is one that the login is for. An adapter
/// whose configuration address is itself the secret has none.
pub(super) fn login_headers(cx: &Cx, login: Login, url: &Url) -> Result<Vec<(String, String)>, OwnFault> {
    let login = match login {
        Login::Valid => LoginKind::Valid,
        Login::None => LoginKind::None,
        Login::Wrong => LoginKind::Wrong,
        Login::Other => LoginKind::Other,
    };
    let ask = Ask { participant: 1, login, ..Ask::default() };
    let headers = adapters::login_headers(&cx.target, &ask, url).map_err(OwnFault::new)?;
    for (_, value) in &headers {
        cx.ledger.add("login", value);
        if let Some((_, credential)) = value.split_once(' ') {
            cx.ledger.add("login", credential);
        }
    }
    Ok(headers)
}

/// The first header field of that lower-case name.
pub(super) fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
}

/// All header fields as target text.
pub(super) fn header_fields(answer: &Answer) -> Vec<HeaderField> {
    let field =
        |(name, value): &(String, String)| HeaderField { name: name.as_str().into(), value: value.as_str().into() };
    answer.headers.iter().map(field).collect()
}
