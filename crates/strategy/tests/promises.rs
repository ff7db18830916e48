//! What every plan of an accepted document holds, and what keeps a document from being accepted
//! whose plan would not.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::collections::BTreeSet;

use nonevent_document::{Digest, Document, Findings, Limits};
use nonevent_router::{Abilities, Arm, Dialect, FULL_WEIGHT, Granularity, Split};
use nonevent_strategy::{
    Action, BaselineSet, Checked, Facts, Plan, SmokeTarget, SuiteFact, Task, WatchKind, check,
    plan, read,
};
use proptest::prelude::*;

/// A document of a fleet, what else there is, and a strategy.
fn document(fleet: &str, rest: &str) -> String {
    format!(
        "apiVersion: nonevent/v1\nkind: Deployment\nservice: shop\nenvironment: production\n\
         release: {{ from: 1.4.2, to: 1.5.0 }}\n\
         fleet: {{ {fleet}, connections: close_after, requests_per_second: 4000 }}\n{rest}"
    )
}

fn facts() -> Facts {
    let file = |name: &str| (name.to_owned(), Digest::of(name.as_bytes()));
    let suite = SuiteFact {
        digest: Digest::of(b"suite"),
        tests: 2,
    };
    Facts {
        suites: [("suite.json".to_owned(), suite)].into(),
        suites_read: true,
        files: ["f", "g", "one", "two", "off", "off-two"]
            .map(file)
            .into_iter()
            .chain([("off-again".to_owned(), Digest::of(b"off"))])
            .collect(),
        now: Some("2026-11-24T09:00:00Z".parse().unwrap()),
        router: None,
    }
}

fn checked(text: &str) -> Result<Checked, Findings> {
    let document = Document::parse("deployment.yaml", text.as_bytes(), &Limits::default())?;
    check(read(&document)?, facts(), Some(&document))
}

fn planned(text: &str) -> Plan {
    plan(&checked(text).unwrap())
}

/// Code, line and path of every finding.
fn found(text: &str) -> Vec<String> {
    let findings = match checked(text) {
        Ok(checked) => checked.findings().clone(),
        Err(findings) => findings,
    };
    let line = |it: &nonevent_document::Finding| it.at.map_or(0, |at| at.line);
    let found = findings.iter();
    found
        .map(|it| format!("{} {} {}", it.code, line(it), it.path))
        .collect()
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.id.as_str()).collect()
}

/// What of a promise the plan breaks, if anything.
fn broken(plan: &Plan) -> Result<(), String> {
    plan.validate().map_err(|error| error.to_string())?;
    plan.digest().map_err(|error| error.to_string())?;
    let ids: BTreeSet<&str> = ids(plan).into_iter().collect();
    if ids.len() != plan.steps.len() {
        return Err(String::from("an id stands twice"));
    }
    let (mut routed, mut copied, mut canaries) = (0u32, 0u16, 0);
    let mut baseline = BaselineSet::default();
    for step in &plan.steps {
        let fail = |what: &str| Err(format!("{}: {what}", step.id));
        match &step.action {
            Action::Smoke {
                target: SmokeTarget::Canary,
                ..
            } if canaries == 0 => return fail("tests no instance"),
            Action::Task(Task::Route { chosen }) => {
                routed = u32::from(!chosen.is_empty());
            }
            Action::Task(Task::Mirror { share, .. }) => copied = *share,
            _ => {}
        }
        let target = step.target;
        canaries = target.canary;
        let before = baseline;
        baseline = baseline.after(&step.action);
        if target.stable + target.canary + baseline.count > plan.fleet.capacity_max {
            return fail("over capacity");
        }
        if baseline.weight > before.weight && baseline.count > before.count {
            return fail("a baseline set has a share before its instances");
        }
        let rest = target
            .split
            .weight(Arm::Stable)
            .checked_sub(baseline.weight);
        if rest.is_none_or(|rest| target.stable < plan.needed(rest)) {
            return fail("the baseline set takes more than stable has");
        }
        if baseline.count < plan.needed(baseline.weight) {
            return fail("too few instances of the baseline set");
        }
        // While both are compared they are as many, and get as much.
        if matches!(step.action, Action::Watch { .. }) && baseline.count > 0 {
            let canary = (target.canary, target.split.weight(Arm::Canary));
            if (baseline.count, baseline.weight) != canary {
                return fail("canary and baseline set differ");
            }
        }
        let load = (target.split.weight(Arm::Canary) + copied).min(FULL_WEIGHT);
        if target.canary < plan.needed(load).max(routed) {
            return fail("too few new instances");
        }
        if target.stable < plan.needed(target.split.weight(Arm::Stable)) {
            return fail("too few old instances");
        }
    }
    let end = plan.steps.last().unwrap().target;
    let whole = (end.stable, end.canary, end.split) == (0, plan.fleet.replicas, Split::CANARY);
    if baseline != BaselineSet::default() {
        return Err(format!("leaves {baseline:?} behind"));
    }
    if !whole || routed > 0 || copied > 0 {
        return Err(format!("ends in {end:?}, {routed} routed, {copied} copied"));
    }
    Ok(())
}

/// A canary's steps: shares out of 100, instances of their own, copied requests, chosen users.
type Steps = Vec<(u8, Option<u32>, Option<u8>, bool)>;

