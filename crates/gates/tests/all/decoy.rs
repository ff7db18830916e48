//! A project that only looks ready to be deployed: the usual checker, which matches the names of
//! files anywhere and looks for words in them, says yes five times of five. The built-in policy says
//! no, and names each.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nonevent_gates::{
    CollectLimits, Context, EvidenceSet, Outcome, Policy, Side, collect, evaluate,
};

use super::project::NOW;

/// What the usual checker asks of a deployment: a part of a file's name, and a word that some such
/// file has to have, if any.
const USUAL: [(&str, &str, &str); 5] = [
    ("runbook documented", "runbook", ""),
    ("rollback procedure tested", "rollback", "tested"),
    ("strategy configured", "", "strategy"),
    ("smoke tests pass", "smoke", "pass"),
    ("feature flags configured", "flag", ""),
];

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a folder above")).expect("made");
    fs::write(path, text).expect("written");
}

/// Empty files of the right names, a link out of the project, and notes that say "NOT".
fn decoy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path();
    write(root, "node_modules/left-pad/docs/deployment-runbook.md", "");
    write(root, "docs/rollback.md", "The rollback was NOT tested.\n");
    write(root, "docs/plan.md", "The strategy is NOT chosen yet.\n");
    write(root, "notes/smoke.txt", "The smoke tests do not pass.\n");
    write(root, "docs/deployment-runbook.md", "");
    write(root, "flags.json", "{}");
    let outside = root.join("smoke-tests.json");
    symlink("/etc/hostname", outside).expect("made");
    dir
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// How many of the usual criteria the usual checker takes for met.
fn usual_checker(root: &Path) -> usize {
    let mut found = Vec::new();
    files(root, &mut found);
    let meets = |name: &str, word: &str| {
        found.iter().any(|path| {
            let shown = path.file_name().unwrap_or_default().to_string_lossy();
            let text = fs::read_to_string(path).unwrap_or_default().to_lowercase();
            shown.contains(name) && text.contains(word)
        })
    };
    let met = USUAL.iter().filter(|(_, name, word)| meets(name, word));
    met.count()
}

#[test]
fn the_usual_checker_is_fooled_five_times_of_five_and_ours_is_not() {
    let dir = decoy();
    assert_eq!(usual_checker(dir.path()), 5);

    let policy = Policy::builtin();
    let tree = collect(dir.path(), &policy, &CollectLimits::default()).expect("a folder");
    let gate = policy.gate("deployment", Side::Both).expect("the phase");
    let verdict = evaluate(&gate, &tree, &EvidenceSet::default(), &Context::at(NOW));
    assert!(!verdict.is_passed());
    let passing = verdict.criteria().iter();
    let passing = passing.filter(|it| it.outcome() == Outcome::Pass);
    assert_eq!(passing.count(), 0);
    let named: Vec<String> = verdict
        .closing()
        .filter(|result| !result.id.starts_with("previous-"))
        .map(|result| {
            format!(
                "{}: {}: {}",
                result.id,
                result.outcome(),
                result.check.found
            )
        })
        .collect();
    insta::assert_debug_snapshot!(named);
}
