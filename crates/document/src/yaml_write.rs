//! Writing YAML that this crate's own reader accepts.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use serde::Serialize;

use crate::model::{Json, json_of};

/// A value cannot be written as YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be written as YAML: {text}")]
pub struct WriteError {
    text: String,
}

/// `value` as block-style YAML, members in the order in which they serialise, with a final line
/// break. Enum variants are written as in JSON (`name` or `name: content`), not as tags.
///
/// # Errors
///
/// NaN and infinities, integers that do not fit into 64 bits, map keys that are not text or occur
/// twice, and whatever the value's own `Serialize` refuses.
///
/// ```
/// let value = serde_json::json!({ "service": "shop", "steps": [5, 25] });
/// assert_eq!(nonevent_document::to_yaml(&value).unwrap(), "service: shop\nsteps:\n- 5\n- 25\n");
/// ```
pub fn to_yaml<T: Serialize + ?Sized>(value: &T) -> Result<String, WriteError> {
    let failed = |text: String| WriteError { text };
    let mut json = json_of(value).map_err(|error| failed(error.to_string()))?;
    let mut held = Held::new(&json);
    held.hold_in(&mut json);
    let yaml = serde_yaml::to_string(&json).map_err(|error| failed(error.to_string()))?;
    Ok(held.put_back(yaml))
}

/// Texts that the writer, which follows YAML 1.1, would leave in a form that YAML 1.2 reads
/// differently. Each is held back under a plain name and put in, quoted and escaped, afterwards.
struct Held {
    /// Begins every name, and stands nowhere in the value.
    prefix: String,
    texts: Vec<String>,
}

impl Held {
    fn new(json: &Json) -> Self {
        let mut prefix = String::from("held");
        while holds_text(json, &prefix) {
            prefix.push('x');
        }
        Held {
            prefix,
            texts: Vec::new(),
        }
    }

    fn hold_in(&mut self, json: &mut Json) {
        match json {
            Json::String(text) => self.hold(text),
            Json::Array(items) => items.iter_mut().for_each(|item| self.hold_in(item)),
            Json::Object(members) => {
                for (key, value) in members {
                    self.hold(key);
                    self.hold_in(value);
                }
            }
            Json::Null | Json::Bool(_) | Json::Unsigned(_) | Json::Signed(_) | Json::Float(_) => {}
        }
    }

    fn hold(&mut self, text: &mut String) {
        // The writer leaves `<<` bare, although it would be a merge key.
        if needs_escapes(text) || text == "<<" {
            let name = format!("{}n{}n", self.prefix, self.texts.len());
            self.texts.push(core::mem::replace(text, name));
        }
    }

    fn put_back(&self, yaml: String) -> String {
        if self.texts.is_empty() {
            return yaml;
        }
        let mut parts = yaml.split(self.prefix.as_str());
        let mut out = String::from(parts.next().unwrap_or_default());
        for (part, text) in parts.zip(&self.texts) {
            // Names are written in the order in which they were given: `n`, a number, `n`.
            let rest = part[1..].split_once('n').map_or("", |(_, rest)| rest);
            quote(&mut out, text);
            out.push_str(rest);
        }
        out
    }
}

fn holds_text(json: &Json, part: &str) -> bool {
    match json {
        Json::String(text) => text.contains(part),
        Json::Array(items) => items.iter().any(|item| holds_text(item, part)),
        Json::Object(members) => members
            .iter()
            .any(|(key, value)| key.contains(part) || holds_text(value, part)),
        Json::Null | Json::Bool(_) | Json::Unsigned(_) | Json::Signed(_) | Json::Float(_) => false,
    }
}

fn needs_escapes(text: &str) -> bool {
    // Characters that end a line in YAML 1.1 only, and those that are not printable in 1.2.
    let odd = |c: char| (c.is_control() && c != '\n') || "\u{2028}\u{2029}\u{feff}".contains(c);
    text.contains(odd)
}

/// A double-quoted scalar (YAML 1.2.2, section 7.3.1).
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if needs_escapes(c.encode_utf8(&mut [0; 4])) => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("writing to a String cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
