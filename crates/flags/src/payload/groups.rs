//! Which saved groups a payload still needs.

use super::prune::Pruner;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use serde_json::{Map, Value as Json};

type Groups = Map<String, Json>;

/// A group by its id, and whether it is asked of the user, not of an element or of another feature.
type Mention<'j> = (&'j str, bool);

/// The groups that `roots` lead to, reduced where that changes nothing.
pub(super) fn kept(roots: &Json, pruner: &mut Pruner<'_>, groups: &Groups) -> Groups {
    let as_written = as_written(roots, groups);
    let mut kept = Groups::new();
    let mut open: Vec<String> = mentions(roots, groups)
        .into_iter()
        .map(|(id, _)| id.into())
        .collect();
    while let Some(id) = open.pop() {
        let Some(group) = groups.get(&id).filter(|_| !kept.contains_key(&id)) else {
            continue;
        };
        let mut group = group.clone();
        // What a group in a circle comes to depends on where one entered it.
        if !as_written.contains(&*id)
            && !leads_back(&id, groups)
            && let Some(rest) = pruner.group(&id)
        {
            group["condition"] = rest;
        }
        let inner = inner_mentions(&group, groups);
        open.extend(inner.into_iter().map(|(id, _)| String::from(id)));
        kept.insert(id, group);
    }
    kept
}

/// The groups that a part of a condition leads to, as written.
pub(super) fn needed(part: &Json, groups: &Groups) -> Groups {
    let mut found = Groups::new();
    let mut open = mentions(part, groups);
    while let Some((id, _)) = open.pop() {
        if let Some(group) = groups.get(id).filter(|_| !found.contains_key(id)) {
            open.extend(inner_mentions(group, groups));
            found.insert(id.into(), group.clone());
        }
    }
    found
}

/// Groups that are asked of something else than the user, and those that they name.
fn as_written<'j>(roots: &'j Json, groups: &'j Groups) -> BTreeSet<&'j str> {
    let mut seen = BTreeSet::new();
    let mut open = mentions(roots, groups);
    while let Some((id, of_user)) = open.pop() {
        if seen.contains(&(id, false)) || !seen.insert((id, of_user)) {
            continue;
        }
        let inner = groups.get(id).map(|group| inner_mentions(group, groups));
        let inner = inner.into_iter().flatten();
        open.extend(inner.map(|(id, own)| (id, own && of_user)));
    }
    let others = seen.into_iter().filter(|(_, of_user)| !of_user);
    others.map(|(id, _)| id).collect()
}

fn leads_back(id: &str, groups: &Groups) -> bool {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = Vec::from([id]);
    while let Some(at) = open.pop() {
        let inner = groups.get(at).map(|group| inner_mentions(group, groups));
        for (next, _) in inner.into_iter().flatten() {
            if next == id {
                return true;
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

/// The groups that a group names. The values of a list are none.
fn inner_mentions<'j>(group: &'j Json, groups: &'j Groups) -> Vec<Mention<'j>> {
    let is_list = group.get("type").and_then(Json::as_str) == Some("list");
    if group.is_object() && !is_list {
        mentions(group, groups)
    } else {
        Vec::new()
    }
}

/// Every text that is a group's id, so that no operator that names groups need be known.
fn mentions<'j>(value: &'j Json, groups: &'j Groups) -> Vec<Mention<'j>> {
    let mut found = Vec::new();
    let mut open = Vec::from([(value, true)]);
    while let Some((value, of_user)) = open.pop() {
        match value {
            Json::String(text) if groups.contains_key(text) => found.push((text.as_str(), of_user)),
            Json::Array(items) => open.extend(items.iter().map(|item| (item, of_user))),
            Json::Object(fields) => open.extend(fields.iter().map(|(name, field)| {
                let elsewhere = matches!(name.as_str(), "$elemMatch" | "parentConditions");
                (field, of_user && !elsewhere)
            })),
            _ => {}
        }
    }
    found
}
