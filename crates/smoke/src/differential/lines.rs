//! Texts, line by line: which lines there are, and which of their words move.

use std::collections::{BTreeMap, BTreeSet};

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::differential::form::{Clock, Form};
use crate::differential::noise::Noise;
use crate::differential::seen::Seen;
use crate::differential::text::{Line, Text};
use crate::differential::{Content, Difference, DifferenceKind, Response};

/// Lines that are aligned, between the first and the last that differ; of more, each is held
/// against the one in its place.
const ALIGNED_MAX: usize = 3_000;

/// Lines that are passed over in search of one that is like another.
const LOOKED_AHEAD_MAX: usize = 50;
/// Frames of lines that come and go that are remembered.
const PASSING_MAX: usize = 200;
/// Lines of a shape in which a word moves, for it to move in all.
const ALIKE_MIN: usize = 3;

/// What moves in a text, told by the first of the old version's.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LineNoise {
    /// The lines come in any order.
    unordered: bool,
    /// What was seen at each word of lines of one frame.
    words: BTreeMap<(String, usize), Seen>,
    /// What was seen at each word that moved in many of the lines of one shape.
    shapes: BTreeMap<(String, usize), Seen>,
    /// Which words of which line moved, and not only those of a line like it.
    moved: BTreeSet<(usize, usize)>,
    /// Lines that have been others altogether.
    free: BTreeSet<usize>,
    /// Frames of lines that come and go, each with one that did.
    passing: BTreeMap<String, Vec<String>>,
}

impl LineNoise {
    /// The numbers of the first text's lines in which something moves, from 1.
    pub(super) fn numbers(&self) -> BTreeSet<usize> {
        let moved = self.moved.iter().map(|(line, _)| *line);
        moved
            .chain(self.free.iter().copied())
            .map(|line| line + 1)
            .collect()
    }

    pub(super) fn is_unordered(&self) -> bool {
        self.unordered
    }

    /// What moves in a third or more of the lines of a shape moves in all of them.
    fn generalise(&mut self, first: &Text<'_>) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for line in &first.lines {
            *counts.entry(&line.shape).or_default() += 1;
        }
        let mut moved: BTreeMap<(String, usize), (usize, Seen)> = BTreeMap::new();
        for (at, word) in &self.moved {
            let Some(line) = first.lines.get(*at) else {
                continue;
            };
            let Some(seen) = self.words.get(&(line.frame.clone(), *word)) else {
                continue;
            };
            let entry = moved.entry((line.shape.clone(), *word)).or_default();
            entry.0 += 1;
            entry.1.merge(seen);
        }
        let is_most = |shape: &str, count: usize| {
            let all = counts.get(shape).copied().unwrap_or_default();
            count >= ALIKE_MIN && 3 * count > all
        };
        let most = moved
            .into_iter()
            .filter(|((shape, _), (count, _))| is_most(shape, *count));
        self.shapes = most.map(|(key, (_, seen))| (key, seen)).collect();
    }

    /// Whether lines like it come and go.
    fn passes(&self, line: &Line<'_>) -> bool {
        self.passing.contains_key(&line.frame)
            || self
                .passing
                .values()
                .any(|known| line.is_like(known.iter().map(String::as_str)))
    }

    /// Whether a word of a line may be another one.
    fn admits(&self, at: usize, old: &Line<'_>, new: &Line<'_>, word: usize, text: &str) -> bool {
        if let Some(seen) = self.shapes.get(&(new.shape.clone(), word)) {
            return seen.admits_text(text);
        }
        let seen = |line: &Line<'_>| self.words.get(&(line.frame.clone(), word));
        let Some(seen) = seen(old).or_else(|| seen(new)) else {
            return false;
        };
        if self.moved.contains(&(at, word)) {
            return seen.admits_text(text);
        }
        // Words of other lines moved here: measurements and the like are noise in all, words are
        // not.
        seen.knows(text) || Form::of(text) != Form::Words && seen.admits_text(text)
    }
}

