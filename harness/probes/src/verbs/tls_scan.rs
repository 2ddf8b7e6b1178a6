//! `tls-scan`: what a TLS server accepts, asked with hand-made hellos, and what can be said for its certificate.

mod seen;
mod server;
#[cfg(test)]
mod tests;

use ringfence_client::Failure;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::http_request::{EndpointName, Scheme};
use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, OwnFault, Probe};
use server::Server;

pub use seen::{CertificateSeen, Seen, SuiteSeen, UnknownSeen};

/// Port of TURN over TLS where a URL names none (RFC 7065, section 3.2).
const TURNS_PORT: u16 = 5349;
/// Seconds that all the lists of a server take when it is not far away (house).
const FULL_S: u32 = 2;

/// See [`Probe::DOES`].
pub struct TlsScan;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// Whose TLS.
    pub endpoint: TlsEndpoint,
    /// How much is asked.
    #[serde(default)]
    pub depth: Depth,
    /// The step whose configuration names the signalling or TURN server; left out: one fetched for this step.
    #[serde(default)]
    pub config: Option<ConfigRef>,
}

/// Whose TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TlsEndpoint {
    /// Configuration or token endpoint.
    Config,
    /// The signalling server, whatever scheme its address has.
    Websocket,
    /// The page.
    Page,
    /// REST interface.
    Api,
    /// TURN over TLS, the first server that the configuration names, or else the target file.
    Turns,
}

/// How much is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// One hello for each version from SSL 3.0 to TLS 1.3, and a handshake for each of 1.2 and 1.3 that is accepted.
    #[default]
    Quick,
    /// On top, every suite, group and signature scheme that is accepted, and whether early data is invited.
    Full,
}

impl Probe for TlsScan {
    const NAME: &'static str = "tls-scan";
    const DOES: &'static str =
        "what a TLS server accepts, by hand-made hellos, and what can be said for its certificate";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let fetches = matches!(with.endpoint, TlsEndpoint::Websocket | TlsEndpoint::Turns) && with.config.is_none();
        let seconds = if with.depth == Depth::Full { FULL_S } else { 0 };
        Cost { mints: u32::from(fetches), seconds, ..Cost::PASSIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let mut seen = Seen::default();
        let place = match place(cx, &with).await? {
            Ok(place) => place,
            Err(failure) => return Ok(Asked::failed(seen, failure)),
        };
        let Some((host, port)) = place else { return Ok(Asked::answered(seen)) };
        seen.offered = true;
        let mut server = Server::new(cx, &host, port, with.depth);
        if let Err(failure) = server.choose(&mut seen).await {
            return Ok(Asked::failed(seen, failure));
        }
        let (report, unanswered) = match server.enumerate(&mut seen).await {
            Ok(found) => found,
            Err(failure) => return Ok(Asked::failed(seen, failure)),
        };
        seen.take(&report, with.depth, &unanswered);
        if seen.versions.is_empty() {
            return Ok(Asked::failed(seen, server::nothing_accepted(&report)));
        }
        let shown = server.certificate(&report, &mut seen).await;
        if with.depth == Depth::Full && with.endpoint != TlsEndpoint::Turns {
            server.early_data(&report, &mut seen).await;
        }
        Ok(match shown {
            Err(failure) if seen.certificate.is_none() => Asked::failed(seen, failure),
            _ => Asked::answered(seen),
        })
    }
}

/// Host and port of the server, `None` where the configuration names none. The inner failure is the target's.
async fn place(cx: &Cx, with: &With) -> Result<Result<Option<(String, u16)>, Failure>, OwnFault> {
    let named = |name: EndpointName| {
        let url = name.url(&cx.target, Scheme::Https);
        let url = url.ok_or_else(|| OwnFault("endpoint is not given".into()))?;
        Ok(Ok(host_and_port(&url)))
    };
    match with.endpoint {
        TlsEndpoint::Config => return named(EndpointName::Config),
        TlsEndpoint::Page => return named(EndpointName::Page),
        TlsEndpoint::Api => return named(EndpointName::Api),
        TlsEndpoint::Websocket | TlsEndpoint::Turns => {}
    }
    let config = match cx.config(with.config.as_ref()).await? {
        Ok(config) => config,
        Err(failure) => return Ok(Err(failure)),
    };
    Ok(match with.endpoint {
        TlsEndpoint::Turns => {
            let named = config.ice_servers.iter().flat_map(|server| &server.urls);
            Ok(turns(named).or_else(|| turns(&cx.target.turn.urls)))
        }
        _ => match Url::parse(&config.ws_uri) {
            Ok(url) => Ok(host_and_port(&url)),
            Err(_) => Err(Failure::protocol("the WebSocket address is no URL")),
        },
    })
}

fn host_and_port(url: &Url) -> Option<(String, u16)> {
    Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
}

/// The first server over TLS, before one over DTLS, which `transport=udp` names (RFC 7065, section 3.1).
fn turns<'a>(urls: impl IntoIterator<Item = &'a String>) -> Option<(String, u16)> {
    let lower = |url: &str| url.trim().to_ascii_lowercase();
    let own: Vec<&str> =
        urls.into_iter().filter(|url| lower(url).starts_with("turns:")).map(|url| url.trim()).collect();
    let over_tls = own.iter().find(|url| !lower(url).contains("transport=udp"));
    let url = Url::parse(&over_tls.or(own.first())?.replacen(':', "://", 1)).ok()?;
    Some((url.host_str()?.to_owned(), url.port().unwrap_or(TURNS_PORT)))
}
