//! Suites as teams write them, and every way in which one is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use nonevent_document::Timestamp;
use nonevent_smoke::{Files, Options, Secrets, Suite, Target};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/smoke")
        .join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn read(file: &Path) -> (String, Vec<u8>) {
    let name = file
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    (name, fs::read(file).expect("a readable file"))
}

#[test]
fn good_suites_are_read_with_their_notes() {
    for file in files("ok") {
        let (name, bytes) = read(&file);
        let suite = Suite::parse(&name, &bytes).expect("a suite without errors");
        let tests: Vec<&str> = suite
            .tests()
            .iter()
            .map(nonevent_smoke::Test::name)
            .collect();
        let shown = format!("tests: {tests:?}\n{}", suite.notes());
        insta::assert_snapshot!(format!("ok-{name}"), shown);
    }
}

#[test]
fn bad_suites_are_refused_with_all_their_findings() {
    for file in files("bad") {
        let (name, bytes) = read(&file);
        let findings = Suite::parse(&name, &bytes).expect_err(&name);
        assert!(findings.has_errors(), "{name}");
        insta::assert_snapshot!(format!("bad-{name}"), findings.to_string());
    }
}

#[test]
fn the_default_suite_asks_for_the_root() {
    let suite = Suite::default_suite();
    assert_eq!(suite.tests().len(), 1);
    assert_eq!(suite.tests()[0].name(), "GET /");
    assert!(suite.notes().is_empty());
}

#[test]
fn what_only_the_caller_knows_is_found_before_anything_is_sent() {
    let text = br#"{ "tests": [
        { "name": "a", "path": "/${id}", "headers": { "x": "${env:NOT_SET}", "y": "${release}" } },
        { "name": "b", "path": "/b/${tail}", "headers": { "x": "${line}" } },
        { "name": "c", "body": { "deep": [ "${env:EMPTY}" ] }, "expected_body_contains": "${nope}" }
    ] }"#;
    let suite = Suite::parse("smoke-tests.json", text).expect("a suite");
    let target = Target::parse("http://shop.example.com").expect("a URL");
    let options = Options {
        variables: [
            ("release".to_owned(), "1.5.0".to_owned()),
            ("tail".to_owned(), "a b".to_owned()),
            ("line".to_owned(), "x\r\nevil: yes".to_owned()),
        ]
        .into(),
        secrets: Secrets::from_fn(|_, name| {
            (name == "EMPTY").then(|| nonevent_document::Secret::new(""))
        }),
        ..Options::started_at(Timestamp::from_unix_ms(0))
    };
    insta::assert_snapshot!(suite.check(&target, &options).to_string());

    let none = Options {
        only: vec!["d".to_owned()],
        ..Options::started_at(Timestamp::from_unix_ms(0))
    };
    insta::assert_snapshot!("nothing-selected", suite.check(&target, &none).to_string());
}

#[test]
fn schemas_in_files_and_digests_are_found_wrong_before_anything_is_sent() {
    let text = br#"{ "tests": [
        { "name": "none", "expected_schema": { "file": "none.json" } },
        { "name": "no JSON", "expected_schema": { "file": "text.json" } },
        { "name": "no schema", "expected_schema": { "file": "${which}.json" } },
        { "name": "elsewhere", "expected_schema": { "file": "remote.json" } },
        { "name": "a file", "expected_schema": { "$ref": "file:///etc/hostname" },
          "expected_status": 200 },
        { "name": "digest", "expected_body": { "sha256": "${which}" } },
        { "name": "undefined", "expected_url": { "contains": "${nope}" }, "follow_redirects": 1 }
    ] }"#;
    let bad = Suite::parse("smoke-tests.json", text).expect_err("a reference to a file");
    assert!(bad.to_string().contains("Retrieval is disabled"), "{bad}");
    let text = String::from_utf8_lossy(text).replace("file:///etc/hostname", "#");
    let suite = Suite::parse("smoke-tests.json", text.as_bytes()).expect("a suite");
    let target = Target::parse("http://shop.example.com").expect("a URL");
    let options = Options {
        variables: [("which".to_owned(), "wrong".to_owned())].into(),
        files: Files::from_fn(|name| match name {
            "text.json" => Ok(b"{ \"type\": ".to_vec()),
            "wrong.json" => Ok(br#"{ "items": { "minLength": "3" } }"#.to_vec()),
            "remote.json" => Ok(br#"{ "$ref": "https://schemas.example.com/a" }"#.to_vec()),
            _ => Err(std::io::Error::other("there is no such file")),
        }),
        ..Options::started_at(Timestamp::from_unix_ms(0))
    };
    insta::assert_snapshot!(suite.check(&target, &options).to_string());
}

#[test]
fn a_suite_has_room_for_ten_thousand_tests_and_no_more() {
    let suite = |count: usize| {
        let test = r#"{ "name": "n", "path": "/", "expected_body_contains": "ok" }"#;
        let text = format!(r#"{{ "tests": [{}] }}"#, vec![test; count].join(","));
        Suite::parse("smoke-tests.json", text.as_bytes())
    };
    assert_eq!(suite(10_000).expect("a suite").tests().len(), 10_000);
    let findings = suite(10_001).expect_err("too many");
    assert!(findings.to_string().contains("NE5013"), "{findings}");
}
