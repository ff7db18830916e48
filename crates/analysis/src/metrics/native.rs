//! Histograms of Prometheus, classic and native, as [`LatencyCounts`].
//!
//! Prometheus measures in seconds, the comparison in whole microseconds.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::body::Node;
use super::error::MetricsError;
use super::number;
use crate::window::LatencyCounts;

/// The most buckets that one histogram may have.
pub const BUCKETS_MAX: usize = 4_096;
/// Buckets that are out of order are put right up to this share of all requests, in percent.
pub const REPAIR_PERCENT_MAX: u64 = 1;
/// The finest grid that native histograms are put on: 2^3 = 8 buckets per doubling, each 9 % wide.
const GRID_SCHEMA_MAX: i32 = 3;
/// The grid begins at 2^-20 s (about 1 µs) and ends at 2^12 s (about 68 min).
const GRID_OCTAVES: (i32, i32) = (-20, 12);

/// A native histogram as the HTTP API writes it: `count`, `sum`, and the buckets that are not
/// empty. After `increase()` or `rate()` its counts are fractions.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeHistogram {
    /// Observations, those that fell into no bucket (NaN) included.
    pub count: f64,
    /// Their sum, in the unit of the metric; may be NaN.
    pub sum: f64,
    /// In ascending order, without overlap.
    pub buckets: Vec<NativeBucket>,
}

/// A bucket of a native histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NativeBucket {
    /// Lower bound, in the unit of the metric; may be infinite.
    pub lower: f64,
    /// Upper bound; may be infinite.
    pub upper: f64,
    /// Observations in it.
    pub count: f64,
}

/// A histogram that was converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Converted {
    pub(crate) latency: LatencyCounts,
    /// What had to be put right.
    pub(crate) note: Option<String>,
}

impl NativeHistogram {
    pub(crate) fn read(node: &Node<'_, '_>) -> Result<Self, MetricsError> {
        let count = number::in_string(&node.field("count")?)?;
        let sum = number::in_string(&node.field("sum")?)?;
        let mut buckets: Vec<NativeBucket> = Vec::new();
        if let Some(list) = node.optional("buckets")? {
            for item in list.items()? {
                let [rule, lower, upper, count] =
                    item.tuple("[boundary rule, lower, upper, count]")?;
                if rule.value.as_u64().is_none_or(|rule| rule > 3) {
                    return Err(rule.unlike("a boundary rule from 0 to 3"));
                }
                let bucket = NativeBucket {
                    lower: number::in_string(&lower)?,
                    upper: number::in_string(&upper)?,
                    count: number::in_string(&count)?,
                };
                let ascends = buckets.last().is_none_or(|last| last.upper <= bucket.lower);
                // NaN bounds fail both.
                if !(bucket.lower <= bucket.upper && ascends) {
                    return Err(item.unlike("a bucket that follows the one before it"));
                }
                if buckets.len() == BUCKETS_MAX {
                    return Err(MetricsError::shape(
                        list.place(),
                        format!(
                            "more than {BUCKETS_MAX} buckets; lower the histogram's resolution"
                        ),
                    ));
                }
                buckets.push(bucket);
            }
        }
        Ok(Self {
            count,
            sum,
            buckets,
        })
    }

    /// Requests by latency, if the metric is in seconds.
    ///
    /// Buckets that are not empty differ from reply to reply, and the comparison can add only
    /// histograms of the same bounds. Exponential buckets are therefore put on a fixed grid of (at
    /// the finest) eight bounds per doubling, on whose bounds finer buckets begin and end as well.
    /// Buckets of other bounds stand as they are. Native buckets include their upper bound, as ours
    /// do. Observations that fell into no bucket (NaN) are left out.
    ///
    /// # Errors
    ///
    /// What is wrong: a count that is none, or latencies below zero.
    pub fn latency_counts(&self) -> Result<LatencyCounts, String> {
        let mut filled: Vec<NativeBucket> = Vec::new();
        for bucket in self.buckets.iter().filter(|bucket| bucket.count != 0.0) {
            if !(bucket.count > 0.0 && bucket.count.is_finite()) {
                return Err(format!("a bucket holds {} requests", bucket.count));
            }
            // The bucket around zero reaches as far below as above it.
            if bucket.upper < 0.0
                || (bucket.lower < 0.0 && bucket.lower.is_finite() && bucket.upper < -bucket.lower)
            {
                return Err(format!(
                    "{} requests took less than no time; is this a histogram of latencies?",
                    bucket.count
                ));
            }
            filled.push(*bucket);
        }
        let Some(grid) = grid_of(&filled) else {
            return on_own_bounds(&filled);
        };
        let mut cumulated = Vec::with_capacity(grid.len());
        let (mut next, mut sum) = (filled.iter().peekable(), 0.0);
        for bound in &grid {
            // A bucket belongs below a bound that it reaches to within rounding.
            while let Some(bucket) = next.next_if(|bucket| bucket.upper <= bound * (1.0 + 1e-9)) {
                sum += bucket.count;
            }
            cumulated.push((*bound, sum));
        }
        sum += next.map(|bucket| bucket.count).sum::<f64>();
        cumulated.push((f64::INFINITY, sum));
        from_cumulated(&cumulated)
    }
}

