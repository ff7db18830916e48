//! All tests side by side on the same simulated traffic.

use std::sync::atomic::{AtomicU64, Ordering};

use nonevent_analysis::kayenta::{Arms, Classification, Judge, MetricConfig};
use nonevent_analysis::{Block, CountsShare, RateRatio, TwoProportions};

use crate::world::World;

pub(crate) const LOOKS: usize = 60;
pub(crate) const ALPHA: f64 = 0.02;
pub(crate) const BASELINE: f64 = 0.01;
/// The one-sided z-test says p < 2 % above this.
const Z: f64 = 2.0537;

/// The tests, in the order of the tables' columns.
pub(crate) const NAMES: [&str; 6] = [
    "ratio",
    "Kayenta",
    "z-test",
    "counts",
    "two proportions",
    "block betting",
];
pub(crate) const TESTS: usize = NAMES.len();

/// One cell of a table: what the world is like.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Cell {
    /// Requests a minute to stable and to the canary.
    pub(crate) requests: [u64; 2],
    /// The canary's error rate, as a multiple of stable's.
    pub(crate) ratio: f64,
    /// Coefficient of variation of the error rates from minute to minute.
    pub(crate) variation: f64,
    /// Whether both versions burst together.
    pub(crate) shared: bool,
}

impl Cell {
    fn minute(&self, world: &mut World) -> Block {
        let stable = world.burst(self.variation);
        let canary = if self.shared {
            stable
        } else {
            world.burst(self.variation)
        };
        let mut events =
            |requests: u64, rate: f64| world.poisson(requests as f64 * rate).min(requests);
        let [stable_requests, canary_requests] = self.requests;
        Block {
            stable_requests,
            stable_events: events(stable_requests, BASELINE * stable),
            canary_requests,
            canary_events: events(canary_requests, BASELINE * self.ratio * canary),
        }
    }
}

/// For each test the minutes at which it first said "worse", sorted, out of so many runs.
pub(crate) struct Found {
    pub(crate) runs: u64,
    pub(crate) minutes: [Vec<usize>; TESTS],
}

impl Found {
    pub(crate) fn share(&self, test: usize) -> f64 {
        self.minutes[test].len() as f64 / self.runs as f64
    }

    /// The median over all runs, found or not.
    pub(crate) fn median(&self, test: usize) -> Option<usize> {
        self.minutes[test]
            .get((self.runs as usize - 1) / 2)
            .copied()
    }

    /// The lower end of Wilson's one-sided 99 % interval for the share.
    pub(crate) fn at_least(&self, test: usize) -> f64 {
        const Z99: f64 = 2.326_347_874;
        let (n, share) = (self.runs as f64, self.share(test));
        let root = (share * (1.0 - share) / n + Z99 * Z99 / (4.0 * n * n)).sqrt();
        ((share + Z99 * Z99 / (2.0 * n) - Z99 * root) / (1.0 + Z99 * Z99 / n)).max(0.0)
    }
}

/// The first seed: far from those that weights were ever chosen on.
const SEED: u64 = 20_261_126;

/// Runs the contest `runs` times, on all cores, each with the next seed.
pub(crate) fn contest(cell: &Cell, runs: u64) -> Found {
    let next = AtomicU64::new(0);
    let work = || {
        let mut minutes: [Vec<usize>; TESTS] = Default::default();
        let mut judge = Judge::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= runs {
                return minutes;
            }
            for (all, found) in minutes.iter_mut().zip(run(cell, SEED + seed, &mut judge)) {
                all.extend(found);
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut minutes: [Vec<usize>; TESTS] = Default::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let part = worker.join().expect("no test panics");
            for (all, part) in minutes.iter_mut().zip(part) {
                all.extend(part);
            }
        }
    });
    minutes
        .iter_mut()
        .for_each(|minutes| minutes.sort_unstable());
    Found { runs, minutes }
}

/// The minute at which each test first said "worse".
fn run(cell: &Cell, seed: u64, judge: &mut Judge) -> [Option<usize>; TESTS] {
    let mut world = World::new(seed);
    let mut tests = Tests::new(cell);
    let mut found = [None; TESTS];
    for minute in 1..=LOOKS {
        let block = cell.minute(&mut world);
        tests.total.add(&block);
        for (test, found) in found.iter_mut().enumerate() {
            if found.is_none() && tests.says_worse(test, &block, judge) {
                *found = Some(minute);
            }
        }
        if found.iter().all(Option::is_some) {
            break;
        }
    }
    found
}

struct Tests {
    ratio: RateRatio,
    counts: CountsShare,
    two: TwoProportions,
    /// Wealth of nine stakes on the sign of the difference.
    betting: [f64; 9],
    total: Block,
    kayenta: MetricConfig,
    rates: [Vec<f64>; 2],
}

impl Tests {
    fn new(cell: &Cell) -> Self {
        let [stable, canary] = cell.requests;
        let kayenta = r#"{"name": "error rate", "direction": "increase"}"#;
        Self {
            ratio: RateRatio::new(1.0),
            counts: CountsShare::new(canary as f64 / (stable + canary) as f64),
            two: TwoProportions::new(),
            betting: [1.0; 9],
            total: Block::default(),
            kayenta: serde_json::from_str(kayenta).expect("it is a metric"),
            rates: [Vec::new(), Vec::new()],
        }
    }

    fn says_worse(&mut self, test: usize, block: &Block, judge: &mut Judge) -> bool {
        let limit = -ALPHA.ln();
        match test {
            0 => {
                self.ratio.observe(block);
                self.ratio.ln_e_value_above() >= limit
            }
            1 => self.kayenta_says_high(block, judge),
            2 => z(&self.total) > Z,
            3 => {
                self.counts
                    .observe(block.canary_events, block.stable_events);
                self.counts.ln_e_value_above() >= limit
            }
            4 => {
                self.two.observe(block);
                self.two.ln_e_value() >= limit
            }
            _ => self.bet(block) >= 1.0 / ALPHA,
        }
    }

    /// The error rates of all minutes so far, judged anew as if this were the only look.
    fn kayenta_says_high(&mut self, block: &Block, judge: &mut Judge) -> bool {
        let [stable, canary] = &mut self.rates;
        stable.push(block.stable_events as f64 / block.stable_requests as f64);
        canary.push(block.canary_events as f64 / block.canary_requests as f64);
        let arms = Arms {
            control: stable,
            experiment: canary,
        };
        let compared = judge
            .compare(&self.kayenta, arms)
            .expect("sixty samples are allowed");
        compared.classification == Classification::High
    }

    /// Bets on the sign of the difference: fair for any bursts if both arms are equally large.
    fn bet(&mut self, block: &Block) -> f64 {
        let [canary, stable] = [block.canary_events as f64, block.stable_events as f64];
        if canary + stable > 0.0 {
            for (index, wealth) in self.betting.iter_mut().enumerate() {
                let stake = 0.1 * (index as f64 + 1.0);
                *wealth *= 1.0 + stake * (canary - stable) / (canary + stable);
            }
        }
        self.betting.iter().sum::<f64>() / 9.0
    }
}

fn z(total: &Block) -> f64 {
    let [n1, x1] = [total.canary_requests as f64, total.canary_events as f64];
    let [n0, x0] = [total.stable_requests as f64, total.stable_events as f64];
    let mean = (x1 + x0) / (n1 + n0);
    let deviation = (mean * (1.0 - mean) * (1.0 / n1 + 1.0 / n0)).sqrt();
    if deviation > 0.0 {
        (x1 / n1 - x0 / n0) / deviation
    } else {
        0.0
    }
}
