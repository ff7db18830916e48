//! Services made up from a seed: what each answers is the same, but for what real services have
//! otherwise each time.

use nonevent_smoke::Response;
use serde_json::{Map, Value as Json, json};

use crate::Endpoint;
use crate::rng::Rng;

/// Answers of each endpoint, so that what stays can be told from what moves.
const ANSWERS: u64 = 8;

/// When an answer is made, and by the how many-th request.
struct Moment {
    ms: i64,
    count: i64,
    noise: Rng,
}

pub(crate) fn endpoints(seeds: core::ops::Range<u64>) -> Vec<Endpoint> {
    seeds
        .map(|seed| {
            let answers = (0..ANSWERS).map(|turn| answer(seed, turn)).collect();
            let shape = seed % SHAPES.len() as u64;
            Endpoint {
                name: format!("shape {shape} of seed {seed}"),
                source: "generated".to_owned(),
                answers,
            }
        })
        .collect()
}

fn answer(seed: u64, turn: u64) -> Response {
    let mut stable = Rng::new(seed);
    let mut noise = Rng::new(seed ^ (turn + 1) << 32);
    let gap = 1 + stable.below(5);
    let turn = i64::try_from(turn).expect("a small number");
    let began = 1_767_607_200_000 + stable.between(0, 20_000_000_000);
    let mut moment = Moment {
        ms: began + turn * 1_000 * i64::try_from(gap).expect("small") + noise.between(0, 999),
        count: stable.between(1_000, 900_000) + turn * (1 + noise.between(0, 9)),
        noise,
    };
    let shape = SHAPES[usize::try_from(seed).expect("a small seed") % SHAPES.len()];
    let mut response = shape(&mut stable, &mut moment);
    headers(&mut response, &mut stable, &mut moment);
    response
}

type Shape = fn(&mut Rng, &mut Moment) -> Response;

fn of(content_type: &str, body: impl Into<Vec<u8>>) -> Response {
    Response {
        status: 200,
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        body: body.into(),
    }
}

fn of_json(value: &Json) -> Response {
    of("application/json", value.to_string())
}

fn headers(response: &mut Response, stable: &mut Rng, at: &mut Moment) {
    let mut add = |name: &str, value: String| response.headers.push((name.to_owned(), value));
    add("date", at.http_date());
    add("server", stable.word());
    add(
        "x-version",
        format!("1.{}.{}", stable.below(9), stable.below(9)),
    );
    if stable.chance(70) {
        add("x-request-id", at.noise.uuid());
    }
    if stable.chance(40) {
        add(
            "cache-control",
            format!("max-age={}", 60 * stable.between(1, 60)),
        );
        add("vary", "accept-encoding, origin".to_owned());
    }
    if stable.chance(30) {
        add(
            "x-runtime",
            format!("0.{:06}", at.noise.between(1_000, 90_000)),
        );
    }
    if stable.chance(25) {
        let token = at.noise.token(22);
        add(
            "set-cookie",
            format!("session={token}; Path=/; HttpOnly; SameSite=Lax"),
        );
    }
    if stable.chance(15) {
        let nonce = at.noise.token(16);
        add(
            "content-security-policy",
            format!("default-src 'self'; script-src 'nonce-{nonce}'"),
        );
    }
    if stable.chance(30) {
        add(
            "strict-transport-security",
            "max-age=31536000; includeSubDomains".to_owned(),
        );
        add("x-content-type-options", "nosniff".to_owned());
    }
    if stable.chance(20) {
        add("x-ratelimit-limit", "1000".to_owned());
        add(
            "x-ratelimit-remaining",
            (1_000 - at.count % 900).to_string(),
        );
    }
    if stable.chance(20) {
        add("etag", format!("\"{}\"", at.noise.hex(16)));
    }
    if stable.chance(15) {
        add("x-served-by", format!("web-{}", at.noise.between(1, 40)));
    }
    let length = response.body.len().to_string();
    response.headers.push(("content-length".to_owned(), length));
}

impl Moment {
    fn parts(&self) -> (i64, i64, i64, i64, i64, i64, i64) {
        // Howard Hinnant's civil-from-days.
        let days = self.ms.div_euclid(86_400_000);
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        let second = self.ms.div_euclid(1_000).rem_euclid(86_400);
        (
            year,
            month,
            doy - (153 * mp + 2) / 5 + 1,
            second / 3_600,
            second / 60 % 60,
            second % 60,
            days,
        )
    }

