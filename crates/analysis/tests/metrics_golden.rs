//! Recorded and spoilt replies, and what is read from them. The files are in `fixtures/analysis`.
#![cfg(feature = "metrics")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use nonevent_analysis::Window;
use nonevent_analysis::metrics::{
    AlertAnswer, AlertMatcher, AlertSelect, ArmNames, ArmReplies, ArmValues, CountPaths,
    CounterLook, CounterReplies, FailedLabel, Failures, IncreaseReplies, JsonBody, JsonCounts,
    JsonPath, JsonValues, Look, LookRules, Reply, SampleValue, WindowTimes, arm_values,
    window_of_increases,
};
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/analysis");
    root.join(name)
}

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
    let times = WindowTimes {
        opened_ms: 1_767_225_600_000,
        closed_ms: 1_767_225_660_000,
        changed_ms: None,
    };
    let rules = LookRules::default();
    let case = cases("prometheus/increase");
    let value = |name: &str, figure: &str| {
        let case = &case.iter().find(|case| case.0 == name).expect("a case").1;
        let (reply, arms) = (reply(&case[figure]), arms(case));
        let replies = ArmReplies::ByLabel {
            reply: &reply,
            arms: &arms,
        };
        arm_values(replies, &times, &rules)
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

/// The paths of the recipes in the page of `metrics::json`: file, requests, errors, with `{}` for
/// the version or the arm.
const RECIPES: [(&str, &str, &str); 7] = [
    (
        "datadog.json",
        "$.series[?@.tag_set[0]=='version:{version}'].pointlist[-1:][1]",
        "$.series[?@.tag_set[0]=='version:{version}'].pointlist[-1:][1]",
    ),
    (
        "newrelic.json",
        "$.data.actor.account.nrql.results[?@.facet=='{version}'].requests",
        "$.data.actor.account.nrql.results[?@.facet=='{version}'].errors",
    ),
    (
        "cloudwatch.json",
        "$.MetricDataResults[?@.Id=='{arm}_requests'].Values[0]",
        "$.MetricDataResults[?@.Id=='{arm}_errors'].Values[0]",
    ),
    (
        "graphite.json",
        "$[?@.target=='{arm}_requests'].datapoints[-1:][0]",
        "$[?@.target=='{arm}_errors'].datapoints[-1:][0]",
    ),
    (
        "influxdb.json",
        "$.results[0].series[?@.tags.version=='{version}'].values[0][1]",
        "$.results[1].series[?@.tags.version=='{version}'].values[0][1]",
    ),
    (
        "google-timeseries.json",
        "$.timeSeries[?@.metric.type=='custom.googleapis.com/http/requests' && \
         @.metric.labels.version=='{version}'].points[0].value.int64Value",
        "$.timeSeries[?@.metric.type=='custom.googleapis.com/http/errors' && \
         @.metric.labels.version=='{version}'].points[0].value.int64Value",
    ),
    (
        "google-mql.json",
        "$.timeSeriesData[?@.labelValues[0].stringValue=='{version}'].pointData[0].values[0].int64Value",
        "$.timeSeriesData[?@.labelValues[0].stringValue=='{version}'].pointData[0].values[1].int64Value",
    ),
];

#[test]
fn every_recipe_finds_its_figures() {
    let times = WindowTimes {
        opened_ms: 0,
        closed_ms: 60_000,
        changed_ms: None,
    };
    let fixtures = files("json");
    assert_eq!(fixtures.len(), RECIPES.len(), "a recipe per body");
    for (file, requests, errors) in RECIPES {
        let bytes = &fixtures
            .iter()
            .find(|(name, _)| name == file)
            .expect(file)
            .1;
        let body = JsonBody::read(200, bytes).expect(file);
        let path = |path: &str, arm: &str, version: &str| {
            path.replace("{arm}", arm).replace("{version}", version)
        };
        let source = JsonCounts::compile(&CountPaths {
            stable_requests: path(requests, "stable", "1.4.1"),
            stable_errors: path(errors, "stable", "1.4.1"),
            canary_requests: path(requests, "canary", "1.4.2"),
            canary_errors: path(errors, "canary", "1.4.2"),
        });
        let window = source
            .expect(file)
            .window(&body, &times)
            .result
            .expect(file);
        let figures = [window.stable, window.canary].map(|arm| (arm.requests, arm.errors));
        // Datadog answers one query at a time; its body is about requests alone.
        let errors = if file == "datadog.json" {
            [950, 50]
        } else {
            [1, 2]
        };
        assert_eq!(figures, [(950, errors[0]), (50, errors[1])], "{file}");
    }
}

#[test]
fn paths_and_what_they_find_are_refused_with_a_reason() {
    let body =
        br#"{"a":1,"b":[1,2],"c":null,"d":"12.5","e":"NaN","f":{},"g":true,"h":"ten","i":1e400}"#;
    assert!(
        JsonBody::read(200, body).is_err(),
        "a number over all bounds"
    );
    let body = br#"{"a":1,"b":[1,2],"c":null,"d":"12.5","e":"NaN","f":{},"g":true,"h":"ten"}"#;
    let body = JsonBody::read(200, body).expect("a body");
    let nested = format!("$[?{}@.a{}]", "(".repeat(9), ")".repeat(9));
    let long = format!("$.{}", "a".repeat(1_100));
    let mut out = String::new();
    for path in [
        "$.a",
        "$.d",
        "$.z",
        "$.b[*]",
        "$.c",
        "$.e",
        "$.f",
        "$.g",
        "$.h",
        "a",
        "",
        "$[",
        "$..a..b..c",
        "$.a[?$.b]",
        "$['$..$..$..']",
        &nested,
        &long,
    ] {
        let found = JsonPath::parse(path).and_then(|path| path.number(&body));
        let shown: String = path.chars().take(40).collect();
        let text = found.map_or_else(
            |error| format!("{:?}, {:?}: {error}", error.kind(), error.gap()),
            |number| number.to_string(),
        );
        writeln!(out, "{shown}\n  {text}").expect("a string");
    }
    let values = JsonValues::compile("$.a", "$.c")
        .expect("paths")
        .values(&body);
    writeln!(out, "{values:?}").expect("a string");
    for (status, bytes) in [(500, &b"{}"[..]), (200, &b"<"[..]), (404, &b""[..])] {
        let error = JsonBody::read(status, bytes).expect_err("no body");
        writeln!(out, "{status}: {error}").expect("a string");
    }
    insta::assert_snapshot!(out);
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
