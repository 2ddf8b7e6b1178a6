//! SRTP done wrong on purpose.

mod fixtures;

use fixtures::{SSRC, both_ends, context, master, protected, protected_rtcp, rtcp, rtp};
use ringfence_srtp::bend::{self, NullProfile, Verified};
use ringfence_srtp::{Profile, Settings, SettingsError, UnprotectError};

#[test]
fn replays_can_be_let_through() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
        let packet = protected(&mut sender, 7);
        receiver.unprotect_rtp(&mut packet.clone()).unwrap();
        let mut again = packet.clone();
        bend::unprotect_rtp_ignoring_replay(&mut receiver, &mut again).unwrap();
        assert_eq!(again, rtp(SSRC, 7));

        let mut report = protected_rtcp(&mut sender);
        receiver.unprotect_rtcp(&mut report.clone()).unwrap();
        bend::unprotect_rtcp_ignoring_replay(&mut receiver, &mut report.clone()).unwrap();
        let anyway = bend::unprotect_rtcp_ignoring_tag_and_replay(&mut receiver, &mut report);
        assert_eq!(anyway, Ok(Verified(true)));
        assert_eq!(report, rtcp(SSRC));
    }
}

#[test]
fn a_wrong_tag_can_be_ignored_and_leaves_no_trace() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
        let good = protected(&mut sender, 7);
        let mut wrong = good.clone();
        *wrong.last_mut().unwrap() ^= 1;
        let refused = Err(UnprotectError::Authentication { ssrc: SSRC, index: 7 });
        assert_eq!(receiver.unprotect_rtp(&mut wrong.clone()), refused);
        assert_eq!(bend::unprotect_rtp_ignoring_tag(&mut receiver, &mut wrong), Ok(Verified(false)));
        assert_eq!(wrong, rtp(SSRC, 7));
        assert_eq!(receiver.rtp_index(SSRC), None);
        let mut packet = good.clone();
        assert_eq!(bend::unprotect_rtp_ignoring_tag(&mut receiver, &mut packet), Ok(Verified(true)));
        assert_eq!(packet, rtp(SSRC, 7));
        assert_eq!(receiver.rtp_index(SSRC), Some(7));

        let mut report = protected_rtcp(&mut sender);
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
        let (mut sender, mut receiver) = both_ends(profile);
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
fn a_rollover_counter_can_be_chosen() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
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

#[test]
fn bytes_that_are_no_rtp_can_be_protected_and_opened_again() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = both_ends(profile);
        let mut bytes = rtp(SSRC, 7);
        bytes[0] = 0x47; // no version of RTP, seven CSRCs that are not there
        let clear = bytes.clone();
        bend::protect_rtp_raw(&mut sender, &mut bytes, 12, 7).unwrap();
        assert_eq!(bytes.len(), clear.len() + profile.tag_len());
        assert!(receiver.unprotect_rtp(&mut bytes.clone()).is_err());
        assert_eq!(bend::unprotect_rtp_raw(&mut receiver, &mut bytes.clone(), 12, 1 << 16 | 7), Ok(Verified(false)));
        assert_eq!(bend::unprotect_rtp_raw(&mut receiver, &mut bytes, 12, 7), Ok(Verified(true)));
        assert_eq!((bytes, receiver.rtp_index(SSRC)), (clear.clone(), None));
        assert!(bend::protect_rtp_raw(&mut sender, &mut vec![0x80; 11], 0, 7).is_err(), "no header");
        assert!(bend::protect_rtp_raw(&mut sender, &mut vec![0x80; 20], 21, 7).is_err(), "half a header");
        let short = bend::unprotect_rtp_raw(&mut receiver, &mut vec![0x80; 20], 20, 7);
        assert!(matches!(short, Err(UnprotectError::TooShort { .. })));
    }
}

/// RFC 5764, section 4.1.2: authenticated, and to be read by everyone.
#[test]
fn nothing_is_encrypted_with_a_null_profile() {
    for profile in [NullProfile::HmacSha1_80, NullProfile::HmacSha1_32] {
        assert_eq!(Profile::from_id(profile.id()), None);
        let master = master(profile.twin(), 1);
        let null = || bend::null_context(&master, Settings::default()).unwrap();
        let (mut sender, mut receiver) = (null(), null());
        let packet = protected(&mut sender, 3);
        assert_eq!(packet[..packet.len() - profile.twin().tag_len()], rtp(SSRC, 3));
        let mut opened = packet.clone();
        receiver.unprotect_rtp(&mut opened).unwrap();
        assert_eq!(opened, rtp(SSRC, 3));
        let mut forged = packet.clone();
        forged[20] ^= 1;
        assert!(null().unprotect_rtp(&mut forged).is_err());
        let mut decrypted = packet;
        context(profile.twin()).unprotect_rtp(&mut decrypted).unwrap();
        assert_ne!(decrypted, rtp(SSRC, 3), "the tag is that of its twin, the payload is not");

        let report = protected_rtcp(&mut sender);
        assert_eq!(report[..rtcp(SSRC).len()], rtcp(SSRC));
        assert_eq!(report[rtcp(SSRC).len()] & 0x80, 0, "the E flag");
        let mut opened = report.clone();
        receiver.unprotect_rtcp(&mut opened).unwrap();
        assert_eq!(opened, rtcp(SSRC));
    }
    let profile = Profile::AeadAes128Gcm; // cannot but encrypt
    let refused = bend::null_context(&master(profile, 1), Settings::default()).err();
    assert_eq!(refused, Some(SettingsError::NoNullProfile { profile }));
}
