//! ClientHellos as bytes. RFC 8446, section 4.1.2, RFC 6347, section 4.2.1 and 4.2.2.

use ringfence_wire::Error;
use ringfence_wire::hello::{ClientHello, Extension, MAX_HELLO_BYTES, Version, names};

fn random() -> [u8; 32] {
    std::array::from_fn(|i| i as u8)
}

const RANDOM: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn with(version: Version, suites: &[u16], extensions: Vec<Extension>) -> ClientHello {
    ClientHello { suites: suites.to_vec(), extensions, ..ClientHello::new(version, random()) }
}

#[test]
fn ssl_3_0_has_no_extensions() {
    let hello = with(Version::SSL3, &[0x0004, 0x000a], vec![]);
    let expected = format!("16 0300 002f  01 00002b  0300 {RANDOM} 00 0004 0004 000a 01 00");
    assert_eq!(hello.to_tls().unwrap(), hex(&expected));
}

#[test]
fn tls_1_2_with_extensions() {
    let mut hello = with(
        Version::TLS12,
        &[0xc02b],
        vec![
            Extension::server_name("a.example").unwrap(),
            Extension::supported_groups(&[29, 23]).unwrap(),
            Extension::ec_point_formats(),
            Extension::signature_algorithms(&[0x0403]).unwrap(),
            Extension::use_srtp(&[1, 7]).unwrap(),
            Extension::alpn(&[b"h2", b"sip"]).unwrap(),
            Extension::status_request(),
            Extension::extended_master_secret(),
            Extension::session_ticket(),
            Extension::renegotiation_info(),
        ],
    );
    hello.session_id = vec![0xee, 0xff];
    let extensions = "0000 000e 000c 00 0009 612e6578616d706c65  000a 0006 0004 001d 0017  000b 0002 01 00
        000d 0004 0002 0403  000e 0007 0004 0001 0007 00  0010 0009 0007 02 6832 03 736970
        0005 0005 01 0000 0000  0017 0000  0023 0000  ff01 0001 00";
    let expected = format!("16 0301 0089  01 000085  0303 {RANDOM} 02 eeff 0002 c02b 01 00  0058 {extensions}");
    assert_eq!(hello.to_tls().unwrap(), hex(&expected));
}

#[test]
fn tls_1_3_says_so_in_an_extension_and_offers_no_key() {
    let mut hello = with(
        Version::TLS13,
        &[0x1301],
        vec![Extension::key_share_empty(), Extension::psk_key_exchange_modes(), Extension::cookie(&[9; 3]).unwrap()],
    );
    let tail = "0033 0002 0000  002d 0002 01 01  002c 0005 0003 090909";
    let expected = format!("16 0301 004b  01 000047  0303 {RANDOM} 00 0002 1301 01 00  001c  002b 0003 02 0304 {tail}");
    assert_eq!(hello.to_tls().unwrap(), hex(&expected));
    // What the caller says instead stands.
    hello.extensions = vec![Extension::supported_versions(&[Version::TLS13, Version::TLS12]).unwrap()];
    assert!(hello.to_tls().unwrap().ends_with(&hex("0009 002b 0005 04 0304 0303")));
    hello.extensions = vec![];
    hello.legacy_version = Some(Version::TLS13);
    hello.record_version = Some(Version::TLS12);
    let expected = format!("16 0303 002d  01 000029  0304 {RANDOM} 00 0002 1301 01 00");
    assert_eq!(hello.to_tls().unwrap(), hex(&expected));
}

#[test]
fn dtls_1_2_with_a_cookie_in_two_fragments() {
    let mut hello = with(Version::DTLS12, &[0xc02b, 0x00ff], vec![]);
    hello.cookie = vec![0xc0, 0x0c, 0x1e];
    let datagrams = hello.to_dtls(1, 0x0102_0304_0506, 40).unwrap();
    // 25 bytes of headers each: epoch 0, number, length; type, length, message_seq, offset, length.
    let body = hex(&format!("fefd {RANDOM} 00 03 c00c1e 0004 c02b 00ff 01 00"));
    assert_eq!(body.len(), 47);
    let first = [hex("16 feff 0000 010203040506 0034  01 00002f 0001 000000 000028"), body[..40].to_vec()].concat();
    let second = [hex("16 feff 0000 010203040507 0013  01 00002f 0001 000028 000007"), body[40..].to_vec()].concat();
    assert_eq!(datagrams, [first, second]);
}

