//! Proofs of the plans that people start from, and refutations of plans that are not safe.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set its scene has failed"
)]

use std::path::{Path, PathBuf};

use nonevent_document::{Document, Limits};
use nonevent_rollout::{
    Answer, Counterexample, Effect, FaultModel, Input, Next, Outcome, Proof, ProofLimits, Property,
    Rules, State, Stepper as _, prove,
};
use nonevent_router::Arm;
use nonevent_strategy::{
    Action, Deployment, Facts, Plan, Step, StrategyKind, Target, check, plan, read,
};

fn default_plan(kind: StrategyKind) -> Plan {
    plan(&check(Deployment::default_for(kind), Facts::default(), None).unwrap())
}

fn holds(name: &str, plan: &Plan, combined: u8) -> Proof {
    match prove(plan, FaultModel { combined }, ProofLimits::default()).unwrap() {
        Answer::Holds(proof) => proof,
        Answer::Refuted(example) => panic!("{name}: {example}"),
        Answer::Undecided(undecided) => panic!("{name}: {}", undecided.reason),
    }
}

fn refuted(plan: &Plan) -> Counterexample {
    match prove(plan, FaultModel::default(), ProofLimits::default()).unwrap() {
        Answer::Refuted(example) => example,
        other => panic!("it should not hold: {other:?}"),
    }
}

#[test]
fn the_default_plans_hold_under_two_faults() {
    for kind in StrategyKind::ALL {
        let plan = default_plan(kind);
        let proof = holds(kind.name(), &plan, 2);
        assert!(proof.properties.iter().all(|result| result.holds));
        assert_eq!(proof.plan, plan.digest().unwrap());
        assert_eq!(proof.faults, 2);
        assert!(proof.worst_recovery_ms <= plan.rollback.within_ms);
        assert!(proof.states > 10_000, "{kind}: {}", proof.states);
        assert!(proof.transitions > proof.states);
        // The run with the longest way back goes back, gets there, and takes that long.
        let lines = &proof.worst_recovery;
        let said = |word: &str| lines.iter().find(|line| line.to_string().contains(word));
        let began_ms = said("goes back").unwrap().at_ms;
        let last = lines.last().unwrap();
        assert!(
            last.to_string().contains("stable serves everything"),
            "{kind}: {last}"
        );
        let took_ms = u64::try_from(last.at_ms - began_ms).unwrap();
        assert!(
            took_ms >= proof.worst_recovery_ms && took_ms > 0,
            "{kind}: {took_ms}"
        );
    }
}

/// The plan of a document of the repository.
fn plan_of(path: &Path) -> Plan {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).unwrap();
    let document = Document::parse(&name, &bytes, &Limits::default()).unwrap();
    let deployment = read(&document).unwrap();
    let checked = check(deployment, Facts::default(), Some(&document));
    plan(&checked.unwrap_or_else(|findings| panic!("{findings}")))
}

fn documents(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(folder);
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "yaml"));
    paths.sort();
    paths
}

#[test]
fn the_documents_of_the_repository_hold() {
    let small = documents("rollout");
    assert!(small.len() >= 3);
    // Larger ones take their time with two faults, which an optimised build does not mind.
    let large = documents("deployment");
    assert!(large.len() >= 8);
    let small = small.into_iter().map(|path| (path, 2));
    // Those of the demonstration are small too, and go back in a minute.
    let faults = |path: &Path| 1 + u8::from(path.to_string_lossy().contains("demo"));
    let large = large.into_iter().map(|path| (path.clone(), faults(&path)));
    for (path, faults) in small.chain(large) {
        let name = path.display().to_string();
        let proof = holds(&name, &plan_of(&path), faults);
        assert!(proof.states > 1_000, "{name}: {}", proof.states);
    }
}

#[test]
fn fewer_faults_are_fewer_states_and_no_fault_is_the_plan_and_its_rollbacks() {
    let plan = default_plan(StrategyKind::Canary);
    let states: Vec<u64> = (0..3)
        .map(|faults| holds("canary", &plan, faults).states)
        .collect();
    assert!(states[0] > 50 && states[0] < 1_000, "{states:?}");
    assert!(
        states[0] * 10 < states[1] && states[1] * 10 < states[2],
        "{states:?}"
    );
}

#[test]
fn the_same_search_twice_is_the_same_answer() {
    let plan = default_plan(StrategyKind::Rolling);
    assert_eq!(holds("rolling", &plan, 1), holds("rolling", &plan, 1));
}

