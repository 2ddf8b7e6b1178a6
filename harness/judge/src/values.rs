//! Values for CEL: from the journal's JSON, led by the types, and back.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cel::Value as Cel;
use serde_json::{Map, Value};

use crate::types::Ty;
use crate::vocabulary::Known;

/// What one chain knows so far: target, policy, and a variable per step.
#[derive(Clone, Debug)]
pub struct Variables {
    known: Arc<Known>,
    pub(crate) values: BTreeMap<String, Cel>,
    pub(crate) not_asked: BTreeSet<String>,
}

impl Variables {
    pub(crate) fn new(known: Arc<Known>, target: &Value, policy: &Value) -> Self {
        let values = [("target", &known.target, target), ("policy", &known.policy, policy)];
        let values = values.into_iter().filter_map(|(name, ty, value)| Some((name.to_owned(), to_cel(ty, value)?)));
        Self { values: values.collect(), not_asked: BTreeSet::new(), known }
    }

    /// Sets what a step saw; a later observation of the same step takes the place of an earlier one.
    pub fn saw(&mut self, step: &str, probe: &str, observation: &Map<String, Value>) {
        let ty = self.known.seen.get(probe).unwrap_or(&Ty::Any);
        let value = to_cel(ty, &Value::Object(observation.clone()));
        self.values.insert(step.to_owned(), value.unwrap_or_else(|| Cel::from(HashMap::<String, Cel>::new())));
    }

    /// Notes that a step was left out.
    pub fn left_out(&mut self, step: &str) {
        self.not_asked.insert(step.to_owned());
    }
}

/// A JSON value as CEL. What does not fit its type is left out, and so is null: reading it is then unknown, never a
/// comparison that happens to be true.
fn to_cel(ty: &Ty, value: &Value) -> Option<Cel> {
    Some(match (ty, value) {
        (_, Value::Null) => return None,
        (Ty::Bool | Ty::Any, Value::Bool(yes)) => Cel::Bool(*yes),
        (Ty::Int, Value::Number(number)) => Cel::Int(number.as_i64()?),
        (Ty::Double, Value::Number(number)) => Cel::Float(number.as_f64()?),
        (Ty::Any, Value::Number(number)) => {
            number.as_i64().map(Cel::Int).or_else(|| number.as_f64().map(Cel::Float))?
        }
        (Ty::Text | Ty::Word(_) | Ty::Digest | Ty::Any, Value::String(text)) => Cel::from(text.as_str()),
        (Ty::List(element), Value::Array(items)) => list(items.iter().map(|item| to_cel(element, item)))?,
        (Ty::Any, Value::Array(items)) => list(items.iter().map(|item| to_cel(&Ty::Any, item)))?,
        (Ty::Object(object), Value::Object(fields)) => {
            map(object.fields.iter().filter_map(|(name, ty)| Some((name, to_cel(ty, fields.get(name)?)?))))
        }
        (Ty::Map(of), Value::Object(fields)) => {
            map(fields.iter().filter_map(|(name, value)| Some((name, to_cel(of, value)?))))
        }
        (Ty::Any, Value::Object(fields)) => {
            map(fields.iter().filter_map(|(name, value)| Some((name, to_cel(&Ty::Any, value)?))))
        }
        _ => return None,
    })
}

fn list(items: impl Iterator<Item = Option<Cel>>) -> Option<Cel> {
    Some(Cel::List(Arc::new(items.collect::<Option<Vec<Cel>>>()?)))
}

fn map<'a>(fields: impl Iterator<Item = (&'a String, Cel)>) -> Cel {
    Cel::from(fields.map(|(name, value)| (name.clone(), value)).collect::<HashMap<String, Cel>>())
}

/// A CEL value as JSON, for a computed parameter.
pub(crate) fn to_json(value: &Cel) -> Option<Value> {
    Some(match value {
        Cel::Bool(yes) => Value::Bool(*yes),
        Cel::Int(number) => Value::from(*number),
        Cel::Float(number) => Value::from(*number),
        Cel::String(text) => Value::from(text.as_str()),
        Cel::List(items) => Value::Array(items.iter().map(to_json).collect::<Option<_>>()?),
        _ => return None,
    })
}
