//! How likely a block of counts is: for each ratio of the two rates, and for each way they may
//! burst, with the common rate integrated out as the blocks come in.

use crate::special::{exp_each, ln_each, ln_gamma};

/// How many ratios are looked at.
pub(super) const RATIOS: usize = 10;
/// The ratios, as multiples of the bound: powers of √2. The last one stands for all that is far
/// beyond: without it, a stable version without any events is put down to bursts for too long.
pub(super) const MULTIPLES: [f64; RATIOS] = {
    const ROOT: f64 = core::f64::consts::SQRT_2;
    [
        0.5,
        ROOT / 2.0,
        1.0,
        ROOT,
        2.0,
        2.0 * ROOT,
        4.0,
        4.0 * ROOT,
        8.0,
        64.0,
    ]
};
/// Their logarithms, in units of ln √2.
const HALVES: [f64; RATIOS] = [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 12.0];
/// Which of them is the bound itself.
pub(super) const BOUND: usize = 2;
/// Coefficients of variation of bursts that hit both versions together…
const SHARED: [f64; 3] = [0.0, 0.5, 1.0];
/// …and of bursts that hit each by itself.
const OWN: [f64; 4] = [0.3, 0.6, 1.0, 1.5];
/// How likely any block is to be a shock: something that both versions depend on fails, by any
/// measure. Without it, such a block is explained best by one version's own burst and a ratio of the
/// rates.
const SHOCKS: f64 = 0.01;
/// Ways to burst: first the shared ones, then the others.
pub(super) const WAYS: usize = SHARED.len() + OWN.len();
/// ln Γ of their shapes, 1/c².
const LN_GAMMA_OWN: [f64; OWN.len()] = [
    15.366_303_804_668_924,
    0.498_130_063_502_145_95,
    0.0,
    0.689_587_614_192_281_5,
];
/// What stands for the infinite shape of a law without bursts.
const STEADY_SHAPE: f64 = 1e6;

/// A number for each ratio.
pub(super) type Row = [f64; RATIOS];

/// The shape 1/c² of a Gamma law with this coefficient of variation.
fn shape_of(spread: f64) -> f64 {
    if spread == 0.0 {
        STEADY_SHAPE
    } else {
        1.0 / (spread * spread)
    }
}

/// One block: events and requests of the canary and of stable.
pub(super) struct Case {
    canary: (f64, f64),
    stable: (f64, f64),
    /// Σ of events times ln of requests, the canary's multiplied by the bound.
    ln_exposed: f64,
}

impl Case {
    pub(super) fn new(bound: f64, canary: (f64, f64), stable: (f64, f64)) -> Self {
        let ln_exposed = canary.0 * libm::log(bound * canary.1) + stable.0 * libm::log(stable.1);
        Self {
            canary,
            stable,
            ln_exposed,
        }
    }
}

/// What is known of the rates under several hypotheses: their logarithms are about normal.
///
/// Each block moves a rate to where the block and what was known before agree best (two Newton
/// steps), and the probability of the block is Laplace's approximation of the integral over the
/// rate. The first block has only itself to go by, which is the prior 1/rate: the common scale of
/// both versions is given no weight of its own.
///
/// Plain loops over arrays, so that the compiler can do several hypotheses at once.
#[derive(Clone, Debug, PartialEq)]
struct Known<const N: usize> {
    rate: [f64; N],
    /// Of ln of the rate; 0 before the first block.
    precision: [f64; N],
}

/// ln of likelihoods.
struct Learnt<const N: usize> {
    ln: [f64; N],
}

impl<const N: usize> Known<N> {
    const NONE: Self = Self {
        rate: [0.0; N],
        precision: [0.0; N],
    };

