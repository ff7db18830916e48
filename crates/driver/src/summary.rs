//! What a rollout did, told by its journal alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{ChainLimits, SmokePhase, Statement, Subject, read_chain};
use nonevent_rollout::{Judgement, Mode, Notice, Outcome, Record, Run, Verified};
use nonevent_router::{Arm, ArmChange, Counters, Split};
use nonevent_smoke::Report;
use nonevent_strategy::{Plan, SmokeTarget, StrategyKind, SuiteMoment};
use serde::{Deserialize, Serialize};

use crate::error::{DriverError, DriverErrorKind};
use crate::note::JournalNote;
use crate::watcher::Memory;

/// What a rollout did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The plan's digest.
    pub plan: Digest,
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The strategy.
    pub strategy: StrategyKind,
    /// The version before.
    pub from: String,
    /// The version after, had it been promoted.
    pub to: String,
    /// When it began.
    pub started: Timestamp,
    /// When the last record was written.
    pub finished: Timestamp,
    /// How it ended; absent while it runs, or if nobody goes on with it.
    pub outcome: Option<Outcome>,
    /// The last verdict of the analysis that was noted, in its own words.
    pub verdict: Option<(Judgement, String)>,
    /// Where it stands, if it has not ended.
    pub at_step: Option<String>,
    /// The times in which the split did not change.
    pub stretches: Vec<Stretch>,
    /// From the canary's first request until the decision to go back.
    pub detect_ms: Option<u64>,
    /// When it was decided to go back.
    pub decided: Option<Timestamp>,
    /// From that decision until stable served everything.
    pub recover_ms: Option<u64>,
    /// Requests that smoke suites sent through the router.
    pub smoke_requests: u64,
    /// How often a controlling process took over.
    pub resumed: u64,
    /// Records in the journal.
    pub records: u64,
    /// The last record's digest.
    pub head: Digest,
}

/// A time in which the split did not change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stretch {
    /// What it was.
    pub split: Split,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Stable's requests.
    pub stable: ArmSummary,
    /// The canary's.
    pub canary: ArmSummary,
}

/// One version in one stretch, by the router's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArmSummary {
    /// Requests.
    pub requests: u64,
    /// Errors among them.
    pub errors: u64,
    /// p99 to the first byte in microseconds, the upper bound of its bucket.
    pub p99_us: Option<u64>,
}

impl From<&ArmChange> for ArmSummary {
    fn from(change: &ArmChange) -> ArmSummary {
        ArmSummary {
            requests: change.requests,
            errors: change.errors,
            // Answers to requests from before are not this stretch's.
            p99_us: (change.requests > 0)
                .then(|| change.latency.quantile_us(9_900))
                .flatten(),
        }
    }
}

impl Summary {
    /// Reads a journal.
    ///
    /// # Errors
    /// It is not there, or damaged.
    pub fn read(path: &Path) -> Result<Summary, DriverError> {
        let bytes = std::fs::read(path).map_err(|error| {
            DriverError::new(
                DriverErrorKind::State,
                format!("no journal {}: {error}", path.display()),
            )
        })?;
        Summary::of(&bytes)
    }

    /// What the journal in `bytes` tells.
    ///
    /// # Errors
    /// It is damaged.
    pub fn of(bytes: &[u8]) -> Result<Summary, DriverError> {
        let damaged = |text: String| DriverError::new(DriverErrorKind::Journal, text);
        let (run, _) = Run::open(bytes).map_err(|error| damaged(error.to_string()))?;
        let chain = read_chain(
            nonevent_rollout::JOURNAL_KIND,
            bytes,
            &ChainLimits::default(),
        )
        .map_err(|error| damaged(error.to_string()))?;
        let records = chain.records.len() as u64;
        let head = chain.writer.head();
        let records_read: Vec<Record> = chain
            .records
            .into_iter()
            .map(serde_json::from_value)
            .collect::<Result<_, _>>()
            .map_err(|error| damaged(format!("a record cannot be understood: {error}")))?;
        let mut teller = Teller::new(run.plan());
        for record in records_read {
            teller.hear(record);
        }
        Ok(teller.summary(&run, records, head))
    }
}

