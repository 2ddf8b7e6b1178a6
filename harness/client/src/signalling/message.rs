//! Reading messages with `rsipstack` after our own pre-pass, and writing them.

use ringfence_wire::sip::{self, Builder, Message, StartLine};
use rsipstack::sip::prelude::{HeadersExt, ToTypedHeader};
use rsipstack::sip::{Error as SipError, SipMessage};
use sha2::{Digest, Sha256};

use super::{SignallingPlan, Transport};
use crate::Failure;

/// A message that came.
pub(super) enum Received {
    Request(Message),
    Answer(Answer),
}

/// A response, with what finds its request.
pub(super) struct Answer {
    pub status: u16,
    pub reason: String,
    pub branch: String,
    pub cseq: u32,
    pub method: String,
    pub message: Message,
}

/// Reads one message. The pre-pass refuses what parsers are known to disagree on, `rsipstack` what is no SIP; a request
/// with a method that it does not know is still a request, to be answered as such.
pub(super) fn read(bytes: &[u8]) -> Result<Received, Failure> {
    let wrong = |why: String| Failure::protocol(format!("unreadable SIP message: {why}"));
    let prepared = sip::prepare(bytes).map_err(|error| wrong(error.to_string()))?;
    let parsed = SipMessage::try_from(prepared.bytes().as_slice());
    let message = prepared.message;
    let StartLine::Response { status, reason } = &message.start_line else {
        return Ok(Received::Request(message));
    };
    let sip = |error: SipError| wrong(error.to_string());
    let cseq = parsed.map_err(sip)?.cseq_header().and_then(|field| field.clone().typed()).map_err(sip)?;
    let via = message.headers("Via").flat_map(sip::split_list).next();
    let branch = via.and_then(sip::branch).ok_or_else(|| wrong("Via without a branch".into()))?;
    Ok(Received::Answer(Answer {
        status: *status,
        reason: reason.clone(),
        branch,
        cseq: cseq.seq,
        method: cseq.method.to_string(),
        message,
    }))
}

/// Who we are on one connection: what stays the same in all that we send.
pub(super) struct Agent {
    transport: Transport,
    user_agent: String,
    /// RFC 7118, section 5.2: a browser does not know its address, and `.invalid` says so.
    host: String,
    user: String,
    instance: String,
    seed: u64,
    drawn: u64,
}

impl Agent {
    pub fn new(plan: &SignallingPlan) -> Self {
        let mut agent = Self {
            transport: plan.transport,
            user_agent: plan.user_agent.clone(),
            host: String::new(),
            user: String::new(),
            instance: String::new(),
            seed: plan.seed,
            drawn: 0,
        };
        agent.host = format!("{}.invalid", agent.random(12));
        agent.user = agent.random(8);
        agent.instance = agent.uuid();
        agent
    }

    /// `count` characters of 0 to 9 and a to f, at most 64.
    pub fn random(&mut self, count: usize) -> String {
        let drawn =
            Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(self.drawn.to_be_bytes()).finalize();
        self.drawn += 1;
        let digits = drawn.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.filter_map(|digit| char::from_digit(digit.into(), 16)).take(count).collect()
    }

    /// RFC 9562, version 4.
    fn uuid(&mut self) -> String {
        let hex = self.random(31);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
    }

    /// Our URI, as Contact names it.
    pub fn contact_uri(&self) -> String {
        format!("sip:{}@{};transport=ws", self.user, self.host)
    }

    /// Contact in a dialog. RFC 5626, section 4.3: `ob` asks for this very connection.
    pub fn dialog_contact(&self) -> String {
        format!("<{};ob>", self.contact_uri())
    }

    /// Contact of REGISTER. RFC 5626, section 4.2.
    pub fn register_contact(&self, expires: u32) -> String {
        let (uri, instance) = (self.contact_uri(), &self.instance);
        format!("<{uri}>;+sip.ice;reg-id=1;+sip.instance=\"<urn:uuid:{instance}>\";expires={expires}")
    }

