//! Writing YAML that this crate's own reader accepts.

use alloc::string::{String, ToString};

use serde::Serialize;

use crate::model::json_of;

/// A value cannot be written as YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be written as YAML: {text}")]
pub struct WriteError {
    text: String,
}

/// `value` as block-style YAML, members in the order in which they serialise, with a final line
/// break. Enum variants are written as in JSON (`name` or `name: content`), not as tags.
///
/// # Errors
///
/// NaN and infinities, integers that do not fit into 64 bits, map keys that are not text or occur
/// twice, and whatever the value's own `Serialize` refuses.
///
/// ```
/// let value = serde_json::json!({ "service": "shop", "steps": [5, 25] });
/// assert_eq!(nonevent_document::to_yaml(&value).unwrap(), "service: shop\nsteps:\n- 5\n- 25\n");
/// ```
pub fn to_yaml<T: Serialize + ?Sized>(value: &T) -> Result<String, WriteError> {
    let json = json_of(value).map_err(|error| WriteError {
        text: error.to_string(),
    })?;
    serde_yaml::to_string(&json).map_err(|error| WriteError {
        text: error.to_string(),
    })
}