/// Two lines in one place, or one that has no counterpart.
enum Pairing {
    Both(usize, usize),
    Old(usize),
    New(usize),
}

pub(super) fn learn(noise: &mut Noise) {
    let mut samples = noise.contents.iter().zip(&noise.samples).zip(&noise.clocks);
    let texts = samples
        .by_ref()
        .filter_map(|((content, sample), clock)| match content {
            Content::Text(text) => Some((Text::of(text, sample), *clock)),
            _ => None,
        });
    let texts: Vec<(Text<'_>, Clock)> = texts.collect();
    let mut learned = LineNoise::default();
    if let Some(((first, clock), others)) = texts.split_first() {
        learned.unordered = others.iter().any(|(other, _)| is_shuffled(first, other));
        for (other, other_clock) in others {
            learn_pair(&mut learned, first, other, [*clock, *other_clock]);
        }
        learned.generalise(first);
    }
    noise.lines = learned;
}

/// The same lines in another order, whatever moves in them.
fn is_shuffled(first: &Text<'_>, other: &Text<'_>) -> bool {
    let frames = |text: &Text<'_>| -> Vec<String> {
        text.lines.iter().map(|line| line.frame.clone()).collect()
    };
    let (mut a, mut b) = (frames(first), frames(other));
    if a == b {
        return false;
    }
    a.sort_unstable();
    b.sort_unstable();
    a == b
}

fn learn_pair(learned: &mut LineNoise, first: &Text<'_>, other: &Text<'_>, clocks: [Clock; 2]) {
    for pairing in pair(first, other, learned.unordered) {
        match pairing {
            Pairing::Both(old, new) => {
                if let (Some(a), Some(b)) = (first.lines.get(old), other.lines.get(new)) {
                    learn_line(learned, old, a, b, clocks);
                }
            }
            Pairing::Old(at) => passing(learned, first, at),
            Pairing::New(at) => passing(learned, other, at),
        }
    }
}

fn passing(learned: &mut LineNoise, text: &Text<'_>, at: usize) {
    if let Some(line) = text.lines.get(at)
        && learned.passing.len() < PASSING_MAX
    {
        let words = line.words.iter().map(|word| (*word).to_owned()).collect();
        learned.passing.insert(line.frame.clone(), words);
    }
}

fn learn_line(learned: &mut LineNoise, at: usize, a: &Line<'_>, b: &Line<'_>, clocks: [Clock; 2]) {
    if a.words.len() != b.words.len() {
        learned.free.insert(at);
        return;
    }
    for (word, (left, right)) in a.words.iter().zip(&b.words).enumerate() {
        let is_clock = clocks[0].says(left) && clocks[1].says(right);
        if left == right && !is_clock {
            continue;
        }
        learned.moved.insert((at, word));
        for frame in [&a.frame, &b.frame] {
            let seen = learned.words.entry((frame.clone(), word)).or_default();
            seen.text(left);
            seen.text(right);
        }
    }
}

pub(super) fn compare(noise: &Noise, new: &Response, text: &str, found: &mut Vec<Difference>) {
    let olds = noise.contents.iter().zip(&noise.samples).zip(&noise.clocks);
    let mut olds = olds.filter_map(|((content, sample), clock)| match content {
        Content::Text(text) => Some((text, sample, *clock)),
        _ => None,
    });
    let Some((old, sample, clock)) = olds.next() else {
        return;
    };
    if old == text || olds.any(|(old, _, _)| old == text) {
        return;
    }
    let (old, new_text) = (Text::of(old, sample), Text::of(text, new));
    let clocks = [clock, Clock::of(new)];
    let learned = &noise.lines;
    let mut differ = |place: usize, old: &str, new: &str| {
        let place = format!("line {place}");
        found.push(Difference::new(place, DifferenceKind::Text, old, new));
    };
    for pairing in pair(&old, &new_text, learned.unordered) {
        match pairing {
            Pairing::Both(at, other) => {
                let (Some(a), Some(b)) = (old.lines.get(at), new_text.lines.get(other)) else {
                    continue;
                };
                if !is_same(learned, at, a, b, clocks) {
                    differ(b.number, a.text, b.text);
                }
            }
            Pairing::Old(at) => {
                if let Some(line) = old.lines.get(at)
                    && !learned.passes(line)
                {
                    differ(line.number, line.text, "");
                }
            }
            Pairing::New(at) => {
                if let Some(line) = new_text.lines.get(at)
                    && !learned.passes(line)
                    && !old.has_family_of(line)
                {
                    differ(line.number, "", line.text);
                }
            }
        }
    }
}

