//! Any bytes as a deployment document: read, checked and planned, or told where it is wrong.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nonevent_document::{Document, Findings, Limits, SarifRun};
use nonevent_strategy::{Facts, check, plan, read};

/// Above this many bytes findings are not drawn: it takes longer than all the rest.
const DRAWN_BYTES_MAX: usize = 1 << 10;

fuzz_target!(|bytes: &[u8]| {
    deploy("fuzz.yaml", bytes);
    if matches!(bytes.first(), Some(b'[' | b'"' | b' ')) {
        deploy("fuzz.json", bytes);
    }
});

fn deploy(name: &str, bytes: &[u8]) {
    let document = match Document::parse(name, bytes, &Limits::default()) {
        Ok(document) => document,
        Err(findings) => {
            assert!(findings.has_errors());
            return hold(&findings, name, &String::from_utf8_lossy(bytes), true);
        }
    };
    let text = document.text();
    let deployment = match read(&document) {
        Ok(deployment) => deployment,
        Err(findings) => return hold(&findings, name, text, true),
    };
    match check(deployment, Facts::default(), Some(&document)) {
        Ok(checked) => {
            hold(checked.findings(), name, text, false);
            let plan = plan(&checked);
            plan.digest()
                .expect("the numbers of a plan have a canonical form");
            plan.shape()
                .expect("the numbers of a shape have a canonical form");
        }
        Err(findings) => hold(&findings, name, text, true),
    }
}

/// Every finding has a place in the text, and can be shown.
fn hold(findings: &Findings, name: &str, text: &str, errors: bool) {
    assert_eq!(findings.has_errors(), errors);
    let lines = text.split('\n').count();
    for finding in findings {
        assert!(!finding.message.is_empty() && !finding.help.is_empty());
        if finding.code.as_str() == "NE0001" {
            continue;
        }
        let at = finding.at.expect("a place");
        assert!((1..=lines).contains(&(at.line as usize)) && at.column >= 1);
    }
    if text.len() <= DRAWN_BYTES_MAX {
        let drawn = findings.render(name, text, false);
        assert_eq!(drawn.is_empty(), findings.is_empty());
        let log = findings.sarif(&SarifRun {
            version: "0.0.0",
            rules: &[],
            file_name: name,
            text,
        });
        let results = log["runs"][0]["results"].as_array().expect("results");
        assert_eq!(results.len(), findings.len());
    }
}
