//! What the journal keeps beside the records that decide.

use nonevent_rollout::{Judgement, Notice, SmokeVerdict};
use nonevent_router::Counters;
use nonevent_strategy::{SmokeTarget, SuiteMoment};
use serde::{Deserialize, Serialize};

use crate::follow::Answered;
use crate::watcher::Memory;
use crate::words::Word;

/// What the journal keeps beside the records that decide.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalNote {
    /// News.
    News {
        /// What.
        notice: Notice,
    },
    /// The router's counters, about once a second and at each change of the split; more rarely
    /// where a step lasts for long.
    Counters {
        /// The counters.
        counters: Counters,
    },
    /// What an analysis remembers.
    Analysis {
        /// Its memory.
        memory: Box<Memory>,
        /// Which analysis; absent: the plan's own.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        name: Option<String>,
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
    /// What somebody said, which counted.
    Said {
        /// What, of which step, and who.
        word: Box<Word>,
    },
    /// What a person who follows the runbook by hand answered.
    Answered {
        /// The question, the answer, who gave it, and how long that took.
        answered: Box<Answered>,
    },
    /// What was done to flag files, or why it was not.
    Flags {
        /// In words.
        text: String,
    },
}
