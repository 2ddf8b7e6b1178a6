//! What a browser offers and a media proxy answers, made up after their habits; and what a reader has to refuse.

use ringfence_wire::Error;
use ringfence_wire::sdp::*;

const OFFER: &[u8] = include_bytes!("fixtures/chrome-offer.sdp");
const ANSWER: &[u8] = include_bytes!("fixtures/rtpengine-answer.sdp");

#[test]
fn browser_offer() {
    let offer = Description::parse(OFFER).unwrap();
    assert_eq!(offer.to_string().as_bytes(), OFFER);
    let audio = offer.section(0).unwrap();
    let media = audio.media().unwrap();
    assert_eq!((media.kind.as_str(), media.port, media.profile.as_str()), ("audio", 52100, "UDP/TLS/RTP/SAVPF"));
    assert_eq!(media.formats.len(), 8);
    assert_eq!(audio.setup(), Some(Ok(Setup::Actpass)));
    let fingerprints: Vec<_> = audio.fingerprints().collect::<Result<_, _>>().unwrap();
    assert_eq!((fingerprints.len(), fingerprints[0].hash.as_str(), fingerprints[0].bytes.len()), (1, "sha-256", 32));
    assert_eq!((audio.ice_ufrag(), audio.ice_pwd()), (Some("Qx3k"), Some("7fZ0aYw1l9qYcGkLr2uXnS5t")));
    assert_eq!((audio.is_rtcp_mux(), audio.is_ice_lite(), audio.mid()), (true, false, Some("0")));
    assert_eq!(audio.cname(), Some((2_724_619_843, "kq0Zr1H6uWcUQeYB")));
    assert_eq!(audio.direction(), Direction::SendRecv);
    let candidates: Vec<_> = audio.candidates().collect::<Result<_, _>>().unwrap();
    assert_eq!(candidates.len(), 4);
    assert_eq!(candidates[2].related, Some(("203.0.113.40".into(), 52100)));
    assert_eq!(candidates[3].extensions[0], ("tcptype".into(), "active".into()));
    let opus = audio.rtpmaps().next().unwrap().unwrap();
    assert_eq!((opus.encoding.as_str(), opus.clock_hz, opus.channels), ("opus", 48000, Some(2)));
    let places: Vec<_> = audio.addresses().into_iter().map(|address| address.place).collect();
    use AddressUse::{Candidate, Connection, Related, Rtcp};
    assert_eq!(places, [Connection, Rtcp, Candidate, Candidate, Related, Candidate, Related, Candidate]);
    assert_eq!(offer.session().addresses()[0].text, "127.0.0.1");
}

#[test]
fn proxy_answer_has_its_values_at_session_level() {
    let answer = Description::parse(ANSWER).unwrap();
    assert_eq!(answer.to_string().as_bytes(), ANSWER);
    let audio = answer.sections().next().unwrap();
    assert_eq!(audio.setup(), Some(Ok(Setup::Passive)));
    assert_eq!(audio.fingerprints().next().unwrap().unwrap().hash, "sha-256");
    assert_eq!(audio.connection(), Some("198.51.100.20"));
    assert!(audio.is_ice_lite());
    assert_eq!(audio.tls_id(), Some("2f7b1d90aa4411e0c3d5e6f708192a3b"));
    assert_eq!(audio.own("fingerprint").count(), 0);
}

#[test]
fn a_section_overrides_the_session() {
    let text = "v=0\nc=IN IP4 192.0.2.1\na=setup:active\na=inactive\nm=audio 9 RTP/SAVP 0\nc=IN IP4 233.0.113.1/127\n\
        a=setup:passive\na=recvonly\nm=audio 9/2 RTP/AVP 0\n\n\n";
    let description = Description::parse(text.as_bytes()).unwrap();
    let (own, inherited) = (description.section(0).unwrap(), description.section(1).unwrap());
    assert_eq!((own.setup(), own.direction()), (Some(Ok(Setup::Passive)), Direction::RecvOnly));
    assert_eq!((inherited.setup(), inherited.direction()), (Some(Ok(Setup::Active)), Direction::Inactive));
    assert_eq!((own.connection(), inherited.connection()), (Some("233.0.113.1"), Some("192.0.2.1")));
    assert_eq!(inherited.media().unwrap().port_count, Some(2));
    assert_eq!(Description::parse(text.replace('\n', "\r\n").as_bytes()), Ok(description));
}

