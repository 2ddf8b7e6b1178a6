//! ICE candidates.

use ringfence_wire::Error;
use ringfence_wire::sdp::{Candidate, Description};

use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, FIXPOINT, allocating, fixpoint};
use crate::target::{Seed, Target};

/// The value of `a=candidate`, or the text that a browser's trickling gives.
pub const TARGET: Target = Target {
    name: "ice_candidate",
    reads: "a candidate",
    oracles: &[&ALLOCATION, &FIXPOINT, &GRAMMAR, &PREFIX, &IN_PLACE],
    run,
    accepts: |bytes| std::str::from_utf8(bytes).is_ok_and(|text| Candidate::parse(text).is_ok()),
    show: |bytes| format!("{:#?}", std::str::from_utf8(bytes).map(Candidate::parse)),
    seeds,
    dictionary: Some("sdp"),
    max_len: 4_096,
    covers: &["harness/wire/src/sdp/attributes.rs"],
};

/// What was accepted has the words of the grammar in their order, with numbers where they belong.
pub const GRAMMAR: Oracle = Oracle::new(
    "accepted is grammatical",
    "RFC 8839, section 5.1: foundation, component, transport, priority, address, port, `typ` and a type, then pairs; \
     where one word is taken for another, a check goes to another address",
);

/// With `candidate:` in front it is the same candidate.
pub const PREFIX: Oracle = Oracle::new(
    "a prefix changes nothing",
    "RFC 8839, section 5.1, has it in the attribute, and trickling (RFC 8840, section 4.2) hands the attribute around with and without",
);

/// As a line of a description it is the same candidate.
pub const IN_PLACE: Oracle = Oracle::new(
    "a candidate is the same wherever it stands",
    "RFC 8839, section 5.1: one grammar; what is checked when it comes alone must not change when it comes in a description",
);

const BOUND: Bound = Bound { per_byte: 64, fixed: 1_024 };

/// One run.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let parsed = allocating(BOUND, bytes.len(), || Candidate::parse(text));
    in_place(text, &parsed);
    let Ok(candidate) = parsed else { return };
    fixpoint(&candidate, ToString::to_string, |text| Candidate::parse(text));
    grammar(text, &candidate);
    if !text.trim_ascii_start().starts_with("candidate:") {
        prefix(text, &candidate, Candidate::parse);
    }
}

fn prefix(text: &str, candidate: &Candidate, parse: impl Fn(&str) -> Result<Candidate, Error>) {
    let told = parse(&format!("candidate:{text}"));
    PREFIX.holds(told.as_ref() == Ok(candidate), || format!("{candidate:?} and {told:?}"));
}

fn in_place(text: &str, alone: &Result<Candidate, Error>) {
    if text.contains(['\r', '\n', '\0']) || text.len() > 4_096 {
        return; // no line
    }
    let description = format!("v=0\r\nm=audio 9 RTP/AVP 0\r\na=candidate:{text}\r\nc=IN IP4 192.0.2.1\r\n");
    let description = Description::parse(description.as_bytes());
    let told = description.as_ref().ok().and_then(|description| description.section(0)?.candidates().next());
    IN_PLACE.same(&told.as_ref(), &Some(alone), "in a description, and alone");
}

/// The words of the text are those of the candidate, by the RFC's grammar alone.
fn grammar(text: &str, candidate: &Candidate) {
    // Blanks may stand on both sides of the prefix, though the grammar has none.
    let text = text.trim_ascii_start();
    let words: Vec<&str> = text.strip_prefix("candidate:").unwrap_or(text).split_ascii_whitespace().collect();
    let number = |at: usize| words.get(at).filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let value = |at: usize| number(at).and_then(|word| word.parse::<u64>().ok());
    let related: &[&str] = if candidate.related.is_some() { &["raddr", "rport"] } else { &[] };
    let pairs = words.get(8..).unwrap_or_default().chunks(2);
    let names: Vec<&str> = pairs.clone().filter_map(|pair| pair.first().copied()).collect();
    let told: Vec<&str> =
        related.iter().copied().chain(candidate.extensions.iter().map(|(name, _)| name.as_str())).collect();
    let right = [
        words.first() == Some(&candidate.foundation.as_str()),
        !candidate.foundation.contains(':'),
        words.get(2) == Some(&candidate.transport.as_str()),
        value(1) == Some(candidate.component.into()),
        value(3) == Some(candidate.priority.into()),
        words.get(4) == Some(&candidate.address.as_str()),
        value(5) == Some(candidate.port.into()),
        words.get(6) == Some(&"typ"),
        words.get(7) == Some(&candidate.kind.as_str()),
        pairs.clone().all(|pair| pair.len() == 2),
        names == told,
    ];
    GRAMMAR.holds(right.iter().all(|one| *one), || format!("{right:?}: {text:?} as {candidate:?}"));
}

