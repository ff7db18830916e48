//! What a year of rollouts looks like.
//!
//! [`simulate`] draws releases, some of them bad, and takes each through the machine that
//! [`Run`](crate::Run) runs, with a simulated router, fleet, service and people around it, and with the
//! comparison of `nonevent-analysis` fed with drawn counts. [`compare`] does so for several plans, each of
//! which meets the same releases at the same hours with the same faults. The same [`Scenario`], seed and
//! number of days give the same [`Report`] to the last byte, on every machine.
//!
//! ```
//! use nonevent_rollout::simulate::{Scenario, simulate};
//! use nonevent_strategy::{Deployment, Facts, StrategyKind, check, plan};
//!
//! let plan = plan(&check(Deployment::default_for(StrategyKind::Canary), Facts::default(), None)?);
//! let report = simulate(&plan, &Scenario::default(), 1, 7)?;
//! let canary = &report.strategies[0];
//! assert_eq!(report.releases, 140);
//! assert_eq!(canary.promoted + canary.rolled_back + canary.stuck, 140);
//! assert_eq!(report, simulate(&plan, &Scenario::default(), 1, 7)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A simulation says what would follow if the world were as the scenario has it: it compares
//! strategies, and is no forecast.

mod chance;
mod drive;
mod fleet;
mod judge;
mod law;
mod meter;
mod quality;
mod ranges;
mod release;
mod report;
mod scenario;
mod tally;
mod world;

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use nonevent_document::Digest;
use nonevent_strategy::{Action, Plan, PlanError, Step};

use drive::Drive;
use law::Law;
pub use quality::{
    CrashFault, DependencyFault, EndpointFault, ErrorsFault, InstanceFault, LeakFault, Releases,
    SlowFault,
};
pub use release::Fault;
use release::Release;
pub use report::{Bad, FaultRow, Good, ReasonRow, Report, StrategyReport, Times, Users};
pub use scenario::{Faults, Instances, Looks, People, Scenario, Service, Traffic};
use tally::Tally;

/// Releases of one simulation at most.
const RELEASES_MAX: u64 = 10_000_000;
/// Looks of one watch at most.
const LOOKS_MAX: u64 = 100_000;
/// What the deadlines of a plan may sum to at most: a year.
const PLAN_MS_MAX: u64 = 366 * 86_400_000;

/// What is simplified; part of every report.
const METHOD: [&str; 6] = [
    "The machine and the analysis are the real ones; router, fleet, service and people are drawn.",
    "A release with a fault is looked at as often as the plan says. A watch of one without is looked at \
     looks_per_watch times at first (or as often as its policy's looks_min), and as often as the plan says, \
     with the same requests, only if one of these looks leans against the new version or the last does not \
     pass; 0 is as often as the plan says throughout.",
    "Each release begins with a healthy old version and nothing else under way.",
    "Harmed requests and users are expected numbers, counted until the old version serves everything.",
    "A user is a visit of as many requests as the plan's exposure says.",
    "New instances become ready together, and those that go are gone together.",
];

/// A time of so many days under one plan.
///
/// A year of 20 releases a day takes about a second on one core, for the usual canary.
///
/// # Errors
/// As [`compare`].
pub fn simulate(
    plan: &Plan,
    scenario: &Scenario,
    seed: u64,
    days: u32,
) -> Result<Report, SimulateError> {
    compare(&[(plan.strategy.name(), plan)], scenario, seed, days)
}

/// The same time under each of several plans, by name: the same releases with the same faults, at the
/// same hours, under the same traffic.
///
/// # Errors
/// [`SimulateErrorKind::Plan`] if one of the plans cannot be run, [`SimulateErrorKind::Scenario`] if the
/// scenario [cannot be meant](Scenario::problems), [`SimulateErrorKind::TooMuch`] above ten million
/// releases, and for a plan that may take more than a year or a watch of more than 100 000 looks.
pub fn compare(
    plans: &[(&str, &Plan)],
    scenario: &Scenario,
    seed: u64,
    days: u32,
) -> Result<Report, SimulateError> {
    let problems = scenario.problems();
    if !problems.is_empty() {
        let text = format!("the scenario cannot be meant: {}", problems.join("; "));
        return Err(SimulateError::new(SimulateErrorKind::Scenario, text));
    }
    let releases = u64::from(days) * u64::from(scenario.releases.per_day);
    if releases > RELEASES_MAX {
        let text = format!("{releases} releases are too many; {RELEASES_MAX} are allowed");
        return Err(SimulateError::new(SimulateErrorKind::TooMuch, text));
    }
    let digests = plans.iter().map(|(name, plan)| {
        let digest = runnable(plan)
            .map_err(|why| SimulateError::new(SimulateErrorKind::Plan, format!("{name}: {why}")))?;
        match too_long(plan) {
            None => Ok(digest),
            Some(why) => {
                let text = format!("{name}: {why}");
                Err(SimulateError::new(SimulateErrorKind::TooMuch, text))
            }
        }
    });
    let digests = digests.collect::<Result<Vec<Digest>, SimulateError>>()?;
    let law = Law::new(scenario);
    let mut tallies: Vec<Tally> = plans.iter().map(|_| Tally::default()).collect();
    for number in 0..releases {
        let release = Release::draw(&law, seed, number);
        for ((_, plan), tally) in plans.iter().zip(&mut tallies) {
            let course = Drive::new(&law, &release, plan, (seed, number)).run();
            tally.add(&release, &course);
        }
    }
    let strategies = plans.iter().zip(digests).zip(tallies);
    Ok(Report {
        seed,
        days,
        releases,
        scenario: scenario.clone(),
        method: METHOD.into_iter().map(String::from).collect(),
        strategies: strategies
            .map(|(((name, plan), digest), tally)| tally.report(name, plan, digest, scenario))
            .collect(),
    })
}

