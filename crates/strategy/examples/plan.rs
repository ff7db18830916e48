//! Prints the plan of a deployment document as a table.
//!
//! `cargo run -p nonevent-strategy --example plan -- deployment.yaml`; without an argument, of a
//! canary with the field's usual figures.

use std::error::Error;

use nonevent_document::{Document, Limits, format_duration_ms};
use nonevent_strategy::{Action, Facts, Plan, check, plan, plan_duration_ms, read};

fn main() -> Result<(), Box<dyn Error>> {
    let (name, bytes) = match std::env::args().nth(1) {
        Some(path) => (path.clone(), std::fs::read(path)?),
        None => (
            String::from("canary.yaml"),
            include_bytes!("../../../fixtures/deployment/canary.yaml").to_vec(),
        ),
    };
    let document = Document::parse(&name, &bytes, &Limits::default())?;
    let checked = check(read(&document)?, Facts::default(), Some(&document))?;
    for finding in checked.findings() {
        println!("{finding}");
    }
    show(&plan(&checked))
}

fn show(plan: &Plan) -> Result<(), Box<dyn Error>> {
    println!(
        "{} of {} in {}, {} to {}\nplan {}\n",
        plan.strategy,
        plan.service,
        plan.environment,
        plan.release.from,
        plan.release.to,
        plan.digest()?.short()
    );
    println!("    step              canary gets  stable  canary  watched  way back within");
    for (number, step) in plan.steps.iter().enumerate() {
        let watched = match step.action {
            Action::Watch { for_ms, .. } => format_duration_ms(for_ms),
            _ => String::from("-"),
        };
        println!(
            "{:>3} {:17} {:>11} {:>7} {:>7} {watched:>8}  {}",
            number + 1,
            step.id,
            step.target.split.to_string(),
            step.target.stable,
            step.target.canary,
            format_duration_ms(step.back_within_ms)
        );
    }
    let (expected_ms, longest_ms) = plan_duration_ms(plan);
    println!(
        "\n{} if all goes well, {} at most",
        format_duration_ms(expected_ms),
        format_duration_ms(longest_ms)
    );
    Ok(())
}
