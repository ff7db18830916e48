//! Services made up from a seed. What moves in an answer is marked where it is made.

mod documents;
mod lists;
mod moment;
mod pages;
mod products;
mod states;
mod texts;
mod trees;

use nonevent_smoke::Response;
use serde_json::Value as Json;

use self::moment::{Moment, time};
use crate::Endpoint;
use crate::marks::{Kind, Text, Tree};
use crate::places::{Body, Places};
use crate::rng::Rng;

/// The first service of each shape. Rules were found on others, from 0 on.
const FIRST_SEED: u64 = 500;
/// Answers of each endpoint.
const ANSWERS: u64 = 6;

/// What a shape makes: a body with marks in it.
enum Marked {
    Json(Json),
    Text(String),
    Bytes(Vec<u8>),
}

/// An answer with marks in it.
struct Answer {
    status: u16,
    content_type: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
    body: Marked,
}

impl Answer {
    fn json(value: Json) -> Answer {
        Answer::of("application/json", Marked::Json(value))
    }

    fn text(content_type: &'static str, text: String) -> Answer {
        Answer::of(content_type, Marked::Text(text))
    }

    fn of(content_type: &'static str, body: Marked) -> Answer {
        Answer {
            status: 200,
            content_type: Some(content_type),
            headers: Vec::new(),
            body,
        }
    }

    fn empty(status: u16) -> Answer {
        Answer {
            status,
            content_type: None,
            headers: Vec::new(),
            body: Marked::Bytes(Vec::new()),
        }
    }
}

type Shape = fn(&mut Rng, &mut Moment) -> Answer;

/// All shapes with their names.
fn shapes() -> Vec<(&'static str, Shape)> {
    [
        documents::SHAPES,
        lists::SHAPES,
        states::SHAPES,
        trees::SHAPES,
        pages::SHAPES,
        texts::SHAPES,
        products::SHAPES,
    ]
    .concat()
}

/// How many shapes there are.
pub(crate) fn shape_count() -> usize {
    shapes().len()
}

/// `per_shape` services of each shape.
pub(crate) fn endpoints(per_shape: u64) -> Vec<Endpoint> {
    let mut all = Vec::new();
    for (number, (name, shape)) in (0..).zip(shapes()) {
        for turn in 0..per_shape {
            all.push(endpoint(name, shape, number * 1_000 + FIRST_SEED + turn));
        }
    }
    all
}

fn endpoint(name: &str, shape: Shape, seed: u64) -> Endpoint {
    let mut endpoint = Endpoint {
        name: format!("{name}, seed {seed}"),
        source: "made up".to_owned(),
        answers: Vec::new(),
        places: Vec::new(),
        made: Vec::new(),
        is_by_chance: false,
    };
    let mut began = Rng::new(seed ^ 0xb1e5);
    let mut ms = 1_772_000_000_000 + began.between(0, 9_000_000_000);
    let mut count = began.between(10, 90_000);
    for turn in 0..ANSWERS {
        let mut stable = Rng::new(seed);
        let mut at = Moment {
            ms,
            count,
            noise: Rng::new(seed.wrapping_mul(31) ^ ((turn + 1) << 40)),
            made: Vec::new(),
        };
        let answer = shape(&mut stable, &mut at);
        let (response, places) = finished(answer, &mut stable, &mut at);
        endpoint.answers.push(response);
        endpoint.places.push(places);
        endpoint.made.push(at.made);
        // The last answer comes some minutes after the others, which come in a second or a few.
        let is_late = turn == ANSWERS - 2;
        ms += began.between(300, 4_000) + i64::from(is_late) * began.between(60_000, 4_000_000);
        count += began.between(0, 9) + i64::from(is_late) * began.between(0, 300);
    }
    endpoint
}

