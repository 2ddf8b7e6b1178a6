//! Whatever comes: no panic, and how the bytes were cut, cut up, repeated and shuffled changes nothing.

use proptest::prelude::*;
use proptest::sample::Index;
use ringfence_wire::hello::{ClientHello, Depth, DtlsReader, Extension, Reply, TlsReader, Version};

use crate::build::*;

fn depth() -> impl Strategy<Value = Depth> {
    prop_oneof![Just(Depth::Hello), Just(Depth::Flight)]
}

fn in_pieces(depth: Depth, stream: &[u8], cuts: &[Index]) -> Reply {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    places.extend([0, stream.len()]);
    places.sort_unstable();
    let mut reader = TlsReader::new(depth);
    let reply = places.windows(2).find_map(|ends| reader.feed(&stream[ends[0]..ends[1]]));
    reply.unwrap_or_else(|| reader.end())
}

/// A stream that is nearly right: records of any size around a flight, with warnings between, some bytes changed, cut
/// off somewhere.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<Index>(), any::<u8>()), 0..4);
    (1usize..400, any::<bool>(), changes, prop::option::of(any::<Index>())).prop_map(|(size, warn, changes, end)| {
        let messages: Vec<u8> = flight(0x0303).iter().flat_map(|(kind, body)| message(*kind, body)).collect();
        let records = messages.chunks(size).map(|piece| record(HANDSHAKE, 0x0303, piece));
        let warning = if warn { record(ALERT, 0x0303, &[1, 112]) } else { vec![] };
        let mut bytes: Vec<u8> = records.flat_map(|x| [x, warning.clone()].concat()).collect();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(end.map_or(usize::MAX, |end| end.index(bytes.len())));
        bytes
    })
}

/// One message as datagrams: fragments that cover it, in pieces of at most `size`, each reaching `overlap` into the
/// next.
fn fragments(kind: u8, sequence: u16, body: &[u8], size: usize, overlap: usize) -> Vec<Vec<u8>> {
    if body.is_empty() {
        return vec![fragment(kind, sequence, body, 0..0)];
    }
    let starts = (0..body.len()).step_by(size);
    starts.map(|start| fragment(kind, sequence, body, start..(start + size + overlap).min(body.len()))).collect()
}

