//! Proof by exhaustive search: every run of the machine under every combination of faults up to a
//! bound, through the very function that the driver calls.
//!
//! States are kept with the clock at 0 and times relative to it, so that two that differ only in
//! when they are reached are one. Time moves only to deadlines: the machine's, or those by which
//! the world must have answered. Instances are counted, not named, so that permuting them gives
//! the same state.

mod property;
mod story;
mod world;

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use hashbrown::HashMap;
use nonevent_document::Digest;
use nonevent_strategy::Plan;
use serde::Serialize;

pub use property::Property;
pub use story::StoryLine;

use crate::effect::{Notice, Turn};
use crate::input::Input;
use crate::state::{Mode, Phase, State};
use world::{Event, Node, World};

/// What runs the plan. The driver's is [`crate::Machine`]; a test may put a broken one in its
/// place, to see that the search finds out.
pub trait Stepper {
    /// As [`crate::Machine::handle`], on a state of its own.
    fn handle(&self, plan: &Plan, state: &mut State, now_ms: i64, input: &Input) -> Turn;
}

/// The rules that the driver runs.
struct Production;

impl Stepper for Production {
    fn handle(&self, plan: &Plan, state: &mut State, now_ms: i64, input: &Input) -> Turn {
        crate::machine::handle(plan, state, now_ms, input)
    }
}

/// Which faults may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultModel {
    /// How many in one run, 0 to 4.
    pub combined: u8,
}

impl Default for FaultModel {
    fn default() -> Self {
        FaultModel { combined: 2 }
    }
}

impl FaultModel {
    /// What may go wrong, for people.
    pub const FAULTS: [&str; 10] = [
        "a change of the router or the fleet is refused",
        "it is carried out and the answer is lost",
        "it is acknowledged and not carried out",
        "it arrives late, or never",
        "fewer instances start than were asked for",
        "an instance ends by itself, or fails its health check",
        "starting instances never become ready",
        "the router forgets its split, or shows a third one",
        "the controlling process dies between any two inputs, the effect carried out or not",
        "a person aborts, or pauses and never resumes",
    ];

    /// What is taken for granted, for people.
    pub const ASSUMPTIONS: [&str; 7] = [
        "the router obeys the last change it acknowledged and reads back the split in force",
        "a later change of the router fences off an earlier one that was delayed",
        "the fleet counts its instances truly, and drains and stops them within the drain time",
        "instances become ready within ready_within and warm_up, but for the named faults",
        "the journal keeps what was synced to it",
        "nobody promotes by hand, and nobody else changes router or fleet but as a named fault",
        "smoke suites and analyses may say anything at any time; that they are right is not proved",
    ];
}

/// How far a search may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofLimits {
    /// States kept in memory, some 300 bytes each.
    pub states_max: usize,
}

impl Default for ProofLimits {
    fn default() -> Self {
        ProofLimits {
            states_max: 4_000_000,
        }
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Every property holds in every run.
    Holds(Proof),
    /// A run breaks one.
    Refuted(Counterexample),
    /// The search was larger than its limit.
    Undecided(Undecided),
}

/// A search that was finished and found nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The plan's digest.
    pub plan: Digest,
    /// Different states of machine and world.
    pub states: u64,
    /// Transitions between them.
    pub transitions: u64,
    /// The longest shortest way to a state, in events.
    pub depth: u32,
    /// Faults that could combine.
    pub faults: u8,
    /// The longest time from a decision to go back until stable served everything, in
    /// milliseconds, restarts of the controlling process not counted in.
    pub worst_recovery_ms: u64,
    /// The run that takes it.
    pub worst_recovery: Vec<StoryLine>,
    /// Each property and whether it holds.
    pub properties: Vec<PropertyResult>,
}

/// One property's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PropertyResult {
    /// Which.
    pub property: Property,
    /// Whether it holds in every run.
    pub holds: bool,
}

/// The shortest run that breaks a property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counterexample {
    /// The plan's digest.
    pub plan: Digest,
    /// Which property.
    pub property: Property,
    /// The run, as a story.
    pub story: Vec<StoryLine>,
    /// The inputs with their times, in milliseconds from the start, to be replayed.
    pub inputs: Vec<(i64, Input)>,
    /// States seen before it was found.
    pub states: u64,
}

/// A search that met its limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Undecided {
    /// The plan's digest.
    pub plan: Digest,
    /// States seen.
    pub states: u64,
    /// Why it ended.
    pub reason: String,
}

/// Proves `plan` under `faults`, with the rules that the driver runs.
///
/// # Errors
/// If the plan contradicts itself.
pub fn prove(
    plan: &Plan,
    faults: FaultModel,
    limits: ProofLimits,
) -> Result<Answer, nonevent_strategy::PlanError> {
    prove_with(&Production, plan, faults, limits)
}

/// Proves `plan` with the rules of `machine`.
///
/// # Errors
/// If the plan contradicts itself.
pub fn prove_with(
    machine: &impl Stepper,
    plan: &Plan,
    faults: FaultModel,
    limits: ProofLimits,
) -> Result<Answer, nonevent_strategy::PlanError> {
    plan.validate()?;
    let digest = plan.digest()?;
    let mut search = Search::new(plan, machine, faults.combined.min(4));
    let found = search.run(limits);
    let states = search.nodes.len() as u64;
    Ok(match found {
        Found::Nothing => Answer::Holds(Proof {
            plan: digest,
            states,
            transitions: search.transitions,
            depth: search.depth_max,
            faults: search.faults_max,
            worst_recovery_ms: u64::try_from(search.worst.0).unwrap_or(0),
            worst_recovery: search.story(search.worst.1, None).0,
            properties: Property::ALL
                .into_iter()
                .map(|property| PropertyResult {
                    property,
                    holds: true,
                })
                .collect(),
        }),
        Found::Broken { property, at, last } => {
            let (story, inputs) = search.story(at, last);
            Answer::Refuted(Counterexample {
                plan: digest,
                property,
                story,
                inputs,
                states,
            })
        }
        Found::TooMany => Answer::Undecided(Undecided {
            plan: digest,
            states,
            reason: format!(
                "more than {} states: allow fewer faults to combine, or more memory",
                limits.states_max
            ),
        }),
    })
}

