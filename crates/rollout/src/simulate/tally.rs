//! Adds up what became of the releases.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::Digest;
use nonevent_strategy::Plan;

use super::drive::Course;
use super::meter::Meter;
use super::release::{Fault, Release};
use super::report::{Bad, FaultRow, Good, ReasonRow, StrategyReport, Times, Users};
use super::scenario::Scenario;
use crate::state::{Outcome, Reason};

/// One strategy's sums.
#[derive(Default)]
pub(super) struct Tally {
    promoted: u64,
    rolled_back: u64,
    stuck: u64,
    bad: Bad,
    good: Good,
    faults: Vec<FaultRow>,
    reasons: Vec<ReasonRow>,
    meter: Meter,
    detect_ms: Vec<u64>,
    recover_ms: Vec<u64>,
    lead_ms: Vec<u64>,
}

impl Tally {
    pub(super) fn add(&mut self, release: &Release, course: &Course) {
        let bad = release.fault.is_bad();
        let (of_bad, of_good) = (u64::from(bad), u64::from(!bad));
        self.bad.releases += of_bad;
        self.good.releases += of_good;
        match course.outcome {
            Some(Outcome::Promoted) => {
                self.promoted += 1;
                self.bad.missed += of_bad;
                self.lead_ms
                    .push(between(release.starts_ms, course.ended_ms));
            }
            Some(Outcome::RolledBack { reason, .. }) => {
                self.rolled_back += 1;
                self.good.rolled_back += of_good;
                self.bad.caught += of_bad;
                self.bad.caught_before_users += of_bad * u64::from(course.exposed_ms.is_none());
                self.bad.caught_by_people += of_bad * u64::from(reason == Reason::Aborted);
                let alarm = reason == Reason::AnalysisFailed && release.fault == Fault::None;
                self.good.called_worse += u64::from(alarm);
                let row = self.reason(reason);
                row.bad += of_bad;
                row.good += of_good;
            }
            Some(Outcome::Stuck { .. }) | None => self.stuck += 1,
        }
        if let (true, Some(exposed_ms), Some(decided_ms)) =
            (bad, course.exposed_ms, course.decided_ms)
        {
            self.detect_ms.push(between(exposed_ms, decided_ms));
            if let Some(restored_ms) = course.restored_ms {
                self.recover_ms.push(between(decided_ms, restored_ms));
            }
        }
        let row = self.fault(release.fault);
        row.releases += 1;
        row.promoted += u64::from(course.outcome == Some(Outcome::Promoted));
        row.rolled_back += u64::from(matches!(course.outcome, Some(Outcome::RolledBack { .. })));
        row.requests_harmed += whole(course.meter.harmed());
        self.meter.add(&course.meter);
    }

    fn fault(&mut self, fault: Fault) -> &mut FaultRow {
        let known = self.faults.iter().position(|row| row.fault == fault);
        let at = known.unwrap_or_else(|| {
            self.faults.push(FaultRow {
                fault,
                releases: 0,
                promoted: 0,
                rolled_back: 0,
                requests_harmed: 0,
            });
            self.faults.len() - 1
        });
        &mut self.faults[at]
    }

    fn reason(&mut self, reason: Reason) -> &mut ReasonRow {
        let known = self.reasons.iter().position(|row| row.reason == reason);
        let at = known.unwrap_or_else(|| {
            self.reasons.push(ReasonRow {
                reason,
                bad: 0,
                good: 0,
            });
            self.reasons.len() - 1
        });
        &mut self.reasons[at]
    }

    pub(super) fn report(
        mut self,
        name: &str,
        plan: &Plan,
        digest: Digest,
        scenario: &Scenario,
    ) -> StrategyReport {
        self.faults.sort_by_key(|row| row.fault);
        self.reasons.sort_by_key(|row| row.reason.to_string());
        let meter = self.meter;
        StrategyReport {
            name: String::from(name),
            strategy: plan.strategy,
            plan: digest,
            every_ms: plan.analysis.as_ref().map(|analysis| analysis.every_ms),
            looks_per_watch: scenario.analysis.per_watch,
            promoted: self.promoted,
            rolled_back: self.rolled_back,
            stuck: self.stuck,
            bad: self.bad,
            good: self.good,
            faults: self.faults,
            reasons: self.reasons,
            users: Users {
                requests: whole(meter.requests),
                requests_harmed: whole(meter.harmed() + meter.requests_refused),
                requests_failed: whole(meter.requests_failed),
                requests_slowed: whole(meter.requests_slowed),
                requests_refused: whole(meter.requests_refused),
                users: whole(meter.users),
                users_harmed: whole(meter.users_harmed),
            },
            time_to_detect: Times::of(self.detect_ms),
            time_to_recover: Times::of(self.recover_ms),
            lead_time: Times::of(self.lead_ms),
        }
    }
}

impl Meter {
    fn add(&mut self, other: &Meter) {
        self.requests += other.requests;
        self.requests_failed += other.requests_failed;
        self.requests_slowed += other.requests_slowed;
        self.requests_refused += other.requests_refused;
        self.users += other.users;
        self.users_harmed += other.users_harmed;
    }
}

fn between(from_ms: i64, to_ms: i64) -> u64 {
    u64::try_from(to_ms.saturating_sub(from_ms)).unwrap_or(0)
}

/// Millionths as whole ones.
fn whole(millionths: u128) -> u64 {
    u64::try_from(millionths / 1_000_000).unwrap_or(u64::MAX)
}
