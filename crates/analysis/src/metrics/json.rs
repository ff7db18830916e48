//! Figures from the JSON reply of any metric source, by RFC 9535 paths.
//!
//! # Recipes
//!
//! One reply for both versions, or one per version: a [`JsonPath`] finds one figure in one body.
//! `N` stands for the place of a series; prefer a filter on its name, since most services give
//! series in no fixed order. The bodies that these paths are tested with are in
//! `fixtures/analysis/json/` of the repository.
//!
//! | source | request | path of a figure |
//! |---|---|---|
//! | Datadog, query API v1 | `GET /api/v1/query?from=…&to=…&query=sum:http.requests{service:shop} by {version}.as_count().rollup(sum, 60)` | `$.series[?@.tag_set[0]=='version:1.4.2'].pointlist[-1:][1]` |
//! | New Relic, `NerdGraph` | `POST /graphql` with `{actor{account(id:1){nrql(query:"SELECT count(*) AS requests, filter(count(*), WHERE error IS true) AS errors FROM Transaction FACET version SINCE 1 minute ago"){results}}}}` | `$.data.actor.account.nrql.results[?@.facet=='1.4.2'].requests` |
//! | CloudWatch, `GetMetricData` (JSON protocol) | `Statistic=Sum`, `ScanBy=TimestampDescending`, an `Id` per figure | `$.MetricDataResults[?@.Id=='canary_requests'].Values[0]` |
//! | Graphite, render | `GET /render?format=json&from=-1min&target=alias(summarize(…,'1min','sum'),'canary_requests')` | `$[?@.target=='canary_requests'].datapoints[-1:][0]` |
//! | InfluxDB 1.x, or 2.x by its 1.x endpoint | `GET /query?db=…&epoch=ms&q=SELECT sum(count) FROM requests WHERE time > … GROUP BY version` | `$.results[0].series[?@.tags.version=='1.4.2'].values[0][1]` |
//! | Google Cloud Monitoring, `timeSeries.list` | `aggregation.perSeriesAligner=ALIGN_DELTA`, grouped by `metric.label.version` | `$.timeSeries[?@.metric.labels.version=='1.4.2'].points[0].value.int64Value` |
//! | Google Cloud Monitoring, MQL (`timeSeries:query`) | `\| align delta(1m) \| group_by [metric.version], sum(val())` | `$.timeSeriesData[?@.labelValues[0].stringValue=='1.4.2'].pointData[0].values[0].int64Value` |
//!
//! What to mind: Datadog's and Graphite's last point may be of a minute that has not ended, or
//! `null` (which is no data): ask for whole minutes. CloudWatch leaves out periods without data,
//! and `StatusCode` may be `PartialData`. InfluxDB without `fill(0)` leaves out empty groups.
//! Google writes 64-bit integers as strings, which are read. Where the body names the time of its
//! figures, give that path to [`JsonCounts::dated`]: `$.series[0].pointlist[-1:][0]` (Datadog,
//! milliseconds), `$[0].datapoints[-1:][1]` (Graphite, seconds),
//! `$.timeSeries[0].points[0].interval.endTime` (Google, RFC 3339). A version's name that is put into a
//! path must be escaped: see [`JsonPath::literal`].

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json_path::JsonPath as Query;

use super::body::{self, Node, quoted};
use super::error::{MetricsError, MetricsErrorKind};
use super::gathering::Gathering;
use super::increase::{ArmValues, capped};
use super::look::{Arm, Look, LookRules, WindowTimes};
use super::number;
use super::reply::http_status;
use crate::window::{ArmWindow, GapReason, LatencyCounts, Window};

/// The longest path, in bytes.
pub const PATH_BYTES_MAX: usize = 1_024;
/// The deepest nesting of brackets in a path.
const PATH_DEPTH_MAX: usize = 8;
/// The most `..` in a path: each may visit every value below every value.
const PATH_DESCENTS_MAX: usize = 2;

/// A path to one figure (RFC 9535), compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    query: Query,
    text: String,
}

