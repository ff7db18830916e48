//! The numbered steps.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_router::{Arm, FULL_WEIGHT, Split};
use nonevent_strategy::{
    Action, AnalysisPlan, BaselineSet, ConnectionPolicy, Plan, SmokeTarget, Step, SuiteMoment,
    Task, WatchKind,
};

use super::words::{self, instances, share, suite, suite_of};
use super::{failing, tasks};
use crate::commands;
use crate::markdown::id_word;
use crate::runbook::{Item, StepPage};
use crate::text::{Text, text};

pub(crate) fn steps(plan: &Plan) -> Vec<StepPage> {
    let mut taken = BTreeSet::new();
    let mut begins_ms = 0u64;
    let by_share = words::by_share(plan);
    let digest = plan.target.router.as_ref().and_then(|_| plan.digest().ok());
    let mut baseline = BaselineSet::default();
    let mut pages = Vec::with_capacity(plan.steps.len());
    for (index, step) in plan.steps.iter().enumerate() {
        let id = unique(&mut taken, &format!("step/{}", id_word(&stable_name(step))));
        let (action, seen, check) = match &step.action {
            Action::Shift { split } if by_share => follow(plan, *split),
            _ => words_of(plan, index, step),
        };
        let action = match &step.action {
            Action::Watch { analyse: true, .. } if baseline.weight > 0 => {
                action.and(" The canary is compared with the baseline set.")
            }
            _ => action,
        };
        let fresh = baseline.count;
        baseline = baseline.after(&step.action);
        let fresh = fresh.max(baseline.count);
        let part = |part: &str, text| Item {
            id: format!("{id}/{part}"),
            text,
        };
        let no_return = failing::has_no_return(plan, index);
        let back = match no_return {
            true => failing::no_way_back(plan, index),
            false => back(plan, index, step).and(end_of(fresh)),
        };
        pages.push(StepPage {
            number: index + 1,
            plan_step: step.id.clone(),
            title: words::title(plan, index, step),
            done_by: done_by(plan, step),
            action: part("do", action),
            seen: part("seen", seen),
            check,
            pause_ms: match step.action {
                Action::Watch { for_ms, .. } => Some(for_ms),
                _ => None,
            },
            deadline_ms: step.deadline_ms,
            late: failing::late(plan, index, step),
            no_return,
            back: part("back", back),
            back_within_ms: step.back_within_ms,
            by_hand: commands::of_step(plan, digest, &id, &step.action),
            begins_ms,
            target: step.target,
            id,
        });
        begins_ms = begins_ms.saturating_add(words::expected_ms(plan, index, step));
    }
    pages
}

/// Whose hands do it.
fn done_by(plan: &Plan, step: &Step) -> Text {
    let Action::Task(task) = &step.action else {
        return text!("the machine");
    };
    match task {
        Task::Manual { owner, .. } | Task::Migrate { owner, .. } => {
            text!(
                owner
                    .as_deref()
                    .map_or_else(|| words::owner(plan), words::name)
            )
        }
        Task::Approve { approval } => {
            let role = plan.approvals.get(approval).map(|it| it.role.as_str());
            text!(words::name(role.unwrap_or_default()))
        }
        Task::Route { .. } | Task::Mirror { .. } | Task::Baseline { .. } | Task::Flag { .. } => {
            text!("the machine")
        }
    }
}

/// The step's own id, but for pauses, which the planner merely counts: a pause is named by the
/// traffic it watches, so that a step put in before it leaves its name alone.
fn stable_name(step: &Step) -> String {
    let counted = step.id.strip_prefix("pause").is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('-')
                .is_some_and(|n| n.parse::<u32>().is_ok())
    });
    if counted
        && matches!(
            step.action,
            Action::Watch {
                kind: WatchKind::Pause,
                ..
            }
        )
    {
        let weight = step.target.split.weight(Arm::Canary);
        return match weight % 100 {
            0 => format!("pause-at-{}", weight / 100),
            part => format!("pause-at-{}-{part:02}", weight / 100),
        };
    }
    step.id.clone()
}

fn unique(taken: &mut BTreeSet<String>, id: &str) -> String {
    let mut free = String::from(id);
    let mut copy = 2;
    while !taken.insert(free.clone()) {
        free = format!("{id}-{copy}");
        copy += 1;
    }
    free
}

