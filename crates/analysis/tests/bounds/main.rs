//! The language of bounds: its texts and its laws.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

mod golden;
mod laws;
mod samples;
