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

/// What one look says of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelReading {
    /// The baseline's, if there is one.
    pub stable: Option<f64>,
    /// The canary's.
    pub canary: f64,
}
