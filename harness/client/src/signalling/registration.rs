//! REGISTER: RFC 3261 section 10, with RFC 5626 for clients that cannot be reached otherwise.

use std::time::{Duration, Instant};

use ringfence_model::{Secret, Untrusted};
use ringfence_wire::sip;

use super::auth::{Authenticator, Credentials};
use super::login::SpentLogin;
use super::machine::{Pending, Signalling};
use super::message::{Answer, Draft};
use super::{Event, FinalAnswer, LoginBend};

/// Times that a longer interval is asked for as 423 wishes.
const MAX_INTERVAL_RETRIES: u32 = 2;
/// Longest interval that 423 may wish, in seconds.
const MAX_INTERVAL: u32 = 86_400;
/// Shortest interval that is refreshed, in seconds.
const MIN_REFRESH: u32 = 10;
/// Contacts of one answer that are looked at.
const MAX_CONTACTS: usize = 256;

pub(super) struct Registration {
    state: State,
    /// The next request: one Call-ID, and a number above every one that was sent (RFC 3261, section 10.2).
    draft: Draft,
    credentials: Option<Credentials>,
    /// A login that was presented before, for the first request.
    presented: Vec<(String, String)>,
    /// The login is wrong on purpose.
    wrong: bool,
    expires: u32,
    interval_retries: u32,
    /// Registrations to come after this one.
    left: u32,
    /// The registrar confirmed a contact of ours, and it has not been taken back.
    bound: bool,
    /// Our contact is being taken back, or was.
    leaving: bool,
}

enum State {
    Pending(Box<Pending>),
    /// Done; it is sent again at that time.
    Refresh(Instant),
    Done,
}

impl Registration {
    pub fn pending(&self) -> Option<&Pending> {
        if let State::Pending(pending) = &self.state { Some(pending) } else { None }
    }

    pub fn wake_at(&self) -> Option<Instant> {
        match &self.state {
            State::Pending(pending) => Some(pending.deadline),
            State::Refresh(at) => Some(*at),
            State::Done => None,
        }
    }

    /// Takes a longer interval over, where 423 asks for one that is worth asking for again. Who leaves asks for none.
    fn takes_interval(&mut self, answer: &Answer) -> bool {
        let wish = answer.message.header("Min-Expires").and_then(|text| text.parse::<u32>().ok());
        let longer = self.expires.saturating_add(1)..=MAX_INTERVAL;
        let wish = wish.filter(|wish| longer.contains(wish) && !self.leaving);
        let Some(wish) = wish.filter(|_| self.interval_retries < MAX_INTERVAL_RETRIES) else { return false };
        self.interval_retries += 1;
        self.expires = wish;
        true
    }
}

impl Signalling {
    pub(super) fn register(&mut self, now: Instant, login: LoginBend, times: u32) {
        let wrong = matches!(login, LoginBend::Wrong | LoginBend::Again { .. });
        let uri = format!("sip:{}", self.plan.realm);
        let mut presented = Vec::new();
        let credentials = match login {
            LoginBend::Own => self.own_credentials(),
            LoginBend::None => None,
            LoginBend::Wrong => Some(Credentials {
                username: self.plan.username.clone().unwrap_or_else(|| self.plan.aor_user.clone()),
                password: Secret::new(self.agent.random(24)),
            }),
            LoginBend::Other { username, password } => Some(Credentials { username, password }),
            LoginBend::Again { login, how } => {
                let own = self.own_credentials();
                let again = |spent: &SpentLogin| spent.again(how, own.as_ref(), ("REGISTER", &uri), &mut self.agent);
                presented = login.iter().filter_map(again).collect();
                None
            }
        };
        let aor = match &self.plan.register_as {
            Some(user) => format!("sip:{user}@{}", self.plan.realm),
            None => self.aor(),
        };
        let from = format!("<{aor}>;tag={}", self.agent.random(10));
        let mut draft = Draft::new("REGISTER", uri, from, format!("<{aor}>"), self.agent.random(20));
        draft.raw_parties = self.plan.register_as.is_some();
        self.registration = Some(Registration {
            state: State::Done,
            draft,
            credentials,
            presented,
            wrong,
            expires: self.plan.register_expires,
            interval_retries: 0,
            left: times.max(1) - 1,
            bound: false,
            leaving: false,
        });
        self.send_register(now, None);
    }

