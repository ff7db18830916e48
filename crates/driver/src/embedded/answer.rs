//! The body of an answer on its way to a client, and the answers that the router gives itself.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::config::EmbeddedLimits;
use super::tally::Attempt;
use super::upstream::{Connection, Upstream};

const ARM: HeaderName = HeaderName::from_static("x-nonevent-arm");
const INSTANCE: HeaderName = HeaderName::from_static("x-nonevent-instance");

/// What a client is told to wait, in seconds, when the router is closed or has no instance.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("1");

/// Why the body of an answer broke off. The client sees only that it did.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrokenOff {
    #[error("the instance broke off its answer")]
    ByInstance(#[source] hyper::Error),
    #[error("the instance paused its answer for too long")]
    Paused,
}

/// The body of an answer.
pub(super) enum AnswerBody {
    /// Written by the router.
    Own(Full<Bytes>),
    /// Passed on from an instance.
    Passed(Passed),
}

/// A body passed on from an instance. Its end decides the outcome of the attempt.
pub(super) struct Passed {
    inner: Incoming,
    open: Option<Box<Open>>,
    pause_max: Duration,
    pause: Option<Pin<Box<Sleep>>>,
}

/// What waits for the end of an answer.
struct Open {
    attempt: Attempt,
    /// Kept for another request when the answer ends whole.
    connection: Connection,
    server_error: bool,
    limits: EmbeddedLimits,
}

impl Open {
    fn ended_whole(self) {
        let upstream = std::sync::Arc::clone(&self.attempt.upstream);
        if self.server_error {
            self.attempt.failed();
        } else {
            self.attempt.succeeded();
        }
        Upstream::keep(&upstream, self.connection, &self.limits);
    }
}

impl Passed {
    pub(super) fn new(
        inner: Incoming,
        attempt: Attempt,
        connection: Connection,
        status: StatusCode,
        limits: &EmbeddedLimits,
    ) -> Passed {
        Passed {
            inner,
            open: Some(Box::new(Open {
                attempt,
                connection,
                server_error: status.is_server_error(),
                limits: limits.clone(),
            })),
            pause_max: limits.body_idle(),
            pause: None,
        }
    }

    fn end_whole(&mut self) {
        if let Some(open) = self.open.take() {
            open.ended_whole();
        }
    }

    fn end_broken(&mut self) {
        if let Some(open) = self.open.take() {
            open.attempt.failed();
        }
    }

    fn poll_passed(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) if frame.is_data() => {
                self.pause = None;
                if self.inner.is_end_stream() {
                    self.end_whole();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            // Trailers were not announced to the client, so they end the body.
            Poll::Ready(Some(Ok(_)) | None) => {
                self.end_whole();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                self.end_broken();
                Poll::Ready(Some(Err(BrokenOff::ByInstance(error))))
            }
            Poll::Pending => {
                let pause_max = self.pause_max;
                let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(pause_max)));
                if pause.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.end_broken();
                Poll::Ready(Some(Err(BrokenOff::Paused)))
            }
        }
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        // An answer without a body is never polled. Any other that is dropped before its end was
        // given up by the client, which is the attempt's outcome if no other is recorded.
        if self.inner.is_end_stream() {
            self.end_whole();
        } else if self.open.as_ref().is_some_and(|open| open.server_error) {
            self.end_broken();
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut *self {
            AnswerBody::Own(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            AnswerBody::Passed(body) => body.poll_passed(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            AnswerBody::Own(body) => body.is_end_stream(),
            AnswerBody::Passed(body) => body.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            AnswerBody::Own(body) => body.size_hint(),
            AnswerBody::Passed(body) => body.inner.size_hint(),
        }
    }
}

/// An answer of the router itself.
pub(super) fn own(status: StatusCode, text: &str) -> Response<AnswerBody> {
    let mut answer = Response::new(AnswerBody::Own(Full::from(format!("nonevent: {text}\n"))));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, RETRY_AFTER_S);
    }
    answer
}

/// Says on an answer which arm and instance it is from, or would have been from.
pub(super) fn mark(answer: &mut Response<AnswerBody>, upstream: &Upstream) {
    let arm = match upstream.arm {
        nonevent_router::Arm::Stable => HeaderValue::from_static("stable"),
        nonevent_router::Arm::Canary => HeaderValue::from_static("canary"),
    };
    answer.headers_mut().insert(ARM, arm);
    if let Ok(id) = HeaderValue::from_str(&upstream.id) {
        answer.headers_mut().insert(INSTANCE, id);
    }
}

/// Removes such marks from an answer that is passed on: they are this router's to make.
pub(super) fn unmark(headers: &mut http::HeaderMap) {
    headers.remove(ARM);
    headers.remove(INSTANCE);
}
