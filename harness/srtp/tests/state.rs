//! What a context remembers: rollover, replays, limits, and that nothing forged leaves a trace.

use ringfence_srtp::bend::{self, Verified};
use ringfence_srtp::{Context, MAX_PACKET_BYTES, MAX_STREAMS, MasterKey, Profile, ProtectError, UnprotectError};

const SSRC: u32 = 0x5501_a0b2;

fn context(profile: Profile) -> Context {
    let (key, salt) = (vec![0x3c; profile.key_len()], vec![0xa5; profile.salt_len()]);
    Context::new(profile, &MasterKey::new(profile, &key, &salt).unwrap())
}

fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0; 4]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(b"some bytes of voice");
    packet
}

fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet.extend([9; 24]);
    packet
}

fn protected(sender: &mut Context, sequence: u16) -> Vec<u8> {
    let mut packet = rtp(SSRC, sequence);
    sender.protect_rtp(&mut packet).unwrap();
    packet
}

#[test]
fn the_rollover_counter_survives_loss_and_disorder() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = (context(profile), context(profile));
        let mut held_back = Vec::new();
        for n in 0..3 * 65_536_u32 / 64 {
            let mut packet = protected(&mut sender, (n * 64) as u16);
            match n % 1024 {
                1023 => held_back = packet, // arrives after the wrap, one packet behind the window
                1000..1020 => {}            // lost
                _ => receiver.unprotect_rtp(&mut packet).unwrap(),
            }
            if n % 1024 == 0 && n > 0 {
                let late = receiver.unprotect_rtp(&mut held_back);
                assert_eq!(late, Err(UnprotectError::Replay { ssrc: SSRC, index: u64::from(n - 1) * 64 }));
            }
        }
        assert_eq!(receiver.received_index(SSRC).unwrap() >> 16, 2);
        assert_eq!(sender.sent_index(SSRC).unwrap() >> 16, 2);
    }
}

#[test]
fn late_packets_from_before_the_wrap_are_read() {
    let (mut sender, mut receiver) = (context(Profile::AeadAes128Gcm), context(Profile::AeadAes128Gcm));
    let mut packets: Vec<_> = (0xfff0..=0xffff).chain(0..16).map(|n| protected(&mut sender, n)).collect();
    packets.reverse();
    let last = packets.pop().unwrap();
    receiver.unprotect_rtp(&mut last.clone()).unwrap(); // the stream starts before the wrap
    for packet in &mut packets {
        receiver.unprotect_rtp(packet).unwrap();
    }
    assert_eq!(receiver.received_index(SSRC), Some(0x1_000f));
}

#[test]
fn replays_are_refused_and_can_be_let_through() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = (context(profile), context(profile));
        let packet = protected(&mut sender, 7);
        receiver.unprotect_rtp(&mut packet.clone()).unwrap();
        let replay = Err(UnprotectError::Replay { ssrc: SSRC, index: 7 });
        assert_eq!(receiver.unprotect_rtp(&mut packet.clone()), replay);
        let mut again = packet.clone();
        bend::unprotect_rtp_ignoring_replay(&mut receiver, &mut again).unwrap();
        assert_eq!(again, rtp(SSRC, 7));

        let mut report = rtcp(SSRC);
        sender.protect_rtcp(&mut report).unwrap();
        receiver.unprotect_rtcp(&mut report.clone()).unwrap();
        let replay = Err(UnprotectError::Replay { ssrc: SSRC, index: 0 });
        assert_eq!(receiver.unprotect_rtcp(&mut report.clone()), replay);
        bend::unprotect_rtcp_ignoring_replay(&mut receiver, &mut report.clone()).unwrap();
        let anyway = bend::unprotect_rtcp_ignoring_tag_and_replay(&mut receiver, &mut report);
        assert_eq!(anyway, Ok(Verified(true)));
        assert_eq!(report, rtcp(SSRC));
    }
}

#[test]
fn a_wrong_tag_can_be_ignored_and_leaves_no_trace() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = (context(profile), context(profile));
        let good = protected(&mut sender, 7);
        let mut wrong = good.clone();
        *wrong.last_mut().unwrap() ^= 1;
        let refused = Err(UnprotectError::Authentication { ssrc: SSRC, index: 7 });
        assert_eq!(receiver.unprotect_rtp(&mut wrong.clone()), refused);
        assert_eq!(bend::unprotect_rtp_ignoring_tag(&mut receiver, &mut wrong), Ok(Verified(false)));
        assert_eq!(wrong, rtp(SSRC, 7));
        assert_eq!(receiver.received_index(SSRC), None);
        let mut packet = good.clone();
        assert_eq!(bend::unprotect_rtp_ignoring_tag(&mut receiver, &mut packet), Ok(Verified(true)));
        assert_eq!(packet, rtp(SSRC, 7));
        assert_eq!(receiver.received_index(SSRC), Some(7));

        let mut report = rtcp(SSRC);
        sender.protect_rtcp(&mut report).unwrap();
        report[8] ^= 1;
        let anyway = bend::unprotect_rtcp_ignoring_tag_and_replay(&mut receiver, &mut report);
        assert_eq!(anyway, Ok(Verified(false)));
        report[8] ^= 1; // counter mode hands the flip through
        assert_eq!(report, rtcp(SSRC));
    }
}

