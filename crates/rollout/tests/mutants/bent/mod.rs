//! Rules that were broken on purpose. The crate's own tests hold the search against itself on them.

mod capacity;
mod ends;
mod evidence;
mod tasks;
mod words;

use nonevent_rollout::{Effect, FleetSeen, Input, Property, Rules, State, Stepper, Turn};
use nonevent_strategy::Plan;

/// The rules that the driver runs, bent by `bend`.
pub(crate) struct Mutant {
    /// What is wrong with it.
    pub(crate) name: &'static str,
    /// The property that finds it out.
    pub(crate) property: Property,
    /// The plan that it is tried on: the default plan of a strategy, or that of a document under
    /// `fixtures/rollout`.
    pub(crate) on: &'static str,
    pub(crate) bend: fn(&Plan, &mut State, i64, &Input) -> Turn,
}

impl Stepper for Mutant {
    fn handle(&self, plan: &Plan, state: &mut State, now_ms: i64, input: &Input) -> Turn {
        (self.bend)(plan, state, now_ms, input)
    }
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Mutant> {
    let all = [
        capacity::MUTANTS,
        evidence::MUTANTS,
        ends::MUTANTS,
        tasks::MUTANTS,
        words::MUTANTS,
    ];
    all.into_iter().flatten()
}

fn rules(plan: &Plan, state: &mut State, now_ms: i64, input: &Input) -> Turn {
    Rules.handle(plan, state, now_ms, input)
}

/// The turn without its effect, as if it had never been sent.
fn unsent(state: &mut State, mut turn: Turn) -> Turn {
    turn.effect = None;
    state.pending = None;
    turn
}

/// The turn with another effect.
fn instead(state: &mut State, mut turn: Turn, effect: Effect) -> Turn {
    turn.effect = Some(effect);
    if let Some(pending) = &mut state.pending {
        pending.effect = effect;
    }
    turn
}

fn seen(change: impl Fn(&mut FleetSeen), input: &Input) -> Input {
    match input {
        Input::Fleet(seen) => {
            let mut seen = *seen;
            change(&mut seen);
            Input::Fleet(seen)
        }
        other => *other,
    }
}
