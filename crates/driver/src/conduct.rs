//! The loop: waits for what happens, tells the machine, writes down what it says, and does it.
//!
//! It decides nothing. Everything it hears becomes an [`Input`]; every record of an [`Update`] is
//! synced before its effect leaves.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use nonevent_document::Timestamp;
use nonevent_rollout::{
    Command, Effect, Input, Judgement, Mode, Next, Notice, Outcome, Run, SmokeVerdict, Wait,
};
use nonevent_router::{Arm, Counters, Split};
use nonevent_strategy::{Action, SmokeTarget, SuiteMoment};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::error::{DriverError, DriverErrorKind};
use crate::event::{Event, Reporter};
use crate::fleet::Fleet;
use crate::hands::{Hands, Sight};
use crate::journal::JournalFile;
use crate::router_client::Router;
use crate::view::Rates;
use crate::watcher::{Watcher, judgement};

/// How often router and fleet are looked at.
const LOOK_MS: u64 = 100;
/// How often people are shown how things are.
const VIEW_MS: i64 = 250;
/// How often the memory of the analysis is written down.
const REMEMBER_MS: i64 = 1_000;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// A person's decision.
    Command(Command),
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

/// What the journal keeps beside the records that decide.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalNote {
    /// News.
    News {
        /// What.
        notice: Notice,
    },
    /// The router's counters, about once a second and at each change of the split.
    Counters {
        /// The counters.
        counters: Counters,
    },
    /// What the analysis remembers.
    Analysis {
        /// Its memory.
        memory: Box<crate::watcher::Memory>,
    },
    /// A verdict of the analysis that decided something, or was new.
    Verdict {
        /// In one sentence.
        reason: String,
        /// As the machine was told.
        judgement: Judgement,
    },
    /// A smoke report.
    Smoke {
        /// Which suite.
        suite: SuiteMoment,
        /// At whom.
        target: SmokeTarget,
        /// How it ended.
        verdict: SmokeVerdict,
        /// The report.
        report: serde_json::Value,
    },
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
    /// Compares the versions.
    pub watcher: Option<Watcher>,
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
struct Loop {
    queue: VecDeque<Input>,
    smoke: Option<(Effect, JoinHandle<Smoked>)>,
    sight: Option<Sight>,
    rates: Rates,
    viewed: Option<Timestamp>,
    remembered: Option<Timestamp>,
    counted: Option<(Timestamp, Split)>,
    said: Option<Judgement>,
    wait: Option<Wait>,
    clock_by: Option<Timestamp>,
    trouble: Option<String>,
}

impl<R: Router, F: Fleet + 'static> Conductor<'_, R, F> {
    /// Drives the rollout from `first` to its end, or until it is told to detach.
    ///
    /// # Errors
    /// The journal cannot be written: nothing more was done.
    pub async fn conduct(&mut self, first: Vec<Input>) -> Result<Conducted, DriverError> {
        let mut now = Loop {
            queue: VecDeque::from(first),
            ..Loop::default()
        };
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
        if let Notice::StepDone { step } = notice
            && self.abort_after == Some(step)
        {
            now.queue.push_back(Input::Command(Command::Abort));
        }
        Ok(())
    }

    fn note(&mut self, at: Timestamp, note: &JournalNote) -> Result<(), DriverError> {
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
        let Effect::Smoke { target, suite } = effect else {
            now.queue.extend(self.hands.carry_out(effect, at).await);
            return Ok(());
        };
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
        if let Some((_, before)) = now.smoke.replace((effect, task)) {
            before.abort();
        }
        Ok(())
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
                Some(Order::Detach) => return Ok(true),
                // Nobody is left to give orders: the rollout goes on by itself.
                None => sleep(Duration::from_millis(pause_ms)).await,
            },
            smoked = smoke_ended => self.smoked(now, smoked)?,
            () = sleep(Duration::from_millis(pause_ms)) => {}
        }
        self.look(now).await?;
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
        match self.hands.look(at).await {
            Ok(sight) => self.saw(now, at, sight)?,
            Err(input) => {
                now.queue.push_back(input);
                if let Some(verdict) = self.watcher.as_mut().and_then(|it| it.blind(at)) {
                    self.judged(now, at, &verdict)?;
                }
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

    fn saw(&mut self, now: &mut Loop, at: Timestamp, sight: Sight) -> Result<(), DriverError> {
        let router = self.hands.router_seen(&sight);
        let fleet = self.hands.fleet_seen(&sight);
        let state = self.run.state();
        if (state.traffic, state.quiet) != (Some(router.traffic()), router.canary_quiet) {
            now.queue.push_back(Input::Router(router));
        }
        if state.fleet != Some(fleet) {
            now.queue.push_back(Input::Fleet(fleet));
        }
        let step = self.watching();
        let verdict = self
            .watcher
            .as_mut()
            .and_then(|it| it.look(at, &sight.snapshot, step));
        if let Some(verdict) = verdict {
            self.judged(now, at, &verdict)?;
        }
        self.count(now, at, &sight)?;
        now.rates.add(at, &sight.snapshot);
        now.sight = Some(sight);
        if now
            .viewed
            .is_none_or(|viewed| at.ms_since(viewed) >= VIEW_MS)
        {
            now.viewed = Some(at);
            let view = now.rates.view(at, &self.run, router.split, fleet, now.wait);
            self.reporter.event(&Event::View(view));
        }
        Ok(())
    }

    /// Notes the counters now and then, and at the end of each split.
    fn count(&mut self, now: &mut Loop, at: Timestamp, sight: &Sight) -> Result<(), DriverError> {
        let split = sight.snapshot.split;
        let due = now
            .counted
            .is_none_or(|(when, before)| before != split || at.ms_since(when) >= REMEMBER_MS);
        if due {
            now.counted = Some((at, split));
            let counters = sight.snapshot.counters.clone();
            self.note(at, &JournalNote::Counters { counters })?;
        }
        Ok(())
    }

    /// The step that wants an analysis, if the rollout is at one.
    fn watching(&self) -> Option<u16> {
        let Mode::Forward { step, .. } = self.run.state().mode else {
            return None;
        };
        let action = &self.run.plan().steps.get(usize::from(step))?.action;
        matches!(action, Action::Watch { analyse: true, .. }).then_some(step)
    }

    fn judged(
        &mut self,
        now: &mut Loop,
        at: Timestamp,
        verdict: &nonevent_analysis::Verdict,
    ) -> Result<(), DriverError> {
        let Some(step) = self.watching() else {
            return Ok(());
        };
        let Some(analysis) = &self.run.plan().analysis else {
            return Ok(());
        };
        let said = judgement(verdict, &analysis.policy);
        now.queue.push_back(Input::Analysis {
            step,
            judgement: said,
        });
        if now.said != Some(said) {
            now.said = Some(said);
            let reason = verdict.reason.clone();
            self.note(
                at,
                &JournalNote::Verdict {
                    reason: reason.clone(),
                    judgement: said,
                },
            )?;
            self.reporter.event(&Event::Analysis {
                at,
                reason,
                judgement: said,
            });
        }
        let due = now
            .remembered
            .is_none_or(|when| at.ms_since(when) >= REMEMBER_MS);
        if let Some(watcher) = self.watcher.as_ref().filter(|_| due) {
            now.remembered = Some(at);
            let memory = Box::new(watcher.memory().clone());
            self.note(at, &JournalNote::Analysis { memory })?;
        }
        Ok(())
    }
}
