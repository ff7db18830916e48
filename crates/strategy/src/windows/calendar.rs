//! When it is open: windows and freezes laid out over a stretch of time.

use alloc::string::String;
use alloc::vec::Vec;

use super::HORIZON_MS;
use super::interval::{Interval, join, without};
use super::local::{DAY_MIN, DAY_MS, MINUTE_MS, MonthDay, at, weekday, year_and_day};
use super::local::{YEAR_MAX, YEAR_MIN};
use super::zone::{Offsets, Zone};

/// How much is laid out first, so that a question about today does not pay for the year.
const CHUNK_MS_MIN: i64 = 8 * DAY_MS;
/// How much is laid out at once, at most. Each chunk is twice the one before, so that the fixed
/// cost of one, the look at every zone's rules, is paid a few times in a year.
const CHUNK_MS_MAX: i64 = 64 * DAY_MS;
/// A recurring window closes less than this after its day began, by the clock.
const WEEKLY_MS_MAX: i64 = 2 * DAY_MIN as i64 * MINUTE_MS;

/// Everything that is allowed or not, by time zone, ready to be laid out.
#[derive(Clone, Debug, Default)]
pub(super) struct Calendar {
    /// Whether it is open unless frozen.
    pub(super) always: bool,
    /// Every zone that is used.
    pub(super) zones: Vec<InZone>,
    pub(super) dated: Vec<Interval>,
    pub(super) dated_freezes: Vec<DatedFreeze>,
}

/// What recurs by the clocks of one zone.
#[derive(Clone, Debug)]
pub(super) struct InZone {
    pub(super) zone: Zone,
    pub(super) weekly: Vec<Weekly>,
    pub(super) yearly: Vec<Yearly>,
}

/// A window that recurs on weekdays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weekly {
    /// Monday the lowest bit.
    pub(super) days: u8,
    /// The first such weekday of the month the lowest bit.
    pub(super) weeks: u8,
    /// Minutes of the day.
    pub(super) from: u16,
    /// Minutes of the same day, more than `from` and at most two days.
    pub(super) to: u16,
}

/// A freeze that recurs every year, days inclusive.
#[derive(Clone, Debug)]
pub(super) struct Yearly {
    pub(super) from: MonthDay,
    pub(super) to: MonthDay,
    pub(super) name: String,
}

#[derive(Clone, Debug)]
pub(super) struct DatedFreeze {
    pub(super) interval: Interval,
    pub(super) name: String,
}

impl Yearly {
    /// What it covers of the year that it begins in, by the clock, in milliseconds.
    fn in_year(&self, year: i16) -> Option<Interval> {
        let crosses = self.to < self.from;
        let last = year.checked_add(i16::from(crosses))?;
        let (first, after) = (self.from.begins(year)?, self.to.ends(last)?);
        Some(Interval::new(at(first, 0), at(after, 0)))
    }
}

impl InZone {
    pub(super) const fn new(zone: Zone) -> InZone {
        InZone {
            zone,
            weekly: Vec::new(),
            yearly: Vec::new(),
        }
    }

    fn lay_windows(&self, chunk: Interval, offsets: &Offsets, open: &mut Vec<Interval>) {
        let (least, most) = offsets.readings(chunk.start, chunk.end);
        let first = least.saturating_sub(WEEKLY_MS_MAX).div_euclid(DAY_MS);
        for day in first..=most.div_euclid(DAY_MS) {
            let Some((_, of_month)) = year_and_day(day) else {
                continue;
            };
            let (day_bit, week_bit) = (1 << weekday(day), 1 << ((of_month - 1) / 7));
            let today = |it: &&Weekly| it.days & day_bit != 0 && it.weeks & week_bit != 0;
            open.extend(self.weekly.iter().filter(today).filter_map(|window| {
                let start = offsets.opening(at(day, window.from));
                let end = offsets.closing(at(day, window.to));
                Interval::new(start, end).within(chunk)
            }));
        }
    }

    /// Every freeze of a year that touches the chunk by the clock, with that time.
    fn freezes(&self, chunk: Interval, offsets: &Offsets) -> impl Iterator<Item = Frozen<'_>> {
        let (least, most) = offsets.readings(chunk.start, chunk.end);
        let year = |ms: i64| {
            let outside = if ms < 0 { YEAR_MIN } else { YEAR_MAX };
            year_and_day(ms.div_euclid(DAY_MS)).map_or(outside, |(year, _)| year)
        };
        let years = year(least) - 1..=year(most);
        self.yearly.iter().flat_map(move |freeze| {
            let by_clock = years.clone().filter_map(|year| freeze.in_year(year));
            by_clock
                .filter(move |clock| clock.start <= most && least < clock.end)
                .map(move |clock| Frozen { freeze, clock })
        })
    }
}

