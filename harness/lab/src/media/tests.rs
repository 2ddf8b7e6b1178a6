//! The whole machine against a caller of other making: on simulated time, and once over real sockets.

mod bent;
mod peer;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use peer::{Peer, SHA256_OF_NOTHING};
use ringfence_srtp::{MasterKey, Profile};
use ringfence_wire::rtcp::{self, Chunk};
use ringfence_wire::sdp::Description;
use tokio::net::UdpSocket;

use super::identity::Identity;
use super::machine::{Machine, Output};
use super::offer::Offer;
use super::{Answered, Ended, MediaSettings, answer};
use crate::fault::{Fault, Faults};

/// A caller and a callee on simulated time and a network without loss.
struct Call {
    machine: Machine,
    peer: Peer,
    answer: String,
    callee: SocketAddr,
    faults: Arc<Faults>,
    start: Instant,
    now: Instant,
    ended: Option<Ended>,
}

impl Call {
    fn new(fault: Option<Fault>, offer: impl FnOnce(&Peer) -> String) -> Self {
        Self::at(Instant::now(), fault, offer)
    }

    fn at(now: Instant, fault: Option<Fault>, offer: impl FnOnce(&Peer) -> String) -> Self {
        let callee = SocketAddr::from(([127, 0, 0, 1], 7000));
        let mut peer = Peer::new(SocketAddr::from(([127, 0, 0, 1], 6000)));
        let faults = Arc::new(Faults::new(fault));
        let offer = Offer::read(&offer(&peer), callee.ip(), &faults).ok().unwrap();
        let identity = Identity::fresh(&Faults::default()).unwrap();
        let answer = super::answer::write(&offer, &identity, callee);
        let machine = Machine::new(offer, identity, callee, faults.clone(), now, SystemTime::now()).unwrap();
        peer.accept(&answer, now);
        Self { machine, peer, answer, callee, faults, start: now, now, ended: None }
    }

    fn dtls(fault: Option<Fault>, setup: &str) -> Self {
        Self::new(fault, |peer| peer.dtls_offer(setup))
    }

    /// Announces the certificate of somebody else.
    fn mismatched(fault: Option<Fault>, setup: &str) -> Self {
        let lines = format!("a=setup:{setup}\r\na=fingerprint:{SHA256_OF_NOTHING}\r\n");
        Self::new(fault, |peer| peer.offer("UDP/TLS/RTP/SAVPF", &lines))
    }

    fn connected(mut self) -> Self {
        self.run(Duration::from_secs(1), |call| call.peer.contexts.is_some() && call.machine.stats().connected);
        assert!(self.machine.stats().connected && self.ended.is_none(), "{:?}", self.ended);
        self
    }

    /// Carries datagrams until `done`, the end, or until that much time has passed.
    fn run(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) {
        let until = self.now + limit;
        loop {
            let mut next = until;
            let mut moved = false;
            loop {
                match self.machine.poll() {
                    Output::Transmit(to, datagram) => {
                        assert_eq!(to, self.peer.local);
                        self.peer.input(self.now, self.callee, &datagram);
                        moved = true;
                    }
                    Output::Timeout(at) => break next = next.min(at),
                    Output::Ended(ended) => break self.ended = Some(ended),
                }
            }
            let (datagrams, at) = self.peer.poll();
            for (to, datagram) in datagrams {
                assert_eq!(to, self.callee);
                self.machine.input(self.now, self.peer.local, &datagram);
                moved = true;
            }
            if done(self) || self.ended.is_some() || self.now >= until {
                return;
            }
            if !moved {
                self.now = next.min(at.unwrap_or(next)).max(self.now + Duration::from_millis(1));
                self.machine.timeout(self.now);
                self.peer.timeout(self.now);
            }
        }
    }

    fn send(&mut self, datagram: &[u8]) {
        self.machine.input(self.now, self.peer.local, datagram);
        self.run(Duration::ZERO, |_| false);
    }

    /// What came back for one good packet.
    fn echo_of(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let packet = self.peer.protected(payload);
        let before = self.peer.heard.len();
        self.send(&packet);
        self.peer.heard.get(before).map(|heard| heard.payload.clone())
    }
}

