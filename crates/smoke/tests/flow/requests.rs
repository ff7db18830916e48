//! What is sent, byte by byte; and HTTP/2.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use nonevent_smoke::{Channel, Files, Options, Peer, Transport, TransportFuture, Verdict};

use crate::world::{World, ok, run_with, target};

const EVERYTHING: &str = r#"
variables: { tenant: "a b/c", id: "a%20b", limit: 5 }
tests:
  - { path: "/p?x=1", query: { q: "å&b", tenant: "${tenant}" } }
  - { path: "/tenants/${id}/x", headers: { X-Limit: "${limit}", accept: text/html } }
  - { path: /text, method: POST, body: "plain $${text}" }
  - { path: /json, method: PUT, body: { limit: 5, of: "${tenant}" } }
  - { path: /form, method: POST, form: { a: "1 2", b: "ä" } }
  - { path: /upload, method: POST, form: { note: hi, doc: { file: doc.txt, content_type: text/plain } } }
  - { path: /file, method: POST, body_file: doc.txt }
  - { path: /basic, auth: { basic: { user: u, password: p } } }
  - { path: /bearer, auth: { bearer: t } }
  - { path: /cookies, cookies: { a: "1", b: "2" } }
  - { path: /head, method: HEAD }
  - { path: /options, method: OPTIONS }
  - { path: /delete, method: DELETE }
"#;

#[tokio::test(start_paused = true)]
async fn requests_are_what_the_suite_says() {
    let world = World::new(|asked| match asked.what() {
        "HEAD /head" => crate::world::Reply::Say("HTTP/1.1 200 OK\r\n\r\n".to_owned()),
        _ => ok(""),
    });
    let options = Options {
        files: Files::from_fn(|name| match name {
            "doc.txt" => Ok(b"of the file".to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }),
        ..world.options()
    };
    let report = run_with(EVERYTHING, &target(), &options).await;
    assert!(report.summary.verdict.is_yes(), "{}", report.text(false));
    let texts: Vec<String> = world
        .asked()
        .iter()
        .map(|asked| asked.text.replace("\r\n", "\n"))
        .collect();
    insta::assert_snapshot!("requests", texts.join("\n--------\n"));
}

/// A service that speaks HTTP/2 alone.
struct Second;

impl Transport for Second {
    fn resolve<'a>(&'a self, _: &'a str, port: u16) -> TransportFuture<'a, Vec<SocketAddr>> {
        Box::pin(async move { Ok(vec![SocketAddr::from(([10, 0, 0, 1], port))]) })
    }

    fn connect<'a>(&'a self, _: &'a Peer) -> TransportFuture<'a, Box<dyn Channel>> {
        Box::pin(async move {
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(theirs).await.expect("HTTP/2");
                while let Some(Ok((request, mut answer))) = connection.accept().await {
                    let said = format!("{} {}", request.method(), request.uri());
                    let head = http::Response::builder().header("x-version", "1.5.0");
                    let head = head.body(()).expect("an answer");
                    let mut body = answer.send_response(head, false).expect("open");
                    body.send_data(Bytes::from(said), true).expect("open");
                }
            });
            Ok(Box::new(ours) as Box<dyn Channel>)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn http_2_is_spoken_where_it_is_asked_for() {
    let options = Options {
        transport: Arc::new(Second),
        ..World::new(|_| ok("")).options()
    };
    let text = "
tests:
  - path: /a?b=1
    connection: { http: '2' }
    expected_http: '2'
    expected_headers: { x-version: 1.5.0 }
    expected_body: { equals: 'GET http://shop.test/a?b=1' }
    repeat: 3
  - { path: /a, connection: { http: '2' }, expected_http: '1.1' }
  - { path: /a, timeout_ms: 500 }
";
    let report = run_with(text, &target(), &options).await;
    let verdicts: Vec<Verdict> = report.tests.iter().map(|test| test.verdict).collect();
    assert_eq!(
        verdicts[..3],
        [Verdict::Passed; 3],
        "{}",
        report.text(false)
    );
    assert_eq!(
        verdicts[3..],
        [Verdict::Failed; 2],
        "{}",
        report.text(false)
    );
    let kept = Options {
        reuse_connections: true,
        ..options
    };
    let report = run_with(text, &target(), &kept).await;
    assert_eq!(
        report.tests[2].verdict,
        Verdict::Passed,
        "{}",
        report.text(false)
    );
    assert!(report.tests[2].attempts[0].reused);
}
