//! One DTLS handshake message out of its fragments. RFC 6347, section 4.2.3.

use crate::Error;

/// One fragment, as RFC 6347, section 4.2.2, lays it out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment<'a> {
    pub kind: u8,
    /// Of the whole message.
    pub length: usize,
    pub sequence: u16,
    pub offset: usize,
    pub piece: &'a [u8],
}

/// A message of which not all may be there.
#[derive(Debug)]
pub(super) struct Partial {
    kind: u8,
    body: Vec<u8>,
    /// The parts of `body` that came: in order, apart from each other.
    have: Vec<(usize, usize)>,
}

impl Partial {
    /// Nothing yet of a message of `length` bytes, which the caller has checked.
    pub fn new(kind: u8, length: usize) -> Self {
        Self { kind, body: vec![0; length], have: Vec::new() }
    }

    pub fn kind(&self) -> u8 {
        self.kind
    }

    /// The whole body, once it is there.
    pub fn whole(&self) -> Option<&[u8]> {
        let complete = self.body.is_empty() || self.have == [(0, self.body.len())];
        complete.then_some(self.body.as_slice())
    }

    /// Adds a fragment. Bytes that came before have to be the same.
    pub fn add(&mut self, fragment: &Fragment<'_>) -> Result<(), Error> {
        let Fragment { kind, length, offset, piece, .. } = *fragment;
        if kind != self.kind {
            return Err(Error::Conflict("DTLS handshake message type"));
        }
        if length != self.body.len() {
            return Err(Error::Conflict("DTLS handshake message length"));
        }
        let end = offset.saturating_add(piece.len());
        if self.body.get(offset..end).is_none() {
            return Err(Error::Invalid("DTLS fragment offset"));
        }
        if piece.is_empty() {
            return Ok(());
        }
        // Those that this one overlaps or touches become one with it.
        let first = self.have.partition_point(|part| part.1 < offset);
        let after = self.have.partition_point(|part| part.0 <= end);
        let touched = self.have.get(first..after).unwrap_or_default();
        let mut joined = (offset, end);
        for part in touched {
            let (from, to) = (part.0.max(offset), part.1.min(end));
            let same = from >= to || self.body.get(from..to) == piece.get(from - offset..to - offset);
            if !same {
                return Err(Error::Conflict("DTLS handshake fragment"));
            }
            joined = (joined.0.min(part.0), joined.1.max(part.1));
        }
        if let Some(place) = self.body.get_mut(offset..end) {
            place.copy_from_slice(piece);
        }
        self.have.splice(first..after, [joined]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(kind: u8, length: usize, offset: usize, piece: &[u8]) -> Fragment<'_> {
        Fragment { kind, length, sequence: 0, offset, piece }
    }

    #[test]
    fn fragments_in_any_order_make_the_message() {
        let body: Vec<u8> = (0..20).collect();
        let mut partial = Partial::new(11, 20);
        for (from, to) in [(10, 13), (0, 4), (2, 6), (15, 20), (15, 20), (12, 15), (7, 7)] {
            partial.add(&fragment(11, 20, from, &body[from..to])).unwrap();
            assert_eq!(partial.whole(), None);
        }
        assert_eq!(partial.have, [(0, 6), (10, 20)]);
        partial.add(&fragment(11, 20, 5, &body[5..11])).unwrap();
        assert_eq!(partial.whole(), Some(&body[..]));
    }

    #[test]
    fn an_empty_message_is_whole() {
        assert_eq!(Partial::new(14, 0).whole(), Some(&[][..]));
    }

    #[test]
    fn what_differs_is_told() {
        let mut partial = Partial::new(11, 8);
        partial.add(&fragment(11, 8, 2, &[1, 2, 3])).unwrap();
        for (wrong, error) in [
            (fragment(12, 8, 0, &[0]), Error::Conflict("DTLS handshake message type")),
            (fragment(11, 9, 0, &[0]), Error::Conflict("DTLS handshake message length")),
            (fragment(11, 8, 4, &[9]), Error::Conflict("DTLS handshake fragment")),
            (fragment(11, 8, 0, &[7, 7, 9]), Error::Conflict("DTLS handshake fragment")),
            (fragment(11, 8, 7, &[1, 2]), Error::Invalid("DTLS fragment offset")),
            (fragment(11, 8, usize::MAX, &[1]), Error::Invalid("DTLS fragment offset")),
        ] {
            assert_eq!(partial.add(&wrong), Err(error), "{wrong:?}");
        }
        partial.add(&fragment(11, 8, 0, &[7, 7, 1, 2, 3, 4, 5, 6])).unwrap();
        assert_eq!(partial.whole(), Some(&[7, 7, 1, 2, 3, 4, 5, 6][..]));
    }
}
