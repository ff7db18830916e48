//! The interval by selection against roots found naively, and what must hold for any samples.

use nonevent_analysis::kayenta::{
    Arms, Classification, Config, Direction, EffectMeasure, EffectSize, Judge, MannWhitney,
    MetricConfig, MetricSamples, NanStrategy, Outliers, ShiftInterval, cles,
};
use proptest::prelude::*;

/// z at shift `d`, from ranks, with ties taken where they fall.
fn z(experiment: &[f64], control: &[f64], d: f64, correct: bool) -> f64 {
    let shifted: Vec<f64> = experiment.iter().map(|x| x - d).collect();
    let all: Vec<f64> = shifted.iter().chain(control).copied().collect();
    let count = |test: &dyn Fn(&f64) -> bool| all.iter().filter(|x| test(x)).count() as f64;
    let (m, n) = (experiment.len() as f64, control.len() as f64);
    let ranks: f64 = shifted
        .iter()
        .map(|x| count(&|other| other < x) + (count(&|other| other == x) + 1.0) / 2.0)
        .sum();
    // Each member of a group of t adds t² − 1.
    let ties: f64 = all
        .iter()
        .map(|x| count(&|other| other == x).powi(2) - 1.0)
        .sum();
    let u = ranks - m * (m + 1.0) / 2.0 - m * n / 2.0;
    let sigma = (m * n / 12.0 * (m + n + 1.0 - ties / ((m + n) * (m + n - 1.0)))).sqrt();
    let correction = if correct && u != 0.0 {
        0.5 * u.signum()
    } else {
        0.0
    };
    (u - correction) / sigma
}

/// Where z falls below (or to) `level`: z is looked at between all differences, one after another.
fn root(experiment: &[f64], control: &[f64], level: f64, correct: bool, inclusive: bool) -> f64 {
    let mut all: Vec<f64> = experiment
        .iter()
        .flat_map(|x| control.iter().map(move |y| x - y))
        .collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    let below = |value: f64| {
        if inclusive {
            value <= level
        } else {
            value < level
        }
    };
    all.windows(2)
        .find(|pair| {
            below(z(
                experiment,
                control,
                f64::midpoint(pair[0], pair[1]),
                correct,
            ))
        })
        .map_or(all[all.len() - 1], |pair| pair[0])
}

fn naive(experiment: &[f64], control: &[f64]) -> ShiftInterval {
    const QUANTILE: f64 = 2.326_347_874_040_841;
    let before = experiment.iter().fold(f64::INFINITY, |a, b| a.min(*b))
        - control.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b))
        - 1.0;
    ShiftInterval {
        lower: root(experiment, control, QUANTILE, true, false),
        upper: root(experiment, control, -QUANTILE, true, false),
        estimate: f64::midpoint(
            root(experiment, control, 0.0, false, true),
            root(experiment, control, 0.0, false, false),
        ),
        attained: z(experiment, control, before, true) >= QUANTILE,
    }
}

fn interval(experiment: &[f64], control: &[f64]) -> ShiftInterval {
    let arms = Arms {
        control,
        experiment,
    };
    MannWhitney::new(0.98).interval(arms).expect("finite")
}

fn either() -> MetricConfig {
    MetricConfig {
        name: "m".into(),
        ..MetricConfig::default()
    }
}

fn decide(metric: &MetricConfig, experiment: &[f64], control: &[f64]) -> Classification {
    let arms = Arms {
        control,
        experiment,
    };
    let compared = Judge::new().compare(metric, arms).expect("few samples");
    compared.classification
}

/// Whole numbers, so that shifts and sums are exact: many ties, or few.
fn samples(sizes: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        prop::collection::vec((0..8i32).prop_map(f64::from), sizes.clone()),
        prop::collection::vec((-500_000..500_000i32).prop_map(f64::from), sizes.clone()),
        // Over many orders of magnitude.
        prop::collection::vec(
            (-20..20i32).prop_map(|p| f64::from(p.signum()) * 2f64.powi(p.abs())),
            sizes
        ),
    ]
}

fn hostile() -> impl Strategy<Value = Vec<f64>> {
    let number = prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(0.0),
        Just(-0.0),
        Just(f64::MIN_POSITIVE),
        Just(5e-324),
        Just(1e300),
        Just(-1e300),
        Just(f64::MAX),
        -2.0..2.0,
        any::<f64>(),
    ];
    prop::collection::vec(number, 0..30)
}

fn metric() -> impl Strategy<Value = MetricConfig> {
    let direction = prop_oneof![
        Just(Direction::Increase),
        Just(Direction::Decrease),
        Just(Direction::Either)
    ];
    (direction, any::<[bool; 5]>(), any::<Option<u32>>()).prop_map(|(direction, b, limit)| {
        MetricConfig {
            direction,
            nan: if b[0] {
                NanStrategy::Replace
            } else {
                NanStrategy::Remove
            },
            outliers: if b[1] {
                Outliers::Remove
            } else {
                Outliers::Keep
            },
            critical: b[2],
            must_have_data: b[3],
            effect_size: EffectSize {
                measure: if b[4] {
                    EffectMeasure::Cles
                } else {
                    EffectMeasure::MeanRatio
                },
                allowed_increase_permille: limit.map(|limit| limit.max(1_000)),
                ..EffectSize::default()
            },
            ..either()
        }
    })
}

