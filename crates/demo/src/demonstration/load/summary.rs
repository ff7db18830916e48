//! What a ledger comes to, kept up entry by entry or taken from a file.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::latencies::Latencies;
use super::ledger::{Entry, Loss};

/// The width of a window.
const WINDOW_MS: i64 = 1_000;
/// The most windows kept; beyond it the oldest goes.
const WINDOWS_MAX: usize = 7_200;
/// The most versions told apart; the rest count as one that gives no name.
const VERSIONS_MAX: usize = 32;

/// Counts of a set of requests that were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// All that were sent.
    pub(crate) sent: u64,
    /// Those without a whole answer.
    pub(crate) lost: u64,
    /// Those with a whole answer of 500 or above.
    pub(crate) errors: u64,
    /// Those with a whole answer of 400 to 499.
    pub(crate) refused: u64,
    /// When the last one was sent, in ms since the epoch.
    pub(crate) last_sent_ms: Option<i64>,
    /// Of those with a whole answer, errors included.
    pub(crate) latencies: Latencies,
}

impl Tally {
    fn add(&mut self, entry: &Entry) {
        self.sent += 1;
        self.last_sent_ms = self.last_sent_ms.max(Some(entry.sent_at_ms));
        if entry.is_lost() {
            self.lost += 1;
            return;
        }
        self.errors += u64::from(entry.is_error());
        self.refused += u64::from(matches!(entry.status, Some(400..500)));
        self.latencies.add(entry.latency_us);
    }

    /// Requests whose sender did not get what it came for: lost, or answered with an error.
    pub(crate) const fn harmed(&self) -> u64 {
        self.lost + self.errors
    }
}

/// One second of traffic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) sent: u64,
    pub(crate) lost: u64,
    pub(crate) errors: u64,
    /// How many each version answered.
    pub(crate) by_version: BTreeMap<String, u64>,
}

/// What a ledger, or a stretch of it, comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LedgerSummary {
    /// Requests sent outside of it are left out.
    stretch: Option<Range<i64>>,
    total: Tally,
    by_version: BTreeMap<String, Tally>,
    nameless: Tally,
    losses: BTreeMap<Loss, u64>,
    late_ms_max: u32,
    windows: BTreeMap<i64, Window>,
}

impl LedgerSummary {
    /// A summary of everything that will be added.
    pub(crate) fn new() -> LedgerSummary {
        LedgerSummary::default()
    }

    /// A summary of what was sent at `stretch.start` ms since the epoch or later, and before
    /// `stretch.end`.
    pub(crate) fn of_stretch(stretch: Range<i64>) -> LedgerSummary {
        LedgerSummary {
            stretch: Some(stretch),
            ..LedgerSummary::default()
        }
    }

    /// A summary of what was sent after `ms` since the epoch.
    pub(crate) fn since(ms: i64) -> LedgerSummary {
        LedgerSummary::of_stretch(ms.saturating_add(1)..i64::MAX)
    }

