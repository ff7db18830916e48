//! What a fleet knows of one instance: its record and how it is.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::probe::Health;
use super::record::Record;
use crate::fleet::{Instance, InstanceId, InstanceState};

/// One instance in the books.
pub(super) struct Entry {
    pub(super) record: Record,
    state: InstanceState,
    since_unix_ms: i64,
    stopping: bool,
    successes: u32,
    failures: u32,
    probed: Option<Instant>,
}

impl Entry {
    /// An instance that was just started.
    pub(super) fn started(record: Record) -> Entry {
        Entry {
            since_unix_ms: record.started_unix_ms,
            record,
            state: InstanceState::Starting { why: None },
            stopping: false,
            successes: 0,
            failures: 0,
            probed: None,
        }
    }

    /// An instance that an earlier controller left.
    pub(super) fn found(record: Record) -> Entry {
        let mut entry = Entry::started(record);
        entry.look(entry.since_unix_ms);
        entry
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.record.port).into()
    }

    pub(super) fn instance(&self, id: InstanceId, log: PathBuf) -> Instance {
        Instance {
            id,
            address: self.address(),
            pid: self.record.process.pid(),
            version: self.record.version.clone(),
            state: self.state.clone(),
            since_unix_ms: self.since_unix_ms,
            log,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.state == InstanceState::Ready
    }

    pub(super) fn has_exited(&self) -> bool {
        matches!(self.state, InstanceState::Exited { .. })
    }

    /// Whether it runs and is to run on.
    pub(super) fn is_present(&self) -> bool {
        !self.stopping && !self.has_exited()
    }

    fn set(&mut self, state: InstanceState, now_unix_ms: i64) {
        // A changed reason is no new state.
        if std::mem::discriminant(&self.state) != std::mem::discriminant(&state) {
            self.since_unix_ms = now_unix_ms;
        }
        self.state = state;
    }

    /// Looks whether its process still lives.
    pub(super) fn look(&mut self, now_unix_ms: i64) {
        if !self.has_exited() && !self.record.process.lives() {
            let why = self.record.process.reap().unwrap_or_else(|| {
                "it ended; how is not known, since another process had started it".to_owned()
            });
            self.set(InstanceState::Exited { why }, now_unix_ms);
        }
    }

    /// It is being stopped.
    pub(super) fn stop(&mut self, now_unix_ms: i64) {
        self.stopping = true;
        if !self.has_exited() {
            let why = "it is being stopped".to_owned();
            self.set(InstanceState::Unready { why }, now_unix_ms);
        }
    }

    /// Whether it is to be probed now. If so, the time counts from now.
    pub(super) fn probe_is_due(&mut self, interval: Duration) -> bool {
        let due = self.is_present() && self.probed.is_none_or(|last| last.elapsed() >= interval);
        if due {
            self.probed = Some(Instant::now());
        }
        due
    }

    /// Takes the result of a probe.
    pub(super) fn probed(&mut self, result: Result<(), String>, health: &Health, now_unix_ms: i64) {
        if !self.is_present() {
            return;
        }
        let was_ready = !matches!(self.state, InstanceState::Starting { .. });
        match result {
            Ok(()) => {
                self.failures = 0;
                self.successes = self.successes.saturating_add(1);
                if self.successes >= health.successes.max(1) {
                    self.set(InstanceState::Ready, now_unix_ms);
                } else if !was_ready {
                    self.set(InstanceState::Starting { why: None }, now_unix_ms);
                }
            }
            Err(why) => {
                self.successes = 0;
                self.failures = self.failures.saturating_add(1);
                if !was_ready {
                    self.set(InstanceState::Starting { why: Some(why) }, now_unix_ms);
                } else if self.failures >= health.failures.max(1) {
                    self.set(InstanceState::Unready { why }, now_unix_ms);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::ProcessIdentity;

    fn entry() -> Entry {
        Entry::started(Record {
            id: "canary-1".parse().expect("a name"),
            process: ProcessIdentity::of(std::process::id())
                .expect("/proc")
                .expect("this process lives"),
            port: 1,
            version: "1".into(),
            started_unix_ms: 100,
        })
    }

    #[test]
    fn readiness_needs_successes_in_a_row_and_is_lost_by_failures_in_a_row() {
        let health = Health {
            successes: 2,
            failures: 2,
            ..Health::default()
        };
        let fail = || Err("down".to_owned());
        let starting = |why: Option<&str>| InstanceState::Starting {
            why: why.map(str::to_owned),
        };
        let unready = InstanceState::Unready { why: "down".into() };
        let mut entry = entry();
        for (now, result, state, since) in [
            (101, fail(), starting(Some("down")), 100),
            (102, Ok(()), starting(None), 100),
            (103, fail(), starting(Some("down")), 100),
            (104, Ok(()), starting(None), 100),
            (105, Ok(()), InstanceState::Ready, 105),
            (106, fail(), InstanceState::Ready, 105),
            (107, Ok(()), InstanceState::Ready, 105),
            (108, fail(), InstanceState::Ready, 105),
            (109, fail(), unready.clone(), 109),
            (110, Ok(()), unready, 109),
            (111, Ok(()), InstanceState::Ready, 111),
        ] {
            entry.probed(result, &health, now);
            assert_eq!(
                (&entry.state, entry.since_unix_ms),
                (&state, since),
                "at {now}"
            );
        }
        entry.stop(112);
        entry.probed(Ok(()), &health, 113);
        assert!(matches!(entry.state, InstanceState::Unready { .. }));
        assert!(!entry.is_present() && !entry.has_exited());
    }
}
