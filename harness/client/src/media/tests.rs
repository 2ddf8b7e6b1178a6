//! The machine on simulated time, without a target or with a hostile one. Calls that work are tested against the lab, in
//! `runner/tests/media_pair.rs`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_model::RunKey;
use ringfence_wire::demux::{Kind, classify};
use ringfence_wire::sdp::Description;
use ringfence_wire::stun::{Attribute, Class, Message};

use super::audio::Random;
use super::*;

const LOCAL: &str = "127.0.0.1:50000";
const SERVER: &str = "127.0.0.9:3478";
const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n\
    c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcdef\r\na=ice-pwd:0123456789012345678901\r\na=setup:passive\r\na=rtcp-mux\r\n\
    a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
    a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host\r\n\
    a=candidate:2 1 udp 2130706430 192.0.2.66 40000 typ host\r\n";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn machine(now: Instant, plan: MediaPlan, turn: Vec<TurnServer>, stun: Vec<SocketAddr>) -> MediaMachine {
    MediaMachine::new(now, plan, vec![address(LOCAL)], turn, stun, RunKey::from_random([1; 32])).unwrap()
}

/// Runs timers until `limit` or until nothing is due; returns events and transmissions.
fn run(machine: &mut MediaMachine, now: &mut Instant, limit: Duration) -> (Vec<Event>, Vec<(SocketAddr, Vec<u8>)>) {
    let until = *now + limit;
    let (mut events, mut sent) = (Vec::new(), Vec::new());
    for _ in 0..100_000 {
        match machine.poll() {
            Output::Event(event) => events.push(event),
            Output::Transmit { remote, bytes, .. } => sent.push((remote, bytes)),
            Output::Timeout(at) if at <= until => {
                *now = at.max(*now);
                machine.input(*now, Input::Timeout);
            }
            Output::Timeout(_) | Output::Idle => return (events, sent),
        }
    }
    panic!("the machine never rests: {events:?}");
}

#[test]
fn a_host_offer_needs_no_server() {
    let mut now = Instant::now();
    let mut machine = machine(now, MediaPlan::default(), vec![], vec![]);
    let (events, sent) = run(&mut machine, &mut now, Duration::ZERO);
    let [Event::Offer(text)] = &events[..] else { panic!("{events:?}") };
    let offer = Description::parse(text.as_bytes()).unwrap();
    let candidates: Vec<_> = offer.section(0).unwrap().candidates().flatten().collect();
    assert_eq!((candidates.len(), candidates[0].port, candidates[0].kind.as_str()), (1, 50_000, "host"));
    assert!(sent.is_empty());
}

#[test]
fn a_stun_server_gives_a_reflexive_candidate() {
    let mut now = Instant::now();
    let mut machine = machine(now, MediaPlan::default(), vec![], vec![address(SERVER)]);
    let (events, sent) = run(&mut machine, &mut now, Duration::ZERO);
    assert!(events.is_empty(), "the offer waits for the server");
    let request = Message::parse(&sent[0].1).unwrap();
    let mapped = address("203.0.113.5:1234");
    let answer =
        Message::new(Class::Success, request.method, request.transaction).with(Attribute::XorMappedAddress(mapped));
    let bytes = answer.emit().unwrap();
    machine.input(now, Input::Datagram { local: address(LOCAL), remote: address(SERVER), bytes: &bytes });
    let (events, _) = run(&mut machine, &mut now, Duration::ZERO);
    let [Event::Offer(text)] = &events[..] else { panic!("{events:?}") };
    assert!(text.contains("203.0.113.5 1234 typ srflx raddr 127.0.0.1 rport 50000"), "{text}");
    // The answer to a request that was repeated comes twice.
    machine.input(now, Input::Datagram { local: address(LOCAL), remote: address(SERVER), bytes: &bytes });
    assert_eq!(machine.seen(now).datagrams_received, 0, "servers are not the target");
}

