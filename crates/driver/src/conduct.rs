//! The loop: waits for what happens, tells the machine, writes down what it says, and does it.
//!
//! It decides nothing. Everything it hears becomes an [`Input`]; every record of an [`Update`] is
//! synced before its effect leaves.

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use nonevent_document::{Digest, Timestamp};
use nonevent_rollout::{
    Command, Effect, Input, Judgement, Mode, Next, Notice, Outcome, Run, SmokeVerdict, Wait,
};
use nonevent_router::{Arm, Split};
use nonevent_strategy::{SmokeTarget, SuiteMoment};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::asked::Asked;
use crate::clock::Clock;
use crate::error::{DriverError, DriverErrorKind};
use crate::event::{Event, Reporter};
use crate::flag_files::FlagFiles;
use crate::fleet::Fleet;
use crate::hands::{Hands, Sight};
use crate::journal::JournalFile;
use crate::note::JournalNote;
use crate::router_client::Router;
use crate::view::Rates;
use crate::watcher::Watchers;
use crate::window_watch::WindowWatch;
use crate::words::Word;

/// How often router and fleet are looked at.
const LOOK_MS: u64 = 100;

/// Where a smoke suite is pointed.
#[derive(Clone, Debug)]
pub enum SmokePlace {
    /// The service's own address.
    Service,
    /// These instances, one after another.
    Instances(Vec<SocketAddr>),
}

/// How a smoke suite ended.
#[derive(Clone, Debug)]
pub struct Smoked {
    /// What the machine is told.
    pub verdict: SmokeVerdict,
    /// One line for people.
    pub text: String,
    /// The whole report, as evidence.
    pub report: serde_json::Value,
}

/// What runs smoke suites.
pub trait Smoker: Send + Sync {
    /// Runs the suite of that moment there; `version` is the one that should answer.
    fn smoke(
        &self,
        suite: SuiteMoment,
        place: SmokePlace,
        version: Arm,
    ) -> Pin<Box<dyn Future<Output = Smoked> + Send + '_>>;
}

/// What may be told to a running rollout from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// A person's decision.
    Command(Command),
    /// What somebody says of one step.
    Word(Box<Word>),
    /// Something that was left as a word and is none, and why.
    Garbled(String),
    /// Leave everything as it is; `nonevent resume` goes on.
    Detach,
}

/// How a loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conducted {
    /// The rollout is over.
    Ended(Outcome),
    /// It was left as it is.
    Detached,
}

/// One rollout being driven.
pub struct Conductor<'a, R, F> {
    /// The machine with its journal.
    pub run: Run,
    /// The journal on disk.
    pub journal: JournalFile,
    /// The hands.
    pub hands: Hands<R, F>,
    /// Runs smoke suites.
    pub smoker: Arc<dyn Smoker>,
    /// Compare the versions.
    pub watchers: Watchers,
    /// The files of the plan's feature flags, if it has any.
    pub flags: Option<FlagFiles>,
    /// Words that counted before, each of which counts once.
    pub heard: BTreeSet<Digest>,
    /// What is told from outside.
    pub orders: &'a mut mpsc::Receiver<Order>,
    /// Who is told.
    pub reporter: &'a mut dyn Reporter,
    /// The time.
    pub clock: Clock,
    /// Go back by itself once this step is done: a rehearsal.
    pub abort_after: Option<u16>,
    /// Whether somebody outside has said to go back.
    pub told_back: bool,
}

/// What the loop remembers between two turns; nothing of it decides.
#[derive(Default)]
pub(crate) struct Loop {
    pub(crate) queue: VecDeque<Input>,
    smoke: Option<(Effect, JoinHandle<Smoked>)>,
    windows: Option<WindowWatch>,
    pub(crate) sight: Option<Sight>,
    pub(crate) rates: Rates,
    pub(crate) viewed: Option<Timestamp>,
    pub(crate) remembered: Option<Timestamp>,
    pub(crate) counted: Option<(Timestamp, Split)>,
    /// When the present step began, as far as it was seen to.
    pub(crate) step_began: Option<Timestamp>,
    pub(crate) said: Option<Judgement>,
    pub(crate) asked: Option<Asked>,
    pub(crate) wait: Option<Wait>,
    clock_by: Option<Timestamp>,
    trouble: Option<String>,
}

