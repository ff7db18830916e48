//! What surrounds the change itself, on disk.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_analysis::Policy;
use nonevent_document::{DurationMs, Percent};
use serde::Deserialize;

use super::quantity::{MINUTE_MS, or_ms};
use crate::deployment::{
    Accepted, AfterNoReturn, AnalysisSettings, Approval, FlagRollout, FlagStage, ManualStep,
    MetricSettings, Migration, MigrationKind, Moment, Notification, Occasion, OnDrift, OnFailure,
    OnInconclusive, OnNoData, RollbackSettings, SmokeSettings, Strategy, TargetSettings, Trigger,
};

/// How the versions are compared.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct AnalysisWire {
    /// Time between two looks, 100ms to 1h.
    every: DurationMs,
    /// Samples within this time after a traffic change are not judged; default 0.
    #[serde(default)]
    warm_up: Option<DurationMs>,
    /// What is allowed, in the language of bounds; replaces the policy's own bounds.
    #[serde(default)]
    pub(super) bounds: Option<String>,
    /// The numbers of the comparison.
    #[serde(default)]
    pub(super) policy: Policy,
    /// The metrics it rests on; default the router's counters.
    #[serde(default)]
    metrics: BTreeMap<String, MetricWire>,
    /// How far back a query of a metric looks; default four of its scrape intervals.
    #[serde(default)]
    window: Option<DurationMs>,
    /// What happens if no figures come; default `rollback`.
    #[serde(default)]
    on_no_data: Option<OnNoData>,
    /// What happens if the figures decide nothing; default `rollback`.
    #[serde(default)]
    on_inconclusive: Option<OnInconclusive>,
}

/// How a metric comes.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct MetricWire {
    /// Time from an event until the source can tell of it; default 0.
    #[serde(default)]
    lag: Option<DurationMs>,
    /// Time between two samples; default 15s.
    #[serde(default)]
    scrape: Option<DurationMs>,
    /// Where it comes from, by reference.
    #[serde(default)]
    source: Option<String>,
}

impl AnalysisWire {
    pub(super) fn into_analysis(self) -> AnalysisSettings {
        let metric = |it: MetricWire| MetricSettings {
            lag_ms: or_ms(it.lag, 0),
            scrape_ms: or_ms(it.scrape, 15_000),
            source: it.source,
        };
        let metrics: BTreeMap<String, MetricSettings> = self
            .metrics
            .into_iter()
            .map(|(name, it)| (name, metric(it)))
            .collect();
        let scrape_ms = metrics.values().map(|it| it.scrape_ms).max().unwrap_or(0);
        let on_inconclusive = match self.on_inconclusive {
            None if self.policy.promote_inconclusive => OnInconclusive::Promote,
            other => other.unwrap_or(OnInconclusive::Rollback),
        };
        AnalysisSettings {
            every_ms: self.every.0,
            warm_up_ms: or_ms(self.warm_up, 0),
            policy: Policy {
                promote_inconclusive: on_inconclusive == OnInconclusive::Promote,
                ..self.policy
            },
            window_ms: or_ms(self.window, scrape_ms.saturating_mul(4)),
            metrics,
            on_no_data: self.on_no_data.unwrap_or(OnNoData::Rollback),
            on_inconclusive,
        }
    }
}

/// The smoke suites, as files beside the document; default one `GET /` that answers 200.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct SmokeWire {
    /// Before anything changes, through the router.
    #[serde(default)]
    before: Option<String>,
    /// On the new instances directly, before they get traffic.
    #[serde(default)]
    canary: Option<String>,
    /// After all traffic has moved, and after a rollback, through the router.
    #[serde(default)]
    after: Option<String>,
}

impl SmokeWire {
    pub(super) fn into_smoke(self) -> SmokeSettings {
        SmokeSettings {
            before: self.before,
            canary: self.canary,
            after: self.after,
        }
    }
}

/// People who must agree.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ApprovalWire {
    /// The role whose holders are asked.
    role: String,
    /// How many of them must agree; default 1.
    #[serde(default)]
    count: Option<u32>,
    /// How long they are waited for; default 1h.
    #[serde(default)]
    timeout: Option<DurationMs>,
    /// What happens then; default `rollback`.
    #[serde(default)]
    on_timeout: Option<OnFailure>,
}

impl ApprovalWire {
    pub(super) fn into_approval(self) -> Approval {
        Approval {
            role: self.role,
            count: self.count.unwrap_or(1),
            timeout_ms: or_ms(self.timeout, 60 * MINUTE_MS),
            on_timeout: self.on_timeout.unwrap_or(OnFailure::Rollback),
        }
    }
}

/// A change of the database that belongs to the release.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct MigrationWire {
    /// Its name.
    name: String,
    /// What it does to what is there.
    kind: MigrationKind,
    /// Whether it can be undone without loss; default only `expand` and `backfill`.
    #[serde(default)]
    reversible: Option<bool>,
    /// Who carries it out.
    #[serde(default)]
    owner: Option<String>,
    /// When; default `before_traffic` for `expand` and `backfill`, `at_end` for the others.
    #[serde(default)]
    moment: Option<Moment>,
    /// What is done, for the person who does it.
    #[serde(default)]
    how: Option<String>,
    /// How long it may take; default 30m.
    #[serde(default)]
    within: Option<DurationMs>,
    /// For `contract`: the first version that did not use any more what is taken away.
    #[serde(default)]
    unused_since: Option<String>,
}

