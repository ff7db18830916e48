//! Bodies as JSON.

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::{answer, check, facts, judged, messages};
use crate::net::exchange::Answer;
use crate::suite::model::Suite;

fn of(path: &str, rule: &Json) -> Json {
    let mut item = json!({ "path": path });
    let members = rule.as_object().expect("conditions").clone();
    item.as_object_mut().expect("an object").extend(members);
    json!({ "expected_json": [item] })
}

#[test]
fn json_values_that_are_as_expected() {
    check(&[
        (of("$.state", &json!({ "equals": "${state}" })), ""),
        (of("$.items[*].id", &json!({ "not_equals": 3 })), ""),
        (of("$.state", &json!({ "contains": "ead" })), ""),
        (of("$.tags", &json!({ "contains": "b" })), ""),
        (
            of(
                "$.items",
                &json!({ "contains": { "name": "a", "id": 1.0 } }),
            ),
            "",
        ),
        (of("$.items[*].name", &json!({ "matches": "^[ab]$" })), ""),
        (
            of(
                "$.items[*].id",
                &json!({ "type": "integer", "min": 1, "max": 2.0, "count": 2 }),
            ),
            "",
        ),
        (of("$.none", &json!({ "type": "null" })), ""),
        (of("$.items[?@.id > 5]", &json!({ "count": 0 })), ""),
        (
            of("$.items[*]", &json!({ "count": { "min": 1, "max": 2 } })),
            "",
        ),
    ]);
}

#[test]
fn json_values_that_are_not() {
    check(&[
        (
            of("$.state", &json!({ "not_equals": "ready" })),
            "$.state is \"ready\", expected anything but \"ready\"",
        ),
        (
            of("$.none.deeper", &json!({ "not_equals": 1 })),
            "$.none.deeper is nothing, expected anything but 1",
        ),
        (
            of("$.count", &json!({ "contains": "3" })),
            "$.count is 3, expected text or a list with \"3\" in it",
        ),
        (
            of("$.tags", &json!({ "contains": "c" })),
            "$.tags is [\"a\",\"b\"], expected text or a list with \"c\" in it",
        ),
        (
            of("$.items[*].name", &json!({ "matches": "^a$" })),
            "$.items[*].name is \"b\", expected text that matches `^a$`",
        ),
        (
            of("$.count", &json!({ "matches": ".*" })),
            "$.count is 3, expected text that matches `.*`",
        ),
        (
            of("$.ratio", &json!({ "type": "integer" })),
            "$.ratio is 0.5, expected the type integer",
        ),
        (
            of("$.items[*].id", &json!({ "count": 3 })),
            "$.items[*].id finds 2 values, expected 3",
        ),
        (
            of("$.items[*].id", &json!({ "count": { "max": 1 } })),
            "$.items[*].id finds 2 values, expected at most 1",
        ),
        (
            of("$.items[*].id", &json!({ "min": 2 })),
            "$.items[*].id is 1, expected a number of at least 2",
        ),
        (
            of("$.count", &json!({ "max": 2.5 })),
            "$.count is 3, expected a number of at most 2.5",
        ),
        (
            of("$.state", &json!({ "max": 2 })),
            "$.state is \"ready\", expected a number of at most 2",
        ),
        (
            of("$.token", &json!({ "equals": "x" })),
            "$.token is \"***\", expected \"x\"",
        ),
    ]);
}

#[test]
fn a_json_value_has_its_types_and_no_other() {
    for kind in [
        "string", "number", "integer", "boolean", "null", "array", "object",
    ] {
        let body = r#"{ "string": "", "number": 1.5, "integer": 1.0, "boolean": false, "null": null,
            "array": [], "object": {} }"#;
        let answer = Answer {
            body: Bytes::from_static(body.as_bytes()),
            ..answer()
        };
        let met: Vec<&str> = [
            "string", "number", "integer", "boolean", "null", "array", "object",
        ]
        .into_iter()
        .filter(|name| {
            let fields = of(&format!("/{name}"), &json!({ "type": kind }));
            judged(&fields, Some(&answer), &facts()).failures.is_empty()
        })
        .collect();
        let wanted = if kind == "number" {
            vec!["number", "integer"]
        } else {
            vec![kind]
        };
        assert_eq!(met, wanted);
    }
}

