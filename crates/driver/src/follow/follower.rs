//! The loop: asks a person for what the machine wants done, writes down what they say, and tells the
//! machine. It decides nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use nonevent_document::Timestamp;
use nonevent_rollout::{Command, Input, Next, Notice, Outcome, Run, Wait};
use nonevent_runbook::{Record, RecordOutcome};
use nonevent_strategy::{Action, Task};
use tokio::sync::mpsc;

use super::desk::{Desk, Means, Move, Taken, Talk};
use super::past::{Answered, Past, StepTime};
use super::person::{Aside, Countdown, Ledger, Person};
use super::question::{Answer, Question};
use super::words::Pages;
use crate::conduct::{Conducted, Order, Smoker};
use crate::error::{DriverError, DriverErrorKind};
use crate::event::Event;
use crate::flag_files::FlagFiles;
use crate::note::JournalNote;
use crate::window_watch::WindowWatch;
use crate::words::{Says, Word};

/// What is done from here, without a person's hands.
#[derive(Default)]
pub struct Automatic {
    /// Runs smoke suites at the service's own address.
    pub smoker: Option<Arc<dyn Smoker>>,
    /// The files of the plan's feature flags.
    pub flags: Option<FlagFiles>,
    /// Whether all of this is done without asking first.
    pub unasked: bool,
}

/// What is written on the runbook's page once something is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticked {
    /// The item's id.
    pub id: String,
    /// What became of it.
    pub record: Record,
}

/// Where all of it is kept and told.
pub struct Desktop<'a, P, L> {
    /// Whoever follows the runbook.
    pub person: &'a mut P,
    /// The journal.
    pub journal: &'a mut L,
    /// What is told from other terminals.
    pub orders: &'a mut mpsc::Receiver<Order>,
    /// The time.
    pub now: &'a dyn Fn() -> Timestamp,
    /// Ticks an item of the page; what goes wrong is told, and holds nothing up.
    pub ticks: &'a mut dyn FnMut(&Ticked) -> Result<(), String>,
    /// Who follows the runbook, if they said so.
    pub by: Option<String>,
    /// What is done from here.
    pub automatic: Automatic,
}

/// One rollout that is carried out by people.
pub struct Follower<'a, P, L> {
    pub(super) run: Run,
    pub(super) past: Past,
    pub(super) pages: Pages,
    talk: Talk,
    windows: WindowWatch,
    pub(super) queue: VecDeque<Input>,
    /// How long the last answer took, in milliseconds.
    pub(super) took_ms: u64,
    pub(super) desktop: Desktop<'a, P, L>,
}

/// What came first: an answer, or something from another terminal.
enum Heard<T> {
    Answer(T),
    Order(Option<Order>),
}

fn journal_error(error: &dyn std::fmt::Display) -> DriverError {
    DriverError::new(DriverErrorKind::Journal, error.to_string())
}

