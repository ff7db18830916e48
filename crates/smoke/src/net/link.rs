//! An open HTTP connection, driven by whoever waits on it.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use http::Request;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};

use crate::limits::Limits;
use crate::net::certificate::TlsFacts;
use crate::net::peer::Peer;
use crate::net::wire::{Meter, Wire};
use crate::trouble::{Cause, Trouble, chain};

type Body = Full<Bytes>;
type Io = TokioIo<Wire>;

/// An open connection. It is driven by whoever waits on it, and by no other task: what is dropped
/// stops at once.
pub(crate) struct Link {
    engine: Engine,
    finished: bool,
    informational_max: u32,
    wire_bytes_max: u64,
    pub(crate) meter: Arc<Meter>,
    pub(crate) peer: Peer,
    pub(crate) tls: Option<TlsFacts>,
}

enum Engine {
    Http1 {
        sender: http1::SendRequest<Body>,
        connection: Box<http1::Connection<Io, Body>>,
    },
    Http2 {
        sender: http2::SendRequest<Body>,
        connection: Box<http2::Connection<Io, Body, Tasks>>,
        tasks: Tasks,
    },
}

impl Link {
    /// Speaks HTTP over an open stream.
    pub(crate) async fn new(
        wire: Wire,
        meter: Arc<Meter>,
        is_http2: bool,
        peer: Peer,
        tls: Option<TlsFacts>,
        limits: &Limits,
    ) -> Result<Link, Trouble> {
        let io = TokioIo::new(wire);
        let bad = |error: hyper::Error| Trouble::new(Cause::Protocol, chain(&error));
        let engine = if is_http2 {
            let tasks = Tasks::default();
            let header_bytes = u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX);
            let (sender, connection) = http2::Builder::new(tasks.clone())
                .timer(TokioTimer::new())
                .max_header_list_size(header_bytes)
                .handshake(io)
                .await
                .map_err(bad)?;
            let connection = Box::new(connection);
            Engine::Http2 {
                sender,
                connection,
                tasks,
            }
        } else {
            let (sender, connection) = http1::Builder::new()
                .max_headers(limits.header_count_max)
                .max_header_size(limits.header_bytes_max)
                .max_buf_size(limits.header_bytes_max.max(BUFFER_BYTES_MIN))
                .handshake(io)
                .await
                .map_err(bad)?;
            let connection = Box::new(connection);
            Engine::Http1 { sender, connection }
        };
        Ok(Link {
            engine,
            finished: false,
            informational_max: limits.informational_max,
            wire_bytes_max: limits.wire_bytes_max,
            meter,
            peer,
            tls,
        })
    }

    pub(crate) fn is_http2(&self) -> bool {
        matches!(self.engine, Engine::Http2 { .. })
    }

    /// Sends a request; the future is to be given to [`Link::drive`].
    pub(crate) fn send(
        &mut self,
        request: Request<Body>,
    ) -> Pin<Box<dyn Future<Output = hyper::Result<http::Response<Incoming>>> + Send>> {
        match &mut self.engine {
            Engine::Http1 { sender, .. } => Box::pin(sender.send_request(request)),
            Engine::Http2 { sender, .. } => Box::pin(sender.send_request(request)),
        }
    }

    /// Runs the connection until `future` is done.
    pub(crate) async fn drive<F: Future>(&mut self, future: F) -> Result<F::Output, Trouble> {
        let mut future = pin!(future);
        core::future::poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            self.advance(cx);
            if let Some(trouble) = self.too_much() {
                return Poll::Ready(Err(trouble));
            }
            future.as_mut().poll(cx).map(Ok)
        })
        .await
    }

    /// Runs the connection as far as it goes without waiting; whether it can be used again.
    pub(crate) async fn settle(&mut self) -> bool {
        core::future::poll_fn(|cx| {
            self.advance(cx);
            Poll::Ready(())
        })
        .await;
        !self.finished
            && match &self.engine {
                Engine::Http1 { sender, .. } => sender.is_ready(),
                Engine::Http2 { sender, .. } => sender.is_ready(),
            }
    }

    /// Ends the connection; how many bytes came after the end of the last answer.
    pub(crate) fn close(self) -> usize {
        match self.engine {
            Engine::Http1 { connection, .. } => connection.into_parts().read_buf.len(),
            // Its frames say to which answer they belong.
            Engine::Http2 { .. } => 0,
        }
    }

    fn advance(&mut self, cx: &mut Context<'_>) {
        let finished = match &mut self.engine {
            Engine::Http1 { connection, .. } => {
                !self.finished && Pin::new(connection.as_mut()).poll(cx).is_ready()
            }
            Engine::Http2 {
                connection, tasks, ..
            } => {
                tasks.poll(cx);
                let finished = !self.finished && Pin::new(connection.as_mut()).poll(cx).is_ready();
                // What the connection has just begun.
                tasks.poll(cx);
                finished
            }
        };
        self.finished |= finished;
    }

    fn too_much(&self) -> Option<Trouble> {
        if self.meter.informational() > self.informational_max {
            let message = format!(
                "more than {} interim (1xx) answers came before the final one (informational_max)",
                self.informational_max
            );
            return Some(Trouble::new(Cause::Limit, message));
        }
        let max = self.wire_bytes_max;
        (self.meter.received_bytes() > max).then(|| {
            let message = format!("over {max} bytes came for one request (wire_bytes_max)");
            Trouble::new(Cause::Limit, message)
        })
    }
}

/// The smallest read buffer that hyper takes.
const BUFFER_BYTES_MIN: usize = 8 * 1024;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The tasks that hyper starts for an HTTP/2 connection, kept with the connection instead of being
/// given to the runtime, so that they end when it does.
#[derive(Clone, Default)]
struct Tasks {
    begun: Arc<Mutex<Vec<Task>>>,
    running: Arc<Mutex<FuturesUnordered<Task>>>,
}

impl Tasks {
    fn poll(&self, cx: &mut Context<'_>) {
        // Only the one link polls, and a task that begins another reaches only `begun`.
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let begun = {
                let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
                core::mem::take(&mut *begun)
            };
            let nothing_new = begun.is_empty();
            running.extend(begun);
            while let Poll::Ready(Some(())) = running.poll_next_unpin(cx) {}
            if nothing_new {
                return;
            }
        }
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.push(Box::pin(task));
    }
}
