//! A canary judged by a handful of bounds, from a recorded series: the verdict at each look.
//!
//! `cargo run -p nonevent-analysis --example panel`
//!
//! The state is written down and read back between two looks, as a rollout does that is resumed.

use nonevent_analysis::panel::{
    LevelReading, Panel, PanelLook, PanelPolicy, Reading, ShareReading,
};
use nonevent_analysis::{GapReason, LatencyCounts};

const BOUNDS: [&str; 4] = [
    "error_rate <= baseline * 1.5 or error_rate <= 0.1%",
    "p99 <= 200ms",
    "p99 <= baseline * 2",
    "cpu <= 90% for 3m",
];

/// Upper bounds of the latency buckets, in microseconds.
const BUCKETS_US: [u64; 6] = [10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

/// One version in one minute: requests, errors, requests by latency, and CPU as a share of 1.
struct Minute(u64, u64, [u64; 7], Option<f64>);

/// Stable, then the canary, whose CPU was not scraped in the second minute, and whose requests
/// become slower from the fourth on.
const SERIES: [[Minute; 2]; 9] = [
    [
        Minute(1_900, 4, [1_500, 350, 40, 10, 0, 0, 0], Some(0.52)),
        Minute(100, 0, [80, 18, 2, 0, 0, 0, 0], Some(0.61)),
    ],
    [
        Minute(1_880, 5, [1_480, 345, 43, 12, 0, 0, 0], Some(0.50)),
        Minute(98, 1, [77, 18, 3, 0, 0, 0, 0], None),
    ],
    [
        Minute(1_910, 3, [1_505, 353, 44, 8, 0, 0, 0], Some(0.55)),
        Minute(101, 0, [79, 20, 1, 1, 0, 0, 0], Some(0.88)),
    ],
    [
        Minute(1_895, 4, [1_490, 354, 40, 11, 0, 0, 0], Some(0.53)),
        Minute(102, 0, [61, 22, 6, 4, 8, 1, 0], Some(0.93)),
    ],
    [
        Minute(1_905, 6, [1_500, 351, 42, 12, 0, 0, 0], Some(0.54)),
        Minute(99, 1, [58, 20, 7, 4, 8, 2, 0], Some(0.95)),
    ],
    [
        Minute(1_890, 4, [1_488, 350, 42, 10, 0, 0, 0], Some(0.51)),
        Minute(100, 0, [59, 21, 5, 5, 9, 1, 0], Some(0.94)),
    ],
    [
        Minute(1_902, 2, [1_498, 352, 41, 11, 0, 0, 0], Some(0.52)),
        Minute(97, 0, [55, 22, 6, 4, 8, 2, 0], Some(0.96)),
    ],
    [
        Minute(1_899, 5, [1_496, 351, 42, 10, 0, 0, 0], Some(0.52)),
        Minute(103, 1, [60, 23, 6, 4, 9, 1, 0], Some(0.97)),
    ],
    [
        Minute(1_903, 4, [1_499, 352, 41, 11, 0, 0, 0], Some(0.53)),
        Minute(99, 0, [57, 22, 6, 4, 8, 2, 0], Some(0.96)),
    ],
];

fn main() {
    let policy = PanelPolicy::new(&BOUNDS).expect("the bounds can be read");
    assert!(policy.problems().is_empty(), "{:?}", policy.problems());
    let metrics: Vec<&str> = policy.metrics.iter().map(|it| it.name.as_str()).collect();
    println!("readings of {}", metrics.join(", "));
    let mut state = serde_json::to_string(&Panel::new(&policy)).expect("a state can be written");
    for (minute, versions) in (1..).zip(&SERIES) {
        let mut panel: Panel = serde_json::from_str(&state).expect("and read back");
        // In the order of the policy's metrics, whatever that is.
        let readings = metrics.iter().map(|metric| reading(metric, versions));
        panel.observe(&PanelLook {
            at_ms: minute * 60_000,
            readings: readings.collect(),
        });
        println!("minute {minute}: {}", panel.verdict().reason);
        state = serde_json::to_string(&panel).expect("a state can be written");
    }
    println!("the state is {} bytes", state.len());
}

fn reading(metric: &str, [stable, canary]: &[Minute; 2]) -> Reading {
    match metric {
        "error_rate" => Reading::Share(ShareReading {
            stable: (stable.0, stable.1),
            canary: (canary.0, canary.1),
        }),
        "p99" => Reading::Latency {
            stable: latency(stable),
            canary: latency(canary),
        },
        "cpu" => match canary.3 {
            Some(cpu) => Reading::Level(LevelReading {
                stable: stable.3,
                canary: cpu,
            }),
            None => Reading::Gap(GapReason::MissingSeries),
        },
        _ => Reading::Gap(GapReason::MissingSeries),
    }
}

fn latency(minute: &Minute) -> LatencyCounts {
    LatencyCounts {
        bounds_us: BUCKETS_US.to_vec(),
        counts: minute.2.to_vec(),
    }
}
