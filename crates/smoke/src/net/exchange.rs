//! One request and its answer on an open connection.

use core::error::Error;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::limits::Limits;
use crate::net::certificate::TlsFacts;
use crate::net::deadline::{Clock, Deadline};
use crate::net::decode::decode;
use crate::net::link::Link;
use crate::net::peer::Peer;
use crate::net::route::Route;
use crate::net::wire::micros;
use crate::report::result::Redirect;
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
    pub(crate) peer: Option<Peer>,
    pub(crate) tls: Option<TlsFacts>,
    pub(crate) reused: bool,
    pub(crate) http: Option<&'static str>,
    pub(crate) status: Option<u16>,
    pub(crate) body_bytes: u64,
    pub(crate) redirects: Vec<Redirect>,
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
    /// The request as the connection has to be given it.
    fn request(&self, route: &Route, is_http2: bool, fresh: bool) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers.clone();
        *request.uri_mut() = self.uri.clone();
        let absolute = is_http2 || route.is_proxied_plainly();
        if absolute {
            let host = self.headers.get(HOST).and_then(|host| host.to_str().ok());
            let host = host.unwrap_or(&route.origin.authority);
            let scheme = route.origin.scheme();
            // A `Host` that is no authority stays a header, and the request is refused by the
            // engine.
            if let Ok(uri) = format!("{scheme}://{host}{}", self.uri).parse() {
                *request.uri_mut() = uri;
            }
        }
        let headers = request.headers_mut();
        if is_http2 {
            headers.remove(HOST);
            *request.version_mut() = Version::HTTP_2;
            return request;
        }
        if fresh {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if route.is_proxied_plainly()
            && let Some(secret) = route
                .access
                .proxy
                .as_ref()
                .and_then(|p| p.authorization.as_ref())
            && let Ok(mut value) = HeaderValue::from_str(secret.expose())
        {
            value.set_sensitive(true);
            headers.insert(PROXY_AUTHORIZATION, value);
        }
        request
    }
}

/// A complete answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The URL that answered; another than was asked for after a redirect.
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    /// With its content coding undone.
    pub(crate) body: Bytes,
    /// The content coding, if it is one that could not be undone.
    pub(crate) coding: Option<String>,
}

/// What an exchange needs beside the connection and the call.
#[derive(Clone, Copy)]
pub(crate) struct Exchange<'a> {
    pub(crate) route: &'a Route,
    pub(crate) limits: &'a Limits,
    pub(crate) clock: Clock,
    /// Whether the connection is closed afterwards.
    pub(crate) fresh: bool,
}

