//! Answers that differ in one thing, and what is said of them.

use proptest::prelude::{any, prop_assert, proptest};

use crate::differential::tokens::words;
use crate::differential::{Difference, DifferenceKind, Noise, Response};

mod entries;

fn answer(content_type: &str, body: &str) -> Response {
    Response {
        status: 200,
        headers: vec![
            ("content-type".to_owned(), content_type.to_owned()),
            (
                "date".to_owned(),
                "Mon, 05 Jan 2026 10:00:00 GMT".to_owned(),
            ),
        ],
        body: body.as_bytes().to_vec(),
    }
}

fn json(body: &str) -> Response {
    answer("application/json", body)
}

fn text(body: &str) -> Response {
    answer("text/plain", body)
}

fn places(old: [&Response; 2], new: &Response) -> Vec<(String, DifferenceKind)> {
    let noise = Noise::learn(&[old[0].clone(), old[1].clone()]);
    let said = |it: Difference| (it.place, it.kind);
    noise.compare(new).into_iter().map(said).collect()
}

/// Nothing is said of `same`, and of `other` this place and kind.
fn told(
    a: &Response,
    b: &Response,
    same: &Response,
    other: &Response,
    place: &str,
    kind: DifferenceKind,
) {
    assert_eq!(places([a, b], same), [], "no difference was wanted");
    let found = places([a, b], other);
    assert!(found.contains(&(place.to_owned(), kind)), "{found:?}");
}

#[test]
fn status_and_headers() {
    let with = |status, header: &[(&str, &str)]| {
        let mut answer = json("{}");
        answer.status = status;
        let more = header
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        answer.headers.extend(more);
        answer
    };
    let a = with(200, &[("x-request-id", "a1b2c3d4e5"), ("x-shard", "web-1")]);
    let b = with(200, &[("x-request-id", "09f8e7d6c5"), ("x-shard", "web-2")]);
    let same = with(200, &[("x-request-id", "ffee00dd11"), ("x-shard", "web-9")]);
    told(
        &a,
        &b,
        &same,
        &with(500, &[]),
        "status",
        DifferenceKind::Status,
    );
    told(
        &a,
        &b,
        &same,
        &with(200, &[("x-shard", "web-1")]),
        "header x-request-id",
        DifferenceKind::Header,
    );
    let other = with(200, &[("x-request-id", "ffee00dd11"), ("x-shard", "db-1")]);
    told(
        &a,
        &b,
        &same,
        &other,
        "header x-shard",
        DifferenceKind::Header,
    );
    let mut other = same.clone();
    other.headers.push(("x-debug".to_owned(), "1".to_owned()));
    told(
        &a,
        &b,
        &same,
        &other,
        "header x-debug",
        DifferenceKind::Header,
    );

    let cookie = |value| with(200, &[("set-cookie", value)]);
    let (a, b) = (
        cookie("id=a1; Path=/; HttpOnly"),
        cookie("id=b2; Path=/; HttpOnly"),
    );
    let same = cookie("id=c3; Path=/; HttpOnly");
    told(
        &a,
        &b,
        &same,
        &cookie("id=c3; Path=/"),
        "header set-cookie",
        DifferenceKind::Header,
    );
}

#[test]
fn what_differs_between_the_old_answers_is_noise_and_keeps_its_form() {
    let of = |id: &str, at: &str, count: &str| {
        json(&format!(
            r#"{{"id":"{id}","at":"{at}","hits":{count},"name":"shop"}}"#
        ))
    };
    let a = of(
        "7d4e9b2a-0c1f-4e7a-9b1d-2f3c4d5e6f70",
        "2026-01-05T10:00:00Z",
        "17",
    );
    let b = of(
        "0a1b2c3d-4e5f-4a7b-8c9d-0e1f2a3b4c5d",
        "2026-01-05T10:00:01Z",
        "18",
    );
    let same = of(
        "99999999-aaaa-4bbb-8ccc-dddddddddddd",
        "2026-01-05T10:00:02Z",
        "25",
    );
    let uuid = "99999999-aaaa-4bbb-8ccc-dddddddddddd";
    for (other, place) in [
        (of("", "2026-01-05T10:00:02Z", "25"), "$.id"),
        (of("undefined", "2026-01-05T10:00:02Z", "25"), "$.id"),
        (of(uuid, "now", "25"), "$.at"),
        (of(uuid, "2026-01-05T10:00:02Z", "-25"), "$.hits"),
        (of(uuid, "2026-01-05T10:00:02Z", "25000"), "$.hits"),
        (of(uuid, "2026-01-05T10:00:02Z", "2.5"), "$.hits"),
    ] {
        told(&a, &b, &same, &other, place, DifferenceKind::Value);
    }
}

