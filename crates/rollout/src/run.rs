//! A machine with its journal: what it was told, and what it was about to do.
//!
//! The journal holds the inputs that changed something. Feeding them to a fresh machine gives its
//! state exactly, and the intents between them must be the ones that this gives: a journal that
//! was written by other rules is refused instead of misread.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{ChainLimits, ChainWriter, read_chain};
use nonevent_router::Fence;
use nonevent_strategy::Plan;
use serde::{Deserialize, Serialize};

use crate::effect::{Effect, Next, Notice, Turn, Wait};
use crate::input::Input;
use crate::machine::{Machine, MachineError, next};
use crate::state::State;

/// One record of the journal, the body of one line of the hash chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// The first record: the plan itself, so that the journal alone suffices.
    Begin {
        /// The version of the journal's format.
        #[serde(rename = "apiVersion")]
        api_version: String,
        /// When.
        at: Timestamp,
        /// The plan.
        plan: Box<Plan>,
        /// Its digest, as approved.
        digest: Digest,
        /// Which controller wrote what follows.
        epoch: u64,
    },
    /// Another controller took over.
    Resumed {
        /// When.
        at: Timestamp,
        /// Which.
        epoch: u64,
    },
    /// The clock ran on while nobody looked; so much of it does not count as passed.
    Slept {
        /// When that was found out.
        at: Timestamp,
        /// Milliseconds.
        ms: u64,
    },
    /// Something happened that changed the state.
    Input {
        /// When.
        at: Timestamp,
        /// What.
        input: Input,
    },
    /// Something is about to be done; synced before it leaves.
    Intent {
        /// When.
        at: Timestamp,
        /// Orders it among all effects of this rollout.
        fence: Fence,
        /// What.
        effect: Effect,
    },
    /// Something worth keeping that decides nothing, in the words of whoever drives the machine.
    Note {
        /// When.
        at: Timestamp,
        /// What.
        note: serde_json::Value,
    },
}

/// One line of the journal, line break included; to be synced before anything else of its
/// [`Update`] is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLine(pub String);

/// What one input led to.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// To be written and synced first.
    pub journal: Vec<JournalLine>,
    /// To be done then.
    pub effect: Option<Effect>,
    /// Orders the effect among all others.
    pub fence: Fence,
    /// News for people.
    pub notices: Vec<Notice>,
    /// What comes then.
    pub next: Next,
    /// When [`Input::Clock`] is to be handed over at the latest, though nothing has happened: time
    /// counts only as long as somebody looks.
    pub clock_by: Timestamp,
}

/// What a journal held when it was opened again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// Bytes of a last line that was cut off while it was written, if there was one.
    pub torn_tail: Option<usize>,
    /// The length of the good part, to which the file must be cut before it is written again.
    pub good_len: usize,
    /// Records read.
    pub records: usize,
}

/// A machine with its journal.
#[derive(Clone, Debug)]
pub struct Run {
    machine: Machine,
    digest: Digest,
    attempt: Digest,
    chain: ChainWriter,
    fence: Fence,
    next: Next,
    /// The latest time that was handed over.
    last: Timestamp,
    /// What the machine's clock is behind, in milliseconds.
    slept_ms: i64,
}

/// The longest time between two inputs, in milliseconds.
const BEAT_MS: i64 = 30_000;
/// After so long without an input, nobody can have looked in between, in milliseconds.
const ASLEEP_MS: i64 = BEAT_MS + 60_000;
const API_VERSION: &str = "nonevent/v1";
/// The kind under which journals are chained.
pub const JOURNAL_KIND: &str = "rollout-journal";

impl Run {
    /// Begins a rollout; the line must be synced before the first input is handed over.
    ///
    /// # Errors
    /// [`RunErrorKind::Machine`] if the plan is not the approved one or contradicts itself.
    pub fn begin(
        plan: Plan,
        approved: Digest,
        epoch: u64,
        now: Timestamp,
    ) -> Result<(Run, JournalLine), RunError> {
        let plan = Arc::new(plan);
        let machine = Machine::new(Arc::clone(&plan), approved, now.unix_ms())?;
        let mut chain = ChainWriter::new(JOURNAL_KIND);
        let first = Record::Begin {
            api_version: String::from(API_VERSION),
            at: now,
            plan: Box::new(Plan::clone(&plan)),
            digest: approved,
            epoch,
        };
        let line = chain
            .append(&first)
            .map_err(|error| RunError::journal(error.to_string()))?;
        let attempt = chain.head();
        let run = Run::around(machine, [approved, attempt], chain, epoch, now);
        Ok((run, JournalLine(line)))
    }

