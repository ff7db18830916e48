//! The edge to the network, which can be replaced.

use core::future::Future;
use core::pin::Pin;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::net::peer::Peer;

/// A future of a [`Transport`].
pub type TransportFuture<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// An open stream of bytes in both directions.
pub trait Channel: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Channel for T {}

/// Where names become addresses and addresses connections.
///
/// [`Network`] is the real one. A test brings its own, of `tokio::io::duplex` streams: with
/// tokio's clock paused (`tokio::time::pause`), from which every deadline and duration of a run is
/// taken, such a run is the same each time and takes none.
///
/// Deadlines are the runner's: a transport that never answers is given up.
pub trait Transport: Send + Sync {
    /// The addresses of a host name, in the order in which they are to be tried.
    ///
    /// # Errors
    ///
    /// Whatever keeps the name from having an address.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> TransportFuture<'a, Vec<SocketAddr>>;

    /// Connects. What is given back carries bytes; TLS and HTTP are the runner's.
    ///
    /// # Errors
    ///
    /// Whatever keeps the connection from being made.
    fn connect<'a>(&'a self, peer: &'a Peer) -> TransportFuture<'a, Box<dyn Channel>>;
}

/// The operating system's resolver and sockets.
///
/// Names are resolved on a thread of tokio's blocking pool. A resolver that hangs does not delay
/// the run, but it delays the end of a runtime that is dropped and not shut down with
/// `shutdown_background`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Network;

impl Transport for Network {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> TransportFuture<'a, Vec<SocketAddr>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }

    fn connect<'a>(&'a self, peer: &'a Peer) -> TransportFuture<'a, Box<dyn Channel>> {
        Box::pin(async move {
            match peer {
                Peer::Tcp(address) => {
                    let stream = TcpStream::connect(address).await?;
                    // Delaying small segments would only show up as latency of the service.
                    let _unneeded = stream.set_nodelay(true);
                    Ok(Box::new(stream) as Box<dyn Channel>)
                }
                Peer::Unix(path) => unix(path).await,
            }
        })
    }
}

#[cfg(unix)]
async fn unix(path: &std::path::Path) -> io::Result<Box<dyn Channel>> {
    Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn unix(_path: &std::path::Path) -> io::Result<Box<dyn Channel>> {
    Err(io::ErrorKind::Unsupported.into())
}
