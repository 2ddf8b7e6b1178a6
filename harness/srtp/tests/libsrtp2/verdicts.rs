//! Both judge every packet of a disorderly stream alike: new, seen before or too old, or not authentic because its index was
//! estimated wrongly. RFC 3711, sections 3.3.1 and 3.3.2 and appendix A.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use ringfence_srtp::{Settings, bend};

use super::peer::{Libsrtp2, Policy, Whose};
use super::support::agreement::{End, Refusal, check};
use super::support::keys::keys;
use super::{policy, rtp};

const CASES: u32 = 200;
const SSRC: u32 = 0xcafe_babe;
/// Replay windows of RTP in packets. libsrtp2 rounds up to multiples of 32.
const WINDOWS: [u16; 3] = [64, 128, 1024];

#[test]
fn receivers_judge_rtp_alike() {
    let Some(mut peer) = Libsrtp2::start() else { return };
    let values = (keys(), select(WINDOWS.to_vec()), 0..0x1_0000u64, moves(0xc000));
    check(CASES, &mut peer, values, |peer, (keys, window, start, moves)| {
        let mut sender = keys.ours();
        let settings = Settings { replay_window: window, ..Settings::default() };
        let policy = Policy { window: window.into(), ..policy(&keys, Whose::AnyInbound) };
        let (mut ours, mut theirs) = (keys.ours_with(settings), peer.session(&policy));
        for index in indices(start, &moves) {
            let mut packet = rtp(SSRC, index as u16);
            bend::protect_rtp_at(&mut sender, &mut packet, (index >> 16) as u32).expect("it is an rtp packet");
            let verdict = verdict(End::unprotect_rtp(&mut ours, &packet))?;
            prop_assert_eq!(verdict, self::verdict(theirs.unprotect_rtp(&packet))?, "index {}", index);
        }
        Ok(())
    });
}

/// A sender keeps the same list: no index is used twice (RFC 3711, section 9.1).
#[test]
fn senders_judge_rtp_alike() {
    let Some(mut peer) = Libsrtp2::start() else { return };
    let values = (keys(), select(WINDOWS.to_vec()), 0..0x1_0000u64, moves(0xc000));
    check(CASES, &mut peer, values, |peer, (keys, window, start, moves)| {
        let settings = Settings { replay_window: window, ..Settings::default() };
        let policy = Policy { window: window.into(), ..policy(&keys, Whose::AnyOutbound) };
        let (mut ours, mut theirs) = (keys.ours_with(settings), peer.session(&policy));
        for index in indices(start, &moves) {
            let packet = rtp(SSRC, index as u16);
            prop_assert_eq!(End::protect_rtp(&mut ours, &packet), theirs.protect_rtp(&packet), "index {}", index);
        }
        Ok(())
    });
}

/// The replay window of libsrtp2 for SRTCP is 128, whatever that of SRTP is; so is ours by default.
#[test]
fn receivers_judge_rtcp_alike() {
    let Some(mut peer) = Libsrtp2::start() else { return };
    let start = prop_oneof![0..300u64, 0..1u64 << 31];
    check(CASES, &mut peer, (keys(), start, moves(1 << 24)), |peer, (keys, start, moves)| {
        let mut sender = keys.ours();
        let (mut ours, mut theirs) = (keys.ours(), peer.session(&policy(&keys, Whose::AnyInbound)));
        for index in indices(start, &moves).filter(|index| *index < 1 << 31) {
            let mut packet = [&[0x80, 201, 0, 1][..], &SSRC.to_be_bytes()].concat();
            bend::protect_rtcp_at(&mut sender, &mut packet, index as u32).expect("it is an rtcp packet");
            let verdict = verdict(End::unprotect_rtcp(&mut ours, &packet))?;
            prop_assert_eq!(verdict, self::verdict(theirs.unprotect_rtcp(&packet))?, "index {}", index);
        }
        Ok(())
    });
}

/// From the highest index so far to that of the next packet.
#[derive(Debug, Clone, Copy)]
enum Move {
    Ahead(u64),
    Back(u64),
}

/// Mostly in the neighbourhood of a window, now and then half of the sequence numbers away, or up to `far`.
fn moves(far: u64) -> impl Strategy<Value = Vec<Move>> {
    let half = || 0x7ffe..=0x8002u64;
    let ahead = prop_oneof![4 => 1..3u64, 2 => 1..200u64, 1 => 1..3000u64, 1 => half(), 1 => 1..far];
    let back = prop_oneof![4 => 0..70u64, 2 => 0..140u64, 2 => 0..1100u64, 1 => half(), 1 => 0..far];
    vec(prop_oneof![ahead.prop_map(Move::Ahead), back.prop_map(Move::Back)], 1..80)
}

fn indices(start: u64, moves: &[Move]) -> impl Iterator<Item = u64> {
    let mut highest = start;
    std::iter::once(start).chain(moves.iter().filter_map(move |step| match step {
        Move::Ahead(by) => {
            highest += by;
            Some(highest)
        }
        Move::Back(by) => highest.checked_sub(*by),
    }))
}

/// Opened, or which of the two reasons there are; anything else fails the test.
fn verdict(result: Result<Vec<u8>, Refusal>) -> Result<Option<Refusal>, TestCaseError> {
    match result {
        Ok(_) => Ok(None),
        Err(Refusal::Other(why)) => Err(TestCaseError::fail(why)),
        Err(refusal) => Ok(Some(refusal)),
    }
}
