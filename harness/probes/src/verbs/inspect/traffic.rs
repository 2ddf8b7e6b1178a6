//! What a page sends of its own in a message on a WebSocket: without the parts of SIP that look like personal data and are none.

use crate::detect::pii::Kind;

/// Kinds that stand for nothing else in signalling. A number called is the desk's, an address is a candidate's.
pub(super) const MEANS_NOTHING_ELSE: [Kind; 3] = [Kind::Email, Kind::Iban, Kind::TestUser];

/// Header fields whose values are shaped like `local@domain`, or are judged elsewhere: the login is what the target has minted.
const NOT_ITS_OWN: [&str; 12] = [
    "authorization",
    "proxy-authorization",
    "call-id",
    "i",
    "in-reply-to",
    "replaces",
    "via",
    "v",
    "user-agent",
    "server",
    "content-type",
    "c",
];

/// The pieces of a message, each with the name of its place: `header`, `body` or, where it is no SIP, `message`.
pub(super) fn of_its_own(message: &str) -> Vec<(&'static str, String)> {
    let (head, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    if !(first.ends_with(" SIP/2.0") || first.starts_with("SIP/2.0 ")) {
        return vec![("message", message.to_owned())];
    }
    let mut header = String::new();
    let mut own = true;
    let mut describes_media = false;
    for line in lines {
        // A folded line goes on with the field before it: RFC 3261, section 7.3.1.
        if !line.starts_with([' ', '\t']) {
            let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
            own = !NOT_ITS_OWN.contains(&name.as_str());
            describes_media |= matches!(name.as_str(), "content-type" | "c") && line.contains("application/sdp");
        }
        if own {
            header.push_str(line);
            header.push('\n');
        }
    }
    let mut pieces = vec![("header", header)];
    // Session ids, candidates and CNAMEs are the browser's, not the page's.
    if !body.is_empty() && !describes_media {
        pieces.push(("body", body.to_owned()));
    }
    pieces
}
