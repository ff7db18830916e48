//! The rehearsal: forward until traffic has moved for the first time, and back.

use nonevent_evidence::{Predicate, Rehearsal, RehearsalOutcome};
use nonevent_rollout::{Outcome, Reason, Run, Verified};
use nonevent_strategy::Action;
use tokio::sync::mpsc;

use super::{REHEARSAL, Session, Start, state_error};
use crate::conduct::{Conducted, Order};
use crate::error::{DriverError, DriverErrorKind};
use crate::event::{Event, Reporter};
use crate::journal::JournalFile;
use crate::prepare::Prepared;
use crate::summary::{Summary, outcome_text};

impl Session {
    /// Goes forward until traffic has moved for the first time, and back: on the target itself,
    /// with the machine and the plan of the rollout.
    pub(super) async fn rehearse(
        &mut self,
        prepared: &Prepared,
        orders: &mut mpsc::Receiver<Order>,
        reporter: &mut dyn Reporter,
    ) -> Result<(), DriverError> {
        let shifts = |action: &Action| matches!(action, Action::Shift { .. });
        let turn = self
            .plan
            .steps
            .iter()
            .position(|step| shifts(&step.action))
            .unwrap_or(0);
        let now = self.clock.now();
        let (run, line) = Run::begin(self.plan.clone(), self.digest, self.lock.epoch(), now)
            .map_err(|error| state_error(error.to_string()))?;
        let path = self.state.path(REHEARSAL);
        let journal = JournalFile::create(&path, &line)?;
        let start = Start {
            abort_after: u16::try_from(turn).ok(),
            ..Start::new(run, journal)
        };
        let mut quiet = Rehearsing { reporter };
        let conducted = self.conduct(start, orders, &mut quiet).await?;
        let summary = Summary::read(&path)?;
        if self.told_back && matches!(conducted, Conducted::Ended(Outcome::RolledBack { .. })) {
            // It may have turned before it got far enough to show anything: no evidence.
            return Err(DriverError::new(
                DriverErrorKind::Aborted,
                format!(
                    "told to go back during the rehearsal: nothing was deployed; {}",
                    outcome_text(&summary)
                ),
            ));
        }
        let recovered = matches!(
            conducted,
            Conducted::Ended(Outcome::RolledBack {
                reason: Reason::Aborted,
                verified: Verified::Passed,
            })
        );
        let complete_ms = summary.recover_ms;
        let ended_ms = summary
            .decided
            .and_then(|it| u64::try_from(summary.finished.ms_since(it)).ok());
        let statement = Rehearsal {
            plan: self.digest,
            shape: prepared.shape,
            environment: self.plan.environment.clone(),
            started: summary.started,
            finished: summary.finished,
            // The word to go back is the rehearsal's own: there is nothing to detect or decide.
            detect_ms: None,
            decide_ms: None,
            complete_ms,
            verify_ms: ended_ms
                .zip(complete_ms)
                .map(|(ended, complete)| ended - complete),
            outcome: if recovered {
                RehearsalOutcome::Recovered
            } else {
                RehearsalOutcome::Failed
            },
        };
        self.attest("rehearsal", Predicate::Rehearsal(statement))?;
        match (recovered, complete_ms, ended_ms) {
            (true, Some(restored_ms), Some(ended_ms)) => {
                quiet.reporter.event(&Event::Rehearsed {
                    restored_ms,
                    ended_ms,
                });
                Ok(())
            }
            _ => Err(DriverError::new(
                DriverErrorKind::Gate,
                format!(
                    "the rehearsal of the rollback did not end as it should: {}; its journal is {}",
                    outcome_text(&summary),
                    path.display()
                ),
            )),
        }
    }
}

/// Tells of a rehearsal only what people must hear.
struct Rehearsing<'a> {
    reporter: &'a mut dyn Reporter,
}

impl Reporter for Rehearsing<'_> {
    fn event(&mut self, event: &Event) {
        if matches!(event, Event::View(_) | Event::Trouble { .. }) {
            self.reporter.event(event);
        }
    }
}
