//! What steps do beside instances and shares of traffic, value by value.

use alloc::string::ToString as _;

use super::change::{Subject, shown};
use super::parts::{file, time};
use super::steps::weight;
use crate::plan::Task;

const NO_WAY_BACK: &str = "there is no clean way back from it";

pub(super) fn task(it: &mut Subject<'_>, old: &Task, new: &Task) {
    match (old, new) {
        (Task::Approve { approval }, Task::Approve { approval: is }) => {
            it.value("approval", (approval, is), shown, None);
        }
        (Task::Route { chosen }, Task::Route { chosen: is }) => {
            it.value("chosen", (chosen, is), shown, None);
        }
        (
            Task::Mirror {
                share,
                unsafe_methods,
            },
            Task::Mirror {
                share: new_share,
                unsafe_methods: new_unsafe,
            },
        ) => {
            it.value("share", (share, new_share), weight, None);
            it.value(
                "unsafe methods",
                (unsafe_methods, new_unsafe),
                bool::to_string,
                Some((
                    |it| u64::from(*it),
                    "requests that change something are copied",
                )),
            );
        }
        (
            Task::Baseline { count, weight: was },
            Task::Baseline {
                count: new_count,
                weight: is,
            },
        ) => {
            it.value("instances", (count, new_count), u32::to_string, None);
            it.value("share", (was, is), weight, None);
        }
        (
            Task::Flag {
                flag,
                stage,
                before,
                after,
            },
            Task::Flag {
                flag: new_flag,
                stage: new_stage,
                before: new_before,
                after: new_after,
            },
        ) => {
            it.value("flag", (flag, new_flag), shown, None);
            it.value("stage", (stage, new_stage), shown, None);
            it.value("before", (before, new_before), file, None);
            it.value("after", (after, new_after), file, None);
        }
        _ => database_or_person(it, old, new),
    }
}

fn database_or_person(it: &mut Subject<'_>, old: &Task, new: &Task) {
    match (old, new) {
        (
            Task::Manual {
                name,
                how,
                expect,
                owner,
                within_ms,
            },
            Task::Manual {
                name: new_name,
                how: new_how,
                expect: new_expect,
                owner: new_owner,
                within_ms: new_ms,
            },
        ) => {
            it.value("called", (name, new_name), shown, None);
            it.value("how", (how, new_how), shown, None);
            it.value("expect", (expect, new_expect), shown, None);
            it.value("owner", (owner, new_owner), shown, None);
            it.value("within", (within_ms, new_ms), time, None);
        }
        (
            Task::Migrate {
                name,
                migration,
                reversible,
                how,
                owner,
                within_ms,
            },
            Task::Migrate {
                name: new_name,
                migration: new_migration,
                reversible: new_reversible,
                how: new_how,
                owner: new_owner,
                within_ms: new_ms,
            },
        ) => {
            it.value("called", (name, new_name), shown, None);
            it.value(
                "migration",
                (migration, new_migration),
                shown,
                Some((|it| u64::from(it.breaks_old_code()), NO_WAY_BACK)),
            );
            it.value(
                "reversible",
                (reversible, new_reversible),
                bool::to_string,
                Some((|it| u64::from(!*it), NO_WAY_BACK)),
            );
            it.value("how", (how, new_how), shown, None);
            it.value("owner", (owner, new_owner), shown, None);
            it.value("within", (within_ms, new_ms), time, None);
        }
        _ => it.value("task", (old, new), shown, None),
    }
}
