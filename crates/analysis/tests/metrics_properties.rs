//! Templates and hostile input: no text changes what a query asks, and no body ends the program.
#![cfg(feature = "metrics")]

use std::fmt::Write;

use nonevent_analysis::metrics::{
    AlertSelect, ArmNames, ArmReplies, CounterLook, CounterReplies, FailedLabel, Failures, Fill,
    IncreaseReplies, JsonBody, JsonPath, LookRules, QueryToken, Reply, Template, TemplateProblem,
    WindowTimes, arm_values, query_tokens, window_of_increases,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn texts(result: Result<String, Vec<TemplateProblem>>) -> String {
    result.unwrap_or_else(|problems| {
        let texts: Vec<String> = problems
            .iter()
            .map(|problem| format!("{:?} {problem}", problem.kind()))
            .collect();
        texts.join("\n  ")
    })
}

#[test]
fn templates_are_filled_or_refused_with_the_position() {
    let values = [
        ("version", Fill::Text("1.4.2+b\"'`\\\n")),
        ("plain", Fill::Text("1.4.2")),
        ("window", Fill::DurationMs(90_000)),
        ("step", Fill::DurationMs(1_500)),
        ("empty", Fill::Text("")),
        ("none", Fill::DurationMs(0)),
    ];
    let mut out = String::new();
    for source in [
        r#"up{version="{{version}}"}"#,
        r#"up{version='{{version}}'}"#,
        r#"up{version!="{{ plain }}",job=~"a-{{version}}-.*"}"#,
        r#"up{version=~'{{plain}}|{{plain}}'}"#,
        "up{version=~`(?:{{plain}})+`}",
        r#"{"http.version"="{{plain}}"}"#,
        "rate(up[{{window}}])",
        "max_over_time(up[{{window}}:{{step}}] offset {{window}})",
        "up[5m:{{step}}] offset {{window}}",
        r#"up{job="a\"b\x7b{"} # a comment"#,
        // Refused.
        "up{version=`{{version}}`}",
        "up{version={{plain}}}",
        "{{plain}}",
        r#"{{{plain}}="x"}"#,
        r#"{"{{plain}}"="x"}"#,
        "up[{{plain}}]",
        r#"up{version="{{window}}"}"#,
        r#"up{version="{{empty}}"}"#,
        "up[{{none}}]",
        "up[{{window}}m]",
        "up[{{window}}{{step}}]",
        "up[1{{window}}]",
        "up offset {{window}}m",
        "up offset -{{window}}",
        "up @ {{window}}",
        "up > {{window}}",
        r#"label_replace(up, "a", "{{plain}}", "b", "c")"#,
        r#"up == "{{plain}}""#,
        "up # {{plain}}",
        "up # {{é",
        r#"up{version="{{version"}"#,
        r#"up{version="{{ver}sion}}"}"#,
        "up[{{window]",
        "up{{",
        r#"up{version="{{}}"}"#,
        r#"up{version="{{1a}}"}"#,
        "up{a=\"x\",\n  b=\"{{nobody}}\",c=\"{{noone}}\"}",
        r#"up{version="x"#,
        "up{version=\"x\n\"}",
        r#"up{version="\q"}"#,
        r#"up{version="\{{plain}}"}"#,
        r#"up{version="\x4{{plain}}"}"#,
        r#"up{version=~"[{{plain}}]"}"#,
        r#"up{version=~"[]{{plain}}]"}"#,
        r#"up{version=~"\x7b{[{{plain}}]"}"#,
        r#"up{version=~"[[:alpha:]{{plain}}]"}"#,
        r#"up{version=~"[[:alpha:]]{{plain}}[^]]"}"#,
        r#"up{version=~"\\{{plain}}"}"#,
        r#"up{version=~"\\Q{{plain}}"}"#,
        r#"up{version=~"a{2,{{plain}}}"}"#,
        r#"up{version=~"(?{{plain}})"}"#,
        r#"up{version=~"{{plain}}*"}"#,
        "$__interval",
    ] {
        let filled = Template::parse(source).and_then(|template| template.fill(&values));
        writeln!(out, "{source:?}\n  {}", texts(filled)).expect("a string");
    }
    insta::assert_snapshot!(out);
}

/// A text that is meant to break out, or any other.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\"".to_string()),
        Just("'".to_string()),
        Just("`".to_string()),
        Just("\\".to_string()),
        Just("\n".to_string()),
        Just("\r".to_string()),
        Just("}".to_string()),
        Just("{{version}}".to_string()),
        Just("{{".to_string()),
        Just(" or vector(0) #".to_string()),
        Just("\\x22".to_string()),
        Just("|.*".to_string()),
        Just("\0".to_string()),
        Just("\u{7f}".to_string()),
        Just("\u{2028}".to_string()),
        "[ -~]{0,4}",
        ".{0,4}",
    ];
    prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

