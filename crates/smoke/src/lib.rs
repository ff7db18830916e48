#![doc = include_str!("../README.md")]

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

pub use limits::Limits;
pub use net::address::is_link_local_or_metadata;
pub use net::exchange::Timings;
pub use net::tls::TlsFacts;
pub use options::{Options, Secrets};
pub use report::junit::JunitDialect;
pub use report::statement::PartialRun;
pub use report::{
    Attempt, Counts, Failure, Report, SuiteReference, SuiteVerdict, TestResult, Verdict,
};
pub use run::{Event, run};
pub use suite::model::{Suite, Test};
pub use target::{Target, TargetError, TargetErrorKind};
pub use trouble::Cause;
