//! Front ends: one for each form of flag file.

pub(crate) mod environment;
pub(crate) mod flagd;
pub(crate) mod growthbook;
mod jsonlogic;
pub(crate) mod launchdarkly;
pub(crate) mod plain;
pub(crate) mod shape;
pub(crate) mod ufc;
pub(crate) mod unleash;

use crate::codes::{self, Refusal};
use crate::load::Dialect;
use nonevent_document::{Node, Value as Tree};
use shape::wrong;

/// The dialect of a file, by its shape.
pub(crate) fn recognise(root: &Node) -> Result<Dialect, Refusal> {
    // What a LaunchDarkly stream puts has the flags one level further in.
    let data = root.get("data").filter(|data| data.get("flags").is_some());
    if data.is_some() || root.get("flagValues").is_some() {
        return Ok(Dialect::LaunchDarkly);
    }
    if let Some(flags) = root.get("flags") {
        return Ok(flavour(root, flags));
    }
    match root.get("features").map(|features| &features.value) {
        Some(Tree::Array(_)) => return Ok(Dialect::Unleash),
        Some(Tree::Object(_)) => return Ok(Dialect::GrowthBook),
        _ => {}
    }
    if root.get("encryptedFeatures").is_some() {
        return Ok(Dialect::GrowthBook);
    }
    let events = root.get("events").and_then(Node::as_array);
    if events.is_some_and(|events| events.iter().all(|event| event.get("type").is_some())) {
        return Ok(Dialect::Unleash);
    }
    let named = |node: &Node| node.get("name").is_some();
    let plain = match &root.value {
        Tree::Array(items) => items.iter().any(named),
        _ => named(root),
    };
    if plain {
        return Ok(Dialect::Plain);
    }
    let help = "a flag file has `flags`: a map from names to flags";
    Err(wrong(
        codes::NOT_FLAGS,
        root,
        "",
        "there are no flags here",
        help,
    ))
}

/// UFC files say for whom they are.
fn is_ufc_format(node: &Node) -> bool {
    matches!(node.as_str(), Some("SERVER" | "CLIENT"))
}

/// The dialect of a file that has `flags`.
fn flavour(root: &Node, flags: &Node) -> Dialect {
    let schema = root.get("$schema").and_then(Node::as_str);
    if root.get("$evaluators").is_some() || schema.is_some_and(|schema| schema.contains("flagd")) {
        return Dialect::Flagd;
    }
    let has = |field: &str, wanted: fn(&Tree) -> bool| {
        let has = |flag: &Node| flag.get(field).is_some_and(|node| wanted(&node.value));
        match &flags.value {
            Tree::Object(members) => members.iter().any(|member| has(&member.value)),
            Tree::Array(items) => items.iter().any(has),
            _ => false,
        }
    };
    let any = |_: &Tree| true;
    let list = |node: &Tree| matches!(node, Tree::Array(_));
    let map = |node: &Tree| matches!(node, Tree::Object(_));
    if has("fallthrough", any) || has("offVariation", any) {
        Dialect::LaunchDarkly
    } else if has("allocations", list) || root.get("format").is_some_and(is_ufc_format) {
        Dialect::Ufc
    } else if has("state", any) || has("variants", map) || has("defaultVariant", any) {
        Dialect::Flagd
    } else {
        match &flags.value {
            Tree::Object(members) if members.is_empty() => Dialect::Flagd,
            _ => Dialect::Plain,
        }
    }
}
