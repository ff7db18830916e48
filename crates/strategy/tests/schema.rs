//! The JSON Schema: fresh, true of what is read, and of every default.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jsonschema::Validator;
use nonevent_document::{Document, Limits, Percent, parse_duration_ms};
use nonevent_strategy::{Deployment, read, schema};
use proptest::prelude::*;
use serde_json::{Value, json};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

fn parse(name: &str, text: &str) -> Document {
    Document::parse(name, text.as_bytes(), &Limits::default()).unwrap()
}

/// What a document reads as, or the first thing that keeps it from being read.
fn read_json(document: &Value) -> Result<Deployment, String> {
    let document = parse("full.json", &document.to_string());
    read(&document).map_err(|findings| findings.to_string())
}

#[test]
fn the_schema_in_docs_is_fresh() {
    let path = repository().join("docs/schema/deployment.schema.json");
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    if known != text && std::env::var("INSTA_UPDATE").is_ok_and(|it| it == "always") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    } else {
        assert!(known == text, "run `cargo xtask bless`");
    }
}

/// The files of a folder with this extension, by name.
fn files(folder: &str, extension: &str) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(repository().join(folder)).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == extension))
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::read_to_string(path).unwrap(),
            )
        })
        .collect()
}

/// The deployment documents that the pages of the repository show.
fn examples() -> Vec<(String, String)> {
    let mut pages = files("", "md");
    pages.extend(files("docs", "md"));
    for entry in std::fs::read_dir(repository().join("crates")).unwrap() {
        let folder = entry.unwrap().file_name().into_string().unwrap();
        pages.extend(files(&format!("crates/{folder}"), "md"));
    }
    let mut found = Vec::new();
    for (page, text) in pages {
        let blocks = text.split("\n```yaml\n").skip(1);
        let blocks = blocks.filter_map(|block| block.split("\n```").next());
        let deployments = blocks.filter(|block| block.contains("kind: Deployment"));
        found.extend(deployments.map(|block| (page.clone(), block.to_owned())));
    }
    found
}

#[test]
fn good_documents_and_the_examples_of_the_pages_are_valid() {
    let validator = validator();
    let mut documents: Vec<(String, String)> =
        files("fixtures/deployment", "yaml").into_iter().collect();
    assert!(documents.len() >= 9);
    let examples = examples();
    assert!(!examples.is_empty());
    documents.extend(examples);
    for (name, text) in documents {
        let document = parse(&name, &text);
        read(&document).unwrap_or_else(|findings| panic!("{name}: {findings}"));
        let told: Vec<String> = validator
            .iter_errors(&document.root().to_json())
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(told.is_empty(), "{name}: {told:?}");
    }
}

