//! Steps: names, probes, parameters, and what they may speak of.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_model::scenario::{Scenario, Step};
use serde_json::Value;
use toml::de::DeValue;

use super::document::{Document, Segment, Segment::At, Segment::Key};
use crate::check::Scope;
use crate::library::{Condition, LoadedStep};
use crate::nearest::hint;
use crate::shape;
use crate::types::Ty;
use crate::vocabulary::Known;
use crate::words::Words;

/// Names that CEL or the scenario format gives a meaning of its own.
const RESERVED: [&str; 19] = [
    "target",
    "policy",
    "it",
    "true",
    "false",
    "null",
    "in",
    "int",
    "uint",
    "double",
    "bool",
    "string",
    "bytes",
    "list",
    "map",
    "type",
    "dyn",
    "strings",
    "null_type",
];

/// Checks the steps in order. What comes back besides is the scope of the verdict: every step.
pub(super) fn read<'w>(
    document: &mut Document<'_>,
    scenario: &Scenario,
    known: &Known,
    words: &'w Words,
) -> (Vec<LoadedStep>, Scope<'w>) {
    let variables = BTreeMap::from([("target".into(), known.target.clone()), ("policy".into(), known.policy.clone())]);
    let later = scenario.step.iter().map(|step| step.name.clone()).collect();
    let mut scope = Scope { variables, later, words: Some(words), ..Scope::default() };
    let mut steps = Vec::new();
    for (index, step) in scenario.step.iter().enumerate() {
        let path = |key| [Key("step"), At(index), Key(key)];
        name(document, &path("name"), step, &scope);
        let when = step.when.as_ref().and_then(|when| document.condition(&path("when"), when, &scope));
        for (need, word) in step.needs.iter().enumerate() {
            if !known.words.needs.contains(word) {
                let message =
                    format!("unknown need `{word}`{}", hint(word, known.words.needs.iter().map(String::as_str)));
                document.wrong(&[Key("step"), At(index), Key("needs"), At(need)], message);
            }
        }
        let (computed, inputs) = match known.words.probes.get(&step.probe) {
            Some(probe) => parameters(document, index, step, &probe.with, &scope),
            None => {
                let near = hint(&step.probe, known.probes());
                document.wrong(&path("probe"), format!("unknown probe `{}`{near}", step.probe));
                Default::default()
            }
        };
        scope.later.remove(&step.name);
        let seen = known.seen.get(&step.probe).cloned().unwrap_or(Ty::Any);
        scope.variables.insert(step.name.clone(), seen);
        let control = step.control.as_ref().and_then(|control| document.condition(&path("control"), control, &scope));
        steps.push(LoadedStep { when, control, computed, inputs });
    }
    (steps, scope)
}

fn name(document: &mut Document<'_>, path: &[Segment<'_>], step: &Step, scope: &Scope<'_>) {
    let name = step.name.as_str();
    let sound = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !sound {
        document.wrong(path, format!("`{name}` is no step name: small letters, digits and `_`, a letter first"));
    } else if RESERVED.contains(&name) {
        document.wrong(path, format!("`{name}` has a meaning of its own; take another name"));
    } else if scope.variables.contains_key(name) {
        document.wrong(path, format!("there are two steps `{name}`"));
    }
}

type Parameters = (BTreeMap<String, Condition>, Vec<String>);

fn parameters(document: &mut Document<'_>, index: usize, step: &Step, schema: &Value, scope: &Scope<'_>) -> Parameters {
    let no_properties = serde_json::Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&no_properties);
    let mut computed = BTreeMap::new();
    let mut inputs = BTreeSet::new();
    let step_path = [Key("step"), At(index)];
    for (parameter, value) in &step.with {
        let path = [Key("step"), At(index), Key("with"), Key(parameter)];
        let what = format!("parameter `{parameter}` of `{}`", step.probe);
        let Some(property) = properties.get(parameter) else {
            let near = hint(parameter, properties.keys().map(String::as_str));
            document
                .wrong_at(key_of(document, &path), format!("`{}` has no parameter `{parameter}`{near}", step.probe));
            continue;
        };
        if let Some(cel) = formula(value) {
            let path = [Key("step"), At(index), Key("with"), Key(parameter), Key("cel")];
            if let Some(condition) = document.cel(&path, cel, scope) {
                fits(document, &path, &condition, schema, property, &what);
                computed.insert(parameter.clone(), condition);
            }
            continue;
        }
        let Some(node) = document.node(&path) else { continue };
        let shape = shape::value(schema, property, node, &what);
        document.problems(shape.problems);
        for (name, at) in shape.steps {
            earlier(document, &name, at, scope);
            inputs.insert(name);
        }
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !step.with.contains_key(name) {
            document
                .wrong(&step_path, format!("step `{}` lacks the parameter `{name}` of `{}`", step.name, step.probe));
        }
    }
    (computed, inputs.into_iter().collect())
}

/// The expression of `{ cel = "…" }`.
fn formula(value: &Value) -> Option<&str> {
    let table = value.as_object().filter(|table| table.len() == 1)?;
    table.get("cel")?.as_str()
}

/// A computed value must be of the parameter's type.
fn fits(
    document: &mut Document<'_>,
    path: &[Segment<'_>],
    condition: &Condition,
    root: &Value,
    property: &Value,
    what: &str,
) {
    let mut schema = property.clone();
    // References of the property point into the whole schema.
    if let (Some(schema), Some(defs)) = (schema.as_object_mut(), root.get("$defs")) {
        schema.insert("$defs".into(), defs.clone());
    }
    if schema["format"] == "step" {
        return document.wrong(path, format!("{what} names a step; it is written as it stands, not computed"));
    }
    let (wanted, found) = (Ty::of(&schema, what), &condition.checked.ty);
    if wanted.same(found).is_none() {
        document.wrong(path, format!("{what} is {wanted}, not {found}"));
    }
}

/// A step that a parameter names must come before.
fn earlier(document: &mut Document<'_>, name: &str, at: usize, scope: &Scope<'_>) {
    if scope.later.contains(name) {
        document.wrong_at(at, format!("step `{name}` does not come before this one"));
    } else if !scope.variables.contains_key(name) || name == "target" || name == "policy" {
        let steps = scope.variables.keys().map(String::as_str).filter(|name| !["target", "policy"].contains(name));
        document.wrong_at(at, format!("there is no step `{name}`{}", hint(name, steps)));
    }
}

/// Where a key stands, rather than its value.
fn key_of(document: &Document<'_>, path: &[Segment<'_>]) -> usize {
    let Some((Key(key), parent)) = path.split_last() else { return 0 };
    let table = document
        .node(parent)
        .and_then(|node| if let DeValue::Table(table) = node.get_ref() { Some(table) } else { None });
    let place = table.and_then(|table| table.get_key_value(*key)).map(|(key, _)| key.span().start);
    place.unwrap_or_else(|| document.span(path).start)
}
