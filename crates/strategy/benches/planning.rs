//! How long checking and planning take: for a document as large as any, and as a fleet grows.
//!
//! `cargo bench -p nonevent-strategy --bench planning`. Times are of this machine; the ratios say how
//! they grow.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use nonevent_document::{Document, Limits, Percent};
use nonevent_strategy::{Facts, check, plan, read};

/// A canary of so many steps over so many instances.
fn ramp(steps: u16, instances: u32) -> String {
    let mut text = header(instances, instances);
    text.push_str("strategy:\n  canary:\n    steps:\n");
    for step in 1..=steps {
        let points = u16::try_from(10_000 * u32::from(step) / u32::from(steps)).expect("a share");
        let traffic = Percent::from_basis_points(points).expect("a share");
        writeln!(text, "      - {{ traffic: {traffic}, pause: 10m }}").expect("a String");
    }
    text
}

/// A rolling update of so many instances, one after another.
fn rolling(instances: u32) -> String {
    let mut text = header(instances, 1);
    text.push_str("strategy:\n  rolling: { max_surge: 1, max_unavailable: 0 }\n");
    text
}

fn header(instances: u32, spare: u32) -> String {
    format!(
        "apiVersion: nonevent/v1\nkind: Deployment\nservice: checkout\nenvironment: production\n\
         release: {{ from: 1.4.2, to: 1.5.0 }}\n\
         fleet:\n  replicas: {instances}\n  spare: {spare}\n  connections: close_after\n  \
         requests_per_second: 4000\n\
         analysis: {{ every: 30s }}\nrollback: {{ within: 30d }}\n"
    )
}

/// Reads, checks and plans; says how many steps came of it.
fn whole(text: &str) -> usize {
    let document = Document::parse("bench.yaml", text.as_bytes(), &Limits::default())
        .expect("it is written above");
    let deployment = read(&document).expect("it is a deployment");
    let checked =
        check(deployment, Facts::default(), Some(&document)).expect("it breaks no hard rule");
    plan(&checked).steps.len()
}

fn fastest(text: &str) -> (Duration, usize) {
    const TRIES: usize = 15;
    let steps = whole(text);
    let once = || {
        let start = Instant::now();
        black_box(whole(black_box(text)));
        start.elapsed()
    };
    let least = (0..TRIES).map(|_| once()).min();
    (least.expect("more than none"), steps)
}

fn main() {
    println!("| document | instances | steps of the plan | ms |\n|---|---|---|---|");
    let row = |name: &str, instances: u32, text: &str| {
        let (time, steps) = fastest(text);
        let ms = time.as_secs_f64() * 1e3;
        println!("| {name} | {instances} | {steps} | {ms:.2} |");
        ms
    };
    let wanted = row("canary, 200 steps", 5_000, &ramp(200, 5_000));
    println!(
        "\nunder 10 ms wanted: {}\n",
        if wanted < 10.0 {
            "reached"
        } else {
            "NOT REACHED"
        }
    );
    println!("| document | instances | steps of the plan | ms |\n|---|---|---|---|");
    for instances in [10, 100, 1_000, 10_000] {
        row("canary, 200 steps", instances, &ramp(200, instances));
    }
    for instances in [10, 100, 1_000, 10_000] {
        row("rolling, one by one", instances, &rolling(instances));
    }
}