#[test]
fn no_record_is_longer_than_allowed() {
    let padding = Extension::new(21, vec![0; 40_000]);
    let stream = with(Version::TLS12, &[0xc02b], vec![padding.clone()]).to_tls().unwrap();
    let lengths = [0, 16_389, 32_778].map(|at| u16::from_be_bytes([stream[at + 3], stream[at + 4]]));
    assert_eq!((lengths, stream.len()), ([16_384, 16_384, 7_283], 40_066));
    let datagrams = with(Version::DTLS12, &[0xc02b], vec![padding]).to_dtls(0, 0, usize::MAX).unwrap();
    assert_eq!(datagrams.iter().map(Vec::len).collect::<Vec<_>>(), [16_397, 16_397, 7_329]);
}

#[test]
fn dtls_1_3_has_no_cookie_field_to_fill() {
    let hello = with(Version::DTLS13, &[0x1301], vec![Extension::key_share_empty()]);
    let expected = format!(
        "16 feff 0000 000000000000 0045  01 000039 0000 000000 000039  fefd {RANDOM} 00 00 0002 1301 01 00
         000d  002b 0003 02 fefc  0033 0002 0000"
    );
    assert_eq!(hello.to_dtls(0, 0, 1200).unwrap(), [hex(&expected)]);
}

#[test]
fn a_hello_that_is_read_asks_for_its_newest_version() {
    let grease = Version(0x0a0a);
    for (offered, newest) in [
        ([grease, Version::TLS12, Version::TLS13], Version::TLS13),
        ([Version::TLS13, Version::TLS12, grease], Version::TLS13),
        ([Version::DTLS12, Version::DTLS13, grease], Version::DTLS13),
        ([Version::DTLS13, Version::DTLS12, Version::DTLS10], Version::DTLS13),
        ([grease; 3], Version::TLS12),
    ] {
        let hello = with(newest.legacy(), &[0x1301], vec![Extension::supported_versions(&offered).unwrap()]);
        let body = match newest.is_dtls() {
            true => hello.to_dtls(0, 0, 9000).unwrap()[0][25..].to_vec(),
            false => hello.to_tls().unwrap()[9..].to_vec(),
        };
        assert_eq!(ClientHello::parse(&body).unwrap().version, newest, "{offered:?}");
    }
    let error = |body: &[u8]| ClientHello::parse(body).unwrap_err().to_string();
    let body = with(Version::TLS12, &[0x1301], vec![]).to_tls().unwrap()[9..].to_vec();
    assert_eq!(error(&body[..1]), "ClientHello version is cut short");
    assert_eq!(error(&body[..40]), "ClientHello compression methods is cut short");
    let mut odd = body;
    odd[36] = 3;
    assert_eq!(error(&odd), "ClientHello suites is not valid");
}

