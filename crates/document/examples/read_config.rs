//! Reads a configuration, checks it, and prints what is wrong with excerpts of the text:
//! `cargo run --example read_config [FILE]`. It exits 1 if a file has errors. Without a file, it
//! shows what it has to say about one with two mistakes, and exits 0.

use std::process::ExitCode;

use nonevent_document::{
    Code, Document, DurationMs, Finding, Findings, Limits, Percent, format_duration_ms,
};
use serde::Deserialize;

const PAUSE_TOO_SHORT: Code = Code::new("EX0001");
const WEIGHT_FALLS: Code = Code::new("EX0002");

const SAMPLE: &str = "\
service: shop
steps:
- weight: 5%
  pause: 20s
- weight: 25%
  pause: 10m
- weight: 10%
  pause: 10m
";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    service: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    weight: Percent,
    pause: DurationMs,
}

/// The program's own rules: all of them are checked, and each finding gets its place.
fn check(document: &Document, config: &Config) -> Findings {
    let mut findings = Findings::new();
    for (index, step) in config.steps.iter().enumerate() {
        if step.pause.0 < 60_000 {
            findings.push(document.resolve(Finding::warning(
                PAUSE_TOO_SHORT,
                format!("steps[{index}].pause"),
                format!(
                    "{} is hardly enough to see anything",
                    format_duration_ms(step.pause.0)
                ),
                "pause for at least a minute",
            )));
        }
        if index > 0 && step.weight < config.steps[index - 1].weight {
            findings.push(document.resolve(Finding::error(
                WEIGHT_FALLS,
                format!("steps[{index}].weight"),
                "the weight is less than that of the step before",
                "let weights grow from step to step",
            )));
        }
    }
    findings
}

fn main() -> ExitCode {
    let file = std::env::args().nth(1);
    let is_sample = file.is_none();
    let (name, bytes) = match file {
        None => (String::from("sample.yaml"), SAMPLE.as_bytes().to_vec()),
        Some(name) => match std::fs::read(&name) {
            Ok(bytes) => (name, bytes),
            Err(error) => {
                eprintln!("{name}: {error}");
                return ExitCode::from(3);
            }
        },
    };
    let text = String::from_utf8_lossy(&bytes);
    let read = Document::parse(&name, &bytes, &Limits::default())
        .and_then(|document| Ok((document.decode::<Config>()?, document)));
    let findings = match read {
        Err(findings) => findings,
        Ok((config, document)) => {
            println!("{} has {} steps", config.service, config.steps.len());
            check(&document, &config)
        }
    };
    print!("{}", findings.render(&name, &text, false));
    ExitCode::from(u8::from(findings.has_errors() && !is_sample))
}
