//! The simulator: the same bytes for the same seed, and figures that hang together.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set its scene has failed"
)]

use nonevent_document::{Document, Limits, digest_of};
use nonevent_rollout::simulate::{
    ErrorsFault, Fault, Report, Scenario, SimulateErrorKind, StrategyReport, Times, compare,
    simulate,
};
use nonevent_strategy::{Deployment, Facts, Plan, StrategyKind, check, plan};
use proptest::prelude::*;

fn default_plan(kind: StrategyKind) -> Plan {
    plan(&check(Deployment::default_for(kind), Facts::default(), None).unwrap())
}

fn all(scenario: &Scenario, seed: u64, days: u32) -> Report {
    let plans = StrategyKind::ALL.map(|kind| (kind.name(), default_plan(kind)));
    let plans = plans.each_ref().map(|(name, plan)| (*name, plan));
    compare(&plans, scenario, seed, days).unwrap()
}

fn canary(scenario: &Scenario, seed: u64, days: u32) -> StrategyReport {
    let report = simulate(&default_plan(StrategyKind::Canary), scenario, seed, days).unwrap();
    report.strategies.into_iter().next().unwrap()
}

/// Nothing goes wrong but that every release has so many times stable's errors.
fn all_bad(times: u32) -> Scenario {
    let mut scenario = Scenario::without_faults();
    scenario.releases.errors = ErrorsFault {
        basis_points: 10_000,
        times_min: times,
        times_max: times,
    };
    scenario
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_every_machine() {
    let report = all(&Scenario::default(), 7, 20);
    assert_eq!(report, all(&Scenario::default(), 7, 20));
    assert_ne!(report, all(&Scenario::default(), 8, 20));
    insta::assert_snapshot!("digest", digest_of(&report).unwrap());
}

#[test]
fn a_report_reads_well_and_can_be_had_again() {
    let report = all(&Scenario::default(), 7, 20);
    let text = serde_json::to_string_pretty(&report).unwrap();
    insta::assert_snapshot!("report", text);
    let read: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(read, all(&read.scenario, read.seed, read.days));
}

#[test]
fn a_strategy_meets_the_same_releases_alone_and_beside_others() {
    let together = all(&Scenario::default(), 3, 10);
    let alone = canary(&Scenario::default(), 3, 10);
    assert_eq!(together.strategies[0].bad, alone.bad);
    assert_eq!(together.strategies[0].users, alone.users);
    let met = |report: &StrategyReport| {
        let rows = report.faults.iter().map(|row| (row.fault, row.releases));
        rows.collect::<Vec<_>>()
    };
    for strategy in &together.strategies {
        assert_eq!(met(strategy), met(&alone));
    }
}

#[test]
fn sound_releases_are_called_worse_no_more_often_than_the_policy_allows() {
    for variation in [0, 30, 100] {
        let mut scenario = Scenario::without_faults();
        scenario.service.error_variation_percent = variation;
        // Over the rate that is never held against a canary, and under the bound.
        scenario.service.error_rate_ppm = 4_000;
        let canary = canary(&scenario, 11, 40);
        assert_eq!(canary.good.releases, 800);
        assert_eq!(canary.bad.releases, 0);
        assert_eq!(canary.stuck, 0);
        // At 2 % of 800, more than 28 have probability 0.001.
        assert!(canary.good.called_worse <= 28, "{canary:?}");
        assert!(canary.good.rolled_back <= 28, "{canary:?}");
        assert_eq!(canary.users.requests_harmed, 0);
    }
}

#[test]
fn ten_times_the_errors_are_always_caught_by_a_canary_and_harm_the_fewest() {
    let report = all(&all_bad(10), 5, 15);
    let [canary, others @ ..] = report.strategies.as_slice() else {
        unreachable!("there are four strategies");
    };
    assert_eq!(canary.bad.releases, 300);
    assert_eq!(canary.bad.caught, 300, "{canary:?}");
    for other in others {
        assert!(
            canary.users.users_harmed * 2 < other.users.users_harmed,
            "{}: {:?}, canary: {:?}",
            other.name,
            other.users,
            canary.users
        );
    }
}

#[test]
fn worse_releases_are_found_sooner() {
    let detect = |times| {
        canary(&all_bad(times), 5, 10)
            .time_to_detect
            .median_ms
            .unwrap()
    };
    let (often, seldom) = (detect(50), detect(6));
    assert!(often < seldom, "{often} {seldom}");
}

#[test]
fn few_looks_at_first_are_as_good_as_many() {
    let with = |per_watch, error_rate_ppm, days| {
        let mut scenario = Scenario::default();
        scenario.analysis.per_watch = per_watch;
        scenario.service.error_rate_ppm = error_rate_ppm;
        canary(&scenario, 2, days)
    };
    for (error_rate_ppm, days) in [(500, 30), (9_000, 90)] {
        let (few, many) = (with(3, error_rate_ppm, days), with(0, error_rate_ppm, days));
        assert!(few.bad.releases > 30);
        assert_eq!(few.bad, many.bad);
        assert_eq!(few.users.users_harmed, many.users.users_harmed);
        assert_eq!(few.time_to_detect, many.time_to_detect);
        let back = [few.good.rolled_back, many.good.rolled_back];
        assert!(back[0].abs_diff(back[1]) <= 6, "{back:?}");
        // Close to the bound, many do: else there would be nothing to compare.
        assert_eq!(error_rate_ppm > 500, back[1] >= 15, "{back:?}");
    }
}

#[test]
fn each_fault_occurs_as_often_as_the_scenario_says() {
    let canary = canary(&Scenario::default(), 1, 365);
    let releases = |fault| {
        canary
            .faults
            .iter()
            .find(|row| row.fault == fault)
            .unwrap()
            .releases
    };
    for (fault, share) in [
        (Fault::Errors, 0.025),
        (Fault::Leak, 0.01),
        (Fault::None, 0.915),
    ] {
        let (found, wanted) = (releases(fault) as f64, 7_300.0 * share);
        let spread = (wanted * (1.0_f64 - share)).sqrt();
        assert!(
            (found - wanted).abs() < 4.0 * spread,
            "{fault:?}: {found}, not {wanted}"
        );
    }
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let canary = default_plan(StrategyKind::Canary);
    let refused = |plan: &Plan, scenario: &Scenario, days| {
        let error = simulate(plan, scenario, 1, days).unwrap_err();
        (error.kind(), error.to_string())
    };
    let usual = Scenario::default();
    assert_eq!(
        refused(&canary, &usual, u32::MAX).0,
        SimulateErrorKind::TooMuch
    );
    let mut plan = canary.clone();
    plan.steps[0].deadline_ms = 400 * 86_400_000;
    assert_eq!(refused(&plan, &usual, 1).0, SimulateErrorKind::TooMuch);
    let mut plan = canary.clone();
    plan.analysis.as_mut().unwrap().every_ms = 1;
    assert_eq!(refused(&plan, &usual, 1).0, SimulateErrorKind::TooMuch);
    let mut plan = canary.clone();
    plan.steps.clear();
    assert_eq!(refused(&plan, &usual, 1).0, SimulateErrorKind::Plan);
    let mut scenario = usual.clone();
    scenario.service.p99_us = 1;
    scenario.releases.leak.basis_points = 9_900;
    let (kind, text) = refused(&canary, &scenario, 1);
    assert_eq!(kind, SimulateErrorKind::Scenario);
    insta::assert_snapshot!("refused", text);
}

#[test]
fn a_scenario_is_read_from_yaml_and_denies_what_it_does_not_know() {
    let read = |text: &str| {
        let document = Document::parse("scenario.yaml", text.as_bytes(), &Limits::default());
        document.unwrap().decode::<Scenario>()
    };
    assert_eq!(read("{}").unwrap(), Scenario::default());
    let text = "releases: { per_day: 3, slow: { basis_points: 500 } }\nservice: { p50_us: 900 }";
    let scenario = read(text).unwrap();
    assert_eq!(scenario.releases.per_day, 3);
    assert_eq!(scenario.releases.slow.basis_points, 500);
    assert_eq!(scenario.releases.slow.latency_percent, 130);
    let findings = read("releases: { per_dya: 3 }").unwrap_err();
    assert!(findings.to_string().contains("per_day"), "{findings}");
}

fn scenarios() -> impl Strategy<Value = Scenario> {
    let numbers = (1u32..5_000, 0u32..50_000, 0u16..200, 0u32..200_000, 0u32..4);
    let shares = proptest::collection::vec(0u16..1_400, 7);
    (numbers, shares).prop_map(|((rate, errors, variation, refused, looks), shares)| {
        let mut scenario = Scenario::default();
        scenario.traffic.requests_per_second = rate;
        scenario.service.error_rate_ppm = errors;
        scenario.service.error_variation_percent = variation;
        scenario.faults.refused_ppm = refused;
        scenario.faults.never_ready_ppm = refused;
        scenario.faults.no_figures_ppm = refused;
        scenario.analysis.per_watch = looks;
        let releases = &mut scenario.releases;
        let fields = [
            &mut releases.errors.basis_points,
            &mut releases.endpoint.basis_points,
            &mut releases.slow.basis_points,
            &mut releases.leak.basis_points,
            &mut releases.instance.basis_points,
            &mut releases.crash.basis_points,
            &mut releases.dependency.basis_points,
        ];
        for (field, share) in fields.into_iter().zip(shares) {
            *field = share;
        }
        scenario
    })
}

fn ordered(times: &Times) -> bool {
    times.median_ms <= times.p95_ms && (times.count > 0) == times.median_ms.is_some()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn figures_hang_together(scenario in scenarios(), seed: u64) {
        prop_assert_eq!(scenario.problems(), Vec::<String>::new());
        let report = all(&scenario, seed, 2);
        for it in &report.strategies {
            prop_assert_eq!(it.promoted + it.rolled_back + it.stuck, report.releases);
            prop_assert_eq!(it.bad.releases + it.good.releases, report.releases);
            prop_assert!(it.bad.caught + it.bad.missed <= it.bad.releases);
            prop_assert!(it.bad.caught_before_users + it.bad.caught_by_people <= it.bad.caught);
            prop_assert!(it.good.called_worse <= it.good.rolled_back);
            prop_assert_eq!(it.bad.caught + it.good.rolled_back, it.rolled_back);
            let reasons: u64 = it.reasons.iter().map(|row| row.bad + row.good).sum();
            prop_assert_eq!(reasons, it.rolled_back);
            let faults: u64 = it.faults.iter().map(|row| row.releases).sum();
            prop_assert_eq!(faults, report.releases);
            let users = &it.users;
            prop_assert!(users.requests_harmed <= users.requests, "{:?}", users);
            prop_assert!(users.users_harmed <= users.users, "{:?}", users);
            prop_assert!(users.users_harmed <= users.requests_harmed, "{:?}", users);
            let parts = users.requests_failed + users.requests_slowed + users.requests_refused;
            prop_assert!(users.requests_harmed.abs_diff(parts) <= 2, "{:?}", users);
            let times = [it.time_to_detect, it.time_to_recover, it.lead_time];
            prop_assert!(times.iter().all(ordered), "{:?}", times);
            prop_assert_eq!(it.lead_time.count, it.promoted);
            // No rollout is done before its watches are.
            let plan = default_plan(it.strategy);
            let watched_ms: u64 = plan.steps.iter().map(watch_ms).sum();
            prop_assert!(it.lead_time.median_ms.is_none_or(|median_ms| median_ms >= watched_ms));
        }
    }
}

fn watch_ms(step: &nonevent_strategy::Step) -> u64 {
    match step.action {
        nonevent_strategy::Action::Watch { for_ms, .. } => for_ms,
        _ => 0,
    }
}
