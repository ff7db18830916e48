//! Windows and values from what Prometheus computed over the window.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::gathering::{Found, Gathering};
use super::look::{Arm, ArmReplies, Look, LookRules, WindowTimes};
use super::native::classic;
use super::number;
use super::reply::SampleValue;
use crate::window::{ArmWindow, GapReason, LatencyCounts, Window};

/// By how many percent errors may exceed requests before the two queries are taken to be about
/// different things.
const EXCESS_PERCENT_MAX: u64 = 5;

/// The replies that make a window, each with one series per version (buckets: one per `le`).
///
/// ```text
/// requests   sum by (version) (increase(http_requests_total[1m]))
/// errors     sum by (version) (increase(http_requests_total{code=~"5.."}[1m]))
///              or 0 * sum by (version) (increase(http_requests_total[1m]))
/// latency    sum by (version, le) (increase(http_request_duration_seconds_bucket[1m]))
///            sum by (version) (increase(http_request_duration_seconds[1m]))       (native)
/// ```
///
/// Without `or 0 * …`, a version that never had an error has no series of errors, and a missing
/// series is never read as a zero.
#[derive(Clone, Copy, Debug)]
pub struct IncreaseReplies<'a> {
    /// Requests per version.
    pub requests: ArmReplies<'a>,
    /// Failed requests per version.
    pub errors: ArmReplies<'a>,
    /// Latency histograms in seconds, classic (label `le`) or native; `None` if not measured.
    pub latency: Option<ArmReplies<'a>>,
}

/// A window from replies to `increase()` or `delta` over it.
///
/// `increase()` extrapolates to the edges of the window, so its results are not whole. They are
/// rounded to the nearest count, halves up; buckets are rounded as cumulated counts, so that
/// roundings do not add up; errors that exceed the requests after that are cut to them. Rounding
/// and extrapolation make the counts approximate, and `increase()` misses the first increment of a
/// series that is new (the first error of its kind). With few requests in a window that is most of
/// the evidence: prefer raw counters and [`CounterLook`](super::CounterLook).
///
/// ```
/// use nonevent_analysis::metrics::*;
/// let reply = |stable: &str, canary: &str| {
///     let body = format!(
///         r#"{{"status":"success","data":{{"resultType":"vector","result":[
///         {{"metric":{{"version":"1"}},"value":[1700000060,"{stable}"]}},
///         {{"metric":{{"version":"2"}},"value":[1700000060,"{canary}"]}}]}}}}"#
///     );
///     Reply::read(200, body.as_bytes())
/// };
/// let arms = ArmNames { label: "version".into(), stable: "1".into(), canary: "2".into() };
/// let (requests, errors) = (reply("950.4", "49.6")?, reply("0", "NaN")?);
/// let times = WindowTimes {
///     opened_ms: 1_700_000_000_000,
///     closed_ms: 1_700_000_060_000,
///     changed_ms: None,
/// };
/// let mut replies = IncreaseReplies {
///     requests: ArmReplies::ByLabel { reply: &requests, arms: &arms },
///     errors: ArmReplies::ByLabel { reply: &errors, arms: &arms },
///     latency: None,
/// };
/// let look = window_of_increases(&replies, &times, &LookRules::default());
/// assert_eq!(look.result, Err(nonevent_analysis::GapReason::RatioOverNothing));
///
/// let errors = reply("0", "1.2")?;
/// replies.errors = ArmReplies::ByLabel { reply: &errors, arms: &arms };
/// let look = window_of_increases(&replies, &times, &LookRules::default());
/// let window = look.result.expect("figures");
/// assert_eq!((window.canary.requests, window.canary.errors), (50, 1));
/// # Ok::<(), MetricsError>(())
/// ```
#[must_use]
pub fn window_of_increases(
    replies: &IncreaseReplies<'_>,
    times: &WindowTimes,
    rules: &LookRules,
) -> Look<Window> {
    let mut gathering = Gathering::new(rules);
    gathering.times(times);
    let requests = counts(
        &mut gathering,
        "requests",
        replies.requests,
        times.closed_ms,
    );
    let errors = counts(&mut gathering, "errors", replies.errors, times.closed_ms);
    let latency = replies
        .latency
        .map(|replies| gathering.split("latency", replies));
    let mut arms = Arm::BOTH.into_iter().enumerate().map(|(index, arm)| {
        let (requests, errors) = (requests[index]?, errors[index]?);
        let latency = match &latency {
            Some(series) => latency_of(&mut gathering, arm, &series[index], times, requests)?,
            None => LatencyCounts::default(),
        };
        Some(ArmWindow {
            requests,
            errors: capped(&mut gathering, arm, errors, requests)?,
            latency,
        })
    });
    let (stable, canary) = (arms.next().flatten(), arms.next().flatten());
    drop(arms);
    let window = stable.zip(canary).map(|(stable, canary)| Window {
        length_ms: times.closed_ms.saturating_sub(times.opened_ms),
        stable,
        canary,
    });
    gathering.close(window)
}