#[test]
fn what_does_not_fit_is_refused_with_its_name() {
    let hello = with(Version::TLS12, &[1], vec![]);
    let broken = |change: fn(&mut ClientHello)| {
        let mut hello = hello.clone();
        change(&mut hello);
        hello.to_tls().unwrap_err().to_string()
    };
    assert_eq!(broken(|x| x.session_id = vec![0; 256]), "session id in bytes is over the limit of 255");
    assert_eq!(broken(|x| x.suites = vec![0; 32_768]), "cipher suites in bytes is over the limit of 65535");
    assert_eq!(broken(|x| x.compression = vec![0; 256]), "compression methods in bytes is over the limit of 255");
    let too_long = |x: &mut ClientHello| x.extensions = vec![Extension::new(21, vec![0; 65_536])];
    assert_eq!(broken(too_long), "extension in bytes is over the limit of 65535");
    let too_many = |x: &mut ClientHello| x.extensions = vec![Extension::new(21, vec![0; 40_000]); 2];
    assert_eq!(broken(too_many), "extensions in bytes is over the limit of 65535");
    let whole = |x: &mut ClientHello| {
        x.suites = vec![0; 20_000];
        x.extensions = vec![Extension::new(21, vec![0; 40_000])];
    };
    assert_eq!(broken(whole), format!("hello in bytes is over the limit of {MAX_HELLO_BYTES}"));
    assert_eq!(broken(|x| x.version = Version::DTLS12), "version of a TLS hello is not valid");

    assert_eq!(hello.to_dtls(0, 0, 100), Err(Error::Invalid("version of a DTLS hello")));
    let dtls = with(Version::DTLS12, &[1], vec![]);
    assert_eq!(dtls.to_dtls(0, 0, 0), Err(Error::Invalid("fragment size of a DTLS hello")));
    let last = (1 << 48) - 1;
    assert_eq!(dtls.to_dtls(0, last, 100).unwrap().len(), 1);
    let over = Error::Invalid("DTLS record number");
    assert_eq!(dtls.to_dtls(0, last, 10), Err(over.clone()));
    assert_eq!(dtls.to_dtls(0, u64::MAX, 100), Err(over));
    let mut cookie = dtls;
    cookie.cookie = vec![0; 256];
    assert_eq!(cookie.to_dtls(0, 0, 100).unwrap_err().to_string(), "cookie in bytes is over the limit of 255");

    assert_eq!(Extension::server_name(""), Err(Error::Missing("name in server_name")));
    assert_eq!(Extension::alpn(&[b""]), Err(Error::Missing("name in ALPN")));
    let long = "a".repeat(65_533);
    assert!(Extension::server_name(&long).unwrap_err().to_string().starts_with("server_name in bytes is over"));
    assert!(Extension::supported_groups(&[0; 32_768]).is_err() && Extension::use_srtp(&[0; 32_768]).is_err());
    assert!(Extension::supported_versions(&[Version::TLS13; 128]).is_err());
    assert!(Extension::cookie(&[0; 65_536]).is_err() && Extension::key_share(&[(29, &[0; 65_534])]).is_err());
}

#[test]
fn names_are_those_of_the_registries() {
    assert_eq!(names::suite(0xc02b), Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
    assert_eq!(names::suite(0xc0b4), Some("TLS_SHA256_SHA256"));
    assert_eq!(names::suite(0xc102), Some("TLS_GOSTR341112_256_WITH_28147_CNT_IMIT"));
    assert_eq!(names::suite(0x0a0a), None);
    let listed: Vec<_> = names::suites().collect();
    assert!(listed.len() > 340 && listed.is_sorted());
    assert!(listed.iter().all(|(code, name)| names::suite(*code) == Some(name)));
    assert!(!listed.iter().any(|(code, _)| [0x0000, 0x00ff, 0x5600].contains(code)));
    let modern: Vec<u16> = listed.iter().map(|x| x.0).filter(|x| names::is_13_suite(*x)).collect();
    let expected = [
        0x00c6, 0x00c7, 0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0x1306, 0x1307, 0xc0b4, 0xc0b5, 0xc103, 0xc104, 0xc105,
        0xc106,
    ];
    assert_eq!(modern, expected);
    assert_eq!((names::group(23), names::group(0x11ec)), (Some("secp256r1"), Some("X25519MLKEM768")));
    assert_eq!(names::signature_scheme(0x0201), Some("rsa_pkcs1_sha1"));
    assert_eq!((names::srtp_profile(1), names::srtp_profile(10)), (Some("cm-sha1-80"), Some("0x000A")));
    assert_eq!((names::alert(40), names::alert(1)), (Some("handshake_failure"), None));
    // Each is found, so each table is in order.
    assert!(names::groups().count() > 45 && names::groups().all(|(code, name)| names::group(code) == Some(name)));
    assert!(names::signature_schemes().all(|(code, name)| names::signature_scheme(code) == Some(name)));
    assert!(names::srtp_profiles().all(|(code, name)| names::srtp_profile(code) == Some(name)));
    assert_eq!((names::signature_schemes().count(), names::srtp_profiles().count()), (49, 12));
    assert!((0..=255).filter_map(names::alert).count() > 30);
}

#[test]
fn versions_have_names_and_families() {
    use Version as V;
    let all = [V::SSL3, V::TLS10, V::TLS11, V::TLS12, V::TLS13, V::DTLS10, V::DTLS12, V::DTLS13];
    assert_eq!(all.map(|x| x.name().unwrap()), ["ssl3", "1.0", "1.1", "1.2", "1.3", "1.0", "1.2", "1.3"]);
    assert_eq!(all.map(V::is_dtls), [false, false, false, false, false, true, true, true]);
    assert_eq!((V(0xfefe).name(), V(0x0305).name(), V(0x0100).is_dtls()), (None, None, false));
}
