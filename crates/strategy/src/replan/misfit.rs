//! Why a plan does not fit the fleet that is there, and what to do about it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use nonevent_document::{Findings, Severity};
use nonevent_router::Split;

/// Which kind of reason it is, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MisfitKind {
    /// The plan to be replaced is about something else.
    OtherPlan,
    /// The plan to be replaced has no digest.
    NoDigest,
    /// The router's split was not read.
    SplitUnknown,
    /// Traffic is not all on stable.
    TrafficMoved,
    /// Instances of the new version are there.
    Leftovers,
    /// There is no stable instance.
    NoStable,
    /// Another version serves than the one the plan leads from.
    OtherVersion,
    /// The instances found do not carry the traffic, by the document's own number.
    TooFew,
    /// The document counts instances by zone, and what was found is not counted so.
    ZonesUnknown,
    /// The document's checks refuse the number found.
    Refused,
    /// Another number of stable instances, for which there can be a plan.
    OtherCount,
}

/// One reason why a plan does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MisfitReason {
    /// See [`MisfitKind::OtherPlan`].
    OtherPlan,
    /// See [`MisfitKind::NoDigest`].
    NoDigest {
        /// What is wrong with it.
        error: String,
    },
    /// See [`MisfitKind::SplitUnknown`].
    SplitUnknown,
    /// See [`MisfitKind::TrafficMoved`].
    TrafficMoved {
        /// The split that was read.
        split: Split,
    },
    /// See [`MisfitKind::Leftovers`].
    Leftovers {
        /// How many.
        found: u32,
        /// Of which version, if that is known.
        version: Option<String>,
    },
    /// See [`MisfitKind::NoStable`].
    NoStable,
    /// See [`MisfitKind::OtherVersion`].
    OtherVersion {
        /// The version that the plan leads from.
        planned: String,
        /// The version that serves.
        found: String,
    },
    /// See [`MisfitKind::TooFew`].
    TooFew {
        /// Instances that carry the whole traffic.
        needed: u32,
        /// Stable instances.
        found: u32,
    },
    /// See [`MisfitKind::ZonesUnknown`].
    ZonesUnknown {
        /// The document's replicas.
        declared: u32,
        /// Stable instances.
        found: u32,
    },
    /// See [`MisfitKind::Refused`].
    Refused {
        /// What the checks found.
        findings: Findings,
    },
    /// See [`MisfitKind::OtherCount`].
    OtherCount {
        /// The plan's replicas.
        planned: u32,
        /// Stable instances.
        found: u32,
    },
}

