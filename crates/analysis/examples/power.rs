//! Holds what `power` promises to what the comparison finds, by simulation.
//!
//! `cargo run --release -p nonevent-analysis --example power [RUNS] [DESIGNS]` (20 runs of the first
//! 4 designs unless said otherwise; tables that say something need 200 and all 24). Each design is
//! judged at a coefficient of variation of 0, 0.5 and 1 of the error rate per block, each version
//! bursting by itself.

#![expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]

#[path = "../tests/world/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod world;

use std::time::Instant;

use nonevent_analysis::{
    ArmWindow, Comparison, Design, DetectionTime, LatencyCounts, Policy, Window, power,
};
use world::World;

/// Requests per minute, canary's basis points, looks, look in milliseconds, stable's errors in
/// millionths.
const DESIGNS: [(u64, u16, u64, u64, u32); 24] = [
    (18_000, 500, 12, 500, 1_000),
    (18_000, 2_500, 12, 500, 1_000),
    (24_000, 500, 24, 500, 2_000),
    (24_000, 500, 5, 60_000, 1_000),
    (300, 5_000, 30, 60_000, 10_000),
    (300, 500, 60, 60_000, 5_000),
    (300, 2_500, 10, 60_000, 50_000),
    (1_000, 100, 60, 60_000, 1_000),
    (1_000, 2_500, 30, 60_000, 10_000),
    (3_000, 5_000, 20, 5_000, 500),
    (3_000, 500, 20, 15_000, 20_000),
    (6_000, 100, 60, 10_000, 1_000),
    (6_000, 2_500, 5, 30_000, 3_000),
    (12_000, 5_000, 60, 500, 10_000),
    (24_000, 100, 30, 10_000, 500),
    (24_000, 2_500, 10, 60_000, 2_000),
    (60_000, 500, 60, 500, 5_000),
    (60_000, 5_000, 5, 1_000, 1_000),
    (60_000, 100, 20, 5_000, 50_000),
    (150_000, 2_500, 30, 2_000, 500),
    (300_000, 100, 60, 1_000, 2_000),
    (600_000, 500, 10, 15_000, 1_000),
    (600_000, 5_000, 5, 60_000, 10_000),
    (600_000, 100, 60, 500, 500),
];

/// The same draws as one by one, by halves (Devroye 1986, chapter X.4).
fn binomial(world: &mut World, mut trials: u64, mut probability: f64) -> u64 {
    let mut hits = 0;
    while trials > 60 && probability > 0.0 && probability < 1.0 {
        let middle = trials / 2 + 1;
        let rest = trials + 1 - middle;
        let (a, b) = (world.gamma(middle as f64), world.gamma(rest as f64));
        let value = a / (a + b);
        if value >= probability {
            trials = middle - 1;
            probability /= value;
        } else {
            hits += middle;
            trials = rest - 1;
            probability = (probability - value) / (1.0 - value);
        }
    }
    hits + world.binomial(trials, probability.clamp(0.0, 1.0))
}

/// What one version does in one look: its error rate, and its share of requests over 20 ms.
#[derive(Clone, Copy)]
struct Harm {
    errors: f64,
    slow: f64,
}

/// Bounds of the histogram, in microseconds: stable's p99 lies in the first bucket, and the p99 rule
/// holds what is over twice its bound against the canary.
const BOUNDS_US: [u64; 3] = [10_000, 20_000, 40_000];

fn arm(world: &mut World, mean: f64, cv: f64, harm: Harm, slow_bucket: usize) -> ArmWindow {
    let requests = world.poisson(mean);
    let rate = (harm.errors * world.burst(cv)).min(1.0);
    let errors = binomial(world, requests, rate);
    let mut latency = LatencyCounts::default();
    if harm.slow > 0.0 {
        let share = (harm.slow * world.burst(cv)).min(1.0);
        let slow = binomial(world, requests, share);
        let mut counts = vec![requests - slow, 0, 0];
        counts[slow_bucket] = slow;
        latency = LatencyCounts {
            bounds_us: BOUNDS_US.to_vec(),
            counts,
        };
    }
    ArmWindow {
        requests,
        errors,
        latency,
    }
}

/// The look at which such a canary is failed, of at most `looks`.
fn found(seed: u64, design: &Design, policy: &Policy, canary: Harm, looks: u64) -> Option<u64> {
    let mut world = World::new(seed);
    let mut comparison = Comparison::new(policy);
    let cv = f64::from(design.variation_percent) / 100.0;
    let share = f64::from(design.canary_basis_points) / 1e4;
    let requests = (design.requests_per_minute * design.look_ms) as f64 / 60_000.0;
    let stable = Harm {
        errors: f64::from(design.error_rate_ppm) / 1e6,
        slow: if canary.slow > 0.0 { 0.009 } else { 0.0 },
    };
    if canary.slow > 0.0 {
        // So many that bursts in the step do not move stable's p99.
        let before = ArmWindow {
            requests: 100_000_000,
            errors: 0,
            latency: LatencyCounts {
                bounds_us: BOUNDS_US.to_vec(),
                counts: vec![99_100_000, 900_000],
            },
        };
        let window = Window {
            length_ms: design.look_ms,
            stable: before,
            canary: ArmWindow::default(),
        };
        comparison.learn(&window.into());
    }
    (1..=looks).find(|_| {
        let window = Window {
            length_ms: design.look_ms,
            stable: arm(&mut world, requests * (1.0 - share), cv, stable, 1),
            canary: arm(&mut world, requests * share, cv, canary, 2),
        };
        comparison.learn(&window.into())
    })
}

