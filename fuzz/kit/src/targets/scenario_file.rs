//! Scenario files.

mod absence;

use arbitrary::Unstructured;
use ringfence_judge::journal::Journal;
use ringfence_judge::{Library, LoadError, Loaded, ScenarioSource, judge_scenario};
use ringfence_model::verdict::State;
use ringfence_scenarios::SCENARIOS;

use crate::generators::{lines, stretch};
use crate::library::LIBRARY;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, allocating};
use crate::target::{Seed, Target};

/// A scenario file, or what to change in one of ours.
pub const TARGET: Target = Target {
    name: "scenario_file",
    reads: "a scenario file; behind a byte 0, which of ours and bytes that say what to change in it",
    oracles: &[&ALLOCATION, &PLACES, &STABLE, &ABSENCE],
    run,
    accepts: |bytes| Input::of(bytes).is_some_and(|input| input.load().is_ok()),
    show: |bytes| match Input::of(bytes) {
        Some(input) => format!("{}\n{}\n{:#?}", input.path, input.text, input.load().err()),
        None => "nothing".to_owned(),
    },
    seeds,
    dictionary: None,
    max_len: 8_192,
    covers: &[
        "harness/judge/src/load.rs",
        "harness/judge/src/load",
        "harness/judge/src/check",
        "harness/judge/src/source.rs",
    ],
};

/// Mistakes stand where they are said to stand, in order, each once.
pub const PLACES: Oracle =
    Oracle::new("errors' places are in the file", "a message that names another line costs its reader more than none");
/// What is accepted is accepted again.
pub const STABLE: Oracle = Oracle::new(
    "an accepted scenario is accepted from its own text",
    "a journal keeps the text, and is judged by it years later",
);
/// Where nothing was seen, nothing passes.
pub const ABSENCE: Oracle = Oracle::new(
    "absence never passes",
    "silence is not a refusal: a scenario that passes without an observation would pass a target that was never asked",
);

/// Expressions and values in other places' stead.
#[rustfmt::skip]
const VALUES: [&str; 40] = [
    "\"true\"", "\"false\"", "\"!a.answered\"", "\"a.status == 200\"", "\"a.outcome != 'answered'\"", "\"!(a.answered)\"", "\"size(a.reason) == 0\"",
    "\"policy.consent_s > 0\"", "\"target.session_scope\"", "\"has_field(a.status)\"", "\"a.status in [200, 403]\"", "\"[].all(x, x > 0)\"",
    "\"[1].exists(x, x > 0)\"", "\"1 / 0 == 0\"", "\"it.status == 200\"", "\"a.b.c.d\"", "\"a[0]\"", "\"'a'.matches('(a*)*b')\"", "\"1 == 1.0\"",
    "\"null\"", "\"\"", "\"((((((((((((((((1))))))))))))))))\"", "\"!!!!!!!!!!!!!!!!true\"", "\"a ? b : c\"", "\"'é\\\\u0000' == a.reason\"",
    "'''\na.status ==\n200'''", "{ cel = \"a.status\" }", "{ cel = \"1\" }", "{ call = \"a\" }", "[\"a\"]", "[]", "0", "-1", "1.5", "true", "\"a\"",
    "\"call\"", "\"low\"", "\"{a.status} and {b\"", "2027-01-31",
];
/// Lines that may stand anywhere.
const LINES: [&str; 8] = [
    "[[step]]",
    "[[verdict.expect]]",
    "[verdict]",
    "[[verdict.inconclusive]]",
    "name = \"a\"",
    "when = \"a.answered\"",
    "control = \"a.status == 200\"",
    "with = {}",
];

struct Input {
    path: String,
    text: String,
}

