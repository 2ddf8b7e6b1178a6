//! Against libsrtp2, the SRTP of most products: both directions, every profile, replay decisions, rollovers, identifiers.
//!
//! It runs as a child process (`libsrtp2/peer.c`). Where it differs, a test named after the difference holds on to it, with the
//! section of the RFC that decides.

mod support;

#[path = "libsrtp2/differences.rs"]
mod differences;
#[path = "libsrtp2/peer.rs"]
mod peer;
#[path = "libsrtp2/verdicts.rs"]
mod verdicts;

use peer::{Key, Libsrtp2, Policy, Session, Whose};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use ringfence_srtp::bend::NullProfile;
use ringfence_srtp::{Context, Profile, Settings};
use support::agreement::{
    End, Kind, agree_on, agree_on_forgeries, check, open_only_the_true, protect_alike, skip_index_zero, turn_bit,
};
use support::flight::{Flight, rtcp_flight, rtp_flight};
use support::keys::{Keys, keys, keys_of, keys_or_null};
use support::packets;

const CASES: u32 = 400;

#[test]
fn rtp_is_the_same_and_each_opens_the_others() {
    let Some(mut peer) = Libsrtp2::start() else { return };
    let values = (keys_or_null(), rtp_flight(packets::rtp(packets::any_extension())));
    check(CASES, &mut peer, values, |peer, (keys, flight)| {
        let (senders, receivers) = (&mut senders(peer, &keys), &mut receivers(peer, &keys));
        agree_on(&flight, Kind::Rtp, [&mut senders.0, &mut senders.1], [&mut receivers.0, &mut receivers.1])
    });
}

#[test]
fn rtcp_is_the_same_and_each_opens_the_others() {
    let Some(mut peer) = Libsrtp2::start() else { return };
    check(CASES, &mut peer, (keys_or_null(), rtcp_flight()), |peer, (keys, flight)| {
        let (senders, receivers) = (&mut senders(peer, &keys), &mut receivers(peer, &keys));
        skip_index_zero(&mut senders.0, &flight.ssrcs);
        agree_on(&flight, Kind::Rtcp, [&mut senders.0, &mut senders.1], [&mut receivers.0, &mut receivers.1])
    });
}

#[test]
fn damaged_rtp_is_refused_by_both() {
    let Some(mut peer) = Libsrtp2::start() else { return };
    let values = (keys_or_null(), rtp_flight(packets::rtp(packets::any_extension())), any::<u16>());
    check(CASES, &mut peer, values, |peer, (keys, flight, place)| {
        let (senders, receivers) = (&mut senders(peer, &keys), &mut receivers(peer, &keys));
        let senders: [&mut dyn End; 2] = [&mut senders.0, &mut senders.1];
        agree_on_forgeries(&flight, Kind::Rtp, damage(place), senders, [&mut receivers.0, &mut receivers.1])
    });
}

#[test]
fn damaged_rtcp_is_refused_by_both() {
    let Some(mut peer) = Libsrtp2::start() else { return };
    check(CASES, &mut peer, (keys_or_null(), rtcp_flight(), any::<u16>()), |peer, (keys, flight, place)| {
        let (senders, receivers) = (&mut senders(peer, &keys), &mut receivers(peer, &keys));
        skip_index_zero(&mut senders.0, &flight.ssrcs);
        let senders: [&mut dyn End; 2] = [&mut senders.0, &mut senders.1];
        agree_on_forgeries(&flight, Kind::Rtcp, damage(place), senders, [&mut receivers.0, &mut receivers.1])
    });
}

/// The second key from the middle of the flight on: rollover counters and SRTCP indices go on (RFC 3711, sections 3.3.1 and 3.4),
/// and what is late opens under the key that it names.
#[test]
fn rekeyed_rtp_with_identifiers_is_the_same() {
    let Some(mut peer) = Libsrtp2::start() else { return };
    let values = (two_keys(&Profile::ALL), rtp_flight(packets::rtp(packets::any_extension())), any::<u16>());
    check(CASES, &mut peer, values, |peer, (two, flight, place)| rekeyed(peer, &two, Kind::Rtp, &flight, place));
}

