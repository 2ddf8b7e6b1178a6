//! Yes, no, and unknown.
//!
//! `cel` computes; what is added here is why a term is unknown. An error of `cel` names a key and no path, and of two
//! errors only one; so the connectives are walked here, each term goes to `cel`, and what a term lacks is named.

use std::collections::BTreeSet;
use std::sync::Arc;

use cel::common::ast::{Expr, IdedExpr, operators as op};
use cel::{Context, ExecutionError, Value as Cel};
use ringfence_model::known_certificates::known_certificate;

use crate::check::{Checked, ENV, free};
use crate::values::Variables;

/// Whether a condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// That cannot be said, and why.
    Unknown(Vec<Cause>),
}

/// Why a condition is unknown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A field that was not seen: `c.dtls.alert`.
    NotSeen(String),
    /// A step that was left out.
    NotAsked(String),
    /// It could not be computed, an index beyond a list's end, say: the expression's term.
    Failed(String),
}

impl Truth {
    /// Yes or no, if either is known.
    pub fn known(&self) -> Option<bool> {
        match self {
            Truth::True => Some(true),
            Truth::False => Some(false),
            Truth::Unknown(_) => None,
        }
    }

    /// Whether nothing but steps that were left out keeps it from being known.
    pub(crate) fn falls_away(&self) -> bool {
        matches!(self, Truth::Unknown(causes) if causes.iter().all(|cause| matches!(cause, Cause::NotAsked(_))))
    }

    fn not(self) -> Self {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            unknown => unknown,
        }
    }

    /// `&&` for `decides = False`, `||` for `decides = True`: the deciding value wins over unknown.
    fn join(self, decides: Truth, other: impl FnOnce() -> Truth) -> Truth {
        if self == decides {
            return decides;
        }
        match (self, other()) {
            (_, right) if right == decides => decides,
            (Truth::Unknown(mut causes), Truth::Unknown(more)) => {
                causes.extend(more);
                causes.sort();
                causes.dedup();
                Truth::Unknown(causes)
            }
            (unknown @ Truth::Unknown(_), _) | (_, unknown @ Truth::Unknown(_)) => unknown,
            (known, _) => known,
        }
    }
}

/// Whether a condition holds of what is known.
pub(crate) fn holds(condition: &Checked, variables: &Variables) -> Truth {
    truth(&condition.expr, &context(condition, variables), variables)
}

/// The value of an expression, or why there is none.
pub(crate) fn compute(checked: &Checked, variables: &Variables) -> Result<Cel, Vec<Cause>> {
    let context = context(checked, variables);
    value(&checked.expr, &context, variables)
}

fn context(checked: &Checked, variables: &Variables) -> Context<'static, 'static> {
    let mut context = Context::with_env(ENV.clone());
    for name in &checked.mentions {
        if let Some(value) = variables.values.get(name) {
            context.add_variable_from_value(name.clone(), value.clone());
        }
    }
    let functions = [
        context.add_function("distinct", distinct),
        context.add_function("at_least", at_least),
        context.add_function("listed", listed),
        context.add_function("default_of", default_of),
    ];
    for added in functions {
        debug_assert!(added.is_ok(), "no library of ours has these names");
    }
    context
}

fn truth(expr: &IdedExpr, context: &Context<'_, '_>, variables: &Variables) -> Truth {
    if let Expr::Call(call) = &expr.expr
        && call.target.is_none()
    {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (op::LOGICAL_AND, [a, b]) => {
                return truth(a, context, variables).join(Truth::False, || truth(b, context, variables));
            }
            (op::LOGICAL_OR, [a, b]) => {
                return truth(a, context, variables).join(Truth::True, || truth(b, context, variables));
            }
            (op::LOGICAL_NOT, [a]) => return truth(a, context, variables).not(),
            (op::CONDITIONAL, [asked, yes, no]) => {
                return match truth(asked, context, variables) {
                    Truth::True => truth(yes, context, variables),
                    Truth::False => truth(no, context, variables),
                    unknown => unknown,
                };
            }
            _ => {}
        }
    }
    match value(expr, context, variables) {
        Ok(Cel::Bool(true)) => Truth::True,
        Ok(Cel::Bool(false)) => Truth::False,
        Ok(_) => Truth::Unknown(vec![Cause::Failed(render(expr))]),
        Err(causes) => Truth::Unknown(causes),
    }
}

fn value(expr: &IdedExpr, context: &Context<'_, '_>, variables: &Variables) -> Result<Cel, Vec<Cause>> {
    Cel::resolve(expr, context).map_err(|error| {
        let mut names = BTreeSet::new();
        free(expr, &mut Vec::new(), &mut names, &mut BTreeSet::new());
        let left_out: Vec<Cause> = names.intersection(&variables.not_asked).cloned().map(Cause::NotAsked).collect();
        if !left_out.is_empty() {
            return left_out;
        }
        let key = if let ExecutionError::NoSuchKey(key) = &error { Some(key.as_str()) } else { None };
        let path = not_seen(expr, key, context, &mut Vec::new());
        vec![path.map_or_else(|| Cause::Failed(render(expr)), Cause::NotSeen)]
    })
}