    fn rfc3339(&self) -> String {
        let (year, month, day, h, m, s, _) = self.parts();
        format!("{year}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}Z")
    }

    fn rfc3339_ms(&self) -> String {
        let text = self.rfc3339();
        format!("{}.{:03}Z", &text[..19], self.ms.rem_euclid(1_000))
    }

    fn spaced(&self) -> String {
        self.rfc3339().replace('T', " ").replace('Z', "")
    }

    fn http_date(&self) -> String {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let (year, month, day, h, m, s, days) = self.parts();
        let name = DAYS[usize::try_from(days.rem_euclid(7)).expect("a day")];
        let month = MONTHS[usize::try_from(month - 1).expect("a month")];
        format!("{name}, {day:02} {month} {year} {h:02}:{m:02}:{s:02} GMT")
    }
}

/// A moment long before the answer, the same each time.
fn past(stable: &mut Rng) -> String {
    Moment {
        ms: 1_700_000_000_000 + stable.between(0, 30_000_000_000),
        count: 0,
        noise: Rng::new(0),
    }
    .rfc3339()
}

fn item(stable: &mut Rng) -> Json {
    json!({
        "sku": format!("{}-{}", stable.word(), stable.between(100, 999)),
        "title": stable.words(3),
        "price": stable.between(100, 99_999),
        "weight": stable.between(1, 5_000) as f64 / 100.0,
        "available": stable.chance(70),
        "tags": [stable.word(), stable.word()],
        "created": past(stable),
    })
}

fn items(stable: &mut Rng, count: usize) -> Vec<Json> {
    (0..count).map(|_| item(stable)).collect()
}

