//! How often flags are evaluated: counters that are added to without a lock.

use crate::index::KeyIndex;
use crate::ir::Flag;
use crate::resolution::Resolution;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use nonevent_document::Timestamp;
use serde::{Deserialize, Serialize};

/// Counts evaluations of the flags of a set, by variant, from as many threads as there are.
///
/// What counts as an evaluation is the caller's to say. A server that gives a client all flags at once
/// does not learn which of them the client reads; `nonevent flags serve` counts each.
///
/// Recording takes no lock, makes no allocation and orders nothing: a snapshot that is taken
/// meanwhile may lack what was recorded an instant ago. A clone counts into the same counters.
///
/// ```
/// use nonevent_document::Timestamp;
/// use nonevent_flags::{Context, FlagSet, LoadOptions, Usage};
///
/// let file = br#"{"flags": {"basket": true, "old": false}}"#;
/// let set = FlagSet::load("flags.json", file, LoadOptions::default())?.set;
/// let usage = Usage::new(&set);
/// let now: Timestamp = "2026-11-24T09:00:00Z".parse().expect("a time");
///
/// let resolution = set.bool("basket", false, &Context::new("user-7").at(now));
/// usage.record("basket", &resolution, now);
///
/// let snapshot = usage.snapshot();
/// assert_eq!(snapshot.flags["basket"].variants["on"], 1);
/// assert_eq!(snapshot.flags["old"].evaluations, 0);
/// let dead = set.check_usage(snapshot.counts_since(None), 30);
/// assert_eq!(dead.len(), 1);
/// # Ok::<(), nonevent_document::Findings>(())
/// ```
#[derive(Debug, Clone)]
pub struct Usage {
    flags: Box<[Counter]>,
    index: KeyIndex,
    shards: usize,
}

/// What is counted of one flag.
#[derive(Debug, Clone)]
struct Counter {
    key: Arc<str>,
    variants: Box<[(Arc<str>, Count)]>,
    /// Served the caller's default, without an error.
    caller: Count,
    errors: Count,
    /// Of variants that the flag has no more.
    gone: Count,
    /// When it was evaluated last, in milliseconds since 1970; `i64::MIN` for never.
    last_ms: Arc<AtomicI64>,
}

/// A number in as many parts as there are shards.
#[derive(Debug, Clone)]
struct Count(Arc<[Part]>);

/// Alone in its line of a processor's cache, so that threads which add to different numbers do not
/// wait for each other.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Part(AtomicU64);

impl Count {
    fn new(shards: usize) -> Self {
        Self((0..shards).map(|_| Part::default()).collect())
    }

    fn add(&self, shard: usize, count: u64) {
        // There is at least one part.
        if let Some(part) = self.0.get(shard % self.0.len().max(1)) {
            part.0.fetch_add(count, Relaxed);
        }
    }

    fn sum(&self) -> u64 {
        let parts = self.0.iter().map(|part| part.0.load(Relaxed));
        parts.fold(0, u64::saturating_add)
    }
}

