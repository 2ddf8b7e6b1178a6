//! Sessions driven by hand: messages and time in, messages out.

mod call;
mod edge;
mod login;
mod runtime;

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
            endpoints: Arc::new(Endpoint::all()),
            callee: Callee::Echo(MediaSettings { local_ip: SOURCE, faults }),
            host: "localhost:1".into(),
            wrong_logins: Shared::wrong_login_limit(),
            issued: Mutex::default(),
            nobody: "0".repeat(32).into(),
            directory: Directory::default(),
            outage: Outage::new(),
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
