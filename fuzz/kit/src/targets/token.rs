//! Access tokens: what they say, and forgeries of them.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use ringfence_client::adapters::token::{Forgery, Format, MAX_BYTES, MAX_CLAIMS, Token, forged};

use crate::generators::{self, stretch};
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, allocating};
use crate::target::{Seed, Target};

/// A token, or what to draw one from.
pub const TARGET: Target = Target {
    name: "token",
    reads: "an access token; behind a byte 0, bytes to draw one from",
    oracles: &[&ALLOCATION, &LIMITS, &FORGED],
    run,
    accepts: |bytes| text(bytes).is_some_and(|text| Token::read(&text).format != Format::Opaque),
    show: |bytes| {
        let text = text(bytes).unwrap_or_default();
        let forgeries = HOW.map(|how| (how, forged(&text, how)));
        format!("{text:?}\n{:#?}\n{forgeries:#?}", Token::read(&text))
    },
    seeds,
    dictionary: None,
    max_len: 20_000, // a token is 16,384 bytes at most
    covers: &["harness/client/src/adapters/token.rs"],
};

/// A token is read within its limits.
pub const LIMITS: Oracle = Oracle::new(
    "a token is bounded",
    "whoever hands out the token decides how long it is and how many claims it has, and we write them down",
);

/// A forgery is one, and nothing else.
pub const FORGED: Oracle = Oracle::new(
    "a forgery differs in its signature alone",
    "a token that still has its issuer's signature is none that he never made, and one with other claims may be refused for these: \
     either way the verdict would be wrong (RFC 7515, section 5.2; RFC 7518, section 3.6)",
);

/// Base64 as issuers write it: padded or not, with bits behind the last byte.
const LENIENT: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENTLY);
const LENIENT_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENTLY);
const LENIENTLY: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const HOW: [Forgery; 3] = [Forgery::BadSignature, Forgery::EmptySignature, Forgery::AlgNone];

fn text(bytes: &[u8]) -> Option<String> {
    match bytes.strip_prefix(&[0]) {
        Some(drawn) => generators::value::<generators::token::Token>(drawn).map(|token| token.0),
        None => std::str::from_utf8(bytes).ok().map(str::to_owned),
    }
}

/// One run.
pub fn run(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let bound = Bound { per_byte: 256, fixed: 16_384 };
    let token = allocating(bound, text.len(), || Token::read(&text));
    bounded(&text, token.format, token.claims().count());
    let _ = (token.issued_at(), token.expires_at(), token.text(&["role", "jti"]));
    let signatures = signatures(&text, token.format);
    for how in HOW {
        let forgery = allocating(bound, text.len(), || forged(&text, how));
        check(&text, (&token, &signatures), how, forgery.as_deref());
    }
}

fn bounded(text: &str, format: Format, claims: usize) {
    LIMITS.holds(text.len() <= MAX_BYTES || format == Format::Opaque, || format!("{} bytes are read", text.len()));
    LIMITS.holds(claims <= MAX_CLAIMS, || format!("{claims} claims are told"));
}

/// Whether this is a forgery of that kind, and whether there is one where there can be.
fn check(text: &str, (token, signatures): (&Token, &[String]), how: Forgery, forgery: Option<&str>) {
    let signed = signatures.iter().any(|signature| !signature.is_empty());
    let Some(forgery) = forgery else {
        // One to forge has a signature, and what bends it is its first character.
        let open = match how {
            Forgery::BadSignature | Forgery::EmptySignature => signed,
            Forgery::AlgNone => token.format == Format::Jwt && signed,
        };
        FORGED.holds(!open, || format!("{text:?} is not forged ({how:?})"));
        return;
    };
    let read = Token::read(forgery);
    let both = || format!("{how:?}\n  of:   {text:?}\n  made: {forgery:?}");
    // A longer one may be opaque to us; the service reads it as it likes.
    if forgery.len() <= MAX_BYTES {
        FORGED.holds(read.format == token.format, both);
        FORGED.holds(read.claims().eq(token.claims()), both);
    }
    let left = self::signatures(forgery, token.format);
    match how {
        Forgery::BadSignature => {
            FORGED.holds(left.len() == signatures.len(), both);
            let mut pairs = left.iter().zip(signatures).filter(|(_, before)| !before.is_empty());
            let kept = pairs.any(|(left, before)| means(left, token.format) == means(before, token.format));
            FORGED.holds(!kept && forgery != text, both);
        }
        Forgery::EmptySignature => FORGED.holds(left.iter().all(String::is_empty) && forgery != text, both),
        Forgery::AlgNone => {
            FORGED.holds(left.iter().all(String::is_empty) && forgery != text, both);
            FORGED.holds(forgery.len() > MAX_BYTES || read.algorithm.as_deref() == Some("none"), both);
        }
    }
}