impl Exchange<'_> {
    /// Sends the call on an open connection and reads the whole answer.
    pub(crate) async fn perform(
        self,
        link: &mut Link,
        call: &Call,
        facts: &mut Facts,
    ) -> Result<Answer, Trouble> {
        facts.peer = Some(link.peer.clone());
        facts.tls.clone_from(&link.tls);
        facts.http = Some(if link.is_http2() {
            "HTTP/2"
        } else {
            "HTTP/1.1"
        });
        link.meter.reset();
        let sent_at = Instant::now();
        let answer = self.ask(link, call, sent_at, facts).await;
        facts.received = link.meter.received_bytes() > 0;
        facts.timings.first_byte_us = link.meter.first_byte_us(sent_at);
        answer
    }

    async fn ask(
        self,
        link: &mut Link,
        call: &Call,
        sent_at: Instant,
        facts: &mut Facts,
    ) -> Result<Answer, Trouble> {
        let limits = self.limits;
        let mut request = call.request(self.route, link.is_http2(), self.fresh);
        let meter = Arc::clone(&link.meter);
        hyper::ext::on_informational(&mut request, move |_| meter.count_informational());
        let sending = link.send(request);
        let phase = Deadline::after(sent_at, limits.first_byte_ms, "first_byte_ms");
        let response = self
            .clock
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
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            // RFC 9110, section 15.2.2: only to a protocol that the request named, and none does.
            let message = "the service switches protocols (101), which was not asked for";
            return Err(Trouble::new(Cause::Protocol, message));
        }
        let has = |name| parts.headers.contains_key(name);
        if has(CONTENT_LENGTH) && has(TRANSFER_ENCODING) {
            // RFC 9112, section 6.3: two ends of one message are how a second one is smuggled.
            let message = "the answer has both content-length and transfer-encoding";
            return Err(Trouble::new(Cause::Protocol, message));
        }
        if parts.headers.len() > limits.header_count_max {
            let max = limits.header_count_max;
            let message = format!("the answer has over {max} header lines (header_count_max)");
            return Err(Trouble::new(Cause::Limit, message));
        }
        let body_at = Instant::now();
        let wire = self.read_body(link, body, facts).await?;
        facts.timings.body_us = Some(micros(body_at.elapsed()));
        let (body, coding) = match parts.headers.get(CONTENT_ENCODING) {
            None => (wire, None),
            Some(codings) => {
                let codings = String::from_utf8_lossy(codings.as_bytes());
                decode(&codings, wire, limits, self.clock)?
            }
        };
        facts.body_bytes = body.len() as u64;
        Ok(Answer {
            status: parts.status.as_u16(),
            url: self.route.origin.url_of(&call.uri),
            headers: parts.headers,
            body,
            coding,
        })
    }

    async fn read_body(
        self,
        link: &mut Link,
        mut body: Incoming,
        facts: &mut Facts,
    ) -> Result<Bytes, Trouble> {
        let limits = self.limits;
        let max = limits.body_bytes_max;
        let too_large = || {
            let message = format!("the body is over {max} bytes (body_bytes_max)");
            Trouble::new(Cause::Limit, message)
        };
        if body.size_hint().lower() > max as u64 {
            return Err(too_large());
        }
        let started = Instant::now();
        let mut first = Bytes::new();
        let mut read = Vec::new();
        loop {
            let received = first.len() + read.len();
            let idle = Deadline::after(Instant::now(), limits.idle_ms, "idle_ms");
            let phase = idle.earlier(slowest(started, received, limits));
            let frame = link.drive(body.frame());
            let Some(frame) = self
                .clock
                .within(phase, Cause::Timeout, "further byte of the body", frame)
                .await??
            else {
                return Ok(if read.is_empty() { first } else { read.into() });
            };
            let frame = frame.map_err(|error| trouble_of(&error, limits))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if received + data.len() > max {
                return Err(too_large());
            }
            facts.body_bytes = (received + data.len()) as u64;
            // Most bodies are one piece, which need not be copied.
            if received == 0 {
                first = data;
            } else {
                read.extend_from_slice(&core::mem::take(&mut first));
                read.extend_from_slice(&data);
            }
        }
    }
}

/// By when the next byte must be there for the mean rate not to be under the limit.
fn slowest(started: Instant, received: usize, limits: &Limits) -> Deadline {
    let earned_ms = (received as u64).saturating_mul(1_000) / limits.rate_bytes_per_s_min.max(1);
    let ms = limits.rate_grace_ms.saturating_add(earned_ms);
    Deadline::after(started, ms, "rate_bytes_per_s_min")
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
                 (header_count_max), or it states a length that no body has",
                limits.header_bytes_max, limits.header_count_max
            );
            return Trouble::new(Cause::Limit, message);
        }
        return Trouble::new(
            Cause::Protocol,
            format!("the answer is not HTTP/1.1: {said}"),
        );
    }
    if let Some(http2) = source_of::<h2::Error>(error)
        && !http2.is_io()
    {
        return Trouble::new(Cause::Protocol, format!("HTTP/2 failed: {said}"));
    }
    if let Some(io) = source_of::<io::Error>(error) {
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
            return Trouble::new(Cause::Protocol, format!("the answer is malformed: {said}"));
        }
    }
    // The engine has no other way to tell this from an end of the connection.
    if said.contains("unexpected message") {
        let message = format!("the service spoke before it was asked: {said}");
        return Trouble::new(Cause::Protocol, message);
    }
    Trouble::new(
        Cause::Closed,
        format!("the connection ended before the answer did: {said}"),
    )
}

/// The first error of a type among the causes of an error.
fn source_of<E: Error + 'static>(error: &hyper::Error) -> Option<&E> {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(found) = source.downcast_ref() {
            return Some(found);
        }
        next = source.source();
    }
    None
}
