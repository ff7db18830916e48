//! Which harm, and when: the questions put to a [`Walk`].

use super::walk::{Planned, Rules, Walk};
use crate::special::float;

/// Blocks by which an expected time is reckoned.
const RUNS: usize = 31;

/// Whether anything could ever be found.
fn can_find(rules: &Rules, planned: &Planned) -> bool {
    let ruled = rules.absolute.is_some() || rules.relative.is_some();
    ruled && planned.blocks > 0 && planned.canary > 0.0
}

/// Whether a share is found in all runs but this part.
pub(super) fn finds(
    rules: &Rules,
    planned: &Planned,
    missed: f64,
    share: f64,
    runs: usize,
) -> bool {
    can_find(rules, planned)
        && at_part(&Walk::new(rules, planned, share, runs).margins(), missed) >= 0.0
}

/// The smallest shares that are found in all runs but each of these parts, which fall.
pub(super) fn smallest_found<const N: usize>(
    rules: &Rules,
    planned: &Planned,
    missed: [f64; N],
    runs: usize,
) -> [Option<f64>; N] {
    const HIGHEST: f64 = 0.999;
    /// ln of what the answer may be off by.
    const NEAR: f64 = 0.05;
    /// Evidence beyond what is needed that is near enough, in nats.
    const NEAR_MARGIN: f64 = 0.2;
    const TRIES: usize = 14;
    let lowest = [
        rules.absolute,
        rules
            .relative
            .as_ref()
            .map(|it| (it.ratio * planned.stable_share).max(it.floor)),
    ];
    let lowest = lowest
        .into_iter()
        .flatten()
        .fold(HIGHEST, f64::min)
        .max(1e-7);
    if !can_find(rules, planned) {
        return [None; N];
    }
    let (lowest, highest) = (libm::log(lowest), libm::log(HIGHEST));
    let try_at = |ln: f64| {
        let margins = Walk::new(rules, planned, libm::exp(ln), runs).margins();
        (ln, missed.map(|part| at_part(&margins, part)))
    };
    let last = try_at(highest);
    if last.1.iter().all(|margin| *margin < 0.0) {
        return [None; N];
    }
    let mut tried = alloc::vec![(lowest, [-rules.limit; N]), last];
    let mut guess = on_average(rules, planned, lowest, highest);
    let mut least = f64::MIN;
    core::array::from_fn(|which| {
        for _ in 0..TRIES {
            let (low, high) = bracket(&tried, which)?;
            if high.0 - low.0 < NEAR || high.1 < NEAR_MARGIN {
                break;
            }
            let next = if guess > low.0 && guess < high.0 {
                core::mem::replace(&mut guess, f64::MIN)
            } else if high.0 - low.0 > WIDE && low.1 > -rules.limit {
                beyond(&tried, which, low).min(f64::midpoint(low.0, high.0))
            } else {
                between(low, high, NEAR)
            };
            tried.push(try_at(next));
        }
        let (_, high) = bracket(&tried, which)?;
        // A later answer may have been found within the last bracket of an earlier one.
        least = least.max(high.0);
        Some(libm::exp(least))
    })
}

/// ln of the share whose average evidence just suffices, roughly: a place to begin.
fn on_average(rules: &Rules, planned: &Planned, mut low: f64, mut high: f64) -> f64 {
    const RUNS: usize = 23;
    while high - low > 0.1 {
        let middle = f64::midpoint(low, high);
        let walk = Walk::new(rules, planned, libm::exp(middle), RUNS);
        if walk.average(planned.blocks).margin(rules, -1.0) >= 0.0 {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

type Point = (f64, f64);

/// The greatest share tried that is not found, and the least above it that is.
fn bracket<const N: usize>(tried: &[(f64, [f64; N])], which: usize) -> Option<(Point, Point)> {
    let points = tried.iter().map(|(ln, margins)| (*ln, margins[which]));
    let low = points
        .clone()
        .filter(|(_, margin)| *margin < 0.0)
        .max_by(|one, other| one.0.total_cmp(&other.0))?;
    let high = points
        .filter(|(ln, margin)| *margin >= 0.0 && *ln > low.0)
        .min_by(|one, other| one.0.total_cmp(&other.0))?;
    Some((low, high))
}

/// Brackets wider than this, in ln, are closed from below.
const WIDE: f64 = 0.5;

/// Where the line through the two greatest shares that were not found crosses zero, and a little
/// beyond.
fn beyond<const N: usize>(tried: &[(f64, [f64; N])], which: usize, low: Point) -> f64 {
    let before = tried
        .iter()
        .map(|(ln, margins)| (*ln, margins[which]))
        .skip(1)
        .filter(|(ln, _)| *ln < low.0)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let slope = before.map_or(0.0, |(ln, margin)| (low.1 - margin) / (low.0 - ln));
    let step = if slope > 0.0 {
        -1.2 * low.1 / slope
    } else {
        0.2
    };
    low.0 + step.clamp(0.06, 0.6)
}

/// Where to try next: halfway while the bracket is wide, then where a line would cross zero.
fn between(low: Point, high: Point, near: f64) -> f64 {
    let width = high.0 - low.0;
    if width > WIDE {
        return f64::midpoint(low.0, high.0);
    }
    let crossing = low.0 - low.1 * width / (high.1 - low.1).max(f64::MIN_POSITIVE);
    // A little beyond it, where it is found.
    (crossing + 0.4 * near).clamp(low.0 + 0.1 * width, high.0 - 0.1 * width)
}

/// The value below which this part of the values lies.
fn at_part(sorted: &[f64], part: f64) -> f64 {
    let runs = sorted.len();
    let at = (part * float(runs as u64) - 0.5).clamp(0.0, float(runs as u64 - 1));
    let index = whole(at).min(runs - 2);
    let within = at - float(index as u64);
    sorted[index] * (1.0 - within) + sorted[index + 1] * within
}

/// The block at which the evidence is expected to suffice; `None` if it never does, or not within
/// a million million blocks.
pub(super) fn expected_blocks(rules: &Rules, planned: &Planned, share: f64) -> Option<u64> {
    const BLOCKS_MAX: u64 = 1_000_000_000_000;
    let walk = Walk::new(rules, planned, share, RUNS);
    let found = |blocks: u64| {
        float(blocks) * planned.canary >= planned.requests_min
            && walk.average(blocks).margin(rules, -1.0) >= 0.0
    };
    let mut high = 1u64;
    while !found(high) {
        high = high.saturating_mul(2);
        if high > BLOCKS_MAX {
            return None;
        }
    }
    let mut low = high / 2;
    while high - low > (high / 100).max(1) {
        let middle = low.midpoint(high);
        if found(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among the runs"
)]
fn whole(value: f64) -> usize {
    value as usize
}
