//! Reads a bound and prints its findings, or its canonical form and an explanation.
//!
//! `cargo run -p nonevent-analysis --example bounds 'error_rate <= 1% or p99 = 5'`

use std::process::ExitCode;

use nonevent_analysis::bounds::{Clause, Confidence, ConfidenceOf, Facts, Known, Limit, check};

/// Made-up figures over two minutes: whatever is measured by a fixed limit is a fifth above it, and
/// nothing is known of the baseline.
fn measured(clause: &Clause) -> Option<Known> {
    let Limit::Absolute(limit) = clause.limit() else {
        return None;
    };
    let value = limit.value() * 1.2;
    Some(Known {
        at_ms: 120_000,
        canary: Some(value),
        confidence: Some(Confidence {
            of: ConfidenceOf::Canary,
            lower: Some(value * 0.95),
            upper: Some(value * 1.05),
        }),
        requests: Some(2_000),
        beyond_since_ms: Some(0),
        ..Known::default()
    })
}

fn main() -> ExitCode {
    let text = std::env::args().nth(1);
    let text = text
        .as_deref()
        .unwrap_or("error_rate ≤ 1.0 % and (p99 ≤ 800ms or p99 ≤ baseline × 2 for 5m)");
    let facts = Facts::default();
    let checked = check(text, &facts);
    print!("{}", checked.findings.render("bound", text, false));
    let Some(bound) = checked.bound else {
        return ExitCode::FAILURE;
    };
    let explanation = bound.explain(&facts, measured);
    println!("{bound}\n{:?}", explanation.answer);
    for clause in &explanation.clauses {
        println!("- {}", clause.sentence);
    }
    ExitCode::SUCCESS
}