    fn around(
        machine: Machine,
        [digest, attempt]: [Digest; 2],
        chain: ChainWriter,
        epoch: u64,
        began: Timestamp,
    ) -> Run {
        let fence = Fence {
            epoch,
            generation: 0,
        };
        let next = next(machine.plan(), machine.state(), began.unix_ms());
        Run {
            machine,
            digest,
            attempt,
            chain,
            fence,
            next,
            last: began,
            slept_ms: 0,
        }
    }

    /// Opens the journal of a rollout, as it stands on disk.
    ///
    /// # Errors
    /// [`RunErrorKind::Journal`] if it is damaged anywhere but in its last line, or was written by
    /// other rules; [`RunErrorKind::Machine`] if the plan in it is not what its digest says.
    pub fn open(bytes: &[u8]) -> Result<(Run, Resumed), RunError> {
        let chain = read_chain(JOURNAL_KIND, bytes, &ChainLimits::default())
            .map_err(|error| RunError::journal(error.to_string()))?;
        let resumed = Resumed {
            torn_tail: chain.torn_tail,
            good_len: chain.good_len,
            records: chain.records.len(),
        };
        let attempt = attempt_of(chain.records.first())?;
        let mut records = chain.records.into_iter().enumerate().map(|(number, body)| {
            serde_json::from_value::<Record>(body)
                .map(|record| (number, record))
                .map_err(|error| RunError::record(number, &error.to_string()))
        });
        let Some(first) = records.next().transpose()? else {
            return Err(RunError::journal(String::from("it has no record")));
        };
        let (
            _,
            Record::Begin {
                api_version,
                at,
                plan,
                digest,
                epoch,
            },
        ) = first
        else {
            return Err(RunError::record(0, "it does not begin a rollout"));
        };
        if api_version != API_VERSION {
            return Err(RunError::record(
                0,
                &format!("this version of the format is not known: {api_version:?}"),
            ));
        }
        let machine = Machine::new(Arc::from(plan), digest, at.unix_ms())?;
        let mut run = Run::around(machine, [digest, attempt], chain.writer, epoch, at);
        let mut announced: Option<Effect> = None;
        for record in records {
            let (number, record) = record?;
            run.fold(&record, &mut announced)
                .map_err(|text| RunError::record(number, &text))?;
        }
        Ok((run, resumed))
    }

    /// Takes one record in; `announced` is the effect whose intent must come next.
    fn fold(&mut self, record: &Record, announced: &mut Option<Effect>) -> Result<(), String> {
        match record {
            Record::Begin { .. } => return Err(String::from("a second beginning")),
            Record::Resumed { epoch, .. } => {
                if *epoch <= self.fence.epoch {
                    let before = self.fence.epoch;
                    return Err(format!("epoch {epoch} after epoch {before}"));
                }
                self.fence.epoch = *epoch;
                // The controller before this one may have died before it wrote its intent.
                *announced = None;
            }
            Record::Input { at, input } => {
                if let Some(effect) = announced.take() {
                    return Err(format!(
                        "the intent to {effect} is missing before it; this journal was written by \
                         other rules"
                    ));
                }
                let Turn { effect, .. } = self.turn(*at, input);
                *announced = effect.filter(Effect::changes);
            }
            Record::Slept { at, ms } => {
                self.last = *at;
                self.sleep(i64::try_from(*ms).unwrap_or(i64::MAX));
            }
            Record::Intent { fence, effect, .. } => {
                if announced.take() != Some(*effect) || *fence != self.fence {
                    return Err(format!(
                        "the intent to {effect} does not follow from the records before; this \
                         journal was written by other rules"
                    ));
                }
            }
            Record::Note { .. } => {}
        }
        Ok(())
    }

