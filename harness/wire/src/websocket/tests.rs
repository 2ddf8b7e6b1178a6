//! Frames and messages against the examples of RFC 6455, and against what it forbids.

use super::*;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// The masked "Hello" of RFC 6455, section 5.7.
const MASKED: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

fn frames(bytes: &[u8]) -> Vec<Frame> {
    let mut reader = Reader::new(1 << 20);
    let frames = reader.push(bytes).unwrap();
    assert_eq!(reader.unfinished(), 0);
    frames
}

fn fragment(fin: bool, opcode: u8, payload: &[u8]) -> Frame {
    Frame { fin, ..Frame::plain(opcode, payload) }
}

/// What the server's frames say, up to the first error.
fn messages(frames: &[Frame]) -> Result<Vec<Message>, Error> {
    let mut messages = Messages::new(Side::Server, 10);
    frames.iter().cloned().filter_map(|frame| messages.take(frame).transpose()).collect()
}

#[test]
fn the_examples_of_the_rfc_are_read_and_written() {
    let examples: [(&[u8], Frame); 5] = [
        (b"\x81\x05Hello", Frame::plain(TEXT, *b"Hello")),
        (MASKED, Frame::masked(TEXT, MASK, *b"Hello")),
        (b"\x01\x03Hel", fragment(false, TEXT, b"Hel")),
        (b"\x80\x02lo", fragment(true, CONTINUATION, b"lo")),
        (b"\x89\x05Hello", Frame::plain(PING, *b"Hello")),
    ];
    for (bytes, frame) in examples {
        assert_eq!(frames(bytes), std::slice::from_ref(&frame));
        assert_eq!(frame.emit(), bytes);
    }
    assert_eq!(Frame::plain(BINARY, vec![0; 256]).emit()[..4], [0x82, 0x7e, 1, 0]);
    assert_eq!(Frame::plain(BINARY, vec![0; 65_536]).emit()[..10], [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
}

#[test]
fn every_bit_and_each_form_of_length_is_read_back() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536] {
        for bits in 0..=255_u8 {
            let mask = (bits & 1 == 0).then_some([bits, 0, 1, 255]);
            let payload = vec![bits; if bits % 64 == 0 { length } else { length % 200 }];
            let frame = Frame { fin: bits & 0x80 != 0, rsv: bits >> 4 & 7, opcode: bits & 15, mask, payload };
            assert_eq!(frames(&frame.emit()), [frame]);
        }
    }
}

#[test]
fn frames_come_out_whole_however_the_stream_is_cut() {
    let sent: Vec<Frame> = [0, 3, 125, 126, 300].map(|length| Frame::masked(TEXT, MASK, vec![b'x'; length])).into();
    let stream: Vec<u8> = sent.iter().flat_map(Frame::emit).collect();
    for step in [1, 2, 3, 7, 100, stream.len()] {
        let mut reader = Reader::new(300);
        let read: Vec<Frame> = stream.chunks(step).flat_map(|piece| reader.push(piece).unwrap()).collect();
        assert_eq!(read, sent, "{step}");
    }
}

#[test]
fn a_length_that_is_too_long_or_not_the_shortest_ends_the_stream() {
    let length = || Error::Invalid("WebSocket payload length");
    let large = || Error::TooLarge { field: "WebSocket payload, in bytes,", limit: 1_000 };
    let cases: [(&[u8], Error); 5] = [
        (&[0x82, 126, 0, 125], length()),
        (&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], length()),
        (&[0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0], length()),
        (&[0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], large()),
        (&[0x82, 126, 0x03, 0xe9], large()),
    ];
    for (bytes, error) in cases {
        let mut reader = Reader::new(1_000);
        let before = [b"\x81\x05Hello", bytes].concat();
        assert_eq!(reader.push(&before), Ok(vec![Frame::plain(TEXT, *b"Hello")]));
        assert_eq!(reader.push(&[]), Err(error.clone()));
        assert_eq!(reader.push(b"\x81\x05Hello"), Err(error));
        assert_eq!(reader.unfinished(), 0);
    }
}

#[test]
fn a_message_is_put_together_around_control_frames() {
    let all = [
        fragment(false, TEXT, b"\xc3"), // of `ü`, which is one character in two frames
        Frame::plain(PING, *b"?"),
        fragment(false, CONTINUATION, b"\xbc"),
        fragment(true, CONTINUATION, b""),
        Frame::plain(PONG, *b""),
        Frame::plain(BINARY, *b"\xff"),
        Frame::plain(CLOSE, *b"\x03\xe8bye"),
    ];
    let expected = [
        Message::Ping(b"?".to_vec()),
        Message::Text("ü".into()),
        Message::Pong(Vec::new()),
        Message::Binary(vec![0xff]),
        Message::Close { code: Some(1000), reason: "bye".into() },
    ];
    assert_eq!(messages(&all).unwrap(), expected);
    let empty = Message::Close { code: None, reason: String::new() };
    assert_eq!(messages(&[Frame::plain(CLOSE, *b"")]).unwrap(), [empty]);
}

#[test]
fn what_the_rfc_forbids_is_refused_for_good() {
    let text = || Frame::plain(TEXT, *b"x");
    let large = |field, limit| Error::TooLarge { field, limit };
    let cases: Vec<(Vec<Frame>, Error)> = vec![
        (vec![Frame { rsv: 4, ..text() }], Error::Invalid("reserved bit")),
        (vec![Frame { mask: Some(MASK), ..text() }], Error::Invalid("mask bit")),
        (vec![fragment(false, PING, b"")], Error::Invalid("control frame in fragments")),
        (vec![Frame::plain(PONG, vec![0; 126])], large("control frame, in bytes,", 125)),
        (vec![Frame::plain(3, *b"")], Error::Invalid("opcode")),
        (vec![Frame::plain(11, *b"")], Error::Invalid("opcode")),
        (vec![fragment(true, CONTINUATION, b"")], Error::Invalid("continuation of nothing")),
        (vec![fragment(false, TEXT, b""), text()], Error::Invalid("message inside another")),
        (vec![Frame::plain(TEXT, *b"\xff")], Error::NotUtf8("text message")),
        (vec![Frame::plain(BINARY, vec![0; 11])], large("WebSocket message, in bytes,", 10)),
        (
            vec![fragment(false, BINARY, &[0; 6]), fragment(true, CONTINUATION, &[0; 5])],
            large("WebSocket message, in bytes,", 10),
        ),
        (vec![Frame::plain(CLOSE, *b"\x03")], Error::Truncated("close code")),
        (vec![Frame::plain(CLOSE, *b"\x03\xed")], Error::Invalid("close code")), // 1005
        (vec![Frame::plain(CLOSE, *b"\x03\xe8\xff")], Error::NotUtf8("close reason")),
        (vec![Frame::plain(CLOSE, *b""), text()], Error::Invalid("frame behind a close")),
    ];
    for (frames, error) in cases {
        assert_eq!(messages(&frames), Err(error.clone()), "{frames:?}");
        let mut reader = Messages::new(Side::Server, 10);
        for frame in frames.iter().cloned() {
            let _ = reader.take(frame);
        }
        assert_eq!(reader.take(text()), Err(error), "{frames:?}");
        assert!(!reader.is_unfinished());
    }
    let mut from_client = Messages::new(Side::Client, 10);
    assert_eq!(from_client.take(text()), Err(Error::Invalid("mask bit")));
    let mut from_client = Messages::new(Side::Client, 10);
    assert_eq!(from_client.take(Frame::masked(TEXT, MASK, *b"x")), Ok(Some(Message::Text("x".into()))));
}
