//! The torture messages of RFC 4475 and RFC 5118, made the target's business: towards its realm and a user whom nobody was
//! given, with a Call-ID of this run. What is odd about each stays.

use ringfence_scenarios::corpora::{FUZZ_REGRESSIONS, TORTURE, TORTURE_VERDICTS};
use serde::Deserialize;

use super::draft::{Draft, Words};
use super::item::{Asks, Item, PATIENTLY, SHORTLY, Say};
use crate::OwnFault;

/// Those with a negative, oversize or contradictory number, or lines of kilobytes: they are sent with consent only.
const NOT_MILD: [&str; 7] = ["ncl", "scalar02", "scalarlg", "longreq", "clerr", "mcl01", "bigcode"];

#[derive(Deserialize)]
struct Verdicts {
    message: Vec<Verdict>,
}

/// What the RFC asks of an element; `scenarios/corpora/torture/README.md` has the words.
#[derive(Deserialize)]
struct Verdict {
    name: String,
    rfc: u32,
    kind: String,
    verdict: String,
    accept: String,
    forbidden_status: Vec<u16>,
}

/// All of one RFC.
pub(super) fn whole(words: &Words, rfc: u32) -> Result<Vec<Item>, OwnFault> {
    items(words, |verdict| (verdict.rfc == rfc).then_some(Asks::Alive))
}

/// The mild ones of RFC 4475, with what it asks of the answer.
pub(super) fn mild(words: &Words) -> Result<Vec<Item>, OwnFault> {
    items(words, |verdict| {
        let mild = verdict.rfc == 4475 && !NOT_MILD.contains(&verdict.name.as_str());
        mild.then(|| match verdict.accept.as_str() {
            "yes" => Asks::NotRefusedBy(verdict.forbidden_status.clone()),
            "no" => Asks::NotAccepted,
            _ => Asks::Alive,
        })
    })
}

/// What parsers were once wrong about.
pub(super) fn regressions(words: &Words) -> Vec<Item> {
    let item = |(name, bytes): &(&str, &[u8])| {
        let bytes = adapted(bytes, words);
        Item {
            name: (*name).to_owned(),
            asks: Asks::Alive,
            call_ids: call_ids(&bytes),
            say: Say::Message(bytes),
            fresh: false,
            wait: SHORTLY,
            behind: Some(behind(words, name)),
        }
    };
    FUZZ_REGRESSIONS.iter().map(item).collect()
}

fn items(words: &Words, asks: impl Fn(&Verdict) -> Option<Asks>) -> Result<Vec<Item>, OwnFault> {
    let verdicts: Verdicts = toml::from_str(TORTURE_VERDICTS).map_err(OwnFault::new)?;
    let mut items = Vec::new();
    for verdict in &verdicts.message {
        let Some(asks) = asks(verdict) else { continue };
        let message = TORTURE.iter().find(|(name, _)| *name == verdict.name);
        let (_, bytes) = message.ok_or_else(|| OwnFault(format!("torture message {} is missing", verdict.name)))?;
        let bytes = adapted(bytes, words);
        items.push(Item {
            name: verdict.name.clone(),
            asks,
            call_ids: call_ids(&bytes),
            say: Say::Message(bytes),
            fresh: false,
            // Responses are answered by nobody, and what is malformed need not be.
            wait: if verdict.kind == "request" && verdict.verdict == "valid" { PATIENTLY } else { SHORTLY },
            behind: Some(behind(words, &verdict.name)),
        });
    }
    Ok(items)
}

/// What follows an item that was not answered: its answer shows that the connection is still read.
fn behind(words: &Words, item: &str) -> Draft {
    Draft::options(words, &format!("behind-{item}"))
}

/// The fields whose URIs are adapted, and those that get this run's mark.
const ADDRESSED: [&str; 3] = ["to", "t", "route"];
const MARKED: [&str; 2] = ["call-id", "i"];

