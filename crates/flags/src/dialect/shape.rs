//! What several front ends read alike: the facts about a flag, and dates.

use crate::codes::{self, Refusal};
use crate::ir::{About, Kind};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nonevent_document::{Code, Finding, Node, Position, Span, Timestamp, member_path};

/// Fields that say something about a flag. flagd files have them in `metadata`.
pub(super) const ABOUT_FIELDS: [&str; 8] = [
    "owner",
    "type",
    "kind",
    "description",
    "created",
    "cleanup_by",
    "full_since",
    "name",
];

/// Reads those of [`ABOUT_FIELDS`] that are there. What cannot be read becomes a warning.
pub(super) fn about(node: &Node, path: &str, findings: &mut Vec<Finding>) -> About {
    let text = |field: &str| node.get(field).and_then(Node::as_str);
    let mut date = |field: &str| {
        let value = node.get(field)?;
        let read = value.as_str().and_then(date);
        if read.is_none() {
            findings.push(
                Finding::warning(
                    codes::DATE,
                    member_path(path, field),
                    "this is not a date",
                    "write it as 2026-02-15, or as an RFC 3339 time in UTC",
                )
                .spanning(&place(value)),
            );
        }
        read
    };
    let (created, cleanup_by, full_since) =
        (date("created"), date("cleanup_by"), date("full_since"));
    let kind = ["type", "kind"]
        .into_iter()
        .find_map(|field| Some((field, text(field)?)));
    if let Some((field, name)) = kind
        && Kind::of(name).is_none()
    {
        findings.push(
            Finding::note(
                codes::DEFINITION,
                member_path(path, field),
                format!("{name:?} is no kind of flag, so rules about kinds are not applied"),
                "the kinds are release, experiment, ops and permission",
            )
            .spanning(&place(node)),
        );
    }
    About {
        kind: kind.and_then(|(_, name)| Kind::of(name)),
        owner: text("owner")
            .map(str::trim)
            .filter(|owner| !owner.is_empty())
            .map(Into::into),
        description: text("description").map(Into::into),
        created,
        cleanup_by,
        full_since,
        bare: false,
    }
}

/// A date (its midnight in UTC) or a time.
fn date(text: &str) -> Option<Timestamp> {
    if text.len() == "2026-02-15".len() {
        return format!("{text}T00:00:00Z").parse().ok();
    }
    text.parse().ok()
}

/// An error about this node.
pub(crate) fn wrong(
    code: Code,
    node: &Node,
    path: impl Into<String>,
    message: impl Into<String>,
    help: &str,
) -> Refusal {
    Finding::error(code, path, message, help)
        .spanning(&place(node))
        .into()
}

/// Where a finding about this node points: at a scalar as a whole, at the start of a list or map,
/// which may be many lines.
pub(crate) fn place(node: &Node) -> Span {
    let mut span = node.span.clone();
    if node.as_array().is_some() || node.as_object().is_some() {
        span.end = Position {
            column: span.start.column + 1,
            ..span.start
        };
        span.bytes.end = span.bytes.end.min(span.bytes.start + 1);
    }
    span
}

/// Warns once if the values are of different types. `types` gives name and type of each.
pub(super) fn one_type<'v>(
    values: impl Iterator<Item = (&'v str, &'v serde_json::Value)>,
    finding: impl FnOnce(String) -> Finding,
    findings: &mut Vec<Finding>,
) {
    let mut first: Option<(&str, &'static str)> = None;
    for (name, value) in values {
        let kind = match value {
            serde_json::Value::Null => continue,
            serde_json::Value::Bool(_) => "boolean",
            serde_json::Value::Number(_) => "number",
            serde_json::Value::String(_) => "text",
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => "object",
        };
        match first {
            None => first = Some((name, kind)),
            Some((_, known)) if known == kind => {}
            Some((other, known)) => {
                findings.push(finding(format!(
                    "variant {other:?} is a {known} and variant {name:?} a {kind}"
                )));
                return;
            }
        }
    }
}

/// The one of `known` that `key` is probably a misspelling of.
pub(super) fn similar<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    const LEN_MAX: usize = 40;
    let plain = |text: &str| -> Vec<char> {
        let separators = |c: &char| !matches!(c, '_' | '-');
        text.chars()
            .filter(separators)
            .flat_map(char::to_lowercase)
            .take(LEN_MAX)
            .collect()
    };
    let key = plain(key);
    let close = |field: &&&str| {
        let field = plain(field);
        distance(&key, &field) <= if field.len() > 6 { 2 } else { 1 }
    };
    known.iter().find(close).copied()
}

/// How many letters were added, dropped, changed or swapped with their neighbour (optimal string
/// alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, to) in b.iter().enumerate() {
            let mut best = (above[j] + usize::from(from != to))
                .min(above[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = core::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::similar;

    #[test]
    fn misspellings_are_recognised_and_other_words_are_not() {
        let known = ["enabled", "rollout_percentage", "rules", "type", "owner"];
        for (key, expected) in [
            ("rollout_precentage", Some("rollout_percentage")),
            ("rolloutPercentage", Some("rollout_percentage")),
            ("enable", Some("enabled")),
            ("rule", Some("rules")),
            ("tpye", Some("type")),
            ("tier", None),
            ("jira", None),
            ("percentage", None),
            ("", None),
        ] {
            assert_eq!(similar(key, &known), expected, "{key}");
        }
    }
}
