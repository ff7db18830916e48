//! JUnit XML reports, as Ant wrote them first and most test runners write them now.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use roxmltree::Node;

use crate::checks::source::{Source, SourceFile};
use crate::checks::xml;
use crate::outcome::{Input, Unmet};
use crate::tree::Tree;

/// The largest report read, in bytes.
const BYTES_MAX: usize = 8 << 20;

/// Asks how many tests ran and how many of them failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JunitCheck {
    pub(crate) source: Source,
    /// Tests that ran, at least; skipped ones do not count.
    pub(crate) min_tests: u32,
    /// Tests that failed or ended in an error, at most.
    pub(crate) max_failures: u32,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    ran: u64,
    failed: u64,
    skipped: u64,
}

impl JunitCheck {
    pub(crate) fn asked(&self) -> String {
        format!(
            "in {}, at least {} test(s) that ran and at most {} that failed",
            self.source.glob, self.min_tests, self.max_failures
        )
    }

    pub(crate) fn evaluate(&self, tree: &Tree) -> Result<(String, Vec<Input>), Unmet> {
        let (files, inputs) = self.source.open(tree)?;
        let mut sum = Counts::default();
        for file in &files {
            let counts = read(file)?;
            sum.ran += counts.ran;
            sum.failed += counts.failed;
            sum.skipped += counts.skipped;
        }
        let found = format!(
            "{} ran, {} failed, {} skipped in {} report(s)",
            sum.ran,
            sum.failed,
            sum.skipped,
            files.len()
        );
        let met =
            sum.ran >= u64::from(self.min_tests) && sum.failed <= u64::from(self.max_failures);
        if met {
            Ok((found, inputs))
        } else {
            Err(Unmet::fail(found))
        }
    }
}

fn read(file: &SourceFile<'_>) -> Result<Counts, Unmet> {
    let path = file.path;
    let refuse = |why: String| Unmet::error(format!("{path}: {why}"));
    if file.bytes.len() > BYTES_MAX {
        return Err(refuse(format!("over {BYTES_MAX} bytes")));
    }
    let text = core::str::from_utf8(file.bytes)
        .map_err(|bad| refuse(format!("not UTF-8 at byte {}", bad.valid_up_to())))?;
    let document = xml::parse(text).map_err(refuse)?;
    count(document.root_element()).map_err(refuse)
}

fn count(root: Node<'_, '_>) -> Result<Counts, String> {
    if !matches!(root.tag_name().name(), "testsuites" | "testsuite") {
        return Err(format!(
            "the root is <{}>, not <testsuites> or <testsuite>",
            crate::path::visible(root.tag_name().name())
        ));
    }
    let cases = cases(root)?;
    let is_suite =
        |node: &Node<'_, '_>| matches!(node.tag_name().name(), "testsuites" | "testsuite");
    for suite in root.descendants().filter(is_suite) {
        compare(suite, &cases)?;
    }
    let mut counts = Counts::default();
    for case in &cases {
        counts.ran += u64::from(!case.skipped);
        counts.failed += u64::from(case.failed);
        counts.skipped += u64::from(case.skipped);
    }
    Ok(counts)
}

/// One `<testcase>`.
struct Case {
    /// Where it stands in the text.
    at: usize,
    failed: bool,
    skipped: bool,
    /// How many before it failed.
    failed_before: u64,
}

/// Every test case, in the order of the text.
fn cases(root: Node<'_, '_>) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    let mut failed_before = 0;
    for node in root.descendants().filter(|n| n.has_tag_name("testcase")) {
        if node
            .attribute("name")
            .is_none_or(|name| name.trim().is_empty())
        {
            return Err(String::from("a <testcase> has no name"));
        }
        let has = |tag: &str| node.children().any(|child| child.has_tag_name(tag));
        let failed = has("failure") || has("error");
        cases.push(Case {
            at: node.range().start,
            failed,
            skipped: !failed && has("skipped"),
            failed_before,
        });
        failed_before += u64::from(failed);
    }
    Ok(cases)
}

/// A suite may not hold fewer cases or failures than it declares: then it was cut short.
fn compare(suite: Node<'_, '_>, cases: &[Case]) -> Result<(), String> {
    let range = suite.range();
    let first = cases.partition_point(|case| case.at < range.start);
    let end = cases.partition_point(|case| case.at < range.end);
    let failed_before = |index: usize| match cases.get(index) {
        Some(case) => case.failed_before,
        None => cases
            .last()
            .map_or(0, |c| c.failed_before + u64::from(c.failed)),
    };
    let held = (end - first) as u64;
    let held_failed = failed_before(end) - failed_before(first);
    let tests = number(suite, "tests")?.unwrap_or(0);
    let failures = number(suite, "failures")?.unwrap_or(0);
    let errors = number(suite, "errors")?.unwrap_or(0);
    if tests > held {
        return Err(format!(
            "it declares {tests} tests and holds {held}: it is cut short"
        ));
    }
    if failures.saturating_add(errors) > held_failed {
        return Err(format!(
            "it declares {failures} failures and {errors} errors and holds {held_failed}: it is \
             cut short"
        ));
    }
    Ok(())
}

fn number(node: Node<'_, '_>, attribute: &str) -> Result<Option<u64>, String> {
    let Some(text) = node.attribute(attribute) else {
        return Ok(None);
    };
    let number = text.trim().parse().map_err(|_| {
        format!(
            "{attribute}=\"{}\" is no whole number",
            crate::path::visible(text)
        )
    })?;
    Ok(Some(number))
}
