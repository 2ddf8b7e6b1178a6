//! What two implementations of SRTP with the same key must agree on.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};
use ringfence_srtp::{Context, ProtectError, UnprotectError};

use super::flight::Flight;

/// One end of a session, of whatever implementation. A packet goes in and what became of it comes out.
pub trait End {
    fn protect_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal>;
    fn unprotect_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal>;
    fn protect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal>;
    fn unprotect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal>;
}

/// Why a packet was refused, as far as implementations can agree on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Seen before, or too old.
    Replay,
    /// The tag does not match.
    Authentication,
    /// No key has the identifier that the packet names.
    KeyIdentifier,
    /// Anything else, in the words of the implementation.
    Other(String),
}

/// RTP or RTCP: which two of the four functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rtp,
    Rtcp,
}

impl Kind {
    pub fn protect(self, end: &mut dyn End, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        match self {
            Self::Rtp => end.protect_rtp(packet),
            Self::Rtcp => end.protect_rtcp(packet),
        }
    }

    pub fn unprotect(self, end: &mut dyn End, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        match self {
            Self::Rtp => end.unprotect_rtp(packet),
            Self::Rtcp => end.unprotect_rtcp(packet),
        }
    }
}

/// Both protect every packet of the flight to the same bytes, and both open what arrives of it, in its order.
pub fn agree_on(
    flight: &Flight,
    kind: Kind,
    senders: [&mut dyn End; 2],
    receivers: [&mut dyn End; 2],
) -> TestCaseResult {
    let protected = protect_alike(&flight.sent, kind, senders)?;
    let [ours, theirs] = receivers;
    flight.arrivals.iter().try_for_each(|n| both_open(*n, &protected[*n], &flight.sent[*n], kind, [ours, theirs]))
}

/// Both protect every packet to the same bytes.
pub fn protect_alike(
    packets: &[Vec<u8>],
    kind: Kind,
    [ours, theirs]: [&mut dyn End; 2],
) -> Result<Vec<Vec<u8>>, TestCaseError> {
    let alike = |(n, packet): (usize, &Vec<u8>)| {
        let protected = kind.protect(ours, packet);
        prop_assert_eq!(&protected, &kind.protect(theirs, packet), "packet {}; left ours, right theirs", n);
        protected.map_err(|refusal| TestCaseError::fail(format!("packet {n} is refused: {refusal:?}")))
    };
    packets.iter().enumerate().map(alike).collect()
}

/// As [`agree_on`], and both refuse forgeries: see [`open_only_the_true`].
pub fn agree_on_forgeries(
    flight: &Flight,
    kind: Kind,
    forge: impl Fn(usize, &mut Vec<u8>),
    senders: [&mut dyn End; 2],
    receivers: [&mut dyn End; 2],
) -> TestCaseResult {
    let protected = protect_alike(&flight.sent, kind, senders)?;
    open_only_the_true(flight, &protected, kind, forge, receivers)
}

/// Every packet that arrives is preceded by a forged copy; `forge` gets its place in the flight, too. Both refuse that, and both
/// take the true one afterwards: what does not authenticate leaves no trace (RFC 3711, section 3.3).
pub fn open_only_the_true(
    flight: &Flight,
    protected: &[Vec<u8>],
    kind: Kind,
    forge: impl Fn(usize, &mut Vec<u8>),
    [ours, theirs]: [&mut dyn End; 2],
) -> TestCaseResult {
    for n in &flight.arrivals {
        let mut forged = protected[*n].clone();
        forge(*n, &mut forged);
        prop_assert!(kind.unprotect(ours, &forged).is_err(), "we refuse a forgery of packet {}", n);
        prop_assert!(kind.unprotect(theirs, &forged).is_err(), "they refuse a forgery of packet {}", n);
        both_open(*n, &protected[*n], &flight.sent[*n], kind, [ours, theirs])?;
    }
    Ok(())
}

/// Turns one bit, counted from the first of the packet over and over.
pub fn turn_bit(packet: &mut [u8], bit: usize) {
    let bit = bit % (8 * packet.len());
    packet[bit / 8] ^= 0x80 >> (bit % 8);
}

fn both_open(
    n: usize,
    protected: &[u8],
    plain: &[u8],
    kind: Kind,
    [ours, theirs]: [&mut dyn End; 2],
) -> TestCaseResult {
    let opened = kind.unprotect(ours, protected);
    prop_assert_eq!(opened.as_deref(), Ok(plain), "we open packet {}", n);
    let opened = kind.unprotect(theirs, protected);
    prop_assert_eq!(opened.as_deref(), Ok(plain), "they open packet {}", n);
    Ok(())
}

/// RFC 3711, section 3.4, has the first SRTCP packet of a stream bear index 0. libsrtp2 and rtc-srtp begin with 1: so that the
/// rest can be compared, our sender sends one packet more, which goes nowhere.
pub fn skip_index_zero(sender: &mut Context, ssrcs: &[u32]) {
    for ssrc in ssrcs {
        let mut packet = [&[0x80, 201, 0, 1][..], &ssrc.to_be_bytes()].concat();
        sender.protect_rtcp(&mut packet).expect("index 0 is free");
    }
}

/// Runs a property on `cases` random values, or on as many as `PROPTEST_CASES` says, with what it needs of state.
///
/// # Panics
/// If the property fails: with the smallest value that fails, and why.
pub fn check<P, S: Strategy>(
    cases: u32,
    peer: &mut P,
    values: S,
    property: impl Fn(&mut P, S::Value) -> TestCaseResult,
) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|given| given.parse().ok()).unwrap_or(cases);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let peer = RefCell::new(peer);
    if let Err(failure) = TestRunner::new(config).run(&values, |value| property(&mut peer.borrow_mut(), value)) {
        panic!("{failure}");
    }
}

impl End for Context {
    fn protect_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        in_place(packet, |packet| Context::protect_rtp(self, packet))
    }

    fn unprotect_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        in_place(packet, |packet| Context::unprotect_rtp(self, packet))
    }

    fn protect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        in_place(packet, |packet| Context::protect_rtcp(self, packet))
    }

    fn unprotect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        in_place(packet, |packet| Context::unprotect_rtcp(self, packet))
    }
}

fn in_place<E: Into<Refusal>>(
    packet: &[u8],
    change: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<Vec<u8>, Refusal> {
    let mut changed = packet.to_vec();
    let result = change(&mut changed);
    assert!(result.is_ok() || changed == packet, "a packet that is refused stays as it was");
    result.map(|()| changed).map_err(Into::into)
}

impl From<ProtectError> for Refusal {
    fn from(error: ProtectError) -> Self {
        match error {
            ProtectError::Reused { .. } => Self::Replay,
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<UnprotectError> for Refusal {
    fn from(error: UnprotectError) -> Self {
        match error {
            UnprotectError::Replay { .. } => Self::Replay,
            UnprotectError::Authentication { .. } => Self::Authentication,
            UnprotectError::Identifier { .. } => Self::KeyIdentifier,
            other => Self::Other(other.to_string()),
        }
    }
}
