//! Retries, builds, budgets, cancelling, reuse: what becomes of a test and of a run.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nonevent_document::Digest;
use nonevent_evidence::{Predicate, SmokePhase, Statement, Subject, TestResult};
use nonevent_smoke::{Cause, Event, Limits, Options, Report, Suite, SuiteVerdict, Verdict, run};
use tokio::io::AsyncWriteExt;

use crate::server::{Server, ok, options, read_request, reply, run_suite, suite};

fn with_release(release: &str) -> Options {
    let variables = BTreeMap::from([("release".to_owned(), release.to_owned())]);
    Options {
        variables,
        ..options()
    }
}

#[tokio::test]
async fn a_pass_after_a_retry_is_flaky() {
    let server = Server::http(|_, number| {
        if number < 2 {
            reply("503 Service Unavailable", "", "warming up")
        } else {
            ok("ok")
        }
    })
    .await;
    let retrying = suite(r#"{"tests":[{"name":"t","retries":{"count":2,"delay_ms":1}}]}"#);
    let report = run_suite(&retrying, &server.target(), &options()).await;
    let test = &report.tests[0];
    assert_eq!(
        (test.verdict, report.summary.verdict),
        (Verdict::Flaky, SuiteVerdict::Flaky)
    );
    let tries: Vec<_> = test
        .attempts
        .iter()
        .map(|a| (a.retry, a.status, a.verdict))
        .collect();
    assert_eq!(
        tries,
        [
            (0, Some(503), Verdict::Failed),
            (1, Some(503), Verdict::Failed),
            (2, Some(200), Verdict::Passed)
        ]
    );
    assert_eq!(
        (
            report.summary.counts.passed,
            report.summary.counts.flaky,
            report.summary.exit_code()
        ),
        (0, 1, 0)
    );
    assert!(
        report
            .text(false)
            .contains("passed only after 3 attempts; before:\n      assertion: status is 503")
    );
}

#[tokio::test]
async fn only_declared_classes_are_tried_again() {
    let server = Server::http(|request, _| match request {
        r if r.starts_with("GET /503") => reply("503 Service Unavailable", "", ""),
        r if r.starts_with("GET /404") => reply("404 Not Found", "", ""),
        _ => ok("no"),
    })
    .await;
    let text = r#"{"tests":[
        {"path":"/503","retries":{"count":3,"on":["connect","timeout"],"delay_ms":1}},
        {"path":"/404","retries":{"count":3,"delay_ms":1}},
        {"path":"/no","expected_body_contains":"yes","retries":{"count":3,"delay_ms":1}},
        {"path":"/503","retries":{"count":3,"delay_ms":1}}]}"#;
    let report = run_suite(&suite(text), &server.target(), &options()).await;
    let attempts: Vec<usize> = report
        .tests
        .iter()
        .map(|test| test.attempts.len())
        .collect();
    assert_eq!(attempts, [1, 1, 1, 4]);
    assert_eq!(report.summary.counts.failed, 4);
}

