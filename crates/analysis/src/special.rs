//! Special functions, in log space, the same on every machine (`libm`).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// ln Γ(x) for x > 0.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ln B(a, b) for a, b > 0.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// ln Σ e^x; negative infinity for an empty sum.
pub(crate) fn ln_sum(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let high = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if !high.is_finite() {
        return high;
    }
    high + libm::log(terms.map(|term| libm::exp(term - high)).sum::<f64>())
}

/// The standard normal distribution function.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / core::f64::consts::SQRT_2)
}

/// `e^x` cut off at 10^300, so that a figure stays finite and can be written as JSON.
pub(crate) fn exp_capped(x: f64) -> f64 {
    if x.is_nan() {
        0.0
    } else {
        libm::exp(x.min(690.775))
    }
}

/// ln of a weighted mean of numbers that are given by their ln.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LnMean {
    highest: f64,
    /// Of weights times e^(ln − highest).
    sum: f64,
    weights: f64,
}

impl Default for LnMean {
    fn default() -> Self {
        Self {
            highest: f64::MIN,
            sum: 0.0,
            weights: 0.0,
        }
    }
}

impl LnMean {
    pub(crate) fn add(&mut self, weight: f64, ln: f64) {
        if ln > self.highest {
            self.sum *= libm::exp(self.highest - ln);
            self.highest = ln;
        }
        self.sum += weight * libm::exp(ln - self.highest);
        self.weights += weight;
    }

    /// 0 of nothing at all: no evidence either way.
    pub(crate) fn ln(&self) -> f64 {
        if self.weights > 0.0 {
            self.highest + libm::log(self.sum / self.weights)
        } else {
            0.0
        }
    }
}

/// Accumulated log-evidence, in millionths of a nat.
///
/// An integer, so that a state that was written and read back is the same state to the last bit,
/// on every machine and through every JSON library. Stops at ±2^53, the largest integer that JSON
/// carries safely: a thousand million nats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Nats(i64);

impl Nats {
    const LIMIT: i64 = 1 << 53;

    pub(crate) fn of(nats: f64) -> Self {
        let mut all = Self::default();
        all.add(nats);
        all
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float saturates, and NaN becomes 0"
    )]
    pub(crate) fn add(&mut self, nats: f64) {
        let step = libm::round(nats * 1e6) as i64;
        self.0 = self.0.saturating_add(step).clamp(-Self::LIMIT, Self::LIMIT);
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to 2^53, which is the limit"
    )]
    pub(crate) fn get(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

/// A finite float in a state.
///
/// Written as the hexadecimal digits of its bits, so that it is the same to the last bit through
/// every JSON library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bits(u64);

impl Bits {
    pub(crate) const fn of(value: f64) -> Self {
        Self(value.to_bits())
    }

    pub(crate) const fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl Serialize for Bits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = alloc::string::String::deserialize(deserializer)?;
        let bits = Some(text).filter(|text| text.len() == 16);
        bits.and_then(|text| u64::from_str_radix(&text, 16).ok())
            .map(Self)
            .filter(|bits| bits.get().is_finite())
            .ok_or_else(|| de::Error::custom("a finite number is 16 hexadecimal digits"))
    }
}

/// A positive number in whole millionths, at least one; NaN gives `otherwise`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "brought into range before"
)]
pub(crate) fn millionths(value: f64, low: f64, high: f64, otherwise: f64) -> u64 {
    let value = if value.is_nan() {
        otherwise
    } else {
        value.clamp(low, high)
    };
    (libm::round(value * 1e6) as u64).max(1)
}

/// A count as a float; exact up to 2^53, rounded beyond.
#[expect(
    clippy::cast_precision_loss,
    reason = "rounded beyond 2^53, which is documented"
)]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

/// How often counts of this size are halved before the logarithm of a likelihood is taken of them.
///
/// It is about as large as the count, and is made of terms that nearly cancel: beyond 2^36 its last
/// digits, which tell everything, begin to be lost, and at 2^50 nothing else is left. Counts that
/// are halved together say the same, with less weight.
pub(crate) const fn halvings(count: u64) -> u32 {
    (u64::BITS - count.leading_zeros()).saturating_sub(36)
}

/// ln of the regularised incomplete beta function I_x(a, b), by its continued fraction
/// (Press et al., Numerical Recipes, 3rd edition, section 6.4).
pub(crate) fn ln_beta_regularized(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if x >= 1.0 {
        return 0.0;
    }
    let front = a * libm::log(x) + b * libm::log1p(-x) - ln_beta(a, b);
    if x < (a + 1.0) / (a + b + 2.0) {
        front - libm::log(a) + libm::log(beta_fraction(a, b, x))
    } else {
        let other = front - libm::log(b) + libm::log(beta_fraction(b, a, 1.0 - x));
        // ln(1 - e^other)
        libm::log1p(-libm::exp(other.min(0.0)))
    }
}

