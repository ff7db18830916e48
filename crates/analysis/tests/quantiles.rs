//! Quantiles and whole distributions of latencies: buckets never add evidence, levels hold at
//! every look, and harm is found in time. The larger simulation is `examples/quantiles.rs`.

#[expect(dead_code, reason = "the other tests' services are not needed here")]
mod world;

use nonevent_analysis::{
    Arm, LatencyCounts, LatencyPair, LatencyPairErrorKind, Mixture, QuantileTest, Shift,
    StochasticOrder, Tuning, distribution_band, ln_quantile_difference,
};
use proptest::prelude::*;
use world::World;

const QUANTILES: [u32; 3] = [QuantileTest::P50, QuantileTest::P95, QuantileTest::P99];
const SAMPLES_OPT: u64 = 200;

fn pair_of(stable: &[u64], canary: &[u64]) -> LatencyPair {
    let mut pair = LatencyPair::new();
    stable.iter().for_each(|us| pair.add_us(Arm::Stable, *us));
    canary.iter().for_each(|us| pair.add_us(Arm::Canary, *us));
    pair
}

/// Evidence that the slower arm's p-quantile is above `times` the faster's, from the samples
/// themselves, at every x.
fn from_samples(slower: &[u64], faster: &[u64], p: f64, times: (u64, u64)) -> f64 {
    let tuning = Tuning {
        v_opt: p * (1.0 - p) * SAMPLES_OPT as f64,
        alpha_opt: 0.05,
    };
    let above = Mixture::beta_binomial_one_sided(p, 1.0 - p, tuning);
    let below = Mixture::beta_binomial_one_sided(1.0 - p, p, tuning);
    let evidence = |mixture: &Mixture, sign: f64, hits: usize, all: usize| {
        let (hits, all) = (hits as f64, all as f64);
        mixture.ln_evidence(sign * (hits - p * all), p * (1.0 - p) * all)
    };
    let at = |x: u64| {
        let up_to = slower.iter().filter(|us| **us <= x).count();
        let before = faster
            .iter()
            .filter(|us| **us * times.0 < x * times.1)
            .count();
        evidence(&below, -1.0, up_to, slower.len()) + evidence(&above, 1.0, before, faster.len())
    };
    slower.iter().map(|x| at(*x)).fold(at(0), f64::min)
}

