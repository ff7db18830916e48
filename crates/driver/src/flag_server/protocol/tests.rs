//! Requests and what they are answered, without a socket.

use nonevent_flags::{FlagSet, LoadOptions};

use super::*;

const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

const FILE: &str = r#"{
    "metadata": { "team": "shop" },
    "flags": {
        "banner": { "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "off",
            "metadata": { "owner": "checkout" },
            "targeting": { "if": [ { "==": [ { "var": "plan" }, "pro" ] }, "on", null ] } },
        "size/ä": { "state": "ENABLED", "variants": { "s": 10, "l": 20.5 }, "defaultVariant": "s" },
        "late": { "state": "ENABLED", "variants": { "on": "yes", "off": "no" }, "defaultVariant": "off",
            "targeting": { "if": [ { ">": [ { "var": "$flagd.timestamp" }, 1790000100 ] }, "on", "off" ] } },
        "code": { "state": "ENABLED", "variants": { "on": true } },
        "off": { "state": "DISABLED", "variants": { "on": true, "off": false }, "defaultVariant": "on" },
        "broken": { "state": "ENABLED", "variants": { "on": true }, "defaultVariant": "on",
            "targeting": { "no_such_operator": [] } }
    }
}"#;

fn kept(file: &str) -> Kept {
    let options = LoadOptions::from(nonevent_flags::Dialect::Flagd);
    let loaded = FlagSet::load("flags.json", file.as_bytes(), options).expect("flags");
    Kept {
        usage: nonevent_flags::Usage::new(&loaded.set),
        sets: vec![loaded.set.into()],
        digest: Digest::of(file.as_bytes()),
        read_at: NOW,
        refused: None,
    }
}

