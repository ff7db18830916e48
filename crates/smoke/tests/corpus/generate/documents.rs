//! Single things as JSON.

use serde_json::{Value as Json, json};

use super::moment::FORMS;
use super::{Answer, Marked, Shape, past};
use crate::marks::Kind;
use crate::rng::Rng;

/// Something that is sold, always with the same members.
pub(super) fn ware(stable: &mut Rng) -> Json {
    json!({
        "id": stable.between(1, 99_999),
        "sku": format!("{}-{}", stable.word(), stable.between(10, 9_999)),
        "title": stable.words(3),
        "price": { "amount": stable.between(100, 99_999) as f64 / 100.0, "currency": *stable.pick(&["EUR", "SEK", "USD"]) },
        "stock": stable.between(0, 400),
        "active": stable.chance(70),
        "colour": if stable.chance(30) { Json::Null } else { stable.word().into() },
        "since": past(stable),
    })
}

pub(super) const SHAPES: &[(&str, Shape)] = &[
    ("resource", |stable, at| {
        let form = stable.below(FORMS);
        let mut value = ware(stable);
        value["meta"] = json!({ "request_id": at.uuid(), "served_at": at.when(form), "api": "v2" });
        Answer::json(value)
    }),
    ("resource without noise", |stable, _| {
        let mut value = ware(stable);
        value["tags"] = (0..stable.below(5)).map(|_| stable.word()).collect();
        value["links"] = json!([{ "rel": "self", "href": format!("/{}", stable.word()) }]);
        Answer::json(value)
    }),
    ("times in numbers", |stable, at| {
        let (s, ms) = (at.ms / 1_000, at.ms);
        let created = 1_600_000_000 + stable.between(0, 90_000_000);
        Answer::json(json!({
            "now": at.value(Kind::Time, s), "now_ms": at.value(Kind::Time, ms),
            "now_f": at.value(Kind::Time, ms as f64 / 1_000.0), "now_us": at.value(Kind::Time, ms * 1_000 + 7),
            "created": created, "zone": "UTC", "leap": 27, "name": stable.word(),
        }))
    }),
    ("times in texts", |stable, at| {
        let forms: Vec<String> = (0..3).map(|_| at.when(stable.below(FORMS))).collect();
        Answer::json(json!({
            "seen": forms, "first": past(stable), "last": at.when(stable.below(FORMS)),
            "by": stable.words(2), "attempts": stable.between(1, 9),
        }))
    }),
    ("ids of every kind", |stable, at| {
        let order = format!("ord_{}", at.hex(14));
        let n = at.counter(stable.between(1_000, 900_000));
        Answer::json(json!({
            "uuid": at.uuid(), "ulid": at.ulid(), "trace": at.hex(32), "order": order,
            "upper": at.uuid().to_uppercase(), "sequence": at.value(Kind::Count, n),
            "product": stable.uuid(), "commit": stable.hex(40), "plan": stable.word(), "quantity": stable.between(1, 40),
        }))
    }),
    ("sign-in", |stable, at| {
        let token = format!("{}.{}.{}", at.token(36), at.token(90), at.token(43));
        Answer::json(json!({
            "access_token": token, "refresh_token": at.token(64), "token_type": "Bearer",
            "expires_in": 3_600, "scope": stable.words(3), "user": { "name": stable.words(2), "roles": [stable.word(), "buyer"] },
        }))
    }),
    ("graphql", |stable, at| {
        let nodes: Vec<Json> = (0..2 + stable.below(4)).map(|_| ware(stable)).collect();
        Answer::json(json!({
            "data": { "shop": { "name": stable.word(), "wares": { "edges": nodes, "pageInfo": { "hasNextPage": stable.chance(50), "endCursor": stable.token(16) } } } },
            "extensions": { "tracing": { "version": 1, "startTime": at.when(1), "duration": at.number(Kind::Measure, 90_000, 9_000_000) } },
        }))
    }),
    ("graphql error", |stable, at| {
        Answer::json(json!({
            "data": null, "errors": [{ "message": stable.words(5), "path": ["shop", stable.word()],
                "locations": [{ "line": stable.between(1, 30), "column": stable.between(1, 80) }],
                "extensions": { "code": "BAD_USER_INPUT", "id": at.uuid() } }],
        }))
    }),
    ("hal", |stable, at| {
        let id = stable.between(1, 9_999);
        let inner: Vec<Json> = (0..1 + stable.below(4)).map(|_| ware(stable)).collect();
        let body = json!({
            "_links": { "self": { "href": format!("/orders/{id}") }, "next": { "href": format!("/orders/{}", id + 1) },
                "sign": { "href": format!("/sign?nonce={}", at.hex(24)), "templated": false } },
            "_embedded": { "lines": inner }, "total": stable.between(10, 9_000), "fetched": at.when(3),
        });
        Answer::of("application/hal+json", Marked::Json(body))
    }),
    ("json:api", |stable, at| {
        let body = json!({
            "jsonapi": { "version": "1.1" }, "data": { "type": "orders", "id": stable.between(1, 999).to_string(), "attributes": ware(stable),
                "relationships": { "owner": { "data": { "type": "people", "id": stable.between(1, 99).to_string() } } } },
            "meta": { "took_ms": at.number(Kind::Measure, 1, 400), "node": stable.word() },
        });
        Answer::of("application/vnd.api+json", Marked::Json(body))
    }),
    ("problem", |stable, at| {
        let body = json!({
            "type": format!("https://errors.example.com/{}", stable.word()), "title": stable.words(3), "status": 409,
            "detail": stable.words(7), "instance": format!("urn:uuid:{}", at.uuid()), "at": at.when(0),
        });
        let mut answer = Answer::of("application/problem+json", Marked::Json(body));
        answer.status = 409;
        answer
    }),
    ("sentences with numbers", |stable, at| {
        let count = at.counter(stable.between(100, 9_000)).to_string();
        Answer::json(json!({
            "message": format!("{} of {} places are taken by {} people", stable.between(1, 9), stable.between(10, 99), at.text(Kind::Count, &count)),
            "note": format!("last changed {} by {}", at.when(4), stable.word()),
            "hint": format!("request {} was read in {} ms by {}", at.uuid(), at.digits(Kind::Measure, 100, 9_999), stable.word()),
            "done": stable.chance(50),
        }))
    }),
    ("addresses with signatures", |stable, at| {
        let until = (at.ms / 1_000 + 600).to_string();
        Answer::json(json!({
            "upload": format!("https://files.example.com/{}/{}?expires={}&signature={}", stable.word(), stable.word(), at.text(Kind::Time, &until), at.hex(40)),
            "method": "PUT", "fields": { "key": stable.word(), "acl": "private", "policy": at.token(120) }, "size_max": 1_048_576,
        }))
    }),
    ("settings", |stable, _| {
        let mut value = json!({ "level": stable.below(9), "name": stable.word(), "empty": {}, "none": [], "nothing": null });
        for _ in 0..3 + stable.below(4) {
            value = json!({ stable.word(): value, stable.word(): stable.between(-99, 99), stable.word(): stable.chance(50) });
        }
        Answer::json(value)
    }),
    ("text and number by turns", |stable, at| {
        // A value that one library writes as a number and another as a text.
        let value = at.noise.between(10, 99);
        let is_text = at.noise.chance(50);
        at.made.push((Kind::Choice, is_text.to_string()));
        let reading = if is_text {
            value.to_string().into()
        } else {
            Json::from(value)
        };
        Answer::json(
            json!({ "reading": at.value(Kind::Measure, reading), "unit": stable.word(), "place": stable.words(2), "limit": stable.between(100, 200) }),
        )
    }),
    ("scalar", |stable, _| {
        Answer::json(stable.between(1, 9_000_000).into())
    }),
];