/// What RE2 matches literally, taken back: the inverse of `QuoteMeta`, strict.
fn regex_unquoted(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let meta = |c: char| "\\.+*?()|[]{}^$".contains(c);
        if character == '\\' {
            out.push(characters.next().filter(|c| meta(*c))?);
        } else if meta(character) {
            return None;
        } else {
            out.push(character);
        }
    }
    Some(out)
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,3}".prop_map(Value::from),
        prop::sample::select(vec![
            "success", "vector", "matrix", "1", "NaN", "+Inf", "-1", "1e300"
        ])
        .prop_map(Value::from),
        (0..2_000_000_000u64).prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "status",
        "data",
        "resultType",
        "result",
        "metric",
        "value",
        "values",
        "histogram",
        "histograms",
        "buckets",
        "count",
        "sum",
        "labels",
        "startsAt",
        "le",
        "warnings",
    ]);
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(keys.clone().prop_map(String::from), inner, 0..5)
                .prop_map(Value::from_iter),
        ]
    })
}

fn figure() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<f64>().prop_map(|f| if f.is_nan() {
            "NaN".into()
        } else {
            format!("{f}")
        }),
        (0..100u32).prop_map(|n| n.to_string()),
        prop::sample::select(vec!["NaN", "+Inf", "-Inf", "-0", "9007199254740993", "0.5"])
            .prop_map(String::from),
    ];
    text.prop_map(Value::from)
}

/// A reply of the right shape with any figures in it.
fn shaped() -> impl Strategy<Value = Value> {
    let version = prop::sample::select(vec!["1", "2", "3"]);
    let le = prop::sample::select(vec!["0.1", "1", "+Inf", "-1", "x"]);
    let time = prop_oneof![Just(60u64), 0..120u64, 0..4_000_000_000u64];
    let histogram = prop::collection::vec((0..4u8, figure(), figure(), figure()), 0..4)
        .prop_flat_map(|buckets| (figure(), Just(buckets)))
        .prop_map(|(count, buckets)| {
            let buckets: Vec<Value> = buckets
                .into_iter()
                .map(|(r, l, u, c)| json!([r, l, u, c]))
                .collect();
            json!({ "count": count, "sum": "1", "buckets": buckets })
        });
    let series = (version, le, time, figure(), histogram, 0..3u8).prop_map(
        |(version, le, time, value, histogram, kind)| {
            let metric = json!({ "version": version, "le": le });
            match kind {
                0 => json!({ "metric": metric, "histogram": [time, histogram] }),
                _ => json!({ "metric": metric, "value": [time, value] }),
            }
        },
    );
    prop::collection::vec(series, 0..6).prop_map(|result| {
        json!({ "status": "success", "data": { "resultType": "vector", "result": result } })
    })
}

