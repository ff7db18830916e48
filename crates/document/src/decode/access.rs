//! Lists, mappings, keys and enum variants of a tree, as serde walks them.

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::error::DecodeError;
use super::{Place, Trail};
use crate::{Member, Node, Span, Value};

/// The items of a list.
pub(super) struct Items<'de, 'p> {
    rest: core::iter::Enumerate<core::slice::Iter<'de, Node>>,
    trail: &'p Trail<'p>,
}

impl<'de, 'p> Items<'de, 'p> {
    pub(super) fn new(items: &'de [Node], trail: &'p Trail<'p>) -> Self {
        Items {
            rest: items.iter().enumerate(),
            trail,
        }
    }

    /// Refuses items that a type of fixed length has left over.
    pub(super) fn finish(mut self, length: usize) -> Result<(), DecodeError> {
        match self.rest.next() {
            None => Ok(()),
            Some((used, _)) => {
                let expected = alloc::format!("a list of {used} items");
                Err(DecodeError::invalid_length(length, &expected.as_str()))
            }
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'de, '_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some((index, node)) = self.rest.next() else {
            return Ok(None);
        };
        let trail = Trail::Item(self.trail, index);
        let place = Place {
            node,
            key_span: None,
            trail: &trail,
        };
        let result = seed.deserialize(place);
        result.map(Some).map_err(|error| place.locate(error))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The members of a mapping.
pub(super) struct Members<'de, 'p> {
    rest: core::slice::Iter<'de, Member>,
    value: Option<&'de Member>,
    trail: &'p Trail<'p>,
}

impl<'de, 'p> Members<'de, 'p> {
    pub(super) fn new(members: &'de [Member], trail: &'p Trail<'p>) -> Self {
        Members {
            rest: members.iter(),
            value: None,
            trail,
        }
    }
}

impl<'de> MapAccess<'de> for Members<'de, '_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some(member) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(member);
        let key = Key { text: &member.key };
        seed.deserialize(key).map(Some).map_err(|error| {
            error.locate(|| {
                let path = Trail::Key(self.trail, &member.key).path();
                (path, member.key_span.clone())
            })
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let member = self
            .value
            .take()
            .ok_or_else(|| DecodeError::custom("a value was asked for before its key"))?;
        let trail = Trail::Key(self.trail, &member.key);
        let place = Place {
            node: &member.value,
            key_span: Some(&member.key_span),
            trail: &trail,
        };
        seed.deserialize(place).map_err(|error| place.locate(error))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A key: text, or what can be read from it if the type asks for a number or a boolean.
struct Key<'de> {
    text: &'de str,
}

macro_rules! key_as {
    ($($method:ident $visit:ident $type:ty),* $(,)?) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
                match self.text.parse::<$type>() {
                    Ok(value) => visitor.$visit(value),
                    Err(_) => visitor.visit_borrowed_str(self.text),
                }
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_borrowed_str(self.text)
    }

    key_as! {
        deserialize_bool visit_bool bool,
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_enum(de::value::BorrowedStrDeserializer::new(self.text))
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

/// The variant of an enum: a name, or a mapping with the name as its only key.
pub(super) struct Variant<'de, 'p> {
    name: &'de str,
    name_span: &'de Span,
    content: Option<&'de Node>,
    place: Place<'de, 'p>,
}

impl<'de, 'p> Variant<'de, 'p> {
    pub(super) fn named(name: &'de str, place: &Place<'de, 'p>) -> Self {
        Variant {
            name,
            name_span: &place.node.span,
            content: None,
            place: *place,
        }
    }

    pub(super) fn member(member: &'de Member, place: &Place<'de, 'p>) -> Self {
        Variant {
            name: &member.key,
            name_span: &member.key_span,
            content: Some(&member.value),
            place: *place,
        }
    }

    /// Runs `read` on the content with its place.
    fn with_content<T>(
        &self,
        expected: &str,
        read: impl FnOnce(Place<'de, '_>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let Some(node) = self.content else {
            return self.place.wrong_type(expected);
        };
        let trail = Trail::Key(self.place.trail, self.name);
        let place = Place {
            node,
            key_span: Some(self.name_span),
            trail: &trail,
        };
        read(place).map_err(|error| place.locate(error))
    }
}

impl<'de> EnumAccess<'de> for Variant<'de, '_> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), DecodeError> {
        let name = de::value::BorrowedStrDeserializer::new(self.name);
        match seed.deserialize(name) {
            Ok(value) => Ok((value, self)),
            Err(error) => {
                let error: DecodeError = error;
                Err(error.locate(|| (self.place.trail.path(), self.name_span.clone())))
            }
        }
    }
}

impl<'de> VariantAccess<'de> for Variant<'de, '_> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        match self.content.map(|node| &node.value) {
            None | Some(Value::Null) => Ok(()),
            Some(_) => self.with_content("nothing", |place| place.wrong_type("unit")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        let expected = "a mapping with this name as its key";
        self.with_content(expected, |place| seed.deserialize(place))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let expected = "a mapping with this name as its key";
        self.with_content(expected, |place| place.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let expected = "a mapping with this name as its key";
        self.with_content(expected, |place| {
            place.deserialize_struct("", fields, visitor)
        })
    }
}