impl Input {
    fn of(bytes: &[u8]) -> Option<Self> {
        if let Some([which, rest @ ..]) = bytes.strip_prefix(&[0]) {
            let (path, text) = SCENARIOS.get(usize::from(*which) % SCENARIOS.len())?;
            let text = lines::edited(&mut Unstructured::new(rest), text, &VALUES, &LINES).ok()?;
            return Some(Self { path: (*path).to_owned(), text });
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let id =
            text.lines().find_map(|line| line.strip_prefix("id")?.trim_start().strip_prefix("= \"")?.strip_suffix('"'));
        Some(Self { path: format!("{}.toml", id.unwrap_or("a/b")), text: text.to_owned() })
    }

    fn load(&self) -> Result<Library, Vec<LoadError>> {
        LIBRARY.with(&[ScenarioSource { path: &self.path, text: &self.text, own: false }])
    }
}

/// One run.
pub fn run(bytes: &[u8]) {
    let Some(input) = Input::of(bytes) else { return };
    let _ = LIBRARY.words_text(); // it is read before anything is counted
    // Every expression becomes a tree, twice, and is held against types that schemas of 100 KiB were read into.
    let bound = Bound { per_byte: 16_384, fixed: 8_388_608 };
    match allocating(bound, input.text.len(), || input.load()) {
        Err(errors) => placed(&input.text, &errors),
        Ok(library) => {
            for loaded in library.scenarios() {
                stable(&input, loaded.text());
                absent(loaded, |journal, id| judge_scenario(journal, &library, None, id).state);
            }
        }
    }
}

fn placed(text: &str, errors: &[LoadError]) {
    PLACES.holds(!errors.is_empty(), || "refused without a reason".to_owned());
    for error in errors {
        let line = text.split('\n').nth(error.line.wrapping_sub(1));
        let inside = line.is_some_and(|line| (1..=line.chars().count() + 1).contains(&error.column));
        PLACES.holds(inside && !error.message.is_empty(), || format!("{error}\nof\n{text}"));
    }
    let ordered = errors.windows(2).all(|pair| match pair {
        [one, next] => (one.line, one.column) <= (next.line, next.column) && one != next,
        _ => true,
    });
    PLACES.holds(ordered, || format!("{errors:#?}"));
}

/// The same text was accepted just now; another one is read to know.
fn stable(input: &Input, kept: &str) {
    if kept == input.text {
        return;
    }
    let again = LIBRARY.with(&[ScenarioSource { path: &input.path, text: kept, own: false }]);
    STABLE.holds(again.is_ok(), || format!("{:?} of {kept}", again.err()));
}

fn absent(loaded: &Loaded, judge: impl Fn(&Journal, &str) -> State) {
    let id = &loaded.scenario().id;
    let passes = |journal: &Journal| judge(journal, id) == State::Pass;
    ABSENCE.holds(!passes(&absence::left_out(loaded)), || format!("{id} passes where no step was asked"));
    if absence::has_to_be_noticed(loaded) {
        ABSENCE.holds(!passes(&absence::silent(loaded)), || format!("{id} passes where nothing answered"));
    }
}

/// Conditions of a scenario without controls, so that they are what its verdict is made of.
const CONDITIONS: [(&str, &str); 8] = [
    ("answered", "a.answered"),
    ("not-answered", "!a.answered"),
    ("not-answered-in-brackets", "!(a.answered)"),
    ("not-that-status", "!(a.status == 200)"),
    ("one-of-no-status", "a.status in []"),
    ("same-as-itself", "a.status == a.status"),
    ("closed-or-not-answered", "a.outcome == 'closed' || !a.answered"),
    ("no-status", "!has(a.status)"),
];

/// The smallest scenario that is judged by this condition.
fn with(that: &str) -> String {
    format!(
        "id = \"a/b\"\ntitle = \"t\"\nseverity = \"low\"\nlevel = \"must\"\nintrusion = \"passive\"\nadapters = [\"any\"]\n\
         needs = []\nclaims = []\ncontrols = []\n[manual]\nwhy = \"w\"\nhow = \"h\"\nremedy = \"r\"\nlimits = \"l\"\n\
         [[step]]\nname = \"a\"\nprobe = \"call\"\n[[verdict.expect]]\nthat = \"{that}\"\nelse = \"e\"\n"
    )
}

fn seeds() -> Vec<Seed> {
    let own = SCENARIOS.iter().step_by(6);
    let mut seeds: Vec<Seed> = own
        .map(|(path, text)| {
            Seed::valid(path.trim_start_matches("scenarios/").trim_end_matches(".toml").replace('/', "-"), *text)
        })
        .collect();
    seeds.extend(CONDITIONS.map(|(name, that)| Seed::valid(name, with(that))));
    let nested = |what: &str, times: usize| with(&what.repeat(times));
    seeds.extend([
        Seed::other("nested-brackets", nested("(", 4_000)),
        Seed::other("nested-lists", nested("[", 4_000)),
        Seed::other("many-nots", nested("!", 4_000)),
        Seed::other("many-minuses", nested("-", 4_000)),
        Seed::other("many-fields", nested("a.", 2_000)),
        Seed::other("many-questions", nested("a?", 2_000)),
        Seed::other("deep-toml", format!("a = {}", "[".repeat(4_000))),
        Seed::other("deep-keys", format!("{} = 1", ["a"; 2_000].join("."))),
    ]);
    let drawn = |seed: u64| [vec![0, (seed * 5) as u8], stretch(seed, 40)].concat();
    seeds.extend((0..32).map(|seed| Seed::other(format!("drawn-{seed}"), drawn(seed))));
    seeds
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use super::*;
    use crate::oracle::caught;

    #[test]
    fn some_of_what_is_drawn_is_accepted_and_some_is_not() {
        let loads = |seed: &u64| {
            Input::of(&[vec![0, *seed as u8], stretch(*seed, 40)].concat()).is_some_and(|input| input.load().is_ok())
        };
        assert!((10..90).contains(&(0..100).filter(loads).count()));
    }

    #[test]
    fn errors_elsewhere_twice_or_out_of_order_are_caught() {
        let error = |line| LoadError { file: "a".into(), line, column: 1, message: "m".into() };
        caught(&PLACES, || placed("a\nb", &[error(3)]));
        caught(&PLACES, || placed("a\nb", &[error(1), error(1)]));
        caught(&PLACES, || placed("a\nb", &[error(2), error(1)]));
        caught(&PLACES, || placed("a\nb", &[]));
    }

    #[test]
    fn a_text_that_is_accepted_once_is_caught() {
        let input = Input { path: "a/b.toml".into(), text: with("a.answered") };
        caught(&STABLE, || stable(&input, "id = 7"));
    }

    fn library(text: &str) -> Library {
        LIBRARY
            .with(&[ScenarioSource { path: "a/b.toml", text, own: false }])
            .unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    #[test]
    fn a_judge_who_takes_silence_for_a_pass_is_caught() {
        for (_, that) in CONDITIONS.iter().filter(|(_, that)| !that.contains("has(") && !that.contains("||")) {
            let library = library(&with(that));
            let loaded = library.get("a/b").expect("its id");
            for (state, taken_for) in [(State::Inconclusive, State::Pass), (State::NotApplicable, State::Pass)] {
                let kind = |journal: &Journal, id: &str| match judge_scenario(journal, &library, None, id).state {
                    found if found == state => taken_for,
                    found => found,
                };
                caught(&ABSENCE, AssertUnwindSafe(|| absent(loaded, kind)));
            }
        }
    }

    #[test]
    fn silence_is_judged_and_not_only_found_unfinished() {
        let mut asked = 0;
        for input in seeds().iter().filter_map(|seed| Input::of(&seed.bytes)) {
            let Ok(library) = input.load() else { continue };
            for loaded in library.scenarios().filter(|loaded| absence::has_to_be_noticed(loaded)) {
                let verdict = judge_scenario(&absence::silent(loaded), &library, None, &loaded.scenario().id);
                let reasons = verdict.reasons.iter().map(ringfence_model::verdict::Line::visible).collect::<String>();
                assert!(!reasons.contains("the run ended"), "{reasons}");
                asked += 1;
            }
        }
        assert!(asked > 15, "{asked}");
    }

    #[test]
    fn none_of_our_own_passes_where_nothing_answers() {
        for loaded in LIBRARY.scenarios() {
            absent(loaded, |journal, id| judge_scenario(journal, &LIBRARY, None, id).state);
        }
    }
}
