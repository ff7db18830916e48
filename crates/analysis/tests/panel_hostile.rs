//! Panels against missing, wrong and hostile figures: none of them is a pass, and none a failure.

use nonevent_analysis::bounds::{Facts, MetricName};
use nonevent_analysis::panel::{
    Combine, LevelReading, Panel, PanelKind, PanelLook, PanelMetric, PanelPolicy, PanelRule,
    PanelVerdict, Reading, ShareReading,
};
use nonevent_analysis::{GapReason, LatencyCounts, Need, Outcome, Policy};

fn share(stable: (u64, u64), canary: (u64, u64)) -> Reading {
    Reading::Share(ShareReading { stable, canary })
}

const fn level(stable: Option<f64>, canary: f64) -> Reading {
    Reading::Level(LevelReading { stable, canary })
}

fn histogram(counts: &[u64]) -> LatencyCounts {
    LatencyCounts {
        bounds_us: vec![10_000, 20_000, 50_000, 100_000],
        counts: counts.to_vec(),
    }
}

fn latency(stable: &[u64], canary: &[u64]) -> Reading {
    Reading::Latency {
        stable: histogram(stable),
        canary: histogram(canary),
    }
}

fn policy(bounds: &[&str]) -> PanelPolicy {
    let policy = PanelPolicy::new(bounds).expect("the bounds are sound");
    assert!(policy.problems().is_empty(), "{:?}", policy.problems());
    policy
}

/// The verdicts after looks a minute apart.
fn watch(policy: &PanelPolicy, looks: &[Vec<Reading>]) -> Vec<PanelVerdict> {
    let mut panel = Panel::new(policy);
    let looks = (1..).zip(looks).map(|(minute, readings)| {
        panel.observe(&PanelLook {
            at_ms: minute * 60_000,
            readings: readings.clone(),
        });
        panel.verdict()
    });
    looks.collect()
}

fn repeated(reading: &Reading, looks: usize) -> Vec<Vec<Reading>> {
    vec![vec![reading.clone()]; looks]
}

#[test]
fn what_was_not_measured_or_cannot_be_judged_never_passes() {
    let good = &[500];
    let malformed = histogram(&[0, 0, 0, 0, 0, 500]);
    let half = |canary| Reading::Latency {
        stable: LatencyCounts::default(),
        canary,
    };
    let other_bounds = LatencyCounts {
        bounds_us: vec![1_000_000],
        counts: vec![0, 500],
    };
    let cases: [(&str, Reading, &str); 16] = [
        (
            "error_rate <= baseline * 1.5",
            share((0, 0), (500, 400)),
            "no baseline",
        ),
        (
            "error_rate <= baseline + 2%",
            share((0, 0), (500, 400)),
            "no baseline",
        ),
        (
            "availability >= baseline * 0.99",
            share((0, 0), (500, 0)),
            "no baseline",
        ),
        (
            "error_rate <= baseline * 1.5",
            share((1, 0), (500, 0)),
            "hardly a baseline",
        ),
        ("error_rate <= 1%", share((500, 0), (0, 0)), "no canary"),
        ("p99 <= 50ms", latency(good, &[]), "no canary"),
        ("p99 <= baseline * 2", latency(good, &[]), "no canary"),
        (
            "p99 <= baseline * 2",
            latency(&[], &[0, 0, 0, 500]),
            "no baseline",
        ),
        (
            "p99 <= baseline * 2",
            latency(&[20], &[0, 0, 0, 20]),
            "hardly a baseline",
        ),
        (
            "p99.9 <= baseline * 2",
            latency(&[60], &[60]),
            "a p99.9 of few",
        ),
        (
            "p99 <= baseline * 2",
            latency(&[400, 0, 0, 0, 100], &[0, 0, 0, 0, 500]),
            "open baseline",
        ),
        (
            "p99 <= 2s",
            latency(good, &[0, 0, 0, 0, 500]),
            "open canary",
        ),
        (
            "p99 <= baseline * 20",
            latency(good, &[0, 0, 0, 0, 500]),
            "open canary",
        ),
        ("p99 <= 50ms", half(malformed), "malformed"),
        ("p99 <= baseline * 2", half(other_bounds), "other bounds"),
        ("memory <= baseline * 1.2", level(None, 0.5), "no baseline"),
    ];
    for (bound, reading, what) in cases {
        let looks = if what.starts_with("hardly") || what.contains("few") {
            4
        } else {
            30
        };
        let verdicts = watch(&policy(&[bound]), &repeated(&reading, looks));
        for verdict in verdicts {
            assert!(
                matches!(
                    verdict.outcome,
                    Outcome::Inconclusive { .. } | Outcome::NoData
                ),
                "{bound}, {what}: {:?} {}",
                verdict.outcome,
                verdict.reason
            );
        }
    }
}

