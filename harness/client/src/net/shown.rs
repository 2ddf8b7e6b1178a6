//! What a TLS server shows of itself to one client: version, suite, certificate. Nothing is refused here: an untrusted
//! certificate is what somebody wants to hear about.

use std::sync::{Arc, Mutex, PoisonError};

use ringfence_model::Untrusted;
use ringfence_model::observation::Outcome;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer as _;

use super::{Net, tls};
use crate::Failure;
use crate::media::CertificateFacts;

/// A TLS version that is offered alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// What one handshake showed.
#[derive(Clone, Debug, Default)]
pub struct TlsShown {
    /// Name of the suite in the registry of TLS cipher suites.
    pub suite: Option<String>,
    /// Its number there.
    pub suite_code: Option<u16>,
    /// Name of the key exchange group.
    pub group: Option<String>,
    /// A certificate status came with the handshake (RFC 6066, section 8).
    pub ocsp_stapled: bool,
    /// The server's certificate.
    pub certificate: Option<ServerCertificate>,
}

/// A server's certificate, and what can be said for it.
#[derive(Clone, Debug, Default)]
pub struct ServerCertificate {
    /// Its subject.
    pub subject: Untrusted,
    /// Its issuer.
    pub issuer: Untrusted,
    /// It leads to a public root or to one of the target file's, apart from its name and its dates.
    pub trusted: bool,
    /// It is made out to the host that was dialled (RFC 9525).
    pub name_matches: bool,
    /// Whole days until its end, rounded down; negative behind it.
    pub days_left: i64,
    /// Its beginning lies ahead.
    pub not_yet_valid: bool,
    /// Issuer and subject are one.
    pub self_signed: bool,
    /// Certificates that the server sent.
    pub chain_length: usize,
    /// It names a responder for its status (RFC 6960).
    pub ocsp_responder: bool,
    /// SHA-256 of its DER, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// Key and signature.
    pub facts: CertificateFacts,
}

impl Net {
    /// One handshake with one version.
    ///
    /// # Errors
    /// As [`Net::tcp`]; [`Outcome::TlsFailed`] where the server refuses the version or breaks off.
    pub async fn tls_shown(&self, host: &str, port: u16, version: TlsVersion) -> Result<TlsShown, Failure> {
        self.tls_shown_as(host, port, host, version).await
    }

    /// The same of a host that is asked for under another name.
    ///
    /// # Errors
    /// As [`Net::tls_shown`].
    pub async fn tls_shown_as(
        &self,
        host: &str,
        port: u16,
        name: &str,
        version: TlsVersion,
    ) -> Result<TlsShown, Failure> {
        let failed = |error: String| Failure::new(Outcome::TlsFailed, error);
        let name = ServerName::try_from(super::scope::plain(name)).map_err(|error| failed(error.to_string()))?;
        let seen = Arc::new(Watching::new(self.shared.trust.clone()));
        let version = if version == TlsVersion::Tls12 { &TLS12 } else { &TLS13 };
        let mut config = ClientConfig::builder_with_provider(self.shared.trust.provider())
            .with_protocol_versions(&[version])
            .map_err(|error| failed(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(seen.clone())
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        let stream = self.tcp(host, port).await?;
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let stream = match timeout(self.limits.tls, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                if tls::tls_error(&error).is_some() {
                    self.note_answer();
                }
                return Err(tls::handshake_failure(host, &error));
            }
            Err(_) => return Err(Failure::timeout(format!("TLS handshake with {host} did not finish in time"))),
        };
        self.note_answer();
        let session = stream.get_ref().1;
        let mut shown = seen.seen.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        shown.suite = session.negotiated_cipher_suite().map(|suite| registered(&format!("{:?}", suite.suite())));
        shown.suite_code = session.negotiated_cipher_suite().map(|suite| suite.suite().into());
        shown.group = session.negotiated_key_exchange_group().map(|group| format!("{:?}", group.name()).to_lowercase());
        Ok(shown)
    }

    /// What can be said today for a chain, DER with the server's own certificate first, that somebody of this name has shown.
    /// `None` where the first is no certificate.
    pub fn examine(&self, name: &str, chain: &[Vec<u8>]) -> Option<ServerCertificate> {
        let (first, rest) = chain.split_first()?;
        let rest: Vec<CertificateDer<'_>> = rest.iter().map(|one| one.as_slice().into()).collect();
        let roots = self.shared.trust.roots();
        let first = CertificateDer::from(first.as_slice());
        match ServerName::try_from(super::scope::plain(name)) {
            Ok(name) => examine(&first, &rest, Some(&name), UnixTime::now(), &roots),
            Err(_) => examine(&first, &rest, None, UnixTime::now(), &roots),
        }
    }
}

/// A suite's name as the registry writes it: there the suites of TLS 1.3 begin like all others.
fn registered(name: &str) -> String {
    name.replacen("TLS13_", "TLS_", 1)
}

/// Accepts every certificate, and keeps what it says.
#[derive(Debug)]
pub(super) struct Watching {
    trust: tls::Trust,
    seen: Mutex<Option<TlsShown>>,
}

impl Watching {
    pub fn new(trust: tls::Trust) -> Self {
        Self { trust, seen: Mutex::default() }
    }
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = examine(end_entity, intermediates, Some(server_name), now, &self.trust.roots());
        let shown = TlsShown { ocsp_stapled: !ocsp_response.is_empty(), certificate, ..TlsShown::default() };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        Ok(ServerCertVerified::assertion())
    }

