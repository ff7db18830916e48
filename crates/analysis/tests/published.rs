//! Values that others have published, from the same formulas in another language.

use nonevent_analysis::{
    CountsShare, distribution_band, ln_quantile_difference, ln_share_evidence,
    normal_mixture_bound, normal_mixture_bound_one_sided, share_interval,
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