struct Numbers {
    runs: u64,
    /// Promises of 0.8 and 0.95 that were checked, and those that held.
    checked: [u32; 2],
    held: [u32; 2],
}

impl Numbers {
    /// The promised rates and how often they were found.
    fn promises(
        &mut self,
        design: &Design,
        policy: &Policy,
        promised: [Option<f64>; 2],
        harm: impl Fn(f64) -> Harm,
    ) -> String {
        const HELD: [std::ops::RangeInclusive<f64>; 2] = [0.75..=0.92, 0.92..=1.0];
        let looks = design.pause_ms / design.look_ms;
        let mut cells = Vec::new();
        for (index, rate) in promised.into_iter().enumerate() {
            let Some(rate) = rate else {
                cells.push("none".into());
                continue;
            };
            let runs = (0..self.runs).map(|seed| found(seed, design, policy, harm(rate), looks));
            let part = runs.flatten().count() as f64 / self.runs as f64;
            self.checked[index] += 1;
            self.held[index] += u32::from(HELD[index].contains(&part));
            cells.push(format!("{:.3} %, {part:.2}", rate * 100.0));
        }
        cells.join(" | ")
    }

    /// Looks for one multiple of stable's error rate: those expected, and the mean of those that were
    /// needed.
    fn time(&self, design: &Design, policy: &Policy, time: &DetectionTime) -> String {
        /// Beyond so many looks it would take too long.
        const EXPECTED_MAX: u64 = 100;
        let stable = f64::from(design.error_rate_ppm) / 1e6;
        let canary = Harm {
            errors: stable * f64::from(time.ratio_percent) / 100.0,
            slow: 0.0,
        };
        let Some(expected) = time.expected_ms.map(|ms| ms / design.look_ms) else {
            return "never".into();
        };
        if expected > EXPECTED_MAX {
            return format!("{expected}/-");
        }
        let most = expected * 20;
        let needed =
            (0..self.runs).map(|seed| found(seed, design, policy, canary, most).unwrap_or(most));
        let mean = needed.sum::<u64>() as f64 / self.runs as f64;
        format!("{expected}/{mean:.0}")
    }

    fn summary(&self) {
        let [often, oftener] = [0, 1].map(|i| format!("{} of {}", self.held[i], self.checked[i]));
        println!("0.8 was 0.75 to 0.92 in {often}; 0.95 was 0.92 or more in {oftener}\n");
    }
}

fn designs(count: usize) -> impl Iterator<Item = Design> {
    let all = DESIGNS.into_iter().take(count);
    all.flat_map(
        |(requests_per_minute, canary_basis_points, looks, look_ms, error_rate_ppm)| {
            [0, 50, 100].map(|variation_percent| Design {
                requests_per_minute,
                canary_basis_points,
                pause_ms: looks * look_ms,
                look_ms,
                error_rate_ppm,
                variation_percent,
            })
        },
    )
}

fn name(design: &Design) -> String {
    format!(
        "| {} | {} % | {} of {} s | {} % | {} %",
        design.requests_per_minute,
        f64::from(design.canary_basis_points) / 100.0,
        design.pause_ms / design.look_ms,
        design.look_ms as f64 / 1e3,
        f64::from(design.error_rate_ppm) / 1e4,
        design.variation_percent,
    )
}

/// The least of some calls, with the default policy.
fn cost_ms(design: &Design) -> f64 {
    let calls = (0..5).map(|_| {
        let start = Instant::now();
        std::hint::black_box(power(design, &Policy::default()));
        start.elapsed().as_secs_f64() * 1e3
    });
    calls.fold(f64::INFINITY, f64::min)
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|text| text.parse::<u32>().expect("a number"));
    let runs = u64::from(numbers.next().unwrap_or(20));
    let count = numbers.next().unwrap_or(4) as usize;
    let without_latency = Policy {
        p99_ratio_max_percent: None,
        ..Policy::default()
    };
    let fresh = || Numbers {
        runs,
        checked: [0; 2],
        held: [0; 2],
    };
    let mut errors = fresh();
    println!(
        "| requests/min | canary | looks | stable | variation | 0.8: error rate, found | 0.95: error \
         rate, found | 2x, 3x, 5x: expected/mean looks | ms |\n|---|---|---|---|---|---|---|---|---|"
    );
    for design in designs(count) {
        let promised = power(&design, &without_latency);
        let cost = cost_ms(&design);
        let rates = [promised.error_rate_80, promised.error_rate_95];
        let harm = |errors| Harm { errors, slow: 0.0 };
        let rates = errors.promises(&design, &without_latency, rates, harm);
        let times = promised.times[1..].iter();
        let times: Vec<String> = times
            .map(|time| errors.time(&design, &without_latency, time))
            .collect();
        println!(
            "{} | {rates} | {} | {cost:.1} |",
            name(&design),
            times.join(", ")
        );
    }
    errors.summary();

    let mut latency = fresh();
    println!(
        "| requests/min | canary | looks | stable | variation | 0.8: slow share, found | 0.95: slow \
         share, found |\n|---|---|---|---|---|---|---|"
    );
    let policy = Policy::default();
    for design in designs(count).step_by(4) {
        let design = Design {
            error_rate_ppm: 0,
            ..design
        };
        let promised = power(&design, &policy);
        let shares = [promised.slow_share_80, promised.slow_share_95];
        let harm = |slow| Harm { errors: 0.0, slow };
        let shares = latency.promises(&design, &policy, shares, harm);
        println!("{} | {shares} |", name(&design));
    }
    latency.summary();
}
