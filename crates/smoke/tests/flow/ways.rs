//! Backends, quorums, builds, redirects, proxies and sockets: who is asked.

use nonevent_document::Secret;
use nonevent_smoke::{Backend, Backends, Cause, Options, Quorum, SuiteVerdict, Target, Verdict};

use crate::world::{Asked, Reply, World, ok, reply, run_in, run_with, target};

const EIGHT: [&str; 8] = [
    "10.0.0.1:80",
    "10.0.0.2:80",
    "10.0.0.3:80",
    "10.0.0.4:80",
    "10.0.0.5:80",
    "10.0.0.6:80",
    "10.0.0.7:80",
    "10.0.0.8:80",
];

#[tokio::test(start_paused = true)]
async fn one_bad_backend_of_eight_is_found_in_100_of_100_runs() {
    let mut found = 0;
    for round in 0..100_usize {
        let bad = EIGHT[round * 5 % 8];
        let dead = if round % 3 == 0 { &[bad][..] } else { &[] };
        let world = World::with(&[("shop.test", &EIGHT)], dead, move |asked| {
            match (asked.peer == bad, round % 3) {
                (true, 1) => reply("500 Internal Server Error", "", ""),
                (true, _) => ok("another shop"),
                _ => ok("the shop"),
            }
        });
        let options = Options {
            backends: Backends::EveryAddress,
            jobs: 1 + round % 9,
            ..world.options()
        };
        let text = "tests: [ { path: /, expected_body_contains: the shop } ]";
        let report = run_with(text, &target(), &options).await;
        let backends = &report.summary.backends;
        assert_eq!(backends.len(), 8);
        let not_well: Vec<String> = backends
            .iter()
            .filter(|backend| !backend.verdict.is_yes())
            .map(|backend| backend.address.to_string())
            .collect();
        assert!(!report.summary.verdict.is_yes());
        found += usize::from(not_well == [bad]);
        assert!(
            world
                .asked()
                .iter()
                .all(|asked| asked.header("host") == Some("shop.test"))
        );
    }
    assert_eq!(found, 100);
}

