//! The rollover counter: RFC 3711, section 3.3.1. That it is kept over 2^32 packets is shown beside its code.

mod fixtures;

use fixtures::{SSRC, both_ends, protected, rtp};
use ringfence_srtp::{MAX_STREAMS, Profile, RolloverError, UnprotectError, bend};

fn sender_of(ssrc: u32) -> ringfence_srtp::Context {
    let (mut sender, _) = both_ends(Profile::AeadAes128Gcm);
    sender.protect_rtp(&mut rtp(ssrc, 1)).unwrap();
    sender
}

/// Every one of the 2^16 wraps of a stream of 2^32 packets, with packets lost and overtaken on both sides of it.
#[test]
fn each_wrap_of_a_long_stream_is_crossed() {
    let (mut sender, mut receiver) = both_ends(Profile::AeadAes128Gcm);
    for roc in 0..=u16::MAX {
        let sequences = [0, 0x3000, 0x6000, 0x9000, 0xc000, 0xf000, 0xffc0 + roc % 64];
        let mut flight = sequences.map(|sequence| protected(&mut sender, sequence));
        match roc % 4 {
            0 => flight.swap(5, 6), // too late now
            1 => flight[6].clear(), // lost
            _ => {}
        }
        for packet in flight.iter_mut().filter(|packet| !packet.is_empty()) {
            let opened = receiver.unprotect_rtp(packet);
            let late = Err(UnprotectError::Replay { ssrc: SSRC, index: u64::from(roc) << 16 | 0xf000 });
            let is_late = roc % 4 == 0 && packet[2..4] == [0xf0, 0];
            assert_eq!(opened, if is_late { late } else { Ok(()) });
        }
        assert_eq!(receiver.rtp_index(SSRC).unwrap() >> 16, u64::from(roc));
    }
    assert_eq!(sender.rtp_index(SSRC).unwrap() >> 16, u64::from(u16::MAX));
}

#[test]
fn late_packets_from_before_the_wrap_are_read() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
        let mut packets: Vec<_> = (0xfff0..=0xffff).chain(0..16).map(|n| protected(&mut sender, n)).collect();
        packets.reverse();
        let first = packets.pop().unwrap();
        receiver.unprotect_rtp(&mut first.clone()).unwrap(); // the stream starts before the wrap
        for packet in &mut packets {
            receiver.unprotect_rtp(packet).unwrap();
        }
        assert_eq!(receiver.rtp_index(SSRC), Some(0x1_000f));
    }
}

#[test]
fn who_joins_late_can_be_told_the_rollover_counter() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
        sender.set_rollover_counter(SSRC, 7).unwrap();
        let packet = protected(&mut sender, 4);
        assert_eq!(sender.rtp_index(SSRC), Some(7 << 16 | 4));
        let refused = Err(UnprotectError::Authentication { ssrc: SSRC, index: 4 });
        assert_eq!(receiver.unprotect_rtp(&mut packet.clone()), refused, "without being told");
        receiver.set_rollover_counter(SSRC, 7).unwrap();
        let mut forged = packet.clone();
        forged[13] ^= 1;
        assert!(receiver.unprotect_rtp(&mut forged).is_err(), "and stays told");
        receiver.unprotect_rtp(&mut packet.clone()).unwrap();
        assert_eq!(receiver.rtp_index(SSRC), Some(7 << 16 | 4));
    }
}

/// RFC 3711, section 9.1: going back would use keystream again, and let replays in.
#[test]
fn the_rollover_counter_is_not_set_back() {
    let (mut sender, mut receiver) = both_ends(Profile::AesCm128HmacSha1_80);
    sender.set_rollover_counter(SSRC, 2).unwrap();
    receiver.set_rollover_counter(SSRC, 2).unwrap();
    let packet = protected(&mut sender, 9);
    receiver.unprotect_rtp(&mut packet.clone()).unwrap();
    for context in [&mut sender, &mut receiver] {
        assert_eq!(context.set_rollover_counter(SSRC, 1), Err(RolloverError::Behind { ssrc: SSRC, roc: 1 }));
        context.set_rollover_counter(SSRC, 2).unwrap();
    }
    let replay = Err(UnprotectError::Replay { ssrc: SSRC, index: 2 << 16 | 9 });
    assert_eq!(receiver.unprotect_rtp(&mut packet.clone()), replay);
    assert!(sender.protect_rtp(&mut rtp(SSRC, 9)).is_err(), "used");
    receiver.unprotect_rtp(&mut protected(&mut sender, 10)).unwrap();
}

#[test]
fn telling_rollover_counters_makes_no_more_streams_than_there_may_be() {
    let (mut sender, _) = both_ends(Profile::AeadAes128Gcm);
    for ssrc in 0..MAX_STREAMS as u32 {
        sender.set_rollover_counter(ssrc, 1).unwrap();
    }
    let full = Err(RolloverError::Streams { ssrc: SSRC, limit: MAX_STREAMS });
    assert_eq!(sender.set_rollover_counter(SSRC, 1), full);
    sender.set_rollover_counter(5, 2).unwrap();
    sender.protect_rtp(&mut rtp(5, 0)).unwrap();
    assert_eq!(sender.rtp_index(5), Some(2 << 16));
}

#[test]
fn who_joins_late_can_start_from_another_packet() {
    let (mut sender, mut receiver) = both_ends(Profile::AeadAes128Gcm);
    assert!(bend::assume_received(&mut receiver, SSRC, 5 << 16 | 0xfffe));
    assert!(!bend::assume_received(&mut sender_of(SSRC), SSRC, 3), "it is sent there");
    let mut packet = rtp(SSRC, 4);
    bend::protect_rtp_at(&mut sender, &mut packet, 6).unwrap();
    receiver.unprotect_rtp(&mut packet).unwrap();
    assert_eq!(packet, rtp(SSRC, 4));
}