#[test]
fn a_few_requests_beyond_the_histogram_leave_the_quantile_known() {
    let looks = repeated(&latency(&[500], &[998, 0, 0, 0, 2]), 5);
    let last = watch(&policy(&["p99 <= 2s"]), &looks).pop();
    assert_eq!(last.map(|verdict| verdict.outcome), Some(Outcome::Pass));
}

#[test]
fn a_canary_that_serves_alone_is_held_against_what_the_baseline_did() {
    let policy = policy(&["p99 <= baseline * 2"]);
    for (harm, expected) in [(vec![500], Outcome::Pass), (vec![0, 0, 500], Outcome::Fail)] {
        let mut looks = repeated(&latency(&[500], &[500]), 4);
        looks.extend(vec![
            vec![Reading::Latency {
                stable: LatencyCounts::default(),
                canary: histogram(&harm),
            }];
            12
        ]);
        let last = watch(&policy, &looks).pop().expect("some looks");
        assert_eq!(last.outcome, expected, "{}", last.reason);
    }
}

#[test]
fn looks_are_counted_for_each_rule() {
    let policy = policy(&["availability >= 99%", "error_rate <= 1%"]);
    let good = share((500, 500), (500, 500));
    let none = Reading::Gap(GapReason::Stale);
    let errors = share((500, 0), (500, 0));
    let looks = [
        vec![good.clone(), none.clone()],
        vec![good.clone(), none],
        vec![good, errors],
    ];
    let last = watch(&policy, &looks).pop().expect("some looks");
    assert_eq!(
        last.outcome,
        Outcome::Inconclusive {
            needs: vec![Need::Looks(2)]
        },
        "{}",
        last.reason
    );
    // One of two that may be kept is enough.
    let either = self::policy(&["availability >= 99% or error_rate <= 1%"]);
    let looks = vec![
        vec![
            share((500, 500), (500, 500)),
            Reading::Gap(GapReason::Stale)
        ];
        3
    ];
    let last = watch(&either, &looks).pop().expect("some looks");
    assert_eq!(last.outcome, Outcome::Pass, "{}", last.reason);
}

#[test]
fn a_shared_decline_is_not_the_canarys_fault() {
    let absolute = |good: Reading, bad: Reading, quiet: Reading, bound| {
        let mut looks = repeated(&quiet, 300);
        looks.extend(repeated(&good, 5));
        looks.extend(repeated(&bad, 30));
        let verdicts = watch(&policy(&[bound]), &looks);
        assert!(
            verdicts.iter().all(|it| it.outcome != Outcome::Fail),
            "{bound}: {}",
            verdicts.last().map_or("", |it| &it.reason)
        );
    };
    // What the baseline did before the canary had traffic does not make it better than it is now.
    absolute(
        share((500, 0), (50, 0)),
        share((500, 100), (50, 10)),
        share((500, 0), (0, 0)),
        "error_rate <= 1%",
    );
    absolute(
        latency(&[500], &[50]),
        latency(&[400, 0, 0, 100], &[40, 0, 0, 10]),
        latency(&[500], &[]),
        "p99 <= 50ms",
    );
    // Nor does what it did earlier.
    for (bound, turned) in [
        ("error_rate <= baseline + 2%", false),
        ("error_rate <= baseline * 0.8 + 2%", false),
        ("availability >= baseline * 0.99", true),
    ] {
        let of = |requests: u64, errors: u64| match turned {
            true => (requests, requests - errors),
            false => (requests, errors),
        };
        absolute(
            share(of(500, 1), of(500, 1)),
            share(of(500, 100), of(500, 100)),
            share(of(500, 1), of(500, 1)),
            bound,
        );
    }
}

