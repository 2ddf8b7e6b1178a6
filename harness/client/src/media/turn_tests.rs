//! The relayed way, against a TURN server made by hand: what goes over the wire, on simulated time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ringfence_model::RunKey;
use ringfence_wire::stun::{Attribute, Class, Message, Method, long_term_key, verify_integrity};

use super::*;

const LOCAL: &str = "127.0.0.1:50000";
const SERVER: &str = "127.0.0.9:3478";
const RELAYED: &str = "127.0.0.9:49152";
/// Our end of a connection to the server.
const STREAM: &str = "127.0.0.1:41000";
const PEER: &str = "127.0.0.8:40000";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// What the server answers, RFC 8656, sections 7.2, 9 and 11, and what it would pass on to peers.
struct Server {
    signs: bool,
    grants: Option<SocketAddr>,
    /// What somebody on the way adds to a signed answer.
    adds: Option<fn(Message) -> Message>,
    permitted: Vec<SocketAddr>,
    passed_on: Vec<(SocketAddr, Vec<u8>)>,
    released: bool,
}

impl Default for Server {
    fn default() -> Self {
        let grants = Some(address(RELAYED));
        Self { signs: true, grants, adds: None, permitted: Vec::new(), passed_on: Vec::new(), released: false }
    }
}

impl Server {
    fn take(&mut self, bytes: &[u8]) -> Option<Message> {
        let message = Message::parse(bytes).unwrap();
        let answer = |class| Message::new(class, message.method, message.transaction);
        if message.class == Class::Indication {
            let peer = message.peer_addresses().next().unwrap();
            self.passed_on.push((peer, message.data().unwrap().to_vec()));
            return None;
        }
        if !message.is_signed() {
            let challenge = Attribute::ErrorCode { code: 401, reason: "Unauthorized".into() };
            let challenge = answer(Class::Error).with(challenge).with(Attribute::Realm("lab".into()));
            return Some(challenge.with(Attribute::Nonce("nonce".into())));
        }
        let key = long_term_key("user", "lab", "password");
        verify_integrity(bytes, &key).unwrap();
        let answer = self.granted(&message)?;
        let answer = if self.signs { answer.signed(&key).unwrap() } else { answer };
        Some(self.adds.map_or(answer.clone(), |adds| adds(answer)))
    }

    fn granted(&mut self, message: &Message) -> Option<Message> {
        let answer = |class| Message::new(class, message.method, message.transaction);
        match message.method {
            Method::ALLOCATE => {
                let granted = answer(Class::Success).with(Attribute::Lifetime(600));
                let granted = granted.with(Attribute::XorMappedAddress(address(LOCAL)));
                Some(match self.grants {
                    Some(relayed) => granted.with(Attribute::XorRelayedAddress(relayed)),
                    None => granted,
                })
            }
            Method::CREATE_PERMISSION => {
                self.permitted.extend(message.peer_addresses());
                Some(answer(Class::Success))
            }
            Method::REFRESH => {
                self.released = message.lifetime() == Some(0);
                Some(answer(Class::Success).with(Attribute::Lifetime(0)))
            }
            _ => Some(answer(Class::Error).with(Attribute::ErrorCode { code: 400, reason: "no channels here".into() })),
        }
    }
}

/// Runs until nothing is due before `until`; everything has to go to the server.
fn run(machine: &mut MediaMachine, server: &mut Server, now: &mut Instant, until: Instant) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..10_000 {
        match machine.poll() {
            Output::Event(event) => events.push(event),
            Output::Transmit { local, remote, bytes } => {
                assert_eq!(remote, address(SERVER), "a relayed call talks to its server only");
                if let Some(answer) = server.take(&bytes) {
                    let bytes = answer.emit().unwrap();
                    machine.input(*now, Input::Datagram { local, remote, bytes: &bytes });
                }
            }
            Output::Timeout(at) if at <= until => {
                *now = at.max(*now);
                machine.input(*now, Input::Timeout);
            }
            Output::Timeout(_) | Output::Idle => return events,
        }
    }
    panic!("the machine never rests: {events:?}");
}

