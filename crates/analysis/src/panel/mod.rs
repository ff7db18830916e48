//! Many metrics at once: what a deployment allows of each, in words, judged by evidence.
//!
//! A [`Panel`] watches any number of metrics under bounds written in the language of
//! [`bounds`](crate::bounds). Each clause has a test of its own, each bound the evidence of its
//! clauses, and the panel a verdict over all bounds.
//!
//! ## What the evidence is
//!
//! The evidence E that a clause is broken is an e-process: for a canary that keeps the clause, the
//! probability that E ever reaches 1/α is at most α (as far as the clause's own test holds its level:
//! see the table). E-processes can be combined whatever they have to do with each other:
//!
//! - `a and b` is kept only if both are: the evidence against it is the mean of both.
//! - `a or b` is broken only if both are: the evidence against it is the lesser.
//! - Over the bounds of a panel ([`Combine`]): with `Bonferroni`, a bound is broken at evidence of
//!   n/α, so that the probability of *any* false word is at most α. With `Average` there is beside
//!   that the weighted mean of all evidence, which fails the canary at 1/α: with the same α it says
//!   sooner that something is wrong, and less surely what. The α is then halved between the two.
//!
//! | clause | test |
//! |---|---|
//! | share `<=` or `>=` a percentage | [`ShareAbove`](crate::ShareAbove): by proof, whatever bursts |
//! | share `<= baseline * f` | [`RateRatio`](crate::RateRatio): level held by simulation |
//! | other shares against the baseline | betting against a confidence bound of the baseline's share so far (taking its requests for independent), guarded by the ratio of the two shares now |
//! | latency `<=` a duration | betting on the share of slower requests: by proof, whatever bursts |
//! | latency against the baseline | the same against the baseline's quantile so far, guarded by the ratio of slow requests |
//! | gauge or count against a number | the reading itself: there is nothing to be estimated |
//! | gauge or count against the baseline | betting on which is higher, look by look: each look is taken to be as likely above as below, whatever those before it were |
//!
//! `Pass` demands of every rule, in this step, [`looks_min`](PanelPolicy::looks_min) looks that could
//! be judged, the last of all among them, and evidence less than half way to failing.
//!
//! A bound says something about a canary only if there is nothing to be said against both versions:
//! where the baseline is over an absolute limit too, the outcome is `EnvironmentUnhealthy`.

mod clause;
mod learn;
mod line;
mod policy;
mod reading;
mod verdict;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::bounds::Bound;
use crate::special::LnMean;
use clause::{ClauseTest, Evidence, Seen};
pub use policy::{Combine, METRICS_MAX, PanelKind, PanelMetric, PanelPolicy, PanelRule, RULES_MAX};
pub use reading::{LevelReading, PanelLook, Reading, ShareReading};
pub use verdict::{ClauseFigure, PanelVerdict, RuleVerdict};

/// A comparison of two versions by many metrics, while one watches.
///
/// ```
/// use nonevent_analysis::panel::{Panel, PanelLook, PanelPolicy, Reading, ShareReading};
/// use nonevent_analysis::Outcome;
///
/// let policy = PanelPolicy::new(&["error_rate <= baseline * 1.5 or error_rate <= 0.1%"])
///     .expect("the bounds are sound");
/// let mut panel = Panel::new(&policy);
/// let share = ShareReading { stable: (500, 3), canary: (500, 40) };
/// for minute in 1..=4 {
///     let look = PanelLook { at_ms: minute * 60_000, readings: vec![Reading::Share(share)] };
///     panel.observe(&look);
/// }
/// let verdict = panel.verdict();
/// assert_eq!(verdict.outcome, Outcome::Fail, "{}", verdict.reason);
/// assert!(verdict.reason.contains("error_rate <= baseline * 1.5"), "{}", verdict.reason);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Written")]
pub struct Panel {
    policy: PanelPolicy,
    /// The tests of each rule's clauses, in the order of its text.
    tests: Vec<Vec<ClauseTest>>,
    /// What each of them has seen, for people.
    seen: Vec<Vec<Seen>>,
    /// Rules that were broken, for good.
    broken: Vec<bool>,
    /// Whether the mean of all evidence failed the canary.
    mean_failed: bool,
    /// Looks of the present step in which anything could be judged.
    looks: u32,
}

/// A panel as it was written down, before it is known to hang together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    policy: PanelPolicy,
    tests: Vec<Vec<ClauseTest>>,
    seen: Vec<Vec<Seen>>,
    broken: Vec<bool>,
    mean_failed: bool,
    looks: u32,
}

impl TryFrom<Written> for Panel {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let fresh = Self::new(&written.policy);
        let alike = |tests: &Vec<ClauseTest>, fresh: &Vec<ClauseTest>| {
            tests.len() == fresh.len() && tests.iter().zip(fresh).all(|(a, b)| a.is_like(b))
        };
        let tests = written.tests.iter().zip(&fresh.tests);
        let seen = written.seen.iter().map(Vec::len);
        let sound = written.tests.len() == fresh.tests.len()
            && tests.into_iter().all(|(tests, fresh)| alike(tests, fresh))
            && seen.eq(fresh.seen.iter().map(Vec::len))
            && written.broken.len() == fresh.broken.len();
        if !sound {
            return Err("the tests of a panel do not fit its policy");
        }
        Ok(Self {
            policy: written.policy,
            tests: written.tests,
            seen: written.seen,
            broken: written.broken,
            mean_failed: written.mean_failed,
            looks: written.looks,
        })
    }
}

