//! What `rsip` and `rsipstack` read in a SIP message.

use rsip::prelude::{HasHeaders as _, HeadersExt as _, ToTypedHeader as _};
use rsipstack::sip::prelude::{HasHeaders as _, HeadersExt as _, ToTypedHeader as _};

/// A reader of the wider world.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its crate.
    pub name: &'static str,
    /// What it reads in a message, if it takes it.
    pub read: fn(&[u8]) -> Option<Reading>,
    /// What it reads in a URI, if it takes it whole.
    pub uri: fn(&str) -> Option<Uri>,
}

/// All of them.
pub const PEERS: &[Peer] = &[
    Peer { name: "rsip", read: rsip, uri: rsip_uri },
    Peer { name: "rsipstack", read: rsipstack, uri: rsipstack_uri },
];

/// What a reader made of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The first line.
    pub start: Start,
    /// Names in lower case, and values as the reader gives them.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The Request-URI of a request.
    pub target: Option<Uri>,
    /// From, if it takes that.
    pub from: Option<Address>,
    /// To, if it takes that.
    pub to: Option<Address>,
    /// Number and method of CSeq, if it takes that.
    pub cseq: Option<(u32, String)>,
}

/// What a first line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// A request of that method.
    Request(String),
    /// A response of that status.
    Response(u16),
}

/// Where a URI leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// The user as written.
    pub user: Option<String>,
    /// The host, as [`host_of`] writes it.
    pub host: String,
    /// The port.
    pub port: Option<u16>,
}

/// What From or To says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The URI.
    pub uri: Uri,
    /// The tag.
    pub tag: Option<String>,
}

/// A host in one spelling: addresses as the standard library writes them, without brackets; names as they are.
pub fn host_of(written: &str) -> String {
    let bare = written.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(written);
    bare.parse::<std::net::IpAddr>().map_or_else(|_| written.to_owned(), |ip| ip.to_string())
}

fn rsip(bytes: &[u8]) -> Option<Reading> {
    let message = rsip::SipMessage::try_from(bytes).ok()?;
    let (start, target) = match &message {
        rsip::SipMessage::Request(request) => (Start::Request(request.method.to_string()), Some(of_rsip(&request.uri))),
        rsip::SipMessage::Response(response) => (Start::Response(response.status_code.code()), None),
    };
    let from = message.from_header().ok().and_then(|from| from.typed().ok());
    let to = message.to_header().ok().and_then(|to| to.typed().ok());
    let cseq = message.cseq_header().ok().and_then(|cseq| cseq.typed().ok());
    // Not compared, but read, since a panic there is one here as well.
    let _ = message.transaction_id();
    let _ = message.via_header().map(|via| via.typed().is_ok());
    let _ = message.contact_header().map(|contact| contact.typed().is_ok());
    let _ = message.authorization_header().map(|login| login.typed().is_ok());
    Some(Reading {
        start,
        fields: message.headers().iter().map(|header| field(&header.to_string())).collect(),
        target,
        from: from.map(|from| Address { uri: of_rsip(&from.uri), tag: from.tag().map(|tag| tag.value().to_owned()) }),
        to: to.map(|to| Address { uri: of_rsip(&to.uri), tag: to.tag().map(|tag| tag.value().to_owned()) }),
        cseq: cseq.map(|cseq| (cseq.seq, cseq.method.to_string())),
        body: message.body().clone(),
    })
}

fn rsip_uri(text: &str) -> Option<Uri> {
    // Its reader of a text alone leaves behind what it does not understand; in a Request-Line that is refused.
    let line = format!("OPTIONS {text} SIP/2.0\r\n\r\n");
    let request = rsip::Request::try_from(line.as_bytes()).ok()?;
    Some(of_rsip(&request.uri))
}

fn of_rsip(uri: &rsip::Uri) -> Uri {
    Uri {
        user: uri.auth.as_ref().map(|auth| auth.user.clone()),
        host: host_of(&uri.host_with_port.host.to_string()),
        port: uri.host_with_port.port.as_ref().map(|port| *port.value()),
    }
}

