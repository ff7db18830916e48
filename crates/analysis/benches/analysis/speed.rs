//! What an analysis costs, on one core.

use std::hint::black_box;
use std::time::Instant;

use nonevent_analysis::panel::{
    LevelReading, Panel, PanelLook, PanelPolicy, Reading, ShareReading,
};
use nonevent_analysis::{Block, LatencyCounts, RateRatio};

use crate::world::{World, bounds_us};

pub(crate) fn print() {
    ratio_test();
    twenty_metrics();
}

fn ratio_test() {
    const BLOCKS: usize = 100_000;
    let mut world = World::new(1);
    let blocks: Vec<Block> = (0..1_000)
        .map(|_| Block {
            stable_requests: 500,
            stable_events: world.poisson(5.0),
            canary_requests: 500,
            canary_events: world.poisson(10.0),
        })
        .collect();
    let mut test = RateRatio::new(2.0);
    let begun = Instant::now();
    for index in 0..BLOCKS {
        test.observe(&blocks[index % blocks.len()]);
        black_box(test.ln_e_value_above());
    }
    let each = begun.elapsed().as_nanos() / BLOCKS as u128;
    println!("- ratio test: {each} ns for a block and its evidence");
}

/// 10 000 analyses: each takes one look at 20 metrics and gives an outcome.
fn twenty_metrics() {
    const ANALYSES: usize = 10_000;
    let shares = [
        "* 1.5", "* 1.6", "* 1.7", "* 1.8", "* 2", "* 2.1", "* 2.2", "* 2.5",
    ];
    let shares = shares.map(|by| format!("error_rate <= baseline {by} or error_rate <= 0.1%"));
    let quantiles = ["p50", "p75", "p90", "p95", "p99", "p99.9"];
    let latencies = quantiles.map(|p| format!("{p} <= baseline * 2 or {p} <= 5ms"));
    let levels = [
        "cpu <= 90% for 5m",
        "memory <= 90% for 5m",
        "cpu <= baseline * 1.5",
    ];
    let others = [
        "availability >= 99%",
        "restarts <= 0",
        "memory <= baseline * 1.5",
    ];
    let bounds = shares.iter().chain(&latencies).map(String::as_str);
    let bounds: Vec<&str> = bounds.chain(levels).chain(others).collect();
    let policy = PanelPolicy::new(&bounds).expect("the bounds are sound");
    let mut world = World::new(1);
    let looks: Vec<PanelLook> = (0..200)
        .map(|minute| PanelLook {
            at_ms: minute * 60_000,
            readings: policy
                .metrics
                .iter()
                .map(|m| reading(m.name.as_str(), &mut world))
                .collect(),
        })
        .collect();
    let mut panel = Panel::new(&policy);
    let begun = Instant::now();
    for index in 0..ANALYSES {
        panel.observe(&looks[index % looks.len()]);
        black_box(panel.outcome());
    }
    let took = begun.elapsed().as_secs_f64();
    println!(
        "- {ANALYSES} analyses with {} metrics: {took:.2} s on one core ({:.1} us a metric); under 1 s \
         wanted: {}",
        bounds.len(),
        1e6 * took / (ANALYSES * bounds.len()) as f64,
        if took < 1.0 { "reached" } else { "NOT REACHED" },
    );
    let begun = Instant::now();
    for _ in 0..100 {
        let _ = black_box(panel.verdict());
    }
    println!(
        "- its verdict in words and figures: {:.0} us",
        1e4 * begun.elapsed().as_secs_f64()
    );
}

fn reading(name: &str, world: &mut World) -> Reading {
    let mut share = |mean: f64| (500, world.poisson(mean));
    match name {
        "error_rate" => Reading::Share(ShareReading {
            stable: share(5.0),
            canary: share(5.0),
        }),
        "availability" => Reading::Share(ShareReading {
            stable: (500, 500 - share(3.0).1),
            canary: (500, 500 - share(3.0).1),
        }),
        "cpu" | "memory" | "restarts" => Reading::Level(LevelReading {
            stable: Some(0.5 + 0.1 * world.uniform()),
            canary: if name == "restarts" {
                0.0
            } else {
                0.5 + 0.1 * world.uniform()
            },
        }),
        _ => {
            let mut arm = || {
                let each = (0..500).map(|_| (2e3 * libm::exp(0.5 * world.normal())) as u64);
                LatencyCounts::from_samples(&bounds_us(), &each.collect::<Vec<_>>())
            };
            Reading::Latency {
                stable: arm(),
                canary: arm(),
            }
        }
    }
}
