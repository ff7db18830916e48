//! Lists and maps as JSON.

use serde_json::{Map, Value as Json, json};

use super::documents::ware;
use super::moment::{FORMS, Moment};
use super::{Answer, Shape, past};
use crate::marks::{Kind, mark_json};
use crate::rng::Rng;

fn wares(stable: &mut Rng, at_least: usize, more: usize) -> Vec<Json> {
    (0..at_least + stable.below(more))
        .map(|_| ware(stable))
        .collect()
}

/// A list of a length that moves, of which every answer makes its own part.
pub(super) fn varying(
    at: &mut Moment,
    low: i64,
    high: i64,
    item: impl Fn(&mut Rng) -> Json,
) -> Json {
    let count = at.noise.between(low, high);
    let items: Json = (0..count).map(|_| item(&mut at.noise)).collect();
    at.made.push((Kind::Length, count.to_string()));
    mark_json(Kind::Length, items)
}

pub(super) const SHAPES: &[(&str, Shape)] = &[
    ("page of a list", |stable, at| {
        let (offset, items) = (20 * stable.below(9), wares(stable, 3, 8));
        Answer::json(json!({
            "items": items, "total": stable.between(200, 900), "offset": offset, "limit": 20,
            "next": format!("/wares?cursor={}", at.token(28)), "generated_at": at.when(stable.below(FORMS)),
        }))
    }),
    ("page without noise", |stable, _| {
        let items = wares(stable, 2, 9);
        Answer::json(
            json!({ "items": items, "page": 1, "pages": stable.between(1, 40), "first": "/wares?page=1" }),
        )
    }),
    ("bare list", |stable, _| {
        Answer::json((0..4 + stable.below(9)).map(|_| stable.word()).collect())
    }),
    ("list in any order", |stable, at| {
        let items = wares(stable, 4, 8);
        let items = at.shuffled(items);
        Answer::json(json!({ "wares": mark_json(Kind::Order, items.into()), "currency": "SEK" }))
    }),
    ("short list in any order", |stable, at| {
        let items = (0..3).map(|_| Json::from(stable.word())).collect();
        let items = at.shuffled(items);
        Answer::json(
            json!({ "hosts": mark_json(Kind::Order, items.into()), "port": stable.between(1, 65_000), "tls": true }),
        )
    }),
    ("any order, each with noise", |stable, at| {
        let mut items = Vec::new();
        for _ in 0..3 + stable.below(6) {
            let calls = at.counter(stable.between(100, 90_000));
            items.push(json!({ "node": stable.word(), "zone": stable.word(), "calls": at.value(Kind::Count, calls),
                "lag_ms": at.number(Kind::Measure, 1, 900), "seen": at.when(1) }));
        }
        let items = at.shuffled(items);
        Answer::json(
            json!({ "nodes": mark_json(Kind::Order, items.into()), "quorum": stable.between(2, 5) }),
        )
    }),
    ("ranking", |stable, at| {
        let mut items: Vec<(i64, String, Json)> = (0..5 + stable.below(5))
            .map(|_| {
                let (name, score) = (stable.words(2), at.noise.between(100, 999));
                let row = json!({ "name": name, "club": stable.word(), "score": at.value(Kind::Measure, score) });
                (-score, name, row)
            })
            .collect();
        items.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let order: Vec<&str> = items.iter().map(|it| it.1.as_str()).collect();
        at.made.push((Kind::Order, order.join(" ")));
        let rows: Vec<Json> = items.into_iter().map(|(_, _, row)| row).collect();
        Answer::json(
            json!({ "week": stable.between(1, 52), "rows": mark_json(Kind::Order, rows.into()) }),
        )
    }),
    ("feed of news", |stable, at| {
        let mut entries = Vec::new();
        for _ in 0..4 + stable.below(6) {
            let views = at.counter(stable.between(10, 9_000));
            let age = at.ms / 1_000 - 1_771_000_000 + stable.between(0, 900_000);
            entries.push(json!({ "title": stable.words(4), "published": past(stable), "author": stable.words(2),
                "views": at.value(Kind::Count, views), "age_s": at.value(Kind::Measure, age) }));
        }
        Answer::json(json!({ "entries": entries, "lang": "en", "ttl": 60 }))
    }),
    ("recent searches", |stable, at| {
        let recent = varying(
            at,
            2,
            14,
            |noise| json!({ "query": noise.words(2), "hits": noise.between(0, 300) }),
        );
        Answer::json(json!({ "recent": recent, "popular": wares(stable, 3, 3), "lang": "en" }))
    }),
    ("events since the last time", |stable, at| {
        let events = varying(
            at,
            0,
            6,
            |noise| json!({ "id": noise.uuid(), "kind": noise.pick(&["created", "paid", "sent"]) }),
        );
        Answer::json(
            json!({ "events": events, "cursor": at.ulid(), "topic": stable.word(), "retention_days": 14 }),
        )
    }),
    ("sessions by id", |stable, at| {
        let scopes = [stable.word(), stable.word()];
        let mut members = Map::new();
        for _ in 0..2 + stable.below(4) {
            let agent = json!({ "user": "guest", "scopes": scopes, "since": at.when(0), "limits": { "rate": 10, "burst": 3 } });
            members.insert(at.uuid(), agent);
        }
        Answer::json(
            json!({ "sessions": mark_json(Kind::Keys, members.into()), "limit": stable.between(10, 99) }),
        )
    }),
    ("map by stable ids", |stable, at| {
        let mut members = Map::new();
        for _ in 0..3 + stable.below(6) {
            let used = at.number(Kind::Measure, 100, 90_000);
            members.insert(
                stable.uuid(),
                json!({ "name": stable.word(), "quota": stable.between(100, 999), "used": used }),
            );
        }
        Answer::json(json!({ "volumes": members, "region": stable.word() }))
    }),
    ("map by dates", |stable, at| {
        let mut members = Map::new();
        for hour in 0..3 {
            let time = super::time(at.ms - hour * 3_600_000, 0);
            members.insert(
                at.text(Kind::Time, &time),
                json!({ "visits": at.number(Kind::Measure, 0, 900), "unit": "people" }),
            );
        }
        Answer::json(
            json!({ "hours": mark_json(Kind::Keys, members.into()), "shop": stable.word(), "open": stable.chance(50) }),
        )
    }),
    ("elements with something at times", |stable, at| {
        let mut items = wares(stable, 6, 6);
        let mut made = String::new();
        for item in &mut items {
            let is_there = at.noise.chance(40);
            made += if is_there { "y" } else { "n" };
            if is_there {
                item["promotion"] = mark_json(Kind::Optional, "spring".into());
            }
        }
        at.made.push((Kind::Optional, made));
        Answer::json(json!({ "items": items, "total": stable.between(20, 90) }))
    }),
    ("something at times", |stable, at| {
        let mut value = ware(stable);
        let is_there = at.noise.chance(70);
        at.made.push((Kind::Optional, is_there.to_string()));
        if is_there {
            value["notice"] = mark_json(
                Kind::Optional,
                json!({ "text": stable.words(3), "level": 2 }),
            );
        }
        Answer::json(value)
    }),
    ("lists in lists", |stable, at| {
        let mut rows = Vec::new();
        for _ in 0..3 + stable.below(4) {
            let row: Vec<Json> = (0..4).map(|_| stable.between(0, 99).into()).collect();
            rows.push(json!([stable.word(), row, at.fraction(1, 999, 100)]));
        }
        Answer::json(json!({ "columns": ["name", "values", "load"], "rows": rows }))
    }),
    ("series of points", |stable, at| {
        let mut points = Vec::new();
        for back in 0..6 + stable.below(6) {
            let then = at.ms / 1_000 - 15 * i64::try_from(back).expect("a few");
            let value = at.noise.between(1, 900) as f64 / 7.0;
            points.push(json!([
                at.value(Kind::Time, then),
                at.text(Kind::Measure, &value.to_string())
            ]));
        }
        Answer::json(
            json!({ "status": "success", "data": { "resultType": "matrix", "result": [
            { "metric": { "job": stable.word(), "zone": stable.word() }, "values": points }] } }),
        )
    }),
];