#[test]
fn silent_servers_cost_bounded_time() {
    let mut now = Instant::now();
    let began = now;
    let turn = TurnServer {
        address: address(SERVER),
        host: "127.0.0.9".into(),
        transport: TurnTransport::Udp,
        username: "u".into(),
        credential: "p".into(),
    };
    let mut all = machine(now, MediaPlan::default(), vec![turn.clone()], vec![address("127.0.0.9:3479")]);
    let (events, _) = run(&mut all, &mut now, Duration::from_secs(60));
    assert!(matches!(&events[..], [Event::Offer(_)]), "{events:?}");

    let mut now = began;
    let plan = MediaPlan { candidates: CandidatePolicy::Relay, ..MediaPlan::default() };
    let mut relay = machine(now, plan, vec![turn], vec![]);
    let (events, _) = run(&mut relay, &mut now, Duration::from_secs(5));
    assert!(matches!(&events[..], [Event::Failed(why)] if why.starts_with("gathering: ")), "{events:?}");
}

#[test]
fn only_candidates_in_scope_are_probed() {
    let mut now = Instant::now();
    let scope: Allow = Arc::new(|address| address.ip().is_loopback());
    let mut machine = machine(now, MediaPlan::default(), vec![], vec![]).with_scope(scope);
    machine.input(now, Input::Answer(ANSWER));
    let (events, sent) = run(&mut machine, &mut now, Duration::from_secs(30));
    assert!(!sent.is_empty() && sent.iter().all(|(remote, _)| *remote == address("127.0.0.1:40000")));
    assert_eq!(machine.out_of_scope(), 1);
    assert_eq!(events[1..], [Event::Failed("ice: no candidate pair answered".into())]);
    let seen = machine.seen(now);
    assert!(seen.sdp.ice_lite && seen.sdp.media_accepted && !seen.ice.connected);
    assert_eq!((seen.ice.ufrag_length, seen.ice.pwd_length, seen.dtls.role.as_deref()), (6, 22, Some("client")));
}

#[test]
fn answers_without_what_a_call_needs_say_so() {
    let case = |answer: &str, reason: &str| {
        let now = Instant::now();
        let mut machine = machine(now, MediaPlan::default(), vec![], vec![]);
        machine.input(now, Input::Answer(answer));
        let (events, _) = run(&mut machine, &mut now.clone(), Duration::ZERO);
        assert!(matches!(events.last(), Some(Event::Failed(why)) if why == reason), "{events:?}");
    };
    case("nonsense", "answer: SDP version is not valid");
    case(&ANSWER.replace("audio 9", "audio 0"), "answer: the audio section is refused");
    case(&ANSWER.replace("a=ice-pwd", "a=x"), "ice: the answer has no ice-ufrag and ice-pwd");
    case(&ANSWER.replace("a=fingerprint", "a=x"), "dtls: the answer has no fingerprint");
}

#[test]
fn plain_audio_of_a_target_without_keys_is_counted_as_plain() {
    let now = Instant::now();
    let mut machine = machine(now, MediaPlan::default(), vec![], vec![]);
    let rtp = [&[0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 7][..], &[0x55; 33]].concat();
    let remote = address("127.0.0.1:40000");
    machine.input(now, Input::Datagram { local: address(LOCAL), remote, bytes: &rtp });
    assert_eq!(machine.seen(now).media.received, 1);
    machine.input(now, Input::Answer(&ANSWER.replace("a=fingerprint", "a=x").replace("UDP/TLS/RTP/SAVPF", "RTP/AVP")));
    machine.input(now, Input::Datagram { local: address(LOCAL), remote, bytes: &rtp });
    let seen = machine.seen(now);
    assert_eq!((seen.media.received, seen.media.plain_received, seen.media.authenticated), (2, 2, 0));
    assert_eq!(seen.media.ssrcs, [7]);
}

