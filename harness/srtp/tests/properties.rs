//! What must hold for every packet, valid or not.

use proptest::prelude::*;
use ringfence_srtp::{Context, MasterKey, Profile, bend};

fn context(profile: Profile) -> Context {
    let (key, salt) = (vec![0x3c; profile.key_len()], vec![0xa5; profile.salt_len()]);
    Context::new(&MasterKey::new(profile, &key, &salt).unwrap())
}

fn profiles() -> impl Strategy<Value = Profile> {
    prop::sample::select(Profile::ALL.to_vec())
}

prop_compose! {
    fn rtp_packets()(
        sequence: u16, ssrc: u32, second: u8, padding: bool,
        csrcs in prop::collection::vec(any::<u32>(), 0..16),
        extension in prop::option::of(prop::collection::vec(any::<u32>(), 0..20)),
        payload in prop::collection::vec(any::<u8>(), 0..300),
    ) -> Vec<u8> {
        let flags = if padding { 0x20 } else { 0 } | if extension.is_some() { 0x10 } else { 0 };
        let mut packet = vec![0x80 | flags | csrcs.len() as u8, second];
        packet.extend(sequence.to_be_bytes());
        packet.extend([0, 1, 2, 3]);
        packet.extend(ssrc.to_be_bytes());
        packet.extend(csrcs.into_iter().flat_map(u32::to_be_bytes));
        if let Some(words) = extension {
            packet.extend([0xbe, 0xde]);
            packet.extend((words.len() as u16).to_be_bytes());
            packet.extend(words.into_iter().flat_map(u32::to_be_bytes));
        }
        packet.extend(payload);
        packet
    }
}

prop_compose! {
    fn rtcp_packets()(ssrc: u32, body in prop::collection::vec(any::<u8>(), 0..200)) -> Vec<u8> {
        let mut packet = vec![0x80, 200, 0, 6];
        packet.extend(ssrc.to_be_bytes());
        packet.extend(body);
        packet
    }
}

/// The test's own reading of where the payload starts.
fn header_len(rtp: &[u8]) -> usize {
    let fixed = 12 + 4 * usize::from(rtp[0] & 15);
    match rtp[0] & 0x10 {
        0 => fixed,
        _ => fixed + 4 + 4 * (usize::from(rtp[fixed + 2]) << 8 | usize::from(rtp[fixed + 3])),
    }
}

