//! Hellos against OpenSSL's own servers: what they were told to accept is what is read. And flights against its client.
//!
//! Each test starts `openssl s_server`, or `s_client`, on a port of loopback that the system chooses. Without the program
//! the tests say so and do nothing; in CI that fails.
#[path = "openssl/client.rs"]
mod client;
#[path = "openssl/server.rs"]
mod server;

use ringfence_wire::hello::{ClientHello, Depth, Extension, Reply, ServerHello, Version, names};
use server::{Certificate, Server, openssl};

const EVERYTHING: &str = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
const HANDSHAKE_FAILURE: Reply = Reply::Alert { fatal: true, code: 40 };
const PROTOCOL_VERSION: Reply = Reply::Alert { fatal: true, code: 70 };

/// A hello as a scan writes it, with whole lists unless a test cuts one short.
fn hello(version: Version, suites: &[u16], groups: &[u16], schemes: &[u16]) -> ClientHello {
    let mut hello = ClientHello::new(version, [0x5a; 32]);
    hello.suites = suites.to_vec();
    hello.extensions =
        vec![Extension::ec_point_formats(), Extension::extended_master_secret(), Extension::renegotiation_info()];
    if !groups.is_empty() {
        hello.extensions.push(Extension::supported_groups(groups).unwrap());
    }
    if !schemes.is_empty() {
        hello.extensions.push(Extension::signature_algorithms(schemes).unwrap());
    }
    if version.is_13() {
        hello.extensions.push(Extension::key_share_empty());
    }
    hello
}

fn all_groups() -> Vec<u16> {
    names::groups().map(|(code, _)| code).collect()
}

fn all_schemes() -> Vec<u16> {
    names::signature_schemes().map(|(code, _)| code).collect()
}

#[track_caller]
fn chosen(reply: Reply) -> ServerHello {
    let Reply::ServerHello(hello) = reply else { panic!("{reply:?}") };
    *hello
}

#[test]
fn tls_1_0_and_1_1_name_their_group_and_no_scheme() {
    let Some(rsa) = Certificate::rsa("old") else { return };
    for (flag, version) in [("-tls1", Version::TLS10), ("-tls1_1", Version::TLS11)] {
        let server = Server::start(&["-cipher", EVERYTHING, flag], &[&rsa]);
        let found = chosen(server.ask_tls(&hello(version, &[0xc014], &[24], &all_schemes()), Depth::Flight));
        assert_eq!((found.version, found.legacy_version, found.record_version), (version, version, version));
        assert_eq!((found.suite, found.compression, found.group, found.dh_bits), (0xc014, 0, Some(24), None));
        assert_eq!((found.signature_scheme, found.done, &found.broken), (None, true, &None));
        assert_eq!(found.certificates, std::slice::from_ref(&rsa.der));
        assert!(found.extended_master_secret() && found.secure_renegotiation());
        let found = chosen(server.ask_tls(&hello(version, &[0x0039], &[], &[]), Depth::Flight));
        assert_eq!((found.group, found.dh_bits, found.signature_scheme), (None, Some(2048), None));
        // Too new is answered by what the server has; too old is refused.
        let found = chosen(server.ask_tls(&hello(Version::TLS12, &[0xc014], &[24], &all_schemes()), Depth::Hello));
        assert_eq!(found.version, version);
        // SSL 3.0 has no protocol_version alert.
        assert_eq!(server.ask_tls(&hello(Version::SSL3, &[0x0035], &[], &[]), Depth::Flight), HANDSHAKE_FAILURE);
    }
}

