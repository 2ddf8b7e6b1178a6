//! The media machine and a TURN server by script: a call that is relayed, or is to be.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ringfence_client::media::{
    CandidatePolicy, Event, Identity, Input, MediaMachine, MediaPlan, Output, TurnServer, TurnTransport,
};
use ringfence_model::{RunKey, Secret};
use ringfence_wire::stun::{Attribute, Class, Message, Method, long_term_key, verify_integrity};
use ringfence_wire::turn::ChannelData;

use super::pace::Pace;
use super::subject::MARKER;
use crate::generators::relay::{Act, Answer};
use crate::oracles::machine::{SameInstant, rests};
use crate::oracles::relaying::{gathered, offered, sent};
use crate::oracles::signalling::SECRECY;

/// Our socket.
const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 50_000);
/// The server.
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 9)), 3478);
/// Somebody else.
const STRANGER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 66)), 3478);
/// What the server gives.
const RELAYED: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 9)), 49_152);
/// The target.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 8)), 40_000);
/// Realm and nonce of a server that behaves.
const REALM: &str = "lab";
const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 40000 UDP/TLS/RTP/SAVPF 0\r\n\
c=IN IP4 127.0.0.8\r\na=ice-ufrag:abcdef\r\na=ice-pwd:0123456789012345678901\r\na=setup:active\r\na=fingerprint:sha-256 00:11\r\n\
a=candidate:1 1 udp 2130706431 127.0.0.8 40000 typ host\r\n";
/// Wakes of one script, and outputs between two of them: beyond that a machine never rests.
const MAX_WAKES: usize = 400;
const MAX_OUTPUTS: usize = 512;
/// How long the server is silent at the end: gathering has to be over, whatever came before.
const SILENCE: Duration = Duration::from_secs(8);

/// A machine in play with its server.
pub struct Relayed {
    machine: MediaMachine,
    began: Instant,
    now: Instant,
    wake: Option<Instant>,
    wakes: usize,
    instants: SameInstant,
    local: SocketAddr,
    /// Requests of ours, as they came.
    requests: Vec<Vec<u8>>,
    last: Vec<u8>,
    realm: String,
    stranger: bool,
    /// Our own addresses are candidates too.
    offers_ours: bool,
    /// The server has granted an allocation under the right password.
    granted: bool,
    told: bool,
    sent: usize,
    elsewhere: usize,
    came: usize,
    /// What happened, in lines, where it is kept.
    pub record: Option<Vec<String>>,
}

/// One identity for all calls: a fresh one costs more than a run.
pub(super) fn identity() -> Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| Identity::fresh().expect("a certificate needs nothing but randomness")).clone()
}

impl Relayed {
    /// A machine that begins to gather, with the plan of these letters.
    pub fn new(letters: &[u8], record: bool) -> Self {
        let has = |letter| letters.contains(&letter);
        let now = Instant::now();
        let candidates = if has(b'a') { CandidatePolicy::All } else { CandidatePolicy::Relay };
        let plan = MediaPlan { candidates, ..MediaPlan::honest(identity(), 7) };
        let transport = match (has(b't'), has(b's')) {
            (true, _) => TurnTransport::Tcp,
            (_, true) => TurnTransport::Tls,
            _ => TurnTransport::Udp,
        };
        let server = TurnServer {
            address: SERVER,
            host: "127.0.0.9".into(),
            transport,
            username: "user".into(),
            credential: Secret::from(MARKER),
        };
        let machine = MediaMachine::new(now, plan, vec![LOCAL], vec![server], vec![], RunKey::from_random([1; 32]))
            .expect("a plan");
        let mut relayed = Self {
            machine,
            began: now,
            now,
            wake: None,
            wakes: 0,
            instants: SameInstant::default(),
            local: LOCAL,
            requests: Vec::new(),
            last: Vec::new(),
            realm: REALM.into(),
            stranger: false,
            offers_ours: has(b'a'),
            granted: false,
            told: false,
            sent: 0,
            elsewhere: 0,
            came: 0,
            record: record.then(Vec::new),
        };
        relayed.drain();
        relayed
    }

    /// Plays one act.
    pub fn play(&mut self, act: &Act<'_>) {
        match act {
            Act::Plan(_) => {}
            Act::Wait(time) => self.wait(*time),
            Act::Wake => {
                if let Some(at) = self.wake {
                    self.wait(at.saturating_duration_since(self.now));
                }
            }
            Act::Answer(back, answer) => {
                let at = self.requests.len().checked_sub(back + 1);
                let request = at.and_then(|at| self.requests.get(at)).cloned();
                if let Some(bytes) = request.and_then(|request| self.answer(&request, answer)) {
                    self.say(bytes);
                }
            }
            Act::Data(channel, data) => self.say(data_of(*channel, data)),
            Act::Stranger => self.stranger = true,
            Act::Target => self.input(Input::Answer(ANSWER)),
            Act::Raw(bytes) => self.say(bytes.to_vec()),
            Act::Repeat => self.say(self.last.clone()),
            Act::Connected => {
                let place = self.machine.unconnected().first().map(|(place, _)| *place);
                if let Some(place) = place {
                    self.local = SocketAddr::new(LOCAL.ip(), 41_000);
                    self.input(Input::TurnConnected { place, local: self.local });
                }
            }
            Act::Lost => self.input(Input::TurnLost { place: 0, why: "gone" }),
            Act::Close => {
                self.told = true;
                self.input(Input::Close);
            }
        }
    }

