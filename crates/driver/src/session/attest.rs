//! What a session knows, as signed evidence; and the gates that ask for it.

use std::fs;
use std::time::Instant;

use nonevent_document::Digest;
use nonevent_evidence::{
    ArmFigures, PlanCheck, Predicate, Proof as ProofStatement, RolloutOutcome, RolloutResult,
    Statement, StepFigures,
};
use nonevent_gates::{Admission, Context, EvidenceSet, Policy, Side, Tree, evaluate};
use nonevent_rollout::{Answer, FaultModel, Outcome, Proof, ProofLimits, prove};
use nonevent_router::Arm;
use nonevent_runbook::page_digest;

use super::{
    Client, ClientFigures, DeployOptions, Deployed, JOURNAL, RUNBOOK, Session, state_error, storage,
};
use crate::conduct::Conducted;
use crate::error::{DriverError, DriverErrorKind};
use crate::event::{Event, Reporter};
use crate::prepare::Prepared;
use crate::summary::{ArmSummary, Summary, outcome_text};

impl Session {
    pub(super) fn attest_check(&mut self, prepared: &Prepared) -> Result<(), DriverError> {
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

    pub(super) fn attest(
        &mut self,
        name: &str,
        predicate: Predicate,
    ) -> Result<Digest, DriverError> {
        self.archive
            .add(name, &Statement::about("plan", self.digest, predicate))
    }

    pub(super) fn prove(
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

    /// Whether the gate is open, or skipped.
    pub(super) fn gate(
        &mut self,
        options: &DeployOptions,
        (name, text, phase): &(String, String, String),
        side: Side,
        runbook: Option<Digest>,
        shape: Digest,
        reporter: &mut dyn Reporter,
    ) -> Result<bool, DriverError> {
        if is_skipped(options, phase, side) {
            return Ok(true);
        }
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

    /// Signs which gates are skipped, before anything is done, and tells whoever watches.
    pub(super) fn break_glass(
        &self,
        options: &DeployOptions,
        reporter: &mut dyn Reporter,
    ) -> Result<(), DriverError> {
        let Some(glass) = &options.break_glass else {
            return Ok(());
        };
        let entry = options
            .admission
            .iter()
            .map(|it| format!("{}/entry", it.phase));
        let own = options.gate.iter();
        let own = own.flat_map(|(_, _, phase)| [format!("{phase}/entry"), format!("{phase}/exit")]);
        let gates: Vec<String> = entry.chain(own).collect();
        if let Some(unknown) = glass.gates.iter().find(|gate| !gates.contains(gate)) {
            let text = format!(
                "there is no gate {unknown} to skip; there are {}",
                gates.join(", ")
            );
            return Err(DriverError::new(DriverErrorKind::Input, text));
        }
        let plan = (self.digest, self.plan.environment.as_str());
        let evidence = glass.open(&self.state, plan, self.clock.now())?;
        reporter.event(&Event::GlassBroken {
            gates: glass.gates.clone(),
            person: glass.person.clone(),
            reason: glass.reason.clone(),
            evidence,
        });
        Ok(())
    }

    /// Refuses to go on without the verdict that there has to be.
    pub(super) fn look_for_verdict(
        &self,
        options: &DeployOptions,
        reporter: &mut dyn Reporter,
    ) -> Result<(), DriverError> {
        let Some(admitting) = &options.admission else {
            return Ok(());
        };
        if is_skipped(options, &admitting.phase, Side::Entry) {
            return Ok(());
        }
        let admission = Admission {
            policy: &admitting.policy,
            phase: &admitting.phase,
            subjects: Context {
                plan: Some(self.digest),
                commit: admitting.commit,
                artifact: admitting.artifact,
                ..Context::at(self.clock.now())
            },
            age_ms_max: admitting.age_ms_max,
        };
        let admitted = admission.look(&admitting.evidence).map_err(|refused| {
            let phase = &admitting.phase;
            DriverError::new(
                DriverErrorKind::Gate,
                format!(
                    "no verdict lets {phase} begin: {refused}; ask the gate again for what is \
                     deployed now, and sign what it says"
                ),
            )
        })?;
        reporter.event(&Event::Admitted {
            phase: admitting.phase.clone(),
            verdict: admitted.verdict,
            found: admitted.found,
        });
        Ok(())
    }

    /// Refuses to go on without the signatures that there have to be.
    pub(super) fn look_for_signatures(
        &self,
        options: &DeployOptions,
        reporter: &mut dyn Reporter,
    ) -> Result<(), DriverError> {
        let Some(runbook) = &options.runbook else {
            return Ok(());
        };
        let by = runbook.signers(&self.plan, self.digest)?;
        let page = page_digest(&runbook.page);
        reporter.event(&Event::Signed { page, by });
        Ok(())
    }

    pub(super) fn runbook(
        &mut self,
        proof: &Proof,
        options: &DeployOptions,
        reporter: &mut dyn Reporter,
    ) -> Result<Digest, DriverError> {
        let target = format!("embedded router on http://{}", self.binding.service());
        let runbook = crate::page::runbook(&self.plan, self.clock.now(), proof, target)?;
        let signed = options.runbook.as_ref().map(|it| it.page.clone());
        let markdown = signed.unwrap_or_else(|| runbook.to_markdown());
        let page = page_digest(&markdown);
        for (name, text) in [(RUNBOOK, &markdown), ("runbook.html", &runbook.to_html())] {
            self.state
                .write(name, text.as_bytes())
                .map_err(|error| storage("the runbook cannot be written", &error))?;
        }
        let at = self.clock.now();
        let statement = nonevent_runbook::to_statement(self.digest, RUNBOOK, &markdown, at);
        self.archive.add("runbook", &statement)?;
        let path = self.state.path(RUNBOOK).display().to_string();
        reporter.event(&Event::Runbook { path, digest: page });
        Ok(page)
    }

    pub(super) fn finish(
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
            .map(|bytes| page_digest(&String::from_utf8_lossy(&bytes)));
        let gate_open = match &options.gate {
            Some(gate) => Some(self.gate(options, gate, Side::Exit, page, shape, reporter)?),
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

fn is_skipped(options: &DeployOptions, phase: &str, side: Side) -> bool {
    let gate = format!("{phase}/{}", side.word());
    options
        .break_glass
        .as_ref()
        .is_some_and(|glass| glass.skips(&gate))
}

pub(crate) fn rollout_statement(
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