impl Counter {
    fn new(flag: &Flag, shards: usize) -> Self {
        let variants = flag.variants().iter();
        Self {
            key: Arc::clone(&flag.key),
            variants: variants
                .map(|it| (Arc::clone(&it.name), Count::new(shards)))
                .collect(),
            caller: Count::new(shards),
            errors: Count::new(shards),
            gone: Count::new(shards),
            last_ms: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// The counter of the same flag as it is defined now: what has the same name goes on counting.
    fn renewed(&self, flag: &Flag, shards: usize) -> Self {
        let variants = flag.variants().iter().map(|it| {
            let count = self.of(&it.name).cloned();
            let count = count.unwrap_or_else(|| Count::new(shards));
            (Arc::clone(&it.name), count)
        });
        let renewed = Self {
            variants: variants.collect(),
            ..self.clone()
        };
        for (name, count) in &self.variants {
            if renewed.of(name).is_none() {
                renewed.gone.add(0, count.sum());
            }
        }
        renewed
    }

    fn of(&self, variant: &str) -> Option<&Count> {
        let mut variants = self.variants.iter();
        let (_, count) = variants.find(|(name, _)| **name == *variant)?;
        Some(count)
    }

    fn seen_at(&self, at: Timestamp) {
        let at = at.unix_ms();
        // Most evaluations come within one millisecond of another: reading is cheaper.
        if self.last_ms.load(Relaxed) < at {
            self.last_ms.fetch_max(at, Relaxed);
        }
    }

    fn usage(&self) -> FlagUsage {
        let variants: BTreeMap<String, u64> = self
            .variants
            .iter()
            .map(|(name, count)| (String::from(&**name), count.sum()))
            .collect();
        let (caller, errors) = (self.caller.sum(), self.errors.sum());
        let others = [caller, errors, self.gone.sum()];
        let all = variants.values().chain(&others);
        let last = self.last_ms.load(Relaxed);
        FlagUsage {
            evaluations: all.fold(0, |sum, count| sum.saturating_add(*count)),
            last: (last != i64::MIN).then(|| Timestamp::from_unix_ms(last)),
            variants,
            caller,
            errors,
        }
    }
}

impl Usage {
    /// Counters for the flags of this set, or of several, all 0.
    #[must_use]
    pub fn new<'f>(flags: impl IntoIterator<Item = &'f Flag>) -> Self {
        Self::sharded(flags, 1)
    }

    /// The same with each number in so many parts (at least one), for threads that evaluate one flag
    /// all the time: each adds to a part of its own with [`Usage::record_on`]. A part takes 64 bytes
    /// for each variant of each flag, and three more.
    #[must_use]
    pub fn sharded<'f>(flags: impl IntoIterator<Item = &'f Flag>, shards: usize) -> Self {
        let shards = shards.max(1);
        let flags = flags.into_iter().map(|flag| Counter::new(flag, shards));
        Self::of(flags.collect(), shards)
    }

    fn of(flags: Box<[Counter]>, shards: usize) -> Self {
        Self {
            index: KeyIndex::new(&flags.iter().map(|it| &*it.key)),
            flags,
            shards,
        }
    }

    /// Counters for another set, which takes the place of the one these are for: a flag of the same
    /// key goes on where it was, and what is recorded here meanwhile is counted there too. Flags that
    /// the new set does not have are forgotten; of a variant that it does not have, only the number.
    #[must_use]
    pub fn renewed<'f>(&self, flags: impl IntoIterator<Item = &'f Flag>) -> Self {
        let flags = flags.into_iter().map(|flag| match self.counter(&flag.key) {
            Some(known) => known.renewed(flag, self.shards),
            None => Counter::new(flag, self.shards),
        });
        Self::of(flags.collect(), self.shards)
    }

    /// Counts an evaluation of this flag. What is no flag of the set is not counted.
    pub fn record<T>(&self, key: &str, resolution: &Resolution<'_, T>, now: Timestamp) {
        self.record_on(0, key, resolution, now);
    }

    /// The same in one of the parts; the number is taken modulo how many there are.
    pub fn record_on<T>(
        &self,
        shard: usize,
        key: &str,
        resolution: &Resolution<'_, T>,
        now: Timestamp,
    ) {
        let Some(counter) = self.counter(key) else {
            return;
        };
        counter.seen_at(now);
        let count = match (resolution.error_code, resolution.variant) {
            (Some(_), _) => &counter.errors,
            (None, None) => &counter.caller,
            // A set that was renewed meanwhile may know the variant already.
            (None, Some(variant)) => counter.of(variant).unwrap_or(&counter.gone),
        };
        count.add(shard, 1);
    }

    /// What was counted so far.
    #[must_use]
    pub fn snapshot(&self) -> UsageSnapshot {
        let flags = self.flags.iter();
        UsageSnapshot {
            flags: flags
                .map(|it| (String::from(&*it.key), it.usage()))
                .collect(),
        }
    }

    /// Adds what was counted before, such as by a process that has ended. Flags that are not in the
    /// set are left out.
    pub fn absorb(&self, before: &UsageSnapshot) {
        for (key, usage) in &before.flags {
            let Some(counter) = self.counter(key) else {
                continue;
            };
            if let Some(last) = usage.last {
                counter.seen_at(last);
            }
            let mut rest = usage.evaluations;
            let variants = usage.variants.iter().map(|(name, count)| {
                let known = counter.of(name).unwrap_or(&counter.gone);
                (known, *count)
            });
            let others = [
                (&counter.caller, usage.caller),
                (&counter.errors, usage.errors),
            ];
            for (known, count) in variants.chain(others) {
                let count = count.min(rest);
                known.add(0, count);
                rest -= count;
            }
            counter.gone.add(0, rest);
        }
    }

    fn counter(&self, key: &str) -> Option<&Counter> {
        let at = |place: usize| self.flags.get(place).filter(|it| *it.key == *key);
        self.index.find(key, at)
    }
}