fn machine(now: Instant, candidates: CandidatePolicy, transports: &[TurnTransport]) -> MediaMachine {
    let plan = MediaPlan { candidates, ..MediaPlan::default() };
    let server = |transport: &TurnTransport| TurnServer {
        address: address(SERVER),
        host: "127.0.0.9".into(),
        transport: *transport,
        username: "user".into(),
        credential: "password".into(),
    };
    let turn = transports.iter().map(server).collect();
    MediaMachine::new(now, plan, vec![address(LOCAL)], turn, vec![], RunKey::from_random([1; 32])).unwrap()
}

#[test]
fn a_relayed_call_offers_checks_and_gives_back_its_allocation() {
    relayed_call(TurnTransport::Udp);
}

#[test]
fn a_relay_is_believed_only_if_its_grant_is_signed() {
    let mut now = Instant::now();
    let mut machine = machine(now, CandidatePolicy::Relay, &[TurnTransport::Udp]);
    let mut server = Server { signs: false, ..Server::default() };
    let until = now + Duration::from_secs(5);
    let events = run(&mut machine, &mut server, &mut now, until);
    assert!(matches!(&events[..], [Event::Failed(why)] if why.starts_with("gathering: ")), "{events:?}");
}

#[test]
fn what_is_added_behind_the_signature_is_not_believed() {
    let mut now = Instant::now();
    let mut machine = machine(now, CandidatePolicy::Relay, &[TurnTransport::Udp]);
    let adds = |granted: Message| granted.with(Attribute::XorRelayedAddress(address("127.0.0.66:49152")));
    let mut server = Server { grants: None, adds: Some(adds), ..Server::default() };
    let until = now + Duration::from_secs(5);
    let events = run(&mut machine, &mut server, &mut now, until);
    assert!(matches!(&events[..], [Event::Failed(why)] if why.starts_with("gathering: ")), "{events:?}");
}

#[test]
fn a_connection_is_another_socket() {
    relayed_call(TurnTransport::Tcp);
    relayed_call(TurnTransport::Tls);
}

fn relayed_call(transport: TurnTransport) {
    let mut now = Instant::now();
    let mut machine = machine(now, CandidatePolicy::Relay, &[transport]);
    let mut server = Server::default();
    let until = now;
    let local = match transport {
        TurnTransport::Udp => address(LOCAL),
        TurnTransport::Tcp | TurnTransport::Tls => {
            assert_eq!(run(&mut machine, &mut server, &mut now, until), [], "nothing is there to be asked");
            let [(place, _)] = machine.unconnected()[..] else { panic!("no connection is wanted") };
            machine.input(now, Input::TurnConnected { place, local: address(STREAM) });
            assert!(machine.unconnected().is_empty());
            address(STREAM)
        }
    };
    let events = run(&mut machine, &mut server, &mut now, until);
    let [Event::Offer(offer)] = &events[..] else { panic!("{events:?}") };
    assert!(offer.contains("127.0.0.9 49152 typ relay") && !offer.contains("typ host"), "{offer}");
    assert!(offer.contains(&format!("raddr {} rport {}", local.ip(), local.port())), "{offer}");
    assert!(offer.contains("m=audio 49152 "), "the default candidate is the relayed one: {offer}");

    machine.input(
        now,
        Input::Answer(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 40000 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 127.0.0.8\r\n\
             a=ice-ufrag:abcdef\r\na=ice-pwd:0123456789012345678901\r\na=setup:active\r\na=fingerprint:sha-256 00:11\r\n\
             a=candidate:1 1 udp 2130706431 127.0.0.8 40000 typ host\r\n",
        ),
    );
    let until = now + Duration::from_secs(1);
    run(&mut machine, &mut server, &mut now, until);
    assert_eq!(server.permitted, [address(PEER)]);
    let (peer, check) = server.passed_on.first().expect("a check went through the relay");
    let check_message = Message::parse(check).unwrap();
    assert_eq!((*peer, check_message.method), (address(PEER), Method::BINDING));
    assert!(check_message.username().is_some_and(|name| name.starts_with("abcdef:")));

    // The peer answers through the relay: the pair is selected, and evidence says by which kind of candidate.
    let success = |request: &[u8]| {
        let request = Message::parse(request).unwrap();
        let answer = Message::new(Class::Success, Method::BINDING, request.transaction);
        let answer = answer.with(Attribute::XorMappedAddress(address(RELAYED)));
        let answer = answer.signed(b"0123456789012345678901").unwrap().fingerprinted().unwrap();
        let data = Message::new(Class::Indication, Method::DATA, [9; 12]);
        let data = data.with(Attribute::XorPeerAddress(address(PEER))).with(Attribute::Data(answer.emit().unwrap()));
        data.emit().unwrap()
    };
    let mut events = Vec::new();
    for _ in 0..5 {
        for (_, request) in std::mem::take(&mut server.passed_on) {
            let bytes = success(&request);
            machine.input(now, Input::Datagram { local, remote: address(SERVER), bytes: &bytes });
        }
        let until = now + Duration::from_millis(50);
        events.extend(run(&mut machine, &mut server, &mut now, until));
    }
    assert!(events.contains(&Event::IceConnected), "{events:?}");
    let seen = machine.seen(now);
    assert_eq!(seen.ice.local_type.as_deref(), Some("relay"));
    assert_eq!(seen.ice.remote_address, Some(PEER.into()));
    assert!(seen.datagrams_received > 0, "what peers sent through the relay is the target's");

    if transport == TurnTransport::Tls {
        machine.input(now, Input::TurnLost { place: 0, why: "it closed" });
        let until = now + Duration::from_millis(50);
        assert_eq!(run(&mut machine, &mut server, &mut now, until), [Event::Failed("turn: it closed".into())]);
        return;
    }
    machine.input(now, Input::Close);
    let until = now;
    run(&mut machine, &mut server, &mut now, until);
    assert!(server.released);
}

