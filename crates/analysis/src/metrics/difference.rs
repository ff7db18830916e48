//! What counters counted from one look to the next.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::body::quoted;
use super::gathering::Gathering;
use super::look::{Appeared, Arm};
use super::reply::Labels;
use crate::window::{GapReason, LatencyCounts};

/// A counter's last value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counter<T> {
    pub(super) labels: Labels,
    pub(super) at_ms: u64,
    /// When it last went back, as far as the reply shows.
    pub(super) reset_ms: Option<u64>,
    pub(super) value: T,
}

/// The mean time from sample to sample over the counters that both looks have.
pub(super) fn span_ms(before: &[Counter<u64>], after: &[Counter<u64>]) -> Option<u64> {
    let earlier: BTreeMap<&Labels, u64> = before.iter().map(|c| (&c.labels, c.at_ms)).collect();
    let spans = after.iter().filter_map(|counter| {
        let at_ms = earlier.get(&counter.labels)?;
        Some(counter.at_ms.saturating_sub(*at_ms))
    });
    let (sum, count) = spans.fold((0u128, 0u128), |(sum, count), span| {
        (sum + u128::from(span), count + 1)
    });
    u64::try_from(sum.checked_div(count)?).ok()
}

/// What can be counted up and differenced.
pub(super) trait Total: Clone + Default {
    /// The difference, or what speaks against it.
    fn minus(&self, before: &Self) -> Result<Self, &'static str>;
    fn plus(&mut self, more: &Self) -> Result<(), &'static str>;
}

impl Total for u64 {
    fn minus(&self, before: &Self) -> Result<Self, &'static str> {
        self.checked_sub(*before).ok_or("it went back")
    }

    fn plus(&mut self, more: &Self) -> Result<(), &'static str> {
        *self = self.saturating_add(*more);
        Ok(())
    }
}

impl Total for LatencyCounts {
    fn minus(&self, before: &Self) -> Result<Self, &'static str> {
        // A native histogram without requests has no buckets yet.
        if before.counts.is_empty() {
            return Ok(self.clone());
        }
        if self.bounds_us != before.bounds_us || self.counts.len() < before.counts.len() {
            return Err("its bucket bounds changed");
        }
        let earlier = before.counts.iter().chain(core::iter::repeat(&0));
        let counts = self.counts.iter().zip(earlier);
        let counts = counts.map(|(now, then)| now.checked_sub(*then).ok_or("a bucket went back"));
        Ok(Self {
            bounds_us: self.bounds_us.clone(),
            counts: counts.collect::<Result<_, _>>()?,
        })
    }

    fn plus(&mut self, more: &Self) -> Result<(), &'static str> {
        if more.counts.is_empty() {
            return Ok(());
        }
        if self.counts.is_empty() {
            *self = more.clone();
            return Ok(());
        }
        if self.bounds_us != more.bounds_us {
            return Err("its bucket bounds are not those of the series before it");
        }
        self.counts
            .resize(self.counts.len().max(more.counts.len()), 0);
        for (sum, count) in self.counts.iter_mut().zip(&more.counts) {
            *sum = sum.saturating_add(*count);
        }
        Ok(())
    }
}

/// The sum of what every counter counted between the looks.
pub(super) fn difference<T: Total>(
    gathering: &mut Gathering<'_>,
    figure: &'static str,
    arm: Arm,
    before: &[Counter<T>],
    after: &[Counter<T>],
) -> Option<T> {
    let mut earlier: BTreeMap<&Labels, &Counter<T>> = before
        .iter()
        .map(|counter| (&counter.labels, counter))
        .collect();
    let mut sum = T::default();
    for counter in after {
        let from = earlier.remove(&counter.labels);
        if from.is_none() {
            let (gap, text) = match gathering.rules.appeared {
                Appeared::FromZero => (
                    None,
                    "it was not there at the look before, and is taken to begin at zero",
                ),
                Appeared::Gap => (
                    Some(GapReason::MissingSeries),
                    "it was not there at the look before, so what it counted since is unknown",
                ),
            };
            gathering.add(gap, figure, Some(arm), named(&counter.labels), text);
        }
        let since = from.map_or(0, |from| from.at_ms);
        let reset = counter.reset_ms.is_some_and(|at| at > since) && from.is_some();
        let zero = T::default();
        let difference = counter.value.minus(from.map_or(&zero, |from| &from.value));
        match difference {
            Ok(difference) if !reset => {
                if let Err(what) = sum.plus(&difference) {
                    let text = format!("{what}; give all instances the same buckets");
                    let place = named(&counter.labels);
                    gathering.gap(GapReason::Ambiguous, figure, arm, place, text);
                }
            }
            other => {
                let what = other.err().unwrap_or("it went back in between");
                let text = format!("{what}; the instance restarted, and a part was not counted");
                let place = named(&counter.labels);
                gathering.gap(GapReason::CounterReset, figure, arm, place, text);
            }
        }
    }
    for labels in earlier.into_keys() {
        let text = "it is gone since the look before, and its last requests were not counted";
        gathering.gap(GapReason::SeriesEnded, figure, arm, named(labels), text);
    }
    Some(sum)
}

/// Labels as a selector writes them.
fn named(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    quoted(&format!("{{{}}}", pairs.join(",")))
}
