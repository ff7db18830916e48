//! Collecting from hostile folders: the right tree, in bounded time, and nothing executed,
//! followed or waited for.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use nonevent_gates::{CollectLimits, Content, EntryKind, Policy, Tree, TreePath, collect};

/// A policy that looks at these files and at nothing else.
fn policy(checks: &[&str]) -> Policy {
    let mut text = String::from(
        "apiVersion: nonevent/v1\nkind: GatePolicy\nname: collect\nphases:\n  - id: one\n    title: One\n    exit:\n",
    );
    for (index, check) in checks.iter().enumerate() {
        text.push_str(&format!(
            "      - {{ id: c{index}, title: T, why: W, severity: blocking, owner: O, remedy: R, check: {{ {check} }} }}\n"
        ));
    }
    Policy::parse("collect.yaml", text.as_bytes()).expect("a policy")
}

fn write(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a folder above")).expect("made");
    fs::write(path, bytes).expect("written");
}

fn listing(tree: &Tree) -> String {
    let mut text = String::new();
    for (path, entry) in tree.iter() {
        let content = match &entry.content {
            Content::NotRead => "not read".to_string(),
            Content::Read {
                solid_bytes, bytes, ..
            } => {
                format!("{solid_bytes} solid, kept: {}", bytes.is_some())
            }
            Content::Unread(why) => format!("unread: {why}"),
        };
        text.push_str(&format!(
            "{path} {:?} tracked: {} {content}\n",
            entry.kind, entry.tracked
        ));
    }
    for gap in tree.gaps() {
        let place = gap
            .path
            .as_ref()
            .map_or_else(|| ".".to_string(), ToString::to_string);
        text.push_str(&format!("gap {place}: {}\n", gap.why));
    }
    text
}

fn mkfifo(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
}

const DOCS: &str = "files: { include: ['docs/**'], min_bytes: 2000 }";
const README: &str = "markdown: { file: README.md, heading: Setup }";

#[test]
fn only_what_the_policy_names_is_kept_and_only_what_it_reads_is_held() {
    let root = tempfile::tempdir().expect("a folder");
    for path in [
        "README.md",
        "src/main.rs",
        "docs/a.md",
        "docs/deep/b.md",
        "docs/node_modules/x.md",
        "docs/target/y.md",
        "docs/vendor/z.md",
        "docs/.git/w.md",
        ".git/config",
    ] {
        write(root.path(), path, b"text");
    }
    let tree = collect(
        root.path(),
        &policy(&[DOCS, README]),
        &CollectLimits::default(),
    )
    .expect("collected");
    insta::assert_snapshot!(listing(&tree));
}

#[test]
fn gitignore_is_honoured_at_every_level() {
    let root = tempfile::tempdir().expect("a folder");
    write(
        root.path(),
        ".gitignore",
        b"*.tmp\n/docs/built/\n# comment\nreports/\n[\n",
    );
    write(root.path(), "docs/.gitignore", b"!keep.tmp\nsecret.md\n");
    for path in [
        "docs/a.tmp",
        "docs/keep.tmp",
        "docs/secret.md",
        "docs/built/c.md",
        "docs/sub/secret.md",
        "docs/d.md",
        "reports/lcov.info",
    ] {
        write(root.path(), path, b"text");
    }
    let lcov = "lcov: { file: reports/lcov.info, ignored: true, lines_min: '1%', measured_min: 1 }";
    let tree = collect(
        root.path(),
        &policy(&[DOCS, lcov]),
        &CollectLimits::default(),
    )
    .expect("collected");
    insta::assert_snapshot!(listing(&tree));
}

#[test]
fn links_fifos_and_loops_are_neither_followed_nor_opened() {
    let outside = tempfile::tempdir().expect("a folder");
    write(outside.path(), "secret.md", b"outside");
    let root = tempfile::tempdir().expect("a folder");
    let docs = root.path().join("docs");
    fs::create_dir(&docs).expect("made");
    symlink(
        outside.path().join("secret.md"),
        docs.join("file-outside.md"),
    )
    .expect("linked");
    symlink(outside.path(), docs.join("folder-outside")).expect("linked");
    symlink("..", docs.join("loop")).expect("linked");
    symlink("self", docs.join("self")).expect("linked");
    mkfifo(&docs.join("fifo.md"));
    mkfifo(&root.path().join("README.md"));
    let _socket = std::os::unix::net::UnixListener::bind(docs.join("socket")).expect("bound");
    let tree = collect(
        root.path(),
        &policy(&[DOCS, README]),
        &CollectLimits::default(),
    )
    .expect("collected");
    insta::assert_snapshot!(listing(&tree));
}

#[test]
fn a_gitignore_that_is_no_file_leaves_a_gap_and_does_not_hang() {
    let root = tempfile::tempdir().expect("a folder");
    write(root.path(), "docs/a.md", b"text");
    mkfifo(&root.path().join("docs/.gitignore"));
    let tree =
        collect(root.path(), &policy(&[DOCS]), &CollectLimits::default()).expect("collected");
    assert_eq!(tree.gaps().len(), 1, "{}", listing(&tree));

    let root = tempfile::tempdir().expect("a folder");
    write(root.path(), "docs/a.md", b"text");
    symlink("/dev/zero", root.path().join(".gitignore")).expect("linked");
    let tree =
        collect(root.path(), &policy(&[DOCS]), &CollectLimits::default()).expect("collected");
    assert_eq!(tree.gaps().len(), 1, "{}", listing(&tree));
}

