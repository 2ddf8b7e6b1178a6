//! WebSocket frames and messages. RFC 6455, section 5; SIP over them is RFC 7118.
//!
//! A [`Frame`] is written with whatever bits it is given, since somebody has to ask what a server makes of wrong ones. [`Reader`]
//! takes frames out of a stream and asks of them only what their boundaries depend on. [`Messages`] puts messages together and is strict.
//!
//! # Limits
//! A frame above the reader's limit is refused as soon as its header is there, before its payload is awaited or stored. Extensions
//! (RFC 6455, section 5.8) are not read: their bits are told in [`Frame::rsv`].

mod messages;

pub use messages::{Message, Messages, Side};

use crate::Error;
use crate::bytes::Reader as Fields;

/// More of a message.
pub const CONTINUATION: u8 = 0;
/// A message of UTF-8 text. RFC 6455, section 5.6.
pub const TEXT: u8 = 1;
/// A message of bytes.
pub const BINARY: u8 = 2;
/// The last frame of its sender. RFC 6455, section 5.5.1.
pub const CLOSE: u8 = 8;
/// Asks for a pong with the same payload.
pub const PING: u8 = 9;
/// Answers a ping, or keeps the connection open.
pub const PONG: u8 = 10;
/// Bytes of a control frame's payload at most. RFC 6455, section 5.5.
pub const MAX_CONTROL_BYTES: usize = 125;
/// Bytes that a frame's header has at most: two, a length of eight, a mask of four.
pub const MAX_HEADER_BYTES: usize = 14;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whether its message ends with it.
    pub fin: bool,
    /// RSV1 to RSV3 as a number of 0 to 7, RSV1 the highest. No extension was agreed on: all are 0.
    pub rsv: u8,
    /// What it is, 0 to 15: [`TEXT`], [`CLOSE`], … 3 to 7 and 11 to 15 are reserved.
    pub opcode: u8,
    /// The masking key. A client has to have one, a server none. RFC 6455, section 5.1.
    pub mask: Option<[u8; 4]>,
    /// What it carries, in clear.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A whole message, or a control frame, as a client sends it.
    pub fn masked(opcode: u8, mask: [u8; 4], payload: impl Into<Vec<u8>>) -> Self {
        Self { fin: true, rsv: 0, opcode, mask: Some(mask), payload: payload.into() }
    }

    /// The same as a server sends it.
    pub fn plain(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self { fin: true, rsv: 0, opcode, mask: None, payload: payload.into() }
    }

    /// Whether it is a control frame, which stands between the frames of a message. RFC 6455, section 5.5.
    pub fn is_control(&self) -> bool {
        self.opcode & 8 != 0
    }

    /// Its bytes, with the shortest length that fits. Of `rsv` and `opcode` the bits above the third and fourth are not written. A
    /// control frame of more than [`MAX_CONTROL_BYTES`] is written as such.
    pub fn emit(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MAX_HEADER_BYTES + self.payload.len());
        bytes.push(u8::from(self.fin) << 7 | (self.rsv & 7) << 4 | self.opcode & 15);
        let masked = u8::from(self.mask.is_some()) << 7;
        let length = self.payload.len();
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short @ 0..=125), _) => bytes.push(masked | short),
            (_, Ok(long)) => {
                bytes.push(masked | 126);
                bytes.extend(long.to_be_bytes());
            }
            _ => {
                bytes.push(masked | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(self.mask.iter().flatten());
        let header = bytes.len();
        bytes.extend_from_slice(&self.payload);
        if let (Some(mask), Some(payload)) = (self.mask, bytes.get_mut(header..)) {
            turn(payload, mask);
        }
        bytes
    }
}

/// Masks, or takes the mask away. RFC 6455, section 5.3.
fn turn(payload: &mut [u8], mask: [u8; 4]) {
    for four in payload.chunks_mut(4) {
        four.iter_mut().zip(mask).for_each(|(byte, key)| *byte ^= key);
    }
}

/// The frames of a stream, however it is cut.
#[derive(Debug)]
pub struct Reader {
    max_payload: usize,
    bytes: Vec<u8>,
    failed: Option<Error>,
}

impl Reader {
    /// One that takes frames with at most so many bytes of payload.
    pub fn new(max_payload: usize) -> Self {
        Self { max_payload, bytes: Vec::new(), failed: None }
    }

    /// The frames that are whole with these bytes. Between calls at most one unfinished frame is kept.
    ///
    /// # Errors
    /// A length that is not written in the fewest bytes, or above the limit: nothing behind it can be read. Frames that are whole before
    /// that are returned first; from the next call on, with bytes or without, the error is.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Frame>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.bytes.extend_from_slice(piece);
        let (mut frames, mut taken) = (Vec::new(), 0);
        loop {
            match next(self.bytes.get(taken..).unwrap_or_default(), self.max_payload) {
                Ok(Some((frame, length))) => {
                    frames.push(frame);
                    taken += length;
                }
                Ok(None) => break,
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        match &self.failed {
            Some(error) => {
                self.bytes = Vec::new();
                if frames.is_empty() { Err(error.clone()) } else { Ok(frames) }
            }
            None => {
                self.bytes.drain(..taken);
                Ok(frames)
            }
        }
    }

    /// Bytes of a frame that is not whole yet.
    pub fn unfinished(&self) -> usize {
        self.bytes.len()
    }
}

/// The frame that the bytes begin with, and its length with its header.
fn next(bytes: &[u8], max_payload: usize) -> Result<Option<(Frame, usize)>, Error> {
    const LENGTH: &str = "WebSocket payload length";
    let mut fields = Fields(bytes);
    let Ok([first, second]) = fields.array::<2>(LENGTH) else { return Ok(None) };
    let length = match second & 0x7f {
        126 => match fields.u16(LENGTH) {
            Ok(0..=125) => return Err(Error::Invalid(LENGTH)),
            Ok(length) => u64::from(length),
            Err(_) => return Ok(None),
        },
        127 => match fields.u64(LENGTH) {
            Ok(0..=0xffff | 0x8000_0000_0000_0000..) => return Err(Error::Invalid(LENGTH)),
            Ok(length) => length,
            Err(_) => return Ok(None),
        },
        short => u64::from(short),
    };
    let too_large = Error::TooLarge { field: "WebSocket payload, in bytes,", limit: max_payload };
    let length = usize::try_from(length).ok().filter(|length| *length <= max_payload).ok_or(too_large)?;
    let mask = if second & 0x80 != 0 {
        let Ok(mask) = fields.array::<4>("masking key") else { return Ok(None) };
        Some(mask)
    } else {
        None
    };
    let Ok(payload) = fields.take(length, "WebSocket payload") else { return Ok(None) };
    let mut payload = payload.to_vec();
    if let Some(mask) = mask {
        turn(&mut payload, mask);
    }
    let frame = Frame { fin: first & 0x80 != 0, rsv: first >> 4 & 7, opcode: first & 15, mask, payload };
    Ok(Some((frame, bytes.len() - fields.0.len())))
}

#[cfg(test)]
mod tests;
