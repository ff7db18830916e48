//! What must hold before the first step.

use alloc::format;
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_strategy::{Plan, StrategyKind, Suites};

use super::words::{self, item};
use crate::runbook::Item;
use crate::text::{Text, text};

pub(crate) fn checklist(plan: &Plan) -> Vec<Item> {
    let mut items = common(plan);
    items.extend(match plan.strategy {
        StrategyKind::Canary => canary(plan),
        StrategyKind::BlueGreen => blue_green(plan),
        StrategyKind::Rolling => rolling(plan),
        StrategyKind::Recreate => recreate(plan),
    });
    items
}

fn common(plan: &Plan) -> Vec<Item> {
    let (old, new) = (&plan.release.from, &plan.release.to);
    Vec::from([
        item("check/gates", text!("All earlier gates have passed.")),
        item(
            "check/plan",
            text!(
                "This page has been read, and the plan that will be run has the digest it names."
            ),
        ),
        item(
            "check/artifact",
            text!(
                code(new),
                " is built, tested and tagged, and is what the instances will start."
            ),
        ),
        item(
            "check/previous",
            text!(
                "The way back exists: ",
                code(old),
                " and its configuration can be started again."
            ),
        ),
        item(
            "check/rehearsal",
            text!("The rollback has been rehearsed with a plan of this shape."),
        ),
        item("check/migrations", migrations(plan)),
        item("check/suites", suites(plan)),
        item(
            "check/monitoring",
            text!(
                "Monitoring is up: dashboards for errors, latency and instances are open, and \
                 alerts reach the on-call engineer."
            ),
        ),
        item(
            "check/baseline",
            text!(
                "The baseline is healthy: ",
                code(old),
                " is under every threshold below."
            ),
        ),
        item(
            "check/window",
            text!(
                "The change window is announced: ",
                words::WINDOW,
                ". Traffic is low but the team is awake, it is not a Friday, no freeze and no \
                 incident is open, and no other service is deployed meanwhile."
            ),
        ),
        item(
            "check/people",
            text!("The deploy lead and the on-call engineer are there and know how to abort."),
        ),
    ])
}

fn migrations(plan: &Plan) -> Text {
    let old = &plan.release.from;
    match plan.rollback.no_return_from {
        None => text!(
            "Database migrations are backward-compatible and tested: ",
            code(old),
            " runs on the new schema, and nothing is dropped, renamed or reformatted."
        ),
        Some(first) => text!(
            "Database migrations are tested: ",
            code(old),
            format!(
                " runs on the schema until step {}, which takes away or rewrites what it needs.",
                u32::from(first) + 1
            )
        ),
    }
}

fn suites(plan: &Plan) -> Text {
    let Suites {
        before,
        canary,
        after,
        ..
    } = &plan.suites;
    if before == canary && canary == after {
        return text!("What is tested before, during and after is enough: ")
            .and_text(&words::suite(before))
            .and(".");
    }
    text!("What is tested is enough: before, ")
        .and_text(&words::suite(before))
        .and("; on the new instances, ")
        .and_text(&words::suite(canary))
        .and("; after, ")
        .and_text(&words::suite(after))
        .and(".")
}

fn canary(plan: &Plan) -> Vec<Item> {
    let peak = words::peak(plan);
    let splitting = if words::by_share(plan) {
        item(
            "check/canary/instances",
            text!(
                "Every instance takes as much of the work as any other: the share of the instances \
                 is the share of the work."
            ),
        )
    } else {
        item(
            "check/canary/splitting",
            text!("Traffic splitting works: the router takes a weight and reports it back."),
        )
    };
    Vec::from([
        splitting,
        item(
            "check/canary/capacity",
            text!(format!(
                "There is room for {peak} instances at once, {} more than usual.",
                peak.saturating_sub(plan.fleet.replicas)
            )),
        ),
    ])
}

fn blue_green(plan: &Plan) -> Vec<Item> {
    let peak = words::peak(plan);
    Vec::from([
        item(
            "check/blue-green/live",
            text!(
                "It is known which environment is live; it runs ",
                code(plan.release.from),
                "."
            ),
        ),
        item(
            "check/blue-green/idle",
            text!("The idle environment can be reached."),
        ),
        item(
            "check/blue-green/capacity",
            text!(format!(
                "There is room for both environments: {peak} instances at once."
            )),
        ),
        item(
            "check/blue-green/ttl",
            text!("Where DNS takes part in the switch, its TTL is 60 s or less."),
        ),
        item(
            "check/blue-green/switch",
            text!("The switch has been validated in both directions."),
        ),
    ])
}

fn rolling(plan: &Plan) -> Vec<Item> {
    let peak = words::peak(plan);
    let totals = plan
        .steps
        .iter()
        .map(|step| step.target.stable.saturating_add(step.target.canary));
    let least = totals.fold(plan.fleet.replicas, u32::min);
    Vec::from([
        item(
            "check/rolling/limits",
            text!(format!(
                "Surge and unavailable are set: at most {peak} and at least {least} instances at \
                 once, {} of them needed for the whole traffic.",
                plan.fleet.min_ready
            )),
        ),
        item(
            "check/rolling/probes",
            text!(
                "Readiness and liveness probes are right: ready means able to serve, and a ",
                "restart is only asked for when it helps."
            ),
        ),
        item(
            "check/rolling/both",
            text!(
                "Both versions may serve side by side: sessions, caches and messages of one are \
                 understood by the other."
            ),
        ),
    ])
}

fn recreate(plan: &Plan) -> Vec<Item> {
    let mut items = Vec::new();
    if let Some(downtime) = &plan.downtime {
        items.push(item(
            "check/recreate/downtime",
            text!(
                "The downtime of at most ",
                format_duration_ms(downtime.at_most_ms),
                " each way is announced to users and accepted by ",
                words::name(&downtime.accepted_by),
                "."
            ),
        ));
    }
    items.push(item(
        "check/recreate/production",
        text!(
            "Nobody depends on this environment at this time: ",
            code(plan.environment),
            " may be without service."
        ),
    ));
    items
}