#[test]
fn a_lost_connection_ends_a_call_that_stands_on_it_and_no_other() {
    let mut now = Instant::now();
    let mut machine = machine(now, CandidatePolicy::All, &[TurnTransport::Tcp]);
    let mut server = Server::default();
    machine.input(now, Input::TurnConnected { place: 0, local: address(STREAM) });
    let until = now;
    assert!(matches!(run(&mut machine, &mut server, &mut now, until)[..], [Event::Offer(_)]));
    machine.input(now, Input::TurnLost { place: 0, why: "the server closed the connection" });
    assert_eq!(run(&mut machine, &mut server, &mut now, until), [], "no pair is selected");
    machine.input(now, Input::TurnLost { place: 9, why: "no such server" });
    assert_eq!(run(&mut machine, &mut server, &mut now, until), []);
}

#[test]
fn a_connection_that_cannot_be_made_is_named() {
    let mut now = Instant::now();
    let mut machine = machine(now, CandidatePolicy::Relay, &[TurnTransport::Tls]);
    machine.input(now, Input::TurnLost { place: 0, why: "TLS handshake with 127.0.0.9: unknown issuer" });
    let until = now;
    let events = run(&mut machine, &mut Server::default(), &mut now, until);
    assert_eq!(events, [Event::Failed("gathering: TLS handshake with 127.0.0.9: unknown issuer".into())]);
}

#[test]
fn slow_connections_hold_an_offer_up_for_a_moment_once_udp_has_worked() {
    let mut now = Instant::now();
    let began = now;
    let mut machine = machine(now, CandidatePolicy::Relay, &[TurnTransport::Udp, TurnTransport::Tcp]);
    let mut server = Server::default();
    let until = now + Duration::from_millis(400);
    assert_eq!(run(&mut machine, &mut server, &mut now, until), []);
    let until = began + Duration::from_secs(1);
    let events = run(&mut machine, &mut server, &mut now, until);
    assert!(matches!(&events[..], [Event::Offer(offer)] if offer.contains("typ relay")), "{events:?}");
}

#[test]
fn the_worse_the_way_to_the_relay_the_lower_the_candidate() {
    let mut ice = ice::Ice::new(rtc_crypto::default_provider().unwrap()).unwrap();
    let transports = [TurnTransport::Tls, TurnTransport::Tcp, TurnTransport::Udp];
    for (port, transport) in (1..).zip(transports) {
        ice.add_local(ice::Kind::Relayed(transport), ([127, 0, 0, 9], port).into(), address(LOCAL));
    }
    let lines = ice.local_lines();
    let priorities = lines.iter().map(|line| line.split(' ').nth(3).unwrap().parse::<u32>().unwrap());
    assert!(priorities.clone().is_sorted() && priorities.max() < Some(1 << 24), "{lines:?}");
    assert_eq!(ice.default_address(), Some(([127, 0, 0, 9], 3).into()));
}