#[test]
fn audio_comes_back_in_either_role() {
    for (setup, answered) in [("active", "passive"), ("actpass", "passive"), ("passive", "active")] {
        let mut call = Call::dtls(None, setup).connected();
        let took = call.now - call.start;
        assert!(took < Duration::from_millis(100), "{setup}: {took:?}");
        for payload in [b"one".as_slice(), b"two", b"three"] {
            assert_eq!(call.echo_of(payload).as_deref(), Some(payload), "{setup}");
        }

        let answer = Description::parse(call.answer.as_bytes()).unwrap();
        let audio = answer.section(0).unwrap();
        assert_eq!(audio.setup().unwrap().unwrap().as_str(), answered);
        let (ssrc, cname) = audio.cname().unwrap();
        let numbers: Vec<u16> = call.peer.heard.iter().map(|heard| heard.sequence).collect();
        assert_eq!(numbers, [numbers[0], numbers[0] + 1, numbers[0] + 2]);
        let heard = call.peer.heard.clone();
        assert!(heard.iter().all(|heard| heard.ssrc == ssrc && heard.payload_type == 0));
        assert_eq!(heard[1].timestamp.wrapping_sub(heard[0].timestamp), 160);

        call.run(Duration::from_millis(1500), |call| call.peer.reports.len() == 2);
        let [first, second] = &call.peer.reports[..] else { panic!("{:?}", call.peer.reports) };
        assert!(matches!(first[0], rtcp::Packet::ReceiverReport { .. }));
        let rtcp::Packet::SenderReport { packets: 3, octets: 11, reports, .. } = &second[0] else {
            panic!("{second:?}");
        };
        assert_eq!((reports[0].ssrc, reports[0].highest_sequence, reports[0].lost), (0xcafe, 3, 0));
        assert_eq!(second[1], rtcp::Packet::SourceDescription(vec![Chunk::cname(ssrc, cname)]));
        assert!(call.peer.strange.is_empty(), "something came in the clear");
        let stats = call.machine.stats();
        assert_eq!((stats.authenticated, stats.echoed, stats.unauthenticated), (3, 3, 0));
    }
}

#[test]
fn a_healthy_call_meets_only_the_faults_that_it_could_show() {
    let call = Call::dtls(None, "active").connected();
    let met = [Fault::Aes256Ignored, Fault::DtlsRandomFixed, Fault::ClearPacketsSent];
    assert_eq!(call.faults.met(), BTreeSet::from(met));
    let call = Call::dtls(None, "passive").connected();
    assert_eq!(call.faults.met(), BTreeSet::from([Fault::ClearPacketsSent]));
}

#[test]
fn a_certificate_that_was_not_announced_ends_the_call_in_either_role() {
    for setup in ["active", "passive"] {
        let mut call = Call::mismatched(None, setup);
        call.run(Duration::from_secs(1), |_| false);
        assert_eq!(call.ended, Some(Ended::FingerprintMismatch), "{setup}");
        assert!(!call.peer.connected && call.peer.contexts.is_none(), "{setup}");
        assert!(call.peer.failed.as_ref().unwrap().contains("42"), "{:?}", call.peer.failed);
        assert!(call.peer.reports.is_empty() && call.peer.strange.is_empty());
    }
}

#[test]
fn fault_fingerprint_unchecked_as_server() {
    let fault = Some(Fault::FingerprintUncheckedAsServer);
    let mut call = Call::mismatched(fault, "active").connected();
    assert_eq!(call.echo_of(b"stranger").as_deref(), Some(&b"stranger"[..]));
    let mut call = Call::mismatched(fault, "passive");
    call.run(Duration::from_secs(1), |_| false);
    assert_eq!(call.ended, Some(Ended::FingerprintMismatch), "as client it still compares");
}

#[test]
fn fault_answers_sdes() {
    let key: Vec<u8> = (0..30).collect();
    let line = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}\r\n", STANDARD.encode(&key));
    for profile in ["RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVPF"] {
        let lines = format!("{line}a=setup:actpass\r\na=fingerprint:{SHA256_OF_NOTHING}\r\n");
        let mut call = Call::new(Some(Fault::AnswersSdes), |peer| peer.offer(profile, &lines));
        let answer = Description::parse(call.answer.as_bytes()).unwrap();
        let audio = answer.section(0).unwrap();
        assert_eq!(audio.media().unwrap().profile, profile);
        assert!(audio.fingerprints().next().is_none() && audio.setup().is_none());
        let theirs = STANDARD.decode(audio.crypto().next().unwrap().unwrap().key_base64().unwrap()).unwrap();
        let master = |bytes: &[u8]| MasterKey::new(Profile::AesCm128HmacSha1_80, &bytes[..16], &bytes[16..]).unwrap();
        call.peer.use_keys(&master(&theirs), &master(&key));
        call.run(Duration::from_secs(1), |call| call.machine.stats().connected && call.peer.path.is_some());
        assert_eq!(call.echo_of(b"sdes").as_deref(), Some(&b"sdes"[..]), "{profile}");
        assert_eq!(call.peer.reports.len(), 1);
    }
}

