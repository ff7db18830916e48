//! The second opinion: figures as R's, decisions as described, scores as reckoned by hand.

use nonevent_analysis::kayenta::{
    Arms, Classification, Compared, Config, Direction, EffectMeasure, EffectSize, Judge, Judgement,
    KayentaErrorKind, MetricConfig, MetricSamples, NanStrategy, Outliers, Rating, SAMPLES_MAX,
    cles, mann_whitney_interval, mean_ratio,
};

const LOW: [f64; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];
const HIGH: [f64; 5] = [11.0, 12.0, 13.0, 14.0, 15.0];

fn metric(name: &str) -> MetricConfig {
    MetricConfig {
        name: name.into(),
        ..MetricConfig::default()
    }
}

fn compare(metric: &MetricConfig, control: &[f64], experiment: &[f64]) -> Compared {
    let arms = Arms {
        control,
        experiment,
    };
    Judge::new().compare(metric, arms).expect("few samples")
}

/// From R 4.2.2: `wilcox.test(experiment, control, exact = FALSE, correct = TRUE, conf.int = TRUE,
/// conf.level = 0.98, tol.root = 1e-12)`. Samples are drawn by R or chosen for their ties. With an
/// even number of pairs R's estimate is one of many; these are unambiguous.
#[test]
fn intervals_are_those_of_r() {
    #[rustfmt::skip]
    let cases: [(&[f64], &[f64], [f64; 3]); 11] = [
        (&[10.0, 11.0, 12.0, 13.0, 14.0], &[0.0, 1.0, 2.0, 3.0, 4.0], [6.0, 14.0, 10.0]),
        (&[10.0, 11.0, 12.0, 13.0], &[0.0, 1.0, 2.0, 3.0], [7.0, 13.0, 10.0]),
        (&[3.0], &[1.0, 2.0, 5.0], [-2.0, 2.0, 1.0]),
        (&[1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 9.0], &[1.0, 1.0, 1.0, 2.0, 2.0, 5.0, 5.0], [-2.0, 3.0, 1.0]),
        (&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0], &[0.0; 10], [1.0, 1.0, 1.0]),
        (&[6.0, 5.0, 3.0, 4.0, 8.0, 9.0, 1.0, 1.0, 3.0], &[7.0, 9.0, 10.0, 1.0, 10.0, 6.0, 7.0, 7.0, 5.0], [-6.0, 2.0, -3.0]),
        (&[2.0, 5.0, 3.0, 0.0, 3.0, 1.0, 2.0, 1.0, 5.0, 8.0, 1.0, 4.0, 2.0, 3.0, 5.0],
         &[1.0, 3.0, 3.0, 3.0, 5.0, 4.0, 2.0, 3.0, 0.0, 3.0, 3.0, 4.0, 3.0], [-2.0, 2.0, 0.0]),
        (&[51.8, 48.8, 42.6, 47.0, 44.3, 37.6, 46.9, 48.9, 58.0, 57.8, 55.5],
         &[34.5, 30.7, 35.4, 46.2, 40.4, 42.1, 35.9, 32.3, 42.8], [3.9, 18.1, 11.6]),
        (&[9.3, 7.9, 10.0, 11.8, 11.8, 12.1, 9.2, 12.2, 9.9, 10.4, 12.7, 11.5, 10.1, 12.7, 9.2],
         &[11.2, 12.4, 12.1, 11.9, 11.6, 11.1, 13.2, 10.3, 13.2, 10.9, 12.9, 10.7, 12.7, 11.3, 13.0], [-2.6, 0.2, -1.1]),
        (&[-10.0, -11.0, -12.0, -13.0, -14.0], &[0.0, -1.0, -2.0, -3.0, -4.0], [-14.0, -6.0, -10.0]),
        (&[13.9, 3.0, 0.0, 9.2, 20.9, 24.7, 16.8, 9.7, 0.9, 0.7, 1.8, 8.3, 2.9, 4.0, 0.2, 4.2, 37.5, 7.9, 3.1, 1.9, 1.5],
         &[2.5, 6.7, 8.3, 4.2, 6.5, 179.0, 12.8, 8.7, 1.7, 4.6, 9.8, 42.4, 0.1, 2.4, 8.3, 59.3, 35.9, 61.3, 44.4], [-23.8, 1.3, -4.3]),
    ];
    for (experiment, control, expected) in cases {
        let arms = Arms {
            control,
            experiment,
        };
        let shift = mann_whitney_interval(arms, 0.98).expect("finite");
        let figures = [shift.lower, shift.upper, shift.estimate];
        for (figure, expected) in figures.into_iter().zip(expected) {
            assert!((figure - expected).abs() < 1e-9, "{shift:?}, R {expected}");
        }
        // R gives the outermost differences where there are too few samples.
        assert_eq!(shift.attained, experiment.len() > 4, "{shift:?}");
    }
}