#[tokio::test]
async fn a_timeout_can_be_tried_again() {
    let server = Server::start(async |mut stream, number| {
        if read_request(&mut stream).await.is_some() && number > 0 {
            let _ignored = stream.write_all(ok("ok").as_bytes()).await;
        } else {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    })
    .await;
    let text =
        r#"{"tests":[{"timeout_ms":100,"retries":{"count":1,"on":["timeout"],"delay_ms":1}}]}"#;
    let report = run_suite(&suite(text), &server.target(), &options()).await;
    assert_eq!(
        report.tests[0].verdict,
        Verdict::Flaky,
        "{}",
        report.text(false)
    );
    assert_eq!(
        report.tests[0].attempts[0].failures[0].cause,
        Cause::Timeout
    );
}

#[tokio::test]
async fn every_connection_is_asked_for_its_build() {
    let server = Server::http(|_, number| {
        let version = if number == 6 { "1.4.2" } else { "1.5.0" };
        reply("200 OK", &format!("x-version: {version}\r\n"), "ok")
    })
    .await;
    let text = r#"{"tests":[{"name":"pin","retries":{"count":2,"delay_ms":1},"expected_build":
        {"header":"X-Version","equals":"${release}","connections":8}}]}"#;
    // Asked to keep connections open, a build check still opens a new one each time.
    let kept = Options {
        reuse_connections: true,
        ..with_release("1.5.0")
    };
    let report = run_suite(&suite(text), &server.target(), &kept).await;
    let test = &report.tests[0];
    assert_eq!(test.verdict, Verdict::Failed);
    assert_eq!(
        test.builds,
        BTreeMap::from([("1.4.2".to_owned(), 1), ("1.5.0".to_owned(), 7)])
    );
    assert_eq!(
        (test.attempts.len(), server.connections()),
        (8, 8),
        "none is tried again"
    );
    let messages: Vec<&str> = test.failures().map(|f| f.message.as_str()).collect();
    assert_eq!(
        messages,
        ["build (header x-version) is `1.4.2`, expected `1.5.0`"]
    );
    assert_eq!(report.summary.release.as_deref(), Some("1.5.0"));
    assert!(report.text(false).contains("builds: 1.4.2 x1, 1.5.0 x7"));
}

