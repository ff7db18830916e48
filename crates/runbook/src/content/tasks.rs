//! What is done beside instances and shares of traffic, in words.

use alloc::format;
use alloc::string::String;

use nonevent_document::format_duration_ms;
use nonevent_router::{Arm, Split};
use nonevent_strategy::{FileRef, Match, MigrationKind, Plan, Task};

use super::words::{self, instances, share};
use crate::text::{Text, text};

/// The step in a few words.
pub(super) fn title(plan: &Plan, task: &Task) -> Text {
    let new = &plan.release.to;
    match task {
        Task::Approve { approval } => text!("Ask for the approval ", code(approval)),
        Task::Manual { name, .. } => text!("By hand: ", name.clone()),
        Task::Migrate { name, .. } => text!("Migrate the database: ", code(name)),
        Task::Route { chosen } if chosen.is_empty() => text!("End the route of chosen users"),
        Task::Route { .. } => text!("Send chosen users to ", code(new)),
        Task::Mirror { share: 0, .. } => text!("End the copying of requests"),
        Task::Mirror { share: part, .. } => {
            text!("Copy ", share(*part), " of requests to ", code(new))
        }
        Task::Baseline { count: 0, .. } => {
            text!("End the baseline set of ", code(plan.release.from))
        }
        Task::Baseline { count, weight } => text!(
            format!("Baseline set: {} of ", instances(*count)),
            code(plan.release.from),
            ", ",
            share(*weight),
            " of traffic"
        ),
        Task::Flag { flag, stage, .. } => text!("Open the flag ", code(flag), ": ", stage.clone()),
    }
}

/// What is done, what is then seen, and how one looks, where traffic is divided so.
pub(super) fn words_of(plan: &Plan, split: Split, task: &Task) -> (Text, Text, Text) {
    match task {
        Task::Approve { approval } => approve(plan, approval),
        Task::Manual {
            how,
            expect,
            owner,
            within_ms,
            ..
        } => (
            text!(how.clone(), by(owner.as_ref(), *within_ms)),
            text!(expect.clone()),
            text!("By eye; whoever did it ticks it off."),
        ),
        Task::Migrate {
            migration,
            reversible,
            how,
            owner,
            within_ms,
            ..
        } => migrate(*migration, *reversible, how, by(owner.as_ref(), *within_ms)),
        Task::Route { chosen } => route(plan, chosen),
        Task::Mirror {
            share: part,
            unsafe_methods,
        } => mirror(plan, *part, *unsafe_methods),
        Task::Baseline { count, weight } => baseline(plan, split, *count, *weight),
        Task::Flag {
            flag,
            before,
            after,
            ..
        } => replace(plan, flag, before, after),
    }
}

fn by(owner: Option<&String>, within_ms: u64) -> String {
    let time = format_duration_ms(within_ms);
    match owner {
        Some(owner) => format!(" ({owner}, within {time})"),
        None => format!(" (within {time})"),
    }
}

fn approve(plan: &Plan, name: &str) -> (Text, Text, Text) {
    let Some(approval) = plan.approvals.get(name) else {
        return (
            text!(words::OWNER),
            text!(words::OWNER),
            text!(words::OWNER),
        );
    };
    let people = if approval.people.is_empty() {
        approval.role.clone()
    } else {
        format!("{}: {}", approval.role, approval.people.join(", "))
    };
    (
        text!(
            format!("Ask for {} to go on (", agreements(approval.count)),
            people,
            format!("), within {}.", format_duration_ms(approval.timeout_ms))
        ),
        text!("The approval is on record, for this plan's digest and this attempt."),
        text!(
            "Who gave it and when, in the rollout's journal; the release's author is not among them."
        ),
    )
}

fn agreements(count: u32) -> String {
    match count {
        1 => String::from("one agreement"),
        count => format!("{count} agreements"),
    }
}

fn migrate(kind: MigrationKind, reversible: bool, how: &str, by: String) -> (Text, Text, Text) {
    let what = match kind {
        MigrationKind::Expand => "It only adds: the old version runs on.",
        MigrationKind::Backfill => "It fills what was added: the old version runs on.",
        MigrationKind::Contract => "It takes away what the old version used: no way back after it.",
        MigrationKind::Reformat => "It writes in another form what is there: no way back after it.",
    };
    let seen = if reversible {
        "It is done and can be undone. "
    } else {
        "It is done. It cannot be undone. "
    };
    (
        text!(String::from(how), by, "."),
        text!(seen, what),
        text!("The migration tool's own record, and the service's error rate."),
    )
}

