//! The search itself: breadth first, every state once.

use alloc::vec::Vec;
use core::ops::Range;
use nonevent_strategy::Plan;

use crate::effect::Next;
use crate::input::{Input, Judgement};
use crate::state::{Mode, Outcome, State};

use super::circle::Edges;
use super::event::{Event, Scope};
use super::property::Property;
use super::store::Store;
use super::story::{self, Told};
use super::transition::Transition;
use super::witness::Witness;
use super::world::{Node, World};
use super::{ProofLimits, Stepper};

/// What a search came to.
pub(super) enum Found {
    /// Every property holds in every run.
    Nothing,
    /// A property is broken at the end of this run.
    Broken { property: Property, way: Vec<Event> },
    /// There are more states than the limit allows.
    TooMany,
}

/// From which state, and how, a state was first reached.
#[derive(Clone, Copy)]
pub(super) struct Came {
    from: u32,
    event: Event,
}

/// States that are expanded together.
const BATCH: usize = 32;

/// What follows after some states.
#[derive(Default)]
struct Batch {
    /// The numbers of those states.
    sources: Range<u32>,
    steps: Vec<Step>,
    events: Vec<Event>,
    placed: Vec<(u32, bool)>,
}

/// One transition: from which state, and to which.
struct Step {
    from: u32,
    event: Event,
    node: Node,
    recovered_ms: Option<u32>,
}

pub(super) struct Search<'a, M> {
    plan: &'a Plan,
    machine: &'a M,
    pub(super) scope: Scope,
    /// Whether states that differ only in why the rollout went back are one.
    pub(super) reduced: bool,
    seen: Store,
    came: Vec<Came>,
    edges: Edges,
    pub(super) transitions: u64,
    /// The longest shortest way to a state.
    pub(super) depth: u32,
    /// The longest recovery, and how it is completed: many runs come together in what follows.
    pub(super) worst: (u32, Came),
}

