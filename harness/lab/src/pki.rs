//! A certificate authority of this lab's own, and the server certificates that it signs.

mod modulus;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::LabError;
use crate::by_hand::{ByHand, Place};
use crate::fault::{Fault, Faults};
use crate::front::Tls;
use modulus::Modulus;

/// The host that the wrong certificate names: nobody's (RFC 2606).
const OTHER_HOST: &str = "another-host.example";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Clocks of two machines differ, so certificates start a little early.
const BACKDATED: Duration = DAY;
const VALID: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What the lab's listeners and the target file need.
pub(crate) struct Pki {
    /// The authority's certificate, PEM.
    pub ca_pem: String,
    /// TLS 1.2 and 1.3 with AEAD suites, the server certificate, `http/1.1`.
    pub server: Tls,
    /// The same for the configuration endpoint, which may show the wrong certificate, and answer by hand.
    pub config: Tls,
    /// The same for TURN: `stun.turn`, RFC 7443. It may answer by hand.
    pub turn: Tls,
}

/// The certificate of the configuration endpoint: its own, or with the fault one that names another host.
#[derive(Debug)]
struct Shown {
    faults: Arc<Faults>,
    own: Arc<CertifiedKey>,
    other: Arc<CertifiedKey>,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let wrong = self.faults.broken(Fault::CertificateWrongName);
        Some(if wrong { self.other.clone() } else { self.own.clone() })
    }
}

/// Makes keys and certificates for `localhost` and `ip`. P-256 keeps handshakes cheap.
///
/// # Errors
/// A certificate cannot be made, or rustls refuses it.
pub(crate) fn make(ip: IpAddr, faults: Arc<Faults>) -> Result<Pki, LabError> {
    let authority_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut authority = parameters("ringfence lab authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);

    // Given explicitly: a process default would be a global, and many labs run in one process.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let leaf = |names: Vec<SanType>| {
        let mut leaf = parameters("ringfence lab");
        leaf.subject_alt_names = names;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        leaf
    };
    let signed = |names: Vec<SanType>| -> Result<CertifiedKey, LabError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = leaf(names).signed_by(&key, &issuer)?;
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(CertifiedKey::from_der(vec![certificate.der().clone()], private, &provider)?)
    };
    let names = vec![SanType::DnsName("localhost".try_into()?), SanType::IpAddress(ip)];
    let mut static_rsa = leaf(names.clone());
    static_rsa.key_usages.push(KeyUsagePurpose::KeyEncipherment); // RFC 5246, section 7.4.2
    let rsa = static_rsa.signed_by(&Modulus::random(), &issuer)?.der().to_vec();
    let own = Arc::new(signed(names)?);
    let other = Arc::new(signed(vec![SanType::DnsName(OTHER_HOST.try_into()?)])?);

    let settings = |certificates: Arc<dyn ResolvesServerCert>, alpn: &[u8]| -> Result<Tls, LabError> {
        let mut settings = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(certificates);
        settings.alpn_protocols = vec![alpn.to_vec()];
        Ok(Tls::new(Arc::new(settings)))
    };
    let by_hand = |place: Place| ByHand {
        place,
        faults: faults.clone(),
        ecdsa: own.cert.first().map(|leaf| leaf.to_vec()).unwrap_or_default(),
        rsa: rsa.clone(),
        groups: provider.kx_groups.clone(),
    };
    let (config, turns) = (by_hand(Place::Config), by_hand(Place::Turns));
    let always = Arc::new(SingleCertAndKey::from(own.clone()));
    Ok(Pki {
        ca_pem,
        server: settings(always.clone(), b"http/1.1")?,
        config: settings(Arc::new(Shown { faults, own, other }), b"http/1.1")?.or(config),
        turn: settings(always, b"stun.turn")?.or(turns),
    })
}

fn parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    let now = SystemTime::now();
    parameters.not_before = (now - BACKDATED).into();
    parameters.not_after = (now + VALID).into();
    parameters.distinguished_name = Default::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}
