//! What a deployment document looks like on disk, `nonevent/v1`.

mod around;
mod fleet;
mod quantity;
#[cfg(feature = "schema")]
mod shape;
mod strategies;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_analysis::Policy;
use serde::Deserialize;

use crate::deployment::{
    AnalysisSettings, Deployment, Fleet, Release, StrategyKind, TargetSettings,
};
use crate::windows::{Problem, Windows, WindowsWire, resolve};
use around::{
    AnalysisWire, ApprovalWire, FlagRolloutWire, ManualStepWire, MigrationWire, NotificationWire,
    RollbackWire, SmokeWire, TargetWire, default_rollback,
};
use fleet::FleetWire;
use quantity::MINUTE_MS;
use strategies::StrategyWire;

/// The version of the format.
pub(crate) const API_VERSION: &str = "nonevent/v1";
/// The format's name.
pub(crate) const KIND: &str = "Deployment";

/// A deployment: what shall be released, where, how, and what must hold for it.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) struct DeploymentWire {
    /// The version of the format: `nonevent/v1`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = API_VERSION)))]
    #[serde(rename = "apiVersion")]
    pub(crate) api_version: String,
    /// The kind of document: `Deployment`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = KIND)))]
    pub(crate) kind: String,
    /// The service's name.
    service: String,
    /// The environment's name. `production` and `prod` are treated as production.
    environment: String,
    /// From which version to which.
    release: Release,
    /// Who answers for this deployment.
    #[serde(default)]
    owner: Option<String>,
    /// Who made the release; they cannot approve it.
    #[serde(default)]
    author: Option<String>,
    /// Who holds which role.
    #[serde(default)]
    roles: BTreeMap<String, Vec<String>>,
    /// The instances.
    fleet: FleetWire,
    /// How the new version takes over; one of four.
    pub(crate) strategy: StrategyWire,
    /// What is compared while both versions serve.
    #[serde(default)]
    analysis: Option<AnalysisWire>,
    /// Other analyses, that steps name.
    #[serde(default)]
    analyses: BTreeMap<String, AnalysisWire>,
    /// The smoke suites.
    #[serde(default)]
    smoke: SmokeWire,
    /// Approvals, that steps name.
    #[serde(default)]
    approvals: BTreeMap<String, ApprovalWire>,
    /// Changes of the database, in their order.
    #[serde(default)]
    migrations: Vec<MigrationWire>,
    /// What people do, in their order.
    #[serde(default)]
    manual: Vec<ManualStepWire>,
    /// Feature flags that are opened once the deployment stands.
    #[serde(default)]
    flags: Vec<FlagRolloutWire>,
    /// When changes may be made; default always.
    #[serde(default)]
    windows: Option<WindowsWire>,
    /// Who is told of what.
    #[serde(default)]
    notifications: Vec<NotificationWire>,
    /// What a rollback promises.
    #[serde(default)]
    rollback: RollbackWire,
    /// Which router and fleet, by reference.
    #[serde(default)]
    target: TargetWire,
}

impl DeploymentWire {
    /// The texts of the analyses' bounds, with where they stand and the policies they belong to.
    pub(crate) fn bounds(&mut self) -> Vec<(String, String, &mut Policy)> {
        let own = self
            .analysis
            .iter_mut()
            .map(|it| (String::from("analysis"), it));
        let named = self
            .analyses
            .iter_mut()
            .map(|(name, it)| (nonevent_document::member_path("analyses", name), it));
        own.chain(named)
            .filter_map(|(path, it)| {
                let text = it.bounds.take()?;
                Some((alloc::format!("{path}.bounds"), text, &mut it.policy))
            })
            .collect()
    }

    /// The change windows, ready to be asked, and what is wrong with them.
    pub(crate) fn windows(&self) -> (Option<Windows>, Vec<Problem>) {
        let resolved = self.windows.as_ref().map(resolve);
        resolved.map_or_else(Default::default, |it| (it.windows, it.problems))
    }

    /// The document with every default filled in; `None` unless exactly one strategy is named.
    pub(crate) fn into_deployment(self, windows: Option<Windows>) -> Option<Deployment> {
        let strategy = self.strategy.into_strategy()?;
        let rollback = self.rollback.into_rollback(&strategy);
        Some(Deployment {
            service: self.service,
            environment: self.environment,
            release: self.release,
            owner: self.owner,
            author: self.author,
            roles: self.roles,
            fleet: self.fleet.into_fleet(),
            strategy,
            analysis: self.analysis.map(AnalysisWire::into_analysis),
            analyses: self
                .analyses
                .into_iter()
                .map(|(name, it)| (name, it.into_analysis()))
                .collect(),
            smoke: self.smoke.into_smoke(),
            approvals: self
                .approvals
                .into_iter()
                .map(|(name, it)| (name, it.into_approval()))
                .collect(),
            migrations: self
                .migrations
                .into_iter()
                .map(MigrationWire::into_migration)
                .collect(),
            manual: self
                .manual
                .into_iter()
                .map(ManualStepWire::into_manual)
                .collect(),
            flags: self
                .flags
                .into_iter()
                .map(FlagRolloutWire::into_flag)
                .collect(),
            windows,
            notifications: self
                .notifications
                .into_iter()
                .map(NotificationWire::into_notification)
                .collect(),
            rollback,
            target: self.target.into_target(),
        })
    }
}

impl Deployment {
    /// The document that a strategy's name alone stands for: the default figures of the field,
    /// three replicas, and named blanks (`<service>`) for what only the reader knows.
    #[must_use]
    pub fn default_for(kind: StrategyKind) -> Deployment {
        let recreate = kind == StrategyKind::Recreate;
        let spare = match kind {
            StrategyKind::Canary | StrategyKind::BlueGreen => 3,
            StrategyKind::Rolling => 1,
            StrategyKind::Recreate => 0,
        };
        let strategy = strategies::default_strategy(kind);
        Deployment {
            service: String::from("<service>"),
            environment: String::from(if recreate { "staging" } else { "<environment>" }),
            release: Release::new("<previous>", "<release>"),
            owner: None,
            author: None,
            roles: BTreeMap::new(),
            fleet: Fleet {
                spare,
                ..Fleet::of(3)
            },
            analysis: (!recreate).then(|| AnalysisSettings {
                warm_up_ms: 30_000,
                ..AnalysisSettings::every_ms(MINUTE_MS)
            }),
            analyses: BTreeMap::new(),
            smoke: crate::deployment::SmokeSettings::default(),
            approvals: BTreeMap::new(),
            migrations: Vec::new(),
            manual: Vec::new(),
            flags: Vec::new(),
            windows: None,
            notifications: Vec::new(),
            rollback: default_rollback(&strategy),
            strategy,
            target: TargetSettings::default(),
        }
    }
}
