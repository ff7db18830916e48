//! `gate` as other programs call it: exit status, forms of the answer, bundles.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const POLICY: &str = "apiVersion: nonevent/v1
kind: GatePolicy
name: one
phases:
  - id: development
    title: Development
    exit:
      - id: setup
        title: The README says how to set it up
        why: A newcomer should need nobody's time.
        severity: blocking
        owner: lead
        remedy: Write it.
        check: { markdown: { file: README.md, heading: Setup } }
";

fn gate(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nonevent"))
        .arg("gate")
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("it starts")
}

fn project(readme: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("gates.yaml"), POLICY).expect("written");
    fs::write(dir.path().join("README.md"), readme).expect("written");
    dir
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_answer_is_the_exit_status_and_comes_in_five_forms() {
    let closed = project("# Setup\n\nTBD\n");
    let open = project(&format!("# Setup\n\n{}\n", "Run make. ".repeat(20)));
    let asked = |dir: &tempfile::TempDir, format: &str| {
        let policy = [
            "--phase",
            "development",
            "--policy",
            "gates.yaml",
            "--format",
            format,
        ];
        gate(dir.path(), &policy)
    };
    for (format, holds) in [
        ("text", "Result: BLOCKED (0/1 criteria met)"),
        ("json", "\"result\": \"BLOCKED\""),
        ("markdown", "**Result: BLOCKED (0/1 criteria met)**"),
        ("sarif", "\"level\": \"error\""),
        (
            "junit",
            "<failure message=\"README.md: 1 words\" type=\"fail\">",
        ),
    ] {
        let no = asked(&closed, format);
        assert_eq!(no.status.code(), Some(1), "{format}");
        assert!(text(&no).contains(holds), "{}", text(&no));
        assert_eq!(asked(&open, format).status.code(), Some(0), "{format}");
    }
    assert!(text(&asked(&closed, "text")).contains("The fewest changes that open it: 1"));
}

#[test]
fn a_bundle_is_replayed_elsewhere_and_a_changed_one_is_not_believed() {
    let here = project("# Setup\n\nTBD\n");
    let asked = [
        "--phase",
        "development",
        "--policy",
        "gates.yaml",
        "--bundle",
        "bundle.json",
    ];
    assert_eq!(gate(here.path(), &asked).status.code(), Some(1));
    let bundle = fs::read_to_string(here.path().join("bundle.json")).expect("written");

    let elsewhere = tempfile::tempdir().expect("a folder");
    let path = elsewhere.path().join("b.json");
    fs::write(&path, &bundle).expect("written");
    let same = gate(elsewhere.path(), &["replay", "b.json"]);
    assert_eq!(same.status.code(), Some(0), "{}", text(&same));
    let said = text(&same);
    assert!(
        said.contains("Result: BLOCKED") && said.contains("the same verdict"),
        "{said}"
    );

    // A README that would open the gate, put in the place of the one that was there.
    fs::write(&path, bundle.replace("TBD", &"Run make. ".repeat(20))).expect("written");
    let changed = gate(elsewhere.path(), &["replay", "b.json"]);
    assert_eq!(changed.status.code(), Some(2), "{}", text(&changed));
    assert!(text(&changed).contains("NE3021"), "{}", text(&changed));

    fs::write(&path, bundle.replace("askedAt\": \"2", "askedAt\": \"3")).expect("written");
    let later = gate(elsewhere.path(), &["replay", "b.json"]);
    assert_eq!(later.status.code(), Some(1), "{}", text(&later));
    assert!(text(&later).contains("ANOTHER verdict"), "{}", text(&later));

    for (arguments, status) in [
        (&["replay", "gone.json"][..], 2),
        (&["--phase", "deploiment"][..], 2),
        (&[][..], 2),
    ] {
        let refused = gate(elsewhere.path(), arguments);
        assert_eq!(refused.status.code(), Some(status), "{arguments:?}");
    }
}
