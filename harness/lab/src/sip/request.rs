//! A SIP request as the agent needs it, read with `rsip` after the pre-pass of `ringfence-wire`.

use ringfence_wire::sip::{Message, Prepared};
use rsip::prelude::{HeadersExt, ToTypedHeader, UntypedHeader};
use rsip::{Host, Scheme, SipMessage, Uri};

/// Methods that `rsip` reads and this agent knows; any other gets 405 without being read further.
const KNOWN: [&str; 7] = ["REGISTER", "INVITE", "ACK", "CANCEL", "BYE", "INFO", "OPTIONS"];

/// From or To.
#[derive(Debug)]
pub(crate) struct Party {
    /// `sip:user@host`, the host in lower case; parameters and port are no part of an address-of-record.
    pub aor: String,
    /// User part; empty if there is none.
    pub user: String,
    /// Host, in lower case.
    pub host: String,
    /// Tag.
    pub tag: Option<String>,
}

/// A request whose required fields are there.
#[derive(Debug)]
pub(crate) struct Request {
    /// Request-URI as written, which digest covers.
    pub uri_text: String,
    /// User part of the Request-URI; empty if there is none.
    pub user: String,
    /// Host of the Request-URI, in lower case.
    pub host: String,
    /// From.
    pub from: Party,
    /// To.
    pub to: Party,
    /// Call-ID.
    pub call_id: String,
    /// Number of CSeq.
    pub cseq: u32,
    /// Branch of the topmost Via.
    pub branch: String,
    /// All fields as written.
    pub raw: Message,
    /// Those of them that had a blank between name and colon; not read from the plain form.
    pub spaced: Vec<(String, String)>,
}

/// Why a request is not served.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// 400 or 405.
    pub status: u16,
    /// The phrase of the status line.
    pub reason: &'static str,
}

const BAD: Refusal = Refusal { status: 400, reason: "Bad Request" };

impl Request {
    /// Reads it.
    ///
    /// # Errors
    /// The status that says what is wrong.
    pub fn read(prepared: &Prepared) -> Result<Self, Refusal> {
        let method = prepared.message.method().ok_or(BAD)?;
        if !KNOWN.contains(&method) {
            return Err(Refusal { status: 405, reason: "Method Not Allowed" });
        }
        let bytes = prepared.bytes();
        let Ok(SipMessage::Request(request)) = SipMessage::try_from(bytes.as_slice()) else { return Err(BAD) };
        fields(&request, &prepared.message).ok_or(BAD)
    }
}

fn fields(request: &rsip::Request, raw: &Message) -> Option<Request> {
    let from = request.from_header().ok()?.typed().ok()?;
    let to = request.to_header().ok()?.typed().ok()?;
    let cseq = request.cseq_header().ok()?.typed().ok()?;
    if cseq.method != request.method {
        return None;
    }
    let via = request.via_header().ok()?.typed().ok()?;
    if [&from.uri, &to.uri, &request.uri].into_iter().any(has_two_hosts) || runs_on(&request.uri) {
        return None;
    }
    Some(Request {
        uri_text: uri_text(raw)?.to_owned(),
        user: user(&request.uri),
        host: host(&request.uri),
        from: party(&from.uri, from.tag().map(|tag| tag.value().to_owned())),
        to: party(&to.uri, to.tag().map(|tag| tag.value().to_owned())),
        call_id: request.call_id_header().ok()?.value().to_owned(),
        cseq: cseq.seq,
        branch: via.branch()?.value().to_owned(),
        raw: raw.clone(),
        spaced: Vec::new(),
    })
}

fn uri_text(raw: &Message) -> Option<&str> {
    match &raw.start_line {
        ringfence_wire::sip::StartLine::Request { uri, .. } => Some(uri),
        ringfence_wire::sip::StartLine::Response { .. } => None,
    }
}

fn party(uri: &Uri, tag: Option<String>) -> Party {
    let (user, host) = (user(uri), host(uri));
    let scheme = uri.scheme.clone().unwrap_or(Scheme::Sip);
    Party { aor: format!("{scheme}:{user}@{host}"), user, host, tag }
}

