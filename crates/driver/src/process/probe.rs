//! Asking an instance whether it is well.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, USER_AGENT};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::driven::driven;

/// The most bytes of header fields in the answer to a probe.
const PROBE_HEADER_BYTES_MAX: usize = 64 << 10;

/// How an instance is asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// The path that answers with a status of 200 to 299 when all is well.
    pub path: String,
    /// The pause between two probes of one instance.
    pub interval_ms: u64,
    /// How long an answer may take.
    pub timeout_ms: u64,
    /// Probes in a row that must succeed before an instance is ready.
    pub successes: u32,
    /// Probes in a row that must fail before a ready instance is not.
    pub failures: u32,
}

impl Default for Health {
    /// `GET /health` every 500 ms, answered within 1 s; one success, one failure.
    fn default() -> Health {
        Health {
            path: "/health".to_owned(),
            interval_ms: 500,
            timeout_ms: 1_000,
            successes: 1,
            failures: 1,
        }
    }
}

/// Probes once. The error says what was wrong, in words.
pub(super) async fn probe(address: SocketAddr, health: &Health) -> Result<(), String> {
    let limit = Duration::from_millis(health.timeout_ms);
    timeout(limit, ask(address, &health.path))
        .await
        .unwrap_or_else(|_| {
            Err(format!(
                "GET {} got no answer within {} ms",
                health.path, health.timeout_ms
            ))
        })
}

async fn ask(address: SocketAddr, path: &str) -> Result<(), String> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("no connection: {error}"))?;
    // A connection to a loopback port where nobody listens can meet itself.
    let to_itself = match (stream.local_addr(), stream.peer_addr()) {
        (Ok(local), Ok(peer)) => local == peer,
        _ => false,
    };
    if to_itself {
        return Err("no connection: nobody listens".to_owned());
    }
    let broke_off = |error: hyper::Error| format!("GET {path} broke off: {error}");
    let request = http::Request::get(path)
        .header(HOST, address.to_string())
        .header(USER_AGENT, "nonevent-health")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("the health path `{path}` cannot be asked for: {error}"))?;
    let (mut sender, connection) = http1::Builder::new()
        .max_header_size(PROBE_HEADER_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broke_off)?;
    let answer = driven(connection, sender.send_request(request))
        .await
        .map_err(broke_off)?;
    let status = answer.status();
    if status.is_success() {
        Ok(())
    } else {
        Err(format!("GET {path} answered {}", status.as_u16()))
    }
}