/// A context's memory as text; `Debug` shows all of it and none of the keys.
fn memory(context: &Context) -> String {
    format!("{context:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn rtp_comes_back_and_was_hidden(profile in profiles(), plain in rtp_packets()) {
        let (mut sender, mut receiver) = (context(profile), context(profile));
        let mut packet = plain.clone();
        sender.protect_rtp(&mut packet).unwrap();
        prop_assert_eq!(packet.len(), plain.len() + profile.tag_len());
        let header = header_len(&plain);
        prop_assert_eq!(&packet[..header], &plain[..header]);
        if plain.len() - header >= 16 {
            prop_assert_ne!(&packet[header..plain.len()], &plain[header..]);
        }
        receiver.unprotect_rtp(&mut packet).unwrap();
        prop_assert_eq!(packet, plain);
    }

    #[test]
    fn rtcp_comes_back_and_was_hidden(profile in profiles(), plain in rtcp_packets(), encrypted: bool) {
        let (mut sender, mut receiver) = (context(profile), context(profile));
        let mut packet = plain.clone();
        if encrypted {
            sender.protect_rtcp(&mut packet).unwrap();
        } else {
            bend::protect_rtcp_unencrypted_at(&mut sender, &mut packet, 77).unwrap();
        }
        prop_assert_eq!(packet.len(), plain.len() + profile.rtcp_overhead());
        if plain.len() >= 24 {
            prop_assert_eq!(packet[8..plain.len()] != plain[8..], encrypted);
        }
        receiver.unprotect_rtcp(&mut packet).unwrap();
        prop_assert_eq!(packet, plain);
    }

    /// One flipped bit anywhere: refused, the bytes untouched, nothing remembered, and the original still welcome.
    #[test]
    fn a_flipped_bit_is_refused(
        profile in profiles(), rtcp: bool, encrypted: bool, earlier: bool,
        rtp_plain in rtp_packets(), rtcp_plain in rtcp_packets(), bit: prop::sample::Index,
    ) {
        let (mut sender, mut receiver) = (context(profile), context(profile));
        let unprotect = |receiver: &mut Context, packet: &mut Vec<u8>| {
            if rtcp { receiver.unprotect_rtcp(packet) } else { receiver.unprotect_rtp(packet) }
        };
        let plain = if rtcp { rtcp_plain } else { rtp_plain };
        if earlier && !rtcp {
            // A packet of the same stream has come before, so that there is memory to spoil.
            let mut packet = plain.clone();
            let sequence = u16::from_be_bytes([packet[2], packet[3]]).wrapping_sub(1);
            packet[2..4].copy_from_slice(&sequence.to_be_bytes());
            sender.protect_rtp(&mut packet).unwrap();
            unprotect(&mut receiver, &mut packet).unwrap();
        }
        let mut packet = plain.clone();
        match (rtcp, encrypted) {
            (true, true) => sender.protect_rtcp(&mut packet).unwrap(),
            (true, false) => bend::protect_rtcp_unencrypted_at(&mut sender, &mut packet, 0).unwrap(),
            (false, _) => sender.protect_rtp(&mut packet).unwrap(),
        }
        let before = memory(&receiver);
        let mut flipped = packet.clone();
        let bit = bit.index(packet.len() * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        let sent = flipped.clone();
        prop_assert!(unprotect(&mut receiver, &mut flipped).is_err(), "accepted with bit {} flipped", bit);
        prop_assert_eq!(flipped, sent);
        prop_assert_eq!(memory(&receiver), before);
        unprotect(&mut receiver, &mut packet).unwrap();
        prop_assert_eq!(packet, plain);
    }

    /// Random bytes, also with a plausible start, through every function: no panic, no state, no change on error.
    #[test]
    fn random_bytes_do_no_harm(
        profile in profiles(), mut bytes in prop::collection::vec(any::<u8>(), 0..120), plausible: bool, at: u32,
    ) {
        if plausible && let Some(first) = bytes.first_mut() {
            *first = 0x80 | *first & 0x3f;
        }
        let mut receiver = context(profile);
        let before = memory(&receiver);
        let honest: [fn(&mut Context, &mut Vec<u8>) -> bool; 4] = [
            |c, p| c.unprotect_rtp(p).is_ok(),
            |c, p| c.unprotect_rtcp(p).is_ok(),
            |c, p| bend::unprotect_rtp_ignoring_replay(c, p).is_ok(),
            |c, p| bend::unprotect_rtcp_ignoring_replay(c, p).is_ok(),
        ];
        for unprotect in honest {
            let mut packet = bytes.clone();
            prop_assert!(!unprotect(&mut receiver, &mut packet));
            prop_assert_eq!(&packet, &bytes);
        }
        let _ = bend::unprotect_rtp_ignoring_tag(&mut receiver, &mut bytes.clone());
        let _ = bend::unprotect_rtcp_ignoring_tag_and_replay(&mut receiver, &mut bytes.clone());
        let _ = bend::protect_rtp_at(&mut receiver, &mut bytes.clone(), at);
        let _ = bend::protect_rtcp_at(&mut receiver, &mut bytes.clone(), at);
        let _ = bend::protect_rtcp_unencrypted_at(&mut receiver, &mut bytes.clone(), at);
        prop_assert_eq!(memory(&receiver), before);
        let _ = receiver.protect_rtp(&mut bytes.clone());
        let _ = receiver.protect_rtcp(&mut bytes);
    }
}