#[test]
fn tls_1_2_tells_group_scheme_and_certificates() {
    let (Some(rsa), Some(ec)) = (Certificate::rsa("twelve-rsa"), Certificate::ec("twelve-ec")) else { return };
    let server = Server::start(&["-cipher", EVERYTHING, "-tls1_2", "-alpn", "sip,h2"], &[&rsa, &ec]);
    for (suite, group, scheme, certificate) in [
        (0xc02b, 23, 0x0403, &ec),
        (0xc02b, 24, 0x0503, &ec),
        (0xc02b, 29, 0x0203, &ec),
        (0xc02f, 25, 0x0401, &rsa),
        (0xc02f, 30, 0x0805, &rsa),
        (0xc030, 29, 0x0201, &rsa),
        (0xcca8, 29, 0x0804, &rsa),
    ] {
        // OpenSSL shows a P-256 certificate only to who offers that group as well.
        let mut question = hello(Version::TLS12, &[suite], &[group, 23], &[scheme]);
        question.extensions.push(Extension::alpn(&[b"h2"]).unwrap());
        question.extensions.push(Extension::session_ticket());
        println!("suite {suite:#06x}, group {group}, scheme {scheme:#06x}");
        let found = chosen(server.ask_tls(&question, Depth::Flight));
        assert_eq!((found.version, found.suite), (Version::TLS12, suite));
        assert_eq!((found.group, found.signature_scheme), (Some(group), Some(scheme)));
        assert_eq!(found.certificates, std::slice::from_ref(&certificate.der));
        assert_eq!((found.alpn(), found.session_ticket(), found.done), (Some(&b"h2"[..]), true, true));
        assert_eq!((found.alert, found.broken, found.certificate_requested), (None, None, false));
    }
    // Nothing to share: each axis refuses alone.
    for question in [
        hello(Version::TLS12, &[0x1301], &[23], &[0x0403]),
        hello(Version::TLS12, &[0xc02b], &[41], &[0x0403]),
        hello(Version::TLS12, &[0xc02b], &[23], &[0x0708]),
    ] {
        assert_eq!(server.ask_tls(&question, Depth::Flight), HANDSHAKE_FAILURE, "{question:?}");
    }
    assert_eq!(server.ask_tls(&hello(Version::TLS10, &[0xc014], &[23], &[]), Depth::Flight), PROTOCOL_VERSION);
    let shallow = chosen(server.ask_tls(&hello(Version::TLS12, &[0xc02b], &[23], &[0x0403]), Depth::Hello));
    assert_eq!((shallow.suite, shallow.group, shallow.done), (0xc02b, None, false));
}

#[test]
fn every_suite_of_openssl_is_read_to_the_end() {
    let (Some(rsa), Some(ec)) = (Certificate::rsa("all-rsa"), Certificate::ec("all-ec")) else { return };
    let told = openssl(&["ciphers", "-V", "-s", "-tls1_2", "-psk", &format!("{EVERYTHING}:!SRP:!aDSS")]).unwrap();
    let told = String::from_utf8(told).unwrap();
    let arguments = ["-cipher", EVERYTHING, "-tls1_2", "-psk", "0f0f", "-psk_hint", "somebody"];
    let server = Server::start(&arguments, &[&rsa, &ec]);
    let mut asked = 0;
    for line in told.lines() {
        let (code, rest) = line.trim().split_once(" - ").unwrap();
        let code = u16::from_str_radix(&code.replace("0x", "").replace(',', ""), 16).unwrap();
        println!("{line}");
        let question = hello(Version::TLS12, &[code], &all_groups(), &all_schemes());
        let found = chosen(server.ask_tls(&question, Depth::Flight));
        assert_eq!((found.suite, found.done, &found.broken), (code, true, &None));
        let has = |word: &str| rest.contains(word);
        let ephemeral_curve = has("Kx=ECDH");
        let ephemeral_prime = has("Kx=DH");
        let authenticated = !has("Au=None") && !has("Au=PSK") && !has("Kx=RSAPSK");
        assert_eq!(found.group.is_some(), ephemeral_curve);
        assert_eq!(found.dh_bits.is_some(), ephemeral_prime);
        assert_eq!(found.signature_scheme.is_some(), authenticated && (ephemeral_curve || ephemeral_prime));
        let shows = !has("Au=None") && !has("Au=PSK");
        assert_eq!(found.certificates.len(), usize::from(shows));
        assert!(names::suite(code).is_some());
        asked += 1;
    }
    assert!(asked > 80, "{asked} suites");
}

