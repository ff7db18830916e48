//! The time, as the workflow sees it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use nonevent_document::Timestamp;

/// Tells the time. It never falls, and a change of the system's clock does not move it: a pause
/// is neither shortened nor lengthened by one.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Timestamp,
    at: Instant,
}

impl Clock {
    /// A clock that reads what the system's clock reads now, and runs evenly from there.
    #[must_use]
    pub fn new() -> Clock {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Clock {
            began: Timestamp::from_unix_ms(ms),
            at: Instant::now(),
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.at.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.began.plus_ms(elapsed)
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}
