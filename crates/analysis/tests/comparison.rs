//! The comparison as a rollout meets it: steps of seconds, a small share, a busy machine.

mod world;

use nonevent_analysis::{
    ArmWindow, Comparison, GapReason, LatencyCounts, Metric, Need, Observation, Outcome, Policy,
    Verdict, Window,
};
use world::{Service, World, rollout};

fn arm(requests: u64, errors: u64) -> ArmWindow {
    ArmWindow {
        requests,
        errors,
        ..ArmWindow::default()
    }
}

fn errors_only() -> Policy {
    Policy {
        p99_ratio_max_percent: None,
        ..Policy::default()
    }
}

fn look(comparison: &mut Comparison, stable: ArmWindow, canary: ArmWindow) -> Verdict {
    comparison.observe(
        &Window {
            length_ms: 500,
            stable,
            canary,
        }
        .into(),
    )
}

/// The verdict after three of the same looks: what `Pass` demands at least.
fn three_looks(comparison: &mut Comparison, stable: &ArmWindow, canary: &ArmWindow) -> Verdict {
    let verdicts = [(); 3].map(|()| look(comparison, stable.clone(), canary.clone()));
    let [.., last] = verdicts;
    last
}

fn median(mut looks: Vec<usize>) -> usize {
    looks.sort_unstable();
    looks[looks.len() / 2]
}

#[test]
fn faults_are_found_within_three_seconds_at_a_share_of_five_percent() {
    let failing = Service {
        error_rate: 0.3,
        ..Service::GOOD
    };
    let slow = Service {
        slowdown: 20.0,
        ..Service::GOOD
    };
    for (name, canary) in [("errors", failing), ("latency", slow)] {
        for requests_per_look in [150, 300] {
            let looks: Vec<usize> = (0..20)
                .map(|seed| {
                    let mut world = World::new(seed);
                    rollout(&mut world, &canary, &Service::GOOD, requests_per_look, 8)
                        .expect("the fault is found")
                })
                .collect();
            let worst = *looks.iter().max().expect("some runs");
            let median = median(looks);
            assert!(
                median <= 6,
                "{name} at {requests_per_look}: median look {median}"
            );
            assert!(
                worst <= 12,
                "{name} at {requests_per_look}: worst look {worst}"
            );
        }
    }
}

#[test]
fn a_good_canary_on_a_busy_machine_is_almost_never_failed() {
    let bursting = Service {
        variation: 1.0,
        error_rate: 0.004,
        ..Service::GOOD
    };
    for service in [Service::GOOD, bursting] {
        let failed = (0..50)
            .filter(|seed| rollout(&mut World::new(*seed), &service, &service, 200, 8).is_ok())
            .count();
        // alpha is 2 %: 50 runs at 2 % each exceed 4 with probability 0.003.
        assert!(failed <= 2, "{failed} of 50 good canaries failed");
    }
}

#[test]
fn a_good_canary_passes_and_says_what_would_have_been_found() {
    let verdict = rollout(&mut World::new(7), &Service::GOOD, &Service::GOOD, 300, 10)
        .expect_err("a good canary")
        .verdict();
    assert_eq!(verdict.outcome, Outcome::Pass, "{}", verdict.reason);
    insta::assert_snapshot!(verdict.reason);
}

#[test]
fn one_error_in_fifty_requests_means_nothing() {
    let mut comparison = Comparison::new(&errors_only());
    let verdict = look(&mut comparison, arm(950, 0), arm(50, 1));
    assert!(verdict.figures[0].e_value < 3.0, "{verdict:?}");
    assert!(verdict.figures[0].lower.expect("measured") < 0.01);
    for _ in 0..2 {
        let _ = look(&mut comparison, arm(950, 0), arm(50, 0));
    }
    let verdict = comparison.verdict();
    assert_eq!(verdict.outcome, Outcome::Pass, "{}", verdict.reason);
}

