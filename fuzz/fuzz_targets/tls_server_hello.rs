//! Replies over TLS: no panic on any bytes, and however the stream is cut, and its records, the reply is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_wire::hello::{Depth, Reply, TlsReader};

const HANDSHAKE: u8 = 22;
const HEADER_BYTES: usize = 5;

fuzz_target!(|input: (bool, u8, &[u8])| {
    let (deep, cut, stream) = input;
    let depth = || if deep { Depth::Flight } else { Depth::Hello };
    let whole = read(depth(), [stream].into_iter());
    assert_eq!(read(depth(), stream.chunks(1)), whole);
    assert_eq!(read(depth(), stream.chunks(usize::from(cut) + 1)), whole);
    if let Reply::ServerHello(hello) | Reply::HelloRetryRequest(hello) = &whole {
        assert!(!(hello.done && hello.broken.is_some()));
        if hello.broken.is_none() && hello.alert.is_none() {
            // Handshake messages may begin and end anywhere in records: RFC 8446, section 5.1.
            assert_eq!(read(depth(), [records(stream, usize::from(cut) + 1).as_slice()].into_iter()), whole);
        }
    }
});

fn read<'a>(depth: Depth, pieces: impl Iterator<Item = &'a [u8]>) -> Reply {
    let mut reader = TlsReader::new(depth);
    for piece in pieces {
        if let Some(reply) = reader.feed(piece) {
            assert_eq!(reader.feed(&[22, 3, 3, 0, 1, 2]), None, "a reader with a reply is spent");
            return reply;
        }
    }
    reader.end()
}

/// The same stream with handshake records of so many bytes at most; what is not whole stays as it is.
fn records(mut stream: &[u8], most: usize) -> Vec<u8> {
    let mut cut = Vec::new();
    while let Some((header, rest)) = stream.split_at_checked(HEADER_BYTES) {
        let length = usize::from(header[3]) << 8 | usize::from(header[4]);
        let Some((body, rest)) = rest.split_at_checked(length) else { break };
        let pieces = body.chunks(if header[0] == HANDSHAKE { most } else { length.max(1) });
        if body.is_empty() {
            cut.extend_from_slice(header);
        }
        for piece in pieces {
            cut.extend_from_slice(&header[..3]);
            cut.extend_from_slice(&u16::try_from(piece.len()).expect("a record's length").to_be_bytes());
            cut.extend_from_slice(piece);
        }
        stream = rest;
    }
    cut.extend_from_slice(stream);
    cut
}
