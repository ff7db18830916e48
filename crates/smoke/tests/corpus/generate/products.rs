//! Answers in the forms that well-known programs have: orchestrators, search engines, brokers,
//! identity providers, registries, databases.

use serde_json::{Map, Value as Json, json};

use super::lists::varying;
use super::moment::{FORMS, Moment};
use super::{Answer, Shape, past};
use crate::marks::{Kind, mark_json};
use crate::rng::Rng;

fn condition(stable: &mut Rng, at: &mut Moment, kind: &str) -> Json {
    json!({ "type": kind, "status": "True", "reason": stable.word(), "message": stable.words(4),
        "lastUpdateTime": at.when(0), "lastTransitionTime": past(stable) })
}

fn object(stable: &mut Rng, at: &mut Moment) -> Json {
    let version = at.counter(stable.between(100_000, 900_000)).to_string();
    let name = stable.word();
    json!({
        "metadata": { "name": name, "namespace": "shop", "uid": stable.uuid(), "generation": stable.between(1, 40),
            "resourceVersion": at.text(Kind::Count, &version), "labels": { "app": name, "tier": stable.word() } },
        "spec": { "replicas": stable.between(1, 9), "strategy": { "type": "RollingUpdate", "maxSurge": "25%" } },
        "status": { "readyReplicas": stable.between(1, 9), "conditions": [condition(stable, at, "Available"), condition(stable, at, "Progressing")] },
    })
}

fn hit(stable: &mut Rng, at: &mut Moment) -> Json {
    json!({ "_index": "wares", "_id": stable.token(20), "_score": at.fraction(10_000, 30_000, 7_919),
        "_source": { "name": stable.words(2), "price": stable.between(1, 900), "tags": [stable.word(), stable.word()] } })
}

fn key(stable: &mut Rng) -> Json {
    json!({ "kid": stable.token(43), "kty": "RSA", "alg": "RS256", "use": "sig", "n": stable.token(200), "e": "AQAB" })
}

fn place(stable: &mut Rng) -> Json {
    let at = [
        stable.between(-18_000, 18_000) as f64 / 100.0,
        stable.between(-9_000, 9_000) as f64 / 100.0,
    ];
    json!({ "type": "Feature", "geometry": { "type": "Point", "coordinates": at },
        "properties": { "name": stable.word(), "floors": stable.between(1, 30) } })
}

fn event(noise: &mut Rng) -> Json {
    json!({ "id": noise.between(30_000_000_000, 40_000_000_000).to_string(), "type": noise.pick(&["PushEvent", "IssuesEvent", "WatchEvent"]),
        "actor": { "login": noise.word(), "id": noise.between(1, 9_000_000) }, "public": true,
        "payload": { "size": noise.between(1, 9) } })
}

fn queue(stable: &mut Rng, at: &mut Moment) -> Json {
    json!({ "name": stable.word(), "vhost": "/", "durable": true, "consumers": stable.between(1, 20), "state": "running",
        "messages": at.number(Kind::Measure, 0, 4_000), "messages_details": { "rate": at.fraction(0, 90_000, 100) },
        "memory": at.number(Kind::Measure, 10_000, 900_000), "policy": stable.word() })
}

fn timer(stable: &mut Rng, at: &mut Moment) -> Json {
    let count = at.counter(stable.between(10, 90_000));
    json!({ "name": format!("http.{}", stable.word()), "baseUnit": "seconds",
        "measurements": [{ "statistic": "COUNT", "value": at.value(Kind::Count, count) },
            { "statistic": "TOTAL_TIME", "value": at.fraction(1, 9_000_000, 1_000) }, { "statistic": "MAX", "value": at.fraction(1, 9_000, 1_000) }],
        "availableTags": [{ "tag": "uri", "values": [format!("/{}", stable.word()), "/health"] }, { "tag": "status", "values": ["200", "404"] }] })
}

