//! Numbers with their units, exact.

use core::fmt;

use super::decimal::Decimal;

/// What a unit measures. Only quantities of the same dimension can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// A number without unit.
    Number,
    /// A percentage.
    Percentage,
    /// A length of time.
    Time,
    /// A size in bytes.
    Size,
    /// So many per second or minute.
    Rate,
}

impl Dimension {
    /// With its article, as it stands in a sentence.
    #[must_use]
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Number => "a plain number",
            Self::Percentage => "a percentage",
            Self::Time => "a duration",
            Self::Size => "a size",
            Self::Rate => "a rate",
        }
    }

    /// What somebody could write.
    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::Number => "5",
            Self::Percentage => "1%",
            Self::Time => "500ms",
            Self::Size => "512MiB",
            Self::Rate => "10/s",
        }
    }

    /// The unit in which estimates of it are shown if the limit names none.
    pub(super) const fn shown_unit(self) -> Unit {
        match self {
            Self::Number => Unit::None,
            Self::Percentage => Unit::Percent,
            Self::Time => Unit::Milliseconds,
            Self::Size => Unit::Bytes,
            Self::Rate => Unit::PerSecond,
        }
    }
}

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident $text:literal $dimension:ident $per:literal;)*) => {
        /// A unit of a [`Quantity`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Unit {
            $($(#[$doc])* $name,)*
        }

        impl Unit {
            /// Every unit.
            pub const ALL: &[Unit] = &[$(Unit::$name),*];

            /// As it is written; empty for none.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Unit::$name => $text,)* }
            }

            /// What it measures.
            #[must_use]
            pub const fn dimension(self) -> Dimension {
                match self { $(Unit::$name => Dimension::$dimension,)* }
            }

            /// How many of the smallest unit of its dimension it holds: of one, one percent, one
            /// microsecond, one byte, one per minute.
            #[must_use]
            pub const fn smallest_units(self) -> u64 {
                match self { $(Unit::$name => $per,)* }
            }
        }
    };
}

units! {
    /// No unit.
    None "" Number 1;
    /// Hundredths.
    Percent "%" Percentage 1;
    /// Microseconds; also read as `µs`.
    Microseconds "us" Time 1;
    /// Milliseconds.
    Milliseconds "ms" Time 1_000;
    /// Seconds.
    Seconds "s" Time 1_000_000;
    /// Minutes.
    Minutes "m" Time 60_000_000;
    /// Bytes.
    Bytes "B" Size 1;
    /// 1000 bytes.
    Kilobytes "kB" Size 1_000;
    /// 1000² bytes.
    Megabytes "MB" Size 1_000_000;
    /// 1000³ bytes.
    Gigabytes "GB" Size 1_000_000_000;
    /// 1024 bytes.
    Kibibytes "KiB" Size 1_024;
    /// 1024² bytes.
    Mebibytes "MiB" Size 1_048_576;
    /// 1024³ bytes.
    Gibibytes "GiB" Size 1_073_741_824;
    /// Per second.
    PerSecond "/s" Rate 60;
    /// Per minute.
    PerMinute "/min" Rate 1;
}

impl Unit {
    pub(super) fn read(text: &str) -> Option<Unit> {
        let text = match text {
            "\u{b5}s" | "\u{3bc}s" => "us",
            text => text,
        };
        Unit::ALL
            .iter()
            .copied()
            .find(|unit| unit.as_str() == text && *unit != Unit::None)
    }

    /// The unit that somebody who wrote `text` most likely means.
    pub(super) fn meant(text: &str) -> Option<Unit> {
        let lower = text.to_ascii_lowercase();
        let same = Unit::ALL
            .iter()
            .find(|unit| **unit != Unit::None && unit.as_str().to_ascii_lowercase() == lower);
        let known = match lower.as_str() {
            "percent" | "pct" | "pc" => Unit::Percent,
            "micros" | "usec" | "microseconds" => Unit::Microseconds,
            "msec" | "msecs" | "millis" | "milliseconds" => Unit::Milliseconds,
            "sec" | "secs" | "second" | "seconds" => Unit::Seconds,
            "min" | "mins" | "minute" | "minutes" => Unit::Minutes,
            "byte" | "bytes" => Unit::Bytes,
            "k" => Unit::Kilobytes,
            "g" => Unit::Gigabytes,
            "ki" => Unit::Kibibytes,
            "mi" => Unit::Mebibytes,
            "gi" => Unit::Gibibytes,
            "rps" | "qps" | "hz" | "/sec" | "/second" | "ps" => Unit::PerSecond,
            "rpm" | "/m" | "/minute" | "/mins" => Unit::PerMinute,
            _ => return same.copied(),
        };
        Some(known)
    }
}

/// An exact number with its unit, such as `0.5%` or `800ms`.
///
/// Equal is what is written the same: `1s` and `1000ms` are two quantities of the same
/// [`size`](Quantity::size).
///
/// ```
/// use nonevent_analysis::bounds::{Decimal, Quantity, Unit};
/// let half = Decimal::from_millionths(500_000).expect("in range");
/// let quantity = Quantity { number: half, unit: Unit::Seconds };
/// assert_eq!(quantity.to_string(), "0.5s");
/// assert_eq!(quantity.value(), 500.0, "milliseconds");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quantity {
    /// How much.
    pub number: Decimal,
    /// Of what.
    pub unit: Unit,
}

impl Quantity {
    /// How much it is, in millionths of the smallest unit of its dimension, exact.
    #[must_use]
    pub fn size(self) -> u128 {
        u128::from(self.number.millionths()) * u128::from(self.unit.smallest_units())
    }

    /// The nearest float in the units of estimates: a share of 1 for percentages, milliseconds,
    /// bytes, per second, or the number itself.
    #[must_use]
    pub fn value(self) -> f64 {
        let smallest = self.size() as f64 / 1e6;
        match self.unit.dimension() {
            Dimension::Number | Dimension::Size => smallest,
            Dimension::Percentage => self.size() as f64 / 1e8,
            Dimension::Time => smallest / 1e3,
            Dimension::Rate => smallest / 60.0,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.number, self.unit.as_str())
    }
}
