//! The way back, and what users are exposed to until then.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::change::{Area, Change, Effect, Subject, shown};
use super::parts::time;
use crate::deployment::{Downtime, SplitBy, Trigger};
use crate::plan::{ExposurePlan, RollbackPlan};

pub(super) fn exposure(old: &ExposurePlan, new: &ExposurePlan, changes: &mut Vec<Change>) {
    let ExposurePlan {
        split_by,
        requests_per_user,
    } = old;
    let mut it = Subject::new(changes, Area::Exposure, "exposure");
    it.value(
        "split by",
        (split_by, &new.split_by),
        shown,
        Some((
            |it| u64::from(*it == SplitBy::Request),
            "a user meets both versions",
        )),
    );
    it.value(
        "requests per user",
        (requests_per_user, &new.requests_per_user),
        u32::to_string,
        None,
    );
}

pub(super) fn downtime(old: Option<&Downtime>, new: Option<&Downtime>, changes: &mut Vec<Change>) {
    let mut it = Subject::new(changes, Area::Downtime, "downtime");
    match (old, new) {
        (
            Some(Downtime {
                at_most_ms,
                accepted_by,
            }),
            Some(new),
        ) => {
            it.value(
                "at most",
                (at_most_ms, &new.at_most_ms),
                time,
                Some((|it| *it, "longer without service")),
            );
            it.value("accepted by", (accepted_by, &new.accepted_by), shown, None);
        }
        (None, None) => {}
        (old, new) => {
            it.shape = true;
            let effect = if new.is_some() {
                Effect::Riskier
            } else {
                Effect::Safer
            };
            it.whole((old.map(shown), new.map(shown)), effect);
        }
    }
}

pub(super) fn rollback(old: &RollbackPlan, new: &RollbackPlan, changes: &mut Vec<Change>) {
    const LONGER: &str = "a longer way back";
    let RollbackPlan {
        within_ms,
        expected_ms,
        retry_ms,
        keep,
        triggers,
        on_failure,
        no_return_from,
        no_way_back,
        after_no_return,
        on_drift,
    } = old;
    let mut it = Subject::new(changes, Area::Rollback, "rollback");
    it.value(
        "within",
        (within_ms, &new.within_ms),
        time,
        Some((|it| *it, LONGER)),
    );
    it.value(
        "expected",
        (expected_ms, &new.expected_ms),
        time,
        Some((|it| *it, LONGER)),
    );
    it.value("retry", (retry_ms, &new.retry_ms), time, None);
    it.shape = (*keep > 0) != (new.keep > 0);
    it.value("keep", (keep, &new.keep), u32::to_string, None);
    it.shape = false;
    if triggers != &new.triggers {
        let effect = triggers_effect(triggers, &new.triggers);
        let mut it = Subject::new(it.changes, Area::Rollback, "rollback triggers");
        it.whole((Some(shown(triggers)), Some(shown(&new.triggers))), effect);
    }
    it.value(
        "on failure",
        (on_failure, &new.on_failure),
        shown,
        Some((|it| *it as u64, "nothing goes back by itself")),
    );
    it.value(
        "no return from step",
        (no_return_from, &new.no_return_from),
        |it| {
            it.map_or_else(
                || String::from("none"),
                |it| (u32::from(it) + 1).to_string(),
            )
        },
        Some((|it| u64::from(it.is_some()), "there is no clean way back")),
    );
    it.value("no way back", (no_way_back, &new.no_way_back), shown, None);
    it.value(
        "after no return",
        (after_no_return, &new.after_no_return),
        shown,
        None,
    );
    it.value("on drift", (on_drift, &new.on_drift), shown, None);
}

/// Fewer triggers are riskier; an empty list stands for the usual ones, and is not compared.
fn triggers_effect(old: &[Trigger], new: &[Trigger]) -> Effect {
    if old.is_empty() || new.is_empty() {
        return Effect::Neutral;
    }
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (old.iter().collect(), new.iter().collect());
    match (new.is_subset(&old), old.is_subset(&new)) {
        (true, false) => Effect::Riskier,
        (false, true) => Effect::Safer,
        _ => Effect::Neutral,
    }
}
