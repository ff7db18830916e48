//! Counters without locks, written so that a reading never shows an impossible state.
//!
//! Outcomes are separate counters that only grow; `finished` and `errors` are sums of them made
//! when reading, so errors can never exceed what finished, whatever the interleaving. A request
//! leaves `in_flight` only after its outcome is counted, and a reading takes `in_flight` first:
//! a reading without requests in flight has all their outcomes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use nonevent_router::{ArmCounters, LATENCY_BUCKETS, LatencyBuckets, latency_bucket_of_us};

use super::upstream::Upstream;

/// The counters of one arm.
pub(super) struct ArmTally {
    requests: AtomicU64,
    succeeded: AtomicU64,
    failed: AtomicU64,
    connect_failed: AtomicU64,
    retried: AtomicU64,
    abandoned: AtomicU64,
    in_flight: AtomicU64,
    upgraded: AtomicU64,
    latency: [AtomicU64; LATENCY_BUCKETS],
}

impl Default for ArmTally {
    fn default() -> ArmTally {
        ArmTally {
            requests: AtomicU64::new(0),
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            connect_failed: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            upgraded: AtomicU64::new(0),
            latency: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl ArmTally {
    pub(super) fn count_retry(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> ArmCounters {
        let in_flight = self.in_flight.load(Ordering::Acquire);
        let upgraded = self.upgraded.load(Ordering::Acquire);
        let connect_failures = self.connect_failed.load(Ordering::Relaxed);
        let errors = connect_failures + self.failed.load(Ordering::Relaxed);
        let mut latency: Vec<u64> = self
            .latency
            .iter()
            .map(|bucket| bucket.load(Ordering::Relaxed))
            .collect();
        latency.truncate(latency.iter().rposition(|c| *c != 0).map_or(0, |i| i + 1));
        ArmCounters {
            retried: self.retried.load(Ordering::Relaxed),
            abandoned: self.abandoned.load(Ordering::Relaxed),
            finished: errors + self.succeeded.load(Ordering::Relaxed),
            // Last, so that what has an outcome is always among the requests.
            requests: self.requests.load(Ordering::Acquire),
            errors,
            connect_failures,
            in_flight,
            upgraded,
            latency: LatencyBuckets(latency),
        }
    }
}

/// The counters of one instance.
#[derive(Default)]
pub(super) struct UpstreamTally {
    pub(super) requests: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) in_flight: AtomicU64,
    pub(super) upgraded: AtomicU64,
}

/// One request on one instance, from the choice of the instance to its outcome.
///
/// Dropped without an outcome, it counts as given up by the client.
pub(super) struct Attempt {
    pub(super) upstream: Arc<Upstream>,
    tally: Arc<ArmTally>,
    begun: Instant,
    waits_for_first_byte: bool,
    outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Abandoned,
    Succeeded,
    Failed,
    ConnectFailed,
}

impl Attempt {
    pub(super) fn begin(upstream: Arc<Upstream>, tally: Arc<ArmTally>) -> Attempt {
        tally.in_flight.fetch_add(1, Ordering::AcqRel);
        tally.requests.fetch_add(1, Ordering::AcqRel);
        upstream.tally.in_flight.fetch_add(1, Ordering::AcqRel);
        upstream.tally.requests.fetch_add(1, Ordering::Relaxed);
        Attempt {
            upstream,
            tally,
            begun: Instant::now(),
            waits_for_first_byte: false,
            outcome: Outcome::Abandoned,
        }
    }

    /// The instance has been reached; from here on a missing first byte is its delay.
    pub(super) fn connected(&mut self) {
        self.waits_for_first_byte = true;
    }

    /// The first byte of the answer is there.
    pub(super) fn first_byte(&mut self) {
        self.count_latency();
    }

    fn count_latency(&mut self) {
        if std::mem::replace(&mut self.waits_for_first_byte, false) {
            let us = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.tally.latency[latency_bucket_of_us(us)].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn succeeded(mut self) {
        self.outcome = Outcome::Succeeded;
    }

    /// An error. Without a first byte there is no latency: breaking off soon is not fast.
    pub(super) fn failed(mut self) {
        self.waits_for_first_byte = false;
        self.outcome = Outcome::Failed;
    }

    /// An error by waiting in vain, which is also a latency: at least so long.
    pub(super) fn timed_out(mut self) {
        self.outcome = Outcome::Failed;
    }

    /// No connection could be made. The caller may count a retry on what is returned.
    pub(super) fn connect_failed(mut self) -> Arc<ArmTally> {
        self.waits_for_first_byte = false;
        self.outcome = Outcome::ConnectFailed;
        Arc::clone(&self.tally)
    }

    /// The request succeeded by becoming a tunnel.
    pub(super) fn upgraded(self) -> Tunnel {
        let tunnel = Tunnel::begin(Arc::clone(&self.upstream), Arc::clone(&self.tally));
        self.succeeded();
        tunnel
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.count_latency();
        let (tally, instance) = (&self.tally, &self.upstream.tally);
        match self.outcome {
            Outcome::Abandoned => tally.abandoned.fetch_add(1, Ordering::Relaxed),
            Outcome::Succeeded => tally.succeeded.fetch_add(1, Ordering::Relaxed),
            Outcome::Failed => tally.failed.fetch_add(1, Ordering::Relaxed),
            Outcome::ConnectFailed => tally.connect_failed.fetch_add(1, Ordering::Relaxed),
        };
        if matches!(self.outcome, Outcome::Failed | Outcome::ConnectFailed) {
            instance.failures.fetch_add(1, Ordering::Relaxed);
        }
        tally.in_flight.fetch_sub(1, Ordering::Release);
        instance.in_flight.fetch_sub(1, Ordering::Release);
    }
}

/// One upgraded connection, counted while it lives.
pub(super) struct Tunnel {
    upstream: Arc<Upstream>,
    tally: Arc<ArmTally>,
}

impl Tunnel {
    fn begin(upstream: Arc<Upstream>, tally: Arc<ArmTally>) -> Tunnel {
        tally.upgraded.fetch_add(1, Ordering::AcqRel);
        upstream.tally.upgraded.fetch_add(1, Ordering::AcqRel);
        Tunnel { upstream, tally }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.tally.upgraded.fetch_sub(1, Ordering::Release);
        self.upstream.tally.upgraded.fetch_sub(1, Ordering::Release);
    }
}
