//! The controlling process dies after every record and after every effect of the four default
//! plans, on the way forward and on the way back, and another one finishes its work.

use nonevent_rollout::{Mode, Outcome, Reason};
use nonevent_strategy::{Action, Plan, StrategyKind};

use crate::deployer::{Came, Death, Deployer, GOOD, Scene};
use crate::{default_plan, plan_of};

/// The whole run, to know how many records and effects there are.
fn whole(plan: &Plan, scene: Scene) -> Deployer {
    let mut deployer = Deployer::new(plan, scene, 1);
    loop {
        deployer.traffic_is_served();
        deployer.replay();
        if let Came::Ended(outcome) = deployer.go_on() {
            deployer.is_whole(outcome);
            return deployer;
        }
    }
}

fn dies(plan: &Plan, scene: Scene, death: Death, seed: u64) -> Outcome {
    let mut deployer = Deployer::new(plan, scene, seed);
    deployer.death = Some(death);
    assert_eq!(deployer.run_to_the_end(), Came::Died, "{death:?}");
    if seed.is_multiple_of(3) {
        deployer.tear();
    }
    let back = matches!(deployer.run.state().mode, Mode::Rollback { .. });
    deployer.resume();
    let outcome = loop {
        deployer.traffic_is_served();
        match deployer.go_on() {
            Came::On => {}
            Came::Ended(outcome) => break outcome,
            Came::Died => panic!("it dies once"),
        }
    };
    let promoted = outcome == Outcome::Promoted;
    assert!(!(back && promoted), "a rollback became a promotion");
    deployer.is_whole(outcome);
    outcome
}

fn ends_well(kind: StrategyKind, scene: Scene) {
    all_end_well(kind.name(), &default_plan(kind), scene);
}

fn all_end_well(name: &str, plan: &Plan, scene: Scene) {
    let run = whole(plan, scene);
    let (records, effects) = (run.lines, run.effects);
    let Mode::Done(expected) = run.run.state().mode else {
        panic!("it ended");
    };
    assert!(records > 10 && effects >= 3, "{name}: {records}, {effects}");
    let deaths = (2..=records)
        .map(Death::AfterRecord)
        .chain((1..=effects).map(Death::AfterEffect));
    let mut tried = 0;
    // The last record ends the rollout: whoever dies then has nothing left to do.
    for death in deaths.filter(|death| *death != Death::AfterRecord(records)) {
        for seed in 1..=3 {
            let outcome = dies(plan, scene, death, seed);
            assert_eq!(outcome, expected, "{name}, {death:?}, seed {seed}");
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
}

/// The first step whose analysis can fail.
fn fails(kind: StrategyKind) -> Scene {
    let steps = default_plan(kind).steps;
    let analysed = |action: &Action| matches!(action, Action::Watch { analyse: true, .. });
    let at = steps.iter().rposition(|step| analysed(&step.action));
    let fails_at = at.map(|at| u16::try_from(at).unwrap());
    Scene { fails_at, ..GOOD }
}

#[test]
fn canary() {
    ends_well(StrategyKind::Canary, GOOD);
}

#[test]
fn blue_green() {
    ends_well(StrategyKind::BlueGreen, GOOD);
}

#[test]
fn rolling() {
    ends_well(StrategyKind::Rolling, GOOD);
}

#[test]
fn recreate() {
    ends_well(StrategyKind::Recreate, GOOD);
}

#[test]
fn tasks() {
    all_end_well("tasks", &plan_of("tasks"), GOOD);
}

#[test]
fn no_return() {
    all_end_well("no-return", &plan_of("no-return"), GOOD);
}

#[test]
fn pauses() {
    all_end_well("pauses", &plan_of("pauses"), GOOD);
}

#[test]
fn canary_that_goes_back() {
    ends_well(StrategyKind::Canary, fails(StrategyKind::Canary));
}

#[test]
fn blue_green_that_goes_back() {
    ends_well(StrategyKind::BlueGreen, fails(StrategyKind::BlueGreen));
}

#[test]
fn rolling_that_goes_back() {
    ends_well(StrategyKind::Rolling, fails(StrategyKind::Rolling));
}

#[test]
fn recreate_that_goes_back() {
    // It compares nothing, so a suite has to fail.
    let plan = default_plan(StrategyKind::Recreate);
    for seed in 0..40 {
        let scene = Scene {
            suites_fail_percent: 40,
            ..GOOD
        };
        let mut deployer = Deployer::new(&plan, scene, seed);
        let Came::Ended(outcome) = deployer.run_to_the_end() else {
            panic!("nobody dies");
        };
        if let Outcome::RolledBack { reason, .. } = outcome {
            assert!(matches!(
                reason,
                Reason::SmokeFailed | Reason::SmokeUnavailable
            ));
        }
        deployer.is_whole(outcome);
        for record in 2..deployer.lines {
            let mut again = Deployer::new(&plan, scene, seed);
            again.death = Some(Death::AfterRecord(record));
            assert_eq!(again.run_to_the_end(), Came::Died);
            again.resume();
            let Came::Ended(outcome) = again.run_to_the_end() else {
                panic!("it dies once");
            };
            again.is_whole(outcome);
        }
    }
}