/// What a signature is to who decodes it as leniently as can be; its text, where nobody can.
fn means(signature: &str, format: Format) -> Vec<u8> {
    match format {
        Format::Jwt => LENIENT_URL.decode(signature).unwrap_or_else(|_| signature.into()),
        _ => signature.to_ascii_lowercase().into(), // hexadecimal
    }
}

/// The signatures that somebody may look at, in their own encoding. Of an encrypted token none: it is not signed.
fn signatures(text: &str, format: Format) -> Vec<String> {
    let parts: Vec<&str> = text.split('.').collect();
    match (format, parts.as_slice()) {
        (Format::Jwt, [_, _, signature]) => vec![(*signature).to_owned()],
        (Format::T1, _) => {
            let decoded = LENIENT.decode(text.strip_prefix("T1==").unwrap_or_default()).unwrap_or_default();
            let head = decoded.split(|byte| *byte == b':').next().unwrap_or_default();
            let pairs = url::form_urlencoded::parse(head);
            pairs.filter(|(name, _)| name == "sig").map(|(_, value)| value.into_owned()).collect()
        }
        _ => Vec::new(),
    }
}

fn seeds() -> Vec<Seed> {
    // RFC 7519, section 3.1, and the unsecured one of section 6.1.
    let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let unsecured = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    let t1 = |text: &str| format!("T1=={}", BASE64_STANDARD.encode(text));
    let vonage = "partner_id=123456&sig=0123456789abcdef0123456789abcdef01234567:session_id=2_MX4xMjM0NTZ-fg&create_time=1800000000\
                  &expire_time=1800000600&nonce=0.1234&role=publisher&connection_data=name%3DErika";
    let mut seeds = vec![
        Seed::valid("rfc7519-signed", signed),
        Seed::valid("rfc7519-unsecured", unsecured),
        Seed::valid("t1", t1(vonage)),
        Seed::valid("t1-with-a-decoy", t1("partner_id=1&xsig=real&sig=real:role=publisher")),
        Seed::other("t1-without-partner", t1("sig=abc:role=publisher")),
        Seed::other("opaque", "k7Q2vV0wq9Zp"),
        Seed::other("dots", "a.b.c"),
    ];
    seeds.extend((0..24).map(|seed| Seed::other(format!("drawn-{seed}"), [&[0][..], &stretch(seed, 96)].concat())));
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    fn signed() -> String {
        String::from_utf8(seeds().swap_remove(0).bytes).expect("text")
    }

    #[test]
    fn what_is_drawn_has_every_shape() {
        let formats: Vec<Format> = (0..200)
            .filter_map(|seed| text(&[&[0][..], &stretch(seed, 96)].concat()))
            .map(|text| Token::read(&text).format)
            .collect();
        for format in [Format::T1, Format::Jwt, Format::Opaque] {
            assert!(formats.iter().filter(|found| **found == format).count() > 5, "{format:?}");
        }
    }

    fn made(how: Forgery, forgery: Option<&str>) {
        let (text, token) = (signed(), Token::read(&signed()));
        check(&text, (&token, &signatures(&text, token.format)), how, forgery);
    }

    #[test]
    fn a_forgery_that_keeps_the_signature_is_caught() {
        caught(&FORGED, || made(Forgery::BadSignature, Some(&signed())));
        // 32 bytes leave two bits of the last character over: `k` and `l` are the same signature to a lenient reader.
        let same = signed().strip_suffix('k').expect("it ends in k").to_owned() + "l";
        caught(&FORGED, || made(Forgery::BadSignature, Some(&same)));
    }

    #[test]
    fn a_forgery_with_other_claims_is_caught() {
        caught(&FORGED, || made(Forgery::EmptySignature, Some("eyJhbGciOiJub25lIn0.e30.")));
    }

    #[test]
    fn a_forger_that_gives_up_is_caught() {
        caught(&FORGED, || made(Forgery::AlgNone, None));
    }

    #[test]
    fn a_reader_without_limits_is_caught() {
        caught(&LIMITS, || bounded(&"a".repeat(MAX_BYTES + 1), Format::Jwt, 1));
        caught(&LIMITS, || bounded("a", Format::Jwt, MAX_CLAIMS + 1));
    }
}
