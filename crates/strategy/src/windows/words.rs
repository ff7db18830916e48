//! Windows as a sentence for people.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use super::wire::{AllowWire, FreezeWire};
use super::{DAYS, Windows};

const WEEKS: [&str; 5] = ["1st", "2nd", "3rd", "4th", "5th"];

/// When changes may be made: `Mon–Thu 09:00–16:00 Europe/Berlin, not during year end (12-20 to
/// 01-02 every year)`. One line; names of freezes stand in it as they are written.
impl fmt::Display for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = self.wire.zone.as_str();
        match &self.wire.allow {
            None => f.write_str("at any time")?,
            Some(entries) => {
                let zone = |entry: &AllowWire| entry.zone.as_deref().unwrap_or(default).to_string();
                for (index, entry) in entries.iter().enumerate() {
                    let next = entries.get(index + 1);
                    let own = zone(entry);
                    f.write_str(&window(entry))?;
                    if next.is_none_or(|next| zone(next) != own) {
                        write!(f, " {own}")?;
                    }
                    if next.is_some() {
                        f.write_str("; ")?;
                    }
                }
            }
        }
        if !self.wire.freezes.is_empty() {
            // Named where no window has named it.
            let named = self
                .wire
                .allow
                .iter()
                .flatten()
                .any(|entry| entry.zone.is_none());
            let freezes = self.wire.freezes.iter();
            let freezes: Vec<String> = freezes.map(|it| freeze(it, default, named)).collect();
            write!(f, ", not during {}", list(&freezes))?;
        }
        Ok(())
    }
}

fn window(entry: &AllowWire) -> String {
    let (from, to) = (entry.from.as_str(), entry.to.as_str());
    let Some(days) = &entry.days else {
        return match (from.split_once('T'), to.split_once('T')) {
            (Some((first, opens)), Some((last, closes))) if first == last => {
                format!("{first} {opens}–{closes}")
            }
            _ => dated(from, to),
        };
    };
    let mut words = match &entry.weeks {
        None => String::new(),
        Some(weeks) => {
            let weeks = WEEKS
                .iter()
                .zip(1..)
                .filter(|(_, week)| weeks.contains(week));
            let weeks: Vec<&str> = weeks.map(|(name, _)| *name).collect();
            format!("{} ", list(&weeks))
        }
    };
    words.push_str(&weekdays(days, entry.weeks.is_some()));
    words.push_str(&format!(" {from}–{to}"));
    // Both are four digits and a colon, so their order is that of the texts.
    if to < from && to != "00:00" {
        words.push_str(" the next day");
    }
    words
}

/// `Mon–Thu`, `Mon and Wed`, `every day`.
fn weekdays(days: &[String], counted: bool) -> String {
    let has = |at: usize| {
        DAYS.get(at)
            .is_some_and(|(short, _)| days.iter().any(|it| it == short))
    };
    if !counted && (0..DAYS.len()).all(has) {
        return "every day".into();
    }
    let mut runs: Vec<String> = Vec::new();
    let mut at = 0;
    while at < DAYS.len() {
        let length = (at..).take_while(|day| has(*day)).count();
        let run = DAYS.get(at..at + length).unwrap_or_default();
        match run {
            [(_, first), _, .., (_, last)] if length > 2 => runs.push(format!("{first}–{last}")),
            few => runs.extend(few.iter().map(|(_, name)| (*name).into())),
        }
        at += length.max(1);
    }
    list(&runs)
}

fn freeze(entry: &FreezeWire, default: &str, named: bool) -> String {
    let FreezeWire {
        name,
        from,
        to,
        zone,
    } = entry;
    let time = if from.contains('T') {
        dated(from, to)
    } else if from == to {
        format!("{from} every year")
    } else {
        format!("{from} to {to} every year")
    };
    match zone.as_deref().unwrap_or(default) {
        zone if named && zone == default => format!("{name} ({time})"),
        zone => format!("{name} ({time} {zone})"),
    }
}

fn dated(from: &str, to: &str) -> String {
    format!("{} to {}", from.replace('T', " "), to.replace('T', " "))
}

/// `a, b and c`.
fn list<T: AsRef<str>>(items: &[T]) -> String {
    let mut text = String::new();
    for (index, item) in items.iter().enumerate() {
        text.push_str(match index {
            0 => "",
            last if last + 1 == items.len() => " and ",
            _ => ", ",
        });
        text.push_str(item.as_ref());
    }
    text
}
