//! Resolves a checked deployment into its plan.

mod builder;

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::Digest;
use nonevent_router::{Arm, FULL_WEIGHT, Split};

use crate::capacity::{Batch, RollingLimits, canary_counts, instances_needed, share_ceil};
use crate::check::{Checked, Facts};
use crate::deployment::{
    AnalysisSettings, Approval, Canary, CanaryScale, CanaryStep, Deployment, Fleet, OnFailure,
    SplitBy, Strategy,
};
use crate::duration::{RETRY_MS, WayBack, deadline_ms};
use crate::exposure::Exposure;
use crate::plan::{
    Action, AnalysisPlan, ApprovalPlan, BaselineSet, ExposurePlan, FileRef, FlagPlan, FleetPlan,
    NotificationPlan, Plan, RollbackPlan, Step, SuiteRef, Suites, TargetPlan,
};
use crate::windows::zone_data_version;
use builder::Builder;

/// Requests that a user makes while a step lasts, where a strategy does not say.
const REQUESTS_PER_USER: u32 = 50;

/// The fleet as it is: declared by the document, or observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetState {
    /// Instances of the version that serves.
    pub stable: u32,
    /// Instances of the version to be released that are there already.
    pub canary: u32,
    /// How the router divides traffic, read back from it; absent: nobody read it.
    pub split: Option<Split>,
    /// The version of the stable instances, if they tell.
    pub stable_version: Option<String>,
    /// The version of the canary instances, if they tell.
    pub canary_version: Option<String>,
}

impl FleetState {
    /// What the document says.
    #[must_use]
    pub fn declared(deployment: &Deployment) -> Self {
        FleetState {
            stable_version: Some(deployment.release.from.clone()),
            ..FleetState::all_stable(deployment.fleet.replicas)
        }
    }

    /// So many stable instances with all the traffic, and nothing besides.
    #[must_use]
    pub const fn all_stable(stable: u32) -> Self {
        FleetState {
            stable,
            canary: 0,
            split: Some(Split::STABLE),
            stable_version: None,
            canary_version: None,
        }
    }
}

/// The plan of a deployment that has no error among its findings, for the fleet as the document
/// declares it. The same deployment and the same suites give the same bytes.
#[must_use]
pub fn plan(checked: &Checked) -> Plan {
    draft(checked.deployment(), checked.facts())
}

/// The plan of any deployment whose numbers are in range; the checks use it to judge it.
pub(crate) fn draft(deployment: &Deployment, facts: &Facts) -> Plan {
    let downtime = match &deployment.strategy {
        Strategy::Recreate(recreate) => Some(recreate.downtime.clone()),
        _ => None,
    };
    let mut builder = Builder::new(deployment, facts);
    builder.build();
    let (actions, others) = builder.finish();
    let file = |name: &str| file_ref(name, facts);
    let mut plan = Plan {
        api_version: crate::wire::API_VERSION.to_string(),
        kind: String::from("Plan"),
        parent: None,
        service: deployment.service.clone(),
        environment: deployment.environment.clone(),
        strategy: deployment.strategy.kind(),
        release: deployment.release.clone(),
        owner: deployment.owner.clone(),
        target: TargetPlan {
            router: deployment.target.router.clone(),
            fleet: deployment.target.fleet.clone(),
            dns_ttl_ms: deployment.target.dns_ttl_ms.unwrap_or(0),
        },
        fleet: fleet_plan(deployment),
        suites: Suites {
            before: suite_ref(deployment.smoke.before.as_deref(), facts),
            canary: suite_ref(deployment.smoke.canary.as_deref(), facts),
            after: suite_ref(deployment.smoke.after.as_deref(), facts),
            others: others
                .iter()
                .map(|name| suite_ref(Some(name), facts))
                .collect(),
        },
        analysis: deployment.analysis.as_ref().map(analysis_plan),
        analyses: deployment
            .analyses
            .iter()
            .map(|(name, analysis)| (name.clone(), analysis_plan(analysis)))
            .collect(),
        approvals: deployment
            .approvals
            .iter()
            .map(|(name, approval)| (name.clone(), approval_plan(approval, deployment)))
            .collect(),
        flags: deployment
            .flags
            .iter()
            .map(|flag| {
                let plan = FlagPlan {
                    file: file(&flag.file),
                    kill_switch: file(&flag.kill_switch),
                };
                (flag.flag.clone(), plan)
            })
            .collect(),
        exposure: exposure_plan(deployment),
        windows: deployment.windows.clone(),
        zone_data: deployment
            .windows
            .as_ref()
            .map(|_| String::from(zone_data_version())),
        notifications: deployment
            .notifications
            .iter()
            .map(|it| NotificationPlan {
                on: it.on.clone(),
                to: it.to.clone(),
            })
            .collect(),
        downtime,
        steps: Vec::new(),
        rollback: rollback_plan(deployment),
    };
    resolve_steps(&mut plan, actions);
    plan
}

