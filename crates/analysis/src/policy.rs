//! What a canary is allowed, in integers, so that it can be part of a plan.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::verdict::Metric;

/// How a canary is judged.
///
/// Integers only: two equal policies have the same canonical JSON and the same digest. Every field
/// has a default, so `{}` is a policy. `null` switches a rule off.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The probability of ever failing a canary that keeps all bounds, in millionths, over the
    /// whole comparison however often it is looked at, shared equally among the rules that are
    /// switched on. From 1 to 500 000; default 20 000 (2 %).
    pub alpha_ppm: u32,
    /// The highest error rate allowed, in millionths of requests; default 10 000 (1 %).
    pub error_rate_max_ppm: Option<u32>,
    /// The highest error rate allowed, in percent of stable's; at least 100; default 200 (twice).
    pub error_ratio_max_percent: Option<u32>,
    /// An error rate up to this is never held against the canary by the ratio, however good
    /// stable is; in millionths, default 1000 (0.1 %).
    pub error_rate_floor_ppm: u32,
    /// The highest p99 latency allowed, in percent of stable's; at least 100; default 200.
    pub p99_ratio_max_percent: Option<u32>,
    /// The highest p99 latency allowed, in milliseconds; off by default.
    pub p99_max_ms: Option<u32>,
    /// A latency up to this is never held against the canary by the ratio; in microseconds,
    /// default 5000 (5 ms).
    pub latency_floor_us: u32,
    /// Requests that *each* version must have had in the present step before `Pass`; at least 1;
    /// default 50.
    pub requests_min: u32,
    /// Looks with canary requests that the present step must have had before `Pass`; at least 1;
    /// default 3. However bad one look is, it may be a burst: after fewer, hardly anything could
    /// have been found.
    pub looks_min: u32,
    /// Requests that the canary must have had since the start before `Fail`, beside the evidence;
    /// at least 1; default 10.
    pub requests_min_to_fail: u32,
    /// The canary's first requests whose latency is not judged (its errors are): caches,
    /// connections and compilers are cold. Default 10.
    pub warm_up_requests: u32,
    /// Evidence is gathered in blocks at least this long, in milliseconds. What happens within a
    /// block may depend on each other as it likes; blocks are taken for independent. Default 250.
    pub block_ms: u32,
    /// Whether `Pass` also demands that the canary was *shown* not to be worse than stable by
    /// more than `margin_percent`. Default `false`.
    pub require_non_inferiority: bool,
    /// Whether `Inconclusive` promotes like `Pass`, as long as figures are fresh and the evidence is
    /// not half way to failing. For services with so little traffic that nothing could ever be
    /// shown; it says that the bounds are a tripwire, and no test. Default `false`.
    pub promote_inconclusive: bool,
    /// How much worse is still called equal, in percent of stable's figure; default 50.
    pub margin_percent: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            alpha_ppm: 20_000,
            error_rate_max_ppm: Some(10_000),
            error_ratio_max_percent: Some(200),
            error_rate_floor_ppm: 1_000,
            p99_ratio_max_percent: Some(200),
            p99_max_ms: None,
            latency_floor_us: 5_000,
            requests_min: 50,
            looks_min: 3,
            requests_min_to_fail: 10,
            warm_up_requests: 10,
            block_ms: 250,
            require_non_inferiority: false,
            promote_inconclusive: false,
            margin_percent: 50,
        }
    }
}

/// Something in a [`Policy`] that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyProblem {
    /// The field, such as `alpha_ppm`.
    pub field: &'static str,
    /// What is wrong with it, and what to write.
    pub message: String,
}

impl Policy {
    /// Everything in it that cannot be meant; empty if all is well.
    ///
    /// ```
    /// use nonevent_analysis::Policy;
    /// assert!(Policy::default().problems().is_empty());
    /// let hasty = Policy { alpha_ppm: 0, ..Policy::default() };
    /// assert_eq!(hasty.problems()[0].field, "alpha_ppm");
    /// ```
    #[must_use]
    pub fn problems(&self) -> Vec<PolicyProblem> {
        let mut found = Vec::new();
        let mut problem = |wrong: bool, field, message: &str| {
            if wrong {
                found.push(PolicyProblem {
                    field,
                    message: message.to_string(),
                });
            }
        };
        problem(
            self.alpha_ppm == 0 || self.alpha_ppm > 500_000,
            "alpha_ppm",
            "must be from 1 to 500000 millionths; write 20000 for 2 %",
        );
        problem(
            self.error_rate_max_ppm
                .is_some_and(|rate| rate == 0 || rate >= 1_000_000),
            "error_rate_max_ppm",
            "must be from 1 to 999999 millionths; write 10000 for 1 %, or null to switch it off",
        );
        problem(
            self.error_rate_floor_ppm >= 1_000_000,
            "error_rate_floor_ppm",
            "must be below 1000000 millionths; write 1000 for 0.1 %",
        );
        for (field, percent) in [
            ("error_ratio_max_percent", self.error_ratio_max_percent),
            ("p99_ratio_max_percent", self.p99_ratio_max_percent),
        ] {
            problem(
                percent.is_some_and(|percent| !(100..=100_000).contains(&percent)),
                field,
                "must be from 100 to 100000 percent of stable's; write 200 for twice, or null to \
                 switch it off",
            );
        }
        problem(
            self.p99_max_ms == Some(0),
            "p99_max_ms",
            "must be at least 1 millisecond, or null to switch it off",
        );
        for (field, count) in [
            ("requests_min", self.requests_min),
            ("looks_min", self.looks_min),
            ("requests_min_to_fail", self.requests_min_to_fail),
        ] {
            problem(
                count == 0,
                field,
                "must be at least 1: no data is never an answer",
            );
        }
        problem(
            self.margin_percent == 0 || self.margin_percent > 100_000,
            "margin_percent",
            "must be from 1 to 100000 percent: exact equality cannot be shown",
        );
        problem(
            self.rules().is_empty(),
            "error_rate_max_ppm",
            "at least one rule must be switched on: a comparison without rules would pass anything",
        );
        found
    }

    /// The rules that are switched on, in the order in which they are reported.
    #[must_use]
    pub fn rules(&self) -> Vec<Metric> {
        let switched = [
            (self.error_rate_max_ppm.is_some(), Metric::ErrorRate),
            (self.error_ratio_max_percent.is_some(), Metric::ErrorRatio),
            (self.p99_max_ms.is_some(), Metric::P99),
            (self.p99_ratio_max_percent.is_some(), Metric::P99Ratio),
        ];
        switched
            .into_iter()
            .filter_map(|(on, metric)| on.then_some(metric))
            .collect()
    }

    /// The share of `alpha` that each rule may spend, as a probability.
    #[must_use]
    pub fn alpha_per_rule(&self) -> f64 {
        let rules = u32::try_from(self.rules().len().max(1)).unwrap_or(1);
        f64::from(self.alpha_ppm.clamp(1, 500_000)) / 1e6 / f64::from(rules)
    }
}
