//! Holds a piece of TOML against a JSON Schema, with the place of every mistake.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::nearest::{hint, nearest};
use crate::schema::{Kind, resolve, without_null};
use crate::source::Problem;

/// A TOML value with its place.
pub(crate) type Node<'a> = Spanned<DeValue<'a>>;

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub problems: Vec<Problem>,
    /// Texts that the schema says are names of earlier steps.
    pub steps: Vec<(String, usize)>,
}

/// Checks a table; with `partial`, keys may be missing at its top.
pub(crate) fn table(root: &Value, at: usize, given: &DeTable<'_>, what: &str, partial: bool) -> Shape {
    let mut shape = Shape::default();
    shape.object(root, root, at, given, what, partial);
    shape.problems.sort_by_key(|problem| problem.at);
    shape
}

/// Checks one value against a part of a schema.
pub(crate) fn value(root: &Value, schema: &Value, node: &Node<'_>, what: &str) -> Shape {
    let mut shape = Shape::default();
    shape.value(root, schema, node, what);
    shape
}

impl Shape {
    fn wrong(&mut self, at: usize, message: impl Into<String>) {
        self.problems.push(Problem::new(at, message));
    }

    fn value(&mut self, root: &Value, schema: &Value, node: &Node<'_>, what: &str) {
        let at = node.span().start;
        let Some(schema) = resolve(root, schema) else { return };
        for join in ["anyOf", "oneOf"] {
            if let Some(options) = schema[join].as_array() {
                return self.one_of(root, &without_null(root, options).collect::<Vec<_>>(), node, what);
            }
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.value(root, part, node, what);
        }
        let words: Vec<&str> = match (&schema["const"], &schema["enum"]) {
            (Value::String(word), _) => vec![word],
            (_, Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !words.is_empty() {
            return self.word(&words, node, what);
        }
        match (Kind::of(schema), node.get_ref()) {
            (None, _) | (Some(Kind::Boolean), DeValue::Boolean(_)) => {}
            (Some(Kind::Integer), DeValue::Integer(number)) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => self.range(schema, number as f64, at, what),
                    Err(_) => self.wrong(at, format!("{what} is too large")),
                }
            }
            (Some(Kind::Number), DeValue::Integer(_) | DeValue::Float(_)) => {}
            (Some(Kind::String), DeValue::String(text)) => {
                if schema["format"] == "step" {
                    self.steps.push((text.to_string(), at));
                }
            }
            (Some(Kind::Array), DeValue::Array(items)) => {
                for item in items.iter() {
                    self.value(root, &schema["items"], item, what);
                }
            }
            (Some(Kind::Object), DeValue::Table(given)) => self.object(root, schema, at, given, what, false),
            (Some(kind), found) => {
                self.wrong(at, format!("{what} must be {}, not {}", kind.word(), kind_of(found)));
            }
        }
    }

    fn range(&mut self, schema: &Value, number: f64, at: usize, what: &str) {
        let (low, high) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        if low.is_some_and(|low| number < low) || high.is_some_and(|high| number > high) {
            let bound = |bound: Option<f64>| bound.map_or_else(|| "…".to_owned(), |bound| bound.to_string());
            self.wrong(at, format!("{what} is {number}, outside {} to {}", bound(low), bound(high)));
        }
    }

    fn word(&mut self, words: &[&str], node: &Node<'_>, what: &str) {
        match node.get_ref() {
            DeValue::String(text) if words.contains(&text.as_ref()) => {}
            DeValue::String(text) => {
                self.wrong(
                    node.span().start,
                    format!("{what} cannot be `{text}`{}", hint(text, words.iter().copied())),
                );
            }
            other => {
                let message = format!("{what} must be one of {}, not {}", words.join(", "), kind_of(other));
                self.wrong(node.span().start, message);
            }
        }
    }

    /// A union: the first alternative that fits. Where none does, the words of all are known together, and otherwise
    /// the alternative of the same kind says what is wrong.
    fn one_of(&mut self, root: &Value, options: &[&Value], node: &Node<'_>, what: &str) {
        let mut tried = Vec::new();
        for option in options {
            let shape = value(root, option, node, what);
            if shape.problems.is_empty() {
                return self.steps.extend(shape.steps);
            }
            tried.push(shape);
        }
        let words: Vec<Vec<&str>> = options.iter().map(|option| words(root, option)).collect();
        let only_words = words.iter().all(|words| !words.is_empty());
        if only_words || matches!(node.get_ref(), DeValue::String(_)) && words.iter().any(|words| !words.is_empty()) {
            return self.word(&words.concat(), node, what);
        }
        let nearest = tried.into_iter().min_by_key(|shape| {
            let own_kind = shape.problems.iter().any(|problem| problem.at == node.span().start);
            (own_kind, shape.problems.len())
        });
        self.problems.extend(nearest.into_iter().flat_map(|shape| shape.problems));
    }

    fn object(&mut self, root: &Value, schema: &Value, at: usize, given: &DeTable<'_>, what: &str, partial: bool) {
        let properties = schema["properties"].as_object();
        let names = || properties.into_iter().flat_map(|all| all.keys().map(String::as_str));
        let mut meant = Vec::new();
        for (key, node) in given.iter() {
            let name = key.get_ref().as_ref();
            let path = if what.is_empty() { format!("`{name}`") } else { format!("`{name}` of {what}") };
            match (properties.and_then(|all| all.get(name)), &schema["additionalProperties"]) {
                (Some(property), _) => self.value(root, property, node, &path),
                (None, Value::Bool(false)) => {
                    meant.extend(nearest(name, names()));
                    let of = if what.is_empty() { String::new() } else { format!(" of {what}") };
                    self.wrong(key.span().start, format!("unknown key `{name}`{of}{}", hint(name, names())));
                }
                (None, more) => self.value(root, more, node, &path),
            }
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        // A mistyped key has been reported; that it is missing by its right name says nothing new.
        for name in required.filter(|name| !partial && !given.contains_key(*name) && !meant.contains(name)) {
            let of = if what.is_empty() { String::new() } else { format!(" of {what}") };
            self.wrong(at, format!("`{name}`{of} is missing"));
        }
    }
}

fn words<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a str> {
    let Some(schema) = resolve(root, schema) else { return Vec::new() };
    let options = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
    let nested = options.into_iter().flatten().flat_map(|option| words(root, option));
    let listed = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    schema["const"].as_str().into_iter().chain(listed).chain(nested).collect()
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