/// As above. Not with a short tag, where libsrtp2 looks for the identifier at a wrong place: see `differences`.
#[test]
fn rekeyed_rtcp_with_identifiers_is_the_same() {
    let Some(mut peer) = Libsrtp2::start() else { return };
    let long: Vec<Profile> = Profile::ALL.into_iter().filter(|profile| profile.tag_len() >= 10).collect();
    let values = (two_keys(&long), rtcp_flight(), any::<u16>());
    check(CASES, &mut peer, values, |peer, (two, flight, place)| rekeyed(peer, &two, Kind::Rtcp, &flight, place));
}

/// RFC 3711, section 3.3.1: as long as less than 2^15 packets in a row are lost.
#[test]
fn rollovers_are_counted_alike_over_many_wraps() {
    let Some(mut peer) = Libsrtp2::start() else { return };
    let steps = vec(prop_oneof![1..=0x7fffu16, 0x7000..=0x7fffu16], 1..60);
    check(CASES, &mut peer, (keys(), any::<u32>(), any::<u16>(), steps), |peer, (keys, ssrc, start, steps)| {
        let flight = steady(ssrc, start, &steps);
        let (senders, receivers) = (&mut senders(peer, &keys), &mut receivers(peer, &keys));
        agree_on(&flight, Kind::Rtp, [&mut senders.0, &mut senders.1], [&mut receivers.0, &mut receivers.1])?;
        let last = u64::from(start) + steps.iter().map(|step| u64::from(*step)).sum::<u64>();
        for (ours, theirs) in [senders, receivers] {
            prop_assert_eq!(ours.rtp_index(ssrc), Some(last));
            prop_assert_eq!(theirs.rollover_counter(ssrc), (last >> 16) as u32);
        }
        Ok(())
    });
}

/// RFC 3711, section 3.3.1: who joins a stream later is told its rollover counter. Here it jumps ahead by two and more; of one
/// see `differences`.
#[test]
fn rollover_counters_can_be_told_alike() {
    let Some(mut peer) = Libsrtp2::start() else { return };
    let jumps = vec((2..0x1000_0000u32, any::<u16>(), vec(1..=0x7fffu16, 0..6)), 1..6);
    check(CASES, &mut peer, (keys(), any::<u32>(), jumps), |peer, (keys, ssrc, jumps)| {
        let ends = || (keys.ours(), peer.session(&policy(&keys, Whose::One(ssrc))));
        let (senders, receivers) = (&mut ends(), &mut ends());
        let mut roc = 0;
        for (ahead, start, steps) in jumps {
            roc += ahead;
            for (ours, theirs) in [&mut *senders, &mut *receivers] {
                ours.set_rollover_counter(ssrc, roc).expect("it is ahead");
                theirs.set_rollover_counter(ssrc, roc);
            }
            let flight = steady(ssrc, start, &steps);
            agree_on(&flight, Kind::Rtp, [&mut senders.0, &mut senders.1], [&mut receivers.0, &mut receivers.1])?;
            roc += ((u64::from(start) + steps.iter().map(|step| u64::from(*step)).sum::<u64>()) >> 16) as u32;
            for (ours, theirs) in [&*senders, &*receivers] {
                prop_assert_eq!(ours.rtp_index(ssrc).map(|index| (index >> 16) as u32), Some(roc));
                prop_assert_eq!(theirs.rollover_counter(ssrc), roc);
            }
        }
        Ok(())
    });
}

/// Turns one bit of a packet, or cuts it off there; another one of each packet of a flight.
fn damage(place: u16) -> impl Fn(usize, &mut Vec<u8>) {
    move |n, packet| {
        let bit = (usize::from(place) + 131 * n) % (8 * packet.len());
        if n % 4 == 3 { packet.truncate(bit / 8) } else { turn_bit(packet, bit) }
    }
}

/// A context of ours and a session of theirs that send.
fn senders(peer: &Libsrtp2, keys: &Keys) -> (Context, Session) {
    (keys.ours(), peer.session(&policy(keys, Whose::AnyOutbound)))
}

/// A context of ours and a session of theirs that receive.
fn receivers(peer: &Libsrtp2, keys: &Keys) -> (Context, Session) {
    (keys.ours(), peer.session(&policy(keys, Whose::AnyInbound)))
}