#[test]
fn odd_names_are_kept_and_shown_plainly() {
    let root = tempfile::tempdir().expect("a folder");
    let docs = root.path().join("docs");
    fs::create_dir(&docs).expect("made");
    for name in [
        &b"bad-\xff-utf8"[..],
        b"new\nline",
        b"esc\x1b[2J",
        "rtl\u{202e}".as_bytes(),
        b"back\\slash",
        b"-rf",
    ] {
        fs::write(docs.join(OsStr::from_bytes(name)), b"text").expect("written");
    }
    let tree =
        collect(root.path(), &policy(&[DOCS]), &CollectLimits::default()).expect("collected");
    insta::assert_snapshot!(listing(&tree));
    assert!(
        tree.iter()
            .any(|(path, _)| path.as_bytes() == b"docs/new\nline")
    );
}

#[test]
fn what_is_too_large_is_not_read() {
    let root = tempfile::tempdir().expect("a folder");
    fs::create_dir(root.path().join("docs")).expect("made");
    let sparse = fs::File::create(root.path().join("docs/a.md")).expect("made");
    sparse.set_len(100 << 30).expect("a sparse file of 100 GiB");
    write(root.path(), "docs/b.md", &[b'x'; 600]);
    write(root.path(), "docs/c.md", &[b'x'; 600]);
    let mut limits = CollectLimits::default();
    limits.bytes_max = 1000;
    let tree = collect(root.path(), &policy(&[DOCS]), &limits).expect("collected");
    insta::assert_snapshot!(listing(&tree));
}

#[test]
fn a_folder_that_may_not_be_read_is_a_gap() {
    let root = tempfile::tempdir().expect("a folder");
    write(root.path(), "docs/closed/a.md", b"text");
    write(root.path(), "src/closed/a.md", b"text");
    let closed = |mode| {
        for path in ["docs/closed", "src/closed"] {
            fs::set_permissions(root.path().join(path), fs::Permissions::from_mode(mode))
                .expect("set");
        }
    };
    closed(0o000);
    let tree =
        collect(root.path(), &policy(&[DOCS]), &CollectLimits::default()).expect("collected");
    let root_reads_all = fs::read_dir(root.path().join("docs/closed")).is_ok();
    closed(0o755);
    if !root_reads_all {
        assert_eq!(
            listing(&tree),
            "docs/closed Directory tracked: true not read\ngap docs/closed: permission denied\n"
        );
    }
}

#[test]
fn depth_is_limited_where_it_matters() {
    let root = tempfile::tempdir().expect("a folder");
    let deep = ["d"; 100].join("/");
    write(root.path(), &format!("docs/{deep}/a.md"), b"text");
    write(root.path(), &format!("src/{deep}/a.md"), b"text");
    let tree =
        collect(root.path(), &policy(&[DOCS]), &CollectLimits::default()).expect("collected");
    assert_eq!(tree.gaps().len(), 1);
    let place = tree.gaps()[0]
        .path
        .as_ref()
        .map(TreePath::to_string)
        .expect("a folder");
    assert_eq!(place, format!("docs/{}", ["d"; 64].join("/")));
    assert_eq!(
        tree.gaps()[0].why,
        "the limit of 64 folders below each other was reached"
    );
}

#[test]
fn thousands_of_files_are_walked_and_a_limit_ends_the_walk() {
    let root = tempfile::tempdir().expect("a folder");
    for folder in 0..20 {
        let folder = root.path().join(format!("docs/{folder}"));
        fs::create_dir_all(&folder).expect("made");
        for file in 0..200 {
            fs::write(folder.join(format!("{file}.txt")), b"").expect("written");
        }
    }
    let policy = policy(&[DOCS]);
    let start = Instant::now();
    let tree = collect(root.path(), &policy, &CollectLimits::default()).expect("collected");
    assert_eq!(
        tree.iter()
            .filter(|(_, entry)| entry.kind == EntryKind::File)
            .count(),
        4000
    );
    assert!(tree.gaps().is_empty());
    assert!(start.elapsed() < Duration::from_secs(10));

    let mut limits = CollectLimits::default();
    limits.entries_max = 1000;
    let tree = collect(root.path(), &policy, &limits).expect("collected");
    assert_eq!(tree.gaps().len(), 1);
    assert_eq!(tree.gaps()[0].path, None);

    let mut limits = CollectLimits::default();
    limits.time_ms_max = 0;
    let tree = collect(root.path(), &policy, &limits).expect("collected");
    assert_eq!(tree.gaps()[0].why, "the limit of 0 ms was reached");
}

#[test]
fn the_root_must_be_a_folder() {
    let root = tempfile::tempdir().expect("a folder");
    write(root.path(), "file\n", b"text");
    let limits = CollectLimits::default();
    let error =
        collect(&root.path().join("file\n"), &policy(&[DOCS]), &limits).expect_err("no folder");
    assert_eq!(error.kind(), std::io::ErrorKind::NotADirectory);
    assert!(!error.to_string().contains('\n'));
}
