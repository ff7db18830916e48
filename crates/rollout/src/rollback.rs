//! The way back: a function of what stands now, and of nothing that was meant.
//!
//! Each turn compares the last observation with the goal (all traffic and all replicas on stable)
//! and names the one next effect. So it does not matter where the rollout was when it turned, nor
//! how often the controlling process died on the way.

use nonevent_router::{Arm, FULL_WEIGHT, Split};
use nonevent_strategy::{ConnectionPolicy, Plan, SmokeTarget, SuiteMoment, Traffic, Ways};

use crate::effect::{Effect, Notice, WaitReason};
use crate::input::{FleetSeen, Input, SmokeVerdict};
use crate::machine::{ANSWER_MS, Decision, count};
use crate::state::{Extra, Mode, Outcome, Phase, Reason, StuckAt, Verified};

/// How long the smoke suite after a rollback may take, in milliseconds.
const VERIFY_MS: i64 = 120_000;
/// So often a kill switch is refused before the suite after a rollback runs without it.
const REFUSALS_SUITE: u8 = 3;
/// How long the removal of canary instances may take beyond the drain time, in milliseconds.
const REMOVAL_MS: i64 = 60_000;
/// How often what was set beside the canary may at least be tried to be taken back.
const WITHDRAW_TRIES: u64 = 3;

/// What `phase` waits for when nothing is out.
pub(crate) fn waits_for(plan: &Plan, phase: Phase) -> WaitReason {
    match phase {
        Phase::Restore => WaitReason::Ready {
            arm: Arm::Stable,
            count: count(plan.fleet.min_ready),
        },
        Phase::Quiesce => WaitReason::Drain,
        Phase::Verify | Phase::Withdraw => WaitReason::Answer,
        Phase::Lower => WaitReason::Gone {
            arm: Arm::Canary,
            count: count(plan.rollback.keep),
        },
    }
}

