//! What a plan read from outside must hold, whoever wrote it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;

use nonevent_router::{Arm, FULL_WEIGHT};

use crate::duration::{WayBack, deadline_ms};

use super::{
    Action, AnalysisPlan, BaselineSet, FileRef, FleetPlan, Plan, PlanError, PlanErrorKind, Step,
    Task,
};

/// The longest time that JSON carries exactly, in milliseconds; sums of a few do not overflow.
const TIME_MAX_MS: u64 = 1 << 53;
/// The most instances that whoever runs a plan counts with.
const INSTANCES_MAX: u32 = u16::MAX as u32;

impl Plan {
    /// Checks what a plan read from outside must hold; plans made by [`crate::plan`] do. Whether
    /// its steps are safe to take is not asked here: that is proved.
    ///
    /// # Errors
    /// [`PlanErrorKind::Inconsistent`] with what does not fit.
    pub fn validate(&self) -> Result<(), PlanError> {
        let problem = self.problem_of_all();
        let problem = problem.or_else(|| {
            let mut steps = Walk::new(self);
            let told = self.steps.iter().enumerate().find_map(|(index, step)| {
                let problem = steps.problem_of(index, step)?;
                Some(format!("step {} ({}): {problem}", index + 1, step.id))
            });
            told.or_else(|| steps.problem_at_end().map(String::from))
        });
        match problem {
            Some(problem) => Err(PlanError::new(PlanErrorKind::Inconsistent, problem)),
            None => Ok(()),
        }
    }

    /// What of the plan as a whole does not fit.
    fn problem_of_all(&self) -> Option<String> {
        if self.api_version != crate::wire::API_VERSION || self.kind != "Plan" {
            return Some(format!(
                "apiVersion {:?}, kind {:?}: expected {:?}, \"Plan\"",
                self.api_version,
                self.kind,
                crate::wire::API_VERSION
            ));
        }
        if self.steps.is_empty() || self.steps.len() > usize::from(u16::MAX) {
            let steps = self.steps.len();
            return Some(format!("{steps} steps: expected 1 to 65535"));
        }
        let FleetPlan {
            replicas,
            min_ready,
            capacity_max,
            ..
        } = self.fleet;
        if min_ready == 0 || min_ready > replicas {
            return Some(format!("minReady {min_ready} of {replicas} replicas"));
        }
        if capacity_max < replicas || capacity_max > INSTANCES_MAX {
            return Some(format!(
                "capacityMax {capacity_max} beside {replicas} replicas: expected {replicas} to \
                 {INSTANCES_MAX}"
            ));
        }
        let rollback = &self.rollback;
        let times = [
            self.fleet.warm_up_ms,
            self.fleet.ready_within_ms,
            self.fleet.drain_ms,
            self.target.dns_ttl_ms,
            rollback.within_ms,
            rollback.retry_ms,
        ];
        let analyses = self.analysis.iter().chain(self.analyses.values());
        let looks = |it: &AnalysisPlan| [it.every_ms, it.warm_up_ms, it.late_ms, it.window_ms];
        let mut times = times.into_iter().chain(analyses.flat_map(looks));
        if let Some(time_ms) = times.find(|it| *it > TIME_MAX_MS) {
            return Some(format!("a time of {time_ms} ms"));
        }
        let mut approvals = self.approvals.iter();
        let few = approvals.find(|(_, it)| {
            let people: BTreeSet<&String> = it.people.iter().collect();
            u32::try_from(people.len()).is_ok_and(|people| people < it.count.max(1))
        });
        if let Some((name, _)) = few {
            return Some(format!(
                "the approval {name:?} has too few people to give it"
            ));
        }
        let cuts = |step: &Step| matches!(&step.action, Action::Task(it) if it.has_no_way_back());
        let first = self.steps.iter().position(cuts);
        if rollback.no_return_from.map(usize::from) != first {
            return Some(String::from(
                "noReturnFrom is not the first step that cannot be undone",
            ));
        }
        None
    }
}

/// What has come about by the steps so far.
struct Walk<'p> {
    plan: &'p Plan,
    ids: BTreeSet<&'p str>,
    /// What stands in each flag file.
    files: BTreeMap<&'p str, &'p FileRef>,
    routed: bool,
    copied: bool,
    baseline: BaselineSet,
    exposed: u16,
    way_back: WayBack,
    /// The longest way back of any step so far.
    back_ms: u64,
}

impl<'p> Walk<'p> {
    fn new(plan: &'p Plan) -> Self {
        let files = plan.flags.values();
        Walk {
            plan,
            ids: BTreeSet::new(),
            files: files.map(|it| (it.file.name.as_str(), &it.file)).collect(),
            routed: false,
            copied: false,
            baseline: BaselineSet::default(),
            exposed: 0,
            way_back: WayBack::default(),
            back_ms: 0,
        }
    }