/// What was counted, by flag: a JSON object that `nonevent flags check --usage` reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UsageSnapshot {
    /// By the flag's key.
    pub flags: BTreeMap<String, FlagUsage>,
}

/// What was counted of one flag. It reads from a bare number too, which is its evaluations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct FlagUsage {
    /// All evaluations. More than the sum of the others if variants have gone.
    pub evaluations: u64,
    /// When the last one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// How often each variant was served.
    pub variants: BTreeMap<String, u64>,
    /// How often the caller's default was, without an error.
    pub caller: u64,
    /// How often something went wrong.
    pub errors: u64,
}

/// How the usage of a flag may be written.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Count(u64),
    Whole(Whole),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    evaluations: u64,
    last: Option<Timestamp>,
    #[serde(default)]
    variants: BTreeMap<String, u64>,
    #[serde(default)]
    caller: u64,
    #[serde(default)]
    errors: u64,
}

impl From<Written> for FlagUsage {
    fn from(written: Written) -> Self {
        match written {
            Written::Count(evaluations) => Self {
                evaluations,
                ..Self::default()
            },
            Written::Whole(whole) => Self {
                evaluations: whole.evaluations,
                last: whole.last,
                variants: whole.variants,
                caller: whole.caller,
                errors: whole.errors,
            },
        }
    }
}

impl UsageSnapshot {
    /// How often each flag was evaluated, as [`crate::FlagSet::check_usage`] takes it; 0 for one whose last
    /// evaluation is known and was before `since`.
    pub fn counts_since(&self, since: Option<Timestamp>) -> impl Iterator<Item = (&str, u64)> {
        self.flags.iter().map(move |(key, usage)| {
            let is_old = usage
                .last
                .zip(since)
                .is_some_and(|(last, since)| last < since);
            (key.as_str(), if is_old { 0 } else { usage.evaluations })
        })
    }
}

impl FromIterator<(String, FlagUsage)> for UsageSnapshot {
    fn from_iter<I: IntoIterator<Item = (String, FlagUsage)>>(flags: I) -> Self {
        Self {
            flags: flags.into_iter().collect(),
        }
    }
}

impl Extend<UsageSnapshot> for UsageSnapshot {
    /// Adds up what several processes counted.
    fn extend<I: IntoIterator<Item = UsageSnapshot>>(&mut self, others: I) {
        for (key, more) in others.into_iter().flat_map(|it| it.flags) {
            let usage = self.flags.entry(key).or_default();
            usage.evaluations = usage.evaluations.saturating_add(more.evaluations);
            usage.last = usage.last.max(more.last);
            usage.caller = usage.caller.saturating_add(more.caller);
            usage.errors = usage.errors.saturating_add(more.errors);
            for (name, count) in Vec::from_iter(more.variants) {
                let known = usage.variants.entry(name).or_default();
                *known = known.saturating_add(count);
            }
        }
    }
}
