//! What a design would find: the arithmetic before a rollout, and behind a `Pass`.

use crate::policy::Policy;
use crate::ratio::Block;
use crate::special::{float, normal_cdf};

/// Evidence that a test of this kind gives away for not knowing the size of the harm, in nats.
/// Measured: the mean loss of the mixtures in this crate against the best single bet.
const MIXTURE_COST: f64 = 1.5;

/// The probability that a canary error rate `rate` would have been found by the absolute bound
/// alone in `requests` requests, by a normal approximation of the log-likelihood ratio.
pub(crate) fn probability_found(bound: f64, rate: f64, requests: f64, ln_limit: f64) -> f64 {
    if rate <= bound || requests <= 0.0 {
        return 0.0;
    }
    let rate = rate.min(1.0 - 1e-9);
    let hit = libm::log(rate / bound);
    let miss = libm::log1p(-rate) - libm::log1p(-bound);
    let mean = requests * (rate * hit + (1.0 - rate) * miss);
    let deviation = libm::sqrt(requests * rate * (1.0 - rate)) * (hit - miss);
    normal_cdf((mean - ln_limit - MIXTURE_COST) / deviation)
}

/// The smallest error rate of the canary that the rules would have found with the given
/// probability, given what was seen of stable.
pub(crate) fn smallest_rate_found(policy: &Policy, seen: &Block, wanted: f64) -> Option<f64> {
    let bound = f64::from(policy.error_rate_max_ppm?) / 1e6;
    let limit = -libm::log(policy.alpha_per_rule());
    let requests = float(seen.canary_requests);
    let found = |rate: f64| probability_found(bound, rate, requests, limit) >= wanted;
    if !found(0.999) {
        return None;
    }
    let (mut low, mut high) = (bound, 0.999);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if found(middle) {
            high = middle
        } else {
            low = middle
        }
    }
    Some(high)
}
