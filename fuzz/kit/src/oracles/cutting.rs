//! A stream, however it is cut.

use std::fmt::Debug;

use crate::oracle::Oracle;

/// A stream says the same, whatever pieces it comes in.
pub const CUTTING: Oracle = Oracle::new(
    "any fragmentation gives the same result",
    "TCP and TLS keep no boundaries (RFC 9293, section 3.9.1): a reader that depends on them reads another message than the next one",
);

/// What `read` tells of the whole stream, if it tells the same of it in the given pieces. The sizes are taken in turns, 0 as 1;
/// none: one byte each.
#[track_caller]
pub fn cuts<T: PartialEq + Debug>(
    stream: &[u8],
    sizes: &[u8],
    read: impl Fn(&mut dyn Iterator<Item = &[u8]>) -> T,
) -> T {
    let whole = read(&mut std::iter::once(stream));
    let sizes = if sizes.is_empty() { &[1] } else { sizes };
    let mut sizes = sizes.iter().cycle();
    let mut rest = stream;
    let mut pieces = std::iter::from_fn(|| {
        let size = usize::from(*sizes.next()?).clamp(1, rest.len().max(1));
        let (piece, behind) = rest.split_at_checked(size)?;
        rest = behind;
        Some(piece)
    });
    let cut = read(&mut pieces);
    CUTTING.same(&whole, &cut, "the whole stream, and its pieces");
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    fn lines(pieces: &mut dyn Iterator<Item = &[u8]>) -> usize {
        pieces.map(|piece| piece.iter().filter(|byte| **byte == b'\n').count()).sum()
    }

    #[test]
    fn every_byte_comes_once() {
        let collected = cuts(b"one\ntwo\n", &[0, 3], |pieces| pieces.flatten().copied().collect::<Vec<u8>>());
        assert_eq!(collected, b"one\ntwo\n");
        assert_eq!(cuts(b"one\ntwo\n", &[], lines), 2);
        assert_eq!(cuts(b"", &[], lines), 0);
    }

    #[test]
    fn a_reader_of_pieces_is_caught() {
        caught(&CUTTING, || {
            cuts(b"one\ntwo\n", &[5], |pieces| pieces.map(<[u8]>::len).max());
        });
    }
}
