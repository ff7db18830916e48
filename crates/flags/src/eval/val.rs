//! Values during an evaluation: mostly borrowed, owned where an operator made something new.

use super::Stop;
use crate::number::{Short, leading_number_of, number_of, write_float};
use crate::record::{Record, Sequence};
use crate::value::Value;
use alloc::borrow::Cow;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt::{self, Write};

/// A value in the middle of an evaluation.
#[derive(Clone)]
pub(crate) enum Val<'e> {
    /// Borrowed from the flags or from the context.
    Plain(Value<'e>),
    /// A literal that names the variant at this index.
    Variant(usize, &'e str),
    /// A new text.
    Text(Rc<str>),
    /// A new list.
    Items(Rc<Items<'e>>),
    /// What `reduce` hands to its body as a whole.
    Pair(Rc<Pair<'e>>),
}

/// A list that an operator made.
pub(crate) struct Items<'e> {
    values: Vec<Val<'e>>,
    depth: u8,
}

/// The two values that the body of `reduce` sees.
pub(crate) struct Pair<'e> {
    current: Val<'e>,
    accumulator: Val<'e>,
    depth: u8,
}

/// New values nest no deeper than this, so that freeing them cannot exhaust the stack.
const NEW_DEPTH_MAX: u8 = 64;

/// Nesting below this is not written out as text.
const TEXT_DEPTH_MAX: u32 = 64;

const NOTHING: &[bool; 0] = &[];

impl<'e> Val<'e> {
    pub(crate) const NULL: Self = Val::Plain(Value::Null);
    pub(crate) const EMPTY_LIST: Self = Val::Plain(Value::List(NOTHING));

    pub(crate) const fn bool(value: bool) -> Self {
        Val::Plain(Value::Bool(value))
    }

    pub(crate) const fn float(value: f64) -> Self {
        Val::Plain(Value::Float(value))
    }

    /// A new list.
    pub(crate) fn items(values: Vec<Val<'e>>) -> Result<Self, Stop> {
        let depth = deeper(values.iter().map(Val::depth).max())?;
        Ok(Val::Items(Rc::new(Items { values, depth })))
    }

    /// What `reduce` hands to its body.
    pub(crate) fn pair(current: Val<'e>, accumulator: Val<'e>) -> Result<Self, Stop> {
        let depth = deeper(Some(current.depth().max(accumulator.depth())))?;
        Ok(Val::Pair(Rc::new(Pair {
            current,
            accumulator,
            depth,
        })))
    }

    /// How deep what was newly made nests in it.
    fn depth(&self) -> u8 {
        match self {
            Val::Plain(_) | Val::Variant(..) | Val::Text(_) => 0,
            Val::Items(items) => items.depth,
            Val::Pair(pair) => pair.depth,
        }
    }

    /// The same value, borrowed.
    pub(crate) fn view(&self) -> Value<'_> {
        match self {
            Val::Plain(value) => *value,
            Val::Variant(_, name) => Value::Str(name),
            Val::Text(text) => Value::Str(text),
            Val::Items(items) => Value::List(items.as_ref()),
            Val::Pair(pair) => Value::Map(pair.as_ref()),
        }
    }

    /// Null reads as missing.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.view(), Value::Null)
    }

    /// The length, if it is a list.
    pub(crate) fn list_len(&self) -> Option<usize> {
        match self.view() {
            Value::List(list) => Some(list.len()),
            _ => None,
        }
    }

    /// The element at `index` of a list.
    pub(crate) fn item(&self, index: usize) -> Option<Val<'e>> {
        match self {
            Val::Plain(Value::List(list)) => list.get(index).map(Val::Plain),
            Val::Items(items) => items.values.get(index).cloned(),
            _ => None,
        }
    }

    /// One step down a path: a member of a map, or an element of a list by its number.
    pub(crate) fn step(&self, name: &str) -> Option<Val<'e>> {
        match self {
            Val::Plain(value) => step(*value, name).map(Val::Plain),
            Val::Pair(pair) => match name {
                "current" => Some(pair.current.clone()),
                "accumulator" => Some(pair.accumulator.clone()),
                _ => None,
            },
            Val::Items(_) => self.item(index(name)?),
            Val::Variant(..) | Val::Text(_) => None,
        }
    }
}

/// One step down a path of borrowed values.
pub(crate) fn step<'e>(value: Value<'e>, name: &str) -> Option<Value<'e>> {
    match value {
        Value::Map(map) => map.get(name),
        Value::List(list) => list.get(index(name)?),
        _ => None,
    }
}

