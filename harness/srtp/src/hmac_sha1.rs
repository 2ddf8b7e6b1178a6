//! HMAC-SHA1 over a packet and the word behind it: RFC 3711, section 4.2.1.
//!
//! The compression function is the `sha1` crate's. The few lines of RFC 2104 around it are here and not in `hmac` because
//! that was measured (README, "Where the time goes"): both key blocks stay hashed as ten words, and a packet is hashed where it
//! lies, without a hasher's buffer to copy, fill and wipe. A test holds them against the `hmac` crate.

use sha1::block_api::compress;
use zeroize::Zeroizing;

/// Bytes of the session authentication key. RFC 3711, section 5.2: 160 bits.
pub(crate) const KEY_BYTES: usize = 20;
/// Bytes of SHA-1's output, before a tag is cut from it.
pub(crate) const MAC_BYTES: usize = 20;

const BLOCK_BYTES: usize = 64; // FIPS 180-4, section 1: SHA-1 works on 512 bits
const WORD_BYTES: usize = 4;
/// The bit that ends the message and the 64-bit length. FIPS 180-4, section 5.1.1.
const PADDING_BYTES: usize = 1 + 8;
const INITIAL: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]; // FIPS 180-4, section 5.3.1

/// A key whose two blocks are hashed already. Wiped on drop.
pub(crate) struct HmacSha1 {
    inner: Zeroizing<[u32; 5]>,
    outer: Zeroizing<[u32; 5]>,
}

impl HmacSha1 {
    pub(crate) fn new(key: &[u8; KEY_BYTES]) -> Self {
        let keyed = |pad: u8| {
            let mut block = Zeroizing::new([pad; BLOCK_BYTES]);
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            let mut state = Zeroizing::new(INITIAL);
            compress(&mut state, std::slice::from_ref(&*block));
            state
        };
        Self { inner: keyed(0x36), outer: keyed(0x5c) } // RFC 2104, section 2: ipad and opad
    }

    /// The MAC of `body` with `word` behind it: the rollover counter (RTP) or the E flag and index (RTCP).
    #[inline]
    pub(crate) fn mac(&self, body: &[u8], word: u32) -> [u8; MAC_BYTES] {
        let (blocks, rest) = body.as_chunks();
        let mut state = *self.inner;
        compress(&mut state, blocks);

        let mut last = [[0; BLOCK_BYTES]; 2];
        let end = rest.len() + WORD_BYTES;
        let bytes = last.as_flattened_mut();
        bytes[..rest.len()].copy_from_slice(rest);
        bytes[rest.len()..end].copy_from_slice(&word.to_be_bytes());
        let blocks = if end + PADDING_BYTES <= BLOCK_BYTES { 1 } else { 2 };
        pad(&mut bytes[..blocks * BLOCK_BYTES], end, body.len() + WORD_BYTES);
        compress(&mut state, &last[..blocks]);

        let mut last = [0; BLOCK_BYTES];
        write(&state, &mut last);
        pad(&mut last, MAC_BYTES, MAC_BYTES);
        let mut state = *self.outer;
        compress(&mut state, &[last]);
        let mut mac = [0; MAC_BYTES];
        write(&state, &mut mac);
        mac
    }
}

/// Ends a message that reaches to `end` of these blocks, and whose key block and `len` bytes make its length.
fn pad(blocks: &mut [u8], end: usize, len: usize) {
    blocks[end] = 0x80;
    let bits = 8 * (BLOCK_BYTES + len) as u64;
    let at = blocks.len() - 8;
    blocks[at..].copy_from_slice(&bits.to_be_bytes());
}

fn write(state: &[u32; 5], out: &mut [u8]) {
    out.chunks_exact_mut(WORD_BYTES).zip(state).for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_be_bytes()));
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;
    use sha1::Sha1;

    use super::{HmacSha1, KEY_BYTES};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn it_is_the_hmac_of_rfc_2104(key: [u8; KEY_BYTES], body in prop::collection::vec(any::<u8>(), 0..300), word: u32) {
            let mut model = Hmac::<Sha1>::new_from_slice(&key).unwrap();
            model.update(&body);
            model.update(&word.to_be_bytes());
            prop_assert_eq!(HmacSha1::new(&key).mac(&body, word), <[u8; 20]>::from(model.finalize().into_bytes()));
        }
    }
}
