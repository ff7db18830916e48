//! Runbooks of real plans, rendered, forged and read back.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on shall say where it stopped"
)]

mod checking;
mod forged;
mod plans;
mod reading;
mod rendering;
mod signing;
mod templates;
mod updating;
