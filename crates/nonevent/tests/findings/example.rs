//! Texts that break a rule, and what is said of them.

use std::collections::BTreeMap;

use nonevent::analysis::bounds;
use nonevent::document::{Digest, Document, Finding, Findings, Limits, Rule};
use nonevent::flags::{FlagSet, LoadOptions, Stage, StagePlan, stage};
use nonevent::strategy::{Facts, SuiteFact, check, read};

use crate::{root, text};

/// Lines of a good document that are shown around an edit.
const CONTEXT_LINES: usize = 2;

/// A text that breaks a rule.
pub(crate) struct Example {
    /// The good document that was edited, if the text is one.
    pub(crate) good: Option<String>,
    /// What was changed in it, as lines that begin with a blank, `-` or `+`; without a good one,
    /// the text itself.
    pub(crate) edit: String,
    /// The finding as it is printed.
    pub(crate) printed: String,
    /// Its advice.
    pub(crate) help: String,
}

/// The document that is broken to show what a text must be like.
const GOOD: &str = "fixtures/deployment/rolling.yaml";

/// One edit of it for each rule that a few lines can break: what is replaced, and by what.
const EDITS: &[(&str, &str, &str)] = &[
    ("NE0004", "service: checkout\n", "service checkout\n"),
    (
        "NE0007",
        "  rolling:\n    max_surge: 1\n",
        "  rolling: &rolling\n    max_surge: *rolling\n",
    ),
    ("NE0008", "  spare: 1\n", "  spare: 1\n  spare: 2\n"),
    ("NE0009", "owner: checkout team\n", "owner: {{ team }}\n"),
    ("NE0010", "service: checkout\n", "service: !env SERVICE\n"),
    ("NE0011", "  replicas: 4\n", "  replicas: 010\n"),
    ("NE0012", "\nfleet:\n", "---\nfleet:\n"),
    ("NE0020", "    pause: 2m\n", "    pasue: 2m\n"),
    ("NE0021", "  replicas: 4\n", ""),
    ("NE0022", "  replicas: 4\n", "  replicas: four\n"),
    ("NE0023", "    pause: 2m\n", "    pause: 2\n"),
    (
        "NE0024",
        "  connections: close_after\n",
        "  connections: close\n",
    ),
];

pub(crate) fn of_text(rule: &Rule) -> Option<Example> {
    let (_, old, new) = EDITS.iter().find(|it| it.0 == rule.code.as_str())?;
    let good = text(GOOD);
    assert_eq!(good.matches(old).count(), 1, "{old:?} in {GOOD}");
    let bad = good.replacen(old, new, 1);
    let findings = findings("deployment.yaml", &bad, Facts::default());
    Some(example(
        rule,
        GOOD,
        "deployment.yaml",
        &good,
        &bad,
        &findings,
    ))
}

pub(crate) fn of_deployment(rule: &Rule) -> Option<Example> {
    let name = format!("fixtures/deployment/bad/{}.yaml", rule.code);
    let bad = text(&name);
    let twin = bad.lines().next()?.strip_prefix("# ")?;
    let good_name = format!("fixtures/deployment/{twin}");
    let good = text(&good_name);
    // Rules about what was not looked at.
    let mut facts = facts();
    match rule.code.as_str() {
        "NE1072" => facts.suites.clear(),
        "NE1104" => facts.now = None,
        _ => {}
    }
    facts.suites_read = !matches!(rule.code.as_str(), "NE1072" | "NE1093");
    let findings = findings(&name, &bad, facts);
    Some(example(rule, &good_name, &name, &good, &bad, &findings))
}

/// A flag file that breaks this rule; rules about what is held against it have none.
pub(crate) fn of_flags(rule: &Rule) -> Option<Example> {
    let names = ["yaml", "json"].map(|it| format!("fixtures/flags/bad/{}.{it}", rule.code));
    let name = names.iter().find(|name| root(name).is_file())?;
    let bad = text(name);
    let now = "2026-03-20T12:00:00Z".parse().unwrap();
    let load = || FlagSet::load(name, bad.as_bytes(), LoadOptions::default());
    let stage = || {
        let plan = StagePlan::default();
        stage(
            name,
            bad.as_bytes(),
            LoadOptions::default(),
            "basket",
            &plan,
            Stage::Internal,
        )
    };
    let findings = match rule.code.as_str() {
        "NE4028" | "NE4029" => stage().unwrap_err(),
        _ => load().map_or_else(|findings| findings, |loaded| loaded.set.check(now)),
    };
    let finding = findings.iter().find(|it| it.code == rule.code);
    let finding = finding.unwrap_or_else(|| panic!("{name} has no {}: {findings}", rule.code));
    Some(Example {
        good: None,
        edit: bad.clone(),
        printed: Findings::from(finding.clone()).render(name, &bad, false),
        help: finding.help.clone(),
    })
}