/// Goes through the records in order.
struct Teller<'a> {
    plan: &'a Plan,
    started: Timestamp,
    last: Timestamp,
    resumed: u64,
    split: Split,
    since: Timestamp,
    counters: Option<Counters>,
    latest: Option<Counters>,
    stretches: Vec<Stretch>,
    exposed: Option<Timestamp>,
    decided: Option<Timestamp>,
    restored: Option<Timestamp>,
    verdict: Option<(Judgement, String)>,
    smoke_requests: u64,
}

impl<'a> Teller<'a> {
    fn new(plan: &'a Plan) -> Teller<'a> {
        let epoch = Timestamp::from_unix_ms(0);
        Teller {
            plan,
            started: epoch,
            last: epoch,
            resumed: 0,
            split: plan.origin().split,
            since: epoch,
            counters: None,
            latest: None,
            stretches: Vec::new(),
            exposed: None,
            decided: None,
            restored: None,
            verdict: None,
            smoke_requests: 0,
        }
    }

    fn hear(&mut self, record: Record) {
        match record {
            Record::Begin { at, .. } => {
                (self.started, self.since, self.last) = (at, at, at);
            }
            Record::Resumed { at, .. } => {
                self.resumed += 1;
                self.last = at;
            }
            Record::Input { at, input } => {
                self.last = at;
                if let nonevent_rollout::Input::Router(seen) = input {
                    self.saw(at, seen.split);
                }
            }
            Record::Intent { at, .. } | Record::Slept { at, .. } => self.last = at,
            Record::Note { at, note } => {
                self.last = at;
                if let Ok(note) = serde_json::from_value(note) {
                    self.note(at, note);
                }
            }
        }
    }

    fn note(&mut self, at: Timestamp, note: JournalNote) {
        match note {
            JournalNote::News { notice } => match notice {
                Notice::RollbackBegan { .. } if self.decided.is_none() => self.decided = Some(at),
                Notice::Restored if self.restored.is_none() => self.restored = Some(at),
                _ => {}
            },
            JournalNote::Verdict { reason, judgement } => self.verdict = Some((judgement, reason)),
            JournalNote::Counters { counters } => {
                self.counters.get_or_insert_with(|| counters.clone());
                self.latest = Some(counters);
            }
            JournalNote::Smoke {
                target: SmokeTarget::Router,
                report,
                ..
            } => {
                let report = serde_json::from_value::<Report>(report);
                self.smoke_requests +=
                    report.map_or(0, |report| report.summary.counts.tests as u64);
            }
            JournalNote::Analysis { .. }
            | JournalNote::Smoke { .. }
            | JournalNote::Said { .. }
            | JournalNote::Answered { .. }
            | JournalNote::Flags { .. } => {}
        }
    }

    fn saw(&mut self, at: Timestamp, split: Split) {
        if split == self.split {
            return;
        }
        self.close(at);
        self.split = split;
        self.since = at;
        if split.weight(Arm::Canary) > 0 {
            self.exposed.get_or_insert(at);
        }
    }

    fn close(&mut self, at: Timestamp) {
        let change = match (&self.counters, &self.latest) {
            (Some(first), Some(last)) => last.since(first).unwrap_or_default(),
            _ => nonevent_router::CountersChange::default(),
        };
        self.stretches.push(Stretch {
            split: self.split,
            started: self.since,
            ended: at,
            stable: ArmSummary::from(&change.stable),
            canary: ArmSummary::from(&change.canary),
        });
        self.counters = self.latest.clone();
    }

    fn summary(mut self, run: &Run, records: u64, head: Digest) -> Summary {
        self.close(self.last);
        let between = |from: Option<Timestamp>, to: Option<Timestamp>| {
            u64::try_from(to?.ms_since(from?)).ok()
        };
        let (outcome, at_step) = match run.state().mode {
            Mode::Done(outcome) => (Some(outcome), None),
            Mode::Forward { step, .. } => (
                None,
                self.plan
                    .steps
                    .get(usize::from(step))
                    .map(|it| it.id.clone()),
            ),
            Mode::Rollback { .. } => (None, Some("rollback".to_owned())),
        };
        Summary {
            plan: run.digest(),
            service: self.plan.service.clone(),
            environment: self.plan.environment.clone(),
            strategy: self.plan.strategy,
            from: self.plan.release.from.clone(),
            to: self.plan.release.to.clone(),
            started: self.started,
            finished: self.last,
            outcome,
            verdict: self.verdict,
            at_step,
            stretches: self.stretches,
            detect_ms: between(self.exposed, self.decided),
            decided: self.decided,
            recover_ms: between(self.decided, self.restored),
            smoke_requests: self.smoke_requests,
            resumed: self.resumed,
            records,
            head,
        }
    }
}

/// The notes of a journal, in order.
fn notes(bytes: &[u8]) -> Result<Vec<JournalNote>, DriverError> {
    let chain = read_chain(
        nonevent_rollout::JOURNAL_KIND,
        bytes,
        &ChainLimits::default(),
    )
    .map_err(|error| DriverError::new(DriverErrorKind::Journal, error.to_string()))?;
    let note = |body| match serde_json::from_value(body) {
        Ok(Record::Note { note, .. }) => serde_json::from_value(note).ok(),
        _ => None,
    };
    Ok(chain.records.into_iter().filter_map(note).collect())
}

/// What a journal holds for whoever goes on with it.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// What each analysis remembered last, by name.
    pub(crate) memories: BTreeMap<Option<String>, Memory>,
    /// The words that counted.
    pub(crate) heard: BTreeSet<Digest>,
}

