//! The steps of two plans, one by one.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_router::{Arm, FULL_WEIGHT, Split};

use super::align::align;
use super::change::{Area, Change, Effect, Subject, shown, shown_text};
use super::parts::time;
use super::tasks::task;
use crate::deployment::StrategyKind;
use crate::plan::{Action, Plan, Step, Target, Task, WatchKind};

const MORE: &str = "more users meet the new version";

pub(super) fn tell(old: &Plan, new: &Plan, changes: &mut Vec<Change>) {
    let pairs = align(&old.steps, &new.steps);
    let mut kept_old = alloc::vec![false; old.steps.len()];
    let mut kept_new = alloc::vec![false; new.steps.len()];
    for pair in &pairs {
        kept_old[pair.old] = true;
        kept_new[pair.new] = true;
    }
    one_sided(old, new, &kept_old, Area::StepRemoved, changes);
    one_sided(new, old, &kept_new, Area::StepAdded, changes);
    for pair in pairs {
        let (was, is) = (&old.steps[pair.old], &new.steps[pair.new]);
        if pair.moved {
            let mut it = subject(changes, Area::StepMoved, is, pair.new);
            it.shape = true;
            let place = |index: usize| format!("place {}", index + 1);
            let places = (Some(place(pair.old)), Some(place(pair.new)));
            it.whole(places, Effect::Neutral);
        }
        if was == is {
            continue;
        }
        let mut it = subject(changes, Area::StepChanged, is, pair.new);
        it.shape = old.shape_step(was) != new.shape_step(is);
        step(&mut it, was, is);
    }
}

/// The steps of `plan` without a partner in `other`.
fn one_sided(plan: &Plan, other: &Plan, kept: &[bool], area: Area, changes: &mut Vec<Change>) {
    let others: BTreeSet<_> = if plan.strategy == StrategyKind::Rolling {
        other.steps.iter().map(|it| other.shape_step(it)).collect()
    } else {
        BTreeSet::new()
    };
    for (place, step) in plan.steps.iter().enumerate() {
        if kept[place] {
            continue;
        }
        let mut it = subject(changes, area, step, place);
        // Of equal batches of a rolling update only the first counts.
        it.shape = !others.contains(&plan.shape_step(step));
        let does = Some(action_text(&step.action));
        let guards = guard(&step.action);
        if area == Area::StepAdded {
            it.whole((None, does), guards);
        } else {
            it.whole((does, None), opposite(guards));
        }
    }
}

/// What it means that a plan has such a step at all.
fn guard(action: &Action) -> Effect {
    match action {
        Action::Smoke { .. } | Action::Watch { .. } | Action::Task(Task::Approve { .. }) => {
            Effect::Safer
        }
        // Two equally young sets are compared.
        Action::Task(Task::Baseline { weight: 1.., .. }) => Effect::Safer,
        // One more rung on the ladder.
        Action::Shift { split } if (1..FULL_WEIGHT).contains(&split.weight(Arm::Canary)) => {
            Effect::Safer
        }
        Action::Shift { split } if split.is_closed() => Effect::Riskier,
        Action::Task(task) if task.has_no_way_back() => Effect::Riskier,
        _ => Effect::Neutral,
    }
}

const fn opposite(effect: Effect) -> Effect {
    match effect {
        Effect::Riskier => Effect::Safer,
        Effect::Safer => Effect::Riskier,
        Effect::Neutral => Effect::Neutral,
    }
}

fn subject<'a>(changes: &'a mut Vec<Change>, area: Area, step: &Step, place: usize) -> Subject<'a> {
    let about = match &step.action {
        Action::Watch {
            kind: WatchKind::Pause,
            ..
        } => format!("pause at {}", step.target.split),
        Action::Watch { kind, .. } => shown(kind),
        _ => format!("step {}", step.id),
    };
    let mut it = Subject::new(changes, area, &about);
    it.place = Some(place);
    it
}

fn target_text(target: &Target) -> String {
    let (traffic, Target { stable, canary, .. }) = (target.traffic(), target);
    let by = |step: Option<u16>| {
        step.map_or_else(String::new, |step| {
            format!(" (by step {})", u32::from(step) + 1)
        })
    };
    let by = by(target.ways.route.or(target.ways.mirror));
    format!("{traffic}{by} with {stable} + {canary}")
}

