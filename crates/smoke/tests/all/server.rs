//! Servers of raw sockets, each in the test's own process on a free port.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nonevent_document::Timestamp;
use nonevent_smoke::{Options, Report, Suite, Target, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A server that ends, with all its connections, when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Hands each accepted connection, with its number from 0, to `serve`.
    pub(crate) async fn start<F, S>(serve: S) -> Server
    where
        F: Future<Output = ()> + Send + 'static,
        S: Fn(TcpStream, usize) -> F + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while open.try_join_next().is_some() {}
                open.spawn(serve(stream, count.fetch_add(1, Ordering::SeqCst)));
            }
        });
        Server {
            address,
            connections,
            task,
        }
    }

    /// Answers every request, on as many connections and as often on each as asked, with what
    /// `answer` says to the request's text and the connection's number.
    pub(crate) async fn http(
        answer: impl Fn(&str, usize) -> String + Send + Sync + 'static,
    ) -> Server {
        let answer = Arc::new(answer);
        Server::start(move |mut stream, number| {
            let answer = Arc::clone(&answer);
            async move {
                while let Some(request) = read_request(&mut stream).await {
                    let closes = request.contains("connection: close");
                    let reply = answer(&request, number);
                    if stream.write_all(reply.as_bytes()).await.is_err() || closes {
                        return;
                    }
                }
            }
        })
        .await
    }

    /// Connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn target(&self) -> Target {
        Target::parse(&format!("http://{}", self.address)).expect("an address is a URL's host")
    }
}

/// The text of one request, head and body; nothing at the end of the stream.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().expect("a length"));
            if body.len() >= length {
                return Some(text);
            }
        }
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => read.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

/// `HTTP/1.1 200 OK` with this body.
pub(crate) fn ok(body: &str) -> String {
    reply("200 OK", "", body)
}

/// A whole answer; `headers` are lines, each with its line break.
pub(crate) fn reply(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) fn options() -> Options {
    Options::started_at(Timestamp::from_unix_ms(1_767_607_200_000))
}

pub(crate) fn suite(text: &str) -> Suite {
    Suite::parse("smoke-tests.json", text.as_bytes()).expect("a suite without errors")
}

/// Runs without being cancelled or watched.
pub(crate) async fn run_suite(suite: &Suite, target: &Target, options: &Options) -> Report {
    run(suite, target, options, std::future::pending(), |_| {})
        .await
        .expect("a suite that can be run")
}
