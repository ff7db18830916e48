//! The proof is not a toy: rules that were broken on purpose are each found out, by the property
//! that they break, and the story that is told leads there again.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set its scene has failed"
)]

mod bent;

use bent::Mutant;
use nonevent_document::{Document, Limits};
use nonevent_rollout::{
    Answer, Counterexample, Effect, FaultModel, Next, ProofLimits, Property, State, Stepper as _,
    prove_with,
};
use nonevent_strategy::{Deployment, Facts, Plan, StrategyKind, check, plan, read};

/// The default plan of a strategy, or the plan of a document under `fixtures/rollout`.
fn plan_named(name: &str) -> Plan {
    let default = StrategyKind::ALL.into_iter().find(|it| it.name() == name);
    let deployment = default.map_or_else(|| document(name), Deployment::default_for);
    let checked = check(deployment, Facts::default(), None);
    plan(&checked.unwrap_or_else(|findings| panic!("{findings}")))
}

fn document(name: &str) -> Deployment {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/rollout");
    let bytes = std::fs::read(format!("{folder}/{name}.yaml")).unwrap();
    let document = Document::parse(name, &bytes, &Limits::default()).unwrap();
    read(&document).unwrap()
}

fn refuted(mutant: &Mutant, plan: &Plan) -> Counterexample {
    match prove_with(mutant, plan, FaultModel::default(), ProofLimits::default()).unwrap() {
        Answer::Refuted(example) => example,
        Answer::Holds(_) => panic!("{}: not found out", mutant.name),
        Answer::Undecided(undecided) => panic!("{}: {}", mutant.name, undecided.reason),
    }
}

/// Every mutant of `property` is found out by it, by a run that can be followed and run again.
fn are_found_out(property: Property) {
    let mut tried = 0;
    for mutant in bent::all().filter(|mutant| mutant.property == property) {
        tried += 1;
        let plan = plan_named(mutant.on);
        let example = refuted(mutant, &plan);
        let (name, story) = (mutant.name, example.to_string());
        assert_eq!(example.property, property, "{name}: {story}");
        assert!(example.story.len() <= 60, "{name}: {story}");

        // The story's inputs, handed to the same rules, give the same run.
        let mut state = State::new(&plan, 0);
        let mut told = example.inputs.iter();
        let mut last = None;
        for (at_ms, input) in told.by_ref() {
            last = Some(mutant.handle(&plan, &mut state, *at_ms, input));
        }
        let last = last.unwrap();
        let consequence = example.story.last().unwrap().then.join("; ");
        let told = match last.effect {
            None | Some(Effect::Observe) => String::new(),
            Some(Effect::Task { step }) => plan.steps[usize::from(step)].id.clone(),
            Some(effect) => effect.to_string(),
        };
        assert!(consequence.contains(&told), "{name}: {story}");
        if let Next::Done(_) = last.next {
            assert!(consequence.contains("ends "), "{name}: {story}");
        }
    }
    assert!(tried >= 3, "{tried} mutants of {property:?}");
}

#[test]
fn mutants_of_traffic_has_capacity_are_found_out() {
    are_found_out(Property::TrafficHasCapacity);
}

#[test]
fn mutants_of_min_healthy_kept_are_found_out() {
    are_found_out(Property::MinHealthyKept);
}

#[test]
fn mutants_of_exposure_on_evidence_are_found_out() {
    are_found_out(Property::ExposureOnEvidence);
}

#[test]
fn mutants_of_recovers_are_found_out() {
    are_found_out(Property::Recovers);
}

#[test]
fn mutants_of_ends_are_found_out() {
    are_found_out(Property::Ends);
}

#[test]
fn mutants_of_one_version_are_found_out() {
    are_found_out(Property::OneVersion);
}
