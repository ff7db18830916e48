//! The way forward: one step after another, each only on what was observed.

use nonevent_router::Arm;
use nonevent_strategy::{Action, Plan};

use crate::effect::{Effect, Notice, WaitReason};
use crate::input::{FleetSeen, Input, Judgement, SmokeVerdict};
use crate::machine::{ANSWER_MS, Decision, count};
use crate::state::{Mode, Outcome, Reason, State};

/// Begins step `step`.
pub(crate) fn enter(plan: &Plan, state: &mut State, now_ms: i64, step: u16) {
    let Some(planned) = plan.steps.get(usize::from(step)) else {
        state.mode = Mode::Done(Outcome::Promoted);
        return;
    };
    let after = |ms: u64| now_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX));
    state.mode = Mode::Forward {
        step,
        deadline_ms: after(planned.deadline_ms),
        watch_until_ms: match planned.action {
            Action::Watch { for_ms, .. } => Some(after(for_ms)),
            _ => None,
        },
        judgement: None,
    };
    state.refusals = 0;
}

/// What step `step` waits for when nothing is out.
pub(crate) fn waits_for(
    plan: &Plan,
    now_ms: i64,
    step: u16,
    watch_until_ms: Option<i64>,
) -> (WaitReason, Option<i64>) {
    match plan.steps.get(usize::from(step)).map(|step| &step.action) {
        Some(Action::Scale { arm, count: wanted }) => {
            let grows = *wanted > plan.before(usize::from(step)).count(*arm);
            let (arm, count) = (*arm, count(*wanted));
            if grows {
                (WaitReason::Ready { arm, count }, None)
            } else {
                (WaitReason::Gone { arm, count }, None)
            }
        }
        Some(Action::Watch { .. }) => match watch_until_ms {
            Some(until_ms) if now_ms < until_ms => (WaitReason::Watch, Some(until_ms)),
            _ => (WaitReason::Evidence, None),
        },
        _ => (WaitReason::Capacity, None),
    }
}

impl Decision<'_> {
    /// Goes on with the present step, and into the next ones as far as they are done at once.
    pub(crate) fn forward(&mut self, input: &Input) {
        if matches!(input, Input::Restarted)
            && let Mode::Forward { step, .. } = self.state.mode
        {
            // Times before the restart say nothing: the step begins anew.
            enter(self.plan, self.state, self.now_ms, step);
        }
        while let Mode::Forward { step, .. } = self.state.mode {
            if let Some(reason) = self.turns_back(step, input) {
                self.begin_rollback(reason);
                return;
            }
            if self.state.held.is_some() {
                // Nothing goes on, but what is there is minded.
                if let Some((_, fleet)) = self.seen() {
                    let _ = self.repairs(step, fleet);
                }
                return;
            }
            // An end with something still out would be none.
            let last = usize::from(step) + 1 == self.plan.steps.len();
            if (last && self.state.pending.is_some()) || !self.step_is_done(step, input) {
                return;
            }
            self.notices.push(Notice::StepDone { step });
            enter(self.plan, self.state, self.now_ms, step + 1);
            if matches!(self.state.mode, Mode::Forward { .. }) {
                self.notices.push(Notice::StepBegan { step: step + 1 });
            }
        }
    }

    /// A reason to go back, if there is one.
    fn turns_back(&mut self, step: u16, input: &Input) -> Option<Reason> {
        let Mode::Forward {
            deadline_ms,
            judgement,
            ..
        } = &mut self.state.mode
        else {
            return None;
        };
        if let Input::Analysis {
            step: of,
            judgement: said,
        } = input
            && *of == step
        {
            *judgement = Some(*said);
            if *said == Judgement::Fail {
                return Some(Reason::AnalysisFailed);
            }
        }
        let late = self.now_ms >= *deadline_ms;
        let last = *judgement;
        match self
            .smoke
            .take_if(|verdict| *verdict != SmokeVerdict::Passed)
        {
            Some(SmokeVerdict::Failed) => return Some(Reason::SmokeFailed),
            Some(SmokeVerdict::Unavailable) => return Some(Reason::SmokeUnavailable),
            Some(SmokeVerdict::Passed) | None => {}
        }
        if let Some(held) = self.state.held {
            if self.now_ms >= held.until_ms {
                return Some(Reason::HeldTooLong);
            }
        } else if late {
            return Some(self.too_late(step, last));
        }
        self.canary_in_trouble().or_else(|| self.drifted(step))
    }

    fn too_late(&self, step: u16, last: Option<Judgement>) -> Reason {
        if self.state.split.is_none() || self.state.fleet.is_none() {
            return Reason::NotObserved;
        }
        match self.plan.steps[usize::from(step)].action {
            Action::Watch { analyse: true, .. } => Reason::NoEvidence { last },
            Action::Smoke { .. } => Reason::SmokeUnavailable,
            _ => Reason::StepTooSlow,
        }
    }

    fn canary_in_trouble(&self) -> Option<Reason> {
        let canary = self.state.fleet?.canary;
        if canary.failed > 0 {
            return Some(Reason::CanaryCrashed);
        }
        let weight = self.state.split?.weight(Arm::Canary);
        (u32::from(canary.ready) < self.plan.needed(weight)).then_some(Reason::CanaryUnready)
    }

    /// A split that is neither what the plan has here nor what its present step leads to.
    fn drifted(&mut self, step: u16) -> Option<Reason> {
        let seen = self.state.split?;
        let before = self.plan.before(usize::from(step)).split;
        let target = self.plan.steps[usize::from(step)].target.split;
        let out = matches!(
            self.state.pending.map(|pending| pending.effect),
            Some(Effect::Shift { .. })
        );
        if out || seen == before || seen == target {
            return None;
        }
        self.notices.push(Notice::Drift { seen });
        Some(Reason::Drift)
    }

    fn step_is_done(&mut self, step: u16, input: &Input) -> bool {
        let planned = &self.plan.steps[usize::from(step)];
        if let Action::Smoke { .. } = planned.action
            && self.smoke.take() == Some(SmokeVerdict::Passed)
        {
            return true;
        }
        let Some((split, fleet)) = self.seen() else {
            return false;
        };
        if self.repairs(step, fleet) {
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
            Action::Shift { split: wanted } => {
                // What may still arrive is fenced off before it counts as done.
                if split == *wanted && !self.state.unfenced {
                    return true;
                }
                if self.carries(fleet, *wanted) {
                    self.send(Effect::Shift { split: *wanted }, ANSWER_MS);
                }
                false
            }
            Action::Watch { analyse, .. } => self.watched(step, input, *analyse),
            // No machine is made for a plan with one of these.
            Action::Task(_) => false,
        }
    }

    /// Stable instances that went missing are asked for again before anything else goes on, as far
    /// as there is room beside those that still drain.
    fn repairs(&mut self, step: u16, fleet: FleetSeen) -> bool {
        let before = self.plan.before(usize::from(step));
        let target = self.plan.steps[usize::from(step)].target;
        let wanted = count(before.stable.min(target.stable));
        let stable = fleet.stable;
        if stable.kept >= wanted || self.state.pending.is_some() {
            return false;
        }
        let possible = wanted.min(self.room(step, fleet, Arm::Stable));
        if stable.kept < possible {
            let (arm, count) = (Arm::Stable, possible);
            self.send(Effect::Scale { arm, count }, ANSWER_MS);
        }
        if self.effect.is_some() {
            self.notices.push(Notice::Repair { count: possible });
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
                .split
                .is_some_and(|split| self.carries(left, split))
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