impl Loop {
    /// Tells the machine of a change window that opened or closed.
    fn look_at_windows(&mut self, at: Timestamp) {
        let seen = self.windows.as_mut().and_then(|it| it.look(at));
        self.queue.extend(seen.map(Input::Window));
    }
}

impl<R: Router, F: Fleet + 'static> Conductor<'_, R, F> {
    /// Drives the rollout from `first` to its end, or until it is told to detach.
    ///
    /// # Errors
    /// The journal cannot be written: nothing more was done.
    pub async fn conduct(&mut self, first: Vec<Input>) -> Result<Conducted, DriverError> {
        let at = self.clock.now();
        let mut now = Loop {
            queue: VecDeque::from(first),
            windows: Some(WindowWatch::new(self.run.plan())),
            step_began: Some(at),
            ..Loop::default()
        };
        // Known before anything is done.
        now.look_at_windows(at);
        loop {
            while let Some(input) = now.queue.pop_front() {
                if let Some(outcome) = self.tell(&mut now, &input).await? {
                    let event = Event::Ended {
                        at: self.clock.now(),
                        outcome,
                    };
                    self.reporter.event(&event);
                    return Ok(Conducted::Ended(outcome));
                }
            }
            if self.wait(&mut now).await? {
                return Ok(Conducted::Detached);
            }
        }
    }

    /// Tells the machine one thing, and carries out its answer.
    async fn tell(
        &mut self,
        now: &mut Loop,
        input: &Input,
    ) -> Result<Option<Outcome>, DriverError> {
        let at = self.clock.now();
        let update = self
            .run
            .handle(at, input)
            .map_err(|error| DriverError::new(DriverErrorKind::Journal, error.to_string()))?;
        self.journal.append(&update.journal)?;
        for notice in &update.notices {
            self.announce(now, at, *notice)?;
        }
        if let Some(effect) = update.effect {
            if effect != Effect::Observe {
                self.reporter.event(&Event::Effect { at, effect });
            }
            self.start(now, effect, at).await?;
        }
        now.clock_by = Some(update.clock_by);
        self.ask(now, at);
        match update.next {
            Next::Wait(wait) => {
                now.wait = Some(wait);
                Ok(None)
            }
            Next::Done(outcome) => Ok(Some(outcome)),
        }
    }

    fn announce(
        &mut self,
        now: &mut Loop,
        at: Timestamp,
        notice: Notice,
    ) -> Result<(), DriverError> {
        self.note(at, &JournalNote::News { notice })?;
        let of = |step: u16| {
            self.run
                .plan()
                .steps
                .get(usize::from(step))
                .map(|it| it.id.clone())
        };
        let step = match notice {
            Notice::StepBegan { step } | Notice::StepDone { step } => of(step),
            _ => None,
        };
        self.reporter.event(&Event::Notice { at, step, notice });
        if matches!(notice, Notice::StepBegan { .. }) {
            now.step_began = Some(at);
        }
        if let Notice::StepDone { step } = notice
            && self.abort_after == Some(step)
        {
            now.queue.push_back(Input::Command(Command::Abort));
        }
        Ok(())
    }

    pub(crate) fn note(&mut self, at: Timestamp, note: &JournalNote) -> Result<(), DriverError> {
        let journal = |text: String| DriverError::new(DriverErrorKind::Journal, text);
        let note = serde_json::to_value(note).map_err(|error| journal(error.to_string()))?;
        let line = self
            .run
            .note(at, note)
            .map_err(|error| journal(error.to_string()))?;
        self.journal.append(&[line])
    }

    async fn start(
        &mut self,
        now: &mut Loop,
        effect: Effect,
        at: Timestamp,
    ) -> Result<(), DriverError> {
        if matches!(effect, Effect::Shift { .. })
            && let Some(counters) = self.hands.counters().await
        {
            self.note(at, &JournalNote::Counters { counters })?;
        }
        match effect {
            Effect::Smoke { target, suite } => self.smoke(now, at, target, suite).await,
            Effect::Task { step } => self.task(now, at, step)?,
            Effect::Withdraw { extra } => self.withdraw(now, at, extra).await?,
            _ => now.queue.extend(self.hands.carry_out(effect, at).await),
        }
        Ok(())
    }

