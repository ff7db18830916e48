//! Every file under `fixtures/flags`: what it compiles to, what is found in it, and what each
//! flag gives to each of the contexts in `contexts.json`. What is refused is golden too.

use nonevent_flags::{Context, FlagSet, LoadOptions};
use serde_json::{Map, Value};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/flags")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder} is empty");
    paths
}

fn check(path: &Path, contexts: &Map<String, Value>) {
    let name = path.file_name().expect("a file").to_string_lossy();
    let folder = path
        .parent()
        .and_then(Path::file_name)
        .expect("in a folder")
        .to_string_lossy();
    let bytes = fs::read(path).expect("readable");
    let mut golden = String::new();
    match FlagSet::load(&name, &bytes, LoadOptions::default()) {
        Err(findings) => writeln!(golden, "refused\n{findings}"),
        Ok(loaded) => tell(&loaded.set, contexts, &mut golden),
    }
    .expect("a string takes all");
    insta::assert_snapshot!(format!("{folder}__{name}"), golden);
}

fn tell(set: &FlagSet, contexts: &Map<String, Value>, golden: &mut String) -> std::fmt::Result {
    let now = "2026-03-20T12:00:00Z".parse().expect("a time");
    writeln!(golden, "dialect {}\n\n{set}", set.dialect())?;
    writeln!(golden, "findings\n{}", set.check(now))?;
    for (name, attributes) in contexts {
        writeln!(golden, "\nfor {name}")?;
        let context = Context::anonymous()
            .at(now)
            .with(attributes.as_object().expect("an object"));
        for flag in set.flags() {
            write!(golden, "{}", set.explain(flag.key(), &context))?;
        }
    }
    Ok(())
}

#[test]
fn every_fixture_gives_what_is_written_down() {
    let text = fs::read(root().join("contexts.json")).expect("readable");
    let contexts: Value = serde_json::from_slice(&text).expect("JSON");
    let contexts = contexts.as_object().expect("an object");
    for folder in [
        "flagd",
        "growthbook",
        "launchdarkly",
        "plain",
        "ufc",
        "unleash",
        "refused",
    ] {
        for path in files(folder) {
            check(&path, contexts);
        }
    }
}

#[test]
fn findings_point_into_the_file() {
    let path = root().join("flagd/mistakes.json");
    let text = fs::read_to_string(&path).expect("readable");
    let findings = FlagSet::load("mistakes.json", text.as_bytes(), LoadOptions::default())
        .expect("one wrong flag refuses no file")
        .findings;
    for finding in &findings {
        let at = finding.at.expect("each finding has a place");
        let line = text
            .lines()
            .nth(at.line as usize - 1)
            .expect("the line is there");
        assert!(line.chars().count() >= at.column as usize, "{finding}");
    }
    let unknown = findings
        .iter()
        .find(|finding| finding.path.contains("unknown-operator"));
    let at = unknown.and_then(|finding| finding.at).expect("found");
    let line = text
        .lines()
        .nth(at.line as usize - 1)
        .expect("the line is there");
    let there: String = line.chars().skip(at.column as usize - 1).collect();
    assert!(there.starts_with("{ \"startswith\""), "{there}");
}
