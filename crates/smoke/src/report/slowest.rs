//! The slowest tests of a run.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

/// Keeps what took longest, at most so many.
#[derive(Debug)]
pub(crate) struct Slowest<T> {
    most: usize,
    /// The fastest of them on top. Of equals the earlier one stays.
    kept: BinaryHeap<Reverse<(u64, Reverse<u64>, T)>>,
    offered: u64,
}

impl<T: Ord> Slowest<T> {
    pub(crate) fn new(most: usize) -> Slowest<T> {
        Slowest {
            most,
            kept: BinaryHeap::new(),
            offered: 0,
        }
    }

    /// Takes what `make` makes if it is among the slowest.
    pub(crate) fn offer(&mut self, us: u64, make: impl FnOnce() -> T) {
        self.offered += 1;
        if self.kept.len() >= self.most {
            let fastest = self.kept.peek().map(|Reverse((us, _, _))| *us);
            if fastest.is_none_or(|fastest| us <= fastest) {
                return;
            }
            self.kept.pop();
        }
        let item = (us, Reverse(self.offered), make());
        self.kept.push(Reverse(item));
    }

    /// The slowest first.
    pub(crate) fn take(&mut self) -> Vec<(u64, T)> {
        let kept = core::mem::take(&mut self.kept).into_sorted_vec();
        let sorted = kept.into_iter();
        sorted.map(|Reverse((us, _, value))| (us, value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Slowest;

    #[test]
    fn the_slowest_are_kept_and_come_first() {
        let mut slowest = Slowest::new(3);
        for (at, us) in [5, 9, 1, 9, 7, 2].into_iter().enumerate() {
            slowest.offer(us, || at);
        }
        assert_eq!(slowest.take(), [(9, 1), (9, 3), (7, 4)]);
        let mut none = Slowest::new(0);
        none.offer(1, || ());
        assert!(none.take().is_empty());
    }
}