pub(super) fn weight(weight: &u16) -> String {
    Split::canary(*weight).map_or_else(|| weight.to_string(), |split| split.to_string())
}

fn step(it: &mut Subject<'_>, old: &Step, new: &Step) {
    let Step {
        id,
        action: does,
        target,
        deadline_ms,
        back_within_ms,
        back_to,
        exposed,
    } = old;
    action(it, does, &new.action);
    it.shape = false;
    it.value("name", (id, &new.id), shown, None);
    it.value("leaves", (target, &new.target), target_text, None);
    it.value("deadline", (deadline_ms, &new.deadline_ms), time, None);
    it.value(
        "way back",
        (back_within_ms, &new.back_within_ms),
        time,
        Some((|it| *it, "a longer way back")),
    );
    it.value(
        "goes back to",
        (back_to, &new.back_to),
        |it| {
            it.as_ref()
                .map_or_else(|| String::from("nothing"), target_text)
        },
        Some((|it| u64::from(it.is_none()), "there is no way back from it")),
    );
    it.value(
        "users exposed",
        (exposed, &new.exposed),
        weight,
        Some((|it| u64::from(*it), MORE)),
    );
}

fn action(it: &mut Subject<'_>, old: &Action, new: &Action) {
    match (old, new) {
        (
            Action::Smoke { target, suite },
            Action::Smoke {
                target: new_target,
                suite: new_suite,
            },
        ) => {
            it.value("at", (target, new_target), shown, None);
            it.value("suite", (suite, new_suite), shown, None);
        }
        (
            Action::Scale { arm, count },
            Action::Scale {
                arm: new_arm,
                count: new_count,
            },
        ) => {
            it.value("arm", (arm, new_arm), Arm::to_string, None);
            it.value("instances", (count, new_count), u32::to_string, None);
        }
        (Action::Shift { split }, Action::Shift { split: new_split }) => it.value(
            "traffic",
            (split, new_split),
            Split::to_string,
            Some((split_risk, MORE)),
        ),
        (
            Action::Watch {
                kind,
                for_ms,
                analyse,
                analysis,
            },
            Action::Watch {
                kind: new_kind,
                for_ms: new_ms,
                analyse: new_analyse,
                analysis: new_analysis,
            },
        ) => {
            it.value("kind", (kind, new_kind), shown, None);
            it.value(
                "time",
                (for_ms, new_ms),
                time,
                Some((|it| u64::MAX - *it, "less time to look")),
            );
            it.value(
                "judged",
                (analyse, new_analyse),
                bool::to_string,
                Some((|it| u64::from(!*it), "nothing is judged")),
            );
            it.value("analysis", (analysis, new_analysis), shown, None);
        }
        (Action::Task(old), Action::Task(new)) => task(it, old, new),
        _ => it.value("action", (old, new), action_text, None),
    }
}

/// A closed split is only ever matched with another.
fn split_risk(split: &Split) -> u64 {
    u64::from(split.weight(Arm::Canary))
}

/// What a step does, in a few words.
fn action_text(action: &Action) -> String {
    match action {
        Action::Smoke { target, suite } => {
            format!("smoke suite {} at the {}", shown(suite), shown(target))
        }
        Action::Scale { arm, count: 1 } => format!("1 {arm} instance"),
        Action::Scale { arm, count } => format!("{count} {arm} instances"),
        Action::Shift {
            split: Split::Closed,
        } => String::from("no traffic let through"),
        Action::Shift { split } => format!("{split} of traffic to the new version"),
        Action::Watch {
            for_ms, analyse, ..
        } => {
            let judged = if *analyse { "judged" } else { "not judged" };
            format!("{}, {judged}", format_duration_ms(*for_ms))
        }
        Action::Task(Task::Approve { approval }) => format!("wait for {}", shown_text(approval)),
        Action::Task(Task::Baseline {
            count,
            weight: part,
        }) => {
            format!("a baseline set of {count} with {} of traffic", weight(part))
        }
        Action::Task(task) => shown(task),
    }
}
