//! How traffic is divided between the two versions of a rollout.

use alloc::format;
use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

/// The whole of the traffic, in weight units: one unit is 0.01 %.
pub const FULL_WEIGHT: u16 = 10_000;

/// One of the two sides of a rollout.
///
/// Blue-green calls them *active* and *preview*, rolling and recreate *old* and *new*;
/// a plan uses the same two words for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arm {
    /// The version that served before the rollout and to which a rollback returns.
    Stable,
    /// The version that is being released.
    Canary,
}

impl Arm {
    /// Both arms, stable first.
    pub const BOTH: [Arm; 2] = [Arm::Stable, Arm::Canary];

    /// 0 for stable, 1 for the canary.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Arm::Stable => 0,
            Arm::Canary => 1,
        }
    }

    /// The other side.
    #[must_use]
    pub const fn other(self) -> Arm {
        match self {
            Arm::Stable => Arm::Canary,
            Arm::Canary => Arm::Stable,
        }
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Arm::Stable => "stable",
            Arm::Canary => "canary",
        })
    }
}

/// A division of traffic. The weights of an open split sum to [`FULL_WEIGHT`] by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// `canary` units of 10 000 go to the canary, the others to stable.
    Open {
        /// The canary's weight, 0 to 10 000.
        canary: CanaryWeight,
    },
    /// No traffic is let through: the router answers 503 itself. Only a declared downtime allows it.
    Closed,
}

/// The canary's weight in an open [`Split`]: 0 to 10 000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanaryWeight(u16);

impl Split {
    /// All traffic to stable.
    pub const STABLE: Split = Split::Open {
        canary: CanaryWeight(0),
    };
    /// All traffic to the canary.
    pub const CANARY: Split = Split::Open {
        canary: CanaryWeight(FULL_WEIGHT),
    };

    /// An open split that sends `canary` units of 10 000 to the canary; `None` above 10 000.
    #[must_use]
    pub const fn canary(canary: u16) -> Option<Split> {
        if canary <= FULL_WEIGHT {
            Some(Split::Open {
                canary: CanaryWeight(canary),
            })
        } else {
            None
        }
    }

    /// The weight of one arm, 0 to 10 000; 0 when closed.
    #[must_use]
    pub const fn weight(self, arm: Arm) -> u16 {
        match (self, arm) {
            (Split::Open { canary }, Arm::Canary) => canary.0,
            (Split::Open { canary }, Arm::Stable) => FULL_WEIGHT - canary.0,
            (Split::Closed, _) => 0,
        }
    }

    /// Whether no traffic is let through.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        matches!(self, Split::Closed)
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Split::Closed => f.pad("closed"),
            Split::Open { canary } => {
                let (whole, part) = (canary.0 / 100, canary.0 % 100);
                let text: String = match part {
                    0 => format!("{whole} %"),
                    p if p % 10 == 0 => format!("{whole}.{} %", p / 10),
                    p => format!("{whole}.{p:02} %"),
                };
                f.pad(&text)
            }
        }
    }
}

/// The two weights do not sum to 10 000.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("weights {stable} (stable) and {canary} (canary) do not sum to 10000")]
pub struct InvalidSplit {
    stable: u32,
    canary: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum SplitWire {
    Closed,
    Weights { stable: u32, canary: u32 },
}

impl Serialize for Split {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Split::Closed => SplitWire::Closed,
            Split::Open { canary } => SplitWire::Weights {
                stable: u32::from(FULL_WEIGHT - canary.0),
                canary: u32::from(canary.0),
            },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Split {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match SplitWire::deserialize(deserializer)? {
            SplitWire::Closed => Ok(Split::Closed),
            SplitWire::Weights { stable, canary } => u16::try_from(canary)
                .ok()
                .filter(|_| u64::from(stable) + u64::from(canary) == u64::from(FULL_WEIGHT))
                .and_then(Split::canary)
                .ok_or_else(|| serde::de::Error::custom(InvalidSplit { stable, canary })),
        }
    }
}
