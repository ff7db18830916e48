//! Reads two recorded looks at raw counters and prints what was counted between them, and the
//! verdict.
//!
//! `cargo run -p nonevent-analysis --example prometheus_look [EARLIER LATER]`. Each file is the
//! reply of Prometheus to the instant query that is printed first, asked a minute apart. Without
//! files, two that lie with the repository are read.

use std::error::Error;

use nonevent_analysis::metrics::{
    ArmNames, ArmReplies, CounterLook, CounterReplies, FailedLabel, Failures, Fill, Look,
    LookRules, PrometheusApi, Reply, Template,
};
use nonevent_analysis::{Comparison, Observation, Outcome, Policy};

const FIXTURES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../fixtures/analysis/prometheus/looks"
);
/// When the files were recorded, in milliseconds since 1970.
const ASKED_MS: [u64; 2] = [1_767_225_600_000, 1_767_225_660_000];

fn main() -> Result<(), Box<dyn Error>> {
    // What a deployer would send.
    let template = Template::parse(r#"http_requests_total{job="{{service}}"}[{{window}}]"#)
        .map_err(|problems| problems[0].clone())?;
    let values = [
        ("service", Fill::Text("shop")),
        ("window", Fill::DurationMs(60_000)),
    ];
    let query = template
        .fill(&values)
        .map_err(|problems| problems[0].clone())?;
    for asked_ms in ASKED_MS {
        let request = PrometheusApi::new("")?.instant(&query, asked_ms)?;
        println!("{} {}", request.method.as_str(), request.target);
    }

    // What came back.
    let mut files = std::env::args().skip(1);
    let earlier = files.next().unwrap_or(format!("{FIXTURES}/earlier.json"));
    let later = files.next().unwrap_or(format!("{FIXTURES}/later.json"));
    let rules = LookRules::default();
    let [earlier, later] =
        [(earlier, ASKED_MS[0]), (later, ASKED_MS[1])].map(|(file, asked_ms)| {
            let reply = Reply::read(200, &std::fs::read(file)?)?;
            Ok::<_, Box<dyn Error>>(look(&reply, asked_ms, &rules))
        });
    let (earlier, later) = (earlier?, later?);

    let observation = match (&earlier.result, &later.result) {
        (Ok(before), Ok(after)) => {
            let window = after.since(before, None, &rules);
            print_findings(&window);
            window.observation()
        }
        (Err(gap), _) | (_, Err(gap)) => {
            print_findings(&earlier);
            print_findings(&later);
            Observation::Gap { reason: *gap }
        }
    };
    println!("{observation:?}");
    let policy = Policy {
        p99_ratio_max_percent: None,
        // Two looks are one window: too little to pass on the absence of evidence.
        require_non_inferiority: true,
        ..Policy::default()
    };
    let verdict = Comparison::new(&policy).observe(&observation);
    println!("{:?}: {}", verdict.outcome, verdict.reason);
    if verdict.outcome == Outcome::Fail {
        // Here a deployer goes back.
        println!("the canary would be taken out of service");
    }
    Ok(())
}

fn look(reply: &Reply, asked_ms: u64, rules: &LookRules) -> Look<CounterLook> {
    let arms = ArmNames {
        label: "version".into(),
        stable: "1.4.1".into(),
        canary: "1.4.2".into(),
    };
    let failed = FailedLabel {
        label: "code".into(),
        prefixes: vec!["5".into()],
    };
    let replies = CounterReplies {
        requests: ArmReplies::ByLabel { reply, arms: &arms },
        errors: Failures::Label(&failed),
        latency: None,
    };
    CounterLook::read(asked_ms, &replies, rules)
}

fn print_findings<T>(look: &Look<T>) {
    for finding in &look.findings {
        println!("- {finding}");
    }
}
