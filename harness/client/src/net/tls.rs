//! TLS towards the target: which roots count, what is recorded, how a failure is told.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use ringfence_model::observation::Outcome;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, ProtocolVersion, RootCertStore, SignatureScheme};

use super::NetError;
use crate::Failure;

/// What every handshake of a run has in common.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    provider: Arc<CryptoProvider>,
    verifier: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
    accept_untrusted: bool,
}

impl Trust {
    /// The public roots and those of `ca_file`.
    pub fn new(ca_file: Option<&Path>, accept_untrusted: bool) -> Result<Self, NetError> {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = ca_file {
            let wrong = |why: String| NetError::CaFile { path: path.to_owned(), why };
            let certificates = CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
            let before = roots.len();
            for certificate in certificates {
                let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
                roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            }
            if roots.len() == before {
                return Err(wrong("no certificate in it; expected PEM".into()));
            }
        }
        let roots = Arc::new(roots);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(|error| NetError::Tls(error.to_string()))?;
        Ok(Self { provider, verifier, roots, accept_untrusted })
    }

    /// The public roots and those of `ca_file`.
    pub fn roots(&self) -> Arc<RootCertStore> {
        self.roots.clone()
    }

    /// The cryptography of every handshake.
    pub fn provider(&self) -> Arc<CryptoProvider> {
        self.provider.clone()
    }

    /// A configuration for one connection. Nothing is resumed: each handshake shows the certificate and proves its key.
    pub fn config(&self, alpn: &[&[u8]]) -> Result<(ClientConfig, Recorded), NetError> {
        let recorded = Recorded::default();
        let verifier = Recording {
            inner: self.verifier.clone(),
            accept_untrusted: self.accept_untrusted,
            recorded: recorded.clone(),
        };
        let mut config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| NetError::Tls(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        config.resumption = Resumption::disabled();
        Ok((config, recorded))
    }
}

/// What a handshake negotiated, where the library on top does not tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded(Arc<AtomicU8>);

impl Recorded {
    /// `1.2` or `1.3`, once the server has proved its key.
    pub fn version(&self) -> Option<&'static str> {
        match self.0.load(Ordering::Relaxed) {
            2 => Some("1.2"),
            3 => Some("1.3"),
            _ => None,
        }
    }
}

/// Written form of a negotiated version.
pub(crate) fn version_word(version: Option<ProtocolVersion>) -> Option<String> {
    match version? {
        ProtocolVersion::TLSv1_2 => Some("1.2".into()),
        ProtocolVersion::TLSv1_3 => Some("1.3".into()),
        _ => None,
    }
}

/// Verifies as WebPKI does. Which of the two signature checks is asked tells the version, and without resumption one of
/// them is asked in every handshake.
#[derive(Debug)]
struct Recording {
    inner: Arc<WebPkiServerVerifier>,
    accept_untrusted: bool,
    recorded: Recorded,
}

impl ServerCertVerifier for Recording {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(_) if self.accept_untrusted => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.recorded.0.store(2, Ordering::Relaxed);
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.recorded.0.store(3, Ordering::Relaxed);
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The TLS error inside an error of any library on top.
pub(crate) fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        // An io::Error's `source` skips the error that it wraps, so that one is asked first.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = wrapped.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    None
}

/// How a handshake with `host` failed.
pub(super) fn handshake_failure(host: &str, error: &std::io::Error) -> Failure {
    match tls_error(error) {
        Some(tls) => Failure::new(Outcome::TlsFailed, format!("TLS handshake with {host}: {tls}")),
        None => Failure::from_io(&format!("TLS handshake with {host}"), error),
    }
}