    /// What of a step does not fit the rest.
    fn problem_of(&mut self, index: usize, step: &'p Step) -> Option<&'static str> {
        let plan = self.plan;
        if !self.ids.insert(&step.id) {
            return Some("another step has this id");
        }
        let place = u16::try_from(index).unwrap_or(u16::MAX);
        if plan.before(index).after(place, &step.action) != step.target {
            return Some("its target is not what its action leads to");
        }
        if step.target.stable.max(step.target.canary) > INSTANCES_MAX {
            return Some("it wants more instances than can be counted");
        }
        if step.target.split.is_closed() && plan.downtime.is_none() {
            return Some("closes the router without a declared downtime");
        }
        let over = plan.rollback.no_return_from.map(usize::from);
        let over = over.is_some_and(|first| index >= first);
        if step
            .back_to
            .is_some_and(|back| over || back != plan.origin())
        {
            return Some("it leads back to where no way back leads");
        }
        let least = self.exposed.max(step.target.split.weight(Arm::Canary));
        if !(least..=FULL_WEIGHT).contains(&step.exposed) {
            return Some("fewer users meet the new version than its share says, or more than all");
        }
        self.exposed = step.exposed;
        let baseline = self.baseline;
        if let Some(problem) = self.problem_of_baseline(step) {
            return Some(problem);
        }
        let problem = self.problem_of_action(step);
        problem.or_else(|| self.problem_of_times(index, baseline, step))
    }

    fn problem_of_action(&mut self, step: &'p Step) -> Option<&'static str> {
        let plan = self.plan;
        match &step.action {
            Action::Watch { for_ms, .. } if *for_ms > TIME_MAX_MS => Some("it never ends"),
            Action::Watch {
                analyse: true,
                analysis,
                ..
            } if plan.analysis_named(analysis.as_deref()).is_none() => {
                Some("asks for an analysis that the plan does not define")
            }
            Action::Smoke { suite, .. } if plan.suites.get(*suite).is_none() => {
                Some("runs a suite that the plan does not name")
            }
            Action::Task(task) => self.problem_of_task(task),
            _ => None,
        }
    }

    /// Times that a plan states and its own numbers give: they may be longer, and not shorter.
    /// `rollback.within` is none of them, but a promise.
    fn problem_of_times(
        &mut self,
        index: usize,
        baseline: BaselineSet,
        step: &Step,
    ) -> Option<&'static str> {
        let plan = self.plan;
        let before = plan.before(index);
        if step.deadline_ms < deadline_ms(plan, &before, baseline, &step.action) {
            return Some("its deadline is over before what it does can be done");
        }
        let mut back_ms = |from| self.way_back.bound_ms(plan, from);
        let back_ms = back_ms(&before).max(back_ms(&step.target));
        self.back_ms = self.back_ms.max(back_ms);
        (step.back_within_ms < back_ms).then_some("its way back may take longer than it says")
    }

    fn problem_of_task(&mut self, task: &'p Task) -> Option<&'static str> {
        match task {
            Task::Approve { approval } if !self.plan.approvals.contains_key(approval) => {
                Some("asks for an approval that the plan does not define")
            }
            Task::Flag {
                flag,
                before,
                after,
                ..
            } => {
                let Some(known) = self.plan.flags.get(flag) else {
                    return Some("opens a flag that the plan does not define");
                };
                let stands = self.files.insert(&known.file.name, after);
                (stands != Some(before)).then_some("replaces another file than stands there")
            }
            Task::Route { chosen } => {
                self.routed = !chosen.is_empty();
                None
            }
            Task::Mirror { share, .. } => {
                self.copied = *share > 0;
                (*share > FULL_WEIGHT).then_some("copies more than all requests")
            }
            Task::Approve { .. }
            | Task::Manual { .. }
            | Task::Migrate { .. }
            | Task::Baseline { .. } => None,
        }
    }

    /// The baseline set beside what the step leaves.
    fn problem_of_baseline(&mut self, step: &Step) -> Option<&'static str> {
        let (plan, target) = (self.plan, step.target);
        let set = self.baseline.after(&step.action);
        let before = core::mem::replace(&mut self.baseline, set);
        if set == BaselineSet::default() {
            return None;
        }
        let instances = target.stable.saturating_add(target.canary);
        if set.weight > before.weight && set.count > before.count {
            Some("raises the baseline set's share before its instances are there")
        } else if set.count < plan.needed(set.weight) {
            Some("its baseline set cannot carry its share")
        } else if set.weight > target.split.weight(Arm::Stable) {
            Some("its baseline set gets more than stable's part of the traffic")
        } else if instances.saturating_add(set.count) > plan.fleet.capacity_max {
            Some("there is no room for its baseline set")
        } else {
            None
        }
    }

    fn problem_at_end(&self) -> Option<&'static str> {
        let last = self.plan.steps.last()?;
        if last.target.split.weight(Arm::Canary) != FULL_WEIGHT {
            Some("the last step does not leave all traffic on the new version")
        } else if self.routed || self.copied {
            Some("requests are still routed or copied to the new version at the end")
        } else if self.plan.rollback.expected_ms < self.back_ms {
            Some("the way back from some step may take longer than rollback.expectedMs")
        } else if self.baseline != BaselineSet::default() {
            Some("the baseline set is left behind at the end")
        } else {
            None
        }
    }
}