fn rsipstack(bytes: &[u8]) -> Option<Reading> {
    let message = rsipstack::sip::SipMessage::try_from(bytes).ok()?;
    let (start, target, body) = match &message {
        rsipstack::sip::SipMessage::Request(request) => {
            (Start::Request(request.method.to_string()), Some(of_rsipstack(&request.uri)), request.body.clone())
        }
        rsipstack::sip::SipMessage::Response(response) => {
            (Start::Response(response.status_code.code()), None, response.body.clone())
        }
    };
    let from = message.from_header().ok().and_then(|from| from.typed().ok());
    let to = message.to_header().ok().and_then(|to| to.typed().ok());
    let cseq = message.cseq_header().ok().and_then(|cseq| cseq.typed().ok());
    let _ = (message.transaction_id(), message.has_multiple_vias(), message.typed_contact_headers());
    let _ = message.via_header().map(|via| via.typed().is_ok());
    let _ = message.www_authenticate_header().map(|challenge| challenge.typed().is_ok());
    Some(Reading {
        start,
        fields: message.headers().iter().map(|header| field(&header.to_string())).collect(),
        target,
        from: from.map(|from| Address { uri: of_rsipstack(&from.uri), tag: from.tag().map(|tag| tag.0.clone()) }),
        to: to.map(|to| Address { uri: of_rsipstack(&to.uri), tag: to.tag().map(|tag| tag.0.clone()) }),
        cseq: cseq.map(|cseq| (cseq.seq, cseq.method.to_string())),
        body,
    })
}

fn rsipstack_uri(text: &str) -> Option<Uri> {
    rsipstack::sip::uri::parse_uri(text).ok().map(|uri| of_rsipstack(&uri))
}

fn of_rsipstack(uri: &rsipstack::sip::Uri) -> Uri {
    Uri {
        user: uri.auth.as_ref().map(|auth| auth.user.clone()),
        host: host_of(&uri.host_with_port.host.to_string()),
        port: uri.host_with_port.port.map(|port| port.0),
    }
}

fn field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(": ").unwrap_or((line, ""));
    (name.to_ascii_lowercase(), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTER: &[u8] = b"REGISTER sip:sip.lab.test:5061 SIP/2.0\r\n\
        Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1\r\n\
        From: \"V\" <sip:visitor@sip.lab.test>;tag=abc\r\n\
        To: <sip:visitor@[2001:db8::1]:5062>\r\n\
        Call-ID: id-1\r\n\
        CSeq: 7 REGISTER\r\n\
        X-Own: value\r\n\
        Content-Length: 2\r\n\r\nok";

    #[test]
    fn both_read_a_message_that_leaves_no_choice() {
        for peer in PEERS {
            let read = (peer.read)(REGISTER).unwrap_or_else(|| panic!("{} refuses it", peer.name));
            assert_eq!(read.start, Start::Request("REGISTER".to_owned()), "{}", peer.name);
            let names: Vec<&str> = read.fields.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["via", "from", "to", "call-id", "cseq", "x-own", "content-length"], "{}", peer.name);
            assert_eq!(
                read.target.as_ref().map(|target| (target.host.as_str(), target.port)),
                Some(("sip.lab.test", Some(5061)))
            );
            assert_eq!(read.from.and_then(|from| from.tag).as_deref(), Some("abc"));
            assert_eq!(read.cseq, Some((7, "REGISTER".to_owned())));
            assert_eq!(read.body, b"ok");
        }
    }

    #[test]
    fn hosts_have_one_spelling() {
        assert_eq!(host_of("[2001:DB8:0::1]"), "2001:db8::1");
        assert_eq!(host_of("192.0.2.1"), "192.0.2.1");
        assert_eq!(host_of("Example.com"), "Example.com");
        assert_eq!(host_of("[x"), "[x");
    }
}
