//! The deadlines of an attempt: each phase's own, cut short by the attempt's and the run's.

use core::future::Future;
use core::time::Duration;

use nonevent_document::format_duration_ms;
use tokio::time::{Instant, timeout_at};

use crate::trouble::{Cause, Trouble};

/// A moment by which something must have happened, and which limit put it there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    ms: u64,
    /// The limit's name as the user writes it.
    limit: &'static str,
}

impl Deadline {
    pub(crate) fn after(from: Instant, ms: u64, limit: &'static str) -> Deadline {
        // A year is as good as never, and cannot overflow the clock.
        let at = from + Duration::from_millis(ms.min(365 * 24 * 3_600_000));
        Deadline { at, ms, limit }
    }

    pub(crate) fn ms(self) -> u64 {
        self.ms
    }

    pub(crate) fn at(self) -> Instant {
        self.at
    }

    pub(crate) fn earlier(self, other: Deadline) -> Deadline {
        if other.at < self.at { other } else { self }
    }

    fn missed(self, cause: Cause, what: &str) -> Trouble {
        let limit = self.limit;
        if limit == BUDGET {
            return budget_used_up(self.ms);
        }
        let time = format_duration_ms(self.ms);
        Trouble::new(cause, format!("no {what} within {time} ({limit})"))
    }
}

/// Which deadlines hold for one attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) start: Instant,
    total: Deadline,
    run: Deadline,
}

/// The name of the run's own deadline in messages.
const BUDGET: &str = "budget_ms";

impl Clock {
    pub(crate) fn new(total_ms: u64, run: Deadline) -> Clock {
        let start = Instant::now();
        Clock {
            start,
            total: Deadline::after(start, total_ms, "timeout_ms"),
            run,
        }
    }

    /// The run's deadline, `budget_ms` after its start.
    pub(crate) fn run_deadline(start: Instant, budget_ms: u64) -> Deadline {
        Deadline::after(start, budget_ms, BUDGET)
    }

    /// Waits for `future` until the phase's, the attempt's or the run's deadline.
    ///
    /// `what` completes "no … within 300 ms". A phase that passes its deadline is of class
    /// `cause`.
    pub(crate) async fn within<T>(
        self,
        phase: Deadline,
        cause: Cause,
        what: &str,
        future: impl Future<Output = T>,
    ) -> Result<T, Trouble> {
        let deadline = phase.earlier(self.total).earlier(self.run);
        // What is always ready, such as a body that keeps coming, would never meet the timer.
        if Instant::now() >= deadline.at {
            return Err(deadline.missed(cause, what));
        }
        let done = timeout_at(deadline.at, future).await;
        done.map_err(|_| deadline.missed(cause, what))
    }

    /// Whether work that is done without waiting has still time.
    pub(crate) fn check(self, what: &str) -> Result<(), Trouble> {
        let deadline = self.total.earlier(self.run);
        if Instant::now() < deadline.at {
            return Ok(());
        }
        Err(deadline.missed(Cause::Timeout, what))
    }
}

/// Cancels what the run's time did not suffice for.
pub(crate) fn budget_used_up(budget_ms: u64) -> Trouble {
    let time = format_duration_ms(budget_ms);
    Trouble::new(
        Cause::Budget,
        format!("the run's {time} ({BUDGET}) were used up"),
    )
}
