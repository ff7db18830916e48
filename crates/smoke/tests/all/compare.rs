//! Two versions of a service asked the same.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nonevent_document::Secret;
use nonevent_smoke::{
    CompareRule, CompareVerdict, Comparison, DifferenceKind, LatencyRule, LatencyVerdict, Secrets,
    Suite, compare,
};

use crate::server::{Server, ok, options, read_request, reply, suite};

/// An answer to the path, by the number of the request.
type Answer = fn(&str, usize) -> String;

async fn version(answer: Answer) -> (Server, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server =
        Server::http(move |request, _| answer(request, count.fetch_add(1, Ordering::SeqCst))).await;
    (server, asked)
}

async fn compared(suite: &Suite, old: &Server, new: &Server, rule: &CompareRule) -> Comparison {
    let (old, new) = (old.target(), new.target());
    compare(suite, &old, &new, &options(), rule, pending(), |_| {})
        .await
        .expect("a suite that can be run")
}

fn path(request: &str) -> &str {
    request.split(' ').nth(1).unwrap_or_default()
}

fn json(body: &str, build: &str) -> String {
    let headers = format!("content-type: application/json\r\nx-version: {build}\r\n");
    reply("200 OK", &headers, body)
}

fn old(request: &str, number: usize) -> String {
    match path(request) {
        "/cart" => json(
            &format!(r#"{{"id":"{number:08x}a1","total":12,"currency":"SEK"}}"#),
            "1",
        ),
        "/same" => json(&format!(r#"{{"asked":{number},"open":true}}"#), "1"),
        "/broken" => reply("500 Internal Server Error", "", "oops"),
        _ => json("{}", "1"),
    }
}

fn new(request: &str, number: usize) -> String {
    match path(request) {
        "/cart" => json(&format!(r#"{{"id":"{number:08x}b2","total":13}}"#), "2"),
        "/same" => json(&format!(r#"{{"asked":{number},"open":true}}"#), "2"),
        "/broken" => reply("500 Internal Server Error", "", "oops"),
        _ => json("{}", "2"),
    }
}

const SUITE: &str = r#"{ "tests": [
    { "name": "cart", "path": "/cart", "compare": { "ignore": "header x-version" } },
    { "name": "same", "path": "/same",
      "expected_build": { "header": "x-version", "equals": "2", "connections": 1 } },
    { "name": "broken in both", "path": "/broken" },
    { "name": "an order", "path": "/order", "method": "POST" },
    { "name": "a search", "path": "/search", "method": "POST",
      "compare": { "wanted": true, "ignore": ["header x-version"] } }
] }"#;

#[tokio::test]
async fn what_the_new_version_answers_otherwise_is_told_from_noise() {
    let ((old, asked), (new, _)) = (version(old).await, version(new).await);
    let comparison = compared(&suite(SUITE), &old, &new, &CompareRule::default()).await;
    let verdicts: Vec<CompareVerdict> = comparison.tests.iter().map(|test| test.verdict).collect();
    assert_eq!(
        verdicts,
        [
            CompareVerdict::Different,
            CompareVerdict::Same,
            CompareVerdict::Same,
            CompareVerdict::Skipped,
            CompareVerdict::Same,
        ],
        "{}",
        comparison.text(false)
    );
    assert_eq!(
        asked.load(Ordering::SeqCst),
        11,
        "the order was sent to nobody, and the cart asked for thrice more"
    );
    let found: Vec<(&str, DifferenceKind)> = comparison.tests[0]
        .differences
        .iter()
        .map(|it| (it.place.as_str(), it.kind))
        .collect();
    let wanted = [
        ("$.currency", DifferenceKind::Missing),
        ("$.total", DifferenceKind::Value),
    ];
    assert_eq!(found, wanted);
    assert_eq!(comparison.exit_code(), 1);
    let text = comparison.text(false);
    let ports = [old.address, new.address].map(|address| address.to_string());
    let shown = text
        .replace(&ports[0], "old:80")
        .replace(&ports[1], "new:80");
    let shown = shown.rsplit_once(" in ").map_or("", |(before, _)| before);
    insta::assert_snapshot!("comparison", shown);

    let json = serde_json::to_string(&comparison).expect("JSON");
    let back: Comparison = serde_json::from_str(&json).expect("what was written");
    assert_eq!(back, comparison);
}

#[tokio::test]
async fn what_may_differ_is_said_in_the_rule_or_the_suite() {
    let ((old, _), (new, _)) = (version(old).await, version(new).await);
    let suite = suite(r#"{ "tests": [ { "path": "/cart" } ] }"#);
    let rule = CompareRule {
        ignored: ["$", "header x-version"].map(str::to_owned).into(),
        ..CompareRule::default()
    };
    let comparison = compared(&suite, &old, &new, &rule).await;
    assert_eq!(comparison.verdict, CompareVerdict::Same);
    assert_eq!(comparison.exit_code(), 0);
}

#[tokio::test]
async fn an_assertion_that_holds_no_longer_is_a_difference() {
    // What it says is noise in the old version, and still one of the two is wanted.
    let (old, _) = version(|_, number| ok(&format!("{number} ready"))).await;
    let (new, _) = version(|_, number| ok(&format!("{number} steady"))).await;
    let suite = suite(r#"{ "tests": [ { "path": "/", "expected_body_contains": "ready" } ] }"#);
    let comparison = compared(&suite, &old, &new, &CompareRule::default()).await;
    let kinds: Vec<DifferenceKind> = comparison.tests[0]
        .differences
        .iter()
        .map(|it| it.kind)
        .collect();
    assert_eq!(kinds, [DifferenceKind::Text, DifferenceKind::Assertion]);
}

#[tokio::test]
async fn what_the_old_version_does_now_and_then_is_no_difference() {
    // Its fourth answer is the first that shows it.
    let (old, asked) = version(|_, number| ok(["red", "blue"][usize::from(number == 3)])).await;
    let (new, _) = version(|_, _| ok("blue")).await;
    let suite = suite(r#"{ "tests": [ { "path": "/" } ] }"#);
    let comparison = compared(&suite, &old, &new, &CompareRule::default()).await;
    assert_eq!(comparison.verdict, CompareVerdict::Same);
    assert_eq!(asked.load(Ordering::SeqCst), 4, "and no more than that");

    let (new, _) = version(|_, _| ok("green grass")).await;
    let comparison = compared(&suite, &old, &new, &CompareRule::default()).await;
    assert_eq!(comparison.verdict, CompareVerdict::Different);
    assert_eq!(asked.load(Ordering::SeqCst), 4 + 2 + 3);

    let by_two = CompareRule {
        confirmations: 0,
        ..CompareRule::default()
    };
    let (old, asked) = version(|_, number| ok(["red", "blue"][usize::from(number == 3)])).await;
    let (new, _) = version(|_, _| ok("blue")).await;
    let comparison = compared(&suite, &old, &new, &by_two).await;
    assert_eq!(comparison.verdict, CompareVerdict::Different);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn setup_is_run_on_both_and_its_captures_are_each_versions_own() {
    fn service(request: &str, _: usize) -> String {
        match path(request) {
            "/login" => ok(&format!("{{\"token\":\"{}\"}}", request.len())),
            "/orders" if request.contains("authorization: Bearer ") => ok("fine"),
            "/logout" => ok("bye"),
            _ => reply("401 Unauthorized", "", ""),
        }
    }
    let ((old, old_asked), (new, new_asked)) = (version(service).await, version(service).await);
    let suite = suite(
        r#"{ "setup": [ { "path": "/login", "method": "POST",
                          "capture": { "token": { "json": "$.token", "secret": true } } } ],
             "tests": [ { "path": "/orders", "headers": { "authorization": "Bearer ${token}" } } ],
             "teardown": [ { "path": "/logout", "method": "POST" } ] }"#,
    );
    let comparison = compared(&suite, &old, &new, &CompareRule::default()).await;
    assert_eq!(
        comparison.verdict,
        CompareVerdict::Same,
        "{}",
        comparison.text(false)
    );
    assert_eq!(old_asked.load(Ordering::SeqCst), 4);
    assert_eq!(new_asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn what_cannot_be_asked_is_neither_the_same_nor_different() {
    let (old, _) = version(old).await;
    let gone = Server::start(|stream, _| async move { drop(stream) }).await;
    let suite = suite(r#"{ "tests": [ { "path": "/same" } ] }"#);
    let comparison = compared(&suite, &old, &gone, &CompareRule::default()).await;
    assert_eq!(
        comparison.verdict,
        CompareVerdict::Different,
        "it answered nothing"
    );
    let comparison = compared(&suite, &gone, &old, &CompareRule::default()).await;
    assert_eq!(comparison.verdict, CompareVerdict::Inconclusive);
    assert_eq!(comparison.exit_code(), 1);

    let unsafe_only = crate::server::suite(r#"{ "tests": [ { "path": "/", "method": "POST" } ] }"#);
    let comparison = compared(&unsafe_only, &old, &old, &CompareRule::default()).await;
    assert_eq!(comparison.verdict, CompareVerdict::Skipped);
    assert_eq!(comparison.exit_code(), 1, "nothing was compared");
}

async fn answering_after(delay: Duration) -> Server {
    Server::start(move |mut stream, _| async move {
        use tokio::io::AsyncWriteExt;
        if read_request(&mut stream).await.is_some() {
            tokio::time::sleep(delay).await;
            let _gone = stream.write_all(ok("ok").as_bytes()).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_slower_version_is_found() {
    let fast = answering_after(Duration::from_millis(2)).await;
    let slow = answering_after(Duration::from_millis(12)).await;
    let suite = suite(r#"{ "tests": [ { "path": "/" } ] }"#);
    let rule = CompareRule {
        latency: Some(LatencyRule::default()),
        ..CompareRule::default()
    };
    let comparison = compared(&suite, &fast, &slow, &rule).await;
    assert_eq!(
        comparison.verdict,
        CompareVerdict::Different,
        "{}",
        comparison.text(false)
    );
    let latency = comparison.tests[0].latency.as_ref().expect("latencies");
    assert_eq!(latency.verdict, LatencyVerdict::Slower);
    assert!(latency.figures.pairs < 100, "stopped as soon as decided");
    let comparison = compared(&suite, &slow, &fast, &rule).await;
    assert_eq!(
        comparison.verdict,
        CompareVerdict::Same,
        "{}",
        comparison.text(false)
    );
}

#[tokio::test]
async fn no_secret_is_in_what_is_said() {
    let (old, _) = version(|request, _| ok(&format!("hello {request}"))).await;
    let (new, _) = version(|request, _| ok(&format!("goodbye {request}"))).await;
    let suite = suite(
        r#"{ "tests": [ { "path": "/", "headers": { "x-key": "${env:KEY}" },
                          "expected_body_contains": "hello" } ] }"#,
    );
    let options = nonevent_smoke::Options {
        secrets: Secrets::from_fn(|_, name| {
            (name == "KEY").then(|| Secret::new("sesame-open-4711".to_owned()))
        }),
        ..options()
    };
    let (old, new) = (old.target(), new.target());
    let rule = CompareRule::default();
    let comparison = compare(&suite, &old, &new, &options, &rule, pending(), |_| {})
        .await
        .expect("a suite that can be run");
    assert_eq!(comparison.verdict, CompareVerdict::Different);
    let json = serde_json::to_string(&comparison).expect("JSON");
    for output in [comparison.text(false), json] {
        assert!(output.contains("goodbye"), "{output}");
        assert!(!output.contains("sesame"), "{output}");
    }
}

#[tokio::test]
async fn a_cancelled_comparison_cleans_up_and_is_not_decided() {
    async fn service() -> Server {
        Server::start(|mut stream, _| async move {
            use tokio::io::AsyncWriteExt;
            let request = read_request(&mut stream).await.unwrap_or_default();
            if path(&request) != "/clean" {
                pending::<()>().await;
            }
            let _gone = stream.write_all(ok("clean").as_bytes()).await;
        })
        .await
    }
    let (old_server, new_server) = (service().await, service().await);
    let suite =
        suite(r#"{ "tests": [ { "path": "/never" } ], "teardown": [ { "path": "/clean" } ] }"#);
    let cancel = tokio::time::sleep(Duration::from_millis(50));
    let (old, new) = (old_server.target(), new_server.target());
    let rule = CompareRule::default();
    let comparison = compare(&suite, &old, &new, &options(), &rule, cancel, |_| {})
        .await
        .expect("a suite that can be run");
    assert!(comparison.is_cancelled);
    assert_eq!(comparison.exit_code(), 130);
    assert_eq!(old_server.connections(), 2);
    assert_eq!(new_server.connections(), 1, "only the teardown");
}
