//! What people are asked for: told to them when it begins, and by `nonevent status` at any time.

use nonevent_document::Timestamp;
use nonevent_rollout::{Agreed, Effect, HeldBy, Mode, Reason, Run};
use nonevent_strategy::{Action, OnFailure, Step, Task};
use serde::Serialize;

/// What a rollout needs of people before it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The step, by name.
    pub step: String,
    /// Its place from 0.
    pub index: u16,
    /// When the rollout goes on without an answer, as `otherwise` says.
    pub until: Timestamp,
    /// What follows if nobody answers.
    pub otherwise: Otherwise,
    /// Why it is paused beside, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// Whether a person ends that pause, and not the calendar.
    pub may_resume: bool,
    /// What is asked for.
    pub wants: Wants,
}

/// What a rollout does if nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// It goes back to stable.
    GoesBack,
    /// It pauses, and people decide.
    Pauses,
    /// It is left to people as it is.
    HandsOver,
}

impl Otherwise {
    fn of(run: &Run, index: u16, step: &Step) -> Otherwise {
        let rollback = &run.plan().rollback;
        let no_return = rollback.no_return_from.is_some_and(|first| index >= first);
        let approval = match &step.action {
            Action::Task(Task::Approve { approval }) => run.plan().approvals.get(approval),
            _ => None,
        };
        let pauses = rollback.on_failure == OnFailure::Pause
            || approval.is_some_and(|it| it.on_timeout == OnFailure::Pause);
        match run.state().held.map(|held| held.by) {
            Some(HeldBy::NoReturn(_)) => Otherwise::HandsOver,
            _ if no_return => Otherwise::Pauses,
            Some(_) => Otherwise::GoesBack,
            None if pauses => Otherwise::Pauses,
            None => Otherwise::GoesBack,
        }
    }
}

/// What is asked of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Wants {
    /// That so many of them agree.
    Approval {
        /// The role that is asked.
        role: String,
        /// How many must agree.
        count: u32,
        /// Who has agreed.
        agreed: Vec<String>,
        /// Who may agree and has not.
        missing: Vec<String>,
        /// When the first of the words given is too old to count.
        #[serde(skip_serializing_if = "Option::is_none")]
        words_until: Option<Timestamp>,
    },
    /// That somebody does something and says that it is done.
    Deed {
        /// Its name.
        name: String,
        /// What is done.
        how: String,
        /// What is then to be seen; absent for a migration.
        #[serde(skip_serializing_if = "Option::is_none")]
        expect: Option<String>,
        /// Who does it.
        #[serde(skip_serializing_if = "Option::is_none")]
        owner: Option<String>,
        /// Whether it may be left out.
        may_skip: bool,
    },
    /// That somebody decides whether it goes on.
    Decision {
        /// Whether it is past the point of no return: then nothing goes back, and what is not tried
        /// again is handed over.
        no_way_back: bool,
    },
}

impl Asked {
    /// What is asked now, if anything is.
    #[must_use]
    pub fn of(run: &Run) -> Option<Asked> {
        let state = run.state();
        let Mode::Forward {
            step: index,
            deadline_ms,
            agreed,
            ..
        } = state.mode
        else {
            return None;
        };
        let step = run.plan().steps.get(usize::from(index))?;
        let wants = match (&step.action, state.held.map(|held| held.by)) {
            (
                Action::Task(task),
                None | Some(HeldBy::Person | HeldBy::Window | HeldBy::Failure(Reason::NotApproved)),
            ) => wanted(run, index, task, agreed),
            _ => None,
        };
        let wants = match (wants, state.held.map(|held| held.by)) {
            (Some(wants), _) => wants,
            // The window opens by itself.
            (None, None | Some(HeldBy::Window)) => return None,
            (None, Some(by)) => Wants::Decision {
                no_way_back: matches!(by, HeldBy::NoReturn(_)),
            },
        };
        Some(Asked {
            step: step.id.clone(),
            index,
            until: run.on_the_calendar(state.held.map_or(deadline_ms, |it| it.until_ms)),
            otherwise: Otherwise::of(run, index, step),
            paused: state.held.map(|held| held.by.to_string()),
            may_resume: state.held.is_some_and(|held| held.by != HeldBy::Window),
            wants,
        })
    }
}

fn wanted(run: &Run, step: u16, task: &Task, agreed: Agreed) -> Option<Wants> {
    let out = run.state().pending.map(|pending| pending.effect) == Some(Effect::Task { step });
    match task {
        Task::Approve { approval } => {
            let approval = run.plan().approvals.get(approval)?;
            if agreed.count() >= approval.count {
                return None;
            }
            let people = approval.people.iter().enumerate();
            let has = |place: usize| {
                let bit = u32::try_from(place)
                    .ok()
                    .and_then(|it| 1u32.checked_shl(it));
                bit.is_some_and(|bit| agreed.people & bit != 0)
            };
            let (yes, no): (Vec<_>, Vec<_>) = people.partition(|(place, _)| has(*place));
            let names = |of: Vec<(usize, &String)>| of.into_iter().map(|it| it.1.clone()).collect();
            Some(Wants::Approval {
                role: approval.role.clone(),
                count: approval.count,
                agreed: names(yes),
                missing: names(no),
                words_until: agreed.until_ms.map(|it| run.on_the_calendar(it)),
            })
        }
        Task::Manual {
            name,
            how,
            expect,
            owner,
            ..
        } if out => Some(Wants::Deed {
            name: name.clone(),
            how: how.clone(),
            expect: Some(expect.clone()),
            owner: owner.clone(),
            may_skip: true,
        }),
        Task::Migrate {
            name, how, owner, ..
        } if out => Some(Wants::Deed {
            name: name.clone(),
            how: how.clone(),
            expect: None,
            owner: owner.clone(),
            may_skip: false,
        }),
        _ => None,
    }
}