/// One year's freeze.
struct Frozen<'a> {
    freeze: &'a Yearly,
    /// By the clock.
    clock: Interval,
}

impl Frozen<'_> {
    fn interval(&self, offsets: &Offsets) -> Interval {
        let start = offsets.opening(self.clock.start);
        Interval::new(start, offsets.closing(self.clock.end))
    }
}

impl Calendar {
    /// What is open and what is frozen within a chunk, both joined.
    fn lay_out(&self, chunk: Interval) -> (Vec<Interval>, Vec<Interval>) {
        let (mut open, mut shut) = (Vec::new(), Vec::new());
        if self.always {
            open.push(chunk);
        }
        for zone in &self.zones {
            let offsets = zone.zone.offsets(chunk.start, chunk.end);
            zone.lay_windows(chunk, &offsets, &mut open);
            let freezes = zone.freezes(chunk, &offsets);
            shut.extend(freezes.filter_map(|frozen| frozen.interval(&offsets).within(chunk)));
        }
        open.extend(self.dated.iter().filter_map(|window| window.within(chunk)));
        let dated = self.dated_freezes.iter();
        shut.extend(dated.filter_map(|freeze| freeze.interval.within(chunk)));
        join(&mut open);
        join(&mut shut);
        (open, shut)
    }

    /// The freeze that holds at some time, and when it ends; of several the last to end.
    pub(super) fn freeze_at(&self, now: i64) -> Option<(&str, i64)> {
        let moment = Interval::new(now, now.saturating_add(1));
        let dated = self.dated_freezes.iter();
        let dated = dated
            .filter(|freeze| freeze.interval.contains(now))
            .map(|freeze| (freeze.name.as_str(), freeze.interval.end));
        let yearly = self.zones.iter().flat_map(|zone| {
            let offsets = zone.zone.offsets(now, now);
            let freezes: Vec<Frozen<'_>> = zone
                .freezes(moment, &offsets)
                .filter(|frozen| frozen.interval(&offsets).contains(now))
                .collect();
            freezes.into_iter().map(|frozen| {
                let end = frozen.clock.end;
                let end = zone.zone.offsets(end, end).closing(end);
                (frozen.freeze.name.as_str(), end)
            })
        });
        // The first of equals: by the end, then the name, so that one answer is the answer.
        dated
            .chain(yearly)
            .max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(a.0)))
    }

    /// Whether no moment of the interval is free of freezes. Never true of one longer than
    /// [`HORIZON_MS`].
    pub(super) fn is_frozen_throughout(&self, interval: Interval) -> bool {
        let short = interval.end.saturating_sub(interval.start) <= HORIZON_MS;
        short
            && Chunks::of(interval).all(|chunk| {
                let (_, shut) = self.lay_out(chunk);
                shut == [chunk]
            })
    }

    /// Walks over what is open within the interval, from its start.
    pub(super) fn walk(&self, interval: Interval) -> Walk<'_> {
        Walk {
            calendar: self,
            chunks: Chunks::of(interval),
            laid: Vec::new().into_iter(),
            pending: None,
        }
    }
}

/// The pieces that an interval is laid out in, in order.
#[derive(Clone, Debug)]
struct Chunks {
    left: Interval,
    next_ms: i64,
}

impl Chunks {
    const fn of(interval: Interval) -> Chunks {
        Chunks {
            left: interval,
            next_ms: CHUNK_MS_MIN,
        }
    }
}

impl Iterator for Chunks {
    type Item = Interval;

    fn next(&mut self) -> Option<Interval> {
        let end = self.left.start.saturating_add(self.next_ms);
        let chunk = Interval::new(self.left.start, end.min(self.left.end));
        self.left.start = chunk.end;
        self.next_ms = (self.next_ms * 2).min(CHUNK_MS_MAX);
        (chunk.start < chunk.end).then_some(chunk)
    }
}

/// What is open, in order, as long as it lasts; laid out chunk by chunk.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    calendar: &'a Calendar,
    chunks: Chunks,
    laid: alloc::vec::IntoIter<Interval>,
    /// The last one laid out, which the next may continue.
    pending: Option<Interval>,
}

impl Walk<'_> {
    fn next_piece(&mut self) -> Option<Interval> {
        loop {
            if let Some(piece) = self.laid.next() {
                return Some(piece);
            }
            let chunk = self.chunks.next()?;
            let (open, shut) = self.calendar.lay_out(chunk);
            self.laid = without(&open, &shut).into_iter();
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Interval;

    fn next(&mut self) -> Option<Interval> {
        while let Some(piece) = self.next_piece() {
            match &mut self.pending {
                Some(pending) if pending.end == piece.start => pending.end = piece.end,
                _ => {
                    if let Some(done) = self.pending.replace(piece) {
                        return Some(done);
                    }
                }
            }
        }
        self.pending.take()
    }
}
