//! What a person who follows a runbook is asked, and what they can answer: two closed lists.

use nonevent_document::Timestamp;
use nonevent_rollout::{
    ArmSeen, Effect, FleetSeen, HeldBy, Judgement, Reason, RouterSeen, WaitReason,
};
use nonevent_router::{Arm, Split};
use nonevent_strategy::{SmokeTarget, SuiteMoment, Traffic};
use serde::{Deserialize, Serialize};

/// The longest reason or name that is kept, in characters.
const WORDS_MAX: usize = 500;

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// When it is asked.
    pub at: Timestamp,
    /// Where the rollout is.
    pub place: Place,
    /// What is asked.
    pub ask: Ask,
}

/// Where a rollout is, in the words of its runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At a step.
    Step(Box<StepText>),
    /// Before the first step, at the page's checklist.
    Before,
    /// After the last step, at the page's verification.
    After,
    /// On the way back.
    Back {
        /// Why.
        reason: Reason,
        /// The old version.
        to: String,
    },
}

/// A step in the words of its runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepText {
    /// Its place from 0.
    pub index: u16,
    /// How many steps there are.
    pub of: usize,
    /// What happens, in a few words.
    pub title: String,
    /// What is done.
    pub action: String,
    /// What is then seen.
    pub seen: String,
    /// How one looks.
    pub check: String,
    /// How long it may take, questions left out, in milliseconds.
    pub deadline_ms: u64,
    /// The way back from here.
    pub back: String,
}

/// What stands: the router and both arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What the router does.
    pub traffic: Traffic,
    /// The instances.
    pub fleet: FleetSeen,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Whether an item of the page holds that no step is about.
    Item {
        /// What it says.
        text: String,
    },
    /// What stands now, at the start or after a restart.
    Stand {
        /// What a yes means.
        expected: Standing,
        /// What a no means, where something was begun and nobody said how it ended.
        otherwise: Option<Standing>,
        /// That, in words.
        doubt: Option<String>,
    },
    /// To do something, and to say when it is done.
    Deed {
        /// What.
        effect: Effect,
        /// What, in words.
        text: String,
        /// Why it is asked again, if it is.
        again: Option<String>,
        /// Whether by what was said last it stands so already.
        stands: bool,
        /// Whether it may be left out.
        may_skip: bool,
    },
    /// Whether something was done that was begun and of which nobody said how it ended.
    Doubt {
        /// What.
        effect: Effect,
        /// What, in words.
        text: String,
    },
    /// What follows on something that is not done.
    NotDone {
        /// What.
        effect: Effect,
        /// What, in words.
        text: String,
        /// Why it is not done.
        why: String,
        /// Whether it may be left out.
        may_skip: bool,
    },
    /// What is seen, once something was done.
    Seen {
        /// What was done.
        effect: Effect,
        /// What is to be seen, in words.
        text: String,
        /// What a yes means.
        expected: Standing,
    },
    /// How far the instances are that are waited for.
    Instances {
        /// What is waited for.
        waits: WaitReason,
        /// What a yes means.
        expected: Standing,
    },
    /// Whether the new version's last requests have ended.
    Quiet,
    /// To run a smoke suite, and to say how it ended.
    Smoke {
        /// At whom.
        target: SmokeTarget,
        /// Which.
        suite: SuiteMoment,
        /// That, in words.
        text: String,
    },
    /// Whether something that can be done from here shall be done now.
    Automatic {
        /// What.
        effect: Effect,
        /// What, in words.
        text: String,
    },
    /// What the figures say at the end of a watch.
    Judge {
        /// Whether an analysis has to pass, so that too little to say is an answer.
        analysed: bool,
        /// The rollback triggers, in words.
        triggers: Vec<String>,
    },
    /// Whether somebody agrees.
    Approve {
        /// The role that is asked.
        role: String,
        /// How many must agree.
        count: u32,
        /// Who has agreed.
        agreed: Vec<String>,
        /// Who may agree and has not.
        missing: Vec<String>,
    },
    /// What follows, where nothing goes on until somebody decides.
    Held {
        /// Why.
        by: HeldBy,
        /// Whether it is past the point of no return.
        no_way_back: bool,
    },
    /// Whether the way back is begun.
    GoBack {
        /// Why.
        reason: Reason,
        /// The steps that were begun, the last one first, in words.
        begun: Vec<String>,
    },
}

