//! Watches the two versions: differences of the router's counters, looked at in their interval.

use std::collections::BTreeMap;

use nonevent_analysis::{
    ArmWindow, Comparison, GapReason, LatencyCounts, Observation, Outcome, Policy, Verdict, Window,
};
use nonevent_document::Timestamp;
use nonevent_rollout::Judgement;
use nonevent_router::{
    Arm, ArmChange, CountersChange, LATENCY_BUCKETS, Snapshot, Split, latency_bucket_bound_us,
};
use nonevent_strategy::{Action, AnalysisPlan, Plan};
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

/// All analyses of one rollout. Each counts from the beginning to the end, so that none is blind to
/// what happened before its step; a step is judged by its own.
pub struct Watchers(BTreeMap<Option<String>, Watcher>);

/// Which analysis judges a step, and what of its words counts there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judging {
    /// The step, by its place from 0.
    pub(crate) step: u16,
    /// The analysis, by name; absent: the plan's own.
    pub(crate) by: Option<String>,
    /// Whether the step watches: elsewhere only a failure counts.
    pub(crate) watches: bool,
}

impl Judging {
    /// Who judges what stands at step `step`: in a watch its own analysis; in any other step, while
    /// both versions have traffic, that of the watch before it.
    pub(crate) fn at(plan: &Plan, step: u16, both: bool) -> Option<Judging> {
        let asks = |action: &Action| match action {
            Action::Watch {
                analyse: true,
                analysis,
                ..
            } => Some(analysis.clone()),
            _ => None,
        };
        let steps = plan.steps.get(..=usize::from(step))?;
        let watches = steps.last().is_some_and(|it| asks(&it.action).is_some());
        let by = steps.iter().rev().find_map(|it| asks(&it.action));
        let judging = Judging {
            step,
            by: by.unwrap_or_default(),
            watches,
        };
        (watches || both).then_some(judging)
    }
}

impl Watchers {
    /// Watchers for all analyses of `plan`, that go on from what they remember.
    #[must_use]
    pub fn new(plan: &Plan, mut memories: BTreeMap<Option<String>, Memory>) -> Watchers {
        // One that remembers nothing has not seen how long the split has been in force.
        let fresh = memories.is_empty();
        let own = plan.analysis.iter().map(|it| (None, it));
        let others = plan.analyses.iter();
        let all = own.chain(others.map(|(name, it)| (Some(name.clone()), it)));
        let watcher = |(name, it): (Option<String>, &AnalysisPlan)| {
            let mut watcher = Watcher::new(it, memories.remove(&name));
            watcher.fresh &= fresh;
            (name, watcher)
        };
        Watchers(all.map(watcher).collect())
    }

    /// What each of them remembers, by name.
    pub fn memories(&self) -> impl Iterator<Item = (&Option<String>, &Memory)> {
        self.0.iter().map(|(name, it)| (name, it.memory()))
    }

    /// Takes one reading; gives what the one that judges says.
    pub(crate) fn look(
        &mut self,
        now: Timestamp,
        snapshot: &Snapshot,
        judging: Option<&Judging>,
    ) -> Option<Verdict> {
        let mut said = None;
        for (name, watcher) in &mut self.0 {
            let judging = judging.filter(|it| it.by == *name);
            let step = judging.filter(|it| it.watches).map(|it| it.step);
            let verdict = watcher.look(now, snapshot, step);
            said = said.or(verdict.filter(|_| judging.is_some()));
        }
        said
    }

    /// A look at a router that did not answer.
    pub(crate) fn blind(&mut self, now: Timestamp, judging: Option<&Judging>) -> Option<Verdict> {
        let mut said = None;
        for (name, watcher) in &mut self.0 {
            let judges = judging.is_some_and(|it| it.by == *name);
            let verdict = watcher.blind(now);
            said = said.or(verdict.filter(|_| judges));
        }
        said
    }

