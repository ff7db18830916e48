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

use crate::effect::{Effect, Next, Notice, Turn};
use crate::input::Input;
use crate::machine::{Machine, MachineError};
use crate::state::{Mode, State};

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
}

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
        let run = Run::around(machine, [approved, attempt], chain, epoch);
        Ok((run, JournalLine(line)))
    }

    fn around(
        machine: Machine,
        [digest, attempt]: [Digest; 2],
        chain: ChainWriter,
        epoch: u64,
    ) -> Run {
        let fence = Fence {
            epoch,
            generation: 0,
        };
        let next = match machine.state().mode {
            Mode::Done(outcome) => Next::Done(outcome),
            _ => Next::Wait(crate::Wait {
                until_ms: 0,
                reason: crate::WaitReason::Answer,
            }),
        };
        Run {
            machine,
            digest,
            attempt,
            chain,
            fence,
            next,
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
        let mut run = Run::around(machine, [digest, attempt], chain.writer, epoch);
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
                let Turn { effect, next, .. } = self.machine.handle(at.unix_ms(), input);
                self.fence.generation += u64::from(effect.is_some());
                *announced = effect.filter(Effect::changes);
                self.next = next;
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
    /// # Errors
    /// [`RunErrorKind::Journal`] if a record cannot be written as canonical JSON.
    pub fn handle(&mut self, now: Timestamp, input: &Input) -> Result<Update, RunError> {
        let before = self.clone();
        let turn = self.machine.handle(now.unix_ms(), input);
        self.next = turn.next;
        self.fence.generation += u64::from(turn.effect.is_some());
        match self.records(&before.machine, now, input, turn.effect) {
            Ok(journal) => Ok(Update {
                journal,
                effect: turn.effect,
                fence: self.fence,
                notices: turn.notices,
                next: turn.next,
            }),
            Err(error) => {
                // What is not in the journal has not happened.
                *self = before;
                Err(error)
            }
        }
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
