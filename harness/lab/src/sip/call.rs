//! One call: INVITE to BYE, and what belongs to its dialog.

use std::time::{Duration, Instant};

use ringfence_wire::sip::{Builder, Message, uri};
use tokio::time::{sleep_until, timeout};

use super::login::Asks;
use super::reply::reply;
use super::request::Request;
use super::{ALLOW, Event, Outgoing, Session, built, new_tag};
use crate::fault::Fault;
use crate::figures::{ACK_LIMIT, SIP_REALM, SIP_T1, SIP_T2};
use crate::media::{Answered, MediaCall};
use crate::random;

/// How long media may say goodbye. House.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// A call of this connection; there is one at a time.
pub(super) struct Call {
    number: u64,
    username: String,
    invite: Message,
    offer: String,
    call_id: String,
    branch: String,
    invite_cseq: u32,
    remote_cseq: u32,
    local_tag: String,
    remote_tag: String,
    remote_target: String,
    stage: Stage,
}

enum Stage {
    /// The offer is being answered.
    Ringing,
    Up(Box<Up>),
}

struct Up {
    media: MediaCall,
    answer: String,
    /// The 200, as it was sent.
    ok: Vec<u8>,
    /// Until the ACK has come. RFC 3261, section 13.3.1.4: on reliable transports too.
    resend: Option<Resend>,
}

struct Resend {
    at: Instant,
    wait: Duration,
    until: Instant,
}

