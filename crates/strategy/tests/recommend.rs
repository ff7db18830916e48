//! Which strategy is recommended in which situation.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use nonevent_router::{Abilities, Granularity, embedded};
use nonevent_strategy::{
    Advice, Appetite, BlockKind, Facts, MigrationKind, ReasonKind, Recommendation, RouterAbility,
    SituationFacts, Statefulness, StrategyKind, check, recommend,
};
use proptest::prelude::*;

use BlockKind as B;
use ReasonKind as R;
use StrategyKind::{BlueGreen, Canary, Recreate, Rolling};

fn of(advice: &Advice, kind: StrategyKind) -> &Recommendation {
    let mut all = advice.recommendations().iter();
    all.find(|it| it.strategy == kind).unwrap()
}

/// Facts, changed from: production, 8 instances, all needed, 8 spare, 400 requests per second.
type Change = fn(&mut SituationFacts);

fn situation(change: Change) -> SituationFacts {
    let mut facts = SituationFacts {
        spare: 8,
        requests_per_second: Some(400),
        ..SituationFacts::usual(8)
    };
    change(&mut facts);
    facts
}

/// A name, the facts, the strategies that are possible in their order, a hindrance and a reason.
type Case = (
    &'static str,
    Change,
    &'static [StrategyKind],
    Option<(StrategyKind, BlockKind)>,
    (StrategyKind, ReasonKind),
);

const CASES: &[Case] = &[
    (
        "high traffic, stateless, weights",
        |_| (),
        &[Canary, BlueGreen, Rolling],
        Some((Recreate, B::Production)),
        (Canary, R::FindsHarm),
    ),
    (
        "cautious",
        |it| it.appetite = Appetite::Cautious,
        &[Canary, BlueGreen, Rolling],
        None,
        (BlueGreen, R::LateVerdict),
    ),
    (
        "little traffic: a canary would learn nothing",
        |it| it.requests_per_second = Some(1),
        &[BlueGreen, Canary, Rolling],
        None,
        (Canary, R::Blind),
    ),
    (
        "unknown traffic is said to be unknown",
        |it| it.requests_per_second = None,
        &[Canary, BlueGreen, Rolling],
        None,
        (Canary, R::TrafficUnknown),
    ),
    (
        "a way back at once, little traffic",
        |it| {
            it.requests_per_second = Some(1);
            it.instant_rollback = true;
        },
        &[BlueGreen, Canary, Rolling],
        None,
        (Rolling, R::SlowBack),
    ),
    (
        "a name in the DNS",
        |it| it.router = RouterAbility::AllOrNothing,
        &[BlueGreen],
        Some((Rolling, B::Router)),
        (BlueGreen, R::TriedWhole),
    ),
    (
        "shares that follow the instances",
        |it| it.router = RouterAbility::Instances,
        &[BlueGreen, Rolling],
        Some((Canary, B::Router)),
        (Rolling, R::LittleCapacity),
    ),
    (
        "no spare in production",
        |it| {
            it.spare = 0;
            it.min_ready = 6;
        },
        &[Rolling],
        Some((Canary, B::Capacity)),
        (Rolling, R::LittleCapacity),
    ),
    (
        "no spare, all needed, a night of maintenance in staging",
        |it| {
            it.production = false;
            it.spare = 0;
            it.downtime_ms = 600_000;
        },
        &[Recreate],
        Some((Rolling, B::Capacity)),
        (Recreate, R::Simple),
    ),
    (
        "a few spare",
        |it| it.spare = 2,
        &[Rolling],
        Some((BlueGreen, B::Capacity)),
        (Rolling, R::KeepsNothing),
    ),
    (
        "nothing is possible without an instance to spare",
        |it| it.spare = 0,
        &[],
        Some((Rolling, B::Capacity)),
        (Recreate, R::Downtime),
    ),
    (
        "a lock that only one may hold, with downtime",
        |it| {
            it.production = false;
            (it.replicas, it.min_ready) = (1, 1);
            it.state = Statefulness::SingleWriter;
            it.downtime_ms = 600_000;
        },
        &[Recreate],
        Some((Canary, B::SingleWriter)),
        (Recreate, R::NeverTogether),
    ),
    (
        "not side by side, and less downtime than it takes",
        |it| {
            it.production = false;
            it.side_by_side = false;
            it.downtime_ms = 60_000;
        },
        &[],
        Some((Recreate, B::Downtime)),
        (Recreate, R::NeverTogether),
    ),
    (
        "staging with downtime, traffic unknown",
        |it| {
            it.production = false;
            it.requests_per_second = None;
            it.downtime_ms = 600_000;
        },
        &[BlueGreen, Recreate, Canary, Rolling],
        None,
        (Recreate, R::Simple),
    ),
    (
        "sessions and long connections",
        |it| {
            it.state = Statefulness::Sessions;
            it.long_lived = true;
        },
        &[Canary, BlueGreen, Rolling],
        None,
        (Rolling, R::Connections),
    ),
    (
        "a migration that adds",
        |it| it.migration = Some(MigrationKind::Expand),
        &[Canary, BlueGreen, Rolling],
        None,
        (Canary, R::MigrationGoesBack),
    ),
    (
        "a migration that takes away",
        |it| it.migration = Some(MigrationKind::Contract),
        &[Canary, BlueGreen, Rolling],
        None,
        (BlueGreen, R::NoCleanWayBack),
    ),
];

