//! The machine against scripted answers, on simulated time.

mod again;
mod call;
mod change;
mod early;
mod register;
mod unregister;

use std::time::{Duration, Instant};

use ringfence_wire::sip::{self, Message};

use super::*;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n";

/// A machine, its clock, and what it said.
struct Script {
    machine: Signalling,
    now: Instant,
    sent: Vec<Message>,
    events: Vec<Event>,
    wake: Option<Instant>,
}

impl Script {
    fn new(change: impl FnOnce(&mut SignallingPlan)) -> Self {
        let mut plan = SignallingPlan {
            aor_user: "alice".into(),
            realm: "sip.test".into(),
            username: Some("user".into()),
            password: Some(Secret::from("pass")),
            algorithm: None,
            register_as: None,
            target_uri: "sip:app-1@sip.test".into(),
            transport: Transport::Wss,
            user_agent: "test".into(),
            identity_headers: vec![("X-Project-Id".into(), "p".into())],
            register_expires: 600,
            session_expires: None,
            session_refresh: true,
            seed: 7,
            transaction: TRANSACTION,
            answer_within: Duration::from_secs(60),
        };
        change(&mut plan);
        let now = Instant::now();
        let mut script =
            Self { machine: Signalling::new(now, plan), now, sent: Vec::new(), events: Vec::new(), wake: None };
        script.input(Input::Opened);
        script
    }

    /// One input, then everything that it leads to.
    fn input(&mut self, input: Input<'_>) {
        self.machine.input(self.now, input);
        self.wake = loop {
            match self.machine.poll() {
                Output::Transmit(bytes) if sip::is_keepalive(&bytes) => assert_eq!(bytes, sip::KEEPALIVE_PONG),
                Output::Transmit(bytes) => self.sent.push(Message::parse(&bytes).expect("we write what we can read")),
                Output::Event(event) => self.events.push(event),
                Output::Timeout(at) => break Some(at),
                Output::Idle => break None,
            }
        };
    }

    fn receive(&mut self, text: &str) {
        self.input(Input::Message(text.as_bytes()));
    }

    /// Answers the last request of this method.
    fn answer(&mut self, method: &str, status: u16, more: &str) {
        let request = self.last(method).clone();
        self.answer_to(&request, status, "there", more, "");
    }

    fn answer_to(&mut self, request: &Message, status: u16, tag: &str, more: &str, body: &str) {
        let field = |name: &str| request.header(name).unwrap().to_owned();
        let to = if status == 100 || field("To").contains("tag=") {
            field("To")
        } else {
            format!("{};tag={tag}", field("To"))
        };
        let more: String = more.lines().map(|line| format!("{line}\r\n")).collect();
        self.receive(&format!(
            "SIP/2.0 {status} Word\r\nVia: {}\r\nTo: {to}\r\nFrom: {}\r\nCall-ID: {}\r\nCSeq: {}\r\n{more}Content-Length: {}\r\n\r\n{body}",
            field("Via"), field("From"), field("Call-ID"), field("CSeq"), body.len(),
        ));
    }

    #[track_caller]
    fn last(&self, method: &str) -> &Message {
        self.sent.iter().rev().find(|message| message.method() == Some(method)).expect(method)
    }

    fn count(&self, method: &str) -> usize {
        self.sent.iter().filter(|message| message.method() == Some(method)).count()
    }

    #[track_caller]
    fn last_event(&self) -> &Event {
        self.events.last().expect("an event")
    }

    /// Lets the time come that the machine waits for.
    #[track_caller]
    fn wait(&mut self) -> Duration {
        let at = self.wake.expect("the machine waits for nothing");
        let waited = at.saturating_duration_since(self.now);
        self.now = at;
        self.input(Input::Timeout);
        waited
    }
}

/// What `Authorization` (or its proxy's twin) says, checked as a server would.
#[track_caller]
fn verified(request: &Message, field: &str) -> ringfence_wire::digest::Authorization {
    use ringfence_wire::digest::{Algorithm, Authorization, ha1};
    let value = request.header(field).unwrap_or_else(|| panic!("no {field}"));
    let answer = Authorization::parse(value).unwrap().unwrap();
    let algorithm = Algorithm::named(answer.algorithm.as_deref()).unwrap();
    answer.verify(&ha1(algorithm, "user", &answer.realm, "pass"), request.method().unwrap()).unwrap();
    answer
}