/// The grid for exponential buckets, in seconds; `None` if a bucket would not lie between two of
/// its bounds.
fn grid_of(buckets: &[NativeBucket]) -> Option<Vec<f64>> {
    let mut schema = None;
    let (from, to) = GRID_OCTAVES;
    for bucket in buckets {
        // The buckets around zero and up to infinity have no ratio; they lie outside the grid.
        if bucket.lower <= 0.0 || bucket.upper.is_infinite() {
            let below = bucket.upper <= libm::exp2(f64::from(from));
            let above = bucket.lower >= libm::exp2(f64::from(to));
            (below || above).then_some(())?;
            continue;
        }
        let whole = |number: f64| (number - libm::round(number)).abs() < 1e-6;
        let found = (-4..=8).find(|schema| {
            let width = libm::exp2(-f64::from(*schema));
            let octaves = libm::log2(bucket.upper / bucket.lower);
            (octaves / width - 1.0).abs() < 1e-6 && whole(libm::log2(bucket.upper) / width)
        })?;
        if schema.is_some_and(|schema| schema != found) {
            return None;
        }
        schema = Some(found);
    }
    let schema = schema?.min(GRID_SCHEMA_MAX);
    // Coarse schemas have several octaves to a bucket, all of them multiples of 2^-schema.
    let width = libm::exp2(-f64::from(schema));
    let first = libm::ceil(f64::from(from) / width);
    let bounds = (0..).map(|index| libm::exp2((first + f64::from(index)) * width));
    Some(
        bounds
            .take_while(|bound| *bound <= libm::exp2(f64::from(to)))
            .collect(),
    )
}

fn on_own_bounds(buckets: &[NativeBucket]) -> Result<LatencyCounts, String> {
    let (mut cumulated, mut sum) = (Vec::new(), 0.0);
    for bucket in buckets {
        // A stretch without requests ends where this bucket begins.
        if bucket.lower > 0.0 {
            cumulated.push((bucket.lower, sum));
        }
        sum += bucket.count;
        cumulated.push((bucket.upper, sum));
    }
    if !cumulated.is_empty() {
        cumulated.push((f64::INFINITY, sum));
    }
    from_cumulated(&cumulated)
}

