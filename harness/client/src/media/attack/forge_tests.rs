//! Each kind of packet, held against what an honest receiver and a careless one make of it.

use ringfence_model::Secret;
use ringfence_srtp::{Context, MasterKeys, Profile, bend};
use ringfence_wire::rtcp::{self, Packet as Rtcp};
use ringfence_wire::rtp::{Header, Packet};

use super::forge::{Forge, Forged, Hand};
use super::{Attack, AttackKind, Corpus, History, malformed_items};
use crate::media::audio::{MARKER_BYTES, MARKER_OFFSET, Marker, PacketKind, Stream};
use crate::media::srtp::{Opened, Srtp};

const PROFILES: [Profile; 3] = [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm, Profile::AesCm128HmacSha1_80];
const TARGET: u32 = 0x7a36_e700;

/// Our side of a call, three hundred packets and a few reports into it, and an honest receiver that has them all.
struct Bench {
    profile: Profile,
    stream: Stream,
    srtp: Srtp,
    history: History,
    sent: Vec<Vec<u8>>,
    receiver: Srtp,
    /// Another receiver's context, for carelessness.
    careless: Context,
}

impl Bench {
    fn new(profile: Profile) -> Self {
        let material: Vec<u8> = (0..profile.keying_material_len()).map(|byte| byte as u8).collect();
        let careless = Context::new(&MasterKeys::from_exporter(profile, &material).unwrap().client);
        let (mut srtp, mut receiver) = (Srtp::default(), Srtp::default());
        srtp.key_by_dtls(profile, Secret::new(material.clone()), true).unwrap();
        receiver.key_by_dtls(profile, Secret::new(material), false).unwrap();
        let (stream, history, sent) = (Stream::new(5, None), History::default(), Vec::new());
        let mut bench = Self { profile, stream, srtp, history, sent, receiver, careless };
        for number in 0..300 {
            let (clear, marker, _) = bench.stream.packet(PacketKind::Good);
            let packet = bench.srtp.protect_rtp(clear).unwrap();
            assert!(matches!(bench.receiver.open_rtp(&packet), Opened::Authentic(_)));
            bench.careless.unprotect_rtp(&mut packet.clone()).unwrap();
            bench.history.sent(number, marker.unwrap(), &packet);
            bench.history.came_back(number);
            bench.sent.push(packet);
        }
        for time in 1..5 {
            let report = bench.srtp.protect_rtcp(vec![0x80, 201, 0, 1, 0, 0, 0, 1]).unwrap();
            assert!(matches!(bench.receiver.open_rtcp(&report), Opened::Authentic(_)));
            bench.history.reported(time, &report);
            bench.history.named(time);
        }
        bench
    }

    fn hand(&mut self) -> Hand<'_> {
        Hand { stream: &mut self.stream, srtp: &mut self.srtp, history: &mut self.history, target_ssrc: Some(TARGET) }
    }

    fn forge(&mut self, attack: Attack) -> Vec<Forged> {
        let mut forge = Forge::new(attack, &mut self.hand());
        (0..attack.count).filter_map(|_| forge.next(&mut self.hand())).collect()
    }

    fn of(&mut self, kind: AttackKind, count: u32) -> Vec<Forged> {
        self.forge(Attack::new(kind, count, 50))
    }

    /// What an honest receiver gets of it, in the clear.
    #[track_caller]
    fn opened(&mut self, packet: &[u8]) -> Vec<u8> {
        match self.receiver.open_rtp(packet) {
            Opened::Authentic(clear) => clear,
            other => panic!("{other:?}"),
        }
    }
}

fn marker_of(clear: &[u8]) -> Marker {
    let payload = Packet::parse(clear).unwrap().payload;
    payload[MARKER_OFFSET..MARKER_OFFSET + MARKER_BYTES].try_into().unwrap()
}

fn header(packet: &[u8]) -> Header {
    Header::parse(packet).unwrap().0
}

