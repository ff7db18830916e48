//! The end of a deployment, told from the journal and the clients' ledger.

use nonevent::document::format_duration_ms;
use nonevent::driver::{ArmSummary, Deployed, StateDir, Stretch, Summary, outcome_text};
use nonevent::rollout::Outcome;
use serde_json::json;

use crate::code::print;
use crate::demonstration::load::ledger::{Entry, read_ledger};
use crate::demonstration::load::report::{ClosedBy, LoadReport};
use crate::demonstration::load::summary::LedgerSummary;
use crate::deploy::evidence_count;

/// Prints the summary: a table, what clients saw, and how it ended.
pub(crate) fn tell(state: &StateDir, deployed: &Deployed, json: bool) {
    let summary = &deployed.summary;
    let entries = read_ledger(&state.path("ledger.jsonl"))
        .map(|it| it.entries)
        .unwrap_or_default();
    let report = LoadReport::read(&state.path("load.json")).ok();
    if json {
        let ledger = LedgerSummary::new().with(&entries);
        let line = json!({
            "event": "summary",
            "summary": summary,
            "clients": ledger.figures(),
            "answered_after_recovery": after_recovery(summary, &entries),
            "gate_open": deployed.gate_open,
        });
        print(format_args!("{line}\n"));
        return;
    }
    let mut text = String::from("\n");
    text.push_str(&table(summary));
    text.push('\n');
    if !entries.is_empty() {
        text.push_str(&clients(summary, &entries));
    }
    if let Some(report) = report {
        text.push_str(&connections(&report));
    }
    text.push_str(&times(summary));
    text.push_str(&format!(
        "Evidence: {} signed statements in {}, the journal ({} records) and the runbook beside \
         them.\n",
        evidence_count(state),
        state.path("evidence").display(),
        summary.records
    ));
    text.push_str(&last_line(deployed));
    print(text);
}

fn table(summary: &Summary) -> String {
    let mut text = format!(
        "{:>8}  {:>8}   {:>27}   {:>27}\n{:>8}  {:>8}   {:>9} {:>7} {:>9}   {:>9} {:>7} {:>9}\n",
        "",
        "",
        format!("stable {}", summary.from),
        format!("canary {}", summary.to),
        "canary",
        "for",
        "requests",
        "errors",
        "p99",
        "requests",
        "errors",
        "p99",
    );
    let arm = |arm: &ArmSummary| {
        let p99 = arm.p99_us.map_or("–".to_owned(), |us| {
            format!("{:.1} ms", us as f64 / 1000.0)
        });
        format!("{:>9} {:>7} {p99:>9}", arm.requests, arm.errors)
    };
    for stretch in &summary.stretches {
        text.push_str(&format!(
            "{:>8}  {:>8}   {}   {}\n",
            stretch.split.to_string(),
            duration(stretch),
            arm(&stretch.stable),
            arm(&stretch.canary)
        ));
    }
    text
}

fn duration(stretch: &Stretch) -> String {
    format!(
        "{:.1} s",
        stretch.ended.ms_since(stretch.started) as f64 / 1000.0
    )
}

fn clients(summary: &Summary, entries: &[Entry]) -> String {
    let from = summary.started.unix_ms();
    let ledger = LedgerSummary::since(from).with(entries);
    let total = ledger.total();
    let mut text = format!(
        "Clients sent {} requests since the rollout began: {} lost, {} answered with an error, {} \
         refused while closed.\n",
        total.sent,
        total.lost,
        total.errors - total.refused.min(total.errors),
        total.refused,
    );
    if let Some(recovered) = recovered_ms(summary) {
        let versions = ledger.answered_since(recovered);
        text.push_str(&format!(
            "Every request sent after the recovery was answered by: {}.\n",
            if versions.is_empty() {
                "nobody".to_owned()
            } else {
                versions.join(", ")
            }
        ));
    }
    text
}

/// When stable served everything again, if it went back.
fn recovered_ms(summary: &Summary) -> Option<i64> {
    let recover_ms = i64::try_from(summary.recover_ms?).ok()?;
    Some(summary.decided?.plus_ms(recover_ms).unix_ms())
}

fn after_recovery(summary: &Summary, entries: &[Entry]) -> Option<Vec<String>> {
    let recovered = recovered_ms(summary)?;
    let ledger = LedgerSummary::since(recovered).with(entries);
    Some(
        ledger
            .answered_since(recovered)
            .into_iter()
            .map(str::to_owned)
            .collect(),
    )
}

fn connections(report: &LoadReport) -> String {
    let mut text = String::new();
    if let Some(websocket) = &report.websocket {
        let how = if websocket.survived() {
            "stayed open throughout".to_owned()
        } else {
            let closes: Vec<String> = websocket
                .closes
                .iter()
                .filter(|close| close.by != ClosedBy::Client)
                .map(|close| match close.code {
                    Some(code) => format!("{code} {:?} by {:?}", close.reason, close.by),
                    None => format!("by {:?}", close.by),
                })
                .collect();
            format!(
                "was closed ({}) and opened again; {} messages without an echo",
                closes.join("; "),
                websocket.messages_lost
            )
        };
        text.push_str(&format!(
            "The WebSocket {how}; {} messages were echoed.\n",
            websocket.messages_echoed
        ));
    }
    if let Some(session) = &report.session {
        text.push_str(&format!(
            "The cookie session was used {} times and broken {} times.\n",
            session.visits, session.breaks_total
        ));
    }
    text
}

fn times(summary: &Summary) -> String {
    match (summary.detect_ms, summary.recover_ms) {
        (Some(detect_ms), Some(recover_ms)) => format!(
            "The fault was found {} after the first traffic to {}; stable served everything {} \
             later.\n",
            format_duration_ms(detect_ms),
            summary.to,
            format_duration_ms(recover_ms)
        ),
        _ => String::new(),
    }
}

fn last_line(deployed: &Deployed) -> String {
    let summary = &deployed.summary;
    let took = summary.finished.ms_since(summary.started) as f64 / 1000.0;
    let head = match summary.outcome {
        Some(Outcome::Promoted) => "PROMOTED",
        Some(Outcome::RolledBack { .. }) => "ROLLED BACK",
        Some(Outcome::Stuck { .. }) => "STUCK",
        None => "NOT OVER",
    };
    let gate = match deployed.gate_open {
        Some(true) => " The exit gate is open.",
        Some(false) => " The exit gate is closed.",
        None => "",
    };
    format!(
        "{head} after {took:.1} s: {}.{gate}\n",
        outcome_text(summary)
    )
}
