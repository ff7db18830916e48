//! The level holds, and harm is found, also when error rates burst. Small here; the full table is
//! printed by `cargo run --release --example table`.

mod world;

use nonevent_analysis::{Block, Design, Policy, RateRatio, ShareAbove, power};
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
    let design = Design {
        requests_per_minute: 24_000,
        canary_basis_points: 500,
        pause_ms: 12_000,
        look_ms: 500,
        error_rate_ppm: 2_000,
        variation_percent: 0,
    };
    let rate = power(&design, &policy).error_rate_80.expect("findable");
    let canary = Service {
        error_rate: rate,
        ..Service::GOOD
    };
    let stable = Service {
        error_rate: 0.002,
        ..Service::GOOD
    };
    let found = (0..100)
        .filter(|seed| first_step(&mut World::new(*seed), &canary, &stable, &policy))
        .count();
    assert!(
        (60..=97).contains(&found),
        "{found} of 100 at an error rate of {rate}"
    );
}

/// Whether 24 looks at a share of 5 % of 200 requests find the canary failing.
fn first_step(world: &mut World, canary: &Service, stable: &Service, policy: &Policy) -> bool {
    use nonevent_analysis::{ArmWindow, Comparison, Window};
    let mut comparison = Comparison::new(policy);
    (0..24).any(|_| {
        let mut arm = |requests: u64, rate: f64| ArmWindow {
            requests,
            errors: world.binomial(requests, rate),
            ..ArmWindow::default()
        };
        let window = Window {
            length_ms: 500,
            stable: arm(190, stable.error_rate),
            canary: arm(10, canary.error_rate),
        };
        comparison.learn(&window.into())
    })
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