/// The first line of the bad bounds that breaks this rule and no other.
pub(crate) fn of_bounds(rule: &Rule) -> Option<Example> {
    let files = ["grammar", "values", "meaning", "together"];
    let files = files.map(|it| text(&format!("fixtures/analysis/bounds/bad/{it}.txt")));
    let lines = files.iter().flat_map(|file| file.lines());
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let findings = bounds::check(line, &bounds::Facts::default()).findings;
        let mut codes = findings.iter().map(|it| it.code);
        if codes.next() == Some(rule.code) && codes.next().is_none() && line.len() < 80 {
            let finding = findings.iter().next()?;
            return Some(Example {
                good: None,
                edit: format!("{line}\n"),
                printed: findings.render("bounds", line, false),
                help: finding.help.clone(),
            });
        }
    }
    None
}

/// A suite with tests and one without; every other one cannot be read.
fn facts() -> Facts {
    let suites = [("../smoke/demo.json", 3), ("../smoke/empty.json", 0)];
    let suites = suites.map(|(name, tests)| {
        let digest = Digest::of(name.as_bytes());
        (name.to_owned(), SuiteFact { digest, tests })
    });
    let files = std::fs::read_dir(root("fixtures/deployment/flags")).unwrap();
    let files = files.map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let content = text(&format!("fixtures/deployment/flags/{name}"));
        (format!("flags/{name}"), Digest::of(content.as_bytes()))
    });
    Facts {
        suites: BTreeMap::from(suites),
        suites_read: true,
        files: files.collect(),
        // A Tuesday, ten o'clock in Berlin.
        now: Some("2026-11-24T09:00:00Z".parse().unwrap()),
        router: None,
    }
}

fn findings(name: &str, text: &str, facts: Facts) -> Findings {
    let checked = Document::parse(name, text.as_bytes(), &Limits::default())
        .and_then(|document| check(read(&document)?, facts, Some(&document)));
    match checked {
        Ok(checked) => checked.findings().clone(),
        Err(findings) => findings,
    }
}

fn example(
    rule: &Rule,
    good_name: &str,
    name: &str,
    good: &str,
    bad: &str,
    findings: &Findings,
) -> Example {
    let of_rule: Vec<&Finding> = findings.iter().filter(|it| it.code == rule.code).collect();
    let [finding] = of_rule[..] else {
        panic!("{name} has not one finding {}: {findings}", rule.code);
    };
    Example {
        good: Some(good_name.to_owned()),
        edit: edit(good, bad),
        printed: Findings::from(finding.clone()).render(name, bad, false),
        help: finding.help.clone(),
    }
}

/// The lines that differ, which lie together, with a few around them.
fn edit(good: &str, bad: &str) -> String {
    let (good, bad) = (body(good), body(bad));
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
        pairs.take_while(|(one, other)| one == other).count()
    };
    let before = same(&mut good.iter().zip(&bad));
    let after = same(&mut good[before..].iter().rev().zip(bad[before..].iter().rev()));
    let (good_end, bad_end) = (good.len() - after, bad.len() - after);
    let marked = |sign: char, lines: &[&str]| -> String {
        lines
            .iter()
            .map(|line| format!("{sign}{line}").trim_end().to_owned() + "\n")
            .collect()
    };
    [
        marked(' ', &good[before.saturating_sub(CONTEXT_LINES)..before]),
        marked('-', &good[before..good_end]),
        marked('+', &bad[before..bad_end]),
        marked(
            ' ',
            &good[good_end..(good_end + CONTEXT_LINES).min(good.len())],
        ),
    ]
    .concat()
}

/// The lines after the comment at the top.
fn body(text: &str) -> Vec<&str> {
    text.lines()
        .skip_while(|line| line.starts_with('#'))
        .collect()
}
