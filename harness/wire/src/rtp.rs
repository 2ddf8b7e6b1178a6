//! RTP packets (RFC 3550, section 5.1).
//!
//! [`Header`] reads what SRTP leaves in the clear; [`Packet`] is for packets whose payload, and so the padding, is too.

use crate::Error;
use crate::bytes::{Reader, length16};

const VERSION: u8 = 2; // RFC 3550, section 5.1

/// A header extension, not looked into (RFC 8285 defines the usual content).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// 0xBEDE for one-byte elements.
    pub profile: u16,
    /// A multiple of four bytes.
    pub data: Vec<u8>,
}

/// The fixed header, contributing sources and extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The payload ends with padding, whose last byte counts it.
    pub padding: bool,
    /// Meaning defined by the payload format; for audio the first packet after silence.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// Goes up by one for each packet, and wraps.
    pub sequence: u16,
    /// In units of the payload's clock.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
    /// Who was mixed; at most 15.
    pub csrc: Vec<u32>,
    /// The extension, if there is one.
    pub extension: Option<Extension>,
}

impl Header {
    /// Reads the header and returns what follows it: for SRTP the encrypted payload and the tag.
    ///
    /// # Errors
    /// Not version 2, or cut short; the field is named.
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let mut rest = Reader(bytes);
        let [flags, kind] = rest.array("RTP header")?;
        if flags >> 6 != VERSION {
            return Err(Error::Invalid("RTP version"));
        }
        let mut header = Self {
            padding: flags & 0x20 != 0,
            marker: kind & 0x80 != 0,
            payload_type: kind & 0x7f,
            sequence: rest.u16("RTP sequence number")?,
            timestamp: rest.u32("RTP timestamp")?,
            ssrc: rest.u32("RTP SSRC")?,
            csrc: Vec::new(),
            extension: None,
        };
        for _ in 0..flags & 0x0f {
            header.csrc.push(rest.u32("RTP CSRC")?);
        }
        if flags & 0x10 != 0 {
            let profile = rest.u16("RTP extension")?;
            let words = usize::from(rest.u16("RTP extension length")?);
            let data = rest.take(words * 4, "RTP extension")?.to_vec();
            header.extension = Some(Extension { profile, data });
        }
        Ok((header, rest.0))
    }

    /// The header's bytes.
    ///
    /// # Errors
    /// More than 15 contributing sources, a payload type above 127, or an extension that is no multiple of four bytes or
    /// longer than 65,535 words.
    pub fn emit(&self) -> Result<Vec<u8>, Error> {
        let sources = u8::try_from(self.csrc.len()).ok().filter(|count| *count < 16);
        let sources = sources.ok_or(Error::TooLarge { field: "number of RTP CSRCs", limit: 15 })?;
        if self.payload_type > 127 {
            return Err(Error::Invalid("RTP payload type"));
        }
        let extended = u8::from(self.extension.is_some());
        let mut bytes = vec![
            VERSION << 6 | u8::from(self.padding) << 5 | extended << 4 | sources,
            u8::from(self.marker) << 7 | self.payload_type,
        ];
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.timestamp.to_be_bytes());
        bytes.extend_from_slice(&self.ssrc.to_be_bytes());
        bytes.extend(self.csrc.iter().flat_map(|source| source.to_be_bytes()));
        if let Some(Extension { profile, data }) = &self.extension {
            if data.len() % 4 != 0 {
                return Err(Error::Invalid("RTP extension length"));
            }
            bytes.extend_from_slice(&profile.to_be_bytes());
            bytes.extend_from_slice(&length16(data.len() / 4, "RTP extension length in words")?);
            bytes.extend_from_slice(data);
        }
        Ok(bytes)
    }
}

/// A packet in the clear, with a view of its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its `padding` says whether [`Packet::padding_bytes`] is above 0.
    pub header: Header,
    /// Without padding.
    pub payload: &'a [u8],
    /// The padding with its count, 0 if there is none.
    pub padding_bytes: u8,
}

impl<'a> Packet<'a> {
    /// Reads a whole packet.
    ///
    /// # Errors
    /// As [`Header::parse`]; or padding of zero bytes, or longer than the payload.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let (header, mut payload) = Header::parse(bytes)?;
        let mut padding_bytes = 0;
        if header.padding {
            padding_bytes = *payload.last().ok_or(Error::Truncated("RTP padding"))?;
            let end = payload.len().checked_sub(usize::from(padding_bytes));
            let kept = end.filter(|_| padding_bytes > 0).and_then(|end| payload.get(..end));
            payload = kept.ok_or(Error::Invalid("RTP padding"))?;
        }
        Ok(Self { header, payload, padding_bytes })
    }

    /// The packet's bytes; the padding bit follows `padding_bytes`, whatever the header says.
    ///
    /// # Errors
    /// As [`Header::emit`].
    pub fn emit(&self) -> Result<Vec<u8>, Error> {
        let padding = self.padding_bytes > 0;
        let mut bytes = Header { padding, ..self.header.clone() }.emit()?;
        bytes.extend_from_slice(self.payload);
        if padding {
            bytes.resize(bytes.len() + usize::from(self.padding_bytes) - 1, 0);
            bytes.push(self.padding_bytes);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_where_the_rfc_draws_them() {
        let bytes = [
            0xb1, 0xef, 0x12, 0x34, 0, 0, 0, 9, 0xde, 0xad, 0xbe,
            0xef, // padding, extension, one source; marker, 111
            0, 0, 0, 7, 0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0, // source, extension
            b'a', b'b', 0, 2,
        ];
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!((packet.payload, packet.padding_bytes), (&b"ab"[..], 2));
        let h = &packet.header;
        assert_eq!((h.marker, h.payload_type, h.sequence, h.timestamp, h.ssrc), (true, 111, 0x1234, 9, 0xdead_beef));
        assert_eq!((h.csrc.as_slice(), h.extension.as_ref().unwrap().profile), (&[7][..], 0xbede));
        assert_eq!(packet.emit().unwrap(), bytes);
    }

    #[test]
    fn wrong_packets_name_the_field() {
        let mut bytes = [0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];
        assert_eq!(Packet::parse(&bytes), Err(Error::Invalid("RTP padding")));
        bytes[12] = 0;
        assert_eq!(Packet::parse(&bytes), Err(Error::Invalid("RTP padding")));
        assert_eq!(Packet::parse(&bytes[..12]), Err(Error::Truncated("RTP padding")));
        assert_eq!(Packet::parse(&bytes[..9]), Err(Error::Truncated("RTP SSRC")));
        bytes[0] = 0x40;
        assert_eq!(Packet::parse(&bytes), Err(Error::Invalid("RTP version")));
    }
}