    /// Learns from a block whose log-likelihood has this `shape` (slope, and curvature with its sign
    /// turned, over ln of the rate) at the rate of a hypothesis; `start` is where to look first.
    fn learn(&mut self, start: &[f64; N], shape: impl Fn(usize, f64) -> (f64, f64)) -> Learnt<N> {
        const STEP_MAX: f64 = 1.5;
        const STEPS: usize = 2;
        const STEPS_FRESH: usize = 6;
        let fresh = self.precision[0] == 0.0;
        if fresh {
            self.rate = *start;
        }
        // By how much the rate has moved, as a factor and, roughly, its logarithm.
        let (mut moved, mut away) = ([1.0; N], [0.0; N]);
        for _ in 0..if fresh { STEPS_FRESH } else { STEPS } {
            for i in 0..N {
                let (slope, curvature) = shape(i, self.rate[i] * moved[i]);
                let all = (curvature + self.precision[i]).max(f64::MIN_POSITIVE);
                let step = ((slope - self.precision[i] * away[i]) / all).clamp(-STEP_MAX, STEP_MAX);
                away[i] += step;
                // About e^step, and always positive.
                moved[i] *= (2.0 + step) / (2.0 - step);
            }
        }
        let away = ln_each(&moved);
        // What the integral makes of the likelihood at the new rate: the square of a factor…
        let mut square = [0.0; N];
        // …and ln of another.
        let mut ln = [0.0; N];
        for i in 0..N {
            self.rate[i] *= moved[i];
            let curvature = shape(i, self.rate[i]).1.max(1e-300);
            let before = self.precision[i];
            self.precision[i] += curvature;
            square[i] = if fresh {
                core::f64::consts::TAU / curvature
            } else {
                before / self.precision[i]
            };
            ln[i] = -0.5 * before * away[i] * away[i];
        }
        for (ln, square) in ln.iter_mut().zip(ln_each(&square)) {
            *ln += 0.5 * square;
        }
        Learnt { ln }
    }

    fn numbers(&mut self) -> impl Iterator<Item = &mut f64> {
        self.rate.iter_mut().chain(&mut self.precision)
    }
}

impl<const N: usize> Learnt<N> {
    fn highest(&self) -> f64 {
        self.ln.iter().copied().fold(f64::MIN, f64::max)
    }

    fn relative_to(&self, ln: f64) -> [f64; N] {
        exp_each(&self.ln.map(|own| own - ln))
    }
}

/// The rates under every ratio and way to burst, learnt from the blocks so far.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rates {
    shared: Known<{ SHARED.len() }>,
    own: [Known<RATIOS>; OWN.len()],
}

impl Rates {
    pub(super) const NONE: Self = Self {
        shared: Known::NONE,
        own: [const { Known::NONE }; OWN.len()],
    };

    /// All numbers in it, in a fixed order.
    pub(super) fn numbers(&mut self) -> impl Iterator<Item = &mut f64> {
        let own = self.own.iter_mut().flat_map(Known::numbers);
        self.shared.numbers().chain(own)
    }

    /// The probability of a block for each way to burst and each ratio, up to a common factor;
    /// learns from it what it says of the rates. Both versions have requests, and this or an earlier
    /// block has events.
    pub(super) fn learn(&mut self, bound: f64, case: &Case) -> [Row; WAYS] {
        let ratios = MULTIPLES.map(|multiple| multiple * bound);
        let totals = total(&mut self.shared, case);
        let mut known = self.own.iter_mut();
        let own: [_; OWN.len()] = core::array::from_fn(|way| {
            let known = known.next().expect("as many rates as ways to burst");
            burst(known, way, case, &ratios)
        });
        let (steady, split) = steady(case, &ratios);
        let shock = ln_shock(case) + split;
        let all = own.iter().map(Learnt::highest).fold(shock, f64::max);
        let all = all.max(totals.highest() + split);
        let shock = libm::exp(shock - all);
        let totals = totals.relative_to(all - split);
        let mut own = own.iter().map(|learnt| learnt.relative_to(all));
        core::array::from_fn(|way| {
            let mut row = match totals.get(way) {
                Some(total) => steady.map(|steady| steady * total),
                None => own.next().expect("the other ways to burst"),
            };
            for (cell, steady) in row.iter_mut().zip(&steady) {
                *cell += shock * steady;
            }
            row
        })
    }
}

