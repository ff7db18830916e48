//! Redirects that lead in circles, away, down, or to where nobody should be sent.

use std::time::Duration;

use nonevent_smoke::{Cause, Report, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::authority::{acceptor, authority, names};
use crate::case::{Case, Fixture, answering};
use crate::server::{Server, ok, reply};

const FOLLOWS: &str = r#""follow_redirects":true"#;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = elsewhere();
    cases.extend(loops());
    cases.extend(origins());
    cases
}

fn elsewhere() -> Vec<Case> {
    let refused = [
        ("to a file", "file:///etc/passwd", "no URL"),
        ("to a script", "javascript:alert(1)", "no http or https URL"),
        ("to ftp", "ftp://127.0.0.1/", "no http or https URL"),
        (
            "with credentials",
            "http://me:secret@127.0.0.1/",
            "`http://***@127.0.0.1/`, with credentials",
        ),
        ("to port 0", "http://127.0.0.1:0/", "no http or https URL"),
        (
            "to port 65 536",
            "http://127.0.0.1:65536/",
            "no http or https URL",
        ),
        ("to no host", "http:///x", "no URL"),
        ("to a host with a space", "http://a b/", "no URL"),
        (
            "to the metadata service",
            "http://169.254.169.254/latest/",
            "was not asked",
        ),
        (
            "to it in IPv6",
            "http://[::ffff:169.254.169.254]/",
            "was not asked",
        ),
        (
            "to a link-local address",
            "http://[fe80::1]/",
            "was not asked",
        ),
    ];
    let refused = refused.into_iter().map(|(name, to, says)| {
        answering(format!("redirects {name}"), moved(to))
            .test(FOLLOWS)
            .fails(Cause::Redirect, says)
            .also(asked_once)
    });
    // Numbers that some resolvers take for 169.254.169.254.
    let numbers = [
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://169.254.43518/",
    ];
    let numbers = numbers.into_iter().map(|to| {
        answering(format!("redirects to {to}"), moved(to))
            .test(FOLLOWS)
            .fails(Cause::Redirect, "was not asked")
    });
    let unfollowed = answering(
        "redirects to the metadata service, and redirects are not followed",
        moved("http://169.254.169.254/latest/"),
    )
    .fails(Cause::Assertion, "which is not followed")
    .also(asked_once);
    refused
        .chain(numbers)
        .chain([unfollowed, downgraded()])
        .collect()
}

fn loops() -> Vec<Case> {
    let slow = Server::start(async |mut stream, _| {
        while crate::server::read_request(&mut stream).await.is_some() {
            tokio::time::sleep(Duration::from_millis(120)).await;
            if stream.write_all(moved("/").as_bytes()).await.is_err() {
                return;
            }
        }
    });
    vec![
        Case::new("redirects to itself", Server::http(|_, _| moved("/")))
            .test(FOLLOWS)
            .fails(Cause::Redirect, "over 5 redirects"),
        Case::new(
            "redirects to ever longer paths",
            Server::http(|request, _| {
                let path = request.split(' ').nth(1).unwrap_or("/");
                moved(&format!("{path}x/"))
            }),
        )
        .test(r#""follow_redirects":50"#)
        .limits(|limits| limits.total_ms = 600)
        .fails(Cause::Redirect, "over 50 redirects"),
        Case::new("redirects slowly", slow)
            .test(FOLLOWS)
            .fails(Cause::Timeout, "within 400ms (timeout_ms)"),
    ]
}

fn origins() -> Vec<Case> {
    vec![
        Case::new("redirects to another port, which is told no secrets", two())
            .test(
                r#""follow_redirects":true,"headers":{"authorization":"Bearer mine",
                "cookie":"session=mine","x-api-key":"mine"},"expected_body_contains":"none""#,
            )
            .also(asked_once),
        Case::new(
            "redirects a request with a body by 307",
            two_with("307 Temporary Redirect"),
        )
        .test(
            r#""method":"PUT","follow_redirects":true,"body":"for both",
                "headers":{"authorization":"Bearer mine"},
                "expected_body_contains":["none","for both"]"#,
        )
        .also(asked_once),
    ]
}

fn moved(to: &str) -> String {
    reply("302 Found", &format!("location: {to}\r\n"), "")
}

fn asked_once(fixture: &Fixture, _: &Report) {
    // A measurement that is repeated asks each server once more.
    let counts: Vec<usize> = fixture.servers.iter().map(Server::connections).collect();
    assert!(
        counts.iter().all(|&count| (1..=3).contains(&count)),
        "{counts:?}"
    );
}

async fn two() -> Fixture {
    two_with("302 Found").await
}

/// A server that redirects to a second one, which answers with the secrets that it was told and
/// the body.
async fn two_with(status: &'static str) -> Fixture {
    let second = Server::http(|request, _| {
        let request = request.to_lowercase();
        let told = ["authorization", "cookie", "x-api-key", "mine"];
        let told: Vec<_> = told
            .into_iter()
            .filter(|name| request.contains(name))
            .collect();
        let body = request.split("\r\n\r\n").nth(1).unwrap_or_default();
        let told = if told.is_empty() {
            "none".to_owned()
        } else {
            told.join(" ")
        };
        ok(&format!("{told} {body}"))
    })
    .await;
    let to = format!("location: http://{}/\r\n", second.address);
    // That the first one was told them is what makes the second one's silence mean something.
    let first = Server::http(move |request, _| {
        if request.contains("Bearer mine") {
            reply(status, &to, "")
        } else {
            reply("401 Unauthorized", "", "")
        }
    })
    .await;
    Fixture::new(first.target(), vec![first, second])
}

/// An https server that redirects to an http one.
fn downgraded() -> Case {
    let start = async {
        let plain = Server::http(|_, _| ok("ok")).await;
        let authority = authority("ours");
        let (chain, key) = authority.certificate(&names(&["shop.example.com"]));
        let acceptor = acceptor(chain, key, rustls::ALL_VERSIONS, |_| {});
        let to = moved(&format!("http://{}/", plain.address));
        let secure = Server::start(move |stream, _| {
            let (acceptor, to) = (acceptor.clone(), to.clone());
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let _ignored = stream.read(&mut [0; 1024]).await;
                let _ignored = stream.write_all(to.as_bytes()).await;
                let _ignored = stream.shutdown().await;
            }
        })
        .await;
        let target = Target::parse("https://shop.example.com")
            .expect("a URL")
            .connect_to(secure.address)
            .trust_only(authority.pem);
        Fixture::new(target, vec![secure, plain])
    };
    Case::new("redirects from https to http", start)
        .test(FOLLOWS)
        .fails(Cause::Redirect, "from https to http")
        .also(|fixture, _| assert_eq!(fixture.servers[1].connections(), 0))
}
