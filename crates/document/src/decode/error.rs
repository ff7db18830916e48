//! What went wrong while a tree became a typed value, and where.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use serde::de::{self, Expected, Unexpected};

use super::{suggest, words};
use crate::rules::{INVALID_VALUE, MISSING_FIELD, UNKNOWN_FIELD, UNKNOWN_NAME, WRONG_TYPE};
use crate::text::shown;
use crate::{Finding, Node, Rule, Span, Value};

/// Boxed because results of it are passed through every level of a value.
#[derive(Debug)]
pub(super) struct DecodeError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    rule: Rule,
    message: String,
    help: String,
    /// The unknown field, whose place can be found again when serde has lost it.
    field: Option<String>,
    place: Option<(String, Span)>,
}

impl DecodeError {
    fn new(rule: Rule, message: String, help: String) -> Self {
        DecodeError(Box::new(Inner {
            rule,
            message,
            help,
            field: None,
            place: None,
        }))
    }

    /// Adds the place, unless a value further inside has.
    pub(super) fn locate(mut self, place: impl FnOnce() -> (String, Span)) -> Self {
        if self.0.place.is_none() {
            self.0.place = Some(place());
        }
        self
    }

    /// Whether the place is still unknown.
    pub(super) fn is_lost(&self) -> bool {
        self.0.place.is_none()
    }

    /// Whether it is about a mapping as a whole, so that its key is the better place.
    pub(super) fn is_about_whole(&self) -> bool {
        self.0.rule.code == MISSING_FIELD.code
    }

    /// Looks for an unknown field below the node that serde had buffered (tagged and flattened
    /// types), and gives the way to it if the name occurs once.
    pub(super) fn find_field<'n>(&self, node: &'n Node) -> Option<(String, &'n Span)> {
        let field = self.0.field.as_deref()?;
        let mut found = None;
        search(node, "", field, &mut found);
        match found {
            Some(Hits::One(path, span)) => Some((path, span)),
            _ => None,
        }
    }

    pub(super) fn into_finding(self) -> Finding {
        let Inner {
            rule,
            message,
            help,
            place,
            ..
        } = *self.0;
        match place {
            Some((path, span)) => rule.finding(path, message, help).spanning(&span),
            None => rule.finding("", message, help),
        }
    }
}

enum Hits<'n> {
    One(String, &'n Span),
    Many,
}

fn search<'n>(node: &'n Node, path: &str, field: &str, found: &mut Option<Hits<'n>>) {
    match &node.value {
        Value::Object(members) => {
            for member in members {
                let path = crate::member_path(path, &member.key);
                if member.key == field {
                    *found = Some(match found {
                        None => Hits::One(path.clone(), &member.key_span),
                        Some(_) => Hits::Many,
                    });
                }
                search(&member.value, &path, field, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                search(item, &crate::item_path(path, index), field, found);
            }
        }
        _ => {}
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl core::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let text = message.to_string();
        if text.starts_with("data did not match any variant of untagged enum") {
            let message = String::from("this has none of the forms that can stand here");
            return Self::new(
                INVALID_VALUE,
                message,
                String::from("compare it with the examples"),
            );
        }
        match text.split_once("; ") {
            Some((what, help)) => Self::new(INVALID_VALUE, what.into(), help.into()),
            None => Self::new(INVALID_VALUE, text, String::from("correct the value")),
        }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = words::expected(expected);
        let help = words::advice(&unexpected, &expected);
        let message = format!("expected {expected}, found {}", words::found(&unexpected));
        Self::new(WRONG_TYPE, message, String::from(help))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = words::expected(expected);
        let message = format!("expected {expected}, found {}", words::found(&unexpected));
        Self::new(
            INVALID_VALUE,
            message,
            String::from("change it to what is expected"),
        )
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let message = format!("expected {expected}, found {length} items");
        Self::new(
            INVALID_VALUE,
            message,
            String::from("change the number of items"),
        )
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        let message = format!("`{}` is not a name that is known here", shown(name));
        Self::new(UNKNOWN_NAME, message, suggest::advice(name, known))
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        let message = format!("the field `{}` is not known here", shown(name));
        let mut error = Self::new(UNKNOWN_FIELD, message, suggest::advice(name, known));
        error.0.field = Some(name.into());
        error
    }

    fn missing_field(name: &'static str) -> Self {
        let message = format!("the field `{name}` is missing");
        Self::new(
            MISSING_FIELD,
            message,
            format!("add `{name}:` with a value"),
        )
    }

    fn duplicate_field(name: &'static str) -> Self {
        let message = format!("the field `{name}` is given twice, under two of its names");
        Self::new(INVALID_VALUE, message, String::from("keep one of the two"))
    }
}
