//! The runbook as a value: what it says, before it is a page.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use nonevent_router::Split;
use nonevent_strategy::{Plan, PlanError, Release, StrategyKind, Target};
use serde::Serialize;

use crate::commands::ByHand;
use crate::content;
use crate::text::Text;

/// What a plan does not know and its runbook shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// When the runbook is made.
    pub generated: Timestamp,
    /// What is proved of the plan; absent: the page says that nothing is.
    pub proof: Option<ProofSummary>,
    /// Where the plan will be carried out, in one line, such as `router: HAProxy at /run/hap.sock`;
    /// absent: the line is left out.
    pub target: Option<String>,
}

impl Facts {
    /// A runbook made at `generated`, and nothing else known.
    #[must_use]
    pub const fn at(generated: Timestamp) -> Facts {
        Facts {
            generated,
            proof: None,
            target: None,
        }
    }
}

/// A proof in four numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofSummary {
    /// States visited.
    pub states: u64,
    /// Transitions between them.
    pub transitions: u64,
    /// How many faults a run may have had.
    pub faults: u32,
    /// The longest time from a decision to go back until stable served everything, in
    /// milliseconds, over all of these runs.
    pub worst_recovery_ms: u64,
}

/// What people review, follow and sign: the sections of a runbook in the order of the page.
///
/// Ids are stable: they come from what an item is about, so a plan that changes elsewhere keeps
/// them. They hold letters, digits, `.`, `_`, `/`, `%` and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Runbook {
    /// `nonevent/v1`.
    pub api_version: &'static str,
    /// `Runbook`.
    pub kind: &'static str,
    /// What is deployed, where, how, and how long it takes.
    pub header: Header,
    /// The steps at a glance.
    pub overview: Overview,
    /// What must hold before the first step.
    pub checklist: Vec<Item>,
    /// The steps.
    pub steps: Vec<StepPage>,
    /// What must hold after the last step.
    pub verification: Vec<Item>,
    /// When to roll back, and when not to.
    pub triggers: Triggers,
    /// How to roll back.
    pub rollback: Rollback,
    /// What is changed in the database, in the order of the steps.
    pub migrations: Vec<Item>,
    /// The feature flags that are opened, with their kill switches.
    pub flags: Vec<Item>,
    /// Whom to call, and who decides.
    pub contacts: Vec<Item>,
    /// What to tell whom.
    pub messages: Vec<Message>,
    /// Who must agree.
    pub sign_offs: Vec<SignOff>,
}

/// What is deployed, where, how, and how long it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// The service's name.
    pub service: String,
    /// The environment's name.
    pub environment: String,
    /// The strategy.
    pub strategy: StrategyKind,
    /// From which version to which.
    pub release: Release,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The plan's digest.
    pub plan: Digest,
    /// The plan's shape, by which rehearsals are matched.
    pub shape: Digest,
    /// When the runbook was made.
    pub generated: Timestamp,
    /// The pauses and warm-ups, in milliseconds.
    pub expected_ms: u64,
    /// Every step at its deadline, in milliseconds.
    pub longest_ms: u64,
    /// What is proved of the plan.
    pub proof: Option<ProofSummary>,
    /// All of the above as lines of a table.
    pub facts: Vec<Fact>,
}

/// One line of the header's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub label: &'static str,
    /// The value.
    pub value: Text,
}

/// The steps at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// What will happen, in a few sentences.
    pub summary: Vec<Text>,
    /// The new version's share of traffic over the expected time: one moment per change, the first
    /// at 0, the last at the end.
    pub timeline: Vec<Moment>,
}

/// A moment of the expected course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    /// Time since the start, in milliseconds.
    pub at_ms: u64,
    /// How traffic is divided from here on.
    pub split: Split,
}

/// One line that somebody ticks, or looks up by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// What it says.
    pub text: Text,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepPage {
    /// Its id.
    pub id: String,
    /// Its number on the page, from 1.
    pub number: usize,
    /// Its id in the plan.
    pub plan_step: String,
    /// What happens, in a few words.
    pub title: Text,
    /// Who does it: the machine, unless it is a step for people.
    pub done_by: Text,
    /// What is done.
    pub action: Item,
    /// What is then seen.
    pub seen: Item,
    /// How one looks.
    pub check: Text,
    /// How long at least one waits here, in milliseconds; only in steps that wait.
    pub pause_ms: Option<u64>,
    /// When it has to be done, in milliseconds from its beginning.
    pub deadline_ms: u64,
    /// What follows if it is not.
    pub late: Text,
    /// Whether nothing goes back by itself once it has begun.
    pub no_return: bool,
    /// The way back from here, or what there is instead.
    pub back: Item,
    /// The bound on that way, in milliseconds; of no meaning where there is none.
    pub back_within_ms: u64,
    /// What a person types if the router has to be set without the machine.
    pub by_hand: Option<ByHand>,
    /// When it begins if nothing is late, in milliseconds since the start.
    pub begins_ms: u64,
    /// What stands once it is done.
    pub target: Target,
}

