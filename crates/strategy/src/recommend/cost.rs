//! What a strategy costs with its default figures: taken from the plan itself.

use alloc::format;
use alloc::string::String;

use nonevent_analysis::{Design, power};
use nonevent_document::format_duration_ms;
use nonevent_router::{Arm, FULL_WEIGHT};
use serde::Serialize;

use crate::check::Facts;
use crate::deployment::{Deployment, Strategy};
use crate::duration::{closed_ms, plan_duration_ms};
use crate::plan::{Action, BaselineSet, Plan, Step};
use crate::planner::draft;

/// Stable's error rate, in millionths, where nobody says: a tenth of the default bound, as the
/// checks take it.
const STABLE_PPM: u32 = 1_000;

/// What somebody has to accept before a strategy may be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Price {
    /// The time without service, at the most, one way, in milliseconds.
    pub downtime_ms: u64,
    /// Who accepts it.
    pub accepted_by: &'static str,
    /// Both in words, with where the document says so.
    pub sentence: String,
}

impl Price {
    /// The price of a strategy; none where the service stays up.
    pub(super) fn of(deployment: &Deployment, cost: &Cost) -> Option<Self> {
        let Strategy::Recreate(_) = deployment.strategy else {
            return None;
        };
        let accepted_by = "whoever answers for the service";
        let time = format_duration_ms(cost.closed_ms);
        Some(Price {
            downtime_ms: cost.closed_ms,
            accepted_by,
            sentence: format!(
                "{accepted_by} accepts, by name and beforehand in `strategy.recreate.downtime`, up \
                 to {time} without service, and about as long again if it goes back"
            ),
        })
    }
}

/// What a strategy costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Cost {
    /// Instances above the replicas, at the most.
    pub extra_instances: u32,
    /// The forward way with nothing but its pauses, in milliseconds.
    pub expected_ms: u64,
    /// The forward way with every step at its deadline, in milliseconds.
    pub longest_ms: u64,
    /// The way back from wherever the rollout is watched, at the most, in milliseconds.
    pub back_watched_ms: u64,
    /// The way back from anywhere, at the most, in milliseconds.
    pub back_ms: u64,
    /// The time without service, at the most, in milliseconds.
    pub closed_ms: u64,
    /// The share of requests that the new version has before the first verdict on it, of 10 000.
    pub requests_unjudged: u16,
    /// The share of users who have met it by then, at worst, of 10 000.
    pub users_unjudged: u16,
    /// How long is looked before the first verdict, in milliseconds; 0 if there is none.
    pub first_look_ms: u64,
    /// Requests that the new version answers in this time; absent if the traffic is not known or
    /// nothing is judged.
    pub first_requests: Option<u64>,
    /// The smallest error rate that is found in this time with probability 0.8, in millionths;
    /// absent if the traffic is not known, or nothing is surely found.
    pub found_ppm: Option<u32>,
}

impl Cost {
    pub(super) fn of(deployment: &Deployment) -> Self {
        let plan = draft(deployment, &Facts::default());
        let (expected_ms, longest_ms) = plan_duration_ms(&plan);
        let mut baseline = BaselineSet::default();
        let instances = plan.steps.iter().map(|step| {
            baseline = baseline.after(&step.action);
            let arms = step.target.stable.saturating_add(step.target.canary);
            arms.saturating_add(baseline.count)
        });
        let most = instances.max().unwrap_or(0);
        let watched = plan
            .steps
            .iter()
            .filter(|step| matches!(step.action, Action::Watch { .. }));
        let judged = plan
            .steps
            .iter()
            .find(|step| matches!(step.action, Action::Watch { analyse: true, .. }));
        let weight = judged.map_or(FULL_WEIGHT, |step| step.target.split.weight(Arm::Canary));
        let mut cost = Cost {
            extra_instances: most.saturating_sub(plan.fleet.replicas),
            expected_ms,
            longest_ms,
            back_watched_ms: watched.map(|step| step.back_within_ms).max().unwrap_or(0),
            back_ms: plan.rollback.expected_ms,
            closed_ms: closed_ms(&plan),
            requests_unjudged: weight,
            users_unjudged: judged.map_or(FULL_WEIGHT, |step| step.exposed),
            first_look_ms: 0,
            first_requests: None,
            found_ppm: None,
        };
        if let Some(step) = judged {
            cost.look(&plan, step, deployment.fleet.requests_per_second);
        }
        cost
    }

    /// What the first judged pause sees.
    fn look(&mut self, plan: &Plan, step: &Step, rate: Option<u32>) {
        let (Action::Watch { for_ms, .. }, Some(analysis)) = (&step.action, &plan.analysis) else {
            return;
        };
        self.first_look_ms = for_ms.saturating_sub(analysis.warm_up_ms);
        let Some(rate) = rate else {
            return;
        };
        let requests = u64::from(rate) * self.first_look_ms / 1_000;
        let share = u64::from(self.requests_unjudged);
        let seen = requests * share / u64::from(FULL_WEIGHT);
        self.first_requests = Some(seen);
        if seen < u64::from(analysis.policy.requests_min) {
            return;
        }
        let design = Design {
            requests_per_minute: u64::from(rate) * 60,
            canary_basis_points: self.requests_unjudged,
            pause_ms: self.first_look_ms,
            look_ms: analysis.every_ms,
            error_rate_ppm: STABLE_PPM,
            variation_percent: 0,
        };
        let found = power(&design, &analysis.policy).error_rate_80;
        self.found_ppm = found.map(millionths);
    }
}

/// A share of requests in millionths, rounded up.
fn millionths(rate: f64) -> u32 {
    // A rate lies between 0 and 1, so that the cast only cuts off the fraction.
    (rate.clamp(0.0, 1.0) * 1e6) as u32 + 1
}
