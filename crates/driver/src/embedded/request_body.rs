//! The body of a request on its way to an instance, and where it stands.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// Where the body of a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    /// The instance has not asked for (more of) it.
    WithInstance = 0,
    /// The client is to send more.
    WithClient = 1,
    /// The client broke off.
    Broken = 2,
    /// All of it was passed on.
    Whole = 3,
}

/// Progress of a request's body, seen from outside.
pub(super) struct Progress {
    stage: AtomicU8,
    begun: Instant,
    /// When the last piece was passed on, in milliseconds since `begun`.
    last_ms: AtomicU64,
}

impl Progress {
    pub(super) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::WithInstance,
            1 => Stage::WithClient,
            2 => Stage::Broken,
            _ => Stage::Whole,
        }
    }

    /// When the last piece of the body was passed on; when it was received if none was yet.
    pub(super) fn last(&self) -> Instant {
        self.begun + Duration::from_millis(self.last_ms.load(Ordering::Acquire))
    }

    fn touch(&self) {
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(ms, Ordering::Release);
    }

    fn set(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Release);
    }
}

/// The body of a request, or nothing when the request is sent again.
pub(super) struct RequestBody {
    client: Option<Incoming>,
    progress: Arc<Progress>,
}

impl RequestBody {
    pub(super) fn new(client: Incoming) -> RequestBody {
        let client = Some(client).filter(|body| !body.is_end_stream());
        let progress = Progress {
            stage: AtomicU8::new(0),
            begun: Instant::now(),
            last_ms: AtomicU64::new(0),
        };
        if client.is_none() {
            progress.set(Stage::Whole);
        }
        RequestBody {
            client,
            progress: Arc::new(progress),
        }
    }

    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.client.is_none()
    }

    pub(super) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// The body of a request that is sent again: only one without a body is.
    pub(super) fn empty_again(progress: &Arc<Progress>) -> RequestBody {
        RequestBody {
            client: None,
            progress: Arc::clone(progress),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let Some(client) = &mut this.client else {
            return Poll::Ready(None);
        };
        this.progress.set(Stage::WithClient);
        let frame = ready!(Pin::new(&mut *client).poll_frame(cx));
        this.progress.touch();
        match frame {
            Some(Ok(frame)) if frame.is_data() => {
                this.progress.set(if client.is_end_stream() {
                    Stage::Whole
                } else {
                    Stage::WithInstance
                });
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                this.progress.set(Stage::Broken);
                Poll::Ready(Some(Err(error)))
            }
            // Trailers were not announced to the instance, so they end the body.
            Some(Ok(_)) | None => {
                this.progress.set(Stage::Whole);
                this.client = None;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.client.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.client
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