#[test]
fn noise_neither_panics_nor_grows() {
    let mut now = Instant::now();
    let mut machine = machine(now, MediaPlan::default(), vec![], vec![]);
    let mut random = Random::new(3);
    for round in 0..20_000 {
        if round == 5_000 {
            machine.input(now, Input::Answer(ANSWER));
        }
        let length = (random.next() % 200) as usize;
        let mut bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        if let Some(first) = bytes.first_mut() {
            *first = [0, 1, 22, 64, 128, 129][(random.next() % 6) as usize]; // STUN, DTLS, TURN, RTP
        }
        machine
            .input(now, Input::Datagram { local: address(LOCAL), remote: address("127.0.0.1:40000"), bytes: &bytes });
        while matches!(machine.poll(), Output::Transmit { .. } | Output::Event(_)) {}
    }
    assert_eq!(machine.seen(now).media.authenticated, 0);
    machine.input(now, Input::Attack { attack: Attack::new(AttackKind::NoTag, 5, 5), stranger: None });
    machine.input(now, Input::Close);
    let (events, sent) = run(&mut machine, &mut now, Duration::from_secs(60));
    assert_eq!(events, [Event::AttackDone(AttackSeen::default())]);
    assert!(sent.iter().all(|(_, bytes)| classify(bytes) == Kind::Stun));
    assert_eq!(machine.poll(), Output::Idle);
}

/// STUN whose frame is right and whose attributes are not: of the target, and of both kinds of server.
#[test]
fn malformed_stun_neither_panics_nor_counts() {
    let mut now = Instant::now();
    let turn = TurnServer {
        address: address(SERVER),
        host: "127.0.0.9".into(),
        transport: TurnTransport::Udp,
        username: "u".into(),
        credential: "p".into(),
    };
    let stun = address("127.0.0.9:3479");
    let mut machine = machine(now, MediaPlan::default(), vec![turn], vec![stun]);
    let mut random = Random::new(5);
    let kinds =
        [1u16, 6, 8, 9, 0x0c, 0x0d, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x20, 0x24, 0x25, 0x8028, 0x8029, 0x802a];
    let mut transactions = Vec::new();
    for round in 0..20_000 {
        if round == 5_000 {
            machine.input(now, Input::Answer(ANSWER));
        }
        let mut body = Vec::new();
        for _ in 0..random.next() % 4 {
            let kind = kinds[(random.next() as usize) % kinds.len()];
            let length = (random.next() % 25) as u16;
            body.extend([kind.to_be_bytes(), length.to_be_bytes()].concat());
            body.extend((0..length.next_multiple_of(4)).map(|_| random.next() as u8));
        }
        // Requests, indications and answers of Binding and of TURN's methods, some to what was really asked.
        let class = [0x000u16, 0x010, 0x100, 0x110][(random.next() % 4) as usize];
        let kind = class | [1u16, 3, 4, 7, 8, 9][(random.next() % 6) as usize];
        let transaction = match transactions.len() {
            0 => [7; 12],
            known if random.next().is_multiple_of(2) => transactions[(random.next() as usize) % known],
            _ => [random.next() as u8; 12],
        };
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        let bytes = [&kind.to_be_bytes()[..], &length, &[0x21, 0x12, 0xa4, 0x42], &transaction, &body].concat();
        let remote = [address("127.0.0.1:40000"), address(SERVER), stun][(random.next() % 3) as usize];
        machine.input(now, Input::Datagram { local: address(LOCAL), remote, bytes: &bytes });
        loop {
            match machine.poll() {
                Output::Transmit { bytes, .. } => {
                    transactions.extend(Message::parse(&bytes).map(|message| message.transaction));
                    let excess = transactions.len().saturating_sub(8);
                    transactions.drain(..excess);
                }
                Output::Event(_) => {}
                Output::Timeout(_) | Output::Idle => break,
            }
        }
        now += Duration::from_micros(300);
        machine.input(now, Input::Timeout);
    }
    let seen = machine.seen(now);
    assert!(!seen.ice.connected && seen.ice.local_type.is_none());
    machine.input(now, Input::Close);
    run(&mut machine, &mut now, Duration::from_secs(60));
    assert_eq!(machine.poll(), Output::Idle);
}

#[test]
fn a_plan_that_cannot_work_is_refused() {
    let now = Instant::now();
    let build = |plan, locals| MediaMachine::new(now, plan, locals, vec![], vec![], RunKey::from_random([1; 32]));
    let none = MediaPlan { srtp_profiles: vec![], ..MediaPlan::default() };
    assert!(build(none, vec![address(LOCAL)]).is_err());
    assert!(build(MediaPlan { codecs: vec![], ..MediaPlan::default() }, vec![address(LOCAL)]).is_err());
    assert!(build(MediaPlan::default(), vec![]).is_err());
}
