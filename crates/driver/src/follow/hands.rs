//! What is done from here, without a person's hands: smoke suites at the service's own address, and
//! the files of feature flags.

use nonevent_rollout::{Effect, Extra, Input, Mode, SmokeVerdict, TaskVerdict};
use nonevent_router::Arm;
use nonevent_strategy::{Action, SmokeTarget, SuiteMoment, Task};

use super::follower::Follower;
use super::person::{Ledger, Person};
use crate::conduct::{SmokePlace, Smoked};
use crate::error::DriverError;
use crate::event::Event;
use crate::note::JournalNote;

impl<P: Person, L: Ledger> Follower<'_, P, L> {
    /// Does something from here.
    pub(super) async fn carry_out(&mut self, effect: Effect) -> Result<(), DriverError> {
        let at = (self.desktop.now)();
        self.desktop.person.hear(&Event::Effect { at, effect });
        match effect {
            Effect::Smoke { target, suite } => self.smoke(target, suite).await,
            Effect::Task { step } => {
                let done = self.replace_flag(step);
                let verdict = match &done {
                    Ok(_) => TaskVerdict::Done,
                    Err(_) => TaskVerdict::Failed,
                };
                self.tell_of_flags(done)?;
                self.queue.push_back(Input::Task { step, verdict });
                Ok(())
            }
            Effect::Withdraw {
                extra: extra @ Extra::Flags,
            } => {
                let killed = self.kill_flags();
                let gone = killed.is_ok();
                self.tell_of_flags(killed)?;
                self.queue.push_back(Input::Withdrawn { extra, gone });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn smoke(&mut self, target: SmokeTarget, suite: SuiteMoment) -> Result<(), DriverError> {
        let back = matches!(self.run.state().mode, Mode::Rollback { .. });
        let version = match suite {
            SuiteMoment::After if !back => Arm::Canary,
            _ => Arm::Stable,
        };
        let Some(smoker) = self.desktop.automatic.smoker.clone() else {
            return Ok(());
        };
        let smoked = smoker.smoke(suite, SmokePlace::Service, version).await;
        let Smoked {
            verdict,
            text,
            report,
        } = smoked;
        let at = (self.desktop.now)();
        self.desktop.person.hear(&Event::Smoke {
            at,
            target: "through the router".to_owned(),
            passed: verdict == SmokeVerdict::Passed,
            text,
        });
        self.note(
            at,
            &JournalNote::Smoke {
                suite,
                target,
                verdict,
                report,
            },
        )?;
        self.queue.push_back(Input::Smoke(verdict));
        Ok(())
    }

    fn replace_flag(&self, step: u16) -> Result<String, String> {
        let plan = self.run.plan();
        let Some(Action::Task(Task::Flag {
            flag,
            stage,
            before,
            after,
        })) = plan.steps.get(usize::from(step)).map(|it| &it.action)
        else {
            return Err("this is nothing that can be done from here".to_owned());
        };
        match (&self.desktop.automatic.flags, plan.flags.get(flag)) {
            (Some(files), Some(planned)) => files
                .replace(planned, before, after)
                .map(|()| format!("{} holds stage {stage} of flag {flag}", planned.file.name))
                .map_err(|error| error.to_string()),
            _ => Err("the folder of the flag files is not known".to_owned()),
        }
    }

    fn kill_flags(&self) -> Result<String, String> {
        let Some(files) = &self.desktop.automatic.flags else {
            return Err("the folder of the flag files is not known".to_owned());
        };
        match files.kill(self.run.plan()) {
            Ok(files) if files.is_empty() => Ok("no flag file had been changed".to_owned()),
            Ok(files) => Ok(format!("switched off in {}", files.join(", "))),
            Err(error) => Err(error.to_string()),
        }
    }

    fn tell_of_flags(&mut self, done: Result<String, String>) -> Result<(), DriverError> {
        let at = (self.desktop.now)();
        let (text, event) = match done {
            Ok(text) => (text.clone(), Event::Flags { at, text }),
            Err(text) => (text.clone(), Event::Trouble { at, text }),
        };
        self.note(at, &JournalNote::Flags { text })?;
        self.desktop.person.hear(&event);
        Ok(())
    }
}