#[test]
fn a_search_that_is_too_large_is_not_decided() {
    let plan = default_plan(StrategyKind::Canary);
    let limits = ProofLimits { states_max: 1_000 };
    let Answer::Undecided(undecided) = prove(&plan, FaultModel::default(), limits).unwrap() else {
        panic!("a thousand states cannot be all");
    };
    assert!(undecided.states >= 1_000);
    assert!(
        undecided.reason.contains("1000 states"),
        "{}",
        undecided.reason
    );
}

/// Inputs of a story, handed to the rules one after another.
fn replayed(plan: &Plan, example: &Counterexample) -> Vec<(i64, Option<Effect>, Next)> {
    let mut state = State::new(plan, 0);
    example
        .inputs
        .iter()
        .map(|(at_ms, input)| {
            let turn = Rules.handle(plan, &mut state, *at_ms, input);
            (*at_ms, turn.effect, turn.next)
        })
        .collect()
}

/// All instances can be made ready in time, and the way back may take a second.
fn too_little_time() -> Plan {
    let mut plan = default_plan(StrategyKind::Rolling);
    plan.rollback.within_ms = 60_000;
    plan
}

#[test]
fn a_way_back_that_does_not_fit_its_bound_is_refuted() {
    let plan = too_little_time();
    let example = refuted(&plan);
    assert_eq!(example.property, Property::Recovers);
    insta::assert_snapshot!(example.to_string());
    // The breach is seen when the inputs of the story are handed to the rules again.
    let run = replayed(&plan, &example);
    let (_, _, next) = run.last().unwrap();
    assert!(
        matches!(next, Next::Done(Outcome::Stuck { .. })),
        "{next:?}"
    );
}

#[test]
fn a_plan_that_takes_stable_away_before_the_canary_is_ready_never_gets_anywhere() {
    let mut plan = default_plan(StrategyKind::Canary);
    let step = Step {
        id: String::from("scale-stable-1"),
        action: Action::Scale {
            arm: Arm::Stable,
            count: 1,
        },
        target: Target {
            stable: 1,
            ..plan.origin()
        },
        deadline_ms: 35_000,
        back_within_ms: 100_000,
        back_to: None,
        exposed: 0,
    };
    plan.steps.insert(1, step);
    for step in &mut plan.steps[2..] {
        step.target.stable = step.target.stable.min(1);
    }
    // The way back is said to be as long as it then is.
    for step in &mut plan.steps {
        step.back_within_ms = step.back_within_ms.max(300_000);
    }
    plan.rollback.expected_ms = 300_000;
    let example = refuted(&plan);
    assert_eq!(example.property, Property::Ends);
    insta::assert_snapshot!(example.to_string());
    let run = replayed(&plan, &example);
    let (_, _, next) = run.last().unwrap();
    assert!(
        matches!(next, Next::Done(Outcome::RolledBack { .. })),
        "{next:?}"
    );
    // The rules did not take capacity away that traffic needs.
    let lowered = |effect: &Option<Effect>| {
        matches!(
            effect,
            Some(Effect::Scale {
                arm: Arm::Stable,
                count: 1
            })
        )
    };
    assert!(!run.iter().any(|(_, effect, _)| lowered(effect)));
}

#[test]
fn a_plan_that_contradicts_itself_is_not_searched() {
    let mut plan = default_plan(StrategyKind::Canary);
    plan.steps[3].target.stable = 0;
    assert!(prove(&plan, FaultModel::default(), ProofLimits::default()).is_err());
}

#[test]
fn a_story_says_when_and_marks_what_went_wrong() {
    let example = refuted(&too_little_time());
    let faults = example.story.iter().filter(|line| line.fault).count();
    assert!(faults <= 2);
    let mut before = 0;
    for line in &example.story {
        assert!(line.at_ms >= before);
        before = line.at_ms;
        assert!(!line.event.is_empty());
    }
    assert_eq!(example.inputs[0], (0, Input::Clock));
}

/// Those whose way back takes something back at its end, with two faults.
#[test]
fn a_baseline_set_is_taken_back() {
    let paths = documents("deployment");
    let path = paths.iter().find(|it| it.ends_with("canary-baseline.yaml"));
    let proof = holds("canary-baseline", &plan_of(path.unwrap()), 2);
    assert!(proof.states > 100_000, "{}", proof.states);
}
