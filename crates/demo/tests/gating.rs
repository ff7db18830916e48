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

fn run(dir: &Path, program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .expect("it starts")
}

/// A verdict for this plan at one commit lets nothing begin at the next, and nothing is started.
#[test]
fn a_verdict_of_another_commit_keeps_a_deployment_from_beginning() {
    let dir = project(&format!("# Setup\n\n{}\n", "Run make. ".repeat(20)));
    let path = dir.path();
    let nonevent = |arguments: &[&str]| run(path, env!("CARGO_BIN_EXE_nonevent"), arguments);
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=a", "-c", "user.email=a@shop.example"];
        let done = run(path, "git", &[&who[..], arguments].concat());
        assert!(done.status.success(), "{}", text(&done));
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "one"]);
    let document = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/deployment/demo.yaml"
    );
    let plan = nonevent(&["plan", "-f", document, "--json"]);
    fs::write(path.join("plan.json"), &plan.stdout).expect("written");
    let trust = nonevent(&["evidence", "keygen", "--output", "ci.key", "--label", "CI"]);
    fs::write(path.join("trust.yaml"), &trust.stdout).expect("written");
    let policy = ["--phase", "development", "--policy", "gates.yaml"];
    let more = ["--plan", "plan.json", "--sign", "ci.key", "--state", "ci"];
    let asked = gate(path, &[&policy[..], &more].concat());
    assert_eq!(asked.status.code(), Some(0), "{}", text(&asked));
    let verdict = fs::read_dir(path.join("ci/evidence")).expect("a folder");
    let verdict = verdict.flatten().next().expect("a verdict").path();
    let verdict = verdict.to_str().expect("plain");

    git(&["commit", "--quiet", "--allow-empty", "--message", "two"]);
    let deploy = |verdict| {
        let begin = [
            "deploy",
            "canary",
            "--yes",
            "--trust",
            "trust.yaml",
            "--verdict",
        ];
        nonevent(&[&begin[..], &[verdict], &policy].concat())
    };
    let refused = deploy(verdict);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    let said = text(&refused);
    assert!(said.contains("no verdict lets development begin"), "{said}");
    assert!(said.contains("is not about this commit"), "{said}");
    assert!(!path.join(".nonevent/journal.jsonl").exists());
    let gone = deploy("gone.json");
    assert_eq!(gone.status.code(), Some(2), "{}", text(&gone));
    assert!(text(&gone).contains("gone.json"), "{}", text(&gone));
}
