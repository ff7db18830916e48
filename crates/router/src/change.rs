//! What happened between two readings of a router's counters.

use crate::{Arm, ArmCounters, Counters, LatencyBuckets, Snapshot};

/// What one arm did between two readings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ArmChange {
    /// Requests sent to this arm.
    pub requests: u64,
    /// Requests whose outcome became known; what an error rate divides by.
    pub finished: u64,
    /// Of the finished, the errors.
    pub errors: u64,
    /// Of the errors, those where no connection could be made.
    pub connect_failures: u64,
    /// Of the connect failures, those whose request was then tried on another instance.
    pub retried: u64,
    /// Requests that the client gave up.
    pub abandoned: u64,
    /// Time to the first byte of the answer.
    pub latency: LatencyBuckets,
}

/// What a router did between two readings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CountersChange {
    /// What stable did.
    pub stable: ArmChange,
    /// What the canary did.
    pub canary: ArmChange,
    /// Requests that the router answered itself.
    pub refused: u64,
}

impl CountersChange {
    /// The change of one arm.
    #[must_use]
    pub fn of(&self, arm: Arm) -> &ArmChange {
        match arm {
            Arm::Stable => &self.stable,
            Arm::Canary => &self.canary,
        }
    }
}

/// Two readings cannot be subtracted: the counters started anew between them.
///
/// This is a lack of data, never a change of zero: what happened before the reset is lost. The
/// later reading is the start of the next interval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct CounterReset(#[from] ResetText);

/// How a reset was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CounterResetKind {
    /// The router process is another one.
    Restarted,
    /// The same process reports a smaller value than before.
    Shrunk,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum ResetText {
    #[error(
        "the router was restarted between two readings, so its counters began anew; measure again from the later reading"
    )]
    Restarted,
    #[error(
        "the router's counter `{counter}` of {arm} fell between two readings; measure again from the later reading"
    )]
    Shrunk {
        arm: &'static str,
        counter: &'static str,
    },
}

impl CounterReset {
    /// How the reset was noticed.
    #[must_use]
    pub const fn kind(&self) -> CounterResetKind {
        match self.0 {
            ResetText::Restarted => CounterResetKind::Restarted,
            ResetText::Shrunk { .. } => CounterResetKind::Shrunk,
        }
    }
}

impl Snapshot {
    /// What happened since `earlier`, a reading of the same router.
    ///
    /// # Errors
    ///
    /// The counters began anew in between: the router was restarted, or a counter fell.
    pub fn since(&self, earlier: &Snapshot) -> Result<CountersChange, CounterReset> {
        if self.started != earlier.started {
            return Err(ResetText::Restarted.into());
        }
        self.counters.since(&earlier.counters)
    }
}

impl Counters {
    /// What happened since `earlier`, counters of the same router process. Prefer
    /// [`Snapshot::since`], which also sees a restart whose counters have already grown past
    /// the old ones.
    ///
    /// # Errors
    ///
    /// A counter fell.
    pub fn since(&self, earlier: &Counters) -> Result<CountersChange, CounterReset> {
        Ok(CountersChange {
            stable: arm_change("stable", &self.stable, &earlier.stable)?,
            canary: arm_change("canary", &self.canary, &earlier.canary)?,
            refused: self
                .refused
                .checked_sub(earlier.refused)
                .ok_or(ResetText::Shrunk {
                    arm: "both arms",
                    counter: "refused",
                })?,
        })
    }
}

fn arm_change(
    arm: &'static str,
    later: &ArmCounters,
    earlier: &ArmCounters,
) -> Result<ArmChange, CounterReset> {
    let grown = |counter: &'static str, read: fn(&ArmCounters) -> u64| {
        read(later)
            .checked_sub(read(earlier))
            .ok_or(ResetText::Shrunk { arm, counter })
    };
    Ok(ArmChange {
        requests: grown("requests", |c| c.requests)?,
        finished: grown("finished", |c| c.finished)?,
        errors: grown("errors", |c| c.errors)?,
        connect_failures: grown("connect_failures", |c| c.connect_failures)?,
        retried: grown("retried", |c| c.retried)?,
        abandoned: grown("abandoned", |c| c.abandoned)?,
        latency: later
            .latency
            .since(&earlier.latency)
            .ok_or(ResetText::Shrunk {
                arm,
                counter: "latency",
            })?,
    })
}
