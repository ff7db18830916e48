//! One step of a plan.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_router::{Arm, Split};
use serde::{Deserialize, Serialize};

use super::FileRef;
use crate::deployment::{Match, MigrationKind};

/// Where a smoke suite is pointed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmokeTarget {
    /// The service's own address.
    Router,
    /// Each ready canary instance, past the router.
    Canary,
}

/// Why a step waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchKind {
    /// Before all traffic moves at once: what is normal is learnt, since afterwards there is no
    /// other version to compare with.
    Baseline,
    /// Between two changes of traffic.
    Pause,
    /// At the end, with all traffic on the new version.
    Bake,
    /// The old environment is kept in readiness.
    Keep,
}

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "lowercase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Action {
    /// Run a smoke suite; it must pass.
    Smoke {
        /// At whom.
        target: SmokeTarget,
        /// Which suite of [`Suites`](super::Suites): `before`, `canary` or `after`.
        suite: SuiteMoment,
    },
    /// Have exactly `count` instances of `arm`; growing waits until they are ready and warm,
    /// shrinking drains first.
    Scale {
        /// Which arm.
        arm: Arm,
        /// How many instances.
        count: u32,
    },
    /// Divide traffic so.
    Shift {
        /// The whole split.
        split: Split,
    },
    /// Let time pass and look.
    Watch {
        /// Why.
        kind: WatchKind,
        /// How long at least.
        for_ms: u64,
        /// Whether an analysis must pass at the end.
        analyse: bool,
        /// Which, by name; absent: the plan's `analysis`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        analysis: Option<String>,
    },
    /// Have something done that is neither instances nor shares of traffic.
    Task(Task),
}

/// What is done beside instances and shares of traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "lowercase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Task {
    /// People agree.
    Approve {
        /// Which of the plan's approvals.
        approval: String,
    },
    /// A person does something.
    Manual {
        /// Its name.
        name: String,
        /// What is done.
        how: String,
        /// What is then to be seen.
        expect: String,
        /// Who does it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        owner: Option<String>,
        /// How long it may take.
        within_ms: u64,
    },
    /// The database is changed.
    Migrate {
        /// The migration's name.
        name: String,
        /// What it does to what is there.
        migration: MigrationKind,
        /// Whether it can be undone without loss.
        reversible: bool,
        /// What is done.
        how: String,
        /// Who does it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        owner: Option<String>,
        /// How long it may take.
        within_ms: u64,
    },
    /// Requests with these marks go to the canary; an empty list ends it.
    Route {
        /// All marks; any of them suffices.
        chosen: Vec<Match>,
    },
    /// Requests are copied to the canary.
    Mirror {
        /// The share, of 10 000; 0 ends it.
        share: u16,
        /// Whether requests that change something are copied too.
        unsafe_methods: bool,
    },
    /// Beside the canary, fresh instances of the stable version get a share of their own, so that
    /// two equally young and equally many sets are compared. The split is as before: what they get
    /// is taken out of stable's part. While it has a share, an analysis compares the canary with
    /// it, and not with stable's other instances.
    Baseline {
        /// Have exactly so many of them, beside stable's own; 0 ends it.
        count: u32,
        /// Give them so much of the traffic, of 10 000.
        weight: u16,
    },
    /// A flag file is replaced as a whole.
    Flag {
        /// The flag.
        flag: String,
        /// The stage's name.
        stage: String,
        /// What stands there before.
        before: FileRef,
        /// What takes its place.
        after: FileRef,
    },
}

impl Task {
    /// Whether old code cannot run, or data is lost on the way back, once this has begun.
    #[must_use]
    pub const fn has_no_way_back(&self) -> bool {
        match self {
            Task::Migrate {
                migration,
                reversible,
                ..
            } => !*reversible || migration.breaks_old_code(),
            _ => false,
        }
    }
}

/// Fresh instances of the stable version beside a canary: see [`Task::Baseline`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BaselineSet {
    /// How many there are.
    pub count: u32,
    /// Their share of the traffic, of 10 000, out of stable's part.
    pub weight: u16,
}

impl BaselineSet {
    /// What stands once this has been done.
    #[must_use]
    pub const fn after(self, action: &Action) -> Self {
        match action {
            Action::Task(Task::Baseline { count, weight }) => BaselineSet {
                count: *count,
                weight: *weight,
            },
            _ => self,
        }
    }
}