#[test]
fn directions_effects_and_equal_samples() {
    use Classification::{High, Low as Below, Pass};
    let effect = |measure, up, down| EffectSize {
        measure,
        allowed_increase_permille: Some(up),
        allowed_decrease_permille: Some(down),
        ..EffectSize::default()
    };
    let ratio = EffectMeasure::MeanRatio;
    let flat = EffectSize::default;
    let cases = [
        (Direction::Either, flat(), &LOW, &HIGH, High),
        (Direction::Increase, flat(), &LOW, &HIGH, High),
        (Direction::Decrease, flat(), &LOW, &HIGH, Pass),
        (Direction::Either, flat(), &HIGH, &LOW, Below),
        (Direction::Decrease, flat(), &HIGH, &LOW, Below),
        (Direction::Increase, flat(), &HIGH, &LOW, Pass),
        (Direction::Either, flat(), &LOW, &LOW, Pass),
        // The means are 3 and 13.
        (
            Direction::Either,
            effect(ratio, 4_333, 0),
            &LOW,
            &HIGH,
            High,
        ),
        (
            Direction::Either,
            effect(ratio, 4_334, 0),
            &LOW,
            &HIGH,
            Pass,
        ),
        (
            Direction::Either,
            effect(ratio, 1_000, 231),
            &HIGH,
            &LOW,
            Below,
        ),
        (
            Direction::Either,
            effect(ratio, 1_000, 230),
            &HIGH,
            &LOW,
            Pass,
        ),
        (
            Direction::Either,
            effect(EffectMeasure::Cles, 1_000, 0),
            &LOW,
            &HIGH,
            High,
        ),
        (
            Direction::Either,
            effect(EffectMeasure::Cles, 1_001, 0),
            &LOW,
            &HIGH,
            Pass,
        ),
    ];
    for (direction, effect_size, control, experiment, expected) in cases {
        let metric = MetricConfig {
            direction,
            effect_size,
            ..metric("m")
        };
        let compared = compare(&metric, control, experiment);
        assert_eq!(compared.classification, expected, "{metric:?}");
    }
    // The lower end is exactly a quarter of the estimate: not above it.
    let four = [0.0, 1.0, 2.0, 3.0, 4.0].map(|x| x * 3.0 / 4.0);
    let shifted = four.map(|x| x + 4.0);
    let edge = compare(&metric("m"), &four, &shifted);
    assert_eq!(
        edge.shift.map(|shift| (shift.lower, shift.estimate)),
        Some((1.0, 4.0))
    );
    assert_eq!(edge.classification, Pass);
}

#[test]
fn missing_values_and_outliers() {
    use Classification::{High, NoData, NoDataFail, Pass};
    const NAN: f64 = f64::NAN;
    let replace = MetricConfig {
        nan: NanStrategy::Replace,
        ..metric("m")
    };
    let must = MetricConfig {
        must_have_data: true,
        ..metric("m")
    };
    let tidy = MetricConfig {
        outliers: Outliers::Remove,
        ..metric("m")
    };
    let one_far_out = [1.0, 2.0, 3.0, 4.0, 5.0, 900.0];
    let rare = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0, 7.0];
    type Case<'a> = (
        &'a MetricConfig,
        &'a [f64],
        &'a [f64],
        Classification,
        [usize; 2],
    );
    let cases: [Case<'_>; 12] = [
        (&metric("m"), &[], &LOW, NoData, [0, 5]),
        (&metric("m"), &LOW, &[NAN, NAN], NoData, [5, 0]),
        (&must, &LOW, &[NAN, NAN], NoDataFail, [5, 0]),
        (&must, &[], &[], NoDataFail, [0, 0]),
        (&replace, &[], &[], NoData, [0, 0]),
        (&replace, &[NAN; 5], &[NAN; 6], Pass, [5, 6]),
        (&replace, &[NAN; 5], &HIGH, High, [5, 5]),
        (&replace, &[f64::INFINITY], &HIGH, NoData, [0, 5]),
        (
            &metric("m"),
            &[NAN, 1.0, f64::NEG_INFINITY, 1e301],
            &[1.0, 1.0],
            Pass,
            [1, 2],
        ),
        (&metric("m"), &LOW, &one_far_out, Pass, [5, 6]),
        (&tidy, &LOW, &one_far_out, Pass, [5, 5]),
        // Without the reduced sensitivity only the zeros would stay, and this would be High.
        (&tidy, &rare, &LOW, Pass, [12, 5]),
    ];
    for (metric, control, experiment, expected, sizes) in cases {
        let compared = compare(metric, control, experiment);
        assert_eq!(
            compared.classification, expected,
            "{metric:?} {experiment:?}"
        );
        let found = [compared.control_samples, compared.experiment_samples];
        assert_eq!(found, sizes, "{metric:?} {experiment:?}");
        assert!(!compared.critical_failure);
    }
}

