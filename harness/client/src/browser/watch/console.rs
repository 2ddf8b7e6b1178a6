//! What the page writes into the console.

use serde_json::Value;

use super::{Command, Watch, plain};

/// Reads an object without running code of the page's: no getters, no `toJSON`.
pub(super) const PLAIN: &str = r#"function () {
  const seen = new Set();
  let left = 65536;
  const flat = (value, depth) => {
    if (left <= 0) return "";
    if (value === null || typeof value !== "object") {
      const text = typeof value === "function" ? "" : String(value).slice(0, left);
      left -= text.length;
      return text;
    }
    if (depth > 6 || seen.has(value)) return "";
    seen.add(value);
    return Object.entries(Object.getOwnPropertyDescriptors(value)).slice(0, 500)
      .map(([key, place]) => key + "=" + ("value" in place ? flat(place.value, depth + 1) : "")).join("\n");
  };
  return flat(this, 0);
}"#;

/// Objects of one console call that are read (house).
const MAX_OBJECTS: usize = 8;

impl Watch {
    pub(super) fn say(&mut self, text: String) {
        match self.console.take(text.len()) {
            true => self.record.console.push(text),
            false => self.is_full("console output"),
        }
    }

    pub(super) fn called(&mut self, session: &str, params: &Value) -> Vec<Command> {
        let arguments = params["args"].as_array().map(Vec::as_slice).unwrap_or_default();
        self.say(arguments.iter().map(shown).collect::<Vec<_>>().join(" "));
        let objects = arguments.iter().filter_map(|argument| argument["objectId"].as_str());
        objects.take(MAX_OBJECTS).map(|object| plain(session, object)).collect()
    }

    pub(super) fn thrown(&mut self, details: &Value) {
        let exception = details["exception"]["description"].as_str().or(details["exception"]["value"].as_str());
        self.say([details["text"].as_str(), exception].into_iter().flatten().collect::<Vec<_>>().join(" "));
    }

    pub(super) fn logged(&mut self, entry: &Value) {
        let parts = [entry["text"].as_str(), entry["url"].as_str()];
        self.say(parts.into_iter().flatten().collect::<Vec<_>>().join(" "));
    }
}

/// A value as the console shows it.
fn shown(argument: &Value) -> String {
    match (&argument["value"], argument["description"].as_str()) {
        (Value::String(text), _) => text.clone(),
        (Value::Null, Some(description)) => description.to_owned(),
        (value, _) => value.to_string(),
    }
}
