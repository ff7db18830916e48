//! Windows from raw counters, differenced between two looks.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::difference::{Counter, difference, span_ms};
use super::gathering::{Found, Gathering};
use super::increase::capped;
use super::look::{Arm, ArmReplies, Look, LookRules, WindowTimes};
use super::native::classic;
use super::number;
use super::reply::{Labels, SampleValue};
use crate::window::{ArmWindow, GapReason, LatencyCounts, Window};

/// The replies that hold the counters of one look, every series by itself: do not sum.
///
/// ```text
/// requests   http_requests_total{service="shop"}[2m]
/// latency    http_request_duration_seconds_bucket{service="shop"}[2m]      (or native)
/// ```
///
/// Asked as instant queries, with a range no longer than [`LookRules::age_max_ms`], so that
/// instances that are gone drop out of the reply. With the range, the reply holds the true times of the scrapes, so
/// that old samples, resets in between and series that ended are seen; without it, Prometheus
/// dates every sample to the time asked for, however old (up to 5 minutes) it is.
#[derive(Clone, Copy, Debug)]
pub struct CounterReplies<'a> {
    /// Counters of requests.
    pub requests: ArmReplies<'a>,
    /// How the failed ones are told.
    pub errors: Failures<'a>,
    /// Latency histograms in seconds, classic (label `le`) or native; `None` if not measured.
    pub latency: Option<ArmReplies<'a>>,
}

/// How failed requests are told from others.
#[derive(Clone, Copy, Debug)]
pub enum Failures<'a> {
    /// They are the series of requests with such a label. A version without one had no errors:
    /// its requests were counted, so this is a true zero.
    Label(&'a FailedLabel),
    /// They have counters of their own. A version without one is a gap.
    Counters(ArmReplies<'a>),
}

/// The label by which the counter of a failed request is known.
///
/// Matching is by prefix, to keep regular expressions out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedLabel {
    /// Such as `code`.
    pub label: String,
    /// What its value begins with for a failed request, such as `5`.
    pub prefixes: Vec<String>,
}

impl FailedLabel {
    fn has(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.label);
        value.is_some_and(|value| self.prefixes.iter().any(|p| value.starts_with(p.as_str())))
    }
}

/// The counters of both versions at one look. The difference to the next look is a window.
///
/// Preferred to `increase()`: the counts are whole and exact, the first error of its kind is
/// counted, a reset is seen instead of guessed over, and each request is in exactly one window.
/// It can be stored, so that a resumed rollout goes on from the last look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterLook {
    /// The time asked for, in milliseconds since 1970.
    pub asked_ms: u64,
    stable: Counters,
    canary: Counters,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counters {
    requests: Vec<Counter<u64>>,
    errors: Vec<Counter<u64>>,
    latency: Vec<Counter<LatencyCounts>>,
}

impl CounterLook {
    /// Reads the counters asked for at `asked_ms`.
    ///
    /// The gap, if there is one, is about this look alone: missing series, old samples, values
    /// that are no counts, warnings.
    #[must_use]
    pub fn read(asked_ms: u64, replies: &CounterReplies<'_>, rules: &LookRules) -> Look<Self> {
        let mut gathering = Gathering::new(rules);
        let requests = gathering.split("requests", replies.requests);
        let errors = match replies.errors {
            Failures::Label(_) => None,
            Failures::Counters(replies) => Some(gathering.split("errors", replies)),
        };
        let latency = replies.latency.map(|r| gathering.split("latency", r));
        let [stable, canary] = Arm::BOTH.map(|arm| {
            let index = arm as usize;
            let read = counters(&mut gathering, "requests", arm, &requests[index], asked_ms);
            let failed = match (&errors, replies.errors) {
                (Some(errors), _) => {
                    counters(&mut gathering, "errors", arm, &errors[index], asked_ms)
                }
                (None, Failures::Label(failed)) => {
                    let own = read.iter().filter(|counter| failed.has(&counter.labels));
                    own.cloned().collect()
                }
                (None, Failures::Counters(_)) => Vec::new(),
            };
            let latency = latency.as_ref().map_or(Vec::new(), |latency| {
                histograms(&mut gathering, arm, &latency[index], asked_ms)
            });
            Counters {
                requests: read,
                errors: failed,
                latency,
            }
        });
        gathering.close(Some(Self {
            asked_ms,
            stable,
            canary,
        }))
    }