const SHAPES: [Shape; 38] = [
    // An object with an id of the request and the time it was served.
    |stable, at| {
        let mut value = item(stable);
        value["requestId"] = at.noise.uuid().into();
        value["servedAt"] = at.rfc3339_ms().into();
        value["owner"] = json!({ "name": stable.words(2), "id": stable.between(1, 9_999) });
        of_json(&value)
    },
    // A page of a list, with a cursor that is made anew.
    |stable, at| {
        let count = 5 + stable.below(10);
        of_json(
            &json!({ "total": 120 + stable.below(50), "items": items(stable, count),
            "next": at.noise.token(32), "self": "/items?page=1" }),
        )
    },
    // A list whose order nobody promised.
    |stable, at| {
        let count = 4 + stable.below(8);
        let mut list = items(stable, count);
        at.noise.shuffle(&mut list);
        of_json(&json!({ "items": list, "currency": "SEK" }))
    },
    // A feed with views that grow and ages that pass.
    |stable, at| {
        let count = 4 + stable.below(6);
        let entries: Vec<Json> = (0..count)
            .map(|_| {
                json!({ "title": stable.words(4), "published": past(stable),
                    "views": stable.between(100, 90_000) + at.count + at.noise.between(0, 5),
                    "age_s": stable.between(1_000, 90_000) + at.ms / 1_000 - 1_767_000_000 })
            })
            .collect();
        of_json(&json!({ "entries": entries, "version": 2 }))
    },
    // Health, component by component.
    |stable, at| {
        let count = 3 + stable.below(4);
        let components: Vec<Json> = (0..count)
            .map(|_| {
                json!({ "name": stable.word(), "status": "up", "required": stable.chance(50),
                    "latency_ms": at.noise.between(100, 9_000) as f64 / 1_000.0 })
            })
            .collect();
        of_json(&json!({ "status": "ok", "components": components,
            "uptime": at.ms / 1_000 - 1_767_000_000, "build": stable.hex(7) }))
    },
    // GraphQL with traces.
    |stable, at| {
        let count = 2 + stable.below(5);
        of_json(&json!({ "data": { "viewer": { "login": stable.word(),
            "orders": { "nodes": items(stable, count), "pageInfo": { "hasNextPage": true } } } },
            "extensions": { "tracing": { "startTime": at.rfc3339_ms(),
                "duration": at.noise.between(100_000, 9_000_000) } } }))
    },
    // JSON:API with links and a meta object.
    |stable, at| {
        let id = stable.between(1, 9_999);
        let body = json!({ "data": { "type": "orders", "id": id.to_string(), "attributes": item(stable) },
            "links": { "self": format!("/orders/{id}"), "related": format!("/orders/{id}/lines") },
            "meta": { "trace": at.noise.hex(32), "copyright": stable.words(3) } });
        of("application/vnd.api+json", body.to_string())
    },
    // A problem with an instance of its own.
    |stable, at| {
        let body = json!({ "type": format!("https://errors.example.com/{}", stable.word()),
            "title": stable.words(3), "status": 422, "instance": format!("urn:uuid:{}", at.noise.uuid()),
            "errors": [ { "field": stable.word(), "reason": stable.words(4) } ] });
        Response {
            status: 422,
            ..of("application/problem+json", body.to_string())
        }
    },
    // A map by ids that are made anew.
    |stable, at| {
        let count = 2 + stable.below(4);
        let sessions: Map<String, Json> = (0..count)
            .map(|_| {
                (
                    at.noise.uuid(),
                    json!({ "user": "guest", "scopes": ["read", "write"] }),
                )
            })
            .collect();
        of_json(&json!({ "sessions": sessions, "limit": stable.between(10, 99) }))
    },
    // A member that some elements have at some times.
    |stable, at| {
        let mut list = items(stable, 12);
        for value in &mut list {
            if at.noise.chance(50) {
                value["promo"] = "spring".into();
            }
        }
        of_json(&json!({ "items": list, "stamp": at.spaced() }))
    },
    // Recent searches: a list that grows and shrinks.
    |stable, at| {
        let count = 3 + at.noise.below(20);
        let recent: Vec<Json> = (0..count)
            .map(|_| json!({ "query": at.noise.words(2), "results": at.noise.between(0, 500) }))
            .collect();
        of_json(&json!({ "recent": recent, "popular": items(stable, 4) }))
    },
    // Readings that are sometimes missing.
    |stable, at| {
        let sensors: Vec<Json> = (0..12)
            .map(|_| {
                let last = match at.noise.below(2) {
                    0 => Json::Null,
                    _ => at.noise.between(1, 500).into(),
                };
                json!({ "sensor": stable.word(), "last": last, "unit": "ms",
                    "battery": at.noise.between(60, 99) })
            })
            .collect();
        of_json(&json!({ "sensors": sensors, "place": stable.words(2) }))
    },
    // Figures of a machine.
    |stable, at| {
        let mut load = || at.noise.between(1, 400) as f64 / 100.0;
        of_json(
            &json!({ "load": [load(), load(), load()], "host": stable.word(), "cores": stable.between(1, 64),
            "memory": { "used": at.noise.between(1_000_000, 9_000_000), "total": 16_777_216 } }),
        )
    },
    // A session that runs out.
    |stable, at| {
        of_json(
            &json!({ "csrf": at.noise.token(40), "expires_in": 3_600 - (at.ms / 1_000) % 3_000,
            "user": { "name": stable.words(2), "roles": ["buyer", stable.word()] } }),
        )
    },
    // A signed token.
    |stable, at| {
        let token = [at.noise.token(36), at.noise.token(80), at.noise.token(43)].join(".");
        of_json(&json!({ "access_token": token, "token_type": "Bearer", "scope": stable.words(2) }))
    },
    // An event with a sortable id and the time in three units.
    |stable, at| {
        of_json(
            &json!({ "id": at.noise.ulid(), "at_s": at.ms / 1_000, "at_ms": at.ms, "at_ns": at.ms * 1_000_000,
            "kind": stable.word(), "payload": item(stable) }),
        )
    },
    // Workers that are busy or not.
    |stable, at| {
        let workers: Vec<Json> = (0..12)
            .map(|n| json!({ "name": format!("worker-{n}"), "state": at.noise.pick(&["idle", "busy", "draining"]),
                "zone": stable.word() }))
            .collect();
        of_json(&json!({ "workers": workers, "queue": at.noise.between(0, 900) }))
    },
    // The best of the week, in an order that moves with their scores.
    |stable, at| {
        let count = 5 + stable.below(5);
        let mut list: Vec<(i64, Json)> = (0..count)
            .map(|_| {
                let score = 1_000 + at.noise.between(0, 400);
                (
                    score,
                    json!({ "name": stable.words(2), "team": stable.word(), "score": score }),
                )
            })
            .collect();
        list.sort_by_key(|(score, _)| -*score);
        let list: Vec<Json> = list.into_iter().map(|(_, it)| it).collect();
        of_json(&json!({ "ranking": list, "week": 12 }))
    },
    // A bare list of words, without noise.
    |stable, _| {
        of_json(&Json::from(
            (0..6 + stable.below(8))
                .map(|_| stable.word())
                .collect::<Vec<_>>(),
        ))
    },
    // Settings, deep and without noise.
    |stable, _| {
        let mut value = item(stable);
        for _ in 0..4 {
            value = json!({ stable.word(): value, stable.word(): stable.between(0, 9), "on": stable.chance(50) });
        }
        of_json(&value)
    },
    // One of a few recommendations.
    |stable, at| {
        let choice = items(stable, 8);
        of_json(&json!({ "pick": at.noise.pick(&choice)["title"], "all": items(stable, 3) }))
    },
    // A page with a form.
    |stable, at| {
        let title = stable.words(2);
        let body = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>{title}</title>\n<meta name=\"csrf-token\" content=\"{}\">\n\
             <link rel=\"stylesheet\" href=\"/assets/app.{}.css\">\n</head>\n<body>\n<h1>{title}</h1>\n<p>{}</p>\n\
             <form action=\"/{}\" method=\"post\">\n<input type=\"hidden\" name=\"token\" value=\"{}\">\n</form>\n\
             <footer>Rendered in {} ms at {}</footer>\n</body>\n</html>\n",
            at.noise.token(32),
            stable.hex(8),
            stable.words(12),
            stable.word(),
            at.noise.token(32),
            at.noise.between(3, 90),
            at.spaced()
        );
        of("text/html; charset=utf-8", body)
    },
    // The same without line breaks.
    |stable, at| {
        let rows: String = (0..6 + stable.below(6))
            .map(|_| {
                format!(
                    "<tr><td>{}</td><td class=\"n\">{}</td></tr>",
                    stable.words(2),
                    stable.between(1, 900)
                )
            })
            .collect();
        let body = format!(
            "<html><body><script nonce=\"{}\"></script><table>{rows}</table><p>{} online</p></body></html>",
            at.noise.token(16),
            at.noise.between(20, 90)
        );
        of("text/html", body)
    },
    // A table of products, without noise.
    |stable, _| {
        let rows: String = (0..10)
            .map(|n| {
                format!(
                    "<li id=\"p{n}\"><a href=\"/p/{}\">{}</a> {} kr</li>\n",
                    stable.word(),
                    stable.words(3),
                    stable.between(10, 900)
                )
            })
            .collect();
        of("text/html", format!("<ul>\n{rows}</ul>\n"))
    },
    // A status in plain words.
    |stable, at| {
        let body = format!(
            "{} is up\nsince: {}\nnow: {}\nrequests: {}\nworkers: {} of 16 busy\nregion: {}\n",
            stable.word(),
            past(stable),
            at.http_date(),
            at.count,
            at.noise.between(1, 15),
            stable.word()
        );
        of("text/plain", body)
    },
    // A table, with the time it was made.
    |stable, at| {
        let rows: String = (0..20)
            .map(|_| {
                format!(
                    "{},{},{}\n",
                    stable.word(),
                    stable.between(1, 999),
                    stable.hex(4)
                )
            })
            .collect();
        of(
            "text/csv",
            format!("# made {}\nname,count,code\n{rows}", at.rfc3339()),
        )
    },
    // A table with a column that is measured.
    |stable, at| {
        let rows: String = (0..12)
            .map(|_| {
                format!(
                    "{},{},{:.2},ok\n",
                    stable.word(),
                    stable.between(1, 65_000),
                    at.noise.between(10, 9_000) as f64 / 100.0
                )
            })
            .collect();
        of("text/csv", format!("host,port,latency,state\n{rows}"))
    },
    // A feed of news.
    |stable, at| {
        let entries: String = (0..5).map(|n| format!("<item><title>{}</title><guid>{}</guid><link>https://x.example.com/{n}</link></item>\n",
            stable.words(4), stable.uuid())).collect();
        of(
            "application/rss+xml",
            format!(
                "<?xml version=\"1.0\"?>\n<rss version=\"2.0\"><channel>\n<title>{}</title>\n\
            <lastBuildDate>{}</lastBuildDate>\n{entries}</channel></rss>\n",
                stable.words(2),
                at.http_date()
            ),
        )
    },
    // A site map, without noise.
    |stable, _| {
        let urls: String = (0..12)
            .map(|_| {
                format!(
                    "<url><loc>https://x.example.com/{}</loc><lastmod>{}</lastmod></url>",
                    stable.word(),
                    &past(stable)[..10]
                )
            })
            .collect();
        of(
            "application/xml",
            format!("<?xml version=\"1.0\"?><urlset>{urls}</urlset>"),
        )
    },
    // A configuration.
    |stable, at| {
        let lines: String = (0..10)
            .map(|_| format!("{}: {}\n", stable.word(), stable.between(0, 99)))
            .collect();
        of(
            "application/yaml",
            format!(
                "# generated by {} at {}\nversion: {}\n{lines}",
                stable.word(),
                at.rfc3339(),
                stable.below(9)
            ),
        )
    },
    // Metrics.
    |stable, at| {
        let mut body = String::new();
        for _ in 0..5 + stable.below(5) {
            let name = format!("{}_{}_total", stable.word(), stable.word());
            body += &format!("# HELP {name} {}\n# TYPE {name} counter\n", stable.words(4));
            for code in ["200", "404", "500"] {
                body += &format!(
                    "{name}{{code=\"{code}\",zone=\"{}\"}} {}\n",
                    stable.word(),
                    at.count + at.noise.between(0, 99)
                );
            }
        }
        body += &format!(
            "process_cpu_seconds_total {}.{:02}\n",
            at.count / 100,
            at.noise.between(0, 99)
        );
        of("text/plain; version=0.0.4; charset=utf-8", body)
    },
    // An image.
    |stable, _| {
        let mut body = vec![0x89, b'P', b'N', b'G', 0xff, 0x00];
        body.extend((0..200).map(|_| stable.next().to_le_bytes()[0]));
        of("image/png", body)
    },
    // Nothing to say.
    |_, _| Response {
        status: 204,
        headers: Vec::new(),
        body: Vec::new(),
    },
    // A way to log in, with a state of its own.
    |stable, at| {
        let mut answer = Response {
            status: 302,
            headers: Vec::new(),
            body: Vec::new(),
        };
        let to = format!(
            "https://login.example.com/authorize?client={}&state={}",
            stable.word(),
            at.noise.token(24)
        );
        answer.headers.push(("location".to_owned(), to));
        answer
    },
    // The last lines of a log.
    |stable, at| {
        let mut paths: Vec<String> = Vec::new();
        for _ in 0..4 {
            paths.push(stable.word());
        }
        let lines: String = (0..12)
            .map(|n| {
                let then = Moment {
                    ms: at.ms - 700 * (12 - n),
                    count: 0,
                    noise: Rng::new(0),
                };
                format!(
                    "{} INFO GET /{} {} {}ms\n",
                    then.rfc3339_ms(),
                    at.noise.pick(&paths),
                    at.noise.pick(&[200, 200, 304]),
                    at.noise.between(1, 90)
                )
            })
            .collect();
        of(
            "text/plain",
            format!("{} {}\n{lines}", stable.word(), stable.words(3)),
        )
    },
    // Lines in any order.
    |stable, at| {
        let mut lines: Vec<String> = (0..8)
            .map(|_| format!("{} = {}\n", stable.word(), stable.words(2)))
            .collect();
        at.noise.shuffle(&mut lines);
        of("text/plain", lines.concat())
    },
    // A message with a number in the middle of a sentence.
    |stable, at| {
        of_json(
            &json!({ "message": format!("{} other people look at this {} right now", at.noise.between(2, 90), stable.word()),
            "hint": format!("order within {} to have it on {}", stable.below(9), stable.word()), "ok": true }),
        )
    },
    // A health check of one word.
    |_, _| of("text/plain", "ok\n"),
];