fn is_same(learned: &LineNoise, at: usize, a: &Line<'_>, b: &Line<'_>, clocks: [Clock; 2]) -> bool {
    if learned.free.contains(&at) {
        return b.text.len() <= 3 * a.text.len() + 16 && (a.text.is_empty() || !b.text.is_empty());
    }
    a.words.len() == b.words.len()
        && a.words
            .iter()
            .zip(&b.words)
            .enumerate()
            .all(|(word, (left, right))| {
                left == right
                    || clocks[0].says(left) && clocks[1].says(right)
                    || learned.admits(at, a, b, word, right)
            })
}

/// Puts the lines of two texts beside each other: first those that are equal, between them those
/// of one frame, between those the ones that are alike.
fn pair(old: &Text<'_>, new: &Text<'_>, unordered: bool) -> Vec<Pairing> {
    if unordered {
        return pair_sorted(old, new);
    }
    let exact = |text: &Text<'_>| -> Vec<String> {
        text.lines.iter().map(|line| line.words.join("")).collect()
    };
    let (left, right) = (exact(old), exact(new));
    let start = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let rest = left.len().min(right.len()) - start;
    let backwards = left.iter().rev().zip(right.iter().rev()).take(rest);
    let end = backwards.take_while(|(a, b)| a == b).count();
    let (old_end, new_end) = (left.len() - end, right.len() - end);

    let mut out: Vec<Pairing> = (0..start).map(|at| Pairing::Both(at, at)).collect();
    let (a, b) = (
        left.get(start..old_end).unwrap_or_default(),
        right.get(start..new_end).unwrap_or_default(),
    );
    if a.len().max(b.len()) > ALIGNED_MAX {
        out.extend(in_place(start..old_end, start..new_end));
    } else {
        for op in capture_diff_slices(Algorithm::Myers, a, b) {
            between(&op, start, &mut out, |old_range, new_range, out| {
                by_frame(old, new, old_range, new_range, out);
            });
        }
    }
    out.extend((0..end).map(|at| Pairing::Both(old_end + at, new_end + at)));
    out
}

type Lines = core::ops::Range<usize>;

/// What an operation of a diff pairs; of a replacement, whatever `replaced` does.
fn between(
    op: &DiffOp,
    start: usize,
    out: &mut Vec<Pairing>,
    replaced: impl FnOnce(Lines, Lines, &mut Vec<Pairing>),
) {
    let shift = |range: Lines| range.start + start..range.end + start;
    let (old, new) = (shift(op.old_range()), shift(op.new_range()));
    match op {
        DiffOp::Equal { .. } => out.extend(in_place(old, new)),
        DiffOp::Delete { .. } => out.extend(old.map(Pairing::Old)),
        DiffOp::Insert { .. } => out.extend(new.map(Pairing::New)),
        DiffOp::Replace { .. } => replaced(old, new, out),
    }
}

