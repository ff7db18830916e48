//! The analysis of one rollout: the real comparison, fed with drawn counts.
//!
//! A release with a fault is looked at as often as the plan says. A watch of a sound one, and they are
//! most, is looked at a few times first. Only if the evidence leans against the canary at one of these looks, or
//! the last does not pass, its requests are divided among looks as frequent as the plan's, and the comparison goes over them again: a Poisson count divides
//! binomially, and the multipliers of bursts, being Gamma, divide independently of their sum (Lukacs
//! 1955), so the short looks have the very law that they would have had by themselves.

use alloc::vec::Vec;

use nonevent_analysis::{
    ArmWindow, Comparison, GapReason, LatencyCounts, Observation, Outcome, Policy, Window,
};
use nonevent_router::{Arm, FULL_WEIGHT};
use nonevent_strategy::AnalysisPlan;

use super::chance::{Chance, float};
use super::law::Law;
use super::meter::Scene;
use super::release::{Fault, Release, purpose};
use crate::input::Judgement;

/// What one version did in one stretch of time.
#[derive(Clone, Debug, Default)]
struct Counts {
    errors: u64,
    /// Answered requests by latency.
    buckets: Vec<u64>,
}

/// A stretch of a watch.
struct Stretch {
    opened_ms: i64,
    looks: u64,
    /// Stable, then the canary.
    arms: [Counts; 2],
}

/// The analysis of one rollout.
pub(super) struct Judge<'a> {
    law: &'a Law<'a>,
    release: &'a Release,
    plan: &'a AnalysisPlan,
    key: (u64, u64),
    comparison: Comparison,
    /// Looks are taken at whole intervals from here.
    begun_ms: i64,
    /// Windows that opened before are taken, or never will be.
    judged_ms: i64,
    watch: Option<Watch>,
}

