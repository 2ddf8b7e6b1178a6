//! Single HTTP requests: a fresh connection each, no redirect followed, no cookie kept, every size and time bounded.

use std::error::Error as StdError;
use std::io;

use reqwest::header::{HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Client, Method, Response, redirect};
use ringfence_model::observation::Outcome;
use tokio::time::timeout;
use url::Url;

use crate::net::{Limits, Via, tls_error};
use crate::{Failure, Net};

/// What is asked. Header values may hold secrets, so there is no `Debug`.
#[derive(Clone)]
pub struct Request {
    /// `GET`, `OPTIONS` …
    pub method: String,
    /// `http:` or `https:`.
    pub url: Url,
    /// In order; a `User-Agent` is added where none is given.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// A GET without further headers.
    pub fn get(url: Url) -> Self {
        Self { method: "GET".into(), url, headers: Vec::new(), body: None }
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// What came back. Headers and body are the target's and may hold secrets, so there is no `Debug`.
#[derive(Clone, Default)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Names in lower case, values as text; what is not UTF-8 becomes U+FFFD.
    pub headers: Vec<(String, String)>,
    /// As it was sent: no encoding was asked for, and none is undone.
    pub body: Vec<u8>,
    /// `1.2` or `1.3`; `None` over plain HTTP.
    pub tls_version: Option<String>,
}

impl Answer {
    /// The value of the first field of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A request without a whole answer, and what had come until then.
pub struct Broken {
    /// Why there is no more.
    pub failure: Failure,
    /// What came: status 0 where no head did. A body may be cut.
    pub answer: Answer,
    /// What came does not begin as HTTP: a TLS alert, say.
    pub not_http: bool,
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self { failure, answer: Answer::default(), not_http: false }
    }
}

/// Sends one request and reads the whole answer.
///
/// # Errors
/// Out of scope, unreachable, TLS, over a limit, not HTTP, or a request that cannot be written.
pub async fn request(net: &Net, request: Request) -> Result<Answer, Failure> {
    whole_or_broken(net, request).await.map_err(|broken| broken.failure)
}

/// As [`request`], for whom it matters that there was an answer, also if it did not come to its end.
///
/// # Errors
/// As [`request`], with the part that came.
pub async fn whole_or_broken(net: &Net, request: Request) -> Result<Answer, Box<Broken>> {
    let limits = *net.limits();
    let mut answer = Answer::default();
    let url = request.url.clone();
    net.rest(&url).await;
    let (failure, not_http) = match timeout(limits.exchange, exchange(net, request, &limits, &mut answer)).await {
        Ok(Ok(())) => {
            net.note_rest(&url, answer.status, answer.header("retry-after"));
            return Ok(answer);
        }
        Ok(Err(Broken { failure, not_http, .. })) => (failure, not_http),
        Err(_) => (Failure::timeout(format!("no whole HTTP answer within {:?}", limits.exchange)), false),
    };
    Err(Box::new(Broken { failure, answer, not_http }))
}

async fn exchange(net: &Net, request: Request, limits: &Limits, answer: &mut Answer) -> Result<(), Broken> {
    let Request { method, url, headers, body } = request;
    let own = |what: &str| Failure::protocol(format!("{what} cannot be sent"));
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| own("HTTP method"))?;
    let (Some(host), Some(port)) = (url.host_str().map(str::to_owned), url.port_or_known_default()) else {
        return Err(own("URL without a host").into());
    };
    let addresses = net.addresses(&host, port).await?;
    let (tls, recorded) = net.tls_config()?;
    let source = addresses.first().and_then(|address| net.source_for(address.ip()));
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .resolve_to_addrs(&host, &addresses)
        .local_address(source)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .pool_max_idle_per_host(0)
        .http1_max_headers(limits.headers)
        .http2_max_header_list_size(u32::try_from(limits.headers_bytes).unwrap_or(u32::MAX))
        .connect_timeout(limits.connect + limits.tls)
        .read_timeout(limits.idle)
        .build()
        .map_err(|error| own(&format!("HTTP client: {error}")))?;

