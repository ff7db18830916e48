//! What a followed rollout's journal tells beside the machine's own memory: told again from the file
//! after a restart, and word by word while it is written, so that both are the same.

use std::collections::{BTreeMap, BTreeSet};

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{ChainLimits, read_chain};
use nonevent_rollout::{
    ArmSeen, Command, Effect, FleetSeen, Input, JOURNAL_KIND, Notice, Record, TaskVerdict,
};
use nonevent_strategy::Plan;
use serde::{Deserialize, Serialize};

use super::question::{Answer, Standing};
use crate::error::{DriverError, DriverErrorKind};
use crate::note::JournalNote;
use crate::words::Says;

/// What somebody answered, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    /// Which kind of question it was.
    pub asked: String,
    /// What was to be done, if it was about that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effect: Option<Effect>,
    /// The answer.
    pub answer: Answer,
    /// Who followed the runbook.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
    /// How long it took, from the question to the answer, in milliseconds of the calendar.
    pub took_ms: u64,
}

/// One step as it went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepTime {
    /// When it began.
    pub began: Option<Timestamp>,
    /// When it was done.
    pub done: Option<Timestamp>,
    /// Who followed the runbook then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Whether it was left out.
    pub skipped: bool,
    /// What was said of it last: what was seen, or how it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

impl StepTime {
    /// How long it took, in milliseconds of the calendar.
    #[must_use]
    pub fn took_ms(&self) -> Option<u64> {
        u64::try_from(self.done?.ms_since(self.began?)).ok()
    }
}

/// What was said and done so far.
pub(crate) struct Past {
    /// What stood by what was said last.
    pub(crate) stand: Standing,
    /// What was asked for and not answered.
    pub(crate) out: Option<Effect>,
    /// What was asked for by a process that ended before it heard how that went.
    pub(crate) doubt: Option<Effect>,
    /// Tasks that somebody said were done: they are asked for no more, only looked at.
    pub(crate) done: BTreeSet<u16>,
    /// Whether somebody has agreed to begin the way back.
    pub(crate) back_begun: bool,
    /// The steps that were begun.
    pub(crate) steps: BTreeMap<u16, StepTime>,
    /// The words that counted.
    pub(crate) heard: BTreeSet<Digest>,
    /// The step that is at work.
    step: u16,
}

impl Past {
    /// Before anything was done.
    pub(crate) fn new(plan: &Plan, began: Timestamp) -> Past {
        let origin = plan.origin();
        let arm = |count: u32| {
            let count = u16::try_from(count).unwrap_or(u16::MAX);
            ArmSeen {
                present: count,
                kept: count,
                ready: count,
                failed: 0,
            }
        };
        let first = StepTime {
            began: Some(began),
            ..StepTime::default()
        };
        Past {
            stand: Standing {
                traffic: origin.traffic(),
                fleet: FleetSeen {
                    stable: arm(origin.stable),
                    canary: arm(origin.canary),
                },
            },
            out: None,
            doubt: None,
            done: BTreeSet::new(),
            back_begun: false,
            steps: BTreeMap::from([(0, first)]),
            heard: BTreeSet::new(),
            step: 0,
        }
    }

    /// What a journal tells.
    pub(crate) fn read(bytes: &[u8], plan: &Plan) -> Result<Past, DriverError> {
        let damaged = |text: String| DriverError::new(DriverErrorKind::Journal, text);
        let chain = read_chain(JOURNAL_KIND, bytes, &ChainLimits::default())
            .map_err(|error| damaged(error.to_string()))?;
        let mut past = Past::new(plan, Timestamp::from_unix_ms(0));
        for body in chain.records {
            let record = serde_json::from_value(body);
            past.record(record.map_err(|error| damaged(error.to_string()))?);
        }
        Ok(past)
    }

    fn record(&mut self, record: Record) {
        match record {
            Record::Begin { at, .. } => {
                self.steps.entry(0).or_default().began = Some(at);
            }
            Record::Input { input, .. } => self.input(&input),
            Record::Intent { effect, .. } => self.effect(effect),
            Record::Note { at, note } => {
                if let Ok(note) = serde_json::from_value(note) {
                    self.note(at, &note);
                }
            }
            Record::Resumed { .. } | Record::Slept { .. } => {}
        }
    }

    /// The machine asked for something.
    pub(crate) fn effect(&mut self, effect: Effect) {
        if effect.changes() {
            self.out = Some(effect);
        }
    }

    /// The machine was told something.
    pub(crate) fn input(&mut self, input: &Input) {
        let answers = match input {
            Input::Restarted => {
                // A doubt that nobody has cleared up is still one.
                self.doubt = self.out.take().or(self.doubt);
                false
            }
            Input::Router(seen) => {
                self.stand.traffic = seen.traffic();
                self.clear(|effect| matches!(effect, Effect::Shift { .. }));
                matches!(self.out, Some(Effect::Shift { .. }))
            }
            Input::Fleet(seen) => {
                self.stand.fleet = *seen;
                self.clear(|effect| matches!(effect, Effect::Scale { .. }));
                matches!(self.out, Some(Effect::Scale { .. }))
            }
            Input::RouterFailed => matches!(self.out, Some(Effect::Shift { .. })),
            Input::FleetFailed => matches!(self.out, Some(Effect::Scale { .. })),
            Input::Task { step, verdict } => {
                let effect = Effect::Task { step: *step };
                self.clear(|it| it == effect);
                if *verdict == TaskVerdict::Unavailable {
                    self.done.remove(step);
                }
                self.out == Some(effect)
            }
            Input::Withdrawn { extra, .. } => {
                let effect = Effect::Withdraw { extra: *extra };
                self.clear(|it| it == effect);
                self.out == Some(effect)
            }
            Input::Command(Command::Skip) => matches!(self.out, Some(Effect::Task { .. })),
            _ => false,
        };
        if answers {
            self.out = None;
        }
    }

