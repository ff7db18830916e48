//! Simulates a time of releases under the deployment documents named on the command line, or under the
//! four default strategies, on the same releases: `simulate [--days N] [--seed S] [--scenario FILE] [FILE …]`.

use std::time::Instant;

use nonevent_document::{Document, Limits, format_duration_ms};
use nonevent_rollout::simulate::{Scenario, Times, compare};
use nonevent_strategy::{Deployment, Facts, Plan, StrategyKind, check, plan, read};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut days, mut seed, mut scenario) = (365, 1, Scenario::default());
    let mut files = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument}: which?"));
        match argument.as_str() {
            "--days" => days = value()?.parse()?,
            "--seed" => seed = value()?.parse()?,
            "--scenario" => {
                scenario = document(&value()?)?.decode().map_err(|it| it.to_string())?;
            }
            _ => files.push(argument),
        }
    }
    let mut deployments = Vec::new();
    for file in files {
        let deployment = read(&document(&file)?).map_err(|findings| findings.to_string())?;
        deployments.push((file, deployment));
    }
    if deployments.is_empty() {
        let defaults = StrategyKind::ALL;
        deployments.extend(defaults.map(|kind| (kind.to_string(), Deployment::default_for(kind))));
    }
    let mut plans: Vec<(String, Plan)> = Vec::new();
    for (name, deployment) in deployments {
        let checked = check(deployment, Facts::default(), None)
            .map_err(|findings| format!("{name}: {findings}"))?;
        plans.push((name, plan(&checked)));
    }
    for (name, plan) in &plans {
        let began = Instant::now();
        let report = compare(&[(name, plan)], &scenario, seed, days)?;
        let took = began.elapsed().as_secs_f64();
        let it = &report.strategies[0];
        println!(
            "{name}: {} releases in {took:.2} s; of {} bad ones {} caught, {} missed; of {} good ones {} \
             rolled back; {} of {} users harmed; detected in {}, recovered in {}, released in {}",
            report.releases,
            it.bad.releases,
            it.bad.caught,
            it.bad.missed,
            it.good.releases,
            it.good.rolled_back,
            it.users.users_harmed,
            it.users.users,
            times(it.time_to_detect),
            times(it.time_to_recover),
            times(it.lead_time),
        );
    }
    Ok(())
}

fn document(file: &str) -> Result<Document, Box<dyn std::error::Error>> {
    let bytes = std::fs::read(file)?;
    Ok(Document::parse(file, &bytes, &Limits::default())
        .map_err(|findings| findings.to_string())?)
}

fn times(times: Times) -> String {
    match (times.median_ms, times.p95_ms) {
        (Some(median), Some(p95)) => {
            let words = [median, p95].map(|ms| format_duration_ms(ms / 1_000 * 1_000));
            format!("{} (95 %: {})", words[0], words[1])
        }
        _ => String::from("none"),
    }
}
