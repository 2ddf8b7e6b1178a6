//! RTP and RTCP packets. RFC 3550, sections 5.1 and 6.

use arbitrary::{Arbitrary, Result, Unstructured};
use ringfence_wire::rtcp;

/// RFC 3550, section 5.1.
const VERSION: u8 = 2 << 6;
const PADDING: u8 = 1 << 5;
const EXTENSION: u8 = 1 << 4;
const FIXED_BYTES: usize = 12;

/// An RTP packet whose header is whole: version 2, all CSRCs that are counted, an extension as long as it says. It is drawn from
/// any bytes, and from those of a sound packet it is that packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtp {
    /// As on the wire.
    pub bytes: Vec<u8>,
    /// Bytes of it that SRTP leaves in the clear: fixed header, CSRCs, extension. RFC 3711, section 3.1.
    pub header: usize,
}

impl Rtp {
    /// The packet that these bytes are, or nearly are.
    pub fn of(bytes: &[u8]) -> Self {
        let mut bytes = bytes.to_vec();
        let [first, ..] = bytes[..] else { return Self::of(&[VERSION; FIXED_BYTES]) };
        let flags = VERSION | first & !(3 << 6);
        let mut header = FIXED_BYTES + 4 * usize::from(flags & 0x0f);
        let extended = flags & EXTENSION != 0;
        bytes.resize(bytes.len().max(header + if extended { 4 } else { 0 }), 0);
        bytes[0] = flags;
        if extended {
            let words = usize::from(u16::from_be_bytes([bytes[header + 2], bytes[header + 3]]));
            let words = words.min((bytes.len() - header - 4) / 4);
            bytes.splice(header + 2..header + 4, (words as u16).to_be_bytes());
            header += 4 + 4 * words;
        }
        Self { bytes, header }
    }

    /// The same packet at this place of this stream.
    pub fn at(mut self, ssrc: u32, sequence: u16) -> Self {
        self.bytes.splice(2..4, sequence.to_be_bytes());
        self.bytes.splice(8..12, ssrc.to_be_bytes());
        self
    }

    /// The same packet with its padding bit as its last byte wants it: off, if that counts more than there is. RFC 3550,
    /// section 5.1.
    pub fn padded(mut self) -> Self {
        let payload = &self.bytes[self.header..];
        let sound = payload.last().is_some_and(|count| (1..=payload.len()).contains(&usize::from(*count)));
        if !sound {
            self.bytes[0] &= !PADDING;
        }
        self
    }
}

impl<'a> Arbitrary<'a> for Rtp {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::of(u.bytes(u.len())?))
    }
}

/// A compound of RTCP packets with fields of any value.
#[derive(Clone, Debug)]
pub struct Compound(pub Vec<rtcp::Packet>);

impl<'a> Arbitrary<'a> for Compound {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut packets = vec![packet(u)?];
        while !u.is_empty() && packets.len() < rtcp::MAX_PACKETS {
            packets.push(packet(u)?);
        }
        Ok(Self(packets))
    }
}

fn packet(u: &mut Unstructured<'_>) -> Result<rtcp::Packet> {
    Ok(match u.int_in_range(0..=4)? {
        0 => rtcp::Packet::SenderReport {
            ssrc: u.arbitrary()?,
            ntp: u.arbitrary()?,
            rtp: u.arbitrary()?,
            packets: u.arbitrary()?,
            octets: u.arbitrary()?,
            reports: reports(u)?,
            extension: words(u)?,
        },
        1 => rtcp::Packet::ReceiverReport { ssrc: u.arbitrary()?, reports: reports(u)?, extension: words(u)? },
        2 => {
            let chunks = (0..u.int_in_range(0..=3)?).map(|_| chunk(u)).collect::<Result<_>>()?;
            rtcp::Packet::SourceDescription(chunks)
        }
        3 => {
            let sources = (0..u.int_in_range(0..=31)?).map(|_| u.arbitrary()).collect::<Result<_>>()?;
            let reason: Option<&str> = u.arbitrary()?;
            rtcp::Packet::Bye { sources, reason: reason.filter(|reason| reason.len() < 256).map(str::to_owned) }
        }
        _ => {
            // 200 to 203 are those above.
            let packet_type = u.int_in_range(204..=255)?;
            rtcp::Packet::Other { packet_type, count: u.int_in_range(0..=31)?, body: words(u)? }
        }
    })
}

fn reports(u: &mut Unstructured<'_>) -> Result<Vec<rtcp::ReportBlock>> {
    let block = |u: &mut Unstructured<'_>| {
        Ok(rtcp::ReportBlock {
            ssrc: u.arbitrary()?,
            fraction_lost: u.arbitrary()?,
            lost: u.int_in_range(-(1 << 23)..=(1 << 23) - 1)?, // 24 bits: RFC 3550, section 6.4.1
            highest_sequence: u.arbitrary()?,
            jitter: u.arbitrary()?,
            last_report: u.arbitrary()?,
            delay: u.arbitrary()?,
        })
    };
    (0..u.int_in_range(0..=31)?).map(|_| block(u)).collect()
}

fn chunk(u: &mut Unstructured<'_>) -> Result<rtcp::Chunk> {
    let item = |u: &mut Unstructured<'_>| Ok((u.int_in_range(1..=255)?, short(u)?.to_vec()));
    let items = (0..u.int_in_range(0..=4)?).map(|_| item(u)).collect::<Result<_>>()?;
    Ok(rtcp::Chunk { ssrc: u.arbitrary()?, items })
}

/// At most 255 bytes.
fn short<'a>(u: &mut Unstructured<'a>) -> Result<&'a [u8]> {
    let length = usize::from(u.arbitrary::<u8>()?);
    u.bytes(length.min(u.len()))
}

/// Whole words.
fn words(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut bytes = short(u)?.to_vec();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringfence_wire::rtp;

    const SOUND: [u8; 28] =
        [0x91, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0xbe, 0xde, 0, 1, 0x10, 7, 0, 0, b'a', b'b', b'c', b'd'];

    #[test]
    fn a_sound_packet_is_itself() {
        assert_eq!(Rtp::of(&SOUND), Rtp { bytes: SOUND.to_vec(), header: 24 });
    }

    #[test]
    fn every_other_becomes_one() {
        for length in 0..SOUND.len() {
            for first in [0x00, 0x3f, 0x7f, 0xbf, 0xff] {
                let mut bytes = SOUND[..length].to_vec();
                bytes.iter_mut().take(1).for_each(|byte| *byte = first);
                let packet = Rtp::of(&bytes).at(5, 6).padded();
                let (header, rest) = rtp::Header::parse(&packet.bytes).expect("a whole header");
                assert_eq!((header.ssrc, header.sequence), (5, 6));
                assert_eq!(rest.len(), packet.bytes.len() - packet.header, "{bytes:02x?}");
                assert!(rtp::Packet::parse(&packet.bytes).is_ok(), "{bytes:02x?}");
                assert_eq!(Rtp::of(&packet.bytes), packet, "twice is once");
            }
        }
    }
}
