//! What a hostile server would send to the page, and how the page's answers to it are known again.

use ringfence_wire::Error;
use ringfence_wire::sip::{self, Builder, Message};

use super::Signalling;

/// Which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::browser) enum Request {
    /// A new call to the page.
    Invite,
    /// REFER within the page's call. RFC 3515.
    Refer,
    /// A new call that takes the place of the page's call. RFC 3891.
    Replaces,
}

/// Texts that an answer to us holds together, and nothing else that the page sends does: each is random.
pub(in crate::browser) type Rule = Vec<String>;

/// A request, ready to be put into the page's WebSocket.
#[derive(Clone, Debug)]
pub(in crate::browser) struct Injection {
    /// The message.
    pub message: String,
    /// Takes an unanswered INVITE back.
    pub cancel: Option<String>,
    /// How the page's answers are known.
    pub rules: Vec<Rule>,
    /// The user part of the place that a REFER points to.
    pub refer_to: Option<String>,
    branch: String,
}

impl Injection {
    /// Writes a request. `random` gives fresh hexadecimal text of so many characters. `None` where the page has shown
    /// neither a registration nor a call that it could be addressed to.
    ///
    /// # Errors
    /// What the page said about itself cannot be written into a message.
    pub fn new(
        request: Request,
        signalling: &Signalling,
        mut random: impl FnMut(usize) -> String,
    ) -> Option<Result<Self, Error>> {
        // Magic cookie: RFC 3261, section 8.1.1.7.
        let branch = format!("z9hG4bK{}", random(24));
        match request {
            Request::Invite => {
                let known = signalling.invite.as_ref().or(signalling.registered.as_ref())?;
                Some(Self::invite(known, None, branch, random))
            }
            Request::Replaces => {
                let call = Call::of(signalling)?;
                // RFC 3891, section 3: the tags as the receiver of Replaces sees them, its own as `to-tag`.
                let replaces = format!("{};to-tag={};from-tag={}", call.id, call.page_tag, call.far_tag);
                Some(Self::invite(call.invite, Some(replaces), branch, random))
            }
            Request::Refer => Some(Self::refer(&Call::of(signalling)?, branch, random)),
        }
    }

    fn invite(
        known: &Message,
        replaces: Option<String>,
        branch: String,
        mut random: impl FnMut(usize) -> String,
    ) -> Result<Self, Error> {
        let missing = || Error::Missing("SIP From or Contact of the page");
        let contact = known.header("Contact").and_then(sip::uri).ok_or_else(missing)?;
        let who = known.header("From").and_then(sip::uri).ok_or_else(missing)?;
        let host = host(who);
        let call_id = random(32);
        let from = format!("<sip:{}@{host}>;tag={}", random(8), random(12));
        let head = |method: &str| {
            Builder::request(method, contact)
                .header("Via", format!("SIP/2.0/WSS {host};branch={branch}"))
                .header("Max-Forwards", "70")
                .header("From", &from)
                .header("To", format!("<{who}>"))
                .header("Call-ID", &call_id)
                .header("CSeq", format!("1 {method}"))
        };
        let mut message = head("INVITE").header("Contact", format!("<sip:{host};transport=ws>"));
        if let Some(replaces) = replaces {
            message = message.header("Replaces", replaces).header("Require", "replaces");
        }
        let message = text(message.body("application/sdp", offer(random).into_bytes()).build()?);
        let cancel = text(head("CANCEL").build()?);
        let rules = vec![vec![call_id], vec![branch.clone()]];
        Ok(Self { message, cancel: Some(cancel), rules, refer_to: None, branch })
    }

    fn refer(call: &Call<'_>, branch: String, mut random: impl FnMut(usize) -> String) -> Result<Self, Error> {
        let refer_to = random(16);
        let host = host(call.page);
        // Far above what a server counts to in one call. RFC 3261, section 12.2.1.1: it only has to grow.
        let cseq = 1_000_000;
        let message = Builder::request("REFER", call.contact)
            .header("Via", format!("SIP/2.0/WSS {host};branch={branch}"))
            .header("Max-Forwards", "70")
            .header("From", call.far_field)
            .header("To", call.page_field)
            .header("Call-ID", call.id)
            .header("CSeq", format!("{cseq} REFER"))
            .header("Contact", format!("<sip:{host};transport=ws>"))
            .header("Refer-To", format!("<sip:{refer_to}@{host}>"))
            .build()?;
        let rules = vec![
            vec![branch.clone()],
            // The call that was asked for: it must ring nowhere.
            vec![refer_to.clone()],
            // RFC 3515, section 2.4.4: how it goes, which no server asked for.
            vec!["NOTIFY ".into(), "Event: refer".into(), call.id.to_owned()],
        ];
        Ok(Self { message: text(message), cancel: None, rules, refer_to: Some(refer_to), branch })
    }

