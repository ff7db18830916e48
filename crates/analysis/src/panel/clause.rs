//! One clause's test: what it has seen, and the evidence that the clause is broken.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::policy::{PanelKind, PanelPolicy};
use super::reading::{LevelReading, PanelLook, Reading, ShareReading};
use crate::betting::ShareAbove;
use crate::bounds::{
    Answer, Clause, Limit, MetricName, Operator, REQUESTS_MIN_DEFAULT, Sustained, Why,
};
use crate::latency::{ALONE_PART, LatencySum, REFERENCE_MIN, SLOW_GUARD, is_alone};
use crate::mixture::share_interval;
use crate::ratio::{Block, RateRatio};
use crate::special::{Nats, float, ln_sum};
use crate::window::{GapReason, LatencyCounts};

/// ln of the evidence of a reading that is beyond its limit: nothing is estimated.
const CERTAIN: f64 = 600.0;
/// Stakes on which of two levels is higher.
const LEVEL_STAKES: [f64; 4] = [0.2, 0.4, 0.6, 0.8];

/// A clause with its test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClauseTest {
    pub(super) clause: Clause,
    place: Option<usize>,
    test: Test,
    /// For clauses with `for`: since when the evidence has been enough.
    sustained: Option<Sustained>,
    /// The canary's requests (or looks, of a level) since the start.
    pub(super) seen: u64,
    /// The same in the present step.
    seen_in_step: u64,
    /// Why the last look brought no figures.
    pub(super) gap: Option<GapReason>,
    /// ln of the evidence after the last look, as it is and as it counts.
    pub(super) raw: Nats,
    counts: Nats,
    /// ln of the evidence that the baseline breaks the clause, too.
    baseline: Nats,
    /// What is allowed to cost for bounds of the baseline, in 10^-9.
    alpha_ppb: u64,
}

/// What a clause's test has gathered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Test {
    /// A share against a number: the canary's, then the baseline's.
    Share { tests: [ShareAbove; 2] },
    /// A share against a multiple of the baseline's.
    ShareRatio { test: RateRatio },
    /// A share against another line through the baseline's.
    ShareLine { test: ShareAbove },
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
    LevelLine { wealth: Vec<Nats> },
    /// What cannot be judged is never kept.
    Unjudged,
}

/// ln of the evidence that something is broken.
#[derive(Clone, Copy)]
pub(super) struct Evidence {
    pub(super) canary: f64,
    pub(super) baseline: f64,
}

