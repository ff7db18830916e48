//! Prints the tables of `docs/analysis.md`: false alarms and detection, by simulation.
//!
//! `cargo run --release -p nonevent-analysis --example table 2000`. The number is that of runs per
//! cell; without it there are 2, which shows the form of the tables and nothing else. Everything is
//! seeded.

#[path = "../tests/world/mod.rs"]
mod world;

use nonevent_analysis::{Block, CountsShare, RateRatio, TwoProportions};
use world::{Service, World, rollout};

const LOOKS: usize = 60;
const NAMES: [&str; 5] = [
    "ratio",
    "counts",
    "block betting",
    "two proportions",
    "z-test",
];

/// One cell of the table.
struct Cell {
    requests: [u64; 2],
    baseline: f64,
    ratio: f64,
    variation: f64,
    shared: bool,
}

/// All tests side by side on the same traffic.
struct Contest {
    ratio: RateRatio,
    counts: CountsShare,
    betting: [f64; 9],
    two: TwoProportions,
    total: Block,
}

impl Contest {
    fn new(cell: &Cell) -> Self {
        let [stable, canary] = cell.requests;
        Self {
            ratio: RateRatio::new(1.0),
            counts: CountsShare::new(canary as f64 / (stable + canary) as f64),
            betting: [0.0; 9],
            two: TwoProportions::new(),
            total: Block::default(),
        }
    }

