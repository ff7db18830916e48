//! `check` and `explain` as other programs call them: what they print, and how they end.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::process::Command;

use serde_json::Value;

/// Runs the program in the root of the repository: its exit status and standard output.
fn nonevent(arguments: &[&str]) -> (i32, String) {
    let ended = Command::new(env!("CARGO_BIN_EXE_nonevent"))
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .unwrap();
    let out = String::from_utf8(ended.stdout).unwrap();
    (ended.status.code().unwrap(), out)
}

#[test]
fn a_check_answers_in_three_formats_with_one_status() {
    let cases = [
        ("fixtures/deployment/canary.yaml", 0, None),
        ("fixtures/deployment/bad/NE1015.yaml", 0, Some("NE1015")),
        ("fixtures/deployment/bad/NE1014.yaml", 1, Some("NE1014")),
        ("fixtures/document/bad/octal.yaml", 2, Some("NE0011")),
        ("fixtures/document/bad/invalid-utf8.yaml", 2, Some("NE0002")),
    ];
    for (file, status, code) in cases {
        let run = |format: &str| {
            let (ended, out) = nonevent(&["check", "-f", file, "--format", format]);
            assert_eq!(ended, status, "{file} as {format}");
            out
        };
        let expected = code.map_or(Value::Null, Value::from);
        assert!(
            run("text").contains(code.unwrap_or("nothing to say")),
            "{file}"
        );

        let json: Value = serde_json::from_str(&run("json")).unwrap();
        assert_eq!(json["ok"], status == 0, "{file}");
        assert_eq!(json["findings"][0]["code"], expected, "{file}");

        let sarif: Value = serde_json::from_str(&run("sarif")).unwrap();
        let result = &sarif["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], expected, "{file}");
        if code.is_some() {
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], file);
        }
    }
    let file = "fixtures/deployment/bad/NE1014.yaml";
    let same = nonevent(&["check", "-f", file, "--format", "json"]);
    assert_eq!(nonevent(&["check", "-f", file, "--json"]), same);
    assert_eq!(
        nonevent(&["check", "-f", "missing.yaml"]),
        (2, String::new())
    );
}

#[test]
fn a_code_is_explained() {
    let (status, text) = nonevent(&["explain", "ne1014"]);
    assert_eq!(status, 0);
    assert!(
        text.starts_with("NE1014 (error): A pause leaves time"),
        "{text}"
    );
    assert!(text.contains("traffic: 5%,   pause: 1m"), "{text}");
    let (status, list) = nonevent(&["explain"]);
    assert_eq!(status, 0);
    assert!(
        list.lines().any(|line| line.starts_with("NE1014 error")),
        "{list}"
    );
    assert_eq!(nonevent(&["explain", "NE9999"]).0, 2);
}
