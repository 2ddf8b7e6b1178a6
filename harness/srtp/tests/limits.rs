//! Where it ends: streams, lengths, indices.

mod fixtures;

use fixtures::{SSRC, both_ends, context, rtcp, rtp};
use ringfence_srtp::{MAX_PACKET_BYTES, MAX_STREAMS, Profile, ProtectError, UnprotectError, bend};

#[test]
fn streams_are_counted_apart_and_bounded() {
    let profile = Profile::AeadAes128Gcm;
    let (mut sender, mut receiver) = both_ends(profile);
    for ssrc in 0..MAX_STREAMS as u32 {
        let mut forged = [rtp(ssrc + 10_000, 1), vec![0; 16]].concat();
        assert!(receiver.unprotect_rtp(&mut forged).is_err(), "and takes no room");
    }
    for ssrc in 0..MAX_STREAMS as u32 {
        let mut packet = rtp(ssrc, 1);
        sender.protect_rtp(&mut packet).unwrap();
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
        let (mut sender, mut receiver) = both_ends(profile);
        let mut packet = rtp(SSRC, 1);
        packet.resize(MAX_PACKET_BYTES - profile.tag_len() + 1, 0);
        let too_long = ProtectError::TooLong { limit: MAX_PACKET_BYTES, actual: MAX_PACKET_BYTES + 1 };
        assert_eq!(sender.protect_rtp(&mut packet), Err(too_long));
        assert_eq!(packet.len(), MAX_PACKET_BYTES - profile.tag_len() + 1);
        packet.pop();
        sender.protect_rtp(&mut packet).unwrap();
        receiver.unprotect_rtp(&mut packet).unwrap();
        packet.resize(MAX_PACKET_BYTES + 1, 0);
        let too_long = UnprotectError::TooLong { limit: MAX_PACKET_BYTES, actual: MAX_PACKET_BYTES + 1 };
        assert_eq!(receiver.unprotect_rtp(&mut packet), Err(too_long));
    }
}

#[test]
fn a_buffer_without_room_is_refused_and_one_with_room_is_filled() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
        let (packet, report) = (rtp(SSRC, 1), rtcp(SSRC));
        let mut buffer = [0xee; 200];
        buffer[..packet.len()].copy_from_slice(&packet);
        let needed = packet.len() + sender.rtp_overhead();
        let room = Err(ProtectError::Room { needed, actual: needed - 1 });
        assert_eq!(sender.protect_rtp_in(&mut buffer[..needed - 1], packet.len()), room);
        assert_eq!(buffer[..packet.len()], packet);
        assert_eq!(sender.protect_rtp_in(&mut buffer, packet.len()), Ok(needed));
        assert_eq!(buffer[needed], 0xee, "and no more");
        assert_eq!(receiver.unprotect_rtp_in(&mut buffer[..needed]), Ok(packet.len()));
        assert_eq!(buffer[..packet.len()], packet);

        buffer[..report.len()].copy_from_slice(&report);
        let needed = report.len() + sender.rtcp_overhead();
        let room = Err(ProtectError::Room { needed, actual: needed - 1 });
        assert_eq!(sender.protect_rtcp_in(&mut buffer[..needed - 1], report.len()), room);
        assert_eq!(sender.protect_rtcp_in(&mut buffer, report.len()), Ok(needed));
        assert_eq!(receiver.unprotect_rtcp_in(&mut buffer[..needed]), Ok(report.len()));
        assert_eq!(buffer[..report.len()], report);

        let beyond = sender.protect_rtp_in(&mut [0; 10], usize::MAX);
        assert!(matches!(beyond, Err(ProtectError::TooLong { .. })));
    }
}

/// RFC 3711, section 3.4: zero for the first packet of a stream, one more for each, with the E flag set.
#[test]
fn the_srtcp_index_counts_up_from_zero() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
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

/// RFC 3711, section 9.2: neither index wraps under one key.
#[test]
fn indices_end_at_their_limits() {
    const LAST: u32 = (1 << 31) - 1;
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
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

        sender.set_rollover_counter(SSRC, u32::MAX).unwrap();
        sender.protect_rtp(&mut rtp(SSRC, 0xffff)).unwrap();
        assert_eq!(sender.protect_rtp(&mut rtp(SSRC, 0)), Err(ProtectError::Index { ssrc: SSRC }));
        let mut receiver = context(profile);
        bend::assume_received(&mut receiver, SSRC, (1 << 48) - 1);
        let mut beyond = rtp(SSRC, 0);
        bend::protect_rtp_at(&mut sender, &mut beyond, 0).unwrap();
        assert_eq!(receiver.unprotect_rtp(&mut beyond), Err(UnprotectError::Index { ssrc: SSRC }));
    }
}