#[test]
fn what_leans_towards_failing_does_not_pass() {
    // The canary is far over the bound, though not far enough to fail yet; the baseline leans over
    // it, and excuses it.
    let looks = [
        share((5_000, 50), (500, 5)),
        share((5_000, 52), (500, 25)),
        share((5_000, 52), (500, 25)),
        share((5_000, 52), (500, 25)),
    ];
    let looks: Vec<Vec<Reading>> = looks.into_iter().map(|look| vec![look]).collect();
    let last = watch(&policy(&["error_rate <= 1%"]), &looks).pop();
    let last = last.expect("some looks");
    let needs = vec![Need::LessEvidence {
        bound: "error_rate <= 1%".into(),
    }];
    assert_eq!(
        last.outcome,
        Outcome::Inconclusive { needs },
        "{}",
        last.reason
    );
    assert!(!last.outcome.promotes(&Policy {
        promote_inconclusive: true,
        ..Policy::default()
    }));
    // Not yet sustained, and not yet enough.
    let looks = repeated(&share((500, 5), (500, 25)), 3);
    let last = watch(&policy(&["error_rate <= 1% for 1h"]), &looks).pop();
    let needs = vec![Need::LessEvidence {
        bound: "error_rate <= 1% for 1h".into(),
    }];
    let last = last.expect("some looks");
    assert_eq!(
        last.outcome,
        Outcome::Inconclusive { needs },
        "{}",
        last.reason
    );
}

#[test]
fn a_bound_that_is_kept_another_way_is_no_sign_of_a_sick_environment() {
    let policy = policy(&["(cpu <= 90% and error_rate <= 1%) or p99 <= 50ms"]);
    let sick = share((500, 50), (500, 50));
    for (canary, expected) in [
        (vec![500], Outcome::Pass),
        (vec![0, 0, 0, 500], Outcome::EnvironmentUnhealthy),
    ] {
        let readings = vec![
            level(Some(0.5), 0.5),
            sick.clone(),
            latency(&[500], &canary),
        ];
        let last = watch(&policy, &vec![readings; 20]).pop();
        let last = last.expect("some looks");
        assert_eq!(last.outcome, expected, "{}", last.reason);
    }
}

#[test]
fn a_level_over_so_many_requests_waits_for_requests() {
    let policy = policy(&["cpu <= 90% of at least 1000 requests", "error_rate <= 1%"]);
    let look = vec![level(None, 0.95), share((500, 1), (400, 1))];
    let verdicts = watch(&policy, &vec![look; 3]);
    let failed: Vec<bool> = verdicts
        .iter()
        .map(|verdict| verdict.outcome == Outcome::Fail)
        .collect();
    assert_eq!(failed, [false, false, true]);
    assert_eq!(verdicts[2].rules[0].clauses[0].seen, 1_200);
    assert!(verdicts[2].rules[0].clauses[0].of_requests);
}

