//! Which lines of two texts stand beside each other.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::differential::text::Text;

/// Lines that are aligned, between the first and the last that differ; of more, each is held
/// against the one in its place.
const ALIGNED_MAX: usize = 3_000;

/// Lines that are passed over in search of one that is like another.
const LOOKED_AHEAD_MAX: usize = 50;

/// Two lines in one place, or one that has no counterpart.
pub(super) enum Pairing {
    Both(usize, usize),
    Old(usize),
    New(usize),
}

/// Puts the lines of two texts beside each other: first those that are equal, between them those
/// of one frame, between those the ones that are alike.
pub(super) fn pair(old: &Text<'_>, new: &Text<'_>, unordered: bool) -> Vec<Pairing> {
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
            other.is_some_and(|other| line.is_like(&other.words))
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