/// The path of the field that a term reads and nothing has. Inside a macro, where elements have no name of their own,
/// it is the first path that ends in the missing key.
fn not_seen(
    expr: &IdedExpr,
    key: Option<&str>,
    context: &Context<'_, '_>,
    bound: &mut Vec<(String, String)>,
) -> Option<String> {
    match &expr.expr {
        Expr::Ident(name) => {
            let is_bound = name.starts_with('@') || bound.iter().any(|(variable, _)| variable == name);
            (!is_bound && context.get_variable(name).is_none()).then(|| name.clone())
        }
        Expr::Select(select) => not_seen(&select.operand, key, context, bound).or_else(|| {
            let path = format!("{}.{}", path_of(&select.operand, bound), select.field);
            let missing = if bound.iter().any(|(_, stands_for)| path.starts_with(stands_for.as_str())) {
                key == Some(select.field.as_str())
            } else {
                !select.test && Cel::resolve(expr, context).is_err()
            };
            missing.then_some(path)
        }),
        Expr::Call(call) => call
            .target
            .iter()
            .map(|target| &**target)
            .chain(&call.args)
            .find_map(|part| not_seen(part, key, context, bound))
            .or_else(|| {
                let beyond = call.func_name == op::INDEX && bound.is_empty() && Cel::resolve(expr, context).is_err();
                beyond.then(|| path_of(expr, bound))
            }),
        Expr::List(list) => list.elements.iter().find_map(|element| not_seen(element, key, context, bound)),
        Expr::Comprehension(macros) => not_seen(&macros.iter_range, key, context, bound).or_else(|| {
            bound.push((macros.iter_var.clone(), format!("{}[]", path_of(&macros.iter_range, bound))));
            let inside = not_seen(&macros.loop_step, key, context, bound);
            bound.pop();
            inside
        }),
        _ => None,
    }
}

fn path_of(expr: &IdedExpr, bound: &[(String, String)]) -> String {
    match &expr.expr {
        Expr::Ident(name) => bound
            .iter()
            .rev()
            .find(|(variable, _)| variable == name)
            .map_or_else(|| name.clone(), |(_, path)| path.clone()),
        Expr::Select(select) => format!("{}.{}", path_of(&select.operand, bound), select.field),
        Expr::Call(call) if call.func_name == op::INDEX => match call.args.as_slice() {
            [list, index] => format!("{}[{}]", path_of(list, bound), render(index)),
            _ => "…".into(),
        },
        Expr::Comprehension(macros) => path_of(&macros.iter_range, bound),
        _ => "…".into(),
    }
}

/// A term in short, for a reason.
fn render(expr: &IdedExpr) -> String {
    match &expr.expr {
        Expr::Literal(cel::common::ast::LiteralValue::Int(number)) => number.inner().to_string(),
        Expr::Call(call) if call.func_name != op::INDEX => {
            let name = call.func_name.trim_matches('_');
            let parts = call.target.iter().map(|target| &**target).chain(&call.args);
            format!("{name}({})", parts.map(render).collect::<Vec<_>>().join(", "))
        }
        _ => path_of(expr, &[]),
    }
}

/// No two elements are equal.
fn distinct(list: Arc<Vec<Cel>>) -> bool {
    list.iter().enumerate().all(|(at, one)| !list.iter().skip(at + 1).any(|other| one == other))
}

/// Whether a version such as `1.2` is another one or later. `ssl2` and `ssl3` come before all numbers.
fn at_least(version: Arc<String>, least: Arc<String>) -> Result<bool, ExecutionError> {
    let numbers = |text: &str| -> Result<Vec<u64>, ExecutionError> {
        if let "ssl2" | "ssl3" = text {
            return Ok(vec![0, u64::from(text == "ssl3")]);
        }
        let unreadable = || ExecutionError::function_error("at_least", "a version is numbers with dots between");
        text.split('.').map(|part| part.parse().map_err(|_| unreadable())).collect()
    };
    let (mut a, mut b) = (numbers(&version)?, numbers(&least)?);
    let length = a.len().max(b.len());
    a.resize(length, 0);
    b.resize(length, 0);
    Ok(a >= b)
}

/// Whether a text is an entry of a policy's list: `*` stands for any run of characters, and case counts for nothing.
fn listed(text: Arc<String>, list: Arc<Vec<Cel>>) -> bool {
    let text = text.to_ascii_lowercase();
    list.iter().any(|entry| matches!(entry, Cel::String(entry) if stands_for(&entry.to_ascii_lowercase(), &text)))
}

/// What ships the certificate with this SHA-256 together with its key; empty where nothing that we know does.
fn default_of(sha256: Arc<String>) -> String {
    known_certificate(&sha256).unwrap_or_default().to_owned()
}

/// Whether a pattern, in which `*` stands for any run of characters, stands for a text of the same letter case.
pub(crate) fn stands_for(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    // Each piece as early as can be leaves the most for those that follow.
    for piece in pieces {
        match left.split_once(piece) {
            Some((_, behind)) => left = behind,
            None => return false,
        }
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests;
