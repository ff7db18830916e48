//! A plan and the fleet that is really there: whether they fit, and the plan that does.
//!
//! What can be planned anew is another number of stable instances, nothing else:
//!
//! - `min_healthy` as a share is taken of the instances found; as a number it stands, since the
//!   load that so many instances carry has not changed with the fleet. A fleet smaller than that
//!   is refused. A document that says nothing means all instances, and goes on meaning it.
//! - The capacity is what is found and `spare` besides.
//! - The document is checked again with these numbers: what they break is refused.
//!
//! Instances of the new version that are left over, traffic that is not all on stable, another
//! version than the one the document leads from, and a split that nobody read are not planned
//! around. Each is a reason with what to do about it.

mod misfit;

use alloc::string::ToString as _;

use nonevent_router::{Arm, FULL_WEIGHT};

use crate::check::{Checked, check};
use crate::deployment::{CountOrPercent, Deployment};
use crate::plan::Plan;
use crate::planner::{FleetState, draft};
pub use misfit::{Misfit, MisfitKind, MisfitReason};

impl Plan {
    /// Whether the plan may begin on this fleet: its origin is what is there.
    ///
    /// ```
    /// use nonevent_strategy::{Deployment, Facts, FleetState, MisfitKind, StrategyKind, check, plan};
    /// let deployment = Deployment::default_for(StrategyKind::Recreate);
    /// let plan = plan(&check(deployment, Facts::default(), None).expect("no error"));
    /// assert_eq!(plan.fits(&FleetState::all_stable(3)), Ok(()));
    /// let misfit = plan.fits(&FleetState::all_stable(5)).expect_err("planned for three");
    /// assert_eq!((misfit.kind(), misfit.can_replan()), (MisfitKind::OtherCount, true));
    /// ```
    ///
    /// # Errors
    /// All reasons why not; [`Misfit::can_replan`] says whether [`replan`] is the answer.
    pub fn fits(&self, state: &FleetState) -> Result<(), Misfit> {
        let mut misfit = obstacles(state, &self.release.from);
        if state.stable != self.fleet.replicas && state.stable > 0 {
            misfit.add(MisfitReason::OtherCount {
                planned: self.fleet.replicas,
                found: state.stable,
            });
        }
        misfit.into_result()
    }
}

/// What no plan begins on.
fn obstacles(state: &FleetState, from: &str) -> Misfit {
    let mut misfit = Misfit::default();
    match state.split {
        None => misfit.add(MisfitReason::SplitUnknown),
        Some(split) if split.weight(Arm::Stable) != FULL_WEIGHT => {
            misfit.add(MisfitReason::TrafficMoved { split });
        }
        Some(_) => {}
    }
    if state.canary > 0 {
        misfit.add(MisfitReason::Leftovers {
            found: state.canary,
            version: state.canary_version.clone(),
        });
    }
    if state.stable == 0 {
        misfit.add(MisfitReason::NoStable);
    }
    if let Some(found) = &state.stable_version
        && found != from
    {
        misfit.add(MisfitReason::OtherVersion {
            planned: from.into(),
            found: found.clone(),
        });
    }
    misfit
}

/// The plan of a deployment for the fleet as it was found; for a fleet as declared, the same as
/// [`crate::plan`].
///
/// # Errors
/// All reasons why there is none: see the kinds of [`MisfitKind`].
pub fn plan_for(checked: &Checked, state: &FleetState) -> Result<Plan, Misfit> {
    let declared = checked.deployment();
    let mut misfit = obstacles(state, &declared.release.from);
    if state.stable == declared.fleet.replicas || state.stable == 0 {
        misfit.into_result()?;
        return Ok(draft(declared, checked.facts()));
    }
    let found = with_replicas(declared, state.stable);
    if found.fleet.min_ready() > state.stable {
        misfit.add(MisfitReason::TooFew {
            needed: found.fleet.min_ready(),
            found: state.stable,
        });
    }
    if !declared.fleet.zones.is_empty() {
        misfit.add(MisfitReason::ZonesUnknown {
            declared: declared.fleet.replicas,
            found: state.stable,
        });
    }
    misfit.into_result()?;
    match check(found, checked.facts().clone(), None) {
        Ok(checked) => Ok(draft(checked.deployment(), checked.facts())),
        Err(findings) => Err(MisfitReason::Refused { findings }.into()),
    }
}

fn with_replicas(declared: &Deployment, replicas: u32) -> Deployment {
    let mut deployment = declared.clone();
    let fleet = &mut deployment.fleet;
    if fleet.min_healthy == CountOrPercent::Count(fleet.replicas) {
        fleet.min_healthy = CountOrPercent::Count(replicas);
    }
    fleet.replicas = replicas;
    deployment
}

/// The plan that takes `parent`'s place on the fleet as it was found, with `parent`'s digest in it.
/// Show [`crate::diff`] of the two before it is run: it was approved by nobody.
///
/// # Errors
/// As [`plan_for`]; and [`MisfitKind::OtherPlan`] if `parent` is about another service,
/// environment, strategy or release than the document.
pub fn replan(checked: &Checked, state: &FleetState, parent: &Plan) -> Result<Plan, Misfit> {
    let deployment = checked.deployment();
    let same = parent.service == deployment.service
        && parent.environment == deployment.environment
        && parent.strategy == deployment.strategy.kind()
        && parent.release == deployment.release;
    if !same {
        return Err(MisfitReason::OtherPlan.into());
    }
    let digest = parent.digest().map_err(|error| {
        Misfit::from(MisfitReason::NoDigest {
            error: error.to_string(),
        })
    })?;
    let mut plan = plan_for(checked, state)?;
    plan.parent = Some(digest);
    Ok(plan)
}
