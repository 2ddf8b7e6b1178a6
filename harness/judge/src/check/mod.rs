//! Types of CEL expressions, found by walking the syntax tree, and the same tree with the catalogue's words written out.
//!
//! `cel` compiles any name and finds a missing field only when it gets there; a scenario would then be inconclusive for
//! ever by a slip of the pen. So every expression is typed when it is loaded. Words are written out in place of being
//! called: their terms then stay lazy, and a field that was not seen is named by the step that lacks it.

mod calls;
mod operators;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use cel::common::ast::{Expr, IdedExpr};
use cel::{Env, Program};

use crate::types::Ty;
use crate::words::Words;

/// Longest expression, in bytes.
pub(crate) const MAX_CEL_BYTES: usize = 4096;

/// The standard library of CEL, and its text functions.
pub(crate) static ENV: LazyLock<std::sync::Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    env.add_extension(cel::extensions::strings).expect("`cel` knows its own extension");
    std::sync::Arc::new(env)
});

/// What an expression may name.
#[derive(Clone, Default)]
pub(crate) struct Scope<'a> {
    /// Variables: steps, `target`, `policy`, and what a macro binds.
    pub variables: BTreeMap<String, Ty>,
    /// Names that stand for an expression: `it`, and the parameters of a word.
    pub stands_for: BTreeMap<String, (Ty, IdedExpr)>,
    /// Steps that exist and cannot be spoken of yet.
    pub later: BTreeSet<String>,
    /// The catalogue's words.
    pub words: Option<&'a Words>,
}

/// An expression that is sound.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub ty: Ty,
    /// The tree with words written out.
    pub expr: IdedExpr,
    /// The free variables in it.
    pub mentions: BTreeSet<String>,
    /// The words that it uses, those used by words included.
    pub words: BTreeSet<String>,
    /// The fields of `policy` that it reads.
    pub policy: BTreeSet<String>,
}

/// A mistake at a byte offset of an expression.
pub(crate) type Mistake = (usize, String);

/// Parses and types an expression.
pub(crate) fn check(text: &str, scope: &Scope<'_>) -> Result<Checked, Vec<Mistake>> {
    let program = parse(text)?;
    let mut walk = walk::Walk::new(scope, program.source_info());
    let (ty, expr) = walk.expr(program.expression());
    if !walk.mistakes.is_empty() {
        walk.mistakes.dedup();
        return Err(walk.mistakes);
    }
    let (mut mentions, mut policy) = (BTreeSet::new(), BTreeSet::new());
    free(&expr, &mut Vec::new(), &mut mentions, &mut policy);
    Ok(Checked { ty, expr, mentions, policy, words: walk.words_used })
}

/// Parses an expression.
pub(crate) fn parse(text: &str) -> Result<Program, Vec<Mistake>> {
    if text.len() > MAX_CEL_BYTES {
        return Err(vec![(0, format!("expression is longer than {MAX_CEL_BYTES} bytes"))]);
    }
    ENV.compile(text).map_err(|errors| {
        let mut mistakes: Vec<Mistake> =
            errors.errors.iter().map(|error| (byte_of(text, error.pos), plainly(&error.msg))).collect();
        // One slip makes the parser stumble several times; the first time tells most.
        mistakes.truncate(1);
        mistakes
    })
}

/// Byte offset of a line and column, both from 1, columns in characters.
fn byte_of(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(before..).unwrap_or_default();
    before + rest.char_indices().nth(column).map_or(rest.trim_end().len(), |(at, _)| at)
}

/// The parser's message without its list of every token that could have come.
fn plainly(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let message = message.split(" expecting {").next().unwrap_or(message);
    if message.contains("'<EOF>'") && message.starts_with("mismatched") {
        return "the expression ends too early".into();
    }
    format!("not CEL: {message}")
}

/// Free variables of a tree, and the fields of `policy` among them.
pub(crate) fn free(
    expr: &IdedExpr,
    bound: &mut Vec<String>,
    names: &mut BTreeSet<String>,
    policy: &mut BTreeSet<String>,
) {
    match &expr.expr {
        Expr::Ident(name) => {
            if !bound.contains(name) {
                names.insert(name.clone());
            }
        }
        Expr::Select(select) => {
            if let Expr::Ident(root) = &select.operand.expr
                && root == "policy"
            {
                policy.insert(select.field.clone());
            }
            free(&select.operand, bound, names, policy);
        }
        Expr::Call(call) => {
            for part in call.target.iter().map(|target| &**target).chain(&call.args) {
                free(part, bound, names, policy);
            }
        }
        Expr::List(list) => list.elements.iter().for_each(|element| free(element, bound, names, policy)),
        Expr::Comprehension(macros) => {
            free(&macros.iter_range, bound, names, policy);
            free(&macros.accu_init, bound, names, policy);
            bound.extend([macros.iter_var.clone(), macros.accu_var.clone()]);
            for part in [&macros.loop_cond, &macros.loop_step, &macros.result] {
                free(part, bound, names, policy);
            }
            bound.truncate(bound.len() - 2);
        }
        Expr::Literal(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {}
    }
}

#[cfg(test)]
mod tests;
