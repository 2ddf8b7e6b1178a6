//! Handshake messages around which records are put: TLS records one behind the other, or DTLS datagrams of one fragment.

use super::extension::prefixed16;
use super::{HANDSHAKE, MAX_RECORD_BYTES, Version};
use crate::Error;

const MESSAGE_HEADER_BYTES: usize = 12; // RFC 6347, section 4.2.2

/// Most bytes of one handshake message that is written, without headers: what 24 bits can say.
const MAX_BODY_BYTES: usize = (1 << 24) - 1; // RFC 8446, section 4

/// A handshake message of TLS. RFC 8446, section 4.
pub(super) fn message(kind: u8, body: &[u8]) -> Result<Vec<u8>, Error> {
    Ok([&[kind], &length24(body.len())?[..], body].concat())
}

/// Messages as TLS records of 16,384 bytes at most.
pub(super) fn records(messages: &[u8], version: Version) -> Result<Vec<u8>, Error> {
    let mut stream = Vec::with_capacity(messages.len() + 5);
    for piece in messages.chunks(MAX_RECORD_BYTES) {
        stream.push(HANDSHAKE);
        stream.extend_from_slice(&version.0.to_be_bytes());
        stream.extend_from_slice(&prefixed16(piece, "TLS record in bytes")?);
    }
    Ok(stream)
}

/// How messages become datagrams.
pub(super) struct Fragments {
    /// Of the records.
    pub version: Version,
    /// Record number of the first datagram, 48 bits.
    pub record_seq: u64,
    /// Bytes of a message that one datagram carries.
    pub max_fragment: usize,
}

impl Fragments {
    /// Appends one message. Each datagram is one record of epoch 0 with one fragment; RFC 6347, sections 4.1 and 4.2.2.
    pub fn add(&self, datagrams: &mut Vec<Vec<u8>>, kind: u8, message_seq: u16, body: &[u8]) -> Result<(), Error> {
        let mut offset = 0;
        // A message without a body is a fragment all the same.
        let empty = body.is_empty().then_some(body);
        let most = self.max_fragment.clamp(1, MAX_RECORD_BYTES - MESSAGE_HEADER_BYTES);
        for piece in empty.into_iter().chain(body.chunks(most)) {
            let mut fragment = vec![kind];
            fragment.extend_from_slice(&length24(body.len())?);
            fragment.extend_from_slice(&message_seq.to_be_bytes());
            fragment.extend_from_slice(&length24(offset)?);
            fragment.extend_from_slice(&length24(piece.len())?);
            fragment.extend_from_slice(piece);
            offset += piece.len();
            let mut datagram = vec![HANDSHAKE];
            datagram.extend_from_slice(&self.version.0.to_be_bytes());
            datagram.extend_from_slice(&self.record_number(datagrams.len())?);
            datagram.extend_from_slice(&prefixed16(&fragment, "DTLS record in bytes")?);
            datagrams.push(datagram);
        }
        Ok(())
    }

    /// Epoch 0 and the sequence number that is so many behind the first.
    fn record_number(&self, behind: usize) -> Result<[u8; 8], Error> {
        let number = u64::try_from(behind).ok().and_then(|behind| self.record_seq.checked_add(behind));
        let number = number.filter(|number| number >> 48 == 0).ok_or(Error::Invalid("DTLS record number"))?;
        Ok(number.to_be_bytes())
    }
}

/// A length of 24 bits. RFC 8446, section 3.4.
pub(super) fn length24(length: usize) -> Result<[u8; 3], Error> {
    if length > MAX_BODY_BYTES {
        return Err(Error::TooLarge { field: "handshake message in bytes", limit: MAX_BODY_BYTES });
    }
    let [.., a, b, c] = length.to_be_bytes();
    Ok([a, b, c])
}
