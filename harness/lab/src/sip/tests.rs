//! Sessions driven by hand: messages and time in, messages out.

use std::time::Duration;

use ringfence_wire::digest::{Algorithm, Authorization, Challenge, challenges};
use ringfence_wire::sip::{Message, param, tag};

use super::*;
use crate::accounts::Minted;
use crate::fault::Fault;
use crate::figures::{NONCE_LIFE, PAIR_UNUSED, SIP_REALM, SIP_T1};
use crate::media::MediaSettings;
use crate::media::external::Program;

const SECOND: Duration = Duration::from_secs(1);
const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n\
    c=IN IP4 127.0.0.1\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\n\
    a=fingerprint:sha-256 E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55\r\n";

struct Desk {
    shared: Arc<Shared>,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn new(fault: Option<Fault>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let faults = Arc::new(Faults::new(fault));
        let shared = Arc::new(Shared {
            faults: faults.clone(),
            accounts: Arc::new(Accounts::new(faults.clone())),
            log: Arc::new(Log::create(&folder.path().join("lab.log")).unwrap()),
            endpoints: Arc::new(vec![Endpoint::new("config"), Endpoint::new("second")]),
            callee: Callee::Echo(MediaSettings { local_ip: SOURCE, faults }),
            host: "localhost:1".into(),
            wrong_logins: Shared::wrong_login_limit(),
            issued: Mutex::default(),
            nobody: "0".repeat(32).into(),
        });
        Self { shared, _folder: folder }
    }

    fn mint(&self, now: Instant) -> Minted {
        self.shared.accounts.mint(0, now)
    }
}

/// A client: it counts, answers challenges, and keeps what its dialog needs.
struct Phone {
    session: Session,
    user: String,
    pair: (String, String),
    algorithm: Algorithm,
    cseq: u32,
    target: String,
    now: Instant,
}

impl Phone {
    fn new(desk: &Desk, id: ConnectionId, pair: &Minted, now: Instant) -> Self {
        Self {
            session: Session::new(desk.shared.clone(), id, SOURCE),
            user: "visitor".into(),
            pair: (pair.username.clone(), pair.password.expose().clone()),
            algorithm: Algorithm::Sha256,
            cseq: 0,
            target: format!("sip:app-{}@{SIP_REALM}", desk.shared.endpoints[0].application_sid),
            now,
        }
    }

    fn request(&mut self, method: &str, uri: &str, to: &str) -> Builder {
        self.cseq += 1;
        Builder::request(method, uri)
            .header("Via", format!("SIP/2.0/WSS p.invalid;branch=z9hG4bK{}", self.cseq))
            .header("From", format!("<sip:{}@{SIP_REALM}>;tag=mine", self.user))
            .header("To", to)
            .header("Call-ID", "call-1")
            .header("CSeq", format!("{} {method}", self.cseq))
            .header("Contact", "<sip:me@p.invalid;transport=ws>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"")
    }

    fn send(&mut self, request: Builder) -> Vec<Message> {
        let bytes = request.build().unwrap();
        let out = self.session.receive(&bytes, self.now).unwrap();
        out.iter().map(|bytes| Message::parse(bytes).unwrap()).collect()
    }

    fn ask(&mut self, request: Builder) -> Message {
        self.send(request).pop().unwrap()
    }

    fn answer_to(&self, asked: &Message, method: &str, uri: &str, count: u32) -> String {
        let field = if asked.status() == Some(401) { "WWW-Authenticate" } else { "Proxy-Authenticate" };
        let all = challenges(asked.headers(field)).unwrap();
        let fits = |c: &&Challenge| Algorithm::named(c.algorithm.as_deref()) == Ok(self.algorithm);
        let challenge = all.iter().find(fits).unwrap();
        let pair = (self.pair.0.as_str(), self.pair.1.as_str());
        Authorization::answer(challenge, pair, (method, uri), (count, "cnonce")).unwrap().to_string()
    }

    fn bare_register(&mut self) -> Message {
        let to = format!("<sip:{}@{SIP_REALM}>", self.user);
        let request = self.request("REGISTER", "sip:sip.lab.test", &to);
        self.ask(request)
    }

    fn register_with(&mut self, login: &str, more: &[(&str, &str)]) -> Message {
        let to = format!("<sip:{}@{SIP_REALM}>", self.user);
        let request = self.request("REGISTER", "sip:sip.lab.test", &to).header("Authorization", login);
        let request = more.iter().fold(request, |request, (name, value)| request.header(name, value));
        self.ask(request)
    }

    fn register(&mut self) -> Message {
        let asked = self.bare_register();
        assert_eq!(asked.status(), Some(401));
        let login = self.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 1);
        self.register_with(&login, &[])
    }