/// A quarter of the canary's requests failed, in one look: hardly any single look could fail it, so
/// no single look may pass it either.
#[test]
fn one_terrible_look_does_not_pass() {
    let mut comparison = Comparison::new(&errors_only());
    let verdict = look(&mut comparison, arm(761, 1), arm(60, 16));
    let Outcome::Inconclusive { needs } = verdict.outcome else {
        panic!("{}", verdict.reason);
    };
    assert!(needs.contains(&Need::Looks(2)), "{needs:?}");
    // Two good looks later the evidence is still too near to failing.
    for _ in 0..2 {
        let verdict = look(&mut comparison, arm(761, 1), arm(60, 3));
        assert_ne!(verdict.outcome, Outcome::Pass, "{}", verdict.reason);
    }
}

#[test]
fn inconclusive_promotes_only_where_the_policy_says_so() {
    let tripwire = Policy {
        promote_inconclusive: true,
        ..Policy::default()
    };
    let mut comparison = Comparison::new(&tripwire);
    let verdict = look(&mut comparison, arm(30, 0), arm(2, 0));
    assert!(matches!(verdict.outcome, Outcome::Inconclusive { .. }));
    assert!(verdict.outcome.promotes(&tripwire));
    assert!(!verdict.outcome.promotes(&Policy::default()));
    let reason = GapReason::Stale;
    let stale = comparison.observe(&Observation::Gap { reason });
    assert!(!stale.outcome.promotes(&tripwire), "{}", stale.reason);
    let mut leaning = Comparison::new(&tripwire);
    for _ in 0..2 {
        let _ = look(&mut leaning, arm(300, 0), arm(9, 3));
    }
    let verdict = leaning.verdict();
    assert!(!verdict.outcome.promotes(&tripwire), "{}", verdict.reason);
}

#[test]
fn both_versions_getting_worse_together_is_no_pass() {
    let relative = Policy {
        error_rate_max_ppm: None,
        p99_ratio_max_percent: None,
        ..Policy::default()
    };
    let mut comparison = Comparison::new(&relative);
    for _ in 0..10 {
        let _ = look(&mut comparison, arm(300, 1), arm(0, 0));
    }
    let _ = three_looks(&mut comparison, &arm(270, 1), &arm(30, 0));
    assert_eq!(comparison.verdict().outcome, Outcome::Pass);
    for _ in 0..8 {
        let _ = look(&mut comparison, arm(270, 80), arm(30, 9));
    }
    let verdict = comparison.verdict();
    assert_eq!(
        verdict.outcome,
        Outcome::EnvironmentUnhealthy,
        "{}",
        verdict.reason
    );
    insta::assert_snapshot!(verdict.reason);
}

#[test]
fn no_canary_requests_is_no_data_and_never_a_zero() {
    let mut comparison = Comparison::new(&errors_only());
    assert_eq!(comparison.verdict().outcome, Outcome::NoData);
    let verdict = look(&mut comparison, arm(1_000, 1), arm(0, 0));
    assert_eq!(verdict.outcome, Outcome::NoData, "{}", verdict.reason);
    assert_eq!(verdict.figures[0].canary, None);
    let verdict = look(&mut comparison, arm(0, 0), arm(0, 0));
    insta::assert_snapshot!(verdict.reason);
}

#[test]
fn a_gap_at_the_end_does_not_pass() {
    for reason in [
        GapReason::NoTraffic,
        GapReason::CounterReset,
        GapReason::Stale,
        GapReason::Unreachable,
        GapReason::OpenedBeforeChange,
        GapReason::WarmingUp,
    ] {
        let mut comparison = Comparison::new(&errors_only());
        let good = three_looks(&mut comparison, &arm(900, 0), &arm(100, 0));
        assert_eq!(good.outcome, Outcome::Pass);
        let verdict = comparison.observe(&Observation::Gap { reason });
        let needs = vec![Need::FreshFigures(reason)];
        assert_eq!(
            verdict.outcome,
            Outcome::Inconclusive { needs },
            "{}",
            verdict.reason
        );
        assert_eq!(
            look(&mut comparison, arm(900, 0), arm(100, 0)).outcome,
            Outcome::Pass
        );
    }
}

#[test]
fn a_rule_that_was_never_measured_does_not_pass() {
    let mut comparison = Comparison::new(&Policy::default());
    let verdict = three_looks(&mut comparison, &arm(900, 0), &arm(100, 0));
    let needs = vec![Need::Measurement(Metric::P99Ratio)];
    assert_eq!(
        verdict.outcome,
        Outcome::Inconclusive { needs },
        "{}",
        verdict.reason
    );
}

