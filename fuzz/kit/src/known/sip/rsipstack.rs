//! `rsipstack` 0.7.14, of whose readers the client uses the one of CSeq, behind the pre-pass.

use ringfence_wire::Error;
use ringfence_wire::sip::Repair;

use super::{Aspect, Case, METHODS, TRANSPORTS, in_user, unlisted};
use crate::known::Difference;
use crate::oracles::StrictUri;

const fn rsipstack(
    id: &'static str,
    [theirs, ours, rfc, reach]: [&'static str; 4],
    explains: fn(&Case) -> bool,
    example: &'static [u8],
) -> Difference<Case> {
    Difference { id, parser: "rsipstack", theirs, ours, rfc, reach, explains, example }
}

/// The first that explains a difference is the one that counts.
pub(super) const KNOWN: &[Difference<Case>] = &[
    rsipstack(
        "line-that-is-no-utf-8",
        [
            "such a line ends the header, and all fields behind it are dropped without a word",
            "refused",
            "RFC 3261, section 25.1: TEXT-UTF8-TRIM",
            "network: one byte in an early field removes every later one for this hop alone: Via, Route, Content-Length",
        ],
        |case| matches!(case.only_theirs(), Some(Error::NotUtf8(_))),
        include_bytes!("../../../../findings/rsipstack/line-that-is-no-utf-8"),
    ),
    rsipstack(
        "content-length-believed",
        [
            "the last one counts, what is no number is 0, and what is longer than the message is cut to it",
            "refused, unless it is the body's length",
            "RFC 3261, sections 18.3 and 20.14",
            "network: with two of them another body than the hop before has seen",
        ],
        |case| {
            let field = "Content-Length";
            matches!(case.only_theirs(), Some(Error::Invalid(of) | Error::Conflict(of) | Error::Length { field: of, .. }) if *of == field)
        },
        include_bytes!("../../../../findings/rsipstack/content-length-believed"),
    ),
    rsipstack(
        "bare-line-feed",
        [
            "LF alone ends a line; NUL and CR are letters",
            "refused before the body",
            "RFC 3261, section 7: CRLF",
            "network: a field that the hop before took for a part of a value",
        ],
        |case| matches!(case.only_theirs(), Some(Error::Invalid("SIP header line"))),
        include_bytes!("../../../../findings/rsipstack/bare-line-feed"),
    ),
    rsipstack(
        "any-name",
        [
            "a name may be anything, also empty; a line without a colon and a fold behind no field are left out",
            "refused, if it is no token",
            "RFC 3261, section 25.1: header-name is a token",
            "network: fields that the hop before does not have under that name",
        ],
        |case| matches!(case.only_theirs(), Some(Error::Invalid("SIP header name" | "SIP header field"))),
        include_bytes!("../../../../findings/rsipstack/any-name"),
    ),
    rsipstack(
        "any-version",
        [
            "any two numbers up to 255",
            "SIP/2.0 alone",
            "RFC 3261, section 7.1",
            "network: served instead of answered with 505",
        ],
        |case| matches!(case.only_theirs(), Some(Error::Invalid("SIP version"))),
        include_bytes!("../../../../findings/rsipstack/any-version"),
    ),
    rsipstack(
        "any-status",
        [
            "any number up to 65535, also with a sign",
            "three digits, 100 to 699",
            "RFC 3261, section 7.2",
            "network: a response of no class",
        ],
        |case| matches!(case.only_theirs(), Some(Error::Invalid("SIP status"))),
        include_bytes!("../../../../findings/rsipstack/any-status"),
    ),
    rsipstack(
        "start-line-with-tabs",
        [
            "tabs and blanks more than one between the words, and controls in the URI",
            "one blank, and none of them in the URI",
            "RFC 3261, section 7.1: SP",
            "local: where such a host is logged or looked up",
        ],
        |case| matches!(case.only_theirs(), Some(Error::Invalid("SIP start line"))),
        include_bytes!("../../../../findings/rsipstack/start-line-with-tabs"),
    ),
    rsipstack(
        "no-limits",
        [
            "no bound on bytes and fields",
            "64 KiB, 128 fields of 8 KiB",
            "a matter of ours (house)",
            "none by itself: reading is linear",
        ],
        |case| matches!(case.only_theirs(), Some(Error::TooLarge { .. })),
        super::MANY_FIELDS,
    ),
    rsipstack(
        "fourteen-methods",
        ["any other method is no message", "any token", "RFC 3261, section 7.1: extension-method", "none: refused"],
        Case::unknown_method,
        b"PING sip:h SIP/2.0\r\n\r\n",
    ),
    rsipstack(
        "method-in-any-case",
        [
            "`invite` is INVITE",
            "kept as written",
            "RFC 3261, section 7.1: methods are compared with their case",
            "network: what a filter for INVITE lets through becomes one",
        ],
        Case::method_in_any_case,
        include_bytes!("../../../../findings/rsipstack/method-in-any-case"),
    ),
    rsipstack(
        "empty-lines-in-front",
        ["refused", "left out", "RFC 3261, section 7.5: should be ignored", "none: refused"],
        |case| case.only_ours().is_some() && case.repairs.contains(&Repair::LeadingLineEnd),
        b"\r\nOPTIONS sip:h SIP/2.0\r\n\r\n",
    ),
    rsipstack(
        "body-without-a-length",
        [
            "no Content-Length, no body",
            "the rest of the WebSocket message is the body",
            "RFC 3261, section 18.3; RFC 7118, section 5",
            "network: the body that was checked is not the one that is used",
        ],
        |case| {
            case.aspect == Aspect::Body
                && case.ours.as_ref().is_ok_and(|message| message.header("Content-Length").is_none())
                && case.theirs.as_ref().is_some_and(|theirs| theirs.body.is_empty())
        },
        include_bytes!("../../../../findings/rsipstack/body-without-a-length"),
    ),
    rsipstack(
        "blanks-and-names",
        [
            "blanks of all of Unicode are trimmed, also around each piece of a folded value; names that RFC 3261 does not shorten stay short",
            "SP and HTAB alone; all names that are registered",
            "RFC 3261, sections 7.3.1, 7.3.3 and 25.1",
            "network: a value that ends in U+00A0 is compared as one that does not",
        ],
        |case| {
            let folded = case.repairs.contains(&Repair::Folded);
            let words = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
            case.same_fields(|value| if folded { words(value) } else { value.trim().to_owned() })
        },
        include_bytes!("../../../../findings/rsipstack/blanks-and-names"),
    ),
    rsipstack(
        "bracket-in-a-quoted-name",
        [
            "the first bracket counts, also inside the quotes of a display name: the caller is whoever stands there",
            "the bracket behind the quotes",
            "RFC 3261, section 25.1: display-name, quoted-string",
            "network: a display name becomes the address of the caller",
        ],
        |case| {
            case.address(|text| {
                text.starts_with('"') && text.rsplit_once('"').is_some_and(|(name, _)| name.contains(['<', '>']))
            })
        },
        include_bytes!("../../../../findings/rsipstack/bracket-in-a-quoted-name"),
    ),
    rsipstack(
        "user-with-a-question-mark",
        [
            "the first `?` begins the headers, also before the at sign: the host is what stands in front of it",
            "the at sign ends the user",
            "RFC 3261, section 25.1: user-unreserved has `?`",
            "network: another host than the one that every other element routes to",
        ],
        |case| case.address(|text| in_user(text, '?')) || case.refused_uri(|text| in_user(text, '?')),
        include_bytes!("../../../../findings/rsipstack/user-with-a-question-mark"),
    ),
    rsipstack(
        "user-with-a-semicolon",
        [
            "the first `;` begins the parameters, also before the at sign: the host is what stands in front of it",
            "the at sign ends the user",
            "RFC 3261, section 25.1: user-unreserved has `;`; RFC 4475, section 3.1.1.9",
            "network: another host than the one that every other element routes to",
        ],
        |case| case.address(|text| in_user(text, ';')) || case.refused_uri(|text| in_user(text, ';')),
        include_bytes!("../../../../findings/rsipstack/user-with-a-semicolon"),
    ),
    rsipstack(
        "listed-parameters",
        [
            "a transport, method or rport that is in no list is refused",
            "kept as written",
            "RFC 3261, section 19.1.1: other-transport",
            "none: refused",
        ],
        |case| {
            let odd = |text: &str| {
                let port = text.split(';').any(|part| part.trim().to_ascii_lowercase().starts_with("rport"));
                unlisted(text, "transport", TRANSPORTS) || unlisted(text, "method", &METHODS) || port
            };
            case.refused_uri(odd) || case.address(odd)
        },
        b"OPTIONS sip:h;transport=other SIP/2.0\r\n\r\n",
    ),
    rsipstack(
        "blanks-before-equals",
        [
            "the blank belongs to the name, so `tag = 1` is no tag",
            "blanks are blanks",
            "RFC 3261, section 25.1: EQUAL",
            "network: a dialog without a tag, which is another dialog",
        ],
        |case| case.aspect == Aspect::Address && case.text.contains([' ', '\t']) && case.text.contains('='),
        include_bytes!("../../../../findings/rsipstack/blanks-before-equals"),
    ),
    rsipstack(
        "semicolon-in-a-quoted-parameter",
        [
            "quotes do not hold a parameter together",
            "they do",
            "RFC 3261, section 25.1: gen-value",
            "network: a tag out of another parameter's text",
        ],
        |case| {
            case.aspect == Aspect::Address
                && case.text.rsplit_once("=\"").is_some_and(|(_, value)| value.contains([';', '=']))
        },
        include_bytes!("../../../../findings/rsipstack/semicolon-in-a-quoted-parameter"),
    ),
    rsipstack(
        "uris-that-sip-does-not-derive",
        [
            "of a URI that is no SIP URI some are refused",
            "as written",
            "RFC 3261, section 25.1: absoluteURI",
            "none: refused",
        ],
        |case| case.refused_uri(|text| StrictUri::of(text).is_none()),
        b"OPTIONS sip: SIP/2.0\r\n\r\n",
    ),
];
