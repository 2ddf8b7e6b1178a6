//! What both sides of a call remember: RFC 3261 section 12, seen from the caller.

use ringfence_wire::sip;

use super::message::{Answer, Draft};
use super::timer::SessionTimer;

/// What a request needs to claim that it belongs to a dialog, from whichever connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialogIds {
    /// Call-ID.
    pub call_id: String,
    /// Our side with its tag, as From.
    pub local: String,
    /// The far side with its tag, as To.
    pub remote: String,
    /// Request-URI.
    pub target: String,
    /// Route entries, nearest first.
    pub routes: Vec<String>,
    /// Number of the request.
    pub cseq: u32,
}

impl DialogIds {
    /// Those of the call that this answer to our INVITE began; the number is one that the call itself has not come to.
    /// None where a field that makes a dialog is missing.
    pub fn of_answer(headers: &[(String, String)]) -> Option<Self> {
        let message = sip::Message {
            start_line: sip::StartLine::Response { status: 200, reason: String::new() },
            headers: headers.to_vec(),
            body: Vec::new(),
        };
        let field = |name: &str| message.header(name).map(str::to_owned);
        let remote = field("To").filter(|to| sip::tag(to).is_some())?;
        let (number, _) = message.cseq()?;
        Some(Self {
            call_id: field("Call-ID")?,
            local: field("From")?,
            remote,
            target: contact(&message)?,
            routes: routes(&message),
            cseq: number.saturating_add(NUMBERS_AHEAD),
        })
    }

    /// A request with these.
    pub(super) fn draft(&self, method: &str) -> Draft {
        let (local, remote) = (self.local.clone(), self.remote.clone());
        let mut draft = Draft::new(method, self.target.clone(), local, remote, self.call_id.clone());
        draft.routes = self.routes.clone();
        draft.cseq = self.cseq;
        draft
    }
}

/// How far ahead of a call's own numbers a request from elsewhere is (house): a number that was used is refused for that
/// alone, RFC 3261, section 12.2.2.
const NUMBERS_AHEAD: u32 = 1000;

/// A call that was answered, or may yet be.
pub(super) struct Dialog {
    pub call_id: String,
    /// Our side, as From of what we send.
    pub local: String,
    pub local_tag: String,
    /// The far side, as To of what we send.
    pub remote: String,
    pub remote_tag: String,
    /// The far side's Contact, as it is written: masked or unroutable, it still belongs in the Request-URI.
    pub target: String,
    /// Whole entries, nearest first.
    routes: Vec<String>,
    pub local_cseq: u32,
    pub remote_cseq: Option<u32>,
    /// Session timer, where one was agreed on.
    pub timer: Option<SessionTimer>,
    /// The far side has not said otherwise: neither by its Allow, nor by refusing one.
    pub knows_update: bool,
}

impl Dialog {
    /// From an answer to `invite` that has a tag. RFC 3261, section 12.1.2.
    pub fn new(invite: &Draft, answer: &Answer) -> Self {
        let message = &answer.message;
        let remote = message.header("To").unwrap_or(&invite.to).to_owned();
        let target = contact(message).unwrap_or_else(|| invite.uri.clone());
        let mut allowed = message.headers("Allow").flat_map(sip::split_list).peekable();
        let knows_update = allowed.peek().is_none() || allowed.any(|method| method.eq_ignore_ascii_case("UPDATE"));
        Self {
            call_id: invite.call_id.clone(),
            local: invite.from.clone(),
            local_tag: sip::tag(&invite.from).unwrap_or_default(),
            remote_tag: sip::tag(&remote).unwrap_or_default(),
            remote,
            target,
            routes: routes(message),
            local_cseq: invite.cseq,
            remote_cseq: None,
            timer: None,
            knows_update,
        }
    }

    /// The next request within this call.
    pub fn draft(&mut self, method: &str) -> Draft {
        self.local_cseq = self.local_cseq.saturating_add(1);
        Draft { cseq: self.local_cseq, ..self.addressed(method) }
    }

    /// A request under the number of the INVITE: its ACK.
    pub fn ack(&self, invite_cseq: u32) -> Draft {
        Draft { cseq: invite_cseq, ..self.addressed("ACK") }
    }

    /// Request-URI and Route. RFC 3261, section 12.2.1.1: a first route without `lr` is an old strict router, which wants
    /// to be the Request-URI itself.
    fn addressed(&self, method: &str) -> Draft {
        let (local, remote) = (self.local.clone(), self.remote.clone());
        let mut draft = Draft::new(method, self.target.clone(), local, remote, self.call_id.clone());
        draft.routes = self.routes.clone();
        if let Some(strict) = self.routes.first().and_then(|route| sip::uri(route)).filter(|uri| !is_loose(uri)) {
            draft.uri = strict.to_owned();
            draft.routes.remove(0);
            draft.routes.push(format!("<{}>", self.target));
        }
        draft
    }
}

/// Proxies of one call that are remembered, the nearest ones, and bytes of their entries in all (house): a call has a handful,
/// and a request that names thousands could be read by nobody.
const MAX_ROUTES: usize = 32;
const MAX_ROUTE_BYTES: usize = 16 * 1024;
/// Longest Request-URI that a far side may make us write, in bytes (house).
const MAX_TARGET_BYTES: usize = 4096;

/// The way back along the proxies, nearest first. RFC 3261, section 12.1.2.
fn routes(message: &sip::Message) -> Vec<String> {
    let mut routes: Vec<String> =
        message.headers("Record-Route").flat_map(sip::split_list).map(str::to_owned).collect();
    routes.reverse();
    let mut bytes = 0;
    let fits = |route: &String| {
        bytes += route.len();
        bytes <= MAX_ROUTE_BYTES
    };
    routes.into_iter().take(MAX_ROUTES).take_while(fits).collect()
}

/// The URI of the first Contact.
pub(super) fn contact(message: &sip::Message) -> Option<String> {
    let first = message.headers("Contact").flat_map(sip::split_list).next()?;
    let sound = |uri: &&str| (1..=MAX_TARGET_BYTES).contains(&uri.len()) && !uri.contains(char::is_whitespace);
    sip::uri(first).filter(sound).map(str::to_owned)
}

fn is_loose(uri: &str) -> bool {
    let parameters = uri.split('?').next().unwrap_or_default().split(';').skip(1);
    parameters
        .map(|parameter| parameter.split('=').next().unwrap_or_default())
        .any(|name| name.trim().eq_ignore_ascii_case("lr"))
}
