//! Bodies of other sources, and the paths to their figures. The bodies are in
//! `fixtures/analysis/json`.
#![cfg(feature = "metrics")]

use std::fmt::Write;

use nonevent_analysis::metrics::{
    CountPaths, JsonBody, JsonCounts, JsonPath, JsonValues, LookRules, WindowTimes,
};

/// The minute that the recorded bodies are about.
const TIMES: WindowTimes = WindowTimes {
    opened_ms: 1_767_225_600_000,
    closed_ms: 1_767_225_660_000,
    changed_ms: None,
};

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
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/analysis/json");
    let bodies = std::fs::read_dir(folder).expect("the folder is there");
    assert_eq!(bodies.count(), RECIPES.len(), "a recipe per body");
    for (file, requests, errors) in RECIPES {
        let bytes = std::fs::read(format!("{folder}/{file}")).expect(file);
        let body = JsonBody::read(200, &bytes).expect(file);
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
            .window(&body, &TIMES, &LookRules::default())
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
fn a_body_of_another_time_is_a_gap() {
    use nonevent_analysis::GapReason::{FutureDated, MissingSeries, Stale, Unreadable};
    use nonevent_analysis::metrics::TimeUnit::{Milliseconds, Rfc3339, Seconds};
    let cases = [
        (r#"1767225660"#, Seconds, None),
        (r#""1767225600.5""#, Seconds, None),
        (r#"1767225599"#, Seconds, Some(Stale)),
        (r#"1767225666"#, Seconds, Some(FutureDated)),
        (r#"1767225660000"#, Milliseconds, None),
        (r#"1767225660"#, Milliseconds, Some(Stale)),
        (r#"1767225660000"#, Seconds, Some(Unreadable)),
        (r#""2026-01-01T00:01:00Z""#, Rfc3339, None),
        (r#""2026-01-01T01:00:00Z""#, Rfc3339, Some(FutureDated)),
        (r#""0001-01-01T00:00:00Z""#, Rfc3339, Some(Unreadable)),
        (r#"1767225660"#, Rfc3339, Some(Unreadable)),
        (r#"null"#, Rfc3339, Some(MissingSeries)),
    ];
    for (time, unit, gap) in cases {
        let body = format!(r#"{{"t":{time},"v":1}}"#);
        let body = JsonBody::read(200, body.as_bytes()).expect("a body");
        let source = JsonValues::compile("$.v", "$.v").and_then(|source| source.dated("$.t", unit));
        let look = source
            .expect("paths")
            .values(&body, &TIMES, &LookRules::default());
        assert_eq!(look.result.err(), gap, "{time} {unit:?}");
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
    let values = JsonValues::compile("$.a", "$.c").expect("paths").values(
        &body,
        &TIMES,
        &LookRules::default(),
    );
    writeln!(out, "{values:?}").expect("a string");
    for (status, bytes) in [(500, &b"{}"[..]), (200, &b"<"[..]), (404, &b""[..])] {
        let error = JsonBody::read(status, bytes).expect_err("no body");
        writeln!(out, "{status}: {error}").expect("a string");
    }
    insta::assert_snapshot!(out);
}