fn latencies(below: u64) -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(0..below, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn buckets_and_margins_never_add_evidence(
        stable in latencies(3_000), canary in latencies(3_000),
        ppm in prop::sample::select(&[500_000u64, 1_000_000, 1_100_000, 2_000_000][..]),
        quantile in prop::sample::select(&QUANTILES[..]),
    ) {
        let pair = pair_of(&stable, &canary);
        let test = QuantileTest::new(quantile, 0.05, SAMPLES_OPT);
        let p = f64::from(quantile) / 1e6;
        let slower = test.ln_e_value_slower(&pair, Shift::Ppm(ppm));
        let raw = from_samples(&canary, &stable, p, (ppm, 1_000_000));
        prop_assert!(slower <= raw + 1e-9, "slower: {slower} from buckets, {raw} from samples");
        for limit in [slower - 1e-9, slower + 1e-9] {
            let alpha = f64::exp(-limit);
            if alpha < 0.5 {
                prop_assert_eq!(test.is_slower(&pair, Shift::Ppm(ppm), alpha), limit <= slower);
            }
        }
        let not_slower = test.ln_e_value_not_slower(&pair, Shift::Ppm(ppm));
        let raw = from_samples(&stable, &canary, p, (1_000_000, ppm));
        prop_assert!(not_slower <= raw + 1e-9, "not slower: {not_slower}, {raw} from samples");
        let sorted = |samples: &[u64]| {
            let mut samples: Vec<f64> = samples.iter().map(|us| *us as f64).collect();
            samples.sort_by(f64::total_cmp);
            samples
        };
        let different = test.ln_e_value_different(&pair);
        let raw = ln_quantile_difference(&sorted(&stable), &sorted(&canary), p, 0.05, SAMPLES_OPT);
        prop_assert!(different <= raw + 1e-9, "different: {different}, {raw} from samples");
    }

    #[test]
    fn on_exact_buckets_nothing_is_lost(
        stable in latencies(33), canary in latencies(33),
        quantile in prop::sample::select(&QUANTILES[..]),
    ) {
        let pair = pair_of(&stable, &canary);
        let test = QuantileTest::new(quantile, 0.05, SAMPLES_OPT);
        let p = f64::from(quantile) / 1e6;
        let slower = test.ln_e_value_slower(&pair, Shift::NONE);
        let raw = from_samples(&canary, &stable, p, (1, 1));
        prop_assert!((slower - raw).abs() < 1e-9, "{slower}, {raw} from samples");
        let sorted = |samples: &[u64]| {
            let mut samples: Vec<f64> = samples.iter().map(|us| *us as f64).collect();
            samples.sort_by(f64::total_cmp);
            samples
        };
        let different = test.ln_e_value_different(&pair);
        let raw = ln_quantile_difference(&sorted(&stable), &sorted(&canary), p, 0.05, SAMPLES_OPT);
        prop_assert!((different - raw).abs() < 1e-9, "{different}, {raw} from samples");
    }

    #[test]
    fn the_excess_brackets_what_the_samples_say(
        stable in latencies(3_000), canary in latencies(3_000), exact in any::<bool>(),
        ppm in prop::sample::select(&[500_000u64, 1_000_000, 1_100_000, 2_000_000][..]),
    ) {
        // Few and small latencies have buckets of their own: then nothing is lost.
        let exact = exact && ppm == 1_000_000;
        let scaled = |samples: Vec<u64>| -> Vec<u64> {
            samples.into_iter().map(|us| if exact { us / 100 } else { us }).collect()
        };
        let (stable, canary) = (scaled(stable), scaled(canary));
        let share = |samples: &[u64], x: u64, times: u64, of: u64| {
            let up_to = samples.iter().filter(|us| **us * of <= x * times).count();
            up_to as f64 / samples.len() as f64
        };
        let sup = stable.iter()
            .map(|x| share(&stable, *x, 1, 1) - share(&canary, *x, ppm, 1_000_000))
            .fold(0.0, f64::max);
        let width = distribution_band(stable.len() as u64, 0.1, 1)
            + distribution_band(canary.len() as u64, 0.1, 1);
        let excess = StochasticOrder::new(0.2, 1)
            .excess(&pair_of(&stable, &canary), Shift::Ppm(ppm));
        let (low, high) = ((sup - width).max(0.0), (sup + width).min(1.0));
        prop_assert!(excess.low <= low + 1e-12, "{excess:?}, {low} from samples");
        prop_assert!(excess.high >= high - 1e-12, "{excess:?}, {high} from samples");
        prop_assert!(!exact || (excess.low - low).abs() < 1e-12, "{excess:?}, {low}");
    }

    #[test]
    fn any_counts_and_margins_are_stood(
        bounds in prop::collection::btree_set(any::<u64>(), 1..40),
        counts in prop::collection::vec(prop_oneof![Just(0), 0..50u64, any::<u64>()], 0..90),
        ppm in any::<u64>(), us in any::<i64>(), alpha in any::<f64>(), quantile in any::<u32>(),
    ) {
        let bounds_us: Vec<u64> = bounds.into_iter().collect();
        let mut pair = LatencyPair::with_bounds(bounds_us.clone()).expect("a set ascends");
        for (arm, counts) in [Arm::Stable, Arm::Canary].into_iter().zip(counts.chunks(45)) {
            let counts = counts.iter().take(bounds_us.len()).copied().collect();
            let window = LatencyCounts { bounds_us: bounds_us.clone(), counts };
            pair.add(arm, &window).expect("the same bounds");
        }
        let test = QuantileTest::new(quantile, alpha, 1_000);
        for shift in [Shift::Ppm(ppm), Shift::Us(us)] {
            prop_assert!(test.ln_e_value_slower(&pair, shift).is_finite());
            prop_assert!(test.ln_e_value_not_slower(&pair, shift).is_finite());
            let excess = StochasticOrder::new(alpha, 1).excess(&pair, shift);
            prop_assert!((0.0..=1.0).contains(&excess.low), "{excess:?}");
            prop_assert!(excess.low <= excess.high + 1e-12, "{excess:?}");
        }
        prop_assert!(test.ln_e_value_different(&pair).is_finite());
        let (low, high) = test.interval_us(&pair, Arm::Stable, alpha);
        prop_assert!(low <= high);
        let (low, high) = test.ratio_interval(&pair, alpha);
        prop_assert!(low <= high);
        let text = serde_json::to_string(&pair).expect("integers");
        prop_assert_eq!(serde_json::from_str::<LatencyPair>(&text).expect("just written"), pair);
    }
}

