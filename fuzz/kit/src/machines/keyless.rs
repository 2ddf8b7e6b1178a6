//! The media of a peer that never has our keys: checks of ICE and their answers, DTLS and packets, as a script wants them.

use std::net::SocketAddr;

use ringfence_wire::stun::{Attribute, Class, Message, Method, is_stun};

use crate::generators::dtls::{Fragment, HANDSHAKE, VERSION_12, record};

/// The password in the target's description, and its name.
const THEIR_PWD: &[u8] = b"0123456789012345678901";
const THEIR_UFRAG: &str = "abcdef";
/// What whoever does not know a password signs with.
const ANOTHER: &str = "not the password that is";

/// Types of handshake messages. RFC 5246, section 7.4; RFC 6347, section 4.3.2.
const CLIENT_HELLO: u8 = 1;
const HELLO_VERIFY_REQUEST: u8 = 3;

/// The target's end of the media.
#[derive(Debug, Default)]
pub struct Keyless {
    /// Our last check, as it came: few are answered.
    check: Vec<u8>,
    /// Records and handshake messages so far: one with a number that was there is not read. RFC 6347, section 4.1.2.6.
    records: u16,
    messages: u16,
    /// What our HelloVerifyRequest wants to see again. RFC 6347, section 4.2.1.
    cookie: Vec<u8>,
}

impl Keyless {
    /// It hears a datagram of ours: whether that is a check.
    pub fn hear(&mut self, bytes: &[u8]) -> bool {
        if let Some(cookie) = cookie(bytes) {
            self.cookie = cookie.to_vec();
        }
        // RFC 8489, section 5: both bits of the class are clear in a request.
        let is_check = is_stun(bytes) && matches!(bytes, [first, second, ..] if first & 1 == 0 && second & 0x10 == 0);
        if is_check {
            self.check = bytes.to_vec();
        }
        is_check
    }

    /// What it says: `s`, a check; `a`, the answer to our last one (`S`, `A`: signed by another); `h` and a type, a handshake
    /// message with right numbers, and a hello without a cookie gets ours; `d`, a handshake record; `t` and a type, another record; `r`, RTP; `c`, RTCP; else these
    /// bytes. Nothing, where there is nothing to answer or no offer.
    pub fn says(&mut self, kind: u8, rest: &[u8], offer: Option<&str>, local: SocketAddr) -> Option<Vec<u8>> {
        let (first, body) = rest.split_first().map_or((0, rest), |(first, body)| (*first, body));
        Some(match kind {
            b's' | b'S' => check(offer?, kind == b's')?,
            b'a' => self.answer(local)?,
            b'A' => answer(&self.check, local, ANOTHER.as_bytes())?,
            b'h' => {
                let sequence = self.messages;
                self.messages = self.messages.wrapping_add(1);
                let body = if first == CLIENT_HELLO { with_cookie(body, &self.cookie) } else { body.to_vec() };
                let fragment = Fragment { kind: first, length: body.len(), sequence, offset: 0, piece: &body };
                self.record(HANDSHAKE, &fragment.bytes())
            }
            b'd' => self.record(HANDSHAKE, rest),
            b't' => self.record(first, body),
            b'r' => [&[0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 7], rest].concat(),
            b'c' => [&[0x80, 201, 0, 1, 0, 0, 0, 7], rest].concat(),
            _ => rest.to_vec(),
        })
    }

    /// The answer to our last check.
    pub fn answer(&self, local: SocketAddr) -> Option<Vec<u8>> {
        answer(&self.check, local, THEIR_PWD)
    }

    fn record(&mut self, kind: u8, body: &[u8]) -> Vec<u8> {
        let number = self.records;
        self.records = self.records.wrapping_add(1);
        record(kind, VERSION_12, number, body)
    }
}

/// The cookie of a HelloVerifyRequest: a record of 13 bytes, a message of 12, and behind the version its length.
fn cookie(datagram: &[u8]) -> Option<&[u8]> {
    let asks = datagram.first() == Some(&HANDSHAKE) && datagram.get(13) == Some(&HELLO_VERIFY_REQUEST);
    let (length, rest) = datagram.get(27..)?.split_first().filter(|_| asks)?;
    rest.get(..usize::from(*length))
}