proptest! {
    #[test]
    fn any_cut_of_any_stream(bytes: Vec<u8>, cuts: Vec<Index>, depth in depth()) {
        prop_assert_eq!(in_pieces(depth, &bytes, &cuts), in_pieces(depth, &bytes, &[]));
    }

    #[test]
    fn any_cut_of_a_flight(bytes in stream(), cuts: Vec<Index>, depth in depth()) {
        let whole = in_pieces(depth, &bytes, &[]);
        prop_assert_eq!(in_pieces(depth, &bytes, &cuts), whole.clone());
        let every: Vec<&[u8]> = bytes.chunks(1).collect();
        let mut reader = TlsReader::new(depth);
        let reply = every.into_iter().find_map(|byte| reader.feed(byte));
        prop_assert_eq!(reply.unwrap_or_else(|| reader.end()), whole);
    }

    #[test]
    fn any_order_of_fragments(
        sizes in prop::collection::vec((1usize..600, 0usize..50), 4),
        repeated in prop::collection::vec(any::<Index>(), 0..10),
        order in prop::collection::vec(any::<u32>(), 0..2000),
        packed in 1usize..5,
        first in 0u16..3,
        depth in depth(),
    ) {
        let messages = (first..).zip(flight(0xfefd)).zip(sizes);
        let mut pieces: Vec<Vec<u8>> = messages
            .flat_map(|((sequence, (kind, body)), (size, overlap))| fragments(kind, sequence, &body, size, overlap))
            .collect();
        let copies: Vec<Vec<u8>> = repeated.iter().map(|which| which.get(&pieces).clone()).collect();
        pieces.extend(copies);
        let mut keyed: Vec<(u32, Vec<u8>)> = order.into_iter().chain(std::iter::repeat(0)).zip(pieces).collect();
        keyed.sort_by_key(|x| x.0);
        // Some fragments in a record, some records in a datagram.
        let records: Vec<Vec<u8>> = keyed
            .chunks(packed)
            .map(|some| dtls_record(HANDSHAKE, 0, 0, &some.iter().flat_map(|x| x.1.clone()).collect::<Vec<_>>()))
            .collect();
        let mut reader = DtlsReader::new(depth);
        let reply = records.chunks(packed).find_map(|some| reader.feed(&some.concat()));
        let mut plain = DtlsReader::new(depth);
        let expected = dtls_flight(first).iter().find_map(|datagram| plain.feed(datagram));
        prop_assert!(expected.is_some());
        prop_assert_eq!(reply, expected);
    }

    #[test]
    fn any_datagrams(datagrams: Vec<Vec<u8>>, depth in depth()) {
        let mut reader = DtlsReader::new(depth);
        prop_assert_eq!(reader.heard(), false);
        let heard = !datagrams.is_empty();
        for datagram in datagrams {
            let _ = reader.feed(&datagram);
        }
        prop_assert_eq!(reader.heard(), heard);
        let _ = reader.end();
    }

    #[test]
    fn any_change_of_a_dtls_flight(
        changes in prop::collection::vec((any::<Index>(), any::<Index>(), any::<u8>()), 1..6),
        order in any::<[u8; 4]>(),
        depth in depth(),
    ) {
        let mut datagrams = dtls_flight(0);
        for (which, at, value) in changes {
            let datagram = which.get_mut(&mut datagrams);
            *at.get_mut(datagram) = value;
        }
        let mut keyed: Vec<_> = order.iter().zip(&datagrams).collect();
        keyed.sort();
        let mut reader = DtlsReader::new(depth);
        let mut replies = keyed.iter().filter_map(|(_, datagram)| reader.feed(datagram));
        // One reply, unless a HelloVerifyRequest was made of it.
        if replies.next().is_some_and(|reply| !matches!(reply, Reply::HelloVerifyRequest { .. })) {
            prop_assert_eq!(replies.next(), None);
        }
        drop(replies);
        let _ = reader.end();
    }

    #[test]
    fn what_is_written_is_read_back(hello in hello(), fragment in 1usize..300, sequence: u16, record in 0u64..1 << 40) {
        let body = if hello.version.is_dtls() {
            let datagrams = hello.to_dtls(sequence, record, fragment).unwrap();
            let mut body = Vec::new();
            for (number, datagram) in (record..).zip(&datagrams) {
                let piece = &datagram[25..];
                prop_assert_eq!(&datagram[5..11], &number.to_be_bytes()[2..]);
                prop_assert_eq!(&datagram[17..19], &sequence.to_be_bytes());
                prop_assert_eq!(&datagram[19..22], &length24(body.len()));
                prop_assert_eq!(&datagram[22..25], &length24(piece.len()));
                prop_assert!(piece.len() <= fragment);
                body.extend_from_slice(piece);
            }
            prop_assert!(datagrams.iter().all(|x| x[14..17] == length24(body.len())));
            body
        } else {
            hello.to_tls().unwrap()[9..].to_vec()
        };
        let read = ClientHello::parse(&body).unwrap();
        prop_assert_eq!(read.version, hello.version);
        prop_assert_eq!(read.legacy_version, Some(hello.version.legacy()));
        prop_assert_eq!((read.random, &read.session_id), (hello.random, &hello.session_id));
        prop_assert_eq!(&read.cookie, &hello.cookie);
        prop_assert_eq!((&read.suites, &read.compression), (&hello.suites, &hello.compression));
        let derived = usize::from(hello.version.is_13());
        prop_assert_eq!(&read.extensions[derived..], &hello.extensions[..]);
        let again = if read.version.is_dtls() {
            read.to_dtls(0, 0, 16_000).unwrap()[0][25..].to_vec()
        } else {
            read.to_tls().unwrap()[9..].to_vec()
        };
        prop_assert_eq!(again, body);
    }

    #[test]
    fn any_bytes_as_a_client_hello(bytes: Vec<u8>, hello in hello(), at: Index, value: u8) {
        let _ = ClientHello::parse(&bytes);
        let mut body = match hello.version.is_dtls() {
            true => hello.to_dtls(0, 0, 16_000).unwrap()[0][25..].to_vec(),
            false => hello.to_tls().unwrap()[9..].to_vec(),
        };
        *at.get_mut(&mut body) = value;
        let _ = ClientHello::parse(&body);
    }

    #[test]
    fn any_hello_as_it_arrives(bytes: Vec<u8>, hello in hello(), at: Index, value: u8, size in 1usize..300) {
        let _ = (ClientHello::from_tls(&bytes), ClientHello::from_datagram(&bytes));
        if hello.version.is_dtls() {
            let mut datagram = hello.to_dtls(3, 3, 16_000).unwrap().remove(0);
            let (read, sequence) = ClientHello::from_datagram(&datagram).unwrap();
            prop_assert_eq!((read.to_dtls(3, 3, 16_000).unwrap().remove(0), sequence), (datagram.clone(), 3));
            *at.get_mut(&mut datagram) = value;
            let _ = ClientHello::from_datagram(&datagram);
        } else {
            let whole = hello.to_tls().unwrap();
            let mut stream: Vec<u8> = whole[5..].chunks(size).flat_map(|piece| record(HANDSHAKE, 0x0301, piece)).collect();
            prop_assert_eq!(ClientHello::from_tls(&stream[..at.index(stream.len())]), Ok(None));
            let read = ClientHello::from_tls(&stream).unwrap().unwrap();
            prop_assert_eq!(&read.to_tls().unwrap()[5..], &whole[5..]);
            *at.get_mut(&mut stream) = value;
            let _ = ClientHello::from_tls(&stream);
        }
    }
}

prop_compose! {
    fn hello()(
        version in prop::sample::select(vec![
            Version::SSL3, Version::TLS10, Version::TLS11, Version::TLS12, Version::TLS13,
            Version::DTLS10, Version::DTLS12, Version::DTLS13,
        ]),
        random: [u8; 32],
        session_id in prop::collection::vec(any::<u8>(), 0..=32),
        cookie in prop::collection::vec(any::<u8>(), 0..=255),
        suites in prop::collection::vec(any::<u16>(), 0..200),
        compression in prop::collection::vec(any::<u8>(), 0..5),
        extensions in prop::collection::vec((0u16..43, prop::collection::vec(any::<u8>(), 0..50)), 0..10),
    ) -> ClientHello {
        let mut hello = ClientHello::new(version, random);
        hello.cookie = if version.is_dtls() { cookie } else { vec![] };
        hello.extensions = extensions.into_iter().map(|(kind, data)| Extension::new(kind, data)).collect();
        ClientHello { session_id, suites, compression, ..hello }
    }
}
