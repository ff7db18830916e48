//! What must be true of every run, checked on every transition of the search.

use nonevent_router::{Arm, Split};
use nonevent_strategy::{Action, Plan};
use serde::Serialize;

use crate::effect::Effect;
use crate::machine::count;
use crate::state::{Mode, Outcome, State, StuckAt};

use super::world::{Node, Transition};

/// One of the things that are proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Property {
    /// Traffic is never raised on a version without a ready instance, and the router is closed
    /// only within a declared downtime.
    TrafficHasCapacity,
    /// Ready capacity never falls under what the traffic needs through our own actions.
    MinHealthyKept,
    /// The canary's share rises only to the present step's, and only once every analysis before
    /// it has passed; never on the way back.
    ExposureOnEvidence,
    /// Stable serves everything within the plan's bound after a decision to go back, unless the
    /// fleet refuses for good.
    Recovers,
    /// Every run ends: each wait has a deadline, and no run goes in circles.
    Ends,
    /// A finished run is wholly on one version.
    OneVersion,
}

impl Property {
    /// All of them.
    pub const ALL: [Property; 6] = [
        Property::TrafficHasCapacity,
        Property::MinHealthyKept,
        Property::ExposureOnEvidence,
        Property::Recovers,
        Property::Ends,
        Property::OneVersion,
    ];

    /// The property in a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Property::TrafficHasCapacity => {
                "traffic is never raised on a version without a ready instance, and the router is \
                 closed only within a declared downtime"
            }
            Property::MinHealthyKept => {
                "ready capacity never falls under what the traffic needs through our own actions"
            }
            Property::ExposureOnEvidence => {
                "the canary's share rises only to the present step's, and only on evidence"
            }
            Property::Recovers => {
                "stable serves everything again within the bound, unless the fleet refuses for good"
            }
            Property::Ends => "every run ends",
            Property::OneVersion => "a finished run is wholly on one version",
        }
    }
}

/// The first property that `transition` from `before` breaks.
pub(super) fn broken(plan: &Plan, before: &Node, transition: &Transition) -> Option<Property> {
    let turn = transition.turn.as_ref()?;
    let known = &transition.node.state;
    if let Some(effect) = turn.effect {
        match effect {
            Effect::Shift { split } => {
                if let Some(property) = shift_breaks(plan, known, &transition.node, split) {
                    return Some(property);
                }
            }
            Effect::Scale { arm, count } => {
                if scale_breaks(plan, known, arm, count) {
                    return Some(Property::MinHealthyKept);
                }
            }
            Effect::Observe | Effect::Smoke { .. } => {}
        }
    }
    match (transition.node.state.mode, before.state.mode) {
        (Mode::Done(outcome), mode) if !matches!(mode, Mode::Done(_)) => {
            end_breaks(plan, &transition.node, outcome)
        }
        _ => None,
    }
}

fn shift_breaks(plan: &Plan, known: &State, node: &Node, split: Split) -> Option<Property> {
    // An effect on what is not known would be a guess.
    let (Some(now), Some(fleet)) = (known.split, known.fleet) else {
        return Some(Property::TrafficHasCapacity);
    };
    if split.is_closed() {
        return plan
            .downtime
            .is_none()
            .then_some(Property::TrafficHasCapacity);
    }
    let ready = |arm: Arm| u32::from(fleet.of(arm).ready);
    let rises = |arm: Arm| split.weight(arm) > now.weight(arm);
    for arm in Arm::BOTH {
        if rises(arm) && ready(arm) == 0 {
            return Some(Property::TrafficHasCapacity);
        }
        let carries = ready(arm) >= plan.needed(split.weight(arm));
        // The other side may be worse off: then giving less to it is a repair.
        let other = arm.other();
        let repairs = ready(other) < plan.needed(now.weight(other));
        if rises(arm) && !carries && !repairs {
            return Some(Property::MinHealthyKept);
        }
    }
    if !rises(Arm::Canary) {
        return None;
    }
    let Mode::Forward { step, .. } = known.mode else {
        return Some(Property::ExposureOnEvidence);
    };
    let steps = &plan.steps[..=usize::from(step)];
    let awaited = steps
        .iter()
        .rposition(|step| matches!(step.action, Action::Watch { analyse: true, .. }));
    let allowed = steps[usize::from(step)].target.split.weight(Arm::Canary);
    let judged = awaited.is_none_or(|at| node.world.passed == u16::try_from(at).ok());
    (split.weight(Arm::Canary) > allowed || !judged).then_some(Property::ExposureOnEvidence)
}

fn scale_breaks(plan: &Plan, known: &State, arm: Arm, wanted: u16) -> bool {
    let (Some(split), Some(fleet)) = (known.split, known.fleet) else {
        return true;
    };
    let seen = fleet.of(arm);
    if wanted >= seen.kept {
        let all = u32::from(fleet.of(arm.other()).present)
            + u32::from(seen.present - seen.kept)
            + u32::from(wanted);
        return wanted > seen.kept && all > plan.fleet.capacity_max;
    }
    let left = u32::from(seen.ready.min(wanted));
    let needed = plan.needed(split.weight(arm));
    // Those that are not ready go first, so a ready one is taken only where all are.
    left < u32::from(seen.ready) && left < needed
}

fn end_breaks(plan: &Plan, node: &Node, outcome: Outcome) -> Option<Property> {
    let world = &node.world;
    let (stable, canary) = (world.arms[0].seen, world.arms[1].seen);
    match outcome {
        Outcome::Promoted => {
            let whole = world.split == Split::CANARY
                && stable.present == 0
                && u32::from(canary.kept) >= plan.fleet.min_ready;
            (!whole).then_some(Property::OneVersion)
        }
        Outcome::RolledBack { .. } => {
            let whole = world.split == Split::STABLE
                && canary.present <= count(plan.rollback.keep)
                && u32::from(stable.kept) >= plan.fleet.min_ready;
            (!whole).then_some(Property::OneVersion)
        }
        Outcome::Stuck {
            at: StuckAt::Capacity,
            ..
        } if world.arms[0].never_ready => None,
        Outcome::Stuck { .. } => Some(Property::Recovers),
    }
}
