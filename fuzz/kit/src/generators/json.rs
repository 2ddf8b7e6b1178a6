//! JSON text: any, and documents that have given keys.

use arbitrary::{Result, Unstructured};

/// Most levels of what is drawn value by value; deeper ones are brackets alone.
const MAX_LEVELS: usize = 6;
/// Scalars as they are written, with what readers stumble over.
#[rustfmt::skip]
const SCALARS: [&str; 24] = [
    "null", "true", "false", "0", "-0", "1", "7", "1.5", "1e9", "1e999", "-1", "18446744073709551615", "18446744073709551616",
    "9007199254740993", "\"\"", "\"a\"", "\"\\u0000\"", "\"\\ud83d\\udcde\"", "\"\\r\\nX: y\"", "\"\\u001b[31m\"", "\"é\"",
    "\"[{,\\\"\"", "\"\u{202e}x\"", "\"%00\"",
];

/// A text as a JSON string.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Any JSON value, of a few levels; rarely of very many, or of very many values.
pub fn text(u: &mut Unstructured<'_>) -> Result<String> {
    match u.int_in_range(0..=63)? {
        0 => {
            let levels = u.int_in_range(50..=140)?;
            Ok(format!("{}1{}", "[".repeat(levels), "]".repeat(levels)))
        }
        1 => Ok(format!("[{}1]", "1,".repeat(u.int_in_range(9_900..=10_100)?))),
        _ => value(u, MAX_LEVELS, &[]),
    }
}

/// A value whose objects mostly have these names.
pub fn value(u: &mut Unstructured<'_>, levels: usize, names: &[&str]) -> Result<String> {
    let kind = if levels == 0 { 0 } else { u.int_in_range(0..=3)? };
    match kind {
        0 | 1 => Ok((*u.choose(&SCALARS)?).to_owned()),
        2 => {
            let items: Result<Vec<String>> = (0..u.int_in_range(0..=4)?).map(|_| value(u, levels - 1, names)).collect();
            Ok(format!("[{}]", items?.join(",")))
        }
        _ => {
            let mut fields = Vec::new();
            for _ in 0..u.int_in_range(0..=5)? {
                let name = if names.is_empty() || u.ratio(1, 8)? { "x" } else { *u.choose(names)? };
                fields.push(format!("{}:{}", quoted(name), value(u, levels - 1, names)?));
            }
            Ok(format!("{{{}}}", fields.join(",")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::stretch;

    #[test]
    fn what_is_drawn_is_json_and_of_many_kinds() {
        let mut found = std::collections::BTreeSet::new();
        for seed in 0..500 {
            let drawn = text(&mut Unstructured::new(&stretch(seed, 100))).expect("there is input");
            // 1e999 is JSON which serde_json takes for no number, and 128 levels are too many for it.
            let kept = drawn.contains("1e999") || drawn.starts_with("[[[[[[[[");
            assert!(kept || serde_json::from_str::<serde_json::Value>(&drawn).is_ok(), "{drawn}");
            found.insert(drawn);
        }
        assert!(found.len() > 150, "{}", found.len());
    }
}