fn fleet_plan(deployment: &Deployment) -> FleetPlan {
    let fleet = &deployment.fleet;
    let mut plan = FleetPlan {
        replicas: fleet.replicas,
        min_ready: fleet.min_ready(),
        capacity_max: fleet.replicas.saturating_add(fleet.spare),
        warm_up_ms: fleet.warm_up_ms,
        ready_within_ms: fleet.ready_within_ms,
        drain_ms: fleet.drain_ms,
        connections: fleet.connections,
    };
    if let Strategy::Rolling(rolling) = &deployment.strategy {
        // An instance that has been ready for so long is available: to the machine, it is warm.
        plan.warm_up_ms = plan.warm_up_ms.max(rolling.min_ready_ms);
        if let Some(deadline_ms) = rolling.progress_deadline_ms {
            plan.ready_within_ms = deadline_ms.saturating_sub(plan.warm_up_ms).max(1);
        }
    }
    plan
}

fn analysis_plan(analysis: &AnalysisSettings) -> AnalysisPlan {
    AnalysisPlan {
        every_ms: analysis.every_ms,
        warm_up_ms: analysis.warm_up_ms,
        policy: analysis.policy.clone(),
        late_ms: analysis.late_ms(),
        window_ms: analysis.window_ms,
        on_no_data: analysis.on_no_data,
        on_inconclusive: analysis.on_inconclusive,
    }
}

fn approval_plan(approval: &Approval, deployment: &Deployment) -> ApprovalPlan {
    ApprovalPlan {
        role: approval.role.clone(),
        people: deployment.approvers(&approval.role),
        count: approval.count,
        timeout_ms: approval.timeout_ms,
        on_timeout: approval.on_timeout,
    }
}

fn exposure_plan(deployment: &Deployment) -> ExposurePlan {
    match &deployment.strategy {
        Strategy::Canary(canary) => ExposurePlan {
            split_by: canary.split_by,
            requests_per_user: canary.requests_per_user,
        },
        _ => ExposurePlan {
            split_by: SplitBy::Request,
            requests_per_user: REQUESTS_PER_USER,
        },
    }
}

fn rollback_plan(deployment: &Deployment) -> RollbackPlan {
    let rollback = &deployment.rollback;
    RollbackPlan {
        within_ms: rollback.within_ms,
        expected_ms: 0,
        retry_ms: RETRY_MS,
        keep: rollback.keep,
        triggers: rollback.triggers.clone(),
        on_failure: match &deployment.strategy {
            Strategy::Rolling(rolling) => rolling.on_failure,
            _ => OnFailure::Rollback,
        },
        no_return_from: None,
        no_way_back: rollback.no_way_back.clone(),
        after_no_return: rollback.after_no_return,
        on_drift: rollback.on_drift,
    }
}

fn suite_ref(name: Option<&str>, facts: &Facts) -> SuiteRef {
    let digest: Option<Digest> = name
        .and_then(|name| facts.suites.get(name))
        .map(|fact| fact.digest);
    SuiteRef {
        name: String::from(name.unwrap_or("default")),
        digest,
    }
}