#[test]
fn both_versions_failing_blames_the_environment() {
    let mut comparison = Comparison::new(&errors_only());
    let mut world = World::new(3);
    let down = Service {
        error_rate: 0.4,
        ..Service::GOOD
    };
    let mut verdict = comparison.verdict();
    for _ in 0..20 {
        let (stable, canary) = (down.window(&mut world, 285), down.window(&mut world, 15));
        verdict = look(&mut comparison, stable, canary);
        assert_ne!(verdict.outcome, Outcome::Fail, "{}", verdict.reason);
    }
    assert_eq!(
        verdict.outcome,
        Outcome::EnvironmentUnhealthy,
        "{}",
        verdict.reason
    );
}

#[test]
fn a_fail_is_final_and_says_why() {
    let mut comparison = Comparison::new(&errors_only());
    for _ in 0..6 {
        let _ = look(&mut comparison, arm(285, 1), arm(15, 5));
    }
    let failed = comparison.verdict();
    assert_eq!(failed.outcome, Outcome::Fail);
    insta::assert_snapshot!(failed.reason);
    for _ in 0..200 {
        assert_eq!(
            look(&mut comparison, arm(285, 1), arm(15, 0)).outcome,
            Outcome::Fail
        );
    }
}

#[test]
fn a_resumed_comparison_is_the_same_comparison() {
    let failing = Service {
        error_rate: 0.02,
        ..Service::GOOD
    };
    let mut world = World::new(11);
    let mut whole = Comparison::new(&Policy::default());
    let mut resumed = whole.clone();
    for _ in 0..30 {
        let window: Observation = Window {
            length_ms: 200,
            stable: Service::GOOD.window(&mut world, 180),
            canary: failing.window(&mut world, 20),
        }
        .into();
        let text = serde_json::to_string(&resumed).expect("finite figures");
        resumed = serde_json::from_str(&text).expect("its own text");
        assert_eq!(whole.observe(&window), resumed.observe(&window));
    }
    assert_eq!(whole, resumed);
}

#[test]
fn shown_not_worse_takes_more_than_no_evidence_of_harm() {
    let policy = Policy {
        require_non_inferiority: true,
        ..errors_only()
    };
    let mut comparison = Comparison::new(&policy);
    let verdict = three_looks(&mut comparison, &arm(500, 0), &arm(500, 0));
    let needs = vec![Need::ShownNotWorse(Metric::ErrorRatio)];
    assert_eq!(
        verdict.outcome,
        Outcome::Inconclusive { needs },
        "{}",
        verdict.reason
    );
    for _ in 0..60 {
        let _ = look(&mut comparison, arm(500, 0), arm(500, 0));
    }
    assert_eq!(
        comparison.verdict().outcome,
        Outcome::Pass,
        "30 000 requests without an error"
    );
}

#[test]
fn the_first_requests_latency_is_not_judged() {
    let policy = Policy {
        warm_up_requests: 40,
        ..Policy::default()
    };
    let bounds = world::bounds_us();
    let window = |canary_us: u64| {
        let latency =
            |us: u64, count: usize| LatencyCounts::from_samples(&bounds, &vec![us; count]);
        Window {
            length_ms: 500,
            stable: ArmWindow {
                requests: 300,
                errors: 0,
                latency: latency(2_000, 300),
            },
            canary: ArmWindow {
                requests: 20,
                errors: 0,
                latency: latency(canary_us, 20),
            },
        }
    };
    let mut comparison = Comparison::new(&policy);
    for _ in 0..2 {
        let _ = comparison.observe(&window(900_000).into());
    }
    for _ in 0..40 {
        let verdict = comparison.observe(&window(2_000).into());
        assert_ne!(verdict.outcome, Outcome::Fail, "{}", verdict.reason);
    }
    let mut cold = Comparison::new(&Policy {
        warm_up_requests: 0,
        ..policy
    });
    let outcomes: Vec<Outcome> = (0..5)
        .map(|_| cold.observe(&window(900_000).into()).outcome)
        .collect();
    assert_eq!(outcomes.last(), Some(&Outcome::Fail));
}
