//! What a clock on the wall reads: texts of days and times, and the calendar they count in.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

pub(super) const MINUTE_MS: i64 = 60_000;
pub(super) const DAY_MS: i64 = 86_400_000;
/// Minutes of a day by the clock.
pub(super) const DAY_MIN: u16 = 24 * 60;
/// The first year that a document can name, and the first in which anything recurs.
pub(super) const YEAR_MIN: i16 = 1970;
/// The last year that a document can name, and the last in which anything recurs.
pub(super) const YEAR_MAX: i16 = 9998;

/// A day of some year. 29 February is the place between 28 February and 1 March, in every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MonthDay {
    month: i8,
    day: i8,
}

impl MonthDay {
    /// The day, from 1970-01-01, on which it begins in a year; 1 March for a missing 29 February.
    pub(super) fn begins(self, year: i16) -> Option<i64> {
        day_number(year, self.month, self.day).or_else(|| day_number(year, 3, 1))
    }

    /// The day after it; 1 March for a missing 29 February.
    pub(super) fn ends(self, year: i16) -> Option<i64> {
        match day_number(year, self.month, self.day) {
            Some(day) => Some(day + 1),
            None => day_number(year, 3, 1),
        }
    }
}

/// What the text of a bound can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// `09:00`: minutes of a day, 0 to 1440.
    Time(u16),
    /// `2026-12-01T08:00`: milliseconds since 1970-01-01T00:00 by that clock, and the minutes of
    /// its day, 0 to 1440.
    DateTime(i64, u16),
    /// `12-20`.
    MonthDay(MonthDay),
}

/// Reads a bound; `None` for anything but the three forms with existing days and times.
pub(super) fn read(text: &str) -> Option<Reading> {
    match text.len() {
        5 if text.as_bytes()[2] == b':' => time(text).map(Reading::Time),
        5 => {
            let (month, day) = (number(text, 0, 2)?, number(text, 3, 2)?);
            let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
            // 2000 had a 29 February.
            day_number(2000, month, day).filter(|_| text.as_bytes()[2] == b'-')?;
            Some(Reading::MonthDay(MonthDay { month, day }))
        }
        16 => {
            let marks = [(4, b'-'), (7, b'-'), (10, b'T')];
            let marked = marks.iter().all(|(at, byte)| text.as_bytes()[*at] == *byte);
            let year = number(text, 0, 4).filter(|_| marked)?;
            let year = year.try_into().ok()?;
            let month = i8::try_from(number(text, 5, 2)?).ok()?;
            let day = i8::try_from(number(text, 8, 2)?).ok()?;
            let minutes = time(text.get(11..)?)?;
            let in_range = (YEAR_MIN..=YEAR_MAX).contains(&year);
            let day = day_number(year, month, day).filter(|_| in_range)?;
            Some(Reading::DateTime(at(day, minutes), minutes))
        }
        _ => None,
    }
}

/// `09:00` as minutes of a day; `24:00` is its end.
fn time(text: &str) -> Option<u16> {
    let (hour, minute) = (number(text, 0, 2)?, number(text, 3, 2)?);
    let minutes = hour * 60 + minute;
    let sound = minute < 60 && minutes <= DAY_MIN && text.as_bytes().get(2) == Some(&b':');
    sound.then_some(minutes)
}

/// A decimal number of `count` ASCII digits, at most 4, from byte `from`.
fn number(text: &str, from: usize, count: usize) -> Option<u16> {
    let digits = text.as_bytes().get(from..from + count)?;
    digits.iter().try_fold(0_u16, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
        Some(number * 10 + digit)
    })
}

/// The milliseconds that a clock has counted at some minute of a day from 1970-01-01.
pub(super) fn at(day: i64, minutes: u16) -> i64 {
    day.saturating_mul(DAY_MS)
        .saturating_add(i64::from(minutes) * MINUTE_MS)
}

/// Days from 1970-01-01 to a date; `None` if there is no such date.
pub(super) fn day_number(year: i16, month: i8, day: i8) -> Option<i64> {
    let date = Date::new(year, month, day).ok()?;
    let midnight = Offset::UTC
        .to_timestamp(date.to_datetime(Time::midnight()))
        .ok()?;
    Some(midnight.as_millisecond().div_euclid(DAY_MS))
}

/// Year and day of the month of a day from 1970-01-01; `None` outside [`YEAR_MIN`] to
/// [`YEAR_MAX`].
pub(super) fn year_and_day(day: i64) -> Option<(i16, i8)> {
    let midnight = Timestamp::from_millisecond(day.checked_mul(DAY_MS)?).ok()?;
    let date = Offset::UTC.to_datetime(midnight).date();
    let in_range = (YEAR_MIN..=YEAR_MAX).contains(&date.year());
    in_range.then(|| (date.year(), date.day()))
}

/// The weekday of a day from 1970-01-01, Monday 0 to Sunday 6. That day was a Thursday.
pub(super) fn weekday(day: i64) -> u8 {
    u8::try_from((day.rem_euclid(7) + 3) % 7).expect("a remainder of 7 fits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_strictly() {
        let month_day = |month, day| Some(Reading::MonthDay(MonthDay { month, day }));
        let cases = [
            ("00:00", Some(Reading::Time(0))),
            ("09:05", Some(Reading::Time(545))),
            ("24:00", Some(Reading::Time(1440))),
            ("24:01", None),
            ("09:60", None),
            ("9:05", None),
            ("+9:05", None),
            ("12-20", month_day(12, 20)),
            ("02-29", month_day(2, 29)),
            ("02-30", None),
            ("13-01", None),
            ("00-01", None),
            ("12/20", None),
            ("1970-01-01T00:00", Some(Reading::DateTime(0, 0))),
            ("1970-01-01T24:00", Some(Reading::DateTime(DAY_MS, 1440))),
            ("2026-02-29T08:00", None),
            (
                "2028-02-29T08:00",
                Some(Reading::DateTime(1_835_424_000_000, 480)),
            ),
            ("1969-12-31T08:00", None),
            ("9999-01-01T08:00", None),
            ("2026-12-01 08:00", None),
            ("2026-12-01T08:00:00", None),
            ("2026-12-01", None),
            ("", None),
            ("é:00", None),
            ("ééa", None),
            ("2026-12-01T0é00", None),
            ("٠٩:٠", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn the_calendar_knows_weekdays_and_leap_days() {
        assert_eq!(weekday(0), 3);
        assert_eq!(weekday(-1), 2);
        let monday = day_number(2026, 1, 5).expect("it exists");
        assert_eq!(
            (weekday(monday), year_and_day(monday)),
            (0, Some((2026, 5)))
        );
        let Some(Reading::MonthDay(leap)) = read("02-29") else {
            unreachable!("it is a day of some year")
        };
        let march = day_number(2027, 3, 1);
        assert_eq!((leap.begins(2027), leap.ends(2027)), (march, march));
        assert_eq!(leap.begins(2028), day_number(2028, 2, 29));
        assert_eq!(leap.ends(2028), day_number(2028, 3, 1));
        assert_eq!(year_and_day(-1), None);
        assert_eq!(year_and_day(i64::MAX), None);
    }
}
