//! The conductor's dealings with the analyses and with the router's counters.

use nonevent_document::Timestamp;
use nonevent_rollout::{Input, Mode};
use nonevent_router::{Arm, Split};

use crate::conduct::{Conductor, Loop};
use crate::error::DriverError;
use crate::event::Event;
use crate::fleet::Fleet;
use crate::hands::Sight;
use crate::note::JournalNote;
use crate::router_client::Router;
use crate::watcher::Judging;

/// How often people are shown how things are.
const VIEW_MS: i64 = 250;
/// How often counters and the memory of the analyses are written down.
const REMEMBER_MS: i64 = 1_000;
/// The same where a step has lasted for an hour or longer: people may think for days, and the
/// journal has to be read again.
const REMEMBER_MS_MAX: i64 = 60_000;

/// How often something is written down in a step that has lasted so long.
pub(crate) fn remember_every_ms(lasted_ms: i64) -> i64 {
    (lasted_ms / 60).clamp(REMEMBER_MS, REMEMBER_MS_MAX)
}

impl<R: Router, F: Fleet + 'static> Conductor<'_, R, F> {
    pub(crate) fn saw(
        &mut self,
        now: &mut Loop,
        at: Timestamp,
        sight: Sight,
    ) -> Result<(), DriverError> {
        let router = self.hands.router_seen(&sight);
        let fleet = self.hands.fleet_seen(&sight);
        let state = self.run.state();
        if (state.traffic, state.quiet) != (Some(router.traffic()), router.canary_quiet) {
            now.queue.push_back(Input::Router(router));
        }
        if state.fleet != Some(fleet) {
            now.queue.push_back(Input::Fleet(fleet));
        }
        let judging = self.judging(Some(router.split));
        let verdict = self.watchers.look(at, &sight.snapshot, judging.as_ref());
        if let (Some(verdict), Some(judging)) = (verdict, judging) {
            self.judged(now, at, &judging, &verdict)?;
        }
        self.count(now, at, &sight)?;
        now.rates.add(at, &sight.snapshot);
        now.sight = Some(sight);
        if now
            .viewed
            .is_none_or(|viewed| at.ms_since(viewed) >= VIEW_MS)
        {
            now.viewed = Some(at);
            let view = now.rates.view(at, &self.run, router.split, fleet, now.wait);
            self.reporter.event(&Event::View(view));
        }
        Ok(())
    }

    /// The router did not answer, or the fleet.
    pub(crate) fn blind(&mut self, now: &mut Loop, at: Timestamp) -> Result<(), DriverError> {
        // Without a reading nothing new is known against the canary.
        let judging = self.judging(None);
        let verdict = self.watchers.blind(at, judging.as_ref());
        match (verdict, judging) {
            (Some(verdict), Some(judging)) => self.judged(now, at, &judging, &verdict),
            _ => Ok(()),
        }
    }

    /// How often something is written down now.
    fn remember_ms(&self, now: &Loop, at: Timestamp) -> i64 {
        remember_every_ms(now.step_began.map_or(0, |began| at.ms_since(began)))
    }

    /// Notes the counters now and then, and at the end of each split.
    fn count(&mut self, now: &mut Loop, at: Timestamp, sight: &Sight) -> Result<(), DriverError> {
        let split = sight.snapshot.split;
        let every_ms = self.remember_ms(now, at);
        let due = now
            .counted
            .is_none_or(|(when, before)| before != split || at.ms_since(when) >= every_ms);
        if due {
            now.counted = Some((at, split));
            let counters = sight.snapshot.counters.clone();
            self.note(at, &JournalNote::Counters { counters })?;
        }
        Ok(())
    }

    /// Which analysis judges now, where the router divides traffic so.
    fn judging(&self, split: Option<Split>) -> Option<Judging> {
        let Mode::Forward { step, .. } = self.run.state().mode else {
            return None;
        };
        let serves = |arm| split.is_some_and(|split| split.weight(arm) > 0);
        let both = Arm::BOTH.into_iter().all(serves);
        Judging::at(self.run.plan(), step, both)
    }

    fn judged(
        &mut self,
        now: &mut Loop,
        at: Timestamp,
        judging: &Judging,
        verdict: &nonevent_analysis::Verdict,
    ) -> Result<(), DriverError> {
        if let Some(said) = self.watchers.judgement(judging, verdict) {
            now.queue.push_back(Input::Analysis {
                step: judging.step,
                judgement: said,
            });
            if now.said != Some(said) {
                now.said = Some(said);
                let reason = verdict.reason.clone();
                let note = JournalNote::Verdict {
                    reason: reason.clone(),
                    judgement: said,
                };
                self.note(at, &note)?;
                self.reporter.event(&Event::Analysis {
                    at,
                    reason,
                    judgement: said,
                });
            }
        }
        let every_ms = self.remember_ms(now, at);
        let due = now
            .remembered
            .is_none_or(|when| at.ms_since(when) >= every_ms);
        if due {
            now.remembered = Some(at);
            let note = |(name, memory): (&Option<String>, &crate::Memory)| JournalNote::Analysis {
                memory: Box::new(memory.clone()),
                name: name.clone(),
            };
            let notes: Vec<JournalNote> = self.watchers.memories().map(note).collect();
            for note in notes {
                self.note(at, &note)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_days_is_written_down_more_rarely() {
        assert_eq!(remember_every_ms(0), 1_000);
        assert_eq!(remember_every_ms(60_000), 1_000);
        assert_eq!(remember_every_ms(10 * 60_000), 10_000);
        assert_eq!(remember_every_ms(i64::MAX), 60_000);
        // A week of thinking leaves the journal readable.
        let (mut lasted_ms, mut notes) = (0, 0);
        while lasted_ms < 7 * 24 * 3_600_000 {
            lasted_ms += remember_every_ms(lasted_ms);
            notes += 1;
        }
        assert!(notes < 11_000, "{notes}");
    }
}
