//! A baseline set beside a canary: that there is room for it, and use.

use alloc::format;
use alloc::string::String;

use nonevent_router::FULL_WEIGHT;

use super::{Checker, step_path};
use crate::deployment::{Canary, Strategy};
use crate::planner::has_baseline;
use crate::rules;

impl Checker<'_> {
    /// Of a canary behind a router.
    pub(super) fn baseline(&mut self, canary: &Canary) {
        if !canary.baseline {
            return;
        }
        for (index, step) in canary.steps.iter().enumerate() {
            if (FULL_WEIGHT / 2 + 1..FULL_WEIGHT).contains(&step.traffic.basis_points()) {
                self.push(
                    rules::BASELINE_WIDE,
                    &step_path(index, "traffic"),
                    format!(
                        "beside {} for the canary there is no such share for its baseline set",
                        step.traffic
                    ),
                    "write at most 50%, or leave the step out",
                );
            }
        }
        let mut while_it_runs = canary
            .steps
            .iter()
            .filter(|step| has_baseline(canary, step.traffic.basis_points()));
        let compared = while_it_runs.any(|step| {
            let analysis = self.deployment.analysis_of(&step.analysis);
            analysis.is_some_and(|it| {
                it.policy.error_ratio_max_percent.is_some()
                    || it.policy.p99_ratio_max_percent.is_some()
                    || it.policy.require_non_inferiority
            })
        });
        if !compared {
            self.push(
                rules::BASELINE_UNUSED,
                "strategy.canary.baseline",
                String::from("nothing is compared with it while it runs"),
                "give the analysis a bound such as `error_rate <= baseline * 2`, or take it out",
            );
        }
    }

    /// What a step compares, of so many requests: how many of them, and the canary's share among
    /// them. With a baseline set that is half, and stable's own requests do not count.
    pub(super) fn compared(&self, weight: u16, requests: u64) -> (u64, u16) {
        match &self.deployment.strategy {
            Strategy::Canary(canary) if has_baseline(canary, weight) => {
                let both = u64::from(weight) * 2;
                let compared = requests.saturating_mul(both) / u64::from(FULL_WEIGHT);
                (compared, FULL_WEIGHT / 2)
            }
            _ => (requests, weight),
        }
    }
}
