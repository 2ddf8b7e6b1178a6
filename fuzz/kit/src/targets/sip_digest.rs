//! Digest logins: what is asked, what is answered, and what is believed.

use ringfence_wire::Error;
use ringfence_wire::digest::{Algorithm, Authorization, Challenge, challenges, ha1};
use sha2::Digest;

use crate::generators::digest::Exchange;
use crate::generators::{stretch, value};
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, FIXPOINT, allocating, fixpoint};
use crate::sections::sections;
use crate::target::{Seed, Target};

/// Values of WWW-Authenticate or Authorization, one in a line. Behind a NUL stands an exchange that is drawn.
pub const TARGET: Target = Target {
    name: "sip_digest",
    reads: "values of WWW-Authenticate or Authorization",
    oracles: &[&ALLOCATION, &FIXPOINT, &FIELDS, &BELIEVED, &DOUBTED, &COMPUTED],
    run,
    accepts,
    show,
    seeds,
    dictionary: Some("sip"),
    max_len: 8_192,
    covers: &["harness/wire/src/digest.rs"],
};

/// Challenges in one field and in several are the same ones.
pub const FIELDS: Oracle = Oracle::new(
    "one field or several",
    "a comma ends a parameter, a challenge or a field (RFC 9110, section 11.6.1); a reader that confuses them answers another realm",
);

/// An answer to a challenge is the one that the RFC has, and verifies with the password that it was made with.
pub const BELIEVED: Oracle = Oracle::new(
    "a right answer is believed",
    "both sides compute the same response (RFC 7616, section 3.4.1); one that only we compute logs in nowhere",
);

/// With another password, method, nonce count or response it does not.
pub const DOUBTED: Oracle = Oracle::new(
    "a wrong answer is not believed",
    "the response covers password, method, URI, nonce and count (RFC 7616, section 3.4.1)",
);

/// What cannot be computed is not answered, and all the rest is.
pub const COMPUTED: Oracle = Oracle::new(
    "only what can be computed is answered",
    "an answer by another algorithm than the one that was asked for would be a downgrade (RFC 8760, section 2.4)",
);

const BOUND: Bound = Bound { per_byte: 128, fixed: 4_096 };

