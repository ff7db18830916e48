//! What to tell whom, and who signs.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_strategy::{Plan, plan_duration_ms};

use super::words;
use crate::runbook::{Message, SignOff};
use crate::text::{Text, text};

pub(crate) fn messages(plan: &Plan) -> Vec<Message> {
    Vec::from([
        before(plan),
        after(plan),
        in_progress(plan),
        complete(plan),
        impact(plan),
    ])
}

fn message(id: &str, title: &'static str, when: &'static str, lines: Vec<Text>) -> Message {
    Message {
        id: format!("message/{id}"),
        title,
        when,
        lines,
    }
}

fn before(plan: &Plan) -> Message {
    let (expected_ms, longest_ms) = plan_duration_ms(plan);
    let impact = match &plan.downtime {
        None => text!("Impact: none expected."),
        Some(downtime) => text!(
            "Impact: the service is not available for up to ",
            format_duration_ms(downtime.at_most_ms),
            "."
        ),
    };
    message(
        "before",
        "Before the deployment",
        "To stakeholders and on-call, 24 h ahead when the change is major.",
        Vec::from([
            text!(
                "Deployment of ",
                code(plan.service),
                " ",
                code(plan.release.to),
                " to ",
                code(plan.environment)
            ),
            text!(
                code(plan.release.from),
                " is replaced by ",
                code(plan.release.to),
                format!(" ({}).", plan.strategy)
            ),
            text!(
                "Start: ",
                words::WINDOW,
                format!(
                    ", about {}, at the longest {}.",
                    format_duration_ms(expected_ms),
                    format_duration_ms(longest_ms)
                )
            ),
            impact,
            text!("Questions: ", words::owner(plan)),
        ]),
    )
}

fn after(plan: &Plan) -> Message {
    message(
        "after",
        "After the deployment",
        "To the same people, when the verification is done.",
        Vec::from([
            text!(
                code(plan.service),
                " ",
                code(plan.release.to),
                " serves all traffic in ",
                code(plan.environment),
                " since [time, UTC]."
            ),
            text!("Smoke tests and figures: [result]."),
            text!("Anything unusual: tell ", words::owner(plan)),
        ]),
    )
}

fn in_progress(plan: &Plan) -> Message {
    message(
        "rollback-in-progress",
        "Rollback in progress",
        "To stakeholders and on-call, as soon as it is decided.",
        Vec::from([
            text!(
                "The deployment of ",
                code(plan.service),
                " ",
                code(plan.release.to),
                " to ",
                code(plan.environment),
                " is being rolled back since [time, UTC]."
            ),
            text!("Reason: [signal and figure, or who decided]."),
            text!(
                code(plan.release.from),
                format!(
                    " serves everything again by [time, UTC], within {}.",
                    format_duration_ms(plan.rollback.within_ms)
                )
            ),
            text!("Questions: ", words::owner(plan)),
        ]),
    )
}

fn complete(plan: &Plan) -> Message {
    message(
        "rollback-complete",
        "Rollback complete",
        "To the same people, when the smoke suite has passed on the old version.",
        Vec::from([
            text!(
                code(plan.service),
                " in ",
                code(plan.environment),
                " is served by ",
                code(plan.release.from),
                " again since [time, UTC]; it took [duration]."
            ),
            text!("Smoke tests: [result]."),
            text!(
                "What happened: [cause, as far as it is known]. Next: [who does what, until when]."
            ),
        ]),
    )
}

fn impact(plan: &Plan) -> Message {
    message(
        "user-impact",
        "User impact",
        "To support and the status page, if users noticed.",
        Vec::from([
            text!(
                "Between [time, UTC] and [time, UTC] some users of ",
                code(plan.service),
                " met [what they saw]."
            ),
            text!(
                "About [share or number] of requests were affected. The earlier version serves again."
            ),
            text!("What users have to do: [nothing, or what]."),
        ]),
    )
}

pub(crate) fn sign_offs() -> Vec<SignOff> {
    [
        ("deploy-lead", "Deploy lead"),
        ("on-call-engineer", "On-call engineer"),
        ("product-owner", "Product owner"),
    ]
    .map(|(id, role)| SignOff {
        id: String::from("sign-off/") + id,
        role,
    })
    .into()
}