fn file_ref(name: &str, facts: &Facts) -> FileRef {
    FileRef {
        name: String::from(name),
        digest: facts.files.get(name).copied(),
    }
}

fn resolve_steps(plan: &mut Plan, actions: Vec<(String, Action)>) {
    let (mut before, mut returns) = (plan.origin(), true);
    let mut exposure = Exposure::of(plan.exposure.split_by, plan.exposure.requests_per_user);
    let (origin, mut way_back) = (plan.origin(), WayBack::default());
    let mut baseline = BaselineSet::default();
    for (place, (id, action)) in actions.into_iter().enumerate() {
        let place = u16::try_from(place).unwrap_or(u16::MAX);
        let target = before.after(place, &action);
        if returns && matches!(&action, Action::Task(task) if task.has_no_way_back()) {
            returns = false;
            plan.rollback.no_return_from = u16::try_from(plan.steps.len()).ok();
        }
        if target.split != before.split {
            exposure.add(target.split.weight(Arm::Canary));
        }
        let deadline_ms = deadline_ms(plan, &before, baseline, &action);
        baseline = baseline.after(&action);
        let back_within_ms = way_back
            .bound_ms(plan, &before)
            .max(way_back.bound_ms(plan, &target));
        plan.steps.push(Step {
            id,
            action,
            target,
            deadline_ms,
            back_within_ms,
            back_to: returns.then_some(origin),
            exposed: exposure.users(),
        });
        before = target;
    }
    let bounds = plan.steps.iter().map(|step| step.back_within_ms);
    plan.rollback.expected_ms = bounds.max().unwrap_or(0);
}

/// Canary instances for a step: what the document says, else the share of the replicas rounded up,
/// and never fewer than the step needs.
pub(crate) fn wanted_canary_count(deployment: &Deployment, step: &CanaryStep) -> u32 {
    let replicas = deployment.fleet.replicas;
    match step.scale {
        CanaryScale::Own(own) => own.of_ceil(replicas),
        CanaryScale::ByShare => counts_by_share(deployment, step).new,
        CanaryScale::Match => {
            let share = share_ceil(replicas, step.traffic.basis_points());
            share.max(needed_canary_count(deployment, step))
        }
    }
}

/// Canary instances without which a step's requests are not carried: its share, the copied ones
/// besides, and at least one, since a step without traffic has chosen users.
pub(crate) fn needed_canary_count(deployment: &Deployment, step: &CanaryStep) -> u32 {
    let copied = step.mirror.map_or(0, |it| it.share.basis_points());
    let load = (step.traffic.basis_points() + copied).min(FULL_WEIGHT);
    instances_needed(load, deployment.fleet.min_ready()).max(1)
}

/// Both versions' instances in a step by instance share.
pub(crate) fn counts_by_share(deployment: &Deployment, step: &CanaryStep) -> Batch {
    let Fleet {
        replicas, spare, ..
    } = deployment.fleet;
    let counts = canary_counts(replicas, step.traffic.basis_points(), spare);
    Batch {
        new: counts.canary,
        old: counts.stable,
    }
}

/// What a canary by instance share keeps on its way: the spare instances may be there besides, and
/// those that min healthy does not need may be missing. Both may be 0, and then nothing can move.
pub(crate) fn limits_by_share(fleet: &Fleet) -> RollingLimits {
    RollingLimits {
        surge: fleet.spare,
        unavailable: fleet.replicas.saturating_sub(fleet.min_ready()),
    }
}

/// Whether a canary has a baseline set at this share: as large a one must be left for it.
pub(crate) const fn has_baseline(canary: &Canary, weight: u16) -> bool {
    canary.baseline && weight > 0 && weight <= FULL_WEIGHT / 2
}

/// The share of the traffic that a step really gives the canary, out of 10 000: what the document
/// says, or, by instance share, what the counts give.
pub(crate) fn given_weight(deployment: &Deployment, step: &CanaryStep) -> u16 {
    match step.scale {
        CanaryScale::ByShare => counts_by_share(deployment, step).weight(),
        CanaryScale::Match | CanaryScale::Own(_) => step.traffic.basis_points(),
    }
}
