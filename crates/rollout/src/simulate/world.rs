//! The simulated world of one rollout: router, fleet, users and the people who hear of harm.

use nonevent_router::{Arm, Split};
use nonevent_strategy::Plan;

use super::chance::{Chance, float};
use super::fleet::Fleet;
use super::law::Law;
use super::meter::{Meter, Scene, Users};
use super::release::{Fault, Release, purpose};
use crate::machine::count;

/// Everything outside the machine.
pub(super) struct World<'a> {
    pub(super) law: &'a Law<'a>,
    pub(super) release: &'a Release,
    pub(super) plan: &'a Plan,
    pub(super) now_ms: i64,
    pub(super) fleet: Fleet,
    pub(super) split: Split,
    /// When the split last changed.
    pub(super) changed_ms: i64,
    /// When the new version had its first request.
    pub(super) exposed_ms: Option<i64>,
    /// When the canary's last request ends.
    pub(super) busy_until_ms: i64,
    /// When an instance of the canary ends by itself.
    pub(super) crash_ms: Option<i64>,
    /// When people noticed harm.
    noticed_ms: Option<i64>,
    pub(super) meter: Meter,
    pub(super) chance: Chance,
}

impl<'a> World<'a> {
    pub(super) fn new(
        law: &'a Law<'a>,
        release: &'a Release,
        plan: &'a Plan,
        (seed, number): (u64, u64),
    ) -> World<'a> {
        let now_ms = release.starts_ms;
        World {
            law,
            release,
            plan,
            now_ms,
            fleet: Fleet::new(count(plan.fleet.replicas)),
            split: Split::STABLE,
            // The split has been in force for long.
            changed_ms: now_ms.saturating_sub(i64::MAX / 4),
            exposed_ms: None,
            busy_until_ms: now_ms,
            crash_ms: None,
            noticed_ms: None,
            meter: Meter::default(),
            chance: Chance::of(seed, number, purpose::WORLD),
        }
    }

    pub(super) fn scene(&self) -> Scene {
        Scene {
            split: self.split,
            canary: self.fleet.seen().canary.kept,
            replicas: count(self.plan.fleet.replicas),
            exposed_ms: self.exposed_ms,
        }
    }

    /// Whether the canary has traffic.
    pub(super) const fn is_exposed(&self) -> bool {
        self.split.weight(Arm::Canary) > 0
    }

    pub(super) const fn is_quiet(&self) -> bool {
        !self.is_exposed() && self.now_ms >= self.busy_until_ms
    }

    /// Time passes to `to_ms`, or to the decision of people who notice harm, if that comes before. Such
    /// a decision is told when harm is noticed.
    pub(super) fn pass(&mut self, to_ms: i64) -> Option<i64> {
        let mut meter = self.meter;
        let noticed = self.meter_to(&mut meter, to_ms);
        let noticed = noticed.filter(|_| self.noticed_ms.is_none());
        let decided = noticed.map(|noticed_ms| {
            self.noticed_ms = Some(noticed_ms);
            noticed_ms.saturating_add(self.release.reaction_ms)
        });
        match decided.filter(|decided_ms| *decided_ms < to_ms) {
            Some(decided_ms) => {
                meter = self.meter;
                let _ = self.meter_to(&mut meter, decided_ms);
                self.now_ms = decided_ms;
            }
            None => self.now_ms = to_ms,
        }
        self.meter = meter;
        decided
    }

    fn meter_to(&self, meter: &mut Meter, to_ms: i64) -> Option<i64> {
        let exposure = &self.plan.exposure;
        let users = Users {
            requests: exposure.requests_per_user,
            split_by: exposure.split_by,
        };
        let span = (self.now_ms, to_ms);
        meter.pass(self.law, self.release, users, self.scene(), span)
    }

    /// The share of requests that fail, sent to the service or to canary instances.
    pub(super) fn error_rate(&self, through_router: bool) -> f64 {
        let age_ms = self.exposed_ms.map_or(0, |at_ms| self.now_ms - at_ms);
        let health = self.release.health(self.law, age_ms, self.scene());
        let [stable, canary] = self.release.error_rates(self.law, health, self.now_ms);
        let share = f64::from(self.split.weight(Arm::Canary)) / 1e4;
        match through_router {
            true => share * canary + (1.0 - share) * stable,
            false => canary,
        }
    }

    /// Whether a smoke suite passes where so many of its requests fail.
    pub(super) fn suite_passes(&mut self, error_rate: f64) -> bool {
        let fleet = &self.law.scenario.fleet;
        let fails = libm::pow(error_rate, f64::from(fleet.smoke_tries));
        let passes = libm::pow(1.0 - fails, float(fleet.smoke_requests.into()));
        self.chance.uniform() < passes
    }

    /// The router divides traffic so.
    pub(super) fn shift(&mut self, split: Split) {
        let was_exposed = self.is_exposed();
        self.split = split;
        self.changed_ms = self.now_ms;
        if self.is_exposed() && self.exposed_ms.is_none() {
            self.exposed_ms = Some(self.now_ms);
            if self.release.fault == Fault::Crash {
                let age_ms = self.release.turns_at_age_ms();
                self.crash_ms = age_ms.map(|age_ms| self.now_ms.saturating_add(age_ms));
            }
        }
        if was_exposed && !self.is_exposed() {
            let drains_ms = self.chance.below(self.plan.fleet.drain_ms.max(1));
            self.busy_until_ms = self.now_ms.saturating_add_unsigned(drains_ms);
        }
    }

    /// The fleet takes note of a number of instances.
    pub(super) fn scale(&mut self, arm: Arm, count: u16) {
        let (fleet, scenario) = (&self.plan.fleet, self.law.scenario);
        let instances = &scenario.fleet;
        let took_ms = self.chance.skewed(
            instances.ready_median_ms.max(1),
            instances.ready_p95_ms.max(1),
        );
        let took_ms = took_ms.min(fleet.ready_within_ms);
        let took_ms = took_ms.saturating_add(fleet.warm_up_ms);
        let never = arm == Arm::Canary && self.chance.ppm(scenario.faults.never_ready_ppm);
        let ready_ms = (!never).then(|| self.now_ms.saturating_add_unsigned(took_ms));
        let drains_ms = self.chance.below(fleet.drain_ms.max(1));
        let gone_ms = self.now_ms.saturating_add_unsigned(drains_ms);
        self.fleet.scale(arm, count, ready_ms, gone_ms);
    }

    /// After the rollout: what is not as it should be is found, if it was not already, and a person
    /// brings the old version back. When that is decided and when it is done.
    pub(super) fn repair(&mut self, promoted: bool) -> (i64, i64) {
        let reaction_ms = self.release.reaction_ms;
        let mut found_ms = self.now_ms;
        if promoted {
            let at_last = self.law.scenario.people.notice_at_last_ms;
            let at_last_ms = self.release.starts_ms.saturating_add_unsigned(at_last);
            let at_last_ms = at_last_ms.max(self.now_ms);
            let ahead = self.meter_to(&mut self.meter.clone(), at_last_ms);
            found_ms = self.noticed_ms.or(ahead).unwrap_or(at_last_ms);
        }
        let decided_ms = found_ms.saturating_add(reaction_ms).max(self.now_ms);
        let restored_ms = decided_ms.saturating_add(self.release.redeploy_ms);
        let mut meter = self.meter;
        let _ = self.meter_to(&mut meter, restored_ms);
        self.meter = meter;
        self.now_ms = restored_ms;
        (decided_ms, restored_ms)
    }
}
