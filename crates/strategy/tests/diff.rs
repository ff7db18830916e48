//! What a diff of two plans says, and that nothing changes without it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::collections::BTreeMap;

use nonevent_document::{Digest, Percent};
use nonevent_router::{Arm, Split};
use nonevent_strategy::{
    Accepted, Action, Approval, Area, Artifact, CanaryStep, Deployment, Effect, Facts, FileRef,
    FlagRollout, FlagStage, ManualStep, Match, MetricSettings, Migration, MigrationKind, Mirror,
    Moment, Notification, Occasion, OnFailure, OnInconclusive, OnNoData, Plan, PlanDiff, Strategy,
    StrategyKind, SuiteRef, Target, Task, Trigger, Ways, check, diff, plan,
};
use proptest::prelude::*;
use serde_json::Value;

fn default_plan(kind: StrategyKind) -> Plan {
    planned(Deployment::default_for(kind))
}

fn planned(deployment: Deployment) -> Plan {
    match check(deployment, Facts::default(), None) {
        Ok(checked) => plan(&checked),
        Err(findings) => panic!("{findings}"),
    }
}

fn percent(basis_points: u16) -> Percent {
    Percent::from_basis_points(basis_points).unwrap()
}

fn canary(change: impl FnOnce(&mut Deployment, &mut Vec<CanaryStep>)) -> Plan {
    let mut deployment = Deployment::default_for(StrategyKind::Canary);
    let Strategy::Canary(mut canary) = deployment.strategy.clone() else {
        panic!("the default canary is one");
    };
    change(&mut deployment, &mut canary.steps);
    deployment.strategy = Strategy::Canary(canary);
    planned(deployment)
}

/// Everything around the change itself.
fn surround(deployment: &mut Deployment) {
    deployment.owner = Some("checkout".into());
    deployment.roles = BTreeMap::from([("lead".into(), vec!["ana".into(), "bo".into()])]);
    deployment.approvals = BTreeMap::from([(
        "go".into(),
        Approval {
            role: "lead".into(),
            count: 1,
            timeout_ms: 60_000,
            on_timeout: OnFailure::Pause,
        },
    )]);
    deployment.migrations = vec![Migration {
        name: "0042".into(),
        kind: MigrationKind::Contract,
        reversible: false,
        owner: Some("dba".into()),
        moment: Moment::AfterBake,
        how: "drop the column".into(),
        within_ms: 60_000,
        unused_since: Some("1.0.0".into()),
    }];
    deployment.manual = vec![ManualStep {
        name: "announce".into(),
        moment: Moment::AtEnd,
        how: "write".into(),
        expect: "read".into(),
        owner: Some("lead".into()),
        within_ms: 60_000,
    }];
    deployment.flags = vec![FlagRollout {
        flag: "new".into(),
        file: "flags.json".into(),
        kill_switch: "off.json".into(),
        stages: vec![FlagStage {
            name: "all".into(),
            exposure: Some(percent(10_000)),
            content: "on.json".into(),
            pause_ms: 60_000,
            approval: Some("go".into()),
        }],
    }];
    deployment.notifications = vec![Notification {
        on: vec![Occasion::Started, Occasion::Stuck],
        to: "ops".into(),
    }];
    deployment.rollback.triggers = vec![Trigger::ErrorRate, Trigger::Metric("carts".into())];
    deployment.rollback.keep = 1;
    deployment.rollback.after_no_return = nonevent_strategy::AfterNoReturn::Page;
    deployment.rollback.on_drift = nonevent_strategy::OnDrift::Repair;
    deployment.rollback.no_way_back = Some(Accepted {
        accepted_by: "ana".into(),
        reason: "empty".into(),
    });
}