fn user(uri: &Uri) -> String {
    let escaped = whole_host(uri).rsplit_once('@').map(|(user, _)| user.to_owned());
    escaped.unwrap_or_else(|| uri.user().unwrap_or_default().to_owned())
}

fn host(uri: &Uri) -> String {
    let whole = whole_host(uri);
    let host = whole.rsplit_once('@').map_or(whole.as_str(), |(_, host)| host);
    host.to_ascii_lowercase()
}

/// An at sign that is not escaped: which part is the host is then anybody's guess.
fn has_two_hosts(uri: &Uri) -> bool {
    uri.user().is_some() && whole_host(uri).contains('@')
}

/// `rsip` 0.4 looks for `://` behind the Request-URI as well, and then takes the fields in between for a part of the scheme.
fn runs_on(uri: &Uri) -> bool {
    matches!(&uri.scheme, Some(Scheme::Other(scheme)) if scheme.contains(char::is_whitespace))
}

/// With the user part in front if that has an escape (RFC 3261, section 19.1.2), which `rsip` takes for a part of the host.
fn whole_host(uri: &Uri) -> String {
    match uri.host() {
        Host::Domain(domain) => domain.to_string(),
        Host::IpAddr(ip) => ip.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringfence_wire::sip::prepare;

    const REGISTER: &str = "REGISTER sip:sip.lab.test SIP/2.0\r\n\
        v: SIP/2.0/WSS a1b2.invalid;branch=z9hG4bK1\r\n\
        t: \"A, B\" <sip:visitor@SIP.lab.test>\r\n\
        From: <sip:visitor@sip.lab.test>;tag=abc\r\n\
        i: id-1\r\nCSeq: 7 REGISTER\r\nl: 0\r\n\r\n";

    fn read(text: &str) -> Result<Request, u16> {
        Request::read(&prepare(text.as_bytes()).unwrap()).map_err(|refusal| refusal.status)
    }

    #[test]
    fn a_request_uri_ends_with_its_line() {
        let fields = "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";
        let text = |info: &str| format!("OPTIONS tel:1 SIP/2.0\r\n{fields}Call-Info: {info}\r\n{fields}\r\n");
        assert!(read(&text("none")).is_ok());
        assert_eq!(read(&text("http://h SIP/2.0")).unwrap_err(), 400);
    }

    #[test]
    fn fields_are_found_in_any_form() {
        let request = read(REGISTER).unwrap();
        assert_eq!((request.user.as_str(), request.host.as_str()), ("", "sip.lab.test"));
        assert_eq!(request.to.aor, "sip:visitor@sip.lab.test");
        assert_eq!((request.from.tag.as_deref(), request.to.tag.as_deref()), (Some("abc"), None));
        assert_eq!((request.cseq, request.branch.as_str(), request.call_id.as_str()), (7, "z9hG4bK1", "id-1"));
    }

    #[test]
    fn an_escape_in_a_user_part_is_read() {
        let request = read(&REGISTER.replace("sip:visitor@", "sip:test.user%40example.com@")).unwrap();
        assert_eq!((request.to.user.as_str(), request.to.host.as_str()), ("test.user%40example.com", "sip.lab.test"));
        assert_eq!(request.from.aor, "sip:test.user%40example.com@sip.lab.test");
    }

    #[test]
    fn what_is_missing_or_contradicts_is_refused() {
        for (wrong, status) in [
            (REGISTER.replace("CSeq: 7 REGISTER\r\n", ""), 400),
            (REGISTER.replace("7 REGISTER", "7 INVITE"), 400),
            (REGISTER.replace("7 REGISTER", "99999999999 REGISTER"), 400),
            (REGISTER.replace(";branch=z9hG4bK1", ""), 400),
            (REGISTER.replace("From: <sip:visitor@sip.lab.test>", "From: <sip:[::1"), 400),
            (REGISTER.replace("sip:visitor@", "sip:visitor@other.test@"), 400),
            (REGISTER.replace("REGISTER", "NEWMETHOD"), 405),
            (REGISTER.replace("REGISTER", "MESSAGE"), 405),
            (REGISTER.replace("REGISTER", "register"), 405),
        ] {
            assert_eq!(read(&wrong).unwrap_err(), status, "{wrong}");
        }
    }
}