/// The answer without its marks, and where they were.
fn finished(answer: Answer, stable: &mut Rng, at: &mut Moment) -> (Response, Places) {
    let is_pretty = stable.chance(25);
    let (bytes, body) = match answer.body {
        Marked::Json(marked) => {
            let tree = Tree::of(&marked);
            let text = if is_pretty {
                serde_json::to_string_pretty(&tree.plain).expect("JSON is written")
            } else {
                tree.plain.to_string()
            };
            (text.into_bytes(), Body::Json(tree))
        }
        Marked::Text(marked) => {
            let text = Text::of(&marked);
            (text.plain.clone().into_bytes(), Body::Text(text))
        }
        Marked::Bytes(bytes) => (bytes, Body::Bytes),
    };
    let mut marked: Vec<(String, String)> = Vec::new();
    if let Some(content_type) = answer.content_type {
        marked.push(("content-type".to_owned(), content_type.to_owned()));
    }
    marked.extend(
        answer
            .headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    headers(&mut marked, stable, at);
    let length = bytes.len().to_string();
    marked.push(("content-length".to_owned(), length));
    let texts: Vec<(String, Text)> = marked
        .into_iter()
        .map(|(name, value)| (name, Text::of(&value)))
        .collect();
    let response = Response {
        status: answer.status,
        headers: texts
            .iter()
            .map(|(name, text)| (name.clone(), text.plain.clone()))
            .collect(),
        body: bytes,
    };
    let headers = texts
        .iter()
        .map(|(name, text)| {
            text.marks.is_empty() && !["content-length", "etag"].contains(&name.as_str())
        })
        .collect();
    (response, Places { headers, body })
}

fn headers(out: &mut Vec<(String, String)>, stable: &mut Rng, at: &mut Moment) {
    let mut add = |name: &str, value: String| out.push((name.to_owned(), value));
    add("date", at.when(5));
    add(
        "server",
        format!("{}/{}.{}", stable.word(), stable.below(9), stable.below(30)),
    );
    if stable.chance(60) {
        add(
            "x-version",
            format!("{}.{}", stable.below(9), stable.below(99)),
        );
    }
    match stable.below(6) {
        0 => add("x-request-id", at.uuid()),
        1 => add("x-amzn-trace-id", format!("Root=1-{}", at.hex(24))),
        2 => add(
            "traceparent",
            format!("00-{}-{}-01", at.hex(32), at.hex(16)),
        ),
        3 => add("x-correlation-id", at.ulid()),
        _ => {}
    }
    match stable.below(5) {
        0 => add("cache-control", "no-store".to_owned()),
        1 => {
            let age = 60 * stable.between(1, 90);
            add("cache-control", format!("public, max-age={age}"));
            let then = time(at.ms + age * 1_000, 5);
            add("expires", at.text(Kind::Time, &then));
        }
        2 => {
            add("vary", "Accept-Encoding, Origin".to_owned());
            add("access-control-allow-origin", "*".to_owned());
        }
        _ => {}
    }
    if stable.chance(20) {
        let took = at.fraction_text(100, 90_000, 1_000);
        add("server-timing", format!("db;dur={took}, app;desc=\"shop\""));
    }
    if stable.chance(20) {
        let session = at.token(26);
        add(
            "set-cookie",
            format!("sid={session}; Path=/; HttpOnly; SameSite=Lax"),
        );
        if stable.chance(40) {
            add("set-cookie", "lang=en; Path=/; Max-Age=86400".to_owned());
        }
    }
    if stable.chance(15) {
        let nonce = at.token(22);
        add(
            "content-security-policy",
            format!("default-src 'self'; script-src 'nonce-{nonce}' https://cdn.example.com"),
        );
        add("x-frame-options", "DENY".to_owned());
    }
    if stable.chance(15) {
        let left = 500 - at.count % 400;
        add("ratelimit-limit", "500".to_owned());
        add(
            "ratelimit-remaining",
            at.text(Kind::Count, &left.to_string()),
        );
    }
    if stable.chance(15) {
        let tag = match stable.chance(50) {
            true => at.hex(20),
            false => stable.hex(20),
        };
        add("etag", format!("W/\"{tag}\""));
    }
    if stable.chance(10) {
        let age = at.digits(Kind::Measure, 0, 300);
        add("age", age);
    }
    if stable.chance(30) {
        add(
            "strict-transport-security",
            "max-age=31536000; includeSubDomains".to_owned(),
        );
        add("x-content-type-options", "nosniff".to_owned());
        add("referrer-policy", "same-origin".to_owned());
    }
}

/// A time long ago, the same in each answer.
fn past(stable: &mut Rng) -> String {
    let form = stable.below(moment::FORMS);
    time(1_690_000_000_000 + stable.between(0, 60_000_000_000), form)
}
