//! The flag server over real connections: what its protocol answers is tested without them.

mod sources;
mod streams;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nonevent_document::{Secret, Timestamp};
use nonevent_driver::{
    DriverErrorKind, FlagPlace, FlagServer, FlagServerConfig, FlagServerLimits, FlagSource,
    KeptFlags, Looked,
};
use nonevent_flags::LoadOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(20);
const ONE: &str = r#"{"flags":{"dark":true}}"#;
const TWO: &str = r#"{"flags":{"dark":false,"more":"yes"}}"#;

struct Running {
    address: SocketAddr,
    path: PathBuf,
    looks: mpsc::UnboundedReceiver<String>,
    end: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
    _dir: tempfile::TempDir,
}

fn config(limits: FlagServerLimits) -> FlagServerConfig {
    FlagServerConfig {
        listen: "127.0.0.1:0".parse().expect("an address"),
        tokens: Vec::new(),
        origins: Vec::new(),
        limits,
    }
}

async fn kept(path: &Path) -> KeptFlags {
    let source = FlagSource {
        place: FlagPlace::Path(path.to_owned()),
        options: LoadOptions::default(),
    };
    KeptFlags::open(source, Timestamp::from_unix_ms(0))
        .await
        .expect("flags")
        .0
}

async fn start(limits: FlagServerLimits) -> Running {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("flags.json");
    fs::write(&path, ONE).expect("written");
    let server = FlagServer::bind(config(limits), kept(&path).await)
        .await
        .expect("it works");
    let address = server.address();
    let (end, ended) = oneshot::channel::<()>();
    let (said, looks) = mpsc::unbounded_channel();
    let task = tokio::spawn(server.serve(
        async {
            let _ = ended.await;
        },
        move |looked| {
            let word = match looked {
                Looked::Unchanged => "unchanged",
                Looked::Reloaded { .. } => "reloaded",
                Looked::Refused(_) => "refused",
            };
            let _ = said.send(word.to_owned());
        },
    ));
    Running {
        address,
        path,
        looks,
        end: Some(end),
        task,
        _dir: dir,
    }
}

fn request(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn exchanged(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it works");
    stream.write_all(bytes).await.expect("it works");
    let mut answer = Vec::new();
    timeout(LONG, stream.read_to_end(&mut answer))
        .await
        .expect("an end")
        .expect("it works");
    String::from_utf8(answer).expect("it works")
}

async fn evaluated(address: SocketAddr, flag: &str) -> String {
    let path = format!("/ofrep/v1/evaluate/flags/{flag}");
    let body = r#"{"context":{"targetingKey":"user-7"}}"#;
    exchanged(address, request(&path, body).as_bytes()).await
}

#[tokio::test]
async fn flags_are_served_and_read_again_while_it_runs() {
    let limits = FlagServerLimits {
        look_ms: 5,
        ..FlagServerLimits::default()
    };
    let mut running = start(limits).await;
    let answer = evaluated(running.address, "dark").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(
        answer.ends_with(r#"{"key":"dark","value":true,"reason":"STATIC","variant":"on"}"#)
            || answer.contains(r#""value":true"#),
        "{answer}"
    );

    fs::write(&running.path, TWO).unwrap();
    let said = timeout(LONG, running.looks.recv()).await.unwrap();
    // A file that is written while it is looked at may be refused first.
    let said = match said.as_deref() {
        Some("refused") => timeout(LONG, running.looks.recv()).await.unwrap(),
        _ => said,
    };
    assert_eq!(said.as_deref(), Some("reloaded"));
    assert!(
        evaluated(running.address, "dark")
            .await
            .contains(r#""value":false"#)
    );

    fs::write(&running.path, "{").unwrap();
    let said = timeout(LONG, running.looks.recv()).await.unwrap();
    assert_eq!(said.as_deref(), Some("refused"));
    assert!(
        evaluated(running.address, "more")
            .await
            .contains(r#""value":"yes""#)
    );

    // What was begun is ended well; nothing new is taken.
    let mut open = TcpStream::connect(running.address).await.unwrap();
    let body = r#"{"context":{"targetingKey":""}}"#;
    let head = request("/ofrep/v1/evaluate/flags/dark", body);
    let head = head.replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
    let head = head.strip_suffix(body).unwrap();
    open.write_all(head.as_bytes()).await.unwrap();
    // The server says that it has begun.
    let mut begun = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    timeout(LONG, open.read_exact(&mut begun))
        .await
        .expect("an interim answer")
        .unwrap();
    drop(running.end.take());
    open.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(LONG, open.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    timeout(LONG, running.task).await.expect("an end").unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn each_limit_is_said_when_it_is_reached() {
    let limits = FlagServerLimits {
        body_bytes_max: 100,
        request_ms: 300,
        ..FlagServerLimits::default()
    };
    let running = start(limits).await;
    let at = "/ofrep/v1/evaluate/flags";
    let long = exchanged(running.address, request(at, &"x".repeat(101)).as_bytes()).await;
    assert!(long.starts_with("HTTP/1.1 413"), "{long}");
    let chunked = "POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n65\r\n";
    let long = format!("{chunked}{}\r\n0\r\n\r\n", "x".repeat(101));
    let long = exchanged(running.address, long.as_bytes()).await;
    assert!(long.starts_with("HTTP/1.1 413"), "{long}");
    let slow = "POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{";
    let slow = exchanged(running.address, slow.as_bytes()).await;
    assert!(slow.starts_with("HTTP/1.1 408"), "{slow}");
    let silent = exchanged(running.address, b"POST /").await;
    assert!(
        silent.is_empty() || silent.starts_with("HTTP/1.1 408"),
        "{silent}"
    );
    let head = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    // It may be cut off while it is sent.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(LONG, stream.read_to_end(&mut answer))
        .await
        .expect("an end");
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_back() {
    let limits = FlagServerLimits {
        connections_max: 2,
        request_ms: 3_000,
        ..FlagServerLimits::default()
    };
    let running = start(limits).await;
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(TcpStream::connect(running.address).await.unwrap());
    }
    let mut turned_away = 0;
    for mut stream in open {
        let mut answer = String::new();
        timeout(LONG, stream.read_to_string(&mut answer))
            .await
            .expect("an end")
            .unwrap();
        turned_away +=
            usize::from(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after"));
    }
    assert_eq!(turned_away, 2);
}

#[tokio::test]
async fn it_is_open_to_other_machines_only_with_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("flags.json");
    fs::write(&path, ONE).unwrap();
    let wide = || FlagServerConfig {
        listen: "0.0.0.0:0".parse().unwrap(),
        ..config(FlagServerLimits::default())
    };
    let refused = FlagServer::bind(wide(), kept(&path).await)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), DriverErrorKind::Input);
    for (token, origin) in [
        ("", "*"),
        ("two words", "*"),
        ("good", "shop"),
        ("good", "https://a/b"),
    ] {
        let config = FlagServerConfig {
            tokens: vec![Secret::new(token)],
            origins: vec![origin.to_owned()],
            ..wide()
        };
        let refused = FlagServer::bind(config, kept(&path).await)
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), DriverErrorKind::Input, "{token:?} {origin}");
    }
    let first = FlagServer::bind(config(FlagServerLimits::default()), kept(&path).await)
        .await
        .unwrap();
    let taken = FlagServerConfig {
        listen: first.address(),
        ..config(FlagServerLimits::default())
    };
    let refused = FlagServer::bind(taken, kept(&path).await)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), DriverErrorKind::Start);
}
