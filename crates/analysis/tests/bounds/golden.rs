//! The texts under `fixtures/analysis/bounds`, one a line: `ok` ones without findings and `bad`
//! ones, each with its golden answer.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use nonevent_analysis::bounds::{
    Bound, CLAUSES_MAX, Clause, Dimension, FINDINGS_MAX, Facts, Measure, MetricKind, MetricName,
    NESTING_MAX, RULES, TEXT_BYTES_MAX, check,
};

fn facts(name: &str) -> Facts {
    let own = [
        ("queue.depth", Measure::GAUGE),
        ("checkout.failed_share", Measure::SHARE),
        (
            "disk.written",
            Measure {
                kind: MetricKind::Gauge,
                dimensions: &[Dimension::Size, Dimension::Rate],
            },
        ),
    ];
    Facts {
        baseline: name != "no-baseline.txt",
        metrics: own
            .map(|(name, measure)| (MetricName::new(name).unwrap(), measure))
            .into(),
    }
}

fn read(path: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/analysis/bounds");
    std::fs::read_to_string(folder.join(path)).unwrap()
}

fn cases(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// A text, what it is read as, and its findings with their places underlined.
fn shown(text: &str, facts: &Facts) -> String {
    let checked = check(text, facts);
    let mut out = format!("> {text}\n");
    if let Some(bound) = &checked.bound {
        writeln!(out, "= {bound}").unwrap();
    }
    for finding in &checked.findings {
        let span = finding.span.clone().unwrap();
        let before = text[..span.start].chars().count();
        let marked = text[span].chars().count().max(1);
        writeln!(
            out,
            "  {}{}\n  {}[{}] {}\n    {}",
            " ".repeat(before),
            "^".repeat(marked),
            finding.severity,
            finding.code,
            finding.message,
            finding.help
        )
        .unwrap();
    }
    out
}

#[test]
fn good_texts_are_read_without_findings() {
    let text = read("ok/bounds.txt");
    let mut golden = String::new();
    for case in cases(&text) {
        let checked = check(case, &facts("bounds.txt"));
        assert!(checked.findings.is_empty(), "{case}: {}", checked.findings);
        let bound = checked.bound.unwrap();
        assert_eq!(bound.to_string().parse::<Bound>(), Ok(bound), "{case}");
        golden.push_str(&shown(case, &facts("bounds.txt")));
    }
    insta::assert_snapshot!("ok", golden);
}

#[test]
fn every_rule_is_broken_by_a_text_and_said_in_words() {
    let mut codes = BTreeSet::new();
    for name in ["grammar", "values", "meaning", "together", "no-baseline"] {
        let file = format!("{name}.txt");
        let text = read(&format!("bad/{file}"));
        let mut golden = String::new();
        for case in cases(&text) {
            let checked = check(case, &facts(&file));
            assert!(!checked.findings.is_empty(), "{case}");
            assert_eq!(
                checked.bound.is_none(),
                checked.findings.has_errors(),
                "{case}"
            );
            codes.extend(checked.findings.iter().map(|it| it.code.as_str()));
            golden.push_str(&shown(case, &facts(&file)));
            golden.push('\n');
        }
        insta::assert_snapshot!(name, golden);
    }
    for text in too_large() {
        let checked = check(&text, &Facts::default());
        assert_eq!(checked.bound, None);
        codes.extend(checked.findings.iter().map(|it| it.code.as_str()));
    }
    let all: BTreeSet<_> = RULES.iter().map(|rule| rule.code.as_str()).collect();
    assert_eq!(codes, all);
    assert_eq!(all.len(), RULES.len(), "no code stands for two rules");
}

fn too_large() -> [String; 2] {
    [
        "\u{e4}".repeat(TEXT_BYTES_MAX / 2 + 1),
        vec!["restarts <= 1"; CLAUSES_MAX + 1].join(" and "),
    ]
}

#[test]
fn limits_are_exact() {
    let facts = facts("");
    let many = |count: usize| -> String {
        let clauses: Vec<_> = (0..count)
            .map(|n| format!("restarts < {}", n + 1))
            .collect();
        clauses.join(" or ")
    };
    assert!(check(&many(CLAUSES_MAX), &facts).bound.is_some());
    let over = check(&many(CLAUSES_MAX + 1), &facts).findings;
    assert!(over.iter().any(|it| it.code.as_str() == "NE1604"), "{over}");

    let nested = |depth| format!("{}restarts < 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(check(&nested(NESTING_MAX), &facts).bound.is_some());
    let deep = check(&nested(NESTING_MAX + 1), &facts).findings;
    assert_eq!(deep.len(), 1, "{deep}");
    assert_eq!(deep.iter().next().unwrap().code.as_str(), "NE1603");

    let padded = |bytes: usize| format!("{:bytes$}", "restarts < 1");
    assert!(check(&padded(TEXT_BYTES_MAX), &facts).bound.is_some());
    assert!(check(&padded(TEXT_BYTES_MAX + 1), &facts).bound.is_none());

    // Levels that need no parentheses count as well.
    let mut text = String::from("restarts < 1");
    for level in 0..NESTING_MAX / 2 + 1 {
        text = format!("cpu < 9{level}% or p9{level} < 1s and ({text})");
    }
    let deep = check(&text, &facts).findings;
    assert!(deep.iter().any(|it| it.code.as_str() == "NE1603"), "{deep}");
    assert!(text.parse::<Bound>().unwrap_err().has_errors());
}

#[test]
fn findings_are_cut_off_but_no_error_is_lost() {
    let strays = check(&"\u{b0} ".repeat(500), &Facts::default()).findings;
    assert_eq!(strays.len(), FINDINGS_MAX);
    assert!(strays.has_errors());
    let text = format!(
        "cpu < 1% and p99 < 1s or cpu < 2% {}",
        "\u{b0} ".repeat(500)
    );
    let mixed = check(&text, &Facts::default()).findings;
    assert_eq!(
        mixed.len(),
        FINDINGS_MAX + 1,
        "errors leave room for the note"
    );
}

/// What takes long to read is refused; the rest takes time in proportion to its length.
#[test]
fn hostile_texts_are_read_at_once() {
    let pieces = [
        "(",
        ")",
        "!",
        "not ",
        "1 ",
        "1,1,",
        "<",
        "p99",
        "p99 ",
        "a.",
        "a-",
        "and ",
        "or(",
        "5%",
        "\u{301}",
        "baseline*",
        "x<1 for 1s",
        "x<1ms",
        ";",
        "0",
        "of at least ",
        "x<=baseline+",
    ];
    for piece in pieces {
        let text = piece.repeat(TEXT_BYTES_MAX / piece.len());
        let checked = check(&text, &facts(""));
        assert!(checked.findings.has_errors(), "{piece}");
        let words: usize = checked
            .findings
            .iter()
            .map(|it| it.message.len() + it.help.len())
            .sum();
        assert!(words < 100_000, "{piece}: {words} bytes of findings");
    }
}

#[test]
fn places_are_lines_and_columns() {
    let text = "error_rate ≤ 1%\n  and p99 = 1s";
    let checked = check(text, &Facts::default());
    let finding = checked.findings.iter().next().unwrap();
    assert_eq!(finding.at.unwrap().to_string(), "2:11");
    assert_eq!(&text[finding.span.clone().unwrap()], "=");
    let rendered = checked.findings.render("deployment.yaml", text, false);
    insta::assert_snapshot!("rendered", rendered);
}

#[test]
fn what_is_no_bound_is_not_deserialised() {
    for json in ["\"error_rate = 1%\"", "\"\"", "1", "null", "{}"] {
        assert!(serde_json::from_str::<Bound>(json).is_err(), "{json}");
    }
    let error = serde_json::from_str::<Bound>("\"error_rate = 1%\"").unwrap_err();
    assert!(error.to_string().contains("NE1607"), "{error}");
    let name = serde_json::from_str::<MetricName>("\"p99 <= 1s\"");
    assert!(name.unwrap_err().to_string().contains("NE1612"));
    let both = "cpu < 9% and p99 < 1s".parse::<Clause>();
    assert!(both.unwrap_err().to_string().contains("a single clause"));
}