fn mirrored(classification: Classification) -> Classification {
    match classification {
        Classification::High => Classification::Low,
        Classification::Low => Classification::High,
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn roots_are_those_of_a_naive_search(x in samples(1..16), y in samples(1..16)) {
        prop_assert_eq!(interval(&x, &y), naive(&x, &y));
    }

    #[test]
    fn order_statistics_of_many_differences(x in samples(20..90), y in samples(20..90)) {
        let mut all: Vec<f64> = x.iter().flat_map(|x| y.iter().map(move |y| x - y)).collect();
        all.sort_by(f64::total_cmp);
        let shift = interval(&x, &y);
        let pairs = all.len();
        prop_assert_eq!(shift.estimate, f64::midpoint(all[(pairs - 1) / 2], all[pairs / 2]));
        // The naive z between the differences on both sides of the ends.
        for (end, level) in [(shift.lower, 2.326_347_874_040_841), (shift.upper, -2.326_347_874_040_841)] {
            prop_assert!(z(&x, &y, end - 1e-7, true) > level, "{shift:?}");
            prop_assert!(z(&x, &y, end + 1e-7, true) < level, "{shift:?}");
        }
    }

    #[test]
    fn swapping_mirrors_and_shifting_and_scaling_carry_over(
        x in samples(1..25), y in samples(1..25), by in -1_000..1_000i32, power in -40..40i32,
    ) {
        let shift = interval(&x, &y);
        let swapped = interval(&y, &x);
        prop_assert_eq!(
            (swapped.lower, swapped.upper, swapped.estimate),
            (-shift.upper, -shift.lower, -shift.estimate)
        );
        let by = f64::from(by);
        let moved = |samples: &[f64], by: f64| samples.iter().map(|x| x + by).collect::<Vec<_>>();
        prop_assert_eq!(interval(&moved(&x, by), &moved(&y, by)), shift);
        let apart = interval(&moved(&x, by), &y);
        prop_assert_eq!((apart.lower, apart.estimate), (shift.lower + by, shift.estimate + by));
        let factor = 2f64.powi(power);
        let scaled = |samples: &[f64]| samples.iter().map(|x| x * factor).collect::<Vec<_>>();
        let larger = interval(&scaled(&x), &scaled(&y));
        prop_assert_eq!(
            (larger.lower, larger.upper, larger.estimate),
            (shift.lower * factor, shift.upper * factor, shift.estimate * factor)
        );
        // Positive, so that the mean ratio has a direction.
        let (x, y) = (moved(&x, 2e6), moved(&y, 2e6));
        for measure in [EffectMeasure::MeanRatio, EffectMeasure::Cles] {
            let metric = MetricConfig {
                effect_size: EffectSize { measure, ..EffectSize::default() },
                ..either()
            };
            let decision = decide(&metric, &x, &y);
            prop_assert_eq!(decide(&metric, &y, &x), mirrored(decision));
            prop_assert_eq!(decide(&metric, &scaled(&x), &scaled(&y)), decision);
        }
    }

    #[test]
    fn four_against_four_never_decide_and_five_that_are_apart_do(
        x in samples(4..5), y in samples(1..5), low in samples(5..6), gap in 1..1_000i32,
    ) {
        prop_assert_eq!(decide(&either(), &x, &y), Classification::Pass);
        prop_assert!(!interval(&x, &y).attained);
        // The least difference must be above a quarter of the median one.
        let low: Vec<f64> = low.iter().map(|x| x + 2e6).collect();
        let high: Vec<f64> = low.iter().map(|x| x + 4e6 + f64::from(gap)).collect();
        prop_assert_eq!(decide(&either(), &high, &low), Classification::High);
        prop_assert_eq!(decide(&either(), &low, &high), Classification::Low);
    }

    #[test]
    fn cles_is_the_share_of_pairs(x in samples(1..20), y in samples(1..20)) {
        let pairs = x.iter().flat_map(|x| y.iter().map(move |y| {
            if x > y { 1.0 } else if x == y { 0.5 } else { 0.0 }
        }));
        let share = pairs.sum::<f64>() / (x.len() * y.len()) as f64;
        let found = cles(Arms { control: &y, experiment: &x }).expect("finite");
        prop_assert!((found - share).abs() < 1e-12);
    }

    #[test]
    fn any_samples_give_a_judgement_that_can_be_written(
        metric in metric(), x in hostile(), y in hostile(),
    ) {
        let must = metric.must_have_data;
        let config = Config { metrics: vec![metric], ..Config::default() };
        let arms = Arms { control: &y, experiment: &x };
        let judgement = Judge::new().judge(&config, &[MetricSamples { name: "m", arms }]);
        let judgement = judgement.expect("a sound configuration");
        let compared = judgement.metrics[0].compared;
        let figures = compared.shift.map(|shift| [shift.lower, shift.upper, shift.estimate]);
        prop_assert!(figures.into_iter().flatten().chain(compared.effect_size).all(f64::is_finite));
        if let Some(shift) = compared.shift {
            prop_assert!(shift.lower <= shift.estimate && shift.estimate <= shift.upper);
        }
        let empty = compared.control_samples == 0 || compared.experiment_samples == 0;
        let no_data = if must { Classification::NoDataFail } else { Classification::NoData };
        prop_assert_eq!(compared.classification == no_data, empty);
        let text = serde_json::to_string(&judgement).expect("writable");
        prop_assert!(serde_json::from_str::<nonevent_analysis::kayenta::Judgement>(&text).is_ok());
    }
}

#[test]
fn many_samples_are_no_trouble() {
    // All distinct, all equal but one, and growing exponentially: the worst for secants.
    let line: Vec<f64> = (0..3_000).map(f64::from).collect();
    let mut flat = vec![1.0; 3_000];
    flat[0] = 2.0;
    let steep: Vec<f64> = (0..3_000).map(|i| 1.2f64.powi(i)).collect();
    for samples in [&line, &flat, &steep] {
        let shift = interval(samples, samples);
        assert_eq!(shift.estimate, 0.0);
        assert_eq!(shift.lower, -shift.upper);
        assert!(shift.attained);
    }
}
