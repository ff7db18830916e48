//! Proof by exhaustive search: every run of the machine under every combination of faults up to a
//! bound, through the very function that the driver calls.
//!
//! States are kept with the clock at 0 and times relative to it, so that two that differ only in
//! when they are reached are one. Time moves only to deadlines: the machine's, or those by which
//! the world must have answered. Instances are counted, not named, so that permuting them gives
//! the same state.

mod circle;
mod effects;
mod event;
mod paused;
mod property;
mod search;
mod store;
mod story;
#[cfg(test)]
mod tests;
mod transition;
mod vain;
mod witness;
mod world;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Digest;
use nonevent_strategy::Plan;
use serde::Serialize;

pub use property::Property;
pub use story::StoryLine;

use crate::effect::Turn;
use crate::input::Input;
use crate::state::State;
use search::{Found, Search};

/// What runs the plan. The driver's is [`crate::Machine`]; a test may put a broken one in its
/// place, to see that the search finds out.
pub trait Stepper {
    /// As [`crate::Machine::handle`], on a state of its own.
    fn handle(&self, plan: &Plan, state: &mut State, now_ms: i64, input: &Input) -> Turn;
}

/// The rules that the driver runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules;

impl Stepper for Rules {
    fn handle(&self, plan: &Plan, state: &mut State, now_ms: i64, input: &Input) -> Turn {
        crate::machine::handle(plan, state, now_ms, input)
    }
}

/// Which faults may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultModel {
    /// How many in one run, 0 to 4. A lasting loss of the router or the fleet counts as two.
    pub combined: u8,
}

impl Default for FaultModel {
    fn default() -> Self {
        FaultModel { combined: 2 }
    }
}

impl FaultModel {
    /// What may go wrong, for people.
    pub const FAULTS: [&str; 14] = event::FAULTS;

    /// What is taken for granted, for people.
    pub const ASSUMPTIONS: [&str; 10] = [
        "a reading of the router or the fleet was true when it was made",
        "what happens to them is read before the machine decides again, unless they are lost",
        "a change that is answered is answered at once; one that takes long counts as a fault",
        "a change of the router, or of an arm's number, that is answered and reads back as it was \
         asked for fences off earlier ones",
        "instances become ready within ready_within and warm_up, and drain within drain, but for \
         the named faults",
        "of more than four instances that start, or drain, together, all but one are ready, or gone, \
         at once",
        "the journal keeps what was synced to it",
        "nobody else changes the router or the fleet, but for the named faults",
        "a task that was given up is not done later, and what was taken back stays so: whoever does \
         such things looks after them",
        "smoke suites, analyses and people may say anything at any time; that they are right is not proved",
    ];
}

/// How far a search may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofLimits {
    /// States kept in memory, some 200 bytes each.
    pub states_max: usize,
}

impl Default for ProofLimits {
    fn default() -> Self {
        ProofLimits {
            states_max: 8_000_000,
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

/// A run that breaks a property: the one in which nothing goes wrong, if that breaks one, else a
/// shortest; where a run goes in circles, one that does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counterexample {
    /// The plan's digest.
    pub plan: Digest,
    /// Which property.
    pub property: Property,
    /// The run, as a story.
    pub story: Vec<StoryLine>,
    /// The inputs with their times, in milliseconds from the start; handed to a fresh
    /// [`State`](crate::State) one after another, they lead there again.
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
    prove_with(&Rules, plan, faults, limits)
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
    crate::ability::can_carry_out(plan)?;
    let digest = plan.digest()?;
    let mut search = Search::new(plan, machine, faults.combined.min(4));
    let found = search.run(limits);
    let states = search.states();
    Ok(match found {
        Found::Nothing => Answer::Holds(Proof {
            plan: digest,
            states,
            transitions: search.transitions,
            depth: search.depth,
            faults: search.scope.faults_max,
            worst_recovery_ms: u64::from(search.worst.0),
            worst_recovery: search.worst_recovery().0,
            properties: Property::ALL
                .into_iter()
                .map(|property| PropertyResult {
                    property,
                    holds: true,
                })
                .collect(),
        }),
        Found::Broken { property, way } => {
            let (story, inputs) = search.story(&way);
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

impl core::fmt::Display for Counterexample {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        writeln!(
            f,
            "not safe: it is not so that {}",
            self.property.sentence()
        )?;
        for line in &self.story {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "what removes it: {}", self.property.remedy())
    }
}
