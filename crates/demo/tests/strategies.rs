//! Every strategy from its document to its end, and the demonstration's bad version.

mod place;

use serde_json::Value;

use place::{Place, Said};

/// The last line on standard output: the summary.
fn summary(said: &Said) -> Value {
    let line = said.out.lines().last().unwrap_or_default();
    let value: Value = serde_json::from_str(line).unwrap_or_default();
    assert_eq!(value["event"], "summary", "{said:?}");
    value
}

/// Deploys by a document beside the tests; what clients counted.
fn promoted(document: &str) -> Value {
    let place = Place::new();
    let said = Said::from(
        place
            .deploy(document)
            .arg("--json")
            .output()
            .expect("the program can be run"),
    );
    assert_eq!(said.code, Some(0), "{said:?}");
    let told = summary(&said);
    assert_eq!(told["summary"]["outcome"], "promoted", "{told}");
    assert_eq!(told["gate_open"], true, "{told}");
    assert_eq!(told["clients"]["total"]["lost"], 0, "{told}");
    for version in ["1.4.2", "1.5.0"] {
        let of = &told["clients"]["byVersion"][version];
        assert!(of["sent"].as_u64() > Some(0), "{told}");
        assert_eq!(of["errors"], 0, "{told}");
    }
    assert_eq!(place.versions(), ["1.5.0"]);
    assert_eq!(place.run(&["cleanup"]).out, "3 processes were ended\n");
    told
}

#[test]
fn blue_green_and_rolling_harm_nobody() {
    for document in ["blue-green.yaml", "rolling.yaml"] {
        let told = promoted(document);
        assert_eq!(told["clients"]["total"]["errors"], 0, "{document}: {told}");
    }
}

#[test]
fn recreate_refuses_while_it_is_closed_and_loses_nothing() {
    let told = promoted("recreate.yaml");
    // Only the router itself answers with errors, and only while it is closed.
    let errors = told["clients"]["total"]["errors"].as_u64();
    assert!(errors > Some(0), "it closes: {told}");
    assert_eq!(
        told["clients"]["nameless"]["errors"].as_u64(),
        errors,
        "{told}"
    );
    let splits: Vec<&Value> = told["summary"]["stretches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stretch| &stretch["split"])
        .collect();
    assert!(splits.iter().any(|split| **split == "closed"), "{splits:?}");
}

#[test]
fn a_canary_with_errors_is_found_and_taken_back() {
    let place = Place::new();
    let said = place.run(&[
        "deploy", "canary", "--fault", "errors", "--json", "--yes", "--keep",
    ]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let told = summary(&said);
    let outcome = &told["summary"]["outcome"]["rolled_back"];
    assert_eq!(outcome["reason"], "analysis_failed", "{outcome}");
    assert_eq!(outcome["verified"], "passed", "{outcome}");
    assert_eq!(
        told["answered_after_recovery"],
        serde_json::json!(["1.4.2"])
    );
    assert_eq!(told["clients"]["total"]["lost"], 0, "{told}");
    assert_eq!(told["clients"]["byVersion"]["1.4.2"]["errors"], 0, "{told}");
    assert!(told["summary"]["detectMs"].is_u64(), "{told}");
    assert!(told["summary"]["recoverMs"].is_u64(), "{told}");
    assert_eq!(place.versions(), ["1.4.2"]);
}
