//! Recorded and spoilt replies, and what is read from them. The files are in `fixtures/analysis`.
#![cfg(feature = "metrics")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use nonevent_analysis::Window;
use nonevent_analysis::metrics::{
    AlertAnswer, AlertMatcher, AlertSelect, ArmNames, ArmReplies, ArmValues, CounterLook,
    CounterReplies, FailedLabel, Failures, IncreaseReplies, Look, LookRules, Reply, SampleValue,
    WindowTimes, arm_values, window_of_increases,
};
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/analysis");
    root.join(name)
}

/// The minute that the recorded bodies are about.
const TIMES: WindowTimes = WindowTimes {
    opened_ms: 1_767_225_600_000,
    closed_ms: 1_767_225_660_000,
    changed_ms: None,
};

/// The files of a folder in the order of their names.
fn files(name: &str) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder(name)).expect("the folder is there");
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let path = entry.expect("readable").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), std::fs::read(&path).expect("readable"))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{name} is empty");
    files
}

fn cases(name: &str) -> Vec<(String, Value)> {
    let read = |(name, bytes): (String, Vec<u8>)| {
        let value = serde_json::from_slice(&bytes).expect(&name);
        (name, value)
    };
    files(name).into_iter().map(read).collect()
}

/// The HTTP status that a file's name begins with.
fn status(name: &str) -> u16 {
    name[..3].parse().expect("a status")
}

fn reply(value: &Value) -> Reply {
    Reply::read(200, value.to_string().as_bytes()).expect("a reply")
}

fn set<T: serde::de::DeserializeOwned>(case: &Value, name: &str) -> Option<T> {
    let value = case.get(name).filter(|value| !value.is_null())?;
    Some(serde_json::from_value(value.clone()).expect("known fields"))
}

fn arms(case: &Value) -> ArmNames {
    set(case, "arms").unwrap_or(ArmNames {
        label: "version".into(),
        stable: "1.4.1".into(),
        canary: "1.4.2".into(),
    })
}

fn show(out: &mut String, name: &str, look: &Look<Window>) {
    writeln!(out, "# {name}").expect("a string");
    match &look.result {
        Ok(window) => {
            writeln!(out, "{} ms", window.length_ms).expect("a string");
            for (name, arm) in [("stable", &window.stable), ("canary", &window.canary)] {
                write!(
                    out,
                    "{name}: {} requests, {} errors",
                    arm.requests, arm.errors
                )
                .expect("a string");
                let bounds = arm.latency.bounds_us.iter().map(ToString::to_string);
                let bounds = bounds.chain(["∞".into()]);
                for (bound, count) in bounds.zip(&arm.latency.counts).filter(|(_, c)| **c > 0) {
                    write!(out, ", ≤{bound}µs: {count}").expect("a string");
                }
                out.push('\n');
            }
        }
        Err(gap) => writeln!(out, "{gap:?}: because {}", gap.clause()).expect("a string"),
    }
    for finding in &look.findings {
        let kind = finding
            .gap
            .map_or("remark".into(), |gap| format!("{gap:?}"));
        writeln!(out, "- [{kind}] {finding}").expect("a string");
    }
    out.push('\n');
}

#[test]
fn replies_are_read_or_refused_with_the_place() {
    let mut out = String::new();
    for (name, bytes) in files("prometheus/replies") {
        writeln!(out, "# {name}").expect("a string");
        match Reply::read(status(&name), &bytes) {
            Ok(reply) => {
                writeln!(out, "{:?}", reply.kind).expect("a string");
                for series in &reply.series {
                    writeln!(out, "  {:?}", series.labels).expect("a string");
                    for point in &series.points {
                        let value = match &point.value {
                            SampleValue::Number(number) => number.to_string(),
                            SampleValue::Histogram(h) => {
                                format!("{} in {} buckets", h.count, h.buckets.len())
                            }
                        };
                        writeln!(out, "    {} {value}", point.at_ms).expect("a string");
                    }
                }
                for text in reply.text.iter().chain(&reply.warnings).chain(&reply.infos) {
                    writeln!(out, "  {text}").expect("a string");
                }
            }
            Err(error) => {
                writeln!(out, "{:?}, {:?}\n{error}", error.kind(), error.gap()).expect("a string");
            }
        }
        out.push('\n');
    }
    insta::assert_snapshot!(out);
}

