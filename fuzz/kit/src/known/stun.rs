//! What other STUN readers say otherwise.

mod case;
#[cfg(test)]
mod tests;

pub use case::{Asked, Case, Seen};

use ringfence_wire::Error;
use ringfence_wire::stun::{MAX_ATTRIBUTES, MAX_MESSAGE_BYTES};

use super::Difference;
use crate::mutators::stun::{FINGERPRINT, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256, Span, spans};

const ADDRESSES: [u16; 4] = [0x0001, 0x0012, 0x0016, 0x0020];
const ERROR_CODE: u16 = 0x0009;
const EVEN_PORT: u16 = 0x0018;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const OLD_MAPPED_ADDRESS: u16 = 0x8020;

/// Everything that is known.
pub const DIFFERENCES: &[Difference<Case>] = &[
    Difference {
        id: "first-bits-set",
        parser: "rtc-stun",
        theirs: "does not look at the two bits before the type: 0xc001 is a Binding request",
        ours: "no message",
        rfc: "RFC 8489, section 5: they are zero in every message; section 6.3 has a receiver check it",
        reach: "network: what a demultiplexer by first byte (RFC 7983) gives to another protocol is STUN to this reader",
        explains: |case| case.refused_by_us_alone() && case.bytes.first().is_some_and(|first| first >> 6 != 0),
        example: include_bytes!("../../../findings/rtc-stun/first-bits-set"),
    },
    Difference {
        id: "bytes-behind",
        parser: "rtc-stun",
        theirs: "ignores what follows the length that the header states",
        ours: "no message",
        rfc: "RFC 8489, section 5: a datagram is one message; section 6.3 leaves open what a longer one is",
        reach: "network: bytes that no check covers pass through; its FINGERPRINT looks at the last eight bytes and fails",
        explains: |case| {
            let longer = matches!(case.error, Some(Error::Length { stated, actual, .. }) if stated < actual);
            case.refused_by_us_alone() && longer
        },
        example: include_bytes!("../../../findings/rtc-stun/bytes-behind"),
    },
    Difference {
        id: "no-limits",
        parser: "rtc-stun",
        theirs: "64 KiB, and as many attributes as fit",
        ours: "2 KiB and 64 attributes",
        rfc: "RFC 8489, section 6.1: a request over UDP is to stay below the path's MTU; nothing says what to refuse",
        reach: "network: each attribute of four bytes costs an allocation and a copy",
        explains: too_large,
        example: include_bytes!("../../../findings/rtc-stun/no-limits"),
    },
    Difference {
        id: "values-read-late",
        parser: "rtc-stun",
        theirs: "keeps values as bytes and complains when one is asked for",
        ours: "one malformed value refuses the message",
        rfc: "RFC 8489, section 6.3: a message with syntax errors is discarded; a liberty where nobody asks for the value",
        reach: "none: who asks gets an error",
        explains: |case| case.refused_by_us_alone() && case.framed() && is_about_a_value(case),
        example: include_bytes!("../../../findings/rtc-stun/values-read-late"),
    },
    Difference {
        id: "behind-the-integrity",
        parser: "rtc-stun",
        theirs: "finds the first attribute of a type wherever it stands",
        ours: "nothing behind MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256",
        rfc: "RFC 8489, sections 14.5 and 14.6: what follows is ignored",
        reach: "network: anybody on the way appends XOR-MAPPED-ADDRESS or LIFETIME to a signed answer that has none, and it counts",
        explains: |case| {
            let signed = |span: &Span| [MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256].contains(&span.kind);
            let end = spans(&case.bytes).find(signed).map(|span| span.at);
            case.ours == Seen::Absent && case.value().is_some_and(|(span, _)| end.is_some_and(|end| end < span.at))
        },
        example: include_bytes!("../../../findings/rtc-stun/behind-the-integrity"),
    },
    Difference {
        id: "old-xor-mapped-address",
        parser: "rtc-stun",
        theirs: "type 0x8020 is XOR-MAPPED-ADDRESS",
        ours: "a type that nobody knows",
        rfc: "RFC 8489, section 18.3: 0x0020; 0x8020 is that of drafts and of Windows' servers, and unassigned",
        reach: "none: a server may say either",
        explains: old_type,
        example: include_bytes!("../../../findings/rtc-stun/old-xor-mapped-address"),
    },
    Difference {
        id: "reserved-byte-of-address",
        parser: "rtc-stun",
        theirs: "the byte before the family has to be zero",
        ours: "it is ignored",
        rfc: "RFC 8489, section 14.1: it must be set to zero and must be ignored by receivers",
        reach: "none: an address of a server that sets it is lost",
        explains: reserved_byte,
        example: include_bytes!("../../../findings/rtc-stun/reserved-byte-of-address"),
    },
    Difference {
        id: "reserved-bits-of-error-code",
        parser: "rtc-stun",
        theirs: "the bits before the class belong to it: up to 25,599",
        ours: "they are ignored",
        rfc: "RFC 8489, section 14.8: they are reserved; the class has three bits",
        reach: "network: 401 may be read as another number, and no login follows; only who answers can do that",
        explains: |case| error_code(case, 0xff).is_some_and(|theirs| case.theirs == theirs),
        example: include_bytes!("../../../findings/rtc-stun/reserved-bits-of-error-code"),
    },
    Difference {
        id: "length-not-read",
        parser: "ezk-stun-types",
        theirs: "reads attributes to the end of the buffer, whatever length the header states",
        ours: "no message",
        rfc: "RFC 8489, section 5: the length is that of the message, without the header",
        reach: "network: over TCP a reader that trusts the buffer takes what the next reader calls another message",
        explains: |case| case.refused_by_us_alone() && matches!(case.error, Some(Error::Length { .. })),
        example: include_bytes!("../../../findings/ezk-stun-types/length-not-read"),
    },
    Difference {
        id: "no-limits",
        parser: "ezk-stun-types",
        theirs: "as long as the buffer, and as many attributes as fit",
        ours: "2 KiB and 64 attributes",
        rfc: "RFC 8489, section 6.1: a request over UDP is to stay below the path's MTU; nothing says what to refuse",
        reach: "none: an attribute costs 32 bytes",
        explains: too_large,
        example: include_bytes!("../../../findings/ezk-stun-types/no-limits"),
    },
    Difference {
        id: "values-read-late",
        parser: "ezk-stun-types",
        theirs: "keeps values as bytes and complains when one is asked for; of LIFETIME, CHANNEL-NUMBER and others it reads the first bytes",
        ours: "one malformed value refuses the message",
        rfc: "RFC 8489, section 6.3: a message with syntax errors is discarded; a liberty where nobody asks for the value",
        reach: "none: who asks gets an error, or a value that was longer",
        explains: |case| case.refused_by_us_alone() && case.framed() && is_about_a_value(case),
        example: include_bytes!("../../../findings/ezk-stun-types/values-read-late"),
    },
    Difference {
        id: "seven-methods",
        parser: "ezk-stun-types",
        theirs: "refuses methods but Binding and the six of RFC 8656",
        ours: "any method; those of RFC 6062 have names",
        rfc: "RFC 8489, section 6.3: an unknown method is discarded, too; Connect and ConnectionBind are RFC 6062's, section 6.1",
        reach: "none",
        explains: |case| case.is(Asked::Message) && case.theirs == Seen::Refused && !is_one_of_seven(&case.bytes),
        example: include_bytes!("../../../findings/ezk-stun-types/seven-methods"),
    },
    Difference {
        id: "reserved-byte-of-address",
        parser: "ezk-stun-types",
        theirs: "the byte before the family has to be zero",
        ours: "it is ignored",
        rfc: "RFC 8489, section 14.1: it must be set to zero and must be ignored by receivers",
        reach: "none: an address of a server that sets it is lost",
        explains: reserved_byte,
        example: include_bytes!("../../../findings/ezk-stun-types/reserved-byte-of-address"),
    },
    Difference {
        id: "class-of-four-bits",
        parser: "ezk-stun-types",
        theirs: "the class of ERROR-CODE has four bits: 1,200 and 1,401 are numbers",
        ours: "three bits",
        rfc: "RFC 8489, section 14.8: three bits, what stands before is reserved",
        reach: "network: as with the reserved bits of rtc-stun",
        explains: |case| error_code(case, 0x0f).is_some_and(|theirs| case.theirs == theirs),
        example: include_bytes!("../../../findings/ezk-stun-types/class-of-four-bits"),
    },
    Difference {
        id: "even-port-is-one",
        parser: "ezk-stun-types",
        theirs: "EVEN-PORT reserves the next port if its byte is 1, and writes 1",
        ours: "if its first bit is set, 0x80",
        rfc: "RFC 8656, section 18.7: R is the most significant bit",
        reach: "none: a request to reserve is read as one without, and the other way round",
        explains: |case| {
            let byte = case.value_of(&[EVEN_PORT]).and_then(|value| value.first());
            byte.is_some_and(|byte| case.theirs == Seen::Is(vec![u8::from(*byte == 1)]))
        },
        example: include_bytes!("../../../findings/ezk-stun-types/even-port-is-one"),
    },
    Difference {
        id: "sha256-hides-the-other",
        parser: "ezk-stun-types",
        theirs: "a MESSAGE-INTEGRITY behind MESSAGE-INTEGRITY-SHA256 is not there",
        ours: "it verifies what it covers; attributes behind the first of the two do not count",
        rfc: "RFC 8489, section 14.6: all but FINGERPRINT is ignored behind it; ours reads no value there, and does not know SHA-256",
        reach: "none",
        explains: |case| {
            let hidden = case.first(MESSAGE_INTEGRITY_SHA256).zip(case.first(MESSAGE_INTEGRITY));
            case.is(Asked::Integrity)
                && case.theirs == Seen::Absent
                && hidden.is_some_and(|(one, other)| one.at < other.at)
        },
        example: include_bytes!("../../../findings/ezk-stun-types/sha256-hides-the-other"),
    },
    Difference {
        id: "fingerprint-not-last",
        parser: "ezk-stun-types",
        theirs: "FINGERPRINT may stand anywhere",
        ours: "it has to be the last",
        rfc: "RFC 8489, section 14.7: it must be the last attribute",
        reach: "network: bytes behind it are in a message whose checksum is called right",
        explains: |case| {
            let end = case.first(FINGERPRINT).map(|span| span.end());
            let both = (&case.ours, &case.theirs) == (&Seen::Refused, &Seen::Is(Vec::new()));
            case.is(Asked::Fingerprint) && both && end.is_some_and(|end| end < case.bytes.len())
        },
        example: include_bytes!("../../../findings/ezk-stun-types/fingerprint-not-last"),
    },
    Difference {
        id: "ignored-attribute-ends-the-search",
        parser: "ezk-stun-types",
        theirs: "an attribute behind MESSAGE-INTEGRITY ends the search, and FINGERPRINT behind it is not there",
        ours: "FINGERPRINT is found",
        rfc: "RFC 8489, section 14.5: the attribute is ignored, FINGERPRINT is not",
        reach: "none: a message that has a checksum seems to have none",
        explains: |case| case.is(Asked::Fingerprint) && case.theirs == Seen::Absent && hidden(&case.bytes),
        example: include_bytes!("../../../findings/ezk-stun-types/ignored-attribute-ends-the-search"),
    },
];