#[test]
fn critical_metrics() {
    let critical = |increase| MetricConfig {
        critical: true,
        effect_size: EffectSize {
            critical_increase_permille: increase,
            ..EffectSize::default()
        },
        ..metric("m")
    };
    for (increase, experiment, expected) in [
        (None, &HIGH[..], true),
        (Some(4_000), &HIGH[..], true),
        (Some(5_000), &HIGH[..], false),
        (None, &LOW[..], false),
        (None, &[], true),
    ] {
        let compared = compare(&critical(increase), &LOW, experiment);
        assert_eq!(
            compared.critical_failure, expected,
            "{increase:?} {experiment:?}"
        );
    }
}

#[test]
fn effect_sizes() {
    type Case<'a> = (&'a [f64], &'a [f64], Option<f64>, Option<f64>);
    let cases: [Case<'_>; 8] = [
        (&LOW, &HIGH, Some(13.0 / 3.0), Some(1.0)),
        (&HIGH, &LOW, Some(3.0 / 13.0), Some(0.0)),
        (&LOW, &LOW, Some(1.0), Some(0.5)),
        (&[0.0], &[0.0, -0.0], Some(1.0), Some(0.5)),
        (&[-0.0], &[2.0], Some(1e300), Some(1.0)),
        (&[3.0, 1.0], &[2.0, 1.0], Some(0.75), Some(0.375)),
        (&[], &[1.0], None, None),
        (&[1.0], &[f64::NAN], None, None),
    ];
    for (control, experiment, ratio, probability) in cases {
        let arms = Arms {
            control,
            experiment,
        };
        assert_eq!(mean_ratio(arms), ratio, "{arms:?}");
        assert_eq!(cles(arms), probability, "{arms:?}");
    }
}

/// Each metric as `name:groups:what`, with what in pass, high, few, must, none, and a `!` for critical.
fn judged(metrics: &[&str], weights: &[(&str, u32)]) -> Judgement {
    let mut config = Config::default();
    let mut samples = Vec::new();
    for text in metrics {
        let (name, rest) = text.split_once(':').expect("a name");
        let (groups, what) = rest.split_once(':').expect("groups");
        config.metrics.push(MetricConfig {
            groups: groups.split_terminator(',').map(Into::into).collect(),
            critical: what.ends_with('!'),
            must_have_data: what == "must",
            ..metric(name)
        });
        let experiment = match what.trim_end_matches('!') {
            "pass" => &LOW[..],
            "high" => &HIGH[..],
            "few" => &HIGH[..1],
            _ => &[],
        };
        let arms = Arms {
            control: &LOW,
            experiment,
        };
        samples.push(MetricSamples { name, arms });
    }
    let weight = |(group, percent): &(&str, u32)| ((*group).into(), *percent);
    config.group_weights_percent = weights.iter().map(weight).collect();
    Judge::new().judge(&config, &samples).expect("sound")
}

#[test]
fn scores_are_as_reckoned_by_hand() {
    use Rating::{Fail, Marginal, Pass};
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, u32)], f64, Rating);
    let cases: [Case<'_>; 13] = [
        (&["a::pass"], &[], 100.0, Pass),
        (&["a:g:pass", "b:g:high"], &[], 50.0, Fail),
        // Without groups each metric is one.
        (
            &["a::pass", "b::pass", "c::pass", "d::high"],
            &[],
            75.0,
            Marginal,
        ),
        (
            &["a:g:pass", "b:g:pass", "c:g:pass", "d:h:high"],
            &[],
            50.0,
            Fail,
        ),
        (&["a:g:pass", "b:h:high"], &[("g", 80)], 80.0, Marginal),
        (
            &["a:g:high", "b:h:pass", "c:i:pass"],
            &[("g", 40)],
            60.0,
            Fail,
        ),
        (
            &["a:g:high", "b:h:pass", "c:i:high"],
            &[("g", 40)],
            30.0,
            Fail,
        ),
        // No data leaves the group, a group without data the score.
        (&["a:g:pass", "b:g:none"], &[], 100.0, Pass),
        (&["a:g:none", "b:h:pass"], &[("g", 90)], 100.0, Pass),
        (&["a:g:must", "b:g:pass"], &[], 50.0, Fail),
        (&["a:g,h:high", "b:g:pass"], &[], 25.0, Fail),
        (&["a:g:none", "b:h:none"], &[], 0.0, Fail),
        // What carries no weight is no data.
        (&["a:g:none", "b:h:pass"], &[("g", 100)], 0.0, Fail),
    ];
    for (metrics, weights, score, rating) in cases {
        let judgement = judged(metrics, weights);
        assert!((judgement.score - score).abs() < 1e-9, "{judgement:?}");
        assert_eq!(judgement.rating, rating, "{judgement:?}");
    }
    for critical in ["high!", "none!"] {
        let text = format!("a:g:{critical}");
        let judgement = judged(&["b:h:pass", &text], &[("h", 99)]);
        assert_eq!(
            (judgement.rating, judgement.score),
            (Fail, 0.0),
            "{judgement:?}"
        );
    }
}

