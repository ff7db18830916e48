//! The pages of `docs/findings` say what the code says. With `INSTA_UPDATE=always`, as
//! `cargo xtask bless` sets it, they are written anew.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

mod example;
mod page;

use std::collections::BTreeMap;
use std::path::PathBuf;

use nonevent::document::Rule;

use example::Example;

/// The tables of rules, in the order of their codes.
const TABLES: &[Table] = &[
    Table {
        title: "The text of any document",
        rules: nonevent::document::RULES,
        example: example::of_text,
    },
    Table {
        title: "A deployment",
        rules: nonevent::strategy::RULES,
        example: example::of_deployment,
    },
    Table {
        title: "A release of several services",
        rules: nonevent::strategy::release::RELEASE_RULES,
        example: |_| None,
    },
    Table {
        title: "The bounds of an analysis",
        rules: nonevent::analysis::bounds::RULES,
        example: example::of_bounds,
    },
    Table {
        title: "The page of a runbook, read back",
        rules: nonevent::runbook::RULES,
        example: |_| None,
    },
    Table {
        title: "A file of feature flags",
        rules: nonevent::flags::RULES,
        example: example::of_flags,
    },
];

/// The rules of one kind of text.
struct Table {
    title: &'static str,
    rules: &'static [Rule],
    /// A text that breaks a rule, if there is one worth showing.
    example: fn(&Rule) -> Option<Example>,
}

/// A path from the root of the repository.
fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files that should be in `docs/findings`, by name.
fn expected() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut entries = Vec::new();
    for table in TABLES {
        for rule in table.rules {
            let example = (table.example)(rule);
            let name = format!("{}.md", rule.code);
            let page = page::page(rule, example.as_ref());
            assert!(files.insert(name, page).is_none(), "{} twice", rule.code);
            entries.push(page::entry(rule, example.as_ref()));
        }
    }
    let mut json = serde_json::to_string_pretty(&entries).unwrap();
    json.push('\n');
    files.insert("findings.json".to_owned(), json);
    files.insert("README.md".to_owned(), page::index(TABLES));
    files
}

/// The files that are in `docs/findings`, by name.
fn present() -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(root("docs/findings")) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let text = text(&format!("docs/findings/{name}"));
            (name, text)
        })
        .collect()
}

#[test]
fn the_pages_say_what_the_code_says() {
    let (expected, present) = (expected(), present());
    let is_stale = |name: &&String| expected.get(*name) != present.get(*name);
    let mut names: Vec<&String> = expected.keys().chain(present.keys()).collect();
    names.sort();
    names.dedup();
    let stale: Vec<&String> = names.into_iter().filter(is_stale).collect();
    if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        std::fs::create_dir_all(root("docs/findings")).unwrap();
        for name in stale {
            let path = root("docs/findings").join(name);
            match expected.get(name) {
                Some(text) => std::fs::write(path, text).unwrap(),
                None => std::fs::remove_file(path).unwrap(),
            }
        }
    } else {
        assert!(
            stale.is_empty(),
            "run `cargo xtask bless`: {stale:?} of docs/findings are out of date"
        );
    }
}

#[test]
fn every_rule_of_a_deployment_has_an_example_and_advice() {
    for rule in nonevent::strategy::RULES {
        let example = example::of_deployment(rule);
        let example = example.unwrap_or_else(|| panic!("{} has no example", rule.code));
        assert!(!example.help.is_empty(), "{}", rule.code);
        let head = format!("{}[{}]: ", rule.severity, rule.code);
        assert!(example.printed.starts_with(&head), "{}", example.printed);
        let lines = example.edit.lines();
        assert!(lines.clone().any(|line| line.starts_with(['+', '-'])));
    }
}

#[test]
fn a_bad_flag_file_breaks_the_rule_that_it_is_named_after() {
    let codes: Vec<String> = nonevent::flags::RULES
        .iter()
        .map(|it| it.code.to_string())
        .collect();
    for entry in std::fs::read_dir(root("fixtures/flags/bad")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let code = name.split('.').next().unwrap();
        assert!(codes.iter().any(|it| it == code), "{name}");
    }
    for rule in nonevent::flags::RULES {
        // Looked for by name: whether it is found is what is asked.
        if let Some(example) = example::of_flags(rule) {
            assert!(!example.help.is_empty() && example.printed.contains(&rule.code.to_string()));
        }
    }
}
