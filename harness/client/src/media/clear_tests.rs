//! Unprotected audio of ours, on simulated time: before ICE, before DTLS, and in a call without keys. The target answers
//! checks and sends audio back; it never speaks DTLS.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ringfence_model::RunKey;
use ringfence_wire::demux::{Kind, classify};
use ringfence_wire::stun::{Attribute, Class, Message};

use super::*;

const LOCAL: &str = "127.0.0.1:50000";
const TARGET: &str = "127.0.0.1:40000";
const PWD: &str = "0123456789012345678901";
const SAVPF: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n\
    c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcdef\r\na=ice-pwd:0123456789012345678901\r\na=setup:passive\r\na=rtcp-mux\r\n\
    a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
    a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host\r\n";
const AVP: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\nc=IN IP4 127.0.0.1\r\n";

/// What was sent to the target, and when, counted from the answer.
type Sent = Vec<(Duration, Kind)>;

/// The answer, then as much time, with a target that answers and echoes.
fn call(plan: MediaPlan, answer: &str, length: Duration) -> (MediaMachine, Vec<Event>, Sent) {
    let (local, target): (SocketAddr, SocketAddr) = (LOCAL.parse().unwrap(), TARGET.parse().unwrap());
    let begun = Instant::now();
    let mut now = begun;
    let key = RunKey::from_random([1; 32]);
    let mut machine = MediaMachine::new(now, plan, vec![local], vec![], vec![], key).unwrap();
    machine.input(now, Input::Answer(answer));
    machine.input(now, Input::SendAudio(true));
    let (mut events, mut sent) = (Vec::new(), Vec::new());
    loop {
        match machine.poll() {
            Output::Event(event) => events.push(event),
            Output::Transmit { remote, bytes, .. } => {
                assert_eq!(remote, target);
                sent.push((now - begun, classify(&bytes)));
                if let Some(reply) = reply(&bytes, local) {
                    machine.input(now, Input::Datagram { local, remote, bytes: &reply });
                }
            }
            Output::Timeout(at) if at <= begun + length => {
                now = at.max(now);
                machine.input(now, Input::Timeout);
            }
            Output::Timeout(_) | Output::Idle => return (machine, events, sent),
        }
    }
}

fn reply(datagram: &[u8], mapped: SocketAddr) -> Option<Vec<u8>> {
    if classify(datagram) == Kind::Rtp {
        return Some(datagram.to_vec());
    }
    let request = Message::parse(datagram).ok().filter(|message| message.class == Class::Request)?;
    let answer = Message::new(Class::Success, request.method, request.transaction);
    let answer = answer.with(Attribute::XorMappedAddress(mapped)).signed(PWD.as_bytes()).unwrap();
    answer.fingerprinted().unwrap().emit().ok()
}

fn first(sent: &Sent, kind: Kind) -> Option<Duration> {
    sent.iter().find(|(_, sent)| *sent == kind).map(|(at, _)| *at)
}

#[test]
fn audio_before_dtls_goes_out_on_the_checked_pair_and_holds_the_hello_back() {
    let plan = MediaPlan { audio_before: Some(AudioBefore::Dtls), setup: Setup::Active, ..MediaPlan::default() };
    let (machine, _, sent) = call(plan, SAVPF, Duration::from_secs(3));
    let (check, audio, hello) = (first(&sent, Kind::Stun), first(&sent, Kind::Rtp), first(&sent, Kind::Dtls));
    let (check, audio, hello) = (check.unwrap(), audio.unwrap(), hello.unwrap());
    assert!(check <= audio && audio + Duration::from_secs(1) == hello, "{check:?} {audio:?} {hello:?}");
    let count = sent.iter().filter(|(_, kind)| *kind == Kind::Rtp).count();
    assert_eq!(count, 50);
    let seen = machine.seen(Instant::now());
    assert_eq!((seen.media.early_echoed, seen.media.plain_received, seen.media.sent), (50, 50, 0));
}

#[test]
fn audio_before_ice_goes_out_before_the_first_check() {
    let plan = MediaPlan { audio_before: Some(AudioBefore::Ice), ..MediaPlan::default() };
    let (machine, _, sent) = call(plan, SAVPF, Duration::from_secs(3));
    assert_eq!(first(&sent, Kind::Rtp), Some(Duration::ZERO));
    assert_eq!(first(&sent, Kind::Stun), Some(Duration::from_secs(1)));
    let seen = machine.seen(Instant::now());
    assert!(seen.ice.connected);
    assert_eq!(seen.media.early_echoed, 50);
}

#[test]
fn an_honest_call_sends_nothing_in_clear() {
    let (machine, events, sent) = call(MediaPlan::default(), SAVPF, Duration::from_secs(3));
    assert!(events.contains(&Event::IceConnected) && !events.contains(&Event::InClear), "{events:?}");
    assert_eq!(first(&sent, Kind::Rtp), None);
    assert_eq!(machine.seen(Instant::now()).media.early_echoed, 0);
}

fn plain() -> MediaPlan {
    MediaPlan { profile: TransportProfile::Avp, fingerprint: FingerprintBend::Missing, ..MediaPlan::default() }
}

#[test]
fn a_call_without_keys_and_without_ice_talks_to_the_answers_address() {
    let (machine, events, sent) = call(plain(), AVP, Duration::from_secs(1));
    assert!(events.contains(&Event::InClear), "{events:?}");
    assert!(!events.iter().any(|event| matches!(event, Event::Failed(_) | Event::IceConnected)), "{events:?}");
    assert!(sent.iter().all(|(_, kind)| matches!(kind, Kind::Rtp | Kind::Rtcp)), "{sent:?}");
    let seen = machine.seen(Instant::now());
    assert!(seen.media.sent > 40 && seen.media.plain_received == seen.media.sent, "{seen:?}");
    assert!(!seen.ice.connected && seen.ice.remote_address.is_none());
    assert_eq!((seen.media.authenticated, seen.media.echoed), (0, 0));
}

#[test]
fn a_call_without_keys_waits_for_ice_where_there_is_ice() {
    let ice = "a=ice-lite\r\na=ice-ufrag:abcdef\r\na=ice-pwd:0123456789012345678901\r\n";
    let (machine, events, sent) = call(plain(), &format!("{AVP}{ice}"), Duration::from_secs(1));
    let order: Vec<_> = events.iter().filter(|event| matches!(event, Event::IceConnected | Event::InClear)).collect();
    assert_eq!(order, [&Event::IceConnected, &Event::InClear]);
    assert_eq!(sent.first().map(|(_, kind)| *kind), Some(Kind::Stun));
    let seen = machine.seen(Instant::now());
    assert!(seen.ice.connected && seen.media.plain_received > 40, "{seen:?}");
}

#[test]
fn an_answer_out_of_scope_gets_no_audio() {
    let now = Instant::now();
    let scope: Allow = std::sync::Arc::new(|_| false);
    let key = RunKey::from_random([1; 32]);
    let machine = MediaMachine::new(now, plain(), vec![LOCAL.parse().unwrap()], vec![], vec![], key);
    let mut machine = machine.unwrap().with_scope(scope);
    machine.input(now, Input::Answer(AVP));
    machine.input(now, Input::SendAudio(true));
    let outputs: Vec<_> = std::iter::from_fn(|| match machine.poll() {
        Output::Timeout(_) | Output::Idle => None,
        other => Some(other),
    })
    .collect();
    assert!(!outputs.iter().any(|output| matches!(output, Output::Transmit { .. })), "{outputs:?}");
    assert_eq!(machine.out_of_scope(), 1);
}