#[test]
fn fault_clear_packets_sent() {
    let mut call = Call::dtls(Some(Fault::ClearPacketsSent), "active").connected();
    call.run(Duration::from_millis(2500), |_| false);
    assert_eq!(call.peer.strange.len(), 6, "one of each kind at once and every second");
    let (rtcp, rtp): (Vec<_>, Vec<_>) = call.peer.strange.iter().partition(|packet| packet[1] == 201);
    assert_eq!((rtcp.len(), rtp.len()), (3, 3));
    for packet in rtp {
        let packet = ringfence_wire::rtp::Packet::parse(packet).unwrap();
        assert_eq!((packet.header.payload_type, packet.payload), (0, &[0xff; 160][..]));
    }
    assert!(rtcp.iter().all(|packet| rtcp::parse(packet).is_ok()));
    assert_eq!(call.peer.reports.len(), 3, "the protected ones still come");
    assert_eq!(call.echo_of(b"after").as_deref(), Some(&b"after"[..]));
}

#[test]
fn fault_dtls_random_fixed() {
    // Seconds apart: the time of day is part of the random too.
    let moments = [0, 5].map(|s| Instant::now() + Duration::from_secs(s));
    let two = |fault| moments.map(|now| Call::at(now, fault, |peer| peer.dtls_offer("active")).connected().peer);
    let [a, b] = two(None);
    assert_ne!(a.server_random.unwrap(), b.server_random.unwrap());
    let [a, b] = two(Some(Fault::DtlsRandomFixed));
    assert_eq!(a.server_random.unwrap(), b.server_random.unwrap());
    assert_ne!(a.certificate_seen.unwrap(), b.certificate_seen.unwrap());
    assert_ne!(a.keys, b.keys);
}

/// One packet with a flipped tag bit, one without its tag, one under a foreign key.
fn forgeries(call: &mut Call) -> [Vec<u8>; 3] {
    let mut flipped = call.peer.protected(b"flipped tag");
    *flipped.last_mut().unwrap() ^= 1;
    let mut cut = call.peer.protected(b"no tag");
    cut.truncate(cut.len() - 16);
    let mut foreign = call.peer.packet(b"foreign key");
    let key = MasterKey::new(Profile::AeadAes256Gcm, &[1; 32], &[2; 12]).unwrap();
    ringfence_srtp::Context::new(&key).protect_rtp(&mut foreign).unwrap();
    [flipped, cut, foreign]
}

#[test]
fn what_does_not_authenticate_or_comes_again_is_dropped() {
    let mut call = Call::dtls(None, "active").connected();
    assert!(call.echo_of(b"before").is_some());
    for forgery in forgeries(&mut call) {
        call.send(&forgery);
    }
    let good = call.peer.protected(b"once");
    call.send(&good);
    call.send(&good);
    assert_eq!(call.peer.heard.len(), 2);
    let stats = call.machine.stats();
    assert_eq!((stats.echoed, stats.unauthenticated, stats.replayed), (2, 3, 1));
    assert!(call.faults.met().contains(&Fault::SrtpTagIgnored));
}

#[test]
fn fault_srtp_tag_ignored() {
    let mut call = Call::dtls(Some(Fault::SrtpTagIgnored), "active").connected();
    assert!(call.echo_of(b"before").is_some());
    let forged = forgeries(&mut call);
    for forgery in &forged {
        call.send(forgery);
    }
    let heard: Vec<&[u8]> = call.peer.heard.iter().map(|heard| heard.payload.as_slice()).collect();
    assert_eq!((heard.len(), heard[1]), (4, &b"flipped tag"[..]));
    // The replay state knows nothing of them: each may come again, and good ones still go through.
    call.send(&forged[0]);
    assert_eq!(call.peer.heard.len(), 5);
    assert_eq!(call.echo_of(b"after").as_deref(), Some(&b"after"[..]));
    assert_eq!(call.machine.stats().authenticated, 2);
}

#[test]
fn goodbyes_are_heard_on_both_sides() {
    let mut call = Call::dtls(None, "active").connected();
    call.peer.hang_up();
    call.run(Duration::from_secs(1), |_| false);
    assert_eq!(call.ended, Some(Ended::PeerClosed));

    let mut call = Call::dtls(None, "passive").connected();
    call.machine.stop();
    call.run(Duration::from_secs(1), |_| false);
    assert_eq!(call.ended, Some(Ended::Stopped));
    assert!(call.peer.closed);
}

