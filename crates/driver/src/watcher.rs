//! Watches the two versions: differences of the router's counters, looked at in their interval.

use nonevent_analysis::{
    ArmWindow, Comparison, GapReason, LatencyCounts, Observation, Outcome, Policy, Verdict, Window,
};
use nonevent_document::Timestamp;
use nonevent_rollout::Judgement;
use nonevent_router::{
    Arm, ArmChange, CountersChange, LATENCY_BUCKETS, Snapshot, Split, latency_bucket_bound_us,
};
use nonevent_strategy::AnalysisPlan;
use serde::{Deserialize, Serialize};

/// The analysis of one rollout.
pub struct Watcher {
    plan: AnalysisPlan,
    memory: Memory,
    last: Option<(Timestamp, Snapshot)>,
    changed_at: Option<(Split, Timestamp)>,
    /// Whether this is the rollout's first watcher.
    fresh: bool,
}

/// What a resumed rollout needs so that it continues the same test and not a fresh one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    comparison: Comparison,
    /// The last step whose requests are counted on their own.
    step: Option<u16>,
}

impl Watcher {
    /// A watcher that has seen nothing, or goes on from what it remembers.
    #[must_use]
    pub fn new(plan: &AnalysisPlan, memory: Option<Memory>) -> Watcher {
        let fresh = memory.is_none();
        let memory = memory.unwrap_or_else(|| Memory {
            comparison: Comparison::new(&plan.policy),
            step: None,
        });
        Watcher {
            plan: plan.clone(),
            memory,
            last: None,
            changed_at: None,
            fresh,
        }
    }

    /// What to keep.
    #[must_use]
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Takes one reading; says something once per interval.
    pub fn look(
        &mut self,
        now: Timestamp,
        snapshot: &Snapshot,
        step: Option<u16>,
    ) -> Option<Verdict> {
        let split = snapshot.split;
        if self.changed_at.is_none() && self.fresh {
            // Before anything was done, the split had been in force for long.
            self.changed_at = Some((split, Timestamp::from_unix_ms(0)));
        }
        if self
            .changed_at
            .as_ref()
            .is_none_or(|(known, _)| *known != split)
        {
            self.changed_at = Some((split, now));
        }
        let every_ms = i64::try_from(self.plan.every_ms).unwrap_or(i64::MAX);
        let Some((since, earlier)) = &self.last else {
            self.last = Some((now, snapshot.clone()));
            return None;
        };
        let length_ms = now.ms_since(*since);
        if length_ms < every_ms {
            return None;
        }
        let observation = match snapshot.since(earlier) {
            Ok(change) if self.is_warm(*since) => window(length_ms, &change).into(),
            Ok(_) => Observation::Gap {
                reason: GapReason::OpenedBeforeChange,
            },
            Err(_) => Observation::Gap {
                reason: GapReason::CounterReset,
            },
        };
        self.last = Some((now, snapshot.clone()));
        self.begin(step, split);
        Some(self.memory.comparison.observe(&observation))
    }

    /// A look at a router that did not answer.
    pub fn blind(&mut self, now: Timestamp) -> Option<Verdict> {
        let every_ms = i64::try_from(self.plan.every_ms).unwrap_or(i64::MAX);
        let (since, _) = self.last.as_ref()?;
        if now.ms_since(*since) < every_ms {
            return None;
        }
        let reason = GapReason::Unreachable;
        Some(self.memory.comparison.observe(&Observation::Gap { reason }))
    }

    /// A window counts if it was opened after the split had been in force for the warm-up.
    fn is_warm(&self, opened: Timestamp) -> bool {
        let warm_up_ms = i64::try_from(self.plan.warm_up_ms).unwrap_or(i64::MAX);
        self.changed_at
            .is_none_or(|(_, at)| opened.unix_ms() >= at.plus_ms(warm_up_ms).unix_ms())
    }

    /// Each watch in which both versions serve counts its own requests. Where only the new one
    /// serves, what stable did before goes on counting.
    fn begin(&mut self, step: Option<u16>, split: Split) {
        let both = Arm::BOTH.into_iter().all(|arm| split.weight(arm) > 0);
        if step.is_some() && self.memory.step != step && both {
            self.memory.comparison.start_step();
            self.memory.step = step;
        }
    }
}

/// What a verdict means to the machine, under the plan's policy.
#[must_use]
pub fn judgement(verdict: &Verdict, policy: &Policy) -> Judgement {
    match &verdict.outcome {
        outcome if outcome.promotes(policy) => Judgement::Pass,
        Outcome::Pass => Judgement::Pass,
        Outcome::Fail => Judgement::Fail,
        Outcome::Inconclusive { .. } => Judgement::Inconclusive,
        Outcome::NoData => Judgement::NoData,
        Outcome::EnvironmentUnhealthy => Judgement::EnvironmentUnhealthy,
    }
}

fn window(length_ms: i64, change: &CountersChange) -> Window {
    Window {
        length_ms: u64::try_from(length_ms).unwrap_or(0),
        stable: arm_window(&change.stable),
        canary: arm_window(&change.canary),
    }
}

fn arm_window(change: &ArmChange) -> ArmWindow {
    ArmWindow {
        requests: change.finished,
        errors: change.errors,
        latency: LatencyCounts {
            // The last bucket is open: it has no bound.
            bounds_us: (0..LATENCY_BUCKETS - 1)
                .map(latency_bucket_bound_us)
                .collect(),
            counts: change.latency.0.clone(),
        },
    }
}
