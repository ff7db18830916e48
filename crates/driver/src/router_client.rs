//! Talking to a router: the trait that the workflow uses, and the client of the embedded router.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderName;
use http::header::{HOST, HeaderValue};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use nonevent_router::{Answer, Desired, Request, RouterError, RouterErrorKind, Snapshot, embedded};
use tokio::net::UnixStream;
use tokio::time::{timeout, timeout_at};

use crate::driven::driven;
use crate::unix_path::ShortPath;

/// A router that can be told what shall be and asked what is.
pub trait Router: Send + Sync {
    /// Asks for a state. Absolute: asking again for the same changes nothing. That it was
    /// acknowledged is no proof of its effect; [`Router::read`] it back.
    ///
    /// # Errors
    ///
    /// The router refused, could not be reached, or did not answer;
    /// [`RouterError::may_have_acted`] says whether it may have acted all the same.
    fn apply(&self, desired: &Desired) -> impl Future<Output = Result<(), RouterError>> + Send;

    /// Asks what is.
    ///
    /// # Errors
    ///
    /// The router could not be reached, did not answer, or said what cannot be understood.
    fn read(&self) -> impl Future<Output = Result<Snapshot, RouterError>> + Send;
}

/// The client of an embedded router's control socket.
#[derive(Clone, Debug)]
pub struct RouterClient {
    control: PathBuf,
    connect: Duration,
    total: Duration,
}

impl RouterClient {
    /// A client for the router whose control socket is at `control`. It waits at most 1 s for a
    /// connection and 5 s for an answer.
    #[must_use]
    pub fn new(control: impl Into<PathBuf>) -> RouterClient {
        RouterClient {
            control: control.into(),
            connect: Duration::from_secs(1),
            total: Duration::from_secs(5),
        }
    }

    /// The same client with other deadlines, in milliseconds: to be connected, and to have the
    /// whole answer, the connection included.
    #[must_use]
    pub fn with_deadlines_ms(self, connect_ms: u64, total_ms: u64) -> RouterClient {
        RouterClient {
            connect: Duration::from_millis(connect_ms),
            total: Duration::from_millis(total_ms),
            ..self
        }
    }

    /// The router's control socket.
    #[must_use]
    pub fn control(&self) -> &Path {
        &self.control
    }

    /// Asks the router to end, with `deadline_ms` for the requests it has. It is acknowledged
    /// before it has happened.
    ///
    /// # Errors
    ///
    /// As [`Router::read`].
    pub async fn shut_down(&self, deadline_ms: u64) -> Result<(), RouterError> {
        let answer = self.send(embedded::shutdown(deadline_ms)).await?;
        embedded::parse_accepted(answer.status, &answer.body)
    }

    async fn send(&self, request: Request) -> Result<Answer, RouterError> {
        let deadline = tokio::time::Instant::now() + self.total;
        let stream = timeout(self.connect.min(self.total), self.connected())
            .await
            .map_err(|_| self.error(RouterErrorKind::Unreachable, "takes no connection in time"))?
            .map_err(|error| {
                self.error(RouterErrorKind::Unreachable, "cannot be reached")
                    .caused_by(error)
            })?;
        timeout_at(deadline, self.exchange(stream, request))
            .await
            .map_err(|_| self.error(RouterErrorKind::NoAnswer, "did not answer in time"))?
    }

    async fn connected(&self) -> std::io::Result<UnixStream> {
        UnixStream::connect(ShortPath::to(&self.control)?.as_path()).await
    }

    async fn exchange(&self, stream: UnixStream, request: Request) -> Result<Answer, RouterError> {
        let broke_off = |error: Box<dyn std::error::Error + Send + Sync>| {
            self.error(RouterErrorKind::NoAnswer, "broke off before its answer")
                .caused_by(error)
        };
        let request = http_request(request).map_err(|error| {
            self.error(RouterErrorKind::Refused, "cannot be asked this")
                .caused_by(error)
        })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broke_off(error.into()))?;
        let exchange = async move {
            let answer = sender.send_request(request).await?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), embedded::CONTROL_BODY_BYTES_MAX);
            let body = body.collect().await?.to_bytes().to_vec();
            Ok(Answer { status, body })
        };
        driven(connection, exchange).await.map_err(broke_off)
    }

    fn error(&self, kind: RouterErrorKind, what: &str) -> RouterError {
        RouterError::new(
            kind,
            format!("the router at {} {what}", self.control.display()),
        )
    }
}

fn http_request(request: Request) -> Result<http::Request<Full<Bytes>>, http::Error> {
    let mut built = http::Request::builder()
        .method(request.method.as_str())
        .uri(request.path)
        .header(HOST, HeaderValue::from_static("router"));
    for (name, value) in request.headers {
        built = built.header(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    built.body(Full::from(request.body))
}

impl Router for RouterClient {
    async fn apply(&self, desired: &Desired) -> Result<(), RouterError> {
        let answer = self.send(embedded::set(desired)).await?;
        embedded::parse_snapshot(answer.status, &answer.body).map(drop)
    }

    async fn read(&self) -> Result<Snapshot, RouterError> {
        let answer = self.send(embedded::read()).await?;
        embedded::parse_snapshot(answer.status, &answer.body)
    }
}