#[test]
fn typed_values_go_both_ways() {
    for text in [
        "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4 UNENCRYPTED_SRTP",
        "2 F8_128_HMAC_SHA1_80 inline:AAAA|2^20;inline:BBBB",
    ] {
        let crypto = Crypto::parse(text).unwrap();
        assert_eq!(crypto.to_string(), text);
        assert!(!format!("{crypto:?}").contains(crypto.key_base64().unwrap()));
    }
    assert_eq!(Crypto::parse("1 X inline:A|2^20").unwrap().key_base64(), Some("A"));
    let candidate = "f 1 udp 1 10.0.0.1 9 typ srflx raddr 10.0.0.2 rport 7 ufrag x";
    let parsed = Candidate::parse(&format!("candidate:{candidate}")).unwrap();
    assert_eq!(parsed.to_string(), candidate);
    let fingerprint = Fingerprint::parse("SHA-1 0a:fF").unwrap();
    assert_eq!(fingerprint.to_string(), "sha-1 0A:FF");
    assert_eq!(Setup::parse(" ACTPASS"), Ok(Setup::Actpass));
}

#[test]
fn wrong_values_name_the_field() {
    for value in ["sha-256", "sha-256 ", "sha-256 0A:F", "sha-256 +A:FF", "sha-256 0AFF"] {
        assert_eq!(Fingerprint::parse(value), Err(Error::Invalid("SDP fingerprint")), "{value}");
    }
    assert_eq!(Candidate::parse("f 1 udp 1 h 9 typ host raddr h"), Err(Error::Missing("candidate rport")));
    assert_eq!(Candidate::parse("f 1 udp 1 h 99999 typ host"), Err(Error::Invalid("candidate port")));
    assert_eq!(
        Candidate::parse("candidate:candidate:1 1 udp 1 h 9 typ host"),
        Err(Error::Invalid("candidate foundation"))
    );
    assert_eq!(Crypto::parse("1 X base:AAAA"), Err(Error::Invalid("crypto key")));
    assert_eq!(RtpMap::parse("128 x/1"), Err(Error::Invalid("rtpmap payload type")));
}

#[test]
fn wrong_descriptions_name_the_field() {
    let parse = |text: &str| Description::parse(text.as_bytes());
    assert_eq!(parse(""), Err(Error::Invalid("SDP version")));
    assert_eq!(parse("v=1\r\n"), Err(Error::Invalid("SDP version")));
    for line in ["x", "A=b", "=b", "", "s=a\rb", "s=\0"] {
        assert_eq!(parse(&format!("v=0\r\n{line}\r\nt=0 0\r\n")), Err(Error::Invalid("SDP line")), "{line:?}");
    }
    assert_eq!(parse("v=0\nm=audio 70000 RTP/AVP 0"), Err(Error::Invalid("SDP media port")));
    assert_eq!(parse("v=0\nm=audio 7 RTP/AVP"), Err(Error::Missing("SDP media format")));
    assert_eq!(Description::parse(b"v=0\ns=\xff"), Err(Error::NotUtf8("SDP")));
    for (line, count, field) in [
        ("s=-\n", 1000, "number of SDP lines"),
        ("m=audio 0 x 0\n", 65, "number of SDP media sections"),
        ("a=candidate:x\n", 257, "number of SDP candidates"),
        ("s=-\n", 20_000, "SDP in bytes"),
        (&format!("s={}\n", "x".repeat(68)), 922, "SDP in bytes"), // below the limit, but not with CRLF
    ] {
        let error = parse(&format!("v=0\n{}", line.repeat(count))).unwrap_err();
        assert!(matches!(error, Error::TooLarge { field: named, .. } if named == field), "{error}");
    }
}
