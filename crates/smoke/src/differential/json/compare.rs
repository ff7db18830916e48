//! What a new version's answer has otherwise.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value as Json};

use crate::differential::form::{Clock, Form};
use crate::differential::json::{DEPTH_MAX, ENTRIES_MAX, element, key, keys, kind, member};
use crate::differential::noise::{Noise, Place};
use crate::differential::seen::Seen;
use crate::differential::{Content, Difference, DifferenceKind};
use crate::judge::path::same;

pub(in crate::differential) fn compare(
    noise: &Noise,
    new: &Json,
    clock: Clock,
    found: &mut Vec<Difference>,
) {
    let olds: Vec<&Json> = noise
        .contents
        .iter()
        .filter_map(|content| match content {
            Content::Json(json) => Some(json),
            _ => None,
        })
        .collect();
    let mut comparer = Comparer {
        noise,
        clock,
        found,
    };
    comparer.values(&olds, new, "$", "$", 0);
}

struct Comparer<'n, 'f> {
    noise: &'n Noise,
    clock: Clock,
    found: &'f mut Vec<Difference>,
}

impl Comparer<'_, '_> {
    fn known(&self, path: &str) -> Option<&Place> {
        self.noise.places.get(path)
    }

    fn differ(
        &mut self,
        place: &str,
        kind: DifferenceKind,
        old: Option<&Json>,
        new: Option<&Json>,
    ) {
        let shown = |value: Option<&Json>| value.map_or(String::new(), Json::to_string);
        let (old, new) = (shown(old), shown(new));
        self.found.push(Difference::new(place, kind, &old, &new));
    }

    /// `olds` are the values of the samples at this place; `path` names it among all elements of
    /// lists, `at` in this answer.
    fn values(&mut self, olds: &[&Json], new: &Json, path: &str, at: &str, depth: usize) {
        let Some(&old) = olds.first() else {
            return;
        };
        if olds.iter().any(|old| same(old, new)) {
            return;
        }
        let known = self.known(path);
        if !olds.iter().any(|old| kind(old) == kind(new)) {
            if known.is_none_or(|place| !place.types.contains(kind(new))) {
                self.differ(at, DifferenceKind::Type, Some(old), Some(new));
            }
            return;
        }
        let alike: Vec<&Json> = olds
            .iter()
            .copied()
            .filter(|old| kind(old) == kind(new))
            .collect();
        match new {
            Json::Object(members) if depth < DEPTH_MAX => {
                let olds: Vec<&Map<String, Json>> =
                    alike.iter().filter_map(|old| old.as_object()).collect();
                self.objects(&olds, members, path, at, depth);
            }
            Json::Array(items) if depth < DEPTH_MAX => {
                let olds: Vec<&[Json]> = alike
                    .iter()
                    .filter_map(|old| old.as_array().map(Vec::as_slice))
                    .collect();
                self.arrays(&olds, items, path, at, depth);
            }
            _ => {
                let by_form = known
                    .and_then(|place| place.values.as_ref())
                    .is_some_and(|seen| self.admits(seen, &alike, new));
                if !by_form {
                    self.differ(at, DifferenceKind::Value, Some(old), Some(new));
                }
            }
        }
    }

    /// Whether a value is noise that has the form of what was seen in its place.
    fn admits(&self, seen: &Seen, olds: &[&Json], new: &Json) -> bool {
        match new {
            Json::String(text) => {
                let says = |old: &&Json| {
                    let old = old.as_str().unwrap_or_default();
                    self.noise.clocks.iter().any(|clock| clock.says(old))
                };
                // What was stable here and moves in another element only, may be another word of
                // those seen, or another number, alone or in a sentence, but not free.
                let moved = olds.windows(2).any(|pair| !same(pair[0], pair[1]));
                let is_of_words = Form::of(text) == Form::Words && !seen.knows(text);
                let is_free = moved || !is_of_words || olds.iter().any(|old| key(old) == key(new));
                if olds.iter().all(says) && !olds.is_empty() {
                    self.clock.says(text)
                } else {
                    is_free && seen.admits_text(text)
                }
            }
            Json::Number(number) => {
                // A whole number stays one.
                let is_whole = |value: &Json| value.is_i64() || value.is_u64();
                let whole = olds.iter().all(|old| is_whole(old));
                let number_fits = number
                    .as_f64()
                    .is_some_and(|number| seen.admits_number(number));
                (!whole || is_whole(new)) && number_fits
            }
            Json::Bool(_) | Json::Null => true,
            Json::Array(_) | Json::Object(_) => false,
        }
    }