    /// The server says no more: gathering ends, and a call that came to nothing rests.
    pub fn fall_silent(&mut self) {
        self.wakes = 0;
        self.wait(SILENCE);
        rests(self.wakes, SILENCE.as_secs());
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        let mut pace = Pace::new(self.now, time);
        while let Some(at) = pace.due(self.wake).filter(|at| *at <= until) {
            if self.wakes >= MAX_WAKES {
                return;
            }
            self.wakes += 1;
            self.now = self.now.max(at);
            self.input(Input::Timeout);
            self.instants.woken(self.now, self.wake);
            pace.woken(self.now, self.wake);
        }
        self.now = until;
        gathered(self.now.saturating_duration_since(self.began), self.told);
    }

    fn say(&mut self, bytes: Vec<u8>) {
        let remote = if std::mem::take(&mut self.stranger) { STRANGER } else { SERVER };
        self.came += 1;
        self.note(|| format!("hears {} bytes from {remote}", bytes.len()));
        self.last.clone_from(&bytes);
        // Whether it may be believed: only what came from the server, whole, and under the password.
        let key = long_term_key("user", &self.realm, MARKER);
        let grant = Message::parse(&bytes).is_ok_and(|answer| {
            (answer.class, answer.method) == (Class::Success, Method::ALLOCATE)
                && verify_integrity(&bytes, &key).is_ok()
        });
        self.granted |= grant && remote == SERVER;
        self.input(Input::Datagram { local: self.local, remote, bytes: &bytes });
    }

    fn input(&mut self, input: Input<'_>) {
        self.machine.input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        for _ in 0..MAX_OUTPUTS {
            match self.machine.poll() {
                Output::Transmit { remote, bytes, .. } => {
                    let has = bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes());
                    SECRECY.holds(!has, || "it stands in a datagram".into());
                    self.sent += 1;
                    // With our own candidates offered, checks go to the target directly.
                    self.elsewhere += usize::from(remote != SERVER && !(self.offers_ours && remote == PEER));
                    self.note(|| format!("  sends {} bytes to {remote}", bytes.len()));
                    self.requests.push(bytes);
                }
                Output::Event(event) => {
                    self.note(|| format!("{event:?}"));
                    if let Event::Offer(offer) = &event {
                        offered(offer, self.granted);
                    }
                    self.told |= matches!(event, Event::Offer(_) | Event::Failed(_));
                }
                output => {
                    self.wake = if let Output::Timeout(at) = output { Some(at) } else { None };
                    let time = self.now.saturating_duration_since(self.began);
                    return sent(self.sent, self.elsewhere, time, self.came);
                }
            }
        }
        crate::oracles::machine::drained(usize::MAX);
    }

    /// What the server answers; nothing to what is no request.
    fn answer(&mut self, request: &[u8], how: &Answer<'_>) -> Option<Vec<u8>> {
        let asked = Message::parse(request).ok().filter(|message| message.class == Class::Request)?;
        let of = |class| Message::new(class, asked.method, asked.transaction);
        let due = |server: &mut Self| {
            if asked.is_signed() {
                let key = long_term_key("user", &server.realm, MARKER);
                return success(&asked, b'4', 600).signed(&key);
            }
            server.realm = REALM.into();
            let challenge = Attribute::ErrorCode { code: 401, reason: "Unauthorized".into() };
            Ok(of(Class::Error).with(challenge).with(Attribute::Realm(REALM.into())).with(Attribute::Nonce("n".into())))
        };
        let mut bytes = match how {
            Answer::Due | Answer::Cut(_) | Answer::Turned(_) => due(self).ok()?.emit().ok()?,
            Answer::Error(code, realm, nonce) => {
                let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
                let mut error = of(Class::Error).with(Attribute::ErrorCode { code: *code, reason: "No".into() });
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
                error.emit().ok()?
            }
            Answer::Success(signed, address, lifetime) => {
                let answer = success(&asked, *address, *lifetime);
                let password = if *signed == b'w' { "another" } else { MARKER };
                let key = long_term_key("user", &self.realm, password);
                let answer = if *signed == b'u' { Ok(answer) } else { answer.signed(&key) };
                answer.ok()?.emit().ok()?
            }
        };
        match how {
            Answer::Cut(length) => bytes.truncate(*length),
            Answer::Turned(bit) => {
                let at = (bit / 8) % bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            _ => {}
        }
        Some(bytes)
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        let at = self.now.saturating_duration_since(self.began).as_secs_f64();
        if let Some(record) = &mut self.record {
            record.push(format!("{at:>8.2} s {}", text()));
        }
    }
}

fn success(asked: &Message, address: u8, lifetime: u32) -> Message {
    let address = match address {
        b'-' => None,
        b'6' => Some(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 49_152))),
        b'0' => Some(SocketAddr::from(([0, 0, 0, 0], 0))),
        b'm' => Some(SocketAddr::from(([224, 0, 0, 1], 9))),
        _ => Some(RELAYED),
    };
    let answer = Message::new(Class::Success, asked.method, asked.transaction).with(Attribute::Lifetime(lifetime));
    match address.filter(|_| asked.method == Method::ALLOCATE) {
        Some(address) => answer.with(Attribute::XorRelayedAddress(address)).with(Attribute::XorMappedAddress(LOCAL)),
        None => answer,
    }
}

/// Data of the target as the server passes it on.
fn data_of(channel: Option<u16>, data: &[u8]) -> Vec<u8> {
    let bytes = match channel {
        Some(number) => ChannelData { channel: number, data }.emit(),
        None => {
            let envelope = Message::new(Class::Indication, Method::DATA, [9; 12]);
            envelope.with(Attribute::XorPeerAddress(PEER)).with(Attribute::Data(data.to_vec())).emit()
        }
    };
    bytes.unwrap_or_default()
}
