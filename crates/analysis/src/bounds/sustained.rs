//! Since when something has held without interruption.

use serde::{Deserialize, Serialize};

/// Since when a condition has held without interruption, from looks at times of the caller's clock.
///
/// It never takes silence for a yes: a run lasts from its first look to its last, not to now, and
/// two looks further apart than the longest gap belong to two runs. A clock that goes back by no
/// more than that gap stands still until it has caught up; if it goes back further, what was
/// measured on it means nothing, and a new run begins.
///
/// ```
/// use nonevent_analysis::bounds::Sustained;
/// let mut beyond = Sustained::new(30_000);
/// beyond.observe(0, Some(true));
/// beyond.observe(20_000, None);
/// beyond.observe(25_000, Some(true));
/// assert_eq!(beyond.since_ms(), Some(0));
/// assert_eq!(beyond.held_ms(), 25_000);
/// beyond.observe(60_000, None);
/// assert_eq!(beyond.since_ms(), None, "the gap is too long");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sustained {
    /// The longest time between two looks of one run.
    gap_ms_max: u64,
    /// The last time that was told.
    now_ms: u64,
    /// First and last look of the run that goes on.
    run_ms: Option<(u64, u64)>,
}

impl Sustained {
    /// Nothing has been seen. Looks more than `gap_ms_max` milliseconds apart are an interruption.
    #[must_use]
    pub const fn new(gap_ms_max: u64) -> Sustained {
        Sustained {
            gap_ms_max,
            now_ms: 0,
            run_ms: None,
        }
    }

    /// One look: whether the condition holds, or `None` if that was not to be learnt.
    pub fn observe(&mut self, time_ms: u64, holds: Option<bool>) {
        if self.now_ms.saturating_sub(time_ms) > self.gap_ms_max {
            self.run_ms = None;
            self.now_ms = time_ms;
        }
        self.now_ms = self.now_ms.max(time_ms);
        let now = self.now_ms;
        let near = |last: u64| now.saturating_sub(last) <= self.gap_ms_max;
        let run = self.run_ms.filter(|(_, last)| near(*last));
        self.run_ms = match holds {
            Some(true) => Some((run.map_or(now, |(first, _)| first), now)),
            Some(false) => None,
            None => run,
        };
    }

    /// The time of the first look of the run that goes on; `None` if the condition does not hold.
    #[must_use]
    pub fn since_ms(&self) -> Option<u64> {
        self.run_ms.map(|(first, _)| first)
    }

    /// How long the condition has held, from the first look of the run to the last, in
    /// milliseconds.
    #[must_use]
    pub fn held_ms(&self) -> u64 {
        let (first, last) = self.run_ms.unwrap_or_default();
        last.saturating_sub(first)
    }
}