#[test]
fn panels_that_cannot_judge_say_so() {
    let metric = |name: &str, kind| PanelMetric {
        name: MetricName::new(name).expect("a name"),
        kind,
    };
    let rule = |bound: &str| PanelRule {
        bound: bound.parse().expect("readable"),
        weight: 1,
        critical: false,
    };
    let mut policy = PanelPolicy::of(
        vec![
            rule("hit_rate <= 5"),
            rule("p99 <= baseline + 1%"),
            rule("cpu <= 90% of at least 10 requests"),
        ],
        &Facts::default(),
    );
    policy.metrics = vec![
        metric("hit_rate", PanelKind::Share),
        metric("p99", PanelKind::Latency),
    ];
    policy.gap_ms_max = 0;
    let problems = |policy: &PanelPolicy| {
        let said = policy.problems().into_iter();
        let said: Vec<String> = said
            .map(|it| format!("{}: {}", it.field, it.message))
            .collect();
        said.join("\n")
    };
    let before = problems(&policy);
    policy.rules.remove(0);
    policy.rules.remove(0);
    policy.metrics = vec![metric("cpu", PanelKind::Level)];
    insta::assert_snapshot!(format!("{before}\n---\n{}", problems(&policy)));

    // Without rules there is nothing to pass, and nothing to fail.
    let mut nothing = Panel::new(&PanelPolicy::of(vec![], &Facts::default()));
    assert_eq!(nothing.outcome(), Outcome::NoData);
    nothing.observe(&PanelLook {
        at_ms: 1,
        readings: vec![share((9, 9), (9, 9))],
    });
    assert_eq!(nothing.outcome(), Outcome::NoData);
    // Weights and scores out of range do not fail a good canary.
    let mut odd = self::policy(&["error_rate <= 1%"]);
    odd.rules[0].weight = 0;
    odd.score_min_percent = 101;
    odd.looks_min = 0;
    let last = watch(&odd, &repeated(&share((500, 0), (500, 0)), 3)).pop();
    assert_eq!(last.map(|it| it.outcome), Some(Outcome::Pass));
}

#[test]
fn states_that_do_not_hang_together_are_refused() {
    let policy = policy(&["cpu <= 90%", "error_rate <= baseline * 2"]);
    let mut panel = Panel::new(&policy);
    panel.observe(&PanelLook {
        at_ms: 1,
        // Not the nearest float to any short decimal, and one that JSON has no word for.
        readings: vec![level(Some(f64::NAN), 0.1 + 0.2), share((50, 1), (50, 1))],
    });
    let text = serde_json::to_string(&panel).expect("writable");
    assert_eq!(
        serde_json::from_str::<Panel>(&text).expect("readable"),
        panel
    );
    let state: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for (pointer, value) in [
        ("/broken", serde_json::json!([])),
        ("/tests", serde_json::json!([])),
        ("/tests/0", serde_json::json!([])),
        ("/seen/1", serde_json::json!([])),
        ("/tests/0/0/test", serde_json::json!("unjudged")),
        ("/tests/0/0/clause", serde_json::json!("cpu <= 99%")),
        ("/tests/0/0/place", serde_json::json!(7)),
        ("/policy/rules", serde_json::json!([])),
        ("/seen/0/0/canary", serde_json::json!("7ff0000000000000")),
    ] {
        let mut tampered = state.clone();
        *tampered.pointer_mut(pointer).expect(pointer) = value;
        assert!(
            serde_json::from_value::<Panel>(tampered).is_err(),
            "{pointer}"
        );
    }
}

