//! Judges a small canary as Kayenta would, and shows what becomes of such a judge when it is asked
//! every minute.
//!
//! `cargo run --release -p nonevent-analysis --example kayenta 2000`. The number is that of simulated
//! hours per cell; without it there are 4, which shows the form of the table and nothing else.

#[path = "../tests/world/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod world;

use std::time::Instant;

use nonevent_analysis::kayenta::{
    Arms, Classification, Config, Direction, Judge, MetricConfig, MetricSamples,
};
use world::World;

const MINUTES: usize = 60;

const CONFIG: &str = r#"{
    "metrics": [
        {"name": "errors", "groups": ["errors"], "direction": "increase", "nan": "replace",
         "critical": true, "effect_size": {"critical_increase_permille": 5000}},
        {"name": "latency p50", "groups": ["latency"], "direction": "increase"},
        {"name": "latency p99", "groups": ["latency"], "direction": "increase",
         "outliers": "remove", "effect_size": {"allowed_increase_permille": 1200}},
        {"name": "cpu", "must_have_data": true}
    ],
    "group_weights_percent": {"errors": 50, "latency": 30},
    "pass_score": 90,
    "marginal_score": 60
}"#;

fn main() {
    let hours = std::env::args()
        .nth(1)
        .and_then(|hours| hours.parse().ok())
        .unwrap_or(4);
    one_judgement();
    table(hours);
    time_per_decision();
}

/// Half an hour of samples: the canary's p99 is half as high again, all else is as before.
fn one_judgement() {
    let mut world = World::new(7);
    let mut series = |mean: f64, spread: f64| -> Vec<f64> {
        (0..30).map(|_| mean + spread * world.normal()).collect()
    };
    let names = ["errors", "latency p50", "latency p99", "cpu"];
    let samples = [
        (vec![f64::NAN; 30], vec![f64::NAN; 30]),
        (series(20.0, 1.0), series(20.0, 1.0)),
        (series(90.0, 20.0), series(135.0, 20.0)),
        (series(40.0, 3.0), series(40.0, 3.0)),
    ];
    let samples: Vec<MetricSamples<'_>> = names
        .into_iter()
        .zip(&samples)
        .map(|(name, (control, experiment))| MetricSamples {
            name,
            arms: Arms {
                control,
                experiment,
            },
        })
        .collect();
    let config: Config = serde_json::from_str(CONFIG).expect("written above");
    let judgement = Judge::new()
        .judge(&config, &samples)
        .expect("a sound configuration");
    println!("{:?}: {}", judgement.rating, judgement.reason);
    for metric in &judgement.metrics {
        println!("  {}", metric.reason);
    }
}

fn errors() -> MetricConfig {
    MetricConfig {
        name: "errors".into(),
        direction: Direction::Increase,
        ..MetricConfig::default()
    }
}

struct Cell {
    requests: f64,
    canary_rate: f64,
    variation: f64,
    shared: bool,
}

/// The first minute at which the error rates so far are High, and whether they are after the hour.
fn hour(cell: &Cell, seed: u64, judge: &mut Judge) -> (Option<usize>, bool) {
    let mut world = World::new(seed);
    let (mut control, mut experiment) = (Vec::new(), Vec::new());
    let (mut first, mut last) = (None, false);
    for minute in 1..=MINUTES {
        let bursts = [world.burst(cell.variation), world.burst(cell.variation)];
        let canary_burst = bursts[usize::from(!cell.shared)];
        let mut rate = |mean: f64| {
            world
                .poisson(cell.requests * mean)
                .min(cell.requests as u64) as f64
                / cell.requests
        };
        control.push(rate(0.01 * bursts[0]));
        experiment.push(rate(cell.canary_rate * canary_burst));
        let arms = Arms {
            control: &control,
            experiment: &experiment,
        };
        let compared = judge.compare(&errors(), arms).expect("60 samples");
        last = compared.classification == Classification::High;
        if last && first.is_none() {
            first = Some(minute);
        }
    }
    (first, last)
}

fn table(hours: u64) {
    println!(
        "\nStable fails 1 % of its requests; {hours} hours per cell; asked after every minute."
    );
    println!(
        "| requests/min | canary | bursts | High at some look | median minute | High at the last look |"
    );
    println!("|---|---|---|---|---|---|");
    let mut judge = Judge::new();
    for requests in [500.0, 50.0] {
        for canary_rate in [0.03, 0.01] {
            for (variation, shared) in [
                (0.0, false),
                (0.5, false),
                (1.0, false),
                (0.5, true),
                (1.0, true),
            ] {
                let cell = Cell {
                    requests,
                    canary_rate,
                    variation,
                    shared,
                };
                let runs: Vec<_> = (0..hours)
                    .map(|seed| hour(&cell, seed, &mut judge))
                    .collect();
                let mut found: Vec<usize> = runs.iter().filter_map(|run| run.0).collect();
                found.sort_unstable();
                // The median of all hours, not only of those that found it.
                let median = found
                    .get(runs.len() / 2)
                    .map_or("none".to_string(), ToString::to_string);
                let percent = |count: usize| 100.0 * count as f64 / runs.len().max(1) as f64;
                let last = runs.iter().filter(|run| run.1).count();
                println!(
                    "| {requests} | {} % | {variation}{} | {:.1} % | {median} | {:.1} % |",
                    canary_rate * 100.0,
                    if shared { " shared" } else { "" },
                    percent(found.len()),
                    percent(last)
                );
            }
        }
    }
}

fn time_per_decision() {
    let mut world = World::new(1);
    let mut series = || -> Vec<f64> { (0..60).map(|_| world.normal()).collect() };
    let pairs: Vec<_> = (0..100).map(|_| (series(), series())).collect();
    let mut judge = Judge::new();
    let metric = errors();
    let mut times: Vec<f64> = (0..20)
        .map(|_| {
            let start = Instant::now();
            for (control, experiment) in &pairs {
                let arms = Arms {
                    control,
                    experiment,
                };
                let _ = std::hint::black_box(judge.compare(&metric, arms));
            }
            start.elapsed().as_secs_f64() * 1e6 / pairs.len() as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "\n60 against 60 distinct samples: {:.1} us per decision (median), {:.1} at best",
        times[10], times[0]
    );
}
