//! DTLS: records, fragments, and flights of handshake messages. RFC 6347, sections 4.1 and 4.2.2.
//!
//! Both models read their bytes from the front, so that real messages can be written down as input: [`Flight::bytes`],
//! [`Datagrams::bytes`].

use arbitrary::{Arbitrary, Result, Unstructured};

/// DTLS 1.2. RFC 6347, section 4.1.
pub const VERSION_12: u16 = 0xfefd;
/// DTLS 1.0. RFC 4347, section 4.1.
pub const VERSION_10: u16 = 0xfeff;
/// The record type of handshake messages. RFC 5246, section 6.2.1.
pub const HANDSHAKE: u8 = 22;

/// Messages of a flight at most.
const MAX_MESSAGES: usize = 24;
/// Datagrams of an input at most.
const MAX_DATAGRAMS: usize = 64;
/// Bytes that say in what order datagrams come.
const ORDER_BYTES: usize = 8;

/// A fragment of a handshake message. RFC 6347, section 4.2.2.
#[derive(Clone, Copy, Debug)]
pub struct Fragment<'a> {
    /// HandshakeType.
    pub kind: u8,
    /// Bytes of the whole message: 24 bits.
    pub length: usize,
    /// message_seq.
    pub sequence: u16,
    /// Where the piece begins: 24 bits.
    pub offset: usize,
    /// What of the message this one carries.
    pub piece: &'a [u8],
}

impl Fragment<'_> {
    /// As on the wire; what does not fit its field is cut off above.
    pub fn bytes(&self) -> Vec<u8> {
        let Self { kind, length, sequence, offset, piece } = *self;
        let [s, t] = sequence.to_be_bytes();
        let ([.., a, b, c], [.., d, e, f]) = (length.to_be_bytes(), offset.to_be_bytes());
        let [.., g, h, i] = piece.len().to_be_bytes();
        [&[kind, a, b, c, s, t, d, e, f, g, h, i], piece].concat()
    }
}

/// A record of epoch 0 with the lowest 16 bits of its number. RFC 6347, section 4.1.
pub fn record(kind: u8, version: u16, number: u16, body: &[u8]) -> Vec<u8> {
    let ([v, w], [n, o]) = (version.to_be_bytes(), number.to_be_bytes());
    let [.., a, b] = body.len().to_be_bytes();
    [&[kind, v, w, 0, 0, 0, 0, 0, 0, n, o, a, b], body].concat()
}

/// Handshake messages, and how they come: in fragments of which size, in which order, which of them twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flight<'a> {
    /// Whether the records say DTLS 1.0.
    pub old: bool,
    /// Whether the reader looks at the whole flight.
    pub deep: bool,
    /// message_seq of the first message, 0 to 3.
    pub sequence: u16,
    /// Bytes of a message in one fragment, 1 to 256.
    pub size: usize,
    /// Bytes that a fragment has in common with the one before, 0 to 15.
    pub overlap: usize,
    /// Which of the datagrams that are left comes next, in turns; with the highest bit it comes once more at once.
    pub order: [u8; ORDER_BYTES],
    /// Types and bodies.
    pub messages: Vec<(u8, &'a [u8])>,
}

impl<'a> Arbitrary<'a> for Flight<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let [mode, size, shape]: [u8; 3] = u.arbitrary()?;
        let order = u.arbitrary()?;
        let mut messages = Vec::new();
        while !u.is_empty() && messages.len() < MAX_MESSAGES {
            let [kind, a, b, c]: [u8; 4] = u.arbitrary()?;
            let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            messages.push((kind, u.bytes(length.min(u.len()))?));
        }
        let (old, deep) = (mode & 2 != 0, mode & 1 != 0);
        let (size, overlap) = (usize::from(size) + 1, usize::from(shape >> 4));
        Ok(Self { old, deep, sequence: u16::from(shape & 3), size, overlap, order, messages })
    }
}

