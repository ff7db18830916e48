//! Wilcoxon's signed-rank statistic, and the shift that it estimates.

/// The signed-rank sum over its standard deviation under fair signs: positive where the values lie
/// above 0. Zeros are left out, and equal magnitudes share their mean rank.
pub(super) fn z(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.filter(|value| *value != 0.0).collect();
    values.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let (mut sum, mut variance) = (0.0, 0.0);
    let mut rest = values.as_slice();
    let mut ranked = 0.0;
    while let Some(first) = rest.first() {
        let is_tied = |value: &f64| value.abs() <= first.abs() * (1.0 + 1e-12);
        let tied = rest
            .iter()
            .take_while(|value| is_tied(value))
            .count()
            .max(1);
        let (group, after) = rest.split_at(tied);
        let count = group.iter().fold(0.0, |count, _| count + 1.0);
        let rank = ranked + (count + 1.0) / 2.0;
        sum += rank * group.iter().map(|value| value.signum()).sum::<f64>();
        variance += rank * rank * count;
        ranked += count;
        rest = after;
    }
    if variance > 0.0 {
        sum / variance.sqrt()
    } else {
        0.0
    }
}

/// Values of which all means of two are formed; of more, as many of the last ones.
const VALUES_MAX: usize = 1_500;

/// The Hodges-Lehmann estimate, and an interval around it: the median of the means of all pairs of
/// values, and the means that stand as far from it as `z_bound` standard deviations of the rank sum
/// (J. L. Hodges and E. L. Lehmann, "Estimates of location based on rank tests", 1963). All are 0
/// without values.
pub(super) fn shift(values: &[f64], z_bound: f64) -> (f64, f64, f64) {
    let from = values.len().saturating_sub(VALUES_MAX);
    let values = values.get(from..).unwrap_or_default();
    let mut means: Vec<f64> = values
        .iter()
        .enumerate()
        .flat_map(|(at, a)| values.iter().skip(at).map(move |b| f64::midpoint(*a, *b)))
        .collect();
    means.sort_by(f64::total_cmp);
    let count = values.iter().fold(0.0, |count, _| count + 1.0_f64);
    let deviation = (count * (count + 1.0) * (2.0 * count + 1.0) / 24.0).sqrt();
    let half = count * (count + 1.0) / 4.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between 0 and the number of means"
    )]
    let low = (half - z_bound * deviation).max(0.0) as usize;
    let high = means.len().saturating_sub(1).saturating_sub(low);
    let at = |place: usize| means.get(place).copied().unwrap_or_default();
    (at(means.len() / 2), at(low), at(high))
}

#[cfg(test)]
mod tests {
    use super::{shift, z};

    #[test]
    fn the_statistic_is_as_by_hand() {
        // Ranks 1, 2, 3, the last negative: (1 + 2 - 3) = 0.
        assert!(z([1.0, 2.0, -3.0].into_iter()).abs() < 1e-12);
        // (1 + 2 + 3) / sqrt(1 + 4 + 9)
        assert!((z([1.0, 2.0, 3.0].into_iter()) - 6.0 / 14.0_f64.sqrt()).abs() < 1e-12);
        // The two ones share rank 1.5: (1.5 - 1.5 + 3) / sqrt(2.25 + 2.25 + 9).
        let tied = z([1.0, -1.0, 2.0].into_iter());
        assert!((tied - 3.0 / 13.5_f64.sqrt()).abs() < 1e-12);
        assert!(z([0.0, 0.0].into_iter()).abs() < 1e-12);
    }

    #[test]
    fn the_shift_lies_in_its_interval() {
        let values: Vec<f64> = (0..50)
            .map(|at| 0.2 + f64::from(at % 7 - 3) / 100.0)
            .collect();
        let (middle, low, high) = shift(&values, 1.645);
        assert!(
            (middle - 0.2).abs() < 0.01 && low < middle && middle < high,
            "{low} {high}"
        );
        assert_eq!(shift(&[], 1.645), (0.0, 0.0, 0.0));
    }
}
