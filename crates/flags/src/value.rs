//! Values as the caller has them: borrowed, never copied.

use crate::record::{Record, Sequence};
use alloc::string::String;
use core::fmt;

/// One value of a context, borrowed from the caller's own types.
///
/// Whole numbers keep their exact value: [`Value::Uint`] is only for those above [`i64::MAX`].
///
/// ```
/// use nonevent_flags::Value;
///
/// let plan = Value::from("pro");
/// let seats = Value::from(40_u32);
/// assert_eq!(plan.as_str(), Some("pro"));
/// assert_eq!(seats, Value::Int(40));
/// ```
// The tag takes a whole word, so that values are moved word by word: with a tag of one byte, the
// bytes beside it are moved in pieces, and reading them as a whole has to wait for that.
#[derive(Clone, Copy)]
#[repr(u64)]
pub enum Value<'a> {
    /// Nothing. A missing attribute reads as this too.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// A text.
    Str(&'a str),
    /// A list.
    List(&'a dyn Sequence),
    /// Named values.
    Map(&'a dyn Record),
}

impl<'a> Value<'a> {
    /// The text, if it is one.
    #[must_use]
    pub const fn as_str(self) -> Option<&'a str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// As JSON, copied. Not-a-number and infinities, which JSON lacks, become null; so does what
    /// nests deeper than 128.
    #[must_use]
    pub fn to_json(self) -> serde_json::Value {
        self.to_json_at(0)
    }

    fn to_json_at(self, depth: u32) -> serde_json::Value {
        match self {
            _ if depth > JSON_DEPTH_MAX => serde_json::Value::Null,
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => value.into(),
            Value::Int(value) => value.into(),
            Value::Uint(value) => value.into(),
            Value::Float(value) => float_to_json(value),
            Value::Str(value) => value.into(),
            Value::List(list) => (0..list.len())
                .filter_map(|index| list.get(index))
                .map(|item| item.to_json_at(depth + 1))
                .collect(),
            Value::Map(map) => {
                let mut object = serde_json::Map::new();
                map.each(&mut |name, value| {
                    object
                        .entry(name)
                        .or_insert_with(|| value.to_json_at(depth + 1));
                });
                object.into()
            }
        }
    }
}

const JSON_DEPTH_MAX: u32 = 128;

/// A float as JSON: whole numbers that a double holds exactly are written without a fraction, as
/// `JSON.stringify` does.
pub(crate) fn float_to_json(value: f64) -> serde_json::Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked just before"
    )]
    if libm::trunc(value) == value && value.abs() < 9_007_199_254_740_992.0 {
        return (value as i64).into();
    }
    serde_json::Number::from_f64(value).map_or(serde_json::Value::Null, Into::into)
}

impl PartialEq for Value<'_> {
    /// Equal as JSON: lists element by element, maps name by name, numbers by their value.
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Uint(a), Value::Uint(b)) => a == b,
            // A `Uint` is above all of `Int`.
            (Value::Int(_), Value::Uint(_)) | (Value::Uint(_), Value::Int(_)) => false,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) => {
                self.to_json() == other.to_json()
            }
            (a, b) => match (a.number(), b.number()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        }
    }
}

impl Value<'_> {
    /// The number as a double, if it is one.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a double is what the rules compute with"
    )]
    pub(crate) const fn number(self) -> Option<f64> {
        match self {
            Value::Int(value) => Some(value as f64),
            Value::Uint(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_json(), f)
    }
}

macro_rules! from_whole {
    ($($from:ty),*) => {$(
        impl From<$from> for Value<'_> {
            fn from(value: $from) -> Self {
                Value::Int(i64::from(value))
            }
        }
    )*};
}
from_whole!(i8, i16, i32, i64, u8, u16, u32);

impl From<u64> for Value<'_> {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Value::Uint(value), Value::Int)
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Value::Float(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::Str(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Value::Str(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl<'a> From<&'a serde_json::Value> for Value<'a> {
    fn from(value: &'a serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(number) => number
                .as_i64()
                .map(Value::Int)
                .or_else(|| number.as_u64().map(Value::Uint))
                .or_else(|| number.as_f64().map(Value::Float))
                .unwrap_or(Value::Null),
            serde_json::Value::String(value) => Value::Str(value),
            serde_json::Value::Array(values) => Value::List(values),
            serde_json::Value::Object(map) => Value::Map(map),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Value;
    use crate::record::Record;
    use alloc::collections::BTreeMap;
    use alloc::string::String;
    use serde_json::json;

    #[test]
    fn callers_types_read_as_the_same_json() {
        let tags = ["a", "b"];
        let pairs = [("plan", Value::from("pro")), ("tags", Value::List(&tags))];
        let object = json!({"plan": "pro", "tags": ["a", "b"]});
        assert_eq!(Value::Map(&pairs).to_json(), object);
        assert_eq!(Value::from(&object), Value::Map(&pairs));
        let map: BTreeMap<String, i64> = [(String::from("n"), 3)].into();
        assert_eq!(map.get("n").copied(), Some(3));
        assert_eq!(Record::get(&map, "n"), Some(Value::Int(3)));
    }

    #[test]
    fn numbers_are_equal_by_value_and_stay_exact() {
        assert_eq!(Value::from(2_i32), Value::Float(2.0));
        assert_ne!(Value::Int(i64::MAX), Value::Int(i64::MAX - 1));
        assert_eq!(Value::from(u64::MAX), Value::Uint(u64::MAX));
        assert_eq!(Value::Float(f64::NAN).to_json(), json!(null));
        assert_eq!(Value::Float(3.0).to_json(), json!(3));
    }
}
