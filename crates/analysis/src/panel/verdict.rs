//! What a panel says: an outcome, the reason in a sentence, and the figures of every clause.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Panel;
use super::clause::{ClauseTest, Seen};
use crate::bounds::{Answer, Bound, Clause, Dimension, Limit, MetricKind, Why};
use crate::special::{Bits, LnMean, exp_capped, float};
use crate::verdict::{Need, Outcome};

/// The verdict of a [`Panel`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct PanelVerdict {
    /// The answer.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub reason: String,
    /// The part of the weights whose rules are not broken, in percent, rounded down.
    pub score_percent: u32,
    /// Evidence that *any* rule is broken: the weighted mean of all. It fails the canary only if the
    /// policy says [`Combine::Average`](super::Combine::Average).
    pub e_value_mean: f64,
    /// Each rule, in the order of the policy.
    pub rules: Vec<RuleVerdict>,
}

/// What is known of one rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleVerdict {
    /// What is allowed.
    pub bound: Bound,
    /// Whether it is kept. `Broken` is final.
    pub answer: Answer,
    /// Evidence that it is broken, now; at least `e_value_max` breaks it. Cut off at 10^300.
    pub e_value: f64,
    /// The evidence that breaks a rule of this panel.
    pub e_value_max: f64,
    /// Each clause, in the order of the text.
    pub clauses: Vec<ClauseFigure>,
}

/// The figures of one clause. Shares are of 1; what is not known is `None`, never zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClauseFigure {
    /// The clause.
    pub clause: Clause,
    /// Whether it is kept.
    pub answer: Answer,
    /// The canary's share since the start, or its last level; of a latency, the share of requests
    /// that took longer than the clause allows.
    pub canary: Option<f64>,
    /// The baseline's; of a latency against the baseline, the share of requests that took longer
    /// than its own quantile before them.
    pub stable: Option<f64>,
    /// Lower bound, valid at every moment at this rule's share of α, on the canary's share, or on
    /// its ratio to the baseline's if the clause limits that.
    pub lower: Option<f64>,
    /// Upper bound.
    pub upper: Option<f64>,
    /// The canary's requests behind it, or its looks, of a level.
    pub seen: u64,
    /// Which of the two `seen` counts.
    pub of_requests: bool,
    /// Evidence that the clause is broken, as it stands; cut off at 10^300.
    pub e_value: f64,
}

impl Panel {
    /// What is known now, in words and figures.
    pub fn verdict(&self) -> PanelVerdict {
        let limit = self.policy.ln_limit();
        let rules = (0..self.policy.rules.len()).map(|rule| self.rule(rule, limit));
        let rules: Vec<RuleVerdict> = rules.collect();
        let outcome = self.outcome();
        PanelVerdict {
            reason: self.reason(&outcome, &rules),
            outcome,
            score_percent: self.score_percent(),
            e_value_mean: exp_capped(self.ln_mean()),
            rules,
        }
    }

    /// The answer alone, without words.
    pub fn outcome(&self) -> Outcome {
        if self.failed() {
            return Outcome::Fail;
        }
        if self.looks == 0 || self.policy.rules.is_empty() {
            return Outcome::NoData;
        }
        if self.together().next().is_some() {
            return Outcome::EnvironmentUnhealthy;
        }
        let needs = self.needs();
        if needs.is_empty() {
            Outcome::Pass
        } else {
            Outcome::Inconclusive { needs }
        }
    }

    fn failed(&self) -> bool {
        let mut rules = self.policy.rules.iter().zip(&self.broken);
        self.mean_failed
            || rules.any(|(rule, broken)| rule.critical && *broken)
            || self.score_percent() < self.policy.score_min_percent.clamp(1, 100)
    }

    /// The bounds that both versions break.
    fn together(&self) -> impl Iterator<Item = &Bound> {
        let limit = self.policy.ln_limit();
        let rules = self.policy.rules.iter().enumerate();
        rules.filter_map(move |(index, rule)| {
            (self.evidence(index).both >= limit).then_some(&rule.bound)
        })
    }

    fn score_percent(&self) -> u32 {
        let (mut all, mut kept) = (0u64, 0u64);
        for (rule, broken) in self.policy.rules.iter().zip(&self.broken) {
            let weight = u64::from(rule.weight_within());
            all += weight;
            kept += if *broken { 0 } else { weight };
        }
        (100 * kept)
            .checked_div(all)
            .and_then(|percent| u32::try_from(percent).ok())
            .unwrap_or(100)
    }

