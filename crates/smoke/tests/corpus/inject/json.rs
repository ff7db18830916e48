//! Changes of JSON.

use nonevent_smoke::Response;
use serde_json::Value as Json;

use super::{Done, mutated};
use crate::marks::{Kind, Text, Tree, escaped};
use crate::rng::Rng;

pub(super) fn change(response: &mut Response, tree: &Tree, rng: &mut Rng) -> Done {
    let mut root = tree.plain.clone();
    let mut pointers = Vec::new();
    collect(&root, "", &mut pointers);
    // What comes and goes, or is of a list that does, is free in all it has.
    let is_free = |kind| matches!(kind, Kind::Length | Kind::Optional);
    pointers.retain(|it| !tree.is_within(it, is_free));
    let done = match rng.below(12) {
        0 | 1 => remove(&mut root, &pointers, tree, rng),
        2 => rename(&mut root, &pointers, tree, rng),
        3 => add(&mut root, &pointers, tree, rng),
        4 => repeat(&mut root, &pointers, tree, rng),
        5 => reverse(&mut root, &pointers, tree, rng),
        6 => nest(&mut root, &pointers, tree, rng),
        7 => template(&mut root, tree, rng),
        _ => value(&mut root, &pointers, tree, rng),
    }?;
    let is_pretty = response.body.starts_with(b"{\n") || response.body.starts_with(b"[\n");
    response.body = match is_pretty {
        true => serde_json::to_vec_pretty(&root).ok()?,
        false => root.to_string().into_bytes(),
    };
    Some(done)
}

fn collect(value: &Json, pointer: &str, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    match value {
        Json::Object(members) => {
            for (key, value) in members {
                collect(value, &format!("{pointer}/{}", escaped(key)), found);
            }
        }
        Json::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                collect(item, &format!("{pointer}/{at}"), found);
            }
        }
        _ => {}
    }
}

fn split(pointer: &str) -> Option<(&str, String)> {
    let (parent, key) = pointer.rsplit_once('/')?;
    Some((parent, key.replace("~1", "/").replace("~0", "~")))
}

/// Places of a kind of value, at which one is picked.
fn pick<'a>(
    pointers: &'a [String],
    root: &Json,
    rng: &mut Rng,
    is: impl Fn(&str, &Json) -> bool,
) -> Option<&'a String> {
    let fit: Vec<&String> = pointers
        .iter()
        .filter(|it| root.pointer(it).is_some_and(|value| is(it, value)))
        .collect();
    (!fit.is_empty()).then(|| *rng.pick(&fit))
}

fn is_of_keys(tree: &Tree, pointer: &str) -> bool {
    split(pointer).is_some_and(|(parent, _)| tree.is_at(parent, Kind::Keys))
}

fn remove(root: &mut Json, pointers: &[String], tree: &Tree, rng: &mut Rng) -> Done {
    let pointer = pick(pointers, root, rng, |it, _| {
        !it.is_empty() && !is_of_keys(tree, it)
    })?;
    let (parent, key) = split(pointer)?;
    match root.pointer_mut(parent)? {
        Json::Object(members) => {
            members.remove(&key)?;
            Some(("member removed", pointer.clone()))
        }
        Json::Array(items) => {
            items.remove(key.parse().ok()?);
            Some(("element removed", pointer.clone()))
        }
        _ => None,
    }
}

fn rename(root: &mut Json, pointers: &[String], tree: &Tree, rng: &mut Rng) -> Done {
    let whole = root.clone();
    let pointer = pick(pointers, root, rng, |it, _| {
        let parent = split(it).and_then(|(parent, _)| whole.pointer(parent));
        parent.is_some_and(Json::is_object) && !is_of_keys(tree, it)
    })?;
    let (parent, key) = split(pointer)?;
    let members = root.pointer_mut(parent)?.as_object_mut()?;
    let value = members.remove(&key)?;
    let other = mutated(&key, rng);
    members.insert(other.clone(), value);
    Some(("member renamed", format!("{pointer} to {other}")))
}

