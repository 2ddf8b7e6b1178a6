//! The catalogue's words: short functions in CEL of their arguments and the policy, each with the types that it takes and a
//! line of meaning.
//!
//! One name may have several readings, told apart by what they are given: `refused` means one thing of an HTTP answer
//! and another of a SIP one.

use std::collections::BTreeMap;
use std::fmt;

use cel::Program;
use cel::common::ast::{Expr, IdedExpr};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::DeTable;

use crate::LoadError;
use crate::check::{Scope, check, parse};
use crate::nearest::hint;
use crate::shape;
use crate::source::{Problem, Source};
use crate::types::Ty;
use crate::vocabulary::Known;

/// What every word may read besides its parameters.
pub(crate) const POLICY: &str = "policy";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WordsFile {
    #[serde(default)]
    word: Vec<WordEntry>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WordEntry {
    name: String,
    args: Vec<String>,
    means: String,
    cel: String,
}

/// All words.
#[derive(Default)]
pub(crate) struct Words(BTreeMap<String, Vec<Word>>);

/// One reading of a word.
pub(crate) struct Word {
    name: String,
    parameters: Vec<Parameter>,
    pub means: String,
    pub program: Program,
}

struct Parameter {
    name: String,
    /// As written, for messages.
    text: String,
    types: Vec<ParameterType>,
}

#[derive(Clone, PartialEq)]
enum ParameterType {
    Probe(String),
    /// Any observation; only the common fields can be read.
    AnyProbe,
    Plain(Ty),
}

impl Words {
    /// Reads the file of words and checks each for every type that it takes.
    pub fn load(source: Source<'_>, known: &Known) -> Result<Self, Vec<LoadError>> {
        read(source, known).map_err(|problems| problems.into_iter().map(|problem| source.place(problem)).collect())
    }

    /// The readings of a word; none if there is no such word.
    pub fn readings(&self, name: &str) -> &[Word] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Names of all words.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn read(source: Source<'_>, known: &Known) -> Result<Words, Vec<Problem>> {
    let broken = |error: toml::de::Error| {
        vec![Problem::new(error.span().map_or(0, |span| span.start), error.message().trim().to_owned())]
    };
    let tree = DeTable::parse(source.text).map_err(broken)?;
    let schema = schemars::schema_for!(WordsFile);
    let shape = shape::table(schema.as_value(), 0, tree.get_ref(), "", false);
    if !shape.problems.is_empty() {
        return Err(shape.problems);
    }
    let file: WordsFile = toml::from_str(source.text).map_err(broken)?;
    let nodes = tree.get_ref().get("word").and_then(|list| list.get_ref().as_array());
    let mut words = Words::default();
    let mut bodies = Vec::new();
    let mut problems = Vec::new();
    for (index, entry) in file.word.into_iter().enumerate() {
        let at = |key: &str| {
            let node = nodes.and_then(|all| all.get(index)).and_then(|node| node.get_ref().as_table()?.get(key));
            node.map_or(0..0, |node| node.span())
        };
        let cel_at = at("cel");
        let parameters = parameters(&entry.args, known).map_err(|message| Problem::new(at("args").start, message));
        let program = parse(&entry.cel).map_err(|mistakes| {
            let (at, message) = mistakes.into_iter().next().unwrap_or_default();
            Problem::new(source.inside(cel_at.clone(), at), message)
        });
        match (parameters, program) {
            (Ok(parameters), Ok(program)) => {
                let word = Word { name: entry.name.clone(), parameters, means: entry.means, program };
                let readings = words.0.entry(entry.name.clone()).or_default();
                if readings.iter().any(|other| other.overlaps(&word)) {
                    problems.push(Problem::new(
                        at("args").start,
                        format!("`{}` has two readings for one type", entry.name),
                    ));
                }
                bodies.push((entry.name, readings.len(), entry.cel, cel_at));
                readings.push(word);
            }
            (parameters, program) => problems.extend([parameters.err(), program.err()].into_iter().flatten()),
        }
    }
    for (name, reading, cel, span) in &bodies {
        let Some(word) = words.readings(name).get(*reading) else { continue };
        problems.extend(
            check_body(&words, word, cel, known)
                .into_iter()
                .map(|(at, message)| Problem::new(source.inside(span.clone(), at), message)),
        );
    }
    problems.sort_by_key(|problem| problem.at);
    if problems.is_empty() { Ok(words) } else { Err(problems) }
}

/// Types the body once for each combination of what the parameters may be.
fn check_body(words: &Words, word: &Word, cel: &str, known: &Known) -> Vec<(usize, String)> {
    let policy = IdedExpr { id: 0, expr: Expr::Ident(POLICY.into()) };
    let mut combinations = vec![BTreeMap::from([(POLICY.to_owned(), (known.policy.clone(), policy))])];
    for parameter in &word.parameters {
        combinations = combinations
            .into_iter()
            .flat_map(|before| {
                parameter.types.iter().map(move |ty| {
                    let mut with = before.clone();
                    let itself = IdedExpr { id: 0, expr: Expr::Ident(parameter.name.clone()) };
                    with.insert(parameter.name.clone(), (ty.in_cel(known), itself));
                    with
                })
            })
            .collect();
    }
    let mut mistakes = Vec::new();
    for stands_for in combinations {
        let scope = Scope { stands_for, words: Some(words), ..Scope::default() };
        match check(cel, &scope) {
            Ok(checked) if !checked.ty.is(&Ty::Bool) => {
                mistakes.push((0, format!("a word says yes or no, not {}", checked.ty)))
            }
            Ok(checked) if checked.words.contains(&word.name) => {
                mistakes.push((0, format!("word `{}` uses itself", word.name)))
            }
            Ok(_) => {}
            Err(found) => mistakes.extend(found),
        }
    }
    mistakes.dedup();
    mistakes
}

fn parameters(args: &[String], known: &Known) -> Result<Vec<Parameter>, String> {
    args.iter().map(|text| parameter(text, known)).collect()
}

fn parameter(text: &str, known: &Known) -> Result<Parameter, String> {
    let Some((name, types)) = text.split_once(':') else {
        return Err(format!("`{text}` must be a name, a colon and types: `c: call`"));
    };
    let types = types.split('|').map(|word| parameter_type(word.trim(), known)).collect::<Result<_, _>>()?;
    Ok(Parameter { name: name.trim().to_owned(), text: text.to_owned(), types })
}

fn parameter_type(word: &str, known: &Known) -> Result<ParameterType, String> {
    Ok(match word {
        "any" => ParameterType::AnyProbe,
        "int" => ParameterType::Plain(Ty::Int),
        "double" => ParameterType::Plain(Ty::Double),
        "bool" => ParameterType::Plain(Ty::Bool),
        "text" => ParameterType::Plain(Ty::Text),
        probe if known.seen.contains_key(probe) => ParameterType::Probe(probe.to_owned()),
        other => {
            let plain = ["any", "int", "double", "bool", "text"];
            return Err(format!("unknown type `{other}`{}", hint(other, known.probes().chain(plain))));
        }
    })
}

impl ParameterType {
    fn in_cel(&self, known: &Known) -> Ty {
        match self {
            Self::Probe(name) => known.seen.get(name).cloned().unwrap_or(Ty::Any),
            Self::AnyProbe => known.common.clone(),
            Self::Plain(ty) => ty.clone(),
        }
    }

    fn takes(&self, ty: &Ty) -> bool {
        match (self, ty) {
            (_, Ty::Any) => true,
            (Self::Probe(name), Ty::Object(object)) => &object.name == name,
            // Fields of groups are called `probe.group`; `any` takes whole observations.
            (Self::AnyProbe, Ty::Object(object)) => {
                !object.name.contains('.') && object.name != "target" && object.name != "policy"
            }
            (Self::Plain(Ty::Text), ty) => ty.is_text(),
            (Self::Plain(wanted), ty) => ty == wanted,
            _ => false,
        }
    }
}

impl Word {
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|parameter| parameter.name.as_str())
    }

    /// Whether this reading is for arguments of these types.
    pub fn takes(&self, types: &[&Ty]) -> bool {
        types.len() == self.parameters.len()
            && self.parameters.iter().zip(types).all(|(parameter, ty)| parameter.types.iter().any(|one| one.takes(ty)))
    }

    fn overlaps(&self, other: &Word) -> bool {
        self.parameters.len() == other.parameters.len()
            && self.parameters.iter().zip(&other.parameters).all(|(a, b)| a.types.iter().any(|ty| b.types.contains(ty)))
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters: Vec<&str> = self.parameters.iter().map(|parameter| parameter.text.as_str()).collect();
        write!(f, "{}({})", self.name, parameters.join(", "))
    }
}
