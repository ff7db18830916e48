//! Change windows and change freezes, in IANA time zones.
//!
//! A document says in local time when changes may be made, and when not whatever else it says:
//! [`WindowsWire`] is its form, [`resolve`] makes [`Windows`] of it or says what is wrong, and
//! [`Windows`] answers whether it is open, whether a deployment fits, and when the next one would.
//! The time comes in as an argument.
//!
//! ```
//! use nonevent_strategy::windows::{WindowState, WindowsWire, resolve};
//!
//! let wire: WindowsWire = serde_json::from_value(serde_json::json!({
//!     "zone": "Europe/Berlin",
//!     "allow": [{ "days": ["mon", "tue"], "from": "09:00", "to": "16:00" }],
//!     "freezes": [{ "name": "year end", "from": "12-20", "to": "01-02" }],
//! }))?;
//! let windows = resolve(&wire).windows.ok_or("it has faults")?;
//! let monday = "2026-01-05T10:00:00Z".parse()?;
//! let closes = "2026-01-05T15:00:00Z".parse()?;
//! assert_eq!(windows.state(monday), WindowState::Open { until: Some(closes) });
//! let six_hours_ms = 6 * 3_600_000;
//! assert!(windows.fits(monday, six_hours_ms).is_err());
//! let tuesday = "2026-01-06T08:00:00Z".parse()?;
//! assert_eq!(windows.next_fit(monday, six_hours_ms), Some(tuesday));
//! assert_eq!(
//!     windows.to_string(),
//!     "Mon and Tue 09:00–16:00 Europe/Berlin, not during year end (12-20 to 01-02 every year)",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it means
//!
//! - All intervals are half-open: a window to 16:00 is closed at 16:00, and a deployment that ends
//!   at 16:00 fits into it. Windows that touch or overlap are one. Freezes win over windows.
//! - A moment lies between two local times if the zone's clock has read the first, or a later
//!   time, and will yet read one before the second. On days without a change of the clock this
//!   says nothing new. A time that is skipped when clocks go forward is the first instant after
//!   the gap, so a window wholly in the gap does not open that day. Of a time that comes twice when
//!   clocks go back, the earlier opens and the later closes: while the clock reads a time of the
//!   window it is open, and while it reads a time of the freeze it is frozen.
//! - A recurring window belongs to the day it begins on: `22:00` to `02:00` on `fri` ends on
//!   Saturday. `weeks` counts that day's weekday in its month; the fifth is not in every month.
//! - A freeze of every year has inclusive days and may cross the year's end. `02-29` is the place
//!   between 28 February and 1 March: in a common year a freeze from then begins on 1 March, and
//!   one to then ends with 28 February.
//! - Documents name the years 1970 to 9998, and nothing recurs outside them. An answer looks
//!   [`HORIZON_DAYS`] ahead, and says `None` for what lies beyond.
//!
//! What it does not do: hold back a rollback. The way back asks no window and no freeze.

mod calendar;
mod interval;
mod local;
mod problem;
mod resolve;
mod state;
mod wire;
mod words;
mod zone;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use nonevent_document::Timestamp;
use serde::{Deserialize, Serialize};

pub use problem::{Problem, ProblemKind};
pub use resolve::{Resolved, resolve};
pub use state::{ClosedBecause, Misfit, MisfitKind, Stretch, Stretches, WindowState};
pub use wire::{AllowWire, FreezeWire, OnWindowClose, WindowsWire};
pub use zone::zone_data_version;

use calendar::Calendar;
use interval::Interval;

/// Windows in one document, at most.
pub const WINDOWS_MAX: usize = 200;
/// Freezes in one document, at most.
pub const FREEZES_MAX: usize = 200;
/// Different time zones in one document, at most.
pub const ZONES_MAX: usize = 16;
/// Characters of a freeze's name, at most.
pub const NAME_CHARS_MAX: usize = 200;
/// How many days of 24 hours an answer looks ahead: more than a year, so that what happens once a
/// year is seen.
pub const HORIZON_DAYS: u32 = 400;
/// How many days of 24 hours [`Windows::stretches`] goes through, at most: ten years.
pub const STRETCHES_DAYS_MAX: u32 = 3653;

const DAY_MS: i64 = local::DAY_MS;
const HORIZON_MS: i64 = HORIZON_DAYS as i64 * DAY_MS;
/// Beyond this all times are one, so that no sum overflows.
const LAST_MS: i64 = i64::MAX - STRETCHES_DAYS_MAX as i64 * DAY_MS;

/// Weekdays, as documents and as sentences write them.
const DAYS: [(&str, &str); 7] = [
    ("mon", "Mon"),
    ("tue", "Tue"),
    ("wed", "Wed"),
    ("thu", "Thu"),
    ("fri", "Fri"),
    ("sat", "Sat"),
    ("sun", "Sun"),
];

/// When changes may be made, ready to be asked.
///
/// `Display` says it in words for a runbook. In serialised form it is the [`WindowsWire`] that it
/// was made of, and reading that back checks it again. Two are equal if their documents are.
///
/// For a handful of entries [`state`](Self::state) and [`fits`](Self::fits) take a microsecond or
/// two, and a [`next_fit`](Self::next_fit) that finds nothing in [`HORIZON_DAYS`] 30. With 50
/// daily windows and 50 freezes in 4 zones it is 15 and 570 microseconds. At the limits
/// ([`WINDOWS_MAX`] daily windows, [`FREEZES_MAX`] freezes, 15 zones) it is 80 microseconds and 3
/// milliseconds, or 6 for a deployment as long as the horizon. Measured optimised, as CPU time of
/// one core.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "WindowsWire", into = "WindowsWire")]
pub struct Windows {
    wire: WindowsWire,
    calendar: Calendar,
}

