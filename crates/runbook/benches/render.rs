//! How long a large runbook takes: a plan of 200 steps made, rendered in each form, and read back.
//!
//! `cargo bench -p nonevent-runbook`

use std::hint::black_box;
use std::time::{Duration, Instant};

use nonevent_document::Timestamp;
use nonevent_runbook::{
    Circumstances, Facts, Runbook, Templates, check, page_digest, parse, update,
};
use nonevent_strategy::{
    Canary, CanaryStep, Deployment, Plan, SplitBy, Strategy, StrategyKind, check as strategy_check,
    plan,
};

const STEPS: usize = 200;

fn main() {
    let plan = large(|_| {});
    let facts = Facts::at(Timestamp::from_unix_ms(0));
    let templates = Templates::new();
    let runbook = Runbook::of(&plan, &facts).expect("the plan has a digest");
    let markdown = runbook.to_markdown();
    println!(
        "{} steps, {} bytes of Markdown",
        plan.steps.len(),
        markdown.len()
    );
    report("Runbook::of", || {
        black_box(Runbook::of(&plan, &facts)).expect("as before");
    });
    report("Templates::new", || {
        black_box(Templates::new());
    });
    report("render_with", || {
        black_box(runbook.render_with(&templates)).expect("as before");
    });
    report("to_markdown", || {
        black_box(runbook.to_markdown());
    });
    report("to_html", || {
        black_box(runbook.to_html());
    });
    report("to_json", || {
        black_box(runbook.to_json());
    });
    report("read", || {
        black_box(parse(&markdown, &plan)).expect("as before");
    });
    let page = worked_on(&markdown);
    let other = large(|deployment| deployment.fleet.drain_ms += 1_000);
    let other = Runbook::of(&other, &facts).expect("the plan has a digest");
    let rendered = other.to_markdown();
    println!(
        "a page of {} bytes that people worked on, and another plan:",
        page.len()
    );
    report("update", || {
        black_box(update(&page, &rendered));
    });
    report("render and update", || {
        let rendered = other.render_with(&templates).expect("as before");
        black_box(update(&page, &rendered));
    });
    report("check", || {
        black_box(check(&page, &plan, &Circumstances::default())).expect("as before");
    });
    report("page_digest", || {
        black_box(page_digest(&page));
    });
}

/// The page with every third box ticked, and a note under every fifth item.
fn worked_on(page: &str) -> String {
    let mut out = String::with_capacity(page.len() * 2);
    for (at, line) in page.split_inclusive('\n').enumerate() {
        match at % 3 {
            0 => out.push_str(&line.replacen("[ ]", "[x]", 1)),
            _ => out.push_str(line),
        }
        if at % 5 == 0 && line.starts_with("- [") {
            out.push_str("  - seen at 10:07 by ada, on board 7\n");
        }
    }
    out
}

/// A canary that climbs in so many small steps that its plan has about 200.
fn large(change: impl FnOnce(&mut Deployment)) -> Plan {
    let mut deployment = Deployment::default_for(StrategyKind::Canary);
    deployment.fleet.replicas = 20;
    deployment.fleet.spare = 20;
    let climbs = 88u16;
    let steps = (1..=climbs).map(|step| {
        let traffic = nonevent_document::Percent::from_basis_points(
            u16::try_from(10_000 * u32::from(step) / u32::from(climbs)).expect("at most 10 000"),
        );
        CanaryStep::new(traffic.expect("at most 10 000"), 600_000)
    });
    deployment.strategy = Strategy::Canary(Canary {
        steps: steps.collect(),
        split_by: SplitBy::Request,
        requests_per_user: 50,
        baseline: false,
    });
    change(&mut deployment);
    let checked = strategy_check(deployment, nonevent_strategy::Facts::default(), None)
        .expect("it breaks no rule");
    let plan = plan(&checked);
    assert!(
        plan.steps.len().abs_diff(STEPS) < 5,
        "{} steps",
        plan.steps.len()
    );
    plan
}

/// The median of runs over half a second.
fn report(name: &str, mut run: impl FnMut()) {
    // As with other benches, a word on the command line is a part of the name.
    let mut asked = std::env::args().skip(1).filter(|it| !it.starts_with('-'));
    if asked.next().is_some_and(|it| !name.contains(&it)) {
        return;
    }
    let until = Instant::now() + Duration::from_millis(500);
    let mut times = Vec::new();
    while Instant::now() < until || times.len() < 5 {
        let start = Instant::now();
        run();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    println!(
        "{name:18} {:8.3} ms",
        times[times.len() / 2].as_secs_f64() * 1e3
    );
}
