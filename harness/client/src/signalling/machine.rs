//! The machine itself: what comes in goes to the part that it belongs to, what goes out waits in one queue.

use std::collections::VecDeque;
use std::time::Instant;

use ringfence_model::{Secret, Untrusted};
use ringfence_wire::sip;

use super::auth::{Authenticator, Credentials};
use super::invite::Invite;
use super::message::{Agent, Answer, Draft, Received, read};
use super::registration::Registration;
use super::{Event, FinalAnswer, Input, Output, SignallingPlan, Within};
use crate::Failure;

/// Requests of ours, beside INVITE and REGISTER, that may wait for an answer.
const MAX_PENDING: usize = 16;

/// One signalling connection with at most one registration and one call. See the [module](super).
pub struct Signalling {
    pub(super) plan: SignallingPlan,
    pub(super) agent: Agent,
    open: bool,
    outputs: VecDeque<Output>,
    pub(super) registration: Option<Registration>,
    pub(super) invite: Option<Invite>,
    requests: Vec<Pending>,
    /// The last message that could not be read: the likely reason of a later timeout.
    unreadable: Option<Failure>,
    pub(super) began: Instant,
    pub(super) peer_requests: u64,
    /// The far side asks too much.
    pub(super) stormed: bool,
}

/// A request that waits for its final answer.
pub(super) struct Pending {
    pub draft: Draft,
    pub branch: String,
    pub auth: Authenticator,
    pub deadline: Instant,
    /// The caller hears of its answer.
    pub reported: bool,
}

impl Signalling {
    /// A machine for one connection, which is not open yet.
    pub fn new(now: Instant, plan: SignallingPlan) -> Self {
        let agent = Agent::new(&plan);
        Self {
            plan,
            agent,
            open: false,
            outputs: VecDeque::new(),
            registration: None,
            invite: None,
            requests: Vec::new(),
            unreadable: None,
            began: now,
            peer_requests: 0,
            stormed: false,
        }
    }