impl PartialEq for Windows {
    fn eq(&self, other: &Self) -> bool {
        self.wire == other.wire
    }
}

impl Eq for Windows {}

impl From<Windows> for WindowsWire {
    fn from(windows: Windows) -> Self {
        windows.wire
    }
}

impl TryFrom<WindowsWire> for Windows {
    type Error = WindowsError;

    fn try_from(wire: WindowsWire) -> Result<Self, WindowsError> {
        let Resolved { windows, problems } = resolve(&wire);
        windows.ok_or(WindowsError(problems))
    }
}

/// A section `windows` has errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowsError(Vec<Problem>);

impl WindowsError {
    /// What is wrong; at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for WindowsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the windows have faults: {}", sentences(&self.0))
    }
}

impl core::error::Error for WindowsError {}

/// The first few; the caller who wants all asks for them.
fn sentences(problems: &[Problem]) -> String {
    const SHOWN_MAX: usize = 3;
    let shown = problems.iter().take(SHOWN_MAX);
    let mut text: Vec<String> = shown
        .map(|it| alloc::format!("at `{}`: {}", it.path, it.message))
        .collect();
    if let Some(more) = problems
        .len()
        .checked_sub(SHOWN_MAX)
        .filter(|more| *more > 0)
    {
        text.push(alloc::format!("and {more} more"));
    }
    text.join("; ")
}

impl Windows {
    /// The document that they were made of.
    #[must_use]
    pub fn wire(&self) -> &WindowsWire {
        &self.wire
    }

    /// What happens to a deployment that is not done when its window closes.
    #[must_use]
    pub fn on_window_close(&self) -> OnWindowClose {
        self.wire.on_window_close
    }

    /// Whether changes may be made at a time, and until when that is so.
    #[must_use]
    pub fn state(&self, at: Timestamp) -> WindowState {
        let at = instant(at);
        let horizon = at.saturating_add(HORIZON_MS);
        match self.calendar.walk(Interval::new(at, horizon)).next() {
            Some(open) if open.start == at => WindowState::Open {
                until: (open.end < horizon).then(|| Timestamp::from_unix_ms(open.end)),
            },
            next => WindowState::Closed {
                opens: next.map(|open| Timestamp::from_unix_ms(open.start)),
                why: match self.calendar.freeze_at(at) {
                    Some((name, until)) => ClosedBecause::Frozen {
                        name: name.into(),
                        until: Timestamp::from_unix_ms(until),
                    },
                    None => ClosedBecause::OutsideWindows,
                },
            },
        }
    }

    /// Whether a deployment that begins at `start` and lasts at most `duration_ms` ends before the
    /// stretch closes in which it began.
    ///
    /// # Errors
    ///
    /// If it is closed at `start`, if it closes too early, or if the deployment lasts longer than
    /// [`HORIZON_DAYS`].
    pub fn fits(&self, start: Timestamp, duration_ms: u64) -> Result<(), Misfit> {
        let from = instant(start);
        let lasts = lasts(duration_ms).ok_or_else(|| Misfit::new(MisfitKind::TooLong))?;
        let range = Interval::new(from, from.saturating_add(lasts));
        match self.calendar.walk(range).next() {
            Some(open) if open == range => Ok(()),
            Some(open) if open.start == from => Err(Misfit::new(MisfitKind::Overruns {
                closes: Timestamp::from_unix_ms(open.end),
                by_ms: range.end.abs_diff(open.end),
            })),
            _ => Err(Misfit::new(MisfitKind::Closed {
                state: self.state(start),
            })),
        }
    }

    /// The earliest time from `start`, and at most [`HORIZON_DAYS`] later, at which a deployment
    /// that lasts at most `duration_ms` [fits](Self::fits).
    #[must_use]
    pub fn next_fit(&self, start: Timestamp, duration_ms: u64) -> Option<Timestamp> {
        let lasts = lasts(duration_ms)?;
        let from = instant(start);
        let latest = from.saturating_add(HORIZON_MS);
        let range = Interval::new(from, latest.saturating_add(lasts));
        let mut open = self.calendar.walk(range);
        open.find(|open| open.end.saturating_sub(open.start) >= lasts)
            .map(|open| Timestamp::from_unix_ms(open.start))
    }

    /// What is open from `from` up to, and without, `to`, in order: at most `limit` stretches, and
    /// of a longer time than [`STRETCHES_DAYS_MAX`] only that much. A stretch that reaches over an
    /// end of the range is cut there.
    #[must_use]
    pub fn stretches(&self, from: Timestamp, to: Timestamp, limit: usize) -> Stretches<'_> {
        let from = instant(from);
        let most = from.saturating_add(i64::from(STRETCHES_DAYS_MAX) * DAY_MS);
        let range = Interval::new(from, to.unix_ms().min(most));
        Stretches::new(self.calendar.walk(range), limit)
    }

    /// What is wrong with them as seen from a time: that they never open again.
    #[must_use]
    pub fn check(&self, now: Timestamp) -> Vec<Problem> {
        if self.next_fit(now, 1).is_some() {
            return Vec::new();
        }
        let message = alloc::format!("no window opens in the next {HORIZON_DAYS} days");
        let help = "add a window, or end a freeze earlier";
        let problem = Problem::new(ProblemKind::NeverOpen, "", message, help);
        alloc::vec![problem]
    }
}

fn instant(at: Timestamp) -> i64 {
    at.unix_ms().min(LAST_MS)
}

/// How long it must be open, at least the moment of the beginning; `None` beyond the horizon.
fn lasts(duration_ms: u64) -> Option<i64> {
    let lasts = i64::try_from(duration_ms.max(1)).ok()?;
    (lasts <= HORIZON_MS).then_some(lasts)
}
