//! `scan-page`: fetch the page, its scripts and the files beside them, and read them as text. Nothing in them runs.

mod client_config;
mod document;
mod files;
mod seen;
mod text;

use std::collections::VecDeque;
use std::time::Duration;

use ringfence_client::Failure;
use ringfence_client::http::{self, Answer, Request};
use ringfence_model::Untrusted;
use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

use super::http_request::{EndpointName, Scheme, header, header_fields};
use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, Ledger, OwnFault, Probe, Search};
use document::Document;
use files::SourceMap;
pub use seen::{ClientConfigSeen, HstsSeen, IceServerSeen, SecretSeen, Seen};

/// Scripts that are fetched at most (house): modules of one page are dozens, of a flood thousands.
const SCRIPTS: usize = 64;
/// Bytes of scripts that are read at most, together (house); one file has the limit of every body.
const SCRIPT_BYTES: usize = 8 * 1024 * 1024;
/// Redirects that are followed (house): a visitor's browser follows twenty, RFC 9110, section 15.4 names no figure.
const REDIRECTS: usize = 4;
/// Files of the page's own host that are fetched at most (house).
const STORED: usize = 16;
/// Visits at most (house).
const VISITS: u32 = 5;
/// Between two visits: credentials that end at a second are the same within it (house).
const BETWEEN: Duration = Duration::from_millis(2100);
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
    /// How often the page is fetched, up to five: what stays the same is written into it.
    #[serde(default = "once")]
    pub visits: u32,
    /// The configuration whose values are looked for.
    #[serde(default)]
    pub config: Option<ConfigRef>,
}

/// A part of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Include {
    /// The document, with the scripts inside it.
    Page,
    /// The scripts that it names, and the modules that these import by a path.
    Scripts,
    /// The source maps of these scripts, with the sources that they hold.
    SourceMaps,
    /// Files with data or settings on the page's own host that the document or a script names.
    StorageFiles,
}

fn once() -> u32 {
    1
}

fn everything() -> Vec<Include> {
    vec![Include::Page, Include::Scripts]
}

impl Probe for ScanPage {
    const NAME: &'static str = "scan-page";
    const DOES: &'static str = "fetch the page, its scripts and the files beside them, and read them as text";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let pauses = with.visits.clamp(1, VISITS) - 1;
        Cost { seconds: BETWEEN.as_secs_f64().ceil() as u32 * pauses, ..Cost::PASSIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let url = EndpointName::Page.url(&cx.target, with.scheme);
        let url = url.ok_or_else(|| OwnFault("endpoints.page is not given".into()))?;
        let looking = Looking { known: cx.ledger.search()?, config: values(cx, with.config.as_ref()).await?.search()? };
        let mut seen = Seen::default();
        let mut found = Vec::new();
        for visit in 0..with.visits.clamp(1, VISITS) {
            let mut later = Seen::default();
            let of_visit = if visit == 0 { &mut seen } else { &mut later };
            if visit > 0 {
                tokio::time::sleep(BETWEEN).await;
            }
            match self::visit(cx, url.clone(), &with, &looking, of_visit).await {
                Ok(Some(of_visit)) => found.push(of_visit),
                Ok(None) => break,
                Err(failure) => return Ok(Asked::failed(seen, failure)),
            }
            let not_read = later.scripts_not_read.into_iter().filter(|url| !seen.scripts_not_read.contains(url));
            let not_read: Vec<Untrusted> = not_read.collect();
            seen.scripts_not_read.extend(not_read);
            seen.visits += 1;
        }
        if !found.is_empty() {
            found.remove(0).into_seen(&found, &mut seen);
        }
        Ok(Asked::answered(seen))
    }
}

/// What is looked for besides shapes.
struct Looking {
    /// The secrets of this run.
    known: Search,
    /// Values of one configuration, under their names.
    config: Search,
}

async fn values(cx: &Cx, step: Option<&ConfigRef>) -> Result<Ledger, OwnFault> {
    let values = Ledger::default();
    let Some(step) = step else { return Ok(values) };
    let Ok(config) = cx.config(Some(step)).await? else { return Ok(values) };
    config.username.iter().for_each(|name| values.add("username", name));
    config.password.iter().for_each(|password| values.add("password", password.expose()));
    config.token.iter().for_each(|token| values.add("token", token.expose()));
    for server in &config.ice_servers {
        server.username.iter().for_each(|name| values.add("turn-username", name));
        server.credential.iter().for_each(|credential| values.add("turn-credential", credential.expose()));
    }
    Ok(values)
}

