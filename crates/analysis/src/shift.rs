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
        match self {
            Self::Ppm(ppm) => scaled(us, 1_000_000, ppm.max(1)),
            Self::Us(later) => i128::from(us) - i128::from(later),
        }
    }

    /// `us` after the shift, rounded down; below 0 for a shift to before 0.
    pub(crate) fn applied(self, us: u64) -> i128 {
        match self {
            Self::Ppm(ppm) => scaled(us, ppm.max(1), 1_000_000),
            Self::Us(later) => i128::from(us) + i128::from(later),
        }
    }
}

/// `us`·`times`/`of`, rounded down. Wide arithmetic is slow and rarely needed; it saturates far
/// beyond any latency.
fn scaled(us: u64, times: u64, of: u64) -> i128 {
    if times == of {
        return i128::from(us);
    }
    match us.checked_mul(times) {
        Some(product) => i128::from(product / of),
        None => i128::from(us).saturating_mul(i128::from(times)) / i128::from(of),
    }
}
