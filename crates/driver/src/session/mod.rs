//! One deployment from its plan to its evidence.

mod attest;
mod rehearsal;

pub(crate) use attest::rollout_statement;

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use nonevent_document::{Digest, Timestamp};
#[cfg(doc)]
use nonevent_gates::Context;
use nonevent_gates::{EvidenceSet, Policy, Side};
use nonevent_rollout::{FaultModel, Input, Outcome, Run};
use nonevent_strategy::Plan;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::ability::can_carry_out;
use crate::archive::Archive;
use crate::clock::Clock;
use crate::conduct::{Conducted, Conductor, Order};
use crate::error::{DriverError, DriverErrorKind};
use crate::event::{Event, Reporter};
use crate::fit::{begins_on, takes_over};
use crate::flag_files::{FlagContents, FlagFiles};
use crate::follow::{by_hand, followed_page};
use crate::glass::BreakingGlass;
use crate::hands::Hands;
use crate::journal::JournalFile;
use crate::prepare::Prepared;
use crate::process::ProcessFleet;
use crate::shelf::{put_away, refuse_unfinished};
use crate::signed_runbook::SignedRunbook;
use crate::site::{Binding, KeptRouter, Site, establish, leftovers};
use crate::state_dir::{Lock, StateDir};
use crate::suites::SmokeHand;
use crate::summary::{Left, Summary, left};
use crate::table::plan_table;
use crate::watcher::Watchers;

/// What the person who deploys decided beforehand.
#[derive(Clone, Debug)]
pub struct DeployOptions {
    /// The label of the key that signs the evidence, if one has to be made.
    pub key_label: String,
    /// The gate policy's name and text, and the phase whose entry and exit are asked.
    pub gate: Option<(String, String, String)>,
    /// The verdict of a gate that was asked elsewhere, if there has to be one.
    pub admission: Option<Admitting>,
    /// The page that people have signed, if there has to be one; it then is the runbook.
    pub runbook: Option<SignedRunbook>,
    /// The gates that are skipped, and by whom.
    pub break_glass: Option<BreakingGlass>,
    /// Whether the rollback is rehearsed on the target first.
    pub rehearse: bool,
    /// How many faults the proof combines.
    pub faults: FaultModel,
    /// How long clients run before anything is changed, so that there is something to compare
    /// with.
    pub settle_ms: u64,
}

/// A verdict that was signed elsewhere, to be verified again before anything is started and at the
/// moment of its use.
#[derive(Clone, Debug)]
pub struct Admitting {
    /// The policy that it must be by.
    pub policy: Policy,
    /// The phase whose entry gate must have been passed.
    pub phase: String,
    /// Where it is looked for, and whose signatures count.
    pub evidence: EvidenceSet,
    /// The source that is deployed, if that is known; see [`Context::commit`].
    pub commit: Option<Digest>,
    /// The artifact that is deployed, if that is known.
    pub artifact: Option<Digest>,
    /// How old it may be, in milliseconds.
    pub age_ms_max: u64,
}

/// What clients saw, by their own count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientFigures {
    /// Requests sent.
    pub requests: u64,
    /// Requests that got an error or no answer.
    pub harmed: u64,
    /// Requests that got no answer.
    pub lost: u64,
}

/// Somebody who sends requests and counts.
pub trait Client: Send {
    /// Begins to send requests to the service, which is up.
    ///
    /// # Errors
    /// It cannot begin.
    fn start(&mut self, service: SocketAddr) -> Result<(), DriverError>;

    /// What was counted between two moments.
    fn figures(&mut self, from: Timestamp, to: Timestamp) -> Option<ClientFigures>;
}

/// How a deployment ended.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// How, if it was not left running.
    pub outcome: Option<Outcome>,
    /// What the journal tells.
    pub summary: Summary,
    /// Whether the exit gate is open, if there is one.
    pub gate_open: Option<bool>,
}

