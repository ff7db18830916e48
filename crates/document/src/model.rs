//! Any serialisable value as the JSON data model, members in the order they were written.
//!
//! Both writers start here: canonical JSON, because `serde_json::to_value` turns NaN into `null`
//! without a word, and YAML, because `serde_yaml` writes enum variants as tags, which our own
//! reader refuses.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::ser::{self, Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

/// One value of the JSON data model. Numbers are finite.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Why a value has no form in the JSON data model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ModelError {
    /// NaN or an infinity.
    NotFinite,
    /// An integer outside `i64` and `u64`.
    IntegerRange(String),
    /// A map key that is neither text, a number, a boolean nor a unit variant.
    Key,
    /// One object has the key twice.
    DuplicateKey(String),
    /// What the value's own `Serialize` said.
    Custom(String),
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelError::NotFinite => f.write_str("a number is NaN or infinite"),
            ModelError::IntegerRange(text) => {
                write!(f, "the integer {text} does not fit into 64 bits")
            }
            ModelError::Key => f.write_str("a map key is not text"),
            ModelError::DuplicateKey(key) => write!(f, "the key `{key}` occurs twice in a map"),
            ModelError::Custom(message) => f.write_str(message),
        }
    }
}

impl core::error::Error for ModelError {}

impl ser::Error for ModelError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        ModelError::Custom(message.to_string())
    }
}