#[test]
fn increases_make_a_window_or_a_gap() {
    let mut out = String::new();
    for (name, case) in cases("prometheus/increase") {
        let times: WindowTimes = set(&case, "times").expect("times");
        let rules: LookRules = set(&case, "rules").unwrap_or_default();
        let arms = arms(&case);
        let pair = |figure: &str| {
            let each = case.get("each");
            let both = each.map(|each| [reply(&each[figure][0]), reply(&each[figure][1])]);
            both.unwrap_or_else(|| [reply(&case[figure]), reply(&case[figure])])
        };
        let split = case.get("each").is_none();
        let (requests, errors) = (pair("requests"), pair("errors"));
        let latency = case.get("latency").map(reply);
        fn replies<'a>(pair: &'a [Reply; 2], arms: &'a ArmNames, split: bool) -> ArmReplies<'a> {
            let [stable, canary] = pair;
            if split {
                return ArmReplies::ByLabel {
                    reply: stable,
                    arms,
                };
            }
            ArmReplies::Each { stable, canary }
        }
        let figures = IncreaseReplies {
            requests: replies(&requests, &arms, split),
            errors: replies(&errors, &arms, split),
            latency: latency
                .as_ref()
                .map(|reply| ArmReplies::ByLabel { reply, arms: &arms }),
        };
        show(
            &mut out,
            &name,
            &window_of_increases(&figures, &times, &rules),
        );
    }
    insta::assert_snapshot!(out);
}

#[test]
fn counters_make_a_window_or_a_gap() {
    let mut out = String::new();
    for (name, case) in cases("prometheus/counters") {
        let rules: LookRules = set(&case, "rules").unwrap_or_default();
        let arms = arms(&case);
        let failed = FailedLabel {
            label: "code".into(),
            prefixes: vec!["5".into()],
        };
        let looks = case["looks"]
            .as_array()
            .expect("two looks")
            .iter()
            .map(|look| {
                let requests = reply(&look["requests"]);
                let latency = look.get("latency").map(reply);
                let asked_ms = look["asked_ms"].as_u64().expect("a time");
                let by_label = |reply| ArmReplies::ByLabel { reply, arms: &arms };
                let replies = CounterReplies {
                    requests: by_label(&requests),
                    errors: Failures::Label(&failed),
                    latency: latency.as_ref().map(by_label),
                };
                CounterLook::read(asked_ms, &replies, &rules)
            });
        let looks: Vec<Look<CounterLook>> = looks.collect();
        let look = match (&looks[0].result, &looks[1].result) {
            (Ok(earlier), Ok(later)) => {
                let text = serde_json::to_string(earlier).expect("writable");
                let stored: CounterLook = serde_json::from_str(&text).expect("readable");
                assert_eq!(&stored, earlier, "{name}: a stored look is the same look");
                later.since(&stored, set(&case, "changed_ms"), &rules)
            }
            (Err(gap), _) | (_, Err(gap)) => Look {
                result: Err(*gap),
                findings: looks
                    .iter()
                    .flat_map(|look| look.findings.clone())
                    .collect(),
            },
        };
        show(&mut out, &name, &look);
    }
    insta::assert_snapshot!(out);
}

#[test]
fn values_are_numbers_or_a_gap() {
    let rules = LookRules::default();
    let case = cases("prometheus/increase");
    let value = |name: &str, figure: &str| {
        let case = &case.iter().find(|case| case.0 == name).expect("a case").1;
        let (reply, arms) = (reply(&case[figure]), arms(case));
        let replies = ArmReplies::ByLabel {
            reply: &reply,
            arms: &arms,
        };
        arm_values(replies, &TIMES, &rules)
            .result
            .map_err(|gap| format!("{gap:?}"))
    };
    let good = ArmValues {
        stable: 0.0,
        canary: 1.2,
    };
    assert_eq!(value("good.json", "errors"), Ok(good));
    assert_eq!(
        value("zero-over-zero.json", "errors"),
        Err("RatioOverNothing".into())
    );
    assert_eq!(value("empty.json", "errors"), Err("MissingSeries".into()));
    assert_eq!(
        value("series-ended.json", "requests"),
        Err("SeriesEnded".into())
    );
}

#[test]
fn alerts_pause_or_leave_it_open() {
    let matcher = |label: &str, value: &str, not| AlertMatcher {
        label: label.into(),
        value: value.into(),
        not,
    };
    let select = AlertSelect {
        matchers: vec![
            matcher("service", "shop", false),
            matcher("severity", "info", true),
        ],
        started_from_ms: Some(1_767_225_600_000),
    };
    let now_ms = 1_767_225_660_000;
    let mut out = String::new();
    for (name, bytes) in files("alertmanager") {
        let answer = if name.starts_with("webhook") {
            select.webhook(&bytes, now_ms)
        } else {
            select.reply(status(&name), &bytes, now_ms)
        };
        writeln!(out, "# {name}").expect("a string");
        match answer {
            AlertAnswer::Pause(alerts) => {
                for alert in alerts {
                    writeln!(out, "{alert} {:?}", alert.labels).expect("a string");
                }
            }
            AlertAnswer::None => out.push_str("none\n"),
            AlertAnswer::Unknown(error) => writeln!(out, "unknown: {error}").expect("a string"),
        }
    }
    insta::assert_snapshot!(out);
}
