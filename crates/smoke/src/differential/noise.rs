//! What the old version's own answers differ in.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use crate::differential::form::{Clock, Form};
use crate::differential::lines::LineNoise;
use crate::differential::seen::Seen;
use crate::differential::{Content, Response, headers, json, lines};

/// What differs between several answers of the old version to one request, and what they have in
/// common.
///
/// Places of a list's elements are one place, `$.items[*].id`: what is noise in one of them is
/// noise in all. So are those of a map's entries that come and go. Some values are noise by what they are, since two answers may have the same by
/// chance: the time of the answer, measurements of a metrics exposition, and what certain headers
/// and members are for.
///
/// ```
/// use nonevent_smoke::{Noise, Response};
///
/// let answer = |id: &str, price: u32| Response {
///     status: 200,
///     headers: vec![("content-type".to_owned(), "application/json".to_owned())],
///     body: format!(r#"{{"id":"{id}","price":{price}}}"#).into_bytes(),
/// };
/// let noise = Noise::learn(&[answer("6f1e9a00", 12), answer("77d0c3b1", 12)]);
/// assert!(noise.compare(&answer("0be41d72", 12)).is_empty());
/// assert_eq!(noise.compare(&answer("0be41d72", 13))[0].place, "$.price");
/// ```
#[derive(Debug, Clone)]
pub struct Noise {
    pub(super) statuses: Vec<u16>,
    pub(super) samples: Vec<Response>,
    pub(super) contents: Vec<Content>,
    pub(super) clocks: Vec<Clock>,
    /// By place, elements of lists as `[*]`, headers as `header NAME`.
    pub(super) places: BTreeMap<String, Place>,
    pub(super) lines: LineNoise,
}

/// What is noise at one place.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Place {
    /// Values differ; these are the forms that they had.
    pub(super) values: Option<Seen>,
    /// It is not always there.
    pub(super) optional: bool,
    /// It is not always of one type.
    pub(super) types: BTreeSet<&'static str>,
    /// A list whose order differs.
    pub(super) unordered: bool,
    /// A list whose length differs.
    pub(super) length: bool,
    /// An object whose members come and go; these are their names.
    pub(super) names: Option<Names>,
}

/// Names of members that come and go.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Names {
    pub(super) seen: Seen,
    /// Most of the names are others each time, so that any may come: a selection out of many.
    pub(super) any: bool,
}

impl Names {
    /// Whether a name is one that stands for an entry, such as an id or a date, and not for what is
    /// in it. What is in such entries is noise of one place, as with the elements of a list.
    pub(super) fn is_entry(&self, name: &str) -> bool {
        self.any || Form::of(name) != Form::Words && self.seen.admits_text(name)
    }
}

/// Answers of the old version that are looked at.
const SAMPLES_MAX: usize = 20;

impl Noise {
    /// Learns from answers of the old version to the same request. Two are enough to tell most
    /// noise from what is stable; from one, only what is noise by its form is known.
    #[must_use]
    pub fn learn(old: &[Response]) -> Noise {
        let samples: Vec<Response> = old.iter().take(SAMPLES_MAX).cloned().collect();
        let mut noise = Noise {
            statuses: samples.iter().map(|sample| sample.status).collect(),
            contents: samples.iter().map(Content::of).collect(),
            clocks: samples.iter().map(Clock::of).collect(),
            samples,
            places: BTreeMap::new(),
            lines: LineNoise::default(),
        };
        headers::learn(&mut noise);
        json::learn::learn(&mut noise);
        lines::learn(&mut noise);
        noise
    }

    pub(super) fn place(&mut self, path: &str) -> &mut Place {
        self.places.entry(path.to_owned()).or_default()
    }

    /// What is noise and why, each in a few words, such as `$.id: its value differs`.
    #[must_use]
    pub fn described(&self) -> Vec<String> {
        let places = self.places.iter();
        let mut all: Vec<String> = places
            .map(|(path, place)| format!("{path}: {place}"))
            .collect();
        let lines = self.lines.numbers().into_iter();
        all.extend(lines.map(|line| format!("line {line}: words in it differ")));
        if self.lines.is_unordered() {
            all.push("lines: their order differs".to_owned());
        }
        all
    }
}

/// Why a place is noise.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = [
            (self.values.is_some(), "its value differs"),
            (self.optional, "it is not always there"),
            (!self.types.is_empty(), "its type differs"),
            (self.unordered, "its order differs"),
            (self.length, "its length differs"),
            (self.names.is_some(), "names of its members differ"),
        ];
        let reasons = reasons.into_iter().filter(|(holds, _)| *holds);
        let reasons: Vec<&str> = reasons.map(|(_, reason)| reason).collect();
        f.write_str(&reasons.join(", "))
    }
}
