//! Parameters that name an earlier step.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::KeptKind;

/// The name of an earlier step, of which this one takes what it kept.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct StepRef<const KIND: u8>(pub String);

/// A step that kept a configuration.
pub type ConfigRef = StepRef<{ KeptKind::Config as u8 }>;
/// A step that kept a call.
pub type CallRef = StepRef<{ KeptKind::Call as u8 }>;
/// A step that kept the login that it presented.
pub type LoginRef = StepRef<{ KeptKind::Login as u8 }>;
/// A step that kept what a browser saw of a page.
pub type PageRef = StepRef<{ KeptKind::Page as u8 }>;
/// Any step that was answered, whatever it kept.
pub type AnyRef = StepRef<{ KeptKind::Any as u8 }>;
/// A step that kept a TURN allocation.
pub type AllocationRef = StepRef<{ KeptKind::Allocation as u8 }>;

impl<const KIND: u8> fmt::Debug for StepRef<KIND> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const KIND: u8> JsonSchema for StepRef<KIND> {
    fn schema_name() -> Cow<'static, str> {
        format!("StepThatKept{}", KeptKind::name(KIND)).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let description = match KeptKind::name(KIND) {
            "anything" => "name of an earlier step".to_owned(),
            kept => format!("name of an earlier step that keeps a {kept}"),
        };
        json_schema!({ "type": "string", "format": "step", "description": description })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// The earlier steps that parameters name, by the schema of these parameters.
pub fn steps_in(schema: &Value, with: &Map<String, Value>) -> Vec<String> {
    let is_step = |name: &str| mentions_step(&schema["properties"][name]);
    with.iter()
        .filter(|(name, _)| is_step(name))
        .flat_map(|(_, value)| match value {
            Value::Array(names) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            other => other.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>(),
        })
        .collect()
}

fn mentions_step(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            fields.get("format").is_some_and(|format| format == "step") || fields.values().any(mentions_step)
        }
        Value::Array(items) => items.iter().any(mentions_step),
        _ => false,
    }
}