    /// What a verdict of the one that judges means to the machine, if it counts in that step.
    pub(crate) fn judgement(&self, judging: &Judging, verdict: &Verdict) -> Option<Judgement> {
        let said = judgement(verdict, &self.0.get(&judging.by)?.plan.policy);
        (judging.watches || said == Judgement::Fail).then_some(said)
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use nonevent_router::{Counters, Pools};

    use super::*;
    use crate::prepare::{Wanted, prepare};

    const DOCUMENT: &str = "
apiVersion: nonevent/v1
kind: Deployment
service: shop
environment: test
author: noor
release: { from: 1.0.0, to: 1.1.0 }
roles: { lead: [ada] }
fleet: { replicas: 2, spare: 2 }
strategy:
  canary:
    steps:
      - { traffic: 25%, pause: 1m, analysis: none }
      - { traffic: 50%, pause: 1m, analysis: lenient, approval: go }
      - { traffic: 100%, pause: 1m }
analysis: { every: 1s, bounds: error_rate <= 1% }
analyses:
  lenient: { every: 2s, bounds: error_rate <= 60% }
approvals:
  go: { role: lead }
";

    fn plan() -> Plan {
        let wanted = Wanted::default();
        let prepared = prepare("shop.yaml", DOCUMENT.as_bytes(), Path::new("."), &wanted);
        prepared
            .unwrap_or_else(|findings| panic!("{findings}"))
            .plan
    }

    fn step(plan: &Plan, name: &str) -> u16 {
        let place = plan.steps.iter().position(|it| it.id == name);
        u16::try_from(place.unwrap_or_else(|| panic!("{name}: {:?}", plan.steps))).unwrap()
    }

    #[test]
    fn a_step_is_judged_by_its_own_and_others_by_that_of_the_watch_before() {
        let plan = plan();
        let at = |name, both| Judging::at(&plan, step(&plan, name), both);
        let judging = |name, by: Option<&str>, watches| {
            Some(Judging {
                step: step(&plan, name),
                by: by.map(str::to_owned),
                watches,
            })
        };
        let lenient = Some("lenient");
        // No step without traffic on both is judged but one that watches.
        for name in ["smoke-before", "pause", "approve-go", "scale-stable-0"] {
            assert_eq!(at(name, false), None, "{name}");
        }
        assert_eq!(at("pause", true), judging("pause", None, false));
        assert_eq!(at("approve-go", true), judging("approve-go", None, false));
        assert_eq!(at("pause-2", true), judging("pause-2", lenient, true));
        assert_eq!(
            at("traffic-100", true),
            judging("traffic-100", lenient, false)
        );
        assert_eq!(at("bake", false), judging("bake", None, true));
        assert_eq!(at("bake", true), judging("bake", None, true));
        assert_eq!(Judging::at(&plan, u16::MAX, true), None);
    }

    /// The router after `seconds` in which half of the canary's answers were errors.
    fn snapshot(seconds: i64) -> Snapshot {
        let requests = u64::try_from(seconds).unwrap() * 100;
        let mut counters = Counters::default();
        for (arm, errors) in [
            (&mut counters.stable, 0),
            (&mut counters.canary, requests / 2),
        ] {
            (arm.requests, arm.finished, arm.errors) = (requests, requests, errors);
        }
        Snapshot {
            started: String::from("once"),
            listen: None,
            split: Split::canary(5_000).unwrap(),
            pools: Pools::default(),
            fence: None,
            unsaved: None,
            counters,
            backends: Vec::new(),
        }
    }

    /// What counts at a step while half of the canary's answers are errors, second by second.
    fn said(plan: &Plan, name: &str, memories: BTreeMap<Option<String>, Memory>) -> Vec<Judgement> {
        let judging = Judging::at(plan, step(plan, name), true).unwrap();
        let mut watchers = Watchers::new(plan, memories);
        let look = |second: i64| {
            let now = Timestamp::from_unix_ms(1_767_600_000_000 + second * 1_000);
            let verdict = watchers.look(now, &snapshot(second), Some(&judging))?;
            watchers.judgement(&judging, &verdict)
        };
        (0..20).filter_map(look).collect()
    }

    #[test]
    fn only_a_failure_counts_where_nothing_is_watched() {
        let plan = plan();
        let none = BTreeMap::new;
        for name in ["pause", "approve-go", "scale-canary-1"] {
            let said = said(&plan, name, none());
            assert!(!said.is_empty(), "{name}");
            assert!(
                said.iter().all(|it| *it == Judgement::Fail),
                "{name}: {said:?}"
            );
        }
        let lenient = said(&plan, "pause-2", none());
        assert!(!lenient.contains(&Judgement::Fail), "{lenient:?}");
        assert_eq!(lenient.len(), 9, "in its own interval");
        assert_eq!(
            said(&plan, "traffic-100", none()),
            [],
            "as the watch before"
        );
        assert!(said(&plan, "bake", none()).contains(&Judgement::Fail));
    }

    #[test]
    fn each_remembers_what_it_has_counted() {
        let plan = plan();
        let mut watchers = Watchers::new(&plan, BTreeMap::new());
        let at = |second: i64| Timestamp::from_unix_ms(1_767_600_000_000 + second * 1_000);
        for second in 0..10 {
            let _ = watchers.look(at(second), &snapshot(second), None);
        }
        let memories: BTreeMap<_, _> = watchers
            .memories()
            .map(|(name, memory)| (name.clone(), memory.clone()))
            .collect();
        assert_eq!(memories.len(), 2);
        assert_ne!(memories[&None], memories[&Some("lenient".to_owned())]);
        let again = Watchers::new(&plan, memories.clone());
        for (name, memory) in again.memories() {
            assert_eq!(memories[name], *memory);
        }
    }
}
