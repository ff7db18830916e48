//! What is written on the runbook's page.

use nonevent_document::Timestamp;
use nonevent_rollout::{Extra, Input, SmokeVerdict};
use nonevent_runbook::{Record, RecordOutcome};

use super::follower::{Follower, Ticked, somebody};
use super::person::{Ledger, Person};

impl<P: Person, L: Ledger> Follower<'_, P, L> {
    /// Ticks what was done before and may not have been ticked.
    pub fn tick_again(&mut self) {
        let done = self.past.begun().filter(|(_, time)| time.done.is_some());
        let done: Vec<u16> = done.map(|(step, _)| step).collect();
        for step in done {
            self.tick_step(step);
        }
    }

    /// Ticks a step, unless somebody left it out.
    pub(super) fn tick_step(&mut self, step: u16) {
        let Some(time) = self.past.steps.get(&step) else {
            return;
        };
        let outcome = match time.skipped {
            true => RecordOutcome::Skipped,
            false => RecordOutcome::Done,
        };
        let seen = time.seen.clone().unwrap_or_default();
        self.tick(step, outcome, &seen);
    }

    /// Writes under a step that it failed.
    pub(super) fn tick_failed(&mut self, step: u16, why: &str) {
        self.tick(step, RecordOutcome::Failed, why);
    }

    fn tick(&mut self, step: u16, outcome: RecordOutcome, seen: &str) {
        let (Some(ids), Some(time)) = (self.pages.ids(step), self.past.steps.get(&step)) else {
            return;
        };
        let at = time.done.unwrap_or_else(|| (self.desktop.now)());
        let took_ms = time.began.map_or(0, |began| at.ms_since(began));
        let record = |seen: &str| Record {
            outcome,
            at,
            by: time.by.clone().unwrap_or_else(somebody),
            took_ms: u64::try_from(took_ms).unwrap_or(0),
            seen: seen.to_owned(),
        };
        let (done, seen) = (record(""), record(seen));
        if outcome == RecordOutcome::Done {
            self.write(ids.action, done);
        }
        self.write(ids.seen, seen);
    }

    /// Ticks what of the rollback is done by what the machine was told.
    pub(super) fn tick_back(&mut self, at: Timestamp, input: &Input) {
        let (name, outcome, seen) = match input {
            Input::Router(seen) if seen.canary_quiet => ("confirm", RecordOutcome::Done, ""),
            Input::Smoke(SmokeVerdict::Passed) => ("smoke", RecordOutcome::Done, "it passed"),
            Input::Smoke(SmokeVerdict::Failed) => ("smoke", RecordOutcome::Failed, "it failed"),
            Input::Smoke(SmokeVerdict::Unavailable) => {
                ("smoke", RecordOutcome::Failed, "it could not be run")
            }
            Input::Withdrawn {
                extra: Extra::Flags,
                gone: true,
            } => ("kill-switch", RecordOutcome::Done, ""),
            _ => return,
        };
        self.tick_rollback(at, name, outcome, seen);
    }

    /// Ticks an item of the rollback, where the page has it.
    pub(super) fn tick_rollback(
        &mut self,
        at: Timestamp,
        name: &str,
        outcome: RecordOutcome,
        seen: &str,
    ) {
        let Some(id) = self.pages.rollback_id(name) else {
            return;
        };
        let record = Record {
            outcome,
            at,
            by: self.desktop.by.clone().unwrap_or_else(somebody),
            took_ms: self.took_ms,
            seen: seen.to_owned(),
        };
        self.write(id, record);
    }

    fn write(&mut self, id: String, record: Record) {
        let ticked = Ticked { id, record };
        if let Err(error) = (self.desktop.ticks)(&ticked) {
            let id = ticked.id;
            self.trouble(format!("what became of {id} could not be written: {error}"));
        }
    }
}
