//! Types of CEL's operators. Where CEL itself would go on with a surprise (`1 == 1.0`, `"1.10" < "1.9"`), this refuses.

use cel::common::ast::{CallExpr, Expr, IdedExpr, operators as op};

use super::walk::{Walk, written};
use crate::nearest::hint;
use crate::types::Ty;

impl Walk<'_> {
    /// A call of an operator, a function or a word.
    pub fn call(&mut self, node: &IdedExpr, call: &CallExpr) -> (Ty, IdedExpr) {
        if call.target.is_some() {
            return self.method(node, call);
        }
        if !is_operator(&call.func_name) {
            return self.function(node, call);
        }
        let (types, args): (Vec<Ty>, Vec<IdedExpr>) = call.args.iter().map(|arg| self.expr(arg)).unzip();
        let ty = match (types.as_slice(), call.args.as_slice()) {
            ([a, b], [left, right]) => self.binary(node, &call.func_name, (a, left), (b, right)),
            ([a], [arg]) => self.unary(node, &call.func_name, a, arg),
            ([condition, yes, no], [asked, ..]) => {
                self.want(condition, &Ty::Bool, asked, "the condition before `?`");
                match yes.same(no) {
                    Some(both) => both,
                    None => self.wrong(node, format!("both sides of `:` must agree: {yes} and {no}")),
                }
            }
            _ => self.wrong(node, "not an operator of CEL"),
        };
        let expr = Expr::Call(CallExpr { func_name: call.func_name.clone(), target: None, args });
        (ty, IdedExpr { id: node.id, expr })
    }

    fn unary(&mut self, node: &IdedExpr, name: &str, ty: &Ty, arg: &IdedExpr) -> Ty {
        match name {
            op::LOGICAL_NOT => self.want(ty, &Ty::Bool, arg, "what stands behind `!`"),
            op::NOT_STRICTLY_FALSE => Ty::Bool,
            op::NEGATE if matches!(ty, Ty::Int | Ty::Double | Ty::Any) => ty.clone(),
            _ => self.wrong(node, format!("`-` needs a number, not {ty}")),
        }
    }

    fn binary(&mut self, node: &IdedExpr, name: &str, left: (&Ty, &IdedExpr), right: (&Ty, &IdedExpr)) -> Ty {
        let (a, b) = (left.0, right.0);
        match name {
            op::LOGICAL_AND | op::LOGICAL_OR => {
                let sign = if name == op::LOGICAL_AND { "&&" } else { "||" };
                self.want(a, &Ty::Bool, left.1, &format!("the left side of `{sign}`"));
                self.want(b, &Ty::Bool, right.1, &format!("the right side of `{sign}`"));
                Ty::Bool
            }
            op::EQUALS | op::NOT_EQUALS => {
                self.comparable(node, a, b);
                self.listed(a, right.1);
                self.listed(b, left.1);
                Ty::Bool
            }
            op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS => self.ordered(node, a, b),
            op::IN => {
                match b {
                    Ty::List(element) => self.comparable(node, a, element),
                    Ty::Map(_) if a.is_text() => {}
                    Ty::Any => {}
                    _ => drop(self.wrong(node, format!("`in` needs a list on its right, not {b}"))),
                }
                self.listed(a, right.1);
                if let Ty::List(element) = b {
                    self.listed(element, left.1);
                }
                Ty::Bool
            }
            op::INDEX => match (a, b) {
                (Ty::List(element), Ty::Int | Ty::Any) => (**element).clone(),
                (Ty::Map(value), _) if b.is_text() => (**value).clone(),
                (Ty::Any, _) => Ty::Any,
                _ => self.wrong(node, format!("{a} cannot be indexed by {b}")),
            },
            _ => self.arithmetic(node, name, a, b),
        }
    }

    fn comparable(&mut self, node: &IdedExpr, a: &Ty, b: &Ty) {
        let message = match (a, b) {
            (Ty::Int, Ty::Double) | (Ty::Double, Ty::Int) => {
                "int is not compared with double; write 1.0 for a fraction".to_owned()
            }
            (Ty::Digest, Ty::Text | Ty::Word(_)) | (Ty::Text | Ty::Word(_), Ty::Digest) => {
                "a digest stands for a secret and equals only another digest, never a text".to_owned()
            }
            (Ty::Object(_), _) | (_, Ty::Object(_)) if a.same(b).is_none() || a != &Ty::Any && b != &Ty::Any => {
                format!("{a} and {b} are groups; compare their fields")
            }
            _ if a.same(b).is_none() => format!("{a} never equals {b}"),
            _ => return,
        };
        self.wrong(node, message);
    }

    fn ordered(&mut self, node: &IdedExpr, a: &Ty, b: &Ty) -> Ty {
        let message = match (a, b) {
            (Ty::Int, Ty::Int) | (Ty::Double, Ty::Double) => return Ty::Bool,
            (Ty::Any, other) | (other, Ty::Any) if matches!(other, Ty::Int | Ty::Double | Ty::Any) => return Ty::Bool,
            (Ty::Int, Ty::Double) | (Ty::Double, Ty::Int) => {
                "int is not compared with double; write 1.0 for a fraction".to_owned()
            }
            (Ty::Digest, _) | (_, Ty::Digest) => "digests have no order; they are equal or not".to_owned(),
            _ if a.is_text() && b.is_text() => {
                "texts have no order here; versions go through at_least(a, b)".to_owned()
            }
            _ => format!("{a} and {b} have no order"),
        };
        self.wrong(node, message);
        Ty::Bool
    }

    fn arithmetic(&mut self, node: &IdedExpr, name: &str, a: &Ty, b: &Ty) -> Ty {
        let sign = name.trim_matches('_');
        match (a, b) {
            (Ty::Any, _) | (_, Ty::Any) => Ty::Any,
            (Ty::Int, Ty::Int) => Ty::Int,
            (Ty::Double, Ty::Double) if name != op::MODULO => Ty::Double,
            (Ty::List(_), Ty::List(_)) if name == op::ADD => {
                a.same(b).unwrap_or_else(|| self.wrong(node, format!("{a} and {b} make no list together")))
            }
            _ if name == op::ADD && a.is_text() && b.is_text() => Ty::Text,
            (Ty::Digest, _) | (_, Ty::Digest) => {
                self.wrong(node, "a digest can be compared and nothing else; put several into a list")
            }
            (Ty::Int, Ty::Double) | (Ty::Double, Ty::Int) => {
                self.wrong(node, format!("`{sign}` mixes int and double; write 1.0 for a fraction"))
            }
            _ => self.wrong(node, format!("`{sign}` does not go with {a} and {b}")),
        }
    }

    /// Texts that are compared with a closed list of words must stand on it.
    fn listed(&mut self, ty: &Ty, other: &IdedExpr) {
        let ty = if let Ty::List(element) = ty { element } else { ty };
        let Ty::Word(words) = ty else { return };
        for (text, node) in written(other) {
            if !words.iter().any(|word| word == text) {
                let message = format!("`{text}` never occurs here{}", hint(text, words.iter().map(String::as_str)));
                self.wrong(node, message);
            }
        }
    }

    /// Notes a mistake unless the type is the one wanted.
    pub fn want(&mut self, ty: &Ty, wanted: &Ty, node: &IdedExpr, what: &str) -> Ty {
        let fits = ty.is(wanted) || wanted == &Ty::Text && ty.is_text();
        if !fits {
            let way = match (wanted, ty) {
                (Ty::Bool, Ty::Int) => "; compare it, as in `> 0`",
                (Ty::Bool, Ty::List(_)) => "; ask for its size, as in `size(…) > 0`",
                (Ty::Bool, Ty::Text | Ty::Digest) => "; ask `has(…)` or compare it",
                (Ty::Text, Ty::Digest) => "; a digest can be compared and nothing else",
                _ => "",
            };
            self.wrong(node, format!("{what} must be {wanted}, not {ty}{way}"));
        }
        wanted.clone()
    }
}

fn is_operator(name: &str) -> bool {
    name.starts_with(['_', '@', '!', '-'])
}