enum Found {
    Nothing,
    Broken {
        property: Property,
        at: u32,
        last: Option<Event>,
    },
    TooMany,
}

struct Search<'a, M> {
    plan: &'a Plan,
    machine: &'a M,
    faults_max: u8,
    index: HashMap<Node, u32>,
    /// For each state the one it was first reached from, how, and how far from the start.
    nodes: Vec<Came>,
    transitions: u64,
    depth_max: u32,
    /// The longest recovery, and the state that completes it.
    worst: (i64, u32),
}

#[derive(Clone, Copy)]
struct Came {
    from: u32,
    event: Event,
    depth: u32,
    /// The state that follows if nothing goes wrong and nobody says anything; itself if it is an
    /// end.
    patient: u32,
    /// Whether the rollout is over there.
    done: bool,
}

impl<'a, M: Stepper> Search<'a, M> {
    fn new(plan: &'a Plan, machine: &'a M, faults_max: u8) -> Search<'a, M> {
        Search {
            plan,
            machine,
            faults_max,
            index: HashMap::new(),
            nodes: Vec::new(),
            transitions: 0,
            depth_max: 0,
            worst: (0, 0),
        }
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

    /// Breadth first, one layer of states at a time, so that the first breach is a shortest one.
    fn run(&mut self, limits: ProofLimits) -> Found {
        let start = self.start();
        self.index.insert(start.clone(), 0);
        self.nodes.push(Came {
            from: 0,
            event: Event::Time,
            depth: 0,
            patient: 0,
            done: false,
        });
        let mut layer = alloc::vec![(0u32, start)];
        while !layer.is_empty() {
            let mut following = Vec::new();
            for (at, node) in layer {
                if let Some(found) = self.expand(at, &node, &mut following) {
                    return found;
                }
                if self.nodes.len() > limits.states_max {
                    return Found::TooMany;
                }
            }
            layer = following;
        }
        match self.circle() {
            Some(at) => Found::Broken {
                property: Property::Ends,
                at,
                last: None,
            },
            None => Found::Nothing,
        }
    }

    fn expand(&mut self, at: u32, node: &Node, following: &mut Vec<(u32, Node)>) -> Option<Found> {
        let depth = self.nodes[at as usize].depth;
        let done = matches!(node.state.mode, Mode::Done(_));
        let events = node.events(self.plan, self.faults_max);
        if events.is_empty() && !done {
            return Some(Found::Broken {
                property: Property::Ends,
                at,
                last: None,
            });
        }
        // The first event is the one that happens if nothing goes wrong.
        for (order, event) in events.into_iter().enumerate() {
            let transition = node.after(self.plan, self.machine, event);
            self.transitions += 1;
            if let Some(property) = property::broken(self.plan, node, &transition) {
                return Some(Found::Broken {
                    property,
                    at,
                    last: Some(event),
                });
            }
            let restored = transition.turn.as_ref().is_some_and(|turn| {
                turn.notices
                    .iter()
                    .any(|notice| matches!(notice, Notice::Restored))
            });
            let elapsed_ms = transition.elapsed_ms;
            let to = match self.index.get(&transition.node) {
                Some(to) => *to,
                None => {
                    let to = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
                    let done = matches!(transition.node.state.mode, Mode::Done(_));
                    let came = Came {
                        from: at,
                        event,
                        depth: depth + 1,
                        patient: to,
                        done,
                    };
                    self.nodes.push(came);
                    self.depth_max = self.depth_max.max(depth + 1);
                    self.index.insert(transition.node.clone(), to);
                    following.push((to, transition.node));
                    to
                }
            };
            if order == 0 {
                self.nodes[at as usize].patient = to;
            }
            if restored {
                self.note_recovery(node, elapsed_ms, to);
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

    /// A state from which the patient way never ends, if there is one.
    fn circle(&self) -> Option<u32> {
        // 0: not seen; 1: on the present way; 2: known to end.
        let mut marks = alloc::vec![0u8; self.nodes.len()];
        for start in 0..self.nodes.len() {
            let mut way = Vec::new();
            let mut at = start;
            while marks[at] == 0 {
                marks[at] = 1;
                way.push(at);
                let next = self.nodes[at].patient as usize;
                if next == at {
                    break;
                }
                at = next;
            }
            let ends = marks[at] == 2 || self.nodes[at].done;
            if !ends {
                return u32::try_from(at).ok();
            }
            for on in way {
                marks[on] = 2;
            }
        }
        None
    }

    /// The events from the start to state `at`, and one more.
    fn way(&self, at: u32, last: Option<Event>) -> Vec<Event> {
        let mut events: Vec<Event> = last.into_iter().collect();
        let mut at = at;
        while at != 0 {
            let came = self.nodes[at as usize];
            events.push(came.event);
            at = came.from;
        }
        events.reverse();
        events
    }

    fn story(&self, at: u32, last: Option<Event>) -> (Vec<StoryLine>, Vec<(i64, Input)>) {
        story::tell(self.plan, self.machine, self.start(), &self.way(at, last))
    }
}

impl core::fmt::Display for Counterexample {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        writeln!(
            f,
            "not safe: it is not so that {}",
            self.property.sentence()
        )?;
        for line in &self.story {
            writeln!(f, "  {}", line.to_string())?;
        }
        Ok(())
    }
}
