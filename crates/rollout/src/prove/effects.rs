//! What must be true of every effect that the machine sends, by what was known when it decided.

use nonevent_router::Arm;
use nonevent_strategy::{Traffic, Ways};

use crate::effect::Effect;
use crate::input::FleetSeen;
use crate::machine::count;
use crate::state::Mode;

use super::property::{Moment, Property};

impl Moment<'_> {
    pub(super) fn effect_breaks(&self) -> Option<Property> {
        match self.turn.effect? {
            Effect::Shift { split, ways } => self.shift_breaks(Traffic { split, ways }),
            Effect::Scale { arm, count } => self.scale_breaks(arm, count),
            Effect::Task { step } => self.task_breaks(step),
            Effect::Observe | Effect::Smoke { .. } | Effect::Withdraw { .. } => None,
        }
    }

    /// A task is begun only in its own step, forward, and while nothing holds the rollout.
    fn task_breaks(&self, step: u16) -> Option<Property> {
        let own = matches!(self.after.state.mode, Mode::Forward { step: at, .. } if at == step);
        let held = self.after.state.held.is_some();
        (!own || held).then_some(Property::ExposureOnEvidence)
    }

    fn shift_breaks(&self, to: Traffic) -> Option<Property> {
        // An effect on what is not known would be a guess.
        let Some(now) = self.witness.traffic else {
            return Some(Property::TrafficHasCapacity);
        };
        if to.split.is_closed() {
            let declared = self.plan.downtime.is_some();
            return (!declared).then_some(Property::TrafficHasCapacity);
        }
        let Some(fleet) = self.witness.fleet else {
            return self.blind_shift_breaks(now, to);
        };
        let ready = |arm: Arm| u32::from(fleet.of(arm).ready);
        for arm in Arm::BOTH {
            if rises(arm, now, to) && ready(arm) == 0 {
                return Some(Property::TrafficHasCapacity);
            }
            let carries = ready(arm) >= self.plan.needed_by(arm, to);
            // Elsewhere it may be worse: then giving less to that is a repair.
            let other = arm.other();
            let undeclared = now.split.is_closed() && self.plan.downtime.is_none();
            let repairs = undeclared || ready(other) < self.plan.needed_by(other, now);
            // Those who come back from the canary were counted as stable's all along.
            let counted = arm == Arm::Canary || to.split.weight(arm) > now.split.weight(arm);
            if rises(arm, now, to) && counted && !carries && !repairs {
                return Some(Property::MinHealthyKept);
            }
        }
        if !rises(Arm::Canary, now, to) {
            return None;
        }
        let Mode::Forward { step, .. } = self.after.state.mode else {
            return Some(Property::ExposureOnEvidence);
        };
        let target = self.plan.steps.get(usize::from(step))?.target;
        let before = self.plan.before(usize::from(step));
        let weight = |traffic: Traffic| traffic.split.weight(Arm::Canary);
        let allowed = weight(to) <= weight(target.traffic())
            && [Ways::NONE, before.ways, target.ways].contains(&to.ways);
        (!allowed).then_some(Property::ExposureOnEvidence)
    }

    /// Without a reading of the fleet, traffic may only go back, as far as stable could carry it
    /// when it was last seen.
    fn blind_shift_breaks(&self, now: Traffic, to: Traffic) -> Option<Property> {
        let back =
            matches!(self.after.state.mode, Mode::Rollback { .. }) && !rises(Arm::Canary, now, to);
        let ready = u32::from(self.witness.stable_ready);
        if !back || ready == 0 {
            return Some(Property::TrafficHasCapacity);
        }
        let undeclared = now.split.is_closed() && self.plan.downtime.is_none();
        let carries = to.split.weight(Arm::Stable) <= self.plan.carried(ready);
        (!carries && !undeclared).then_some(Property::MinHealthyKept)
    }

    fn scale_breaks(&self, arm: Arm, wanted: u16) -> Option<Property> {
        let (Some(traffic), Some(fleet)) = (self.witness.traffic, self.witness.fleet) else {
            return Some(Property::TrafficHasCapacity);
        };
        let seen = fleet.of(arm);
        let broken = if wanted >= seen.kept {
            wanted > seen.kept && wanted > self.room(arm, fleet)
        } else {
            // Those that are not ready go first, so a ready one is taken only where all are.
            let left = seen.ready.min(wanted);
            left < seen.ready && u32::from(left) < self.plan.needed_by(arm, traffic)
        };
        broken.then_some(Property::MinHealthyKept)
    }

    /// How many instances of `arm` there is room for beside all that is there. What somebody else
    /// added to the other arm is not ours to make room for on the way forward.
    pub(super) fn room(&self, arm: Arm, fleet: FleetSeen) -> u16 {
        let (seen, other) = (fleet.of(arm), arm.other());
        let mut beside = fleet.of(other).present;
        if let Mode::Forward { step, .. } = self.after.state.mode
            && let Some(planned) = self.plan.steps.get(usize::from(step))
        {
            let before = self.plan.before(usize::from(step)).count(other);
            beside = beside.min(count(before.max(planned.target.count(other))));
        }
        count(self.plan.fleet.capacity_max)
            .saturating_sub(beside)
            .saturating_sub(seen.present.saturating_sub(seen.kept))
    }
}

/// Whether `arm` gets more by `to` than it has now.
fn rises(arm: Arm, now: Traffic, to: Traffic) -> bool {
    let more = to.split.weight(arm) > now.split.weight(arm);
    let begins = |now: Option<u16>, to: Option<u16>| to.is_some() && to != now;
    more || match arm {
        Arm::Canary => {
            begins(now.ways.route, to.ways.route) || begins(now.ways.mirror, to.ways.mirror)
        }
        Arm::Stable => now.ways.route.is_some() && to.ways.route.is_none(),
    }
}
