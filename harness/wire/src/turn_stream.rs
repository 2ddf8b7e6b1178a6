//! TURN over TCP and TLS: the frames of a byte stream. RFC 8489, section 6.2.2, and RFC 8656, section 12.5.
//!
//! # Limits
//! Both kinds of frame have a 16-bit length, so that one has at most [`MAX_FRAME_BYTES`].

use crate::Error;
use crate::bytes::padding;
use crate::turn::frame_bytes;

/// The longest frame: the header of a STUN message, and all that its length can say.
pub const MAX_FRAME_BYTES: usize = 20 + 65_535;

/// The bytes of a stream that were read and not yet taken out as frames.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    taken: usize,
}

impl Frames {
    /// Adds what was read. Who takes every frame out before adding more holds at most one frame and one piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(piece);
    }

    /// The next whole frame: a STUN message, or ChannelData with its padding. `None` until more bytes are there.
    ///
    /// # Errors
    /// The bytes begin neither. Nothing after that can be trusted: the connection is to be closed.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, Error> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let Some(length) = frame_bytes(rest)? else { return Ok(None) };
        let frame = rest.get(..length);
        self.taken += frame.map_or(0, <[u8]>::len);
        Ok(frame)
    }
}

/// A frame for a stream, out of what would be a datagram: STUN messages are multiples of four bytes, ChannelData is padded.
pub fn padded(mut datagram: Vec<u8>) -> Vec<u8> {
    datagram.resize(datagram.len() + padding(datagram.len()), 0);
    datagram
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stun::{Class, Message, Method};
    use crate::turn::ChannelData;

    #[test]
    fn frames_come_out_whole_however_the_stream_is_cut() {
        let request = Message::new(Class::Request, Method::ALLOCATE, [1; 12]).emit().unwrap();
        let long = vec![7; 65_535];
        let data = [&[1, 2, 3, 4, 5][..], &[], &long].map(|data| ChannelData { channel: 0x4001, data }.emit().unwrap());
        let frames: Vec<Vec<u8>> = [request].into_iter().chain(data).map(padded).collect();
        let stream = frames.concat();
        assert_eq!(stream.len() % 4, 0);
        for step in [1, 3, 4, 1000, stream.len()] {
            let (mut reader, mut found) = (Frames::default(), Vec::new());
            for piece in stream.chunks(step) {
                reader.push(piece);
                while let Some(frame) = reader.next_frame().unwrap() {
                    found.push(frame.to_vec());
                }
                assert!(reader.bytes.len() < MAX_FRAME_BYTES + step, "{step}");
            }
            assert!(found == frames, "{step}");
        }
    }

    #[test]
    fn garbage_ends_a_stream_for_good() {
        let mut reader = Frames::default();
        reader.push(&[0x80, 0, 0, 0]);
        assert!(reader.next_frame().is_err());
        reader.push(&[0x40, 0, 0, 0]);
        assert!(reader.next_frame().is_err());
    }
}
