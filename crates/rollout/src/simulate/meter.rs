//! Counts what users got while one release was under way or, bad, in service.
//!
//! Expected numbers, not drawn ones: for the same course of things they are the same.

use nonevent_router::{Arm, FULL_WEIGHT, Split};
use nonevent_strategy::SplitBy;

use super::chance::{float, whole};
use super::law::{HOUR_MS, Law};
use super::release::Release;

/// Who sees what, at a stretch of time in which nobody changes anything.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) split: Split,
    /// Instances of the new version.
    pub(super) canary: u16,
    /// Instances of the whole service.
    pub(super) replicas: u16,
    /// When it had its first request.
    pub(super) exposed_ms: Option<i64>,
}

/// Requests and users, in millionths.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter {
    pub(super) requests: u128,
    pub(super) requests_failed: u128,
    pub(super) requests_slowed: u128,
    pub(super) requests_refused: u128,
    pub(super) users: u128,
    pub(super) users_harmed: u128,
}

/// What a user is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Users {
    /// Requests of one.
    pub(super) requests: u32,
    pub(super) split_by: SplitBy,
}

impl Meter {
    /// Requests harmed by the release's own fault, in millionths.
    pub(super) const fn harmed(&self) -> u128 {
        self.requests_failed + self.requests_slowed
    }

    /// Time passes; says when so many requests were harmed by the fault, if that falls into it.
    pub(super) fn pass(
        &mut self,
        law: &Law<'_>,
        release: &Release,
        users: Users,
        scene: Scene,
        (from_ms, to_ms): (i64, i64),
    ) -> Option<i64> {
        let threshold = u128::from(release.notice_after) * 1_000_000;
        let (mut at_ms, mut noticed) = (from_ms, None);
        while at_ms < to_ms {
            let mut next_ms = ((at_ms.div_euclid(HOUR_MS) + 1) * HOUR_MS).min(to_ms);
            let turns = scene.exposed_ms.zip(release.turns_at_age_ms());
            if let Some((exposed_ms, age_ms)) = turns
                && (at_ms + 1..next_ms).contains(&exposed_ms.saturating_add(age_ms))
            {
                next_ms = exposed_ms + age_ms;
            }
            let before = self.harmed();
            self.stretch(law, release, users, scene, (at_ms, next_ms));
            let after = self.harmed();
            if before < threshold && after >= threshold {
                let part = (threshold - before) * u128::from((next_ms - at_ms).unsigned_abs());
                let part = part / (after - before).max(1);
                noticed = Some(at_ms.saturating_add_unsigned(u64::try_from(part).unwrap_or(0)));
            }
            at_ms = next_ms;
        }
        noticed
    }

    /// Time in which rates stand still, or change evenly.
    fn stretch(
        &mut self,
        law: &Law<'_>,
        release: &Release,
        users: Users,
        scene: Scene,
        (from_ms, to_ms): (i64, i64),
    ) {
        let length_ms = u128::from((to_ms - from_ms).unsigned_abs());
        // Requests per 1000 seconds times milliseconds are millionths of requests.
        let requests = u128::from(release.requests_per_ks(law, from_ms)) * length_ms;
        let each = u128::from(users.requests.max(1));
        self.requests += requests;
        self.users += requests / each;
        if scene.split.is_closed() {
            self.requests_refused += requests;
            self.users_harmed += requests / each;
            return;
        }
        let weight = scene.split.weight(Arm::Canary);
        let Some(exposed_ms) = scene.exposed_ms.filter(|_| weight > 0) else {
            return;
        };
        let age_ms = from_ms.midpoint(to_ms) - exposed_ms;
        let health = release.health(law, age_ms, scene);
        let slowed = law.slowed(health.slower) * (1.0 - health.excess);
        if health.excess <= 0.0 && slowed <= 0.0 {
            return;
        }
        let to_canary = requests * u128::from(weight) / u128::from(FULL_WEIGHT);
        let part = |of: u128, share: f64| of * u128::from(whole(share * 1e9)) / 1_000_000_000;
        self.requests_failed += part(to_canary, health.excess);
        self.requests_slowed += part(to_canary, slowed);
        let share = f64::from(weight) / f64::from(FULL_WEIGHT);
        let harmed = health.excess + slowed;
        let count = float(u64::from(users.requests));
        let met = |each: f64| 1.0 - libm::pow((1.0 - each).max(0.0), count);
        let users_share = match users.split_by {
            SplitBy::Request => met(share * harmed),
            _ => share * met(harmed),
        };
        self.users_harmed += part(requests / each, users_share);
    }
}
