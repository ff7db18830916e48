//! What holds throughout a plan: numbers, files, people, and the way back.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_analysis::Policy;
use nonevent_document::Digest;
use serde::{Deserialize, Serialize};

use super::SuiteMoment;
use crate::deployment::{
    Accepted, AfterNoReturn, ConnectionPolicy, Occasion, OnDrift, OnFailure, OnInconclusive,
    OnNoData, SplitBy, Trigger,
};

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
    /// Others, that steps name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub others: Vec<SuiteRef>,
}

impl Suites {
    /// The suite of a moment; `None` if there is none of this number.
    #[must_use]
    pub fn get(&self, moment: SuiteMoment) -> Option<&SuiteRef> {
        match moment {
            SuiteMoment::Before => Some(&self.before),
            SuiteMoment::Canary => Some(&self.canary),
            SuiteMoment::After => Some(&self.after),
            SuiteMoment::Other(index) => self.others.get(usize::from(index)),
        }
    }
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
    /// How late the figures of a moment may be.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub late_ms: u64,
    /// How far back a query of a metric looks.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub window_ms: u64,
    /// What happens if no figures come.
    #[serde(skip_serializing_if = "is_default", default)]
    pub on_no_data: OnNoData,
    /// What happens if the figures decide nothing.
    #[serde(skip_serializing_if = "is_default", default)]
    pub on_inconclusive: OnInconclusive,
}

pub(super) const fn is_zero(value: &u64) -> bool {
    *value == 0
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
    /// What makes the rollout go back; empty: what analysis, suites and the fleet's health say.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub triggers: Vec<Trigger>,
    /// What is done if something fails.
    #[serde(skip_serializing_if = "is_default", default)]
    pub on_failure: OnFailure,
    /// The first step, by its place from 0, once begun there is no clean way back from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub no_return_from: Option<u16>,
    /// Who accepted that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub no_way_back: Option<Accepted>,
    /// What is done if something fails after that.
    #[serde(skip_serializing_if = "is_default", default)]
    pub after_no_return: AfterNoReturn,
    /// What is done if the router does something that nobody asked it to.
    #[serde(skip_serializing_if = "is_default", default)]
    pub on_drift: OnDrift,
}

/// People who must agree, as a plan has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ApprovalPlan {
    /// The role whose holders are asked.
    pub role: String,
    /// Who may agree: the role's holders, without the release's author.
    pub people: Vec<String>,
    /// How many of them must.
    pub count: u32,
    /// How long they are waited for.
    pub timeout_ms: u64,
    /// What happens then.
    #[serde(skip_serializing_if = "is_default", default)]
    pub on_timeout: OnFailure,
}

/// A file, fixed by its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FileRef {
    /// Its name, relative to the document.
    pub name: String,
    /// SHA-256 of its bytes; absent if it was not read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<Digest>,
}

/// A feature flag's file, and how the feature is switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FlagPlan {
    /// The file that is replaced as a whole, as it is before.
    pub file: FileRef,
    /// What takes its place on the way back.
    pub kill_switch: FileRef,
}

/// What users are exposed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExposurePlan {
    /// What stays with one version.
    pub split_by: SplitBy,
    /// Requests that a user is reckoned to make while a step lasts.
    pub requests_per_user: u32,
}

/// Who is told of what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NotificationPlan {
    /// Of what.
    pub on: Vec<Occasion>,
    /// Where to, by reference.
    pub to: String,
}

/// Which router and fleet, by reference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TargetPlan {
    /// The router's dialect; absent: the embedded one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub router: Option<String>,
    /// The fleet's name; absent: processes on this machine.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fleet: Option<String>,
    /// How long resolvers keep a switched name.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub dns_ttl_ms: u64,
}
