//! Tests that have everything.

use serde_json::{Value as Json, json};

/// Tests in which every object and list of the format has something; several, since some fields
/// exclude each other.
pub(super) fn full() -> Vec<Json> {
    let http = |more: Json| {
        let mut test = json!({ "name": "t", "path": "/" });
        let members = more.as_object().expect("fields").clone();
        test.as_object_mut().expect("fields").extend(members);
        test
    };
    vec![
        json!({
            "name": "t", "method": "GET", "path": "/", "query": { "a": "1", "b": ["1", 2] },
            "headers": { "a": "1" }, "auth": { "basic": { "user": "u", "password": "p" } },
            "cookies": { "a": "1" }, "body": { "a": 1 }, "follow_redirects": 2,
            "connection": { "resolve": ["10.0.0.7"], "proxy": "http://p", "server_name": "s",
                "proxy_authorization": "a", "trust": "t", "http": "any",
                "connect_to": "127.0.0.1:80",
                "client_certificate": { "certificate": "c", "key": "k" } },
            "expected_status": [200, "300-399"], "expected_body_contains": ["a"],
            "expected_headers": { "a": "1", "c": null,
                "b": { "equals": "1", "contains": "1", "matches": "1", "exists": true } },
            "expected_body": { "equals": "1", "contains": ["1"], "not_contains": ["1"],
                "matches": "1", "not_matches": "1", "bytes": { "min": 1, "max": 2 },
                "sha256": "0".repeat(64) },
            "expected_json": [{ "path": "$.a", "equals": 1, "not_equals": 1, "contains": 1,
                "matches": "1", "type": "string", "count": { "min": 1, "max": 2 }, "min": 1,
                "max": 2 }, { "path": "/a", "exists": true }],
            "expected_schema": { "type": "object" },
            "expected_build": { "header": "a", "equals": "1", "connections": 2 },
            "expected_url": { "equals": "1", "contains": "1", "matches": "1" },
            "expected_latency_ms": { "total": 2, "first_byte": 2, "connect": 2, "tls": 2,
                "resolve": 2, "body": 2 },
            "expected_certificate": { "days_left": 2, "names": ["a"], "issuer": {
                "equals": "1", "contains": "1", "matches": "1" }, "sha256": "0".repeat(64) },
            "expected_tls": "1.2", "expected_http": "1.1",
            "depends_on": ["x"], "tags": ["a"], "severity": "warning", "for_each": [{ "a": "1" }],
            "repeat": 2, "timeout_ms": 2,
            "retries": { "count": 2, "on": ["connect"], "delay_ms": 2 },
            "idempotency": "idempotent",
        }),
        http(
            json!({ "compare": { "wanted": true, "ignore": ["$.a", "header b"] },
            "form": { "a": ["1", 2], "f": { "file": "f", "content_type": "a/b" } },
            "auth": { "bearer": "t" }, "connection": { "unix_socket": "s" },
            "poll": { "within_ms": 9, "interval_ms": 2, "factor": 2, "interval_ms_max": 2 },
            "expected_status": 200, "expected_body_contains": "a",
            "expected_body": { "contains": "1", "not_contains": "1", "bytes": 2 },
            "expected_json": [{ "path": "$.a", "count": 2 }],
            "expected_build": { "json": "$.a", "equals": "1" },
            "expected_schema": { "file": "f" }, "expected_certificate": { "issuer": "a" } }),
        ),
        http(
            json!({ "body_file": "f", "compare": false, "expected_redirect": { "status": [301], "location": {
                "equals": "1", "contains": "1", "matches": "1" } }, "retries": 2,
            "capture": { "a": { "header": "x", "secret": true }, "b": { "cookie": "x" },
                "c": { "json": "$.a" }, "d": { "regex": "a" }, "e": { "status": true },
                "f": { "body": true } } }),
        ),
        http(json!({ "expected_redirect": { "location": "a" }, "depends_on": "x", "tags": "a" })),
        json!({ "tcp": { "port": 2, "send": "a", "expect": "a" },
            "expected_latency_ms": { "total": 2, "connect": 2, "resolve": 2 } }),
        json!({ "tls": { "port": 2 }, "expected_tls": "1.2",
            "expected_certificate": { "days_left": 2 }, "expected_latency_ms": { "tls": 2 } }),
    ]
}

/// The test after one that it may name, with everything around it.
pub(super) fn suite_of(test: &Json) -> Json {
    json!({
        "tests": [{ "name": "x" }, test],
        "variables": { "v": "1" }, "setup": [{ "name": "s" }], "teardown": [{ "name": "d" }],
    })
}