impl<'a, M: Stepper> Search<'a, M> {
    pub(super) fn new(plan: &'a Plan, machine: &'a M, faults_max: u8) -> Search<'a, M> {
        Search {
            plan,
            machine,
            scope: Scope::of(faults_max),
            reduced: true,
            seen: Store::new(),
            came: Vec::new(),
            edges: Edges::default(),
            transitions: 0,
            depth: 0,
            worst: (
                0,
                Came {
                    from: 0,
                    event: Event::Time,
                },
            ),
        }
    }

    pub(super) const fn states(&self) -> u64 {
        self.seen.len() as u64
    }

    /// The moment after the machine was first told the time.
    pub(super) fn start(&self) -> Node {
        let mut state = State::new(self.plan, 0);
        let turn = self.machine.handle(self.plan, &mut state, 0, &Input::Clock);
        Node {
            state,
            world: World::new(self.plan),
            witness: Witness::default(),
            until_ms: match turn.next {
                Next::Wait(wait) => wait.until_ms,
                Next::Done(_) => 0,
            },
        }
    }

    /// States are found in the order of their distance from the start, so the first breach is
    /// one with a shortest run.
    pub(super) fn run(&mut self, limits: ProofLimits) -> Found {
        let states_max = limits.states_max.min(u32::MAX as usize / 2);
        if let Err(found) = self.good_run() {
            return found;
        }
        let start = self.start();
        if self.seen.insert(&start).is_none() {
            return Found::TooMany;
        }
        self.came.push(Came {
            from: 0,
            event: Event::Time,
        });
        let (mut layer, mut next) = (alloc::vec![start], Vec::new());
        let mut batch = Batch::default();
        let mut at = 0;
        while !layer.is_empty() {
            for nodes in layer.chunks(BATCH) {
                let found = self.expand(at, nodes, &mut batch);
                if let Some(found) = found.or_else(|| self.reach(&mut batch, &mut next)) {
                    return found;
                }
                if self.seen.len() > states_max {
                    return Found::TooMany;
                }
                at += nodes.len() as u32;
            }
            layer.clear();
            core::mem::swap(&mut layer, &mut next);
            self.depth += u32::from(!layer.is_empty());
        }
        match self.edges.circle() {
            Some((at, to)) => {
                let last = self.leads(at, to);
                self.broken(Property::Ends, at, last)
            }
            None => Found::Nothing,
        }
    }

    /// The run in which nothing goes wrong and all evidence is good must end promoted: rules or a
    /// plan that never get anywhere are safe, and of no use.
    fn good_run(&self) -> Result<(), Found> {
        let mut node = self.start();
        let mut way = Vec::new();
        let broken = |property, way| Err(Found::Broken { property, way });
        let mut events = Vec::new();
        let mut seen = Store::new();
        let no_fault = Scope {
            faults_max: 0,
            ..self.scope
        };
        // It may come to no state a second time.
        while seen.insert(&node).is_some_and(|(_, new)| new) {
            match node.state.mode {
                Mode::Done(Outcome::Promoted) => return Ok(()),
                Mode::Done(_) => break,
                Mode::Forward { .. } | Mode::Rollback { .. } => {}
            }
            events.clear();
            node.events(self.plan, no_fault, &mut events);
            let pass = Event::Analysed(Judgement::Pass);
            let event = match events.first() {
                // The look after the pause is what it waits for.
                Some(Event::Time) if events.contains(&pass) && node.has_watched(self.plan) => pass,
                Some(first) => *first,
                None => break,
            };
            let transition = node.after(self.plan, self.machine, event);
            way.push(event);
            if let Some(property) = transition.broken {
                return broken(property, way);
            }
            node = transition.node;
        }
        broken(Property::Ends, way)
    }

    fn broken(&self, property: Property, at: u32, last: Option<Event>) -> Found {
        let mut way = self.way(at);
        way.extend(last);
        Found::Broken { property, way }
    }

    /// Collects what follows after `nodes`, the first of which has number `at`.
    fn expand(&mut self, at: u32, nodes: &[Node], batch: &mut Batch) -> Option<Found> {
        batch.steps.clear();
        for (from, node) in (at..).zip(nodes) {
            batch.events.clear();
            node.events(self.plan, self.scope, &mut batch.events);
            if batch.events.is_empty() && !matches!(node.state.mode, Mode::Done(_)) {
                return Some(self.broken(Property::Ends, from, None));
            }
            for &event in &batch.events {
                let transition = self.after(node, event);
                self.transitions += 1;
                if let Some(property) = transition.broken {
                    return Some(self.broken(property, from, Some(event)));
                }
                self.seen.stage(&transition.node);
                batch.steps.push(Step {
                    from,
                    event,
                    node: transition.node,
                    recovered_ms: transition.recovered_ms,
                });
            }
        }
        batch.sources = at..at + nodes.len() as u32;
        None
    }

    /// Numbers what was collected; what is new is to be followed in turn.
    fn reach(&mut self, batch: &mut Batch, next: &mut Vec<Node>) -> Option<Found> {
        batch.placed.clear();
        if self.seen.place_staged(&mut batch.placed).is_none() {
            return Some(Found::TooMany);
        }
        let mut sources = batch.sources.clone().peekable();
        for (step, (to, new)) in batch.steps.drain(..).zip(&batch.placed) {
            let Step { from, event, .. } = step;
            while sources.next_if(|source| *source <= from).is_some() {
                self.edges.next_source();
            }
            if *new {
                self.came.push(Came { from, event });
                next.push(step.node);
            }
            // A fault uses up the bound, so no circle has one.
            if event.weight() == 0 {
                self.edges.push(*to, event.is_word());
            }
            if let Some(took_ms) = step.recovered_ms
                && took_ms > self.worst.0
            {
                self.worst = (took_ms, Came { from, event });
            }
        }
        sources.for_each(|_| self.edges.next_source());
        None
    }

    fn after(&self, node: &Node, event: Event) -> Transition {
        let mut transition = node.after(self.plan, self.machine, event);
        if self.reduced {
            transition.node.forget_why();
        }
        transition
    }

    /// The events that lead from the start to state `at`.
    fn way(&self, at: u32) -> Vec<Event> {
        let mut events = Vec::new();
        let mut at = at;
        while at != 0 {
            let came = self.came[at as usize];
            events.push(came.event);
            at = came.from;
        }
        events.reverse();
        events
    }

    /// The event that leads from state `at` to state `to`.
    fn leads(&mut self, at: u32, to: u32) -> Option<Event> {
        let mut node = self.start();
        for event in self.way(at) {
            node = self.after(&node, event).node;
        }
        let mut events = Vec::new();
        node.events(self.plan, self.scope, &mut events);
        events.into_iter().find(|event| {
            let following = self.after(&node, *event).node;
            self.seen.insert(&following) == Some((to, false))
        })
    }

    /// A run as a story.
    pub(super) fn story(&self, way: &[Event]) -> Told {
        story::tell(self.plan, self.machine, self.start(), way)
    }

    /// The run with the longest way back.
    pub(super) fn worst_recovery(&self) -> Told {
        let (_, Came { from, event }) = self.worst;
        let mut way = self.way(from);
        way.push(event);
        self.story(&way)
    }
}
