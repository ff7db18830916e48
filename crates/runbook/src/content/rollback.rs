//! How to roll back, in the order in which it is done.

use alloc::format;
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_strategy::{Plan, StrategyKind};

use super::failing;
use super::words::{self, instances, item};
use crate::runbook::{Item, Rollback};
use crate::text::{Text, text};

pub(crate) fn rollback(plan: &Plan) -> Rollback {
    Rollback {
        within_ms: plan.rollback.within_ms,
        expected_ms: plan.rollback.expected_ms,
        bound: bound(plan),
        items: items(plan),
    }
}

fn bound(plan: &Plan) -> Text {
    let expected = format_duration_ms(plan.rollback.expected_ms);
    let whole = match plan.strategy {
        StrategyKind::Canary | StrategyKind::BlueGreen => "complete within 5m",
        StrategyKind::Rolling => "complete within 10m",
        StrategyKind::Recreate => "complete within 15m",
    };
    let bound = text!(
        "From the decision until ",
        code(plan.release.from),
        format!(
            " serves everything: within {}. ",
            format_duration_ms(plan.rollback.within_ms)
        ),
        format!(
            "By the plan's arithmetic the longest way back takes {expected} if nothing else fails. "
        ),
        "After that time a person is needed. ",
        format!("Aims: detect within 2m, decide within 3m, {whole}, verify within 5m.")
    );
    match failing::point_of_no_return(plan) {
        Some(point) => bound.and(" ").and_text(&point),
        None => bound,
    }
}

/// The rollout throws them first; a person who goes back by hand does too.
fn kill_switches(plan: &Plan) -> Option<Item> {
    if plan.flags.is_empty() {
        return None;
    }
    let mut text = text!("Where a stage of a flag is open, throw its kill switch: ");
    for (place, flag) in plan.flags.values().enumerate() {
        let link = if place == 0 { "put " } else { "; put " };
        text = text
            .and(link)
            .and_code(flag.kill_switch.name.clone())
            .and(" in the place of ")
            .and_code(flag.file.name.clone());
    }
    Some(item("rollback/kill-switch", text.and(".")))
}

fn items(plan: &Plan) -> Vec<Item> {
    let (old, new) = (&plan.release.from, &plan.release.to);
    let mut items = Vec::from_iter(kill_switches(plan));
    items.extend([
        item("rollback/route", route(plan)),
        item(
            "rollback/confirm",
            text!(
                "Confirm it by reading the router back: all traffic goes to ",
                code(old),
                ", and the request counter of ",
                code(new),
                " stands still."
            ),
        ),
        item(
            "rollback/smoke",
            text!("Run ")
                .and_text(&words::suite(&plan.suites.after))
                .and(" against ")
                .and_code(plan.environment.clone())
                .and(", through the router."),
        ),
        item("rollback/keep", keep(plan)),
        item(
            "rollback/tell",
            text!("Tell the stakeholders; the messages are below."),
        ),
        item(
            "rollback/cleanup",
            text!(
                "Later, when the cause is found: stop what is left of ",
                code(new),
                "."
            ),
        ),
    ]);
    items
}

fn route(plan: &Plan) -> Text {
    let old = &plan.release.from;
    let route = text!("Route all traffic to ", code(old), ".");
    let replicas = plan.fleet.replicas;
    let first_gone = plan
        .steps
        .iter()
        .position(|step| step.target.stable < replicas);
    match first_gone {
        None => route,
        Some(index) if plan.downtime.is_some() => route.and(format!(
            " From step {} on that means: close the router, stop the new version, start {} of the \
             old one, open the router to them.",
            index + 1,
            instances(replicas)
        )),
        Some(index) => route.and(format!(
            " From step {} on some of its {} are gone: start them again, and move traffic as they \
             become ready.",
            index + 1,
            instances(replicas)
        )),
    }
}

fn keep(plan: &Plan) -> Text {
    let new = &plan.release.to;
    match plan.rollback.keep {
        0 => text!(
            "Save the logs and figures of ",
            code(new),
            " for the investigation before its instances are stopped; the plan keeps none."
        ),
        keep => text!(
            format!("Keep {} of ", instances(keep)),
            code(new),
            " without traffic for the investigation."
        ),
    }
}
