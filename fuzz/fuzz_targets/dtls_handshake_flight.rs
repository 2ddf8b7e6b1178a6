//! Replies over DTLS: no panic on any datagrams; and a flight that was written is read the same, whatever the size of its
//! fragments, in whatever order and however often they come.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_wire::hello::{Depth, DtlsReader, Extension, Reply, ServerFlight, Version};

/// Datagrams that are put into one reader: far below its bounds, which repetition would meet.
const DATAGRAMS: usize = 300;

/// Version, random, session id, suite, compression method.
type Hello<'a> = (bool, [u8; 32], &'a [u8], u16, u8);
/// Extensions, certificates, ServerKeyExchange.
type Rest<'a> = (Vec<(u16, &'a [u8])>, Vec<&'a [u8]>, Option<&'a [u8]>);
/// Message_seq, size of fragments; places in the list of datagrams that is left: which comes next, and whether it comes again.
type Way = (u8, u8, Vec<(u8, bool)>);

fuzz_target!(|input: (bool, Vec<&[u8]>, Hello<'_>, Rest<'_>, Way)| {
    let (deep, datagrams, hello, rest, (sequence, fragment, order)) = input;
    let depth = || if deep { Depth::Flight } else { Depth::Hello };
    any(depth(), &datagrams);
    let written = flight(hello, rest);
    let (sequence, fragment) = (u16::from(sequence % 4), usize::from(fragment) + 1);
    let Ok(plain) = written.to_dtls(sequence, 0, 1 << 13) else { return };
    let Ok(small) = written.to_dtls(sequence, 0, fragment) else { return };
    if small.len() > DATAGRAMS {
        return;
    }
    let expected = read(depth(), plain.iter());
    let mut rest: Vec<&Vec<u8>> = small.iter().collect();
    let mut shuffled = Vec::new();
    for (place, again) in order {
        if rest.is_empty() {
            break;
        }
        let place = usize::from(place) % rest.len();
        let datagram = rest.remove(place);
        shuffled.push(datagram);
        if again {
            shuffled.push(datagram);
        }
    }
    shuffled.extend(rest);
    assert_eq!(read(depth(), shuffled.into_iter()), expected, "fragments of {fragment} bytes");
});

fn flight(
    (newest, random, session_id, suite, compression): Hello<'_>,
    (extensions, chain, key_exchange): Rest<'_>,
) -> ServerFlight {
    let version = if newest { Version::DTLS12 } else { Version::DTLS10 };
    ServerFlight {
        session_id: session_id.to_vec(),
        compression,
        extensions: extensions.iter().map(|(kind, data)| Extension::new(*kind, *data)).collect(),
        certificates: chain.iter().map(|certificate| certificate.to_vec()).collect(),
        key_exchange: key_exchange.map(<[u8]>::to_vec),
        ..ServerFlight::new(version, random, suite)
    }
}

fn any(depth: Depth, datagrams: &[&[u8]]) {
    let mut reader = DtlsReader::new(depth);
    for datagram in datagrams {
        let reply = reader.feed(datagram);
        assert!(reader.heard());
        if reply.is_some_and(|reply| !matches!(reply, Reply::HelloVerifyRequest { .. })) {
            assert_eq!(reader.feed(datagram), None, "a reader with a reply is spent");
            return;
        }
    }
    let _ = reader.end();
}

fn read<'a>(depth: Depth, datagrams: impl Iterator<Item = &'a Vec<u8>>) -> Reply {
    let mut reader = DtlsReader::new(depth);
    for datagram in datagrams {
        if let Some(reply) = reader.feed(datagram) {
            return reply;
        }
    }
    reader.end()
}