#[test]
fn a_missing_tag_can_be_ignored() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = (context(profile), context(profile));
        let mut plain = rtp(SSRC, 1);
        plain.truncate(12 + 3); // a payload shorter than any tag
        let mut packet = plain.clone();
        sender.protect_rtp(&mut packet).unwrap();
        packet.truncate(plain.len());
        let short =
            UnprotectError::TooShort { field: "authentication tag", needed: 12 + profile.tag_len(), actual: 15 };
        assert_eq!(receiver.unprotect_rtp(&mut packet), Err(short));
        assert_eq!(bend::unprotect_rtp_ignoring_tag(&mut receiver, &mut packet), Ok(Verified(false)));
        assert_eq!(packet, plain);
    }
}

#[test]
fn a_stranger_key_is_refused() {
    for profile in Profile::ALL {
        let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
        let mut stranger = Context::new(profile, &MasterKey::new(profile, &key, &salt).unwrap());
        let mut packet = protected(&mut stranger, 3);
        let refused = Err(UnprotectError::Authentication { ssrc: SSRC, index: 3 });
        assert_eq!(context(profile).unprotect_rtp(&mut packet), refused);
    }
}

/// RFC 3711, section 9.1.
#[test]
fn no_keystream_is_used_twice() {
    let mut sender = context(Profile::AesCm128HmacSha1_80);
    protected(&mut sender, 100);
    protected(&mut sender, 90); // late, but new
    let mut packet = rtp(SSRC, 90);
    assert_eq!(sender.protect_rtp(&mut packet), Err(ProtectError::Reused { ssrc: SSRC, index: 90 }));
    assert_eq!(packet, rtp(SSRC, 90));
    bend::protect_rtp_at(&mut sender, &mut packet, 0).unwrap();
    context(Profile::AesCm128HmacSha1_80).unprotect_rtp(&mut packet).unwrap();
}

#[test]
fn a_rollover_counter_can_be_chosen() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = (context(profile), context(profile));
        receiver.unprotect_rtp(&mut protected(&mut sender, 0xfffe)).unwrap();
        let before = format!("{sender:?}");
        let mut next = rtp(SSRC, 1);
        bend::protect_rtp_at(&mut sender, &mut next, 1).unwrap();
        receiver.unprotect_rtp(&mut next).unwrap();
        let mut jump = rtp(SSRC, 2);
        bend::protect_rtp_at(&mut sender, &mut jump, 2).unwrap();
        let refused = Err(UnprotectError::Authentication { ssrc: SSRC, index: 1 << 16 | 2 });
        assert_eq!(receiver.unprotect_rtp(&mut jump), refused);
        assert_eq!(format!("{sender:?}"), before);
    }
}

/// RFC 3711, section 3.4: zero for the first packet of a stream, one more for each, with the E flag set.
#[test]
fn the_srtcp_index_counts_up_from_zero() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = (context(profile), context(profile));
        for index in 0..3_u32 {
            let mut packet = rtcp(SSRC);
            sender.protect_rtcp(&mut packet).unwrap();
            let behind = if profile.is_aead() { 0 } else { profile.rtcp_tag_len() };
            let word = &packet[packet.len() - behind - 4..][..4];
            assert_eq!(word, (1 << 31 | index).to_be_bytes());
            receiver.unprotect_rtcp(&mut packet).unwrap();
        }
    }
}

/// RFC 3711, section 9.2: the index does not wrap under one key.
#[test]
fn the_srtcp_index_ends_at_its_limit() {
    const LAST: u32 = (1 << 31) - 1;
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = (context(profile), context(profile));
        let mut last = rtcp(SSRC);
        bend::protect_rtcp_at(&mut sender, &mut last, LAST).unwrap();
        receiver.unprotect_rtcp(&mut last).unwrap();
        let mut wrapped = rtcp(SSRC);
        bend::protect_rtcp_at(&mut sender, &mut wrapped, 0).unwrap();
        let refused = Err(UnprotectError::Replay { ssrc: SSRC, index: 0 });
        assert_eq!(receiver.unprotect_rtcp(&mut wrapped.clone()), refused);
        bend::unprotect_rtcp_ignoring_replay(&mut receiver, &mut wrapped).unwrap();
        let over = bend::protect_rtcp_at(&mut sender, &mut rtcp(SSRC), LAST + 1);
        assert_eq!(over, Err(ProtectError::Index { ssrc: SSRC }));
    }
}

