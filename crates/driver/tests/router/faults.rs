//! What the router does, and counts, when an instance fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Response;
use nonevent_router::Arm;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Origin, TestRouter, Text, backend, nobody, read_until};

#[tokio::test]
async fn a_dead_instance_costs_an_idempotent_request_nothing_but_is_counted() {
    let alive = Origin::named("alive").await;
    let router = TestRouter::start().await;
    let pool = [
        backend("stable-1", nobody().await),
        alive.backend("stable-2"),
    ];
    router.set(0, &pool, &[]).await;
    let mut client = router.connect().await;
    for method in ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "GET"] {
        let body = if method == "PUT" { "body" } else { "" };
        let answer = client.send(method, "/", body).await.unwrap();
        assert_eq!(answer.status, 200, "{method}");
    }
    let read = router.read().await;
    let stable = &read.counters.stable;
    // Every other request met the dead instance first.
    let failed = stable.connect_failures;
    assert!(failed >= 3, "{stable:?}");
    assert_eq!((stable.errors, stable.retried), (failed, failed));
    assert_eq!(read.counters.client_requests(), 6);
    assert_eq!(stable.finished, 6 + failed);
    let dead = read.backends.iter().find(|b| b.id == "stable-1").unwrap();
    assert_eq!((dead.failures, dead.requests), (failed, failed));
}

#[tokio::test]
async fn a_request_that_may_not_be_repeated_fails_with_its_instance() {
    let alive = Origin::named("alive").await;
    let router = TestRouter::start().await;
    let pool = [
        backend("stable-1", nobody().await),
        alive.backend("stable-2"),
    ];
    router.set(0, &pool, &[]).await;
    let mut client = router.connect().await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(client.send("POST", "/", "order").await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 502, 502]);
    let stable = router.read().await.counters.stable;
    assert_eq!(
        (stable.errors, stable.connect_failures, stable.retried),
        (2, 2, 0)
    );
}

