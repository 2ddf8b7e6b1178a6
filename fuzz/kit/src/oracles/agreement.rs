//! Two implementations, one input.

use std::fmt::Debug;

use crate::known::Difference;
use crate::oracle::Oracle;

/// Two implementations say the same of one input, or the difference is known.
pub const AGREEMENT: Oracle = Oracle::new(
    "two implementations agree",
    "where two readers of one message differ, what the first one lets through is not what the second one gets; \
     a difference that is understood stands in `fuzz/kit/src/known`, with its reason",
);

/// The difference that explains what both say, if they differ. `case` is the input and whatever else of it the known ones look at;
/// those of other parsers do not count.
#[track_caller]
pub fn agreeing<'a, C: ?Sized, T: PartialEq + Debug>(
    known: &'a [Difference<C>],
    parser: &str,
    case: &C,
    ours: &T,
    theirs: &T,
) -> Option<&'a Difference<C>> {
    if ours == theirs {
        return None;
    }
    let explained = known.iter().find(|one| one.parser == parser && (one.explains)(case));
    AGREEMENT
        .holds(explained.is_some(), || format!("{parser} reads otherwise\n  ours:   {ours:?}\n  theirs: {theirs:?}"));
    explained
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    const KNOWN: &[Difference<[u8]>] = &[Difference {
        id: "plus-sign",
        parser: "std",
        theirs: "takes `+1`",
        ours: "digits alone",
        rfc: "RFC 3261, section 25.1: 1*DIGIT",
        reach: "none",
        explains: |input| input.starts_with(b"+"),
        example: b"+1",
    }];

    fn ours(text: &str) -> Option<u32> {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
    }

    fn theirs(text: &str) -> Option<u32> {
        text.parse().ok()
    }

    fn compare(text: &str) -> Option<&'static str> {
        agreeing(KNOWN, "std", text.as_bytes(), &ours(text), &theirs(text)).map(|known| known.id)
    }

    #[test]
    fn the_same_needs_no_reason_and_a_known_difference_has_one() {
        assert_eq!(compare("12"), None);
        assert_eq!(compare("x"), None);
        assert_eq!(compare("+12"), Some("plus-sign"));
    }

    #[test]
    fn a_reader_that_differs_without_a_reason_is_caught() {
        let careless = |text: &str| text.trim().parse::<u32>().ok();
        caught(&AGREEMENT, || {
            agreeing(KNOWN, "std", b" 12".as_slice(), &ours(" 12"), &careless(" 12"));
        });
    }

    #[test]
    fn a_difference_of_another_parser_is_no_reason() {
        caught(&AGREEMENT, || {
            agreeing(KNOWN, "another", b"+12".as_slice(), &ours("+12"), &theirs("+12"));
        });
    }
}
