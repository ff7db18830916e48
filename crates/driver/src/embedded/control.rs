//! The control interface: the embedded dialect over a Unix socket.

use std::convert::Infallible;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nonevent_router::{
    Admission, Answer, Desired, RouterError, RouterErrorKind, Snapshot, admit, embedded,
};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::proxy::Proxy;
use super::serve::Phase;
use super::state_file::{self, State};
use crate::unix_path::ShortPath;

/// Control connections open at once.
const CONTROL_CONNECTIONS_MAX: u32 = 16;

/// How long one control connection may last: head, content and answer of all its requests.
const CONTROL_CONNECTION: Duration = Duration::from_secs(30);

/// How long the last control answers get after the router has ended.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// The longest time that a shutdown may wait for requests, in milliseconds: a day.
const SHUTDOWN_DEADLINE_MAX_MS: u64 = 86_400_000;

/// The bound control socket. Its file is removed when the router ends.
pub(super) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl ControlSocket {
    /// Binds the socket, in place of one that a dead router left behind.
    pub(super) fn bind(path: &Path) -> io::Result<ControlSocket> {
        let short = ShortPath::to(path)?;
        if let Ok(metadata) = fs::symlink_metadata(path) {
            if !metadata.file_type().is_socket() {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "there is a file of another kind",
                ));
            }
            match std::os::unix::net::UnixStream::connect(short.as_path()) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    fs::remove_file(path)?;
                }
                Err(error) => return Err(error),
                Ok(_) => {
                    return Err(io::Error::new(
                        io::ErrorKind::AddrInUse,
                        "another router answers there",
                    ));
                }
            }
        }
        let listener = UnixListener::bind(short.as_path())?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(ControlSocket {
            listener,
            path: path.to_owned(),
        })
    }

    /// Answers until the router is cut.
    pub(super) async fn serve(self, control: Arc<Control>, phase: watch::Receiver<Phase>) {
        let places = Arc::new(Semaphore::new(CONTROL_CONNECTIONS_MAX as usize));
        let take = async {
            while let Ok(place) = Arc::clone(&places).acquire_owned().await {
                if let Ok((stream, _)) = self.listener.accept().await {
                    let control = Arc::clone(&control);
                    let phase = phase.clone();
                    tokio::spawn(async move {
                        // Its end, good or bad, is the controller's to notice.
                        let _ =
                            timeout(CONTROL_CONNECTION, serve_one(stream, control, phase)).await;
                        drop(place);
                    });
                } else {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        };
        let mut cut = phase.clone();
        tokio::select! {
            () = take => {}
            _ = cut.wait_for(|phase| *phase == Phase::Cut) => {}
        }
        // A socket file that stays behind is recognised as dead by the next router.
        let _ = fs::remove_file(&self.path);
        let _ = timeout(LAST_ANSWERS, places.acquire_many(CONTROL_CONNECTIONS_MAX)).await;
    }
}

async fn serve_one(stream: UnixStream, control: Arc<Control>, mut phase: watch::Receiver<Phase>) {
    let service = service_fn(move |request| {
        let control = Arc::clone(&control);
        async move { Ok::<_, Infallible>(control.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = phase.wait_for(|phase| *phase == Phase::Cut) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// What the control interface acts on.
pub(super) struct Control {
    proxy: Arc<Proxy>,
    started: String,
    state_file: Option<PathBuf>,
    phase: Arc<watch::Sender<Phase>>,
    /// Only one change runs at a time.
    change: tokio::sync::Mutex<()>,
    unsaved: Mutex<Option<String>>,
}

impl Control {
    pub(super) fn new(
        proxy: Arc<Proxy>,
        state_file: Option<PathBuf>,
        phase: Arc<watch::Sender<Phase>>,
    ) -> Result<Control, getrandom::Error> {
        let started = format!("{:016x}", getrandom::u64()?);
        let unsaved = match state_file {
            Some(_) => None,
            None => Some("the router has no state file".to_owned()),
        };
        Ok(Control {
            proxy,
            started,
            state_file,
            phase,
            change: tokio::sync::Mutex::default(),
            unsaved: Mutex::new(unsaved),
        })
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let answer = match (&head.method, head.uri.path()) {
            (&Method::GET, "/snapshot") => Ok(embedded::snapshot_answer(&self.snapshot())),
            (&Method::PUT, "/desired") => match content(body).await {
                Ok(content) => self.set(&content).await,
                Err(error) => Err(error),
            },
            (&Method::POST, "/shutdown") => match content(body).await {
                Ok(content) => self.shut_down(&content),
                Err(error) => Err(error),
            },
            (_, "/snapshot") => return not_allowed("GET"),
            (_, "/desired") => return not_allowed("PUT"),
            (_, "/shutdown") => return not_allowed("POST"),
            _ => return bare(StatusCode::NOT_FOUND),
        };
        let Answer { status, body } = answer.unwrap_or_else(|error| embedded::error_answer(&error));
        let mut answer = Response::new(Full::from(body));
        *answer.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        answer
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }

    /// Puts a change in force, then keeps it. In this order, so that a full or slow disk cannot
    /// hold up a rollback; that it could not be kept is said in the snapshot.
    async fn set(&self, content: &[u8]) -> Result<Answer, RouterError> {
        let desired = embedded::parse_desired(content)?;
        self.refuse_loop(&desired)?;
        let _only_one = self.change.lock().await;
        let table = self.proxy.routes.table();
        match admit(table.accepted.as_ref(), &desired)? {
            Admission::Already => {}
            Admission::Apply => {
                // The change waits until nobody holds the old table.
                drop(table);
                self.proxy.routes.put_in_force(desired.clone()).await;
                self.save(desired).await;
            }
        }
        Ok(embedded::snapshot_answer(&self.snapshot()))
    }

    /// An instance that is the router itself would send every request around until nothing is
    /// left.
    fn refuse_loop(&self, desired: &Desired) -> Result<(), RouterError> {
        let own = self.proxy.listen.to_string();
        let pools = [&desired.pools.stable, &desired.pools.canary];
        match pools.into_iter().flatten().find(|b| b.address == own) {
            None => Ok(()),
            Some(backend) => Err(RouterError::new(
                RouterErrorKind::Refused,
                format!(
                    "instance `{}` has the router's own address {own}",
                    backend.id
                ),
            )),
        }
    }

    async fn save(&self, desired: Desired) {
        let Some(path) = self.state_file.clone() else {
            return;
        };
        let state = State {
            listen: self.proxy.listen,
            desired,
        };
        let shown = path.display().to_string();
        let written = tokio::task::spawn_blocking(move || state_file::write(&path, &state)).await;
        let why = match written {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{shown}: {error}")),
            Err(error) => Some(format!("{shown}: {error}")),
        };
        *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    fn snapshot(&self) -> Snapshot {
        let routes = &self.proxy.routes;
        let table = routes.table();
        // Instances first: one that is idle here has all its outcomes in the counters below.
        let backends = routes.backends(&table);
        Snapshot {
            started: self.started.clone(),
            listen: Some(self.proxy.listen.to_string()),
            split: table.split(),
            pools: table.pools(),
            fence: table.accepted.as_ref().map(|desired| desired.fence),
            unsaved: self
                .unsaved
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            counters: routes.counters(),
            backends,
        }
    }

    fn shut_down(&self, content: &[u8]) -> Result<Answer, RouterError> {
        let deadline_ms = embedded::parse_shutdown(content)?.min(SHUTDOWN_DEADLINE_MAX_MS);
        let deadline = Duration::from_millis(deadline_ms);
        self.phase.send_if_modified(|phase| {
            let running = *phase == Phase::Running;
            if running {
                *phase = Phase::Draining(deadline);
            }
            running
        });
        Ok(Answer {
            status: 202,
            body: Vec::new(),
        })
    }
}

async fn content(body: Incoming) -> Result<Bytes, RouterError> {
    let limited = Limited::new(body, embedded::CONTROL_BODY_BYTES_MAX);
    match limited.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(RouterError::new(
            RouterErrorKind::Refused,
            format!("the content could not be read: {error}"),
        )),
    }
}

fn bare(status: StatusCode) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

fn not_allowed(allowed: &'static str) -> Response<Full<Bytes>> {
    let mut answer = bare(StatusCode::METHOD_NOT_ALLOWED);
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}
