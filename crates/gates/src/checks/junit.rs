//! JUnit XML reports, as Ant wrote them first and most test runners write them now.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use roxmltree::{Document, Node, ParsingOptions};

use crate::checks::source::{Source, SourceFile};
use crate::outcome::{Input, Unmet};
use crate::tree::Tree;

/// The largest report read, in bytes.
const BYTES_MAX: usize = 8 << 20;
/// The most XML nodes in one report.
const NODES_MAX: u32 = 500_000;

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
    // Without a DTD there are no entities to expand and nothing to fetch.
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES_MAX,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options)
        .map_err(|bad| refuse(format!("not read as XML: {bad}")))?;
    count(document.root_element()).map_err(refuse)
}

fn count(root: Node<'_, '_>) -> Result<Counts, String> {
    if !matches!(root.tag_name().name(), "testsuites" | "testsuite") {
        return Err(format!(
            "the root is <{}>, not <testsuites> or <testsuite>",
            crate::path::visible(root.tag_name().name())
        ));
    }
    let mut counts = Counts::default();
    for case in root.descendants().filter(|n| n.has_tag_name("testcase")) {
        if case.attribute("name").is_none_or(|name| name.trim().is_empty()) {
            return Err(String::from("a <testcase> has no name"));
        }
        let has = |tag: &str| case.children().any(|child| child.has_tag_name(tag));
        if has("failure") || has("error") {
            counts.failed += 1;
            counts.ran += 1;
        } else if has("skipped") {
            counts.skipped += 1;
        } else {
            counts.ran += 1;
        }
    }
    declared(root, "tests", counts.ran + counts.skipped)?;
    let failures = number(root, "failures")?.unwrap_or(0);
    let errors = number(root, "errors")?.unwrap_or(0);
    if failures.saturating_add(errors) > counts.failed {
        return Err(format!(
            "it declares {failures} failures and {errors} errors and holds {}: it is cut short",
            counts.failed
        ));
    }
    let suites = root.descendants().filter(|n| n.has_tag_name("testsuite"));
    for suite in suites {
        let cases = suite.descendants().filter(|n| n.has_tag_name("testcase"));
        if number(suite, "tests")?.is_some_and(|tests| tests > 0) {
            declared(suite, "tests", cases.count() as u64)?;
        }
    }
    Ok(counts)
}

/// A report may not hold fewer cases than it says.
fn declared(node: Node<'_, '_>, attribute: &str, held: u64) -> Result<(), String> {
    match number(node, attribute)? {
        Some(declared) if declared > held => Err(format!(
            "it declares {declared} {attribute} and holds {held}: it is cut short"
        )),
        _ => Ok(()),
    }
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
