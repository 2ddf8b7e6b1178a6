//! `rsip` 0.4.0, by which the lab reads requests, behind the pre-pass.

use ringfence_wire::Error;
use ringfence_wire::sip::Repair;

use super::{Aspect, Case, METHODS, TRANSPORTS, in_user, unlisted};
use crate::known::Difference;
use crate::oracles::StrictUri;

const fn rsip(
    id: &'static str,
    [theirs, ours, rfc, reach]: [&'static str; 4],
    explains: fn(&Case) -> bool,
    example: &'static [u8],
) -> Difference<Case> {
    Difference { id, parser: "rsip", theirs, ours, rfc, reach, explains, example }
}

/// The first that explains a difference is the one that counts.
pub(super) const KNOWN: &[Difference<Case>] = &[
    rsip(
        "header-without-end",
        [
            "without the empty line the first field is all of the header, and the other fields are the body",
            "refused",
            "RFC 3261, section 7: the empty line must be there",
            "network: a message that is cut short loses Via, From and the others, and is read on",
        ],
        |case| case.only_theirs().is_some() && !case.bytes.windows(4).any(|four| four == b"\r\n\r\n"),
        include_bytes!("../../../../findings/rsip/header-without-end"),
    ),
    rsip(
        "content-length-unread",
        [
            "the body is all that follows, whatever Content-Length says, once or twice",
            "refused, unless it is the body's length",
            "RFC 3261, sections 18.3 and 20.14",
            "network: behind a reader that believes the number, one message is two",
        ],
        |case| {
            let field = "Content-Length";
            matches!(case.only_theirs(), Some(Error::Invalid(of) | Error::Conflict(of) | Error::Length { field: of, .. }) if *of == field)
        },
        include_bytes!("../../../../findings/rsip/content-length-unread"),
    ),
    rsip(
        "nul-and-line-ends-in-values",
        [
            "NUL, CR and LF may stand in a value and in the first line",
            "refused before the body",
            "RFC 3261, section 25.1: none of them is part of TEXT-UTF8-TRIM",
            "network: a reader that ends lines at LF finds a field in it that this one does not",
        ],
        |case| matches!(case.only_theirs(), Some(Error::Invalid("SIP header line"))),
        include_bytes!("../../../../findings/rsip/nul-and-line-ends-in-values"),
    ),
    rsip(
        "version-by-its-major",
        [
            "1.x and 2.x are SIP",
            "SIP/2.0 alone",
            "RFC 3261, section 7.1",
            "network: a version that is not ours is served instead of answered with 505",
        ],
        |case| matches!(case.only_theirs(), Some(Error::Invalid("SIP version"))),
        include_bytes!("../../../../findings/rsip/version-by-its-major"),
    ),
    rsip(
        "status-with-a-sign",
        [
            "three bytes that Rust reads as a number, also with a sign; behind any blanks; from 0 to 999",
            "three digits, 100 to 699",
            "RFC 3261, sections 7.2 and 25.1",
            "network: a response of no class, which code that counts on one may not expect",
        ],
        |case| matches!(case.only_theirs(), Some(Error::Invalid("SIP status"))),
        include_bytes!("../../../../findings/rsip/status-with-a-sign"),
    ),
    rsip(
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
    rsip(
        "uri-with-controls",
        [
            "anything but a blank and a semicolon may be a host",
            "a Request-URI without blanks and controls",
            "RFC 3261, section 7.1: no unescaped spaces or control characters",
            "local: where such a host is logged or looked up",
        ],
        |case| matches!(case.only_theirs(), Some(Error::Invalid("SIP start line"))),
        include_bytes!("../../../../findings/rsip/uri-with-controls"),
    ),
    rsip(
        "scheme-that-runs-on",
        [
            "a Request-URI that is not `sip:` or `sips:` has a scheme up to the next `://`, wherever that is: the fields in between are gone, and a later line, also one of the body, ends the first one",
            "the Request-URI ends at the blank",
            "RFC 3261, section 7.1",
            "network: fields that a filter has looked at are replaced by others, out of one value or out of the body",
        ],
        runs_on,
        include_bytes!("../../../../findings/rsip/scheme-that-runs-on"),
    ),
    rsip(
        "fourteen-methods",
        ["any other method is no message", "any token", "RFC 3261, section 7.1: extension-method", "none: refused"],
        Case::unknown_method,
        b"PING sip:h SIP/2.0\r\n\r\n",
    ),
    rsip(
        "method-in-any-case",
        [
            "`invite` is INVITE",
            "kept as written",
            "RFC 3261, section 7.1: methods are compared with their case",
            "network: what a filter for INVITE lets through becomes one",
        ],
        Case::method_in_any_case,
        include_bytes!("../../../../findings/rsip/method-in-any-case"),
    ),
    rsip(
        "forms-that-the-pre-pass-knows",
        [
            "folds, blanks before the colon, empty lines in front and a status without a blank behind it are refused",
            "made plain",
            "RFC 3261, sections 7.3.1, 7.3.3 and 7.5: all legal but the last",
            "none: refused",
        ],
        |case| {
            let made = [Repair::Folded, Repair::SpaceBeforeColon, Repair::LeadingLineEnd];
            let short = case
                .bytes
                .splitn(2, |byte| *byte == b'\r')
                .next()
                .is_some_and(|line| line.split(|byte| *byte == b' ').count() == 2);
            case.only_ours().is_some() && (case.repairs.iter().any(|repair| made.contains(repair)) || short)
        },
        b"OPTIONS sip:h SIP/2.0\r\nSubject: a\r\n b\r\n\r\n",
    ),
    rsip(
        "no-fields-and-a-blank-line-in-the-body",
        [
            "the first empty line is looked for behind the first line, so it is found in the body; what stands before it there has to be nothing",
            "a message without fields",
            "RFC 3261, section 7",
            "none: without fields it is not served",
        ],
        |case| {
            let Some(message) = case.ours.as_ref().ok().filter(|message| message.headers.is_empty()) else {
                return false;
            };
            let theirs = case.theirs.as_ref().map(|theirs| &*theirs.body);
            match case.aspect {
                Aspect::Verdict => theirs.is_none() && message.body.windows(4).any(|four| four == b"\r\n\r\n"),
                Aspect::Body => theirs.is_some() && theirs == message.body.strip_prefix(b"\r\n"),
                _ => false,
            }
        },
        b"OPTIONS sip:h SIP/2.0\r\n\r\na\r\n\r\nb",
    ),
    rsip(
        "compact-names-and-blanks-kept",
        [
            "`f` is a field that nobody knows, blanks behind a value belong to it, and a second Content-Length stays",
            "long names, trimmed values, one Content-Length",
            "RFC 3261, sections 7.3.1 and 7.3.3",
            "network: a From that is written `f` is not there",
        ],
        |case| case.same_fields(|value| value.trim_matches([' ', '\t']).to_owned()),
        include_bytes!("../../../../findings/rsip/compact-names-and-blanks-kept"),
    ),
    rsip(
        "bracket-in-a-quoted-name",
        [
            "the first bracket counts, also inside the quotes of a display name; what follows is then refused",
            "the bracket behind the quotes",
            "RFC 3261, section 25.1: display-name, quoted-string",
            "network: a legal From cannot be read",
        ],
        |case| {
            case.address(|text| {
                text.starts_with('"') && text.rsplit_once('"').is_some_and(|(name, _)| name.contains(['<', '>']))
            })
        },
        include_bytes!("../../../../findings/rsip/bracket-in-a-quoted-name"),
    ),
    rsip(
        "user-with-a-dot",
        [
            "a user or password with a dot is a part of the host",
            "the at sign ends the user",
            "RFC 3261, section 25.1: a dot is unreserved",
            "network: who routes or authorises by this host asks for one that nobody owns",
        ],
        |case| case.address(|text| in_user(text, '.')) || case.refused_uri(|text| in_user(text, '.')),
        include_bytes!("../../../../findings/rsip/user-with-a-dot"),
    ),
    rsip(
        "headers-of-a-uri-in-the-host",
        [
            "`?` does not end the host, nor the port, which is then no number; behind a parameter of From and To it ends reading",
            "headers are no part of the host",
            "RFC 3261, section 19.1.1",
            "network: as above",
        ],
        |case| case.address(|text| text.contains('?')) || case.refused_uri(|text| text.contains('?')),
        include_bytes!("../../../../findings/rsip/headers-of-a-uri-in-the-host"),
    ),
    rsip(
        "addresses-of-version-6",
        [
            "the first colon ends the host",
            "an address in brackets",
            "RFC 3261, section 25.1: IPv6reference",
            "none: refused",
        ],
        |case| case.refused_uri(|text| text.contains('[')) || case.address(|text| text.contains('[')),
        b"OPTIONS sip:[2001:db8::1] SIP/2.0\r\n\r\n",
    ),
    rsip(
        "listed-parameters",
        [
            "a transport or method that is in no list, and a parameter with anything but a token, is refused or, in From and To, left out",
            "kept as written",
            "RFC 3261, section 19.1.1: other-transport, pvalue",
            "none: refused",
        ],
        |case| {
            let odd = |text: &str| {
                let parameters = text.split_once(';').map_or("", |(_, parameters)| parameters);
                let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~;= \t>".contains(&byte);
                unlisted(text, "transport", TRANSPORTS)
                    || unlisted(text, "method", &METHODS)
                    || !parameters.bytes().all(token)
            };
            case.refused_uri(odd) || case.address(odd)
        },
        b"OPTIONS sip:h;transport=other SIP/2.0\r\n\r\n",
    ),
    rsip(
        "blanks-between-parameters",
        [
            "no blank around the semicolon, and none around the equals sign",
            "blanks are blanks",
            "RFC 3261, section 25.1: SEMI, EQUAL",
            "none: refused",
        ],
        |case| {
            case.aspect == Aspect::Address
                && case.text.rsplit('>').next().is_some_and(|params| params.contains([' ', '\t']))
        },
        b"OPTIONS sip:h SIP/2.0\r\nFrom: <sip:a@h> ;tag=1\r\n\r\n",
    ),
    rsip(
        "tab-in-cseq",
        ["a tab behind the number is refused", "blanks are blanks", "RFC 3261, section 25.1: LWS", "none: refused"],
        |case| {
            let refused = case.theirs.as_ref().is_some_and(|theirs| theirs.cseq.is_none());
            let blank = case.text.find([' ', '\t']).and_then(|at| case.text.get(at..));
            case.aspect == Aspect::CSeq && refused && blank.is_some_and(|blank| blank.starts_with('\t'))
        },
        b"OPTIONS sip:h SIP/2.0\r\nCSeq: 8\tOPTIONS\r\n\r\n",
    ),
    rsip(
        "uris-that-sip-does-not-derive",
        [
            "of a URI that is no SIP URI some are refused; `tel:+4915` is read as one, see `tel-is-a-host`",
            "as written",
            "RFC 3261, section 25.1: absoluteURI; RFC 3966",
            "none: refused",
        ],
        |case| case.refused_uri(|text| StrictUri::of(text).is_none()),
        b"OPTIONS urn:service:sos SIP/2.0\r\n\r\n",
    ),
];

/// Whether the Request-URI is none of theirs, so that it goes on to the next `://`, and what they say stands behind that.
fn runs_on(case: &Case) -> bool {
    let uri = case.bytes.splitn(2, |byte| *byte == b' ').nth(1).unwrap_or_default();
    let is = |scheme: &[u8]| uri.get(..scheme.len()).is_some_and(|first| first.eq_ignore_ascii_case(scheme));
    let end = uri.windows(3).position(|three| three == b"://").filter(|_| !is(b"sip:") && !is(b"sips:"));
    let Some(behind) = end.and_then(|end| uri.get(end + 3..)) else { return false };
    let stands = |value: &str| value.is_empty() || behind.windows(value.len()).any(|some| some == value.as_bytes());
    let theirs = case.theirs.as_ref();
    match case.aspect {
        Aspect::Verdict => true,
        Aspect::Fields => theirs.is_some_and(|theirs| theirs.fields.iter().all(|(_, value)| stands(value))),
        Aspect::Body => theirs.is_some_and(|theirs| behind.ends_with(&theirs.body)),
        _ => false,
    }
}
