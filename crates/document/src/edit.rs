//! Changes of single values as edits of the document's own text: comments, order, quotes and
//! indentation stay what they are everywhere else.

mod error;
mod write;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use serde::Serialize;

use crate::path::{Step, Steps};
use crate::{Document, Member, Node, Span, Value};
pub use error::{EditError, EditErrorKind};
use write::{flow, key_text, scalar};

/// A value that a place of a document is to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where, such as `flags.checkout.state`. The last key need not be there yet.
    pub path: String,
    /// What is to stand there.
    pub value: serde_json::Value,
}

impl Change {
    /// `value` at `path`.
    #[must_use]
    pub fn new(path: impl Into<String>, value: impl Into<serde_json::Value>) -> Change {
        Change {
            path: path.into(),
            value: value.into(),
        }
    }
}

/// A piece of text in place of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// The bytes that it takes the place of; empty where something is added.
    pub bytes: Range<usize>,
    /// What stands there instead.
    pub text: String,
}

/// Where a change takes place.
enum Place<'d> {
    /// In place of this value, which has a key unless it is an item of a list.
    Value(Option<&'d Span>, &'d Node),
    /// As a new member of this mapping.
    Member(&'d Node, String),
}

impl Document {
    /// The edits of [`Document::text`] that give it these values, in the order of the text and apart
    /// from each other.
    ///
    /// A scalar keeps its quotes where the new one can; lists and mappings are written on one line; a
    /// new member follows the last one that stands on a line of its own. What the edited text says is
    /// read back: if it is not exactly what was asked for, there are no edits.
    ///
    /// # Errors
    ///
    /// If a place does not exist or is shared through an anchor, two changes are about one place, or
    /// the text is written so that no edit has the effect.
    ///
    /// ```
    /// use nonevent_document::{Change, Document, Limits, edited};
    ///
    /// let text = "fleet:\n  replicas: 4   # until May\n  zone: 'a'\n";
    /// let document = Document::parse("fleet.yaml", text.as_bytes(), &Limits::default())?;
    /// let edits = document.edits(&[
    ///     Change::new("fleet.zone", "b"),
    ///     Change::new("fleet.replicas", 6),
    ///     Change::new("fleet.spare", 1),
    /// ])?;
    /// assert_eq!(
    ///     edited(document.text(), &edits),
    ///     "fleet:\n  replicas: 6   # until May\n  zone: 'b'\n  spare: 1\n",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn edits(&self, changes: &[Change]) -> Result<Vec<Edit>, EditError> {
        let mut expected = self.root().to_json();
        let mut edits = Vec::with_capacity(changes.len());
        let mut added: Vec<(&Node, Vec<(String, &serde_json::Value)>)> = Vec::new();
        for change in changes {
            let place = self.place(&change.path)?;
            assign(&mut expected, &change.path, &change.value);
            match place {
                // What is so already stays as it is written.
                Place::Value(_, node) if node.to_json() == change.value => {}
                Place::Value(key, node) => edits.push(self.replaced(key, node, &change.value)),
                Place::Member(mapping, key) => {
                    let member = (key, &change.value);
                    match added
                        .iter_mut()
                        .find(|(known, _)| known.span == mapping.span)
                    {
                        Some((_, members)) => members.push(member),
                        None => added.push((mapping, alloc::vec![member])),
                    }
                }
            }
        }
        for (mapping, members) in &added {
            edits.push(self.added(mapping, members));
        }
        edits.sort_by_key(|edit| (edit.bytes.start, edit.bytes.end));
        let (path, at) = match changes {
            [only] => (&*only.path, Some(&self.root().span)),
            _ => ("", None),
        };
        let apart = |pair: &[Edit]| matches!(pair, [a, b] if a.bytes.end <= b.bytes.start);
        if !edits.windows(2).all(apart) {
            return Err(EditError::new(EditErrorKind::Overlap, path, at));
        }
        let again = Document::parse(
            self.name(),
            edited(self.text(), &edits).as_bytes(),
            self.limits(),
        );
        match again {
            Ok(again) if again.root().to_json() == expected => Ok(edits),
            // The most likely reason that a readable text says something else.
            Ok(_) if self.has_anchor() => Err(EditError::new(EditErrorKind::Alias, path, at)),
            _ => Err(EditError::new(EditErrorKind::Form, path, at)),
        }
    }

    fn has_anchor(&self) -> bool {
        self.text().contains('&') && self.text().contains('*')
    }

    fn place(&self, path: &str) -> Result<Place<'_>, EditError> {
        let mut node = self.root();
        let mut key = None;
        let mut steps = Steps::new(path);
        while let Some(step) = steps.next() {
            let lost = || EditError::new(EditErrorKind::NoPlace, path, Some(&node.span));
            let step = step.ok_or_else(lost)?;
            let Some((key_span, child)) = step.enter(node) else {
                return match (step, &node.value, steps.next()) {
                    (Step::Key(key), Value::Object(_), None) => {
                        Ok(Place::Member(node, key.into_owned()))
                    }
                    _ => Err(lost()),
                };
            };
            let floor = key_span.map_or(node.span.bytes.start, |key| key.bytes.start);
            let is_inside =
                floor <= child.span.bytes.start && child.span.bytes.end <= node.span.bytes.end;
            // A value that is written through an alias has the place of its anchor.
            if !is_inside {
                return Err(EditError::new(EditErrorKind::Alias, path, key_span));
            }
            (node, key) = (child, key_span);
        }
        Ok(Place::Value(key, node))
    }

    fn source(&self, span: &Span) -> &str {
        self.text().get(span.bytes.clone()).unwrap_or_default()
    }

    fn is_json(&self) -> bool {
        crate::read::is_json(self.name(), self.text())
    }

    fn replaced(&self, key: Option<&Span>, node: &Node, value: &serde_json::Value) -> Edit {
        let bytes = self.whole(node);
        let old = self.text().get(bytes.clone()).unwrap_or_default();
        if let Some(key) = key {
            let between = if *key == node.span {
                // An absent value has no place but its key's.
                self.text().get(key.bytes.end..).unwrap_or_default()
            } else {
                let between = key.bytes.end..bytes.start;
                self.text().get(between).unwrap_or_default()
            };
            let colon = between.find(':').map_or(0, |at| at + 1);
            let start = key.bytes.end + colon;
            if *key == node.span {
                let text = format!(" {}", flow(value));
                return Edit {
                    bytes: start..start,
                    text,
                };
            }
            let after = between.get(colon..).unwrap_or_default().trim_start();
            let is_block = match &node.value {
                Value::Object(_) | Value::Array(_) => {
                    !old.starts_with(['{', '[']) && after.is_empty()
                }
                // The place of a block scalar is that of its text.
                _ => after.starts_with(['|', '>']),
            };
            let is_list = node.as_array().is_some() && !old.starts_with('[');
            if is_list && !is_block && bytes.start > key.bytes.end {
                // A comment stands between, and a list may stand as far left as its key.
                let text = format!("  {}", flow(value));
                return Edit { bytes, text };
            }
            if is_block {
                let text = format!(" {}", flow(value));
                return Edit {
                    bytes: start..bytes.end,
                    text,
                };
            }
        }
        let text = match value {
            serde_json::Value::String(text) if node.as_str().is_some() => {
                scalar(old, text, self.is_json())
            }
            other => flow(other),
        };
        Edit { bytes, text }
    }

    /// The bytes of a value; of a list that is written with dashes, from its first dash on.
    fn whole(&self, node: &Node) -> Range<usize> {
        let bytes = node.span.bytes.clone();
        let first = node.as_array().and_then(<[Node]>::first);
        // The place of a list as far left as its key is that of its first item.
        if first.is_none_or(|first| first.span.bytes.start > bytes.start) {
            return bytes;
        }
        let before = self.text().get(..bytes.start).unwrap_or_default();
        let before = before.trim_end();
        match before.strip_suffix('-') {
            Some(before) => before.len()..bytes.end,
            None => bytes,
        }
    }

    fn added(&self, mapping: &Node, members: &[(String, &serde_json::Value)]) -> Edit {
        let listed = mapping.as_object().unwrap_or_default();
        if self.source(&mapping.span).starts_with('{') {
            return self.added_in_braces(mapping, listed, members);
        }
        let line_break = line_break(self.text());
        let Some((first, last)) = listed.first().zip(listed.last()) else {
            // A block mapping has a member.
            let at = mapping.span.bytes.end;
            return Edit {
                bytes: at..at,
                text: String::new(),
            };
        };
        let indent = " ".repeat(first.key_span.start.column.saturating_sub(1) as usize);
        let lines: Vec<String> = members
            .iter()
            .map(|(key, value)| format!("{}: {}", key_text(key, false), flow(value)))
            .collect();
        if let Some(at) = listed.iter().rev().find_map(|member| self.line_end(member)) {
            let each = |line: &String| format!("{line_break}{indent}{line}");
            return Edit {
                bytes: at..at,
                text: lines.iter().map(each).collect(),
            };
        }
        let at = last.key_span.bytes.start;
        let each = |line: &String| format!("{line}{line_break}{indent}");
        Edit {
            bytes: at..at,
            text: lines.iter().map(each).collect(),
        }
    }

    /// The end of the line of a member that is alone on one, but for a comment.
    fn line_end(&self, member: &Member) -> Option<usize> {
        let (key, value) = (&member.key_span, &member.value.span);
        let is_one_line = value.bytes.start >= key.bytes.end
            && value.start.line == key.start.line
            && value.end.line == key.start.line
            && !self.source(value).starts_with(['|', '>']);
        let rest = self.text().get(value.bytes.end..)?;
        let line = rest.split('\n').next()?.trim_end_matches('\r');
        let after = line.trim_start_matches([' ', '\t']);
        let is_comment = after.starts_with('#') && after.len() < line.len();
        let is_alone = after.is_empty() || is_comment;
        (is_one_line && is_alone).then_some(value.bytes.end + line.len())
    }

    fn added_in_braces(
        &self,
        mapping: &Node,
        listed: &[Member],
        members: &[(String, &serde_json::Value)],
    ) -> Edit {
        let is_quoted = self.is_json()
            || listed
                .last()
                .is_some_and(|last| self.source(&last.key_span).starts_with(['"', '\'']));
        let texts: Vec<String> = members
            .iter()
            .map(|(key, value)| format!("{}: {}", key_text(key, is_quoted), flow(value)))
            .collect();
        let Some(last) = listed.last() else {
            let at = mapping.span.bytes.start + 1;
            return Edit {
                bytes: at..at,
                text: texts.join(", "),
            };
        };
        let key = last.key_span.bytes.clone();
        let before = self.text().get(..key.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let indent = before.get(line_start..).unwrap_or_default();
        let own_line = line_start > mapping.span.bytes.start && indent.trim().is_empty();
        let between = if own_line {
            format!(",{}{indent}", line_break(self.text()))
        } else {
            ", ".to_owned()
        };
        let at = last.value.span.bytes.end.max(key.end);
        let each = |text: &String| format!("{between}{text}");
        Edit {
            bytes: at..at,
            text: texts.iter().map(each).collect(),
        }
    }
}

