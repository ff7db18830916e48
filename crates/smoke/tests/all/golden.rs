//! What a person and a machine are shown, for every assertion that holds and every one that does
//! not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nonevent_document::{Digest, Secret};
use nonevent_smoke::{Files, JunitDialect, Options, Report, Secrets, Suite, SuiteVerdict, Target};

use crate::authority::authority;
use crate::server::{Server, options, reply, run_suite};
use crate::tls::serve_until;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/smoke")
}

fn answer(request: &str, number: usize) -> String {
    let json = r#"{"status":"ok","version":"1.5.0","count":2,"items":[{"name":"a","ready":true},{"name":"b","ready":true}]}"#;
    let path = request.split(' ').nth(1).unwrap_or("/");
    match path {
        "/json" => reply(
            "200 OK",
            "content-type: application/json\r\nx-version: 1.5.0\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n",
            json,
        ),
        "/html" => reply("200 OK", "", "<html><h1>Welcome to the shop</h1></html>"),
        "/redirect" => reply("302 Found", "location: https://login.example.com/\r\n", ""),
        "/mixed" => {
            let version = if number.is_multiple_of(2) {
                "1.4.2"
            } else {
                "1.5.0"
            };
            reply("200 OK", &format!("x-version: {version}\r\n"), "ok")
        }
        "/text" => reply("200 OK", "", "one\ntwo\nthree\n"),
        "/moved" => reply("301 Moved Permanently", "location: ./json\r\n", ""),
        "/other" => reply(
            "200 OK",
            "",
            r#"{"status":1,"version":"2.0","items":[{"name":1,"x":2}]}"#,
        ),
        "/slow" => {
            std::thread::sleep(std::time::Duration::from_millis(20));
            reply("200 OK", "", "at last")
        }
        "/empty" => reply("200 OK", "", ""),
        "/echo" => reply("200 OK", "", request),
        "/head" => "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".to_owned(),
        "/escape" => reply(
            "200 OK",
            "",
            "\u{1b}[2J\u{1b}]0;owned\u{7}\r\nPASS  all is well \u{202e}",
        ),
        "/gzip" => reply(
            "200 OK",
            "content-encoding: gzip\r\n",
            "\u{1f}nothing to read",
        ),
        _ => reply("404 Not Found", "", &format!("there is no {path}")),
    }
}

/// Runs a suite of `fixtures/smoke/run` and takes out what differs from run to run.
async fn run_fixture(name: &str) -> Report {
    let server = Server::http(answer).await;
    let target = Target::parse("http://shop.example.com")
        .expect("a URL")
        .connect_to(server.address);
    run_against(name, &server, &target, "").await
}

/// The same against a TLS server, whose certificate's digest becomes zeros in what is given back.
async fn run_tls_fixture(name: &str, until: Option<(i32, u8, u8)>) -> (Report, Digest) {
    let authority = authority("ours");
    let versions: &[_] = match until {
        None => rustls::ALL_VERSIONS,
        Some(_) => &[&rustls::version::TLS12],
    };
    let (server, digest) = serve_until(&authority, until, versions).await;
    let target = Target::parse("https://shop.example.com")
        .expect("a URL")
        .connect_to(server.address)
        .trust_only(authority.pem);
    let report = run_against(name, &server, &target, &digest.hex()).await;
    (report, digest)
}