/// One of the three moments of [`Suites`](super::Suites).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SuiteMoment {
    /// Before anything changes.
    Before,
    /// On the new instances.
    Canary,
    /// After the traffic has moved.
    After,
    /// One of the others, by its number from 0.
    Other(u16),
}

/// Ways on which requests reach the canary whatever its share: each the step, by its place from 0,
/// whose task is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Ways {
    /// The [`Task::Route`] whose users go to the canary; absent: none do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub route: Option<u16>,
    /// The [`Task::Mirror`] by which requests are copied; absent: none are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mirror: Option<u16>,
}

impl Ways {
    /// No request reaches the canary but by its share.
    pub const NONE: Ways = Ways {
        route: None,
        mirror: None,
    };

    /// Whether there is none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.route.is_none() && self.mirror.is_none()
    }
}

/// All that a router does with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Traffic {
    /// Shares.
    pub split: Split,
    /// Requests that reach the canary beside its share.
    #[serde(skip_serializing_if = "Ways::is_none", default)]
    pub ways: Ways,
}

impl Traffic {
    /// Everything goes to stable.
    pub const STABLE: Traffic = Traffic::split(Split::STABLE);

    /// These shares, and no other ways.
    #[must_use]
    pub const fn split(split: Split) -> Traffic {
        Traffic {
            split,
            ways: Ways::NONE,
        }
    }

    /// Whether any request reaches the canary.
    #[must_use]
    pub const fn reaches_canary(&self) -> bool {
        self.split.weight(Arm::Canary) > 0 || !self.ways.is_none()
    }
}

impl core::fmt::Display for Traffic {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.split.fmt(f)?;
        if self.ways.route.is_some() {
            f.write_str(" and chosen users")?;
        }
        if self.ways.mirror.is_some() {
            f.write_str(" and copies of requests")?;
        }
        Ok(())
    }
}

/// The state that the fleet and the router shall have once a step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Target {
    /// The split.
    pub split: Split,
    /// Requests that reach the canary beside its share.
    #[serde(skip_serializing_if = "Ways::is_none", default)]
    pub ways: Ways,
    /// Stable instances.
    pub stable: u32,
    /// Canary instances.
    pub canary: u32,
}

impl Target {
    /// What stands once `action`, the step at place `step` from 0, has been done to it.
    #[must_use]
    pub fn after(mut self, step: u16, action: &Action) -> Self {
        match action {
            Action::Scale {
                arm: Arm::Stable,
                count,
            } => self.stable = *count,
            Action::Scale {
                arm: Arm::Canary,
                count,
            } => self.canary = *count,
            Action::Shift { split } => self.split = *split,
            Action::Task(Task::Route { chosen }) => {
                self.ways.route = (!chosen.is_empty()).then_some(step);
            }
            Action::Task(Task::Mirror { share, .. }) => {
                self.ways.mirror = (*share > 0).then_some(step);
            }
            Action::Smoke { .. } | Action::Watch { .. } | Action::Task(_) => {}
        }
        self
    }

    /// What the router does.
    #[must_use]
    pub const fn traffic(&self) -> Traffic {
        Traffic {
            split: self.split,
            ways: self.ways,
        }
    }

    /// Instances of one arm.
    #[must_use]
    pub const fn count(&self, arm: Arm) -> u32 {
        match arm {
            Arm::Stable => self.stable,
            Arm::Canary => self.canary,
        }
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Step {
    /// A stable name, such as `traffic-25` or `scale-canary-2`; unique in the plan.
    pub id: String,
    /// What it does.
    pub action: Action,
    /// What stands once it is done.
    pub target: Target,
    /// If it is not done after this time, the rollout goes back.
    pub deadline_ms: u64,
    /// The bound on the time from a decision to go back until stable serves everything, from
    /// anywhere within this step and without faults on the way.
    pub back_within_ms: u64,
    /// Where the way back from this step leads; absent after the point of no return.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub back_to: Option<Target>,
    /// The share of users who have met the new version by its end, at worst, out of 10 000.
    #[serde(skip_serializing_if = "nobody", default)]
    pub exposed: u16,
}

const fn nobody(share: &u16) -> bool {
    *share == 0
}
