//! What a cipher must be able to do with a packet whose parts and index are known.

use crate::packet::Rtp;

/// The E flag in front of the 31-bit SRTCP index. RFC 3711, section 3.4.
pub(crate) const E_FLAG: u32 = 1 << 31;

/// A pair of session keys, one for RTP and one for RTCP, with its algorithms.
///
/// Callers check lengths: `seal` needs the whole header, `open` also tag and index word, `strip` the header (RTP) or header,
/// tag and index word (RTCP). `word` is the E flag with the SRTCP index.
pub(crate) trait Transform: Send + Sync {
    /// Encrypts the payload and appends the tag. RFC 3711, section 3.3, sender.
    fn seal_rtp(&self, packet: &mut Vec<u8>, header: Rtp, index: u64);
    /// Decrypts and takes the tag off if it matches; else leaves the packet as it was and says `false`.
    fn open_rtp(&self, packet: &mut Vec<u8>, header: Rtp, index: u64) -> bool;
    /// Decrypts whatever there is; takes off as many bytes as a tag has, if there are as many.
    fn strip_rtp(&self, packet: &mut Vec<u8>, header: Rtp, index: u64);
    /// Encrypts if the E flag of `word` says so, and appends tag and `word`. RFC 3711, section 3.4.
    fn seal_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32);
    /// The `word` that a protected packet carries.
    fn rtcp_word(&self, packet: &[u8]) -> u32;
    /// As [`Transform::open_rtp`].
    fn open_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32) -> bool;
    /// As [`Transform::strip_rtp`], and takes off the index word too.
    fn strip_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32);
}

/// Reads a big-endian word; the caller knows that the packet reaches that far.
pub(crate) fn word_at(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]])
}

#[cfg(test)]
pub(crate) mod testing {
    /// Bytes from hexadecimal text; blanks are ignored.
    #[track_caller]
    pub(crate) fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> =
            text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap() as u8).collect();
        assert!(digits.len().is_multiple_of(2));
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// As [`hex`], with the length known.
    #[track_caller]
    pub(crate) fn hex_array<const N: usize>(text: &str) -> [u8; N] {
        hex(text).try_into().unwrap()
    }
}
