//! Session descriptions, and what they are asked.

use ringfence_wire::sdp::{Attribute, Description, Line, MAX_BYTES, MAX_CANDIDATES, MAX_LINES, MAX_MEDIA, Section};

use crate::generators::sdp::descriptions;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, allocating};
use crate::target::Target;

/// A session description, as it stands in a SIP body.
pub const TARGET: Target = Target {
    name: "sdp",
    reads: "a session description",
    oracles: &[&ALLOCATION, &EVERY_LINE, &LIMITS, &LINE_ENDS, &INHERITED, &WRITTEN],
    run,
    accepts: |bytes| Description::parse(bytes).is_ok(),
    show: |bytes| format!("{:#?}", Description::parse(bytes)),
    seeds: descriptions,
    dictionary: Some("sdp"),
    max_len: 70_000, // a description is 65,536 bytes at most
    covers: &["harness/wire/src/sdp.rs", "harness/wire/src/sdp/section.rs"],
};

/// Every line is there once, as what its letter says.
pub const EVERY_LINE: Oracle = Oracle::new(
    "every line is kept",
    "RFC 8866, section 5: a description is its lines; one that a reader drops is a fingerprint or an address that nobody checks",
);

/// What was accepted keeps the limits that the reader documents.
pub const LIMITS: Oracle = Oracle::new(
    "documented limits hold",
    "who works on a description counts on them: each candidate is a check that is sent, each section a transport",
);

/// LF and CRLF mean the same.
pub const LINE_ENDS: Oracle = Oracle::new(
    "LF and CRLF mean the same",
    "RFC 8866, section 5: CRLF ends a line, and parsers should take a single LF too; two readings would be two descriptions",
);

/// A section's own attributes hide the session's of that name, and only those.
pub const INHERITED: Oracle = Oracle::new(
    "a section's own value wins",
    "RFC 8866, section 5.13: an attribute of the session is the default of its sections; RFC 8122, section 5, says so of fingerprints",
);

/// An address that is told stands in the text.
pub const WRITTEN: Oracle = Oracle::new(
    "no address is made up",
    "addresses are where we send to and what may leak; RFC 8866, section 5.7, and RFC 8839, section 5.1, say where they stand",
);

const BOUND: Bound = Bound { per_byte: 96, fixed: 8_192 };

/// The attributes that [`Section`] has a question for.
const NAMES: [&str; 10] =
    ["candidate", "crypto", "fingerprint", "ice-pwd", "ice-ufrag", "mid", "rtpmap", "setup", "ssrc", "tls-id"];

/// One run.
pub fn run(bytes: &[u8]) {
    let Ok(description) = allocating(BOUND, bytes.len(), || Description::parse(bytes)) else { return };
    let text = std::str::from_utf8(bytes).expect("it was accepted");
    every_line(text, &description);
    limits(&description);
    line_ends(text, &description, |text| Description::parse(text).ok());
    let parts = || std::iter::once(description.session()).chain(description.sections());
    for part in parts() {
        for name in NAMES {
            inherited(&description.attributes, part.own(name), part.attributes(name), name);
        }
        written(text, &part.addresses().into_iter().map(|address| address.text).collect::<Vec<_>>());
        ask(&part);
    }
    LIMITS.holds(description.section(description.media.len()).is_none(), || "a section behind the last".into());
}

/// Whatever is asked gets an answer.
fn ask(part: &Section) {
    let _ = (part.setup(), part.direction(), part.cname(), part.connection(), part.is_ice_lite(), part.is_rtcp_mux());
    let _ = (part.ice_ufrag(), part.ice_pwd(), part.tls_id(), part.mid(), part.value("mid"));
    let fingerprints = part.fingerprints().flatten().count();
    let typed =
        part.candidates().flatten().count() + part.crypto().flatten().count() + part.rtpmaps().flatten().count();
    std::hint::black_box((fingerprints, typed));
}

/// A section as its lines have it, or the session: the words of `m=`, other lines, and attributes, in their order.
#[derive(Debug, Default, PartialEq)]
struct Part {
    media: Vec<String>,
    lines: Vec<String>,
    attributes: Vec<String>,
}

fn every_line(text: &str, description: &Description) {
    let mut expected = vec![Part::default()];
    for line in text.trim_end_matches(['\r', '\n']).split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some(media) = line.strip_prefix("m=") {
            // The port is a number: `09` is 9.
            let word =
                |(at, word): (usize, &str)| if at == 1 { word.split('/').map(number).collect() } else { word.into() };
            let media = media.split_ascii_whitespace().enumerate().map(word).collect();
            expected.push(Part { media, ..Part::default() });
        } else if let Some(part) = expected.last_mut() {
            match line.strip_prefix("a=") {
                Some(attribute) => part.attributes.push(attribute.to_owned()),
                None => part.lines.push(line.to_owned()),
            }
        }
    }
    let part = |media, lines: &[Line], attributes: &[Attribute]| Part {
        media,
        lines: lines.iter().map(|line| format!("{}={}", line.kind, line.value)).collect(),
        attributes: attributes.iter().map(written_attribute).collect(),
    };
    let session = part(Vec::new(), &description.lines, &description.attributes);
    let sections = description.media.iter().map(|media| {
        let port = [Some(media.port), media.port_count].into_iter().flatten().map(|port| number(&port.to_string()));
        let words = [media.kind.clone(), port.collect(), media.profile.clone()];
        part(words.into_iter().chain(media.formats.clone()).collect(), &media.lines, &media.attributes)
    });
    let told: Vec<Part> = std::iter::once(session).chain(sections).collect();
    EVERY_LINE.same(&expected, &told, "the lines, and what became of them");
}

