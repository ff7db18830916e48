//! What a number on an axis means, and which numbers make good ticks.

use alloc::format;
use alloc::string::{String, ToString};

/// The unit of an axis's integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Things, such as requests.
    Count,
    /// Hundredths of a percent: 10 000 is shown as 100%.
    BasisPoints,
    /// Millionths: 1 000 000 is shown as 100%.
    PartsPerMillion,
    /// Milliseconds, shown as 250ms, 2.5s or 1m30s.
    Milliseconds,
}

/// Milliseconds that people count time in.
const TIME_STEPS: [i64; 18] = [
    1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
    1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000,
];

impl Unit {
    /// A value for people.
    #[must_use]
    pub fn label(self, value: i64) -> String {
        match self {
            Unit::Count => value.to_string(),
            Unit::BasisPoints => decimal(value, 100) + "%",
            Unit::PartsPerMillion => decimal(value, 10_000) + "%",
            Unit::Milliseconds => time(value),
        }
    }

    /// The distance of ticks, so that at most `most` of them span `range`.
    pub(super) fn step(self, range: i64, most: i64) -> i64 {
        let enough = |step: &i64| range / step.max(&1) < most;
        if self == Unit::Milliseconds
            && range > 5000
            && let Some(step) = TIME_STEPS.iter().copied().find(enough)
        {
            return step;
        }
        let day = 86_400_000;
        let mut power = if self == Unit::Milliseconds && range > day {
            day
        } else {
            1_i64
        };
        loop {
            for factor in [1, 2, 5] {
                let step = power.saturating_mul(factor);
                if enough(&step) {
                    return step;
                }
            }
            power = power.saturating_mul(10);
        }
    }

    /// The top of an axis whose values are all 0.
    pub(super) fn least_top(self) -> i64 {
        match self {
            Unit::Count => 5,
            Unit::BasisPoints => 100,
            Unit::PartsPerMillion => 10_000,
            Unit::Milliseconds => 10,
        }
    }
}

/// `value / scale` without trailing zeros; `scale` is a power of ten.
fn decimal(value: i64, scale: u64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let magnitude = value.unsigned_abs();
    let places = scale.ilog10() as usize;
    let fraction = format!("{:0places$}", magnitude % scale);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", magnitude / scale)
}

fn time(ms: i64) -> String {
    let mut out = String::from(if ms < 0 { "-" } else { "" });
    let mut rest = ms.unsigned_abs();
    if rest < 1000 {
        return out
            + &if rest == 0 {
                "0s".to_string()
            } else {
                format!("{rest}ms")
            };
    }
    for (unit, per_unit) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)] {
        if rest >= per_unit {
            out.push_str(&format!("{}{unit}", rest / per_unit));
            rest %= per_unit;
        }
    }
    if rest > 0 {
        let seconds = i64::try_from(rest).unwrap_or_default();
        out.push_str(&format!("{}s", decimal(seconds, 1000)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        let cases = [
            (Unit::Count, -12, "-12"),
            (Unit::BasisPoints, 10_000, "100%"),
            (Unit::BasisPoints, 50, "0.5%"),
            (Unit::BasisPoints, -1, "-0.01%"),
            (Unit::PartsPerMillion, 12_500, "1.25%"),
            (Unit::Milliseconds, 0, "0s"),
            (Unit::Milliseconds, 250, "250ms"),
            (Unit::Milliseconds, 2500, "2.5s"),
            (Unit::Milliseconds, 90_000, "1m30s"),
            (Unit::Milliseconds, 93_600_000, "1d2h"),
        ];
        for (unit, value, expected) in cases {
            assert_eq!(unit.label(value), expected);
        }
    }

    #[test]
    fn ticks_are_few_and_round() {
        let cases = [
            (Unit::Count, 7, 5, 2),
            (Unit::Count, 1000, 5, 500),
            (Unit::Milliseconds, 48_000, 8, 10_000),
            (Unit::Milliseconds, 300, 5, 100),
            (Unit::Milliseconds, 7_200_000, 8, 1_800_000),
            (Unit::Milliseconds, 30 * 86_400_000, 8, 5 * 86_400_000),
        ];
        for (unit, range, most, expected) in cases {
            assert_eq!(unit.step(range, most), expected, "{unit:?} {range}");
        }
        for unit in [
            Unit::Count,
            Unit::BasisPoints,
            Unit::PartsPerMillion,
            Unit::Milliseconds,
        ] {
            assert!(i64::MAX / unit.step(i64::MAX, 6) < 6);
            assert!(unit.step(0, 6) > 0);
        }
    }
}
