//! Policies: files that extend each other, resolved to plain values.

mod rank;

use std::collections::{BTreeMap, BTreeSet};

use ringfence_model::policy::Policy;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use rank::{ListOf, rank};

use crate::LoadError;
use crate::nearest::hint;
use crate::shape;
use crate::source::{Problem, Source};

/// How many parents a policy may have above it.
const MAX_DEPTH: usize = 2;

/// All policies, by name.
#[derive(Clone, Debug, Default)]
pub struct Policies(BTreeMap<String, Policy>);

struct File<'a> {
    source: Source<'a>,
    tree: Spanned<DeTable<'a>>,
    own: toml::Table,
    extends: Option<String>,
}

impl Policies {
    /// Reads policies from `(name, text)`: the name is the file's without `.toml`. A file `extends` one other; a key
    /// that is present takes the place of the parent's, lists never merge.
    ///
    /// # Errors
    /// Every unknown key or parent, missing key, wrong type, and a chain that goes in a circle or too deep.
    pub fn load(files: &[(&str, &str)]) -> Result<Self, Vec<LoadError>> {
        let mut read = BTreeMap::new();
        let mut errors = Vec::new();
        for (name, text) in files {
            let source = Source { file: name, text };
            match parse(source) {
                Ok(file) => drop(read.insert(*name, file)),
                Err(problems) => errors.extend(problems.into_iter().map(|problem| source.place(problem))),
            }
        }
        let mut policies = BTreeMap::new();
        for (name, file) in &read {
            match resolve(name, file, &read) {
                Ok(policy) => drop(policies.insert((*name).to_owned(), policy)),
                // A parent that could not be read has been reported already.
                Err(_)
                    if files.iter().any(|(other, _)| Some(*other) == file.extends.as_deref()) && !errors.is_empty() => {
                }
                Err(problem) => errors.push(file.source.place(problem)),
            }
        }
        if errors.is_empty() { Ok(Self(policies)) } else { Err(errors) }
    }

    /// The policy of that name.
    pub fn get(&self, name: &str) -> Option<&Policy> {
        self.0.get(name)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn parse(source: Source<'_>) -> Result<File<'_>, Vec<Problem>> {
    let broken = |error: toml::de::Error| {
        vec![Problem::new(error.span().map_or(0, |span| span.start), error.message().trim().to_owned())]
    };
    let tree = DeTable::parse(source.text).map_err(broken)?;
    let mut schema = schemars::schema_for!(Policy).to_value();
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.insert("extends".into(), serde_json::json!({ "type": "string" }));
        properties.remove("name");
    }
    let extends = tree.get_ref().get("extends").and_then(|node| node.get_ref().as_str()).map(str::to_owned);
    // What extends nothing must say everything; what extends says at least its title.
    let shape = shape::table(&schema, 0, tree.get_ref(), "", extends.is_some());
    let mut problems = shape.problems;
    if extends.is_some() && !tree.get_ref().contains_key("title") {
        problems.push(Problem::new(0, "`title` is missing"));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut own: toml::Table = toml::from_str(source.text).map_err(broken)?;
    own.remove("extends");
    Ok(File { source, tree, own, extends })
}

fn resolve(name: &str, file: &File<'_>, files: &BTreeMap<&str, File<'_>>) -> Result<Policy, Problem> {
    let at = file.tree.get_ref().get("extends").map_or(0, |node: &Spanned<DeValue<'_>>| node.span().start);
    let mut chain = vec![file];
    let mut visited = BTreeSet::from([name]);
    while let Some(parent) = chain.last().and_then(|file| file.extends.as_deref()) {
        let Some(file) = files.get(parent) else {
            return Err(Problem::new(at, format!("unknown policy `{parent}`{}", hint(parent, files.keys().copied()))));
        };
        if !visited.insert(parent) {
            return Err(Problem::new(at, format!("policy `{parent}` extends itself")));
        }
        if chain.len() > MAX_DEPTH {
            return Err(Problem::new(at, format!("more than {MAX_DEPTH} policies stand above this one")));
        }
        chain.push(file);
    }
    let mut whole = toml::Table::new();
    for file in chain.into_iter().rev() {
        whole.extend(file.own.clone());
    }
    whole.insert("name".into(), name.into());
    whole.try_into().map_err(|error: toml::de::Error| Problem::new(0, error.message().to_owned()))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::empty;