/// The binomial law of the canary's events, given all, for each ratio: relative to the most likely
/// one, and ln of that one's. Bursts that hit both versions leave it as it is.
fn steady(case: &Case, ratios: &Row) -> (Row, f64) {
    let ((x, n1), (y, n0)) = (case.canary, case.stable);
    let odds = ratios.map(|ratio| n1 / n0 * ratio);
    let [hit, all] = [ln_each(&odds), ln_each(&odds.map(|odds| 1.0 + odds))];
    let mut ln: Row = core::array::from_fn(|row| x * hit[row] - (x + y) * all[row]);
    let highest = ln.iter().copied().fold(f64::MIN, f64::max);
    for ln in &mut ln {
        *ln -= highest;
    }
    (exp_each(&ln), highest)
}

/// ln of the probability that a block is a shock with as many events: any number of them is as likely
/// as any other. Without the factorials of each version's events, and without the split.
fn ln_shock(case: &Case) -> f64 {
    let (events, requests) = (case.canary.0 + case.stable.0, case.canary.1 + case.stable.1);
    libm::log(SHOCKS) + ln_gamma(events + 1.0) - libm::log(requests + 1.0)
}

/// The negative binomial law of the events of both versions together, for each way to burst
/// together. The factorials of each version's events, which all laws have in common, are left out.
fn total(known: &mut Known<{ SHARED.len() }>, case: &Case) -> Learnt<{ SHARED.len() }> {
    let (events, requests) = (case.canary.0 + case.stable.0, case.canary.1 + case.stable.1);
    let shapes = SHARED.map(shape_of);
    let start = [events.max(0.5) / requests; SHARED.len()];
    let mut learnt = known.learn(&start, |way, rate| {
        let (k, mean) = (shapes[way], requests * rate);
        let part = k / (k + mean);
        let slope = part * (events - mean);
        (slope, part * part * (events + k) * mean / k)
    });
    for ((ln, rate), k) in learnt.ln.iter_mut().zip(&known.rate).zip(shapes) {
        let mean = requests * rate / k;
        *ln += ln_gamma(events + k) - ln_gamma(k) + events * libm::log(mean)
            - (events + k) * libm::log1p(mean);
    }
    learnt
}

/// Two negative binomial laws of the same shape: each version bursts by itself.
fn burst(known: &mut Known<RATIOS>, way: usize, case: &Case, ratios: &Row) -> Learnt<RATIOS> {
    let k = shape_of(OWN[way]);
    let ((x, n1), (y, n0)) = (case.canary, case.stable);
    let exposed = ratios.map(|ratio| n1 * ratio);
    let start = exposed.map(|exposed| (x + y).max(0.5) / (exposed + n0));
    let mut learnt = known.learn(&start, |row, rate| {
        let (m1, m0) = (exposed[row] * rate, n0 * rate);
        let (r1, r0) = (1.0 / (k + m1), 1.0 / (k + m0));
        let slope = k * ((x - m1) * r1 + (y - m0) * r0);
        let curvature = k * ((x + k) * m1 * r1 * r1 + (y + k) * m0 * r0 * r0);
        (slope, curvature)
    });
    let canary: Row = core::array::from_fn(|row| k + exposed[row] * known.rate[row]);
    let stable = known.rate.map(|rate| k + n0 * rate);
    let [canary, stable, rate] = [ln_each(&canary), ln_each(&stable), ln_each(&known.rate)];
    let same = ln_gamma(x + k) + ln_gamma(y + k) - 2.0 * LN_GAMMA_OWN[way]
        + 2.0 * k * libm::log(k)
        + case.ln_exposed;
    for row in 0..RATIOS {
        learnt.ln[row] +=
            same + x * HALVES[row] * (core::f64::consts::LN_2 / 2.0) + (x + y) * rate[row]
                - (x + k) * canary[row]
                - (y + k) * stable[row];
    }
    learnt
}

#[cfg(test)]
mod tests {
    use super::{LN_GAMMA_OWN, OWN, shape_of};

    #[test]
    fn the_constants_are_what_they_say() {
        for (spread, ln_gamma) in OWN.into_iter().zip(LN_GAMMA_OWN) {
            let exact = libm::lgamma(shape_of(spread));
            assert!((ln_gamma - exact).abs() < 1e-13, "{spread}: {exact:?}");
        }
    }
}
