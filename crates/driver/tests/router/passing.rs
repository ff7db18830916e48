//! What a reverse proxy must do to requests and answers that go well.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, Response};
use http_body_util::StreamBody;
use hyper::body::Incoming;
use nonevent_router::Arm;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Origin, TestRouter, Text, read_until};

#[tokio::test]
async fn connections_are_kept_alive_on_both_sides() {
    let origin = Origin::named("one").await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let mut client = router.connect().await;
    for _ in 0..50 {
        let answer = client.get("/").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "one"));
        assert_eq!(answer.header("x-nonevent-arm"), "stable");
        assert_eq!(answer.header("x-nonevent-instance"), "stable-1");
    }
    assert_eq!(origin.connections(), 1);
    let counters = router.read().await.counters;
    let stable = counters.of(Arm::Stable);
    assert_eq!(
        (stable.requests, stable.finished, stable.errors),
        (50, 50, 0)
    );
    assert_eq!(stable.latency.total(), 50);
}

/// Sends every piece of the request's body back as soon as it arrives.
async fn echo(request: Request<Incoming>) -> Response<Incoming> {
    Response::new(request.into_body())
}

#[tokio::test]
async fn bodies_stream_both_ways_at_once() {
    let origin = Origin::http(echo).await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let mut stream = TcpStream::connect(router.address).await.unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    for piece in ["one", "two", "three"] {
        let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
        stream.write_all(chunk.as_bytes()).await.unwrap();
        // The next piece is sent only after this one has come back.
        read_until(&mut stream, piece).await;
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    read_until(&mut stream, "0\r\n\r\n").await;
}

#[tokio::test]
async fn a_slow_reader_slows_the_instance_down() {
    // An endless answer: what the router does not take stays with the instance.
    let sent = Arc::new(Mutex::new(0usize));
    let counted = Arc::clone(&sent);
    let origin = Origin::http(move |_| {
        let counted = Arc::clone(&counted);
        async move {
            let pieces = futures_util::stream::repeat_with(move || {
                *counted.lock().unwrap() += 64 << 10;
                Ok::<_, std::io::Error>(hyper::body::Frame::data(Bytes::from(vec![b'x'; 64 << 10])))
            });
            Response::new(StreamBody::new(pieces))
        }
    })
    .await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let mut stream = TcpStream::connect(router.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut stream, "xxxx").await;
    // Wait until the instance stands still, which it never does without backpressure.
    let mut before = usize::MAX;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(15)).await;
        let now = *sent.lock().unwrap();
        if now == before {
            break;
        }
        before = now;
    }
    assert_eq!(*sent.lock().unwrap(), before, "the instance still sends");
    let busy = router.read().await;
    assert_eq!(busy.counters.stable.in_flight, 1);
    drop(stream);
    let read = router
        .read_until(|read| read.counters.stable.in_flight == 0)
        .await;
    let stable = read.counters.stable;
    assert_eq!(
        (stable.abandoned, stable.errors, stable.finished),
        (1, 0, 0)
    );
}

#[tokio::test]
async fn a_websocket_lives_through_weight_changes_and_drains() {
    let origin = Origin::raw(|stream| async move {
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() && socket.send(message).await.is_err() {
                break;
            }
        }
    })
    .await;
    let other = Origin::named("other").await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let stream = TcpStream::connect(router.address).await.unwrap();
    let (mut socket, answer) = tokio_tungstenite::client_async("ws://shop.example/live", stream)
        .await
        .unwrap();
    assert_eq!(answer.status(), 101);
    assert_eq!(answer.headers()["x-nonevent-instance"], "stable-1");
    let mut say = async |text: &str| {
        socket.send(Message::text(text)).await.unwrap();
        let back = socket.next().await.unwrap().unwrap();
        assert_eq!(back.into_text().unwrap().as_str(), text);
    };
    say("before").await;
    let open = router.read().await.counters.stable;
    assert_eq!((open.in_flight, open.upgraded, open.finished), (0, 1, 1));

    // Everything goes to the canary; the old instance is left out and drains.
    router.set(10_000, &[], &[other.backend("canary-1")]).await;
    say("after").await;
    let read = router.read().await;
    assert!(!read.may_stop(Arm::Stable, "stable-1"));
    let left = read.backends.iter().find(|b| b.id == "stable-1").unwrap();
    assert!(left.draining && left.upgraded == 1, "{left:?}");

    socket.close(None).await.unwrap();
    drop(socket);
    let read = router
        .read_until(|read| read.may_stop(Arm::Stable, "stable-1"))
        .await;
    assert_eq!(read.counters.stable.upgraded, 0);
    assert_eq!(read.backends.len(), 1, "the drained instance is forgotten");
}

#[tokio::test]
async fn a_refused_upgrade_is_an_ordinary_answer() {
    let origin = Origin::named("plain").await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let answer = router
        .raw(
            "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n",
        )
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("plain"), "{answer}");
    let stable = router.read().await.counters.stable;
    assert_eq!((stable.finished, stable.upgraded, stable.errors), (1, 0, 0));
}

