//! The search against itself: without its reductions, without its store, and against its list of
//! faults.

extern crate std;

use alloc::vec::Vec;
use std::collections::{BTreeSet, HashSet};

use nonevent_strategy::{ConnectionPolicy, Deployment, Facts, Plan, StrategyKind, check, plan};

use super::event::FAULTS;
use super::search::{Found, Search};
use super::world::Node;
use super::{ProofLimits, Rules};

fn default_plan(kind: StrategyKind) -> Plan {
    plan(&check(Deployment::default_for(kind), Facts::default(), None).unwrap())
}

/// Every state within the bound on faults, found without the search's own means.
fn all_states(plan: &Plan, faults: u8, mut seen: impl FnMut(&Node)) -> HashSet<Node> {
    let start = Search::new(plan, &Rules, faults).start();
    let mut known = HashSet::from([start.clone()]);
    let mut open = Vec::from([start]);
    let mut events = Vec::new();
    while let Some(node) = open.pop() {
        seen(&node);
        events.clear();
        node.events(plan, faults, &mut events);
        for event in &events {
            let transition = node.after(plan, &Rules, *event);
            assert_eq!(transition.broken, None);
            if known.insert(transition.node.clone()) {
                open.push(transition.node);
            }
        }
    }
    known
}

#[test]
fn the_reduced_search_finds_what_there_is() {
    for kind in StrategyKind::ALL {
        let plan = default_plan(kind);
        let all = all_states(&plan, 1, |_| {});
        let mut search = Search::new(&plan, &Rules, 1);
        search.reduced = false;
        assert!(matches!(search.run(ProofLimits::default()), Found::Nothing));
        assert_eq!(search.states(), all.len() as u64, "{kind}");

        let reduced: HashSet<Node> = all
            .into_iter()
            .map(|mut node| {
                node.forget_why();
                node
            })
            .collect();
        let mut search = Search::new(&plan, &Rules, 1);
        assert!(matches!(search.run(ProofLimits::default()), Found::Nothing));
        assert_eq!(search.states(), reduced.len() as u64, "{kind}");
    }
}

#[test]
fn what_is_said_to_go_wrong_goes_wrong_and_nothing_else() {
    let mut happened = BTreeSet::new();
    let mut recreate = default_plan(StrategyKind::Recreate);
    recreate.fleet.connections = ConnectionPolicy::RideOut;
    let windows = r#"{"zone": "UTC", "on_window_close": "pause",
        "allow": [{"days": ["mon"], "from": "08:00", "to": "18:00"}]}"#;
    recreate.windows = Some(serde_json::from_str(windows).unwrap());
    let mut events = Vec::new();
    all_states(&recreate, 2, |node| {
        events.clear();
        node.events(&recreate, 2, &mut events);
        happened.extend(
            events
                .iter()
                .filter_map(|event| event.fault(node.pending())),
        );
    });
    assert_eq!(happened, (0..FAULTS.len()).collect());
}

#[test]
fn a_search_stops_at_its_limit() {
    let plan = default_plan(StrategyKind::Canary);
    let mut search = Search::new(&plan, &Rules, 2);
    let limits = ProofLimits { states_max: 10_000 };
    assert!(matches!(search.run(limits), Found::TooMany));
    assert!(search.states() < 10_100);
}
