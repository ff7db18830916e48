//! What is made of a run that is kept whole: what changed since another one, and evidence.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use nonevent::document::Digest;
use nonevent::evidence::{SmokePhase, Subject};
use nonevent::smoke::{Report, Summary, TestResult};

use crate::place::Place;

/// What is made of the whole run.
#[derive(Args)]
#[command(next_help_heading = "Before and after, and evidence")]
pub(crate) struct Kept {
    /// The JSON report of an earlier run: say what changed since
    #[arg(long, value_name = "REPORT")]
    baseline: Option<PathBuf>,
    /// Write the run as an in-toto Statement, for `nonevent evidence sign` and the gates
    #[arg(long, value_name = "PATH", requires = "subject", conflicts_with_all = ["only", "tag", "skip_tag"])]
    statement: Option<PathBuf>,
    /// What was deployed: a name with its digest, or with a file to take it of; may be given several times
    #[arg(long, value_name = "NAME=sha256:HEX|NAME=FILE", requires = "statement")]
    subject: Vec<String>,
    /// The digest of the plan in whose rollout this is; it becomes a subject too
    #[arg(long, value_name = "DIGEST", requires = "statement")]
    plan: Option<Digest>,
    /// When in the rollout
    #[arg(long, value_enum, requires = "statement")]
    phase: Option<Phase>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Phase {
    /// Against the old version, before anything changes
    Before,
    /// Against new instances, before they get traffic
    Direct,
    /// Through the router, after promotion
    After,
    /// Through the router, after a rollback
    RolledBack,
}

/// A run that is being kept.
pub(crate) struct Keeper {
    baseline: Option<Report>,
    statement: Option<(PathBuf, Vec<Subject>)>,
    plan: Option<Digest>,
    phase: Option<SmokePhase>,
    results: Vec<TestResult>,
}

impl Kept {
    /// Reads what the run is to be held against; nothing where nothing is to be made of it.
    ///
    /// # Errors
    ///
    /// When something cannot be read, in a sentence.
    pub(crate) fn keeper(&self) -> Result<Option<Keeper>, String> {
        let baseline = self.baseline.as_deref().map(report).transpose()?;
        let subjects: Result<Vec<Subject>, String> =
            self.subject.iter().map(|word| subject(word)).collect();
        let mut subjects = subjects?;
        if let Some(plan) = self.plan {
            subjects.push(Subject {
                name: "plan".to_owned(),
                digest: plan,
            });
        }
        let statement = self.statement.clone().map(|path| (path, subjects));
        if baseline.is_none() && statement.is_none() {
            return Ok(None);
        }
        Ok(Some(Keeper {
            baseline,
            statement,
            plan: self.plan,
            phase: self.phase.map(|phase| match phase {
                Phase::Before => SmokePhase::Before,
                Phase::Direct => SmokePhase::Direct,
                Phase::After => SmokePhase::After,
                Phase::RolledBack => SmokePhase::RolledBack,
            }),
            results: Vec::new(),
        }))
    }
}

impl Keeper {
    pub(crate) fn test(&mut self, result: &TestResult) {
        self.results.push(result.clone());
    }

    /// What changed, in lines, if that was asked; and writes the statement.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or a run is no evidence, in a sentence.
    pub(crate) fn finish(self, summary: &Summary) -> (Option<String>, Result<(), String>) {
        let report = Report::new(summary.clone(), self.results);
        let baseline = self.baseline.as_ref();
        let changed = baseline.map(|before| report.changes_since(before).to_string());
        let Some((path, subjects)) = self.statement else {
            return (changed, Ok(()));
        };
        let write = || -> Result<(), String> {
            let statement = report.to_statement(subjects, self.plan, self.phase);
            let statement = statement.map_err(|error| error.to_string())?;
            let json = statement.to_json().map_err(|error| error.to_string())?;
            let (place, mut file) = Place::open(&path)?;
            let written = writeln!(file, "{json}").and_then(|()| file.flush());
            let put = written.and_then(|()| place.put());
            put.map_err(|error| format!("{} could not be written: {error}", path.display()))
        };
        (changed, write())
    }
}

fn report(path: &Path) -> Result<Report, String> {
    let said = |error: String| format!("--baseline {}: {error}", path.display());
    let bytes = fs::read(path).map_err(|error| said(error.to_string()))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| said(format!("this is no report that --report wrote: {error}")))
}

fn subject(word: &str) -> Result<Subject, String> {
    let said =
        |error: &str| format!("--subject {word:?}: {error}: write NAME=sha256:HEX, or NAME=FILE");
    let (name, what) = word.split_once('=').ok_or_else(|| said("it has no `=`"))?;
    if name.is_empty() {
        return Err(said("it has no name"));
    }
    let digest = if what.starts_with("sha256:") {
        what.parse().map_err(|_| said("this is no SHA-256"))?
    } else {
        Digest::of(&fs::read(what).map_err(|error| said(&error.to_string()))?)
    };
    Ok(Subject {
        name: name.to_owned(),
        digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_digest_or_a_file() {
        let digest = Digest::of(b"shop");
        let named = subject(&format!("shop={digest}")).expect("a subject");
        assert_eq!((named.name.as_str(), named.digest), ("shop", digest));
        for bad in [
            "shop",
            "=sha256:00",
            "shop=sha256:00",
            "shop=/nowhere/at/all",
        ] {
            let error = subject(bad).expect_err("no subject");
            assert!(error.contains("write NAME=sha256:HEX"), "{error}");
        }
    }
}