    /// Adds all of `entries`.
    #[must_use]
    pub(crate) fn with<'a>(mut self, entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        for entry in entries {
            self.add(entry);
        }
        self
    }

    /// Adds one entry.
    pub(crate) fn add(&mut self, entry: &Entry) {
        if self
            .stretch
            .as_ref()
            .is_some_and(|stretch| !stretch.contains(&entry.sent_at_ms))
        {
            return;
        }
        if let Some(loss) = entry.loss {
            *self.losses.entry(loss).or_default() += 1;
        }
        if !entry.is_sent() {
            return;
        }
        self.late_ms_max = self.late_ms_max.max(entry.late_ms);
        self.total.add(entry);
        let version = entry.answered_by();
        self.tally_of(version).add(entry);
        self.add_to_window(entry, version);
    }

    fn tally_of(&mut self, version: Option<&str>) -> &mut Tally {
        let full = self.by_version.len() >= VERSIONS_MAX;
        match version {
            Some(version) if !full || self.by_version.contains_key(version) => {
                self.by_version.entry(version.to_owned()).or_default()
            }
            _ => &mut self.nameless,
        }
    }

    fn add_to_window(&mut self, entry: &Entry, version: Option<&str>) {
        let start_ms = entry.sent_at_ms.div_euclid(WINDOW_MS) * WINDOW_MS;
        let window = self.windows.entry(start_ms).or_default();
        window.sent += 1;
        window.lost += u64::from(entry.is_lost());
        window.errors += u64::from(entry.is_error());
        if let Some(version) = version
            && (window.by_version.len() < VERSIONS_MAX || window.by_version.contains_key(version))
        {
            *window.by_version.entry(version.to_owned()).or_default() += 1;
        }
        if self.windows.len() > WINDOWS_MAX {
            self.windows.pop_first();
        }
    }

    /// All requests that were sent.
    pub(crate) const fn total(&self) -> &Tally {
        &self.total
    }

    #[cfg(test)]
    /// What one version (or, where versions are not named, one arm) answered.
    pub(crate) fn version(&self, version: &str) -> Option<&Tally> {
        self.by_version.get(version)
    }

    /// All versions that answered anything, with what they answered.
    pub(crate) fn versions(&self) -> impl Iterator<Item = (&str, &Tally)> {
        self.by_version
            .iter()
            .map(|(version, tally)| (version.as_str(), tally))
    }

    #[cfg(test)]
    /// What has no version: requests lost before any answer, and answers of the router itself.
    pub(crate) const fn nameless(&self) -> &Tally {
        &self.nameless
    }

    /// Which versions answered requests that were sent after `ms` since the epoch. An answer cut
    /// short counts: its version was still reached.
    pub(crate) fn answered_since(&self, ms: i64) -> Vec<&str> {
        let late = self
            .versions()
            .filter(|(_, tally)| tally.last_sent_ms > Some(ms));
        late.map(|(version, _)| version).collect()
    }

    /// How often each kind of loss was seen.
    pub(crate) const fn losses(&self) -> &BTreeMap<Loss, u64> {
        &self.losses
    }

    /// Requests that were due and not sent, since too many were in flight.
    pub(crate) fn not_sent(&self) -> u64 {
        self.losses.get(&Loss::NotSent).copied().unwrap_or_default()
    }

    #[cfg(test)]
    /// Seconds of traffic by their start in ms since the epoch, the last two hours at most.
    pub(crate) const fn windows(&self) -> &BTreeMap<i64, Window> {
        &self.windows
    }

    /// The figures to print or to keep.
    pub(crate) fn figures(&self) -> Figures {
        Figures {
            total: TallyFigures::of(&self.total),
            not_sent: self.not_sent(),
            late_ms_max: self.late_ms_max,
            losses: self.losses.clone(),
            by_version: self
                .versions()
                .map(|(v, tally)| (v.to_owned(), TallyFigures::of(tally)))
                .collect(),
            nameless: TallyFigures::of(&self.nameless),
        }
    }
}

/// A [`Tally`] as it is written down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TallyFigures {
    pub(crate) sent: u64,
    pub(crate) lost: u64,
    pub(crate) errors: u64,
    pub(crate) refused: u64,
    /// The median in µs, and the 99th percentile, both at most 1/32 too high.
    pub(crate) p50_us: Option<u64>,
    pub(crate) p99_us: Option<u64>,
}

impl TallyFigures {
    fn of(tally: &Tally) -> TallyFigures {
        TallyFigures {
            sent: tally.sent,
            lost: tally.lost,
            errors: tally.errors,
            refused: tally.refused,
            p50_us: tally.latencies.quantile_us(500),
            p99_us: tally.latencies.quantile_us(990),
        }
    }
}

/// A [`LedgerSummary`] as it is written down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Figures {
    pub(crate) total: TallyFigures,
    /// Due but not sent, since too many were in flight.
    pub(crate) not_sent: u64,
    /// How late the latest request was sent, in ms: what the sender itself added to delays.
    pub(crate) late_ms_max: u32,
    pub(crate) losses: BTreeMap<Loss, u64>,
    pub(crate) by_version: BTreeMap<String, TallyFigures>,
    pub(crate) nameless: TallyFigures,
}

