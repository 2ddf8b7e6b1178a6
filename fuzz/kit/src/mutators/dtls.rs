//! DTLS: lengths and offsets that fit what is there.

use crate::generators::dtls::{Fragment, HANDSHAKE, VERSION_12};

const RECORD_HEADER_BYTES: usize = 13; // RFC 6347, section 4.1
const MESSAGE_HEADER_BYTES: usize = 12; // RFC 6347, section 4.2.2
const DTLS_MAJOR: u8 = 0xfe; // RFC 6347, section 4.1
/// Numbers of messages that are left as they are: a flight has few.
const MESSAGES: u16 = 8;

/// The same datagram as whole records of DTLS in the clear. Records and fragments end where the datagram does, pieces lie within
/// their messages, and messages have low numbers. What is too short for a header is dropped.
pub fn repaired(mut datagram: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some((header, rest)) = datagram.split_first_chunk::<RECORD_HEADER_BYTES>() {
        let [kind, major, _, epoch @ .., length_high, length_low] = *header;
        let length = usize::from(u16::from_be_bytes([length_high, length_low])).min(rest.len());
        let (body, after) = rest.split_at(length);
        let body = if kind == HANDSHAKE && epoch.starts_with(&[0, 0]) { messages(body) } else { body.to_vec() };
        let [.., high, low] = body.len().to_be_bytes();
        let mut header = *header;
        if major != DTLS_MAJOR {
            [header[1], header[2]] = VERSION_12.to_be_bytes();
        }
        [header[11], header[12]] = [high, low];
        whole.extend_from_slice(&header);
        whole.extend_from_slice(&body);
        datagram = after;
    }
    whole
}

fn messages(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some((header, rest)) = body.split_first_chunk::<MESSAGE_HEADER_BYTES>() {
        let [kind, a, b, c, d, e, f, g, h, i, j, k] = *header;
        let number = |high, middle, low| usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        let (piece, after) = rest.split_at(number(i, j, k).min(rest.len()));
        // A message is as long as it says, or as what of it is here.
        let length = number(a, b, c).max(piece.len());
        let offset = number(f, g, h).min(length - piece.len());
        let sequence = u16::from_be_bytes([d, e]) % MESSAGES;
        whole.extend(Fragment { kind, length, sequence, offset, piece }.bytes());
        body = after;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::dtls::record;
    use ringfence_wire::hello::ClientHello;

    fn hello() -> Vec<u8> {
        let hello = ClientHello::new(ringfence_wire::hello::Version::DTLS12, [7; 32]);
        hello.to_dtls(0, 0, 1_000).expect("a sound hello").concat()
    }

    #[test]
    fn what_is_sound_stays_as_it_is() {
        assert_eq!(repaired(&hello()), hello());
        assert!(ClientHello::from_datagram(&repaired(&hello())).is_ok());
    }

    #[test]
    fn lengths_that_lie_are_put_right() {
        for (place, byte) in [(1, 3), (11, 0xff), (14, 0), (15, 0xff), (17, 9), (19, 1), (23, 0xff), (24, 0xff)] {
            let mut wrong = hello();
            wrong[place] = byte;
            let fixed = repaired(&wrong);
            assert_eq!(repaired(&fixed), fixed, "twice is once: {place}");
        }
        let mut wrong = hello();
        [wrong[1], wrong[11], wrong[22]] = [3, 0xff, 0xff];
        assert!(ClientHello::from_datagram(&wrong).is_err());
        assert!(ClientHello::from_datagram(&repaired(&wrong)).is_ok());
    }

    #[test]
    fn other_records_keep_their_bytes() {
        let alert = record(21, VERSION_12, 0, &[2, 40]);
        assert_eq!(repaired(&[&alert[..], &[22, 0xfe]].concat()), alert);
        assert!(repaired(&[]).is_empty());
    }
}
