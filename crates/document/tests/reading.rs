//! Documents in, trees, values and findings out.

use std::collections::BTreeMap;

use nonevent_document::{
    Document, DurationMs, Findings, Limits, Percent, Redactor, Secret, Timestamp, to_yaml,
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Deployment {
    service: String,
    max_surge: Percent,
    pause: DurationMs,
    start: Option<Timestamp>,
    #[serde(default)]
    steps: Vec<Step>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    counts: BTreeMap<u16, u8>,
    token: Option<Secret>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    weight: Percent,
    #[serde(default)]
    manual: bool,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Canary,
    Recreate {
        downtime: DurationMs,
    },
}

const GOOD: &str = "\
service: shop
maxSurge: 0.5%
pause: 5m
start: 2026-01-05T10:00:00Z
steps:
- weight: 5%
- weight: 100%
  manual: true
mode:
  recreate: {downtime: 90s}
counts: {200: 1, 404: 2}
token: hunter2
";

fn decode(text: &str) -> Result<Deployment, Findings> {
    Document::parse("d.yaml", text.as_bytes(), &Limits::default())?.decode()
}

#[test]
fn a_good_document_decodes() {
    let deployment = decode(GOOD).unwrap();
    assert_eq!(deployment.service, "shop");
    assert_eq!(deployment.max_surge.basis_points(), 50);
    assert_eq!(deployment.pause, DurationMs(300_000));
    assert_eq!(
        deployment.start.unwrap().to_string(),
        "2026-01-05T10:00:00Z"
    );
    assert_eq!(deployment.steps[1].weight.basis_points(), 10_000);
    assert!(deployment.steps[1].manual);
    assert_eq!(
        deployment.mode,
        Mode::Recreate {
            downtime: DurationMs(90_000)
        }
    );
    assert_eq!(deployment.counts[&404], 2);
    let token = deployment.token.unwrap();
    assert_eq!(format!("{token:?}"), "Secret(..)");
    let mut redactor = Redactor::default();
    redactor.add(&token);
    assert_eq!(redactor.apply("the token is hunter2."), "the token is ***.");
}

#[test]
fn errors_know_their_place() {
    let replace = |from: &str, to: &str| {
        assert!(GOOD.contains(from));
        decode(&GOOD.replacen(from, to, 1))
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    let cases = [
        ("service: shop", "serivce: shop"),
        ("service: shop\n", ""),
        ("shop", "1.10"),
        ("0.5%", "25"),
        ("5m", "300"),
        ("2026-01-05T10", "2026-13-05T10"),
        ("manual: true", "manual: yes"),
        ("weight: 100%", "wieght: 100%"),
        ("- weight: 100%\n  manual", "- manual"),
        ("recreate:", "rolling:"),
        ("{downtime: 90s}", "{}"),
        ("{downtime: 90s}", "{downtimes: 90s}"),
        ("404: 2", "many: 2"),
        ("404: 2", "404: 256"),
    ];
    let all: Vec<String> = cases
        .iter()
        .map(|(from, to)| format!("{from:?} -> {to:?}\n  {}", replace(from, to)))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn findings_show_the_text() {
    let text = GOOD.replace("manual: true", "manual: yes");
    let findings = decode(&text).unwrap_err();
    insta::assert_snapshot!(findings.render("d.yaml", &text, false));
    assert!(findings.render("d.yaml", &text, true).contains("\u{1b}["));
}

#[test]
fn paths_lead_to_places() {
    let document = Document::parse("d.yaml", GOOD.as_bytes(), &Limits::default()).unwrap();
    let at = |path: &str| document.locate(path).map(|at| at.to_string());
    assert_eq!(at("").as_deref(), Some("1:1"));
    assert_eq!(at("steps").as_deref(), Some("5:1"));
    assert_eq!(at("steps[1].manual").as_deref(), Some("8:11"));
    assert_eq!(at("counts.404").as_deref(), Some("11:23"));
    assert_eq!(at("steps[2]"), None);
}

#[test]
fn yaml_is_read_back() {
    let text =
        "a: \"0x10\"\nb: \"yes\"\nc: [1, -2, 0.5, null, true]\nd: {x: \"a\\nb\\n\", \"\": \"~\"}\n";
    let document = Document::parse("d.yaml", text.as_bytes(), &Limits::default()).unwrap();
    let json = document.root().to_json();
    let written = to_yaml(&json).unwrap();
    let again = Document::parse("d.yaml", written.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(again.root().to_json(), json, "{written}");
}

#[test]
fn numbers_are_taken_as_written_or_refused_with_a_way_out() {
    #[derive(Debug, Deserialize)]
    struct Fleet {
        replicas: u32,
    }
    // What is written, and the number, or the finding's code and how its advice begins.
    type Expected = Result<u32, (&'static str, &'static str)>;
    let cases: &[(&str, Expected)] = &[
        ("4", Ok(4)),
        ("+4", Ok(4)),
        ("0x10", Err(("NE0011", "write it in decimal"))),
        ("0o17", Err(("NE0011", "write it in decimal"))),
        ("017", Err(("NE0011", "write it in decimal"))),
        (".inf", Err(("NE0011", "write a number"))),
        ("1_000", Err(("NE0022", "write digits only"))),
        ("1,000", Err(("NE0022", "write digits only"))),
        ("\"4\"", Err(("NE0022", "remove the quotes"))),
        ("Infinity", Err(("NE0022", "change it"))),
        ("0b11", Err(("NE0022", "change it"))),
        ("1:30", Err(("NE0022", "change it"))),
        (".5", Err(("NE0022", "change it"))),
        ("1e3", Err(("NE0022", "change it"))),
        ("yes", Err(("NE0022", "change it"))),
        ("off", Err(("NE0022", "change it"))),
        ("~", Err(("NE0022", "write a value"))),
        ("-4", Err(("NE0023", "change it"))),
        ("4294967296", Err(("NE0023", "change it"))),
    ];
    for (written, expected) in cases {
        let text = format!("fleet: here\nreplicas: {written}\n");
        let read = Document::parse("d.yaml", text.as_bytes(), &Limits::default())
            .and_then(|document| document.decode::<Fleet>());
        match (read, expected) {
            (Ok(fleet), Ok(replicas)) => assert_eq!(fleet.replicas, *replicas, "{written}"),
            (Err(findings), Err((code, help))) => {
                assert_eq!(findings.len(), 1, "{findings}");
                let finding = findings.iter().next().unwrap();
                assert_eq!(finding.code.as_str(), *code, "{finding}");
                assert_eq!(finding.at.unwrap().to_string(), "2:11", "{finding}");
                assert!(finding.help.starts_with(help), "{finding}");
            }
            (read, _) => panic!("{written}: {read:?}"),
        }
    }
}

#[test]
fn a_text_over_a_mebibyte_is_refused_unread() {
    let text = format!("a: {}\n", "x".repeat(1 << 20));
    let findings = Document::parse("d.yaml", text.as_bytes(), &Limits::default()).unwrap_err();
    let told = findings.to_string();
    assert_eq!(
        told,
        "error[NE0001]: the document has 1048580 bytes, more than the limit of 1048576 \
         (split it, or read it with a higher limit)"
    );
}

#[test]
fn findings_of_an_endless_line_are_told_without_it() {
    let text = format!("{}, 010]\n", "[x".to_owned() + &", x".repeat(5_000));
    let findings = Document::parse("d.yaml", text.as_bytes(), &Limits::default()).unwrap_err();
    let drawn = findings.render("d.yaml", &text, false);
    assert!(drawn.contains("d.yaml:1:15005: [5001]"), "{drawn}");
    assert!(drawn.len() < 400, "{drawn}");
}

#[test]
fn all_that_does_not_fit_is_told_at_once() {
    let paths = |text: &str| {
        let findings = decode(text).map(|_| ()).unwrap_err();
        let paths = findings.iter().map(|it| format!("{} {}", it.code, it.path));
        paths.collect::<Vec<String>>()
    };
    let replaced = |pairs: &[(&str, &str)]| {
        let mut text = GOOD.to_owned();
        for (from, to) in pairs {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        text
    };
    // What a misspelt or wrong field leaves missing is not told of besides.
    let text = replaced(&[
        ("service: shop", "serivce: shop"),
        ("5m", "300"),
        ("weight: 5%", "weight: 5"),
        ("404: 2", "404: 256"),
    ]);
    assert_eq!(
        paths(&text),
        [
            "NE0020 serivce",
            "NE0023 pause",
            "NE0023 steps[0].weight",
            "NE0023 counts.404",
        ]
    );
    let text = replaced(&[("{downtime: 90s}", "{}"), ("5m", "300")]);
    assert_eq!(paths(&text), ["NE0023 pause", "NE0021 mode.recreate"]);
    let many: String = (0..100).map(|it| format!("x{it}: 1\n")).collect();
    assert_eq!(paths(&(many + GOOD)).len(), 20);
}

/// Few members are looked through and many are indexed: both find what comes twice.
#[test]
fn a_key_that_comes_twice_is_found_among_few_and_many() {
    for count in [2, 15, 16, 17, 18, 60] {
        for twice in [0, count / 2, count - 1] {
            let keys = (0..count)
                .chain([twice])
                .map(|key| format!("\"k{key}\": {key}"));
            let text = format!("{{{}}}", keys.collect::<Vec<_>>().join(",\n"));
            let findings = Document::parse("a.json", text.as_bytes(), &Limits::default());
            let findings = findings.expect_err("a key comes twice").to_string();
            assert!(
                findings.contains(&format!("k{twice}` is already there")),
                "{findings}"
            );
            let first = format!("at {}:", twice + 1);
            assert!(findings.contains(&first), "{findings}");
        }
    }
}
