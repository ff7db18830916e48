#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

pub mod capacity;
mod check;
mod deployment;
mod diff;
mod duration;
mod exposure;
mod plan;
mod planner;
mod recommend;
pub mod release;
mod replan;
mod resolve;
mod rules;
#[cfg(feature = "schema")]
mod schema;
pub mod windows;
mod wire;

pub use check::{Checked, Facts, SuiteFact, check, read, read_for};
pub use deployment::{
    Accepted, AfterNoReturn, AnalysisSettings, Approval, Artifact, BlueGreen, Canary, CanaryScale,
    CanaryStep, ConnectionPolicy, CountOrPercent, Deployment, Downtime, FlagRollout, FlagStage,
    Fleet, Judged, ManualStep, Match, MetricSettings, Migration, MigrationKind, Mirror, Moment,
    Notification, Occasion, OnDrift, OnFailure, OnInconclusive, OnNoData, Partition, Recreate,
    Release, RollbackSettings, Rolling, SmokeSettings, SplitBy, Strategy, StrategyKind,
    SwitchStage, TargetSettings, Trigger, Wave,
};
pub use diff::{Area, Change, DIFF_LINES_MAX, Effect, PlanDiff, diff};
pub use duration::{plan_duration_ms, recovery_bound_ms};
pub use exposure::users_exposed;
pub use plan::{
    Action, AnalysisPlan, ApprovalPlan, BaselineSet, ExposurePlan, FileRef, FlagPlan, FleetPlan,
    NotificationPlan, Plan, PlanError, PlanErrorKind, RollbackPlan, SmokeTarget, Step, SuiteMoment,
    SuiteRef, Suites, Target, TargetPlan, Task, Traffic, WatchKind, Ways,
};
pub use planner::{FleetState, plan};
pub use recommend::{
    Advice, Appetite, Block, BlockKind, Cost, Price, Reason, ReasonKind, Recommendation,
    RouterAbility, SituationFacts, Statefulness, recommend,
};
pub use replan::{Misfit, MisfitKind, MisfitReason, plan_for, replan};
pub use resolve::{environments, resolved};
pub use rules::RULES;
#[cfg(feature = "schema")]
pub use schema::schema;