#[test]
fn of_the_bad_documents_those_of_a_bad_shape_are_invalid() {
    let validator = validator();
    let refused: Vec<String> = files("fixtures/deployment/bad", "yaml")
        .into_iter()
        .filter(|(name, text)| !validator.is_valid(&parse(name, text).root().to_json()))
        .map(|(name, _)| {
            Path::new(&name)
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(refused, ["NE1001", "NE1004", "NE1005", "NE1110"]);
}

/// Documents in which every mapping and list of the format has something, one for each strategy,
/// and for each way to divide a fleet.
fn full() -> [Value; 5] {
    let analysis = || {
        json!({
            "every": "1m", "warm_up": "3s", "window": "2m", "on_no_data": "pause",
            "on_inconclusive": "pause", "bounds": "error_rate <= 1%",
            "policy": { "alpha_ppm": 3, "p99_max_ms": 9 },
            "metrics": { "m": { "lag": "3s", "scrape": "9s", "source": "s" } },
        })
    };
    let strategies = [
        json!({ "canary": {
            "split_by": "user", "requests_per_user": 3, "baseline": true,
            "steps": [{
                "traffic": "5%", "pause": "3m", "replicas": 3, "approval": "a",
                "analysis": "other", "smoke": "s",
                "chosen": { "headers": { "h": "1" }, "cookies": { "c": "1" } },
                "mirror": { "share": "5%", "unsafe_methods": true },
            }],
        } }),
        json!({ "blue_green": {
            "approval": "a", "preview": "3m", "bake": "3m", "scale_down_delay": "3m",
            "stages": [{ "traffic": "5%", "pause": "3m" }],
        } }),
        json!({ "rolling": {
            "max_surge": "5%", "max_unavailable": 3, "pause": "3m", "min_ready": "3m",
            "progress_deadline": "3m", "by_zone": { "pause": "3m" }, "watch": "3m",
            "on_failure": "pause",
        } }),
        json!({ "rolling": {
            "waves": [{ "upto": 3, "pause": "3m", "approval": "a" }],
        } }),
        json!({ "recreate": {
            "watch": "3m", "downtime": { "at_most": "3m", "accepted_by": "me" },
        } }),
    ];
    strategies.map(|strategy| {
        json!({
            "apiVersion": "nonevent/v1", "kind": "Deployment", "service": "s",
            "environment": "e", "owner": "o", "author": "a",
            "release": {
                "from": "1", "to": "2",
                "artifact": { "name": "n", "digest": format!("sha256:{:064}", 7) },
                "from_artifact": { "name": "n", "digest": format!("sha256:{:064}", 8) },
            },
            "roles": { "r": ["p"] },
            "fleet": {
                "replicas": 3, "zones": { "z": 3 }, "min_healthy": 2, "spare": 3, "warm_up": "3s",
                "ready_within": "3s", "drain": "3s", "connections": "ride_out",
                "requests_per_second": 3,
            },
            "strategy": strategy,
            "analysis": analysis(), "analyses": { "other": analysis() },
            "smoke": { "before": "b", "canary": "c", "after": "a" },
            "approvals": { "a": {
                "role": "r", "count": 3, "timeout": "3m", "on_timeout": "pause",
            } },
            "migrations": [{
                "name": "m", "kind": "expand", "reversible": false, "owner": "o",
                "moment": "at_end", "how": "h", "within": "3m", "unused_since": "1",
            }],
            "manual": [{
                "name": "m", "moment": "at_end", "how": "h", "expect": "e", "owner": "o",
                "within": "3m",
            }],
            "flags": [{
                "flag": "f", "file": "f", "kill_switch": "k",
                "stages": [{
                    "name": "n", "exposure": "5%", "content": "c", "pause": "3m", "approval": "a",
                }],
            }],
            "windows": {
                "zone": "Europe/Berlin", "on_window_close": "finish",
                "allow": [{ "days": ["mon"], "from": "09:00", "to": "16:00", "weeks": [1] }],
                "freezes": [{ "name": "f", "from": "12-20", "to": "01-02" }],
            },
            "notifications": [{ "on": ["started"], "to": "t" }],
            "rollback": {
                "within": "3m", "keep": 3, "triggers": ["p99", { "metric": "m" }],
                "no_way_back": { "accepted_by": "me", "reason": "r" },
                "after_no_return": "page",
                "on_drift": "repair",
            },
            "target": { "router": "haproxy", "fleet": "f", "dns_ttl": "3m" },
        })
    })
}

/// Every place in a document: the path of keys and indices to it.
fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, it)| (key.clone(), it)).collect(),
        Value::Array(items) => items
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

/// Where the schema and the reader differ, on purpose: how many replicas there may be is for the
/// check, and the texts of bounds and windows are languages of their own.
fn differs(path: &str, replacement: &Value) -> bool {
    path == "/fleet/replicas" && *replacement == 0
        || path.ends_with("/bounds")
        || path.starts_with("/windows")
}

#[test]
fn what_can_be_read_is_valid_and_what_cannot_is_not() {
    let validator = validator();
    let replacements = json!([
        null, true, 0, 3, -1, 2.5, "x", "30", "30s", "5%", "101%", "match", "none", [], ["x"], {},
        { "unknown": 1 }
    ]);
    let mut tried = 0;
    for (index, document) in full().into_iter().enumerate() {
        assert_eq!(read_json(&document).err(), None);
        let mut paths = Vec::new();
        places(&document, "", &mut paths);
        // Beside the strategy, they are alike.
        paths.retain(|path| index == 0 || path.starts_with("/strategy"));
        for path in paths {
            for replacement in replacements.as_array().unwrap() {
                let mut changed = document.clone();
                *changed.pointer_mut(&path).unwrap() = replacement.clone();
                let read = read_json(&changed);
                if differs(&path, replacement) {
                    continue;
                }
                tried += 1;
                let told = validator.validate(&changed).err().map(|it| it.to_string());
                assert_eq!(
                    read.is_ok(),
                    told.is_none(),
                    "{path} is {replacement}; schema: {told:?}; reader: {:?}",
                    read.err()
                );
            }
        }
    }
    assert!(tried > 2_500, "{tried}");
}

