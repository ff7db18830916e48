//! How much work a schema can be.
//!
//! A validator follows every reference anew, so that forty definitions which each name the next one
//! twice are 2^40 steps. Here each place of a schema is visited once, and the visits that a
//! validator would make are counted.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde_json::Value;

/// Places of a schema that a validator may come to, each as often as it does.
const VISITS_MAX: u64 = 200_000;
/// How deep a schema may be, references followed.
const DEPTH_MAX: usize = 256;

/// What is known of a schema's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// How many places a validator comes to, at most, for each value of a document.
    pub(super) visits: u64,
    /// Whether a reference leads back to where it stands in.
    pub(super) is_recursive: bool,
}

/// Measures a schema.
///
/// # Errors
///
/// Why it cannot be used, to be put after its name: references that leave it, too much work or depth.
pub(super) fn bounds(schema: &Value) -> Result<Bounds, String> {
    // Within a part that has an id of its own `#/…` would mean something else.
    let draft_4 = schema.get("$schema").and_then(Value::as_str);
    let draft_4 = draft_4.is_some_and(|uri| uri.contains("draft-04"));
    let id = if draft_4 { "id" } else { "$id" };
    if has_inner_id(schema, id, true) {
        return Err(format!(
            "has a part with an `{id}` of its own, which is not followed"
        ));
    }
    let mut anchors = BTreeMap::new();
    collect_anchors(schema, &mut anchors);
    let mut walk = Walk {
        root: schema,
        anchors,
        visits: BTreeMap::new(),
        is_recursive: false,
    };
    let visits = walk.visit(schema, 0)?;
    Ok(Bounds {
        visits,
        is_recursive: walk.is_recursive,
    })
}

struct Walk<'s> {
    root: &'s Value,
    anchors: BTreeMap<&'s str, &'s Value>,
    /// By address; none while it is being counted.
    visits: BTreeMap<*const Value, Option<u64>>,
    is_recursive: bool,
}

impl<'s> Walk<'s> {
    fn visit(&mut self, place: &'s Value, depth: usize) -> Result<u64, String> {
        if depth > DEPTH_MAX {
            return Err(format!(
                "is more than {DEPTH_MAX} deep, references followed"
            ));
        }
        let address = core::ptr::from_ref(place);
        match self.visits.get(&address) {
            Some(Some(visits)) => return Ok(*visits),
            Some(None) => {
                self.is_recursive = true;
                return Ok(1);
            }
            None => {}
        }
        self.visits.insert(address, None);
        let mut visits = 1_u64;
        let inner: Vec<&Value> = match place {
            Value::Array(items) => items.iter().collect(),
            Value::Object(members) => members.values().collect(),
            _ => Vec::new(),
        };
        for value in inner {
            visits = visits.saturating_add(self.visit(value, depth + 1)?);
        }
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            if let Some(Value::String(reference)) = place.get(keyword) {
                let target = self.target(reference)?;
                visits = visits.saturating_add(self.visit(target, depth + 1)?);
            }
        }
        if visits > VISITS_MAX {
            return Err(format!(
                "names its own parts so often that more than {VISITS_MAX} have to be looked at"
            ));
        }
        self.visits.insert(address, Some(visits));
        Ok(visits)
    }

    fn target(&self, reference: &str) -> Result<&'s Value, String> {
        let shown = crate::path::visible(reference);
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err(format!(
                "has the reference {shown}, which leaves it; only `#…` is followed"
            ));
        };
        let found = if fragment.is_empty() || fragment.starts_with('/') {
            let pointer = percent_decoded(fragment);
            pointer.and_then(|pointer| self.root.pointer(&pointer))
        } else {
            self.anchors.get(fragment).copied()
        };
        found.ok_or_else(|| format!("has the reference {shown}, which leads nowhere"))
    }
}

fn has_inner_id(place: &Value, id: &str, is_root: bool) -> bool {
    match place {
        Value::Array(items) => items.iter().any(|it| has_inner_id(it, id, false)),
        Value::Object(members) => {
            let own = members.get(id).and_then(Value::as_str);
            // A fragment alone is an anchor, before draft 2019-09.
            let is_base = own.is_some_and(|own| !own.starts_with('#'));
            (is_base && !is_root) || members.values().any(|it| has_inner_id(it, id, false))
        }
        _ => false,
    }
}

fn collect_anchors<'s>(place: &'s Value, anchors: &mut BTreeMap<&'s str, &'s Value>) {
    match place {
        Value::Array(items) => items.iter().for_each(|it| collect_anchors(it, anchors)),
        Value::Object(members) => {
            for keyword in ["$anchor", "$dynamicAnchor"] {
                if let Some(Value::String(name)) = members.get(keyword) {
                    anchors.insert(name, place);
                }
            }
            // Before draft 2019-09 a fragment in an id was one.
            for keyword in ["$id", "id"] {
                if let Some(Value::String(id)) = members.get(keyword)
                    && let Some(name) = id.strip_prefix('#')
                {
                    anchors.insert(name, place);
                }
            }
            members.values().for_each(|it| collect_anchors(it, anchors));
        }
        _ => {}
    }
}

/// A URI fragment as text (RFC 3986, section 2.1).
fn percent_decoded(fragment: &str) -> Option<String> {
    if !fragment.contains('%') {
        return Some(fragment.to_string());
    }
    let mut bytes = Vec::new();
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}
