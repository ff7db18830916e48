//! The level holds, and harm is found, also when error rates burst. Small here; the full table is
//! printed by `cargo run --release --example table`.

mod world;

use nonevent_analysis::{Block, Design, Policy, RateRatio, ShareAbove, finds, power};
use world::{Service, World, rollout};

const LOOKS: usize = 60;

struct Cell {
    requests: [u64; 2],
    baseline: f64,
    ratio: f64,
    variation: f64,
}

/// The look at which each of `runs` rollouts was failed by the ratio test at 2 %.
fn detections(cell: &Cell, runs: u64) -> Vec<usize> {
    let limit = f64::ln(50.0);
    let run = |seed| {
        let mut world = World::new(seed);
        let mut test = RateRatio::new(1.0);
        (1..=LOOKS).find(|_| {
            let mut events = |requests: u64, rate: f64| {
                let mean = requests as f64 * rate * world.burst(cell.variation);
                world.poisson(mean).min(requests)
            };
            let [stable_requests, canary_requests] = cell.requests;
            let stable_events = events(stable_requests, cell.baseline);
            let canary_events = events(canary_requests, cell.baseline * cell.ratio);
            test.observe(&Block {
                stable_requests,
                stable_events,
                canary_requests,
                canary_events,
            });
            test.ln_e_value_above() >= limit
        })
    };
    let mut found: Vec<usize> = (0..runs).filter_map(run).collect();
    found.sort_unstable();
    found
}

#[test]
fn false_alarms_stay_within_alpha_at_every_burstiness() {
    let cells = [
        ([500, 500], 1.0),
        ([950, 50], 1.0),
        ([50, 50], 0.5),
        ([950, 50], 0.0),
    ];
    for (requests, variation) in cells {
        let cell = Cell {
            requests,
            baseline: 0.01,
            ratio: 1.0,
            variation,
        };
        let alarms = detections(&cell, 60).len();
        // At 2 % more than 4 of 60 have probability 0.007.
        assert!(
            alarms <= 4,
            "{alarms} of 60 at {requests:?}, variation {variation}"
        );
    }
}

#[test]
fn harm_is_found_in_time() {
    for (ratio, variation, latest) in [
        (3.0, 0.0, 6),
        (3.0, 0.5, 11),
        (3.0, 1.0, 28),
        (5.0, 0.0, 4),
        (5.0, 1.0, 16),
    ] {
        let cell = Cell {
            requests: [500, 500],
            baseline: 0.01,
            ratio,
            variation,
        };
        let found = detections(&cell, 40);
        let median = found.get(19).copied().unwrap_or(LOOKS + 1);
        assert!(
            median <= latest,
            "{ratio} times, variation {variation}: median look {median}"
        );
    }
}

#[test]
fn the_absolute_bound_holds_its_level_under_bursts() {
    let alarms = (0..400)
        .filter(|seed| {
            let mut world = World::new(*seed);
            let mut above = ShareAbove::new(0.01);
            (0..LOOKS).any(|_| {
                let rate = (0.01 * world.burst(1.0)).min(1.0);
                let hits = world.binomial(50, rate);
                above.observe(50, hits);
                above.ln_e_value() >= f64::ln(50.0)
            })
        })
        .count();
    // At 2 % more than 16 of 400 have probability 0.004.
    assert!(alarms <= 16, "{alarms} of 400");
}

#[test]
fn what_power_promises_is_found() {
    let policy = Policy {
        p99_ratio_max_percent: None,
        ..Policy::default()
    };
    // With long blocks, where bursts are most of what is uncertain, and with short ones.
    for (requests_per_minute, look_ms) in [(24_000, 500), (24_000, 15_000)] {
        let mut before = 0.0;
        for variation_percent in [0, 100] {
            let design = Design {
                requests_per_minute,
                canary_basis_points: 500,
                pause_ms: 24 * look_ms,
                look_ms,
                error_rate_ppm: 2_000,
                variation_percent,
            };
            let rate = power(&design, &policy).error_rate_80.expect("findable");
            assert!(rate > before, "{rate} for {design:?}");
            before = rate;
            assert!(finds(&design, &policy, rate * 1.05), "{design:?}");
            assert!(!finds(&design, &policy, rate * 0.7), "{design:?}");
            let found = (0..100)
                .filter(|seed| step(&mut World::new(*seed), &design, rate, &policy))
                .count();
            assert!(
                (70..=96).contains(&found),
                "{found} of 100 at an error rate of {rate}: {design:?}"
            );
        }
    }
}

/// Whether a step finds a canary of this error rate failing.
fn step(world: &mut World, design: &Design, rate: f64, policy: &Policy) -> bool {
    use nonevent_analysis::{ArmWindow, Comparison, Window};
    let mut comparison = Comparison::new(policy);
    let requests = design.requests_per_minute * design.look_ms / 60_000;
    let canary_requests = requests * u64::from(design.canary_basis_points) / 10_000;
    let variation = f64::from(design.variation_percent) / 100.0;
    (0..design.pause_ms / design.look_ms).any(|_| {
        let mut arm = |requests: u64, rate: f64| {
            let rate = (rate * world.burst(variation)).min(1.0);
            ArmWindow {
                requests,
                errors: world.binomial(requests, rate),
                ..ArmWindow::default()
            }
        };
        let window = Window {
            length_ms: design.look_ms,
            stable: arm(
                requests - canary_requests,
                f64::from(design.error_rate_ppm) / 1e6,
            ),
            canary: arm(canary_requests, rate),
        };
        comparison.learn(&window.into())
    })
}

#[test]
fn slow_requests_are_promised_where_a_rule_minds_them() {
    let design = Design {
        requests_per_minute: 24_000,
        canary_basis_points: 500,
        pause_ms: 12_000,
        look_ms: 500,
        error_rate_ppm: 2_000,
        variation_percent: 0,
    };
    let found = |policy: &Policy| power(&design, policy).slow_share_80;
    let share = found(&Policy::default()).expect("findable");
    assert!((0.02..0.1).contains(&share), "{share}");
    let without = Policy {
        p99_ratio_max_percent: None,
        ..Policy::default()
    };
    assert_eq!(found(&without), None);
    let absolute = Policy {
        p99_max_ms: Some(100),
        ..without
    };
    assert!(found(&absolute).is_some());
}

#[test]
fn a_design_that_does_not_speak_of_bursts_has_none() {
    let text = r#"{"requests_per_minute":1,"canary_basis_points":2,"pause_ms":3,"look_ms":4,
        "error_rate_ppm":5}"#;
    let design: Design = serde_json::from_str(text).expect("a design");
    assert_eq!(design.variation_percent, 0);
}

#[test]
fn the_world_is_seeded() {
    let again = |seed| {
        rollout(
            &mut World::new(seed),
            &Service::GOOD,
            &Service::GOOD,
            100,
            2,
        )
    };
    assert_eq!(again(5), again(5));
}
