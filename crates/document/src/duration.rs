//! Spans of time as people write them: `90s`, `5m`, `1h30m`.

use alloc::string::{String, ToString};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Units from the largest, with their milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// A text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct DurationError {
    kind: DurationErrorKind,
    text: String,
}

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DurationErrorKind {
    /// A number without a unit.
    NoUnit,
    /// Not a sequence of numbers with units.
    Form,
    /// A unit other than `d`, `h`, `m`, `s`, `ms`.
    Unit,
    /// Units that do not go from large to small, or one of them twice.
    Order,
    /// Finer than a millisecond.
    Precision,
    /// More than 2^64 - 1 milliseconds.
    Range,
}

impl DurationError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> DurationErrorKind {
        self.kind
    }

    fn new(kind: DurationErrorKind, text: &str) -> Self {
        let what = match kind {
            DurationErrorKind::NoUnit => alloc::format!(
                "the duration `{text}` has no unit; give a unit, such as `{text}s` or `{text}m`"
            ),
            DurationErrorKind::Form => alloc::format!(
                "`{text}` is not a duration; write numbers with units, such as `90s` or `1h30m`"
            ),
            DurationErrorKind::Unit => {
                alloc::format!("`{text}` has an unknown unit; the units are d, h, m, s and ms")
            }
            DurationErrorKind::Order => alloc::format!(
                "the units of `{text}` are out of order; write each once, the largest first"
            ),
            DurationErrorKind::Precision => {
                alloc::format!("`{text}` is finer than a millisecond; round it")
            }
            DurationErrorKind::Range => {
                alloc::format!("`{text}` is too long; it has to fit 64 bits of milliseconds")
            }
        };
        DurationError { kind, text: what }
    }
}

/// Milliseconds of a duration such as `250ms`, `90s`, `5m`, `1h30m`, `1h 30m`, `2.5s` or `2d`.
///
/// Units go from large to small, each at most once; a number may have a decimal fraction as long
/// as the whole is a number of milliseconds. `m` is a minute, `d` is 24 hours.
///
/// # Errors
///
/// A bare number (`300`), an unknown unit, units out of order, less than a millisecond left over,
/// more than `u64::MAX` milliseconds, or anything else.
pub fn parse_duration_ms(text: &str) -> Result<u64, DurationError> {
    parse(text).map_err(|kind| DurationError::new(kind, shown(text)))
}

/// An error repeats at most this much of the text.
fn shown(text: &str) -> &str {
    text.char_indices()
        .nth(40)
        .map_or(text, |(end, _)| &text[..end])
}

fn parse(text: &str) -> Result<u64, DurationErrorKind> {
    let mut rest = text;
    let mut total = 0_u64;
    let mut units = &UNITS[..];
    if rest.is_empty() {
        return Err(DurationErrorKind::Form);
    }
    while !rest.is_empty() {
        let (whole, fraction);
        (whole, rest) = split_digits(rest);
        if whole.is_empty() {
            return Err(DurationErrorKind::Form);
        }
        (fraction, rest) = match rest.strip_prefix('.') {
            None => ("", rest),
            Some(after) => match split_digits(after) {
                ("", _) => return Err(DurationErrorKind::Form),
                found => found,
            },
        };
        let end = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let (unit, after) = rest.split_at(end);
        if unit.is_empty() {
            return Err(if after.is_empty() && units.len() == UNITS.len() {
                DurationErrorKind::NoUnit
            } else {
                DurationErrorKind::Form
            });
        }
        let per_unit = UNITS.iter().find(|(name, _)| *name == unit);
        let per_unit = per_unit.ok_or(DurationErrorKind::Unit)?.1;
        let place = units.iter().position(|(name, _)| *name == unit);
        units = &units[place.ok_or(DurationErrorKind::Order)? + 1..];
        total = total
            .checked_add(amount_ms(whole, fraction, per_unit)?)
            .ok_or(DurationErrorKind::Range)?;
        rest = after;
        if let Some(next) = rest.strip_prefix(' ') {
            if next.is_empty() {
                return Err(DurationErrorKind::Form);
            }
            rest = next;
        }
    }
    Ok(total)
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn amount_ms(whole: &str, fraction: &str, per_unit: u64) -> Result<u64, DurationErrorKind> {
    let whole: u64 = whole.parse().map_err(|_| DurationErrorKind::Range)?;
    let ms = whole
        .checked_mul(per_unit)
        .ok_or(DurationErrorKind::Range)?;
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        return Ok(ms);
    }
    // 86 400 000 ms have eight decimal places at most; more digits cannot come out even.
    if fraction.len() > 10 {
        return Err(DurationErrorKind::Precision);
    }
    let digits: u64 = fraction.parse().map_err(|_| DurationErrorKind::Form)?;
    let scale = 10_u64.pow(u32::try_from(fraction.len()).expect("at most ten digits"));
    let scaled = digits * per_unit;
    if !scaled.is_multiple_of(scale) {
        return Err(DurationErrorKind::Precision);
    }
    ms.checked_add(scaled / scale)
        .ok_or(DurationErrorKind::Range)
}

