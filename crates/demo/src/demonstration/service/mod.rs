//! The service that the demonstration deploys, in two versions of one program.
//!
//! | request | answer |
//! |---|---|
//! | `GET /health` | 503 `starting`, then 200 `ok` |
//! | `GET /version`, `GET /` | the version; a small page |
//! | `GET /work` | 2 to 8 ms of work |
//! | `POST /orders` | an id; not idempotent |
//! | `GET /session` | a session whose state is in its cookie |
//! | `GET /ws` | a WebSocket that names the version, then echoes |
//!
//! SIGTERM ends it politely: no new connections, requests in flight answered, WebSockets closed
//! with 1001 and the reason `drained`. SIGINT and SIGHUP are taken and ignored, so that a Ctrl-C
//! meant for the controller does not take the fleet down.

mod answers;
mod faults;
mod session;
#[cfg(test)]
mod tests;
mod websocket;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt as _;
use http::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

use super::arguments::{Arguments, UsageError};
use super::draw::mix;
use super::{announce, told_to_stop};
use faults::Faults;

pub(crate) use faults::Fault;

/// The environment variable that names the port, as hosting platforms have it.
pub(crate) const PORT_VARIABLE: &str = "PORT";

/// The exit status of a process that crashed by [`Fault::Crash`] (`EX_SOFTWARE` in sysexits).
pub(crate) const CRASH_STATUS: u8 = 70;

/// How many connections are held at once; more wait in the listener's queue.
const CONNECTIONS_MAX: usize = 1_024;

/// How long things take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timing {
    /// From the start until the service is ready.
    pub(crate) startup_ms: u64,
    /// From the first `/work` to a crash: earliest and latest.
    pub(crate) crash_ms: (u64, u64),
    /// From SIGTERM until what is left is cut off.
    pub(crate) grace_ms: u64,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            startup_ms: 300,
            crash_ms: (2_000, 3_000),
            grace_ms: 3_000,
        }
    }
}

/// One instance of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceConfig {
    /// The loopback port; 0 lets the system choose, which only tests want.
    pub(crate) port: u16,
    /// What the version header says.
    pub(crate) version: String,
    /// What is wrong with this version.
    pub(crate) fault: Fault,
    /// Fixes jitter and faults; drawn from clock and process id if absent.
    pub(crate) seed: Option<u64>,
    pub(crate) timing: Timing,
}

impl ServiceConfig {
    /// An instance with the usual timing.
    pub(crate) fn new(port: u16, version: &str, fault: Fault) -> ServiceConfig {
        let timing = Timing::default();
        ServiceConfig {
            port,
            version: version.to_owned(),
            fault,
            seed: None,
            timing,
        }
    }

    /// The command line that [`main`] reads back; the port goes into [`PORT_VARIABLE`].
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let mut pair = |name: &str, value: String| words.extend([name.to_owned(), value]);
        pair("--version", self.version.clone());
        pair("--fault", self.fault.to_string());
        if let Some(seed) = self.seed {
            pair("--seed", seed.to_string());
        }
        pair("--startup-ms", self.timing.startup_ms.to_string());
        pair("--crash-ms-min", self.timing.crash_ms.0.to_string());
        pair("--crash-ms-max", self.timing.crash_ms.1.to_string());
        pair("--grace-ms", self.timing.grace_ms.to_string());
        words
    }

    /// Reads what [`ServiceConfig::arguments`] wrote. Timing may be left out.
    ///
    /// # Errors
    ///
    /// Says which option or which port is wrong.
    pub(crate) fn read(
        words: impl IntoIterator<Item = String>,
        port: Option<&str>,
    ) -> Result<ServiceConfig, UsageError> {
        let mut arguments = Arguments::read(words)?;
        let usual = Timing::default();
        let port = port.ok_or_else(|| UsageError::new("PORT is not set: say which port"))?;
        let config = ServiceConfig {
            port: port
                .parse()
                .map_err(|_| UsageError::new(format!("PORT `{port}` is no port")))?,
            version: arguments.required("--version")?,
            fault: arguments.optional("--fault")?.unwrap_or(Fault::None),
            seed: arguments.optional("--seed")?,
            timing: Timing {
                startup_ms: arguments
                    .optional("--startup-ms")?
                    .unwrap_or(usual.startup_ms),
                crash_ms: (
                    arguments
                        .optional("--crash-ms-min")?
                        .unwrap_or(usual.crash_ms.0),
                    arguments
                        .optional("--crash-ms-max")?
                        .unwrap_or(usual.crash_ms.1),
                ),
                grace_ms: arguments.optional("--grace-ms")?.unwrap_or(usual.grace_ms),
            },
        };
        arguments.finish()?;
        if is_version(&config.version) {
            Ok(config)
        } else {
            Err(UsageError::new(
                "--version: letters, digits and .+-_ only, 1 to 64 of them",
            ))
        }
    }
}

/// Whether `text` can stand in a header and a page as it is.
fn is_version(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+-_".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

/// How a service came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Told to, and everything in flight was finished.
    Drained,
    /// Told to, and something was still in flight when the grace was over.
    CutOff,
    /// By [`Fault::Crash`].
    Crashed,
}

/// The state that requests share.
#[derive(Debug)]
struct Service {
    version: String,
    version_header: HeaderValue,
    ready_at: Instant,
    /// Tells instances apart in ids of orders and sessions.
    instance: u64,
    faults: Faults,
    timing: Timing,
    worked: AtomicU64,
    ordered: AtomicU64,
    sessions: AtomicU64,
    crash: Notify,
    stop: watch::Receiver<bool>,
    /// Everything that is to be finished before the end holds a subscription.
    in_flight: watch::Sender<()>,
}