#[test]
fn each_situation_has_its_order() {
    for (name, change, possible, block, reason) in CASES {
        let advice = recommend(&situation(*change));
        let found: Vec<StrategyKind> = advice
            .recommendations()
            .iter()
            .filter(|it| it.is_possible())
            .map(|it| it.strategy)
            .collect();
        assert_eq!(found, *possible, "{name}\n{advice}");
        if let Some((kind, block)) = block {
            let blocks = &of(&advice, *kind).blocks;
            assert!(
                blocks.iter().any(|it| it.kind == *block),
                "{name}\n{advice}"
            );
        }
        let (kind, reason) = reason;
        let reasons = &of(&advice, *kind).reasons;
        assert!(
            reasons.iter().any(|it| it.kind == *reason),
            "{name}\n{advice}"
        );
    }
}

#[test]
fn a_lock_that_only_one_may_hold_leaves_recreate_even_where_it_is_not_allowed() {
    let facts = SituationFacts {
        state: Statefulness::SingleWriter,
        spare: 1,
        ..SituationFacts::usual(1)
    };
    let advice = recommend(&facts);
    assert_eq!(advice.first(), None);
    assert_eq!(advice.recommendations()[0].strategy, Recreate, "{advice}");
    let others = &advice.recommendations()[1..];
    for other in others {
        assert!(other.blocks.iter().any(|it| !it.kind.can_be_lifted()));
    }
}

#[test]
fn a_single_instance_without_room_beside_it_has_an_answer_with_its_price() {
    for state in [Statefulness::Stateless, Statefulness::SingleWriter] {
        let facts = SituationFacts {
            state,
            ..SituationFacts::usual(1)
        };
        let advice = recommend(&facts);
        assert_eq!(advice.first(), Some(Recreate), "{advice}");
        let first = &advice.recommendations()[0];
        let price = first.price.as_ref().unwrap();
        assert_eq!(price.downtime_ms, first.cost.closed_ms);
        assert!(price.downtime_ms > 0);
        let page = advice.to_string();
        assert!(
            page.starts_with("take recreate, if its price is accepted\n"),
            "{page}"
        );
        assert!(page.contains(price.accepted_by), "{page}");
        // What is recommended can be had: the document that it starts from passes.
        let checked = check(facts.deployment(Recreate), Facts::default(), None);
        assert!(checked.is_ok());
        for other in &advice.recommendations()[1..] {
            assert!(!other.is_possible() && other.price.is_none(), "{other}");
        }
    }
    // With room for a second one it is a canary's, and recreate is refused as before.
    let facts = SituationFacts {
        spare: 1,
        ..SituationFacts::usual(1)
    };
    let advice = recommend(&facts);
    assert_ne!(advice.first(), Some(Recreate));
    assert!(!of(&advice, Recreate).is_possible());
}

#[test]
fn no_strategy_undoes_what_a_migration_took_away() {
    for kind in [MigrationKind::Contract, MigrationKind::Reformat] {
        let mut facts = situation(|_| ());
        facts.migration = Some(kind);
        let advice = recommend(&facts);
        assert!(!advice.has_clean_way_back());
        for recommendation in advice.recommendations() {
            let mut kinds = recommendation.reasons.iter().map(|it| it.kind);
            assert!(kinds.any(|it| it == R::NoCleanWayBack), "{recommendation}");
        }
    }
    assert!(recommend(&situation(|_| ())).has_clean_way_back());
}

#[test]
fn costs_are_those_of_the_plans() {
    let advice = recommend(&situation(|_| ()));
    let cost = |kind| of(&advice, kind).cost;
    let minutes = |kind| cost(kind).expected_ms / 60_000;
    assert_eq!(StrategyKind::ALL.map(minutes), [55, 65, 20, 15]);
    let extra = StrategyKind::ALL.map(|kind| cost(kind).extra_instances);
    assert_eq!(extra, [8, 8, 2, 0]);
    let back = StrategyKind::ALL.map(|kind| cost(kind).back_watched_ms <= 60_000);
    assert_eq!(back, [true, true, false, false]);
    let exposed = StrategyKind::ALL.map(|kind| cost(kind).requests_unjudged);
    assert_eq!(exposed, [500, 10_000, 10_000, 10_000]);
    assert_eq!(cost(Canary).users_unjudged, 9_231);
    assert_eq!(cost(Canary).first_requests, Some(5_400));
    assert!(cost(Canary).found_ppm.is_some_and(|it| it < 200_000));
    let closed = StrategyKind::ALL.map(|kind| cost(kind).closed_ms);
    assert_eq!(closed, [0, 0, 0, 90_000]);
}

