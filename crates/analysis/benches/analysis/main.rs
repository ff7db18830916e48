//! False alarms and detection by simulation, beside other ways to judge, and what an analysis costs.
//!
//! `cargo xtask bench analysis`, or `cargo bench -p nonevent-analysis --bench analysis -- --runs 500`
//! for a quick look; `--plots DIR` also writes curves. Everything is seeded: the same tables on every machine.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "counts of a simulation stay far below 2^53"
)]

mod contest;
mod plots;
mod rollouts;
mod speed;
mod tables;
#[path = "../../tests/world/mod.rs"]
mod world;

use tables::Table;

fn main() {
    let runs = option("--runs")
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(10_000);
    println!(
        "{runs} seeded runs per cell, {} looks a minute apart, baseline {} %, alpha {} % one-sided.",
        contest::LOOKS,
        100.0 * contest::BASELINE,
        100.0 * contest::ALPHA
    );
    println!("Each cell: the share of runs called worse, and the median minute at which.");
    let tables = [
        ("500 requests a minute per version", [500, 500], false),
        ("50 requests a minute per version", [50, 50], false),
        ("500 per version, bursts shared by both", [500, 500], true),
        ("50 per version, bursts shared by both", [50, 50], true),
        (
            "950 stable and 50 canary requests a minute",
            [950, 50],
            false,
        ),
        (
            "9500 stable and 500 canary requests a minute",
            [9_500, 500],
            false,
        ),
    ];
    let tables = tables.map(|(title, requests, shared)| {
        let table = Table::run(title, requests, shared, runs);
        table.print();
        table
    });
    println!("\n### What was wanted\n");
    tables.iter().for_each(Table::print_wanted);
    if let Some(folder) = option("--plots") {
        let written = plots::write(std::path::Path::new(&folder), &tables);
        println!("\nPlots in {folder}: {written:?}");
    }
    rollouts::print(runs.min(1_000));
    println!("\n### What it costs\n");
    speed::print();
}

fn option(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)
}
