//! From a target to an open connection: resolve, check the addresses, connect, secure.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::Poll;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::limits::Limits;
use crate::net::deadline::{Clock, Deadline};
use crate::net::exchange::Facts;
use crate::net::tls::{Tls, TlsFacts};
use crate::net::wire::{Meter, Stream, Wire, micros};
use crate::target::Target;
use crate::trouble::{Cause, Trouble, chain};

/// An open HTTP/1.1 connection. It is driven by whoever waits on it, and by no other task: what
/// is dropped stops at once.
pub(crate) struct Link {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    connection: Connection<TokioIo<Wire>, Full<Bytes>>,
    finished: bool,
    informational_max: u32,
    pub(crate) meter: Arc<Meter>,
    pub(crate) peer: SocketAddr,
    pub(crate) tls: Option<TlsFacts>,
}

impl Link {
    /// Runs the connection until `future` is done.
    pub(crate) async fn drive<F: Future>(&mut self, future: F) -> Result<F::Output, Trouble> {
        let mut future = pin!(future);
        core::future::poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            if !self.finished && Pin::new(&mut self.connection).poll(cx).is_ready() {
                self.finished = true;
            }
            if self.meter.informational() > self.informational_max {
                let message = format!(
                    "more than {} interim (1xx) answers came before the final one",
                    self.informational_max
                );
                return Poll::Ready(Err(Trouble::new(Cause::Limit, message)));
            }
            future.as_mut().poll(cx).map(Ok)
        })
        .await
    }

    /// Runs the connection as far as it goes without waiting; whether it can be used again.
    pub(crate) async fn settle(&mut self) -> bool {
        core::future::poll_fn(|cx| {
            if !self.finished && Pin::new(&mut self.connection).poll(cx).is_ready() {
                self.finished = true;
            }
            Poll::Ready(())
        })
        .await;
        !self.finished && self.sender.is_ready()
    }

    /// Ends the connection; how many bytes came after the end of the last answer.
    pub(crate) fn close(self) -> usize {
        self.connection.into_parts().read_buf.len()
    }
}

/// Opens a connection to the target, noting each phase.
pub(crate) async fn open(
    target: &Target,
    tls: Option<&Tls>,
    limits: &Limits,
    clock: Clock,
    facts: &mut Facts,
) -> Result<Link, Trouble> {
    let phase = Deadline::after(clock.start, limits.connect_ms, "connect_ms");
    let addresses = clock
        .within(phase, Cause::Resolve, "address", resolve(target, limits))
        .await??;
    facts.timings.resolve_us = Some(micros(clock.start.elapsed()));

    let before = Instant::now();
    let tcp = clock
        .within(
            phase,
            Cause::Connect,
            "connection",
            connect_any(&addresses, phase, facts),
        )
        .await??;
    facts.timings.connect_us = Some(micros(before.elapsed()));
    let peer = tcp
        .peer_addr()
        .map_err(|error| Trouble::new(Cause::Connect, format!("the peer is gone: {error}")))?;
    facts.peer = Some(peer);
    // Delaying small segments would only show up as latency of the service.
    let _unneeded = tcp.set_nodelay(true);

    let (stream, tls_facts) = match tls {
        None => (Stream::Plain(tcp), None),
        Some(tls) => {
            let before = Instant::now();
            let phase = Deadline::after(before, limits.tls_ms, "tls_ms");
            let (stream, tls_facts) = clock
                .within(phase, Cause::Timeout, "TLS handshake", tls.handshake(tcp))
                .await??;
            facts.timings.tls_us = Some(micros(before.elapsed()));
            (Stream::Tls(Box::new(stream)), tls_facts)
        }
    };
    facts.tls.clone_from(&tls_facts);
    let meter = Meter::new();
    let wire = TokioIo::new(Wire::new(stream, Arc::clone(&meter)));
    let (sender, connection) = Builder::new()
        .max_headers(limits.header_count_max)
        .max_header_size(limits.header_bytes_max)
        .max_buf_size(limits.header_bytes_max.max(BUFFER_BYTES_MIN))
        .handshake(wire)
        .await
        .map_err(|error| Trouble::new(Cause::Protocol, chain(&error)))?;
    Ok(Link {
        sender,
        connection,
        finished: false,
        informational_max: limits.informational_max,
        meter,
        peer,
        tls: tls_facts,
    })
}

/// The smallest read buffer that hyper takes.
const BUFFER_BYTES_MIN: usize = 8 * 1024;

/// The addresses that may be asked, in the resolver's order.
async fn resolve(target: &Target, limits: &Limits) -> Result<Vec<SocketAddr>, Trouble> {
    let host = target.host();
    let found: Vec<SocketAddr> = if let Some(address) = target.connect_address() {
        vec![address]
    } else if let Ok(address) = host.parse::<IpAddr>() {
        vec![SocketAddr::new(address, target.port())]
    } else {
        tokio::net::lookup_host((host, target.port()))
            .await
            .map_err(|error| {
                Trouble::new(Cause::Resolve, format!("`{host}` has no address: {error}"))
            })?
            .take(limits.addresses_max)
            .collect()
    };
    let Some(first) = found.first().copied() else {
        return Err(Trouble::new(
            Cause::Resolve,
            format!("`{host}` has no address"),
        ));
    };
    let allowed: Vec<SocketAddr> = found
        .into_iter()
        .filter(|address| target.may_ask(address.ip()))
        .collect();
    if allowed.is_empty() {
        let message = format!(
            "{} is a link-local or metadata address and was not asked; allow it if it is meant",
            first.ip()
        );
        return Err(Trouble::new(Cause::RefusedAddress, message));
    }
    Ok(allowed)
}

/// Connects to the first address that answers. Each gets an equal share of the time left, so
/// that one that swallows packets does not use up the others' time.
async fn connect_any(
    addresses: &[SocketAddr],
    phase: Deadline,
    facts: &mut Facts,
) -> Result<TcpStream, Trouble> {
    let mut reasons = Vec::new();
    for (done, &address) in addresses.iter().enumerate() {
        facts.peer = Some(address);
        let left = u32::try_from(addresses.len() - done).unwrap_or(u32::MAX);
        let share = phase.at().saturating_duration_since(Instant::now()) / left;
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) if out_of_descriptors(&error) => {
                return Err(Trouble::new(Cause::Local, format!("no socket: {error}")));
            }
            Ok(Err(error)) => reasons.push(format!("{address}: {error}")),
            Err(_) => reasons.push(format!("{address}: no answer")),
        }
    }
    Err(Trouble::new(
        Cause::Connect,
        format!("no connection: {}", reasons.join("; ")),
    ))
}

/// `EMFILE` and `ENFILE`, for which `io::ErrorKind` has no stable name.
fn out_of_descriptors(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}
