//! A visitor with a cookie, who notices when the service forgets them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{HeaderValue, SET_COOKIE};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::client::{Client, Due, Exchange};
use super::report::{BreakKind, SessionBreak, SessionReport, note_version};
use super::writer::Entries;
use crate::demonstration::told_to_stop;

/// The answer to a visit, as far as it is looked at.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Visit {
    session: String,
    count: u64,
}

/// Visits `/session` every `every_ms` until told to stop.
pub(super) async fn visit(
    client: Arc<Client>,
    entries: Entries,
    every_ms: u64,
    report: Arc<Mutex<SessionReport>>,
    mut stop: watch::Receiver<bool>,
) {
    let mut due = interval(Duration::from_millis(every_ms));
    // After a stall, visits go on at their own pace; they are a probe and not a load.
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut cookie = None;
    let mut last = None;
    loop {
        let at = tokio::select! {
            biased;
            () = told_to_stop(&mut stop) => return,
            at = due.tick() => at,
        };
        let mut request = Due::get(client.next_sequence(), at, "/session");
        request.cookie.clone_from(&cookie);
        let exchange = client.exchange(request).await;
        if let Some(kept) = cookie_of(&exchange) {
            cookie = Some(kept);
        }
        {
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            judge(&exchange, &mut last, &mut report);
        }
        if entries.send(exchange.entry).await.is_err() {
            return;
        }
    }
}

/// What a browser would send back of a good answer's `Set-Cookie`.
fn cookie_of(exchange: &Exchange) -> Option<HeaderValue> {
    if exchange.entry.loss.is_some() {
        return None;
    }
    let text = exchange.headers.get(SET_COOKIE)?.to_str().ok()?;
    HeaderValue::from_str(text.split(';').next()?).ok()
}

/// Holds an answer against the one before it.
fn judge(exchange: &Exchange, last: &mut Option<Visit>, report: &mut SessionReport) {
    let entry = &exchange.entry;
    let is_good = entry.loss.is_none() && entry.status == Some(200);
    let visit = serde_json::from_slice::<Visit>(&exchange.body)
        .ok()
        .filter(|_| is_good);
    let Some(visit) = visit else {
        report.unanswered += 1;
        return;
    };
    report.visits += 1;
    note_version(
        &mut report.versions,
        entry.sent_at_ms,
        entry.version.clone(),
    );
    let kind = match last {
        Some(last) if last.session != visit.session => Some(BreakKind::Lost),
        Some(last) if visit.count != last.count + 1 => Some(BreakKind::Counter),
        _ => None,
    };
    if let Some(kind) = kind {
        let (at_ms, version) = (entry.sent_at_ms, entry.version.clone());
        report.note_break(SessionBreak {
            at_ms,
            kind,
            version,
        });
    }
    *last = Some(visit);
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Loss;
    use super::super::ledger::tests::entry;
    use super::*;

    fn answer(version: &str, session: &str, count: u64) -> Exchange {
        let body = format!(r#"{{"session":"{session}","count":{count},"version":"{version}"}}"#);
        Exchange {
            entry: entry(0, 1, version),
            headers: http::HeaderMap::new(),
            body: body.into(),
        }
    }

    fn judged(exchanges: &[Exchange]) -> SessionReport {
        let mut report = SessionReport::default();
        let mut last = None;
        for exchange in exchanges {
            judge(exchange, &mut last, &mut report);
        }
        report
    }

    #[test]
    fn a_session_may_change_versions() {
        let report = judged(&[
            answer("1", "a", 1),
            answer("2", "a", 2),
            answer("2", "a", 3),
        ]);
        assert_eq!(
            (report.visits, report.breaks_total, report.versions.len()),
            (3, 0, 2)
        );
    }

    #[test]
    fn each_way_to_break_is_found_once() {
        let report = judged(&[
            answer("1", "a", 1),
            answer("2", "b", 1),
            answer("1", "b", 2),
            answer("1", "b", 2),
            answer("1", "b", 1),
            answer("1", "b", 2),
        ]);
        let kinds: Vec<_> = report.breaks.iter().map(|one| one.kind).collect();
        assert_eq!(
            kinds,
            [BreakKind::Lost, BreakKind::Counter, BreakKind::Counter]
        );
        assert_eq!(report.breaks[0].version.as_deref(), Some("2"));
    }

    #[test]
    fn no_answer_is_no_break() {
        let mut lost = answer("1", "a", 9);
        lost.entry.loss = Some(Loss::Timeout);
        let mut failed = answer("1", "a", 9);
        failed.entry.status = Some(503);
        let report = judged(&[answer("1", "a", 1), lost, failed, answer("1", "a", 2)]);
        assert_eq!(
            (report.visits, report.unanswered, report.breaks_total),
            (2, 2, 0)
        );
    }
}