/// The message for this target. Only the Request-URI, To, Route and Call-ID change; lengths are the body's, which stays.
fn adapted(message: &[u8], words: &Words) -> Vec<u8> {
    let end = message.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(message.len());
    let (head, rest) = message.split_at(end);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut field = String::new();
    for (number, line) in split_lines(head).enumerate() {
        let folded = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if !folded {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
            field = String::from_utf8_lossy(name).to_ascii_lowercase();
        }
        let request_line = number == 0 && !line.starts_with(b"SIP/");
        let mut line = if request_line || ADDRESSED.contains(&field.as_str()) {
            addressed(line, words, field == "route")
        } else {
            line.to_vec()
        };
        if MARKED.contains(&field.as_str()) && !folded {
            line.extend_from_slice(format!("-{}", words.mark).as_bytes());
        }
        lines.push(line);
    }
    [lines.join(&b"\r\n"[..]), rest.to_vec()].concat()
}

/// Lines that end with CRLF. A sole CR or LF stays where it is.
fn split_lines(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut done = false;
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        match text.windows(2).position(|window| window == b"\r\n") {
            Some(at) => {
                let line = text.get(..at)?;
                text = text.get(at + 2..)?;
                Some(line)
            }
            None => {
                done = true;
                Some(text)
            }
        }
    })
}

