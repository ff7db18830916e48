//! Places in a document's structure: `strategy.steps[2].pause`.

use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::String;

use crate::{Node, Span, Value};

/// One step from a node to a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Key(Cow<'a, str>),
    Index(usize),
}

impl Step<'_> {
    /// The child this step leads to, and the place of its key if it has one.
    pub(crate) fn enter<'n>(&self, node: &'n Node) -> Option<(Option<&'n Span>, &'n Node)> {
        match (self, &node.value) {
            (Step::Key(key), Value::Object(members)) => members
                .iter()
                .find(|member| member.key == *key)
                .map(|member| (Some(&member.key_span), &member.value)),
            (Step::Index(index), Value::Array(items)) => items.get(*index).map(|item| (None, item)),
            _ => None,
        }
    }
}

fn is_plain(key: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
    !key.is_empty() && key.chars().all(plain)
}

/// The path of a member of the mapping at `parent`.
///
/// ```
/// use nonevent_document::member_path;
/// assert_eq!(member_path("strategy", "pause"), "strategy.pause");
/// assert_eq!(member_path("", "x.y"), "[\"x.y\"]");
/// ```
#[must_use]
pub fn member_path(parent: &str, key: &str) -> String {
    match (is_plain(key), parent.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => {
            let mut path = String::with_capacity(parent.len() + 1 + key.len());
            path.push_str(parent);
            path.push('.');
            path.push_str(key);
            path
        }
        (false, _) => {
            let escaped = key.replace('\\', "\\\\").replace('"', "\\\"");
            format!("{parent}[\"{escaped}\"]")
        }
    }
}

/// The path of an item (from 0) of the list at `parent`.
#[must_use]
pub fn item_path(parent: &str, index: usize) -> String {
    format!("{parent}[{index}]")
}

/// The steps of a path; `None` and then nothing more where it is malformed.
pub(crate) struct Steps<'a> {
    rest: &'a str,
    first: bool,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(path: &'a str) -> Self {
        Steps {
            rest: path,
            first: true,
        }
    }

    fn quoted(&mut self, inner: &'a str) -> Option<Step<'a>> {
        let mut key = String::new();
        let mut chars = inner.char_indices();
        while let Some((at, character)) = chars.next() {
            match character {
                '"' => {
                    self.rest = inner[at + 1..].strip_prefix(']')?;
                    return Some(Step::Key(Cow::Owned(key)));
                }
                '\\' => key.push(chars.next()?.1),
                other => key.push(other),
            }
        }
        None
    }

    fn step(&mut self) -> Option<Step<'a>> {
        let first = core::mem::replace(&mut self.first, false);
        if let Some(inner) = self.rest.strip_prefix("[\"") {
            return self.quoted(inner);
        }
        if let Some(inner) = self.rest.strip_prefix('[') {
            let (number, rest) = inner.split_once(']')?;
            self.rest = rest;
            return number.parse().ok().map(Step::Index);
        }
        let name = match self.rest.strip_prefix('.') {
            Some(name) if !first => name,
            None if first => self.rest,
            _ => return None,
        };
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (key, rest) = name.split_at(end);
        self.rest = rest;
        (!key.is_empty()).then_some(Step::Key(Cow::Borrowed(key)))
    }
}

impl<'a> Iterator for Steps<'a> {
    type Item = Option<Step<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let step = self.step();
        if step.is_none() {
            self.rest = "";
        }
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_path_reads_back_as_its_steps() {
        let path = item_path(&member_path(&member_path("a-b", "c\"\\.d"), "e"), 3);
        assert_eq!(path, r#"a-b["c\"\\.d"].e[3]"#);
        let steps: Option<Vec<Step<'_>>> = Steps::new(&path).collect();
        let key = |key: &'static str| Step::Key(Cow::Borrowed(key));
        let expected = alloc::vec![key("a-b"), key("c\"\\.d"), key("e"), Step::Index(3)];
        assert_eq!(steps, Some(expected));
    }

    #[test]
    fn malformed_paths_lead_nowhere() {
        for path in [
            ".a", "a..b", "a.", "a[", "a[x]", "a[\"b]", "a[\"b\"x", "a[1]b",
        ] {
            let steps: Option<Vec<Step<'_>>> = Steps::new(path).collect();
            assert_eq!(steps, None, "{path}");
        }
    }
}