    let mut outgoing = client.request(method, url);
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
        outgoing = outgoing.header(USER_AGENT, concat!("ringfence/", env!("CARGO_PKG_VERSION")));
    }
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| own("HTTP header name"))?;
        outgoing = outgoing.header(name, HeaderValue::from_str(&value).map_err(|_| own("HTTP header value"))?);
    }
    if let Some(body) = body {
        outgoing = outgoing.body(body);
    }
    net.turn().await;
    net.note_conversation();
    let response = outgoing.send().await.map_err(|error| {
        addresses.iter().for_each(|address| net.note_dialled(*address, Via::Tcp)); // each was tried, or may have been
        if tls_error(&error).is_some() || !error.is_connect() && !error.is_timeout() {
            net.note_answer();
        }
        Broken { not_http: not_http(&error), ..failure(&error).into() }
    })?;
    net.note_answer();
    response.remote_addr().into_iter().for_each(|address| net.note_dialled(address, Via::Tcp));
    answer.status = response.status().as_u16();
    answer.tls_version = recorded.version().map(str::to_owned);
    answer.headers = read_head(&response, limits)?;
    read_body(response, limits, &mut answer.body).await?;
    Ok(())
}

fn read_head(response: &Response, limits: &Limits) -> Result<Vec<(String, String)>, Failure> {
    let fields = response.headers();
    let bytes = |name: &HeaderName, value: &HeaderValue| name.as_str().len() + value.len();
    let total: usize = fields.iter().map(|(name, value)| bytes(name, value)).sum();
    if fields.len() > limits.headers || total > limits.headers_bytes {
        return Err(Failure::protocol(format!(
            "HTTP header is over the limit: {} fields, {total} bytes",
            fields.len()
        )));
    }
    if let Some((name, _)) = fields.iter().find(|(name, value)| bytes(name, value) > limits.header_bytes) {
        return Err(Failure::protocol(format!("HTTP header field {name} is over {} bytes", limits.header_bytes)));
    }
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(fields.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect())
}

async fn read_body(mut response: Response, limits: &Limits, body: &mut Vec<u8>) -> Result<(), Failure> {
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if body.len() + chunk.len() > limits.body_bytes {
            return Err(Failure::protocol(format!("HTTP body is over {} bytes", limits.body_bytes)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(())
}

/// Whether the first bytes of the answer were those of another protocol. The words are hyper's own for a status line that
/// does not begin with a version.
fn not_http(error: &reqwest::Error) -> bool {
    let mut next = StdError::source(error);
    while let Some(cause) = next {
        if cause.to_string().contains("invalid HTTP version") {
            return true;
        }
        next = cause.source();
    }
    false
}

/// The innermost reason, and its class.
fn failure(error: &reqwest::Error) -> Failure {
    // The outermost text repeats the URL, which may hold a token.
    let mut reason = String::from("HTTP request failed");
    let mut io_error = None;
    let mut next = StdError::source(error);
    while let Some(inner) = next {
        reason = inner.to_string();
        io_error = inner.downcast_ref::<io::Error>().or(io_error);
        next = inner.source();
    }
    if let Some(tls) = tls_error(error) {
        return Failure::new(Outcome::TlsFailed, format!("TLS: {tls}"));
    }
    if error.is_timeout() {
        let stage = if error.is_connect() { "connection or TLS handshake" } else { "HTTP answer" };
        return Failure::timeout(format!("no {stage} within the limit"));
    }
    match io_error {
        Some(io_error) => Failure::from_io("HTTP", io_error),
        None if error.is_connect() => Failure::new(Outcome::Unreachable, format!("cannot connect: {reason}")),
        // hyper's own word for an end of stream where a head or body was due.
        None if reason.contains("connection closed") || reason.contains("end of file") => Failure::closed(reason),
        None => Failure::protocol(format!("not a valid HTTP answer: {reason}")),
    }
}

#[cfg(test)]
mod tests;
