//! `rtc-srtp`, each beside `ringfence-srtp`.

use ringfence_fuzz_kit::generators::srtp::{Setup, rtp, ssrc};
use ringfence_fuzz_kit::known::srtp::{header, their_header};
use rtc_srtp::context::Context as Peer;
use rtc_srtp::option::srtp_replay_protection;
use rtc_srtp::protection_profile::ProtectionProfile;

const SETUP: Setup = Setup { profile: 0, key: 1, window: 0, rate: u8::MAX, mki: 0 };

/// One of theirs with a replay list of 64 packets.
fn peer() -> Peer {
    let (key, salt) = SETUP.key_and_salt(0);
    let provider = rtc_crypto::default_provider().expect("it has one");
    let list = Some(srtp_replay_protection(64));
    Peer::new(&key, &salt, ProtectionProfile::Aes128CmHmacSha1_80, list, None, provider.crypto())
        .expect("it takes the keys")
}

fn protected(sequence: u16) -> Vec<u8> {
    let mut packet = rtp(0, sequence, b"").bytes;
    SETUP.context().protect_rtp(&mut packet).expect("a packet");
    packet
}

/// The last element says that it is longer than the extension, and a byte of payload is all that follows: the header is taken to be
/// longer than the packet.
pub fn protecting_it_panics(overlong: &[u8]) {
    assert_eq!((header(overlong), their_header(overlong)), (Some(20), Some(24)));
    let panics = std::panic::catch_unwind(|| peer().encrypt_rtp(overlong).map(|bytes| bytes.len()));
    assert!(panics.is_err(), "{panics:?}");
    let mut ours = overlong.to_vec();
    SETUP.context().protect_rtp(&mut ours).expect("ours counts the words");
    assert_eq!(ours[..20], overlong[..20]);
}

/// What stands behind identifier 15 is header, and is encrypted.
pub fn a_part_of_the_header_is_encrypted(fifteen: &[u8]) {
    assert_eq!((header(fifteen), their_header(fifteen)), (Some(20), Some(16)));
    let theirs = peer().encrypt_rtp(fifteen).expect("it is sent");
    assert_ne!(theirs[16..20], fifteen[16..20]);
    let mut ours = fifteen.to_vec();
    SETUP.context().protect_rtp(&mut ours).expect("ours counts the words");
    assert_eq!(ours[..20], fifteen[..20]);
}

/// SRTCP without the E flag, and a tag that is no tag.
pub fn it_is_taken(unsealed: &[u8]) {
    assert_eq!(peer().decrypt_rtcp(unsealed).expect("no tag is asked for")[..], unsealed[..8]);
    assert!(SETUP.context().unprotect_rtcp(&mut unsealed.to_vec()).is_err());
}

/// The replay list begins where the first packet says, before anybody asks for its tag.
pub fn one_forged_packet_makes_a_stream_deaf(forged: &[u8]) {
    let (mut theirs, mut ours) = (peer(), SETUP.context());
    assert!(theirs.decrypt_rtp(forged).is_err() && ours.unprotect_rtp(&mut forged.to_vec()).is_err());
    // Sequence numbers up to the forged one's, 30,000: at 50 packets a second ten minutes of silence.
    for sequence in [100, 10_000, 29_000] {
        assert!(theirs.decrypt_rtp(&protected(sequence)).is_err(), "{sequence}");
    }
    assert!(ours.unprotect_rtp(&mut protected(100)).is_ok());
    assert!(peer().decrypt_rtp(&protected(100)).is_ok(), "without the forgery");
}

/// State is made for every SSRC that anybody names, and kept: the same packet under 4,096 of them.
pub fn forged_packets_are_remembered_for_ever(forged: &[u8]) {
    let (mut theirs, mut ours) = (peer(), SETUP.context());
    let other = |n: u8, m: u8| [&forged[..8], &[n, m, 0, 0], &forged[12..]].concat();
    let each = |open: &mut dyn FnMut(Vec<u8>)| {
        let all = (0..=255).flat_map(|n| (0..16).map(move |m| other(n, m)));
        allocation_counter::measure(|| all.for_each(open)).bytes_current
    };
    let kept = each(&mut |packet| assert!(theirs.decrypt_rtp(&packet).is_err()));
    assert!(kept > 4_096 * 64, "{kept} bytes for 4,096 SSRCs");
    let kept = each(&mut |mut packet| assert!(ours.unprotect_rtp(&mut packet).is_err()));
    assert!(kept < 4_096, "{kept} bytes");
    assert_eq!(ours.rtp_index(ssrc(0)), None);
}
