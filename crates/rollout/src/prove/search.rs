//! The search itself: breadth first, every state once.

use alloc::vec::Vec;
use core::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use nonevent_strategy::Plan;

use crate::effect::Notice;
use crate::input::Input;
use crate::state::{Mode, Phase, State};

use super::circle::Edges;
use super::property::{Property, broken};
use super::story::{self, Told};
use super::world::{Event, Node, World};
use super::{ProofLimits, Stepper};

/// What a search came to.
pub(super) enum Found {
    /// Every property holds in every run.
    Nothing,
    /// A property is broken after state `at`, by `last` if that is an event.
    Broken {
        property: Property,
        at: u32,
        last: Option<Event>,
    },
    /// There are more states than the limit allows.
    TooMany,
}

/// States in the order in which they were found, in pieces of equal size, so that a growing
/// search never copies what it has.
struct Nodes {
    pieces: Vec<Vec<Node>>,
    len: usize,
}

/// States in a piece.
const PIECE: usize = 1 << 12;

impl Nodes {
    fn get(&self, at: u32) -> &Node {
        let at = at as usize;
        &self.pieces[at / PIECE][at % PIECE]
    }

    fn push(&mut self, node: Node) {
        if self.len.is_multiple_of(PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.push(node);
            self.len += 1;
        }
    }
}

/// A state in the index: half of its hash, and its number.
#[derive(Clone, Copy)]
struct Place {
    hash: u32,
    at: u32,
}

impl Place {
    /// The table takes seven bits from the top and its position from the bottom.
    fn spread(&self) -> u64 {
        u64::from(self.hash) | u64::from(self.hash) << 32
    }
}

/// From which state, and how, a state was first reached.
#[derive(Clone, Copy)]
struct Came {
    from: u32,
    event: Event,
}

pub(super) struct Search<'a, M> {
    plan: &'a Plan,
    machine: &'a M,
    pub(super) faults_max: u8,
    index: HashTable<Place>,
    nodes: Nodes,
    came: Vec<Came>,
    edges: Edges,
    pub(super) transitions: u64,
    /// The longest shortest way to a state.
    pub(super) depth: u32,
    /// The longest recovery, and the state that completes it.
    pub(super) worst: (i64, u32),
}

impl<'a, M: Stepper> Search<'a, M> {
    pub(super) fn new(plan: &'a Plan, machine: &'a M, faults_max: u8) -> Search<'a, M> {
        Search {
            plan,
            machine,
            faults_max,
            index: HashTable::new(),
            nodes: Nodes {
                pieces: Vec::new(),
                len: 0,
            },
            came: Vec::new(),
            edges: Edges::default(),
            transitions: 0,
            depth: 0,
            worst: (0, 0),
        }
    }

    pub(super) const fn states(&self) -> u64 {
        self.nodes.len as u64
    }

    /// The moment after the machine was first told the time.
    fn start(&self) -> Node {
        let mut state = State::new(self.plan, 0);
        let _ = self.machine.handle(self.plan, &mut state, 0, &Input::Clock);
        Node {
            state,
            world: World::new(self.plan),
        }
    }

    /// The number of `node`, which it gets now if it has none.
    fn place(&mut self, node: Node, came: Came) -> u32 {
        let full = FixedState::with_seed(0).hash_one(&node);
        let place = Place {
            hash: (full ^ (full >> 32)) as u32,
            at: self.nodes.len as u32,
        };
        let nodes = &self.nodes;
        let known = |other: &Place| other.hash == place.hash && *nodes.get(other.at) == node;
        match self.index.entry(place.spread(), known, Place::spread) {
            Entry::Occupied(found) => found.get().at,
            Entry::Vacant(vacant) => {
                vacant.insert(place);
                self.nodes.push(node);
                self.came.push(came);
                place.at
            }
        }
    }

    /// States are found in the order of their distance from the start, so the first breach is
    /// one with a shortest run.
    pub(super) fn run(&mut self, limits: ProofLimits) -> Found {
        let states_max = limits.states_max.min(u32::MAX as usize / 2);
        let from_start = Came {
            from: 0,
            event: Event::Time,
        };
        let start = self.start();
        let mut layer_end = self.place(start, from_start) as usize + 1;
        let mut events = Vec::new();
        let mut at = 0;
        while (at as usize) < self.nodes.len {
            if at as usize == layer_end {
                layer_end = self.nodes.len;
                self.depth += 1;
            }
            if let Some(found) = self.expand(at, &mut events) {
                return found;
            }
            if self.nodes.len > states_max {
                return Found::TooMany;
            }
            at += 1;
        }
        match self.edges.circle() {
            Some((at, to)) => Found::Broken {
                property: Property::Ends,
                at,
                last: self.leads(at, to),
            },
            None => Found::Nothing,
        }
    }

    fn expand(&mut self, at: u32, events: &mut Vec<Event>) -> Option<Found> {
        let node = self.nodes.get(at).clone();
        events.clear();
        node.events(self.plan, self.faults_max, events);
        self.edges.next_source();
        let done = matches!(node.state.mode, Mode::Done(_));
        if events.is_empty() && !done {
            return Some(Found::Broken {
                property: Property::Ends,
                at,
                last: None,
            });
        }
        for &event in &*events {
            let transition = node.after(self.plan, self.machine, event);
            self.transitions += 1;
            if let Some(property) = broken(self.plan, &node, &transition) {
                let last = Some(event);
                return Some(Found::Broken { property, at, last });
            }
            let restored = transition.turn.as_ref().is_some_and(|turn| {
                let restored = |notice: &Notice| matches!(notice, Notice::Restored);
                turn.notices.iter().any(restored)
            });
            let elapsed_ms = transition.elapsed_ms;
            let to = self.place(transition.node, Came { from: at, event });
            // A fault uses up the bound, so no circle has one.
            if !event.is_fault() {
                self.edges.push(to, event.is_word());
            }
            if restored {
                self.note_recovery(&node, elapsed_ms, to);
            }
        }
        None
    }

    fn note_recovery(&mut self, before: &Node, elapsed_ms: i64, to: u32) {
        if let Mode::Rollback {
            phase: Phase::Restore,
            deadline_ms,
            ..
        } = before.state.mode
        {
            let within_ms = i64::try_from(self.plan.rollback.within_ms).unwrap_or(i64::MAX);
            let took_ms = within_ms - deadline_ms + elapsed_ms;
            if took_ms > self.worst.0 {
                self.worst = (took_ms, to);
            }
        }
    }

    /// The event that leads from state `at` to state `to`.
    fn leads(&self, at: u32, to: u32) -> Option<Event> {
        let mut events = Vec::new();
        let node = self.nodes.get(at);
        node.events(self.plan, self.faults_max, &mut events);
        events
            .into_iter()
            .find(|event| node.after(self.plan, self.machine, *event).node == *self.nodes.get(to))
    }

    /// The run to state `at`, and one event more.
    pub(super) fn story(&self, at: u32, last: Option<Event>) -> Told {
        let mut events: Vec<Event> = last.into_iter().collect();
        let mut at = at;
        while at != 0 {
            let came = self.came[at as usize];
            events.push(came.event);
            at = came.from;
        }
        events.reverse();
        story::tell(self.plan, self.machine, self.start(), &events)
    }
}
