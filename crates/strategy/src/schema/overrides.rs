//! Profiles and environments in the schema: parts of a document, in which every field may be left
//! out, and null removes.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::{DEPLOYMENT, Definitions, reference, referred};
use crate::resolve::{ENVIRONMENT, ENVIRONMENTS, FIXED, PROFILE, PROFILES};

/// A document's own part, beside its overrides.
pub(super) const BASE: &str = "DeploymentInParts";
const OVERRIDE: &str = "Override";

/// Adds the two kinds of parts, and the fields that name and hold them.
pub(super) fn add(definitions: &mut Definitions) {
    let mut parts = Parts::default();
    let mut base = parts.of(definitions, DEPLOYMENT);
    while let Some(name) = parts.wanted.pop() {
        let part = parts.of(definitions, &name);
        definitions.insert(part_name(&name), part);
    }
    let mut over = base.clone();
    over["description"] = "What a profile or an environment changes: laid over the document as \
        JSON Merge Patch (RFC 7396). A strategy takes the place of the others."
        .into();
    if let Some(properties) = over["properties"].as_object_mut() {
        properties.retain(|name, _| !FIXED.contains(&name.as_str()));
    }
    over["properties"][PROFILE] = profile("The profile it builds on, or null for none.");
    definitions.insert(OVERRIDE.to_owned(), over);

    if let Some(whole) = definitions.get_mut(DEPLOYMENT) {
        for name in ["apiVersion", "kind", ENVIRONMENT] {
            base["properties"][name] = whole["properties"][name].clone();
        }
        base["required"] = json!(["apiVersion", "kind"]);
        for document in [whole, &mut base] {
            document["properties"][PROFILE] =
                profile("The profile that holds unless the environment names another.");
            document["properties"][PROFILES] = named("Sets of changes, by name.");
            document["properties"][ENVIRONMENTS] = named("What each environment changes, by name.");
        }
    }
    definitions.insert(BASE.to_owned(), base);
}

fn profile(description: &str) -> Value {
    json!({ "type": ["string", "null"], "description": description })
}

fn named(description: &str) -> Value {
    json!({
        "type": ["object", "null"],
        "description": description,
        "additionalProperties": { "anyOf": [{ "$ref": reference(OVERRIDE) }, { "type": "null" }] },
    })
}

fn part_name(name: &str) -> String {
    format!("{name}Changes")
}

/// Definitions of which parts are wanted too.
#[derive(Default)]
struct Parts {
    seen: Vec<String>,
    wanted: Vec<String>,
}

impl Parts {
    /// A definition whose fields may be left out or null.
    fn of(&mut self, definitions: &Definitions, name: &str) -> Value {
        let mut part = definitions.get(name).cloned().unwrap_or_default();
        if let Value::Object(members) = &mut part {
            members.retain(|key, _| !matches!(key.as_str(), "required" | "oneOf"));
        }
        if let Some(Value::Object(properties)) = part.get_mut("properties") {
            for property in properties.values_mut() {
                *property = self.field(definitions, property);
            }
        }
        part
    }

    /// A field's schema, with null, and with parts of mappings for mappings. A list is whole: it
    /// takes the place of another.
    fn field(&mut self, definitions: &Definitions, schema: &Value) -> Value {
        let mut schema = schema.clone();
        let Value::Object(members) = &mut schema else {
            return schema;
        };
        // What is left out of an override is as it was.
        members.remove("default");
        let description = members.remove("description");
        if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
            choices
                .iter_mut()
                .for_each(|it| self.refer(definitions, it));
        }
        if let Some(values) = members
            .get_mut("additionalProperties")
            .filter(|it| it.is_object())
        {
            *values = self.field(definitions, values);
        }
        self.refer(definitions, &mut schema);
        let mut schema = with_null(schema);
        if let Some(description) = description {
            schema["description"] = description;
        }
        schema
    }

    /// Lets a reference to a mapping lead to its part.
    fn refer(&mut self, definitions: &Definitions, schema: &mut Value) {
        let Some(name) = referred(schema).map(ToOwned::to_owned) else {
            return;
        };
        let is_mapping = |it: &Value| it.get("properties").is_some();
        if !definitions.get(&name).is_some_and(is_mapping) {
            return;
        }
        schema["$ref"] = reference(&part_name(&name)).into();
        if !self.seen.contains(&name) {
            self.seen.push(name.clone());
            self.wanted.push(name);
        }
    }
}

fn with_null(mut schema: Value) -> Value {
    let nothing = json!({ "type": "null" });
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        if !choices.contains(&nothing) {
            choices.push(nothing);
        }
        return schema;
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) => {
            if !types.contains(&json!("null")) {
                types.push("null".into());
            }
            schema
        }
        Some(one @ Value::String(_)) => {
            *one = json!([one.take(), "null"]);
            schema
        }
        _ => json!({ "anyOf": [schema, nothing] }),
    }
}