impl JsonPath {
    /// Compiles a path.
    ///
    /// # Errors
    ///
    /// If the text is no RFC 9535 query or is too long, nests brackets too deeply, has more than
    /// two `..`, or a `$` other than the first: such queries can take very long.
    pub fn parse(text: &str) -> Result<Self, MetricsError> {
        if text.len() > PATH_BYTES_MAX {
            let text = format!("the path is longer than {PATH_BYTES_MAX} bytes");
            return Err(MetricsError::usage(text));
        }
        if let Some(why) = too_costly(text) {
            let shown = quoted(text);
            return Err(MetricsError::usage(format!("the path `{shown}` {why}")));
        }
        let query = Query::parse(text).map_err(|error| {
            let shown = quoted(text);
            MetricsError::usage(format!("the path `{shown}` is not RFC 9535: {error}"))
        })?;
        Ok(Self {
            query,
            text: text.to_string(),
        })
    }

    /// A text as a string literal of a path, with its quotes.
    ///
    /// ```
    /// use nonevent_analysis::metrics::JsonPath;
    /// let version = JsonPath::literal("1.4.2'x");
    /// assert_eq!(version, r"'1.4.2\'x'");
    /// assert!(JsonPath::parse(&format!("$.series[?@.scope=={version}].value")).is_ok());
    /// ```
    #[must_use]
    pub fn literal(text: &str) -> String {
        let mut out = String::from("'");
        for character in text.chars() {
            match character {
                '\'' | '\\' => {
                    out.push('\\');
                    out.push(character);
                }
                control if u32::from(control) < 0x20 => {
                    out.push_str(&format!("\\u{:04x}", u32::from(control)));
                }
                _ => out.push(character),
            }
        }
        out.push('\'');
        out
    }

    /// The text that it was compiled from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one number at this path: a JSON number, or a number in a string.
    ///
    /// # Errors
    ///
    /// If the path finds no value, `null` or several values, or the value is no finite number.
    pub fn number(&self, body: &JsonBody) -> Result<f64, MetricsError> {
        let node = self.value(body)?;
        let number = match node {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => number::parse(text),
            _ => None,
        };
        match number {
            Some(number) if number.is_finite() => Ok(number),
            Some(_) => Err(self.error(
                MetricsErrorKind::Number,
                GapReason::RatioOverNothing,
                "NaN or infinite, as of a division by zero; no figure follows from it".to_string(),
            )),
            None => Err(self.error(
                MetricsErrorKind::Number,
                GapReason::Unreadable,
                Node::root(node).unlike("a number").text().to_string(),
            )),
        }
    }

    fn value<'b>(&self, body: &'b JsonBody) -> Result<&'b Value, MetricsError> {
        let nodes = self.query.query(&body.0);
        match nodes.all().as_slice() {
            [Value::Null] => Err(self.error(
                MetricsErrorKind::Missing,
                GapReason::MissingSeries,
                "the value is `null`, which is no data and not a zero".to_string(),
            )),
            [value] => Ok(value),
            [] => Err(self.error(
                MetricsErrorKind::Missing,
                GapReason::MissingSeries,
                "the path finds nothing, which is not a zero; compare it with the reply"
                    .to_string(),
            )),
            many => Err(self.error(
                MetricsErrorKind::Ambiguous,
                GapReason::Ambiguous,
                format!("the path finds {} values; make it find one", many.len()),
            )),
        }
    }

    /// The one time at this path, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// As [`number`](Self::number), or if it is no time of this unit.
    pub fn time_ms(&self, body: &JsonBody, unit: TimeUnit) -> Result<u64, MetricsError> {
        let time = match unit {
            TimeUnit::Seconds => number::ms_of_seconds(self.number(body)?),
            TimeUnit::Milliseconds => number::ms_of_seconds(self.number(body)? / 1e3),
            TimeUnit::Rfc3339 => {
                let text = self.value(body)?.as_str();
                text.and_then(number::rfc3339_ms).flatten()
            }
        };
        time.ok_or_else(|| {
            let (kind, gap) = (MetricsErrorKind::Number, GapReason::Unreadable);
            self.error(
                kind,
                gap,
                format!("the value is no time in {unit:?} since 1970"),
            )
        })
    }

    fn error(&self, kind: MetricsErrorKind, gap: GapReason, text: String) -> MetricsError {
        MetricsError::new(kind, gap, self.text.clone(), text)
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Bounds what parsing and evaluating a path can take, outside its string literals.
fn too_costly(text: &str) -> Option<&'static str> {
    let (mut depth, mut deepest, mut descents, mut roots) = (0usize, 0, 0, 0);
    let mut quote = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(_), '\\') => {
                let _ = characters.next();
            }
            (Some(open), _) => quote = Some(open).filter(|open| *open != character),
            (None, '\'' | '"') => quote = Some(character),
            (None, '[' | '(') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (None, ']' | ')') => depth = depth.saturating_sub(1),
            (None, '.') if characters.next_if_eq(&'.').is_some() => descents += 1,
            (None, '$') => roots += 1,
            _ => {}
        }
    }
    if deepest > PATH_DEPTH_MAX {
        Some("nests brackets too deeply")
    } else if descents > PATH_DESCENTS_MAX {
        Some("has more than two `..`")
    } else if roots > 1 {
        Some("refers to the root `$` within a filter")
    } else {
        None
    }
}

