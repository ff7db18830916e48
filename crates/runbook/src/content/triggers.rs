//! When to roll back: the plan's own figures where it has them, else the usual ones.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_strategy::{AnalysisPlan, Plan};

use super::words;
use crate::runbook::{Trigger, Triggers};
use crate::text::{Text, text};

pub(crate) fn triggers(plan: &Plan) -> Triggers {
    let mut signals = compared(plan);
    let mut push = |id: &str, signal, threshold: &str, watched_by: &str| {
        signals.push(Trigger {
            id: format!("trigger/{id}"),
            signal,
            threshold: Text::plain(threshold),
            watched_by: Text::plain(watched_by),
        });
    };
    let people = "the on-call engineer: roll back";
    push(
        "availability",
        "Availability",
        "under 99.9%, or under the service's SLO",
        people,
    );
    push(
        "crashes",
        "Instances",
        "any instance of the new version ends by itself or is in a crash loop",
        "the rollout, which goes back by itself; after its end the on-call engineer: roll back",
    );
    push(
        "health",
        "Health checks",
        "any failing",
        "the rollout, which goes back by itself when the ready instances no longer carry their \
         traffic; else the on-call engineer: roll back",
    );
    push(
        "saturation",
        "CPU or memory",
        "over 90%, sustained",
        "the on-call engineer: investigate, likely roll back",
    );
    Triggers {
        signals,
        by_people: by_people(),
        not_reasons: not_reasons(),
    }
}

/// Errors and latency.
fn compared(plan: &Plan) -> Vec<Trigger> {
    let analysis = plan.analysis.as_ref();
    let policy = analysis.map(|analysis| &analysis.policy);
    let mut signals = Vec::new();
    let mut push = |id: &str, signal, own: Option<String>, usual: &str| {
        signals.push(Trigger {
            id: format!("trigger/{id}"),
            signal,
            watched_by: watched_by(analysis.filter(|_| own.is_some())),
            threshold: Text::plain(own.unwrap_or_else(|| String::from(usual))),
        });
    };
    push(
        "error-rate",
        "Error rate (5xx)",
        policy
            .and_then(|policy| policy.error_rate_max_ppm)
            .map(|ppm| format!("over {} of requests", words::ppm(ppm))),
        "over 1% of requests",
    );
    push(
        "error-ratio",
        "Error rate against the old version",
        policy.and_then(|policy| {
            let times = words::times(policy.error_ratio_max_percent?);
            let floor = words::ppm(policy.error_rate_floor_ppm);
            Some(format!("over {times} the old version's, and over {floor}"))
        }),
        "over 2 times the old version's",
    );
    push(
        "p99-ratio",
        "Latency p99 against the old version",
        policy.and_then(|policy| {
            let times = words::times(policy.p99_ratio_max_percent?);
            let floor_us = policy.latency_floor_us;
            Some(format!(
                "over {times} the old version's, and over {}",
                micros(floor_us)
            ))
        }),
        "over 2 times the old version's for 5m or more",
    );
    if let Some(ms) = policy.and_then(|policy| policy.p99_max_ms) {
        let own = format!("over {}", format_duration_ms(u64::from(ms)));
        push("p99", "Latency p99", Some(own), "");
    }
    signals
}

fn micros(us: u32) -> String {
    if us.is_multiple_of(1_000) {
        format_duration_ms(u64::from(us / 1_000))
    } else {
        format!("{us}µs")
    }
}

fn watched_by(analysis: Option<&AnalysisPlan>) -> Text {
    match analysis {
        Some(analysis) => text!(
            "the analysis, every ",
            format_duration_ms(analysis.every_ms),
            " while a step watches: the rollout goes back by itself"
        ),
        None => text!("the on-call engineer: roll back"),
    }
}

fn by_people() -> Vec<Text> {
    [
        "users report a fault",
        "a business metric falls",
        "data is damaged",
        "a vulnerability is found",
        "the deploy lead or the on-call engineer says so; no reason is needed",
    ]
    .map(Text::plain)
    .into()
}

fn not_reasons() -> Vec<Text> {
    [
        "a cosmetic fault",
        "a change of behaviour that was intended",
        "noise within the normal variance",
    ]
    .map(Text::plain)
    .into()
}
