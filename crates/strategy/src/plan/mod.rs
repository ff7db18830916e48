//! The plan: a list of steps that leaves nothing open.

mod error;
mod parts;
mod shape;
mod step;
mod validate;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::{Digest, digest_of};
use nonevent_router::{Arm, Split};
use serde::{Deserialize, Serialize};

use crate::capacity::{instances_needed, weight_carried};
use crate::deployment::{Downtime, Release, StrategyKind};
use crate::windows::Windows;
pub use error::{PlanError, PlanErrorKind};
use parts::is_default;
pub use parts::{
    AnalysisPlan, ApprovalPlan, ExposurePlan, FileRef, FlagPlan, FleetPlan, NotificationPlan,
    RollbackPlan, SuiteRef, Suites, TargetPlan,
};
pub use step::{
    Action, BaselineSet, SmokeTarget, Step, SuiteMoment, Target, Task, Traffic, WatchKind, Ways,
};

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
    /// The plan that this one replaces, because the fleet or the document changed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<Digest>,
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
    /// Which router and fleet.
    #[serde(skip_serializing_if = "is_default", default)]
    pub target: TargetPlan,
    /// The numbers that hold throughout.
    pub fleet: FleetPlan,
    /// The smoke suites by digest.
    pub suites: Suites,
    /// How the arms are compared in the steps that watch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub analysis: Option<AnalysisPlan>,
    /// Other comparisons, that steps name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub analyses: BTreeMap<String, AnalysisPlan>,
    /// Approvals, that steps name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub approvals: BTreeMap<String, ApprovalPlan>,
    /// Feature flags that steps open.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub flags: BTreeMap<String, FlagPlan>,
    /// What users are exposed to.
    pub exposure: ExposurePlan,
    /// When changes may be made; absent: always.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub windows: Option<Windows>,
    /// The version of the time zone data that the windows were checked with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zone_data: Option<String>,
    /// Who is told of what.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notifications: Vec<NotificationPlan>,
    /// A time without service that was accepted; only then may the split be closed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub downtime: Option<Downtime>,
    /// The steps.
    pub steps: Vec<Step>,
    /// The way back.
    pub rollback: RollbackPlan,
}

impl Plan {
    /// The state before the first step and after a rollback: all replicas and traffic on stable.
    #[must_use]
    pub const fn origin(&self) -> Target {
        Target {
            split: Split::STABLE,
            ways: Ways::NONE,
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

    /// The baseline set that stands when step `index` begins.
    #[must_use]
    pub fn baseline_before(&self, index: usize) -> BaselineSet {
        let mut before = self.steps.iter().take(index).rev();
        let last = before.find(|step| matches!(&step.action, Action::Task(Task::Baseline { .. })));
        last.map_or_else(BaselineSet::default, |step| {
            BaselineSet::default().after(&step.action)
        })
    }

    /// Ready instances that an arm needs for `weight` of 10 000.
    #[must_use]
    pub const fn needed(&self, weight: u16) -> u32 {
        instances_needed(weight, self.fleet.min_ready)
    }

    /// Ready instances that `arm` needs for `traffic`: a single one for chosen users or copied
    /// requests, however many those are.
    #[must_use]
    pub const fn needed_by(&self, arm: Arm, traffic: Traffic) -> u32 {
        let needed = self.needed(traffic.split.weight(arm));
        match arm {
            Arm::Canary if needed == 0 && !traffic.ways.is_none() => 1,
            _ => needed,
        }
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
        digest_of(self)
            .map_err(|error| PlanError::new(PlanErrorKind::NotCanonical, error.to_string()))
    }

    /// The analysis of this name; the plan's own for none.
    #[must_use]
    pub fn analysis_named(&self, name: Option<&str>) -> Option<&AnalysisPlan> {
        match name {
            None => self.analysis.as_ref(),
            Some(name) => self.analyses.get(name),
        }
    }
}
