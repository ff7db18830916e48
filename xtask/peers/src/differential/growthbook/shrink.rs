//! The least of a definition and a context on which the engines still give what they gave, so that
//! a reason is looked for only in what the difference needs.

use super::{Answers, Both};
use serde_json::{Map, Value as Json};

/// What is left.
pub(super) struct Least {
    pub(super) definition: Json,
    /// An object.
    pub(super) attributes: Json,
}

/// Leaves out members and items, outer ones first, until none can be missed.
pub(super) fn least(
    feature: &str,
    answers: &Answers,
    definition: &Json,
    attributes: &Map<String, Json>,
) -> Least {
    let stays = |definition: &Json, attributes: &Json| {
        let attributes = attributes.as_object();
        let both = Both::new(definition).zip(attributes);
        both.is_some_and(|(mut both, attributes)| both.answers(feature, attributes) == *answers)
    };
    let mut least = Least {
        definition: definition.clone(),
        attributes: attributes.clone().into(),
    };
    loop {
        let attributes = least.attributes.clone();
        let shorter = cut(&mut least.definition, &|it| stays(it, &attributes));
        let definition = least.definition.clone();
        if !(cut(&mut least.attributes, &|it| stays(&definition, it)) | shorter) {
            return least;
        }
    }
}

/// Leaves out what can be; whether anything was.
fn cut(whole: &mut Json, stays: &dyn Fn(&Json) -> bool) -> bool {
    let mut paths = Vec::new();
    let mut open = std::collections::VecDeque::from([String::new()]);
    while let Some(path) = open.pop_front() {
        let inner: Vec<String> = match whole.pointer(&path) {
            Some(Json::Object(members)) => members.keys().map(|key| escaped(key)).collect(),
            // From the last, so that those before keep their places.
            Some(Json::Array(items)) => (0..items.len()).rev().map(|at| at.to_string()).collect(),
            _ => continue,
        };
        for name in inner {
            let inner = format!("{path}/{name}");
            let mut without = whole.clone();
            remove(&mut without, &path, &name);
            if stays(&without) {
                *whole = without;
                paths.push(inner);
            } else {
                open.push_back(inner);
            }
        }
    }
    !paths.is_empty()
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn remove(whole: &mut Json, path: &str, name: &str) {
    match whole.pointer_mut(path) {
        Some(Json::Object(members)) => {
            members.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        Some(Json::Array(items)) => {
            if let Some(at) = name.parse().ok().filter(|at| *at < items.len()) {
                items.remove(at);
            }
        }
        _ => {}
    }
}
