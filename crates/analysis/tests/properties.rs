//! Whatever comes in: no panic, no figure that JSON cannot write, no promotion without data.

use nonevent_analysis::{
    ArmWindow, Block, Comparison, CountsShare, Design, GapReason, LatencyCounts, Observation,
    Outcome, Policy, RateRatio, ShareAbove, TwoProportions, Window, distribution_band,
    normal_mixture_bound, normal_mixture_bound_one_sided, power, share_interval,
};
use proptest::prelude::*;

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        0..20u64,
        0..100_000u64,
        (1u64 << 53)..u64::MAX,
        Just(u64::MAX)
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(0.0),
        Just(f64::MIN_POSITIVE),
        Just(f64::MAX),
        -2.0..2.0,
    ]
}

fn arm() -> impl Strategy<Value = ArmWindow> {
    let latency = (
        prop::collection::vec(count(), 0..6),
        prop::collection::vec(count(), 0..6),
    )
        .prop_map(|(bounds_us, counts)| LatencyCounts { bounds_us, counts });
    (count(), count(), latency).prop_map(|(requests, errors, latency)| ArmWindow {
        requests,
        errors,
        latency,
    })
}

fn observation() -> impl Strategy<Value = Observation> {
    prop_oneof![
        4 => (count(), arm(), arm()).prop_map(|(length_ms, stable, canary)| {
            Observation::Window(Window { length_ms, stable, canary })
        }),
        1 => Just(Observation::Gap { reason: GapReason::CounterReset }),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    (any::<[u32; 5]>(), any::<[Option<u32>; 4]>(), any::<bool>()).prop_map(|(n, o, shown)| Policy {
        alpha_ppm: n[0],
        error_rate_max_ppm: o[0],
        error_ratio_max_percent: o[1],
        error_rate_floor_ppm: n[1],
        p99_ratio_max_percent: o[2],
        p99_max_ms: o[3],
        latency_floor_us: n[2],
        margin_percent: n[3],
        block_ms: n[4] % 1_000,
        require_non_inferiority: shown,
        ..Policy::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_figures_give_a_verdict_that_can_be_written_and_read(
        policy in prop_oneof![Just(Policy::default()), policy()],
        observations in prop::collection::vec(observation(), 1..8),
    ) {
        let mut comparison = Comparison::new(&policy);
        for observation in &observations {
            let verdict = comparison.observe(observation);
            let text = serde_json::to_string(&verdict).expect("writable");
            for figure in &verdict.figures {
                let numbers = [figure.stable, figure.canary, figure.effect, figure.lower, figure.upper];
                prop_assert!(numbers.into_iter().flatten().all(f64::is_finite), "{text}");
                prop_assert!(figure.e_value.is_finite() && figure.e_value >= 0.0, "{text}");
            }
            if matches!(observation, Observation::Gap { .. }) {
                prop_assert_ne!(verdict.outcome, Outcome::Pass);
            }
            let state = serde_json::to_string(&comparison).expect("writable");
            let read: Comparison = serde_json::from_str(&state).expect("readable");
            prop_assert_eq!(&read, &comparison);
        }
    }

    #[test]
    fn the_tests_stand_any_number(
        numbers in any::<[u64; 4]>(), small in prop::array::uniform4(count()), a in number(), b in number(),
    ) {
        for [n0, x0, n1, x1] in [numbers, small] {
            let block = Block {
                stable_requests: n0, stable_events: x0, canary_requests: n1, canary_events: x1,
            };
            let mut ratio = RateRatio::new(a);
            let mut share = ShareAbove::new(a);
            let mut two = TwoProportions::new();
            let mut counts = CountsShare::with_prior(a, b, a);
            for _ in 0..3 {
                ratio.observe(&block);
                share.observe(n1, x1);
                two.observe(&block);
                counts.observe(x1, x0);
            }
            for value in [ratio.ln_e_value_above(), ratio.ln_e_value_below(), share.ln_e_value(),
                two.ln_e_value(), counts.ln_e_value(), counts.ln_e_value_above()] {
                prop_assert!(value.is_finite(), "{value} for {block:?}, {a}, {b}");
            }
            let (low, high) = share_interval(x1, n1, a, x0);
            prop_assert!(0.0 <= low && low <= high && high <= 1.0, "{low} {high}");
            prop_assert!(!normal_mixture_bound(a, b, a).is_nan());
            prop_assert!(!normal_mixture_bound_one_sided(a, b, a).is_nan());
            prop_assert!(distribution_band(n0, a, n1) > 0.0);
        }
    }

    #[test]
    fn power_stands_any_design(
        requests_per_minute in count(), canary_basis_points in any::<u16>(), pause_ms in count(),
        look_ms in count(), error_rate_ppm in any::<u32>(), variation_percent in 0..500u32,
        policy in policy(),
    ) {
        let design = Design { requests_per_minute, canary_basis_points, pause_ms, look_ms, error_rate_ppm, variation_percent };
        let found = power(&design, &policy);
        if let (Some(often), Some(oftener)) = (found.error_rate_80, found.error_rate_95) {
            prop_assert!(often <= oftener * 1.001, "{found:?}");
        }
    }

    #[test]
    fn more_errors_of_the_canary_are_never_less_evidence_against_a_bound(
        n1 in 1..500u64, x1 in 0..500u64,
    ) {
        let mut share = ShareAbove::new(0.01);
        let mut more = share.clone();
        share.observe(n1, x1);
        more.observe(n1, x1 + 1);
        prop_assert!(more.ln_e_value() >= share.ln_e_value());
    }

    #[test]
    fn a_canary_that_stays_below_the_bound_gathers_no_evidence(
        n0 in 100..5_000u64, n1 in 100..5_000u64, rate in 0.01..0.2f64,
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss,
            clippy::cast_sign_loss, reason = "a few thousand at most")]
        let events = |requests: u64, rate: f64| (requests as f64 * rate) as u64;
        let mut ratio = RateRatio::new(1.0);
        for _ in 0..40 {
            ratio.observe(&Block {
                stable_requests: n0, stable_events: events(n0, rate).max(1),
                canary_requests: n1, canary_events: events(n1, rate * 0.5),
            });
            prop_assert!(ratio.ln_e_value_above() < 1.0, "{}", ratio.ln_e_value_above());
        }
        prop_assert!(ratio.ln_e_value_below() > ratio.ln_e_value_above());
    }
}

/// A pause that outlasts every clock is walked in strides that double.
#[test]
fn power_stands_a_pause_of_any_length() {
    let design = Design {
        requests_per_minute: 600,
        canary_basis_points: 1_000,
        pause_ms: u64::MAX,
        look_ms: 1,
        error_rate_ppm: 1_000,
        variation_percent: 0,
    };
    let found = power(&design, &Policy::default());
    assert!(found.error_rate_95.is_some(), "{found:?}");
}
