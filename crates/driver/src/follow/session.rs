//! One followed runbook in its state folder: begun, gone on with, and ended in evidence.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nonevent_document::Digest;
use nonevent_evidence::{Predicate, Statement};
use nonevent_rollout::{Input, Mode, Outcome, Run};
use nonevent_strategy::Plan;
use serde::{Deserialize, Serialize};

use super::follower::{Automatic, Desktop, Follower};
use super::past::StepTime;
use super::person::Person;
use crate::archive::Archive;
use crate::clock::Clock;
use crate::conduct::Conducted;
use crate::error::DriverError;
use crate::event::Event;
use crate::flag_files::{FlagContents, FlagFiles};
use crate::journal::JournalFile;
use crate::prepare::Prepared;
use crate::session::{JOURNAL, RUNBOOK, rollout_statement, state_error, storage};
use crate::shelf::{put_away, refuse_unfinished};
use crate::site::{SuiteText, leftovers};
use crate::state_dir::{Lock, StateDir};
use crate::suites::SmokeHand;
use crate::summary::{Summary, smoke_statements};

/// The file that says that a rollout is carried out by people, and from which page.
pub(crate) const FOLLOWED: &str = "follow.json";

/// What is kept beside the journal of a rollout that people carry out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Followed {
    /// `nonevent/v1`.
    api_version: String,
    /// `FollowedRunbook`.
    kind: String,
    /// The page, absolute.
    page: PathBuf,
    /// The plan that it is about.
    plan: Digest,
    /// The smoke suites' texts: what was planned is what runs, even if the files change.
    suites: Vec<SuiteText>,
    /// The folder of the deployment document, absolute, if its flag files are as planned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    documents: Option<PathBuf>,
}

