//! The conductor's dealings with people, and with the files of feature flags.

use nonevent_document::Timestamp;
use nonevent_rollout::{Effect, Extra, Input, TaskVerdict};
use nonevent_strategy::{Action, Task};

use crate::asked::Asked;
use crate::conduct::{Conductor, Loop};
use crate::error::DriverError;
use crate::event::Event;
use crate::fleet::Fleet;
use crate::note::JournalNote;
use crate::router_client::Router;
use crate::words::Word;

impl<R: Router, F: Fleet + 'static> Conductor<'_, R, F> {
    /// Tells people what they are asked for, whenever that is something else.
    pub(crate) fn ask(&mut self, now: &mut Loop, at: Timestamp) {
        let asked = Asked::of(&self.run);
        if now.asked == asked {
            return;
        }
        now.asked = asked;
        if let Some(asked) = now.asked.clone() {
            self.reporter.event(&Event::Asked { at, asked });
        }
    }

    /// Takes a word that somebody left, if it counts; else says why it does not.
    pub(crate) fn hear(&mut self, now: &mut Loop, word: Word) -> Result<(), DriverError> {
        let at = self.clock.now();
        let by = word.by.clone();
        match word.input(&self.run, at, &self.heard) {
            Ok(input) => {
                let plan = self.run.plan();
                let step = plan.steps.get(usize::from(word.step));
                let step = step.map_or_else(String::new, |it| it.id.clone());
                let says = word.says;
                self.heard.insert(word.digest());
                let word = Box::new(word);
                self.note(at, &JournalNote::Said { word })?;
                self.reporter.event(&Event::Said { at, step, by, says });
                now.queue.push_back(input);
            }
            Err(refused) => {
                let whose = by.map_or_else(String::new, |by| format!(" of {}", by.escape_debug()));
                let text = format!("a word{whose} does not count: {refused}");
                self.reporter.event(&Event::Trouble { at, text });
            }
        }
        Ok(())
    }

    /// Has the task of a step done. What people do is answered by them.
    pub(crate) fn task(
        &mut self,
        now: &mut Loop,
        at: Timestamp,
        step: u16,
    ) -> Result<(), DriverError> {
        let planned = self.run.plan().steps.get(usize::from(step));
        let done = match planned.map(|it| &it.action) {
            Some(Action::Task(Task::Manual { .. } | Task::Migrate { .. })) => return Ok(()),
            Some(Action::Task(Task::Flag {
                flag,
                stage,
                before,
                after,
            })) => {
                let planned = self.run.plan().flags.get(flag);
                let name = planned.map_or("", |it| it.file.name.as_str());
                let done = format!("{name} holds stage {stage} of flag {flag}");
                match (&self.flags, planned) {
                    (Some(files), Some(planned)) => files
                        .replace(planned, before, after)
                        .map(|()| done)
                        .map_err(|error| error.to_string()),
                    _ => Err("the folder of the flag files is not known".to_owned()),
                }
            }
            _ => Err("this is nothing that can be done here".to_owned()),
        };
        let verdict = match &done {
            Ok(_) => TaskVerdict::Done,
            Err(_) => TaskVerdict::Failed,
        };
        self.tell_of_flags(at, done)?;
        now.queue.push_back(Input::Task { step, verdict });
        Ok(())
    }

    /// Takes back what was set beside instances and traffic.
    pub(crate) async fn withdraw(
        &mut self,
        now: &mut Loop,
        at: Timestamp,
        extra: Extra,
    ) -> Result<(), DriverError> {
        if extra != Extra::Flags {
            let effect = Effect::Withdraw { extra };
            now.queue.extend(self.hands.carry_out(effect, at).await);
            return Ok(());
        }
        let killed = match &self.flags {
            Some(files) => files
                .kill(self.run.plan())
                .map_err(|error| error.to_string()),
            None => Err("the folder of the flag files is not known".to_owned()),
        };
        let gone = killed.is_ok();
        let text = |files: Vec<String>| match files.as_slice() {
            [] => "no flag file had been changed".to_owned(),
            files => format!("switched off in {}", files.join(", ")),
        };
        self.tell_of_flags(at, killed.map(text))?;
        now.queue.push_back(Input::Withdrawn { extra, gone });
        Ok(())
    }

    fn tell_of_flags(
        &mut self,
        at: Timestamp,
        done: Result<String, String>,
    ) -> Result<(), DriverError> {
        let (text, event) = match done {
            Ok(text) => (text.clone(), Event::Flags { at, text }),
            Err(text) => (text.clone(), Event::Trouble { at, text }),
        };
        self.note(at, &JournalNote::Flags { text })?;
        self.reporter.event(&event);
        Ok(())
    }
}