#[test]
fn streams_are_counted_apart_and_bounded() {
    let profile = Profile::AeadAes128Gcm;
    let (mut sender, mut receiver) = (context(profile), context(profile));
    for ssrc in 0..MAX_STREAMS as u32 {
        let mut packet = rtp(ssrc, 1);
        sender.protect_rtp(&mut packet).unwrap();
        let mut forged = packet.clone();
        forged[12] ^= 1;
        assert!(receiver.unprotect_rtp(&mut forged).is_err());
        receiver.unprotect_rtp(&mut packet).unwrap();
    }
    let full = ProtectError::Streams { ssrc: SSRC, limit: MAX_STREAMS };
    assert_eq!(sender.protect_rtp(&mut rtp(SSRC, 1)), Err(full));
    assert_eq!(sender.protect_rtcp(&mut rtcp(SSRC)), Err(full));
    let mut packet = rtp(SSRC, 1);
    bend::protect_rtp_at(&mut sender, &mut packet, 0).unwrap();
    let full = Err(UnprotectError::Streams { ssrc: SSRC, limit: MAX_STREAMS });
    assert_eq!(receiver.unprotect_rtp(&mut packet), full);
    let mut known = rtp(0, 2);
    sender.protect_rtp(&mut known).unwrap();
    receiver.unprotect_rtp(&mut known).unwrap();
}

#[test]
fn nothing_longer_than_a_datagram_is_made_or_taken() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = (context(profile), context(profile));
        let mut packet = rtp(SSRC, 1);
        packet.resize(MAX_PACKET_BYTES - profile.tag_len() + 1, 0);
        let too_long = ProtectError::TooLong { limit: MAX_PACKET_BYTES, actual: MAX_PACKET_BYTES + 1 };
        assert_eq!(sender.protect_rtp(&mut packet), Err(too_long));
        packet.pop();
        sender.protect_rtp(&mut packet).unwrap();
        receiver.unprotect_rtp(&mut packet).unwrap();
        packet.resize(MAX_PACKET_BYTES + 1, 0);
        let too_long = UnprotectError::TooLong { limit: MAX_PACKET_BYTES, actual: MAX_PACKET_BYTES + 1 };
        assert_eq!(receiver.unprotect_rtp(&mut packet), Err(too_long));
    }
}

#[test]
fn bytes_that_are_no_rtp_can_be_protected_and_opened_again() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = (context(profile), context(profile));
        let mut bytes = rtp(SSRC, 7);
        bytes[0] = 0x47; // no version of RTP, seven CSRCs that are not there
        let clear = bytes.clone();
        bend::protect_rtp_raw(&mut sender, &mut bytes, 12, 7).unwrap();
        assert_eq!(bytes.len(), clear.len() + profile.tag_len());
        assert!(receiver.unprotect_rtp(&mut bytes.clone()).is_err());
        assert_eq!(bend::unprotect_rtp_raw(&mut receiver, &mut bytes.clone(), 12, 1 << 16 | 7), Ok(Verified(false)));
        assert_eq!(bend::unprotect_rtp_raw(&mut receiver, &mut bytes, 12, 7), Ok(Verified(true)));
        assert_eq!((bytes, receiver.received_index(SSRC)), (clear.clone(), None));
        assert!(bend::protect_rtp_raw(&mut sender, &mut vec![0x80; 11], 0, 7).is_err(), "no header");
        assert!(bend::protect_rtp_raw(&mut sender, &mut vec![0x80; 20], 21, 7).is_err(), "half a header");
        let short = bend::unprotect_rtp_raw(&mut receiver, &mut vec![0x80; 20], 20, 7);
        assert!(matches!(short, Err(UnprotectError::TooShort { .. })));
    }
}

#[test]
fn who_joins_late_can_be_told_the_rollover() {
    let (mut sender, mut receiver) = (context(Profile::AeadAes128Gcm), context(Profile::AeadAes128Gcm));
    bend::assume_received(&mut receiver, SSRC, 5 << 16 | 3);
    let mut packet = rtp(SSRC, 4);
    bend::protect_rtp_at(&mut sender, &mut packet, 5).unwrap();
    receiver.unprotect_rtp(&mut packet).unwrap();
    assert_eq!(packet, rtp(SSRC, 4));
}