fn route(plan: &Plan, chosen: &[Match]) -> (Text, Text, Text) {
    let old = &plan.release.from;
    if chosen.is_empty() {
        return (
            text!("Take the route away: from now on only the share counts."),
            text!("No mark sends a request anywhere."),
            text!("The router's own configuration, read back."),
        );
    }
    let mut marks = text!("Send requests with ");
    for (index, mark) in chosen.iter().enumerate() {
        let (kind, name, value) = match mark {
            Match::Header { name, value } => ("header ", name, value),
            Match::Cookie { name, value } => ("cookie ", name, value),
        };
        let link = if index == 0 { "" } else { " or " };
        marks = marks
            .and(link)
            .and(kind)
            .and_code(format!("{name}: {value}"));
    }
    (
        marks.and(" to ").and_code(plan.release.to.clone()).and("."),
        text!("They are answered by the new version, all others as before."),
        text!(
            "One request with the mark and one without, which ",
            code(old),
            " answers."
        ),
    )
}

fn mirror(plan: &Plan, part: u16, unsafe_methods: bool) -> (Text, Text, Text) {
    let new = &plan.release.to;
    if part == 0 {
        return (
            text!("Copy no more requests to ", code(new), "."),
            text!("Its request counter rises by its own share only."),
            text!("The router's own configuration, read back."),
        );
    }
    let which = if unsafe_methods {
        "whatever their method"
    } else {
        "with the methods GET, HEAD and OPTIONS only"
    };
    (
        text!(
            "Copy ",
            share(part),
            " of requests to ",
            code(new),
            ", ",
            which,
            "; their answers are thrown away."
        ),
        text!("Users are answered by what answered them before."),
        text!("The request counters of both versions."),
    )
}

fn baseline(plan: &Plan, split: Split, count: u32, weight: u16) -> (Text, Text, Text) {
    let (old, new) = (&plan.release.from, &plan.release.to);
    if count == 0 {
        return (
            text!(
                "Give the baseline set's share back to the other instances of ",
                code(old),
                ", then drain and stop it."
            ),
            text!("No instance of the baseline set runs any more; no request was lost."),
            text!("The router read back, and the fleet's own count."),
        );
    }
    let have = text!(
        format!("Have exactly {} of ", fresh(count)),
        code(old),
        " beside its others: a baseline set, as young as the canary. "
    );
    let how =
        text!("The fleet's own count, the router read back, and the request counters of each set.");
    if weight == 0 {
        return (
            have.and("No request goes to it yet."),
            text!("The baseline set is ready; traffic is where it was."),
            how,
        );
    }
    let rest = split.weight(Arm::Stable).saturating_sub(weight);
    (
        have.and("Once all of it is ready, give it ")
            .and(share(weight))
            .and(" of requests, out of the part of ")
            .and_code(old.clone())
            .and("."),
        text!(
            "The baseline set is ready and gets ",
            share(weight),
            " of requests; ",
            share(split.weight(Arm::Canary)),
            " go to ",
            code(new),
            ", and ",
            share(rest),
            " to the other instances of ",
            code(old),
            "."
        ),
        how,
    )
}

fn fresh(count: u32) -> String {
    match count {
        1 => String::from("1 fresh instance"),
        count => format!("{count} fresh instances"),
    }
}

fn replace(plan: &Plan, flag: &str, before: &FileRef, after: &FileRef) -> (Text, Text, Text) {
    let file = plan.flags.get(flag).map(|it| it.file.name.clone());
    (
        text!(
            "Replace ",
            code(file.unwrap_or_default()),
            " as a whole by ",
            code(named(after)),
            ", if it is still ",
            code(named(before)),
            "."
        ),
        text!("The service evaluates the flag by the new file."),
        text!(
            "The file's SHA-256, and one evaluation of ",
            code(flag),
            "."
        ),
    )
}

fn named(file: &FileRef) -> String {
    match &file.digest {
        Some(digest) => format!("{} ({digest})", file.name),
        None => file.name.clone(),
    }
}
