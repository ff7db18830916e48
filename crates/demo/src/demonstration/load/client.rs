//! One request at a time over kept connections, each sent once, with what became of it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::ledger::{Entry, Loss};
use crate::demonstration::VERSION_HEADER;

/// The header in which the router names the arm that it chose.
pub(super) const ARM_HEADER: &str = "x-nonevent-arm";
/// The longest answer read.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest name of a version or an arm that is written down.
const NAME_BYTES_MAX: usize = 64;

/// A request that is due.
#[derive(Debug, Clone)]
pub(super) struct Due {
    pub(super) sequence: u64,
    pub(super) at: Instant,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Bytes,
    pub(super) cookie: Option<HeaderValue>,
    /// A good answer's body has this in it, and the name of its version.
    pub(super) expects: Option<String>,
}

impl Due {
    pub(super) fn get(sequence: u64, at: Instant, path: &str) -> Due {
        Due {
            sequence,
            at,
            method: Method::GET,
            path: path.to_owned(),
            body: Bytes::new(),
            cookie: None,
            expects: None,
        }
    }

    /// The entry of a request that came to `loss` before it was written anywhere.
    pub(super) fn unsent(&self, loss: Loss) -> Entry {
        Entry {
            sequence: self.sequence,
            sent_at_ms: epoch_ms(),
            late_ms: whole_ms(self.at.elapsed()),
            method: self.method.to_string(),
            path: self.path.clone(),
            status: None,
            loss: Some(loss),
            version: None,
            arm: None,
            latency_us: 0,
        }
    }
}

/// A request that is over.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) entry: Entry,
    /// Empty if no answer came.
    pub(super) headers: HeaderMap,
    /// Empty if no whole answer came.
    pub(super) body: Bytes,
}

/// Sends to one address.
#[derive(Debug)]
pub(super) struct Client {
    address: SocketAddr,
    host: HeaderValue,
    request_timeout: Duration,
    /// How many connections are kept open between requests.
    connections: usize,
    idle: Mutex<VecDeque<Connection>>,
    open: Arc<AtomicUsize>,
    sequence: AtomicU64,
}

/// A connection, counted for as long as it is held.
#[derive(Debug)]
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    _open: Open,
}

#[derive(Debug)]
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Client {
    pub(super) fn new(
        address: SocketAddr,
        host: HeaderValue,
        connections: usize,
        request_timeout: Duration,
    ) -> Client {
        Client {
            address,
            host,
            request_timeout,
            connections,
            idle: Mutex::default(),
            open: Arc::default(),
            sequence: AtomicU64::new(0),
        }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) const fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    /// The next number in the ledger.
    pub(super) fn next_sequence(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }

    /// How many numbers were given out.
    pub(super) fn numbered(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// Sends `due` now and waits for its end, once, whatever that is.
    pub(super) async fn exchange(&self, due: Due) -> Exchange {
        let begun = Instant::now();
        let deadline = begun + self.request_timeout;
        let mut entry = due.unsent(Loss::Connect);
        let mut connection = match timeout_at(deadline, self.connection()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(())) | Err(_) => {
                entry.latency_us = whole_us(begun.elapsed());
                return Exchange {
                    entry,
                    headers: HeaderMap::new(),
                    body: Bytes::new(),
                };
            }
        };
        entry.sent_at_ms = epoch_ms();
        entry.late_ms = whole_ms(due.at.elapsed());
        entry.loss = None;
        let sent = Instant::now();
        let expects = due.expects.clone();
        let answer = connection.sender.send_request(self.request(due));
        let mut headers = HeaderMap::new();
        let mut body = Bytes::new();
        match timeout_at(deadline, answer).await {
            Err(_) => entry.loss = Some(Loss::Timeout),
            Ok(Err(error)) => entry.loss = Some(loss_of(&error)),
            Ok(Ok(answer)) => {
                entry.status = Some(answer.status().as_u16());
                entry.version = name_in(answer.headers(), VERSION_HEADER);
                entry.arm = name_in(answer.headers(), ARM_HEADER);
                headers = answer.headers().clone();
                match read(answer, deadline, expects.as_deref()).await {
                    Ok(whole) => body = whole,
                    Err(loss) => entry.loss = Some(loss),
                }
            }
        }
        entry.latency_us = whole_us(sent.elapsed());
        if entry.loss.is_none() {
            self.keep(connection);
        }
        Exchange {
            entry,
            headers,
            body,
        }
    }

    /// A connection that can take a request. One that was closed while it lay idle is replaced:
    /// nothing was written to it, so nothing is lost with it.
    async fn connection(&self) -> Result<Connection, ()> {
        while let Some(mut connection) = self.idle() {
            if connection.sender.ready().await.is_ok() {
                return Ok(connection);
            }
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        let open = Open(Arc::clone(&self.open));
        let stream = TcpStream::connect(self.address).await.map_err(drop)?;
        drop(stream.set_nodelay(true));
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(drop)?;
        tokio::spawn(async move {
            // Its end is seen by the request that was on it.
            drop(connection.await);
        });
        Ok(Connection {
            sender,
            _open: open,
        })
    }

    /// The connection that has lain idle longest. None while fewer are open than are to be
    /// kept, so that light traffic, too, goes over all of them.
    fn idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|connection| !connection.sender.is_closed());
        if self.open.load(Ordering::Relaxed) < self.connections {
            None
        } else {
            idle.pop_front()
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.connections && !connection.sender.is_closed() {
            idle.push_back(connection);
        }
    }

    fn request(&self, due: Due) -> Request<Full<Bytes>> {
        let is_order = due.method == Method::POST;
        let mut request = Request::new(Full::new(due.body));
        *request.method_mut() = due.method;
        // The configuration was checked: a path that is none would have been refused there.
        *request.uri_mut() = due.path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        if is_order {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(cookie) = due.cookie {
            headers.insert(COOKIE, cookie);
        }
        request
    }
}

/// Reads a whole body and holds it to what it must contain: the version that its head names,
/// and on success `expects`. An answer that was meant for another request fails this.
async fn read(
    answer: Response<Incoming>,
    deadline: Instant,
    expects: Option<&str>,
) -> Result<Bytes, Loss> {
    let version = answer.headers().get(VERSION_HEADER).cloned();
    let is_success = answer.status().is_success();
    let is_switch = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
    let body = Limited::new(answer.into_body(), BODY_BYTES_MAX).collect();
    let body = match timeout_at(deadline, body).await {
        Err(_) => return Err(Loss::Timeout),
        Ok(Err(_)) => return Err(Loss::BrokenBody),
        Ok(Ok(body)) => body.to_bytes(),
    };
    let names_version = version.is_none_or(|version| contains(&body, version.as_bytes()));
    let as_expected = expects.is_none_or(|expects| contains(&body, expects.as_bytes()));
    if is_switch || (names_version && (as_expected || !is_success)) {
        Ok(body)
    } else {
        Err(Loss::BrokenBody)
    }
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    part.is_empty() || body.windows(part.len()).any(|window| window == part)
}

fn loss_of(error: &hyper::Error) -> Loss {
    if error.is_parse() || error.is_parse_too_large() {
        Loss::Protocol
    } else {
        Loss::Reset
    }
}

/// A header's value, cut to a length that a ledger can take.
pub(super) fn name_in(headers: &HeaderMap, header: &str) -> Option<String> {
    let text = headers.get(header)?.to_str().ok()?;
    let cut = text.get(..NAME_BYTES_MAX).unwrap_or(text);
    (!cut.is_empty()).then(|| cut.to_owned())
}

pub(super) fn epoch_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn whole_ms(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

pub(super) fn whole_us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
