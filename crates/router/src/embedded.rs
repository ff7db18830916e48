//! The dialect of the embedded router: JSON over HTTP on a Unix socket.
//!
//! | request | answer |
//! |---|---|
//! | `PUT /desired` with a [`Desired`] | 200 and the [`Snapshot`] after the change; 412 when another controller has taken over |
//! | `GET /snapshot` | 200 and the [`Snapshot`] |
//! | `POST /shutdown` with a deadline | 202; the router finishes what it has and ends |
//!
//! Every content is `{"apiVersion":"nonevent/v1","kind":…,"spec":…}`; unknown fields are refused.
//! The controller's half builds requests and reads answers, the router's half reads requests and
//! builds answers, so that both sides of the wire are in this module and tested against each
//! other.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{
    Abilities, Answer, Arm, Backend, Desired, Fencing, Granularity, LATENCY_BUCKETS, Method,
    ReadBack, Request, RouterError, RouterErrorKind, Snapshot, Stickiness,
};

/// The version of this dialect.
pub const API_VERSION: &str = "nonevent/v1";

/// The longest content of a request or an answer, in bytes.
pub const CONTROL_BODY_BYTES_MAX: usize = 4 << 20;

/// The most instances in one arm's pool.
pub const BACKENDS_MAX: usize = 1_000;

/// The longest instance name, in bytes.
pub const BACKEND_ID_BYTES_MAX: usize = 128;

/// What the embedded router can do.
pub const ABILITIES: Abilities = Abilities {
    granularity: Granularity::Parts(crate::FULL_WEIGHT),
    read_back: ReadBack::State,
    fencing: Fencing::Ordered,
    stickiness: Stickiness::None,
    closes: true,
    counts: true,
    reports_draining: true,
    survives_restart: true,
    survives_reload: true,
    sets_pools: true,
    routes_headers: false,
    mirrors: false,
    ends_sessions: false,
};