    /// INVITE with a login; all that comes back.
    fn invite(&mut self) -> Vec<Message> {
        let target = self.target.clone();
        let to = format!("<{target}>");
        let request = self.request("INVITE", &target, &to).body("application/sdp", OFFER);
        let asked = self.ask(request);
        assert_eq!(asked.status(), Some(407));
        let login = self.answer_to(&asked, "INVITE", &target, 1);
        let request = self.request("INVITE", &target, &to).header("Proxy-Authorization", login);
        self.send(request.body("application/sdp", OFFER))
    }

    async fn next(&mut self) -> Vec<Message> {
        let event = tokio::time::timeout(20 * SECOND, self.session.event()).await.unwrap();
        self.session.wake(event, self.now).iter().map(|bytes| Message::parse(bytes).unwrap()).collect()
    }

    /// A call that is up; its 200.
    async fn call(&mut self) -> Message {
        assert_eq!(self.register().status(), Some(200));
        let said: Vec<_> = self.invite().iter().map(|m| m.status().unwrap()).collect();
        assert_eq!(said, [100, 180]);
        let ok = self.next().await.pop().unwrap();
        assert_eq!(ok.status(), Some(200));
        ok
    }

    fn in_dialog(&mut self, method: &str, ok: &Message) -> Builder {
        let to = ok.header("To").unwrap().to_owned();
        self.request(method, "sip:desk@localhost:1;transport=ws", &to)
    }
}

#[test]
fn both_challenges_stand_in_one_answer_and_either_will_do() {
    let (desk, now) = (Desk::new(None), Instant::now());
    for (id, algorithm) in [(1, Algorithm::Sha256), (2, Algorithm::Md5)] {
        let mut phone = Phone::new(&desk, id, &desk.mint(now), now);
        phone.algorithm = algorithm;
        let asked = phone.bare_register();
        let all = challenges(asked.headers("WWW-Authenticate")).unwrap();
        let names: Vec<_> = all.iter().map(|c| c.algorithm.as_deref().unwrap()).collect();
        assert_eq!(names, ["SHA-256", "MD5"]);
        assert!(all.iter().all(|c| c.qop == ["auth"] && !c.stale));
        let login = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 1);
        let ok = phone.register_with(&login, &[("Expires", "60")]);
        assert_eq!(ok.status(), Some(200));
        let contact = ok.header("Contact").unwrap();
        assert_eq!(param(contact, "expires").as_deref(), Some("60"));
        assert_eq!(param(contact, "+sip.instance").as_deref(), Some("<urn:uuid:1>"));
    }
}

#[test]
fn expiry_is_honoured_within_bounds() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    let asked = phone.bare_register();
    let mut with = |count, expires| {
        let login = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", count);
        phone.register_with(&login, &[("Expires", expires)])
    };
    let brief = with(1, "9");
    assert_eq!((brief.status(), brief.header("Min-Expires")), (Some(423), Some("10")));
    let long = with(2, "99999999999");
    assert_eq!(param(long.header("Contact").unwrap(), "expires").as_deref(), Some("600"));
    assert_eq!(with(3, "soon").status(), Some(400));
    let gone = with(4, "0");
    assert_eq!((gone.status(), gone.header("Contact")), (Some(200), None));
}