async fn run_against(name: &str, server: &Server, target: &Target, digest: &str) -> Report {
    let bytes = fs::read(fixtures().join("run").join(name)).expect("a fixture");
    let suite = Suite::parse(name, &bytes).expect("a suite without errors");
    let options = Options {
        variables: [
            ("release".to_owned(), "1.5.0".to_owned()),
            ("certificate".to_owned(), digest.to_owned()),
        ]
        .into(),
        files: Files::under(fixtures().join("run")),
        secrets: Secrets::from_fn(|_, name| (name == "TOKEN").then(|| Secret::new("hunter2"))),
        ..options()
    };
    let mut report = run_suite(&suite, target, &options).await;
    let address = "127.0.0.1:8080";
    let port = server.address.to_string();
    report.summary.duration_ms = 7;
    report.summary.connect_to = address.parse().ok();
    for test in &mut report.tests {
        test.duration_us = 1_234;
        test.curl = test.curl.as_ref().map(|curl| curl.replace(&port, address));
        for attempt in &mut test.attempts {
            attempt.peer = address.parse().ok().map(nonevent_smoke::Peer::Tcp);
            attempt.timings = serde_json::from_str(r#"{"totalUs":1234}"#).expect("timings");
            for failure in &mut attempt.failures {
                failure.message = without_time(&failure.message);
                failure.actual = failure.actual.as_deref().map(without_time);
            }
        }
    }
    report
}

/// How long something took is another time each time.
fn without_time(text: &str) -> String {
    let time = regex::Regex::new(r"\d+\.\d{3} ms").expect("a pattern");
    time.replace_all(text, "23.456 ms").into_owned()
}

#[tokio::test]
async fn every_assertion_of_tls() {
    let (report, digest) = run_tls_fixture("tls-passing.yaml", None).await;
    let verdict = report.summary.verdict;
    assert_eq!(verdict, SuiteVerdict::Passed, "{}", report.text(false));
    insta::assert_snapshot!("tls-passing-text", report.text(false));
    assert_eq!(
        report.tests[0].attempts[0]
            .tls
            .as_ref()
            .map(|tls| tls.certificate),
        Some(digest)
    );

    // After the run's start and long after now.
    let (report, digest) = run_tls_fixture("tls-failing.yaml", Some((2099, 1, 1))).await;
    let counts = report.summary.counts;
    assert_eq!(counts.failed, counts.tests, "{}", report.text(false));
    let zeros = |text: String| text.replace(&digest.hex(), &"0".repeat(64));
    let json = serde_json::to_string_pretty(&report).expect("a report is JSON");
    insta::assert_snapshot!("tls-failing-text", zeros(report.text(false)));
    insta::assert_snapshot!("tls-failing-junit", zeros(report.junit(JunitDialect::Ant)));
    insta::assert_snapshot!("tls-failing-json", zeros(json));
}

#[tokio::test]
async fn every_assertion_that_holds() {
    let report = run_fixture("passing.yaml").await;
    assert_eq!(
        report.summary.verdict,
        SuiteVerdict::Passed,
        "{}",
        report.text(false)
    );
    insta::assert_snapshot!("passing-text", report.text(false));
}

#[tokio::test]
async fn every_assertion_that_does_not_hold() {
    let report = run_fixture("failing.yaml").await;
    assert_eq!(
        report.summary.counts.failed,
        report.summary.counts.tests,
        "{}",
        report.text(false)
    );
    let text = report.text(false);
    let junit = report.junit(JunitDialect::Ant);
    let json = serde_json::to_string_pretty(&report).expect("a report is JSON");
    for output in [&text, &junit, &json, &report.junit(JunitDialect::Surefire)] {
        assert!(!output.contains("hunter2"), "a secret is shown");
        assert!(
            !output.contains('\u{1b}') && !output.contains('\u{202e}'),
            "not escaped"
        );
    }
    insta::assert_snapshot!("failing-text", text);
    insta::assert_snapshot!("failing-junit", junit);
    insta::assert_snapshot!("failing-json", json);
    assert_ne!(report.text(true), text);
    let read: Report = serde_json::from_str(&json).expect("a report is read back");
    assert_eq!(read, report);
}

#[tokio::test]
async fn junit_meets_the_schema() {
    for name in ["passing.yaml", "failing.yaml"] {
        let report = run_fixture(name).await;
        let xml = report.junit(JunitDialect::Ant);
        structure(&xml, &report);
        // The schema itself decides, where there is a validator.
        let file =
            std::env::temp_dir().join(format!("nonevent-smoke-{}-{name}.xml", std::process::id()));
        fs::write(&file, &xml).expect("a writable folder");
        let schema = fixtures().join("junit.xsd");
        match Command::new("xmllint")
            .arg("--noout")
            .arg("--schema")
            .arg(schema)
            .arg(&file)
            .output()
        {
            Ok(out) => {
                assert!(
                    out.status.success(),
                    "{}",
                    String::from_utf8_lossy(&out.stderr)
                );
            }
            Err(_) => eprintln!("not run: xmllint is not installed"),
        }
        fs::remove_file(&file).expect("the file just written");
    }
}

/// What `junit.xsd` asks of order, names and types.
fn structure(xml: &str, report: &Report) {
    let document = roxmltree::Document::parse(xml).expect("well-formed");
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let suites: Vec<_> = root
        .children()
        .filter(roxmltree::Node::is_element)
        .collect();
    assert_eq!(suites.len(), 1);
    let suite = suites[0];
    let attribute = |name: &str| suite.attribute(name).expect(name);
    assert_eq!(attribute("tests"), report.summary.counts.tests.to_string());
    assert_eq!(
        attribute("failures"),
        report.summary.counts.failed.to_string()
    );
    assert_eq!(
        attribute("errors"),
        report.summary.counts.inconclusive.to_string()
    );
    assert_eq!(attribute("timestamp"), "2026-01-05T10:00:00");
    assert!(attribute("time").parse::<f64>().is_ok() && !attribute("hostname").is_empty());
    let names: Vec<&str> = suite
        .children()
        .filter(roxmltree::Node::is_element)
        .map(|child| child.tag_name().name())
        .collect();
    let mut wanted = vec!["properties"];
    wanted.extend(report.tests.iter().map(|_| "testcase"));
    wanted.extend(["system-out", "system-err"]);
    assert_eq!(names, wanted);
    for case in suite
        .children()
        .filter(|child| child.has_tag_name("testcase"))
    {
        assert!(
            case.attribute("classname")
                .is_some_and(|text| !text.is_empty())
        );
        assert!(case.children().filter(roxmltree::Node::is_element).count() <= 1);
    }
}
