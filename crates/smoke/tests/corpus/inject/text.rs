//! Changes of text, HTML, XML, tables and metrics.

use core::ops::Range;

use nonevent_smoke::Response;

use super::{Done, mutated};
use crate::marks::{Kind, Text};
use crate::rng::Rng;

pub(super) fn change(response: &mut Response, text: &Text, rng: &mut Rng) -> Done {
    let is_metrics = text.plain.contains("# TYPE ");
    let (kind, changed, what) = match rng.below(10) {
        0..=2 if is_metrics => family(text, rng),
        0..=4 => word(text, rng),
        _ => line(text, rng),
    }?;
    response.body = changed.into_bytes();
    Some((kind, what))
}

/// The parts between blanks and markup.
fn parts(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_whitespace() || "<>=\"',;&{}()[]".contains(c) {
            if from < at {
                found.push(from..at);
            }
            from = at + c.len_utf8();
        }
    }
    found
}

/// A word is another one; with the text that has it.
pub(super) fn word(text: &Text, rng: &mut Rng) -> Option<(&'static str, String, String)> {
    // Where lines come in any order, each still has its words.
    let is_moving = |kind| kind != Kind::Order && kind != Kind::Keys;
    let stable: Vec<Range<usize>> = parts(&text.plain)
        .into_iter()
        .filter(|part| !text.is_marked(part, is_moving))
        .filter(|part| text.plain[part.clone()].contains(char::is_alphanumeric))
        .collect();
    if stable.is_empty() {
        return None;
    }
    let part = rng.pick(&stable).clone();
    let (old, before) = (&text.plain[part.clone()], &text.plain[..part.start]);
    let kind = if before.ends_with("=\"") {
        "attribute changed"
    } else if old.parse::<f64>().is_ok() {
        "number in a text changed"
    } else {
        "word changed"
    };
    let new = match old.parse::<i64>() {
        Ok(number) if rng.chance(60) => (number * 3 + 1).to_string(),
        _ => mutated(old, rng),
    };
    let what = format!("{old} to {new}");
    Some((kind, [before, &new, &text.plain[part.end..]].concat(), what))
}

fn line(text: &Text, rng: &mut Rng) -> Option<(&'static str, String, String)> {
    let mut start = 0;
    let lines: Vec<(Range<usize>, &str)> = text
        .plain
        .split_inclusive('\n')
        .map(|line| {
            let range = start..start + line.len();
            start = range.end;
            (range, line)
        })
        .collect();
    let stable: Vec<usize> = (0..lines.len())
        .filter(|at| !text.is_marked(&lines[*at].0, |kind| kind == Kind::Length))
        .filter(|at| !lines[*at].1.trim().is_empty())
        .collect();
    if stable.is_empty() || lines.len() < 2 {
        return None;
    }
    let mut out: Vec<String> = lines.iter().map(|(_, line)| (*line).to_owned()).collect();
    let at = *rng.pick(&stable);
    let what = out[at].clone();
    let kind = match rng.below(4) {
        0 => {
            out.remove(at);
            "line removed"
        }
        1 => {
            out.insert(at, rng.words(3) + "\n");
            "line added"
        }
        2 => {
            if !what.ends_with('\n') {
                return None;
            }
            out.insert(at, what.clone());
            "line repeated"
        }
        _ => {
            let fixed: Vec<usize> = stable
                .into_iter()
                .filter(|at| !text.is_marked(&lines[*at].0, |_| true))
                .collect();
            let (one, other) = match fixed.len() {
                0 | 1 => return None,
                _ => (*rng.pick(&fixed), *rng.pick(&fixed)),
            };
            if out[one] == out[other] || !out[one].ends_with('\n') || !out[other].ends_with('\n') {
                return None;
            }
            out.swap(one, other);
            "lines exchanged"
        }
    };
    Some((kind, out.concat(), what))
}

/// A family of metrics goes, or has another name, or a label has.
fn family(text: &Text, rng: &mut Rng) -> Option<(&'static str, String, String)> {
    let names: Vec<&str> = text
        .plain
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    if names.is_empty() {
        return None;
    }
    let name = *rng.pick(&names);
    let is_sample = |line: &str| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['{', ' ']))
    };
    let is_of = |line: &str| {
        let head = line
            .strip_prefix("# TYPE ")
            .or_else(|| line.strip_prefix("# HELP "));
        head.map_or_else(|| is_sample(line), is_sample)
    };
    // Samples that come and go may be none.
    let mut start = 0;
    for line in text.plain.split_inclusive('\n') {
        let range = start..start + line.len();
        start = range.end;
        if is_of(line) && text.is_marked(&range, |kind| kind == Kind::Length) {
            return None;
        }
    }
    let lines = text.plain.split_inclusive('\n');
    let (kind, changed): (_, String) = match rng.below(3) {
        0 => ("family removed", lines.filter(|it| !is_of(it)).collect()),
        1 => {
            let renamed = |line: &str| match is_of(line) {
                true => line.replacen(name, &format!("{name}_q"), 1),
                false => line.to_owned(),
            };
            ("family renamed", lines.map(renamed).collect())
        }
        _ => {
            let renamed = |line: &str| match is_sample(line) {
                true => line.replacen("=\"", "_q=\"", 1),
                false => line.to_owned(),
            };
            ("label renamed", lines.map(renamed).collect())
        }
    };
    Some((kind, changed, name.to_owned()))
}
