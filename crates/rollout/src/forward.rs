//! The way forward: one step after another, each only on what was observed.

use nonevent_router::Arm;
use nonevent_strategy::{Action, Plan, Task};

use crate::effect::{Effect, Notice, WaitReason};
use crate::input::{Input, Judgement, SmokeVerdict, TaskVerdict};
use crate::machine::{Decision, count};
use crate::state::{Agreed, HeldBy, Mode, Outcome, Reason, State};

/// Begins step `step`, to which `agreed` have agreed before.
pub(crate) fn enter(plan: &Plan, state: &mut State, now_ms: i64, step: u16, agreed: Agreed) {
    let Some(planned) = plan.steps.get(usize::from(step)) else {
        state.held = None;
        state.shut_until_ms = None;
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
        was_well: false,
        agreed,
    };
    state.refusals = 0;
}

/// What step `step` waits for when nothing is out.
pub(crate) fn waits_for(
    plan: &Plan,
    now_ms: i64,
    step: u16,
    watch_until_ms: Option<i64>,
    agreed: Agreed,
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
        Some(Action::Task(Task::Approve { approval })) => {
            let wanted = plan.approvals.get(approval).map_or(1, |it| it.count);
            let missing = wanted.saturating_sub(agreed.count());
            (WaitReason::Approval { missing }, agreed.until_ms)
        }
        _ => (WaitReason::Capacity, None),
    }
}

impl Decision<'_> {
    /// Goes on with the present step, and into the next ones as far as they are done at once.
    pub(crate) fn forward(&mut self, input: &Input) {
        if matches!(input, Input::Restarted)
            && let Mode::Forward { step, agreed, .. } = self.state.mode
        {
            // Times before the restart say nothing: the step begins anew.
            enter(self.plan, self.state, self.now_ms, step, agreed);
        }
        while let Mode::Forward { step, .. } = self.state.mode {
            if let Some(reason) = self.failing(step, input) {
                self.fails(step, reason);
            }
            if !matches!(self.state.mode, Mode::Forward { .. }) {
                return;
            }
            if self.state.held.is_none() && self.state.shut_until_ms.is_some() {
                self.hold(HeldBy::Window);
            }
            // What was asked for before a pause may end within it.
            let done = self.was_told_done(step)
                || (self.state.held.is_none() && self.step_is_done(step, input));
            // An end with something still out would be none.
            let last = usize::from(step) + 1 == self.plan.steps.len();
            if !done || (last && self.state.pending.is_some()) {
                if self.state.held.is_some() {
                    self.mind(step);
                }
                return;
            }
            self.notices.push(Notice::StepDone { step });
            enter(
                self.plan,
                self.state,
                self.now_ms,
                step + 1,
                Agreed::default(),
            );
            if matches!(self.state.mode, Mode::Forward { .. }) {
                self.notices.push(Notice::StepBegan { step: step + 1 });
            }
            if let Some(held) = &mut self.state.held {
                // What of the pause was before this step is not added to it.
                held.since_ms = self.now_ms;
            }
        }
    }

    /// Whether the present step is done by the verdict that came in, which is used up.
    fn was_told_done(&mut self, step: u16) -> bool {
        match &self.plan.steps[usize::from(step)].action {
            Action::Smoke { .. } => self.smoke.take() == Some(SmokeVerdict::Passed),
            Action::Task(_) => self.task.take() == Some(TaskVerdict::Done),
            _ => false,
        }
    }

    /// What fails in the present step, if anything does.
    fn failing(&mut self, step: u16, input: &Input) -> Option<Reason> {
        if let Input::Analysis {
            step: of,
            judgement,
        } = input
            && *of == step
        {
            self.word(*judgement);
            if *judgement == Judgement::Fail {
                return Some(Reason::AnalysisFailed);
            }
        }
        if core::mem::take(&mut self.denied) {
            return Some(Reason::Denied);
        }
        let failed = |verdict: &mut TaskVerdict| *verdict == TaskVerdict::Failed;
        if self.task.take_if(failed).is_some() {
            return Some(Reason::TaskFailed);
        }
        match self
            .smoke
            .take_if(|verdict| *verdict != SmokeVerdict::Passed)
        {
            Some(SmokeVerdict::Failed) => return Some(Reason::SmokeFailed),
            Some(SmokeVerdict::Unavailable) => return Some(Reason::SmokeUnavailable),
            Some(SmokeVerdict::Passed) | None => {}
        }
        let Mode::Forward {
            deadline_ms,
            judgement,
            ..
        } = self.state.mode
        else {
            return None;
        };
        if let Some(held) = self.state.held {
            if self.now_ms >= held.until_ms {
                return Some(Reason::HeldTooLong);
            }
        } else if self.now_ms >= deadline_ms {
            return Some(self.too_late(step, judgement));
        }
        self.canary_in_trouble().or_else(|| self.drifted(step))
    }

    /// The analysis of the present step said something.
    fn word(&mut self, said: Judgement) {
        let Mode::Forward {
            judgement,
            was_well,
            ..
        } = &mut self.state.mode
        else {
            return;
        };
        let before = judgement.replace(said);
        let well = matches!(before, Some(Judgement::Pass | Judgement::Inconclusive));
        match said {
            Judgement::EnvironmentUnhealthy => *was_well |= well,
            _ => *was_well = false,
        }
        // Where a step begins there is nothing to look at yet, and nothing to say about it.
        let frozen = match said {
            Judgement::EnvironmentUnhealthy => before != Some(said),
            Judgement::NoData => before.is_some_and(|before| before != said),
            _ => false,
        };
        if frozen {
            self.notices.push(Notice::Frozen { judgement: said });
        }
    }

    fn too_late(&self, step: u16, last: Option<Judgement>) -> Reason {
        if self.state.traffic.is_none() || self.state.fleet.is_none() {
            return Reason::NotObserved;
        }
        match self.plan.steps[usize::from(step)].action {
            Action::Watch { analyse: true, .. } => Reason::NoEvidence { last },
            Action::Smoke { .. } => Reason::SmokeUnavailable,
            Action::Task(Task::Approve { .. }) => Reason::NotApproved,
            _ => Reason::StepTooSlow,
        }
    }

    fn canary_in_trouble(&self) -> Option<Reason> {
        let canary = self.state.fleet?.canary;
        if canary.failed > 0 {
            return Some(Reason::CanaryCrashed);
        }
        let needed = self.plan.needed_by(Arm::Canary, self.state.traffic?);
        (u32::from(canary.ready) < needed).then_some(Reason::CanaryUnready)
    }

    /// Traffic that is neither what the plan has here nor what its present step leads to, unless it
    /// is to be set right.
    fn drifted(&mut self, step: u16) -> Option<Reason> {
        if !self.has_drifted(step) || self.is_set_right(step) {
            return None;
        }
        if let Some(seen) = self.state.traffic {
            self.notices.push(Notice::Drift { seen });
        }
        Some(Reason::Drift)
    }

    pub(crate) fn has_drifted(&self, step: u16) -> bool {
        let before = self.plan.before(usize::from(step)).traffic();
        let target = self.plan.steps[usize::from(step)].target.traffic();
        let out = matches!(
            self.state.pending.map(|pending| pending.effect),
            Some(Effect::Shift { .. })
        );
        let seen = self.state.traffic;
        !out && seen.is_some_and(|seen| seen != before && seen != target)
    }
}
