#![doc = include_str!("../README.md")]

mod address;
mod attempt;
mod bind;
mod codes;
mod connect;
mod curl;
mod deadline;
mod excerpt;
mod exchange;
mod judge;
mod junit;
mod limits;
mod options;
mod path;
mod report;
mod request;
mod run;
mod statement;
mod suite;
mod target;
mod template;
mod text;
mod tls;
mod trouble;
mod wire;

pub use address::is_link_local_or_metadata;
pub use exchange::Timings;
pub use junit::JunitDialect;
pub use limits::Limits;
pub use options::{Options, Secrets};
pub use report::{
    Attempt, Counts, Failure, Report, SuiteReference, SuiteVerdict, TestResult, Verdict,
};
pub use run::{Event, run};
pub use statement::PartialRun;
pub use suite::model::{Suite, Test};
pub use target::{Target, TargetError, TargetErrorKind};
pub use tls::TlsFacts;
pub use trouble::Cause;
