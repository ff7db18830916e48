//! The language in which a document states what a canary is allowed.
//!
//! ```text
//! error_rate <= baseline * 1.5 and error_rate <= 1%
//! p99 <= baseline * 2 for 5m
//! p99 <= 800ms or p99 <= baseline + 50ms
//! cpu <= 90% for 10m of at least 100 requests
//! ```
//!
//! A clause says what is *allowed*. It is broken once the confidence bound of its metric is beyond
//! the limit (never by an estimate alone), over enough requests, and, with `for`, without
//! interruption for so long. Missing data is unknown, never kept.
//!
//! [`check`] reads a text with all its findings into a [`Bound`], which is data: it prints in one
//! canonical form, is serialised as that text, and holds integers only. [`Bound::explain`] answers
//! it from what was measured; [`Sustained`] keeps the time that `for` asks about. The tests behind
//! the confidence bounds are not here.
//!
//! # Grammar
//!
//! ```text
//! bound     = all , { "or" , all } ;
//! all       = part , { "and" , part } ;
//! part      = clause | "(" , bound , ")" ;
//! clause    = metric , operator , limit , { condition } ;
//! operator  = "<=" | "<" | ">=" | ">" | "≤" | "≥" ;
//! limit     = quantity | baseline , [ "+" , quantity ] ;
//! baseline  = "baseline" , [ times , number ] | number , times , "baseline" ;
//! times     = "*" | "×" ;
//! quantity  = number , [ unit ] ;
//! unit      = "%" | "us" | "ms" | "s" | "m" | "B" | "kB" | "MB" | "GB" | "KiB" | "MiB" | "GiB"
//!           | "/s" | "/min" ;
//! condition = "for" , duration | "of" , "at" , "least" , integer , "requests" ;
//! metric    = ( letter | "_" ) , { sign } , { "." , sign , { sign } } ;
//! sign      = letter | digit | "_" ;
//! number    = digit , { digit } , [ "." , digit , { digit } ] ;
//! ```
//!
//! Each condition stands at most once; `duration` is as everywhere in documents (`90s`, `1h30m`).
//! Numbers have at most six decimal places and are at most 10^12. Letters are ASCII. `and` binds
//! tighter than `or`; mixing them without parentheses is allowed, noted, and printed with
//! parentheses. There is no `not`: the operator is turned round.
//!
//! | well-known metric | is | limit in | rests on requests |
//! |---|---|---|---|
//! | `error_rate`, `availability` | a share | `%` | yes |
//! | `p50` … `p99.9`, any percentile | a latency | `us`, `ms`, `s`, `m` | yes |
//! | `cpu` | a gauge | `%` | no |
//! | `memory` | a gauge | `%` or bytes | no |
//! | `restarts` | a count | a number | no |
//! | `requests` | a count | a number, `/s`, `/min` | no |
//!
//! Where a metric rests on requests, at least [`REQUESTS_MIN_DEFAULT`] of them are needed for any
//! answer unless the clause says otherwise. Other metrics are the document's own: [`Facts`] says
//! what they measure.
//!
//! ```
//! use nonevent_analysis::bounds::{Dimension, Facts, Measure, MetricKind, MetricName, check};
//!
//! let mut facts = Facts::default();
//! let depth = MetricName::new("queue.depth").expect("a name");
//! facts.metrics.insert(depth, Measure::GAUGE);
//! let checked = check("queue.depth<=1000 and p99≤800ms or p99 <= baseline×2", &facts);
//! assert_eq!(
//!     checked.bound.expect("no errors").to_string(),
//!     "(queue.depth <= 1000 and p99 <= 800ms) or p99 <= baseline * 2"
//! );
//! ```

mod answer;
mod bound;
mod check;
mod clause;
mod conditions;
mod decimal;
mod explain;
mod lex;
mod metric;
mod parse;
mod quantity;
mod relations;
mod rules;
mod sustained;
mod text;
mod triggers;

pub use answer::{Answer, Confidence, ConfidenceOf, Known, Why};
pub use bound::{
    Bound, CLAUSES_MAX, Clause, Limit, NESTING_MAX, Operator, Parts, REQUESTS_MIN_MAX,
    SUSTAINED_MS_MAX,
};
pub use check::{Checked, check};
pub use decimal::{DECIMAL_MAX, DECIMAL_PLACES_MAX, Decimal};
pub use explain::{ClauseExplanation, Explanation};
pub use metric::{
    Facts, METRIC_NAME_BYTES_MAX, Measure, MetricKind, MetricName, REQUESTS_MIN_DEFAULT,
};
pub use parse::TEXT_BYTES_MAX;
pub use quantity::{Dimension, Quantity, Unit};
pub use rules::{FINDINGS_MAX, RULES};
pub use sustained::Sustained;
pub use triggers::{Reaction, Trigger, default_triggers};
