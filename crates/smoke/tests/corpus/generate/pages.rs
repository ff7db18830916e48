//! HTML and XML.

use super::moment::{FORMS, time};
use super::{Answer, Shape, past};
use crate::marks::{Kind, mark_text};
use crate::rng::Rng;

const HTML: &str = "text/html; charset=utf-8";

fn rows(count: usize, row: impl FnMut(usize) -> String) -> String {
    (0..count).map(row).collect()
}

/// A page around `main`, with line breaks or without.
fn page(stable: &mut Rng, head: &str, main: &str, foot: &str) -> String {
    let title = stable.words(2);
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n{head}\
         <link rel=\"stylesheet\" href=\"/assets/{}.{}.css\">\n</head>\n<body class=\"{}\">\n<h1>{title}</h1>\n{main}\
         <footer>{foot}</footer>\n</body>\n</html>\n",
        stable.word(),
        stable.hex(8),
        stable.word(),
    );
    if stable.chance(35) {
        page.replace('\n', "")
    } else {
        page
    }
}

pub(super) const SHAPES: &[(&str, Shape)] = &[
    ("form", |stable, at| {
        let head = format!("<meta name=\"csrf-token\" content=\"{}\">\n", at.token(43));
        let main = format!(
            "<p>{}</p>\n<form action=\"/{}\" method=\"post\">\n<input type=\"hidden\" name=\"authenticity_token\" value=\"{}\">\n\
             <input name=\"{}\" maxlength=\"{}\">\n<button>{}</button>\n</form>\n",
            stable.words(9),
            stable.word(),
            at.token(60),
            stable.word(),
            stable.between(10, 200),
            stable.word(),
        );
        let foot = format!("{} {}", stable.word(), stable.between(2_000, 2_026));
        Answer::text(HTML, page(stable, &head, &main, &foot))
    }),
    ("page with the time", |stable, at| {
        let main = format!(
            "<p>{}</p>\n<p>Open today from {} to {}.</p>\n",
            stable.words(14),
            stable.between(6, 10),
            stable.between(15, 22)
        );
        let foot = format!(
            "Rendered at {} in {} ms by {}",
            at.when(stable.below(FORMS)),
            at.digits(Kind::Measure, 10, 999),
            stable.word()
        );
        Answer::text(HTML, page(stable, "", &main, &foot))
    }),
    ("page with a nonce", |stable, at| {
        let nonce = at.token(22);
        let head = format!(
            "<script nonce=\"{nonce}\" src=\"/assets/{}.js\"></script>\n",
            stable.word()
        );
        let list = rows(4 + stable.below(5), |n| {
            format!(
                "<li id=\"i{n}\"><a href=\"/{}\">{}</a> {} kr</li>\n",
                stable.word(),
                stable.words(2),
                stable.between(5, 999)
            )
        });
        let foot = stable.words(3);
        let mut answer = Answer::text(
            HTML,
            page(stable, &head, &format!("<ul>\n{list}</ul>\n"), &foot),
        );
        answer.headers.push((
            "content-security-policy",
            format!("script-src 'nonce-{nonce}'; img-src *"),
        ));
        answer
    }),
    ("page without noise", |stable, _| {
        let main = rows(3 + stable.below(5), |_| {
            format!(
                "<section>\n<h2>{}</h2>\n<p>{}</p>\n</section>\n",
                stable.words(2),
                stable.words(16)
            )
        });
        let foot = stable.words(3);
        Answer::text(HTML, page(stable, "", &main, &foot))
    }),
    ("table with figures that move", |stable, at| {
        let body = rows(5 + stable.below(6), |_| {
            format!(
                "<tr><td>{}</td><td class=\"n\">{}</td><td>{}</td></tr>\n",
                stable.words(2),
                at.digits(Kind::Measure, 1_000, 90_000),
                stable.word()
            )
        });
        let foot = stable.words(3);
        Answer::text(
            HTML,
            page(
                stable,
                "",
                &format!(
                    "<table>\n<tr><th>Name</th><th>Now</th><th>State</th></tr>\n{body}</table>\n"
                ),
                &foot,
            ),
        )
    }),
    ("visitors", |stable, at| {
        let count = at.counter(stable.between(100, 90_000)).to_string();
        let main = format!(
            "<p>{}</p>\n<p>You are visitor <b>{}</b> of this page; {} are here now.</p>\n",
            stable.words(9),
            at.text(Kind::Count, &count),
            at.digits(Kind::Measure, 1, 300)
        );
        let foot = stable.words(2);
        Answer::text(HTML, page(stable, "", &main, &foot))
    }),
    ("one of several banners", |stable, at| {
        let banner = at.pick(&[
            "tea is cheap today",
            "coffee comes fresh",
            "milk for everyone",
        ]);
        let main = format!(
            "<div class=\"banner\">{banner}</div>\n<p>{}</p>\n",
            stable.words(12)
        );
        let foot = stable.words(2);
        Answer::text(HTML, page(stable, "", &main, &foot))
    }),
    ("comments, some more each time", |stable, at| {
        let count = at.noise.between(2, 9);
        at.made.push((Kind::Length, count.to_string()));
        let list = rows(usize::try_from(count).expect("a few"), |_| {
            format!("<li>{} said {}</li>\n", at.noise.word(), at.noise.words(5))
        });
        let main = format!(
            "<p>{}</p>\n<ol>\n{}</ol>\n",
            stable.words(10),
            mark_text(Kind::Length, &list)
        );
        let foot = stable.words(2);
        Answer::text(HTML, page(stable, "", &main, &foot))
    }),
    ("state in a script", |stable, at| {
        let main = format!(
            "<div id=\"app\"></div>\n<script>window.state = {{\"user\":\"{}\",\"token\":\"{}\",\"now\":{},\"flags\":{{\"{}\":true}}}};</script>\n",
            stable.word(),
            at.hex(32),
            at.when(6),
            stable.word()
        );
        let foot = stable.words(2);
        Answer::text(HTML, page(stable, "", &main, &foot))
    }),
    ("error page with an id", |stable, at| {
        let main = format!(
            "<p>{}.</p>\n<p>Reference: {}</p>\n",
            stable.words(8),
            at.hex(16)
        );
        let foot = stable.words(2);
        let mut answer = Answer::text(HTML, page(stable, "", &main, &foot));
        answer.status = 404;
        answer
    }),
    ("rss", |stable, at| {
        let items = rows(3 + stable.below(6), |n| {
            format!(
                "<item>\n<title>{}</title>\n<guid isPermaLink=\"false\">{}</guid>\n<pubDate>{}</pubDate>\n<link>https://news.example.com/{n}</link>\n</item>\n",
                stable.words(4),
                stable.uuid(),
                time(1_700_000_000_000 + stable.between(0, 9_000_000_000), 9)
            )
        });
        Answer::text(
            "application/rss+xml",
            format!(
                "<?xml version=\"1.0\"?>\n<rss version=\"2.0\">\n<channel>\n<title>{}</title>\n<lastBuildDate>{}</lastBuildDate>\n{items}</channel>\n</rss>\n",
                stable.words(2),
                at.when(5)
            ),
        )
    }),
    ("atom", |stable, at| {
        let items = rows(2 + stable.below(4), |_| {
            format!(
                "<entry><id>urn:uuid:{}</id><title>{}</title><updated>{}</updated></entry>",
                stable.uuid(),
                stable.words(3),
                past(stable)
            )
        });
        Answer::text(
            "application/atom+xml",
            format!(
                "<?xml version=\"1.0\"?><feed><id>{}</id><updated>{}</updated>{items}</feed>",
                stable.word(),
                at.when(0)
            ),
        )
    }),
    ("sitemap", |stable, _| {
        let urls = rows(8 + stable.below(9), |_| {
            format!(
                "<url><loc>https://shop.example.com/{}</loc><priority>0.{}</priority></url>\n",
                stable.word(),
                stable.between(1, 9)
            )
        });
        Answer::text(
            "application/xml",
            format!("<?xml version=\"1.0\"?>\n<urlset>\n{urls}</urlset>\n"),
        )
    }),
    ("soap", |stable, at| {
        Answer::text(
            "text/xml; charset=utf-8",
            format!(
                "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"urn:s\"><s:Header><MessageID>uuid:{}</MessageID><Timestamp>{}</Timestamp></s:Header>\
             <s:Body><Reply code=\"{}\"><Name>{}</Name><Amount currency=\"EUR\">{}.00</Amount></Reply></s:Body></s:Envelope>",
                at.uuid(),
                at.when(1),
                stable.between(1, 99),
                stable.words(2),
                stable.between(1, 9_000)
            ),
        )
    }),
    ("svg with a figure", |stable, at| {
        Answer::text(
            "image/svg+xml",
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"20\"><text x=\"5\">{}</text><text x=\"60\">{}%</text></svg>",
                stable.between(80, 200),
                stable.word(),
                at.digits(Kind::Measure, 10, 99)
            ),
        )
    }),
];
