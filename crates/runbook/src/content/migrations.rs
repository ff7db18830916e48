//! What is changed in the database, and what flags are opened: each at a glance.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_strategy::{Action, FileRef, MigrationKind, Plan, Task};

use super::words;
use crate::markdown::id_word;
use crate::runbook::Item;
use crate::text::{Text, text};

/// The tasks of a plan, each with its step's number.
fn tasks(plan: &Plan) -> impl Iterator<Item = (usize, &Task)> {
    let steps = plan.steps.iter().enumerate();
    steps.filter_map(|(index, step)| match &step.action {
        Action::Task(task) => Some((index + 1, task)),
        _ => None,
    })
}

pub(crate) fn migrations(plan: &Plan) -> Vec<Item> {
    tasks(plan)
        .filter_map(|(number, task)| match task {
            Task::Migrate {
                name,
                migration,
                reversible,
                how,
                owner,
                ..
            } => {
                let owner = owner.as_deref().unwrap_or_else(|| words::owner(plan));
                let text = text!(format!("Step {number}: "), code(name), " (")
                    .and(kind_name(*migration))
                    .and("): ")
                    .and(how)
                    .and(". Done by ")
                    .and(words::name(owner))
                    .and(". ")
                    .and(way_back(*migration, *reversible));
                Some(item("migration", name, text))
            }
            _ => None,
        })
        .collect()
}

const fn kind_name(kind: MigrationKind) -> &'static str {
    match kind {
        MigrationKind::Expand => "expand",
        MigrationKind::Backfill => "backfill",
        MigrationKind::Contract => "contract",
        MigrationKind::Reformat => "reformat",
    }
}

const fn way_back(kind: MigrationKind, reversible: bool) -> &'static str {
    match (kind, reversible) {
        (MigrationKind::Expand | MigrationKind::Backfill, true) => {
            "A rollback leaves it in place: the old version runs on with it. It can be undone later."
        }
        (MigrationKind::Expand | MigrationKind::Backfill, false) => {
            "A rollback leaves it in place, and it cannot be undone."
        }
        (MigrationKind::Contract | MigrationKind::Reformat, true) => {
            "Before the old version runs again it has to be undone, by hand."
        }
        (MigrationKind::Contract | MigrationKind::Reformat, false) => {
            "It cannot be undone: from here on there is no way back."
        }
    }
}

pub(crate) fn flags(plan: &Plan) -> Vec<Item> {
    let of = |flag: &str| {
        let stages = tasks(plan).filter_map(|(number, task)| match task {
            Task::Flag {
                flag: of, stage, ..
            } if of == flag => Some(format!("{stage} in step {number}")),
            _ => None,
        });
        stages.collect::<Vec<String>>().join(", ")
    };
    let item_of = |(flag, planned): (&String, &nonevent_strategy::FlagPlan)| {
        let text = text!(
            code(flag),
            " in ",
            code(planned.file.name),
            format!(" is opened by stages: {}. ", of(flag)),
            "Its kill switch is "
        )
        .and_text(&file(&planned.kill_switch))
        .and(": whatever is rolled back, that takes the file's place as a whole.");
        item("flag", flag, text)
    };
    plan.flags.iter().map(item_of).collect()
}

fn file(file: &FileRef) -> Text {
    match &file.digest {
        Some(digest) => text!(code(file.name), " (", format!("{digest}"), ")"),
        None => text!(code(file.name)),
    }
}

fn item(kind: &str, name: &str, text: Text) -> Item {
    Item {
        id: format!("{kind}/{}", id_word(name)),
        text,
    }
}