#[test]
fn tls_1_3_answers_an_empty_share_with_suite_and_group() {
    let Some(ec) = Certificate::ec("thirteen") else { return };
    let server = Server::start(&["-tls1_3", "-groups", "P-384:X25519:P-256"], &[&ec]);
    let suites = [0x1301, 0x1302, 0x1303];
    for (suite, group) in [(0x1301, 24), (0x1302, 29), (0x1303, 23)] {
        let reply = server.ask_tls(&hello(Version::TLS13, &[suite], &[group], &all_schemes()), Depth::Flight);
        let Reply::HelloRetryRequest(found) = reply else { panic!("{reply:?}") };
        assert_eq!((found.version, found.legacy_version), (Version::TLS13, Version::TLS12));
        assert_eq!((found.suite, found.group, found.done), (suite, Some(group), true));
        assert!(found.certificates.is_empty());
    }
    let refused = hello(Version::TLS13, &suites, &[25], &all_schemes());
    assert_eq!(server.ask_tls(&refused, Depth::Flight), HANDSHAKE_FAILURE);
    let old = hello(Version::TLS12, &[0xc02b], &[23], &all_schemes());
    assert_eq!(server.ask_tls(&old, Depth::Flight), PROTOCOL_VERSION);
    // With a share there is no need to ask again: the base point of X25519 is one.
    let mut share = [0; 32];
    share[0] = 9;
    let mut question = hello(Version::TLS13, &suites, &[29], &all_schemes());
    question.extensions.pop();
    question.extensions.push(Extension::key_share(&[(29, &share)]).unwrap());
    question.session_id = vec![1; 32];
    let found = chosen(server.ask_tls(&question, Depth::Flight));
    assert_eq!((found.version, found.group, found.done), (Version::TLS13, Some(29), true));
    assert_eq!(found.session_id, question.session_id);
}

#[test]
fn a_cookie_of_tls_1_3_is_read_and_goes_back() {
    let Some(ec) = Certificate::ec("stateless") else { return };
    let server = Server::start(&["-tls1_3", "-stateless"], &[&ec]);
    let question = hello(Version::TLS13, &[0x1301], &[23], &all_schemes());
    let Reply::HelloRetryRequest(found) = server.ask_tls(&question, Depth::Hello) else { panic!("no retry") };
    assert!(found.cookie().is_some_and(|cookie| !cookie.is_empty()), "{found:?}");
}

#[test]
fn staple_chain_and_request_are_seen() {
    let (Some(leaf), Some(other)) = (Certificate::rsa("leaf"), Certificate::ec("above")) else { return };
    let staple = [0x30, 0x03, 0x0a, 0x01, 0x03]; // an OCSPResponse that says tryLater: RFC 6960, section 4.2.1
    let file = leaf.directory.path().join("staple.der");
    std::fs::write(&file, staple).unwrap();
    let (file, chain) = (file.to_str().unwrap(), other.certificate());
    let arguments = ["-tls1_2", "-status_file", file, "-cert_chain", &chain, "-verify", "1"];
    let server = Server::start(&arguments, &[&leaf]);
    let mut question = hello(Version::TLS12, &[0xc02f], &[23], &all_schemes());
    let found = chosen(server.ask_tls(&question, Depth::Flight));
    assert_eq!((found.certificates, found.ocsp_response), (vec![leaf.der.clone(), other.der.clone()], None));
    assert!(found.certificate_requested && found.done);
    question.extensions.push(Extension::status_request());
    let found = chosen(server.ask_tls(&question, Depth::Flight));
    assert_eq!((found.ocsp_response, found.done), (Some(staple.to_vec()), true));
}

#[test]
fn a_long_hello_arrives_in_several_records() {
    let Some(ec) = Certificate::ec("long") else { return };
    let server = Server::start(&["-tls1_2"], &[&ec]);
    let mut question = hello(Version::TLS12, &[0xc02b], &[23], &[0x0403]);
    question.extensions.push(Extension::new(21, vec![0; 40_000])); // padding: RFC 7685
    assert!(question.to_tls().unwrap().len() > 2 * 16_384);
    let found = chosen(server.ask_tls(&question, Depth::Flight));
    assert_eq!((found.suite, found.done), (0xc02b, true));
}

