//! What a clause's test learns from a look.

use super::clause::{ClauseTest, LEVEL_STAKES, Seen, Test};
use super::line::{against, is_readable, limit_us, line, most_allowed, slow_limit_us, slower};
use super::reading::{LevelReading, Reading, ShareReading};
use crate::latency::is_alone;
use crate::ratio::Block;
use crate::special::{Bits, Nats, float};
use crate::window::{GapReason, LatencyCounts};

impl ClauseTest {
    /// Learns from a reading that can be judged. The canary's requests in it (one, of a level), and
    /// the baseline's.
    pub(super) fn take(
        &mut self,
        reading: &Reading,
        seen: &mut Seen,
    ) -> Result<(u64, u64), GapReason> {
        match reading {
            Reading::Gap(reason) => Err(*reason),
            Reading::Share(share) => self.take_share(share, seen),
            Reading::Latency { stable, canary } => self.take_latency(stable, canary, seen),
            Reading::Level(level) => self.take_level(*level, seen),
        }
    }

    fn take_share(
        &mut self,
        share: &ShareReading,
        seen: &mut Seen,
    ) -> Result<(u64, u64), GapReason> {
        let clause = &self.clause;
        let upper = clause.operator().is_upper();
        let [canary, stable] = [share.canary, share.stable]
            .map(|(requests, hits)| (requests, against(upper, requests, hits)));
        let block = Block {
            stable_requests: stable.0,
            stable_events: stable.1,
            canary_requests: canary.0,
            canary_events: canary.1,
        };
        let compares = match &mut self.test {
            Test::Share { tests } => {
                tests[0].observe(canary.0, canary.1);
                // The same time for both: what the baseline did before the canary had traffic, or
                // without it, would say that it is better, or worse, than it is beside it.
                if canary.0 > 0 {
                    tests[1].observe(stable.0, stable.1);
                }
                false
            }
            Test::ShareRatio { test } => {
                test.observe(&block);
                true
            }
            Test::ShareLine { test, guard } => {
                let alpha = float(self.alpha_ppb) / 1e9;
                let most = most_allowed(clause, &seen.share, alpha);
                if let Some(mean) = most.filter(|_| stable.0 > 0) {
                    test.observe_against(canary.0, canary.1, mean);
                    guard.observe(&block);
                }
                true
            }
            _ => return Err(GapReason::Unreadable),
        };
        seen.add(share);
        if canary.0 == 0 || (compares && stable.0 == 0) {
            return Err(GapReason::NoTraffic);
        }
        Ok((canary.0, stable.0))
    }

    fn take_latency(
        &mut self,
        stable: &LatencyCounts,
        canary: &LatencyCounts,
        seen: &mut Seen,
    ) -> Result<(u64, u64), GapReason> {
        let clause = &self.clause;
        if !is_readable(stable, canary) {
            return Err(GapReason::Unreadable);
        }
        let requests = (canary.total(), stable.total());
        let (slow, limit) = match &mut self.test {
            Test::Latency { tests } => {
                let limit = limit_us(clause, 0);
                let slow = [canary, stable].map(|arm| arm.slower_than(limit));
                tests[0].observe(requests.0, slow[0]);
                if requests.0 > 0 {
                    tests[1].observe(requests.1, slow[1]);
                }
                (slow, limit)
            }
            Test::LatencyLine {
                past,
                slow,
                guard,
                alone,
            } => {
                let limits = slow_limit_us(clause, past);
                let block = limits.and_then(|limits| slower(limits, past, stable, canary));
                past.add(stable);
                let (Some(block), Some((_, limit))) = (block, limits) else {
                    return Err(match requests.0 {
                        0 => GapReason::NoTraffic,
                        _ => GapReason::MissingSeries,
                    });
                };
                if is_alone(&block) {
                    alone.observe(block.canary_requests, block.canary_events);
                } else {
                    slow.observe(block.canary_requests, block.canary_events);
                    guard.observe(&block);
                }
                ([block.canary_events, block.stable_events], limit)
            }
            _ => return Err(GapReason::Unreadable),
        };
        if requests.0 == 0 {
            return Err(GapReason::NoTraffic);
        }
        seen.add(&ShareReading {
            canary: (requests.0, slow[0]),
            stable: (requests.1, slow[1]),
        });
        let undecided = canary.undecided(limit);
        self.undecided = self.undecided.saturating_add(undecided);
        Ok(requests)
    }

    fn take_level(
        &mut self,
        level: LevelReading,
        seen: &mut Seen,
    ) -> Result<(u64, u64), GapReason> {
        let clause = &self.clause;
        let stable = level.stable.filter(|stable| stable.is_finite());
        if !level.canary.is_finite() {
            return Err(GapReason::Unreadable);
        }
        match &mut self.test {
            Test::Level => {}
            Test::LevelLine { wealth } => {
                let beyond = level.canary - line(clause, stable.ok_or(GapReason::MissingSeries)?);
                let upper = clause.operator().is_upper();
                bet(wealth, if upper { beyond } else { -beyond });
            }
            _ => return Err(GapReason::Unreadable),
        }
        seen.canary = Some(Bits::of(level.canary));
        seen.stable = stable.map(Bits::of);
        Ok((1, 0))
    }
}

impl Seen {
    fn add(&mut self, share: &ShareReading) {
        let cut = |(requests, hits): (u64, u64)| (requests, hits.min(requests));
        for (sum, more) in [
            (&mut self.share.canary, cut(share.canary)),
            (&mut self.share.stable, cut(share.stable)),
        ] {
            *sum = (sum.0.saturating_add(more.0), sum.1.saturating_add(more.1));
        }
    }
}

/// Bets that the difference is above zero as often as below, whatever its size.
fn bet(wealth: &mut [Nats; LEVEL_STAKES.len()], beyond: f64) {
    for (wealth, stake) in wealth.iter_mut().zip(LEVEL_STAKES) {
        if beyond > 0.0 {
            wealth.add(libm::log1p(stake));
        } else if beyond < 0.0 {
            wealth.add(libm::log1p(-stake));
        }
    }
}
