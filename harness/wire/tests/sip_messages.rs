//! Legal but odd messages come out plain; those that parsers disagree on are refused.

use ringfence_wire::Error;
use ringfence_wire::sip::*;

const INVITE: &str = "INVITE sip:desk@example.test SIP/2.0\r\n\
    Via: SIP/2.0/WSS x7.invalid;branch=z9hG4bK77,\r\n\t SIP/2.0/UDP h;branch=z9hG4bK78\r\n\
    f: \"Caller, A\" <sip:a@example.test>;tag=abc\r\n\
    t : <sip:desk@example.test>\r\n\
    CSeq: 7 INVITE\r\n\
    Supported: ice, outbound\r\n\
    k: replaces\r\n\
    l:   4 \r\n\r\nbody";

fn with_header(line: &str) -> Result<Prepared, Error> {
    prepare(format!("OPTIONS sip:a SIP/2.0\r\n{line}\r\n\r\nbody").as_bytes())
}

#[test]
fn odd_forms_come_out_plain() {
    let prepared = prepare(format!("\r\n\r\n{INVITE}").as_bytes()).unwrap();
    use Repair::*;
    let expected = [LeadingLineEnd, Folded, CompactName, SpaceBeforeColon, CompactName, CompactName, CompactName];
    assert_eq!(prepared.repairs, expected);
    let message = &prepared.message;
    assert_eq!(message.method(), Some("INVITE"));
    assert_eq!(message.header("FROM").and_then(tag).as_deref(), Some("abc"));
    let vias: Vec<_> = message.headers("via").flat_map(split_list).filter_map(branch).collect();
    assert_eq!(vias, ["z9hG4bK77", "z9hG4bK78"]);
    assert_eq!(message.headers("supported").flat_map(split_list).collect::<Vec<_>>(), ["ice", "outbound", "replaces"]);
    assert_eq!((message.cseq(), message.body.as_slice()), (Some((7, "INVITE")), &b"body"[..]));
    let again = prepare(&prepared.bytes()).unwrap();
    assert_eq!((again.message, again.repairs), (prepared.message, vec![]));
}

#[test]
fn folding_does_not_change_the_meaning() {
    let plain = Message::parse(INVITE.as_bytes()).unwrap();
    // RFC 3261, section 25.1: LWS = [*WSP CRLF] 1*WSP, so the blanks before the fold belong to it.
    for fold in ["\r\n   ", "\t \r\n\t", " \r\n \r\n "] {
        let folded = Message::parse(INVITE.replace(", outbound", &format!(",{fold}outbound")).as_bytes()).unwrap();
        assert_eq!(folded, plain, "{fold:?}");
    }
}

#[test]
fn responses() {
    let message = Message::parse(b"SIP/2.0 486 Busy Here\r\nTo: <sip:a@b>;tag=1\r\n\r\n").unwrap();
    assert_eq!((message.status(), message.method()), (Some(486), None));
    let bare = Message::parse(b"SIP/2.0 200\r\n\r\n").unwrap();
    assert_eq!(bare.start_line, StartLine::Response { status: 200, reason: String::new() });
    assert_eq!(Message::parse(b"SIP/2.0 99 x\r\n\r\n"), Err(Error::Invalid("SIP status")));
}

#[test]
fn ambiguous_messages_are_refused() {
    for (line, error) in [
        ("A: b\nC: d", Error::Invalid("SIP header line")),
        ("A: b\rC: d", Error::Invalid("SIP header line")),
        ("A: b\0", Error::Invalid("SIP header line")),
        ("A:\x0bb", Error::Invalid("SIP header line")),
        ("A: \"\\\x0c\"", Error::Invalid("SIP header line")),
        ("A\r\n : b", Error::Invalid("SIP header name")),
        ("A\r\n b: c", Error::Invalid("SIP header name")),
        ("A", Error::Invalid("SIP header field")),
        ("A B: c", Error::Invalid("SIP header name")),
        (": c", Error::Invalid("SIP header name")),
        (" A: folded onto the first line", Error::Invalid("SIP header name")),
        ("Content-Length: 9", Error::Length { field: "Content-Length", stated: 9, actual: 4 }),
        ("Content-Length: 3", Error::Length { field: "Content-Length", stated: 3, actual: 4 }),
        ("Content-Length: -4", Error::Invalid("Content-Length")),
        ("Content-Length: +4", Error::Invalid("Content-Length")),
        ("Content-Length:", Error::Invalid("Content-Length")),
        ("Content-Length: 4\r\nl: 3", Error::Conflict("Content-Length")),
    ] {
        assert_eq!(with_header(line), Err(error), "{line:?}");
    }
    assert_eq!(
        with_header("Content-Length: 4\r\nContent-Length: 04").unwrap().repairs,
        [Repair::RepeatedContentLength]
    );
    for line in [
        "OPTIONS sip:a\u{85}b SIP/2.0",
        "OPTIONS sip:a\u{2028} SIP/2.0",
        "OPTIONS sip:a SIP/7.0",
        "OPTIONS  sip:a SIP/2.0",
        "OPTIONS sip:a b SIP/2.0",
        "OPTIONS sip:a",
        "(x) a SIP/2.0",
    ] {
        assert!(prepare(format!("{line}\r\n\r\n").as_bytes()).is_err(), "{line}");
    }
    assert_eq!(prepare(b"OPTIONS sip:a SIP/2.0\r\nA: b\r\n"), Err(Error::Missing("blank line after the SIP header")));
    assert_eq!(prepare(b"OPTIONS sip:a SIP/2.0\r\nA: \xff\r\n\r\n"), Err(Error::NotUtf8("SIP header")));
    assert_eq!(with_header("NEWMETHOD: a").map(|p| p.repairs), Ok(vec![]));
}

