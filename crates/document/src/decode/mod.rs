//! A tree as a typed value: a serde `Deserializer` whose errors know their place.

mod access;
mod error;
mod gather;
mod suggest;
mod words;

use alloc::borrow::ToOwned;
use alloc::string::String;

use serde::de::{self, DeserializeOwned, Deserializer, Error as _, Unexpected, Visitor};

use self::access::{Items, Members, Variant};
use self::error::DecodeError;
pub(crate) use self::gather::decode_all;
pub use self::suggest::advice as name_advice;
use crate::{Finding, Node, Span, Value, item_path, member_path};

/// `node` as a value of type `T`; `path` is where the node stands in its document.
///
/// # Errors
///
/// The first thing that does not fit, with its path and position; [`Document::decode`] gives all.
///
/// [`Document::decode`]: crate::Document::decode
#[expect(
    clippy::result_large_err,
    reason = "a finding is a value that callers keep, and this is called once per document"
)]
pub fn decode_node<T: DeserializeOwned>(node: &Node, path: &str) -> Result<T, Finding> {
    let trail = Trail::Root(path);
    let place = Place {
        node,
        key_span: None,
        trail: &trail,
    };
    T::deserialize(place).map_err(DecodeError::into_finding)
}

/// The way to a node; written out only when there is an error.
enum Trail<'p> {
    Root(&'p str),
    Key(&'p Trail<'p>, &'p str),
    Item(&'p Trail<'p>, usize),
}

impl Trail<'_> {
    fn path(&self) -> String {
        match self {
            Trail::Root(path) => (*path).to_owned(),
            Trail::Key(parent, key) => member_path(&parent.path(), key),
            Trail::Item(parent, index) => item_path(&parent.path(), *index),
        }
    }
}

/// A node, the key it stands under, and the way to it.
#[derive(Clone, Copy)]
struct Place<'de, 'p> {
    node: &'de Node,
    key_span: Option<&'de Span>,
    trail: &'p Trail<'p>,
}

impl<'de> Place<'de, '_> {
    fn locate(&self, error: DecodeError) -> DecodeError {
        if !error.is_lost() {
            return error;
        }
        if let Some((inner, span)) = error.find_field(self.node) {
            let path = self.trail.path();
            let path = match (path.is_empty(), inner.starts_with('[')) {
                (true, _) => inner,
                (false, true) => path + &inner,
                (false, false) => path + "." + &inner,
            };
            return error.locate(|| (path, span.clone()));
        }
        let key_span = self.key_span.filter(|_| error.is_about_whole());
        let span = key_span.unwrap_or(&self.node.span).clone();
        error.locate(|| (self.trail.path(), span))
    }

    fn unexpected(&self) -> Unexpected<'de> {
        match &self.node.value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => Unexpected::Unsigned(value),
                (None, Some(value)) => Unexpected::Signed(value),
                (None, None) => Unexpected::Float(number.as_f64()),
            },
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        }
    }

    fn wrong_type<T>(&self, expected: &str) -> Result<T, DecodeError> {
        let error = DecodeError::invalid_type(self.unexpected(), &expected);
        Err(self.locate(error))
    }

    fn visit<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (None, Some(value)) => visitor.visit_i64(value),
                (None, None) => visitor.visit_f64(number.as_f64()),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => {
                let mut access = Items::new(items, self.trail);
                let value = visitor.visit_seq(&mut access)?;
                access.finish(items.len())?;
                Ok(value)
            }
            Value::Object(members) => visitor.visit_map(Members::new(members, self.trail)),
        }
    }
}

impl<'de> Deserializer<'de> for Place<'de, '_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.visit(visitor).map_err(|error| self.locate(error))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.node.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
        .map_err(|error: DecodeError| self.locate(error))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let result = visitor.visit_newtype_struct(self);
        result.map_err(|error: DecodeError| self.locate(error))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            // serde would take a list for the fields in order.
            Value::Array(_) => self.wrong_type("a map"),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let variant = match &self.node.value {
            Value::String(name) => Variant::named(name, &self),
            Value::Object(members) if members.len() == 1 => Variant::member(&members[0], &self),
            Value::Object(members) if variants.is_empty() || members.is_empty() => {
                return self.wrong_type("a name");
            }
            Value::Object(members) => {
                let message = alloc::format!(
                    "expected one name, found a mapping with {} keys; keep one of them",
                    members.len()
                );
                return Err(self.locate(DecodeError::custom(message)));
            }
            _ => return self.wrong_type("a name"),
        };
        let result = visitor.visit_enum(variant);
        result.map_err(|error| self.locate(error))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier
    }
}

impl<'de> de::IntoDeserializer<'de, DecodeError> for Place<'de, '_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
