//! How it grows with the number of flags: evaluating one of many, and reading many.

use super::{ROUNDS, SUBJECTS, median};
use crate::engines;
use crate::random::Dice;
use nonevent_flags::{Context, Dialect};
use serde_json::{Map, Value as Json, json};
use std::hint::black_box;
use std::time::Instant;

/// Evaluates flags at random among few and many.
pub(super) fn sizes() {
    println!(
        "| Unleash's features, each a 50 % rollout | ours, ns per evaluation of one at random |"
    );
    println!("|---:|---:|");
    let subjects: Vec<String> = (0..SUBJECTS).map(|at| format!("user-{at}")).collect();
    let contexts: Vec<Context<'_>> = subjects.iter().map(|key| Context::new(key)).collect();
    for count in [10, 1000, 100_000] {
        let set = engines::ours(&features(count, rollout), Dialect::Unleash);
        let mut dice = Dice::new(1);
        let keys: Vec<String> = (0..4096)
            .map(|_| format!("feature-{}", dice.below(count)))
            .collect();
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for (at, key) in keys.iter().enumerate() {
                black_box(set.bool(key, false, &contexts[at % SUBJECTS]));
            }
            rounds.push(start.elapsed().as_nanos() as f64 / keys.len() as f64);
        }
        println!("| {count} | {:.1} |", median(rounds));
    }
}

/// Reads 10 000 flags of each form.
pub(super) fn loading() {
    println!("| 10 000 flags | MB | ours, ms | peer | peer, ms |");
    println!("|---|---:|---:|---|---:|");
    let peer = |text: &str| {
        black_box(engines::yggdrasil(text).is_some());
    };
    let count = 10_000;
    load(
        "Unleash, rollouts",
        Dialect::Unleash,
        &features(count, rollout),
        "Yggdrasil",
        peer,
    );
    load(
        "Unleash, a pattern each",
        Dialect::Unleash,
        &features(count, pattern),
        "Yggdrasil",
        peer,
    );
    load(
        "UFC, rollouts",
        Dialect::Ufc,
        &ufc(count),
        "eppo_core",
        |text| {
            black_box(engines::eppo(text).is_some());
        },
    );
    load(
        "LaunchDarkly, rollouts",
        Dialect::LaunchDarkly,
        &launchdarkly(count),
        "rust-server-sdk-evaluation",
        |text| {
            black_box(serde_json::from_str::<engines::LaunchDarklyStore>(text).is_ok());
        },
    );
    load(
        "flagd, fractional",
        Dialect::Flagd,
        &flagd(count),
        "flagd-evaluation-engine, compiles nothing",
        |text| {
            black_box(flagd_evaluation_engine::FlagParser::parse_string(text).is_ok());
        },
    );
}

fn load(what: &str, dialect: Dialect, text: &str, peer: &str, theirs: impl Fn(&str)) {
    let (mut our_rounds, mut their_rounds) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        our_rounds.push(milliseconds(|| {
            drop(black_box(engines::ours(text, dialect)))
        }));
        their_rounds.push(milliseconds(|| theirs(text)));
    }
    println!(
        "| {what} | {:.1} | {:.0} | {peer} | {:.0} |",
        text.len() as f64 / 1e6,
        median(our_rounds),
        median(their_rounds)
    );
}

fn milliseconds(what: impl FnOnce()) -> f64 {
    let start = Instant::now();
    what();
    start.elapsed().as_secs_f64() * 1e3
}

fn features(count: usize, strategy: fn(usize) -> Json) -> String {
    let feature = |at: usize| {
        json!({
            "name": format!("feature-{at}"), "type": "release", "enabled": true, "stale": false,
            "project": "default", "impressionData": false, "strategies": [strategy(at)], "variants": [],
        })
    };
    json!({"version": 2, "features": (0..count).map(feature).collect::<Vec<_>>()}).to_string()
}

fn rollout(at: usize) -> Json {
    json!({"name": "flexibleRollout", "constraints": [], "parameters": {
        "rollout": "50", "stickiness": "default", "groupId": format!("feature-{at}")}})
}

fn pattern(at: usize) -> Json {
    json!({"name": "default", "constraints": [
        {"contextName": "email", "operator": "REGEX", "value": format!("^[a-z]+{at}@shop\\.example$")}]})
}

fn ufc(count: usize) -> String {
    let flags = by_key(count, |key| {
        json!({
            "key": key, "enabled": true, "variationType": "BOOLEAN", "totalShards": 10_000,
            "variations": {"on": {"key": "on", "value": true}, "off": {"key": "off", "value": false}},
            "allocations": [{"key": "some", "doLog": true, "splits": [
                {"variationKey": "on", "shards": [{"salt": key, "ranges": [{"start": 0, "end": 5000}]}]},
                {"variationKey": "off", "shards": [{"salt": key, "ranges": [{"start": 5000, "end": 10_000}]}]}]}],
        })
    });
    json!({"createdAt": "2026-01-01T00:00:00Z", "format": "SERVER", "environment": {"name": "test"}, "flags": flags})
        .to_string()
}

fn launchdarkly(count: usize) -> String {
    let flags = by_key(count, |key| {
        json!({
            "key": key, "version": 1, "on": true, "salt": "salt", "variations": [true, false], "offVariation": 1,
            "targets": [], "prerequisites": [], "rules": [], "fallthrough": {"rollout": {"variations": [
                {"variation": 0, "weight": 50_000}, {"variation": 1, "weight": 50_000}]}},
        })
    });
    json!({"flags": flags}).to_string()
}

fn flagd(count: usize) -> String {
    let flags = by_key(count, |_| {
        json!({
            "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
            "targeting": {"fractional": [["on", 50], ["off", 50]]},
        })
    });
    json!({"flags": flags}).to_string()
}

fn by_key(count: usize, flag: impl Fn(&str) -> Json) -> Map<String, Json> {
    let keys = (0..count).map(|at| format!("flag-{at}"));
    keys.map(|key| (key.clone(), flag(&key))).collect()
}