#[cfg(test)]
mod tests {
    use super::super::ledger::tests::entry;
    use super::*;

    fn sample() -> Vec<Entry> {
        let mut entries: Vec<Entry> = (0..100)
            .map(|n| {
                entry(
                    n,
                    10_000 + n as i64 * 25,
                    if n % 4 == 0 { "1.5.0" } else { "1.4.2" },
                )
            })
            .collect();
        entries[4].status = Some(503);
        entries[8].status = Some(404);
        entries[12].loss = Some(Loss::BrokenBody);
        entries[13].loss = Some(Loss::Reset);
        entries[13].version = None;
        entries[13].status = None;
        entries[17].loss = Some(Loss::NotSent);
        entries[17].version = None;
        entries[17].status = None;
        entries[21].version = None;
        entries[21].status = Some(502);
        entries[25].version = None;
        entries[25].arm = Some("stable".to_owned());
        entries[40].latency_us = 900_000;
        entries
    }

    #[test]
    fn counts_add_up() {
        let summary = LedgerSummary::new().with(&sample());
        let total = summary.total();
        assert_eq!(
            (total.sent, total.lost, total.errors, total.refused),
            (99, 2, 2, 1)
        );
        assert_eq!((total.harmed(), summary.not_sent()), (4, 1));
        let losses: Vec<_> = summary
            .losses()
            .iter()
            .map(|(loss, n)| (*loss, *n))
            .collect();
        assert_eq!(
            losses,
            [(Loss::Reset, 1), (Loss::BrokenBody, 1), (Loss::NotSent, 1)]
        );
        let new = summary.version("1.5.0").unwrap();
        assert_eq!((new.sent, new.lost, new.errors, new.refused), (25, 1, 1, 1));
        assert_eq!(new.latencies.quantile_us(990), Some(900_000));
        assert_eq!(summary.version("stable").unwrap().sent, 1);
        assert_eq!((summary.nameless().sent, summary.nameless().lost), (2, 1));
        let parts: u64 = summary.versions().map(|(_, tally)| tally.sent).sum();
        assert_eq!(parts + summary.nameless().sent, total.sent);
        let windows = summary.windows();
        assert_eq!(
            windows.keys().copied().collect::<Vec<_>>(),
            [10_000, 11_000, 12_000]
        );
        assert_eq!(
            windows.values().map(|window| window.sent).sum::<u64>(),
            total.sent
        );
        assert_eq!(windows[&10_000].lost, 2);
        assert_eq!(windows[&12_000].by_version["1.5.0"], 5);
    }

    #[test]
    fn a_stretch_is_by_the_time_of_sending() {
        let entries = sample();
        let summary = LedgerSummary::of_stretch(10_100..10_200).with(&entries);
        assert_eq!(summary.total().sent, 4);
        // 11 500 is the time of number 60, which 1.5.0 answered: it was not sent after itself.
        let since = LedgerSummary::since(11_500).with(&entries);
        assert_eq!(since.total().sent, 39);
    }

    #[test]
    fn the_last_answer_of_a_version_is_known_to_the_millisecond() {
        let summary = LedgerSummary::new().with(&sample());
        assert_eq!(summary.answered_since(12_399), ["1.4.2", "1.5.0"]);
        assert_eq!(summary.answered_since(12_400), ["1.4.2"]);
        assert!(summary.answered_since(12_475).is_empty());
    }

    #[test]
    fn order_does_not_matter() {
        let mut entries = sample();
        let forward = LedgerSummary::new().with(&entries);
        entries.reverse();
        assert_eq!(LedgerSummary::new().with(&entries), forward);
    }

    #[test]
    fn what_can_grow_is_bounded() {
        let mut summary = LedgerSummary::new();
        for n in 0..8_000 {
            summary.add(&entry(n, n as i64 * 1_000, &format!("v{n}")));
        }
        assert_eq!(summary.windows().len(), WINDOWS_MAX);
        assert_eq!(summary.versions().count(), VERSIONS_MAX);
        assert_eq!(summary.nameless().sent, 8_000 - VERSIONS_MAX as u64);
    }
}
