//! Reading single values, each with its place, and collecting every finding.

use http::header::HeaderName;
use nonevent_document::{Code, Finding, Findings, Member, Node, Value, item_path, member_path};

use crate::bind::template::Template;
use crate::codes;
use crate::suite::model::{Field, JsonTemplate, Place};

/// Collects findings while values are taken out of the tree.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) findings: Findings,
}

impl Place {
    pub(crate) fn of(node: &Node, path: impl Into<String>) -> Place {
        Place {
            path: path.into(),
            span: node.span.clone(),
        }
    }

    pub(crate) fn error(&self, code: Code, message: impl Into<String>, help: &str) -> Finding {
        self.set(Finding::error(
            code,
            self.path.clone(),
            message.into(),
            help,
        ))
    }

    pub(crate) fn warning(&self, code: Code, message: impl Into<String>, help: &str) -> Finding {
        self.set(Finding::warning(
            code,
            self.path.clone(),
            message.into(),
            help,
        ))
    }

    pub(crate) fn note(&self, code: Code, message: impl Into<String>, help: &str) -> Finding {
        self.set(Finding::note(code, self.path.clone(), message.into(), help))
    }

    fn set(&self, finding: Finding) -> Finding {
        finding.spanning(&self.span)
    }
}

impl Reader {
    pub(crate) fn error(
        &mut self,
        code: Code,
        place: &Place,
        message: impl Into<String>,
        help: &str,
    ) {
        self.findings.push(place.error(code, message, help));
    }

    pub(crate) fn wrong_type(&mut self, node: &Node, path: &str, wanted: &str) {
        let place = Place::of(node, path);
        let message = format!("`{}` is {}", last(path), kind(&node.value));
        self.error(
            codes::WRONG_TYPE,
            &place,
            message,
            &format!("write {wanted}"),
        );
    }

    pub(crate) fn bad_value(&mut self, node: &Node, path: &str, message: String, help: &str) {
        self.error(codes::BAD_VALUE, &Place::of(node, path), message, help);
    }

