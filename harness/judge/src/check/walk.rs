//! The walk itself: names, fields, literals, macros. Operators and functions are typed beside it.

use std::collections::BTreeSet;

use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue, SelectExpr, SourceInfo, operators};

use super::{Mistake, Scope};
use crate::nearest::hint;
use crate::types::Ty;

/// How deep an expression may nest: evaluating takes stack for each level.
const MAX_DEPTH: usize = 64;

pub(super) struct Walk<'a> {
    pub scope: Scope<'a>,
    source: &'a SourceInfo,
    pub mistakes: Vec<Mistake>,
    pub words_used: BTreeSet<String>,
    /// How many nodes stand above this one.
    pub depth: usize,
    /// The words that are being written out, the outermost first.
    pub inside: Vec<String>,
}

impl<'a> Walk<'a> {
    pub fn new(scope: &Scope<'a>, source: &'a SourceInfo) -> Self {
        Self {
            scope: scope.clone(),
            source,
            mistakes: Vec::new(),
            words_used: BTreeSet::new(),
            depth: 0,
            inside: Vec::new(),
        }
    }

    pub fn offset(&self, id: u64) -> usize {
        self.source.offset_for(id).map_or(0, |(start, _)| start as usize)
    }

    /// Notes a mistake at a node. Types go on as [`Ty::Any`], so that one slip is reported once.
    pub fn wrong(&mut self, node: &IdedExpr, message: impl Into<String>) -> Ty {
        self.wrong_at(self.offset(node.id), message)
    }

    pub fn wrong_at(&mut self, at: usize, message: impl Into<String>) -> Ty {
        self.mistakes.push((at, message.into()));
        Ty::Any
    }

    /// The type of a node, and the node with words written out.
    pub fn expr(&mut self, node: &IdedExpr) -> (Ty, IdedExpr) {
        if self.depth >= MAX_DEPTH {
            return (self.wrong_at(0, format!("expression nests deeper than {MAX_DEPTH}")), IdedExpr::default());
        }
        self.depth += 1;
        let found = self.shallow(node);
        self.depth -= 1;
        found
    }

