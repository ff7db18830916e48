//! `simulate` as other programs call it: what it prints, and how it ends.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::process::Command;

use serde_json::Value;

const CANARY: &str = "fixtures/deployment/canary.yaml";

/// Runs the program in the root of the repository: its exit status, standard output and error.
fn nonevent(arguments: &[&str]) -> (i32, String, String) {
    let ended = Command::new(env!("CARGO_BIN_EXE_nonevent"))
        .arg("simulate")
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = ended.status.code().unwrap();
    (code, text(ended.stdout), text(ended.stderr))
}

#[test]
fn the_json_of_a_run_has_all_that_it_takes_to_have_it_again() {
    let run = |more: &[&str]| {
        let usual = ["-f", CANARY, "--days", "5", "--seed", "9", "--json"];
        let (code, out, error) = nonevent(&[&usual, more].concat());
        assert_eq!(code, 0, "{error}");
        out
    };
    let first = run(&[]);
    let report: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(report["releases"], 100);
    assert_eq!(report["strategies"][0]["name"], "canary");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.json");
    std::fs::write(&file, report["scenario"].to_string()).unwrap();
    assert_eq!(run(&["--scenario", file.to_str().unwrap()]), first);
}

#[test]
fn strategies_are_compared_on_the_same_releases() {
    let (code, out, error) = nonevent(&["-f", CANARY, "--compare", "--days", "5"]);
    assert_eq!(code, 0, "{error}");
    let head = out.lines().nth(2).unwrap();
    let names: Vec<&str> = head.split_whitespace().collect();
    assert_eq!(names, ["canary", "blue-green", "rolling"]);
    // Recreate is refused in production, and that is said.
    assert!(error.contains("recreate: not simulated") && error.contains("NE1030"));

    let rolling = "fixtures/deployment/rolling.yaml";
    let (_, out, _) = nonevent(&["-f", CANARY, "-f", rolling, "--days", "5", "--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    let strategies = report["strategies"].as_array().unwrap();
    let names: Vec<&Value> = strategies.iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["canary", "rolling"]);
    assert_eq!(
        strategies[0]["bad"]["releases"],
        strategies[1]["bad"]["releases"]
    );
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml");
    let refused = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let (code, out, error) = nonevent(&["-f", CANARY, "--scenario", file.to_str().unwrap()]);
        assert_eq!((code, out), (2, String::new()), "{error}");
        error
    };
    assert!(refused("releases: { per_dya: 3 }").contains("per_day"));
    assert!(refused("releases: { per_day: 0 }").contains("1 to 1000 is allowed"));
    let (code, ..) = nonevent(&["-f", "fixtures/deployment/bad/NE1014.yaml"]);
    assert_eq!(code, 1);
}