fn add(root: &mut Json, pointers: &[String], tree: &Tree, rng: &mut Rng) -> Done {
    let pointer = pick(pointers, root, rng, |it, value| {
        !tree.is_at(it, Kind::Keys) && (value.is_object() || value.is_array())
    })?;
    let value = match rng.below(3) {
        0 => Json::Null,
        1 => rng.word().into(),
        _ => rng.between(1, 99).into(),
    };
    match root.pointer_mut(pointer)? {
        Json::Object(members) => {
            members.insert(format!("{}New", rng.word()), value);
            Some(("member added", pointer.clone()))
        }
        Json::Array(items) => {
            items.insert(rng.below(items.len() + 1), value);
            Some(("element added", pointer.clone()))
        }
        _ => None,
    }
}

fn repeat(root: &mut Json, pointers: &[String], _: &Tree, rng: &mut Rng) -> Done {
    let pointer = pick(pointers, root, rng, |_, value| {
        value.as_array().is_some_and(|items| !items.is_empty())
    })?;
    let items = root.pointer_mut(pointer)?.as_array_mut()?;
    let at = rng.below(items.len());
    items.insert(at, items[at].clone());
    Some(("element repeated", pointer.clone()))
}

fn reverse(root: &mut Json, pointers: &[String], tree: &Tree, rng: &mut Rng) -> Done {
    let pointer = pick(pointers, root, rng, |it, value| {
        value.as_array().is_some_and(|items| items.len() > 1) && !tree.has_within(it)
    })?;
    root.pointer_mut(pointer)?.as_array_mut()?.reverse();
    Some(("order reversed", pointer.clone()))
}

/// A thing becomes the only member of another, or the other way round.
fn nest(root: &mut Json, pointers: &[String], tree: &Tree, rng: &mut Rng) -> Done {
    let pointer = pick(pointers, root, rng, |it, value| {
        !tree.is_at(it, Kind::Keys) && (value.is_object() || value.is_array())
    })?;
    let place = root.pointer_mut(pointer)?;
    *place = match rng.chance(50) {
        true => serde_json::json!({ "data": place.take() }),
        false => Json::Array(vec![place.take()]),
    };
    Some(("structure changed", pointer.clone()))
}

/// A word of a text that has other parts which move.
fn template(root: &mut Json, tree: &Tree, rng: &mut Rng) -> Done {
    if tree.texts.is_empty() {
        return None;
    }
    let (pointer, text): &(String, Text) = rng.pick(&tree.texts);
    let (_, changed, what) = super::text::word(text, rng)?;
    *root.pointer_mut(pointer)? = changed.into();
    Some(("word of a moving text", format!("{pointer}: {what}")))
}

fn value(root: &mut Json, pointers: &[String], tree: &Tree, rng: &mut Rng) -> Done {
    let pointer = pick(pointers, root, rng, |it, value| {
        !value.is_object()
            && !value.is_array()
            && !tree.is_within(it, Kind::is_of_value)
            && !tree.texts.iter().any(|(text, _)| text == it)
    })?;
    let place = root.pointer_mut(pointer)?;
    let old = place.to_string();
    let (kind, new) = changed(place, rng)?;
    let what = format!("{pointer}: {old} to {new}");
    *place = new;
    Some((kind, what))
}

fn changed(value: &Json, rng: &mut Rng) -> Option<(&'static str, Json)> {
    if !value.is_null() && rng.chance(10) {
        return Some(("value to null", Json::Null));
    }
    Some(match value {
        Json::Bool(it) => ("value flipped", (!it).into()),
        Json::Null => ("null to value", rng.word().into()),
        Json::Number(number) if rng.chance(12) => ("number to text", number.to_string().into()),
        Json::Number(number) => match (number.as_i64(), rng.below(3)) {
            (Some(whole), 0) => ("number by little", (whole + 1).into()),
            (Some(whole), 1) => ("number by much", (whole * 10 + 7).into()),
            (Some(whole), _) => ("number by much", (-1 - whole).into()),
            (None, 0) => ("number by little", (number.as_f64()? + 0.01).into()),
            (None, _) => ("number by much", (number.as_f64()? * 12.5 + 3.25).into()),
        },
        Json::String(text) if text.is_empty() => ("text changed", "x".into()),
        Json::String(_) if rng.chance(8) => ("text emptied", "".into()),
        Json::String(_) if rng.chance(8) => ("text to number", rng.between(1, 99).into()),
        Json::String(text) => ("text changed", mutated(text, rng).into()),
        _ => return None,
    })
}