#[test]
fn dtls_tells_the_same_and_the_srtp_profile() {
    let (Some(rsa), Some(ec)) = (Certificate::rsa("media-rsa"), Certificate::ec("media-ec")) else { return };
    let profiles = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";
    for (flag, version, suite, group, scheme, certificate) in [
        ("-dtls1", Version::DTLS10, 0xc00a, 23, None, &ec),
        ("-dtls1", Version::DTLS10, 0xc014, 24, None, &rsa),
        ("-dtls1_2", Version::DTLS12, 0xc02b, 29, Some(0x0403), &ec),
        ("-dtls1_2", Version::DTLS12, 0xc030, 24, Some(0x0804), &rsa),
    ] {
        for (offer, expected) in
            [(&[7, 1][..], Some(7)), (&[1, 7], Some(7)), (&[2, 1], Some(1)), (&[8], None), (&[], None)]
        {
            let server = Server::start(&["-cipher", EVERYTHING, flag, "-use_srtp", profiles], &[&rsa, &ec]);
            let mut question = hello(version, &[suite], &[group, 23], &scheme.map_or(all_schemes(), |x| vec![x]));
            if !offer.is_empty() {
                question.extensions.push(Extension::use_srtp(offer).unwrap());
            }
            let found = chosen(server.ask_dtls(&question, Depth::Flight, 1200));
            assert_eq!((found.version, found.suite), (version, suite));
            assert_eq!((found.group, found.signature_scheme, found.srtp_profile()), (Some(group), scheme, expected));
            assert_eq!((&found.certificates, found.done), (&vec![certificate.der.clone()], true));
        }
    }
}

#[test]
fn a_dtls_hello_and_its_answer_may_come_in_pieces() {
    let Some(rsa) = Certificate::rsa("pieces") else { return };
    for fragment in [1, 7, 100, 1200] {
        let server = Server::start(&["-dtls1_2", "-mtu", "300"], &[&rsa]);
        let question = hello(Version::DTLS12, &[0xc02f], &[23], &[0x0401]);
        let found = chosen(server.ask_dtls(&question, Depth::Flight, fragment));
        assert_eq!(
            (found.certificates, found.signature_scheme, found.done),
            (vec![rsa.der.clone()], Some(0x0401), true)
        );
        assert!(server.datagrams.get() > 5, "{} datagrams of at most 300 bytes", server.datagrams.get());
    }
}

#[test]
fn dtls_refuses_with_an_alert() {
    let Some(ec) = Certificate::ec("refusal") else { return };
    for (question, reply) in [
        (hello(Version::DTLS12, &[0xc02f], &[23], &[0x0403]), HANDSHAKE_FAILURE),
        (hello(Version::DTLS12, &[0xc02b], &[25], &[0x0403]), HANDSHAKE_FAILURE),
        (hello(Version::DTLS10, &[0xc00a], &[23], &[0x0403]), PROTOCOL_VERSION),
    ] {
        let server = Server::start(&["-dtls1_2", "-groups", "P-256"], &[&ec]);
        assert_eq!(server.ask_dtls(&question, Depth::Flight, 1200), reply);
    }
}

#[test]
fn a_cookie_of_dtls_is_read_and_goes_back() {
    let Some(ec) = Certificate::ec("listen") else { return };
    for (flag, version, suite, listen) in [
        ("-dtls1", Version::DTLS10, 0xc00a, "-listen"),
        ("-dtls1_2", Version::DTLS12, 0xc02b, "-listen"),
        ("-dtls1_2", Version::DTLS12, 0xc02b, "-no_ticket"), // with a state from the first hello on
    ] {
        let arguments = ["-cipher", EVERYTHING, flag, listen, "-use_srtp", "SRTP_AES128_CM_SHA1_32"];
        let server = Server::start(&arguments, &[&ec]);
        let mut question = hello(version, &[suite], &[23], &all_schemes());
        question.extensions.push(Extension::use_srtp(&[7, 2]).unwrap());
        let socket = server.udp();
        let reply = server.ask_dtls_from(&socket, &question, 0, Depth::Flight, 1200);
        let Reply::HelloVerifyRequest { version: said, cookie } = reply else { panic!("{reply:?}") };
        assert_eq!(said, Version::DTLS10, "whatever it will choose");
        assert!(!cookie.is_empty());
        question.cookie = cookie;
        let found = chosen(server.ask_dtls_from(&socket, &question, 1, Depth::Flight, 1200));
        assert_eq!((found.version, found.srtp_profile(), found.done), (version, Some(2), true));
    }
}
