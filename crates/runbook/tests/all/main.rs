//! Runbooks of real plans, rendered, forged and read back.

#![expect(
    clippy::unwrap_used,
    reason = "the lint knows tests by their attribute, not the functions they call"
)]

mod forged;
mod plans;
mod reading;
mod rendering;
mod templates;
