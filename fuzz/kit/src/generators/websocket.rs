//! WebSocket frames, sound ones mostly.

use arbitrary::{Arbitrary, Result, Unstructured};
use ringfence_wire::websocket::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, Side, TEXT};

/// Frames of one sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frames(pub Vec<Frame>);

/// Most frames of a stream.
const MAX_FRAMES: usize = 32;
/// Payloads of these lengths, where forms of the length begin and limits lie; others are shorter than 64.
const EDGES: [usize; 8] = [0, 1, 124, 125, 126, 127, 65_535, 65_536];
/// Text, and characters that are parted between frames.
const WORDS: [&[u8]; 8] =
    [b"SIP/2.0 200 OK\r\n", b"\r\n\r\n", b"a", "é📞".as_bytes(), b"\xc3", b"\xbc", b"\xf0\x9f\x93", b"\x9e"];

impl Frames {
    /// Those that this side sends. `large`: some are as long as the forms of length go.
    pub fn of(u: &mut Unstructured<'_>, side: Side, large: bool) -> Result<Self> {
        let (mut frames, mut begun) = (Vec::new(), false);
        while frames.len() < MAX_FRAMES && !u.is_empty() {
            let frame = frame(u, side, large, begun)?;
            begun = if frame.is_control() { begun } else { !frame.fin };
            frames.push(frame);
        }
        Ok(Self(frames))
    }

    /// The stream that they make.
    pub fn emit(&self) -> Vec<u8> {
        self.0.iter().flat_map(Frame::emit).collect()
    }
}

/// `begun`: a message has begun and not ended.
fn frame(u: &mut Unstructured<'_>, side: Side, large: bool, begun: bool) -> Result<Frame> {
    let opcode = match u.int_in_range(0..=31)? {
        0..=24 if begun => CONTINUATION,
        0..=12 => TEXT,
        13..=24 => BINARY,
        25..=27 => PING,
        28..=29 => PONG,
        30 => CLOSE,
        _ => u.int_in_range(0..=15)?,
    };
    let honest = side == Side::Client;
    let masked = if u.ratio(1, 64)? { !honest } else { honest };
    Ok(Frame {
        fin: opcode & 8 != 0 || u.ratio(3, 4)?,
        rsv: if u.ratio(1, 64)? { u.int_in_range(0..=7)? } else { 0 },
        opcode,
        mask: if masked { Some(u.arbitrary()?) } else { None },
        payload: payload(u, opcode, large)?,
    })
}

fn payload(u: &mut Unstructured<'_>, opcode: u8, large: bool) -> Result<Vec<u8>> {
    match u.int_in_range(0..=7)? {
        0 if large => Ok(vec![b'x'; *u.choose(&EDGES)?]),
        1 if opcode == CLOSE => {
            let code: u16 = if u.ratio(1, 2)? { u.int_in_range(995..=1016)? } else { u.arbitrary()? };
            Ok([&code.to_be_bytes(), *u.choose(&WORDS)?].concat())
        }
        2 => Vec::arbitrary(u),
        words => (0..words).map(|_| u.choose(&WORDS).copied()).collect::<Result<Vec<_>>>().map(|words| words.concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::stretch;
    use ringfence_wire::websocket::{Messages, Reader};

    #[test]
    fn many_make_messages_and_some_do_not() {
        let (mut whole, mut refused) = (0, 0);
        for seed in 0..200 {
            let frames =
                Frames::of(&mut Unstructured::new(&stretch(seed, 120)), Side::Client, false).expect("there is input");
            let mut reader = Reader::new(1 << 17);
            let mut messages = Messages::new(Side::Client, 1 << 17);
            for frame in reader.push(&frames.emit()).expect("lengths are sound") {
                match messages.take(frame) {
                    Ok(message) => whole += usize::from(message.is_some()),
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(whole > 100 && refused > 50, "{whole} {refused}");
    }
}