#[test]
fn hostile_figures_neither_panic_nor_fail_nor_stop_the_tests() {
    let bounds = [
        "availability >= baseline * 0.99",
        "cpu <= 90%",
        "error_rate <= 1%",
        "error_rate <= baseline * 1.5",
        "memory <= baseline * 1.2",
        "p99 <= 50ms",
        "p99 <= baseline * 2",
    ];
    let policy = policy(&bounds);
    let most = u64::MAX;
    let mut looks: Vec<Vec<Reading>> = Vec::new();
    let shares = [(0, 0), (0, most), (1, 0), (most, 0), (most, 1), (5, 5)];
    for stable in shares {
        for canary in shares {
            // As good as the baseline, or nothing that could be compared.
            if stable != canary && canary != (0, 0) && stable != (0, 0) {
                continue;
            }
            for value in [
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                -0.0,
                f64::MIN,
                0.5,
            ] {
                let counts = [canary.1, 0, 0, 0];
                looks.push(vec![
                    share(stable, canary),
                    level(Some(value), value),
                    share(stable, (canary.0, 0)),
                    level(None, value),
                    latency(&[stable.0], &counts),
                ]);
            }
        }
    }
    let mut panel = Panel::new(&policy);
    for (minute, readings) in looks.into_iter().enumerate() {
        for readings in [readings.clone(), readings[..minute % 5].to_vec()] {
            panel.observe(&PanelLook {
                at_ms: (minute as u64).wrapping_mul(u64::MAX / 3),
                readings,
            });
        }
        let verdict = panel.verdict();
        let text = serde_json::to_string(&verdict).expect("finite figures");
        assert!(!text.contains("NaN"), "{text}");
        let state = serde_json::to_string(&panel).expect("writable");
        assert_eq!(
            serde_json::from_str::<Panel>(&state).expect("readable"),
            panel
        );
    }
    assert_ne!(panel.outcome(), Outcome::Fail, "{}", panel.verdict().reason);
}

/// The first look at which the canary is failed.
fn failed_at(bound: &str, looks: &[Vec<Reading>]) -> Option<usize> {
    let verdicts = watch(&policy(&[bound]), looks);
    let first = verdicts.iter().position(|it| it.outcome == Outcome::Fail);
    first.map(|index| index + 1)
}

#[test]
fn limits_are_met_on_the_right_side_and_at_the_right_time() {
    let errors = share((500, 2), (500, 60));
    let cases: [(&str, Reading, Option<usize>); 9] = [
        ("memory >= baseline * 0.8", level(Some(0.5), 0.3), Some(9)),
        ("memory >= baseline * 0.8", level(Some(0.5), 0.5), None),
        ("memory <= baseline * 0.8", level(Some(0.5), 0.3), None),
        ("restarts < 1", level(None, 1.0), Some(1)),
        ("restarts <= 1", level(None, 1.0), None),
        ("error_rate <= 1% for 2m", errors.clone(), Some(5)),
        (
            "error_rate <= 1% for 2m of at least 5000 requests",
            errors,
            Some(12),
        ),
        // Some of (10 ms, 20 ms] may be below the limit.
        ("p99 <= 10000.5us", latency(&[500], &[0, 500]), None),
        ("p99 <= 10ms", latency(&[500], &[0, 500]), Some(2)),
    ];
    for (bound, reading, expected) in cases {
        let found = failed_at(bound, &repeated(&reading, 20));
        assert_eq!(found, expected, "{bound}");
    }
}

#[test]
fn what_was_broken_stays_broken() {
    let mut looks = repeated(&share((500, 2), (500, 60)), 4);
    looks.extend(repeated(&share((500, 2), (500, 0)), 400));
    let last = watch(&policy(&["error_rate <= 1%"]), &looks).pop();
    let last = last.expect("some looks");
    assert_eq!(last.outcome, Outcome::Fail);
    insta::assert_snapshot!(last.reason);
}

#[test]
fn each_way_to_fail_has_its_part_of_alpha() {
    let mut policy = policy(&["error_rate <= 1%", "cpu <= 90%"]);
    for (combine, expected) in [
        (Combine::Bonferroni, 2.0 / (0.9 * 0.02)),
        (Combine::Average, 2.0 / (0.9 * 0.02 / 2.0)),
    ] {
        policy.combine = combine;
        let needed = Panel::new(&policy).verdict().rules[0].e_value_max;
        assert!((needed / expected - 1.0).abs() < 1e-9, "{needed}");
    }
}