    pub(crate) fn members<'n>(
        &mut self,
        node: &'n Node,
        path: &str,
        wanted: &str,
    ) -> Option<&'n [Member]> {
        if let Value::Object(members) = &node.value {
            return Some(members);
        }
        self.wrong_type(node, path, wanted);
        None
    }

    pub(crate) fn items<'n>(
        &mut self,
        node: &'n Node,
        path: &str,
        wanted: &str,
    ) -> Option<&'n [Node]> {
        if let Value::Array(items) = &node.value {
            return Some(items);
        }
        self.wrong_type(node, path, wanted);
        None
    }

    pub(crate) fn text<'n>(&mut self, node: &'n Node, path: &str, wanted: &str) -> Option<&'n str> {
        let text = node.as_str();
        if text.is_none() {
            self.wrong_type(node, path, wanted);
        }
        text
    }

    pub(crate) fn flag(&mut self, node: &Node, path: &str) -> Option<bool> {
        let flag = node.as_bool();
        if flag.is_none() {
            self.wrong_type(node, path, "true or false");
        }
        flag
    }

    /// A whole number within the inclusive bounds.
    pub(crate) fn whole(&mut self, node: &Node, path: &str, low: u64, high: u64) -> Option<u64> {
        let help = format!("a whole number from {low} to {high}");
        if !matches!(node.value, Value::Number(_)) {
            self.wrong_type(node, path, &help);
            return None;
        }
        let number = node
            .as_i64()
            .and_then(|n| u64::try_from(n).ok())
            .filter(|n| (low..=high).contains(n));
        if number.is_none() {
            let message = format!("`{}` is out of its bounds", last(path));
            self.bad_value(node, path, message, &format!("write {help}"));
        }
        number
    }

    pub(crate) fn template(
        &mut self,
        node: &Node,
        path: &str,
        wanted: &str,
    ) -> Option<Field<Template>> {
        let text = self.text(node, path, wanted)?;
        self.template_of(text, node, path)
    }

    pub(crate) fn template_of(
        &mut self,
        text: &str,
        node: &Node,
        path: &str,
    ) -> Option<Field<Template>> {
        let place = Place::of(node, path);
        match Template::parse(text) {
            Ok(value) => Some(Field { value, place }),
            Err(reference) => {
                self.error(
                    codes::BAD_REFERENCE,
                    &place,
                    format!("`{reference}` is no reference"),
                    "write ${name}, ${env:NAME}, or $${ for a plain ${",
                );
                None
            }
        }
    }

    /// The key of a member as a header name.
    pub(crate) fn header_name(&mut self, member: &Member, path: &str) -> Option<HeaderName> {
        let name = HeaderName::from_bytes(member.key.as_bytes()).ok();
        if name.is_none() {
            let place = Place {
                path: path.to_owned(),
                span: member.key_span.clone(),
            };
            let message = format!("`{}` is no header name", member.key);
            let help = "use letters, digits and `-`";
            self.error(codes::BAD_VALUE, &place, message, help);
        }
        name
    }

    /// A text as a header name.
    pub(crate) fn header_name_of(&mut self, node: &Node, path: &str) -> Option<HeaderName> {
        let text = self.text(node, path, "a header name")?;
        let name = HeaderName::from_bytes(text.as_bytes()).ok();
        if name.is_none() {
            let message = format!("`{text}` is no header name");
            self.bad_value(node, path, message, "use letters, digits and `-`");
        }
        name
    }

    /// A pattern; matching takes time linear in the text, and little memory.
    pub(crate) fn regex(&mut self, node: &Node, path: &str) -> Option<regex::Regex> {
        let text = self.text(node, path, "a regular expression")?;
        let built = regex::RegexBuilder::new(text)
            .size_limit(REGEX_BYTES_MAX)
            .dfa_size_limit(REGEX_BYTES_MAX)
            .build();
        match built {
            Ok(regex) => Some(regex),
            Err(error) => {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default();
                let message = format!("`{text}` is no regular expression: {why}");
                let help = "write one of Rust's `regex` syntax; `${name}` is not replaced in it";
                self.bad_value(node, path, message, help);
                None
            }
        }
    }

    /// A JSON value whose texts are templates.
    pub(crate) fn json(&mut self, node: &Node, path: &str) -> Option<Field<JsonTemplate>> {
        let value = self.json_value(node, path)?;
        Some(Field {
            value,
            place: Place::of(node, path),
        })
    }

    fn json_value(&mut self, node: &Node, path: &str) -> Option<JsonTemplate> {
        Some(match &node.value {
            Value::String(text) => JsonTemplate::Text(self.template_of(text, node, path)?.value),
            Value::Array(items) => {
                let mut out = Vec::with_capacity(items.len());
                for (at, item) in items.iter().enumerate() {
                    out.push(self.json_value(item, &item_path(path, at))?);
                }
                JsonTemplate::Array(out)
            }
            Value::Object(members) => {
                let mut out = Vec::with_capacity(members.len());
                for member in members {
                    let inner = self.json_value(&member.value, &member_path(path, &member.key))?;
                    out.push((member.key.clone(), inner));
                }
                JsonTemplate::Object(out)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => JsonTemplate::Fixed(node.to_json()),
        })
    }

    /// A field of one of this runner's own objects that it does not have.
    pub(crate) fn unknown_own(&mut self, member: &Member, path: &str, known: &str) {
        let place = Place {
            path: member_path(path, &member.key),
            span: member.key_span.clone(),
        };
        let message = format!("`{}` has no field `{}`", last(path), member.key);
        self.error(
            codes::BAD_VALUE,
            &place,
            message,
            &format!("its fields are {known}"),
        );
    }
}

/// Memory that one pattern may take.
const REGEX_BYTES_MAX: usize = 1 << 20;

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
