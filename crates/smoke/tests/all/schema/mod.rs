//! The JSON Schema of a suite: it says what the reader does, field by field and value by value.

mod full;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use nonevent_document::{Document, Findings, Limits};
use nonevent_smoke::Suite;
use serde_json::{Value as Json, json};

use full::{full, suite_of};
use walk::{each_object, followed, objects, places};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schema() -> Json {
    let path = repository().join("docs/schema/smoke-suite.schema.json");
    let text = fs::read_to_string(path).expect("a schema");
    serde_json::from_str(&text).expect("JSON")
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).expect("a schema")
}

/// A fixture as JSON; nothing if it is not even that.
fn documents(folder: &str) -> BTreeMap<String, Json> {
    let folder = repository().join("fixtures/smoke").join(folder);
    let files = fs::read_dir(folder).expect("a folder");
    files
        .map(|file| file.expect("a file").path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let bytes = fs::read(&path).expect("a readable file");
            let document = Document::parse(&name, &bytes, &Limits::default()).ok()?;
            Some((name, document.root().to_json()))
        })
        .filter(|(name, _)| !name.ends_with(".schema.json"))
        .collect()
}

fn findings(suite: &Json) -> Findings {
    Suite::parse("suite.json", suite.to_string().as_bytes())
        .err()
        .unwrap_or_default()
}

/// What the reader says of shape, types and values: all that a schema can see too.
fn refusals(suite: &Json) -> Vec<String> {
    let seen = ["NE5001", "NE5002", "NE5003", "NE5004"];
    findings(suite)
        .iter()
        .map(ToString::to_string)
        .filter(|said| seen.iter().any(|code| said.contains(code)))
        .collect()
}

#[test]
fn good_suites_are_valid() {
    let validator = validator();
    let mut suites = documents("ok");
    suites.extend(documents("run"));
    assert!(suites.len() >= 9, "{:?}", suites.keys());
    suites.extend([
        (
            "demo".to_owned(),
            json!({ "tests": [{ "path": "/health" }] }),
        ),
        (
            "default".to_owned(),
            json!({ "tests": [{ "method": "GET", "path": "/" }] }),
        ),
    ]);
    for (name, suite) in suites {
        assert!(findings(&suite).is_empty(), "{name}");
        let told: Vec<String> = validator
            .iter_errors(&suite)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(told.is_empty(), "{name}: {told:?}");
    }
}

/// What a finding says that the schema cannot know, each with the reason.
const ONLY_READ: [(&str, &str); 11] = [
    ("no test is called", "names are compared with each other"),
    (
        "which does not stand before it",
        "places are compared with each other",
    ),
    ("is also captured by", "names are compared with each other"),
    (
        "`min` is over `max`",
        "two numbers are compared with each other",
    ),
    (
        "no redirect has a status",
        "a range is a text, and one of several statuses will do",
    ),
    (
        "no regular expression",
        "patterns are a language of their own",
    ),
    (
        "it matches everything",
        "patterns are a language of their own",
    ),
    ("JSON Schema: Resource ", "a reference may lead elsewhere"),
    ("JSON Schema: Pointer ", "a reference may lead nowhere"),
    (
        "JSON Schema: Unknown meta-schema",
        "which dialects are known",
    ),
    ("is not a \"regex\"", "patterns are a language of their own"),
];

/// Whether everything that is said is of the kind that a schema cannot know.
fn is_only_read(refused: &[String]) -> bool {
    let known = |said: &String| ONLY_READ.iter().any(|(part, _)| said.contains(part));
    !refused.is_empty() && refused.iter().all(known)
}

#[test]
fn of_the_bad_tests_those_of_a_bad_shape_are_invalid() {
    let validator = validator();
    let mut unseen = Vec::new();
    let mut told = 0;
    for (name, suite) in documents("bad") {
        let Some(tests) = suite["tests"].as_array() else {
            assert!(!validator.is_valid(&suite), "{name}");
            continue;
        };
        for test in tests {
            // As the first one of a suite, so that it stands for itself.
            let alone = json!({ "tests": [test] });
            let refused = refusals(&alone);
            let is_valid = validator.is_valid(&alone);
            let test = format!("{name}: {}", test["name"].as_str().unwrap_or("-"));
            match (refused.is_empty(), is_valid) {
                (true, false) => panic!("{test} is read, and the schema refuses it"),
                (false, true) if is_only_read(&refused) => {}
                (false, true) => unseen.push(format!("{test}: {refused:?}")),
                _ => told += 1,
            }
        }
    }
    assert!(told > 60, "{told}");
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
}

/// Every bound of the schema, and the numbers on both sides of it.
fn bounds(schema: &Json) -> Vec<Json> {
    let mut found = BTreeSet::new();
    each_object(schema, "", &mut |schema, _| {
        for bound in [&schema["minimum"], &schema["maximum"]] {
            found.extend(bound.as_i64().into_iter().flat_map(|it| it - 1..=it + 1));
        }
    });
    found.into_iter().map(Json::from).collect()
}

