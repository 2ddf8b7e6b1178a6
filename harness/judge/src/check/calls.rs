//! Types of functions, and the catalogue's words written out.

use std::collections::BTreeMap;

use cel::common::ast::{CallExpr, Expr, IdedExpr};

use super::Scope;
use super::walk::Walk;
use crate::nearest::hint;
use crate::types::Ty;
use crate::words::POLICY;

/// How deep words may use words.
const MAX_WORDS_DEEP: usize = 8;

/// Functions that are no words, for messages.
const FUNCTIONS: [&str; 5] = ["size", "distinct", "at_least", "listed", "default_of"];
/// Functions called behind a value, and how many arguments they take besides.
const METHODS: [(&str, usize); 5] =
    [("size", 0), ("contains", 1), ("startsWith", 1), ("endsWith", 1), ("lowerAscii", 0)];
/// What the parser writes out when it is called behind a list with a name and a condition.
const MACROS: [&str; 5] = ["all", "exists", "exists_one", "map", "filter"];

impl Walk<'_> {
    /// `value.function(…)`.
    pub fn method(&mut self, node: &IdedExpr, call: &CallExpr) -> (Ty, IdedExpr) {
        let Some(receiver) = &call.target else { return (Ty::Any, node.clone()) };
        let (on, target) = self.expr(receiver);
        let name = call.func_name.as_str();
        let Some((_, count)) = METHODS.iter().find(|(method, _)| *method == name) else {
            let message = if MACROS.contains(&name) {
                format!("`{name}` needs a name and an expression: list.{name}(x, …)")
            } else {
                let known = METHODS.iter().map(|(method, _)| *method).chain(MACROS);
                format!("unknown function `{name}` behind a value{}", hint(name, known))
            };
            return (self.wrong(node, message), node.clone());
        };
        let (types, args): (Vec<Ty>, Vec<IdedExpr>) = call.args.iter().map(|arg| self.expr(arg)).unzip();
        let ty = match name {
            _ if *count != args.len() => {
                let arguments = if *count == 1 { "argument" } else { "arguments" };
                self.wrong(node, format!("`{name}` takes {count} {arguments}, not {}", args.len()))
            }
            "size" => self.sized(node, &on),
            _ => {
                self.want(&on, &Ty::Text, receiver, &format!("what stands before `.{name}`"));
                if let (Some(ty), Some(arg)) = (types.first(), call.args.first()) {
                    self.want(ty, &Ty::Text, arg, &format!("the argument of `{name}`"));
                }
                if *count == 0 { Ty::Text } else { Ty::Bool }
            }
        };
        let expr = Expr::Call(CallExpr { func_name: call.func_name.clone(), target: Some(Box::new(target)), args });
        (ty, IdedExpr { id: node.id, expr })
    }

    /// `function(…)` or `word(…)`.
    pub fn function(&mut self, node: &IdedExpr, call: &CallExpr) -> (Ty, IdedExpr) {
        let name = call.func_name.as_str();
        let given: Vec<(Ty, IdedExpr)> = call.args.iter().map(|arg| self.expr(arg)).collect();
        let ty = match (name, given.as_slice()) {
            ("size", [(ty, _)]) => self.sized(node, ty),
            ("distinct", [(Ty::List(_) | Ty::Any, _)]) => Ty::Bool,
            ("distinct", [(ty, _)]) => self.wrong(node, format!("`distinct` takes a list, not {ty}")),
            ("at_least", [(a, _), (b, _)]) => {
                for (ty, arg) in [a, b].into_iter().zip(&call.args) {
                    self.want(ty, &Ty::Text, arg, "a version for `at_least`");
                }
                Ty::Bool
            }
            ("listed", [(text, _), (list, _)]) => {
                for ((ty, wanted), arg) in [(text, &Ty::Text), (list, &Ty::list(Ty::Text))].into_iter().zip(&call.args)
                {
                    self.want(ty, wanted, arg, "an argument of `listed`");
                }
                Ty::Bool
            }
            ("default_of", [(ty, _)]) => {
                if let Some(arg) = call.args.first() {
                    self.want(ty, &Ty::Text, arg, "the argument of `default_of`");
                }
                Ty::Text
            }
            ("size" | "distinct" | "default_of", given) => {
                self.wrong(node, format!("`{name}` takes 1 argument, not {}", given.len()))
            }
            ("at_least" | "listed", given) => {
                self.wrong(node, format!("`{name}` takes 2 arguments, not {}", given.len()))
            }
            _ => return self.word(node, name, given),
        };
        let args = given.into_iter().map(|(_, expr)| expr).collect();
        (ty, IdedExpr { id: node.id, expr: Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args }) })
    }

    fn sized(&mut self, node: &IdedExpr, ty: &Ty) -> Ty {
        if !matches!(ty, Ty::List(_) | Ty::Map(_) | Ty::Text | Ty::Word(_) | Ty::Any) {
            self.wrong(node, format!("`size` takes a list or text, not {ty}"));
        }
        Ty::Int
    }

    /// A word of the catalogue: the reading that fits the arguments, with these in the place of its parameters.
    fn word(&mut self, node: &IdedExpr, name: &str, given: Vec<(Ty, IdedExpr)>) -> (Ty, IdedExpr) {
        let readings = self.scope.words.map_or(&[][..], |words| words.readings(name));
        let types: Vec<&Ty> = given.iter().map(|(ty, _)| ty).collect();
        let Some(word) = readings.iter().find(|word| word.takes(&types)) else {
            let message = match readings {
                [] => {
                    let words = self.scope.words.into_iter().flat_map(|words| words.names());
                    format!("unknown function `{name}`{}", hint(name, words.chain(FUNCTIONS)))
                }
                _ => {
                    let forms: Vec<String> = readings.iter().map(ToString::to_string).collect();
                    let found: Vec<String> = types.iter().map(ToString::to_string).collect();
                    format!("{} does not take ({})", forms.join(" or "), found.join(", "))
                }
            };
            return (self.wrong(node, message), node.clone());
        };
        if self.inside.len() >= MAX_WORDS_DEEP || self.inside.iter().any(|outer| outer == name) {
            return (self.wrong(node, format!("word `{name}` uses itself")), node.clone());
        }
        self.words_used.insert(name.to_owned());
        let policy = self.scope.stands_for.get(POLICY).cloned().or_else(|| {
            let itself = IdedExpr { id: node.id, expr: Expr::Ident(POLICY.to_owned()) };
            self.scope.variables.get(POLICY).map(|ty| (ty.clone(), itself))
        });
        let policy = policy.map(|policy| (POLICY.to_owned(), policy));
        let parameters = word.parameters().map(str::to_owned).zip(given);
        let stands_for: BTreeMap<_, _> = policy.into_iter().chain(parameters).collect();
        let scope = Scope { stands_for, words: self.scope.words, ..Scope::default() };
        let mut body = Walk::new(&scope, word.program.source_info());
        body.depth = self.depth;
        body.inside = self.inside.iter().cloned().chain([name.to_owned()]).collect();
        let (ty, expr) = body.expr(word.program.expression());
        self.words_used.append(&mut body.words_used);
        let at = self.offset(node.id);
        self.mistakes
            .extend(body.mistakes.into_iter().map(|(_, message)| (at, format!("in word `{name}`: {message}"))));
        (ty, expr)
    }
}
