//! What the workflow tells whoever watches it.

use nonevent_document::{Digest, Findings, Timestamp};
use nonevent_rollout::{Effect, Notice, Outcome, WaitReason};
use nonevent_router::Split;
use serde::Serialize;

use crate::asked::Asked;
use crate::words::Says;

/// One thing worth telling. On `--json` each is one line.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The document was read and checked.
    Checked {
        /// Warnings and notes.
        findings: Findings,
    },
    /// There is a plan.
    Planned {
        /// Its digest.
        plan: Digest,
        /// How many steps it has.
        steps: usize,
        /// What each step does.
        table: Vec<crate::table::PlanRow>,
    },
    /// Every run of the plan is safe.
    Proved {
        /// States searched.
        states: u64,
        /// Transitions searched.
        transitions: u64,
        /// Faults that could combine.
        faults: u8,
        /// The worst time to recover.
        worst_recovery_ms: u64,
        /// How long the search took.
        took_ms: u64,
    },
    /// The runbook was written.
    Runbook {
        /// Where.
        path: String,
        /// What is signed of it; see `nonevent_runbook::page_digest`.
        digest: Digest,
    },
    /// The runbook is signed, as it stands, by everybody who has to.
    Signed {
        /// What they signed; see `nonevent_runbook::page_digest`.
        page: Digest,
        /// Who, each with the role.
        by: Vec<String>,
    },
    /// The rollback was rehearsed.
    Rehearsed {
        /// From the word to go back until stable served everything.
        restored_ms: u64,
        /// From the word to go back until the end.
        ended_ms: u64,
        /// The step before which it turned, without having moved traffic; absent if traffic was
        /// moved.
        #[serde(skip_serializing_if = "Option::is_none")]
        short_of: Option<String>,
    },
    /// A gate was asked.
    Gate {
        /// Which phase and side of it.
        gate: String,
        /// Whether it is open.
        open: bool,
        /// The label of the key that signed the evidence.
        label: String,
        /// Its criteria with their reasons, and the result.
        text: String,
    },
    /// Somebody had gates skipped; it stays open until somebody else has reviewed it.
    GlassBroken {
        /// The gates, as `PHASE/entry` or `PHASE/exit`.
        gates: Vec<String>,
        /// Who.
        person: String,
        /// Why.
        reason: String,
        /// The digest of the signed envelope.
        evidence: Digest,
    },
    /// A verdict that was signed elsewhere lets it begin.
    Admitted {
        /// The phase that it lets begin.
        phase: String,
        /// The digest of the signed envelope.
        verdict: Digest,
        /// By whom, and how old, in words.
        found: String,
    },
    /// Something the machine says.
    Notice {
        /// When.
        at: Timestamp,
        /// The step it is at, by name.
        step: Option<String>,
        /// What.
        notice: Notice,
    },
    /// Something is about to be done.
    Effect {
        /// When.
        at: Timestamp,
        /// What.
        effect: Effect,
    },
    /// A smoke suite has ended.
    Smoke {
        /// When.
        at: Timestamp,
        /// Where it was pointed.
        target: String,
        /// How it ended.
        passed: bool,
        /// One line.
        text: String,
    },
    /// The analysis said something new.
    Analysis {
        /// When.
        at: Timestamp,
        /// What, in one sentence with the figures.
        reason: String,
        /// `pass`, `fail`, `inconclusive`, `no_data`, `environment_unhealthy`.
        judgement: nonevent_rollout::Judgement,
    },
    /// People are asked for something before it goes on.
    Asked {
        /// When.
        at: Timestamp,
        /// What, of whom, and until when.
        asked: Asked,
    },
    /// Somebody said something that counts.
    Said {
        /// When it was heard.
        at: Timestamp,
        /// The step that it is about, by name.
        step: String,
        /// Who, if they said so.
        by: Option<String>,
        /// What.
        says: Says,
    },
    /// Flag files were replaced.
    Flags {
        /// When.
        at: Timestamp,
        /// Which, and by what.
        text: String,
    },
    /// Something went wrong that will be tried again or is only worth knowing.
    Trouble {
        /// When.
        at: Timestamp,
        /// What.
        text: String,
    },
    /// How things are, a few times a second.
    View(View),
    /// The rollout is over.
    Ended {
        /// When.
        at: Timestamp,
        /// How.
        outcome: Outcome,
    },
}

/// How things are at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// When.
    pub at: Timestamp,
    /// The step, by name; absent on the way back.
    pub step: Option<String>,
    /// Its number, from 1, and how many there are.
    pub position: Option<(usize, usize)>,
    /// The split in force.
    pub split: Split,
    /// Stable.
    pub stable: ArmView,
    /// The canary.
    pub canary: ArmView,
    /// What is awaited.
    pub awaits: Option<WaitReason>,
    /// For how long at most.
    pub left_ms: Option<u64>,
    /// Whether it is going back, and why.
    pub back: Option<String>,
}

/// One version at one moment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ArmView {
    /// Instances that are ready.
    pub ready: u16,
    /// Instances that exist.
    pub present: u16,
    /// Requests per second over the last second or so.
    pub rate: f64,
    /// Errors among them, as a share.
    pub error_rate: Option<f64>,
    /// p99 to the first byte, in milliseconds: the upper bound of its bucket.
    pub p99_ms: Option<f64>,
}

/// Hears what the workflow tells.
pub trait Reporter: Send {
    /// One event; must not block for long.
    fn event(&mut self, event: &Event);
}

/// Hears nothing.
pub struct Silent;

impl Reporter for Silent {
    fn event(&mut self, _event: &Event) {}
}
