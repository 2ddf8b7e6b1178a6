//! What is remembered per SSRC, and for how many of them.

use std::fmt;

use crate::index::{Counter, RTCP_BITS, RTP_BITS};
use crate::settings::Settings;

/// Streams (SSRCs) that a context keeps. The protocol names no number; a call has a handful, and a peer that holds the key
/// must not be able to make us remember without end.
pub const MAX_STREAMS: usize = 256;

/// Whether a stream is protected or opened here. Under one key it cannot be both: two senders with one SSRC use keystream
/// twice (RFC 3711, section 9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Sent,
    Received,
}

/// One SSRC. RFC 3711, section 3.2.1: rollover counter and replay list belong to the stream.
pub(crate) struct Stream {
    ssrc: u32,
    /// Not known yet while there is nothing but a rollover counter that was told.
    pub direction: Option<Direction>,
    /// 48-bit RTP indices.
    pub rtp: Counter,
    /// 31-bit SRTCP indices.
    pub rtcp: Counter,
}

impl Stream {
    /// Whether it goes the other way.
    #[inline]
    pub(crate) fn is_against(&self, direction: Direction) -> bool {
        self.direction.is_some_and(|known| known != direction)
    }
}

/// All streams of a context.
pub(crate) struct Streams {
    windows: [u16; 2],
    /// In the order of their SSRCs.
    all: Vec<Stream>,
    /// Where the last one was found: most packets come from the stream that the one before came from.
    last: usize,
}

impl Streams {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { windows: [settings.replay_window, settings.rtcp_replay_window], all: Vec::new(), last: 0 }
    }

    /// The state of `ssrc`, if it was heard of.
    #[inline]
    pub(crate) fn get(&mut self, ssrc: u32) -> Option<&mut Stream> {
        if self.all.get(self.last).is_none_or(|stream| stream.ssrc != ssrc) {
            self.last = self.place(ssrc).ok()?;
        }
        self.all.get_mut(self.last)
    }

    /// The state of `ssrc`, if it was heard of, to look at.
    pub(crate) fn peek(&self, ssrc: u32) -> Option<&Stream> {
        self.place(ssrc).ok().map(|at| &self.all[at])
    }

    /// Whether another stream can be kept.
    pub(crate) fn has_room(&self) -> bool {
        self.all.len() < MAX_STREAMS
    }

    /// The state of `ssrc`, created if new. Ask [`Streams::has_room`] first.
    #[inline]
    pub(crate) fn entry(&mut self, ssrc: u32) -> &mut Stream {
        if self.get(ssrc).is_none() {
            self.create(ssrc);
        }
        &mut self.all[self.last]
    }

    #[cold]
    fn create(&mut self, ssrc: u32) {
        if let Err(at) = self.place(ssrc) {
            let [rtp, rtcp] = self.windows;
            let (rtp, rtcp) = (Counter::new(RTP_BITS, rtp), Counter::new(RTCP_BITS, rtcp));
            self.all.insert(at, Stream { ssrc, direction: None, rtp, rtcp });
            self.last = at;
        }
    }

    fn place(&self, ssrc: u32) -> Result<usize, usize> {
        self.all.binary_search_by_key(&ssrc, |stream| stream.ssrc)
    }
}

/// The streams and their counters.
impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let streams = self.all.iter().map(|stream| (stream.ssrc, (stream.direction, &stream.rtp, &stream.rtcp)));
        f.debug_map().entries(streams).finish()
    }
}
