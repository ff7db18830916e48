//! Prints how often quantile tests raise a false alarm, how soon they find a slow canary, and what
//! a look costs.
//!
//! `cargo run --release -p nonevent-analysis --example quantiles 1000`. The number is that of runs
//! per cell; without it there are 10, which shows the form of the table and little else. All but
//! the times is seeded.

#[path = "../tests/world/mod.rs"]
#[expect(dead_code, reason = "the other tests' services are not needed here")]
mod world;

use std::hint::black_box;
use std::time::Instant;

use nonevent_analysis::{Arm, LatencyCounts, LatencyPair, QuantileTest, Shift, StochasticOrder};
use world::World;

const ALPHA: f64 = 0.05;
/// Requests per arm between looks.
const PER_LOOK: u64 = 20;
const REQUESTS_MAX: u64 = 10_000;
const COLUMNS: [&str; 6] = [
    "p50 slower",
    "p95 slower",
    "p99 slower",
    "p50 differs",
    "p99 differs",
    "anywhere slower",
];

/// How a canary is slower: all requests, and those of the slow tail besides.
struct Canary {
    name: &'static str,
    times: f64,
    tail_times: f64,
}

const CANARIES: [Canary; 5] = [
    Canary {
        name: "equal",
        times: 1.0,
        tail_times: 1.0,
    },
    Canary {
        name: "1.2 times",
        times: 1.2,
        tail_times: 1.0,
    },
    Canary {
        name: "1.5 times",
        times: 1.5,
        tail_times: 1.0,
    },
    Canary {
        name: "2 times",
        times: 2.0,
        tail_times: 1.0,
    },
    Canary {
        name: "tail 2 times",
        times: 1.0,
        tail_times: 2.0,
    },
];

/// Log-normal around 2 ms, and 2 % ten times as slow.
fn latency_us(world: &mut World, times: f64, tail_times: f64) -> u64 {
    let tail = if world.uniform() < 0.02 {
        10.0 * tail_times
    } else {
        1.0
    };
    (2_000.0 * times * tail * libm::exp(0.4 * world.normal())) as u64
}

fn tests() -> [QuantileTest; 3] {
    [QuantileTest::P50, QuantileTest::P95, QuantileTest::P99]
        .map(|ppm| QuantileTest::new(ppm, ALPHA, 1_000))
}

/// The requests per arm at which each test first said so.
fn run(seed: u64, canary: &Canary) -> [Option<u64>; 6] {
    let limit = -f64::ln(ALPHA);
    let [p50, p95, p99] = tests();
    let order = StochasticOrder::new(ALPHA, 50);
    let mut world = World::new(seed);
    let mut pair = LatencyPair::new();
    let mut found = [None; 6];
    for look in 1..=REQUESTS_MAX / PER_LOOK {
        for _ in 0..PER_LOOK {
            pair.add_us(Arm::Stable, latency_us(&mut world, 1.0, 1.0));
            let us = latency_us(&mut world, canary.times, canary.tail_times);
            pair.add_us(Arm::Canary, us);
        }
        let says = [
            p50.is_slower(&pair, Shift::NONE, ALPHA),
            p95.is_slower(&pair, Shift::NONE, ALPHA),
            p99.is_slower(&pair, Shift::NONE, ALPHA),
            p50.ln_e_value_different(&pair) >= limit,
            p99.ln_e_value_different(&pair) >= limit,
            order.excess(&pair, Shift::NONE).low > 0.0,
        ];
        for (found, says) in found.iter_mut().zip(says) {
            if says && found.is_none() {
                *found = Some(look * PER_LOOK);
            }
        }
    }
    found
}

fn print_detections(runs: u64) {
    println!("\n| canary | {} |", COLUMNS.join(" | "));
    println!("|---|{}", "---|".repeat(COLUMNS.len()));
    for canary in &CANARIES {
        let all: Vec<_> = (0..runs).map(|seed| run(seed, canary)).collect();
        let cells: Vec<String> = (0..COLUMNS.len())
            .map(|column| {
                let mut found: Vec<u64> = all.iter().filter_map(|run| run[column]).collect();
                found.sort_unstable();
                let share = 100.0 * found.len() as f64 / runs as f64;
                let median = found.get((runs as usize - 1) / 2);
                let median = median.map_or(String::new(), |requests| format!(", {requests}"));
                format!("{share:.1} %{median}")
            })
            .collect();
        println!("| {} | {} |", canary.name, cells.join(" | "));
    }
}