#[test]
fn histograms_over_other_bounds_and_broken_states_are_refused() {
    let mut pair = LatencyPair::with_bounds(vec![100, 200]).expect("ascends");
    let mut add = |bounds: &[u64], counts: &[u64]| {
        let window = LatencyCounts {
            bounds_us: bounds.to_vec(),
            counts: counts.to_vec(),
        };
        pair.add(Arm::Canary, &window).map_err(|error| error.kind())
    };
    assert_eq!(add(&[100, 200], &[1, 2, 3]), Ok(()));
    assert_eq!(add(&[], &[]), Ok(()));
    let other = Err(LatencyPairErrorKind::OtherBounds);
    assert_eq!(add(&[100, 300], &[1]), other);
    let too_many = Err(LatencyPairErrorKind::Counts);
    assert_eq!(add(&[100, 200], &[1, 2, 3, 4]), too_many);
    assert_eq!(pair.count(Arm::Canary), 6);
    for text in [
        r#"{"bounds_us":[2,1],"stable":[],"canary":[]}"#,
        r#"{"bounds_us":[1],"stable":[1,2,3],"canary":[]}"#,
        r#"{"bounds_us":[1],"stable":[],"canary":[],"more":0}"#,
    ] {
        assert!(serde_json::from_str::<LatencyPair>(text).is_err(), "{text}");
    }
}

/// A latency around 2 ms, log-normal, and every fiftieth or so ten times as slow.
fn latency_us(world: &mut World, times: f64, tail_times: f64) -> u64 {
    let tail = if world.uniform() < 0.02 {
        10.0 * tail_times
    } else {
        1.0
    };
    (2_000.0 * times * tail * libm::exp(0.4 * world.normal())) as u64
}

/// Looks after every `per_look` requests of each arm; the requests per arm at which `found` first
/// held.
fn watch(
    seed: u64,
    [times, tail_times]: [f64; 2],
    per_look: u64,
    most: u64,
    mut found: impl FnMut(&LatencyPair) -> bool,
) -> Option<u64> {
    let mut world = World::new(seed);
    let mut pair = LatencyPair::new();
    (1..=most / per_look).find_map(|look| {
        for _ in 0..per_look {
            pair.add_us(Arm::Stable, latency_us(&mut world, 1.0, 1.0));
            pair.add_us(Arm::Canary, latency_us(&mut world, times, tail_times));
        }
        found(&pair).then_some(look * per_look)
    })
}

#[test]
fn levels_hold_at_every_look() {
    let tests = QUANTILES.map(|ppm| QuantileTest::new(ppm, 0.05, 500));
    let order = StochasticOrder::new(0.05, 50);
    let limit = f64::ln(20.0);
    let mut alarms = [0; 8];
    for seed in 0..100 {
        let mut alarmed = [false; 8];
        watch(seed, [1.0, 1.0], 25, 800, |pair| {
            for (index, test) in tests.iter().enumerate() {
                alarmed[index] |= test.ln_e_value_slower(pair, Shift::NONE) >= limit;
                alarmed[index + 3] |= test.ln_e_value_different(pair) >= limit;
            }
            // The canary is exactly at this margin, so "not slower than that" is false as well.
            alarmed[6] |= tests[0].ln_e_value_not_slower(pair, Shift::NONE) >= limit;
            alarmed[7] |= order.excess(pair, Shift::NONE).low > 0.0;
            false
        });
        for (sum, alarm) in alarms.iter_mut().zip(alarmed) {
            *sum += u32::from(alarm);
        }
    }
    // At 5 % more than 11 of 100 have probability 0.004.
    assert!(alarms.iter().all(|alarms| *alarms <= 11), "{alarms:?}");
}

