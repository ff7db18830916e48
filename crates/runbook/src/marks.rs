//! What people put on a page while they follow it: ticks, names and dates, and records of what was
//! done. The rest is the page's text, and that is what is signed.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use nonevent_document::{Digest, Timestamp, format_duration_ms};

use crate::markdown;
use crate::scan::{Anchor, Scan, scan};

/// How the ids of sign-offs begin.
pub(crate) const SIGN_OFF: &str = "sign-off/";
/// What ends a record.
const RUN: &str = "<!-- run -->";

/// How a step ended for whoever followed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordOutcome {
    /// It was done, and seen to be.
    Done,
    /// It was tried and failed.
    Failed,
    /// It was left out, as its plan allows.
    Skipped,
}

impl RecordOutcome {
    const ALL: [RecordOutcome; 3] = [
        RecordOutcome::Done,
        RecordOutcome::Failed,
        RecordOutcome::Skipped,
    ];

    const fn word(self) -> &'static str {
        match self {
            RecordOutcome::Done => "Done",
            RecordOutcome::Failed => "Failed",
            RecordOutcome::Skipped => "Skipped",
        }
    }
}

/// What became of an item, as one line under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// How it ended.
    pub outcome: RecordOutcome,
    /// When.
    pub at: Timestamp,
    /// Who did it or looked.
    pub by: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What was seen; may be empty.
    pub seen: String,
}

impl fmt::Display for Record {
    /// The line, without indentation and line break: `- Done 2026-01-05T10:00:00Z by ada in 12s:
    /// two instances are ready <!-- run -->`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "- {} {} by {} in {}",
            self.outcome.word(),
            self.at,
            markdown::text(&self.by),
            format_duration_ms(self.took_ms)
        )?;
        if !self.seen.trim().is_empty() {
            write!(f, ": {}", markdown::text(&self.seen))?;
        }
        write!(f, " {RUN}")
    }
}

/// A line as [`Record`] writes it: the outcome's word, the time, and what follows. A line that is
/// not exactly what would be written is none, so that nothing else hides in one.
pub(crate) fn record_in(line: &str) -> Option<(&'static str, Timestamp, &str)> {
    let body = line.trim().strip_prefix("- ")?.strip_suffix(RUN)?;
    let body = body.strip_suffix(' ')?;
    let (outcome, rest) = body.split_once(' ')?;
    let (at, text) = rest.split_once(' ')?;
    let mut known = RecordOutcome::ALL.iter().map(|it| it.word());
    let outcome = known.find(|word| *word == outcome)?;
    let who_and_how_long = text.strip_prefix("by ")?;
    let as_written = |part: &str| markdown::text(&markdown::plain(part)) == part;
    let whole = who_and_how_long.match_indices(" in ").any(|(at, word)| {
        let (by, rest) = (
            &who_and_how_long[..at],
            &who_and_how_long[at + word.len()..],
        );
        let (took, seen) = rest.split_once(": ").unwrap_or((rest, "-"));
        let is_duration = took
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " .".contains(c));
        is_duration && as_written(by) && (seen == "-" || as_written(seen))
    });
    let at = at.parse().ok()?;
    whole.then_some((outcome, at, text))
}

/// The two blanks of a sign-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Name,
    Date,
}

/// The first line of each slot under a sign-off: where its value stands, the space before it
/// included, up to the line's end. `at` is where `under` begins.
pub(crate) fn slots(under: &str, at: usize) -> Vec<(Slot, Range<usize>)> {
    let mut slots: Vec<(Slot, Range<usize>)> = Vec::new();
    let mut start = at;
    for raw in under.split_inclusive('\n') {
        let line = raw.trim_end_matches(['\r', '\n']);
        let bare = line.trim_start().trim_start_matches(['-', '*', '+']);
        if let Some((label, value)) = bare.trim_start().split_once(':') {
            let slot = match label.trim().trim_matches('*').to_ascii_lowercase().as_str() {
                "name" => Some(Slot::Name),
                "date" => Some(Slot::Date),
                _ => None,
            };
            if let Some(slot) = slot.filter(|it| slots.iter().all(|(other, _)| other != it)) {
                let end = start + line.len();
                slots.push((slot, end - value.len()..end));
            }
        }
        start += raw.len();
    }
    slots
}

pub(crate) fn note_of<'a>(page: &'a str, anchor: &Anchor) -> (&'a str, usize) {
    let range = anchor.note.clone().unwrap_or(0..0);
    (page.get(range.clone()).unwrap_or_default(), range.start)
}

/// The page without what people put on it while they follow it: boxes are empty, the names and
/// dates of sign-offs and the records of what was done are gone. Everything else is as it was, to
/// the byte: words, order, notes, what people added, the comment at the end.
///
/// This is what a signature is over; see [`page_digest`].
#[must_use]
pub fn signed_text(page: &str) -> String {
    SignedText::of(page).text
}

/// [`signed_text`], with where each part of it comes from.
pub(crate) struct SignedText {
    pub(crate) text: String,
    /// Where a stretch begins in the text, and where in the page.
    stretches: Vec<(usize, usize)>,
}

impl SignedText {
    pub(crate) fn of(page: &str) -> SignedText {
        let found = scan(page, &BTreeSet::new());
        let mut cuts = marks(page, &found);
        cuts.sort_by_key(|(range, _)| (range.start, range.end));
        let mut signed = SignedText {
            text: String::with_capacity(page.len()),
            stretches: Vec::from([(0, 0)]),
        };
        let mut from = 0;
        for (range, instead) in cuts {
            if range.start < from {
                continue;
            }
            signed
                .text
                .push_str(page.get(from..range.start).unwrap_or_default());
            signed.text.push_str(instead);
            from = range.end;
            signed.stretches.push((signed.text.len(), from));
        }
        signed.text.push_str(page.get(from..).unwrap_or_default());
        signed
    }

