//! `rtc-turn`'s own client, as ringfence drives it (`harness/client/src/media/relay.rs`), but without the check that stands there in front of
//! it. RFC 8489, section 9.2.5: who has sent credentials discards an answer that is not signed with them.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use ringfence_wire::stun::{Attribute, Class, Message, Method, long_term_key, verify_integrity};
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc_turn::client::{Client, ClientConfig, Event};
use sansio::Protocol as _;

const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 9)), 3478);
const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 50_000);
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 8)), 40_000);
const TRANSACTION: std::ops::Range<usize> = 8..20; // RFC 8489, section 5

/// A client that asks for an allocation.
struct Asking {
    client: Client,
    now: Instant,
}

impl Asking {
    /// One that was challenged, and has just sent its credentials.
    fn with_credentials() -> (Self, Message) {
        let config = ClientConfig {
            turn_serv_addr: SERVER.to_string(),
            local_addr: LOCAL,
            username: "user".into(),
            password: "password".into(),
            ..ClientConfig::default()
        };
        let provider = rtc_crypto::default_provider().expect("it has one");
        let mut asking = Self { client: Client::new(config, provider).expect("a client"), now: Instant::now() };
        asking.client.allocate(asking.now).expect("it asks");
        let (first, _) = asking.sent();
        let challenge = Message::new(Class::Error, Method::ALLOCATE, first.transaction)
            .with(Attribute::ErrorCode { code: 401, reason: "Unauthorized".into() })
            .with(Attribute::Realm("lab".into()))
            .with(Attribute::Nonce("n".into()));
        asking.hears(&challenge.emit().expect("a challenge"));
        let (request, bytes) = asking.sent();
        assert_eq!(verify_integrity(&bytes, &key()), Ok(()), "it sends its credentials");
        (asking, request)
    }

    fn sent(&mut self) -> (Message, Vec<u8>) {
        let bytes = self.client.poll_write().expect("a request").message.to_vec();
        (Message::parse(&bytes).expect("STUN"), bytes)
    }

    fn hears(&mut self, bytes: &[u8]) {
        let transport = TransportContext {
            local_addr: LOCAL,
            peer_addr: SERVER,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = TaggedBytesMut { now: self.now, transport, message: BytesMut::from(bytes) };
        self.client.handle_read(message).expect("it takes it");
    }

    /// Tells it this answer to that request, which has to be one that nobody may believe.
    fn hears_unsigned(&mut self, answer: &[u8], request: &Message) {
        let mut answer = answer.to_vec();
        answer[TRANSACTION].copy_from_slice(&request.transaction);
        assert!(verify_integrity(&answer, &key()).is_err(), "the input is signed with the right key");
        self.hears(&answer);
    }

    /// The relayed address that it believes.
    fn relayed(&mut self) -> Option<SocketAddr> {
        match self.client.poll_event()? {
            Event::AllocateResponse(_, relayed) => Some(relayed),
            _ => None,
        }
    }
}

fn key() -> Vec<u8> {
    long_term_key("user", "lab", "password").to_vec()
}

/// An Allocate success without MESSAGE-INTEGRITY, or with one of another password: an address that somebody on the way chose.
pub fn a_grant_is_believed(grant: &[u8]) {
    let (mut asking, request) = Asking::with_credentials();
    asking.hears_unsigned(grant, &request);
    assert_eq!(asking.relayed(), Some(SocketAddr::from(([192, 0, 2, 66], 49_152))));
}

/// A CreatePermission success without MESSAGE-INTEGRITY, behind a grant that is signed as it has to be.
pub fn a_permission_is_believed(permission: &[u8]) {
    let (mut asking, request) = Asking::with_credentials();
    let granted = SocketAddr::from(([192, 0, 2, 1], 49_152));
    let grant = Message::new(Class::Success, Method::ALLOCATE, request.transaction)
        .with(Attribute::XorRelayedAddress(granted))
        .with(Attribute::Lifetime(600));
    asking.hears(&grant.signed(&key()).and_then(|grant| grant.emit()).expect("a grant"));
    assert_eq!(asking.relayed(), Some(granted));
    asking.client.relay(granted).and_then(|mut relay| relay.create_permission(asking.now, PEER)).expect("it asks");
    let (request, _) = asking.sent();
    asking.hears_unsigned(permission, &request);
    let told = asking.client.poll_event();
    assert!(matches!(told, Some(Event::CreatePermissionResponse(_, PEER))), "{told:?}");
}
