//! Metric sources as values: what to ask, and what the answer says. Nothing here opens a socket.
//!
//! It is for a deployer with an HTTP client of its own. The way of one look:
//!
//! 1. A [`Template`] is filled with the version and the window: no value can change what it asks.
//! 2. [`PrometheusApi`] makes an [`HttpRequest`] of it; you send it.
//! 3. [`Reply::read`] takes status and body, strictly and under limits.
//! 4. [`CounterLook`] (raw counters, differenced here; preferred) or [`window_of_increases`]
//!    (`increase()`, computed by Prometheus) makes a [`Look`] of the replies: a
//!    [`Window`](crate::Window), or the [`GapReason`](crate::GapReason) why there is none, with
//!    every finding. [`arm_values`] does so for one number per version.
//! 5. [`Look::observation`] goes into the [`Comparison`](crate::Comparison). If there was no
//!    answer at all, or [`MetricsError::gap`] came of it, that gap goes in.
//!
//! An absent figure is never a zero: an empty vector, a `null`, a stale sample, a reset counter, a
//! warning of partial data and `NaN` are each a gap of their own.
//!
//! Sources that are not Prometheus are read by [`JsonCounts`] and [`JsonValues`] with RFC 9535
//! paths ([recipes](json)); alerts of Alertmanager by [`AlertSelect`].
//!
//! `examples/prometheus_look.rs` in the repository reads two recorded looks and prints a verdict.

mod alerts;
mod body;
mod counters;
mod difference;
mod error;
mod escape;
mod gathering;
mod increase;
pub mod json;
mod look;
mod native;
mod number;
mod prometheus;
mod reply;
mod request;
mod template;
mod tokens;

pub use alerts::{ALERTS_MAX, AlertAnswer, AlertMatcher, AlertSelect, FiringAlert};
pub use body::{BODY_BYTES_MAX, BODY_DEPTH_MAX};
pub use counters::{CounterLook, CounterReplies, FailedLabel, Failures};
pub use error::{MetricsError, MetricsErrorKind};
pub use increase::{ArmValues, IncreaseReplies, arm_values, window_of_increases};
pub use json::{CountPaths, JsonBody, JsonCounts, JsonPath, JsonValues, PATH_BYTES_MAX, TimeUnit};
pub use look::{
    Appeared, Arm, ArmNames, ArmReplies, FINDINGS_MAX, Look, LookFinding, LookRules, WindowTimes,
};
pub use native::{BUCKETS_MAX, NativeBucket, NativeHistogram, REPAIR_PERCENT_MAX};
pub use number::COUNT_MAX;
pub use prometheus::{
    DURATION_MS_MAX, GET_BYTES_MAX, POINTS_MAX, PrometheusApi, QUERY_BYTES_MAX, RangeTimes,
};
pub use reply::{Labels, Point, Reply, ResultKind, SERIES_MAX, SampleValue, Series};
pub use request::{HttpRequest, Method};
pub use template::{
    FILL_BYTES_MAX, Fill, PLACEHOLDERS_MAX, Template, TemplateProblem, TemplateProblemKind,
};
pub use tokens::{QueryToken, query_tokens};
