//! Names of metrics, what the well-known ones measure, and what a misspelt one may have meant.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::quantity::Dimension;

/// The longest name of a metric, in bytes.
pub const METRIC_NAME_BYTES_MAX: usize = 100;

/// Requests that a metric that is made of requests must rest on before its bound counts as broken
/// or kept, where the clause says nothing else.
pub const REQUESTS_MIN_DEFAULT: u64 = 50;

/// Words of the language, which name no metric.
pub(super) const RESERVED: &[&str] = &["and", "or", "not", "for", "of", "at", "least", "baseline"];

/// The name of a metric: letters, digits and `_` in parts joined by dots, such as `error_rate`,
/// `p99.9` or `queue.depth`; the first character is no digit, and no word of the language is a
/// name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricName(String);

impl MetricName {
    /// `None` if `name` is none, or longer than [`METRIC_NAME_BYTES_MAX`].
    #[must_use]
    pub fn new(name: &str) -> Option<MetricName> {
        let part = |part: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            !part.is_empty() && part.bytes().all(plain)
        };
        let begins = name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        let reserved = RESERVED.iter().any(|word| name.eq_ignore_ascii_case(word));
        let fits = name.len() <= METRIC_NAME_BYTES_MAX;
        (fits && begins && !reserved && name.split('.').all(part))
            .then(|| MetricName(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it measures, if it is well known: `error_rate`, `availability`, percentiles of latency
    /// from `p1` to `p99.999`, `cpu`, `memory`, `restarts`, `requests`.
    #[must_use]
    pub fn well_known(&self) -> Option<Measure> {
        Some(match self.as_str() {
            "error_rate" | "availability" => Measure::SHARE,
            "cpu" => Measure {
                kind: MetricKind::Gauge,
                dimensions: &[Dimension::Percentage],
            },
            "memory" => Measure {
                kind: MetricKind::Gauge,
                dimensions: &[Dimension::Percentage, Dimension::Size],
            },
            "restarts" => Measure::COUNT,
            "requests" => Measure {
                kind: MetricKind::Count,
                dimensions: &[Dimension::Number, Dimension::Rate],
            },
            name if is_percentile(name) => Measure::LATENCY,
            _ => return None,
        })
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_percentile(name: &str) -> bool {
    let Some(number) = name.strip_prefix('p') else {
        return false;
    };
    let (whole, places) = number.split_once('.').unwrap_or((number, "1"));
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    digits(whole, 2) && !whole.starts_with('0') && digits(places, 3) && !places.ends_with('0')
}

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// A share of requests, 0 to 100 %.
    Share,
    /// A quantile of the time that requests take.
    Latency,
    /// A level that rises and falls, never below zero.
    Gauge,
    /// How often something happened.
    Count,
}

impl MetricKind {
    /// With its article, as it stands in a sentence.
    #[must_use]
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Share => "a share",
            Self::Latency => "a latency",
            Self::Gauge => "a gauge",
            Self::Count => "a count",
        }
    }

    /// Whether its figures rest on requests, so that few of them say little.
    #[must_use]
    pub const fn rests_on_requests(self) -> bool {
        matches!(self, Self::Share | Self::Latency)
    }
}

/// What a metric is, and what its limits are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Measure {
    /// What it is.
    pub kind: MetricKind,
    /// In what its limits may be given; the first is that of estimates. Not empty.
    pub dimensions: &'static [Dimension],
}

impl Measure {
    /// A share of requests, in percent.
    pub const SHARE: Measure = Measure {
        kind: MetricKind::Share,
        dimensions: &[Dimension::Percentage],
    };
    /// A latency.
    pub const LATENCY: Measure = Measure {
        kind: MetricKind::Latency,
        dimensions: &[Dimension::Time],
    };
    /// A plain count.
    pub const COUNT: Measure = Measure {
        kind: MetricKind::Count,
        dimensions: &[Dimension::Number],
    };
    /// A gauge without unit.
    pub const GAUGE: Measure = Measure {
        kind: MetricKind::Gauge,
        dimensions: &[Dimension::Number],
    };
}

/// What a check has to know beside the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whether there is a baseline: a version beside the canary to compare it with.
    pub baseline: bool,
    /// The document's own metrics. A well-known name keeps its own meaning.
    pub metrics: BTreeMap<MetricName, Measure>,
}

impl Default for Facts {
    /// A baseline, and no metrics but the well-known.
    fn default() -> Self {
        Facts {
            baseline: true,
            metrics: BTreeMap::new(),
        }
    }
}

impl Facts {
    /// What a metric measures, if it is known.
    #[must_use]
    pub fn measure(&self, name: &MetricName) -> Option<Measure> {
        name.well_known()
            .or_else(|| self.metrics.get(name).copied())
            .filter(|measure| !measure.dimensions.is_empty())
    }

    /// The known name that somebody who wrote `text` most likely means.
    pub(super) fn meant(&self, text: &str) -> Option<&str> {
        let lower = text.to_ascii_lowercase().replace('-', "_");
        let alias = match lower.as_str() {
            "errors" | "error" | "errorrate" | "error_ratio" | "failures" | "failure_rate" => {
                "error_rate"
            }
            "success_rate" | "success" | "uptime" => "availability",
            "latency" | "latency_p99" | "p99_latency" => "p99",
            "p999" => "p99.9",
            "median" => "p50",
            "mem" | "ram" => "memory",
            "restart_count" => "restarts",
            "rps" | "request_rate" | "traffic" => "requests",
            _ => return self.nearest(&lower),
        };
        Some(alias)
    }

    fn nearest(&self, lower: &str) -> Option<&str> {
        const NAMES: &[&str] = &[
            "error_rate",
            "availability",
            "p50",
            "p75",
            "p90",
            "p95",
            "p99",
            "p99.9",
            "cpu",
            "memory",
            "restarts",
            "requests",
        ];
        let own = self.metrics.keys().map(MetricName::as_str);
        NAMES
            .iter()
            .copied()
            .chain(own)
            .map(|name| (distance(lower, name), name))
            .filter(|(distance, name)| *distance <= name.len() / 3)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, name)| name)
    }
}

/// How many characters must be put in, left out or changed, two neighbours swapped counting as
/// one: the optimal string alignment distance. Texts over the length of a name are far from all.
pub(super) fn distance(from: &str, to: &str) -> usize {
    if from.len() > METRIC_NAME_BYTES_MAX || to.len() > METRIC_NAME_BYTES_MAX {
        return usize::MAX;
    }
    let [from, to] = [from, to].map(|text| text.chars().collect::<Vec<_>>());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut next = alloc::vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let changed = row[j] + usize::from(a != b);
            let mut best = changed.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = core::mem::replace(&mut row, next);
    }
    row[to.len()]
}
