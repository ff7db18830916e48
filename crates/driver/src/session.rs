//! One deployment from its plan to its evidence.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    ArmFigures, PlanCheck, Predicate, Proof as ProofStatement, Rehearsal, RehearsalOutcome,
    RolloutOutcome, RolloutResult, Statement, StepFigures,
};
use nonevent_gates::{Context, EvidenceSet, Policy, Side, Tree, evaluate};
use nonevent_rollout::{
    Answer, FaultModel, Input, Outcome, Proof, ProofLimits, Reason, Run, Verified, prove,
};
use nonevent_router::Arm;
use nonevent_strategy::{Action, Plan};
use tokio::sync::mpsc;

use crate::archive::Archive;
use crate::clock::Clock;
use crate::conduct::{Conducted, Conductor, Order};
use crate::error::{DriverError, DriverErrorKind};
use crate::event::{Event, Reporter};
use crate::hands::Hands;
use crate::journal::JournalFile;
use crate::prepare::Prepared;
use crate::process::ProcessFleet;
use crate::site::{Binding, KeptRouter, Site, establish, leftovers};
use crate::state_dir::{Lock, StateDir};
use crate::suites::SmokeHand;
use crate::summary::{ArmSummary, Summary};
use crate::watcher::{Memory, Watcher};

/// What the person who deploys decided beforehand.
#[derive(Clone, Debug)]
pub struct DeployOptions {
    /// The label of the key that signs the evidence, if one has to be made.
    pub key_label: String,
    /// The gate policy's name and text, and the phase whose entry and exit are asked.
    pub gate: Option<(String, String, String)>,
    /// Whether the rollback is rehearsed on the target first.
    pub rehearse: bool,
    /// How many faults the proof combines.
    pub faults: FaultModel,
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
    site: Site,
    archive: Archive,
    hands: Option<Hands<KeptRouter, ProcessFleet>>,
}

/// What a run is conducted from.
struct Start {
    run: Run,
    journal: JournalFile,
    /// What the analysis had seen before; `None` if nothing.
    memory: Option<Memory>,
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
            memory: None,
            inputs: vec![Input::Clock],
            abort_after: None,
        }
    }
}

/// The file of the journal, before it is put away.
const JOURNAL: &str = "journal.jsonl";
const REHEARSAL: &str = "rehearsal.jsonl";
const RUNBOOK: &str = "runbook.md";

fn state_error(text: String) -> DriverError {
    DriverError::new(DriverErrorKind::State, text)
}

fn storage(what: &str, error: &dyn std::fmt::Display) -> DriverError {
    DriverError::new(DriverErrorKind::Storage, format!("{what}: {error}"))
}

impl Session {
    /// Takes the lock, puts a finished rollout away, and brings the target up with all replicas
    /// of the present version.
    ///
    /// # Errors
    /// Somebody else is at work, an unfinished rollout is there, or the target does not come up.
    pub async fn begin(
        state: &StateDir,
        prepared: &Prepared,
        binding: Binding,
        options: &DeployOptions,
    ) -> Result<Session, DriverError> {
        let lock = state.lock()?;
        put_away(state)?;
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
        binding.save(state)?;
        let text = serde_json::to_string_pretty(&prepared.plan)
            .map_err(|error| storage("the plan cannot be written", &error))?;
        state
            .write("plan.json", text.as_bytes())
            .map_err(|error| storage("the plan cannot be written", &error))?;
        let (plan, digest) = (prepared.plan.clone(), prepared.digest);
        let mut session = Session::open(state, lock, plan, digest, binding, options).await?;
        session.establish().await?;
        Ok(session)
    }

    /// Takes the lock of a state folder whose rollout was left, with its target as it stands.
    ///
    /// # Errors
    /// Somebody else is at work, or nothing was left.
    pub async fn resume(state: &StateDir, options: &DeployOptions) -> Result<Session, DriverError> {
        let lock = state.lock()?;
        let binding = Binding::load(state)?;
        let bytes = fs::read(state.path("plan.json"))
            .map_err(|error| state_error(format!("plan.json cannot be read: {error}")))?;
        let plan: Plan = serde_json::from_slice(&bytes)
            .map_err(|error| state_error(format!("plan.json cannot be understood: {error}")))?;
        let digest = plan
            .digest()
            .map_err(|error| state_error(error.to_string()))?;
        Session::open(state, lock, plan, digest, binding, options).await
    }

