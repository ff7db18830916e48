//! The stream that tells of changes.

use std::fs;

use nonevent_driver::FlagServerLimits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{LONG, TWO, exchanged, request, start};

/// Reads until the text has this in it.
async fn until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut bytes = [0; 1024];
    while !text.contains(wanted) {
        let read = timeout(LONG, stream.read(&mut bytes)).await;
        let read = read.expect("in time").expect("it works");
        assert!(read > 0, "it ended without {wanted:?}: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    text
}

#[tokio::test]
async fn who_listens_is_told_of_changes_until_the_server_ends() {
    let limits = FlagServerLimits {
        look_ms: 5,
        stream_ms: 20,
        ..FlagServerLimits::default()
    };
    let mut running = start(limits).await;
    let body = r#"{"context":{"targetingKey":"user-7"}}"#;
    let all = exchanged(
        running.address,
        request("/ofrep/v1/evaluate/flags", body).as_bytes(),
    )
    .await;
    let at = all
        .find("/ofrep/v1/events?ticket=")
        .expect("where to listen");
    let place = all[at..].split('"').next().expect("an end");
    assert!(all.contains(r#""type":"sse""#), "{all}");

    let ask = |place: &str| format!("GET {place} HTTP/1.1\r\nhost: x\r\n\r\n");
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(ask(place).as_bytes()).await.unwrap();
    let head = until(&mut stream, "\n:\n\n").await;
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    // A sign of life comes by itself.
    until(&mut stream, ":\n\n").await;

    fs::write(&running.path, TWO).unwrap();
    let told = until(&mut stream, "refetchEvaluation").await;
    assert!(told.contains("event: message\nid: "), "{told}");
    assert!(
        told.contains(r#""etag":""#) && told.contains(r#""lastModified":"#),
        "{told}"
    );

    running.end.take().expect("it runs").send(()).unwrap();
    let mut rest = Vec::new();
    let ended = timeout(LONG, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the stream ends with the server");
    timeout(LONG, running.task).await.expect("in time").unwrap();
}

#[tokio::test]
async fn nobody_listens_without_the_ticket() {
    let mut running = start(FlagServerLimits::default()).await;
    // Without tokens whoever reaches it may.
    let open = "GET /ofrep/v1/events HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(open.as_bytes()).await.unwrap();
    until(&mut stream, ":\n\n").await;
    drop(stream);
    let post = request("/ofrep/v1/events", "");
    let answer = exchanged(running.address, post.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    running.end.take().expect("it runs").send(()).unwrap();
    timeout(LONG, running.task).await.expect("in time").unwrap();
}