/// A figure of each version that is no count: a ratio, a gauge, a quantile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmValues {
    /// Of the version in service; finite.
    pub stable: f64,
    /// Of the version under test; finite.
    pub canary: f64,
}

/// One number per version, at the end of the window. NaN and infinities are a ratio over nothing.
#[must_use]
pub fn arm_values(
    replies: ArmReplies<'_>,
    times: &WindowTimes,
    rules: &LookRules,
) -> Look<ArmValues> {
    let mut gathering = Gathering::new(rules);
    gathering.times(times);
    let [stable, canary] = numbers(&mut gathering, "value", replies, times.closed_ms);
    let values = stable.zip(canary);
    gathering.close(values.map(|((stable, _), (canary, _))| ArmValues { stable, canary }))
}

fn numbers(
    gathering: &mut Gathering<'_>,
    figure: &'static str,
    replies: ArmReplies<'_>,
    asked_ms: u64,
) -> [Option<(f64, String)>; 2] {
    let series = gathering.split(figure, replies);
    Arm::BOTH.map(|arm| {
        let found = gathering.one(figure, arm, &series[arm as usize])?;
        let (point, place) = gathering.last(figure, arm, &found, asked_ms)?;
        Some((gathering.number(figure, arm, point, &place)?, place))
    })
}

fn counts(
    gathering: &mut Gathering<'_>,
    figure: &'static str,
    replies: ArmReplies<'_>,
    asked_ms: u64,
) -> [Option<u64>; 2] {
    let numbers = numbers(gathering, figure, replies, asked_ms);
    let [stable, canary] = numbers;
    [(Arm::Stable, stable), (Arm::Canary, canary)].map(|(arm, number)| {
        let (number, place) = number?;
        let count = number::count(number);
        if count.is_none() {
            let text = format!("{number} is no count; use increase() of a counter");
            gathering.gap(GapReason::Unreadable, figure, arm, place, text);
        }
        count
    })
}

/// Errors, at most the requests.
pub(crate) fn capped(
    gathering: &mut Gathering<'_>,
    arm: Arm,
    errors: u64,
    requests: u64,
) -> Option<u64> {
    let excess = errors.saturating_sub(requests);
    let allowed = requests.saturating_mul(EXCESS_PERCENT_MAX) / 100;
    if excess > allowed.max(1) {
        let text = format!(
            "{errors} errors of {requests} requests; let both queries select the same requests"
        );
        gathering.gap(GapReason::Unreadable, "errors", arm, String::new(), text);
        return None;
    }
    if excess > 0 {
        let text = format!("{errors} errors of {requests} requests were cut to the requests");
        gathering.remark("errors", arm, String::new(), text);
    }
    Some(errors.min(requests))
}

fn latency_of(
    gathering: &mut Gathering<'_>,
    arm: Arm,
    series: &[Found<'_>],
    times: &WindowTimes,
    requests: u64,
) -> Option<LatencyCounts> {
    const FIGURE: &str = "latency";
    if series.is_empty() {
        if requests > 0 {
            gathering.missing(FIGURE, arm);
            return None;
        }
        return Some(LatencyCounts::default());
    }
    let mut buckets = Vec::new();
    let mut native = None;
    for found in series {
        let (point, place) = gathering.last(FIGURE, arm, found, times.closed_ms)?;
        if let SampleValue::Histogram(histogram) = &point.value {
            native = Some((histogram, place));
            continue;
        }
        let count = gathering.number(FIGURE, arm, point, &place)?;
        let Some(bound) = found
            .series
            .labels
            .get("le")
            .and_then(|le| number::parse(le))
        else {
            let text = "a bucket without a number in its label `le`; keep `le` in `sum by (…)`";
            gathering.gap(GapReason::Unreadable, FIGURE, arm, place, text);
            return None;
        };
        buckets.push((bound, count));
    }
    let Some((histogram, place)) = native else {
        return match classic(buckets) {
            Ok(converted) => {
                if let Some(note) = converted.note {
                    gathering.remark(FIGURE, arm, String::new(), note);
                }
                Some(converted.latency)
            }
            Err(text) => {
                gathering.gap(GapReason::Unreadable, FIGURE, arm, String::new(), text);
                None
            }
        };
    };
    gathering.one(FIGURE, arm, series)?;
    match histogram.latency_counts() {
        Ok(latency) => Some(latency),
        Err(text) => {
            gathering.gap(GapReason::Unreadable, FIGURE, arm, place, text);
            None
        }
    }
}