/// The line with each SIP URI towards the realm, and towards nobody where it names a user plainly. A host that is an address
/// stays, since that is what such a message is about; not so in a Route, which a proxy would follow.
fn addressed(line: &[u8], words: &Words, any_host: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len() + 32);
    let mut rest = line;
    while let Some(at) = find_scheme(rest) {
        let (before, after) = rest.split_at(at);
        out.extend_from_slice(before);
        let user_end = after.iter().position(|byte| *byte == b'@');
        // A user part may have what ends a URI without one: `;`, `?` and `,` (RFC 3261, section 25.1, user-unreserved).
        let uri_end = after.iter().position(|byte| b" \t>\"".contains(byte)).unwrap_or(after.len());
        let host = match user_end.filter(|end| *end < uri_end) {
            Some(end) => {
                let (user, host) = after.split_at(end);
                let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-+".contains(byte);
                out.extend_from_slice(if user.iter().all(plain) { words.nobody.as_bytes() } else { user });
                out.push(b'@');
                host.get(1..).unwrap_or_default()
            }
            None => after,
        };
        let host_end = host.iter().position(|byte| b":;? \t>\",".contains(byte)).unwrap_or(host.len());
        let (host, after) = host.split_at(host_end);
        let named = host.first() != Some(&b'[') && host.iter().any(u8::is_ascii_alphabetic);
        out.extend_from_slice(if named || any_host { words.realm.as_bytes() } else { host });
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

/// Where the next `sip:` or `sips:` ends.
fn find_scheme(text: &[u8]) -> Option<usize> {
    let is_at = |at: usize, scheme: &[u8]| {
        text.get(at..at + scheme.len()).is_some_and(|found| found.eq_ignore_ascii_case(scheme))
    };
    (0..text.len()).find_map(|at| {
        let length = if is_at(at, b"sip:") {
            4
        } else if is_at(at, b"sips:") {
            5
        } else {
            return None;
        };
        Some(at + length)
    })
}

/// The Call-IDs of a message, as far as its lines show them.
fn call_ids(message: &[u8]) -> Vec<String> {
    let end = message.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(message.len());
    let field = |line: &[u8]| {
        let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        MARKED.contains(&name.trim().to_ascii_lowercase().as_str()).then(|| value.trim().to_owned())
    };
    split_lines(message.get(..end).unwrap_or_default()).filter_map(field).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use ringfence_client::Net;
    use ringfence_model::target::Target;
    use ringfence_wire::sip;

    use super::*;
    use crate::verbs::sip_corpus::draft::tests::words;

    fn message(item: &Item) -> &[u8] {
        let Say::Message(bytes) = &item.say else { panic!("{} is no message", item.name) };
        bytes
    }

    fn names(items: &[Item]) -> BTreeSet<&str> {
        items.iter().map(|item| item.name.as_str()).collect()
    }

    #[test]
    fn the_corpora_are_whole_and_the_mild_one_is_mild() {
        let words = words();
        let (tortured, newer, mild) =
            (whole(&words, 4475).unwrap(), whole(&words, 5118).unwrap(), mild(&words).unwrap());
        assert_eq!((tortured.len(), newer.len(), mild.len()), (49, 12, 42));
        assert!(NOT_MILD.iter().all(|name| names(&tortured).contains(name) && !names(&mild).contains(name)));
        assert!(mild.iter().any(|item| item.asks == Asks::NotAccepted));
        assert!(mild.iter().any(|item| item.asks == Asks::NotRefusedBy(vec![400])));
        for item in &mild {
            let text = String::from_utf8_lossy(message(item)).to_ascii_lowercase();
            assert!(!text.contains("content-length: -") && text.len() < 2048, "{}", item.name);
        }
    }

    #[test]
    fn what_a_reader_makes_of_them_stays_the_same() {
        let words = words();
        for item in [whole(&words, 4475).unwrap(), whole(&words, 5118).unwrap()].concat_all() {
            let (_, original) = TORTURE.iter().find(|(name, _)| *name == item.name).unwrap();
            let (before, after) = (sip::prepare(original), sip::prepare(message(&item)));
            assert_eq!(before.as_ref().err(), after.as_ref().err(), "{}", item.name);
            let (Ok(before), Ok(after)) = (before, after) else { continue };
            assert_eq!(before.repairs, after.repairs, "{}", item.name);
            assert_eq!(before.message.body, after.message.body, "{}", item.name);
            assert_eq!(before.message.headers.len(), after.message.headers.len(), "{}", item.name);
        }
    }

    #[test]
    fn none_reaches_a_person_and_each_is_of_this_run() {
        let words = words();
        let target = "name = \"t\"\nadapter = \"sip\"\n[endpoints]\nconfig = \"https://127.0.0.1/\"\n\
                      [[scope]]\nnetworks = [\"127.0.0.0/8\"]\n";
        let net = Net::new(&Target::parse(target, Path::new("t.toml")).unwrap()).unwrap();
        let (mut seen, mut dialled) = (BTreeSet::new(), 0);
        for item in [whole(&words, 4475).unwrap(), whole(&words, 5118).unwrap(), regressions(&words)].concat_all() {
            let text = String::from_utf8_lossy(message(&item)).into_owned();
            let start = text.lines().next().unwrap();
            for person in ["sip:user@", "watson@", "user=", "j.user@ex", "kumiko@", "UserB@", "vivekg@", "+1650"] {
                assert!(!start.contains(person), "{}: {start}", item.name);
            }
            assert!(!start.contains("example.com SIP") && !start.contains("example.org"), "{start}");
            if let Some(uri) = item.dials() {
                assert!(net.may_dial(&uri, &words.realm).is_ok(), "{}: {uri}", item.name);
                dialled += 1;
            }
            let unfolded = text.replace("\r\n ", " ");
            let mut routes = unfolded.lines().filter(|line| line.starts_with("Route:"));
            assert!(routes.all(|route| route.contains(&words.realm)), "{}: a proxy would follow it", item.name);
            let tortures = TORTURE.iter().any(|(name, _)| *name == item.name && *name != "insuf");
            assert!(!tortures || !item.call_ids.is_empty(), "{}", item.name);
            assert!(item.call_ids.iter().all(|id| id.ends_with("-00ff")), "{:?}", item.call_ids);
            seen.insert(item.name.clone());
        }
        assert_eq!(seen.len(), 61 + FUZZ_REGRESSIONS.len());
        assert!(dialled > 20, "{dialled}");
    }

    trait ConcatAll {
        fn concat_all(self) -> Vec<Item>;
    }

    impl<const N: usize> ConcatAll for [Vec<Item>; N] {
        fn concat_all(self) -> Vec<Item> {
            self.into_iter().flatten().collect()
        }
    }

    #[test]
    fn uris_are_adapted_and_oddities_stay() {
        let words = words();
        for (line, expected) in [
            ("INVITE sip:user@example.com;lr SIP/2.0", "INVITE sip:ringfence-nobody-00000001@sip.test;lr SIP/2.0"),
            ("REGISTER sip:[2001:db8::10] SIP/2.0", "REGISTER sip:[2001:db8::10] SIP/2.0"),
            ("To: \"x\" <SIPS:a%41b@h.example.com:6000>", "To: \"x\" <SIPS:a%41b@sip.test:6000>"),
            ("X sip:a?b;c,d:e@example.com SIP/2.0", "X sip:a?b;c,d:e@sip.test SIP/2.0"),
            ("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0", "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0"),
        ] {
            assert_eq!(String::from_utf8_lossy(&addressed(line.as_bytes(), &words, false)), expected);
        }
        assert_eq!(addressed(b"Route: <sip:127.0.0.1:5080>", &words, true), b"Route: <sip:sip.test:5080>");
    }
}
