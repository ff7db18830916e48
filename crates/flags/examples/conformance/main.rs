//! Runs a vendor's conformance suite against this engine:
//!
//! ```text
//! cargo run -p nonevent-flags --example conformance -- flagd|growthbook|launchdarkly|ufc|unleash DIR
//! ```
//!
//! `DIR` is a copy of the suite in the vendor's own layout. Each failure is printed with what was
//! expected and what came, then a line for each file, and at the end `SUITE: passed N, failed M`.
//! A row that is left out is printed with its reason. Exits 0 if nothing failed, 1 if something
//! did, 2 if the suite cannot be read.

mod flagd;
mod gherkin;
mod growthbook;
mod launchdarkly;
mod ufc;
mod unleash;

use nonevent_document::Timestamp;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// What became of a suite's cases, by file.
#[derive(Default)]
struct Report {
    files: BTreeMap<String, Counts>,
}

#[derive(Default, Clone, Copy)]
struct Counts {
    passed: usize,
    failed: usize,
}

impl Report {
    /// Counts one case and prints it if it failed.
    fn case(&mut self, file: &str, what: &str, outcome: Result<(), String>) {
        let counts = self.files.entry(file.to_owned()).or_default();
        match outcome {
            Ok(()) => counts.passed += 1,
            Err(why) => {
                counts.failed += 1;
                println!("FAILED {file}:{what}\n  {why}");
            }
        }
    }

    /// Prints the totals; whether nothing failed and something ran.
    fn finish(&self, suite: &str) -> bool {
        for (file, counts) in &self.files {
            println!("{file}: passed {}, failed {}", counts.passed, counts.failed);
        }
        let passed: usize = self.files.values().map(|counts| counts.passed).sum();
        let failed: usize = self.files.values().map(|counts| counts.failed).sum();
        println!("{suite}: passed {passed}, failed {failed}");
        // Nothing run is no pass.
        failed == 0 && passed > 0
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [suite, dir] = arguments.as_slice() else {
        eprintln!("usage: conformance flagd|growthbook|launchdarkly|ufc|unleash DIR");
        return ExitCode::from(2);
    };
    let mut report = Report::default();
    let run = match suite.as_str() {
        "flagd" => flagd::run(Path::new(dir), &mut report),
        "growthbook" => growthbook::run(Path::new(dir), &mut report),
        "launchdarkly" => launchdarkly::run(Path::new(dir), &mut report),
        "ufc" => ufc::run(Path::new(dir), &mut report),
        "unleash" => unleash::run(Path::new(dir), &mut report),
        _ => Err(format!(
            "there is no suite {suite:?}; there are flagd, growthbook, launchdarkly, ufc and unleash"
        )),
    };
    match run {
        Ok(()) if report.finish(suite) => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(1),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(
    what: &str,
    expected: &T,
    got: &T,
) -> Result<(), String> {
    if expected == got {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected:?}, got {got:?}"))
    }
}

/// The files of a folder with this extension, by name.
fn files(dir: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(dir).map_err(|why| format!("{}: {why}", dir.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|own| own == extension))
        .collect();
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))
}

fn now() -> Timestamp {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_unix_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
