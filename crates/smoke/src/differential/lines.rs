//! Texts, line by line: which lines there are, and which of their words move.

use std::collections::{BTreeMap, BTreeSet};

use crate::differential::form::{Clock, Form};
use crate::differential::noise::Noise;
use crate::differential::pairing::{Pairing, pair};
use crate::differential::seen::Seen;
use crate::differential::text::{Line, Text};
use crate::differential::{Content, Difference, DifferenceKind, Response};

/// Frames of lines that come and go that are remembered.
const PASSING_MAX: usize = 200;
/// Numbers in a line, and those of them that moved, for all to be measurements.
const FIGURES_MIN: usize = 20;
const MOVED_MIN: usize = 3;
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
    /// Long rows of figures of which some moved: any of them may.
    figures: BTreeSet<usize>,
    /// Lines with words between their ends that were more or fewer, or others altogether.
    free: BTreeMap<usize, Ends>,
    /// Frames of lines that come and go, each with one that did.
    passing: BTreeMap<String, Vec<String>>,
}

/// The words with which a line always began and ended, whatever was between.
#[derive(Debug, Clone, PartialEq)]
struct Ends {
    start: Vec<String>,
    end: Vec<String>,
}

impl Ends {
    fn of(a: &Line<'_>, b: &Line<'_>) -> Ends {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let (start, end) = a.ends(b, |x, y| x == y);
        let end = a.words.get(a.words.len() - end..);
        Ends {
            start: owned(a.words.get(..start).unwrap_or_default()),
            end: owned(end.unwrap_or_default()),
        }
    }

    /// What these and others have in common.
    fn narrow(&mut self, other: &Ends) {
        let same = |a: &mut dyn Iterator<Item = (&String, &String)>| -> usize {
            a.take_while(|(x, y)| x == y).count()
        };
        let start = same(&mut self.start.iter().zip(&other.start));
        let end = same(&mut self.end.iter().rev().zip(other.end.iter().rev()));
        self.start.truncate(start);
        self.end.drain(..self.end.len() - end);
    }

    /// Whether a line begins and ends so, with something between; a clock may have gone on.
    fn fit(&self, line: &Line<'_>, is_same: impl Fn(&str, &str) -> bool) -> bool {
        let words = &line.words;
        let from_back = self.end.iter().rev().zip(words.iter().rev());
        words.len() > self.start.len() + self.end.len()
            && self.start.iter().zip(words).all(|(x, y)| is_same(x, y))
            && { from_back }.all(|(x, y)| is_same(x, y))
    }
}

impl LineNoise {
    /// The numbers of the first text's lines in which something moves, from 1.
    pub(super) fn numbers(&self) -> BTreeSet<usize> {
        let moved = self.moved.iter().map(|(line, _)| *line);
        moved
            .chain(self.free.keys().copied())
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
            // A shape of one word says nothing of what it is.
            if line.words.len() == 1 {
                continue;
            }
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

    /// Whether lines like it come and go: such as have the same words in many places, or elements
    /// of a list, which begin and end alike.
    fn passes(&self, line: &Line<'_>) -> bool {
        self.passing.contains_key(&line.frame)
            || self.passing.values().any(|known| {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                line.is_like(&known) || line.is_element_as(&known)
            })
    }

    /// Whether a word of a line may be another one.
    fn admits(&self, at: usize, old: &Line<'_>, new: &Line<'_>, word: usize, text: &str) -> bool {
        if let Some(seen) = self.shapes.get(&(new.shape.clone(), word)) {
            return seen.admits_text(text);
        }
        if self.figures.contains(&at)
            && is_number(old.words.get(word))
            && Form::of(text) == Form::Number
        {
            return true;
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
    let is_clock = |x: &str, y: &str| clocks[0].says(x) && clocks[1].says(y);
    if is_row_of_figures(a, b) {
        learned.figures.insert(at);
    }
    if a.words.len() != b.words.len() || is_phrase(a, b) {
        let ends = Ends::of(a, b);
        match learned.free.get_mut(&at) {
            Some(known) => known.narrow(&ends),
            None => {
                learned.free.insert(at, ends);
            }
        }
        if a.words.len() != b.words.len() {
            return;
        }
    }
    for (word, (left, right)) in a.words.iter().zip(&b.words).enumerate() {
        if left == right && !is_clock(left, right) {
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

fn is_number(word: Option<&&str>) -> bool {
    word.is_some_and(|word| Form::of(word) == Form::Number)
}

/// Whether two lines are one long row of figures, of which several differ.
fn is_row_of_figures(a: &Line<'_>, b: &Line<'_>) -> bool {
    if a.words.len() != b.words.len() || a.words.len() < 2 * FIGURES_MIN {
        return false;
    }
    let both = a.words.iter().zip(&b.words);
    let numbers = both.filter(|(x, y)| is_number(Some(x)) && is_number(Some(y)));
    let (all, moved) = numbers.fold((0, 0), |(all, moved), (x, y)| {
        (all + 1, moved + usize::from(x != y))
    });
    all >= FIGURES_MIN && moved >= MOVED_MIN
}

/// Whether two lines differ in words beside each other, so that another may have more or fewer.
fn is_phrase(a: &Line<'_>, b: &Line<'_>) -> bool {
    let said = |word: &str| Form::of(word) == Form::Words && word.contains(char::is_alphanumeric);
    let pairs = a.words.iter().zip(&b.words);
    let pairs = pairs.filter(|(x, y)| said(x) || said(y) || x != y);
    let moved: Vec<bool> = pairs.map(|(x, y)| x != y && said(x) && said(y)).collect();
    moved.windows(2).any(|pair| pair == [true; 2])
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
                let came_and_went = || learned.passes(a) && learned.passes(b);
                if !is_same(learned, at, a, b, clocks) && !came_and_went() {
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
                    && (new_text.repeats(line) && !old.repeats(line)
                        || !(learned.passes(line) || old.has_family_of(line)))
                {
                    differ(line.number, "", line.text);
                }
            }
        }
    }
}

fn is_same(learned: &LineNoise, at: usize, a: &Line<'_>, b: &Line<'_>, clocks: [Clock; 2]) -> bool {
    let is_clock = |x: &str, y: &str| clocks[0].says(x) && clocks[1].says(y);
    if let Some(ends) = learned.free.get(&at)
        && ends.fit(b, |x, y| x == y || is_clock(x, y))
        && b.text.len() <= 3 * a.text.len() + 16
    {
        return true;
    }
    a.words.len() == b.words.len()
        && a.words
            .iter()
            .zip(&b.words)
            .enumerate()
            .all(|(word, (left, right))| {
                left == right || is_clock(left, right) || learned.admits(at, a, b, word, right)
            })
}
