//! WebSocket frames and messages, ours and those of the client.

use std::io::{self, Read, Write};

use arbitrary::Unstructured;
use ringfence_client::drive::ws;
use ringfence_client::net::Limits;
use ringfence_wire::Error;
use ringfence_wire::websocket::{Frame, MAX_HEADER_BYTES, Message, Messages, Reader, Side};
use tungstenite::protocol::{Role, WebSocket};

use crate::generators::websocket::Frames;
use crate::known::websocket::{Case, DIFFERENCES, TUNGSTENITE, Told, shortest};
use crate::oracle::Oracle;
use crate::oracles::{AGREEMENT, ALLOCATION, Bound, CUTTING, FIXPOINT, agreeing, allocating, cuts};
use crate::target::{Seed, Target};

/// A WebSocket's stream behind the handshake.
pub const TARGET: Target = Target {
    name: "websocket_frames",
    reads: "a byte of modes, three sizes of pieces, and a WebSocket's stream or bytes to draw frames from",
    oracles: &[&ALLOCATION, &CUTTING, &FIXPOINT, &AGREEMENT, &BOUNDED],
    run,
    accepts: |bytes| {
        Input::of(bytes).is_some_and(|input| ours(&input, &mut std::iter::once(&*input.stream)).error.is_none())
    },
    show: |bytes| format!("{:#?}", Input::of(bytes).map(|input| input.show())),
    seeds,
    dictionary: None,
    max_len: 4_096,
    covers: &["harness/wire/src/websocket.rs", "harness/wire/src/websocket"],
};

/// No more is kept of a stream than one frame that is allowed.
pub const BOUNDED: Oracle = Oracle::new(
    "an unfinished frame is bounded",
    "a length is a promise of the peer's: what is kept for it must not grow beyond what a reader would take",
);

/// Bytes of a frame's payload, and of a message, that are taken here: small, so that limits are met.
const FRAME: usize = 300;
const MESSAGE: usize = 500;
/// The same where payloads of 64 KiB are drawn.
const LARGE: usize = 70_000;

/// One input: whose frames they are, how the stream is cut, and the stream.
struct Input {
    side: Side,
    limits: (usize, usize),
    sizes: [u8; 3],
    stream: Vec<u8>,
    /// The frames that the stream was made of, if it was.
    drawn: Option<Vec<Frame>>,
}

impl Input {
    fn of(bytes: &[u8]) -> Option<Self> {
        let ([mode, sizes @ ..], rest) = bytes.split_first_chunk::<4>()?;
        let side = if mode & 1 == 0 { Side::Server } else { Side::Client };
        let large = mode & 4 != 0;
        let limits = if large { (LARGE, LARGE) } else { (FRAME, MESSAGE) };
        let drawn =
            if mode & 2 != 0 { Some(Frames::of(&mut Unstructured::new(rest), side, large).ok()?) } else { None };
        let stream = drawn.as_ref().map_or_else(|| rest.to_vec(), Frames::emit);
        Some(Self { side, limits, sizes: *sizes, stream, drawn: drawn.map(|frames| frames.0) })
    }

    fn show(&self) -> (Side, [u8; 3], Vec<Frame>, Told<Error>, Told<String>) {
        let frames = Reader::new(self.limits.0).push(&self.stream).unwrap_or_default();
        (self.side, self.sizes, frames, ours(self, &mut std::iter::once(&*self.stream)), theirs(self))
    }
}

/// One run.
pub fn run(bytes: &[u8]) {
    differences(bytes);
}

/// Asks everything of one input, and returns the known difference that was seen: parser and id.
///
/// # Panics
/// If an oracle finds something.
pub fn differences(bytes: &[u8]) -> Vec<(&'static str, &'static str)> {
    let Some(input) = Input::of(bytes) else { return Vec::new() };
    exact(&input);
    // A frame of two bytes is a value of forty, in a list that grows by doubling.
    let bound = Bound { per_byte: 400, fixed: 4_096 };
    let told =
        cuts(&input.stream, &input.sizes, |pieces| allocating(bound, input.stream.len(), || ours(&input, pieces)));
    agree(&input, told).map(|known| (TUNGSTENITE, known)).into_iter().collect()
}

