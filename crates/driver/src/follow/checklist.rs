//! What a page asks for before the first step and after the last: no part of the plan, and the
//! machine's no concern; the page itself keeps what was said.

use std::path::Path;

use nonevent_document::Timestamp;
use nonevent_runbook::{Facts, Item, Record, RecordOutcome, Runbook, parse};
use nonevent_strategy::Plan;

use super::follower::{Ticked, somebody};
use super::page::write_down;
use super::person::Person;
use super::question::{Answer, Ask, Place, Question};
use crate::error::{DriverError, DriverErrorKind};
use crate::event::Event;
use crate::page_file::PageFile;

/// Which of a page's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checklist {
    /// What must hold before the first step: one that does not, ends it.
    Before,
    /// What must hold after the last.
    After,
}

/// How a list was gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// To its end; so many items do not hold.
    Through(usize),
    /// Somebody left.
    Left,
}

/// Goes through the items of a list that are not ticked, and ticks those that hold.
///
/// # Errors
/// The page cannot be read or written.
pub async fn go_through<P: Person>(
    list: Checklist,
    page: &Path,
    plan: &Plan,
    person: &mut P,
    by: Option<&str>,
    now: &dyn Fn() -> Timestamp,
) -> Result<Gone, DriverError> {
    let failed = |text: String| DriverError::new(DriverErrorKind::Storage, text);
    let input = |error: nonevent_strategy::PlanError| {
        DriverError::new(DriverErrorKind::Input, error.to_string())
    };
    let read = PageFile::open(page)?;
    let reviewed = parse(read.text(), plan).map_err(input)?;
    let runbook = Runbook::of(plan, &Facts::at(now())).map_err(input)?;
    let (items, place) = match list {
        Checklist::Before => (runbook.checklist, Place::Before),
        Checklist::After => (runbook.verification, Place::After),
    };
    let open = |item: &Item| {
        let mut on_page = reviewed.items.iter();
        on_page.any(|it| it.id == item.id && !it.ticked)
    };
    // Blanks are filled in on the page.
    let said = |item: &Item| {
        let mut reworded = reviewed.reworded.iter();
        let own = reworded.find(|it| it.id.as_deref() == Some(&item.id));
        own.map_or_else(|| item.text.to_string(), |it| it.text.clone())
    };
    let mut fail = 0;
    for item in items.into_iter().filter(open) {
        let at = now();
        let question = Question {
            at,
            place: place.clone(),
            ask: Ask::Item { text: said(&item) },
        };
        let answer = loop {
            let answer = person.ask(&question).await.bounded();
            if question.takes(&answer) {
                break answer;
            }
            let text = "that says nothing about what is asked".to_owned();
            person.hear(&Event::Trouble { at: now(), text });
        };
        let (outcome, seen) = match answer {
            Answer::Yes => (RecordOutcome::Done, String::new()),
            Answer::No(why) => (RecordOutcome::Failed, why),
            _ => return Ok(Gone::Left),
        };
        let done = now();
        let record = Record {
            outcome,
            at: done,
            by: by.map_or_else(somebody, str::to_owned),
            took_ms: u64::try_from(done.ms_since(at)).unwrap_or(0),
            seen,
        };
        let id = item.id;
        write_down(page, &Ticked { id, record }).map_err(failed)?;
        if outcome == RecordOutcome::Failed {
            fail += 1;
            if list == Checklist::Before {
                break;
            }
        }
    }
    Ok(Gone::Through(fail))
}