const DESIRED: &str = "RouterDesired";
const SNAPSHOT: &str = "RouterSnapshot";
const SHUTDOWN: &str = "RouterShutdown";
const ERROR: &str = "RouterError";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire<T> {
    api_version: String,
    kind: String,
    spec: T,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShutdownWire {
    deadline_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorWire {
    message: String,
}

fn to_bytes<T: Serialize>(kind: &str, spec: T) -> Vec<u8> {
    let wire = Wire {
        api_version: API_VERSION.to_owned(),
        kind: kind.to_owned(),
        spec,
    };
    serde_json::to_vec(&wire).expect("these types have string keys and no failing serializer")
}

fn from_bytes<T: DeserializeOwned>(
    kind: &str,
    body: &[u8],
    fault: RouterErrorKind,
) -> Result<T, RouterError> {
    let unfit = |why: String| RouterError::new(fault, format!("not a {API_VERSION} {kind}: {why}"));
    if body.len() > CONTROL_BODY_BYTES_MAX {
        return Err(unfit(format!("over {CONTROL_BODY_BYTES_MAX} bytes")));
    }
    let wire: Wire<T> = serde_json::from_slice(body).map_err(|error| unfit(format!("{error}")))?;
    if wire.api_version != API_VERSION || wire.kind != kind {
        return Err(unfit(format!(
            "it says apiVersion `{}`, kind `{}`",
            wire.api_version, wire.kind
        )));
    }
    Ok(wire.spec)
}

fn json_request(method: Method, path: &str, body: Vec<u8>) -> Request {
    let headers = if body.is_empty() {
        Vec::new()
    } else {
        [("content-type".to_owned(), "application/json".to_owned())].into()
    };
    Request {
        method,
        path: path.to_owned(),
        headers,
        body,
    }
}

/// The request that asks for a state. Its answer is read by [`parse_snapshot`].
#[must_use]
pub fn set(desired: &Desired) -> Request {
    json_request(Method::Put, "/desired", to_bytes(DESIRED, desired))
}

/// The request that reads the router back. Its answer is read by [`parse_snapshot`].
#[must_use]
pub fn read() -> Request {
    json_request(Method::Get, "/snapshot", Vec::new())
}

/// The request that ends the router: it takes no new connection, finishes what it has for at
/// most `deadline_ms`, and then cuts what is left. Its answer is read by [`parse_accepted`].
#[must_use]
pub fn shutdown(deadline_ms: u64) -> Request {
    json_request(
        Method::Post,
        "/shutdown",
        to_bytes(SHUTDOWN, ShutdownWire { deadline_ms }),
    )
}

/// Reads the answer to [`set`] or [`read`].
///
/// # Errors
///
/// [`RouterErrorKind::Stale`] for 412, [`RouterErrorKind::Refused`] for another 4xx,
/// [`RouterErrorKind::Failed`] for 5xx, [`RouterErrorKind::Unreadable`] for anything else.
pub fn parse_snapshot(status: u16, body: &[u8]) -> Result<Snapshot, RouterError> {
    if status != 200 {
        return Err(fault(status, body));
    }
    let snapshot: Snapshot = from_bytes(SNAPSHOT, body, RouterErrorKind::Unreadable)?;
    for arm in Arm::BOTH {
        if snapshot.counters.of(arm).latency.0.len() > LATENCY_BUCKETS {
            return Err(RouterError::new(
                RouterErrorKind::Unreadable,
                format!("the router reports more than {LATENCY_BUCKETS} latency buckets of {arm}"),
            ));
        }
    }
    Ok(snapshot)
}

/// Reads the answer to [`shutdown`].
///
/// # Errors
///
/// As [`parse_snapshot`].
pub fn parse_accepted(status: u16, body: &[u8]) -> Result<(), RouterError> {
    match status {
        202 => Ok(()),
        _ => Err(fault(status, body)),
    }
}

fn fault(status: u16, body: &[u8]) -> RouterError {
    let kind = match status {
        412 => RouterErrorKind::Stale,
        400..=499 => RouterErrorKind::Refused,
        500..=599 => RouterErrorKind::Failed,
        _ => RouterErrorKind::Unreadable,
    };
    let message = from_bytes::<ErrorWire>(ERROR, body, kind)
        .map_or_else(|_| "it gives no reason".to_owned(), |wire| wire.message);
    RouterError::new(kind, format!("the router answered {status}: {message}"))
}

/// The router's half: reads what [`set`] wrote, and checks it.
///
/// # Errors
///
/// [`RouterErrorKind::Refused`] if it cannot be read, an instance has no usable name or address,
/// a name or an address occurs twice, or a pool exceeds [`BACKENDS_MAX`].
pub fn parse_desired(body: &[u8]) -> Result<Desired, RouterError> {
    let desired: Desired = from_bytes(DESIRED, body, RouterErrorKind::Refused)?;
    check(&desired)?;
    Ok(desired)
}

/// Whether the embedded router can be asked for this. An open split with an empty pool is
/// allowed: the other arm takes its share if it has weight.
///
/// # Errors
///
/// As [`parse_desired`].
pub fn check(desired: &Desired) -> Result<(), RouterError> {
    let refused = |why: String| Err(RouterError::new(RouterErrorKind::Refused, why));
    let (mut ids, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    for arm in Arm::BOTH {
        let pool = desired.pools.of(arm);
        if pool.len() > BACKENDS_MAX {
            return refused(format!(
                "the pool of {arm} has {} instances; at most {BACKENDS_MAX} are possible",
                pool.len()
            ));
        }
        for Backend { id, address } in pool {
            let plain = |c: char| c.is_ascii_graphic();
            if id.is_empty() || id.len() > BACKEND_ID_BYTES_MAX || !id.chars().all(plain) {
                return refused(format!(
                    "instance name `{}` of {arm}: write 1 to {BACKEND_ID_BYTES_MAX} visible ASCII characters",
                    id.escape_debug()
                ));
            }
            let Ok(socket) = address.parse::<SocketAddr>() else {
                return refused(format!(
                    "instance `{id}` of {arm}: address `{}` is not an IP address and port such as 127.0.0.1:8080",
                    address.escape_debug()
                ));
            };
            if socket.port() == 0 {
                return refused(format!(
                    "instance `{id}` of {arm}: port 0 cannot be reached"
                ));
            }
            if !ids.insert((arm, id.as_str())) {
                return refused(format!("instance `{id}` occurs twice in the pool of {arm}"));
            }
            if !addresses.insert(socket) {
                return refused(format!(
                    "address {socket} of instance `{id}` of {arm} belongs to another instance too"
                ));
            }
        }
    }
    Ok(())
}

/// The router's half: reads what [`shutdown`] wrote, in milliseconds.
///
/// # Errors
///
/// [`RouterErrorKind::Refused`] if it cannot be read.
pub fn parse_shutdown(body: &[u8]) -> Result<u64, RouterError> {
    from_bytes::<ShutdownWire>(SHUTDOWN, body, RouterErrorKind::Refused)
        .map(|wire| wire.deadline_ms)
}

/// The router's half: the answer to [`set`] and [`read`].
#[must_use]
pub fn snapshot_answer(snapshot: &Snapshot) -> Answer {
    Answer {
        status: 200,
        body: to_bytes(SNAPSHOT, snapshot),
    }
}

/// The router's half: the answer that says no.
#[must_use]
pub fn error_answer(error: &RouterError) -> Answer {
    let status = match error.kind() {
        RouterErrorKind::Stale => 412,
        RouterErrorKind::Refused => 400,
        _ => 500,
    };
    Answer {
        status,
        body: to_bytes(
            ERROR,
            ErrorWire {
                message: format!("{error}"),
            },
        ),
    }
}
