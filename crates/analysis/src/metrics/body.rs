//! A reply's body as JSON, under limits, and places in it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use serde_json::{Map, Value};

use super::error::{MetricsError, MetricsErrorKind};
use crate::window::GapReason;

/// The largest body that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 8 << 20;
/// The deepest nesting of arrays and objects that is read.
pub const BODY_DEPTH_MAX: usize = 32;
/// Characters of a foreign text that are repeated in an error.
const QUOTED_CHARS_MAX: usize = 160;

/// Reads a body under [`BODY_BYTES_MAX`] and [`BODY_DEPTH_MAX`].
pub(crate) fn read(body: &[u8]) -> Result<Value, MetricsError> {
    let large = |text: String| {
        let kind = MetricsErrorKind::TooLarge;
        MetricsError::new(kind, GapReason::Unreadable, String::new(), text)
    };
    if body.len() > BODY_BYTES_MAX {
        let size = body.len();
        return Err(large(format!(
            "the body has {size} bytes, over the limit of {BODY_BYTES_MAX}; ask for fewer series \
             (sum in the query) or a shorter range"
        )));
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        let hint = match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => "it is empty",
            Some(b'<') => "it looks like a page for people: is a login or a proxy in between?",
            Some(_) => "is this the address of the API?",
        };
        MetricsError::new(
            MetricsErrorKind::NotJson,
            GapReason::Unreadable,
            String::new(),
            format!("the body is not JSON ({error}); {hint}"),
        )
    })?;
    if !within_depth(&value, BODY_DEPTH_MAX) {
        return Err(large(format!(
            "the body is nested deeper than {BODY_DEPTH_MAX}"
        )));
    }
    Ok(value)
}

// The parser itself stops at 128 levels, so this cannot run out of stack.
fn within_depth(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(items) => left > 0 && items.iter().all(|item| within_depth(item, left - 1)),
        Value::Object(fields) => {
            left > 0 && fields.values().all(|item| within_depth(item, left - 1))
        }
        _ => true,
    }
}

/// A foreign text, cut short, for use in an error: control characters are escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == QUOTED_CHARS_MAX {
            out.push('…');
            break;
        }
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// A value and the way to it. The way is a list on the stack, written out only for an error.
#[derive(Clone, Copy)]
pub(crate) struct Node<'p, 'v> {
    pub(crate) value: &'v Value,
    parent: Option<&'p Node<'p, 'v>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Field(&'p str),
    Index(usize),
}

impl<'p, 'v> Node<'p, 'v> {
    pub(crate) const fn root(value: &'v Value) -> Self {
        Self {
            value,
            parent: None,
            step: Step::Index(0),
        }
    }

    pub(crate) fn place(&self) -> String {
        let mut steps = Vec::new();
        let mut node = self;
        while let Some(parent) = node.parent {
            steps.push(node.step);
            node = parent;
        }
        let mut out = String::new();
        for step in steps.into_iter().rev() {
            // Writing to a string cannot fail.
            let _ = match step {
                Step::Field(name) if out.is_empty() => write!(out, "{}", quoted(name)),
                Step::Field(name) => write!(out, ".{}", quoted(name)),
                Step::Index(index) => write!(out, "[{index}]"),
            };
        }
        out
    }

    /// "expected X, found Y".
    pub(crate) fn unlike(&self, expected: &str) -> MetricsError {
        let found = match self.value {
            Value::Null => "null".to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => quoted(&number.to_string()),
            Value::String(text) => format!("\"{}\"", quoted(text)),
            Value::Array(items) => format!("an array of {}", items.len()),
            Value::Object(_) => "an object".to_string(),
        };
        MetricsError::shape(
            self.place(),
            format!("expected {expected}, found {found}; is this the reply of the API asked?"),
        )
    }

    pub(crate) fn object(&self) -> Result<&'v Map<String, Value>, MetricsError> {
        self.value
            .as_object()
            .ok_or_else(|| self.unlike("an object"))
    }

    pub(crate) fn array(&self) -> Result<&'v [Value], MetricsError> {
        let items = self.value.as_array();
        items
            .map(Vec::as_slice)
            .ok_or_else(|| self.unlike("an array"))
    }

    pub(crate) fn text(&self) -> Result<&'v str, MetricsError> {
        self.value.as_str().ok_or_else(|| self.unlike("a string"))
    }

    /// The field of an object, if it is there and not `null`.
    pub(crate) fn optional<'n>(
        &'n self,
        name: &'n str,
    ) -> Result<Option<Node<'n, 'v>>, MetricsError>
    where
        'p: 'n,
    {
        let value = self.object()?.get(name).filter(|value| !value.is_null());
        Ok(value.map(|value| Node {
            value,
            parent: Some(self),
            step: Step::Field(name),
        }))
    }

    pub(crate) fn field<'n>(&'n self, name: &'n str) -> Result<Node<'n, 'v>, MetricsError>
    where
        'p: 'n,
    {
        self.optional(name)?.ok_or_else(|| {
            MetricsError::shape(
                self.place(),
                format!("there is no field `{name}`; is this the reply of the API asked?"),
            )
        })
    }

    pub(crate) fn items<'n>(
        &'n self,
    ) -> Result<impl Iterator<Item = Node<'n, 'v>> + use<'n, 'v>, MetricsError>
    where
        'p: 'n,
    {
        let items = self.array()?.iter().enumerate();
        Ok(items.map(|(index, value)| Node {
            value,
            parent: Some(self),
            step: Step::Index(index),
        }))
    }

    /// The items of an array of exactly `N`.
    pub(crate) fn tuple<'n, const N: usize>(
        &'n self,
        expected: &str,
    ) -> Result<[Node<'n, 'v>; N], MetricsError>
    where
        'p: 'n,
    {
        let items: Vec<Node<'n, 'v>> = self.items().map_err(|_| self.unlike(expected))?.collect();
        items.try_into().map_err(|_| self.unlike(expected))
    }

    pub(crate) fn texts(&self) -> Result<Vec<String>, MetricsError> {
        let texts = self.items()?.map(|item| item.text().map(String::from));
        texts.collect()
    }
}
