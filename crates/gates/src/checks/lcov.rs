//! Line coverage in lcov's trace file format (`geninfo(1)`).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Percent;

use crate::checks::source::{Source, SourceFile};
use crate::glob::Glob;
use crate::outcome::{Input, Unmet};
use crate::path::{TreePath, visible};
use crate::tree::Tree;

/// The largest trace file read, in bytes.
const BYTES_MAX: usize = 8 << 20;

/// Asks which share of the measured lines ran, and that enough lines were measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LcovCheck {
    pub(crate) source: Source,
    /// Only source files below the project's root that match; none means all.
    pub(crate) of: Option<Glob>,
    pub(crate) lines_min: Percent,
    /// Lines measured, at least.
    pub(crate) measured_min: u32,
}

/// Per source file, per line: whether any test ran it.
type Lines = BTreeMap<String, BTreeMap<u32, bool>>;

impl LcovCheck {
    pub(crate) fn asked(&self) -> String {
        let of = match &self.of {
            Some(glob) => format!(" of {glob}"),
            None => String::new(),
        };
        format!(
            "in {}, at least {} of the lines{of} covered and at least {} lines measured",
            self.source.glob, self.lines_min, self.measured_min
        )
    }

    pub(crate) fn evaluate(&self, tree: &Tree) -> Result<(String, Vec<Input>), Unmet> {
        let (files, inputs) = self.source.open(tree)?;
        let mut lines = Lines::new();
        for file in &files {
            read(file, &mut lines)?;
        }
        let wanted = |name: &str| match &self.of {
            None => true,
            Some(glob) => TreePath::new(name).is_some_and(|path| glob.matches(&path)),
        };
        let (mut measured, mut covered) = (0u64, 0u64);
        for (_, hits) in lines.iter().filter(|(name, _)| wanted(name)) {
            measured += hits.len() as u64;
            covered += hits.values().filter(|hit| **hit).count() as u64;
        }
        let share = percent_down(covered, measured);
        let found = format!("{covered} of {measured} measured lines covered ({share})");
        let basis_points = u64::from(self.lines_min.basis_points());
        let met = measured >= u64::from(self.measured_min.max(1))
            && covered * 10_000 >= basis_points * measured;
        if met {
            Ok((found, inputs))
        } else {
            Err(Unmet::fail(found))
        }
    }
}

/// `covered` of `measured` in percent with two places, rounded down, so that a missed threshold
/// never looks met.
fn percent_down(covered: u64, measured: u64) -> String {
    match (covered * 10_000).checked_div(measured) {
        Some(points) => format!("{}.{:02}%", points / 100, points % 100),
        None => String::from("nothing measured"),
    }
}

fn read(file: &SourceFile<'_>, lines: &mut Lines) -> Result<(), Unmet> {
    let path = file.path;
    if file.bytes.len() > BYTES_MAX {
        return Err(Unmet::error(format!("{path}: over {BYTES_MAX} bytes")));
    }
    let text = core::str::from_utf8(file.bytes)
        .map_err(|bad| Unmet::error(format!("{path}: not UTF-8 at byte {}", bad.valid_up_to())))?;
    let mut record: Option<(String, BTreeMap<u32, bool>)> = None;
    for (index, line) in text.lines().enumerate() {
        let refuse = |why: &str| {
            Unmet::error(format!(
                "{path}:{}: {why}: {}",
                index + 1,
                visible(&head(line))
            ))
        };
        if let Some(name) = line.strip_prefix("SF:") {
            if record.is_some() {
                return Err(refuse("a record begins within a record"));
            }
            record = Some((String::from(name), BTreeMap::new()));
        } else if let Some(hit) = line.strip_prefix("DA:") {
            let (_, hits) = record
                .as_mut()
                .ok_or_else(|| refuse("a line outside a record"))?;
            let (number, ran) = hit_of(hit).ok_or_else(|| refuse("not DA:<line>,<count>"))?;
            *hits.entry(number).or_insert(false) |= ran;
        } else if line == "end_of_record" {
            let (name, hits) = record
                .take()
                .ok_or_else(|| refuse("a record ends that did not begin"))?;
            let all = lines.entry(name).or_default();
            for (number, ran) in hits {
                *all.entry(number).or_insert(false) |= ran;
            }
        }
    }
    if record.is_some() {
        return Err(Unmet::error(format!(
            "{path}: it is cut short, the last record does not end"
        )));
    }
    Ok(())
}

fn head(line: &str) -> String {
    line.chars().take(60).collect()
}

/// `<line>,<count>[,<checksum>]`.
fn hit_of(text: &str) -> Option<(u32, bool)> {
    let mut parts = text.split(',');
    let number: u32 = parts.next()?.parse().ok().filter(|number| *number > 0)?;
    let count: u64 = parts.next()?.parse().ok()?;
    Some((number, count > 0))
}