/// The quickest of some batches, for other programs take their part of the machine.
fn nanoseconds(mut look: impl FnMut() -> f64) -> f64 {
    const LOOKS: u32 = 100;
    let batch = |_| {
        let start = Instant::now();
        for _ in 0..LOOKS {
            black_box(look());
        }
        start.elapsed().as_nanos() as f64 / f64::from(LOOKS)
    };
    (0..20).map(batch).fold(f64::INFINITY, f64::min)
}

fn print_costs() {
    println!(
        "\n| state | requests per arm | p50 slower? | p99 slower? | p50 slower | p99 slower | p99 within 10 % | p99 differs | anywhere | p99 interval | p99 ratio |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let [p50, _, p99] = tests();
    let order = StochasticOrder::new(ALPHA, 50);
    let bounds: Vec<u64> = (0..60)
        .map(|index| libm::exp2(6.0 + f64::from(index) / 4.0) as u64)
        .collect();
    for requests in [100, 1_000, 10_000, 100_000] {
        for times in [1.0, 1.5] {
            let mut world = World::new(1);
            let mut scale = LatencyPair::new();
            let mut buckets = LatencyPair::with_bounds(bounds.clone()).expect("ascend");
            for (arm, times) in [(Arm::Stable, 1.0), (Arm::Canary, times)] {
                let all: Vec<u64> = (0..requests)
                    .map(|_| latency_us(&mut world, times, 1.0))
                    .collect();
                all.iter().for_each(|us| scale.add_us(arm, *us));
                let window = LatencyCounts::from_samples(&bounds, &all);
                buckets.add(arm, &window).expect("the same bounds");
            }
            let margin = Shift::Ppm(1_100_000);
            for (name, pair) in [("60 buckets", &buckets), ("built-in scale", &scale)] {
                println!(
                    "| {name}, canary {times} times | {requests} | {:.0} ns | {:.0} ns | {:.0} ns | {:.0} ns | {:.0} ns | {:.0} ns | {:.0} ns | {:.0} ns | {:.0} ns |",
                    nanoseconds(|| f64::from(p50.is_slower(black_box(pair), Shift::NONE, ALPHA))),
                    nanoseconds(|| f64::from(p99.is_slower(black_box(pair), Shift::NONE, ALPHA))),
                    nanoseconds(|| p50.ln_e_value_slower(black_box(pair), Shift::NONE)),
                    nanoseconds(|| p99.ln_e_value_slower(black_box(pair), Shift::NONE)),
                    nanoseconds(|| p99.ln_e_value_not_slower(black_box(pair), margin)),
                    nanoseconds(|| p99.ln_e_value_different(black_box(pair))),
                    nanoseconds(|| order.excess(black_box(pair), Shift::NONE).low),
                    nanoseconds(|| p99.interval_us(black_box(pair), Arm::Canary, ALPHA).0 as f64),
                    nanoseconds(|| p99.ratio_interval(black_box(pair), ALPHA).0),
                );
            }
        }
    }
    let mut pair = LatencyPair::new();
    let mut us = 1u64;
    let add = nanoseconds(|| {
        us = us.wrapping_mul(6_364_136_223_846_793_005) % 5_000_000 + 1;
        pair.add_us(Arm::Canary, us);
        0.0
    });
    println!("\nOne request counted: {add:.0} ns.");
}

fn main() {
    let runs = std::env::args()
        .nth(1)
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(10);
    println!(
        "{runs} seeded runs per cell, a look every {PER_LOOK} requests per arm up to \
         {REQUESTS_MAX}, alpha {ALPHA}: share of runs that said so, median requests per arm."
    );
    print_detections(runs);
    print_costs();
}