/// A hello whose cookie, behind version, random and session, is this one where it was empty.
fn with_cookie(hello: &[u8], cookie: &[u8]) -> Vec<u8> {
    let at = 35 + hello.get(34).copied().map_or(0, usize::from);
    match (hello.split_at_checked(at), u8::try_from(cookie.len())) {
        (Some((front, [0, rest @ ..])), Ok(length)) => [front, &[length], cookie, rest].concat(),
        _ => hello.to_vec(),
    }
}

/// A check of the target, under our password or another.
fn check(offer: &str, right: bool) -> Option<Vec<u8>> {
    let line = |name: &str| offer.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let check = Message::new(Class::Request, Method::BINDING, [3; 12]);
    let check = check.with(Attribute::Username(format!("{}:{THEIR_UFRAG}", line("a=ice-ufrag:"))));
    let check = check.with(Attribute::Priority(1)).with(Attribute::IceControlled(5));
    let key = if right { line("a=ice-pwd:") } else { ANOTHER };
    check.signed(key.as_bytes()).ok()?.fingerprinted().ok()?.emit().ok()
}

fn answer(check: &[u8], local: SocketAddr, key: &[u8]) -> Option<Vec<u8>> {
    let check = Message::parse(check).ok()?;
    let answer = Message::new(Class::Success, check.method, check.transaction);
    answer.with(Attribute::XorMappedAddress(local)).signed(key).ok()?.fingerprinted().ok()?.emit().ok()
}

#[cfg(test)]
mod tests {
    use ringfence_wire::stun::verify_integrity;

    use super::*;

    const OFFER: &str = "a=ice-ufrag:us\r\na=ice-pwd:our password\r\n";

    fn local() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 50_000))
    }

    #[test]
    fn its_checks_and_answers_are_signed_as_they_say() {
        let mut far = Keyless::default();
        for (kind, right) in [(b's', true), (b'S', false)] {
            let bytes = far.says(kind, b"", Some(OFFER), local()).expect("a check");
            assert_eq!(verify_integrity(&bytes, b"our password").is_ok(), right);
        }
        assert!(far.says(b's', b"", None, local()).is_none(), "without an offer there is no password");
        assert!(far.says(b'a', b"", None, local()).is_none(), "nothing was asked");
        let ours = Message::new(Class::Request, Method::BINDING, [8; 12]).emit().expect("a check");
        assert!(far.hear(&ours) && !far.hear(b"\x16"));
        for (kind, right) in [(b'a', true), (b'A', false)] {
            let bytes = far.says(kind, b"", None, local()).expect("an answer");
            assert_eq!(Message::parse(&bytes).expect("STUN").transaction, [8; 12]);
            assert_eq!(verify_integrity(&bytes, THEIR_PWD).is_ok(), right);
        }
    }

    #[test]
    fn its_records_and_messages_are_numbered() {
        let mut far = Keyless::default();
        let mut says = |kind, rest: &[u8]| far.says(kind, rest, None, local()).expect("bytes");
        assert_eq!(says(b'h', b"\x02body"), record(22, VERSION_12, 0, b"\x02\0\0\x04\0\0\0\0\0\0\0\x04body"));
        assert_eq!(says(b't', b"\x15\x02\x28"), record(21, VERSION_12, 1, b"\x02\x28"));
        assert_eq!(says(b'h', b"\x0e"), record(22, VERSION_12, 2, b"\x0e\0\0\0\0\x01\0\0\0\0\0\0"));
        assert_eq!(says(b'd', b"x"), record(22, VERSION_12, 3, b"x"));
    }

    #[test]
    fn a_hello_gets_the_cookie_that_was_asked_for() {
        let mut far = Keyless::default();
        let hello = [&[1, 254, 253][..], &[7; 32], &[1, 9, 0, 0, 2], b"ab"].concat();
        let without = far.says(b'h', &hello, None, local()).expect("a hello");
        assert!(without.ends_with(&hello[1..]));
        assert!(!far.hear(&record(22, VERSION_12, 0, b"\x03\0\0\x07\0\0\0\0\0\0\0\x07\xfe\xfd\x04cook")));
        let with = far.says(b'h', &hello, None, local()).expect("a hello");
        assert!(with.ends_with(b"\x01\x09\x04cook\0\x02ab"), "{with:?}");
        assert_eq!(with.len(), without.len() + 4);
    }
}
