//! Session descriptions, and what they are asked.

use ringfence_wire::sdp::{Attribute, Description, MAX_BYTES, MAX_CANDIDATES, MAX_LINES, MAX_MEDIA, Section};

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

fn every_line(text: &str, description: &Description) {
    let lines: Vec<&str> = text.trim_end_matches(['\r', '\n']).split('\n').collect();
    let of = |kind: &str| lines.iter().filter(|line| line.starts_with(kind)).count();
    let all = description.media.iter().map(|media| (media.lines.len(), media.attributes.len()));
    let own = (description.lines.len(), description.attributes.len());
    let (others, attributes) = all.fold(own, |sum, part| (sum.0 + part.0, sum.1 + part.1));
    let (expected, media) = ((of("m="), of("a=")), description.media.len());
    let same = (media, attributes) == expected && media + attributes + others == lines.len();
    EVERY_LINE.holds(same, || format!("{} lines, {expected:?} m= and a=, became {description:?}", lines.len()));
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
        description.media[1].attributes.pop();
        description.media[1].lines.pop();
        caught(&EVERY_LINE, || every_line(&text, &description));
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