impl Followed {
    fn load(state: &StateDir) -> Option<Followed> {
        let bytes = fs::read(state.path(FOLLOWED)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// The page from which people carry out the rollout in `state`, if they do.
#[must_use]
pub fn followed_page(state: &StateDir) -> Option<PathBuf> {
    let followed = Followed::load(state).map(|it| it.page);
    // One that cannot be read is followed all the same.
    let unknown = || {
        let there = state.path(FOLLOWED).exists();
        there.then(|| PathBuf::from("FILE"))
    };
    followed
        .or_else(unknown)
        .filter(|_| state.journal().exists())
}

/// How a rollout is gone on with that people carry out.
pub(crate) fn by_hand(page: &Path) -> String {
    format!(
        "this runbook is followed by hand: `nonevent runbook run {}` goes on with it, and goes back \
         if told to",
        page.display()
    )
}

/// A runbook that is followed, with its state folder locked.
pub struct Following {
    state: StateDir,
    lock: Lock,
    clock: Clock,
    archive: Archive,
    followed: Followed,
    /// Why the flag files are left to people, if they are.
    flags_by_hand: Option<String>,
    plan: Plan,
}

/// How it ended.
#[derive(Clone, Debug)]
pub struct Walked {
    /// How, if it was not left.
    pub outcome: Option<Outcome>,
    /// What the journal tells.
    pub summary: Summary,
    /// The steps that were begun, by their place from 0.
    pub steps: Vec<(u16, StepTime)>,
}

impl Following {
    /// Takes the lock, puts a finished rollout away, and keeps what this one is about; the rollout
    /// itself has not begun.
    ///
    /// # Errors
    /// Somebody else is at work, or an unfinished rollout is there.
    pub fn begin(
        state: &StateDir,
        prepared: &Prepared,
        page: &Path,
        key_label: &str,
    ) -> Result<Following, DriverError> {
        let lock = state.lock()?;
        refuse_unfinished(state)?;
        let found = leftovers(state)?;
        if !found.is_empty() {
            return Err(state_error(format!(
                "{} processes of an earlier deployment are still there: end them with `nonevent \
                 cleanup`, or name another state folder",
                found.len()
            )));
        }
        put_away(state)?;
        let documents = prepared.documents.as_deref();
        let mut flags_by_hand = None;
        let mut documents = documents.map(Path::to_owned);
        match FlagContents::read(&prepared.plan, documents.as_deref()) {
            Ok(contents) => contents.keep(state)?,
            Err(error) => {
                flags_by_hand = Some(error.to_string());
                documents = None;
            }
        }
        let followed = Followed {
            api_version: "nonevent/v1".to_owned(),
            kind: "FollowedRunbook".to_owned(),
            page: page.to_owned(),
            plan: prepared.digest,
            suites: prepared.suites.clone(),
            documents,
        };
        let keep = |name: &str, text: serde_json::Result<String>| {
            let what = format!("{name} cannot be written");
            let text = text.map_err(|error| storage(&what, &error))?;
            state
                .write(name, text.as_bytes())
                .map_err(|error| storage(&what, &error))
        };
        keep(FOLLOWED, serde_json::to_string_pretty(&followed))?;
        keep("plan.json", serde_json::to_string_pretty(&prepared.plan))?;
        Ok(Following {
            archive: Archive::open(state, key_label)?,
            state: state.clone(),
            lock,
            clock: Clock::new(),
            followed,
            flags_by_hand,
            plan: prepared.plan.clone(),
        })
    }

    /// Takes the lock of a rollout that was left before its end; nothing if there is none. A rollout
    /// that has ended and whose evidence is not written has not ended.
    ///
    /// # Errors
    /// Somebody else is at work, or another page or a deployment is.
    pub fn resume(
        state: &StateDir,
        page: &Path,
        key_label: &str,
    ) -> Result<Option<Following>, DriverError> {
        let Ok(bytes) = fs::read(state.journal()) else {
            return Ok(None);
        };
        let Some(followed) = Followed::load(state) else {
            refuse_unfinished(state)?;
            return Ok(None);
        };
        let (run, _) = Run::open(&bytes).map_err(|error| state_error(error.to_string()))?;
        let over = is_over(&run) && state.path("summary.json").exists();
        if over {
            return Ok(None);
        }
        if followed.page != page {
            return Err(state_error(format!(
                "{} is about another rollout: {}",
                page.display(),
                by_hand(&followed.page)
            )));
        }
        Ok(Some(Following {
            lock: state.lock()?,
            archive: Archive::open(state, key_label)?,
            state: state.clone(),
            clock: Clock::new(),
            followed,
            flags_by_hand: None,
            plan: run.plan().clone(),
        }))
    }

    /// The plan that is carried out.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Why the flag files are left to people, if they are.
    #[must_use]
    pub fn flags_by_hand(&self) -> Option<&str> {
        self.flags_by_hand.as_deref()
    }

    /// What can be done from here: smoke suites at `url`, if that is given, and the flag files.
    ///
    /// # Errors
    /// A suite that the plan names is not there, or cannot be understood.
    pub fn automatic(&self, url: Option<&str>, unasked: bool) -> Result<Automatic, DriverError> {
        let smoker = match url {
            Some(url) => {
                let suites = &self.followed.suites;
                let hand = SmokeHand::at_url(&self.plan, suites, url.to_owned(), self.clock)?;
                Some(Arc::new(hand) as Arc<dyn crate::conduct::Smoker>)
            }
            None => None,
        };
        let documents = self.followed.documents.as_ref();
        let documents = documents.filter(|_| !self.plan.flags.is_empty());
        Ok(Automatic {
            smoker,
            flags: documents.map(|it| FlagFiles::new(it, &self.state)),
            unasked,
        })
    }

    /// Follows it to its end, or until it is left; with evidence at the end.
    ///
    /// # Errors
    /// The journal cannot be read or written, or the evidence cannot.
    pub async fn follow<P: Person>(
        &mut self,
        person: &mut P,
        orders: &mut tokio::sync::mpsc::Receiver<crate::conduct::Order>,
        ticks: &mut dyn FnMut(&super::Ticked) -> Result<(), String>,
        by: Option<String>,
        automatic: Automatic,
    ) -> Result<Walked, DriverError> {
        let (run, mut journal, bytes, first) = self.open(person)?;
        let clock = self.clock;
        let now = move || clock.now();
        let over = is_over(&run);
        let desktop = Desktop {
            person,
            journal: &mut journal,
            orders,
            now: &now,
            ticks,
            by,
            automatic,
        };
        let mut follower = Follower::new(run, &bytes, desktop)?;
        follower.tick_again();
        let conducted = match follower.run().state().mode {
            Mode::Done(outcome) if over => Conducted::Ended(outcome),
            _ => follower.follow(first).await?,
        };
        let steps = follower
            .steps()
            .map(|(step, time)| (step, time.clone()))
            .collect();
        drop(follower);
        self.finish(conducted, steps)
    }

    /// The rollout as it stands, or a new one.
    fn open<P: Person>(
        &self,
        person: &mut P,
    ) -> Result<(Run, JournalFile, Vec<u8>, Vec<Input>), DriverError> {
        let path = self.state.path(JOURNAL);
        let now = self.clock.now();
        let epoch = self.lock.epoch();
        let failed = |error: nonevent_rollout::RunError| state_error(error.to_string());
        if !path.exists() {
            let (run, line) =
                Run::begin(self.plan.clone(), self.followed.plan, epoch, now).map_err(failed)?;
            let journal = JournalFile::create(&path, &line)?;
            return Ok((run, journal, line.0.into_bytes(), vec![Input::Clock]));
        }
        let bytes =
            fs::read(&path).map_err(|error| storage("the journal cannot be read", &error))?;
        let (mut run, found) = Run::open(&bytes).map_err(failed)?;
        let mut journal = JournalFile::reopen(&path, found.good_len)?;
        if let Some(torn) = found.torn_tail {
            let text = format!("the journal's last {torn} bytes were torn and have been cut off");
            person.hear(&Event::Trouble { at: now, text });
        }
        let bytes = bytes.get(..found.good_len).unwrap_or_default().to_vec();
        if is_over(&run) {
            return Ok((run, journal, bytes, Vec::new()));
        }
        let line = run.take_over(epoch, now).map_err(failed)?;
        journal.append(&[line])?;
        Ok((run, journal, bytes, vec![Input::Restarted]))
    }

    /// What came of it, as evidence.
    fn finish(
        &mut self,
        conducted: Conducted,
        steps: Vec<(u16, StepTime)>,
    ) -> Result<Walked, DriverError> {
        let path = self.state.path(JOURNAL);
        let summary = Summary::read(&path)?;
        let Conducted::Ended(outcome) = conducted else {
            return Ok(Walked {
                outcome: None,
                summary,
                steps,
            });
        };
        let bytes =
            fs::read(&path).map_err(|error| storage("the journal cannot be read", &error))?;
        let plan = self.followed.plan;
        for (name, statement) in smoke_statements(&bytes, plan)? {
            self.archive.add(&name, &statement)?;
        }
        let rollout = Predicate::Rollout(rollout_statement(&summary, outcome, None));
        self.archive
            .add("rollout", &Statement::about("plan", plan, rollout))?;
        let keep = |name: &str, content: &[u8]| {
            let what = format!("{name} cannot be written");
            self.state
                .write(name, content)
                .map_err(|error| storage(&what, &error))
        };
        // As it was when it was over, with all that stands under its steps.
        if let Ok(page) = fs::read(&self.followed.page) {
            keep(RUNBOOK, &page)?;
        }
        let text = serde_json::to_string_pretty(&summary)
            .map_err(|error| storage("the summary cannot be written", &error))?;
        keep("summary.json", text.as_bytes())?;
        Ok(Walked {
            outcome: Some(outcome),
            summary,
            steps,
        })
    }
}

/// Whether nothing is left to do; one that is stuck can be taken up again.
fn is_over(run: &Run) -> bool {
    let over = |outcome: Outcome| !matches!(outcome, Outcome::Stuck { .. });
    matches!(run.state().mode, Mode::Done(outcome) if over(outcome))
}