    fn objects(
        &mut self,
        olds: &[&Map<String, Json>],
        new: &Map<String, Json>,
        path: &str,
        at: &str,
        depth: usize,
    ) {
        let names: BTreeSet<&String> = olds.iter().flat_map(|old| old.keys()).collect();
        let made = self.known(path).and_then(|place| place.names.clone());
        let is_entry = |name: &str| made.as_ref().is_some_and(|made| made.is_entry(name));
        for name in &names {
            let (inner, at) = (member(path, name), member(at, name));
            let values: Vec<&Json> = olds.iter().filter_map(|old| old.get(*name)).collect();
            match new.get(*name) {
                // An entry that comes and goes is held against all of them.
                Some(_) if values.len() < olds.len() && is_entry(name) => {}
                Some(new) => self.values(&values, new, &inner, &at, depth + 1),
                None => {
                    let optional = self.known(&inner).is_some_and(|place| place.optional);
                    if !(optional || is_entry(name)) && values.len() == olds.len() {
                        let old = values.first().copied();
                        self.differ(&at, DifferenceKind::Missing, old, None);
                    }
                }
            }
        }
        let counts = olds
            .iter()
            .map(|old| old.keys().filter(|it| is_entry(it)).count());
        let counts: Vec<usize> = counts.collect();
        if is_emptied(&counts, new.keys().filter(|it| is_entry(it)).count()) {
            let old = counts.first().copied().unwrap_or_default();
            self.emptied(at, &format!("{old} entries"), "no entry");
        }
        let is_known = |name: &String| olds.iter().all(|old| old.contains_key(name));
        let is_entry = &is_entry;
        let entries = olds.iter().flat_map(|old| {
            let entries = old.iter().filter(move |(name, _)| is_entry(name));
            entries.take(ENTRIES_MAX).map(|(_, value)| value)
        });
        let entries: Vec<&Json> = entries.collect();
        for (name, value) in new.iter().filter(|(name, _)| !is_known(name)) {
            let at = member(at, name);
            if is_entry(name) {
                self.values(&entries, value, &element(path), &at, depth + 1);
                continue;
            }
            let optional = self
                .known(&member(path, name))
                .is_some_and(|place| place.optional);
            if !optional && !names.contains(name) {
                self.differ(&at, DifferenceKind::Added, None, Some(value));
            }
        }
    }

    fn arrays(&mut self, olds: &[&[Json]], new: &[Json], path: &str, at: &str, depth: usize) {
        let inner = element(path);
        let (unordered, length) = self
            .known(path)
            .map_or((false, false), |place| (place.unordered, place.length));
        let old = olds.first().copied().unwrap_or_default();
        if !length && olds.iter().all(|old| old.len() != new.len()) {
            let (kind, from, to) = if new.len() < old.len() {
                (
                    DifferenceKind::Missing,
                    format!("{} elements", old.len()),
                    new.len(),
                )
            } else {
                (
                    DifferenceKind::Added,
                    format!("{} elements", old.len()),
                    new.len(),
                )
            };
            let to = format!("{to} elements");
            self.found.push(Difference::new(at, kind, &from, &to));
            return;
        }
        let counts: Vec<usize> = olds.iter().map(|old| old.len()).collect();
        if length && is_emptied(&counts, new.len()) {
            self.emptied(at, &format!("{} elements", old.len()), "no element");
            return;
        }
        let is_reordered = !length && is_reordered(old, new);
        if unordered || is_reordered && is_ranked(old, new) {
            self.unordered([old, new], &inner, at, depth);
            return;
        }
        if is_reordered {
            let shown = |list: &[Json]| Json::Array(list.to_vec());
            let (old, new) = (shown(old), shown(new));
            self.differ(at, DifferenceKind::Order, Some(&old), Some(&new));
            return;
        }
        for (index, value) in new.iter().enumerate() {
            // An element that the old list has not is held against all that it has.
            let mut olds_here: Vec<&Json> = olds.iter().filter_map(|old| old.get(index)).collect();
            if length || olds_here.is_empty() {
                olds_here.extend(olds.iter().flat_map(|old| old.iter().take(ENTRIES_MAX)));
            }
            self.values(
                &olds_here,
                value,
                &inner,
                &format!("{at}[{index}]"),
                depth + 1,
            );
        }
    }