/// A state folder that is locked, with its target up.
pub struct Session {
    state: StateDir,
    lock: Lock,
    clock: Clock,
    plan: Plan,
    digest: Digest,
    binding: Binding,
    archive: Archive,
    hands: Option<Hands<KeptRouter, ProcessFleet>>,
    /// Whether somebody said to go back while a run was conducted.
    told_back: bool,
}

/// What a run is conducted from.
struct Start {
    run: Run,
    journal: JournalFile,
    /// What the analyses had seen and people had said before.
    left: Left,
    /// What the machine is told first.
    inputs: Vec<Input>,
    /// The step after which a rehearsal turns back.
    abort_after: Option<u16>,
}

impl Start {
    /// From the beginning to the end.
    fn new(run: Run, journal: JournalFile) -> Start {
        Start {
            run,
            journal,
            left: Left::default(),
            inputs: vec![Input::Clock],
            abort_after: None,
        }
    }
}

/// The file of the journal, before it is put away.
pub(crate) const JOURNAL: &str = "journal.jsonl";
pub(crate) const REHEARSAL: &str = "rehearsal.jsonl";
pub(crate) const RUNBOOK: &str = "runbook.md";

pub(crate) fn state_error(text: String) -> DriverError {
    DriverError::new(DriverErrorKind::State, text)
}

pub(crate) fn storage(what: &str, error: &dyn std::fmt::Display) -> DriverError {
    DriverError::new(DriverErrorKind::Storage, format!("{what}: {error}"))
}

