//! What the embedded router is started with, and its limits.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How to start an embedded router.
///
/// It is serialisable, so that it can be handed to the router's own process as one argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedConfig {
    /// Where it takes requests. With port 0 it takes the port that its state file names, if that
    /// is free, or any free one; read it back in the snapshot's `listen`.
    pub listen: SocketAddr,
    /// The Unix socket of the control interface. Made readable to its owner only.
    pub control: PathBuf,
    /// Where the change accepted last is kept, so that a restarted router comes up with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_file: Option<PathBuf>,
    /// Whether answers carry `x-nonevent-arm` and `x-nonevent-instance`, so that a client can
    /// keep a ledger of who answered.
    #[serde(default = "yes")]
    pub mark_answers: bool,
    /// What may grow, and how far.
    #[serde(default)]
    pub limits: EmbeddedLimits,
}

const fn yes() -> bool {
    true
}

impl EmbeddedConfig {
    /// A router without a state file, that marks its answers, with the default limits.
    #[must_use]
    pub fn new(listen: SocketAddr, control: impl Into<PathBuf>) -> EmbeddedConfig {
        EmbeddedConfig {
            listen,
            control: control.into(),
            state_file: None,
            mark_answers: true,
            limits: EmbeddedLimits::default(),
        }
    }

    /// The same with a state file.
    #[must_use]
    pub fn with_state_file(self, state_file: impl Into<PathBuf>) -> EmbeddedConfig {
        EmbeddedConfig {
            state_file: Some(state_file.into()),
            ..self
        }
    }
}

/// The limits of an embedded router: what can grow has a name and a unit here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddedLimits {
    /// Client connections open at once, tunnels included. At the limit no further one is
    /// accepted until one ends; the kernel's queue holds them meanwhile.
    pub connections_max: u32,
    /// Header fields of a request or an answer. Above it a client gets 431, and an answer counts
    /// as an error.
    pub headers_max: usize,
    /// Bytes of all header fields of a request or an answer, treated likewise.
    pub header_bytes_max: usize,
    /// Instances that one request is tried on.
    pub attempts_max: u32,
    /// Kept-alive connections held per instance while idle.
    pub upstream_idle_max: usize,
    /// How long such a connection is held. Shorter than servers' own limits (often 5 s), so that
    /// they rarely close it first.
    pub upstream_idle_ms: u64,
    /// Making a connection to an instance.
    pub connect_ms: u64,
    /// From the last byte of the request to the first of the answer. The same limit holds for a
    /// client that pauses within its request.
    pub first_byte_ms: u64,
    /// A pause within the body of an answer.
    pub body_idle_ms: u64,
    /// A pause of a peer that takes none of the bytes it is sent.
    pub write_stall_ms: u64,
    /// Until a client's next request head is complete, idle time between requests included.
    pub client_head_ms: u64,
    /// An upgraded connection without a byte in either direction.
    pub tunnel_idle_ms: u64,
}

impl Default for EmbeddedLimits {
    fn default() -> EmbeddedLimits {
        EmbeddedLimits {
            connections_max: 4_096,
            headers_max: 100,
            header_bytes_max: 64 << 10,
            attempts_max: 3,
            upstream_idle_max: 64,
            upstream_idle_ms: 4_000,
            connect_ms: 2_000,
            first_byte_ms: 30_000,
            body_idle_ms: 300_000,
            write_stall_ms: 60_000,
            client_head_ms: 60_000,
            tunnel_idle_ms: 3_600_000,
        }
    }
}

impl EmbeddedLimits {
    pub(super) const fn connect(&self) -> Duration {
        Duration::from_millis(self.connect_ms)
    }

    pub(super) const fn first_byte(&self) -> Duration {
        Duration::from_millis(self.first_byte_ms)
    }

    pub(super) const fn body_idle(&self) -> Duration {
        Duration::from_millis(self.body_idle_ms)
    }

    pub(super) const fn write_stall(&self) -> Duration {
        Duration::from_millis(self.write_stall_ms)
    }

    pub(super) const fn upstream_idle(&self) -> Duration {
        Duration::from_millis(self.upstream_idle_ms)
    }

    pub(super) const fn tunnel_idle(&self) -> Duration {
        Duration::from_millis(self.tunnel_idle_ms)
    }

    pub(super) const fn client_head(&self) -> Duration {
        Duration::from_millis(self.client_head_ms)
    }
}
