//! Which lines of two pages are the same.
//!
//! Items are known by their ids, other lines by their text. Lines that occur once on both sides
//! are paired first, in order (patience diff); between them the longest common subsequence decides.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::print::Print;

/// The largest table that is filled in to find a longest common subsequence, in cells; longer
/// stretches without a single line in common are taken for different.
const CELLS_MAX: usize = 1 << 18;
/// How often a stretch is looked through for lines that occur once.
const DEPTH_MAX: u32 = 8;

/// For each line of `old` the line of `new` that it is, at most one each; in order, but for items
/// that stand elsewhere now, with the lines under them.
pub(crate) fn align(old: &[Print], new: &[Print]) -> Vec<Option<usize>> {
    let mut aligner = Aligner {
        old,
        new,
        pairs: vec![None; old.len()],
    };
    aligner.between(0..old.len(), 0..new.len(), DEPTH_MAX);
    aligner.moved();
    aligner.pairs
}

struct Aligner<'a> {
    old: &'a [Print],
    new: &'a [Print],
    pairs: Vec<Option<usize>>,
}

impl Aligner<'_> {
    fn same(&self, old: usize, new: usize) -> bool {
        match (self.old.get(old), self.new.get(new)) {
            (Some(old), Some(new)) => old.is_same_item(*new),
            _ => false,
        }
    }

    fn pair(&mut self, old: usize, new: usize) {
        if let Some(slot) = self.pairs.get_mut(old) {
            *slot = Some(new);
        }
    }

    fn between(&mut self, mut old: Range<usize>, mut new: Range<usize>, depth: u32) {
        while !old.is_empty() && !new.is_empty() && self.same(old.start, new.start) {
            self.pair(old.start, new.start);
            old.start += 1;
            new.start += 1;
        }
        while !old.is_empty() && !new.is_empty() && self.same(old.end - 1, new.end - 1) {
            old.end -= 1;
            new.end -= 1;
            self.pair(old.end, new.end);
        }
        if old.is_empty() || new.is_empty() {
            return;
        }
        let anchors = if depth > 0 {
            self.anchors(old.clone(), new.clone())
        } else {
            Vec::new()
        };
        if anchors.is_empty() {
            self.common(old, new);
            return;
        }
        for (at_old, at_new) in anchors {
            self.between(old.start..at_old, new.start..at_new, depth - 1);
            self.pair(at_old, at_new);
            old.start = at_old + 1;
            new.start = at_new + 1;
        }
        self.between(old, new, depth - 1);
    }

    /// Lines that occur once on both sides, as many as stand in the same order.
    fn anchors(&self, old: Range<usize>, new: Range<usize>) -> Vec<(usize, usize)> {
        let mut seen: BTreeMap<(bool, u32), [(u32, usize); 2]> = BTreeMap::new();
        for (side, range, prints) in [(0, old, self.old), (1, new, self.new)] {
            for at in range {
                let Some(print) = prints.get(at).filter(|print| !print.is_blank()) else {
                    continue;
                };
                let key = print.id.map_or((false, print.text), |id| (true, id));
                let slot = &mut seen.entry(key).or_default()[side];
                *slot = (slot.0 + 1, at);
            }
        }
        let mut once: Vec<(usize, usize)> = seen
            .into_values()
            .filter(|[old, new]| old.0 == 1 && new.0 == 1)
            .map(|[old, new]| (old.1, new.1))
            .collect();
        once.sort_unstable();
        in_order(&once)
    }

    /// The longest common subsequence of a short stretch.
    fn common(&mut self, old: Range<usize>, new: Range<usize>) {
        let (height, width) = (old.len() + 1, new.len() + 1);
        if height.saturating_mul(width) > CELLS_MAX {
            return;
        }
        // Cell (i, j): how many lines are common from old i and new j on.
        let mut cells = vec![0u16; height * width];
        for i in (0..old.len()).rev() {
            for j in (0..new.len()).rev() {
                let here = i * width + j;
                cells[here] = if self.same(old.start + i, new.start + j) {
                    cells[here + width + 1].saturating_add(1)
                } else {
                    cells[here + 1].max(cells[here + width])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < old.len() && j < new.len() {
            let here = i * width + j;
            if self.same(old.start + i, new.start + j) {
                self.pair(old.start + i, new.start + j);
                i += 1;
                j += 1;
            } else if cells[here + 1] >= cells[here + width] {
                j += 1;
            } else {
                i += 1;
            }
        }
    }

    /// Items that have gone to another place, each with the lines that follow it there as here.
    fn moved(&mut self) {
        let mut taken = vec![false; self.new.len()];
        for at in self.pairs.iter().flatten() {
            taken[*at] = true;
        }
        let mut free: BTreeMap<u32, usize> = BTreeMap::new();
        for (at, print) in self.new.iter().enumerate().rev() {
            if let Some(id) = print.id.filter(|_| !taken[at]) {
                free.insert(id, at);
            }
        }
        for start in 0..self.old.len() {
            if self.pairs[start].is_some() {
                continue;
            }
            let Some(mut there) = self.old[start].id.and_then(|id| free.remove(&id)) else {
                continue;
            };
            let mut here = start;
            loop {
                self.pairs[here] = Some(there);
                taken[there] = true;
                (here, there) = (here + 1, there + 1);
                let goes_on = here < self.old.len()
                    && self.pairs[here].is_none()
                    && taken.get(there) == Some(&false)
                    && self.old[here].id.is_none()
                    && self.same(here, there);
                if !goes_on {
                    break;
                }
            }
        }
    }
}

/// The longest run of pairs that rise on both sides; `pairs` rise on the first.
fn in_order(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The last pair of the best run of each length, and what comes before each pair in its run.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (at, (_, new)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *new);
        before.push(length.checked_sub(1).map(|last| ends[last]));
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut run = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(at) = next {
        run.push(pairs[at]);
        next = before[at];
    }
    run.reverse();
    run
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::align;
    use crate::print::{Print, lines};

    fn check(old: &str, new: &str, expected: &[Option<usize>]) {
        let prints = |text: &str| -> Vec<Print> {
            let text = text.replace(' ', "\n");
            lines(&text).iter().map(|line| line.print).collect()
        };
        assert_eq!(align(&prints(old), &prints(new)), expected, "{old} | {new}");
    }

    #[test]
    fn lines_are_paired_in_order() {
        check("a b c", "a b c", &[Some(0), Some(1), Some(2)]);
        check("a b c", "a x c", &[Some(0), None, Some(2)]);
        check("a a b", "a b", &[Some(0), None, Some(1)]);
        check("a b a b", "b a b a", &[Some(1), Some(2), Some(3), None]);
        check("a b c", "", &[None, None, None]);
        check("", "a", &[]);
    }

    #[test]
    fn items_are_found_wherever_they_went() {
        let item = |id: &str| alloc::format!("{id}\u{a0}<!--\u{a0}id:{id}\u{a0}-->");
        let (a, b) = (item("a"), item("b"));
        let old = alloc::format!("{a} x {b} y");
        let new = alloc::format!("{b} y {a} x");
        let pairs = lines(&old.replace(' ', "\n").replace('\u{a0}', " "))
            .iter()
            .map(|line| line.print)
            .collect::<Vec<_>>();
        let there = lines(&new.replace(' ', "\n").replace('\u{a0}', " "))
            .iter()
            .map(|line| line.print)
            .collect::<Vec<_>>();
        let mut found: Vec<usize> = align(&pairs, &there).into_iter().flatten().collect();
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2, 3]);
    }
}
