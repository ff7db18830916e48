//! How the new version takes over: the four strategies with their figures.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Percent;
use serde::{Deserialize, Serialize};

use super::{CountOrPercent, StrategyKind};

/// How the new version takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// See [`StrategyKind::Canary`].
    Canary(Canary),
    /// See [`StrategyKind::BlueGreen`].
    BlueGreen(BlueGreen),
    /// See [`StrategyKind::Rolling`].
    Rolling(Rolling),
    /// See [`StrategyKind::Recreate`].
    Recreate(Recreate),
}

impl Strategy {
    /// Which of the four it is.
    #[must_use]
    pub const fn kind(&self) -> StrategyKind {
        match self {
            Strategy::Canary(_) => StrategyKind::Canary,
            Strategy::BlueGreen(_) => StrategyKind::BlueGreen,
            Strategy::Rolling(_) => StrategyKind::Rolling,
            Strategy::Recreate(_) => StrategyKind::Recreate,
        }
    }
}

/// Traffic in steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The steps; the last one is 100 % and its pause is the bake.
    pub steps: Vec<CanaryStep>,
    /// What stays with one version: a request, a session or a user.
    pub split_by: SplitBy,
    /// How many requests a user is reckoned to make while a step lasts; 1 to 100 000.
    pub requests_per_user: u32,
    /// Whether fresh instances of the stable version run beside the canary, as many as it has and
    /// with the same share of the traffic, out of stable's part: what is compared is then equally
    /// young, equally warm and equally many. Source: Kayenta's recommendation, "Compare canary
    /// against baseline, not against production" (Spinnaker, *Best practices for configuring
    /// canary*). In steps above 50 % there is no room for it.
    pub baseline: bool,
}

impl Canary {
    /// Whether it is divided by instance share: any of its steps says so, and a check holds that
    /// all of them do.
    #[must_use]
    pub fn is_by_share(&self) -> bool {
        let mut scales = self.steps.iter().map(|step| step.scale);
        scales.any(|scale| scale == CanaryScale::ByShare)
    }
}

/// What is sent to one version as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SplitBy {
    /// Each request by itself: a user who makes many meets both versions.
    Request,
    /// All requests of a session.
    Session,
    /// All requests of a user.
    User,
}

/// One step of a canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanaryStep {
    /// The canary's share of requests.
    pub traffic: Percent,
    /// How long to watch at that share.
    pub pause_ms: u64,
    /// Canary instances at that share.
    pub scale: CanaryScale,
    /// Users who are sent to the canary besides, by a header or cookie of theirs.
    pub chosen: Vec<Match>,
    /// Requests that are sent to the canary besides, and whose answers are thrown away.
    pub mirror: Option<Mirror>,
    /// The approval, by name, without which the step does not begin.
    pub approval: Option<String>,
    /// How the step is judged, as the document has it; what holds is [`CanaryStep::judged`].
    pub analysis: Judged,
    /// The smoke suite that is run on the canary once the step's traffic flows.
    pub smoke: Option<String>,
}

impl CanaryStep {
    /// A share of requests for a time, and nothing besides.
    #[must_use]
    pub const fn new(traffic: Percent, pause_ms: u64) -> Self {
        CanaryStep {
            traffic,
            pause_ms,
            scale: CanaryScale::Match,
            chosen: Vec::new(),
            mirror: None,
            approval: None,
            analysis: Judged::Default,
            smoke: None,
        }
    }

    /// How the step is judged. The default analysis compares the versions by their shares of the
    /// traffic: a step that gives the canary none, only chosen users or copies of requests, is
    /// judged by an analysis that it names, or not at all.
    #[must_use]
    pub fn judged(&self) -> &Judged {
        match &self.analysis {
            Judged::Default if self.traffic.basis_points() == 0 => &Judged::Unjudged,
            judged => judged,
        }
    }
}

