//! A certificate authority for one test.

use std::sync::Arc;

use rcgen::{CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, SanType};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// An authority, and the server certificate that it signed for 127.0.0.1 and `localhost`.
#[derive(Clone)]
pub struct Pki {
    /// The authority's certificate.
    pub ca_pem: String,
    issuer: Arc<Issuer<'static, KeyPair>>,
    server: Arc<ServerConfig>,
}

impl Pki {
    /// An ordinary one.
    pub fn new() -> Self {
        Self::naming("a fake server")
    }

    /// With this text in every name of the certificates.
    pub fn naming(text: &str) -> Self {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, text);
        authority.distinguished_name.push(DnType::OrganizationName, text);
        authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let ca_pem = authority.self_signed(&authority_key).expect("a certificate").pem();
        let issuer = Arc::new(Issuer::new(authority, authority_key));
        let names = vec![SanType::IpAddress([127, 0, 0, 1].into()), host("localhost")];
        Self { ca_pem, server: server(&issuer, text, names), issuer }
    }

    /// A certificate of another's authority for this host alone.
    pub fn for_host(name: &str, other: &Self) -> Self {
        Self { server: server(&other.issuer, name, vec![host(name)]), ..other.clone() }
    }

    /// Accepts TLS with that certificate.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.server.clone())
    }
}

fn host(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("a host name"))
}

fn server(issuer: &Issuer<'_, KeyPair>, common_name: &str, names: Vec<SanType>) -> Arc<ServerConfig> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let mut leaf = CertificateParams::default();
    leaf.distinguished_name.push(DnType::CommonName, common_name);
    leaf.subject_alt_names = names;
    let certificate = leaf.signed_by(&key, issuer).expect("a certificate");
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("the certificate fits its key");
    Arc::new(server)
}