impl Session {
    /// Takes the lock and puts a finished rollout away; nothing is started yet.
    ///
    /// # Errors
    /// Somebody else is at work, or an unfinished rollout is there.
    pub fn begin(
        state: &StateDir,
        prepared: &Prepared,
        binding: Binding,
        options: &DeployOptions,
    ) -> Result<Session, DriverError> {
        can_carry_out(&prepared.plan)?;
        let documents = prepared.documents.clone();
        let flags = FlagContents::read(&prepared.plan, documents.as_deref())?;
        let lock = state.lock()?;
        refuse_unfinished(state)?;
        let found = leftovers(state)?;
        if !found.is_empty() {
            return Err(state_error(format!(
                "{} processes of an earlier run are still there ({}): end them with `nonevent \
                 cleanup`",
                found.len(),
                found
                    .iter()
                    .map(|it| it.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        }
        put_away(state)?;
        let binding = Binding {
            documents,
            ..binding
        };
        binding.save(state)?;
        flags.keep(state)?;
        let text = serde_json::to_string_pretty(&prepared.plan)
            .map_err(|error| storage("the plan cannot be written", &error))?;
        state
            .write("plan.json", text.as_bytes())
            .map_err(|error| storage("the plan cannot be written", &error))?;
        let (plan, digest) = (prepared.plan.clone(), prepared.digest);
        Session::open(state, lock, plan, digest, binding, options)
    }

    /// Takes the lock of a state folder whose rollout was left, with its target as it stands.
    ///
    /// # Errors
    /// Somebody else is at work, or nothing was left.
    pub async fn resume(state: &StateDir, options: &DeployOptions) -> Result<Session, DriverError> {
        let lock = state.lock()?;
        if let Some(page) = followed_page(state) {
            return Err(state_error(by_hand(&page)));
        }
        let binding = Binding::load(state)?;
        if ![JOURNAL, REHEARSAL]
            .iter()
            .any(|name| state.path(name).exists())
        {
            // Before anything is started for it.
            return Err(state_error(
                "no rollout had begun: there is nothing to go on with; what was started, if \
                 anything, is the present version, and `nonevent cleanup` ends it"
                    .to_owned(),
            ));
        }
        let bytes = fs::read(state.path("plan.json"))
            .map_err(|error| state_error(format!("plan.json cannot be read: {error}")))?;
        let plan: Plan = serde_json::from_slice(&bytes)
            .map_err(|error| state_error(format!("plan.json cannot be understood: {error}")))?;
        let digest = plan
            .digest()
            .map_err(|error| state_error(error.to_string()))?;
        let mut session = Session::open(state, lock, plan, digest, binding, options)?;
        session.bring_up().await?;
        Ok(session)
    }

    fn open(
        state: &StateDir,
        lock: Lock,
        plan: Plan,
        digest: Digest,
        binding: Binding,
        options: &DeployOptions,
    ) -> Result<Session, DriverError> {
        Ok(Session {
            archive: Archive::open(state, &options.key_label)?,
            state: state.clone(),
            lock,
            clock: Clock::new(),
            plan,
            digest,
            binding,
            hands: None,
            told_back: false,
        })
    }

    /// Finds the target as it stands, or starts its router.
    async fn bring_up(&mut self) -> Result<(), DriverError> {
        let site = Site::open(&self.binding, &self.state).await?;
        let numbers = self.plan.fleet.clone();
        self.hands = Some(site.hands(self.digest, numbers, self.lock.epoch()));
        Ok(())
    }

    /// Where the service answers.
    #[must_use]
    pub fn service(&self) -> SocketAddr {
        self.binding.service()
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The folder it works in.
    #[must_use]
    pub const fn state(&self) -> &StateDir {
        &self.state
    }

    async fn establish(&mut self) -> Result<(), DriverError> {
        let clock = self.clock;
        let hands = self.hands.as_mut().ok_or_else(busy)?;
        establish(hands, &self.plan.fleet, clock).await
    }

    async fn begins_on(&self, prepared: &Prepared) -> Result<(), DriverError> {
        let hands = self.hands.as_ref().ok_or_else(busy)?;
        begins_on(hands, &prepared.checked, &self.plan).await
    }

    /// The whole way: proof, runbook, rehearsal, entry gate, rollout, evidence, exit gate.
    ///
    /// # Errors
    /// What kept it from beginning; once it has begun, only a journal that cannot be written.
    pub async fn deploy(
        &mut self,
        prepared: &Prepared,
        options: &DeployOptions,
        orders: &mut mpsc::Receiver<Order>,
        reporter: &mut dyn Reporter,
        client: &mut dyn Client,
    ) -> Result<Deployed, DriverError> {
        let findings = prepared.checked.findings().clone();
        reporter.event(&Event::Checked { findings });
        reporter.event(&Event::Planned {
            plan: self.digest,
            steps: self.plan.steps.len(),
            table: plan_table(&self.plan),
        });
        self.attest_check(prepared)?;
        self.break_glass(options, reporter)?;
        self.look_for_signatures(options, reporter)?;
        let proof = self.prove(prepared, options, reporter)?;
        let page = self.runbook(&proof, options, reporter)?;
        self.look_for_verdict(options, reporter)?;
        // Only now is anything started.
        self.bring_up().await?;
        let hands = self.hands.as_ref().ok_or_else(busy)?;
        takes_over(hands, &prepared.checked, &self.plan).await?;
        self.establish().await?;
        client.start(self.service())?;
        sleep(Duration::from_millis(options.settle_ms)).await;
        if options.rehearse {
            self.begins_on(prepared).await?;
            self.rehearse(prepared, orders, reporter).await?;
            self.establish().await?;
        }
        if let Some(gate) = &options.gate
            && !self.gate(
                options,
                gate,
                Side::Entry,
                Some(page),
                prepared.shape,
                reporter,
            )?
        {
            return Err(DriverError::new(
                DriverErrorKind::Gate,
                "the gate is closed: nothing was deployed",
            ));
        }
        self.begins_on(prepared).await?;
        // Much may have happened since it was looked at: this is the moment at which it is used.
        self.look_for_verdict(options, reporter)?;
        let now = self.clock.now();
        let (run, line) = Run::begin(self.plan.clone(), self.digest, self.lock.epoch(), now)
            .map_err(|error| state_error(error.to_string()))?;
        let journal = JournalFile::create(&self.state.path(JOURNAL), &line)?;
        let start = Start::new(run, journal);
        let conducted = self.conduct(start, orders, reporter).await?;
        self.finish(conducted, options, prepared.shape, reporter, client)
    }

    /// Goes on with what was left: the rollout, or its rehearsal, back to where it began.
    ///
    /// # Errors
    /// Nothing was left, or a journal that cannot be read or written.
    pub async fn go_on(
        &mut self,
        first: Option<Input>,
        options: &DeployOptions,
        orders: &mut mpsc::Receiver<Order>,
        reporter: &mut dyn Reporter,
        client: &mut dyn Client,
    ) -> Result<Deployed, DriverError> {
        let name = if self.state.path(JOURNAL).exists() {
            JOURNAL
        } else {
            REHEARSAL
        };
        let path = self.state.path(name);
        let bytes = fs::read(&path).map_err(|_| {
            state_error("no rollout had begun: there is nothing to go on with".to_owned())
        })?;
        let (mut run, found) = Run::open(&bytes).map_err(|error| state_error(error.to_string()))?;
        let mut journal = JournalFile::reopen(&path, found.good_len)?;
        let now = self.clock.now();
        if let Some(torn) = found.torn_tail {
            let text = format!("the journal's last {torn} bytes were torn and have been cut off");
            reporter.event(&Event::Trouble { at: now, text });
        }
        let over = matches!(run.state().mode, nonevent_rollout::Mode::Done(outcome)
            if !matches!(outcome, Outcome::Stuck { .. }));
        if over && name == JOURNAL {
            let outcome = match run.state().mode {
                nonevent_rollout::Mode::Done(outcome) => outcome,
                _ => return Err(busy()),
            };
            return self.finish(
                Conducted::Ended(outcome),
                options,
                self.shape()?,
                reporter,
                client,
            );
        }
        let line = run
            .take_over(self.lock.epoch(), now)
            .map_err(|error| state_error(error.to_string()))?;
        journal.append(&[line])?;
        // A rehearsal whose process died goes straight back.
        let abort = name == REHEARSAL && first.is_none();
        let first = if abort {
            Some(Input::Command(nonevent_rollout::Command::Abort))
        } else {
            first
        };
        let start = Start {
            left: left(&bytes),
            inputs: [Input::Restarted].into_iter().chain(first).collect(),
            ..Start::new(run, journal)
        };
        let conducted = self.conduct(start, orders, reporter).await?;
        if name == REHEARSAL {
            let summary = Summary::read(&path)?;
            let outcome = match conducted {
                Conducted::Ended(outcome) => Some(outcome),
                Conducted::Detached => None,
            };
            return Ok(Deployed {
                outcome,
                summary,
                gate_open: None,
            });
        }
        self.finish(conducted, options, self.shape()?, reporter, client)
    }

    fn shape(&self) -> Result<Digest, DriverError> {
        self.plan
            .shape()
            .map_err(|error| state_error(error.to_string()))
    }

    async fn conduct(
        &mut self,
        start: Start,
        orders: &mut mpsc::Receiver<Order>,
        reporter: &mut dyn Reporter,
    ) -> Result<Conducted, DriverError> {
        let smoker = Arc::new(SmokeHand::new(&self.plan, &self.binding, self.clock)?);
        let documents = self.binding.documents.as_ref();
        let Left { memories, heard } = start.left;
        let mut conductor = Conductor {
            run: start.run,
            journal: start.journal,
            hands: self.hands.take().ok_or_else(busy)?,
            smoker,
            watchers: Watchers::new(&self.plan, memories),
            flags: documents.map(|it| FlagFiles::new(it, &self.state)),
            heard,
            orders,
            reporter,
            clock: self.clock,
            abort_after: start.abort_after,
            told_back: false,
        };
        let conducted = conductor.conduct(start.inputs).await;
        self.told_back = conductor.told_back;
        self.hands = Some(conductor.hands);
        conducted
    }
}

fn busy() -> DriverError {
    state_error("this session is already at work".to_owned())
}