/// The watch that is being looked at.
struct Watch {
    scene: Scene,
    chance: Chance,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        law: &'a Law<'a>,
        release: &'a Release,
        plan: &'a AnalysisPlan,
        key: (u64, u64),
    ) -> Judge<'a> {
        Judge {
            law,
            release,
            plan,
            key,
            comparison: Comparison::new(&plan.policy),
            begun_ms: release.starts_ms,
            judged_ms: release.starts_ms,
            watch: None,
        }
    }

    fn every_ms(&self) -> i64 {
        time(self.plan.every_ms.max(1))
    }

    /// When the first look opens that was not taken yet and begins at least a warm-up after a change.
    fn opens_ms(&self, changed_ms: i64) -> i64 {
        let warm_up_ms = time(self.plan.warm_up_ms);
        let from_ms = changed_ms.saturating_add(warm_up_ms).max(self.judged_ms);
        let every_ms = self.every_ms();
        self.begun_ms + ceil_div(from_ms - self.begun_ms, every_ms).saturating_mul(every_ms)
    }

    /// Takes the looks until now that no watch has taken: what is normal for stable is learnt from
    /// those before the new version had any request.
    pub(super) fn catch_up(&mut self, scene: Scene, changed_ms: i64, now_ms: i64) {
        let opened_ms = self.opens_ms(changed_ms);
        let looks = now_ms.saturating_sub(opened_ms) / self.every_ms();
        let Ok(looks @ 1..) = u64::try_from(looks) else {
            return;
        };
        let purpose = purpose::BETWEEN + opened_ms.abs_diff(self.begun_ms);
        let mut chance = Chance::of(self.key.0, self.key.1, purpose);
        let stretch = self.draw(&mut chance, scene, opened_ms, looks);
        self.judged_ms = opened_ms + self.every_ms().saturating_mul(time(looks));
        let window = self.window(&stretch.arms, stretch.looks);
        let _ = self.comparison.learn(&window);
    }

    /// A watch begins. What the analysis will say of it that decides anything: when, and what.
    pub(super) fn watch(
        &mut self,
        step: u16,
        scene: Scene,
        changed_ms: i64,
        pause_ends_ms: i64,
    ) -> (i64, Judgement) {
        let every_ms = self.every_ms();
        let opened_ms = self.opens_ms(changed_ms);
        let looks = ceil_div(pause_ends_ms.saturating_sub(opened_ms), every_ms);
        let looks = looks.max(1).unsigned_abs();
        let closes_ms = opened_ms.saturating_add(every_ms.saturating_mul(time(looks)));
        self.judged_ms = closes_ms;
        if Arm::BOTH.into_iter().all(|arm| scene.split.weight(arm) > 0) {
            self.comparison.start_step();
        }
        let purpose = purpose::ANALYSIS + u64::from(step);
        let mut chance = Chance::of(self.key.0, self.key.1, purpose);
        let answer = self.look_over(&mut chance, scene, (opened_ms, looks));
        self.watch = Some(Watch { scene, chance });
        let (at_ms, judgement) = answer.unwrap_or_else(|| (closes_ms, self.judgement()));
        (at_ms.saturating_add(time(self.plan.late_ms)), judgement)
    }

    /// How many stretches a watch of so many looks is cut into at first.
    fn groups(&self, looks: u64) -> u64 {
        match self.law.scenario.analysis.per_watch {
            // Long looks have less power, so that bad releases would be found later or not at all.
            _ if self.release.fault != Fault::None => looks,
            0 => looks,
            few => looks.min(u64::from(few.max(self.plan.policy.looks_min))),
        }
    }

    /// Takes all looks of a watch; says when the canary failed, if it did.
    fn look_over(
        &mut self,
        chance: &mut Chance,
        scene: Scene,
        (opened_ms, looks): (i64, u64),
    ) -> Option<(i64, Judgement)> {
        let groups = self.groups(looks);
        let begun = (groups < looks).then(|| self.comparison.clone());
        let every_ms = self.every_ms();
        let (mut stretches, mut at_ms, mut left) = (Vec::new(), opened_ms, looks);
        let mut leans = false;
        let mut failed_ms = None;
        for group in 0..groups {
            let looks = left / (groups - group);
            let stretch = self.draw(chance, scene, at_ms, looks);
            at_ms = at_ms.saturating_add(every_ms.saturating_mul(time(looks)));
            left -= looks;
            if failed_ms.is_none() {
                let window = self.window(&stretch.arms, stretch.looks);
                failed_ms = self.comparison.learn(&window).then_some(at_ms);
                leans |= begun.is_some() && self.comparison.way_to_failing() > 0.0;
            }
            if begun.is_some() {
                stretches.push(stretch);
            } else if failed_ms.is_some() {
                break;
            }
        }
        let clean = failed_ms.is_none() && !leans && self.judgement() == Judgement::Pass;
        if let Some(begun) = begun.filter(|_| !clean) {
            self.comparison = begun;
            failed_ms = stretches
                .into_iter()
                .find_map(|stretch| self.look_closer(chance, stretch));
        }
        if failed_ms.is_none() && chance.ppm(self.law.scenario.faults.no_figures_ppm) {
            self.take_gap();
        }
        failed_ms.map(|at_ms| (at_ms, Judgement::Fail))
    }

    /// The next look, after a watch that nothing decided.
    pub(super) fn again(&mut self) -> (i64, Judgement) {
        let opened_ms = self.judged_ms;
        self.judged_ms = opened_ms.saturating_add(self.every_ms());
        if let Some(mut watch) = self.watch.take() {
            if watch.chance.ppm(self.law.scenario.faults.no_figures_ppm) {
                self.take_gap();
            } else {
                let stretch = self.draw(&mut watch.chance, watch.scene, opened_ms, 1);
                let window = self.window(&stretch.arms, stretch.looks);
                let _ = self.comparison.learn(&window);
            }
            self.watch = Some(watch);
        }
        let at_ms = self.judged_ms.saturating_add(time(self.plan.late_ms));
        (at_ms, self.judgement())
    }

    fn take_gap(&mut self) {
        let reason = GapReason::Unreachable;
        let _ = self.comparison.learn(&Observation::Gap { reason });
    }

    /// Takes the looks of a stretch one by one; says at which the canary failed.
    fn look_closer(&mut self, chance: &mut Chance, stretch: Stretch) -> Option<i64> {
        let variation = self.law.scenario.service.error_variation_percent;
        let mut closes_ms = stretch.opened_ms;
        divided(chance, variation, stretch)
            .into_iter()
            .find_map(|arms| {
                closes_ms = closes_ms.saturating_add(self.every_ms());
                let window = self.window(&arms, 1);
                self.comparison.learn(&window).then_some(closes_ms)
            })
    }

    /// Draws what both versions do in so many looks.
    fn draw(&self, chance: &mut Chance, scene: Scene, opened_ms: i64, looks: u64) -> Stretch {
        let length_ms = self.every_ms().saturating_mul(time(looks));
        let middle_ms = opened_ms.saturating_add(length_ms / 2);
        let age_ms = scene
            .exposed_ms
            .map_or(0, |exposed_ms| middle_ms - exposed_ms);
        let health = self.release.health(self.law, age_ms, scene);
        let rates = self.release.error_rates(self.law, health, middle_ms);
        let per_ks = self.release.requests_per_ks(self.law, opened_ms);
        let requests = float(per_ks) * float(length_ms.unsigned_abs()) / 1e6;
        let variation = self.law.scenario.service.error_variation_percent;
        let slower = (health.slower > 1.0).then(|| self.law.buckets(health.slower));
        let arms = Arm::BOTH.map(|arm| {
            let mean = requests * f64::from(scene.split.weight(arm)) / f64::from(FULL_WEIGHT);
            let rate = rates[arm.index()];
            if mean <= 0.0 {
                return Counts::default();
            }
            let failing = (rate * burst(chance, variation, looks)).min(1.0);
            let errors = chance.poisson(mean * failing);
            let shares = match (arm, &slower) {
                (Arm::Canary, Some(shares)) => shares,
                _ => &self.law.stable_buckets,
            };
            let answered = mean * (1.0 - rate);
            let buckets = shares.iter().map(|share| chance.poisson(answered * share));
            Counts {
                errors,
                buckets: buckets.collect(),
            }
        });
        Stretch {
            opened_ms,
            looks,
            arms,
        }
    }

    fn window(&self, arms: &[Counts; 2], looks: u64) -> Observation {
        let [stable, canary] = arms.each_ref().map(|counts| ArmWindow {
            requests: counts.errors + counts.buckets.iter().sum::<u64>(),
            errors: counts.errors,
            latency: match counts.buckets.is_empty() {
                true => LatencyCounts::default(),
                false => LatencyCounts {
                    bounds_us: self.law.bounds_us.clone(),
                    counts: counts.buckets.clone(),
                },
            },
        });
        let length_ms = self.plan.every_ms.saturating_mul(looks);
        Observation::Window(Window {
            length_ms,
            stable,
            canary,
        })
    }

    fn judgement(&self) -> Judgement {
        said(&self.comparison.outcome(), &self.plan.policy)
    }
}

