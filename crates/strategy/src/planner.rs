//! Resolves a checked deployment into its plan.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::Digest;
use nonevent_router::{Arm, FULL_WEIGHT, Split};

use crate::capacity::{Batch, rolling_batches, rolling_limits, weight_of_instances};
use crate::check::{Checked, Facts};
use crate::deployment::{BlueGreen, Canary, Deployment, Recreate, Rolling, Strategy};
use crate::duration::{RETRY_MS, deadline_ms, recovery_bound_ms};
use crate::plan::{
    Action, AnalysisPlan, FleetPlan, Plan, RollbackPlan, SmokeTarget, Step, SuiteMoment, SuiteRef,
    Suites, WatchKind,
};

/// The plan of a deployment that has no error among its findings. The same deployment and the
/// same suites give the same bytes.
#[must_use]
pub fn plan(checked: &Checked) -> Plan {
    draft(checked.deployment(), checked.facts())
}

/// The plan of any deployment whose numbers are in range; the checks use it to judge it.
pub(crate) fn draft(deployment: &Deployment, facts: &Facts) -> Plan {
    let fleet = &deployment.fleet;
    let mut builder = Builder {
        actions: Vec::new(),
    };
    let downtime = match &deployment.strategy {
        Strategy::Recreate(recreate) => Some(recreate.downtime.clone()),
        _ => None,
    };
    builder.smoke("smoke-before", SmokeTarget::Router, SuiteMoment::Before);
    let analyse = deployment.analysis.is_some();
    match &deployment.strategy {
        Strategy::Canary(canary) => builder.canary(deployment, canary, analyse),
        Strategy::BlueGreen(blue_green) => builder.blue_green(deployment, blue_green, analyse),
        Strategy::Rolling(rolling) => builder.rolling(deployment, rolling, analyse),
        Strategy::Recreate(recreate) => builder.recreate(deployment, recreate),
    }
    let mut plan = Plan {
        api_version: crate::wire::API_VERSION.to_string(),
        kind: String::from("Plan"),
        service: deployment.service.clone(),
        environment: deployment.environment.clone(),
        strategy: deployment.strategy.kind(),
        release: deployment.release.clone(),
        owner: deployment.owner.clone(),
        fleet: FleetPlan {
            replicas: fleet.replicas,
            min_ready: fleet.min_ready(),
            capacity_max: fleet.replicas.saturating_add(fleet.spare),
            warm_up_ms: fleet.warm_up_ms,
            ready_within_ms: fleet.ready_within_ms,
            drain_ms: fleet.drain_ms,
            connections: fleet.connections,
        },
        suites: Suites {
            before: suite_ref(deployment.smoke.before.as_deref(), facts),
            canary: suite_ref(deployment.smoke.canary.as_deref(), facts),
            after: suite_ref(deployment.smoke.after.as_deref(), facts),
        },
        analysis: deployment.analysis.as_ref().map(|analysis| AnalysisPlan {
            every_ms: analysis.every_ms,
            warm_up_ms: analysis.warm_up_ms,
            policy: analysis.policy.clone(),
        }),
        downtime,
        steps: Vec::new(),
        rollback: RollbackPlan {
            within_ms: deployment.rollback.within_ms,
            expected_ms: 0,
            retry_ms: RETRY_MS,
            keep: deployment.rollback.keep,
        },
    };
    resolve_steps(&mut plan, builder.actions);
    plan
}

fn suite_ref(name: Option<&str>, facts: &Facts) -> SuiteRef {
    match name {
        None => SuiteRef {
            name: String::from("default"),
            digest: None,
        },
        Some(name) => {
            let digest: Option<Digest> = facts.suites.get(name).map(|fact| fact.digest);
            SuiteRef {
                name: String::from(name),
                digest,
            }
        }
    }
}

fn resolve_steps(plan: &mut Plan, actions: Vec<(String, Action)>) {
    for (id, action) in actions {
        let before = plan.before(plan.steps.len());
        let mut target = before;
        match &action {
            Action::Scale {
                arm: Arm::Stable,
                count,
            } => target.stable = *count,
            Action::Scale {
                arm: Arm::Canary,
                count,
            } => target.canary = *count,
            Action::Shift { split } => target.split = *split,
            Action::Smoke { .. } | Action::Watch { .. } => {}
        }
        let deadline_ms = deadline_ms(plan, &before, &action);
        let back_within_ms = recovery_bound_ms(plan, &before).max(recovery_bound_ms(plan, &target));
        plan.steps.push(Step {
            id,
            action,
            target,
            deadline_ms,
            back_within_ms,
        });
    }
    plan.rollback.expected_ms = plan
        .steps
        .iter()
        .map(|step| step.back_within_ms)
        .max()
        .unwrap_or(0);
}

struct Builder {
    actions: Vec<(String, Action)>,
}

impl Builder {
    fn push(&mut self, id: &str, action: Action) {
        let taken = |id: &str| self.actions.iter().any(|(other, _)| other == id);
        let mut unique = String::from(id);
        let mut copy = 2;
        while taken(&unique) {
            unique = format!("{id}-{copy}");
            copy += 1;
        }
        self.actions.push((unique, action));
    }

    fn smoke(&mut self, id: &str, target: SmokeTarget, suite: SuiteMoment) {
        self.push(id, Action::Smoke { target, suite });
    }

