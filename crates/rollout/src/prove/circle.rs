//! Whether a run can go on for ever.
//!
//! Faults use up their bound, so a run without end goes round a circle of states without faults.
//! A circle in which nothing happens but that the analysis says now this, now that takes no time
//! and is none: time passes in between. Every other circle is a run without an end.

use alloc::vec::Vec;

/// The transitions without faults, by the state they come from.
#[derive(Default)]
pub(super) struct Edges {
    /// Where the transitions of each state begin in `to`.
    first: Vec<u32>,
    to: Vec<Edge>,
}

/// Where a transition leads; the top bit says that it was only a word.
#[derive(Clone, Copy)]
struct Edge(u32);

const WORD: u32 = 1 << 31;

impl Edge {
    const fn to(self) -> u32 {
        self.0 & !WORD
    }

    const fn is_word(self) -> bool {
        self.0 & WORD != 0
    }
}

/// States with this mark belong to no component yet.
const NONE: u32 = u32::MAX;

impl Edges {
    /// What is pushed from now on comes from the next state.
    pub(super) fn next_source(&mut self) {
        self.first.push(self.to.len() as u32);
    }

    /// A transition to state `to`, below 2^31.
    pub(super) fn push(&mut self, to: u32, is_word: bool) {
        self.to.push(Edge(if is_word { to | WORD } else { to }));
    }

    fn of(&self, state: u32) -> &[Edge] {
        let from = self.first[state as usize] as usize;
        let until = self.first.get(state as usize + 1);
        &self.to[from..until.map_or(self.to.len(), |until| *until as usize)]
    }

    /// A transition, other than a word, on a circle: of those the one that begins nearest to the
    /// start.
    pub(super) fn circle(&self) -> Option<(u32, u32)> {
        let component = self.components();
        (0..self.first.len() as u32).find_map(|from| {
            self.of(from).iter().find_map(|edge| {
                let same = component[from as usize] == component[edge.to() as usize];
                (same && !edge.is_word()).then_some((from, edge.to()))
            })
        })
    }

    /// The strongly connected component of each state (Tarjan 1972, with a stack of its own).
    fn components(&self) -> Vec<u32> {
        let states = self.first.len();
        let mut component = alloc::vec![NONE; states];
        let mut low = alloc::vec![0u32; states];
        let mut seen = 0u32;
        let mut open: Vec<u32> = Vec::new();
        // A state, its number, and how many of its transitions were followed.
        let mut way: Vec<(u32, u32, u32)> = Vec::new();
        for start in 0..states as u32 {
            if low[start as usize] != 0 {
                continue;
            }
            seen += 1;
            low[start as usize] = seen;
            way.push((start, seen, 0));
            open.push(start);
            while let Some((state, number, followed)) = way.last_mut() {
                if let Some(edge) = self.of(*state).get(*followed as usize) {
                    *followed += 1;
                    let (state, next) = (*state as usize, edge.to());
                    if low[next as usize] == 0 {
                        seen += 1;
                        low[next as usize] = seen;
                        way.push((next, seen, 0));
                        open.push(next);
                    } else if component[next as usize] == NONE {
                        low[state] = low[state].min(low[next as usize]);
                    }
                    continue;
                }
                let (state, number) = (*state, *number);
                way.pop();
                if low[state as usize] == number {
                    while let Some(member) = open.pop() {
                        component[member as usize] = state;
                        if member == state {
                            break;
                        }
                    }
                }
                if let Some((above, ..)) = way.last() {
                    let above = *above as usize;
                    low[above] = low[above].min(low[state as usize]);
                }
            }
        }
        component
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(of: &[&[(u32, bool)]]) -> Edges {
        let mut edges = Edges::default();
        for from in of {
            edges.next_source();
            from.iter().for_each(|(to, word)| edges.push(*to, *word));
        }
        edges
    }

    #[test]
    fn a_tree_and_a_diamond_end() {
        let tree = edges(&[&[(1, false), (2, false)], &[(3, false)], &[(3, true)], &[]]);
        assert_eq!(tree.circle(), None);
    }

    #[test]
    fn a_circle_is_found_where_it_begins() {
        let way = [(1, false)];
        let circle = edges(&[
            &way,
            &[(2, false)],
            &[(3, true)],
            &[(1, false), (4, false)],
            &[],
        ]);
        assert_eq!(circle.circle(), Some((1, 2)));
        let own = edges(&[&way, &[(1, false)]]);
        assert_eq!(own.circle(), Some((1, 1)));
    }

    #[test]
    fn words_alone_are_no_circle_and_time_among_them_makes_one() {
        let words = edges(&[&[(1, true)], &[(0, true), (2, false)], &[]]);
        assert_eq!(words.circle(), None);
        let time = edges(&[&[(1, true)], &[(2, true)], &[(0, false)]]);
        assert_eq!(time.circle(), Some((2, 0)));
    }
}
