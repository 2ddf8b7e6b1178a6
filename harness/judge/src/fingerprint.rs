//! The fingerprint of a finding: by it waivers, baselines and other tools know a finding again in the next run.
//!
//! What was asked goes in, and nothing that was seen: the version of this recipe, the scenario's id, the target's name, the
//! condition, and the step that it was about. Times, ports, addresses, the version of ringfence, the policy, severities,
//! the sentence and the order of conditions stay out. A condition that is rewritten is another question and has another
//! fingerprint; white space in it is no rewriting.

use ringfence_model::verdict::FINGERPRINT_VERSION;
use sha2::{Digest, Sha256};

/// Bytes of the hash that are kept: 128 bits, so that two findings never share one by chance.
const KEPT: usize = 16;

/// The fingerprint of one condition of a scenario on a target: `v1:` and 32 hexadecimal digits.
pub(crate) fn fingerprint(scenario: &str, target: &str, condition: &str, step: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for part in [FINGERPRINT_VERSION, scenario, target, &without_blanks(condition), step.unwrap_or_default()] {
        // With its length before it, no part can run into the next.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digits: String = hash.finalize().iter().take(KEPT).map(|byte| format!("{byte:02x}")).collect();
    format!("{FINGERPRINT_VERSION}:{digits}")
}

/// Whether a text has the form of a fingerprint, and its version; `None` where it has not.
pub fn fingerprint_version(text: &str) -> Option<&str> {
    let (version, digits) = text.split_once(':')?;
    let numbered = version.strip_prefix('v').is_some_and(|number| number.parse::<u16>().is_ok_and(|number| number > 0));
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (numbered && digits.len() == 2 * KEPT && digits.bytes().all(hexadecimal)).then_some(version)
}

/// A CEL expression without the white space between its tokens; what stands in quotes stays.
fn without_blanks(condition: &str) -> String {
    let (mut quote, mut escaped) = (None, false);
    let kept = condition.chars().filter(|&c| {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            _ => {}
        }
        quote.is_some() || !c.is_whitespace()
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_another_one_for_another_question() {
        let base = fingerprint("a/b", "t", "x == 1", None);
        assert_eq!(base, fingerprint("a/b", "t", "x==1\n", None), "white space between tokens is no rewriting");
        let others = [
            fingerprint("a/c", "t", "x == 1", None),
            fingerprint("a/b", "u", "x == 1", None),
            fingerprint("a/b", "t", "x == 2", None),
            fingerprint("a/b", "t", "x == 1", Some("c")),
            fingerprint("a/bt", "", "x == 1", None),
        ];
        assert!(others.iter().all(|other| *other != base), "{others:?}");
        assert_ne!(fingerprint("a/b", "t", "x == 'a b'", None), fingerprint("a/b", "t", "x == 'ab'", None));
        assert_ne!(fingerprint("a/b", "t", r"x == '\' b'", None), fingerprint("a/b", "t", r"x == '\'b'", None));
    }

    /// Waivers and baselines of users hold these: a change here wants a new version.
    #[test]
    fn version_1_stays_as_it_is() {
        assert_eq!(fingerprint("a/b", "t", "x == 1", Some("c")), "v1:025a2af2d4e7f9ec8f540f3ab500ae57");
    }

    #[test]
    fn its_form_is_told() {
        assert_eq!(fingerprint_version(&fingerprint("a/b", "t", "x", None)), Some("v1"));
        assert_eq!(fingerprint_version("v2:0123456789abcdef0123456789abcdef"), Some("v2"));
        for wrong in
            ["", "v1", "v1:", "v1:0123", "0123456789abcdef0123456789abcdef", "v1:0123456789ABCDEF0123456789abcdef"]
        {
            assert_eq!(fingerprint_version(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn wording_severity_and_order_change_nothing_and_a_new_condition_adds_one() {
        use crate::fixtures::{load, scenario};
        use std::collections::BTreeSet;

        const STEPS: &str = "[[step]]\nname = \"c\"\nprobe = \"call\"\n[[step]]\nname = \"d\"\nprobe = \"call\"\n";
        let of = |head: (&str, &str), expectations: &[&str], target: &str| -> BTreeSet<String> {
            let text = scenario("a/b", &[STEPS, &expectations.concat()].concat()).replace(head.0, head.1);
            load(&[("a/b.toml", &text)]).unwrap_or_else(|errors| panic!("{errors:?}")).fingerprints(target)
        };
        let first = "[[verdict.expect]]\nthat = \"c.media.echoed == 0\"\nelse = \"e\"\n";
        let second = "[[verdict.expect]]\neach = [\"c\", \"d\"]\nthat = \"it.answered\"\nelse = \"f\"\n";
        let base = of(("", ""), &[first, second], "front-desk");
        assert_eq!(base.len(), 3, "one per condition, and one per step of `each`");

        let reworded =
            "[[verdict.expect]]\nthat = \"c.media.echoed  ==\\t0\"\nelse = \"other words\"\nseverity = \"low\"\n";
        assert_eq!(of(("title = \"t\"", "title = \"u\""), &[second, reworded], "front-desk"), base);
        assert_eq!(of(("severity = \"high\"", "severity = \"low\""), &[first, second], "front-desk"), base);

        let third = "[[verdict.expect]]\nthat = \"d.answered\"\nelse = \"g\"\n";
        let more = of(("", ""), &[third, first, second], "front-desk");
        assert!(more.is_superset(&base) && more.len() == 4);
        assert!(of(("", ""), &[first, second], "back-desk").is_disjoint(&base), "another target");
    }
}
