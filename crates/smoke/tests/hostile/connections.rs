//! Before and beside HTTP: connections that are not made, not used, or not read from.

use std::time::Duration;

use nonevent_smoke::{Cause, Files, Target};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::case::{Case, Fixture, after_request, hold_open};
use crate::server::Server;

pub(crate) fn cases() -> Vec<Case> {
    let refused = [
        "http://169.254.169.254/",
        "http://[fe80::1]/",
        "http://[::ffff:a9fe:a9fe]/",
    ];
    let refused = refused.into_iter().map(|url| {
        let target = Target::parse(url).expect("a URL");
        Case::new(format!("not asked: {url}"), nobody(target))
            .never_asks(Cause::RefusedAddress, "was not asked")
            .ends_within(0)
    });
    refused.chain(dead()).chain(silent()).collect()
}

fn dead() -> Vec<Case> {
    let metadata = "100.100.100.200:80".parse().expect("an address");
    let behind = Target::parse("http://shop.example.com/").expect("a URL");
    let nowhere = Target::parse("http://nowhere.invalid/").expect("a URL");
    vec![
        Case::new(
            "not asked: a host that stands for a metadata address",
            nobody(behind.connect_to(metadata)),
        )
        .never_asks(Cause::RefusedAddress, "was not asked")
        .ends_within(0),
        Case::new("a name without an address", nobody(nowhere))
            .never_connects(Cause::Resolve, "address"),
        Case::new("a port where nobody listens", async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            let target = Target::parse(&format!("http://{address}")).expect("a URL");
            Fixture::new(target, Vec::new())
        })
        .never_connects(Cause::Connect, "refused"),
        Case::new("a backlog that is full", full_backlog())
            .limits(|limits| limits.connect_ms = 300)
            .never_connects(Cause::Connect, "no connection")
            .ends_within(300),
    ]
}

fn silent() -> Vec<Case> {
    vec![
        after_request("never answers", |mut stream| async move {
            hold_open(&mut stream).await;
        })
        .fails(
            Cause::Timeout,
            "no complete head of an answer within 400ms (timeout_ms)",
        ),
        after_request("never answers, and the first byte has its own limit", {
            |mut stream| async move { hold_open(&mut stream).await }
        })
        .limits(|limits| limits.first_byte_ms = 300)
        .fails(Cause::Timeout, "300ms (first_byte_ms)")
        .ends_within(300),
        Case::new("accepts and closes", Server::start(async |_, _| {}))
            .fails(Cause::Closed, "the connection ended before the answer did"),
        Case::new(
            "accepts and resets",
            Server::start(async |stream, _| {
                let _ignored = stream.set_zero_linger();
            }),
        )
        // Seen while connecting or while asking, as chance has it.
        .fails(Cause::Closed, "connection"),
        after_request("closes after the request", async |_| {})
            .fails(Cause::Closed, "the connection ended before the answer did"),
        Case::new(
            "never reads the request",
            Server::start(async |stream, _| {
                tokio::time::sleep(Duration::from_secs(60)).await;
                drop(stream);
            }),
        )
        .test(r#""method":"PUT","body_file":"large""#)
        .options(|options| {
            // More than the buffers of both sides take.
            options.files = Files::from_fn(|_| Ok(vec![b'x'; 8 * 1024 * 1024]));
        })
        .fails(Cause::Timeout, "no complete head"),
    ]
}

async fn nobody(target: Target) -> Fixture {
    Fixture::new(target, Vec::new())
}

/// A listener that accepts nothing, and as many connections as its queue takes.
async fn full_backlog() -> Fixture {
    let socket = TcpSocket::new_v4().expect("a socket");
    let any = "127.0.0.1:0".parse().expect("an address");
    socket.bind(any).expect("a free port");
    let listener = socket.listen(1).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let mut kept = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        kept.push(stream);
        assert!(kept.len() < 100, "a queue of one takes a hundred");
    }
    let target = Target::parse(&format!("http://{address}")).expect("a URL");
    Fixture {
        target,
        servers: Vec::new(),
        _kept: kept,
        _listener: Some(listener),
    }
}
