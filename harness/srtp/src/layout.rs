//! Where the parts lie that protection puts behind a packet.

use crate::profile::SRTCP_WORD_BYTES;

/// What stands behind a protected packet.
pub(crate) struct Tail<'a> {
    /// The authentication tag.
    pub tag: &'a mut [u8],
    /// E flag and SRTCP index; empty behind RTP.
    pub word: &'a mut [u8],
    /// The master key identifier, if packets carry one.
    pub mki: &'a mut [u8],
}

/// How the tail is laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// With GCM the tag belongs to the ciphertext and comes first.
    pub aead: bool,
    pub tag_len: usize,
    pub rtcp_tag_len: usize,
    pub mki_len: usize,
}

impl Layout {
    /// Bytes behind an RTP packet.
    #[inline]
    pub(crate) fn rtp_len(&self) -> usize {
        self.tag_len + self.mki_len
    }

    /// Bytes behind an RTCP packet.
    #[inline]
    pub(crate) fn rtcp_len(&self) -> usize {
        SRTCP_WORD_BYTES + self.rtcp_tag_len + self.mki_len
    }

    /// The parts of what stands behind an RTP packet.
    #[inline]
    pub(crate) fn rtp<'a>(&self, tail: &'a mut [u8]) -> Tail<'a> {
        self.split(tail, 0, self.tag_len)
    }

    /// The parts of what stands behind an RTCP packet.
    #[inline]
    pub(crate) fn rtcp<'a>(&self, tail: &'a mut [u8]) -> Tail<'a> {
        self.split(tail, SRTCP_WORD_BYTES, self.rtcp_tag_len)
    }

    /// RFC 3711, sections 3.1 and 3.4: index word, identifier, tag. RFC 7714, sections 8 and 9: tag, index word, identifier.
    #[inline]
    fn split<'a>(&self, tail: &'a mut [u8], word_len: usize, tag_len: usize) -> Tail<'a> {
        if self.aead {
            let (tag, rest) = tail.split_at_mut(tag_len);
            let (word, mki) = rest.split_at_mut(word_len);
            Tail { tag, word, mki }
        } else {
            let (word, rest) = tail.split_at_mut(word_len);
            let (mki, tag) = rest.split_at_mut(self.mki_len);
            Tail { tag, word, mki }
        }
    }
}
