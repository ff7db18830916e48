//! The steps of a canary: behind a router that divides the traffic, or by instance share.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_router::{Arm, FULL_WEIGHT, Split};

use super::Builder;
use crate::capacity::Batch;
use crate::deployment::{Canary, CanaryScale, CanaryStep, Match, Mirror, Moment};
use crate::plan::{Action, BaselineSet, SmokeTarget, SuiteMoment, Task, WatchKind};
use crate::planner::{counts_by_share, has_baseline, limits_by_share, wanted_canary_count};

/// What the steps so far have brought about.
struct Stands {
    counts: Batch,
    chosen: Vec<Match>,
    mirror: Option<Mirror>,
    baseline: BaselineSet,
}

impl Builder<'_> {
    pub(super) fn canary(&mut self, canary: &Canary) {
        let replicas = self.deployment.fleet.replicas;
        let mut at = Stands {
            counts: Batch {
                new: 0,
                old: replicas,
            },
            chosen: Vec::new(),
            mirror: None,
            baseline: BaselineSet::default(),
        };
        for (index, step) in canary.steps.iter().enumerate() {
            self.approve(step.approval.as_ref());
            if step.scale == CanaryScale::ByShare {
                self.step_by_share(step, &mut at);
            } else {
                self.step_by_router(canary, index, step, &mut at);
            }
            if let Some(suite) = &step.smoke {
                self.smoke_named(suite);
            }
            if step.traffic.basis_points() == FULL_WEIGHT {
                self.smoke("smoke-after", SmokeTarget::Router, SuiteMoment::After);
                self.watch(WatchKind::Bake, step.pause_ms, &step.analysis);
            } else {
                self.watch(WatchKind::Pause, step.pause_ms, step.judged());
            }
        }
        self.tasks(Moment::AfterBake);
        if at.counts.old > 0 {
            self.scale(Arm::Stable, 0);
        }
        if at.counts.new > replicas {
            self.scale(Arm::Canary, replicas);
        }
    }

    /// Stable keeps all its instances, and the router divides the traffic.
    fn step_by_router(
        &mut self,
        canary: &Canary,
        index: usize,
        step: &CanaryStep,
        at: &mut Stands,
    ) {
        let weight = step.traffic.basis_points();
        let all = weight == FULL_WEIGHT;
        let baseline = has_baseline(canary, weight);
        if !baseline {
            // First of all: its instances' places are the canary's now.
            self.baseline_set(BaselineSet::default(), &mut at.baseline);
        }
        let wanted = wanted_canary_count(self.deployment, step);
        if wanted > at.counts.new {
            self.scale(Arm::Canary, wanted);
            at.counts.new = wanted;
        }
        if index == 0 {
            self.smoke("smoke-canary", SmokeTarget::Canary, SuiteMoment::Canary);
        }
        if baseline {
            let instances = BaselineSet {
                count: at.counts.new,
                ..at.baseline
            };
            self.baseline_set(instances, &mut at.baseline);
        }
        if !all {
            self.route(&step.chosen, &mut at.chosen);
        }
        self.mirror(step.mirror.filter(|_| !all), &mut at.mirror);
        if weight > 0 {
            self.shift(Split::canary(weight).unwrap_or(Split::CANARY));
        }
        if baseline {
            let share = BaselineSet {
                weight,
                ..at.baseline
            };
            self.baseline_set(share, &mut at.baseline);
        }
        if all {
            // Only now: chosen users would go back to stable in between.
            self.route(&[], &mut at.chosen);
        }
    }

    /// The instances divide the traffic: the canary gets so many that their share is nearest to the
    /// step's, and stable gives up the others, in batches that keep the fleet's limits.
    fn step_by_share(&mut self, step: &CanaryStep, at: &mut Stands) {
        let fleet = &self.deployment.fleet;
        let (replicas, limits) = (fleet.replicas, limits_by_share(fleet));
        let aim = counts_by_share(self.deployment, step);
        loop {
            let before = at.counts;
            let next = before.toward(aim, replicas, limits);
            if next == before {
                // The aim is reached; a fleet without any room is refused by the check.
                break;
            }
            self.grow(before, next);
            self.shrink(before, next);
            at.counts = next;
        }
    }

    /// The baseline set beside the canary, if it is another than before. What there is of it may
    /// change in one of its two numbers at a time, but for its end.
    fn baseline_set(&mut self, wanted: BaselineSet, baseline: &mut BaselineSet) {
        if wanted == *baseline {
            return;
        }
        let BaselineSet { count, weight } = wanted;
        let id = match (count, weight % 100) {
            (0, _) => String::from("baseline-none"),
            _ if count != baseline.count => format!("scale-baseline-{count}"),
            (_, 0) => format!("baseline-{}", weight / 100),
            (_, part) => format!("baseline-{}-{part:02}", weight / 100),
        };
        *baseline = wanted;
        self.push(&id, Action::Task(Task::Baseline { count, weight }));
    }

    /// Users who go to the canary whatever its share, if they are others than before.
    fn route(&mut self, wanted: &[Match], chosen: &mut Vec<Match>) {
        if wanted == *chosen {
            return;
        }
        *chosen = wanted.to_vec();
        let id = match wanted {
            [] => "route-none",
            _ => "route-chosen",
        };
        let chosen = chosen.clone();
        self.push(id, Action::Task(Task::Route { chosen }));
    }

    /// Requests that are copied to the canary, if they are others than before.
    fn mirror(&mut self, wanted: Option<Mirror>, mirror: &mut Option<Mirror>) {
        if wanted == *mirror {
            return;
        }
        *mirror = wanted;
        let share = wanted.map_or(0, |it| it.share.basis_points());
        let id = if share == 0 { "mirror-none" } else { "mirror" };
        self.push(
            id,
            Action::Task(Task::Mirror {
                share,
                unsafe_methods: wanted.is_some_and(|it| it.unsafe_methods),
            }),
        );
    }
}