pub(super) const SHAPES: &[(&str, Shape)] = &[
    ("list of an orchestrator", |stable, at| {
        let items: Vec<Json> = (0..1 + stable.below(4))
            .map(|_| object(stable, at))
            .collect();
        let version = at.counter(stable.between(100_000, 900_000)).to_string();
        Answer::json(
            json!({ "kind": "DeploymentList", "apiVersion": "apps/v1", "items": items,
            "metadata": { "resourceVersion": at.text(Kind::Count, &version) } }),
        )
    }),
    ("events of an orchestrator", |_, at| {
        let events = varying(at, 3, 9, |noise| {
            json!({ "reason": noise.pick(&["Pulled", "Created", "Killing"]), "count": noise.between(1, 40),
                "involvedObject": { "kind": "Pod", "name": format!("shop-{}-{}", noise.hex(9), noise.hex(5)) }, "type": "Normal" })
        });
        Answer::json(json!({ "kind": "EventList", "apiVersion": "v1", "items": events }))
    }),
    ("hits of a search", |stable, at| {
        let hits: Vec<Json> = (0..2 + stable.below(7)).map(|_| hit(stable, at)).collect();
        let shards = stable.between(1, 12);
        Answer::json(
            json!({ "took": at.number(Kind::Measure, 1, 90), "timed_out": false,
            "_shards": { "total": shards, "successful": shards, "failed": 0 },
            "hits": { "total": { "value": stable.between(20, 9_000), "relation": "eq" }, "max_score": at.fraction(20_000, 30_000, 7_919), "hits": hits } }),
        )
    }),
    ("health of a cluster", |stable, at| {
        let nodes = stable.between(3, 9);
        Answer::json(
            json!({ "cluster_name": stable.word(), "status": "green", "number_of_nodes": nodes, "number_of_data_nodes": nodes,
            "active_shards": stable.between(10, 400), "number_of_pending_tasks": at.number(Kind::Measure, 0, 4),
            "task_max_waiting_in_queue_millis": at.number(Kind::Measure, 0, 90), "active_shards_percent_as_number": 100.0 }),
        )
    }),
    ("members of a catalog", |stable, at| {
        let mut all = Vec::new();
        for n in 0..2 + stable.below(4) {
            let index = at.counter(stable.between(1_000, 90_000));
            all.push(json!({ "Node": { "ID": stable.uuid(), "Node": format!("node-{n}"), "Address": format!("10.0.0.{n}"), "Datacenter": "north" },
                "Service": { "ID": format!("shop-{n}"), "Port": 8080 + n, "Tags": [stable.word()], "Weights": { "Passing": 1, "Warning": 1 } },
                "Checks": [{ "CheckID": "alive", "Status": "passing", "Output": format!("HTTP GET http://10.0.0.{n}:8080: 200 OK in {}", at.fraction_text(100, 9_000, 1_000) + "ms"),
                    "ModifyIndex": at.value(Kind::Count, index) }] }));
        }
        let all = at.shuffled(all);
        Answer::json(mark_json(Kind::Order, all.into()))
    }),
    ("key and value", |stable, at| {
        let revision = at.counter(stable.between(1_000, 900_000)).to_string();
        Answer::json(
            json!({ "header": { "cluster_id": stable.between(1_000_000, 9_000_000_000).to_string(), "member_id": stable.between(1_000_000, 9_000_000_000).to_string(),
            "revision": at.text(Kind::Count, &revision), "raft_term": "4" },
            "kvs": [{ "key": stable.token(24), "create_revision": "17", "mod_revision": "18", "version": "2", "value": stable.token(40) }], "count": "1" }),
        )
    }),
    ("seal of a vault", |stable, at| {
        let now = at.ms / 1_000;
        Answer::json(
            json!({ "initialized": true, "sealed": false, "standby": false, "performance_standby": false, "version": format!("1.{}.{}", stable.below(20), stable.below(9)),
            "server_time_utc": at.value(Kind::Time, now), "cluster_name": format!("vault-cluster-{}", stable.hex(8)), "cluster_id": stable.uuid(),
            "echo_duration_ms": at.number(Kind::Measure, 0, 3), "clock_skew_ms": 0 }),
        )
    }),
    ("ways of an identity provider", |stable, _| {
        let base = format!("https://id.{}.example", stable.word());
        Answer::json(
            json!({ "issuer": base, "authorization_endpoint": format!("{base}/auth"), "token_endpoint": format!("{base}/token"),
            "jwks_uri": format!("{base}/certs"), "grant_types_supported": ["authorization_code", "refresh_token"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"], "claims_supported": ["sub", "iss", stable.word()], "request_parameter_supported": true }),
        )
    }),
    ("keys of an identity provider", |stable, _| {
        Answer::json(json!({ "keys": [key(stable), key(stable)] }))
    }),
    ("token of an identity provider", |stable, at| {
        Answer::json(
            json!({ "access_token": format!("{}.{}.{}", at.token(36), at.token(180), at.token(86)), "token_type": "Bearer",
            "expires_in": 300, "refresh_token": at.token(90), "scope": format!("openid {}", stable.word()), "session_state": at.uuid() }),
        )
    }),
    ("repository", |stable, at| {
        let stars = at.counter(stable.between(10, 90_000));
        let name = stable.word();
        Answer::json(
            json!({ "id": stable.between(1, 900_000_000), "node_id": stable.token(24), "name": name, "private": false,
            "owner": { "login": stable.word(), "id": stable.between(1, 9_000_000), "avatar_url": format!("https://avatars.example/u/{}?v=4", stable.between(1, 9_000_000)) },
            "description": stable.words(6), "fork": false, "pushed_at": past(stable), "stargazers_count": at.value(Kind::Count, stars),
            "license": { "key": "mit", "spdx_id": "MIT" }, "topics": [stable.word(), stable.word()], "default_branch": "main", "allow_squash_merge": true }),
        )
    }),
    ("events of people", |_, at| {
        let events = varying(at, 4, 10, event);
        Answer::json(events)
    }),
    ("charges", |stable, at| {
        let data: Vec<Json> = (0..2 + stable.below(5)).map(|_| {
            json!({ "id": format!("ch_{}", stable.token(24)), "object": "charge", "amount": stable.between(100, 90_000), "currency": "sek", "paid": true,
                "created": stable.between(1_600_000_000, 1_700_000_000), "customer": null, "metadata": {},
                "receipt_url": format!("https://pay.example/receipts/{}", at.token(60)) })
        }).collect();
        Answer::json(
            json!({ "object": "list", "url": "/v1/charges", "has_more": true, "data": data }),
        )
    }),
    ("timers of a runtime", |stable, at| {
        Answer::json(timer(stable, at))
    }),
    ("overview of a broker", |stable, at| {
        let queues: Vec<Json> = (0..2 + stable.below(6))
            .map(|_| queue(stable, at))
            .collect();
        Answer::json(
            json!({ "management_version": "3.12.1", "cluster_name": format!("rabbit@{}", stable.word()), "node": format!("rabbit@{}", stable.word()),
            "message_stats": { "publish": at.number(Kind::Count, 10_000, 90_000), "publish_details": { "rate": at.fraction(0, 9_000, 10) } },
            "listeners": [{ "protocol": "amqp", "port": 5672 }], "queues": queues }),
        )
    }),
    ("spans of a trace", |stable, at| {
        let spans = varying(at, 2, 7, |noise| {
            json!({ "spanID": noise.hex(16), "operationName": noise.pick(&["GET /cart", "SELECT", "publish"]), "duration": noise.between(30, 90_000),
                "startTime": noise.between(1_772_000_000_000_000, 1_772_000_900_000_000), "tags": [{ "key": "http.status_code", "type": "int64", "value": 200 }] })
        });
        Answer::json(
            json!({ "data": [{ "traceID": at.hex(32), "spans": spans, "processes": { "p1": { "serviceName": stable.word() } } }], "total": 0, "limit": 0, "errors": null }),
        )
    }),
    ("features of a map", |stable, _| {
        let features: Vec<Json> = (0..2 + stable.below(6)).map(|_| place(stable)).collect();
        Answer::json(
            json!({ "type": "FeatureCollection", "features": features, "crs": { "type": "name", "properties": { "name": "EPSG:4326" } } }),
        )
    }),
    ("weather", |stable, at| {
        let hours: Vec<Json> = (0..6).map(|n| json!({ "hour": n, "temperature": at.fraction(-200, 300, 10), "wind": { "speed": at.fraction(0, 250, 10), "from": stable.pick(&["N", "SE", "W"]) } })).collect();
        Answer::json(
            json!({ "place": { "name": stable.word(), "lat": stable.between(-90, 90), "lon": stable.between(-180, 180) }, "updated": at.when(0), "hours": hours, "units": { "temperature": "°C", "wind": "m/s" } }),
        )
    }),
    ("entities by a protocol", |stable, at| {
        let value: Vec<Json> = (0..2 + stable.below(5)).map(|n| json!({ "@odata.etag": format!("W/\"{}\"", at.token(16)), "ProductID": n + 1, "Name": stable.words(2), "Price": stable.between(1, 9_000) as f64 / 100.0, "Discontinued": stable.chance(20) })).collect();
        Answer::json(
            json!({ "@odata.context": "https://shop.example/odata/$metadata#Products", "@odata.count": stable.between(10, 900), "value": value, "@odata.nextLink": format!("Products?$skiptoken={}", at.token(22)) }),
        )
    }),
    ("people of a directory", |stable, at| {
        let people: Vec<Json> = (0..2 + stable.below(4)).map(|_| json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": stable.uuid(), "userName": stable.word(), "active": true,
            "emails": [{ "value": format!("{}@shop.example", stable.word()), "primary": true }], "meta": { "resourceType": "User", "created": past(stable), "version": format!("W/\"{}\"", stable.hex(16)) } })).collect();
        let people = at.shuffled(people);
        Answer::json(
            json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": people.len(), "startIndex": 1, "Resources": mark_json(Kind::Order, people.into()) }),
        )
    }),
    ("versions of a package", |stable, at| {
        let mut versions = Map::new();
        for n in 0..3 + stable.below(5) {
            versions.insert(format!("1.{n}.0"), json!({ "name": "shop", "version": format!("1.{n}.0"), "dist": { "shasum": stable.hex(40), "tarball": format!("https://packages.example/shop-1.{n}.0.tgz"), "fileCount": stable.between(4, 90) }, "dependencies": { stable.word(): "^2.0.0" } }));
        }
        let downloads = at.counter(stable.between(900, 90_000));
        Answer::json(
            json!({ "_id": "shop", "_rev": format!("{}-{}", stable.below(90), stable.hex(32)), "dist-tags": { "latest": "1.2.0" }, "versions": versions, "downloads": at.value(Kind::Count, downloads) }),
        )
    }),
    ("cache in text", |stable, at| {
        let seconds = at.ms / 1_000 - 1_771_000_000;
        let text = format!(
            "# Server\r\nredis_version:7.{}.{}\r\nrun_id:{}\r\nuptime_in_seconds:{}\r\n# Clients\r\nconnected_clients:{}\r\nmaxclients:10000\r\n# Memory\r\nused_memory:{}\r\nmaxmemory_policy:noeviction\r\n# Keyspace\r\ndb0:keys={},expires={},avg_ttl={}\r\n",
            stable.below(9),
            stable.below(9),
            stable.hex(40),
            at.text(Kind::Count, &seconds.to_string()),
            at.digits(Kind::Measure, 1, 90),
            at.digits(Kind::Measure, 900_000, 9_000_000),
            at.digits(Kind::Measure, 100, 900),
            at.digits(Kind::Measure, 0, 90),
            at.digits(Kind::Measure, 1_000, 90_000)
        );
        Answer::text("text/plain", text)
    }),
    ("status of a server in text", |stable, at| {
        let total = at.counter(stable.between(1_000, 90_000)).to_string();
        let text = format!(
            "ServerVersion: Apache/2.4.{}\nServerMPM: event\nServer Built: {}\nCurrentTime: {}\nTotal Accesses: {}\nCPULoad: {}\nReqPerSec: {}\nBusyWorkers: {}\nIdleWorkers: {}\nProcesses: {}\n",
            stable.below(60),
            past(stable),
            at.when(stable.below(FORMS)),
            at.text(Kind::Count, &total),
            at.fraction_text(1, 900, 10_000),
            at.fraction_text(1, 90_000, 1_000),
            at.digits(Kind::Measure, 1, 40),
            at.digits(Kind::Measure, 1, 90),
            stable.between(2, 9)
        );
        Answer::text("text/plain; charset=ISO-8859-1", text)
    }),
    ("pools as tab-separated values", |stable, at| {
        let mut text = "database\tuser\tcl_active\tsv_active\tmaxwait\tpool_mode\n".to_owned();
        for _ in 0..3 + stable.below(5) {
            let (active, serving) = (
                at.digits(Kind::Measure, 0, 90),
                at.digits(Kind::Measure, 0, 20),
            );
            text += &format!(
                "{}\t{}\t{active}\t{serving}\t0\ttransaction\n",
                stable.word(),
                stable.word()
            );
        }
        Answer::text("text/tab-separated-values", text)
    }),
    ("page of a dashboard", |stable, at| {
        let (used, share) = (
            at.digits(Kind::Measure, 100, 900),
            at.fraction_text(1, 999, 10),
        );
        let text = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>{}</title>\n  <meta name=\"csrf-token\" content=\"{}\">\n  <link rel=\"stylesheet\" href=\"/app-{}.css\">\n</head>\n<body>\n  <nav><a href=\"/\">Home</a> <a href=\"/{}\">{}</a></nav>\n  <dl>\n    <dt>Disk</dt><dd>{used} GB</dd>\n    <dt>Load</dt><dd>{share} %</dd>\n    <dt>Owner</dt><dd>{}</dd>\n  </dl>\n  <footer>Generated {} by {}</footer>\n</body>\n</html>\n",
            stable.words(2),
            at.token(64),
            stable.hex(8),
            stable.word(),
            stable.word(),
            stable.word(),
            at.when(stable.below(FORMS)),
            stable.word()
        );
        Answer::text("text/html; charset=utf-8", text)
    }),
    ("page that recommends", |stable, at| {
        let count = at.noise.between(2, 6);
        at.made.push((Kind::Length, count.to_string()));
        let mut items = String::new();
        for _ in 0..count {
            let (href, name, price) =
                (at.noise.word(), at.noise.words(2), at.noise.between(1, 900));
            items +=
                &format!("    <li><a href=\"/wares/{href}\">{name}</a> <b>{price} kr</b></li>\n");
        }
        let items = at.text(Kind::Length, &items);
        let text = format!(
            "<html>\n<body>\n  <h1>{}</h1>\n  <p>{}</p>\n  <p class=\"price\">{} kr</p>\n  <ul class=\"also\">\n{items}  </ul>\n  <p><a href=\"/terms\">{}</a></p>\n</body>\n</html>\n",
            stable.words(2),
            stable.words(9),
            stable.between(1, 900),
            stable.word()
        );
        Answer::text("text/html", text)
    }),
    ("listeners as XML", |stable, at| {
        let text = format!(
            "<?xml version=\"1.0\"?>\n<icestats>\n  <admin>{}@radio.example</admin>\n  <host>{}</host>\n  <server_start>{}</server_start>\n  <source mount=\"/{}\">\n    <listeners>{}</listeners>\n    <bitrate>{}</bitrate>\n    <title>{}</title>\n  </source>\n</icestats>\n",
            stable.word(),
            stable.word(),
            past(stable),
            stable.word(),
            at.digits(Kind::Measure, 10, 900),
            32 * stable.between(2, 10),
            stable.words(3)
        );
        Answer::text("text/xml", text)
    }),
    ("questions and answers of a contract", |stable, _| {
        let mut paths = Map::new();
        for _ in 0..2 + stable.below(4) {
            paths.insert(format!("/{}", stable.word()), json!({ "get": { "operationId": stable.word(), "parameters": [{ "name": "limit", "in": "query", "schema": { "type": "integer", "maximum": stable.between(10, 100) } }],
                "responses": { "200": { "description": stable.words(3) } } } }));
        }
        Answer::json(
            json!({ "openapi": "3.1.0", "info": { "title": stable.words(2), "version": format!("{}.0.0", stable.below(9)) }, "paths": paths }),
        )
    }),
];