/// What the journal in `bytes` holds for whoever goes on with it; nothing if it is damaged.
pub(crate) fn left(bytes: &[u8]) -> Left {
    let mut left = Left::default();
    for note in notes(bytes).unwrap_or_default() {
        match note {
            JournalNote::Analysis { memory, name } => {
                left.memories.insert(name, *memory);
            }
            JournalNote::Said { word } => {
                left.heard.insert(word.digest());
            }
            _ => {}
        }
    }
    left
}

/// The smoke reports of a journal as statements about the plan, with names for their files.
pub(crate) fn smoke_statements(
    bytes: &[u8],
    plan: Digest,
) -> Result<Vec<(String, Statement)>, DriverError> {
    let mut back = false;
    let mut statements = Vec::new();
    for note in notes(bytes)? {
        match note {
            JournalNote::News {
                notice: Notice::RollbackBegan { .. },
            } => back = true,
            JournalNote::Smoke { suite, report, .. } => {
                // A suite that could not be run has no report.
                let Ok(report) = serde_json::from_value::<Report>(report) else {
                    continue;
                };
                let (name, phase) = match (suite, back) {
                    (SuiteMoment::Before, _) => ("smoke-before", SmokePhase::Before),
                    (SuiteMoment::Canary | SuiteMoment::Other(_), _) => {
                        ("smoke-direct", SmokePhase::Direct)
                    }
                    (SuiteMoment::After, false) => ("smoke-after", SmokePhase::After),
                    (SuiteMoment::After, true) => ("smoke-rolled-back", SmokePhase::RolledBack),
                };
                let subject = Subject {
                    name: "plan".to_owned(),
                    digest: plan,
                };
                if let Ok(statement) = report.to_statement(vec![subject], Some(plan), Some(phase)) {
                    statements.push((name.to_owned(), statement));
                }
            }
            _ => {}
        }
    }
    Ok(statements)
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
