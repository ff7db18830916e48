//! Half-open intervals of time and their algebra: join, take away.

use alloc::vec::Vec;

/// From the first millisecond up to, and without, the second; Unix time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Interval {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Interval {
    pub(super) const fn new(start: i64, end: i64) -> Self {
        Interval { start, end }
    }

    /// The part within `other`, unless it is empty.
    pub(super) fn within(self, other: Interval) -> Option<Interval> {
        let part = Interval::new(self.start.max(other.start), self.end.min(other.end));
        (part.start < part.end).then_some(part)
    }

    pub(super) const fn contains(self, at: i64) -> bool {
        self.start <= at && at < self.end
    }
}

/// Sorts, and joins what overlaps or touches.
pub(super) fn join(intervals: &mut Vec<Interval>) {
    // The stable sort makes use of the order in which the days of a zone come.
    intervals.sort();
    intervals.dedup_by(|next, kept| {
        let joins = next.start <= kept.end;
        if joins {
            kept.end = kept.end.max(next.end);
        }
        joins
    });
}

/// What of `open` is not `shut`. Both must have been joined; the result is, too.
pub(super) fn without(open: &[Interval], shut: &[Interval]) -> Vec<Interval> {
    let mut left = Vec::with_capacity(open.len());
    let mut shut = shut.iter().peekable();
    for interval in open {
        let mut start = interval.start;
        while start < interval.end {
            match shut.peek() {
                Some(cut) if cut.end <= start => {
                    shut.next();
                }
                Some(cut) if cut.start < interval.end => {
                    if start < cut.start {
                        left.push(Interval::new(start, cut.start));
                    }
                    start = cut.end;
                }
                _ => {
                    left.push(Interval::new(start, interval.end));
                    start = interval.end;
                }
            }
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list() -> impl Strategy<Value = Vec<Interval>> {
        let interval = (0..60_i64, 1..12_i64).prop_map(|(at, len)| Interval::new(at, at + len));
        proptest::collection::vec(interval, 0..8)
    }

    fn holds(list: &[Interval], at: i64) -> bool {
        list.iter().any(|interval| interval.contains(at))
    }

    proptest! {
        #[test]
        fn the_algebra_is_that_of_sets(open in list(), shut in list()) {
            let (mut a, mut b) = (open.clone(), shut.clone());
            join(&mut a);
            join(&mut b);
            let left = without(&a, &b);
            prop_assert!(a.windows(2).all(|pair| pair[0].end < pair[1].start));
            prop_assert!(left.windows(2).all(|pair| pair[0].end < pair[1].start));
            for at in 0..80 {
                prop_assert_eq!(holds(&a, at), holds(&open, at));
                prop_assert_eq!(holds(&left, at), holds(&open, at) && !holds(&shut, at));
            }
        }
    }
}