    /// The page answered this request, in whatever way.
    pub fn is_answered(&self, swallowed: &[String]) -> bool {
        self.answers(swallowed).next().is_some()
    }

    /// The page accepted: 2xx to the INVITE, or a call to where the REFER points.
    pub fn is_accepted(&self, swallowed: &[String]) -> bool {
        let accepted = |message: &Message| message.cseq().is_some_and(|(_, method)| method == "INVITE");
        let taken = |message: &Message| message.status().is_some_and(|status| (200..300).contains(&status));
        let called = |message: &Message| {
            let to = self.refer_to.as_ref().filter(|_| message.method() == Some("INVITE"));
            to.is_some_and(|to| message.header("To").is_some_and(|field| field.contains(to.as_str())))
        };
        let others = swallowed.iter().filter_map(|text| Message::parse(text.as_bytes()).ok());
        self.answers(swallowed).any(|message| accepted(&message) && taken(&message))
            || others.into_iter().any(|message| called(&message))
    }

    /// The page's responses to the request itself, not to its CANCEL.
    fn answers<'a>(&'a self, swallowed: &'a [String]) -> impl Iterator<Item = Message> + 'a {
        let ours = |message: &Message| {
            let via = message.headers("Via").flat_map(sip::split_list).next().and_then(sip::branch);
            let cancel = message.cseq().is_some_and(|(_, method)| method == "CANCEL");
            message.status().is_some() && via.as_ref() == Some(&self.branch) && !cancel
        };
        swallowed.iter().filter_map(|text| Message::parse(text.as_bytes()).ok()).filter(ours)
    }
}

/// The page's running call.
struct Call<'a> {
    invite: &'a Message,
    id: &'a str,
    /// `From` of the INVITE: the page.
    page_field: &'a str,
    page: &'a str,
    page_tag: String,
    /// `To` of its answer: the far side.
    far_field: &'a str,
    far_tag: String,
    contact: &'a str,
}

impl<'a> Call<'a> {
    fn of(signalling: &'a Signalling) -> Option<Self> {
        if !signalling.in_call() {
            return None;
        }
        let (invite, answer) = (signalling.invite.as_ref()?, signalling.answer.as_ref()?);
        let (page_field, far_field) = (invite.header("From")?, answer.header("To")?);
        Some(Self {
            invite,
            id: invite.header("Call-ID")?,
            page: sip::uri(page_field)?,
            page_tag: sip::tag(page_field)?,
            far_tag: sip::tag(far_field)?,
            contact: invite.header("Contact").and_then(sip::uri)?,
            page_field,
            far_field,
        })
    }
}

fn host(uri: &str) -> &str {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    host.split([';', '?']).next().unwrap_or(host)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

/// An audio offer that a browser would take, from nobody: without candidates there is no way that media could go.
fn offer(mut random: impl FnMut(usize) -> String) -> String {
    let digits = random(64).to_ascii_uppercase();
    let pairs: Vec<&str> = (0..32).filter_map(|at| digits.get(2 * at..2 * at + 2)).collect();
    let (fingerprint, ufrag, password) = (pairs.join(":"), random(8), random(32));
    let session = u32::from_str_radix(&random(7), 16).unwrap_or(1);
    [
        "v=0",
        &format!("o=- {session} 1 IN IP4 127.0.0.1"),
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        &format!("a=ice-ufrag:{ufrag}"),
        &format!("a=ice-pwd:{password}"),
        &format!("a=fingerprint:sha-256 {fingerprint}"),
        "a=setup:actpass",
        "a=mid:0",
        "a=sendrecv",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:0 PCMU/8000",
        "",
    ]
    .join("\r\n")
}