/// What both versions did in each look of a stretch, given what they did in the whole of it.
fn divided(chance: &mut Chance, variation_percent: u16, stretch: Stretch) -> Vec<[Counts; 2]> {
    let looks = stretch.looks;
    let weights = [(); 2].map(|()| {
        let weights = (0..looks).map(|_| burst(chance, variation_percent, 1).max(1e-9));
        weights.collect::<Vec<f64>>()
    });
    let mut weights_left = weights.each_ref().map(|them| them.iter().sum::<f64>());
    let mut left = stretch.arms;
    let mut take = |look: u64, arm: usize| {
        let weight = weights[arm][usize::try_from(look).unwrap_or(0)];
        let (mut bursting, mut even) = (weight / weights_left[arm], 1.0 / float(looks - look));
        if look + 1 == looks {
            (bursting, even) = (1.0, 1.0);
        }
        weights_left[arm] -= weight;
        let mut part = |count: &mut u64, share: f64| {
            let here = chance.binomial(*count, share.clamp(0.0, 1.0));
            *count -= here;
            here
        };
        let left = &mut left[arm];
        Counts {
            errors: part(&mut left.errors, bursting),
            buckets: left.buckets.iter_mut().map(|it| part(it, even)).collect(),
        }
    };
    (0..looks)
        .map(|look| [take(look, 0), take(look, 1)])
        .collect()
}

/// What an outcome means to the machine, as the driver has it.
fn said(outcome: &Outcome, policy: &Policy) -> Judgement {
    match outcome {
        outcome if outcome.promotes(policy) => Judgement::Pass,
        Outcome::Pass => Judgement::Pass,
        Outcome::Fail => Judgement::Fail,
        Outcome::Inconclusive { .. } => Judgement::Inconclusive,
        Outcome::NoData => Judgement::NoData,
        Outcome::EnvironmentUnhealthy => Judgement::EnvironmentUnhealthy,
    }
}

/// The mean multiplier of the error rate over so many looks.
fn burst(chance: &mut Chance, variation_percent: u16, looks: u64) -> f64 {
    if variation_percent == 0 {
        return 1.0;
    }
    let spread = f64::from(variation_percent) / 100.0;
    let shape = float(looks) / (spread * spread);
    chance.gamma(shape) / shape
}

/// A time or a number of looks; both are cut off where sums stay far from overflowing.
fn time(of: u64) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX).min(1 << 40)
}

const fn ceil_div(value: i64, by: i64) -> i64 {
    -((-value).div_euclid(by))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::{Chance, Counts, Stretch, divided};

    #[test]
    fn dividing_a_stretch_loses_nothing_and_bursts_as_it_should() {
        let mut chance = Chance::of(1, 2, 3);
        let counts = |errors, buckets| Counts { errors, buckets };
        let (mut squares, mut buckets) = (0.0, 0.0);
        const STRETCHES: u64 = 400;
        for _ in 0..STRETCHES {
            let stretch = Stretch {
                opened_ms: 0,
                looks: 5,
                arms: [counts(5_000, vec![50_000, 7, 0]), counts(0, vec![1])],
            };
            let looks = divided(&mut chance, 50, stretch);
            assert_eq!(looks.len(), 5);
            let sum = |of: &dyn Fn(&[Counts; 2]) -> u64| looks.iter().map(of).sum::<u64>();
            assert_eq!(sum(&|it| it[0].errors), 5_000);
            assert_eq!(sum(&|it| it[0].buckets[0]), 50_000);
            assert_eq!(sum(&|it| it[0].buckets[1]), 7);
            assert_eq!(sum(&|it| it[1].errors), 0);
            assert_eq!(sum(&|it| it[1].buckets[0]), 1);
            let apart = |count: u64, mean: f64| (super::float(count) - mean) / mean;
            squares += apart(looks[0][0].errors, 1_000.0) * apart(looks[0][0].errors, 1_000.0);
            buckets += apart(looks[4][0].buckets[0], 10_000.0).abs();
        }
        // Of a Dirichlet law of five parts of shape 4: (1 - 1/5) / (1/5) / 21 of the mean's square.
        let spread = squares / super::float(STRETCHES);
        assert!((0.15..0.24).contains(&spread), "{spread}");
        assert!(buckets / super::float(STRETCHES) < 0.02, "{buckets}");
    }
}
