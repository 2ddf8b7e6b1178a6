//! `scan-page`: fetch the page and its scripts, and read them as text. Nothing in them runs.

mod document;
mod text;

use std::collections::VecDeque;

use ringfence_client::Failure;
use ringfence_client::http::{self, Answer, Request};
use ringfence_model::Untrusted;
use ringfence_model::observation::{HeaderField, Leak};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::http_request::{EndpointName, Scheme, header, header_fields};
use crate::{Asked, Cost, Cx, OwnFault, Probe};
use document::Document;

/// Scripts that are fetched at most (house): modules of one page are dozens, of a flood thousands.
const SCRIPTS: usize = 64;
/// Bytes of scripts that are read at most, together (house); one file has the limit of every body.
const SCRIPT_BYTES: usize = 8 * 1024 * 1024;
/// Redirects that are followed (house): a visitor's browser follows twenty, RFC 9110, section 15.4 names no figure.
const REDIRECTS: usize = 4;
/// Entries of each list (house).
const LISTED: usize = 64;

/// See [`Probe::DOES`].
pub struct ScanPage;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// Scheme under which the page is asked for.
    #[serde(default)]
    pub scheme: Scheme,
    /// What is read.
    #[serde(default = "everything")]
    pub include: Vec<Include>,
}

/// A part of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Include {
    /// The document, with the scripts inside it.
    Page,
    /// The scripts that it names, and the modules that these import by a path.
    Scripts,
}

fn everything() -> Vec<Include> {
    vec![Include::Page, Include::Scripts]
}

/// Observation. Lists hold 64 entries at most.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// HTTP status of the page, behind its redirects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Header fields of the page.
    pub headers: Vec<HeaderField>,
    /// Content security policies, of the header and of the document: all of them hold.
    pub csp: Vec<Untrusted>,
    /// `Permissions-Policy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_policy: Option<Untrusted>,
    /// `Referrer-Policy`; of the document, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer_policy: Option<Untrusted>,
    /// `Strict-Transport-Security`.
    pub hsts: HstsSeen,
    /// What the page, fetched over TLS, loads over `http:`.
    pub mixed_content: Vec<Untrusted>,
    /// Secrets by their shape, and the run's own: `url`, `page` or `script` is where.
    pub secrets: Vec<Leak>,
    /// SIP addresses.
    pub sip_uris: Vec<Untrusted>,
    /// Addresses of STUN and TURN servers.
    pub ice_servers: Vec<Untrusted>,
    /// Scripts from another host than the page's.
    pub third_party_scripts: Vec<Untrusted>,
    /// Scripts among them whose content nothing fixes: W3C Subresource Integrity.
    pub scripts_without_integrity: Vec<Untrusted>,
    /// Scripts that were read.
    pub scripts: i64,
    /// Scripts that were not: out of scope, not answered, over a limit.
    pub scripts_not_read: Vec<Untrusted>,
}

/// RFC 6797, section 6.1.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct HstsSeen {
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_s: Option<i64>,
    /// `includeSubDomains`.
    pub subdomains: bool,
}

impl Probe for ScanPage {
    const NAME: &'static str = "scan-page";
    const DOES: &'static str = "fetch the page and its scripts and read them as text";
    type With = With;
    type Seen = Seen;

    fn cost(_: &With) -> Cost {
        Cost::PASSIVE
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let url = EndpointName::Page.url(&cx.target, with.scheme);
        let url = url.ok_or_else(|| OwnFault("endpoints.page is not given".into()))?;
        let mut seen = Seen::default();
        let (url, answer) = match fetch(cx, url).await {
            Ok(fetched) => fetched,
            Err(failure) => return Ok(Asked::failed(seen, failure)),
        };
        head(&answer, &mut seen);
        if answer.status != 200 {
            return Ok(Asked::answered(seen));
        }
        let document = Document::read(&answer.body, &url);
        describe(&document, &url, &mut seen);
        let mut found = text::Found::default();
        if with.include.contains(&Include::Page) {
            document.addresses.iter().for_each(|address| found.address(cx, address));
            found.text(cx, "page", &String::from_utf8_lossy(&answer.body));
        }
        if with.include.contains(&Include::Scripts) {
            scripts(cx, &document, &mut seen, &mut found).await;
        }
        found.into_seen(&mut seen);
        Ok(Asked::answered(seen))
    }
}

