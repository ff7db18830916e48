//! Whether raising a percentage can take a feature from somebody.
//!
//! A subject's place among all is fixed by its hash. Of two shares one boundary is moved, away from
//! those who have the share that grows. Of more, a share between others can only grow by moving one
//! of its boundaries into theirs, and whoever changes several weights at once easily moves both in one
//! direction: then the share loses those at its old boundary.

use crate::check_rules::children;
use crate::codes;
use crate::condition::Bucket;
use crate::ir::{Expr, Flag, HashMode, Keyless, Op, Split, State, Weight};
use crate::kinds::Rollout;
use crate::set::FlagSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nonevent_document::Finding;

/// A remainder is taken of this sum, as Unleash's own editor keeps it.
const VARIANT_WEIGHTS: u32 = 1_000;

/// A note for each flag that cannot promise it, with the first reason.
pub(crate) fn findings(set: &FlagSet) -> Vec<Finding> {
    let enabled = set.flags.iter().filter(|it| it.state == State::Enabled);
    enabled
        .filter_map(|flag| {
            let (why, help) = reason(flag)?;
            let message = format!(
                "growing a share of {:?} may take it from some: {why}",
                flag.key
            );
            let mut finding = Finding::note(codes::GROWTH, &*flag.origin.path, message, help);
            finding.at = flag.origin.at;
            Some(finding)
        })
        .collect()
}

type Reason = (String, &'static str);

const MORE_THAN_TWO: &str = "raise the first share at the cost of those after it, or the last at \
                             the cost of those before it; one in between must not move either of \
                             its ends inwards";

fn reason(flag: &Flag) -> Option<Reason> {
    let rules = flag.rules.iter();
    let mut open: Vec<&Expr> = rules
        .flat_map(|rule| rule.when.iter().chain([&rule.serve]))
        .collect();
    open.reverse();
    while let Some(expr) = open.pop() {
        let found = match expr {
            Expr::Split(split) => of_split(split),
            Expr::Rollout(rollout) => of_rollout(rollout),
            Expr::Bucket(bucket) => of_bucket(bucket),
            Expr::Call { op: Op::If, args } => of_choice(args),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        children(expr, &mut open);
    }
    None
}

fn of_split(split: &Split) -> Option<Reason> {
    let mut served = Vec::new();
    let mut total: u32 = 0;
    for arm in &split.arms {
        match arm.weight {
            Weight::Computed(_) => {
                let why = "a weight is computed, so that the boundaries differ by subject";
                return Some((why.into(), "write the weights as numbers"));
            }
            Weight::Fixed(0) => {}
            Weight::Fixed(weight) => {
                total = total.saturating_add(weight);
                served.push(&arm.serve);
            }
        }
    }
    if matches!(split.hash, HashMode::Remainder(_)) && served.len() > 1 && total != VARIANT_WEIGHTS
    {
        let why = format!(
            "a subject's place is a remainder of the sum of all weights, {total}, and another sum \
             moves everybody"
        );
        return Some((
            why,
            "let the weights sum to 1000, and change them so that they still do",
        ));
    }
    more_than_two(&served)
}

fn of_rollout(rollout: &Rollout) -> Option<Reason> {
    let arms = rollout.arms.iter().filter(|(weight, _)| *weight > 0);
    more_than_two(&arms.map(|(_, serve)| serve).collect::<Vec<_>>())
}

/// Splits by shards, one after the other.
fn of_choice(args: &[Expr]) -> Option<Reason> {
    let pair = |pair: &'_ [Expr]| matches!(pair, [when, _] if is_sharded(when));
    let (pairs, rest) = args.as_chunks::<2>();
    if !pairs.iter().all(|it| pair(it)) || pairs.is_empty() {
        return None;
    }
    let served = pairs.iter().map(|[_, serve]| serve).chain(rest);
    more_than_two(&served.collect::<Vec<_>>())
}

fn is_sharded(when: &Expr) -> bool {
    match when {
        Expr::Bucket(_) => true,
        Expr::Call { op: Op::And, args } => args.iter().all(is_sharded),
        _ => false,
    }
}

fn of_bucket(bucket: &Bucket) -> Option<Reason> {
    let is_drawn = bucket.keyless == Keyless::Lot
        && bucket.by.as_const() == Some(&serde_json::Value::Null)
        && bucket
            .ranges
            .iter()
            .any(|(start, end)| end - start < bucket.total);
    is_drawn.then(|| {
        let why = "who is reached is drawn anew each time";
        (why.into(), "give the rollout a stickiness, such as userId")
    })
}

/// Shares beside each other that serve the same are one.
fn more_than_two(served: &[&Expr]) -> Option<Reason> {
    let shares = served.chunk_by(|one, other| one == other).count();
    (shares > 2).then(|| (format!("it has {shares} shares"), MORE_THAN_TWO))
}
