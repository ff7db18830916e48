//! What an evaluation takes, ours and the peers', in one process.
//!
//! Rounds of both are taken in turn, so that what slows the machine slows both; the figure is the
//! median round. Everything that can be is made ready before: flags, contexts, and what a peer makes
//! of a context.

mod definitions;
mod forms;
mod growth;

use allocation_counter::measure;
use std::hint::black_box;
use std::time::Instant;

/// How many rounds of each.
const ROUNDS: usize = 101;
/// How many evaluations in a round.
const EVALUATIONS: usize = 4096;
/// How many subjects take turns.
pub(crate) const SUBJECTS: usize = 64;

pub(crate) fn run() {
    println!("| form | flag | peer | ours, ns | peer, ns | ratio | allocations, ours | peer |");
    println!("|---|---|---|---:|---:|---:|---:|---:|");
    forms::unleash();
    forms::ufc();
    forms::launchdarkly();
    forms::flagd();
    println!();
    growth::sizes();
    println!();
    growth::loading();
}

/// Races one evaluation in both engines; each is called with the number of a subject.
pub(crate) fn race(
    [form, flag, peer]: [&str; 3],
    mut ours: impl FnMut(usize),
    mut theirs: impl FnMut(usize),
) {
    let (mut our_rounds, mut their_rounds) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        our_rounds.push(round(&mut ours));
        their_rounds.push(round(&mut theirs));
    }
    let (one, other) = (median(our_rounds), median(their_rounds));
    let allocations = |evaluate: &mut dyn FnMut(usize)| measure(|| evaluate(1)).count_total;
    println!(
        "| {form} | {flag} | {peer} | {one:.1} | {other:.1} | {:.1} | {} | {} |",
        other / one,
        allocations(&mut ours),
        allocations(&mut theirs),
    );
}

/// Nanoseconds for one evaluation of a round.
pub(crate) fn round(evaluate: &mut impl FnMut(usize)) -> f64 {
    let start = Instant::now();
    for at in 0..EVALUATIONS {
        evaluate(black_box(at % SUBJECTS));
    }
    start.elapsed().as_nanos() as f64 / EVALUATIONS as f64
}

pub(crate) fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}