/// What somebody answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done, or it is as it says.
    Yes,
    /// It is not, and why.
    No(String),
    /// It could not be found out, and why.
    Unavailable(String),
    /// Something else is seen.
    Saw(Numbers),
    /// What the figures say.
    Judged(Judgement),
    /// Somebody agrees, or does not.
    Says {
        /// Who.
        by: String,
        /// Whether they agree.
        granted: bool,
    },
    /// It is tried once more.
    Again,
    /// It is left out, and why.
    Skip(String),
    /// The rollout goes back.
    Back,
    /// Everything is left as it is.
    Leave,
}

/// What somebody reads off the router and the fleet; what is left out is as it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// The split in force.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub split: Option<Split>,
    /// The old version's instances.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stable: Option<ArmNumbers>,
    /// The new version's instances.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub canary: Option<ArmNumbers>,
}

/// The instances of one arm, as somebody counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmNumbers {
    /// How many are ready.
    pub ready: u16,
    /// How many exist.
    pub present: u16,
    /// How many ended although nobody asked them to.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub failed: u16,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(number: &u16) -> bool {
    *number == 0
}

impl ArmNumbers {
    /// As the machine counts them, where `asked` is what was asked for last: of more than that, the
    /// rest is on its way out if more than that were there before.
    fn seen(self, asked: ArmSeen) -> ArmSeen {
        let present = self.present;
        let drains = asked.present > asked.kept;
        let kept = match present {
            _ if present <= asked.kept => present,
            _ if drains => asked.kept,
            _ => present,
        };
        ArmSeen {
            present,
            kept,
            ready: self.ready.min(kept),
            failed: self.failed,
        }
    }
}

impl Standing {
    /// What somebody saw where this was to be seen, of instances of which `asked` had been asked for.
    #[must_use]
    pub fn with(self, numbers: Numbers, asked: Standing) -> Standing {
        let (split, ways) = (self.traffic.split, self.traffic.ways);
        let split = numbers.split.unwrap_or(split);
        let stable = numbers.stable.map(|it| it.seen(asked.fleet.stable));
        let canary = numbers.canary.map(|it| it.seen(asked.fleet.canary));
        Standing {
            traffic: Traffic { split, ways },
            fleet: FleetSeen {
                stable: stable.unwrap_or(self.fleet.stable),
                canary: canary.unwrap_or(self.fleet.canary),
            },
        }
    }

    /// Once `effect` is done: what is asked to go is still there, and nothing new is.
    #[must_use]
    pub fn after(self, effect: Effect) -> Standing {
        let mut after = self;
        match effect {
            Effect::Shift { .. } => after.traffic = effect.traffic().unwrap_or(self.traffic),
            Effect::Scale { arm, count } => {
                let seen = match arm {
                    Arm::Stable => &mut after.fleet.stable,
                    Arm::Canary => &mut after.fleet.canary,
                };
                seen.kept = count;
                seen.present = seen.present.max(count);
            }
            _ => {}
        }
        after
    }

    /// Where all that is coming has come and all that is going has gone.
    #[must_use]
    pub fn settled(self) -> Standing {
        let settle = |seen: ArmSeen| ArmSeen {
            present: seen.kept,
            kept: seen.kept,
            ready: seen.kept,
            failed: 0,
        };
        Standing {
            traffic: self.traffic,
            fleet: FleetSeen {
                stable: settle(self.fleet.stable),
                canary: settle(self.fleet.canary),
            },
        }
    }

    /// What the machine is told of the router.
    #[must_use]
    pub const fn router(&self, canary_quiet: bool) -> RouterSeen {
        RouterSeen {
            split: self.traffic.split,
            ways: self.traffic.ways,
            canary_quiet,
        }
    }
}

/// `3 of 3 ready` and the like, for both arms, with the share.
impl core::fmt::Display for Standing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let arm = |seen: ArmSeen| match seen.failed {
            0 => format!("{} of {} ready", seen.ready, seen.present),
            failed => format!("{} of {} ready, {failed} ended", seen.ready, seen.present),
        };
        write!(
            f,
            "{} to the new version; old instances: {}; new instances: {}",
            self.traffic,
            arm(self.fleet.stable),
            arm(self.fleet.canary)
        )
    }
}

