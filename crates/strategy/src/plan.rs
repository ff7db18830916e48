//! The plan: a list of steps that leaves nothing open.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use nonevent_analysis::Policy;
use nonevent_document::{Digest, digest_of};
use nonevent_router::{Arm, FULL_WEIGHT, Split};
use serde::{Deserialize, Serialize};

use crate::capacity::{instances_needed, weight_carried};
use crate::deployment::{ConnectionPolicy, Downtime, Release, StrategyKind};

/// Everything that will be done, in order, in absolute terms. Immutable once made.
///
/// Its canonical JSON (RFC 8785) is what people approve by [`Plan::digest`], and what the machine
/// runs. Addresses, ports and secrets are bound at run time and are no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Plan {
    /// `nonevent/v1`.
    pub api_version: String,
    /// `Plan`.
    pub kind: String,
    /// The service's name.
    pub service: String,
    /// The environment's name.
    pub environment: String,
    /// The strategy the steps come from.
    pub strategy: StrategyKind,
    /// From which version to which.
    pub release: Release,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
    /// The numbers that hold throughout.
    pub fleet: FleetPlan,
    /// The smoke suites by digest.
    pub suites: Suites,
    /// How the arms are compared in the steps that watch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub analysis: Option<AnalysisPlan>,
    /// A time without service that was accepted; only then may the split be closed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub downtime: Option<Downtime>,
    /// The steps.
    pub steps: Vec<Step>,
    /// The way back.
    pub rollback: RollbackPlan,
}

/// Numbers of the fleet that hold throughout a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FleetPlan {
    /// Instances in steady state.
    pub replicas: u32,
    /// Ready instances that carry the whole traffic.
    pub min_ready: u32,
    /// Instances that may exist at once, both arms together.
    pub capacity_max: u32,
    /// See [`crate::Fleet::warm_up_ms`].
    pub warm_up_ms: u64,
    /// See [`crate::Fleet::ready_within_ms`].
    pub ready_within_ms: u64,
    /// See [`crate::Fleet::drain_ms`].
    pub drain_ms: u64,
    /// See [`ConnectionPolicy`].
    pub connections: ConnectionPolicy,
}

/// A smoke suite, fixed by its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SuiteRef {
    /// The file it came from, or `default`.
    pub name: String,
    /// SHA-256 of its bytes; absent for the default suite.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<Digest>,
}

/// The three moments at which smoke suites run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Suites {
    /// Before anything changes.
    pub before: SuiteRef,
    /// On the new instances directly.
    pub canary: SuiteRef,
    /// After all traffic has moved, and after a rollback.
    pub after: SuiteRef,
}

/// How the arms are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AnalysisPlan {
    /// Time between two looks.
    pub every_ms: u64,
    /// Samples within this time after a traffic change are not judged.
    pub warm_up_ms: u64,
    /// What counts as worse.
    pub policy: Policy,
}

/// The way back to stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RollbackPlan {
    /// From the decision until stable serves everything; past it the machine ends `Stuck`.
    pub within_ms: u64,
    /// The time that the plan's own arithmetic gives for the worst step, without faults.
    pub expected_ms: u64,
    /// Time between two tries of an effect that was refused.
    pub retry_ms: u64,
    /// Canary instances kept without traffic.
    pub keep: u32,
}

/// Where a smoke suite is pointed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmokeTarget {
    /// The service's own address.
    Router,
    /// Each ready canary instance, past the router.
    Canary,
}

/// Why a step waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchKind {
    /// Before all traffic moves at once: what is normal is learnt, since afterwards there is no
    /// other version to compare with.
    Baseline,
    /// Between two changes of traffic.
    Pause,
    /// At the end, with all traffic on the new version.
    Bake,
    /// The old environment is kept in readiness.
    Keep,
}

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "lowercase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Action {
    /// Run a smoke suite; it must pass.
    Smoke {
        /// At whom.
        target: SmokeTarget,
        /// Which suite of [`Suites`]: `before`, `canary` or `after`.
        suite: SuiteMoment,
    },
    /// Have exactly `count` instances of `arm`; growing waits until they are ready and warm,
    /// shrinking drains first.
    Scale {
        /// Which arm.
        arm: Arm,
        /// How many instances.
        count: u32,
    },
    /// Divide traffic so.
    Shift {
        /// The whole split.
        split: Split,
    },
    /// Let time pass and look.
    Watch {
        /// Why.
        kind: WatchKind,
        /// How long at least.
        for_ms: u64,
        /// Whether an analysis must pass at the end.
        analyse: bool,
    },
}

/// One of the three moments of [`Suites`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SuiteMoment {
    /// Before anything changes.
    Before,
    /// On the new instances.
    Canary,
    /// After the traffic has moved.
    After,
}

/// The state that the fleet and the router shall have once a step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Target {
    /// The split.
    pub split: Split,
    /// Stable instances.
    pub stable: u32,
    /// Canary instances.
    pub canary: u32,
}

