//! Exact percentages: integers of a hundredth of a percent.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A share from 0% to 100% in basis points (0 to 10 000), written `25%` or `0.5%`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u16);

impl Percent {
    /// From basis points; `None` above 10 000.
    #[must_use]
    pub fn from_basis_points(points: u16) -> Option<Percent> {
        (points <= 10_000).then_some(Percent(points))
    }

    /// Hundredths of a percent, 0 to 10 000.
    #[must_use]
    pub const fn basis_points(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}%", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02}%"),
        }
    }
}

/// A text is not a percentage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct PercentError {
    text: String,
}

impl PercentError {
    fn no_sign(number: impl fmt::Display) -> Self {
        PercentError {
            text: alloc::format!("the percentage {number} has no percent sign; write {number}%"),
        }
    }
}

fn parse(text: &str) -> Option<Percent> {
    let number = text.strip_suffix('%')?;
    let (whole, part) = match number.split_once('.') {
        None => (number, "0"),
        Some((whole, part)) => (whole, part),
    };
    let digits = |text: &str, most: usize| {
        let plain = !text.is_empty() && text.len() <= most;
        plain && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole, 3) || !digits(part, 2) {
        return None;
    }
    // Three digits and two: 99 999 points at most, more than 16 bits hold.
    let part_points = part.parse::<u32>().ok()? * if part.len() == 1 { 10 } else { 1 };
    let points = whole.parse::<u32>().ok()? * 100 + part_points;
    Percent::from_basis_points(u16::try_from(points).ok()?)
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| {
            let short = text.len() <= 12;
            if short && text.parse::<f64>().is_ok_and(f64::is_finite) {
                PercentError::no_sign(text)
            } else {
                let text = text.chars().take(40).collect::<String>();
                PercentError {
                    text: alloc::format!(
                        "`{text}` is not a percentage; write 0% to 100% with at most two \
                         decimal places, such as `25%` or `0.5%`"
                    ),
                }
            }
        })
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Percent;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a percentage with its sign, such as `25%`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Percent, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Percent, E> {
                Err(E::custom(PercentError::no_sign(number)))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Percent, E> {
                Err(E::custom(PercentError::no_sign(number)))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_percentage_reads_back() {
        for points in 0..=10_000 {
            let percent = Percent::from_basis_points(points).unwrap();
            assert_eq!(percent.to_string().parse::<Percent>(), Ok(percent));
        }
        assert_eq!(Percent::from_basis_points(10_001), None);
    }

    #[test]
    fn only_exact_percentages_are_read() {
        let points = |text: &str| text.parse::<Percent>().map(Percent::basis_points).ok();
        assert_eq!(points("25%"), Some(2500));
        assert_eq!(points("0.5%"), Some(50));
        assert_eq!(points("12.34%"), Some(1234));
        assert_eq!(points("100%"), Some(10_000));
        for text in [
            "25", "", "%", "100.01%", "101%", "655.36%", "656%", "999.99%", "-5%", "+5%", "0.125%",
            ".5%", "5.%", "5 %", "1e1%",
        ] {
            assert_eq!(points(text), None, "{text}");
        }
        assert!(
            "25".parse::<Percent>()
                .unwrap_err()
                .to_string()
                .contains("write 25%")
        );
    }
}
