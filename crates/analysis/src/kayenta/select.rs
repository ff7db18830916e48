//! Order statistics of all pairwise differences of two sorted samples, without writing them down.

use alloc::vec::Vec;

use crate::special::float;

/// So few differences are gathered and selected from; as long as there are more, they are narrowed.
const GATHERED_MAX: usize = 96;
/// Rounds of narrowing by secants; what then is left is bisected.
const SECANT_ROUNDS: u32 = 8;

/// The m·n differences x − y of two ascending, finite, not empty samples.
pub(super) struct Differences<'a> {
    pub(super) experiment: &'a [f64],
    pub(super) control: &'a [f64],
    pub(super) gathered: &'a mut Vec<f64>,
}

/// How the differences lie around a number.
struct Split {
    /// How many do not exceed it.
    up_to: usize,
    /// The greatest of these.
    last: f64,
    /// The least of the others.
    next: f64,
}

/// Where a difference is expected, and by how much differences grow from rank to rank there.
#[derive(Clone, Copy)]
pub(super) struct Hint {
    value: f64,
    slope: f64,
}

impl Hint {
    /// The place that is `ranks` lower.
    pub(super) fn below(self, ranks: usize) -> Self {
        let value = self.value - self.slope * float(ranks as u64);
        Self { value, ..self }
    }

    /// The place that is `ranks` higher.
    pub(super) fn above(self, ranks: usize) -> Self {
        let value = self.value + self.slope * float(ranks as u64);
        Self { value, ..self }
    }
}

impl Differences<'_> {
    pub(super) fn pairs(&self) -> usize {
        self.experiment.len() * self.control.len()
    }

    fn range(&self) -> (f64, f64) {
        let ends = |samples: &[f64]| {
            let first = samples.first().copied().unwrap_or(0.0);
            (first, samples.last().copied().unwrap_or(first))
        };
        let (experiment, control) = (ends(self.experiment), ends(self.control));
        (experiment.0 - control.1, experiment.1 - control.0)
    }

    /// Where the median is likely to be.
    pub(super) fn middle_hint(&self) -> Hint {
        let middle = |samples: &[f64]| samples.get(samples.len() / 2).copied().unwrap_or(0.0);
        let (low, high) = self.range();
        Hint {
            value: middle(self.experiment) - middle(self.control),
            // In the middle they are denser than on the whole: for normal samples about so much.
            slope: 0.4 * (high - low) / float(self.pairs() as u64),
        }
    }

    /// The difference of the given rank, from 1 to m·n, and what was learnt for others near it.
    ///
    /// Narrows the range that the difference is in by counting, m + n steps a time, until few are
    /// left. However the samples lie, at most 8 + 64 times.
    pub(super) fn select(&mut self, rank: usize, hint: Hint) -> (f64, Hint) {
        let (mut low, mut high) = self.range();
        let (mut below, mut up_to) = (0, self.pairs());
        let mut guess = hint.value;
        let mut slope = hint.slope;
        let mut round = 0;
        // Both ends are differences, so that equal ones end this as soon as they are alone.
        while low < high && up_to - below > GATHERED_MAX {
            if round >= SECANT_ROUNDS {
                guess = unkey(u64::midpoint(key(low), key(high)));
            }
            if !(low..high).contains(&guess) {
                guess = if guess < low { low } else { before(high) };
            }
            let split = self.split(guess);
            // Aims a little beyond the rank, so that it comes to lie between two near guesses.
            let aim = if split.up_to >= rank {
                (high, up_to) = (split.last, split.up_to);
                float(rank as u64) - 0.3 * float(GATHERED_MAX as u64)
            } else {
                (low, below) = (split.next, split.up_to);
                float(rank as u64) + 0.3 * float(GATHERED_MAX as u64)
            };
            if round > 0 {
                slope = (high - low) / float((up_to - below).max(1) as u64);
            }
            guess += slope * (aim - float(split.up_to as u64));
            round += 1;
        }
        let value = if low < high {
            self.gather(low, high);
            let index = (rank - below - 1).min(self.gathered.len().saturating_sub(1));
            *self
                .gathered
                .select_nth_unstable_by(index, f64::total_cmp)
                .1
        } else {
            low
        };
        (value, Hint { value, slope })
    }

    /// The difference of rank + 1, if `value` is that of `rank`.
    pub(super) fn after(&self, rank: usize, value: f64) -> f64 {
        let split = self.split(value);
        if split.up_to > rank {
            value
        } else {
            split.next
        }
    }

    fn split(&self, at: f64) -> Split {
        let (mut first, mut up_to) = (0, 0);
        let (mut last, mut next) = (f64::NEG_INFINITY, f64::INFINITY);
        for x in self.experiment {
            while let Some(y) = self.control.get(first)
                && x - y > at
            {
                first += 1;
            }
            up_to += self.control.len() - first;
            // The neighbours in this row: rounding keeps the order.
            if let Some(y) = self.control.get(first) {
                last = last.max(x - y);
            }
            if let Some(y) = first.checked_sub(1).and_then(|j| self.control.get(j)) {
                next = next.min(x - y);
            }
        }
        Split { up_to, last, next }
    }

    /// Writes down the differences from `low` to `high`.
    fn gather(&mut self, low: f64, high: f64) {
        self.gathered.clear();
        let mut first = 0;
        for x in self.experiment {
            while self.control.get(first).is_some_and(|y| x - y > high) {
                first += 1;
            }
            let row = self.control.iter().skip(first).map(|y| x - y);
            self.gathered
                .extend(row.take_while(|difference| *difference >= low));
        }
    }
}

/// The greatest number below a finite one.
fn before(number: f64) -> f64 {
    // Both zeros have the same neighbour.
    unkey(key(if number == 0.0 { -0.0 } else { number }) - 1)
}

/// Numbers as integers in the same order.
fn key(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    }
}

fn unkey(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key ^ 1 << 63 } else { !key })
}