/// A place in a list, as JavaScript writes it.
fn index(name: &str) -> Option<usize> {
    let canonical = name == "0" || !name.starts_with(['0', '+']);
    name.parse().ok().filter(|_| canonical)
}

fn deeper(inner: Option<u8>) -> Result<u8, Stop> {
    let depth = inner.unwrap_or(0) + 1;
    if depth > NEW_DEPTH_MAX {
        Err(Stop::Nesting)
    } else {
        Ok(depth)
    }
}

impl Sequence for Items<'_> {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn get(&self, index: usize) -> Option<Value<'_>> {
        self.values.get(index).map(Val::view)
    }
}

impl Record for Pair<'_> {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "current" => Some(self.current.view()),
            "accumulator" => Some(self.accumulator.view()),
            _ => None,
        }
    }

    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("current", self.current.view());
        visit("accumulator", self.accumulator.view());
    }
}

/// JsonLogic's truth: as JavaScript's, but an empty list is false.
pub(crate) fn truthy(value: Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => value,
        Value::Int(value) => value != 0,
        Value::Uint(value) => value != 0,
        Value::Float(value) => value != 0.0 && !value.is_nan(),
        Value::Str(value) => !value.is_empty(),
        Value::List(list) => !list.is_empty(),
        Value::Map(_) => true,
    }
}

/// `Number(value)`.
pub(crate) fn to_number(value: Value<'_>) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(value) => f64::from(u8::from(value)),
        Value::Str(text) => number_of(text),
        Value::List(list) => match (list.len(), list.get(0)) {
            (0, _) | (1, None | Some(Value::Null)) => 0.0,
            // A list is a number by way of its text, and "true" is none.
            (1, Some(Value::Bool(_))) => f64::NAN,
            (1, Some(item)) => to_number(item),
            _ => f64::NAN,
        },
        Value::Map(_) => f64::NAN,
        number => number.number().unwrap_or(f64::NAN),
    }
}

/// `parseFloat(value)`.
pub(crate) fn to_leading_number(value: Value<'_>) -> f64 {
    match value {
        Value::Str(text) => leading_number_of(text),
        Value::List(list) => list.get(0).map_or(f64::NAN, to_leading_number),
        number => number.number().unwrap_or(f64::NAN),
    }
}

/// Writes `String(value)`.
pub(crate) fn write_text(out: &mut dyn Write, value: Value<'_>) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        value => write_joined(out, value, 0),
    }
}

/// Writes the value as an element of `Array.prototype.join`: as `String(value)`, but null is empty.
pub(crate) fn write_element(out: &mut dyn Write, value: Value<'_>) -> fmt::Result {
    write_joined(out, value, 0)
}

fn write_joined(out: &mut dyn Write, value: Value<'_>, depth: u32) -> fmt::Result {
    match value {
        Value::Null => Ok(()),
        Value::Bool(value) => out.write_str(if value { "true" } else { "false" }),
        Value::Int(value) => write!(out, "{value}"),
        Value::Uint(value) => write!(out, "{value}"),
        Value::Float(value) => write_float(out, value),
        Value::Str(text) => out.write_str(text),
        Value::List(_) if depth > TEXT_DEPTH_MAX => Err(fmt::Error),
        Value::List(list) => (0..list.len()).try_for_each(|index| {
            if index > 0 {
                out.write_str(",")?;
            }
            write_joined(out, list.get(index).unwrap_or(Value::Null), depth + 1)
        }),
        Value::Map(_) => out.write_str("[object Object]"),
    }
}

/// `String(value)`; borrowed if it is a text already.
pub(crate) fn to_text(value: Value<'_>) -> Cow<'_, str> {
    if let Value::Str(text) = value {
        return Cow::Borrowed(text);
    }
    let mut text = String::new();
    // Only nesting beyond the limit fails, and then what was written so far stands for the rest.
    let _ = write_text(&mut text, value);
    Cow::Owned(text)
}

/// Whether `String(value)` is `text`, without building it.
pub(crate) fn is_text(value: Value<'_>, text: &str) -> bool {
    struct Expect<'t>(&'t str);
    impl Write for Expect<'_> {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(piece).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    let mut expect = Expect(text);
    write_text(&mut expect, value).is_ok() && expect.0.is_empty()
}

/// JavaScript's `===`: the same type and the same value; two lists or maps never are.
pub(crate) fn strictly_equal(a: Value<'_>, b: Value<'_>) -> bool {
    match (a, b) {
        (Value::List(_) | Value::Map(_), _) | (_, Value::List(_) | Value::Map(_)) => false,
        (a, b) => a == b,
    }
}

