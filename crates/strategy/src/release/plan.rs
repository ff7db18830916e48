//! The plan of a release: which service moves when, what is checked then, and the way back.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::{Digest, digest_of};
use serde::{Deserialize, Serialize};

use super::{CheckedRelease, order};
use crate::plan::{PlanError, PlanErrorKind, SuiteRef};
use crate::wire::API_VERSION;

/// Everything a release of several services does, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReleasePlan {
    /// `nonevent/v1`.
    pub api_version: String,
    /// `ReleasePlan`.
    pub kind: String,
    /// The release's name.
    pub name: String,
    /// The environment's name.
    pub environment: String,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
    /// The digests of the plans by which the services move; one that was not known is missing.
    pub plans: BTreeMap<String, Digest>,
    /// What is checked between the services.
    pub contracts: BTreeMap<String, ContractPlan>,
    /// Forward.
    pub steps: Vec<ReleaseStep>,
    /// The whole way back; of a part of it, see [`ReleasePlan::rollback_from`].
    pub rollback: Vec<ReleaseStep>,
}

/// What one service relies on another for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ContractPlan {
    /// The service that asks.
    pub consumer: String,
    /// The service that answers.
    pub provider: String,
    /// The suite that the provider must pass.
    pub suite: SuiteRef,
}

/// One step of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub enum ReleaseStep {
    /// These services move to their new versions, each by its own plan; all of them at once.
    Deploy(Vec<String>),
    /// These services go back to their old versions, all of them at once.
    GoBack(Vec<String>),
    /// These contracts are checked. On the way back too: a failure there is told, and stops
    /// nothing.
    Check(Vec<String>),
}

impl ReleaseStep {
    /// The services that move; none where contracts are checked.
    #[must_use]
    pub fn services(&self) -> &[String] {
        match self {
            ReleaseStep::Deploy(services) | ReleaseStep::GoBack(services) => services,
            ReleaseStep::Check(_) => &[],
        }
    }
}

impl ReleasePlan {
    /// SHA-256 of the plan's canonical JSON: what people approve.
    ///
    /// # Errors
    /// [`PlanErrorKind::NotCanonical`], which no plan made here meets.
    pub fn digest(&self) -> Result<Digest, PlanError> {
        digest_of(self)
            .map_err(|error| PlanError::new(PlanErrorKind::NotCanonical, error.to_string()))
    }

    /// The way back once step `index` (from 0) has begun: the services that have moved or are
    /// moving, the last first. An index past the end takes all of it.
    #[must_use]
    pub fn rollback_from(&self, index: usize) -> &[ReleaseStep] {
        let moves = |step: &&ReleaseStep| !step.services().is_empty();
        let begun = self.steps.len().min(index.saturating_add(1));
        let unmoved = self.steps[begun..].iter().filter(moves).count();
        // A move and the checks after it belong together.
        let mut starts = (0..self.rollback.len()).filter(|it| moves(&&self.rollback[*it]));
        let start = starts.nth(unmoved).unwrap_or(self.rollback.len());
        &self.rollback[start..]
    }
}

/// The plan of a checked release: the same release always gives the same plan.
///
/// The order is topological; where the document leaves it open, its own order decides. All
/// contracts are checked before anything changes, so that a breach is known to be older than the
/// release; then those of the services that have just moved.
#[must_use]
pub fn release_plan(checked: &CheckedRelease) -> ReleasePlan {
    let (release, facts) = (checked.release(), checked.facts());
    let names = |wave: &[usize]| -> Vec<String> {
        let services = wave.iter().map(|it| release.services[*it].name.clone());
        services.collect()
    };
    let check = |moved: Option<&[String]>| {
        let concerned = release.contracts.iter().filter(|it| {
            let is_moved =
                |moved: &[String]| moved.contains(&it.consumer) || moved.contains(&it.provider);
            moved.is_none_or(is_moved)
        });
        let names: Vec<String> = concerned.map(|it| it.name.clone()).collect();
        (!names.is_empty()).then_some(ReleaseStep::Check(names))
    };
    let waves = order::waves(release);
    let mut steps: Vec<ReleaseStep> = check(None).into_iter().collect();
    let mut rollback = Vec::new();
    for wave in &waves {
        let services = names(wave);
        let checks = check(Some(&services));
        steps.push(ReleaseStep::Deploy(services));
        steps.extend(checks);
    }
    for wave in waves.iter().rev() {
        let services = names(wave);
        let checks = check(Some(&services));
        rollback.push(ReleaseStep::GoBack(services));
        rollback.extend(checks);
    }
    let plans = facts
        .plans
        .iter()
        .filter(|(name, _)| release.index(name).is_some());
    let contracts = release.contracts.iter().map(|it| {
        let digest = facts.suites.get(&it.suite).map(|fact| fact.digest);
        let plan = ContractPlan {
            consumer: it.consumer.clone(),
            provider: it.provider.clone(),
            suite: SuiteRef {
                name: it.suite.clone(),
                digest,
            },
        };
        (it.name.clone(), plan)
    });
    ReleasePlan {
        api_version: API_VERSION.to_string(),
        kind: String::from("ReleasePlan"),
        name: release.name.clone(),
        environment: release.environment.clone(),
        owner: release.owner.clone(),
        plans: plans
            .map(|(name, plan)| (name.clone(), plan.digest))
            .collect(),
        contracts: contracts.collect(),
        steps,
        rollback,
    }
}
