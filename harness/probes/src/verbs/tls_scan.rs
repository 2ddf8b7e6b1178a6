//! `tls-scan`: what a TLS server shows to a client, and what can be said for its certificate.

use ringfence_client::Failure;
use ringfence_client::adapters::IceServer;
use ringfence_client::net::{ServerCertificate, TlsShown, TlsVersion};
use ringfence_model::observation::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::http_request::{EndpointName, Scheme};
use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, OwnFault, Probe};

/// Port of TURN over TLS where a URL names none (RFC 7065, section 3.2).
const TURNS_PORT: u16 = 5349;

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
    /// TURN over TLS, the first server that the configuration names.
    Turns,
}

/// How much is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// One handshake for each of TLS 1.2 and 1.3.
    #[default]
    Quick,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// The configuration names such a server.
    pub offered: bool,
    /// Something spoke TLS.
    pub reachable: bool,
    /// Versions that were accepted: `1.2`, `1.3`.
    pub versions: Vec<String>,
    /// What the server chose, for each version.
    pub suites: Vec<SuiteSeen>,
    /// Key exchange groups that it chose.
    pub groups: Vec<String>,
    /// A certificate status came with a handshake (RFC 6066, section 8).
    pub ocsp_stapled: bool,
    /// The certificate, where one was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateSeen>,
    /// Handshakes that were begun.
    pub hellos_sent: i64,
}

/// A cipher suite.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct SuiteSeen {
    /// `1.2` or `1.3`.
    pub version: String,
    /// Its name in the registry.
    pub name: String,
    /// Its number there.
    pub code: i64,
}

/// A server's certificate.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct CertificateSeen {
    /// It leads to a public root or to one of `ca_file`, apart from its name and its dates.
    pub trusted: bool,
    /// It is made out to the host that was dialled.
    pub name_matches: bool,
    /// Whole days until its end; negative behind it.
    pub days_left: i64,
    /// Its beginning lies ahead.
    pub not_yet_valid: bool,
    /// Issuer and subject are one.
    pub self_signed: bool,
    /// `rsa`, `ec`, `ed25519` or `ed448`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_type: Option<String>,
    /// Bits of the modulus, or of the curve's field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_bits: Option<i64>,
    /// Hash of the signature on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_hash: Option<String>,
    /// Certificates that the server sent.
    pub chain_length: i64,
    /// It names a responder for its status.
    pub ocsp_responder: bool,
}

impl Probe for TlsScan {
    const NAME: &'static str = "tls-scan";
    const DOES: &'static str = "what a TLS server shows to a client, and what can be said for its certificate";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let fetches = matches!(with.endpoint, TlsEndpoint::Websocket | TlsEndpoint::Turns) && with.config.is_none();
        Cost { mints: u32::from(fetches), ..Cost::PASSIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let mut seen = Seen::default();
        let place = match place(cx, &with).await? {
            Ok(place) => place,
            Err(failure) => return Ok(Asked::failed(seen, failure)),
        };
        let Some((host, port)) = place else { return Ok(Asked::answered(seen)) };
        seen.offered = true;
        let mut refused = None;
        for (version, word) in [(TlsVersion::Tls13, "1.3"), (TlsVersion::Tls12, "1.2")] {
            seen.hellos_sent += 1;
            match cx.net.tls_shown(&host, port, version).await {
                Ok(shown) => describe(shown, word, &mut seen),
                // A server need not speak both.
                Err(failure) if failure.outcome == Outcome::TlsFailed || failure.outcome == Outcome::Closed => {
                    refused = Some(failure);
                }
                Err(failure) => return Ok(Asked::failed(seen, failure)),
            }
        }
        Ok(match refused.filter(|_| seen.versions.is_empty()) {
            Some(failure) => Asked::failed(seen, failure),
            None => Asked::answered(seen),
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
        TlsEndpoint::Turns => Ok(turns(&config.ice_servers)),
        _ => match Url::parse(&config.ws_uri) {
            Ok(url) => Ok(host_and_port(&url)),
            Err(_) => Err(Failure::protocol("the WebSocket address is no URL")),
        },
    })
}

fn host_and_port(url: &Url) -> Option<(String, u16)> {
    Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
}

fn turns(servers: &[IceServer]) -> Option<(String, u16)> {
    let mut urls = servers.iter().flat_map(|server| &server.urls);
    let url = urls.find(|url| url.to_ascii_lowercase().starts_with("turns:"))?;
    let url = Url::parse(&url.replacen(':', "://", 1)).ok()?;
    Some((url.host_str()?.to_owned(), url.port().unwrap_or(TURNS_PORT)))
}

fn describe(shown: TlsShown, version: &str, seen: &mut Seen) {
    seen.reachable = true;
    seen.versions.push(version.into());
    if let (Some(name), Some(code)) = (shown.suite, shown.suite_code) {
        seen.suites.push(SuiteSeen { version: version.into(), name, code: code.into() });
    }
    if let Some(group) = shown.group.filter(|group| !seen.groups.contains(group)) {
        seen.groups.push(group);
    }
    seen.ocsp_stapled |= shown.ocsp_stapled;
    // Both versions show one certificate, unless they are told apart on purpose: then the worse one counts.
    if let Some(certificate) = shown.certificate.map(certificate) {
        let sound = |one: &CertificateSeen| one.trusted && one.name_matches && one.days_left >= 0;
        if seen.certificate.as_ref().is_none_or(sound) {
            seen.certificate = Some(certificate);
        }
    }
}

fn certificate(certificate: ServerCertificate) -> CertificateSeen {
    CertificateSeen {
        trusted: certificate.trusted,
        name_matches: certificate.name_matches,
        days_left: certificate.days_left,
        not_yet_valid: certificate.not_yet_valid,
        self_signed: certificate.self_signed,
        key_type: certificate.facts.key_type,
        key_bits: certificate.facts.key_bits,
        signature_hash: certificate.facts.signature_hash,
        chain_length: i64::try_from(certificate.chain_length).unwrap_or(i64::MAX),
        ocsp_responder: certificate.ocsp_responder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_server_over_tls_is_found() {
        let config = |urls: &[&str]| {
            let server = IceServer { urls: urls.iter().map(|url| (*url).to_owned()).collect(), ..IceServer::default() };
            turns(&[server])
        };
        assert_eq!(config(&["turn:a.test:3478", "turns:b.test?transport=tcp"]), Some(("b.test".into(), 5349)));
        assert_eq!(config(&["TURNS:[2001:db8::1]:443"]), Some(("[2001:db8::1]".into(), 443)));
        assert_eq!(config(&["turn:a.test"]), None);
    }
}
