//! One clause's test: what it has seen, and the evidence that the clause is broken.

use serde::{Deserialize, Serialize};

use super::line::{guard_of, line, tail};
use super::policy::{PanelKind, PanelPolicy};
use super::reading::{PanelLook, ShareReading};
use crate::betting::ShareAbove;
use crate::bounds::{Answer, Clause, Limit, Operator, REQUESTS_MIN_DEFAULT, Sustained, Why};
use crate::latency::{ALONE_PART, LatencySum, SLOW_GUARD};
use crate::mixture::share_interval;
use crate::ratio::RateRatio;
use crate::special::{Bits, Nats, float, ln_sum};
use crate::window::GapReason;

/// ln of the evidence of a reading that is beyond its limit: nothing is estimated.
const CERTAIN: f64 = 600.0;
/// Stakes on which of two levels is higher.
pub(super) const LEVEL_STAKES: [f64; 4] = [0.2, 0.4, 0.6, 0.8];

/// A clause with its test.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClauseTest {
    pub(super) clause: Clause,
    place: Option<usize>,
    pub(super) test: Test,
    /// For clauses with `for`: since when the evidence has been enough.
    sustained: Option<Sustained>,
    /// The canary's requests since the start, or its looks, of a level without a condition on
    /// requests.
    pub(super) seen: u64,
    /// The same in the present step.
    seen_in_step: u64,
    /// The baseline's requests in the present step.
    stable_in_step: u64,
    /// Looks of the present step that could be judged.
    looks_in_step: u32,
    /// The canary's requests since the start that may have been slower than the limit, beyond the
    /// last bound of the histogram.
    pub(super) undecided: u64,
    /// Why the last look brought no figures.
    pub(super) gap: Option<GapReason>,
    /// ln of the evidence after the last look, as it is and as it counts.
    pub(super) raw: Nats,
    counts: Nats,
    /// ln of the evidence that the baseline breaks the clause, too.
    baseline: Nats,
    /// What is allowed to cost for bounds of the baseline, in 10^-9.
    pub(super) alpha_ppb: u64,
}

/// What a clause's test has gathered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Test {
    /// A share against a number: the canary's, then the baseline's.
    Share { tests: [ShareAbove; 2] },
    /// A share against a multiple of the baseline's.
    ShareRatio { test: RateRatio },
    /// A share against another line through the baseline's so far, guarded by the baseline's now.
    ShareLine { test: ShareAbove, guard: RateRatio },
    /// A latency against a number.
    Latency { tests: [ShareAbove; 2] },
    /// A latency against the baseline's.
    LatencyLine {
        past: LatencySum,
        slow: ShareAbove,
        guard: RateRatio,
        alone: ShareAbove,
    },
    /// A level against a number.
    Level,
    /// A level against the baseline's.
    LevelLine { wealth: [Nats; LEVEL_STAKES.len()] },
    /// What cannot be judged is never kept.
    Unjudged,
}

/// ln of the evidence that something is broken.
#[derive(Clone, Copy)]
pub(super) struct Evidence {
    pub(super) canary: f64,
    pub(super) baseline: f64,
}

impl Evidence {
    /// Of nothing.
    pub(super) const NONE: Self = Self {
        canary: 0.0,
        baseline: 0.0,
    };
}

/// What was seen of a clause's metric: sums over the watch, or the last level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    /// Of a latency, the requests that were slower than the limit.
    pub(super) share: ShareReading,
    pub(super) canary: Option<Bits>,
    pub(super) stable: Option<Bits>,
}