fn too_large(case: &Case) -> bool {
    let large = case.bytes.len() > MAX_MESSAGE_BYTES || spans(&case.bytes).count() > MAX_ATTRIBUTES;
    case.refused_by_us_alone() && large && matches!(case.error, Some(Error::TooLarge { .. }))
}

fn is_about_a_value(case: &Case) -> bool {
    let header = ["STUN header", "STUN magic cookie", "STUN message length"];
    match &case.error {
        Some(Error::Invalid(field) | Error::Truncated(field) | Error::NotUtf8(field)) => !header.contains(field),
        _ => false,
    }
}

fn reserved_byte(case: &Case) -> bool {
    let first = case.value_of(&ADDRESSES).and_then(|value| value.first());
    case.theirs == Seen::Refused && first.is_some_and(|first| *first != 0)
}

/// ERROR-CODE, if that is asked for, as a reader says it that takes these bits of the third byte for the class.
fn error_code(case: &Case, class: u8) -> Option<Seen> {
    let [_, _, bits, number, reason @ ..] = case.value_of(&[ERROR_CODE])? else { return None };
    let code = u32::from(bits & class) * 100 + u32::from(*number);
    Some(Seen::Is([&code.to_be_bytes(), reason].concat()))
}

/// What is said of a message whose types 0x8020 are 0x0020: the attributes under the new type, and the first address of either type.
fn old_type(case: &Case) -> bool {
    let old = |span: &Span| span.kind == OLD_MAPPED_ADDRESS;
    match case.asked {
        Asked::Attributes if spans(&case.bytes).any(|span| old(&span)) => {
            let all = spans(&case.bytes).flat_map(|span| {
                let value = case.bytes.get(span.value()..span.value() + span.length).unwrap_or_default();
                let kind = if old(&span) { XOR_MAPPED_ADDRESS } else { span.kind };
                [&kind.to_be_bytes()[..], &(value.len() as u32).to_be_bytes(), value].concat()
            });
            case.theirs == Seen::Is(all.collect())
        }
        Asked::Value(XOR_MAPPED_ADDRESS) => {
            let first = spans(&case.bytes).find(|span| span.kind == XOR_MAPPED_ADDRESS || old(span));
            let value = |span: Span| case.bytes.get(span.value()..span.value() + span.length);
            first.filter(old).and_then(value).is_some_and(|value| case.theirs == xor_address(value, &case.bytes))
        }
        _ => false,
    }
}

