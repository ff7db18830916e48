//! What a panel is told: one look at all metrics.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::window::{GapReason, LatencyCounts};

/// One look: the figures of all metrics over the same stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelLook {
    /// When the stretch ended, in milliseconds on a clock of the caller's.
    pub at_ms: u64,
    /// A reading for each metric, in the order of [`PanelPolicy`](super::PanelPolicy)`::metrics`.
    /// Metrics beyond the end have none.
    pub readings: Vec<Reading>,
}

impl PanelLook {
    /// The canary's requests in this stretch of time, by the metric that counts most of them.
    pub(super) fn canary_requests(&self) -> u64 {
        let counted = self.readings.iter().map(|reading| match reading {
            Reading::Share(share) => share.canary.0,
            Reading::Latency { canary, .. } => canary.total(),
            Reading::Level(_) | Reading::Gap(_) => 0,
        });
        counted.max().unwrap_or(0)
    }
}

/// What one look says of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reading {
    /// Of a share of requests.
    Share(ShareReading),
    /// Of latencies.
    Latency {
        /// The baseline's.
        stable: LatencyCounts,
        /// The canary's.
        canary: LatencyCounts,
    },
    /// Of a level or a count.
    Level(LevelReading),
    /// Nothing can be said, and why.
    Gap(GapReason),
}

/// Requests of each version in this stretch of time, and those among them that count: differences
/// of counters, not the counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareReading {
    /// The baseline's requests, and how many of them count.
    pub stable: (u64, u64),
    /// The canary's.
    pub canary: (u64, u64),
}

/// A level of each version, in the units of
/// [`Quantity::value`](crate::bounds::Quantity::value): shares of 1, bytes, per second, or plain
/// numbers. What is not finite counts as not known.
///
/// Each look brings a fresh sample: one that was told before is evidence twice, so let it be a
/// [`Gap`](Reading::Gap) with [`GapReason::Stale`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelReading {
    /// The baseline's, if there is one.
    pub stable: Option<f64>,
    /// The canary's.
    pub canary: f64,
}
