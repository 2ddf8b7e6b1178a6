//! Small TOML files of a known form: each mistake with its place, and with what was probably meant.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use crate::shape;
use crate::source::{Problem, Source};

/// Largest file, in bytes: ten thousand entries and more (house).
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The schema of a value whose form the reader itself looks at: dates, which JSON Schema does not know.
pub(crate) fn any(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({})
}

/// A file's content, and where its parts stand.
pub(crate) struct Read<'a, T> {
    /// The content.
    pub content: T,
    tree: DeTable<'a>,
}

/// Reads a file and holds it against the form of `T`.
pub(crate) fn read<'a, T: DeserializeOwned + JsonSchema>(source: Source<'a>) -> Result<Read<'a, T>, Vec<Problem>> {
    if source.text.len() > MAX_BYTES {
        return Err(vec![Problem::new(0, format!("file is larger than {MAX_BYTES} bytes"))]);
    }
    let broken = |error: toml::de::Error| {
        vec![Problem::new(error.span().map_or(0, |span| span.start), error.message().trim().to_owned())]
    };
    let tree = DeTable::parse(source.text).map_err(broken)?.into_inner();
    let shape = shape::table(&schemars::schema_for!(T).to_value(), 0, &tree, "", false);
    if !shape.problems.is_empty() {
        return Err(shape.problems);
    }
    let content = toml::from_str(source.text).map_err(broken)?;
    Ok(Read { content, tree })
}

impl<T> Read<'_, T> {
    /// Where a key of the top stands.
    pub fn key(&self, key: &str) -> usize {
        self.tree.get(key).map_or(0, |node| node.span().start)
    }

    /// Where a key of the n-th entry of a list of tables stands.
    pub fn entry(&self, list: &str, index: usize, key: &str) -> usize {
        let Some(DeValue::Array(entries)) = self.tree.get(list).map(|node| node.get_ref()) else { return 0 };
        let Some(DeValue::Table(entry)) = entries.get(index).map(|node| node.get_ref()) else { return 0 };
        entry.get(key).map_or(0, |node| node.span().start)
    }
}