impl Decision<'_> {
    /// Goes back as far as this turn allows.
    pub(crate) fn back(&mut self, input: &Input) {
        if matches!(input, Input::Restarted) {
            self.enter_phase(Phase::Restore);
        }
        if self.state.beside.flags && self.kills_first() {
            // At once and before anything else: it is the quickest of all.
            self.withdraw(Extra::Flags);
        }
        self.back_through_phases();
        if self.state.beside.flags && matches!(self.state.mode, Mode::Rollback { .. }) {
            self.withdraw(Extra::Flags);
        }
    }

    /// Whether the next try is that of a kill switch. It takes turns with all else that waits for
    /// the next try, so that neither keeps the other from being done for long; a suite, which may
    /// be out for minutes, waits for a few of them.
    pub(crate) const fn kills_first(&self) -> bool {
        let verifies = matches!(
            self.state.mode,
            Mode::Rollback {
                phase: Phase::Verify,
                ..
            }
        );
        self.state.refusals.is_multiple_of(2) || (verifies && self.state.refusals < REFUSALS_SUITE)
    }

    fn back_through_phases(&mut self) {
        while let Mode::Rollback {
            reason,
            phase,
            deadline_ms,
            ..
        } = self.state.mode
        {
            let late = self.now_ms >= deadline_ms;
            // What held a while ago need not hold now, and is begun anew.
            if phase != Phase::Restore && !self.may_hold(late) {
                self.enter_phase(Phase::Restore);
                continue;
            }
            let (Some(traffic), Some(fleet)) = (self.state.traffic, self.state.fleet) else {
                if late {
                    self.stuck(reason, StuckAt::Reading);
                } else {
                    self.unseen();
                }
                return;
            };
            let next = match phase {
                Phase::Restore => self.restore(traffic, fleet, late, reason),
                Phase::Quiesce => self.quiesce(fleet, late),
                Phase::Verify => self.verify(late),
                Phase::Lower => self.lower(fleet, late, reason),
                Phase::Withdraw => self.withdrawn(fleet, late, reason),
            };
            match next {
                Some(next) => self.enter_phase(next),
                None => return,
            }
        }
    }

    pub(crate) fn enter_phase(&mut self, next: Phase) {
        self.abandon();
        let after = |ms: u64| {
            self.now_ms
                .saturating_add(i64::try_from(ms).unwrap_or(i64::MAX))
        };
        if let Mode::Rollback {
            phase, deadline_ms, ..
        } = &mut self.state.mode
        {
            *phase = next;
            *deadline_ms = match next {
                Phase::Restore => after(self.plan.rollback.within_ms),
                Phase::Quiesce => after(self.plan.fleet.drain_ms),
                Phase::Verify => self.now_ms.saturating_add(VERIFY_MS),
                Phase::Lower => after(self.plan.fleet.drain_ms).saturating_add(REMOVAL_MS),
                // Time for some tries, each as long as it takes to drain.
                Phase::Withdraw => after(self.plan.fleet.drain_ms.saturating_mul(WITHDRAW_TRIES))
                    .saturating_add(REMOVAL_MS),
            };
        }
    }

    /// Asks what stands. But if the fleet cannot be asked, traffic goes to the stable instances
    /// that were ready when it last could: the way back needs only the journal and the router.
    fn unseen(&mut self) {
        // What a suite says of what is no longer known is not waited for.
        self.abandon();
        if let (Some(traffic), None) = (self.state.traffic, self.state.fleet)
            && self.state.refusals > 0
        {
            let ready = u32::from(self.state.stable_ready_last);
            let split = traffic.split;
            let wanted = if split.is_closed() {
                self.opened(ready)
            } else {
                let carried = self.plan.carried(ready);
                let canary = split.weight(Arm::Canary).min(FULL_WEIGHT - carried);
                Split::canary(canary).unwrap_or(split)
            };
            let wanted = without_ways(traffic, wanted, ready);
            if wanted != traffic {
                self.send(Effect::shift(wanted), ANSWER_MS);
            }
        }
        self.send(Effect::Observe, ANSWER_MS);
    }

    /// What a closed router is changed to where `ready` stable instances are ready.
    fn opened(&self, ready: u32) -> Split {
        // Closed without a declared downtime, any instance is better than none.
        let open = match self.plan.downtime {
            Some(_) => ready >= self.plan.fleet.min_ready,
            None => ready > 0,
        };
        if open { Split::STABLE } else { Split::Closed }
    }

    pub(crate) fn withdraw(&mut self, extra: Extra) {
        let within_ms = match extra {
            Extra::Flags => ANSWER_MS,
            // They drain like all others.
            Extra::Baseline => {
                let drain_ms = i64::try_from(self.plan.fleet.drain_ms).unwrap_or(i64::MAX);
                drain_ms.saturating_add(ANSWER_MS)
            }
        };
        self.send(Effect::Withdraw { extra }, within_ms);
    }

    fn stuck(&mut self, reason: Reason, at: StuckAt) {
        if let Some(pending) = self.state.pending.take() {
            self.unfence(pending.effect);
        }
        self.state.mode = Mode::Done(Outcome::Stuck { reason, at });
    }

    /// Whether, by all that is known, stable serves everything; what is not known for too long
    /// does not count.
    fn may_hold(&self, late: bool) -> bool {
        match (self.state.traffic, self.state.fleet) {
            (Some(traffic), Some(fleet)) => self.holds(traffic, fleet),
            (Some(traffic), None) => traffic == Traffic::STABLE && !late,
            (None, _) => !late,
        }
    }

    /// Whether stable serves everything: it has all traffic, ready instances that carry it, and
    /// its full number is asked for.
    fn holds(&self, traffic: Traffic, fleet: FleetSeen) -> bool {
        traffic == Traffic::STABLE
            && u32::from(fleet.stable.ready) >= self.plan.fleet.min_ready
            && u32::from(fleet.stable.kept) >= self.plan.fleet.replicas
    }

    fn restore(
        &mut self,
        traffic: Traffic,
        fleet: FleetSeen,
        late: bool,
        reason: Reason,
    ) -> Option<Phase> {
        let [stable_unfenced, _] = self.state.unfenced_arms;
        let settled = self.state.pending.is_none() && !self.state.unfenced && !stable_unfenced;
        if settled && self.holds(traffic, fleet) {
            self.notices.push(Notice::Restored);
            return Some(Phase::Quiesce);
        }
        if late {
            let carried = self.plan.carried(u32::from(fleet.stable.ready)) == FULL_WEIGHT;
            self.stuck(
                reason,
                if carried {
                    StuckAt::Traffic
                } else {
                    StuckAt::Capacity
                },
            );
            return None;
        }
        if let Some(effect) = self.towards_stable(traffic, fleet) {
            self.send(effect, ANSWER_MS);
        }
        None
    }

    /// The one next effect on the way to stable; nothing while instances are still coming or going.
    fn towards_stable(&self, traffic: Traffic, fleet: FleetSeen) -> Option<Effect> {
        let split = traffic.split;
        let stable_ready = u32::from(fleet.stable.ready);
        let wanted = without_ways(traffic, self.split_carried(split, fleet), stable_ready);
        // An earlier change that may still arrive is fenced off; but nobody asked for a closed
        // router where none is declared, so nobody asks for it again.
        let askable = !wanted.split.is_closed() || self.plan.downtime.is_some();
        if wanted != traffic || (self.state.unfenced && askable) {
            return Some(Effect::shift(wanted));
        }
        let replicas = count(self.plan.fleet.replicas);
        let capacity = count(self.plan.fleet.capacity_max);
        // As many as there is room for beside all that still exists, what drains included.
        let draining = fleet.stable.present.saturating_sub(fleet.stable.kept);
        let room = capacity
            .saturating_sub(fleet.canary.present)
            .saturating_sub(draining);
        let wanted = replicas.min(room).max(fleet.stable.kept.min(replicas));
        let [unfenced, _] = self.state.unfenced_arms;
        if fleet.stable.kept < wanted || unfenced {
            return Some(Effect::Scale {
                arm: Arm::Stable,
                count: wanted.max(fleet.stable.kept),
            });
        }
        if wanted >= replicas {
            return None;
        }
        // The canary makes room: it keeps what its traffic needs.
        let needed = count(self.plan.needed_by(Arm::Canary, traffic));
        let settled = fleet.stable.ready >= fleet.stable.kept;
        if fleet.canary.kept > needed {
            return Some(Effect::Scale {
                arm: Arm::Canary,
                count: needed,
            });
        }
        let draining = fleet.canary.present > fleet.canary.kept;
        let exposed = split.weight(Arm::Canary) > 0;
        if settled && !draining && exposed && self.plan.downtime.is_some() {
            return Some(Effect::shift(Traffic::split(Split::Closed)));
        }
        None
    }

    /// The best split for the instances that are ready now: never more canary than there is, and
    /// stable as far as it can carry; but a canary that cannot carry its part gives it up in any
    /// case, as long as stable has an instance at all.
    fn split_carried(&self, split: Split, fleet: FleetSeen) -> Split {
        let stable_ready = u32::from(fleet.stable.ready);
        if split.is_closed() {
            return self.opened(stable_ready);
        }
        if stable_ready == 0 {
            return split;
        }
        let canary = split
            .weight(Arm::Canary)
            .min(FULL_WEIGHT - self.plan.carried(stable_ready))
            .min(self.plan.carried(u32::from(fleet.canary.ready)));
        Split::canary(canary).unwrap_or(Split::STABLE)
    }

    fn quiesce(&mut self, fleet: FleetSeen, late: bool) -> Option<Phase> {
        let at_once = self.plan.fleet.connections == ConnectionPolicy::CloseAtOnce;
        (self.state.quiet || late || at_once || fleet.canary.present == 0).then_some(Phase::Verify)
    }

    fn verify(&mut self, late: bool) -> Option<Phase> {
        let said = match self.smoke.take() {
            Some(SmokeVerdict::Passed) => Verified::Passed,
            Some(SmokeVerdict::Failed) => Verified::Failed,
            Some(SmokeVerdict::Unavailable) => Verified::Unavailable,
            None if late => Verified::Unavailable,
            None => {
                let (target, suite) = (SmokeTarget::Router, SuiteMoment::After);
                self.send(Effect::Smoke { target, suite }, VERIFY_MS);
                return None;
            }
        };
        if let Mode::Rollback { verified, .. } = &mut self.state.mode {
            *verified = said;
        }
        Some(Phase::Lower)
    }

    fn lower(&mut self, fleet: FleetSeen, late: bool, reason: Reason) -> Option<Phase> {
        let keep = count(self.plan.rollback.keep);
        let [_, unfenced] = self.state.unfenced_arms;
        if fleet.canary.present <= keep && self.state.pending.is_none() && !unfenced {
            return Some(Phase::Withdraw);
        }
        if late {
            self.stuck(reason, StuckAt::Removal);
            return None;
        }
        if fleet.canary.kept > keep || unfenced {
            let effect = Effect::Scale {
                arm: Arm::Canary,
                count: keep.min(fleet.canary.kept),
            };
            self.send(effect, ANSWER_MS);
        }
        None
    }

    fn withdrawn(&mut self, fleet: FleetSeen, late: bool, reason: Reason) -> Option<Phase> {
        if fleet.canary.kept > count(self.plan.rollback.keep) {
            // Somebody else has started one.
            return Some(Phase::Lower);
        }
        match self.state.beside.first() {
            Some(extra) if late => self.stuck(reason, StuckAt::Beside { extra }),
            Some(extra) => self.withdraw(extra),
            None => {
                if let Mode::Rollback {
                    reason, verified, ..
                } = self.state.mode
                {
                    self.state.mode = Mode::Done(Outcome::RolledBack { reason, verified });
                }
            }
        }
        None
    }
}

/// `split`, and no way to the canary beside it, where stable has an instance for those who came by
/// one.
const fn without_ways(traffic: Traffic, split: Split, stable_ready: u32) -> Traffic {
    let ways = match stable_ready {
        0 => traffic.ways,
        _ => Ways::NONE,
    };
    Traffic { split, ways }
}
