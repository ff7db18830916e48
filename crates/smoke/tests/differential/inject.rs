//! Changes put into an answer, at places that are the same in all of the answers there are. It knows
//! nothing of how changes are found.

use std::collections::BTreeSet;

use nonevent_smoke::Response;
use serde_json::Value as Json;

use crate::rng::Rng;

/// Headers that say when and how an answer came, or repeat what its body says.
const OF_THE_ANSWER: [&str; 14] = [
    "date",
    "content-length",
    "etag",
    "last-modified",
    "expires",
    "age",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "x-request-id",
    "x-runtime",
    "x-ratelimit-remaining",
    "set-cookie",
    "alt-svc",
];

/// One change: what it is called, and the answer with it.
pub(crate) struct Injected {
    pub(crate) kind: &'static str,
    pub(crate) what: String,
    pub(crate) response: Response,
}

/// A change of `base`, which is one of `all`; nothing where it has no place for the kind drawn.
pub(crate) fn inject(base: &Response, all: &[Response], rng: &mut Rng) -> Option<Injected> {
    let mut response = base.clone();
    let (kind, what) = match rng.below(10) {
        0 => ("status", status(&mut response, rng)),
        1 => header(&mut response, all, rng)?,
        2 => whole_body(&mut response, rng)?,
        _ => match bodies(all) {
            Bodies::Json(values) => json(&mut response, &values, rng)?,
            Bodies::Text(texts) => text(&mut response, &texts, rng)?,
            Bodies::Bytes => bytes(&mut response, all, rng)?,
        },
    };
    let json = |of: &Response| serde_json::from_slice::<Json>(&of.body).ok();
    let is_same = response.status == base.status
        && response.headers == base.headers
        && (response.body == base.body || json(base).is_some() && json(base) == json(&response));
    (!is_same).then_some(Injected {
        kind,
        what,
        response,
    })
}

enum Bodies {
    Json(Vec<Json>),
    Text(Vec<String>),
    Bytes,
}

fn bodies(all: &[Response]) -> Bodies {
    let json: Option<Vec<Json>> = all
        .iter()
        .map(|it| serde_json::from_slice(&it.body).ok())
        .collect();
    if let Some(values) = json.filter(|values| values[0].is_object() || values[0].is_array()) {
        return Bodies::Json(values);
    }
    let texts: Option<Vec<String>> = all
        .iter()
        .map(|it| String::from_utf8(it.body.clone()).ok())
        .collect();
    texts.map_or(Bodies::Bytes, Bodies::Text)
}

fn status(response: &mut Response, rng: &mut Rng) -> String {
    let others: Vec<u16> = [200, 201, 204, 302, 400, 401, 403, 404, 429, 500, 502, 503]
        .into_iter()
        .filter(|status| *status != response.status)
        .collect();
    response.status = *rng.pick(&others);
    response.status.to_string()
}

fn header(
    response: &mut Response,
    all: &[Response],
    rng: &mut Rng,
) -> Option<(&'static str, String)> {
    if rng.chance(20) {
        let name = format!("x-{}", rng.word());
        response.headers.push((name.clone(), rng.word()));
        return Some(("header added", name));
    }
    let stable: Vec<usize> = (0..response.headers.len())
        .filter(|at| {
            let pair = &response.headers[*at];
            !OF_THE_ANSWER.contains(&pair.0.as_str())
                && all.iter().all(|it| it.headers.contains(pair))
        })
        .collect();
    if stable.is_empty() {
        return None;
    }
    let at = *rng.pick(&stable);
    let name = response.headers[at].0.clone();
    if rng.chance(40) {
        response.headers.remove(at);
        return Some(("header removed", name));
    }
    let value = mutated(&response.headers[at].1, rng);
    response.headers[at].1 = value.clone();
    Some(("header changed", format!("{name}: {value}")))
}

fn whole_body(response: &mut Response, rng: &mut Rng) -> Option<(&'static str, String)> {
    if response.body.len() < 8 {
        return None;
    }
    match rng.below(3) {
        0 => {
            response.body.clear();
            Some(("body emptied", String::new()))
        }
        1 => {
            let length = response.body.len();
            response.body.truncate(length / 2 + rng.below(length / 3));
            Some(("body truncated", String::new()))
        }
        _ => {
            response.body = b"<html><h1>Something went wrong</h1></html>".to_vec();
            Some(("error page", String::new()))
        }
    }
}

fn bytes(
    response: &mut Response,
    all: &[Response],
    rng: &mut Rng,
) -> Option<(&'static str, String)> {
    if all.iter().any(|it| it.body != response.body) || response.body.is_empty() {
        return None;
    }
    let at = rng.below(response.body.len());
    response.body[at] ^= 0x55;
    Some(("byte changed", at.to_string()))
}

