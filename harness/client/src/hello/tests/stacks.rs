//! `rtc-dtls` and `dimpl` as servers without sockets, and what each was told to accept.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use dimpl::crypto::{Dtls12CipherSuite, Dtls13CipherSuite};
use dimpl::{Config, Dtls, DtlsCertificate, NamedGroup, Output};
use ringfence_wire::hello::Version;
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ConfigBuilder, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::Endpoint;
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile as Srtp;
use rtc_shared::TransportProtocol;

use super::model::Truth;

const CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

/// One association of a server, which one port of ours meets.
pub enum Stack {
    Rtc(Box<Endpoint>),
    Dimpl(Box<Dtls>),
}

impl Stack {
    pub fn take(&mut self, datagram: &[u8], now: Instant) {
        // What it thinks of it shows in what it sends.
        match self {
            Self::Rtc(endpoint) => drop(endpoint.read(now, CLIENT, None, datagram.into())),
            Self::Dimpl(dtls) => {
                dtls.handle_timeout(now).unwrap_or_default();
                dtls.handle_packet(datagram).unwrap_or_default();
            }
        }
    }

    pub fn wake(&mut self, now: Instant) {
        match self {
            Self::Rtc(endpoint) => endpoint.handle_timeout(CLIENT, now).unwrap_or_default(),
            Self::Dimpl(dtls) => dtls.handle_timeout(now).unwrap_or_default(),
        }
    }

    /// What it sends, and when it wants to be woken.
    pub fn poll(&mut self) -> (Vec<Vec<u8>>, Option<Instant>) {
        let mut sent = Vec::new();
        match self {
            Self::Rtc(endpoint) => {
                while let Some(datagram) = endpoint.poll_transmit() {
                    sent.push(datagram.message.to_vec());
                }
                (sent, endpoint.poll_timeout(&CLIENT))
            }
            Self::Dimpl(dtls) => {
                let mut buffer = vec![0; 2048];
                for _ in 0..1000 {
                    match dtls.poll_output(&mut buffer) {
                        Output::Packet(datagram) => sent.push(datagram.to_vec()),
                        Output::Timeout(when) => return (sent, Some(when)),
                        _ => {}
                    }
                }
                (sent, None)
            }
        }
    }
}

/// A server, a new association for each port of ours.
pub struct Peer {
    pub name: String,
    pub version: Version,
    pub truth: Truth,
    /// It refuses with an alert; else it falls silent, and no end is ever seen.
    pub refuses: bool,
    pub make: Box<dyn Fn(Instant) -> Stack>,
}

fn sorted(list: &[u16]) -> Vec<u16> {
    let mut list = list.to_vec();
    list.sort_unstable();
    list
}

fn rtc(suites: &[CipherSuiteId], profiles: &[Srtp]) -> Peer {
    let provider = rtc_crypto::default_provider().unwrap();
    let certificate = Certificate::generate_self_signed(vec!["a.test".to_owned()], provider.crypto()).unwrap();
    let config = ConfigBuilder::default()
        .with_certificates(vec![certificate])
        .with_crypto_provider(provider)
        .with_cipher_suites(suites.to_vec())
        .with_srtp_protection_profiles(profiles.to_vec())
        .build(false, None);
    let config: Arc<HandshakeConfig> = Arc::new(config.unwrap());
    let codes = |list: &[CipherSuiteId]| sorted(&list.iter().map(|suite| *suite as u16).collect::<Vec<_>>());
    Peer {
        name: format!("rtc-dtls with {} suites, {} profiles", suites.len(), profiles.len()),
        version: Version::DTLS12,
        truth: Truth {
            suites: codes(suites),
            groups: vec![23, 24, 29],
            // It signs with what fits its key, whatever is offered.
            schemes: vec![0x0403],
            profiles: sorted(&profiles.iter().map(|profile| *profile as u16).collect::<Vec<_>>()),
        },
        refuses: true,
        make: Box::new(move |_| {
            Stack::Rtc(Box::new(Endpoint::new(CLIENT, TransportProtocol::UDP, Some(config.clone()))))
        }),
    }
}

fn identity() -> DtlsCertificate {
    static MADE: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().der().to_vec(), key.serialize_der())
    });
    DtlsCertificate { certificate: MADE.0.clone(), private_key: MADE.1.clone() }
}

fn dimpl(version: Version, new: fn(Arc<Config>, DtlsCertificate, Instant) -> Dtls, groups: &[NamedGroup]) -> Peer {
    let (new_suites, old_suites) = (
        [Dtls13CipherSuite::AES_128_GCM_SHA256, Dtls13CipherSuite::CHACHA20_POLY1305_SHA256],
        [Dtls12CipherSuite::ECDHE_ECDSA_AES256_GCM_SHA384, Dtls12CipherSuite::ECDHE_ECDSA_AES128_GCM_SHA256],
    );
    let config = Config::builder()
        .dtls12_cipher_suites(&old_suites)
        .dtls13_cipher_suites(&new_suites)
        .kx_groups(groups)
        .build()
        .unwrap();
    let config = Arc::new(config);
    let thirteen = version.is_13();
    Peer {
        name: format!("dimpl as {version:?} with {} groups", groups.len()),
        version,
        truth: Truth {
            suites: if thirteen { vec![0x1301, 0x1303] } else { vec![0xc02b, 0xc02c] },
            groups: sorted(&groups.iter().map(|group| group.as_u16()).collect::<Vec<_>>()),
            schemes: if thirteen { Vec::new() } else { vec![0x0403, 0x0503] },
            profiles: if thirteen { Vec::new() } else { vec![1, 7, 8] },
        },
        refuses: false,
        make: Box::new(move |now| {
            let mut dtls = new(config.clone(), identity(), now);
            dtls.set_active(false);
            dtls.handle_timeout(now).unwrap();
            Stack::Dimpl(Box::new(dtls))
        }),
    }
}

pub fn peers() -> Vec<Peer> {
    use CipherSuiteId::{
        Tls_Ecdhe_Ecdsa_With_Aes_128_Ccm_8 as Ccm8, Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256 as Gcm,
        Tls_Ecdhe_Ecdsa_With_Aes_256_Cbc_Sha as Cbc, Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256 as ChaCha,
    };
    use Srtp::{
        Srtp_Aead_Aes_128_Gcm as G128, Srtp_Aead_Aes_256_Gcm as G256, Srtp_Aes128_Cm_Hmac_Sha1_32 as S32,
        Srtp_Aes128_Cm_Hmac_Sha1_80 as S80,
    };
    let both = [NamedGroup::X25519, NamedGroup::Secp256r1];
    vec![
        rtc(&[Cbc, Gcm, ChaCha, Ccm8], &[G256, S80]),
        rtc(&[Gcm], &[S80, S32, G128, G256]),
        rtc(&[ChaCha, Gcm], &[S32]),
        dimpl(Version::DTLS12, Dtls::new_12, &both),
        dimpl(Version::DTLS13, Dtls::new_13, &both),
        dimpl(Version::DTLS13, Dtls::new_auto, &[NamedGroup::Secp384r1]),
        dimpl(Version::DTLS12, Dtls::new_auto, &both),
    ]
}
