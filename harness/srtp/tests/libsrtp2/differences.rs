//! Where libsrtp2 2.5.0 does otherwise, and which section has it our way.

use ringfence_srtp::{Profile, Settings, bend};

use super::peer::{Libsrtp2, Whose};
use super::support::agreement::{End, Refusal};
use super::support::keys::Keys;
use super::{key, policy, receivers, rtp, senders};

const SSRC: u32 = 0xcafe_babe;

/// RFC 3711, section 3.4: the index of the first packet is zero. libsrtp2 begins with one; it opens ours.
#[test]
fn libsrtp2_counts_srtcp_from_one() {
    let Some(peer) = Libsrtp2::start() else { return };
    let keys = Keys::fixed(Profile::AeadAes128Gcm);
    let (mut ours, mut theirs) = senders(&peer, &keys);
    let first = End::protect_rtcp(&mut ours, &receiver_report()).unwrap();
    assert_eq!(first[first.len() - 4..], [0x80, 0, 0, 0]);
    let other = theirs.protect_rtcp(&receiver_report()).unwrap();
    assert_eq!(other[other.len() - 4..], [0x80, 0, 0, 1]);
    assert_eq!(receivers(&peer, &keys).1.unprotect_rtcp(&first), Ok(receiver_report()));
}

/// RFC 3711, section 3.4: a packet without the E flag is authenticated and was not encrypted. In counter mode libsrtp2 takes only
/// what its policy would send; in GCM (RFC 7714, section 9.3) it takes both.
#[test]
fn libsrtp2_opens_no_unencrypted_srtcp_in_counter_mode() {
    let Some(peer) = Libsrtp2::start() else { return };
    for profile in Profile::ALL {
        let keys = Keys::fixed(profile);
        let (mut ours, mut theirs) = receivers(&peer, &keys);
        let mut packet = receiver_report();
        bend::protect_rtcp_unencrypted_at(&mut keys.ours(), &mut packet, 0).unwrap();
        assert_eq!(End::unprotect_rtcp(&mut ours, &packet), Ok(receiver_report()), "{profile:?}");
        let cannot_check = Err(Refusal::Other("srtp_err_status_t 14".to_owned()));
        let expected = if profile.is_aead() { Ok(receiver_report()) } else { cannot_check };
        assert_eq!(theirs.unprotect_rtcp(&packet), expected, "{profile:?}");
    }
}

/// RFC 3711, section 3.4: the identifier stands before the tag. libsrtp2 looks for it as if the tag of SRTCP were as long as that
/// of SRTP, and so does not find its own where RFC 5764, section 4.1.2, and RFC 6188, section 4, make one shorter.
#[test]
fn libsrtp2_misplaces_the_identifier_of_srtcp_behind_a_short_tag() {
    let Some(peer) = Libsrtp2::start() else { return };
    for profile in [Profile::AesCm128HmacSha1_32, Profile::AesCm256HmacSha1_32] {
        let keys = Keys::fixed(profile);
        let theirs = |whose| {
            let mut policy = policy(&keys, whose);
            policy.keys = vec![key(&keys, b"mki")];
            peer.session(&policy)
        };
        let packet = theirs(Whose::AnyOutbound).protect_rtcp(&receiver_report()).unwrap();
        assert_eq!(theirs(Whose::AnyInbound).unprotect_rtcp(&packet), Err(Refusal::KeyIdentifier), "{profile:?}");
        let mut ours = keys.ours_with(Settings { mki: b"mki".to_vec(), ..Settings::default() });
        assert_eq!(End::unprotect_rtcp(&mut ours, &packet), Ok(receiver_report()), "{profile:?}");
    }
}

/// RFC 3711, section 3.3.1: a receiver that was told the counter keeps it up from then on. libsrtp2 holds on to what it was told
/// until a packet is far ahead of the one before; told the next counter just before a rollover, it misses the one after.
#[test]
fn libsrtp2_keeps_a_counter_that_it_was_told_too_long() {
    let Some(peer) = Libsrtp2::start() else { return };
    let keys = Keys::fixed(Profile::AeadAes128Gcm);
    let (mut ours, mut theirs) = (keys.ours(), peer.session(&policy(&keys, Whose::One(SSRC))));
    let mut arrives = |index: u32, told: Option<u32>| {
        if let Some(roc) = told {
            ours.set_rollover_counter(SSRC, roc).unwrap();
            theirs.set_rollover_counter(SSRC, roc);
        }
        let mut packet = rtp(SSRC, index as u16);
        bend::protect_rtp_at(&mut keys.ours(), &mut packet, index >> 16).unwrap();
        (End::unprotect_rtp(&mut ours, &packet).is_ok(), theirs.unprotect_rtp(&packet).is_ok())
    };
    assert_eq!(arrives(0xfff0, None), (true, true));
    assert_eq!(arrives(0x1_0003, Some(1)), (true, true));
    assert_eq!(arrives(0x1_8002, None), (true, true));
    assert_eq!(arrives(0x1_fff0, None), (true, true));
    assert_eq!(arrives(0x2_0003, None), (true, false));
}

fn receiver_report() -> Vec<u8> {
    [&[0x81, 201, 0, 7][..], &SSRC.to_be_bytes(), &[7; 24]].concat()
}
