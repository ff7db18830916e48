//! The rehearsal: forward until traffic has moved for the first time, and back.

use nonevent_evidence::{Predicate, Rehearsal, RehearsalOutcome};
use nonevent_rollout::{Outcome, Reason, Run, Verified};
use nonevent_strategy::{Action, Plan};
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
        let Some(Turn { after, short_of }) = Turn::of(&self.plan) else {
            let text = "the rollback is not rehearsed: what comes first is no rehearsal's to do";
            let at = self.clock.now();
            let text = text.to_owned();
            reporter.event(&Event::Trouble { at, text });
            return Ok(());
        };
        let now = self.clock.now();
        let (run, line) = Run::begin(self.plan.clone(), self.digest, self.lock.epoch(), now)
            .map_err(|error| state_error(error.to_string()))?;
        let path = self.state.path(REHEARSAL);
        let journal = JournalFile::create(&path, &line)?;
        let start = Start {
            abort_after: Some(after),
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
            short_of: short_of.clone(),
        };
        self.attest("rehearsal", Predicate::Rehearsal(statement))?;
        match (recovered, complete_ms, ended_ms) {
            (true, Some(restored_ms), Some(ended_ms)) => {
                quiet.reporter.event(&Event::Rehearsed {
                    restored_ms,
                    ended_ms,
                    short_of,
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

/// Where a rehearsal turns back.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    /// After this step, by its place from 0.
    after: u16,
    /// The step before which it turns although traffic has not moved yet.
    short_of: Option<String>,
}

impl Turn {
    /// Once traffic has moved for the first time; but before anything that others do. What people
    /// are asked for they are asked for once, in the rollout itself, and traffic that must not move
    /// before that does not move in a rehearsal either.
    fn of(plan: &Plan) -> Option<Turn> {
        for (place, step) in plan.steps.iter().enumerate() {
            match step.action {
                Action::Shift { .. } => {
                    return Some(Turn {
                        after: u16::try_from(place).ok()?,
                        short_of: None,
                    });
                }
                Action::Task(_) => {
                    return Some(Turn {
                        after: u16::try_from(place.checked_sub(1)?).ok()?,
                        short_of: Some(step.id.clone()),
                    });
                }
                _ => {}
            }
        }
        None
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

#[cfg(test)]
mod tests {
    use nonevent_strategy::{Deployment, Facts, StrategyKind, Task, check, plan};

    use super::*;

    #[test]
    fn it_turns_once_traffic_has_moved_or_before_what_others_do() {
        let deployment = Deployment::default_for(StrategyKind::Canary);
        let mut plan = plan(&check(deployment, Facts::default(), None).unwrap());
        let turn = Turn::of(&plan).unwrap();
        assert_eq!(turn.short_of, None);
        let moved = &plan.steps[usize::from(turn.after)];
        assert!(matches!(moved.action, Action::Shift { .. }), "{moved:?}");
        for place in [1, 0] {
            let approval = String::from("go");
            plan.steps[place].action = Action::Task(Task::Approve { approval });
            let before = Turn::of(&plan).map(|turn| (turn.after, turn.short_of));
            let expected = place
                .checked_sub(1)
                .map(|_| (0, Some(plan.steps[1].id.clone())));
            assert_eq!(before, expected);
        }
    }
}
