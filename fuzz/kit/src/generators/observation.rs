//! What a probe may have seen, drawn by its schema: of the right types, and mostly of values that scenarios ask for.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

/// Texts that observations have.
const TEXTS: [&str; 10] = ["", "us", "target", "tls1.2", "1.3", "sha-256", "sip:a@example.test", "a", "udp", "none"];
/// Numbers where verdicts turn.
const NUMBERS: [i64; 16] = [0, 1, 2, 10, 100, 180, 200, 401, 403, 404, 486, 603, 1_000, 30_000, -1, 65_535];
/// Most levels of a value.
const MAX_LEVELS: usize = 5;

/// An object by a schema of draft 2020-12, as `schemars` writes them.
pub fn drawn(u: &mut Unstructured<'_>, schema: &Value) -> Result<Map<String, Value>> {
    match value(u, schema, schema, MAX_LEVELS)? {
        Value::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

fn value(u: &mut Unstructured<'_>, root: &Value, schema: &Value, levels: usize) -> Result<Value> {
    if let Some(path) = schema["$ref"].as_str() {
        let target = root.pointer(path.trim_start_matches('#')).unwrap_or(&Value::Null);
        return if levels == 0 { Ok(Value::Null) } else { value(u, root, target, levels - 1) };
    }
    if let Some(constant) = schema.get("const") {
        return Ok(constant.clone());
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.is_empty()) {
        return Ok(u.choose(words)?.clone());
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(ways) = schema[key].as_array().filter(|ways| !ways.is_empty()) {
            let way = u.choose(ways)?;
            return value(u, root, way, levels);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) if !kinds.is_empty() => u.choose(kinds)?.as_str().unwrap_or("null"),
        kind => kind.as_str().unwrap_or("null"),
    };
    Ok(match kind {
        "boolean" => Value::Bool(u.ratio(2, 3)?),
        "integer" => Value::from(*u.choose(&NUMBERS)?),
        "number" => json!(*u.choose(&[0.0, 0.5, 1.0, 30.0, 100.0, -1.0])?),
        "string" => Value::from(*u.choose(&TEXTS)?),
        "array" if levels > 0 => {
            let items = &schema["items"];
            let list: Result<Vec<Value>> =
                (0..u.int_in_range(0..=2)?).map(|_| value(u, root, items, levels - 1)).collect();
            Value::Array(list?)
        }
        "array" => json!([]),
        "object" => {
            let mut map = Map::new();
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                // An observation leaves out what it has nothing to say of.
                let needed = levels == MAX_LEVELS && name == "outcome";
                if needed || u.ratio(15, 16)? {
                    map.insert(name.clone(), value(u, root, schema, levels.saturating_sub(1))?);
                }
            }
            Value::Object(map)
        }
        _ => Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::stretch;
    use crate::library;

    #[test]
    fn calls_are_seen_in_many_ways() {
        let schema = library::seen("call");
        let draw = |seed| drawn(&mut Unstructured::new(&stretch(seed, 800)), schema).expect("there is input");
        let seen: Vec<_> = (0..50).map(draw).collect();
        assert!(seen.iter().all(|seen| seen["outcome"].is_string()));
        assert!(seen.iter().any(|seen| seen.get("answered") == Some(&json!(true))));
        let statuses: std::collections::BTreeSet<String> =
            seen.iter().filter_map(|seen| Some(seen.get("status")?.to_string())).collect();
        assert!(statuses.len() > 5, "{statuses:?}");
    }
}
