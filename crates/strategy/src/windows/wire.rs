//! What change windows look like in a document.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// The section `windows` as it is written. [`resolve`](super::resolve) makes [`Windows`] of it.
///
/// A `to` or `from` is one of `09:00` (24 hours; `24:00`, the end of the day, only as a `to`),
/// `2026-12-01T08:00`, and for freezes `12-20`.
///
/// [`Windows`]: super::Windows
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WindowsWire {
    /// IANA name of the time zone of all entries that name none, such as `Europe/Berlin`.
    pub zone: String,
    /// When changes may be made; absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<AllowWire>>,
    /// When they may not, whatever `allow` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freezes: Vec<FreezeWire>,
    /// What happens to a deployment that is not done when its window closes.
    #[serde(default)]
    pub on_window_close: OnWindowClose,
}

/// One window: with `days` a recurring one, between two times of the day; without, a dated one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AllowWire {
    /// Its own time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The weekdays that it begins on, `mon` to `sun`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<String>>,
    /// When it opens.
    pub from: String,
    /// When it closes. A time of the day that is before `from` is one of the next day.
    pub to: String,
    /// Only the first, second … such weekday of a month, 1 to 5; absent: every week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weeks: Option<Vec<i64>>,
}

/// One freeze: dated, or every year from one day to another, both inclusive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FreezeWire {
    /// What it is for, in words.
    pub name: String,
    /// Its own time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// When it begins.
    pub from: String,
    /// When it ends. A day of the year that is before `from` is one of the next year.
    pub to: String,
}

/// What happens to a deployment that is not done when its window closes.
///
/// The way back is always open: a rollback asks no window and no freeze.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnWindowClose {
    /// It stays where it is until the next window opens.
    #[default]
    Pause,
    /// It goes on to its end.
    Finish,
    /// It goes back to the release that was there before.
    Rollback,
}
