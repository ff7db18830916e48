//! Every bound the runner keeps, by name and with its unit.

use serde::{Deserialize, Serialize};

/// The bounds of one run. Nothing that a server sends, or fails to send, goes past them.
///
/// All deadlines are milliseconds and are counted from the start of their own phase; each is cut
/// short by the attempt's `total_ms` and by the run's budget.
///
/// ```
/// use nonevent_smoke::Limits;
///
/// let strict = Limits { body_bytes_max: 64 * 1024, ..Limits::default() };
/// assert_eq!(strict.total_ms, 10_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// One attempt, from resolving the name to the last byte of the body: 10 000 ms. A test's own
    /// `timeout_ms` and [`Options::timeout_ms`](crate::Options::timeout_ms) replace it.
    pub total_ms: u64,
    /// Resolving the name and connecting, over all addresses of the name together: 5 000 ms.
    pub connect_ms: u64,
    /// The TLS handshake: 5 000 ms.
    pub tls_ms: u64,
    /// From sending the request until the head of the final answer is complete: 60 000 ms, so
    /// that by default `total_ms` decides.
    pub first_byte_ms: u64,
    /// Between two pieces of the body: 60 000 ms, so that by default `total_ms` decides.
    pub idle_ms: u64,
    /// The teardown of a run that was cancelled: 30 000 ms.
    pub teardown_ms: u64,
    /// The whole head of an answer: 65 536 bytes.
    pub header_bytes_max: usize,
    /// Header lines in an answer: 100.
    pub header_count_max: usize,
    /// Interim (1xx) answers before the final one in HTTP/1.1: 16. In HTTP/2 they are not counted,
    /// and `wire_bytes_max` holds them.
    pub informational_max: u32,
    /// The body of an answer as it is on the wire, without its chunk framing: 2 MiB.
    pub body_bytes_max: usize,
    /// The body of an answer once its content coding (gzip, deflate, br, zstd) is undone: 8 MiB.
    pub decoded_bytes_max: usize,
    /// Everything that comes over one connection for one request, framing and interim answers
    /// included: 4 MiB.
    pub wire_bytes_max: u64,
    /// The slowest that a body may come in the mean, once `rate_grace_ms` have passed: 64 bytes
    /// in a second.
    pub rate_bytes_per_s_min: u64,
    /// How long after the head of the answer no rate is asked of its body: 5 000 ms.
    pub rate_grace_ms: u64,
    /// Redirects followed by a test that follows them and does not say how many: 5.
    pub redirects_max: u32,
    /// Backends of one run: 1 000.
    pub backends_max: usize,
    /// Addresses tried for one name: 8.
    pub addresses_max: usize,
    /// Characters of an excerpt in a failure: 400.
    pub excerpt_chars_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            total_ms: 10_000,
            connect_ms: 5_000,
            tls_ms: 5_000,
            first_byte_ms: 60_000,
            idle_ms: 60_000,
            teardown_ms: 30_000,
            header_bytes_max: 64 * 1024,
            header_count_max: 100,
            informational_max: 16,
            body_bytes_max: 2 * 1024 * 1024,
            decoded_bytes_max: 8 * 1024 * 1024,
            wire_bytes_max: 4 * 1024 * 1024,
            rate_bytes_per_s_min: 64,
            rate_grace_ms: 5_000,
            redirects_max: 5,
            backends_max: 1_000,
            addresses_max: 8,
            excerpt_chars_max: 400,
        }
    }
}
