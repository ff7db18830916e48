//! Walks through documents and schemas.

use serde_json::Value as Json;

/// Every place in a document: the pointer to it.
pub(super) fn places(value: &Json, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    let children: Vec<(String, &Json)> = match value {
        Json::Object(members) => members.iter().map(|(key, it)| (key.clone(), it)).collect(),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, it)| (index.to_string(), it))
            .collect(),
        _ => return,
    };
    for (key, child) in children {
        places(child, &format!("{path}/{key}"), found);
    }
}

/// A schema with its reference followed.
pub(super) fn followed<'s>(schema: &'s Json, root: &'s Json) -> &'s Json {
    match schema["$ref"]
        .as_str()
        .and_then(|it| it.strip_prefix("#/$defs/"))
    {
        Some(name) => &root["$defs"][name],
        None => schema,
    }
}

/// The schemas of objects with fields, each with the places of a document that it is for.
pub(super) fn objects<'s>(
    value: &Json,
    path: &str,
    schema: &'s Json,
    root: &'s Json,
    found: &mut Vec<(String, &'s Json)>,
) {
    let schema = followed(schema, root);
    for choice in schema["anyOf"].as_array().into_iter().flatten() {
        objects(value, path, choice, root, found);
    }
    match value {
        Json::Object(members) => {
            if schema.get("properties").is_some() {
                found.push((path.to_owned(), schema));
            }
            for (key, value) in members {
                let own = schema["properties"].get(key);
                let own = own.unwrap_or(&schema["additionalProperties"]);
                objects(value, &format!("{path}/{key}"), own, root, found);
            }
        }
        Json::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                objects(item, &format!("{path}/{at}"), &schema["items"], root, found);
            }
        }
        _ => {}
    }
}

/// Every schema in a schema.
pub(super) fn each_object(schema: &Json, path: &str, each: &mut impl FnMut(&Json, &str)) {
    match schema {
        Json::Object(members) => {
            each(schema, path);
            for (key, value) in members {
                each_object(value, &format!("{path}/{key}"), each);
            }
        }
        Json::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                each_object(item, &format!("{path}/{at}"), each);
            }
        }
        _ => {}
    }
}
