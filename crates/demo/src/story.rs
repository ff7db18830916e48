//! The end of a deployment, told from the journal and the clients' ledger.

use nonevent::document::format_duration_ms;
use nonevent::driver::{ArmSummary, Deployed, StateDir, Stretch, Summary, outcome_text};
use nonevent::rollout::Outcome;
use serde_json::json;

use crate::code::{print, say};
use crate::demonstration::load::ledger::{Entry, read_ledger};
use crate::demonstration::load::report::{ClosedBy, LoadReport};
use crate::demonstration::load::summary::LedgerSummary;
use crate::deploy::evidence_count;

/// Prints the summary: a table, what clients saw, and how it ended.
pub(crate) fn tell(state: &StateDir, deployed: &Deployed, counted: Option<u64>, json: bool) {
    let summary = &deployed.summary;
    let (entries, torn_bytes) = match read_ledger(&state.path("ledger.jsonl")) {
        Ok(ledger) => (ledger.entries, ledger.torn_bytes),
        Err(error) => {
            say(format_args!("the clients' ledger cannot be told: {error}"));
            (Vec::new(), 0)
        }
    };
    if torn_bytes > 0 {
        say(format_args!(
            "the clients' ledger ends in {torn_bytes} torn bytes"
        ));
    }
    let report = LoadReport::read(&state.path("load.json")).ok();
    if json {
        let ledger = LedgerSummary::new().with(&entries);
        let line = json!({
            "event": "summary",
            "summary": summary,
            "clients": ledger.figures(),
            "answered_after_recovery": after_recovery(summary, &entries),
            "router_requests": counted,
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
        let rehearsal = Summary::read(&state.path("rehearsal.jsonl"));
        let smoke = summary.smoke_requests + rehearsal.map_or(0, |it| it.smoke_requests);
        if let Some(counted) = counted {
            let sent = LedgerSummary::new().with(&entries).total().sent;
            text.push_str(&comparison(counted, sent, smoke));
        }
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
    let closed = entries
        .iter()
        .filter(|it| it.sent_at_ms >= from && is_refusal(it))
        .count() as u64;
    let mut text = format!(
        "Clients sent {} requests since the rollout began: {} lost, {} answered with an error",
        total.sent,
        total.lost,
        total.errors.saturating_sub(closed),
    );
    if closed > 0 {
        text.push_str(&format!(", {closed} refused by the closed router"));
    }
    text.push_str(".\n");
    for (loss, count) in ledger.losses() {
        text.push_str(&format!("  lost: {loss:?} {count}\n"));
    }
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

/// The router answers 503 itself where no version may be asked.
fn is_refusal(entry: &Entry) -> bool {
    entry.status == Some(503) && entry.arm.is_none() && entry.version.is_none()
}

/// The router's own count of requests beside the clients' and the smoke suites'.
fn comparison(counted: u64, ledger: u64, smoke: u64) -> String {
    let sum = ledger + smoke;
    let verdict = match counted.cmp(&sum) {
        std::cmp::Ordering::Equal => "the same as".to_owned(),
        std::cmp::Ordering::Greater => format!("{} more than", counted - sum),
        std::cmp::Ordering::Less => format!("{} fewer than", sum - counted),
    };
    format!(
        "The router counted {counted} requests since it started: {verdict} the clients' \
         {ledger} and the smoke suites' {smoke}.\n"
    )
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