impl Panel {
    /// A panel that has seen nothing. A policy with [problems](PanelPolicy::problems) is judged as
    /// near to what it says as can be; check it first.
    #[must_use]
    pub fn new(policy: &PanelPolicy) -> Self {
        let clauses = policy.rules.iter().flat_map(|rule| rule.bound.clauses());
        let apart = u32::try_from(clauses.count().max(1)).unwrap_or(u32::MAX);
        // What bounds of the baseline may cost, taken from the level of the whole.
        let alpha = policy.alpha() * PanelPolicy::BASELINE_PART / f64::from(apart);
        let tests = policy.rules.iter().map(|rule| {
            let clauses = rule.bound.clauses();
            clauses
                .map(|clause| ClauseTest::new(clause, policy, alpha))
                .collect()
        });
        let tests: Vec<Vec<ClauseTest>> = tests.collect();
        let seen = tests
            .iter()
            .map(|tests| alloc::vec![Seen::default(); tests.len()]);
        Self {
            policy: policy.clone(),
            seen: seen.collect(),
            tests,
            broken: alloc::vec![false; policy.rules.len()],
            mean_failed: false,
            looks: 0,
        }
    }

    /// The policy it judges by.
    #[must_use]
    pub const fn policy(&self) -> &PanelPolicy {
        &self.policy
    }

    /// Begins a new step: what `Pass` demands counts from here, the evidence goes on.
    pub fn start_step(&mut self) {
        self.looks = 0;
        for test in self.tests.iter_mut().flatten() {
            test.start_step();
        }
    }

    /// Takes one look. A metric without a reading in it counts as a gap, and so does a reading that
    /// cannot be judged: of another kind than the metric, without requests of the canary (or of the
    /// baseline, if that is compared with), or of a latency whose baseline is not known yet.
    pub fn observe(&mut self, look: &PanelLook) {
        let limit = self.policy.ln_limit();
        let tests = self.tests.iter_mut().flatten();
        for (test, seen) in tests.zip(self.seen.iter_mut().flatten()) {
            test.observe(look, limit, seen);
        }
        if self.tests.iter().flatten().any(|test| test.gap.is_none()) {
            self.looks = self.looks.saturating_add(1);
        }
        self.latch(limit);
    }

    /// Makes what was found final.
    fn latch(&mut self, limit: f64) {
        let mut mean = LnMean::default();
        for (index, rule) in self.policy.rules.iter().enumerate() {
            let evidence = self.ln_evidence(index);
            self.broken[index] |= evidence >= limit;
            mean.add(f64::from(rule.weight_within()), evidence);
        }
        if self.policy.combine == Combine::Average {
            self.mean_failed |= mean.ln() >= self.policy.ln_limit_of_mean();
        }
    }

    /// The evidence against a rule, by what the clauses of its bound say.
    fn evidence(&self, rule: usize) -> Judged {
        let mut tests = self.tests[rule].iter();
        let bound = &self.policy.rules[rule].bound;
        let mut next = || match tests.next() {
            Some(test) => test.evidence_of_both(),
            None => Evidence::NONE,
        };
        let all = combined(bound, &mut next);
        all.excused()
    }

    /// The evidence against a rule if nothing excused the canary, and nothing had to be sustained.
    fn ln_leaning(&self, rule: usize) -> f64 {
        let mut tests = self.tests[rule].iter();
        let bound = &self.policy.rules[rule].bound;
        let mut next = || Evidence {
            canary: tests.next().map_or(0.0, |test| test.raw.get()),
            baseline: f64::MIN,
        };
        combined(bound, &mut next).evidence.canary
    }

    fn ln_evidence(&self, rule: usize) -> f64 {
        self.evidence(rule).evidence.canary
    }
}

/// The evidence against a bound, after what both versions break together was taken out of it.
struct Judged {
    evidence: Evidence,
    /// ln of the greatest evidence of something that both versions break.
    both: f64,
}

impl Judged {
    /// Where the baseline leans over the same limit, neither version is to blame.
    fn excused(mut self) -> Self {
        if self.evidence.baseline > 0.0 {
            self.both = self.both.max(self.evidence.canary);
            self.evidence.canary = self.evidence.canary.min(0.0);
        }
        self
    }
}

/// The evidence against a bound from that against its clauses, asked for in the order of the text.
fn combined(bound: &Bound, next: &mut dyn FnMut() -> Evidence) -> Judged {
    let mut both = f64::MIN;
    let evidence = match bound {
        Bound::Clause(_) => next(),
        Bound::All(parts) => {
            let (mut canary, mut baseline) = (LnMean::default(), f64::MIN);
            for part in &**parts {
                // Each part is excused by itself: the others are held against the canary.
                let part = combined(part, next).excused();
                both = both.max(part.both);
                canary.add(1.0, part.evidence.canary);
                if part.evidence.canary > 0.0 {
                    baseline = baseline.max(part.evidence.baseline);
                }
            }
            Evidence {
                canary: canary.ln(),
                baseline,
            }
        }
        Bound::Any(parts) => {
            let (mut least, mut excused) = ([f64::MAX; 3], false);
            for part in &**parts {
                let part = combined(part, next);
                excused |= part.both > f64::MIN;
                // Broken by the canary, whoever is to blame: a part that is kept keeps the whole.
                let hurt = part.both.max(part.evidence.canary);
                least[0] = least[0].min(part.evidence.canary);
                least[1] = least[1].min(part.evidence.baseline);
                least[2] = least[2].min(hurt);
            }
            let [canary, baseline, hurt] = least;
            if excused {
                both = hurt;
            }
            Evidence { canary, baseline }
        }
    };
    Judged { evidence, both }
}
