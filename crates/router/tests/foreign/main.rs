//! The dialects of foreign routers: what they ask against frozen text, and what they understand
//! of recorded, wrong and hostile replies.
//!
//! `fixtures/router` holds replies recorded from HAProxy 2.6.12, nginx 1.22.1, Envoy 1.40.0,
//! Caddy 2.11.7 and Traefik 3.7.15. Those of the Gateway API are written after its specification.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a failure is meant to end it"
)]

mod golden;
mod hostile;
mod recorded;
mod world;