    /// Takes the rollout over with a new epoch; the line must be synced, then
    /// [`Input::Restarted`] handed over.
    ///
    /// # Errors
    /// [`RunErrorKind::Journal`] if `epoch` is not above all before.
    pub fn take_over(&mut self, epoch: u64, now: Timestamp) -> Result<JournalLine, RunError> {
        if epoch <= self.fence.epoch {
            return Err(RunError::journal(format!(
                "epoch {epoch} is not above epoch {}: somebody else took over",
                self.fence.epoch
            )));
        }
        self.fence.epoch = epoch;
        self.append(&Record::Resumed { at: now, epoch })
    }

    /// Tells the machine what happened.
    ///
    /// A clock that falls stands still until it is back where it was; one that jumps forward, or runs
    /// on for more than a minute past [`Update::clock_by`], as after a sleep of the whole machine, is
    /// taken to have stood still since the last input. A pause becomes longer by either, and never
    /// shorter.
    ///
    /// # Errors
    /// [`RunErrorKind::Journal`] if a record cannot be written as canonical JSON.
    pub fn handle(&mut self, now: Timestamp, input: &Input) -> Result<Update, RunError> {
        let before = self.clone();
        let update = self.told(now.max(self.last), input);
        if update.is_err() {
            // What is not in the journal has not happened.
            *self = before;
        }
        update
    }

    fn told(&mut self, now: Timestamp, input: &Input) -> Result<Update, RunError> {
        let mut journal = Vec::new();
        let slept_ms = self.slept(now, input);
        if slept_ms > 0 {
            self.sleep(slept_ms);
            let ms = slept_ms.unsigned_abs();
            journal.push(self.append(&Record::Slept { at: now, ms })?);
        }
        let before = self.machine.clone();
        let turn = self.turn(now, input);
        journal.extend(self.records(&before, now, input, turn.effect)?);
        Ok(Update {
            journal,
            effect: turn.effect,
            fence: self.fence,
            notices: turn.notices,
            next: self.next,
            clock_by: self.clock_by(),
        })
    }

    /// Lets the machine's clock stand still from `since` to `now`: time in which nothing was expected
    /// of machines, such as while a person was asked. Only what is bound to the calendar went on. The
    /// line must be synced before the next input is handed over; absent where no time has passed.
    ///
    /// Time before the last input has passed already and is not taken back.
    ///
    /// # Errors
    /// As [`Run::handle`].
    pub fn stood_still(
        &mut self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Option<JournalLine>, RunError> {
        let still_ms = now.ms_since(since.max(self.last));
        let Ok(ms) = u64::try_from(still_ms) else {
            return Ok(None);
        };
        if ms == 0 {
            return Ok(None);
        }
        let line = self.append(&Record::Slept { at: now, ms })?;
        self.last = now;
        self.sleep(still_ms);
        Ok(Some(line))
    }

    /// The machine's clock stands still for `ms`; what is bound to the calendar does not.
    fn sleep(&mut self, ms: i64) {
        self.slept_ms = self.slept_ms.saturating_add(ms);
        self.machine.slept(ms);
        if let Next::Wait(wait) = &mut self.next {
            wait.until_ms = wait.until_ms.saturating_add(ms);
        }
    }

    /// How much of the time that passed nobody can have looked. A restart begins every time anew.
    fn slept(&self, now: Timestamp, input: &Input) -> i64 {
        let gap_ms = now.ms_since(self.last);
        match *input {
            Input::Restarted => 0,
            _ if gap_ms <= ASLEEP_MS => 0,
            _ => gap_ms,
        }
    }

    /// See [`Update::clock_by`].
    #[must_use]
    pub fn clock_by(&self) -> Timestamp {
        let beat = self.last.plus_ms(BEAT_MS);
        match self.next {
            Next::Wait(wait) => beat
                .min(Timestamp::from_unix_ms(wait.until_ms))
                .max(self.last),
            Next::Done(_) => beat,
        }
    }

    /// One turn of the machine, on its own clock.
    fn turn(&mut self, now: Timestamp, input: &Input) -> Turn {
        let behind_ms = self.slept_ms;
        let now_ms = now.unix_ms().saturating_sub(behind_ms);
        let input = input.later_by(behind_ms.saturating_neg());
        let turn = self.machine.handle(now_ms, &input);
        self.last = now;
        self.fence.generation += u64::from(turn.effect.is_some());
        self.next = match turn.next {
            Next::Wait(wait) => Next::Wait(Wait {
                until_ms: wait.until_ms.saturating_add(behind_ms),
                ..wait
            }),
            done @ Next::Done(_) => done,
        };
        turn
    }

    /// What is to be written of a turn that led from `before` to the present state.
    fn records(
        &mut self,
        before: &Machine,
        at: Timestamp,
        input: &Input,
        effect: Option<Effect>,
    ) -> Result<Vec<JournalLine>, RunError> {
        let mut journal = Vec::new();
        if effect.is_some() || self.machine.state() != before.state() {
            journal.push(self.append(&Record::Input { at, input: *input })?);
        }
        if let Some(effect) = effect.filter(Effect::changes) {
            let fence = self.fence;
            journal.push(self.append(&Record::Intent { at, fence, effect })?);
        }
        Ok(journal)
    }

    /// A record that decides nothing.
    ///
    /// # Errors
    /// As [`Run::handle`].
    pub fn note(
        &mut self,
        now: Timestamp,
        note: serde_json::Value,
    ) -> Result<JournalLine, RunError> {
        self.append(&Record::Note { at: now, note })
    }

    fn append(&mut self, record: &Record) -> Result<JournalLine, RunError> {
        self.chain
            .append(record)
            .map(JournalLine)
            .map_err(|error| RunError::journal(error.to_string()))
    }

    /// The machine's state.
    #[must_use]
    pub const fn state(&self) -> &State {
        self.machine.state()
    }

    /// The plan it runs.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        self.machine.plan()
    }