#[tokio::test]
async fn a_fresh_connection_each_is_the_default_and_reuse_is_reported() {
    let server = Server::http(|_, _| ok("ok")).await;
    let five = suite(r#"{"tests":[{},{},{},{},{}]}"#);
    let report = run_suite(&five, &server.target(), &options()).await;
    assert_eq!(
        (report.summary.verdict, server.connections()),
        (SuiteVerdict::Passed, 5)
    );
    assert!(!report.tests.iter().any(|test| test.attempts[0].reused));

    let kept = Options {
        reuse_connections: true,
        ..options()
    };
    let report = run_suite(&five, &server.target(), &kept).await;
    assert_eq!(
        (report.summary.verdict, server.connections()),
        (SuiteVerdict::Passed, 6)
    );
    let reused: Vec<bool> = report
        .tests
        .iter()
        .map(|test| test.attempts[0].reused)
        .collect();
    assert_eq!(reused, [false, true, true, true, true]);
    assert!(report.summary.reuse_connections && report.text(false).contains("kept open"));
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_is_not_the_services_fault() {
    // Closes without a word when a connection is used a second time.
    let server = Server::start(async |mut stream, _| {
        if read_request(&mut stream).await.is_some() {
            let _ignored = stream.write_all(ok("ok").as_bytes()).await;
            let _ = read_request(&mut stream).await;
        }
    })
    .await;
    let kept = Options {
        reuse_connections: true,
        ..options()
    };
    let report = run_suite(&suite(r#"{"tests":[{},{},{}]}"#), &server.target(), &kept).await;
    assert_eq!(
        report.summary.verdict,
        SuiteVerdict::Passed,
        "{}",
        report.text(false)
    );
    // A request that could act twice is not sent twice: that it failed is said.
    let text = r#"{"tests":[{},{"method":"POST"}]}"#;
    let report = run_suite(&suite(text), &server.target(), &kept).await;
    assert_eq!(
        report.tests[1].failures().next().map(|f| f.cause),
        Some(Cause::Closed)
    );
}

#[tokio::test]
async fn jobs_run_side_by_side() {
    let server = Server::start(async |mut stream, _| {
        if read_request(&mut stream).await.is_some() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let _ignored = stream.write_all(ok("ok").as_bytes()).await;
        }
    })
    .await;
    let tests = vec!["{}"; 16].join(",");
    let sixteen = suite(&format!(r#"{{"tests":[{tests}]}}"#));
    let many = Options {
        jobs: 16,
        ..options()
    };
    let start = Instant::now();
    let report = run_suite(&sixteen, &server.target(), &many).await;
    assert_eq!(report.summary.counts.passed, 16);
    assert!(
        start.elapsed() < Duration::from_millis(800),
        "took {:?}",
        start.elapsed()
    );
    let order: Vec<usize> = report.tests.iter().map(|test| test.index).collect();
    assert_eq!(order, (0..16).collect::<Vec<_>>());
}

async fn silent() -> Server {
    Server::start(async |stream, _| {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await
}

#[tokio::test]
async fn the_budget_ends_the_run() {
    let server = silent().await;
    let short = Options {
        budget_ms: 200,
        ..options()
    };
    let text = r#"{"tests":[{"retries":3},{},{}]}"#;
    let start = Instant::now();
    let report = run_suite(&suite(text), &server.target(), &short).await;
    assert!(
        start.elapsed() < Duration::from_millis(600),
        "took {:?}",
        start.elapsed()
    );
    assert_eq!(
        (report.summary.verdict, report.summary.exit_code()),
        (SuiteVerdict::Inconclusive, 1)
    );
    let causes: Vec<Cause> = report
        .tests
        .iter()
        .flat_map(nonevent_smoke::TestResult::failures)
        .map(|f| f.cause)
        .collect();
    assert_eq!(causes, [Cause::Budget; 3]);
}

#[tokio::test]
async fn a_cancelled_run_says_what_it_knows() {
    let server = Server::start(async |mut stream, number| {
        if read_request(&mut stream).await.is_some() {
            if number > 0 {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            let _ignored = stream.write_all(ok("ok").as_bytes()).await;
        }
    })
    .await;
    let (sender, finished) = tokio::sync::oneshot::channel::<()>();
    let sender = Mutex::new(Some(sender));
    let observe = |event: Event<'_>| {
        // What is cancelled ends too.
        if let Event::Finished { done: 1, .. } = event {
            let sender = sender.lock().expect("no panic").take();
            sender.expect("once").send(()).expect("somebody waits");
        }
    };
    let cancel = async { finished.await.expect("the first test ends") };
    let three = suite(r#"{"tests":[{"name":"quick"},{"name":"slow"},{"name":"never"}]}"#);
    let report: Report = run(&three, &server.target(), &options(), cancel, observe)
        .await
        .expect("a suite that can be run");
    let verdicts: Vec<Verdict> = report.tests.iter().map(|test| test.verdict).collect();
    assert_eq!(
        verdicts,
        [
            Verdict::Passed,
            Verdict::Inconclusive,
            Verdict::Inconclusive
        ]
    );
    assert_eq!(
        (report.summary.verdict, report.summary.exit_code()),
        (SuiteVerdict::Inconclusive, 130)
    );
    assert_eq!(
        report.tests[2].failures().next().map(|f| f.cause),
        Some(Cause::Cancelled)
    );
}

#[tokio::test]
async fn an_answer_that_is_wrong_counts_more_than_one_that_never_came() {
    let server = Server::http(|request, _| {
        if request.starts_with("GET /bad") {
            reply("500 Oops", "", "")
        } else {
            ok("ok")
        }
    })
    .await;
    let limits = Limits {
        total_ms: 2_000,
        ..Limits::default()
    };
    let options = Options {
        limits,
        ..options()
    };
    let text = r#"{"tests":[{},{"path":"/bad"},{"name":"picked"}]}"#;
    let report = run_suite(&suite(text), &server.target(), &options).await;
    assert_eq!(
        (report.summary.verdict, report.summary.exit_code()),
        (SuiteVerdict::Failed, 1)
    );
    let only = Options {
        only: vec!["picked".to_owned()],
        ..options
    };
    let report = run_suite(&suite(text), &server.target(), &only).await;
    assert_eq!(
        (report.summary.verdict, report.summary.counts.tests),
        (SuiteVerdict::Passed, 1)
    );
    assert_eq!(report.tests[0].index, 2);
    assert!(
        report
            .text(false)
            .contains("only 1 of its 3 tests are selected")
    );
    let part = report
        .to_statement(Vec::new(), None, None)
        .expect_err("a part is no evidence");
    assert!(part.to_string().contains("only 1 of the suite's 3 tests"));
}

#[tokio::test]
async fn a_base_path_and_an_address_are_kept_apart_from_the_name() {
    let server = Server::http(|request, _| reply("200 OK", "", request)).await;
    let target = nonevent_smoke::Target::parse("http://shop.example.com/v2/")
        .expect("a URL")
        .connect_to(server.address);
    let text = r#"{"tests":[{"path":"/health?deep=1","expected_body_contains":
        ["GET /v2/health?deep=1 HTTP/1.1","host: shop.example.com","connection: close"]}]}"#;
    let report = run_suite(&suite(text), &target, &options()).await;
    assert_eq!(
        report.summary.verdict,
        SuiteVerdict::Passed,
        "{}",
        report.text(false)
    );
    assert_eq!(
        report.tests[0].url,
        "http://shop.example.com/v2/health?deep=1"
    );
    assert_eq!(
        report.tests[0].attempts[0].peer,
        Some(nonevent_smoke::Peer::Tcp(server.address))
    );
}

/// Compiles only if a run can be moved to another thread.
#[test]
fn a_run_can_be_spawned() {
    fn is_send(_: &impl Send) {}
    let (suite, options) = (Suite::default_suite(), options());
    let target = nonevent_smoke::Target::parse("http://127.0.0.1:1").expect("a URL");
    is_send(&run(
        &suite,
        &target,
        &options,
        std::future::pending(),
        |_| {},
    ));
}

#[tokio::test]
async fn a_report_becomes_evidence_that_can_be_signed_and_read_back() {
    let server = Server::http(|request, number| match request {
        r if r.starts_with("GET /bad") => reply("500 Oops", "", ""),
        r if r.starts_with("GET /late") && number < 3 => reply("503 Later", "", ""),
        _ => ok("ok"),
    })
    .await;
    let text = r#"{"tests":[{"name":"good"},{"name":"bad","path":"/bad"},
        {"name":"late","path":"/late","retries":{"count":3,"delay_ms":1}}]}"#;
    let three = suite(text);
    let report = run_suite(&three, &server.target(), &options()).await;
    let plan = Digest::of(b"a plan");
    let subjects = vec![Subject {
        name: "plan".to_owned(),
        digest: plan,
    }];
    let statement = report
        .to_statement(subjects, Some(plan), Some(SmokePhase::After))
        .expect("the whole suite was run");
    let json = statement.to_json().expect("a statement is JSON");
    let read = Statement::from_json(json.as_bytes()).expect("a statement is read back");
    assert_eq!(read, statement);
    let Predicate::SmokeResult(result) = read.predicate else {
        unreachable!("a smoke report is a smoke result")
    };
    assert_eq!(result.result, TestResult::Failed);
    assert_eq!(result.passed_tests, ["good"]);
    assert_eq!(result.warned_tests, ["late"]);
    assert_eq!(result.failed_tests, ["bad"]);
    assert_eq!(result.configuration[0].sha256(), Some(three.digest()));
    let figures = result.nonevent.expect("our own figures");
    assert_eq!(figures.started, report.summary.started_at);
    assert!(figures.finished >= figures.started);

    let nobody = nonevent_smoke::Target::parse("http://nowhere.invalid").expect("a URL");
    let report = run_suite(&three, &nobody, &options()).await;
    let statement = report
        .to_statement(Vec::new(), None, None)
        .expect("the whole suite");
    let Predicate::SmokeResult(result) = statement.predicate else {
        unreachable!("a smoke report is a smoke result")
    };
    assert_eq!(
        (result.result, result.failed_tests.len()),
        (TestResult::Failed, 3)
    );
}
