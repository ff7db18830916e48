//! How long a simulated year takes, by strategy, and what looking as often as the plan says would cost.
//!
//! `cargo xtask bench simulate`. Times are of this machine; the ratios say what the shortcut saves.

use std::hint::black_box;
use std::time::Instant;

use nonevent_rollout::simulate::{Scenario, simulate};
use nonevent_strategy::{Deployment, Facts, Plan, StrategyKind, check, plan};

const DAYS: u32 = 365;
/// The fastest of so many tries counts, since other work on the machine only adds.
const TRIES: u32 = 5;

fn default_plan(kind: StrategyKind) -> Plan {
    let deployment = Deployment::default_for(kind);
    plan(&check(deployment, Facts::default(), None).expect("a default document is sound"))
}

/// Seconds of the fastest try.
fn fastest(plan: &Plan, scenario: &Scenario) -> f64 {
    let once = |seed: u32| {
        let began = Instant::now();
        let report = simulate(plan, scenario, u64::from(seed), DAYS);
        black_box(report.expect("a default plan can be run"));
        began.elapsed().as_secs_f64()
    };
    (0..TRIES).map(once).fold(f64::INFINITY, f64::min)
}

fn main() {
    let usual = Scenario::default();
    let mut exact = usual.clone();
    exact.analysis.per_watch = 0;
    println!("{DAYS} days of {} releases", usual.releases.per_day);
    println!("| strategy | s | us a release | s with every look | times |\n|---|---|---|---|---|");
    let releases = f64::from(DAYS * usual.releases.per_day);
    let mut slowest: f64 = 0.0;
    for kind in StrategyKind::ALL {
        let plan = default_plan(kind);
        let (few, all) = (fastest(&plan, &usual), fastest(&plan, &exact));
        let each = few * 1e6 / releases;
        println!(
            "| {kind} | {few:.2} | {each:.0} | {all:.2} | {:.1} |",
            all / few
        );
        slowest = slowest.max(few);
    }
    println!(
        "\nunder 1 s wanted: {}",
        if slowest < 1.0 {
            "reached"
        } else {
            "NOT REACHED"
        }
    );
}
