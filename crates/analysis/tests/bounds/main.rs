//! The language of bounds: its texts, its laws, and what its answers say.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

mod answer_laws;
mod answers;
mod golden;
mod laws;
mod samples;