fn policy(keys: &Keys, whose: Whose) -> Policy {
    let profile = match (keys.null, keys.profile) {
        (Some(NullProfile::HmacSha1_80), _) => peer::Profile::NullSha1_80,
        (Some(NullProfile::HmacSha1_32), _) => peer::Profile::NullSha1_32,
        (None, Profile::AesCm128HmacSha1_80) => peer::Profile::AesCm128Sha1_80,
        (None, Profile::AesCm128HmacSha1_32) => peer::Profile::AesCm128Sha1_32,
        (None, Profile::AesCm256HmacSha1_80) => peer::Profile::AesCm256Sha1_80,
        (None, Profile::AesCm256HmacSha1_32) => peer::Profile::AesCm256Sha1_32,
        (None, Profile::AeadAes128Gcm) => peer::Profile::Gcm128,
        (None, Profile::AeadAes256Gcm) => peer::Profile::Gcm256,
    };
    Policy { profile, whose, window: u32::from(Settings::default().replay_window), keys: vec![key(keys, &[])] }
}

fn key(keys: &Keys, mki: &[u8]) -> Key {
    Key { mki: mki.to_vec(), key_and_salt: [&keys.key[..], &keys.salt].concat() }
}

/// RTP packets of one stream, one payload byte each, that arrive as they were sent.
fn steady(ssrc: u32, start: u16, steps: &[u16]) -> Flight {
    let mut sequence = start;
    let mut sent = vec![rtp(ssrc, start)];
    for step in steps {
        sequence = sequence.wrapping_add(*step);
        sent.push(rtp(ssrc, sequence));
    }
    Flight { arrivals: (0..sent.len()).collect(), sent, ssrcs: vec![ssrc] }
}

fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x5a];
    packets::place(&mut packet, ssrc, sequence);
    packet
}

/// Two master keys of one profile with their identifiers.
#[derive(Debug, Clone)]
struct TwoKeys {
    keys: Keys,
    next: Keys,
    mkis: [Vec<u8>; 2],
}

fn two_keys(profiles: &[Profile]) -> impl Strategy<Value = TwoKeys> + use<> {
    let mkis = (1usize..=128).prop_flat_map(|len| [vec(any::<u8>(), len), vec(any::<u8>(), len)]);
    (keys_of(profiles), mkis.prop_filter("identifiers differ", |[a, b]| a != b)).prop_map(|(keys, mkis)| {
        let other = |bytes: &[u8]| bytes.iter().map(|byte| byte ^ 0xa5).collect();
        TwoKeys { next: Keys { key: other(&keys.key), salt: other(&keys.salt), ..keys.clone() }, keys, mkis }
    })
}

fn rekeyed(peer: &Libsrtp2, two: &TwoKeys, kind: Kind, flight: &Flight, place: u16) -> TestCaseResult {
    let [mki, next_mki] = &two.mkis;
    let ours = || two.keys.ours_with(Settings { mki: mki.clone(), ..Settings::default() });
    let theirs = |whose| {
        let mut policy = policy(&two.keys, whose);
        policy.keys = vec![key(&two.keys, mki), key(&two.next, next_mki)];
        peer.session(&policy)
    };
    let (senders, receivers) = (&mut (ours(), theirs(Whose::AnyOutbound)), &mut (ours(), theirs(Whose::AnyInbound)));
    receivers.0.rekey(&two.next.master(), next_mki).expect("the key is new"); // and opens with the former one, too
    if kind == Kind::Rtcp {
        skip_index_zero(&mut senders.0, &flight.ssrcs);
    }
    let (before, after) = flight.sent.split_at(flight.sent.len() / 2);
    let mut protected = protect_alike(before, kind, [&mut senders.0, &mut senders.1])?;
    senders.0.rekey(&two.next.master(), next_mki).expect("the key is new");
    senders.1.sends_with = 1;
    protected.extend(protect_alike(after, kind, [&mut senders.0, &mut senders.1])?);
    open_only_the_true(flight, &protected, kind, damage(place), [&mut receivers.0, &mut receivers.1])
}
