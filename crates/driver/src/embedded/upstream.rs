//! One instance behind the router, and the kept-alive connections to it.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use nonevent_router::{Arm, Backend, BackendState};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::config::EmbeddedLimits;
use super::metered::{Metered, Traffic};
use super::request_body::RequestBody;
use super::tally::UpstreamTally;

/// A kept-alive connection idle for less than this is used for any request. One idle for longer
/// may be closed by the server at the very moment it is used, so it only gets requests that can
/// be sent again.
const SURELY_OPEN: Duration = Duration::from_secs(1);

/// How long a connection may take to become reusable after its answer has ended.
const SETTLE: Duration = Duration::from_secs(1);

/// One instance behind the router.
pub(super) struct Upstream {
    pub(super) id: String,
    pub(super) arm: Arm,
    pub(super) address: SocketAddr,
    pub(super) tally: UpstreamTally,
    draining: AtomicBool,
    idle: Mutex<Vec<IdleConnection>>,
}

/// An open connection to an instance.
pub(super) struct Connection {
    pub(super) sender: SendRequest<RequestBody>,
    pub(super) traffic: Arc<Traffic>,
    /// Whether a request was answered on it before.
    pub(super) reused: bool,
}

struct IdleConnection {
    connection: Connection,
    since: Instant,
}

impl Upstream {
    pub(super) fn new(arm: Arm, id: &str, address: SocketAddr) -> Upstream {
        Upstream {
            id: id.to_owned(),
            arm,
            address,
            tally: UpstreamTally::default(),
            draining: AtomicBool::new(false),
            idle: Mutex::default(),
        }
    }

    pub(super) fn is(&self, arm: Arm, backend: &Backend, address: SocketAddr) -> bool {
        self.arm == arm && self.address == address && self.id == backend.id
    }

    pub(super) fn state(&self) -> BackendState {
        BackendState {
            id: self.id.clone(),
            address: self.address.to_string(),
            arm: self.arm,
            draining: self.draining.load(Ordering::Acquire),
            requests: self.tally.requests.load(Ordering::Relaxed),
            failures: self.tally.failures.load(Ordering::Relaxed),
            in_flight: self.tally.in_flight.load(Ordering::Acquire),
            upgraded: self.tally.upgraded.load(Ordering::Acquire),
        }
    }

    /// Whether it holds no request and no tunnel.
    pub(super) fn is_idle(&self) -> bool {
        self.tally.in_flight.load(Ordering::Acquire) == 0
            && self.tally.upgraded.load(Ordering::Acquire) == 0
    }

    /// Says whether the instance gets new requests. One that does not keeps no idle connections.
    pub(super) fn set_draining(&self, draining: bool) {
        let mut idle = self.idle();
        self.draining.store(draining, Ordering::Release);
        if draining {
            idle.clear();
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<IdleConnection>> {
        // The critical sections below cannot leave the list half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes kept-alive connections that were idle for too long.
    pub(super) fn close_expired(&self, limits: &EmbeddedLimits) {
        retain_fit(&mut self.idle(), limits);
    }

    /// A kept-alive connection, if one is fit for a request that can (`repeatable`) or cannot be
    /// sent again.
    pub(super) fn kept_alive(
        &self,
        repeatable: bool,
        limits: &EmbeddedLimits,
    ) -> Option<Connection> {
        let mut idle = self.idle();
        retain_fit(&mut idle, limits);
        // The newest is last, and is the likeliest to be open.
        let fit = idle.last().is_some_and(|kept| {
            kept.connection.sender.is_ready() && (repeatable || kept.since.elapsed() < SURELY_OPEN)
        });
        fit.then(|| idle.pop())
            .flatten()
            .map(|kept| kept.connection)
    }

    /// A new connection. An error means that no byte of a request has been sent.
    pub(super) async fn connect(&self, limits: &EmbeddedLimits) -> io::Result<Connection> {
        let stream = timeout(limits.connect(), TcpStream::connect(self.address))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time"))??;
        // On loopback a connection to an unused port can meet itself: source and destination are
        // then the same, and the "answer" would be our own request.
        if stream.local_addr()? == stream.peer_addr()? {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        stream.set_nodelay(true)?;
        let stream = Metered::new(stream, limits.write_stall());
        let traffic = stream.traffic();
        let mut builder = Builder::new();
        builder.max_header_size(limits.header_bytes_max);
        if limits.headers_max != 100 {
            // Setting even the default costs an allocation per answer.
            builder.max_headers(limits.headers_max);
        }
        let (sender, connection) = builder
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        // Its errors are told to whoever waits for the answer.
        tokio::spawn(connection.with_upgrades());
        Ok(Connection {
            sender,
            traffic,
            reused: false,
        })
    }

    /// Keeps a connection whose answer has ended, if it can be used again.
    pub(super) fn keep(self: &Arc<Self>, connection: Connection, limits: &EmbeddedLimits) {
        if connection.sender.is_closed() {
            return;
        }
        if connection.sender.is_ready() {
            self.push(connection, limits.upstream_idle_max);
            return;
        }
        // The connection's own task has not yet seen the end, or the request's body is still
        // being sent.
        let (upstream, idle_max) = (Arc::clone(self), limits.upstream_idle_max);
        tokio::spawn(async move {
            let mut connection = connection;
            if let Ok(Ok(())) = timeout(SETTLE, connection.sender.ready()).await {
                upstream.push(connection, idle_max);
            }
        });
    }

    fn push(&self, mut connection: Connection, idle_max: usize) {
        connection.reused = true;
        let mut idle = self.idle();
        if idle.len() < idle_max && !self.draining.load(Ordering::Acquire) {
            idle.push(IdleConnection {
                connection,
                since: Instant::now(),
            });
        }
    }
}

fn retain_fit(idle: &mut Vec<IdleConnection>, limits: &EmbeddedLimits) {
    idle.retain(|kept| {
        !kept.connection.sender.is_closed() && kept.since.elapsed() < limits.upstream_idle()
    });
}
