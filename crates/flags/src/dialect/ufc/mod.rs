//! The Universal Flag Configuration of Eppo and Datadog.
//!
//! Source: the format as Eppo's and Datadog's open-source evaluators read it, and Datadog's public
//! test data for them. A flag has allocations, tried in order. An allocation is open within its
//! dates to those for whom one of its rules holds, and has splits, of which the first whose shards
//! all have the subject is served.

mod allocations;
mod conditions;
mod shares;

use super::shape::wrong;
use crate::codes::{self, Refusal};
use crate::ir::{About, DefaultVariant, Flag, Origin, State, Variant};
use crate::load::Draft;
use crate::pattern::Patterns;
use crate::quick::Quick;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Finding, Member, Node, Value as Tree, member_path};

/// Reads a whole file.
pub(crate) fn read(root: &Node, draft: &mut Draft) -> Result<(), Refusal> {
    if root.get("format").and_then(Node::as_str) == Some("CLIENT") {
        let message = "this file is the obfuscated form for clients, whose keys are hashed";
        let help = "use the configuration for servers";
        return Err(wrong(codes::NOT_FLAGS, root, "", message, help));
    }
    let Some(Tree::Object(members)) = root.get("flags").map(|flags| &flags.value) else {
        let message = "there is no map `flags` here";
        let help = "a UFC file has `flags`: a map from keys to flags";
        return Err(wrong(codes::NOT_FLAGS, root, "", message, help));
    };
    let mut patterns = Patterns::default();
    for Member { key, value, .. } in members {
        let path = member_path("flags", key);
        let flag = flag(key, value, &path, &mut patterns, &mut draft.findings);
        draft.flags.push(flag);
    }
    Ok(())
}

/// One flag; if its definition is wrong, a broken one that keeps its key.
fn flag(
    key: &str,
    node: &Node,
    path: &str,
    patterns: &mut Patterns,
    findings: &mut Vec<Finding>,
) -> Flag {
    let mut flag = Flag {
        key: key.into(),
        state: State::Enabled,
        variants: Box::default(),
        default: DefaultVariant::Caller,
        rules: Box::default(),
        quick: Quick::default(),
        metadata: Box::default(),
        // The format has no place for an owner.
        about: About {
            bare: true,
            ..About::default()
        },
        origin: Origin {
            path: path.into(),
            at: Some(node.span.start),
        },
    };
    if let Err(finding) = definition(&mut flag, node, path, patterns) {
        // Switched off is switched off, whatever else is wrong.
        if flag.state == State::Enabled {
            let why = Arc::from(&*finding.message);
            flag.state = if finding.code == codes::UNKNOWN_OPERATOR {
                State::Unknown(why)
            } else {
                State::Broken(why)
            };
        }
        findings.push(*finding);
    }
    shares::check(node, path, findings);
    flag
}

fn definition(
    flag: &mut Flag,
    node: &Node,
    path: &str,
    patterns: &mut Patterns,
) -> Result<(), Refusal> {
    match node.get("enabled").and_then(Node::as_bool) {
        Some(true) => {}
        Some(false) => flag.state = State::Disabled(None),
        None => {
            let message = "the flag does not say whether it is enabled";
            let help = "write `enabled`: true or false";
            return Err(wrong(codes::DEFINITION, node, path, message, help));
        }
    }
    let kind = kind(node, path)?;
    flag.variants = variants(node, path, kind)?;
    flag.rules = allocations::read(node, path, &flag.variants, patterns)?;
    Ok(())
}

/// The type that all variations of a flag have.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
    Numeric,
    Boolean,
    Json,
}

fn kind(node: &Node, path: &str) -> Result<Kind, Refusal> {
    Ok(match text(node, path, "variationType")? {
        "STRING" => Kind::Text,
        "INTEGER" => Kind::Integer,
        "NUMERIC" => Kind::Numeric,
        "BOOLEAN" => Kind::Boolean,
        "JSON" => Kind::Json,
        other => {
            let message = format!("the variation type {other:?} is not known");
            let help = "the types are STRING, INTEGER, NUMERIC, BOOLEAN and JSON";
            let path = member_path(path, "variationType");
            return Err(wrong(codes::DEFINITION, node, path, message, help));
        }
    })
}

fn variants(node: &Node, path: &str, kind: Kind) -> Result<Box<[Variant]>, Refusal> {
    let path = member_path(path, "variations");
    let listed = node.get("variations");
    let Some(Tree::Object(members)) = listed.map(|variations| &variations.value) else {
        let help = "write `variations`: a map from keys to variations";
        let message = "the flag has no map of variations";
        return Err(wrong(codes::DEFINITION, node, path, message, help));
    };
    let variant = |member: &Member| {
        let value = member.value.get("value").and_then(|node| value(node, kind));
        value
            .map(|value| Variant::new(&member.key, value))
            .ok_or_else(|| {
                let message = "the variation has no value of the flag's type";
                let help = "write a `value` as `variationType` says";
                let path = member_path(&path, &member.key);
                wrong(codes::DEFINITION, &member.value, path, message, help)
            })
    };
    members.iter().map(variant).collect()
}

/// A variation's value. JSON is written as it is, or as a text that holds it.
fn value(node: &Node, kind: Kind) -> Option<serde_json::Value> {
    let value = node.to_json();
    let fits = match kind {
        Kind::Text => value.is_string(),
        Kind::Integer => node
            .as_f64()
            .is_some_and(|number| libm::trunc(number) == number),
        Kind::Numeric => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Json => match node.as_str() {
            Some(text) => return serde_json::from_str(text).ok(),
            None => value.is_object() || value.is_array(),
        },
    };
    fits.then_some(value)
}

/// The text in this field.
fn text<'n>(node: &'n Node, path: &str, field: &str) -> Result<&'n str, Refusal> {
    node.get(field).and_then(Node::as_str).ok_or_else(|| {
        let message = format!("there is no text `{field}` here");
        wrong(
            codes::DEFINITION,
            node,
            member_path(path, field),
            message,
            "add it",
        )
    })
}

/// The list in this field, and its path; an empty one if the field may be left out and is.
fn list<'n>(
    node: &'n Node,
    path: &str,
    field: &str,
    optional: bool,
) -> Result<(&'n [Node], String), Refusal> {
    let path = member_path(path, field);
    match node.get(field).map(|field| (&field.value, field)) {
        Some((Tree::Array(items), _)) => Ok((items, path)),
        None | Some((Tree::Null, _)) if optional => Ok((&[], path)),
        found => {
            let at = found.map_or(node, |(_, field)| field);
            let message = format!("`{field}` is no list");
            Err(wrong(codes::DEFINITION, at, path, message, "write a list"))
        }
    }
}