/// Asks as a visitor's browser does, and follows where it is sent; every address is dialled within the scope.
async fn fetch(cx: &Cx, mut url: Url) -> Result<(Url, Answer), Failure> {
    for _ in 0..REDIRECTS {
        let answer = http::request(&cx.net, Request::get(url.clone())).await?;
        let next = answer.header("location").filter(|_| (301..=308).contains(&answer.status) && answer.status != 304);
        match next.and_then(|next| url.join(next).ok()).filter(|next| matches!(next.scheme(), "http" | "https")) {
            Some(next) => url = next,
            None => return Ok((url, answer)),
        }
    }
    Err(Failure::protocol(format!("more than {REDIRECTS} redirects")))
}

fn head(answer: &Answer, seen: &mut Seen) {
    seen.status = Some(answer.status);
    seen.headers = header_fields(answer);
    let policies = answer.headers.iter().filter(|(name, _)| name == "content-security-policy");
    seen.csp = policies.map(|(_, value)| Untrusted::new(value)).collect();
    seen.permissions_policy = header(answer, "permissions-policy").map(Untrusted::new);
    seen.referrer_policy = header(answer, "referrer-policy").map(Untrusted::new);
    // Only the first one counts, and none that came in the clear: RFC 6797, section 8.1.
    if let Some(value) = header(answer, "strict-transport-security").filter(|_| answer.tls_version.is_some()) {
        let directives = || value.split(';').map(str::trim);
        let age = |directive: &str| {
            let (name, age) = directive.split_once('=')?;
            name.trim().eq_ignore_ascii_case("max-age").then(|| age.trim().trim_matches('"').parse().ok())?
        };
        seen.hsts.max_age_s = directives().find_map(age);
        seen.hsts.subdomains = directives().any(|directive| directive.eq_ignore_ascii_case("includesubdomains"));
    }
}

fn describe(document: &Document, url: &Url, seen: &mut Seen) {
    seen.csp.extend(document.csp.iter().map(Untrusted::new));
    seen.csp.truncate(LISTED);
    seen.referrer_policy = document.referrer_policy.as_ref().map(Untrusted::new).or(seen.referrer_policy.take());
    if url.scheme() == "https" {
        let clear = document.loads.iter().filter(|load| load.scheme() == "http");
        seen.mixed_content = clear.map(shown).take(LISTED).collect();
    }
    let foreign = || document.scripts.iter().filter(|script| script.url.host_str() != url.host_str());
    seen.third_party_scripts = foreign().map(|script| shown(&script.url)).take(LISTED).collect();
    let loose = foreign().filter(|script| !script.integrity);
    seen.scripts_without_integrity = loose.map(|script| shown(&script.url)).take(LISTED).collect();
}

/// Reads the scripts that the document names, and those that they import. What lies outside the scope is not fetched.
async fn scripts(cx: &Cx, document: &Document, seen: &mut Seen, found: &mut text::Found) {
    let mut queue: VecDeque<Url> = document.scripts.iter().map(|script| script.url.clone()).collect();
    queue.extend(document.imports.iter().cloned());
    let mut known: Vec<Url> = Vec::new();
    let mut left = SCRIPT_BYTES;
    while let Some(url) = queue.pop_front() {
        if known.contains(&url) {
            continue;
        }
        let fetched = if known.len() < SCRIPTS && left > 0 { fetch(cx, url.clone()).await.ok() } else { None };
        known.push(url.clone());
        let Some((at, answer)) = fetched.filter(|(_, answer)| answer.status == 200) else {
            seen.scripts_not_read.push(shown(&url));
            if seen.scripts_not_read.len() >= LISTED {
                return;
            }
            continue;
        };
        left = left.saturating_sub(answer.body.len());
        seen.scripts += 1;
        let script = String::from_utf8_lossy(&answer.body);
        queue.extend(document::imports(&script, &at).into_iter().take(SCRIPTS));
        found.text(cx, "script", &script);
    }
}

/// An address without what may be a secret.
fn shown(url: &Url) -> Untrusted {
    let mut url = url.clone();
    // Neither can fail for an address with a host.
    let _ = (url.set_username(""), url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    Untrusted::new(url.as_str())
}

#[cfg(test)]
mod tests;
