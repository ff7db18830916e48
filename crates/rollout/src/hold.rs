//! What follows when something fails: back, or a pause in which people decide.

use nonevent_strategy::{Action, AfterNoReturn, OnFailure, OnInconclusive, OnNoData, Task};

use crate::effect::Notice;
use crate::forward;
use crate::input::Judgement;
use crate::machine::{Decision, HOLD_MS};
use crate::state::{Agreed, Extra, Held, HeldBy, Mode, Outcome, Reason, StuckAt};

impl Decision<'_> {
    /// Something failed in step `step`.
    pub(crate) fn fails(&mut self, step: u16, reason: Reason) {
        let by = self.state.held.map(|held| held.by);
        if self.has_no_return(step) {
            match (by, reason) {
                (Some(HeldBy::NoReturn(first)), Reason::HeldTooLong | Reason::Aborted) => {
                    self.hand_over(step, first);
                }
                (Some(HeldBy::NoReturn(_)), _) => {}
                _ => {
                    self.notices.push(Notice::Page { reason });
                    self.hold(HeldBy::NoReturn(reason));
                }
            }
            return;
        }
        match (by, reason) {
            (Some(HeldBy::Failure(first)), Reason::HeldTooLong) => self.begin_rollback(first),
            _ if !self.is_left_to_people(step, reason) => self.begin_rollback(reason),
            (Some(HeldBy::Failure(_)), first) if first != Reason::Denied => {}
            _ => self.hold(HeldBy::Failure(reason)),
        }
    }

    /// Whether step `step`, once begun, has no way back.
    pub(crate) fn has_no_return(&self, step: u16) -> bool {
        let first = self.plan.rollback.no_return_from;
        first.is_some_and(|first| step >= first)
    }

    /// Whether the plan has people decide what follows on `reason`.
    fn is_left_to_people(&self, step: u16, reason: Reason) -> bool {
        if !reason.can_wait() {
            return false;
        }
        self.plan.rollback.on_failure == OnFailure::Pause
            || match reason {
                Reason::NoEvidence { last } => self.is_missing_left(step, last),
                Reason::NotApproved => self.is_approval_left(step),
                _ => false,
            }
    }

    fn is_missing_left(&self, step: u16, last: Option<Judgement>) -> bool {
        let planned = &self.plan.steps[usize::from(step)].action;
        let Action::Watch { analysis, .. } = planned else {
            return false;
        };
        let Some(analysis) = self.plan.analysis_named(analysis.as_deref()) else {
            return false;
        };
        let was_well = matches!(self.state.mode, Mode::Forward { was_well: true, .. });
        match last {
            // Well at this very weight at first: it was not our step that did it.
            Some(Judgement::EnvironmentUnhealthy) => was_well,
            Some(Judgement::Inconclusive) => analysis.on_inconclusive == OnInconclusive::Pause,
            None | Some(Judgement::NoData | Judgement::Pass | Judgement::Fail) => {
                analysis.on_no_data == OnNoData::Pause
            }
        }
    }

    fn is_approval_left(&self, step: u16) -> bool {
        let Action::Task(Task::Approve { approval }) = &self.plan.steps[usize::from(step)].action
        else {
            return false;
        };
        let approval = self.plan.approvals.get(approval);
        approval.is_some_and(|it| it.on_timeout == OnFailure::Pause)
    }

    /// Nothing goes on until somebody decides.
    pub(crate) fn hold(&mut self, by: HeldBy) {
        let since_ms = self.now_ms;
        let from_ms = match by {
            HeldBy::Window => self.state.shut_until_ms.unwrap_or(since_ms).max(since_ms),
            HeldBy::Person => since_ms,
            HeldBy::Failure(_) | HeldBy::NoReturn(_) => {
                self.abandon();
                since_ms
            }
        };
        self.state.held = Some(Held {
            by,
            since_ms,
            until_ms: from_ms.saturating_add(HOLD_MS),
        });
        self.notices.push(Notice::Held { by });
    }

    /// Somebody decided that it goes on.
    pub(crate) fn resume(&mut self) {
        let Some(held) = self.state.held.take() else {
            return;
        };
        self.notices.push(Notice::Resumed);
        let now_ms = self.now_ms;
        let Mode::Forward {
            deadline_ms,
            watch_until_ms,
            ..
        } = &mut self.state.mode
        else {
            return;
        };
        match held.by {
            HeldBy::Person | HeldBy::Window => {
                // The time on hold is added: a pause is lengthened, never shortened.
                let held_ms = now_ms.saturating_sub(held.since_ms).max(0);
                *deadline_ms = deadline_ms.saturating_add(held_ms);
                if let Some(until_ms) = watch_until_ms {
                    *until_ms = until_ms.saturating_add(held_ms);
                }
            }
            // What failed is tried again.
            HeldBy::Failure(_) | HeldBy::NoReturn(_) => self.begin_anew(),
        }
    }

    /// The present step begins anew; who has agreed to it has agreed, and what the analysis said
    /// last still holds until it says something else.
    pub(crate) fn begin_anew(&mut self) {
        let Mode::Forward {
            step,
            judgement: last,
            agreed,
            ..
        } = self.state.mode
        else {
            return;
        };
        forward::enter(self.plan, self.state, self.now_ms, step, agreed);
        if let Mode::Forward { judgement, .. } = &mut self.state.mode {
            *judgement = last;
        }
    }

    /// Nothing goes on, but what is there is minded.
    pub(crate) fn mind(&mut self, step: u16) {
        let by = self.state.held.map(|held| held.by);
        let kills = self.plan.rollback.after_no_return == AfterNoReturn::KillSwitch;
        let kills = matches!(by, Some(HeldBy::NoReturn(_))) && kills && self.state.beside.flags;
        if kills && self.kills_first() {
            self.withdraw(Extra::Flags);
        }
        if let Some((traffic, fleet)) = self.seen() {
            let _ = self.repairs(step, traffic, fleet);
        }
        if kills {
            self.withdraw(Extra::Flags);
        }
    }

    /// Nobody decided in time, or somebody decided that it is not the machine's any more.
    fn hand_over(&mut self, step: u16, reason: Reason) {
        self.abandon();
        if let Some(pending) = self.state.pending.take() {
            self.unfence(pending.effect);
        }
        self.state.held = None;
        self.state.shut_until_ms = None;
        self.state.mode = Mode::Done(Outcome::Stuck {
            reason,
            at: StuckAt::NoReturn { step },
        });
    }

    /// Whether all who must have agreed.
    pub(crate) fn is_approved(&self, approval: &str, agreed: Agreed) -> bool {
        let approval = self.plan.approvals.get(approval);
        approval.is_some_and(|it| agreed.count() >= it.count)
    }
}
