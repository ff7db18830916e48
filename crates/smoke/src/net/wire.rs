//! The byte stream under HTTP, and a meter on it.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use crate::net::transport::Channel;

/// What a connection has received since the last [`Meter::reset`].
#[derive(Debug)]
pub(crate) struct Meter {
    born: Instant,
    received_bytes: AtomicU64,
    /// Microseconds after `born`, plus one; 0 while nothing came.
    first_byte_us: AtomicU64,
    informational: AtomicU32,
}

impl Meter {
    pub(crate) fn new() -> Arc<Meter> {
        Arc::new(Meter {
            born: Instant::now(),
            received_bytes: AtomicU64::new(0),
            first_byte_us: AtomicU64::new(0),
            informational: AtomicU32::new(0),
        })
    }

    pub(crate) fn reset(&self) {
        self.received_bytes.store(0, Ordering::Relaxed);
        self.first_byte_us.store(0, Ordering::Relaxed);
        self.informational.store(0, Ordering::Relaxed);
    }

    pub(crate) fn received_bytes(&self) -> u64 {
        self.received_bytes.load(Ordering::Relaxed)
    }

    /// Microseconds from `since` to the first byte.
    pub(crate) fn first_byte_us(&self, since: Instant) -> Option<u64> {
        let stored = self.first_byte_us.load(Ordering::Relaxed).checked_sub(1)?;
        Some(stored.saturating_sub(micros(since.saturating_duration_since(self.born))))
    }

    pub(crate) fn count_informational(&self) {
        self.informational.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn informational(&self) -> u32 {
        self.informational.load(Ordering::Relaxed)
    }

    fn received(&self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let before = self
            .received_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
        if before == 0 {
            self.first_byte_us
                .store(micros(self.born.elapsed()) + 1, Ordering::Relaxed);
        }
    }
}

pub(crate) fn micros(duration: core::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A plain or TLS stream.
pub(crate) enum Stream {
    Plain(Box<dyn Channel>),
    Tls(Box<TlsStream<Box<dyn Channel>>>),
}

/// A stream whose received bytes are counted.
pub(crate) struct Wire {
    stream: Stream,
    meter: Arc<Meter>,
}

impl Wire {
    pub(crate) fn new(stream: Stream, meter: Arc<Meter>) -> Wire {
        Wire { stream, meter }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        };
        self.meter
            .received(buf.filled().len().saturating_sub(before));
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            // It is closed at once, which says the same to the peer.
            Stream::Plain(_) => Poll::Ready(Ok(())),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
