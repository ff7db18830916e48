//! Whoever follows a runbook, and where what they did is written down.

use std::future::Future;

use nonevent_document::Timestamp;
use nonevent_rollout::{JournalLine, WaitReason};

use super::question::{Answer, Place, Question};
use crate::error::DriverError;
use crate::event::Event;
use crate::journal::JournalFile;

/// Somebody who follows a runbook.
pub trait Person {
    /// Asks, and gives the answer. The question may be dropped, when somebody answers it elsewhere:
    /// what was typed by then must not be lost.
    fn ask(&mut self, question: &Question) -> impl Future<Output = Answer>;

    /// Lets time pass until [`Countdown::wakes`]; earlier, if something is said meanwhile. May be
    /// dropped as [`Person::ask`].
    fn wait(&mut self, countdown: &Countdown) -> impl Future<Output = Option<Aside>>;

    /// Is told what happens.
    fn hear(&mut self, event: &Event);
}

/// A time that passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Countdown {
    /// Where the rollout is.
    pub place: Place,
    /// Why it waits.
    pub reason: WaitReason,
    /// When it is looked at again, at the latest.
    pub wakes: Timestamp,
    /// When it is over.
    pub ends: Timestamp,
}

/// What may be said while time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// The watch ends now, on this person's word.
    Promote,
    /// It is held where it is.
    Pause,
    /// The rollout goes back.
    Back,
    /// Everything is left as it is.
    Leave,
}

/// What a journal is written to.
pub trait Ledger {
    /// Writes lines; when it returns, they are kept.
    ///
    /// # Errors
    /// They are not, or may not be.
    fn append(&mut self, lines: &[JournalLine]) -> Result<(), DriverError>;
}

impl Ledger for JournalFile {
    fn append(&mut self, lines: &[JournalLine]) -> Result<(), DriverError> {
        JournalFile::append(self, lines)
    }
}
