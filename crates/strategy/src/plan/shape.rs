//! What a plan has in common with a rehearsal of it elsewhere.

use alloc::collections::BTreeSet;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use nonevent_analysis::Policy;
use nonevent_document::{Digest, digest_of};
use nonevent_router::{Arm, FULL_WEIGHT, Split};
use serde::Serialize;

use super::{
    Action, Plan, PlanError, PlanErrorKind, SmokeTarget, Step, SuiteMoment, Task, WatchKind,
};
use crate::deployment::{MigrationKind, StrategyKind};

impl Plan {
    /// The digest with versions, suites, environment, counts and times left out: what a rehearsal
    /// elsewhere has in common with this plan. Shares of a rolling update follow from its counts
    /// and are left out with them.
    ///
    /// # Errors
    /// As [`Plan::digest`].
    pub fn shape(&self) -> Result<Digest, PlanError> {
        let mut steps: Vec<ShapeStep> = Vec::new();
        let mut seen = BTreeSet::new();
        for step in &self.steps {
            let step = self.shape_step(step);
            // How many batches a rolling update has follows from the counts.
            if self.strategy != StrategyKind::Rolling || seen.insert(step.clone()) {
                steps.push(step);
            }
        }
        let shape = Shape {
            api_version: &self.api_version,
            service: &self.service,
            strategy: self.strategy,
            policy: self.analysis.as_ref().map(|analysis| &analysis.policy),
            downtime: self.downtime.is_some(),
            keep: self.rollback.keep > 0,
            steps,
        };
        digest_of(&shape)
            .map_err(|error| PlanError::new(PlanErrorKind::NotCanonical, error.to_string()))
    }

    /// Whether a step has another shape if there are so many replicas instead.
    pub(crate) fn shape_rests_on_replicas(&self, replicas: u32) -> bool {
        self.steps.iter().any(|step| match &step.action {
            Action::Scale { count, .. } => (*count >= self.fleet.replicas) != (*count >= replicas),
            _ => false,
        })
    }

    pub(crate) fn shape_step(&self, step: &Step) -> ShapeStep {
        match &step.action {
            Action::Smoke { target, suite } => ShapeStep::Smoke {
                target: *target,
                suite: *suite,
            },
            Action::Scale { arm, count } => ShapeStep::Scale {
                arm: *arm,
                all: *count >= self.fleet.replicas,
                none: *count == 0,
            },
            Action::Shift { split } => ShapeStep::Shift {
                split: match (self.strategy, split.weight(Arm::Canary)) {
                    (StrategyKind::Rolling, 1..FULL_WEIGHT) => None,
                    _ => Some(*split),
                },
            },
            Action::Watch { kind, analyse, .. } => ShapeStep::Watch {
                kind: *kind,
                analyse: *analyse,
            },
            Action::Task(task) => ShapeStep::Task(match task {
                Task::Approve { .. } => ShapeTask::Approve,
                Task::Manual { .. } => ShapeTask::Manual,
                Task::Migrate { migration, .. } => ShapeTask::Migrate(*migration),
                Task::Route { chosen } => ShapeTask::Route(!chosen.is_empty()),
                Task::Mirror { share, .. } => ShapeTask::Mirror(*share > 0),
                Task::Baseline { count, weight } => ShapeTask::Baseline(*count > 0, *weight),
                Task::Flag { .. } => ShapeTask::Flag,
            }),
        }
    }
}

#[derive(Serialize)]
struct Shape<'a> {
    api_version: &'a str,
    service: &'a str,
    strategy: StrategyKind,
    policy: Option<&'a Policy>,
    downtime: bool,
    keep: bool,
    steps: Vec<ShapeStep>,
}

/// What of a step enters the shape.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ShapeStep {
    Smoke {
        target: SmokeTarget,
        suite: SuiteMoment,
    },
    Scale {
        arm: Arm,
        all: bool,
        none: bool,
    },
    Shift {
        split: Option<Split>,
    },
    Watch {
        kind: WatchKind,
        analyse: bool,
    },
    Task(ShapeTask),
}

/// What of a task enters the shape.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ShapeTask {
    Approve,
    Manual,
    Migrate(MigrationKind),
    Route(bool),
    Mirror(bool),
    Baseline(bool, u16),
    Flag,
}
