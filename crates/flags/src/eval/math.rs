//! Arithmetic, in doubles as JsonLogic defines it.

use super::val::{Val, to_leading_number, to_number};
use super::{Eval, Machine, Scope};
use crate::ir::{Expr, Op};
use crate::trace::Trace;

impl<'e, T: Trace> Machine<'e, T> {
    pub(super) fn arithmetic(&mut self, op: Op, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        match op {
            Op::Max => self.fold(args, scope, f64::NEG_INFINITY, greater),
            Op::Min => self.fold(args, scope, f64::INFINITY, |a, b| -greater(-a, -b)),
            Op::Add => self.sum(args, scope),
            Op::Multiply => self.product(args, scope),
            _ => self.binary(op, args, scope),
        }
    }

    fn fold(
        &mut self,
        args: &'e [Expr],
        scope: &Scope<'e>,
        start: f64,
        combine: fn(f64, f64) -> f64,
    ) -> Eval<'e> {
        let mut result = start;
        for arg in args {
            result = combine(result, to_number(self.eval(arg, scope)?.view()));
        }
        Ok(Val::float(result))
    }

    fn sum(&mut self, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let mut total = 0.0;
        for arg in args {
            total += to_leading_number(self.eval(arg, scope)?.view());
        }
        Ok(Val::float(total))
    }

    /// One argument alone stays as it is.
    fn product(&mut self, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let first = self.arg(args, 0, scope)?;
        let Some(rest) = args.get(1..).filter(|rest| !rest.is_empty()) else {
            return Ok(first);
        };
        let mut product = to_leading_number(first.view());
        for arg in rest {
            product *= to_leading_number(self.eval(arg, scope)?.view());
        }
        Ok(Val::float(product))
    }

    fn binary(&mut self, op: Op, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let a = to_number(self.arg(args, 0, scope)?.view());
        if op == Op::Subtract && args.len() < 2 {
            return Ok(Val::float(-a));
        }
        // A missing operand is `undefined`, which is not a number.
        let b = match args.get(1) {
            Some(arg) => to_number(self.eval(arg, scope)?.view()),
            None => f64::NAN,
        };
        Ok(Val::float(match op {
            Op::Subtract => a - b,
            Op::Divide => a / b,
            _ => libm::fmod(a, b),
        }))
    }
}

/// `Math.max`: not a number if either is.
fn greater(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}
