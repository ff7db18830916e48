//! The numbers of a running ratio test, and how they are written down.

use alloc::string::String;
use core::fmt::Write as _;
use core::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::LEAST;
use super::law::{BOUND, RATIOS, Rates, Row, WAYS};

const ABOVE: usize = RATIOS - BOUND - 1;

/// Likelihoods relative to each other, and the rates that belong to them.
///
/// Written as the hexadecimal digits of their bits, so that a state that was written and read back
/// is the same state to the last bit, through every JSON library.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Numbers {
    /// For each way to burst and each ratio, if the ratio held from the start.
    pub(super) ways: [Row; WAYS],
    /// The same for the ratios above the bound, if they held from the start or from any later block.
    pub(super) above: [[f64; ABOVE]; WAYS],
    pub(super) rates: Rates,
}

impl Numbers {
    /// `now` is the weight of a ratio above the bound that holds from the start.
    pub(super) const fn new(now: f64) -> Self {
        Self {
            ways: [[1.0; RATIOS]; WAYS],
            above: [[now; ABOVE]; WAYS],
            rates: Rates::NONE,
        }
    }

    /// Multiplies each likelihood by that of a block, after moving the weight `later` to ratios that
    /// begin to hold with this block.
    pub(super) fn multiply(&mut self, factors: &[Row; WAYS], later: f64) {
        let mut greatest: f64 = 0.0;
        for ((way, above), factors) in self.ways.iter_mut().zip(&mut self.above).zip(factors) {
            let begun = later * way[BOUND];
            for (cell, factor) in above.iter_mut().zip(&factors[BOUND + 1..]) {
                *cell = (*cell + begun) * factor;
            }
            for (cell, factor) in way.iter_mut().zip(factors) {
                *cell *= factor;
                greatest = greatest.max(*cell);
            }
        }
        let scale = 1.0 / greatest.max(f64::MIN_POSITIVE);
        let ways = self.ways.iter_mut().flatten();
        for cell in ways.chain(self.above.iter_mut().flatten()) {
            *cell = (*cell * scale).clamp(LEAST, 1.0 / LEAST);
        }
    }

    fn all(&mut self) -> impl Iterator<Item = &mut f64> {
        let ways = self.ways.iter_mut().flatten();
        let above = self.above.iter_mut().flatten();
        ways.chain(above).chain(self.rates.numbers())
    }

    fn bits(&self) -> impl Iterator<Item = u64> {
        let mut copy = self.clone();
        let bits: alloc::vec::Vec<u64> = copy.all().map(|number| number.to_bits()).collect();
        bits.into_iter()
    }
}

/// No number is ever NaN.
impl Eq for Numbers {}

impl Hash for Numbers {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().for_each(|bits| bits.hash(state));
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        for bits in self.bits() {
            write!(text, "{bits:016x}").expect("writing to a string does not fail");
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong =
            || de::Error::custom("the numbers of a ratio test are 16 hexadecimal digits each");
        let mut numbers = Self::new(0.0);
        let mut digits = text.as_bytes().chunks(16);
        for number in numbers.all() {
            let word = digits
                .next()
                .and_then(|word| core::str::from_utf8(word).ok());
            let bits = word.filter(|word| word.len() == 16);
            let bits = bits.and_then(|word| u64::from_str_radix(word, 16).ok());
            *number = bits
                .map(f64::from_bits)
                .filter(|n| n.is_finite())
                .ok_or_else(wrong)?;
        }
        if digits.next().is_some() {
            return Err(wrong());
        }
        Ok(numbers)
    }
}
