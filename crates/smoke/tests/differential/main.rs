//! How much of what is changed in an answer is found, and how often something is said of one that
//! was not changed: on made-up services and on recorded answers of nginx, HAProxy, Prometheus and
//! Caddy.

mod generate;
mod inject;
mod recorded;
mod rng;

use std::collections::BTreeMap;

use nonevent_smoke::{Noise, Response};

use crate::inject::inject;
use crate::rng::Rng;

/// One thing that can be asked, and what it answered each time.
struct Endpoint {
    name: String,
    source: String,
    answers: Vec<Response>,
}

/// Made-up services.
const GENERATED: u64 = 304;
/// Changes tried in each endpoint.
const INJECTIONS: usize = 24;
/// What is shown of what went wrong.
const SHOWN_MAX: usize = 40;

#[derive(Default)]
struct Share {
    of: usize,
    wrong: usize,
}

impl Share {
    fn add(&mut self, is_wrong: bool) {
        self.of += 1;
        self.wrong += usize::from(is_wrong);
    }

    fn percent(&self) -> f64 {
        100.0 * self.wrong as f64 / self.of.max(1) as f64
    }
}

fn table(title: &str, shares: &BTreeMap<String, Share>) -> Share {
    let mut all = Share::default();
    println!("{title}");
    for (name, share) in shares {
        all.of += share.of;
        all.wrong += share.wrong;
        println!(
            "  {:>5} of {:>5} ({:>5.2} %)  {name}",
            share.wrong,
            share.of,
            share.percent()
        );
    }
    println!(
        "  {:>5} of {:>5} ({:>5.2} %)  in all",
        all.wrong,
        all.of,
        all.percent()
    );
    all
}

fn endpoints() -> Vec<Endpoint> {
    let mut all = recorded::endpoints();
    all.extend(generate::endpoints(0..GENERATED));
    all
}

#[test]
fn the_corpus_is_as_large_as_it_says() {
    let all = endpoints();
    let count = |of: &dyn Fn(&Endpoint) -> bool| -> usize {
        all.iter()
            .filter(|it| of(it))
            .map(|it| it.answers.len())
            .sum()
    };
    let generated = count(&|it| it.source == "generated");
    let recorded = count(&|it| it.source != "generated");
    println!("{generated} generated and {recorded} recorded answers");
    assert!(generated + recorded >= 1_000 && recorded >= 200);
    for server in ["nginx", "haproxy", "prometheus", "caddy"] {
        assert!(count(&|it| it.source == server) >= 40, "{server}");
    }
}

/// Which of an endpoint's answers are the old version's two and which the new one's: the new one is
/// asked between the two, or after both.
fn choices(endpoint: &Endpoint) -> Vec<[usize; 3]> {
    if endpoint.source == "generated" {
        return vec![[0, 1, 2], [3, 4, 5], [1, 3, 2], [5, 7, 6]];
    }
    let last = endpoint.answers.len();
    let mut found = Vec::new();
    for first in 0..last {
        for second in first + 1..last {
            for third in second + 1..last {
                found.extend([[first, second, third], [first, third, second]]);
            }
        }
    }
    found
}

#[test]
fn an_unchanged_version_is_called_different_in_one_of_a_hundred_at_most() {
    let mut shares: BTreeMap<String, Share> = BTreeMap::new();
    let mut shown = 0;
    for endpoint in endpoints() {
        let mut is_shown = false;
        for [a, b, new] in choices(&endpoint) {
            let at = |at: usize| endpoint.answers[at].clone();
            let found = Noise::learn(&[at(a), at(b)]).compare(&at(new));
            if !found.is_empty() && !is_shown && shown < SHOWN_MAX {
                is_shown = true;
                shown += 1;
                println!("{}: {:?}", endpoint.name, &found[0]);
            }
            shares
                .entry(endpoint.source.clone())
                .or_default()
                .add(!found.is_empty());
        }
    }
    let all = table("false alarms", &shares);
    assert!(all.of >= 1_000 && all.percent() <= 1.0);
}

#[test]
fn ninety_nine_of_a_hundred_changes_are_found() {
    let (mut by_kind, mut by_source) = (BTreeMap::new(), BTreeMap::new());
    let mut shown = 0;
    for (number, endpoint) in endpoints().iter().enumerate() {
        let mut rng = Rng::new(number as u64 + 77_000);
        let choices = choices(endpoint);
        let learned: Vec<(Noise, &Response)> = (0..4)
            .map(|turn| {
                let [a, b, new] = choices[turn * choices.len() / 4];
                let old = [a, b].map(|at| endpoint.answers[at].clone());
                (Noise::learn(&old), &endpoint.answers[new])
            })
            .collect();
        for turn in 0..INJECTIONS {
            let (noise, base) = &learned[turn % learned.len()];
            let Some(injected) = inject(base, &endpoint.answers, &mut rng) else {
                continue;
            };
            let missed = noise.compare(&injected.response).is_empty();
            if missed && shown < SHOWN_MAX {
                shown += 1;
                println!("{}: {} {}", endpoint.name, injected.kind, injected.what);
            }
            let kind: &mut Share = by_kind.entry(injected.kind.to_owned()).or_default();
            kind.add(missed);
            let source: &mut Share = by_source.entry(endpoint.source.clone()).or_default();
            source.add(missed);
        }
    }
    table("changes missed, by source", &by_source);
    let all = table("changes missed, by kind", &by_kind);
    assert!(all.of >= 5_000 && all.percent() <= 1.0);
}
