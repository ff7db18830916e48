//! What an analysis rests on, and what makes a rollout go back.

use alloc::format;
use alloc::string::String;

use nonevent_document::{format_duration_ms, member_path};

use super::Checker;
use super::references::analyses_asked;
use crate::deployment::{AnalysisSettings, Trigger};
use crate::rules;

/// Metrics that a router counts by itself.
const COUNTED: [&str; 4] = ["requests", "error_rate", "availability", "p99"];
/// Scrape intervals that a window holds at least.
const SCRAPES_MIN: u64 = 4;

impl Checker<'_> {
    pub(super) fn metrics(&mut self) {
        let deployment = self.deployment;
        if let Some(analysis) = &deployment.analysis {
            self.metrics_of("analysis", analysis);
        }
        for (name, analysis) in &deployment.analyses {
            self.metrics_of(&member_path("analyses", name), analysis);
        }
        self.triggers();
    }

    fn metrics_of(&mut self, path: &str, analysis: &AnalysisSettings) {
        for (name, metric) in &analysis.metrics {
            let at = member_path(&format!("{path}.metrics"), name);
            if metric.source.is_none() && !COUNTED.contains(&name.as_str()) {
                self.push(
                    rules::METRIC_SOURCE,
                    &at,
                    format!("the router does not count {name:?}"),
                    "add its `source`, or use requests, error_rate, availability or p99",
                );
            }
        }
        let scrape_ms = analysis.metrics.values().map(|it| it.scrape_ms).max();
        let scrape_ms = scrape_ms.unwrap_or(0);
        if analysis.window_ms < scrape_ms.saturating_mul(SCRAPES_MIN) {
            self.push(
                rules::WINDOW_SHORT,
                &format!("{path}.window"),
                format!(
                    "a window of {} holds fewer than four samples, {} apart",
                    format_duration_ms(analysis.window_ms),
                    format_duration_ms(scrape_ms)
                ),
                "lengthen the window to at least four scrape intervals, or leave it out",
            );
        }
    }

    fn triggers(&mut self) {
        let deployment = self.deployment;
        // An analysis that no step asks for fires nothing.
        let asked = analyses_asked(deployment);
        let analyses = || {
            let named = asked.iter();
            let named = named.filter_map(|(_, name)| deployment.analyses.get(*name));
            deployment.analysis.iter().chain(named)
        };
        for (index, trigger) in deployment.rollback.triggers.iter().enumerate() {
            let missing = match trigger {
                Trigger::ErrorRate | Trigger::Availability => {
                    let bound = |it: &AnalysisSettings| {
                        it.policy.error_rate_max_ppm.is_some()
                            || it.policy.error_ratio_max_percent.is_some()
                    };
                    (!analyses().any(bound)).then_some("no analysis bounds the error rate")
                }
                Trigger::P99 => {
                    let bound = |it: &AnalysisSettings| {
                        it.policy.p99_max_ms.is_some() || it.policy.p99_ratio_max_percent.is_some()
                    };
                    (!analyses().any(bound)).then_some("no analysis bounds the p99 latency")
                }
                Trigger::Metric(name) => {
                    let has = |it: &AnalysisSettings| it.metrics.contains_key(name);
                    (!analyses().any(has)).then_some("no analysis has a metric of this name")
                }
                Trigger::CrashLoop | Trigger::HealthCheck | Trigger::Smoke | Trigger::Person => {
                    None
                }
            };
            if let Some(missing) = missing {
                self.push(
                    rules::TRIGGER_DEAD,
                    &format!("rollback.triggers[{index}]"),
                    String::from(missing) + ": this trigger can never fire",
                    "bound it in `analysis`, or take the trigger out",
                );
            }
        }
    }
}
