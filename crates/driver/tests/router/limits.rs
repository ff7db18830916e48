//! What can grow stops growing.

use std::time::Duration;

use http::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Client, Origin, TestRouter, Text, read_until};

#[tokio::test]
async fn too_many_or_too_long_fields_are_refused() {
    let origin = Origin::named("one").await;
    let router = TestRouter::with(|limits| {
        limits.headers_max = 10;
        limits.header_bytes_max = 4_096;
    })
    .await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let many = (0..11).map(|i| format!("x-{i}: 1\r\n")).collect::<String>();
    let long = format!("x-long: {}\r\n", "a".repeat(5_000));
    for fields in [many, long] {
        let answer = router
            .raw(&format!(
                "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{fields}\r\n"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    assert_eq!(router.read().await.counters.stable.requests, 0);
}

#[tokio::test]
async fn an_answer_with_too_many_fields_is_an_error() {
    let origin = Origin::http(|_| async {
        let mut answer = Response::new(Text::default());
        for i in 0..11u8 {
            let name: http::HeaderName = format!("x-{i}").parse().unwrap();
            answer.headers_mut().insert(name, "1".parse().unwrap());
        }
        answer
    })
    .await;
    let router = TestRouter::with(|limits| limits.headers_max = 10).await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    assert_eq!(router.connect().await.get("/").await.status, 502);
    assert_eq!(router.read().await.counters.stable.errors, 1);
}

#[tokio::test]
async fn at_the_limit_a_connection_waits_until_another_ends() {
    let origin = Origin::named("one").await;
    let router = TestRouter::with(|limits| limits.connections_max = 2).await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let (mut first, mut second) = (router.connect().await, router.connect().await);
    assert_eq!(first.get("/").await.status, 200);
    assert_eq!(second.get("/").await.status, 200);
    let mut third = Client::connect(router.address).await;
    let mut waiting = std::pin::pin!(third.get("/"));
    assert!(
        timeout(Duration::from_millis(50), waiting.as_mut())
            .await
            .is_err()
    );
    drop(first);
    let answer = timeout(Duration::from_secs(1), waiting).await.unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_client_that_never_finishes_its_head_is_dropped() {
    let router = TestRouter::with(|limits| limits.client_head_ms = 50).await;
    let mut stream = TcpStream::connect(router.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nho").await.unwrap();
    let mut rest = Vec::new();
    timeout(Duration::from_secs(1), stream.read_to_end(&mut rest))
        .await
        .expect("closed in time")
        .unwrap();
}

#[tokio::test]
async fn a_tunnel_in_which_nothing_moves_is_closed() {
    let origin = Origin::raw(|mut stream| async move {
        read_until(&mut stream, "\r\n\r\n").await;
        let switch =
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
        stream.write_all(switch.as_bytes()).await.unwrap();
        read_until(&mut stream, "never").await;
    })
    .await;
    let router = TestRouter::with(|limits| limits.tunnel_idle_ms = 40).await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let mut stream = TcpStream::connect(router.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut stream, "\r\n\r\n").await;
    let mut rest = Vec::new();
    let ended = timeout(Duration::from_secs(1), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the tunnel was closed");
    router
        .read_until(|read| read.counters.stable.upgraded == 0)
        .await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_dropped() {
    let origin = Origin::http(|_| async { Response::new(Text::from("x".repeat(32 << 20))) }).await;
    let router = TestRouter::with(|limits| limits.write_stall_ms = 60).await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let mut stream = TcpStream::connect(router.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let read = router
        .read_until(|read| read.counters.stable.abandoned == 1)
        .await;
    assert_eq!(read.counters.stable.errors, 0);
}

#[tokio::test]
async fn connections_that_nobody_needs_are_closed() {
    let (closed, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let origin = Origin::raw(move |mut stream| {
        let closed = closed.clone();
        async move {
            read_until(&mut stream, "\r\n\r\n").await;
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let other = Origin::named("other").await;
    let router = TestRouter::with(|limits| limits.upstream_idle_ms = 30).await;
    let (stable, canary) = ([origin.backend("stable-1")], [other.backend("canary-1")]);
    // One that gets no more requests, but stays in its pool.
    router.set(0, &stable, &canary).await;
    assert_eq!(router.connect().await.get("/").await.status, 200);
    router.set(10_000, &stable, &canary).await;
    timeout(Duration::from_secs(1), seen.recv())
        .await
        .expect("closed in time");

    // One that is left out, long before its time.
    let router = TestRouter::start().await;
    router.set(0, &stable, &canary).await;
    assert_eq!(router.connect().await.get("/").await.status, 200);
    router.set(10_000, &[], &canary).await;
    timeout(Duration::from_secs(1), seen.recv())
        .await
        .expect("closed in time");
}