impl Target {
    /// Instances of one arm.
    #[must_use]
    pub const fn count(&self, arm: Arm) -> u32 {
        match arm {
            Arm::Stable => self.stable,
            Arm::Canary => self.canary,
        }
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Step {
    /// A stable name, such as `traffic-25` or `scale-canary-2`; unique in the plan.
    pub id: String,
    /// What it does.
    pub action: Action,
    /// What stands once it is done.
    pub target: Target,
    /// If it is not done after this time, the rollout goes back.
    pub deadline_ms: u64,
    /// The bound on the time from a decision to go back until stable serves everything, from
    /// anywhere within this step and without faults on the way.
    pub back_within_ms: u64,
}

impl Plan {
    /// The state before the first step and after a rollback: all replicas and traffic on stable.
    #[must_use]
    pub const fn origin(&self) -> Target {
        Target {
            split: Split::STABLE,
            stable: self.fleet.replicas,
            canary: 0,
        }
    }

    /// What stands when step `index` begins.
    #[must_use]
    pub fn before(&self, index: usize) -> Target {
        match index
            .checked_sub(1)
            .and_then(|previous| self.steps.get(previous))
        {
            Some(step) => step.target,
            None => self.origin(),
        }
    }

    /// Ready instances that an arm needs for `weight` of 10 000.
    #[must_use]
    pub const fn needed(&self, weight: u16) -> u32 {
        instances_needed(weight, self.fleet.min_ready)
    }

    /// The largest weight that `ready` instances may be given.
    #[must_use]
    pub const fn carried(&self, ready: u32) -> u16 {
        weight_carried(ready, self.fleet.min_ready)
    }

    /// SHA-256 of the canonical JSON: the name under which the plan is reviewed and run.
    ///
    /// # Errors
    /// [`PlanErrorKind::NotCanonical`] if a number in it is beyond what JSON carries exactly.
    pub fn digest(&self) -> Result<Digest, PlanError> {
        digest_of(self).map_err(|error| PlanError {
            kind: PlanErrorKind::NotCanonical,
            text: error.to_string(),
        })
    }

    /// The digest with versions, suites, environment, counts and times left out: what a rehearsal
    /// elsewhere has in common with this plan. Shares of a rolling update follow from its counts
    /// and are left out with them.
    ///
    /// # Errors
    /// As [`Plan::digest`].
    pub fn shape(&self) -> Result<Digest, PlanError> {
        let mut steps: Vec<ShapeStep> = Vec::new();
        for step in &self.steps {
            let step = self.shape_step(step);
            // How many batches a rolling update has follows from the counts.
            if self.strategy != StrategyKind::Rolling || !steps.contains(&step) {
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
        digest_of(&shape).map_err(|error| PlanError {
            kind: PlanErrorKind::NotCanonical,
            text: error.to_string(),
        })
    }

    fn shape_step(&self, step: &Step) -> ShapeStep {
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
        }
    }

    /// Checks what a plan read from outside must hold; plans made by [`crate::plan`] do.
    ///
    /// # Errors
    /// [`PlanErrorKind::Inconsistent`] with what does not fit.
    pub fn validate(&self) -> Result<(), PlanError> {
        let wrong = |text: String| {
            Err(PlanError {
                kind: PlanErrorKind::Inconsistent,
                text,
            })
        };
        if self.api_version != crate::wire::API_VERSION || self.kind != "Plan" {
            return wrong(alloc::format!(
                "apiVersion {:?}, kind {:?}: expected {:?}, \"Plan\"",
                self.api_version,
                self.kind,
                crate::wire::API_VERSION
            ));
        }
        if self.steps.is_empty() || self.steps.len() > usize::from(u16::MAX) {
            return wrong(alloc::format!(
                "{} steps: expected 1 to 65535",
                self.steps.len()
            ));
        }
        if self.fleet.min_ready == 0 || self.fleet.min_ready > self.fleet.replicas {
            return wrong(alloc::format!(
                "minReady {} of {} replicas",
                self.fleet.min_ready,
                self.fleet.replicas
            ));
        }
        for (index, step) in self.steps.iter().enumerate() {
            let mut expected = self.before(index);
            match &step.action {
                Action::Scale {
                    arm: Arm::Stable,
                    count,
                } => expected.stable = *count,
                Action::Scale {
                    arm: Arm::Canary,
                    count,
                } => expected.canary = *count,
                Action::Shift { split } => expected.split = *split,
                Action::Smoke { .. } | Action::Watch { .. } => {}
            }
            if expected != step.target {
                return wrong(alloc::format!(
                    "step {} ({}): its target is not what its action leads to",
                    index + 1,
                    step.id
                ));
            }
            if step.target.split.is_closed() && self.downtime.is_none() {
                return wrong(alloc::format!(
                    "step {} ({}): closes the router without a declared downtime",
                    index + 1,
                    step.id
                ));
            }
            if matches!(step.action, Action::Watch { analyse: true, .. }) && self.analysis.is_none()
            {
                return wrong(alloc::format!(
                    "step {} ({}): asks for an analysis that the plan does not define",
                    index + 1,
                    step.id
                ));
            }
        }
        match self.steps.last() {
            Some(last) if last.target.split.weight(Arm::Canary) == FULL_WEIGHT => Ok(()),
            _ => wrong(String::from(
                "the last step does not leave all traffic on the new version",
            )),
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

#[derive(PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum ShapeStep {
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
}

/// What went wrong with a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanErrorKind {
    /// Its parts contradict each other.
    Inconsistent,
    /// It cannot be written as canonical JSON.
    NotCanonical,
}

/// A plan that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    kind: PlanErrorKind,
    text: String,
}

impl PlanError {
    /// Which kind of fault it is.
    #[must_use]
    pub const fn kind(&self) -> PlanErrorKind {
        self.kind
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            PlanErrorKind::Inconsistent => write!(f, "the plan contradicts itself: {}", self.text),
            PlanErrorKind::NotCanonical => {
                write!(f, "the plan has no canonical form: {}", self.text)
            }
        }
    }
}

impl core::error::Error for PlanError {}
