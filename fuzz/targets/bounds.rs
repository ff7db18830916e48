//! Any text as the bounds of an analysis: findings in their places, or a bound whose canonical
//! form reads back as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nonevent_analysis::bounds::{Facts, check};

fuzz_target!(|text: &str| {
    let checked = check(text, &Facts::default());
    assert_eq!(checked.bound.is_none(), checked.findings.has_errors());
    for finding in &checked.findings {
        let span = finding.span.clone().expect("a place");
        assert!(text.get(span).is_some(), "a place inside a character");
    }
    if let Some(bound) = checked.bound {
        let again = check(&bound.to_string(), &Facts::default());
        assert_eq!(again.bound.as_ref(), Some(&bound));
    }
});
