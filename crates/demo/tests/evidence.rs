//! `evidence` as other programs call it: what is signed, kept, listed and carried elsewhere.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

fn evidence(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nonevent"))
        .arg("evidence")
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("it starts")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The answer, which has to be this exit status.
fn answer(dir: &Path, status: i32, arguments: &[&str]) -> String {
    let output = evidence(dir, arguments);
    assert_eq!(output.status.code(), Some(status), "{}", text(&output));
    text(&output)
}

const ADA: [&str; 6] = [
    "--person",
    "Ada",
    "--key",
    "ada.key",
    "--trust",
    "trust.yaml",
];

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("plan.md"), "# A plan\n").expect("written");
    let keygen = ["keygen", "--output", "ada.key", "--label", "Ada's"];
    let keygen = [&keygen[..], &["--person", "Ada", "--role", "lead"]].concat();
    let trust = answer(dir.path(), 0, &keygen);
    fs::write(dir.path().join("trust.yaml"), trust).expect("written");
    dir
}

#[test]
fn what_is_signed_is_kept_once_and_carried_elsewhere() {
    let dir = folder();
    let path = dir.path();
    let about = ["sign-off", "--role", "lead", "--file", "plan.md"];
    let kept = answer(path, 0, &[&about[..], &ADA].concat());
    let digest = kept.trim().strip_prefix("kept: ").expect("a digest");
    let waive = [
        "waive", "one/c", "--reason", "late", "--owner", "shop", "--for", "3d",
    ];
    let waive = [&waive[..], &["--role", "lead", "--file", "plan.md"], &ADA].concat();
    answer(path, 0, &waive);

    let listed = answer(path, 0, &["list", "--trust", "trust.yaml"]);
    assert!(listed.starts_with(&digest[..19]), "{listed}");
    assert!(
        listed.contains("sign-off:v1, says Ada, signed by Ada"),
        "{listed}"
    );
    assert!(listed.contains("2 in all"), "{listed}");

    assert_eq!(
        answer(path, 0, &["bundle", "--output", "all.jsonl"]),
        "2 written to all.jsonl\n"
    );
    let there = ["import", "all.jsonl", "--state", "elsewhere"];
    assert_eq!(answer(path, 0, &there), "2 kept, 0 were there already\n");
    assert_eq!(answer(path, 0, &there), "0 kept, 2 were there already\n");
    let json = answer(path, 0, &["list", "--json", "--state", "elsewhere"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["evidence"][0]["digest"], digest);
    assert_eq!(json["head"]["count"], 2);

    let bundle = fs::read_to_string(path.join("all.jsonl")).expect("written");
    fs::write(
        path.join("all.jsonl"),
        bundle.replacen("sha256:", "sha256:0", 1),
    )
    .expect("written");
    let refused = answer(path, 2, &["import", "all.jsonl"]);
    assert!(refused.contains("line 1"), "{refused}");
}

#[test]
fn what_would_not_count_is_not_kept() {
    let dir = folder();
    let path = dir.path();
    let boss = ["sign-off", "--role", "boss", "--file", "plan.md"];
    let refused = answer(path, 2, &[&boss[..], &ADA].concat());
    assert!(
        refused.contains("may not speak in the role boss"),
        "{refused}"
    );
    let lead = ["sign-off", "--role", "lead"];
    let nothing = answer(path, 2, &[&lead[..], &ADA].concat());
    assert!(nothing.contains("--commit"), "{nothing}");
    let open = fs::Permissions::from_mode(0o640);
    fs::set_permissions(path.join("ada.key"), open).expect("changed");
    let about = [&lead[..], &["--file", "plan.md"], &ADA].concat();
    let refused = answer(path, 2, &about);
    assert!(refused.contains("chmod 600 ada.key"), "{refused}");
    assert_eq!(answer(path, 0, &["list"]).lines().count(), 1);
}
