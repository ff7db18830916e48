//! The JSON Schema of the deployment document, made from the types that read it.

mod defaults;
mod overrides;

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::resolve::STRATEGIES;
use crate::wire::DeploymentWire;

/// Schemas by name, as they will stand under `$defs`.
type Definitions = BTreeMap<String, Value>;

const DEPLOYMENT: &str = "Deployment";
/// What the reading types are called beside the domain's.
const SUFFIX: &str = "Wire";
/// The definition whose nulls are values: they switch a bound off.
const POLICY: &str = "Policy";

/// The JSON Schema (draft 2020-12) of a deployment document, for editors and other tools.
///
/// It holds the shape of a document: names, types, units, defaults, one strategy of four, and
/// overrides as parts of a document. What a check finds beyond that, it does not know. Members are
/// in the order of their names, so that the same types give the same text.
///
/// ```
/// let schema = nonevent_strategy::schema();
/// assert_eq!(schema["$defs"]["Fleet"]["properties"]["drain"]["default"], "30s");
/// ```
#[must_use]
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut root = generator
        .into_root_schema_for::<DeploymentWire>()
        .to_value();
    let meta = root["$schema"].take();
    let mut definitions = definitions(root);
    one_strategy(&mut definitions);
    defaults::put(&mut definitions);
    overrides::add(&mut definitions);
    sorted(json!({
        "$schema": meta,
        "title": "Deployment document, nonevent/v1",
        "description": "What shall be released, where, how, and what must hold for it.",
        // With overrides, what is at the top need not be whole.
        "if": { "anyOf": [{ "required": ["profiles"] }, { "required": ["environments"] }] },
        "then": { "$ref": reference(overrides::BASE) },
        "else": { "$ref": reference(DEPLOYMENT) },
        "$defs": definitions,
    }))
}

fn reference(name: &str) -> String {
    format!("#/$defs/{name}")
}

/// The name that a reference leads to.
fn referred(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// The definitions under their own names, the root among them.
fn definitions(mut root: Value) -> Definitions {
    let found = root["$defs"].take();
    if let Value::Object(members) = &mut root {
        members.retain(|key, _| !matches!(key.as_str(), "$defs" | "$schema" | "title"));
    }
    let mut definitions = Definitions::from([(DEPLOYMENT.to_owned(), root)]);
    if let Value::Object(found) = found {
        definitions.extend(found);
    }
    let tidied = definitions.into_iter().map(|(name, mut schema)| {
        let name = name.trim_end_matches(SUFFIX).to_owned();
        tidy(&mut schema, name == POLICY);
        (name, schema)
    });
    tidied.collect()
}

/// Writes the generator's schemas as this document wants them: names without their suffix, texts
/// without the line breaks of the source, bounds instead of Rust's names for integers, and no null
/// for a default unless it is one.
fn tidy(schema: &mut Value, nulls: bool) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(name)) = members.get_mut("$ref") {
                *name = name.trim_end_matches(SUFFIX).to_owned();
            }
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            if members.get("format") == Some(&json!("uint32")) {
                members.remove("format");
                members.entry("maximum").or_insert(json!(u32::MAX));
            }
            if members.get("format") == Some(&json!("int64")) {
                members.remove("format");
            }
            if !nulls && members.get("default") == Some(&Value::Null) {
                members.remove("default");
            }
            members.values_mut().for_each(|it| tidy(it, nulls));
        }
        Value::Array(items) => items.iter_mut().for_each(|it| tidy(it, nulls)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Demands one strategy, and takes `blue-green` for the name of one.
fn one_strategy(definitions: &mut Definitions) {
    let Some(strategy) = definitions.get_mut("Strategy") else {
        return;
    };
    let Some(Value::Object(properties)) = strategy.get_mut("properties") else {
        return;
    };
    for property in properties.values_mut() {
        // A strategy that is null is none.
        let own = property["anyOf"][0].take();
        let description = property["description"].take();
        *property = own;
        property["description"] = description;
    }
    let other_spelling = properties.get("blue_green").cloned();
    properties.extend(other_spelling.map(|it| ("blue-green".to_owned(), it)));
    let names = STRATEGIES.into_iter().chain(["blue-green"]);
    let each = names.map(|name| json!({ "required": [name] }));
    strategy["oneOf"] = each.collect::<Vec<Value>>().into();
}

/// With the members of every object in the order of their names, whatever else in the build
/// makes of `serde_json`'s maps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> = members.into_iter().collect();
            let members = members.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(members.collect::<Map<String, Value>>())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}
