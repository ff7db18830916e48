//! Many metrics under bounds: what fails a canary, what excuses it, and what lets it pass.

#[expect(dead_code, reason = "other tests use the rest of it")]
mod world;

use nonevent_analysis::bounds::{Answer, Facts};
use nonevent_analysis::panel::{
    Combine, LevelReading, Panel, PanelLook, PanelPolicy, PanelRule, PanelVerdict, Reading,
    ShareReading,
};
use nonevent_analysis::{GapReason, LatencyCounts, Need, Outcome};
use world::World;

fn share(stable: (u64, u64), canary: (u64, u64)) -> Reading {
    Reading::Share(ShareReading { stable, canary })
}

fn level(stable: f64, canary: f64) -> Reading {
    Reading::Level(LevelReading {
        stable: Some(stable),
        canary,
    })
}

/// Latencies in milliseconds, so many requests of each.
fn latency(stable: &[(u64, usize)], canary: &[(u64, usize)]) -> Reading {
    let counts = |arm: &[(u64, usize)]| {
        let each = arm.iter().flat_map(|(ms, count)| vec![ms * 1_000; *count]);
        LatencyCounts::from_samples(&world::bounds_us(), &each.collect::<Vec<_>>())
    };
    Reading::Latency {
        stable: counts(stable),
        canary: counts(canary),
    }
}

/// What one bound says after each of these looks, a minute apart.
fn watch(bound: &str, looks: Vec<Reading>) -> Vec<PanelVerdict> {
    let policy = PanelPolicy::new(&[bound]).expect("the bound is sound");
    assert!(policy.problems().is_empty(), "{:?}", policy.problems());
    let mut panel = Panel::new(&policy);
    let minutes = looks.into_iter().zip(1..);
    let verdicts = minutes.map(|(reading, minute): (Reading, u64)| {
        panel.observe(&PanelLook {
            at_ms: minute * 60_000,
            readings: vec![reading],
        });
        // What is written down and read back goes on as the same test.
        let text = serde_json::to_string(&panel).expect("writable");
        let read: Panel = serde_json::from_str(&text).expect("readable");
        assert_eq!(read, panel);
        panel.verdict()
    });
    verdicts.collect()
}

/// The minute at which the canary is first failed.
fn failed_at(bound: &str, looks: Vec<Reading>) -> Option<usize> {
    let verdicts = watch(bound, looks);
    let first = verdicts.iter().position(|v| v.outcome == Outcome::Fail);
    first.map(|index| index + 1)
}

#[test]
fn each_kind_of_clause_finds_its_harm_and_leaves_its_equal_alone() {
    let slow = [(9, 950), (60, 50)];
    let cases: [(&str, Reading, Reading, usize); 12] = [
        (
            "error_rate <= 1%",
            share((500, 2), (500, 2)),
            share((500, 2), (500, 60)),
            3,
        ),
        (
            "error_rate < 1%",
            share((500, 2), (500, 2)),
            share((500, 2), (500, 60)),
            3,
        ),
        (
            "availability >= 99.9%",
            share((900, 900), (900, 900)),
            share((900, 900), (900, 880)),
            3,
        ),
        (
            "error_rate <= baseline * 1.5",
            share((500, 5), (500, 5)),
            share((500, 5), (500, 25)),
            5,
        ),
        (
            "error_rate <= baseline + 2%",
            share((500, 5), (500, 10)),
            share((500, 5), (500, 60)),
            10,
        ),
        (
            "availability >= baseline * 0.99",
            share((500, 495), (500, 494)),
            share((500, 495), (500, 440)),
            8,
        ),
        (
            "p99 <= 50ms",
            latency(&[(9, 500)], &[(9, 500)]),
            latency(&[(9, 500)], &slow),
            7,
        ),
        (
            "p99 <= baseline * 2",
            latency(&[(9, 500)], &[(9, 500)]),
            latency(&[(9, 500)], &slow),
            9,
        ),
        (
            "p95 <= baseline + 20ms",
            latency(&[(9, 500)], &[(9, 500)]),
            latency(&[(9, 500)], &[(9, 300), (60, 200)]),
            8,
        ),
        ("cpu <= 90%", level(0.4, 0.8), level(0.4, 0.95), 1),
        ("restarts <= 0", level(0.0, 0.0), level(0.0, 1.0), 1),
        (
            "memory <= baseline * 1.2",
            level(0.5, 0.55),
            level(0.5, 0.7),
            12,
        ),
    ];
    for (bound, equal, harm, latest) in cases {
        let good = watch(bound, vec![equal; 30]);
        let last = good.last().expect("some looks");
        assert_eq!(last.outcome, Outcome::Pass, "{bound}: {}", last.reason);
        let found = failed_at(bound, vec![harm; 30]);
        assert!(
            found.is_some_and(|minute| minute <= latest),
            "{bound}: found {found:?}, at the latest {latest}"
        );
    }
}

