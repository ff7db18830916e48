//! The whole comparison on rollouts of seconds: steps of 5, 25 and 50 %, eight looks each, a look
//! every half second.

use crate::world::{Service, World, rollout};

const HEAVY: Service = Service {
    stalls: 0.1,
    stalled_max: 0.5,
    ..Service::GOOD
};

/// What the canary is called, the canary, and stable.
const CASES: [(&str, Service, Service); 7] = [
    ("good, heavy stalls", HEAVY, HEAVY),
    ("20 times slower, heavy stalls", slower(20.0, &HEAVY), HEAVY),
    ("60 times slower, heavy stalls", slower(60.0, &HEAVY), HEAVY),
    ("good, 0.1 % errors, stalls", Service::GOOD, Service::GOOD),
    (
        "good, 0.4 % errors at CV 1, stalls",
        failing(0.004, 1.0),
        failing(0.004, 1.0),
    ),
    ("30 % errors", failing(0.3, 0.0), Service::GOOD),
    (
        "20 times slower",
        slower(20.0, &Service::GOOD),
        Service::GOOD,
    ),
];

const fn slower(slowdown: f64, service: &Service) -> Service {
    Service {
        slowdown,
        ..*service
    }
}

const fn failing(error_rate: f64, variation: f64) -> Service {
    Service {
        error_rate,
        variation,
        ..Service::GOOD
    }
}

pub(crate) fn print(runs: u64) {
    println!("\n### Rollouts of seconds, the default policy, {runs} runs each\n");
    println!("| canary | requests a second | failed | median | 95 of 100 by | within first step |");
    println!("|---|---|---|---|---|---|");
    for (name, canary, stable) in &CASES {
        for per_look in [150, 300] {
            let mut looks: Vec<usize> = (0..runs)
                .filter_map(|seed| rollout(&mut World::new(seed), canary, stable, per_look, 8).ok())
                .collect();
            looks.sort_unstable();
            let percent = |count: usize| 100.0 * count as f64 / runs as f64;
            let first = looks.iter().filter(|look| **look <= 8).count();
            let at = |rank: u64| match looks.get(rank as usize) {
                Some(look) => format!("{:.1} s", *look as f64 / 2.0),
                None => "–".to_owned(),
            };
            println!(
                "| {name} | {} | {:.1} % | {} | {} | {:.1} % |",
                per_look * 2,
                percent(looks.len()),
                at(runs / 2),
                at(runs * 95 / 100),
                percent(first),
            );
        }
    }
}
