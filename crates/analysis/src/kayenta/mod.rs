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
//! **Nothing holds its level when it is asked again and again.** Its 98 % are meant for one look after
//! a number of samples fixed beforehand. For samples that are independent from minute to minute the
//! tolerance of a quarter makes up for much of that: `examples/kayenta.rs` measures how often it is
//! High at some of 60 looks. What it does not see is small differences between rare counts. For
//! watching use [`Comparison`](crate::Comparison).

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
