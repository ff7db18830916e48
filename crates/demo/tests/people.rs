//! A deployment that waits for people, and opens a feature flag: promoted when they agree, and taken
//! back with its kill switch when one of them does not.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set its scene has failed"
)]

mod place;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use place::{Controller, Place, Said, within};

const STAGES: [&str; 4] = ["basket", "basket-off", "basket-internal", "basket-100"];

/// A place with the document and its flag files, which a deployment changes.
struct People {
    place: Place,
    documents: PathBuf,
}

impl People {
    fn new() -> People {
        let place = Place::new();
        let documents = place.documents();
        fs::create_dir(documents.join("flags")).unwrap();
        for stage in STAGES {
            let text = format!("{{\"stage\": \"{stage}\"}}\n");
            fs::write(documents.join(format!("flags/{stage}.json")), text).unwrap();
        }
        let text = include_str!("people.yaml");
        fs::write(documents.join("people.yaml"), text).unwrap();
        People { place, documents }
    }

    fn deploy(&self) -> Command {
        self.place.deploy_file(&self.documents.join("people.yaml"))
    }

    /// Which stage the flag's file holds.
    fn flag(&self) -> String {
        let text = fs::read(self.documents.join("flags/basket.json")).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        value["stage"].as_str().unwrap().to_owned()
    }

    /// Waits until people are asked at `step`, and gives what is asked.
    fn asked(&self, step: &str) -> Value {
        let mut asked = Value::Null;
        within(step, || {
            if self.place.journal().is_empty() {
                return false;
            }
            asked = self.place.status()["asked"].clone();
            asked["step"] == step
        });
        asked["wants"].clone()
    }

    fn says(&self, words: &[&str], code: i32) -> Said {
        let said = self.place.run(words);
        assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
        said
    }

    /// With this word for the step by hand, as far as the second stage of the flag, for which people are asked.
    fn as_far_as_the_last_approval(&self, word: &str) {
        let wants = self.asked("manual-tell-support");
        assert_eq!(wants["deed"]["expect"], "the desk has confirmed", "{wants}");
        self.says(&[word, "manual-tell-support", "--by", "noor"], 0);
        let wants = self.asked("approve-go-on");
        let missing = serde_json::json!(["ada", "grace"]);
        assert_eq!(wants["approval"]["missing"], missing, "{wants}");
        assert_eq!(self.flag(), "basket", "no stage has begun");
        self.says(&["approve", "--by", "grace"], 0);
        self.asked("approve-go-wide");
        assert_eq!(self.flag(), "basket-internal");
        self.says(&["approve", "approve-go-wide", "--by", "ada"], 0);
        within("the first of two to agree", || {
            let wants = &self.place.status()["asked"]["wants"];
            wants["approval"]["agreed"] == serde_json::json!(["ada"])
        });
    }
}