    fn ln_mean(&self) -> f64 {
        let mut mean = LnMean::default();
        for (index, rule) in self.policy.rules.iter().enumerate() {
            mean.add(f64::from(rule.weight_within()), self.ln_evidence(index));
        }
        mean.ln()
    }

    fn needs(&self) -> Vec<Need> {
        let limit = self.policy.ln_limit();
        let mut needs = Vec::new();
        let rules = (0..self.broken.len()).filter(|rule| !self.broken[*rule]);
        let looks = rules.map(|rule| self.looks_missing(rule)).max();
        if let Some(looks) = looks.filter(|looks| *looks > 0) {
            needs.push(Need::Looks(looks));
        }
        for (index, rule) in self.policy.rules.iter().enumerate() {
            if self.broken[index] {
                continue;
            }
            // Half way to failing, in orders of magnitude, is no state to be promoted in, whoever is
            // to blame.
            let leans = self.ln_leaning(index) > limit / 2.0;
            match self.answer(index, limit) {
                Answer::Unknown(Why::NoConfidence) if leans => needs.push(Need::LessEvidence {
                    bound: format!("{}", rule.bound),
                }),
                Answer::Unknown(why) => needs.push(Need::Known {
                    bound: format!("{}", rule.bound),
                    why: format!("{why}"),
                }),
                _ if leans => needs.push(Need::LessEvidence {
                    bound: format!("{}", rule.bound),
                }),
                _ => {}
            }
        }
        needs
    }

    /// Looks that a rule must still be judged by in this step.
    fn looks_missing(&self, rule: usize) -> u32 {
        let wanted = self.policy.looks_min.max(1);
        let mut tests = self.tests[rule].iter();
        let mut next = || {
            tests
                .next()
                .map_or(wanted, |test| test.looks_missing(wanted))
        };
        looks_missing(&self.policy.rules[rule].bound, &mut next)
    }

    fn answer(&self, rule: usize, limit: f64) -> Answer {
        if self.broken[rule] {
            return Answer::Broken;
        }
        let mut tests = self.tests[rule].iter();
        let mut next = || match tests.next() {
            Some(test) => test.answer(limit),
            None => Answer::Unknown(Why::NoData),
        };
        // Only evidence against the whole bound breaks it.
        match answered(&self.policy.rules[rule].bound, &mut next) {
            Answer::Broken => Answer::Unknown(Why::NoConfidence),
            answer => answer,
        }
    }

    fn rule(&self, rule: usize, limit: f64) -> RuleVerdict {
        let clauses = self.tests[rule].iter().zip(&self.seen[rule]);
        RuleVerdict {
            bound: self.policy.rules[rule].bound.clone(),
            answer: self.answer(rule, limit),
            e_value: exp_capped(self.ln_evidence(rule)),
            e_value_max: exp_capped(limit),
            clauses: clauses
                .map(|(test, seen)| figure(test, seen, limit))
                .collect(),
        }
    }

    fn reason(&self, outcome: &Outcome, rules: &[RuleVerdict]) -> String {
        let broken = || rules.iter().filter(|rule| rule.answer == Answer::Broken);
        match outcome {
            Outcome::Fail => {
                let mut said: Vec<String> = broken().map(RuleVerdict::sentence).collect();
                if self.mean_failed {
                    said.push(format!(
                        "all rules together ({})",
                        evidence(exp_capped(self.ln_mean()), self.policy.ln_limit_of_mean())
                    ));
                }
                format!("the canary is worse than allowed: {}", said.join("; "))
            }
            Outcome::NoData => "nothing is known of the canary in this step".into(),
            Outcome::EnvironmentUnhealthy => {
                let both: Vec<String> = self.together().map(|bound| format!("`{bound}`")).collect();
                format!("both versions break {} together", both.join(" and "))
            }
            Outcome::Inconclusive { needs } => {
                format!("not decided yet: {}", crate::judge::listed(needs))
            }
            Outcome::Pass if broken().next().is_some() => {
                let said: Vec<String> = broken().map(RuleVerdict::sentence).collect();
                format!(
                    "{}; the rules that are kept weigh {} %, of which {} % are enough",
                    said.join("; "),
                    self.score_percent(),
                    self.policy.score_min_percent
                )
            }
            Outcome::Pass => match rules.len() {
                1 => "no evidence against the rule".into(),
                count => format!("no evidence against any of {count} rules"),
            },
        }
    }
}

