//! What each strategy asks of its steps and of the fleet.

use alloc::format;
use alloc::string::String;

use nonevent_document::format_duration_ms;
use nonevent_router::FULL_WEIGHT;

use super::strength::Asked;
use super::{Checker, step_path};
use crate::capacity::{instances_needed, rolling_limits};
use crate::deployment::{BlueGreen, Canary, CanaryStep, Fleet, Recreate, Rolling, Strategy};
use crate::planner::wanted_canary_count;
use crate::rules;

const BLAST_RADIUS_MAX: u16 = 2_500;

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
        let fleet = &self.deployment.fleet;
        if canary.steps.is_empty() {
            self.push(
                rules::NO_STEPS,
                "strategy.canary.steps",
                String::from("there is no step"),
                "leave `steps` out for 5 %, 25 %, 50 %, 100 %, or write at least one",
            );
            return;
        }
        let (mut traffic, mut count) = (0u16, 0u32);
        let mut asked = Asked::of(canary.steps.len());
        for (index, step) in canary.steps.iter().enumerate() {
            let weight = step.traffic.basis_points();
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
            }
            let wanted = wanted_canary_count(self.deployment, step.scale, weight);
            let needed = instances_needed(weight, fleet.min_ready());
            if wanted < needed {
                self.push(
                    rules::SHARE_UNCARRIED,
                    &step_path(index, "replicas"),
                    format!(
                        "{} of traffic needs {needed} instances, not {wanted}",
                        step.traffic
                    ),
                    "leave `replicas` out to match the traffic, or raise it",
                );
            }
            if wanted < count {
                self.push(
                    rules::STEP_SHRINKS,
                    &step_path(index, "replicas"),
                    format!("{wanted} instances are fewer than the {count} of the step before"),
                    "leave `replicas` out to match the traffic, or raise it",
                );
            }
            // A step without traffic shows nothing, however long its pause.
            if weight > 0 {
                self.pause(index, step, &mut asked);
            }
            (traffic, count) = (weight, wanted.max(count));
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
        self.capacity(count, "leave fewer canary instances, or use rolling");
    }

    fn blast_radius(&mut self, canary: &Canary) {
        let exposes = canary.steps.iter().map(|step| step.traffic).enumerate();
        let first = exposes
            .into_iter()
            .find(|(_, traffic)| traffic.basis_points() > 0);
        let Some((index, first)) = first else {
            return;
        };
        if first.basis_points() > BLAST_RADIUS_MAX {
            self.push(
                rules::BLAST_RADIUS,
                &step_path(index, "traffic"),
                format!("{first} of traffic meets the new version before anything is known of it"),
                "begin with a smaller step, such as 5%",
            );
        }
    }

    fn pause(&mut self, index: usize, step: &CanaryStep, asked: &mut Asked) {
        let Some(analysis) = self.deployment.analysis_of(&step.analysis) else {
            return;
        };
        let (pause_ms, weight) = (step.pause_ms, step.traffic.basis_points());
        let usable_ms = pause_ms.saturating_sub(analysis.warm_up_ms);
        let path = step_path(index, "pause");
        let looks_ms = 2 * analysis.every_ms;
        if usable_ms < looks_ms {
            self.push(
                rules::PAUSE_BLIND,
                &path,
                format!(
                    "a pause of {} leaves less than two looks of the analysis, {} apart after {} of \
                     warm-up",
                    format_duration_ms(pause_ms),
                    format_duration_ms(analysis.every_ms),
                    format_duration_ms(analysis.warm_up_ms),
                ),
                "lengthen the pause, or look more often",
            );
            return;
        }
        let late_ms = analysis.late_ms().saturating_add(analysis.window_ms);
        if usable_ms < looks_ms.saturating_add(late_ms) {
            self.push(
                rules::PAUSE_LATE,
                &path,
                format!(
                    "a pause of {} is over before {} of metrics that are {} late, and two looks, are",
                    format_duration_ms(pause_ms),
                    format_duration_ms(analysis.window_ms),
                    format_duration_ms(analysis.late_ms()),
                ),
                "lengthen the pause, or use metrics that are there sooner",
            );
            return;
        }
        let usable_ms = usable_ms - late_ms;
        let Some(rate) = self.deployment.fleet.requests_per_second else {
            return;
        };
        // Four billion a second for a month at full weight do not fit into 64 bits.
        let requests = u128::from(rate) * u128::from(usable_ms) / 1000 * u128::from(weight)
            / u128::from(FULL_WEIGHT);
        if requests < u128::from(analysis.policy.requests_min) {
            self.push(
                rules::PAUSE_FEW,
                &path,
                format!(
                    "the canary sees about {requests} requests in this pause, and its analysis \
                     wants {}",
                    analysis.policy.requests_min
                ),
                "lengthen the pause or raise the step's traffic; else the rollout waits, then \
                 goes back",
            );
            return;
        }
        if asked.is_worth(usable_ms) {
            self.strength(index, analysis, usable_ms, weight, rate);
        }
    }

    fn capacity(&mut self, canary: u32, help: &str) {
        let fleet = &self.deployment.fleet;
        if canary > fleet.spare {
            self.push(
                rules::NO_SPARE,
                "fleet.spare",
                format!(
                    "up to {canary} new instances run beside the old, and the spare capacity is {}",
                    fleet.spare
                ),
                &format!("set `spare: {canary}`, or {help}"),
            );
        }
    }

    fn blue_green(&mut self, blue_green: &BlueGreen) {
        self.stages(blue_green);
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
        self.capacity(
            self.deployment.fleet.replicas,
            "use rolling, which needs less",
        );
    }

    fn rolling(&mut self, rolling: &Rolling) {
        self.partition(rolling);
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

    fn recreate(&mut self, _recreate: &Recreate) {
        if self.deployment.is_production() {
            self.push(
                rules::RECREATE_PRODUCTION,
                "strategy.recreate",
                String::from("recreate stops the service before the new version starts"),
                "use canary, blue-green or rolling in production",
            );
        }
    }
}
