//! From the section as it is written to windows, or to all that is wrong with it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{item_path, member_path};

use super::calendar::{Calendar, DatedFreeze, InZone, Weekly, Yearly};
use super::interval::Interval;
use super::local::{DAY_MIN, Reading, read};
use super::problem::{Problem, ProblemKind};
use super::wire::{AllowWire, FreezeWire, WindowsWire};
use super::zone::Zone;
use super::{DAYS, FREEZES_MAX, NAME_CHARS_MAX, WINDOWS_MAX, Windows, ZONES_MAX};

const DAYS_HELP: &str = "write days as mon, tue, wed, thu, fri, sat and sun";
/// Characters of a text that a message quotes.
const QUOTED_CHARS_MAX: usize = 40;

/// What the section came to: windows unless there is an error, and all that was found.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// `None` if one of the problems is an error.
    pub windows: Option<Windows>,
    /// All that is wrong: errors in the order of the document, or warnings.
    pub problems: Vec<Problem>,
}

/// Checks the section and makes it ready to be asked.
///
/// What depends on the present time is left to [`Windows::check`].
#[must_use]
pub fn resolve(wire: &WindowsWire) -> Resolved {
    let mut resolver = Resolver::default();
    if resolver.counts(wire) {
        resolver.default_zone = resolver.zone("zone", &wire.zone);
        for (index, entry) in wire.allow.iter().flatten().enumerate() {
            resolver.allow(&item_path("allow", index), entry);
        }
        for (index, entry) in wire.freezes.iter().enumerate() {
            resolver.freeze(index, entry);
        }
    }
    // All problems so far are errors.
    if !resolver.problems.is_empty() {
        return Resolved {
            windows: None,
            problems: resolver.problems,
        };
    }
    // A day is laid out in order, so that there is less to sort.
    for zone in &mut resolver.calendar.zones {
        zone.weekly.sort_by_key(|window| window.from);
    }
    let problems = resolver.covered();
    let windows = Some(Windows {
        calendar: Calendar {
            always: wire.allow.is_none(),
            ..resolver.calendar
        },
        wire: wire.clone(),
    });
    Resolved { windows, problems }
}

#[derive(Default)]
struct Resolver {
    calendar: Calendar,
    /// Places in the calendar's list of zones, by name; `None` for an unknown zone.
    zones: BTreeMap<String, Option<usize>>,
    /// The place of the zone of all entries that name none.
    default_zone: Option<usize>,
    /// Names of freezes so far.
    names: BTreeSet<String>,
    /// Paths of the dated windows, in the order of the calendar's.
    dated_paths: Vec<String>,
    problems: Vec<Problem>,
}

impl Resolver {
    fn push(
        &mut self,
        kind: ProblemKind,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(Problem::new(kind, path, message, help));
    }

    /// Whether there is not too much, and not too little, to look at.
    fn counts(&mut self, wire: &WindowsWire) -> bool {
        let allow = wire.allow.as_ref();
        if allow.is_some_and(Vec::is_empty) {
            let help = "name a window, or leave `allow` out to allow changes at any time";
            self.push(
                ProblemKind::Count,
                "allow",
                "the list of windows is empty",
                help,
            );
        }
        let lists = [
            ("allow", allow.map_or(0, Vec::len), WINDOWS_MAX),
            ("freezes", wire.freezes.len(), FREEZES_MAX),
        ];
        for (path, count, max) in lists {
            if count > max {
                let message = format!("{count} entries are too many");
                self.push(
                    ProblemKind::Count,
                    path,
                    message,
                    format!("write at most {max}"),
                );
            }
        }
        let entries = wire.allow.iter().flatten().map(|entry| &entry.zone);
        let entries = entries.chain(wire.freezes.iter().map(|entry| &entry.zone));
        let mut zones: Vec<&String> = entries.flatten().chain([&wire.zone]).collect();
        zones.sort_unstable();
        zones.dedup();
        if zones.len() > ZONES_MAX {
            let message = format!("{} time zones are too many", zones.len());
            let help = format!("use at most {ZONES_MAX}");
            self.push(ProblemKind::Count, "zone", message, help);
        }
        self.problems.is_empty()
    }

