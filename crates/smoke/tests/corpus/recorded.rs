//! Answers that real servers gave, as `fixtures/smoke/differential/*-minutes.jsonl` has them.
//!
//! What of them may be changed follows from a rule of this file's own: what is the same in all
//! answers there are and is no measurement, no date and no validator.

use std::collections::{BTreeMap, BTreeSet};

use nonevent_smoke::Response;
use serde_json::Value as Json;

use crate::Endpoint;
use crate::marks::{Kind, Text, Tree, escaped};
use crate::places::{Body, Places};

const FILES: [&str; 8] = [
    include_str!("../../../../fixtures/smoke/differential/nginx.jsonl"),
    include_str!("../../../../fixtures/smoke/differential/haproxy.jsonl"),
    include_str!("../../../../fixtures/smoke/differential/prometheus.jsonl"),
    include_str!("../../../../fixtures/smoke/differential/caddy.jsonl"),
    include_str!("../../../../fixtures/smoke/differential/nginx-minutes.jsonl"),
    include_str!("../../../../fixtures/smoke/differential/haproxy-minutes.jsonl"),
    include_str!("../../../../fixtures/smoke/differential/prometheus-minutes.jsonl"),
    include_str!("../../../../fixtures/smoke/differential/caddy-minutes.jsonl"),
];

/// Headers that say when an answer came, which one it is, or how long it is, and those of one
/// connection only (RFC 9110, 7.6.1).
const OF_THE_ANSWER: [&str; 11] = [
    "connection",
    "keep-alive",
    "transfer-encoding",
    "date",
    "content-length",
    "content-range",
    "etag",
    "last-modified",
    "expires",
    "age",
    "alt-svc",
];

/// Parts of the paths whose numbers are measurements.
const MEASURED: [&str; 9] = [
    "stat",
    "metrics",
    "federate",
    "/debug/vars",
    "query",
    "tsdb",
    "upstreams",
    "rules",
    "targets",
];

/// Endpoints that toss a coin, as the configuration of their server says.
const BY_CHANCE: [&str; 14] = [
    "nginx /variant.json",
    "nginx /variant.html",
    "nginx /nodes.json",
    "haproxy /c.json",
    "haproxy /a.html",
    "haproxy /pair/1",
    "haproxy /pair/2",
    "haproxy /pair/3",
    "haproxy /sticky/1",
    "caddy /random/1",
    "caddy /random/2",
    "caddy /turns/1",
    "caddy /turns/2",
    "caddy /quote.html",
];

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let lines = FILES.iter().flat_map(|file| file.lines());
    lines.map(endpoint).collect()
}

fn endpoint(line: &str) -> Endpoint {
    let endpoint: Json = serde_json::from_str(line).expect("a line of JSON");
    let text = |of: &Json| of.as_str().expect("text").to_owned();
    let (server, path) = (text(&endpoint["server"]), text(&endpoint["path"]));
    let answers = endpoint["answers"].as_array().expect("answers");
    let answers: Vec<Response> = answers.iter().map(response).collect();
    let is_measured = MEASURED.iter().any(|part| path.contains(part));
    let places = answers
        .iter()
        .map(|it| places(it, &answers, is_measured))
        .collect();
    let name = format!("{server} {path}");
    Endpoint {
        is_by_chance: BY_CHANCE.contains(&name.as_str()) || name == "caddy /turns/3",
        name,
        source: server,
        answers,
        places,
        made: Vec::new(),
    }
}

fn response(answer: &Json) -> Response {
    use base64::Engine as _;
    let headers = answer["headers"].as_array().expect("headers");
    let text = |of: &Json| of.as_str().expect("text").to_owned();
    let body = match answer.get("body") {
        Some(body) => text(body).into_bytes(),
        None => base64::engine::general_purpose::STANDARD
            .decode(text(&answer["body_base64"]))
            .expect("base64"),
    };
    Response {
        status: u16::try_from(answer["status"].as_u64().expect("a status")).expect("a status"),
        headers: headers
            .iter()
            .map(|pair| (text(&pair[0]), text(&pair[1])))
            .collect(),
        body,
    }
}

fn places(of: &Response, all: &[Response], is_measured: bool) -> Places {
    let headers = of.headers.iter().map(|pair| {
        !OF_THE_ANSWER.contains(&pair.0.as_str()) && all.iter().all(|it| it.headers.contains(pair))
    });
    Places {
        headers: headers.collect(),
        body: body(of, all, is_measured),
    }
}

fn body(of: &Response, all: &[Response], is_measured: bool) -> Body {
    let trees: Option<Vec<Json>> = all
        .iter()
        .map(|it| serde_json::from_slice(&it.body).ok())
        .collect();
    if let (Some(trees), Ok(plain)) = (trees, serde_json::from_slice::<Json>(&of.body)) {
        let mut tree = Tree {
            plain: plain.clone(),
            ..Tree::default()
        };
        let trees: Vec<&Json> = trees.iter().collect();
        mark_tree(&plain, &trees, "", is_measured, &mut tree.marks);
        return Body::Json(tree);
    }
    let texts: Option<Vec<&str>> = all
        .iter()
        .map(|it| core::str::from_utf8(&it.body).ok())
        .collect();
    match (texts, core::str::from_utf8(&of.body)) {
        (Some(texts), Ok(plain)) => Body::Text(Text {
            plain: plain.to_owned(),
            marks: mark_text(plain, &texts, is_measured),
        }),
        _ if all.iter().all(|it| it.body == of.body) => Body::Bytes,
        _ => Body::Moving,
    }
}

