//! From a route to an open connection: resolve, check the addresses, connect, secure.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::limits::Limits;
use crate::net::deadline::{Clock, Deadline};
use crate::net::exchange::Facts;
use crate::net::link::Link;
use crate::net::peer::Peer;
use crate::net::route::{HttpVersion, Proxy, Route};
use crate::net::transport::{Channel, Transport};
use crate::net::wire::{Meter, Stream, Wire, micros};
use crate::trouble::{Cause, Trouble};

/// What opening a connection needs of the run.
#[derive(Clone, Copy)]
pub(crate) struct Reach<'a> {
    pub(crate) transport: &'a dyn Transport,
    pub(crate) limits: &'a Limits,
}

/// Opens an HTTP connection, noting each phase.
pub(crate) async fn open(
    reach: Reach<'_>,
    route: &Route,
    clock: Clock,
    facts: &mut Facts,
) -> Result<Link, Trouble> {
    // A plain request goes to a proxy in absolute form and needs no tunnel.
    let https = route.origin.https;
    let (stream, peer) = open_stream(reach, route, https, https, clock, facts).await?;
    let is_http2 = match &stream {
        Stream::Plain(_) => route.access.http == HttpVersion::Http2,
        Stream::Tls(stream) => {
            let (_, session) = stream.get_ref();
            session.alpn_protocol() == Some(b"h2")
        }
    };
    if route.access.http == HttpVersion::Http2 && !is_http2 {
        let message = "HTTP/2 was asked for, and the service did not agree to it in TLS";
        return Err(Trouble::new(Cause::Protocol, message));
    }
    let meter = Meter::new();
    let wire = Wire::new(stream, Arc::clone(&meter));
    let tls = facts.tls.clone();
    let opening = Link::new(wire, meter, is_http2, peer, tls, reach.limits);
    let phase = Deadline::after(Instant::now(), reach.limits.first_byte_ms, "first_byte_ms");
    clock
        .within(phase, Cause::Timeout, "beginning of HTTP", opening)
        .await?
}

/// Opens a stream of bytes; secured, and through a tunnel where there is a proxy, if asked for.
pub(crate) async fn open_stream(
    reach: Reach<'_>,
    route: &Route,
    secure: bool,
    tunnelled: bool,
    clock: Clock,
    facts: &mut Facts,
) -> Result<(Stream, Peer), Trouble> {
    let limits = reach.limits;
    // The roots are read before anyone is connected to.
    let tls = if secure { Some(route.tls()?) } else { None };
    let begun = Instant::now();
    let phase = Deadline::after(begun, limits.connect_ms, "connect_ms");
    let peers = clock
        .within(phase, Cause::Resolve, "address", peers(reach, route))
        .await??;
    facts.timings.resolve_us = Some(micros(begun.elapsed()));

    let before = Instant::now();
    let (mut channel, peer) = clock
        .within(
            phase,
            Cause::Connect,
            "connection",
            connect_any(reach.transport, &peers, phase, facts),
        )
        .await??;
    facts.peer = Some(peer.clone());
    if let Some(proxy) = &route.access.proxy
        && tunnelled
    {
        let tunnel = tunnel(&mut channel, proxy, route, limits);
        clock
            .within(phase, Cause::Connect, "answer of the proxy", tunnel)
            .await??;
    }
    facts.timings.connect_us = Some(micros(before.elapsed()));
    let Some(tls) = tls else {
        return Ok((Stream::Plain(channel), peer));
    };
    let before = Instant::now();
    let phase = Deadline::after(before, limits.tls_ms, "tls_ms");
    let (stream, tls_facts) = clock
        .within(
            phase,
            Cause::Timeout,
            "TLS handshake",
            tls.handshake(channel),
        )
        .await??;
    facts.timings.tls_us = Some(micros(before.elapsed()));
    facts.tls = tls_facts;
    Ok((Stream::Tls(Box::new(stream)), peer))
}

/// What may be connected to, in the order in which it is tried.
async fn peers(reach: Reach<'_>, route: &Route) -> Result<Vec<Peer>, Trouble> {
    let access = &route.access;
    if let Some(path) = &access.unix_socket {
        return Ok(vec![Peer::Unix(path.clone())]);
    }
    if let Some(address) = access.connect_to.filter(|_| access.proxy.is_none()) {
        return may_ask(route, vec![address]);
    }
    let (host, port) = match &access.proxy {
        Some(proxy) => (&proxy.host, proxy.port),
        None => (&route.origin.host, route.origin.port),
    };
    if access.proxy.is_none() && !access.resolve.is_empty() {
        let named = access.resolve.iter();
        return may_ask(route, named.map(|ip| SocketAddr::new(*ip, port)).collect());
    }
    may_ask(route, resolve(reach, host, port).await?)
}

