//! The embedded router: a weighted reverse proxy for HTTP/1.1 that outlives its controller.
//!
//! It runs as a process of its own ([`run`]), takes requests on a TCP address, and is told what
//! shall be over a Unix socket in the dialect of [`nonevent_router::embedded`], by
//! [`RouterClient`](crate::RouterClient) for one. What it does to requests is a reverse proxy's
//! job as RFC 9110 and RFC 9112 describe it: bodies stream both ways under backpressure, upgrades
//! become tunnels, fields of one connection stay on it, and `Via` and `X-Forwarded-For` are added.
//!
//! Every choice of an instance is a function of a counter: 5 % is 5 % in every short window of
//! requests, not only on average. A change swaps the whole routing state at once and disturbs no
//! request that is under way; an instance that was left out gets no further request from the
//! moment the change is acknowledged, and the snapshot shows what it still holds.
//!
//! What fails counts against the version that failed, also where another instance then answered
//! for it. An arm without weight gets nothing, not even a retry: its counters stand still.
//!
//! Left out on purpose: TLS, HTTP/2, trailers, answers 1xx other than 100 and 101 (the server
//! library cannot send them), sessions, health checks (the fleet has them) and ejecting instances
//! that fail (the controller decides).

mod answer;
mod config;
mod control;
mod error;
mod headers;
mod metered;
mod proxy;
mod request_body;
mod routes;
mod serve;
mod state_file;
mod tally;
mod upstream;

pub use config::{EmbeddedConfig, EmbeddedLimits};
pub use error::{ServeError, ServeErrorKind};
pub use serve::{EmbeddedRouter, run, serve};
