//! Servers, clients and a router for the tests, all in this process on free ports.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use nonevent_document::Digest;
use nonevent_driver::embedded::{EmbeddedConfig, EmbeddedLimits, EmbeddedRouter};
use nonevent_driver::{Router, RouterClient};
use nonevent_router::{Backend, Desired, Fence, Pools, Snapshot, Split};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) type Text = Full<Bytes>;

/// A server on a free port, gone when dropped.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    /// Connections accepted so far.
    pub(crate) connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Origin {
    /// Hands every connection to `serve`.
    pub(crate) async fn raw<F, S>(serve: S) -> Origin
    where
        S: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let mut served = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                served.spawn(serve(stream));
            }
        });
        Origin {
            address,
            connections,
            task,
        }
    }

    /// Answers every request with `answer`.
    pub(crate) async fn http<B, F, A>(answer: A) -> Origin
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Origin::raw(move |stream| {
            let answer = answer.clone();
            let service = hyper::service::service_fn(move |request| {
                let answer = answer(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            async move {
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .with_upgrades()
                    .await;
            }
        })
        .await
    }

    /// Answers every request with its own name.
    pub(crate) async fn named(name: &'static str) -> Origin {
        Origin::http(move |_| async move { Response::new(Text::from(name)) }).await
    }

    pub(crate) fn backend(&self, id: &str) -> Backend {
        backend(id, self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub(crate) fn backend(id: &str, address: SocketAddr) -> Backend {
    Backend {
        id: id.into(),
        address: address.to_string(),
    }
}

/// An address on which nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("bound")
}

/// A router in this process, cut off when dropped.
pub(crate) struct TestRouter {
    pub(crate) address: SocketAddr,
    pub(crate) client: RouterClient,
    pub(crate) dir: tempfile::TempDir,
    generation: std::sync::atomic::AtomicU64,
    pub(crate) task: JoinHandle<()>,
}

impl Drop for TestRouter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TestRouter {
    pub(crate) async fn start() -> TestRouter {
        TestRouter::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut EmbeddedLimits)) -> TestRouter {
        let dir = tempfile::tempdir().expect("a temporary folder");
        TestRouter::at(dir, None, change).await
    }

    /// With a state file of this name in `dir`.
    pub(crate) async fn kept(dir: tempfile::TempDir) -> TestRouter {
        TestRouter::at(dir, Some("router.json"), |_| {}).await
    }

    async fn at(
        dir: tempfile::TempDir,
        state_file: Option<&str>,
        change: impl FnOnce(&mut EmbeddedLimits),
    ) -> TestRouter {
        let listen = "127.0.0.1:0".parse().expect("an address");
        let mut config = EmbeddedConfig::new(listen, dir.path().join("control"));
        config.state_file = state_file.map(|name| dir.path().join(name));
        change(&mut config.limits);
        let client = RouterClient::new(&config.control);
        let router = EmbeddedRouter::bind(config).await.expect("bound");
        let address = router.listen();
        TestRouter {
            address,
            client,
            dir,
            generation: std::sync::atomic::AtomicU64::new(0),
            task: tokio::spawn(router.serve()),
        }
    }

    /// Puts a split and pools in force, with the next generation of epoch 1.
    pub(crate) async fn set(&self, canary: u16, stable: &[Backend], canaries: &[Backend]) {
        let split = Split::canary(canary).expect("a weight");
        self.client
            .apply(&self.desired(split, stable, canaries))
            .await
            .expect("accepted");
    }

    pub(crate) fn desired(
        &self,
        split: Split,
        stable: &[Backend],
        canaries: &[Backend],
    ) -> Desired {
        Desired {
            split,
            pools: Pools {
                stable: stable.to_vec(),
                canary: canaries.to_vec(),
            },
            plan: Digest::of(b"test"),
            fence: Fence {
                epoch: 1,
                generation: self.generation.fetch_add(1, Ordering::SeqCst) + 1,
            },
        }
    }

    pub(crate) async fn read(&self) -> Snapshot {
        self.client.read().await.expect("a snapshot")
    }

    /// Reads until `seen`, for at most five seconds: a counter follows its event by a moment.
    pub(crate) async fn read_until(&self, seen: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let mut left = 1_000;
        loop {
            let snapshot = self.read().await;
            if seen(&snapshot) {
                return snapshot;
            }
            assert!(left > 0, "not seen in five seconds: {snapshot:#?}");
            left -= 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Writes `request` on a new connection and reads until it is closed.
    pub(crate) async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = Vec::new();
        // A reset after the answer is an end, too.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }
}

/// A client with one kept-alive connection.
pub(crate) struct Client {
    sender: SendRequest<Text>,
}

/// A whole answer.
pub(crate) struct Whole {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Whole {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).await.expect("connected");
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("a handshake");
        tokio::spawn(connection.with_upgrades());
        Client { sender }
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<Whole, String> {
        self.sender.ready().await.map_err(|e| e.to_string())?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "shop.example")
            .body(Text::from(body.to_owned()))
            .expect("a request");
        let answer = self
            .sender
            .send_request(request)
            .await
            .map_err(|e| e.to_string())?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
        Ok(Whole {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    pub(crate) async fn get(&mut self, path: &str) -> Whole {
        self.send("GET", path, "").await.expect("an answer")
    }
}

/// Reads from a stream until what was read contains `end`.
pub(crate) async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(end) {
        let bytes = stream.read(&mut buffer).await.expect("readable");
        assert!(bytes > 0, "ended before `{end}`: {text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..bytes]));
    }
    text
}
