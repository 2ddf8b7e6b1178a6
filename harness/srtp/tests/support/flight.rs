//! Streams on their way: what was sent, and what of it arrives when.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;

use super::packets::{place, rtcp};

/// Packets of several streams in the order in which they were sent.
#[derive(Clone)]
pub struct Flight {
    /// Of each stream the first is there from the beginning and arrives first.
    pub sent: Vec<Vec<u8>>,
    /// Indices of `sent`, in the order of arrival. Some never arrive; none is so late that a replay window of 64 has passed it.
    pub arrivals: Vec<usize>,
    /// The streams.
    pub ssrcs: Vec<u32>,
}

const STREAMS: Range<u32> = 0..3;
/// With [`STEP`]: no packet is overtaken by 64 others of its stream.
const LATEST: usize = 28;
/// Sequence numbers from one packet to the next.
const STEP: Range<u16> = 1..3;

/// One to forty RTP packets, each stream about to wrap, or just begun, or anywhere.
pub fn rtp_flight(packet: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Flight> {
    let start = prop_oneof![2 => 65_500..=u16::MAX, 1 => 0..40u16, 1 => any::<u16>()];
    (any::<u32>(), vec(start, STREAMS.len()), vec((STREAMS, STEP, delay(), packet), 1..=40)).prop_map(
        |(ssrc, mut next, steps)| {
            let (mut sent, mut delays, mut streams) = (Vec::new(), Vec::new(), Vec::new());
            for (stream, step, delay, mut packet) in steps {
                let sequence = &mut next[stream as usize];
                place(&mut packet, ssrc.wrapping_add(stream), *sequence);
                *sequence = sequence.wrapping_add(step);
                sent.push(packet);
                delays.push(delay);
                streams.push(stream);
            }
            let arrivals = arrivals(&streams, &delays);
            Flight { sent, arrivals, ssrcs: STREAMS.map(|stream| ssrc.wrapping_add(stream)).collect() }
        },
    )
}

/// One to forty RTCP packets.
pub fn rtcp_flight() -> impl Strategy<Value = Flight> {
    any::<u32>().prop_flat_map(|ssrc| {
        let step = STREAMS.prop_flat_map(move |stream| (Just(stream), delay(), rtcp(ssrc.wrapping_add(stream))));
        vec(step, 1..=40).prop_map(move |steps| {
            let streams: Vec<u32> = steps.iter().map(|(stream, _, _)| *stream).collect();
            let delays: Vec<Option<usize>> = steps.iter().map(|(_, delay, _)| *delay).collect();
            let arrivals = arrivals(&streams, &delays);
            let ssrcs = STREAMS.map(|stream| ssrc.wrapping_add(stream)).collect();
            Flight { sent: steps.into_iter().map(|(_, _, packet)| packet).collect(), arrivals, ssrcs }
        })
    })
}

/// How many packets overtake this one; `None` for one that is lost.
fn delay() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![6 => Just(Some(0)), 3 => (0..=LATEST).prop_map(Some), 1 => Just(None)]
}

fn arrivals(streams: &[u32], delays: &[Option<usize>]) -> Vec<usize> {
    let mut begun = BTreeSet::new();
    let mut order: Vec<(usize, usize)> = (0..streams.len())
        .filter_map(|n| {
            // RFC 3711, section 3.3.1: a receiver takes the first sequence number that it sees for one of rollover counter 0.
            let delay = if begun.insert(streams[n]) { Some(0) } else { delays[n] };
            Some((n + delay?, n))
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, n)| n).collect()
}

/// Packets as a line of hexadecimal digits each.
impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, packet) in self.sent.iter().enumerate() {
            write!(f, "\n{n}: ")?;
            packet.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        }
        write!(f, "\narrivals {:?}", self.arrivals)
    }
}
