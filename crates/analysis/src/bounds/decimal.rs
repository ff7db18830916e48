//! Exact decimal numbers, so that what a document says is what is compared and hashed.

use alloc::format;
use core::fmt;

/// The largest number that can be written: a million millions.
pub const DECIMAL_MAX: u64 = 1_000_000_000_000;

/// The most decimal places that count.
pub const DECIMAL_PLACES_MAX: usize = 6;

const MILLION: u64 = 1_000_000;

/// An exact number from 0 to [`DECIMAL_MAX`] with at most [`DECIMAL_PLACES_MAX`] decimal places.
///
/// Two equal numbers are the same value however they were written: `1.50` is `1.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(u64);

/// Why a text is no [`Decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecimalProblem {
    Range,
    Places,
}

impl Decimal {
    /// The number 1.
    pub const ONE: Decimal = Decimal(MILLION);

    /// From millionths; `None` above [`DECIMAL_MAX`].
    #[must_use]
    pub const fn from_millionths(millionths: u64) -> Option<Decimal> {
        if millionths > DECIMAL_MAX * MILLION {
            None
        } else {
            Some(Decimal(millionths))
        }
    }

    /// In millionths, exact; at most 10^18.
    #[must_use]
    pub const fn millionths(self) -> u64 {
        self.0
    }

    /// The nearest float, for arithmetic with estimates.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Reads ASCII digits, of which some may follow one point.
    pub(super) fn read(text: &str) -> Result<Decimal, DecimalProblem> {
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let places = places.trim_end_matches('0');
        if places.len() > DECIMAL_PLACES_MAX {
            return Err(DecimalProblem::Places);
        }
        let padded = format!("{places:0<6}");
        let read = |digits: &str| digits.parse::<u64>().map_err(|_| DecimalProblem::Range);
        let millionths = read(whole)?
            .checked_mul(MILLION)
            .and_then(|whole| whole.checked_add(padded.parse().ok()?))
            .ok_or(DecimalProblem::Range)?;
        Decimal::from_millionths(millionths).ok_or(DecimalProblem::Range)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / MILLION)?;
        match self.0 % MILLION {
            0 => Ok(()),
            places => write!(f, ".{}", format!("{places:06}").trim_end_matches('0')),
        }
    }
}