/// A number in its shortest form, behind a slash.
fn number(digits: &str) -> String {
    let short = digits.trim_start_matches('0');
    format!("/{}", if short.is_empty() { "0" } else { short })
}

fn written_attribute(attribute: &Attribute) -> String {
    let Attribute { name, value } = attribute;
    value.as_ref().map_or(name.clone(), |value| format!("{name}:{value}"))
}

fn limits(description: &Description) {
    let own = |part: Section| part.own("candidate").filter(|attribute| attribute.value.is_some()).count();
    let candidates: usize = own(description.session()) + description.sections().map(own).sum::<usize>();
    let printed = description.to_string();
    let lines = printed.lines().count();
    let kept = candidates <= MAX_CANDIDATES
        && description.media.len() <= MAX_MEDIA
        && lines <= MAX_LINES
        && printed.len() <= MAX_BYTES;
    LIMITS.holds(kept, || {
        format!("{} bytes, {lines} lines, {} sections, {candidates} candidates", printed.len(), description.media.len())
    });
}

fn line_ends(text: &str, description: &Description, parse: impl Fn(&[u8]) -> Option<Description>) {
    // Blank lines at the end do not count, but their bytes would.
    let lf = text.trim_end_matches(['\r', '\n']).replace("\r\n", "\n");
    let same = parse(lf.as_bytes()).is_some_and(|other| other == *description);
    LINE_ENDS.holds(same, || format!("with LF alone it is another: {text:?}"));
}

fn inherited<'a>(
    session: &[Attribute],
    own: impl Iterator<Item = &'a Attribute>,
    told: impl Iterator<Item = &'a Attribute>,
    name: &str,
) {
    let own: Vec<&Attribute> = own.collect();
    let told: Vec<&Attribute> = told.collect();
    let named = |list: &[&Attribute]| list.iter().all(|attribute| attribute.name == name);
    let session = || session.iter().filter(|attribute| attribute.name == name);
    let right = if own.is_empty() { session().eq(told.iter().copied()) } else { told == own };
    INHERITED.holds(named(&told) && right, || format!("{name}: own {own:?}, told {told:?}"));
}

fn written(text: &str, addresses: &[String]) {
    let strange = addresses.iter().find(|address| !text.contains(address.as_str()));
    WRITTEN.holds(strange.is_none(), || format!("{strange:?} is nowhere"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    fn example() -> (String, Description) {
        let seed = descriptions().into_iter().find(|seed| seed.name == "both-levels").expect("the seed is there");
        let text = String::from_utf8(seed.bytes).unwrap();
        let description = Description::parse(text.as_bytes()).unwrap();
        (text, description)
    }

    #[test]
    fn a_reader_that_drops_a_line_is_caught() {
        let (text, mut description) = example();
        every_line(&text, &description);
        let whole = description.clone();
        description.media[1].attributes.pop();
        description.media[1].lines.pop();
        caught(&EVERY_LINE, || every_line(&text, &description));
        // One that keeps half of a value, and one that knows another port.
        let cut =
            |attribute: &mut Attribute| attribute.value = attribute.value.as_ref().map(|text| text[..1].to_owned());
        let mut halved = whole.clone();
        halved.media[0].attributes.iter_mut().for_each(cut);
        caught(&EVERY_LINE, || every_line(&text, &halved));
        let mut elsewhere = whole;
        elsewhere.media[0].port += 1;
        caught(&EVERY_LINE, || every_line(&text, &elsewhere));
    }

    #[test]
    fn a_reader_without_limits_is_caught() {
        let (_, mut description) = example();
        limits(&description);
        description.media[0].attributes.extend(vec![Attribute::new("candidate", 1); MAX_CANDIDATES + 1]);
        caught(&LIMITS, || limits(&description));
    }

    #[test]
    fn a_reader_of_other_line_ends_is_caught() {
        let (text, description) = example();
        line_ends(&text, &description, |text| Description::parse(text).ok());
        let text = text.replace('\n', "\r\n");
        let only_crlf =
            |text: &[u8]| std::str::from_utf8(text).ok()?.contains('\r').then(|| Description::parse(text).ok())?;
        caught(&LINE_ENDS, || line_ends(&text, &description, only_crlf));
    }

    #[test]
    fn a_reader_that_adds_both_levels_up_is_caught() {
        let (_, description) = example();
        let (session, section) = (&description.attributes, description.section(0).unwrap());
        inherited(session, section.own("setup"), section.attributes("setup"), "setup");
        caught(&INHERITED, || {
            let both = session.iter().filter(|attribute| attribute.name == "setup").chain(section.own("setup"));
            inherited(session, section.own("setup"), both, "setup");
        });
    }

    #[test]
    fn a_reader_that_makes_addresses_up_is_caught() {
        let (text, description) = example();
        assert!(description.sections().any(|section| !section.addresses().is_empty()));
        caught(&WRITTEN, || written(&text, &["198.51.100.99".into()]));
    }
}