/// How the lines of a text end.
fn line_break(text: &str) -> &'static str {
    let first = text.find('\n').and_then(|at| text.get(..at));
    if first.is_some_and(|line| line.ends_with('\r')) {
        "\r\n"
    } else {
        "\n"
    }
}

fn assign(root: &mut serde_json::Value, path: &str, value: &serde_json::Value) {
    let mut node = root;
    for step in Steps::new(path) {
        let next = match (step, node) {
            (Some(Step::Key(key)), serde_json::Value::Object(members)) => Some(
                members
                    .entry(key.into_owned())
                    .or_insert(serde_json::Value::Null),
            ),
            (Some(Step::Index(index)), serde_json::Value::Array(items)) => items.get_mut(index),
            _ => None,
        };
        // The place was found before.
        let Some(next) = next else { return };
        node = next;
    }
    *node = value.clone();
}

/// A text with these edits, which are in its order and apart from each other, as
/// [`Document::edits`] gives them. Edits that are not are left out.
#[must_use]
pub fn edited(text: &str, edits: &[Edit]) -> String {
    let mut made = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        let (Some(before), Some(_)) = (
            text.get(done..edit.bytes.start),
            text.get(edit.bytes.clone()),
        ) else {
            continue;
        };
        made.push_str(before);
        made.push_str(&edit.text);
        done = edit.bytes.end;
    }
    made.push_str(text.get(done..).unwrap_or_default());
    made
}