#[test]
fn limits_hold() {
    for (line, field) in [
        ("A: b\r\n".repeat(128) + "A: b", "number of SIP header fields"),
        (format!("A: {}", "\r\n x".repeat(4500)), "SIP header field in bytes"),
        ("x".repeat(MAX_MESSAGE_BYTES), "SIP message in bytes"),
    ] {
        let error = with_header(&line).unwrap_err();
        assert!(matches!(error, Error::TooLarge { field: named, .. } if named == field), "{error}");
    }
}

/// The next reader gets the plain form, so that has to be within them as well.
#[test]
fn limits_are_those_of_the_plain_form_too() {
    let field = |error| matches!(error, Err(Error::TooLarge { field: "SIP header field in bytes", .. }));
    for (name, plain) in [("s:", "Subject: "), ("Subject:", "Subject: "), ("Subject \t: ", "Subject: ")] {
        let most = "x".repeat(MAX_HEADER_BYTES - plain.len().max(name.len()));
        assert!(with_header(&format!("{name}{most}")).is_ok(), "{name}");
        assert!(field(with_header(&format!("{name}{most}x"))), "{name}");
    }
    let start = "SIP/2.0 200\r\nv:x\r\n\r\n";
    let added = " \r\nVia: x\r\n".len() - "\r\nv:x\r\n".len();
    let filled = |bytes: usize| [start.as_bytes(), &vec![b'x'; bytes - start.len()]].concat();
    let fits = prepare(&filled(MAX_MESSAGE_BYTES - added)).expect("it is as long as may be");
    assert_eq!(fits.bytes().len(), MAX_MESSAGE_BYTES);
    let error = prepare(&filled(MAX_MESSAGE_BYTES - added + 1)).expect_err("one byte more");
    assert!(matches!(error, Error::TooLarge { field: "SIP message in bytes", .. }), "{error}");
}

/// They do not change where a message or a field ends, and a report wants to show them.
#[test]
fn control_characters_that_nobody_takes_for_blanks_are_kept() {
    let message = with_header("Subject: \x1b[2J \"\\\x07\"").expect("it is read").message;
    assert_eq!(message.header("Subject"), Some("\x1b[2J \"\\\x07\""));
    let unicode = with_header("Subject: \u{a0}b\u{2028}").expect("it is read").message;
    assert_eq!(
        unicode.header("Subject"),
        Some("\u{a0}b\u{2028}"),
        "RFC 3261, section 25.1: UTF8-NONASCII is no white space"
    );
    assert_eq!(split_list("\u{a0}b, c"), ["\u{a0}b", "c"]);
}

#[test]
fn builder_writes_the_length_and_refuses_injection() {
    let bytes =
        Builder::request("INVITE", "sip:a@b").header("Via", "x").body("application/sdp", "v=0\r\n").build().unwrap();
    let text = "INVITE sip:a@b SIP/2.0\r\nVia: x\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
    assert_eq!(bytes, text.as_bytes());
    for (name, value) in
        [("A", "b\r\nC: d"), ("A", "b\n"), ("A", "\0"), ("A", "\x0b"), ("A B", "c"), ("", "c"), ("l", "1")]
    {
        assert!(Builder::response(200, "OK").header(name, value).build().is_err(), "{name:?} {value:?}");
    }
    assert!(Builder::request("IN VITE", "sip:a").build().is_err());
    assert!(Builder::request("INVITE", "sip:a SIP/2.0\r\nX: y").build().is_err());
    assert!(Builder::request("INVITE", "sip:a\u{a0}b").build().is_err());
    assert!(Builder::response(700, "OK").build().is_err());
    assert!(Builder::response(200, "OK\r\nX: y").build().is_err());
}

#[test]
fn builder_writes_hostile_messages_on_request() {
    let bytes = Builder::raw_start_line("PING")
        .raw_header("content-length : 9")
        .raw_header(b"A: \xff\r\nB: c")
        .build()
        .unwrap();
    assert_eq!(bytes, b"PING\r\ncontent-length : 9\r\nA: \xff\r\nB: c\r\n\r\n");
}

#[test]
fn keepalives_are_no_messages() {
    assert!(is_keepalive(b"\r\n") && is_keepalive(KEEPALIVE_PING));
    assert!(!is_keepalive(b"") && !is_keepalive(b"\r\n\r\n\r\n") && !is_keepalive(b"\n"));
    assert!(prepare(KEEPALIVE_PING).is_err());
}
