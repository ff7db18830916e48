//! A canary that serves alone is judged against what stable did before.

use nonevent_analysis::{ArmWindow, Comparison, LatencyCounts, Outcome, Policy, Window};

const BOUNDS_US: [u64; 4] = [5_000, 10_000, 20_000, 100_000];

fn arm(fast: u64, slow: u64) -> ArmWindow {
    ArmWindow {
        requests: fast + slow,
        errors: 0,
        latency: LatencyCounts {
            bounds_us: BOUNDS_US.to_vec(),
            counts: vec![fast, 0, 0, slow],
        },
    }
}

fn outcome_of(slow: u64) -> Outcome {
    let mut comparison = Comparison::new(&Policy::default());
    for _ in 0..6 {
        let stable = arm(150, 0);
        let window = Window {
            length_ms: 500,
            stable,
            canary: ArmWindow::default(),
        };
        let _ = comparison.observe(&window.into());
    }
    let mut last = Outcome::NoData;
    for _ in 0..12 {
        let canary = arm(150 - slow, slow);
        let window = Window {
            length_ms: 500,
            stable: ArmWindow::default(),
            canary,
        };
        last = comparison.observe(&window.into()).outcome;
    }
    last
}

#[test]
fn as_fast_as_before_passes_and_slower_fails() {
    assert_eq!(outcome_of(0), Outcome::Pass);
    assert_eq!(
        outcome_of(1),
        Outcome::Pass,
        "one slow request in 150 is under 1 %"
    );
    assert_eq!(outcome_of(30), Outcome::Fail);
}