    /// The plan's digest, as approved.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Names this very run: the hash of its journal's first record. Another run of the same plan has
    /// another, and this one the same whenever its journal is opened again.
    #[must_use]
    pub const fn attempt(&self) -> Digest {
        self.attempt
    }

    /// What a time of the [`State`] is by the clock: the machine's own stands still while nobody looks.
    #[must_use]
    pub const fn on_the_calendar(&self, state_ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(state_ms.saturating_add(self.slept_ms))
    }

    /// What the last turn said comes next.
    #[must_use]
    pub const fn next(&self) -> Next {
        self.next
    }

    /// The controller's epoch and the number of the last effect.
    #[must_use]
    pub const fn fence(&self) -> Fence {
        self.fence
    }
}

/// The hash under which the chain has the first record.
fn attempt_of(first: Option<&serde_json::Value>) -> Result<Digest, RunError> {
    let mut chain = ChainWriter::new(JOURNAL_KIND);
    if let Some(first) = first {
        let line = chain.append(first);
        let _ = line.map_err(|error| RunError::journal(error.to_string()))?;
    }
    Ok(chain.head())
}

/// What went wrong with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunErrorKind {
    /// The plan cannot be run.
    Machine,
    /// The journal cannot be read or written.
    Journal,
}

/// A run that cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError {
    kind: RunErrorKind,
    text: String,
}

impl RunError {
    fn journal(text: String) -> RunError {
        RunError {
            kind: RunErrorKind::Journal,
            text,
        }
    }

    /// Records are numbered from 0, as the `seq` of their lines is.
    fn record(number: usize, text: &str) -> RunError {
        RunError::journal(format!("record {number}: {text}"))
    }

    /// Which kind of fault it is.
    #[must_use]
    pub const fn kind(&self) -> RunErrorKind {
        self.kind
    }
}

impl From<MachineError> for RunError {
    fn from(error: MachineError) -> RunError {
        RunError {
            kind: RunErrorKind::Machine,
            text: error.to_string(),
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RunErrorKind::Machine => f.write_str(&self.text),
            RunErrorKind::Journal => write!(f, "the rollout's journal: {}", self.text),
        }
    }
}

impl core::error::Error for RunError {}
