//! Input with structure: values drawn from the fuzzer's bytes.

#[cfg(feature = "client")]
pub mod dialling;
pub mod digest;
pub mod dtls;
#[cfg(feature = "client")]
pub mod json;
pub mod lab;
#[cfg(feature = "judge")]
pub mod lines;
#[cfg(feature = "judge")]
pub mod observation;
#[cfg(feature = "client")]
pub mod peer;
#[cfg(feature = "client")]
pub mod relay;
#[cfg(feature = "reports")]
pub mod report;
pub mod rtp;
#[cfg(feature = "client")]
pub mod script;
pub mod sdp;
pub mod sip;
pub mod sip_torture;
#[cfg(feature = "srtp")]
pub mod srtp;
pub mod stun;
pub mod text;
#[cfg(feature = "client")]
pub mod token;
pub mod websocket;

use arbitrary::{Arbitrary, Unstructured};

/// The value that these bytes stand for; none, if they are too few. Every target draws this way, so that a file is one input for
/// every engine.
pub fn value<'a, T: Arbitrary<'a>>(bytes: &'a [u8]) -> Option<T> {
    T::arbitrary_take_rest(Unstructured::new(bytes)).ok()
}

/// So many bytes that look random and are the same each time: a seed for a target that draws values. (SplitMix64)
pub fn stretch(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some((mixed ^ (mixed >> 31)).to_le_bytes())
    };
    std::iter::from_fn(next).flatten().take(bytes).collect()
}
