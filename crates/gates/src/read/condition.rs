//! From a comparison on disk to one as data.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Number, Value};

use super::Reader;
use crate::checks::{Condition, Test};

/// A comparison as documents write it: exactly one of five tests.
pub(super) struct Comparison {
    pub(super) pointer: String,
    /// What the pointer's field is called, for messages.
    pub(super) field: &'static str,
    pub(super) equals: Option<Value>,
    pub(super) at_least: Option<Number>,
    pub(super) at_most: Option<Number>,
    pub(super) exists: Option<bool>,
    pub(super) items_at_least: Option<u32>,
}

impl Comparison {
    pub(super) fn read(self, reader: &mut Reader, path: &str) -> Option<Condition> {
        let pointer = &self.pointer;
        let escapes_are_sound = pointer
            .split('~')
            .skip(1)
            .all(|t| t.starts_with(['0', '1']));
        if !(pointer.is_empty() || pointer.starts_with('/')) || !escapes_are_sound {
            reader.refuse(
                "NE3011",
                format!("{path}.{}", self.field),
                "this is no JSON Pointer",
                "write `/` before each name, `~1` for a slash within one and `~0` for a tilde",
            );
            return None;
        }
        if matches!(self.equals, Some(Value::Array(_) | Value::Object(_))) {
            reader.refuse(
                "NE3010",
                format!("{path}.equals"),
                "lists and objects are not compared",
                "compare one text, number or truth value",
            );
            return None;
        }
        if self.exists == Some(false) {
            reader.refuse(
                "NE3010",
                format!("{path}.exists"),
                "absence is not asked for: a mistyped pointer would meet it",
                "name a value whose presence means that the thing is absent",
            );
            return None;
        }
        let mut tests = Vec::new();
        tests.extend(self.equals.map(Test::Equals));
        tests.extend(self.at_least.map(Test::AtLeast));
        tests.extend(self.at_most.map(Test::AtMost));
        tests.extend(self.exists.map(|_| Test::Exists));
        tests.extend(self.items_at_least.map(Test::ItemsAtLeast));
        match <[Test; 1]>::try_from(tests) {
            Ok([test]) => Some(Condition {
                pointer: self.pointer,
                test,
            }),
            Err(tests) => {
                reader.refuse(
                    "NE3010",
                    path,
                    format!("there are {} comparisons", tests.len()),
                    "write exactly one of `equals`, `at_least`, `at_most`, `exists: true`, \
                     `items_at_least`",
                );
                None
            }
        }
    }
}
