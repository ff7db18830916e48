//! Proves the deployment documents named on the command line, or the four default ones, and prints
//! what was searched: `prove [--faults N] [--states N] [FILE …]`.

use std::time::Instant;

use nonevent_document::{Document, Limits, format_duration_ms};
use nonevent_rollout::{Answer, FaultModel, ProofLimits, prove};
use nonevent_strategy::{Deployment, Facts, StrategyKind, check, plan, read};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut faults, mut limits) = (FaultModel::default(), ProofLimits::default());
    let mut files = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--faults" => faults.combined = arguments.next().ok_or("how many?")?.parse()?,
            "--states" => limits.states_max = arguments.next().ok_or("how many?")?.parse()?,
            _ => files.push(argument),
        }
    }
    let mut deployments = Vec::new();
    for file in &files {
        let bytes = std::fs::read(file)?;
        let document = Document::parse(file, &bytes, &Limits::default())
            .and_then(|document| read(&document))
            .map_err(|findings| findings.to_string())?;
        deployments.push((file.clone(), document));
    }
    if files.is_empty() {
        let defaults = StrategyKind::ALL;
        deployments.extend(defaults.map(|kind| (kind.to_string(), Deployment::default_for(kind))));
    }
    for (name, deployment) in deployments {
        let checked = check(deployment, Facts::default(), None)
            .map_err(|findings| format!("{name}: {findings}"))?;
        let began = Instant::now();
        match prove(&plan(&checked), faults, limits)? {
            Answer::Holds(proof) => println!(
                "{name}: holds in {} states and {} transitions with {} faults ({:.2} s); stable \
                 is back within {}",
                proof.states,
                proof.transitions,
                proof.faults,
                began.elapsed().as_secs_f64(),
                format_duration_ms(proof.worst_recovery_ms),
            ),
            Answer::Refuted(example) => println!("{name}: {example}"),
            Answer::Undecided(undecided) => println!("{name}: {}", undecided.reason),
        }
    }
    Ok(())
}
