//! How to roll back, in the order in which it is done.

use alloc::format;
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_strategy::{Plan, StrategyKind};

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
    text!(
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
    )
}

fn items(plan: &Plan) -> Vec<Item> {
    let (old, new) = (&plan.release.from, &plan.release.to);
    Vec::from([
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
    ])
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
