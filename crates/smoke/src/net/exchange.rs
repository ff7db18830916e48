//! One request and its answer on an open connection.

use core::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::limits::Limits;
use crate::net::connect::Link;
use crate::net::deadline::{Clock, Deadline};
use crate::net::tls::TlsFacts;
use crate::net::wire::micros;
use crate::trouble::{Cause, Trouble, chain};

/// How long each phase of an attempt took, in microseconds; a phase that was not finished, or
/// not needed on a reused connection, is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Timings {
    /// Finding the addresses of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve_us: Option<u64>,
    /// Connecting, over all addresses tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_us: Option<u64>,
    /// The TLS handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_us: Option<u64>,
    /// From sending the request to the first byte received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_us: Option<u64>,
    /// From the end of the answer's head to the end of its body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_us: Option<u64>,
    /// The whole attempt.
    pub total_us: u64,
}

/// What is known of an attempt however it ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) tls: Option<TlsFacts>,
    pub(crate) reused: bool,
    pub(crate) status: Option<u16>,
    pub(crate) body_bytes: u64,
    /// Whether anything at all was received.
    pub(crate) received: bool,
    pub(crate) timings: Timings,
}

/// A request, ready to be sent any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    fn request(&self, fresh: bool) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        if fresh {
            let close = HeaderValue::from_static("close");
            request
                .headers_mut()
                .insert(http::header::CONNECTION, close);
        }
        request
    }
}

/// A complete answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Sends the call on an open connection and reads the whole answer.
pub(crate) async fn exchange(
    link: &mut Link,
    call: &Call,
    fresh: bool,
    limits: &Limits,
    clock: Clock,
    facts: &mut Facts,
) -> Result<Answer, Trouble> {
    facts.peer = Some(link.peer);
    facts.tls.clone_from(&link.tls);
    link.meter.reset();
    let sent_at = Instant::now();
    let answer = ask(link, call, fresh, limits, clock, sent_at, facts).await;
    facts.received = link.meter.received_bytes() > 0;
    facts.timings.first_byte_us = link.meter.first_byte_us(sent_at);
    answer
}

async fn ask(
    link: &mut Link,
    call: &Call,
    fresh: bool,
    limits: &Limits,
    clock: Clock,
    sent_at: Instant,
    facts: &mut Facts,
) -> Result<Answer, Trouble> {
    let mut request = call.request(fresh);
    let meter = Arc::clone(&link.meter);
    hyper::ext::on_informational(&mut request, move |_| meter.count_informational());
    let sending = link.sender.send_request(request);
    let phase = Deadline::after(sent_at, limits.first_byte_ms, "first_byte_ms");
    let response = clock
        .within(
            phase,
            Cause::Timeout,
            "complete head of an answer",
            link.drive(sending),
        )
        .await??
        .map_err(|error| trouble_of(&error, limits))?;
    let (parts, body) = response.into_parts();
    facts.status = Some(parts.status.as_u16());
    if parts.headers.contains_key(CONTENT_LENGTH) && parts.headers.contains_key(TRANSFER_ENCODING) {
        // RFC 9112, section 6.3: two ends of one message are how a second one is smuggled.
        let message = "the answer has both content-length and transfer-encoding";
        return Err(Trouble::new(Cause::Protocol, message));
    }
    let body_at = Instant::now();
    let body = read_body(link, body, limits, clock, facts).await?;
    facts.timings.body_us = Some(micros(body_at.elapsed()));
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    })
}

async fn read_body(
    link: &mut Link,
    mut body: Incoming,
    limits: &Limits,
    clock: Clock,
    facts: &mut Facts,
) -> Result<Bytes, Trouble> {
    let too_large = || {
        let max = limits.body_bytes_max;
        Trouble::new(
            Cause::Limit,
            format!("the body is over {max} bytes (body_bytes_max)"),
        )
    };
    let declared = body.size_hint().lower();
    if declared > limits.body_bytes_max as u64 {
        return Err(too_large());
    }
    let mut read = Vec::new();
    loop {
        let phase = Deadline::after(Instant::now(), limits.idle_ms, "idle_ms");
        let frame = link.drive(body.frame());
        let Some(frame) = clock
            .within(phase, Cause::Timeout, "further byte of the body", frame)
            .await??
        else {
            return Ok(Bytes::from(read));
        };
        let frame = frame.map_err(|error| trouble_of(&error, limits))?;
        if let Ok(data) = frame.into_data() {
            if read.len() + data.len() > limits.body_bytes_max {
                return Err(too_large());
            }
            read.extend_from_slice(&data);
            facts.body_bytes = read.len() as u64;
        }
    }
}

/// What an error of the HTTP engine means for the service.
fn trouble_of(error: &hyper::Error, limits: &Limits) -> Trouble {
    let said = chain(error);
    if error.is_parse() {
        // Only this text tells a head that is too large from one that is malformed; a test
        // notices should it change, and either way the attempt fails.
        if said.contains("too large") {
            let message = format!(
                "the head of the answer is over {} bytes (header_bytes_max) or {} lines \
                 (header_count_max)",
                limits.header_bytes_max, limits.header_count_max
            );
            return Trouble::new(Cause::Limit, message);
        }
        return Trouble::new(
            Cause::Protocol,
            format!("the answer is not HTTP/1.1: {said}"),
        );
    }
    if let Some(io) = io_error(error) {
        if io
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
            .is_some()
        {
            return Trouble::new(Cause::Tls, format!("TLS failed: {said}"));
        }
        if matches!(
            io.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
        ) {
            return Trouble::new(Cause::Protocol, format!("the body is malformed: {said}"));
        }
    }
    Trouble::new(
        Cause::Closed,
        format!("the connection ended before the answer did: {said}"),
    )
}

fn io_error(error: &hyper::Error) -> Option<&io::Error> {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(io) = source.downcast_ref() {
            return Some(io);
        }
        next = source.source();
    }
    None
}