impl RuleVerdict {
    /// The rule with the figures of its clauses, as a part of a sentence.
    fn sentence(&self) -> String {
        let clauses: Vec<String> = self.clauses.iter().map(ClauseFigure::sentence).collect();
        format!(
            "`{}` {} broken ({}; {})",
            self.bound,
            if self.e_value < self.e_value_max {
                "was"
            } else {
                "is"
            },
            clauses.join(", "),
            evidence(self.e_value, libm::log(self.e_value_max))
        )
    }
}

impl ClauseFigure {
    fn sentence(&self) -> String {
        let metric = self.clause.metric();
        let known = metric.well_known();
        let shown = |value: f64| {
            if self.is_share() {
                crate::judge::share(value)
            } else {
                format!("{value}")
            }
        };
        let counted = match (self.of_requests, self.seen) {
            (true, 1) => "request",
            (true, _) => "requests",
            (false, 1) => "look",
            (false, _) => "looks",
        };
        let seen = self.seen;
        let latency = known.is_some_and(|known| known.kind == MetricKind::Latency);
        let mut text = match self.canary.map(shown) {
            Some(value) if latency => format!("{metric}: {value} of {seen} {counted} were slower"),
            Some(value) => format!("{metric} {value} in {seen} {counted}"),
            None => format!("{metric} unknown in {seen} {counted}"),
        };
        if let (Limit::Baseline { .. }, Some(stable)) = (self.clause.limit(), self.stable) {
            text += &format!(", baseline {}", shown(stable));
        }
        text
    }

    /// Whether its values are shares, which people read in percent.
    fn is_share(&self) -> bool {
        let limit = match self.clause.limit() {
            Limit::Absolute(quantity) => Some(quantity),
            Limit::Baseline { plus, .. } => plus,
        };
        let dimension = limit.map(|quantity| quantity.unit.dimension());
        let alone = self.clause.metric().well_known().is_some_and(|measure| {
            measure.dimensions == [Dimension::Percentage] || measure.kind == MetricKind::Latency
        });
        alone || self.lower.is_some() || dimension == Some(Dimension::Percentage)
    }
}

/// What there is of the evidence that was needed. Evidence that was enough once is so for good.
fn evidence(e_value: f64, ln_needed: f64) -> String {
    let needed = exp_capped(ln_needed);
    if e_value >= 1e6 {
        format!("evidence over a million to 1, {needed:.0} needed")
    } else if e_value >= needed {
        format!("evidence {e_value:.0} to 1, {needed:.0} needed")
    } else {
        format!("evidence {e_value:.0} to 1 now, and then over the {needed:.0} needed")
    }
}

fn looks_missing(bound: &Bound, next: &mut dyn FnMut() -> u32) -> u32 {
    let parts = match bound {
        Bound::Clause(_) => return next(),
        Bound::All(parts) | Bound::Any(parts) => parts,
    };
    // Every clause is asked, so that each gets its own answer.
    let missing: Vec<u32> = parts.iter().map(|part| looks_missing(part, next)).collect();
    let missing = missing.into_iter();
    let all = matches!(bound, Bound::All(_));
    if all { missing.max() } else { missing.min() }.unwrap_or(0)
}

fn answered(bound: &Bound, next: &mut dyn FnMut() -> Answer) -> Answer {
    let parts = match bound {
        Bound::Clause(_) => return next(),
        Bound::All(parts) | Bound::Any(parts) => parts,
    };
    // Every clause is asked, so that each gets its own answer.
    let answers: Vec<Answer> = parts.iter().map(|part| answered(part, next)).collect();
    let all = matches!(bound, Bound::All(_));
    let mut answers = answers.into_iter();
    let first = answers.next().unwrap_or(Answer::Unknown(Why::NoData));
    answers.fold(
        first,
        |left, right| if all { left.and(right) } else { left.or(right) },
    )
}

fn figure(test: &ClauseTest, seen: &Seen, limit: f64) -> ClauseFigure {
    let share =
        |(requests, hits): (u64, u64)| (requests > 0).then(|| float(hits) / float(requests));
    let (canary, stable) = if test.is_level() {
        (seen.canary.map(Bits::get), seen.stable.map(Bits::get))
    } else {
        (share(seen.share.canary), share(seen.share.stable))
    };
    let (lower, upper) = test.interval(libm::exp(-limit), seen);
    ClauseFigure {
        clause: test.clause.clone(),
        answer: test.answer(limit),
        canary,
        stable,
        lower,
        upper,
        seen: test.seen,
        of_requests: test.is_of_requests(),
        e_value: exp_capped(test.raw.get()),
    }
}