/// JavaScript's `==` (ECMA-262 §7.2.13).
pub(crate) fn loosely_equal(a: Value<'_>, b: Value<'_>) -> bool {
    use Value::{Bool, List, Map, Null, Str};
    match (a, b) {
        (List(_) | Map(_), List(_) | Map(_)) => false,
        (Null, Null) => true,
        (Null, _) | (_, Null) => false,
        (Str(a), Str(b)) => a == b,
        (Str(text), other @ (List(_) | Map(_))) | (other @ (List(_) | Map(_)), Str(text)) => {
            is_text(other, text)
        }
        (Bool(_) | Str(_) | List(_) | Map(_), _) | (_, Bool(_) | Str(_) | List(_) | Map(_)) => {
            to_number(a) == to_number(b)
        }
        (a, b) => a == b,
    }
}

/// The order JavaScript's `<` sees; `None` if the two have none.
pub(crate) fn order(a: Value<'_>, b: Value<'_>) -> Option<Ordering> {
    let structured = |value| matches!(value, Value::Str(_) | Value::List(_) | Value::Map(_));
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(&b)),
        (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
        (a, b) if structured(a) && structured(b) => Some(to_text(a).cmp(&to_text(b))),
        (a, b) => to_number(a).partial_cmp(&to_number(b)),
    }
}

/// A number, boolean or null as text, on the stack; `None` for what has no short text.
pub(crate) fn short_text(value: Value<'_>) -> Option<Short> {
    let mut short = Short::new();
    match value {
        Value::Str(_) | Value::List(_) | Value::Map(_) => None,
        scalar => write_text(&mut short, scalar).ok().map(|()| short),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_text, loosely_equal, order, strictly_equal, to_number, to_text, truthy};
    use core::cmp::Ordering;
    use serde_json::{Value as Json, json};

    #[test]
    fn equality_is_javascripts() {
        for (a, b, loose, strict) in [
            (json!(1), json!(1.0), true, true),
            (json!(1), json!("1"), true, false),
            (json!(0), json!(false), true, false),
            (json!(0), json!(""), true, false),
            (json!(null), json!(0), false, false),
            (json!(null), json!(null), true, true),
            (json!("a"), json!("a"), true, true),
            (json!("1"), json!("1.0"), false, false),
            (json!(true), json!("1"), true, false),
            (json!(true), json!("true"), false, false),
            (json!([1]), json!(1), true, false),
            (json!([1, 2]), json!("1,2"), true, false),
            (json!([1]), json!([1]), false, false),
            (json!({}), json!("[object Object]"), true, false),
            (
                json!(9_007_199_254_740_993_i64),
                json!(9_007_199_254_740_992_i64),
                false,
                false,
            ),
        ] {
            assert_eq!(loosely_equal((&a).into(), (&b).into()), loose, "{a} == {b}");
            assert_eq!(loosely_equal((&b).into(), (&a).into()), loose, "{b} == {a}");
            assert_eq!(
                strictly_equal((&a).into(), (&b).into()),
                strict,
                "{a} === {b}"
            );
        }
    }

    #[test]
    fn order_is_javascripts() {
        for (a, b, expected) in [
            (json!(1), json!(2), Some(Ordering::Less)),
            (json!("10"), json!("9"), Some(Ordering::Less)),
            (json!("10"), json!(9), Some(Ordering::Greater)),
            (json!(null), json!(1), Some(Ordering::Less)),
            (json!("a"), json!(1), None),
            (json!({}), json!(1), None),
            (json!([2]), json!(10), Some(Ordering::Less)),
        ] {
            assert_eq!(order((&a).into(), (&b).into()), expected, "{a} <> {b}");
        }
    }

    #[test]
    fn truth_numbers_and_texts() {
        for value in [json!(1), json!("0"), json!([0]), json!({}), json!(true)] {
            assert!(truthy((&value).into()), "{value}");
        }
        for value in [json!(0), json!(""), json!([]), json!(null), json!(false)] {
            assert!(!truthy((&value).into()), "{value}");
        }
        let number = |value: Json| to_number((&value).into());
        assert_eq!(number(json!([])), 0.0);
        assert_eq!(number(json!(["7"])), 7.0);
        assert!(number(json!([true])).is_nan());
        let value = json!([1, [null, "a"], {}]);
        assert_eq!(to_text((&value).into()), "1,,a,[object Object]");
        assert!(is_text((&value).into(), "1,,a,[object Object]"));
        assert!(!is_text((&value).into(), "1,,a,[object Object"));
    }
}
