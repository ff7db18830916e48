//! Which harm, and when: the questions put to a [`Walk`].

use alloc::vec::Vec;

use super::walk::{Planned, Rules, Walk};
use crate::special::float;

/// Runs by which an expected time is reckoned.
const RUNS: usize = 31;
/// Runs by which it is seen roughly where a share is found.
const RUNS_ROUGH: usize = 13;

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
        && at_part(
            &Walk::new(rules, planned, share, runs).margins(planned.blocks),
            missed,
        ) >= 0.0
}

/// The smallest shares that are found in all runs but each of these parts, which fall.
pub(super) fn smallest_found<const N: usize>(
    rules: &Rules,
    planned: &Planned,
    missed: [f64; N],
    runs: usize,
) -> [Option<f64>; N] {
    const HIGHEST: f64 = 0.999;
    /// ln of what an answer may be off by.
    const NEAR: f64 = 0.04;
    if !can_find(rules, planned) {
        return [None; N];
    }
    let lowest = rules.allowed(planned.stable_share).clamp(1e-7, HIGHEST);
    let tries = |rules, ln, runs| {
        let walk = Walk::new(rules, planned, libm::exp(ln), runs);
        let margins = walk.margins(planned.blocks);
        (ln, missed.map(|part| at_part(&margins, part)))
    };
    let ends = [
        (libm::log(lowest), [-rules.limit; N]),
        tries(rules, libm::log(HIGHEST), runs),
    ];
    // Without the ratio a try costs next to nothing, and what is missed is missed with it.
    let bets = rules.bets();
    let [mut bet, mut rough, mut tried] = [(); 3].map(|()| ends.to_vec());
    let mut least = f64::MIN;
    core::array::from_fn(|which| {
        let (low, high) = closed(&mut bet, which, None, NEAR, |ln| tries(&bets, ln, runs))?;
        rough.push(low);
        tried.push(low);
        let again = |ln| tries(rules, ln, RUNS_ROUGH);
        let (_, high) = closed(&mut rough, which, Some(high.0), 4.0 * NEAR, again)?;
        let again = |ln| tries(rules, ln, runs);
        let (_, found) = closed(&mut tried, which, Some(high.0), NEAR, again)?;
        // A later answer may have been found within the last bracket of an earlier one.
        least = least.max(found.0);
        Some(libm::exp(least))
    })
}

/// ln of a share, and by how much it is found.
type Tried<const N: usize> = (f64, [f64; N]);

/// The greatest share that is not found and the least that is, with tries until they are near enough,
/// the first of them at `begin`; `None` if the greatest tried is not found.
fn closed<const N: usize>(
    tried: &mut Vec<Tried<N>>,
    which: usize,
    begin: Option<f64>,
    near: f64,
    again: impl Fn(f64) -> Tried<N>,
) -> Option<(Tried<N>, Tried<N>)> {
    /// Evidence beyond what is needed that is near enough, in nats.
    const NEAR_MARGIN: f64 = 0.1;
    /// How much further the next try goes while none is found, and by how much it grows.
    const FURTHER: f64 = 0.1;
    let (mut next, mut further) = (begin, FURTHER);
    loop {
        let (low, high) = bracket(tried, which)?;
        let width = high.0 - low.0;
        if width < near || (width < 4.0 * near && high.1[which] < NEAR_MARGIN) {
            return Some((low, high));
        }
        let at = next.take().filter(|at| *at > low.0 && *at < high.0);
        tried.push(again(at.unwrap_or_else(|| {
            between(low.0, high.0, low.1[which], high.1[which])
        })));
        let last = tried[tried.len() - 1];
        if at.is_some() && last.1[which] < 0.0 {
            next = Some(last.0 + further);
            further *= 2.0;
        }
    }
}

fn bracket<const N: usize>(tried: &[Tried<N>], which: usize) -> Option<(Tried<N>, Tried<N>)> {
    let found = |it: &&Tried<N>| it.1[which] >= 0.0;
    let missed = tried.iter().filter(|it| !found(it));
    let low = *missed.max_by(|one, other| one.0.total_cmp(&other.0))?;
    let above = tried.iter().filter(|it| found(it) && it.0 > low.0);
    let high = *above.min_by(|one, other| one.0.total_cmp(&other.0))?;
    Some((low, high))
}

/// Where a line would cross zero, but not near an end, as the greater margins are cut.
fn between(low: f64, high: f64, missing: f64, over: f64) -> f64 {
    let part = (-missing / (over - missing).max(f64::MIN_POSITIVE)).clamp(0.3, 0.6);
    low + part * (high - low)
}

/// The value below which this part of the values lies.
fn at_part(sorted: &[f64], part: f64) -> f64 {
    let runs = sorted.len();
    let at = (part * float(runs as u64) - 0.5).clamp(0.0, float(runs as u64 - 1));
    let index = whole(at).min(runs - 2);
    let within = at - float(index as u64);
    sorted[index] * (1.0 - within) + sorted[index + 1] * within
}

/// The blocks until a share is found, on average; `None` if it is allowed, or not found in all runs
/// within a million million blocks.
pub(super) fn expected_blocks(rules: &Rules, planned: &Planned, share: f64) -> Option<u64> {
    const BLOCKS_MAX: u64 = 1_000_000_000_000;
    if !can_find(rules, planned) || share <= rules.allowed(planned.stable_share) {
        return None;
    }
    let found = Walk::new(rules, planned, share, RUNS).found(BLOCKS_MAX)?;
    Some(found.iter().sum::<u64>().div_ceil(RUNS as u64))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among the runs"
)]
fn whole(value: f64) -> usize {
    value as usize
}
