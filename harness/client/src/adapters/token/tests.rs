//! Tokens in the shapes that RFCs and vendors document; every value is made up.

use base64::prelude::*;
use serde_json::json;

use super::*;

/// RFC 7519, section 3.1.
const RFC: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn made(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(header), part(claims))
}

fn t1_token() -> String {
    let data = "session_id=2_MX4xMjM0NTZ-fg&create_time=1800000000&expire_time=1800000600&nonce=0.1234&role=publisher\
                &connection_data=name%3DErika&initial_layout_class_list=&scope=session.connect";
    let head = "partner_id=123456&sig=0123456789abcdef0123456789abcdef01234567";
    format!("T1=={}", BASE64_STANDARD.encode(format!("{head}:{data}")))
}

#[test]
fn a_json_web_token() {
    let token = Token::read(RFC);
    assert_eq!((token.format, token.algorithm.as_deref()), (Format::Jwt, Some("HS256")));
    assert_eq!(token.expires_at(), Some(1_300_819_380));
    assert_eq!(token.issued_at(), None);
    let names: Vec<_> = token.claims().map(|(name, _)| name).collect();
    assert_eq!(names, ["iss", "exp", "http://example.com/is_root"]);

    let connection = made(
        &json!({ "alg": "RS256" }),
        &json!({ "iat": 1.8e9, "exp": 1_800_000_900.5, "jti": "a-b", "scope": "session.connect", "role": "moderator" }),
    );
    let token = Token::read(&connection);
    assert_eq!((token.issued_at(), token.expires_at()), (Some(1_800_000_000), Some(1_800_000_900)));
    assert_eq!((token.text(&["nonce", "jti"]), token.text(&["role"])), (Some("a-b"), Some("moderator")));
    let encrypted = format!("{}.a.b.c.d", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM"}"#));
    let token = Token::read(&encrypted);
    assert_eq!((token.format, token.algorithm.as_deref(), token.claims().count()), (Format::Jwt, Some("dir"), 0));
}

#[test]
fn a_t1_token() {
    let token = Token::read(&t1_token());
    assert_eq!((token.format, token.algorithm.as_deref()), (Format::T1, Some("HMAC-SHA1")));
    assert_eq!((token.issued_at(), token.expires_at()), (Some(1_800_000_000), Some(1_800_000_600)));
    assert_eq!(token.text(&["connection_data"]), Some("name=Erika"));
    assert_eq!(token.text(&["partner_id"]), Some("123456"));
    assert_eq!(token.text(&["sig"]), None, "the signature is no claim");
}

#[test]
fn what_has_no_shape_is_opaque() {
    let long = format!("{RFC}{}", "A".repeat(MAX_BYTES));
    let deep = format!(
        "{}.{}.x",
        BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        BASE64_URL_SAFE_NO_PAD.encode("[".repeat(9000))
    );
    for text in ["", "secret", "a.b.c", "T1==", "T1==AAAA", "....", "e30.e30.x", &long, &deep] {
        assert_eq!(Token::read(text).format, Format::Opaque, "{text}");
        assert_eq!(forged(text, Forgery::BadSignature), None, "{text}");
    }
    let many: Map<String, Value> = (0..1000).map(|number| (format!("c{number}"), Value::Null)).collect();
    assert_eq!(Token::read(&made(&json!({ "alg": "none" }), &Value::Object(many))).claims().count(), MAX_CLAIMS);
    let dates = [json!("soon"), json!(null), json!([1]), json!(1e300), json!(-1e300)];
    for exp in dates {
        let _ = Token::read(&made(&json!({ "alg": "none" }), &json!({ "exp": exp }))).expires_at();
    }
}

#[test]
fn forgeries_change_the_signature_and_nothing_else() {
    let claims =
        |text: &str| Token::read(text).claims().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
    for token in [RFC.to_owned(), t1_token()] {
        for how in [Forgery::BadSignature, Forgery::EmptySignature] {
            let forged = forged(&token, how).unwrap();
            assert_ne!(forged, token);
            assert_eq!(claims(&forged), claims(&token));
        }
        assert!(forged(&token, Forgery::BadSignature).unwrap().len() == token.len());
    }
    let none = forged(RFC, Forgery::AlgNone).unwrap();
    assert_eq!(Token::read(&none).algorithm.as_deref(), Some("none"));
    assert!(none.ends_with('.') && claims(&none) == claims(RFC));
    assert_eq!(forged(&t1_token(), Forgery::AlgNone), None, "a T1 token names no algorithm");
}

#[test]
fn a_signature_is_bent_wherever_it_stands() {
    let t1 = |head: &str| format!("T1=={}", BASE64_STANDARD.encode(format!("{head}:role=publisher")));
    let head = |text: &str| {
        let decoded = BASE64_STANDARD.decode(text.strip_prefix("T1==").unwrap()).unwrap();
        String::from_utf8(decoded).unwrap().split_once(':').unwrap().0.to_owned()
    };
    let decoy = t1("partner_id=1&xsig=real&sig=real&s%69g=real");
    assert_eq!(head(&forged(&decoy, Forgery::EmptySignature).unwrap()), "partner_id=1&xsig=real&sig=&s%69g=");
    assert_eq!(head(&forged(&decoy, Forgery::BadSignature).unwrap()), "partner_id=1&xsig=real&sig=0eal&s%69g=0eal");
    for unsigned in [t1("partner_id=1"), t1("partner_id=1&sig="), t1("partner_id=1&xsig=a")] {
        assert_eq!(forged(&unsigned, Forgery::EmptySignature), None, "{unsigned}");
        assert_eq!(forged(&unsigned, Forgery::BadSignature), None, "{unsigned}");
    }
    let unsigned = forged(RFC, Forgery::AlgNone).unwrap();
    for how in [Forgery::BadSignature, Forgery::EmptySignature, Forgery::AlgNone] {
        assert_eq!(forged(&unsigned, how), None, "what nobody signed cannot be forged: {how:?}");
    }
}