    fn shallow(&mut self, node: &IdedExpr) -> (Ty, IdedExpr) {
        let (ty, expr) = match &node.expr {
            Expr::Literal(literal) => (self.literal(node, literal), node.expr.clone()),
            Expr::Ident(name) => return self.ident(node, name),
            Expr::Select(select) => self.select(node, select),
            Expr::List(list) => self.list(node, list),
            Expr::Call(call) => return self.call(node, call),
            Expr::Comprehension(macros) => self.comprehension(node, macros),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                (self.wrong(node, "scenarios make no maps or structures"), node.expr.clone())
            }
        };
        (ty, IdedExpr { id: node.id, expr })
    }

    fn literal(&mut self, node: &IdedExpr, literal: &LiteralValue) -> Ty {
        match literal {
            LiteralValue::Boolean(_) => Ty::Bool,
            LiteralValue::Int(_) => Ty::Int,
            LiteralValue::Double(_) => Ty::Double,
            LiteralValue::String(_) => Ty::Text,
            LiteralValue::UInt(_) => self.wrong(node, "whole numbers are int; leave the `u` out"),
            LiteralValue::Null => self.wrong(node, "no field is ever null; ask `has(…)`"),
            LiteralValue::Bytes(_) => self.wrong(node, "no field holds bytes"),
        }
    }

    fn ident(&mut self, node: &IdedExpr, name: &str) -> (Ty, IdedExpr) {
        if let Some((ty, expr)) = self.scope.stands_for.get(name) {
            return (ty.clone(), expr.clone());
        }
        if let Some(ty) = self.scope.variables.get(name) {
            let name = if name.starts_with('@') { name.to_owned() } else { self.bound(name) };
            return (ty.clone(), IdedExpr { id: node.id, expr: Expr::Ident(name) });
        }
        let message = if self.scope.later.contains(name) {
            format!("step `{name}` comes later")
        } else if name == "it" {
            "`it` stands for a step only where `each` names some".to_owned()
        } else {
            let known = self.scope.variables.keys().chain(self.scope.stands_for.keys()).map(String::as_str);
            format!("unknown name `{name}`{}", hint(name, known.filter(|name| !name.starts_with('@'))))
        };
        (self.wrong(node, message), node.clone())
    }

    /// Inside a word the variables of its macros carry the word's name, so that they never catch a variable of the
    /// expression that stands for a parameter.
    fn bound(&self, name: &str) -> String {
        match self.inside.last() {
            Some(word) => format!("@{word}.{name}"),
            None => name.to_owned(),
        }
    }

    fn select(&mut self, node: &IdedExpr, select: &SelectExpr) -> (Ty, Expr) {
        let (of, operand) = self.expr(&select.operand);
        let field = &select.field;
        let ty = match &of {
            Ty::Object(object) => match object.fields.get(field) {
                Some(ty) => ty.clone(),
                None => {
                    let known = hint(field, object.fields.keys().map(String::as_str));
                    let at = self.field_offset(node, select);
                    self.wrong_at(at, format!("{of} has no `{field}`{known}"))
                }
            },
            Ty::Map(value) => (**value).clone(),
            Ty::Any => Ty::Any,
            Ty::List(_) => {
                let way = "all(x, …), exists(x, …), filter(x, …), map(x, …) or an index";
                self.wrong(node, format!("a list has no `{field}`; go through it by {way}"))
            }
            other => self.wrong(node, format!("{other} has no fields")),
        };
        let ty = if select.test { Ty::Bool } else { ty };
        (ty, Expr::Select(SelectExpr { operand: Box::new(operand), field: field.clone(), test: select.test }))
    }

    /// Where a field's name stands: `cel` tells the place of the dot before it, or of `has`.
    fn field_offset(&self, node: &IdedExpr, select: &SelectExpr) -> usize {
        let from = self.offset(if select.test { select.operand.id } else { node.id });
        let rest = self.source.source.get(from..).unwrap_or_default();
        // The dot of `has(a.b.c)` that counts is the one before `c`.
        rest.match_indices('.')
            .map(|(dot, _)| from + dot + 1)
            .find(|at| self.source.source.get(*at..).is_some_and(|rest| rest.trim_start().starts_with(&select.field)))
            .unwrap_or(from)
    }

    fn list(&mut self, node: &IdedExpr, list: &ListExpr) -> (Ty, Expr) {
        let mut of = Ty::Nothing;
        let mut elements = Vec::new();
        for element in &list.elements {
            let (ty, expr) = self.expr(element);
            of = match of.same(&ty) {
                Some(both) => both,
                None => self.wrong(element, format!("a list holds one type: {of} before, {ty} here")),
            };
            elements.push(expr);
        }
        if !list.optional_indices.is_empty() {
            self.wrong(node, "optional elements are not used here");
        }
        (Ty::list(of), Expr::List(ListExpr::new(elements)))
    }

    /// `all`, `exists`, `exists_one`, `map` and `filter`, which the parser has already written out.
    fn comprehension(&mut self, node: &IdedExpr, macros: &ComprehensionExpr) -> (Ty, Expr) {
        let (range, iter_range) = self.expr(&macros.iter_range);
        let element = match range {
            Ty::List(element) => *element,
            Ty::Map(_) => Ty::Text,
            Ty::Any => Ty::Any,
            other => self.wrong(node, format!("only a list can be gone through, not {other}")),
        };
        if self.scope.variables.contains_key(&macros.iter_var) || self.scope.stands_for.contains_key(&macros.iter_var) {
            self.wrong(node, format!("`{}` already has a meaning; take another name", macros.iter_var));
        }
        let (start, accu_init) = self.expr(&macros.accu_init);
        let outer = self.scope.variables.clone();
        self.scope.variables.insert(macros.iter_var.clone(), element);
        self.scope.variables.insert(macros.accu_var.clone(), start.clone());
        let (_, loop_cond) = self.expr(&macros.loop_cond);
        let (step, loop_step) = self.expr(&macros.loop_step);
        self.scope.variables.insert(macros.accu_var.clone(), start.same(&step).unwrap_or(Ty::Any));
        let (ty, result) = self.expr(&macros.result);
        let iter_var = self.bound(&macros.iter_var);
        self.scope.variables = outer;
        let whole = ComprehensionExpr {
            iter_range,
            iter_var,
            iter_var2: macros.iter_var2.clone(),
            accu_var: macros.accu_var.clone(),
            accu_init,
            loop_cond,
            loop_step,
            result,
        };
        (ty, Expr::Comprehension(Box::new(whole)))
    }
}

/// The texts written in a node: itself, or the elements of a list. They are held against closed lists of words.
pub(super) fn written(node: &IdedExpr) -> Vec<(&str, &IdedExpr)> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(text)) => vec![(text.inner(), node)],
        Expr::List(list) => list.elements.iter().flat_map(written).collect(),
        Expr::Call(call) if call.func_name == operators::CONDITIONAL => {
            call.args.iter().skip(1).flat_map(written).collect()
        }
        _ => Vec::new(),
    }
}
