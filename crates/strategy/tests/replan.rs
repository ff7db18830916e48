//! A plan meets the fleet that is there.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::collections::BTreeMap;

use nonevent_document::Percent;
use nonevent_router::Split;
use nonevent_strategy::{
    CanaryScale, Checked, CountOrPercent, Deployment, Facts, FleetState, Misfit, MisfitKind, Plan,
    Strategy, StrategyKind, check, diff, plan, plan_for, replan,
};
use proptest::prelude::*;

fn checked(kind: StrategyKind, change: impl FnOnce(&mut Deployment)) -> Checked {
    let mut deployment = Deployment::default_for(kind);
    change(&mut deployment);
    check(deployment, Facts::default(), None).unwrap()
}

fn share(basis_points: u16) -> CountOrPercent {
    CountOrPercent::Percent(Percent::from_basis_points(basis_points).unwrap())
}

#[test]
fn a_fleet_as_declared_gets_the_plan_of_the_document() {
    for kind in StrategyKind::ALL {
        let checked = checked(kind, |_| ());
        let declared = FleetState::declared(checked.deployment());
        let plan = plan(&checked);
        assert_eq!(plan.fits(&declared), Ok(()));
        assert_eq!(plan_for(&checked, &declared), Ok(plan));
    }
}

#[test]
fn another_count_is_planned_anew() {
    // Declared are 4 replicas; found, min healthy as declared, min ready and capacity then.
    let cases = [
        (5, CountOrPercent::Count(4), 5, 9),
        (2, CountOrPercent::Count(4), 2, 6),
        (5, share(10_000), 5, 9),
        (8, share(7_500), 6, 12),
        (2, share(5_000), 1, 6),
        (8, CountOrPercent::Count(3), 3, 12),
        (3, CountOrPercent::Count(3), 3, 7),
    ];
    for (found, min_healthy, min_ready, capacity) in cases {
        let checked = checked(StrategyKind::Rolling, |it| {
            it.fleet.replicas = 4;
            it.fleet.spare = 4;
            it.fleet.min_healthy = min_healthy;
        });
        let old = plan(&checked);
        let state = FleetState::all_stable(found);
        let misfit = old.fits(&state).unwrap_err();
        assert!(misfit.can_replan(), "{misfit}");
        let new = replan(&checked, &state, &old).unwrap();
        assert_eq!(new.fits(&state), Ok(()));
        assert_eq!(new.validate(), Ok(()));
        assert_eq!(new.parent, Some(old.digest().unwrap()));
        let fleet = &new.fleet;
        let numbers = (fleet.replicas, fleet.min_ready, fleet.capacity_max);
        assert_eq!(numbers, (found, min_ready, capacity), "{min_healthy:?}");
        let told = diff(&old, &new).to_string();
        assert!(
            told.contains(&format!("fleet: replicas 4 → {found}")),
            "{told}"
        );
        assert!(told.starts_with("plan: replaces none → "), "{told}");
    }
}

/// What was found, changed from what is declared.
type Found = fn(&mut FleetState);
/// A document, changed from the default.
type Document = fn(&mut Deployment);

#[test]
fn what_cannot_be_planned_around_is_refused_with_what_to_do() {
    let zones: Document = |it| it.fleet.zones = BTreeMap::from([("a".into(), 1), ("b".into(), 2)]);
    let needs_three: Document = |it| {
        it.fleet.replicas = 4;
        it.fleet.spare = 4;
        it.fleet.min_healthy = CountOrPercent::Count(3);
    };
    let own_count: Document = |it| {
        let Strategy::Canary(canary) = &mut it.strategy else {
            return;
        };
        canary.steps[3].scale = CanaryScale::Own(CountOrPercent::Count(3));
    };
    let cases: [(&str, Document, Found); 9] = [
        ("the split was not read", |_| (), |it| it.split = None),
        ("closed", |_| (), |it| it.split = Some(Split::Closed)),
        (
            "a quarter moved",
            |_| (),
            |it| {
                it.split = Split::canary(2_500);
                it.canary = 1;
                it.canary_version = Some("1.5\n".into());
            },
        ),
        ("leftovers and too few", needs_three, |it| {
            (it.canary, it.stable) = (2, 2);
        }),
        ("none", |_| (), |it| it.stable = 0),
        (
            "another version",
            |_| (),
            |it| it.stable_version = Some("1.3.0".into()),
        ),
        ("zones", zones, |it| it.stable = 2),
        ("no room for so many", |_| (), |it| it.stable = 4),
        ("too few of its own", own_count, |it| it.stable = 4),
    ];
    let mut told = String::new();
    for (name, document, found) in cases {
        let checked = checked(StrategyKind::Canary, document);
        let mut state = FleetState::declared(checked.deployment());
        found(&mut state);
        let misfit = replan(&checked, &state, &plan(&checked)).unwrap_err();
        assert!(plan(&checked).fits(&state).is_err());
        assert!(!misfit.can_replan(), "{misfit}");
        assert!(!misfit.reasons().is_empty());
        told += &format!("{name}\n  {:?}\n  {misfit}\n", misfit.kind());
    }
    insta::assert_snapshot!(told);
}

/// A plan that is about something else.
type Other = fn(&mut Plan);

#[test]
fn a_plan_replaces_only_one_of_its_own_document() {
    let checked = checked(StrategyKind::Canary, |_| ());
    let state = FleetState::declared(checked.deployment());
    let others: [Other; 4] = [
        |it| it.service.push('x'),
        |it| it.environment.push('x'),
        |it| it.release.to.push('x'),
        |it| it.strategy = StrategyKind::Rolling,
    ];
    for other in others {
        let mut parent = plan(&checked);
        other(&mut parent);
        let misfit = replan(&checked, &state, &parent).unwrap_err();
        assert_eq!(misfit.kind(), MisfitKind::OtherPlan);
    }
    let mut parent = plan(&checked);
    parent.fleet.drain_ms = u64::MAX;
    let misfit = replan(&checked, &state, &parent).unwrap_err();
    assert_eq!(misfit.kind(), MisfitKind::NoDigest);
}

proptest! {
    #[test]
    fn every_fleet_gets_a_plan_that_fits_or_a_reason(
        kind in prop::sample::select(StrategyKind::ALL.to_vec()),
        stable in 0u32..12, canary in 0u32..3, weight in prop::option::of(0u16..3),
    ) {
        let checked = checked(kind, |_| ());
        let state = FleetState {
            canary,
            split: weight.and_then(Split::canary),
            ..FleetState::all_stable(stable)
        };
        let found: Result<Plan, Misfit> = plan_for(&checked, &state);
        match found {
            Ok(plan) => {
                prop_assert_eq!(plan.fits(&state), Ok(()));
                prop_assert_eq!(plan.validate(), Ok(()));
                prop_assert_eq!((canary, weight), (0, Some(0)));
            }
            Err(misfit) => {
                prop_assert!(misfit.kind() != MisfitKind::OtherCount);
                prop_assert!(plan(&checked).fits(&state).is_err());
            }
        }
    }
}
