//! Numbers as the sources write them, counts as the comparison needs them, and times.

use alloc::format;
use alloc::string::String;

use super::body::Node;
use super::error::MetricsError;

/// The largest count that a source can tell exactly: 2^53, since they reckon in doubles.
pub const COUNT_MAX: u64 = 1 << 53;

/// A number as Go writes it: `1`, `1.5e+10`, `NaN`, `+Inf`, `-Inf`. Nothing else, so that no word
/// and no overflow passes for a number.
pub(crate) fn parse(text: &str) -> Option<f64> {
    match text {
        "NaN" => return Some(f64::NAN),
        "+Inf" | "Inf" => return Some(f64::INFINITY),
        "-Inf" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let plain =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    let number: f64 = text
        .bytes()
        .all(plain)
        .then(|| text.parse().ok())
        .flatten()?;
    number.is_finite().then_some(number)
}

/// A number in a string, as Prometheus writes values and bounds.
pub(crate) fn in_string(node: &Node<'_, '_>) -> Result<f64, MetricsError> {
    let number = node.value.as_str().and_then(parse);
    number.ok_or_else(|| node.unlike("a number in a string"))
}

/// A count from a number that may have been extrapolated: to the nearest, halves up. `None` for
/// what is no count: NaN, infinities, negative numbers, more than [`COUNT_MAX`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "within 0..=2^53, where both kinds of number agree"
)]
pub(crate) fn count(number: f64) -> Option<u64> {
    let rounded = libm::floor(number + 0.5);
    // Floats below a half and -0.0 come to 0; anything clearly negative is no count.
    (number >= 0.0 && rounded <= COUNT_MAX as f64).then_some(rounded as u64)
}

/// A count from a number that must be whole, such as a counter's value.
pub(crate) fn whole(number: f64) -> Option<u64> {
    count(number).filter(|_| libm::floor(number) >= number)
}

/// Milliseconds since 1970 from seconds, for times up to the year 9999.
pub(crate) fn ms_of_seconds(seconds: f64) -> Option<u64> {
    const SECONDS_MAX: f64 = 253_402_300_800.0;
    (0.0..SECONDS_MAX)
        .contains(&seconds)
        .then(|| count(seconds * 1e3))
        .flatten()
}

/// Microseconds from seconds; what is longer than 2^53 µs (285 years) is without bound.
pub(crate) fn us_of_seconds(seconds: f64) -> Option<u64> {
    if seconds.is_nan() || seconds < 0.0 {
        return None;
    }
    Some(count(seconds * 1e6).unwrap_or(u64::MAX))
}

/// An RFC 3339 time as milliseconds since 1970, finer digits cut off. `Some(None)` for a time
/// before 1970 (Go's zero time, which stands for "none").
pub(crate) fn rfc3339_ms(text: &str) -> Option<Option<u64>> {
    let bytes = text.as_bytes();
    let digits = |from: usize, to: usize| -> Option<i64> {
        let part = bytes.get(from..to)?;
        let all = part.iter().all(u8::is_ascii_digit);
        all.then(|| part.iter().fold(0, |sum, d| sum * 10 + i64::from(d - b'0')))
    };
    let sign = |at: usize, options: &[u8]| bytes.get(at).filter(|b| options.contains(b)).copied();
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
    sign(4, b"-").and(sign(7, b"-"))?;
    sign(10, b"Tt ").and(sign(13, b":")).and(sign(16, b":"))?;
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let mut at = 19;
    let mut milliseconds = 0;
    if sign(at, b".").is_some() {
        let length = bytes[20..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let mut scale = 100;
        for digit in bytes[20..20 + length].iter().take(3) {
            milliseconds += i64::from(digit - b'0') * scale;
            scale /= 10;
        }
        at = 20 + length;
        (length > 0).then_some(())?;
    }
    let offset = match sign(at, b"Zz+-")? {
        b'Z' | b'z' => {
            at += 1;
            0
        }
        direction => {
            let (hours, minutes) = (digits(at + 1, at + 3)?, digits(at + 4, at + 6)?);
            sign(at + 3, b":")?;
            (hours < 24 && minutes < 60).then_some(())?;
            at += 6;
            (hours * 60 + minutes) * if direction == b'-' { -1 } else { 1 }
        }
    };
    if !in_range || at != bytes.len() {
        return None;
    }
    let seconds =
        ((days_before(year, month, day) * 24 + hour) * 60 + minute - offset) * 60 + second;
    Some(u64::try_from(seconds * 1_000 + milliseconds).ok())
}

/// Milliseconds since 1970 as an RFC 3339 time in UTC, to the second (Hinnant,
/// `civil_from_days`).
pub(crate) fn rfc3339(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let of_years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_years + of_years / 4 - of_years / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    let year = era * 400 + of_years + u64::from(month <= 2);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z",
        second % 60
    )
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar (Hinnant, "chrono-compatible low-level date
/// algorithms", `days_from_civil`).
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::{count, ms_of_seconds, parse, rfc3339, rfc3339_ms, whole};

    #[test]
    fn numbers_are_read_as_go_writes_them() {
        for (text, number) in [
            ("1", 1.0),
            ("-0.5", -0.5),
            ("1.5e+10", 1.5e10),
            ("+Inf", f64::INFINITY),
        ] {
            assert_eq!(parse(text), Some(number), "{text}");
        }
        assert!(parse("NaN").is_some_and(f64::is_nan));
        for text in [
            "", "nan", "infinity", "1e999", "1 ", "0x1", "1_0", "+", "-", ".",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn counts_are_rounded_and_bounded() {
        let cases = [
            (0.0, Some(0)),
            (-0.0, Some(0)),
            (0.49, Some(0)),
            (0.5, Some(1)),
            (59.7, Some(60)),
            (9_007_199_254_740_992.0, Some(1 << 53)),
            (1e16, None),
            (-0.1, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ];
        for (number, expected) in cases {
            assert_eq!(count(number), expected, "{number}");
        }
        assert_eq!((whole(3.0), whole(3.2), whole(2.9)), (Some(3), None, None));
        assert_eq!(ms_of_seconds(1_700_000_000.123), Some(1_700_000_000_123));
        assert_eq!((ms_of_seconds(-1.0), ms_of_seconds(f64::NAN)), (None, None));
    }

    #[test]
    fn times_are_read() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(Some(0))),
            (
                "2024-02-29T12:00:00.123456789Z",
                Some(Some(1_709_208_000_123)),
            ),
            ("2024-02-29T13:30:00+01:30", Some(Some(1_709_208_000_000))),
            ("2023-11-14T22:13:20Z", Some(Some(1_700_000_000_000))),
            ("0001-01-01T00:00:00Z", Some(None)),
            ("2023-02-29T00:00:00Z", None),
            ("2024-02-29T12:00:00", None),
            ("2024-02-29T12:00:00.Z", None),
            ("2024-02-29T12:00:00Zx", None),
            ("2024-02-29T12:00:00+0130", None),
            ("yesterday", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(rfc3339_ms(text), expected, "{text}");
        }
        for day in 0..60_000u64 {
            let ms = day * 86_400_000 + day * 1_000;
            assert_eq!(rfc3339_ms(&rfc3339(ms)), Some(Some(ms)), "{ms}");
        }
        // No time ends the program.
        let _ = rfc3339(u64::MAX);
    }
}