    fn clear(&mut self, is: impl Fn(Effect) -> bool) {
        self.doubt = self.doubt.filter(|it| !is(*it));
    }

    /// Something was noted.
    pub(crate) fn note(&mut self, at: Timestamp, note: &JournalNote) {
        match note {
            JournalNote::News { notice } => self.notice(at, *notice),
            JournalNote::Answered { answered } => self.answered(answered),
            JournalNote::Said { word } => {
                self.heard.insert(word.digest());
                let by = word.by.as_deref().unwrap_or("somebody");
                let said = said(by, word.says);
                let step = self.steps.entry(word.step).or_default();
                let before = step.seen.take().map_or_else(String::new, |it| it + ", ");
                step.seen = Some(before + &said);
            }
            JournalNote::Smoke { verdict, .. } => {
                let step = self.steps.entry(self.step).or_default();
                let verdict = match verdict {
                    nonevent_rollout::SmokeVerdict::Passed => "the suite passed",
                    nonevent_rollout::SmokeVerdict::Failed => "the suite failed",
                    nonevent_rollout::SmokeVerdict::Unavailable => "the suite could not be run",
                };
                step.seen = Some(verdict.to_owned());
            }
            JournalNote::Flags { text } => {
                self.steps.entry(self.step).or_default().seen = Some(text.clone());
            }
            _ => {}
        }
    }

    fn notice(&mut self, at: Timestamp, notice: Notice) {
        match notice {
            Notice::StepBegan { step } => {
                self.step = step;
                self.steps.entry(step).or_default().began = Some(at);
            }
            Notice::StepDone { step } => self.steps.entry(step).or_default().done = Some(at),
            Notice::Skipped { step } => {
                self.steps.entry(step).or_default().skipped = true;
            }
            Notice::PromotedByHand => {
                let step = self.steps.entry(self.step).or_default();
                step.seen = Some("ended early, on a person's word".to_owned());
            }
            Notice::RollbackBegan { .. } => {
                self.back_begun = false;
                self.step = u16::MAX;
                self.out = self.out.filter(|it| !matches!(it, Effect::Task { .. }));
            }
            _ => {}
        }
    }

    fn answered(&mut self, answered: &Answered) {
        let Answered {
            asked,
            effect,
            answer,
            by,
            ..
        } = answered;
        if asked == "go_back" && *answer == Answer::Yes {
            self.back_begun = true;
        }
        if matches!(asked.as_str(), "deed" | "doubt") {
            // It has been said how it ended.
            self.clear(|it| Some(it) == *effect);
            if let (Some(Effect::Task { step }), Answer::Yes) = (effect, answer) {
                self.done.insert(*step);
            }
        }
        let step = self.steps.entry(self.step).or_default();
        step.by.clone_from(by);
        if let Some(text) = told(asked, answer) {
            step.seen = Some(text);
        }
    }

    /// The steps that were begun, in order.
    pub(crate) fn begun(&self) -> impl DoubleEndedIterator<Item = (u16, &StepTime)> {
        let began = self.steps.iter().filter(|(_, it)| it.began.is_some());
        began.map(|(step, time)| (*step, time))
    }
}

/// What a word tells, for the record of its step.
fn said(by: &str, says: Says) -> String {
    match says {
        Says::Agrees => format!("{by} agrees"),
        Says::Denies => format!("{by} does not agree"),
        Says::Done => format!("{by} says that it is done"),
        Says::Failed => format!("{by} says that it failed"),
        Says::Skipped => format!("{by} leaves it out"),
    }
}

/// What an answer tells of what was seen.
fn told(asked: &str, answer: &Answer) -> Option<String> {
    let text = match (asked, answer) {
        ("seen" | "instances", Answer::Yes) => "as it says".to_owned(),
        ("seen" | "instances" | "stand", Answer::Saw(numbers)) => numbers.to_string(),
        ("smoke", Answer::Yes) => "the suite passed".to_owned(),
        ("smoke", Answer::No(why)) => format!("the suite failed: {why}"),
        ("smoke", Answer::Unavailable(why)) => format!("the suite could not be run: {why}"),
        ("judge", Answer::Judged(judgement)) => match judgement {
            nonevent_rollout::Judgement::Pass => "no rollback trigger is met".to_owned(),
            nonevent_rollout::Judgement::Fail => "a rollback trigger is met".to_owned(),
            nonevent_rollout::Judgement::Inconclusive => "too little to say".to_owned(),
            nonevent_rollout::Judgement::NoData => "there are no figures".to_owned(),
            nonevent_rollout::Judgement::EnvironmentUnhealthy => {
                "both versions are in trouble".to_owned()
            }
        },
        (_, Answer::Skip(why)) => format!("left out: {why}"),
        (_, Answer::No(why)) if !why.is_empty() => format!("not so: {why}"),
        _ => return None,
    };
    Some(text)
}
