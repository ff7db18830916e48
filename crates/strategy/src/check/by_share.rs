//! A canary by instance share: what its counts can give, and what no router does for it.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_router::FULL_WEIGHT;

use super::{Checker, step_path};
use crate::capacity::Batch;
use crate::deployment::{Canary, CanaryScale, CanaryStep, SplitBy};
use crate::planner::{counts_by_share, limits_by_share};
use crate::rules;

impl Checker<'_> {
    /// Of a canary of which at least one step is by instance share.
    pub(super) fn by_share(&mut self, canary: &Canary) {
        let odd = canary
            .steps
            .iter()
            .position(|step| step.scale != CanaryScale::ByShare);
        if let Some(index) = odd {
            self.push(
                rules::BY_SHARE_MIXED,
                &step_path(index, "replicas"),
                String::from("this step needs a router, and others are by instance share"),
                "write `replicas: by_share` in every step, or in none",
            );
            return;
        }
        self.room_by_share();
        for (path, what) in routed(canary) {
            self.push(
                rules::BY_SHARE_ROUTED,
                &path,
                format!("{what} needs a router, and this canary is divided by its instances alone"),
                "take it out, or take `replicas: by_share` out of the steps",
            );
        }
        for (index, step) in canary.steps.iter().enumerate() {
            self.share_given(index, step);
        }
    }

    fn room_by_share(&mut self) {
        let limits = limits_by_share(&self.deployment.fleet);
        if limits.surge == 0 && limits.unavailable == 0 {
            self.push(
                rules::NO_SPARE,
                "fleet.spare",
                String::from(
                    "no instance can be exchanged: the spare capacity is 0, and min healthy is all \
                     of them",
                ),
                "set `spare: 1`, or lower fleet.min_healthy",
            );
        }
    }

    /// That the counts give about the share that is written. Half an instance is rounding; more is
    /// a fleet too small for it, as each version has at least one.
    fn share_given(&mut self, index: usize, step: &CanaryStep) {
        let Batch { new, old } = counts_by_share(self.deployment, step);
        let (new, total) = (u64::from(new), u64::from(new) + u64::from(old));
        let full = u64::from(FULL_WEIGHT);
        let asked = u64::from(step.traffic.basis_points()) * total;
        if asked > 0 && (new * full).abs_diff(asked) * 2 > full {
            self.push(
                rules::SHARE_COARSE,
                &step_path(index, "traffic"),
                format!(
                    "{} cannot be given by {}: the nearest is {new} of {total}",
                    step.traffic,
                    instances(total)
                ),
                "write the share that they give, or have more `fleet.replicas`",
            );
        }
    }
}

fn instances(count: u64) -> String {
    match count {
        1 => String::from("1 instance"),
        count => format!("{count} instances"),
    }
}

/// What only a router could do, with where it is asked for.
fn routed(canary: &Canary) -> Vec<(String, &'static str)> {
    let mut asked = Vec::new();
    if canary.baseline {
        asked.push(("strategy.canary.baseline".to_string(), "a baseline set"));
    }
    if canary.split_by != SplitBy::Request {
        asked.push((
            "strategy.canary.split_by".to_string(),
            "keeping users on one version",
        ));
    }
    for (index, step) in canary.steps.iter().enumerate() {
        if !step.chosen.is_empty() {
            asked.push((step_path(index, "chosen"), "a route for chosen users"));
        }
        if step.mirror.is_some() {
            asked.push((step_path(index, "mirror"), "a copy of requests"));
        }
    }
    asked
}