    /// The ln of each test's evidence after one more block.
    fn observe(&mut self, block: &Block) -> [f64; 5] {
        self.ratio.observe(block);
        self.counts
            .observe(block.canary_events, block.stable_events);
        self.two.observe(block);
        self.total.add(block);
        // Bets on the sign of the difference; fair for any burstiness if both arms are equally
        // large.
        let [canary, stable] = [block.canary_events as f64, block.stable_events as f64];
        if canary + stable > 0.0 {
            for (index, wealth) in self.betting.iter_mut().enumerate() {
                let stake = 0.1 * (index as f64 + 1.0);
                *wealth += (1.0 + stake * (canary - stable) / (canary + stable)).ln();
            }
        }
        let betting = self.betting.iter().map(|wealth| wealth.exp()).sum::<f64>() / 9.0;
        [
            self.ratio.ln_e_value_above(),
            self.counts.ln_e_value_above(),
            betting.ln(),
            self.two.ln_e_value(),
            // Evidence of 1/alpha exactly when the one-sided z-test says p < alpha (2.0537 at 2 %).
            if z(&self.total) > 2.0537 {
                f64::INFINITY
            } else {
                0.0
            },
        ]
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

/// For each test the looks at which it said "worse", sorted.
fn run(cell: &Cell, runs: u64) -> [Vec<usize>; 5] {
    let limit = f64::ln(50.0);
    let mut found: [Vec<usize>; 5] = Default::default();
    for seed in 0..runs {
        let mut world = World::new(seed);
        let mut contest = Contest::new(cell);
        let mut done = [false; 5];
        for look in 1..=LOOKS {
            let bursts = {
                let stable = world.burst(cell.variation);
                [
                    stable,
                    if cell.shared {
                        stable
                    } else {
                        world.burst(cell.variation)
                    },
                ]
            };
            let mut events =
                |requests: u64, rate: f64| world.poisson(requests as f64 * rate).min(requests);
            let [stable_requests, canary_requests] = cell.requests;
            let block = Block {
                stable_requests,
                stable_events: events(stable_requests, cell.baseline * bursts[0]),
                canary_requests,
                canary_events: events(canary_requests, cell.baseline * cell.ratio * bursts[1]),
            };
            for (index, evidence) in contest.observe(&block).into_iter().enumerate() {
                if !done[index] && evidence >= limit {
                    done[index] = true;
                    found[index].push(look);
                }
            }
        }
    }
    found.iter_mut().for_each(|looks| looks.sort_unstable());
    found
}

fn print_table(title: &str, requests: [u64; 2], shared: bool, runs: u64) {
    println!("\n### {title}\n\n| CV | canary | {} |", NAMES.join(" | "));
    println!("|---|---|{}", "---|".repeat(NAMES.len()));
    for variation in [0.0, 0.5, 1.0] {
        if shared && variation == 0.0 {
            continue;
        }
        for ratio in [1.0, 1.5, 2.0, 3.0, 5.0] {
            let cell = Cell {
                requests,
                baseline: 0.01,
                ratio,
                variation,
                shared,
            };
            let entries = run(&cell, runs).map(|looks| {
                let share = 100.0 * looks.len() as f64 / runs as f64;
                let median = looks.get((runs as usize - 1) / 2);
                let median = median.map_or("–".to_string(), |look| format!("minute {look}"));
                if ratio == 1.0 {
                    format!("{share:.1} %")
                } else {
                    format!("{share:.1} %, {median}")
                }
            });
            println!("| {variation:.1} | {ratio} % | {} |", entries.join(" | "));
        }
    }
}

/// The whole comparison on rollouts of seconds: steps of 5, 25 and 50 %, 8 looks each, one every
/// half second.
fn print_rollouts(runs: u64) {
    let bursting = Service {
        variation: 1.0,
        error_rate: 0.004,
        ..Service::GOOD
    };
    let failing = Service {
        error_rate: 0.3,
        ..Service::GOOD
    };
    let slow = Service {
        slowdown: 20.0,
        ..Service::GOOD
    };
    println!("\n### Rollouts of seconds, default policy\n");
    println!("| canary | requests a second | failed | median | 95 of 100 by | within first step |");
    println!("|---|---|---|---|---|---|");
    let heavy = Service {
        stalls: 0.1,
        stalled_max: 0.5,
        ..Service::GOOD
    };
    let heavy_slow = Service {
        slowdown: 20.0,
        stalls: 0.1,
        stalled_max: 0.5,
        ..Service::GOOD
    };
    let heavy_slower = Service {
        slowdown: 60.0,
        stalls: 0.1,
        stalled_max: 0.5,
        ..Service::GOOD
    };
    let cases = [
        ("good, heavy stalls", &heavy, &heavy),
        ("20 times slower, heavy stalls", &heavy_slow, &heavy),
        ("60 times slower, heavy stalls", &heavy_slower, &heavy),
        ("good, 0.1 % errors, stalls", &Service::GOOD, &Service::GOOD),
        ("good, 0.4 % errors at CV 1, stalls", &bursting, &bursting),
        ("30 % errors", &failing, &Service::GOOD),
        ("20 times slower", &slow, &Service::GOOD),
    ];
    for (name, canary, stable) in cases {
        for per_look in [150, 300] {
            let mut looks: Vec<usize> = (0..runs)
                .filter_map(|seed| rollout(&mut World::new(seed), canary, stable, per_look, 8).ok())
                .collect();
            looks.sort_unstable();
            let failed = 100.0 * looks.len() as f64 / runs as f64;
            let first =
                100.0 * looks.iter().filter(|look| **look <= 8).count() as f64 / runs as f64;
            let at = |rank: u64| {
                let look = looks.get(rank as usize);
                look.map_or("–".to_string(), |look| {
                    format!("{:.1} s", *look as f64 / 2.0)
                })
            };
            println!(
                "| {name} | {} | {failed:.1} % | {} | {} | {first:.1} % |",
                per_look * 2,
                at(runs / 2),
                at(runs * 95 / 100),
            );
        }
    }
}

fn main() {
    let runs = std::env::args()
        .nth(1)
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(2);
    println!("{runs} seeded runs per cell, {LOOKS} looks, baseline 1 %, alpha 2 % one-sided.");
    print_rollouts(runs.min(1_000));
    print_table("500 requests a minute per version", [500, 500], false, runs);
    print_table("50 requests a minute per version", [50, 50], false, runs);
    print_table(
        "950 stable and 50 canary requests a minute",
        [950, 50],
        false,
        runs,
    );
    print_table(
        "9500 stable and 500 canary requests a minute",
        [9_500, 500],
        false,
        runs,
    );
    print_table(
        "500 per version, bursts shared by both",
        [500, 500],
        true,
        runs,
    );
    print_table(
        "50 per version, bursts shared by both",
        [50, 50],
        true,
        runs,
    );
}