#[test]
fn intervals_hold_the_truth_at_every_look() {
    let median = QuantileTest::new(QuantileTest::P50, 0.05, 500);
    // Twice as slow throughout. The true median is that of a mixture with 2 % far above, so a
    // little over 2 ms.
    let mut lost = [0; 2];
    for seed in 0..60 {
        let mut out = [false; 2];
        watch(seed, [2.0, 1.0], 50, 1_000, |pair| {
            let (low, high) = median.interval_us(pair, Arm::Stable, 0.05);
            out[0] |= low >= 2_021 || high < 2_020;
            let (low, high) = median.ratio_interval(pair, 0.05);
            out[1] |= low > 2.0 || high < 2.0;
            false
        });
        lost[0] += u32::from(out[0]);
        lost[1] += u32::from(out[1]);
    }
    // At 5 % more than 8 of 60 have probability 0.003.
    assert!(lost.iter().all(|lost| *lost <= 8), "{lost:?}");
}

#[test]
fn intervals_end_with_the_buckets() {
    let median = QuantileTest::new(QuantileTest::P50, 0.05, 500);
    let all_alike = pair_of(&[10; 1_000], &[10; 3]);
    assert_eq!(median.interval_us(&all_alike, Arm::Stable, 0.05), (9, 10));
    assert_eq!(
        median.interval_us(&all_alike, Arm::Canary, 0.05),
        (0, u64::MAX)
    );
    assert_eq!(
        median.ratio_interval(&all_alike, 0.05),
        (0.0, f64::INFINITY)
    );
    let doubled = pair_of(&[1_000; 1_000], &[2_000; 1_000]);
    let (low, high) = median.difference_interval_us(&doubled, 0.05);
    let (low, high) = (low.expect("many"), high.expect("many"));
    assert!(
        (800..=1_000).contains(&low) && (1_000..1_200).contains(&high),
        "{low} {high}"
    );
    let nothing = LatencyPair::new();
    assert_eq!(
        median.interval_us(&nothing, Arm::Stable, 0.05),
        (0, u64::MAX)
    );
    assert_eq!(median.ln_e_value_slower(&nothing, Shift::NONE).to_bits(), 0);
}

#[test]
fn slow_quantiles_are_found_in_time() {
    let limit = f64::ln(20.0);
    // What is slower by how much, where to look, and requests per arm for half of 20 runs.
    for (times, ppm, latest) in [
        ([1.5, 1.0], QuantileTest::P50, 240),
        ([2.0, 1.0], QuantileTest::P50, 100),
        ([1.5, 1.0], QuantileTest::P99, 6_000),
        ([1.0, 2.0], QuantileTest::P99, 3_000),
    ] {
        let test = QuantileTest::new(ppm, 0.05, latest);
        let per_look = latest / 20;
        let found = (0..20)
            .filter_map(|seed| {
                watch(seed, times, per_look, latest, |pair| {
                    test.ln_e_value_slower(pair, Shift::NONE) >= limit
                })
            })
            .count();
        assert!(found >= 10, "{found} of 20 at {times:?}, {ppm} ppm");
    }
}

#[test]
fn an_equal_canary_is_shown_to_be_within_a_margin() {
    let limit = f64::ln(20.0);
    let median = QuantileTest::new(QuantileTest::P50, 0.05, 500);
    let shown = |seed| {
        watch(seed, [1.0, 1.0], 100, 1_500, |pair| {
            median.ln_e_value_not_slower(pair, Shift::Ppm(1_250_000)) >= limit
        })
    };
    assert!((0..20).filter_map(shown).count() >= 10);
    let order = StochasticOrder::new(0.05, 100);
    let within = |seed| {
        watch(seed, [1.0, 1.0], 500, 2_000, |pair| {
            order.excess(pair, Shift::Ppm(1_250_000)).high < 0.15
        })
    };
    assert!((0..10).filter_map(within).count() >= 5);
}
