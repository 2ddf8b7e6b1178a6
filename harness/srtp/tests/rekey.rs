//! Master keys that follow one another, their identifiers and lifetimes: RFC 3711, sections 3.1, 4.3.1, 8.1 and 9.2.

mod fixtures;

use fixtures::{SSRC, both_ends, both_ends_with, context, master, protected, protected_rtcp, rtcp, rtp};
use ringfence_srtp::bend;
use ringfence_srtp::{Context, MAX_KEYS, PacketsLeft, Profile, ProtectError, RekeyError, Settings, UnprotectError};

/// RFC 3711, section 3.3.1: the rollover counter is not reset; section 3.4: nor is the SRTCP index.
#[test]
fn counters_go_on_after_a_rekey() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
        for sequence in [0xff00, 0xffff, 0x10] {
            receiver.unprotect_rtp(&mut protected(&mut sender, sequence)).unwrap();
        }
        receiver.unprotect_rtcp(&mut protected_rtcp(&mut sender)).unwrap();
        let late = protected(&mut sender, 0x11);
        sender.rekey(&master(profile, 2), &[]).unwrap();
        receiver.rekey(&master(profile, 2), &[]).unwrap();
        let mut packet = protected(&mut sender, 0x12);
        receiver.unprotect_rtp(&mut packet.clone()).unwrap();
        assert_eq!(receiver.rtp_index(SSRC), Some(1 << 16 | 0x12));
        receiver.unprotect_rtcp(&mut protected_rtcp(&mut sender)).unwrap();
        assert_eq!(receiver.rtcp_index(SSRC), Some(1));

        receiver.unprotect_rtp(&mut late.clone()).unwrap(); // under the former key
        assert!(matches!(receiver.unprotect_rtp(&mut late.clone()), Err(UnprotectError::Replay { .. })));
        let refused = Err(UnprotectError::Authentication { ssrc: SSRC, index: 0x12 });
        assert_eq!(context(profile).unprotect_rtp(&mut packet), refused, "under the new key only");
    }
}

#[test]
fn former_keys_open_until_they_are_forgotten() {
    let profile = Profile::AeadAes256Gcm;
    let (mut sender, mut receiver) = both_ends(profile);
    let old: Vec<_> = (0..3).map(|sequence| protected(&mut sender, sequence)).collect();
    receiver.rekey(&master(profile, 2), &[]).unwrap();
    receiver.unprotect_rtp(&mut old[0].clone()).unwrap();
    receiver.forget_former_keys();
    let refused = Err(UnprotectError::Authentication { ssrc: SSRC, index: 1 });
    assert_eq!(receiver.unprotect_rtp(&mut old[1].clone()), refused);

    let mut receiver = context(profile);
    for number in 2..2 + MAX_KEYS as u8 - 1 {
        receiver.rekey(&master(profile, number), &[]).unwrap();
    }
    receiver.unprotect_rtp(&mut old[1].clone()).unwrap();
    receiver.rekey(&master(profile, 200), &[]).unwrap(); // one too many: the oldest goes
    assert!(receiver.unprotect_rtp(&mut old[2].clone()).is_err());
}

/// RFC 3711, section 3.1: the identifier stands before the tag; RFC 7714, section 8.2: behind it. It tells the keys apart.
#[test]
fn packets_name_their_key() {
    for profile in Profile::ALL {
        let settings = Settings { mki: vec![0, 1], ..Settings::default() };
        let (mut sender, mut receiver) = both_ends_with(profile, &settings);
        let (plain_tag, plain) = (profile.tag_len(), protected(&mut context(profile), 1));
        let first = protected(&mut sender, 1);
        let mki_at = plain.len() - if profile.is_aead() { 0 } else { plain_tag };
        assert_eq!(first, [&plain[..mki_at], &[0, 1], &plain[mki_at..]].concat(), "else as without one");
        assert_eq!(sender.rtp_overhead(), plain_tag + 2);
        let first_report = protected_rtcp(&mut sender);
        assert_eq!(first_report.len(), rtcp(SSRC).len() + profile.rtcp_overhead() + 2);

        sender.rekey(&master(profile, 2), &[0, 2]).unwrap();
        let (second, second_report) = (protected(&mut sender, 2), protected_rtcp(&mut sender));
        let unknown = Err(UnprotectError::Identifier { ssrc: SSRC });
        assert_eq!(receiver.unprotect_rtp(&mut second.clone()), unknown);
        assert_eq!(receiver.unprotect_rtcp(&mut second_report.clone()), unknown);
        receiver.rekey(&master(profile, 2), &[0, 2]).unwrap();
        receiver.unprotect_rtp(&mut second.clone()).unwrap();
        receiver.unprotect_rtp(&mut first.clone()).unwrap();
        receiver.unprotect_rtcp(&mut first_report.clone()).unwrap();
        receiver.unprotect_rtcp(&mut second_report.clone()).unwrap();

        let mut misnamed = protected(&mut sender, 3);
        let mki_at = misnamed.len() - 2 - if profile.is_aead() { 0 } else { plain_tag };
        misnamed[mki_at + 1] = 1;
        let refused = Err(UnprotectError::Authentication { ssrc: SSRC, index: 3 });
        assert_eq!(receiver.unprotect_rtp(&mut misnamed), refused, "no other key is tried");
        let mut cut = first[..12 + plain_tag + 1].to_vec();
        let (_, mut fresh) = both_ends_with(profile, &settings);
        assert!(matches!(fresh.unprotect_rtp(&mut cut), Err(UnprotectError::TooShort { .. })));
    }
}

