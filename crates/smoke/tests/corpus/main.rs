//! The judge's corpus of comparisons: made-up services and answers recorded from nginx, HAProxy,
//! Prometheus and Caddy over seconds and over minutes. Rules were found on services of the same
//! shapes and on the recordings; the services here are of other seeds.
//!
//! What makes the noise marks it, and what injects changes keeps to the places without a mark. None
//! of it has any code or rule in common with what learns the noise.

mod generate;
mod inject;
mod marks;
mod places;
mod recorded;
mod rng;
mod tally;

use std::sync::LazyLock;

use nonevent_smoke::{Difference, Noise, Response};

use crate::inject::{gross, inject};
use crate::marks::Kind;
use crate::places::Places;
use crate::rng::Rng;
use crate::tally::Tally;

/// One thing that can be asked, and what it answered each time.
struct Endpoint {
    name: String,
    source: String,
    answers: Vec<Response>,
    /// Where each answer may be changed.
    places: Vec<Places>,
    /// What moved in each answer, in the order in which it was made; nothing for recorded ones.
    made: Vec<Vec<(Kind, String)>>,
    /// Whether the server tosses a coin, of which two answers can show one side only.
    is_by_chance: bool,
}

/// Made-up services of each shape.
const PER_SHAPE: u64 = 4;
/// Changes tried in each endpoint, some of which have no place in it.
const INJECTIONS: usize = 16;
/// Gross changes tried in each endpoint.
const GROSS: usize = 4;

static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
    let mut all = generate::endpoints(PER_SHAPE);
    all.extend(recorded::endpoints());
    all
});

#[test]
fn the_corpus_is_as_large_as_it_says() {
    let all = &*ENDPOINTS;
    let answers = |is: &dyn Fn(&Endpoint) -> bool| -> usize {
        let fit = all.iter().filter(|it| is(it));
        fit.map(|it| it.answers.len()).sum()
    };
    let made_up = answers(&|it| it.source == "made up");
    let recorded = answers(&|it| it.source != "made up");
    println!(
        "{} shapes, {} endpoints, {made_up} made-up and {recorded} recorded answers",
        generate::shape_count(),
        all.len()
    );
    assert!(all.len() >= 700 && made_up >= 2_500 && recorded >= 900);
    for server in ["nginx", "haproxy", "prometheus", "caddy"] {
        assert!(answers(&|it| it.source == server) >= 60, "{server}");
    }
    for it in all {
        assert_eq!(it.answers.len(), it.places.len(), "{}", it.name);
    }
}

/// Which answers are the old version's two, and which are the new one's.
fn choices(endpoint: &Endpoint) -> Vec<([usize; 2], Vec<usize>)> {
    if endpoint.source == "made up" {
        return vec![
            ([0, 1], vec![2]),
            ([1, 2], vec![3]),
            ([2, 4], vec![3]),
            ([0, 4], vec![5]),
        ];
    }
    let all = 0..endpoint.answers.len();
    let mut found = Vec::new();
    for a in all.clone() {
        for b in all.clone().filter(|b| *b != a) {
            let new = all.clone().filter(|new| *new != a && *new != b);
            found.push(([a, b], new.collect()));
        }
    }
    found
}

fn learned(endpoint: &Endpoint, old: [usize; 2]) -> Noise {
    Noise::learn(&old.map(|at| endpoint.answers[at].clone()))
}

/// Whether something differs in the new answer that was the same in both old ones and whose form
/// does not say that it moves: no rule could tell it from a change.
fn is_blind(endpoint: &Endpoint, [a, b]: [usize; 2], new: usize) -> bool {
    if endpoint.source != "made up" {
        let [a, b, new] = [a, b, new].map(|at| &endpoint.answers[at]);
        return endpoint.is_by_chance || recorded::moves_unseen([a, b], new);
    }
    let [a, b, new] = [a, b, new].map(|at| &endpoint.made[at]);
    if a.len() != b.len() || a.len() != new.len() {
        return a.len() == b.len();
    }
    (0..a.len()).any(|at| {
        let shows_itself = matches!(a[at].0, Kind::Time | Kind::Id);
        !shows_itself && a[at] == b[at] && new[at] != a[at]
    })
}

/// What is said of a new answer once the old version was asked up to three times more, as
/// `CompareRule::confirmations` has it.
fn confirmed(endpoint: &Endpoint, [a, b]: [usize; 2], new: usize) -> Vec<Difference> {
    let more = (0..endpoint.answers.len()).filter(|at| ![a, b, new].contains(at));
    let mut old = vec![endpoint.answers[a].clone(), endpoint.answers[b].clone()];
    let mut found = Noise::learn(&old).compare(&endpoint.answers[new]);
    for at in more.take(3) {
        if found.is_empty() {
            break;
        }
        old.push(endpoint.answers[at].clone());
        found = Noise::learn(&old).compare(&endpoint.answers[new]);
    }
    found
}

