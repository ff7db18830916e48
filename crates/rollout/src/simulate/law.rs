//! A scenario as numbers to reckon with.

use alloc::vec::Vec;

use nonevent_router::{LATENCY_BUCKETS, latency_bucket_bound_us};

use super::chance::float;
use super::scenario::Scenario;

/// Milliseconds of an hour.
pub(super) const HOUR_MS: i64 = 3_600_000;
/// Hours of a week.
const WEEK_HOURS: usize = 7 * 24;
/// The 99th percentile of the standard normal.
const P99: f64 = 2.326_347_874_040_841;

/// What holds for every release of a scenario.
pub(super) struct Law<'a> {
    pub(super) scenario: &'a Scenario,
    /// Requests per 1000 seconds in each hour of the week, from Monday 0 h.
    by_hour: Vec<u64>,
    /// Bounds of the latency histogram: the router's own from stable's p90 on. What is faster is one
    /// bucket, since no rule looks at it.
    pub(super) bounds_us: Vec<u64>,
    /// Standard deviation of ln of the latency.
    spread: f64,
    /// Stable's share of requests in each bucket.
    pub(super) stable_buckets: Vec<f64>,
}

impl<'a> Law<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Law<'a> {
        /// The 90th percentile of the standard normal.
        const P90: f64 = 1.281_551_565_544_600_5;
        let traffic = &scenario.traffic;
        let by_hour = (0..WEEK_HOURS).map(|hour| {
            let percent = u64::from(traffic.hour_percent[hour % 24])
                * u64::from(traffic.weekday_percent[hour / 24]);
            u64::from(traffic.requests_per_second) * percent / 10
        });
        let (p50, p99) = (scenario.service.p50_us, scenario.service.p99_us);
        let spread = libm::log(f64::from(p99) / f64::from(p50)) / P99;
        let from = f64::from(p50) * libm::exp(P90 * spread);
        // Beyond this nothing is to be told apart: four times stable's p99, and 8 ms at least.
        let upto = (f64::from(p99) * 4.0).max(8_000.0);
        let bounds_us: Vec<u64> = (0..LATENCY_BUCKETS - 1)
            .map(latency_bucket_bound_us)
            .filter(|bound| float(*bound) >= from && float(*bound) <= upto)
            .collect();
        let mut law = Law {
            scenario,
            by_hour: by_hour.collect(),
            bounds_us,
            spread,
            stable_buckets: Vec::new(),
        };
        law.stable_buckets = law.buckets(1.0);
        law
    }

    /// Requests per 1000 seconds at a moment, counted from a Monday at 0 h UTC.
    pub(super) fn requests_per_ks(&self, at_ms: i64) -> u64 {
        let hour = usize::try_from(at_ms.div_euclid(HOUR_MS)).unwrap_or(0);
        self.by_hour[hour % WEEK_HOURS]
    }

    /// The share of requests in each bucket of a version whose latencies are so many times stable's.
    pub(super) fn buckets(&self, times: f64) -> Vec<f64> {
        let mut before = 1.0;
        let mut shares: Vec<f64> = Vec::with_capacity(self.bounds_us.len() + 1);
        for bound in &self.bounds_us {
            let above = self.share_above(float(*bound), times);
            shares.push(before - above);
            before = above;
        }
        shares.push(before);
        shares
    }

    /// The share of requests slower than so many microseconds.
    fn share_above(&self, us: f64, times: f64) -> f64 {
        let middle = f64::from(self.scenario.service.p50_us) * times;
        0.5 * libm::erfc(libm::log(us / middle) / self.spread / core::f64::consts::SQRT_2)
    }

    /// The share of requests slower than stable's p99, beyond the 1 % that is normal.
    pub(super) fn slowed(&self, times: f64) -> f64 {
        if times <= 1.0 {
            return 0.0;
        }
        (self.share_above(f64::from(self.scenario.service.p99_us), times) - 0.01).max(0.0)
    }
}
