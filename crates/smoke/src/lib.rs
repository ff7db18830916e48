#![doc = include_str!("../README.md")]

mod backends;
mod bind;
mod changes;
mod codes;
mod judge;
mod latency;
mod limits;
mod net;
mod options;
mod report;
mod run;
mod suite;
mod target;
mod trouble;

pub use backends::{Backend, Backends, Quorum, QuorumError};
pub use changes::{Change, Changes, TestChange};
pub use latency::{LatencyComparison, LatencyFigures, LatencyRule, LatencyVerdict};
pub use limits::Limits;
pub use net::address::is_link_local_or_metadata;
pub use net::certificate::TlsFacts;
pub use net::exchange::Timings;
pub use net::peer::Peer;
pub use net::route::HttpVersion;
pub use net::transport::{Channel, Network, Transport, TransportFuture};
pub use options::{Files, Options, Secrets};
pub use report::junit::JunitDialect;
pub use report::result::{Attempt, Failure, Part, Redirect, TestResult};
pub use report::statement::PartialRun;
pub use report::verdict::{Counts, Severity, SuiteVerdict, Verdict};
pub use report::{BackendResult, Report, SuiteReference, Summary};
pub use run::{Event, run, stream};
pub use suite::model::{Suite, Test};
pub use target::{Target, TargetError, TargetErrorKind};
pub use trouble::Cause;