/// Does everything with a reply that can be done.
fn use_up(requests: &Reply, latency: &Reply) {
    let arms = ArmNames {
        label: "version".into(),
        stable: "1".into(),
        canary: "2".into(),
    };
    let by_label = |reply| ArmReplies::ByLabel { reply, arms: &arms };
    let rules = LookRules::default();
    let times = WindowTimes {
        opened_ms: 0,
        closed_ms: 60_000,
        changed_ms: None,
    };
    let failed = FailedLabel {
        label: "le".into(),
        prefixes: vec!["1".into()],
    };
    let increases = IncreaseReplies {
        requests: by_label(requests),
        errors: by_label(requests),
        latency: Some(by_label(latency)),
    };
    let look = window_of_increases(&increases, &times, &rules);
    if let Ok(window) = &look.result {
        assert!(window.stable.errors <= window.stable.requests);
        assert!(window.canary.latency.is_well_formed());
    } else {
        assert!(look.findings.iter().any(|finding| finding.gap.is_some()));
    }
    let _ = arm_values(by_label(requests), &times, &rules);
    let counters = CounterReplies {
        requests: by_label(requests),
        errors: Failures::Label(&failed),
        latency: Some(by_label(latency)),
    };
    let one = CounterLook::read(60_000, &counters, &rules);
    let two = CounterLook::read(
        120_000,
        &counters,
        &LookRules {
            age_max_ms: u64::MAX,
            ..rules
        },
    );
    if let (Ok(one), Ok(two)) = (one.result, two.result) {
        let _ = two.since(&one, None, &rules);
        let _ = one.since(&two, None, &rules);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_text_changes_what_a_query_asks(version in hostile()) {
        for quote in ['"', '\'', '`'] {
            let source = format!(
                "sum by (le) (rate(up{{version={quote}v{{{{version}}}}-x{quote},job=~{quote}{{{{version}}}}{quote}}}[{{{{window}}}}])) > 0"
            );
            let template = Template::parse(&source).expect("a template");
            let fill = |text| template.fill(&[("window", Fill::DurationMs(60_000)), ("version", Fill::Text(text))]);
            let usual = query_tokens(&fill("V").expect("filled")).expect("tokens");
            let filled = match fill(&version) {
                Ok(filled) => filled,
                Err(problems) => {
                    prop_assert!(quote == '`' && version.contains('`') || version.is_empty(), "{problems:?}");
                    continue;
                }
            };
            let tokens = query_tokens(&filled);
            prop_assert!(tokens.is_some(), "{filled:?}");
            let tokens = tokens.expect("just seen");
            prop_assert_eq!(tokens.len(), usual.len(), "{}", filled);
            let mut strings = Vec::new();
            for (token, usual) in tokens.iter().zip(&usual) {
                match (token, usual) {
                    (QueryToken::Text(text), QueryToken::Text(_)) => strings.push(text.clone()),
                    _ => prop_assert_eq!(token, usual),
                }
            }
            prop_assert_eq!(&strings[0], &format!("v{version}-x"));
            prop_assert_eq!(regex_unquoted(&strings[1]), Some(version.clone()));
        }
    }

    #[test]
    fn any_template_is_read_or_refused(text in hostile(), cut in 0..200usize) {
        let _ = Template::parse(&text).map(|template| template.fill(&[("version", Fill::Text("1"))]));
        let _ = query_tokens(&text);
        let whole = format!("up{{a=\"{text}{{{{version}}}}\"}}[{{{{window}}}}]");
        let cut = whole.char_indices().nth(cut).map_or(whole.len(), |(at, _)| at);
        if let Ok(template) = Template::parse(&whole[..cut]) {
            let values = [("version", Fill::Text("1")), ("window", Fill::DurationMs(1))];
            if let Ok(filled) = template.fill(&values) {
                prop_assert!(query_tokens(&filled).is_some(), "{filled:?}");
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Reply::read(200, &bytes);
        let _ = AlertSelect::default().reply(200, &bytes, 0);
        let _ = AlertSelect::default().webhook(&bytes, 0);
        let _ = JsonBody::read(200, &bytes);
        let _ = JsonPath::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_json_is_read_or_refused(value in json_value()) {
        for body in [
            value.to_string(),
            json!({ "status": "success", "data": value }).to_string(),
            json!({ "status": "success", "data": { "resultType": "vector", "result": [value] } }).to_string(),
            json!({ "status": "success", "data": { "resultType": "matrix", "result": [{ "metric": {}, "histograms": [[1, value]] }] } }).to_string(),
            json!([{ "labels": value, "startsAt": value, "status": value }]).to_string(),
        ] {
            let _ = Reply::read(200, body.as_bytes());
            let _ = AlertSelect::default().reply(200, body.as_bytes(), 0);
            let _ = AlertSelect::default().webhook(body.as_bytes(), 0);
        }
    }

    #[test]
    fn any_figures_make_a_window_or_a_gap_with_its_finding(one in shaped(), two in shaped()) {
        let read = |value: &Value| Reply::read(200, value.to_string().as_bytes());
        if let (Ok(requests), Ok(latency)) = (read(&one), read(&two)) {
            use_up(&requests, &latency);
        }
    }

    #[test]
    fn a_literal_of_a_path_finds_itself(text in hostile()) {
        let body = JsonBody::read(200, json!([{ "a": text, "n": 7 }, { "a": "other", "n": 8 }]).to_string().as_bytes());
        let path = JsonPath::parse(&format!("$[?@.a=={}].n", JsonPath::literal(&text)));
        prop_assert_eq!(path.and_then(|path| path.number(&body.expect("a body"))), Ok(7.0));
    }
}
