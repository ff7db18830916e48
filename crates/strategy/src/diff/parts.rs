//! What holds throughout a plan, compared part by part.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::{Digest, format_duration_ms};

use super::back::{downtime, exposure, rollback};
use super::change::{Area, Change, Effect, Subject, shown, shown_text};
use super::policy::policy;
use crate::deployment::{Artifact, Release};
use crate::plan::{
    AnalysisPlan, ApprovalPlan, FileRef, FlagPlan, FleetPlan, Plan, SuiteRef, Suites, TargetPlan,
};
use crate::windows::Windows;

/// A smaller value is riskier.
fn low(value: u64) -> u64 {
    u64::MAX - value
}

pub(super) fn time(ms: &u64) -> String {
    format_duration_ms(*ms)
}

fn short(digest: Option<&Digest>) -> String {
    digest.map_or_else(|| String::from("none"), Digest::short)
}

pub(super) fn tell(old: &Plan, new: &Plan, changes: &mut Vec<Change>) {
    let Plan {
        api_version,
        kind,
        parent,
        service,
        environment,
        strategy,
        release: old_release,
        owner,
        target: old_target,
        fleet: old_fleet,
        suites: old_suites,
        analysis,
        analyses,
        approvals,
        flags: old_flags,
        exposure: old_exposure,
        windows,
        zone_data,
        notifications,
        downtime: old_downtime,
        steps: _,
        rollback: old_rollback,
    } = old;
    let mut plan = Subject::new(changes, Area::Plan, "plan");
    plan.value(
        "replaces",
        (parent, &new.parent),
        |it| short(it.as_ref()),
        None,
    );
    plan.value("environment", (environment, &new.environment), shown, None);
    plan.value("owner", (owner, &new.owner), shown, None);
    plan.value("kind", (kind, &new.kind), shown, None);
    plan.shape = true;
    plan.value("apiVersion", (api_version, &new.api_version), shown, None);
    plan.value("service", (service, &new.service), shown, None);
    release(old_release, &new.release, changes);
    let mut it = Subject::new(changes, Area::Strategy, "strategy");
    it.shape = true;
    it.value("kind", (strategy, &new.strategy), shown, None);
    target(old_target, &new.target, changes);
    let mut it = Subject::new(changes, Area::Windows, "windows");
    it.value("windows", (windows, &new.windows), shown_windows, None);
    it.value("zone data", (zone_data, &new.zone_data), shown, None);
    fleet(old, old_fleet, &new.fleet, changes);
    suites(old_suites, &new.suites, changes);
    optional_analysis(
        "analysis",
        (analysis.as_ref(), new.analysis.as_ref()),
        true,
        changes,
    );
    for name in names(analyses, &new.analyses) {
        let pair = (analyses.get(name), new.analyses.get(name));
        optional_analysis(&format!("analysis {name}"), pair, false, changes);
    }
    for name in names(approvals, &new.approvals) {
        approval(
            name,
            (approvals.get(name), new.approvals.get(name)),
            changes,
        );
    }
    for name in names(old_flags, &new.flags) {
        flag(name, (old_flags.get(name), new.flags.get(name)), changes);
    }
    exposure(old_exposure, &new.exposure, changes);
    listed(
        Area::Notifications,
        "notification",
        (notifications, &new.notifications),
        shown,
        changes,
    );
    downtime(old_downtime.as_ref(), new.downtime.as_ref(), changes);
    rollback(old_rollback, &new.rollback, changes);
}

fn names<'a, T>(
    old: &'a BTreeMap<String, T>,
    new: &'a BTreeMap<String, T>,
) -> BTreeSet<&'a String> {
    old.keys().chain(new.keys()).collect()
}

/// Items of two lists, place by place.
fn listed<T: PartialEq>(
    area: Area,
    about: &str,
    (old, new): (&[T], &[T]),
    show: fn(&T) -> String,
    changes: &mut Vec<Change>,
) {
    for index in 0..old.len().max(new.len()) {
        let (was, is) = (old.get(index), new.get(index));
        if was != is {
            let mut subject = Subject::new(changes, area, &format!("{about} {}", index + 1));
            subject.whole((was.map(show), is.map(show)), Effect::Neutral);
        }
    }
}

fn target(old: &TargetPlan, new: &TargetPlan, changes: &mut Vec<Change>) {
    let TargetPlan {
        router,
        fleet: fleet_name,
        dns_ttl_ms,
    } = old;
    let mut it = Subject::new(changes, Area::Target, "target");
    it.value("router", (router, &new.router), shown, None);
    it.value("fleet", (fleet_name, &new.fleet), shown, None);
    it.value(
        "DNS TTL",
        (dns_ttl_ms, &new.dns_ttl_ms),
        time,
        Some((
            |it| *it,
            "resolvers keep users on the new version for longer",
        )),
    );
}

fn shown_windows(windows: &Option<Windows>) -> String {
    match windows {
        Some(windows) => windows.to_string(),
        None => String::from("always"),
    }
}

fn artifact(value: &Option<Artifact>) -> String {
    value.as_ref().map_or_else(
        || String::from("none"),
        |Artifact { name, digest }| format!("{} {}", shown_text(name), digest.short()),
    )
}

fn release(old: &Release, new: &Release, changes: &mut Vec<Change>) {
    let Release {
        from,
        to,
        from_artifact,
        artifact: to_artifact,
    } = old;
    let mut it = Subject::new(changes, Area::Release, "release");
    it.value("from", (from, &new.from), shown, None);
    it.value("to", (to, &new.to), shown, None);
    it.value(
        "artifact from",
        (from_artifact, &new.from_artifact),
        artifact,
        None,
    );
    it.value("artifact", (to_artifact, &new.artifact), artifact, None);
}