/// Serialises `value` into the model.
pub(crate) fn json_of<T: Serialize + ?Sized>(value: &T) -> Result<Json, ModelError> {
    value.serialize(ModelSerializer)
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Unsigned(value) => serializer.serialize_u64(*value),
            Json::Signed(value) => serializer.serialize_i64(*value),
            Json::Float(value) => serializer.serialize_f64(*value),
            Json::String(value) => serializer.serialize_str(value),
            Json::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Json::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

fn under(variant: &str, value: Json) -> Json {
    Json::Object(alloc::vec![(variant.to_owned(), value)])
}

struct ModelSerializer;

impl Serializer for ModelSerializer {
    type Ok = Json;
    type Error = ModelError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Members;
    type SerializeStruct = Members;
    type SerializeStructVariant = Members;

    fn serialize_bool(self, value: bool) -> Result<Json, ModelError> {
        Ok(Json::Bool(value))
    }
    fn serialize_i8(self, value: i8) -> Result<Json, ModelError> {
        self.serialize_i64(value.into())
    }
    fn serialize_i16(self, value: i16) -> Result<Json, ModelError> {
        self.serialize_i64(value.into())
    }
    fn serialize_i32(self, value: i32) -> Result<Json, ModelError> {
        self.serialize_i64(value.into())
    }
    fn serialize_i64(self, value: i64) -> Result<Json, ModelError> {
        Ok(u64::try_from(value).map_or(Json::Signed(value), Json::Unsigned))
    }
    fn serialize_i128(self, value: i128) -> Result<Json, ModelError> {
        if let Ok(value) = u64::try_from(value) {
            return Ok(Json::Unsigned(value));
        }
        i64::try_from(value)
            .map(Json::Signed)
            .map_err(|_| ModelError::IntegerRange(value.to_string()))
    }
    fn serialize_u8(self, value: u8) -> Result<Json, ModelError> {
        self.serialize_u64(value.into())
    }
    fn serialize_u16(self, value: u16) -> Result<Json, ModelError> {
        self.serialize_u64(value.into())
    }
    fn serialize_u32(self, value: u32) -> Result<Json, ModelError> {
        self.serialize_u64(value.into())
    }
    fn serialize_u64(self, value: u64) -> Result<Json, ModelError> {
        Ok(Json::Unsigned(value))
    }
    fn serialize_u128(self, value: u128) -> Result<Json, ModelError> {
        u64::try_from(value)
            .map(Json::Unsigned)
            .map_err(|_| ModelError::IntegerRange(value.to_string()))
    }
    fn serialize_f32(self, value: f32) -> Result<Json, ModelError> {
        self.serialize_f64(value.into())
    }
    fn serialize_f64(self, value: f64) -> Result<Json, ModelError> {
        if value.is_finite() {
            Ok(Json::Float(value))
        } else {
            Err(ModelError::NotFinite)
        }
    }
    fn serialize_char(self, value: char) -> Result<Json, ModelError> {
        Ok(Json::String(value.to_string()))
    }
    fn serialize_str(self, value: &str) -> Result<Json, ModelError> {
        Ok(Json::String(value.to_owned()))
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<Json, ModelError> {
        let items = value.iter().map(|byte| Json::Unsigned((*byte).into()));
        Ok(Json::Array(items.collect()))
    }
    fn serialize_none(self) -> Result<Json, ModelError> {
        Ok(Json::Null)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Json, ModelError> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<Json, ModelError> {
        Ok(Json::Null)
    }
    fn serialize_unit_struct(self, _name: &'static str) -> Result<Json, ModelError> {
        Ok(Json::Null)
    }
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Json, ModelError> {
        Ok(Json::String(variant.to_owned()))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Json, ModelError> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Json, ModelError> {
        Ok(under(variant, value.serialize(self)?))
    }
    fn serialize_seq(self, _len: Option<usize>) -> Result<Items, ModelError> {
        Ok(Items::default())
    }
    fn serialize_tuple(self, _len: usize) -> Result<Items, ModelError> {
        Ok(Items::default())
    }
    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Items, ModelError> {
        Ok(Items::default())
    }
    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Items, ModelError> {
        Ok(Items {
            variant: Some(variant),
            ..Items::default()
        })
    }
    fn serialize_map(self, _len: Option<usize>) -> Result<Members, ModelError> {
        Ok(Members::default())
    }
    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Members, ModelError> {
        Ok(Members::default())
    }
    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Members, ModelError> {
        Ok(Members {
            variant: Some(variant),
            ..Members::default()
        })
    }
}

#[derive(Default)]
struct Items {
    variant: Option<&'static str>,
    items: Vec<Json>,
}

impl Items {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ModelError> {
        self.items.push(json_of(value)?);
        Ok(())
    }

    fn close(self) -> Json {
        let array = Json::Array(self.items);
        match self.variant {
            Some(variant) => under(variant, array),
            None => array,
        }
    }
}

#[derive(Default)]
struct Members {
    variant: Option<&'static str>,
    key: Option<String>,
    members: Vec<(String, Json)>,
}

impl Members {
    fn add<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), ModelError> {
        self.members.push((key.to_owned(), json_of(value)?));
        Ok(())
    }

    fn close(self) -> Result<Json, ModelError> {
        let mut keys: Vec<&str> = self.members.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ModelError::DuplicateKey(pair[0].to_owned()));
        }
        let object = Json::Object(self.members);
        Ok(match self.variant {
            Some(variant) => under(variant, object),
            None => object,
        })
    }
}

impl ser::SerializeSeq for Items {
    type Ok = Json;
    type Error = ModelError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ModelError> {
        self.add(value)
    }
    fn end(self) -> Result<Json, ModelError> {
        Ok(self.close())
    }
}

impl ser::SerializeTuple for Items {
    type Ok = Json;
    type Error = ModelError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ModelError> {
        self.add(value)
    }
    fn end(self) -> Result<Json, ModelError> {
        Ok(self.close())
    }
}

impl ser::SerializeTupleStruct for Items {
    type Ok = Json;
    type Error = ModelError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ModelError> {
        self.add(value)
    }
    fn end(self) -> Result<Json, ModelError> {
        Ok(self.close())
    }
}

impl ser::SerializeTupleVariant for Items {
    type Ok = Json;
    type Error = ModelError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ModelError> {
        self.add(value)
    }
    fn end(self) -> Result<Json, ModelError> {
        Ok(self.close())
    }
}

impl ser::SerializeMap for Members {
    type Ok = Json;
    type Error = ModelError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ModelError> {
        self.key = Some(match json_of(key)? {
            Json::String(text) => text,
            Json::Bool(value) => format!("{value}"),
            Json::Unsigned(value) => format!("{value}"),
            Json::Signed(value) => format!("{value}"),
            Json::Null | Json::Float(_) | Json::Array(_) | Json::Object(_) => {
                return Err(ModelError::Key);
            }
        });
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ModelError> {
        let key = self.key.take().ok_or(ModelError::Key)?;
        self.add(&key, value)
    }
    fn end(self) -> Result<Json, ModelError> {
        self.close()
    }
}

impl ser::SerializeStruct for Members {
    type Ok = Json;
    type Error = ModelError;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), ModelError> {
        self.add(key, value)
    }
    fn end(self) -> Result<Json, ModelError> {
        self.close()
    }
}

impl ser::SerializeStructVariant for Members {
    type Ok = Json;
    type Error = ModelError;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), ModelError> {
        self.add(key, value)
    }
    fn end(self) -> Result<Json, ModelError> {
        self.close()
    }
}
