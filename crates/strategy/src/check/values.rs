//! Names, numbers, times and what the document refers to: each value by itself.

use alloc::format;
use alloc::string::String;

use nonevent_document::{format_duration_ms, member_path};

use super::Checker;
use super::texts::{named, references};
use crate::deployment::{AnalysisSettings, Partition, Strategy};
use crate::rules;

const INSTANCES_MAX: u32 = 10_000;
const NAME_CHARS_MAX: usize = 200;

impl Checker<'_> {
    pub(super) fn names(&mut self) {
        let deployment = self.deployment;
        let names = named(deployment).into_iter().map(|it| (it, true));
        // An empty reference is told of where what it refers to is looked for.
        let references = references(deployment).into_iter().map(|it| (it, false));
        for ((path, name), must_be) in names.chain(references) {
            let problem = if must_be && name.trim().is_empty() {
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
                &path,
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
                "write 1 to 10000",
            );
            return;
        }
        if fleet.spare > INSTANCES_MAX {
            self.push(
                rules::REPLICAS,
                "fleet.spare",
                format!("{} spare instances are out of range", fleet.spare),
                "write 0 to 10000",
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

    pub(super) fn analyses(&mut self) {
        let deployment = self.deployment;
        match &deployment.analysis {
            Some(analysis) => self.analysis("analysis", analysis),
            None if !matches!(deployment.strategy, Strategy::Recreate(_)) => self.push(
                rules::NO_ANALYSIS,
                "",
                String::from("both versions will serve, and nothing compares them"),
                "add `analysis: { every: 1m }`",
            ),
            None => {}
        }
        for (name, analysis) in &deployment.analyses {
            self.analysis(&member_path("analyses", name), analysis);
        }
    }

    fn analysis(&mut self, path: &str, analysis: &AnalysisSettings) {
        let AnalysisSettings {
            every_ms, policy, ..
        } = analysis;
        if !(100..=3_600_000).contains(every_ms) {
            self.push(
                rules::EVERY_ZERO,
                &format!("{path}.every"),
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
                &format!("{path}.policy.{}", problem.field),
                problem.message,
                "correct it, or leave it out to take its default",
            );
        }
        if empty {
            self.push(
                rules::EMPTY_ANALYSIS,
                &format!("{path}.policy"),
                String::from("every bound is switched off: nothing can fail"),
                "set at least one of error_rate_max_ppm, error_ratio_max_percent, \
                 p99_ratio_max_percent, p99_max_ms",
            );
        }
    }

    /// How many entries each list has.
    pub(super) fn lists(&mut self) {
        const STEPS_MAX: usize = 500;
        const ENTRIES_MAX: usize = 100;
        let deployment = self.deployment;
        let mut lists = alloc::vec![
            ("roles", deployment.roles.len(), ENTRIES_MAX),
            ("analyses", deployment.analyses.len(), ENTRIES_MAX),
            ("approvals", deployment.approvals.len(), ENTRIES_MAX),
            ("migrations", deployment.migrations.len(), ENTRIES_MAX),
            ("manual", deployment.manual.len(), ENTRIES_MAX),
            ("flags", deployment.flags.len(), ENTRIES_MAX),
            ("notifications", deployment.notifications.len(), ENTRIES_MAX),
            (
                "rollback.triggers",
                deployment.rollback.triggers.len(),
                ENTRIES_MAX,
            ),
            ("fleet.zones", deployment.fleet.zones.len(), ENTRIES_MAX),
        ];
        lists.push(match &deployment.strategy {
            Strategy::Canary(it) => ("strategy.canary.steps", it.steps.len(), STEPS_MAX),
            Strategy::BlueGreen(it) => ("strategy.blue_green.stages", it.stages.len(), ENTRIES_MAX),
            Strategy::Rolling(it) => match &it.partition {
                Partition::Waves(waves) => ("strategy.rolling.waves", waves.len(), ENTRIES_MAX),
                Partition::Whole | Partition::Zones { .. } => ("strategy.rolling", 0, 0),
            },
            Strategy::Recreate(_) => ("strategy.recreate", 0, 0),
        });
        for (path, count, most) in lists {
            if count > most {
                self.push(
                    rules::TOO_MANY,
                    path,
                    format!("{count} entries are more than {most}"),
                    "divide the deployment, or leave some out",
                );
            }
        }
        for (index, flag) in deployment.flags.iter().enumerate() {
            if flag.stages.len() > ENTRIES_MAX {
                self.push(
                    rules::TOO_MANY,
                    &format!("flags[{index}].stages"),
                    format!("{} entries are more than {ENTRIES_MAX}", flag.stages.len()),
                    "leave some out",
                );
            }
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
