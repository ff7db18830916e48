//! Times: each within its bounds.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{format_duration_ms, member_path};

use super::{Checker, step_path};
use crate::deployment::{AnalysisSettings, Deployment, Partition, Strategy};
use crate::rules;

const DAY_MS: u64 = 86_400_000;
const TIME_MAX_MS: u64 = 30 * DAY_MS;

/// A time: where it stands, how long it is, and how long at least it must be, in milliseconds.
type Time = (String, u64, u64);

fn time(path: &str, value_ms: u64, least_ms: u64) -> Time {
    (String::from(path), value_ms, least_ms)
}

impl Checker<'_> {
    pub(super) fn times(&mut self) {
        let deployment = self.deployment;
        let fleet = &deployment.fleet;
        let mut times = alloc::vec![
            time("fleet.warm_up", fleet.warm_up_ms, 0),
            time("fleet.ready_within", fleet.ready_within_ms, 1),
            time("fleet.drain", fleet.drain_ms, 0),
            time("rollback.within", deployment.rollback.within_ms, 1),
        ];
        times.extend(of_strategy(&deployment.strategy));
        times.extend(around(deployment));
        for (path, value_ms, least_ms) in times {
            if (least_ms..=TIME_MAX_MS).contains(&value_ms) {
                continue;
            }
            self.push(
                rules::TIME_RANGE,
                &path,
                format!("{} is out of range", format_duration_ms(value_ms)),
                if least_ms > 0 {
                    "write more than 0 and at most 30d"
                } else {
                    "write at most 30d"
                },
            );
        }
    }
}

fn of_strategy(strategy: &Strategy) -> Vec<Time> {
    match strategy {
        Strategy::Canary(canary) => {
            let steps = canary.steps.iter().enumerate();
            let pauses = steps.map(|(index, step)| (step_path(index, "pause"), step.pause_ms, 1));
            pauses.collect()
        }
        Strategy::BlueGreen(it) => {
            let path = |field: &str| format!("strategy.blue_green.{field}");
            let mut times = alloc::vec![
                (path("preview"), it.preview_ms, 0),
                (path("bake"), it.bake_ms, 1),
                (path("scale_down_delay"), it.scale_down_delay_ms, 0),
            ];
            for (index, stage) in it.stages.iter().enumerate() {
                times.push((path(&format!("stages[{index}].pause")), stage.pause_ms, 1));
            }
            times
        }
        Strategy::Rolling(it) => {
            let path = |field: &str| format!("strategy.rolling.{field}");
            let mut times = alloc::vec![
                (path("pause"), it.pause_ms, 0),
                (path("min_ready"), it.min_ready_ms, 0),
                (path("watch"), it.watch_ms, 0),
            ];
            if let Some(deadline_ms) = it.progress_deadline_ms {
                times.push((path("progress_deadline"), deadline_ms, 1));
            }
            match &it.partition {
                Partition::Whole => {}
                Partition::Zones { pause_ms } => {
                    times.push((path("by_zone.pause"), *pause_ms, 1));
                }
                Partition::Waves(waves) => {
                    for (index, wave) in waves.iter().enumerate() {
                        times.push((path(&format!("waves[{index}].pause")), wave.pause_ms, 1));
                    }
                }
            }
            times
        }
        Strategy::Recreate(it) => alloc::vec![
            time(
                "strategy.recreate.downtime.at_most",
                it.downtime.at_most_ms,
                1
            ),
            time("strategy.recreate.watch", it.watch_ms, 0),
        ],
    }
}

fn of_analysis(path: &str, analysis: &AnalysisSettings) -> Vec<Time> {
    let mut times = alloc::vec![
        (format!("{path}.warm_up"), analysis.warm_up_ms, 0),
        (format!("{path}.window"), analysis.window_ms, 0),
    ];
    for (name, metric) in &analysis.metrics {
        let at = member_path(&format!("{path}.metrics"), name);
        times.push((format!("{at}.lag"), metric.lag_ms, 0));
        times.push((format!("{at}.scrape"), metric.scrape_ms, 1));
    }
    times
}

fn around(deployment: &Deployment) -> Vec<Time> {
    let mut times = Vec::new();
    if let Some(analysis) = &deployment.analysis {
        times.extend(of_analysis("analysis", analysis));
    }
    for (name, analysis) in &deployment.analyses {
        times.extend(of_analysis(&member_path("analyses", name), analysis));
    }
    for (name, approval) in &deployment.approvals {
        let path = format!("{}.timeout", member_path("approvals", name));
        times.push((path, approval.timeout_ms, 1));
    }
    for (index, migration) in deployment.migrations.iter().enumerate() {
        times.push((
            format!("migrations[{index}].within"),
            migration.within_ms,
            1,
        ));
    }
    for (index, manual) in deployment.manual.iter().enumerate() {
        times.push((format!("manual[{index}].within"), manual.within_ms, 1));
    }
    for (index, flag) in deployment.flags.iter().enumerate() {
        for (stage, it) in flag.stages.iter().enumerate() {
            times.push((
                format!("flags[{index}].stages[{stage}].pause"),
                it.pause_ms,
                1,
            ));
        }
    }
    if let Some(ttl_ms) = deployment.target.dns_ttl_ms {
        times.push((String::from("target.dns_ttl"), ttl_ms, 0));
    }
    times
}