impl Service {
    /// Starts the countdown of [`Fault::Crash`] at the first call.
    fn arm_crash(self: &Arc<Service>) {
        let (earliest, latest) = self.timing.crash_ms;
        if let Some(after) = self.faults.crash_after(earliest, latest) {
            let service = Arc::clone(self);
            tokio::spawn(async move {
                sleep(after).await;
                service.crash.notify_one();
            });
        }
    }
}

/// The hidden subcommand: one instance, until SIGTERM. Exits 0 when told to end, 70 on a crash,
/// 2 for a wrong command line, 1 if the port cannot be had.
pub(crate) fn main(words: impl IntoIterator<Item = String>) -> ExitCode {
    let port = std::env::var(PORT_VARIABLE).ok();
    let config = match ServiceConfig::read(words, port.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            announce(&format!("nonevent: {error}"));
            return ExitCode::from(2);
        }
    };
    // One thread serves thousands of requests a second here, and a fleet shares the machine.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = runtime.and_then(|runtime| {
        let ended = runtime.block_on(serve(config));
        // Dropping the runtime would wait for nothing but its threads; a crash does not wait.
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(Ended::Drained | Ended::CutOff) => ExitCode::SUCCESS,
        Ok(Ended::Crashed) => ExitCode::from(CRASH_STATUS),
        Err(error) => {
            announce(&format!("nonevent: the service cannot run: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Serves on the configured loopback port until SIGTERM.
///
/// # Errors
///
/// When the port cannot be bound or signals cannot be taken.
pub(crate) async fn serve(config: ServiceConfig) -> io::Result<Ended> {
    let (tell, stop) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    // Taking a signal replaces its default action, which is to end the process. Held to the end.
    let _ignored = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    );
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, config.port));
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("port {}: {error}", config.port)))?;
    announce(&format!(
        "demonstration {} on {}",
        config.version,
        listener.local_addr()?
    ));
    tokio::spawn(async move {
        terminate.recv().await;
        tell.send_replace(true);
        // Kept, since the end of the sender would read as an order to stop, too.
        tell.closed().await;
    });
    let ended = serve_on(listener, config, stop).await?;
    announce(match ended {
        Ended::Drained => "demonstration: drained",
        Ended::CutOff => "demonstration: the grace is over, what was left is cut off",
        Ended::Crashed => "demonstration: crashed by --fault crash",
    });
    Ok(ended)
}

/// Serves on `listener` until `stop` turns true or its sender is gone.
///
/// # Errors
///
/// When the version cannot stand in a header.
pub(crate) async fn serve_on(
    listener: TcpListener,
    config: ServiceConfig,
    mut stop: watch::Receiver<bool>,
) -> io::Result<Ended> {
    let instance = fresh_seed(config.port);
    let service = Arc::new(Service {
        version_header: HeaderValue::from_str(&config.version).map_err(io::Error::other)?,
        version: config.version,
        ready_at: Instant::now() + Duration::from_millis(config.timing.startup_ms),
        instance,
        faults: Faults::new(config.fault, config.seed.unwrap_or(instance)),
        timing: config.timing,
        worked: AtomicU64::new(0),
        ordered: AtomicU64::new(0),
        sessions: AtomicU64::new(0),
        crash: Notify::new(),
        stop: stop.clone(),
        in_flight: watch::Sender::new(()),
    });
    tokio::select! {
        () = accept(&listener, &service) => {}
        () = service.crash.notified() => return Ok(Ended::Crashed),
        () = told_to_stop(&mut stop) => {}
    }
    // Connections that the system has already taken for us would be reset if we left them.
    while let Some(Ok((stream, _))) = listener.accept().now_or_never() {
        tokio::spawn(converse(
            Arc::clone(&service),
            stream,
            service.in_flight.subscribe(),
        ));
    }
    drop(listener);
    tokio::select! {
        () = service.in_flight.closed() => Ok(Ended::Drained),
        () = service.crash.notified() => Ok(Ended::Crashed),
        () = sleep(Duration::from_millis(service.timing.grace_ms)) => Ok(Ended::CutOff),
    }
}

/// Takes connections for as long as it is polled.
async fn accept(listener: &TcpListener, service: &Arc<Service>) {
    loop {
        if service.in_flight.receiver_count() >= CONNECTIONS_MAX {
            sleep(Duration::from_millis(1)).await;
            continue;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                let guard = service.in_flight.subscribe();
                tokio::spawn(converse(Arc::clone(service), stream, guard));
            }
            // Out of file descriptors, or the peer has left again: neither gets better by haste.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Serves one connection; once told to stop, finishes the request in flight and closes.
async fn converse(service: Arc<Service>, stream: TcpStream, _in_flight: watch::Receiver<()>) {
    // An answer of two segments must not wait for the first one's acknowledgement.
    drop(stream.set_nodelay(true));
    let mut stop = service.stop.clone();
    let handler = service_fn(|request| answers::answer(Arc::clone(&service), request));
    let connection = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), handler)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A request that has arrived is read before the order to stop, so it is in flight.
        biased;
        // How a peer's connection broke is the peer's to know.
        ended = connection.as_mut() => drop(ended),
        () = told_to_stop(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
}

/// A seed that no other instance has: the time, the process and the port.
fn fresh_seed(port: u16) -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let place = (u64::from(std::process::id()) << 16) | u64::from(port);
    mix(
        place,
        u64::from(since.subsec_nanos()) ^ since.as_secs().rotate_left(30),
    )
}
