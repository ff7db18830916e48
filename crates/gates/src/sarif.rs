//! Verdicts as a SARIF log, which code hosts show beside the policy.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Value, json};

use crate::notice::Notice;
use crate::outcome::Outcome;
use crate::path::visible;
use crate::policy::Weight;
use crate::verdict::{CriterionResult, Verdict};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Verdicts as a log of SARIF 2.1.0, a run for each: a rule for each criterion, and a result for each
/// that is not met, an error if it closes the gate. A criterion that is met is a result of the kind
/// `pass`, one that does not apply of the kind `notApplicable`.
///
/// `policy_uri` is where the results point to: the policy's file, relative to the root of the repository,
/// percent-encoded where that needs it.
#[must_use]
pub fn sarif(verdicts: &[Verdict], policy_uri: &str) -> Value {
    let runs: Vec<Value> = verdicts
        .iter()
        .map(|verdict| run(verdict, policy_uri))
        .collect();
    json!({"$schema": SCHEMA, "version": "2.1.0", "runs": runs})
}

fn run(verdict: &Verdict, policy_uri: &str) -> Value {
    let gate = format!("{}/{}", verdict.phase(), verdict.side().word());
    let rules: Vec<Value> = verdict.criteria().iter().map(rule).collect();
    let results = verdict.criteria().iter().enumerate();
    let results: Vec<Value> = results
        .map(|(at, criterion)| result(at, criterion, &gate, policy_uri))
        .collect();
    let notices: Vec<Value> = verdict.notices().iter().map(notification).collect();
    let mut run = json!({
        "tool": {"driver": {
            "name": "nonevent gate",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "version": env!("CARGO_PKG_VERSION"),
            "rules": rules,
        }},
        "automationDetails": {"id": format!("gate/{gate}")},
        "properties": {
            "result": verdict.result(),
            "resultLine": verdict.result_line(),
            "verdict": verdict.digest(),
            "policy": verdict.policy_digest(),
            "tree": verdict.tree(),
        },
        "results": results,
    });
    if !notices.is_empty() {
        run["invocations"] = json!([{
            "executionSuccessful": true,
            "toolExecutionNotifications": notices,
        }]);
    }
    run
}

/// What is to be seen to, as a notification of the run (SARIF 2.1.0, 3.58).
fn notification(notice: &Notice) -> Value {
    let (message, help) = (visible(&notice.message), visible(&notice.help));
    json!({
        "descriptor": {"id": notice.code},
        "level": "warning",
        "message": {"text": format!("{message}; {help}")},
        "properties": {"evidence": notice.evidence},
    })
}

fn result(at: usize, criterion: &CriterionResult, gate: &str, policy_uri: &str) -> Value {
    let (kind, level) = match (criterion.outcome(), criterion.weight) {
        (Outcome::Pass, _) => ("pass", "none"),
        (Outcome::NotApplicable, _) => ("notApplicable", "none"),
        // A result that is let pass is one all the same.
        (Outcome::Waived, Weight::Blocking) => ("fail", "error"),
        (_, Weight::Warning) => ("fail", "warning"),
        (_, Weight::Blocking) => ("fail", "error"),
    };
    let name = format!("{gate}/{}", criterion.id);
    let mut result = json!({
        "ruleId": criterion.id,
        "ruleIndex": at,
        "kind": kind,
        "level": level,
        "message": {"text": message(criterion)},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": policy_uri}},
            "logicalLocations": [{"name": criterion.id, "fullyQualifiedName": name}],
        }],
        "partialFingerprints": {"criterion/v1": name},
    });
    if criterion.outcome() == Outcome::Waived {
        // SARIF 2.1.0, 3.35
        let why = visible(&criterion.check.found);
        let waived = json!([{"kind": "external", "status": "accepted", "justification": why}]);
        result["suppressions"] = waived;
    }
    result
}

fn rule(result: &CriterionResult) -> Value {
    let level = match result.weight {
        Weight::Blocking => "error",
        Weight::Warning => "warning",
    };
    json!({
        "id": result.id,
        "shortDescription": {"text": visible(&result.title)},
        "fullDescription": {"text": visible(&result.why)},
        "help": {"text": visible(&result.remedy)},
        "defaultConfiguration": {"level": level},
    })
}

/// What came out, what was found, and what to do.
fn message(result: &CriterionResult) -> String {
    let (title, found) = (visible(&result.title), visible(&result.check.found));
    let outcome = result.outcome();
    match outcome {
        Outcome::Pass | Outcome::Waived | Outcome::NotApplicable => {
            format!("{title}: {outcome}: {found}")
        }
        _ => {
            let (remedy, owner) = (visible(&result.remedy), visible(&result.owner));
            format!("{title}: {outcome}: {found}. {remedy} [{owner}]")
        }
    }
}
