//! Against `rtc-srtp`, an SRTP in Rust that is not ours: both directions, every profile that both know.
//!
//! Where it differs, a test named after the difference holds on to it, with the section of the RFC that decides.

mod support;

use proptest::prelude::*;
use ringfence_srtp::{Context, Profile, bend};
use rtc_srtp::context::Context as RtcContext;
use rtc_srtp::protection_profile::ProtectionProfile;
use support::agreement::{End, Kind, Refusal, agree_on, agree_on_forgeries, check, skip_index_zero, turn_bit};
use support::flight::{rtcp_flight, rtp_flight};
use support::keys::{Keys, keys};
use support::packets;

const CASES: u32 = 1000;
const SSRC: u32 = 0xcafe_babe;

#[test]
fn rtp_is_the_same_and_each_opens_the_others() {
    check(CASES, &mut (), (keys(), rtp_flight(packets::rtp(packets::extension()))), |(), (keys, flight)| {
        let (senders, receivers) = (&mut ends(&keys), &mut ends(&keys));
        agree_on(&flight, Kind::Rtp, [&mut senders.0, &mut senders.1], [&mut receivers.0, &mut receivers.1])
    });
}

#[test]
fn rtcp_is_the_same_and_each_opens_the_others() {
    check(CASES, &mut (), (keys(), rtcp_flight()), |(), (keys, flight)| {
        let (senders, receivers) = (&mut ends(&keys), &mut ends(&keys));
        skip_index_zero(&mut senders.0, &flight.ssrcs);
        agree_on(&flight, Kind::Rtcp, [&mut senders.0, &mut senders.1], [&mut receivers.0, &mut receivers.1])
    });
}

#[test]
fn rtp_with_one_bit_turned_is_refused_by_both() {
    let values = (keys(), rtp_flight(packets::rtp(packets::extension())), any::<u16>());
    check(CASES, &mut (), values, |(), (keys, flight, bit)| {
        let (senders, receivers) = (&mut ends(&keys), &mut ends(&keys));
        let senders: [&mut dyn End; 2] = [&mut senders.0, &mut senders.1];
        let forge = |n, packet: &mut Vec<u8>| turn_bit(packet, usize::from(bit) + 131 * n);
        agree_on_forgeries(&flight, Kind::Rtp, forge, senders, [&mut receivers.0, &mut receivers.1])
    });
}

#[test]
fn rtcp_with_one_bit_turned_is_refused_by_both() {
    check(CASES, &mut (), (keys(), rtcp_flight(), any::<u16>()), |(), (keys, flight, bit)| {
        let (senders, receivers) = (&mut ends(&keys), &mut ends(&keys));
        skip_index_zero(&mut senders.0, &flight.ssrcs);
        let senders: [&mut dyn End; 2] = [&mut senders.0, &mut senders.1];
        let forge = |n, packet: &mut Vec<u8>| {
            let bit = (usize::from(bit) + 131 * n) % (8 * packet.len());
            let ignored = bit == e_flag(keys.profile, packet); // by rtc-srtp: see below
            turn_bit(packet, if ignored { bit + 1 } else { bit });
        };
        agree_on_forgeries(&flight, Kind::Rtcp, forge, senders, [&mut receivers.0, &mut receivers.1])
    });
}

/// RFC 3711, section 3.4: message authentication is mandatory for SRTCP, with the E flag and without. rtc-srtp takes a packet
/// without it as it comes: anybody can forge reports and goodbyes.
#[test]
fn rtc_srtp_takes_srtcp_that_nobody_authenticated() {
    for profile in Profile::ALL.into_iter().filter(|profile| !profile.is_aead()) {
        let (mut ours, mut theirs) = ends(&Keys::fixed(profile));
        let plain = receiver_report();
        let forged = [&plain[..], &[0, 0, 0, 5], &[0; 10]].concat(); // index 5, no E flag, no tag to speak of
        assert_eq!(End::unprotect_rtcp(&mut ours, &forged), Err(Refusal::Authentication), "{profile:?}");
        assert_eq!(theirs.unprotect_rtcp(&forged), Ok(plain), "{profile:?}");
    }
}

/// RFC 7714, section 9.2: the associated data ends with the ESRTCP word as it stands in the packet. rtc-srtp takes the E flag for
/// set, so that whoever is on the path can clear it.
#[test]
fn rtc_srtp_does_not_authenticate_the_e_flag_of_gcm() {
    for profile in [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm] {
        let (mut ours, mut theirs) = ends(&Keys::fixed(profile));
        let plain = receiver_report();
        let mut packet = theirs.protect_rtcp(&plain).unwrap();
        let flag = e_flag(profile, &packet);
        turn_bit(&mut packet, flag);
        assert_eq!(End::unprotect_rtcp(&mut ours, &packet), Err(Refusal::Authentication));
        assert_eq!(theirs.unprotect_rtcp(&packet), Ok(plain));
    }
}

