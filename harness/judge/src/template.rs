//! Sentences with values in them: `the refusal is {{ b.status }}`.

use ringfence_model::Untrusted;
use ringfence_model::verdict::{Line, Piece};

use crate::check::{Checked, Mistake, Scope, check};
use crate::truth::compute;
use crate::values::Variables;

/// Longest list that a sentence shows.
const SHOWN_ITEMS: usize = 20;

/// A sentence, read and checked.
#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Value(Box<Checked>),
}

impl Template {
    /// Reads a sentence; mistakes stand at byte offsets of its text.
    pub fn read(text: &str, scope: &Scope<'_>) -> Result<Self, Vec<Mistake>> {
        let mut parts = Vec::new();
        let mut mistakes = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find("{{").map(|open| at + open) {
            parts.push(Part::Text(text[at..open].to_owned()));
            let Some(close) = text[open..].find("}}").map(|close| open + close) else {
                mistakes.push((open, "`{{` without `}}`".to_owned()));
                return Err(mistakes);
            };
            let inner = &text[open + 2..close];
            let blank = inner.len() - inner.trim_start().len();
            match check(inner.trim(), scope) {
                Ok(checked) if checked.ty.is_shown() => parts.push(Part::Value(Box::new(checked))),
                Ok(checked) => mistakes.push((open + 2 + blank, format!("a sentence cannot show {}", checked.ty))),
                Err(found) => mistakes.extend(found.into_iter().map(|(at, message)| (open + 2 + blank + at, message))),
            }
            at = close + 2;
        }
        parts.push(Part::Text(text[at..].to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        if mistakes.is_empty() { Ok(Self(parts)) } else { Err(mistakes) }
    }

    /// The expressions in it.
    pub fn values(&self) -> impl Iterator<Item = &Checked> {
        self.0.iter().filter_map(|part| if let Part::Value(checked) = part { Some(&**checked) } else { None })
    }

    /// The sentence with its values. Text that a step saw stays marked as the target's.
    pub fn fill(&self, variables: &Variables) -> Line {
        let mut line = Line::default();
        for part in &self.0 {
            match part {
                Part::Text(text) => line.0.push(Piece::Ours(text.clone())),
                Part::Value(checked) => {
                    let ours = checked.mentions.iter().all(|name| name == "policy" || name == "target");
                    match compute(checked, variables) {
                        Ok(value) => show(&value, ours, &mut line),
                        Err(_) => line.0.push(Piece::Ours("[not seen]".into())),
                    }
                }
            }
        }
        line
    }
}

fn show(value: &cel::Value, ours: bool, line: &mut Line) {
    match value {
        cel::Value::String(text) if !ours => line.0.push(Piece::Target(Untrusted::new(text.as_str()))),
        cel::Value::String(text) => line.0.push(Piece::Ours(text.to_string())),
        cel::Value::Bool(yes) => line.0.push(Piece::Ours(if *yes { "true" } else { "false" }.into())),
        cel::Value::Int(number) => line.0.push(Piece::Ours(number.to_string())),
        cel::Value::Float(number) => line.0.push(Piece::Ours(number.to_string())),
        cel::Value::List(items) => {
            if items.is_empty() {
                line.0.push(Piece::Ours("[none]".into()));
            }
            for (index, item) in items.iter().take(SHOWN_ITEMS).enumerate() {
                if index > 0 {
                    line.0.push(Piece::Ours(", ".into()));
                }
                show(item, ours, line);
            }
            if items.len() > SHOWN_ITEMS {
                line.0.push(Piece::Ours(format!(" and {} more", items.len() - SHOWN_ITEMS)));
            }
        }
        _ => line.0.push(Piece::Ours("[no text]".into())),
    }
}
