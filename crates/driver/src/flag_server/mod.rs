//! A server of feature flags for whatever speaks OFREP 0.3, the OpenFeature Remote Evaluation
//! Protocol: one flag or all of them for a context, from files or a web server that are asked again
//! and again, and a stream that tells of changes.
//!
//! What is answered is decided without a socket or a clock, in `protocol`; `source` is where flags are
//! read from, `keeper` holds the last good ones; this file takes the connections.

mod keeper;
mod protocol;
mod source;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nonevent_document::{Digest, Secret};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, TryAcquireError, watch};
use tokio::time::{sleep, timeout};

pub use self::keeper::{Kept, KeptFlags, Looked};
use self::protocol::{Access, EVENTS, changed, refusal, stream};
pub use self::source::{FlagPlace, FlagSource, WebPlace};
use crate::clock::Clock;
use crate::error::{DriverError, DriverErrorKind};

/// How a flag server answers, and whom.
#[derive(Clone, Debug)]
pub struct FlagServerConfig {
    /// The address that it listens on; with port 0 any free one.
    pub listen: SocketAddr,
    /// Who knows one of these may ask, as `Authorization: Bearer` or `X-API-Key`. With none, whoever
    /// reaches it may, which only a loopback address is taken for.
    pub tokens: Vec<Secret>,
    /// Origins whose pages may ask, such as `https://shop.example`; `*` for all.
    pub origins: Vec<String>,
    /// What it takes at most.
    pub limits: FlagServerLimits,
}

/// What a flag server takes at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagServerLimits {
    /// Connections at the same time. One more is answered 429 and closed. 512.
    pub connections_max: usize,
    /// Bytes of a request's body. 256 KiB.
    pub body_bytes_max: usize,
    /// Bytes of a request's head. 16 KiB.
    pub header_bytes_max: usize,
    /// Milliseconds in which a head, and then a body, must have come. 10 000.
    pub request_ms: u64,
    /// Milliseconds between looks at the source. 1 000.
    pub look_ms: u64,
    /// Milliseconds between signs of life on a stream of changes. 15 000.
    pub stream_ms: u64,
    /// Milliseconds for open requests when it ends. 5 000.
    pub end_ms: u64,
}

impl Default for FlagServerLimits {
    fn default() -> FlagServerLimits {
        FlagServerLimits {
            connections_max: 512,
            body_bytes_max: 256 << 10,
            header_bytes_max: 16 << 10,
            request_ms: 10_000,
            look_ms: 1_000,
            stream_ms: 15_000,
            end_ms: 5_000,
        }
    }
}

/// How many bytes hyper needs for a head at least.
const HEADER_BYTES_MIN: usize = 8 << 10;
/// After a connection could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A server of feature flags that listens.
#[derive(Debug)]
pub struct FlagServer {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    flags: Arc<KeptFlags>,
    access: Access,
    limits: FlagServerLimits,
    clock: Clock,
    /// Counts the changes.
    changes: watch::Sender<u64>,
}

impl FlagServer {
    /// Listens. Requests are answered by [`FlagServer::serve`]. Whoever keeps the flags in an `Arc`
    /// can ask them for their usage meanwhile ([`Kept::usage`]).
    ///
    /// # Errors
    ///
    /// [`DriverErrorKind::Input`] if it would be open to other machines without a token, or an
    /// origin is not one; [`DriverErrorKind::Start`] if the address cannot be had.
    pub async fn bind(
        config: FlagServerConfig,
        flags: impl Into<Arc<KeptFlags>>,
    ) -> Result<FlagServer, DriverError> {
        if config.tokens.is_empty() && !config.listen.ip().is_loopback() {
            return Err(DriverError::new(
                DriverErrorKind::Input,
                format!(
                    "{} is reached from other machines, and no token is wanted of them: give a \
                     token, or listen on 127.0.0.1",
                    config.listen
                ),
            ));
        }
        let access = Access {
            tokens: tokens(&config.tokens)?,
            origins: origins(config.origins)?,
            ticket: ticket()?,
        };
        let start = |error: io::Error| {
            let text = format!("{} cannot be listened on: {error}", config.listen);
            DriverError::new(DriverErrorKind::Start, text)
        };
        let listener = TcpListener::bind(config.listen).await.map_err(start)?;
        let address = listener.local_addr().map_err(start)?;
        let shared = Arc::new(Shared {
            flags: flags.into(),
            access,
            limits: config.limits,
            clock: Clock::new(),
            changes: watch::Sender::new(0),
        });
        Ok(FlagServer {
            listener,
            address,
            shared,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `end` is done, and then what was begun, within
    /// [`FlagServerLimits::end_ms`]. Meanwhile the source is looked at, and `observe` and whoever
    /// listens are told whenever it was another than before.
    pub async fn serve(self, end: impl Future<Output = ()>, mut observe: impl FnMut(&Looked)) {
        let limits = self.shared.limits;
        let (ending, ended) = watch::channel(false);
        let places = Arc::new(Semaphore::new(limits.connections_max));
        let looks = async {
            loop {
                sleep(Duration::from_millis(limits.look_ms.max(1))).await;
                let looked = self.shared.flags.look(self.shared.clock.now()).await;
                if let Looked::Reloaded { .. } = looked {
                    self.shared.changes.send_modify(|changes| *changes += 1);
                }
                if !matches!(looked, Looked::Unchanged) {
                    observe(&looked);
                }
            }
        };
        tokio::select! {
            () = end => {}
            () = looks => {}
            () = take(&self.listener, &self.shared, &places, &ended) => {}
        }
        drop(self.listener);
        ending.send_replace(true);
        let all = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
        // What is not done by then is cut off by the end of the process.
        let _ = timeout(
            Duration::from_millis(limits.end_ms),
            places.acquire_many(all),
        )
        .await;
    }
}

/// 128 random bits, in hexadecimal.
fn ticket() -> Result<String, DriverError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        let text = format!("no random bits can be had: {error}");
        DriverError::new(DriverErrorKind::Start, text)
    })?;
    Ok(Digest::of(&bytes).hex()[..32].to_owned())
}

