//! What a repository says, read from repositories that git itself made.

use std::fs;
use std::path::Path;
use std::process::Command;

use nonevent_document::Timestamp;
use nonevent_gates::{
    CollectLimits, Context, EvidenceSet, GitChanges, GitFacts, Outcome, Policy, Related, Side,
    Tree, add_git, collect, evaluate,
};

/// Midnight, so that the commits below have known ages.
const NOW: &str = "2026-03-01T00:00:00Z";

fn git(dir: &Path, arguments: &[&str]) {
    git_at(dir, "2026-02-28T12:00:00Z", arguments);
}

fn git_at(dir: &Path, committed_at: &str, arguments: &[&str]) {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@shop.example")
        .env("GIT_AUTHOR_DATE", "2026-02-27T12:00:00Z")
        .env("GIT_COMMITTER_NAME", "Bot")
        .env("GIT_COMMITTER_EMAIL", "bot@shop.example")
        .env("GIT_COMMITTER_DATE", committed_at)
        .output()
        .expect("git starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

/// Two commits on `main`, a tag at each, and one commit on `topic` that `main` does not have.
fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path();
    git(path, &["init", "--quiet", "--initial-branch", "main"]);
    fs::write(path.join("a.txt"), "one\n").expect("written");
    fs::write(path.join("run.sh"), "#!/bin/sh\n").expect("written");
    git(path, &["add", "."]);
    git(path, &["update-index", "--chmod=+x", "run.sh"]);
    git(path, &["commit", "--quiet", "--message", "one"]);
    git(path, &["tag", "v1.2.0"]);
    git(path, &["checkout", "--quiet", "-b", "topic"]);
    fs::write(path.join("t.txt"), "topic\n").expect("written");
    git(path, &["add", "."]);
    git(path, &["commit", "--quiet", "--message", "topic"]);
    git(path, &["checkout", "--quiet", "main"]);
    fs::create_dir(path.join("sub")).expect("made");
    fs::write(path.join("sub/b.txt"), "two\n").expect("written");
    std::os::unix::fs::symlink("a.txt", path.join("link")).expect("made");
    fs::write(path.join("package.json"), r#"{"version": "1.3.0"}"#).expect("written");
    git(path, &["add", "."]);
    git(path, &["commit", "--quiet", "--message", "two"]);
    git(
        path,
        &["tag", "--annotate", "--message", "the release", "v1.3.0"],
    );
    git(path, &["checkout", "--quiet", "--force", "main"]);
    dir
}

fn policy(checks: &[&str]) -> Policy {
    let criteria: String = checks
        .iter()
        .enumerate()
        .map(|(at, check)| {
            format!("      - {{ id: c{at}, title: T, why: W, severity: blocking, owner: O, remedy: R, check: {{ {check} }} }}\n")
        })
        .collect();
    let text = format!(
        "apiVersion: nonevent/v1\nkind: GatePolicy\nname: git\nphases:\n  - id: one\n    title: One\n    exit:\n{criteria}"
    );
    Policy::parse("git.yaml", text.as_bytes()).expect("a policy")
}

fn tree(dir: &Path, policy: &Policy) -> Tree {
    let limits = CollectLimits::default();
    let mut tree = collect(dir, policy, &limits).expect("a folder");
    add_git(&mut tree, dir, policy, &limits);
    tree
}

fn facts(dir: &Path) -> Result<GitFacts, String> {
    let policy = policy(&["git: { clean: true }"]);
    tree(dir, &policy).git().expect("a repository").clone()
}

/// What each check comes to, with its figure.
fn answers(dir: &Path, checks: &[&str]) -> Vec<(Outcome, String)> {
    let policy = policy(checks);
    let gate = policy.gate("one", Side::Exit).expect("the phase");
    let now: Timestamp = NOW.parse().expect("a time");
    let tree = tree(dir, &policy);
    let verdict = evaluate(&gate, &tree, &EvidenceSet::default(), &Context::at(now));
    let criteria = verdict.criteria().iter();
    criteria
        .map(|it| (it.outcome(), it.check.found.clone()))
        .collect()
}

#[test]
fn what_the_commit_says() {
    let dir = repository();
    let facts = facts(dir.path()).expect("read");
    assert_eq!(facts.branch.as_deref(), Some("main"));
    assert_eq!(facts.tags, ["v1.3.0"]);
    assert_eq!(facts.other_tags, ["v1.2.0"]);
    assert_eq!(
        (&*facts.author.name, &*facts.committer.email),
        ("Ada", "bot@shop.example")
    );
    assert_eq!(facts.committed_at.to_string(), "2026-02-28T12:00:00Z");
    assert_eq!(facts.changes, GitChanges::None);
    git(dir.path(), &["checkout", "--quiet", "--detach"]);
    assert_eq!(super::git::facts(dir.path()).expect("read").branch, None);
}

#[test]
fn every_change_to_what_is_tracked_is_seen_and_nothing_else() {
    type Change = (&'static str, fn(&Path));
    let changes: [Change; 9] = [
        ("a.txt", |dir| {
            fs::write(dir.join("a.txt"), "ONE\n").expect("written");
        }),
        ("a.txt", |dir| {
            fs::remove_file(dir.join("a.txt")).expect("removed");
        }),
        ("run.sh", |dir| {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(dir.join("run.sh"), fs::Permissions::from_mode(0o644))
                .expect("set");
        }),
        ("link", |dir| {
            fs::remove_file(dir.join("link")).expect("removed");
            std::os::unix::fs::symlink("package.json", dir.join("link")).expect("made");
        }),
        ("sub/b.txt", |dir| {
            // The very same content, reached through a link.
            fs::rename(dir.join("sub"), dir.join("elsewhere")).expect("moved");
            std::os::unix::fs::symlink("elsewhere", dir.join("sub")).expect("made");
        }),
        ("a.txt", |dir| {
            fs::remove_file(dir.join("a.txt")).expect("removed");
            fs::create_dir(dir.join("a.txt")).expect("made");
        }),
        ("new.txt", |dir| {
            fs::write(dir.join("new.txt"), "new\n").expect("written");
            git(dir, &["add", "new.txt"]);
        }),
        ("a.txt", |dir| {
            git(dir, &["rm", "--quiet", "--cached", "a.txt"]);
        }),
        ("a.txt", |dir| {
            // Staged, and put back in the folder: the index still differs.
            fs::write(dir.join("a.txt"), "ONE\n").expect("written");
            git(dir, &["add", "a.txt"]);
            fs::write(dir.join("a.txt"), "one\n").expect("written");
        }),
    ];
    for (path, change) in changes {
        let dir = repository();
        change(dir.path());
        let facts = facts(dir.path()).expect("read");
        let GitChanges::Some { count: 1, first } = &facts.changes else {
            panic!("{path}: {:?}", facts.changes);
        };
        assert_eq!(first, &[path]);
        let said = &answers(dir.path(), &["git: { clean: true }"])[0];
        assert_eq!(said.0, Outcome::Fail, "{}", said.1);
    }
    // The same content written anew, and what is not tracked, are no changes.
    let dir = repository();
    fs::write(dir.path().join("a.txt"), "one\n").expect("written");
    fs::write(dir.path().join("untracked.txt"), "x").expect("written");
    assert_eq!(facts(dir.path()).expect("read").changes, GitChanges::None);
}

#[test]
fn nothing_that_a_repository_names_is_started() {
    let dir = repository();
    let path = dir.path();
    let mark = path.join("started");
    let command = format!("touch {}", mark.display());
    for name in [
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "diff.external",
        "gpg.program",
    ] {
        git(path, &["config", name, &command]);
    }
    git(path, &["config", "include.path", "/nowhere/gitconfig"]);
    fs::write(path.join(".git/info/attributes"), "* filter=x\n").expect("written");
    fs::write(path.join("a.txt"), "ONE\n").expect("written");
    let facts = facts(path).expect("read");
    assert!(
        matches!(facts.changes, GitChanges::Some { count: 1, .. }),
        "{:?}",
        facts.changes
    );
    assert!(!mark.exists(), "a command of the repository was started");
}

#[test]
fn checks_on_the_repository() {
    let dir = repository();
    let said = answers(
        dir.path(),
        &[
            "git: { clean: true, branch: [main, release], tag: v*, max_age: 1d }",
            "git: { branch: [topic] }",
            "git: { tag: v1.2.0 }",
            "git: { max_age: 6h }",
            "git: { descends_from: [v1.2.0, main] }",
            "git: { descends_from: [topic] }",
            "git: { merged_into: [main] }",
            "git: { merged_into: [v1.2.0] }",
            "git: { merged_into: [gone] }",
            "version: { file: package.json, path: /version, later_than_tags: v* }",
            "version: { file: package.json, path: /name, later_than_tags: v* }",
            "version: { file: package.json, path: /version, later_than_tags: release-* }",
        ],
    );
    let outcomes: Vec<Outcome> = said.iter().map(|it| it.0).collect();
    let expected = [
        Outcome::Pass,
        Outcome::Fail,
        Outcome::Fail,
        Outcome::Fail,
        Outcome::Pass,
        Outcome::Fail,
        Outcome::Pass,
        Outcome::Fail,
        Outcome::Fail,
        Outcome::Pass,
        Outcome::Fail,
        Outcome::Fail,
    ];
    assert_eq!(outcomes, expected, "{said:#?}");
    assert!(
        said[9].1.contains("1.3.0, released last 1.2.0"),
        "{}",
        said[9].1
    );
    // The next version must be later than the release that is out now.
    git(
        dir.path(),
        &["commit", "--quiet", "--allow-empty", "--message", "three"],
    );
    let version = "version: { file: package.json, path: /version, later_than_tags: v* }";
    let said = answers(dir.path(), &[version]);
    assert_eq!(said[0].0, Outcome::Fail, "{}", said[0].1);
    assert!(
        said[0].1.contains("1.3.0, released last 1.3.0"),
        "{}",
        said[0].1
    );
}

#[test]
fn relations() {
    let dir = repository();
    let policy =
        policy(&["git: { descends_from: [main, topic, v1.2.0, v1.3.0, nothing, \"a..b\"] }"]);
    let facts = tree(dir.path(), &policy)
        .git()
        .expect("a repository")
        .clone()
        .expect("read");
    let related: Vec<(&str, Related)> = facts
        .related
        .iter()
        .map(|(name, it)| (&**name, *it))
        .collect();
    assert_eq!(
        related,
        [
            ("a..b", Related::Missing),
            ("main", Related::Same),
            ("nothing", Related::Missing),
            ("topic", Related::Apart),
            ("v1.2.0", Related::Descendant),
            ("v1.3.0", Related::Same),
        ]
    );
}

#[test]
fn only_what_is_in_the_index_is_tracked() {
    let dir = repository();
    fs::write(dir.path().join("new.json"), r#"{"a": 1}"#).expect("written");
    let check = ["json: { file: new.json, path: /a, equals: 1 }"];
    let said = answers(dir.path(), &check);
    assert_eq!(said[0].0, Outcome::Fail, "{}", said[0].1);
    assert!(said[0].1.contains("not tracked"), "{}", said[0].1);
    git(dir.path(), &["add", "new.json"]);
    assert_eq!(answers(dir.path(), &check)[0].0, Outcome::Pass);
}

#[test]
fn what_is_no_repository_or_a_broken_one_closes() {
    let dir = tempfile::tempdir().expect("a folder");
    let check = ["git: { clean: true }"];
    let said = answers(dir.path(), &check);
    assert_eq!(
        said[0],
        (Outcome::Unknown, "no repository was looked at".to_owned())
    );
    fs::create_dir(dir.path().join(".git")).expect("made");
    assert_eq!(answers(dir.path(), &check)[0].0, Outcome::Error);

    for broken in ["HEAD", "index", "refs/heads/main"] {
        let dir = repository();
        fs::write(dir.path().join(".git").join(broken), "no such thing").expect("written");
        let said = answers(dir.path(), &check);
        assert_eq!(said[0].0, Outcome::Error, "{broken}: {}", said[0].1);
    }
    let dir = repository();
    fs::remove_dir_all(dir.path().join(".git/objects")).expect("removed");
    fs::create_dir(dir.path().join(".git/objects")).expect("made");
    assert_eq!(answers(dir.path(), &check)[0].0, Outcome::Error);
}

/// A side branch that came to another text, and one that came to the same text earlier, do not make
/// a file younger; nor does an edit that is not committed.
#[test]
fn a_file_is_as_old_as_the_commit_that_last_changed_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path();
    let write = |name: &str, text: &str| fs::write(path.join(name), text).expect("written");
    let commit = |at: &str, message: &str| {
        git_at(path, at, &["add", "--all"]);
        git_at(path, at, &["commit", "--quiet", "--message", message]);
    };
    git(path, &["init", "--quiet", "--initial-branch", "main"]);
    fs::create_dir(path.join("docs")).expect("made");
    write("docs/old.md", "old\n");
    write("docs/new.md", "first\n");
    write("docs/merged.md", "first\n");
    commit("2025-06-01T12:00:00Z", "one");
    git(path, &["checkout", "--quiet", "-b", "side"]);
    write("docs/merged.md", "of the side\n");
    write("docs/old.md", "another old\n");
    commit("2026-01-10T12:00:00Z", "side");
    git(path, &["checkout", "--quiet", "main"]);
    write("docs/new.md", "second\n");
    commit("2026-02-20T12:00:00Z", "two");
    git_at(
        path,
        "2026-02-27T12:00:00Z",
        &["merge", "--quiet", "--no-commit", "--no-ff", "side"],
    );
    write("docs/old.md", "old\n");
    commit("2026-02-27T12:00:00Z", "merge, but for one file");
    write("docs/edited.md", "committed\n");
    commit("2026-02-28T12:00:00Z", "three");
    write("docs/edited.md", "not committed\n");

    let check = |name: &str, age: &str| {
        format!("files: {{ include: [docs/{name}.md], min_bytes: 1100, max_age: {age} }}")
    };
    // The trial asks for more bytes than there are, so that the reason is looked at.
    let checks = ["old", "new", "merged", "edited"].map(|name| check(name, "30d"));
    let policy = policy(&checks.each_ref().map(String::as_str));
    let facts = tree(path, &policy)
        .git()
        .expect("a repository")
        .clone()
        .expect("read");
    let changes: Vec<String> = facts
        .last_changes
        .iter()
        .map(|(name, at)| format!("{name} {at}"))
        .collect();
    assert_eq!(
        changes,
        [
            "docs/merged.md 2026-01-10T12:00:00Z",
            "docs/new.md 2026-02-20T12:00:00Z",
            "docs/old.md 2025-06-01T12:00:00Z",
        ]
    );
}

/// A shallow clone says when a file was last changed only if that lies within what it has.
#[test]
fn what_lies_beyond_a_shallow_history_is_not_known() {
    let dir = tempfile::tempdir().expect("a folder");
    let origin = dir.path().join("origin");
    fs::create_dir(&origin).expect("made");
    let long = "x".repeat(1100);
    git(&origin, &["init", "--quiet", "--initial-branch", "main"]);
    fs::write(origin.join("old.md"), &long).expect("written");
    git_at(&origin, "2026-02-01T12:00:00Z", &["add", "."]);
    git_at(
        &origin,
        "2026-02-01T12:00:00Z",
        &["commit", "--quiet", "--message", "one"],
    );
    for name in ["new.md", "newest.md"] {
        fs::write(origin.join(name), &long).expect("written");
        git_at(&origin, "2026-02-27T12:00:00Z", &["add", "."]);
        git_at(
            &origin,
            "2026-02-27T12:00:00Z",
            &["commit", "--quiet", "--message", name],
        );
    }
    let shallow = dir.path().join("shallow");
    let from = format!("file://{}", origin.display());
    let to = shallow.display().to_string();
    git(
        dir.path(),
        &["clone", "--quiet", "--depth", "2", &from, &to],
    );
    let check = |name| format!("files: {{ include: [{name}.md], min_bytes: 1100, max_age: 90d }}");
    let checks = ["old", "new", "newest"].map(check);
    let checks = checks.each_ref().map(String::as_str);
    insta::assert_debug_snapshot!("whole", answers(&origin, &checks));
    insta::assert_debug_snapshot!("shallow", answers(&shallow, &checks));
}
