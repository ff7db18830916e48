//! A second opinion: a judge that answers as Kayenta's `NetflixACAJudge-v1.0` does.
//!
//! For people who come from Kayenta and want to know what it would have said. It compares samples of
//! a metric (one per minute, say) of a *control* and an *experiment* by a Mann–Whitney test, and
//! makes a score of all metrics. The first type to meet is [`Judge`].
//!
//! Written from the published behaviour, not from its code; where that is silent or this crate's
//! rules forbid it, the choice is named at the item. Those that matter:
//!
//! - An arm without samples is no data whatever the NaN strategy; Kayenta lets it pass if NaN become
//!   zeros. (Samples that are NaN do become zeros.)
//! - Samples too few for the test's confidence (4 against 4) never make a metric High or Low. R's
//!   test, which Kayenta follows, then returns the outermost differences for an interval, by which
//!   even one sample per arm could be High.
//! - An arm of equal samples is compared as it is; no noise is added.
//!
//! **It has no level to hold when it is asked again and again.** Its 98 % are meant for one look after
//! a number of samples fixed beforehand. Where error rates are independent from minute to minute the
//! tolerance of a quarter makes up for that: good canaries were High at some of 60 looks in at most
//! 1.5 % of the simulated hours of `examples/kayenta.rs`. That is a measurement, not a promise; and
//! the same judge missed a third to nine tenths of canaries with three times the errors at 50
//! requests a minute. For watching use [`Comparison`](crate::Comparison).

mod clean;
mod config;
mod effect;
mod error;
mod interval;
mod judge;
mod score;
mod select;

pub use config::{
    Config, ConfigProblem, Direction, EffectMeasure, EffectSize, GROUPS_MAX, METRICS_MAX,
    MetricConfig, NAME_BYTES_MAX, NanStrategy, Outliers,
};
pub use effect::{cles, mean_ratio};
pub use error::{KayentaError, KayentaErrorKind};
pub use interval::{
    MannWhitney, SAMPLE_MAGNITUDE_MAX, SAMPLES_MAX, ShiftInterval, mann_whitney_interval,
};
pub use judge::{Arms, Classification, Compared, Judge, MetricResult, MetricSamples};
pub use score::{GroupScore, Judgement, Rating};