/// What was seen of a clause's metric, for people: sums over the watch, or the last level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    pub(super) share: ShareReading,
    pub(super) level: LevelReading,
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
            (Some(PanelKind::Share), false) => Test::ShareLine { test: share(0.5) },
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
                wealth: alloc::vec![Nats::default(); LEVEL_STAKES.len()],
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
            gap: None,
            raw: Nats::default(),
            counts: Nats::default(),
            baseline: Nats::default(),
            alpha_ppb: crate::special::millionths(alpha * 1e3, 1e-6, 1e3, 1.0),
        }
    }

    pub(super) fn start_step(&mut self) {
        self.seen_in_step = 0;
    }

    /// Takes a look; `limit` is the ln of the evidence at which a rule is broken.
    pub(super) fn observe(&mut self, look: &PanelLook, limit: f64, seen: &mut Seen) {
        let reading = self.place.and_then(|place| look.readings.get(place));
        let took = match reading {
            Some(reading) => self.take(reading, seen),
            None => Err(GapReason::MissingSeries),
        };
        self.gap = took.err();
        if let Ok(requests) = took {
            self.seen = self.seen.saturating_add(requests);
            self.seen_in_step = self.seen_in_step.saturating_add(requests);
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
        if seen < needed {
            let seen = Some(seen);
            return Answer::Unknown(Why::FewRequests { seen, needed });
        }
        match self.still_to_hold() {
            Some((held_ms, needed_ms)) if self.raw.get() >= limit => {
                Answer::Unknown(Why::NotYetSustained { held_ms, needed_ms })
            }
            _ => Answer::Kept,
        }
    }

    /// Learns from a reading; the canary's requests (or looks) in it.
    fn take(&mut self, reading: &Reading, seen: &mut Seen) -> Result<u64, GapReason> {
        let clause = &self.clause;
        let upper = clause.operator().is_upper();
        match (&mut self.test, reading) {
            (_, Reading::Gap(reason)) => Err(*reason),
            (Test::Share { tests }, Reading::Share(share)) => {
                for (test, (requests, hits)) in tests.iter_mut().zip([share.canary, share.stable]) {
                    test.observe(requests, against(upper, requests, hits));
                }
                seen.add(share)
            }
            (Test::ShareRatio { test }, Reading::Share(share)) => {
                test.observe(&block(share));
                seen.add(share)
            }
            (Test::ShareLine { test }, Reading::Share(share)) => {
                let alpha = float(self.alpha_ppb) / 1e9;
                if let Some(mean) = most_allowed(clause, &seen.share, alpha) {
                    let (requests, hits) = share.canary;
                    test.observe_against(requests, against(upper, requests, hits), mean);
                }
                seen.add(share)
            }
            (Test::Latency { tests }, Reading::Latency { stable, canary }) => {
                let limit_us = limit_us(clause, 0);
                for (test, arm) in tests.iter_mut().zip([canary, stable]) {
                    test.observe(arm.total(), arm.slower_than(limit_us));
                }
                measured(canary)
            }
            (
                Test::LatencyLine {
                    past,
                    slow,
                    guard,
                    alone,
                },
                Reading::Latency { stable, canary },
            ) => {
                if let Some(block) = slower(clause, past, stable, canary) {
                    if is_alone(&block) {
                        alone.observe(block.canary_requests, block.canary_events);
                    } else {
                        slow.observe(block.canary_requests, block.canary_events);
                        guard.observe(&block);
                    }
                }
                past.add(stable);
                measured(canary)
            }
            (Test::Level, Reading::Level(level)) if level.canary.is_finite() => {
                seen.level = *level;
                Ok(1)
            }
            (Test::LevelLine { wealth }, Reading::Level(level)) => {
                let stable = level.stable.filter(|stable| stable.is_finite());
                let Some(stable) = stable.filter(|_| level.canary.is_finite()) else {
                    return Err(GapReason::Unreadable);
                };
                let beyond = level.canary - line(clause, stable);
                bet(wealth, if upper { beyond } else { -beyond });
                seen.level = *level;
                Ok(1)
            }
            _ => Err(GapReason::Unreadable),
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
            Test::ShareLine { test } => alone(test.ln_e_value()),
            Test::LatencyLine {
                slow,
                guard,
                alone: by_itself,
                ..
            } => {
                let guard = guard.ln_e_value_above() + limit - libm::log(SLOW_GUARD);
                let together = slow.ln_e_value().min(guard) + libm::log(1.0 - ALONE_PART);
                let by_itself = by_itself.ln_e_value() + libm::log(ALONE_PART);
                alone(together.max(by_itself))
            }
            Test::Level => {
                let sure = |value: Option<f64>| match value {
                    Some(value) if self.is_beyond(value) => CERTAIN,
                    _ => -CERTAIN,
                };
                let canary = (self.seen > 0).then_some(seen.level.canary);
                (sure(canary), sure(seen.level.stable))
            }
            Test::LevelLine { wealth } => {
                let all = ln_sum(wealth.iter().map(|wealth| wealth.get()));
                alone(all - libm::log(float(wealth.len().max(1) as u64)))
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

impl Seen {
    fn add(&mut self, share: &ShareReading) -> Result<u64, GapReason> {
        let cut = |(requests, hits): (u64, u64)| (requests, hits.min(requests));
        for (sum, more) in [
            (&mut self.share.canary, cut(share.canary)),
            (&mut self.share.stable, cut(share.stable)),
        ] {
            *sum = (sum.0.saturating_add(more.0), sum.1.saturating_add(more.1));
        }
        match share.canary.0 {
            0 => Err(GapReason::NoTraffic),
            requests => Ok(requests),
        }
    }
}

fn measured(canary: &LatencyCounts) -> Result<u64, GapReason> {
    match canary.total() {
        0 => Err(GapReason::NoTraffic),
        requests => Ok(requests),
    }
}

fn block(share: &ShareReading) -> Block {
    Block {
        stable_requests: share.stable.0,
        stable_events: share.stable.1,
        canary_requests: share.canary.0,
        canary_events: share.canary.1,
    }
}

/// The requests that speak against a clause: those that count, or those that do not.
fn against(upper: bool, requests: u64, hits: u64) -> u64 {
    if upper {
        hits
    } else {
        requests - hits.min(requests)
    }
}

/// The limit of a clause at a value of the baseline.
fn line(clause: &Clause, baseline: f64) -> f64 {
    match clause.limit() {
        Limit::Absolute(quantity) => quantity.value(),
        Limit::Baseline { factor, plus } => {
            let plus = plus.map_or(0.0, crate::bounds::Quantity::value);
            factor.to_f64() * baseline + plus
        }
    }
}

/// The largest share of requests that may speak against a clause about the baseline, by a bound on
/// the baseline's share so far; `None` before there is one.
fn most_allowed(clause: &Clause, seen: &ShareReading, alpha: f64) -> Option<f64> {
    let (requests, hits) = seen.stable;
    if requests == 0 {
        return None;
    }
    let (lower, upper) = share_interval(hits, requests, alpha, 1_000);
    let most = if clause.operator().is_upper() {
        line(clause, upper)
    } else {
        1.0 - line(clause, lower)
    };
    (most < 1.0).then_some(most.max(1e-6))
}

/// The share of requests beyond the quantile that a name such as `p99.9` stands for.
fn tail(name: &MetricName) -> Option<f64> {
    let percent: f64 = name.as_str().strip_prefix('p')?.parse().ok()?;
    (percent > 0.0 && percent < 100.0).then_some(1.0 - percent / 100.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float saturates when it becomes an integer, and limits are not negative"
)]
fn limit_us(clause: &Clause, baseline_us: u64) -> u64 {
    (line(clause, float(baseline_us) / 1e3) * 1e3) as u64
}

/// The slow requests of a look: the baseline's beyond its quantile so far, the canary's beyond the
/// clause's limit at that quantile. See the module `latency`.
fn slower(
    clause: &Clause,
    past: &LatencySum,
    stable: &LatencyCounts,
    canary: &LatencyCounts,
) -> Option<Block> {
    let past = &past.0;
    let same = past.bounds_us == canary.bounds_us && past.bounds_us == stable.bounds_us;
    if past.total() < REFERENCE_MIN || !same || canary.total() == 0 {
        return None;
    }
    let tail = tail(clause.metric())?;
    let ppm = 1_000_000 - crate::special::millionths(tail, 1e-6, 1.0, 1.0).min(999_999);
    let (_, reference) = past.quantile_us(u32::try_from(ppm).ok()?)?;
    Some(Block {
        stable_requests: stable.total(),
        stable_events: stable.slower_than(reference),
        canary_requests: canary.total(),
        canary_events: canary.slower_than(limit_us(clause, reference)),
    })
}

/// Bets that the difference is above zero as often as below, whatever its size.
fn bet(wealth: &mut [Nats], beyond: f64) {
    for (wealth, stake) in wealth.iter_mut().zip(LEVEL_STAKES) {
        if beyond > 0.0 {
            wealth.add(libm::log1p(stake));
        } else if beyond < 0.0 {
            wealth.add(libm::log1p(-stake));
        }
    }
}
