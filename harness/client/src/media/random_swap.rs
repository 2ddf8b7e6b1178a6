//! The same client random in two calls: what `certificate = "reused"` asks for.
//!
//! `rtc-dtls` makes its own random, four bytes of which are the wall clock, and has no setting for it. Each handshake byte
//! that matters, however, passes through the crypto provider: transcript hashes, the pseudo-random function and signatures.
//! So the random that `rtc-dtls` believes in is replaced by the wanted one on the wire and in front of every primitive;
//! both ends then compute with the wanted one. The honest path wants the random of its own fresh identity: it runs
//! through the same code.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// Bytes of a hello's random. RFC 5246, section 7.4.1.2.
pub(super) const RANDOM_BYTES: usize = 32;

/// Which random stands on the wire instead of which.
#[derive(Clone, Default)]
pub(super) struct RandomSwap(Arc<Swap>);

#[derive(Default)]
struct Swap {
    wanted: Option<[u8; RANDOM_BYTES]>,
    made: OnceLock<[u8; RANDOM_BYTES]>,
}

impl RandomSwap {
    /// Puts `wanted` in the place of the first random that [`RandomSwap::learn`] is told.
    pub(super) fn new(wanted: [u8; RANDOM_BYTES]) -> Self {
        Self(Arc::new(Swap { wanted: Some(wanted), made: OnceLock::new() }))
    }

    /// Tells the random that `rtc-dtls` made; later calls change nothing, since one handshake keeps its random.
    pub(super) fn learn(&self, made: [u8; RANDOM_BYTES]) {
        let _ = self.0.made.set(made);
    }

    /// `bytes` as the peer sees them.
    pub(super) fn to_wire<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let (Some(wanted), Some(made)) = (&self.0.wanted, self.0.made.get()) else { return Cow::Borrowed(bytes) };
        let Some(at) = bytes.windows(RANDOM_BYTES).position(|window| window == made) else {
            return Cow::Borrowed(bytes);
        };
        let (before, rest) = bytes.split_at(at);
        let after = rest.get(RANDOM_BYTES..).unwrap_or_default();
        // The rest may hold it again: a transcript has the ClientHello once or twice, with and without cookie.
        Cow::Owned([before, wanted, &self.to_wire(after)].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_occurrence_is_replaced_once_the_random_is_known() {
        let swap = RandomSwap::new([9; RANDOM_BYTES]);
        let text = [&[1][..], &[7; RANDOM_BYTES], &[2], &[7; RANDOM_BYTES]].concat();
        assert_eq!(swap.to_wire(&text), text);
        swap.learn([7; RANDOM_BYTES]);
        swap.learn([8; RANDOM_BYTES]);
        let swapped = [&[1][..], &[9; RANDOM_BYTES], &[2], &[9; RANDOM_BYTES]].concat();
        assert_eq!(swap.to_wire(&text), swapped);
        assert_eq!(RandomSwap::default().to_wire(&text), text);
    }
}
