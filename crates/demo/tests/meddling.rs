//! What people and accidents do to a running deployment: a second one, orders from another
//! terminal, signals, a kill, a torn journal.

mod place;

use std::fs::OpenOptions;
use std::io::Write as _;

use rustix::process::Signal;
use serde_json::Value;

use place::{Controller, Place, within};

const HELD: &str = "held.yaml";

/// Where in the journal's text `part` first stands.
fn first(journal: &[Value], part: &str) -> Option<usize> {
    journal
        .iter()
        .position(|record| record.to_string().contains(part))
}

/// That a rollout went back because somebody said so, and everything is on the old version.
fn assert_gone_back(place: &Place) {
    let status = place.status();
    let outcome = &status["rollout"]["outcome"]["rolled_back"];
    assert_eq!(outcome["reason"], "aborted", "{status}");
    assert_eq!(outcome["verified"], "passed", "{status}");
    assert_eq!(place.versions(), ["1.4.2"]);
    let journal = place.journal();
    assert!(
        first(&journal, "rollback_began").is_some(),
        "it is written why"
    );
    let decided = first(&journal, r#""command":"abort""#).expect("the order is written");
    let after = &journal[decided..];
    let shifted = first(after, r#""shift""#).expect("traffic was moved");
    let scaled = first(after, r#""scale""#).expect("the canary was scaled away");
    assert!(shifted < scaled, "traffic first: {after:#?}");
}

#[test]
fn one_deployment_at_a_time_and_orders_from_other_terminals() {
    let place = Place::new();
    assert_eq!(place.run(&["status"]).code, Some(2), "no folder yet");
    let first = Controller::start(place.deploy(HELD));
    within("a status", || place.state().join("lock").exists());
    place.at_step("pause");

    let status = place.status();
    assert_eq!(status["atWork"], true);
    assert_eq!(status["rollout"]["outcome"], Value::Null);
    assert_eq!(place.versions(), ["1.4.2", "1.5.0"]);

    let second = place.deploy(HELD).output().unwrap();
    let second = place::Said::from(second);
    assert_eq!(second.code, Some(3), "{second:?}");
    let holder = format!("another nonevent (process {}) is at work", first.id());
    assert!(second.err.contains(&holder), "{second:?}");
    let cleaned = place.run(&["cleanup"]);
    assert_eq!(cleaned.code, Some(1), "{cleaned:?}");
    assert_eq!(place.status()["atWork"], true, "neither did any harm");

    let told = |order: &str, what: &str| {
        let said = place.run(&[order]);
        assert_eq!(said.code, Some(0), "{order}: {said:?}");
        within(what, || {
            place
                .journal()
                .iter()
                .any(|record| record.to_string().contains(what))
        });
    };
    let watched = place.run(&["status"]).out;
    assert!(watched.contains("pause watches until"), "{watched}");
    told("pause", r#""held""#);
    let said = place.run(&["promote"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.err.contains("unpause"),
        "a paused watch cannot be ended: {said:?}"
    );
    told("unpause", r#""resumed""#);
    told("promote", r#""promoted_by_hand""#);
    let said = first.ended();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(place.status()["rollout"]["outcome"], "promoted");
    assert_eq!(place.versions(), ["1.5.0"]);

    // What is over cannot be told anything, and what still runs is not deployed over.
    for order in ["pause", "unpause", "promote"] {
        let said = place.run(&[order]);
        assert_eq!(said.code, Some(2), "{order}: {said:?}");
        assert!(said.err.contains("is over"), "{order}: {said:?}");
    }
    for over in ["resume", "abort"] {
        let said = place.run(&[over]);
        assert_eq!(said.code, Some(0), "{over}: {said:?}");
        assert!(said.err.contains("nothing is left to do"), "{said:?}");
    }
    let third = place::Said::from(place.deploy(HELD).output().unwrap());
    assert_eq!(third.code, Some(2), "{third:?}");
    assert!(third.err.contains("canary-1"), "{third:?}");
    assert!(third.err.contains("nonevent cleanup"), "{third:?}");
    assert_eq!(place.status()["rollout"]["outcome"], "promoted");

    let cleaned = place.run(&["cleanup"]);
    assert_eq!(cleaned.code, Some(0), "{cleaned:?}");
    assert_eq!(cleaned.out, "3 processes were ended\n");
    assert_eq!(place.run(&["cleanup"]).out, "0 processes were ended\n");
    assert_eq!(place.versions(), [""; 0]);
}

#[test]
fn sigterm_goes_back_traffic_first() {
    let place = Place::new();
    let controller = Controller::start(place.deploy(HELD));
    place.at_step("pause");
    controller.signal(Signal::TERM);
    let said = controller.ended();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("going back"), "{said:?}");
    assert_gone_back(&place);
}

#[test]
fn abort_from_another_terminal_goes_back_also_without_its_controller() {
    let place = Place::new();
    let controller = Controller::start(place.deploy(HELD));
    place.at_step("pause");
    controller.kill();
    let status = place.status();
    assert_eq!(status["atWork"], false, "a dead owner's lock does not hold");
    assert_eq!(status["rollout"]["outcome"], Value::Null);
    assert_eq!(
        place.versions(),
        ["1.4.2", "1.5.0"],
        "the target needs no controller"
    );
    let second = place::Said::from(place.deploy(HELD).output().unwrap());
    assert_eq!(second.code, Some(2), "{second:?}");
    assert!(second.err.contains("nonevent resume"), "{second:?}");

    // A record that was being written when the machine went down.
    let journal = place.state().join("journal.jsonl");
    let mut file = OpenOptions::new().append(true).open(&journal).unwrap();
    file.write_all(br#"{"body":{"kind":"inp"#).unwrap();
    drop(file);
    assert_eq!(place.status()["rollout"]["outcome"], Value::Null);
    let said = place.run(&["abort"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains("last 20 bytes were torn"),
        "the damage is told: {said:?}"
    );
    assert_gone_back(&place);
    assert_eq!(place.status()["rollout"]["resumed"], 1);
    let journal = place.journal();
    let resumed = journal.iter().filter(|record| !record["resumed"].is_null());
    assert_eq!(resumed.count(), 1);
}

#[test]
fn an_abort_by_order_goes_back() {
    let place = Place::new();
    let controller = Controller::start(place.deploy(HELD));
    place.at_step("pause");
    assert_eq!(place.run(&["abort"]).code, Some(0));
    let said = controller.ended();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_gone_back(&place);
}

#[test]
fn what_is_called_off_during_the_rehearsal_is_not_deployed() {
    let place = Place::new();
    let controller = Controller::start(place.deploy(HELD));
    within("the rehearsal", || {
        place.state().join("rehearsal.jsonl").exists()
    });
    controller.signal(Signal::TERM);
    let said = controller.ended();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("nothing was deployed"), "{said:?}");
    assert_eq!(place.status()["rollout"], Value::Null);
    assert_eq!(place.versions(), ["1.4.2"]);
}

#[test]
fn a_resume_of_nothing_starts_nothing() {
    let place = Place::new();
    let said = place.run(&["resume"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    let controller = Controller::start(place.deploy(HELD));
    within("the plan", || place.state().join("plan.json").exists());
    controller.kill();
    let said = place.run(&["resume"]);
    let begun = place.state().join("rehearsal.jsonl").exists();
    if !begun {
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("no rollout had begun"), "{said:?}");
    }
    assert_eq!(place.status()["rollout"], Value::Null);
    assert!(!place.versions().contains(&"1.5.0".to_owned()));
}