impl ClauseTest {
    pub(super) fn new(clause: &Clause, policy: &PanelPolicy, alpha: f64) -> Self {
        let place = policy.place(clause.metric());
        let kind = place.map(|place| policy.metrics[place].kind);
        // The limit is a line over the baseline's value.
        let plus = line(clause, 0.0);
        let factor = line(clause, 1.0) - plus;
        let absolute = matches!(clause.limit(), Limit::Absolute(_));
        let upper = clause.operator().is_upper();
        let share = |mean: f64| ShareAbove::new(mean);
        let test = match (kind, absolute) {
            (Some(PanelKind::Share), true) => {
                let most = if upper { plus } else { 1.0 - plus };
                Test::Share {
                    tests: [share(most), share(most)],
                }
            }
            (Some(PanelKind::Share), false) if upper && plus == 0.0 => Test::ShareRatio {
                test: RateRatio::new(factor),
            },
            (Some(PanelKind::Share), false) => Test::ShareLine {
                test: share(0.5),
                guard: RateRatio::new(guard_of(clause)),
            },
            (Some(PanelKind::Latency), _) if !upper => Test::Unjudged,
            (Some(PanelKind::Latency), absolute) => match tail(clause.metric()) {
                None => Test::Unjudged,
                Some(tail) if absolute => Test::Latency {
                    tests: [share(tail), share(tail)],
                },
                Some(tail) => Test::LatencyLine {
                    past: LatencySum::default(),
                    slow: share(tail),
                    guard: RateRatio::new(1.0),
                    alone: share(tail),
                },
            },
            (Some(PanelKind::Level), true) => Test::Level,
            (Some(PanelKind::Level), false) => Test::LevelLine {
                wealth: [Nats::default(); LEVEL_STAKES.len()],
            },
            (None, _) => Test::Unjudged,
        };
        Self {
            clause: clause.clone(),
            place,
            test,
            sustained: clause
                .sustained_ms()
                .map(|_| Sustained::new(policy.gap_ms_max)),
            seen: 0,
            seen_in_step: 0,
            stable_in_step: 0,
            looks_in_step: 0,
            undecided: 0,
            gap: None,
            raw: Nats::default(),
            counts: Nats::default(),
            baseline: Nats::default(),
            alpha_ppb: crate::special::millionths(alpha * 1e3, 1e-6, 1e3, 1.0),
        }
    }

    pub(super) const fn start_step(&mut self) {
        self.seen_in_step = 0;
        self.stable_in_step = 0;
        self.looks_in_step = 0;
    }

    /// How many looks of the present step are missing.
    pub(super) const fn looks_missing(&self, wanted: u32) -> u32 {
        wanted.saturating_sub(self.looks_in_step)
    }