/// Another text: a letter, a word or a number of it, all of it, or more than it.
fn mutated(text: &str, rng: &mut Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let letters: Vec<usize> = (0..chars.len())
        .filter(|at| chars[*at].is_alphanumeric())
        .collect();
    match rng.below(4) {
        0 if !letters.is_empty() => {
            let at = *rng.pick(&letters);
            chars[at] = match chars[at] {
                '9' => '3',
                'z' | 'Z' => 'q',
                c if c.is_ascii_digit() => '9',
                c if c.is_ascii_uppercase() => 'Z',
                _ => 'z',
            };
            chars.into_iter().collect()
        }
        1 => format!("{text} {}", rng.word()),
        2 if chars.len() > 4 => chars[..chars.len() - 2].iter().collect(),
        _ => rng.word() + "-x",
    }
}

// JSON.

/// Pointers to every value that is the same in all answers, with the value.
fn stable(values: &[Json]) -> Vec<(String, Json)> {
    let mut found = Vec::new();
    collect(&values[0], "", &mut found);
    found.retain(|(pointer, value)| values.iter().all(|it| it.pointer(pointer) == Some(value)));
    found
}

fn collect(value: &Json, pointer: &str, found: &mut Vec<(String, Json)>) {
    found.push((pointer.to_owned(), value.clone()));
    match value {
        Json::Object(members) => {
            for (key, value) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(value, &format!("{pointer}/{key}"), found);
            }
        }
        Json::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                collect(item, &format!("{pointer}/{at}"), found);
            }
        }
        _ => {}
    }
}

/// Samples of metrics in JSON: what they measure may change.
fn is_measurement(pointer: &str, root: &Json) -> bool {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    let is_query =
        root.pointer("/data/resultType").is_some() || root.pointer("/data/headStats").is_some();
    let of_haproxy = root.pointer("/0/0/objType").is_some();
    let names = [
        "age",
        "duration",
        "uptime",
        "latency",
        "timestamp",
        "goroutines",
        "requests",
        "memory",
        "took",
        "elapsed",
    ];
    is_query && pointer.contains("/value")
        || of_haproxy
        || names
            .iter()
            .any(|name| last.to_ascii_lowercase().contains(name))
}

fn json(response: &mut Response, values: &[Json], rng: &mut Rng) -> Option<(&'static str, String)> {
    let mut root: Json = serde_json::from_slice(&response.body).ok()?;
    let stable: Vec<(String, Json)> = stable(values)
        .into_iter()
        .filter(|(pointer, _)| !is_measurement(pointer, &root))
        .collect();
    let inner: Vec<&(String, Json)> = stable
        .iter()
        .filter(|(pointer, _)| !pointer.is_empty())
        .collect();
    if inner.is_empty() {
        return None;
    }
    let (pointer, value) = (*rng.pick(&inner)).clone();
    let (parent, key) = pointer.rsplit_once('/')?;
    let key = key.replace("~1", "/").replace("~0", "~");
    let kind = match rng.below(10) {
        0 | 1 => match root.pointer_mut(parent)? {
            Json::Object(members) => {
                members.remove(&key);
                "member removed"
            }
            Json::Array(items) => {
                items.remove(key.parse().ok()?);
                "element removed"
            }
            _ => return None,
        },
        2 => match root.pointer_mut(parent)? {
            Json::Object(members) => {
                let value = members.remove(&key)?;
                members.insert(format!("{key}X"), value);
                "member renamed"
            }
            Json::Array(items) => {
                // Only where nothing says that the list has any length it likes.
                let item = items.get(key.parse::<usize>().ok()?)?.clone();
                items.push(item);
                "element repeated"
            }
            _ => return None,
        },
        3 => {
            let target = root.pointer_mut(parent)?;
            let Json::Object(members) = target else {
                return None;
            };
            members.insert(format!("new{}", rng.word()), 1.into());
            "member added"
        }
        4 => {
            let Json::Array(items) = root.pointer_mut(&pointer)? else {
                return None;
            };
            items.reverse();
            "order reversed"
        }
        _ => {
            *root.pointer_mut(&pointer)? = changed(&value, rng)?;
            "value changed"
        }
    };
    response.body = root.to_string().into_bytes();
    Some((kind, pointer))
}

fn changed(value: &Json, rng: &mut Rng) -> Option<Json> {
    Some(match value {
        Json::Bool(it) => (!it).into(),
        Json::Null => 0.into(),
        _ if rng.chance(12) => Json::Null,
        Json::Number(number) if rng.chance(12) => number.to_string().into(),
        Json::Number(number) => match number.as_i64() {
            Some(whole) if rng.chance(50) => (whole + 1).into(),
            Some(whole) => (whole * 10 + 7).into(),
            None => (number.as_f64()? * 1.5 + 1.0).into(),
        },
        Json::String(text) if text.is_empty() => "x".into(),
        Json::String(text) => mutated(text, rng).into(),
        Json::Array(_) => Json::Array(Vec::new()),
        Json::Object(_) => Json::Object(serde_json::Map::new()),
    })
}

// Text.