/// A schema with its reference followed, and without the null beside it.
fn followed<'s>(schema: &'s Value, root: &'s Value) -> (&'s Value, Option<&'s str>) {
    let schema = match schema["anyOf"].as_array() {
        Some(choices) => choices
            .iter()
            .find(|it| it.get("$ref").is_some())
            .unwrap_or(schema),
        None => schema,
    };
    match schema["$ref"].as_str() {
        Some(reference) => {
            let name = reference.strip_prefix("#/$defs/").unwrap();
            (&root["$defs"][name], Some(name))
        }
        None => (schema, None),
    }
}

/// Every field that has a default, with the path at which the document has it.
fn defaulted<'s>(
    document: &Value,
    path: &str,
    schema: &'s Value,
    root: &'s Value,
    found: &mut Vec<(String, String, &'s Value)>,
) {
    let (schema, name) = followed(schema, root);
    let children: Vec<(String, &Value, &Value)> = match document {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| {
                let own = schema["properties"].get(key);
                let own = own.unwrap_or(&schema["additionalProperties"]);
                (key.clone(), value, own)
            })
            .collect(),
        Value::Array(items) => {
            let own = &schema["items"];
            let items = items.iter().enumerate();
            items
                .map(|(index, value)| (index.to_string(), value, own))
                .collect()
        }
        _ => return,
    };
    for (key, value, own) in children {
        let path = format!("{path}/{key}");
        if let Some(default) = own.get("default") {
            found.push((
                format!("{}.{key}", name.unwrap_or_default()),
                path.clone(),
                default,
            ));
        }
        defaulted(value, &path, own, root, found);
    }
    if name == Some("Policy") {
        let properties = schema["properties"].as_object().unwrap();
        for (key, own) in properties {
            found.push((
                format!("Policy.{key}"),
                format!("{path}/{key}"),
                &own["default"],
            ));
        }
    }
}

/// The document without the field, or with another value of it, as it reads.
fn reads(document: &Value, path: &str, value: Option<&Value>) -> Deployment {
    let (parent, key) = path.rsplit_once('/').unwrap();
    let mut document = document.clone();
    let parent = document
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap();
    match value {
        Some(value) => parent.insert(key.to_owned(), value.clone()),
        None => parent.remove(key),
    };
    let mut deployment = read_json(&document).unwrap();
    // Whether it was written down is all that may differ.
    deployment.fleet.connections_declared = true;
    deployment
}

#[test]
fn a_default_is_what_an_omitted_field_reads_as() {
    let schema = schema();
    let mut held = BTreeSet::new();
    for mut document in full() {
        // They would overrule the policy.
        document["analysis"]
            .as_object_mut()
            .unwrap()
            .remove("bounds");
        let mut found = Vec::new();
        let deployment = json!({ "$ref": "#/$defs/Deployment" });
        defaulted(&document, "", &deployment, &schema, &mut found);
        for (field, path, default) in found {
            if path.starts_with("/analyses") {
                continue;
            }
            let omitted = reads(&document, &path, None);
            assert_eq!(omitted, reads(&document, &path, Some(default)), "{path}");
            held.insert(field);
        }
    }
    let mut known = BTreeSet::new();
    let mut silent = Vec::new();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        let Some(properties) = definition["properties"].as_object() else {
            continue;
        };
        for (field, property) in properties {
            let described = property["description"].as_str().unwrap_or_default();
            if property.get("default").is_some() {
                known.insert(format!("{name}.{field}"));
            } else if described.contains("default") && !name.ends_with("Changes") {
                silent.push(format!("{name}.{field}"));
            }
        }
    }
    assert_eq!(held, known);
    // Their defaults depend on other fields.
    insta::assert_snapshot!(silent.join("\n"));
}

