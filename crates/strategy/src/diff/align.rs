//! Which step of the new plan is which of the old.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use nonevent_router::{Arm, Split};

use crate::plan::{Action, SmokeTarget, Step, SuiteMoment, Task, WatchKind};

/// Cells that the comparison of unmatched steps may fill, over all gaps.
const CELLS_MAX: usize = 1 << 20;

/// A step of the old plan and the same in the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) old: usize,
    pub(super) new: usize,
    /// Whether it stands elsewhere among the steps that both plans have.
    pub(super) moved: bool,
}

/// What kind of thing a step does; only steps of one kind are ever compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Smoke,
    Scale(Arm),
    Shift,
    Close,
    Watch(WatchKind),
    Approve,
    Manual,
    Migrate,
    Route,
    Mirror,
    Baseline,
    Flag,
}

/// What a step does, without its numbers where these may be tuned, and where.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Identity<'a> {
    Smoke(SmokeTarget, SuiteMoment, Split),
    Scale(Arm, u32),
    Shift(Split),
    Watch(WatchKind, Split),
    Named(Kind, &'a str, &'a str),
    Other(Kind, Split),
}

fn kind(step: &Step) -> Kind {
    match &step.action {
        Action::Smoke { .. } => Kind::Smoke,
        Action::Scale { arm, .. } => Kind::Scale(*arm),
        Action::Shift {
            split: Split::Closed,
        } => Kind::Close,
        Action::Shift { .. } => Kind::Shift,
        Action::Watch { kind, .. } => Kind::Watch(*kind),
        Action::Task(task) => match task {
            Task::Approve { .. } => Kind::Approve,
            Task::Manual { .. } => Kind::Manual,
            Task::Migrate { .. } => Kind::Migrate,
            Task::Route { .. } => Kind::Route,
            Task::Mirror { .. } => Kind::Mirror,
            Task::Baseline { .. } => Kind::Baseline,
            Task::Flag { .. } => Kind::Flag,
        },
    }
}

fn identity(step: &Step) -> Identity<'_> {
    let split = step.target.split;
    match &step.action {
        Action::Smoke { target, suite } => Identity::Smoke(*target, *suite, split),
        Action::Scale { arm, count } => Identity::Scale(*arm, *count),
        Action::Shift { split } => Identity::Shift(*split),
        Action::Watch { kind, .. } => Identity::Watch(*kind, split),
        Action::Task(task) => match task {
            Task::Approve { approval } => Identity::Named(Kind::Approve, approval, ""),
            Task::Manual { name, .. } => Identity::Named(Kind::Manual, name, ""),
            Task::Migrate { name, .. } => Identity::Named(Kind::Migrate, name, ""),
            Task::Flag { flag, stage, .. } => Identity::Named(Kind::Flag, flag, stage),
            Task::Route { .. } => Identity::Other(Kind::Route, split),
            Task::Mirror { .. } => Identity::Other(Kind::Mirror, split),
            Task::Baseline { .. } => Identity::Other(Kind::Baseline, split),
        },
    }
}

/// The name of the step before; waiting belongs to what was done before it.
fn after(steps: &[Step], index: usize) -> &str {
    let before = index.checked_sub(1).and_then(|before| steps.get(before));
    before.map_or("", |step| step.id.as_str())
}

/// The steps that both plans have, by their place in the new one.
pub(super) fn align(old: &[Step], new: &[Step]) -> Vec<Pair> {
    let mut matched = Matched {
        old: vec![None; old.len()],
        new: vec![None; new.len()],
    };
    let id = |steps: &'_ [Step], index: usize| steps[index].id.clone();
    matched.by(
        |at| (&*old[at].id, identity(&old[at]), after(old, at)),
        |at| (&*new[at].id, identity(&new[at]), after(new, at)),
    );
    matched.by(
        |at| (identity(&old[at]), after(old, at)),
        |at| (identity(&new[at]), after(new, at)),
    );
    matched.by(|at| identity(&old[at]), |at| identity(&new[at]));
    matched.by(
        |at| (id(old, at), kind(&old[at])),
        |at| (id(new, at), kind(&new[at])),
    );
    let in_order = matched.in_order();
    matched.fill(&in_order, old, new);
    let mut pairs = Vec::new();
    let mut in_order = in_order.iter().peekable();
    for (at, of) in matched.new.iter().enumerate() {
        let Some((of, filled)) = *of else { continue };
        let kept = in_order.next_if(|(_, new)| *new == at).is_some();
        pairs.push(Pair {
            old: of,
            new: at,
            moved: !kept && !filled,
        });
    }
    pairs
}

/// For each step its partner, and whether it was found in a gap.
struct Matched {
    old: Vec<Option<usize>>,
    new: Vec<Option<(usize, bool)>>,
}

impl Matched {
    fn pair(&mut self, old: usize, new: usize, filled: bool) {
        self.old[old] = Some(new);
        self.new[new] = Some((old, filled));
    }

    /// Matches what has no partner yet and the same key: the first with the first, and so on.
    fn by<K: Ord>(&mut self, old_key: impl Fn(usize) -> K, new_key: impl Fn(usize) -> K) {
        let mut waiting: BTreeMap<K, VecDeque<usize>> = BTreeMap::new();
        for at in (0..self.old.len()).filter(|at| self.old[*at].is_none()) {
            waiting.entry(old_key(at)).or_default().push_back(at);
        }
        for at in 0..self.new.len() {
            if self.new[at].is_none()
                && let Some(of) = waiting.get_mut(&new_key(at)).and_then(VecDeque::pop_front)
            {
                self.pair(of, at, false);
            }
        }
    }