#[test]
fn reasons_read_well() {
    let judgement = judged(
        &[
            "errors:e:high!",
            "latency:l:pass",
            "cpu:s:none",
            "saturation:s:must",
            "queue:s:few",
        ],
        &[("e", 50)],
    );
    let mut text = format!(
        "{:?} {}: {}\n",
        judgement.rating, judgement.score, judgement.reason
    );
    for metric in &judgement.metrics {
        text.push_str(&metric.reason);
        text.push('\n');
    }
    for metrics in [
        ["a::high", "b::pass"],
        ["a::none", "b::none"],
        ["a::pass", "b::none"],
    ] {
        text.push_str(&judged(&metrics, &[]).reason);
        text.push('\n');
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let read = |text: &str| serde_json::from_str::<Config>(text).expect("readable");
    for (text, field) in [
        ("{}", "metrics"),
        (r#"{"metrics": [{"name": ""}]}"#, "metrics[0].name"),
        (r#"{"metrics": [{"name": "a"}, {"name": "a"}]}"#, "metrics"),
        (
            r#"{"metrics": [{"name": "a", "groups": [""]}]}"#,
            "metrics[0].groups",
        ),
        (
            r#"{"metrics": [{"name": "a", "effect_size": {"allowed_increase_permille": 999}}]}"#,
            "metrics[0].effect_size.allowed_increase_permille",
        ),
        (
            r#"{"metrics": [{"name": "a", "effect_size": {"measure": "cles", "critical_decrease_permille": 501}}]}"#,
            "metrics[0].effect_size.critical_decrease_permille",
        ),
        (
            r#"{"metrics": [{"name": "a"}], "group_weights_percent": {"a": 101}}"#,
            "group_weights_percent",
        ),
        (
            r#"{"metrics": [{"name": "a"}], "group_weights_percent": {"b": 1}}"#,
            "group_weights_percent",
        ),
        (
            r#"{"metrics": [{"name": "a"}], "pass_score": 101}"#,
            "pass_score",
        ),
        (
            r#"{"metrics": [{"name": "a"}], "pass_score": 50}"#,
            "marginal_score",
        ),
    ] {
        let config = read(text);
        let problems = config.problems();
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert_eq!(problems[0].field, field, "{text}");
        let error = Judge::new().judge(&config, &[]).expect_err(text);
        assert_eq!(error.kind(), KayentaErrorKind::Config);
    }
    assert!(serde_json::from_str::<Config>(r#"{"metric": []}"#).is_err());
    let config = read(r#"{"metrics": [{"name": "a"}]}"#);
    let of = |name, control| MetricSamples {
        name,
        arms: Arms {
            control,
            experiment: &LOW,
        },
    };
    let many = vec![1.0; SAMPLES_MAX + 1];
    let cases: [(&[MetricSamples<'_>], _); 3] = [
        (&[of("b", &LOW)], KayentaErrorKind::Samples),
        (&[of("a", &LOW), of("a", &LOW)], KayentaErrorKind::Samples),
        (&[of("a", &many)], KayentaErrorKind::TooManySamples),
    ];
    for (samples, kind) in cases {
        let error = Judge::new().judge(&config, samples).expect_err("refused");
        assert_eq!(error.kind(), kind, "{error}");
    }
    for (control, kind) in [
        (&[][..], KayentaErrorKind::Empty),
        (&[f64::NAN], KayentaErrorKind::NotFinite),
        (&[1e301], KayentaErrorKind::NotFinite),
        (&many, KayentaErrorKind::TooManySamples),
    ] {
        let arms = of("a", control).arms;
        let error = mann_whitney_interval(arms, 0.98).expect_err("refused");
        assert_eq!(error.kind(), kind, "{error}");
    }
}