/// `ms` for people, exact: `1h 30m`, `2.5s`, `250ms`, `0s`. [`parse_duration_ms`] reads it back.
#[must_use]
pub fn format_duration_ms(ms: u64) -> String {
    write_units(ms, " ")
}

fn write_units(ms: u64, between: &str) -> String {
    use fmt::Write as _;
    let mut out = String::new();
    let mut rest = ms;
    for (unit, per_unit) in &UNITS[..3] {
        if rest >= *per_unit {
            if !out.is_empty() {
                out.push_str(between);
            }
            write!(out, "{}{unit}", rest / per_unit).expect("writing to a String cannot fail");
            rest %= per_unit;
        }
    }
    if rest == 0 && !out.is_empty() {
        return out;
    }
    if !out.is_empty() {
        out.push_str(between);
    }
    let written = match (rest / 1000, rest % 1000) {
        (0, ms @ 1..) => write!(out, "{ms}ms"),
        (seconds, 0) => write!(out, "{seconds}s"),
        (seconds, ms) => {
            let fraction = alloc::format!("{ms:03}");
            write!(out, "{seconds}.{}s", fraction.trim_end_matches('0'))
        }
    };
    written.expect("writing to a String cannot fail");
    out
}

/// A duration in milliseconds, written in documents as text with units (`5m`).
///
/// Serialises to the shortest exact text, the larger unit on a tie: 90 000 is `90s`, 5 400 000 is
/// `90m`, 300 000 is `5m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DurationMs(pub u64);

impl fmt::Display for DurationMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DurationMs(ms) = *self;
        let mut best = write_units(ms, "");
        for (unit, per_unit) in UNITS {
            if ms > 0 && ms.is_multiple_of(per_unit) {
                let single = alloc::format!("{}{unit}", ms / per_unit);
                if single.len() < best.len() {
                    best = single;
                }
            }
        }
        f.write_str(&best)
    }
}

impl Serialize for DurationMs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DurationMs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = DurationMs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration with its unit, such as `5m`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<DurationMs, E> {
                parse_duration_ms(text).map(DurationMs).map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<DurationMs, E> {
                Err(E::custom(DurationError::new(
                    DurationErrorKind::NoUnit,
                    &number.to_string(),
                )))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<DurationMs, E> {
                Err(E::custom(DurationError::new(
                    DurationErrorKind::NoUnit,
                    &number.to_string(),
                )))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        let cases: &[(&str, u64)] = &[
            ("0s", 0),
            ("250ms", 250),
            ("90s", 90_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("2d", 172_800_000),
            ("2.5s", 2500),
            ("0.5h", 1_800_000),
            ("1m0.001s", 60_001),
            ("18446744073709551615ms", u64::MAX),
            ("1.50s", 1500),
        ];
        for (text, ms) in cases {
            assert_eq!(parse_duration_ms(text), Ok(*ms), "{text}");
        }
    }

    #[test]
    fn errors_say_which_rule_was_broken() {
        let cases: &[(&str, DurationErrorKind)] = &[
            ("300", DurationErrorKind::NoUnit),
            ("2.5", DurationErrorKind::NoUnit),
            ("", DurationErrorKind::Form),
            ("m", DurationErrorKind::Form),
            ("-5m", DurationErrorKind::Form),
            ("5 m", DurationErrorKind::Form),
            ("5m ", DurationErrorKind::Form),
            ("1h30", DurationErrorKind::Form),
            ("5min", DurationErrorKind::Unit),
            ("5M", DurationErrorKind::Unit),
            ("3w", DurationErrorKind::Unit),
            ("30m1h", DurationErrorKind::Order),
            ("1m1m", DurationErrorKind::Order),
            ("0.5ms", DurationErrorKind::Precision),
            ("0.00000000001h", DurationErrorKind::Precision),
            ("18446744073709551616ms", DurationErrorKind::Range),
            ("999999999999999d", DurationErrorKind::Range),
        ];
        for (text, kind) in cases {
            assert_eq!(
                parse_duration_ms(text).map_err(|e| e.kind()),
                Err(*kind),
                "{text}"
            );
        }
        assert!(
            parse_duration_ms("300")
                .unwrap_err()
                .to_string()
                .contains("give a unit")
        );
    }

    #[test]
    fn texts_are_exact_and_short() {
        let cases: &[(u64, &str, &str)] = &[
            (0, "0s", "0s"),
            (250, "250ms", "250ms"),
            (2500, "2.5s", "2.5s"),
            (1001, "1.001s", "1.001s"),
            (90_000, "1m 30s", "90s"),
            (300_000, "5m", "5m"),
            (5_400_000, "1h 30m", "90m"),
            (86_400_000, "1d", "1d"),
            (90_061_001, "1d 1h 1m 1.001s", "90061001ms"),
            (3_602_500, "1h 2.5s", "1h2.5s"),
        ];
        for (ms, people, short) in cases {
            assert_eq!(format_duration_ms(*ms), *people);
            assert_eq!(DurationMs(*ms).to_string(), *short);
            assert_eq!(parse_duration_ms(people), Ok(*ms));
            assert_eq!(parse_duration_ms(short), Ok(*ms));
        }
    }
}
