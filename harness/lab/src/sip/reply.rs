//! Responses: what of a request comes back in each.

use ringfence_wire::sip::{Builder, Message, tag};

use super::new_tag;

/// A response to `request` with the fields that every response repeats. RFC 3261, section 8.2.6.2.
/// `to_tag` is ours; without one a fresh tag is put in, except in a 100.
pub(crate) fn reply(request: &Message, status: u16, reason: &str, to_tag: Option<&str>) -> Builder {
    let mut builder = Builder::response(status, reason);
    for via in request.headers("Via") {
        builder = builder.header("Via", via);
    }
    for name in ["From", "Call-ID", "CSeq"] {
        if let Some(value) = request.header(name) {
            builder = builder.header(name, value);
        }
    }
    let Some(to) = request.header("To") else { return builder };
    if status == 100 || tag(to).is_some() {
        return builder.header("To", to);
    }
    let tag = to_tag.map_or_else(new_tag, str::to_owned);
    builder.header("To", format!("{to};tag={tag}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"OPTIONS sip:h SIP/2.0\r\nVia: a\r\nVia: b\r\nTo: <sip:x@h>\r\nFrom: y;tag=1\r\n\
        Call-ID: c\r\nCSeq: 1 OPTIONS\r\nAuthorization: Digest secret\r\n\r\n";

    #[test]
    fn a_reply_repeats_what_it_must_and_no_more() {
        let request = Message::parse(REQUEST).unwrap();
        let bytes = reply(&request, 200, "OK", Some("ours")).build().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let expected = "SIP/2.0 200 OK\r\nVia: a\r\nVia: b\r\nFrom: y;tag=1\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\
            To: <sip:x@h>;tag=ours\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(text, expected);
        let trying = String::from_utf8(reply(&request, 100, "Trying", None).build().unwrap()).unwrap();
        assert!(trying.contains("To: <sip:x@h>\r\n"));
    }
}
