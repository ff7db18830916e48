//! The router's life: bind, take connections, shut down.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::config::EmbeddedConfig;
use super::control::{Control, ControlSocket};
use super::error::ServeError;
use super::metered::Metered;
use super::proxy::{Client, Proxy};
use super::routes::Routes;
use super::state_file;

/// How long the router waits when it can accept no connection, as when descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The shortest pause between two looks for connections that were idle for too long.
const EXPIRY_PAUSE_MIN: Duration = Duration::from_millis(10);

/// How long SIGTERM lets running requests finish.
const TERMINATION_DEADLINE: Duration = Duration::from_secs(10);

/// How far the router's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It takes connections.
    Running,
    /// It finishes what it has for at most so long.
    Draining(Duration),
    /// It ends what is left.
    Cut,
}

/// A router that is bound to its addresses and ready to serve.
pub struct EmbeddedRouter {
    listener: TcpListener,
    listen: SocketAddr,
    control_socket: ControlSocket,
    control: Arc<Control>,
    proxy: Arc<Proxy>,
    connections_max: u32,
    phase: Arc<watch::Sender<Phase>>,
}

impl EmbeddedRouter {
    /// Reads the state file, binds both addresses, and comes up with the change that was accepted
    /// last, or closed if there is none. No request is taken until [`EmbeddedRouter::serve`].
    ///
    /// # Errors
    ///
    /// The state file is damaged, an address cannot be bound, or another router answers on the
    /// control socket.
    pub async fn bind(config: EmbeddedConfig) -> Result<EmbeddedRouter, ServeError> {
        let state = match &config.state_file {
            Some(path) => state_file::read(path).map_err(|error| ServeError::state(path, error))?,
            None => None,
        };
        let before = state.as_ref().map(|state| state.listen);
        let listener = bind_again(config.listen, before)
            .await
            .map_err(|error| ServeError::listen(config.listen, error))?;
        let listen = listener
            .local_addr()
            .map_err(|error| ServeError::listen(config.listen, error))?;
        let control_socket = ControlSocket::bind(&config.control)
            .map_err(|error| ServeError::control(&config.control, error))?;
        let (phase, seen) = watch::channel(Phase::Running);
        let phase = Arc::new(phase);
        let proxy = Arc::new(Proxy {
            routes: Routes::new(),
            limits: config.limits.clone(),
            mark_answers: config.mark_answers,
            listen,
            phase: seen,
        });
        let control = Control::new(Arc::clone(&proxy), config.state_file, Arc::clone(&phase))
            .map_err(ServeError::entropy)?;
        if let Some(state) = state {
            proxy.routes.put_in_force(state.desired).await;
        }
        Ok(EmbeddedRouter {
            listener,
            listen,
            control_socket,
            control: Arc::new(control),
            proxy,
            connections_max: config.limits.connections_max.max(1),
            phase,
        })
    }

    /// Where it takes requests.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Serves until it is asked to shut down, and returns when the last request has ended or the
    /// deadline has passed.
    pub async fn serve(self) {
        let mut phase = self.phase.subscribe();
        let places = Arc::new(Semaphore::new(self.connections_max as usize));
        let control = tokio::spawn(
            self.control_socket
                .serve(Arc::clone(&self.control), self.phase.subscribe()),
        );
        tokio::select! {
            () = take_connections(&self.listener, &self.proxy, &places) => {}
            () = close_expired(&self.proxy) => {}
            _ = phase.wait_for(|phase| *phase != Phase::Running) => {}
        }
        drop(self.listener);
        let deadline = match *phase.borrow() {
            Phase::Draining(deadline) => deadline,
            Phase::Running | Phase::Cut => Duration::ZERO,
        };
        // Every connection and every tunnel holds a place until it ends.
        let all = places.acquire_many(self.connections_max);
        // Running out of time is what the cut is for.
        let _ = timeout(deadline, all).await;
        self.phase.send_replace(Phase::Cut);
        // The control task only ever ends by the cut, and never panics.
        let _ = control.await;
    }
}

/// Binds the address; with port 0, the port that was used before if it is free.
async fn bind_again(listen: SocketAddr, before: Option<SocketAddr>) -> io::Result<TcpListener> {
    if listen.port() == 0
        && let Some(before) = before.filter(|before| before.ip() == listen.ip())
        && let Ok(listener) = TcpListener::bind(before).await
    {
        return Ok(listener);
    }
    TcpListener::bind(listen).await
}

/// Closes kept-alive connections to instances that get no requests, such as those of an arm
/// without weight. Others are looked at whenever they are used.
async fn close_expired(proxy: &Proxy) {
    loop {
        sleep(proxy.limits.upstream_idle().max(EXPIRY_PAUSE_MIN)).await;
        proxy.routes.close_expired(&proxy.limits);
    }
}

async fn take_connections(listener: &TcpListener, proxy: &Arc<Proxy>, places: &Arc<Semaphore>) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            return; // The semaphore is never closed.
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let client = Client {
                    address: peer.ip(),
                    permit: Arc::new(place),
                };
                tokio::spawn(serve_client(stream, client, Arc::clone(proxy)));
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve_client(stream: TcpStream, client: Client, proxy: Arc<Proxy>) {
    // Without it small answers may wait; that is no reason to refuse a client.
    let _ = stream.set_nodelay(true);
    let limits = &proxy.limits;
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.client_head())
        .max_header_size(limits.header_bytes_max);
    if limits.headers_max != 100 {
        // Setting even the default costs an allocation per request.
        builder.max_headers(limits.headers_max);
    }
    let stream = TokioIo::new(Metered::new(stream, limits.write_stall()));
    let mut phase = proxy.phase.clone();
    let service = service_fn(move |request| {
        let answer = Arc::clone(&proxy).answer(client.clone(), request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = std::pin::pin!(builder.serve_connection(stream, service).with_upgrades());
    tokio::select! {
        // An error here is a client that went away or spoke no HTTP.
        _ = connection.as_mut() => return,
        _ = phase.wait_for(|phase| *phase != Phase::Running) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        _ = phase.wait_for(|phase| *phase == Phase::Cut) => {}
    }
}

/// Binds a router and serves until it is asked to shut down.
///
/// # Errors
///
/// As [`EmbeddedRouter::bind`].
pub async fn serve(config: EmbeddedConfig) -> Result<(), ServeError> {
    EmbeddedRouter::bind(config).await?.serve().await;
    Ok(())
}

/// The whole life of a router process: as [`serve`], with as many file descriptors as the system
/// grants, deaf to SIGINT and SIGHUP, which a terminal sends to all it started, and shutting down
/// gracefully on SIGTERM.
///
/// # Errors
///
/// As [`EmbeddedRouter::bind`], or the signals cannot be handled.
pub async fn run(config: EmbeddedConfig) -> Result<(), ServeError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::signals)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(ServeError::signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::signals)?;
    raise_descriptor_limit();
    let router = EmbeddedRouter::bind(config).await?;
    let phase = Arc::clone(&router.phase);
    let mut life = std::pin::pin!(router.serve());
    loop {
        tokio::select! {
            () = &mut life => return Ok(()),
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
            _ = terminate.recv() => {
                phase.send_if_modified(|phase| {
                    let running = *phase == Phase::Running;
                    if running {
                        *phase = Phase::Draining(TERMINATION_DEADLINE);
                    }
                    running
                });
            }
        }
    }
}

/// Every request needs two descriptors, and the usual soft limit is 1024.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // With fewer descriptors the router accepts fewer connections at once, and says nothing wrong.
    let _ = setrlimit(Resource::Nofile, limit);
}
