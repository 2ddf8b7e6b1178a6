//! The page with the call button, over HTTPS: one document, one script, one style sheet, and a strict policy.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};

use crate::Urls;
use crate::https::Source;
use crate::log::{Line, Log};

const DOCUMENT: &str = include_str!("page/call.html");
const SCRIPT: &str = include_str!("page/call.js");
const STYLE: &str = include_str!("page/call.css");
/// Where the document holds the address of the configuration endpoint.
const CONFIG_PLACE: &str = "{{config}}";

/// What the handler needs.
pub(crate) struct PageService {
    document: String,
    policy: HeaderValue,
    log: Arc<Log>,
}

impl PageService {
    /// For a lab at these addresses.
    pub fn new(urls: &Urls, log: Arc<Log>) -> Self {
        let config_origin = urls.config.rsplit_once('/').map_or("", |(origin, _)| origin);
        // `connect-src` names the two servers that the script talks to; everything else is the page's own or nothing.
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src {config_origin} {}; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
            urls.signalling
        );
        // Addresses are ASCII, so this cannot fail; if it did, nothing would be allowed.
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        Self { document: DOCUMENT.replace(CONFIG_PLACE, &urls.config), policy, log }
    }
}

/// The routes of the page's listener.
pub(crate) fn router(service: Arc<PageService>) -> Router {
    Router::new().fallback(answer).with_state(service)
}

async fn answer(
    State(service): State<Arc<PageService>>,
    Extension(Source(source)): Extension<Source>,
    method: Method,
    uri: Uri,
) -> Response {
    let (status, kind, body) = match (&method, uri.path()) {
        (&Method::GET | &Method::HEAD, "/call") => (StatusCode::OK, "text/html", service.document.as_str()),
        (&Method::GET | &Method::HEAD, "/call.js") => (StatusCode::OK, "text/javascript", SCRIPT),
        (&Method::GET | &Method::HEAD, "/call.css") => (StatusCode::OK, "text/css", STYLE),
        (&Method::GET | &Method::HEAD, _) => (StatusCode::NOT_FOUND, "text/plain", "Not Found\n"),
        _ => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", "Method Not Allowed\n"),
    };
    service.log.write(Line { part: "page", method: method.as_str(), status: status.as_u16(), user: "", source });
    let kind = format!("{kind}; charset=utf-8");
    let fixed = [
        (header::CONTENT_TYPE, kind.as_str()),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("permissions-policy"), "microphone=(self), camera=(), geolocation=()"),
        (header::ALLOW, "GET, HEAD"),
    ];
    let mut response = (status, fixed, body.to_owned()).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, service.policy.clone());
    if status == StatusCode::OK {
        response.headers_mut().remove(header::ALLOW);
    }
    response
}