/// A suite that the schema and the reader see otherwise, unless only the reader can know.
fn disagreement(suite: &Json, validator: &Validator) -> Option<String> {
    let refused = refusals(suite);
    let told = validator.validate(suite).err().map(|it| it.to_string());
    let agree = refused.is_empty() == told.is_none();
    let known = told.is_none() && is_only_read(&refused);
    (!agree && !known).then(|| format!("{told:?}; {refused:?}; {suite}"))
}

#[test]
fn what_can_be_read_is_valid_and_what_cannot_is_not() {
    let validator = validator();
    let replacements = json!([
        null, true, false, 0, 3, -1, 2.5, "", "x", "200", "a b", "(", "1.2", "idempotent",
        "critical", [], ["x"], [1], {}, { "unknown": 1 }
    ]);
    let numbers = bounds(&schema());
    let mut tried = 0;
    let mut wrong = Vec::new();
    for test in full() {
        let suite = suite_of(&test);
        assert_eq!(refusals(&suite), [""; 0], "{test}");
        let mut paths = Vec::new();
        places(&suite, "", &mut paths);
        for path in paths {
            let is_number = suite.pointer(&path).is_some_and(Json::is_number);
            let numbers = numbers.iter().filter(|_| is_number);
            for replacement in replacements
                .as_array()
                .expect("a list")
                .iter()
                .chain(numbers)
            {
                let mut changed = suite.clone();
                *changed.pointer_mut(&path).expect("a place") = replacement.clone();
                tried += 1;
                wrong.extend(disagreement(&changed, &validator));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {tried}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(tried > 6_000, "{tried}");
}

/// Every object with a field more, of those that another one of its kind has, and with one less.
#[test]
fn which_fields_go_together_is_known_to_both() {
    let (root, validator) = (schema(), validator());
    let mut places = Vec::new();
    let mut seen: BTreeMap<*const Json, BTreeMap<String, Json>> = BTreeMap::new();
    for test in full() {
        let suite = suite_of(&test);
        let mut found = Vec::new();
        objects(&suite, "", &root, &root, &mut found);
        for (path, schema) in found {
            let members = suite.pointer(&path).and_then(Json::as_object);
            let members = members.expect("an object").clone();
            let kind = core::ptr::from_ref(schema);
            seen.entry(kind).or_default().extend(members);
            places.push((suite.clone(), path, kind));
        }
    }
    let mut tried = 0;
    let mut wrong = Vec::new();
    for (suite, path, kind) in places {
        for (key, value) in &seen[&kind] {
            let mut changed = suite.clone();
            let object = changed.pointer_mut(&path).and_then(Json::as_object_mut);
            let object = object.expect("an object");
            if object.remove(key).is_none() {
                object.insert(key.clone(), value.clone());
            }
            tried += 1;
            wrong.extend(disagreement(&changed, &validator));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {tried}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(tried > 300, "{tried}");
}

/// The fields of an object, as the reader lists them when it is given one that it does not know.
fn fields_of(suite: &Json, path: &str) -> BTreeSet<String> {
    let mut changed = suite.clone();
    *changed.pointer_mut(path).expect("a place") = json!({ "zzz": 1 });
    let said = findings(&changed);
    let listed = said
        .iter()
        .filter(|finding| finding.message.contains("has no field `zzz`"))
        .find_map(|finding| finding.help.strip_prefix("its fields are "));
    assert!(listed.is_some(), "{path} takes any field: {said}");
    let listed = listed.unwrap_or_default();
    listed.split(", ").map(str::to_owned).collect()
}

#[test]
fn objects_have_the_fields_that_the_reader_knows() {
    let root = schema();
    let mut held = Vec::new();
    for test in full() {
        let suite = suite_of(&test);
        let mut found = Vec::new();
        objects(&suite, "", &root, &root, &mut found);
        found.retain(|(_, schema)| schema["additionalProperties"] == false);
        for (path, schema) in found {
            let properties = schema["properties"].as_object().expect("fields");
            held.push(core::ptr::from_ref(schema));
            // A file is told from a schema, which may have any field.
            if path.ends_with("/expected_schema") {
                continue;
            }
            let known: BTreeSet<String> = properties.keys().cloned().collect();
            assert_eq!(fields_of(&suite, &path), known, "{path}");
        }
    }
    each_object(&root, "", &mut |schema, path| {
        if schema["additionalProperties"] == false {
            let is_held = held.contains(&core::ptr::from_ref(schema));
            assert!(is_held, "no test has {path}");
        }
    });
}

#[test]
fn every_field_says_what_it_is_and_only_foreign_objects_are_open() {
    let root = schema();
    each_object(&root, "", &mut |schema, path| {
        let conditions = ["/if", "/then", "/not", "/dependentSchemas/unix_socket"];
        if conditions.iter().any(|part| path.contains(part)) {
            return;
        }
        let Some(properties) = schema
            .get("properties")
            .filter(|_| !path.ends_with("/properties"))
        else {
            return;
        };
        let is_foreign = ["", "/$defs/Test"].contains(&path);
        assert_eq!(
            schema["additionalProperties"] == false,
            !is_foreign,
            "{path}"
        );
        for (name, property) in properties.as_object().expect("fields") {
            let described = &followed(property, &root)["description"];
            assert!(
                described.is_string() || property["description"].is_string(),
                "{path}: {name}"
            );
        }
    });
}
