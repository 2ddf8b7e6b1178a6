//! What is seen twice is refused: RFC 3711, section 3.3.2; and nothing forged moves the list.

mod fixtures;

use fixtures::{SSRC, both_ends, both_ends_with, context, master, protected, protected_rtcp, rtp};
use ringfence_srtp::{Context, Profile, ProtectError, Settings, UnprotectError, bend};

#[test]
fn replays_are_refused() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
        let packet = protected(&mut sender, 7);
        receiver.unprotect_rtp(&mut packet.clone()).unwrap();
        let mut again = packet.clone();
        let replay = Err(UnprotectError::Replay { ssrc: SSRC, index: 7 });
        assert_eq!(receiver.unprotect_rtp(&mut again), replay);
        assert_eq!(again, packet);

        let report = protected_rtcp(&mut sender);
        receiver.unprotect_rtcp(&mut report.clone()).unwrap();
        let replay = Err(UnprotectError::Replay { ssrc: SSRC, index: 0 });
        assert_eq!(receiver.unprotect_rtcp(&mut report.clone()), replay);
    }
}

/// RFC 3711, section 3.4: a separate list.
#[test]
fn each_list_has_its_own_size() {
    for (rtp_window, rtcp_window) in [(64, 64), (64, 1000), (1024, 64), (32_767, 128)] {
        let settings = Settings { replay_window: rtp_window, rtcp_replay_window: rtcp_window, ..Settings::default() };
        let (mut sender, mut receiver) = both_ends_with(Profile::AeadAes128Gcm, &settings);
        let packets: Vec<_> = (0..=rtp_window).map(|sequence| protected(&mut sender, sequence)).collect();
        let reports: Vec<_> = (0..=rtcp_window).map(|_| protected_rtcp(&mut sender)).collect();
        receiver.unprotect_rtp(&mut packets[usize::from(rtp_window)].clone()).unwrap();
        receiver.unprotect_rtcp(&mut reports[usize::from(rtcp_window)].clone()).unwrap();
        receiver.unprotect_rtp(&mut packets[1].clone()).unwrap();
        receiver.unprotect_rtcp(&mut reports[1].clone()).unwrap();
        let too_old = Err(UnprotectError::Replay { ssrc: SSRC, index: 0 });
        assert_eq!(receiver.unprotect_rtp(&mut packets[0].clone()), too_old);
        assert_eq!(receiver.unprotect_rtcp(&mut reports[0].clone()), too_old);
    }
}

#[test]
fn nothing_forged_leaves_a_trace() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
        receiver.unprotect_rtp(&mut protected(&mut sender, 7)).unwrap();
        let before = format!("{receiver:?}");
        for sequence in [8, 500, 0x8000, 0xffff] {
            let mut forged = rtp(SSRC, sequence);
            forged.extend([0x5a; 16]);
            let sent = forged.clone();
            let error = receiver.unprotect_rtp(&mut forged).unwrap_err();
            assert!(matches!(error, UnprotectError::Authentication { .. }), "{error}");
            assert_eq!((forged, format!("{receiver:?}")), (sent, before.clone()));
        }
        let mut stranger = Context::new(&master(profile, 2));
        let refused = Err(UnprotectError::Authentication { ssrc: SSRC, index: 8 });
        assert_eq!(receiver.unprotect_rtp(&mut protected(&mut stranger, 8)), refused);
        receiver.unprotect_rtp(&mut protected(&mut sender, 8)).unwrap();
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

/// RFC 3711, section 9.1: two senders with one SSRC under one key.
#[test]
fn a_colliding_ssrc_is_refused_in_both_directions() {
    for profile in Profile::ALL {
        let (mut one, mut other) = both_ends(profile);
        let mut from_one = protected(&mut one, 1);
        let (mut from_other, mut report) = (protected(&mut other, 2), protected_rtcp(&mut other));
        let (sent, reported) = (from_other.clone(), report.clone());
        let collision = Err(UnprotectError::Collision { ssrc: SSRC });
        assert_eq!(one.unprotect_rtp(&mut from_other), collision);
        assert_eq!(one.unprotect_rtcp(&mut report), collision);
        assert_eq!((from_other, report), (sent.clone(), reported), "as they came");
        let mut forged = sent;
        forged[20] ^= 1;
        let refused = Err(UnprotectError::Authentication { ssrc: SSRC, index: 2 });
        assert_eq!(one.unprotect_rtp(&mut forged), refused, "a stranger cannot feign one");

        let mut third = context(profile);
        third.unprotect_rtp(&mut from_one).unwrap();
        let collision = Err(ProtectError::Collision { ssrc: SSRC });
        assert_eq!(third.protect_rtp(&mut rtp(SSRC, 3)), collision);
        assert_eq!(third.protect_rtcp(&mut fixtures::rtcp(SSRC)), collision);
        third.protect_rtp(&mut rtp(SSRC + 1, 3)).unwrap();
    }
}