fn steps() -> impl Strategy<Value = Steps> {
    let step = (
        0u8..=100,
        prop::option::weighted(0.3, 0u32..30),
        prop::option::weighted(0.3, 0u8..=100),
        any::<bool>(),
    );
    prop::collection::vec(step, 1..5).prop_map(|mut steps| {
        steps.sort_by_key(|step| step.0);
        steps.dedup_by_key(|step| step.0);
        steps.last_mut().unwrap().0 = 100;
        steps
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_canary_that_is_accepted_keeps_its_promises(
        replicas in 1u32..20, floor in 1u32..=100, steps in steps(), baseline in any::<bool>(),
    ) {
        let mut text = format!("strategy:\n  canary:\n    baseline: {baseline}\n    steps:\n");
        for (share, own, copied, chosen) in &steps {
            text += &format!("      - {{ traffic: {share}%, pause: 1h");
            if let Some(own) = own {
                text += &format!(", replicas: {own}");
            }
            if let Some(copied) = copied {
                text += &format!(", mirror: {copied}%");
            }
            if *chosen {
                text += ", chosen: { headers: { x-canary: always } }";
            }
            text += " }\n";
        }
        text += "rollback: { within: 2h }\ntarget: { router: traefik }\n";
        let fleet = format!("replicas: {replicas}, min_healthy: {floor}%, spare: 30");
        if let Ok(checked) = checked(&document(&fleet, &text)) {
            prop_assert_eq!(broken(&plan(&checked)), Ok(()));
        }
    }

    #[test]
    fn a_canary_by_instance_share_keeps_its_limits_and_gives_the_nearest_shares(
        replicas in 1u32..40, floor in 1u32..=100, spare in 0u32..5,
        shares in prop::collection::btree_set(1u32..100, 0..4),
    ) {
        let shares: Vec<u32> = shares.into_iter().chain([100]).collect();
        let steps = shares.iter().map(|it| {
            format!("      - {{ traffic: {it}%, pause: 1h, replicas: by_share }}\n")
        });
        let steps: String = steps.collect();
        let fleet = format!("replicas: {replicas}, min_healthy: {floor}%, spare: {spare}");
        let rest = format!("strategy:\n  canary:\n    steps:\n{steps}rollback: {{ within: 10d }}\n");
        let Ok(checked) = checked(&document(&fleet, &rest)) else {
            return Ok(());
        };
        let plan = plan(&checked);
        prop_assert_eq!(broken(&plan), Ok(()));
        let mut watched = Vec::new();
        for step in &plan.steps {
            let total = step.target.stable + step.target.canary;
            prop_assert!(total >= plan.fleet.min_ready, "{}", step.id);
            if let Action::Watch { .. } = step.action {
                watched.push((step.target.canary, total, step.target.split));
            }
        }
        prop_assert_eq!(watched.len(), shares.len());
        let far = |share: u32, canary: u32, total: u32| {
            (f64::from(canary) / f64::from(total) - f64::from(share) / 100.0).abs()
        };
        for (share, (canary, total, split)) in shares.into_iter().zip(watched) {
            let weight = f64::from(canary) / f64::from(total) * f64::from(FULL_WEIGHT);
            prop_assert!((f64::from(split.weight(Arm::Canary)) - weight).abs() <= 0.5);
            // One more than the replicas where there is room, and one of each version until the end.
            for any in replicas..=replicas + spare.min(1) {
                let most = if share == 100 { any } else { any - 1 };
                for other in 1..=most {
                    prop_assert!(far(share, canary, total) <= far(share, other, any) + 1e-9);
                }
            }
        }
    }

    #[test]
    fn a_rolling_update_that_is_accepted_keeps_its_promises(
        replicas in 1u32..40, floor in 0u32..40, surge in 0u32..120, unavailable in 0u32..120,
        percent in any::<bool>(), waves in prop::collection::btree_set(1u32..=100, 0..4),
    ) {
        let unit = if percent { "%" } else { "" };
        let waves: Vec<String> = waves.iter().map(|it| format!("{{ upto: {it}%, pause: 1m }}")).collect();
        let text = format!(
            "strategy:\n  rolling:\n    max_surge: {surge}{unit}\n    max_unavailable: {unavailable}{unit}\n    \
             waves: [{}]\nrollback: {{ within: 10d }}\n",
            waves.join(", ")
        );
        let fleet = format!("replicas: {replicas}, min_healthy: {floor}, spare: 120");
        if let Ok(checked) = checked(&document(&fleet, &text)) {
            prop_assert_eq!(broken(&plan(&checked)), Ok(()));
        }
    }
}

const CANARY: &str = "replicas: 10, spare: 10";

fn canary(steps: &[&str]) -> String {
    let steps = steps.join("\n      - ");
    let rest = format!(
        "strategy:\n  canary:\n    steps:\n      - {steps}\nanalysis: {{ every: 1m }}\n\
         target: {{ router: traefik }}\n"
    );
    document(CANARY, &rest)
}

/// The canary's document, with a baseline set beside it.
fn with_baseline(steps: &[&str]) -> String {
    canary(steps).replace("  canary:\n", "  canary:\n    baseline: true\n")
}

const RAMP: [&str; 4] = [
    "{ traffic: 10%, pause: 30m }",
    "{ traffic: 20%, pause: 30m, replicas: 2 }",
    "{ traffic: 25%, pause: 30m, replicas: 2 }",
    "{ traffic: 100%, pause: 30m }",
];

#[test]
fn a_baseline_set_grows_with_the_canary_and_ends_before_it_is_all() {
    let text = with_baseline(&RAMP).replace("replicas: 10,", "replicas: 10, min_healthy: 8,");
    let plan = planned(&text);
    assert_eq!(broken(&plan), Ok(()));
    assert_eq!(
        ids(&plan)[1..],
        [
            "scale-canary-1",
            "smoke-canary",
            "scale-baseline-1",
            "traffic-10",
            "baseline-10",
            "pause",
            "scale-canary-2",
            "scale-baseline-2",
            "traffic-20",
            "baseline-20",
            "pause-2",
            // As many as before: only the shares move.
            "traffic-25",
            "baseline-25",
            "pause-3",
            "baseline-none",
            "scale-canary-10",
            "traffic-100",
            "smoke-after",
            "bake",
            "scale-stable-0",
        ]
    );
    // It runs the old version's code: no user is exposed by it.
    let without = text.replace("baseline: true", "baseline: false");
    let exposed = |plan: &Plan| plan.steps.iter().map(|step| step.exposed).max();
    assert_eq!(exposed(&plan), exposed(&planned(&without)));
    assert_eq!(ids(&planned(&without)).len(), ids(&plan).len() - 6);
}

#[test]
fn a_baseline_set_needs_room_a_share_and_a_comparison() {
    let half = "{ traffic: 50%, pause: 30m, replicas: 7 }";
    let steps = [
        "{ traffic: 10%, pause: 30m }",
        half,
        "{ traffic: 100%, pause: 30m }",
    ];
    assert_eq!(found(&canary(&steps)), [""; 0]);
    // Seven and seven beside the ten, and ten spare ones.
    assert_eq!(found(&with_baseline(&steps)), ["NE1017 6 fleet.spare"]);
    let wide = steps.map(|step| step.replace("50%", "51%").replace(", replicas: 7", ""));
    let wide = wide.each_ref().map(String::as_str);
    let expected = ["NE1066 12 strategy.canary.steps[1].traffic"];
    assert_eq!(found(&with_baseline(&wide)), expected);
    // Only there it is judged; and not at all.
    let judged = with_baseline(&[
        "{ traffic: 10%, pause: 30m, analysis: none }",
        "{ traffic: 100%, pause: 30m }",
    ]);
    let expected = [
        "NE1067 9 strategy.canary.baseline",
        "NE1034 11 strategy.canary.steps[0].analysis",
    ];
    let mut told = found(&judged);
    told.sort_by_key(|it| it.contains("NE1034"));
    assert_eq!(told, expected);
}

#[test]
fn a_pause_with_a_baseline_set_compares_fewer_requests() {
    let steps = [
        "{ traffic: 10%, pause: 6m }",
        "{ traffic: 100%, pause: 30m }",
    ];
    let bounds = "error_rate <= baseline * 2 or error_rate <= 0.1%";
    let weak = |text: &str, rate: u32| {
        let text = text
            .replace("4000", &rate.to_string())
            .replace("every: 1m", &format!("every: 1m, bounds: '{bounds}'"));
        let mut found = found(&text).into_iter();
        found.any(|it| it.starts_with("NE1020") && it.ends_with("steps[0].pause"))
    };
    let told: Vec<(bool, bool)> = (1..40)
        .map(|rate| {
            (
                weak(&canary(&steps), rate),
                weak(&with_baseline(&steps), rate),
            )
        })
        .collect();
    assert!(
        told.iter().all(|(without, with)| !without || *with),
        "{told:?}"
    );
    assert!(told.contains(&(false, true)), "{told:?}");
}

fn workers(fleet: &str, steps: &[&str]) -> String {
    let steps: String = steps
        .iter()
        .map(|it| format!("      - {{ {it}, replicas: by_share }}\n"))
        .collect();
    let rest = format!(
        "strategy:\n  canary:\n    steps:\n{steps}analysis: {{ every: 1m }}\n\
         rollback: {{ within: 1h }}\n"
    );
    document(fleet, &rest)
}

const HALF: &str = "traffic: 50%, pause: 30m";
const WHOLE: &str = "traffic: 100%, pause: 30m";

#[test]
fn by_instance_share_stable_gives_up_what_the_canary_gets() {
    let fleet = "replicas: 4, min_healthy: 75%, spare: 1";
    let plan = planned(&workers(fleet, &["traffic: 25%, pause: 30m", WHOLE]));
    assert_eq!(broken(&plan), Ok(()));
    assert_eq!(
        ids(&plan),
        [
            "smoke-before",
            "scale-canary-1",
            "smoke-canary",
            "traffic-25",
            "scale-stable-3",
            "pause",
            "scale-canary-2",
            "traffic-66-67",
            "scale-stable-1",
            "scale-canary-4",
            "traffic-100",
            "scale-stable-0",
            "smoke-after",
            "bake",
        ]
    );
    // Without anything spare, stable makes room first.
    let fleet = "replicas: 2, min_healthy: 1, spare: 0";
    let plan = planned(&workers(fleet, &[HALF, WHOLE]));
    assert_eq!(broken(&plan), Ok(()));
    assert_eq!(ids(&plan)[1..3], ["scale-stable-1", "scale-canary-1"]);
}

#[test]
fn what_few_workers_cannot_give_is_said() {
    let coarse = "NE1047 10 strategy.canary.steps[0].traffic";
    let large = "NE1019 10 strategy.canary.steps[0].traffic";
    let same = "NE1011 11 strategy.canary.steps[1].traffic";
    let full = "NE1017 6 fleet.spare";
    let five = "traffic: 5%, pause: 30m";
    let ten = "traffic: 10%, pause: 30m";
    for (fleet, steps, expected) in [
        ("replicas: 20, spare: 1", &[five, HALF, WHOLE][..], &[][..]),
        // One of five instances is 20 %, one of three 33.33 %; 10 % of five is half an instance.
        ("replicas: 4, spare: 1", &[five, WHOLE], &[coarse]),
        ("replicas: 2, spare: 1", &[five, WHOLE], &[coarse, large]),
        (
            "replicas: 4, spare: 1",
            &[five, ten, WHOLE],
            &[coarse, same],
        ),
        // All are needed, and none is spare.
        ("replicas: 4, spare: 0", &[HALF, WHOLE], &[large, full]),
    ] {
        let mut found = found(&workers(fleet, steps));
        let mut expected = expected.to_vec();
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{fleet} {steps:?}");
    }
}

#[test]
fn by_instance_share_no_router_is_asked_for_anything() {
    let chosen = "traffic: 10%, pause: 30m, chosen: { headers: { x-canary: always } }, mirror: 10%";
    let text = workers("replicas: 10, spare: 1", &[chosen, WHOLE])
        .replace("    steps:", "    baseline: true\n    steps:");
    assert_eq!(
        found(&text),
        [
            "NE1068 9 strategy.canary.baseline",
            "NE1068 11 strategy.canary.steps[0].chosen",
            "NE1068 11 strategy.canary.steps[0].mirror",
        ]
    );
}

#[test]
fn a_step_without_traffic_has_an_instance_for_whom_it_is_meant() {
    let chosen = "chosen: { headers: { x-canary: always } }";
    let steps = [
        &format!("{{ traffic: 0%, pause: 5m, {chosen}, smoke: suite.json }}"),
        "{ traffic: 100%, pause: 30m }",
    ];
    let plan = planned(&canary(&steps));
    assert_eq!(broken(&plan), Ok(()));
    assert_eq!(
        ids(&plan)[..4],
        [
            "smoke-before",
            "scale-canary-1",
            "smoke-canary",
            "route-chosen"
        ]
    );
    let none = format!("{{ traffic: 0%, pause: 5m, {chosen}, replicas: 0 }}");
    let steps = [none.as_str(), "{ traffic: 100%, pause: 30m }"];
    let expected = ["NE1016 10 strategy.canary.steps[0].replicas"];
    assert_eq!(found(&canary(&steps))[..1], expected);
}

#[test]
fn a_step_without_traffic_is_judged_only_by_an_analysis_that_it_names() {
    let steps = |besides: &str| {
        canary(&[
            &format!("{{ traffic: 0%, {besides} }}"),
            "{ traffic: 10%, pause: 30m }",
            "{ traffic: 100%, pause: 30m }",
        ]) + "analyses: { own: { every: 1m } }\n"
    };
    let judged = |text: &str| -> Vec<(bool, Option<String>)> {
        let actions = planned(text).steps.into_iter().map(|step| step.action);
        let watches = actions.filter_map(|action| match action {
            Action::Watch {
                analyse, analysis, ..
            } => Some((analyse, analysis)),
            _ => None,
        });
        watches.collect()
    };
    let own = Some("own".to_owned());
    for besides in [
        "chosen: { headers: { x-canary: always } }",
        "mirror: 10%",
        "mirror: 10%, chosen: { cookies: { staff: always } }",
    ] {
        let text = steps(&format!("pause: 5m, {besides}"));
        let rest = [(true, None), (true, None)];
        assert_eq!(judged(&text)[0], (false, None), "{besides}");
        assert_eq!(judged(&text)[1..], rest, "{besides}");
        let text = steps(&format!("pause: 5m, analysis: own, {besides}"));
        assert_eq!(judged(&text)[0], (true, own.clone()), "{besides}");
        assert_eq!(judged(&text)[1..], rest, "{besides}");
        // What is judged needs its time, and what is not needs none.
        let text = steps(&format!("pause: 1m, analysis: own, {besides}"));
        assert_eq!(found(&text), ["NE1014 10 strategy.canary.steps[0].pause"]);
    }
    let unused = ["NE1033 15 analyses.own"];
    assert_eq!(found(&steps("pause: 1m, mirror: 10%")), unused);
}

#[test]
fn copied_requests_are_load_too() {
    let steps = |own: &str| {
        canary(&[
            &format!("{{ traffic: 10%, pause: 30m, mirror: 50%{own} }}"),
            "{ traffic: 50%, pause: 30m }",
            "{ traffic: 100%, pause: 30m }",
        ])
    };
    let plan = planned(&steps(""));
    assert_eq!(broken(&plan), Ok(()));
    assert_eq!(ids(&plan)[1], "scale-canary-6");
    let expected = ["NE1016 10 strategy.canary.steps[0].replicas"];
    assert_eq!(found(&steps(", replicas: 2")), expected);
}

#[test]
fn nothing_is_routed_or_copied_any_more_at_the_end() {
    let chosen = "chosen: { headers: { x-canary: always } }";
    let plan = planned(&canary(&[
        &format!("{{ traffic: 10%, pause: 30m, mirror: 20%, {chosen} }}"),
        &format!("{{ traffic: 100%, pause: 30m, {chosen} }}"),
    ]));
    assert_eq!(broken(&plan), Ok(()));
    let ids = ids(&plan);
    let place = |id: &str| ids.iter().position(|it| *it == id);
    // No request is copied to the version that gets it anyway, and no chosen user goes back.
    assert!(place("mirror-none") < place("traffic-100"), "{ids:?}");
    assert!(place("traffic-100") < place("route-none"), "{ids:?}");
    let copies = [
        "{ traffic: 10%, pause: 30m }",
        "{ traffic: 100%, pause: 30m, mirror: 20% }",
    ];
    let expected = ["NE1035 11 strategy.canary.steps[1].mirror"];
    assert_eq!(found(&canary(&copies)), expected);
}

#[test]
fn instances_of_a_steps_own_end_as_the_fleet_that_is_declared() {
    let few = [
        "{ traffic: 10%, pause: 30m }",
        "{ traffic: 100%, pause: 30m, replicas: 8 }",
    ];
    let text = canary(&few).replace("replicas: 10,", "replicas: 10, min_healthy: 8,");
    let expected = ["NE1016 11 strategy.canary.steps[1].replicas"];
    assert_eq!(found(&text), expected);
    // More than the fleet at first: the help to leave `replicas` out leads to no other finding.
    let many = [
        "{ traffic: 10%, pause: 30m, replicas: 12 }",
        "{ traffic: 50%, pause: 30m }",
        "{ traffic: 100%, pause: 30m }",
    ];
    let text = canary(&many).replace("spare: 10", "spare: 12");
    assert_eq!(found(&text), [""; 0]);
    let plan = planned(&text);
    assert_eq!(broken(&plan), Ok(()));
    assert_eq!(ids(&plan).last(), Some(&"scale-canary-10"));
}

#[test]
fn traffic_moves_before_old_instances_go_though_no_new_one_has_room() {
    let rolling = "max_surge: 0, max_unavailable: 3, waves: [{ upto: 4, pause: 5m }]";
    let rest = format!("strategy: {{ rolling: {{ {rolling} }} }}\nanalysis: {{ every: 1m }}\n");
    let plan = planned(&document("replicas: 7, min_healthy: 1", &rest));
    assert_eq!(broken(&plan), Ok(()));
    let end: Vec<&str> = ids(&plan).into_iter().rev().take(5).collect();
    assert_eq!(
        end,
        [
            "bake",
            "smoke-after",
            "scale-canary-7",
            "scale-stable-0",
            "traffic-100"
        ]
    );
}

fn waves(waves: &str) -> String {
    let rest = format!(
        "strategy: {{ rolling: {{ watch: 10m, waves: [{waves}] }} }}\nanalysis: {{ every: 1m }}\n\
         rollback: {{ within: 1h }}\napprovals: {{ go: {{ role: lead }} }}\n\
         roles: {{ lead: [ada] }}\nnotifications: [{{ on: [waiting], to: channel }}]\n"
    );
    document("replicas: 10, spare: 2", &rest)
}

#[test]
fn the_last_wave_keeps_its_pause_and_can_have_no_approval() {
    let text = waves("{ upto: 20%, pause: 5m, approval: go }, { upto: 100%, pause: 40m }");
    let plan = planned(&text);
    assert_eq!(broken(&plan), Ok(()));
    let bakes: Vec<u64> = plan
        .steps
        .iter()
        .filter_map(|step| match step.action {
            Action::Watch {
                kind: WatchKind::Bake,
                for_ms,
                ..
            } => Some(for_ms),
            _ => None,
        })
        .collect();
    assert_eq!(bakes, [40 * 60_000]);
    let text = waves("{ upto: 20%, pause: 5m }, { upto: 100%, pause: 40m, approval: go }");
    let expected = ["NE1036 7 strategy.rolling.waves[1].approval"];
    assert_eq!(found(&text), expected);
}

#[test]
fn a_zone_without_instances_is_not_waited_for() {
    let text = document(
        "replicas: 4, spare: 1, zones: { a: 0, b: 4 }",
        "strategy: { rolling: { pause: 5m, by_zone: { pause: 5m } } }\nanalysis: { every: 1m }\n",
    );
    assert_eq!(found(&text), ["NE1037 6 fleet.zones.a"]);
}

#[test]
fn two_flags_in_one_file_follow_each_other() {
    let flag = |name: &str, content: &str, off: &str| {
        format!(
            "{{ flag: {name}, file: f, kill_switch: {off}, \
             stages: [{{ name: all, content: {content}, pause: 1h }}] }}"
        )
    };
    let both = |one: &str, two: &str, off: &str| {
        canary(&[
            "{ traffic: 10%, pause: 30m }",
            "{ traffic: 100%, pause: 30m }",
        ]) + &format!(
            "flags: [{}, {}]\n",
            flag("a", one, "off"),
            flag("b", two, off)
        )
    };
    let text = |one, two| both(one, two, "off");
    let plan = planned(&text("one", "two"));
    let edits: Vec<(&str, &str)> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Task(Task::Flag { before, after, .. }) => {
                Some((before.name.as_str(), after.name.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(edits, [("f", "one"), ("one", "two")]);
    let expected = ["NE1094 14 flags[1].stages[0].content"];
    assert_eq!(found(&text("one", "one")), expected);
    // Each kill switch is the whole file: two of them undo each other, unless they are one content.
    let clash = ["NE1099 14 flags[1].kill_switch"];
    assert_eq!(found(&both("one", "two", "off-two")), clash);
    assert_eq!(found(&both("one", "two", "off-again")), [""; 0]);
    let apart = both("one", "two", "off-two").replacen("file: f,", "file: g,", 1);
    assert_eq!(found(&apart), [""; 0]);
}

#[test]
fn what_the_old_version_still_uses_is_not_dropped() {
    let text = |since: &str| {
        canary(&[
            "{ traffic: 10%, pause: 30m }",
            "{ traffic: 100%, pause: 30m }",
        ]) + &format!(
            "migrations: [{{ name: drop, kind: contract, owner: ada, unused_since: {since} }}]\n\
                 rollback: {{ no_way_back: {{ accepted_by: ada, reason: dropped }} }}\n"
        )
    };
    let used = ["NE1057 14 migrations[0].unused_since"];
    for (since, expected) in [
        ("1.4.2", &[][..]),
        ("1.3.0", &[]),
        ("v1.4.1", &[]),
        ("1.4.3", &used),
        ("v1.5.0", &used),
        ("1.6.0", &used),
        ("9f3c2ab", &[]),
    ] {
        assert_eq!(found(&text(since)), expected, "{since}");
    }
}

#[test]
fn the_slowest_way_back_is_named_where_it_is_first_and_only_where_there_is_one() {
    // From every later step the way back takes as long as from the first that took an instance.
    let text = rolling("replicas: 4, spare: 1", "pause: 5m").replace("within: 2h", "within: 1m");
    let findings = checked(&text).unwrap_err();
    let slow = findings.iter().find(|it| it.code.to_string() == "NE1050");
    let plan = planned(&text.replace("within: 1m", "within: 2h"));
    let worst = plan.rollback.expected_ms;
    let first = plan.steps.iter().position(|it| it.back_within_ms == worst);
    let first = first.unwrap();
    let last = plan.steps.iter().rposition(|it| it.back_within_ms == worst);
    assert!(Some(first) < last);
    let told = format!("from step {} ({}) ", first + 1, plan.steps[first].id);
    let message = &slow.unwrap().message;
    assert!(message.starts_with(&told), "{message}");
    // Taking the old instances away makes the way back slow, but after the migration there is none.
    let text = |migration: &str| {
        canary(&[
            "{ traffic: 10%, pause: 30m }",
            "{ traffic: 100%, pause: 30m }",
        ]) + &format!("rollback: {{ within: 30s{migration} }}\n")
    };
    let slow = ["NE1050 14 rollback.within"];
    assert_eq!(found(&text("")), slow);
    let drops = text(", no_way_back: { accepted_by: ada, reason: dropped }")
        + "migrations: [{ name: drop, kind: contract, moment: after_bake, owner: ada, \
           unused_since: 1.4.2 }]\n";
    assert_eq!(found(&drops), [""; 0]);
}

#[test]
fn the_old_environment_stays_while_resolvers_know_its_name() {
    let text = |delay: &str| {
        let rest = format!(
            "strategy: {{ blue_green: {{ bake: 5m, scale_down_delay: {delay} }} }}\n\
             analysis: {{ every: 1m }}\nrollback: {{ within: 20m }}\n\
             target: {{ router: dns, dns_ttl: 10m }}\n"
        );
        document("replicas: 4, spare: 4", &rest)
    };
    assert_eq!(found(&text("10m")), [""; 0]);
    let expected = ["NE1040 7 strategy.blue_green.scale_down_delay"];
    assert_eq!(found(&text("9m")), expected);
}

#[test]
fn recreate_is_for_production_only_where_one_instance_has_room() {
    for (fleet, expected) in [
        ("replicas: 1", &[][..]),
        ("replicas: 1, spare: 1", &["NE1030 7 strategy.recreate"]),
        (
            "replicas: 2, min_healthy: 1",
            &["NE1030 7 strategy.recreate"],
        ),
    ] {
        let rest = "strategy: { recreate: { downtime: { at_most: 15m, accepted_by: ada } } }\n";
        assert_eq!(found(&document(fleet, rest)), expected, "{fleet}");
    }
}

#[test]
fn a_pause_of_any_strategy_is_long_enough_to_be_judged() {
    for (strategy, expected) in [
        (
            "blue_green: { stages: [{ traffic: 50%, pause: 1m }], bake: 90s }",
            &[
                "NE1014 7 strategy.blue_green.stages[0].pause",
                "NE1014 7 strategy.blue_green.bake",
            ][..],
        ),
        ("blue_green: {}", &[]),
        (
            "rolling: { pause: 1m, watch: 1m, waves: [{ upto: 50%, pause: 30s }] }",
            &[
                "NE1014 7 strategy.rolling.pause",
                "NE1014 7 strategy.rolling.watch",
                "NE1014 7 strategy.rolling.waves[0].pause",
            ],
        ),
        (
            "rolling: { pause: 0s, watch: 0s }",
            &["NE1019 7 strategy.rolling"],
        ),
    ] {
        let rest = format!("strategy: {{ {strategy} }}\nanalysis: {{ every: 1m }}\n");
        let text = document("replicas: 2, spare: 2", &rest);
        assert_eq!(found(&text), expected, "{strategy}");
    }
}

/// A rolling update of so many instances.
fn rolling(fleet: &str, strategy: &str) -> String {
    let rest = format!(
        "strategy: {{ rolling: {{ {strategy} }} }}\nanalysis: {{ every: 1m }}\n\
         rollback: {{ within: 2h }}\n"
    );
    document(fleet, &rest)
}

#[test]
fn few_users_meet_a_rolling_update_before_something_is_known_of_it() {
    let at = "NE1019 7 strategy.rolling";
    let alone = "max_surge: 0, max_unavailable: 1, pause: 5m";
    for (fleet, strategy, expected) in [
        // From nothing to everything at once.
        ("replicas: 1, spare: 1", "pause: 5m", at),
        ("replicas: 2, min_healthy: 1", alone, at),
        // A half, by one instance; a third, which is the least that three can give.
        ("replicas: 2, spare: 1", "pause: 5m", at),
        ("replicas: 3, min_healthy: 2", alone, at),
        ("replicas: 3, spare: 1", "pause: 5m", ""),
        // A batch of a third that could be smaller, and one of a quarter.
        ("replicas: 12, spare: 4", "max_surge: 4, pause: 5m", at),
        ("replicas: 12, spare: 3", "max_surge: 3, pause: 5m", ""),
        // Small batches, and nobody looks.
        ("replicas: 12, spare: 1", "max_surge: 1", at),
        (
            "replicas: 12, spare: 1",
            "max_surge: 1, waves: [{ upto: 6, pause: 9m }]",
            at,
        ),
        (
            "replicas: 12, spare: 1",
            "max_surge: 1, waves: [{ upto: 3, pause: 9m }]",
            "",
        ),
        (
            "replicas: 12, spare: 1",
            "pause: 5m, waves: [{ upto: 6, pause: 9m }]",
            "",
        ),
    ] {
        let found = found(&rolling(fleet, strategy));
        let expected: Vec<&str> = Some(expected)
            .into_iter()
            .filter(|it| !it.is_empty())
            .collect();
        assert_eq!(found, expected, "{fleet} {strategy}");
    }
    // Without an analysis a pause is all there is.
    let text =
        rolling("replicas: 12, spare: 1", "pause: 5m").replace("analysis: { every: 1m }", "");
    assert_eq!(found(&text), ["NE1060 1 "]);
    let text = |share: &str| {
        let rest = format!(
            "strategy: {{ blue_green: {{ stages: [{{ traffic: {share}, pause: 5m }}] }} }}\n\
             analysis: {{ every: 1m }}\n"
        );
        document("replicas: 4, spare: 4", &rest)
    };
    let expected = ["NE1019 7 strategy.blue_green.stages[0].traffic"];
    assert_eq!(found(&text("30%")), expected);
    assert_eq!(found(&text("25%")), [""; 0]);
}

#[test]
fn a_pause_of_a_planned_batch_sees_enough() {
    let less = |text: &str, rate: &str| {
        let usual = "requests_per_second: 4000";
        assert!(text.contains(usual));
        found(&text.replace(usual, rate))
    };
    let text = rolling(
        "replicas: 12, spare: 1",
        "pause: 5m, waves: [{ upto: 3, pause: 20m }], watch: 30m",
    );
    assert_eq!(less(&text, "requests_per_second: 400"), [""; 0]);
    // A twelfth of one a second for five minutes.
    let few = ["NE1015 7 strategy.rolling.pause"];
    assert_eq!(less(&text, "requests_per_second: 1")[..1], few);
    // A quarter of two a second: enough to judge, and five times the errors allowed get by.
    let large = rolling("replicas: 4, spare: 1", "pause: 5m");
    assert_eq!(less(&large, "requests_per_second: 40"), [""; 0]);
    let weak = ["NE1020 7 strategy.rolling.pause"];
    assert_eq!(less(&large, "requests_per_second: 2"), weak);
    let unknown = less(&text, "drain: 30s");
    assert_eq!(unknown, ["NE1023 6 fleet"]);
    let rest = "strategy: { blue_green: { stages: [{ traffic: 5%, pause: 5m }] } }\n\
                analysis: { every: 1m }\n";
    let text = document("replicas: 4, spare: 4", rest);
    assert_eq!(less(&text, "requests_per_second: 400"), [""; 0]);
    let few = ["NE1015 7 strategy.blue_green.stages[0].pause"];
    assert_eq!(less(&text, "requests_per_second: 1")[..1], few);
}

#[test]
fn what_is_normal_is_learnt_from_figures_however_late() {
    let late = "metrics: { error_rate: { lag: 2m, scrape: 1m, source: prometheus } }";
    for (metrics, minutes) in [("", 5), (late, 5 + 3 + 4)] {
        let rest =
            format!("strategy: {{ blue_green: {{}} }}\nanalysis: {{ every: 1m, {metrics} }}\n");
        let plan = planned(&document("replicas: 4, spare: 4", &rest));
        let baseline = plan.steps.iter().find(|step| step.id == "baseline");
        let Action::Watch { for_ms, .. } = baseline.unwrap().action else {
            unreachable!("a baseline is watched");
        };
        assert_eq!(for_ms, minutes * 60_000, "{metrics}");
    }
}

#[test]
fn shares_are_not_asked_of_a_router_that_gives_all_or_nothing() {
    let all_or_nothing = Abilities {
        granularity: Granularity::AllOrNothing,
        ..Dialect::Embedded.abilities()
    };
    for (strategy, expected) in [
        ("canary: {}", &["strategy.canary"][..]),
        ("rolling: {}", &["strategy.rolling"]),
        ("blue_green: {}", &[]),
        (
            "blue_green: { stages: [{ traffic: 50%, pause: 5m }] }",
            &["strategy.blue_green.stages"],
        ),
    ] {
        let rest = format!("strategy: {{ {strategy} }}\nanalysis: {{ every: 1m }}\n");
        let text = document("replicas: 4, spare: 4", &rest);
        let document = Document::parse("it", text.as_bytes(), &Limits::default()).unwrap();
        let facts = Facts {
            router: Some(all_or_nothing),
            ..facts()
        };
        let findings = match check(read(&document).unwrap(), facts, Some(&document)) {
            Ok(checked) => checked.findings().clone(),
            Err(findings) => findings,
        };
        let cannot = findings.iter().filter(|it| it.code.to_string() == "NE1046");
        let paths: Vec<&str> = cannot.map(|it| it.path.as_str()).collect();
        assert_eq!(paths, expected, "{strategy}");
    }
}

#[test]
fn a_router_that_counts_instances_gives_no_other_share() {
    let by_instances = Abilities {
        granularity: Granularity::Instances,
        ..Dialect::Embedded.abilities()
    };
    let canary = |steps: &[&str]| format!("canary: {{ steps: [{}] }}", steps.join(", "));
    let step = |index| format!("strategy.canary.steps[{index}].traffic");
    for (strategy, cannot, coarse) in [
        // One beside ten are 9.09 %, three 23.08 %, ten a half.
        (
            canary(&["{ traffic: 5%, pause: 9m }", "{ traffic: 100%, pause: 9m }"]),
            vec![step(0), step(1)],
            vec![],
        ),
        (
            canary(&[
                "{ traffic: 9%, pause: 9m }",
                "{ traffic: 23.08%, pause: 9m, replicas: 3 }",
                "{ traffic: 100%, pause: 9m }",
            ]),
            vec![step(2)],
            vec![step(0)],
        ),
        (
            "blue_green: { stages: [{ traffic: 10%, pause: 5m }, { traffic: 50%, pause: 5m }] }"
                .to_owned(),
            vec!["strategy.blue_green.stages[0].traffic".to_owned()],
            vec![],
        ),
        ("rolling: { pause: 5m }".to_owned(), vec![], vec![]),
    ] {
        let rest = format!("strategy: {{ {strategy} }}\nanalysis: {{ every: 1m }}\n");
        let text = document("replicas: 10, spare: 10", &rest);
        let document = Document::parse("it", text.as_bytes(), &Limits::default()).unwrap();
        let facts = Facts {
            router: Some(by_instances),
            ..facts()
        };
        let findings = match check(read(&document).unwrap(), facts, Some(&document)) {
            Ok(checked) => checked.findings().clone(),
            Err(findings) => findings,
        };
        let paths = |code: &str| -> Vec<String> {
            let found = findings.iter().filter(|it| it.code.to_string() == code);
            found.map(|it| it.path.clone()).collect()
        };
        assert_eq!(paths("NE1046"), cannot, "{strategy}");
        assert_eq!(paths("NE1047"), coarse, "{strategy}");
    }
}

#[test]
fn one_fault_does_not_hide_another_of_its_own() {
    let text = canary(&[
        "{ traffic: 50%, pause: 30m }",
        "{ traffic: 10%, pause: 30s }",
    ])
    .replace("router: traefik", "router: nosuch")
    .replace("service: shop", "service: \"\"")
        + "windows: { zone: Europe/Berlin, allow: [{ days: [sat], from: '08:00', to: '12:00' }] }\n\
           smoke: { after: missing.json }\n";
    let mut codes = found(&text);
    for code in &mut codes {
        code.truncate("NE1000".len());
    }
    codes.sort();
    assert_eq!(
        codes,
        [
            "NE1002", // the name
            "NE1011", // the ramp falls
            "NE1012", // and does not end
            "NE1014", // a pause is too short
            "NE1019", // the first step is too large
            "NE1045", // the router
            "NE1071", // the suite
            "NE1102", // closed on a Tuesday
        ]
    );
    // With a number out of its range nothing is reckoned.
    let text = text.replace("replicas: 10", "replicas: 20000");
    let codes = found(&text);
    assert!(codes.iter().any(|it| it.starts_with("NE1005")), "{codes:?}");
    assert!(codes.iter().any(|it| it.starts_with("NE1102")), "{codes:?}");
    assert!(
        !codes.iter().any(|it| it.starts_with("NE1011")),
        "{codes:?}"
    );
}

#[test]
fn an_analysis_that_no_step_asks_for_fires_no_trigger() {
    let text = |named: &str| {
        let step = format!("{{ traffic: 10%, pause: 30m{named} }}");
        canary(&[&step, "{ traffic: 100%, pause: 30m }"])
            + "analyses:\n  paid: { every: 1m, metrics: { paid: { source: prometheus } } }\n\
               rollback: { triggers: [{ metric: paid }] }\n"
    };
    assert_eq!(found(&text(", analysis: paid")), [""; 0]);
    let expected = ["NE1033 15 analyses.paid", "NE1052 16 rollback.triggers[0]"];
    assert_eq!(found(&text("")), expected);
}

#[test]
fn one_version_spelt_in_two_ways_is_one() {
    for (from, to, expected) in [
        ("v1.5.0", "1.5.0", &["NE1003 5 release.to"][..]),
        ("1.5.0+build.1", "1.5.0+build.2", &[]),
        (
            "1.5.0",
            "1.5.0-rc.1",
            &["NE1089 5 release.to", "NE1087 5 release.to"],
        ),
        ("9f3c2ab", "41d07be", &[]),
        ("2026.01.02", "2026.01.01", &[]),
    ] {
        let text = canary(&[
            "{ traffic: 10%, pause: 30m }",
            "{ traffic: 100%, pause: 30m }",
        ])
        .replace("from: 1.4.2, to: 1.5.0", &format!("from: {from}, to: {to}"));
        let mut found = found(&text);
        found.sort_by(|one, other| other.cmp(one));
        assert_eq!(found, expected, "{from} {to}");
    }
}

#[test]
fn what_is_named_is_one_line_and_no_secret() {
    let text = canary(&[
        "{ traffic: 10%, pause: 30m }",
        "{ traffic: 100%, pause: 30m }",
    ]) + "notifications: [{ on: [stuck], to: \"channel\\nforged\" }]\n\
           manual: [{ name: call, how: 'curl https://example.org/?token=5f3a9c', expect: ok }]\n\
           owner: https://ada:hunter2@example.org\n";
    assert_eq!(
        found(&text),
        [
            "NE1002 14 notifications[0].to",
            "NE1095 15 manual[0].how",
            "NE1095 16 owner",
        ]
    );
}

/// A plan with everything around it.
fn full() -> Plan {
    let text = with_baseline(&[
        "{ traffic: 5%, pause: 30m, approval: go, mirror: 10% }",
        "{ traffic: 100%, pause: 30m }",
    ]);
    planned(
        &(text
            + "roles: { lead: [ada, grace] }\napprovals: { go: { role: lead, count: 2 } }\n\
               notifications: [{ on: [waiting], to: channel }]\n\
               flags: [{ flag: a, file: f, kill_switch: off, stages: [\n  \
               { name: one, content: one, pause: 1h }, { name: two, content: two, pause: 1h }] }]\n\
               migrations: [{ name: drop, kind: contract, owner: ada, unused_since: 1.3.0 }]\n\
               rollback: { no_way_back: { accepted_by: ada, reason: dropped } }\n"),
    )
}

const fn baseline(count: u32, weight: u16) -> Action {
    Action::Task(Task::Baseline { count, weight })
}

/// Another first task for the baseline set.
fn set_baseline(plan: &mut Plan, count: u32, weight: u16) {
    let mut steps = plan.steps.iter_mut();
    let step = steps.find(|it| it.id == "scale-baseline-2");
    step.unwrap().action = baseline(count, weight);
}

/// What each step leaves, by its action.
fn settle(plan: &mut Plan) {
    for place in 0..plan.steps.len() {
        let before = plan.before(place);
        let number = u16::try_from(place).unwrap();
        plan.steps[place].target = before.after(number, &plan.steps[place].action);
    }
}

/// A step is left out, as one who does not look closely would.
fn leave_out(plan: &mut Plan, id: &str) {
    plan.steps.retain(|step| step.id != id);
    plan.rollback.no_return_from = plan.rollback.no_return_from.map(|it| it - 1);
    settle(plan);
}

#[test]
fn a_plan_that_somebody_changed_is_found_out() {
    type Change = fn(&mut Plan);
    let table: [(&str, Change); 24] = [
        ("approval \"go\" has too few people", |plan| {
            plan.approvals.get_mut("go").unwrap().people.truncate(1);
        }),
        ("approval \"go\" has too few people", |plan| {
            plan.approvals.get_mut("go").unwrap().people = vec![String::from("ada"); 2];
        }),
        ("approval \"go\" has too few people", |plan| {
            let approval = plan.approvals.get_mut("go").unwrap();
            (approval.people, approval.count) = (Vec::new(), 0);
        }),
        ("noReturnFrom", |plan| plan.rollback.no_return_from = None),
        ("noReturnFrom", |plan| {
            plan.rollback.no_return_from = Some(0);
        }),
        ("leads back", |plan| {
            let origin = plan.origin();
            plan.steps.last_mut().unwrap().back_to = Some(origin);
        }),
        ("leads back", |plan| {
            plan.steps[0].back_to.as_mut().unwrap().stable = 1;
        }),
        ("fewer users", |plan| {
            for step in &mut plan.steps {
                step.exposed = step.exposed.min(400);
            }
        }),
        ("another step has this id", |plan| {
            plan.steps[1].id = plan.steps[0].id.clone();
        }),
        ("replaces another file", |plan| {
            for step in &mut plan.steps {
                if let Action::Task(Task::Flag { before, .. }) = &mut step.action {
                    before.name = String::from("f");
                }
            }
        }),
        ("still routed or copied", |plan| {
            leave_out(plan, "mirror-none");
        }),
        ("left behind at the end", |plan| {
            plan.fleet.capacity_max += 1;
            let mut steps = plan.steps.iter_mut();
            let step = steps.find(|it| it.id == "baseline-none");
            step.unwrap().action = baseline(1, 0);
        }),
        ("before its instances are there", |plan| {
            leave_out(plan, "scale-baseline-2");
        }),
        ("cannot carry its share", |plan| set_baseline(plan, 0, 500)),
        ("more than stable's part", |plan| {
            plan.fleet.capacity_max += 10;
            set_baseline(plan, 10, 0);
            let step = plan.steps.iter_mut().find(|it| it.id == "baseline-5");
            step.unwrap().action = baseline(10, 9_501);
        }),
        ("no room for its baseline set", |plan| {
            set_baseline(plan, 10, 0);
        }),
        ("a time of", |plan| plan.fleet.warm_up_ms = u64::MAX),
        ("capacityMax", |plan| plan.fleet.capacity_max = u32::MAX),
        ("its deadline is over", |plan| {
            plan.steps.last_mut().unwrap().deadline_ms -= 1;
        }),
        ("its deadline is over", |plan| plan.fleet.drain_ms += 1),
        ("longer than it says", |plan| {
            plan.steps[1].back_within_ms -= 1;
        }),
        ("longer than it says", |plan| plan.target.dns_ttl_ms = 1),
        ("rollback.expectedMs", |plan| plan.rollback.expected_ms -= 1),
        ("it never ends", |plan| {
            for step in &mut plan.steps {
                if let Action::Watch { for_ms, .. } = &mut step.action {
                    *for_ms = u64::MAX;
                }
            }
        }),
    ];
    for (problem, change) in table {
        let mut plan = full();
        change(&mut plan);
        let told = plan.validate().unwrap_err().to_string();
        assert!(told.contains(problem), "{problem}: {told}");
    }
}

#[test]
fn more_time_than_is_needed_is_no_contradiction() {
    assert_eq!(full().validate(), Ok(()));
    // It is somebody's choice, and what is promised is no arithmetic.
    let mut slow = full();
    for step in &mut slow.steps {
        step.deadline_ms += 60_000;
        step.back_within_ms += 1;
    }
    slow.rollback.expected_ms += 1;
    slow.rollback.within_ms = 1_000;
    assert_eq!(slow.validate(), Ok(()));
}