fn fleet(old_plan: &Plan, old: &FleetPlan, new: &FleetPlan, changes: &mut Vec<Change>) {
    let FleetPlan {
        replicas,
        min_ready,
        capacity_max,
        warm_up_ms,
        ready_within_ms,
        drain_ms,
        connections,
    } = old;
    let mut it = Subject::new(changes, Area::Fleet, "fleet");
    it.shape = old_plan.shape_rests_on_replicas(new.replicas);
    it.value("replicas", (replicas, &new.replicas), u32::to_string, None);
    it.shape = false;
    it.value(
        "min ready",
        (min_ready, &new.min_ready),
        u32::to_string,
        Some((
            |it| low(u64::from(*it)),
            "fewer healthy instances are taken for enough",
        )),
    );
    it.value(
        "capacity",
        (capacity_max, &new.capacity_max),
        u32::to_string,
        None,
    );
    it.value(
        "warm-up",
        (warm_up_ms, &new.warm_up_ms),
        time,
        Some((|it| low(*it), "new instances get traffic sooner")),
    );
    it.value(
        "ready within",
        (ready_within_ms, &new.ready_within_ms),
        time,
        Some((|it| *it, "an instance that fails is found later")),
    );
    it.value(
        "drain",
        (drain_ms, &new.drain_ms),
        time,
        Some((|it| low(*it), "requests have less time to end")),
    );
    it.value("connections", (connections, &new.connections), shown, None);
}

fn suite(SuiteRef { name, digest }: &SuiteRef) -> String {
    format!("{} {}", shown_text(name), short(digest.as_ref()))
}

fn suites(old: &Suites, new: &Suites, changes: &mut Vec<Change>) {
    let Suites {
        before,
        canary,
        after,
        others,
    } = old;
    let mut it = Subject::new(changes, Area::Suites, "smoke suites");
    it.value("before", (before, &new.before), suite, None);
    it.value("canary", (canary, &new.canary), suite, None);
    it.value("after", (after, &new.after), suite, None);
    listed(
        Area::Suites,
        "smoke suite",
        (others, &new.others),
        suite,
        changes,
    );
}

fn optional_analysis(
    about: &str,
    pair: (Option<&AnalysisPlan>, Option<&AnalysisPlan>),
    shape: bool,
    changes: &mut Vec<Change>,
) {
    let mut it = Subject::new(changes, Area::Analysis, about);
    it.shape = shape;
    match pair {
        (Some(old), Some(new)) => {
            policy(&mut it, &old.policy, &new.policy);
            it.shape = false;
            analysis(&mut it, old, new);
        }
        (None, None) => {}
        (Some(old), None) => it.whole((Some(shown(old)), None), Effect::Riskier),
        (None, Some(new)) => it.whole((None, Some(shown(new))), Effect::Safer),
    }
}

fn analysis(it: &mut Subject<'_>, old: &AnalysisPlan, new: &AnalysisPlan) {
    let AnalysisPlan {
        every_ms,
        warm_up_ms,
        policy: _,
        late_ms,
        window_ms,
        on_no_data,
        on_inconclusive,
    } = old;
    it.value(
        "every",
        (every_ms, &new.every_ms),
        time,
        Some((|it| *it, "looks are further apart")),
    );
    it.value(
        "warm-up",
        (warm_up_ms, &new.warm_up_ms),
        time,
        Some((|it| *it, "more of what is seen is not judged")),
    );
    it.value(
        "late",
        (late_ms, &new.late_ms),
        time,
        Some((|it| *it, "figures come later")),
    );
    it.value("window", (window_ms, &new.window_ms), time, None);
    it.value(
        "on no data",
        (on_no_data, &new.on_no_data),
        shown,
        Some((
            |it| *it as u64,
            "without figures the rollout does not go back by itself",
        )),
    );
    it.value(
        "on inconclusive",
        (on_inconclusive, &new.on_inconclusive),
        shown,
        Some((|it| *it as u64, "less is asked before it goes on")),
    );
}

fn approval(
    name: &str,
    pair: (Option<&ApprovalPlan>, Option<&ApprovalPlan>),
    changes: &mut Vec<Change>,
) {
    let mut it = Subject::new(changes, Area::Approvals, &format!("approval {name}"));
    let (old, new) = match pair {
        (Some(old), Some(new)) => (old, new),
        (None, None) => return,
        (Some(old), None) => return it.whole((Some(shown(old)), None), Effect::Riskier),
        (None, Some(new)) => return it.whole((None, Some(shown(new))), Effect::Safer),
    };
    let ApprovalPlan {
        role,
        people,
        count,
        timeout_ms,
        on_timeout,
    } = old;
    it.value("role", (role, &new.role), shown, None);
    it.value("people", (people, &new.people), shown, None);
    it.value(
        "count",
        (count, &new.count),
        u32::to_string,
        Some((|it| low(u64::from(*it)), "fewer people must agree")),
    );
    it.value("timeout", (timeout_ms, &new.timeout_ms), time, None);
    it.value("on timeout", (on_timeout, &new.on_timeout), shown, None);
}

pub(super) fn file(FileRef { name, digest }: &FileRef) -> String {
    format!("{} {}", shown_text(name), short(digest.as_ref()))
}

fn flag(name: &str, pair: (Option<&FlagPlan>, Option<&FlagPlan>), changes: &mut Vec<Change>) {
    let mut it = Subject::new(changes, Area::Flags, &format!("flag {name}"));
    match pair {
        (
            Some(FlagPlan {
                file: was,
                kill_switch,
            }),
            Some(new),
        ) => {
            it.value("file", (was, &new.file), file, None);
            it.value("kill switch", (kill_switch, &new.kill_switch), file, None);
        }
        (old, new) => it.whole((old.map(shown), new.map(shown)), Effect::Neutral),
    }
}
