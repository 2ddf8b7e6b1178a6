//! INVITEs from one visitor to another. The agent stands between them as a proxy (RFC 3261, section 16) that takes out what
//! only an operator may say; it joins nobody, so that an answered call is hung up and the caller hears 480.

use std::collections::VecDeque;
use std::time::Instant;

use ringfence_wire::sip::{Builder, Message, StartLine, param, split_list, uri};
use tokio::time::sleep_until;

use super::directory::{Post, Poster};
use super::reply::reply;
use super::request::Request;
use super::{Outgoing, Session, built};
use crate::fault::Fault;
use crate::figures::{MAX_PASSED, PASSED_LIMIT};
use crate::random;

/// Header fields whose say is the operator's alone: who the caller is (RFC 3325, section 5; RFC 3323), and one that stands for
/// whatever else an edge removes.
const OPERATORS_OWN: [&str; 3] = ["P-Asserted-Identity", "Remote-Party-ID", "X-Ringfence-Strip"];
/// Meant for this agent and nobody behind it. RFC 3261, sections 16.4 and 22.3.
const MEANT_FOR_US: [&str; 3] = ["Authorization", "Proxy-Authorization", "Route"];

/// An INVITE of this connection's that another visitor is to answer.
pub(super) struct Placed {
    request: Message,
    call_id: String,
    /// Branch of the caller's own Via.
    branch: String,
    cseq: u32,
    username: Option<String>,
    /// Branch of our Via.
    our_branch: String,
    callee: Poster,
    until: Instant,
}

/// An INVITE of another connection's that this visitor is to answer.
pub(super) struct Delivered {
    branch: String,
    invite: Message,
    back: Poster,
}

/// Ready when the other visitor has had his time.
pub(super) async fn expiry(placed: &Option<Placed>) {
    match placed {
        Some(placed) => sleep_until(placed.until.into()).await,
        None => std::future::pending().await,
    }
}

impl Placed {
    fn is_of(&self, request: &Request) -> bool {
        self.call_id == request.call_id && self.branch == request.branch && self.cseq == request.cseq
    }
}

impl Session {
    /// Passes the INVITE of this user on to another visitor.
    pub(super) fn pass_on(
        &mut self,
        callee: Poster,
        request: &Request,
        user: Option<String>,
        now: Instant,
    ) -> Outgoing {
        let refuse = |status, reason| built(reply(&request.raw, status, reason, None));
        if self.placed.as_ref().is_some_and(|placed| placed.is_of(request)) {
            return refuse(100, "Trying"); // the same once more
        }
        let hops = request.raw.header("Max-Forwards").map_or(Ok(70), str::parse::<u8>);
        let Ok(hops) = hops else { return refuse(400, "Bad Request") };
        let Some(hops) = hops.checked_sub(1) else { return refuse(483, "Too Many Hops") };
        let accounts = &self.shared.accounts;
        let begun = |user: &String| accounts.begin_call(user, &request.from.aor, self.id, now).is_ok();
        if self.placed.is_some() || self.call.is_some() || !user.as_ref().is_none_or(begun) {
            return refuse(403, "Forbidden");
        }
        let our_branch = format!("z9hG4bK{}", random::hex::<8>());
        let invite = self.stripped(request, &our_branch, hops);
        let post = Post::Invite { branch: our_branch.clone(), invite: Box::new(invite), back: self.poster.clone() };
        if callee.try_send(post).is_err() {
            self.undo_call(user.as_deref());
            return refuse(480, "Temporarily Unavailable");
        }
        self.placed = Some(Placed {
            request: request.raw.clone(),
            call_id: request.call_id.clone(),
            branch: request.branch.clone(),
            cseq: request.cseq,
            username: user,
            our_branch,
            callee,
            until: now + PASSED_LIMIT,
        });
        refuse(100, "Trying")
    }

    /// The request as another visitor gets it.
    fn stripped(&self, request: &Request, our_branch: &str, hops: u8) -> Message {
        let by_written_name = self.shared.faults.broken(Fault::HeaderSpaceSmuggled);
        let overlooked = |field: &(String, String)| by_written_name && request.spaced.contains(field);
        let among = |names: &[&str], name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let mut passed = request.raw.clone();
        passed.headers.retain(|field| {
            let (name, _) = field;
            let replaced = among(&["Max-Forwards"], name) || among(&MEANT_FOR_US, name);
            !replaced && (!among(&OPERATORS_OWN, name) || overlooked(field))
        });
        let via = format!("SIP/2.0/WSS {};branch={our_branch}", self.shared.host);
        passed.headers.insert(0, ("Via".into(), via));
        passed.headers.push(("Max-Forwards".into(), hops.to_string()));
        passed
    }

    /// The caller has lost interest.
    pub(super) fn cancel_passed(&mut self, request: &Request) -> Option<Outgoing> {
        let placed = self.placed.take_if(|placed| placed.is_of(request))?;
        let mut out = built(reply(&request.raw, 200, "OK", None));
        out.extend(self.give_up(placed, 487, "Request Terminated"));
        Some(out)
    }

    /// The other visitor has not answered in time.
    pub(super) fn passed_expired(&mut self) -> Outgoing {
        let Some(placed) = self.placed.take() else { return Outgoing::new() };
        self.give_up(placed, 408, "Request Timeout")
    }

    fn give_up(&self, placed: Placed, status: u16, reason: &str) -> Outgoing {
        self.undo_call(placed.username.as_deref());
        let _ = placed.callee.try_send(Post::Cancel { branch: placed.our_branch }); // gone, or so busy that it is as good as
        built(reply(&placed.request, status, reason, None))
    }

