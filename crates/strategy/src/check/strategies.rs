//! What each strategy asks of its steps and of the fleet.

use alloc::format;
use alloc::string::{String, ToString as _};

use nonevent_document::{Percent, format_duration_ms};
use nonevent_router::FULL_WEIGHT;

use super::strength::Asked;
use super::{Checker, step_path};
use crate::capacity::rolling_limits;
use crate::deployment::{
    BlueGreen, Canary, CanaryScale, CanaryStep, Fleet, Recreate, Rolling, Strategy,
};
use crate::planner::{given_weight, has_baseline, needed_canary_count, wanted_canary_count};
use crate::rules;

/// The share that may meet the new version before anything is known of it, of 10 000.
pub(super) const BLAST_RADIUS_MAX: u16 = 2_500;

impl Checker<'_> {
    pub(super) fn strategy(&mut self) {
        match &self.deployment.strategy {
            Strategy::Canary(canary) => self.canary(canary),
            Strategy::BlueGreen(blue_green) => self.blue_green(blue_green),
            Strategy::Rolling(rolling) => self.rolling(rolling),
            Strategy::Recreate(recreate) => self.recreate(recreate),
        }
    }

    fn canary(&mut self, canary: &Canary) {
        if canary.steps.is_empty() {
            self.push(
                rules::NO_STEPS,
                "strategy.canary.steps",
                String::from("there is no step"),
                "leave `steps` out for 5 %, 25 %, 50 %, 100 %, or write at least one",
            );
            return;
        }
        let (mut traffic, mut given, mut count, mut beside) = (0u16, 0u16, 0u32, 0u32);
        let mut asked = Asked::of(canary.steps.len());
        for (index, step) in canary.steps.iter().enumerate() {
            let weight = step.traffic.basis_points();
            let gives = given_weight(self.deployment, step);
            let path = step_path(index, "traffic");
            let besides = !step.chosen.is_empty() || step.mirror.is_some();
            if weight == 0 && !(besides && traffic == 0) {
                self.push(
                    rules::ZERO_STEP,
                    &path,
                    String::from("this step sends no traffic to the new version"),
                    "write more than 0%, or send chosen users or copies of requests with `chosen` or `mirror`",
                );
            } else if weight <= traffic && weight > 0 {
                self.push(
                    rules::RAMP_FALLS,
                    &path,
                    format!("{} does not rise above the step before", step.traffic),
                    "order the steps by rising traffic",
                );
            } else if gives <= given && weight > 0 && index > 0 {
                self.push(
                    rules::RAMP_FALLS,
                    &path,
                    format!(
                        "{} takes as many instances as the step before, and gives the same share",
                        step.traffic
                    ),
                    "leave one of the two steps out, or have more `fleet.replicas`",
                );
            }
            let wanted = wanted_canary_count(self.deployment, step);
            self.step_count(index, step, wanted, count);
            self.pause(index, step, &mut asked);
            (traffic, given, count) = (weight, gives, wanted.max(count));
            if has_baseline(canary, weight) {
                beside = beside.max(count.saturating_mul(2));
            }
        }
        if traffic != FULL_WEIGHT {
            self.push(
                rules::RAMP_UNFINISHED,
                &step_path(canary.steps.len() - 1, "traffic"),
                String::from("the ramp ends before the new version serves everything"),
                "add a last step with `traffic: 100%`; its pause is the bake",
            );
        }
        self.blast_radius(canary);
        self.besides(canary);
        self.strength_known();
        if canary.is_by_share() {
            self.by_share(canary);
        } else {
            self.baseline(canary);
            if beside > count {
                let what = "instances of the canary and its baseline set";
                let help = "leave fewer canary instances, or take `baseline` out";
                self.capacity(beside, what, help);
            } else {
                let help = "leave fewer canary instances, or use rolling";
                self.capacity(count, "new instances", help);
            }
        }
    }

    /// That a step's instances carry what it sends to them; before it there were `before`.
    fn step_count(&mut self, index: usize, step: &CanaryStep, wanted: u32, before: u32) {
        let CanaryScale::Own(_) = step.scale else {
            return;
        };
        let replicas = self.deployment.fleet.replicas;
        let needed = needed_canary_count(self.deployment, step);
        let (traffic, path) = (step.traffic, step_path(index, "replicas"));
        let help = "leave `replicas` out to match the traffic, or raise it";
        if wanted < needed {
            let what = match step.mirror {
                Some(mirror) => format!("{traffic} of traffic and copies of {}", mirror.share),
                None => format!("{traffic} of traffic"),
            };
            let verb = if step.mirror.is_some() {
                "need"
            } else {
                "needs"
            };
            let message = format!("{what} {verb} {needed} instances, not {wanted}");
            self.push(rules::SHARE_UNCARRIED, &path, message, help);
        } else if traffic.basis_points() == FULL_WEIGHT && wanted < replicas {
            let message = format!(
                "the rollout would end with {wanted} instances, and the fleet has {replicas}"
            );
            self.push(rules::SHARE_UNCARRIED, &path, message, help);
        }
        if wanted < before {
            let message =
                format!("{wanted} instances are fewer than the {before} of the step before");
            self.push(rules::STEP_SHRINKS, &path, message, help);
        }
    }

    fn blast_radius(&mut self, canary: &Canary) {
        let weights = canary.steps.iter();
        let mut weights = weights.map(|step| given_weight(self.deployment, step));
        let Some(index) = weights.position(|weight| weight > 0) else {
            return;
        };
        let first = given_weight(self.deployment, &canary.steps[index]);
        if first > BLAST_RADIUS_MAX {
            let first = share(first);
            self.push(
                rules::BLAST_RADIUS,
                &step_path(index, "traffic"),
                format!("{first} of traffic meets the new version before anything is known of it"),
                "begin with a smaller step, such as 5%",
            );
        }
    }

    fn capacity(&mut self, beside: u32, what: &str, help: &str) {
        let fleet = &self.deployment.fleet;
        if beside > fleet.spare {
            self.push(
                rules::NO_SPARE,
                "fleet.spare",
                format!(
                    "up to {beside} {what} run beside the old, and the spare capacity is {}",
                    fleet.spare
                ),
                &format!("set `spare: {beside}`, or {help}"),
            );
        }
    }

    fn blue_green(&mut self, blue_green: &BlueGreen) {
        self.stages(blue_green);
        self.switch_pauses(blue_green);
        if blue_green.scale_down_delay_ms < blue_green.bake_ms {
            self.push(
                rules::DELAY_SHORT,
                "strategy.blue_green.scale_down_delay",
                format!(
                    "the old environment would go after {}, before the bake of {} is over",
                    format_duration_ms(blue_green.scale_down_delay_ms),
                    format_duration_ms(blue_green.bake_ms)
                ),
                "make it at least as long as the bake; 1h is usual",
            );
        }
        // `dns_ttl` is only there where a name is switched.
        let ttl_ms = self.deployment.target.dns_ttl_ms.unwrap_or(0);
        if blue_green.scale_down_delay_ms < ttl_ms {
            self.push(
                rules::DELAY_SHORT,
                "strategy.blue_green.scale_down_delay",
                format!(
                    "the old environment would go after {}, while resolvers may send users to it \
                     for {}",
                    format_duration_ms(blue_green.scale_down_delay_ms),
                    format_duration_ms(ttl_ms)
                ),
                "make it at least as long as `target.dns_ttl`; 1h is usual",
            );
        }
        self.capacity(
            self.deployment.fleet.replicas,
            "new instances",
            "use rolling, which needs less",
        );
    }

    fn rolling(&mut self, rolling: &Rolling) {
        self.partition(rolling);
        self.rolling_pauses(rolling);
        let Fleet {
            replicas, spare, ..
        } = self.deployment.fleet;
        let limits = rolling_limits(
            rolling.max_surge.of_ceil(replicas),
            rolling.max_unavailable.of_floor(replicas),
        );
        if limits.surge > spare {
            self.push(
                rules::ROLLING_SURGE,
                "strategy.rolling.max_surge",
                format!(
                    "a surge of {} does not fit into the spare capacity of {spare}",
                    limits.surge
                ),
                &format!("set `fleet.spare: {}`, or lower the surge", limits.surge),
            );
        }
        let left = replicas.saturating_sub(limits.unavailable);
        let floor = self.deployment.fleet.min_ready();
        if left < floor {
            self.push(
                rules::ROLLING_FLOOR,
                "strategy.rolling.max_unavailable",
                format!(
                    "up to {} may be missing, which leaves {left}; min healthy is {floor}",
                    limits.unavailable
                ),
                "lower max_unavailable (0 needs a surge), or lower fleet.min_healthy",
            );
        }
    }

    fn recreate(&mut self, recreate: &Recreate) {
        self.recreate_pauses(recreate);
        // Where a second instance has no room, nothing else is possible: the price is declared.
        let fleet = &self.deployment.fleet;
        let alone = fleet.replicas.saturating_add(fleet.spare) <= 1;
        if self.deployment.is_production() && !alone {
            self.push(
                rules::RECREATE_PRODUCTION,
                "strategy.recreate",
                String::from("recreate stops the service before the new version starts"),
                "use canary, blue-green or rolling in production",
            );
        }
    }
}

/// 2500 → `25%`.
fn share(weight: u16) -> String {
    Percent::from_basis_points(weight).map_or_else(|| weight.to_string(), |it| it.to_string())
}