/// A plan that has something of everything.
fn rich() -> Plan {
    let mut deployment = Deployment::default_for(StrategyKind::Canary);
    surround(&mut deployment);
    deployment.target.router = Some("traefik".into());
    deployment.target.fleet = Some("eu".into());
    deployment.release.artifact = Some(Artifact {
        name: "image".into(),
        digest: Digest::of(b"new"),
    });
    deployment.release.from_artifact = Some(Artifact {
        name: "image".into(),
        digest: Digest::of(b"old"),
    });
    if let Some(analysis) = &mut deployment.analysis {
        let carts = MetricSettings {
            lag_ms: 0,
            scrape_ms: 1_000,
            source: Some("prometheus".into()),
        };
        analysis.metrics = BTreeMap::from([("carts".into(), carts)]);
        analysis.window_ms = 4_000;
    }
    deployment.fleet.spare = 4;
    let Strategy::Canary(canary) = &mut deployment.strategy else {
        panic!("the default canary is one");
    };
    canary.baseline = true;
    canary.steps[0].chosen = vec![Match::Header {
        name: "x-test".into(),
        value: "1".into(),
    }];
    canary.steps[0].mirror = Some(Mirror {
        share: percent(1_000),
        unsafe_methods: true,
    });
    canary.steps[1].approval = Some("go".into());
    canary.steps[1].smoke = Some("step.json".into());
    let mut plan = planned(deployment);
    let digest = Some(Digest::of(b"x"));
    plan.parent = digest;
    for suite in [&mut plan.suites.before, &mut plan.suites.others[0]] {
        suite.digest = digest;
    }
    let mut analysis = plan.analysis.clone().unwrap();
    analysis.late_ms = 1_000;
    analysis.window_ms = 1_000;
    analysis.on_no_data = OnNoData::Pause;
    analysis.on_inconclusive = OnInconclusive::Pause;
    analysis.policy.p99_max_ms = Some(300);
    plan.analyses = BTreeMap::from([("fine".into(), analysis)]);
    plan.rollback.on_failure = OnFailure::Pause;
    plan.target.dns_ttl_ms = 30_000;
    plan.zone_data = Some("2026a".into());
    let windows = serde_json::json!({
        "zone": "Europe/Berlin",
        "allow": [{ "days": ["mon", "tue"], "from": "10:00", "to": "16:00" }],
        "freezes": [{ "name": "sale", "from": "11-20", "to": "11-30" }],
    });
    plan.windows = Some(serde_json::from_value(windows).unwrap());
    plan.downtime = Some(nonevent_strategy::Downtime {
        at_most_ms: 1_000,
        accepted_by: "ana".into(),
    });
    plan
}

/// The value with each of its leaves changed in turn, and each item and member taken away or
/// doubled.
fn mutants(value: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    match value {
        Value::Null => found.push(Value::from(1)),
        Value::Bool(it) => found.push(Value::from(!it)),
        Value::Number(it) => {
            let it = it.as_u64().unwrap();
            found.extend([it + 1, it.saturating_sub(1), 0].map(Value::from));
        }
        Value::String(it) => {
            found.push(Value::from(format!("{it}x")));
            found.push(Value::from(""));
            found.push(Value::Null);
            // Other words of the same enumeration, and another digest.
            let words = [
                "canary",
                "stable",
                "rolling",
                "router",
                "pause",
                "bake",
                "after",
                "before",
                "rollback",
                "promote",
                "request",
                "session",
                "user",
                "expand",
                "close_at_once",
                "ride_out",
                "kill_switch",
                "promoted",
                "p99",
                "person",
                "a, b",
            ];
            if it.chars().all(|it| it.is_ascii_lowercase() || it == '_') {
                found.extend(words.map(Value::from));
            }
            found.push(Value::from(Digest::of(b"other").to_string()));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for mutant in mutants(item) {
                    let mut items = items.clone();
                    items[index] = mutant;
                    found.push(Value::from(items));
                }
                let mut fewer = items.clone();
                fewer.remove(index);
                let mut more = items.clone();
                more.insert(index, item.clone());
                found.extend([fewer, more].map(Value::from));
                if index > 0 {
                    let mut swapped = items.clone();
                    swapped.swap(index - 1, index);
                    found.push(Value::from(swapped));
                }
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                for mutant in mutants(member) {
                    let mut members = members.clone();
                    members.insert(key.clone(), mutant);
                    found.push(Value::from(members));
                }
                let mut fewer = members.clone();
                fewer.remove(key);
                let mut renamed = fewer.clone();
                renamed.insert(format!("{key}x"), member.clone());
                found.extend([fewer, renamed].map(Value::from));
            }
        }
    }
    found
}