    /// Takes our contact back (RFC 3261, section 10.2.2), also one that a request on its way may yet bind. False where
    /// there is none, or it was tried before.
    pub(super) fn unregister(&mut self, now: Instant) -> bool {
        let own = self.own_credentials();
        let Some(registration) = &mut self.registration else { return false };
        // A login that is wrong on purpose binds nothing, unless the registrar said so; trying would be one more of them.
        let may_yet = registration.pending().is_some() && !registration.wrong;
        registration.left = 0;
        if std::mem::replace(&mut registration.leaving, true) || !(registration.bound || may_yet) {
            return false;
        }
        registration.expires = 0;
        // What was bound by a login of before is taken back by the right one.
        if !std::mem::take(&mut registration.presented).is_empty() {
            registration.credentials = own;
        }
        self.send_register(now, None);
        true
    }

    /// Sends the next REGISTER: a first one, or with what was asked for.
    fn send_register(&mut self, now: Instant, asked: Option<Authenticator>) {
        let Some(mut registration) = self.registration.take() else { return };
        let credentials = registration.credentials.clone().filter(|_| asked.is_some());
        let first = if registration.wrong { Authenticator::once() } else { Authenticator::default() };
        let expires = registration.expires;
        let mut draft = registration.draft.clone();
        registration.draft.cseq = draft.cseq.saturating_add(1);
        draft.header("Contact", self.agent.register_contact(expires));
        draft.header("Expires", expires.to_string());
        draft.header("Allow", super::peer::ALLOW);
        draft.header("Supported", "path,gruu,outbound");
        if asked.is_none() {
            draft.headers.extend(registration.presented.iter().cloned());
        }
        let auth = asked.unwrap_or(first);
        let mut pending = Pending { draft, branch: String::new(), auth, deadline: now, reported: true };
        if self.send(now, &mut pending, credentials.as_ref()) {
            registration.state = State::Pending(Box::new(pending));
            self.registration = Some(registration);
        }
    }

    pub(super) fn on_register_answer(&mut self, now: Instant, answer: &Answer) {
        if answer.status < 200 {
            return;
        }
        let Some(registration) = &mut self.registration else { return };
        let State::Pending(pending) = std::mem::replace(&mut registration.state, State::Done) else { return };
        let mut auth = pending.auth;
        let again = match answer.status {
            // A login that is wrong on purpose is not pressed on once its contact was given up.
            401 | 407 if registration.leaving && registration.expires > 0 => false,
            401 | 407 => registration.credentials.is_some() && auth.take(&answer.message, self.plan.algorithm),
            423 => registration.takes_interval(answer),
            _ => false,
        };
        self.event(Event::FinalAnswer(FinalAnswer::of(answer)));
        if again {
            return self.send_register(now, Some(auth));
        }
        if (200..300).contains(&answer.status) {
            let spent = auth.spent();
            if !spent.is_empty() {
                self.event(Event::LoggedIn(spent));
            }
            self.on_registered(now, answer);
        } else {
            self.event(Event::RegisterFinal { status: answer.status, reason: Untrusted::new(&answer.reason) });
        }
        if let Some(registration) = self.registration.as_mut().filter(|registration| registration.left > 0) {
            registration.left -= 1;
            self.send_register(now, None);
        }
    }

    fn on_registered(&mut self, now: Instant, answer: &Answer) {
        let Some(registration) = &mut self.registration else { return };
        // Given up while it was on its way, and bound all the same: that is told, and can be taken back, but is not kept up.
        let is_wanted = !registration.leaving;
        registration.leaving &= registration.expires == 0;
        registration.bound = !registration.leaving;
        if registration.leaving {
            return self.event(Event::Unregistered);
        }
        let contacts = answer.message.headers("Contact").flat_map(sip::split_list).take(MAX_CONTACTS);
        let own = contacts.into_iter().find(|entry| self.agent.is_own_contact(entry));
        let granted = own.and_then(|entry| sip::param(entry, "expires"));
        let granted = granted.or_else(|| answer.message.header("Expires").map(str::to_owned));
        let expires_s = granted.and_then(|text| text.trim().parse::<u32>().ok());
        if let Some(seconds) = expires_s.filter(|seconds| is_wanted && *seconds >= MIN_REFRESH) {
            let granted = Duration::from_secs(seconds.min(MAX_INTERVAL).into());
            registration.state = State::Refresh(now + granted * 4 / 5);
        }
        self.event(Event::Registered { status: answer.status, contact_ok: own.is_some(), expires_s });
    }

    pub(super) fn on_registration_timeout(&mut self, now: Instant) {
        let Some(registration) = self.registration.as_mut().filter(|r| r.wake_at().is_some_and(|at| at <= now)) else {
            return;
        };
        match std::mem::replace(&mut registration.state, State::Done) {
            State::Pending(_) => self.fail(self.silence("REGISTER")),
            State::Refresh(_) => self.send_register(now, None),
            State::Done => {}
        }
    }
}