/// All addresses of a host, as many as are tried.
pub(crate) async fn resolve(
    reach: Reach<'_>,
    host: &str,
    port: u16,
) -> Result<Vec<SocketAddr>, Trouble> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let fail = |why: &str| Trouble::new(Cause::Resolve, format!("`{host}` has no address{why}"));
    let mut found = reach
        .transport
        .resolve(host, port)
        .await
        .map_err(|error| fail(&format!(": {error}")))?;
    if found.is_empty() {
        return Err(fail(""));
    }
    found.truncate(reach.limits.addresses_max.max(1));
    Ok(found)
}

fn may_ask(route: &Route, found: Vec<SocketAddr>) -> Result<Vec<Peer>, Trouble> {
    let first = found.first().copied();
    let allowed: Vec<Peer> = found
        .into_iter()
        .filter(|address| route.may_ask(address.ip()))
        .map(Peer::Tcp)
        .collect();
    match first {
        Some(first) if allowed.is_empty() => {
            let message = format!(
                "{} is a link-local or metadata address and was not asked; allow it if it is meant",
                first.ip()
            );
            Err(Trouble::new(Cause::RefusedAddress, message))
        }
        _ => Ok(allowed),
    }
}

/// Connects to the first address that answers. Each gets an equal share of the time left, so
/// that one that swallows packets does not use up the others' time.
async fn connect_any(
    transport: &dyn Transport,
    peers: &[Peer],
    phase: Deadline,
    facts: &mut Facts,
) -> Result<(Box<dyn Channel>, Peer), Trouble> {
    let mut reasons = Vec::new();
    let mut cause = Cause::Connect;
    for (done, peer) in peers.iter().enumerate() {
        facts.peer = Some(peer.clone());
        let left = u32::try_from(peers.len() - done).unwrap_or(u32::MAX);
        let share = phase.at().saturating_duration_since(Instant::now()) / left;
        match tokio::time::timeout(share, transport.connect(peer)).await {
            Ok(Ok(channel)) => return Ok((channel, peer.clone())),
            Ok(Err(error)) if out_of_descriptors(&error) => {
                return Err(Trouble::new(Cause::Local, format!("no socket: {error}")));
            }
            Ok(Err(error)) => {
                if error.kind() == io::ErrorKind::ConnectionReset {
                    // A connection that is refused is not reset: this one was made. Whether it is
                    // seen here or when it is used is chance, and must not decide the verdict.
                    cause = Cause::Closed;
                }
                reasons.push(format!("{peer}: {error}"));
            }
            Err(_) => reasons.push(format!("{peer}: no answer")),
        }
    }
    let message = format!("no connection: {}", reasons.join("; "));
    Err(Trouble::new(cause, message))
}

/// `EMFILE` and `ENFILE`, for which `io::ErrorKind` has no stable name.
fn out_of_descriptors(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

/// Asks a proxy for a tunnel (RFC 9110, section 9.3.6).
async fn tunnel(
    channel: &mut Box<dyn Channel>,
    proxy: &Proxy,
    route: &Route,
    limits: &Limits,
) -> Result<(), Trouble> {
    let place = match route.access.connect_to {
        Some(address) => address.to_string(),
        None => route.origin.host_and_port(),
    };
    let mut request = format!("CONNECT {place} HTTP/1.1\r\nhost: {place}\r\n");
    if let Some(value) = &proxy.authorization {
        request.push_str(&format!("proxy-authorization: {}\r\n", value.expose()));
    }
    request.push_str("\r\n");
    let fail = |why: String| {
        let Proxy { host, port, .. } = proxy;
        Trouble::new(Cause::Connect, format!("the proxy {host}:{port} {why}"))
    };
    let broken = |error: io::Error| fail(format!("gave no tunnel: {error}"));
    channel
        .write_all(request.as_bytes())
        .await
        .map_err(broken)?;
    let mut head = Vec::new();
    // One byte at a time: what comes after the head belongs to the tunnel.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= limits.header_bytes_max {
            return Err(fail("sent an endless head".to_owned()));
        }
        head.push(channel.read_u8().await.map_err(broken)?);
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let status = line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|status| status.parse::<u16>().ok());
    match status {
        Some(200..=299) => Ok(()),
        Some(status) => Err(fail(format!("refused a tunnel to {place} with {status}"))),
        None => Err(fail("did not answer in HTTP/1.1".to_owned())),
    }
}