/// A diff is empty exactly if the digests are equal, its shape marks agree with the shape, and
/// each line of it reads.
fn agrees(old: &Plan, new: &Plan) -> PlanDiff {
    let diff = diff(old, new);
    let same = old.digest().unwrap() == new.digest().unwrap();
    assert_eq!(diff.is_empty(), same, "{diff}");
    let shape = old.shape().unwrap() != new.shape().unwrap();
    assert_eq!(diff.shape_changed(), shape);
    let marked = diff.changes().iter().any(|change| change.shape);
    assert_eq!(marked, shape, "{diff}");
    assert!(diff.to_string().lines().all(|line| !line.is_empty()));
    diff
}

#[test]
fn nothing_changes_in_a_plan_without_the_diff_saying_so() {
    let plan = rich();
    assert!(agrees(&plan, &plan).is_empty());
    let (mut read, mut areas) = (0, std::collections::BTreeSet::new());
    for mutant in mutants(&serde_json::to_value(&plan).unwrap()) {
        // Other values are no plan at all.
        let Ok(mutant) = serde_json::from_value::<Plan>(mutant) else {
            continue;
        };
        read += 1;
        for diff in [agrees(&plan, &mutant), agrees(&mutant, &plan)] {
            areas.extend(diff.changes().iter().map(|change| change.area));
        }
    }
    assert!(read > 1_000, "{read}");
    assert!(areas.contains(&Area::StepMoved) && areas.contains(&Area::Notifications));
    assert_eq!(areas.len(), 18, "{areas:?}");
}