/// The continued fraction of the incomplete beta function, by the forward recurrence of its
/// numerators and denominators, scaled to a denominator of 1 each round: less than half the
/// divisions of Lentz's method, and on x < (a + 1) / (a + b + 2) as stable.
pub(crate) fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut before = [1.0, 1.0];
    let mut fraction = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    before[0] *= fraction;
    before[1] *= fraction;
    // Needs about sqrt(max(a, b)) rounds; beyond the limit the last value is near enough.
    for round in 1..20_000 {
        let m = f64::from(round);
        let end = a + 2.0 * m;
        let even = m * (b - m) * x / ((end - 1.0) * end);
        let odd = -(a + m) * (a + b + m) * x / (end * (end + 1.0));
        let [above, below] = [fraction + even * before[0], 1.0 + even * before[1]];
        let scale = 1.0 / away_from_zero(below + odd);
        let next = (above + odd * fraction) * scale;
        before = [above * scale, below * scale];
        let still = (next - fraction).abs() < 1e-15 * next.abs();
        fraction = next;
        if still {
            break;
        }
    }
    fraction
}

/// `e^x` of each, to 14 digits; below −700 as good as none, above 700 cut off.
///
/// Without branches, so that the compiler does several at once: `libm`, one after another, was
/// most of what the ratio test cost. Cody and Waite's reduction, and Taylor's polynomial to the
/// twelfth power on ±ln 2 / 2.
pub(crate) fn exp_each<const N: usize>(x: &[f64; N]) -> [f64; N] {
    // Added and taken away again, it rounds to an integer, which then stands in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    /// 1/12!, …, 1/1!, 1/0!.
    const COEFFICIENTS: [f64; 13] = {
        let mut coefficients = [1.0; 13];
        let mut power = 11;
        loop {
            coefficients[power] = coefficients[power + 1] / float(12 - power as u64);
            if power == 0 {
                break coefficients;
            }
            power -= 1;
        }
    };
    let mut values = [0.0; N];
    for (value, x) in values.iter_mut().zip(x) {
        let x = x.clamp(-700.0, 700.0);
        let shifted = x * core::f64::consts::LOG2_E + ROUND;
        let whole = shifted - ROUND;
        let rest = x - whole * LN_2_HIGH - whole * LN_2_LOW;
        let mut sum = 0.0;
        for coefficient in COEFFICIENTS {
            sum = sum * rest + coefficient;
        }
        let exponent = shifted.to_bits().wrapping_add(1023) << 52;
        *value = sum * f64::from_bits(exponent);
    }
    values
}

/// ln of each of these positive, normal numbers, to 13 digits. Without branches, as [`exp_each`];
/// the series of artanh around 1.
pub(crate) fn ln_each<const N: usize>(x: &[f64; N]) -> [f64; N] {
    // The bits of √½: what is left of the number after its power of two lies around 1.
    const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    /// 2^52: added to an integer below it, it makes a float of it.
    const SHIFT: f64 = 4_503_599_627_370_496.0;
    /// 1/19, 1/17, …, 1/3, 1.
    const COEFFICIENTS: [f64; 10] = [
        1.0 / 19.0,
        1.0 / 17.0,
        1.0 / 15.0,
        1.0 / 13.0,
        1.0 / 11.0,
        1.0 / 9.0,
        1.0 / 7.0,
        1.0 / 5.0,
        1.0 / 3.0,
        1.0,
    ];
    let mut values = [0.0; N];
    for (value, x) in values.iter_mut().zip(x) {
        let above = x.to_bits().wrapping_sub(ROOT_HALF);
        let exponent = above.wrapping_add(1023 << 52) >> 52;
        let power = f64::from_bits(exponent | SHIFT.to_bits()) - SHIFT - 1023.0;
        let mantissa = (above & 0x000f_ffff_ffff_ffff).wrapping_add(ROOT_HALF);
        let rest = f64::from_bits(mantissa) - 1.0;
        let s = rest / (2.0 + rest);
        let z = s * s;
        let mut sum = 0.0;
        for coefficient in COEFFICIENTS {
            sum = sum * z + coefficient;
        }
        *value = power * core::f64::consts::LN_2 + 2.0 * s * sum;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::{exp_each, ln_each};

    #[test]
    fn exp_and_ln_are_those_of_libm() {
        for step in -2_000..2_000 {
            let x = f64::from(step) * 0.3499;
            let [ours] = exp_each(&[x]);
            assert!((ours / libm::exp(x) - 1.0).abs() < 1e-14, "{x}: {ours}");
            let [back] = ln_each(&[ours]);
            let expected = libm::log(ours);
            assert!(
                (back - expected).abs() <= 1e-13 * expected.abs().max(1.0),
                "{x}: {back}"
            );
        }
        for x in [
            1.0,
            0.707,
            0.7072,
            1.414,
            1.4143,
            2.0,
            1e-300,
            1e300,
            1.0 + 1e-12,
        ] {
            let [ln] = ln_each(&[x]);
            assert!(
                (ln - libm::log(x)).abs() <= 1e-13 * libm::log(x).abs().max(1e-3),
                "{x}: {ln}"
            );
        }
        assert!(exp_each(&[-1e9])[0] < 1e-300);
        assert!(exp_each(&[f64::INFINITY])[0].is_finite());
    }
}