fn open() -> Access {
    Access {
        tokens: BTreeSet::new(),
        origins: Vec::new(),
        ticket: "ticket".to_owned(),
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .body(Bytes::from(body.to_owned()))
        .expect("a request")
}

fn asked(path: &str, body: &str) -> (u16, Value) {
    let answer = open().answer(&kept(FILE), &request("POST", path, &[], body), NOW);
    let body = serde_json::from_slice(answer.body()).expect("JSON");
    (answer.status().as_u16(), body)
}

fn context(attributes: &str) -> String {
    format!(r#"{{"context":{{"targetingKey":"user-7"{attributes}}}}}"#)
}

#[test]
fn one_flag_is_a_value_with_its_reason_or_an_error_of_its_own() {
    let one = |key: &str, attributes: &str| asked(&format!("{FLAGS}/{key}"), &context(attributes));
    let meta = json!({ "owner": "checkout", "team": "shop" });
    assert_eq!(
        one("banner", r#","plan":"pro""#),
        (
            200,
            json!({ "key": "banner", "value": true, "variant": "on", "reason": "TARGETING_MATCH", "metadata": meta })
        )
    );
    // The protocol has no reason for a default.
    let (status, body) = one("banner", "");
    assert_eq!(
        (status, &body["value"], &body["reason"]),
        (200, &json!(false), &json!("UNKNOWN"))
    );
    let (status, body) = one("size%2F%C3%A4", "");
    assert_eq!(
        (status, &body["value"], &body["reason"]),
        (200, &json!(10), &json!("STATIC"))
    );
    // The client's own default is meant where there is no value.
    for key in ["code", "off"] {
        let (status, body) = one(key, "");
        assert_eq!((status, body.get("value")), (200, None), "{body}");
    }
    let (status, body) = one("nowhere", "");
    assert_eq!(
        (status, &body["errorCode"]),
        (404, &json!("FLAG_NOT_FOUND"))
    );
    assert_eq!(body["key"], "nowhere");
    let (status, body) = one("broken", "");
    assert_eq!((status, &body["errorCode"]), (400, &json!("PARSE_ERROR")));
    assert!(body["errorDetails"].is_string(), "{body}");
}

#[test]
fn all_flags_come_with_the_errors_of_single_ones_among_them() {
    let (status, body) = asked(FLAGS, &context(""));
    assert_eq!(status, 200);
    let flags = body["flags"].as_array().expect("flags");
    assert_eq!(flags.len(), 6);
    let broken = flags
        .iter()
        .find(|flag| flag["key"] == "broken")
        .expect("it is there");
    assert_eq!(broken["errorCode"], "PARSE_ERROR");
    assert_eq!(body["metadata"], json!({ "team": "shop" }));
}

#[test]
fn a_bad_request_is_told_what_is_wrong_with_it() {
    for (body, code) in [
        ("", "PARSE_ERROR"),
        ("{", "PARSE_ERROR"),
        ("\u{0}", "PARSE_ERROR"),
        ("[]", "INVALID_CONTEXT"),
        ("{}", "INVALID_CONTEXT"),
        (r#"{"context":7}"#, "INVALID_CONTEXT"),
        (r#"{"context":{}}"#, "INVALID_CONTEXT"),
        (r#"{"context":{"targetingKey":7}}"#, "INVALID_CONTEXT"),
    ] {
        let (status, answer) = asked(FLAGS, body);
        assert_eq!(
            (status, &answer["errorCode"]),
            (400, &json!(code)),
            "{body}"
        );
        assert!(answer["errorDetails"].is_string());
        let (status, answer) = asked(&format!("{FLAGS}/banner"), body);
        assert_eq!((status, &answer["key"]), (400, &json!("banner")), "{body}");
    }
    let deep = format!("{{\"context\":{}", "[".repeat(100_000));
    assert_eq!(asked(FLAGS, &deep).0, 400);
    for path in [
        "/",
        "/ofrep/v1/evaluate",
        "/ofrep/v1/evaluate/flags/",
        "/ofrep/v1/evaluate/flagsx",
    ] {
        assert_eq!(asked(path, &context("")).0, 404, "{path}");
    }
    for key in ["%", "%7", "%zz", "%+7", "%ff"] {
        assert_eq!(
            asked(&format!("{FLAGS}/{key}"), &context("")).0,
            400,
            "{key}"
        );
    }
    for (method, path) in [
        ("GET", FLAGS),
        ("PUT", "/ofrep/v1/evaluate/flags/banner"),
        ("POST", HEALTH),
    ] {
        let answer = open().answer(&kept(FILE), &request(method, path, &[], ""), NOW);
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert!(answer.headers().contains_key(ALLOW));
    }
}

#[test]
fn the_tag_is_of_the_set_the_context_and_what_came_of_them() {
    let ask = |kept: &Kept, attributes: &str, tag: Option<&str>, at: Timestamp| {
        let headers: Vec<(&str, &str)> =
            tag.map(|tag| ("if-none-match", tag)).into_iter().collect();
        let answer = open().answer(
            kept,
            &request("POST", FLAGS, &headers, &context(attributes)),
            at,
        );
        let tag = answer
            .headers()
            .get(ETAG)
            .expect("a tag")
            .to_str()
            .expect("text");
        (
            answer.status().as_u16(),
            tag.to_owned(),
            answer.body().len(),
        )
    };
    let set = kept(FILE);
    let (status, tag, _) = ask(&set, "", None, NOW);
    assert_eq!(status, 200);
    assert_eq!(ask(&set, "", Some(&tag), NOW), (304, tag.clone(), 0));
    for given in [
        format!("W/{tag}"),
        tag.trim_matches('"').to_owned(),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        assert_eq!(ask(&set, "", Some(&given), NOW).0, 304, "{given}");
    }
    // Another context, although all flags are the same for it.
    let (status, other, _) = ask(&set, r#","shoe":44"#, Some(&tag), NOW);
    assert_eq!((status, other == tag), (200, false));
    // Another file, although all its flags are the same.
    let again = kept(&FILE.replace("checkout", "checkout "));
    assert_eq!(ask(&again, "", Some(&tag), NOW).0, 200);
    // Another time, where a rule asks for it.
    assert_eq!(ask(&set, "", Some(&tag), NOW.plus_ms(101_000)).0, 200);
    assert_eq!(ask(&set, "", Some(&tag), NOW.plus_ms(50_000)).0, 304);
}

#[test]
fn only_who_has_a_token_may_ask() {
    let access = Access {
        tokens: ["s3cret", "other"]
            .map(|token| Digest::of(token.as_bytes()))
            .into(),
        origins: Vec::new(),
        ticket: "ticket".to_owned(),
    };
    let status = |headers: &[(&str, &str)]| {
        let answer = access.answer(
            &kept(FILE),
            &request("POST", FLAGS, headers, &context("")),
            NOW,
        );
        let challenge = answer.headers().contains_key(WWW_AUTHENTICATE);
        assert_eq!(challenge, answer.status() != StatusCode::OK);
        answer.status().as_u16()
    };
    assert_eq!(status(&[]), 401);
    assert_eq!(status(&[("authorization", "Bearer s3cret")]), 200);
    assert_eq!(status(&[("authorization", "bearer other")]), 200);
    assert_eq!(status(&[("x-api-key", "s3cret")]), 200);
    for wrong in [
        "Bearer s3cre",
        "Bearer s3crets",
        "Bearer ",
        "Basic s3cret",
        "s3cret",
        "",
    ] {
        assert_eq!(status(&[("authorization", wrong)]), 403, "{wrong}");
    }
    assert_eq!(status(&[("x-api-key", "")]), 403);
    // A browser that listens for changes sends the ticket instead.
    let listens = |path: &str, headers: &[(&str, &str)]| {
        let refused = access.not_listening(&request("GET", path, headers, ""));
        refused.map_or(200, |answer| answer.status().as_u16())
    };
    assert_eq!(listens("/ofrep/v1/events?ticket=ticket", &[]), 200);
    assert_eq!(listens("/ofrep/v1/events?a=b&ticket=ticket", &[]), 200);
    assert_eq!(listens(EVENTS, &[("authorization", "Bearer s3cret")]), 200);
    for wrong in ["?ticket=ticke", "?ticket=", "?tickets=ticket", ""] {
        assert_eq!(listens(&format!("{EVENTS}{wrong}"), &[]), 403, "{wrong}");
    }
    // Whether it is well tells nothing of the flags' values.
    let answer = access.answer(
        &kept(FILE),
        &request("GET", HEALTH, &[], ""),
        NOW.plus_ms(7),
    );
    let body: Value = serde_json::from_slice(answer.body()).expect("JSON");
    assert_eq!(
        (&body["status"], &body["flags"], &body["ageMs"]),
        (&json!("ok"), &json!(6), &json!(7))
    );
}

#[test]
fn pages_of_named_origins_may_ask() {
    let access = Access {
        tokens: [Digest::of(b"s3cret")].into(),
        origins: vec!["https://shop.example".to_owned()],
        ticket: "ticket".to_owned(),
    };
    let ask = |method: &str, origin: &str| {
        access.answer(
            &kept(FILE),
            &request(method, FLAGS, &[("origin", origin)], ""),
            NOW,
        )
    };
    let answer = ask("OPTIONS", "https://shop.example");
    assert_eq!(
        answer.status(),
        StatusCode::NO_CONTENT,
        "a browser sends no token with it"
    );
    assert_eq!(
        answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN],
        "https://shop.example"
    );
    assert_eq!(answer.headers()[VARY], "origin");
    let answer = ask("POST", "https://shop.example");
    assert_eq!(
        answer.status(),
        StatusCode::UNAUTHORIZED,
        "the page is to see that"
    );
    assert!(answer.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    let answer = ask("OPTIONS", "https://elsewhere.example");
    assert!(!answer.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
}

proptest::proptest! {
    #[test]
    fn no_request_makes_it_panic(path in "/[ -~&&[^ #?]]{0,60}", body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let path = if path.len() % 2 == 0 { format!("{FLAGS}{path}") } else { path };
        if let Ok(request) = Request::builder().method("POST").uri(path).body(Bytes::from(body)) {
            let answer = open().answer(&kept(FILE), &request, NOW);
            proptest::prop_assert!(answer.status().is_client_error() || answer.status().is_success());
        }
    }
}

#[test]
fn what_is_asked_for_is_counted() {
    let kept = kept(FILE);
    let body = r#"{"context":{"targetingKey":"a"}}"#;
    let ask = |path: &str| {
        let path = format!("/ofrep/v1/evaluate/flags{path}");
        let _ = open().answer(&kept, &request("POST", &path, &[], body), NOW);
    };
    ask("");
    ask("/code");
    ask("/nobody");
    ask("/broken");
    let _ = open().answer(
        &kept,
        &request("POST", "/ofrep/v1/evaluate/flags/off", &[], "{"),
        NOW,
    );
    let usage = kept.usage.snapshot();
    let count = |key: &str| usage.flags[key].evaluations;
    assert_eq!(
        (count("code"), count("off"), count("late"), count("broken")),
        (2, 1, 1, 2)
    );
    assert_eq!(usage.flags["broken"].errors, 2);
    assert_eq!(usage.flags["code"].caller, 2);
    assert_eq!(usage.flags["late"].last, Some(NOW));
    assert!(!usage.flags.contains_key("nobody"));
}