/// RFC 7714, section 9.3, and RFC 3711, section 3.4: without the E flag a packet is authenticated and not encrypted.
#[test]
fn rtc_srtp_opens_no_unencrypted_srtcp_of_gcm() {
    for profile in Profile::ALL {
        let (mut ours, mut theirs) = ends(&Keys::fixed(profile));
        let mut packet = receiver_report();
        bend::protect_rtcp_unencrypted_at(&mut Keys::fixed(profile).ours(), &mut packet, 0).unwrap();
        assert_eq!(End::unprotect_rtcp(&mut ours, &packet), Ok(receiver_report()));
        assert_eq!(theirs.unprotect_rtcp(&packet).is_ok(), !profile.is_aead(), "{profile:?}");
    }
}

/// RFC 3711, section 3.4: the index of the first packet is zero.
#[test]
fn rtc_srtp_counts_srtcp_from_one() {
    let (mut ours, mut theirs) = ends(&Keys::fixed(Profile::AeadAes128Gcm));
    let first = |end: &mut dyn End| {
        let packet = end.protect_rtcp(&receiver_report()).unwrap();
        packet[packet.len() - 4..].to_vec()
    };
    assert_eq!(first(&mut ours), [0x80, 0, 0, 0]);
    assert_eq!(first(&mut theirs), [0x80, 0, 0, 1]);
}

/// RFC 3711, section 3.1: what is encrypted begins behind the extension, wherever RFC 3550, section 5.3.1, says that it ends.
/// rtc-srtp reads the elements instead. At identifier 15, where RFC 8285, section 4.2, has a reader stop, and where the last
/// element is longer than the extension, it takes another place for the end, and encrypts from there.
#[test]
fn rtc_srtp_misses_the_end_of_some_extensions() {
    for elements in [[0xf0, 1, 2, 3], [0x13, 1, 2, 3]] {
        let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 0];
        packet.extend(SSRC.to_be_bytes());
        packet.extend([0xbe, 0xde, 0, 1]);
        packet.extend(elements);
        packet.extend([0; 40]);
        let (mut ours, mut theirs) = ends(&Keys::fixed(Profile::AesCm128HmacSha1_80));
        let (ours, theirs) = (End::protect_rtp(&mut ours, &packet).unwrap(), theirs.protect_rtp(&packet).unwrap());
        assert_eq!(ours[..20], packet[..20]);
        assert_ne!(ours, theirs);
    }
}

/// RFC 3711, section 3.3.1: a rollover is estimated from the highest sequence number. rtc-srtp estimates it from the last one,
/// and after a late packet takes half of the sequence numbers at a wrong place.
#[test]
fn rtc_srtp_estimates_rollovers_from_late_packets() {
    let keys = Keys::fixed(Profile::AesCm128HmacSha1_80);
    let (mut ours, mut theirs) = ends(&keys);
    let mut arrives = |index: u32| {
        let mut packet = vec![0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        packets::place(&mut packet, SSRC, index as u16);
        bend::protect_rtp_at(&mut keys.ours(), &mut packet, index >> 16).unwrap();
        (End::unprotect_rtp(&mut ours, &packet).is_ok(), theirs.unprotect_rtp(&packet).is_ok())
    };
    assert_eq!(arrives(40_000), (true, true));
    assert_eq!(arrives(39_950), (true, true));
    assert_eq!(arrives(40_000 + 0x7fff), (true, false));
}

/// Where the E flag of an SRTCP packet is, in bits from the start. RFC 3711, section 3.4; RFC 7714, section 9.2.
fn e_flag(profile: Profile, packet: &[u8]) -> usize {
    8 * (packet.len() - if profile.is_aead() { 4 } else { profile.rtcp_overhead() })
}

fn receiver_report() -> Vec<u8> {
    [&[0x81, 201, 0, 7][..], &SSRC.to_be_bytes(), &[7; 24]].concat()
}

/// One end of ours and one of theirs.
fn ends(keys: &Keys) -> (Context, Rtc) {
    let profile = match keys.profile {
        Profile::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Profile::AesCm128HmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        Profile::AesCm256HmacSha1_80 => ProtectionProfile::Aes256CmHmacSha1_80,
        Profile::AesCm256HmacSha1_32 => ProtectionProfile::Aes256CmHmacSha1_32,
        Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
    };
    let provider = rtc_crypto::default_provider().expect("it has one");
    let theirs = RtcContext::new(&keys.key, &keys.salt, profile, None, None, provider.crypto());
    (keys.ours(), Rtc(theirs.expect("it takes the keys")))
}

/// A context of theirs, without replay protection: its window knows sequence numbers only.
struct Rtc(RtcContext);

impl End for Rtc {
    fn protect_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        result(self.0.encrypt_rtp(packet))
    }

    fn unprotect_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        result(self.0.decrypt_rtp(packet))
    }

    fn protect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        result(self.0.encrypt_rtcp(packet))
    }

    fn unprotect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        result(self.0.decrypt_rtcp(packet))
    }
}

fn result<B: AsRef<[u8]>, E: std::fmt::Display>(result: Result<B, E>) -> Result<Vec<u8>, Refusal> {
    result.map(|bytes| bytes.as_ref().to_vec()).map_err(|error| Refusal::Other(error.to_string()))
}
