//! Against who only listens: the client tells of the handshakes that `rtc-dtls` makes by what passed in the clear.

use ringfence_wire::Error;
use ringfence_wire::hello::{Depth, DtlsReader, Extension, Reply};

use crate::oracle::Oracle;

/// Who only listens sees the ServerHello that the reader sees, and takes nothing for whole records that is cut.
pub const LISTENER: Oracle = Oracle::new(
    "the listener agrees",
    "a call's version, suite and SRTP profile are told from what passed by; they must be those that were chosen",
);

/// Random, version, suite, extended master secret, SRTP profile.
type Told = ([u8; 32], u16, u16, bool, Option<u16>);

/// Who listens.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// What the first ServerHello of a datagram says.
    pub hello: fn(&[u8]) -> Option<Told>,
    /// Whether a datagram is whole records.
    pub is_whole_records: fn(&[u8]) -> bool,
}

/// The client's own.
#[cfg(feature = "client")]
pub const CLIENT: Listener = Listener {
    hello: ringfence_client::media::__fuzz::clear_hello,
    is_whole_records: ringfence_client::media::__fuzz::is_whole_records,
};

/// Nothing, if a listener agrees with the reader on one datagram.
#[track_caller]
pub fn agrees(datagram: &[u8], listener: &Listener) {
    const NO_RECORDS: [Error; 3] =
        [Error::Truncated("DTLS record"), Error::Invalid("DTLS record type"), Error::Invalid("DTLS record version")];
    let mut reader = DtlsReader::new(Depth::Hello);
    let reply = reader.feed(datagram).unwrap_or_else(|| reader.end());
    let broken = matches!(&reply, Reply::Garbage(error) if NO_RECORDS.contains(error));
    LISTENER.holds(!(broken && (listener.is_whole_records)(datagram)), || format!("whole records, and {reply:?}"));
    let (Reply::ServerHello(hello) | Reply::HelloRetryRequest(hello)) = reply else { return };
    if in_pieces(datagram) {
        return; // the listener reads whole messages only
    }
    let secret = hello.extension(Extension::EXTENDED_MASTER_SECRET).is_some();
    let read = (hello.random, hello.version.0, hello.suite, secret, hello.srtp_profile());
    let seen = (listener.hello)(datagram);
    LISTENER.holds(seen == Some(read), || format!("read: {read:02x?}\nlistened to: {seen:02x?}"));
}

/// Whether any handshake message of epoch 0 comes in pieces.
fn in_pieces(mut datagram: &[u8]) -> bool {
    const HANDSHAKE: u8 = 22; // RFC 5246, section 6.2.1
    while let Some((header, rest)) = datagram.split_first_chunk::<13>() {
        let [kind, _, _, e, f, .., high, low] = *header;
        let Some((mut body, after)) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low]))) else {
            break;
        };
        if (kind, e, f) != (HANDSHAKE, 0, 0) {
            body = &[];
        }
        while let Some((header, rest)) = body.split_first_chunk::<12>() {
            let [_, a, b, c, _, _, x, y, z, d, e, f] = *header;
            if [a, b, c] != [d, e, f] || [x, y, z] != [0; 3] {
                return true;
            }
            let piece = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            body = rest.get(piece..).unwrap_or_default();
        }
        datagram = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use ringfence_wire::hello::{ServerFlight, Version};

    use super::*;
    use crate::oracle::caught;

    fn hello(size: usize) -> Vec<Vec<u8>> {
        ServerFlight::new(Version::DTLS12, [9; 32], 0xc02b).to_dtls(0, 0, size).expect("a sound flight")
    }

    const RIGHT: Listener =
        Listener { hello: |_| Some(([9; 32], 0xfefd, 0xc02b, false, None)), is_whole_records: |_| true };

    #[test]
    fn who_hears_another_suite_is_caught() {
        agrees(&hello(1_400).concat(), &RIGHT);
        let wrong = Listener { hello: |_| Some(([9; 32], 0xfefd, 0xc02c, false, None)), ..RIGHT };
        caught(&LISTENER, || agrees(&hello(1_400).concat(), &wrong));
    }

    #[test]
    fn who_takes_half_a_record_for_a_whole_one_is_caught() {
        caught(&LISTENER, || agrees(&hello(1_400).concat()[..20], &RIGHT));
    }

    #[cfg(feature = "client")]
    #[test]
    fn the_client_agrees() {
        agrees(&hello(1_400).concat(), &CLIENT);
        agrees(&hello(1_400).concat()[..20], &CLIENT);
    }

    #[test]
    fn pieces_are_told_from_whole_messages() {
        assert!(hello(20).iter().take(2).all(|piece| in_pieces(piece)));
        assert!(!in_pieces(&hello(1_400).concat()));
    }
}
