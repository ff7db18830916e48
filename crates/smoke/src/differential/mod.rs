//! What a new version answers otherwise than an old one, told from what the old one itself answers
//! differently each time.

mod form;
mod headers;
mod json;
mod lines;
mod moment;
mod noise;
mod pairing;
mod seen;
mod text;
mod tokens;

use core::fmt;

use nonevent_document::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::differential::form::Clock;
pub use crate::differential::noise::Noise;
use crate::judge::excerpt::head;

/// An answer, as far as answers are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status, such as 200.
    pub status: u16,
    /// Names in lower case with their values, in the order of the answer; a name may repeat.
    pub headers: Vec<(String, String)>,
    /// The body, with its content coding undone.
    pub body: Vec<u8>,
}

/// What kind of thing is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DifferenceKind {
    /// The status.
    Status,
    /// A header is missing, new, or has another value.
    Header,
    /// The body is of another kind: JSON, text, or neither.
    Body,
    /// Something that was always there is missing.
    Missing,
    /// Something is there that never was.
    Added,
    /// A value of JSON is of another type.
    Type,
    /// A value of JSON is another, or has no longer the form that it always had.
    Value,
    /// A list of JSON that always had one order has another.
    Order,
    /// A line of a text is another.
    Text,
    /// An assertion of the test holds for the old version and not for the new one.
    Assertion,
}

impl DifferenceKind {
    /// The word used in reports, such as `header`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            DifferenceKind::Status => "status",
            DifferenceKind::Header => "header",
            DifferenceKind::Body => "body",
            DifferenceKind::Missing => "missing",
            DifferenceKind::Added => "added",
            DifferenceKind::Type => "type",
            DifferenceKind::Value => "value",
            DifferenceKind::Order => "order",
            DifferenceKind::Text => "text",
            DifferenceKind::Assertion => "assertion",
        }
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One thing that the new version answers otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Difference {
    /// `status`, `header content-type`, `$.items[3].price`, `line 12`.
    pub place: String,
    /// What kind of thing is another.
    pub kind: DifferenceKind,
    /// What the old version answers; empty if nothing.
    pub old: String,
    /// What the new version answers; empty if nothing.
    pub new: String,
}

/// Differences that are said of one answer; what is wrong in more places is wrong as a whole.
const DIFFERENCES_MAX: usize = 50;
/// Characters of a value that are shown.
const SHOWN_CHARS: usize = 300;

impl Difference {
    fn new(place: impl Into<String>, kind: DifferenceKind, old: &str, new: &str) -> Difference {
        Difference {
            place: head(&place.into(), SHOWN_CHARS),
            kind,
            old: head(old, SHOWN_CHARS),
            new: head(new, SHOWN_CHARS),
        }
    }

    /// An assertion that holds no longer.
    pub(crate) fn assertion(message: &str) -> Difference {
        Difference::new("assertion", DifferenceKind::Assertion, "holds", message)
    }

    /// Whether it lies in a place, such as `$.items[*]`, or in a part of it.
    pub(crate) fn is_in(&self, place: &str) -> bool {
        let any_element = elements_as_one(&self.place);
        [self.place.as_str(), &any_element].into_iter().any(|at| {
            let rest = at.strip_prefix(place);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }
}

/// `$.items[*].id` of `$.items[3].id`.
fn elements_as_one(place: &str) -> String {
    let mut out = String::new();
    let mut rest = place;
    while let Some((before, after)) = rest.split_once('[') {
        let end = after.find(']').unwrap_or(after.len());
        let index = after.get(..end).unwrap_or_default();
        let is_index = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        out.push_str(before);
        out.push('[');
        out.push_str(if is_index { "*" } else { index });
        rest = after.get(end..).unwrap_or_default();
    }
    out + rest
}

/// A body, as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Json(Json),
    Text(String),
    Bytes(Vec<u8>),
}

impl Content {
    fn of(response: &Response) -> Content {
        let Ok(text) = core::str::from_utf8(&response.body) else {
            return Content::Bytes(response.body.clone());
        };
        // A bare number or word is text to people, whatever a parser says.
        let is_json = text.trim_start().starts_with(['{', '[', '"']);
        match serde_json::from_str(text) {
            Ok(json) if is_json => Content::Json(json),
            _ => Content::Text(text.to_owned()),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Content::Json(_) => "JSON",
            Content::Text(text) if text.is_empty() => "empty",
            Content::Text(_) => "text",
            Content::Bytes(_) => "bytes",
        }
    }
}

impl Noise {
    /// What the new version's answer has otherwise, the most important first; nothing if it
    /// answers as the old version does.
    #[must_use]
    pub fn compare(&self, new: &Response) -> Vec<Difference> {
        let mut found = Vec::new();
        if !self.statuses.contains(&new.status) {
            let old = self.statuses.first().map_or(String::new(), u16::to_string);
            let status = new.status.to_string();
            found.push(Difference::new(
                "status",
                DifferenceKind::Status,
                &old,
                &status,
            ));
        }
        headers::compare(self, new, &mut found);
        let clock = Clock::of(new);
        match (self.contents.first(), Content::of(new)) {
            (Some(Content::Json(_)), Content::Json(json)) => {
                json::compare::compare(self, &json, clock, &mut found);
            }
            (Some(Content::Text(old)), Content::Text(text)) => {
                let is_known = self.contents.contains(&Content::Text(text.clone()));
                let is_gone = text.is_empty() && !is_known;
                if is_gone {
                    found.push(Difference::new("body", DifferenceKind::Missing, old, ""));
                } else {
                    lines::compare(self, new, &text, &mut found);
                }
            }
            (Some(Content::Bytes(_)), Content::Bytes(bytes)) => self.bytes(&bytes, &mut found),
            (Some(old), new) if !self.contents.contains(&new) => {
                let (old, new) = (old.word(), new.word());
                found.push(Difference::new("body", DifferenceKind::Body, old, new));
            }
            _ => {}
        }
        found.truncate(DIFFERENCES_MAX);
        found
    }

    /// Bytes that are no text are one value: the same as one of the old ones or, where those
    /// differ, about as long.
    fn bytes(&self, new: &[u8], found: &mut Vec<Difference>) {
        let known = self.contents.iter().filter_map(|content| match content {
            Content::Bytes(bytes) => Some(bytes.as_slice()),
            _ => None,
        });
        let known: Vec<&[u8]> = known.collect();
        if known.contains(&new) {
            return;
        }
        let varies = known.windows(2).any(|pair| pair[0] != pair[1]);
        let near = |old: &&[u8]| new.len() <= 2 * old.len() + 16 && old.len() <= 2 * new.len() + 16;
        if varies && known.iter().any(near) {
            return;
        }
        let shown = |bytes: &[u8]| format!("{} bytes, {}", bytes.len(), Digest::of(bytes).short());
        let old = known.first().map_or(String::new(), |bytes| shown(bytes));
        found.push(Difference::new(
            "body",
            DifferenceKind::Body,
            &old,
            &shown(new),
        ));
    }
}

#[cfg(test)]
mod tests;
