//! Names, numbers, times and what the document refers to: each value by itself.

use alloc::format;
use alloc::string::String;

use nonevent_document::format_duration_ms;

use super::{Checker, step_path};
use crate::deployment::{AnalysisSettings, Strategy};
use crate::rules;

const INSTANCES_MAX: u32 = 5_000;
const DAY_MS: u64 = 86_400_000;
const NAME_CHARS_MAX: usize = 200;

impl Checker<'_> {
    pub(super) fn names(&mut self) {
        let deployment = self.deployment;
        let mut names = alloc::vec![
            ("service", deployment.service.as_str()),
            ("environment", deployment.environment.as_str()),
            ("release.from", deployment.release.from.as_str()),
            ("release.to", deployment.release.to.as_str()),
        ];
        names.extend(deployment.owner.as_deref().map(|owner| ("owner", owner)));
        if let Strategy::Recreate(recreate) = &deployment.strategy {
            names.push((
                "strategy.recreate.downtime.accepted_by",
                &recreate.downtime.accepted_by,
            ));
        }
        for (path, name) in names {
            let problem = if name.trim().is_empty() {
                "it is empty"
            } else if name.chars().any(char::is_control) {
                "it has a control character, such as a line break"
            } else if name.chars().count() > NAME_CHARS_MAX {
                "it is longer than 200 characters"
            } else {
                continue;
            };
            self.push(
                rules::NAME,
                path,
                format!("this name cannot be used: {problem}"),
                "write one line of 1 to 200 characters",
            );
        }
        if deployment.release.from == deployment.release.to {
            self.push(
                rules::SAME_RELEASE,
                "release.to",
                format!("both versions are {:?}", deployment.release.to),
                "name the version that shall replace it; a restart is not a release",
            );
        }
    }

    pub(super) fn fleet(&mut self) {
        let fleet = &self.deployment.fleet;
        if fleet.replicas == 0 || fleet.replicas > INSTANCES_MAX {
            self.push(
                rules::REPLICAS,
                "fleet.replicas",
                format!("{} instances are out of range", fleet.replicas),
                "write 1 to 5000",
            );
            return;
        }
        if fleet.spare > INSTANCES_MAX {
            self.push(
                rules::REPLICAS,
                "fleet.spare",
                format!("{} spare instances are out of range", fleet.spare),
                "write 0 to 5000",
            );
        }
        let min_ready = fleet.min_ready();
        if min_ready == 0 || min_ready > fleet.replicas {
            self.push(
                rules::MIN_HEALTHY,
                "fleet.min_healthy",
                format!(
                    "{min_ready} of {} instances is out of range",
                    fleet.replicas
                ),
                "write at least 1 and at most fleet.replicas, or 1% to 100%",
            );
        }
    }

    pub(super) fn times(&mut self) {
        let fleet = &self.deployment.fleet;
        let mut times = alloc::vec![
            ("fleet.warm_up", fleet.warm_up_ms, 0),
            ("fleet.ready_within", fleet.ready_within_ms, 1),
            ("fleet.drain", fleet.drain_ms, 0),
            ("rollback.within", self.deployment.rollback.within_ms, 1),
        ];
        match &self.deployment.strategy {
            Strategy::Canary(_) => {}
            Strategy::BlueGreen(it) => times.extend([
                ("strategy.blue_green.bake", it.bake_ms, 1),
                (
                    "strategy.blue_green.scale_down_delay",
                    it.scale_down_delay_ms,
                    0,
                ),
            ]),
            Strategy::Rolling(it) => times.extend([
                ("strategy.rolling.pause", it.pause_ms, 0),
                ("strategy.rolling.watch", it.watch_ms, 0),
            ]),
            Strategy::Recreate(it) => times.extend([
                (
                    "strategy.recreate.downtime.at_most",
                    it.downtime.at_most_ms,
                    1,
                ),
                ("strategy.recreate.watch", it.watch_ms, 0),
            ]),
        }
        for (path, value_ms, least_ms) in times {
            self.time(path, value_ms, least_ms);
        }
        if let Strategy::Canary(canary) = &self.deployment.strategy {
            for (index, step) in canary.steps.iter().enumerate() {
                self.time(&step_path(index, "pause"), step.pause_ms, 1);
            }
        }
    }

    fn time(&mut self, path: &str, value_ms: u64, least_ms: u64) {
        if (least_ms..=30 * DAY_MS).contains(&value_ms) {
            return;
        }
        self.push(
            rules::TIME_RANGE,
            path,
            format!("{} is out of range", format_duration_ms(value_ms)),
            if least_ms > 0 {
                "write more than 0 and at most 30d"
            } else {
                "write at most 30d"
            },
        );
    }

    pub(super) fn analysis(&mut self) {
        let Some(AnalysisSettings {
            every_ms, policy, ..
        }) = &self.deployment.analysis
        else {
            if !matches!(self.deployment.strategy, Strategy::Recreate(_)) {
                self.push(
                    rules::NO_ANALYSIS,
                    "",
                    String::from("both versions will serve, and nothing compares them"),
                    "add `analysis: { every: 1m }`",
                );
            }
            return;
        };
        if !(100..=3_600_000).contains(every_ms) {
            self.push(
                rules::EVERY_ZERO,
                "analysis.every",
                format!("{} is out of range", format_duration_ms(*every_ms)),
                "write 100ms to 1h",
            );
        }
        let bounds = [
            policy.error_rate_max_ppm,
            policy.error_ratio_max_percent,
            policy.p99_ratio_max_percent,
            policy.p99_max_ms,
        ];
        let empty = bounds.iter().all(Option::is_none);
        for problem in policy.problems() {
            // A switched-off bound is only ever wrong as one of all of them, told below.
            if empty && problem.field == "error_rate_max_ppm" {
                continue;
            }
            self.push(
                rules::ANALYSIS_POLICY,
                &format!("analysis.policy.{}", problem.field),
                problem.message,
                "correct it, or leave it out to take its default",
            );
        }
        if empty {
            self.push(
                rules::EMPTY_ANALYSIS,
                "analysis.policy",
                String::from("every bound is switched off: nothing can fail"),
                "set at least one of error_rate_max_ppm, error_ratio_max_percent, \
                 p99_ratio_max_percent, p99_max_ms",
            );
        }
    }

    pub(super) fn suites(&mut self) {
        let deployment = self.deployment;
        for (path, name) in deployment.suites() {
            let path = path.as_str();
            match self.facts.suites.get(name) {
                Some(fact) if fact.tests > 0 => {}
                Some(_) => self.push(
                    rules::SUITE_EMPTY,
                    path,
                    format!("the suite {name:?} has no test that asserts anything"),
                    "add a test, or leave the suite out: then one `GET /` must answer 200",
                ),
                None if self.facts.suites_read => self.push(
                    rules::SUITE_UNREAD,
                    path,
                    format!("the suite {name:?} could not be read"),
                    "name a file relative to the deployment document",
                ),
                None => self.push(
                    rules::SUITE_UNKNOWN,
                    path,
                    format!("not evaluated: what the suite {name:?} asserts is not known here"),
                    "give the check the suite's digest and number of tests",
                ),
            }
        }
    }
}
