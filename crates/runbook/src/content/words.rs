//! Figures and values in words.

use alloc::format;
use alloc::string::{String, ToString as _};

use nonevent_document::{Percent, format_duration_ms};
use nonevent_router::{Arm, FULL_WEIGHT};
use nonevent_strategy::{
    Action, BaselineSet, Plan, SmokeTarget, Step, StrategyKind, SuiteMoment, SuiteRef, Task,
    WatchKind,
};

use crate::runbook::Item;
use crate::text::{Text, text};

/// The blank for who answers for the deployment.
pub(crate) const OWNER: &str = "<owner>";
/// The blank for the announced start.
pub(crate) const WINDOW: &str = "<window start, UTC>";

pub(crate) fn item(id: &str, text: Text) -> Item {
    Item {
        id: String::from(id),
        text,
    }
}

/// A name that reads as prose; an empty one is made visible.
pub(crate) fn name(value: &str) -> &str {
    if value.trim().is_empty() {
        crate::markdown::EMPTY
    } else {
        value
    }
}

pub(crate) fn owner(plan: &Plan) -> &str {
    plan.owner.as_deref().map_or(OWNER, name)
}

/// 2500 → `25%`.
pub(crate) fn share(weight: u16) -> String {
    Percent::from_basis_points(weight).map_or_else(|| weight.to_string(), |it| it.to_string())
}

/// 10 000 → `1%`.
pub(crate) fn ppm(ppm: u32) -> String {
    let decimals = format!("{:04}", ppm % 10_000);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{}{point}{decimals}%", ppm / 10_000)
}

/// 250 (percent) → `2.5 times`.
pub(crate) fn times(percent: u32) -> String {
    let decimals = format!("{:02}", percent % 100);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{}{point}{decimals} times", percent / 100)
}

pub(crate) fn instances(count: u32) -> String {
    if count == 1 {
        String::from("1 instance")
    } else {
        format!("{count} instances")
    }
}

pub(crate) fn within(ms: u64) -> String {
    format!("within {}", format_duration_ms(ms))
}

pub(crate) fn version(plan: &Plan, arm: Arm) -> &String {
    match arm {
        Arm::Stable => &plan.release.from,
        Arm::Canary => &plan.release.to,
    }
}

/// `the smoke suite api.json (sha256:…)`.
pub(crate) fn suite(suite: &SuiteRef) -> Text {
    match &suite.digest {
        None if suite.name == "default" => {
            text!(
                "the default smoke suite (one ",
                code(String::from("GET /")),
                " answers 200)"
            )
        }
        None => text!("the smoke suite ", code(suite.name)),
        Some(digest) => {
            let digest = digest.to_string();
            text!(
                "the smoke suite ",
                code(suite.name),
                " (",
                code(digest),
                ")"
            )
        }
    }
}

pub(crate) fn suite_of(plan: &Plan, moment: SuiteMoment) -> &SuiteRef {
    // A plan that names a suite it does not have is none; the last stands in for it here.
    plan.suites.get(moment).unwrap_or(&plan.suites.after)
}

/// A step in a few words.
pub(crate) fn title(plan: &Plan, index: usize, step: &Step) -> Text {
    let (old, new) = (&plan.release.from, &plan.release.to);
    match &step.action {
        Action::Smoke {
            suite: SuiteMoment::Before,
            ..
        } => {
            text!("Smoke-test the service before anything changes")
        }
        Action::Smoke {
            target: SmokeTarget::Canary,
            ..
        } => {
            text!("Smoke-test the instances of ", code(new), " directly")
        }
        Action::Smoke { .. } => text!("Smoke-test the service through the router"),
        Action::Scale { arm, count } => {
            let from = plan.before(index).count(*arm);
            let verb = match (*count > from, *count) {
                (true, _) => "Start",
                (false, 0) => "Stop all",
                (false, _) => "Stop some",
            };
            text!(
                verb,
                " instances of ",
                code(version(plan, *arm)),
                format!(": {from} → {count}")
            )
        }
        Action::Shift { split } if split.is_closed() => {
            text!("Close the router: the downtime begins")
        }
        Action::Shift { split } => {
            let weight = split.weight(Arm::Canary);
            if weight == 0 {
                text!("Send all traffic to ", code(old))
            } else {
                text!("Send ", share(weight), " of traffic to ", code(new))
            }
        }
        Action::Watch { kind, for_ms, .. } => {
            let time = format_duration_ms(*for_ms);
            let at = share(step.target.split.weight(Arm::Canary));
            match kind {
                WatchKind::Baseline => text!("Learn in ", time, " what is normal"),
                WatchKind::Pause => text!("Watch at ", at, " for ", time),
                WatchKind::Bake => text!("Bake ", code(new), " for ", time),
                WatchKind::Keep => text!("Keep ", code(old), " in readiness for ", time),
            }
        }
        Action::Task(task) => super::tasks::title(plan, task),
    }
}

/// How long a step takes if nothing is late, in milliseconds: its pause, or the warm-up of the
/// instances it starts. Summed up this is what `nonevent_strategy::plan_duration_ms` expects.
pub(crate) fn expected_ms(plan: &Plan, index: usize, step: &Step) -> u64 {
    match &step.action {
        Action::Watch { for_ms, .. } => *for_ms,
        Action::Scale { arm, count } if *count > plan.before(index).count(*arm) => {
            plan.fleet.warm_up_ms
        }
        Action::Task(Task::Baseline { count, .. })
            if *count > plan.baseline_before(index).count =>
        {
            plan.fleet.warm_up_ms
        }
        _ => 0,
    }
}

/// The most instances that the plan has at once.
pub(crate) fn peak(plan: &Plan) -> u32 {
    let mut baseline = BaselineSet::default();
    let counts = plan.steps.iter().map(|step| {
        baseline = baseline.after(&step.action);
        let arms = step.target.stable.saturating_add(step.target.canary);
        arms.saturating_add(baseline.count)
    });
    counts.fold(plan.fleet.replicas, u32::max)
}

/// Whether a canary takes the place of stable instance by instance, so that no router need divide
/// the traffic: behind a router stable is whole until all traffic has left it.
pub(crate) fn by_share(plan: &Plan) -> bool {
    plan.strategy == StrategyKind::Canary
        && plan.steps.iter().any(|step| {
            let canary = step.target.split.weight(Arm::Canary);
            canary < FULL_WEIGHT && step.target.stable < plan.fleet.replicas
        })
}