#[test]
fn forged_tags_missing_tags_and_foreign_keys_are_for_the_tag_alone_to_refuse() {
    for profile in PROFILES {
        for kind in [AttackKind::ForgedTag, AttackKind::NoTag, AttackKind::WrongKey] {
            let mut bench = Bench::new(profile);
            let first = bench.stream.next_sequence();
            let ssrc = bench.stream.ssrc();
            for (place, forged) in bench.of(kind, 3).into_iter().enumerate() {
                assert_eq!(bench.receiver.open_rtp(&forged.bytes), Opened::Refused, "{profile:?} {kind:?}");
                let sequence = first + place as u16;
                assert_eq!((header(&forged.bytes).ssrc, forged.sequence), (ssrc, Some(sequence)));
                let tag = usize::from(kind != AttackKind::NoTag) * profile.tag_len();
                assert_eq!(forged.bytes.len() - tag, bench.sent[0].len() - profile.tag_len());
                // Whoever decrypts without looking at the tag brings back one of these markers.
                let mut careless = forged.bytes.clone();
                bend::unprotect_rtp_ignoring_tag(&mut bench.careless, &mut careless).unwrap();
                assert!(forged.markers.contains(&marker_of(&careless)), "{profile:?} {kind:?}");
            }
        }
    }
}

#[test]
fn plain_packets_are_rtp_of_ours() {
    let mut bench = Bench::new(PROFILES[0]);
    let first = bench.stream.next_sequence();
    let forged = bench.of(AttackKind::PlainRtp, 2).remove(1);
    assert_eq!(header(&forged.bytes).sequence, first + 1);
    assert_eq!((header(&forged.bytes).ssrc, forged.markers), (bench.stream.ssrc(), vec![marker_of(&forged.bytes)]));
    assert_eq!(bench.receiver.open_rtp(&forged.bytes), Opened::Refused);
}

#[test]
fn replays_are_what_was_sent_byte_for_byte() {
    for (kind, behind) in [(AttackKind::Replay, 1..=40), (AttackKind::ReplayOld, 100..=250)] {
        let mut bench = Bench::new(PROFILES[2]);
        let replays = bench.of(kind, 30);
        assert_eq!(replays.len(), 30);
        for replay in replays {
            let place = bench.sent.iter().position(|sent| *sent == replay.bytes).expect("sent before");
            assert!(behind.contains(&(299 - place)), "{kind:?} {place}");
            assert_eq!(bench.receiver.open_rtp(&replay.bytes), Opened::Replayed);
            assert!(bench.history.came_back(place as u64), "what comes back of it comes back once more");
        }
    }
}

#[test]
fn forged_and_plain_reports_end_in_a_bye_of_ours() {
    for profile in PROFILES {
        let mut bench = Bench::new(profile);
        let ssrc = bench.stream.ssrc();
        let plain = bench.of(AttackKind::SrtcpPlain, 1).remove(0);
        let parts = rtcp::parse(&plain.bytes).unwrap();
        let [Rtcp::SenderReport { ntp, .. }, Rtcp::Bye { sources, .. }] = &parts[..] else { panic!("{parts:?}") };
        assert_eq!((sources, plain.time), (&vec![ssrc], Some((ntp >> 16) as u32)));
        assert_eq!(bench.receiver.open_rtcp(&plain.bytes), Opened::Refused);

        let forged = bench.of(AttackKind::SrtcpForged, 1).remove(0);
        assert_eq!(bench.receiver.open_rtcp(&forged.bytes), Opened::Refused, "{profile:?}");
        let mut careless = forged.bytes.clone();
        bend::unprotect_rtcp_ignoring_tag_and_replay(&mut bench.careless, &mut careless).unwrap();
        assert!(matches!(rtcp::parse(&careless).unwrap()[..], [Rtcp::SenderReport { .. }, Rtcp::Bye { .. }]));

        let replay = bench.of(AttackKind::SrtcpReplay, 1).remove(0);
        assert_eq!((bench.receiver.open_rtcp(&replay.bytes), replay.time), (Opened::Replayed, Some(3)));
    }
}