fn text(
    response: &mut Response,
    texts: &[String],
    rng: &mut Rng,
) -> Option<(&'static str, String)> {
    let base = String::from_utf8(response.body.clone()).ok()?;
    let is_exposition = base.starts_with("# HELP ") || base.starts_with("# TYPE ");
    let (kind, changed, what) = if is_exposition {
        exposition(&base, texts, rng)?
    } else if rng.chance(50) {
        word(&base, texts, rng)?
    } else {
        line(&base, texts, rng)?
    };
    response.body = changed.into_bytes();
    Some((kind, what))
}

/// The parts between blanks and markup, each with its place.
fn parts(text: &str) -> Vec<(usize, &str)> {
    let is_between = |c: char| c.is_whitespace() || "<>=\"',;&?{}()[]#".contains(c);
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (is_between(c), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                found.push((from, &text[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    found
}

fn word(base: &str, texts: &[String], rng: &mut Rng) -> Option<(&'static str, String, String)> {
    let of_base = parts(base);
    let others: Vec<Vec<(usize, &str)>> = texts.iter().map(|it| parts(it)).collect();
    if others.iter().any(|it| it.len() != of_base.len()) {
        return None;
    }
    let is_clock = |part: &str| {
        part.bytes()
            .filter(|byte| matches!(byte, b':' | b'-'))
            .count()
            >= 2
    };
    let stable: Vec<usize> = (0..of_base.len())
        .filter(|at| {
            others.iter().all(|it| it[*at].1 == of_base[*at].1) && !is_clock(of_base[*at].1)
        })
        // The year and the day in a date that moves stay for a while.
        .filter(|at| {
            let near = at.saturating_sub(4)..(at + 5).min(of_base.len());
            let months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec GMT";
            let is_date = near
                .clone()
                .any(|it| months.contains(of_base[it].1) && of_base[it].1.len() == 3);
            !is_date
        })
        .collect();
    if stable.is_empty() {
        return None;
    }
    let (start, part) = of_base[*rng.pick(&stable)];
    let other = mutated(part, rng);
    let changed = [&base[..start], &other, &base[start + part.len()..]].concat();
    Some(("word changed", changed, format!("{part} -> {other}")))
}

fn line(base: &str, texts: &[String], rng: &mut Rng) -> Option<(&'static str, String, String)> {
    let mut lines: Vec<&str> = base.lines().collect();
    let all: Vec<BTreeSet<&str>> = texts.iter().map(|text| text.lines().collect()).collect();
    let stable: Vec<usize> = (0..lines.len())
        .filter(|at| !lines[*at].trim().is_empty() && all.iter().all(|it| it.contains(lines[*at])))
        .collect();
    if stable.is_empty() {
        return None;
    }
    let at = *rng.pick(&stable);
    let what = lines[at].to_owned();
    let more = rng.words(3);
    // In a text whose lines come in any order, an exchange is none.
    let is_ordered = texts
        .iter()
        .all(|text| text.lines().nth(at) == Some(lines[at]));
    let kind = match rng.below(4) {
        0 => {
            lines.remove(at);
            "line removed"
        }
        1 => {
            lines.insert(at, &more);
            "line added"
        }
        2 => {
            lines.insert(at, lines[at]);
            "line repeated"
        }
        _ => {
            let other = *rng.pick(&stable);
            if !is_ordered || lines[at] == lines[other] {
                return None;
            }
            lines.swap(at, other);
            "lines exchanged"
        }
    };
    let end = if base.ends_with('\n') { "\n" } else { "" };
    Some((kind, lines.join("\n") + end, what))
}

fn exposition(
    base: &str,
    texts: &[String],
    rng: &mut Rng,
) -> Option<(&'static str, String, String)> {
    let families: BTreeSet<&str> = base
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .filter(|name| {
            texts
                .iter()
                .all(|text| text.contains(&format!("# TYPE {name} ")))
        })
        .collect();
    let families: Vec<&str> = families.into_iter().collect();
    if families.is_empty() {
        return None;
    }
    let family = *rng.pick(&families);
    let is_of = |line: &str| {
        let line = line
            .strip_prefix("# TYPE ")
            .or(line.strip_prefix("# HELP "))
            .unwrap_or(line);
        let rest = line.strip_prefix(family);
        rest.is_some_and(|rest| rest.starts_with([' ', '{']))
    };
    let (kind, lines): (_, Vec<String>) = match rng.below(3) {
        0 => (
            "family removed",
            base.lines()
                .filter(|line| !is_of(line))
                .map(str::to_owned)
                .collect(),
        ),
        1 => {
            let renamed = |line: &str| line.replacen(family, &format!("{family}_x"), 1);
            let of_line = |line: &str| {
                if is_of(line) {
                    renamed(line)
                } else {
                    line.to_owned()
                }
            };
            ("family renamed", base.lines().map(of_line).collect())
        }
        _ => {
            let renamed = |line: &str| {
                if is_of(line) && !line.starts_with('#') {
                    line.replacen("=\"", "x=\"", 1)
                } else {
                    line.to_owned()
                }
            };
            ("label renamed", base.lines().map(renamed).collect())
        }
    };
    Some((kind, lines.join("\n") + "\n", family.to_owned()))
}