#[test]
fn an_unchanged_version_is_called_different_in_one_of_a_hundred_at_most() {
    let mut alarms = Tally::new("false alarms");
    let mut blind = Tally::new("alarms where two answers cannot show what moves");
    let mut all = Tally::new("false alarms of all, the old version asked again up to thrice");
    let mut orders = Tally::new("false alarms in recorded answers, by when the new one was asked");
    for endpoint in &*ENDPOINTS {
        for (old, all_new) in choices(endpoint) {
            let noise = learned(endpoint, old);
            for new in all_new {
                let found = noise.compare(&endpoint.answers[new]);
                let said = found.first().map(|it| format!("{it:?}"));
                let tally = match is_blind(endpoint, old, new) {
                    true => &mut blind,
                    false => &mut alarms,
                };
                tally.add(&endpoint.source, &endpoint.name, said.as_deref());
                let found = said.and_then(|_| confirmed(endpoint, old, new).into_iter().next());
                let said = found.map(|it| format!("{it:?}"));
                all.add(&endpoint.source, &endpoint.name, said.as_deref());
                if endpoint.source != "made up" {
                    let order = match old {
                        [a, b] if new > a && new > b => "after both",
                        [a, b] if new < a && new < b => "before both",
                        _ => "between them",
                    };
                    orders.add(order, &endpoint.name, said.as_deref());
                }
            }
        }
    }
    blind.print();
    orders.print();
    all.print();
    all.print_worst();
    alarms.print();
    alarms.print_worst();
    assert!(alarms.of() >= 1_000, "too few were judged");
    // Most endpoints have two more answers to confirm by, and not three.
    assert!(all.percent() <= 1.5, "{:.2} % of all", all.percent());
    assert!(alarms.percent() <= 1.0, "{:.2} %", alarms.percent());
}

/// Some changes of each endpoint, and which of them were missed. An answer that is called different
/// without a change has no part in it.
fn tried(
    times: usize,
    change: fn(&Response, &Places, &mut Rng) -> Option<inject::Injected>,
    by_kind: &mut Tally,
    by_source: &mut Tally,
) {
    for (number, endpoint) in (0..).zip(&*ENDPOINTS) {
        let mut rng = Rng::new(number + 7_700_000);
        let choices = choices(endpoint);
        let mut judges = Vec::new();
        for turn in 0..3 {
            let (old, new) = &choices[turn * choices.len() / 3];
            let (noise, new) = (learned(endpoint, *old), new[0]);
            if noise.compare(&endpoint.answers[new]).is_empty() {
                judges.push((noise, new));
            }
        }
        if judges.is_empty() {
            continue;
        }
        for turn in 0..times {
            let (noise, new) = &judges[turn % judges.len()];
            let Some(it) = change(&endpoint.answers[*new], &endpoint.places[*new], &mut rng) else {
                continue;
            };
            let is_missed = noise.compare(&it.response).is_empty();
            let missed = is_missed.then_some(it.what.as_str());
            by_kind.add(it.kind, &endpoint.name, missed);
            by_source.add(&endpoint.source, &endpoint.name, missed);
        }
    }
}

/// Otherwise a change would be found by how it is written.
#[test]
fn json_that_is_only_written_otherwise_is_the_same() {
    let mut tally = Tally::new("JSON that was only written otherwise and called different");
    for endpoint in &*ENDPOINTS {
        let ([a, b], new) = &choices(endpoint)[0];
        let noise = learned(endpoint, [*a, *b]);
        let mut response = endpoint.answers[new[0]].clone();
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(&response.body) else {
            continue;
        };
        if !noise.compare(&response).is_empty() {
            continue;
        }
        response.body = serde_json::to_vec_pretty(&value).expect("JSON is written");
        let found = noise.compare(&response);
        let said = found.first().map(|it| format!("{it:?}"));
        tally.add(&endpoint.source, &endpoint.name, said.as_deref());
    }
    tally.print();
    tally.print_worst();
    assert!(tally.of() >= 200 && tally.percent() == 0.0);
}

#[test]
fn ninety_nine_of_a_hundred_changes_are_found() {
    let mut by_kind = Tally::new("changes missed, by kind");
    let mut by_source = Tally::new("changes missed, by source");
    tried(INJECTIONS, inject, &mut by_kind, &mut by_source);
    by_source.print();
    by_kind.print();
    by_kind.print_worst();
    assert!(by_kind.of() >= 5_000, "{} were injected", by_kind.of());
    assert!(by_kind.percent() <= 1.0, "{:.2} %", by_kind.percent());
}

#[test]
fn gross_changes_of_what_moves_are_counted() {
    let mut by_kind = Tally::new("gross changes at moving places missed, by kind");
    let mut by_source = Tally::new("gross changes at moving places missed, by source");
    tried(GROSS, gross, &mut by_kind, &mut by_source);
    by_source.print();
    by_kind.print();
    assert!(by_kind.of() >= 500, "{} were injected", by_kind.of());
}