/// Frames are their bytes: those that were drawn are read, and what is read is written as it came.
fn exact(input: &Input) {
    let mut reader = Reader::new(input.limits.0);
    let Ok(frames) = reader.push(&input.stream) else { return };
    if let Some(drawn) = &input.drawn {
        let cut = reader.push(&[]).is_err(); // by a frame that is too large
        let read = if cut { drawn.get(..frames.len()).unwrap_or_default() } else { drawn };
        FIXPOINT.same(&&*frames, &read, "frames that were written and read");
    }
    let written: Vec<u8> = frames.iter().flat_map(Frame::emit).collect();
    FIXPOINT.holds(input.stream.starts_with(&written), || format!("{frames:?} are written as {written:02x?}"));
}

/// What our readers tell.
fn ours(input: &Input, pieces: &mut dyn Iterator<Item = &[u8]>) -> Told<Error> {
    told_by(Reader::new(input.limits.0), input, pieces)
}

fn told_by(mut reader: Reader, input: &Input, pieces: &mut dyn Iterator<Item = &[u8]>) -> Told<Error> {
    let mut told = Told { messages: Vec::new(), error: None };
    let mut messages = Messages::new(input.side, input.limits.1);
    // One more push, with nothing: what is wrong behind whole frames is told with the next one.
    for piece in pieces.chain(std::iter::once(&[][..])) {
        let frames = match reader.push(piece) {
            Ok(frames) => frames,
            Err(error) => {
                told.error.get_or_insert(error);
                break;
            }
        };
        bounded(reader.unfinished(), input.limits.0);
        for frame in frames {
            match messages.take(frame) {
                Ok(message) => told.messages.extend(message),
                Err(error) => {
                    told.error.get_or_insert(error);
                }
            }
        }
    }
    told
}

fn bounded(kept: usize, limit: usize) {
    BOUNDED.holds(kept <= limit + MAX_HEADER_BYTES, || format!("{kept} bytes are kept of a frame of at most {limit}"));
}

/// What the client's own reader tells: tungstenite, as `drive::ws` sets it up.
fn theirs(input: &Input) -> Told<String> {
    let limits = Limits { ws_frame_bytes: input.limits.0, ws_message_bytes: input.limits.1, ..Limits::default() };
    let role = if input.side == Side::Server { Role::Client } else { Role::Server };
    let config = ws::config(&limits).read_buffer_size(1 + usize::from(input.sizes[0]));
    let mut socket =
        WebSocket::from_raw_socket(Script { rest: &input.stream, sizes: input.sizes, turn: 0 }, role, Some(config));
    let mut messages = Vec::new();
    loop {
        match socket.read() {
            Ok(message) => messages.extend(like_ours(message)),
            Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                return Told { messages, error: None };
            }
            Err(error) => return Told { messages, error: Some(format!("{error:?}")) },
        }
    }
}

/// The pieces of a stream, then nothing; what is written is dropped.
struct Script<'a> {
    rest: &'a [u8],
    sizes: [u8; 3],
    turn: usize,
}

impl Read for Script<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.get(self.turn % self.sizes.len()).map_or(1, |size| usize::from(*size).max(1));
        self.turn += 1;
        let count = size.min(into.len()).min(self.rest.len());
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let (piece, rest) = self.rest.split_at(count);
        self.rest = rest;
        into.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
        Ok(count)
    }
}

impl Write for Script<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn like_ours(message: tungstenite::Message) -> Option<Message> {
    use tungstenite::Message as Theirs;
    Some(match message {
        Theirs::Text(text) => Message::Text(text.as_str().to_owned()),
        Theirs::Binary(bytes) => Message::Binary(bytes.to_vec()),
        Theirs::Ping(bytes) => Message::Ping(bytes.to_vec()),
        Theirs::Pong(bytes) => Message::Pong(bytes.to_vec()),
        Theirs::Close(None) => Message::Close { code: None, reason: String::new() },
        Theirs::Close(Some(close)) => {
            Message::Close { code: Some(close.code.into()), reason: close.reason.as_str().to_owned() }
        }
        Theirs::Frame(_) => return None,
    })
}

/// Both tell the same messages, and refuse the same streams.
fn agree(input: &Input, ours_told: Told<Error>) -> Option<&'static str> {
    let mut case = Case { of_shortest: ours_told.clone(), ours: ours_told, theirs: theirs(input) };
    let (one, other) = case.said();
    if one != other {
        case.of_shortest = ours(input, &mut std::iter::once(&*shortest(&input.stream)));
    }
    let (one, other) = case.said();
    agreeing(DIFFERENCES, TUNGSTENITE, &case, &one, &other).map(|known| known.id)
}

