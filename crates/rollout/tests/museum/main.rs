//! A museum of faults that well-known tools had, or have by design: each is put in the place of our
//! rules, found out by a property, told as a run that a person can follow, and absent from ours.
//!
//! What happened is told from memory of what the projects themselves say: in trackers, release
//! notes and documentation. Issues are not numbered here.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set its scene has failed"
)]

mod capacity;
mod evidence;
mod people;
mod traffic;

use std::collections::BTreeSet;

use nonevent_document::{Document, Limits};
use nonevent_rollout::{
    Answer, Counterexample, Effect, FaultModel, Input, Pending, ProofLimits, Property, Rules,
    State, Stepper, Turn, prove, prove_with,
};
use nonevent_strategy::{Action, Deployment, Facts, Plan, StrategyKind, check, plan, read};

/// One fault.
struct Exhibit {
    /// The name of its snapshot.
    name: &'static str,
    /// Whose.
    tool: &'static str,
    /// What happened there.
    happened: &'static str,
    /// How it is put into our rules.
    here: &'static str,
    /// What finds it out.
    property: Property,
    plan: fn() -> Plan,
    bend: fn(&Plan, &mut State, i64, &Input) -> Turn,
}

impl Stepper for Exhibit {
    fn handle(&self, plan: &Plan, state: &mut State, now_ms: i64, input: &Input) -> Turn {
        (self.bend)(plan, state, now_ms, input)
    }
}

fn canary() -> Plan {
    default_plan(Deployment::default_for(StrategyKind::Canary))
}

/// Five instances, replaced in place: stable shrinks as the canary grows.
fn rolling() -> Plan {
    let mut deployment = Deployment::default_for(StrategyKind::Rolling);
    deployment.fleet.replicas = 5;
    default_plan(deployment)
}

fn default_plan(deployment: Deployment) -> Plan {
    plan(&check(deployment, Facts::default(), None).unwrap())
}

/// Two steps, the first of which is approved; changes are made in the morning.
fn gated() -> Plan {
    let text = br#"
apiVersion: nonevent/v1
kind: Deployment
service: basket
environment: staging
author: noor
release: { from: 1.0.0, to: 1.1.0 }
roles: { lead: [ada, grace] }
fleet: { replicas: 3, spare: 3, warm_up: 5s, ready_within: 30s, drain: 10s, requests_per_second: 400 }
strategy:
  canary:
    steps:
      - { traffic: 50%, pause: 10m, approval: go-half }
      - { traffic: 100%, pause: 10m }
analysis: { every: 30s }
approvals: { go-half: { role: lead, timeout: 2h } }
windows: { zone: UTC, allow: [{ days: [mon], from: "08:00", to: "12:00" }], on_window_close: pause }
rollback: { within: 5m }
"#;
    let document = Document::parse("gated", text, &Limits::default()).unwrap();
    let checked = check(read(&document).unwrap(), Facts::default(), None);
    plan(&checked.unwrap_or_else(|findings| panic!("{findings}")))
}

fn rules(plan: &Plan, state: &mut State, now_ms: i64, input: &Input) -> Turn {
    Rules.handle(plan, state, now_ms, input)
}

/// What step `step` does.
fn action(plan: &Plan, step: u16) -> Option<&Action> {
    plan.steps.get(usize::from(step)).map(|step| &step.action)
}

/// The turn with `effect` and no other.
fn sends(state: &mut State, turn: Turn, now_ms: i64, effect: Effect) -> Turn {
    let until_ms = now_ms + 5_000;
    state.pending = Some(Pending { effect, until_ms });
    Turn {
        effect: Some(effect),
        ..turn
    }
}

/// The turn without its effect, as if it had never been sent.
fn unsent(state: &mut State, mut turn: Turn) -> Turn {
    turn.effect = None;
    state.pending = None;
    turn
}

/// The run that breaks `exhibit` with so many faults, if there is one.
fn found_out(exhibit: &Exhibit, plan: &Plan, combined: u8) -> Option<Counterexample> {
    let (faults, limits) = (FaultModel { combined }, ProofLimits::default());
    match prove_with(exhibit, plan, faults, limits).unwrap() {
        Answer::Refuted(example) => Some(example),
        Answer::Holds(_) => None,
        Answer::Undecided(undecided) => panic!("{}: {}", exhibit.name, undecided.reason),
    }
}

fn exhibits() -> Vec<&'static Exhibit> {
    let all = [
        traffic::EXHIBITS,
        capacity::EXHIBITS,
        evidence::EXHIBITS,
        people::EXHIBITS,
    ];
    all.into_iter().flatten().collect()
}

/// The most lines that a person reads with pleasure.
const LINES_MAX: usize = 16;

#[test]
fn every_fault_is_found_out_and_told() {
    for exhibit in exhibits() {
        let name = exhibit.name;
        let plan = (exhibit.plan)();
        // Told with as few faults as it takes; of runs with so many, the search meets the shortest
        // first.
        let example = (0..=2).find_map(|faults| found_out(exhibit, &plan, faults));
        let example = example.unwrap_or_else(|| panic!("{name}: not found out"));
        let Exhibit {
            tool,
            happened,
            here,
            ..
        } = exhibit;
        insta::assert_snapshot!(
            name,
            format!("{tool}: {happened}\nHere: {here}\n\n{example}")
        );
        assert_eq!(example.property, exhibit.property, "{name}");
        let lines = example.story.len();
        assert!(lines <= LINES_MAX, "{name}: {lines} lines");
        // More faults make it no longer.
        let more = found_out(exhibit, &plan, 2).unwrap();
        assert!(more.inputs.len() <= example.inputs.len(), "{name}: {more}");
    }
}

#[test]
fn none_of_them_is_ours() {
    let mut plans: Vec<Plan> = Vec::new();
    for exhibit in exhibits() {
        let plan = (exhibit.plan)();
        if plans.contains(&plan) {
            continue;
        }
        let answer = prove(&plan, FaultModel::default(), ProofLimits::default()).unwrap();
        assert!(
            matches!(answer, Answer::Holds(_)),
            "{}: {answer:?}",
            exhibit.name
        );
        plans.push(plan);
    }
    assert!(plans.len() >= 3);
}

#[test]
fn the_museum_has_a_room_for_each_property() {
    let exhibits = exhibits();
    let names: BTreeSet<&str> = exhibits.iter().map(|exhibit| exhibit.name).collect();
    let properties: BTreeSet<Property> = exhibits.iter().map(|exhibit| exhibit.property).collect();
    assert_eq!(names.len(), exhibits.len());
    assert_eq!(properties, Property::ALL.into_iter().collect());
}