    /// Where a byte of the text stands in the page.
    pub(crate) fn origin(&self, at: usize) -> usize {
        let index = self.stretches.partition_point(|(text, _)| *text <= at);
        let (text, page) = index
            .checked_sub(1)
            .and_then(|index| self.stretches.get(index))
            .copied()
            .unwrap_or_default();
        page + (at - text)
    }
}

/// Where marks stand, each with what stands there without it.
fn marks(page: &str, found: &Scan) -> Vec<(Range<usize>, &'static str)> {
    let mut marks: Vec<(Range<usize>, &'static str)> = found
        .boxes
        .iter()
        .filter(|(_, ticked)| *ticked)
        .map(|(range, _)| (range.clone(), "[ ]"))
        .collect();
    for anchor in &found.anchors {
        let (under, at) = note_of(page, anchor);
        if anchor.id.starts_with(SIGN_OFF) {
            marks.extend(slots(under, at).into_iter().map(|(_, range)| (range, "")));
        }
        let mut start = at;
        for raw in under.split_inclusive('\n') {
            // The line of the comment itself holds no record: one stands on a line of its own.
            if start > at && record_in(raw).is_some() {
                marks.push((start..start + raw.len(), ""));
            }
            start += raw.len();
        }
    }
    marks
}

/// What a page is signed by: the SHA-256 of [`signed_text`].
#[must_use]
pub fn page_digest(page: &str) -> Digest {
    Digest::of(signed_text(page).as_bytes())
}

/// Why an item cannot be ticked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TickError {
    kind: TickErrorKind,
    id: String,
}

/// Kinds of [`TickError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TickErrorKind {
    /// The page has no item with this id.
    Missing,
    /// The item has no box.
    NoBox,
}

impl TickError {
    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> TickErrorKind {
        self.kind
    }
}

impl fmt::Display for TickError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.id;
        match self.kind {
            TickErrorKind::Missing => write!(
                f,
                "the page has no item {id}: bring it up to the plan with `nonevent runbook update`"
            ),
            TickErrorKind::NoBox => {
                write!(f, "the item {id} has lost its box: write `- [ ]` before it")
            }
        }
    }
}

impl core::error::Error for TickError {}

/// Ticks an item, and writes what became of it under it. Nothing else changes; to do it twice is to
/// do it once. An item that failed or was left out is not ticked.
///
/// # Errors
/// The page has no such item, or it has no box.
pub fn tick(page: &str, id: &str, record: Option<&Record>) -> Result<String, TickError> {
    let refuse = |kind| TickError {
        kind,
        id: String::from(id),
    };
    let found = scan(page, &BTreeSet::new());
    let anchor = found.anchors.iter().find(|it| it.id == id);
    let anchor = anchor.ok_or_else(|| refuse(TickErrorKind::Missing))?;
    let item = anchor.item.clone().unwrap_or(0..0);
    let mark = found
        .boxes
        .iter()
        .find(|(range, _)| item.contains(&range.start) && range.start < anchor.span.start)
        .filter(|_| anchor.ticked.is_some())
        .ok_or_else(|| refuse(TickErrorKind::NoBox))?;
    let done = record.is_none_or(|it| it.outcome == RecordOutcome::Done);
    let mut edits = Vec::new();
    if done && !mark.1 {
        edits.push((mark.0.clone(), String::from("[x]")));
    }
    if let Some(record) = record {
        edits.extend(recorded(page, anchor, &item, record));
    }
    Ok(edited(page, edits))
}

/// A record put behind everything that stands in the item, unless it stands there already.
fn recorded(
    page: &str,
    anchor: &Anchor,
    item: &Range<usize>,
    record: &Record,
) -> Option<(Range<usize>, String)> {
    let line = record.to_string();
    let (under, at) = note_of(page, anchor);
    if under.lines().any(|it| it.trim() == line) {
        return None;
    }
    let line_break = if page.contains("\r\n") { "\r\n" } else { "\n" };
    let end = at + under.trim_end().len();
    // As deep as the item's own words.
    let start = page[..item.start].rfind('\n').map_or(0, |it| it + 1);
    let lead = &page[start..item.start];
    let mut text = String::from(line_break);
    text.extend(lead.chars().map(|c| if c == '\t' { c } else { ' ' }));
    text.push_str("  ");
    text.push_str(&line);
    Some((end..end, text))
}

/// A page with ranges of it replaced; they do not overlap.
pub(crate) fn edited(page: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| core::cmp::Reverse((range.start, range.end)));
    let mut page = page.to_string();
    for (range, text) in edits {
        if page.get(range.clone()).is_some() {
            page.replace_range(range, &text);
        }
    }
    page
}

/// Signs a sign-off in a page for people to see: a tick, a name and a date.
pub(crate) fn sign_slots(
    page: &str,
    id: &str,
    name: &str,
    date: &str,
) -> Result<String, TickError> {
    let ticked = tick(page, id, None)?;
    let found = scan(&ticked, &BTreeSet::new());
    let anchor = found.anchors.iter().find(|it| it.id == id);
    let edits = anchor.map_or_else(Vec::new, |anchor| {
        let (under, at) = note_of(&ticked, anchor);
        slots(under, at)
            .into_iter()
            .map(|(slot, range)| {
                let value = match slot {
                    Slot::Name => markdown::text(name),
                    Slot::Date => markdown::text(date),
                };
                (range, alloc::format!(" {value}"))
            })
            .collect()
    });
    Ok(edited(&ticked, edits))
}