#[test]
fn json_that_differs_is_shown_line_by_line() {
    let fields = json!({ "expected_json": [{ "path": "$.items", "equals": [
        { "id": 1, "name": "a" }, { "id": 2, "name": "${env:TOKEN}" }
    ] }] });
    let judgement = judged(&fields, Some(&answer()), &facts());
    let failure = &judgement.failures[0];
    let wanted = " [5 equal lines]\n   {\n     \"id\": 2,\n-    \"name\": \"***\"\n+    \"name\": \
                  \"b\"\n   }\n ]";
    assert_eq!(failure.diff.as_deref(), Some(wanted));
    assert_eq!(failure.excerpt, None);
}

#[test]
fn schemas() {
    let of = |schema: Json| json!({ "expected_schema": schema });
    check(&[
        (of(json!({ "type": "object", "required": ["state"] })), ""),
        (of(json!({ "file": "good.json" })), ""),
        (
            of(json!({ "$defs": { "a": { "type": "string" } },
            "properties": { "state": { "$ref": "#/$defs/a" } } })),
            "",
        ),
        (
            of(json!({ "file": "other.yaml" })),
            "body does not meet `required` of the schema: \"absent\" is a required property",
        ),
        (
            of(
                json!({ "properties": { "items": { "items": { "properties": {
                "id": { "type": "string" } } } } } }),
            ),
            "body at /items/0/id does not meet `type` of the schema: it is not of type \"string\"\n\
             body at /items/1/id does not meet `type` of the schema: it is not of type \"string\"",
        ),
        (
            of(json!({ "properties": { "token": { "maxLength": 3, "format": "uuid" } } })),
            "body at /token does not meet `maxLength` of the schema: it is longer than 3 characters\n\
             body at /token does not meet `format` of the schema: it is not a \"uuid\"",
        ),
    ]);
}

#[test]
fn of_many_violations_five_are_told() {
    let list = |count: usize| Answer {
        body: Bytes::from(format!("[{}0]", "0,".repeat(count))),
        ..answer()
    };
    let fields = json!({ "expected_schema": { "items": { "type": "string" } } });
    let judgement = judged(&fields, Some(&list(20)), &facts());
    let messages = messages(&judgement);
    assert_eq!(messages.len(), 5);
    assert!(messages[4].ends_with("; and 16 more"), "{messages:?}");
    // Not even collected where there may be very many.
    let judgement = judged(&fields, Some(&list(200_000)), &facts());
    let wanted = "body does not meet the schema; it has over 262144 bytes, so it is not searched \
                  for the place";
    assert_eq!(super::messages(&judgement), [wanted]);
    let met = json!({ "expected_schema": { "items": { "type": "integer" } } });
    assert!(
        judged(&met, Some(&list(200_000)), &facts())
            .failures
            .is_empty()
    );
}

#[test]
fn a_schema_that_leads_to_itself_ends() {
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }] }),
        json!({ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } },
            "$ref": "#/$defs/a" }),
        json!({ "type": ["object", "array", "string", "number", "null"],
            "additionalProperties": { "$ref": "#" }, "items": { "$ref": "#" } }),
    ] {
        // Either it is refused when it is read, or it ends when it is asked.
        let text = json!({ "tests": [{ "expected_schema": schema }] }).to_string();
        if Suite::parse("suite.json", text.as_bytes()).is_ok() {
            let _ends = judged(
                &json!({ "expected_schema": schema }),
                Some(&answer()),
                &facts(),
            );
        }
    }
}