#[test]
fn nonces_are_used_in_order_on_their_connection_and_in_time() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let pair = desk.mint(now);
    let mut phone = Phone::new(&desk, 1, &pair, now);
    let asked = phone.bare_register();
    let first = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 1);
    assert_eq!(phone.register_with(&first, &[]).status(), Some(200));
    let stale = |answer: &Message| {
        assert_eq!(answer.status(), Some(401));
        challenges(answer.headers("WWW-Authenticate")).unwrap()[0].stale
    };
    assert!(!stale(&phone.register_with(&first, &[])), "the same count again");

    let mut other = Phone::new(&desk, 2, &pair, now);
    let foreign = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 2);
    assert!(stale(&other.register_with(&foreign, &[])), "a nonce of another connection");

    phone.now = now + NONCE_LIFE;
    let late = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 3);
    assert!(stale(&phone.register_with(&late, &[])));
    let elsewhere = phone.answer_to(&asked, "REGISTER", "sip:other.test", 4);
    assert_eq!(phone.register_with(&elsewhere, &[]).status(), Some(400), "a login for another URI");
}

#[test]
fn wrong_logins_look_alike_and_are_limited() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let known = desk.mint(now);
    let shape = |answer: &Message| {
        let names: Vec<String> = answer.headers.iter().map(|(name, _)| name.clone()).collect();
        (answer.start_line.clone(), names)
    };
    let mut seen = Vec::new();
    for (id, username) in [(1, known.username.as_str()), (2, "widget-unminted")] {
        let mut phone = Phone::new(&desk, id, &known, now);
        phone.pair = (username.to_owned(), "wrong".to_owned());
        let mut asked = phone.bare_register();
        for _ in 0..WRONG_LOGINS {
            let login = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 1);
            asked = phone.register_with(&login, &[]);
            assert_eq!(asked.status(), Some(401));
        }
        let login = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 1);
        let limited = phone.register_with(&login, &[]);
        assert_eq!((limited.status(), limited.header("Retry-After")), (Some(403), Some("60")));
        seen.push((shape(&asked), shape(&limited)));
    }
    assert_eq!(seen[0], seen[1], "an unknown user is told from a known one");

    let mut right = Phone::new(&desk, 3, &known, now + 59 * SECOND);
    assert_eq!(right.register().status(), Some(403), "the right password does not help before the window has passed");
    let fresh = desk.mint(now + 60 * SECOND);
    assert_eq!(Phone::new(&desk, 4, &fresh, now + 60 * SECOND).register().status(), Some(200), "others go on");
}

#[test]
fn who_may_register_what() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let pair = desk.mint(now);
    let mut phone = Phone::new(&desk, 1, &pair, now);
    assert_eq!(phone.register().status(), Some(200));
    phone.user = "somebody-else".into();
    assert_eq!(phone.register().status(), Some(403), "the pair is bound to its first address");
    let mut second = Phone::new(&desk, 2, &pair, now);
    assert_eq!(second.register().status(), Some(403), "one connection at a time");
    drop(phone);
    assert_eq!(second.register().status(), Some(200), "the first has closed");

    let mut odd = Phone::new(&desk, 3, &desk.mint(now), now);
    odd.user = "app-1".into();
    assert_eq!(odd.register().status(), Some(403), "no visitor's name");
    let mut late = Phone::new(&desk, 4, &desk.mint(now), now + PAIR_UNUSED);
    assert_eq!(late.register().status(), Some(403), "the pair has died");
}

#[test]
fn register_open_lets_anybody_in_at_the_second_try() {
    for (fault, expected) in [(None, 401), (Some(Fault::RegisterOpen), 200)] {
        let (desk, now) = (Desk::new(fault), Instant::now());
        let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
        assert_eq!(phone.bare_register().status(), Some(401));
        assert_eq!(phone.bare_register().status(), Some(expected));
        assert!(desk.shared.faults.met().contains(&Fault::RegisterOpen));
        assert_ne!(phone.invite().pop().unwrap().status(), Some(200), "which is no right to call");
    }
}

