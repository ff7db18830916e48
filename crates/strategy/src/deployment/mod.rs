//! The deployment document as a value: every default filled in, every quantity typed.

mod around;
mod fleet;
mod strategies;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Digest;
use serde::{Deserialize, Serialize};

use crate::windows::Windows;
pub use around::{
    Accepted, AfterNoReturn, AnalysisSettings, Approval, FlagRollout, FlagStage, ManualStep,
    MetricSettings, Migration, MigrationKind, Moment, Notification, Occasion, OnDrift,
    OnInconclusive, OnNoData, RollbackSettings, SmokeSettings, TargetSettings, Trigger,
};
pub use fleet::{ConnectionPolicy, CountOrPercent, Fleet};
pub use strategies::{
    BlueGreen, Canary, CanaryScale, CanaryStep, Downtime, Judged, Match, Mirror, OnFailure,
    Partition, Recreate, Rolling, SplitBy, Strategy, SwitchStage, Wave,
};

/// What shall be deployed, where, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The service's name.
    pub service: String,
    /// The environment's name; `production` and `prod` are treated as production.
    pub environment: String,
    /// From which version to which.
    pub release: Release,
    /// Who answers for this deployment; absent means a blank in the runbook.
    pub owner: Option<String>,
    /// Who made the release, and so may not approve it.
    pub author: Option<String>,
    /// Who holds which role.
    pub roles: BTreeMap<String, Vec<String>>,
    /// The instances.
    pub fleet: Fleet,
    /// How the new version takes over.
    pub strategy: Strategy,
    /// What is compared while both versions serve.
    pub analysis: Option<AnalysisSettings>,
    /// Other analyses, that steps name.
    pub analyses: BTreeMap<String, AnalysisSettings>,
    /// The smoke suites.
    pub smoke: SmokeSettings,
    /// Approvals, that steps name.
    pub approvals: BTreeMap<String, Approval>,
    /// Changes of the database, in their order.
    pub migrations: Vec<Migration>,
    /// What people do, in their order.
    pub manual: Vec<ManualStep>,
    /// Feature flags that are opened afterwards.
    pub flags: Vec<FlagRollout>,
    /// When changes may be made; absent: always.
    pub windows: Option<Windows>,
    /// Who is told of what.
    pub notifications: Vec<Notification>,
    /// What a rollback promises.
    pub rollback: RollbackSettings,
    /// Which router and fleet.
    pub target: TargetSettings,
}

impl Deployment {
    /// Whether the environment is production.
    #[must_use]
    pub fn is_production(&self) -> bool {
        self.environment.eq_ignore_ascii_case("production")
            || self.environment.eq_ignore_ascii_case("prod")
    }

    /// Every smoke suite that is named, with where the document names it.
    #[must_use]
    pub fn suites(&self) -> Vec<(String, &str)> {
        let smoke = &self.smoke;
        let mut suites: Vec<(String, &str)> = [
            ("smoke.before", &smoke.before),
            ("smoke.canary", &smoke.canary),
            ("smoke.after", &smoke.after),
        ]
        .into_iter()
        .filter_map(|(path, name)| Some((String::from(path), name.as_deref()?)))
        .collect();
        if let Strategy::Canary(canary) = &self.strategy {
            let steps = canary.steps.iter().enumerate();
            suites.extend(steps.filter_map(|(index, step)| {
                let path = format!("strategy.canary.steps[{index}].smoke");
                Some((path, step.smoke.as_deref()?))
            }));
        }
        suites
    }

    /// Every other file that is named, with where the document names it.
    #[must_use]
    pub fn files(&self) -> Vec<(String, &str)> {
        let mut files = Vec::new();
        for (index, flag) in self.flags.iter().enumerate() {
            files.push((format!("flags[{index}].file"), flag.file.as_str()));
            files.push((
                format!("flags[{index}].kill_switch"),
                flag.kill_switch.as_str(),
            ));
            for (stage_index, stage) in flag.stages.iter().enumerate() {
                let path = format!("flags[{index}].stages[{stage_index}].content");
                files.push((path, stage.content.as_str()));
            }
        }
        files
    }

    /// Who may approve in a role: its holders, without the release's author.
    #[must_use]
    pub fn approvers(&self, role: &str) -> Vec<String> {
        let holders = self.roles.get(role).into_iter().flatten();
        let others = holders.filter(|person| Some(*person) != self.author.as_ref());
        others.cloned().collect()
    }

    /// The analysis that a step is judged by.
    #[must_use]
    pub fn analysis_of(&self, judged: &Judged) -> Option<&AnalysisSettings> {
        match judged {
            Judged::Default => self.analysis.as_ref(),
            Judged::Named(name) => self.analyses.get(name),
            Judged::Unjudged => None,
        }
    }
}

/// The two versions, as opaque identities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The version that serves now and to which a rollback returns.
    pub from: String,
    /// The version to be released.
    pub to: String,
    /// What is run for `from`, fixed by its content.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from_artifact: Option<Artifact>,
    /// What is run for `to`, fixed by its content.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub artifact: Option<Artifact>,
}

impl Release {
    /// Two versions without artifacts.
    #[must_use]
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Release {
            from: from.into(),
            to: to.into(),
            from_artifact: None,
            artifact: None,
        }
    }
}

/// Something that is run, such as an image or a binary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// Its name, such as `registry.example/checkout`.
    pub name: String,
    /// SHA-256 of its content (of its manifest, for an image): `sha256:` and 64 hexadecimal digits.
    pub digest: Digest,
}

/// The four strategies' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyKind {
    /// Traffic in steps, watched between them.
    Canary,
    /// Two whole environments, all traffic switched at once.
    BlueGreen,
    /// Instances replaced a few at a time.
    Rolling,
    /// Stop the old, start the new.
    Recreate,
}

impl StrategyKind {
    /// All four, in the order in which people list them.
    pub const ALL: [StrategyKind; 4] = [
        StrategyKind::Canary,
        StrategyKind::BlueGreen,
        StrategyKind::Rolling,
        StrategyKind::Recreate,
    ];

    /// The name as written on a command line: `canary`, `blue-green`, `rolling`, `recreate`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            StrategyKind::Canary => "canary",
            StrategyKind::BlueGreen => "blue-green",
            StrategyKind::Rolling => "rolling",
            StrategyKind::Recreate => "recreate",
        }
    }
}

impl core::fmt::Display for StrategyKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}
