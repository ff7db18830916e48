//! A value within a JSON or YAML document, found by JSON Pointer (RFC 6901) and compared by type.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::{Document, Findings, Limits};
use serde_json::Value;

use crate::checks::source::{Source, SourceFile};
use crate::outcome::{Input, Unmet};
use crate::path::{TreePath, visible};
use crate::tree::Tree;

/// What is read of one document: larger than a hand-written file, for the reports of tools.
const LIMITS: Limits = Limits {
    bytes_max: 4 << 20,
    depth_max: 64,
    nodes_max: 200_000,
};

/// Which syntax the file must be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    Json,
    Yaml,
}

impl Syntax {
    /// By how the name of a file ends.
    pub(crate) fn of_name(name: &str) -> Option<Syntax> {
        match name.rsplit_once('.') {
            Some((_, "json")) => Some(Syntax::Json),
            Some((_, "yaml" | "yml")) => Some(Syntax::Yaml),
            _ => None,
        }
    }
}

/// Asks for one value of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StructuredCheck {
    pub(crate) source: Source,
    pub(crate) syntax: Syntax,
    pub(crate) condition: Condition,
}

/// A comparison with the value at a pointer. A pointer that leads nowhere, or to a value of
/// another type, never meets it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    pub(crate) pointer: String,
    pub(crate) test: Test,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// The very same scalar; whole numbers are compared exactly.
    Equals(Value),
    AtLeast(serde_json::Number),
    AtMost(serde_json::Number),
    /// There, and neither null nor an empty text, list or object.
    Exists,
    /// A list or object with so many members.
    ItemsAtLeast(u32),
}

/// What each file has at the pointer, if anything.
type Values<'t> = Vec<(&'t TreePath, Option<Value>)>;

impl StructuredCheck {
    pub(crate) fn asked(&self) -> String {
        format!("in {}, {}", self.source.glob, self.condition.asked())
    }

    pub(crate) fn evaluate(&self, tree: &Tree) -> Result<(String, Vec<Input>), Unmet> {
        let (files, inputs) = self.source.open(tree)?;
        let mut found = Vec::new();
        for file in &files {
            let value = read_document(self.syntax, file)?;
            let figure = self.condition.test(&value);
            match figure {
                Ok(figure) => found.push(format!("{}: {figure}", file.path)),
                Err(figure) => return Err(Unmet::fail(format!("{}: {figure}", file.path))),
            }
        }
        Ok((found.join("; "), inputs))
    }

    /// The value at the pointer in each file, if it is there.
    pub(super) fn values<'t>(&self, tree: &'t Tree) -> Result<(Values<'t>, Vec<Input>), Unmet> {
        let (files, inputs) = self.source.open(tree)?;
        let value = |file: &SourceFile<'t>| {
            let document = read_document(self.syntax, file)?;
            let value = document.pointer(&self.condition.pointer).cloned();
            Ok((file.path, value))
        };
        let values: Result<_, Unmet> = files.iter().map(value).collect();
        Ok((values?, inputs))
    }
}

/// What a file says, as JSON.
pub(super) fn read_document(syntax: Syntax, file: &SourceFile<'_>) -> Result<Value, Unmet> {
    // The name tells the reader the syntax; the file's own name must not.
    let name = match syntax {
        Syntax::Json => "file.json",
        Syntax::Yaml => "file.yaml",
    };
    match Document::parse(name, file.bytes, &LIMITS) {
        Ok(document) => Ok(document.root().to_json()),
        Err(findings) => Err(Unmet::error(format!(
            "{} is not read: {}",
            file.path,
            visible(&first(&findings))
        ))),
    }
}

pub(super) fn first(findings: &Findings) -> String {
    let Some(finding) = findings.iter().next() else {
        return "it is malformed".to_string();
    };
    match finding.at {
        Some(at) => format!("{}:{}: {}", at.line, at.column, finding.message),
        None => finding.message.clone(),
    }
}

