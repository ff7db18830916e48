//! Pauses: that what is judged in them can be seen in them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_router::FULL_WEIGHT;

use super::strength::Asked;
use super::{Checker, step_path};
use crate::deployment::{
    AnalysisSettings, BlueGreen, CanaryStep, Judged, Partition, Recreate, Rolling, Strategy,
};
use crate::planner::given_weight;
use crate::rules;

impl Checker<'_> {
    pub(super) fn pause(&mut self, index: usize, step: &CanaryStep, asked: &mut Asked) {
        let Some(analysis) = self.deployment.analysis_of(step.judged()) else {
            return;
        };
        let weight = given_weight(self.deployment, step);
        let path = step_path(index, "pause");
        let Some(usable_ms) = self.seen(&path, step.pause_ms, analysis) else {
            return;
        };
        // Chosen users and copies: how many requests the named analysis counts is not known.
        if weight > 0
            && let Some(rate) = self.enough(&path, analysis, usable_ms, weight)
            && asked.is_worth(usable_ms)
        {
            self.strength(&path, analysis, usable_ms, weight, rate);
        }
    }

    /// Says so if the new version sees too few requests in a pause at this share; the requests per
    /// second if there are enough, `None` also if they are not known.
    pub(super) fn enough(
        &mut self,
        path: &str,
        analysis: &AnalysisSettings,
        usable_ms: u64,
        weight: u16,
    ) -> Option<u32> {
        let rate = self.deployment.fleet.requests_per_second?;
        // Four billion a second for a month at full weight do not fit into 64 bits.
        let requests = u128::from(rate) * u128::from(usable_ms) / 1000 * u128::from(weight)
            / u128::from(FULL_WEIGHT);
        if requests >= u128::from(analysis.policy.requests_min) {
            return Some(rate);
        }
        let new = match self.deployment.strategy {
            Strategy::Canary(_) => "canary",
            _ => "new version",
        };
        self.push(
            rules::PAUSE_FEW,
            path,
            format!(
                "the {new} sees about {requests} requests in this pause, and its analysis wants {}",
                analysis.policy.requests_min
            ),
            "lengthen the pause or raise the step's traffic; else the rollout waits, then goes back",
        );
        None
    }

    /// The time of a pause from which figures are there to be judged; `None`, with a finding, if
    /// there is not enough of it.
    fn seen(&mut self, path: &str, pause_ms: u64, analysis: &AnalysisSettings) -> Option<u64> {
        let usable_ms = pause_ms.saturating_sub(analysis.warm_up_ms);
        let looks_ms = 2 * analysis.every_ms;
        if usable_ms < looks_ms {
            self.push(
                rules::PAUSE_BLIND,
                path,
                format!(
                    "a pause of {} leaves less than two looks of the analysis, {} apart after {} of \
                     warm-up",
                    format_duration_ms(pause_ms),
                    format_duration_ms(analysis.every_ms),
                    format_duration_ms(analysis.warm_up_ms),
                ),
                "lengthen the pause, or look more often",
            );
            return None;
        }
        let late_ms = late_ms(analysis);
        if usable_ms < looks_ms.saturating_add(late_ms) {
            self.push(
                rules::PAUSE_LATE,
                path,
                format!(
                    "a pause of {} is over before {} of metrics that are {} late, and two looks, are",
                    format_duration_ms(pause_ms),
                    format_duration_ms(analysis.window_ms),
                    format_duration_ms(analysis.late_ms()),
                ),
                "lengthen the pause, or use metrics that are there sooner",
            );
            return None;
        }
        Some(usable_ms - late_ms)
    }

    /// The times that the document's own analysis judges; a time of zero is not waited for.
    fn judged(&mut self, times: &[(String, u64)]) {
        let Some(analysis) = self.deployment.analysis_of(&Judged::Default) else {
            return;
        };
        for (path, time_ms) in times {
            if *time_ms > 0 {
                self.seen(path, *time_ms, analysis);
            }
        }
    }

    pub(super) fn switch_pauses(&mut self, blue_green: &BlueGreen) {
        self.judged(&switch_times(blue_green));
    }

    pub(super) fn rolling_pauses(&mut self, rolling: &Rolling) {
        self.judged(&rolling_times(rolling));
    }

    pub(super) fn recreate_pauses(&mut self, recreate: &Recreate) {
        let path = String::from("strategy.recreate.watch");
        self.judged(&[(path, recreate.watch_ms)]);
    }
}

/// How long after it has happened something is seen whole.
fn late_ms(analysis: &AnalysisSettings) -> u64 {
    analysis.late_ms().saturating_add(analysis.window_ms)
}

/// The time of a pause from which there are figures.
pub(super) fn usable_ms(pause_ms: u64, analysis: &AnalysisSettings) -> u64 {
    let warm_ms = pause_ms.saturating_sub(analysis.warm_up_ms);
    warm_ms.saturating_sub(late_ms(analysis))
}

/// The times that a switch is watched, with where the document has them.
pub(super) fn switch_times(blue_green: &BlueGreen) -> Vec<(String, u64)> {
    let path = |field: &str| format!("strategy.blue_green.{field}");
    let stages = blue_green.stages.iter().enumerate();
    let stages = stages.map(|(index, it)| (path(&format!("stages[{index}].pause")), it.pause_ms));
    let mut times: Vec<(String, u64)> = stages.collect();
    times.push((path("bake"), blue_green.bake_ms));
    times
}

/// The times that a rolling update is watched, with where the document has them.
pub(super) fn rolling_times(rolling: &Rolling) -> Vec<(String, u64)> {
    let path = |field: &str| format!("strategy.rolling.{field}");
    let mut times = alloc::vec![
        (path("pause"), rolling.pause_ms),
        (path("watch"), rolling.watch_ms),
    ];
    match &rolling.partition {
        Partition::Whole => {}
        Partition::Zones { pause_ms } => times.push((path("by_zone.pause"), *pause_ms)),
        Partition::Waves(waves) => {
            let waves = waves.iter().enumerate();
            let path = |index| path(&format!("waves[{index}].pause"));
            times.extend(waves.map(|(index, it)| (path(index), it.pause_ms)));
        }
    }
    times
}