/// When to roll back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Triggers {
    /// The signals.
    pub signals: Vec<Trigger>,
    /// What a person may decide on.
    pub by_people: Vec<Text>,
    /// What is no reason.
    pub not_reasons: Vec<Text>,
}

/// One signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// Its id.
    pub id: String,
    /// What is looked at.
    pub signal: &'static str,
    /// From where on it is bad.
    pub threshold: Text,
    /// Who looks, and what follows.
    pub watched_by: Text,
}

/// How to roll back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollback {
    /// What the plan promises: from the decision until stable serves everything, in milliseconds.
    pub within_ms: u64,
    /// The longest way back of all steps by the plan's arithmetic, in milliseconds.
    pub expected_ms: u64,
    /// The bound in words.
    pub bound: Text,
    /// What is done, in order.
    pub items: Vec<Item>,
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// What it is.
    pub title: &'static str,
    /// When it is sent, and to whom.
    pub when: &'static str,
    /// Its lines. Words in square brackets are filled in when it is sent.
    pub lines: Vec<Text>,
}

/// A place for a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignOff {
    /// Its id.
    pub id: String,
    /// Whose word it is.
    pub role: &'static str,
}

/// Whether a thing on the page is ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A task item.
    Task,
    /// A heading, a line of a table, an item without a box.
    Mark,
}

impl Runbook {
    /// The runbook of a plan. The same plan and facts give the same runbook.
    ///
    /// The plan may come from anywhere: its texts are taken for what they are, whatever they hold.
    ///
    /// # Errors
    /// If the plan has no digest; see [`Plan::digest`].
    pub fn of(plan: &Plan, facts: &Facts) -> Result<Runbook, PlanError> {
        let steps = content::steps(plan);
        Ok(Runbook {
            api_version: "nonevent/v1",
            kind: "Runbook",
            header: content::header(plan, facts)?,
            overview: content::overview(plan),
            checklist: content::checklist(plan),
            verification: content::verification(plan),
            triggers: content::triggers(plan),
            rollback: content::rollback(plan),
            migrations: content::migrations(plan),
            flags: content::flags(plan),
            contacts: content::contacts(plan),
            messages: content::messages(plan),
            sign_offs: content::sign_offs(),
            steps,
        })
    }

    /// The runbook as one indented JSON document.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self)
            .expect("it holds strings, integers and lists, and writing to memory does not fail")
    }

    /// Every id on the page, in the order of the page, and whether it is ticked there.
    pub(crate) fn places(&self) -> Vec<(&str, Place)> {
        let mut places: Vec<(&str, Place)> = Vec::new();
        places.extend(
            self.header
                .facts
                .iter()
                .map(|fact| (fact.id.as_str(), Place::Mark)),
        );
        places.extend(self.checklist.iter().map(Item::task));
        for step in &self.steps {
            places.push((&step.id, Place::Mark));
            places.extend([&step.action, &step.seen].map(Item::task));
            places.push((&step.back.id, Place::Mark));
            places.extend(step.by_hand.iter().map(|it| (it.id.as_str(), Place::Mark)));
        }
        places.extend(self.verification.iter().map(Item::task));
        places.extend(
            self.triggers
                .signals
                .iter()
                .map(|trigger| (trigger.id.as_str(), Place::Mark)),
        );
        places.extend(self.rollback.items.iter().map(Item::task));
        let listed = [&self.migrations, &self.flags, &self.contacts];
        places.extend(
            listed
                .into_iter()
                .flatten()
                .map(|it| (it.id.as_str(), Place::Mark)),
        );
        places.extend(
            self.messages
                .iter()
                .map(|message| (message.id.as_str(), Place::Mark)),
        );
        places.extend(
            self.sign_offs
                .iter()
                .map(|slot| (slot.id.as_str(), Place::Task)),
        );
        places
    }
}

impl Item {
    fn task(&self) -> (&str, Place) {
        (&self.id, Place::Task)
    }
}
