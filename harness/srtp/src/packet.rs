//! Where the parts of an RTP or RTCP packet lie that SRTP treats differently.

/// The longest packet that is taken or made, in bytes: what the length field of UDP can say. It also keeps every
/// keystream far below the 2^16 blocks that one IV may give (RFC 3711, section 4.1.1).
pub const MAX_PACKET_BYTES: usize = 65_535;

/// Version, type, length and the sender's SSRC, which SRTCP leaves in the clear. RFC 3711, section 3.4.
pub(crate) const RTCP_CLEAR_BYTES: usize = 8;

const RTP_FIXED_BYTES: usize = 12; // RFC 3550, section 5.1
const VERSION: u8 = 2; // RFC 3550, section 5.1

/// A packet that cannot be cut into its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    TooShort { field: &'static str, needed: usize, actual: usize },
    TooLong { limit: usize, actual: usize },
    Version { found: u8 },
}

/// What SRTP needs to know of an RTP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rtp {
    pub ssrc: u32,
    pub sequence: u16,
    /// Everything that stays in the clear: fixed header, CSRC list, extension. RFC 3711, section 3.1.
    pub header_len: usize,
}

impl Rtp {
    /// Reads the header. The packet holds at least `header_len` bytes afterwards.
    pub(crate) fn parse(packet: &[u8]) -> Result<Self, Malformed> {
        has("rtp header", packet, RTP_FIXED_BYTES)?;
        check_version(packet[0])?;
        let mut header_len = RTP_FIXED_BYTES + 4 * usize::from(packet[0] & 0x0f); // CC counts CSRCs of 32 bits
        has("csrc list", packet, header_len)?;
        if packet[0] & 0x10 != 0 {
            // RFC 3550, section 5.3.1: profile, then the length in 32-bit words without these four bytes.
            has("extension header", packet, header_len + 4)?;
            let words = u16::from_be_bytes([packet[header_len + 2], packet[header_len + 3]]);
            header_len += 4 + 4 * usize::from(words);
            has("extension", packet, header_len)?;
        }
        Ok(Self {
            ssrc: u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]),
            sequence: u16::from_be_bytes([packet[2], packet[3]]),
            header_len,
        })
    }
}

/// Reads the sender's SSRC of the first RTCP packet of a compound; it selects the stream (RFC 3711, section 3.4).
pub(crate) fn rtcp_ssrc(packet: &[u8]) -> Result<u32, Malformed> {
    has("rtcp header", packet, RTCP_CLEAR_BYTES)?;
    check_version(packet[0])?;
    Ok(u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]))
}

/// Checks that `packet` reaches to the end of `field`.
pub(crate) fn has(field: &'static str, packet: &[u8], needed: usize) -> Result<(), Malformed> {
    let actual = packet.len();
    if actual < needed { Err(Malformed::TooShort { field, needed, actual }) } else { Ok(()) }
}

/// Checks that `actual` bytes fit into a datagram.
pub(crate) fn fits_datagram(actual: usize) -> Result<(), Malformed> {
    let limit = MAX_PACKET_BYTES;
    if actual > limit { Err(Malformed::TooLong { limit, actual }) } else { Ok(()) }
}

fn check_version(first: u8) -> Result<(), Malformed> {
    let found = first >> 6;
    if found == VERSION { Ok(()) } else { Err(Malformed::Version { found }) }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, Rtp, rtcp_ssrc};

    #[test]
    fn the_header_reaches_over_csrcs_and_extension() {
        let mut packet = vec![0x92, 0, 0x12, 0x34, 0, 0, 0, 0, 1, 2, 3, 4]; // CC 2, X
        packet.extend([0; 8]);
        packet.extend([0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
        let parsed = Rtp { ssrc: 0x0102_0304, sequence: 0x1234, header_len: 28 };
        assert_eq!(Rtp::parse(&packet), Ok(parsed));

        let short = |field, needed, actual| Err(Malformed::TooShort { field, needed, actual });
        assert_eq!(Rtp::parse(&packet[..27]), short("extension", 28, 27));
        assert_eq!(Rtp::parse(&packet[..23]), short("extension header", 24, 23));
        assert_eq!(Rtp::parse(&packet[..19]), short("csrc list", 20, 19));
        assert_eq!(Rtp::parse(&packet[..11]), short("rtp header", 12, 11));
    }

    #[test]
    fn only_version_two_is_read() {
        assert_eq!(Rtp::parse(&[0x40; 12]), Err(Malformed::Version { found: 1 }));
        assert_eq!(rtcp_ssrc(&[0xc0; 8]), Err(Malformed::Version { found: 3 }));
        assert_eq!(rtcp_ssrc(&[0x80, 200, 0, 1, 0, 0, 0, 5]), Ok(5));
    }
}