fn seeds() -> Vec<Seed> {
    let stream = |mode: u8, frames: &[Frame]| {
        [&[mode, 1, 2, 3][..], &frames.iter().flat_map(Frame::emit).collect::<Vec<u8>>()].concat()
    };
    let fragment = |fin, opcode, payload: &[u8]| Frame { fin, ..Frame::plain(opcode, payload) };
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let ok = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
    let text = Frame::plain(1, *ok);
    let drawn = |seed| [&[2 + (seed % 8) as u8, 3, 1, 9][..], &crate::generators::stretch(seed, 200)].concat();
    let mut seeds = vec![
        // RFC 6455, section 5.7.
        Seed::valid("rfc6455-text", stream(0, &[Frame::plain(1, *b"Hello")])),
        Seed::valid("rfc6455-masked-text", stream(1, &[Frame::masked(1, mask, *b"Hello")])),
        Seed::valid("rfc6455-fragments", stream(0, &[fragment(false, 1, b"Hel"), fragment(true, 0, b"lo")])),
        Seed::valid("rfc6455-ping-and-pong", stream(0, &[Frame::plain(9, *b"Hello"), Frame::plain(10, *b"Hello")])),
        Seed::valid("rfc6455-256-bytes", stream(0, &[Frame::plain(2, vec![7; 256])])),
        Seed::valid("sip-answers", stream(0, &[text.clone(), Frame::plain(10, *b""), text.clone()])),
        Seed::valid(
            "ping-inside-a-message",
            stream(0, &[fragment(false, 1, ok), Frame::plain(9, *b"?"), fragment(true, 0, b"")]),
        ),
        Seed::valid("keep-alive", stream(1, &[Frame::masked(1, mask, *b"\r\n\r\n"), Frame::masked(10, mask, *b"")])),
        Seed::valid("close", stream(0, &[text.clone(), Frame::plain(8, *b"\x03\xe8bye")])),
        Seed::valid("close-without-a-code", stream(0, &[Frame::plain(8, *b"")])),
        Seed::valid("unfinished", [stream(0, &[]), text.emit()[..20].to_vec()].concat()),
        Seed::other("reserved-bit", stream(0, &[Frame { rsv: 4, ..text.clone() }])),
        Seed::other("reserved-opcode", stream(0, &[Frame::plain(3, *b"")])),
        Seed::other("masked-by-a-server", stream(0, &[Frame { mask: Some(mask), ..text.clone() }])),
        Seed::other("unmasked-by-a-client", stream(1, std::slice::from_ref(&text))),
        Seed::other("control-of-126-bytes", stream(0, &[Frame::plain(9, vec![0; 126])])),
        Seed::other("control-in-fragments", stream(0, &[fragment(false, 9, b"")])),
        Seed::other("continuation-of-nothing", stream(0, &[fragment(true, 0, b"x")])),
        Seed::other("message-inside-another", stream(0, &[fragment(false, 1, b"x"), text])),
        Seed::other("close-of-one-byte", stream(0, &[Frame::plain(8, *b"\x03")])),
        Seed::other("frame-behind-a-close", stream(0, &[Frame::plain(8, *b""), Frame::plain(9, *b"")])),
        Seed::other("message-too-large", stream(0, &[fragment(false, 2, &[0; FRAME]), fragment(true, 0, &[0; FRAME])])),
        Seed::other("no-utf-8", stream(0, &[Frame::plain(1, *b"\xff")])),
        Seed::other("frame-too-large", [&[0, 1, 2, 3, 0x82, 127][..], &[0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]].concat()),
    ];
    seeds.extend((0..8).map(|seed| Seed::other(format!("drawn-{seed}"), drawn(seed))));
    seeds.extend(DIFFERENCES.iter().map(|known| Seed::other(known.id, known.example)));
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_stream_without_choices_has_no_differences() {
        assert_eq!(differences(b"\0\x03\x01\x02\x81\x05Hello\x88\0"), []);
    }

    /// A reader without a limit, asked to keep no more than a frame of 300 bytes.
    #[test]
    fn a_reader_that_keeps_a_promise_of_gigabytes_is_caught() {
        let stream = [&[0x82, 127, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff][..], &[0; 2 * FRAME]].concat();
        let input = Input { side: Side::Server, limits: (FRAME, MESSAGE), sizes: [1; 3], stream, drawn: None };
        assert!(ours(&input, &mut input.stream.chunks(50)).error.is_some(), "ours refuses it");
        caught(&BOUNDED, || {
            told_by(Reader::new(usize::MAX), &input, &mut input.stream.chunks(50));
        });
    }
}
