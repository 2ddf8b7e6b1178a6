//! For every format: what is written reads back the same, and no input makes a reader panic.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use ringfence_wire::{demux, digest, rtcp, rtp, sdp, sip, stun, turn};
use std::net::SocketAddr;
use stun::Attribute;

/// Every reader there is, on the same bytes.
fn read_all(bytes: &[u8]) {
    demux::classify(bytes);
    let _ = stun::Message::parse(bytes).map(|message| message.emit());
    let _ = stun::verify_integrity(bytes, b"key");
    let _ = stun::verify_fingerprint(bytes);
    let _ = turn::ChannelData::parse(bytes);
    let _ = turn::frame_bytes(bytes);
    let _ = rtp::Packet::parse(bytes);
    let _ = rtcp::parse(bytes);
    if let Ok(description) = sdp::Description::parse(bytes) {
        for section in description.sections().chain([description.session()]) {
            let _ = section.fingerprints().count() + section.candidates().count() + section.crypto().count();
            let _ = (section.rtpmaps().count(), section.setup(), section.cname(), section.direction());
            let _ = (section.connection(), section.addresses());
        }
        assert_eq!(sdp::Description::parse(description.to_string().as_bytes()), Ok(description));
    }
    if let Ok(prepared) = sip::prepare(bytes) {
        let again = sip::prepare(&prepared.bytes()).expect("plain form is read");
        assert_eq!((again.message, again.repairs), (prepared.message, vec![]));
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = (sip::tag(&text), sip::uri(&text), sip::split_list(&text));
    for challenge in digest::challenges([&*text]).unwrap_or_default() {
        let shown = challenge.to_string();
        let _ = digest::challenges([shown.as_str()]);
    }
    let _ = digest::Authorization::parse(&text);
}

/// Valid inputs of every format, to be broken.
fn valid() -> Vec<Vec<u8>> {
    let request = stun::Message::new(stun::Class::Request, stun::Method::ALLOCATE, [3; 12])
        .with(Attribute::Username("a:b".into()))
        .with(Attribute::XorPeerAddress("[2001:db8::1]:9".parse().unwrap()))
        .with(Attribute::ErrorCode { code: 438, reason: "Stale".into() });
    let reports = vec![rtcp::ReportBlock { lost: -3, ..Default::default() }];
    let compound = [
        rtcp::Packet::ReceiverReport { ssrc: 1, reports, extension: vec![] },
        rtcp::Packet::SourceDescription(vec![rtcp::Chunk::cname(1, "me")]),
        rtcp::Packet::Bye { sources: vec![1], reason: Some("done".into()) },
    ];
    vec![
        request.signed(b"key").unwrap().fingerprinted().unwrap().emit().unwrap(),
        turn::ChannelData { channel: 0x4000, data: b"data" }.emit_padded().unwrap(),
        vec![0xb1, 0xef, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 7, 0xbe, 0xde, 0, 1, 0x10, 0, 0, 0, 5, 0, 2],
        rtcp::emit(&compound).unwrap(),
        include_bytes!("fixtures/chrome-offer.sdp").to_vec(),
        include_bytes!("fixtures/rtpengine-answer.sdp").to_vec(),
        b"INVITE sip:a SIP/2.0\r\nf: \"x\" <sip:b>;tag=1\r\nA: b,\r\n c\r\nl: 2\r\n\r\nhi".to_vec(),
        b"Digest realm=\"a\\\"b\", nonce=n, qop=\"auth\", Basic x=y, Digest realm=c,nonce=d".to_vec(),
    ]
}

fn attribute() -> impl Strategy<Value = Attribute> {
    let address = any::<(std::net::IpAddr, u16)>().prop_map(SocketAddr::from);
    let bytes = vec(any::<u8>(), 0..40);
    prop_oneof![
        address.clone().prop_map(Attribute::MappedAddress),
        address.clone().prop_map(Attribute::XorMappedAddress),
        address.clone().prop_map(Attribute::XorPeerAddress),
        address.prop_map(Attribute::XorRelayedAddress),
        ".{0,20}".prop_map(Attribute::Username),
        ".{0,20}".prop_map(Attribute::Realm),
        ".{0,20}".prop_map(Attribute::Nonce),
        ".{0,20}".prop_map(Attribute::Software),
        any::<[u8; 20]>().prop_map(Attribute::MessageIntegrity),
        any::<u32>().prop_map(Attribute::Fingerprint),
        (300..700u16, ".{0,20}").prop_map(|(code, reason)| Attribute::ErrorCode { code, reason }),
        vec(any::<u16>(), 0..5).prop_map(Attribute::UnknownAttributes),
        any::<u32>().prop_map(Attribute::Priority),
        Just(Attribute::UseCandidate),
        any::<u64>().prop_map(Attribute::IceControlled),
        any::<u64>().prop_map(Attribute::IceControlling),
        any::<u16>().prop_map(Attribute::ChannelNumber),
        any::<u32>().prop_map(Attribute::Lifetime),
        bytes.clone().prop_map(Attribute::Data),
        any::<bool>().prop_map(|v4| {
            Attribute::RequestedAddressFamily(if v4 { stun::AddressFamily::V4 } else { stun::AddressFamily::V6 })
        }),
        any::<bool>().prop_map(Attribute::EvenPort),
        any::<u8>().prop_map(Attribute::RequestedTransport),
        Just(Attribute::DontFragment),
        (0xc000..=u16::MAX, bytes).prop_map(|(kind, value)| Attribute::Other { kind, value }),
    ]
}

fn rtcp_packet() -> impl Strategy<Value = rtcp::Packet> {
    let block = any::<(u32, u8, u32, u32, u32, u32)>().prop_flat_map(
        |(ssrc, fraction_lost, highest_sequence, jitter, last_report, delay)| {
            (-0x80_0000..0x80_0000i32).prop_map(move |lost| rtcp::ReportBlock {
                ssrc,
                fraction_lost,
                lost,
                highest_sequence,
                jitter,
                last_report,
                delay,
            })
        },
    );
    let reports = vec(block, 0..4);
    let words = vec(any::<[u8; 4]>(), 0..4).prop_map(|words| words.concat());
    let item = (1..=255u8, vec(any::<u8>(), 0..20));
    let chunk = (any::<u32>(), vec(item, 0..4)).prop_map(|(ssrc, items)| rtcp::Chunk { ssrc, items });
    prop_oneof![
        (any::<(u32, u64, u32, u32, u32)>(), reports.clone(), words.clone()).prop_map(
            |((ssrc, ntp, rtp, packets, octets), reports, extension)| {
                rtcp::Packet::SenderReport { ssrc, ntp, rtp, packets, octets, reports, extension }
            }
        ),
        (any::<u32>(), reports, words.clone()).prop_map(|(ssrc, reports, extension)| rtcp::Packet::ReceiverReport {
            ssrc,
            reports,
            extension
        }),
        vec(chunk, 0..4).prop_map(rtcp::Packet::SourceDescription),
        (vec(any::<u32>(), 0..4), option::of(".{0,20}"))
            .prop_map(|(sources, reason)| rtcp::Packet::Bye { sources, reason }),
        (204..=255u8, 0..32u8, words).prop_map(|(packet_type, count, body)| rtcp::Packet::Other {
            packet_type,
            count,
            body
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn random_bytes_panic_nothing(bytes in vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
    }

    #[test]
    fn broken_inputs_panic_nothing(which in 0..8usize, edits in vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6)) {
        let mut bytes = valid().swap_remove(which);
        for (at, byte, edit) in edits {
            let at = at.index(bytes.len().max(1));
            match edit {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, byte),
                2 if at < bytes.len() => { bytes.remove(at); }
                _ => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = byte),
            }
        }
        read_all(&bytes);
    }

    #[test]
    fn stun_reads_back(class in 0..4usize, method in 0..0x1000u16, transaction: [u8; 12], attributes in vec(attribute(), 0..12)) {
        use stun::Class::{Error, Indication, Request, Success};
        let class = [Request, Indication, Success, Error][class];
        let mut message = stun::Message::new(class, stun::Method::new(method), transaction);
        message.attributes = attributes;
        let bytes = message.emit().unwrap();
        prop_assert!(stun::is_stun(&bytes));
        prop_assert_eq!(stun::Message::parse(&bytes), Ok(message));
        prop_assert_eq!(turn::frame_bytes(&bytes), Ok(Some(bytes.len())));
    }

    #[test]
    fn rtp_reads_back(
        (marker, payload_type, sequence, timestamp, ssrc) in (any::<bool>(), 0..128u8, any::<u16>(), any::<u32>(), any::<u32>()),
        csrc in vec(any::<u32>(), 0..16),
        extension in option::of((any::<u16>(), vec(any::<[u8; 4]>(), 0..5))),
        payload in vec(any::<u8>(), 0..50),
        padding_bytes: u8,
    ) {
        let extension = extension.map(|(profile, words)| rtp::Extension { profile, data: words.concat() });
        let padding = padding_bytes > 0;
        let header = rtp::Header { padding, marker, payload_type, sequence, timestamp, ssrc, csrc, extension };
        let packet = rtp::Packet { header, payload: &payload, padding_bytes };
        let bytes = packet.emit().unwrap();
        prop_assert_eq!(rtp::Packet::parse(&bytes), Ok(packet));
    }

    #[test]
    fn rtcp_reads_back(packets in vec(rtcp_packet(), 1..5)) {
        let bytes = rtcp::emit(&packets).unwrap();
        prop_assert_eq!(rtcp::parse(&bytes), Ok(packets));
    }

    #[test]
    fn channel_data_reads_back(channel in 0x4000..=0x4fffu16, data in vec(any::<u8>(), 0..50)) {
        let packet = turn::ChannelData { channel, data: &data };
        let (datagram, frame) = (packet.emit().unwrap(), packet.emit_padded().unwrap());
        prop_assert_eq!(turn::ChannelData::parse(&datagram), Ok(packet));
        prop_assert_eq!(turn::ChannelData::parse(&frame), Ok(packet));
    }

    #[test]
    fn sip_reads_back(value in "[ -~]{0,40}", body in vec(any::<u8>(), 0..50)) {
        let bytes = sip::Builder::request("MESSAGE", "sip:a@b").header("X-A", &value).body("x/y", body.clone()).build().unwrap();
        let prepared = sip::prepare(&bytes).unwrap();
        prop_assert_eq!(prepared.bytes().len() + value.len() - value.trim().len(), bytes.len());
        prop_assert_eq!(prepared.message.header("x-a"), Some(value.trim()));
        prop_assert_eq!(prepared.message.body, body);
    }

    #[test]
    fn folds_anywhere_at_spaces_mean_the_same(words in vec("[a-z<>\"]{1,8}", 1..8), folds: [bool; 8]) {
        let plain = format!("OPTIONS sip:a SIP/2.0\r\nX: {}\r\n\r\n", words.join(" "));
        let mut folded = String::from("OPTIONS sip:a SIP/2.0\r\nX:");
        for (word, fold) in words.iter().zip(folds) {
            folded += if fold { "\r\n\t" } else { " " };
            folded += word;
        }
        folded += "\r\n\r\n";
        prop_assert_eq!(sip::Message::parse(folded.as_bytes()), sip::Message::parse(plain.as_bytes()));
    }

    #[test]
    fn digest_reads_back(realm in "[ -~]{0,20}", nonce in "[ -~]{0,20}", opaque in option::of("[ -~]{0,20}"), qop in vec("auth|auth-int", 0..3), stale: bool) {
        let challenge = digest::Challenge { realm, nonce, algorithm: None, qop, opaque, stale };
        prop_assert_eq!(digest::challenges([challenge.to_string().as_str()]), Ok(vec![challenge.clone()]));
        if let Ok(answer) = digest::Authorization::answer(&challenge, ("u\"", "p"), ("REGISTER", "sip:x,y"), (9, "c")) {
            prop_assert_eq!(digest::Authorization::parse(&answer.to_string()), Ok(Some(answer.clone())));
            let stored = digest::ha1(digest::Algorithm::Md5, "u\"", &challenge.realm, "p");
            prop_assert_eq!(answer.verify(&stored, "REGISTER"), Ok(()));
        }
    }
}