    /// What happened from an earlier look to this one. `changed_ms` is when the split came into
    /// force that is to be judged.
    ///
    /// The gap, if there is one: a counter that went back or ended, no new scrape, versions that
    /// were counted over different times, a window that opened before the change.
    #[must_use]
    pub fn since(
        &self,
        earlier: &Self,
        changed_ms: Option<u64>,
        rules: &LookRules,
    ) -> Look<Window> {
        let mut gathering = Gathering::new(rules);
        gathering.times(&WindowTimes {
            opened_ms: earlier.opened_ms(),
            closed_ms: self.asked_ms,
            changed_ms,
        });
        let pairs = [
            (Arm::Stable, &earlier.stable, &self.stable),
            (Arm::Canary, &earlier.canary, &self.canary),
        ];
        let spans = pairs.map(|(arm, before, after)| {
            let span = span_ms(&before.requests, &after.requests);
            if span == Some(0) {
                let text = "there was no scrape since the look before; look less often";
                gathering.gap(GapReason::Stale, "requests", arm, String::new(), text);
            }
            span
        });
        if let [Some(stable), Some(canary)] = spans
            && stable.abs_diff(canary) > rules.skew_max_ms
        {
            let text = format!(
                "stable was counted over {stable} ms, the canary over {canary} ms; look less often \
                 than targets are scraped"
            );
            gathering.gap(
                GapReason::UnequalWindows,
                "window",
                None,
                String::new(),
                text,
            );
        }
        let [stable, canary] = pairs.map(|(arm, before, after)| {
            let requests = difference(
                &mut gathering,
                "requests",
                arm,
                &before.requests,
                &after.requests,
            )?;
            let errors = difference(&mut gathering, "errors", arm, &before.errors, &after.errors)?;
            let latency = difference(
                &mut gathering,
                "latency",
                arm,
                &before.latency,
                &after.latency,
            )?;
            Some(ArmWindow {
                requests,
                errors: capped(&mut gathering, arm, errors, requests)?,
                latency,
            })
        });
        let window = stable.zip(canary).map(|(stable, canary)| Window {
            length_ms: self.asked_ms.saturating_sub(earlier.asked_ms),
            stable,
            canary,
        });
        gathering.close(window)
    }

    /// The oldest sample that a window from here on begins with.
    fn opened_ms(&self) -> u64 {
        let requests = [&self.stable, &self.canary].map(|arm| arm.requests.iter());
        let times = requests.into_iter().flatten().map(|counter| counter.at_ms);
        times.fold(self.asked_ms, u64::min)
    }
}

fn counters(
    gathering: &mut Gathering<'_>,
    figure: &'static str,
    arm: Arm,
    series: &[Found<'_>],
    asked_ms: u64,
) -> Vec<Counter<u64>> {
    if series.is_empty() {
        gathering.missing(figure, arm);
    }
    let read = series.iter().filter_map(|found| {
        let (point, place) = gathering.last(figure, arm, found, asked_ms)?;
        let number = gathering.number(figure, arm, point, &place)?;
        let value = number::whole(number);
        if value.is_none() {
            let text = format!("{number} is no counter's value; ask for the counter itself");
            gathering.gap(GapReason::Unreadable, figure, arm, place, text);
        }
        Some(Counter {
            labels: found.series.labels.clone(),
            at_ms: point.at_ms,
            reset_ms: reset_ms(found),
            value: value?,
        })
    });
    read.collect()
}

/// When a series last went back.
fn reset_ms(found: &Found<'_>) -> Option<u64> {
    let level = |value: &SampleValue| match value {
        SampleValue::Number(number) => *number,
        SampleValue::Histogram(histogram) => histogram.count,
    };
    let pairs = found.series.points.windows(2).rev();
    let mut resets = pairs.filter(|pair| level(&pair[1].value) < level(&pair[0].value));
    resets.next().map(|pair| pair[1].at_ms)
}

/// One histogram per target: native, or the classic buckets that differ in `le` only.
fn histograms(
    gathering: &mut Gathering<'_>,
    arm: Arm,
    series: &[Found<'_>],
    asked_ms: u64,
) -> Vec<Counter<LatencyCounts>> {
    const FIGURE: &str = "latency";
    if series.is_empty() {
        gathering.missing(FIGURE, arm);
    }
    let mut whole = Vec::new();
    // Labels without `le`, to the buckets, the oldest sample and the latest reset.
    type Buckets = (Vec<(f64, f64)>, u64, Option<u64>);
    let mut groups: BTreeMap<Labels, Buckets> = BTreeMap::new();
    for found in series {
        let Some((point, place)) = gathering.last(FIGURE, arm, found, asked_ms) else {
            continue;
        };
        let mut labels = found.series.labels.clone();
        if let SampleValue::Histogram(histogram) = &point.value {
            match histogram.latency_counts() {
                Ok(value) => whole.push(Counter {
                    labels,
                    at_ms: point.at_ms,
                    reset_ms: reset_ms(found),
                    value,
                }),
                Err(text) => gathering.gap(GapReason::Unreadable, FIGURE, arm, place, text),
            }
            continue;
        }
        let Some(count) = gathering.number(FIGURE, arm, point, &place) else {
            continue;
        };
        let Some(bound) = labels.remove("le").and_then(|le| number::parse(&le)) else {
            let text = "a bucket without a number in its label `le`; ask for `…_bucket`";
            gathering.gap(GapReason::Unreadable, FIGURE, arm, place, text);
            continue;
        };
        let group = groups.entry(labels).or_insert((Vec::new(), u64::MAX, None));
        group.0.push((bound, count));
        group.1 = group.1.min(point.at_ms);
        group.2 = group.2.max(reset_ms(found));
    }
    for (labels, (buckets, at_ms, reset_ms)) in groups {
        match classic(buckets) {
            Ok(converted) => {
                if let Some(note) = converted.note {
                    gathering.remark(FIGURE, arm, String::new(), note);
                }
                whole.push(Counter {
                    labels,
                    at_ms,
                    reset_ms,
                    value: converted.latency,
                });
            }
            Err(text) => gathering.gap(GapReason::Unreadable, FIGURE, arm, String::new(), text),
        }
    }
    whole
}