    /// The zone's place in the calendar's list.
    fn zone(&mut self, path: &str, name: &str) -> Option<usize> {
        if let Some(known) = self.zones.get(name) {
            return *known;
        }
        let place = match Zone::named(name) {
            Ok(zone) => {
                self.calendar.zones.push(InZone::new(zone));
                Some(self.calendar.zones.len() - 1)
            }
            Err(nearest) => {
                let message = format!("there is no time zone {}", quoted(name));
                let help = match nearest {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => "write an IANA name, such as Europe/Berlin or UTC".into(),
                };
                self.push(ProblemKind::Zone, path, message, help);
                None
            }
        };
        self.zones.insert(name.into(), place);
        place
    }

    fn zone_of(&mut self, path: &str, own: Option<&String>) -> Option<usize> {
        match own {
            Some(name) => self.zone(&member_path(path, "zone"), name),
            None => self.default_zone,
        }
    }

    /// Both bounds of an entry; says which one cannot be read.
    fn bounds(&mut self, path: &str, from: &str, to: &str, help: &str) -> Option<[Reading; 2]> {
        let mut bound = |name, text: &str| {
            let reading = read(text);
            if reading.is_none() {
                let message = format!("{} is no such time", quoted(text));
                self.push(ProblemKind::Form, member_path(path, name), message, help);
            }
            reading
        };
        let (from, to) = (bound("from", from), bound("to", to));
        let from = from?;
        if let Reading::Time(DAY_MIN) | Reading::DateTime(_, DAY_MIN) = from {
            let path = member_path(path, "from");
            let help = "write 00:00 of the next day";
            self.push(ProblemKind::Form, path, "nothing begins at 24:00", help);
            return None;
        }
        Some([from, to?])
    }

    fn allow(&mut self, path: &str, entry: &AllowWire) {
        let zone = self.zone_of(path, entry.zone.as_ref());
        let days = entry.days.as_ref().map(|days| self.days(path, days));
        let weeks = entry.weeks.as_ref().map(|weeks| self.weeks(path, weeks));
        let help = if days.is_some() {
            "write times of the day, such as 09:00 and 16:00"
        } else {
            "write days with times such as 2026-12-01T08:00, or `days` and times such as 09:00"
        };
        let Some(bounds) = self.bounds(path, &entry.from, &entry.to, help) else {
            return;
        };
        match (bounds, days) {
            ([Reading::Time(from), Reading::Time(to)], Some(days)) => {
                if from == to {
                    let message = format!("the window opens and closes at {}", entry.from);
                    let help = "write 00:00 to 24:00 for a whole day";
                    self.push(ProblemKind::Empty, path, message, help);
                } else if let (Some(zone), Some(days), Some(weeks)) =
                    (zone, days, weeks.unwrap_or(Some(u8::MAX)))
                {
                    let to = if to < from { to + DAY_MIN } else { to };
                    self.calendar.zones[zone].weekly.push(Weekly {
                        days,
                        weeks,
                        from,
                        to,
                    });
                }
            }
            ([Reading::DateTime(from, _), Reading::DateTime(to, _)], None) => {
                if entry.weeks.is_some() {
                    let path = member_path(path, "weeks");
                    let help = "leave `weeks` out, or write `days` and times of the day";
                    self.push(
                        ProblemKind::Form,
                        path,
                        "a dated window is in no week",
                        help,
                    );
                } else if let Some(interval) = self.dated(path, zone, from, to) {
                    self.calendar.dated.push(interval);
                    self.dated_paths.push(path.into());
                }
            }
            ([Reading::Time(_), Reading::Time(_)], None) => {
                self.push(ProblemKind::Form, path, "the window has no days", DAYS_HELP);
            }
            _ => {
                let message = format!(
                    "`{}` and `{}` do not make a window{}",
                    entry.from,
                    entry.to,
                    if entry.days.is_some() {
                        " with days"
                    } else {
                        ""
                    },
                );
                self.push(ProblemKind::Form, path, message, help);
            }
        }
    }

    /// A set of weekdays, Monday the lowest bit.
    fn days(&mut self, path: &str, days: &[String]) -> Option<u8> {
        let path = member_path(path, "days");
        let (mut set, mut sound) = (0_u8, true);
        // Of more than there are days, one is a fault.
        for (index, text) in days.iter().take(DAYS.len() + 1).enumerate() {
            let place = DAYS.iter().position(|(short, _)| short == text);
            let message = match place.map(|place| 1 << place) {
                None => format!("{} is no weekday", quoted(text)),
                Some(bit) if set & bit != 0 => format!("{text} is named twice"),
                Some(bit) => {
                    set |= bit;
                    continue;
                }
            };
            sound = false;
            self.push(
                ProblemKind::Form,
                item_path(&path, index),
                message,
                DAYS_HELP,
            );
        }
        if days.is_empty() {
            self.push(
                ProblemKind::Empty,
                path,
                "the window has no days",
                DAYS_HELP,
            );
        }
        (sound && set != 0).then_some(set)
    }