impl MisfitReason {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> MisfitKind {
        match self {
            MisfitReason::OtherPlan => MisfitKind::OtherPlan,
            MisfitReason::NoDigest { .. } => MisfitKind::NoDigest,
            MisfitReason::SplitUnknown => MisfitKind::SplitUnknown,
            MisfitReason::TrafficMoved { .. } => MisfitKind::TrafficMoved,
            MisfitReason::Leftovers { .. } => MisfitKind::Leftovers,
            MisfitReason::NoStable => MisfitKind::NoStable,
            MisfitReason::OtherVersion { .. } => MisfitKind::OtherVersion,
            MisfitReason::TooFew { .. } => MisfitKind::TooFew,
            MisfitReason::ZonesUnknown { .. } => MisfitKind::ZonesUnknown,
            MisfitReason::Refused { .. } => MisfitKind::Refused,
            MisfitReason::OtherCount { .. } => MisfitKind::OtherCount,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn what_to_do(&self) -> &'static str {
        match self {
            MisfitReason::OtherPlan => {
                "name the plan that was made from this document, or plan without a parent"
            }
            MisfitReason::NoDigest { .. } => "plan from the document, without a parent",
            MisfitReason::SplitUnknown => "read the router first; an unread split is no split",
            MisfitReason::TrafficMoved { .. } => {
                "end or undo what moved it, until all traffic is on stable"
            }
            MisfitReason::Leftovers { .. } => {
                "resume or roll back the rollout they belong to, or remove them"
            }
            MisfitReason::NoStable => {
                "start the version that a rollback would return to, and see it serve"
            }
            MisfitReason::OtherVersion { .. } => {
                "correct `release.from`, or bring back the version it names"
            }
            MisfitReason::TooFew { .. } => {
                "bring the fleet back to that number, or correct `fleet.min_healthy`"
            }
            MisfitReason::ZonesUnknown { .. } => {
                "correct `fleet.replicas` and `fleet.zones` to what runs, and plan again"
            }
            MisfitReason::Refused { .. } => {
                "correct the document for this number of instances, and plan again"
            }
            MisfitReason::OtherCount { .. } => {
                "plan again for this number, and have the new plan approved"
            }
        }
    }
}

impl fmt::Display for MisfitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MisfitReason::OtherPlan => f.write_str(
                "the plan to be replaced is about another service, environment, strategy or release",
            ),
            MisfitReason::NoDigest { error } => {
                write!(f, "the plan to be replaced has no digest: {error}")
            }
            MisfitReason::SplitUnknown => f.write_str("how traffic is divided now was not read"),
            MisfitReason::TrafficMoved { split } if split.is_closed() => {
                f.write_str("the router lets no traffic through")
            }
            MisfitReason::TrafficMoved { split } => {
                write!(f, "{split} of traffic goes to the new version already")
            }
            MisfitReason::Leftovers { found, version } => {
                write!(f, "{} of the new version", instances(*found))?;
                if let Some(version) = version {
                    write!(f, " ({version:?})")?;
                }
                let verb = if *found == 1 { "is" } else { "are" };
                write!(f, " {verb} there already")
            }
            MisfitReason::NoStable => f.write_str("no stable instance is there to go back to"),
            MisfitReason::OtherVersion { planned, found } => {
                write!(f, "{found:?} serves, and the plan leads from {planned:?}")
            }
            MisfitReason::TooFew { needed, found } => write!(
                f,
                "{} cannot carry the traffic, which takes {needed}",
                instances(*found)
            ),
            MisfitReason::ZonesUnknown { declared, found } => write!(
                f,
                "which zones the {} run in is not known; the document spreads {declared}",
                instances(*found)
            ),
            MisfitReason::Refused { findings } => {
                f.write_str("the document does not allow this number of instances: ")?;
                let errors = findings.iter().filter(|it| it.severity == Severity::Error);
                for (index, finding) in errors.enumerate() {
                    let between = if index == 0 { "" } else { "; " };
                    write!(f, "{between}{} {}", finding.code, finding.message)?;
                }
                Ok(())
            }
            MisfitReason::OtherCount { planned, found } => {
                write!(f, "{} found, and the plan is for {planned}", instances(*found))
            }
        }
    }
}

fn instances(count: u32) -> String {
    match count {
        1 => String::from("1 instance"),
        count => alloc::format!("{count} instances"),
    }
}

/// A plan does not fit the fleet that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misfit {
    /// The gravest first; empty only while it is gathered.
    reasons: Vec<MisfitReason>,
}

impl Misfit {
    pub(super) fn add(&mut self, reason: MisfitReason) {
        let at = self
            .reasons
            .partition_point(|other| other.kind() <= reason.kind());
        self.reasons.insert(at, reason);
    }

    pub(super) fn into_result(self) -> Result<(), Misfit> {
        if self.reasons.is_empty() {
            Ok(())
        } else {
            Err(self)
        }
    }

    /// The kind of the gravest reason.
    #[must_use]
    pub fn kind(&self) -> MisfitKind {
        let first = self.reasons.first();
        first.map_or(MisfitKind::OtherCount, MisfitReason::kind)
    }

    /// Every reason, the gravest first.
    #[must_use]
    pub fn reasons(&self) -> &[MisfitReason] {
        &self.reasons
    }

    /// Whether the fleet may get a plan of its own as it is: nothing is the matter but the count.
    #[must_use]
    pub fn can_replan(&self) -> bool {
        self.kind() == MisfitKind::OtherCount
    }
}

impl From<MisfitReason> for Misfit {
    fn from(reason: MisfitReason) -> Self {
        Misfit {
            reasons: alloc::vec![reason],
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, reason) in self.reasons.iter().enumerate() {
            let between = if index == 0 { "" } else { "; " };
            write!(f, "{between}{reason}: {}", reason.what_to_do())?;
        }
        Ok(())
    }
}

impl core::error::Error for Misfit {}
