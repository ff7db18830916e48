//! Values that others have published, from the same formulas in another language.

use nonevent_analysis::{
    CountsShare, DistributionBand, Mixture, Stitching, Tuning, distribution_band,
    ln_quantile_difference, ln_share_evidence, normal_mixture_bound,
    normal_mixture_bound_one_sided, polynomial_stitching_bound, quantile_stitching_bound,
    share_interval,
};

fn near(what: &str, value: f64, published: f64, tolerance: f64) {
    assert!(
        (value - published).abs() <= tolerance,
        "{what}: {value}, published {published}"
    );
}

#[test]
fn confidence_sequences_reproduce_published_values() {
    near(
        "two-sided",
        normal_mixture_bound(100.0, 0.05, 100.0),
        30.35209,
        5e-6,
    );
    near(
        "one-sided",
        normal_mixture_bound_one_sided(100.0, 0.05, 100.0),
        27.66071,
        5e-6,
    );
    near(
        "band",
        distribution_band(1_000, 0.05, 100),
        0.082_047_69,
        2e-7,
    );
    let (low, high) = share_interval(700, 1_000, 0.05, 100);
    near("lower", low, 0.651_629, 2e-6);
    near("upper", high, 0.745_949, 2e-6);
}

#[test]
fn quantile_comparison_reproduces_published_p_values() {
    let left: Vec<f64> = (1..=1_000).map(f64::from).collect();
    for (offset, published) in [(85.0, 0.083_805_5), (100.0, 0.005_494_7)] {
        let right: Vec<f64> = left.iter().map(|x| x + offset).collect();
        let p = (-ln_quantile_difference(&left, &right, 0.5, 0.05, 100)).exp();
        near("p-value", p, published, 5e-8);
        let swapped = (-ln_quantile_difference(&right, &left, 0.5, 0.05, 100)).exp();
        near("swapped", swapped, published, 5e-8);
    }
}

#[test]
fn the_counts_test_is_the_ratio_of_beta_functions() {
    // B(4, 2) / B(1, 1) · 0.25^-3 · 0.75^-1 = (1/20) · 64 · 4/3.
    let mut counts = CountsShare::new(0.25);
    counts.observe(3, 1);
    near(
        "two-sided",
        counts.ln_e_value().exp(),
        64.0 / 20.0 * 4.0 / 3.0,
        1e-12,
    );
    // One-sided: the tail of Beta(4, 2) above 1/4 is 1 - (5·0.25^4 - 4·0.25^5), of Beta(1, 1) 3/4.
    let tail = 1.0 - (5.0 * 0.25f64.powi(4) - 4.0 * 0.25f64.powi(5));
    let expected = 64.0 / 20.0 * 4.0 / 3.0 * tail / 0.75;
    near(
        "one-sided",
        counts.ln_e_value_above().exp(),
        expected,
        1e-12,
    );
    // The same evidence from the mixture that is tuned to a uniform prior at one half.
    near(
        "no trials",
        ln_share_evidence(0, 0, 0.5, 0.05, 100),
        0.0,
        1e-15,
    );
}

/// Values of the papers' reference implementation (`confseq`), at other parameters than its own
/// examples.
#[test]
fn boundaries_reproduce_the_reference_implementation() {
    let tuned = |v_opt, alpha_opt| Tuning { v_opt, alpha_opt };
    let skewed = Mixture::beta_binomial_one_sided(0.1, 0.9, tuned(9.0, 0.05));
    let steep = Stitching {
        power: 2.0,
        epoch_ratio: 3.0,
    };
    let usual = Stitching::default();
    let values = [
        (
            Mixture::half_normal(tuned(50.0, 0.05)).bound(1_000.0, 0.01),
            113.018_849_840_784_7,
        ),
        (
            Mixture::normal(tuned(50.0, 0.2)).bound(1_000.0, 0.01),
            117.911_280_138_940_01,
        ),
        (
            Mixture::beta_binomial_one_sided(0.99, 0.01, tuned(9.9, 0.05)).bound(99.0, 0.02),
            31.038_487_061_073_283,
        ),
        (
            Mixture::beta_binomial_one_sided(0.01, 0.99, tuned(9.9, 0.05)).bound(9.9, 0.02),
            11.344_641_227_351_033,
        ),
        (
            Mixture::beta_binomial(0.5, 0.5, tuned(25.0, 0.01)).bound(250.0, 0.05),
            52.409_498_771_652_35,
        ),
        (skewed.ln_evidence(20.0, 90.0), 0.700_955_318_057_666),
        (skewed.ln_evidence(-20.0, 90.0), -3.092_259_564_619_141),
        (
            Mixture::gamma_exponential(2.0, tuned(10.0, 0.05)).bound(100.0, 0.05),
            38.441_860_104_398_984,
        ),
        (
            Mixture::gamma_poisson(2.0, tuned(10.0, 0.05)).bound(100.0, 0.05),
            32.298_853_201_723_43,
        ),
        (
            polynomial_stitching_bound(1_000.0, 0.05, 100.0, 0.0, usual),
            112.831_617_376_022_22,
        ),
        (
            polynomial_stitching_bound(1_000.0, 0.01, 10.0, 3.0, steep),
            173.254_249_010_721_22,
        ),
        (
            distribution_band(50_000, 0.01, 1),
            0.013_032_092_673_013_727,
        ),
        (
            DistributionBand::with_leading(0.01, 10, 1.0).width(50_000),
            0.012_984_294_830_563_346,
        ),
        (
            quantile_stitching_bound(0.99, 10_000, 0.05, 100, 0.5, usual),
            50.472_234_075_772_48,
        ),
        (
            quantile_stitching_bound(0.1, 10_000, 0.01, 1, 0.2, steep),
            237.382_036_525_828_68,
        ),
        (
            share_interval(3, 2_000, 0.01, 500).0,
            1.008_185_816_660_933_9e-5,
        ),
        (
            share_interval(3, 2_000, 0.01, 500).1,
            0.006_895_628_886_582_411,
        ),
    ];
    for (index, (value, reference)) in values.into_iter().enumerate() {
        near(&format!("value {index}"), value / reference, 1.0, 1e-9);
    }
}

#[test]
fn quantile_p_values_reproduce_the_reference_with_ties_and_unequal_arms() {
    let left: Vec<f64> = (1..=1_000).map(f64::from).collect();
    let fewer: Vec<f64> = (1..=600).map(|x| f64::from(x) * 2.0).collect();
    let map = |samples: &[f64], f: &dyn Fn(f64) -> f64| -> Vec<f64> {
        samples.iter().map(|x| f(*x)).collect()
    };
    let tied = map(&left, &|x| (x / 50.0).floor());
    let cases = [
        (
            &left,
            fewer.clone(),
            0.9,
            0.05,
            100,
            6.190_188_978_793_849e-18,
        ),
        (
            &left,
            map(&left, &|x| x * 1.03),
            0.99,
            0.01,
            1_000,
            0.001_505_242_896_086_001_4,
        ),
        (
            &tied,
            map(&fewer, &|x| (x / 50.0).floor() - 2.0),
            0.95,
            0.05,
            100,
            0.197_600_463_842_620_28,
        ),
        (
            &tied,
            map(&tied, &|x| x + 2.0),
            0.5,
            0.05,
            100,
            0.778_572_687_263_087_4,
        ),
    ];
    for (left, right, p, alpha, samples_opt, reference) in cases {
        let value = (-ln_quantile_difference(left, &right, p, alpha, samples_opt)).exp();
        near(&format!("p-value at {p}"), value / reference, 1.0, 1e-8);
    }
}
