//! What is remembered per SSRC, and for how many of them.

use std::collections::BTreeMap;

use crate::replay::Window;

/// Streams (SSRCs) that a context keeps per direction. The protocol names no number; a call has a handful, and a peer
/// that holds the key must not be able to make us remember without end.
pub const MAX_STREAMS: usize = 256;

/// The indices of one SSRC. RFC 3711, section 3.2.3: rollover counter and replay list belong to the stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stream {
    /// 48-bit RTP indices.
    pub rtp: Window,
    /// 31-bit SRTCP indices.
    pub rtcp: Window,
}

/// All streams of one direction.
#[derive(Debug, Default)]
pub(crate) struct Streams(BTreeMap<u32, Stream>);

impl Streams {
    /// The state of `ssrc`, or that of a stream not heard yet. Creates nothing.
    pub(crate) fn peek(&self, ssrc: u32) -> Stream {
        self.0.get(&ssrc).copied().unwrap_or_default()
    }

    /// Whether `ssrc` is known or can still be added.
    pub(crate) fn has_room_for(&self, ssrc: u32) -> bool {
        self.0.len() < MAX_STREAMS || self.0.contains_key(&ssrc)
    }

    /// The state of `ssrc`, created if new. Ask [`Streams::has_room_for`] first.
    pub(crate) fn entry(&mut self, ssrc: u32) -> &mut Stream {
        self.0.entry(ssrc).or_default()
    }
}