#[test]
fn one_error_in_fifty_requests_means_nothing() {
    let one = share((950, 0), (50, 1));
    let verdicts = watch("error_rate <= 1%", vec![one]);
    assert!(matches!(verdicts[0].outcome, Outcome::Inconclusive { .. }));
}

#[test]
fn one_terrible_look_is_not_yet_a_failure_and_no_pass() {
    let terrible = share((950, 1), (60, 30));
    let verdict = &watch("error_rate <= baseline * 2", vec![terrible])[0];
    let Outcome::Inconclusive { needs } = &verdict.outcome else {
        panic!("{verdict:?}");
    };
    assert!(needs.contains(&Need::Looks(2)), "{needs:?}");
}

#[test]
fn what_is_to_be_sustained_must_hold_for_its_time() {
    let hot = || level(0.5, 0.95);
    let cool = || level(0.5, 0.5);
    let bound = "cpu <= 90% for 5m";
    assert_eq!(failed_at(bound, vec![hot(); 9]), Some(6));
    let interrupted = vec![hot(), hot(), hot(), cool(), hot(), hot(), hot(), hot()];
    let verdicts = watch(bound, interrupted);
    assert!(
        verdicts
            .iter()
            .all(|verdict| verdict.outcome != Outcome::Fail)
    );
    // Beyond its limit, if not for long enough: neither kept nor broken.
    let last = verdicts.last().expect("some looks");
    assert!(
        matches!(last.outcome, Outcome::Inconclusive { .. }),
        "{}",
        last.reason
    );
    insta::assert_snapshot!(last.reason);
}

#[test]
fn both_versions_over_one_limit_are_the_environments_fault() {
    let both = share((500, 100), (500, 100));
    let verdicts = watch("error_rate <= 1%", vec![both.clone(); 5]);
    let last = verdicts.last().expect("some looks");
    assert_eq!(
        last.outcome,
        Outcome::EnvironmentUnhealthy,
        "{}",
        last.reason
    );
    insta::assert_snapshot!(last.reason);
    // The canary is still to blame for what it does beside that.
    let worse = share((500, 100), (500, 400));
    let bound = "error_rate <= 1% and error_rate <= baseline * 1.5";
    assert!(failed_at(bound, vec![worse; 10]).is_some());
    // A floor that the baseline is above does not excuse a canary that is far worse.
    let floor = "error_rate <= baseline * 1.5 or error_rate <= 0.1%";
    assert!(failed_at(floor, vec![share((500, 5), (500, 60)); 10]).is_some());
}

#[test]
fn a_gap_is_never_a_pass() {
    let good = share((500, 2), (500, 2));
    for reason in [
        GapReason::Stale,
        GapReason::CounterReset,
        GapReason::NoTraffic,
    ] {
        let looks = vec![
            good.clone(),
            good.clone(),
            good.clone(),
            Reading::Gap(reason),
        ];
        let verdicts = watch("error_rate <= 1%", looks);
        assert_eq!(verdicts[2].outcome, Outcome::Pass);
        assert!(
            matches!(verdicts[3].outcome, Outcome::Inconclusive { .. }),
            "{reason:?}"
        );
    }
    let nothing = watch("error_rate <= 1%", vec![Reading::Gap(GapReason::Stale); 4]);
    assert_eq!(nothing[3].outcome, Outcome::NoData);
    // A reading of another kind is none.
    let wrong = watch("error_rate <= 1%", vec![level(0.0, 0.0); 4]);
    assert_eq!(wrong[3].outcome, Outcome::NoData);
}

fn rules(bounds: &[(&str, u32, bool)]) -> PanelPolicy {
    let rules = bounds.iter().map(|(bound, weight, critical)| PanelRule {
        bound: bound.parse().expect("the bound is sound"),
        weight: *weight,
        critical: *critical,
    });
    PanelPolicy::of(rules.collect(), &Facts::default())
}