impl Condition {
    pub(crate) fn asked(&self) -> String {
        let place = if self.pointer.is_empty() {
            "the whole"
        } else {
            &self.pointer
        };
        match &self.test {
            Test::Equals(value) => format!("{place} equals {value}"),
            Test::AtLeast(number) => format!("{place} is at least {number}"),
            Test::AtMost(number) => format!("{place} is at most {number}"),
            Test::Exists => format!("{place} is there and not empty"),
            Test::ItemsAtLeast(count) => format!("{place} has at least {count} member(s)"),
        }
    }

    /// The figure found, as `Ok` if it meets the condition.
    pub(crate) fn test(&self, document: &Value) -> Result<String, String> {
        let Some(value) = document.pointer(&self.pointer) else {
            return Err(format!("{} is not there", self.pointer));
        };
        let met = match &self.test {
            Test::Equals(wanted) => same(value, wanted),
            Test::AtLeast(limit) => compare(value, limit).is_some_and(core::cmp::Ordering::is_ge),
            Test::AtMost(limit) => compare(value, limit).is_some_and(core::cmp::Ordering::is_le),
            Test::Exists => !matches!(members(value), Some(0)) && !value.is_null(),
            Test::ItemsAtLeast(count) => {
                !value.is_string() && members(value).is_some_and(|held| held >= *count as usize)
            }
        };
        let figure = format!("{} is {}", self.pointer, brief(value));
        if met { Ok(figure) } else { Err(figure) }
    }
}

/// The members of a list or object, or the characters of a text beyond white space.
fn members(value: &Value) -> Option<usize> {
    match value {
        Value::Array(items) => Some(items.len()),
        Value::Object(members) => Some(members.len()),
        Value::String(text) => Some(text.trim().chars().count()),
        _ => None,
    }
}

fn same(value: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Number(number) => compare(value, number).is_some_and(core::cmp::Ordering::is_eq),
        _ => value == wanted,
    }
}

/// Exact for whole numbers; through `f64` if either has a fraction.
fn compare(value: &Value, limit: &serde_json::Number) -> Option<core::cmp::Ordering> {
    let number = value.as_number()?;
    match (number.as_i128(), limit.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => number.as_f64()?.partial_cmp(&limit.as_f64()?),
    }
}

fn brief(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(members) => format!("an object of {}", members.len()),
        Value::String(text) if text.chars().count() > 60 => {
            format!("a text of {} characters", text.chars().count())
        }
        Value::String(text) => format!("{:?}", visible(text)),
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn meets(pointer: &str, test: Test, document: &Value) -> bool {
        Condition {
            pointer: pointer.to_string(),
            test,
        }
        .test(document)
        .is_ok()
    }

    fn number(text: &str) -> serde_json::Number {
        serde_json::from_str(text).expect("a number")
    }

    #[test]
    fn a_comparison_is_by_type() {
        let document = json!({
            "n": 3, "big": 9_007_199_254_740_993_u64, "f": 80.5, "s": "3", "e": "", "l": [], "o": {"a": 1},
            "t": true, "z": null, "a/b": {"~": 1}
        });
        let equals = |value: Value| Test::Equals(value);
        assert!(meets("/n", equals(json!(3)), &document));
        assert!(meets("/n", equals(json!(3.0)), &document));
        assert!(!meets("/s", equals(json!(3)), &document));
        assert!(!meets("/t", equals(json!("true")), &document));
        assert!(!meets(
            "/big",
            equals(json!(9_007_199_254_740_992_u64)),
            &document
        ));
        assert!(meets("/f", Test::AtLeast(number("80")), &document));
        assert!(!meets("/f", Test::AtLeast(number("80.6")), &document));
        assert!(meets("/n", Test::AtMost(number("3")), &document));
        assert!(!meets("/s", Test::AtMost(number("9")), &document));
        assert!(!meets("/gone", Test::AtMost(number("9")), &document));
        for there in ["/n", "/s", "/o", "/t", "/a~1b/~0"] {
            assert!(meets(there, Test::Exists, &document), "{there}");
        }
        for empty in ["/e", "/l", "/z", "/gone"] {
            assert!(!meets(empty, Test::Exists, &document), "{empty}");
        }
        assert!(meets("/o", Test::ItemsAtLeast(1), &document));
        assert!(!meets("/s", Test::ItemsAtLeast(1), &document));
    }
}
