//! Heads and bodies.

use bytes::Bytes;
use nonevent_document::Digest;
use serde_json::{Value as Json, json};

use super::{BODY, answer, check, facts, judged, messages};
use crate::net::exchange::Answer;

#[test]
fn headers() {
    let of = |rule: Json| json!({ "expected_headers": { "Set-Cookie": rule } });
    check(&[
        (of(json!("b=2")), ""),
        (of(json!({ "equals": "a=1" })), ""),
        (of(json!({ "contains": "=2", "matches": "^a=\\d$" })), ""),
        (of(json!({ "exists": true })), ""),
        (
            json!({ "expected_headers": { "etag": { "exists": false }, "x": null } }),
            "",
        ),
        (
            of(json!({ "equals": "c" })),
            "header set-cookie is `a=1, b=2`, expected `c`",
        ),
        (
            of(json!({ "matches": "^c", "contains": "=2" })),
            "header set-cookie is `a=1, b=2`, expected to match `^c`",
        ),
        (
            of(json!({ "exists": false })),
            "header set-cookie is `a=1, b=2`, expected to be absent",
        ),
        (
            json!({ "expected_headers": { "etag": { "exists": true } } }),
            "header etag is absent, expected to be there",
        ),
        (
            json!({ "expected_headers": { "etag": { "matches": ".*" } } }),
            "header etag is absent, expected to match `.*`",
        ),
    ]);
}

#[test]
fn redirects() {
    let to =
        |rule: Json| json!({ "expected_redirect": { "location": rule }, "expected_status": null });
    let url = |rule: Json| json!({ "expected_url": rule, "follow_redirects": true });
    check(&[
        (to(json!("/login?next=/")), ""),
        (to(json!("https://shop.example.com/login?next=/")), ""),
        (to(json!({ "contains": "/login" })), ""),
        (
            to(json!({ "matches": "^https://shop\\.example\\.com/" })),
            "",
        ),
        (
            to(json!("/logout")),
            "location is `/login?next=/`, expected `/logout`",
        ),
        (
            json!({ "expected_redirect": { "status": [301, 308], "location": "/login?next=/" },
                    "expected_status": null }),
            "status is 302, expected 301, 308; it redirects to /login?next=/, which is not \
             followed",
        ),
        (url(json!("https://shop.example.com/end?x=1")), ""),
        (url(json!({ "matches": "/end\\?" })), ""),
        (
            url(json!({ "contains": "/start" })),
            "the URL that answered is `https://shop.example.com/end?x=1`, expected to contain \
             `/start`",
        ),
    ]);
    let mut none = answer();
    none.headers.remove("location");
    let judgement = judged(&to(json!({ "contains": "" })), Some(&none), &facts());
    assert_eq!(
        messages(&judgement),
        ["location is absent, expected to contain ``"]
    );
}

#[test]
fn bodies() {
    let of = |rule: Json| json!({ "expected_body": rule });
    let digest = Digest::of(BODY.as_bytes()).hex();
    check(&[
        (
            of(json!({ "contains": "ready", "not_contains": ["gone", "failed"] })),
            "",
        ),
        (of(json!({ "matches": "\"state\":\\s*\"ready\"" })), ""),
        (of(json!({ "not_matches": "err(or|eur)" })), ""),
        (of(json!({ "bytes": BODY.len() })), ""),
        (of(json!({ "bytes": { "min": 1, "max": 1_000 } })), ""),
        (of(json!({ "sha256": digest.to_uppercase() })), ""),
        (
            of(json!({ "contains": ["ready", "${state} to go"] })),
            "body is one that has only `ready` of it, expected to contain `ready to go`",
        ),
        (
            of(json!({ "not_contains": "ready" })),
            "body contains `ready`, expected it not to",
        ),
        // The secret is masked before anything is looked for or cut.
        (
            of(json!({ "not_contains": "er2\"}" })),
            "body contains `er2\"}`, expected it not to",
        ),
        (
            of(json!({ "matches": "^<html>" })),
            "body is one that does not match, expected to match `^<html>`",
        ),
        (
            of(json!({ "not_matches": "token.*\"" })),
            "body has `token\":\"***\"`, which matches `token.*\"`, expected it not to",
        ),
        (
            of(json!({ "bytes": 3 })),
            "body has 137 bytes, expected 3 bytes",
        ),
        (
            of(json!({ "bytes": { "max": 10 } })),
            "body has 137 bytes, expected at most 10 bytes",
        ),
        (
            of(json!({ "sha256": "0".repeat(64) })),
            &format!("body has the SHA-256 {digest}, expected {}", "0".repeat(64)),
        ),
        (
            of(json!({ "equals": BODY.replace("\"b\"}]", "\"c\"}]") })),
            "body differs from the expected one, first in line 2",
        ),
    ]);
}

#[test]
fn a_whole_body_that_differs_is_shown_line_by_line() {
    let text = |body: &'static str| Answer {
        body: Bytes::from_static(body.as_bytes()),
        ..answer()
    };
    let of = |equals: &str, body| {
        let fields = json!({ "expected_body": { "equals": equals } });
        let judgement = judged(&fields, Some(&text(body)), &facts());
        let failure = judgement.failures.into_iter().next();
        failure.map(|failure| (failure.message, failure.diff.unwrap_or_default()))
    };
    let told = |message: &str, diff: &str| Some((message.to_owned(), diff.to_owned()));
    assert_eq!(of("ok", "ok"), None);
    assert_eq!(
        of("ok", "no"),
        told("body is `no`, expected `ok`", "-ok\n+no")
    );
    assert_eq!(of("ok", ""), told("body is empty, expected `ok`", "-ok"));
    assert_eq!(of("", "ok"), told("body is `ok`, expected empty", "+ok"));
    assert_eq!(
        of("user\n${env:TOKEN}\nend", "user\nhunter2\nEND"),
        told(
            "body is `user\\n***\\nEND`, expected `user\\n***\\nend`",
            " user\n ***\n-end\n+END"
        )
    );
    let masked = "body differs from the expected one in what is masked, or is no text";
    assert_eq!(of("***", "hunter2"), told(masked, ""));
}