#[tokio::test]
async fn a_call_from_invite_to_bye() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    let ok = phone.call().await;
    assert!(String::from_utf8_lossy(&ok.body).contains("a=fingerprint:"));
    assert_eq!(ok.header("Contact"), Some("<sip:desk@localhost:1;transport=ws>"));

    let again = phone.next().await.pop().unwrap();
    assert_eq!(again, ok, "the 200 comes again until it is acknowledged");
    phone.cseq -= 1; // ACK has the number of its INVITE
    let ack = phone.in_dialog("ACK", &ok);
    assert_eq!(phone.send(ack), []);
    let quiet = tokio::time::timeout(2 * SIP_T1, phone.session.event()).await;
    assert!(quiet.is_err(), "and not after that: {quiet:?}");

    let info = phone.in_dialog("INFO", &ok).body("application/json", "{}");
    assert_eq!(phone.ask(info).status(), Some(200));
    let refresh = phone.in_dialog("INVITE", &ok).body("application/sdp", OFFER);
    let refreshed = phone.ask(refresh);
    assert_eq!((refreshed.status(), &refreshed.body), (Some(200), &ok.body));
    let change = phone.in_dialog("INVITE", &ok).body("application/sdp", OFFER.replace("abcd", "efgh"));
    assert_eq!(phone.ask(change).status(), Some(488));
    let guessed = ok.header("To").unwrap().replace("tag=", "tag=x");
    let guess = phone.request("BYE", "sip:desk@localhost:1", &guessed);
    assert_eq!(phone.ask(guess).status(), Some(481));
    phone.cseq -= 3;
    let old = phone.in_dialog("BYE", &ok);
    assert_eq!(phone.ask(old).status(), Some(500), "out of order");
    phone.cseq += 3;
    let bye = phone.in_dialog("BYE", &ok);
    assert_eq!(phone.ask(bye).status(), Some(200));
    let twice = phone.in_dialog("BYE", &ok);
    assert_eq!(phone.ask(twice).status(), Some(481));
    assert_eq!(phone.invite().pop().unwrap().status(), Some(403), "one call per pair");
}

#[tokio::test]
async fn a_pair_that_survives_its_call_calls_again() {
    let (desk, now) = (Desk::new(Some(Fault::CredentialsSurviveHangup)), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    let ok = phone.call().await;
    let bye = phone.in_dialog("BYE", &ok);
    assert_eq!(phone.ask(bye).status(), Some(200));
    phone.now += 5 * SECOND;
    assert_eq!(phone.invite().pop().unwrap().status(), Some(180));
}

#[tokio::test]
async fn the_desk_hangs_up_when_media_end() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    let ok = phone.call().await;
    let bye = phone.session.wake(Event::MediaEnded, now);
    let bye = Message::parse(&bye[0]).unwrap();
    assert_eq!((bye.method(), bye.header("Call-ID")), (Some("BYE"), Some("call-1")));
    assert!(matches!(&bye.start_line, StartLine::Request { uri, .. } if uri == "sip:me@p.invalid;transport=ws"));
    assert_eq!(bye.header("To").and_then(tag).as_deref(), Some("mine"));
    assert_eq!(bye.header("From").and_then(tag), ok.header("To").and_then(tag));
    let mine = reply(&bye, 200, "OK", None).build().unwrap();
    assert!(phone.session.receive(&mine, now).unwrap().is_empty());
    assert!(!phone.session.in_call());
}

#[tokio::test]
async fn a_call_without_ack_is_given_up() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    phone.call().await;
    let again = phone.session.wake(Event::Resend, now + 31 * SECOND);
    assert_eq!(Message::parse(&again[0]).unwrap().status(), Some(200));
    let end = phone.session.wake(Event::Resend, now + 32 * SECOND);
    assert_eq!(Message::parse(&end[0]).unwrap().method(), Some("BYE"));
}

#[tokio::test]
async fn a_program_may_answer_hang_up_and_refuse() {
    let now = Instant::now();
    for (command, said) in [("sh -c 'echo v=0; echo .'", (200, &b"v=0\r\n"[..])), ("echo .", (488, b""))] {
        let mut desk = Desk::new(None);
        let program = Program { command: command.to_owned() };
        Arc::get_mut(&mut desk.shared).unwrap().callee = Callee::Program(program);
        let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
        assert_eq!(phone.register().status(), Some(200));
        phone.invite();
        let answer = phone.next().await.pop().unwrap();
        assert_eq!((answer.status(), answer.body.as_slice()), (Some(said.0), said.1));
        while phone.session.in_call() {
            let message = phone.next().await.pop().unwrap(); // the 200 once more, if the machine is slow
            assert!(message == answer || message.method() == Some("BYE"), "{message:?}");
        }
    }
}