fn by_frame(old: &Text<'_>, new: &Text<'_>, left: Lines, right: Lines, out: &mut Vec<Pairing>) {
    let frames = |text: &Text<'_>, lines: &Lines| -> Vec<String> {
        let lines = text.lines.get(lines.clone()).unwrap_or_default();
        lines.iter().map(|line| line.frame.clone()).collect()
    };
    let shapes = |text: &Text<'_>, lines: &Lines| -> Vec<String> {
        let lines = text.lines.get(lines.clone()).unwrap_or_default();
        lines.iter().map(|line| line.shape.clone()).collect()
    };
    if shapes(old, &left) == shapes(new, &right) {
        out.extend(in_place(left, right));
        return;
    }
    let (a, b) = (frames(old, &left), frames(new, &right));
    let ops = capture_diff_slices(Algorithm::Myers, &a, &b);
    for op in ops {
        let shift = |range: Lines, by: usize| range.start + by..range.end + by;
        let old_range = shift(op.old_range(), left.start);
        let new_range = shift(op.new_range(), right.start);
        match op {
            DiffOp::Equal { .. } => out.extend(in_place(old_range, new_range)),
            DiffOp::Delete { .. } => out.extend(old_range.map(Pairing::Old)),
            DiffOp::Insert { .. } => out.extend(new_range.map(Pairing::New)),
            DiffOp::Replace { .. } if old_range.len() == new_range.len() => {
                out.extend(in_place(old_range, new_range));
            }
            DiffOp::Replace { .. } => alike(old, new, old_range, new_range, out),
        }
    }
}

/// Each line with the next one that is like it.
fn alike(old: &Text<'_>, new: &Text<'_>, left: Lines, right: Lines, out: &mut Vec<Pairing>) {
    let mut next = left.start;
    for at in right {
        let Some(line) = new.lines.get(at) else {
            continue;
        };
        let is_like = |other: &usize| {
            let other = old.lines.get(*other);
            other.is_some_and(|other| line.is_like(other.words.iter().copied()))
        };
        let near = next..left.end.min(next + LOOKED_AHEAD_MAX);
        match { near }.find(is_like) {
            Some(other) => {
                out.extend((next..other).map(Pairing::Old));
                out.push(Pairing::Both(other, at));
                next = other + 1;
            }
            None => out.push(Pairing::New(at)),
        }
    }
    out.extend((next..left.end).map(Pairing::Old));
}

fn in_place(old: Lines, new: Lines) -> Vec<Pairing> {
    let both = old.len().min(new.len());
    let pairs = old
        .clone()
        .zip(new.clone())
        .map(|(a, b)| Pairing::Both(a, b));
    let more_old = old.skip(both).map(Pairing::Old);
    let more_new = new.skip(both).map(Pairing::New);
    pairs.chain(more_old).chain(more_new).collect()
}

/// Lines in any order, each with one that is equal, or else of its frame.
fn pair_sorted(old: &Text<'_>, new: &Text<'_>) -> Vec<Pairing> {
    let sorted = |text: &Text<'_>| -> Vec<usize> {
        let mut order: Vec<usize> = (0..text.lines.len()).collect();
        order.sort_by(|a, b| {
            let key = |at: &usize| text.lines.get(*at).map(|line| (&line.frame, line.text));
            key(a).cmp(&key(b))
        });
        order
    };
    let (left, right) = (sorted(old), sorted(new));
    let (mut a, mut b) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut out = Vec::new();
    loop {
        match (a.peek().copied(), b.peek().copied()) {
            (Some(x), Some(y)) => {
                let frame =
                    |text: &Text<'_>, at: usize| text.lines.get(at).map(|line| line.frame.clone());
                match frame(old, x).cmp(&frame(new, y)) {
                    core::cmp::Ordering::Equal => out.push(Pairing::Both(x, y)),
                    core::cmp::Ordering::Less => out.push(Pairing::Old(x)),
                    core::cmp::Ordering::Greater => out.push(Pairing::New(y)),
                }
                let last = out.last();
                if !matches!(last, Some(Pairing::New(_))) {
                    a.next();
                }
                if !matches!(last, Some(Pairing::Old(_))) {
                    b.next();
                }
            }
            (Some(x), None) => {
                out.push(Pairing::Old(x));
                a.next();
            }
            (None, Some(y)) => {
                out.push(Pairing::New(y));
                b.next();
            }
            (None, None) => return out,
        }
    }
}
