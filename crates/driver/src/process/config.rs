//! What a fleet of processes is opened with.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::launch::Launch;
use super::probe::Health;

/// A fleet of processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetConfig {
    /// The fleet's folder, for records and logs. Only one controller at a time may use it.
    pub dir: PathBuf,
    /// What a stable instance runs.
    pub stable: Launch,
    /// What a canary instance runs.
    pub canary: Launch,
    /// How instances are asked whether they are well.
    pub health: Health,
    /// How much of an instance's output is kept in its log, in bytes; as much again is kept in
    /// the log before it.
    pub log_bytes_max: u64,
    /// What tells this fleet's processes from all others on the machine: 1 to 200 of
    /// `A-Z a-z 0-9 - _ . :`. It must be the same each time the fleet is opened.
    pub start_marker: String,
}