#[test]
fn keys_that_cannot_follow_are_refused() {
    let profile = Profile::AeadAes128Gcm;
    let settings = Settings { mki: vec![7], ..Settings::default() };
    let mut context = Context::with(&master(profile, 1), settings).unwrap();
    assert_eq!(context.rekey(&master(profile, 1), &[8]), Err(RekeyError::SameKey));
    assert_eq!(context.rekey(&master(profile, 2), &[7]), Err(RekeyError::SameIdentifier));
    let longer = RekeyError::IdentifierLength { expected: 1, actual: 2 };
    assert_eq!(context.rekey(&master(profile, 2), &[7, 8]), Err(longer));
    let foreign = RekeyError::Profile { expected: profile, actual: Profile::AeadAes256Gcm };
    assert_eq!(context.rekey(&master(Profile::AeadAes256Gcm, 2), &[8]), Err(foreign));
    context.rekey(&master(profile, 2), &[8]).unwrap();
}

/// RFC 3711, section 9.2: the sender counts, over all streams, and stops before the limit.
#[test]
fn a_key_stops_at_the_end_of_its_lifetime() {
    for profile in Profile::ALL {
        let settings = Settings { rtp_lifetime: 3, rtcp_lifetime: 2, ..Settings::default() };
        let (mut sender, mut receiver) = both_ends_with(profile, &settings);
        assert_eq!(sender.packets_left(), PacketsLeft { rtp: 3, rtcp: 2 });
        for (ssrc, sequence) in [(1, 5), (2, 9), (1, 6)] {
            let mut packet = rtp(ssrc, sequence);
            sender.protect_rtp(&mut packet).unwrap();
            receiver.unprotect_rtp(&mut packet).unwrap();
        }
        let mut packet = rtp(1, 7);
        assert_eq!(sender.protect_rtp(&mut packet), Err(ProtectError::Lifetime));
        assert_eq!((packet, sender.rtp_index(1)), (rtp(1, 7), Some(6)), "nothing is changed");
        sender.protect_rtcp(&mut rtcp(1)).unwrap();
        sender.protect_rtcp(&mut rtcp(1)).unwrap();
        assert_eq!(sender.protect_rtcp(&mut rtcp(1)), Err(ProtectError::Lifetime));
        assert_eq!(sender.packets_left(), PacketsLeft { rtp: 0, rtcp: 0 });
        sender.rekey(&master(profile, 2), &[]).unwrap();
        assert_eq!(sender.packets_left(), PacketsLeft { rtp: 3, rtcp: 2 });
        sender.protect_rtp(&mut rtp(1, 7)).unwrap();
        sender.protect_rtcp(&mut rtcp(1)).unwrap();
        sender.protect_rtcp(&mut rtcp(1)).unwrap();
        assert_eq!(sender.packets_left(), PacketsLeft { rtp: 2, rtcp: 0 });
        assert_eq!(sender.protect_rtp(&mut rtp(1, 8)), Err(ProtectError::Lifetime), "whichever occurs before");
    }
}

/// What came under a former key came once: neither list is forgotten, however far the stream has gone since.
#[test]
fn a_rekey_lets_nothing_in_again() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
        let (packet, report) = (protected(&mut sender, 5), protected_rtcp(&mut sender));
        receiver.unprotect_rtp(&mut packet.clone()).unwrap();
        receiver.unprotect_rtcp(&mut report.clone()).unwrap();
        for context in [&mut sender, &mut receiver] {
            context.set_rollover_counter(SSRC, u32::MAX).unwrap();
        }
        receiver.unprotect_rtp(&mut protected(&mut sender, 0xffff)).unwrap();
        let mut far = rtcp(SSRC);
        bend::protect_rtcp_at(&mut sender, &mut far, (1 << 30) + 100).unwrap();
        receiver.unprotect_rtcp(&mut far).unwrap();
        for number in 2..5 {
            receiver.rekey(&master(profile, number), &[]).unwrap();
            assert!(receiver.unprotect_rtp(&mut packet.clone()).is_err());
            let replay = Err(UnprotectError::Replay { ssrc: SSRC, index: 0 });
            assert_eq!(receiver.unprotect_rtcp(&mut report.clone()), replay);
        }
        sender.rekey(&master(profile, 2), &[]).unwrap();
        let ended = Err(ProtectError::Index { ssrc: SSRC });
        assert_eq!(sender.protect_rtp(&mut rtp(SSRC, 0)), ended, "nor out");
    }
}

/// RFC 3711, section 4.3.1: the session keys change with the packet index, for each packet as its own index says.
#[test]
fn session_keys_change_at_the_derivation_rate() {
    for profile in Profile::ALL {
        let settings = Settings { key_derivation_rate: 16, ..Settings::default() };
        let (mut sender, mut receiver) = both_ends_with(profile, &settings);
        let mut steady = context(profile);
        let packets: Vec<_> = (0..40).map(|sequence| protected(&mut sender, sequence)).collect();
        for (sequence, packet) in packets.iter().enumerate() {
            assert_eq!(*packet == protected(&mut steady, sequence as u16), sequence < 16, "{profile:?} {sequence}");
        }
        for place in [0, 20, 15, 39, 16, 31, 32] {
            receiver.unprotect_rtp(&mut packets[place].clone()).unwrap(); // over the borders and back
        }
        let reports: Vec<_> = (0..20).map(|_| protected_rtcp(&mut sender)).collect();
        for (index, report) in reports.iter().enumerate() {
            assert_eq!(*report == protected_rtcp(&mut steady), index < 16, "{profile:?} {index}");
            receiver.unprotect_rtcp(&mut report.clone()).unwrap();
        }
    }
}
