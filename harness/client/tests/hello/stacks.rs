//! `rtc-dtls` and `dimpl` as servers on a UDP port, an association for each port that asks.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, DtlsCertificate, Output};
use ringfence_client::hello::{Bounds, List, Verdict, Wanted};
use ringfence_wire::hello::Version;
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::ConfigBuilder;
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::Endpoint;
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use tokio::net::UdpSocket;

use super::servers::{PATIENT, dtls, sorted, suites};

/// What does not refuse is waited for in vain, several times.
const IMPATIENT: Bounds = Bounds { answer: Duration::from_secs(1), at_once: 3 };

/// Answers datagrams with what `serve` makes of them, as long as the test lasts.
async fn serve(mut serve: impl FnMut(SocketAddr, &[u8]) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((count, from)) = socket.recv_from(&mut buffer).await {
            for datagram in serve(from, &buffer[..count]) {
                let _ = socket.send_to(&datagram, from).await;
            }
        }
    });
    address
}

#[tokio::test]
async fn rtc_dtls() {
    let provider = rtc_crypto::default_provider().unwrap();
    let certificate = Certificate::generate_self_signed(vec!["a.test".to_owned()], provider.crypto()).unwrap();
    let config = ConfigBuilder::default()
        .with_certificates(vec![certificate])
        .with_crypto_provider(provider)
        .with_cipher_suites(vec![
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_256_Cbc_Sha,
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
        ])
        .with_srtp_protection_profiles(vec![
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32,
        ])
        .build(false, None)
        .unwrap();
    let local = SocketAddr::from(([127, 0, 0, 1], 9));
    let mut endpoint = Endpoint::new(local, TransportProtocol::UDP, Some(Arc::new(config)));
    let address = serve(move |from, datagram| {
        let _ = endpoint.read(Instant::now(), from, None, datagram.into()); // what it thinks shows in what it sends
        std::iter::from_fn(|| endpoint.poll_transmit()).map(|datagram| datagram.message.to_vec()).collect()
    })
    .await;
    let report = dtls(address, Wanted::ALL, PATIENT).await;
    assert_eq!(suites(&report), [(Version::DTLS12, vec![0xc00a, 0xc02b, 0xcca9])]);
    let found = report.of(Version::DTLS12).unwrap();
    assert_eq!((sorted(&found.groups), sorted(&found.profiles)), (vec![23, 24, 29], vec![2, 8]));
    // It signs with what fits its key, whatever it was offered.
    assert_eq!((found.signature_schemes.as_slice(), found.server_order), (&[0x0403][..], Some(false)));
    assert!(found.hello_verify && !found.goes_without_srtp && found.chains.len() == 1, "{found:?}");
    for version in [Version::DTLS10, Version::DTLS13] {
        assert!(matches!(report.of(version).unwrap().verdict, Verdict::Refused(Some(_))), "{report:?}");
    }
}

#[tokio::test]
async fn dimpl_of_both_versions() {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().to_vec();
    let config = Arc::new(Config::default());
    let mut associations: HashMap<SocketAddr, Dtls> = HashMap::new();
    let mut sent = [0; 2048];
    let address = serve(move |from, datagram| {
        let new = || {
            let identity = DtlsCertificate { certificate: certificate.clone(), private_key: key.serialize_der() };
            let mut dtls = Dtls::new_auto(config.clone(), identity, Instant::now());
            dtls.set_active(false);
            dtls.handle_timeout(Instant::now()).unwrap();
            dtls
        };
        let dtls = associations.entry(from).or_insert_with(new);
        let _ = dtls.handle_packet(datagram);
        let mut answer = Vec::new();
        loop {
            match dtls.poll_output(&mut sent) {
                Output::Packet(datagram) => answer.push(datagram.to_vec()),
                Output::Timeout(_) => return answer,
                _ => {}
            }
        }
    })
    .await;
    let report = dtls(address, Wanted::ALL, IMPATIENT).await;
    let found = |version| report.of(version).unwrap();
    let (old, new) = (found(Version::DTLS12), found(Version::DTLS13));
    assert_eq!(
        (sorted(&old.suites), sorted(&new.suites)),
        (vec![0xc02b, 0xc02c, 0xcca9], vec![0x1301, 0x1302, 0x1303])
    );
    assert_eq!((sorted(&old.groups), sorted(&new.groups)), (vec![23, 24, 29], vec![23, 24, 29]));
    assert_eq!((sorted(&old.profiles), sorted(&new.profiles)), (vec![1, 7, 8], vec![]));
    // It falls silent where it refuses, so that no list of suites has an end, and no version is refused.
    for (version, verdict) in [
        (Version::DTLS10, Verdict::Unknown),
        (Version::DTLS12, Verdict::Accepted),
        (Version::DTLS13, Verdict::Accepted),
    ] {
        let findings = found(version);
        assert_eq!(findings.verdict, verdict, "{findings:?}");
        assert!(findings.unknown.iter().any(|unknown| unknown.list == List::Suites), "{findings:?}");
    }
}
