//! Compares two versions minute by minute and prints what each look says.
//!
//! `cargo run -p nonevent-analysis --example watch [CANARY_ERROR_RATE]` (0.05 unless said
//! otherwise; stable has 0.01).

#[path = "../tests/world/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod world;

use nonevent_analysis::{Comparison, Design, Outcome, Policy, Window, power};
use world::{Service, World};

fn main() {
    let rate = std::env::args()
        .nth(1)
        .and_then(|rate| rate.parse().ok())
        .unwrap_or(0.05);
    let policy = Policy {
        error_rate_max_ppm: None,
        error_ratio_max_percent: Some(150),
        ..Policy::default()
    };
    let design = Design {
        requests_per_minute: 1_000,
        canary_basis_points: 2_500,
        pause_ms: 30 * 60_000,
        look_ms: 60_000,
        error_rate_ppm: 10_000,
        variation_percent: 0,
    };
    for time in power(&design, &policy).times {
        let minutes = time
            .expected_ms
            .map_or("never".into(), |ms| format!("{} min", ms / 60_000));
        println!(
            "{} % of stable's error rate is expected to be found in: {minutes}",
            time.ratio_percent
        );
    }

    let stable = Service {
        error_rate: 0.01,
        variation: 0.3,
        ..Service::GOOD
    };
    let canary = Service {
        error_rate: rate,
        variation: 0.3,
        ..Service::GOOD
    };
    let mut world = World::new(2026);
    let mut comparison = Comparison::new(&policy);
    for minute in 1..=30 {
        let window = Window {
            length_ms: 60_000,
            stable: stable.window(&mut world, 750),
            canary: canary.window(&mut world, 250),
        };
        let verdict = comparison.observe(&window.into());
        println!(
            "minute {minute:2}: {:?}: {}",
            verdict.outcome, verdict.reason
        );
        if verdict.outcome == Outcome::Fail {
            // Here a deployer goes back.
            return;
        }
    }
}
