//! The search has been wherever this world gets: what random runs come to, within the bound on
//! faults, are states that the search has seen.
//!
//! Both are compared without their times, which the search moves only to deadlines, and without
//! what follows from them: whether a try is to come, and how often something was refused. Why a
//! rollout went back, whether the canary is quiet, what a suite, an analysis or people said, and
//! how many stable instances were ready before the fleet was lost are left out as well.
//!
//! The world keeps to what [`FaultModel::ASSUMPTIONS`] takes for granted: answers come at once, and
//! each thing that happens is read before the next. The runs in `random` do not.

use std::cell::RefCell;
use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};

use nonevent_rollout::{
    Answer, Beside, Effect, FaultModel, FleetSeen, HeldBy, Input, Mode, Outcome, Phase,
    ProofLimits, Rules, State, Stepper, StuckAt, Turn, prove_with,
};
use nonevent_strategy::{Plan, StrategyKind, Traffic};

use crate::default_plan;
use crate::deployer::Pace;
use crate::random::ends;

/// Runs of each plan, ten thousand in all.
const RUNS: u64 = 2_500;

/// Where a rollout is, without when and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Step(u16),
    Back(Phase),
    Promoted,
    RolledBack,
    Stuck(StuckAt),
}

/// A state without its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Outline {
    place: Place,
    traffic: Option<Traffic>,
    fleet: Option<FleetSeen>,
    unfenced: bool,
    unfenced_arms: [bool; 2],
    pending: Option<Effect>,
    held: Option<Discriminant<HeldBy>>,
    beside: Beside,
}

impl Outline {
    fn of(state: &State) -> Outline {
        Outline {
            place: match state.mode {
                Mode::Forward { step, .. } => Place::Step(step),
                Mode::Rollback { phase, .. } => Place::Back(phase),
                Mode::Done(Outcome::Promoted) => Place::Promoted,
                Mode::Done(Outcome::RolledBack { .. }) => Place::RolledBack,
                Mode::Done(Outcome::Stuck { at, .. }) => Place::Stuck(at),
            },
            traffic: state.traffic,
            fleet: state.fleet,
            unfenced: state.unfenced,
            unfenced_arms: state.unfenced_arms,
            pending: state.pending.map(|pending| pending.effect),
            held: state.held.map(|held| discriminant(&held.by)),
            beside: state.beside,
        }
    }
}

/// The rules, and the outline of every state that they were in.
#[derive(Default)]
struct Watched(RefCell<HashSet<Outline>>);

impl Stepper for Watched {
    fn handle(&self, plan: &Plan, state: &mut State, now_ms: i64, input: &Input) -> Turn {
        let turn = Rules.handle(plan, state, now_ms, input);
        self.0.borrow_mut().insert(Outline::of(state));
        turn
    }
}

fn explored(plan: &Plan) -> HashSet<Outline> {
    let watched = Watched::default();
    watched
        .0
        .borrow_mut()
        .insert(Outline::of(&State::new(plan, 0)));
    let answer = prove_with(
        &watched,
        plan,
        FaultModel::default(),
        ProofLimits::default(),
    );
    assert!(matches!(answer, Ok(Answer::Holds(_))), "{answer:?}");
    watched.0.into_inner()
}

fn is_within(kind: StrategyKind) {
    let plan = default_plan(kind);
    let explored = explored(&plan);
    let mut reached = HashSet::new();
    for seed in 0..RUNS {
        ends(&plan, seed, Pace::AtOnce, |deployer| {
            let outline = Outline::of(deployer.run.state());
            if reached.insert(outline) && !explored.contains(&outline) {
                let journal = String::from_utf8_lossy(&deployer.journal);
                let (_, inputs) = journal.split_once('\n').unwrap();
                panic!("{kind}: the search never was at {outline:?}, seed {seed}:\n{inputs}");
            }
        });
    }
    let (reached, explored) = (reached.len(), explored.len());
    let far = reached > 400 && explored > reached * 5;
    assert!(far, "{kind}: {reached} of {explored}");
}

#[test]
fn canary() {
    is_within(StrategyKind::Canary);
}

#[test]
fn blue_green() {
    is_within(StrategyKind::BlueGreen);
}

#[test]
fn rolling() {
    is_within(StrategyKind::Rolling);
}

#[test]
fn recreate() {
    is_within(StrategyKind::Recreate);
}