#[test]
fn the_time_of_the_answer_is_noise_even_where_two_answers_have_the_same() {
    let of = |at: &str, built: &str| json(&format!(r#"{{"at":"{at}","built":"{built}"}}"#));
    let a = of("2026-01-05T10:00:00Z", "2025-12-01T08:00:00Z");
    let mut same = of("2026-01-05T10:00:03Z", "2025-12-01T08:00:00Z");
    same.headers[1].1 = "Mon, 05 Jan 2026 10:00:03 GMT".to_owned();
    let other = of("2026-01-05T10:00:00Z", "2025-12-02T08:00:00Z");
    told(&a, &a, &same, &other, "$.built", DifferenceKind::Value);
    let stopped = of("2019-01-05T10:00:00Z", "2025-12-01T08:00:00Z");
    told(&a, &a, &same, &stopped, "$.at", DifferenceKind::Value);
}

#[test]
fn members_types_and_values() {
    let old = json(r#"{"price":12,"tags":["a","b"],"open":true,"by":{"name":"x"}}"#);
    for (body, place, kind) in [
        (
            r#"{"price":13,"tags":["a","b"],"open":true,"by":{"name":"x"}}"#,
            "$.price",
            DifferenceKind::Value,
        ),
        (
            r#"{"price":"12","tags":["a","b"],"open":true,"by":{"name":"x"}}"#,
            "$.price",
            DifferenceKind::Type,
        ),
        (
            r#"{"price":12,"tags":["b","a"],"open":true,"by":{"name":"x"}}"#,
            "$.tags",
            DifferenceKind::Order,
        ),
        (
            r#"{"price":12,"tags":["a"],"open":true,"by":{"name":"x"}}"#,
            "$.tags",
            DifferenceKind::Missing,
        ),
        (
            r#"{"price":12,"tags":["a","c"],"open":true,"by":{"name":"x"}}"#,
            "$.tags[1]",
            DifferenceKind::Value,
        ),
        (
            r#"{"price":12,"tags":["a","b"],"open":null,"by":{"name":"x"}}"#,
            "$.open",
            DifferenceKind::Type,
        ),
        (
            r#"{"price":12,"tags":["a","b"],"open":true,"by":{}}"#,
            "$.by.name",
            DifferenceKind::Missing,
        ),
        (
            r#"{"price":12,"tags":["a","b"],"open":true,"by":{"name":"x"},"e":1}"#,
            "$.e",
            DifferenceKind::Added,
        ),
        ("oops", "body", DifferenceKind::Body),
    ] {
        told(&old, &old, &old, &json(body), place, kind);
    }
}

#[test]
fn lists_in_any_order_and_of_any_length() {
    let a = json(r#"[{"n":"a","v":1},{"n":"b","v":2},{"n":"c","v":3}]"#);
    let b = json(r#"[{"n":"c","v":3},{"n":"a","v":1},{"n":"b","v":2}]"#);
    let same = json(r#"[{"n":"b","v":2},{"n":"a","v":1},{"n":"c","v":3}]"#);
    let other = json(r#"[{"n":"b","v":2},{"n":"a","v":7},{"n":"c","v":3}]"#);
    told(&a, &b, &same, &other, "$[1].v", DifferenceKind::Value);
    let short = json(r#"[{"n":"b","v":2},{"n":"a","v":1}]"#);
    assert_eq!(places([&a, &b], &short).len(), 1);

    let a = json(r#"{"log":["5 hits","7 hits"]}"#);
    let b = json(r#"{"log":["5 hits","7 hits","9 hits"]}"#);
    let same = json(r#"{"log":["5 hits","7 hits","9 hits","5 hits"]}"#);
    told(
        &a,
        &b,
        &same,
        &json(r#"{"log":[]}"#),
        "$.log",
        DifferenceKind::Missing,
    );
    told(
        &a,
        &b,
        &same,
        &json(r#"{"log":["5 hits",7]}"#),
        "$.log[1]",
        DifferenceKind::Type,
    );
}

#[test]
fn texts_of_which_some_words_move() {
    let of = |took: &str, load: &str, state: &str| {
        text(&format!(
            "took {took} at load {load}\nstate: {state}\nend\n"
        ))
    };
    let (a, b) = (of("12ms", "0.5", "up"), of("8ms", "0.7", "up"));
    let same = of("30ms", "0.65", "up");
    told(
        &a,
        &b,
        &same,
        &of("30ms", "0.65", "down"),
        "line 2",
        DifferenceKind::Text,
    );
    told(
        &a,
        &b,
        &same,
        &of("never", "0.65", "up"),
        "line 1",
        DifferenceKind::Text,
    );
    let cut = text("took 9ms at load 0.5\nstate: up\n");
    told(&a, &b, &same, &cut, "line 3", DifferenceKind::Text);
    let more = text("took 9ms at load 0.5\nstate: up\nwarning\nend\n");
    told(&a, &b, &same, &more, "line 3", DifferenceKind::Text);
    told(&a, &b, &same, &text(""), "body", DifferenceKind::Missing);
}

#[test]
fn markup_is_compared_tag_by_tag() {
    let of = |nonce: &str, title: &str| {
        let body =
            format!("<html><body><h1>{title}</h1><input value=\"{nonce}\"><p>x</p></body></html>");
        answer("text/html", &body)
    };
    let (a, b) = (of("q8Zt51LmPx", "Shop"), of("Jd72kWq0Zy", "Shop"));
    told(
        &a,
        &b,
        &of("Ab12Cd34Ef", "Shop"),
        &of("Ab12Cd34Ef", "Shup"),
        "line 1",
        DifferenceKind::Text,
    );
}

#[test]
fn of_a_metrics_exposition_values_are_measurements() {
    let of = |body: &str| answer("text/plain; version=0.0.4", body);
    let a = of("# HELP up x\n# TYPE up gauge\nup{job=\"a\"} 1\nhits_total 5\n");
    let same =
        of("# HELP up x\n# TYPE up gauge\nup{job=\"a\"} 0\nup{job=\"b\"} 1\nhits_total 5.2e+06\n");
    told(
        &a,
        &a,
        &same,
        &of("# HELP up x\n# TYPE up gauge\nup{job=\"a\"} 1\n"),
        "line 4",
        DifferenceKind::Text,
    );
    let renamed = of("# HELP up x\n# TYPE up gauge\nup{jobs=\"a\"} 1\nhits_total 5\n");
    told(&a, &a, &same, &renamed, "line 3", DifferenceKind::Text);
}

#[test]
fn bytes_are_one_value() {
    let of = |body: &[u8]| Response {
        body: body.to_vec(),
        ..text("")
    };
    let (a, other) = (of(&[0xff, 0, 1]), of(&[0xff, 0, 2]));
    told(&a, &a, &a, &other, "body", DifferenceKind::Body);
    assert_eq!(places([&a, &other], &of(&[0xff, 9, 9])), []);
    assert_eq!(places([&a, &other], &of(&[0xff; 900])).len(), 1);
}

#[test]
fn what_is_noise_is_described() {
    let noise = Noise::learn(&[json(r#"{"id":1,"x":[1]}"#), json(r#"{"id":2,"x":[1,1]}"#)]);
    assert_eq!(
        noise.described(),
        ["$.id: its value differs", "$.x: its length differs"]
    );
}

proptest! {
    #[test]
    fn words_are_the_whole_text(text in any::<String>()) {
        let joined: String = words(&text).collect();
        prop_assert!(joined == text);
    }

    #[test]
    fn an_answer_is_like_itself(body in any::<Vec<u8>>(), other in any::<Vec<u8>>(), new in any::<Vec<u8>>()) {
        let of = |body: &[u8]| Response { body: body.to_vec(), ..text("") };
        let noise = Noise::learn(&[of(&body), of(&other)]);
        prop_assert!(noise.compare(&of(&body)).is_empty());
        prop_assert!(noise.compare(&of(&other)).is_empty());
        let _found = noise.compare(&of(&new));
    }

    #[test]
    fn a_text_is_like_itself(body in "([a-c ]{0,3}[0-9]{0,3}\n?){0,8}", other in "([a-c ]{0,3}[0-9]{0,3}\n?){0,8}") {
        let noise = Noise::learn(&[text(&body), text(&other)]);
        prop_assert!(noise.compare(&text(&other)).is_empty());
        prop_assert!(noise.compare(&text(&body)).is_empty());
    }
}