#[test]
fn people_who_do_and_agree_promote_it() {
    let it = People::new();
    let controller = Controller::start(it.deploy());
    it.asked("manual-tell-support");
    let status = it.says(&["status"], 0).out;
    assert!(
        status.contains("nonevent confirm manual-tell-support --state"),
        "{status}"
    );
    // Only what is asked can be said, by those who are asked.
    let said = it.says(&["approve", "--by", "ada"], 2);
    assert!(said.err.contains("nobody is asked to agree"), "{said:?}");
    let said = it.says(&["confirm", "approve-go-on"], 2);
    assert!(
        said.err.contains("the rollout is at manual-tell-support"),
        "{said:?}"
    );
    let said = it.says(&["promote"], 2);
    assert!(said.err.contains("nothing is watched"), "{said:?}");
    assert!(status.contains("from now"), "{status}");
    let said = it.says(&["confirm", "no-such-step"], 2);
    assert!(said.err.contains("no step"), "{said:?}");
    it.as_far_as_the_last_approval("confirm");
    let said = it.says(&["approve", "--by", "noor"], 2);
    assert!(
        said.err.contains("noor is not among"),
        "the author: {said:?}"
    );
    let said = it.says(&["skip"], 2);
    assert!(said.err.contains("by hand"), "{said:?}");
    it.says(&["confirm"], 2);
    // Who has agreed has agreed, whoever goes on with it.
    let said = controller.kill();
    assert!(
        said.err.contains("it turned before manual-tell-support"),
        "{said:?}"
    );
    let said = it.says(&["approve", "--by", "grace"], 2);
    assert!(said.err.contains("nobody is at work"), "{said:?}");
    let controller = Controller::start(it.place.command(&["resume"]));
    within("the resume", || {
        it.place.status()["rollout"]["resumed"] == 1
    });
    let wants = it.asked("approve-go-wide");
    let agreed = serde_json::json!(["ada"]);
    assert_eq!(wants["approval"]["agreed"], agreed, "{wants}");
    let said = it.says(&["approve", "--by", "ada"], 0);
    assert!(
        said.out.contains("has agreed to approve-go-wide already"),
        "{said:?}"
    );
    it.says(&["approve", "--by", "grace", "--for", "0s"], 2);
    it.says(&["approve", "--by", "grace", "--for", "10m"], 0);
    let said = controller.ended();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(it.place.status()["rollout"]["outcome"], "promoted");
    assert_eq!(it.flag(), "basket-100");
    assert_eq!(it.place.versions(), ["1.5.0"]);
    let journal = it.place.journal();
    let words = journal
        .iter()
        .filter_map(|it| it["note"]["note"]["said"].as_object());
    let by: Vec<_> = words.map(|it| it["word"]["by"].as_str().unwrap()).collect();
    assert_eq!(
        by,
        ["noor", "grace", "ada", "grace"],
        "who said what is kept"
    );
    it.says(&["approve", "--by", "ada"], 2);
}

#[test]
fn one_who_does_not_agree_takes_it_back_and_switches_the_feature_off() {
    let it = People::new();
    let controller = Controller::start(it.deploy());
    it.as_far_as_the_last_approval("skip");
    it.says(&["approve", "--by", "grace", "--deny"], 0);
    let said = controller.ended();
    assert_eq!(said.code, Some(1), "{said:?}");
    let status = it.place.status();
    let outcome = &status["rollout"]["outcome"]["rolled_back"];
    assert_eq!(outcome["reason"], "denied", "{status}");
    assert_eq!(it.flag(), "basket-off");
    assert_eq!(it.place.versions(), ["1.4.2"]);
    assert!(
        said.err.contains("grace does NOT agree to approve-go-wide"),
        "{said:?}"
    );
}

#[test]
fn a_bad_version_is_found_while_people_think_and_nothing_moves() {
    let place = Place::new();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/waiting.yaml");
    let controller = Controller::start(place.deploy_bad(&file, "errors"));
    place.at_step("approve-go-on");
    let said = place.run(&["pause"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    within("the pause", || !place.status()["asked"]["paused"].is_null());
    within("the way back", || {
        place.work();
        !place.status()["rollout"]["outcome"].is_null()
    });
    let said = controller.ended();
    assert_eq!(said.code, Some(1), "{said:?}");
    let status = place.status();
    let outcome = &status["rollout"]["outcome"]["rolled_back"];
    assert_eq!(outcome["reason"], "analysis_failed", "{status}");
    assert_eq!(place.versions(), ["1.4.2"]);
}

#[test]
fn flag_files_that_are_not_what_was_planned_are_refused_before_anything_is_done() {
    let it = People::new();
    let off = it.documents.join("flags/basket-off.json");
    let target = it.documents.join("flags/elsewhere.json");
    fs::rename(it.documents.join("flags/basket.json"), &target).unwrap();
    std::os::unix::fs::symlink(&target, it.documents.join("flags/basket.json")).unwrap();
    let said = Said::from(it.deploy().output().unwrap());
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains("basket.json: it is a symbolic link"),
        "{said:?}"
    );
    assert!(
        !it.place.state().join("run.json").exists(),
        "nothing was begun"
    );
    fs::remove_file(off).unwrap();
    let said = Said::from(it.deploy().output().unwrap());
    assert_eq!(said.code, Some(1), "a finding of the check: {said:?}");
}