#[test]
fn a_caller_that_never_shakes_hands_is_given_up() {
    let mut call = Call::dtls(None, "active");
    call.peer.mute_dtls = true;
    call.run(Duration::from_secs(60), |_| false);
    assert!(matches!(call.ended, Some(Ended::DtlsFailed(_))), "{:?}", call.ended);
    assert!(call.now - call.start < Duration::from_secs(20));

    let mut alone = Call::dtls(None, "active");
    alone.callee = SocketAddr::from(([127, 0, 0, 1], 1));
    while alone.ended.is_none() {
        match alone.machine.poll() {
            Output::Transmit(..) => {}
            Output::Timeout(at) => {
                alone.now = at.max(alone.now + Duration::from_millis(1));
                alone.machine.timeout(alone.now);
            }
            Output::Ended(ended) => alone.ended = Some(ended),
        }
    }
    assert_eq!(alone.ended, Some(Ended::IceFailed));
    assert!(alone.now - alone.start < Duration::from_secs(20));
}

#[test]
fn garbage_is_survived_before_and_after_the_handshake() {
    let mut call = Call::dtls(None, "active");
    let mut state = 1_u32; // a linear congruence is random enough, and the same each time
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut spray = |call: &mut Call| {
        for round in 0..2000 {
            let mut datagram: Vec<u8> = (0..random()).map(|_| random()).collect();
            // Half of it looks like something: STUN with its cookie, a DTLS record, RTP, RTCP.
            let heads: [&[u8]; 5] =
                [&[0, 1, 0, 60, 0x21, 0x12, 0xa4, 0x42], &[22, 0xfe, 0xfd, 0, 0, 0, 0], &[0x80, 0], &[0x80, 200], &[]];
            datagram.splice(0..0, heads[round % heads.len()].iter().copied());
            let stranger = SocketAddr::from(([127, 0, 0, 1], 9));
            let from = if round % 2 == 0 { call.peer.local } else { stranger };
            call.machine.input(call.now, from, &datagram);
        }
    };
    spray(&mut call);
    let mut call = call.connected();
    spray(&mut call);
    assert_eq!(call.echo_of(b"still here").as_deref(), Some(&b"still here"[..]));
    assert_eq!(call.machine.stats().echoed, 1);
}

/// The peer on a real socket until `done`.
async fn drive(peer: &mut Peer, socket: &UdpSocket, done: impl Fn(&Peer) -> bool) {
    let mut buffer = vec![0; 4096];
    while !done(peer) {
        let (datagrams, at) = peer.poll();
        for (to, datagram) in datagrams {
            socket.send_to(&datagram, to).await.unwrap();
        }
        let wake = at.unwrap_or_else(|| Instant::now() + Duration::from_millis(20));
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                let (length, from) = received.unwrap();
                peer.input(Instant::now(), from, &buffer[..length]);
            }
            () = tokio::time::sleep_until(wake.into()) => peer.timeout(Instant::now()),
        }
    }
}

#[tokio::test]
async fn a_call_over_real_sockets() {
    let settings = MediaSettings { local_ip: IpAddr::from([127, 0, 0, 1]), faults: Arc::default() };
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut peer = Peer::new(socket.local_addr().unwrap());
    let Answered::Accepted { sdp, mut call } = answer(&settings, &peer.dtls_offer("actpass")).await else {
        panic!("the offer was refused");
    };
    peer.accept(&sdp, Instant::now());
    let limit = Duration::from_secs(20);
    let connected = |peer: &Peer| peer.contexts.is_some() && !peer.reports.is_empty();
    tokio::time::timeout(limit, drive(&mut peer, &socket, connected)).await.unwrap();
    let packet = peer.protected(b"real");
    socket.send_to(&packet, peer.path.unwrap()).await.unwrap();
    tokio::time::timeout(limit, drive(&mut peer, &socket, |peer| !peer.heard.is_empty())).await.unwrap();
    assert_eq!(peer.heard[0].payload, b"real");
    assert_eq!(call.stats().echoed, 1);

    call.stop();
    assert_eq!(call.ended().await, Ended::Stopped);
    assert_eq!(call.ended().await, Ended::Stopped);
    tokio::time::timeout(limit, drive(&mut peer, &socket, |peer| peer.closed)).await.unwrap();
    drop(call);
    UdpSocket::bind(peer.path.unwrap()).await.unwrap(); // the port is free again
}

#[tokio::test]
async fn a_refusal_names_its_reason_and_starts_nothing() {
    let settings = MediaSettings { local_ip: IpAddr::from([127, 0, 0, 1]), faults: Arc::default() };
    for (offer, expected) in [("", 400), (Peer::new(([127, 0, 0, 1], 1).into()).offer("RTP/AVP", "").as_str(), 488)] {
        match answer(&settings, offer).await {
            Answered::Refused { status, reason } => assert!(status == expected && !reason.is_empty()),
            Answered::Accepted { .. } => panic!("accepted"),
        }
    }
}