#[test]
fn the_last_srtcp_index_is_followed_by_the_first() {
    for profile in PROFILES {
        let mut bench = Bench::new(profile);
        let packets = bench.of(AttackKind::SrtcpIndexLimit, 3);
        let times: Vec<u32> = packets.iter().map(|packet| packet.time.unwrap()).collect();
        assert!(times[0] != times[1] && times[1] != times[2]);
        assert!(matches!(bench.receiver.open_rtcp(&packets[0].bytes), Opened::Authentic(_)), "{profile:?}");
        for packet in &packets[1..] {
            assert_eq!(bench.receiver.open_rtcp(&packet.bytes), Opened::Replayed);
            // Index 0 and 1, under a right tag.
            bend::unprotect_rtcp_ignoring_replay(&mut bench.careless, &mut packet.bytes.clone()).unwrap();
        }
    }
}

#[test]
fn a_jump_is_32_000_ahead_under_a_wrong_tag() {
    let mut bench = Bench::new(PROFILES[0]);
    let next = bench.stream.next_sequence();
    for forged in bench.of(AttackKind::RocJump, 3) {
        assert_eq!(header(&forged.bytes).sequence, next.wrapping_add(32_000));
        assert_eq!(bench.receiver.open_rtp(&forged.bytes), Opened::Refused);
    }
    assert_eq!(bench.stream.next_sequence(), next, "our own numbers go on");
}

#[test]
fn good_packets_wrap_without_a_step_that_a_receiver_could_misread() {
    for profile in PROFILES {
        let mut bench = Bench::new(profile);
        let mut last = bench.stream.next_sequence().wrapping_sub(1);
        let packets = bench.of(AttackKind::RocWrap, 200);
        for (place, packet) in packets.iter().enumerate() {
            let sequence = header(&packet.bytes).sequence;
            assert!((1..30_000).contains(&sequence.wrapping_sub(last)), "{last} {sequence}");
            assert_eq!(packet.good, Some(300 + place as u64));
            assert_eq!(packet.markers, [marker_of(&bench.opened(&packet.bytes))]);
            last = sequence;
        }
        assert!((50..200).contains(&last), "{last} lies behind the wrap");
        // Foreign packets still betray who ignores tags.
        let forged = bench.of(AttackKind::WrongKey, 1).remove(0);
        let mut view = bench.srtp.targets_view(bench.stream.ssrc()).unwrap();
        let mut careless = forged.bytes.clone();
        bend::unprotect_rtp_ignoring_tag(&mut view, &mut careless).unwrap();
        assert!(forged.markers.contains(&marker_of(&careless)));
    }
}

#[test]
fn malformed_packets_go_out_plain_and_protected_in_turn() {
    for corpus in [Corpus::Rtp, Corpus::Rtcp] {
        for (item, name) in malformed_items(corpus).enumerate() {
            let mut bench = Bench::new(PROFILES[0]);
            let attack = Attack { corpus, item, ..Attack::new(AttackKind::Malformed, 2, 50) };
            let packets = bench.forge(attack);
            assert_eq!(packets.len(), 2, "{name}");
            let protected = &packets[1].bytes;
            match corpus {
                Corpus::Rtcp if protected.len() > packets[0].bytes.len() => {
                    assert!(matches!(bench.receiver.open_rtcp(protected), Opened::Authentic(_)), "{name}");
                }
                _ if protected.len() > packets[0].bytes.len() => {
                    let index = u64::from(u16::from_be_bytes([protected[2], protected[3]]));
                    let opened = bend::unprotect_rtp_raw(&mut bench.careless, &mut protected.clone(), 12, index);
                    assert_eq!(opened.unwrap(), bend::Verified(true), "{name}");
                }
                _ => assert!(protected.len() < 12, "{name}: too short to protect"),
            }
        }
    }
}

#[test]
fn truncated_packets_are_cut_and_floods_are_not() {
    let mut bench = Bench::new(PROFILES[1]);
    let whole = bench.sent[0].len();
    let mut lengths: Vec<usize> = bench.of(AttackKind::Truncated, 50).iter().map(|forged| forged.bytes.len()).collect();
    lengths.sort_unstable();
    assert!(lengths[0] < whole / 2 && lengths[49] < whole, "{lengths:?}");
    for packet in bench.of(AttackKind::Flood, 100) {
        bench.opened(&packet.bytes);
    }
}