#[tokio::test]
async fn a_dead_version_is_stepped_over_and_counted_against_itself() {
    let stable = Origin::named("stable").await;
    let router = TestRouter::start().await;
    let dead = [
        backend("c-1", nobody().await),
        backend("c-2", nobody().await),
    ];
    router.set(5_000, &[stable.backend("s-1")], &dead).await;
    let mut client = router.connect().await;
    for _ in 0..20 {
        let answer = client.get("/").await;
        assert_eq!(
            (answer.status, answer.header("x-nonevent-arm")),
            (200, "stable")
        );
    }
    let read = router.read().await;
    let canary = &read.counters.canary;
    assert!(
        (9..=11).contains(&(canary.connect_failures / 2)),
        "{canary:?}"
    );
    assert_eq!(canary.errors, canary.requests);
    assert_eq!(read.counters.stable.errors, 0);
    assert_eq!(read.counters.client_requests(), 20);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error() {
    let origin = Origin::raw(|mut stream| async move {
        let head = read_until(&mut stream, "\r\n\r\n").await;
        let answer = if head.starts_with("GET /length") {
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this"
        } else if head.starts_with("GET /chunked") {
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhalf"
        } else {
            ""
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let router = TestRouter::start().await;
    router.set(10_000, &[], &[origin.backend("canary-1")]).await;
    for (path, got) in [("/length", "only this"), ("/chunked", "half")] {
        let mut client = router.connect().await;
        let error = client.send("GET", path, "").await.err();
        assert!(
            error.is_some(),
            "{path}: the client must not take `{got}` for whole"
        );
    }
    let answer = router.connect().await.get("/nothing").await;
    assert_eq!(answer.status, 502);
    let canary = router.read().await.counters.canary;
    assert_eq!((canary.requests, canary.finished, canary.errors), (3, 3, 3));
    assert_eq!((canary.connect_failures, canary.retried), (0, 0));
    // The two that began had a first byte; breaking off without one is not a latency.
    assert_eq!(canary.latency.total(), 2);
}

#[tokio::test]
async fn server_errors_are_errors_and_client_errors_are_not() {
    let origin = Origin::http(|request: http::Request<hyper::body::Incoming>| async move {
        let status: u16 = request.uri().path()[1..].parse().unwrap();
        let mut answer = Response::new(Text::default());
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
        answer
    })
    .await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let mut client = router.connect().await;
    for status in [200, 404, 429, 500, 503, 599] {
        assert_eq!(client.get(&format!("/{status}")).await.status, status);
    }
    let stable = router.read().await.counters.stable;
    assert_eq!((stable.finished, stable.errors), (6, 3));
}

/// Answers one request per connection, claims to keep it alive, and closes it when the next
/// request has arrived.
async fn closes_on_second(served: Arc<AtomicUsize>) -> Origin {
    Origin::raw(move |mut stream| {
        let served = Arc::clone(&served);
        async move {
            read_until(&mut stream, "\r\n\r\n").await;
            served.fetch_add(1, Ordering::SeqCst);
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            stream.write_all(answer.as_bytes()).await.expect("written");
            let mut byte = [0];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut byte).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_kept_alive_connection_that_was_closed_is_replaced_unnoticed() {
    let served = Arc::new(AtomicUsize::new(0));
    let origin = closes_on_second(Arc::clone(&served)).await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let mut client = router.connect().await;
    for _ in 0..5 {
        assert_eq!(client.get("/").await.status, 200);
    }
    let stable = router.read().await.counters.stable;
    assert_eq!((stable.requests, stable.finished, stable.errors), (5, 5, 0));
    assert_eq!(served.load(Ordering::SeqCst), 5);

    // A request that may have been taken is not sent twice. (Had this test slept for a second
    // here, it would have got a new connection and an answer.)
    let answer = client.send("POST", "/", "").await.unwrap();
    let stable = router.read().await.counters.stable;
    let served = served.load(Ordering::SeqCst);
    let outcome = (answer.status, stable.errors, served);
    assert!([(502, 1, 5), (200, 0, 6)].contains(&outcome), "{outcome:?}");
}

#[tokio::test]
async fn an_instance_that_hangs_is_an_error_and_slow() {
    let origin = Origin::raw(|mut stream| async move {
        read_until(&mut stream, "never").await;
    })
    .await;
    let router = TestRouter::with(|limits| limits.first_byte_ms = 80).await;
    router.set(10_000, &[], &[origin.backend("canary-1")]).await;
    let answer = router.connect().await.get("/").await;
    assert_eq!(
        (answer.status, answer.header("x-nonevent-arm")),
        (504, "canary")
    );
    let canary = router.read().await.counters.canary;
    assert_eq!((canary.finished, canary.errors), (1, 1));
    assert!(
        canary.latency.quantile_us(5_000) >= Some(80_000),
        "{canary:?}"
    );
}

#[tokio::test]
async fn a_client_that_gives_up_is_no_error_but_its_wait_is_seen() {
    let origin = Origin::raw(|mut stream| async move {
        read_until(&mut stream, "never").await;
    })
    .await;
    let router = TestRouter::start().await;
    router.set(10_000, &[], &[origin.backend("canary-1")]).await;
    let mut stream = TcpStream::connect(router.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    router
        .read_until(|read| read.counters.canary.in_flight == 1)
        .await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(stream);
    let read = router
        .read_until(|read| read.counters.canary.in_flight == 0)
        .await;
    let canary = read.counters.of(Arm::Canary);
    assert_eq!(
        (canary.abandoned, canary.finished, canary.errors),
        (1, 0, 0)
    );
    assert!(
        canary.latency.quantile_us(5_000) >= Some(50_000),
        "{canary:?}"
    );
}

#[tokio::test]
async fn a_client_that_breaks_off_its_request_is_no_error_of_the_instance() {
    let origin = Origin::http(|request: http::Request<hyper::body::Incoming>| async move {
        let whole = http_body_util::BodyExt::collect(request.into_body()).await;
        Response::new(Text::from(format!("{}", whole.is_ok())))
    })
    .await;
    let router = TestRouter::with(|limits| limits.first_byte_ms = 80).await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\nconnection: close\r\n\r\nhalf";
    let mut stream = TcpStream::connect(router.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    router
        .read_until(|read| read.counters.stable.in_flight == 1)
        .await;
    drop(stream);
    router
        .read_until(|read| read.counters.stable.abandoned == 1)
        .await;

    // One that stays connected and sends nothing more is told off.
    let answer = router.raw(head).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let stable = router.read().await.counters.stable;
    assert_eq!((stable.abandoned, stable.errors), (2, 0));
}

#[tokio::test]
async fn an_answer_that_pauses_for_too_long_is_an_error() {
    let origin = Origin::raw(|mut stream| async move {
        read_until(&mut stream, "\r\n\r\n").await;
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this";
        stream.write_all(answer.as_bytes()).await.unwrap();
        read_until(&mut stream, "never").await;
    })
    .await;
    let router = TestRouter::with(|limits| limits.body_idle_ms = 60).await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    assert!(router.connect().await.send("GET", "/", "").await.is_err());
    let stable = router.read().await.counters.stable;
    assert_eq!((stable.errors, stable.in_flight), (1, 0));
}