fn tokens(tokens: &[Secret]) -> Result<BTreeSet<Digest>, DriverError> {
    let digest = |token: &Secret| {
        let token = token.expose();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(DriverError::new(
                DriverErrorKind::Input,
                "a token is empty or has characters that no header may have: write letters, \
                 digits and ASCII punctuation",
            ));
        }
        Ok(Digest::of(token.as_bytes()))
    };
    tokens.iter().map(digest).collect()
}

fn origins(origins: Vec<String>) -> Result<Vec<String>, DriverError> {
    let is_origin = |text: &str| {
        let uri: Option<http::Uri> = text.parse().ok();
        text == "*"
            || uri.is_some_and(|uri| {
                let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
                is_web && uri.path() == "/" && uri.query().is_none() && !text.ends_with('/')
            })
    };
    match origins.iter().find(|origin| !is_origin(origin)) {
        None => Ok(origins),
        Some(bad) => Err(DriverError::new(
            DriverErrorKind::Input,
            format!("{bad:?} is no origin: write it as https://shop.example, or * for all"),
        )),
    }
}

async fn take(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    places: &Arc<Semaphore>,
    ended: &watch::Receiver<bool>,
) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(_) => {
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let place = match Arc::clone(places).try_acquire_owned() {
            Ok(place) => Some(place),
            Err(TryAcquireError::NoPermits) => None,
            Err(TryAcquireError::Closed) => return,
        };
        let (shared, ended) = (Arc::clone(shared), ended.clone());
        tokio::spawn(async move {
            match place {
                Some(place) => {
                    serve_one(stream, shared, ended).await;
                    drop(place);
                }
                None => turn_away(&stream),
            }
        });
    }
}

/// Says that there are too many, as far as that needs no waiting.
fn turn_away(stream: &TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\n\
        connection: close\r\ncontent-length: 0\r\n\r\n";
    // Whoever cannot be told finds the connection closed.
    let _ = stream.try_write(ANSWER);
}

async fn serve_one(stream: TcpStream, shared: Arc<Shared>, mut ended: watch::Receiver<bool>) {
    // Without it small answers may wait; that is no reason to refuse a client.
    let _ = stream.set_nodelay(true);
    let limits = shared.limits;
    let ending = ended.clone();
    let service = service_fn(move |request| {
        let (shared, ending) = (Arc::clone(&shared), ending.clone());
        async move {
            let answer = if request.uri().path() == EVENTS {
                listen(&shared, &request, ending)
            } else {
                answer(&shared, request)
                    .await
                    .map(|body| Either::Left(Full::new(body)))
            };
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.request_ms))
        .max_buf_size(limits.header_bytes_max.max(HEADER_BYTES_MIN))
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // An error here is a client that went away or spoke no HTTP.
        _ = connection.as_mut() => return,
        _ = ended.wait_for(|ended| *ended) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

type Body = Either<Full<Bytes>, Channel<Bytes>>;

/// A stream that tells of changes until the client goes or the server ends.
fn listen(
    shared: &Arc<Shared>,
    request: &Request<Incoming>,
    ended: watch::Receiver<bool>,
) -> http::Response<Body> {
    let answer = match shared.access.not_listening(request) {
        None => {
            let (sender, body) = Channel::new(1);
            let changes = shared.changes.subscribe();
            tokio::spawn(tell(Arc::clone(shared), sender, changes, ended));
            stream(Either::Right(body))
        }
        Some(answer) => answer.map(|body| Either::Left(Full::new(body))),
    };
    shared.access.shared_with_pages(request.headers(), answer)
}

async fn tell(
    shared: Arc<Shared>,
    mut sender: Sender<Bytes>,
    mut changes: watch::Receiver<u64>,
    mut ended: watch::Receiver<bool>,
) {
    let pause = Duration::from_millis(shared.limits.stream_ms.max(1));
    // A comment: it opens the stream, and finds out who has gone.
    const ALIVE: Bytes = Bytes::from_static(b":\n\n");
    let mut next = ALIVE;
    // An error is a client that is no longer there.
    while sender.send_data(next).await.is_ok() {
        next = tokio::select! {
            changed_now = changes.changed() => match changed_now {
                Ok(()) => changed(&shared.flags.current()),
                Err(_) => return,
            },
            () = sleep(pause) => ALIVE,
            _ = ended.wait_for(|ended| *ended) => return,
        };
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> http::Response<Bytes> {
    let (head, body) = request.into_parts();
    let limits = shared.limits;
    let body = Limited::new(body, limits.body_bytes_max).collect();
    let body = match timeout(Duration::from_millis(limits.request_ms), body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let text = format!("the body is over {} bytes", limits.body_bytes_max);
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, &text);
        }
        Ok(Err(_)) => {
            let text = "the body did not come whole";
            return refusal(StatusCode::BAD_REQUEST, text);
        }
        Err(_) => {
            let text = format!("the body did not come within {} ms", limits.request_ms);
            return refusal(StatusCode::REQUEST_TIMEOUT, &text);
        }
    };
    let kept = shared.flags.current();
    let request = Request::from_parts(head, body);
    shared.access.answer(&kept, &request, shared.clock.now())
}