    /// Takes one input. Poll afterwards.
    pub fn input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Opened => self.open = true,
            // What was on its way when the connection went has nobody to be answered to.
            Input::Message(bytes) if self.open => self.on_message(now, bytes),
            Input::Message(_) => {}
            Input::Closed => self.on_closed(),
            Input::Timeout => self.on_timeout(now),
            Input::Close => {
                self.open = false;
                self.registration = None;
                self.invite = None;
                self.requests.clear();
            }
            _ if !self.open => self.fail(Failure::closed("the signalling connection is not open")),
            Input::Register { login, times } => self.register(now, login, times),
            Input::Unregister => {
                if !self.unregister(now) {
                    self.event(Event::Unregistered);
                }
            }
            Input::Invite { sdp, headers } => self.invite(now, sdp, headers),
            Input::Request { method, headers, body, within } => self.request(now, &method, headers, body, &within),
            Input::Answer { sdp } => self.answer_change(now, sdp),
            Input::Change { sdp } => self.change(now, sdp),
            Input::Cancel => self.cancel(now),
            Input::Bye => self.bye(now),
        }
    }

    /// What to do next; see the [module](super).
    pub fn poll(&mut self) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        let registration = self.registration.as_ref().and_then(Registration::wake_at);
        let invite = self.invite.as_ref().and_then(Invite::wake_at);
        let requests = self.requests.iter().map(|pending| pending.deadline).min();
        match [registration, invite, requests].into_iter().flatten().min() {
            Some(at) => Output::Timeout(at),
            None => Output::Idle,
        }
    }

    fn on_message(&mut self, now: Instant, bytes: &[u8]) {
        if sip::is_keepalive(bytes) {
            if bytes == sip::KEEPALIVE_PING {
                self.transmit(sip::KEEPALIVE_PONG.to_vec());
            }
            return;
        }
        match read(bytes) {
            Ok(Received::Request(message)) => self.on_request(now, &message),
            Ok(Received::Answer(answer)) => self.on_answer(now, answer),
            Err(failure) => self.unreadable = Some(failure),
        }
    }

    fn on_answer(&mut self, now: Instant, answer: Answer) {
        let matches = |pending: &Pending| {
            pending.branch == answer.branch
                && pending.draft.method == answer.method
                && pending.draft.cseq == answer.cseq
        };
        if self.registration.as_ref().and_then(Registration::pending).is_some_and(matches) {
            self.on_register_answer(now, &answer);
        } else if let Some(index) = self.requests.iter().position(matches) {
            if answer.status >= 200 {
                let pending = self.requests.swap_remove(index);
                self.on_request_answer(now, pending, answer);
            }
        } else if answer.method == "INVITE" {
            self.on_invite_answer(now, answer);
        }
    }

    fn on_request_answer(&mut self, now: Instant, mut pending: Pending, answer: Answer) {
        if matches!(answer.status, 401 | 407)
            && let Some(credentials) = self.own_credentials()
            && pending.auth.take(&answer.message, self.plan.algorithm)
        {
            self.tell_final(&pending, &answer);
            if pending.draft.method == "INVITE" {
                if pending.reported {
                    self.acknowledge_foreign(&pending.draft, &answer);
                } else {
                    self.acknowledge_reinvite(&pending.draft, &answer);
                }
            }
            pending.draft.cseq = self.next_cseq(&pending.draft);
            self.send_pending(now, pending, Some(&credentials));
            return;
        }
        self.tell_final(&pending, &answer);
        match pending.draft.method.as_str() {
            "INVITE" if pending.reported => self.acknowledge_foreign(&pending.draft, &answer),
            "BYE" if pending.reported => {}
            "BYE" => self.on_bye_answer(),
            "UPDATE" | "INVITE" if !pending.reported => self.on_refresh_answer(now, pending.draft.clone(), &answer),
            _ => {}
        }
        if pending.reported {
            self.event(Event::Answer {
                method: pending.draft.method,
                status: answer.status,
                reason: Untrusted::new(answer.reason),
                headers: answer.message.headers,
            });
        }
    }

    fn tell_final(&mut self, pending: &Pending, answer: &Answer) {
        if pending.reported {
            self.event(Event::FinalAnswer(FinalAnswer::of(answer)));
        }
    }

    /// ACK of a final answer to an INVITE within a dialog that is not the call of this connection.
    fn acknowledge_foreign(&mut self, draft: &Draft, answer: &Answer) {
        let to = answer.message.header("To").unwrap_or(&draft.to).to_owned();
        let ack = Draft { method: "ACK".into(), headers: Vec::new(), body: None, to, ..draft.clone() };
        let written = if answer.status < 300 {
            self.agent.write(&ack, &[]).map(|(bytes, _)| bytes)
        } else {
            self.agent.write_with(&ack, &[], &answer.branch)
        };
        match written {
            Ok(bytes) => self.transmit(bytes),
            Err(failure) => self.fail(failure),
        }
    }

    fn on_closed(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let registering = self.registration.take().is_some_and(|registration| registration.pending().is_some());
        let calling = self.invite.take().is_some_and(|invite| invite.is_live());
        let asking = self.requests.drain(..).any(|pending| pending.reported);
        if registering || calling || asking {
            self.fail(Failure::closed("the target closed the signalling connection"));
        }
    }

    fn on_timeout(&mut self, now: Instant) {
        self.on_registration_timeout(now);
        self.on_invite_timeout(now);
        while let Some(index) = self.requests.iter().position(|pending| pending.deadline <= now) {
            let pending = self.requests.swap_remove(index);
            if pending.draft.method == "BYE" && !pending.reported {
                self.on_bye_answer(); // nobody has to agree to a hang-up
            } else if pending.reported {
                self.fail(self.silence(&pending.draft.method));
            } else if matches!(pending.draft.method.as_str(), "INVITE" | "UPDATE") {
                self.on_refresh_silence(now, &pending.draft);
            }
        }
    }

    fn request(
        &mut self,
        now: Instant,
        method: &str,
        headers: Vec<(String, String)>,
        body: Option<(String, Vec<u8>)>,
        within: &Within,
    ) {
        let draft = match within {
            Within::Nothing => Some(self.outside_draft(method)),
            Within::Call => self.dialog_draft(method),
            Within::Other(ids) => Some(ids.draft(method)),
        };
        let Some(mut draft) = draft else {
            return self.fail(Failure::closed(format!("{method}: there is no call")));
        };
        draft.add(headers);
        draft.body = body;
        self.send_request(now, draft, true);
    }

    /// Whether a re-INVITE of ours waits for its answer.
    pub(super) fn is_changing(&self) -> bool {
        self.requests.iter().any(|pending| pending.draft.method == "INVITE")
    }

    /// Whether a refresh of ours waits for its answer.
    pub(super) fn is_refreshing(&self) -> bool {
        self.requests.iter().any(|pending| matches!(pending.draft.method.as_str(), "INVITE" | "UPDATE"))
    }

    /// Sends a request that is neither a call's first INVITE nor REGISTER.
    pub(super) fn send_request(&mut self, now: Instant, draft: Draft, reported: bool) {
        let auth = Authenticator::default();
        self.send_pending(now, Pending { draft, branch: String::new(), auth, deadline: now, reported }, None);
    }

    fn send_pending(&mut self, now: Instant, mut pending: Pending, credentials: Option<&Credentials>) {
        if self.requests.len() >= MAX_PENDING {
            return self.fail(Failure::protocol("too many requests wait for an answer"));
        }
        if self.send(now, &mut pending, credentials) {
            self.requests.push(pending);
        }
    }

    /// Writes a request with a new branch. False, and told, where it cannot be written.
    pub(super) fn send(&mut self, now: Instant, pending: &mut Pending, credentials: Option<&Credentials>) -> bool {
        let headers = credentials
            .map(|who| pending.auth.headers(who, &pending.draft.method, &pending.draft.uri, &mut self.agent));
        match self.agent.write(&pending.draft, &headers.unwrap_or_default()) {
            Ok((bytes, branch)) => {
                pending.branch = branch;
                pending.deadline = now + self.plan.transaction;
                self.transmit(bytes);
                true
            }
            Err(failure) => {
                self.fail(failure);
                false
            }
        }
    }

    /// A request outside any dialog, to the plan's target.
    pub(super) fn outside_draft(&mut self, method: &str) -> Draft {
        let from = format!("<{}>;tag={}", self.aor(), self.agent.random(10));
        let to = format!("<{}>", self.plan.target_uri);
        let call_id = self.agent.random(20);
        Draft::new(method, self.plan.target_uri.clone(), from, to, call_id)
    }

    pub(super) fn aor(&self) -> String {
        format!("sip:{}@{}", self.plan.aor_user, self.plan.realm)
    }

    pub(super) fn own_credentials(&self) -> Option<Credentials> {
        let password: Secret = self.plan.password.clone()?;
        Some(Credentials { username: self.plan.username.clone()?, password })
    }

    /// The reason of a missing answer.
    pub(super) fn silence(&self, method: &str) -> Failure {
        match &self.unreadable {
            Some(failure) => failure.clone(),
            None => Failure::timeout(format!("no final answer to {method} within {:?}", self.plan.transaction)),
        }
    }

    pub(super) fn transmit(&mut self, bytes: Vec<u8>) {
        self.outputs.push_back(Output::Transmit(bytes));
    }

    pub(super) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.event(Event::Failed(failure));
    }
}