#[test]
fn a_second_source_is_a_new_one_and_then_the_targets() {
    let mut bench = Bench::new(PROFILES[0]);
    let ours = bench.stream.ssrc();
    let packets = bench.of(AttackKind::WrongSsrc, 10);
    let sources: Vec<u32> = packets.iter().map(|packet| header(&bench.opened(&packet.bytes)).ssrc).collect();
    assert!(sources[..5].iter().all(|source| *source == sources[0] && *source != ours && *source != TARGET));
    assert!(sources[5..].iter().all(|source| *source == TARGET));
}

#[test]
fn a_spray_goes_to_two_ports_under_many_sources() {
    let mut bench = Bench::new(PROFILES[0]);
    let ours = bench.stream.ssrc();
    let of = |corpus| Attack { corpus, ..Attack::new(AttackKind::BleedSpray, 12, 50) };
    let plain = bench.forge(of(Corpus::Plain));
    let kinds: std::collections::BTreeSet<u8> = plain.iter().map(|packet| header(&packet.bytes).payload_type).collect();
    assert!(kinds.contains(&0) && kinds.contains(&8) && kinds.contains(&bench.stream.payload_type()));
    for (place, packet) in plain.iter().enumerate() {
        assert_eq!(packet.odd_port, place % 2 == 1);
        assert_eq!((packet.ssrc, &packet.markers), (Some(header(&packet.bytes).ssrc), &vec![marker_of(&packet.bytes)]));
        assert_ne!(packet.ssrc, Some(ours));
    }
    let noise = bench.forge(of(Corpus::RandomSrtp));
    assert_eq!(noise[0].bytes.len(), plain[0].bytes.len() + bench.profile.tag_len());
    assert!(noise.iter().all(|packet| bench.receiver.open_rtp(&packet.bytes) == Opened::Refused));
    let captured = bench.forge(of(Corpus::CapturedSrtp));
    assert!(captured.len() == 12 && captured.iter().all(|packet| bench.sent.contains(&packet.bytes)));
}

#[test]
fn an_injection_goes_on_with_our_source_and_numbers() {
    let mut bench = Bench::new(PROFILES[0]);
    let (ours, first) = (bench.stream.ssrc(), bench.stream.next_sequence());
    for (corpus, at) in [(Corpus::Plain, 0), (Corpus::RandomSrtp, 2)] {
        let attack = Attack { corpus, ..Attack::new(AttackKind::Inject, 2, 50) };
        for (place, packet) in bench.forge(attack).iter().enumerate() {
            let header = header(&packet.bytes);
            assert_eq!((header.ssrc, header.sequence), (ours, first + at + place as u16));
            assert_eq!(bench.receiver.open_rtp(&packet.bytes), Opened::Refused);
            let plain = Packet::parse(&packet.bytes).is_ok() && marker_of(&packet.bytes) == packet.markers[0];
            assert_eq!(plain, corpus == Corpus::Plain);
        }
    }
}

#[test]
fn a_first_byte_that_is_not_rtps_is_all_that_is_wrong() {
    for profile in PROFILES {
        let mut bench = Bench::new(profile);
        let mut firsts = Vec::new();
        for packet in bench.of(AttackKind::Demux, 44) {
            let first = packet.bytes[0];
            assert!((4..=15).contains(&first) || (64..=127).contains(&first) || first >= 192, "{first}");
            assert_eq!(bench.receiver.open_rtp(&packet.bytes), Opened::Refused);
            let sources = 4 * usize::from(first & 15);
            let mut opened = packet.bytes.clone();
            let index = u64::from(packet.sequence.unwrap());
            let verified = bend::unprotect_rtp_raw(&mut bench.careless, &mut opened, 12 + sources, index).unwrap();
            assert_eq!(verified, bend::Verified(true), "{profile:?} {first}");
            opened[0] = 0x80 | first & 15;
            assert_eq!(packet.markers, [marker_of(&opened)]);
            firsts.push(first);
        }
        assert!([4, 64, 192].iter().all(|first| firsts.contains(first)));
    }
}
