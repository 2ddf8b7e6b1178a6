//! Access tokens in the shapes that are read: JSON web tokens, signed, unsigned and encrypted, and T1 tokens.

use arbitrary::{Arbitrary, Result, Unstructured};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};

use super::json;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token(pub String);

const ALGORITHMS: [&str; 8] = ["HS256", "RS256", "ES256", "none", "None", "dir", "", "HS256\u{0}"];
const CLAIMS: [&str; 12] =
    ["exp", "iat", "nbf", "jti", "iss", "sub", "aud", "scope", "role", "nonce", "expire_time", "create_time"];
const TIMES: [&str; 10] = [
    "1800000000",
    "1.8e9",
    "1800000000.5",
    "-1",
    "0",
    "1e300",
    "-1e300",
    "18446744073709551616",
    "\"1800000000\"",
    "null",
];
const T1_NAMES: [&str; 10] = [
    "partner_id",
    "sig",
    "xsig",
    "s%69g",
    "session_id",
    "create_time",
    "expire_time",
    "nonce",
    "role",
    "connection_data",
];
const T1_VALUES: [&str; 8] = ["123456", "0123456789abcdef", "", "1800000600", "a=b", "%3a", "sig=real", "é"];
const SIGNATURES: [&str; 8] =
    ["c2lnbmF0dXJl", "", "0", "00", "1abc", "é", "=", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"];

impl<'a> Arbitrary<'a> for Token {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self(match u.int_in_range(0..=7)? {
            0..=3 => signed(u)?,
            4 => {
                let header = header(u)?;
                format!("{}.a.b.c.d", encoded(u, &header)?)
            }
            _ => t1(u)?,
        }))
    }
}

fn signed(u: &mut Unstructured<'_>) -> Result<String> {
    let (header, claims) = (header(u)?, claims(u)?);
    Ok(format!("{}.{}.{}", encoded(u, &header)?, encoded(u, &claims)?, u.choose(&SIGNATURES)?))
}

fn header(u: &mut Unstructured<'_>) -> Result<String> {
    let algorithm = json::quoted(u.choose(&ALGORITHMS)?);
    Ok(match u.int_in_range(0..=7)? {
        0 => json::text(u)?,
        1 => format!("{{\"alg\":{algorithm},\"alg\":\"HS256\"}}"),
        2 => format!("{{\"kid\":{},\"alg\":{algorithm}}}", json::text(u)?),
        _ => format!("{{\"typ\":\"JWT\",\"alg\":{algorithm}}}"),
    })
}

fn claims(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(1, 16)? {
        let many: Vec<String> = (0..u.int_in_range(60..=200)?).map(|number| format!("\"c{number}\":0")).collect();
        return Ok(format!("{{{}}}", many.join(",")));
    }
    let mut fields = Vec::new();
    for _ in 0..u.int_in_range(0..=8)? {
        let value = if u.ratio(1, 2)? { (*u.choose(&TIMES)?).to_owned() } else { json::text(u)? };
        fields.push(format!("{}:{value}", json::quoted(u.choose(&CLAIMS)?)));
    }
    Ok(format!("{{{}}}", fields.join(",")))
}

fn t1(u: &mut Unstructured<'_>) -> Result<String> {
    let mut pairs = |most: usize| -> Result<String> {
        let mut pairs = Vec::new();
        for _ in 0..u.int_in_range(0..=most)? {
            pairs.push(format!("{}={}", u.choose(&T1_NAMES)?, u.choose(&T1_VALUES)?));
        }
        Ok(pairs.join("&"))
    };
    let (head, data) = (pairs(4)?, pairs(8)?);
    let text = format!("partner_id=1&{head}:{data}");
    Ok(format!(
        "T1=={}",
        if u.ratio(1, 2)? { BASE64_STANDARD.encode(text) } else { BASE64_STANDARD_NO_PAD.encode(text) }
    ))
}

fn encoded(u: &mut Unstructured<'_>, text: &str) -> Result<String> {
    Ok(if u.ratio(3, 4)? { BASE64_URL_SAFE_NO_PAD.encode(text) } else { BASE64_URL_SAFE.encode(text) })
}