/// What is done, what is then seen, and how one looks.
fn words_of(plan: &Plan, index: usize, step: &Step) -> (Text, Text, Text) {
    match &step.action {
        Action::Smoke { target, suite } => smoke(plan, *target, *suite),
        Action::Scale { arm, count } => {
            let from = plan.before(index).count(*arm);
            if *count > from {
                start(plan, step, *arm, from)
            } else {
                stop(plan, step, *arm, from)
            }
        }
        Action::Shift { split } if split.is_closed() => close(plan),
        Action::Shift { split } => shift(plan, *split),
        Action::Watch {
            kind,
            for_ms,
            analyse,
            analysis,
        } => {
            let analysis = plan.analysis_named(analysis.as_deref());
            watch(plan, step, *kind, *for_ms, analysis.filter(|_| *analyse))
        }
        Action::Task(task) => tasks::words_of(plan, step.target.split, task),
    }
}

fn smoke(plan: &Plan, target: SmokeTarget, moment: SuiteMoment) -> (Text, Text, Text) {
    let run = text!("Run ").and_text(&suite(suite_of(plan, moment)));
    let run = match target {
        SmokeTarget::Router => run.and(" against the service's own address."),
        SmokeTarget::Canary => run
            .and(" against every ready instance of ")
            .and_code(plan.release.to.clone())
            .and(", past the router."),
    };
    (
        run,
        text!("Every test passed. A suite that could not be run has not passed."),
        text!("The suite's report: as many tests passed as it has, and it has at least one."),
    )
}

fn start(plan: &Plan, step: &Step, arm: Arm, from: u32) -> (Text, Text, Text) {
    let (version, count) = (words::version(plan, arm), step.target.count(arm));
    let fleet = &plan.fleet;
    let mut ready = format!(
        "ready within {} of the start",
        format_duration_ms(fleet.ready_within_ms)
    );
    if fleet.warm_up_ms > 0 {
        ready.push_str(", then left to warm up for ");
        ready.push_str(&format_duration_ms(fleet.warm_up_ms));
    }
    (
        text!(
            format!("Start {} of ", instances(count.saturating_sub(from))),
            code(version),
            format!(": from {from} to exactly {count}.")
        ),
        text!(
            format!("{} of ", instances(count)),
            code(version),
            if count == 1 {
                " is ready ("
            } else {
                " are ready ("
            },
            ready,
            if step.target.split.is_closed() {
                "); the router is still closed."
            } else {
                "); traffic is where it was."
            }
        ),
        text!("The fleet's own count, and the health check of each instance."),
    )
}

fn stop(plan: &Plan, step: &Step, arm: Arm, from: u32) -> (Text, Text, Text) {
    let (version, count) = (words::version(plan, arm), step.target.count(arm));
    let drain = format_duration_ms(plan.fleet.drain_ms);
    let rest = match plan.fleet.connections {
        ConnectionPolicy::CloseAfter => format!("left open for {drain}, then closed"),
        ConnectionPolicy::CloseAtOnce => String::from("closed by the instance at once"),
        ConnectionPolicy::RideOut => {
            format!("waited for, at most {drain}; none is cut off")
        }
    };
    let left = if count == 0 {
        text!("No instance of ", code(version), " runs any more")
    } else {
        text!(
            format!("{} of ", instances(count)),
            code(version),
            if count == 1 { " is left" } else { " are left" }
        )
    };
    (
        text!(
            format!(
                "Drain and stop {} of ",
                instances(from.saturating_sub(count))
            ),
            code(version),
            format!(" ({drain} for requests to end; long-lived connections are {rest}).")
        ),
        left.and(if step.target.split.is_closed() {
            "."
        } else {
            "; no request was lost."
        }),
        text!("The fleet's own count, and the router's counters of errors."),
    )
}

fn close(plan: &Plan) -> (Text, Text, Text) {
    let at_most = plan.downtime.as_ref().map(|downtime| {
        text!(
            " At most ",
            format_duration_ms(downtime.at_most_ms),
            " until it opens, accepted by ",
            words::name(&downtime.accepted_by),
            "."
        )
    });
    (
        text!("Close the router: it answers 503 itself and lets nothing through.")
            .and_text(&at_most.unwrap_or_default()),
        text!("No instance gets a request."),
        text!("Read the router back: it says that it is closed."),
    )
}

/// What is sent where.
fn goal(plan: &Plan, split: Split) -> Text {
    text!(
        share(split.weight(Arm::Stable)),
        " of requests to ",
        code(plan.release.from),
        ", ",
        share(split.weight(Arm::Canary)),
        " to ",
        code(plan.release.to)
    )
}

/// By instance share nobody sets the share: it is what the instances make it.
fn follow(plan: &Plan, split: Split) -> (Text, Text, Text) {
    let (stable, canary) = (split.weight(Arm::Stable), split.weight(Arm::Canary));
    (
        text!("Count on ").and_text(&goal(plan, split)).and(
            ": so the instances divide the work, once the old ones that have to go are gone. A \
             router before them, if there is one, is set to it.",
        ),
        text!("Each version does about that part of the work."),
        text!(format!(
            "The counters of both versions; a router, if there is one, read back: its weights are \
             {stable} and {canary} of {FULL_WEIGHT}."
        )),
    )
}