    fn emptied(&mut self, at: &str, from: &str, to: &str) {
        let missing = Difference::new(at, DifferenceKind::Missing, from, to);
        self.found.push(missing);
    }

    /// Two lists whose order says nothing: each element beside one that is the same, then beside
    /// one that is like it, then beside any that is left.
    fn unordered(&mut self, [old, new]: [&[Json]; 2], inner: &str, at: &str, depth: usize) {
        let written = |list: &[Json]| list.iter().map(Json::to_string).collect::<Vec<_>>();
        let mut pairs = Pairs {
            taken: vec![false; old.len()],
            of_new: vec![None; new.len()],
        };
        pairs.pair_off(&written(old), &written(new));
        if let (Some(of_old), Some(of_new)) = (keys(old), keys(new)) {
            pairs.pair_off(&of_old, &of_new);
        }
        pairs.pair_off(
            &vec![String::new(); old.len()],
            &vec![String::new(); new.len()],
        );
        for (index, (value, matched)) in new.iter().zip(&pairs.of_new).enumerate() {
            let place = format!("{at}[{index}]");
            match matched.and_then(|at| old.get(at)) {
                Some(old) => self.values(&[old], value, inner, &place, depth + 1),
                None => self.differ(&place, DifferenceKind::Added, None, Some(value)),
            }
        }
        for (index, value) in old.iter().enumerate() {
            if !pairs.taken.get(index).copied().unwrap_or_default() {
                let place = format!("{at}[{index}]");
                self.differ(&place, DifferenceKind::Missing, Some(value), None);
            }
        }
    }
}

/// Which element of an old list stands beside which of a new one.
struct Pairs {
    taken: Vec<bool>,
    of_new: Vec<Option<usize>>,
}

impl Pairs {
    /// Pairs those that are called alike and have no partner yet.
    fn pair_off(&mut self, old: &[String], new: &[String]) {
        let mut free: BTreeMap<&str, VecDeque<usize>> = BTreeMap::new();
        for (at, name) in old.iter().enumerate() {
            if self.taken.get(at) == Some(&false) {
                free.entry(name).or_default().push_back(at);
            }
        }
        for (matched, name) in self.of_new.iter_mut().zip(new) {
            if matched.is_none()
                && let Some(at) = free.get_mut(name.as_str()).and_then(VecDeque::pop_front)
            {
                *matched = Some(at);
                if let Some(taken) = self.taken.get_mut(at) {
                    *taken = true;
                }
            }
        }
    }
}

/// Whether two lists have the same elements in another order.
fn is_reordered(old: &[Json], new: &[Json]) -> bool {
    let (Some(mut left), Some(mut right)) = (keys(old), keys(new)) else {
        return false;
    };
    if left == right {
        return false;
    }
    left.sort_unstable();
    right.sort_unstable();
    left == right
}

/// Whether nothing is left where the number was never so near to none as its changes are large.
fn is_emptied(old: &[usize], new: usize) -> bool {
    let (least, most) = (old.iter().min(), old.iter().max());
    let (least, most) = (
        least.copied().unwrap_or_default(),
        most.copied().unwrap_or_default(),
    );
    new == 0 && least > most - least
}

/// Whether both lists are in the order of a number in their elements, which moves: the largest
/// first, say, and of those that are as large any.
fn is_ranked(old: &[Json], new: &[Json]) -> bool {
    let Some(Json::Object(first)) = old.first() else {
        return false;
    };
    first.keys().any(|name| {
        let order = |list: &[Json]| {
            let numbers = list.iter().map(|it| it.get(name).and_then(Json::as_f64));
            let numbers: Option<Vec<f64>> = numbers.collect();
            numbers.map(|it| [it.is_sorted(), it.is_sorted_by(|a, b| a >= b)])
        };
        match (order(old), order(new)) {
            (Some(old), Some(new)) => old == new && old != [true; 2] && old != [false; 2],
            _ => false,
        }
    })
}
