//! The types of CEL values, read from JSON Schema.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::schema::{Kind, resolve, without_null};

/// How deep an observation may nest; a type that holds itself ends here.
const MAX_DEPTH: usize = 12;

/// What an expression gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ty {
    Bool,
    Int,
    Double,
    Text,
    /// One of a closed list of texts.
    Word(Arc<[String]>),
    /// Stands for a secret: equal or not, and nothing else.
    Digest,
    List(Box<Ty>),
    /// Any names, one type of value.
    Map(Box<Ty>),
    Object(Arc<Object>),
    /// What no schema fixes.
    Any,
    /// The element of an empty list.
    Nothing,
}

/// A group of named fields.
#[derive(Debug, PartialEq)]
pub(crate) struct Object {
    /// The probe, `target` or `policy`, with the path below it.
    pub name: String,
    pub fields: BTreeMap<String, Ty>,
}

impl Ty {
    /// The type that a schema describes; `name` is what messages call it.
    pub fn of(schema: &Value, name: &str) -> Self {
        read(schema, schema, name, 0)
    }

    /// The type of both, if there is one.
    pub fn same(&self, other: &Ty) -> Option<Ty> {
        match (self, other) {
            (Ty::Any, _) | (_, Ty::Any) => Some(Ty::Any),
            (Ty::Nothing, ty) | (ty, Ty::Nothing) => Some(ty.clone()),
            (Ty::Word(_) | Ty::Text, Ty::Word(_) | Ty::Text) if self != other => Some(Ty::Text),
            (Ty::List(a), Ty::List(b)) => Some(Ty::List(Box::new(a.same(b)?))),
            (Ty::Map(a), Ty::Map(b)) => Some(Ty::Map(Box::new(a.same(b)?))),
            _ => (self == other).then(|| self.clone()),
        }
    }

    pub fn list(element: Ty) -> Ty {
        Ty::List(Box::new(element))
    }

    pub fn is_text(&self) -> bool {
        matches!(self, Ty::Text | Ty::Word(_) | Ty::Any)
    }

    pub fn is(&self, wanted: &Ty) -> bool {
        matches!(self, Ty::Any) || self == wanted
    }

    /// Whether a sentence can show it.
    pub fn is_shown(&self) -> bool {
        match self {
            Ty::Bool | Ty::Int | Ty::Double | Ty::Text | Ty::Word(_) | Ty::Any => true,
            Ty::List(element) => element.is_shown() && !matches!(**element, Ty::List(_)),
            Ty::Digest | Ty::Map(_) | Ty::Object(_) | Ty::Nothing => false,
        }
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Bool => f.write_str("bool"),
            Ty::Int => f.write_str("int"),
            Ty::Double => f.write_str("double"),
            Ty::Text | Ty::Word(_) => f.write_str("text"),
            Ty::Digest => f.write_str("digest"),
            Ty::List(element) => write!(f, "list of {element}"),
            Ty::Map(value) => write!(f, "map to {value}"),
            Ty::Object(object) => write!(f, "`{}`", object.name),
            Ty::Any => f.write_str("any value"),
            Ty::Nothing => f.write_str("nothing"),
        }
    }
}

fn read(root: &Value, schema: &Value, name: &str, depth: usize) -> Ty {
    let Some(schema) = resolve(root, schema).filter(|_| depth < MAX_DEPTH) else { return Ty::Any };
    for join in ["anyOf", "oneOf"] {
        let Some(options) = schema[join].as_array() else { continue };
        let types: Vec<Ty> = without_null(root, options).map(|option| read(root, option, name, depth + 1)).collect();
        return joined(&types);
    }
    if let Some([only]) = schema["allOf"].as_array().map(Vec::as_slice) {
        return read(root, only, name, depth + 1);
    }
    if let Some(word) = schema["const"].as_str() {
        return Ty::Word([word.to_owned()].into());
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Option<Vec<String>> =
            words.iter().filter(|word| !word.is_null()).map(|word| word.as_str().map(str::to_owned)).collect();
        return words.map_or(Ty::Any, |words| Ty::Word(words.into()));
    }
    match Kind::of(schema) {
        Some(Kind::Boolean) => Ty::Bool,
        Some(Kind::Integer) => Ty::Int,
        Some(Kind::Number) => Ty::Double,
        Some(Kind::String) if schema["format"] == "digest" => Ty::Digest,
        Some(Kind::String) => Ty::Text,
        Some(Kind::Array) => Ty::list(read(root, &schema["items"], name, depth + 1)),
        Some(Kind::Object) => read_object(root, schema, name, depth),
        None => Ty::Any,
    }
}

fn read_object(root: &Value, schema: &Value, name: &str, depth: usize) -> Ty {
    if let Some(properties) = schema["properties"].as_object() {
        let field = |(field, schema): (&String, &Value)| {
            (field.clone(), read(root, schema, &format!("{name}.{field}"), depth + 1))
        };
        return Ty::Object(Arc::new(Object { name: name.to_owned(), fields: properties.iter().map(field).collect() }));
    }
    match &schema["additionalProperties"] {
        Value::Bool(false) => Ty::Object(Arc::new(Object { name: name.to_owned(), fields: BTreeMap::new() })),
        more => Ty::Map(Box::new(read(root, more, name, depth + 1))),
    }
}

/// Several schemas for one value: words together make a longer list, anything else must agree.
fn joined(types: &[Ty]) -> Ty {
    let words: Option<Vec<&Arc<[String]>>> =
        types.iter().map(|ty| if let Ty::Word(words) = ty { Some(words) } else { None }).collect();
    if let Some(words) = words.filter(|words| !words.is_empty()) {
        return Ty::Word(words.iter().flat_map(|words| words.iter().cloned()).collect());
    }
    match types {
        [first, rest @ ..] if rest.iter().all(|ty| ty == first) => first.clone(),
        _ => Ty::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringfence_model::observation::{CallSeen, Common};

    #[test]
    fn reads_what_schemars_writes() {
        let ty = Ty::of(schemars::schema_for!(CallSeen).as_value(), "call");
        let Ty::Object(call) = &ty else { panic!("{ty:?}") };
        let Some(Ty::Object(dtls)) = call.fields.get("dtls") else { panic!("{call:?}") };
        assert_eq!(dtls.name, "call.dtls");
        assert_eq!(dtls.fields["completed"], Ty::Bool);
        assert_eq!(dtls.fields["alert"], Ty::Text);
        assert_eq!(dtls.fields["alert_after_ms"], Ty::Int);
        assert_eq!(dtls.fields["server_random"], Ty::Digest);
        let Some(Ty::Object(media)) = call.fields.get("media") else { panic!("{call:?}") };
        assert_eq!((&media.fields["loss"], &media.fields["ssrcs"]), (&Ty::Double, &Ty::list(Ty::Int)));
    }

    #[test]
    fn enumerations_become_words() {
        let Ty::Object(common) = Ty::of(schemars::schema_for!(Common).as_value(), "any") else { panic!() };
        let Ty::Word(words) = &common.fields["outcome"] else { panic!("{common:?}") };
        assert!(words.contains(&"out-of-scope".to_owned()) && words.contains(&"answered".to_owned()));
        assert_eq!(common.fields["error"], Ty::Text);
    }
}
