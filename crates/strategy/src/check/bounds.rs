//! The bounds of an analysis, from words to its policy.

use alloc::vec::Vec;

use nonevent_analysis::Policy;
use nonevent_analysis::bounds::{Facts, check};
use nonevent_document::Finding;

use crate::rules;

/// Reads the text, which stands at `path`, into the policy; says what is wrong with it.
pub(super) fn read(path: &str, text: &str, policy: &mut Policy) -> Vec<Finding> {
    let read = check(text, &Facts::default());
    // A place within the text is none within the document: the message quotes what it is about.
    let placed = read.findings.into_iter().map(|it| Finding {
        path: path.into(),
        at: None,
        span: None,
        ..it
    });
    let mut findings: Vec<Finding> = placed.collect();
    if let Some(bound) = read.bound {
        match policy.clone().with_bounds(&bound) {
            Ok(bounded) => *policy = bounded,
            Err(problems) => findings.extend(problems.into_iter().map(|problem| {
                let (what, help) = match problem.message.split_once("; ") {
                    Some((what, help)) => (what, help),
                    None => (problem.message.as_str(), "leave it out"),
                };
                rules::ANALYSIS_BOUNDS.finding(path, what, help)
            })),
        }
    }
    findings
}