impl Flight<'_> {
    /// The input that stands for this flight. The messages are written as TLS has them, one behind the other.
    pub fn bytes(&self) -> Vec<u8> {
        let mode = u8::from(self.old) << 1 | u8::from(self.deep);
        let shape = (self.overlap as u8) << 4 | self.sequence as u8;
        let mut bytes = vec![mode, (self.size - 1) as u8, shape];
        bytes.extend_from_slice(&self.order);
        for (kind, body) in &self.messages {
            let [.., a, b, c] = body.len().to_be_bytes();
            bytes.extend_from_slice(&[*kind, a, b, c]);
            bytes.extend_from_slice(body);
        }
        bytes
    }

    /// One datagram for each message, in their order.
    pub fn plain(&self) -> Vec<Vec<u8>> {
        self.fragments(usize::MAX, 0)
    }

    /// One datagram for each fragment, in their order.
    pub fn cut(&self) -> Vec<Vec<u8>> {
        self.fragments(self.size, self.overlap)
    }

    /// These datagrams in the flight's order, some of them twice.
    pub fn shuffled(&self, mut datagrams: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut shuffled = Vec::new();
        for order in self.order.iter().cycle() {
            let Some(last) = datagrams.len().checked_sub(1) else { break };
            let datagram = datagrams.remove(usize::from(order & 0x7f).min(last));
            if order >> 7 == 1 {
                shuffled.push(datagram.clone());
            }
            shuffled.push(datagram);
        }
        shuffled
    }

    fn fragments(&self, size: usize, overlap: usize) -> Vec<Vec<u8>> {
        let version = if self.old { VERSION_10 } else { VERSION_12 };
        let mut datagrams = Vec::new();
        for ((kind, body), sequence) in self.messages.iter().zip(self.sequence..) {
            let mut offset = 0;
            while offset < body.len() || offset == 0 {
                let from = offset.saturating_sub(overlap);
                let to = offset.saturating_add(size).min(body.len());
                let piece = body.get(from..to).unwrap_or_default();
                let fragment = Fragment { kind: *kind, length: body.len(), sequence, offset: from, piece };
                datagrams.push(record(HANDSHAKE, version, datagrams.len() as u16, &fragment.bytes()));
                offset = to.max(1);
            }
        }
        datagrams
    }
}

/// Datagrams as they come, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagrams<'a> {
    /// A byte that says how to read them.
    pub mode: u8,
    /// The datagrams.
    pub all: Vec<&'a [u8]>,
}

impl<'a> Arbitrary<'a> for Datagrams<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mode = u.arbitrary()?;
        let mut all = Vec::new();
        while !u.is_empty() && all.len() < MAX_DATAGRAMS {
            let length: [u8; 2] = u.arbitrary()?;
            all.push(u.bytes(usize::from(u16::from_be_bytes(length)).min(u.len()))?);
        }
        Ok(Self { mode, all })
    }
}

impl Datagrams<'_> {
    /// The input that stands for these datagrams.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.mode];
        for datagram in &self.all {
            let [.., a, b] = datagram.len().to_be_bytes();
            bytes.extend_from_slice(&[a, b]);
            bytes.extend_from_slice(datagram);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::value;

    #[test]
    fn inputs_say_what_was_written_down() {
        let messages = vec![(2, &b"hello"[..]), (14, b""), (11, b"certificates")];
        let flight = Flight { old: true, deep: true, sequence: 2, size: 4, overlap: 3, order: [0x81; 8], messages };
        assert_eq!(value::<Flight>(&flight.bytes()), Some(flight));
        let datagrams = Datagrams { mode: 9, all: vec![b"one", b"", b"three"] };
        assert_eq!(value::<Datagrams>(&datagrams.bytes()), Some(datagrams));
    }

    #[test]
    fn fragments_hold_every_byte_and_overlap_as_they_should() {
        let messages = vec![(2, &b"0123456789"[..]), (14, b"")];
        let flight = Flight { old: false, deep: true, sequence: 0, size: 4, overlap: 1, order: [0; 8], messages };
        let pieces: Vec<Vec<u8>> = flight.cut().iter().map(|datagram| datagram[25..].to_vec()).collect();
        assert_eq!(pieces, [&b"0123"[..], b"34567", b"789", b""]);
        assert_eq!(flight.plain().len(), 2);
        let mut shuffled = Flight { order: [2, 0x80, 1, 0, 0, 0, 0, 0], ..flight.clone() }.shuffled(flight.cut());
        assert_eq!(shuffled.len(), 5, "the second one came twice");
        shuffled.sort();
        shuffled.dedup();
        assert_eq!(shuffled.len(), 4, "and each one came");
    }
}
