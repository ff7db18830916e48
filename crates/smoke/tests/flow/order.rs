//! Setup, order, captures, tables, tags and teardown.

use std::time::Duration;

use nonevent_document::Secret;
use nonevent_smoke::{Cause, Options, Report, Secrets, SuiteVerdict, TestResult, Verdict};
use tokio::time::sleep;

use crate::world::{Reply, World, cancelled, ok, reply, run_in, run_with, target};

fn verdicts(report: &Report) -> Vec<(&str, Verdict)> {
    let tests = report.tests.iter();
    tests
        .map(|test| (test.name.as_str(), test.verdict))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn setup_comes_first_and_teardown_last_even_after_failures() {
    let world = World::new(|asked| match asked.what() {
        "GET /a" => reply("500 Internal Server Error", "", ""),
        _ => ok(""),
    });
    let text = "
setup: [ { path: /prepare } ]
tests:
  - { name: a, path: /a }
  - { name: b, path: /b, depends_on: a }
  - { name: c, path: /c, depends_on: b }
  - { name: d, path: /d }
teardown: [ { path: /clean } ]
";
    let report = run_in(&world, text).await;
    assert_eq!(
        world.what(),
        ["GET /prepare", "GET /a", "GET /d", "GET /clean"]
    );
    assert_eq!(
        verdicts(&report),
        [
            ("GET /prepare", Verdict::Passed),
            ("a", Verdict::Failed),
            ("b", Verdict::Inconclusive),
            ("c", Verdict::Inconclusive),
            ("d", Verdict::Passed),
            ("GET /clean", Verdict::Passed),
        ]
    );
    let why = report.tests[3].failures().next().expect("a reason");
    assert_eq!(why.cause, Cause::Dependency);
    assert_eq!(why.message, "`b`, which it needs, did not pass");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_after_a_setup_that_failed_but_teardown() {
    let world = World::new(|asked| match asked.what() {
        "GET /prepare" => reply("500 Internal Server Error", "", ""),
        _ => ok(""),
    });
    let text = "
setup: [ { path: /prepare }, { path: /more } ]
tests: [ { path: /a } ]
teardown: [ { path: /clean } ]
";
    let report = run_in(&world, text).await;
    let asked = world.what();
    assert!(!asked.contains(&"GET /a".to_owned()), "{asked:?}");
    assert_eq!(asked.last().map(String::as_str), Some("GET /clean"));
    assert_eq!(report.summary.verdict, SuiteVerdict::Failed);
}

#[tokio::test(start_paused = true)]
async fn what_was_prepared_is_cleaned_up_after_a_cancel() {
    let world = World::new(|asked| match asked.what() {
        "GET /slow" => Reply::Never,
        _ => ok(""),
    });
    let text = "
setup: [ { path: /prepare } ]
tests: [ { path: /slow }, { path: /never } ]
teardown: [ { path: /clean } ]
";
    let cancel = sleep(Duration::from_millis(300));
    let report = cancelled(text, &target(), &world.options(), cancel).await;
    assert_eq!(world.what(), ["GET /prepare", "GET /slow", "GET /clean"]);
    assert_eq!(report.summary.duration_ms, 300);
    assert_eq!(report.summary.exit_code(), 130);
    let causes: Vec<_> = report.tests[1..3]
        .iter()
        .flat_map(TestResult::failures)
        .map(|failure| failure.cause)
        .collect();
    assert_eq!(causes, [Cause::Cancelled, Cause::Cancelled]);
}

#[tokio::test(start_paused = true)]
async fn a_teardown_after_a_cancel_has_a_time_of_its_own() {
    let world = World::new(|_| Reply::Never);
    let text = "
tests: [ { path: /slow } ]
teardown: [ { path: /clean, timeout_ms: 60000 } ]
";
    let mut options = world.options();
    options.limits.teardown_ms = 2_000;
    let cancel = sleep(Duration::from_millis(100));
    let report = cancelled(text, &target(), &options, cancel).await;
    assert_eq!(report.summary.duration_ms, 2_100);
}

#[tokio::test(start_paused = true)]
async fn what_one_test_captures_another_one_sends() {
    let world = World::new(|asked| match asked.what() {
        "POST /login" => reply(
            "201 Created",
            "x-user: 7\r\nset-cookie: sid=c0ffee; Path=/\r\n",
            r#"{"token":"t0k3n-of-a-session"}"#,
        ),
        _ => ok(&asked.text),
    });
    let text = r#"
tests:
  - name: login
    method: POST
    path: /login
    expected_status: 201
    capture:
      user: { header: x-user }
      sid: { cookie: sid }
      token: { json: $.token, secret: true }
      code: { status: true }
  - name: order
    path: /users/${user}/orders
    headers: { authorization: "Bearer ${token}" }
    cookies: { sid: "${sid}" }
    query: { after: "${code}" }
    depends_on: login
    expected_body_contains: nothing like it
"#;
    let report = run_in(&world, text).await;
    let asked = &world.asked()[1];
    assert_eq!(asked.what(), "GET /users/7/orders?after=201");
    assert_eq!(
        asked.header("authorization"),
        Some("Bearer t0k3n-of-a-session")
    );
    assert_eq!(asked.header("cookie"), Some("sid=c0ffee"));
    let text = report.text(false) + &serde_json::to_string(&report).expect("JSON");
    assert!(
        text.contains("Bearer ***") && !text.contains("t0k3n"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_captured_fails_the_test_and_what_needs_it_is_not_asked() {
    let world = World::new(|_| ok("{}"));
    let text = r#"
tests:
  - { name: login, path: /login, capture: { token: { json: $.token } } }
  - { name: order, path: "/orders/${token}", depends_on: login }
"#;
    let report = run_in(&world, text).await;
    assert_eq!(world.what(), ["GET /login"]);
    let verdicts = verdicts(&report);
    assert_eq!(
        verdicts,
        [("login", Verdict::Failed), ("order", Verdict::Inconclusive)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_table_makes_a_case_of_each_row_and_repeats_of_each() {
    let world = World::new(|_| ok("ok"));
    let text = r#"
tests:
  - name: "price in ${country}"
    path: "/${country}/price"
    for_each: [ { country: se }, { country: no } ]
    repeat: 2
"#;
    let report = run_in(&world, text).await;
    let asked = [
        "GET /se/price",
        "GET /se/price",
        "GET /no/price",
        "GET /no/price",
    ];
    assert_eq!(world.what(), asked);
    let names: Vec<&str> = report.tests.iter().map(|test| test.name.as_str()).collect();
    let wanted = [
        "price in se #1",
        "price in se #2",
        "price in no #1",
        "price in no #2",
    ];
    assert_eq!(names, wanted);
}

#[tokio::test(start_paused = true)]
async fn what_a_selected_test_needs_is_asked_too() {
    let world = World::new(|_| ok("ok"));
    let text = "
setup: [ { path: /prepare } ]
tests:
  - { name: a, path: /a, tags: slow }
  - { name: b, path: /b, tags: [fast, core], depends_on: a }
  - { name: c, path: /c, tags: fast }
teardown: [ { path: /clean } ]
";
    let options = Options {
        tags: vec!["core".to_owned()],
        ..world.options()
    };
    let report = run_with(text, &target(), &options).await;
    assert_eq!(
        world.what(),
        ["GET /prepare", "GET /a", "GET /b", "GET /clean"]
    );
    assert!(
        report
            .text(false)
            .contains("only 4 of its 5 tests are selected")
    );
}

#[tokio::test(start_paused = true)]
async fn a_warning_does_not_fail_the_run() {
    let world = World::new(|_| reply("500 Internal Server Error", "", ""));
    let text = "tests: [ { path: /a, severity: warning } ]";
    let report = run_in(&world, text).await;
    assert_eq!(report.summary.verdict, SuiteVerdict::Warned);
    assert_eq!(report.summary.exit_code(), 0);
}

#[tokio::test(start_paused = true)]
async fn secrets_are_sent_and_not_shown() {
    let world = World::new(|asked| ok(&asked.text));
    let text = r#"
tests:
  - path: /
    auth: { basic: { user: admin, password: "${env:PASSWORD}" } }
    expected_body_contains: nothing like it
"#;
    let options = Options {
        secrets: Secrets::from_fn(|_, name| {
            (name == "PASSWORD").then(|| Secret::new("correct horse".to_owned()))
        }),
        ..world.options()
    };
    let report = run_with(text, &target(), &options).await;
    let sent = "Basic YWRtaW46Y29ycmVjdCBob3JzZQ==";
    assert_eq!(world.asked()[0].header("authorization"), Some(sent));
    let shown = report.text(false);
    assert!(shown.contains("-u admin:\"$PASSWORD\""), "{shown}");
    for secret in ["correct horse", "Y29ycmVjdCBob3JzZQ"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
