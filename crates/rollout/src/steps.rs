//! What each kind of step needs to be done.

use nonevent_router::Arm;
use nonevent_strategy::{Action, OnDrift, Task, Traffic};

use crate::effect::{Effect, Notice};
use crate::input::{FleetSeen, Input, Judgement};
use crate::machine::{ANSWER_MS, Decision, count};
use crate::state::{HeldBy, Mode, Pending, Reason};

/// How often a router is told what it forgot before it is given up.
const SET_RIGHT_TRIES: u8 = 4;

impl Decision<'_> {
    /// Whether step `step` is done by what is seen; else the next effect towards it is sent.
    pub(crate) fn step_is_done(&mut self, step: u16, input: &Input) -> bool {
        let planned = &self.plan.steps[usize::from(step)];
        let Some((traffic, fleet)) = self.seen() else {
            return false;
        };
        if self.repairs(step, traffic, fleet) {
            return false;
        }
        match &planned.action {
            Action::Smoke { target, suite } => {
                let effect = Effect::Smoke {
                    target: *target,
                    suite: *suite,
                };
                let within_ms = i64::try_from(planned.deadline_ms).unwrap_or(i64::MAX);
                self.send(effect, within_ms);
                false
            }
            Action::Scale { arm, count: wanted } => self.scaled(step, fleet, *arm, count(*wanted)),
            Action::Watch { analyse, .. } => self.watched(step, input, *analyse),
            Action::Shift { .. } | Action::Task(Task::Route { .. } | Task::Mirror { .. }) => {
                self.shifted(traffic, fleet, planned.target.traffic())
            }
            Action::Task(Task::Approve { approval }) => match self.state.mode {
                Mode::Forward { agreed, .. } => self.is_approved(approval, agreed),
                _ => false,
            },
            Action::Task(
                Task::Manual { .. }
                | Task::Migrate { .. }
                | Task::Flag { .. }
                | Task::Baseline { .. },
            ) => {
                self.send(Effect::Task { step }, Pending::NO_LIMIT_MS);
                false
            }
        }
    }

    fn shifted(&mut self, traffic: Traffic, fleet: FleetSeen, wanted: Traffic) -> bool {
        // What may still arrive is fenced off before it counts as done.
        if traffic == wanted && !self.state.unfenced {
            return true;
        }
        if self.carries(fleet, wanted) {
            self.send(Effect::shift(wanted), ANSWER_MS);
        }
        false
    }

    /// Traffic that is to be set right is, and stable instances that went missing are asked for
    /// again, before anything else goes on, as far as there is room beside those that still drain.
    /// After the point of no return, where the new version is all there is, the same holds of its
    /// instances.
    pub(crate) fn repairs(&mut self, step: u16, traffic: Traffic, fleet: FleetSeen) -> bool {
        if self.state.pending.is_some() {
            return false;
        }
        if self.has_drifted(step) {
            let before = self.plan.before(usize::from(step)).traffic();
            if self.carries(fleet, before) {
                self.set_right(step, traffic, before);
                return true;
            }
        }
        self.repairs_instances(step, fleet, Arm::Stable)
            || (self.has_no_return(step) && self.repairs_instances(step, fleet, Arm::Canary))
    }

    /// The router is told again what it forgot.
    fn set_right(&mut self, step: u16, seen: Traffic, wanted: Traffic) {
        self.send(Effect::shift(wanted), ANSWER_MS);
        if self.effect.is_none() {
            return;
        }
        self.notices.push(Notice::Drift { seen });
        let pauses = self.plan.rollback.on_drift == OnDrift::Pause && !self.has_no_return(step);
        if pauses && self.state.held.is_none() {
            self.hold(HeldBy::Failure(Reason::Drift));
        }
    }

    /// Whether traffic that nobody asked for is set right: after the point of no return, and where
    /// the plan says so and the canary gets no more by it than it had. Else, and where the router
    /// does not take it, the rollout goes back.
    pub(crate) fn is_set_right(&self, step: u16) -> bool {
        if self.state.refusals >= SET_RIGHT_TRIES {
            return false;
        }
        let before = self.plan.before(usize::from(step)).traffic();
        let (Some(seen), Some(fleet)) = (self.state.traffic, self.state.fleet) else {
            return true;
        };
        let canary = |traffic: Traffic| traffic.split.weight(Arm::Canary);
        let exposes = canary(seen) > canary(before)
            || (seen.ways != before.ways && !seen.ways.is_none())
            || seen.split.is_closed();
        let may = self.plan.rollback.on_drift != OnDrift::Rollback
            && !exposes
            && self.carries(fleet, before);
        self.has_no_return(step) || may
    }

    fn repairs_instances(&mut self, step: u16, fleet: FleetSeen, arm: Arm) -> bool {
        let before = self.plan.before(usize::from(step));
        let target = self.plan.steps[usize::from(step)].target;
        let wanted = count(before.count(arm).min(target.count(arm)));
        let seen = fleet.of(arm);
        if seen.kept >= wanted {
            return false;
        }
        let possible = wanted.min(self.room(step, fleet, arm));
        if seen.kept < possible {
            let count = possible;
            self.send(Effect::Scale { arm, count }, ANSWER_MS);
        }
        if self.effect.is_some() {
            self.notices.push(Notice::Repair {
                arm,
                count: possible,
            });
        }
        true
    }

    /// How many instances of `arm` there is room for beside all that is there, what drains
    /// included. What somebody else added to the other arm is not waited for.
    fn room(&self, step: u16, fleet: FleetSeen, arm: Arm) -> u16 {
        let (seen, other) = (fleet.of(arm), arm.other());
        let before = self.plan.before(usize::from(step)).count(other);
        let target = self.plan.steps[usize::from(step)].target.count(other);
        let beside = fleet.of(other).present.min(count(before.max(target)));
        count(self.plan.fleet.capacity_max)
            .saturating_sub(beside)
            .saturating_sub(seen.present.saturating_sub(seen.kept))
    }

    fn scaled(&mut self, step: u16, fleet: FleetSeen, arm: Arm, wanted: u16) -> bool {
        let seen = fleet.of(arm);
        let grows = u32::from(wanted) > self.plan.before(usize::from(step)).count(arm);
        if seen.kept < wanted {
            if wanted <= self.room(step, fleet, arm) {
                self.send(Effect::Scale { arm, count: wanted }, ANSWER_MS);
            }
            return false;
        }
        if seen.kept > wanted {
            // Capacity is taken away only where all that traffic needs is ready without it.
            let mut left = fleet;
            let it = left.of_mut(arm);
            it.ready = it.ready.min(wanted);
            if self
                .state
                .traffic
                .is_some_and(|traffic| self.carries(left, traffic))
            {
                self.send(Effect::Scale { arm, count: wanted }, ANSWER_MS);
            }
            return false;
        }
        if self.state.unfenced_arms[arm.index()] {
            // Another number may still come into force: this one is made the last.
            self.send(Effect::Scale { arm, count: wanted }, ANSWER_MS);
            return false;
        }
        self.state.pending.is_none()
            && if grows {
                seen.ready >= wanted
            } else {
                seen.present <= wanted
            }
    }

    fn watched(&mut self, step: u16, input: &Input, analyse: bool) -> bool {
        let Mode::Forward {
            watch_until_ms,
            judgement,
            ..
        } = self.state.mode
        else {
            return false;
        };
        // Where both versions are in trouble the weights stay, whoever wants them to move.
        if core::mem::take(&mut self.promoted) && judgement != Some(Judgement::EnvironmentUnhealthy)
        {
            self.notices.push(Notice::PromotedByHand);
            return true;
        }
        if watch_until_ms.is_some_and(|until_ms| self.now_ms < until_ms) {
            return false;
        }
        // Only a look at this step made after the pause counts: evidence that stopped coming is
        // no evidence.
        let passed = Input::Analysis {
            step,
            judgement: Judgement::Pass,
        };
        !analyse || *input == passed
    }
}
