//! A margin between two latency distributions.

/// How much slower than stable a canary may be: stable's latencies moved by this are what the
/// canary is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shift {
    /// Times this many millionths; 1 100 000 is 10 % slower. 0 counts as 1.
    Ppm(u64),
    /// So many microseconds later (earlier, if negative).
    Us(i64),
}

impl Shift {
    /// No margin.
    pub const NONE: Self = Self::Ppm(1_000_000);

    /// The largest latency that is at most `us` after the shift; below 0 if there is none.
    pub(crate) fn undone(self, us: u64) -> i128 {
        let us = i128::from(us);
        match self {
            Self::Ppm(ppm) => us * 1_000_000 / i128::from(ppm.max(1)),
            Self::Us(later) => us - i128::from(later),
        }
    }

    /// `us` after the shift, rounded down; below 0 for a shift to before 0.
    pub(crate) fn applied(self, us: u64) -> i128 {
        let us = i128::from(us);
        match self {
            // Saturates far beyond any latency.
            Self::Ppm(ppm) => us.saturating_mul(i128::from(ppm.max(1))) / 1_000_000,
            Self::Us(later) => us + i128::from(later),
        }
    }
}