    fn undo_call(&self, username: Option<&str>) {
        if let Some(username) = username {
            self.shared.accounts.undo_call(username, self.id);
        }
    }

    /// Takes what another connection says.
    pub(super) fn posted(&mut self, post: Post) -> Outgoing {
        match post {
            Post::Invite { branch, invite, back } => {
                let out = vec![invite.emit()];
                deliver(&mut self.delivered, Delivered { branch, invite: *invite, back });
                out
            }
            Post::Answer { branch, answer } => self.passed_back(&branch, *answer),
            Post::Cancel { branch } => {
                let delivered = self.delivered.iter().find(|delivered| delivered.branch == branch);
                delivered.map(|delivered| built(hop(&delivered.invite, "CANCEL", None))).unwrap_or_default()
            }
        }
    }

    /// An answer to an INVITE of this connection's.
    fn passed_back(&mut self, branch: &str, mut answer: Message) -> Outgoing {
        let Some(status) = answer.status() else { return Outgoing::new() };
        let Some(placed) = self.placed.as_ref().filter(|placed| placed.our_branch == branch) else {
            return Outgoing::new();
        };
        if (200..300).contains(&status) {
            let unjoined = built(reply(&placed.request, 480, "Temporarily Unavailable", None));
            self.end_placed();
            return unjoined;
        }
        if let Some(top) = answer.headers.iter().position(|(name, _)| name.eq_ignore_ascii_case("Via")) {
            answer.headers.remove(top);
        }
        if status >= 300 {
            self.end_placed();
        }
        vec![answer.emit()]
    }

    fn end_placed(&mut self) {
        if let Some(placed) = self.placed.take() {
            self.undo_call(placed.username.as_deref());
        }
    }

    /// An answer that came down this connection: to an INVITE that was delivered here, or else to nothing that matters.
    pub(super) fn answer_came(&mut self, answer: &Message) -> Outgoing {
        let Some((_, "INVITE")) = answer.cseq() else { return Outgoing::new() };
        let Some(status) = answer.status().filter(|status| *status > 100) else { return Outgoing::new() };
        let branch = answer.headers("Via").flat_map(split_list).next().and_then(|via| param(via, "branch"));
        let Some(at) = self.delivered.iter().position(|delivered| Some(&delivered.branch) == branch.as_ref()) else {
            return Outgoing::new();
        };
        let Some(delivered) = self.delivered.get(at) else { return Outgoing::new() };
        let post = Post::Answer { branch: delivered.branch.clone(), answer: Box::new(answer.clone()) };
        let _ = delivered.back.try_send(post); // a caller who is gone needs no answer
        let out = match status {
            ..200 => return Outgoing::new(),
            200..300 => ["ACK", "BYE"]
                .into_iter()
                .flat_map(|method| built(in_dialog(&delivered.invite, answer, method)))
                .collect(),
            _ => built(hop(&delivered.invite, "ACK", answer.header("To"))),
        };
        self.delivered.remove(at);
        out
    }
}

fn deliver(all: &mut VecDeque<Delivered>, one: Delivered) {
    if all.len() == MAX_PASSED {
        all.pop_front();
    }
    all.push_back(one);
}

/// ACK or CANCEL of the INVITE that went over this hop: with its branch, number and names. RFC 3261, sections 9.1 and 17.1.1.3.
fn hop(invite: &Message, method: &str, to: Option<&str>) -> Builder {
    let uri = match &invite.start_line {
        StartLine::Request { uri, .. } => uri.as_str(),
        StartLine::Response { .. } => "",
    };
    let header = |name| invite.header(name).unwrap_or_default();
    let number = invite.cseq().map_or(0, |(number, _)| number);
    Builder::request(method, uri)
        .header("Via", header("Via"))
        .header("Max-Forwards", "70")
        .header("From", header("From"))
        .header("To", to.unwrap_or(header("To")))
        .header("Call-ID", header("Call-ID"))
        .header("CSeq", format!("{number} {method}"))
}

/// ACK or BYE of the call that a 2xx made. RFC 3261, sections 13.2.2.4 and 15.1.1.
fn in_dialog(invite: &Message, answer: &Message, method: &str) -> Builder {
    let number = invite.cseq().map_or(0, |(number, _)| number).saturating_add(u32::from(method == "BYE"));
    let target = answer.header("Contact").and_then(uri).unwrap_or("sip:nobody.invalid");
    let header = |name| invite.header(name).unwrap_or_default();
    let via = header("Via").split(";branch=").next().unwrap_or_default().to_owned();
    Builder::request(method, target)
        .header("Via", format!("{via};branch=z9hG4bK{}", random::hex::<8>()))
        .header("Max-Forwards", "70")
        .header("From", header("From"))
        .header("To", answer.header("To").unwrap_or(header("To")))
        .header("Call-ID", header("Call-ID"))
        .header("CSeq", format!("{number} {method}"))
}

/// The fields of a frame that have a blank between name and colon, as the plain form has them.
pub(super) fn spaced(frame: &[u8]) -> Vec<(String, String)> {
    let lines = frame.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let header = lines.skip(1).take_while(|line| !line.is_empty());
    let fields = header.filter_map(|line| std::str::from_utf8(line).ok()?.split_once(':'));
    let blank = [' ', '\t'];
    fields
        .filter(|(name, _)| name.ends_with(blank) && !name.starts_with(blank))
        .map(|(name, value)| (name.trim_end_matches(blank).to_owned(), value.trim_matches(blank).to_owned()))
        .collect()
}
