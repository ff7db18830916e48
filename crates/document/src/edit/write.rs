//! Values as an edit writes them.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};

/// A value on one line, which JSON and YAML read alike.
pub(super) fn flow(value: &serde_json::Value) -> String {
    let mut out = String::new();
    write_flow(value, &mut out);
    out
}

fn write_flow(value: &serde_json::Value, out: &mut String) {
    match value {
        serde_json::Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_flow(item, out);
            }
            out.push(']');
        }
        serde_json::Value::Object(members) => {
            out.push('{');
            for (index, (key, value)) in members.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(&quoted(key));
                out.push_str(": ");
                write_flow(value, out);
            }
            out.push('}');
        }
        serde_json::Value::String(text) => out.push_str(&quoted(text)),
        other => out.push_str(&other.to_string()),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text in place of another text that is written as `old`: with the same quotes, if it can.
pub(super) fn scalar(old: &str, new: &str, is_json: bool) -> String {
    let is_simple = new.chars().all(|c| !c.is_control());
    match old.chars().next() {
        Some('\'') if !is_json && is_simple => format!("'{}'", new.replace('\'', "''")),
        Some('"' | '|' | '>') | None => quoted(new),
        _ if !is_json && is_plain(new) => new.to_owned(),
        _ => quoted(new),
    }
}

pub(super) fn key_text(key: &str, is_quoted: bool) -> String {
    if !is_quoted && is_plain(key) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// Words that some reader of YAML takes for something else than text.
const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// Whether a text is one without quotes as well, for every reader of YAML.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        && !WORDS.contains(&&*text.to_ascii_lowercase())
}