impl MigrationWire {
    pub(super) fn into_migration(self) -> Migration {
        let breaks = self.kind.breaks_old_code();
        Migration {
            reversible: self.reversible.unwrap_or(!breaks),
            owner: self.owner,
            moment: self.moment.unwrap_or(if breaks {
                Moment::AtEnd
            } else {
                Moment::BeforeTraffic
            }),
            how: self
                .how
                .unwrap_or_else(|| format!("apply migration {}", self.name)),
            within_ms: or_ms(self.within, 30 * MINUTE_MS),
            unused_since: self.unused_since,
            name: self.name,
            kind: self.kind,
        }
    }
}

/// Something that a person does.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ManualStepWire {
    /// Its name.
    name: String,
    /// When; default `before_traffic`.
    #[serde(default)]
    moment: Option<Moment>,
    /// What is done.
    how: String,
    /// What is then to be seen.
    expect: String,
    /// Who does it.
    #[serde(default)]
    owner: Option<String>,
    /// How long it may take; default 30m.
    #[serde(default)]
    within: Option<DurationMs>,
}

impl ManualStepWire {
    pub(super) fn into_manual(self) -> ManualStep {
        ManualStep {
            name: self.name,
            moment: self.moment.unwrap_or(Moment::BeforeTraffic),
            how: self.how,
            expect: self.expect,
            owner: self.owner,
            within_ms: or_ms(self.within, 30 * MINUTE_MS),
        }
    }
}

/// A feature flag that is opened in stages once the deployment stands.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct FlagRolloutWire {
    /// The flag's name.
    flag: String,
    /// The flag file that is replaced as a whole.
    file: String,
    /// The file that switches the feature off; flags in one file have one.
    kill_switch: String,
    /// The stages, rising.
    stages: Vec<FlagStageWire>,
}

/// One stage of a flag.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct FlagStageWire {
    /// Its name, such as `internal` or `25%`.
    name: String,
    /// The share of users who have the feature; absent for a chosen group.
    #[serde(default)]
    exposure: Option<Percent>,
    /// The file that takes the flag file's place.
    content: String,
    /// How long to watch.
    pause: DurationMs,
    /// The approval, by name, without which the stage does not begin.
    #[serde(default)]
    approval: Option<String>,
}

impl FlagRolloutWire {
    pub(super) fn into_flag(self) -> FlagRollout {
        let stage = |it: FlagStageWire| FlagStage {
            name: it.name,
            exposure: it.exposure,
            content: it.content,
            pause_ms: it.pause.0,
            approval: it.approval,
        };
        FlagRollout {
            flag: self.flag,
            file: self.file,
            kill_switch: self.kill_switch,
            stages: self.stages.into_iter().map(stage).collect(),
        }
    }
}

/// Who is told of what.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct NotificationWire {
    /// Of what.
    on: Vec<Occasion>,
    /// Where to, by reference: no secret.
    to: String,
}

impl NotificationWire {
    pub(super) fn into_notification(self) -> Notification {
        Notification {
            on: self.on,
            to: self.to,
        }
    }
}

/// What a rollback promises.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RollbackWire {
    /// From the decision until stable serves everything; default 5m (canary, blue-green), 10m
    /// (rolling, canary by instance share), 15m (recreate).
    #[serde(default)]
    within: Option<DurationMs>,
    /// New instances kept, without traffic, for investigation; default 1 (canary behind a router,
    /// blue-green) or 0.
    #[serde(default)]
    keep: Option<u32>,
    /// What makes the rollout go back; default what analysis and health say.
    #[serde(default)]
    triggers: Vec<Trigger>,
    /// Who accepted that there is no clean way back.
    #[serde(default)]
    no_way_back: Option<AcceptedWire>,
    /// What is done if something fails after the point of no return; default `pause`.
    #[serde(default)]
    after_no_return: Option<AfterNoReturn>,
    /// What is done if the router does something that nobody asked it to, and the new version gets
    /// no more by it than it had; default `rollback`.
    #[serde(default)]
    on_drift: Option<OnDrift>,
}

/// A risk that somebody accepted.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct AcceptedWire {
    /// Who.
    accepted_by: String,
    /// Why.
    reason: String,
}

impl RollbackWire {
    pub(super) fn into_rollback(self, strategy: &Strategy) -> RollbackSettings {
        let (minutes, keep) = match strategy {
            // Its old instances are gone when it goes back.
            Strategy::Canary(canary) if canary.is_by_share() => (10, 0),
            Strategy::Canary(_) | Strategy::BlueGreen(_) => (5, 1),
            Strategy::Rolling(_) => (10, 0),
            Strategy::Recreate(_) => (15, 0),
        };
        RollbackSettings {
            within_ms: or_ms(self.within, minutes * MINUTE_MS),
            keep: self.keep.unwrap_or(keep),
            triggers: self.triggers,
            no_way_back: self.no_way_back.map(|it| Accepted {
                accepted_by: it.accepted_by,
                reason: it.reason,
            }),
            after_no_return: self.after_no_return.unwrap_or(AfterNoReturn::Pause),
            on_drift: self.on_drift.unwrap_or_default(),
        }
    }
}

/// The promises of a rollback that the field expects of a strategy.
pub(super) fn default_rollback(strategy: &Strategy) -> RollbackSettings {
    RollbackWire::default().into_rollback(strategy)
}

/// Which router and fleet, by reference.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct TargetWire {
    /// The router's dialect, such as `haproxy`; `dns` switches a name; default the embedded one.
    #[serde(default)]
    router: Option<String>,
    /// The fleet, by name; default processes on this machine.
    #[serde(default)]
    fleet: Option<String>,
    /// How long the name's records may be kept by resolvers, for `dns`.
    #[serde(default)]
    dns_ttl: Option<DurationMs>,
}

impl TargetWire {
    pub(super) fn into_target(self) -> TargetSettings {
        TargetSettings {
            router: self.router,
            fleet: self.fleet,
            dns_ttl_ms: self.dns_ttl.map(|it| it.0),
        }
    }
}
