//! Text that the target chose: bounded when it arrives, and a type of its own until an output escapes it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Bytes of target text that evidence keeps per item; the rest is counted, not kept (house limit).
pub const KEPT_BYTES: usize = 4096;

/// Text from the target. It has no `Display`: an output takes it through its own escaper, by way of [`Untrusted::raw`],
/// or shows [`Untrusted::visible`]. In JSON it is an ordinary string, since JSON's own escaping is the escaper there.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Takes text over, cut at [`KEPT_BYTES`] with a mark that says how much is missing.
    pub fn new(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        if text.len() <= KEPT_BYTES {
            return Self(text.to_owned());
        }
        let mut end = KEPT_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(format!("{} [{} bytes omitted]", &text[..end], text.len() - end))
    }

    /// Takes bytes over; what is not UTF-8 becomes U+FFFD.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::new(String::from_utf8_lossy(&bytes[..bytes.len().min(KEPT_BYTES * 2)]))
    }

    /// The text as it came, for comparing and for an output's own escaper.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The text with everything made visible that could move a cursor, turn the writing direction or hide.
    pub fn visible(&self) -> String {
        self.0.chars().fold(String::with_capacity(self.0.len()), |mut out, c| {
            if is_inert(c) {
                out.push(c)
            } else {
                out.extend(c.escape_unicode())
            }
            out
        })
    }
}

/// JSON text of the same value in which nothing acts on a terminal or a page: `<` and every character that is not inert
/// become `\\u` escapes. Outside strings JSON has no such character but the line end, which stays.
pub fn inert_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut units = [0; 2];
    for c in json.chars() {
        if c == '\n' || (c != '<' && is_inert(c)) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                out += &format!("\\u{unit:04x}");
            }
        }
    }
    out
}

/// Whether a character can be shown as it is: no control, no direction override, no zero-width or line separator.
pub fn is_inert(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.visible())
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl JsonSchema for Untrusted {
    fn schema_name() -> Cow<'static, str> {
        "Untrusted".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_direction_marks_become_visible() {
        let text = Untrusted::new("a\u{1b}[31m\u{202e}b\u{9b}\nc");
        assert_eq!(text.visible(), "a\\u{1b}[31m\\u{202e}b\\u{9b}\\u{a}c");
    }

    #[test]
    fn long_text_is_cut_on_a_character() {
        let text = Untrusted::new("é".repeat(KEPT_BYTES));
        assert!(text.raw().len() < KEPT_BYTES + 40);
        assert!(text.raw().ends_with("bytes omitted]"));
    }

    #[test]
    fn inert_json_keeps_its_value_and_loses_what_acts() {
        let value = "\u{1b}[31m\u{9b}\u{202e}\u{feff}\u{e0041}</script><!-- ü 🙂";
        let text = inert_json(&serde_json::to_string(value).unwrap());
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
        assert!(!text.contains(['<', '\u{9b}', '\u{202e}', '\u{feff}', '\u{e0041}', '\u{1b}']), "{text}");
        assert!(text.ends_with("ü 🙂\""), "what is harmless stays legible: {text}");
    }
}
