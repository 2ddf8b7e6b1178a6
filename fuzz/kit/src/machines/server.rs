//! The TURN server of a script: what it answers, however wrong.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ringfence_wire::stun::{Attribute, Class, Message, Method, long_term_key, verify_integrity};
use ringfence_wire::turn::ChannelData;

use super::subject::MARKER;
use crate::generators::relay::Answer;

/// Our socket.
pub const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 50_000);
/// The server.
pub const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9)), 3478);
/// The target.
pub const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 8)), 40_000);
/// What the server gives, and what somebody on the way would like better.
const RELAYED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9)), 49_152);
const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 66)), 49_152);
/// Realm of a server that behaves, and our name there.
const REALM: &str = "lab";
const USER: &str = "user";

/// The server.
#[derive(Debug)]
pub struct Server {
    realm: String,
}

impl Default for Server {
    fn default() -> Self {
        Self { realm: REALM.into() }
    }
}

impl Server {
    /// What it answers; nothing to what is no request.
    pub fn answer(&mut self, request: &[u8], how: &Answer<'_>) -> Option<Vec<u8>> {
        let asked = Message::parse(request).ok().filter(|message| message.class == Class::Request)?;
        let signed = |answer: Message, password: &str| answer.signed(&long_term_key(USER, &self.realm, password)).ok();
        match how {
            Answer::Due => self.due(&asked),
            Answer::Cut(length) => {
                let mut bytes = self.due(&asked)?;
                bytes.truncate(*length);
                Some(bytes)
            }
            Answer::Turned(bit) => {
                let mut bytes = self.due(&asked)?;
                let at = (bit / 8) % bytes.len().max(1);
                *bytes.get_mut(at)? ^= 1 << (bit % 8);
                Some(bytes)
            }
            Answer::Error(code, realm, nonce) => self.error(&asked, *code, realm, nonce),
            Answer::Success(by, address, lifetime) => {
                let answer = success(&asked, *address, *lifetime);
                let answer = match by {
                    'u' => Some(answer),
                    'w' => signed(answer, "another"),
                    _ => signed(answer, MARKER),
                };
                answer?.emit().ok()
            }
            Answer::Behind(address, behind, lifetime) => {
                let answer = signed(success(&asked, *address, *lifetime), MARKER)?;
                let more = of_letter(*behind).map(Attribute::XorRelayedAddress);
                more.into_iter().fold(answer, Message::with).emit().ok()
            }
        }
    }

    /// The address that this message grants to who is asked to believe it: one of these requests is answered, under the password.
    pub fn granted(&self, bytes: &[u8], requests: &[Vec<u8>]) -> Option<SocketAddr> {
        let answer = Message::parse(bytes).ok()?;
        let grants = (answer.class, answer.method) == (Class::Success, Method::ALLOCATE);
        let relayed = answer.relayed_address().filter(|_| grants)?;
        let is_asked = requests.iter().any(|request| request.get(8..20) == bytes.get(8..20));
        let key = long_term_key(USER, &self.realm, MARKER);
        (is_asked && verify_integrity(bytes, &key).is_ok()).then_some(relayed)
    }

    fn due(&mut self, asked: &Message) -> Option<Vec<u8>> {
        if asked.is_signed() {
            let key = long_term_key(USER, &self.realm, MARKER);
            return success(asked, '4', 600).signed(&key).ok()?.emit().ok();
        }
        self.realm = REALM.into();
        self.error(asked, 401, REALM.as_bytes(), b"n")
    }

    fn error(&mut self, asked: &Message, code: u16, realm: &[u8], nonce: &[u8]) -> Option<Vec<u8>> {
        let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let mut error = Message::new(Class::Error, asked.method, asked.transaction)
            .with(Attribute::ErrorCode { code, reason: "No".into() });
        if !realm.is_empty() {
            error = error.with(Attribute::Realm(text(realm)));
            // It is the realm of what follows only for who has none yet.
            if !asked.is_signed() {
                self.realm = text(realm);
            }
        }
        if !nonce.is_empty() {
            error = error.with(Attribute::Nonce(text(nonce)));
        }
        error.emit().ok()
    }
}

/// The address that a letter of a script stands for.
fn of_letter(letter: char) -> Option<SocketAddr> {
    match letter {
        '-' => None,
        '6' => Some(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 49_152))),
        '0' => Some(SocketAddr::from(([0, 0, 0, 0], 0))),
        'm' => Some(SocketAddr::from(([224, 0, 0, 1], 9))),
        'e' => Some(ELSEWHERE),
        _ => Some(RELAYED),
    }
}

fn success(asked: &Message, address: char, lifetime: u32) -> Message {
    let answer = Message::new(Class::Success, asked.method, asked.transaction).with(Attribute::Lifetime(lifetime));
    match of_letter(address).filter(|_| asked.method == Method::ALLOCATE) {
        Some(address) => answer.with(Attribute::XorRelayedAddress(address)).with(Attribute::XorMappedAddress(LOCAL)),
        None => answer,
    }
}

/// Data of the target as the server passes it on.
pub fn data_of(channel: Option<u16>, data: &[u8]) -> Vec<u8> {
    let bytes = match channel {
        Some(number) => ChannelData { channel: number, data }.emit(),
        None => {
            let envelope = Message::new(Class::Indication, Method::DATA, [9; 12]);
            envelope.with(Attribute::XorPeerAddress(PEER)).with(Attribute::Data(data.to_vec())).emit()
        }
    };
    bytes.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_one_that_was_asked_for_and_is_signed() {
        let mut server = Server::default();
        let request = Message::new(Class::Request, Method::ALLOCATE, [8; 12]).emit().expect("a request");
        let requests = [request.clone()];
        let mut granted = |how: Answer<'_>| {
            let bytes = server.answer(&request, &how).expect("an answer");
            (server.granted(&bytes, &requests), server.granted(&bytes, &[]))
        };
        assert_eq!(granted(Answer::Success('h', '4', 600)), (Some(RELAYED), None));
        assert_eq!(granted(Answer::Behind('4', 'e', 600)), (Some(RELAYED), None));
        for refused in [
            Answer::Success('u', '4', 600),
            Answer::Success('w', '4', 600),
            Answer::Behind('-', 'e', 600),
            Answer::Due,
            Answer::Turned(300),
        ] {
            assert_eq!(granted(refused.clone()), (None, None), "{refused:?}");
        }
    }
}