    /// The longest list of pairs, old and new, whose order is the same in both plans (patience
    /// sorting).
    fn in_order(&self) -> Vec<(usize, usize)> {
        let pairs: Vec<(usize, usize)> = self
            .new
            .iter()
            .enumerate()
            .filter_map(|(new, of)| of.map(|(old, _)| (old, new)))
            .collect();
        // For each length, the pair that ends such a list with the smallest old place.
        let mut ends: Vec<usize> = Vec::new();
        let mut before: Vec<Option<usize>> = vec![None; pairs.len()];
        for (at, (old, _)) in pairs.iter().enumerate() {
            let length = ends.partition_point(|end| pairs[*end].0 < *old);
            before[at] = length.checked_sub(1).map(|shorter| ends[shorter]);
            if length == ends.len() {
                ends.push(at);
            } else {
                ends[length] = at;
            }
        }
        let mut list = Vec::with_capacity(ends.len());
        let mut next = ends.last().copied();
        while let Some(at) = next {
            list.push(pairs[at]);
            next = before[at];
        }
        list.reverse();
        list
    }

    /// Matches what is left between steps in order by its kind.
    fn fill(&mut self, in_order: &[(usize, usize)], old: &[Step], new: &[Step]) {
        let mut cells = CELLS_MAX;
        let (mut old_from, mut new_from) = (0, 0);
        let end = (old.len(), new.len());
        for (old_to, new_to) in in_order.iter().copied().chain([end]) {
            let olds = self.left(old_from..old_to, |it, at| it.old[at].is_none());
            let news = self.left(new_from..new_to, |it, at| it.new[at].is_none());
            let old_kinds: Vec<Kind> = olds.iter().map(|at| kind(&old[*at])).collect();
            let new_kinds: Vec<Kind> = news.iter().map(|at| kind(&new[*at])).collect();
            let needed = (olds.len() + 1).saturating_mul(news.len() + 1);
            let found = match cells.checked_sub(needed) {
                Some(left) => {
                    cells = left;
                    longest_common(&old_kinds, &new_kinds)
                }
                None => next_of_kind(&old_kinds, &new_kinds),
            };
            for (of, at) in found {
                self.pair(olds[of], news[at], true);
            }
            (old_from, new_from) = (old_to + 1, new_to + 1);
        }
    }

    fn left(&self, range: Range<usize>, free: impl Fn(&Self, usize) -> bool) -> Vec<usize> {
        range.filter(|at| free(self, *at)).collect()
    }
}

/// The longest common subsequence, as places in both.
fn longest_common(old: &[Kind], new: &[Kind]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    // The length of the longest for what begins at each pair of places.
    let mut lengths = vec![0u32; (old.len() + 1) * width];
    for of in (0..old.len()).rev() {
        for at in (0..new.len()).rev() {
            lengths[of * width + at] = if old[of] == new[at] {
                lengths[(of + 1) * width + at + 1] + 1
            } else {
                lengths[(of + 1) * width + at].max(lengths[of * width + at + 1])
            };
        }
    }
    let (mut of, mut at) = (0, 0);
    let mut pairs = Vec::new();
    while of < old.len() && at < new.len() {
        if old[of] == new[at] {
            pairs.push((of, at));
            (of, at) = (of + 1, at + 1);
        } else if lengths[(of + 1) * width + at] >= lengths[of * width + at + 1] {
            of += 1;
        } else {
            at += 1;
        }
    }
    pairs
}

/// Each new one with the next old one of its kind.
fn next_of_kind(old: &[Kind], new: &[Kind]) -> Vec<(usize, usize)> {
    let mut places: BTreeMap<Kind, VecDeque<usize>> = BTreeMap::new();
    for (of, kind) in old.iter().enumerate() {
        places.entry(*kind).or_default().push_back(of);
    }
    let mut from = 0;
    let mut pairs = Vec::new();
    for (at, kind) in new.iter().enumerate() {
        let Some(places) = places.get_mut(kind) else {
            continue;
        };
        while places.front().is_some_and(|of| *of < from) {
            places.pop_front();
        }
        if let Some(of) = places.pop_front() {
            pairs.push((of, at));
            from = of + 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(numbers: &[u8]) -> Vec<Kind> {
        let of = |number: &u8| match number % 4 {
            0 => Kind::Smoke,
            1 => Kind::Shift,
            2 => Kind::Watch(WatchKind::Pause),
            _ => Kind::Scale(Arm::Canary),
        };
        numbers.iter().map(of).collect()
    }

    proptest! {
        #[test]
        fn both_ways_match_one_kind_in_order(
            old in prop::collection::vec(any::<u8>(), 0..24),
            new in prop::collection::vec(any::<u8>(), 0..24),
        ) {
            let (old, new) = (kinds(&old), kinds(&new));
            let (longest, next) = (longest_common(&old, &new), next_of_kind(&old, &new));
            prop_assert!(next.len() <= longest.len());
            for pairs in [longest, next] {
                prop_assert!(pairs.iter().all(|(of, at)| old[*of] == new[*at]));
                prop_assert!(pairs.windows(2).all(|it| it[0].0 < it[1].0 && it[0].1 < it[1].1));
            }
        }
    }
}
