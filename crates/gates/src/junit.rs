//! Verdicts as JUnit XML, which CI servers show as tests.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use nonevent_page::escape::attribute;

use crate::outcome::{CheckResult, Outcome};
use crate::path::visible;
use crate::policy::Weight;
use crate::verdict::{CriterionResult, Verdict};

/// Verdicts as JUnit XML by the schema that Ant's is published with: a suite for each and a case for
/// each of its criteria. A criterion that is not met is a failure, one that cannot be decided an error,
/// and one that is waived or does not apply a case that passes and says so; a failed warning too is a failure, with a
/// message that begins with `warning:`.
#[must_use]
pub fn junit(verdicts: &[Verdict]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (id, verdict) in verdicts.iter().enumerate() {
        write_suite(&mut text, id, verdict).expect("writing to a String cannot fail");
    }
    text.push_str("</testsuites>\n");
    text
}

fn write_suite(text: &mut String, id: usize, verdict: &Verdict) -> core::fmt::Result {
    let count = |wanted: fn(Outcome) -> bool| {
        let criteria = verdict.criteria().iter();
        criteria.filter(|result| wanted(result.outcome())).count()
    };
    let failures = count(|outcome| outcome == Outcome::Fail);
    let errors = count(|outcome| matches!(outcome, Outcome::Unknown | Outcome::Error));
    let name = alloc::format!("gate {} {}", verdict.phase(), verdict.side().word());
    let asked = alloc::format!("{}", verdict.evaluated_at());
    // The schema's dates have neither fractions nor zones.
    let asked = asked.get(..19).unwrap_or("1970-01-01T00:00:00");
    writeln!(
        text,
        "  <testsuite package=\"nonevent\" id=\"{id}\" name=\"{}\" timestamp=\"{asked}\" \
         hostname=\"localhost\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" \
         time=\"0\">\n    <properties>",
        attribute(&name),
        verdict.criteria().len(),
    )?;
    for (name, value) in [
        ("policy", verdict.policy_digest()),
        ("tree", verdict.tree()),
        ("verdict", verdict.digest()),
    ] {
        writeln!(text, "      <property name=\"{name}\" value=\"{value}\"/>")?;
    }
    writeln!(text, "    </properties>")?;
    for result in verdict.criteria() {
        write_case(text, &name, result)?;
    }
    writeln!(
        text,
        "    <system-out>{}</system-out>",
        attribute(&verdict.result_line())
    )?;
    let notices = verdict.notices().iter();
    let notices: Vec<String> = notices
        .map(|it| {
            alloc::format!(
                "{}: {}; {}",
                it.code,
                visible(&it.message),
                visible(&it.help)
            )
        })
        .collect();
    if notices.is_empty() {
        return writeln!(text, "    <system-err/>\n  </testsuite>");
    }
    let notices = attribute(&notices.join("\n"));
    writeln!(
        text,
        "    <system-err>{notices}</system-err>\n  </testsuite>"
    )
}

fn write_case(text: &mut String, gate: &str, result: &CriterionResult) -> core::fmt::Result {
    let element = match result.outcome() {
        Outcome::Pass | Outcome::Waived | Outcome::NotApplicable => None,
        Outcome::Fail => Some("failure"),
        Outcome::Unknown | Outcome::Error => Some("error"),
    };
    let title = match result.outcome() {
        outcome @ (Outcome::Waived | Outcome::NotApplicable) => {
            alloc::format!("{} ({outcome})", visible(&result.title))
        }
        _ => visible(&result.title),
    };
    write!(
        text,
        "    <testcase name=\"{}\" classname=\"{}.{}\" time=\"0\"",
        attribute(&title),
        attribute(gate),
        attribute(&result.id)
    )?;
    let Some(element) = element else {
        return writeln!(text, "/>");
    };
    let warning = match result.weight {
        Weight::Warning => "warning: ",
        Weight::Blocking => "",
    };
    let message = alloc::format!("{warning}{}", visible(&result.check.found));
    writeln!(
        text,
        ">\n      <{element} message=\"{}\" type=\"{}\">",
        attribute(&message),
        result.outcome()
    )?;
    write_check(text, &result.check)?;
    let (remedy, owner) = (visible(&result.remedy), visible(&result.owner));
    writeln!(text, "do: {} [{}]", attribute(&remedy), attribute(&owner))?;
    writeln!(text, "      </{element}>\n    </testcase>")
}

fn write_check(text: &mut String, check: &CheckResult) -> core::fmt::Result {
    if check.outcome != Outcome::Pass {
        let (asked, found) = (visible(&check.asked), visible(&check.found));
        writeln!(text, "asked: {}", attribute(&asked))?;
        writeln!(text, "found: {}", attribute(&found))?;
    }
    check
        .parts
        .iter()
        .try_for_each(|part| write_check(text, part))
}