fn shift(plan: &Plan, split: Split) -> (Text, Text, Text) {
    let (old, new) = (&plan.release.from, &plan.release.to);
    let (stable, canary) = (split.weight(Arm::Stable), split.weight(Arm::Canary));
    let goal = goal(plan, split);
    let counters = match canary {
        0 => text!("the counter of ", code(new), " stands still"),
        FULL_WEIGHT => text!("the counter of ", code(old), " stands still"),
        _ => text!("the counters of both rise in that proportion"),
    };
    (
        text!("Set the router to ").and_text(&goal).and("."),
        text!("The router sends ").and_text(&goal).and("."),
        text!(format!(
            "Read the router back: its weights are {stable} and {canary} of {FULL_WEIGHT}; "
        ))
        .and_text(&counters)
        .and("."),
    )
}

fn watch(
    plan: &Plan,
    step: &Step,
    kind: WatchKind,
    for_ms: u64,
    analysis: Option<&AnalysisPlan>,
) -> (Text, Text, Text) {
    let time = format_duration_ms(for_ms);
    let alone = step.target.split.weight(Arm::Canary) == FULL_WEIGHT;
    let action = match kind {
        WatchKind::Keep => text!(
            "Leave everything as it is for ",
            time,
            format!(": {} of ", instances(step.target.stable)),
            code(plan.release.from),
            " stay ready, without traffic."
        ),
        WatchKind::Baseline => text!(
            "Wait ",
            time,
            " and note what is normal for ",
            code(plan.release.from),
            ": afterwards there is no other version to compare with."
        ),
        WatchKind::Pause | WatchKind::Bake if alone => text!(
            "Wait ",
            time,
            " and watch ",
            code(plan.release.to),
            "; change nothing meanwhile."
        ),
        WatchKind::Pause | WatchKind::Bake => {
            text!(
                "Wait ",
                time,
                " and watch both versions; change nothing meanwhile."
            )
        }
    };
    let Some(analysis) = analysis else {
        return (
            action,
            text!("No rollback trigger is met."),
            text!("The dashboards, against the rollback triggers below."),
        );
    };
    let least = analysis.policy.requests_min;
    let seen = if alone {
        text!(
            "The analysis passes: ",
            code(plan.release.to),
            " keeps every bound, measured by what ",
            code(plan.release.from),
            " did before. "
        )
    } else {
        text!(format!(
            "The analysis passes: each version had at least {least} requests in this step, and the \
             new one is not worse. "
        ))
    };
    (
        action,
        seen.and("Too little to say is not a pass."),
        text!(
            "The analysis looks every ",
            format_duration_ms(analysis.every_ms),
            "; what it does not judge is read off the dashboards, against the rollback triggers below."
        ),
    )
}

/// What a way back also ends: so many instances of a baseline set.
fn end_of(fresh: u32) -> String {
    match fresh {
        0 => String::new(),
        fresh => format!(" Then stop the baseline set: {}.", instances(fresh)),
    }
}

/// The way back from anywhere within this step.
fn back(plan: &Plan, index: usize, step: &Step) -> Text {
    let before = plan.before(index);
    let origin = plan.origin();
    let (old, new) = (&plan.release.from, &plan.release.to);
    if before == origin && step.target == origin {
        return text!(
            "Stop here: nothing has changed, all traffic is on ",
            code(old),
            "."
        );
    }
    let replicas = plan.fleet.replicas;
    let least = before.stable.min(step.target.stable);
    let most = before
        .split
        .weight(Arm::Canary)
        .max(step.target.split.weight(Arm::Canary));
    let ever_closed = before.split.is_closed() || step.target.split.is_closed();
    if least >= replicas {
        return if most == 0 && !ever_closed {
            text!(
                "All traffic is still on ",
                code(old),
                ": read the router back, then stop ",
                code(new),
                "."
            )
        } else {
            text!(
                "Send all traffic to ",
                code(old),
                format!(" at once; its {} still run.", instances(replicas))
            )
        };
    }
    let missing = instances(replicas.saturating_sub(least));
    if plan.downtime.is_some() {
        let closed = before.split.is_closed() && step.target.split.is_closed();
        let close = if closed {
            "Leave the router closed, "
        } else {
            "Close the router, "
        };
        let stop = if before.canary.max(step.target.canary) > 0 {
            text!(close, "stop ", code(new), ", ")
        } else {
            text!(close)
        };
        return stop
            .and(format!("start the missing {missing} of "))
            .and_code(old.clone())
            .and(" and open the router to them.");
    }
    text!(
        format!("Start up to {missing} of "),
        code(old),
        " again; traffic moves back as they become ready, and ",
        code(new),
        " makes room."
    )
}
