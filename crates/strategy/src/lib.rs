#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

pub mod capacity;
mod check;
mod deployment;
mod duration;
mod plan;
mod planner;
mod rules;
pub mod windows;
mod wire;

pub use check::{Checked, Facts, SuiteFact, check, read};
pub use deployment::{
    AnalysisSettings, BlueGreen, Canary, CanaryStep, ConnectionPolicy, CountOrPercent, Deployment,
    Downtime, Fleet, Recreate, Release, RollbackSettings, Rolling, SmokeSettings, Strategy,
    StrategyKind,
};
pub use duration::{plan_duration_ms, recovery_bound_ms};
pub use plan::{
    Action, AnalysisPlan, FleetPlan, Plan, PlanError, PlanErrorKind, RollbackPlan, SmokeTarget,
    Step, SuiteMoment, SuiteRef, Suites, Target, WatchKind,
};
pub use planner::plan;
pub use rules::RULES;