/// A reply's body, read under the limits [`BODY_BYTES_MAX`](super::BODY_BYTES_MAX) and
/// [`BODY_DEPTH_MAX`](super::BODY_DEPTH_MAX).
#[derive(Clone, Debug, PartialEq)]
pub struct JsonBody(Value);

impl JsonBody {
    /// Reads what was answered with the HTTP `status`.
    ///
    /// # Errors
    ///
    /// If the status is no success, or the body is not JSON within the limits.
    pub fn read(status: u16, bytes: &[u8]) -> Result<Self, MetricsError> {
        if !(200..300).contains(&status) {
            return Err(http_status(status));
        }
        body::read(bytes).map(Self)
    }
}

/// How a source writes times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Seconds since 1970, a number or a number in a string.
    Seconds,
    /// Milliseconds since 1970, likewise.
    Milliseconds,
    /// A text such as `2026-01-01T00:00:00Z`.
    Rfc3339,
}

/// Where a body says of what time its figures are.
#[derive(Clone, Debug, PartialEq)]
struct Dated {
    path: JsonPath,
    unit: TimeUnit,
}

impl Dated {
    /// Holds the body's time against the end of the window.
    fn check(&self, gathering: &mut Gathering<'_>, body: &JsonBody, times: &WindowTimes) {
        let place = self.path.to_string();
        match self.path.time_ms(body, self.unit) {
            Ok(at_ms) => gathering.dated("window", place, at_ms, times.closed_ms),
            Err(error) => gathering.gap(error.gap(), "window", None, place, error.text()),
        }
    }
}

/// The paths of the counts of a window, as a document would name them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountPaths {
    /// Requests of the version in service, over the window.
    pub stable_requests: String,
    /// Of these, the failed ones.
    pub stable_errors: String,
    /// Requests of the version under test.
    pub canary_requests: String,
    /// Of these, the failed ones.
    pub canary_errors: String,
}

/// A source of counts.
///
/// ```
/// use nonevent_analysis::metrics::*;
/// let path = |name: &str| format!("$.{name}");
/// let source = JsonCounts::compile(&CountPaths {
///     stable_requests: path("sr"),
///     stable_errors: path("se"),
///     canary_requests: path("cr"),
///     canary_errors: path("ce"),
/// })?;
/// let body = JsonBody::read(200, br#"{"sr":950,"se":1,"cr":"50","ce":0}"#)?;
/// let times = WindowTimes { opened_ms: 0, closed_ms: 60_000, changed_ms: None };
/// let look = source.window(&body, &times, &LookRules::default());
/// assert_eq!(look.result.map(|window| window.canary.requests), Ok(50));
/// # Ok::<(), MetricsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct JsonCounts {
    requests: [JsonPath; 2],
    errors: [JsonPath; 2],
    dated: Option<Dated>,
}

impl JsonCounts {
    /// Compiles the paths.
    ///
    /// # Errors
    ///
    /// The first path that is none.
    pub fn compile(paths: &CountPaths) -> Result<Self, MetricsError> {
        let path = |text: &String| JsonPath::parse(text);
        Ok(Self {
            requests: [path(&paths.stable_requests)?, path(&paths.canary_requests)?],
            errors: [path(&paths.stable_errors)?, path(&paths.canary_errors)?],
            dated: None,
        })
    }