    /// A set of weeks, the first the bit of 1.
    fn weeks(&mut self, path: &str, weeks: &[i64]) -> Option<u8> {
        let path = member_path(path, "weeks");
        let help = "write 1 to 5: 1 for the first such weekday of a month";
        let mut set = 0_u8;
        for (index, week) in weeks.iter().enumerate() {
            let known = u32::try_from(*week)
                .ok()
                .filter(|week| (1..=5).contains(week));
            let message = match known.map(|week| 1 << (week - 1)) {
                None => format!("no weekday is the {week}. of a month"),
                Some(bit) if set & bit != 0 => format!("{week} is named twice"),
                Some(bit) => {
                    set |= bit;
                    continue;
                }
            };
            self.push(ProblemKind::Form, item_path(&path, index), message, help);
            return None;
        }
        if weeks.is_empty() {
            self.push(ProblemKind::Empty, path, "the window is in no week", help);
        }
        (set != 0).then_some(set)
    }

    /// From one local time to another, in Unix time.
    fn dated(&mut self, path: &str, zone: Option<usize>, from: i64, to: i64) -> Option<Interval> {
        if from >= to {
            let (kind, message) = if from == to {
                (ProblemKind::Empty, "it begins and ends at the same time")
            } else {
                (ProblemKind::Order, "it ends before it begins")
            };
            self.push(kind, path, message, "write the earlier time as `from`");
            return None;
        }
        let zone = &self.calendar.zones[zone?].zone;
        let start = zone.offsets(from, from).opening(from);
        let end = zone.offsets(to, to).closing(to);
        if start >= end {
            let message = format!("clocks in {} skip that time", zone.name());
            let help = "move it out of the hour that is lost when clocks go forward";
            self.push(ProblemKind::Empty, path, message, help);
            return None;
        }
        Some(Interval::new(start, end))
    }

    fn freeze(&mut self, index: usize, entry: &FreezeWire) {
        let path = &item_path("freezes", index);
        self.name(path, &entry.name);
        let zone = self.zone_of(path, entry.zone.as_ref());
        let help = "write days with times such as 2026-11-26T00:00, or days of every year such as \
                    12-20 (inclusive)";
        let Some(bounds) = self.bounds(path, &entry.from, &entry.to, help) else {
            return;
        };
        match bounds {
            [Reading::DateTime(from, _), Reading::DateTime(to, _)] => {
                if let Some(interval) = self.dated(path, zone, from, to) {
                    let name = entry.name.clone();
                    self.calendar
                        .dated_freezes
                        .push(DatedFreeze { interval, name });
                }
            }
            [Reading::MonthDay(from), Reading::MonthDay(to)] => {
                if let Some(zone) = zone {
                    let name = entry.name.clone();
                    self.calendar.zones[zone]
                        .yearly
                        .push(Yearly { from, to, name });
                }
            }
            _ => {
                let message = format!("`{}` and `{}` do not make a freeze", entry.from, entry.to);
                self.push(ProblemKind::Form, path, message, help);
            }
        }
    }

    fn name(&mut self, path: &str, name: &str) {
        let message = if name.trim().is_empty() {
            "the freeze has no name".into()
        } else if name.chars().any(char::is_control) {
            "the name has a control character, such as a line break".into()
        } else if name.chars().count() > NAME_CHARS_MAX {
            format!("the name is longer than {NAME_CHARS_MAX} characters")
        } else if !self.names.insert(name.into()) {
            format!("another freeze has the name {}", quoted(name))
        } else {
            return;
        };
        let help = "write one line that tells this freeze from the others";
        self.push(ProblemKind::Name, member_path(path, "name"), message, help);
    }

    fn covered(&self) -> Vec<Problem> {
        let dated = self.calendar.dated.iter().zip(&self.dated_paths);
        let covered = dated.filter(|(window, _)| self.calendar.is_frozen_throughout(**window));
        let problem = |(_, path): (_, &String)| {
            let message = "the window lies wholly within freezes, so it never opens";
            let help = "freezes win over windows: move the window, or end the freeze earlier";
            Problem::new(ProblemKind::Covered, path.as_str(), message, help)
        };
        covered.map(problem).collect()
    }
}

/// A text in quotes, cut if it is long.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS_MAX) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
    }
}