/// One run.
pub fn run(bytes: &[u8]) {
    if let Some((0, drawn)) = bytes.split_first() {
        let Some(exchange) = value::<Exchange>(drawn) else { return };
        return answers(&exchange, Authorization::answer, Authorization::verify);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(found) = allocating(BOUND, text.len(), || challenges(text.lines())) {
        found.iter().for_each(challenge_prints);
        fields(text, &found, |values| challenges(values.iter().copied()));
    }
    for line in text.lines().take(4) {
        if let Ok(Some(answer)) = allocating(BOUND, line.len(), || Authorization::parse(line)) {
            answer_prints(&answer);
            let _ = answer.verify("", "REGISTER");
        }
    }
}

fn challenge_prints(challenge: &Challenge) {
    fixpoint(&vec![challenge.clone()], |_| challenge.to_string(), |text| challenges([text.as_str()]));
}

fn answer_prints(answer: &Authorization) {
    fixpoint(&Some(answer.clone()), |_| answer.to_string(), |text| Authorization::parse(text));
}

/// [`FIELDS`].
fn fields(text: &str, found: &[Challenge], read: impl Fn(&[&str]) -> Result<Vec<Challenge>, Error>) {
    let each: Result<Vec<_>, _> = text.lines().map(|line| read(&[line])).collect();
    FIELDS.same(&each.map(|each| each.concat()).as_deref(), &Ok(found), "field by field, and all of them");
    let printed: Vec<String> = found.iter().take(16).map(Challenge::to_string).collect();
    let joined = read(&[&printed.join(", ")]);
    FIELDS.same(&joined.as_deref(), &Ok(&found[..printed.len()]), "in one field, and in several");
}

/// [`BELIEVED`], [`DOUBTED`], [`COMPUTED`].
fn answers(
    drawn: &Exchange,
    answer: impl Fn(&Challenge, (&str, &str), (&str, &str), (u32, &str)) -> Result<Authorization, Error>,
    verify: impl Fn(&Authorization, &str, &str) -> Result<(), Error>,
) {
    let challenge = drawn.challenge();
    challenge_prints(&challenge);
    let (method, uri) = (drawn.method.0.as_str(), drawn.uri());
    let (username, cnonce) = (drawn.username(), drawn.cnonce());
    let login = (username.as_str(), drawn.password.0.as_str());
    let answer = answer(&challenge, login, (method, &uri), (drawn.nc, &cnonce));
    computed(&challenge, &answer);
    let Ok(answer) = answer else { return };
    answer_prints(&answer);
    let given = (answer.nonce == challenge.nonce, answer.opaque == challenge.opaque, answer.uri == uri);
    BELIEVED.same(&given, &(true, true, true), "nonce, opaque and URI are given back");
    BELIEVED.same(&answer.response, &response(&answer, login, method), "the response, and the RFC's");
    let algorithm = Algorithm::named(answer.algorithm.as_deref()).unwrap_or(Algorithm::Md5);
    let stored = |password: &str| ha1(algorithm, &username, &answer.realm, password);
    let right = stored(login.1);
    let outcome = verify(&answer, &right, method);
    BELIEVED.holds(outcome.is_ok(), || format!("{outcome:?} of {answer:?}"));
    let doubted = |what: &str, outcome: Result<(), Error>| {
        DOUBTED.holds(outcome == Err(Error::Unverified("digest response")), || {
            format!("{what}: {outcome:?} of {answer:?}")
        });
    };
    if drawn.other != drawn.password {
        doubted("another password", verify(&answer, &stored(&drawn.other.0), method));
    }
    doubted("another method", verify(&answer, &right, &format!("{method}x")));
    let mut wrong = answer.clone();
    match drawn.turned % 4 {
        0 => wrong.uri.push('x'),
        1 => wrong.nonce.push('x'),
        2 if answer.qop.is_some() => wrong.nc = answer.nc.map(|nc| nc.wrapping_add(1)),
        _ => turn(&mut wrong.response, drawn.turned),
    }
    doubted("another answer", verify(&wrong, &right, method));
}

/// The response, by the words of RFC 7616, section 3.4.1 (with `qop`), and RFC 2069, section 2.1.2 (without).
fn response(answer: &Authorization, (username, password): (&str, &str), method: &str) -> String {
    let sha256 = answer.algorithm.as_ref().is_some_and(|name| name.eq_ignore_ascii_case("SHA-256"));
    let hash = |text: String| match sha256 {
        true => hex(&sha2::Sha256::digest(text)),
        false => hex(&md5::Md5::digest(text)),
    };
    let Authorization { realm, nonce, uri, qop, .. } = answer;
    let a1 = hash(format!("{username}:{realm}:{password}"));
    let a2 = hash(format!("{method}:{uri}"));
    match (qop, answer.nc, &answer.cnonce) {
        (Some(qop), Some(nc), Some(cnonce)) => hash(format!("{a1}:{nonce}:{nc:08x}:{cnonce}:{qop}:{a2}")),
        _ => hash(format!("{a1}:{nonce}:{a2}")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn turn(response: &mut String, at: u8) {
    let at = usize::from(at) % response.len().max(1);
    *response = response
        .chars()
        .enumerate()
        .map(|(here, c)| {
            if here == at && c == '0' {
                '1'
            } else if here == at {
                '0'
            } else {
                c
            }
        })
        .collect();
}

/// [`COMPUTED`].
fn computed(challenge: &Challenge, answer: &Result<Authorization, Error>) {
    let known = challenge
        .algorithm
        .as_ref()
        .is_none_or(|name| ["md5", "sha-256"].contains(&name.to_ascii_lowercase().as_str()));
    let auth = challenge.qop.is_empty() || challenge.qop.iter().any(|qop| qop.eq_ignore_ascii_case("auth"));
    COMPUTED.holds(answer.is_ok() == (known && auth), || format!("{answer:?} to {challenge:?}"));
    let same = answer
        .as_ref()
        .map_or(true, |answer| answer.algorithm == challenge.algorithm && answer.realm == challenge.realm);
    COMPUTED.holds(same, || format!("{answer:?} to {challenge:?}"));
}

fn accepts(bytes: &[u8]) -> bool {
    match bytes.split_first() {
        Some((0, drawn)) => value::<Exchange>(drawn).is_some(),
        _ => std::str::from_utf8(bytes).is_ok_and(|text| {
            challenges(text.lines()).is_ok_and(|found| !found.is_empty())
                || Authorization::parse(text).is_ok_and(|found| found.is_some())
        }),
    }
}

fn show(bytes: &[u8]) -> String {
    match (bytes.split_first(), std::str::from_utf8(bytes)) {
        (Some((0, drawn)), _) => format!("{:#?}", value::<Exchange>(drawn)),
        (_, Ok(text)) => {
            let answers: Vec<_> = text.lines().map(Authorization::parse).collect();
            format!("as challenges: {:#?}\nas answers: {answers:#?}", challenges(text.lines()))
        }
        (_, Err(error)) => format!("no text: {error}"),
    }
}

fn seeds() -> Vec<Seed> {
    let kept = sections(include_str!("../../seeds/sip/logins.txt")).map(|(name, text)| Seed::valid(name, text));
    let drawn =
        (0..16).map(|seed| Seed::valid(format!("drawn-{seed}"), [&[0], stretch(seed, 300).as_slice()].concat()));
    kept.chain(drawn).collect()
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use super::*;
    use crate::oracle::caught;

    const TWO: &str = "Digest realm=\"a, b\", nonce=n\nDigest realm=c, nonce=d";

    fn drawn() -> Exchange {
        let mut all = (0..2_000).filter_map(|seed| value::<Exchange>(&stretch(seed, 300)));
        let fits = |one: &Exchange| {
            let challenge = one.challenge();
            Authorization::answer(&challenge, ("", ""), ("", ""), (0, "")).is_ok() && one.other != one.password
        };
        all.find(fits).expect("one in many can be answered")
    }

    #[test]
    fn a_reader_that_splits_within_quotes_is_caught() {
        let found = challenges(TWO.lines()).expect("they are sound");
        fields(TWO, &found, |values| challenges(values.iter().copied()));
        caught(&FIELDS, || fields(TWO, &found, |_| Ok(Vec::new())));
        caught(&FIELDS, || fields(TWO, &found, |values| challenges(values.iter().flat_map(|value| value.split(", ")))));
    }

    #[test]
    fn who_believes_everything_or_nothing_is_caught() {
        answers(&drawn(), Authorization::answer, Authorization::verify);
        caught(&DOUBTED, || answers(&drawn(), Authorization::answer, |_, _, _| Ok(())));
        caught(&BELIEVED, || {
            answers(&drawn(), Authorization::answer, |_, _, _| Err(Error::Unverified("digest response")))
        });
        // One that forgets the method, as if every request were the same.
        let method = drawn().method.0;
        caught(&DOUBTED, || {
            answers(&drawn(), Authorization::answer, move |answer, ha1, _| answer.verify(ha1, &method))
        });
    }

    /// Right by itself on both sides, and wrong for everybody else: the count is hashed without its zeros.
    #[test]
    fn a_formula_of_our_own_is_caught() {
        let counts = |one: &Exchange| one.challenge().qop.iter().any(|qop| qop == "auth");
        let login = |one: &Exchange| {
            let challenge = one.challenge();
            Authorization::answer(&challenge, ("", ""), ("", ""), (0, "")).is_ok()
        };
        let mut all = (0..4_000).filter_map(|seed| value::<Exchange>(&stretch(seed, 300)));
        let mut drawn = all.find(|one| counts(one) && login(one)).expect("one in many has a count");
        drawn.nc = 7;
        let unpadded =
            |challenge: &Challenge, login: (&str, &str), (method, uri): (&str, &str), (nc, cnonce): (u32, &str)| {
                let mut answer = Authorization::answer(challenge, login, (method, uri), (nc, cnonce))?;
                let algorithm = Algorithm::named(answer.algorithm.as_deref())?;
                let a1 = ha1(algorithm, login.0, &answer.realm, login.1);
                let a2 = ringfence_wire::digest::response(algorithm, &a1, "", None, method, uri);
                answer.response = ha1(algorithm, &format!("{a1}:{}:{nc:x}", answer.nonce), cnonce, &a2);
                Ok(answer)
            };
        caught(&BELIEVED, AssertUnwindSafe(|| answers(&drawn, unpadded, |_, _, _| Ok(()))));
        answers(&drawn, Authorization::answer, Authorization::verify);
    }

    #[test]
    fn a_downgrade_is_caught() {
        let asked = Challenge { algorithm: Some("SHA-512-256".into()), ..Challenge::default() };
        let answer = Authorization::answer(&asked, ("u", "p"), ("REGISTER", "sip:a"), (1, "c"));
        computed(&asked, &answer);
        let weaker = Authorization { algorithm: Some("MD5".into()), ..Authorization::default() };
        caught(&COMPUTED, || computed(&asked, &Ok(weaker)));
        caught(&COMPUTED, || computed(&Challenge::default(), &answer));
    }
}