/// One visit; none of its texts where there was no page.
async fn visit(
    cx: &Cx,
    url: Url,
    with: &With,
    looking: &Looking,
    seen: &mut Seen,
) -> Result<Option<text::Found>, Failure> {
    let (url, answer) = fetch(cx, url).await?;
    head(&answer, seen);
    seen.hsts.for_address = matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)));
    if answer.status != 200 {
        return Ok(None);
    }
    let document = Document::read(&answer.body, &url);
    describe(&document, &url, seen);
    if with.scheme == Scheme::Https && url.scheme() == "http" {
        seen.mixed_content.push(shown(&url)); // the page itself, at the end of its redirects
    }
    let html = String::from_utf8_lossy(&answer.body);
    let mut found = text::Found::default();
    let mut stored: Vec<Url> = document.addresses.iter().filter_map(|name| files::stored_at(name, &url)).collect();
    stored.extend(files::stored(&html, &url));
    if with.include.contains(&Include::Page) {
        document.addresses.iter().for_each(|address| found.address(looking, address));
        found.text(looking, "page", &html);
    }
    let maps = with.include.contains(&Include::SourceMaps);
    let mut reading = Reading { cx, looking, page: url, maps, left: SCRIPT_BYTES, stored, seen, found };
    if with.include.contains(&Include::Scripts) {
        reading.scripts(&document).await;
    }
    if with.include.contains(&Include::StorageFiles) {
        reading.stored().await;
    }
    Ok(Some(reading.found))
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
    // W3C Upgrade Insecure Requests, section 3: then browsers ask for all of it over TLS.
    let upgrades = |directive: &str| directive.trim().eq_ignore_ascii_case("upgrade-insecure-requests");
    let upgraded = seen.csp.iter().any(|policy| policy.raw().split(';').any(upgrades));
    if url.scheme() == "https" && !upgraded {
        let clear = document.loads.iter().filter(|load| load.scheme() == "http");
        seen.mixed_content = clear.map(shown).take(LISTED).collect();
    }
    let foreign = || document.scripts.iter().filter(|script| script.url.host_str() != url.host_str());
    seen.third_party_scripts = foreign().map(|script| shown(&script.url)).take(LISTED).collect();
    let loose = foreign().filter(|script| !script.integrity);
    seen.scripts_without_integrity = loose.map(|script| shown(&script.url)).take(LISTED).collect();
}

/// Reads what belongs to one document. What lies outside the scope is not fetched.
struct Reading<'a> {
    cx: &'a Cx,
    looking: &'a Looking,
    page: Url,
    /// Source maps are read, too.
    maps: bool,
    /// Bytes that may still be read.
    left: usize,
    /// Files that were named.
    stored: Vec<Url>,
    seen: &'a mut Seen,
    found: text::Found,
}

impl Reading<'_> {
    /// The scripts that the document names, and those that they import.
    async fn scripts(&mut self, document: &Document) {
        let mut queue: VecDeque<Url> = document.scripts.iter().map(|script| script.url.clone()).collect();
        queue.extend(document.imports.iter().cloned());
        let mut known: Vec<Url> = Vec::new();
        while let Some(url) = queue.pop_front() {
            if known.contains(&url) {
                continue;
            }
            let fetched = if known.len() < SCRIPTS { self.file(&url).await } else { None };
            known.push(url.clone());
            let Some((at, answer)) = fetched else {
                self.seen.scripts_not_read.push(shown(&url));
                if self.seen.scripts_not_read.len() >= LISTED {
                    return;
                }
                continue;
            };
            self.seen.scripts += 1;
            let script = String::from_utf8_lossy(&answer.body);
            queue.extend(document::imports(&script, &at).into_iter().take(SCRIPTS));
            self.stored.extend(files::stored(&script, &self.page));
            self.found.text(self.looking, "script", &script);
            if self.maps {
                self.source_map(&script, &answer, &at).await;
            }
        }
    }

    async fn source_map(&mut self, script: &str, answer: &Answer, at: &Url) {
        let map = match files::source_map(script, answer, at) {
            Some(SourceMap::Inside(map)) => map,
            Some(SourceMap::At(url)) => match self.file(&url).await {
                Some((_, answer)) => String::from_utf8_lossy(&answer.body).into_owned(),
                None => return,
            },
            None => return,
        };
        let sources = files::sources(&map);
        self.seen.source_maps += i64::from(!sources.is_empty());
        sources.iter().for_each(|source| self.found.text(self.looking, "source-map", source));
    }

    /// The files of the page's own host that were named so far.
    async fn stored(&mut self) {
        let mut known: Vec<Url> = Vec::new();
        for url in std::mem::take(&mut self.stored) {
            if known.len() >= STORED {
                return;
            }
            if !known.contains(&url) {
                if let Some((_, answer)) = self.file(&url).await {
                    self.seen.storage_files += 1;
                    self.found.text(self.looking, "storage-file", &String::from_utf8_lossy(&answer.body));
                }
                known.push(url);
            }
        }
    }

    /// A file, where it is there and there is room for it.
    async fn file(&mut self, url: &Url) -> Option<(Url, Answer)> {
        if self.left == 0 {
            return None;
        }
        let (at, answer) = fetch(self.cx, url.clone()).await.ok().filter(|(_, answer)| answer.status == 200)?;
        self.left = self.left.saturating_sub(answer.body.len());
        Some((at, answer))
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
