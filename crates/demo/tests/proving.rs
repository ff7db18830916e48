//! `prove` as other programs call it: what it prints, and how it ends.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::process::Command;

use serde_json::Value;

/// Runs the program in the root of the repository: its exit status and standard output.
fn prove(arguments: &[&str]) -> (i32, String) {
    let ended = Command::new(env!("CARGO_BIN_EXE_nonevent"))
        .arg("prove")
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .unwrap();
    let code = ended.status.code().unwrap();
    (code, String::from_utf8(ended.stdout).unwrap())
}

#[test]
fn a_plan_that_is_not_safe_is_told_as_a_story_and_ends_with_1() {
    let bad = ["-f", "fixtures/rollout/bad/short-rollback.yaml"];
    let (code, told) = prove(&bad);
    assert_eq!(code, 1, "{told}");
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("not safe: "), "{told}");
    assert!((5..30).contains(&lines.len()), "{told}");
    assert!(lines.iter().any(|line| line.contains(" ! ")), "{told}");
    assert!(
        told.contains("ends stuck: stable instances did not become ready"),
        "{told}"
    );
    assert!(
        told.contains("what removes it: raise rollback.within"),
        "{told}"
    );

    assert!(told.contains("--explain shows"), "{told}");
    assert!(
        lines.iter().all(|line| line.chars().count() <= 80),
        "{told}"
    );

    let (code, told) = prove(&[bad[0], bad[1], "--json"]);
    assert_eq!(code, 1);
    let answer: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&answer["decided"], &answer["holds"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn a_proof_says_what_was_searched_and_what_it_rests_on() {
    let file = ["-f", "fixtures/rollout/no-return.yaml"];
    let (code, told) = prove(&[file[0], file[1], "--faults", "1", "--json"]);
    assert_eq!(code, 0, "{told}");
    let answer: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&answer["decided"], &answer["holds"]),
        (&true.into(), &true.into())
    );
    for count in ["states", "transitions", "depth", "worst_recovery_ms"] {
        assert!(answer[count].as_u64().unwrap() > 0, "{count}");
    }
    assert!(answer["states_per_second"].as_f64().unwrap() > 0.0);
    assert_eq!(answer["faults"]["combined"], 1);
    assert!(!answer["assumptions"].as_array().unwrap().is_empty());
    assert_eq!(answer["properties"].as_array().unwrap().len(), 6);
}

#[test]
fn the_answer_is_short_and_what_it_rests_on_is_shown_when_asked_for() {
    let file = ["-f", "fixtures/rollout/no-return.yaml", "--faults", "1"];
    let (code, short) = prove(&file);
    assert_eq!(code, 0, "{short}");
    assert!(short.lines().count() < 20, "{short}");
    assert!(!short.contains("taken for granted\n  "), "{short}");
    let (code, long) = prove(&[&file[..], &["--explain"]].concat());
    assert_eq!(code, 0, "{long}");
    for part in [
        "on this run\n",
        "faults that may happen\n  ",
        "taken for granted\n  ",
    ] {
        assert!(long.contains(part), "{long}");
    }
    for line in short.lines().chain(long.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_search_that_is_too_large_ends_with_3() {
    let file = ["-f", "fixtures/rollout/no-return.yaml"];
    let (code, told) = prove(&[file[0], file[1], "--states-max", "1000"]);
    assert_eq!(code, 3, "{told}");
    assert!(
        told.starts_with("not decided: more than 1000 states"),
        "{told}"
    );
}
