//! From the state of a comparison to a verdict that people can read.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::comparison::Comparison;
use crate::mixture::share_interval;
use crate::power::smallest_rate_found;
use crate::special::exp_capped;
use crate::verdict::{Figure, Metric, Need, Outcome, Verdict};
use crate::window::GapReason;

impl Comparison {
    /// What is known now, without a new look.
    pub fn verdict(&self) -> Verdict {
        let figures: Vec<Figure> = self
            .policy
            .rules()
            .into_iter()
            .map(|rule| self.figure(rule))
            .collect();
        let (outcome, reason) = self.decided(true);
        Verdict {
            outcome,
            reason,
            figures,
        }
    }

    /// The outcome of [`verdict`](Self::verdict) alone, for simulations: its sentence and its figures
    /// cost a thousand times as much.
    ///
    /// ```
    /// use nonevent_analysis::{ArmWindow, Comparison, Outcome, Policy, Window};
    /// let mut comparison = Comparison::new(&Policy::default());
    /// assert_eq!(comparison.outcome(), Outcome::NoData);
    /// let arm = |errors| ArmWindow { requests: 500, errors, ..ArmWindow::default() };
    /// for errors in [1, 90, 90, 90] {
    ///     comparison.learn(&Window { length_ms: 500, stable: arm(1), canary: arm(errors) }.into());
    ///     assert_eq!(comparison.outcome(), comparison.verdict().outcome);
    /// }
    /// assert_eq!(comparison.outcome(), Outcome::Fail);
    /// ```
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.decided(false).0
    }

    /// The outcome, and why, if that is asked for.
    fn decided(&self, why: bool) -> (Outcome, String) {
        let said = |sentence: &dyn Fn() -> String| if why { sentence() } else { String::new() };
        if let Some(rule) = self.failed {
            return (Outcome::Fail, said(&|| self.why_failed(rule)));
        }
        if self.step.canary_requests == 0 {
            let why = self.gap.map_or("no request reached it", |gap| gap.clause());
            let why = || format!("nothing is known of the canary in this step: {why}");
            return (Outcome::NoData, said(&why));
        }
        if let Some(rule) = self.environment() {
            let why = said(&|| self.why_environment(rule));
            return (Outcome::EnvironmentUnhealthy, why);
        }
        if let Some(what) = self
            .decline
            .of_both(-libm::log(self.policy.alpha_per_rule()))
        {
            let why = || {
                format!(
                    "the {what} of both versions are more than three times what stable's were \
                     before the canary had traffic"
                )
            };
            return (Outcome::EnvironmentUnhealthy, said(&why));
        }
        let needs = self.needs();
        if needs.is_empty() {
            (Outcome::Pass, said(&|| self.why_passed()))
        } else {
            let leans = needs
                .iter()
                .any(|need| matches!(need, Need::LessEvidence { .. }));
            let so_far = if leans {
                "harm is not shown yet"
            } else {
                "no evidence of harm yet"
            };
            let reason = said(&|| format!("{so_far}, but {}", listed(&needs)));
            (Outcome::Inconclusive { needs }, reason)
        }
    }

    fn needs(&self) -> Vec<Need> {
        let mut needs = Vec::new();
        let wanted = u64::from(self.policy.requests_min.max(1));
        if self.step.canary_requests < wanted {
            needs.push(Need::CanaryRequests(wanted - self.step.canary_requests));
        }
        if self.step.stable_requests < wanted && self.compares() {
            needs.push(Need::StableRequests(wanted - self.step.stable_requests));
        }
        if self.looks < self.policy.looks_min {
            needs.push(Need::Looks(self.policy.looks_min - self.looks));
        }
        if let Some(reason) = self.gap {
            needs.push(Need::FreshFigures(reason));
        } else if self.fell_silent() {
            needs.push(Need::FreshFigures(GapReason::NoTraffic));
        }
        let limit = -libm::log(self.policy.alpha_per_rule());
        for rule in self.policy.rules() {
            if matches!(rule, Metric::P99 | Metric::P99Ratio) && self.unmeasured(rule) {
                needs.push(Need::Measurement(rule));
            }
            // Half way to failing, in orders of magnitude, is no state to be promoted in.
            if self.evidence.ln_e_value(rule, limit).0 > limit / 2.0 {
                let bound = String::from(rule.name());
                needs.push(Need::LessEvidence { bound });
            }
            let relative = matches!(rule, Metric::ErrorRatio | Metric::P99Ratio);
            if relative && self.policy.require_non_inferiority && !self.shown_not_worse(rule) {
                needs.push(Need::ShownNotWorse(rule));
            }
        }
        needs
    }

    /// Whether any rule looks at stable.
    fn compares(&self) -> bool {
        self.policy.error_ratio_max_percent.is_some() || self.policy.p99_ratio_max_percent.is_some()
    }

    fn unmeasured(&self, rule: Metric) -> bool {
        let undecided = |limit_us| self.canary_latency.is_undecided(limit_us);
        match rule {
            Metric::P99Ratio => {
                let ratio = self.policy.p99_ratio_max_percent.unwrap_or(100);
                let floor_us = self.policy.latency_floor_us;
                let limit = self.stable_latency.limit_us(ratio, floor_us);
                self.timed[0] == 0 || limit.is_none_or(|(_, limit)| undecided(limit))
            }
            Metric::P99 => {
                let limit_ms = u64::from(self.policy.p99_max_ms.unwrap_or(0));
                self.timed[1] == 0 || undecided(limit_ms * 1_000)
            }
            Metric::ErrorRate | Metric::ErrorRatio => false,
        }
    }

    fn figure(&self, rule: Metric) -> Figure {
        let limit = -libm::log(self.policy.alpha_per_rule());
        let (ln_e_value, _) = self.evidence.ln_e_value(rule, limit);
        let percent = |percent: Option<u32>| f64::from(percent.unwrap_or(0)) / 100.0;
        let (canary, stable, bound, relative) = match rule {
            Metric::ErrorRate | Metric::ErrorRatio => {
                let [canary, stable] = self.error_rates();
                if rule == Metric::ErrorRate {
                    let bound = f64::from(self.policy.error_rate_max_ppm.unwrap_or(0)) / 1e6;
                    (canary, stable, bound, false)
                } else {
                    (
                        canary,
                        stable,
                        percent(self.policy.error_ratio_max_percent),
                        true,
                    )
                }
            }
            Metric::P99 | Metric::P99Ratio => {
                let (canary, stable) = (self.canary_latency.p99_ms(), self.stable_latency.p99_ms());
                if rule == Metric::P99 {
                    (
                        canary,
                        stable,
                        f64::from(self.policy.p99_max_ms.unwrap_or(0)),
                        false,
                    )
                } else {
                    (
                        canary,
                        stable,
                        percent(self.policy.p99_ratio_max_percent),
                        true,
                    )
                }
            }
        };
        let effect = match (canary, stable) {
            (Some(canary), Some(stable)) if relative => (stable > 0.0).then(|| canary / stable),
            (canary, _) if !relative => canary,
            _ => None,
        };
        let (lower, upper) = self.interval(rule);
        Figure {
            metric: rule,
            stable,
            canary,
            effect,
            lower,
            upper,
            bound,
            e_value: exp_capped(ln_e_value),
            e_value_max: 1.0 / self.policy.alpha_per_rule(),
        }
    }

    /// The confidence sequence of a rule's effect at the rule's share of alpha.
    fn interval(&self, rule: Metric) -> (Option<f64>, Option<f64>) {
        let alpha = self.policy.alpha_per_rule();
        match rule {
            Metric::ErrorRate if self.total.canary_requests == 0 => (None, None),
            Metric::ErrorRate => {
                let (events, requests) = (self.total.canary_events, self.total.canary_requests);
                let (lower, upper) = share_interval(events, requests, alpha, 1_000);
                (Some(lower), Some(upper))
            }
            Metric::ErrorRatio => self.evidence.errors_ratio.interval(alpha),
            Metric::P99 => self.canary_latency.p99_interval_ms(alpha),
            Metric::P99Ratio => {
                let canary = self.canary_latency.p99_interval_ms(alpha / 2.0);
                let stable = self.stable_latency.p99_interval_ms(alpha / 2.0);
                let ratio = |canary: Option<f64>, stable: Option<f64>| {
                    Some(canary? / stable.filter(|stable| *stable > 0.0)?)
                };
                (ratio(canary.0, stable.1), ratio(canary.1, stable.0))
            }
        }
    }

    fn why_failed(&self, rule: Metric) -> String {
        format!("the canary is worse than allowed: {}", self.sentence(rule))
    }

    fn why_environment(&self, rule: Metric) -> String {
        format!(
            "both versions are over the bound together: {}",
            self.sentence(rule)
        )
    }

    fn why_passed(&self) -> String {
        let seen = format!(
            "no evidence of harm in {} canary and {} stable requests",
            self.total.canary_requests, self.total.stable_requests
        );
        let blocks = self.evidence.errors_ratio.blocks().max(1);
        match smallest_rate_found(&self.policy, &self.total, blocks) {
            Some(rate) => format!(
                "{seen}; an error rate of {} would have been found with probability 0.8, if errors \
                 do not burst",
                share(rate)
            ),
            None => format!("{seen}; so few that no error rate would surely have been found"),
        }
    }

    /// One rule's figures as a clause.
    fn sentence(&self, rule: Metric) -> String {
        let figure = self.figure(rule);
        let value = |value: Option<f64>| match (value, rule) {
            (None, _) => String::from("unknown"),
            (Some(value), Metric::ErrorRate | Metric::ErrorRatio) => share(value),
            (Some(value), Metric::P99 | Metric::P99Ratio) => format!("{value:.1} ms"),
        };
        let allowed = match rule {
            Metric::ErrorRate => format!("{} is allowed", share(figure.bound)),
            Metric::P99 => format!("{} ms is allowed", figure.bound),
            Metric::ErrorRatio => format!("{} times stable's is allowed", figure.bound),
            Metric::P99Ratio => format!("{} times stable's is allowed", figure.bound),
        };
        format!(
            "{} {} in {} requests, stable {} in {}, where {allowed} (evidence {} to 1, {:.0} needed)",
            rule.name(),
            value(figure.canary),
            self.total.canary_requests,
            value(figure.stable),
            self.total.stable_requests,
            round(figure.e_value),
            figure.e_value_max,
        )
    }
}