    /// Also looks at the time that the body itself names. Without it, figures of an earlier time,
    /// as out of a cache, pass for those of the window.
    ///
    /// # Errors
    ///
    /// If the path is none.
    pub fn dated(mut self, path: &str, unit: TimeUnit) -> Result<Self, MetricsError> {
        let path = JsonPath::parse(path)?;
        self.dated = Some(Dated { path, unit });
        Ok(self)
    }

    /// The window that a body tells of. Numbers that are not whole are rounded to the nearest.
    #[must_use]
    pub fn window(&self, body: &JsonBody, times: &WindowTimes, rules: &LookRules) -> Look<Window> {
        let mut gathering = Gathering::new(rules);
        gathering.times(times);
        if let Some(dated) = &self.dated {
            dated.check(&mut gathering, body, times);
        }
        let [stable, canary] = Arm::BOTH.map(|arm| {
            let [requests, errors] =
                [("requests", &self.requests), ("errors", &self.errors)].map(|(figure, paths)| {
                    count(&mut gathering, figure, arm, &paths[arm as usize], body)
                });
            let (requests, errors) = (requests?, errors?);
            Some(ArmWindow {
                requests,
                errors: capped(&mut gathering, arm, errors, requests)?,
                latency: LatencyCounts::default(),
            })
        });
        let window = stable.zip(canary).map(|(stable, canary)| Window {
            length_ms: times.closed_ms.saturating_sub(times.opened_ms),
            stable,
            canary,
        });
        gathering.close(window)
    }
}

/// A source of one number per version.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonValues {
    paths: [JsonPath; 2],
    dated: Option<Dated>,
}

impl JsonValues {
    /// Compiles the paths of stable's and the canary's number.
    ///
    /// # Errors
    ///
    /// The first path that is none.
    pub fn compile(stable: &str, canary: &str) -> Result<Self, MetricsError> {
        Ok(Self {
            paths: [JsonPath::parse(stable)?, JsonPath::parse(canary)?],
            dated: None,
        })
    }

    /// As [`JsonCounts::dated`].
    ///
    /// # Errors
    ///
    /// If the path is none.
    pub fn dated(mut self, path: &str, unit: TimeUnit) -> Result<Self, MetricsError> {
        let path = JsonPath::parse(path)?;
        self.dated = Some(Dated { path, unit });
        Ok(self)
    }

    /// The numbers that a body tells of.
    #[must_use]
    pub fn values(
        &self,
        body: &JsonBody,
        times: &WindowTimes,
        rules: &LookRules,
    ) -> Look<ArmValues> {
        let mut gathering = Gathering::new(rules);
        gathering.times(times);
        if let Some(dated) = &self.dated {
            dated.check(&mut gathering, body, times);
        }
        let numbers: Vec<Option<f64>> = Arm::BOTH
            .into_iter()
            .map(|arm| {
                number_at(
                    &mut gathering,
                    "value",
                    arm,
                    &self.paths[arm as usize],
                    body,
                )
            })
            .collect();
        let values = match numbers.as_slice() {
            [Some(stable), Some(canary)] => Some(ArmValues {
                stable: *stable,
                canary: *canary,
            }),
            _ => None,
        };
        gathering.close(values)
    }
}

fn number_at(
    gathering: &mut Gathering<'_>,
    figure: &'static str,
    arm: Arm,
    path: &JsonPath,
    body: &JsonBody,
) -> Option<f64> {
    match path.number(body) {
        Ok(number) => Some(number),
        Err(error) => {
            gathering.gap(error.gap(), figure, arm, path.to_string(), error.text());
            None
        }
    }
}

fn count(
    gathering: &mut Gathering<'_>,
    figure: &'static str,
    arm: Arm,
    path: &JsonPath,
    body: &JsonBody,
) -> Option<u64> {
    let number = number_at(gathering, figure, arm, path, body)?;
    let count = number::count(number);
    if count.is_none() {
        let text = format!("{number} is no count");
        gathering.gap(GapReason::Unreadable, figure, arm, path.to_string(), text);
    }
    count
}
