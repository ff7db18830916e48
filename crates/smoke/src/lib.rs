#![doc = include_str!("../README.md")]

mod backends;
mod bind;
mod codes;
mod judge;
mod limits;
mod net;
mod options;
mod report;
mod run;
mod suite;
mod target;
mod trouble;

pub use backends::{Backend, Backends, Quorum, QuorumError};
pub use limits::Limits;
pub use net::address::is_link_local_or_metadata;
pub use net::certificate::TlsFacts;
pub use net::exchange::Timings;
pub use net::peer::Peer;
pub use net::route::HttpVersion;
pub use net::transport::{Channel, Network, Transport, TransportFuture};
pub use options::{Files, Options, Secrets};
pub use report::github::GithubWriter;
pub use report::html::HtmlWriter;
pub use report::json::JsonWriter;
pub use report::junit::{JunitDialect, JunitWriter};
pub use report::result::{Attempt, Failure, Part, Redirect, TestResult};
pub use report::statement::PartialRun;
pub use report::text::TextWriter;
pub use report::verdict::{Counts, Severity, SuiteVerdict, Verdict};
pub use report::writer::ReportWriter;
pub use report::{BackendResult, Report, SuiteReference, Summary};
pub use run::{Event, run, stream};
pub use suite::model::{Suite, Test};
pub use target::{Target, TargetError, TargetErrorKind};
pub use trouble::Cause;
