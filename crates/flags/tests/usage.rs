//! Counting evaluations: from many threads, over reloads and over restarts.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use allocation_counter::measure;
use nonevent_document::Timestamp;
use nonevent_flags::{Context, Dialect, FlagSet, Usage, UsageSnapshot};
use std::sync::Mutex;
use std::thread;

const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);
const THREADS: usize = 4;
const EACH: usize = 2_000;

fn set(text: &str) -> FlagSet {
    FlagSet::load("flags.json", text.as_bytes(), Dialect::Plain)
        .unwrap()
        .set
}

const FILE: &str = r#"{"flags": {"half": {"rollout_percentage": 50}, "on": true, "idle": 7, "bad": {"rollout_percentage": 500}}}"#;

fn evaluate(set: &FlagSet, usage: &Usage, shard: usize, key: &str, subject: &str, at: Timestamp) {
    let resolution = set.evaluate(key, &Context::new(subject));
    usage.record_on(shard, key, &resolution, at);
}

#[test]
fn nothing_is_lost_between_threads_and_reloads() {
    for shards in [1, THREADS] {
        let first = set(FILE);
        let current = Mutex::new((first.clone(), Usage::sharded(&first, shards)));
        thread::scope(|scope| {
            for shard in 0..THREADS {
                let current = &current;
                scope.spawn(move || {
                    for n in 0..EACH {
                        // Now and then a set is kept for a while although there is a new one.
                        let (set, usage) = current.lock().unwrap().clone();
                        for _ in 0..5 {
                            evaluate(
                                &set,
                                &usage,
                                shard,
                                "half",
                                &format!("{shard}-{n}"),
                                NOW.plus_ms(n as i64),
                            );
                            evaluate(&set, &usage, shard, "nobody", "x", NOW);
                        }
                        evaluate(&set, &usage, shard, "bad", "x", NOW);
                    }
                });
            }
            let current = &current;
            scope.spawn(move || {
                for n in 0..200 {
                    let file =
                        FILE.replace("\"idle\": 7", &format!("\"idle\": {n}, \"new-{n}\": true"));
                    let mut current = current.lock().unwrap();
                    let set = set(&file);
                    let usage = current.1.renewed(&set);
                    *current = (set, usage);
                }
            });
        });
        let (_, usage) = current.into_inner().unwrap();
        let snapshot = usage.snapshot();
        let half = &snapshot.flags["half"];
        let all = (THREADS * EACH * 5) as u64;
        assert_eq!(half.evaluations, all);
        assert_eq!(half.variants.values().sum::<u64>(), all);
        let on = half.variants["on"];
        assert!(on > all * 2 / 5 && on < all * 3 / 5, "{on} of {all}");
        assert_eq!(half.last, Some(NOW.plus_ms(EACH as i64 - 1)));
        assert_eq!(snapshot.flags["bad"].errors, (THREADS * EACH) as u64);
        assert_eq!(snapshot.flags["idle"].evaluations, 0);
        assert_eq!(snapshot.flags["idle"].last, None);
        assert_eq!(snapshot.flags.len(), 5, "{snapshot:?}");
    }
}

#[test]
fn a_snapshot_is_read_back_and_goes_on_in_the_next_process() {
    let old = set(FILE);
    let usage = Usage::new(&old);
    evaluate(&old, &usage, 0, "on", "a", NOW);
    evaluate(&old, &usage, 7, "on", "b", NOW.plus_ms(-5));
    let text = serde_json::to_string(&usage.snapshot()).unwrap();
    let read: UsageSnapshot = serde_json::from_str(&text).unwrap();
    assert_eq!(read, usage.snapshot());

    // The variant of a flag that was renamed is gone; what it counted is not.
    let new = set(r#"{"flags": {"on": "text", "more": 1}}"#);
    let next = Usage::new(&new);
    next.absorb(&read);
    let renewed = usage.renewed(&new).snapshot();
    for snapshot in [next.snapshot(), renewed] {
        assert_eq!(snapshot.flags["on"].evaluations, 2);
        assert_eq!(snapshot.flags["on"].variants["value"], 0);
        assert_eq!(snapshot.flags["on"].last, Some(NOW));
        assert!(!snapshot.flags.contains_key("half"));
    }
    // A file that says more than it can have counted adds no more than it says.
    let odd: UsageSnapshot =
        serde_json::from_str(r#"{"on": {"evaluations": 3, "variants": {"on": 9}, "errors": 9}}"#)
            .unwrap();
    let fresh = Usage::new(&old);
    fresh.absorb(&odd);
    assert_eq!(fresh.snapshot().flags["on"].evaluations, 3);

    let mut both = read.clone();
    both.extend([read]);
    assert_eq!(
        (
            both.flags["on"].evaluations,
            both.flags["on"].variants["on"]
        ),
        (4, 4)
    );
}

#[test]
fn dead_flags_are_those_not_evaluated_of_late() {
    let set = set(r#"{"flags": {"a": true, "b": true, "c": true}}"#);
    let text = r#"{"a": 3, "b": {"evaluations": 9, "last": "2026-01-01T00:00:00Z"}, "c": {"evaluations": 9, "last": "2026-03-01T00:00:00Z"}}"#;
    let snapshot: UsageSnapshot = serde_json::from_str(text).unwrap();
    let dead = |since: Option<Timestamp>| -> Vec<String> {
        let findings = set.check_usage(snapshot.counts_since(since), 30);
        findings.iter().map(|it| it.path.clone()).collect()
    };
    assert!(dead(None).is_empty());
    assert_eq!(dead("2026-02-01T00:00:00Z".parse().ok()), ["flags.b"]);
    for bad in [
        "[]",
        r#"{"a": -1}"#,
        r#"{"a": {"evaluations": 1, "lost": 2}}"#,
    ] {
        assert!(serde_json::from_str::<UsageSnapshot>(bad).is_err(), "{bad}");
    }
}

#[test]
fn recording_allocates_nothing() {
    let set = set(FILE);
    let usage = Usage::sharded(&set, 2);
    let context = Context::new("user-7");
    let info = measure(|| {
        for key in ["half", "on", "bad", "nobody"] {
            let resolution = set.evaluate(key, &context);
            usage.record(key, &resolution, NOW);
        }
    });
    assert_eq!(info.count_total, 0);
    assert_eq!(usage.snapshot().flags["on"].evaluations, 1);
}