#[test]
fn every_mapping_knows_its_names_and_every_field_says_what_it_is() {
    fn walk(schema: &Value, path: &str) {
        // What stands in for a text is told as a whole.
        let is_whole = path.ends_with("/oneOf");
        if let Some(properties) = schema["properties"].as_object() {
            assert_eq!(schema["additionalProperties"], json!(false), "{path}");
            for (name, property) in properties {
                assert!(
                    property["description"].is_string() || is_whole,
                    "{path}.{name}"
                );
            }
        }
        match schema {
            Value::Object(members) => {
                members
                    .iter()
                    .for_each(|(key, it)| walk(it, &format!("{path}/{key}")));
            }
            Value::Array(items) => items.iter().for_each(|it| walk(it, path)),
            _ => {}
        }
    }
    walk(&schema(), "");
}

#[test]
fn overrides_are_parts_of_a_document() {
    let validator = validator();
    let document = |over: Value| {
        json!({
            "apiVersion": "nonevent/v1", "kind": "Deployment", "service": "s",
            "release": { "from": "1", "to": "2" },
            "strategy": { "canary": {} },
            "environments": { "e": over },
        })
    };
    let cases = json!([
        [null, true],
        [{}, true],
        [{ "fleet": { "replicas": 2 } }, true],
        [{ "fleet": null, "analysis": { "policy": { "alpha_ppm": null } } }, true],
        [{ "strategy": { "canary": null, "rolling": {} }, "profile": "p" }, true],
        [{ "strategy": { "blue-green": { "bake": "1m" } } }, true],
        [{ "analyses": { "a": { "every": "1s" }, "b": null } }, true],
        [{ "manual": [{ "name": "n", "how": "h", "expect": "e" }] }, true],
        // A list takes the place of another, so its items are whole.
        [{ "manual": [{ "name": "n" }] }, false],
        [{ "fleet": { "replcas": 2 } }, false],
        [{ "fleet": { "replicas": "2" } }, false],
        [{ "fleet": { "drain": "30" } }, false],
        [{ "environment": "x" }, false],
        [{ "kind": "Deployment" }, false],
        [{ "profiles": {} }, false],
        [3, false],
    ]);
    for case in cases.as_array().unwrap() {
        let document = document(case[0].clone());
        let told = validator.validate(&document).err();
        assert_eq!(told.is_none(), case[1] == true, "{}: {told:?}", case[0]);
    }
    let mut whole = document(json!({}));
    whole.as_object_mut().unwrap().remove("environments");
    // Without overrides, the document must be whole.
    assert!(!validator.is_valid(&whole));
}

/// Validators of the two quantities, made once.
static QUANTITIES: LazyLock<[Validator; 2]> = LazyLock::new(|| {
    let definitions = schema()["$defs"].take();
    ["Percent", "Duration"].map(|name| jsonschema::draft202012::new(&definitions[name]).unwrap())
});

#[test]
fn every_percentage_has_the_pattern() {
    let [percent, _] = &*QUANTITIES;
    for points in 0..=10_000 {
        let text = Percent::from_basis_points(points).unwrap().to_string();
        assert!(percent.is_valid(&json!(text)), "{text}");
    }
}

proptest! {
    #[test]
    fn the_patterns_are_what_is_read(
        percent in "[01]{0,2}[0-9]{0,2}(\\.[0-9]{0,3})?%?",
        duration in "([0-9]{0,2}(\\.[0-9])?(d|h|m|s|ms|x)? ?){0,3}",
    ) {
        let [percents, durations] = &*QUANTITIES;
        let is_read = percent.parse::<Percent>().is_ok();
        prop_assert_eq!(percents.is_valid(&json!(percent)), is_read, "{}", percent);
        // A fraction of a millisecond has the pattern, and is refused when it is read.
        let is_read = parse_duration_ms(&without_fractions(&duration)).is_ok();
        prop_assert_eq!(durations.is_valid(&json!(duration)), is_read, "{}", duration);
    }
}

/// A duration without the fractions of its numbers; with an `x` where one is malformed.
fn without_fractions(duration: &str) -> String {
    let mut whole = String::new();
    let mut in_fraction = false;
    let mut rest = duration.chars().peekable();
    while let Some(character) = rest.next() {
        let digit = |it: &char| it.is_ascii_digit();
        match character {
            '.' => {
                let is_between = whole.chars().last().is_some_and(|it| digit(&it));
                let starts = !in_fraction && is_between && rest.peek().is_some_and(digit);
                in_fraction |= starts;
                whole.push_str(if starts { "" } else { "x" });
            }
            '0'..='9' if in_fraction => {}
            other => {
                in_fraction = false;
                whole.push(other);
            }
        }
    }
    whole
}