/// Classic buckets, `(le, requests up to it)` in any order, `le` in seconds.
///
/// Sums over targets that are scraped one after another may fall from a bucket to the next; up to
/// [`REPAIR_PERCENT_MAX`] of the requests, a bucket is then raised to the one below it, as
/// Prometheus' own `histogram_quantile` does.
pub(crate) fn classic(mut buckets: Vec<(f64, f64)>) -> Result<Converted, String> {
    if buckets.len() > BUCKETS_MAX {
        return Err(format!(
            "more than {BUCKETS_MAX} buckets; sum over the other labels"
        ));
    }
    if buckets
        .iter()
        .any(|(bound, _)| bound.is_nan() || *bound < 0.0)
    {
        return Err(
            "a bucket's `le` is negative or NaN; is this a histogram of latencies?".to_string(),
        );
    }
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    if let Some(pair) = buckets.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
        return Err(format!(
            "several buckets with `le` {}; sum over the other labels",
            pair[0].0
        ));
    }
    if buckets.last().is_none_or(|(bound, _)| bound.is_finite()) {
        return Err(
            "there is no bucket with `le=\"+Inf\"`, so the slowest requests are not counted; do \
             not filter on `le`"
                .to_string(),
        );
    }
    let (mut high, mut repaired) = (0.0f64, 0.0f64);
    for (_, count) in &mut buckets {
        if number::count(*count).is_none() {
            return Err(format!("a bucket holds {count} requests"));
        }
        repaired = repaired.max(high - *count);
        high = high.max(*count);
        *count = high;
    }
    let allowed = high * number_of(REPAIR_PERCENT_MAX) / 100.0;
    if repaired > allowed.max(1.0) {
        return Err(format!(
            "a bucket holds {repaired} requests fewer than one below it; sum over all labels but \
             `le` and the version, and keep every `le`"
        ));
    }
    let note = (repaired > 0.0).then(|| {
        format!("buckets were out of order by up to {repaired} requests and were put right")
    });
    Ok(Converted {
        latency: from_cumulated(&buckets)?,
        note,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a small constant")]
const fn number_of(count: u64) -> f64 {
    count as f64
}

/// Ascending `(bound in seconds, requests up to it)`, as counts per bucket. The cumulated counts
/// are rounded, not the differences, so that roundings do not add up.
fn from_cumulated(cumulated: &[(f64, f64)]) -> Result<LatencyCounts, String> {
    let mut latency = LatencyCounts::default();
    let mut before = 0;
    for (bound, sum) in cumulated {
        let sum = number::count(*sum).ok_or_else(|| format!("a bucket holds {sum} requests"))?;
        let bound_us = number::us_of_seconds(*bound)
            .ok_or_else(|| format!("a bucket ends at {bound} seconds"))?;
        let count = sum.saturating_sub(before);
        before = before.max(sum);
        match latency.bounds_us.last() {
            // Bounds that are the same to the microsecond become one bucket.
            Some(last) if *last == bound_us => {
                if let Some(last) = latency.counts.last_mut() {
                    *last = last.saturating_add(count);
                }
            }
            // The open bucket has a count and no bound; a second one adds to it.
            _ if bound_us == u64::MAX && latency.counts.len() > latency.bounds_us.len() => {
                if let Some(last) = latency.counts.last_mut() {
                    *last = last.saturating_add(count);
                }
            }
            _ => {
                latency.counts.push(count);
                if bound_us < u64::MAX {
                    latency.bounds_us.push(bound_us);
                }
            }
        }
    }
    Ok(latency)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{NativeBucket, NativeHistogram};

    /// Filled buckets as `(upper bound in µs, count)`, and the number of bounds.
    fn converted(buckets: &[(f64, f64, f64)]) -> (Vec<(u64, u64)>, usize) {
        let buckets = buckets.iter().map(|&(lower, upper, count)| NativeBucket {
            lower,
            upper,
            count,
        });
        let histogram = NativeHistogram {
            count: 0.0,
            sum: f64::NAN,
            buckets: buckets.collect(),
        };
        let latency = histogram.latency_counts().expect("latencies");
        assert!(latency.is_well_formed());
        let bounds = latency.bounds_us.iter().copied().chain([u64::MAX]);
        let filled = bounds.zip(latency.counts.iter().copied());
        (
            filled.filter(|(_, count)| *count > 0).collect(),
            latency.bounds_us.len(),
        )
    }

    #[test]
    fn exponential_buckets_lie_on_a_grid_that_stays() {
        let tiny = 2.938_735_877_055_719e-39;
        let eighth = |index: i32| libm::exp2(f64::from(index) / 8.0);
        let (filled, bounds) = converted(&[
            (-tiny, tiny, 2.0),
            (eighth(-56), eighth(-55), 5.0),
            (eighth(-10), eighth(-9), 1.0),
        ]);
        assert_eq!(filled, [(1, 2), (8_520, 5), (458_502, 1)]);
        assert_eq!(converted(&[(eighth(3), eighth(4), 1.0)]).1, bounds);
        // Finer buckets are joined: 1/32 to 1/8 of an octave.
        let fine = |index: i32| libm::exp2(f64::from(index) / 32.0);
        let joined = converted(&[(fine(-4), fine(-3), 1.0), (fine(-1), fine(0), 2.0)]);
        assert_eq!(joined, ([(1_000_000, 3)].into(), bounds));
        // Coarse ones keep their own grid.
        assert_eq!(converted(&[(0.25, 1.0, 3.0)]).0, [(1_000_000, 3)]);
        // Longer than the grid is without bound.
        assert_eq!(converted(&[(8_192.0, 16_384.0, 3.0)]).0, [(u64::MAX, 3)]);
    }

    #[test]
    fn what_would_straddle_the_grid_keeps_its_own_bounds() {
        for (buckets, expected) in [
            // Doubling, but not from a power of two.
            (&[(3.0, 6.0, 4.0)][..], &[(6_000_000, 4)][..]),
            (
                &[(-0.001, 0.001, 1.0), (1.0, 2.0, 1.0)],
                &[(1_000, 1), (2_000_000, 1)],
            ),
            (
                &[(1.0, 2.0, 1.0), (10.0, f64::INFINITY, 1.0)],
                &[(2_000_000, 1), (u64::MAX, 1)],
            ),
        ] {
            let (filled, bounds) = converted(buckets);
            assert_eq!(filled, expected);
            assert!(bounds <= 4, "{bounds}");
        }
        assert_eq!(converted(&[]), (Vec::new(), 0));
    }
}