/// The digest of a plan that can be simulated, or why it cannot.
fn runnable(plan: &Plan) -> Result<Digest, String> {
    let text = |error: PlanError| error.to_string();
    plan.validate().map_err(text)?;
    crate::ability::can_carry_out(plan).map_err(text)?;
    let named = plan.steps.iter().find(|step| {
        let action = &step.action;
        matches!(action, Action::Watch { analysis, .. } if analysis.is_some())
    });
    if let Some(step) = named {
        return Err(format!(
            "{} has an analysis of its own, which is not simulated yet; it can be planned, proved and \
             deployed",
            step.id
        ));
    }
    plan.digest().map_err(text)
}

/// Why a plan takes too long to be simulated, if it does.
fn too_long(plan: &Plan) -> Option<String> {
    let fleet = &plan.fleet;
    let around = [
        fleet.ready_within_ms,
        fleet.warm_up_ms,
        fleet.drain_ms,
        plan.rollback.within_ms,
    ];
    let deadlines = plan.steps.iter().map(|step| step.deadline_ms);
    let all_ms = deadlines.chain(around).fold(0, u64::saturating_add);
    if all_ms > PLAN_MS_MAX {
        return Some(String::from("it may take more than a year"));
    }
    let every_ms = plan.analysis.as_ref()?.every_ms.max(1);
    let looks = |step: &Step| match step.action {
        Action::Watch { for_ms, .. } => for_ms / every_ms,
        _ => 0,
    };
    let step = plan.steps.iter().find(|step| looks(step) > LOOKS_MAX)?;
    let (id, looks) = (&step.id, looks(step));
    Some(format!(
        "{id} has {looks} looks; {LOOKS_MAX} are allowed in one watch"
    ))
}

/// Why there is no simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulateErrorKind {
    /// A plan contradicts itself, or asks for what the machine does not do.
    Plan,
    /// The scenario cannot be meant.
    Scenario,
    /// More releases, or a longer plan, than is allowed.
    TooMuch,
}

/// A simulation that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulateError {
    kind: SimulateErrorKind,
    text: String,
}

impl SimulateError {
    const fn new(kind: SimulateErrorKind, text: String) -> SimulateError {
        SimulateError { kind, text }
    }

    /// Which kind of fault it is.
    #[must_use]
    pub const fn kind(&self) -> SimulateErrorKind {
        self.kind
    }
}

impl fmt::Display for SimulateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for SimulateError {}

#[cfg(test)]
mod tests {
    use nonevent_strategy::{Deployment, Facts, StrategyKind, check, plan};

    use super::{Drive, Law, Release, Scenario};
    use crate::state::Outcome;

    #[test]
    fn one_thing_comes_after_another() {
        let mut scenario = Scenario::default();
        scenario.faults.refused_ppm = 100_000;
        scenario.releases.errors.basis_points = 4_000;
        scenario.releases.leak.basis_points = 2_000;
        let law = Law::new(&scenario);
        let (mut went_back, mut missed) = (0, 0);
        for kind in StrategyKind::ALL {
            let deployment = Deployment::default_for(kind);
            let plan = plan(&check(deployment, Facts::default(), None).unwrap());
            for number in 0..200 {
                let release = Release::draw(&law, 5, number);
                let course = Drive::new(&law, &release, &plan, (5, number)).run();
                let times = [
                    Some(release.starts_ms),
                    course.exposed_ms,
                    course.decided_ms,
                    course.restored_ms,
                ];
                let times: alloc::vec::Vec<i64> = times.into_iter().flatten().collect();
                assert!(times.is_sorted(), "{kind} {number}: {times:?}");
                assert!(course.ended_ms > release.starts_ms);
                match course.outcome.unwrap() {
                    Outcome::Promoted => {
                        missed += u32::from(release.fault.is_bad());
                        assert_eq!(course.decided_ms.is_some(), release.fault.is_bad());
                    }
                    Outcome::RolledBack { .. } => {
                        went_back += 1;
                        assert!(course.restored_ms.unwrap() <= course.ended_ms);
                    }
                    Outcome::Stuck { .. } => assert!(course.restored_ms.is_some()),
                }
            }
        }
        assert!(went_back > 100 && missed > 50, "{went_back} {missed}");
    }
}
