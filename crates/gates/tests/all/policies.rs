//! Policies under `fixtures/gates`: the good ones are read, the bad ones refused with these very
//! findings.

use std::fs;
use std::path::{Path, PathBuf};

use nonevent_document::Timestamp;
use nonevent_gates::{Context, Criterion, EvidenceSet, Phase, Policy, Side, Tree, evaluate};
use proptest::prelude::{ProptestConfig, any, proptest};

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/gates")
        .join(folder);
    let entries = fs::read_dir(&root).expect("the fixtures are there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} holds no fixture", root.display());
    paths
}

fn read(path: &Path) -> (String, Vec<u8>) {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .expect("plain names");
    (name.to_string(), fs::read(path).expect("readable"))
}

#[test]
fn bad_policies_are_refused_with_all_their_findings() {
    for path in fixtures("bad") {
        let (name, bytes) = read(&path);
        let findings = Policy::parse(&name, &bytes).expect_err(&name);
        let text = String::from_utf8_lossy(&bytes);
        insta::assert_snapshot!(name.replace('.', "-"), findings.render(&name, &text, false));
    }
}

#[test]
fn good_policies_are_read() {
    for path in fixtures("ok").into_iter().chain(fixtures("")) {
        let (name, bytes) = read(&path);
        let policy = Policy::parse(&name, &bytes).unwrap_or_else(|findings| {
            panic!(
                "{}",
                findings.render(&name, &String::from_utf8_lossy(&bytes), false)
            )
        });
        assert!(!policy.phases().is_empty());
        closed_on_nothing(&policy);
    }
}

#[test]
fn the_built_in_policy_has_the_seven_phases_in_order() {
    let policy = Policy::builtin();
    let ids: Vec<&str> = policy.phases().iter().map(Phase::id).collect();
    assert_eq!(
        ids,
        [
            "requirements",
            "development",
            "cicd",
            "testing",
            "uat",
            "deployment",
            "monitoring"
        ]
    );
    let gate = policy.gate("monitoring", Side::Entry).expect("a phase");
    let asked: Vec<&str> = gate.criteria().map(Criterion::id).collect();
    assert_eq!(asked.len(), 6, "every earlier gate: {asked:?}");
}

fn closed_on_nothing(policy: &Policy) {
    let now = Timestamp::from_unix_ms(0);
    for phase in policy.phases() {
        let gate = policy.gate(phase.id(), Side::Both).expect("its own phase");
        let verdict = evaluate(
            &gate,
            &Tree::new(),
            &EvidenceSet::default(),
            &Context::at(now),
        );
        assert!(!verdict.is_passed(), "{}", verdict.to_text());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever becomes of a policy's text: it is read or refused, and what is read is closed on
    /// nothing.
    #[test]
    fn a_changed_policy_is_refused_or_still_closed(
        line in 0usize..500, other in 0usize..500, at in 0usize..60, with in "[-a-z0-9:{}, \\[\\]\"'&*!|>#\t]{0,3}",
        drop_line in any::<bool>(),
    ) {
        let mut lines: Vec<String> = Policy::builtin_text().lines().map(String::from).collect();
        let (line, other) = (line % lines.len(), other % lines.len());
        if drop_line {
            lines.remove(line);
        } else if at < 50 {
            let text = &mut lines[line];
            let at = text.char_indices().nth(at).map_or(text.len(), |(at, _)| at);
            text.insert_str(at, &with);
        } else {
            lines.swap(line, other);
        }
        if let Ok(policy) = Policy::parse("changed.yaml", lines.join("\n").as_bytes()) {
            closed_on_nothing(&policy);
        }
    }
}

#[test]
fn a_policy_is_the_same_whatever_its_spacing_and_comments() {
    let text = Policy::builtin_text();
    let spaced = format!(
        "# another comment\n\n{}",
        text.replace(" after: [", " after:  [ ")
    );
    let other = Policy::parse("gates.yaml", spaced.as_bytes()).expect("the same policy");
    assert_eq!(other.digest(), Policy::builtin().digest());
    let changed = text.replace("max_age: 31d", "max_age: 32d");
    let other = Policy::parse("gates.yaml", changed.as_bytes()).expect("another policy");
    assert_ne!(other.digest(), Policy::builtin().digest());
}
