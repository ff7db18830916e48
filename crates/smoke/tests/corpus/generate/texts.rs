//! Plain text, tables, settings, metrics, bytes, and answers without a body.

use super::moment::{FORMS, Moment, time};
use super::{Answer, Marked, Shape, past};
use crate::marks::{Kind, mark_text};
use crate::rng::Rng;

const PLAIN: &str = "text/plain; charset=utf-8";

fn lines(count: usize, line: impl FnMut(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// A family of metrics with its samples.
fn family(stable: &mut Rng, at: &mut Moment, kind: &str) -> String {
    let suffix = if kind == "counter" { "_total" } else { "" };
    let name = format!("{}_{}{suffix}", stable.word(), stable.word());
    let zone = stable.word();
    let mut out = format!("# HELP {name} {}\n# TYPE {name} {kind}\n", stable.words(4));
    for code in ["200", "301", "404", "500"]
        .into_iter()
        .take(1 + stable.below(4))
    {
        let value = match kind {
            "counter" => {
                let count = at.counter(stable.between(0, 900_000)).to_string();
                at.text(Kind::Count, &count)
            }
            _ => at.fraction_text(0, 90_000, 100),
        };
        out += &format!("{name}{{code=\"{code}\",zone=\"{zone}\"}} {value}\n");
    }
    out
}

pub(super) const SHAPES: &[(&str, Shape)] = &[
    ("status in words", |stable, at| {
        let requests = at.counter(stable.between(100, 90_000)).to_string();
        Answer::text(
            PLAIN,
            format!(
                "{} is up\nsince: {}\nnow: {}\nrequests: {}\nbusy: {} of {}\nregion: {}\n",
                stable.word(),
                past(stable),
                at.when(stable.below(FORMS)),
                at.text(Kind::Count, &requests),
                at.digits(Kind::Measure, 0, 15),
                16,
                stable.word()
            ),
        )
    }),
    ("one word", |_, _| {
        Answer::text("text/plain", "ok".to_owned())
    }),
    ("version", |stable, _| {
        Answer::text(
            "text/plain",
            format!(
                "{} {}.{}.{}\n",
                stable.word(),
                stable.below(9),
                stable.below(20),
                stable.below(9)
            ),
        )
    }),
    ("the time alone", |stable, at| {
        Answer::text("text/plain", at.when(stable.below(FORMS)))
    }),
    ("robots", |stable, _| {
        let rules = lines(3 + stable.below(5), |_| {
            format!("Disallow: /{}\n", stable.word())
        });
        Answer::text(
            "text/plain",
            format!(
                "User-agent: *\n{rules}Crawl-delay: {}\n",
                stable.between(1, 30)
            ),
        )
    }),
    ("csv", |stable, at| {
        let rows = lines(8 + stable.below(9), |_| {
            format!(
                "{},{},{}\n",
                stable.word(),
                stable.between(1, 9_999),
                stable.hex(6)
            )
        });
        Answer::text(
            "text/csv",
            format!(
                "# exported {}\nname,count,code\n{rows}",
                at.when(stable.below(FORMS))
            ),
        )
    }),
    ("csv with a column that moves", |stable, at| {
        let rows = lines(6 + stable.below(6), |_| {
            format!(
                "{},{},{},ok\n",
                stable.word(),
                stable.between(1, 65_000),
                at.fraction_text(100, 90_000, 100)
            )
        });
        Answer::text("text/csv", format!("host,port,latency_ms,state\n{rows}"))
    }),
    ("csv without noise", |stable, _| {
        let rows = lines(6 + stable.below(12), |n| {
            format!("{n};{};{}\r\n", stable.words(2), stable.between(1, 9_999))
        });
        Answer::text("text/csv", format!("id;name;amount\r\n{rows}"))
    }),
    ("yaml", |stable, at| {
        let members = lines(6 + stable.below(8), |_| {
            format!("{}: {}\n", stable.word(), stable.between(0, 99))
        });
        Answer::text(
            "application/yaml",
            format!(
                "# made by {} at {}\nversion: {}\n{members}nested:\n  id: {}\n  level: {}\n",
                stable.word(),
                at.when(0),
                stable.below(9),
                at.uuid(),
                stable.word()
            ),
        )
    }),
    ("ini", |stable, at| {
        let section = |stable: &mut Rng| {
            format!(
                "[{}]\n{}\n",
                stable.word(),
                lines(3, |_| format!("{} = {}\n", stable.word(), stable.words(1)))
            )
        };
        Answer::text(
            "text/plain",
            format!(
                "{}{}[state]\nserial = {}\nread = {}\n",
                section(stable),
                section(stable),
                at.hex(12),
                at.when(4)
            ),
        )
    }),
    ("lines in any order", |stable, at| {
        let all = (0..5 + stable.below(6))
            .map(|_| format!("{} = {}\n", stable.word(), stable.words(2)))
            .collect();
        let all: Vec<String> = at.shuffled(all);
        Answer::text("text/plain", mark_text(Kind::Order, &all.concat()))
    }),
    ("log", |stable, at| {
        let paths = [stable.word(), stable.word(), stable.word(), stable.word()];
        let all = lines(10, |n| {
            let then = time(at.ms - 900 * i64::try_from(10 - n).expect("a few"), 1);
            format!(
                "{then} INFO GET /{} {} {}ms\n",
                at.noise.pick(&paths),
                at.noise.pick(&[200, 200, 304, 404]),
                at.noise.between(1, 90)
            )
        });
        at.made.push((Kind::Time, all.clone()));
        Answer::text(
            "text/plain",
            format!(
                "log of {} on {}\n{}",
                stable.word(),
                stable.word(),
                mark_text(Kind::Length, &all)
            ),
        )
    }),
    ("log of the start", |stable, at| {
        let all = lines(5 + stable.below(5), |_| {
            format!(
                "{} INFO {} {}\n",
                at.when(1),
                stable.word(),
                stable.words(4)
            )
        });
        Answer::text("text/plain", all)
    }),
    ("metrics", |stable, at| {
        let mut out = String::new();
        for _ in 0..4 + stable.below(6) {
            let kind = *stable.pick(&["counter", "gauge"]);
            out += &family(stable, at, kind);
        }
        Answer::text("text/plain; version=0.0.4; charset=utf-8", out)
    }),
    ("metrics with labels that come", |stable, at| {
        let mut out = family(stable, at, "gauge");
        let name = stable.word();
        out += &format!(
            "# HELP {name}_seconds {}\n# TYPE {name}_seconds summary\n",
            stable.words(3)
        );
        let count = at.noise.between(1, 6);
        at.made.push((Kind::Length, count.to_string()));
        let samples = lines(usize::try_from(count).expect("a few"), |_| {
            format!(
                "{name}_seconds{{client=\"{}\"}} 0.{}\n",
                at.noise.hex(8),
                at.noise.between(1, 999)
            )
        });
        out += &mark_text(Kind::Length, &samples);
        out += &family(stable, at, "counter");
        Answer::text("text/plain; version=0.0.4", out)
    }),
    ("metrics of openmetrics", |stable, at| {
        let out = family(stable, at, "gauge") + &family(stable, at, "counter") + "# EOF\n";
        Answer::text("application/openmetrics-text; version=1.0.0", out)
    }),
    ("server-sent events", |stable, at| {
        let all = lines(3, |n| {
            format!(
                "id: {}\nevent: {}\ndata: {{\"n\":{n},\"at\":\"{}\"}}\n\n",
                at.ulid(),
                stable.word(),
                at.when(1)
            )
        });
        Answer::text("text/event-stream", all)
    }),
    ("json lines", |stable, at| {
        let all = lines(3 + stable.below(4), |_| {
            format!(
                "{{\"name\":\"{}\",\"id\":\"{}\",\"level\":{}}}\n",
                stable.word(),
                at.uuid(),
                stable.below(9)
            )
        });
        Answer::text("application/x-ndjson", all)
    }),
    ("script", |stable, _| {
        let all = lines(5, |_| {
            format!(
                "export const {} = {};\n",
                stable.word(),
                stable.between(0, 999)
            )
        });
        Answer::text("text/javascript", format!("// {}\n{all}", stable.hex(12)))
    }),
    ("sheet of styles", |stable, _| {
        let all = lines(6, |_| {
            format!(
                ".{} {{ margin: {}px; color: #{}; }}\n",
                stable.word(),
                stable.below(40),
                stable.hex(6)
            )
        });
        Answer::text("text/css", all)
    }),
    ("picture", |stable, _| {
        let mut body = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        body.extend((0..120 + stable.below(400)).map(|_| stable.next().to_le_bytes()[2]));
        Answer::of("image/png", Marked::Bytes(body))
    }),
    ("nothing to say", |stable, _| {
        Answer::empty(*stable.pick(&[204, 304]))
    }),
    ("way to sign in", |stable, at| {
        let mut answer = Answer::empty(302);
        let to = format!(
            "https://login.example.com/authorize?client={}&state={}&nonce={}",
            stable.word(),
            at.token(32),
            at.hex(16)
        );
        answer.headers.push(("location", to));
        answer
    }),
    ("way that stays", |stable, _| {
        let mut answer = Answer::text(
            "text/html",
            format!("<a href=\"/{}\">Moved Permanently</a>.\n", stable.word()),
        );
        answer.status = 301;
        answer
            .headers
            .push(("location", format!("/{}", stable.word())));
        answer
    }),
    ("answer to HEAD", |stable, _| {
        let mut answer = Answer::empty(200);
        answer.content_type = Some("application/json");
        answer
            .headers
            .push(("x-total-count", stable.between(1, 900).to_string()));
        answer
    }),
];
