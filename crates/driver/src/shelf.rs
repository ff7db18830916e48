//! Puts the files of an earlier rollout away.

use std::fs;
use std::path::PathBuf;

use nonevent_rollout::Outcome;

use crate::clock::Clock;
use crate::error::DriverError;
use crate::flag_files::KEPT;
use crate::follow::{FOLLOWED, by_hand, followed_page};
use crate::session::{JOURNAL, REHEARSAL, RUNBOOK, state_error, storage};
use crate::state_dir::StateDir;
use crate::summary::Summary;

/// Refuses while a rollout that has not ended is there.
pub(crate) fn refuse_unfinished(state: &StateDir) -> Result<(), DriverError> {
    let journal = state.path(JOURNAL);
    if journal.exists() {
        let summary = Summary::read(&journal)?;
        if !matches!(
            summary.outcome,
            Some(Outcome::Promoted | Outcome::RolledBack { .. })
        ) {
            let goes_on = match followed_page(state) {
                Some(page) => by_hand(&page),
                None => "`nonevent resume` goes on with it, `nonevent abort` ends it".to_owned(),
            };
            return Err(state_error(format!(
                "the rollout of {} that began at {} has not ended: {goes_on}",
                summary.to, summary.started
            )));
        }
    }
    Ok(())
}

/// Puts the files of a finished rollout into `history/`, under the time it began. The journal goes
/// last: whoever finds it there after a crash goes on into the same folder.
pub(crate) fn put_away(state: &StateDir) -> Result<(), DriverError> {
    let journal = state.path(JOURNAL);
    let names = [
        REHEARSAL,
        RUNBOOK,
        "runbook.html",
        "run.json",
        FOLLOWED,
        "plan.json",
        "summary.json",
        "evidence",
        KEPT,
        "ledger.jsonl",
        "load.json",
        JOURNAL,
    ];
    let present: Vec<PathBuf> = names
        .iter()
        .map(|name| state.path(name))
        .filter(|path| path.exists())
        .collect();
    if present.is_empty() {
        return Ok(());
    }
    let failed = |error: std::io::Error| storage("an earlier rollout cannot be put away", &error);
    let began = match Summary::read(&journal) {
        Ok(summary) => summary.started.unix_ms(),
        Err(_) => Clock::new().now().unix_ms(),
    };
    let dir = state.path("history").join(began.to_string());
    fs::create_dir_all(&dir).map_err(failed)?;
    for path in present {
        if let Some(name) = path.file_name() {
            fs::rename(&path, dir.join(name)).map_err(failed)?;
        }
    }
    Ok(())
}
