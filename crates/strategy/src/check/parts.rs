//! Parts of a fleet, and parts of a switch.

use alloc::format;
use alloc::string::String;

use nonevent_document::{format_duration_ms, member_path};
use nonevent_router::FULL_WEIGHT;

use super::Checker;
use crate::deployment::{BlueGreen, ConnectionPolicy, Partition, Rolling};
use crate::rules;

/// The least time to ride connections out.
const RIDE_OUT_MIN_MS: u64 = 60_000;

impl Checker<'_> {
    pub(super) fn connections(&mut self) {
        let fleet = &self.deployment.fleet;
        if !fleet.connections_declared {
            self.push(
                rules::CONNECTIONS_UNSAID,
                "fleet",
                String::from("what long-lived connections meet is not said"),
                "add `connections: close_after`, `close_at_once` or `ride_out`",
            );
        }
        if fleet.connections == ConnectionPolicy::RideOut && fleet.drain_ms < RIDE_OUT_MIN_MS {
            self.push(
                rules::RIDE_OUT_SHORT,
                "fleet.drain",
                format!(
                    "connections have {} to end by themselves",
                    format_duration_ms(fleet.drain_ms)
                ),
                "write at least 1m, or `connections: close_after`",
            );
        }
        self.zones();
        let zoned: u64 = fleet.zones.values().map(|count| u64::from(*count)).sum();
        if !fleet.zones.is_empty() && zoned != u64::from(fleet.replicas) {
            self.push(
                rules::ZONES_SUM,
                "fleet.zones",
                format!(
                    "the zones have {zoned} instances, and the fleet {}",
                    fleet.replicas
                ),
                "let the zones add up to fleet.replicas",
            );
        }
    }

    fn zones(&mut self) {
        for (zone, count) in &self.deployment.fleet.zones {
            if *count == 0 {
                self.push(
                    rules::ZONES_SUM,
                    &member_path("fleet.zones", zone),
                    format!("the zone {zone:?} has no instance"),
                    "take it out",
                );
            }
        }
    }

    pub(super) fn partition(&mut self, rolling: &Rolling) {
        let fleet = &self.deployment.fleet;
        match &rolling.partition {
            Partition::Whole => {}
            Partition::Zones { .. } if fleet.zones.is_empty() => self.push(
                rules::ZONES_SUM,
                "strategy.rolling.by_zone",
                String::from("which zones there are is not said"),
                "add `fleet.zones`, with the instances of each",
            ),
            Partition::Zones { .. } => {}
            Partition::Waves(waves) => {
                let mut before = 0;
                for (index, wave) in waves.iter().enumerate() {
                    let upto = wave.upto.of_ceil(fleet.replicas);
                    if upto <= before || upto > fleet.replicas {
                        self.push(
                            rules::WAVES_FALL,
                            &format!("strategy.rolling.waves[{index}].upto"),
                            format!("{upto} of {} instances, after {before}", fleet.replicas),
                            "let each wave reach more instances than the one before",
                        );
                    }
                    if upto == fleet.replicas && wave.approval.is_some() {
                        self.push(
                            rules::WAVES_FALL,
                            &format!("strategy.rolling.waves[{index}].approval"),
                            String::from("no wave comes after this one, so nothing waits for it"),
                            "name it in the wave before, or take it out",
                        );
                    }
                    before = upto;
                }
            }
        }
        let least_ms = fleet.warm_up_ms.max(rolling.min_ready_ms);
        if let Some(deadline_ms) = rolling.progress_deadline_ms
            && deadline_ms <= least_ms
        {
            self.push(
                rules::PROGRESS_SHORT,
                "strategy.rolling.progress_deadline",
                format!(
                    "a batch has {}, and counts as available after {} at the earliest",
                    format_duration_ms(deadline_ms),
                    format_duration_ms(least_ms)
                ),
                "make it longer than fleet.warm_up and min_ready, with time to start",
            );
        }
    }

    pub(super) fn stages(&mut self, blue_green: &BlueGreen) {
        let mut before = 0;
        for (index, stage) in blue_green.stages.iter().enumerate() {
            let weight = stage.traffic.basis_points();
            if weight <= before || weight >= FULL_WEIGHT {
                self.push(
                    rules::STAGES_FALL,
                    &format!("strategy.blue_green.stages[{index}].traffic"),
                    format!("{} is no stage here", stage.traffic),
                    "order the stages by rising traffic, above 0% and below 100%",
                );
            }
            before = weight;
        }
    }
}
