//! What differs between two answers of the old version.

use serde_json::{Map, Value as Json};

use crate::differential::Content;
use crate::differential::form::Clock;
use crate::differential::json::{
    DEPTH_MAX, ENTRIES_MAX, element, is_measure, keys, kind, member, says,
};
use crate::differential::noise::{Names, Noise};
use crate::differential::seen::Seen;
use crate::judge::path::same;

/// Names of members that are in one answer only, for all of them to be a selection out of many.
const SELECTED_MIN: usize = 2;

pub(in crate::differential) fn learn(noise: &mut Noise) {
    let contents = core::mem::take(&mut noise.contents);
    let clocks = noise.clocks.clone();
    let mut samples = contents
        .iter()
        .zip(clocks)
        .filter_map(|(content, clock)| match content {
            Content::Json(json) => Some((json, clock)),
            _ => None,
        });
    if let Some((first, clock)) = samples.next() {
        for (other, other_clock) in samples {
            let mut learner = Learner {
                noise,
                clocks: [clock, other_clock],
            };
            learner.values(first, other, "$", 0);
        }
    }
    noise.contents = contents;
}

struct Learner<'n> {
    noise: &'n mut Noise,
    clocks: [Clock; 2],
}

impl Learner<'_> {
    fn values(&mut self, a: &Json, b: &Json, path: &str, depth: usize) {
        if kind(a) != kind(b) {
            let types = &mut self.noise.place(path).types;
            types.insert(kind(a));
            types.insert(kind(b));
            for value in [a, b] {
                self.see(value, path);
            }
            return;
        }
        match (a, b) {
            _ if depth >= DEPTH_MAX => {
                if !same(a, b) {
                    self.see(a, path);
                }
            }
            (Json::Object(a), Json::Object(b)) => self.objects(a, b, path, depth),
            (Json::Array(a), Json::Array(b)) => self.arrays(a, b, path, depth),
            _ => {
                let is_clock = says(self.clocks[0], a) && says(self.clocks[1], b);
                if !same(a, b) || is_clock || is_measure(path) {
                    self.see(a, path);
                    self.see(b, path);
                }
            }
        }
    }

    fn see(&mut self, value: &Json, path: &str) {
        let seen = self
            .noise
            .place(path)
            .values
            .get_or_insert_with(Seen::default);
        match value {
            Json::String(text) => seen.text(text),
            Json::Number(number) => seen.number(number.as_f64().unwrap_or_default()),
            _ => {}
        }
    }

    fn objects(&mut self, a: &Map<String, Json>, b: &Map<String, Json>, path: &str, depth: usize) {
        let only = |a: &Map<String, Json>, b: &Map<String, Json>| {
            let only = a.keys().filter(|name| !b.contains_key(*name));
            only.cloned().collect::<Vec<_>>()
        };
        let (of_a, of_b) = (only(a, b), only(b, a));
        // One name that is another each time may be of two answers; several are a selection.
        let is_most = |only: &[String], all: &Map<String, Json>| {
            only.len() >= SELECTED_MIN && 2 * only.len() > all.len()
        };
        let any = is_most(&of_a, a) && is_most(&of_b, b);
        for name in of_a.iter().chain(&of_b) {
            self.noise.place(&member(path, name)).optional = true;
            let names = &mut self.noise.place(path).names;
            let names = names.get_or_insert_with(Names::default);
            names.seen.text(name);
            names.any |= any;
        }
        if !(of_a.is_empty() && of_b.is_empty()) {
            let names = self.noise.place(path).names.clone().unwrap_or_default();
            let entries = [a, b].into_iter().flat_map(|of| {
                let entries = of.iter().filter(|(name, _)| names.is_entry(name));
                entries.take(ENTRIES_MAX).map(|(_, value)| value)
            });
            self.entries(entries, &element(path), depth);
        }
        for (name, value) in a {
            if let Some(other) = b.get(name) {
                self.values(value, other, &member(path, name), depth + 1);
            }
        }
    }

    /// Entries that come and go: in what they differ from each other, a new one will differ too.
    fn entries<'j>(&mut self, mut all: impl Iterator<Item = &'j Json>, inner: &str, depth: usize) {
        if let Some(first) = all.next() {
            all.for_each(|other| self.values(first, other, inner, depth + 1));
        }
    }

    fn arrays(&mut self, a: &[Json], b: &[Json], path: &str, depth: usize) {
        let inner = element(path);
        if a.len() != b.len() {
            self.noise.place(path).length = true;
            let all = a.iter().take(ENTRIES_MAX).chain(b.iter().take(ENTRIES_MAX));
            self.entries(all, &inner, depth);
        }
        if let (Some(left), Some(right)) = (keys(a), keys(b)) {
            let sorted = |keys: &[String]| {
                let mut order: Vec<usize> = (0..keys.len()).collect();
                order.sort_by(|x, y| keys.get(*x).cmp(&keys.get(*y)));
                order
            };
            let (first, second) = (sorted(&left), sorted(&right));
            let is_same_set = left.len() == right.len()
                && first
                    .iter()
                    .zip(&second)
                    .all(|(x, y)| left.get(*x) == right.get(*y));
            if is_same_set && left != right {
                self.noise.place(path).unordered = true;
                for (x, y) in first.into_iter().zip(second) {
                    if let (Some(x), Some(y)) = (a.get(x), b.get(y)) {
                        self.values(x, y, &inner, depth + 1);
                    }
                }
                return;
            }
        }
        for (x, y) in a.iter().zip(b) {
            self.values(x, y, &inner, depth + 1);
        }
    }
}