#[test]
fn a_router_is_known_by_how_finely_it_divides() {
    let of = |granularity| {
        RouterAbility::from(&Abilities {
            granularity,
            ..embedded::ABILITIES
        })
    };
    assert_eq!(
        RouterAbility::from(&embedded::ABILITIES),
        RouterAbility::Weights
    );
    assert_eq!(of(Granularity::Parts(256)), RouterAbility::Weights);
    assert_eq!(of(Granularity::Parts(1)), RouterAbility::AllOrNothing);
    assert_eq!(of(Granularity::Instances), RouterAbility::Instances);
    assert_eq!(of(Granularity::AllOrNothing), RouterAbility::AllOrNothing);
}

#[test]
fn two_pages() {
    let usual = recommend(&situation(|_| ()));
    let contract = recommend(&situation(|it| {
        it.migration = Some(MigrationKind::Contract);
        it.state = Statefulness::SingleWriter;
        it.router = RouterAbility::None;
        it.requests_per_second = None;
        it.spare = 0;
    }));
    insta::assert_snapshot!(format!("{usual}\n----\n{contract}"));
}

#[test]
fn facts_out_of_range_are_no_panic() {
    for replicas in [0, 1, 5_000, u32::MAX] {
        let facts = SituationFacts {
            min_ready: u32::MAX,
            spare: replicas / 2,
            requests_per_second: Some(u32::MAX),
            downtime_ms: u64::MAX,
            ..SituationFacts::usual(replicas)
        };
        assert_eq!(recommend(&facts).recommendations().len(), 4);
    }
}

fn any_facts() -> impl Strategy<Value = SituationFacts> {
    use prop::sample::select;
    let counts = (1u32..40, 0u32..40, 0u32..40, any::<[bool; 4]>());
    let kinds = (
        select(vec![
            Statefulness::Stateless,
            Statefulness::Sessions,
            Statefulness::SingleWriter,
        ]),
        select(vec![
            RouterAbility::Weights,
            RouterAbility::Instances,
            RouterAbility::AllOrNothing,
            RouterAbility::None,
        ]),
        select(vec![
            None,
            Some(MigrationKind::Backfill),
            Some(MigrationKind::Reformat),
        ]),
        select(vec![Appetite::Cautious, Appetite::Usual, Appetite::Bold]),
        select(vec![0, 1, 60_000, 600_000]),
    );
    (counts, kinds).prop_map(|((replicas, missing, spare, flags), kinds)| {
        let [production, long_lived, side_by_side, instant_rollback] = flags;
        let (state, router, migration, appetite, downtime_ms) = kinds;
        SituationFacts {
            production,
            min_ready: replicas.saturating_sub(missing).max(1),
            spare,
            requests_per_second: None,
            state,
            long_lived,
            router,
            migration,
            side_by_side,
            downtime_ms,
            appetite,
            instant_rollback,
            ..SituationFacts::usual(replicas)
        }
    })
}

proptest! {
    #[test]
    fn what_is_possible_passes_the_checks_and_scores_add_up(facts in any_facts()) {
        let advice = recommend(&facts);
        prop_assert_eq!(&advice, &recommend(&facts));
        let mut before: Option<&Recommendation> = None;
        for (place, it) in (1u8..).zip(advice.recommendations()) {
            prop_assert_eq!(it.rank, place);
            prop_assert_eq!(it.score, it.reasons.iter().map(|reason| reason.points).sum::<i32>());
            let checked = check(facts.deployment(it.strategy), Facts::default(), None);
            prop_assert!(checked.is_ok() || !it.is_possible(), "{}", it);
            if let Some(before) = before {
                prop_assert!(before.is_possible() || !it.is_possible());
                if it.is_possible() {
                    prop_assert!(before.score >= it.score);
                }
            }
            before = Some(it);
        }
    }

    #[test]
    fn more_to_spare_blocks_nothing(facts in any_facts()) {
        let more = SituationFacts { spare: facts.spare + 1, ..facts.clone() };
        let (less, more) = (recommend(&facts), recommend(&more));
        for kind in [Canary, BlueGreen, Recreate] {
            // Recreate is had for want of room, and no longer where there is some.
            let alone = kind == Recreate && facts.replicas == 1 && facts.spare == 0;
            let possible = of(&more, kind).is_possible();
            prop_assert!(alone || possible || !of(&less, kind).is_possible());
        }
    }
}