    /// Whether it is the same clause with the same kind of test.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let kind = |test: &Self| core::mem::discriminant(&test.test);
        let told = |test: &Self| (test.place, test.alpha_ppb, test.sustained.is_some());
        self.clause == other.clause && kind(self) == kind(other) && told(self) == told(other)
    }

    /// Takes a look; `limit` is the ln of the evidence at which a rule is broken.
    pub(super) fn observe(&mut self, look: &PanelLook, limit: f64, seen: &mut Seen) {
        let reading = self.place.and_then(|place| look.readings.get(place));
        let took = match reading {
            Some(reading) => self.take(reading, seen),
            None => Err(GapReason::MissingSeries),
        };
        self.gap = took.err();
        if let Ok((canary, stable)) = took {
            let canary = if self.is_level() && self.is_of_requests() {
                look.canary_requests()
            } else {
                canary
            };
            self.seen = self.seen.saturating_add(canary);
            self.seen_in_step = self.seen_in_step.saturating_add(canary);
            self.stable_in_step = self.stable_in_step.saturating_add(stable);
            self.looks_in_step = self.looks_in_step.saturating_add(1);
        }
        let (raw, baseline) = self.evidence(limit, seen);
        self.baseline = Nats::of(baseline);
        self.raw = Nats::of(raw);
        let beyond = raw >= limit && self.seen >= self.needed();
        if let Some(sustained) = &mut self.sustained {
            sustained.observe(look.at_ms, self.gap.is_none().then_some(beyond));
        }
        let held = self.still_to_hold().is_none();
        let counted = self.seen >= self.needed() && held;
        self.counts = Nats::of(if counted { raw } else { raw.min(0.0) });
    }

    /// The part of the watch that a clause still has to be broken for: so far, and in all.
    fn still_to_hold(&self) -> Option<(u64, u64)> {
        let needed_ms = self.clause.sustained_ms()?;
        let held_ms = self.sustained.map_or(0, |sustained| sustained.held_ms());
        (held_ms < needed_ms).then_some((held_ms, needed_ms))
    }

    fn needed(&self) -> u64 {
        let default = if self.is_level() {
            1
        } else {
            REQUESTS_MIN_DEFAULT
        };
        self.clause.requests_min().unwrap_or(default)
    }

    pub(super) const fn is_level(&self) -> bool {
        matches!(self.test, Test::Level | Test::LevelLine { .. })
    }

    /// Whether `seen` counts requests.
    pub(super) const fn is_of_requests(&self) -> bool {
        !self.is_level() || self.clause.requests_min().is_some()
    }

    /// The requests that the baseline must have had in this step, too.
    fn needed_of_stable(&self) -> u64 {
        match self.test {
            Test::ShareRatio { .. } | Test::ShareLine { .. } => {
                self.needed().min(REQUESTS_MIN_DEFAULT)
            }
            _ => 0,
        }
    }

    /// Whether so many requests took longer than the histogram says that the quantile may be
    /// anywhere.
    fn is_undecided(&self) -> bool {
        let tail = tail(self.clause.metric()).unwrap_or(0.0);
        float(self.undecided) > tail * float(self.seen)
    }

    /// The evidence as it counts.
    pub(super) fn evidence_of_both(&self) -> Evidence {
        Evidence {
            canary: self.counts.get(),
            baseline: self.baseline.get(),
        }
    }

    pub(super) fn answer(&self, limit: f64) -> Answer {
        let (seen, needed) = (self.seen_in_step, self.needed());
        if matches!(self.test, Test::Unjudged) {
            return Answer::Unknown(Why::NoConfidence);
        }
        if self.counts.get() >= limit {
            return Answer::Broken;
        }
        if self.gap.is_some() || seen == 0 {
            return Answer::Unknown(Why::NoData);
        }
        for (seen, needed) in [
            (seen, needed),
            (self.stable_in_step, self.needed_of_stable()),
        ] {
            if seen < needed {
                let seen = Some(seen);
                return Answer::Unknown(Why::FewRequests { seen, needed });
            }
        }
        if self.is_undecided() {
            return Answer::Unknown(Why::NoConfidence);
        }
        match self.still_to_hold() {
            Some((held_ms, needed_ms)) if self.raw.get() >= limit => {
                Answer::Unknown(Why::NotYetSustained { held_ms, needed_ms })
            }
            _ => Answer::Kept,
        }
    }

    /// ln of the evidence that the canary breaks the clause, and that the baseline does.
    fn evidence(&self, limit: f64, seen: &Seen) -> (f64, f64) {
        let alone = |canary: f64| (canary, -CERTAIN);
        match &self.test {
            Test::Share {
                tests: [canary, stable],
            }
            | Test::Latency {
                tests: [canary, stable],
            } => (canary.ln_e_value(), stable.ln_e_value()),
            Test::ShareRatio { test } => alone(test.ln_e_value_above()),
            Test::ShareLine { test, guard } => alone(test.ln_e_value().min(guarding(guard, limit))),
            Test::LatencyLine {
                slow,
                guard,
                alone: by_itself,
                ..
            } => {
                let together = slow.ln_e_value().min(guarding(guard, limit));
                let together = together + libm::log(1.0 - ALONE_PART);
                let by_itself = by_itself.ln_e_value() + libm::log(ALONE_PART);
                alone(together.max(by_itself))
            }
            Test::Level => {
                let sure = |value: Option<f64>| match value {
                    Some(value) if self.is_beyond(value) => CERTAIN,
                    _ => -CERTAIN,
                };
                (
                    sure(seen.canary.map(Bits::get)),
                    sure(seen.stable.map(Bits::get)),
                )
            }
            Test::LevelLine { wealth } => {
                let all = ln_sum(wealth.iter().map(|wealth| wealth.get()));
                alone(all - libm::log(float(LEVEL_STAKES.len() as u64)))
            }
            Test::Unjudged => alone(0.0),
        }
    }

    /// Whether a level is beyond the clause's number.
    fn is_beyond(&self, value: f64) -> bool {
        let limit = line(&self.clause, 0.0);
        match self.clause.operator() {
            Operator::AtMost => value > limit,
            Operator::Below => value >= limit,
            Operator::AtLeast => value < limit,
            Operator::Above => value <= limit,
        }
    }

    /// Bounds that hold at all moments, of the ratio to the baseline's or of the canary's share.
    pub(super) fn interval(&self, alpha: f64, seen: &Seen) -> (Option<f64>, Option<f64>) {
        match &self.test {
            Test::ShareRatio { test } => test.interval(alpha),
            Test::Share { .. } | Test::ShareLine { .. } if seen.share.canary.0 > 0 => {
                let (requests, hits) = seen.share.canary;
                let (lower, upper) = share_interval(hits, requests, alpha, 1_000);
                (Some(lower), Some(upper))
            }
            _ => (None, None),
        }
    }
}

/// ln of the evidence of a guard, which needs to be [`SLOW_GUARD`] only where `limit` breaks a rule:
/// see the module `latency`.
fn guarding(guard: &RateRatio, limit: f64) -> f64 {
    guard.ln_e_value_above() + limit - libm::log(SLOW_GUARD)
}