#[tokio::test]
async fn fields_of_a_connection_stay_on_it_in_both_directions() {
    let seen = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&seen);
    let origin = Origin::raw(move |mut stream| {
        let kept = Arc::clone(&kept);
        async move {
            let head = read_until(&mut stream, "\r\n\r\n").await;
            *kept.lock().unwrap() = head.to_lowercase();
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: x-hop, close\r\n\
                 x-hop: 1\r\nkeep-alive: timeout=1\r\nproxy-authenticate: Basic\r\n\
                 x-end: 2\r\nx-nonevent-arm: forged\r\n\r\nok";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let answer = router
        .raw(
            "GET /a?b=c HTTP/1.1\r\nHost: shop.example\r\nConnection: close, X-Private\r\n\
             X-Private: 1\r\nTE: trailers\r\nProxy-Authorization: x\r\nCookie: session=1\r\n\r\n",
        )
        .await
        .to_lowercase();
    let request = seen.lock().unwrap().clone();
    assert!(request.starts_with("get /a?b=c http/1.1\r\n"), "{request}");
    for present in [
        "host: shop.example\r\n",
        "cookie: session=1\r\n",
        "x-forwarded-for: 127.0.0.1\r\n",
        "via: 1.1 nonevent\r\n",
    ] {
        assert!(request.contains(present), "{present}: {request}");
    }
    for absent in ["x-private", "te:", "proxy-authorization", "connection:"] {
        assert!(!request.contains(absent), "{absent}: {request}");
    }
    for present in [
        "x-end: 2\r\n",
        "via: 1.1 nonevent\r\n",
        "x-nonevent-arm: stable\r\n",
    ] {
        assert!(answer.contains(present), "{present}: {answer}");
    }
    for absent in ["x-hop", "keep-alive", "proxy-authenticate", "forged"] {
        assert!(!answer.contains(absent), "{absent}: {answer}");
    }
    assert_eq!(answer.matches("\r\ndate:").count(), 1, "{answer}");
}

#[tokio::test]
async fn answers_without_a_body_keep_their_fields() {
    let origin = Origin::raw(|mut stream| async move {
        loop {
            let head = read_until(&mut stream, "\r\n\r\n").await;
            let answer = match head.split(' ').nth(1) {
                Some("/length") => "HTTP/1.1 200 OK\r\ncontent-length: 42\r\n\r\n",
                Some("/chunked") => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                Some("/none") => "HTTP/1.1 204 No Content\r\n\r\n",
                _ => "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\ncontent-length: 42\r\n\r\n",
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let cases = [
        ("HEAD", "/length", "200", Some("content-length: 42")),
        ("HEAD", "/chunked", "200", None),
        ("GET", "/none", "204", None),
        ("GET", "/same", "304", Some("etag: \"a\"")),
    ];
    for (method, path, status, field) in cases {
        let request = format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        let answer = router.raw(&request).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("HTTP/1.1 {status}")), "{answer}");
        assert_eq!(body, "", "{method} {path}");
        match field {
            Some(field) => assert!(head.contains(field), "{answer}"),
            None => assert!(!head.contains("content-length"), "{answer}"),
        }
    }
    let stable = router.read().await.counters.stable;
    assert_eq!(
        (stable.finished, stable.errors, stable.abandoned),
        (4, 0, 0)
    );
}

#[tokio::test]
async fn a_client_that_expects_to_go_on_is_told_to() {
    let origin = Origin::http(echo).await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let mut stream = TcpStream::connect(router.address).await.unwrap();
    stream
        .write_all(
            b"PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\
              connection: close\r\n\r\n",
        )
        .await
        .unwrap();
    let go_on = read_until(&mut stream, "\r\n\r\n").await;
    assert_eq!(go_on, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("body"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_answer_announced_by_1xx_is_waited_for() {
    let origin = Origin::raw(|mut stream| async move {
        read_until(&mut stream, "\r\n\r\n").await;
        let hints = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n";
        stream.write_all(hints.as_bytes()).await.unwrap();
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        stream.write_all(answer.as_bytes()).await.unwrap();
        read_until(&mut stream, "never").await;
    })
    .await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    assert_eq!(router.connect().await.get("/").await.body, "ok");
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_an_answer_it_can_read() {
    let origin = Origin::http(|request: Request<Incoming>| async move {
        let host = request.headers()["host"].to_str().unwrap().to_owned();
        let pieces = futures_util::stream::iter(
            [host, "!".to_owned()]
                .map(|text| Ok::<_, std::io::Error>(hyper::body::Frame::data(Bytes::from(text)))),
        );
        Response::new(StreamBody::new(pieces))
    })
    .await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let answer = router.raw("GET / HTTP/1.0\r\n\r\n").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("chunked"), "{answer}");
    assert_eq!(body, format!("{}!", router.address));
}

#[tokio::test]
async fn what_is_not_for_instances_is_answered_by_the_router() {
    let origin = Origin::http(|request: Request<Incoming>| async move {
        let left = request.headers().get("max-forwards").cloned();
        Response::new(Text::from(
            left.map_or(Bytes::new(), |left| Bytes::copy_from_slice(left.as_bytes())),
        ))
    })
    .await;
    let router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    for (request, status) in [
        (
            "CONNECT other.example:443 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            "501",
        ),
        (
            "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
            "400",
        ),
        ("GET / HTTP/1.1\r\nconnection: close\r\n\r\n", "400"),
        (
            "TRACE / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            "501",
        ),
        (
            "OPTIONS * HTTP/1.1\r\nhost: a\r\nmax-forwards: 0\r\nconnection: close\r\n\r\n",
            "200",
        ),
    ] {
        let answer = router.raw(request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
    let answer = router
        .raw("OPTIONS * HTTP/1.1\r\nhost: a\r\nmax-forwards: 3\r\nconnection: close\r\n\r\n")
        .await;
    assert!(answer.ends_with("\r\n\r\n2"), "{answer}");
    let counters = router.read().await.counters;
    assert_eq!((counters.refused, counters.stable.requests), (5, 1));
}