fn round(evidence: f64) -> String {
    if evidence >= 1e6 {
        String::from("over a million")
    } else {
        format!("{evidence:.0}")
    }
}

/// A share of requests in percent, with as many digits as tell something.
pub(crate) fn share(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 10.0 || percent == 0.0 {
        format!("{percent:.0} %")
    } else if percent >= 1.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.2} %")
    }
}

pub(crate) fn listed(needs: &[Need]) -> String {
    let clauses: Vec<String> = needs
        .iter()
        .map(|need| match need {
            Need::CanaryRequests(count) => format!("{count} more canary requests are needed"),
            Need::StableRequests(count) => format!("{count} more stable requests are needed"),
            Need::FreshFigures(reason) => {
                format!("fresh figures are needed because {}", reason.clause())
            }
            Need::Measurement(metric) => {
                format!("the {} was not measured in this step", metric.name())
            }
            Need::ShownNotWorse(metric) => {
                format!("the {} is not yet shown to be no worse", metric.name())
            }
            Need::Looks(1) => String::from("one more look is needed"),
            Need::Looks(count) => format!("{count} more looks are needed"),
            Need::Known { bound, why } => format!("`{bound}` is not known to be kept: {why}"),
            Need::LessEvidence { bound } => {
                format!("the evidence against `{bound}` is more than half way to failing")
            }
        })
        .collect();
    clauses.join(", and ")
}