    async fn open(
        state: &StateDir,
        lock: Lock,
        plan: Plan,
        digest: Digest,
        binding: Binding,
        options: &DeployOptions,
    ) -> Result<Session, DriverError> {
        let site = Site::open(&binding, state).await?;
        let hands = site.hands(digest, plan.fleet.clone(), lock.epoch());
        Ok(Session {
            archive: Archive::open(state, &options.key_label)?,
            state: state.clone(),
            lock,
            clock: Clock::new(),
            plan,
            digest,
            binding,
            site,
            hands: Some(hands),
        })
    }

    /// Where the service answers.
    #[must_use]
    pub fn service(&self) -> std::net::SocketAddr {
        self.binding.service()
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The fleet.
    #[must_use]
    pub fn fleet(&self) -> &Arc<ProcessFleet> {
        &self.site.fleet
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
        let proof = self.prove(prepared, options, reporter)?;
        let page = self.runbook(&proof, reporter)?;
        if options.rehearse {
            self.rehearse(prepared, orders, reporter).await?;
            self.establish().await?;
        }
        if let Some(gate) = &options.gate
            && !self.gate(gate, Side::Entry, Some(page), prepared.shape, reporter)?
        {
            return Err(DriverError::new(
                DriverErrorKind::Gate,
                "the gate is closed: nothing was deployed",
            ));
        }
        let now = self.clock.now();
        let (run, line) = Run::begin(self.plan.clone(), self.digest, self.lock.epoch(), now)
            .map_err(|error| state_error(error.to_string()))?;
        let mut journal = JournalFile::create(&self.state.path(JOURNAL))?;
        journal.append(&[line])?;
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
        let memory = last_memory(&bytes);
        let start = Start {
            memory,
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
        let watcher = self
            .plan
            .analysis
            .as_ref()
            .map(|analysis| Watcher::new(analysis, start.memory));
        let mut conductor = Conductor {
            run: start.run,
            journal: start.journal,
            hands: self.hands.take().ok_or_else(busy)?,
            smoker,
            watcher,
            orders,
            reporter,
            clock: self.clock,
            abort_after: start.abort_after,
        };
        let conducted = conductor.conduct(start.inputs).await;
        self.hands = Some(conductor.hands);
        conducted
    }

    fn attest_check(&mut self, prepared: &Prepared) -> Result<(), DriverError> {
        let check = PlanCheck {
            plan: self.digest,
            shape: prepared.shape,
            errors: 0,
            warnings: prepared.checked.findings().len() as u64,
            checker: format!("nonevent {}", env!("CARGO_PKG_VERSION")),
            at: self.clock.now(),
        };
        self.attest("plan-check", Predicate::PlanCheck(check))
            .map(drop)
    }

    fn attest(&mut self, name: &str, predicate: Predicate) -> Result<Digest, DriverError> {
        self.archive
            .add(name, &Statement::about("plan", self.digest, predicate))
    }

    fn prove(
        &mut self,
        prepared: &Prepared,
        options: &DeployOptions,
        reporter: &mut dyn Reporter,
    ) -> Result<Proof, DriverError> {
        let began = Instant::now();
        let answer = prove(&self.plan, options.faults, ProofLimits::default())
            .map_err(|error| state_error(error.to_string()))?;
        let proof = match answer {
            Answer::Holds(proof) => proof,
            Answer::Refuted(example) => {
                return Err(DriverError::new(
                    DriverErrorKind::Disproved,
                    example.to_string(),
                ));
            }
            Answer::Undecided(undecided) => {
                return Err(DriverError::new(
                    DriverErrorKind::Undecided,
                    undecided.reason,
                ));
            }
        };
        reporter.event(&Event::Proved {
            states: proof.states,
            transitions: proof.transitions,
            faults: proof.faults,
            worst_recovery_ms: proof.worst_recovery_ms,
            took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        let statement = ProofStatement {
            plan: self.digest,
            shape: prepared.shape,
            decided: true,
            holds: proof.properties.iter().all(|it| it.holds),
            states: proof.states,
            transitions: proof.transitions,
            worst_recovery_ms: Some(proof.worst_recovery_ms),
            faults: FaultModel::FAULTS
                .iter()
                .map(|it| (*it).to_owned())
                .collect(),
            assumptions: FaultModel::ASSUMPTIONS
                .iter()
                .map(|it| (*it).to_owned())
                .collect(),
            at: self.clock.now(),
        };
        self.attest("proof", Predicate::Proof(statement))?;
        Ok(proof)
    }

    /// Goes forward until traffic has moved for the first time, and back: on the target itself,
    /// with the machine and the plan of the rollout.
    async fn rehearse(
        &mut self,
        prepared: &Prepared,
        orders: &mut mpsc::Receiver<Order>,
        reporter: &mut dyn Reporter,
    ) -> Result<(), DriverError> {
        let shifts = |action: &Action| matches!(action, Action::Shift { .. });
        let turn = self
            .plan
            .steps
            .iter()
            .position(|step| shifts(&step.action))
            .unwrap_or(0);
        let now = self.clock.now();
        let (run, line) = Run::begin(self.plan.clone(), self.digest, self.lock.epoch(), now)
            .map_err(|error| state_error(error.to_string()))?;
        let path = self.state.path(REHEARSAL);
        let mut journal = JournalFile::create(&path)?;
        journal.append(&[line])?;
        let start = Start {
            abort_after: u16::try_from(turn).ok(),
            ..Start::new(run, journal)
        };
        let mut quiet = Rehearsing { reporter };
        let conducted = self.conduct(start, orders, &mut quiet).await?;
        let summary = Summary::read(&path)?;
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
        };
        self.attest("rehearsal", Predicate::Rehearsal(statement))?;
        match (recovered, complete_ms, ended_ms) {
            (true, Some(restored_ms), Some(ended_ms)) => {
                quiet.reporter.event(&Event::Rehearsed {
                    restored_ms,
                    ended_ms,
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

    fn gate(
        &mut self,
        (name, text, phase): &(String, String, String),
        side: Side,
        runbook: Option<Digest>,
        shape: Digest,
        reporter: &mut dyn Reporter,
    ) -> Result<bool, DriverError> {
        let policy = Policy::parse(name, text.as_bytes()).map_err(|findings| {
            DriverError::new(
                DriverErrorKind::Findings,
                findings.render(name, text, false),
            )
        })?;
        let gate = policy.gate(phase, side).ok_or_else(|| {
            DriverError::new(
                DriverErrorKind::Input,
                format!("{name} has no phase {phase:?}"),
            )
        })?;
        let mut evidence = EvidenceSet::new(self.archive.own_trust());
        for (_, envelope) in self.archive.envelopes() {
            evidence.add(envelope.clone());
        }
        let context = Context {
            plan: Some(self.digest),
            shape: Some(shape),
            runbook,
            ..Context::at(self.clock.now())
        };
        let verdict = evaluate(&gate, &Tree::new(), &evidence, &context);
        let lines = verdict.to_text();
        reporter.event(&Event::Gate {
            gate: format!("{phase} {}", side.word()),
            open: verdict.is_passed(),
            label: self.archive.label().to_owned(),
            text: lines,
        });
        self.archive.add(
            &format!("gate-{}", side.word()),
            &verdict.to_statement("urn:nonevent:deploy"),
        )?;
        Ok(verdict.is_passed())
    }

    fn runbook(
        &mut self,
        proof: &Proof,
        reporter: &mut dyn Reporter,
    ) -> Result<Digest, DriverError> {
        let target = format!("embedded router on http://{}", self.binding.service());
        let runbook = crate::page::runbook(&self.plan, self.clock.now(), proof, target)?;
        let markdown = runbook.to_markdown();
        let page = Digest::of(markdown.as_bytes());
        for (name, text) in [(RUNBOOK, &markdown), ("runbook.html", &runbook.to_html())] {
            self.state
                .write(name, text.as_bytes())
                .map_err(|error| storage("the runbook cannot be written", &error))?;
        }
        let at = self.clock.now();
        let statement =
            nonevent_runbook::to_statement(self.digest, RUNBOOK, markdown.as_bytes(), at);
        self.archive.add("runbook", &statement)?;
        let path = self.state.path(RUNBOOK).display().to_string();
        reporter.event(&Event::Runbook { path, digest: page });
        Ok(page)
    }

    fn finish(
        &mut self,
        conducted: Conducted,
        options: &DeployOptions,
        shape: Digest,
        reporter: &mut dyn Reporter,
        client: &mut dyn Client,
    ) -> Result<Deployed, DriverError> {
        let summary = Summary::read(&self.state.path(JOURNAL))?;
        let Conducted::Ended(outcome) = conducted else {
            return Ok(Deployed {
                outcome: None,
                summary,
                gate_open: None,
            });
        };
        let figures = client.figures(summary.started, summary.finished);
        self.attest_smoke()?;
        let statement = rollout_statement(&summary, outcome, figures);
        self.attest("rollout", Predicate::Rollout(statement))?;
        let text = serde_json::to_string_pretty(&summary)
            .map_err(|error| storage("the summary cannot be written", &error))?;
        self.state
            .write("summary.json", text.as_bytes())
            .map_err(|error| storage("the summary cannot be written", &error))?;
        let page = fs::read(self.state.path(RUNBOOK))
            .ok()
            .map(|bytes| Digest::of(&bytes));
        let gate_open = match &options.gate {
            Some(gate) => Some(self.gate(gate, Side::Exit, page, shape, reporter)?),
            None => None,
        };
        Ok(Deployed {
            outcome: Some(outcome),
            summary,
            gate_open,
        })
    }

    /// The smoke reports in the journal, as evidence.
    fn attest_smoke(&mut self) -> Result<(), DriverError> {
        let bytes = fs::read(self.state.path(JOURNAL))
            .map_err(|error| storage("the journal cannot be read", &error))?;
        for (name, statement) in crate::summary::smoke_statements(&bytes, self.digest)? {
            self.archive.add(&name, &statement)?;
        }
        Ok(())
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

fn busy() -> DriverError {
    state_error("this session is already at work".to_owned())
}

/// Puts the files of a finished rollout into `history/`, under the time it began.
fn put_away(state: &StateDir) -> Result<(), DriverError> {
    let journal = state.path(JOURNAL);
    if journal.exists() {
        let summary = Summary::read(&journal)?;
        if !matches!(
            summary.outcome,
            Some(Outcome::Promoted | Outcome::RolledBack { .. })
        ) {
            return Err(state_error(format!(
                "the rollout of {} that began at {} has not ended: `nonevent resume` goes on with \
                 it, `nonevent abort` ends it",
                summary.to, summary.started
            )));
        }
    }
    let names = [
        JOURNAL,
        REHEARSAL,
        RUNBOOK,
        "runbook.html",
        "run.json",
        "plan.json",
        "summary.json",
        "evidence",
        "ledger.jsonl",
        "load.json",
    ];
    let present: Vec<PathBuf> = names
        .iter()
        .map(|name| state.path(name))
        .filter(|path| path.exists())
        .collect();
    if present.is_empty() {
        return Ok(());
    }
    let failed = |error: std::io::Error| storage("an earlier rollout cannot be put away", &error);
    let began = match Summary::read(&journal) {
        Ok(summary) => summary.started.unix_ms(),
        Err(_) => Clock::new().now().unix_ms(),
    };
    let dir = state.path("history").join(began.to_string());
    fs::create_dir_all(&dir).map_err(failed)?;
    for path in present {
        if let Some(name) = path.file_name() {
            fs::rename(&path, dir.join(name)).map_err(failed)?;
        }
    }
    Ok(())
}

fn last_memory(bytes: &[u8]) -> Option<Memory> {
    crate::summary::last_memory(bytes)
}

/// How a rollout ended, in words.
#[must_use]
pub fn outcome_text(summary: &Summary) -> String {
    match summary.outcome {
        Some(Outcome::Promoted) => format!("{} serves everything", summary.to),
        Some(Outcome::RolledBack { reason, verified }) => {
            let smoke = match verified {
                Verified::Passed => "the smoke suite passed afterwards",
                Verified::Failed => "the smoke suite FAILED afterwards",
                Verified::Unavailable => "the smoke suite could not be run afterwards",
                Verified::NotYet => "no smoke suite was run afterwards",
            };
            format!("back on {}: {reason}; {smoke}", summary.from)
        }
        Some(Outcome::Stuck { reason, at }) => {
            format!("stuck on the way back ({reason}): {at}; a person is needed")
        }
        None => format!(
            "not over, at {}",
            summary.at_step.as_deref().unwrap_or("its beginning")
        ),
    }
}

fn rollout_statement(
    summary: &Summary,
    outcome: Outcome,
    figures: Option<ClientFigures>,
) -> RolloutResult {
    let arm = |arm: &ArmSummary| ArmFigures {
        requests: arm.requests,
        errors: arm.errors,
        p99_ms: arm.p99_us.map(|us| us.div_ceil(1000)),
    };
    // Without clients of our own the router's counts are what is known.
    let figures = figures.unwrap_or_else(|| {
        let total = |of: fn(&ArmSummary) -> u64| {
            summary
                .stretches
                .iter()
                .map(|it| of(&it.stable) + of(&it.canary))
                .sum()
        };
        ClientFigures {
            requests: total(|it| it.requests),
            harmed: total(|it| it.errors),
            lost: 0,
        }
    });
    RolloutResult {
        plan: summary.plan,
        outcome: match outcome {
            Outcome::Promoted => RolloutOutcome::Promoted,
            Outcome::RolledBack { .. } => RolloutOutcome::RolledBack,
            Outcome::Stuck { .. } => RolloutOutcome::Stuck,
        },
        reason: outcome_text(summary),
        from_version: summary.from.clone(),
        to_version: summary.to.clone(),
        started: summary.started,
        finished: summary.finished,
        steps: summary
            .stretches
            .iter()
            .map(|it| StepFigures {
                name: format!("traffic {}", it.split),
                canary_weight: it.split.weight(Arm::Canary),
                started: it.started,
                ended: it.ended,
                stable: arm(&it.stable),
                canary: arm(&it.canary),
            })
            .collect(),
        requests: figures.requests,
        harmed: figures.harmed,
        lost: figures.lost,
        detect_ms: summary.detect_ms,
        recover_ms: summary.recover_ms,
        journal: summary.head,
        journal_records: summary.records,
    }
}

/// The plan as a table: number, step, split, stable, canary, longest time, way back.
#[must_use]
pub fn plan_table(plan: &Plan) -> Vec<PlanRow> {
    plan.steps
        .iter()
        .map(|step| PlanRow {
            step: step.id.clone(),
            traffic: step.target.split.to_string(),
            stable: step.target.stable,
            canary: step.target.canary,
            for_ms: match step.action {
                Action::Watch { for_ms, .. } => Some(for_ms),
                _ => None,
            },
            deadline_ms: step.deadline_ms,
            back_within_ms: step.back_within_ms,
        })
        .collect()
}

/// One row of [`plan_table`].
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanRow {
    /// The step's name.
    pub step: String,
    /// The canary's share once it is done.
    pub traffic: String,
    /// Stable instances once it is done.
    pub stable: u32,
    /// Canary instances once it is done.
    pub canary: u32,
    /// How long it watches.
    pub for_ms: Option<u64>,
    /// After how long it has failed.
    pub deadline_ms: u64,
    /// The bound on the way back from it.
    pub back_within_ms: u64,
}
