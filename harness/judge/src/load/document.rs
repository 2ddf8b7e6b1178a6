//! A scenario file with its places, and the mistakes found so far.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::check::{Checked, Mistake, Scope, check};
use crate::library::Condition;
use crate::shape::Node;
use crate::source::{Problem, Source};
use crate::template::Template;
use crate::types::Ty;

/// One step of a path into the file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Segment<'a> {
    Key(&'a str),
    At(usize),
}

pub(super) struct Document<'a> {
    pub source: Source<'a>,
    root: &'a DeTable<'a>,
    problems: Vec<Problem>,
    words: BTreeSet<String>,
    policy: BTreeSet<String>,
}

impl<'a> Document<'a> {
    pub fn new(source: Source<'a>, root: &'a DeTable<'a>) -> Self {
        Self { source, root, problems: Vec::new(), words: BTreeSet::new(), policy: BTreeSet::new() }
    }

    /// The value at a path.
    pub fn node(&self, path: &[Segment<'_>]) -> Option<&'a Node<'a>> {
        let (first, rest) = path.split_first()?;
        let Segment::Key(key) = first else { return None };
        let mut node = self.root.get(*key)?;
        for segment in rest {
            node = match (segment, node.get_ref()) {
                (Segment::Key(key), DeValue::Table(table)) => table.get(*key)?,
                (Segment::At(index), DeValue::Array(items)) => items.get(*index)?,
                _ => return None,
            };
        }
        Some(node)
    }

    pub fn span(&self, path: &[Segment<'_>]) -> Range<usize> {
        self.node(path).map_or(0..0, |node| node.span())
    }

    /// Notes a mistake at the value of a path.
    pub fn wrong(&mut self, path: &[Segment<'_>], message: impl Into<String>) {
        self.wrong_at(self.span(path).start, message);
    }

    pub fn wrong_at(&mut self, at: usize, message: impl Into<String>) {
        self.problems.push(Problem::new(at, message));
    }

    pub fn problems(&mut self, more: Vec<Problem>) {
        self.problems.extend(more);
    }

    /// The mistakes, in the order of the file, each once.
    pub fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by(|a, b| (a.at, &a.message).cmp(&(b.at, &b.message)));
        self.problems.dedup();
        self.problems
    }

    /// The words that expressions use, and the fields of `policy` that they read.
    pub fn used(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        (self.words.clone(), self.policy.clone())
    }

    /// Reads the expression at a path.
    pub fn cel(&mut self, path: &[Segment<'_>], text: &str, scope: &Scope<'_>) -> Option<Condition> {
        match check(text, scope) {
            Ok(checked) => {
                self.uses(&checked);
                Some(Condition { text: text.trim().to_owned(), checked })
            }
            Err(mistakes) => {
                self.mistakes(path, mistakes);
                None
            }
        }
    }

    /// Reads a condition, which says yes or no.
    pub fn condition(&mut self, path: &[Segment<'_>], text: &str, scope: &Scope<'_>) -> Option<Condition> {
        let condition = self.cel(path, text, scope)?;
        if !condition.checked.ty.is(&Ty::Bool) {
            self.wrong(path, format!("a condition is true or false, not {}", condition.checked.ty));
            return None;
        }
        Some(condition)
    }

    /// Reads a sentence.
    pub fn template(&mut self, path: &[Segment<'_>], text: &str, scope: &Scope<'_>) -> Option<Template> {
        match Template::read(text, scope) {
            Ok(template) => {
                template.values().for_each(|checked| self.uses(checked));
                Some(template)
            }
            Err(mistakes) => {
                self.mistakes(path, mistakes);
                None
            }
        }
    }

    fn uses(&mut self, checked: &Checked) {
        self.words.extend(checked.words.iter().cloned());
        self.policy.extend(checked.policy.iter().cloned());
    }

    fn mistakes(&mut self, path: &[Segment<'_>], mistakes: Vec<Mistake>) {
        let literal = self.span(path);
        for (at, message) in mistakes {
            self.wrong_at(self.source.inside(literal.clone(), at), message);
        }
    }
}