    /// Whether an entry of the answer's Contact list is ours.
    pub fn is_own_contact(&self, entry: &str) -> bool {
        let instance = sip::param(entry, "+sip.instance");
        let same_instance =
            instance.is_some_and(|text| text.eq_ignore_ascii_case(&format!("<urn:uuid:{}>", self.instance)));
        let address = format!("sip:{}@{}", self.user, self.host);
        let same_uri = sip::uri(entry).is_some_and(|uri| {
            uri.get(..address.len()).is_some_and(|start| start.eq_ignore_ascii_case(&address))
                && uri.get(address.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with([';', '?', ':']))
        });
        same_instance || same_uri
    }

    /// The bytes of a request, and the branch that its answer will carry.
    pub fn write(&mut self, draft: &Draft, auth: &[(String, String)]) -> Result<(Vec<u8>, String), Failure> {
        let branch = format!("z9hG4bK{}", self.random(16));
        let bytes = self.write_with(draft, auth, &branch)?;
        Ok((bytes, branch))
    }

    /// As [`Agent::write`] under the branch of an earlier request, which is how CANCEL and ACK find theirs.
    pub fn write_with(&self, draft: &Draft, auth: &[(String, String)], branch: &str) -> Result<Vec<u8>, Failure> {
        let Draft { method, uri, routes, from, to, call_id, cseq, headers, body, raw_parties } = draft;
        let mut builder = Builder::request(method, uri)
            .header("Via", format!("SIP/2.0/{} {};branch={branch}", self.transport.via(), self.host))
            .header("Max-Forwards", "69");
        for route in routes {
            builder = builder.header("Route", route);
        }
        builder = if *raw_parties {
            builder.raw_header(format!("To: {to}")).raw_header(format!("From: {from}"))
        } else {
            builder.header("To", to).header("From", from)
        };
        builder = builder.header("Call-ID", call_id).header("CSeq", format!("{cseq} {method}"));
        for (name, value) in auth.iter().chain(headers) {
            builder = builder.header(name, value);
        }
        builder = builder.header("User-Agent", &self.user_agent);
        if let Some((content_type, bytes)) = body {
            builder = builder.body(content_type, bytes.as_slice());
        }
        builder.build().map_err(|error| Failure::protocol(format!("{method} cannot be written: {error}")))
    }
}

/// A request before it has a branch and credentials.
#[derive(Clone)]
pub(super) struct Draft {
    pub method: String,
    pub uri: String,
    pub routes: Vec<String>,
    pub from: String,
    pub to: String,
    pub call_id: String,
    pub cseq: u32,
    pub headers: Vec<(String, String)>,
    pub body: Option<(String, Vec<u8>)>,
    /// To and From are written as they are, line ends and all.
    pub raw_parties: bool,
}

impl Draft {
    /// A request without body and further fields.
    pub fn new(method: &str, uri: String, from: String, to: String, call_id: String) -> Self {
        let method = method.to_owned();
        Self {
            method,
            uri,
            routes: Vec::new(),
            from,
            to,
            call_id,
            cseq: 1,
            headers: Vec::new(),
            body: None,
            raw_parties: false,
        }
    }

    pub fn header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Adds fields; From, To and Route take the place of those that are there. From keeps its tag.
    pub fn add(&mut self, headers: Vec<(String, String)>) {
        for (name, value) in headers {
            match name.to_ascii_lowercase().as_str() {
                "from" => {
                    let tag = sip::tag(&self.from).filter(|_| sip::tag(&value).is_none());
                    self.from = tag.map_or_else(|| value.clone(), |tag| format!("{value};tag={tag}"));
                }
                "to" => self.to = value,
                "route" => self.routes = vec![value],
                _ => self.headers.push((name, value)),
            }
        }
    }

    /// Replaces a field, or adds it.
    pub fn set(&mut self, name: &str, value: String) {
        match self.headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value,
            None => self.header(name, value),
        }
    }
}
