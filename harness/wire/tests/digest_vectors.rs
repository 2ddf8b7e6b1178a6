//! RFC 7616, section 3.9.1; RFC 2617, section 3.5; forms seen from SIP servers.

use ringfence_wire::Error;
use ringfence_wire::digest::*;

const LOGIN: (&str, &str) = ("Mufasa", "Circle of Life");
const GET: (&str, &str) = ("GET", "/dir/index.html");
const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

fn challenge(algorithm: &str) -> String {
    format!(
        "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
         nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
    )
}

#[test]
fn rfc_7616_section_3_9_1() {
    let lines = [challenge("SHA-256"), challenge("MD5")];
    let asked = challenges(lines.iter().map(String::as_str)).unwrap();
    // The same two in one line are the same two challenges.
    assert_eq!(challenges([lines.join(", ").as_str()]).unwrap(), asked);
    let expected =
        ["753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", "8ca523f5e9506fed4657c9700eebdbec"];
    for (challenge, expected) in asked.iter().zip(expected) {
        assert_eq!(challenge.qop, ["auth", "auth-int"]);
        let answer = Authorization::answer(challenge, LOGIN, GET, (1, CNONCE)).unwrap();
        assert_eq!(answer.response, expected);
        assert_eq!(Authorization::parse(&answer.to_string()), Ok(Some(answer.clone())));
        let algorithm = Algorithm::named(answer.algorithm.as_deref()).unwrap();
        let stored = ha1(algorithm, LOGIN.0, &answer.realm, LOGIN.1);
        assert_eq!(answer.verify(&stored, "GET"), Ok(()));
        assert_eq!(answer.verify(&stored, "POST"), Err(Error::Unverified("digest response")));
        assert_eq!(challenges([challenge.to_string().as_str()]), Ok(vec![challenge.clone()]));
    }
}

#[test]
fn rfc_2617_section_3_5_and_rfc_2069() {
    let text = "Digest realm=\"testrealm@host.com\",qop=\"auth,auth-int\",\
        nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    let mut asked = challenges([text]).unwrap().remove(0);
    let login = ("Mufasa", "Circle Of Life");
    let answer = Authorization::answer(&asked, login, GET, (1, "0a4f113b")).unwrap();
    assert_eq!(answer.response, "6629fae49393a05397450978507c4ef1");
    assert!(answer.to_string().contains("qop=auth, nc=00000001, cnonce=\"0a4f113b\""), "{answer}");
    asked.qop.clear();
    let answer = Authorization::answer(&asked, login, GET, (1, "0a4f113b")).unwrap();
    assert_eq!(answer.response, "670fd8c2df070c60b045671b8b24ff02");
    assert_eq!((answer.nc, answer.cnonce.as_deref()), (None, None));
}

#[test]
fn quoting_survives_a_hostile_realm() {
    let asked =
        Challenge { realm: "a\", qop=\"x\\".into(), nonce: "n,Digest realm=\"b\"".into(), ..Default::default() };
    assert_eq!(challenges([asked.to_string().as_str()]).unwrap(), [asked]);
}

/// What stands without quotes elsewhere needs them, if the peer hid something in it.
#[test]
fn quoting_survives_a_hostile_algorithm_and_qop() {
    let hidden = "MD5, Digest realm=evil";
    let text = format!("Digest realm=\"r\", nonce=\"n\", algorithm=\"{hidden}\"");
    let asked = challenges([text.as_str()]).unwrap();
    assert_eq!(asked[0].algorithm.as_deref(), Some(hidden));
    assert_eq!(challenges([asked[0].to_string().as_str()]).unwrap(), asked);
    for odd in [hidden, "", "a b", "\"", "\\"] {
        let answer = Authorization {
            qop: Some(odd.into()),
            algorithm: Some(odd.into()),
            username: "u".into(),
            nc: Some(1),
            ..Default::default()
        };
        assert_eq!(Authorization::parse(&answer.to_string()), Ok(Some(answer)), "{odd:?}");
    }
}

#[test]
fn other_schemes_are_left_out() {
    let text = "Basic realm=\"x\", Negotiate, DIGEST Realm = \"r\" , nonce=n, stale=TRUE, Bearer abc==";
    let asked = challenges([text]).unwrap();
    let expected = Challenge { realm: "r".into(), nonce: "n".into(), stale: true, ..Default::default() };
    assert_eq!(asked, [expected]);
    assert_eq!(Authorization::parse("Basic dTpw"), Ok(None));
    assert_eq!(Authorization::parse(""), Ok(None));
}

#[test]
fn wrong_challenges_name_the_field() {
    for (text, error) in [
        ("Digest realm=\"a\"", Error::Missing("digest nonce")),
        ("Digest realm=\"a\", nonce=\"b", Error::Invalid("digest parameter")),
        ("Digest realm=\"a\"b, nonce=\"b\"", Error::Invalid("digest parameter")),
        ("Digest realm=a, realm=b", Error::Conflict("digest parameter")),
    ] {
        assert_eq!(challenges([text]), Err(error), "{text}");
    }
    let asked = Challenge { algorithm: Some("SHA-512-256".into()), ..Default::default() };
    assert_eq!(Authorization::answer(&asked, LOGIN, GET, (1, "c")), Err(Error::Unsupported("digest algorithm")));
    let asked = Challenge { qop: vec!["auth-int".into()], ..Default::default() };
    assert_eq!(Authorization::answer(&asked, LOGIN, GET, (1, "c")), Err(Error::Unsupported("digest qop")));
    let answer = "Digest username=u,realm=r,nonce=n,uri=x,response=y,qop=auth,cnonce=c,nc=";
    assert_eq!(Authorization::parse(&format!("{answer}1")), Err(Error::Invalid("digest nc")));
    assert!(Authorization::parse(&format!("{answer}0000000a")).is_ok());
}
