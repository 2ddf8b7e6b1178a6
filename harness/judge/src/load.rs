//! Reads scenario files and checks all that can be checked before anything is asked.

mod document;
mod steps;
mod verdict;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use ringfence_model::scenario::Scenario;
use serde_json::Value;
use toml::de::DeTable;

use crate::library::{Library, Loaded};
use crate::nearest::hint;
use crate::source::{Problem, Source};
use crate::vocabulary::{Known, Vocabulary};
use crate::words::Words;
use crate::{LoadError, shape};
use document::{Document, Segment::Key};

/// Largest scenario or words file, in bytes.
const MAX_FILE_BYTES: usize = 256 * 1024;
/// Most steps of a scenario, and most rules of one kind.
const MAX_PARTS: usize = 64;

static SCENARIO_SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(Scenario).to_value());

/// A scenario file to load.
#[derive(Clone, Copy, Debug)]
pub struct ScenarioSource<'a> {
    /// Its path: `area/slug.toml` at its end equals the id. Messages name it.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
    /// One of ringfence's own, which need a proof.
    pub own: bool,
}

impl Library {
    /// Reads words and scenarios and checks them.
    ///
    /// # Errors
    /// Every mistake of every file, in the order of files and places.
    pub fn load(
        vocabulary: Vocabulary,
        words_text: &str,
        sources: &[ScenarioSource<'_>],
    ) -> Result<Library, Vec<LoadError>> {
        let known = Arc::new(Known::new(vocabulary));
        let words_source = Source { file: "words.toml", text: words_text };
        let words = Words::load(words_source, &known)?;
        let library =
            Library { known, words: Arc::new(words), words_text: words_text.to_owned(), scenarios: BTreeMap::new() };
        library.with(sources)
    }

    /// The same vocabulary and words with these scenarios in place of its own: nothing that both need is read again.
    ///
    /// # Errors
    /// As [`Library::load`].
    pub fn with(&self, sources: &[ScenarioSource<'_>]) -> Result<Library, Vec<LoadError>> {
        let mut errors = Vec::new();
        let mut scenarios = BTreeMap::<String, Loaded>::new();
        for source in sources {
            let file = Source { file: source.path, text: source.text };
            match read(file, source.own, &self.known, &self.words) {
                Ok(loaded) => {
                    let id = loaded.scenario.id.clone();
                    if scenarios.insert(id.clone(), loaded).is_some() {
                        errors.push(file.place(Problem::new(0, format!("there are two scenarios `{id}`"))));
                    }
                }
                Err(problems) => errors.extend(problems.into_iter().map(|problem| file.place(problem))),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let (known, words, words_text) = (self.known.clone(), self.words.clone(), self.words_text.clone());
        Ok(Library { known, words, words_text, scenarios })
    }
}

fn read(source: Source<'_>, own: bool, known: &Known, words: &Words) -> Result<Loaded, Vec<Problem>> {
    if source.text.len() > MAX_FILE_BYTES {
        return Err(vec![Problem::new(0, format!("file is larger than {MAX_FILE_BYTES} bytes"))]);
    }
    let broken = |error: toml::de::Error| {
        vec![Problem::new(error.span().map_or(0, |span| span.start), error.message().trim().to_owned())]
    };
    let tree = DeTable::parse(source.text).map_err(broken)?;
    let shape = shape::table(&SCENARIO_SCHEMA, 0, tree.get_ref(), "", false);
    if !shape.problems.is_empty() {
        return Err(shape.problems);
    }
    let scenario: Scenario = toml::from_str(source.text).map_err(broken)?;
    let mut document = Document::new(source, tree.get_ref());
    head(&mut document, &scenario, own, known);
    let loaded = compile(&mut document, scenario, source.text, own, known, words);
    match document.into_problems() {
        problems if problems.is_empty() => Ok(loaded),
        problems => Err(problems),
    }
}

fn compile(
    document: &mut Document<'_>,
    scenario: Scenario,
    text: &str,
    own: bool,
    known: &Known,
    words: &Words,
) -> Loaded {
    let (steps, scope) = steps::read(document, &scenario, known, words);
    let severity_if = verdict::severity_if(document, &scenario, &scope);
    let rules = &scenario.verdict;
    let not_applicable = verdict::whys(document, "not_applicable", &rules.not_applicable, &scope);
    let inconclusive = verdict::whys(document, "inconclusive", &rules.inconclusive, &scope);
    let note = verdict::notes(document, &rules.note, &scope);
    let expect = verdict::expectations(document, &scenario, &scope);
    let (words, policy) = document.used();
    Loaded {
        text: text.to_owned(),
        own,
        steps,
        severity_if,
        not_applicable,
        inconclusive,
        note,
        expect,
        words,
        policy,
        scenario,
    }
}

/// Everything above the steps: id, closed lists, proof.
fn head(document: &mut Document<'_>, scenario: &Scenario, own: bool, known: &Known) {
    let path = document.source.file.to_owned();
    let fits = path.strip_suffix(".toml").and_then(|stem| stem.strip_suffix(&scenario.id));
    if !fits.is_some_and(|before| before.is_empty() || before.ends_with(['/', '\\'])) {
        document.wrong(&[Key("id")], format!("id `{}` does not equal the file's path `{path}`", scenario.id));
    }
    let part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !matches!(scenario.id.split('/').collect::<Vec<_>>().as_slice(), [area, slug] if part(area) && part(slug)) {
        document.wrong(&[Key("id")], "an id is `area/slug` in small letters, digits and `-`");
    }
    let adapters: Vec<&str> = known.words.adapters.iter().map(String::as_str).chain(["any"]).collect();
    closed(document, "adapters", "adapter", &scenario.adapters, &adapters);
    if scenario.adapters.is_empty() {
        document.wrong(&[Key("adapters")], "a scenario speaks to at least one adapter; `any` for all");
    }
    let lists = [
        ("needs", "need", &scenario.needs, &known.words.needs),
        ("claims", "claim", &scenario.claims, &known.words.claims),
        ("controls", "control", &scenario.controls, &known.words.controls),
    ];
    for (key, what, given, allowed) in lists {
        closed(document, key, what, given, &allowed.iter().map(String::as_str).collect::<Vec<_>>());
    }
    for (key, count) in [("step", scenario.step.len()), ("verdict", scenario.verdict.expect.len())] {
        match count {
            0 if key == "step" => document.wrong(&[Key(key)], "a scenario has at least one step"),
            0 => document.wrong(&[Key(key)], "a scenario expects at least one thing"),
            count if count > MAX_PARTS => document.wrong(&[Key(key)], format!("more than {MAX_PARTS} parts")),
            _ => {}
        }
    }
    match &scenario.proof {
        None if own => {
            document.wrong(&[], "`proof` is missing: a scenario that cannot be shown to fail does not exist")
        }
        Some(proof) if !known.words.faults.is_empty() && !known.words.faults.contains(&proof.fault) => {
            let near = hint(&proof.fault, known.words.faults.iter().map(String::as_str));
            document.wrong(&[Key("proof"), Key("fault")], format!("unknown fault `{}`{near}", proof.fault));
        }
        _ => {}
    }
}

fn closed(document: &mut Document<'_>, key: &str, what: &str, given: &[String], allowed: &[&str]) {
    for (index, word) in given.iter().enumerate() {
        if !allowed.contains(&word.as_str()) {
            let message = format!("unknown {what} `{word}`{}", hint(word, allowed.iter().copied()));
            document.wrong(&[Key(key), document::Segment::At(index)], message);
        }
    }
}

#[cfg(test)]
mod tests;