fn after(policy: &PanelPolicy, looks: u64, readings: &[Reading]) -> PanelVerdict {
    let mut panel = Panel::new(policy);
    for minute in 1..=looks {
        panel.observe(&PanelLook {
            at_ms: minute * 60_000,
            readings: readings.to_vec(),
        });
    }
    panel.verdict()
}

#[test]
fn a_critical_rule_fails_alone_and_others_by_their_weight() {
    let bounds = |critical| {
        let mut policy = rules(&[("cpu <= 90%", 1, critical), ("error_rate <= 1%", 3, false)]);
        policy.score_min_percent = 70;
        policy
    };
    // Readings in the order of the metrics, which is that of their names.
    let readings = [level(0.5, 0.99), share((500, 1), (500, 1))];
    let lenient = after(&bounds(false), 5, &readings);
    assert_eq!(
        (lenient.score_percent, &lenient.outcome),
        (75, &Outcome::Pass)
    );
    assert_eq!(lenient.rules[0].answer, Answer::Broken);
    let strict = after(&bounds(true), 5, &readings);
    assert_eq!(strict.outcome, Outcome::Fail);
    insta::assert_snapshot!(strict.reason);
}

#[test]
fn many_small_harms_add_up_if_the_policy_says_so() {
    let bounds: Vec<String> = (0..8)
        .map(|index| format!("p{} <= baseline * 1.1", 50 + index))
        .collect();
    let bounds: Vec<(&str, u32, bool)> = bounds.iter().map(|b| (b.as_str(), 1, false)).collect();
    let mut policy = rules(&bounds);
    policy.combine = Combine::Average;
    let slower = latency(&[(9, 500)], &[(9, 100), (14, 400)]);
    let (mut alone, mut together) = (None, None);
    for looks in 1..40 {
        let verdict = after(&policy, looks, &vec![slower.clone(); 8]);
        let broken = verdict
            .rules
            .iter()
            .any(|rule| rule.answer == Answer::Broken);
        if broken && alone.is_none() {
            alone = Some(looks);
        }
        if verdict.outcome == Outcome::Fail && together.is_none() {
            together = Some(looks);
        }
    }
    assert!(
        together < alone || alone.is_none() && together.is_some(),
        "{together:?} {alone:?}"
    );
}

#[test]
fn policies_say_what_cannot_be_meant() {
    let mut policy = rules(&[("p99 >= 5ms", 0, false), ("error_rate <= 1%", 1, false)]);
    policy.metrics.pop();
    policy.metrics.extend(policy.metrics.clone());
    policy.alpha_ppm = 0;
    policy.looks_min = 0;
    policy.score_min_percent = 0;
    let said: Vec<String> = policy
        .problems()
        .into_iter()
        .map(|problem| format!("{}: {}", problem.field, problem.message))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    assert!(PanelPolicy::new(&["error_rate <= 1 %%", "p99 <= 1%"]).is_err());
}

#[test]
fn good_canaries_keep_the_level_over_twenty_metrics() {
    let bounds: Vec<String> = (0..20)
        .map(|index| match index % 2 {
            0 => "error_rate <= baseline * 1.01 or error_rate <= 0.01%".to_owned(),
            _ => "availability >= 98%".to_owned(),
        })
        .collect();
    let bounds: Vec<&str> = bounds.iter().map(String::as_str).collect();
    let mut policy = PanelPolicy::new(&bounds).expect("the bounds are sound");
    policy.alpha_ppm = 200_000;
    let alarms = (0..60u64)
        .filter(|seed| {
            let mut world = World::new(*seed);
            let mut panel = Panel::new(&policy);
            (0..20u64).any(|minute| {
                let mut bad = || world.poisson(10.0 * 1.0).min(500);
                let (stable, canary) = (bad(), bad());
                panel.observe(&PanelLook {
                    at_ms: minute * 60_000,
                    // `availability` comes before `error_rate`.
                    readings: vec![
                        share((500, 500 - stable), (500, 500 - canary)),
                        share((500, stable), (500, canary)),
                    ],
                });
                panel.outcome() == Outcome::Fail
            })
        })
        .count();
    // At 20 % more than 20 of 60 have probability 0.005.
    assert!(alarms <= 20, "{alarms} of 60");
}