    fn scale(&mut self, arm: Arm, count: u32) {
        self.push(
            &format!("scale-{arm}-{count}"),
            Action::Scale { arm, count },
        );
    }

    fn shift(&mut self, split: Split) {
        let id = match split {
            Split::Closed => String::from("close"),
            Split::Open { .. } => {
                let weight = split.weight(Arm::Canary);
                match weight % 100 {
                    0 => format!("traffic-{}", weight / 100),
                    part => format!("traffic-{}-{part:02}", weight / 100),
                }
            }
        };
        self.push(&id, Action::Shift { split });
    }

    fn watch(&mut self, kind: WatchKind, for_ms: u64, analyse: bool) {
        if for_ms == 0 {
            return;
        }
        let id = match kind {
            WatchKind::Baseline => "baseline",
            WatchKind::Pause => "pause",
            WatchKind::Bake => "bake",
            WatchKind::Keep => "keep-old",
        };
        self.push(
            id,
            Action::Watch {
                kind,
                for_ms,
                analyse,
            },
        );
    }

    /// Time to learn what is normal: five looks and the warm-up.
    fn baseline(&mut self, deployment: &Deployment) {
        if let Some(analysis) = &deployment.analysis {
            let for_ms = analysis
                .every_ms
                .saturating_mul(5)
                .saturating_add(analysis.warm_up_ms);
            self.watch(WatchKind::Baseline, for_ms, false);
        }
    }

    fn canary(&mut self, deployment: &Deployment, canary: &Canary, analyse: bool) {
        let mut count = 0;
        for (index, step) in canary.steps.iter().enumerate() {
            let weight = step.traffic.basis_points();
            let wanted = wanted_canary_count(deployment, step.replicas, weight);
            if wanted > count {
                self.scale(Arm::Canary, wanted);
                count = wanted;
            }
            if index == 0 {
                self.smoke("smoke-canary", SmokeTarget::Canary, SuiteMoment::Canary);
            }
            self.shift(Split::canary(weight).unwrap_or(Split::CANARY));
            if weight == FULL_WEIGHT {
                self.smoke("smoke-after", SmokeTarget::Router, SuiteMoment::After);
                self.watch(WatchKind::Bake, step.pause_ms, analyse);
            } else {
                self.watch(WatchKind::Pause, step.pause_ms, analyse);
            }
        }
        self.scale(Arm::Stable, 0);
    }

    fn blue_green(&mut self, deployment: &Deployment, blue_green: &BlueGreen, analyse: bool) {
        self.scale(Arm::Canary, deployment.fleet.replicas);
        self.smoke("smoke-preview", SmokeTarget::Canary, SuiteMoment::Canary);
        self.baseline(deployment);
        self.shift(Split::CANARY);
        self.smoke("smoke-after", SmokeTarget::Router, SuiteMoment::After);
        self.watch(WatchKind::Bake, blue_green.bake_ms, analyse);
        let kept_ms = blue_green
            .scale_down_delay_ms
            .saturating_sub(blue_green.bake_ms);
        self.watch(WatchKind::Keep, kept_ms, false);
        self.scale(Arm::Stable, 0);
    }

    fn rolling(&mut self, deployment: &Deployment, rolling: &Rolling, analyse: bool) {
        let replicas = deployment.fleet.replicas;
        let limits = rolling_limits(
            rolling.max_surge.of_ceil(replicas),
            rolling.max_unavailable.of_floor(replicas),
        );
        let mut before = Batch {
            new: 0,
            old: replicas,
        };
        let mut tested = false;
        for batch in rolling_batches(replicas, limits) {
            if batch.new > before.new {
                self.scale(Arm::Canary, batch.new);
                if !tested {
                    self.smoke("smoke-canary", SmokeTarget::Canary, SuiteMoment::Canary);
                    tested = true;
                }
                let weight = weight_of_instances(batch.new, batch.new + batch.old);
                self.shift(Split::canary(weight).unwrap_or(Split::CANARY));
                self.watch(
                    WatchKind::Pause,
                    rolling.pause_ms,
                    analyse && weight < FULL_WEIGHT,
                );
            }
            if batch.old < before.old {
                self.scale(Arm::Stable, batch.old);
            }
            before = batch;
        }
        self.smoke("smoke-after", SmokeTarget::Router, SuiteMoment::After);
        self.watch(WatchKind::Bake, rolling.watch_ms, analyse);
    }

    fn recreate(&mut self, deployment: &Deployment, recreate: &Recreate) {
        self.baseline(deployment);
        self.shift(Split::Closed);
        self.scale(Arm::Stable, 0);
        self.scale(Arm::Canary, deployment.fleet.replicas);
        self.smoke("smoke-new", SmokeTarget::Canary, SuiteMoment::Canary);
        self.shift(Split::CANARY);
        self.smoke("smoke-after", SmokeTarget::Router, SuiteMoment::After);
        self.watch(
            WatchKind::Bake,
            recreate.watch_ms,
            deployment.analysis.is_some(),
        );
    }
}

/// Canary instances for `weight`: what the document says, else the share of the replicas rounded
/// up, and never fewer than the weight needs.
pub(crate) fn wanted_canary_count(
    deployment: &Deployment,
    replicas: Option<u32>,
    weight: u16,
) -> u32 {
    replicas.unwrap_or_else(|| {
        crate::capacity::share_ceil(deployment.fleet.replicas, weight).max(
            crate::capacity::instances_needed(weight, deployment.fleet.min_ready()),
        )
    })
}