/// Whether something of the new answer was the same in both old ones and is neither a time nor an
/// id by its form.
pub(crate) fn moves_unseen(old: [&Response; 2], new: &Response) -> bool {
    let json = |of: &Response| serde_json::from_slice::<Json>(&of.body).ok();
    match (json(old[0]), json(old[1]), json(new)) {
        (Some(a), Some(b), Some(new)) => differs_unseen(&a, &b, &new),
        _ => false,
    }
}

fn differs_unseen(a: &Json, b: &Json, new: &Json) -> bool {
    match (a, b, new) {
        (Json::Object(a), Json::Object(b), Json::Object(new)) => {
            let is_known = |key: &String| a.contains_key(key) && b.contains_key(key);
            a.keys()
                .filter(|key| is_known(key))
                .any(|key| match new.get(key) {
                    Some(new) => differs_unseen(&a[key], &b[key], new),
                    None => true,
                })
        }
        (Json::Array(x), Json::Array(y), Json::Array(new)) if x.len() == y.len() => {
            x.len() != new.len() || (0..x.len()).any(|at| differs_unseen(&x[at], &y[at], &new[at]))
        }
        (Json::String(x), Json::String(y), Json::String(new)) => {
            let digits = x.bytes().filter(u8::is_ascii_digit).count();
            x == y && x != new && digits < 8
        }
        (a, b, new) => a == b && a != new,
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

fn mark_tree(
    of: &Json,
    all: &[&Json],
    pointer: &str,
    is_measured: bool,
    marks: &mut Vec<(String, Kind)>,
) {
    let mut mark = |kind| marks.push((pointer.to_owned(), kind));
    match of {
        Json::Object(members) if all.iter().all(|it| it.is_object()) => {
            for (key, value) in members {
                let pointer = format!("{pointer}/{}", escaped(key));
                let others: Vec<&Json> = all.iter().filter_map(|it| it.get(key)).collect();
                if others.len() < all.len() {
                    marks.push((pointer, Kind::Optional));
                } else {
                    mark_tree(value, &others, &pointer, is_measured, marks);
                }
            }
        }
        Json::Array(items) if all.iter().all(|it| it.is_array()) => {
            let lists: Vec<&Vec<Json>> = all.iter().filter_map(|it| it.as_array()).collect();
            let sorted = |list: &[Json]| {
                let mut texts: Vec<String> = list.iter().map(Json::to_string).collect();
                texts.sort();
                texts
            };
            if lists.iter().any(|list| list.len() != items.len()) {
                mark(Kind::Length);
            } else if lists.iter().any(|list| *list != items)
                && lists.iter().all(|list| sorted(list) == sorted(items))
            {
                mark(Kind::Order);
            } else {
                for (at, item) in items.iter().enumerate() {
                    let others: Vec<&Json> = lists.iter().map(|list| &list[at]).collect();
                    mark_tree(
                        item,
                        &others,
                        &format!("{pointer}/{at}"),
                        is_measured,
                        marks,
                    );
                }
            }
        }
        value => {
            let is_figure = value.is_number() || value.as_str().is_some_and(is_number);
            if all.iter().any(|it| *it != value) || is_measured && is_figure {
                mark(Kind::Measure);
            }
        }
    }
}

/// The parts of a line between blanks and markup, each with its place.
fn parts(line: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
        if c.is_whitespace() || "<>=\"',;&{}()[]".contains(c) {
            if from < at {
                found.push((from, &line[from..at]));
            }
            from = at + c.len_utf8();
        }
    }
    found
}

fn mark_text(of: &str, all: &[&str], is_measured: bool) -> Vec<(core::ops::Range<usize>, Kind)> {
    let mut marks = Vec::new();
    let counts: BTreeSet<usize> = all.iter().map(|it| it.lines().count()).collect();
    let mut in_all: BTreeMap<&str, usize> = BTreeMap::new();
    for text in all {
        for line in text.lines().collect::<BTreeSet<_>>() {
            *in_all.entry(line).or_default() += 1;
        }
    }
    let mut start = 0;
    for (number, line) in of.split_inclusive('\n').enumerate() {
        let whole = start..start + line.len();
        let trimmed = line.trim_end_matches(['\n', '\r']);
        let others: Vec<&str> = all
            .iter()
            .map(|it| it.lines().nth(number).unwrap_or_default())
            .collect();
        let lengths: BTreeSet<usize> = others.iter().map(|it| parts(it).len()).collect();
        if counts.len() > 1 {
            if in_all.get(trimmed) != Some(&all.len()) {
                marks.push((whole.clone(), Kind::Length));
            }
        } else if lengths.len() > 1 {
            marks.push((whole.clone(), Kind::Measure));
        } else {
            mark_line(trimmed, &others, start, is_measured, &mut marks);
        }
        start = whole.end;
    }
    marks
}

fn mark_line(
    line: &str,
    others: &[&str],
    start: usize,
    is_measured: bool,
    marks: &mut Vec<(core::ops::Range<usize>, Kind)>,
) {
    let others: Vec<Vec<(usize, &str)>> = others.iter().map(|it| parts(it)).collect();
    let of = parts(line);
    let moves: Vec<bool> = (0..of.len())
        .map(|at| others.iter().any(|it| it[at].1 != of[at].1))
        .collect();
    let is_clock = |text: &str| text.bytes().filter(|byte| *byte == b':').count() >= 2;
    // The day and the year of a time that moves stay only for a while.
    let has_clock = (0..of.len()).any(|at| moves[at] && is_clock(of[at].1));
    for (at, (from, text)) in of.iter().enumerate() {
        let is_of_date = text.len() <= 10 && !text.contains('/');
        let is_figure = is_measured && text.bytes().any(|byte| byte.is_ascii_digit());
        if moves[at] || has_clock && is_of_date || is_figure {
            marks.push((start + from..start + from + text.len(), Kind::Measure));
        }
    }
}