#[tokio::test(start_paused = true)]
async fn a_quorum_says_how_many_must_pass() {
    for (quorum, passes) in [
        (Quorum::All, false),
        (Quorum::AtLeast(8), false),
        (Quorum::AtLeast(7), true),
        (Quorum::Percent(88), false),
        (Quorum::Percent(87), true),
    ] {
        let world = World::with(&[("shop.test", &EIGHT)], &["10.0.0.5:80"], |_| ok(""));
        let options = Options {
            backends: Backends::EveryAddress,
            quorum,
            ..world.options()
        };
        let report = run_with("tests: [ { path: / } ]", &target(), &options).await;
        assert_eq!(report.summary.verdict.is_yes(), passes, "{quorum:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_mix_of_builds_is_told_backend_by_backend() {
    let world = World::new(|asked| {
        let old = asked.peer.starts_with("10.0.0.2") && asked.connection % 2 == 0;
        let build = if old { "1.4.2" } else { "1.5.0" };
        reply("200 OK", &format!("x-version: {build}\r\n"), "")
    });
    let backend = |name: &str, at: &str| Backend {
        name: name.to_owned(),
        address: at.parse().expect("an address"),
    };
    let options = Options {
        backends: Backends::Listed(vec![
            backend("one", "10.0.0.1:80"),
            backend("two", "10.0.0.2:80"),
        ]),
        ..world.options()
    };
    let text = "tests: [ { path: /, expected_build: { header: x-version, equals: 1.5.0, connections: 10 } } ]";
    let report = run_with(text, &target(), &options).await;
    assert_eq!(world.connections(), 20, "fresh ones");
    let of = |at: usize| &report.summary.backends[at].builds;
    assert_eq!(of(0).get("1.5.0"), Some(&10));
    assert_eq!(
        (of(1).get("1.4.2"), of(1).get("1.5.0")),
        (Some(&5), Some(&5))
    );
    let verdicts: Vec<Verdict> = report.tests.iter().map(|test| test.verdict).collect();
    assert_eq!(verdicts, [Verdict::Passed, Verdict::Failed]);
}

/// A shop that sends people on.
fn moving(asked: &Asked) -> Reply {
    let to = |status: &str, location: &str| reply(status, &format!("location: {location}\r\n"), "");
    match (asked.header("host").unwrap_or_default(), asked.what()) {
        (_, "GET /old") => to("301 Moved Permanently", "/new?a=1"),
        (_, "POST /form") => to("303 See Other", "/new"),
        (_, "POST /kept") => to("307 Temporary Redirect", "/there"),
        (_, "GET /away") => to("302 Found", "http://other.test:8080/in"),
        (_, "GET /loop") => to("302 Found", "/loop"),
        (_, "GET /inside") => to("302 Found", "http://169.254.169.254/latest/meta-data/"),
        (_, "GET /file") => to("302 Found", "file:///etc/passwd"),
        _ => ok("here"),
    }
}

#[tokio::test(start_paused = true)]
async fn redirects_are_followed_where_the_test_says_so() {
    let world = World::new(moving);
    let text = "
tests:
  - { path: /old, expected_status: 301 }
  - { path: /old, follow_redirects: true, expected_url: { contains: '/new?a=1' } }
  - { path: /form, method: POST, body: x, follow_redirects: true }
  - { path: /kept, method: POST, body: x, follow_redirects: true }
";
    let report = run_in(&world, text).await;
    assert!(report.summary.verdict.is_yes(), "{}", report.text(false));
    assert_eq!(
        world.what(),
        [
            "GET /old",
            "GET /old",
            "GET /new?a=1",
            "POST /form",
            "GET /new",
            "POST /kept",
            "POST /there",
        ]
    );
    assert!(
        world.asked()[6].text.ends_with("\r\n\r\nx"),
        "its body is sent again"
    );
}

#[tokio::test(start_paused = true)]
async fn headers_are_not_taken_to_another_origin() {
    let world = World::new(moving);
    let text = "
tests:
  - path: /away
    follow_redirects: true
    headers: { authorization: Bearer t, x-key: k }
    cookies: { sid: s }
";
    let report = run_in(&world, text).await;
    assert!(report.summary.verdict.is_yes(), "{}", report.text(false));
    let asked = world.asked();
    assert_eq!(asked[0].header("x-key"), Some("k"));
    assert_eq!(asked[1].header("host"), Some("other.test:8080"));
    for name in ["authorization", "x-key", "cookie"] {
        assert_eq!(asked[1].header(name), None, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn redirects_in_circles_or_to_where_nobody_may_go_end() {
    let world = World::new(moving);
    let text = "
tests:
  - { path: /loop, follow_redirects: 3 }
  - { path: /inside, follow_redirects: true }
  - { path: /file, follow_redirects: true }
";
    let report = run_in(&world, text).await;
    let causes: Vec<(Verdict, Cause)> = report
        .tests
        .iter()
        .map(|test| (test.verdict, test.attempts[0].failures[0].cause))
        .collect();
    assert_eq!(
        causes,
        [
            (Verdict::Failed, Cause::Redirect),
            (Verdict::Failed, Cause::Redirect),
            (Verdict::Failed, Cause::Redirect),
        ],
        "{}",
        report.text(false)
    );
    assert_eq!(
        world.what().len(),
        6,
        "the loop four times, the others once"
    );
}

#[tokio::test(start_paused = true)]
async fn a_proxy_is_asked_with_the_whole_url() {
    let world = World::with(&[("proxy.test", &["10.9.9.9:3128"])], &[], |_| ok(""));
    let target = target()
        .proxy("http://proxy.test:3128")
        .expect("a proxy")
        .proxy_authorization(Secret::new("Basic dXNlcjpwYXNz".to_owned()));
    let error = crate::world::target().proxy("http://user:pass@proxy.test:3128");
    let error = error.expect_err("a password in a URL").to_string();
    assert!(
        error.contains("the proxy's authorization") && !error.contains("pass@"),
        "{error}"
    );
    let report = run_with("tests: [ { path: /a } ]", &target, &world.options()).await;
    assert!(report.summary.verdict.is_yes(), "{}", report.text(false));
    let asked = &world.asked()[0];
    assert_eq!(asked.peer, "10.9.9.9:3128");
    assert_eq!(asked.what(), "GET http://shop.test/a");
    assert_eq!(asked.header("host"), Some("shop.test"));
    assert_eq!(
        asked.header("proxy-authorization"),
        Some("Basic dXNlcjpwYXNz")
    );
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_refuses_a_tunnel_is_not_the_services_fault() {
    let world = World::new(|_| reply("403 Forbidden", "", ""));
    let target = Target::parse("https://shop.test").expect("a URL");
    let target = target.proxy("http://proxy.test:3128").expect("a proxy");
    let report = run_with("tests: [ { path: /a } ]", &target, &world.options()).await;
    assert_eq!(world.what(), ["CONNECT shop.test:443"]);
    assert_eq!(
        report.tests[0].verdict,
        Verdict::Inconclusive,
        "{}",
        report.text(false)
    );
    assert_eq!(report.summary.verdict, SuiteVerdict::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn addresses_are_given_and_sockets_named() {
    let world = World::new(|_| ok(""));
    let text = "
tests:
  - { path: /a }
  - { path: /b, connection: { connect_to: '10.1.1.1:81' } }
  - { path: /c, connection: { resolve: [10.2.2.2] } }
  - { path: /d, connection: { unix_socket: /run/shop.sock } }
";
    let report = run_in(&world, text).await;
    assert!(report.summary.verdict.is_yes(), "{}", report.text(false));
    let peers: Vec<String> = world
        .asked()
        .iter()
        .map(|asked| asked.peer.clone())
        .collect();
    assert_eq!(peers[..3], ["10.0.0.1:80", "10.1.1.1:81", "10.2.2.2:80"]);
    assert!(peers[3].contains("/run/shop.sock"), "{}", peers[3]);
    assert!(
        world
            .asked()
            .iter()
            .all(|asked| asked.header("host") == Some("shop.test"))
    );
}

#[tokio::test(start_paused = true)]
async fn the_next_address_is_tried_where_one_does_not_listen() {
    let two = ["10.0.0.1:80", "10.0.0.2:80"];
    let world = World::with(&[("shop.test", &two)], &["10.0.0.1:80"], |_| ok(""));
    let report = run_in(&world, "tests: [ { path: / } ]").await;
    assert!(report.summary.verdict.is_yes());
    assert_eq!(world.asked()[0].peer, "10.0.0.2:80");

    let world = World::with(&[("shop.test", &[])], &[], |_| ok(""));
    let report = run_in(&world, "tests: [ { path: / } ]").await;
    assert_eq!(
        report.tests[0].attempts[0].failures[0].cause,
        Cause::Resolve
    );
    assert_eq!(report.summary.verdict, SuiteVerdict::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn a_port_without_http_is_checked() {
    let world = World::new(|asked| match asked.text.as_str() {
        "PING\n" => Reply::Say("+PONG\r\n".to_owned()),
        _ => Reply::Never,
    });
    let text = r#"
tests:
  - { name: cache, tcp: { port: 6379, send: "PING\n", expect: "+PONG" } }
  - { name: open, tcp: { port: 5432 } }
  - { name: wrong, tcp: { port: 6379, send: "PING\n", expect: "-ERR" }, timeout_ms: 300 }
"#;
    let report = run_in(&world, text).await;
    let verdicts: Vec<Verdict> = report.tests.iter().map(|test| test.verdict).collect();
    let wanted = [Verdict::Passed, Verdict::Passed, Verdict::Failed];
    assert_eq!(verdicts, wanted, "{}", report.text(false));
    assert_eq!(world.asked()[0].peer, "10.0.0.1:6379");
}

#[tokio::test(start_paused = true)]
async fn connections_are_kept_only_where_that_was_asked() {
    let text = "tests: [ { path: /, repeat: 5 } ]";
    let fresh = World::new(|_| ok(""));
    let report = run_in(&fresh, text).await;
    assert_eq!(
        (fresh.connections(), report.summary.reuse_connections),
        (5, false)
    );
    let kept = World::new(|_| ok(""));
    let options = Options {
        reuse_connections: true,
        ..kept.options()
    };
    let report = run_with(text, &target(), &options).await;
    assert_eq!(
        (kept.connections(), report.summary.reuse_connections),
        (1, true)
    );
    let reused = report.tests.iter().filter(|test| test.attempts[0].reused);
    assert_eq!(reused.count(), 4);
}