fn seeds() -> Vec<Seed> {
    let valid = [
        ("host", "1467250027 1 udp 2122260223 192.0.2.7 52100 typ host generation 0 network-id 1 network-cost 10"),
        ("name", "1 1 udp 2122260223 5f0c1f3a-8a2b-4c6d-9e10-aabbccddeeff.local 52100 typ host"),
        ("reflexive", "842163049 1 udp 1686052607 203.0.113.40 52100 typ srflx raddr 0.0.0.0 rport 0 ufrag Qx3k"),
        ("relay", "candidate:211962667 2 UDP 41885695 2001:db8::9 61002 typ relay raddr 203.0.113.40 rport 52100"),
        // RFC 6544, section 4.5.
        ("tcp", "1 1 TCP 2128609279 10.0.1.1 9 typ host tcptype active"),
        ("raddr-behind", "1 1 udp 1 ::1 1 typ x y z raddr a"),
        ("two-raddr", "1 1 udp 1 ::1 1 typ x raddr a rport 1 raddr b"),
        ("blanks-behind-the-prefix", "candidate:  1 1 udp 1 ::1 1 typ host"),
        ("tabs", "\t1\t1 udp  1 127.1 1 typ host "),
        ("largest", "+/ 65535 x 4294967295 255.255.255.255 65535 typ prflx"),
    ];
    let other = [
        ("prefix-twice", "candidate:candidate:1 1 udp 1 h 9 typ host"),
        ("no-type", "1 1 udp 1 192.0.2.1 9 host"),
        ("no-value", "1 1 udp 1 192.0.2.1 9 typ host generation"),
        ("raddr-alone", "1 1 udp 1 192.0.2.1 9 typ host raddr 1"),
        ("plus-sign", "1 +1 udp 1 192.0.2.1 9 typ host"),
        ("port-too-big", "1 1 udp 1 192.0.2.1 65536 typ host"),
        ("line-end", "1 1 udp 1 192.0.2.1 9 typ host\r\na=x"),
    ];
    let valid = valid.map(|(name, text)| Seed::valid(name, text));
    valid.into_iter().chain(other.map(|(name, text)| Seed::other(name, text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    const TEXT: &str = "1 1 udp 7 192.0.2.1 9 typ host generation 0";

    fn example() -> Candidate {
        Candidate::parse(TEXT).unwrap()
    }

    #[test]
    fn a_reader_that_takes_one_word_for_another_is_caught() {
        grammar(TEXT, &example());
        caught(&GRAMMAR, || grammar(TEXT, &Candidate { address: "192.0.2.2".into(), ..example() }));
        caught(&GRAMMAR, || grammar(TEXT, &Candidate { extensions: Vec::new(), ..example() }));
    }

    #[test]
    fn a_reader_that_keeps_the_prefix_is_caught() {
        let keeps = |text: &str| Ok(Candidate { foundation: text.split(' ').next().unwrap().into(), ..example() });
        caught(&PREFIX, || prefix(TEXT, &example(), keeps));
    }

    #[test]
    fn a_reader_that_differs_in_a_description_is_caught() {
        in_place(TEXT, &Ok(example()));
        caught(&IN_PLACE, || in_place(TEXT, &Ok(Candidate { port: 10, ..example() })));
    }
}
