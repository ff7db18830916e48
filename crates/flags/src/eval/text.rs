//! Operators on texts and versions.

use super::val::{Val, short_text, to_number, to_text, write_element};
use super::{Eval, Machine, Scope};
use crate::ir::{Expr, Op};
use crate::trace::Trace;
use crate::value::Value;
use crate::version;
use alloc::string::String;
use core::cmp::Ordering;
use semver::Version;

/// How many bytes of new text cost one step.
const BYTES_PER_STEP: usize = 16;

impl<'e, T: Trace> Machine<'e, T> {
    pub(super) fn cat(&mut self, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let mut text = String::new();
        for arg in args {
            let before = text.len();
            let value = self.eval(arg, scope)?;
            // Fails only beyond the depth limit, where the text ends.
            let _ = write_element(&mut text, value.view());
            self.spend((text.len() - before) / BYTES_PER_STEP)?;
        }
        Ok(Val::Text(text.into()))
    }

    /// `substr`: from a start (from the end if negative), so many characters (or up to so many
    /// before the end if negative). Counted in Unicode scalar values.
    pub(super) fn substr(&mut self, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let source = self.arg(args, 0, scope)?;
        let start = to_number(self.arg(args, 1, scope)?.view());
        let length = match args.get(2) {
            Some(arg) => Some(to_number(self.eval(arg, scope)?.view())),
            None => None,
        };
        let text = to_text(source.view());
        let total = text.chars().count();
        self.spend(text.len() / BYTES_PER_STEP)?;
        let start = if start < 0.0 {
            total.saturating_sub(whole(-start))
        } else {
            whole(start)
        };
        let rest = total.saturating_sub(start);
        let take = match length {
            None => rest,
            Some(length) if length < 0.0 => rest.saturating_sub(whole(-length)),
            Some(length) => whole(length),
        };
        let cut: String = text.chars().skip(start).take(take).collect();
        Ok(Val::Text(cut.into()))
    }

    /// `starts_with` and `ends_with`: null unless there are exactly two texts.
    pub(super) fn affix(&mut self, op: Op, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let a = self.arg(args, 0, scope)?;
        let b = self.arg(args, 1, scope)?;
        self.compared(&a, &b);
        Ok(match (a.view(), b.view()) {
            (Value::Str(text), Value::Str(affix)) if args.len() == 2 => {
                Val::bool(if op == Op::StartsWith {
                    text.starts_with(affix)
                } else {
                    text.ends_with(affix)
                })
            }
            _ => {
                self.trace.because(|| "takes exactly two texts".into());
                Val::NULL
            }
        })
    }

    /// `sem_ver`: version, operator, version; null if any of them is not valid.
    pub(super) fn sem_ver(&mut self, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let left = self.arg(args, 0, scope)?;
        let operator = self.arg(args, 1, scope)?;
        let right = self.arg(args, 2, scope)?;
        self.compared(&left, &right);
        let (Some(a), Some(b), 3) = (read(left.view()), read(right.view()), args.len()) else {
            self.trace
                .because(|| "takes two versions and an operator between them".into());
            return Ok(Val::NULL);
        };
        let order = a.cmp_precedence(&b);
        Ok(match holds(operator.view(), &a, &b, order) {
            Some(holds) => Val::bool(holds),
            None => {
                self.trace
                    .because(|| "the operator is none of = != < <= > >= ^ ~".into());
                Val::NULL
            }
        })
    }
}

fn holds(operator: Value<'_>, a: &Version, b: &Version, order: Ordering) -> Option<bool> {
    Some(match operator.as_str()? {
        "=" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        "^" => a.major == b.major,
        "~" => a.major == b.major && a.minor == b.minor,
        _ => return None,
    })
}

/// A version given as a text or as a number.
fn read(value: Value<'_>) -> Option<Version> {
    match value {
        Value::Str(text) => version::lenient(text),
        scalar => version::lenient(short_text(scalar)?.as_str()),
    }
}

/// A count from a double: its whole part, 0 if not a number.
fn whole(value: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "float casts saturate, and not a number gives 0"
    )]
    let whole = value as usize;
    whole
}

/// The operators that `sem_ver` knows.
pub(crate) const VERSION_OPERATORS: [&str; 8] = ["=", "!=", "<", "<=", ">", ">=", "^", "~"];
