//! Objects and lists as the caller has them.

use crate::index::same;
use crate::value::Value;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// Named values: a context's attributes, or an object inside them.
///
/// Implemented for arrays and vectors of pairs of a name and whatever is [`AsValue`], for
/// `BTreeMap`, and for `serde_json` objects. Implement it for a type of your own to evaluate flags on it without
/// building anything:
///
/// ```
/// use nonevent_flags::{Record, Value};
///
/// struct Request { plan: String, beta: bool }
///
/// impl Record for Request {
///     fn get(&self, name: &str) -> Option<Value<'_>> {
///         match name {
///             "plan" => Some(self.plan.as_str().into()),
///             "beta" => Some(self.beta.into()),
///             _ => None,
///         }
///     }
///     fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
///         for name in ["plan", "beta"] {
///             if let Some(value) = self.get(name) {
///                 visit(name, value);
///             }
///         }
///     }
/// }
/// # let request = Request { plan: "pro".into(), beta: true };
/// # assert_eq!(request.get("plan"), Some(Value::Str("pro")));
/// ```
pub trait Record {
    /// The value of this name; `None` if there is none.
    fn get(&self, name: &str) -> Option<Value<'_>>;

    /// Calls `visit` with every name and value, in any order. Used only where a rule takes a
    /// whole object (to hash it, to print it), so it may be slower than [`Record::get`].
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>));
}

/// Values in order.
///
/// Implemented for slices by reference, arrays and vectors of whatever is [`AsValue`].
pub trait Sequence {
    /// How many there are.
    fn len(&self) -> usize;

    /// The one at `index`, from 0; `None` past the end.
    fn get(&self, index: usize) -> Option<Value<'_>>;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What can be borrowed as a [`Value`].
///
/// ```
/// use nonevent_flags::{AsValue, Value};
///
/// let roles = vec![String::from("admin"), String::from("billing")];
/// let attributes = [("roles", roles.as_value()), ("age", 29.as_value())];
/// assert_eq!(attributes[1].1, Value::Int(29));
/// ```
pub trait AsValue {
    /// The value, borrowed.
    fn as_value(&self) -> Value<'_>;
}

macro_rules! as_value {
    ($($own:ty: $self:ident => $value:expr),* $(,)?) => {$(
        impl AsValue for $own {
            fn as_value(&self) -> Value<'_> {
                let $self = self;
                $value
            }
        }
    )*};
}

as_value! {
    bool: it => Value::Bool(*it),
    i8: it => Value::Int(i64::from(*it)),
    i16: it => Value::Int(i64::from(*it)),
    i32: it => Value::Int(i64::from(*it)),
    i64: it => Value::Int(*it),
    u8: it => Value::Int(i64::from(*it)),
    u16: it => Value::Int(i64::from(*it)),
    u32: it => Value::Int(i64::from(*it)),
    u64: it => i64::try_from(*it).map_or(Value::Uint(*it), Value::Int),
    f32: it => Value::Float(f64::from(*it)),
    f64: it => Value::Float(*it),
    str: it => Value::Str(it),
    String: it => Value::Str(it),
    Value<'_>: it => *it,
    serde_json::Value: it => it.into(),
    serde_json::Map<String, serde_json::Value>: it => Value::Map(it),
}

impl<T: AsValue + ?Sized> AsValue for &T {
    fn as_value(&self) -> Value<'_> {
        (*self).as_value()
    }
}

impl<T: AsValue> AsValue for Option<T> {
    fn as_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, AsValue::as_value)
    }
}

impl<T: AsValue> AsValue for Vec<T> {
    fn as_value(&self) -> Value<'_> {
        Value::List(self)
    }
}

impl<T: AsValue, const N: usize> AsValue for [T; N] {
    fn as_value(&self) -> Value<'_> {
        Value::List(self)
    }
}

impl<K: core::borrow::Borrow<str> + Ord, V: AsValue> AsValue for BTreeMap<K, V> {
    fn as_value(&self) -> Value<'_> {
        Value::Map(self)
    }
}

impl<T: AsValue> Sequence for Vec<T> {
    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn get(&self, index: usize) -> Option<Value<'_>> {
        self.as_slice().get(index).map(AsValue::as_value)
    }
}

impl<T: AsValue, const N: usize> Sequence for [T; N] {
    fn len(&self) -> usize {
        N
    }

    fn get(&self, index: usize) -> Option<Value<'_>> {
        self.as_slice().get(index).map(AsValue::as_value)
    }
}

impl<T: AsValue> Sequence for &[T] {
    fn len(&self) -> usize {
        <[T]>::len(self)
    }

    fn get(&self, index: usize) -> Option<Value<'_>> {
        <[T]>::get(self, index).map(AsValue::as_value)
    }
}

impl Record for serde_json::Map<String, serde_json::Value> {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        self.get(name).map(AsValue::as_value)
    }

    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for (name, value) in self {
            visit(name, value.as_value());
        }
    }
}

impl<K, V> Record for BTreeMap<K, V>
where
    K: core::borrow::Borrow<str> + Ord,
    V: AsValue,
{
    fn get(&self, name: &str) -> Option<Value<'_>> {
        self.get(name).map(AsValue::as_value)
    }

    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for (name, value) in self {
            visit(name.borrow(), value.as_value());
        }
    }
}

/// The first pair of a name counts.
impl<K, V> Record for Vec<(K, V)>
where
    K: AsRef<str>,
    V: AsValue,
{
    fn get(&self, name: &str) -> Option<Value<'_>> {
        find(self, name)
    }

    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for (name, value) in self {
            visit(name.as_ref(), value.as_value());
        }
    }
}

/// The first pair of a name counts.
impl<K, V, const N: usize> Record for [(K, V); N]
where
    K: AsRef<str>,
    V: AsValue,
{
    fn get(&self, name: &str) -> Option<Value<'_>> {
        find(self, name)
    }

    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for (name, value) in self {
            visit(name.as_ref(), value.as_value());
        }
    }
}

#[inline]
fn find<'a, K, V>(pairs: &'a [(K, V)], name: &str) -> Option<Value<'a>>
where
    K: AsRef<str>,
    V: AsValue,
{
    pairs
        .iter()
        .find(|(key, _)| same(key.as_ref(), name))
        .map(|(_, value)| value.as_value())
}