/// How many canary instances a step has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CanaryScale {
    /// As many as the share of the replicas, rounded up, or as share and copied requests need, and
    /// never fewer than in the step before: the default.
    Match,
    /// A number, or a share of the replicas (rounded up).
    Own(CountOrPercent),
    /// As many as bring the canary's share of all instances nearest to the step's, while stable
    /// gives up the others: for workers that no router stands before, where the share of the work
    /// is the share of the instances. The counts are those of
    /// [`canary_counts`](crate::capacity::canary_counts); on the way to them no more instances than
    /// the replicas and `spare` exist, and no fewer than min healthy are ready.
    ByShare,
}

/// Which analysis judges a step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Judged {
    /// The document's `analysis`.
    Default,
    /// One of its `analyses`, by name.
    Named(String),
    /// None.
    Unjudged,
}

/// A mark that a chosen user's requests carry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Match {
    /// A request header with this value.
    Header {
        /// Its name.
        name: String,
        /// Its whole value.
        value: String,
    },
    /// A cookie with this value.
    Cookie {
        /// Its name.
        name: String,
        /// Its whole value.
        value: String,
    },
}

/// Requests copied to the canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mirror {
    /// The share that is copied.
    pub share: Percent,
    /// Whether requests are copied too that change something (other methods than GET, HEAD and
    /// OPTIONS, RFC 9110 section 9.2.1).
    pub unsafe_methods: bool,
}

/// All traffic at once between two whole environments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlueGreen {
    /// The approval, by name, without which traffic is not switched; absent: switched by itself.
    pub approval: Option<String>,
    /// How long the preview must be ready, and its analysis-free checks passed, before the switch.
    pub preview_ms: u64,
    /// Shares of the traffic that are switched before all of it, rising; empty: all at once.
    pub stages: Vec<SwitchStage>,
    /// How long to watch after the switch.
    pub bake_ms: u64,
    /// How long the old environment is kept after the switch, the bake included.
    pub scale_down_delay_ms: u64,
}

/// A part of the traffic that is switched first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchStage {
    /// The share of requests.
    pub traffic: Percent,
    /// How long to watch.
    pub pause_ms: u64,
}

/// A few instances at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rolling {
    /// Instances above the replicas; a share is rounded up.
    pub max_surge: CountOrPercent,
    /// Instances under the replicas; a share is rounded down.
    pub max_unavailable: CountOrPercent,
    /// How long to watch after each batch.
    pub pause_ms: u64,
    /// How long a new instance must have been ready before it counts as available.
    pub min_ready_ms: u64,
    /// A batch that is not available within this time has failed; absent: the fleet's
    /// `ready_within` and warm-up.
    pub progress_deadline_ms: Option<u64>,
    /// Where the rollout stops to be watched.
    pub partition: Partition,
    /// What is done when something fails.
    pub on_failure: OnFailure,
    /// How long to watch at the end.
    pub watch_ms: u64,
}

/// Parts of a fleet that are replaced one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partition {
    /// The fleet as a whole.
    Whole,
    /// Zone by zone, in the order of their names.
    Zones {
        /// How long to watch after each.
        pause_ms: u64,
    },
    /// Until each of these shares or counts is reached, rising.
    Waves(Vec<Wave>),
}

/// A part of a fleet that is replaced before the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// New instances once the wave is done; a share is rounded up.
    pub upto: CountOrPercent,
    /// How long to watch after it.
    pub pause_ms: u64,
    /// The approval, by name, without which the next wave does not begin.
    pub approval: Option<String>,
}

/// What is done when something fails.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Everything goes back by itself.
    #[default]
    Rollback,
    /// Nothing moves any more and people are told; they go on or go back.
    Pause,
}

/// Stop the old, start the new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recreate {
    /// The downtime that somebody accepted.
    pub downtime: Downtime,
    /// How long to watch at the end.
    pub watch_ms: u64,
}

/// A declared time without service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Downtime {
    /// At most this long, one way.
    pub at_most_ms: u64,
    /// Who accepted it.
    pub accepted_by: String,
}
