//! Headers: which are there, and what they say.

use std::collections::{BTreeMap, BTreeSet};

use crate::differential::form::{Clock, Form};
use crate::differential::noise::Noise;
use crate::differential::seen::Seen;
use crate::differential::{Difference, DifferenceKind, Response};

/// Headers whose value says nothing of the version: when and how the answer came, validators of a
/// body that is compared itself, and counters. That they are there is compared all the same.
const OF_THE_ANSWER: [&str; 27] = [
    "age",
    "alt-svc",
    "cf-ray",
    "content-length",
    "date",
    "etag",
    "expires",
    "last-modified",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "server-timing",
    "traceparent",
    "tracestate",
    "x-amz-cf-id",
    "x-amzn-trace-id",
    "x-backend-server",
    "x-cache",
    "x-cache-hits",
    "x-correlation-id",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
    "x-response-time",
    "x-runtime",
    "x-served-by",
    "x-trace-id",
];

/// Headers of the connection, which differ with what the connection was used for before.
const OF_THE_CONNECTION: [&str; 3] = ["connection", "keep-alive", "transfer-encoding"];

type Headers = BTreeMap<String, String>;

/// Each header once, its values in alphabetical order; of cookies their names and attributes.
fn headers(response: &Response) -> Headers {
    let mut all: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in &response.headers {
        if OF_THE_CONNECTION.contains(&name.as_str()) {
            continue;
        }
        let value = if name == "set-cookie" {
            cookie(value)
        } else {
            value.trim().to_owned()
        };
        all.entry(name).or_default().insert(value);
    }
    let joined = |values: BTreeSet<String>| values.into_iter().collect::<Vec<_>>().join(", ");
    all.into_iter()
        .map(|(name, values)| (name.to_owned(), joined(values)))
        .collect()
}

/// `session=abc; Path=/; Expires=…` without what is another each time.
fn cookie(value: &str) -> String {
    let mut parts = value.split(';').map(str::trim);
    let name = parts.next().and_then(|pair| pair.split('=').next());
    let mut kept = vec![name.unwrap_or_default().to_owned()];
    kept.extend(parts.map(|part| match part.split_once('=') {
        Some((name, _)) if name.eq_ignore_ascii_case("expires") => name.to_owned(),
        _ => part.to_owned(),
    }));
    kept.join("; ")
}

pub(super) fn learn(noise: &mut Noise) {
    let all: Vec<Headers> = noise.samples.iter().map(headers).collect();
    let names: BTreeSet<String> = all
        .iter()
        .flat_map(|headers| headers.keys().cloned())
        .collect();
    for name in names {
        let values: Vec<&String> = all
            .iter()
            .filter_map(|headers| headers.get(&name))
            .collect();
        let place = format!("header {name}");
        if values.len() < all.len() {
            noise.place(&place).optional = true;
        }
        if values.windows(2).any(|pair| pair[0] != pair[1]) {
            let seen = noise.place(&place).values.get_or_insert_with(Seen::default);
            values.iter().for_each(|value| seen.text(value));
        }
    }
}

pub(super) fn compare(noise: &Noise, new: &Response, found: &mut Vec<Difference>) {
    let all: Vec<Headers> = noise.samples.iter().map(headers).collect();
    let old = all.first().cloned().unwrap_or_default();
    let new_headers = headers(new);
    let clock = Clock::of(new);
    let names: BTreeSet<&String> = old.keys().chain(new_headers.keys()).collect();
    for name in names {
        let place = format!("header {name}");
        let known = noise.places.get(&place);
        let mut differ = |old: &str, new: &str| {
            found.push(Difference::new(&place, DifferenceKind::Header, old, new));
        };
        let any = all.iter().find_map(|headers| headers.get(name));
        match (any, new_headers.get(name)) {
            // How long a body is, is said by one of two headers.
            (_, None) | (None, Some(_)) if name == "content-length" => {}
            (Some(old), None) if known.is_none_or(|place| !place.optional) => differ(old, ""),
            (None, Some(new)) => differ("", new),
            (Some(old), Some(new)) => {
                let is_known = all.iter().any(|headers| headers.get(name) == Some(new));
                let by_name =
                    OF_THE_ANSWER.contains(&name.as_str()) && Form::of(old).is_kept_by(new);
                let by_clock = clock.says(new) && noise.clocks.iter().any(|clock| clock.says(old));
                let seen = known.and_then(|place| place.values.as_ref());
                let by_form = seen.is_some_and(|seen| seen.admits_text(new));
                let is_emptied = new.is_empty() && !old.is_empty();
                if is_emptied || !(is_known || by_name || by_clock || by_form) {
                    differ(old, new);
                }
            }
            _ => {}
        }
    }
}