impl<'a, P: Person, L: Ledger> Follower<'a, P, L> {
    /// Somebody who follows `run`, of which `bytes` are the journal so far.
    ///
    /// # Errors
    /// The journal is damaged, or the plan has no runbook.
    pub fn new(
        run: Run,
        bytes: &[u8],
        desktop: Desktop<'a, P, L>,
    ) -> Result<Follower<'a, P, L>, DriverError> {
        let past = Past::read(bytes, run.plan())?;
        let pages = Pages::of(run.plan())?;
        let windows = WindowWatch::new(run.plan());
        Ok(Follower {
            run,
            past,
            pages,
            talk: Talk::default(),
            windows,
            queue: VecDeque::new(),
            took_ms: 0,
            desktop,
        })
    }

    /// The steps so far, by their place from 0.
    pub fn steps(&self) -> impl Iterator<Item = (u16, &StepTime)> {
        self.past.begun()
    }

    /// What the machine is in.
    #[must_use]
    pub const fn run(&self) -> &Run {
        &self.run
    }

    /// Follows the runbook from `first` to its end, or until it is left.
    ///
    /// # Errors
    /// The journal cannot be written: nothing more was asked.
    pub async fn follow(&mut self, first: Vec<Input>) -> Result<Conducted, DriverError> {
        self.queue.extend(first);
        self.look_at_windows();
        loop {
            while let Some(input) = self.queue.pop_front() {
                self.tell(&input)?;
            }
            let wait = match self.run.next() {
                Next::Done(outcome) => return Ok(Conducted::Ended(self.ended(outcome))),
                Next::Wait(wait) => wait,
            };
            let now = (self.desktop.now)();
            let left = match self.desk().next(&self.talk, now, wait) {
                Move::Ask(ask) => {
                    let place = self.desk().place();
                    let question = Question {
                        at: now,
                        place,
                        ask,
                    };
                    self.ask(question).await?
                }
                Move::Do(effect) => {
                    self.carry_out(effect).await?;
                    false
                }
                Move::Wait(wait) => self.wait(wait).await?,
            };
            if left {
                return Ok(Conducted::Detached);
            }
            self.look_at_windows();
        }
    }

    fn desk(&self) -> Desk<'_> {
        let automatic = &self.desktop.automatic;
        Desk {
            run: &self.run,
            past: &self.past,
            pages: &self.pages,
            means: Means {
                smoke: automatic.smoker.is_some(),
                flags: automatic.flags.is_some(),
                unasked: automatic.unasked,
            },
        }
    }

    fn ended(&mut self, outcome: Outcome) -> Outcome {
        let at = (self.desktop.now)();
        self.desktop.person.hear(&Event::Ended { at, outcome });
        outcome
    }

    fn look_at_windows(&mut self) {
        let seen = self.windows.look((self.desktop.now)());
        self.queue.extend(seen.map(Input::Window));
    }

    /// Tells the machine one thing, and keeps its answer.
    fn tell(&mut self, input: &Input) -> Result<(), DriverError> {
        let at = (self.desktop.now)();
        let update = self
            .run
            .handle(at, input)
            .map_err(|error| journal_error(&error))?;
        self.desktop.journal.append(&update.journal)?;
        self.past.input(input);
        if self.desk().step().is_none() {
            self.tick_back(at, input);
        }
        for notice in &update.notices {
            self.announce(at, *notice)?;
        }
        if let Some(effect) = update.effect {
            self.past.effect(effect);
            let refused = self.talk.refused;
            self.talk = Talk {
                refused,
                ..Talk::default()
            };
        }
        Ok(())
    }

    fn announce(&mut self, at: Timestamp, notice: Notice) -> Result<(), DriverError> {
        let began = self.past.begun().next_back().map(|(step, _)| step);
        self.note(at, &JournalNote::News { notice })?;
        let of = |step: u16| {
            let planned = self.run.plan().steps.get(usize::from(step));
            planned.map(|it| it.id.clone())
        };
        let step = match notice {
            Notice::StepBegan { step } | Notice::StepDone { step } => of(step),
            _ => None,
        };
        self.desktop
            .person
            .hear(&Event::Notice { at, step, notice });
        match notice {
            Notice::StepDone { step } => self.tick_step(step),
            Notice::StepBegan { .. } => self.talk = Talk::default(),
            Notice::Refused { effect } => self.talk.refused = Some(effect),
            Notice::RollbackBegan { reason } => {
                if let Some(step) = began.filter(|it| !self.is_done(*it)) {
                    self.tick_failed(step, &reason.to_string());
                }
            }
            Notice::Restored => self.tick_rollback(at, "route", RecordOutcome::Done, ""),
            _ => {}
        }
        Ok(())
    }

    fn is_done(&self, step: u16) -> bool {
        let time = self.past.steps.get(&step);
        time.is_some_and(|time| time.done.is_some())
    }

    pub(super) fn note(&mut self, at: Timestamp, note: &JournalNote) -> Result<(), DriverError> {
        let value = serde_json::to_value(note).map_err(|error| journal_error(&error))?;
        let line = self
            .run
            .note(at, value)
            .map_err(|error| journal_error(&error))?;
        self.desktop.journal.append(&[line])?;
        self.past.note(at, note);
        Ok(())
    }

    pub(super) fn trouble(&mut self, text: String) {
        let at = (self.desktop.now)();
        self.desktop.person.hear(&Event::Trouble { at, text });
    }

    /// The machine's clock did not run since `since`.
    fn stood_still(&mut self, since: Timestamp) -> Result<(), DriverError> {
        let now = (self.desktop.now)();
        let line = self
            .run
            .stood_still(since, now)
            .map_err(|error| journal_error(&error))?;
        match line {
            Some(line) => self.desktop.journal.append(&[line]),
            None => Ok(()),
        }
    }

    /// Asks, and takes the answer; true if everything is to be left as it is.
    async fn ask(&mut self, question: Question) -> Result<bool, DriverError> {
        let heard = tokio::select! {
            biased;
            order = self.desktop.orders.recv(), if !(self.desktop.orders.is_closed() && self.desktop.orders.is_empty()) => Heard::Order(order),
            answer = self.desktop.person.ask(&question) => Heard::Answer(answer),
        };
        self.stood_still(question.at)?;
        let answer = match heard {
            Heard::Answer(answer) => answer.bounded(),
            Heard::Order(order) => return self.order(order),
        };
        let at = (self.desktop.now)();
        if !question.takes(&answer) {
            self.trouble("that says nothing about what is asked".to_owned());
            return Ok(false);
        }
        let took_ms = u64::try_from(at.ms_since(question.at)).unwrap_or(0);
        self.took_ms = took_ms;
        let answered = Answered {
            asked: question.ask.name().to_owned(),
            effect: question.ask.effect(),
            answer: answer.clone(),
            by: self.desktop.by.clone(),
            took_ms,
        };
        let desk = Desk {
            run: &self.run,
            past: &self.past,
            pages: &self.pages,
            means: Means::default(),
        };
        let taken = desk.take(&mut self.talk, at, &question.ask, &answer);
        self.answered(at, answered)?;
        match taken {
            Taken::Left => return Ok(true),
            Taken::Told(inputs) => self.queue.extend(inputs),
            Taken::Do(effect) => self.carry_out(effect).await?,
            Taken::Says { by, granted } => self.says(at, by, granted)?,
        }
        Ok(false)
    }

    /// Lets time pass; true if everything is to be left as it is.
    async fn wait(&mut self, wait: Wait) -> Result<bool, DriverError> {
        let ends = Timestamp::from_unix_ms(wait.until_ms);
        let countdown = Countdown {
            place: self.desk().place(),
            reason: wait.reason,
            wakes: ends.min(self.run.clock_by()),
            ends,
        };
        let heard = tokio::select! {
            biased;
            order = self.desktop.orders.recv(), if !(self.desktop.orders.is_closed() && self.desktop.orders.is_empty()) => Heard::Order(order),
            aside = self.desktop.person.wait(&countdown) => Heard::Answer(aside),
        };
        let aside = match heard {
            Heard::Answer(aside) => aside,
            Heard::Order(order) => return self.order(order),
        };
        let Some(aside) = aside else {
            self.passed(wait);
            return Ok(false);
        };
        let (asked, answer, command) = match aside {
            Aside::Leave => ("wait", Answer::Leave, None),
            Aside::Back => ("wait", Answer::Back, Some(Command::Abort)),
            Aside::Promote => ("promote", Answer::Yes, Some(Command::Promote)),
            Aside::Pause => ("pause", Answer::Yes, Some(Command::Pause)),
        };
        let answered = Answered {
            asked: asked.to_owned(),
            effect: None,
            answer,
            by: self.desktop.by.clone(),
            took_ms: 0,
        };
        self.answered((self.desktop.now)(), answered)?;
        self.queue.extend(command.map(Input::Command));
        Ok(command.is_none())
    }

    fn answered(&mut self, at: Timestamp, answered: Answered) -> Result<(), DriverError> {
        let answered = Box::new(answered);
        self.note(at, &JournalNote::Answered { answered })
    }

    /// Time has passed. The end of a watch is looked at before the machine hears of it: else a watch
    /// without an analysis would be over without anybody's look.
    fn passed(&mut self, wait: Wait) {
        let watched = wait.reason == nonevent_rollout::WaitReason::Watch;
        let now = (self.desktop.now)();
        if !(watched && now.unix_ms() >= wait.until_ms) {
            self.queue.push_back(Input::Clock);
        }
    }

    /// Something was said at another terminal; true if everything is to be left as it is.
    fn order(&mut self, order: Option<Order>) -> Result<bool, DriverError> {
        match order {
            Some(Order::Detach) => return Ok(true),
            Some(Order::Command(Command::Abort)) if self.desk().step().is_some() => {
                let told = self.desk().back();
                self.queue.extend(told);
            }
            Some(Order::Command(command)) => self.queue.push_back(Input::Command(command)),
            Some(Order::Word(word)) => self.word(*word)?,
            Some(Order::Garbled(text)) => {
                self.trouble(format!("a word cannot be understood: {text}"));
            }
            None => {}
        }
        Ok(false)
    }

    fn says(&mut self, at: Timestamp, by: String, granted: bool) -> Result<(), DriverError> {
        let Some(step) = self.desk().step() else {
            return Ok(());
        };
        let plan = self.run.plan();
        let approval = match plan.steps.get(usize::from(step)).map(|it| &it.action) {
            Some(Action::Task(Task::Approve { approval })) => plan.approvals.get(approval),
            _ => None,
        };
        let counts_ms = approval.map_or(0, |it| it.timeout_ms.min(1 << 52));
        let counts_ms = i64::try_from(counts_ms).unwrap_or(i64::MAX);
        self.word(Word {
            plan: self.run.digest(),
            attempt: self.run.attempt(),
            step,
            by: Some(by),
            said: at,
            until: at.plus_ms(counts_ms),
            says: if granted { Says::Agrees } else { Says::Denies },
        })
    }

    /// Takes a word, if it counts.
    fn word(&mut self, word: Word) -> Result<(), DriverError> {
        let at = (self.desktop.now)();
        match word.input(&self.run, at, &self.past.heard) {
            Ok(input) => {
                let plan = self.run.plan();
                let step = plan.steps.get(usize::from(word.step));
                let step = step.map_or_else(String::new, |it| it.id.clone());
                let (by, says) = (word.by.clone(), word.says);
                let word = Box::new(word);
                self.note(at, &JournalNote::Said { word })?;
                let said = Event::Said { at, step, by, says };
                self.desktop.person.hear(&said);
                self.queue.push_back(input);
            }
            Err(refused) => {
                let by = word.by.as_deref().unwrap_or("somebody");
                self.trouble(format!("what {by} says does not count: {refused}"));
            }
        }
        Ok(())
    }
}

pub(crate) fn somebody() -> String {
    "somebody".to_owned()
}
