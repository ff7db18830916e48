//! What the load client reports beside its ledger.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::summary::Figures;

/// How many events of one kind are kept; what comes later is only counted.
const EVENTS_MAX: usize = 64;

/// Everything but the single requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LoadReport {
    api_version: String,
    kind: String,
    /// In ms since the Unix epoch.
    pub(crate) started_at_ms: i64,
    /// In ms since the Unix epoch; absent while the client runs, and for good if it was killed.
    pub(crate) ended_at_ms: Option<i64>,
    /// How many numbers the ledger gave out. After a proper end it has that many entries.
    pub(crate) numbered: u64,
    /// What the ledger comes to.
    pub(crate) requests: Figures,
    /// Absent if no WebSocket was asked for.
    pub(crate) websocket: Option<WebSocketReport>,
    /// Absent if no session was asked for.
    pub(crate) session: Option<SessionReport>,
}

impl LoadReport {
    const API_VERSION: &str = "nonevent/v1";
    const KIND: &str = "LoadReport";

    pub(super) fn new(started_at_ms: i64, numbered: u64, requests: Figures) -> LoadReport {
        LoadReport {
            api_version: LoadReport::API_VERSION.to_owned(),
            kind: LoadReport::KIND.to_owned(),
            started_at_ms,
            ended_at_ms: None,
            numbered,
            requests,
            websocket: None,
            session: None,
        }
    }

    /// Reads the report that a client left, or keeps while it runs.
    ///
    /// # Errors
    ///
    /// When there is none or it is not of this format.
    pub(crate) fn read(path: &Path) -> io::Result<LoadReport> {
        let report: LoadReport = serde_json::from_slice(&std::fs::read(path)?)?;
        if report.api_version == LoadReport::API_VERSION && report.kind == LoadReport::KIND {
            Ok(report)
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "not a nonevent/v1 LoadReport",
            ))
        }
    }

    /// Replaces the report at `path` in one step, so that a reader never sees half of one.
    pub(super) async fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        tokio::fs::write(&beside, text).await?;
        tokio::fs::rename(&beside, path).await
    }
}

/// A version that came to answer after another one, or as the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VersionSeen {
    pub(crate) at_ms: i64,
    pub(crate) version: String,
}

/// Notes `version` if it is another one than the last.
pub(super) fn note_version(seen: &mut Vec<VersionSeen>, at_ms: i64, version: Option<String>) {
    let Some(version) = version else { return };
    let is_new = seen.last().is_none_or(|last| last.version != version);
    if is_new && seen.len() < EVENTS_MAX {
        seen.push(VersionSeen { at_ms, version });
    }
}

/// Who ended a WebSocket connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ClosedBy {
    /// The server, with a Close frame.
    Server,
    /// This client, at its own end.
    Client,
    /// Nobody in due form: the connection broke.
    Broken,
}

/// The end of one WebSocket connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WebSocketClose {
    pub(crate) at_ms: i64,
    pub(crate) by: ClosedBy,
    /// The code of the Close frame (RFC 6455, section 7.4).
    pub(crate) code: Option<u16>,
    pub(crate) reason: String,
    /// Who was on the other side.
    pub(crate) version: Option<String>,
}

/// What the WebSocket client saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WebSocketReport {
    /// Connections made, the first one included.
    pub(crate) connections: u64,
    /// Attempts that made none.
    pub(crate) connections_failed: u64,
    pub(crate) versions: Vec<VersionSeen>,
    pub(crate) messages_sent: u64,
    pub(crate) messages_echoed: u64,
    /// Sent, and never echoed: the connection ended first, or the time was over.
    pub(crate) messages_lost: u64,
    /// How many connections ended otherwise than by this client.
    pub(crate) interruptions: u64,
    /// The first ends, in order.
    pub(crate) closes: Vec<WebSocketClose>,
}

impl WebSocketReport {
    /// Whether one connection held from beginning to end.
    pub(crate) const fn survived(&self) -> bool {
        self.connections == 1 && self.interruptions == 0
    }

    pub(super) fn note_close(&mut self, close: WebSocketClose) {
        self.interruptions += u64::from(close.by != ClosedBy::Client);
        if self.closes.len() < EVENTS_MAX {
            self.closes.push(close);
        }
    }
}

/// How a session broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BreakKind {
    /// The server did not know the session and began another one.
    Lost,
    /// The counter is not one more than before.
    Counter,
}

/// A break in the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SessionBreak {
    pub(crate) at_ms: i64,
    pub(crate) kind: BreakKind,
    pub(crate) version: Option<String>,
}

/// What the client with the session cookie saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SessionReport {
    /// Visits that were answered with a session.
    pub(crate) visits: u64,
    /// Visits without a good answer. The session itself is in the cookie and goes on.
    pub(crate) unanswered: u64,
    pub(crate) versions: Vec<VersionSeen>,
    /// How often the session broke.
    pub(crate) breaks_total: u64,
    /// The first breaks, in order.
    pub(crate) breaks: Vec<SessionBreak>,
}

impl SessionReport {
    pub(super) fn note_break(&mut self, found: SessionBreak) {
        self.breaks_total += 1;
        if self.breaks.len() < EVENTS_MAX {
            self.breaks.push(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_noted_when_they_change() {
        let mut seen = Vec::new();
        for (at, version) in [
            (1, Some("a")),
            (2, Some("a")),
            (3, None),
            (4, Some("b")),
            (5, Some("a")),
        ] {
            note_version(&mut seen, at, version.map(str::to_owned));
        }
        let told: Vec<_> = seen
            .iter()
            .map(|one| (one.at_ms, one.version.as_str()))
            .collect();
        assert_eq!(told, [(1, "a"), (4, "b"), (5, "a")]);
    }

    #[test]
    fn one_connection_closed_by_ourselves_has_survived() {
        let mut report = WebSocketReport {
            connections: 1,
            ..WebSocketReport::default()
        };
        let close = |by| WebSocketClose {
            at_ms: 1,
            by,
            code: None,
            reason: String::new(),
            version: None,
        };
        report.note_close(close(ClosedBy::Client));
        assert!(report.survived());
        for _ in 0..100 {
            report.note_close(close(ClosedBy::Broken));
        }
        assert!(!report.survived());
        assert_eq!(
            (report.interruptions, report.closes.len()),
            (100, EVENTS_MAX)
        );
    }
}
