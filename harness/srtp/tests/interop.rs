//! Both directions against an SRTP that is not ours: `rtc-srtp`, over ring and RustCrypto's HMAC.

use ringfence_srtp::{Context, MasterKey, Profile};
use rtc_srtp::context::Context as Other;
use rtc_srtp::protection_profile::ProtectionProfile;

const SSRC: u32 = 0xcafe_babe;

fn key_and_salt(profile: Profile) -> (Vec<u8>, Vec<u8>) {
    let byte = |n: usize| (n * 37 + 11) as u8;
    ((0..profile.key_len()).map(byte).collect(), (100..100 + profile.salt_len()).map(byte).collect())
}

fn ours(profile: Profile) -> Context {
    let (key, salt) = key_and_salt(profile);
    Context::new(profile, &MasterKey::new(profile, &key, &salt).unwrap())
}

fn theirs(profile: Profile) -> Other {
    let (key, salt) = key_and_salt(profile);
    let other_profile = match profile {
        Profile::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Profile::AesCm128HmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
    };
    assert_eq!(other_profile as u16, profile.id());
    let provider = rtc_crypto::default_provider().unwrap();
    Other::new(&key, &salt, other_profile, None, None, provider.crypto()).unwrap()
}

/// RTP with two CSRCs, a one-byte header extension and four bytes of padding.
fn rtp(sequence: u16, payload_len: usize) -> Vec<u8> {
    let mut packet = vec![0xb2, 111];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 3, 0xc0]);
    packet.extend(SSRC.to_be_bytes());
    packet.extend([0, 0, 0, 1, 0, 0, 0, 2]);
    packet.extend([0xbe, 0xde, 0, 1, 0x10, 0x55, 0, 0]);
    packet.extend((0..payload_len).map(|n| n as u8));
    packet.extend([0, 0, 0, 4]);
    packet
}

/// A sender report without blocks, and a goodbye.
fn rtcp(count: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6];
    packet.extend(SSRC.to_be_bytes());
    packet.extend([0x11; 16]);
    packet.extend(count.to_be_bytes());
    packet.extend([0x81, 203, 0, 1]);
    packet.extend(SSRC.to_be_bytes());
    packet
}

/// Runs over a wrap of the sequence number; the lengths meet every remainder of the block size.
fn sequences() -> impl Iterator<Item = (u16, usize)> {
    (0..40).map(|n| (0xffec_u16.wrapping_add(n), usize::from(n)))
}

#[test]
fn they_read_our_rtp() {
    for profile in Profile::ALL {
        let (mut ours, mut theirs) = (ours(profile), theirs(profile));
        for (sequence, len) in sequences() {
            let plain = rtp(sequence, len);
            let mut packet = plain.clone();
            ours.protect_rtp(&mut packet).unwrap();
            assert_eq!(packet.len(), plain.len() + profile.tag_len());
            assert_eq!(theirs.decrypt_rtp(&packet).unwrap()[..], plain, "{profile:?} {sequence}");
        }
    }
}

#[test]
fn we_read_their_rtp() {
    for profile in Profile::ALL {
        let (mut ours, mut theirs) = (ours(profile), theirs(profile));
        for (sequence, len) in sequences() {
            let plain = rtp(sequence, len);
            let mut packet = theirs.encrypt_rtp(&plain).unwrap().to_vec();
            ours.unprotect_rtp(&mut packet).unwrap();
            assert_eq!(packet, plain, "{profile:?} {sequence}");
        }
        assert_eq!(ours.received_index(SSRC), Some(1 << 16 | 0x13));
    }
}

#[test]
fn they_read_our_rtcp() {
    for profile in Profile::ALL {
        let (mut ours, mut theirs) = (ours(profile), theirs(profile));
        for count in 0..40 {
            let plain = rtcp(count);
            let mut packet = plain.clone();
            ours.protect_rtcp(&mut packet).unwrap();
            assert_eq!(packet.len(), plain.len() + profile.rtcp_overhead());
            assert_eq!(theirs.decrypt_rtcp(&packet).unwrap()[..], plain, "{profile:?} {count}");
        }
    }
}

#[test]
fn we_read_their_rtcp() {
    for profile in Profile::ALL {
        let (mut ours, mut theirs) = (ours(profile), theirs(profile));
        for count in 0..40 {
            let plain = rtcp(count);
            let mut packet = theirs.encrypt_rtcp(&plain).unwrap().to_vec();
            ours.unprotect_rtcp(&mut packet).unwrap();
            assert_eq!(packet, plain, "{profile:?} {count}");
        }
    }
}
