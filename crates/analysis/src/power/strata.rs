//! Counts as they will come: an equal number of draws from each part of their law, in order.

use alloc::vec::Vec;

use crate::special::float;

/// Above this mean the law of a count is taken for its Gamma limit.
const DISCRETE_MEAN_MAX: f64 = 30.0;
/// Counts that are looked at one by one.
const COUNT_MAX: u32 = 4_000;
/// Points at which a Gamma law is looked at.
const POINTS: u32 = 240;

/// The middles of equally likely parts of a negative binomial law (Poisson, if `variation`, the
/// coefficient of variation of its mean, is 0), ascending. `steadier` is the part of the requests
/// that cannot be counted again, by which a large count varies less than a Poisson one.
pub(super) fn counts(mean: f64, steadier: f64, variation: f64, parts: usize) -> Vec<f64> {
    if mean <= 0.0 {
        alloc::vec![0.0; parts]
    } else if mean <= DISCRETE_MEAN_MAX {
        discrete(mean, variation, parts)
    } else {
        let own = (1.0 - steadier).max(1e-3) / mean;
        let values = gamma(mean, 1.0 / (own + variation * variation), parts);
        values.into_iter().map(libm::round).collect()
    }
}

/// The smallest value up to which the probability of each part's middle has been reached.
fn quantiles(laws: impl Iterator<Item = (f64, f64)>, parts: usize) -> Vec<f64> {
    let mut found = Vec::with_capacity(parts);
    let (mut below, mut last) = (0.0, 0.0);
    for (value, probability) in laws {
        below += probability;
        last = value;
        while found.len() < parts && middle(found.len(), parts) <= below {
            found.push(value);
        }
        if found.len() == parts {
            break;
        }
    }
    found.resize(parts, last);
    found
}

fn middle(index: usize, parts: usize) -> f64 {
    (float(index as u64) + 0.5) / float(parts as u64)
}

fn discrete(mean: f64, variation: f64, parts: usize) -> Vec<f64> {
    let spread = variation * variation;
    let none = if spread == 0.0 {
        -mean
    } else {
        -libm::log1p(mean * spread) / spread
    };
    let part = mean / (1.0 + mean * spread);
    let mut probability = libm::exp(none);
    let laws = (0..COUNT_MAX).map(|count| {
        let count = f64::from(count);
        let own = probability;
        probability *= (1.0 + count * spread) / (count + 1.0) * part;
        (count, own)
    });
    quantiles(laws, parts)
}

/// A Gamma law, cut into slices of ln of its value: there its density is smooth for every shape.
fn gamma(mean: f64, shape: f64, parts: usize) -> Vec<f64> {
    // Beyond this the law is a point, and its density cannot be told from its rounding errors.
    let shape = shape.min(1e8);
    let root = libm::sqrt(shape);
    let low = -(6.0 / root).max(8.0 / shape);
    let high = (6.0 / root).min(libm::log1p(14.0 / shape) + 1.0);
    let width = (high - low) / f64::from(POINTS);
    let at = |point: u32| low + (f64::from(point) + 0.5) * width;
    let density = |ln: f64| libm::exp(shape * (1.0 + ln - libm::exp(ln)));
    let all: f64 = (0..POINTS).map(|point| density(at(point))).sum();
    let (mut from, mut below) = (low, 0.0);
    let mut found = Vec::with_capacity(parts);
    for point in 0..POINTS {
        let part = density(at(point)) / all;
        while found.len() < parts && middle(found.len(), parts) <= below + part {
            let within = (middle(found.len(), parts) - below) / part.max(f64::MIN_POSITIVE);
            found.push(mean * libm::exp(from + within * width));
        }
        from += width;
        below += part;
    }
    found.resize(parts, mean * libm::exp(high));
    found
}
