//! Points in time: milliseconds since the Unix epoch, written as RFC 3339 in UTC.

use alloc::borrow::Cow;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const DAY_MS: i64 = 86_400_000;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Written as RFC 3339 in UTC (`2026-01-05T10:00:00Z`, with `.123` only if there are milliseconds).
/// Years outside 0 to 9999 are written with a sign, as ISO 8601 extends them, and read back.
/// Other offsets are read and brought to UTC; digits beyond the millisecond are cut off.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_ms(ms: i64) -> Self {
        Timestamp(ms)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// `ms` milliseconds later (earlier if negative), saturating.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Timestamp(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self`, negative if `earlier` is later, saturating.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A text is not an RFC 3339 date and time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 date and time; write it like `2026-01-05T10:00:00Z`")]
pub struct TimestampError(());

/// Days before the start of `year` counted from year 0 of the proleptic Gregorian calendar.
fn days_before_year(year: i64) -> i64 {
    let previous = year - 1;
    // Year 0 is a leap year, hence the `+ 1` for the days of year 0 itself.
    previous * 365 + previous.div_euclid(4) - previous.div_euclid(100)
        + previous.div_euclid(400)
        + 366
}

fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the given day of the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let months: i64 = (1..month).map(|m| days_in_month(year, m)).sum();
    days_before_year(year) - days_before_year(1970) + months + day - 1
}

/// Year, month and day of the given number of days since 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let from_zero = days + days_before_year(1970);
    // 400 years are 146 097 days; the estimate is at most one year too high or too low.
    let mut year = from_zero * 400 / 146_097;
    while days_before_year(year) > from_zero {
        year -= 1;
    }
    while days_before_year(year + 1) <= from_zero {
        year += 1;
    }
    let mut rest = from_zero - days_before_year(year);
    let mut month = 1;
    while rest >= days_in_month(year, month) {
        rest -= days_in_month(year, month);
        month += 1;
    }
    (year, month, rest + 1)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_MS));
        let ms = self.0.rem_euclid(DAY_MS);
        match year {
            0..=9999 => write!(f, "{year:04}")?,
            _ => write!(f, "{year:+05}")?,
        }
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        write!(f, "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if ms % 1000 != 0 {
            write!(f, ".{:03}", ms % 1000)?;
        }
        f.write_str("Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

/// Reads a text from the left.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn eat(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    fn eat_either(&mut self, upper: u8, lower: u8) -> Option<()> {
        self.eat(upper).or_else(|| self.eat(lower))
    }

    /// A decimal number of `count` digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0_i64, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
            Some(number * 10 + digit)
        })
    }

    fn year(&mut self) -> Option<i64> {
        let sign = match self.0.first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return self.digits(4),
        };
        self.0 = &self.0[1..];
        let count = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(4..=9).contains(&count) {
            return None;
        }
        Some(sign * self.digits(count)?)
    }

    /// Milliseconds of a fraction of a second, if there is one.
    fn fraction_ms(&mut self) -> Option<i64> {
        if self.eat(b'.').is_none() {
            return Some(0);
        }
        let count = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let padded = digits.iter().copied().chain([b'0'; 3]).take(3);
        Some(padded.fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0')))
    }

    /// Minutes east of UTC.
    fn offset_minutes(&mut self) -> Option<i64> {
        let sign = match self.0.first()? {
            b'Z' | b'z' => {
                self.0 = &self.0[1..];
                return Some(0);
            }
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.0 = &self.0[1..];
        let hours = self.digits(2).filter(|hours| *hours < 24)?;
        self.eat(b':')?;
        let minutes = self.digits(2).filter(|minutes| *minutes < 60)?;
        Some(sign * (hours * 60 + minutes))
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let mut cursor = Cursor(text.as_bytes());
    let year = cursor.year()?;
    cursor.eat(b'-')?;
    let month = cursor.digits(2).filter(|month| (1..=12).contains(month))?;
    cursor.eat(b'-')?;
    let day = cursor
        .digits(2)
        .filter(|day| (1..=days_in_month(year, month)).contains(day))?;
    cursor.eat_either(b'T', b't')?;
    let hour = cursor.digits(2).filter(|hour| *hour < 24)?;
    cursor.eat(b':')?;
    let minute = cursor.digits(2).filter(|minute| *minute < 60)?;
    cursor.eat(b':')?;
    // 60 is a leap second: counted as the last second of its minute.
    let second = cursor.digits(2).filter(|second| *second <= 60)?.min(59);
    let ms = cursor.fraction_ms()?;
    let offset = cursor.offset_minutes()?;
    if !cursor.0.is_empty() {
        return None;
    }
    let of_day = ((hour * 60 + minute - offset) * 60 + second) * 1000 + ms;
    // In 128 bits: the day that holds the smallest `i64` of milliseconds starts below it.
    let total =
        i128::from(days_from_civil(year, month, day)) * i128::from(DAY_MS) + i128::from(of_day);
    i64::try_from(total).ok().map(Timestamp)
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or(TimestampError(()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn known_instants() {
        let cases: &[(i64, &str)] = &[
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_767_607_200_000, "2026-01-05T10:00:00Z"),
            (1_767_607_200_123, "2026-01-05T10:00:00.123Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "+10000-01-01T00:00:00Z"),
            (-62_167_219_200_001, "-0001-12-31T23:59:59.999Z"),
            (i64::MAX, "+292278994-08-17T07:12:55.807Z"),
            (i64::MIN, "-292275055-05-16T16:47:04.192Z"),
        ];
        for (ms, text) in cases {
            assert_eq!(Timestamp(*ms).to_string(), *text);
            assert_eq!(text.parse::<Timestamp>().unwrap().unix_ms(), *ms, "{text}");
        }
    }

    #[test]
    fn offsets_and_fractions_come_to_utc_milliseconds() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().to_string();
        assert_eq!(at("2026-01-05T11:00:00+01:00"), "2026-01-05T10:00:00Z");
        assert_eq!(at("2026-01-04T23:30:00-10:30"), "2026-01-05T10:00:00Z");
        assert_eq!(
            at("2026-01-05t10:00:00.9999999z"),
            "2026-01-05T10:00:00.999Z"
        );
        assert_eq!(at("2016-12-31T23:59:60Z"), "2016-12-31T23:59:59Z");
    }

    #[test]
    fn what_is_not_rfc_3339_is_refused() {
        for text in [
            "",
            "2026-01-05",
            "2026-01-05T10:00:00",
            "2026-01-05 10:00:00Z",
            "2026-1-5T10:00:00Z",
            "2026-02-29T10:00:00Z",
            "2026-13-01T10:00:00Z",
            "2026-01-05T24:00:00Z",
            "2026-01-05T10:00:61Z",
            "2026-01-05T10:00:00.Z",
            "2026-01-05T10:00:00Zx",
            "2026-01-05T10:00:00+1:00",
            "+999999999-01-01T00:00:00Z",
            "٢٠٢٦-01-05T10:00:00Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