    async fn smoke(
        &mut self,
        now: &mut Loop,
        at: Timestamp,
        target: SmokeTarget,
        suite: SuiteMoment,
    ) {
        let place = match target {
            SmokeTarget::Router => SmokePlace::Service,
            SmokeTarget::Canary => {
                // What was seen last may be older than the instances, and whoever has just taken
                // over has seen nothing.
                let sight = self.hands.look(at).await.ok();
                let ready = sight.or_else(|| now.sight.clone()).map(|sight| {
                    let ready = self.hands.ready(&sight.fleet, Arm::Canary, at);
                    ready.into_iter().map(|it| it.address).collect()
                });
                SmokePlace::Instances(ready.unwrap_or_default())
            }
        };
        let back = matches!(self.run.state().mode, Mode::Rollback { .. });
        let version = match (target, suite) {
            (SmokeTarget::Canary, _) => Arm::Canary,
            (SmokeTarget::Router, SuiteMoment::After) if !back => Arm::Canary,
            (SmokeTarget::Router, _) => Arm::Stable,
        };
        let smoker = Arc::clone(&self.smoker);
        let task = tokio::spawn(async move { smoker.smoke(suite, place, version).await });
        let effect = Effect::Smoke { target, suite };
        if let Some((_, before)) = now.smoke.replace((effect, task)) {
            before.abort();
        }
    }

    /// Waits for the next thing that happens; true if it is to be left as it is.
    async fn wait(&mut self, now: &mut Loop) -> Result<bool, DriverError> {
        let smoke_ended = async {
            match &mut now.smoke {
                Some((_, task)) => task.await.ok(),
                None => std::future::pending().await,
            }
        };
        let at = self.clock.now();
        let left_ms = now.clock_by.map_or(0, |by| by.ms_since(at));
        let pause_ms = u64::try_from(left_ms).unwrap_or(0).clamp(1, LOOK_MS);
        tokio::select! {
            biased;
            order = self.orders.recv() => match order {
                Some(Order::Command(command)) => {
                    self.told_back |= command == Command::Abort;
                    now.queue.push_back(Input::Command(command));
                }
                Some(Order::Word(word)) => self.hear(now, *word)?,
                Some(Order::Garbled(text)) => {
                    let text = format!("a word cannot be understood: {text}");
                    self.reporter.event(&Event::Trouble { at, text });
                }
                Some(Order::Detach) => return Ok(true),
                // Nobody is left to give orders: the rollout goes on by itself.
                None => sleep(Duration::from_millis(pause_ms)).await,
            },
            smoked = smoke_ended => self.smoked(now, smoked)?,
            () = sleep(Duration::from_millis(pause_ms)) => {}
        }
        // What was said waits for no router: it may be the word to go back.
        if now.queue.is_empty() {
            self.look(now).await?;
        }
        Ok(false)
    }

    fn smoked(&mut self, now: &mut Loop, smoked: Option<Smoked>) -> Result<(), DriverError> {
        let Some((Effect::Smoke { target, suite }, _)) = now.smoke.take() else {
            return Ok(());
        };
        let smoked = smoked.unwrap_or_else(|| Smoked {
            verdict: SmokeVerdict::Unavailable,
            text: "the smoke suite ended without a result".to_owned(),
            report: serde_json::Value::Null,
        });
        let at = self.clock.now();
        let Smoked {
            verdict,
            text,
            report,
        } = smoked;
        let target_name = match target {
            SmokeTarget::Router => "through the router",
            SmokeTarget::Canary => "on the new instances",
        };
        self.reporter.event(&Event::Smoke {
            at,
            target: target_name.to_owned(),
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
        now.queue.push_back(Input::Smoke(verdict));
        Ok(())
    }

    /// Looks at router, fleet and clock, and tells the machine what is new.
    async fn look(&mut self, now: &mut Loop) -> Result<(), DriverError> {
        let at = self.clock.now();
        now.look_at_windows(at);
        match self.hands.look(at).await {
            Ok(sight) => self.saw(now, at, sight)?,
            Err(input) => {
                now.queue.push_back(input);
                self.blind(now, at)?;
            }
        }
        for text in self.hands.take_troubles() {
            if now.trouble.as_ref() != Some(&text) {
                self.reporter.event(&Event::Trouble {
                    at,
                    text: text.clone(),
                });
                now.trouble = Some(text);
            }
        }
        if now.clock_by.is_some_and(|by| at >= by) {
            now.queue.push_back(Input::Clock);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
