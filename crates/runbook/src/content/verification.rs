//! What must hold after the last step.

use alloc::format;
use alloc::vec::Vec;

use nonevent_strategy::{Plan, StrategyKind};

use super::words::{self, item};
use crate::runbook::Item;
use crate::text::text;

pub(crate) fn verification(plan: &Plan) -> Vec<Item> {
    let (old, new) = (&plan.release.from, &plan.release.to);
    let canary = plan.steps.last().map_or(0, |step| step.target.canary);
    let mut items = Vec::from([
        item(
            "verify/smoke",
            text!("Through the router, every test of ")
                .and_text(&words::suite(&plan.suites.after))
                .and(" passed."),
        ),
        item(
            "verify/traffic",
            text!(
                "The router, read back, sends all traffic to ",
                code(new),
                "."
            ),
        ),
        item(
            "verify/instances",
            text!(
                format!("{} of ", words::instances(canary)),
                code(new),
                if canary == 1 {
                    " is ready"
                } else {
                    " are ready"
                },
                ", and none has been restarted since its start."
            ),
        ),
        item(
            "verify/figures",
            text!(
                "Errors, latency, availability, CPU and memory have been watched for 15 to 30 \
                 minutes and are under every threshold below."
            ),
        ),
        item(
            "verify/logs",
            text!("The logs show no kind of error that was not there before."),
        ),
    ]);
    if plan.strategy != StrategyKind::Recreate {
        items.push(item(
            "verify/old",
            text!(
                "No instance of ",
                code(old),
                " runs any more, and nothing still calls one."
            ),
        ));
    }
    items.push(item(
        "verify/message",
        text!("The message after the deployment has been sent."),
    ));
    items
}
