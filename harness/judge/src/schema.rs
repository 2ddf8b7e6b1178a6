//! The little of JSON Schema (2020-12) that `schemars` writes for our types.

use serde_json::Value;

/// References that one schema may follow before it counts as one that holds itself.
const MAX_REFERENCES: usize = 16;

/// What a schema's `type` says, `null` aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// The one kind that a schema allows besides null; `None` where it allows several or does not say.
    pub fn of(schema: &Value) -> Option<Self> {
        match &schema["type"] {
            Value::String(word) => Self::named(word),
            Value::Array(words) => {
                let mut kinds = words.iter().filter_map(Value::as_str).filter_map(Self::named);
                kinds.next().filter(|_| kinds.next().is_none())
            }
            _ => None,
        }
    }

    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }

    /// The word that messages use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::String => "text",
            Self::Array => "a list",
            Self::Object => "a table",
        }
    }
}

/// The schema that a chain of references ends at.
pub(crate) fn resolve<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    let mut schema = schema;
    for _ in 0..MAX_REFERENCES {
        let Some(reference) = schema["$ref"].as_str() else { return Some(schema) };
        schema = root.pointer(reference.strip_prefix('#')?)?;
    }
    None
}

/// The alternatives of a union apart from null.
pub(crate) fn without_null<'a>(root: &'a Value, options: &'a [Value]) -> impl Iterator<Item = &'a Value> {
    options.iter().filter(move |option| resolve(root, option).is_none_or(|schema| schema["type"] != "null"))
}
