//! Findings as a SARIF log: places, names, and what stays the same when a text changes.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use nonevent_document::{Code, Document, Finding, Findings, Limits, RULES, SarifRun};
use serde_json::Value;

fn parsed(text: &str) -> Findings {
    Document::parse("bad.yaml", text.as_bytes(), &Limits::default()).unwrap_err()
}

fn log(findings: &Findings, file_name: &str, text: &str) -> Value {
    findings.sarif(&SarifRun {
        version: "1.2.3",
        rules: RULES,
        file_name,
        text,
    })
}

fn results(log: &Value) -> &[Value] {
    log["runs"][0]["results"].as_array().unwrap()
}

/// Start line and column, end line and column.
fn region(result: &Value) -> [u64; 4] {
    let region = &result["locations"][0]["physicalLocation"]["region"];
    ["startLine", "startColumn", "endLine", "endColumn"].map(|it| region[it].as_u64().unwrap())
}

#[test]
fn a_log_says_what_was_found_and_by_which_rules() {
    let text = "a: [010, \"\u{1f600}\u{e4}\", 0x1]\nb: !secret x\na: 2\n";
    let mut log = log(&parsed(text), "deploy/shop.yaml", text);
    let rules = log["runs"][0]["tool"]["driver"]["rules"].take();
    insta::assert_snapshot!(serde_json::to_string_pretty(&log).unwrap());
    let rules = rules.as_array().unwrap();
    assert_eq!(rules.len(), RULES.len());
    for (described, rule) in rules.iter().zip(RULES) {
        assert_eq!(described["id"], rule.code.as_str());
        assert_eq!(described["shortDescription"]["text"], rule.rule);
        assert_eq!(described["fullDescription"]["text"], rule.why);
        assert_eq!(
            described["defaultConfiguration"]["level"],
            rule.severity.to_string()
        );
    }
    for result in results(&log) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
}

#[test]
fn columns_are_utf16_code_units() {
    let long = "\u{1f600}".repeat(1_000);
    let cases = [
        ("a: 010\n", [1, 4, 1, 7]),
        ("\u{feff}a: 010\n", [1, 4, 1, 7]),
        ("x: y\r\na: 010\r\n", [2, 4, 2, 7]),
        ("\u{e4}: 010\n", [1, 4, 1, 7]),
        ("\u{1f600}: 010\n", [1, 5, 1, 8]),
        // A family is five scalar values and eight code units.
        (
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}: 010\n",
            [1, 11, 1, 14],
        ),
        (&format!("{long}x: 010\n"), [1, 2_004, 1, 2_007]),
        (&format!("{long}: y\nz: 010\n"), [2, 4, 2, 7]),
    ];
    for (text, expected) in cases {
        let log = log(&parsed(text), "a.yaml", text);
        assert_eq!(region(&results(&log)[0]), expected, "{text:?}");
        assert_eq!(log["runs"][0]["columnKind"], "utf16CodeUnits");
    }
}

#[test]
fn what_is_known_of_a_place_is_told() {
    let code = Code::new("NE9001");
    let text = "\u{1f600}: y\nz: w\n";
    let nowhere = Findings::from(Finding::note(code, "", "it is late", ""));
    let at = nonevent_document::Position { line: 1, column: 2 };
    let line = Findings::from(Finding::warning(code, "x[\"y\"]", "it is", "mend it").at(at));
    let log = |findings| log(findings, "a.yaml", text);
    let nowhere = &log(&nowhere)["runs"][0]["results"][0];
    assert_eq!(nowhere["level"], "note");
    assert_eq!(nowhere["message"]["text"], "it is late");
    let place = &nowhere["locations"][0];
    assert_eq!(place["physicalLocation"]["region"], Value::Null);
    assert_eq!(place["logicalLocations"], Value::Null);

    let line = &log(&line)["runs"][0];
    let result = &line["results"][0];
    assert_eq!(region(result), [1, 3, 1, 6]);
    assert_eq!(result["message"]["text"], "it is (mend it)");
    let logical = &result["locations"][0]["logicalLocations"][0];
    assert_eq!(logical["fullyQualifiedName"], "x[\"y\"]");
    // A code that no table describes is still a rule that the result can point at.
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    let described = &line["tool"]["driver"]["rules"][index];
    assert_eq!(described["id"], "NE9001");
    assert_eq!(described["defaultConfiguration"]["level"], "warning");
}

#[test]
fn paths_become_uris() {
    let cases = [
        ("a.yaml", "a.yaml"),
        ("./deploy/a.yaml", "deploy/a.yaml"),
        ("../a.yaml", "../a.yaml"),
        ("deploy/shop 1.yaml", "deploy/shop%201.yaml"),
        ("a%20b#c?d.yaml", "a%2520b%23c%3Fd.yaml"),
        ("c:d.yaml", "c%3Ad.yaml"),
        ("gr\u{f6}\u{df}e.yaml", "gr%C3%B6%C3%9Fe.yaml"),
        ("/srv/a.yaml", "file:///srv/a.yaml"),
        ("//srv/a.yaml", "file:///srv/a.yaml"),
    ];
    for (path, expected) in cases {
        let log = log(&parsed("a: 010\n"), path, "a: 010\n");
        let place = &results(&log)[0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], expected, "{path}");
    }
}

#[test]
fn a_fingerprint_outlives_lines_that_move() {
    let prints = |text: &str| -> Vec<String> {
        let log = log(&parsed(text), "a.yaml", text);
        let all = results(&log).iter();
        let mut prints: Vec<String> = all
            .map(|it| it["partialFingerprints"]["codeAndPath/v1"].to_string())
            .collect();
        let count = prints.len();
        prints.dedup();
        assert_eq!(prints.len(), count, "two findings with one fingerprint");
        prints
    };
    let before = prints("a: 010\nb: [1, 0x2]\na: 1\na: 2\n");
    let after = prints("# moved\n\na:   0077\nb:\n  - 1\n  - 0x3\na: 1\na: 2\n");
    assert_eq!(before, after);
    assert_ne!(before, prints("a: 010\nc: [1, 0x2]\na: 1\na: 2\n"));
}