impl Question {
    /// Whether `answer` says something about this; what does not is asked again.
    #[must_use]
    pub fn takes(&self, answer: &Answer) -> bool {
        use Answer::{Again, Back, Judged, Leave, No, Saw, Says, Skip, Unavailable, Yes};
        let goes_back = matches!(self.place, Place::Back { .. });
        match (&self.ask, answer) {
            (_, Leave) => true,
            (Ask::GoBack { .. }, _) => *answer == Yes,
            (Ask::Item { .. }, _) => matches!(answer, Yes | No(_)),
            (_, Back) => !goes_back,
            (Ask::Seen { effect, .. }, Saw(_)) => {
                matches!(effect, Effect::Shift { .. } | Effect::Scale { .. })
            }
            (Ask::Deed { may_skip, .. } | Ask::NotDone { may_skip, .. }, Skip(_)) => *may_skip,
            (Ask::Judge { analysed, .. }, Judged(judgement)) => {
                *analysed || matches!(judgement, Judgement::Pass | Judgement::Fail)
            }
            (Ask::Stand { .. } | Ask::Instances { .. }, Yes | No(_) | Saw(_))
            | (
                Ask::Deed { .. }
                | Ask::Doubt { .. }
                | Ask::Seen { .. }
                | Ask::Quiet
                | Ask::Automatic { .. },
                Yes | No(_),
            )
            | (Ask::NotDone { .. }, Again | No(_))
            | (Ask::Smoke { .. }, Yes | No(_) | Unavailable(_))
            | (Ask::Approve { .. }, Says { .. })
            | (Ask::Held { .. }, Yes) => true,
            _ => false,
        }
    }
}

impl Ask {
    /// Its name in the journal.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Ask::Item { .. } => "item",
            Ask::Stand { .. } => "stand",
            Ask::Deed { .. } => "deed",
            Ask::Doubt { .. } => "doubt",
            Ask::NotDone { .. } => "not_done",
            Ask::Seen { .. } => "seen",
            Ask::Instances { .. } => "instances",
            Ask::Quiet => "quiet",
            Ask::Smoke { .. } => "smoke",
            Ask::Automatic { .. } => "automatic",
            Ask::Judge { .. } => "judge",
            Ask::Approve { .. } => "approve",
            Ask::Held { .. } => "held",
            Ask::GoBack { .. } => "go_back",
        }
    }

    /// What is to be done, if that is what it is about.
    #[must_use]
    pub const fn effect(&self) -> Option<Effect> {
        match self {
            Ask::Deed { effect, .. }
            | Ask::Doubt { effect, .. }
            | Ask::NotDone { effect, .. }
            | Ask::Seen { effect, .. }
            | Ask::Automatic { effect, .. } => Some(*effect),
            _ => None,
        }
    }
}

impl Answer {
    /// With words that can be kept: of bounded length, and without control characters.
    #[must_use]
    pub fn bounded(self) -> Answer {
        match self {
            Answer::No(why) => Answer::No(bounded(&why)),
            Answer::Unavailable(why) => Answer::Unavailable(bounded(&why)),
            Answer::Skip(why) => Answer::Skip(bounded(&why)),
            Answer::Says { by, granted } => Answer::Says {
                by: bounded(&by),
                granted,
            },
            other => other,
        }
    }
}

fn bounded(words: &str) -> String {
    let shown = |sign: char| if sign.is_control() { ' ' } else { sign };
    let text: String = words.chars().take(WORDS_MAX).map(shown).collect();
    text.trim().to_owned()
}

/// As somebody would say it.
impl core::fmt::Display for Numbers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.split.map(|split| match split {
            Split::Closed => "the router is closed".to_owned(),
            split => format!("{split} to the new version"),
        }));
        for (name, arm) in [("old", self.stable), ("new", self.canary)] {
            parts.extend(arm.map(|it| {
                let ended = match it.failed {
                    0 => String::new(),
                    failed => format!(", {failed} ended by themselves"),
                };
                format!(
                    "{name} instances: {} of {} ready{ended}",
                    it.ready, it.present
                )
            }));
        }
        f.write_str(&parts.join("; "))
    }
}