#[test]
fn what_a_diff_reads_like() {
    let old = canary(|_, _| ());
    let text = |name: &str, new: &Plan| format!("{name}\n{}\n", agrees(&old, new));
    let told = [
        text("nothing", &old),
        text(
            "first pause",
            &canary(|_, steps| steps[0].pause_ms = 180_000),
        ),
        text(
            "25 to 30",
            &canary(|_, steps| steps[1].traffic = percent(3_000)),
        ),
        text(
            "one stage more",
            &canary(|_, steps| steps.insert(1, CanaryStep::new(percent(1_000), 300_000))),
        ),
        text("one stage less", &canary(|_, steps| drop(steps.remove(1)))),
        text(
            "looser",
            &canary(|it, _| {
                it.analysis.as_mut().unwrap().policy.error_rate_max_ppm = None;
                it.fleet.ready_within_ms = 90_000;
            }),
        ),
        text(
            "four replicas",
            &canary(|it, _| {
                it.fleet.replicas = 4;
                it.fleet.min_healthy = nonevent_strategy::CountOrPercent::Count(4);
                it.fleet.spare = 4;
            }),
        ),
        text("another strategy", &default_plan(StrategyKind::Recreate)),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn data_of_one_change() {
    let (old, new) = (
        canary(|_, _| ()),
        canary(|_, steps| steps[0].pause_ms = 180_000),
    );
    let diff = diff(&old, &new);
    assert_eq!(diff.count(Effect::Riskier), 1);
    assert_eq!(
        serde_json::to_value(&diff).unwrap(),
        serde_json::json!({ "shapeChanged": false, "changes": [
            { "area": "stepChanged", "about": "pause at 5 %", "field": "time", "place": 4,
              "old": "5m", "new": "3m", "shape": false, "effect": "riskier",
              "why": "less time to look" },
            { "area": "stepChanged", "about": "pause at 5 %", "field": "deadline", "place": 4,
              "old": "7m 5s", "new": "5m 5s", "shape": false, "effect": "neutral" },
        ]})
    );
}

#[test]
fn names_from_outside_cannot_forge_a_line() {
    let old = canary(|_, _| ());
    let mut new = old.clone();
    new.owner = Some("me\nfleet: nothing\u{202e}\u{1b}[2J".into());
    new.steps[2].id = "a\nb\u{7f}".into();
    new.suites.others.push(SuiteRef {
        name: "x\u{85}\u{2066}".into(),
        digest: None,
    });
    let text = diff(&old, &new).to_string();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(
        text.chars().all(|it| it == '\n' || !it.is_control()),
        "{text}"
    );
    assert!(!text.contains(['\u{202e}', '\u{2066}']), "{text}");
}

/// A plan of very many steps: shares up and down again, each watched.
fn long(steps: usize, first: u16, names: &str) -> Plan {
    let mut plan = default_plan(StrategyKind::Canary);
    let pattern = plan.steps[0].clone();
    plan.steps = (0..steps)
        .map(|index| {
            let mut step = pattern.clone();
            step.id = format!("{names}-{index}");
            let share = (usize::from(first) + index * 7) % 10_001;
            let split = Split::canary(u16::try_from(share).unwrap()).unwrap();
            step.action = match index % 3 {
                0 => Action::Shift { split },
                1 => Action::Scale {
                    arm: Arm::Canary,
                    count: u32::from(first) + 3,
                },
                _ => Action::Task(Task::Flag {
                    flag: format!("{names}-{index}"),
                    stage: String::new(),
                    before: FileRef {
                        name: String::new(),
                        digest: None,
                    },
                    after: FileRef {
                        name: String::new(),
                        digest: None,
                    },
                }),
            };
            step.target = Target {
                split,
                ways: Ways::NONE,
                stable: 3,
                canary: 3,
            };
            step
        })
        .collect();
    plan
}

#[test]
fn the_longest_plans_are_compared_in_bounded_time() {
    let most = usize::from(u16::MAX);
    let old = long(most, 0, "a");
    let mut turned = old.clone();
    turned.steps.reverse();
    // A quadratic comparison would take hours.
    for new in [long(most, 1, "b"), long(most - 1, 0, "a"), turned] {
        let diff = diff(&old, &new);
        assert!(!diff.is_empty());
        assert!(diff.to_string().lines().count() <= 201);
    }
}

/// Edits of the list of steps, drawn by their numbers.
fn edited(plan: &Plan, edits: &[(u8, usize, usize)]) -> Plan {
    let mut plan = plan.clone();
    for (edit, at, to) in edits {
        if plan.steps.is_empty() {
            break;
        }
        let (at, to) = (at % plan.steps.len(), to % plan.steps.len());
        match edit % 4 {
            0 => drop(plan.steps.remove(at)),
            1 => {
                let step = plan.steps[at].clone();
                plan.steps.insert(to, step);
            }
            2 => plan.steps.swap(at, to),
            _ => plan.steps[at].id = plan.steps[to].id.clone(),
        }
    }
    plan
}

proptest! {
    #[test]
    fn edits_of_the_steps_are_told(
        edits in prop::collection::vec((any::<u8>(), any::<usize>(), any::<usize>()), 0..6),
        kind in prop::sample::select(StrategyKind::ALL.to_vec()),
    ) {
        let old = default_plan(kind);
        let new = edited(&old, &edits);
        let there = agrees(&old, &new);
        agrees(&new, &old);
        let count = |diff: &PlanDiff, area| {
            diff.changes().iter().filter(|change| change.area == area).count()
        };
        // Steps come and go by as many as there are more.
        let more = count(&there, Area::StepAdded) + old.steps.len();
        prop_assert_eq!(more, count(&there, Area::StepRemoved) + new.steps.len());
    }
}