/// An address as `rtc-stun` reads it, zeros where it is short (`short-address`). RFC 8489, section 14.2.
fn xor_address(value: &[u8], message: &[u8]) -> Seen {
    let Some(([0, family @ (1 | 2), high, low], address)) = value.split_first_chunk() else { return Seen::Refused };
    let length = if *family == 1 { 4 } else { 16 };
    let mask = message.get(4..20).unwrap_or_default();
    if address.is_empty() || address.len() > length {
        return Seen::Refused;
    }
    let mut bytes: Vec<u8> = address.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    bytes.resize(length, 0);
    bytes.extend([high, low].into_iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    Seen::Is(bytes)
}

/// Binding, Allocate, Refresh, Send, Data, CreatePermission, ChannelBind: of any class.
fn is_one_of_seven(bytes: &[u8]) -> bool {
    let Some([high, low]) = bytes.first_chunk() else { return false };
    [1, 3, 4, 6, 7, 8, 9].contains(&(u16::from_be_bytes([*high, *low]) & !0x0110))
}

/// Whether something but the other integrity and FINGERPRINT itself stands between the first integrity and FINGERPRINT.
fn hidden(bytes: &[u8]) -> bool {
    let mut behind =
        spans(bytes).skip_while(|span| ![MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256].contains(&span.kind)).skip(1);
    behind.find(|span| span.kind != MESSAGE_INTEGRITY_SHA256).is_some_and(|span| span.kind != FINGERPRINT)
}