/// The next event of a call that is up.
pub(super) async fn event(call: &mut Option<Call>) -> Event {
    let Some(Call { stage: Stage::Up(up), .. }) = call else { return std::future::pending().await };
    let Up { media, resend, .. } = up.as_mut();
    let resending = async {
        match resend {
            Some(resend) => sleep_until(resend.at.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = media.ended() => Event::MediaEnded,
        () = resending => Event::Resend,
    }
}

impl Session {
    pub(super) fn invite(&mut self, request: &Request, now: Instant) -> Outgoing {
        if let Some(call) = self.call.as_ref().filter(|call| call.is_repeated_by(request)) {
            return call.said_again(&self.contact());
        }
        match self.admits(request) {
            None => {}
            Some(true) => return self.ring(request, None, now),
            Some(false) => return built(reply(&request.raw, 403, "Forbidden", None)),
        }
        let bare = ["Authorization", "Proxy-Authorization"].iter().all(|field| request.raw.header(field).is_none());
        if bare && self.shared.faults.broken(Fault::InviteUnauthenticated) {
            let username = self.registered.as_ref().and_then(|registered| registered.username.clone());
            return self.begin_call(request, username, now);
        }
        let username = match self.login(request, Asks::Proxy, now) {
            Ok(username) => username,
            Err(response) => return response,
        };
        let mine = self.registered.as_ref().is_some_and(|registered| {
            registered.until > now
                && registered.username.as_ref() == Some(&username)
                && registered.aor == request.from.aor
        });
        if !mine {
            return built(reply(&request.raw, 403, "Forbidden", None));
        }
        self.begin_call(request, Some(username), now)
    }

    /// Rings whom the request names, another visitor or the desk, for this user; without one for anybody.
    fn begin_call(&mut self, request: &Request, username: Option<String>, now: Instant) -> Outgoing {
        let refuse = |status, reason| built(reply(&request.raw, status, reason, None));
        let aor = format!("sip:{}@{}", request.user, request.host);
        if let Some(visitor) = self.shared.directory.find(&aor, self.id, now) {
            return self.pass_on(visitor, request, username, now);
        }
        if request.host != SIP_REALM || !self.may_call(&request.user, username.as_deref()) {
            return refuse(404, "Not Found");
        }
        self.ring(request, username, now)
    }

    /// Begins the call of a user who may call there.
    fn ring(&mut self, request: &Request, username: Option<String>, now: Instant) -> Outgoing {
        let refuse = |status, reason| built(reply(&request.raw, status, reason, None));
        if !is_sdp(&request.raw) {
            return built(reply(&request.raw, 415, "Unsupported Media Type", None).header("Accept", "application/sdp"));
        }
        let (Ok(offer), Some(remote_tag), Some(remote_target)) = (
            String::from_utf8(request.raw.body.clone()),
            request.from.tag.clone(),
            request.raw.header("Contact").and_then(uri).map(str::to_owned),
        ) else {
            return refuse(400, "Bad Request");
        };
        let begun = username
            .as_ref()
            .is_none_or(|user| self.shared.accounts.begin_call(user, &request.from.aor, self.id, now).is_ok());
        if self.call.is_some() || !begun {
            return refuse(403, "Forbidden");
        }
        self.calls_begun += 1;
        let number = self.calls_begun;
        let call = Call {
            number,
            username: username.unwrap_or_default(),
            invite: request.raw.clone(),
            offer: offer.clone(),
            call_id: request.call_id.clone(),
            branch: request.branch.clone(),
            invite_cseq: request.cseq,
            remote_cseq: request.cseq,
            local_tag: new_tag(),
            remote_tag,
            remote_target,
            stage: Stage::Ringing,
        };
        let callee = self.shared.callee.clone();
        self.answering.spawn(async move { (number, callee.answer(&offer).await) });
        let said = call.said_again(&self.contact());
        self.call = Some(call);
        said
    }

    pub(super) fn answered(&mut self, number: u64, answered: Answered, now: Instant) -> Outgoing {
        let contact = self.contact();
        let Some(call) = self.call.as_mut().filter(|call| call.number == number) else { return Outgoing::new() };
        match answered {
            Answered::Accepted { sdp, call: media } => {
                let ok = built(call.ok(&call.invite, &sdp, &contact));
                let first = ok.first().cloned().unwrap_or_default();
                let resend = Some(Resend { at: now + SIP_T1, wait: SIP_T1, until: now + ACK_LIMIT });
                call.stage = Stage::Up(Box::new(Up { media, answer: sdp, ok: first, resend }));
                self.note("INVITE", "", &ok);
                ok
            }
            Answered::Refused { status, reason } => {
                let phrase = match status {
                    400 => "Bad Request",
                    488 => "Not Acceptable Here",
                    500 => "Server Internal Error",
                    _ => "Refused",
                };
                let refused = reply(&call.invite, status, phrase, Some(&call.local_tag));
                let out = built(refused.header("Warning", format!("399 {SIP_REALM} \"{reason}\"")));
                self.note("INVITE", "", &out);
                self.end_call(now);
                out
            }
        }
    }

    pub(super) fn answering_failed(&mut self, now: Instant) -> Outgoing {
        let Some(call) = self.call.as_ref().filter(|call| matches!(call.stage, Stage::Ringing)) else {
            return Outgoing::new();
        };
        let out = built(reply(&call.invite, 500, "Server Internal Error", Some(&call.local_tag)));
        self.end_call(now);
        out
    }

    pub(super) fn acknowledge(&mut self, request: &Request) -> Outgoing {
        if let Some(call) = self.call.as_mut().filter(|call| call.has(request) && call.invite_cseq == request.cseq)
            && let Stage::Up(up) = &mut call.stage
        {
            up.resend = None;
        }
        Outgoing::new()
    }

    pub(super) fn cancel(&mut self, request: &Request) -> Outgoing {
        if let Some(out) = self.cancel_passed(request) {
            return out;
        }
        let Some(call) = self.call.as_ref().filter(|call| call.is_repeated_by(request)) else {
            return no_such_call(request);
        };
        let mut out = built(reply(&request.raw, 200, "OK", Some(&call.local_tag)));
        if matches!(call.stage, Stage::Ringing) {
            out.extend(call.terminated());
            self.end_call(Instant::now());
        }
        out
    }

    pub(super) fn bye(&mut self, request: &Request, now: Instant) -> Outgoing {
        let Some(call) = self.call.as_mut().filter(|call| call.has(request)) else { return no_such_call(request) };
        if !call.is_next(request) {
            return out_of_order(request);
        }
        let mut out = Outgoing::new();
        if matches!(call.stage, Stage::Ringing) {
            out.extend(call.terminated());
        }
        out.extend(built(reply(&request.raw, 200, "OK", None)));
        self.end_call(now);
        out
    }

    /// A session refresh, which repeats the offer, gets the same answer; an ICE restart a new one. Another change is refused and
    /// changes nothing.
    pub(super) fn reinvite(&mut self, request: &Request) -> Outgoing {
        let contact = self.contact();
        let Some(call) = self.call.as_mut().filter(|call| call.has(request)) else { return no_such_call(request) };
        if !call.is_next(request) {
            return out_of_order(request);
        }
        if let Stage::Up(up) = &mut call.stage
            && request.raw.body != call.offer.as_bytes()
            && let Ok(offer) = String::from_utf8(request.raw.body.clone())
            && let Some(answer) = up.media.restart(&offer)
        {
            (up.answer, call.offer) = (answer, offer);
        }
        match &call.stage {
            Stage::Up(up) if request.raw.body == call.offer.as_bytes() => {
                built(call.ok(&request.raw, &up.answer, &contact))
            }
            _ => built(reply(&request.raw, 488, "Not Acceptable Here", None)),
        }
    }

    pub(super) fn info(&mut self, request: &Request) -> Outgoing {
        let Some(call) = self.call.as_mut().filter(|call| call.has(request)) else { return no_such_call(request) };
        if !call.is_next(request) {
            return out_of_order(request);
        }
        built(reply(&request.raw, 200, "OK", None))
    }

    /// Ends the call from this side, down the same socket.
    pub(super) fn hang_up(&mut self, now: Instant) -> Outgoing {
        let Some(call) = &self.call else { return Outgoing::new() };
        let out = built(call.bye(&self.shared.host));
        self.end_call(now);
        out
    }

    pub(super) fn resend(&mut self, now: Instant) -> Outgoing {
        let Some(Call { stage: Stage::Up(up), .. }) = &mut self.call else { return Outgoing::new() };
        let Some(resend) = &mut up.resend else { return Outgoing::new() };
        if now >= resend.until {
            return self.hang_up(now);
        }
        resend.wait = (resend.wait * 2).min(SIP_T2);
        resend.at = now + resend.wait;
        vec![up.ok.clone()]
    }

    /// Forgets the call, lets its media say goodbye, and tells the accounts.
    pub(super) fn end_call(&mut self, now: Instant) {
        let Some(call) = self.call.take() else { return };
        match call.stage {
            Stage::Ringing => {
                self.answering.abort_all();
                self.shared.accounts.undo_call(&call.username, self.id);
            }
            Stage::Up(up) => {
                self.shared.accounts.end_call(&call.username, self.id, now);
                let mut media = up.media;
                media.stop();
                while self.ending.try_join_next().is_some() {}
                self.ending.spawn(async move {
                    let _ = timeout(GOODBYE_LIMIT, media.ended()).await;
                });
            }
        }
    }

    /// Whether this is the only one whom the user's pair may call; for nobody's call, whether it is there at all.
    fn may_call(&self, callee: &str, username: Option<&str>) -> bool {
        let own = username.map(|username| self.shared.accounts.endpoint(username));
        let endpoints = self.shared.endpoints.iter().enumerate();
        let mut allowed = endpoints.filter(|(index, _)| own.is_none_or(|own| own == Some(*index)));
        allowed.any(|(_, endpoint)| callee == format!("app-{}", endpoint.application_sid))
    }

    fn contact(&self) -> String {
        format!("<sip:desk@{};transport=ws>", self.shared.host)
    }
}

impl Call {
    /// Whether the request belongs to the dialog.
    fn has(&self, request: &Request) -> bool {
        self.call_id == request.call_id
            && request.from.tag.as_ref() == Some(&self.remote_tag)
            && request.to.tag.as_ref() == Some(&self.local_tag)
    }

    /// Whether the request is of the INVITE's own transaction: itself once more, or its CANCEL.
    fn is_repeated_by(&self, request: &Request) -> bool {
        self.call_id == request.call_id && self.branch == request.branch && self.invite_cseq == request.cseq
    }

    /// Whether the request comes in order. RFC 3261, section 12.2.2.
    fn is_next(&mut self, request: &Request) -> bool {
        let next = request.cseq > self.remote_cseq;
        self.remote_cseq = self.remote_cseq.max(request.cseq);
        next
    }

    fn said_again(&self, contact: &str) -> Outgoing {
        match &self.stage {
            Stage::Up(up) => vec![up.ok.clone()],
            Stage::Ringing => {
                let ringing = reply(&self.invite, 180, "Ringing", Some(&self.local_tag)).header("Contact", contact);
                let mut out = built(reply(&self.invite, 100, "Trying", None));
                out.extend(built(ringing));
                out
            }
        }
    }

    fn ok(&self, invite: &Message, answer: &str, contact: &str) -> Builder {
        reply(invite, 200, "OK", Some(&self.local_tag))
            .header("Contact", contact)
            .header("Allow", ALLOW)
            .body("application/sdp", answer)
    }

    fn terminated(&self) -> Outgoing {
        built(reply(&self.invite, 487, "Request Terminated", Some(&self.local_tag)))
    }

    fn bye(&self, host: &str) -> Builder {
        let header = |name| self.invite.header(name).unwrap_or_default();
        Builder::request("BYE", &self.remote_target)
            .header("Via", format!("SIP/2.0/WSS {host};branch=z9hG4bK{}", random::hex::<8>()))
            .header("Max-Forwards", "70")
            .header("From", format!("{};tag={}", header("To"), self.local_tag))
            .header("To", header("From"))
            .header("Call-ID", &self.call_id)
            .header("CSeq", "1 BYE")
    }
}

fn is_sdp(invite: &Message) -> bool {
    let kind = invite.header("Content-Type").and_then(|value| value.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/sdp") && !invite.body.is_empty()
}

fn no_such_call(request: &Request) -> Outgoing {
    built(reply(&request.raw, 481, "Call/Transaction Does Not Exist", None))
}

fn out_of_order(request: &Request) -> Outgoing {
    built(reply(&request.raw, 500, "Server Internal Error", None))
}
