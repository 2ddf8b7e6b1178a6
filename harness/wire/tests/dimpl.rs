//! Hellos of DTLS 1.3 and 1.2 against `dimpl`, in memory: a retry for an empty key share, its cookie, and refusals.

use std::sync::Arc;
use std::time::Instant;

use dimpl::{Config, Dtls, DtlsCertificate, Output};
use ringfence_wire::hello::{ClientHello, Depth, DtlsReader, Extension, Reply, Version};

struct Server {
    dtls: Dtls,
    der: Vec<u8>,
}

impl Server {
    fn new(make: fn(Arc<Config>, DtlsCertificate, Instant) -> Dtls, config: Config) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["media.example.test".to_owned()]).unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let certificate = DtlsCertificate { certificate: der.clone(), private_key: key.serialize_der() };
        let mut dtls = make(Arc::new(config), certificate, Instant::now());
        dtls.set_active(false);
        dtls.handle_timeout(Instant::now()).unwrap();
        Self { dtls, der }
    }

    /// The reply, or `None` where the server falls silent.
    fn ask(&mut self, hello: &ClientHello, sequence: u16, depth: Depth) -> Option<Reply> {
        let mut reader = DtlsReader::new(depth);
        for datagram in hello.to_dtls(sequence, sequence.into(), 1400).unwrap() {
            let _ = self.dtls.handle_packet(&datagram); // what it thinks of it shows in what it sends
        }
        let mut buffer = vec![0; 2048];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(datagram) => {
                    if let Some(reply) = reader.feed(datagram) {
                        return Some(reply);
                    }
                }
                Output::Timeout(_) => return reader.heard().then(|| reader.end()),
                _ => {}
            }
        }
    }
}

fn hello(version: Version, suites: &[u16], groups: &[u16]) -> ClientHello {
    let mut hello = ClientHello::new(version, [0x42; 32]);
    hello.suites = suites.to_vec();
    hello.extensions = vec![
        Extension::supported_groups(groups).unwrap(),
        Extension::signature_algorithms(&[0x0403]).unwrap(),
        Extension::use_srtp(&[7, 1]).unwrap(),
        Extension::extended_master_secret(),
        Extension::renegotiation_info(),
        Extension::ec_point_formats(),
    ];
    if version.is_13() {
        hello.extensions.push(Extension::key_share_empty());
    }
    hello
}

#[test]
fn an_empty_share_is_answered_by_a_retry_that_names_suite_and_group() {
    for make in [Dtls::new_13, Dtls::new_auto] {
        for (suite, group) in [(0x1301, 23), (0x1302, 24), (0x1301, 24), (0x1302, 23)] {
            let mut server = Server::new(make, Config::default());
            let question = hello(Version::DTLS13, &[suite], &[group]);
            let reply = server.ask(&question, 0, Depth::Flight);
            let Some(Reply::HelloRetryRequest(found)) = reply else { panic!("{suite:#x} {group}: {reply:?}") };
            assert_eq!((found.version, found.legacy_version), (Version::DTLS13, Version::DTLS12));
            assert_eq!((found.suite, found.group, found.done), (suite, Some(group), true));
            assert!(found.cookie().is_some_and(|cookie| !cookie.is_empty()), "{found:?}");
        }
    }
}

#[test]
fn what_is_not_shared_is_never_chosen() {
    let refused = |reply: &Option<Reply>| matches!(reply, None | Some(Reply::Alert { fatal: true, .. }));
    let mut server = Server::new(Dtls::new_13, Config::default());
    let reply = server.ask(&hello(Version::DTLS13, &[0x1304], &[23]), 0, Depth::Flight);
    assert!(refused(&reply), "{reply:?}");
    // A group that it has not shows only behind the cookie: the first retry names none.
    let mut server = Server::new(Dtls::new_13, Config::default());
    let mut question = hello(Version::DTLS13, &[0x1301], &[25]);
    let reply = server.ask(&question, 0, Depth::Flight);
    let Some(Reply::HelloRetryRequest(found)) = reply else { panic!("{reply:?}") };
    assert_eq!((found.suite, found.group), (0x1301, None));
    question.extensions.push(Extension::cookie(found.cookie().unwrap()).unwrap());
    let reply = server.ask(&question, 1, Depth::Flight);
    assert!(refused(&reply), "{reply:?}");
}

#[test]
fn dtls_1_2_with_and_without_a_cookie() {
    for with_cookie in [false, true] {
        let config = Config::builder().use_server_cookie(with_cookie).build().unwrap();
        let mut server = Server::new(Dtls::new_12, config);
        let mut question = hello(Version::DTLS12, &[0xc02b], &[23]);
        let mut sequence = 0;
        if with_cookie {
            let reply = server.ask(&question, 0, Depth::Flight);
            let Some(Reply::HelloVerifyRequest { cookie, .. }) = reply else { panic!("{reply:?}") };
            question.cookie = cookie;
            sequence = 1;
        }
        let reply = server.ask(&question, sequence, Depth::Flight);
        let Some(Reply::ServerHello(found)) = reply else { panic!("{reply:?}") };
        assert_eq!((found.version, found.suite, found.group), (Version::DTLS12, 0xc02b, Some(23)));
        assert_eq!((found.signature_scheme, found.srtp_profile(), found.done), (Some(0x0403), Some(7), true));
        assert_eq!((&found.certificates, &found.broken), (&vec![server.der], &None));
        assert!(found.extended_master_secret());
    }
}
