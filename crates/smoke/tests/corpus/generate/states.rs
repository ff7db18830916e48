//! The state of a service, of a machine or of work that goes on, as JSON.

use serde_json::{Value as Json, json};

use super::moment::{FORMS, Moment};
use super::{Answer, Shape, past};
use crate::marks::Kind;

/// `null` at some times and a number at others.
fn reading(at: &mut Moment) -> Json {
    let value = match at.noise.chance(50) {
        true => Json::Null,
        false => at.noise.between(1, 900).into(),
    };
    at.value(Kind::Choice, value)
}

pub(super) const SHAPES: &[(&str, Shape)] = &[
    ("health", |stable, at| {
        let mut checks = Vec::new();
        for _ in 0..3 + stable.below(5) {
            checks.push(
                json!({ "name": stable.word(), "status": "up", "critical": stable.chance(50),
                "took_ms": at.fraction(100, 40_000, 1_000), "checked_at": at.when(1) }),
            );
        }
        let uptime = at.ms / 1_000 - 1_771_990_000;
        Answer::json(
            json!({ "status": "pass", "checks": checks, "uptime_s": at.value(Kind::Count, uptime), "release": stable.hex(7) }),
        )
    }),
    ("health by component", |stable, at| {
        let mut components = json!({});
        for _ in 0..3 + stable.below(3) {
            let free = at.number(Kind::Measure, 100_000, 900_000_000);
            components[stable.word()] = json!({ "status": "UP", "details": { "free": free, "total": stable.between(1, 9) * 1_000_000_000, "path": "/" } });
        }
        Answer::json(
            json!({ "status": "UP", "components": components, "groups": ["liveness", "readiness"] }),
        )
    }),
    ("health without noise", |stable, _| {
        Answer::json(
            json!({ "status": "ok", "database": "ok", "queue": "ok", "version": format!("1.{}.{}", stable.below(9), stable.below(9)) }),
        )
    }),
    ("load", |stable, at| {
        let used = at.number(Kind::Measure, 1_000_000, 9_000_000_000);
        Answer::json(json!({
            "load": [at.fraction(1, 900, 100), at.fraction(1, 900, 100), at.fraction(1, 900, 100)], "cores": stable.between(1, 64),
            "memory": { "used": used, "total": 16_777_216_000_i64, "swap": 0 }, "host": stable.word(), "kernel": stable.words(1),
        }))
    }),
    ("counters", |stable, at| {
        let mut values = json!({});
        for _ in 0..4 + stable.below(6) {
            let count = at.counter(stable.between(0, 500_000));
            values[format!("{}_total", stable.word())] = at.value(Kind::Count, count);
        }
        Answer::json(
            json!({ "counters": values, "limits": { "open": stable.between(10, 900), "idle": stable.between(1, 9) }, "since": past(stable) }),
        )
    }),
    ("small counts", |stable, at| {
        Answer::json(
            json!({ "online": at.number(Kind::Measure, 0, 40), "waiting": at.number(Kind::Measure, 0, 9), "room": stable.word(), "seats": stable.between(10, 60) }),
        )
    }),
    ("workers", |stable, at| {
        let mut workers = Vec::new();
        for n in 0..6 + stable.below(7) {
            let state = at.pick(&["idle", "busy", "draining"]);
            workers.push(json!({ "name": format!("worker-{n}"), "state": state, "zone": stable.word(), "jobs": at.number(Kind::Measure, 0, 60) }));
        }
        Answer::json(
            json!({ "workers": workers, "queue": at.number(Kind::Measure, 0, 5_000), "max": stable.between(20, 90) }),
        )
    }),
    ("sensors", |stable, at| {
        let mut sensors = Vec::new();
        for _ in 0..6 + stable.below(6) {
            sensors.push(json!({ "sensor": stable.word(), "last": reading(at), "unit": "ms", "model": stable.word() }));
        }
        Answer::json(json!({ "sensors": sensors, "place": stable.words(2) }))
    }),
    ("progress", |stable, at| {
        let done = at.noise.between(1, 99);
        Answer::json(
            json!({ "job": stable.uuid(), "state": "running", "percent": at.value(Kind::Measure, done),
            "eta": at.when(stable.below(FORMS)), "steps": [stable.word(), stable.word(), stable.word()], "retries": 0 }),
        )
    }),
    ("rates and shares", |stable, at| {
        let share = |at: &mut Moment| at.fraction(1, 9_999, 10_000);
        Answer::json(
            json!({ "cache": { "hit_share": share(at), "size": stable.between(100, 999), "policy": "lru" }, "errors": { "share": share(at), "budget": 0.001 }, "window_s": 60 }),
        )
    }),
    ("prices of a market", |stable, at| {
        let mut quotes = Vec::new();
        for _ in 0..4 + stable.below(4) {
            let price = at.fraction_text(10_000, 99_999, 100);
            quotes.push(json!({ "symbol": stable.word().to_uppercase(), "bid": price, "ask": at.fraction(10_000, 99_999, 100), "currency": "EUR", "lot": stable.between(1, 100) }));
        }
        Answer::json(json!({ "quotes": quotes, "delay_s": 15, "at": at.when(6) }))
    }),
    ("build", |stable, at| {
        Answer::json(
            json!({ "version": "2.1.0", "revision": stable.hex(40), "built": past(stable), "go": "1.22", "pid": at.number(Kind::Measure, 1_000, 60_000),
            "host": format!("web-{}", at.hex(10)), "features": { stable.word(): true, stable.word(): false } }),
        )
    }),
    ("one of several nodes", |stable, at| {
        let node = at.pick(&["web-1", "web-2", "web-3", "web-4", "web-5", "web-6"]);
        let mut answer =
            Answer::json(json!({ "served_by": node, "app": stable.word(), "replicas": 6 }));
        answer.headers.push(("x-served-by", node));
        answer
    }),
    ("experiment", |stable, at| {
        let variant = at.pick(&["control", "treatment"]);
        Answer::json(
            json!({ "variant": variant, "name": stable.word(), "share": 0.5, "steps": [stable.word(), stable.word()] }),
        )
    }),
    ("captcha", |stable, at| {
        let image = at.token(300);
        Answer::json(
            json!({ "challenge": at.hex(32), "image": format!("data:image/png;base64,{image}"), "width": stable.between(100, 300), "height": 60 }),
        )
    }),
    ("quota", |stable, at| {
        let reset = at.ms / 1_000 + 600;
        let left = 1_000 - at.count % 900;
        Answer::json(
            json!({ "resources": { "core": { "limit": 5_000, "remaining": at.value(Kind::Count, left), "reset": at.value(Kind::Time, reset) },
            "search": { "limit": 30, "remaining": 30 } }, "plan": stable.word() }),
        )
    }),
];
