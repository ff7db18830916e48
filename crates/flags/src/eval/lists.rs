//! Operators over lists, and those that ask which data is missing.

use super::val::{Val, strictly_equal, to_number, to_text, truthy};
use super::{Eval, Machine, Scope, Stop};
use crate::ir::{Expr, Op};
use crate::trace::Trace;
use crate::value::Value;
use alloc::vec::Vec;

impl<'e, T: Trace> Machine<'e, T> {
    /// A list literal with computed elements.
    pub(super) fn list(&mut self, items: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.push(self.eval(item, scope)?);
        }
        Val::items(values)
    }

    pub(super) fn over_list(&mut self, op: Op, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        if op == Op::Merge {
            return self.merge(args, scope);
        }
        let over = self.arg(args, 0, scope)?;
        let len = over.list_len();
        let (Some(len), Some(body)) = (len, args.get(1)) else {
            return match op {
                Op::Reduce => self.arg(args, 2, scope),
                Op::Map | Op::Filter => Ok(Val::EMPTY_LIST),
                _ => Ok(Val::bool(op == Op::None)),
            };
        };
        match op {
            Op::Map => self.map(&over, len, body),
            Op::Filter => self.filter(&over, len, body),
            Op::Reduce => {
                let start = self.arg(args, 2, scope)?;
                self.reduce(&over, len, body, start)
            }
            // All of nothing is false.
            Op::All if len == 0 => Ok(Val::bool(false)),
            Op::All => Ok(Val::bool(self.find(&over, len, body, false)?.is_none())),
            Op::None => Ok(Val::bool(self.find(&over, len, body, true)?.is_none())),
            _ => Ok(Val::bool(self.find(&over, len, body, true)?.is_some())),
        }
    }

    fn map(&mut self, over: &Val<'e>, len: usize, body: &'e Expr) -> Eval<'e> {
        let mut values = Vec::new();
        for item in (0..len).filter_map(|index| over.item(index)) {
            self.spend(1)?;
            values.push(self.eval(body, &Scope::Item(item))?);
        }
        Val::items(values)
    }

    fn filter(&mut self, over: &Val<'e>, len: usize, body: &'e Expr) -> Eval<'e> {
        let mut values = Vec::new();
        for item in (0..len).filter_map(|index| over.item(index)) {
            self.spend(1)?;
            if truthy(self.eval(body, &Scope::Item(item.clone()))?.view()) {
                values.push(item);
            }
        }
        Val::items(values)
    }

    fn reduce(&mut self, over: &Val<'e>, len: usize, body: &'e Expr, start: Val<'e>) -> Eval<'e> {
        let mut accumulator = start;
        for current in (0..len).filter_map(|index| over.item(index)) {
            self.spend(1)?;
            let pair = Val::pair(current, accumulator)?;
            accumulator = self.eval(body, &Scope::Item(pair))?;
        }
        Ok(accumulator)
    }

    /// The first element whose test comes out as `wanted`.
    fn find(
        &mut self,
        over: &Val<'e>,
        len: usize,
        body: &'e Expr,
        wanted: bool,
    ) -> Result<Option<usize>, Stop> {
        for index in 0..len {
            self.spend(1)?;
            let item = over.item(index).unwrap_or(Val::NULL);
            if truthy(self.eval(body, &Scope::Item(item))?.view()) == wanted {
                self.trace
                    .because(|| alloc::format!("element {index} decides"));
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Lists joined one after the other; what is no list counts as one element.
    fn merge(&mut self, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let mut values = Vec::new();
        for arg in args {
            let value = self.eval(arg, scope)?;
            match value.list_len() {
                Some(len) => {
                    self.spend(len)?;
                    values.extend((0..len).filter_map(|index| value.item(index)));
                }
                None => values.push(value),
            }
        }
        Val::items(values)
    }

    /// `in`: an element of a list (strictly equal), or a part of a text.
    pub(super) fn membership(&mut self, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let needle = self.arg(args, 0, scope)?;
        if let (Some(Expr::Const(literal)), Value::Str(text)) = (args.get(1), needle.view())
            && let Some(found) = literal.has(text)
        {
            self.trace.because(|| alloc::format!("looked for {text:?}"));
            return Ok(Val::bool(found));
        }
        let haystack = self.arg(args, 1, scope)?;
        self.compared(&needle, &haystack);
        let found = match haystack.view() {
            Value::List(list) => {
                self.spend(list.len())?;
                (0..list.len())
                    .filter_map(|index| list.get(index))
                    .any(|item| strictly_equal(item, needle.view()))
            }
            Value::Str(text) => {
                self.spend(text.len() / 16)?;
                text.contains(to_text(needle.view()).as_ref())
            }
            _ => false,
        };
        Ok(Val::bool(found))
    }

    /// `missing`: those of the keys that the data lacks (null and empty text count as lacking).
    /// The keys are the arguments, or the first argument if that is a list.
    pub(super) fn missing(&mut self, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let first = self.arg(args, 0, scope)?;
        if first.list_len().is_some() {
            return self.missing_of(&first, scope);
        }
        let mut lacking = Vec::new();
        for (index, arg) in args.iter().enumerate() {
            let key = if index == 0 {
                first.clone()
            } else {
                self.eval(arg, scope)?
            };
            if self.lacks(&key, scope) {
                lacking.push(key);
            }
        }
        list_of(lacking)
    }

    fn missing_of(&mut self, keys: &Val<'e>, scope: &Scope<'e>) -> Eval<'e> {
        let len = keys.list_len().unwrap_or(0);
        self.spend(len)?;
        let keys = (0..len).filter_map(|index| keys.item(index));
        list_of(keys.filter(|key| self.lacks(key, scope)).collect())
    }

    fn lacks(&self, key: &Val<'e>, scope: &Scope<'e>) -> bool {
        let found = self.lookup(key.view(), scope);
        found.is_none_or(|value| matches!(value.view(), Value::Null | Value::Str("")))
    }

    /// `missing_some`: nothing if at least so many of the keys are there, otherwise the missing.
    pub(super) fn missing_some(&mut self, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let needed = to_number(self.arg(args, 0, scope)?.view());
        let keys = self.arg(args, 1, scope)?;
        let lacking = self.missing_of(&keys, scope)?;
        let total = keys.list_len().unwrap_or(0);
        let present = total.saturating_sub(lacking.list_len().unwrap_or(0));
        #[expect(
            clippy::cast_precision_loss,
            reason = "lists are far shorter than 2^53"
        )]
        let enough = present as f64 >= needed;
        Ok(if enough { Val::EMPTY_LIST } else { lacking })
    }
}

/// A new list; nothing is made for an empty one.
fn list_of(values: Vec<Val<'_>>) -> Eval<'_> {
    if values.is_empty() {
        Ok(Val::EMPTY_LIST)
    } else {
        Val::items(values)
    }
}
