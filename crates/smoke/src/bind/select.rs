//! Which tests of a suite are run, and as which cases.

use nonevent_document::Findings;

use crate::codes;
use crate::options::Options;
use crate::report::result::Part;
use crate::suite::model::{Suite, Test};

/// One test on one row of its table, one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    /// Its place among the cases of the whole suite, from 0.
    pub(crate) index: usize,
    /// Its test's place in the suite.
    pub(crate) test: usize,
    pub(crate) row: usize,
    /// From 0.
    pub(crate) round: u32,
}

/// The cases to be run, in the order of the suite; findings if there are none.
pub(crate) fn select(suite: &Suite, options: &Options, findings: &mut Findings) -> Vec<Case> {
    let chosen = choose(suite, options, findings);
    let mut cases = Vec::new();
    let mut index = 0;
    for (at, test) in suite.tests.iter().enumerate() {
        let is_chosen = chosen.get(at).copied().unwrap_or_default();
        for row in 0..test.rows.len().max(1) {
            for round in 0..test.repeat {
                if is_chosen {
                    cases.push(Case {
                        index,
                        test: at,
                        row,
                        round,
                    });
                }
                index += 1;
            }
        }
    }
    cases
}

/// For each test of the suite, whether it is run.
fn choose(suite: &Suite, options: &Options, findings: &mut Findings) -> Vec<bool> {
    let tests = &suite.tests;
    let place = &suite.place;
    let mut fail = |message: String, help: &str| {
        findings.push(place.error(codes::NO_TEST, message, help));
    };
    let exists = |name: &String| tests.iter().any(|test| test.name == *name);
    let has_tag = |test: &Test, tags: &[String]| test.tags.iter().any(|tag| tags.contains(tag));
    let mut wrong = false;
    for name in options.only.iter().filter(|name| !exists(name)) {
        wrong = true;
        fail(
            format!("no test is called `{name}`"),
            "select a test by the whole of its name",
        );
    }
    for tag in options.tags.iter().chain(&options.skip_tags) {
        if !tests.iter().any(|test| test.tags.contains(tag)) {
            wrong = true;
            fail(format!("no test has the tag `{tag}`"), &known_tags(tests));
        }
    }
    let mut chosen: Vec<bool> = tests
        .iter()
        .map(|test| {
            test.part == Part::Test
                && (options.only.is_empty() || options.only.contains(&test.name))
                && (options.tags.is_empty() || has_tag(test, &options.tags))
                && !has_tag(test, &options.skip_tags)
        })
        .collect();
    if !chosen.contains(&true) && !wrong {
        fail("no test is selected".to_owned(), "select at least one");
    }
    // Setup and teardown are run whatever is selected, and so is what a selected test needs.
    for at in (0..tests.len()).rev() {
        let Some(test) = tests.get(at) else { continue };
        let is_chosen = chosen.get(at).copied().unwrap_or_default();
        if is_chosen || test.part != Part::Test {
            for needed in test.needs.iter().copied().chain([at]) {
                if let Some(chosen) = chosen.get_mut(needed) {
                    *chosen = true;
                }
            }
        }
    }
    chosen
}

fn known_tags(tests: &[Test]) -> String {
    let mut tags: Vec<&str> = tests.iter().flat_map(Test::tags).collect();
    tags.sort_unstable();
    tags.dedup();
    if tags.is_empty() {
        "no test of this suite has a tag".to_owned()
    } else {
        format!("the tags are: {}", tags.join(", "))
    }
}
