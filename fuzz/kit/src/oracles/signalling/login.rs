//! Passwords and what is made of them.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ringfence_client::signalling::Event;
use ringfence_wire::digest::{Authorization, challenges};
use ringfence_wire::sip::Message;

use super::{Moment, Watcher, field};
use crate::generators::script::holds;
use crate::oracle::Oracle;

/// The password stays here.
pub const SECRECY: Oracle = Oracle::new(
    "the password is not said",
    "Digest is there so that the password never crosses the wire (RFC 7616, 1), nor does it belong in evidence",
);
/// A login answers a challenge, once.
pub const LOGIN: Oracle = Oracle::new(
    "logins answer a challenge, once",
    "a digest that nobody asked for is one to be cracked, and a nonce with a count that came before is a replay (RFC 7616, 3.4)",
);
/// These bytes go out, or are told.
#[track_caller]
pub fn unsaid(secret: &str, bytes: &[u8]) {
    SECRECY.holds(!holds(bytes, secret.as_bytes()), || format!("it stands in \"{}\"", bytes.escape_ascii()));
}

/// Answers to challenges of one request.
const MAX_ANSWERS: usize = 3;
/// The fields.
const FIELDS: [(&str, &str); 2] =
    [("WWW-Authenticate", "Authorization"), ("Proxy-Authenticate", "Proxy-Authorization")];

/// Remembers what was asked and answered.
#[derive(Debug)]
pub struct Login {
    secret: &'static str,
    /// Whether there is anything to answer with.
    has_user: bool,
    /// Field that answers, realm and nonce.
    asked: HashSet<(&'static str, String, String)>,
    /// By Call-ID and method: realm, nonce and count of the answers since the last request without one.
    given: HashMap<(String, String), Vec<String>>,
    /// A login of before is presented again on purpose.
    again: bool,
    /// Another's or a wrong login is used on purpose.
    other: bool,
}

impl Login {
    /// For a machine that has this password, and a user name or none.
    pub fn new(secret: &'static str, has_user: bool) -> Self {
        let (asked, given) = (HashSet::new(), HashMap::new());
        Self { secret, has_user, asked, given, again: false, other: false }
    }
}

impl Watcher for Login {
    fn happens(&mut self, moment: &Moment, _at: Duration) {
        match moment {
            Moment::Command("register again") => self.again = true,
            Moment::Command("register as another") => self.other = true,
            _ => {}
        }
        let Some(answer) = moment.message().filter(|message| message.status().is_some()) else { return };
        for (asks, answers) in FIELDS {
            for value in answer.headers(asks) {
                let read = challenges([value]).unwrap_or_default();
                self.asked.extend(read.into_iter().map(|challenge| (answers, challenge.realm, challenge.nonce)));
            }
        }
    }

    fn writes(&mut self, _moment: &Moment, bytes: &[u8], message: Option<&Message>) {
        unsaid(self.secret, bytes);
        let Some(message) = message.filter(|message| message.method().is_some()) else { return };
        let method = message.method().unwrap_or_default();
        let text = || String::from_utf8_lossy(bytes).into_owned();
        let of = (field(message, "Call-ID").to_owned(), method.to_owned());
        let mut logs_in = false;
        for (_, name) in FIELDS {
            for value in message.headers(name) {
                logs_in = true;
                LOGIN
                    .holds(self.has_user || self.other || self.again, || format!("there is no user name:\n{}", text()));
                let Ok(Some(answer)) = Authorization::parse(value) else {
                    return LOGIN.holds(false, || format!("{name} is no digest:\n{}", text()));
                };
                let key = (name, answer.realm.clone(), answer.nonce.clone());
                LOGIN.holds(self.asked.contains(&key) || self.again, || {
                    format!("nobody asked for {key:?}:\n{}", text())
                });
                // ACK repeats the login of its INVITE: RFC 3261, section 22.1.
                let counted = answer.nc.as_ref().filter(|_| method != "ACK" && !self.again);
                if let Some(count) = counted {
                    let used = format!("{key:?} {count:?}");
                    let given = self.given.entry(of.clone()).or_default();
                    LOGIN.holds(!given.contains(&used), || format!("{used} was said before:\n{}", text()));
                    given.push(used);
                }
            }
        }
        if !logs_in {
            self.given.remove(&of);
        } else if let Some(given) = self.given.get(&of) {
            // Each answer may go to several realms.
            LOGIN.holds(given.len() <= MAX_ANSWERS * 8, || format!("it answers on and on:\n{}", text()));
        }
    }

    fn tells(&mut self, _moment: &Moment, event: &Event) {
        let said = |sdp: &Option<Vec<u8>>| unsaid(self.secret, sdp.as_deref().unwrap_or_default());
        // Bytes as they are: printed they are numbers.
        match event {
            Event::Described { sdp: body } | Event::Info { body, .. } => unsaid(self.secret, body),
            Event::Offered { sdp } | Event::Changed { sdp, .. } => said(sdp),
            Event::Answered { sdp, headers, .. } => {
                said(sdp);
                headers.iter().for_each(|(_, value)| unsaid(self.secret, value.as_bytes()));
            }
            other => unsaid(self.secret, format!("{other:?}").as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use ringfence_model::Untrusted;

    use super::super::samples::{heard, request, write};
    use super::*;
    use crate::oracle::caught;

    const LOGGED: &str = "Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", \
        response=\"00000000000000000000000000000000\", algorithm=MD5, qop=auth, cnonce=\"c\", nc=00000001\r\n";

    fn asked() -> Login {
        let text = "SIP/2.0 401 No\r\nVia: x;branch=z9hG4bK1\r\nCSeq: 1 REGISTER\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n\r\n";
        let mut login = Login::new("hidden", true);
        login.happens(&heard(Message::parse(text.as_bytes()).expect("an answer")), Duration::ZERO);
        login
    }

    #[test]
    fn a_password_in_the_open_is_caught() {
        let leaky = request("REGISTER", "z9hG4bK1", 1, "User-Agent: hidden\r\n");
        caught(&SECRECY, || write(&mut asked(), &Moment::Timer, &leaky));
        let reason = Untrusted::new("hidden");
        caught(&SECRECY, || asked().tells(&Moment::Timer, &Event::Refused { status: 400, reason }));
        let sdp = b"a=key:hidden".to_vec();
        caught(&SECRECY, || asked().tells(&Moment::Timer, &Event::Described { sdp }));
    }

    #[test]
    fn a_login_unasked_or_twice_is_caught() {
        let request = request("REGISTER", "z9hG4bK1", 2, LOGGED);
        let mut once = asked();
        write(&mut once, &Moment::Timer, &request);
        let again = request.clone();
        caught(&LOGIN, move || write(&mut once, &Moment::Timer, &again));
        let unasked = request.clone();
        caught(&LOGIN, || write(&mut Login::new("hidden", true), &Moment::Timer, &unasked));
        let mut nobody = Login { has_user: false, ..asked() };
        caught(&LOGIN, move || write(&mut nobody, &Moment::Timer, &request));
    }
}