    // That the server holds the key of the certificate is no matter of taste: without it nothing was shown at all.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = self.trust.provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = self.trust.provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.provider().signature_verification_algorithms.supported_schemes()
    }
}

/// What can be said for a certificate. `None` where it is none. It is made out to nobody who has no `name`.
fn examine(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    name: Option<&ServerName<'_>>,
    now: UnixTime,
    roots: &RootCertStore,
) -> Option<ServerCertificate> {
    let (_, fields) = X509Certificate::from_der(end_entity).ok()?;
    let now_s = i64::try_from(now.as_secs()).ok()?;
    let (begins, ends) = (fields.validity().not_before.timestamp(), fields.validity().not_after.timestamp());
    // Whether it leads to a root is asked for a moment of its own time: its dates are told apart.
    let within = u64::try_from(now_s.clamp(begins, ends.max(begins))).ok()?;
    let moment = UnixTime::since_unix_epoch(std::time::Duration::from_secs(within));
    let parsed = ParsedCertificate::try_from(end_entity);
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let leads = |parsed: &ParsedCertificate<'_>| {
        verify_server_cert_signed_by_trust_anchor(parsed, roots, intermediates, moment, algorithms.all).is_ok()
    };
    let made_out = |parsed: &ParsedCertificate<'_>| name.is_some_and(|name| verify_server_name(parsed, name).is_ok());
    Some(ServerCertificate {
        subject: Untrusted::new(fields.subject().to_string()),
        issuer: Untrusted::new(fields.issuer().to_string()),
        trusted: parsed.as_ref().is_ok_and(leads),
        name_matches: parsed.as_ref().is_ok_and(made_out),
        days_left: (ends - now_s).div_euclid(24 * 60 * 60),
        not_yet_valid: begins > now_s,
        self_signed: fields.issuer() == fields.subject(),
        chain_length: 1 + intermediates.len(),
        ocsp_responder: names_responder(&fields),
        sha256: CertificateFacts::sha256(end_entity),
        facts: CertificateFacts::read(end_entity),
    })
}

/// Whether the authority information access of a certificate holds a responder (RFC 5280, section 4.2.2.1).
fn names_responder(certificate: &X509Certificate<'_>) -> bool {
    certificate.extensions().iter().any(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => access
            .accessdescs
            .iter()
            .any(|one| one.access_method == x509_parser::oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_OCSP),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::*;

    /// 2026-01-01.
    const NOW: u64 = 1_767_225_600;

    fn authority() -> (Issuer<'static, KeyPair>, RootCertStore) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority");
        let mut roots = RootCertStore::empty();
        roots.add(params.self_signed(&key).unwrap().der().clone()).unwrap();
        (Issuer::new(params, key), roots)
    }

    fn leaf(issuer: Option<&Issuer<'static, KeyPair>>, days: i64) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["media.example.test".into()]).unwrap();
        let at = |days: i64| {
            let seconds = NOW.checked_add_signed(days * 24 * 60 * 60).unwrap();
            std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
        };
        params.not_before = at(-100).into();
        params.not_after = at(days).into();
        let signed = match issuer {
            Some(issuer) => params.signed_by(&key, issuer),
            None => params.self_signed(&key),
        };
        signed.unwrap().der().clone()
    }

    fn examined(certificate: &CertificateDer<'_>, name: &str, roots: &RootCertStore) -> ServerCertificate {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        examine(certificate, &[], Some(&name), UnixTime::since_unix_epoch(Duration::from_secs(NOW)), roots).unwrap()
    }

    #[test]
    fn each_fault_of_a_certificate_is_told_apart() {
        let (authority, roots) = authority();
        let sound = examined(&leaf(Some(&authority), 30), "media.example.test", &roots);
        assert!(sound.trusted && sound.name_matches && !sound.self_signed && !sound.ocsp_responder, "{sound:?}");
        assert_eq!((sound.days_left, sound.chain_length), (30, 1));
        assert!(sound.issuer.raw().contains("authority") && !sound.subject.raw().contains("authority"), "{sound:?}");
        let renamed = examined(&leaf(Some(&authority), 30), "other.example.test", &roots);
        assert!(renamed.trusted && !renamed.name_matches);
        let over = examined(&leaf(Some(&authority), -1), "media.example.test", &roots);
        assert!(over.trusted && over.name_matches && over.days_left == -1, "{over:?}");
        let own = examined(&leaf(None, 30), "media.example.test", &roots);
        assert!(!own.trusted && own.self_signed && own.name_matches);
    }

    #[test]
    fn what_is_no_certificate_says_nothing() {
        let name = ServerName::try_from("a.test").unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
        assert!(
            examine(&CertificateDer::from(vec![0x30, 0x80]), &[], Some(&name), now, &RootCertStore::empty()).is_none()
        );
    }
}
