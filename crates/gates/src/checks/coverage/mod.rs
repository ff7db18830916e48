//! Which share of the measured lines ran, from the reports of coverage tools.

mod cobertura;
mod lcov;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Percent;

use crate::checks::source::{Source, SourceFile};
use crate::glob::Glob;
use crate::outcome::{Input, Unmet};
use crate::path::TreePath;
use crate::tree::Tree;

/// The largest report read, in bytes.
const BYTES_MAX: usize = 8 << 20;

/// In which form a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CoverageForm {
    /// lcov's trace file (`geninfo(1)`).
    Lcov,
    /// Cobertura's XML, which many tools write.
    Cobertura,
}

/// Asks which share of the measured lines ran, and that enough lines were measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CoverageCheck {
    pub(crate) source: Source,
    pub(crate) form: CoverageForm,
    /// Only source files below the project's root that match; none means all.
    pub(crate) of: Option<Glob>,
    pub(crate) lines_min: Percent,
    /// Lines measured, at least.
    pub(crate) measured_min: u32,
}

/// Per source file, per line: whether any test ran it.
type Lines = BTreeMap<String, BTreeMap<u32, bool>>;

impl CoverageCheck {
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
            let text = text(file)?;
            match self.form {
                CoverageForm::Lcov => lcov::read(file.path, text, &mut lines)?,
                CoverageForm::Cobertura => cobertura::read(file.path, text, &mut lines)?,
            }
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

fn text<'f>(file: &SourceFile<'f>) -> Result<&'f str, Unmet> {
    let path = file.path;
    if file.bytes.len() > BYTES_MAX {
        return Err(Unmet::error(format!("{path}: over {BYTES_MAX} bytes")));
    }
    core::str::from_utf8(file.bytes)
        .map_err(|bad| Unmet::error(format!("{path}: not UTF-8 at byte {}", bad.valid_up_to())))
}

/// `covered` of `measured` in percent with two places, rounded down, so that a missed threshold
/// never looks met.
fn percent_down(covered: u64, measured: u64) -> String {
    match (covered * 10_000).checked_div(measured) {
        Some(points) => format!("{}.{:02}%", points / 100, points % 100),
        None => String::from("nothing measured"),
    }
}