#[tokio::test]
async fn a_cancelled_call_leaves_the_pair_good() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    phone.register();
    phone.invite();
    phone.cseq -= 1; // CANCEL has number and branch of its INVITE
    let target = phone.target.clone();
    let cancel = phone.request("CANCEL", &target, &format!("<{target}>"));
    let said: Vec<_> = phone.send(cancel).iter().map(|m| (m.status(), m.cseq().unwrap().1.to_owned())).collect();
    assert_eq!(said, [(Some(200), "CANCEL".to_owned()), (Some(487), "INVITE".to_owned())]);
    assert_eq!(phone.invite().pop().unwrap().status(), Some(180));
    assert_eq!(phone.next().await.pop().unwrap().status(), Some(200));
}

#[tokio::test]
async fn who_may_call_whom() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut unregistered = Phone::new(&desk, 1, &desk.mint(now), now);
    assert_eq!(unregistered.invite().pop().unwrap().status(), Some(403));

    let mut phone = Phone::new(&desk, 2, &desk.mint(now), now);
    phone.register();
    let right = phone.target.clone();
    for other in [
        format!("sip:app-{}@{SIP_REALM}", desk.shared.endpoints[1].application_sid),
        format!("sip:15550100@{SIP_REALM}"),
        right.replace(SIP_REALM, "elsewhere.test"),
    ] {
        phone.target = other;
        assert_eq!(phone.invite().pop().unwrap().status(), Some(404), "{}", phone.target);
    }
    phone.target = right;
    phone.user = "somebody-else".into();
    assert_eq!(phone.invite().pop().unwrap().status(), Some(403), "From is not what was registered");
    phone.user = "visitor".into();
    assert_eq!(phone.invite().pop().unwrap().status(), Some(180));
    assert_eq!(phone.invite().pop().unwrap().status(), Some(403), "one call at a time");
}

#[tokio::test]
async fn an_offer_that_media_refuse_ends_the_call() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    phone.register();
    phone.invite();
    let number = phone.session.calls_begun;
    let refused = Answered::Refused { status: 488, reason: "no audio" };
    let out = phone.session.wake(Event::Answered(Some((number, refused))), now);
    let out = Message::parse(&out[0]).unwrap();
    assert_eq!((out.status(), out.header("Warning")), (Some(488), Some("399 sip.lab.test \"no audio\"")));
    assert_eq!(phone.invite().pop().unwrap().status(), Some(180), "the pair has not lost its call");
    let late = phone.session.wake(Event::Answered(Some((number, Answered::Refused { status: 488, reason: "" }))), now);
    assert!(late.is_empty(), "an answer to the call before");
}

#[test]
fn other_messages_get_what_the_rfc_says() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    assert_eq!(phone.session.receive(b"\r\n\r\n", now).unwrap(), [b"\r\n".to_vec()]);
    assert!(phone.session.receive(b"\r\n", now).unwrap().is_empty());
    assert!(phone.session.receive(b"GET / HTTP/1.1\r\n\r\n", now).is_err());
    assert!(phone.session.receive(b"", now).is_err());
    for (method, status) in
        [("OPTIONS", 200), ("MESSAGE", 405), ("XYZZY", 405), ("BYE", 481), ("INFO", 481), ("CANCEL", 481)]
    {
        let request = phone.request(method, "sip:sip.lab.test", "<sip:x@sip.lab.test>");
        let answer = phone.ask(request);
        assert_eq!(answer.status(), Some(status), "{method}");
        assert!(status != 405 || answer.header("Allow").is_some());
    }
    let required = phone.request("OPTIONS", "sip:sip.lab.test", "<sip:x@sip.lab.test>").header("Require", "100rel");
    let answer = phone.ask(required);
    assert_eq!((answer.status(), answer.header("Unsupported")), (Some(420), Some("100rel")));
    let ack = phone.request("ACK", "sip:sip.lab.test", "<sip:x@sip.lab.test>;tag=1");
    assert_eq!(phone.send(ack), []);
    let nonsense = Builder::request("OPTIONS", "sip:h").header("Via", "x").build().unwrap();
    let answer = Message::parse(&phone.session.receive(&nonsense, now).unwrap()[0]).unwrap();
    assert_eq!(answer.status(), Some(400));
}
